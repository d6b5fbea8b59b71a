//! `nexafi-gen fix`.

use std::collections::BTreeMap;
use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use crate::policy::mend::{Left, Mended, Setting, Why, mend};
use crate::report::{is_open, visible};
use crate::source::edit::locate;
use crate::source::{FileId, Finding, SourceFile, Span, Verdict};

use super::args::{Checks, Fix};
use super::assess::assess;
use super::error::disk_help;
use super::inputs::Inputs;
use super::judge::Judge;
use super::{Error, ExitCode, Output, Surroundings};

pub(super) fn run(
    args: &Fix,
    surroundings: &Surroundings,
    output: &mut Output<'_>,
) -> Result<ExitCode, Error> {
    let mut inputs = Inputs::gather(&args.blueprints, surroundings);
    let checks = Checks { at: args.at, chosen: args.chosen.clone(), ..Checks::default() };
    let (judge, faults) = Judge::new(&checks, surroundings, &mut inputs.sources)?;
    for warning in &inputs.warnings {
        output.warn(warning);
    }
    let blueprints = std::mem::take(&mut inputs.blueprints);
    for error in &inputs.unusable {
        output.error(error);
    }
    let unusable = !inputs.unusable.is_empty();
    if blueprints.is_empty() {
        if !unusable {
            output.error(&no_blueprint(&args.blueprints));
        }
        return Ok(ExitCode::Unusable);
    }
    let mut run =
        Run { args, surroundings, judge, workbench: Inputs { sources: inputs.sources, ..Inputs::default() } };
    let mut fails = run.fails(&faults);
    // A policy that cannot be used is not applied, so nothing it would have said was said.
    let mut incomplete = !faults.is_empty();
    for fault in &faults {
        run.say(&Line { what: "left", finding: fault, span: fault.span, rest: "" }, output)?;
    }
    for id in blueprints {
        let (fails_here, incomplete_here) = run.blueprint(id, output)?;
        fails |= fails_here;
        incomplete |= incomplete_here;
    }
    run.judge.remark(output);
    Ok(match (unusable, fails, incomplete) {
        (true, _, _) => ExitCode::Unusable,
        (_, true, _) => ExitCode::Findings,
        (_, _, true) => ExitCode::Unusable,
        _ => ExitCode::Clean,
    })
}

fn no_blueprint(paths: &[Utf8PathBuf]) -> Error {
    let path = paths.first().cloned().unwrap_or_default();
    Error::Input {
        path,
        message: "there is no blueprint (apiVersion: nexafi-gen/v1)".to_owned(),
        help: "only blueprints are mended: generated files follow from theirs, other files are mended by hand as `lint` \
               says"
            .to_owned(),
    }
}

struct Run<'a> {
    args: &'a Fix,
    surroundings: &'a Surroundings,
    judge: Judge,
    /// Where each text that is tried is judged, alone.
    workbench: Inputs,
}

/// What is said of one finding.
struct Line<'a> {
    what: &'a str,
    finding: &'a Finding,
    span: Span,
    rest: &'a str,
}

