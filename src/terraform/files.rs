//! The files beside a module's own, for `file` and its like: whoever reads a module says how they are got at.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use crate::source::{normalise, relative};

/// The files of a module's directory. Paths are relative to it, with neither `.` nor `..` in them.
pub trait Files: std::fmt::Debug + Send + Sync {
    /// The bytes of a file.
    ///
    /// # Errors
    /// Why it is not read; a directory is [`Unread::Missing`].
    fn read(&self, path: &Utf8Path) -> Result<Vec<u8>, Unread>;

    /// Whether a file is there; a directory is none.
    ///
    /// # Errors
    /// Why that is not known.
    fn exists(&self, path: &Utf8Path) -> Result<bool, Unread> {
        match self.read(path) {
            Ok(_) => Ok(true),
            Err(Unread::Missing) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// The paths of all files below a directory, relative to it; the empty path is the module's own.
    ///
    /// # Errors
    /// Why they are not known.
    fn list(&self, directory: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Unread>;
}

/// Why a file is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// Terraform would find none either.
    #[error("there is no such file")]
    Missing,
    /// It lies outside the module's directory, if only through a link.
    #[error("a file outside the module's directory is not read")]
    Outside,
    /// For another reason, which the text says.
    #[error("{0}")]
    Otherwise(String),
}

/// For a module of which only the text is there.
#[derive(Debug, Clone, Copy)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Utf8Path) -> Result<Vec<u8>, Unread> {
        Err(Unread::Otherwise("the files beside the module are not read".to_owned()))
    }

    fn list(&self, directory: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Unread> {
        self.read(directory).map(|_| Vec::new())
    }
}

/// The files of a module, and where it lies for whoever asks by what `path.module` says.
#[derive(Debug, Clone)]
pub(super) struct Beside {
    pub(super) files: Arc<dyn Files>,
    /// What `path.module` is: `.` for the module that Terraform runs in.
    pub(super) path: Arc<str>,
}

impl Beside {
    /// A path that an expression names, as [`Files`] wants it; `None` if it leaves the module's directory.
    pub(super) fn inside(&self, path: &str) -> Option<Utf8PathBuf> {
        let whole = lexical(Utf8Path::new(path))?;
        let below = whole.strip_prefix(lexical(Utf8Path::new(&*self.path))?).ok()?;
        // Where the module is not below the root, its own path begins with `..`; what is left may not.
        (!below.starts_with("..")).then(|| below.to_owned())
    }
}

/// A relative path without `.`, and with `..` only at its start. Where a link leads, `..` behind it means another
/// directory; whoever reads the file looks at that.
fn lexical(path: &Utf8Path) -> Option<Utf8PathBuf> {
    (!path.has_root() && path.is_relative()).then(|| normalise(path))
}

/// The way from one directory to another below or beside it, as Terraform names modules: `modules/net`, `../net`.
pub(super) fn way(from: &Utf8Path, to: &Utf8Path) -> String {
    let way = relative(to, from);
    let steps: Vec<&str> = way.components().map(|step| step.as_str()).collect();
    if steps.is_empty() { ".".to_owned() } else { steps.join("/") }
}

/// Terraform's and `OpenTofu`'s endings of a module's files: <https://developer.hashicorp.com/terraform/language/files>,
/// <https://opentofu.org/docs/language/files/>.
const ENDINGS: [&str; 4] = [".tf", ".tf.json", ".tofu", ".tofu.json"];

/// What a module's file is called without its ending; `None` if it is no file of a module. Both tools pass over names
/// that begin with a dot and those of editors' copies.
pub fn stem(name: &str) -> Option<&str> {
    let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending))?;
    let hidden = name.starts_with('.') || (name.starts_with('#') && name.ends_with('#'));
    (!hidden).then_some(stem)
}

/// The name of the file that `OpenTofu` reads in place of a `.tf` or `.tf.json` file, where both are there.
pub fn instead(name: &str) -> Option<String> {
    let stem = stem(name)?;
    match name.get(stem.len()..)? {
        ".tf" => Some(format!("{stem}.tofu")),
        ".tf.json" => Some(format!("{stem}.tofu.json")),
        _ => None,
    }
}
