//! Namespaces, services, components, storage.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Bucket, FileSystem, Objectives, VolumeType, name};
use crate::blueprint::scalar::{
    AnyCidr, Arn, Digest, KmsKey, KubernetesVersion, LabelKey, LabelValue, Name, Quantity, Repository,
    UrlPath,
};

/// A Kubernetes namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Namespace {
    /// The Pod Security level that is enforced.
    pub pod_security: PodSecurity,
    /// Refuse all traffic that no service declares.
    pub default_deny: bool,
    /// More labels.
    #[schemars(example = serde_json::json!({"cost-center": "payments"}))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-label-key"}))]
    pub labels: IndexMap<LabelKey, LabelValue>,
    /// How much of the cluster its pods may take.
    pub quota: Quota,
}

impl Default for Namespace {
    fn default() -> Self {
        Self {
            pod_security: PodSecurity::default(),
            default_deny: true,
            labels: IndexMap::new(),
            quota: Quota::default(),
        }
    }
}

/// What the pods of a namespace may ask for together. What is left out is twice what the platform's own pods ask for
/// while each of them is being updated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Quota {
    /// How many pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), example = 40)]
    pub pods: Option<u32>,
    /// CPU they are sure of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = "16")]
    pub cpu: Option<Quantity>,
    /// CPU they cannot exceed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = "48")]
    pub cpu_limit: Option<Quantity>,
    /// Memory they are sure of, and cannot exceed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = "64Gi")]
    pub memory: Option<Quantity>,
}

/// What pods of a namespace may ask for (kubernetes.io/docs/concepts/security/pod-security-standards).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PodSecurity {
    /// Pods beyond this level are refused.
    pub enforce: PodSecurityLevel,
    /// The Kubernetes version whose definition of the level counts, or `latest`; by default the cluster's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = "1.34")]
    pub version: Option<PodSecurityVersion>,
}

/// The version of the Pod Security Standards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PodSecurityVersion {
    /// Whatever the cluster runs: changes under you at an upgrade.
    Latest(Latest),
    /// Pinned.
    Pinned(KubernetesVersion),
}

/// The word `latest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Latest {
    /// The word `latest`.
    Latest,
}

/// A level of the Pod Security Standards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PodSecurityLevel {
    /// Hardened.
    #[default]
    Restricted,
    /// No known privilege escalation.
    Baseline,
    /// Anything.
    Privileged,
}

/// A service of the platform: a Deployment, or a `StatefulSet` when it has storage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Workload {
    /// The container image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// The namespace; by default `financial` for a service that handles protected data, `core` for any other, and
    /// `infrastructure` for a component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Name>,
    /// The port it listens on.
    #[schemars(range(min = 1, max = 65535), example = 8080)]
    pub port: u16,
    /// Further ports by name, reachable for the same callers.
    #[schemars(example = serde_json::json!({"metrics": 9090}), extend("additionalProperties" = {"type": "integer", "minimum": 1, "maximum": 65535}))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-name"}))]
    pub ports: IndexMap<Name, u16>,
    /// Ports between its own pods, by name: a cluster's internal traffic.
    #[schemars(example = serde_json::json!({"transport": 9300}), extend("additionalProperties" = {"type": "integer", "minimum": 1, "maximum": 65535}))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-name"}))]
    pub peer_ports: IndexMap<Name, u16>,
    /// How many pods.
    #[schemars(range(min = 0, max = 1000), example = 3)]
    pub replicas: u32,
    /// CPU and memory.
    pub resources: Resources,
    /// How Kubernetes knows that it is well.
    pub probes: Probes,
    /// Kinds of data it handles. They decide where it runs, what may reach it and which policies apply.
    pub handles: Vec<DataKind>,
    /// How much depends on it: 1 (customers and their money), 2 (the bank notices), 3 (it can wait). By default 1 for a
    /// workload that handles protected data and 2 for any other, and never lower than that of a workload that depends
    /// on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3), example = 1)]
    pub tier: Option<u8>,
    /// How soon it is back after a disaster, and how much it may have forgotten. By default what the platform
    /// promises (`compliance.objectives`) for tier 1, four times as long for tier 2 and 24 times for tier 3.
    pub objectives: Objectives,
    /// Whether a component writes the audit log it can write: `elasticsearch` who read and changed what, `rabbitmq` who
    /// connects.
    pub audit_log: bool,
    /// Services, components and managed data stores it calls. Network policies and security groups follow from these
    /// edges: what is not listed is refused.
    #[schemars(example = serde_json::json!(["redis", "rabbitmq"]))]
    pub depends_on: Vec<Name>,
    /// The node group it runs on; by default one whose class fits what it handles. Pods that a Fargate profile
    /// selects run there instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement: Option<Name>,
    /// Addresses outside of the platform it calls.
    pub egress: Vec<Egress>,
    /// What it may do in AWS. Each service has an IAM role of its own.
    pub permissions: Vec<Permission>,
    /// An IAM role that is there already, instead of one of its own. Whoever made it let this service, and nothing else,
    /// assume it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Arn>,
    /// Settings, as environment variables. Secrets do not belong here.
    #[schemars(example = serde_json::json!({"LOG_LEVEL": "info"}))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-env-name"}))]
    pub env: IndexMap<String, String>,
    /// Environment variables whose values stand in Kubernetes secrets. Whoever sees a pod's environment sees them too:
    /// `secretFiles` are better.
    #[schemars(example = serde_json::json!({"REDIS_PASSWORD": {"secret": "redis-auth", "key": "password"}}))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-env-name"}))]
    pub secrets: IndexMap<String, SecretRef>,
    /// A volume for each pod; makes it a `StatefulSet`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<Volume>,
    /// Directories it may write to; each is an empty volume, for the root file system is read-only.
    pub writable_paths: Vec<UrlPath>,
    /// Files whose content is secret: passwords, certificates and their keys, by the directory they appear in.
    #[schemars(example = serde_json::json!({"/etc/tls": {"secret": "ledger-tls", "keys": ["tls.crt", "tls.key"]}}), extend("propertyNames" = {"format": "nexafi-path"}))]
    pub secret_files: IndexMap<UrlPath, SecretFiles>,
    /// The numeric user it runs as.
    #[schemars(range(min = 1, max = 4_294_967_294_u32), example = 10001)]
    pub user: u32,
    /// The program, where the image's own is not wanted.
    #[schemars(example = serde_json::json!(["/usr/bin/ledger"]))]
    pub command: Vec<String>,
    /// The program's arguments.
    #[schemars(example = serde_json::json!(["--listen=:8080"]))]
    pub args: Vec<String>,
}

