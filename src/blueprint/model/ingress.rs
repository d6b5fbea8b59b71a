//! The way in from outside: the load balancer, the firewall in front of it, the controller behind it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Image, name};
use crate::blueprint::scalar::{Arn, Cidr, Host, Name, RoleName, UrlPath};

/// The way in from outside, over HTTPS: in each region an application load balancer with a web application firewall, and
/// behind it an ingress controller on the nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ingress {
    /// The host name.
    pub host: Host,
    /// The ingress controller.
    #[serde(default)]
    pub controller: IngressController,
    /// Certificates and versions of TLS.
    #[serde(default)]
    pub tls: Tls,
    /// Which path leads to which service.
    #[schemars(length(min = 1))]
    pub routes: Vec<Route>,
    /// Only from inside the VPC and its peers.
    #[serde(default)]
    pub internal: bool,
    /// Networks that may connect; without any, all may.
    #[serde(default)]
    #[schemars(example = serde_json::json!(["203.0.113.0/24"]))]
    pub allowed_cidrs: Vec<Cidr>,
    /// What listens on port 80, where requests come without TLS.
    #[serde(default)]
    pub plain_http: PlainHttp,
    /// The firewall for web requests in front of the load balancer.
    #[serde(default)]
    pub waf: Waf,
    /// Record every request the load balancer takes.
    #[serde(default = "yes")]
    pub access_logs: bool,
    /// The port of every node at which the controller receives from the load balancer.
    #[serde(default = "node_port")]
    #[schemars(range(min = 30000, max = 32767), example = 30443)]
    pub node_port: u16,
    /// The image of the controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
}

fn yes() -> bool {
    true
}

fn node_port() -> u16 {
    30443
}

/// An ingress controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum IngressController {
    /// NGINX.
    #[default]
    Nginx,
}

/// What listens on port 80.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlainHttp {
    /// Nothing: a request without TLS never leaves its sender with more than a refused connection.
    #[default]
    Closed,
    /// A redirect to HTTPS.
    Redirect,
    /// The services, without TLS.
    Serve,
}

/// Certificates and versions of TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Tls {
    /// The load balancers' certificates in AWS Certificate Manager, one a region, by the region's role.
    #[schemars(example = serde_json::json!({"primary": "arn:aws:acm:us-east-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"}))]
    #[schemars(extend("propertyNames" = {"format": "nexafi-role"}))]
    pub certificates: IndexMap<RoleName, Arn>,
    /// The oldest version of TLS that is spoken.
    pub min_version: TlsVersion,
    /// The Kubernetes secret that holds the controller's certificate and key, for the way from the load balancer to it.
    pub secret: Name,
    /// The cert-manager cluster issuer that fills the secret; without it somebody else does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Name>,
    /// How many days before its end cert-manager renews the certificate.
    #[schemars(range(min = 1, max = 398), example = 31)]
    pub renew_before_days: u16,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            certificates: IndexMap::new(),
            min_version: TlsVersion::V12,
            secret: name("ingress-tls"),
            issuer: None,
            renew_before_days: 31,
        }
    }
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum TlsVersion {
    /// TLS 1.0, broken.
    #[serde(rename = "1.0")]
    V10,
    /// TLS 1.1, broken.
    #[serde(rename = "1.1")]
    V11,
    /// TLS 1.2.
    #[serde(rename = "1.2")]
    V12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    V13,
}

/// The firewall for web requests (AWS WAF).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Waf {
    /// Put it in front of the load balancer.
    pub enabled: bool,
    /// Rules that AWS keeps up to date.
    pub managed_rules: ManagedRules,
    /// Requests that one address may send in five minutes before it is refused.
    #[schemars(range(min = 10, max = 2_000_000_000), example = 2000)]
    pub rate_limit: u32,
    /// Record every request it judges.
    pub logs: bool,
}

impl Default for Waf {
    fn default() -> Self {
        Self { enabled: true, managed_rules: ManagedRules::default(), rate_limit: 2000, logs: true }
    }
}

/// Groups of rules that AWS keeps up to date
/// (docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ManagedRules {
    /// The usual attacks of the OWASP Top 10.
    pub common: RuleGroup,
    /// Requests that exploit known vulnerabilities, such as Log4j's.
    pub known_bad_inputs: RuleGroup,
    /// SQL injection.
    pub sql_injection: RuleGroup,
    /// Addresses that AWS knows as sources of attacks.
    pub ip_reputation: RuleGroup,
    /// Anonymising networks and hosting providers. Partners call from hosting providers too, so these are only counted
    /// unless said otherwise.
    pub anonymous_ip: RuleGroup,
}

impl Default for ManagedRules {
    fn default() -> Self {
        Self {
            common: RuleGroup::default(),
            known_bad_inputs: RuleGroup::default(),
            sql_injection: RuleGroup::default(),
            ip_reputation: RuleGroup::default(),
            anonymous_ip: RuleGroup { enabled: true, count_only: vec!["HostingProviderIPList".to_owned()] },
        }
    }
}

/// A group of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RuleGroup {
    /// Judge requests by it.
    pub enabled: bool,
    /// Rules of it that only count what they find, and refuse nothing.
    #[schemars(inner(regex(pattern = r"^[A-Za-z0-9_-]{1,128}$")), example = serde_json::json!(["SizeRestrictions_BODY"]))]
    pub count_only: Vec<String>,
}

impl Default for RuleGroup {
    fn default() -> Self {
        Self { enabled: true, count_only: Vec::new() }
    }
}

/// Which path leads to which service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// The path's beginning.
    pub path: UrlPath,
    /// The service.
    pub service: Name,
}
