//! Where images come from, and how the clusters know.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blueprint::scalar::Registry;

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
}

impl Default for SupplyChain {
    fn default() -> Self {
        Self { registries: None, enforce: true }
    }
}
