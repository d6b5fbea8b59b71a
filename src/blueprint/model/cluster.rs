//! EKS clusters, node groups, Fargate profiles, access.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blueprint::scalar::{
    AddonName, AnyCidr, Arn, Cidr, InstanceType, KmsKey, KubernetesVersion, LabelKey, LabelValue, Name,
    RoleName, known,
};

/// An EKS cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Cluster {
    /// The Kubernetes version; by default that of the first region's cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<KubernetesVersion>,
    /// Who reaches the API server.
    pub endpoint: Endpoint,
    /// Control-plane logs that are recorded; all five unless said otherwise.
    pub logging: Vec<ControlPlaneLog>,
    /// How long control-plane logs are kept, in days; by default `compliance.logRetentionDays`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3653), example = 2557)]
    pub log_retention_days: Option<u32>,
    /// The key that encrypts control-plane logs.
    pub log_kms_key: KmsKey,
    /// The key that encrypts Kubernetes secrets in etcd.
    pub secrets_kms_key: KmsKey,
    /// The range of service addresses; by default cut from 172.16.0.0/12 by the VPC's own range, so that no two
    /// regions share one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_cidr: Option<Cidr>,
    /// EKS add-ons by name. A list that is written replaces the default one, so it names what every cluster needs too.
    #[schemars(example = serde_json::json!({"vpc-cni": {}, "kube-proxy": {}, "coredns": {}, "eks-pod-identity-agent": {}, "aws-ebs-csi-driver": {}, "amazon-cloudwatch-observability": {}, "aws-secrets-store-csi-driver-provider": {}, "metrics-server": {}}))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-addon"}))]
    pub addons: IndexMap<AddonName, Addon>,
    /// Let the network refuse what network policies do not allow. Without it they are taken and ignored.
    pub network_policy: bool,
    /// What says who may do what in the cluster: `access` below, or a `ConfigMap` that whoever edits it can change.
    pub authentication_mode: AuthenticationMode,
    /// Who may do what in the cluster, by a name of your choice.
    #[schemars(example = serde_json::json!({"operators": {"principal": "arn:aws:iam::123456789012:role/platform-operators"}}))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-name"}))]
    pub access: IndexMap<Name, AccessEntry>,
    /// Groups of worker nodes. Without any, the groups that the platform's services need are planned.
    #[schemars(extend("propertyNames" = {"format": "nexafi-name"}))]
    pub node_groups: IndexMap<Name, NodeGroup>,
    /// Pods that run on Fargate.
    #[schemars(extend("propertyNames" = {"format": "nexafi-name"}))]
    pub fargate_profiles: IndexMap<Name, FargateProfile>,
}

impl Default for Cluster {
    fn default() -> Self {
        let addons = [
            "vpc-cni",
            "kube-proxy",
            "coredns",
            "eks-pod-identity-agent",
            "aws-ebs-csi-driver",
            "amazon-cloudwatch-observability",
            "aws-secrets-store-csi-driver-provider",
        ];
        Self {
            version: None,
            endpoint: Endpoint::default(),
            logging: ControlPlaneLog::ALL.to_vec(),
            log_retention_days: None,
            log_kms_key: KmsKey::platform(),
            secrets_kms_key: KmsKey::platform(),
            service_cidr: None,
            addons: addons.into_iter().map(|addon| (known(addon), Addon::default())).collect(),
            network_policy: true,
            authentication_mode: AuthenticationMode::Api,
            access: IndexMap::new(),
            node_groups: IndexMap::new(),
            fargate_profiles: IndexMap::new(),
        }
    }
}

/// Who reaches the Kubernetes API server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Endpoint {
    /// From inside the VPC and its peers.
    pub private: bool,
    /// From the internet.
    pub public: bool,
    /// Networks that may use the public endpoint.
    #[schemars(example = serde_json::json!(["203.0.113.0/24"]))]
    pub public_access_cidrs: Vec<AnyCidr>,
    /// Networks that may use the private endpoint, beside the nodes: a VPN, a bastion's subnet.
    #[schemars(example = serde_json::json!(["10.200.0.0/24"]))]
    pub private_access_cidrs: Vec<Cidr>,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            private: true,
            public: false,
            public_access_cidrs: Vec::new(),
            private_access_cidrs: Vec::new(),
        }
    }
}

