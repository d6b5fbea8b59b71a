//! Puts a file set on disk, whole or not at all, and never over what a person changed.
//!
//! Everything that can be refused is refused before the first change. Then every new file is written into a staging
//! directory, and only when all of them are there are they renamed into place; what they replace is kept in the
//! staging directory until the last rename, and put back if one fails.

use std::collections::BTreeSet;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::FileSet;
use super::lock::{FILE_NAME, Lock, LockError, hash, stays_inside};

/// What a write did, each list sorted.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Written {
    /// Files that are new or have new content.
    pub written: Vec<Utf8PathBuf>,
    /// Files that already had this content and were not touched.
    pub unchanged: Vec<Utf8PathBuf>,
    /// Files of an earlier render that this one does not produce.
    pub removed: Vec<Utf8PathBuf>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The old lock cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Files on disk are not what an earlier render left.
    #[error("{} would be lost", if .0.len() == 1 { "a change made by hand" } else { "changes made by hand" })]
    Changed(Vec<Conflict>),
    /// A path of the file set, or the output directory, leads somewhere else through a symbolic link.
    #[error("{path} is a symbolic link to {target}, outside of {directory}")]
    LeavesDirectory {
        /// The link.
        path: Utf8PathBuf,
        /// Where it leads.
        target: String,
        /// What it has to stay in.
        directory: Utf8PathBuf,
    },
    /// A path of the file set is absolute or climbs out: a fault of a template.
    #[error("the file set names `{0}`, which is not a path below the output directory")]
    BadPath(Utf8PathBuf),
    /// Something that is no directory stands where a directory has to be, or the other way round.
    #[error("{path} is {found}, and the render needs {needed} there")]
    InTheWay {
        /// What stands there.
        path: Utf8PathBuf,
        /// What it is.
        found: &'static str,
        /// What has to be there.
        needed: &'static str,
    },
    /// The disk refused.
    #[error("cannot write {path}: {source}")]
    Disk {
        /// What was to be written.
        path: Utf8PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// The disk refused, and refused again when the old state was put back.
    #[error(
        "cannot write {path}: {source}; the files it replaced could not all be put back, they are in {kept}"
    )]
    Stuck {
        /// What was to be written.
        path: Utf8PathBuf,
        /// What the disk said.
        source: io::Error,
        /// Where the replaced files are.
        kept: Utf8PathBuf,
    },
}

/// A file that a person changed or wrote, in the way of a render.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Path below the output directory.
    pub path: Utf8PathBuf,
    /// Why it may not be touched.
    pub reason: ConflictReason,
}

/// Why a file may not be touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictReason {
    /// An earlier render wrote it and it has changed since.
    ChangedByHand,
    /// The same, and this render would remove it.
    ChangedAndNoLongerGenerated,
    /// No render wrote it.
    NotGenerated,
    /// It is a symbolic link.
    Link,
}

impl ConflictReason {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChangedByHand => "changed by hand since the last render",
            Self::ChangedAndNoLongerGenerated => {
                "changed by hand since the last render, and no longer generated"
            }
            Self::NotGenerated => "not written by a render",
            Self::Link => "a symbolic link",
        }
    }
}

/// Writes a file set and its lock below `directory`, which is created if need be.
///
/// `boundary` is the directory that `directory` itself must not leave through a symbolic link. With `force` files
/// changed by hand are replaced or removed too; links are never followed out of the directory.
pub fn write(
    directory: &Utf8Path,
    boundary: &Utf8Path,
    files: &FileSet,
    lock: &Lock,
    force: bool,
) -> Result<Written, WriteError> {
    write_with(directory, boundary, files, lock, force, &mut |from, to| std::fs::rename(from, to))
}

/// How a file gets from one path to another; a test's own one fails when told to.
type Rename<'a> = dyn FnMut(&Utf8Path, &Utf8Path) -> io::Result<()> + 'a;

