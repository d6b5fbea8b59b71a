//! A root module and the modules it calls. A directory is parsed once, however often it is called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use hcl_edit::expr::Expression;
use hcl_edit::structure::BlockLabel;

use super::declared::{Broken, Chunk};
use super::files::{self, Beside, Files, NoFiles};
use super::read::LOCK_FILE;
use super::sensitive::says_so;
use super::{json, overrides, syntax};
use crate::source::{FileId, Finding, SourceFile, Sources};
use crate::threads;

/// Calls within calls: deeper than any module has a reason to be.
const DEEPEST: usize = 32;
/// Calls of one root module; past this the rest is not followed.
const MOST: usize = 4096;

/// The files of one directory, parsed.
#[derive(Debug, Default)]
pub struct Directory {
    pub(super) chunks: Vec<Chunk>,
    pub(super) broken: Vec<Broken>,
    /// The dependency lock file.
    pub(super) locks: Vec<Chunk>,
    /// Faults of syntax.
    pub(super) findings: Vec<Finding>,
    /// What else lies there.
    files: Option<Arc<dyn Files>>,
    /// What the blocks say to those who have no need of the rest, which is then gone.
    outline: Option<Outline>,
}

/// What has to be known of a directory before it is judged.
#[derive(Debug)]
struct Outline {
    calls: Vec<Call>,
    variables: BTreeMap<String, Variable>,
}

/// What has to be known of a variable before it is given a value.
#[derive(Debug, Clone, Copy)]
struct Variable {
    /// Whether its type takes an expression on the command line.
    complex: bool,
    sensitive: bool,
}

/// A `module` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its label.
    pub name: Arc<str>,
    /// Its `source`, if that is a text.
    pub source: Option<Arc<str>>,
}

/// Parses the files of one directory. Those that override are merged into the others, in the order they are given.
pub fn parse(sources: &Sources, files: &[FileId]) -> Directory {
    read(sources, files, |id, file, broken, findings| {
        let json = file.path().extension() == Some("json");
        let parse = if json { json::parse } else { syntax::parse };
        parse(id, file, broken, findings)
    })
}

/// Which modules the files of one directory call and which variables they declare: blocks of other kinds take a hundred times
/// the memory of their text, and most of the time.
pub fn outline(sources: &Sources, files: &[FileId]) -> Directory {
    let directory = read(sources, files, |id, file, broken, findings| {
        if file.path().extension() == Some("json") {
            return json::parse(id, file, broken, findings);
        }
        syntax::parse_blocks(&["module", "variable"], id, file)
    });
    let outline = Outline { calls: directory.calls(), variables: directory.variables() };
    Directory { outline: Some(outline), ..Directory::default() }
}

/// Reads the files of one directory with a parser of one file.
fn read(
    sources: &Sources,
    files: &[FileId],
    parse: impl Fn(FileId, &SourceFile, &mut Vec<Broken>, &mut Vec<Finding>) -> Vec<Chunk> + Sync,
) -> Directory {
    let mut directory = Directory::default();
    let parsed = threads::map(files, 1, |id| {
        let (mut broken, mut findings) = (Vec::new(), Vec::new());
        let file = sources.get(*id)?;
        let chunks = parse(*id, file, &mut broken, &mut findings);
        Some((file.path(), chunks, broken, findings))
    });
    let mut overriding = Vec::new();
    for (path, read, heads, faults) in parsed.into_iter().flatten() {
        directory.findings.extend(faults);
        if path.file_name() == Some(LOCK_FILE) {
            directory.locks.extend(read);
            continue;
        }
        directory.broken.extend(heads);
        if overrides::is_override(path) {
            overriding.extend(read);
        } else {
            directory.chunks.extend(read);
        }
    }
    // What does not parse may be what is overridden.
    let mut faults = Vec::new();
    overrides::apply(sources, &mut directory.chunks, overriding, &mut faults);
    if directory.broken.is_empty() {
        directory.findings.extend(faults);
    }
    directory
}

