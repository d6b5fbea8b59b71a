//! Buckets, file systems and the data stores that AWS runs: caches, message brokers, search domains. All of them stand in
//! the first region.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blueprint::scalar::{BucketName, InstanceType, KmsKey, Name, known};

/// An S3 bucket of the platform's services.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own, said with true or false")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Bucket {
    /// The bucket's name in AWS, unique in the world; by default the platform's name, environment and the name here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<BucketName>,
    /// The key that encrypts the objects.
    pub kms_key: KmsKey,
    /// Keep what is overwritten or deleted.
    pub versioning: bool,
    /// For how many days.
    #[schemars(range(min = 1, max = 36500), example = 90)]
    pub old_version_days: u32,
    /// No object becomes public, whatever a policy or an access list says.
    pub block_public_access: bool,
    /// Refuse requests without TLS.
    pub tls_only: bool,
    /// Record every request in a bucket of its own.
    pub access_logs: bool,
    /// Copy every object to the second region; by default where there is one and the key is the platform's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = true)]
    pub replicate: Option<bool>,
    /// Keep Terraform from deleting it.
    pub prevent_destroy: bool,
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            name: None,
            kms_key: KmsKey::platform(),
            versioning: true,
            old_version_days: 90,
            block_public_access: true,
            tls_only: true,
            access_logs: true,
            replicate: None,
            prevent_destroy: true,
        }
    }
}

/// An EFS file system, mounted from every zone of the first region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FileSystem {
    /// The key that encrypts the files.
    pub kms_key: KmsKey,
    /// Refuse clients without TLS.
    pub tls_only: bool,
    /// Whether it is backed up: with everything else (`backup`), and daily by EFS itself.
    pub backup: bool,
    /// Keep Terraform from deleting it.
    pub prevent_destroy: bool,
}

impl Default for FileSystem {
    fn default() -> Self {
        Self { kms_key: KmsKey::platform(), tls_only: true, backup: true, prevent_destroy: true }
    }
}

/// Data stores that AWS runs, in the subnets of the tier `database`. Services name them in `dependsOn`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Managed {
    /// Caches in `ElastiCache`, by name.
    #[schemars(extend("propertyNames" = {"format": "nexafi-name"}))]
    #[schemars(example = serde_json::json!({"sessions": {"engine": "valkey"}}))]
    pub caches: IndexMap<Name, Cache>,
    /// Amazon MQ for `RabbitMQ`, by name.
    #[schemars(extend("propertyNames" = {"format": "nexafi-name"}))]
    #[schemars(example = serde_json::json!({"events": {"instanceType": "mq.m7g.large"}}))]
    pub brokers: IndexMap<Name, Broker>,
    /// `OpenSearch` domains, by name.
    #[schemars(extend("propertyNames" = {"format": "nexafi-name"}))]
    #[schemars(example = serde_json::json!({"documents": {"volumeGib": 200}}))]
    pub search: IndexMap<Name, SearchDomain>,
}

/// A cache: Valkey or Redis in `ElastiCache`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Cache {
    /// The engine.
    pub engine: CacheEngine,
    /// The engine's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = "8.0", regex(pattern = r"^[0-9]+\.[0-9]+$"))]
    pub version: Option<String>,
    /// The machines it runs on.
    pub node_type: InstanceType,
    /// Copies beside the primary, each in another zone.
    #[schemars(range(min = 0, max = 5), example = 2)]
    pub replicas: u32,
    /// A replica in another zone takes over when the primary is lost.
    pub multi_az: bool,
    /// The key that encrypts it and its snapshots.
    pub kms_key: KmsKey,
    /// TLS for clients and between the nodes.
    pub transit_encryption: TransitEncryption,
    /// How clients sign in.
    pub authentication: CacheAuthentication,
    /// Days a daily snapshot is kept.
    #[schemars(range(min = 0, max = 35), example = 7)]
    pub snapshot_retention_days: u32,
    /// Keep Terraform from deleting it.
    pub prevent_destroy: bool,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            engine: CacheEngine::Valkey,
            version: None,
            node_type: known("cache.r7g.large"),
            replicas: 2,
            multi_az: true,
            kms_key: KmsKey::platform(),
            transit_encryption: TransitEncryption::Required,
            authentication: CacheAuthentication::Iam,
            snapshot_retention_days: 7,
            prevent_destroy: true,
        }
    }
}

/// The engine of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CacheEngine {
    /// Valkey, the open continuation of Redis.
    #[default]
    Valkey,
    /// Redis OSS.
    Redis,
}

/// TLS of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TransitEncryption {
    /// Every connection has TLS.
    #[default]
    Required,
    /// Clients choose.
    Preferred,
    /// No connection has TLS.
    None,
}

/// How clients of a cache sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CacheAuthentication {
    /// With the service's IAM role; a token of fifteen minutes takes the place of a password.
    #[default]
    Iam,
    /// Not at all.
    None,
}

/// A message broker: `RabbitMQ` in Amazon MQ. Services sign in with their IAM roles, so it has no password.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own, said with true or false")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Broker {
    /// The version of `RabbitMQ`.
    #[schemars(example = "4.2", regex(pattern = r"^[0-9]+\.[0-9]+$"))]
    pub version: String,
    /// The machines it runs on.
    pub instance_type: InstanceType,
    /// Three nodes in three zones; otherwise one machine.
    pub cluster: bool,
    /// Reachable from the internet.
    pub public: bool,
    /// The key that encrypts its disks.
    pub kms_key: KmsKey,
    /// Its log goes to `CloudWatch`.
    pub logs: bool,
    /// Keep Terraform from deleting it.
    pub prevent_destroy: bool,
}

impl Default for Broker {
    fn default() -> Self {
        Self {
            version: "4.2".to_owned(),
            instance_type: known("mq.m7g.large"),
            cluster: true,
            public: false,
            kms_key: KmsKey::platform(),
            logs: true,
            prevent_destroy: true,
        }
    }
}

/// A search domain: `OpenSearch`.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own, said with true or false")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SearchDomain {
    /// The version of `OpenSearch`.
    #[schemars(example = "2.19", regex(pattern = r"^[0-9]+\.[0-9]+$"))]
    pub version: String,
    /// Nodes that hold data, spread over three zones.
    #[schemars(range(min = 1, max = 80), example = 3)]
    pub nodes: u32,
    /// The machines they run on.
    pub node_type: InstanceType,
    /// Dedicated masters; 0 for none.
    #[schemars(range(min = 0, max = 5), example = 3)]
    pub masters: u32,
    /// The machines they run on.
    pub master_type: InstanceType,
    /// Disk of each data node, in GiB.
    #[schemars(range(min = 10, max = 16384), example = 100)]
    pub volume_gib: u32,
    /// The key that encrypts the data.
    pub kms_key: KmsKey,
    /// Nothing but HTTPS, with TLS 1.2 or newer.
    pub https_only: bool,
    /// TLS between the nodes.
    pub node_to_node_tls: bool,
    /// Who searched and changed what goes to `CloudWatch`.
    pub audit_logs: bool,
    /// Keep Terraform from deleting it.
    pub prevent_destroy: bool,
}

impl Default for SearchDomain {
    fn default() -> Self {
        Self {
            version: "2.19".to_owned(),
            nodes: 3,
            node_type: known("r7g.large.search"),
            masters: 3,
            master_type: known("m7g.large.search"),
            volume_gib: 100,
            kms_key: KmsKey::platform(),
            https_only: true,
            node_to_node_tls: true,
            audit_logs: true,
            prevent_destroy: true,
        }
    }
}