fn write_with(
    directory: &Utf8Path,
    boundary: &Utf8Path,
    files: &FileSet,
    lock: &Lock,
    force: bool,
    rename: &mut Rename<'_>,
) -> Result<Written, WriteError> {
    check_directory(directory, boundary)?;
    let old = match Lock::read(directory) {
        Ok(old) => old,
        Err(LockError::Damaged { .. }) if force => None,
        Err(error) => return Err(error.into()),
    };
    let mut files = files.clone();
    files.insert(FILE_NAME.into(), lock.to_bytes());
    let plan = Plan::new(directory, &files, old.as_ref(), force)?;
    if !plan.is_empty() {
        plan.carry_out(directory, &files, rename)?;
    }
    for path in plan.replace.iter().chain(&plan.unchanged).filter(|path| is_script(path)) {
        make_executable(&directory.join(path)).map_err(|source| disk(&directory.join(path), source))?;
    }
    Ok(Written { written: plan.replace, unchanged: plan.unchanged, removed: plan.remove })
}

/// What a write will do, found out without changing anything.
#[derive(Debug, Default)]
struct Plan {
    replace: Vec<Utf8PathBuf>,
    unchanged: Vec<Utf8PathBuf>,
    remove: Vec<Utf8PathBuf>,
}

impl Plan {
    fn new(
        directory: &Utf8Path,
        files: &FileSet,
        old: Option<&Lock>,
        force: bool,
    ) -> Result<Self, WriteError> {
        let mut plan = Self::default();
        let mut conflicts = Vec::new();
        for (path, bytes) in files {
            let standing = standing(directory, path)?;
            let known = old.and_then(|lock| lock.files.get(path));
            match standing {
                Standing::Nothing => plan.replace.push(path.clone()),
                Standing::File(disk) if disk == *bytes => plan.unchanged.push(path.clone()),
                // The lock has no hash of itself; what it says was read, and a damaged one takes force.
                Standing::File(_) if path == FILE_NAME => plan.replace.push(path.clone()),
                Standing::File(disk) if force || known.is_some_and(|known| *known == hash(&disk)) => {
                    plan.replace.push(path.clone());
                }
                Standing::Link if force => plan.replace.push(path.clone()),
                Standing::File(_) => conflicts.push(Conflict {
                    path: path.clone(),
                    reason: if known.is_some() {
                        ConflictReason::ChangedByHand
                    } else {
                        ConflictReason::NotGenerated
                    },
                }),
                Standing::Link => {
                    conflicts.push(Conflict { path: path.clone(), reason: ConflictReason::Link });
                }
            }
        }
        for (path, known) in old.iter().flat_map(|lock| &lock.files) {
            if files.contains_key(path) {
                continue;
            }
            match standing(directory, path) {
                // Somebody put a directory there or took the parent away: what the render wrote is gone.
                Ok(Standing::Nothing) | Err(WriteError::InTheWay { .. }) => {}
                Ok(Standing::File(disk)) if force || *known == hash(&disk) => plan.remove.push(path.clone()),
                Ok(Standing::Link) if force => plan.remove.push(path.clone()),
                Ok(_) => conflicts.push(Conflict {
                    path: path.clone(),
                    reason: ConflictReason::ChangedAndNoLongerGenerated,
                }),
                Err(error) => return Err(error),
            }
        }
        if conflicts.is_empty() { Ok(plan) } else { Err(WriteError::Changed(conflicts)) }
    }

    fn is_empty(&self) -> bool {
        self.replace.is_empty() && self.remove.is_empty()
    }

    fn carry_out(
        &self,
        directory: &Utf8Path,
        files: &FileSet,
        rename: &mut Rename<'_>,
    ) -> Result<(), WriteError> {
        let mut undo = Undo::default();
        match self.stage_and_move(directory, files, rename, &mut undo) {
            Ok(()) => {
                for path in &self.remove {
                    remove_empty_parents(directory, path);
                }
                Ok(())
            }
            Err((path, source)) => match undo.roll_back(rename) {
                Ok(()) => Err(WriteError::Disk { path, source }),
                Err(kept) => Err(WriteError::Stuck { path, source, kept }),
            },
        }
    }

