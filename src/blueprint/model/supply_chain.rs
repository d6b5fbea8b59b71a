//! Where images come from, and how the clusters know.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blueprint::scalar::{Arn, Registry};

/// Where images come from, and how the clusters know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SupplyChain {
    /// Registries, or paths in them, that images may come from; by default those that the blueprint's own images come
    /// from, public ones such as docker.io left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = serde_json::json!(["registry.nexafi.example"]))]
    pub registries: Option<Vec<Registry>>,
    /// Let the clusters refuse images from elsewhere, and images that no digest pins, in the platform's namespaces.
    pub enforce: bool,
    /// Whose signature an image needs to start in a namespace that handles cardholder data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signatures: Option<Signatures>,
}

impl Default for SupplyChain {
    fn default() -> Self {
        Self { registries: None, enforce: true, signatures: None }
    }
}

/// Whose signature an image needs. Sigstore's policy-controller checks it, which has to run in the clusters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Signatures {
    /// The KMS key, an asymmetric one, that the build signs images with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab")]
    pub kms_key: Option<Arn>,
    /// The public key, in PEM, where the build signs with one that is no KMS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE...\n-----END PUBLIC KEY-----\n")]
    pub public_key: Option<String>,
    /// Refuse images without the signature; otherwise they are only warned of.
    #[serde(default = "yes")]
    pub enforce: bool,
}

fn yes() -> bool {
    true
}
