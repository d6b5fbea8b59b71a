//! `nexafi-gen render`.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::blueprint::{self, Platform};
use crate::render::drift::{self, Comparison, State};
use crate::render::lock::{FILE_NAME, Lock};
use crate::render::write::{Written, write};
use crate::render::{self, FileSet, Overrides};
use crate::report::{Drift, DriftState, Format, Input, InputKind, Report, is_open};
use crate::source::{FileId, Finding, SourceFile, Sources, SubjectKind, Verdict};

use super::args::Render;
use super::assess::{Assessment, Behind, Group, judge_group};
use super::baseline::{self, Seen};
use super::inputs::template_files;
use super::judge::Judge;
use super::lint::{pages, verdict};
use super::origin::{Origin, Trees};
use super::paths::{normalise, relative};
use super::publish::Targets;
use super::reading::read_file;
use super::{Error, ExitCode, Output, Surroundings};

pub(super) fn run(
    args: &Render,
    surroundings: &Surroundings,
    output: &mut Output<'_>,
) -> Result<ExitCode, Error> {
    let targets = Targets::of(&args.checks, [&args.blueprint], surroundings)?;
    let earlier = match &args.checks.baseline {
        Some(path) => Some((path, baseline::read(path, surroundings)?)),
        None => None,
    };
    let mut sources = Sources::default();
    let blueprint = sources.add(read_file(&args.blueprint, surroundings)?);
    let (judge, faults) = Judge::new(&args.checks, surroundings, &mut sources)?;
    let mut assessment =
        Assessment { incomplete: !faults.is_empty(), verdicts: faults, ..Assessment::default() };
    let Some(file) = sources.get(blueprint) else {
        return Err(Error::Internal("the blueprint's file is lost".to_owned()));
    };
    let loaded = blueprint::load(blueprint, file);
    assessment.incomplete |= loaded.platform.is_none();
    assessment.verdicts.extend(loaded.findings);
    let rendered = match &loaded.platform {
        Some(platform) => Some(render_platform(platform, file.text(), args, surroundings)?),
        None => None,
    };

    let files = rendered.iter().flat_map(|rendered| &rendered.files);
    let files = files.map(|(path, bytes)| (rendered_path(rendered.as_ref(), path), bytes.as_slice()));
    let origin = Origin::new(blueprint, Trees { view: loaded.view, tree: loaded.tree });
    judge_rendered(&origin, files, &mut sources, &judge, &mut assessment);

    let path = args.blueprint.as_str().replace('\\', "/");
    let inputs = vec![Input { path, kind: InputKind::Blueprint }];
    let seen = Seen::of(&assessment);
    let mut report = Report::new(&sources, &surroundings.directory, inputs, assessment.verdicts);
    report.all = args.checks.all;
    report.strict = args.checks.strict;
    report.passes = assessment.passes;
    report.controls = judge.controls(&args.checks, &report);
    report.pages = pages();
    if targets.any(|format| format == Format::Sarif) {
        report.policies = judge.applied().collect();
    }
    if let Some((path, baseline)) = &earlier {
        baseline::compare(&mut report, baseline, &sources, &judge, &seen, surroundings).remark(path, output);
    }
    let exit = verdict(&report, &args.checks, seen.incomplete);
    let comparison = match &rendered {
        Some(rendered) if args.check => {
            let comparison = drift::compare(&rendered.on_disk, &rendered.with_lock())?;
            report.drift = Some(drift_rows(&comparison, &rendered.directory));
            Some(comparison)
        }
        _ => None,
    };
    judge.remark(output);
    // Programs get everything; people are spared what follows from what they are shown.
    targets.publish(&report, |format| !format.is_for_people(), surroundings, output)?;
    let folded = if targets.any(Format::is_for_people) { fold(&mut report, blueprint) } else { 0 };
    targets.publish(&report, Format::is_for_people, surroundings, output)?;
    if folded > 0 {
        output.remark(&format!(
            "{folded} more in the rendered files {} from these lines of the blueprint",
            if folded == 1 { "follows" } else { "follow" }
        ));
    }
    match (rendered, comparison) {
        (Some(rendered), Some(comparison)) => {
            Ok(check(args, &rendered, &comparison, exit, targets.on_standard_output(), output)?)
        }
        (Some(rendered), None) if exit == ExitCode::Clean => {
            let written = write(
                &rendered.on_disk,
                &boundary(&rendered.directory, surroundings),
                &rendered.files,
                &rendered.lock,
                args.force,
            )
            .map_err(|source| Error::Write { source, directory: rendered.directory.clone() })?;
            output.remark(&summary(&rendered.directory, &written));
            Ok(ExitCode::Clean)
        }
        (rendered, _) => {
            output.remark(match (&rendered, exit) {
                (Some(_), ExitCode::Findings) => {
                    "nothing was written: mend these findings first, or raise --fail-on"
                }
                (Some(_), _) => "nothing was written: a policy file cannot be used",
                (None, _) => "nothing was written: the blueprint cannot be resolved",
            });
            Ok(exit)
        }
    }
}

