//! Tables of facts, kept as data beside the code: AWS regions' zones, components' defaults.

use std::sync::LazyLock;

use serde_json::Value;

use super::schema::shown;
use crate::source::{FileId, Node, SourceFile, did_you_mean, yaml};

const REGIONS: &str = include_str!("facts/aws-regions.yaml");
const COMPONENTS: &str = include_str!("facts/components.yaml");
/// Beside the facts of the policies, which judge by it too.
const PUBLIC_REGISTRIES: &str = include_str!("../policy/facts/public-registries.yaml");
const ADDONS: &str = include_str!("facts/eks-addons.yaml");

/// The Kubernetes version of a blueprint that names none.
pub(super) const KUBERNETES_VERSION: &str = "1.35";

/// The oldest minor version EKS still makes clusters of, in extended support until 2026-11-26
/// (`docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html`).
pub(super) const OLDEST_KUBERNETES_MINOR: u32 = 31;

/// Days `CloudWatch` Logs can keep events
/// (`docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html`).
const LOG_RETENTION_DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// The wanted number of days, or the next higher one that `CloudWatch` offers, or the highest.
pub fn cloudwatch_retention(days: u32) -> u32 {
    LOG_RETENTION_DAYS.iter().copied().find(|offered| *offered >= days).unwrap_or(3653)
}

/// Zone letters by region, read at the first question.
static ZONES: LazyLock<Node> = LazyLock::new(|| table(REGIONS));
/// Defaults by component, read at the first question.
static DEFAULTS: LazyLock<Node> = LazyLock::new(|| table(COMPONENTS));
/// Versions of EKS add-ons by Kubernetes version, read at the first question.
static ADDON_VERSIONS: LazyLock<Node> = LazyLock::new(|| table(ADDONS));

/// Registries anybody may push to, read at the first question.
static PUBLIC: LazyLock<Node> = LazyLock::new(|| table(PUBLIC_REGISTRIES));

/// Whether anybody may push to a registry.
pub(super) fn is_public_registry(host: &str) -> bool {
    PUBLIC.get("hosts").is_some_and(|hosts| hosts.items().iter().any(|known| known.as_str() == Some(host)))
}

fn table(text: &str) -> Node {
    let file = SourceFile::new("facts", text.to_owned());
    let read = yaml::read(FileId(u32::MAX), &file);
    read.documents
        .into_iter()
        .next()
        .unwrap_or(Node::new(crate::source::Span::default(), crate::source::Value::Null))
}

/// Zone letters of an AWS region.
///
/// # Errors
/// With words that help, if the region is not in the table.
pub(super) fn zone_letters(region: &str) -> Result<Vec<String>, String> {
    if let Some(letters) = ZONES.get(region) {
        return Ok(letters.items().iter().filter_map(Node::as_str).map(str::to_owned).collect());
    }
    let known: Vec<&str> =
        ZONES.as_map().into_iter().flat_map(|map| map.entries.keys()).map(AsRef::as_ref).collect();
    Err(match did_you_mean(region, known) {
        Some(close) => format!(
            "did you mean `{close}`? For a region this tool does not know yet, name its zones: `zones: [a, b, c]`"
        ),
        None => format!(
            "for a region this tool does not know yet, such as `{}`, name its zones: `zones: [a, b, c]`",
            shown(region)
        ),
    })
}

/// The version of an EKS add-on for a Kubernetes version, if one is known.
pub(super) fn addon_version(kubernetes: &str, addon: &str) -> Option<&'static str> {
    ADDON_VERSIONS.at(&[kubernetes, addon])?.as_str()
}

/// Defaults of a component, if it is one that is known by name.
pub(super) fn component(name: &str) -> Option<Value> {
    DEFAULTS.get(name).map(Node::to_json)
}
