//! Zones, subnets, route tables, keys and retention of every region.

use indexmap::IndexMap;
use ipnet::Ipv4Net;

use super::{Faults, financial, log_days};
use crate::blueprint::facts::{KUBERNETES_VERSION, addon_version, zone_letters};
use crate::blueprint::model::{Blueprint, Region, SubnetTier, TierKind, Vpc, Zones};
use crate::blueprint::network::{Part, VPC_PREFIXES, ZONE_LETTERS, overlap, service_range, subnet};
use crate::blueprint::platform::{KeyPlan, RegionPlan, RouteTable, SubnetPlan, Zone};
use crate::blueprint::scalar::{Name, RoleName, known};
use crate::source::fault;

pub(super) fn plan(
    blueprint: &mut Blueprint,
    prefix: &str,
    vaults: bool,
    data: (bool, bool),
    faults: &mut Faults<'_>,
) -> IndexMap<RoleName, RegionPlan> {
    let days = blueprint.compliance.log_retention_days;
    let audit = blueprint.security.audit_trail.enabled || blueprint.security.config.enabled;
    let copied = blueprint.security.audit_trail.replicate;
    let store_logs = blueprint.managed.search.values().any(|domain| domain.audit_logs)
        || !blueprint.managed.caches.is_empty();
    let volumes = blueprint.storage.classes.values().any(|class| class.kms_key.as_str() == "platform");
    let mut version = None;
    let mut planned = IndexMap::new();
    let protected = financial::groups(blueprint);
    let roles: Vec<RoleName> = blueprint.regions.keys().cloned().collect();
    for (at, role) in roles.iter().enumerate() {
        let Some(region) = blueprint.regions.get_mut(role) else { continue };
        let home = at == 0;
        let fallback = version.clone().unwrap_or_else(|| known(KUBERNETES_VERSION));
        let kubernetes = region.cluster.version.get_or_insert(fallback).clone();
        for (name, addon) in &mut region.cluster.addons {
            if addon.version.is_none() {
                addon.version = addon_version(kubernetes.as_str(), name.as_str()).map(str::to_owned);
            }
        }
        version = Some(kubernetes);
        if let Some(range) = region.vpc.cidr.network().and_then(service_range) {
            region.cluster.service_cidr.get_or_insert(known(&range.to_string()));
        }
        let (flow_wanted, flow_log_retention_days) = log_days(region.vpc.flow_logs.retention_days, days);
        region.vpc.flow_logs.retention_days = Some(flow_wanted);
        let (log_wanted, cluster_log_retention_days) = log_days(region.cluster.log_retention_days, days);
        region.cluster.log_retention_days = Some(log_wanted);
        let zones = zones(role, region, faults);
        let (subnets, route_tables) = subnets(role, &mut region.vpc, &zones, faults);
        let nat_zones = nat_zones(role, region, &zones, faults);
        service_range_faults(role, region, faults);
        planned.insert(
            role.clone(),
            RegionPlan {
                aws: region.aws.to_string(),
                home,
                cluster_name: format!("{prefix}-{role}"),
                keys: keys(
                    region,
                    &Wanted {
                        audit: (audit && (home || copied)).then_some(at),
                        volumes,
                        logs: home && store_logs,
                        vaults,
                        data: match at {
                            0 => data.0,
                            1 => data.1,
                            _ => false,
                        },
                    },
                    &protected,
                ),
                security_groups: financial::security_groups(region, &protected),
                financial_groups: financial::of_region(region, &protected),
                financial_tiers: financial::dedicated_tiers(region, &protected),
                pod_flows: Vec::new(),
                route_tables: route_tables
                    .into_iter()
                    .map(|mut table| {
                        if let Some(zone) = table.nat_zone.take() {
                            table.nat_zone = if nat_zones.contains(&zone) {
                                Some(zone)
                            } else {
                                nat_zones.first().cloned()
                            };
                        }
                        table
                    })
                    .collect(),
                zones,
                subnets,
                nat_zones,
                flow_log_retention_days,
                cluster_log_retention_days,
                ingress: None,
            },
        );
    }
    planned
}

