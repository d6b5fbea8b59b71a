//! From a platform to its picture: who calls whom, who can reach cardholder data, which regions are connected.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::Platform;
use crate::blueprint::model::DataKind;
use crate::blueprint::platform::{Crossing, PortPlan};
use crate::blueprint::scalar::RoleName;

use super::build::Register;
use super::model::{Area, AreaKind, Edge, EdgeKind, Node, NodeId, NodeKind, Peering, Picture, Reach};

/// Adds every edge, and what the picture has outside of the regions.
pub(super) fn connect(platform: &Platform, register: &mut Register, picture: &mut Picture) {
    let mut edges = way_in(platform, register, picture);
    for workload in &platform.plan.workloads {
        let Some(from) = register.callees.get(&workload.name).copied() else { continue };
        let mut call = |to: &str, ports: &[u16]| {
            if let Some(to_id) = register.callees.get(to) {
                let label = join(ports);
                let words = if label.is_empty() {
                    format!("{} calls {to}", workload.name)
                } else {
                    format!("{} calls {to} on {label}", workload.name)
                };
                edges.push(edge(from, *to_id, EdgeKind::Call, words, label));
            }
        };
        for callee in &workload.callees {
            call(&callee.name, &numbers(&callee.ports));
        }
        for store in &workload.stores {
            call(&store.name, &store.ports);
        }
        for (bucket, to) in &register.buckets {
            let mut actions = Vec::new();
            for permission in &workload.spec.permissions {
                if permission.resources.iter().any(|resource| names_bucket(resource, bucket)) {
                    actions.extend(permission.actions.iter().map(String::as_str));
                }
            }
            if !actions.is_empty() {
                let words = format!("{} may use {bucket}: {}", workload.name, actions.join(", "));
                edges.push(edge(from, *to, EdgeKind::Permission, words, "S3".to_owned()));
            }
        }
    }
    // The same address for the same purpose is one thing, whoever calls it.
    let mut outside: BTreeMap<(String, String, Vec<u16>), NodeId> = BTreeMap::new();
    for workload in &platform.plan.workloads {
        let Some(from) = register.callees.get(&workload.name).copied() else { continue };
        for egress in &workload.spec.egress {
            let key = (egress.cidr.to_string(), egress.purpose.clone(), egress.ports.clone());
            let ports = join(&egress.ports);
            let to = *outside.entry(key).or_insert_with(|| {
                let mut node = register.node(NodeKind::Outside, &egress.purpose);
                node.note = format!(":{ports}");
                node.facts.push(egress.cidr.to_string());
                let id = node.id;
                picture.outside.push(node);
                id
            });
            if edges.iter().any(|edge| edge.from == from && edge.to == to) {
                continue;
            }
            let words = format!("{} calls {} ({}) on {ports}", workload.name, egress.cidr, egress.purpose);
            edges.push(edge(from, to, EdgeKind::Egress, words, ports));
        }
    }
    picture.edges = edges;
    mark(picture);
    picture.summary = summary(picture);
}

fn edge(from: NodeId, to: NodeId, kind: EdgeKind, words: String, label: String) -> Edge {
    Edge { from, to, kind, words, label, cardholder: false }
}

fn numbers(ports: &[PortPlan]) -> Vec<u16> {
    ports.iter().map(|port| port.port).collect()
}

