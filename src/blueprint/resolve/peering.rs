//! Connections between regions: who asks, who accepts, and every route.

use indexmap::IndexMap;

use super::Faults;
use super::names::{Names, suggest};
use crate::blueprint::model::{Blueprint, Peering};
use crate::blueprint::network::overlap;
use crate::blueprint::platform::{PeeringPlan, PeeringRoute, RegionPlan};
use crate::blueprint::scalar::RoleName;
use crate::source::fault;

pub(super) fn plan(
    blueprint: &Blueprint,
    regions: &IndexMap<RoleName, RegionPlan>,
    names: &Names,
    faults: &mut Faults<'_>,
) -> Vec<PeeringPlan> {
    let mut planned: Vec<PeeringPlan> = Vec::new();
    for (at, peering) in blueprint.peering.iter().enumerate() {
        let at = at.to_string();
        let [left, right] = &peering.between;
        let known = |role: &RoleName| names.regions.iter().any(|name| name == role.as_str());
        for (side, role) in peering.between.iter().enumerate() {
            if !known(role) {
                faults.add(
                    fault::DANGLING_REFERENCE,
                    &["peering", &at, "between", &side.to_string()],
                    format!("there is no region `{role}` to connect"),
                    "no such region",
                    suggest(role.as_str(), &names.regions, "region"),
                );
            }
        }
        let path = ["peering", at.as_str(), "between"];
        if left == right {
            faults.add(
                fault::CONTRADICTION,
                &path,
                format!("{left} cannot be connected to itself"),
                "the same region twice",
                "name two regions",
            );
            continue;
        }
        let same = |plan: &&PeeringPlan| {
            [plan.requester.as_str(), plan.accepter.as_str()]
                .iter()
                .all(|role| *role == left.as_str() || *role == right.as_str())
        };
        if planned.iter().any(|plan| same(&plan)) {
            faults.add(
                fault::CONTRADICTION,
                &path,
                format!("{left} and {right} are connected twice"),
                "a second connection",
                "keep one of the two",
            );
            continue;
        }
        let (Some(from), Some(to)) = (regions.get(left), regions.get(right)) else { continue };
        tier_faults(&at, peering, blueprint, faults);
        cidr_faults(&at, peering, blueprint, faults);
        let mut routes = routes(peering, (left, from), to);
        routes.extend(self::routes(peering, (right, to), from));
        planned.push(PeeringPlan {
            id: format!("{left}_{right}"),
            requester: left.to_string(),
            accepter: right.to_string(),
            routes,
            flows: Vec::new(),
        });
    }
    planned
}

/// A route from every table of the declared tiers on one side to every subnet of the declared tiers on the other.
fn routes(
    peering: &Peering,
    (role, here): (&RoleName, &RegionPlan),
    there: &RegionPlan,
) -> Vec<PeeringRoute> {
    let declared = |tier: &str| peering.subnets.iter().any(|name| name.as_str() == tier);
    let mut routes = Vec::new();
    for table in here.route_tables.iter().filter(|table| declared(&table.tier)) {
        for subnet in there.subnets.iter().filter(|subnet| declared(&subnet.tier)) {
            routes.push(PeeringRoute {
                region: role.to_string(),
                table: table.id.clone(),
                destination: subnet.cidr.clone(),
                subnet: subnet.id.clone(),
            });
        }
    }
    routes
}

fn tier_faults(at: &str, peering: &Peering, blueprint: &Blueprint, faults: &mut Faults<'_>) {
    for (index, tier) in peering.subnets.iter().enumerate() {
        for role in &peering.between {
            let Some(region) = blueprint.regions.get(role) else { continue };
            if !region.vpc.subnets.contains_key(tier) {
                let tiers: Vec<String> = region.vpc.subnets.keys().map(ToString::to_string).collect();
                faults.add(
                    fault::DANGLING_REFERENCE,
                    &["peering", at, "subnets", &index.to_string()],
                    format!("{role} has no subnet tier `{tier}`"),
                    "no such tier",
                    suggest(tier.as_str(), &tiers, "tier"),
                );
                break;
            }
        }
    }
}

/// AWS refuses a connection between VPCs whose ranges overlap
/// (docs.aws.amazon.com/vpc/latest/peering/invalid-peering-configurations.html).
fn cidr_faults(at: &str, peering: &Peering, blueprint: &Blueprint, faults: &mut Faults<'_>) {
    let [left, right] = &peering.between;
    let range = |role: &RoleName| blueprint.regions.get(role).and_then(|region| region.vpc.cidr.network());
    if let (Some(here), Some(there)) = (range(left), range(right))
        && overlap(here, there)
    {
        faults.add_related(
            fault::OVERLAPPING_CIDR,
            &["regions", right.as_str(), "vpc", "cidr"],
            format!(
                "the VPCs of {left} ({here}) and {right} ({there}) overlap, and peering.{at} connects them"
            ),
            "overlaps the other region",
            "give each region a range of its own; AWS refuses to connect VPCs that share addresses",
            Some((&["regions", left.as_str(), "vpc", "cidr"], "the other range")),
        );
    }
}
