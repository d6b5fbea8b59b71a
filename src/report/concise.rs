//! `--format concise`: `path:line:column: severity code message`, one line a finding, for editors and `grep`.

use std::io;

use crate::source::Verdict;

use super::Report;
use super::place::{location, one_line};
use super::row::DriftState;

pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for finding in report.listed() {
        let at = location(report.sources, finding.span, "");
        let path = if at.path.is_empty() { "-" } else { &at.path };
        let word = match finding.verdict {
            Verdict::Fail if finding.baselined => format!("{} (known)", finding.severity.as_str()),
            Verdict::Fail => finding.severity.as_str().to_owned(),
            verdict => match &finding.acceptance {
                Some(by) => format!(
                    "{} (waived until {} by {})",
                    finding.severity.as_str(),
                    by.expires,
                    one_line(&by.owner)
                ),
                None => format!("{} ({})", finding.severity.as_str(), verdict.as_str()),
            },
        };
        let message = one_line(&finding.message);
        writeln!(out, "{path}:{}:{}: {word} {} {message}", at.line, at.column, finding.code)?;
    }
    for drift in report.drift.iter().flatten() {
        let line = drift.line.map(|line| format!(":{line}:1")).unwrap_or_default();
        writeln!(out, "{}{line}: {}", drift.path, drift_words(drift.state))?;
    }
    Ok(())
}

/// What a person is told about a file that differs.
pub(super) fn drift_words(state: DriftState) -> &'static str {
    match state {
        DriftState::Drifted => "drifted: not what the blueprint renders to, from this line on",
        DriftState::Missing => "missing: the blueprint renders this file",
        DriftState::Orphaned => "orphaned: an earlier render wrote this file, the blueprint no longer does",
    }
}
