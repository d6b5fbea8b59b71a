//! Waivers: findings that somebody answers for until a date. What the words mean to a user: `docs/waivers.md`.
//!
//! [`examine`] alone decides whether a waiver holds. The policy on waivers in a blueprint asks it through the function
//! `waiverFaults`, everything else through [`Stated`].

mod apply;
mod facts;
mod stated;

use std::sync::OnceLock;

use jiff::civil::Date;

use super::catalogue::Catalogue;
use crate::source::{Acceptance, FaultCode, fault};

pub use apply::{Judged, accept, faults, governance, unused};
pub use stated::{Stated, of_blueprint, of_manifests, of_module};

/// The longest time a waiver may still have, in days: one year, a leap year too. PCI DSS 4.0.1 asks for a review of
/// accepted risks at least once every twelve months (12.3.1).
pub const LONGEST: i32 = 366;

/// The policy that what is wrong with waivers is reported under.
pub const POLICY: &str = "NXF-GOV-005";

/// The six facts of a waiver as they are written; what is not written is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claim {
    /// The policy.
    pub policy: String,
    /// The subject.
    pub subject: String,
    /// Why it is acceptable.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The ticket that ends it.
    pub ticket: String,
    /// The last day it holds.
    pub expires: String,
}

/// One thing that is wrong with a waiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The fact it is about, as a blueprint spells it: `expires`.
    pub at: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// Decides whether a waiver holds on a day: it names all six facts, a policy that exists and can be waived, and a last
/// day that is not over and at most [`LONGEST`] days away. A waiver with a fault waives nothing.
pub fn examine(claim: &Claim, catalogue: &Catalogue, at: Date) -> Result<Acceptance, Vec<Fault>> {
    let mut faults = undated(claim, catalogue);
    let Ok(expires) = claim.expires.trim().parse::<Date>() else { return Err(faults) };
    faults.extend(out_of_time(expires, at));
    if !faults.is_empty() {
        return Err(faults);
    }
    let Claim { reason, owner, ticket, .. } = claim.clone();
    Ok(Acceptance { reason, owner, ticket, expires })
}

/// What is wrong with a waiver on any day.
pub(super) fn undated(claim: &Claim, catalogue: &Catalogue) -> Vec<Fault> {
    let mut faults = Vec::new();
    let facts = [
        ("policy", &claim.policy, "name the policy: NXF-NET-001"),
        ("subject", &claim.subject, "name the one thing it is about: regions.primary.vpc"),
        ("reason", &claim.reason, "say why the finding is acceptable until then"),
        ("owner", &claim.owner, "name the person who answers for it"),
        ("ticket", &claim.ticket, "name the ticket that ends it"),
        ("expires", &claim.expires, "name the last day it holds: 2027-06-30"),
    ];
    for (at, fact, help) in facts {
        if fact.trim().is_empty() {
            faults.push(Fault { at, message: format!("the waiver has no {at}"), help: help.to_owned() });
        }
    }
    if !claim.policy.trim().is_empty() {
        faults.extend(policy_fault(&claim.policy, catalogue));
    }
    let expires = claim.expires.trim();
    if !expires.is_empty() && expires.parse::<Date>().is_err() {
        faults.push(Fault {
            at: "expires",
            message: format!("`{expires}` is no date"),
            help: "write year, month and day: 2027-06-30".to_owned(),
        });
    }
    faults
}

fn policy_fault(id: &str, catalogue: &Catalogue) -> Option<Fault> {
    let fault = |message: String, help: String| Some(Fault { at: "policy", message, help });
    match catalogue.get(id) {
        Some(policy) if policy.waivable => None,
        Some(policy) => fault(
            format!("{id} cannot be waived: {}", policy.title),
            "mend the finding and remove the waiver; nobody may accept this one".to_owned(),
        ),
        None if fault::ALL.iter().any(|FaultCode { code, .. }| *code == id) => fault(
            format!("{id} is a fault of an input file, not a policy: no waiver accepts it"),
            "mend the file; `--ignore` leaves out a code for a run".to_owned(),
        ),
        None => fault(
            format!("there is no policy `{id}`, so this waives nothing"),
            match catalogue.closest(id) {
                Some(close) => format!("did you mean `{close}`?"),
                None => "`nexafi-gen policies list` lists them all".to_owned(),
            },
        ),
    }
}

/// What is wrong with a last day, seen from another.
fn out_of_time(expires: Date, at: Date) -> Option<Fault> {
    let fault = |message: String, help: String| Some(Fault { at: "expires", message, help });
    // Dates a calendar cannot subtract are further apart than any waiver may reach.
    let days = at.until(expires).map_or(i32::MAX, |span| span.get_days());
    let latest = at.checked_add(jiff::Span::new().days(LONGEST)).unwrap_or(Date::MAX);
    if days < 0 {
        return fault(
            format!("the waiver has expired: {expires} was its last day"),
            format!("mend the finding, or decide anew and write a later day, {latest} at most"),
        );
    }
    if days > LONGEST {
        return fault(
            format!("the waiver runs until {expires}, {days} days from {at}: {LONGEST} are the most"),
            format!("write {latest} or an earlier day, and decide anew then"),
        );
    }
    None
}

/// The built-in catalogue, for evaluations that were given none.
pub(super) fn builtin() -> &'static Catalogue {
    static BUILTIN: OnceLock<Catalogue> = OnceLock::new();
    BUILTIN.get_or_init(Catalogue::judging)
}