impl Run<'_> {
    /// Mends one blueprint. Whether it then has findings that fail the run, and whether it could not be resolved.
    fn blueprint(&mut self, id: FileId, output: &mut Output<'_>) -> Result<(bool, bool), Error> {
        let Some(file) = self.workbench.sources.get(id) else {
            return Err(Error::Internal("the blueprint's file is lost".to_owned()));
        };
        let (path, text) = (file.path().to_owned(), file.text().to_owned());
        let mut incomplete = false;
        let mut first = None;
        let mut mended = mend(&text, self.args.allow_unsafe, &mut |text| {
            let open = self.open(&path, text, &mut incomplete);
            first.get_or_insert_with(|| open.clone());
            open
        });
        mended.fixed.sort_by_key(|fixed| fixed.finding.span.start);
        // The last text that was tried need not be the one that stays.
        self.open(&path, &mended.text, &mut incomplete);
        let shown = if self.args.diff { id } else { self.add(&path, &mended.text) };
        let changed = mended.text != text;
        if changed && self.args.diff {
            output.print(&diff(&path, &text, &mended.text))?;
        } else if changed {
            replace(&path, &text, &mended.text, self.surroundings)?;
        }
        self.tell(&mended, shown, output)?;
        output.remark(&summary(&path, &mended, self.args));
        // What is on disk now decides, as it would for `lint`.
        let standing: Vec<Finding> = match first {
            Some(first) if self.args.diff => first,
            _ => mended.left.into_iter().map(|left| left.finding).collect(),
        };
        Ok((self.fails(&standing), incomplete))
    }

    fn add(&mut self, path: &Utf8Path, text: &str) -> FileId {
        self.workbench.sources.add(SourceFile::new(path, text.to_owned()))
    }

    /// What is wrong with a text.
    fn open(&mut self, path: &Utf8Path, text: &str, incomplete: &mut bool) -> Vec<Finding> {
        self.workbench.blueprints = vec![self.add(path, text)];
        let assessment = assess(&mut self.workbench, &BTreeMap::new(), &self.judge, self.surroundings);
        *incomplete = assessment.incomplete;
        assessment.verdicts.into_iter().filter(is_open).collect()
    }

    fn fails(&self, standing: &[Finding]) -> bool {
        let fails = |finding: &Finding| {
            finding.verdict == Verdict::Fail
                && self.args.fail_on.threshold().is_some_and(|threshold| finding.severity >= threshold)
        };
        standing.iter().any(fails)
    }

    fn tell(&self, mended: &Mended, shown: FileId, output: &mut Output<'_>) -> Result<(), Error> {
        let text = self.workbench.sources.get(shown).map(SourceFile::text).unwrap_or_default();
        for fixed in &mended.fixed {
            // A value that is not in the old text has no place there; the finding has.
            let written = fixed.by.first().filter(|_| !self.args.diff);
            let place = written.and_then(|(path, _)| locate(text, path));
            let span = place.map_or(fixed.finding.span, |place| Span::new(shown, place.start, place.end));
            let what = if self.args.diff { "would be fixed" } else { "fixed" };
            let verb = if self.args.diff { "write" } else { "wrote" };
            let rest = format!("{verb} {}", settings(&fixed.by));
            self.say(&Line { what, finding: &fixed.finding, span, rest: &rest }, output)?;
        }
        for left in &mended.left {
            let mut span = left.finding.span;
            if self.args.diff && mended.text != text {
                span = old_place(text, &left.finding)
                    .map_or(span, |place| Span::new(shown, place.start, place.end));
            }
            self.say(&Line { what: "left", finding: &left.finding, span, rest: &reason(left) }, output)?;
        }
        Ok(())
    }

    /// `path:line:column: fixed high NXF-NET-001 message; what was written`, on one line. Beside a difference, which
    /// programs read, it goes to standard error.
    fn say(&self, line: &Line<'_>, output: &mut Output<'_>) -> Result<(), Error> {
        let Line { what, finding, span, rest } = line;
        let file = self.workbench.sources.get(span.file);
        let at = file.map(|file| file.line_column(span.start as usize));
        let path = file.map(|file| file.path().as_str().replace('\\', "/")).unwrap_or_default();
        let place = at.map_or_else(|| path.clone(), |at| format!("{path}:{}:{}", at.line, at.column));
        let (severity, code) = (finding.severity.as_str(), &finding.code);
        let mut text = format!("{place}: {what}: {severity} {code} {}", finding.message);
        if !rest.is_empty() {
            text.push_str("; ");
            text.push_str(rest);
        }
        let text = visible(&text).split_whitespace().collect::<Vec<_>>().join(" ");
        if self.args.diff {
            output.remark(&text);
            return Ok(());
        }
        output.print(&format!("{text}\n"))
    }
}

