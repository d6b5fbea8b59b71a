//! Puts a file on disk whole or not at all.

use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Write as _};

use camino::Utf8Path;
use tempfile::NamedTempFile;

/// A file that is going to take its place in a directory, with the permissions of the one that is there already, else
/// those the process gives to new files.
pub(super) fn staged(directory: &Utf8Path, there: Option<&Metadata>) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".nexafi-gen-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let new = || std::fs::Permissions::from_mode(0o666);
        builder.permissions(there.map_or_else(new, Metadata::permissions));
    }
    #[cfg(not(unix))]
    let _ = there;
    builder.tempfile_in(directory)
}

/// Writes a file whole or not at all: beside it first, then in its place. What is no ordinary file (a pipe, a device)
/// is written to as it is.
pub(super) fn write(
    path: &Utf8Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    // Through a link to what it leads to: the link stays one.
    let path = path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned());
    let there = std::fs::metadata(&path).ok();
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        let mut out = BufWriter::new(File::options().write(true).open(&path)?);
        return match write(&mut out).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done,
        };
    }
    let directory = path.parent().filter(|directory| !directory.as_str().is_empty());
    let mut file = staged(directory.unwrap_or(Utf8Path::new(".")), there.as_ref())?;
    let mut out = BufWriter::new(file.as_file_mut());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    file.persist(&path).map(drop).map_err(|error| error.error)
}
