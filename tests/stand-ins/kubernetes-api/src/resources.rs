//! What the API serves: the table of resources, and the documents by which clients find out.

use serde_json::{Map, Value, json};

/// One resource: the path segment under which a kind is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resource {
    /// `apps/v1`; `v1` for the core group.
    pub(crate) api_version: &'static str,
    /// `Deployment`.
    pub(crate) kind: &'static str,
    /// `deployments`.
    pub(crate) plural: &'static str,
    /// Short names.
    pub(crate) short: &'static [&'static str],
    /// Whether its objects live in a namespace.
    pub(crate) namespaced: bool,
}

impl Resource {
    /// The group; empty for the core group.
    pub(crate) fn group(&self) -> &'static str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The version.
    pub(crate) fn version(&self) -> &'static str {
        self.api_version.split_once('/').map_or(self.api_version, |(_, version)| version)
    }

    /// `deployments.apps`, as messages name it.
    pub(crate) fn full_name(&self) -> String {
        match self.group() {
            "" => self.plural.to_owned(),
            group => format!("{}.{group}", self.plural),
        }
    }
}

const fn namespaced(
    api_version: &'static str,
    kind: &'static str,
    plural: &'static str,
    short: &'static [&'static str],
) -> Resource {
    Resource { api_version, kind, plural, short, namespaced: true }
}

const fn cluster(
    api_version: &'static str,
    kind: &'static str,
    plural: &'static str,
    short: &'static [&'static str],
) -> Resource {
    Resource { api_version, kind, plural, short, namespaced: false }
}

/// Every resource (`kubectl api-resources` of a plain cluster, as far as platforms use them).
pub(crate) const RESOURCES: &[Resource] = &[
    namespaced("v1", "ConfigMap", "configmaps", &["cm"]),
    namespaced("v1", "Endpoints", "endpoints", &["ep"]),
    namespaced("v1", "Event", "events", &["ev"]),
    namespaced("v1", "LimitRange", "limitranges", &["limits"]),
    cluster("v1", "Namespace", "namespaces", &["ns"]),
    cluster("v1", "Node", "nodes", &["no"]),
    namespaced("v1", "PersistentVolumeClaim", "persistentvolumeclaims", &["pvc"]),
    cluster("v1", "PersistentVolume", "persistentvolumes", &["pv"]),
    namespaced("v1", "Pod", "pods", &["po"]),
    namespaced("v1", "ResourceQuota", "resourcequotas", &["quota"]),
    namespaced("v1", "Secret", "secrets", &[]),
    namespaced("v1", "ServiceAccount", "serviceaccounts", &["sa"]),
    namespaced("v1", "Service", "services", &["svc"]),
    cluster(
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        &[],
    ),
    cluster(
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        &[],
    ),
    cluster(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        &["crd", "crds"],
    ),
    namespaced("apps/v1", "DaemonSet", "daemonsets", &["ds"]),
    namespaced("apps/v1", "Deployment", "deployments", &["deploy"]),
    namespaced("apps/v1", "ReplicaSet", "replicasets", &["rs"]),
    namespaced("apps/v1", "StatefulSet", "statefulsets", &["sts"]),
    namespaced("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", &["hpa"]),
    namespaced("batch/v1", "CronJob", "cronjobs", &["cj"]),
    namespaced("batch/v1", "Job", "jobs", &[]),
    namespaced("coordination.k8s.io/v1", "Lease", "leases", &[]),
    namespaced("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", &[]),
    cluster("networking.k8s.io/v1", "IngressClass", "ingressclasses", &[]),
    namespaced("networking.k8s.io/v1", "Ingress", "ingresses", &["ing"]),
    namespaced("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", &["netpol"]),
    namespaced("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", &["pdb"]),
    // Sigstore's policy-controller brings its definition.
    cluster("policy.sigstore.dev/v1beta1", "ClusterImagePolicy", "clusterimagepolicies", &["cip"]),
    cluster("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", &[]),
    cluster("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", &[]),
    namespaced("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", &[]),
    namespaced("rbac.authorization.k8s.io/v1", "Role", "roles", &[]),
    cluster("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", &["pc"]),
    // The add-on of the Secrets Store CSI driver brings its definition.
    namespaced("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", "secretproviderclasses", &[]),
    cluster("storage.k8s.io/v1", "CSIDriver", "csidrivers", &[]),
    cluster("storage.k8s.io/v1", "StorageClass", "storageclasses", &["sc"]),
];