fn join(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

/// Whether a resource of a permission is this bucket or objects in it. A pattern for more than one bucket names none.
fn names_bucket(resource: &str, bucket: &str) -> bool {
    let name = resource.rsplit_once(":::").map_or(resource, |(_, name)| name);
    name.split('/').next() == Some(bucket)
}

fn way_in(platform: &Platform, register: &mut Register, picture: &mut Picture) -> Vec<Edge> {
    let (Some(ingress), Some(door)) = (&platform.blueprint.ingress, register.door) else { return Vec::new() };
    let who = if ingress.internal {
        "the VPC and its peers".to_owned()
    } else if ingress.allowed_cidrs.is_empty() {
        "the internet".to_owned()
    } else {
        "certain networks".to_owned()
    };
    let mut source = register.node(NodeKind::Source, &who);
    source.facts.extend(ingress.allowed_cidrs.iter().map(ToString::to_string));
    let words = format!("{who} calls {} on 443", ingress.host);
    let mut edges = vec![edge(source.id, door, EdgeKind::WayIn, words, "443".to_owned())];
    picture.source = Some(source);
    let mut paths: BTreeMap<NodeId, Vec<&str>> = BTreeMap::new();
    for route in &ingress.routes {
        if let Some(to) = register.callees.get(route.service.as_str()) {
            paths.entry(*to).or_default().push(route.path.as_str());
        }
    }
    let names: BTreeMap<NodeId, &String> = register.callees.iter().map(|(name, id)| (*id, name)).collect();
    for (to, paths) in paths {
        let paths = paths.join(", ");
        let words =
            format!("{} leads to {} for {paths}", ingress.host, names.get(&to).map_or("", |name| name));
        edges.push(edge(door, to, EdgeKind::WayIn, words, paths));
    }
    edges
}

/// Says of everything how near it is to cardholder data.
fn mark(picture: &mut Picture) {
    let holds: BTreeSet<NodeId> = picture
        .nodes()
        .into_iter()
        .filter(|node| node.handles.contains(&DataKind::CardholderData))
        .map(|node| node.id)
        .collect();
    for edge in &mut picture.edges {
        edge.cardholder = holds.contains(&edge.to);
    }
    let mut reach: BTreeMap<NodeId, Reach> = holds.iter().map(|id| (*id, Reach::Holds)).collect();
    let mut ends: Vec<NodeId> = holds.into_iter().collect();
    let mut next = Reach::Direct;
    while !ends.is_empty() {
        let callers: BTreeSet<NodeId> = picture
            .edges
            .iter()
            .filter(|edge| ends.contains(&edge.to) && !reach.contains_key(&edge.from))
            .map(|edge| edge.from)
            .collect();
        reach.extend(callers.iter().map(|id| (*id, next)));
        ends = callers.into_iter().collect();
        next = Reach::Indirect;
    }
    let mut set = |node: &mut Node| node.reach = reach.get(&node.id).copied().unwrap_or(Reach::None);
    picture.source.iter_mut().chain(&mut picture.outside).for_each(&mut set);
    for region in &mut picture.regions {
        each_node(region, &mut set);
    }
}

fn each_node(area: &mut Area, see: &mut impl FnMut(&mut Node)) {
    area.nodes.iter_mut().for_each(&mut *see);
    for area in &mut area.areas {
        each_node(area, see);
    }
}

/// The picture's answer in words.
fn summary(picture: &Picture) -> Vec<String> {
    let mut places = Vec::new();
    for region in &picture.regions {
        region.walk(&mut |area| {
            let holding = area.nodes.iter().filter(|node| node.reach == Reach::Holds);
            let names: Vec<&str> = holding.map(|node| node.name.as_str()).collect();
            if !names.is_empty() {
                let group = matches!(area.kind, AreaKind::NodeGroup | AreaKind::Fargate);
                let on = if group { format!(" on {}", area.label()) } else { String::new() };
                places.push(format!("{}{on}", listed(&names)));
            }
        });
    }
    if places.is_empty() {
        return vec!["No service handles cardholder data.".to_owned()];
    }
    let named = |reach: Reach| -> Vec<&str> {
        let nodes = picture.nodes().into_iter().filter(|node| node.reach == reach);
        nodes.map(|node| node.name.as_str()).collect()
    };
    let mut sentences = vec![format!("Cardholder data lives in {}.", places.join("; "))];
    let direct = named(Reach::Direct);
    sentences.push(if direct.is_empty() {
        "Nothing calls it.".to_owned()
    } else {
        format!("Called directly by {}.", listed(&direct))
    });
    let indirect = named(Reach::Indirect);
    if !indirect.is_empty() {
        sentences.push(format!("Through these also by {}.", listed(&indirect)));
    }
    sentences
}

fn listed(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The connections between regions.
pub(super) fn peerings(platform: &Platform) -> Vec<Peering> {
    let place = |role: &str| platform.plan.regions.get_index_of(role);
    let mut peerings = Vec::new();
    for plan in &platform.plan.peerings {
        let (Some(from), Some(to)) = (place(&plan.requester), place(&plan.accepter)) else { continue };
        let tiers = tiers(platform, [plan.requester.as_str(), plan.accepter.as_str()]);
        let words =
            format!("{} is connected with {}: subnets {}", plan.requester, plan.accepter, tiers.join(", "));
        peerings.push(Peering { from, to, words, calls: plan.flows.iter().map(crossing).collect() });
    }
    peerings
}

/// What a region's connections are, a line each, and which calls may cross.
pub(super) fn connections(platform: &Platform, role: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for plan in &platform.plan.peerings {
        let ends = [plan.requester.as_str(), plan.accepter.as_str()];
        let [one, other] = ends;
        if !ends.contains(&role) {
            continue;
        }
        let there = if one == role { other } else { one };
        lines.push(format!("VPC connected with {there}: {}", tiers(platform, ends).join(", ")));
        lines.extend(plan.flows.iter().filter(|flow| flow.from_region == role).map(crossing));
    }
    lines
}

/// The subnet tiers that a connection declares.
fn tiers<'a>(platform: &'a Platform, ends: [&str; 2]) -> Vec<&'a str> {
    let declared = platform.blueprint.peering.iter();
    let declared = declared.filter(|peering| peering.between.each_ref().map(RoleName::as_str) == ends);
    declared.flat_map(|peering| &peering.subnets).map(RoleName::as_str).collect()
}

fn crossing(flow: &Crossing) -> String {
    format!(
        "{} in {} calls {} in {} on {}",
        flow.caller,
        flow.from_region,
        flow.callee,
        flow.to_region,
        join(&numbers(&flow.ports))
    )
}
