//! `controls.csv`: one line a control, for those who keep their evidence in tables. RFC 4180.

use std::collections::BTreeSet;

use super::Evidence;
use super::control::{Control, FrameworkEvidence};
use super::entry::Entry;
use crate::report::inert;

/// The first line.
const COLUMNS: [&str; 14] = [
    "framework",
    "control",
    "section",
    "section title",
    "verdict",
    "policies",
    "mapping",
    "subjects judged",
    "passed",
    "failed",
    "unproven",
    "waived",
    "waivers",
    "waivers expire",
];

/// Every control, and the parts of frameworks that no policy says anything of.
pub(super) fn table(
    evidence: &Evidence<'_>,
    frameworks: &[FrameworkEvidence],
    entries: &[Entry<'_>],
) -> String {
    let mut text = row(COLUMNS.map(str::to_owned));
    for framework in frameworks {
        for part in &framework.parts {
            for control in &part.controls {
                text.push_str(&row(line(
                    evidence,
                    part.section.title.clone(),
                    &part.section.id,
                    control,
                    entries,
                )));
            }
            if part.controls.is_empty() {
                let mut cells = [const { String::new() }; 14];
                let [id, _, section, title, verdict, ..] = &mut cells;
                framework.framework.id().clone_into(id);
                section.clone_from(&part.section.id);
                title.clone_from(&part.section.title);
                "for a person to assess".clone_into(verdict);
                text.push_str(&row(cells));
            }
        }
    }
    text
}

fn line(
    evidence: &Evidence<'_>,
    title: String,
    section: &str,
    control: &Control,
    entries: &[Entry<'_>],
) -> [String; 14] {
    let row = &control.row;
    let policies: Vec<&str> = row.policies.iter().map(|policy| policy.policy.as_str()).collect();
    let mapping: BTreeSet<&str> = row.policies.iter().map(|policy| policy.by.as_str()).collect();
    let of_control = entries.iter().filter(|entry| {
        evidence.policies.get(entry.policy).is_some_and(|policy| policies.contains(&policy.id.as_str()))
    });
    let accepted: BTreeSet<(String, String)> = of_control
        .filter_map(|entry| entry.acceptance)
        .map(|by| (by.expires.to_string(), format!("{} ({})", by.owner, by.ticket)))
        .collect();
    let (expire, owners): (Vec<String>, Vec<String>) = accepted.into_iter().unzip();
    [
        row.framework.clone(),
        row.control.clone(),
        section.to_owned(),
        title,
        control.state.words().to_owned(),
        policies.join(" "),
        mapping.into_iter().collect::<Vec<_>>().join(" and "),
        control.subjects.to_string(),
        row.verdicts.pass.to_string(),
        row.verdicts.fail.to_string(),
        row.verdicts.unproven.to_string(),
        row.verdicts.waived.to_string(),
        owners.join("; "),
        expire.join("; "),
    ]
}

fn row(cells: [String; 14]) -> String {
    let mut line = cells.map(|cell| quoted(&cell)).join(",");
    line.push_str("\r\n");
    line
}

/// A cell that no spreadsheet takes for a formula.
fn quoted(cell: &str) -> String {
    let cell = inert(cell);
    if cell.contains([',', '"', '\r', '\n', ';', '\'']) || cell.trim() != cell {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn no_cell_is_a_formula_or_leaves_its_place() {
        for (cell, written) in [
            ("10.2.1", "10.2.1"),
            ("a,b", "\"a,b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-2", "\"'-2\""),
            ("\t=1", "\"'\t=1\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(quoted(cell), written);
        }
    }
}
