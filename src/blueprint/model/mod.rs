//! What a blueprint can say. The JSON Schema, the defaults and the reference in the documentation all come from
//! these types. Whatever is left out has a compliant default; whatever is said is taken at its word and judged by
//! policies, not by the schema.

mod audit;
mod cluster;
mod compliance;
mod data;
mod ingress;
mod network;
mod recovery;
mod secrets;
mod supply_chain;
mod traffic;
mod workload;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use audit::{Alarms, Archive, ArchiveClass, AuditTrail, Lock};
pub use cluster::{
    AccessEntry, AccessPolicy, Addon, AuthenticationMode, Capacity, Cluster, ControlPlaneLog, Disk, Endpoint,
    FargateProfile, HttpTokens, InstanceMetadata, NodeClass, NodeGroup, RemoteAccess, ScalingSize, Selector,
    Taint, TaintEffect, VolumeType,
};
pub use compliance::{Compliance, Framework, KeySettings, PciScope, Security, Toggle, Waiver};
pub use data::{
    Broker, Bucket, Cache, CacheAuthentication, CacheEngine, FileSystem, Managed, SearchDomain,
    TransitEncryption,
};
pub use ingress::{
    Ingress, IngressController, ManagedRules, PlainHttp, Route, RuleGroup, Tls, TlsVersion, Waf,
};
pub use network::{
    Endpoints, FlowLogDestination, FlowLogTraffic, FlowLogs, Nat, Peering, SubnetTier, TierKind, Vpc, Zones,
};
pub use recovery::{Backup, Objectives, RestoreTest, RestoreTestSchedule, VaultLock, VaultLockMode};
pub use secrets::{SecretRotation, SecretStore, Secrets};
pub use supply_chain::{Signatures, SupplyChain};
pub use traffic::{AclEntry, Flow, NetworkAcl, PortRange};
pub use workload::Quota;
pub use workload::{
    Component, DataKind, Egress, Image, Latest, Namespace, Permission, PodSecurity, PodSecurityLevel,
    PodSecurityVersion, Probe, Probes, ReclaimPolicy, Resources, SecretFiles, SecretRef, Service, Storage,
    StorageClass, Volume, VolumeClaim, Workload,
};

use super::scalar::{AwsRegion, BucketName, Email, Name, PlatformName, RoleName, VersionConstraint};

/// A financial platform: its regions, clusters, services and the rules it claims to follow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Blueprint {
    /// The version of this format.
    pub api_version: ApiVersion,
    /// The platform's name; it begins the name of every AWS resource.
    pub name: PlatformName,
    /// The stage of the platform's life this blueprint describes.
    #[serde(default)]
    pub environment: Environment,
    /// Who answers for the platform.
    pub owner: Owner,
    /// The most sensitive class of data the platform holds.
    #[serde(default)]
    pub data_classification: DataClassification,
    /// Tags every AWS resource carries, beside the mandatory ones (platform, environment, owner, data class, PCI scope).
    #[serde(default)]
    #[schemars(example = serde_json::json!({"cost-center": "payments"}))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-tag-key"}))]
    pub tags: IndexMap<String, String>,
    /// Frameworks claimed, retention, recovery objectives, accepted findings.
    #[serde(default)]
    pub compliance: Compliance,
    /// Terraform's version, providers and state.
    #[serde(default)]
    pub terraform: Terraform,
    /// Encryption keys, the audit trail and the guard services.
    #[serde(default)]
    pub security: Security,
    /// The regions, by their role in the platform. The first is the active one; the others stand by.
    #[schemars(extend("minProperties" = 1))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-role"}))]
    pub regions: IndexMap<RoleName, Region>,
    /// Pairs of regions whose VPCs are connected.
    #[serde(default)]
    pub peering: Vec<Peering>,
    /// Kubernetes namespaces. Those that services use by default need not be listed.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "nexafi-name"}))]
    pub namespaces: IndexMap<Name, Namespace>,
    /// The platform's own services.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "nexafi-name"}))]
    pub services: IndexMap<Name, Service>,
    /// Infrastructure the services need: redis, rabbitmq, elasticsearch, kibana. Each has defaults of its own.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "nexafi-name"}))]
    pub components: IndexMap<Name, Component>,
    /// Storage classes, stand-alone volume claims, buckets and file systems.
    #[serde(default)]
    pub storage: Storage,
    /// Where passwords, keys and certificates are kept.
    #[serde(default)]
    pub secrets: Secrets,
    /// Where images come from, and how the clusters know.
    #[serde(default)]
    pub supply_chain: SupplyChain,
    /// Backups of everything that keeps data.
    #[serde(default)]
    pub backup: Backup,
    /// Data stores that AWS runs.
    #[serde(default)]
    pub managed: Managed,
    /// The way in from outside, over HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<Ingress>,
}

/// The version of the blueprint format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The first version.
    #[serde(rename = "nexafi-gen/v1")]
    V1,
}

/// A stage of the platform's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Environment {
    /// Real customers, real money.
    #[default]
    Production,
    /// The rehearsal for production.
    Staging,
    /// For automated and manual tests.
    Test,
    /// For developers.
    Development,
}

impl Environment {
    /// The word used in names of resources.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Test => "test",
            Self::Development => "development",
        }
    }
}

/// Who answers for the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Owner {
    /// The team.
    pub team: Name,
    /// Where the team is reached.
    pub email: Email,
}

/// How sensitive the data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DataClassification {
    /// Anyone may see it.
    Public,
    /// For the company.
    Internal,
    /// For those who need it.
    Confidential,
    /// Cardholder data, credentials, financial records.
    #[default]
    Restricted,
}

/// Terraform's version, providers and state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Terraform {
    /// Versions of Terraform that may apply the platform. The S3 lock file needs 1.11.
    pub version: VersionConstraint,
    /// Versions of the providers.
    pub providers: Providers,
    /// Where the state is kept. Without it Terraform keeps the state in the working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

impl Default for Terraform {
    fn default() -> Self {
        Self { version: constraint("~> 1.11"), providers: Providers::default(), state: None }
    }
}

/// Versions of the providers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Providers {
    /// Versions of `hashicorp/aws`.
    pub aws: VersionConstraint,
}

impl Default for Providers {
    fn default() -> Self {
        Self { aws: constraint("~> 6.0") }
    }
}

/// The S3 backend. The bucket exists before the platform does; this tool does not create it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    /// The bucket.
    pub bucket: BucketName,
    /// The bucket's region.
    pub region: AwsRegion,
    /// The object's key; by default the platform's name and environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = "nexafi/production/platform.tfstate")]
    pub key: Option<String>,
    /// The key that encrypts the state; without it the bucket's default encryption applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<super::scalar::Arn>,
    /// Lock the state with a lock file in the bucket.
    #[serde(default = "yes")]
    pub use_lockfile: bool,
}

/// One AWS region of the platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Region {
    /// The AWS region.
    pub aws: AwsRegion,
    /// The network.
    pub vpc: Vpc,
    /// The EKS cluster.
    #[serde(default)]
    pub cluster: Cluster,
}

fn yes() -> bool {
    true
}

fn constraint(text: &str) -> VersionConstraint {
    super::scalar::known(text)
}

fn name(text: &str) -> Name {
    super::scalar::known(text)
}
