//! What may enter and leave a subnet tier, and what may cross from one region to another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blueprint::scalar::{Cidr, Name, RoleName};

/// A network ACL of a subnet tier: it admits the VPC's own range, the ranges of connected regions, and what is added
/// here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NetworkAcl {
    /// Have one at all; without one AWS lets everything in and out.
    pub enabled: bool,
    /// What else may come in.
    pub ingress: Vec<AclEntry>,
    /// What else may go out.
    pub egress: Vec<AclEntry>,
}

impl Default for NetworkAcl {
    fn default() -> Self {
        Self { enabled: true, ingress: Vec::new(), egress: Vec::new() }
    }
}

/// One entry of a network ACL. Network ACLs keep no state: answers need an entry of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AclEntry {
    /// The network.
    pub cidr: Cidr,
    /// The TCP ports; without any, all traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports: Option<PortRange>,
    /// What for; becomes a comment.
    #[schemars(example = "replication from the data centre")]
    pub purpose: String,
}

/// Ports from the first to the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PortRange {
    /// The first.
    #[schemars(range(min = 1, max = 65535), example = 5432)]
    pub from: u16,
    /// The last.
    #[schemars(range(min = 1, max = 65535), example = 5432)]
    pub to: u16,
}

/// Calls that cross from one region to the other; the ports are the callee's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Flow {
    /// The region the callers stand in, by role.
    pub from: RoleName,
    /// The service or component that calls.
    pub caller: Name,
    /// The service or component that is called, in the other region.
    pub to: Name,
}
