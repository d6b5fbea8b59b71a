//! The platform: a resolved blueprint, every default filled in, every subnet planned, every name fixed.

use indexmap::IndexMap;
use serde::Serialize;

use super::model::{Blueprint, DataKind, PodSecurityLevel, Taint, TierKind, Workload};
use super::scalar::{Duration, LabelKey, LabelValue, Name, RoleName};

/// A resolved blueprint. Serialised it has the shape of the blueprint a person writes, with nothing left out, and
/// one key more: `plan`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Platform {
    /// What was written, defaults filled in.
    #[serde(flatten)]
    pub blueprint: Blueprint,
    /// What follows from it.
    pub plan: Plan,
}

/// Everything that follows from a blueprint and is not said in it.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Name and environment, `nexafi-production`: the beginning of every AWS name.
    pub prefix: String,
    /// The role of the first region, the active one.
    pub home: String,
    /// The role of the region that holds a copy of the audit records and of the services' buckets; none where there is
    /// one region, or nothing to copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replica: Option<String>,
    /// Tags every AWS resource carries.
    pub tags: IndexMap<String, String>,
    /// By role, in the blueprint's order.
    pub regions: IndexMap<RoleName, RegionPlan>,
    /// Connections, with every route.
    pub peerings: Vec<PeeringPlan>,
    /// Namespaces, those of the blueprint first, then those that workloads imply.
    pub namespaces: Vec<NamespacePlan>,
    /// Services and components, in the blueprint's order.
    pub workloads: Vec<WorkloadPlan>,
    /// The recovery objectives of tiers 1, 2 and 3.
    pub tiers: Vec<TierPlan>,
    /// Whether anything of the platform keeps data that outlives its pods.
    pub keeps_data: bool,
    /// Backups; none where they are off or nothing keeps data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupPlan>,
    /// Data stores that AWS runs, in the blueprint's order.
    pub managed: Vec<ManagedPlan>,
    /// The services' buckets.
    pub buckets: Vec<BucketPlan>,
    /// Secrets that have to exist before the workloads start. Their values come from outside.
    pub secrets: Vec<SecretPlan>,
    /// The way in from outside, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressPlan>,
    /// Days the audit trail's records are locked.
    pub audit_retention_days: u32,
    /// Days `CloudWatch` keeps the audit trail's log group.
    pub audit_log_retention_days: u32,
    /// Days `CloudWatch` keeps every other log group of the platform.
    pub log_retention_days: u32,
}

/// One region.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RegionPlan {
    /// The AWS region.
    pub aws: String,
    /// Whether it is the first region.
    pub home: bool,
    /// The cluster's name.
    pub cluster_name: String,
    /// Its zones.
    pub zones: Vec<Zone>,
    /// Every subnet, by tier, then zone.
    pub subnets: Vec<SubnetPlan>,
    /// Route tables: one a public or isolated tier, one a zone of a private tier.
    pub route_tables: Vec<RouteTable>,
    /// Letters of the zones that have a NAT gateway.
    pub nat_zones: Vec<String>,
    /// Days `CloudWatch` keeps flow logs: the wanted number or the next that `CloudWatch` offers.
    pub flow_log_retention_days: u32,
    /// Days `CloudWatch` keeps control-plane logs.
    pub cluster_log_retention_days: u32,
    /// The platform's own keys in this region.
    pub keys: Vec<KeyPlan>,
    /// The way in from outside, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<RegionIngress>,
    /// The security groups that nodes carry; behind the first run DNS and the ingress controller.
    pub security_groups: Vec<SecurityGroup>,
    /// Node groups of class financial, and those that stand in for one.
    pub financial_groups: Vec<String>,
    /// Subnet tiers in which nothing but such groups stands.
    pub financial_tiers: Vec<String>,
    /// Calls between pods of different security groups, and between pods on financial nodes.
    pub pod_flows: Vec<PodFlow>,
}

/// The way in from outside, the same in every region.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IngressPlan {
    /// Taints the controller tolerates; none where some nodes have none.
    pub tolerations: Vec<Taint>,
}

/// The way in from outside, in one region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RegionIngress {
    /// The load balancer's name in AWS.
    pub load_balancer: String,
    /// Ids of the subnets it stands in, one a zone.
    pub subnets: Vec<String>,
    /// Their ranges: the addresses it calls the nodes from.
    pub cidrs: Vec<String>,
    /// Node groups that the controller runs on.
    pub node_groups: Vec<String>,
}

