//! `--format csv`: one row a verdict, as RFC 4180 has it, for spreadsheets.

use std::borrow::Cow;
use std::io;

use csv::{Terminator, WriterBuilder};

use super::Report;
use super::concise::drift_words;
use super::place::{anchored, visible};
use super::row::{Row, drift_fingerprint, rows};

/// The columns, in order. New ones come at the end.
const COLUMNS: [&str; 22] = [
    "path",
    "line",
    "column",
    "endLine",
    "endColumn",
    "policy",
    "verdict",
    "severity",
    "title",
    "message",
    "subjectKind",
    "subjectType",
    "subject",
    "pointer",
    "help",
    "controls",
    "aliases",
    "fingerprint",
    "waiverOwner",
    "waiverReason",
    "waiverTicket",
    "waiverExpires",
];

pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut csv = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
    csv.write_record(COLUMNS).map_err(refused)?;
    for (_, row) in rows(report) {
        csv.write_record(cells(report, &row).iter().map(|cell| shown(cell))).map_err(refused)?;
    }
    for drift in report.drift.iter().flatten() {
        let mut cells: [String; 22] = Default::default();
        let [path, line, _, _, _, policy, verdict, _, title, message, ..] = &mut cells;
        *path = anchored(&drift.path, &report.root).into_string();
        *line = drift.line.map(|line| line.to_string()).unwrap_or_default();
        "drift".clone_into(policy);
        "fail".clone_into(verdict);
        drift.state.as_str().clone_into(title);
        drift_words(drift.state).clone_into(message);
        if let Some(fingerprint) = cells.get_mut(17) {
            *fingerprint = drift_fingerprint(report, drift);
        }
        csv.write_record(cells.iter().map(|cell| shown(cell))).map_err(refused)?;
    }
    csv.flush()
}

/// What the writer said, which callers know by its kind: a closed pipe is none of our faults.
fn refused(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn cells(report: &Report<'_>, row: &Row) -> [String; 22] {
    let at = &row.location;
    // A finding without a file has no place.
    let number = |number: usize| if at.line == 0 { String::new() } else { number.to_string() };
    let (kind, type_, address) = row
        .subject
        .as_ref()
        .map(|subject| (subject.kind.as_str(), subject.type_.clone(), subject.address.clone()))
        .unwrap_or_default();
    let controls: Vec<String> =
        row.controls.iter().map(|(framework, ids)| format!("{framework} {}", ids.join(" "))).collect();
    let waiver = row.waiver.clone();
    let (owner, reason, ticket, expires) =
        waiver.map(|waiver| (waiver.owner, waiver.reason, waiver.ticket, waiver.expires)).unwrap_or_default();
    [
        if at.path.is_empty() { String::new() } else { anchored(&at.path, &report.root).into_string() },
        number(at.line),
        number(at.column),
        number(at.end_line),
        number(at.end_column),
        row.policy.clone(),
        row.verdict.as_str().to_owned(),
        row.severity.as_str().to_owned(),
        row.title.clone(),
        row.message.clone(),
        kind.to_owned(),
        type_,
        address,
        at.pointer.clone(),
        row.help.clone(),
        controls.join("; "),
        row.aliases.join(" "),
        row.fingerprint.clone(),
        owner,
        reason,
        ticket,
        expires,
    ]
}

/// Offsets do not matter here, so line breaks and tabs stay as they are.
fn shown(cell: &str) -> String {
    inert(&visible(cell)).into_owned()
}

/// The cell as no spreadsheet takes for a formula: one that begins as a formula does is led by an apostrophe, which
/// makes it text (OWASP, "CSV Injection").
pub(crate) fn inert(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        return Cow::Owned(format!("'{cell}"));
    }
    Cow::Borrowed(cell)
}
