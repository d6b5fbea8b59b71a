//! What the published definitions leave out and the API server holds all the same: words that a field takes, and ranges
//! of ports. Words are the constants of `k8s.io/api`; a field is listed only where the server refuses every other word.

/// Definition and fields, then the words.
const WORDS: &[(&str, &str, &str)] = &[
    ("Container", "imagePullPolicy", "Always IfNotPresent Never"),
    ("Container", "terminationMessagePolicy", "File FallbackToLogsOnError"),
    ("ContainerPort", "protocol", "TCP UDP SCTP"),
    ("ServicePort", "protocol", "TCP UDP SCTP"),
    ("NetworkPolicyPort", "protocol", "TCP UDP SCTP"),
    ("PodSpec", "restartPolicy", "Always OnFailure Never"),
    ("PodSpec", "dnsPolicy", "ClusterFirst ClusterFirstWithHostNet Default None"),
    ("PodSpec", "preemptionPolicy", "PreemptLowerPriority Never"),
    ("PriorityClass", "preemptionPolicy", "PreemptLowerPriority Never"),
    // `Lt` and `Gt` are taken from 1.35 on.
    ("Toleration", "operator", "Exists Equal Lt Gt"),
    ("Toleration", "effect", "NoSchedule PreferNoSchedule NoExecute"),
    ("Taint", "effect", "NoSchedule PreferNoSchedule NoExecute"),
    ("SeccompProfile", "type", "RuntimeDefault Localhost Unconfined"),
    ("AppArmorProfile", "type", "RuntimeDefault Localhost Unconfined"),
    ("PodSecurityContext", "fsGroupChangePolicy", "OnRootMismatch Always"),
    ("NodeSelectorRequirement", "operator", "In NotIn Exists DoesNotExist Gt Lt"),
    ("LabelSelectorRequirement", "operator", "In NotIn Exists DoesNotExist"),
    ("TopologySpreadConstraint", "whenUnsatisfiable", "DoNotSchedule ScheduleAnyway"),
    ("TopologySpreadConstraint", "nodeAffinityPolicy", "Honor Ignore"),
    ("TopologySpreadConstraint", "nodeTaintsPolicy", "Honor Ignore"),
    ("HTTPGetAction", "scheme", "HTTP HTTPS"),
    ("ServiceSpec", "type", "ClusterIP NodePort LoadBalancer ExternalName"),
    ("ServiceSpec", "sessionAffinity", "ClientIP None"),
    ("ServiceSpec", "externalTrafficPolicy", "Cluster Local"),
    ("ServiceSpec", "internalTrafficPolicy", "Cluster Local"),
    ("ServiceSpec", "ipFamilyPolicy", "SingleStack PreferDualStack RequireDualStack"),
    ("PersistentVolumeSpec", "accessModes", "ReadWriteOnce ReadOnlyMany ReadWriteMany ReadWriteOncePod"),
    ("PersistentVolumeSpec", "persistentVolumeReclaimPolicy", "Retain Recycle Delete"),
    ("PersistentVolumeSpec", "volumeMode", "Filesystem Block"),
    ("PersistentVolumeClaimSpec", "accessModes", "ReadWriteOnce ReadOnlyMany ReadWriteMany ReadWriteOncePod"),
    ("PersistentVolumeClaimSpec", "volumeMode", "Filesystem Block"),
    ("StorageClass", "reclaimPolicy", "Delete Retain"),
    ("StorageClass", "volumeBindingMode", "Immediate WaitForFirstConsumer"),
    ("DeploymentStrategy", "type", "RollingUpdate Recreate"),
    ("StatefulSetUpdateStrategy", "type", "RollingUpdate OnDelete"),
    ("DaemonSetUpdateStrategy", "type", "RollingUpdate OnDelete"),
    ("StatefulSetSpec", "podManagementPolicy", "OrderedReady Parallel"),
    ("CronJobSpec", "concurrencyPolicy", "Allow Forbid Replace"),
    ("JobSpec", "completionMode", "NonIndexed Indexed"),
    ("NetworkPolicySpec", "policyTypes", "Ingress Egress"),
    ("HTTPIngressPath", "pathType", "Exact Prefix ImplementationSpecific"),
    ("RoleRef", "kind", "Role ClusterRole"),
    ("Subject", "kind", "ServiceAccount User Group"),
    ("MetricSpec", "type", "Resource ContainerResource Pods Object External"),
    ("PodDisruptionBudgetSpec", "unhealthyPodEvictionPolicy", "IfHealthyBudget AlwaysAllow"),
];

/// Fields that hold a port; those of type "whole number or string" may hold a name instead.
const PORTS: &[(&str, &str)] = &[
    ("ContainerPort", "containerPort"),
    ("ContainerPort", "hostPort"),
    ("ServicePort", "port"),
    ("ServicePort", "targetPort"),
    ("ServicePort", "nodePort"),
    ("ServiceBackendPort", "number"),
    ("NetworkPolicyPort", "port"),
    ("HTTPGetAction", "port"),
    ("TCPSocketAction", "port"),
    ("GRPCAction", "port"),
];

/// The words a field of a definition of Kubernetes' own takes, if they are fixed.
pub(super) fn words(definition: &str, field: &str) -> Option<&'static str> {
    let short = own(definition)?;
    WORDS.iter().find(|(name, key, _)| *name == short && *key == field).map(|(_, _, words)| *words)
}

/// Whether a field holds the number of a port.
pub(super) fn is_port(definition: &str, field: &str) -> bool {
    own(definition).is_some_and(|short| PORTS.contains(&(short, field)))
}

/// `Container` of `io.k8s.api.core.v1.Container`.
fn own(definition: &str) -> Option<&str> {
    definition.strip_prefix("io.k8s.")?.rsplit('.').next()
}