/// What `kubectl get all` means.
const ALL: [&str; 9] = [
    "Pod",
    "Service",
    "DaemonSet",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "HorizontalPodAutoscaler",
    "CronJob",
    "Job",
];

/// The groups in the order of the table, each with its version; the core group has no name.
fn groups() -> Vec<(&'static str, &'static str)> {
    let mut groups: Vec<(&str, &str)> = RESOURCES.iter().map(|r| (r.group(), r.version())).collect();
    groups.dedup();
    groups
}

/// `/api`.
pub(crate) fn core_versions() -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
}

/// `/apis`.
pub(crate) fn group_list() -> Value {
    let groups: Vec<Value> = groups()
        .into_iter()
        .filter(|(group, _)| !group.is_empty())
        .map(|(group, version)| {
            let served = json!({"groupVersion": format!("{group}/{version}"), "version": version});
            json!({"name": group, "versions": [served], "preferredVersion": served})
        })
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/api/v1`, `/apis/apps/v1`; `None` for a version that is not served.
pub(crate) fn resource_list(api_version: &str) -> Option<Value> {
    let verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];
    let resources: Vec<Value> = RESOURCES
        .iter()
        .filter(|resource| resource.api_version == api_version)
        .map(|resource| {
            json!({
                "name": resource.plural, "singularName": resource.kind.to_lowercase(),
                "namespaced": resource.namespaced, "kind": resource.kind, "verbs": verbs,
                "shortNames": resource.short,
                "categories": if ALL.contains(&resource.kind) { &["all"][..] } else { &[] },
            })
        })
        .collect();
    let list = json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources,
    });
    (!resources.is_empty()).then_some(list)
}

/// Where a group version is served, below the root: `api/v1`, `apis/apps/v1`.
fn root(api_version: &str) -> String {
    if api_version.contains('/') { format!("apis/{api_version}") } else { format!("api/{api_version}") }
}

/// `/openapi/v3`.
pub(crate) fn openapi_index() -> Value {
    let mut paths = Map::new();
    for resource in RESOURCES {
        let root = root(resource.api_version);
        let document = json!({"serverRelativeURL": format!("/openapi/v3/{root}?hash=stand-in")});
        paths.insert(root, document);
    }
    json!({"paths": paths})
}

/// `/openapi/v3/apis/apps/v1`: which operations there are.
///
/// `kubectl` looks for `fieldValidation` among the parameters of `PATCH`; where that is missing it wants the schemas
/// to check with itself. It also looks whether `PATCH` takes a strategic merge patch, and if so builds it from the
/// schemas of this document; here it does not find that, and takes the types it is compiled with.
pub(crate) fn openapi_document(path: &str) -> Option<Value> {
    let parameters: Vec<Value> = ["dryRun", "fieldManager", "fieldValidation", "force"]
        .iter()
        .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}}))
        .collect();
    let mut paths = Map::new();
    for resource in RESOURCES.iter().filter(|resource| root(resource.api_version) == path) {
        let scope = if resource.namespaced { "/namespaces/{namespace}" } else { "" };
        let gvk = json!({
            "group": resource.group(), "version": resource.version(), "kind": resource.kind,
        });
        let patch = json!({
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": gvk,
            "parameters": parameters,
            "requestBody": {"content": {
                "application/apply-patch+yaml": {"schema": {"type": "object"}},
            }},
            "responses": {"200": {"description": "OK"}},
        });
        paths.insert(format!("/{path}{scope}/{}/{{name}}", resource.plural), json!({"patch": patch}));
    }
    let document = json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "stand-in"}, "paths": paths,
        "components": {"schemas": {}},
    });
    (!paths.is_empty()).then_some(document)
}