fn zones(role: &RoleName, region: &Region, faults: &mut Faults<'_>) -> Vec<Zone> {
    let aws = region.aws.as_str();
    let path = ["regions", role.as_str(), "vpc", "zones"];
    let letters = match &region.vpc.zones {
        Zones::Letters(letters) => letters.clone(),
        Zones::Count(count) => match zone_letters(aws) {
            Ok(offered) if offered.len() < usize::from(*count) => {
                faults.add(
                    fault::INVALID_VALUE,
                    &path,
                    format!("{aws} offers {} availability zones, not {count}", offered.len()),
                    "more than the region has",
                    format!("write {} or fewer", offered.len()),
                );
                offered
            }
            Ok(offered) => offered.into_iter().take(usize::from(*count)).collect(),
            Err(help) => {
                faults.add(
                    fault::INVALID_VALUE,
                    &["regions", role.as_str(), "aws"],
                    format!("`{aws}` is no AWS region this tool knows"),
                    "unknown region",
                    help,
                );
                ZONE_LETTERS.iter().take(usize::from(*count)).map(ToString::to_string).collect()
            }
        },
    };
    let mut seen: Vec<&String> = Vec::new();
    for letter in &letters {
        if seen.contains(&letter) {
            faults.add(
                fault::CONTRADICTION,
                &path,
                format!("zone `{letter}` of {role} is named twice"),
                "twice",
                "name each zone once",
            );
        }
        seen.push(letter);
    }
    if letters.len() < 2 {
        faults.add(
            fault::INVALID_VALUE,
            &path,
            format!("{role} has one availability zone; an EKS cluster needs subnets in at least two"),
            "too few",
            "write 3, so that the loss of a zone leaves a majority",
        );
    }
    letters.into_iter().map(|letter| Zone { name: format!("{aws}{letter}"), letter }).collect()
}

fn subnets(
    role: &RoleName,
    vpc: &mut Vpc,
    zones: &[Zone],
    faults: &mut Faults<'_>,
) -> (Vec<SubnetPlan>, Vec<RouteTable>) {
    let mut planned = Vec::new();
    let mut tables = Vec::new();
    let Some(range) = vpc.cidr.network() else { return (planned, tables) };
    if !VPC_PREFIXES.contains(&range.prefix_len()) {
        faults.add(
            fault::CIDR_TOO_SMALL,
            &["regions", role.as_str(), "vpc", "cidr"],
            format!("{range} has a prefix of /{}; a VPC's range is /16 to /20", range.prefix_len()),
            if range.prefix_len() > 20 { "no room for the subnets" } else { "larger than AWS allows" },
            format!(
                "write {}",
                Ipv4Net::new(range.network(), 16)
                    .map_or_else(|_| range.to_string(), |net| net.trunc().to_string())
            ),
        );
        return (planned, tables);
    }
    let mut taken: Vec<(String, Ipv4Net)> = Vec::new();
    for (tier, settings) in &mut vpc.subnets {
        let path = ["regions", role.as_str(), "vpc", "subnets", tier.as_str()];
        let kind = *settings.kind.get_or_insert(match tier.as_str() {
            "public" => TierKind::Public,
            "private" | financial::TIER => TierKind::Private,
            _ => TierKind::Isolated,
        });
        let internet = *settings.internet_route.get_or_insert(kind == TierKind::Public);
        let slot = settings.slot.map(Part::Slot);
        let part = match Part::of(tier.as_str()) {
            // The name came later than the slots: who said one keeps it.
            Some(Part::Financial) => slot.or(Some(Part::Financial)),
            own => own.or(slot),
        };
        tier_tables(&mut tables, tier, kind, internet, zones);
        for zone in zones {
            let explicit = settings.cidrs.get(&zone.letter).and_then(crate::blueprint::scalar::Cidr::network);
            let Some(cidr) = explicit.or_else(|| part.and_then(|part| subnet(range, part, &zone.letter)))
            else {
                if settings.cidrs.is_empty() || part.is_none() {
                    faults.add(
                        fault::MISSING_KEY,
                        &path,
                        format!("the subnet tier `{tier}` of {role} says neither its slot nor a range for zone {}", zone.letter),
                        "which part of the VPC?",
                        "add `slot: 0` (a number from 0 to 3 that no other tier of this VPC uses)",
                    );
                    break;
                }
                continue;
            };
            subnet_faults(role, tier, zone, (range, cidr), explicit.is_some(), &taken, faults);
            taken.push((format!("{tier} {}", zone.letter), cidr));
            planned.push(SubnetPlan {
                id: format!("{tier}_{}", zone.letter),
                tier: tier.to_string(),
                kind,
                zone: zone.letter.clone(),
                zone_name: zone.name.clone(),
                cidr: cidr.to_string(),
                public_ip_on_launch: settings.public_ip_on_launch,
                route_table: table_id(tier, kind, zone),
            });
        }
    }
    (planned, tables)
}

