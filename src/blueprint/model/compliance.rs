//! What the platform claims, and the services that watch over it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blueprint::scalar::{Date, Duration, Name};

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

/// Recovery objectives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Objectives {
    /// Recovery time objective: how long until the platform serves again.
    pub rto: Duration,
    /// Recovery point objective: how much of the last data may be lost.
    pub rpo: Duration,
}

impl Default for Objectives {
    fn default() -> Self {
        Self { rto: crate::blueprint::scalar::known("60m"), rpo: crate::blueprint::scalar::known("60m") }
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

/// CloudTrail in all regions, to a locked, versioned, encrypted bucket in the first region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AuditTrail {
    /// Record at all.
    pub enabled: bool,
    /// How long a record cannot be deleted by anybody, in days; by default `compliance.logRetentionDays`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 36500), example = 2555)]
    pub retention_days: Option<u32>,
}

impl Default for AuditTrail {
    fn default() -> Self {
        Self { enabled: true, retention_days: None }
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
