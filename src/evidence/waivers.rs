//! The waivers as the page lists them: who answers for what, until when.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::report::visible;

use super::Evidence;
use super::entry::Entry;

#[derive(Serialize)]
pub(super) struct WaiverView {
    policy: String,
    subjects: Vec<String>,
    owner: String,
    ticket: String,
    expires: String,
    reason: String,
    covers: usize,
    note: String,
}

/// Policy, owner, ticket, last day and reason: what makes two waivers the same decision.
type Decision = (String, String, String, String, String);

/// Every waiver of the blueprint and every one that covers a verdict, wherever it stands.
pub(super) fn waivers(evidence: &Evidence<'_>, entries: &[Entry<'_>]) -> Vec<WaiverView> {
    let mut found: BTreeMap<Decision, (Vec<String>, usize)> = BTreeMap::new();
    for stated in &evidence.waivers {
        let claim = stated.claim.clone();
        let decision = (claim.policy, claim.owner, claim.ticket, claim.expires, claim.reason);
        found.entry(decision).or_default().0.push(claim.subject);
    }
    for entry in entries {
        let (Some(by), Some(policy)) = (entry.acceptance, evidence.policies.get(entry.policy)) else {
            continue;
        };
        let decision = (
            policy.id.clone(),
            by.owner.clone(),
            by.ticket.clone(),
            by.expires.to_string(),
            by.reason.clone(),
        );
        let (subjects, covers) = found.entry(decision).or_default();
        *covers += 1;
        if subjects.is_empty() {
            subjects.push(entry.subject.clone());
        }
    }
    let shown = |text: &str| visible(text).into_owned();
    found
        .into_iter()
        .map(|((policy, owner, ticket, expires, reason), (subjects, covers))| WaiverView {
            note: note(covers, &expires, evidence.at),
            policy: shown(&policy),
            subjects: subjects.iter().map(|subject| shown(subject)).collect(),
            owner: shown(&owner),
            ticket: shown(&ticket),
            expires: shown(&expires),
            reason: shown(&reason),
            covers,
        })
        .collect()
}

fn note(covers: usize, expires: &str, at: Option<Date>) -> String {
    let last = expires.trim().parse::<Date>().ok();
    match (last, at) {
        (Some(last), Some(at)) if last < at => "expired".to_owned(),
        (Some(last), Some(at)) if covers > 0 => match (last - at).get_days() {
            0 => "ends today".to_owned(),
            1 => "1 day left".to_owned(),
            days => format!("{days} days left"),
        },
        _ if covers > 0 => "in force".to_owned(),
        _ => "covers nothing".to_owned(),
    }
}
