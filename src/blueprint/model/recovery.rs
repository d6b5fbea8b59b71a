//! How soon a workload is back after a disaster, and how much it may have forgotten.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blueprint::scalar::Duration;

/// Recovery objectives of one service or component. What is left out follows from its tier, and where no tier is named
/// from what depends on it too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WorkloadObjectives {
    /// Recovery time objective: how long until it serves again. By default that of its tier, or where no
    /// tier is named the shortest of what depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = "60m")]
    pub rto: Option<Duration>,
    /// Recovery point objective: how much of its last data may be lost. By default that of its tier, or
    /// where no tier is named the shortest of what depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = "60m")]
    pub rpo: Option<Duration>,
}
