//! Rendering: a platform becomes a file set in memory; a file set lands on disk whole or not at all.

pub mod drift;
pub mod lock;
pub mod write;

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

/// What a render produces: path below the output directory to bytes.
pub type FileSet = BTreeMap<Utf8PathBuf, Vec<u8>>;