fn table_id(tier: &RoleName, kind: TierKind, zone: &Zone) -> String {
    if kind == TierKind::Private { format!("{tier}_{}", zone.letter) } else { tier.to_string() }
}

fn tier_tables(
    tables: &mut Vec<RouteTable>,
    tier: &RoleName,
    kind: TierKind,
    internet: bool,
    zones: &[Zone],
) {
    let private = kind == TierKind::Private;
    for zone in if private { zones } else { zones.get(..1).unwrap_or_default() } {
        tables.push(RouteTable {
            id: table_id(tier, kind, zone),
            tier: tier.to_string(),
            internet,
            // A table has one default route; a route to the internet gateway takes the place of the NAT gateway.
            nat_zone: (private && !internet).then(|| zone.letter.clone()),
        });
    }
}

fn subnet_faults(
    role: &RoleName,
    tier: &RoleName,
    zone: &Zone,
    (vpc, cidr): (Ipv4Net, Ipv4Net),
    explicit: bool,
    taken: &[(String, Ipv4Net)],
    faults: &mut Faults<'_>,
) {
    let path = ["regions", role.as_str(), "vpc", "subnets", tier.as_str(), "cidrs", &zone.letter];
    if explicit && !vpc.contains(&cidr) {
        faults.add(
            fault::INVALID_VALUE,
            &path,
            format!("{cidr} lies outside of the VPC's range {vpc}"),
            "outside of the VPC",
            format!("choose a range inside {vpc}, or leave it out and the plan chooses one"),
        );
    }
    if explicit && !(16..=28).contains(&cidr.prefix_len()) {
        faults.add(
            fault::INVALID_VALUE,
            &path,
            format!("{cidr} has a prefix of /{}; a subnet's is /16 to /28", cidr.prefix_len()),
            "not a size AWS has",
            "choose a prefix of /16 to /28",
        );
    }
    if let Some((other, range)) = taken.iter().find(|(_, range)| overlap(*range, cidr)) {
        faults.add(
            fault::OVERLAPPING_CIDR,
            &path,
            format!("subnet {tier} {} of {role} ({cidr}) overlaps subnet {other} ({range})", zone.letter),
            "overlaps another subnet",
            "choose another range or slot; two subnets cannot share an address",
        );
    }
}

fn nat_zones(role: &RoleName, region: &Region, zones: &[Zone], faults: &mut Faults<'_>) -> Vec<String> {
    let vpc = &region.vpc;
    // Where templates put the gateways: the tier of this name, or else the first of this kind.
    let is_public = |(_, tier): &(&RoleName, &SubnetTier)| tier.kind == Some(TierKind::Public);
    let named = vpc.subnets.get_key_value("public").filter(is_public);
    let public = named.or_else(|| vpc.subnets.iter().find(is_public));
    let private = vpc.subnets.values().any(|tier| tier.kind == Some(TierKind::Private));
    if !vpc.nat.enabled || !private {
        return Vec::new();
    }
    let Some((tier, settings)) = public else {
        faults.add(
            fault::CONTRADICTION,
            &["regions", role.as_str(), "vpc", "nat"],
            format!("NAT gateways of {role} stand in public subnets, and it has none"),
            "needs a public tier",
            "add `public: {}` to `subnets`, or write `nat: {enabled: false}`",
        );
        return Vec::new();
    };
    if settings.internet_route == Some(false) {
        faults.add(
            fault::CONTRADICTION,
            &["regions", role.as_str(), "vpc", "subnets", tier.as_str(), "internetRoute"],
            format!(
                "NAT gateways of {role} stand in the {tier} subnets, which have no route to the internet"
            ),
            "no way out",
            "leave `internetRoute` out, or write `nat: {enabled: false}`",
        );
    }
    let wanted = if vpc.nat.per_zone { zones.len() } else { 1 };
    zones.iter().take(wanted).map(|zone| zone.letter.clone()).collect()
}

