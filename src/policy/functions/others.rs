//! What other parts of a run found: the lock beside generated files, and the verdicts of other policies.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::super::value::{Outcome, Val, unknown};
use super::super::world::Context;
use super::take;
use crate::source::Verdict;

/// How generated files differ from their lock; null of files that no render wrote.
pub(super) fn lock<'a>(context: &Context<'a>, _: &[Val<'a>]) -> Outcome<'a> {
    context.world.lock.map_or(Ok(Val::Null), |lock| Ok(Val::from(lock)))
}

/// The ids of the policies for a framework that something here does not meet, or does not prove.
pub(super) fn failures<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [framework] = take(values)?;
    let framework = framework.as_text()?;
    let applies =
        |policy: &&&super::super::file::Policy| policy.controls.keys().any(|known| known.id() == framework);
    if let Some(policy) = context.world.left_out.iter().find(applies) {
        return unknown(format!("{} was not evaluated, so nobody knows whether it is met", policy.id));
    }
    let judged = context.judged;
    let failed: BTreeSet<&str> = judged
        .iter()
        .filter(|verdict| verdict.verdict != Verdict::Pass && verdict.frameworks.contains(&framework))
        .map(|verdict| verdict.policy.as_str())
        .collect();
    Ok(Val::list(failed.into_iter().map(Val::text).collect()))
}

/// What one region has and another lacks, as a list of `{policy, what}`: policies that the first meets and the second
/// does not, and kinds of thing a policy looked at in the first that the second does not have at all.
pub(super) fn parity<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [region, other] = take(values)?;
    let (region, other) = (format!("regions.{}", region.as_text()?), format!("regions.{}", other.as_text()?));
    let judged = context.judged;
    let failed = |role: &str| -> BTreeSet<&str> {
        let bad = judged.iter().filter(|verdict| verdict.verdict != Verdict::Pass);
        bad.filter(|verdict| is_below(&verdict.pointer, role))
            .map(|verdict| verdict.policy.as_str())
            .collect()
    };
    let (here, there) = (failed(&region), failed(&other));
    let mut gaps: BTreeMap<(&str, &str), &str> =
        there.difference(&here).map(|policy| ((*policy, ""), "is not met")).collect();
    let has = |role: &str, type_: &str| {
        let resources = context.world.module.into_iter().flat_map(|module| &module.resources);
        resources
            .filter(|resource| resource.managed && &*resource.type_ == type_)
            .any(|resource| resource.blueprint.as_deref().is_some_and(|pointer| is_below(pointer, role)))
    };
    for verdict in judged.iter().filter(|verdict| is_below(&verdict.pointer, &region)) {
        if has(&region, &verdict.type_) && !has(&other, &verdict.type_) {
            gaps.insert((&verdict.policy, &verdict.type_), "looks at what is not there");
        }
    }
    let gap = |((policy, type_), why): ((&str, &str), &str)| {
        let what = if type_.is_empty() { why.to_owned() } else { format!("no {type_}") };
        Val::map(vec![(Cow::Borrowed("policy"), Val::text(policy)), (Cow::Borrowed("what"), Val::text(what))])
    };
    Ok(Val::list(gaps.into_iter().map(gap).collect()))
}

/// Whether a pointer is a node or lies below it.
fn is_below(pointer: &str, node: &str) -> bool {
    pointer.strip_prefix(node).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
