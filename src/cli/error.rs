//! Why a command could not do what it was asked.

use std::io;

use camino::Utf8PathBuf;

use crate::render::drift::DriftError;
use crate::render::lock::LockError;
use crate::render::write::WriteError;

use super::ExitCode;

/// Why a command could not do what it was asked. Findings are not among these: they are what a command is for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Arguments that clap lets pass and that still make no sense.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to write instead.
        help: String,
    },
    /// An input that cannot be used at all.
    #[error("cannot use {path}: {message}")]
    Input {
        /// As typed.
        path: Utf8PathBuf,
        /// What is wrong.
        message: String,
        /// What to do; may be empty.
        help: String,
    },
    /// Files could not be put on disk. Nothing was changed.
    #[error("nothing was written: {source}")]
    Write {
        /// Why.
        source: WriteError,
        /// The output directory as typed.
        directory: Utf8PathBuf,
    },
    /// The disk could not be compared with the blueprint.
    #[error(transparent)]
    Drift(#[from] DriftError),
    /// A file could not be written.
    #[error("cannot write {path}: {source}")]
    File {
        /// As typed.
        path: Utf8PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// Standard output could not be written.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    /// Something that cannot happen happened.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Internal(_) | Self::Write { source: WriteError::BadPath(_), .. } => ExitCode::Fault,
            _ => ExitCode::Unusable,
        }
    }

    /// What to do about it.
    pub(super) fn help(&self) -> Option<String> {
        let help = match self {
            Self::Usage { help, .. } | Self::Input { help, .. } => help.clone(),
            Self::Write { source, directory } => write_help(source, directory),
            Self::Drift(DriftError::Lock(error)) => lock_help(error),
            Self::Drift(DriftError::Read { source, .. }) | Self::File { source, .. } => disk_help(source),
            Self::Internal(_) => {
                "this is a bug in nexafi-gen, not in your files; please report the command and the \
                                  blueprint that lead to it"
                    .to_owned()
            }
            Self::Output(_) => String::new(),
        };
        (!help.is_empty()).then_some(help)
    }
}

fn write_help(error: &WriteError, directory: &Utf8PathBuf) -> String {
    match error {
        WriteError::Lock(error) => lock_help(error),
        WriteError::Changed(conflicts) => {
            let mut lines: Vec<String> = conflicts
                .iter()
                .map(|conflict| format!("  {}: {}", directory.join(&conflict.path), conflict.reason.as_str()))
                .collect();
            lines.insert(
                0,
                "move the change into the blueprint, or give up these files with --force:".to_owned(),
            );
            lines.push("`render --check --diff` shows what would be lost".to_owned());
            lines.join("\n")
        }
        WriteError::LeavesDirectory { .. } => {
            "remove the link, or name the directory itself with --out".to_owned()
        }
        WriteError::InTheWay { .. } => "move it away, or choose another directory with --out".to_owned(),
        WriteError::Disk { source, .. } => disk_help(source),
        WriteError::Stuck { .. } => "move the files back by hand, then run the render again".to_owned(),
        WriteError::BadPath(_) => {
            "this is a bug in nexafi-gen, not in your files; please report it".to_owned()
        }
    }
}

fn lock_help(error: &LockError) -> String {
    match error {
        LockError::Read { source, .. } => disk_help(source),
        LockError::Damaged { .. } => {
            "restore the lock from version control; with --force the render writes a new one and takes every file \
             below it for its own"
                .to_owned()
        }
    }
}

pub(super) fn disk_help(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "check who owns it and who may write there",
        io::ErrorKind::ReadOnlyFilesystem => {
            "the file system is mounted read-only; choose another directory with --out"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space and run it again",
        _ => "",
    }
    .to_owned()
}
