//! `--format gitlab`: a Code Quality report, as GitLab's documentation has it ("Code Quality report format",
//! <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>).
//!
//! GitLab knows problems only: what passed, what is waived and what a baseline knows is left out.

use std::io;

use serde::Serialize;

use crate::source::{Severity, Verdict};

use super::concise::drift_words;
use super::json::{Each, pretty};
use super::place::{anchored, visible};
use super::row::{Row, drift_fingerprint, rows};
use super::{Report, is_open};

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Place,
}

#[derive(Serialize)]
struct Place {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

impl Place {
    fn new(report: &Report<'_>, path: &str, line: usize) -> Self {
        // A path and a line have to be there; what concerns no file concerns the directory.
        let path = if path.is_empty() { ".".to_owned() } else { anchored(path, &report.root).into_string() };
        Self { path, lines: Lines { begin: line.max(1) } }
    }
}

pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let issues = || {
        let open = rows(report).filter(|(finding, _)| is_open(finding));
        let drifts = report.drift.iter().flatten().map(|drift| Issue {
            description: drift_words(drift.state).to_owned(),
            check_name: "drift".to_owned(),
            fingerprint: drift_fingerprint(report, drift),
            severity: "major",
            location: Place::new(report, &drift.path, drift.line.unwrap_or(1)),
        });
        open.map(|(_, row)| issue(report, row)).chain(drifts)
    };
    pretty(&Each(issues), out)
}

fn issue(report: &Report<'_>, row: Row) -> Issue {
    let severity = match (row.verdict, row.severity) {
        (Verdict::Unproven, _) if !report.strict => "info",
        (_, Severity::Critical) => "blocker",
        (_, Severity::High) => "critical",
        (_, Severity::Medium) => "major",
        (_, Severity::Low) => "minor",
    };
    let unproven = if row.verdict == Verdict::Unproven { "unproven: " } else { "" };
    let help = if row.help.is_empty() { String::new() } else { format!(" (help: {})", row.help) };
    Issue {
        description: visible(&format!("{unproven}{}{help}", row.message)).into_owned(),
        check_name: row.policy,
        fingerprint: row.fingerprint,
        severity,
        location: Place::new(report, &row.location.path, row.location.line),
    }
}
