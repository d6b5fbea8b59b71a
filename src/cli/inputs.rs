//! Finds and reads the files to check, and finds out what each of them is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};

use camino::{Utf8Path, Utf8PathBuf};
use ignore::{DirEntry, WalkBuilder};
use walkdir::WalkDir;

use crate::kubernetes::{is_helm_template, kustomize};
use crate::render::Overrides;
use crate::render::lock::Lock;
use crate::report::{Input, InputKind};
use crate::source::{FileId, SourceFile, Sources, Value, yaml};
use crate::terraform::{self, LOCK_FILE};

use super::error::disk_help;
use super::kustomizations::{self, Kustomized};
use super::origin::Origins;
use super::paths::{as_typed, normalise};
use super::{Error, Surroundings, plans};

/// No file larger than this is read: the largest real manifests have a few megabytes.
pub(super) const LARGEST_FILE: u64 = 16 * 1024 * 1024;
/// How much of a file is looked at to find out what it is, before it is read.
const GLANCE: u64 = 64 * 1024;
/// Directories that hold other people's files, or none that matter.
const PASSED_OVER: [&str; 4] = [".git", ".terraform", "target", "node_modules"];

/// Says what is not to be checked, in the form of a `.gitignore`.
const IGNORE_FILE: &str = ".nexafiignore";

/// The path that an error of the search is about.
fn path_of(error: &ignore::Error) -> Option<&std::path::Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

/// A file that looks like a plan.
#[derive(Debug)]
pub(super) struct FoundPlan {
    pub(super) path: Utf8PathBuf,
    /// Whether somebody named it, and did not just have it in a directory.
    pub(super) named: bool,
}

/// The files of a run.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    pub(super) sources: Sources,
    pub(super) blueprints: Vec<FileId>,
    /// Files of modules by the directory on disk they lie in, which makes them one module.
    pub(super) modules: BTreeMap<Utf8PathBuf, Vec<FileId>>,
    pub(super) manifests: Vec<FileId>,
    /// Plans that `terraform show -json` printed; each is read when it is judged.
    pub(super) plans: Vec<FoundPlan>,
    /// Directories with a kustomization.
    pub(super) kustomizations: Vec<Utf8PathBuf>,
    /// What these build to.
    pub(super) kustomized: Kustomized,
    /// Sources of Helm charts: by the chart's directory, or the file where it lies in no chart.
    pub(super) charts: BTreeSet<Utf8PathBuf>,
    /// Files that had to be checked and cannot be.
    pub(super) unusable: Vec<Error>,
    /// Files that were passed over and perhaps should not have been.
    pub(super) warnings: Vec<String>,
    /// Files that were passed over with good reason.
    pub(super) details: Vec<String>,
}

impl Inputs {
    /// Reads every file that `paths` name or hold; none means the working directory.
    pub(super) fn gather(paths: &[Utf8PathBuf], surroundings: &Surroundings) -> Self {
        let mut inputs = Self::default();
        let mut seen = BTreeSet::new();
        let here = [Utf8PathBuf::from(".")];
        // Files that were named come first, so that a directory holding them too does not make them less explicit.
        let paths = if paths.is_empty() { &here[..] } else { paths };
        let (directories, files): (Vec<_>, Vec<_>) =
            paths.iter().partition(|path| surroundings.on_disk(path).is_dir());
        for path in files {
            if seen.insert(normalise(&surroundings.on_disk(path))) {
                inputs.take(path, true, surroundings);
            }
        }
        let named = inputs.manifests.clone();
        // A module is a directory: judged by one of its files alone it would lack what the others declare.
        let typed = |files: &Vec<FileId>| {
            let first = inputs.sources.get(*files.first()?)?;
            first.path().parent().map(Utf8Path::to_owned)
        };
        let modules: Vec<Utf8PathBuf> = inputs.modules.values().filter_map(typed).collect();
        for directory in modules {
            for path in siblings(&directory, surroundings) {
                if seen.insert(normalise(&surroundings.on_disk(&path))) {
                    inputs.details.push(format!("read too: {path}: of the same module"));
                    inputs.take(&path, false, surroundings);
                }
            }
        }
        // Files that one render wrote belong together: a namespace and the policies that close it are two files.
        for path in inputs.rendered_with(surroundings) {
            let on_disk = surroundings.on_disk(&path);
            if on_disk.is_file() && seen.insert(normalise(&on_disk)) {
                inputs.details.push(format!("read too: {path}: of the same render"));
                inputs.take(&path, false, surroundings);
            }
        }
        for directory in directories {
            for path in inputs.walk(directory, false, surroundings) {
                if seen.insert(normalise(&surroundings.on_disk(&path))) {
                    inputs.take(&path, false, surroundings);
                }
            }
        }
        inputs.warnings.extend(inputs.charts.iter().map(|chart| {
            format!(
                "{chart} has values that only Helm fills in; they are not judged. Lint what `helm template` prints of it"
            )
        }));
        kustomizations::build(&mut inputs, paths, &named, surroundings);
        let sources = &inputs.sources;
        for files in inputs.modules.values_mut() {
            files.sort_by_key(|id| sources.get(*id).map(SourceFile::path));
        }
        inputs
    }