/// A file set and where it belongs.
struct Rendered {
    files: FileSet,
    lock: Lock,
    /// As typed.
    directory: Utf8PathBuf,
    on_disk: Utf8PathBuf,
}

impl Rendered {
    fn with_lock(&self) -> FileSet {
        let mut files = self.files.clone();
        files.insert(FILE_NAME.into(), self.lock.to_bytes());
        files
    }
}

fn render_platform(
    platform: &Platform,
    text: &str,
    args: &Render,
    surroundings: &Surroundings,
) -> Result<Rendered, Error> {
    // The file's name only: rendering into another directory gives the same bytes.
    let name = args.blueprint.file_name().unwrap_or_default();
    let templates = args.templates.as_deref();
    let overrides = overrides(templates, surroundings)?;
    let files =
        render::render(platform, name, &overrides).map_err(|error| template_error(templates, &error))?;
    let directory =
        args.out.clone().unwrap_or_else(|| Utf8Path::new("generated").join(platform.blueprint.name.as_str()));
    let on_disk = normalise(&surroundings.on_disk(&directory));
    let blueprint = relative(&surroundings.on_disk(&args.blueprint), &on_disk);
    let lock = Lock::new(&files, &blueprint, text);
    Ok(Rendered { files, lock, directory, on_disk })
}

/// The templates of the user's own.
pub(super) fn overrides(
    templates: Option<&Utf8Path>,
    surroundings: &Surroundings,
) -> Result<Overrides, Error> {
    templates.map_or_else(|| Ok(Overrides::new()), |directory| template_files(directory, surroundings))
}

/// Judges files in memory together with the blueprint they were rendered from, and ends the judging.
pub(super) fn judge_rendered<'f>(
    origin: &Origin,
    files: impl Iterator<Item = (Utf8PathBuf, &'f [u8])>,
    sources: &mut Sources,
    judge: &Judge,
    assessment: &mut Assessment,
) {
    let mut group = Group::default();
    for (path, bytes) in files {
        add(sources, &mut group, &path, bytes);
    }
    judge_group(&group, &BTreeMap::new(), Some(Behind { origin, judged: true }), sources, judge, assessment);
    assessment.finish(judge);
}

/// A fault of a template is ours, unless the user's own templates took part.
pub(super) fn template_error(templates: Option<&Utf8Path>, error: &render::RenderError) -> Error {
    match templates {
        Some(directory) => Error::Input {
            path: directory.join(&error.template),
            message: error.to_string(),
            help: "templates are written in Jinja; what they may print, and how, says docs/templates.md"
                .to_owned(),
        },
        None => Error::Internal(error.to_string()),
    }
}

/// The directory that the output directory must not leave through a link: the working directory where the output
/// lies below it, else the directory the output lies in.
fn boundary(directory: &Utf8Path, surroundings: &Surroundings) -> Utf8PathBuf {
    let on_disk = normalise(&surroundings.on_disk(directory));
    if directory.is_relative() && on_disk.starts_with(&surroundings.directory) {
        return surroundings.directory.clone();
    }
    on_disk.parent().map_or_else(|| on_disk.clone(), Utf8Path::to_owned)
}

fn rendered_path(rendered: Option<&Rendered>, path: &Utf8Path) -> Utf8PathBuf {
    rendered.map_or_else(|| path.to_owned(), |rendered| rendered.directory.join(path))
}

/// Adds a rendered file to what is judged, as if it had been read from disk.
fn add(sources: &mut Sources, group: &mut Group, path: &Utf8Path, bytes: &[u8]) {
    let extension = path.extension();
    if !matches!(extension, Some("tf" | "yaml" | "yml")) {
        return;
    }
    let id = sources.add(SourceFile::new(path, String::from_utf8_lossy(bytes).into_owned()));
    if extension == Some("tf") {
        let directory = path.parent().map(Utf8Path::to_owned).unwrap_or_default();
        group.modules.entry(directory).or_default().push(id);
    } else {
        group.manifests.push(id);
    }
}

