//! Which findings a waiver covers, and what is wrong with waivers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::stated::{Reach, Stated, container_at};
use super::{Fault, POLICY, examine};
use crate::kubernetes::Object;
use crate::policy::{Catalogue, Policy};
use crate::source::{Acceptance, Finding, SubjectKind, Verdict, did_you_mean};
use crate::terraform::address::{block, local};

/// Lets every waiver that holds cover its findings: their verdict becomes `waived`. Says which waivers covered one.
///
/// A finding is covered if it is not met, or unproven, under the waiver's policy, and
/// - the waiver names its subject, or the very place in the blueprint it points at; or stands at its block or object; or
/// - it was generated from the blueprint node that the waiver names; or
/// - it was generated from a node inside or around one where the same policy is waived in the blueprint, and nowhere in
///   or around that node the policy has a finding in the blueprint that nobody waived. It has the same cause, and
///   whoever accepted that has accepted this.
///
/// `findings` are those of files that were judged together.
pub fn accept(
    findings: &mut [Finding],
    waivers: &[Stated],
    objects: &[Object],
    catalogue: &Catalogue,
    at: Option<Date>,
) -> Vec<bool> {
    let mut used = vec![false; waivers.len()];
    let Some(at) = at else { return used };
    let mut by_policy: BTreeMap<&str, Vec<usize>> =
        waivers.iter().map(|waiver| (waiver.claim.policy.as_str(), Vec::new())).collect();
    for (place, finding) in findings.iter().enumerate().filter(|(_, one)| one.verdict != Verdict::Pass) {
        if let Some(places) = by_policy.get_mut(finding.code.as_str()) {
            places.push(place);
        }
    }
    for (waiver, used) in waivers.iter().zip(&mut used) {
        let Some(acceptance) = held(waiver, catalogue, at) else { continue };
        for place in by_policy.get(waiver.claim.policy.as_str()).into_iter().flatten() {
            let Some(finding) = findings.get_mut(*place) else { continue };
            if !covers(waiver, finding, objects) {
                continue;
            }
            *used = true;
            if finding.verdict != Verdict::Waived {
                finding.verdict = Verdict::Waived;
                finding.acceptance = Some(Box::new(acceptance.clone()));
            }
        }
    }
    follow(findings, waivers, &used);
    used
}

fn held(waiver: &Stated, catalogue: &Catalogue, at: Date) -> Option<Acceptance> {
    if !waiver.malformed.is_empty() {
        return None;
    }
    examine(&waiver.claim, catalogue, at).ok()
}

fn covers(waiver: &Stated, finding: &Finding, objects: &[Object]) -> bool {
    let Some(subject) = &finding.subject else { return false };
    let named = &waiver.claim.subject;
    match &waiver.reach {
        Reach::Named => {
            subject.address == *named
                || (subject.kind == SubjectKind::Blueprint && finding.pointer == *named)
                || finding.origin.as_deref() == Some(named)
        }
        Reach::Block { files, within } => {
            let here = subject.kind == SubjectKind::Terraform
                && local(block(&subject.address)) == local(block(&waiver.holder.address))
                && files.contains(&finding.span.file);
            here && within.as_ref().is_none_or(|within| {
                let (outer, inner) = (within.span, finding.span);
                let inside = outer.file == inner.file && outer.start <= inner.start && inner.end <= outer.end;
                inside
                    || within
                        .pointer
                        .as_ref()
                        .is_some_and(|pointer| is_at_or_below(&finding.pointer, pointer))
            })
        }
        Reach::Object { span, containers } => {
            let inside = span.file == finding.span.file
                && span.start <= finding.span.start
                && finding.span.start <= span.end;
            let object = || objects.iter().find(|object| object.node.span == *span);
            subject.kind == SubjectKind::Kubernetes
                && subject.address == *named
                && inside
                && (containers.is_empty()
                    || object()
                        .and_then(|object| container_at(object, &finding.pointer))
                        .is_some_and(|name| containers.iter().any(|container| container == name)))
        }
    }
}