impl Directory {
    /// With the files that lie beside those of the module, for `file` and its like.
    #[must_use]
    pub fn beside(self, files: Arc<dyn Files>) -> Self {
        Self { files: Some(files), ..self }
    }

    /// The faults of syntax of its files.
    pub fn faults(&self) -> &[Finding] {
        &self.findings
    }

    /// The modules that its blocks call, in the order of the files.
    pub fn calls(&self) -> Vec<Call> {
        if let Some(outline) = &self.outline {
            return outline.calls.clone();
        }
        let blocks = self.chunks.iter().flat_map(|chunk| chunk.body.blocks());
        let calls = blocks.filter(|block| block.ident.as_str() == "module").filter_map(|block| {
            let name = block.labels.first().map(BlockLabel::as_str)?;
            let source = block.body.get_attribute("source").and_then(|source| match &source.value {
                Expression::String(text) => Some(text.as_str().into()),
                _ => None,
            });
            Some(Call { name: name.into(), source })
        });
        calls.collect()
    }

    /// Every variable, and whether its type takes an expression on the command line, or else a text as it is. Terraform
    /// reads `-var` so: <https://developer.hashicorp.com/terraform/language/values/variables#complex-typed-values>.
    fn variables(&self) -> BTreeMap<String, Variable> {
        let blocks = self.chunks.iter().flat_map(|chunk| chunk.body.blocks());
        let mut variables = BTreeMap::new();
        for block in blocks.filter(|block| block.ident.as_str() == "variable") {
            let Some(name) = block.labels.first().map(BlockLabel::as_str) else { continue };
            let complex = block.body.get_attribute("type").is_some_and(|type_| match &type_.value {
                Expression::Variable(word) => !matches!(word.as_str(), "string" | "number" | "bool"),
                _ => true,
            });
            let sensitive = says_so(&block.body);
            variables.entry(name.to_owned()).or_insert(Variable { complex, sensitive });
        }
        variables
    }
}

/// Finds the directories of called modules.
pub trait Library {
    /// The directory that a call means, or why there is none. `path` names the calls from the root to this one, as
    /// `terraform init` does in its list: `["network", "subnets"]`.
    ///
    /// # Errors
    /// Why the module cannot be read, as a sentence that a reader can act on.
    fn find(&mut self, parent: &Utf8Path, path: &[Arc<str>], call: &Call) -> Result<Utf8PathBuf, String>;

    /// The parsed files of a directory that [`Library::find`] gave.
    fn open(&mut self, directory: &Utf8Path) -> Arc<Directory>;
}

/// A root module with everything it calls.
#[derive(Debug)]
pub struct Tree {
    pub(super) directories: Vec<Arc<Directory>>,
    /// Where each of them is.
    paths: Vec<Utf8PathBuf>,
    /// The root first; every call is a node of its own, for what it finds depends on the path to it.
    pub(super) nodes: Vec<Branch>,
}

/// One call, or the root.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    /// An index into [`Tree::directories`].
    pub(super) directory: usize,
    /// What it calls: an index into [`Tree::nodes`], or why the module is not read.
    pub(super) calls: BTreeMap<Arc<str>, Result<usize, Arc<str>>>,
}

impl Tree {
    /// A module without what it calls.
    pub fn alone(root: Directory) -> Self {
        let calls = root.calls().into_iter().map(|call| {
            let reason = format!("module {} is not read", call.name);
            (call.name, Err(reason.into()))
        });
        let root_branch = Branch { directory: 0, calls: calls.collect() };
        Self { nodes: vec![root_branch], directories: vec![Arc::new(root)], paths: vec![Utf8PathBuf::new()] }
    }

    /// The types of the resources and data sources it has, as the blocks' labels say them: some may turn out to have no
    /// instance.
    pub fn types(&self) -> BTreeSet<&str> {
        let chunks = self.directories.iter().flat_map(|directory| &directory.chunks);
        let blocks = chunks.flat_map(|chunk| chunk.body.blocks());
        let of_types = blocks.filter(|block| matches!(block.ident.as_str(), "resource" | "data"));
        of_types.filter_map(|block| block.labels.first().map(BlockLabel::as_str)).collect()
    }