/// A kind of control-plane log, in EKS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ControlPlaneLog {
    /// Requests to the API server.
    Api,
    /// Who did what.
    Audit,
    /// IAM authentication.
    Authenticator,
    /// Controllers.
    ControllerManager,
    /// Scheduling decisions.
    Scheduler,
}

impl ControlPlaneLog {
    /// All five.
    pub const ALL: &[Self] =
        &[Self::Api, Self::Audit, Self::Authenticator, Self::ControllerManager, Self::Scheduler];
}

/// An EKS add-on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Addon {
    /// The version; by default one that is known to go with the cluster's Kubernetes version. Where none is known EKS
    /// takes its own default, which changes from day to day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = "v1.20.4-eksbuild.2")]
    pub version: Option<String>,
}

/// EKS's authentication modes (docs.aws.amazon.com/eks/latest/userguide/setting-up-access-entries.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AuthenticationMode {
    /// Access entries only.
    #[default]
    Api,
    /// Access entries and the `ConfigMap` aws-auth.
    ApiAndConfigMap,
    /// The `ConfigMap` aws-auth only.
    ConfigMap,
}

/// One IAM principal's access to the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessEntry {
    /// The IAM role or user.
    pub principal: Arn,
    /// What it may do.
    #[serde(default)]
    pub policy: AccessPolicy,
    /// Where; without any, in the whole cluster.
    #[serde(default)]
    #[schemars(example = serde_json::json!(["core"]))]
    pub namespaces: Vec<Name>,
}

/// EKS access policies (docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AccessPolicy {
    /// Everything.
    ClusterAdmin,
    /// Most of a namespace.
    Admin,
    /// Change workloads.
    Edit,
    /// Look, but not at secrets.
    #[default]
    View,
}

/// A managed group of worker nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NodeGroup {
    /// What runs there. Label and taint follow from it.
    pub class: NodeClass,
    /// For a standby group: the node group, of any region, whose pods it takes over in a disaster. Label and taint
    /// follow from that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirrors: Option<Name>,
    /// Instance types; the first that is to be had is taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instance_types: Vec<InstanceType>,
    /// How the instances are bought.
    pub capacity: Capacity,
    /// How many nodes.
    pub size: ScalingSize,
    /// The nodes' disks.
    pub disk: Disk,
    /// The instance metadata service.
    pub metadata: InstanceMetadata,
    /// The machine image family.
    #[schemars(example = &"AL2023_x86_64_STANDARD", regex(pattern = r"^[A-Za-z0-9_]+$"))]
    pub ami_type: String,
    /// Node labels beside the class's.
    #[schemars(example = serde_json::json!({"nexafi-gen/class": "financial"}))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-label-key"}))]
    pub labels: IndexMap<LabelKey, LabelValue>,
    /// Taints; by default the class's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taints: Option<Vec<Taint>>,
    /// The subnet tier the nodes stand in; by default `financial` for a financial group, and for one that mirrors it,
    /// and `private` for any other.
    pub subnets: RoleName,
    /// Shell access over SSH.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_access: Option<RemoteAccess>,
}

impl Default for NodeGroup {
    fn default() -> Self {
        Self {
            class: NodeClass::General,
            mirrors: None,
            instance_types: Vec::new(),
            capacity: Capacity::OnDemand,
            size: ScalingSize::default(),
            disk: Disk::default(),
            metadata: InstanceMetadata::default(),
            ami_type: "AL2023_x86_64_STANDARD".to_owned(),
            labels: IndexMap::new(),
            taints: None,
            subnets: known("private"),
            remote_access: None,
        }
    }
}

