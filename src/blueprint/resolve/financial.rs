//! Nodes that handle protected data stand apart: in subnets, behind a security group and with a key that nothing else
//! uses.

use crate::blueprint::model::{Blueprint, NodeClass, NodeGroup, Region};
use crate::blueprint::platform::{Plan, PodFlow, SecurityGroup, WorkloadPlan};
use crate::blueprint::scalar::{Name, RoleName, known};

use super::Faults;

/// The subnet tier such nodes stand in unless the blueprint says another.
pub(super) const TIER: &str = "financial";

/// Names of the groups of class financial, of every region.
pub(super) fn groups(blueprint: &Blueprint) -> Vec<Name> {
    let all = blueprint.regions.values().flat_map(|region| &region.cluster.node_groups);
    all.filter(|(_, group)| group.class == NodeClass::Financial).map(|(name, _)| name.clone()).collect()
}

/// Whether a group is of class financial, or stands in for one that is.
pub(super) fn is_financial(group: &NodeGroup, protected: &[Name]) -> bool {
    group.class == NodeClass::Financial
        || group.mirrors.as_ref().is_some_and(|mirrored| protected.contains(mirrored))
}

/// Gives each region that has such nodes the tier, unless it names its tiers itself, and puts the nodes there, unless
/// they are said to stand elsewhere.
pub(super) fn plan_tiers(blueprint: &mut Blueprint, faults: &Faults<'_>) {
    let protected = groups(blueprint);
    for (role, region) in &mut blueprint.regions {
        let named = faults.is_written(&["regions", role.as_str(), "vpc", "subnets"]);
        for (name, group) in &mut region.cluster.node_groups {
            let path = ["regions", role.as_str(), "cluster", "nodeGroups", name.as_str(), "subnets"];
            if !is_financial(group, &protected) || faults.is_written(&path) {
                continue;
            }
            if !named {
                region.vpc.subnets.entry(known(TIER)).or_default();
            }
            if region.vpc.subnets.contains_key(TIER) {
                group.subnets = known(TIER);
            }
        }
    }
    for at in 0..blueprint.peering.len() {
        if faults.is_written(&["peering", &at.to_string(), "subnets"]) {
            continue;
        }
        let Some(peering) = blueprint.peering.get_mut(at) else { continue };
        let has = |role: &RoleName| {
            blueprint.regions.get(role).is_some_and(|region| region.vpc.subnets.contains_key(TIER))
        };
        if peering.between.iter().all(has) {
            peering.subnets.push(known(TIER));
        }
    }
}

/// Such groups of a region.
pub(super) fn of_region(region: &Region, protected: &[Name]) -> Vec<String> {
    let groups = region.cluster.node_groups.iter();
    groups.filter(|(_, group)| is_financial(group, protected)).map(|(name, _)| name.to_string()).collect()
}

/// The security groups that nodes of a region carry. The first is the one that what every cluster needs (DNS, the
/// ingress controller) runs behind.
pub(super) fn security_groups(region: &Region, protected: &[Name]) -> Vec<SecurityGroup> {
    let groups = || region.cluster.node_groups.iter();
    let mut found = Vec::new();
    if groups().any(|(_, group)| !is_financial(group, protected)) {
        found.push(SecurityGroup::Nodes);
    }
    if groups().any(|(_, group)| is_financial(group, protected)) {
        found.push(SecurityGroup::Financial);
    }
    found
}

/// Tiers in which nothing but such nodes stands.
pub(super) fn dedicated_tiers(region: &Region, protected: &[Name]) -> Vec<String> {
    let cluster = &region.cluster;
    let others: Vec<&RoleName> = cluster
        .node_groups
        .iter()
        .filter(|(_, group)| !is_financial(group, protected))
        .map(|(_, group)| &group.subnets)
        .chain(cluster.fargate_profiles.values().map(|profile| &profile.subnets))
        .collect();
    let mut tiers: Vec<String> = Vec::new();
    for group in cluster.node_groups.values() {
        let tier = group.subnets.to_string();
        let own = is_financial(group, protected) && !others.contains(&&group.subnets);
        // The control plane and the endpoints stand in the private tier.
        if own && tier != "private" && !tiers.contains(&tier) {
            tiers.push(tier);
        }
    }
    tiers
}

/// Which pods of one security group call pods of another, in every region. Between pods on nodes of no special kind all
/// is open, and network policies say who may call whom; so it is between pods on Fargate.
pub(super) fn pod_flows(plan: &mut Plan, fargate: impl Fn(&RoleName) -> bool) {
    let workloads = &plan.workloads;
    for (role, region) in &mut plan.regions {
        let shared = region.security_groups.first().copied().unwrap_or_default();
        let present = |group: SecurityGroup| match group {
            SecurityGroup::Fargate => fargate(role),
            group => region.security_groups.contains(&group),
        };
        let mut flows: Vec<PodFlow> = Vec::new();
        let mut add = |from: SecurityGroup, to: SecurityGroup, port: u16, what: String, pointer: &str| {
            let open = from == to && from != SecurityGroup::Financial;
            let known = flows.iter().any(|flow| flow.from == from && flow.to == to && flow.port == port);
            if !open && !known && present(from) && present(to) {
                flows.push(PodFlow { from, to, port, what, pointer: pointer.to_owned() });
            }
        };
        for callee in workloads {
            let to = callee.placement.security_group;
            for caller in &callee.callers {
                let from = group_of(workloads, &caller.name);
                let pointer = workloads.iter().find(|workload| workload.name == caller.name);
                let pointer =
                    pointer.map_or_else(String::new, |caller| format!("{}.dependsOn", caller.pointer));
                for port in &callee.ports {
                    let what = format!("{} calls {}", caller.name, callee.name);
                    add(from, to, port.port, what, &pointer);
                }
            }
            if callee.exposed {
                let what = format!("The ingress controller calls {}", callee.name);
                add(shared, to, callee.spec.port, what, "ingress.routes");
            }
            for port in callee.spec.peer_ports.values() {
                let what = format!("Pods of {} call each other", callee.name);
                add(to, to, *port, what, &callee.pointer);
            }
        }
        region.pod_flows = flows;
    }
}

fn group_of(workloads: &[WorkloadPlan], name: &str) -> SecurityGroup {
    workloads
        .iter()
        .find(|workload| workload.name == name)
        .map_or_else(SecurityGroup::default, |workload| workload.placement.security_group)
}
