//! In which order objects are printed.

use super::resource::{Id, Resource};
use crate::source::Node;

const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Sorts as `sortOptions` asks, which `kubectl kustomize` takes for `legacy` where it is not written.
pub(super) fn sort(resources: &mut [Resource], options: Option<&Node>) {
    let order = options.and_then(|options| options.get("order")).and_then(Node::as_str);
    if order == Some("fifo") {
        return;
    }
    let legacy = options.and_then(|options| options.get("legacySortOptions"));
    let list = |key: &str, otherwise: &[&str]| -> Vec<String> {
        match legacy {
            Some(legacy) => legacy
                .get(key)
                .map_or(&[][..], Node::items)
                .iter()
                .filter_map(Node::as_str)
                .map(str::to_owned)
                .collect(),
            None => otherwise.iter().map(|kind| (*kind).to_owned()).collect(),
        }
    };
    let (first, last) = (list("orderFirst", &FIRST), list("orderLast", &LAST));
    let rank = |kind: &str| -> (u8, usize) {
        if let Some(at) = last.iter().position(|known| known == kind) {
            return (2, at);
        }
        first.iter().position(|known| known == kind).map_or((1, 0), |at| (0, at))
    };
    resources.sort_by_cached_key(|resource| {
        let id = resource.id();
        (rank(&id.kind), kind_key(&id), id_key(&id))
    });
}

fn or<'t>(text: &'t str, otherwise: &'t str) -> &'t str {
    if text.is_empty() { otherwise } else { text }
}

/// kustomize compares words joined by underscores, empty ones marked by a tilde, which sorts last.
fn kind_key(id: &Id) -> String {
    format!("{}_{}_{}", or(&id.group, "~G"), or(&id.version, "~V"), or(&id.kind, "~K"))
}

fn id_key(id: &Id) -> String {
    format!(
        "{}.{}.{}|{}|{}",
        or(&id.kind, "[noKind]"),
        or(&id.version, "[noVer]"),
        or(&id.group, "[noGrp]"),
        or(&id.namespace, "~X"),
        or(&id.name, "~N")
    )
}
