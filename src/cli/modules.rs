//! The modules that Terraform files call, as they lie on disk, and the values given to variables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value as Json;

use crate::source::{FileId, Finding, Node, Sources, Span};
use crate::terraform::{self, Call, Directory, Library, Tree};
use crate::threads;

use super::args::Given;
use super::beside::Beside;
use super::inputs::{Inputs, siblings, variable_files};
use super::paths::{as_typed, normalise};
use super::reading::{read_file, read_module_file};
use super::{Error, Surroundings};

/// As much text as this is parsed once and held until the end; of more, the blocks of a module are held only while it is
/// judged.
const HELD: usize = 1024 * 1024;

/// A root module: everything it calls, and what its variables are given.
#[derive(Debug)]
pub(super) struct Root {
    /// The calls.
    outline: Tree,
    /// The directories of a run.
    shelf: Arc<BTreeMap<Utf8PathBuf, Held>>,
    pub(super) given: BTreeMap<String, Node>,
    /// The files of the modules it calls.
    pub(super) called: Vec<FileId>,
}

impl Root {
    /// A value for a variable; what is given to a sensitive one is concealed, even if another value takes its place.
    fn concealed(&self, (name, mut node): (String, Node), sources: &Sources) -> (String, Node) {
        if self.outline.is_sensitive(&name) {
            sources.conceal(&mut node);
        }
        (name, node)
    }

    /// The module and those it calls, parsed.
    pub(super) fn tree(&self, sources: &Sources) -> Tree {
        self.outline
            .filled(|path| self.shelf.get(path).map_or_else(Arc::default, |held| held.open(path, sources)))
    }
}

/// A directory of a run.
#[derive(Debug)]
struct Held {
    files: Vec<FileId>,
    /// Whether it is held once it is parsed: it is small, or more than one root calls it.
    often: bool,
    parsed: OnceLock<Arc<Directory>>,
}

impl Held {
    fn open(&self, path: &Utf8Path, sources: &Sources) -> Arc<Directory> {
        let parse = || Arc::new(parse(path, &self.files, sources));
        if self.often { self.parsed.get_or_init(parse).clone() } else { parse() }
    }
}

fn parse(path: &Utf8Path, files: &[FileId], sources: &Sources) -> Directory {
    terraform::parse(sources, files).beside(Arc::new(Beside { directory: path.to_owned() }))
}

/// Which modules a directory calls, and which variables it declares.
fn outline(path: &Utf8Path, files: &[FileId], sources: &Sources) -> Directory {
    terraform::outline(sources, files).beside(Arc::new(Beside { directory: path.to_owned() }))
}

