//! What is on disk against what a blueprint renders to.

use std::collections::BTreeSet;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use walkdir::WalkDir;

use super::FileSet;
use super::lock::{FILE_NAME, Lock, LockError};

/// One file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Path below the output directory.
    pub path: Utf8PathBuf,
    /// How it differs.
    pub state: State,
}

/// How a file differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Its bytes differ.
    Drifted {
        /// The first line that differs, from 1.
        line: usize,
        /// What is on disk.
        disk: Vec<u8>,
    },
    /// It is not there.
    Missing,
    /// The old lock names it and the file set does not.
    Orphaned,
}

/// What a comparison found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Drifted, missing and orphaned files, sorted by path.
    pub drift: Vec<Drift>,
    /// Files in the output directory that no render wrote. They are somebody's own and no drift.
    pub foreign: Vec<Utf8PathBuf>,
}

/// Why a comparison could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DriftError {
    /// The lock cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The disk refused.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// What the disk said.
        source: io::Error,
    },
}

/// Compares the output directory with a file set, which holds the lock too. Writes nothing.
pub fn compare(directory: &Utf8Path, files: &FileSet) -> Result<Comparison, DriftError> {
    let old = Lock::read(directory)?;
    let mut comparison = Comparison::default();
    for (path, bytes) in files {
        let on_disk = directory.join(path);
        let state = match std::fs::read(&on_disk) {
            Ok(disk) if disk == *bytes => continue,
            Ok(disk) => State::Drifted { line: first_difference(&disk, bytes), disk },
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                State::Missing
            }
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => State::Missing,
            Err(source) => return Err(DriftError::Read { path: on_disk, source }),
        };
        comparison.drift.push(Drift { path: path.clone(), state });
    }
    let known: BTreeSet<Utf8PathBuf> = old.map(|lock| lock.files.into_keys().collect()).unwrap_or_default();
    for path in known.iter().filter(|path| !files.contains_key(*path)) {
        if directory.join(path).symlink_metadata().is_ok() {
            comparison.drift.push(Drift { path: path.clone(), state: State::Orphaned });
        }
    }
    comparison.drift.sort_by(|left, right| left.path.cmp(&right.path));
    comparison.foreign = present(directory)
        .into_iter()
        .filter(|path| path != FILE_NAME && !files.contains_key(path) && !known.contains(path))
        .collect();
    Ok(comparison)
}

/// Every file below a directory, sorted, without what `terraform init` puts there.
pub(super) fn present(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    WalkDir::new(directory)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.file_name() != ".terraform")
        .filter_map(Result::ok)
        .filter(|entry| !entry.file_type().is_dir())
        .filter_map(|entry| Utf8PathBuf::from_path_buf(entry.into_path()).ok())
        .filter_map(|path| path.strip_prefix(directory).map(Utf8Path::to_owned).ok())
        .collect()
}

/// The first line, from 1, in which two texts differ.
fn first_difference(left: &[u8], right: &[u8]) -> usize {
    let same = left.iter().zip(right).take_while(|(left, right)| left == right);
    1 + same.filter(|(byte, _)| **byte == b'\n').count()
}

/// The difference as a unified diff, from what is on disk to what the blueprint renders to. `None` where one of the
/// two is not text.
pub fn diff(path: &Utf8Path, disk: &[u8], rendered: &[u8]) -> Option<String> {
    let disk = std::str::from_utf8(disk).ok()?;
    let rendered = std::str::from_utf8(rendered).ok()?;
    let lines = similar::TextDiff::from_lines(disk, rendered);
    let header = (format!("{path} (on disk)"), format!("{path} (rendered)"));
    Some(lines.unified_diff().context_radius(3).header(&header.0, &header.1).to_string())
}
