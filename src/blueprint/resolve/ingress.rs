//! The way in from outside, in every region: which subnets its load balancer stands in, and which nodes it leads to.

use sha2::{Digest as _, Sha256};

use super::Faults;
use super::names::suggest;
use crate::blueprint::model::{Blueprint, Ingress, NodeClass, NodeGroup, Taint, TaintEffect, TierKind};
use crate::blueprint::platform::{IngressPlan, Plan, RegionIngress, RegionPlan};
use crate::blueprint::scalar::RoleName;
use crate::source::fault;

/// A load balancer's name has at most 32 characters:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html>.
const LONGEST_NAME: usize = 32;

pub(super) fn plan(blueprint: &Blueprint, plan: &mut Plan, faults: &mut Faults<'_>) {
    let Some(ingress) = &blueprint.ingress else { return };
    certificate_faults(blueprint, ingress, faults);
    let home = blueprint.regions.values().next();
    let tolerated = home
        .map(|region| tolerated(&region.cluster.node_groups.values().collect::<Vec<_>>()))
        .unwrap_or_default();
    for (role, region) in &mut plan.regions {
        let subnets = subnets(role, region, ingress.internal, faults);
        let groups = blueprint.regions.get(role).map(|region| &region.cluster.node_groups);
        region.ingress = Some(RegionIngress {
            load_balancer: load_balancer(&plan.prefix, role),
            cidrs: subnets.iter().map(|(_, cidr)| cidr.clone()).collect(),
            subnets: subnets.into_iter().map(|(id, _)| id).collect(),
            node_groups: groups
                .into_iter()
                .flatten()
                .filter(|(_, group)| refusing(group).all(|taint| tolerated.contains(taint)))
                .map(|(name, _)| name.to_string())
                .collect(),
        });
    }
    plan.ingress = Some(IngressPlan { tolerations: tolerated });
}

/// Taints that keep pods away.
fn refusing(group: &NodeGroup) -> impl Iterator<Item = &Taint> {
    group.taints.iter().flatten().filter(|taint| taint.effect != TaintEffect::PreferNoSchedule)
}

/// Where no node group is free of taints, the controller tolerates those of one, and rather not of one that is for
/// financial services.
fn tolerated(groups: &[&NodeGroup]) -> Vec<Taint> {
    if groups.iter().any(|group| refusing(group).next().is_none()) {
        return Vec::new();
    }
    let chosen = groups.iter().find(|group| group.class != NodeClass::Financial);
    chosen.or_else(|| groups.first()).map(|group| refusing(group).cloned().collect()).unwrap_or_default()
}

/// The subnets of the load balancer with their ranges: public ones, or private ones where only the VPC may connect.
fn subnets(
    role: &RoleName,
    region: &RegionPlan,
    internal: bool,
    faults: &mut Faults<'_>,
) -> Vec<(String, String)> {
    let (kind, named) = if internal { (TierKind::Private, "private") } else { (TierKind::Public, "public") };
    let of_kind = || region.subnets.iter().filter(|subnet| subnet.kind == kind);
    let tier = of_kind().find(|subnet| subnet.tier == named).or_else(|| of_kind().next());
    let Some(tier) = tier.map(|subnet| subnet.tier.clone()) else {
        // Without any subnet the range of the VPC is a finding already.
        if !region.subnets.is_empty() {
            faults.add(
                fault::CONTRADICTION,
                &["regions", role.as_str(), "vpc", "subnets"],
                format!("the load balancer of {role} stands in {named} subnets, and it has none"),
                "no place for the load balancer",
                if internal {
                    "add `private: {}` to `subnets`"
                } else {
                    "add `public: {}` to `subnets`, or write `internal: true` under `ingress`"
                },
            );
        }
        return Vec::new();
    };
    of_kind()
        .filter(|subnet| subnet.tier == tier)
        .map(|subnet| (subnet.id.clone(), subnet.cidr.clone()))
        .collect()
}

/// `nexafi-production-primary`, or as much of it as fits and a mark that keeps it apart from others.
fn load_balancer(prefix: &str, role: &RoleName) -> String {
    let full = format!("{prefix}-{role}");
    if full.len() <= LONGEST_NAME {
        return full;
    }
    let mark = Sha256::digest(&full).iter().take(4).fold(0_u32, |mark, byte| mark << 8 | u32::from(*byte));
    let mark = format!("{mark:08x}");
    let kept: String = full.chars().take(LONGEST_NAME - mark.len() - 1).collect();
    format!("{}-{mark}", kept.trim_end_matches('-'))
}

/// A load balancer's certificate stands in its own region, in AWS Certificate Manager
/// (docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html).
fn certificate_faults(blueprint: &Blueprint, ingress: &Ingress, faults: &mut Faults<'_>) {
    let path = ["ingress", "tls", "certificates"];
    let roles: Vec<String> = blueprint.regions.keys().map(ToString::to_string).collect();
    for (role, region) in &blueprint.regions {
        let at = [&path[..], &[role.as_str()]].concat();
        let Some(arn) = ingress.tls.certificates.get(role) else {
            if !faults.is_written(&at) {
                faults.add(
                    fault::MISSING_KEY,
                    &path,
                    format!("the load balancer of {role} has no certificate"),
                    "no certificate for this region",
                    format!(
                        "add `{role}: \"arn:aws:acm:{}:ACCOUNT:certificate/ID\"` under `ingress.tls.certificates`: a certificate for {} in that region's Certificate Manager",
                        region.aws, ingress.host
                    ),
                );
            }
            continue;
        };
        let parts: Vec<&str> = arn.as_str().splitn(6, ':').collect();
        let fits = matches!(parts.as_slice(), [_, _, "acm", aws, _, resource]
            if *aws == region.aws.as_str() && resource.starts_with("certificate/"));
        if !fits {
            faults.add(
                fault::INVALID_VALUE,
                &at,
                format!("the load balancer of {role} cannot use `{arn}`"),
                "not a certificate of this region",
                format!("name a certificate of AWS Certificate Manager in {}: arn:aws:acm:{}:ACCOUNT:certificate/ID", region.aws, region.aws),
            );
        }
    }
    for role in ingress.tls.certificates.keys() {
        if !blueprint.regions.contains_key(role) {
            faults.add(
                fault::DANGLING_REFERENCE,
                &[&path[..], &[role.as_str()]].concat(),
                format!("there is a certificate for the region `{role}`, and no such region"),
                "no such region",
                suggest(role.as_str(), &roles, "region"),
            );
        }
    }
}
