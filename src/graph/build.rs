//! From a platform to its picture: the boxes and the things in them.

use std::collections::BTreeMap;

use crate::blueprint::Platform;
use crate::blueprint::model::{
    Cluster, DataClassification, DataKind, FargateProfile, NodeGroup, Region, Taint, TaintEffect, TierKind,
};
use crate::blueprint::platform::{RegionPlan, WorkloadPlan};
use crate::blueprint::scalar::{InstanceType, KmsKey};

use super::edges;
use super::model::{Area, AreaKind, DATA, Node, NodeId, NodeKind, Picture, Reach};

/// The tier that managed data stores stand in.
const STORES: &str = "database";

/// Gives every thing its number, and remembers whom edges will ask for.
#[derive(Default)]
pub(super) struct Register {
    next: NodeId,
    /// Workloads and managed stores: their names are one space in `dependsOn`.
    pub(super) callees: BTreeMap<String, NodeId>,
    /// Buckets by their name in AWS.
    pub(super) buckets: BTreeMap<String, NodeId>,
    /// The load balancer of the active region.
    pub(super) door: Option<NodeId>,
}

impl Register {
    pub(super) fn node(&mut self, kind: NodeKind, name: impl Into<String>) -> Node {
        let id = self.next;
        self.next += 1;
        Node {
            id,
            kind,
            name: name.into(),
            note: String::new(),
            facts: Vec::new(),
            handles: Vec::new(),
            reach: Reach::None,
        }
    }
}

pub(super) fn picture(platform: &Platform) -> Picture {
    let mut register = Register::default();
    let mut regions = Vec::new();
    for (role, region) in &platform.blueprint.regions {
        if let Some(plan) = platform.plan.regions.get(role) {
            regions.push(self::region(platform, (role.as_str(), region, plan), &mut register));
        }
    }
    let mut picture = Picture {
        title: format!("{}, {}", platform.blueprint.name, platform.blueprint.environment.as_str()),
        classification: match platform.blueprint.data_classification {
            DataClassification::Public => "public",
            DataClassification::Internal => "internal",
            DataClassification::Confidential => "confidential",
            DataClassification::Restricted => "restricted",
        },
        summary: Vec::new(),
        regions,
        source: None,
        outside: Vec::new(),
        edges: Vec::new(),
        peerings: edges::peerings(platform),
    };
    edges::connect(platform, &mut register, &mut picture);
    picture
}

/// Sorted by how sensitive it is, each kind once.
fn data(kinds: impl IntoIterator<Item = DataKind>) -> Vec<DataKind> {
    let seen: Vec<DataKind> = kinds.into_iter().collect();
    DATA.into_iter().filter(|kind| seen.contains(kind)).collect()
}

fn area(kind: AreaKind, name: &str, facts: Vec<String>, areas: Vec<Area>, nodes: Vec<Node>) -> Area {
    let inside = areas.iter().flat_map(|area| &area.holds);
    let holds = data(inside.chain(nodes.iter().flat_map(|node| &node.handles)).copied());
    Area { kind, name: name.to_owned(), facts, holds, stands_for: Vec::new(), areas, nodes }
}

fn region(
    platform: &Platform,
    (role, region, plan): (&str, &Region, &RegionPlan),
    register: &mut Register,
) -> Area {
    let (mut outside_cluster, mut in_cluster): (Vec<Area>, Vec<Area>) = (Vec::new(), Vec::new());
    let mut below = Vec::new();
    for (tier, settings) in &region.vpc.subnets {
        let made = self::tier(platform, (role, region, plan), tier.as_str(), register);
        let with_pods = !made.areas.is_empty();
        if with_pods {
            in_cluster.push(made);
        } else if settings.kind == Some(TierKind::Public) {
            outside_cluster.push(made);
        } else {
            below.push(made);
        }
    }
    let stray = stray(platform, plan, region, register);
    let cluster =
        area(AreaKind::Cluster, &plan.cluster_name, cluster_facts(&region.cluster), in_cluster, stray);
    outside_cluster.push(cluster);
    outside_cluster.append(&mut below);
    let vpc = area(AreaKind::Vpc, region.vpc.cidr.as_str(), vpc_facts(region), outside_cluster, Vec::new());
    let mut facts = Vec::new();
    if platform.blueprint.regions.len() > 1 {
        facts.push(if plan.home { "active" } else { "stands by" }.to_owned());
    }
    facts.extend(edges::connections(platform, role));
    let mut areas = vec![vpc];
    areas.extend(regional(platform, role, plan, register));
    area(AreaKind::Region, &format!("{role} · {}", plan.aws), facts, areas, Vec::new())
}

fn vpc_facts(region: &Region) -> Vec<String> {
    let logs = if region.vpc.flow_logs.enabled { "flow logs on" } else { "no flow logs" };
    vec![logs.to_owned()]
}

