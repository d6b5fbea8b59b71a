//! The audit trail and the alarms on it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blueprint::scalar::{Email, KmsKey};

/// CloudTrail in all regions, to a locked, versioned, encrypted bucket in the first region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the blueprint")]
pub struct AuditTrail {
    /// Record at all.
    pub enabled: bool,
    /// Record every region of the account, not only the first one of the platform.
    pub multi_region: bool,
    /// Sign what is recorded, so that a changed or missing file shows.
    pub log_file_validation: bool,
    /// The key that encrypts the records.
    pub kms_key: KmsKey,
    /// How long a record cannot be deleted by anybody, in days; by default `compliance.logRetentionDays`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 36500), example = 2555)]
    pub retention_days: Option<u32>,
    /// Who can delete a record before its end.
    pub lock: Lock,
    /// Where records go when they are older.
    pub archive: Archive,
    /// Keep a copy of every record in the second region, if there is one.
    pub replicate: bool,
}

impl Default for AuditTrail {
    fn default() -> Self {
        Self {
            enabled: true,
            multi_region: true,
            log_file_validation: true,
            kms_key: KmsKey::platform(),
            retention_days: None,
            lock: Lock::Compliance,
            archive: Archive::default(),
            replicate: true,
        }
    }
}

/// S3 Object Lock (docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Lock {
    /// Nobody, not even the root user.
    Compliance,
    /// Whoever has a permission for it.
    Governance,
    /// Whoever may delete objects.
    None,
}

/// Cheaper storage for older records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Archive {
    /// After how many days.
    #[schemars(range(min = 1, max = 36500), example = 365)]
    pub after_days: u32,
    /// How soon an archived record can be read.
    pub class: ArchiveClass,
}

impl Default for Archive {
    fn default() -> Self {
        Self { after_days: 365, class: ArchiveClass::Instant }
    }
}

/// A storage class of S3 for archives (docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ArchiveClass {
    /// At once: Glacier Instant Retrieval.
    Instant,
    /// In minutes to hours: Glacier Flexible Retrieval.
    Flexible,
    /// In hours to days: Glacier Deep Archive.
    Deep,
}

/// Alarms on the audit trail: changes of firewalls, permissions, keys and of the trail itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Alarms {
    /// Whether there are any.
    pub enabled: bool,
    /// Who gets them by mail; by default the owner. AWS asks there for confirmation once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
}

impl Default for Alarms {
    fn default() -> Self {
        Self { enabled: true, email: None }
    }
}