    /// The other files of the renders that what was read so far belongs to, out of their locks.
    fn rendered_with(&self, surroundings: &Surroundings) -> Vec<Utf8PathBuf> {
        let mut origins = Origins::default();
        let directories: BTreeSet<Utf8PathBuf> = (self.modules.values().flatten())
            .chain(&self.manifests)
            .filter_map(|id| origins.directory(self.sources.get(*id)?.path(), surroundings))
            .collect();
        let mut paths = Vec::new();
        for directory in directories {
            let lock = Lock::read(&directory).ok().flatten();
            paths.extend(
                lock.iter()
                    .flat_map(|lock| lock.files.keys())
                    .filter(|path| {
                        terraform::stem(path.file_name().unwrap_or("")).is_some()
                            || matches!(path.extension(), Some("yaml" | "yml"))
                    })
                    .map(|path| as_typed(&directory.join(path), &surroundings.directory)),
            );
        }
        paths
    }

    /// What was read, for the report.
    pub(super) fn listed(&self) -> Vec<Input> {
        let list = |ids: &[FileId], kind| {
            ids.iter()
                .filter_map(|id| self.sources.get(*id))
                .map(|file| Input { path: file.path().as_str().replace('\\', "/"), kind })
                .collect::<Vec<_>>()
        };
        let mut listed = list(&self.blueprints, InputKind::Blueprint);
        listed.extend(self.modules.values().flat_map(|ids| list(ids, InputKind::Terraform)));
        let path = |plan: &FoundPlan| plan.path.as_str().replace('\\', "/");
        listed.extend(self.plans.iter().map(|plan| Input { path: path(plan), kind: InputKind::Terraform }));
        listed.extend(list(&self.manifests, InputKind::Kubernetes));
        let kustomized: Vec<FileId> = self.kustomized.files.iter().copied().collect();
        listed.extend(list(&kustomized, InputKind::Kubernetes));
        listed
    }

    /// Adds a text under the kind it is of.
    fn add(&mut self, kind: InputKind, file: SourceFile, surroundings: &Surroundings) {
        let on_disk = normalise(&surroundings.on_disk(file.path()));
        let id = self.sources.add(file);
        match kind {
            InputKind::Blueprint => self.blueprints.push(id),
            InputKind::Terraform => {
                let directory = on_disk.parent().map(Utf8Path::to_owned).unwrap_or_default();
                self.modules.entry(directory).or_default().push(id);
            }
            InputKind::Kubernetes => self.manifests.push(id),
        }
    }

