//! VPCs, subnet tiers, flow logs, endpoints and peering.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Flow, NetworkAcl};
use crate::blueprint::scalar::{Cidr, KmsKey, RoleName, known};

/// The network of a region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vpc {
    /// The address range; /16 to /20. Subnets are cut from it by a fixed plan.
    pub cidr: Cidr,
    /// How many availability zones, or the letters of certain ones.
    #[serde(default)]
    pub zones: Zones,
    /// Subnet tiers by name; each has one subnet a zone. `public`, `private` and `database` are there unless said
    /// otherwise, and `financial` where the region has nodes for protected data.
    #[serde(default = "default_tiers")]
    #[schemars(example = serde_json::json!({"public": {}, "private": {}, "database": {}}))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-role"}))]
    pub subnets: IndexMap<RoleName, SubnetTier>,
    /// The way out for private subnets.
    #[serde(default)]
    pub nat: Nat,
    /// Records of all traffic.
    #[serde(default)]
    pub flow_logs: FlowLogs,
    /// Take away the rules AWS gives to the VPC's default security group.
    #[serde(default = "super::yes")]
    pub close_default_security_group: bool,
    /// Private ways to AWS services.
    #[serde(default)]
    pub endpoints: Endpoints,
}

/// The tiers of a VPC that says nothing of them.
pub(crate) fn default_tiers() -> IndexMap<RoleName, SubnetTier> {
    ["public", "private", "database"].into_iter().map(|tier| (known(tier), SubnetTier::default())).collect()
}

/// Availability zones: a number, or the letters of certain ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Zones {
    /// The first so many zones of the region.
    Count(#[schemars(range(min = 1, max = 6), example = 3)] u8),
    /// These zones, by letter.
    Letters(
        #[schemars(example = serde_json::json!(["a", "b", "d"]), inner(regex(pattern = r"^[a-f]$")))]
        Vec<String>,
    ),
}

impl Default for Zones {
    fn default() -> Self {
        Self::Count(3)
    }
}

/// Subnets of one purpose, one a zone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SubnetTier {
    /// Where the subnets route to. By default what the name says; tiers of other names are `isolated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<TierKind>,
    /// Which part of the VPC's spare range a tier of your own takes: 0 to 3. Tiers named `public`, `private`,
    /// `financial` and `database` have parts of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 3), example = 0)]
    pub slot: Option<u8>,
    /// The subnets' ranges by zone letter, where the plan's are not wanted.
    #[schemars(example = serde_json::json!({"a": "10.0.200.0/24"}))]
    #[schemars(extend("propertyNames" = {"enum": ["a","b","c","d","e","f"]}))]
    pub cidrs: IndexMap<String, Cidr>,
    /// Give instances public addresses at launch.
    pub public_ip_on_launch: bool,
    /// Route to the internet gateway. By default only public subnets do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = false)]
    pub internet_route: Option<bool>,
    /// The network ACL. By default isolated tiers without nodes have one: it admits the VPC and connected regions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_acl: Option<NetworkAcl>,
}

/// What a subnet routes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TierKind {
    /// To the internet gateway: load balancers and NAT gateways only.
    Public,
    /// Out through NAT gateways: nodes and pods.
    Private,
    /// Nowhere but the VPC and its peers.
    Isolated,
}

/// The way out for private subnets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Nat {
    /// Have NAT gateways at all.
    pub enabled: bool,
    /// One a zone, so that the loss of a zone takes no other zone's way out.
    pub per_zone: bool,
}

impl Default for Nat {
    fn default() -> Self {
        Self { enabled: true, per_zone: true }
    }
}

/// Records of a VPC's traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FlowLogs {
    /// Record at all.
    pub enabled: bool,
    /// Which traffic.
    pub traffic: FlowLogTraffic,
    /// Where the records go.
    pub destination: FlowLogDestination,
    /// How long they are kept, in days; by default `compliance.logRetentionDays`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3653), example = 2557)]
    pub retention_days: Option<u32>,
    /// The key that encrypts them.
    pub kms_key: KmsKey,
}

impl Default for FlowLogs {
    fn default() -> Self {
        Self {
            enabled: true,
            traffic: FlowLogTraffic::All,
            destination: FlowLogDestination::CloudWatch,
            retention_days: None,
            kms_key: KmsKey::platform(),
        }
    }
}

/// Which traffic a flow log records, in AWS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum FlowLogTraffic {
    /// Accepted and rejected.
    All,
    /// Accepted only.
    Accept,
    /// Rejected only.
    Reject,
}

/// Where flow logs go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FlowLogDestination {
    /// A CloudWatch log group of the region.
    CloudWatch,
}

/// Private ways to AWS services: traffic to them does not leave the VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Endpoints {
    /// Services with a gateway endpoint.
    #[schemars(example = serde_json::json!(["s3"]))]
    pub gateway: Vec<String>,
    /// Services with interface endpoints in the private subnets.
    #[schemars(example = serde_json::json!(["ecr.api", "ecr.dkr", "sts"]))]
    pub interface: Vec<String>,
}

impl Default for Endpoints {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        Self {
            gateway: words(&["s3"]),
            // What nodes without a way to the internet need: docs.aws.amazon.com/eks/latest/userguide/private-clusters.html
            interface: words(&[
                "ec2",
                "ecr.api",
                "ecr.dkr",
                "eks",
                "eks-auth",
                "elasticloadbalancing",
                "kms",
                "logs",
                "secretsmanager",
                "sts",
            ]),
        }
    }
}

/// A connection between the VPCs of two regions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Peering {
    /// The two regions, by role. The first asks, the second accepts.
    #[schemars(example = serde_json::json!(["primary", "secondary"]))]
    pub between: [RoleName; 2],
    /// The subnet tiers that are connected: routes are made both ways between exactly these. By default `private`,
    /// `database`, and `financial` where both regions have it.
    #[serde(default = "peered_tiers")]
    #[schemars(example = serde_json::json!(["private", "database"]))]
    pub subnets: Vec<RoleName>,
    /// Which calls may cross; without any, none may, and the routes lead to closed doors.
    #[serde(default)]
    #[schemars(example = serde_json::json!([{"from": "secondary", "caller": "ledger-service", "to": "rabbitmq"}]))]
    pub flows: Vec<Flow>,
}

fn peered_tiers() -> Vec<RoleName> {
    vec![known("private"), known("database")]
}
