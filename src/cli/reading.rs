//! Reads files, and says why one cannot be read.

use std::io::{self, Read as _};

use camino::Utf8Path;

use crate::source::SourceFile;

use super::error::disk_help;
use super::{Error, Surroundings};

/// No file larger than this is read: the largest real manifests have a few megabytes.
pub(super) const LARGEST_FILE: u64 = 16 * 1024 * 1024;
/// How much of a file is looked at to find out what it is, before it is read.
const GLANCE: u64 = 64 * 1024;

/// Why a file was not read.
pub(super) enum Unread {
    Empty(Error),
    /// `ours`: the part that can be read looks like a blueprint or a manifest.
    NotText {
        error: Error,
        ours: bool,
    },
    Other(Error),
}

impl From<Unread> for Error {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Empty(error) | Unread::NotText { error, .. } | Unread::Other(error) => error,
        }
    }
}

/// Reads a file of a module; `None` if nothing stands in it.
pub(super) fn read_module_file(
    path: &Utf8Path,
    surroundings: &Surroundings,
) -> Result<Option<SourceFile>, Error> {
    match read(path, surroundings) {
        Ok(file) => Ok(Some(file)),
        Err(Unread::Empty(_)) if path.extension() != Some("json") => Ok(None),
        Err(unread) => Err(unread.into()),
    }
}

/// Reads one file that has to be there.
pub(super) fn read_file(path: &Utf8Path, surroundings: &Surroundings) -> Result<SourceFile, Error> {
    read(path, surroundings).map_err(Error::from)
}

pub(super) fn read(path: &Utf8Path, surroundings: &Surroundings) -> Result<SourceFile, Unread> {
    let fault =
        |message: String, help: &str| Error::Input { path: path.to_owned(), message, help: help.to_owned() };
    let on_disk = surroundings.on_disk(path);
    let failed = |error: &io::Error| {
        Unread::Other(match error.kind() {
            io::ErrorKind::NotFound => missing(path),
            _ => fault(error.to_string(), &disk_help(error)),
        })
    };
    let metadata = std::fs::metadata(&on_disk).map_err(|error| failed(&error))?;
    if metadata.is_dir() {
        return Err(Unread::Other(fault(
            "it is a directory, and a file is needed here".to_owned(),
            "name the file inside it; `nexafi-gen lint` takes whole directories",
        )));
    }
    let Some(bytes) = bounded(&on_disk, metadata.len()).map_err(|error| failed(&error))? else {
        let size = metadata.len().max(LARGEST_FILE + 1).div_ceil(1024 * 1024);
        return Err(Unread::Other(fault(
            format!("it has {size} MiB, more than the {} MiB this tool reads", LARGEST_FILE / 1024 / 1024),
            "no blueprint, module file or manifest is that large; split it, or leave it out",
        )));
    };
    let text = String::from_utf8(bytes).map_err(|error| Unread::NotText {
        error: not_text(path, &error),
        ours: String::from_utf8_lossy(error.as_bytes()).contains("apiVersion"),
    })?;
    let file = SourceFile::new(path, text);
    if file.text().trim().is_empty() {
        return Err(Unread::Empty(fault(
            "it is empty".to_owned(),
            "`nexafi-gen init` writes a starter blueprint",
        )));
    }
    Ok(file)
}

/// The bytes of a file; `None` if there are more than [`LARGEST_FILE`]. With its `length`, if that is known, they are read at
/// once and not in growing steps.
pub(super) fn bounded(on_disk: &Utf8Path, length: u64) -> io::Result<Option<Vec<u8>>> {
    let expected = usize::try_from(length.min(LARGEST_FILE)).unwrap_or(0);
    // Room for one more byte shows the end without another step.
    let mut bytes = Vec::with_capacity(if expected == 0 { 0 } else { expected + 1 });
    // Never more than the limit, whatever the metadata says: a pipe has no size, and files grow.
    std::fs::File::open(on_disk)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= LARGEST_FILE).then_some(bytes))
}

pub(super) fn missing(path: &Utf8Path) -> Error {
    Error::Input {
        path: path.to_owned(),
        message: "no such file or directory".to_owned(),
        help: if path.is_relative() {
            "the path is taken from the working directory".to_owned()
        } else {
            String::new()
        },
    }
}

fn not_text(path: &Utf8Path, error: &std::string::FromUtf8Error) -> Error {
    let bytes = error.as_bytes();
    let at = error.utf8_error().valid_up_to();
    let line = 1 + bytes.iter().take(at).filter(|byte| **byte == b'\n').count();
    let help = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it begins like UTF-16; save it as UTF-8",
        _ => "save it as UTF-8",
    };
    let byte = bytes.get(at).copied().unwrap_or_default();
    Error::Input {
        path: path.to_owned(),
        message: format!("it is not UTF-8 text: byte 0x{byte:02x} in line {line}"),
        help: help.to_owned(),
    }
}

/// A file over the limit is an error if it concerns us; a data file that nobody named does not.
pub(super) fn is_large_and_foreign(path: &Utf8Path) -> bool {
    let large = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > LARGEST_FILE);
    large && glance(path).is_ok_and(|glance| !String::from_utf8_lossy(&glance).contains("apiVersion"))
}

/// The beginning of a file, by which one tells what it is.
pub(super) fn glance(path: &Utf8Path) -> io::Result<Vec<u8>> {
    let mut glance = Vec::new();
    std::fs::File::open(path)?.take(GLANCE).read_to_end(&mut glance)?;
    Ok(glance)
}
