//! Buckets, file systems and managed data stores: names, copies, ports, and who calls them.

use indexmap::IndexMap;

use super::Faults;
use crate::blueprint::model::{Blueprint, TierKind};
use crate::blueprint::platform::{BucketPlan, ManagedPlan, Plan, StorePeer};
use crate::blueprint::scalar::{KmsKey, known};
use crate::source::fault;

/// The subnet tier that data stores stand in.
const TIER: &str = "database";

pub(super) fn buckets(blueprint: &mut Blueprint, prefix: &str, faults: &mut Faults<'_>) -> Vec<BucketPlan> {
    let regions = blueprint.regions.len();
    // Copies go where those of the audit records go, over the same role and with the same logs of who reads them.
    let security = &blueprint.security;
    let copies = security.audit_trail.replicate && (security.audit_trail.enabled || security.config.enabled);
    let mut planned: Vec<BucketPlan> = Vec::new();
    for (name, bucket) in &mut blueprint.storage.buckets {
        let path = ["storage", "buckets", name.as_str()];
        let aws = bucket.name.get_or_insert_with(|| known(&format!("{prefix}-{name}"))).to_string();
        // The copy's name has `-replica` at its end.
        let longest = if regions > 1 { 55 } else { 63 };
        if aws.len() > longest {
            faults.add(
                fault::INVALID_VALUE,
                &path,
                format!(
                    "the bucket `{name}` would be called {aws}, and its name can have at most {longest} characters"
                ),
                "too long",
                "choose a shorter name, or write the bucket's own under `name`",
            );
        }
        if let Some(other) = planned.iter().find(|other| other.bucket == aws) {
            faults.add(
                fault::CONTRADICTION,
                &["storage", "buckets", name.as_str(), "name"],
                format!("`{}` and `{name}` are both the bucket {aws}", other.name),
                "the name is taken",
                "give each bucket a name of its own",
            );
        }
        let ours = bucket.kms_key.as_str() == "platform";
        if bucket.replicate == Some(true) && (!ours || regions < 2 || !bucket.versioning || !copies) {
            let why = match (ours, regions, bucket.versioning) {
                (false, ..) => "the copy is encrypted with the platform's key of the other region",
                (true, 0 | 1, _) => "the platform has one region",
                (true, _, false) => "S3 copies versions, and the bucket keeps none",
                (true, _, true) => {
                    "the platform copies no records to another region (`security.auditTrail.replicate`)"
                }
            };
            faults.add(
                fault::CONTRADICTION,
                &["storage", "buckets", name.as_str(), "replicate"],
                format!("the bucket `{name}` cannot be copied: {why}"),
                "cannot be copied",
                "remove `replicate`, or let the bucket have `kmsKey: platform`, versions and a second region",
            );
        }
        let replicate = *bucket.replicate.get_or_insert(ours && regions > 1 && bucket.versioning && copies);
        planned.push(BucketPlan { name: name.to_string(), bucket: aws, replicate });
    }
    planned
}

/// Whether the first region needs a key for data, and whether the second does.
pub(super) fn key_wanted(blueprint: &Blueprint, buckets: &[BucketPlan]) -> (bool, bool) {
    let ours = |key: &KmsKey| key.as_str() == "platform";
    let managed = &blueprint.managed;
    let home = blueprint.storage.buckets.values().any(|bucket| ours(&bucket.kms_key))
        || blueprint.storage.file_systems.values().any(|system| ours(&system.kms_key))
        || managed.caches.values().any(|cache| ours(&cache.kms_key))
        || managed.brokers.values().any(|broker| ours(&broker.kms_key))
        || managed.search.values().any(|domain| ours(&domain.kms_key));
    (home, buckets.iter().any(|bucket| bucket.replicate))
}

pub(super) fn managed(blueprint: &Blueprint, plan: &mut Plan, faults: &mut Faults<'_>) -> Vec<ManagedPlan> {
    let stores = &blueprint.managed;
    let prefix = &plan.prefix;
    let home = plan.regions.values().next();
    let cidrs: Vec<String> = home
        .into_iter()
        .flat_map(|region| region.subnets.iter().filter(|subnet| subnet.tier == TIER))
        .map(|subnet| subnet.cidr.clone())
        .collect();
    let workloads = &mut plan.workloads;
    // Ports: docs.aws.amazon.com/AmazonElastiCache/latest/dg/accessing-elasticache.html,
    // docs.aws.amazon.com/amazon-mq/latest/developer-guide/rabbitmq-basic-elements-broker.html (AMQP and the management API).
    let named: Vec<(&'static str, String, Vec<u16>)> = stores
        .caches
        .keys()
        .map(|name| ("caches", name.to_string(), vec![6379]))
        .chain(stores.brokers.keys().map(|name| ("brokers", name.to_string(), vec![5671, 443])))
        .chain(stores.search.keys().map(|name| ("search", name.to_string(), vec![443])))
        .collect();
    let mut planned: IndexMap<String, ManagedPlan> = IndexMap::new();
    for (kind, name, ports) in named {
        let path = ["managed", kind, name.as_str()];
        if planned.contains_key(&name) || workloads.iter().any(|workload| workload.name == name) {
            faults.add(
                fault::CONTRADICTION,
                &path,
                format!("`{name}` is the name of another service, component or data store"),
                "the name is taken",
                "rename one of the two; `dependsOn` could mean either",
            );
            continue;
        }
        // Lengths: docs.aws.amazon.com, CreateReplicationGroup, CreateBroker and CreateDomain.
        let longest: usize = match kind {
            // Its users have `-off` at the end.
            "caches" => 36,
            "brokers" => 50,
            _ => 28,
        };
        let aws = format!("{prefix}-{name}");
        if aws.len() > longest {
            faults.add(
                fault::INVALID_VALUE,
                &path,
                format!("`{name}` would be called {aws} in AWS, and its name can have at most {longest} characters"),
                "too long",
                format!("choose a name of at most {} characters", longest.saturating_sub(prefix.len() + 1)),
            );
        }
        let pointer = format!("managed.{kind}.{name}");
        planned.insert(name.clone(), ManagedPlan { name, kind, pointer, ports, callers: Vec::new() });
    }
    subnet_faults(blueprint, !planned.is_empty(), faults);
    for workload in workloads.iter_mut() {
        for name in &workload.spec.depends_on {
            let Some(store) = planned.get_mut(name.as_str()) else { continue };
            if !store.callers.contains(&workload.name) {
                store.callers.push(workload.name.clone());
                workload.stores.push(StorePeer {
                    name: store.name.clone(),
                    ports: store.ports.clone(),
                    cidrs: cidrs.clone(),
                });
            }
        }
    }
    planned.into_values().collect()
}

fn subnet_faults(blueprint: &Blueprint, stores: bool, faults: &mut Faults<'_>) {
    let Some((role, region)) = blueprint.regions.first() else { return };
    let there = region
        .vpc
        .subnets
        .iter()
        .any(|(name, tier)| name.as_str() == TIER && tier.kind != Some(TierKind::Public));
    if there || (!stores && blueprint.storage.file_systems.is_empty()) {
        return;
    }
    let what = if stores { "managed" } else { "storage" };
    faults.add(
        fault::CONTRADICTION,
        &[what],
        format!("data stores stand in the subnets of the tier `{TIER}`, and {role} has none"),
        "nowhere to stand",
        format!("add `{TIER}: {{}}` to `regions.{role}.vpc.subnets`"),
    );
}
