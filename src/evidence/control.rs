//! What became of each control, and which parts of a framework no policy says anything of.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::policy::{Framework, Section};
use crate::report::{ControlRow, ControlVerdicts, controls};
use crate::source::Passes;

use super::entry::Entry;
use super::{Evidence, Tally};

/// What became of a control or a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// A policy failed.
    Failed,
    /// A value that decides is not fixed by the files.
    Unproven,
    /// Somebody answers for what is not met.
    Waived,
    /// Met wherever it was looked for.
    Met,
    /// Nothing here that a policy looks at.
    Silent,
}

impl State {
    /// In the order that people read them.
    pub(super) const ALL: [Self; 5] = [Self::Met, Self::Failed, Self::Unproven, Self::Waived, Self::Silent];

    /// The worst of some verdicts.
    pub(super) fn of(verdicts: ControlVerdicts) -> Self {
        match verdicts {
            ControlVerdicts { fail: 1.., .. } => Self::Failed,
            ControlVerdicts { unproven: 1.., .. } => Self::Unproven,
            ControlVerdicts { waived: 1.., .. } => Self::Waived,
            ControlVerdicts { pass: 1.., .. } => Self::Met,
            _ => Self::Silent,
        }
    }

    /// The class of the page's style.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Unproven => "unproven",
            Self::Waived => "waived",
            Self::Met => "met",
            Self::Silent => "silent",
        }
    }

    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Silent => "nothing to judge",
            other => other.id(),
        }
    }
}

/// A framework with everything that policies say of it.
#[derive(Debug)]
pub(super) struct FrameworkEvidence {
    pub(super) framework: Framework,
    /// Its parts, in its own order; those without a control are for a person.
    pub(super) parts: Vec<Part>,
}

/// A part of a framework and its controls that policies name.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) section: Section,
    pub(super) controls: Vec<Control>,
}

/// A control.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) row: ControlRow,
    pub(super) state: State,
    /// Different things that its policies looked at.
    pub(super) subjects: usize,
}

impl FrameworkEvidence {
    /// Every control, in the framework's order.
    pub(super) fn controls(&self) -> impl Iterator<Item = &Control> {
        self.parts.iter().flat_map(|part| &part.controls)
    }
}

/// The frameworks that are wanted, or all.
pub(super) fn frameworks(evidence: &Evidence<'_>, entries: &[Entry<'_>]) -> Vec<FrameworkEvidence> {
    let wanted = Framework::ALL.into_iter().filter(|framework| {
        evidence.frameworks.is_empty() || evidence.frameworks.iter().any(|id| id == framework.id())
    });
    let mut subjects: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for entry in entries {
        if let Some(policy) = evidence.policies.get(entry.policy) {
            subjects.entry(&policy.id).or_default().insert(&entry.subject);
        }
    }
    wanted
        .map(|framework| {
            let (named, policies) = ([framework.id().to_owned()], evidence.policies.iter().copied());
            // What passed is among the verdicts here.
            let rows = controls(&named, policies, evidence.verdicts, &Passes::default());
            FrameworkEvidence { framework, parts: parts(framework, rows, &subjects) }
        })
        .collect()
}

fn parts(
    framework: Framework,
    rows: Vec<ControlRow>,
    subjects: &BTreeMap<&str, BTreeSet<&str>>,
) -> Vec<Part> {
    let mut parts: Vec<Part> =
        framework.sections().into_iter().map(|section| Part { section, controls: Vec::new() }).collect();
    for row in rows {
        let of_policies = row.policies.iter().filter_map(|policy| subjects.get(policy.policy.as_str()));
        let subjects = of_policies.flatten().collect::<BTreeSet<_>>().len();
        let state = State::of(row.verdicts);
        let home = parts
            .iter()
            .enumerate()
            .filter(|(_, part)| part.section.holds(&row.control))
            .max_by_key(|(_, part)| part.section.id.len())
            .map(|(at, _)| at);
        // A user's own policy may name a control that the table knows no part for.
        let at = home.unwrap_or_else(|| {
            let section = Section { id: row.control.clone(), title: String::new() };
            parts.push(Part { section, controls: Vec::new() });
            parts.len() - 1
        });
        if let Some(part) = parts.get_mut(at) {
            part.controls.push(Control { row, state, subjects });
        }
    }
    parts
}

/// How many controls are in which state.
pub(super) fn tally(frameworks: &[FrameworkEvidence]) -> Tally {
    let mut tally = Tally::default();
    for control in frameworks.iter().flat_map(FrameworkEvidence::controls) {
        *match control.state {
            State::Met => &mut tally.met,
            State::Failed => &mut tally.failed,
            State::Unproven => &mut tally.unproven,
            State::Waived => &mut tally.waived,
            State::Silent => &mut tally.silent,
        } += 1;
    }
    tally
}
