//! What may not change once an object is there (`ValidateUpdate` of each kind in Kubernetes' `pkg/apis`).

use serde_json::{Map, Value};

use crate::normalise::at;

/// Fields that may not change: kind, path, the API server's words.
const FIELDS: [(&str, &[&str], &str); 20] = [
    ("Deployment", &["spec", "selector"], "field is immutable"),
    ("DaemonSet", &["spec", "selector"], "field is immutable"),
    ("ReplicaSet", &["spec", "selector"], "field is immutable"),
    ("Job", &["spec", "selector"], "field is immutable"),
    ("Job", &["spec", "completions"], "field is immutable"),
    ("Job", &["spec", "completionMode"], "field is immutable"),
    ("Job", &["spec", "template"], "field is immutable"),
    ("Service", &["spec", "clusterIP"], "may not change once set"),
    ("Service", &["spec", "clusterIPs"], "may not change once set"),
    ("RoleBinding", &["roleRef"], "cannot change roleRef"),
    ("ClusterRoleBinding", &["roleRef"], "cannot change roleRef"),
    ("Secret", &["type"], "field is immutable"),
    ("StorageClass", &["parameters"], "updates to parameters are forbidden."),
    ("StorageClass", &["provisioner"], "updates to provisioner are forbidden."),
    ("StorageClass", &["reclaimPolicy"], "field is immutable"),
    ("StorageClass", &["volumeBindingMode"], "field is immutable"),
    ("IngressClass", &["spec", "controller"], "field is immutable"),
    ("PriorityClass", &["value"], "may not be changed in an update."),
    ("Pod", &["spec", "volumes"], "pod updates may not change fields other than `spec.containers[*].image`"),
    (
        "Pod",
        &["spec", "nodeSelector"],
        "pod updates may not change fields other than `spec.containers[*].image`",
    ),
];

/// What a `StatefulSet`'s spec may change.
const STATEFUL_SET: [&str; 7] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];

/// What a claim's spec may change.
const CLAIM: [&str; 2] = ["resources", "volumeAttributesClassName"];

/// Every change that is not allowed.
pub(crate) fn check(before: &Value, after: &Value) -> Vec<String> {
    let kind = after["kind"].as_str().unwrap_or("");
    let mut faults: Vec<String> = FIELDS
        .iter()
        .filter(|(of, path, _)| *of == kind && at(before, path) != at(after, path))
        .map(|(_, path, words)| format!("{}: Invalid value: {}: {words}", path.join("."), at(after, path)))
        .collect();
    let rest = |object: &Value, allowed: &[&str]| -> Map<String, Value> {
        let mut spec = object["spec"].as_object().cloned().unwrap_or_default();
        spec.retain(|key, _| !allowed.contains(&key.as_str()));
        spec
    };
    if kind == "StatefulSet" && rest(before, &STATEFUL_SET) != rest(after, &STATEFUL_SET) {
        faults.push(
            "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
             'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' \
             are forbidden"
                .to_owned(),
        );
    }
    if kind == "PersistentVolumeClaim" && rest(before, &CLAIM) != rest(after, &CLAIM) {
        faults.push(
            "spec: Forbidden: spec is immutable after creation except resources.requests and \
             volumeAttributesClassName for bound claims"
                .to_owned(),
        );
    }
    if ["Secret", "ConfigMap"].contains(&kind) && before["immutable"] == true {
        let data = |object: &Value| (object["data"].clone(), object["binaryData"].clone());
        if data(before) != data(after) || after["immutable"] != true {
            faults.push("data: Forbidden: field is immutable when `immutable` is set".to_owned());
        }
    }
    faults
}
