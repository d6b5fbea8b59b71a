//! The files beside a module's own, as they lie on disk.

use camino::{Utf8Path, Utf8PathBuf};
use walkdir::WalkDir;

use crate::terraform::{Files, Unread};

use super::reading::bounded;

/// Files past which a directory is not listed.
const MOST: usize = 20_000;
/// Directories that tools fill, whose files nobody names.
const PASSED_OVER: [&str; 2] = [".git", ".terraform"];

/// A module's directory. What lies outside of it is not read, wherever links lead.
#[derive(Debug)]
pub(super) struct Beside {
    /// Its path on disk.
    pub(super) directory: Utf8PathBuf,
}

impl Beside {
    /// Where a path leads, links followed.
    fn resolved(&self, path: &Utf8Path) -> Result<Utf8PathBuf, Unread> {
        let resolve = |path: &Utf8Path| path.canonicalize_utf8().map_err(|error| unread(&error));
        let root = resolve(&self.directory)?;
        let resolved = resolve(&self.directory.join(path))?;
        if resolved.starts_with(&root) { Ok(resolved) } else { Err(Unread::Outside) }
    }
}

impl Files for Beside {
    fn read(&self, path: &Utf8Path) -> Result<Vec<u8>, Unread> {
        let resolved = self.resolved(path)?;
        let metadata = std::fs::metadata(&resolved).map_err(|error| unread(&error))?;
        if metadata.is_dir() {
            return Err(Unread::Missing);
        }
        if !metadata.is_file() {
            return Err(Unread::Otherwise(format!("{path} is no regular file")));
        }
        let bytes = bounded(&resolved, 0).map_err(|error| unread(&error))?;
        bytes.ok_or_else(|| Unread::Otherwise(format!("{path} is too large to read")))
    }

    fn exists(&self, path: &Utf8Path) -> Result<bool, Unread> {
        match self.resolved(path) {
            Ok(resolved) => Ok(resolved.is_file()),
            Err(Unread::Missing) => Ok(false),
            Err(other) => Err(other),
        }
    }

    fn list(&self, directory: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Unread> {
        let start = self.resolved(directory)?;
        let foreign = |entry: &walkdir::DirEntry| {
            entry.depth() > 0
                && entry.file_type().is_dir()
                && entry.file_name().to_str().is_some_and(|name| PASSED_OVER.contains(&name))
        };
        let walk = WalkDir::new(&start).sort_by_file_name().into_iter();
        let mut found = Vec::new();
        for entry in walk.filter_entry(|entry| !foreign(entry)) {
            let entry = entry.map_err(|error| Unread::Otherwise(error.to_string()))?;
            let Some(path) = Utf8Path::from_path(entry.path()) else { continue };
            if entry.file_type().is_symlink() {
                // Where it leads says nothing about which files are there.
                return Err(Unread::Otherwise(format!("{} is a link", entry.file_name().to_string_lossy())));
            }
            if entry.file_type().is_file()
                && let Ok(below) = path.strip_prefix(&start)
            {
                found.push(below.to_owned());
            }
            if found.len() > MOST {
                return Err(Unread::Otherwise("the directory has too many files to list".to_owned()));
            }
        }
        Ok(found)
    }
}

fn unread(error: &std::io::Error) -> Unread {
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Unread::Missing,
        _ => Unread::Otherwise(error.to_string()),
    }
}