    /// The files below a directory, sorted, as the user would have typed them. Links to directories are not
    /// followed, so that every file is met once. With `all` nothing is left out that Git or `.nexafiignore` ignores.
    fn walk(&mut self, directory: &Utf8Path, all: bool, surroundings: &Surroundings) -> Vec<Utf8PathBuf> {
        let root = surroundings.on_disk(directory);
        let wanted = |entry: &DirEntry| {
            entry.depth() == 0
                || !entry
                    .file_name()
                    .to_str()
                    .is_some_and(|name| PASSED_OVER.contains(&name) || name.starts_with(".nexafi-gen-"))
        };
        let mut walk = WalkBuilder::new(&root);
        // What the user of one machine ignores everywhere must not decide what is checked.
        walk.standard_filters(false).parents(!all).git_ignore(!all).git_exclude(!all).git_global(false);
        if !all {
            walk.add_custom_ignore_filename(IGNORE_FILE);
        }
        walk.sort_by_file_name(Ord::cmp).filter_entry(wanted);
        let mut found = Vec::new();
        for entry in walk.build() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = path_of(&error).unwrap_or(root.as_std_path()).to_string_lossy().into_owned();
                    let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                    let message = format!("it cannot be searched: {reason}");
                    self.unusable.push(Error::Input { path: path.into(), message, help: String::new() });
                    continue;
                }
            };
            let is_file = entry.file_type().is_some_and(|type_| type_.is_file())
                || (entry.path_is_symlink() && entry.path().is_file());
            if !is_file {
                continue;
            }
            match Utf8PathBuf::from_path_buf(entry.into_path()) {
                Ok(path) => {
                    let below = path.strip_prefix(&root).unwrap_or(&path);
                    let typed = if directory == "." { below.to_owned() } else { directory.join(below) };
                    found.push(typed);
                }
                Err(path) => self
                    .warnings
                    .push(format!("{} is passed over: its name is not UTF-8", path.to_string_lossy())),
            }
        }
        found
    }

    fn take(&mut self, path: &Utf8Path, named: bool, surroundings: &Surroundings) {
        let name = path.file_name().unwrap_or("");
        let replaced = replaced(path, surroundings);
        let kind = match path.extension() {
            _ if terraform::stem(name).is_some() && replaced.is_none() => Some(InputKind::Terraform),
            _ if name == LOCK_FILE => Some(InputKind::Terraform),
            Some("yaml" | "yml" | "json") if terraform::stem(name).is_none() => None,
            _ if kustomize::FILE_NAMES.contains(&name) => None,
            _ => {
                let exists = surroundings.on_disk(path).exists();
                if named && plans::kind(&surroundings.on_disk(path)) == plans::Kind::Binary {
                    self.unusable.push(plans::binary(path));
                    return;
                }
                let hidden = terraform::stem(name.trim_start_matches('.')).is_some();
                let words = replaced.unwrap_or_else(|| {
                    let words = if hidden {
                        "Terraform reads no files whose name begins with a dot"
                    } else {
                        "not a YAML, JSON or .tf file"
                    };
                    words.to_owned()
                });
                if named && !exists {
                    self.unusable.push(missing(path));
                } else if named {
                    self.warnings.push(format!("{path} is passed over: {words}"));
                } else {
                    self.details.push(format!("passed over: {path}: {words}"));
                }
                return;
            }
        };
        let sniffed = kind.is_none();
        if sniffed
            && path.extension() == Some("json")
            && plans::kind(&surroundings.on_disk(path)) == plans::Kind::Plan
        {
            self.plans.push(FoundPlan { path: path.to_owned(), named });
            return;
        }
        if sniffed && !named && is_large_and_foreign(&surroundings.on_disk(path)) {
            self.details.push(format!("passed over: {path}: large, and neither a blueprint nor a manifest"));
            return;
        }
        let file = match read(path, surroundings) {
            Ok(file) => file,
            // A module's file may be empty.
            Err(Unread::Empty(_)) if kind.is_some() && path.extension() != Some("json") => {
                self.details.push(format!("passed over: {path}: empty"));
                return;
            }
            // Of a file that nobody named only what concerns us has to be readable.
            Err(Unread::Empty(_)) if !named => {
                self.details.push(format!("passed over: {path}: empty"));
                return;
            }
            Err(Unread::NotText { ours: false, .. }) if !named && sniffed => {
                self.details.push(format!("passed over: {path}: not UTF-8 text"));
                return;
            }
            Err(unread) => {
                self.unusable.push(unread.into());
                return;
            }
        };
        if kind.is_none() && kustomize::FILE_NAMES.contains(&name) && kustomize::is_kustomization(&file) {
            self.kustomizations.push(path.parent().unwrap_or(Utf8Path::new("")).to_owned());
            return self.add(InputKind::Kubernetes, file, surroundings);
        }
        let kind = kind.or_else(|| sniff(&file, named));
        let templated = matches!(kind, None | Some(InputKind::Kubernetes)) && is_helm_template(file.text());
        if templated {
            self.charts.insert(chart(path));
        }
        match kind {
            Some(kind) => self.add(kind, file, surroundings),
            None if templated => {}
            None if named => self.warnings.push(format!(
                "{path} is passed over: neither a blueprint (apiVersion: nexafi-gen/v1) nor a Kubernetes manifest \
                 (apiVersion and kind)"
            )),
            None => {
                self.details.push(format!("passed over: {path}: neither a blueprint nor a manifest"));
            }
        }
    }
}

