//! What a run says of the controls of a framework: which policies are evidence for each, and what became of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::{Framework, Policy, Provenance};
use crate::source::{Finding, Passes, Verdict};

/// One control of a framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlRow {
    /// The framework's id, `pci-dss-4.0.1`.
    pub framework: String,
    /// The control's id, `10.2.1`.
    pub control: String,
    /// The policies that are evidence for it, by id.
    pub policies: Vec<ControlPolicy>,
    /// Their verdicts on everything that was checked. All zero: nothing here that any of them looks at.
    pub verdicts: ControlVerdicts,
}

/// A policy that is evidence for a control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlPolicy {
    /// The policy's id.
    pub policy: String,
    /// `published` where a published mapping lists an equivalent check, `judgement` where the mapping is ours.
    pub by: String,
    /// Its verdicts.
    pub verdicts: ControlVerdicts,
}

/// How many verdicts of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlVerdicts {
    /// Requirements met.
    pub pass: usize,
    /// Requirements not met.
    pub fail: usize,
    /// Requirements whose deciding value the files do not fix.
    pub unproven: usize,
    /// Requirements not met that somebody answers for until a date.
    pub waived: usize,
}

impl ControlVerdicts {
    fn add(&mut self, other: Self) {
        self.pass += other.pass;
        self.fail += other.fail;
        self.unproven += other.unproven;
        self.waived += other.waived;
    }
}

/// The controls of some frameworks that policies are evidence for: in the order of the frameworks, then of their ids.
pub fn controls<'p>(
    frameworks: &[String],
    policies: impl IntoIterator<Item = &'p Policy>,
    verdicts: &[Finding],
    passes: &Passes,
) -> Vec<ControlRow> {
    let mut counted: BTreeMap<&str, ControlVerdicts> = BTreeMap::new();
    for (policy, count) in passes.by_policy() {
        counted.entry(policy).or_default().pass += count;
    }
    for finding in verdicts {
        let counts = counted.entry(&finding.code).or_default();
        match finding.verdict {
            Verdict::Pass => counts.pass += 1,
            Verdict::Fail => counts.fail += 1,
            Verdict::Unproven => counts.unproven += 1,
            Verdict::Waived => counts.waived += 1,
        }
    }
    let wanted = |framework: &Framework| frameworks.iter().any(|id| id == framework.id());
    let mut rows: BTreeMap<(Framework, Vec<Part>), ControlRow> = BTreeMap::new();
    for policy in policies {
        let verdicts = counted.get(policy.id.as_str()).copied().unwrap_or_default();
        for (framework, controls) in policy.controls.iter().filter(|(framework, _)| wanted(framework)) {
            for control in controls {
                let row = rows.entry((*framework, parts(&control.id))).or_insert_with(|| ControlRow {
                    framework: framework.id().to_owned(),
                    control: control.id.clone(),
                    policies: Vec::new(),
                    verdicts: ControlVerdicts::default(),
                });
                row.verdicts.add(verdicts);
                row.policies.push(ControlPolicy {
                    policy: policy.id.clone(),
                    by: control.by.as_str().to_owned(),
                    verdicts,
                });
            }
        }
    }
    rows.into_values().collect()
}

/// A part of a control's id, so that 10.2 comes after 9.1.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u32),
    Word(String),
}

fn parts(id: &str) -> Vec<Part> {
    id.split(['.', '-', '(', ')'])
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().map_or_else(|_| Part::Word(part.to_owned()), Part::Number))
        .collect()
}

/// The controls as people read them: how many are met, and each that is not.
pub(super) fn lines(rows: &[ControlRow]) -> String {
    let mut text = String::new();
    for group in rows.chunk_by(|left, right| left.framework == right.framework) {
        let Some(first) = group.first() else { continue };
        let bad = |row: &&ControlRow| row.verdicts.fail + row.verdicts.unproven > 0;
        let silent = |row: &&ControlRow| row.verdicts == ControlVerdicts::default();
        let (bad, silent) = (group.iter().filter(bad).count(), group.iter().filter(silent).count());
        let met = group.len() - bad - silent;
        // Writing to a String cannot fail.
        let _ = write!(text, "{}: of {} controls {met} met", first.framework, group.len());
        if bad > 0 {
            let _ = write!(text, ", {bad} not");
        }
        if silent > 0 {
            let _ = write!(text, ", {silent} without anything here to judge");
        }
        text.push('\n');
        for row in group.iter().filter(|row| row.verdicts.fail + row.verdicts.unproven > 0) {
            let open =
                row.policies.iter().filter(|policy| policy.verdicts.fail + policy.verdicts.unproven > 0);
            let ids: Vec<String> = open
                .map(|policy| {
                    let ours = policy.by == Provenance::Judgement.as_str();
                    format!("{}{}", policy.policy, if ours { " (our judgement)" } else { "" })
                })
                .collect();
            let _ = writeln!(text, "  {}: {}", row.control, ids.join(", "));
        }
    }
    text
}
