//! How a run ended, in a few lines for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::source::{Finding, Severity, Verdict};

use super::{Report, is_open};

/// One line that says how the run ended.
pub(super) fn summary(report: &Report<'_>, paint: Paint) -> String {
    let counts = report.summary();
    let checks = match (counts.pass, counts.subjects) {
        (0, _) => String::new(),
        (pass, subjects) => {
            format!(
                "{pass} {} passed on {subjects} {}",
                plural(pass, "check", "checks"),
                plural(subjects, "subject", "subjects")
            )
        }
    };
    let open = |verdict| {
        let of = |severity| {
            let counted =
                |found: &&Finding| is_open(found) && found.verdict == verdict && found.severity == severity;
            report.verdicts.iter().filter(counted).count()
        };
        let parts: Vec<String> = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low]
            .into_iter()
            .map(|severity| (of(severity), severity))
            .filter(|(count, _)| *count > 0)
            .map(|(count, severity)| format!("{count} {}", severity.as_str()))
            .collect();
        parts.join(", ")
    };
    let mut line = if counts.fail == 0 {
        paint.good("no findings")
    } else {
        let fail = format!("{} {}", counts.fail, plural(counts.fail, "finding", "findings"));
        format!("{}: {}", paint.bad(&fail), open(Verdict::Fail))
    };
    if counts.unproven > 0 {
        let unproven = format!("{} unproven", counts.unproven);
        let unproven = if report.strict { paint.bad(&unproven) } else { unproven };
        let _ = write!(line, " · {unproven}: {}", open(Verdict::Unproven));
    }
    if counts.waived > 0 {
        let _ = write!(line, " · {} waived", counts.waived);
    }
    if counts.baselined > 0 {
        let _ = write!(line, " · {} known to the baseline", counts.baselined);
    }
    if !checks.is_empty() {
        let _ = write!(line, " · {checks}");
    }
    line.push('\n');
    line
}

pub(super) fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// How many controls of each framework have a policy that fails here, worst hit framework first.
pub(super) fn unmet<'r>(report: &'r Report<'_>) -> Vec<(&'r str, usize)> {
    let mut controls: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let failed = |finding: &&Finding| finding.verdict == Verdict::Fail && is_open(finding);
    for finding in report.verdicts.iter().filter(failed) {
        for (framework, ids) in finding.controls.iter() {
            controls.entry(framework).or_default().extend(ids.iter().map(String::as_str));
        }
    }
    let mut counts: Vec<_> = controls.into_iter().map(|(framework, ids)| (framework, ids.len())).collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// The same in words, broken between frameworks where a line would be longer than `width`.
pub(super) fn controls_not_met(report: &Report<'_>, width: usize) -> String {
    let counts = unmet(report);
    let mut text = String::new();
    let mut column = 0;
    for (at, (framework, count)) in counts.iter().enumerate() {
        let part = format!("{count} of {framework}");
        let part = if at + 1 < counts.len() { format!("{part},") } else { part };
        let before = if at == 0 { "controls not met: " } else { " " };
        if at > 0 && column + before.len() + part.len() > width {
            text.push_str("\n  ");
            column = 2;
        } else {
            text.push_str(before);
            column += before.len();
        }
        text.push_str(&part);
        column += part.len();
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Colours for the few words that miette does not write.
#[derive(Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(super) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }
}
