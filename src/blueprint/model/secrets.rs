//! Where passwords, keys and certificates are kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blueprint::scalar::{Arn, KmsKey};

/// Where passwords, keys and certificates are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Secrets {
    /// Who keeps them, and hands them to the pods.
    pub store: SecretStore,
    /// The key that encrypts them in AWS Secrets Manager.
    pub kms_key: KmsKey,
    /// How long a deleted entry of AWS Secrets Manager can be brought back, in days.
    #[schemars(range(min = 7, max = 30), example = 30)]
    pub recovery_days: u32,
    /// How they are replaced on schedule.
    pub rotation: SecretRotation,
}

impl Default for Secrets {
    fn default() -> Self {
        Self {
            store: SecretStore::SecretsManager,
            kms_key: KmsKey::platform(),
            recovery_days: 30,
            rotation: SecretRotation::default(),
        }
    }
}

/// Who keeps secrets, and hands them to the pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SecretStore {
    /// AWS Secrets Manager; pods get files, each with the permissions of its own service only.
    SecretsManager,
    /// Kubernetes Secrets, which `setup-kube.sh` fills from AWS Secrets Manager.
    Kubernetes,
}

/// How secrets are replaced on schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SecretRotation {
    /// How often, in days.
    #[schemars(range(min = 1, max = 1000), example = 30)]
    pub days: u32,
    /// The Lambda function, in the first region, that makes a new value and tells whoever checks it. Without one
    /// nothing is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"arn:aws:lambda:us-east-1:123456789012:function:rotate-secrets")]
    pub function: Option<Arn>,
}

impl Default for SecretRotation {
    fn default() -> Self {
        Self { days: 30, function: None }
    }
}
