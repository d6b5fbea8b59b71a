//! Kustomizations: what `kubectl kustomize` prints for a directory, as objects whose every value keeps its place.
//!
//! Follows kustomize 5.5, which `kubectl` 1.32 carries, step by step and in its order: resources, generators, components,
//! then the transformers, and at the very end content hashes in names, references to names that changed, and the order
//! of output. A value that a patch sets points into the patch, a label into the kustomization that adds it.
//!
//! Nothing here reads the disk: what is read comes through [`Files`]. What cannot be followed (remote resources, charts,
//! plugins) is named once in [`Build::warnings`], and [`Build::unread`] says that there may be objects nobody saw.

mod fields;
mod file;
mod generate;
mod inline;
mod json_patch;
mod labels;
mod merge;
mod names;
mod order;
mod patches;
mod references;
mod replacements;
mod resource;
mod select;
mod target;
mod values;

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::Object;
use crate::source::{FileId, Finding, SourceFile};

/// The names under which a kustomization is found in a directory.
pub const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file, at this path once links are followed.
    File(Utf8PathBuf),
    /// A directory, at this path once links are followed.
    Directory(Utf8PathBuf),
    /// Nothing.
    Missing,
    /// Something outside of the working tree, which is not read.
    Outside,
    /// A link that leads back to itself.
    Loop,
}

/// The files a kustomization may read. The caller decides what lies within reach.
pub trait Files {
    /// What lies at a path.
    fn place(&self, path: &Utf8Path) -> Place;
    /// Reads a text file; one that was read before keeps its id. The error says why it cannot be read.
    fn read(&mut self, path: &Utf8Path) -> Result<FileId, String>;
    /// Reads a file that need not be text.
    fn bytes(&mut self, path: &Utf8Path) -> Result<Vec<u8>, String>;
    /// A file that was read.
    fn file(&self, id: FileId) -> Option<&SourceFile>;
}

/// What a kustomization builds to.
#[derive(Debug, Default)]
pub struct Build {
    /// The objects, in the order of output.
    pub objects: Vec<Object>,
    /// What `kubectl kustomize` would refuse, and faults of the files it is made of.
    pub findings: Vec<Finding>,
    /// What this tool does not follow.
    pub warnings: Vec<String>,
    /// Why there may be more objects than these.
    pub unread: Option<Arc<str>>,
    /// Files it is made of.
    pub files: BTreeSet<Utf8PathBuf>,
    /// Directories of the kustomizations it is made of, its own among them, links followed.
    pub directories: BTreeSet<Utf8PathBuf>,
    /// Whether it is a component, which is only built as a part of others.
    pub component: bool,
}

/// Builds the kustomization of a directory.
pub fn build(directory: &Utf8Path, files: &mut dyn Files) -> Build {
    target::build(directory, files)
}

/// The kustomization file of a directory, if there is one.
pub fn file_of(directory: &Utf8Path, files: &dyn Files) -> Option<Utf8PathBuf> {
    FILE_NAMES
        .iter()
        .map(|name| directory.join(name))
        .find(|path| matches!(files.place(path), Place::File(_)))
}

/// Whether a file of one of [`FILE_NAMES`] is kustomize's, and not that of another tool.
pub fn is_kustomization(file: &SourceFile) -> bool {
    let documents = crate::source::yaml::read(FileId::default(), file).documents;
    documents.first().is_none_or(file::is_kustomization)
}