/// An availability zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Zone {
    /// `a`.
    pub letter: String,
    /// `us-east-1a`.
    pub name: String,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubnetPlan {
    /// `private_a`: unique in the region, stays when others come and go.
    pub id: String,
    /// The tier's name.
    pub tier: String,
    /// What it routes to.
    pub kind: TierKind,
    /// The zone's letter.
    pub zone: String,
    /// The zone's name.
    pub zone_name: String,
    /// The address range.
    pub cidr: String,
    /// Whether instances get public addresses at launch.
    pub public_ip_on_launch: bool,
    /// The route table's id.
    pub route_table: String,
}

/// A route table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteTable {
    /// `public`, `private_a`, `database`.
    pub id: String,
    /// The tier's name.
    pub tier: String,
    /// Whether it has a route to the internet gateway.
    pub internet: bool,
    /// The zone whose NAT gateway is the way out, if any.
    pub nat_zone: Option<String>,
}

/// The security group that pods share with the machine they run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SecurityGroup {
    /// That of nodes for anything but protected data.
    #[default]
    Nodes,
    /// That of financial nodes.
    Financial,
    /// The cluster's own, which pods on Fargate carry.
    Fargate,
}

/// Calls from pods of one security group to pods of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodFlow {
    /// The callers' group.
    pub from: SecurityGroup,
    /// The callees' group.
    pub to: SecurityGroup,
    /// The TCP port.
    pub port: u16,
    /// The first that needs it, for the rule's description.
    pub what: String,
    /// Where the blueprint says so.
    pub pointer: String,
}

/// A KMS key of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyPlan {
    /// `cluster` (Kubernetes secrets), `volumes` (EBS), `financial` (EBS of financial nodes), `logs` (CloudWatch),
    /// `audit` (CloudTrail and its bucket; in the replica's region their copy), `backup` (vaults of backups),
    /// `data` (buckets, file systems, managed data stores).
    pub purpose: &'static str,
    /// What it encrypts, for the key's description.
    pub description: &'static str,
}

/// A connection between two regions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeeringPlan {
    /// `primary_secondary`.
    pub id: String,
    /// The role of the region that asks.
    pub requester: String,
    /// The role of the region that accepts.
    pub accepter: String,
    /// Routes, both ways.
    pub routes: Vec<PeeringRoute>,
    /// What may cross, in the blueprint's order.
    pub flows: Vec<Crossing>,
}

/// Calls from pods of one region to pods of the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Crossing {
    /// The callers' region.
    pub from_region: String,
    /// The callees' region.
    pub to_region: String,
    /// The workload that calls.
    pub caller: String,
    /// The workload that is called.
    pub callee: String,
    /// The callers' security group.
    pub from_group: SecurityGroup,
    /// The callees' security group.
    pub to_group: SecurityGroup,
    /// The subnets the callers may stand in.
    pub from_subnets: Vec<CrossingSubnet>,
    /// The subnets the callees may stand in.
    pub to_subnets: Vec<CrossingSubnet>,
    /// The callee's ports.
    pub ports: Vec<PortPlan>,
}

/// A subnet at one end of a crossing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CrossingSubnet {
    /// `private_a`.
    pub id: String,
    /// Its range.
    pub cidr: String,
}

/// One route over a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeeringRoute {
    /// The region whose route table it stands in.
    pub region: String,
    /// The route table's id.
    pub table: String,
    /// The subnet on the other side.
    pub destination: String,
    /// The other side's subnet id, `private_a`.
    pub subnet: String,
}

/// A Kubernetes namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespacePlan {
    /// The name.
    pub name: String,
    /// The Pod Security level that is enforced.
    pub enforce: PodSecurityLevel,
    /// `v1.34` or `latest`.
    pub version: String,
    /// Refuse all traffic that is not declared.
    pub default_deny: bool,
    /// More labels.
    pub labels: IndexMap<LabelKey, LabelValue>,
    /// How much its pods may ask for; nothing in Kubernetes' own namespaces.
    pub quota: super::model::Quota,
    /// Its secrets whose values come from outside.
    pub secrets: Vec<String>,
    /// Whether something in it handles cardholder data.
    pub cardholder_data: bool,
    /// Whether its images need a signature.
    pub signed: bool,
}

