//! `nexafi-gen init`.

use std::io::{self, Write as _};

use camino::Utf8PathBuf;

use super::args::Init;
use super::{Error, ExitCode, Output, Surroundings};

/// The starter blueprint. A test holds that it has no finding.
pub(super) const STARTER: &str = include_str!("starter.yaml");

pub(super) fn run(
    args: &Init,
    surroundings: &Surroundings,
    output: &mut Output<'_>,
) -> Result<ExitCode, Error> {
    let on_disk = surroundings.on_disk(&args.path);
    let path = if on_disk.is_dir() { args.path.join("blueprint.yaml") } else { args.path.clone() };
    let on_disk = surroundings.on_disk(&path);
    let failed = |path: &Utf8PathBuf| {
        let path = path.clone();
        move |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => Error::Input {
                path,
                message: "it exists already, and is left as it is".to_owned(),
                help: "name another file, or remove this one first".to_owned(),
            },
            _ => Error::File { path, source },
        }
    };
    if let Some(parent) = on_disk.parent() {
        std::fs::create_dir_all(parent).map_err(failed(&path))?;
    }
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).open(&on_disk).map_err(failed(&path))?;
    file.write_all(STARTER.as_bytes()).map_err(failed(&path))?;
    output.remark(&format!("{path} is written; now: nexafi-gen lint {path}, then nexafi-gen render {path}"));
    Ok(ExitCode::Clean)
}