    fn stage_and_move(
        &self,
        directory: &Utf8Path,
        files: &FileSet,
        rename: &mut Rename<'_>,
        undo: &mut Undo,
    ) -> Result<(), (Utf8PathBuf, io::Error)> {
        undo.create_directories(directory)?;
        // Inside the output directory, so that a rename never crosses file systems.
        let staging = tempfile::Builder::new()
            .prefix(".nexafi-gen-")
            .tempdir_in(directory)
            .map_err(|source| (directory.to_owned(), source))?;
        let root = Utf8PathBuf::from_path_buf(staging.path().to_owned())
            .map_err(|_| (directory.to_owned(), io::Error::other("its name is not UTF-8")))?;
        undo.staging = Some(staging);
        for (nth, path) in self.replace.iter().enumerate() {
            let staged = root.join(format!("new-{nth}"));
            let bytes = files.get(path).map(Vec::as_slice).unwrap_or_default();
            std::fs::write(&staged, bytes).map_err(|source| (directory.join(path), source))?;
        }
        for (nth, path) in self.remove.iter().enumerate() {
            let target = directory.join(path);
            undo.take_away(rename, target, root.join(format!("removed-{nth}")))?;
        }
        // The lock's name sorts among the others; it goes last, so that a crash leaves the old one in force.
        let (lock, others): (Vec<_>, Vec<_>) =
            self.replace.iter().enumerate().partition(|(_, path)| *path == FILE_NAME);
        for (nth, path) in others.into_iter().chain(lock) {
            let target = directory.join(path);
            if let Some(parent) = target.parent() {
                undo.create_directories(parent)?;
            }
            if target.symlink_metadata().is_ok() {
                undo.take_away(rename, target.clone(), root.join(format!("old-{nth}")))?;
            }
            let staged = root.join(format!("new-{nth}"));
            rename(&staged, &target).map_err(|source| (target.clone(), source))?;
            undo.placed(target, staged);
        }
        Ok(())
    }
}

/// What was done so far, newest last.
#[derive(Default)]
struct Undo {
    steps: Vec<Step>,
    staging: Option<tempfile::TempDir>,
}

enum Step {
    Created(Utf8PathBuf),
    Moved { from: Utf8PathBuf, to: Utf8PathBuf },
}

impl Undo {
    fn create_directories(&mut self, directory: &Utf8Path) -> Result<(), (Utf8PathBuf, io::Error)> {
        let missing: Vec<&Utf8Path> = directory
            .ancestors()
            .take_while(|ancestor| !ancestor.as_str().is_empty() && !ancestor.is_dir())
            .collect();
        for ancestor in missing.into_iter().rev() {
            std::fs::create_dir(ancestor).map_err(|source| (ancestor.to_owned(), source))?;
            self.steps.push(Step::Created(ancestor.to_owned()));
        }
        Ok(())
    }

    fn take_away(
        &mut self,
        rename: &mut Rename<'_>,
        from: Utf8PathBuf,
        to: Utf8PathBuf,
    ) -> Result<(), (Utf8PathBuf, io::Error)> {
        rename(&from, &to).map_err(|source| (from.clone(), source))?;
        self.steps.push(Step::Moved { from, to });
        Ok(())
    }

    fn placed(&mut self, target: Utf8PathBuf, staged: Utf8PathBuf) {
        self.steps.push(Step::Moved { from: staged, to: target });
    }