/// What a tier promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TierPlan {
    /// How long until it serves again.
    pub rto: Duration,
    /// How much of the last data may be lost.
    pub rpo: Duration,
}

/// Backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupPlan {
    /// When they are taken, as AWS Backup writes it.
    pub schedule: String,
    /// When restores are tested.
    pub restore_test_schedule: &'static str,
    /// The tag of everything that is backed up.
    pub tag: TagPlan,
    /// Which region's backups are copied to which, by role. A region whose copies would stay in it is missing.
    pub copies: IndexMap<RoleName, RoleName>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagPlan {
    /// The key.
    pub key: &'static str,
    /// The value.
    pub value: String,
}

/// A service or a component, with everything that follows from its place in the platform.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own that templates ask for")]
pub struct WorkloadPlan {
    /// The name.
    pub name: String,
    /// `services` or `components`.
    pub group: &'static str,
    /// Where it stands in the blueprint, `services.ledger-service`.
    pub pointer: String,
    /// The namespace.
    pub namespace: String,
    /// The image reference, `registry.example/ledger:1.4.2@sha256:...`.
    pub image: String,
    /// Whether it is a `StatefulSet`.
    pub stateful: bool,
    /// Whether it handles protected data: cardholder data, credentials, financial records.
    pub protected: bool,
    /// What it handles.
    pub handles: Vec<DataKind>,
    /// Where its pods run.
    pub placement: Placement,
    /// Every port callers use: the main one is named `main`.
    pub ports: Vec<PortPlan>,
    /// Who calls it.
    pub callers: Vec<Peer>,
    /// Whom it calls.
    pub callees: Vec<Peer>,
    /// Who calls it from another region.
    pub remote_callers: Vec<Crossing>,
    /// Whom it calls in another region.
    pub remote_callees: Vec<Crossing>,
    /// Managed data stores it calls.
    pub stores: Vec<StorePeer>,
    /// Whether the ingress leads to it.
    pub exposed: bool,
    /// The storage class of its volumes, if it has any.
    pub storage_class: Option<String>,
    /// Whether its secret files come straight out of AWS Secrets Manager.
    pub reads_store: bool,
    /// All that was said of it.
    pub spec: Workload,
}

/// Where pods run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    /// The node group; `None` on Fargate.
    pub node_group: Option<String>,
    /// The Fargate profile; `None` on nodes.
    pub fargate_profile: Option<String>,
    /// The security group that its pods carry.
    pub security_group: SecurityGroup,
    /// Labels a node must have.
    pub node_labels: IndexMap<LabelKey, LabelValue>,
    /// Taints of those nodes, which the pods tolerate.
    pub taints: Vec<Taint>,
    /// Labels the Fargate profile selects by, which the pods carry.
    pub pod_labels: IndexMap<LabelKey, LabelValue>,
}

/// A port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PortPlan {
    /// The port's name.
    pub name: String,
    /// The number.
    pub port: u16,
}

/// The other end of a dependency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Peer {
    /// The workload's name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The ports of the called side.
    pub ports: Vec<PortPlan>,
}

/// A managed data store, seen from a workload that calls it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StorePeer {
    /// The store's name.
    pub name: String,
    /// Its ports.
    pub ports: Vec<u16>,
    /// Ranges of the subnets it stands in.
    pub cidrs: Vec<String>,
}

/// A data store that AWS runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ManagedPlan {
    /// The name.
    pub name: String,
    /// `caches`, `brokers` or `search`.
    pub kind: &'static str,
    /// Where it stands in the blueprint, `managed.caches.sessions`.
    pub pointer: String,
    /// Its ports.
    pub ports: Vec<u16>,
    /// Names of the workloads that call it.
    pub callers: Vec<String>,
}

/// A bucket of the services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BucketPlan {
    /// The name here.
    pub name: String,
    /// The bucket's name in AWS.
    pub bucket: String,
    /// Whether its objects are copied to the second region.
    pub replicate: bool,
}

/// A secret somebody has to fill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretPlan {
    /// The namespace.
    pub namespace: Name,
    /// The secret.
    pub name: Name,
    /// Its keys.
    pub keys: Vec<String>,
    /// Whether a Kubernetes secret has to be made of it.
    pub kubernetes: bool,
}
