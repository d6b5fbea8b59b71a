//! Network ACLs, and the calls that cross between regions.

use super::names::{Names, suggest};
use super::{Faults, financial};
use crate::blueprint::model::{Blueprint, NetworkAcl, Region, TierKind};
use crate::blueprint::platform::{Crossing, CrossingSubnet, Plan, SecurityGroup, WorkloadPlan};
use crate::blueprint::scalar::{Name, RoleName};
use crate::source::fault;

/// Isolated tiers hold data, so nothing from outside has business there. Where nodes stand in one, they need ways that
/// only addresses of AWS services say, and the network ACL is theirs to write.
pub(super) fn acls(blueprint: &mut Blueprint) {
    for region in blueprint.regions.values_mut() {
        let cluster = &region.cluster;
        let with_nodes: Vec<RoleName> = cluster
            .node_groups
            .values()
            .map(|group| group.subnets.clone())
            .chain(cluster.fargate_profiles.values().map(|profile| profile.subnets.clone()))
            .collect();
        for (tier, settings) in &mut region.vpc.subnets {
            let enabled = settings.kind == Some(TierKind::Isolated) && !with_nodes.contains(tier);
            settings.network_acl.get_or_insert_with(|| NetworkAcl { enabled, ..NetworkAcl::default() });
        }
    }
}

/// Both ends of every call that is declared to cross.
pub(super) fn crossings(blueprint: &Blueprint, plan: &mut Plan, names: &Names, faults: &mut Faults<'_>) {
    let protected = financial::groups(blueprint);
    for (at, peering) in blueprint.peering.iter().enumerate() {
        let at = at.to_string();
        for (number, flow) in peering.flows.iter().enumerate() {
            let number = number.to_string();
            let path = |key: &'static str| ["peering", at.as_str(), "flows", number.as_str(), key];
            let Some(other) = peering.between.iter().find(|role| **role != flow.from) else { continue };
            if !peering.between.contains(&flow.from) {
                let ends: Vec<String> = peering.between.iter().map(ToString::to_string).collect();
                faults.add(
                    fault::DANGLING_REFERENCE,
                    &path("from"),
                    format!("`{}` is no end of this connection", flow.from),
                    "not connected here",
                    suggest(flow.from.as_str(), &ends, "region"),
                );
                continue;
            }
            let mut known = true;
            for (key, name) in [("caller", &flow.caller), ("to", &flow.to)] {
                if !names.workloads.iter().any(|known| known == name.as_str()) {
                    known = false;
                    faults.add(
                        fault::DANGLING_REFERENCE,
                        &path(key),
                        format!("there is no service or component `{name}`"),
                        "no such service or component",
                        suggest(name.as_str(), &names.workloads, "service or component"),
                    );
                }
            }
            let find = |name: &Name| plan.workloads.iter().find(|workload| workload.name == name.as_str());
            let (true, Some(caller), Some(callee)) = (known, find(&flow.caller), find(&flow.to)) else {
                continue;
            };
            let stands = |role: &RoleName, workload: &WorkloadPlan| -> Vec<CrossingSubnet> {
                let Some((region, planned)) = blueprint.regions.get(role).zip(plan.regions.get(role)) else {
                    return Vec::new();
                };
                let tiers = tiers(region, workload.placement.security_group, &protected);
                planned
                    .subnets
                    .iter()
                    .filter(|subnet| {
                        let is = |tier: &RoleName| tier.as_str() == subnet.tier;
                        tiers.iter().any(is) && peering.subnets.iter().any(is)
                    })
                    .map(|subnet| CrossingSubnet { id: subnet.id.clone(), cidr: subnet.cidr.clone() })
                    .collect()
            };
            let crossing = Crossing {
                from_region: flow.from.to_string(),
                to_region: other.to_string(),
                caller: caller.name.clone(),
                callee: callee.name.clone(),
                from_group: caller.placement.security_group,
                to_group: callee.placement.security_group,
                from_subnets: stands(&flow.from, caller),
                to_subnets: stands(other, callee),
                ports: callee.ports.clone(),
            };
            for (key, role, name, subnets) in [
                ("caller", &flow.from, &flow.caller, &crossing.from_subnets),
                ("to", other, &flow.to, &crossing.to_subnets),
            ] {
                if subnets.is_empty() {
                    faults.add(
                        fault::CONTRADICTION,
                        &path(key),
                        format!("the subnets that `{name}` stands in in {role} are not among those this connection has routes for"),
                        "no route leads there",
                        "name the tier of its nodes under `subnets` of this connection, or leave `subnets` out",
                    );
                }
            }
            let ends = [&crossing.from_region, &crossing.to_region];
            let connection = plan
                .peerings
                .iter_mut()
                .find(|planned| ends.iter().all(|end| [&planned.requester, &planned.accepter].contains(end)));
            if let Some(connection) = connection {
                connection.flows.push(crossing);
            }
        }
    }
    let all = || plan.peerings.iter().flat_map(|connection| &connection.flows);
    for workload in &mut plan.workloads {
        workload.remote_callers = all().filter(|flow| flow.callee == workload.name).cloned().collect();
        workload.remote_callees = all().filter(|flow| flow.caller == workload.name).cloned().collect();
    }
}

/// The tiers in which pods of a security group stand.
fn tiers(region: &Region, group: SecurityGroup, protected: &[Name]) -> Vec<RoleName> {
    let cluster = &region.cluster;
    match group {
        SecurityGroup::Fargate => {
            cluster.fargate_profiles.values().map(|profile| profile.subnets.clone()).collect()
        }
        group => cluster
            .node_groups
            .values()
            .filter(|nodes| financial::is_financial(nodes, protected) == (group == SecurityGroup::Financial))
            .map(|nodes| nodes.subnets.clone())
            .collect(),
    }
}
