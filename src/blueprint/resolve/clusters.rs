//! Node groups: those that are needed where none are named, labels and taints that follow from the class, and what a
//! standby group takes over from the group it mirrors.

use indexmap::IndexMap;

use super::Faults;
use super::names::{Names, suggest};
use crate::blueprint::model::{Blueprint, NodeClass, NodeGroup, ScalingSize, Taint, TaintEffect, Workload};
use crate::blueprint::scalar::{Name, RoleName, known};
use crate::source::fault;

/// Key of the node label and the taint that say what a node is for.
pub(super) const CLASS_KEY: &str = "nexafi-gen/class";
/// Keeps a node out of load balancers (kubernetes.io/docs/reference/labels-annotations-taints).
const NO_LOAD_BALANCER: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

pub(super) fn resolve(blueprint: &mut Blueprint, names: &Names, faults: &mut Faults<'_>) {
    plan_missing_groups(blueprint);
    super::financial::plan_tiers(blueprint, faults);
    let roles: Vec<RoleName> = blueprint.regions.keys().cloned().collect();
    let mut originals: IndexMap<Name, NodeGroup> = IndexMap::new();
    for role in &roles {
        let Some(region) = blueprint.regions.get_mut(role) else { continue };
        let tiers: Vec<String> = region.vpc.subnets.keys().map(ToString::to_string).collect();
        for (name, group) in &mut region.cluster.node_groups {
            group_faults(role, name, group, &tiers, faults);
            if group.mirrors.is_none() {
                fill(group, group.class);
                originals.entry(name.clone()).or_insert_with(|| group.clone());
            }
        }
        for (name, profile) in &region.cluster.fargate_profiles {
            if !tiers.iter().any(|tier| tier == profile.subnets.as_str()) {
                faults.add(
                    fault::DANGLING_REFERENCE,
                    &["regions", role.as_str(), "cluster", "fargateProfiles", name.as_str(), "subnets"],
                    format!("{role} has no subnet tier `{}`", profile.subnets),
                    "no such tier",
                    suggest(profile.subnets.as_str(), &tiers, "tier"),
                );
            }
        }
    }
    for role in &roles {
        let Some(region) = blueprint.regions.get_mut(role) else { continue };
        for (name, group) in &mut region.cluster.node_groups {
            let Some(mirrored) = group.mirrors.clone() else { continue };
            match originals.get(&mirrored) {
                Some(original) => {
                    let path = ["regions", role.as_str(), "cluster", "nodeGroups", name.as_str(), "amiType"];
                    if !faults.is_written(&path) {
                        // The instances it takes over may be of another processor than the default image.
                        group.ami_type.clone_from(&original.ami_type);
                    }
                    take_over(group, original);
                }
                None => {
                    mirror_fault(role, name, &mirrored, names, faults);
                    fill(group, group.class);
                }
            }
        }
    }
}

fn mirror_fault(role: &RoleName, name: &Name, mirrored: &Name, names: &Names, faults: &mut Faults<'_>) {
    if name != mirrored && names.node_groups.iter().any(|known| known == mirrored.as_str()) {
        // It is there, and either cannot be read or mirrors another one itself.
        return faults.add(
            fault::CONTRADICTION,
            &["regions", role.as_str(), "cluster", "nodeGroups", name.as_str(), "mirrors"],
            format!("the standby group `{name}` mirrors `{mirrored}`, which is no group of its own"),
            "mirrors a standby",
            "name the group that works in normal times",
        );
    }
    let others: Vec<String> =
        names.node_groups.iter().filter(|known| *known != name.as_str()).cloned().collect();
    faults.add(
        fault::DANGLING_REFERENCE,
        &["regions", role.as_str(), "cluster", "nodeGroups", name.as_str(), "mirrors"],
        format!(
            "the standby group `{name}` mirrors `{mirrored}`, and no region has a node group of this name"
        ),
        "no such node group",
        suggest(mirrored.as_str(), &others, "node group"),
    );
}

