//! One verdict with both of its places: the lines of the blueprint, and the generated lines.

use std::collections::BTreeMap;

use crate::report::visible;
use crate::source::{Acceptance, FileId, Finding, Severity, Sources, Span, SubjectKind, Verdict};

use super::Evidence;

/// Lines of a file, from 1, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) file: FileId,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// One verdict.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// Position of the policy among those applied.
    pub(super) policy: usize,
    pub(super) verdict: Verdict,
    pub(super) severity: Severity,
    pub(super) kind: SubjectKind,
    pub(super) subject: String,
    /// What is wrong; empty where nothing is.
    pub(super) message: String,
    /// What to write instead; may be empty.
    pub(super) help: String,
    pub(super) acceptance: Option<&'a Acceptance>,
    /// The blueprint's lines.
    pub(super) blueprint: Option<Place>,
    /// The generated lines.
    pub(super) generated: Option<Place>,
}

impl Entry<'_> {
    /// Where the verdict itself points.
    pub(super) fn own(&self) -> Option<Place> {
        match self.kind {
            SubjectKind::Blueprint => self.blueprint,
            SubjectKind::Terraform | SubjectKind::Kubernetes => self.generated,
        }
    }
}

/// The verdicts as the page lists them: what fails first, then what is unproven, waived, met; then by policy and place.
pub(super) fn entries<'a>(evidence: &Evidence<'a>) -> Vec<Entry<'a>> {
    let numbers: BTreeMap<&str, usize> =
        evidence.policies.iter().enumerate().map(|(at, policy)| (policy.id.as_str(), at)).collect();
    let generated = Generated::of(evidence);
    let mut entries: Vec<Entry<'a>> = evidence
        .verdicts
        .iter()
        .filter_map(|finding| entry(evidence, finding, *numbers.get(finding.code.as_str())?, &generated))
        .collect();
    entries.sort_by_key(|entry| (rank(entry.verdict), entry.policy, entry.own()));
    entries
}

/// What a reader looks for comes first.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => 0,
        Verdict::Unproven => 1,
        Verdict::Waived => 2,
        Verdict::Pass => 3,
    }
}

fn entry<'a>(
    evidence: &Evidence<'a>,
    finding: &'a Finding,
    policy: usize,
    generated: &Generated<'_>,
) -> Option<Entry<'a>> {
    let subject = finding.subject.as_ref()?;
    let here = place(evidence.sources, finding.span);
    let (blueprint, generated) = if subject.kind == SubjectKind::Blueprint {
        let there = generated.behind(&finding.code, &subject.address);
        (here, there.and_then(|span| place(evidence.sources, span)))
    } else {
        // The line that a report points at, else the node that the comment above the block names.
        let related = finding.related.iter().map(|related| related.span);
        let cause = related.into_iter().find(|span| span.file == evidence.blueprint);
        let origin = || finding.origin.as_ref().and_then(|origin| (evidence.place)(origin));
        (cause.or_else(origin).and_then(|span| place(evidence.sources, span)), here)
    };
    let met = finding.verdict == Verdict::Pass;
    Some(Entry {
        policy,
        verdict: finding.verdict,
        severity: finding.severity,
        kind: subject.kind,
        subject: visible(&subject.address).into_owned(),
        message: if met { String::new() } else { visible(&finding.message).into_owned() },
        help: if met { String::new() } else { visible(&finding.help).into_owned() },
        acceptance: finding.acceptance.as_deref(),
        blueprint,
        generated,
    })
}

fn place(sources: &Sources, span: Span) -> Option<Place> {
    let file = sources.get(span.file)?;
    let first = file.line_column(span.start as usize).line;
    // The end is exclusive: a span that ends with a line break does not reach the next line.
    let end = (span.end as usize).saturating_sub(1).max(span.start as usize);
    Some(Place { file: span.file, first, last: file.line_column(end).line.max(first) })
}

/// The generated blocks by the node of the blueprint that they come from.
struct Generated<'a> {
    /// Any block of the node.
    any: BTreeMap<&'a str, Span>,
    /// The block of the node that a policy looked at.
    of_policy: BTreeMap<(&'a str, &'a str), Span>,
}

impl<'a> Generated<'a> {
    fn of(evidence: &Evidence<'a>) -> Self {
        let mut found = Self { any: BTreeMap::new(), of_policy: BTreeMap::new() };
        for finding in evidence.verdicts {
            let Some(origin) = finding.origin.as_deref() else { continue };
            let earlier = |slot: &mut Span| *slot = finding.span.min(*slot);
            found.any.entry(origin).and_modify(earlier).or_insert(finding.span);
            let key = (finding.code.as_str(), origin);
            found.of_policy.entry(key).and_modify(earlier).or_insert(finding.span);
        }
        found
    }

    /// What was generated from a node, preferably what the same policy looked at; else from the nearest node around it.
    fn behind(&self, policy: &str, address: &str) -> Option<Span> {
        let around = std::iter::successors(Some(address), |address| Some(address.rsplit_once('.')?.0));
        let nodes: Vec<&str> = around.collect();
        let same = nodes.iter().find_map(|node| self.of_policy.get(&(policy, *node)));
        same.or_else(|| nodes.iter().find_map(|node| self.any.get(node))).copied()
    }
}