/// Generated findings whose cause is waived in the blueprint.
fn follow(findings: &mut [Finding], waivers: &[Stated], used: &[bool]) {
    let codes: BTreeSet<&str> = waivers
        .iter()
        .zip(used)
        .filter(|(waiver, used)| **used && matches!(waiver.reach, Reach::Named))
        .map(|(waiver, _)| waiver.claim.policy.as_str())
        .collect();
    if codes.is_empty() {
        return;
    }
    let causes: Vec<Finding> = findings
        .iter()
        .filter(|finding| finding.verdict != Verdict::Pass && codes.contains(finding.code.as_str()))
        .filter(|finding| {
            finding.subject.as_ref().is_some_and(|subject| subject.kind == SubjectKind::Blueprint)
        })
        .cloned()
        .collect();
    let open = |finding: &Finding| matches!(finding.verdict, Verdict::Fail | Verdict::Unproven);
    for finding in findings.iter_mut().filter(|finding| open(finding)) {
        let Some(origin) = &finding.origin else { continue };
        let mut related = causes
            .iter()
            .filter(|cause| cause.code == finding.code)
            .filter(|cause| {
                cause.subject.as_ref().is_some_and(|subject| {
                    is_at_or_below(&subject.address, origin) || is_at_or_below(origin, &subject.address)
                })
            })
            .peekable();
        let acceptance = related.peek().and_then(|cause| cause.acceptance.clone());
        if acceptance.is_some() && related.all(|cause| cause.verdict == Verdict::Waived) {
            finding.verdict = Verdict::Waived;
            finding.acceptance = acceptance;
        }
    }
}

/// Whether a path is another one or lies below it.
fn is_at_or_below(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What was judged, to tell a waiver that is not needed from one whose finding was not looked for.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    /// The kinds of input.
    pub kinds: BTreeSet<SubjectKind>,
    /// Policies of which a rule was skipped, as it needs other inputs too.
    pub skipped: BTreeSet<String>,
    /// Whether a file could not be read to its end.
    pub incomplete: bool,
}

/// What is wrong with inline waivers, as findings of the policy on waivers. Those of a blueprint that policy judges
/// itself.
pub fn faults(waiver: &Stated, governance: &Policy, catalogue: &Catalogue, at: Option<Date>) -> Vec<Finding> {
    if matches!(waiver.reach, Reach::Named) {
        return Vec::new();
    }
    let faults = at.and_then(|at| examine(&waiver.claim, catalogue, at).err()).unwrap_or_default();
    // The place is its subject; a waiver that stands nowhere has been told so.
    let faults = faults.into_iter().filter(|fault| fault.at != "subject");
    let malformed = waiver.malformed.iter().cloned();
    malformed.chain(faults).map(|fault| finding(waiver, governance, fault)).collect()
}

/// The waiver that is not needed, as a finding, unless its finding was perhaps not looked for. `of_policy` are the
/// subjects of the policy's findings.
pub fn unused(
    waiver: &Stated,
    governance: &Policy,
    policy: &Policy,
    judged: &Judged,
    (catalogue, at): (&Catalogue, Date),
    of_policy: &BTreeSet<String>,
) -> Option<Finding> {
    held(waiver, catalogue, at)?;
    if judged.incomplete || judged.skipped.contains(&policy.id) {
        return None;
    }
    let needed: BTreeSet<SubjectKind> = match waiver.reach {
        Reach::Named => match kind_named(&waiver.claim.subject) {
            SubjectKind::Blueprint => policy.rules.iter().map(|rule| rule.scope.kind()).collect(),
            kind => [kind].into(),
        },
        Reach::Block { .. } | Reach::Object { .. } => BTreeSet::new(),
    };
    if !needed.is_subset(&judged.kinds) {
        return None;
    }
    let subject = &waiver.claim.subject;
    let close = match waiver.reach {
        Reach::Named => did_you_mean(subject, of_policy.iter().map(String::as_str)),
        _ => None,
    };
    Some(finding(
        waiver,
        governance,
        Fault {
            at: "subject",
            message: format!("this waiver matches no finding: {} has none at {subject}", policy.id),
            help: match close {
                Some(close) => format!("did you mean `{close}`? If the finding is mended, remove the waiver"),
                None => "remove it: what it accepted is mended, or never was there".to_owned(),
            },
        },
    ))
}

fn finding(waiver: &Stated, governance: &Policy, fault: Fault) -> Finding {
    let mut finding = governance.finding(waiver.holder.clone(), waiver.span, fault.message);
    finding.pointer.clone_from(&waiver.pointer);
    finding.help = fault.help;
    finding
}

/// What a subject in a blueprint's waiver names, by its form: `Deployment/core/ledger`, `aws_vpc.main`, `regions.primary`.
fn kind_named(subject: &str) -> SubjectKind {
    let first = subject.split('.').next().unwrap_or(subject);
    let kind = subject.split('/').next().unwrap_or(subject);
    if kind != subject && kind.starts_with(|letter: char| letter.is_ascii_uppercase()) {
        SubjectKind::Kubernetes
    } else if first.contains('_') || ["data", "module", "provider", "variable", "output"].contains(&first) {
        SubjectKind::Terraform
    } else {
        SubjectKind::Blueprint
    }
}

/// The policy on waivers, if it is among these.
pub fn governance<'a>(policies: impl IntoIterator<Item = &'a Policy>) -> Option<&'a Policy> {
    policies.into_iter().find(|policy| policy.id == POLICY)
}