/// Reads what the modules of a run call. A module that another one calls is judged where it is called, with what it is
/// given there, and not once more alone: it is taken out of `inputs.modules`.
pub(super) fn roots(
    inputs: &mut Inputs,
    given: &Given,
    surroundings: &Surroundings,
) -> Result<(BTreeMap<Utf8PathBuf, Root>, Vec<Finding>), Error> {
    let modules: Vec<(&Utf8PathBuf, &Vec<FileId>)> = inputs.modules.iter().collect();
    let length = |id: &FileId| inputs.sources.get(*id).map_or(0, |file| file.text().len());
    let length: usize = inputs.modules.values().flatten().map(length).sum();
    let held = length <= HELD;
    let sources = &inputs.sources;
    let opened = threads::map(&modules, 4, |(path, files)| {
        let opened = if held { parse(path, files, sources) } else { outline(path, files, sources) };
        ((*path).clone(), Arc::new(opened))
    });
    let mut library = OnDisk {
        listed: inputs.modules.iter().map(|(path, files)| (path.clone(), files.clone())).collect(),
        sources: &mut inputs.sources,
        surroundings,
        opened: opened.into_iter().collect(),
        held,
        root: Utf8PathBuf::new(),
        downloaded: None,
        details: Vec::new(),
        unusable: Vec::new(),
    };
    let mut trees = BTreeMap::new();
    for path in inputs.modules.keys() {
        library.root.clone_from(path);
        library.downloaded = None;
        trees.insert(path.clone(), Tree::grow(path, &mut library));
    }
    let called: BTreeSet<Utf8PathBuf> =
        trees.values().flat_map(Tree::called).map(Utf8Path::to_owned).collect();
    let mut reached = BTreeSet::new();
    let mut roots = Vec::new();
    // Modules that call each other in a circle have no root; then the first of them is as good as any.
    for (path, tree) in trees.iter().filter(|(path, _)| !called.contains(*path)).chain(&trees) {
        if reached.insert(path.clone()) {
            reached.extend(tree.called().map(Utf8Path::to_owned));
            roots.push(path.clone());
        }
    }
    let files = |library: &OnDisk<'_>, tree: &Tree| -> Vec<FileId> {
        let directories: BTreeSet<&Utf8Path> = tree.called().collect();
        directories.into_iter().filter_map(|path| library.listed.get(path)).flatten().copied().collect()
    };
    let mut callers: BTreeMap<&Utf8Path, usize> = BTreeMap::new();
    for path in roots.iter().filter_map(|root| trees.get(root)).flat_map(Tree::called) {
        *callers.entry(path).or_default() += 1;
    }
    let shelf = library.listed.iter().map(|(path, files)| {
        let often = held || callers.get(path.as_path()).is_some_and(|count| *count > 1);
        let known = library.opened.get(path).filter(|_| held);
        let parsed = known.map_or_else(OnceLock::new, |known| OnceLock::from(known.clone()));
        (path.clone(), Held { files: files.clone(), often, parsed })
    });
    let shelf = Arc::new(shelf.collect());
    let mut found = BTreeMap::new();
    for path in &roots {
        if let Some(outline) = trees.remove(path) {
            let called = files(&library, &outline);
            let root = Root { outline, shelf: Arc::clone(&shelf), given: BTreeMap::new(), called };
            found.insert(path.clone(), root);
        }
    }
    let OnDisk { details, unusable, .. } = library;
    inputs.details.extend(details);
    inputs.unusable.extend(unusable);
    for path in inputs.modules.keys().filter(|path| !found.contains_key(*path)) {
        let typed = as_typed(path, &surroundings.directory);
        inputs.details.push(format!("judged where it is called: {typed}"));
    }
    inputs.modules.retain(|path, _| found.contains_key(path));
    let findings = give(&mut found, given, &mut inputs.sources, surroundings)?;
    Ok((found, findings))
}

/// Gives variables their values: those of `terraform.tfvars` and `*.auto.tfvars` beside the module, of the environment,
/// of `--var-file` and of `--var`, later ones over earlier ones, as Terraform does.
fn give(
    roots: &mut BTreeMap<Utf8PathBuf, Root>,
    given: &Given,
    sources: &mut Sources,
    surroundings: &Surroundings,
) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    let mut common = Vec::new();
    for path in &given.var_file {
        let id = sources.add(read_file(path, surroundings)?);
        common.extend(terraform::values(sources, id, &mut findings));
    }
    let mut words = Vec::new();
    for word in &given.var {
        let Some((name, value)) = word.split_once('=') else {
            return Err(Error::Usage {
                message: format!("--var {word}: a variable is given as NAME=VALUE"),
                help: "write --var region=eu-central-1".to_owned(),
            });
        };
        if !roots.values().any(|root| root.outline.variable(name).is_some()) {
            return Err(Error::Usage {
                message: format!("--var {name}: no module that is judged declares a variable of that name"),
                help: "correct the name".to_owned(),
            });
        }
        words.push((name, value));
    }
    let environment = match surroundings.variables {
        Some(read) if given.var_env => read(),
        _ => Vec::new(),
    };
    for (path, root) in roots {
        let mut values = BTreeMap::new();
        for file in variable_files(&as_typed(path, &surroundings.directory), surroundings) {
            let Some(file) = read_module_file(&file, surroundings)? else { continue };
            let id = sources.add(file);
            let read = terraform::values(sources, id, &mut findings);
            values.extend(read.into_iter().map(|value| root.concealed(value, sources)));
        }
        for (name, text) in &environment {
            if root.outline.variable(name).is_some() {
                let node = word(root, name, text, sources, &mut findings);
                values.extend([root.concealed((name.clone(), node), sources)]);
            }
        }
        values.extend(common.iter().cloned().map(|value| root.concealed(value, sources)));
        for (name, text) in &words {
            if root.outline.variable(name).is_some() {
                let node = word(root, name, text, sources, &mut findings);
                values.extend([root.concealed(((*name).to_owned(), node), sources)]);
            }
        }
        root.given = values;
    }
    Ok(findings)
}

