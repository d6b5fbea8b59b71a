//! `nexafi-gen.lock.json`: which tool and blueprint wrote the files beside it, and the hash of each. It is how a
//! later render tells its own files from those a person wrote or changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::FileSet;

/// The lock's name in the output directory.
pub const FILE_NAME: &str = "nexafi-gen.lock.json";
/// The name and version of the lock's shape.
pub const SCHEMA: &str = "nexafi-gen/lock/v1";
/// A lock larger than this is not one: the reference platform's has some kilobytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// What a render left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// `nexafi-gen/lock/v1`.
    pub schema: String,
    /// What wrote the files.
    pub tool: Tool,
    /// What it wrote them from.
    pub blueprint: Blueprint,
    /// Path below the output directory to SHA-256 in hexadecimal; the lock itself is not in it.
    pub files: BTreeMap<Utf8PathBuf, String>,
}

/// What wrote the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// `nexafi-gen`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What the files were written from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
    /// Relative to the output directory, with forward slashes.
    pub path: Utf8PathBuf,
    /// SHA-256 of its text, see [`text_hash`].
    pub sha256: String,
}

/// How a directory differs from its lock; paths below the directory, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differences {
    /// Files whose bytes are others.
    pub drifted: Vec<Utf8PathBuf>,
    /// Files that are not there.
    pub missing: Vec<Utf8PathBuf>,
    /// Files that the render did not write and that terraform, kubectl or a person would take for a part of it.
    pub strangers: Vec<Utf8PathBuf>,
}

/// Why a lock could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The disk refused.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The lock.
        path: Utf8PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// Not a lock of this tool, or damaged.
    #[error("{path} is not a lock this version can use: {reason}")]
    Damaged {
        /// The lock.
        path: Utf8PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Lock {
    /// The lock of a file set. `blueprint` is the blueprint's path relative to the output directory, `text` what it
    /// says.
    pub fn new(files: &FileSet, blueprint: &Utf8Path, text: &str) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            tool: Tool { name: "nexafi-gen".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            blueprint: Blueprint {
                path: Utf8PathBuf::from(blueprint.as_str().replace('\\', "/")),
                sha256: text_hash(text),
            },
            files: files.iter().map(|(path, bytes)| (path.clone(), hash(bytes))).collect(),
        }
    }

    /// The bytes that are written: sorted, indented, with a final newline.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings and string-keyed maps only: there is nothing serde_json could refuse.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// How the files on disk differ from what the lock says. What cannot be read counts as drifted.
    pub fn differences(&self, directory: &Utf8Path) -> Differences {
        let mut found = Differences::default();
        for (path, wanted) in &self.files {
            match std::fs::read(directory.join(path)) {
                // A checkout may have made line ends of its own.
                Ok(bytes) if hash(&bytes) == *wanted => {}
                Ok(bytes) if bytes.contains(&b'\r') && hash(&without_carriage_returns(&bytes)) == *wanted => {
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => found.missing.push(path.clone()),
                _ => found.drifted.push(path.clone()),
            }
        }
        let taken_up = |path: &Utf8Path| {
            path.starts_with("terraform") && path.file_name().and_then(crate::terraform::stem).is_some()
                || path.as_str().ends_with(".tf.json")
                || path.starts_with("kubernetes") && matches!(path.extension(), Some("yaml" | "yml" | "json"))
                || path.starts_with("scripts") && path.extension() == Some("sh")
        };
        let present = super::drift::present(directory).into_iter();
        found.strangers = present.filter(|path| taken_up(path) && !self.files.contains_key(path)).collect();
        found
    }

    /// Reads the lock of an output directory; `None` where there is none.
    pub fn read(directory: &Utf8Path) -> Result<Option<Self>, LockError> {
        let path = directory.join(FILE_NAME);
        let failed = |source| LockError::Read { path: path.clone(), source };
        let size = match std::fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            // A file where the directory should be has no lock either; whoever writes finds out and says so.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(failed(error)),
        };
        let damaged = |reason: String| LockError::Damaged { path: path.clone(), reason };
        if size > LARGEST {
            return Err(damaged(format!("it has {size} bytes")));
        }
        let bytes = std::fs::read(&path).map_err(failed)?;
        let lock: Self = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if lock.schema != SCHEMA {
            return Err(damaged(format!("its schema is `{}`, not `{SCHEMA}`", lock.schema)));
        }
        // The lock decides what is removed; one that names files elsewhere must not.
        match lock.files.keys().find(|path| !stays_inside(path)) {
            Some(outside) => Err(damaged(format!("it names `{outside}`, outside of its directory"))),
            None => Ok(Some(lock)),
        }
    }
}

/// Whether a path below the output directory stays there: relative, no `..`, not empty.
pub fn stays_inside(path: &Utf8Path) -> bool {
    !path.as_str().is_empty() && path.components().all(|part| matches!(part, Utf8Component::Normal(_)))
}

/// SHA-256 in hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn without_carriage_returns(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    text.replace("\r\n", "\n").into_bytes()
}

/// SHA-256 of a text with LF line ends, so that a checkout with CRLF has the same one. The text is expected without
/// a byte order mark, as [`SourceFile`](crate::source::SourceFile) keeps it.
pub fn text_hash(text: &str) -> String {
    hash(text.replace("\r\n", "\n").as_bytes())
}