/// One of the platform's own services.
pub type Service = Workload;
/// Infrastructure the services need.
pub type Component = Workload;

impl Default for Workload {
    fn default() -> Self {
        Self {
            image: None,
            namespace: None,
            port: 8080,
            ports: IndexMap::new(),
            peer_ports: IndexMap::new(),
            replicas: 3,
            resources: Resources::default(),
            probes: Probes::default(),
            handles: Vec::new(),
            tier: None,
            objectives: Objectives::default(),
            audit_log: true,
            depends_on: Vec::new(),
            placement: None,
            egress: Vec::new(),
            permissions: Vec::new(),
            role: None,
            env: IndexMap::new(),
            secrets: IndexMap::new(),
            storage: None,
            writable_paths: vec![crate::blueprint::scalar::known("/tmp")],
            secret_files: IndexMap::new(),
            user: 10001,
            command: Vec::new(),
            args: Vec::new(),
        }
    }
}

/// A container image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Image {
    /// Registry and path.
    pub repository: Repository,
    /// The tag, for people; the digest decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = "1.4.2", regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"))]
    pub tag: Option<String>,
    /// The digest: the one image that was tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// CPU and memory of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Resources {
    /// CPU it is sure of.
    pub cpu: Quantity,
    /// Memory it is sure of, and cannot exceed.
    pub memory: Quantity,
    /// CPU it cannot exceed.
    pub cpu_limit: Quantity,
}

impl Default for Resources {
    fn default() -> Self {
        use crate::blueprint::scalar::known;
        Self { cpu: known("250m"), memory: known("512Mi"), cpu_limit: known("1") }
    }
}

/// How Kubernetes knows that a pod is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Probes {
    /// Restart it when this fails.
    pub liveness: Probe,
    /// Send it no requests while this fails.
    pub readiness: Probe,
    /// Seconds it may take to start.
    #[schemars(range(min = 1, max = 3600), example = 120)]
    pub startup_seconds: u32,
}

impl Default for Probes {
    fn default() -> Self {
        use crate::blueprint::scalar::known;
        Self {
            liveness: Probe { path: Some(known("/health/live")), ..Probe::default() },
            readiness: Probe { path: Some(known("/health/ready")), ..Probe::default() },
            startup_seconds: 120,
        }
    }
}

/// One probe: an HTTP request, a command, or a connection to the port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Probe {
    /// GET this path on the port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<UrlPath>,
    /// Run this inside the container instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = serde_json::json!(["redis-cli", "ping"]))]
    pub command: Vec<String>,
    /// Seconds between two probes.
    #[schemars(range(min = 1, max = 3600), example = 10)]
    pub period_seconds: u32,
}

