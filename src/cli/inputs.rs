//! Finds and reads the files to check, and finds out what each of them is.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use ignore::{DirEntry, WalkBuilder};
use walkdir::WalkDir;

use crate::kubernetes::{is_helm_template, kustomize};
use crate::render::Overrides;
use crate::render::lock::Lock;
use crate::report::{Input, InputKind};
use crate::source::{FileId, SourceFile, Sources};
use crate::terraform::{self, LOCK_FILE};

use super::kustomizations::{self, Kustomized};
use super::origin::Origins;
use super::paths::{as_typed, normalise};
use super::reading::{Unread, is_large_and_foreign, missing, read, read_file};
use super::sniff::sniff;
use super::{Error, Surroundings, plans};

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
