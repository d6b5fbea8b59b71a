//! How soon the platform and its workloads are back after a disaster, how much they may have forgotten, and the backups
//! that make it so.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blueprint::scalar::{Duration, KmsKey, RoleName, known};

/// Recovery objectives, of the platform or of one service or component.
///
/// What the platform leaves out follows from its regions: with a second region 60 minutes, with a single one the four
/// hours that rebuilding it elsewhere takes, and in both cases at most 60 minutes of data lost. What a workload leaves
/// out follows from its tier, and where no tier is named from what depends on it too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Objectives {
    /// Recovery time objective: how long until it serves again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rto: Option<Duration>,
    /// Recovery point objective: how much of the last data may be lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpo: Option<Duration>,
}

/// Backups of everything that keeps data: volumes of pods, file systems, databases. They are taken in the region where
/// the data is, and copied to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Backup {
    /// Whether there are any.
    pub enabled: bool,
    /// How often: `60m`, `2h`, `3h`, `4h`, `6h`, `8h`, `12h` or `1d`. AWS Backup takes them once an hour at best.
    pub interval: Duration,
    /// How long a backup is kept, in days.
    #[schemars(range(min = 1, max = 36500), example = 35)]
    pub retention_days: u32,
    /// After how many days a backup moves to cheaper storage, where it stays at least 90 days. Without it, never.
    /// Snapshots of volumes do not move.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 36410), example = 30)]
    pub cold_storage_after_days: Option<u32>,
    /// The region that keeps the copies, by its role; by default the second one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy_to: Option<RoleName>,
    /// The key that encrypts the vaults.
    pub kms_key: KmsKey,
    /// What keeps backups from being deleted before their time.
    pub vault_lock: VaultLock,
    /// Restores that nobody has to ask for.
    pub restore_test: RestoreTest,
}

impl Default for Backup {
    fn default() -> Self {
        Self {
            enabled: true,
            interval: known("60m"),
            retention_days: 35,
            cold_storage_after_days: None,
            copy_to: None,
            kms_key: KmsKey::platform(),
            vault_lock: VaultLock::default(),
            restore_test: RestoreTest::default(),
        }
    }
}

/// What keeps backups from being deleted before their time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct VaultLock {
    /// Whether the vaults are locked.
    pub enabled: bool,
    /// Who can open the lock again.
    pub mode: VaultLockMode,
    /// The shortest time a backup is kept, in days; AWS refuses backups that are to be kept for less.
    #[schemars(range(min = 1, max = 36500), example = 7)]
    pub min_retention_days: u32,
    /// How long a lock in compliance mode can still be taken off, in days. After that nobody can, not even AWS.
    #[schemars(range(min = 3, max = 36500), example = 14)]
    pub cooling_off_days: u32,
}

impl Default for VaultLock {
    fn default() -> Self {
        Self { enabled: true, mode: VaultLockMode::Compliance, min_retention_days: 7, cooling_off_days: 14 }
    }
}

/// Who can open a vault's lock again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum VaultLockMode {
    /// Nobody, once the cooling-off time is over.
    Compliance,
    /// Whoever may delete locks in this account.
    Governance,
}

/// Restores that nobody has to ask for: AWS Backup restores the latest backup of everything, and deletes what it
/// restored some hours later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RestoreTest {
    /// Whether they happen.
    pub enabled: bool,
    /// How often.
    pub schedule: RestoreTestSchedule,
}

impl Default for RestoreTest {
    fn default() -> Self {
        Self { enabled: true, schedule: RestoreTestSchedule::Weekly }
    }
}

/// How often restores are tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RestoreTestSchedule {
    /// Every Sunday.
    Weekly,
    /// On the first of a month.
    Monthly,
    /// On the first of January, April, July and October.
    Quarterly,
}