/// What runs on a node group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NodeClass {
    /// Services that handle cardholder data, credentials or financial records; nothing else.
    Financial,
    /// Monitoring and audit; nothing else.
    Compliance,
    /// Waits for a disaster.
    Standby,
    /// Everything else.
    General,
}

impl NodeClass {
    /// The value of the node label and the taint.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Financial => "financial",
            Self::Compliance => "compliance",
            Self::Standby => "standby",
            Self::General => "general",
        }
    }

    /// Whether pods need a toleration to run there.
    pub fn is_tainted(self) -> bool {
        matches!(self, Self::Financial | Self::Compliance | Self::Standby)
    }
}

/// How instances are bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Capacity {
    /// Kept as long as wanted.
    OnDemand,
    /// Cheap, taken back at two minutes' notice.
    Spot,
}

/// How many nodes a group has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ScalingSize {
    /// Never fewer.
    #[schemars(range(min = 0, max = 450), example = 3)]
    pub min: u32,
    /// At first; the autoscaler changes it.
    #[schemars(range(min = 0, max = 450), example = 3)]
    pub desired: u32,
    /// Never more.
    #[schemars(range(min = 1, max = 450), example = 9)]
    pub max: u32,
}

impl Default for ScalingSize {
    fn default() -> Self {
        Self { min: 3, desired: 3, max: 9 }
    }
}

/// A node's disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Disk {
    /// Size in GiB.
    #[schemars(range(min = 20, max = 16384), example = 100)]
    pub size_gib: u32,
    /// The EBS volume type.
    pub r#type: VolumeType,
    /// The key that encrypts it.
    pub kms_key: KmsKey,
}

impl Default for Disk {
    fn default() -> Self {
        Self { size_gib: 100, r#type: VolumeType::Gp3, kms_key: KmsKey::platform() }
    }
}

/// An EBS volume type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VolumeType {
    /// General purpose SSD.
    Gp3,
    /// General purpose SSD, former generation.
    Gp2,
    /// Provisioned IOPS SSD.
    Io2,
    /// Provisioned IOPS SSD, former generation.
    Io1,
}

/// The instance metadata service, which hands out the node's credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct InstanceMetadata {
    /// `required` means version 2 only, with session tokens.
    pub http_tokens: HttpTokens,
    /// Network hops an answer survives; 1 keeps it from pods.
    #[schemars(range(min = 1, max = 64), example = 1)]
    pub hop_limit: u32,
}

impl Default for InstanceMetadata {
    fn default() -> Self {
        Self { http_tokens: HttpTokens::Required, hop_limit: 1 }
    }
}

/// Whether metadata requests need a session token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HttpTokens {
    /// IMDSv2 only.
    Required,
    /// IMDSv1 too.
    Optional,
}

/// A taint: pods that do not tolerate it stay away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Taint {
    /// The key.
    pub key: LabelKey,
    /// The value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<LabelValue>,
    /// What happens to pods that do not tolerate it.
    pub effect: TaintEffect,
}

/// A taint's effect, in Kubernetes' words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TaintEffect {
    /// They are not scheduled there.
    NoSchedule,
    /// They are scheduled there only if nowhere else.
    PreferNoSchedule,
    /// They are not scheduled there, and evicted.
    NoExecute,
}

/// Shell access over SSH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoteAccess {
    /// The EC2 key pair.
    #[schemars(example = &"operations")]
    pub key_pair: String,
}

/// Pods that run on Fargate instead of nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FargateProfile {
    /// Which pods: those that match any of these.
    #[schemars(length(min = 1, max = 5))]
    pub selectors: Vec<Selector>,
    /// The subnet tier they stand in.
    #[serde(default = "private")]
    pub subnets: RoleName,
}

fn private() -> RoleName {
    known("private")
}

/// Pods of a namespace, with all of these labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selector {
    /// The namespace.
    pub namespace: Name,
    /// The labels.
    #[serde(default)]
    #[schemars(length(max = 5), example = serde_json::json!({"app.kubernetes.io/name": "audit-log"}))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-label-key"}))]
    pub labels: IndexMap<LabelKey, LabelValue>,
}