fn cluster_facts(cluster: &Cluster) -> Vec<String> {
    let endpoint = &cluster.endpoint;
    let reach = match (endpoint.public, endpoint.private) {
        (true, true) => "API server public and private",
        (true, false) => "API server public",
        (false, _) => "API server private",
    };
    let version = cluster.version.as_ref().map(|version| format!("Kubernetes {version}"));
    let secrets = format!("secrets: {}", key(&cluster.secrets_kms_key, "cluster"));
    version.into_iter().chain([reach.to_owned(), secrets]).collect()
}

fn tier(
    platform: &Platform,
    (role, region, plan): (&str, &Region, &RegionPlan),
    tier: &str,
    register: &mut Register,
) -> Area {
    let subnets: Vec<_> = plan.subnets.iter().filter(|subnet| subnet.tier == tier).collect();
    let mut facts = Vec::new();
    if let Some(first) = subnets.first() {
        facts.push(
            match first.kind {
                TierKind::Public => "public: internet gateway",
                TierKind::Private => "private: out through NAT",
                TierKind::Isolated => "isolated: no way out",
            }
            .to_owned(),
        );
    }
    facts.extend(subnets.iter().map(|subnet| format!("{}  {}", subnet.zone_name, subnet.cidr)));
    let mut areas = Vec::new();
    for (name, group) in &region.cluster.node_groups {
        if group.subnets.as_str() == tier {
            let workloads = if plan.home { placed(platform, Some(name.as_str()), None) } else { Vec::new() };
            let nodes = workloads.into_iter().map(|workload| self::workload(workload, register)).collect();
            let financial = plan.financial_groups.iter().any(|known| known == name.as_str());
            let mut made =
                area(AreaKind::NodeGroup, name.as_str(), group_facts(group, financial), Vec::new(), nodes);
            if let Some(mirrored) = &group.mirrors {
                let workloads = placed(platform, Some(mirrored.as_str()), None);
                made.stands_for =
                    data(workloads.iter().flat_map(|workload| workload.handles.iter().copied()));
            }
            areas.push(made);
        }
    }
    for (name, profile) in &region.cluster.fargate_profiles {
        if profile.subnets.as_str() == tier {
            let workloads = if plan.home { placed(platform, None, Some(name.as_str())) } else { Vec::new() };
            let nodes = workloads.into_iter().map(|workload| self::workload(workload, register)).collect();
            areas.push(area(AreaKind::Fargate, name.as_str(), profile_facts(profile), Vec::new(), nodes));
        }
    }
    let mut nodes = Vec::new();
    let door = plan.ingress.as_ref().filter(|ingress| {
        subnets.iter().any(|subnet| ingress.subnets.first().is_some_and(|first| *first == subnet.id))
    });
    if door.is_some() {
        nodes.extend(self::door(platform, role, plan, register));
    }
    if plan.home && tier == STORES {
        nodes.extend(stores(platform, register));
    }
    area(AreaKind::Tier, tier, facts, areas, nodes)
}

fn placed<'a>(platform: &'a Platform, group: Option<&str>, profile: Option<&str>) -> Vec<&'a WorkloadPlan> {
    let here = |workload: &&WorkloadPlan| {
        let placement = &workload.placement;
        if profile.is_some() {
            placement.fargate_profile.as_deref() == profile
        } else {
            placement.fargate_profile.is_none() && placement.node_group.as_deref() == group
        }
    };
    platform.plan.workloads.iter().filter(here).collect()
}

/// Workloads and stores whose place is in no tier that is there: they are shown all the same.
fn stray(platform: &Platform, plan: &RegionPlan, region: &Region, register: &mut Register) -> Vec<Node> {
    if !plan.home {
        return Vec::new();
    }
    let mut nodes = Vec::new();
    for workload in &platform.plan.workloads {
        if !register.callees.contains_key(&workload.name) {
            nodes.push(self::workload(workload, register));
        }
    }
    if !region.vpc.subnets.contains_key(STORES) {
        nodes.extend(stores(platform, register));
    }
    nodes
}

fn workload(workload: &WorkloadPlan, register: &mut Register) -> Node {
    let kind = if workload.group == "components" { NodeKind::Component } else { NodeKind::Service };
    let mut node = register.node(kind, &workload.name);
    register.callees.insert(workload.name.clone(), node.id);
    node.note = format!(":{} ×{}", workload.spec.port, workload.spec.replicas);
    node.handles = data(workload.handles.iter().copied());
    node.facts.push(format!("namespace {}", workload.namespace));
    let ports: Vec<String> =
        workload.ports.iter().map(|port| format!("{} ({})", port.port, port.name)).collect();
    node.facts.push(format!("listens on {}", ports.join(", ")));
    let pods = if workload.spec.replicas == 1 { "pod" } else { "pods" };
    node.facts.push(format!("{} {pods}", workload.spec.replicas));
    if let Some(class) = &workload.storage_class {
        node.facts.push(format!("keeps data on volumes of class {class}"));
    }
    node
}