/// The chart that a template belongs to: it lies below `templates` of it. <https://helm.sh/docs/topics/charts/>
fn chart(template: &Utf8Path) -> Utf8PathBuf {
    let above = template.ancestors().skip(1).find(|above| above.file_name() == Some("templates"));
    match above.and_then(Utf8Path::parent) {
        Some(chart) if chart.as_str().is_empty() => Utf8PathBuf::from("."),
        chart => chart.unwrap_or(template).to_owned(),
    }
}

/// The files of the module that a directory is, and its dependency lock file, sorted.
pub(super) fn siblings(directory: &Utf8Path, surroundings: &Surroundings) -> Vec<Utf8PathBuf> {
    let mut files = files_in(directory, surroundings);
    files.retain(|path| {
        let name = path.file_name().unwrap_or("");
        name == LOCK_FILE || (terraform::stem(name).is_some() && replaced(path, surroundings).is_none())
    });
    files
}

/// Why a file of a module is not read: `main.tf` beside `main.tofu`, which `OpenTofu` reads in place of it. Which of the
/// two tools a directory is for is not known, but nobody writes a `main.tofu` for Terraform.
/// <https://opentofu.org/docs/language/files/>
fn replaced(path: &Utf8Path, surroundings: &Surroundings) -> Option<String> {
    let instead = path.with_file_name(terraform::instead(path.file_name()?)?);
    surroundings.on_disk(&instead).is_file().then(|| format!("OpenTofu reads {instead} in place of it"))
}

/// The files of values that Terraform reads without being told, in its order: later ones win.
pub(super) fn variable_files(directory: &Utf8Path, surroundings: &Surroundings) -> Vec<Utf8PathBuf> {
    let turn = |path: &Utf8PathBuf| match path.file_name()? {
        "terraform.tfvars" | "terraform.tfvars.json" => Some(0),
        name if name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json") => Some(1),
        _ => None,
    };
    let mut files = files_in(directory, surroundings);
    files.retain(|path| turn(path).is_some());
    // Of one turn they stay in the order of their names.
    files.sort_by_key(turn);
    files
}

/// The files of a directory, sorted, as the user would have typed them.
fn files_in(directory: &Utf8Path, surroundings: &Surroundings) -> Vec<Utf8PathBuf> {
    WalkDir::new(surroundings.on_disk(directory))
        .max_depth(1)
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_file())
        .filter_map(|entry| entry.file_name().to_str().map(|name| directory.join(name)))
        .collect()
}

/// The policy files below a directory, sorted: every YAML file.
pub(super) fn policy_files(
    directory: &Utf8Path,
    surroundings: &Surroundings,
) -> Result<Vec<Utf8PathBuf>, Error> {
    let help = "name the directory that holds them; each policy is one YAML file";
    let files = files_below(directory, ("policies", help), &["yaml", "yml"], surroundings)?;
    if files.is_empty() {
        return Err(Error::Input {
            path: directory.to_owned(),
            message: "it holds no policy".to_owned(),
            help: "each policy is one YAML file; `nexafi-gen schema policy` describes it".to_owned(),
        });
    }
    Ok(files)
}

/// The YAML and JSON files below a directory of schemas, sorted.
pub(super) fn schema_files(
    directory: &Utf8Path,
    surroundings: &Surroundings,
) -> Result<Vec<Utf8PathBuf>, Error> {
    let help = "name the directory that holds CustomResourceDefinitions or JSON Schemas of custom resources";
    files_below(directory, ("schemas", help), &["yaml", "yml", "json"], surroundings)
}

/// Every file of these extensions below a directory that holds `what`, sorted.
fn files_below(
    directory: &Utf8Path,
    (what, help): (&str, &str),
    extensions: &[&str],
    surroundings: &Surroundings,
) -> Result<Vec<Utf8PathBuf>, Error> {
    if !surroundings.on_disk(directory).is_dir() {
        return Err(Error::Input {
            path: directory.to_owned(),
            message: format!("it is not a directory of {what}"),
            help: help.to_owned(),
        });
    }
    let mut inputs = Inputs::default();
    let mut files = inputs.walk(directory, true, surroundings);
    if let Some(error) = inputs.unusable.pop() {
        return Err(error);
    }
    files.retain(|path| path.extension().is_some_and(|extension| extensions.contains(&extension)));
    Ok(files)
}