/// Where a finding of the new text stands in the old one: at what the path leads to, or the nearest thing around it.
fn old_place(text: &str, finding: &Finding) -> Option<std::ops::Range<usize>> {
    let path = finding.pointer.split('.').map(str::to_owned).collect::<Vec<_>>();
    (1..=path.len()).rev().find_map(|length| locate(text, path.get(..length)?))
}

fn settings(by: &[Setting]) -> String {
    let said = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let one = |(path, value): &Setting| format!("`{}: {}`", path.join("."), said(value));
    by.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Why a finding was left, and what would help.
fn reason(left: &Left) -> String {
    let help = &left.finding.help;
    let by_hand = if help.is_empty() { String::new() } else { format!(": {help}") };
    match &left.why {
        Why::NoFix => format!("to be mended by hand{by_hand}"),
        Why::Unsafe(because) => format!("needs --unsafe: {because}"),
        Why::Refused(refusal) => format!("not changed: {refusal}"),
        Why::Stays => format!("what its policy would write is there and does not mend it{by_hand}"),
        Why::Brings(codes) => format!("taken back, for it would break {}{by_hand}", codes.join(", ")),
    }
}

fn summary(path: &Utf8Path, mended: &Mended, args: &Fix) -> String {
    let would = if args.diff { "would be " } else { "" };
    let decided = mended.left.iter().filter(|left| matches!(left.why, Why::Unsafe(_))).count();
    let unsafe_ =
        if decided == 0 { String::new() } else { format!(", {decided} of them for want of --unsafe") };
    match (mended.fixed.len(), mended.left.len()) {
        (0, 0) => format!("{path}: nothing to fix"),
        (fixed, left) => format!("{path}: {fixed} {would}fixed, {left} left{unsafe_}"),
    }
}

/// What `patch -p0` and people read.
fn diff(path: &Utf8Path, old: &str, new: &str) -> String {
    let lines = similar::TextDiff::from_lines(old, new);
    lines.unified_diff().context_radius(3).header(path.as_str(), path.as_str()).to_string()
}

/// Puts the new text in the file's place in one step, with the byte order mark and the permissions of the old one. A link
/// stays a link.
fn replace(path: &Utf8Path, old: &str, new: &str, surroundings: &Surroundings) -> Result<(), Error> {
    let failed = |source: std::io::Error| Error::File { path: path.to_owned(), source };
    let refused = |message: &str, help: &str| Error::Input {
        path: path.to_owned(),
        message: message.to_owned(),
        help: help.to_owned(),
    };
    let target = surroundings.on_disk(path).canonicalize_utf8().map_err(failed)?;
    let bytes = std::fs::read(&target).map_err(failed)?;
    let mark = "\u{feff}".as_bytes();
    let (mark, rest) = match bytes.strip_prefix(mark) {
        Some(rest) => (mark, rest),
        None => (&[][..], bytes.as_slice()),
    };
    if rest != old.as_bytes() {
        return Err(refused("it changed while it was being mended", "nothing was written; run it again"));
    }
    let permissions = std::fs::metadata(&target).map_err(failed)?.permissions();
    if permissions.readonly() {
        return Err(refused("it is read-only", "nothing was written; --diff shows what would be"));
    }
    let directory = target.parent().unwrap_or(&target);
    let unwritable = |source: std::io::Error| Error::Input {
        path: path.to_owned(),
        message: format!("no file can be written beside it: {source}"),
        help: disk_help(&source),
    };
    let mut staged =
        tempfile::Builder::new().prefix(".nexafi-gen-fix-").tempfile_in(directory).map_err(unwritable)?;
    staged
        .write_all(mark)
        .and_then(|()| staged.write_all(new.as_bytes()))
        .and_then(|()| staged.as_file().set_permissions(permissions))
        .and_then(|()| staged.as_file().sync_all())
        .map_err(failed)?;
    staged.persist(&target).map_err(|error| failed(error.error))?;
    Ok(())
}