fn stores(platform: &Platform, register: &mut Register) -> Vec<Node> {
    let mut nodes = Vec::new();
    for store in &platform.plan.managed {
        let mut node = register.node(NodeKind::Store, &store.name);
        register.callees.insert(store.name.clone(), node.id);
        let (note, what) = match store.kind {
            "caches" => ("cache", "a cache in ElastiCache"),
            "brokers" => ("broker", "RabbitMQ in Amazon MQ"),
            _ => ("search", "an OpenSearch domain"),
        };
        note.clone_into(&mut node.note);
        node.facts.push(what.to_owned());
        let ports: Vec<String> = store.ports.iter().map(u16::to_string).collect();
        node.facts.push(format!("listens on {}", ports.join(", ")));
        nodes.push(node);
    }
    nodes
}

fn door(platform: &Platform, role: &str, plan: &RegionPlan, register: &mut Register) -> Option<Node> {
    let (ingress, here) = (platform.blueprint.ingress.as_ref()?, plan.ingress.as_ref()?);
    let mut node = register.node(NodeKind::LoadBalancer, ingress.host.as_str());
    if plan.home {
        register.door = Some(node.id);
    }
    ":443".clone_into(&mut node.note);
    node.facts.push(if ingress.waf.enabled { "web application firewall" } else { "no firewall" }.into());
    node.facts.push(format!("ingress controller on {}", here.node_groups.join(", ")));
    node.facts.push(format!("load balancer {} in {role}", here.load_balancer));
    Some(node)
}

fn group_facts(group: &NodeGroup, financial: bool) -> Vec<String> {
    let purpose = if financial { "financial" } else { "volumes" };
    let mut facts = Vec::new();
    match &group.mirrors {
        Some(mirrored) => facts.push(format!("stands by for {mirrored}")),
        None => facts.push(format!("class {}", group.class.as_str())),
    }
    let taints = group.taints.as_deref().unwrap_or_default();
    facts.extend(taints.iter().map(taint));
    if taints.is_empty() {
        facts.push("no taint".to_owned());
    }
    let size = &group.size;
    facts.push(format!("{} to {} nodes", size.min, size.max));
    let types: Vec<&str> = group.instance_types.iter().map(InstanceType::as_str).collect();
    if !types.is_empty() {
        facts.push(types.join(", "));
    }
    facts.push(format!("disks: {}", key(&group.disk.kms_key, purpose)));
    facts
}

fn taint(taint: &Taint) -> String {
    let effect = match taint.effect {
        TaintEffect::NoSchedule => "NoSchedule",
        TaintEffect::PreferNoSchedule => "PreferNoSchedule",
        TaintEffect::NoExecute => "NoExecute",
    };
    match &taint.value {
        Some(value) => format!("taint {}={value}:{effect}", taint.key),
        None => format!("taint {}:{effect}", taint.key),
    }
}

/// Which key it is: of the platform's own the one for this purpose. An ARN is long, and its last part names the key.
fn key(key: &KmsKey, purpose: &str) -> String {
    match key.as_str() {
        "platform" => format!("key {purpose}"),
        "aws-managed" => "a key of AWS".to_owned(),
        "none" => "not encrypted".to_owned(),
        arn => format!("key {}", arn.rsplit('/').next().unwrap_or(arn)),
    }
}

fn profile_facts(profile: &FargateProfile) -> Vec<String> {
    let selector = |selector: &crate::blueprint::model::Selector| {
        let labels: Vec<String> =
            selector.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        if labels.is_empty() {
            format!("pods of {}", selector.namespace)
        } else {
            format!("pods of {} with {}", selector.namespace, labels.join(", "))
        }
    };
    profile.selectors.iter().map(selector).collect()
}

/// Buckets, file systems and keys: in the region, and in no VPC.
fn regional(platform: &Platform, role: &str, plan: &RegionPlan, register: &mut Register) -> Option<Area> {
    let mut nodes = Vec::new();
    let replica = platform.plan.replica.as_deref() == Some(role);
    for bucket in &platform.plan.buckets {
        if plan.home || (replica && bucket.replicate) {
            let mut node = register.node(NodeKind::Bucket, &bucket.name);
            "S3".clone_into(&mut node.note);
            if plan.home {
                register.buckets.insert(bucket.bucket.clone(), node.id);
                node.facts.push(bucket.bucket.clone());
            } else {
                node.facts.push("a copy of every object".to_owned());
            }
            nodes.push(node);
        }
    }
    if plan.home {
        for name in platform.blueprint.storage.file_systems.keys() {
            let mut node = register.node(NodeKind::FileSystem, name.as_str());
            "EFS".clone_into(&mut node.note);
            node.facts.push("mounted from every zone".to_owned());
            nodes.push(node);
        }
    }
    for key in &plan.keys {
        let mut node = register.node(NodeKind::Key, key.purpose);
        node.facts.push(key.description.to_owned());
        nodes.push(node);
    }
    (!nodes.is_empty()).then(|| {
        area(AreaKind::Regional, "", vec!["buckets, file systems, keys".to_owned()], Vec::new(), nodes)
    })
}
