//! `--format markdown`: a comment for a pull request, in GitHub's and GitLab's Markdown.

use std::collections::BTreeMap;
use std::io;

use crate::source::{Finding, Severity, Verdict};

use super::concise::drift_words;
use super::place::{anchored, location, one_line};
use super::summary::{plural, unmet};
use super::{Report, is_open};

/// A comment on GitHub has 65,536 characters at most; one that is longer is refused as a whole. Rows end here, so that
/// what follows them has room.
const ROOM: usize = 48_000;

/// The longest text of one cell, in characters.
const LONGEST_CELL: usize = 400;

pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let counts = report.summary();
    let drifts = report.drift.as_deref().unwrap_or_default();
    let mut parts = Vec::new();
    for (count, words) in [
        (counts.fail, plural(counts.fail, "finding", "findings")),
        (drifts.len(), plural(drifts.len(), "file differs", "files differ")),
        (counts.unproven, "unproven"),
        (counts.waived, "waived"),
        (counts.baselined, "known to the baseline"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    let title = if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") };
    writeln!(out, "## nexafi-gen: {title}\n")?;
    writeln!(
        out,
        "{} {} passed on {} {}.\n",
        counts.pass,
        plural(counts.pass, "check", "checks"),
        counts.subjects,
        plural(counts.subjects, "subject", "subjects")
    )?;
    overview(report, out)?;

    let mut listed: Vec<&Finding> = report.listed().filter(|finding| is_open(finding)).collect();
    listed.sort_by_key(|finding| (finding.verdict != Verdict::Fail, std::cmp::Reverse(finding.severity)));
    let mut room = ROOM;
    let shown = findings(report, &listed, &mut room, out)?;
    help(listed.get(..shown).unwrap_or_default(), &mut room, out)?;
    drift(report, &mut room, out)?;
    waived(report, &mut room, out)
}

/// Two small tables: by severity, and by framework.
fn overview(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut severities: BTreeMap<std::cmp::Reverse<Severity>, (usize, usize)> = BTreeMap::new();
    for finding in report.verdicts.iter().filter(|finding| is_open(finding)) {
        let counts = severities.entry(std::cmp::Reverse(finding.severity)).or_default();
        match finding.verdict {
            Verdict::Fail => counts.0 += 1,
            _ => counts.1 += 1,
        }
    }
    if severities.is_empty() {
        return Ok(());
    }
    writeln!(out, "| severity | findings | unproven |\n|---|--:|--:|")?;
    for (std::cmp::Reverse(severity), (fail, unproven)) in severities {
        writeln!(out, "| {} | {fail} | {unproven} |", severity.as_str())?;
    }
    writeln!(out)?;
    let unmet = unmet(report);
    if !unmet.is_empty() {
        writeln!(out, "| framework | controls not met |\n|---|--:|")?;
        for (framework, count) in unmet {
            writeln!(out, "| {} | {count} |", text(framework))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The table of findings, worst first, as far as there is room. Returns how many it shows.
fn findings(
    report: &Report<'_>,
    listed: &[&Finding],
    room: &mut usize,
    out: &mut dyn io::Write,
) -> io::Result<usize> {
    if listed.is_empty() {
        return Ok(0);
    }
    writeln!(out, "| severity | policy | where | what |\n|---|---|---|---|")?;
    let mut shown = 0;
    for finding in listed {
        let unproven = if finding.verdict == Verdict::Unproven { " (unproven)" } else { "" };
        let row = format!(
            "| {}{unproven} | {} | {} | {} |",
            finding.severity.as_str(),
            policy(report, finding),
            place(report, finding),
            text(&finding.message)
        );
        if !takes(room, &row) {
            break;
        }
        writeln!(out, "{row}")?;
        shown += 1;
    }
    writeln!(out)?;
    if shown < listed.len() {
        writeln!(
            out,
            "… and {} more, which have no room in a comment; `--report json=FILE` has them all.\n",
            listed.len() - shown
        )?;
    }
    Ok(shown)
}

/// What to write instead, folded away: once for each policy and help.
fn help(listed: &[&Finding], room: &mut usize, out: &mut dyn io::Write) -> io::Result<()> {
    let mut helps: Vec<(&str, &str)> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for finding in listed.iter().filter(|finding| !finding.help.is_empty()) {
        if seen.insert((finding.code.as_str(), finding.help.as_str())) {
            helps.push((&finding.code, &finding.help));
        }
    }
    if helps.is_empty() {
        return Ok(());
    }
    writeln!(out, "<details>\n<summary>How to mend them</summary>\n")?;
    for (code, help) in helps {
        let line = format!("- **{}**: {}", text(code), text(help));
        if !takes(room, &line) {
            break;
        }
        writeln!(out, "{line}")?;
    }
    writeln!(out, "\n</details>\n")
}

fn drift(report: &Report<'_>, room: &mut usize, out: &mut dyn io::Write) -> io::Result<()> {
    let drifts = report.drift.as_deref().unwrap_or_default();
    if drifts.is_empty() {
        return Ok(());
    }
    writeln!(out, "| file | |\n|---|---|")?;
    for (at, drift) in drifts.iter().enumerate() {
        let line = drift.line.map(|line| format!(":{line}")).unwrap_or_default();
        let path = anchored(&drift.path, &report.root);
        let row = format!("| {}{line} | {} |", code(path.as_str()), text(drift_words(drift.state)));
        if !takes(room, &row) {
            writeln!(out, "| … and {} more | |", drifts.len() - at)?;
            break;
        }
        writeln!(out, "{row}")?;
    }
    writeln!(out)
}

/// What somebody answers for, folded away.
fn waived(report: &Report<'_>, room: &mut usize, out: &mut dyn io::Write) -> io::Result<()> {
    let waived = report.listed().filter(|finding| finding.acceptance.is_some());
    let mut waived = waived.peekable();
    if waived.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "<details>\n<summary>Waived</summary>\n")?;
    writeln!(out, "| until | by | ticket | policy | where | why |\n|---|---|---|---|---|---|")?;
    for finding in waived {
        let Some(by) = &finding.acceptance else { continue };
        let row = format!(
            "| {} | {} | {} | {} | {} | {} |",
            by.expires,
            text(&by.owner),
            text(&by.ticket),
            policy(report, finding),
            place(report, finding),
            text(&by.reason)
        );
        if !takes(room, &row) {
            writeln!(out, "| … | | | | | |")?;
            break;
        }
        writeln!(out, "{row}")?;
    }
    writeln!(out, "\n</details>")
}

/// Whether a line has room, which it then takes.
fn takes(room: &mut usize, line: &str) -> bool {
    match room.checked_sub(line.chars().count() + 1) {
        Some(left) => {
            *room = left;
            true
        }
        None => false,
    }
}

fn policy(report: &Report<'_>, finding: &Finding) -> String {
    let id = text(&finding.code);
    match report.page(&finding.code) {
        Some(page) => format!("[{id}]({page})"),
        None => id,
    }
}

fn place(report: &Report<'_>, finding: &Finding) -> String {
    let at = location(report.sources, finding.span, "");
    let place = if at.path.is_empty() {
        String::new()
    } else {
        code(&format!("{}:{}", anchored(&at.path, &report.root), at.line))
    };
    match &finding.subject {
        Some(subject) => format!("{} {place}", text(&subject.address)),
        None => place,
    }
}

/// In the letters of code. An element, since a code span has no way to hold both a backtick and a pipe in a table.
fn code(text_of: &str) -> String {
    format!("<code>{}</code>", text(text_of))
}

/// Text that is nothing but text: no emphasis, link, element, table cell, heading, mention or reference.
fn text(text: &str) -> String {
    let text = one_line(text);
    let long = text.chars().count() > LONGEST_CELL;
    let mut escaped = String::with_capacity(text.len());
    let mut characters = text.chars().take(LONGEST_CELL).peekable();
    while let Some(character) = characters.next() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // Mentions and references are found after the text is unescaped; a blank of no width parts them.
            '@' | '#' | '!' if characters.peek().is_some_and(char::is_ascii_alphanumeric) => {
                escaped.push(character);
                escaped.push('\u{200b}');
            }
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '|' | '~' | '#' | '$' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    if long {
        escaped.push('…');
    }
    escaped
}
