//! `--format junit`: a test report, as the servers of continuous integration read it; its shape is that of Jenkins'
//! xUnit plugin (`junit-10.xsd`).
//!
//! A file is a test suite, a policy on a subject a test case. What fails is a failure, a fault of the input an error; what
//! is unproven, waived or known to a baseline is skipped, for the run does not fail by it. A file with nothing to
//! report is a suite with one case that passes: a report without any test is an error to most readers.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::source::{FileId, Finding, Verdict};

use super::Report;
use super::concise::drift_words;
use super::place::{anchored, one_line, visible};
use super::row::{Row, rows};

/// How a test case ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failure,
    Error,
    Skipped,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn add(&mut self, outcome: Outcome) {
        self.tests += 1;
        self.failures += usize::from(outcome == Outcome::Failure);
        self.errors += usize::from(outcome == Outcome::Error);
        self.skipped += usize::from(outcome == Outcome::Skipped);
    }
}

pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    // A suite says first how many cases it has, so they are counted before they are written.
    let mut suites: BTreeMap<FileId, Counts> = BTreeMap::new();
    for finding in report.listed() {
        suites.entry(finding.span.file).or_default().add(outcome(report, finding));
    }
    let named: BTreeSet<String> = suites.keys().map(|file| name(report, *file)).collect();
    let silent = report.inputs.iter().map(|input| anchored(&input.path, &report.root).into_string());
    let silent: BTreeSet<String> = silent.filter(|path| !named.contains(path)).collect();
    let drifts = report.drift.as_deref().unwrap_or_default();

    let mut all = Counts { tests: silent.len() + drifts.len(), failures: drifts.len(), ..Counts::default() };
    for counts in suites.values() {
        all.tests += counts.tests;
        all.failures += counts.failures;
        all.errors += counts.errors;
    }
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"nexafi-gen\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
        all.tests, all.failures, all.errors
    )?;
    let mut open: Option<FileId> = None;
    let mut names = Names::default();
    for (finding, row) in rows(report) {
        if open != Some(finding.span.file) {
            if open.is_some() {
                writeln!(out, "  </testsuite>")?;
            }
            open = Some(finding.span.file);
            names = Names::default();
            let counts = suites.get(&finding.span.file).copied().unwrap_or_default();
            suite(out, &name(report, finding.span.file), counts)?;
        }
        case(out, &row, outcome(report, finding), &name(report, finding.span.file), &mut names)?;
    }
    if open.is_some() {
        writeln!(out, "  </testsuite>")?;
    }
    for path in &silent {
        suite(out, path, Counts { tests: 1, ..Counts::default() })?;
        writeln!(out, "    <testcase name=\"no findings\" classname=\"{}\"/>", attribute(path))?;
        writeln!(out, "  </testsuite>")?;
    }
    if !drifts.is_empty() {
        suite(out, "drift", Counts { tests: drifts.len(), failures: drifts.len(), ..Counts::default() })?;
        for drift in drifts {
            let path = anchored(&drift.path, &report.root);
            writeln!(out, "    <testcase name=\"{}\" classname=\"drift\">", attribute(path.as_str()))?;
            writeln!(
                out,
                "      <failure type=\"{}\" message=\"{}\"/>",
                drift.state.as_str(),
                attribute(drift_words(drift.state))
            )?;
            writeln!(out, "    </testcase>")?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn outcome(report: &Report<'_>, finding: &Finding) -> Outcome {
    match finding.verdict {
        Verdict::Pass => Outcome::Passed,
        Verdict::Waived => Outcome::Skipped,
        _ if finding.baselined => Outcome::Skipped,
        Verdict::Unproven if !report.strict => Outcome::Skipped,
        // A file that cannot be read to its end was not tested.
        Verdict::Fail if finding.code.starts_with("NXF-CFG-") => Outcome::Error,
        Verdict::Fail | Verdict::Unproven => Outcome::Failure,
    }
}

/// The suite of a file.
fn name(report: &Report<'_>, file: FileId) -> String {
    report.sources.get(file).map_or_else(
        || "nexafi-gen".to_owned(),
        |file| anchored(file.path().as_str(), &report.root).into_string(),
    )
}

fn suite(out: &mut dyn io::Write, name: &str, counts: Counts) -> io::Result<()> {
    writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        attribute(name),
        counts.tests,
        counts.failures,
        counts.errors,
        counts.skipped
    )
}

/// The names of a suite: of two cases of one name some readers show the first only.
#[derive(Default)]
struct Names(BTreeMap<String, usize>);

impl Names {
    fn unique(&mut self, name: String) -> String {
        let times = self.0.entry(name.clone()).or_insert(0);
        *times += 1;
        if *times == 1 { name } else { format!("{name} ({times})") }
    }
}

fn case(
    out: &mut dyn io::Write,
    row: &Row,
    outcome: Outcome,
    class: &str,
    names: &mut Names,
) -> io::Result<()> {
    let subject = row.subject.as_ref().map_or(row.location.pointer.as_str(), |subject| &subject.address);
    let subject = if subject.is_empty() { String::new() } else { format!(" {subject}") };
    let name = names.unique(one_line(&format!("{}{subject}: {}", row.policy, row.title)));
    write!(out, "    <testcase name=\"{}\" classname=\"{}\"", attribute(&name), attribute(class))?;
    let (element, why) = match outcome {
        Outcome::Passed => return writeln!(out, "/>"),
        Outcome::Failure => ("failure", String::new()),
        Outcome::Error => ("error", String::new()),
        Outcome::Skipped => ("skipped", skipped(row)),
    };
    writeln!(out, ">")?;
    let at = &row.location;
    let place =
        if at.path.is_empty() { String::new() } else { format!("{class}:{}:{}: ", at.line, at.column) };
    let mut text = format!("{place}{} {}", row.severity.as_str(), row.message);
    if !row.help.is_empty() {
        text.push_str(&format!("\nhelp: {}", row.help));
    }
    for (framework, controls) in &row.controls {
        text.push_str(&format!("\n{framework}: {}", controls.join(", ")));
    }
    writeln!(
        out,
        "      <{element} type=\"{}\" message=\"{}\">{}</{element}>",
        row.severity.as_str(),
        attribute(&one_line(&format!("{why}{}", row.message))),
        content(&text)
    )?;
    writeln!(out, "    </testcase>")
}

fn skipped(row: &Row) -> String {
    match (&row.waiver, row.verdict) {
        (Some(by), _) => format!("waived until {} by {} ({}): ", by.expires, by.owner, by.ticket),
        (None, Verdict::Unproven) => "unproven: ".to_owned(),
        (None, _) => "known: ".to_owned(),
    }
}

/// Text between tags. XML 1.0 has no control characters at all, escaped ones neither; `visible` replaces them.
fn content(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\r' => escaped.push_str("&#13;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// An attribute's value, in double quotes; what a reader would make blanks of is written by its number.
fn attribute(text: &str) -> String {
    content(text).replace('"', "&quot;").replace('\n', "&#10;").replace('\t', "&#9;")
}
