//! Where reports go: standard output, and any number of files.

use std::ffi::OsStr;

use camino::{Utf8Path, Utf8PathBuf};
use clap::builder::{EnumValueParser, TypedValueParser};
use clap::error::ErrorKind;

use crate::report::{Format, Report};
use crate::source::{Verdict, normalise};

use super::args::Checks;
use super::file;
use super::{Error, Output, Surroundings};

/// A report that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) format: Format,
    /// As typed; `None` is standard output.
    pub(super) path: Option<Utf8PathBuf>,
}

/// Reads `FORMAT=FILE`.
#[derive(Debug, Clone, Copy)]
pub(super) struct TargetParser;

impl TypedValueParser for TargetParser {
    type Value = Target;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Target, clap::Error> {
        let fault = |message: &str| {
            let message = format!(
                "invalid value '{}' for '--report <FORMAT=FILE>': {message}\n",
                value.to_string_lossy()
            );
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        };
        let text = value.to_str().ok_or_else(|| fault("it is not UTF-8"))?;
        let (format, path) = text.split_once('=').unwrap_or((text, ""));
        // An unknown format is what it says first: clap names the ones there are, and the closest.
        let format = EnumValueParser::<Format>::new().parse_ref(command, argument, OsStr::new(format))?;
        match path {
            "" => Err(fault("say where it goes, as in `sarif=out.sarif`; `-` is standard output")),
            "-" => Ok(Target { format, path: None }),
            path => Ok(Target { format, path: Some(path.into()) }),
        }
    }
}

/// Every report of a run, in the order they are written: that on standard output first.
#[derive(Debug)]
pub(super) struct Targets(Vec<Target>);

impl Targets {
    /// What the arguments ask for. Said before anything is judged, so that nobody waits for a report that has nowhere to
    /// go: two reports in one place, a report over an input, a directory that is not there.
    pub(super) fn of<'p>(
        checks: &Checks,
        inputs: impl IntoIterator<Item = &'p Utf8PathBuf>,
        surroundings: &Surroundings,
    ) -> Result<Self, Error> {
        let mut targets = checks.report.clone();
        // `--format` and `--output` are a report too, and without them there is one on standard output, unless
        // another has taken that.
        let taken = targets.iter().any(|target| target.path.is_none());
        if checks.format.is_some() || checks.output.is_some() || !taken {
            let path = checks.output.clone();
            targets.push(Target { format: checks.format.unwrap_or_default(), path });
        }
        targets.sort_by_key(|target| target.path.is_some());
        let mut places: Vec<Option<Utf8PathBuf>> = Vec::new();
        for target in &targets {
            let place = target.path.as_deref().map(|path| real(path, surroundings)).transpose()?;
            if places.contains(&place) {
                let path = target.path.as_ref().map_or("standard output", |path| path.as_str());
                return Err(Error::Usage {
                    message: format!("two reports cannot both be written to {path}"),
                    help: "give each a file of its own".to_owned(),
                });
            }
            places.push(place);
        }
        for input in inputs {
            let real = normalise(&surroundings.on_disk(input));
            if places.iter().flatten().any(|place| *place == real || same(place, &real)) {
                return Err(Error::Usage {
                    message: format!("a report to {input} would overwrite what is checked"),
                    help: "choose another file".to_owned(),
                });
            }
        }
        Ok(Self(targets))
    }

    /// The format of what goes to standard output.
    pub(super) fn on_standard_output(&self) -> Option<Format> {
        self.0.iter().find(|target| target.path.is_none()).map(|target| target.format)
    }

    /// Whether any report is of a format for which this holds.
    pub(super) fn any(&self, holds: impl Fn(Format) -> bool) -> bool {
        self.0.iter().any(|target| holds(target.format))
    }

    /// Writes the reports of the formats for which `wanted` holds.
    pub(super) fn publish(
        &self,
        report: &Report<'_>,
        wanted: impl Fn(Format) -> bool,
        surroundings: &Surroundings,
        output: &mut Output<'_>,
    ) -> Result<(), Error> {
        for target in self.0.iter().filter(|target| wanted(target.format)) {
            let mut style = output.style;
            match &target.path {
                None => {
                    let silent = report.listed().all(|finding| finding.verdict == Verdict::Waived);
                    let quiet = output.quiet && silent && !report.all && report.drift.is_none();
                    if !quiet || target.format.is_document() {
                        output.print_with(|out| report.write(target.format, style, out))?;
                    }
                }
                Some(path) => {
                    (style.colour, style.links) = (false, false);
                    file::write(&surroundings.on_disk(path), |out| report.write(target.format, style, out))
                        .map_err(|source| Error::File { path: path.clone(), source })?;
                }
            }
        }
        Ok(())
    }
}

/// Where a file to write lies on disk, links in its directory resolved.
fn real(path: &Utf8Path, surroundings: &Surroundings) -> Result<Utf8PathBuf, Error> {
    let on_disk = normalise(&surroundings.on_disk(path));
    let (Some(directory), Some(name)) = (on_disk.parent(), on_disk.file_name()) else {
        return Err(is_directory(path));
    };
    if on_disk.is_dir() {
        return Err(is_directory(path));
    }
    if !directory.is_dir() {
        let typed = path.parent().unwrap_or(path);
        return Err(Error::Usage {
            message: format!("cannot write {path}: there is no directory {typed}"),
            help: format!("make it first: mkdir -p '{typed}'"),
        });
    }
    Ok(directory.canonicalize_utf8().map_or_else(|_| on_disk.clone(), |directory| directory.join(name)))
}

fn is_directory(path: &Utf8Path) -> Error {
    Error::Usage {
        message: format!("cannot write {path}: it is a directory"),
        help: "name a file in it".to_owned(),
    }
}

/// Whether two paths lead to one file that is there.
fn same(left: &Utf8Path, right: &Utf8Path) -> bool {
    matches!((left.canonicalize_utf8(), right.canonicalize_utf8()), (Ok(left), Ok(right)) if left == right)
}
