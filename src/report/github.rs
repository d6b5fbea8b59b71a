//! `--format github`: workflow commands of GitHub Actions, which show as annotations beside the changed lines.
//!
//! The commands and their escapes are those of GitHub's toolkit (`actions/toolkit`, `packages/core/src/command.ts`) and
//! of "Workflow commands for GitHub Actions" in its documentation.

use std::io;

use crate::source::{Severity, Verdict};

use super::concise::drift_words;
use super::place::{anchored, visible};
use super::row::rows;
use super::{Report, is_open};

pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for (finding, row) in rows(report) {
        let failure =
            finding.verdict == Verdict::Fail || (finding.verdict == Verdict::Unproven && report.strict);
        let command = match row.severity {
            // GitHub shows ten annotations of each kind a step: what is accepted must not take their place.
            _ if finding.verdict == Verdict::Pass => continue,
            _ if !report.all && finding.verdict == Verdict::Waived => continue,
            _ if !is_open(finding) || !failure => "notice",
            Severity::Critical | Severity::High => "error",
            Severity::Medium | Severity::Low => "warning",
        };
        let at = &row.location;
        let mut place = Vec::new();
        if !at.path.is_empty() {
            place.push(format!("file={}", property(anchored(&at.path, &report.root).as_str())));
            place.push(format!("line={}", at.line));
            place.push(format!("endLine={}", at.end_line.max(at.line)));
            // Columns are taken of a single line only.
            if at.end_line == at.line {
                place.push(format!("col={}", at.column));
            }
        }
        let verdict = match finding.verdict {
            _ if finding.baselined => " (known)".to_owned(),
            Verdict::Fail => String::new(),
            other => format!(" ({})", other.as_str()),
        };
        let title = format!("{} {}{verdict}: {}", row.policy, row.severity.as_str(), row.title);
        place.push(format!("title={}", property(&title)));
        let help = if row.help.is_empty() { String::new() } else { format!("\nhelp: {}", row.help) };
        writeln!(out, "::{command} {}::{}", place.join(","), data(&format!("{}{help}", row.message)))?;
    }
    for drift in report.drift.iter().flatten() {
        let file = property(anchored(&drift.path, &report.root).as_str());
        let line = drift.line.map(|line| format!(",line={line}")).unwrap_or_default();
        let words = data(drift_words(drift.state));
        writeln!(out, "::error file={file}{line},title=generated file {}::{words}", drift.state.as_str())?;
    }
    Ok(())
}

/// A message: one line of output is one command.
fn data(text: &str) -> String {
    visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property's value, which `,` and `:` would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