/// Where a cluster names no groups: one for each class its workloads need, and in the other regions a small standby
/// for each group of the first.
fn plan_missing_groups(blueprint: &mut Blueprint) {
    let protected = |workload: &Workload| workload.handles.iter().any(|kind| kind.is_protected());
    let needs_financial = blueprint.services.values().chain(blueprint.components.values()).any(protected);
    let mut home: Vec<(Name, ScalingSize)> = Vec::new();
    for (at, region) in blueprint.regions.values_mut().enumerate() {
        let groups = &mut region.cluster.node_groups;
        if at == 0 {
            if groups.is_empty() {
                if needs_financial {
                    groups.insert(
                        known("financial-services"),
                        NodeGroup { class: NodeClass::Financial, ..NodeGroup::default() },
                    );
                }
                groups.insert(known("general"), NodeGroup::default());
            }
            home = groups.iter().map(|(name, group)| (name.clone(), group.size.clone())).collect();
        } else if groups.is_empty() {
            for (name, size) in &home {
                let standby = NodeGroup {
                    class: NodeClass::Standby,
                    mirrors: Some(name.clone()),
                    size: ScalingSize { min: 1, desired: 1, max: size.max.max(1) },
                    ..NodeGroup::default()
                };
                groups.insert(known(&format!("standby-{name}")), standby);
            }
        }
    }
}

fn fill(group: &mut NodeGroup, class: NodeClass) {
    if group.instance_types.is_empty() {
        group.instance_types.push(known("m6i.large"));
    }
    group.labels.entry(known(CLASS_KEY)).or_insert_with(|| known(class.as_str()));
    if class == NodeClass::Financial {
        // Load balancers that Kubernetes makes open ports of every node they can reach, and need none of these.
        group.labels.entry(known(NO_LOAD_BALANCER)).or_insert_with(|| known("true"));
    }
    if group.taints.is_none() {
        let taint = || Taint {
            key: known(CLASS_KEY),
            value: Some(known(class.as_str())),
            effect: TaintEffect::NoSchedule,
        };
        group.taints = Some(if class.is_tainted() { vec![taint()] } else { Vec::new() });
    }
}

fn take_over(group: &mut NodeGroup, original: &NodeGroup) {
    if group.instance_types.is_empty() {
        group.instance_types.clone_from(&original.instance_types);
    }
    for (key, value) in &original.labels {
        group.labels.entry(key.clone()).or_insert_with(|| value.clone());
    }
    if group.taints.is_none() {
        group.taints.clone_from(&original.taints);
    }
}

fn group_faults(role: &RoleName, name: &Name, group: &NodeGroup, tiers: &[String], faults: &mut Faults<'_>) {
    let path = |rest: &'static str| ["regions", role.as_str(), "cluster", "nodeGroups", name.as_str(), rest];
    let ScalingSize { min, desired, max } = group.size;
    if !(min <= desired && desired <= max) {
        faults.add(
            fault::CONTRADICTION,
            &path("size"),
            format!("the node group `{name}` wants {desired} nodes, between {min} and {max}"),
            "min, desired and max contradict each other",
            "write them so that min <= desired <= max",
        );
    }
    if !tiers.iter().any(|tier| tier == group.subnets.as_str()) {
        faults.add(
            fault::DANGLING_REFERENCE,
            &path("subnets"),
            format!("{role} has no subnet tier `{}`", group.subnets),
            "no such tier",
            suggest(group.subnets.as_str(), tiers, "tier"),
        );
    }
    if group.class == NodeClass::Standby && group.mirrors.is_none() && !faults.is_written(&path("mirrors")) {
        faults.add(
            fault::MISSING_KEY,
            &["regions", role.as_str(), "cluster", "nodeGroups", name.as_str()],
            format!("the standby group `{name}` does not say which group it stands in for"),
            "`mirrors` is missing",
            "add `mirrors: NAME`, the node group whose pods it takes over",
        );
    }
    if group.class != NodeClass::Standby && group.mirrors.is_some() {
        faults.add(
            fault::CONTRADICTION,
            &path("mirrors"),
            format!("`{name}` mirrors another group, but is not of class standby"),
            "only standby groups mirror",
            "write `class: standby`, or remove `mirrors`",
        );
    }
}
