//! What the platform claims, and the services that watch over it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alarms, AuditTrail, Objectives};
use crate::blueprint::scalar::{Boundary, Date, Name, Residency};

/// Frameworks claimed, retention, recovery objectives, accepted findings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Compliance {
    /// Frameworks the platform claims to follow.
    #[schemars(example = serde_json::json!(["pci-dss-4.0.1", "soc2-tsc-2017"]))]
    pub frameworks: Vec<Framework>,
    /// How long logs are kept, in days. CloudWatch keeps logs for certain numbers of days only; the next higher one
    /// is taken.
    #[schemars(range(min = 1, max = 3653), example = 2555)]
    pub log_retention_days: u32,
    /// Where data may be: AWS regions, or jurisdictions (`EU`, `US`, ...). Every region has to be one of them, or in one.
    /// Without any, nothing is promised.
    #[schemars(example = serde_json::json!(["EU"]))]
    pub residency: Vec<Residency>,
    /// Whether the platform is in the scope of PCI DSS; by default it is as soon as anything handles cardholder data.
    /// Every resource carries the answer as a tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pci_scope: Option<PciScope>,
    /// How soon the platform is back after a disaster, and how much it may have forgotten: the objectives of tier 1.
    pub objectives: Objectives,
    /// Issuers whose certificates may be used: names of cert-manager's cluster issuers.
    #[schemars(example = serde_json::json!(["bank-ca"]))]
    pub certificate_issuers: Vec<Name>,
    /// Findings somebody answers for.
    pub waivers: Vec<Waiver>,
}

impl Default for Compliance {
    fn default() -> Self {
        // Seven years: the longest of the usual duties (SEC 17a-4 has six years, many tax laws seven).
        Self {
            frameworks: Vec::new(),
            log_retention_days: 2555,
            residency: Vec::new(),
            pci_scope: None,
            objectives: Objectives::default(),
            certificate_issuers: Vec::new(),
            waivers: Vec::new(),
        }
    }
}

/// A framework of controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Framework {
    /// PCI DSS v4.0.1.
    #[serde(rename = "pci-dss-4.0.1")]
    PciDss,
    /// NIST SP 800-53 revision 5.
    #[serde(rename = "nist-800-53-r5")]
    Nist80053,
    /// CIS Amazon EKS Benchmark 1.8.
    #[serde(rename = "cis-eks-1.8")]
    CisEks,
    /// CIS AWS Foundations Benchmark 5.0.
    #[serde(rename = "cis-aws-foundations-5.0")]
    CisAws,
    /// SOC 2 trust services criteria, 2017.
    #[serde(rename = "soc2-tsc-2017")]
    Soc2,
    /// Regulation (EU) 2022/2554, the Digital Operational Resilience Act.
    #[serde(rename = "dora-2022-2554")]
    Dora,
}

/// Whether PCI DSS applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PciScope {
    /// Cardholder data is stored, processed or passed on here, or something here could harm its safety.
    In,
    /// None of it.
    Out,
}

impl PciScope {
    /// The word in tags.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// A finding that is accepted until a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Waiver {
    /// The policy.
    #[schemars(example = "NXF-NET-015")]
    pub policy: String,
    /// The subject: a path in the blueprint, a Terraform address, or kind/namespace/name.
    #[schemars(example = "regions.secondary.vpc")]
    pub subject: String,
    /// Why it is acceptable.
    #[schemars(example = "The standby region serves no customers before the move in May.")]
    pub reason: String,
    /// Who answers for it.
    #[schemars(example = "jane.doe@nexafi.example")]
    pub owner: String,
    /// The ticket that ends it.
    #[schemars(example = "RISK-1204")]
    pub ticket: String,
    /// The last day it holds.
    pub expires: Date,
}

/// Encryption keys, the audit trail and the guard services.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Security {
    /// The platform's own KMS keys: one a purpose and region.
    pub keys: KeySettings,
    /// CloudTrail, kept where nobody can change it.
    pub audit_trail: AuditTrail,
    /// Threat detection in every region.
    pub guard_duty: Toggle,
    /// A record of every resource's configuration in every region.
    pub config: Toggle,
    /// Checks of the whole account against security standards, in every region.
    pub security_hub: Toggle,
    /// IAM Access Analyzer in every region: who outside of the account can reach what.
    pub access_analyzer: Toggle,
    /// Macie in every region: where personal and card data lies in buckets.
    pub macie: Toggle,
    /// Inspector in every region: known flaws in images and machines.
    pub inspector: Toggle,
    /// No bucket of the whole account can be made public, whatever its own settings say.
    pub public_access_block: Toggle,
    /// Alarms when somebody changes what protects the platform.
    pub alarms: Alarms,
    /// The most that any role of the platform can ever be allowed: `platform` (a boundary of its own), `none`, or the
    /// ARN of a policy of yours.
    pub permissions_boundary: Boundary,
}

/// How the platform's KMS keys are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KeySettings {
    /// Replace the key material on schedule.
    pub rotation: bool,
    /// How often, in days.
    #[schemars(range(min = 90, max = 2560), example = 365)]
    pub rotation_days: u32,
    /// How long a deleted key can be brought back, in days.
    #[schemars(range(min = 7, max = 30), example = 30)]
    pub deletion_window_days: u32,
    /// Let Terraform refuse to delete a key.
    pub prevent_destroy: bool,
}

impl Default for KeySettings {
    fn default() -> Self {
        Self { rotation: true, rotation_days: 365, deletion_window_days: 30, prevent_destroy: true }
    }
}

/// A service that is on or off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Toggle {
    /// Whether it is on.
    pub enabled: bool,
}

impl Default for Toggle {
    fn default() -> Self {
        Self { enabled: true }
    }
}