    /// The module of a directory with all it calls, as far as the library has them.
    pub fn grow(root: &Utf8Path, library: &mut dyn Library) -> Self {
        let mut growing = Growing {
            tree: Self { directories: Vec::new(), paths: Vec::new(), nodes: Vec::new() },
            known: BTreeMap::new(),
            library,
        };
        growing.branch(root, &mut Vec::new(), &mut Vec::new());
        growing.tree
    }

    /// The files beside a module, by its node.
    pub(super) fn beside(&self, node: usize) -> Beside {
        let at = self.nodes.get(node).map_or(0, |branch| branch.directory);
        let files = self.directories.get(at).and_then(|directory| directory.files.clone());
        let path = match (self.paths.first(), self.paths.get(at)) {
            (Some(root), Some(path)) => files::way(root, path),
            _ => ".".to_owned(),
        };
        Beside { files: files.unwrap_or_else(|| Arc::new(NoFiles)), path: path.into() }
    }

    /// The directories of the modules that are called.
    pub fn called(&self) -> impl Iterator<Item = &Utf8Path> {
        self.paths.iter().skip(1).map(Utf8PathBuf::as_path)
    }

    /// Whether a variable of the root is declared as sensitive.
    pub fn is_sensitive(&self, name: &str) -> bool {
        self.root_variable(name).is_some_and(|variable| variable.sensitive)
    }

    /// Of a variable of the root, whether its type takes an expression on the command line, or else a text as it is; `None`
    /// if it is not declared.
    pub fn variable(&self, name: &str) -> Option<bool> {
        self.root_variable(name).map(|variable| variable.complex)
    }

    fn root_variable(&self, name: &str) -> Option<Variable> {
        let root = self.directories.first()?;
        match &root.outline {
            Some(outline) => outline.variables.get(name).copied(),
            None => root.variables().get(name).copied(),
        }
    }

    /// The same calls with the directories that `open` has for their paths: a tree of outlines becomes one that can be
    /// evaluated.
    #[must_use]
    pub fn filled(&self, open: impl FnMut(&Utf8Path) -> Arc<Directory>) -> Self {
        let directories = self.paths.iter().map(Utf8PathBuf::as_path).map(open).collect();
        Self { directories, paths: self.paths.clone(), nodes: self.nodes.clone() }
    }
}

struct Growing<'l> {
    tree: Tree,
    known: BTreeMap<Utf8PathBuf, usize>,
    library: &'l mut dyn Library,
}

impl Growing<'_> {
    /// Adds the node of a directory and what it calls. `above` holds the directories from the root to here.
    fn branch(&mut self, path: &Utf8Path, calls: &mut Vec<Arc<str>>, above: &mut Vec<Utf8PathBuf>) -> usize {
        let directory = match self.known.get(path) {
            Some(at) => *at,
            None => {
                let at = self.tree.directories.len();
                self.tree.directories.push(self.library.open(path));
                self.tree.paths.push(path.to_owned());
                self.known.insert(path.to_owned(), at);
                at
            }
        };
        let node = self.tree.nodes.len();
        self.tree.nodes.push(Branch { directory, calls: BTreeMap::new() });
        above.push(path.to_owned());
        let called =
            self.tree.directories.get(directory).map(|directory| directory.calls()).unwrap_or_default();
        for call in called {
            calls.push(call.name.clone());
            let found = match self.library.find(path, calls, &call) {
                Ok(found) if above.contains(&found) => {
                    let source = call.source.as_deref().unwrap_or_default();
                    Err(format!("module {} ({source}) calls itself in a circle", call.name))
                }
                Ok(_) if above.len() >= DEEPEST || self.tree.nodes.len() >= MOST => {
                    Err(format!("module {} is one call too many to be followed", call.name))
                }
                found => found,
            };
            let found = found.map(|found| self.branch(&found, calls, above)).map_err(Arc::from);
            calls.pop();
            if let Some(branch) = self.tree.nodes.get_mut(node) {
                branch.calls.entry(call.name).or_insert(found);
            }
        }
        above.pop();
        node
    }
}