    /// Puts everything back. If even that fails the staging directory is kept and named.
    fn roll_back(mut self, rename: &mut Rename<'_>) -> Result<(), Utf8PathBuf> {
        let mut complete = true;
        let mut created = Vec::new();
        for step in self.steps.into_iter().rev() {
            match step {
                Step::Moved { from, to } => complete &= rename(&to, &from).is_ok(),
                Step::Created(directory) => created.push(directory),
            }
        }
        match self.staging.take() {
            Some(staging) if !complete => {
                let kept = staging.keep();
                return Err(Utf8PathBuf::from(kept.to_string_lossy().into_owned()));
            }
            staging => drop(staging),
        }
        for directory in created {
            // Not empty means somebody else put something there meanwhile: leave it.
            let _ = std::fs::remove_dir(directory);
        }
        Ok(())
    }
}

/// What is at a path of the output directory.
enum Standing {
    Nothing,
    File(Vec<u8>),
    Link,
}

fn standing(directory: &Utf8Path, path: &Utf8Path) -> Result<Standing, WriteError> {
    if !stays_inside(path) {
        return Err(WriteError::BadPath(path.to_owned()));
    }
    let mut at = directory.to_owned();
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next() {
        at.push(part);
        let last = parts.peek().is_none();
        let metadata = match at.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Nothing),
            Err(source) => return Err(disk(&at, source)),
        };
        if metadata.is_symlink() {
            check_link(&at, directory)?;
            if last {
                return Ok(Standing::Link);
            }
        }
        if last && metadata.is_dir() {
            return Err(WriteError::InTheWay { path: at, found: "a directory", needed: "a file" });
        }
        if !last && !at.is_dir() {
            return Err(WriteError::InTheWay { path: at, found: "a file", needed: "a directory" });
        }
    }
    std::fs::read(&at).map(Standing::File).map_err(|source| disk(&at, source))
}

/// The output directory is a directory or does not exist yet, and no link below `boundary` leads out of it.
fn check_directory(directory: &Utf8Path, boundary: &Utf8Path) -> Result<(), WriteError> {
    let below = directory.strip_prefix(boundary).unwrap_or(Utf8Path::new(""));
    let mut at = boundary.to_owned();
    for part in below.components() {
        at.push(part);
        match at.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() => check_link(&at, boundary)?,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => break,
            Err(source) => return Err(disk(&at, source)),
        }
    }
    match directory.ancestors().find(|ancestor| ancestor.symlink_metadata().is_ok()) {
        Some(standing) if !standing.is_dir() => {
            Err(WriteError::InTheWay { path: standing.to_owned(), found: "a file", needed: "a directory" })
        }
        _ => Ok(()),
    }
}

/// A link's target lies inside `directory`; a dangling link leads nowhere anybody could vouch for.
fn check_link(link: &Utf8Path, directory: &Utf8Path) -> Result<(), WriteError> {
    let inside = link
        .canonicalize_utf8()
        .ok()
        .zip(directory.canonicalize_utf8().ok())
        .is_some_and(|(target, directory)| target.starts_with(directory));
    if inside {
        return Ok(());
    }
    let target =
        link.read_link_utf8().map_or_else(|_| "an unknown place".to_owned(), Utf8PathBuf::into_string);
    Err(WriteError::LeavesDirectory { path: link.to_owned(), target, directory: directory.to_owned() })
}

fn is_script(path: &Utf8Path) -> bool {
    path.extension() == Some("sh")
}

#[cfg(unix)]
fn make_executable(path: &Utf8Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let permissions = std::fs::metadata(path)?.permissions();
    if permissions.mode() & 0o777 == 0o755 {
        return Ok(());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Utf8Path) -> io::Result<()> {
    Ok(())
}

/// Directories that only held removed files; `remove_dir` refuses one that is not empty.
fn remove_empty_parents(directory: &Utf8Path, path: &Utf8Path) {
    let parents: BTreeSet<&Utf8Path> =
        path.ancestors().skip(1).filter(|parent| !parent.as_str().is_empty()).collect();
    for parent in parents.into_iter().rev() {
        if std::fs::remove_dir(directory.join(parent)).is_err() {
            return;
        }
    }
}

fn disk(path: &Utf8Path, source: io::Error) -> WriteError {
    WriteError::Disk { path: path.to_owned(), source }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop")]
mod tests;
