//! Waivers over the files of a run: which there are, which cover a finding, which are not needed.

use std::collections::{BTreeMap, BTreeSet};

use crate::kubernetes::Object;
use crate::policy::waiver::{Judged, Stated, accept, faults, governance, of_blueprint, of_manifests, unused};
use crate::source::{FileId, Finding, Node, SubjectKind, Verdict};

use super::judge::Judge;

/// What files that are judged together hold.
pub(super) struct Together<'a> {
    /// The blueprint behind them, or the one that is judged alone.
    pub(super) blueprint: Option<(FileId, &'a Node)>,
    /// Whether that blueprint's own verdicts are reported.
    pub(super) reported: bool,
    /// The waivers that stand in modules.
    pub(super) stated: Vec<Stated>,
    /// Objects.
    pub(super) objects: &'a [Object],
    /// What was judged.
    pub(super) judged: Judged,
}

/// The waivers of blueprints, each of which may cover findings of several groups of files.
#[derive(Debug, Default)]
pub(super) struct Book {
    blueprints: BTreeMap<FileId, Page>,
}

#[derive(Debug, Default)]
struct Page {
    waivers: Vec<(Stated, bool)>,
    judged: Judged,
    reported: bool,
    /// Subjects of findings, by policy.
    subjects: BTreeMap<String, BTreeSet<String>>,
}

impl Book {
    /// Lets the waivers of these files cover their findings, and adds what is wrong with those that stand inline.
    /// Nothing is computed where there is no waiver.
    pub(super) fn apply(&mut self, verdicts: &mut Vec<Finding>, mut together: Together<'_>, judge: &Judge) {
        let named = together.blueprint.map(|(_, view)| of_blueprint(view)).unwrap_or_default();
        let mut waivers = named;
        let count = waivers.len();
        waivers.append(&mut together.stated);
        waivers.extend(of_manifests(together.objects));
        if waivers.is_empty() {
            return;
        }
        let used = accept(verdicts, &waivers, together.objects, judge.catalogue(), judge.at);
        let mut stated: Vec<(Stated, bool)> = waivers.into_iter().zip(used).collect();
        let inline = stated.split_off(count);
        if let Some((file, _)) = together.blueprint.filter(|_| count > 0) {
            self.blueprints.entry(file).or_default().note(stated, &together, verdicts);
        }
        let Some(governance) = governance(judge.applied()) else { return };
        for (waiver, used) in &inline {
            verdicts.extend(faults(waiver, governance, judge.catalogue(), judge.at));
            if !used {
                verdicts.extend(not_needed(waiver, judge, &together.judged, &BTreeSet::new()));
            }
        }
    }

    /// The waivers of blueprints that nothing needed, once everything was judged.
    pub(super) fn unused(&self, judge: &Judge) -> Vec<Finding> {
        let none = BTreeSet::new();
        let mut findings = Vec::new();
        for page in self.blueprints.values().filter(|page| page.reported) {
            for (waiver, _) in page.waivers.iter().filter(|(_, used)| !used) {
                let subjects = page.subjects.get(&waiver.claim.policy).unwrap_or(&none);
                findings.extend(not_needed(waiver, judge, &page.judged, subjects));
            }
        }
        findings
    }
}

impl Page {
    fn note(&mut self, stated: Vec<(Stated, bool)>, together: &Together<'_>, verdicts: &[Finding]) {
        for (waiver, _) in &stated {
            let of_policy = verdicts
                .iter()
                .filter(|finding| finding.code == waiver.claim.policy && finding.verdict != Verdict::Pass);
            let subjects = of_policy.filter_map(|finding| Some(finding.subject.as_ref()?.address.clone()));
            self.subjects.entry(waiver.claim.policy.clone()).or_default().extend(subjects);
        }
        if self.waivers.is_empty() {
            self.waivers = stated;
        } else {
            for ((_, used), (_, again)) in self.waivers.iter_mut().zip(stated) {
                *used |= again;
            }
        }
        self.reported |= together.reported;
        self.judged.kinds.extend(&together.judged.kinds);
        self.judged.skipped.extend(together.judged.skipped.iter().cloned());
        self.judged.incomplete |= together.judged.incomplete;
    }
}

fn not_needed(
    waiver: &Stated,
    judge: &Judge,
    judged: &Judged,
    subjects: &BTreeSet<String>,
) -> Option<Finding> {
    // A policy that the flags leave out had no say, so nobody knows whether the waiver is needed.
    let policy = judge.applied().find(|policy| policy.id == waiver.claim.policy)?;
    unused(waiver, governance(judge.applied())?, policy, judged, (judge.catalogue(), judge.at?), subjects)
}

/// The kinds of input there are.
pub(super) fn kinds(blueprint: bool, modules: bool, objects: bool) -> BTreeSet<SubjectKind> {
    [
        (blueprint, SubjectKind::Blueprint),
        (modules, SubjectKind::Terraform),
        (objects, SubjectKind::Kubernetes),
    ]
    .into_iter()
    .filter(|(there, _)| *there)
    .map(|(_, kind)| kind)
    .collect()
}