impl Default for Probe {
    fn default() -> Self {
        Self { path: None, command: Vec::new(), period_seconds: 10 }
    }
}

/// A kind of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DataKind {
    /// Card numbers and what belongs to them: the scope of PCI DSS.
    CardholderData,
    /// Passwords, keys, tokens.
    Credentials,
    /// Balances, bookings, credit decisions.
    FinancialRecords,
    /// Names, addresses, documents of people.
    PersonalData,
    /// Who did what.
    AuditLog,
}

impl DataKind {
    /// Whether a service that handles it belongs on financial nodes.
    pub fn is_protected(self) -> bool {
        matches!(self, Self::CardholderData | Self::Credentials | Self::FinancialRecords)
    }

    /// The word in labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CardholderData => "cardholder-data",
            Self::Credentials => "credentials",
            Self::FinancialRecords => "financial-records",
            Self::PersonalData => "personal-data",
            Self::AuditLog => "audit-log",
        }
    }
}

/// Addresses outside of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Egress {
    /// The network.
    pub cidr: AnyCidr,
    /// The TCP ports.
    #[schemars(length(min = 1), inner(range(min = 1, max = 65535)), example = serde_json::json!([443]))]
    pub ports: Vec<u16>,
    /// What for; becomes a comment in the network policy.
    #[schemars(example = "card network settlement")]
    pub purpose: String,
}

/// Something a service may do in AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Permission {
    /// Actions.
    #[schemars(length(min = 1), example = serde_json::json!(["s3:GetObject"]))]
    pub actions: Vec<String>,
    /// Resources, as ARNs.
    #[schemars(length(min = 1), example = serde_json::json!(["arn:aws:s3:::nexafi-documents/*"]))]
    pub resources: Vec<String>,
}

/// A key of a Kubernetes secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretRef {
    /// The secret, in the service's namespace.
    pub secret: Name,
    /// The key in it.
    #[schemars(example = &"password", regex(pattern = r"^\.?[-_a-zA-Z0-9]+(\.[-_a-zA-Z0-9]+)*$"))]
    pub key: String,
}

/// Keys of a secret that appear as files of the same names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretFiles {
    /// The secret, in the service's namespace.
    pub secret: Name,
    /// The keys in it.
    #[schemars(length(min = 1), inner(regex(pattern = r"^\.?[-_a-zA-Z0-9]+(\.[-_a-zA-Z0-9]+)*$")), example = serde_json::json!(["tls.crt", "tls.key"]))]
    pub keys: Vec<String>,
}

/// A volume for each pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    /// How large.
    pub size: Quantity,
    /// Where it is mounted.
    pub path: UrlPath,
    /// The storage class; by default the platform's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Name>,
}

/// Storage classes, stand-alone claims, buckets and file systems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Storage {
    /// Storage classes by name. The first is the default of this platform's volumes.
    #[schemars(extend("propertyNames" = {"format": "nexafi-name"}))]
    pub classes: IndexMap<Name, StorageClass>,
    /// Claims that belong to no service's own set of volumes.
    #[schemars(example = serde_json::json!({"reports": {"namespace": "core", "size": "50Gi"}}))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-name"}))]
    pub claims: IndexMap<Name, VolumeClaim>,
    /// S3 buckets of the services.
    #[schemars(example = serde_json::json!({"documents": {}}))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-name"}))]
    pub buckets: IndexMap<Name, Bucket>,
    /// EFS file systems.
    #[schemars(example = serde_json::json!({"reports": {}}))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-name"}))]
    pub file_systems: IndexMap<Name, FileSystem>,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            classes: IndexMap::from([(name("encrypted"), StorageClass::default())]),
            claims: IndexMap::new(),
            buckets: IndexMap::new(),
            file_systems: IndexMap::new(),
        }
    }
}

/// A storage class of EBS volumes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StorageClass {
    /// The EBS volume type.
    pub r#type: VolumeType,
    /// The key that encrypts the volumes.
    pub kms_key: KmsKey,
    /// What happens to a volume whose claim is deleted.
    pub reclaim: ReclaimPolicy,
    /// Whether its volumes are backed up.
    pub backup: bool,
}

impl Default for StorageClass {
    fn default() -> Self {
        Self {
            r#type: VolumeType::Gp3,
            kms_key: KmsKey::platform(),
            reclaim: ReclaimPolicy::Retain,
            backup: true,
        }
    }
}

/// What happens to a volume whose claim is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReclaimPolicy {
    /// It is kept.
    Retain,
    /// It is deleted too.
    Delete,
}

/// A volume claim that belongs to no service's own set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VolumeClaim {
    /// The namespace.
    pub namespace: Name,
    /// How large.
    pub size: Quantity,
    /// The storage class; by default the platform's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Name>,
}