/// Leaves out findings in rendered files whose policy has one as bad on the blueprint: they are mended there, or waived
/// there. Returns how many open ones were left out.
fn fold(report: &mut Report<'_>, blueprint: FileId) -> usize {
    let rank = |finding: &Finding| match finding.verdict {
        _ if finding.baselined => 0,
        Verdict::Pass => 0,
        Verdict::Waived => 1,
        Verdict::Unproven => 2,
        Verdict::Fail => 3,
    };
    let mut worst: BTreeMap<String, u8> = BTreeMap::new();
    for finding in report.verdicts().iter().filter(|finding| finding.span.file == blueprint) {
        if finding.subject.as_ref().is_some_and(|subject| subject.kind == SubjectKind::Blueprint) {
            let worst = worst.entry(finding.code.clone()).or_insert(0);
            *worst = rank(finding).max(*worst);
        }
    }
    let mut folded = 0;
    report.retain(|finding| {
        let rank = rank(finding);
        let follows = finding.span.file != blueprint
            && rank > 0
            && worst.get(&finding.code).is_some_and(|worst| *worst >= rank);
        folded += usize::from(follows && is_open(finding));
        !follows
    });
    folded
}

fn drift_rows(comparison: &Comparison, directory: &Utf8Path) -> Vec<Drift> {
    comparison
        .drift
        .iter()
        .map(|drift| {
            let (state, line) = match &drift.state {
                State::Drifted { line, .. } => (DriftState::Drifted, Some(*line)),
                State::Missing => (DriftState::Missing, None),
                State::Orphaned => (DriftState::Orphaned, None),
            };
            Drift { path: directory.join(&drift.path).as_str().replace('\\', "/"), state, line }
        })
        .collect()
}

/// Says how `--check` ended. The report has named the files already.
fn check(
    args: &Render,
    rendered: &Rendered,
    comparison: &Comparison,
    exit: ExitCode,
    shown: Option<Format>,
    output: &mut Output<'_>,
) -> Result<ExitCode, Error> {
    for path in &comparison.foreign {
        output.detail(&format!("not ours: {}", rendered.directory.join(path)));
    }
    if args.diff {
        let files = rendered.with_lock();
        for drift in &comparison.drift {
            let (path, rendered) = (rendered.directory.join(&drift.path), files.get(&drift.path));
            let disk = match &drift.state {
                State::Drifted { disk, .. } => disk.as_slice(),
                State::Missing => &[],
                State::Orphaned => continue,
            };
            let text = drift::diff(&path, disk, rendered.map(Vec::as_slice).unwrap_or_default())
                .unwrap_or_else(|| format!("{path}: not text on disk\n"));
            // A report that is one document must stay one.
            if shown.is_some_and(Format::is_document) {
                output.err(&text);
            } else {
                output.print(&text)?;
            }
        }
    }
    let count = comparison.drift.len();
    if count == 0 {
        output.remark(&format!("{}: {} files as rendered", rendered.directory, rendered.files.len() + 1));
        return Ok(exit);
    }
    let command = if args.out.is_some() {
        format!("nexafi-gen render {} --out {}", args.blueprint, rendered.directory)
    } else {
        format!("nexafi-gen render {}", args.blueprint)
    };
    let files = if count == 1 { "1 file differs" } else { &format!("{count} files differ") };
    let diff = if args.diff { "" } else { "; --diff shows how" };
    output.remark(&format!(
        "{}: {files} from the blueprint{diff}. To bring them up to date: {command}",
        rendered.directory
    ));
    Ok(if exit == ExitCode::Clean { ExitCode::Findings } else { exit })
}

fn summary(directory: &Utf8Path, written: &Written) -> String {
    let mut parts = Vec::new();
    for (files, what) in
        [(&written.written, "written"), (&written.unchanged, "unchanged"), (&written.removed, "removed")]
    {
        match files.len() {
            0 => {}
            1 => parts.push(format!("1 file {what}")),
            count => parts.push(format!("{count} files {what}")),
        }
    }
    format!("{directory}: {}", parts.join(", "))
}