/// The user's templates, by their path below the directory.
pub(super) fn template_files(directory: &Utf8Path, surroundings: &Surroundings) -> Result<Overrides, Error> {
    let unusable = |message: &str, help: &str| Error::Input {
        path: directory.to_owned(),
        message: message.to_owned(),
        help: help.to_owned(),
    };
    let root = surroundings.on_disk(directory);
    if !root.is_dir() {
        let help =
            "name the directory that holds them; each has the path of the built-in one it stands in for";
        return Err(unusable("it is not a directory of templates", help));
    }
    let mut overrides = Overrides::new();
    for entry in WalkDir::new(&root).sort_by_file_name() {
        let entry = entry.map_err(|error| unusable(&error.to_string(), ""))?;
        let Ok(path) = Utf8PathBuf::try_from(entry.path().to_path_buf()) else { continue };
        let below = path.strip_prefix(&root).unwrap_or(&path).to_owned();
        let is_template = below.extension() == Some("j2") || below == "files.yaml";
        if !entry.file_type().is_file() || !is_template {
            continue;
        }
        let text = read_file(&directory.join(&below), surroundings)?.text().to_owned();
        overrides.insert(below.as_str().replace('\\', "/"), text);
    }
    if overrides.is_empty() {
        return Err(unusable("it holds no template", "a template is a file such as terraform/vpc.tf.j2"));
    }
    Ok(overrides)
}

/// Why a file was not read.
enum Unread {
    Empty(Error),
    /// `ours`: the part that can be read looks like a blueprint or a manifest.
    NotText {
        error: Error,
        ours: bool,
    },
    Other(Error),
}

impl From<Unread> for Error {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Empty(error) | Unread::NotText { error, .. } | Unread::Other(error) => error,
        }
    }
}

/// Reads a file of a module; `None` if nothing stands in it.
pub(super) fn read_module_file(
    path: &Utf8Path,
    surroundings: &Surroundings,
) -> Result<Option<SourceFile>, Error> {
    match read(path, surroundings) {
        Ok(file) => Ok(Some(file)),
        Err(Unread::Empty(_)) if path.extension() != Some("json") => Ok(None),
        Err(unread) => Err(unread.into()),
    }
}

/// Reads one file that has to be there.
pub(super) fn read_file(path: &Utf8Path, surroundings: &Surroundings) -> Result<SourceFile, Error> {
    read(path, surroundings).map_err(Error::from)
}

fn read(path: &Utf8Path, surroundings: &Surroundings) -> Result<SourceFile, Unread> {
    let fault =
        |message: String, help: &str| Error::Input { path: path.to_owned(), message, help: help.to_owned() };
    let on_disk = surroundings.on_disk(path);
    let failed = |error: &io::Error| {
        Unread::Other(match error.kind() {
            io::ErrorKind::NotFound => missing(path),
            _ => fault(error.to_string(), &disk_help(error)),
        })
    };
    let metadata = std::fs::metadata(&on_disk).map_err(|error| failed(&error))?;
    if metadata.is_dir() {
        return Err(Unread::Other(fault(
            "it is a directory, and a file is needed here".to_owned(),
            "name the file inside it; `nexafi-gen lint` takes whole directories",
        )));
    }
    let Some(bytes) = bounded(&on_disk, metadata.len()).map_err(|error| failed(&error))? else {
        let size = metadata.len().max(LARGEST_FILE + 1).div_ceil(1024 * 1024);
        return Err(Unread::Other(fault(
            format!("it has {size} MiB, more than the {} MiB this tool reads", LARGEST_FILE / 1024 / 1024),
            "no blueprint, module file or manifest is that large; split it, or leave it out",
        )));
    };
    let text = String::from_utf8(bytes).map_err(|error| Unread::NotText {
        error: not_text(path, &error),
        ours: String::from_utf8_lossy(error.as_bytes()).contains("apiVersion"),
    })?;
    let file = SourceFile::new(path, text);
    if file.text().trim().is_empty() {
        return Err(Unread::Empty(fault(
            "it is empty".to_owned(),
            "`nexafi-gen init` writes a starter blueprint",
        )));
    }
    Ok(file)
}