/// A value as it stands on the command line: a text for what takes one, an expression for lists and the like.
fn word(root: &Root, name: &str, text: &str, sources: &mut Sources, findings: &mut Vec<Finding>) -> Node {
    if root.outline.variable(name) != Some(true) {
        return Node::string(Span::default(), text);
    }
    let file = crate::source::SourceFile::new(format!("--var {name}"), format!("{name} = {text}\n"));
    let id = sources.add(file);
    let values = terraform::values(sources, id, findings);
    values.into_iter().next().map_or_else(|| Node::string(Span::default(), text), |(_, node)| node)
}

struct OnDisk<'i> {
    sources: &'i mut Sources,
    surroundings: &'i Surroundings,
    /// The files of each directory that was read.
    listed: BTreeMap<Utf8PathBuf, Vec<FileId>>,
    opened: BTreeMap<Utf8PathBuf, Arc<Directory>>,
    /// Whether what is parsed is held.
    held: bool,
    /// The root module whose calls are followed.
    root: Utf8PathBuf,
    /// What `terraform init` has put where, by the path of the call.
    downloaded: Option<BTreeMap<String, Utf8PathBuf>>,
    details: Vec<String>,
    unusable: Vec<Error>,
}

impl Library for OnDisk<'_> {
    fn find(&mut self, parent: &Utf8Path, path: &[Arc<str>], call: &Call) -> Result<Utf8PathBuf, String> {
        let name = &call.name;
        let Some(source) = &call.source else {
            return Err(format!("module {name} is not read: its source is no plain text"));
        };
        let directory = if source.starts_with("./") || source.starts_with("../") {
            normalise(&parent.join(&**source))
        } else {
            let key: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
            let known = self.downloaded.get_or_insert_with(|| downloaded(&self.root));
            known.get(&key.join(".")).cloned().ok_or_else(|| {
                format!("module {name} ({source}) is not on disk; `terraform init` downloads it")
            })?
        };
        if !directory.is_dir() {
            return Err(format!("module {name} is not on disk: there is no directory {source}"));
        }
        Ok(directory)
    }

    fn open(&mut self, directory: &Utf8Path) -> Arc<Directory> {
        if let Some(opened) = self.opened.get(directory) {
            return opened.clone();
        }
        let files = match self.listed.get(directory) {
            Some(files) => files.clone(),
            None => self.load(directory),
        };
        let opened = Arc::new(if self.held {
            parse(directory, &files, self.sources)
        } else {
            outline(directory, &files, self.sources)
        });
        self.opened.insert(directory.to_owned(), opened.clone());
        opened
    }
}

impl OnDisk<'_> {
    /// Reads the files of a module that is called and was not among the inputs.
    fn load(&mut self, directory: &Utf8Path) -> Vec<FileId> {
        let typed = as_typed(directory, &self.surroundings.directory);
        let mut files = Vec::new();
        for path in siblings(&typed, self.surroundings) {
            match read_module_file(&path, self.surroundings) {
                Ok(None) => {}
                Ok(Some(file)) => {
                    self.details.push(format!("read too: {path}: of a module that is called"));
                    files.push(self.sources.add(file));
                }
                Err(error) => self.unusable.push(error),
            }
        }
        self.listed.insert(directory.to_owned(), files.clone());
        files
    }
}

/// The list that `terraform init` writes: `.terraform/modules/modules.json`. Where there is none, or it cannot be read,
/// nothing was downloaded.
fn downloaded(root: &Utf8Path) -> BTreeMap<String, Utf8PathBuf> {
    let text = std::fs::read_to_string(root.join(".terraform/modules/modules.json")).unwrap_or_default();
    let json: Json = serde_json::from_str(&text).unwrap_or_default();
    let modules = json.get("Modules").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let entry = |module: &Json| {
        let key = module.get("Key")?.as_str()?.to_owned();
        let directory = module.get("Dir")?.as_str()?;
        Some((key, normalise(&root.join(directory))))
    };
    modules.iter().filter_map(entry).collect()
}