fn service_range_faults(role: &RoleName, region: &Region, faults: &mut Faults<'_>) {
    if let (Some(service), Some(vpc)) = (
        region.cluster.service_cidr.as_ref().and_then(super::super::scalar::Cidr::network),
        region.vpc.cidr.network(),
    ) {
        let inside = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
            .iter()
            .filter_map(|range| range.parse::<Ipv4Net>().ok())
            .any(|range| range.contains(&service));
        let path = ["regions", role.as_str(), "cluster", "serviceCidr"];
        if !inside || !(12..=24).contains(&service.prefix_len()) {
            faults.add(
                fault::INVALID_VALUE,
                &path,
                format!("{service} cannot hold service addresses"),
                "not a range EKS takes",
                "choose /24 to /12 inside of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, or leave it out",
            );
        }
        if overlap(service, vpc) {
            faults.add_related(
                fault::OVERLAPPING_CIDR,
                &path,
                format!("the service addresses {service} of {role} overlap its VPC {vpc}"),
                "overlaps the VPC",
                "choose another range, or leave it out",
                Some((&["regions", role.as_str(), "vpc", "cidr"], "the VPC's range")),
            );
        }
    }
}

/// What a region needs keys for, beside what its own settings say.
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
struct Wanted {
    /// The region's place among the regions if there are audit records: the first keeps them, the second a copy.
    audit: Option<usize>,
    /// Volumes of a storage class.
    volumes: bool,
    /// Logs of managed data stores.
    logs: bool,
    /// Vaults of backups.
    vaults: bool,
    /// Buckets, file systems and managed data stores.
    data: bool,
}

fn keys(region: &Region, wanted: &Wanted, protected: &[Name]) -> Vec<KeyPlan> {
    let Wanted { audit, volumes, logs, vaults, data } = *wanted;
    let platform = |key: &crate::blueprint::scalar::KmsKey| key.as_str() == "platform";
    let cluster = &region.cluster;
    let mut keys = Vec::new();
    if platform(&cluster.secrets_kms_key) {
        keys.push(KeyPlan { purpose: "cluster", description: "Kubernetes secrets" });
    }
    let disks = |financial: bool| {
        cluster.node_groups.values().any(|group| {
            platform(&group.disk.kms_key) && financial::is_financial(group, protected) == financial
        })
    };
    if volumes || disks(false) {
        keys.push(KeyPlan { purpose: "volumes", description: "disks of nodes and pods" });
    }
    if disks(true) {
        keys.push(KeyPlan { purpose: "financial", description: "disks of nodes that handle protected data" });
    }
    if platform(&cluster.log_kms_key)
        || (region.vpc.flow_logs.enabled && platform(&region.vpc.flow_logs.kms_key))
        || audit == Some(0)
        || logs
    {
        keys.push(KeyPlan { purpose: "logs", description: "log groups" });
    }
    match audit {
        Some(0) => keys.push(KeyPlan { purpose: "audit", description: "the audit trail and its bucket" }),
        Some(1) => keys.push(KeyPlan { purpose: "audit", description: "the copy of the audit records" }),
        _ => {}
    }
    if vaults {
        keys.push(KeyPlan { purpose: "backup", description: "vaults of backups" });
    }
    if data {
        keys.push(KeyPlan { purpose: "data", description: "buckets, file systems and managed data stores" });
    }
    keys
}