/// The bytes of a file; `None` if there are more than [`LARGEST_FILE`]. With its `length`, if that is known, they are read at
/// once and not in growing steps.
pub(super) fn bounded(on_disk: &Utf8Path, length: u64) -> io::Result<Option<Vec<u8>>> {
    let expected = usize::try_from(length.min(LARGEST_FILE)).unwrap_or(0);
    // Room for one more byte shows the end without another step.
    let mut bytes = Vec::with_capacity(if expected == 0 { 0 } else { expected + 1 });
    // Never more than the limit, whatever the metadata says: a pipe has no size, and files grow.
    std::fs::File::open(on_disk)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= LARGEST_FILE).then_some(bytes))
}

fn missing(path: &Utf8Path) -> Error {
    Error::Input {
        path: path.to_owned(),
        message: "no such file or directory".to_owned(),
        help: if path.is_relative() {
            "the path is taken from the working directory".to_owned()
        } else {
            String::new()
        },
    }
}

fn not_text(path: &Utf8Path, error: &std::string::FromUtf8Error) -> Error {
    let bytes = error.as_bytes();
    let at = error.utf8_error().valid_up_to();
    let line = 1 + bytes.iter().take(at).filter(|byte| **byte == b'\n').count();
    let help = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it begins like UTF-16; save it as UTF-8",
        _ => "save it as UTF-8",
    };
    let byte = bytes.get(at).copied().unwrap_or_default();
    Error::Input {
        path: path.to_owned(),
        message: format!("it is not UTF-8 text: byte 0x{byte:02x} in line {line}"),
        help: help.to_owned(),
    }
}

/// A file over the limit is an error if it concerns us; a data file that nobody named does not.
fn is_large_and_foreign(path: &Utf8Path) -> bool {
    let large = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > LARGEST_FILE);
    large && glance(path).is_ok_and(|glance| !String::from_utf8_lossy(&glance).contains("apiVersion"))
}

/// The beginning of a file, by which one tells what it is.
pub(super) fn glance(path: &Utf8Path) -> io::Result<Vec<u8>> {
    let mut glance = Vec::new();
    std::fs::File::open(path)?.take(GLANCE).read_to_end(&mut glance)?;
    Ok(glance)
}

/// What a YAML or JSON text is, by its top-level keys. Looks at lines, not at the tree: a file with a syntax error is
/// still what its author meant it to be.
fn sniff(file: &SourceFile, named: bool) -> Option<InputKind> {
    let text = file.text();
    if text.trim_start().starts_with('{') {
        return sniff_flow(file);
    }
    let value_of = |wanted: &str| {
        text.lines().find_map(|line| {
            let line = line.strip_prefix("- ").unwrap_or(line).trim_start_matches(['"', '\'']);
            let rest = line.strip_prefix(wanted)?.trim_start_matches(['"', '\'']).trim_start();
            rest.strip_prefix(':').map(str::trim)
        })
    };
    match value_of("apiVersion") {
        Some(version) if is_ours(version) => Some(InputKind::Blueprint),
        Some(_) if value_of("kind").is_some() => Some(InputKind::Kubernetes),
        // A manifest that forgets one of the two, named on the command line.
        Some(_) if named && value_of("metadata").is_some() => Some(InputKind::Kubernetes),
        None if named && value_of("kind").is_some() && value_of("metadata").is_some() => {
            Some(InputKind::Kubernetes)
        }
        // A blueprint whose first line is forgotten or mistyped, named on the command line.
        None if named && value_of("regions").is_some() && value_of("name").is_some() => {
            Some(InputKind::Blueprint)
        }
        _ => None,
    }
}

fn sniff_flow(file: &SourceFile) -> Option<InputKind> {
    if !file.text().contains("apiVersion") {
        return None;
    }
    let documents = yaml::read(FileId::default(), file).documents;
    documents.iter().find_map(|document| {
        let Value::Map(map) = &document.value else { return None };
        let version = map.get("apiVersion")?.as_str()?;
        if is_ours(version) {
            return Some(InputKind::Blueprint);
        }
        map.get("kind").map(|_| InputKind::Kubernetes)
    })
}

fn is_ours(version: &str) -> bool {
    version.trim_start_matches(['"', '\'']).starts_with("nexafi-gen/")
}
