//! Tiers and recovery objectives of services and components: what is not said follows from the data a workload
//! handles and from what depends on it, for nothing recovers before that which it needs.

use indexmap::IndexMap;

use super::Faults;
use super::names::suggest;
use crate::blueprint::model::{Blueprint, RestoreTestSchedule, Workload};
use crate::blueprint::platform::{BackupPlan, TagPlan, TierPlan};
use crate::blueprint::scalar::{Duration, RoleName, known};
use crate::source::fault;

/// How many times longer than the platform's own objectives those of tiers 1, 2 and 3 are.
const TIERS: [u64; 3] = [1, 4, 24];

/// How long it takes to build a platform anew in a region where nothing of it is: clusters, nodes, data, names.
const REBUILD: &str = "4h";

/// What one workload promises so far.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Promise {
    tier: u8,
    rto: u64,
    rpo: u64,
}

/// Fills in every tier and objective; gives the objectives of the tiers.
pub(super) fn tiers(blueprint: &mut Blueprint) -> Vec<TierPlan> {
    let platform = &mut blueprint.compliance.objectives;
    let alone = blueprint.regions.len() < 2;
    let rto = platform.rto.get_or_insert_with(|| known(if alone { REBUILD } else { "60m" })).clone();
    let rpo = platform.rpo.get_or_insert_with(|| known("60m")).clone();
    let tiers: Vec<TierPlan> = TIERS
        .iter()
        .map(|times| TierPlan { rto: times_longer(&rto, *times), rpo: times_longer(&rpo, *times) })
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
fn promise(workload: &Workload, tiers: &[TierPlan], above: Option<Promise>) -> Promise {
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

/// The tag of what is backed up.
const BACKUP_TAG: &str = "nexafi-gen/backup";

/// Whether anything of the platform keeps data.
pub(super) fn keeps_data(blueprint: &Blueprint) -> bool {
    let mut workloads = blueprint.services.values().chain(blueprint.components.values());
    let storage = &blueprint.storage;
    !storage.claims.is_empty()
        || !storage.file_systems.is_empty()
        || workloads.any(|workload| workload.storage.is_some())
}

/// Backups, if there are any.
pub(super) fn backup(blueprint: &mut Blueprint, prefix: &str, faults: &mut Faults<'_>) -> Option<BackupPlan> {
    let roles: Vec<RoleName> = blueprint.regions.keys().cloned().collect();
    let keeps_data = keeps_data(blueprint);
    let backup = &mut blueprint.backup;
    if backup.copy_to.is_none() {
        backup.copy_to = roles.get(1).cloned();
    }
    if let Some(role) = backup.copy_to.as_ref().filter(|role| !roles.contains(role)) {
        let known: Vec<String> = roles.iter().map(ToString::to_string).collect();
        faults.add(
            fault::DANGLING_REFERENCE,
            &["backup", "copyTo"],
            format!("there is no region `{role}`"),
            "no such region",
            suggest(role.as_str(), &known, "region"),
        );
    }
    let schedule = schedule(&backup.interval);
    if schedule.is_none() {
        faults.add(
            fault::INVALID_VALUE,
            &["backup", "interval"],
            format!("AWS Backup cannot take a backup every {}", backup.interval),
            "not an interval AWS Backup has",
            "write 60m, which is the shortest, or 2h, 3h, 4h, 6h, 8h, 12h or 1d",
        );
    }
    lifecycle_faults(blueprint, faults);
    let backup = &blueprint.backup;
    if !backup.enabled || !keeps_data {
        return None;
    }
    let copies = roles
        .iter()
        .filter_map(|role| {
            let wanted = backup.copy_to.as_ref().filter(|wanted| roles.contains(wanted))?;
            // The region that keeps the copies sends its own to the first.
            let to = if role == wanted { roles.first()? } else { wanted };
            (to != role).then(|| (role.clone(), to.clone()))
        })
        .collect();
    Some(BackupPlan {
        schedule: schedule.unwrap_or_default(),
        restore_test_schedule: match backup.restore_test.schedule {
            RestoreTestSchedule::Weekly => "cron(30 3 ? * SUN *)",
            RestoreTestSchedule::Monthly => "cron(30 3 1 * ? *)",
            RestoreTestSchedule::Quarterly => "cron(30 3 1 1,4,7,10 ? *)",
        },
        tag: TagPlan { key: BACKUP_TAG, value: prefix.to_owned() },
        copies,
    })
}

/// A day's worth of equal intervals, for that is what a cron expression can say; hourly is the shortest
/// (docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html).
fn schedule(interval: &Duration) -> Option<String> {
    match interval.seconds() {
        3_600 => Some("cron(0 * * * ? *)".to_owned()),
        86_400 => Some("cron(0 1 * * ? *)".to_owned()),
        seconds if seconds.is_multiple_of(3_600) && [2, 3, 4, 6, 8, 12].contains(&(seconds / 3_600)) => {
            Some(format!("cron(0 0/{} * * ? *)", seconds / 3_600))
        }
        _ => None,
    }
}

/// What AWS Backup refuses: no backup is taken, and nobody would know before it is needed.
fn lifecycle_faults(blueprint: &Blueprint, faults: &mut Faults<'_>) {
    let backup = &blueprint.backup;
    if backup.vault_lock.enabled && backup.vault_lock.min_retention_days > backup.retention_days {
        faults.add(
            fault::CONTRADICTION,
            &["backup", "vaultLock", "minRetentionDays"],
            format!(
                "the vault takes only backups that are kept for {} days, and they are kept for {}",
                backup.vault_lock.min_retention_days, backup.retention_days
            ),
            "longer than `retentionDays`",
            "write the number of days of `backup.retentionDays` or fewer",
        );
    }
    // docs.aws.amazon.com/aws-backup/latest/devguide/API_Lifecycle.html
    if let Some(days) = backup.cold_storage_after_days.filter(|days| days + 90 > backup.retention_days) {
        faults.add(
            fault::CONTRADICTION,
            &["backup", "coldStorageAfterDays"],
            format!(
                "cold storage keeps a backup for 90 days, and these are deleted {} days after it begins",
                backup.retention_days.saturating_sub(days)
            ),
            "too late",
            format!(
                "keep backups for {} days (`retentionDays`) or leave `coldStorageAfterDays` out",
                days + 90
            ),
        );
    }
}
