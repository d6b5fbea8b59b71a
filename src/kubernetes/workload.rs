//! The pod in any workload, and which kinds live in a namespace.

use super::Object;
use crate::source::Node;

/// Kinds that have no namespace (Kubernetes API reference, and the usual operators' kinds).
const CLUSTER_SCOPED: [&str; 51] = [
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterExternalSecret",
    "ClusterIssuer",
    "ClusterPolicy",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterSecretStore",
    "ClusterTrustBundle",
    "ComponentStatus",
    "CustomResourceDefinition",
    "DeviceClass",
    "DeviceTaintRule",
    "EC2NodeClass",
    "FlowSchema",
    "GatewayClass",
    "IPAddress",
    "IngressClass",
    "IngressClassParams",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "NodeClaim",
    "NodePool",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "ResourceSlice",
    "RuntimeClass",
    "SelfSubjectAccessReview",
    "SelfSubjectReview",
    "SelfSubjectRulesReview",
    "ServiceCIDR",
    "StorageClass",
    "StorageVersion",
    "StorageVersionMigration",
    "SubjectAccessReview",
    "TokenReview",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "VolumeAttributesClass",
    "VolumeSnapshotClass",
    "VolumeSnapshotContent",
    "ClusterNetworkPolicy",
    "AdminNetworkPolicy",
];

/// Whether objects of this kind live in a namespace. Kinds nobody lists are taken to do so, as most do.
pub fn is_namespaced(kind: &str) -> bool {
    !CLUSTER_SCOPED.contains(&kind)
}

/// Whether the kind runs pods.
pub fn is_workload(kind: &str) -> bool {
    template_path(kind).is_some()
}

/// The node that holds a pod's `metadata` and `spec`: the template of a workload, a bare `Pod` itself,
/// `None` for every other kind.
///
/// Only the groups that the kinds belong to count: a `Job` of another group is not made like a `Job` of `batch`.
pub fn pod(object: &Object) -> Option<&Node> {
    let group = object.api_version.rsplit_once('/').map_or("", |(group, _)| group);
    let groups: &[&str] = match &*object.kind {
        "DeploymentConfig" => &["apps.openshift.io"],
        "Rollout" => &["argoproj.io"],
        _ => &["", "apps", "batch", "extensions"],
    };
    if !groups.contains(&group) {
        return None;
    }
    object.node.at(template_path(&object.kind)?)
}

/// Where the pod template of a kind stands; empty for a `Pod`.
pub fn template_path(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "Pod" => Some(&[]),
        "PodTemplate" => Some(&["template"]),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" | "ReplicationController" => {
            Some(&["spec", "template"])
        }
        // OpenShift's and Argo's ways to say Deployment. A Rollout that names another's pod has none of its own.
        "DeploymentConfig" | "Rollout" => Some(&["spec", "template"]),
        "CronJob" => Some(&["spec", "jobTemplate", "spec", "template"]),
        _ => None,
    }
}

/// Every container of a pod: init containers first, as they run, then the ordinary and the ephemeral ones.
pub fn containers(pod: &Node) -> Vec<&Node> {
    ["initContainers", "containers", "ephemeralContainers"]
        .iter()
        .filter_map(|list| pod.at(&["spec", list]))
        .flat_map(Node::items)
        .collect()
}
