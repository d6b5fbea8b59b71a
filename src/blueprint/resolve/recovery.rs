//! Tiers and recovery objectives of services and components: what is not said follows from the data a workload
//! handles and from what depends on it, for nothing recovers before that which it needs.

use indexmap::IndexMap;

use crate::blueprint::model::{Blueprint, Objectives, Workload};
use crate::blueprint::scalar::{Duration, known};

/// How many times longer than the platform's own objectives those of tiers 1, 2 and 3 are.
const TIERS: [u64; 3] = [1, 4, 24];

/// What one workload promises so far.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Promise {
    tier: u8,
    rto: u64,
    rpo: u64,
}

/// Fills in every tier and objective; gives the objectives of the tiers.
pub(super) fn resolve(blueprint: &mut Blueprint) -> Vec<Objectives> {
    let platform = &blueprint.compliance.objectives;
    let tiers: Vec<Objectives> = TIERS
        .iter()
        .map(|times| Objectives {
            rto: times_longer(&platform.rto, *times),
            rpo: times_longer(&platform.rpo, *times),
        })
        .collect();
    let mut workloads: IndexMap<&str, &Workload> = IndexMap::new();
    for (name, workload) in blueprint.services.iter().chain(&blueprint.components) {
        // Of two workloads of one name, which is a finding, the first counts.
        workloads.entry(name.as_str()).or_insert(workload);
    }
    let mut promises: IndexMap<String, Promise> = workloads
        .iter()
        .map(|(name, workload)| ((*name).to_owned(), promise(workload, &tiers, None)))
        .collect();
    // A promise only ever gets stricter, and there are finitely many, so this ends, in circles too.
    loop {
        let mut settled = true;
        for (name, caller) in &workloads {
            let Some(above) = promises.get(*name).copied() else { continue };
            for callee in &caller.depends_on {
                let (Some(workload), Some(below)) =
                    (workloads.get(callee.as_str()), promises.get_mut(callee.as_str()))
                else {
                    continue;
                };
                let stricter = stricter(*below, promise(workload, &tiers, Some(above)));
                settled &= stricter == *below;
                *below = stricter;
            }
        }
        if settled {
            break;
        }
    }
    let workloads = blueprint.services.iter_mut().chain(&mut blueprint.components);
    for (name, workload) in workloads {
        let Some(promise) = promises.get(name.as_str()) else { continue };
        workload.tier.get_or_insert(promise.tier);
        workload.objectives.rto.get_or_insert_with(|| duration(promise.rto));
        workload.objectives.rpo.get_or_insert_with(|| duration(promise.rpo));
    }
    tiers
}

/// What is said of a workload, and where nothing is said what its data, its tier and what depends on it ask for.
fn promise(workload: &Workload, tiers: &[Objectives], above: Option<Promise>) -> Promise {
    let protected = workload.handles.iter().any(|kind| kind.is_protected());
    let own = if protected { 1 } else { 2 };
    let tier = workload.tier.unwrap_or(above.map_or(own, |above| own.min(above.tier)));
    let of_tier = tiers.get(usize::from(tier).saturating_sub(1));
    // Whoever names a tier is taken at the word: its objectives, however much is asked from above.
    let above = above.filter(|_| workload.tier.is_none());
    let objective = |said: &Option<Duration>, of_tier: Option<u64>, above: Option<u64>| {
        let inherited = of_tier.into_iter().chain(above).min().unwrap_or_default();
        said.as_ref().map_or(inherited, Duration::seconds)
    };
    Promise {
        tier,
        rto: objective(
            &workload.objectives.rto,
            of_tier.map(|tier| tier.rto.seconds()),
            above.map(|above| above.rto),
        ),
        rpo: objective(
            &workload.objectives.rpo,
            of_tier.map(|tier| tier.rpo.seconds()),
            above.map(|above| above.rpo),
        ),
    }
}

fn stricter(one: Promise, other: Promise) -> Promise {
    Promise { tier: one.tier.min(other.tier), rto: one.rto.min(other.rto), rpo: one.rpo.min(other.rpo) }
}

fn times_longer(objective: &Duration, times: u64) -> Duration {
    if times == 1 { objective.clone() } else { duration(objective.seconds().saturating_mul(times)) }
}

/// Seconds in the largest unit that holds them whole.
fn duration(seconds: u64) -> Duration {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let whole = units.iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
    known(&whole.map_or_else(|| format!("{seconds}s"), |(unit, word)| format!("{}{word}", seconds / unit)))
}
