//! Names that changed, followed to where other objects say them.

use std::sync::OnceLock;

use super::fields::{steps, visit};
use super::file::fault;
use super::resource::{Id, Resource, put};
use crate::source::{Finding, Node, Value};

/// What is referred to, then who refers to it and where: `[group/]kind path`, `pod` standing for the spec of the pods of
/// every workload. kustomize's built-in configuration.
const TABLE: &str = "
Deployment: HorizontalPodAutoscaler spec/scaleTargetRef/name
ReplicationController: HorizontalPodAutoscaler spec/scaleTargetRef/name
ReplicaSet: HorizontalPodAutoscaler spec/scaleTargetRef/name
StatefulSet: HorizontalPodAutoscaler spec/scaleTargetRef/name
ConfigMap: pod volumes/configMap/name
ConfigMap: pod containers/env/valueFrom/configMapKeyRef/name
ConfigMap: pod initContainers/env/valueFrom/configMapKeyRef/name
ConfigMap: pod containers/envFrom/configMapRef/name
ConfigMap: pod initContainers/envFrom/configMapRef/name
ConfigMap: pod volumes/projected/sources/configMap/name
ConfigMap: Node spec/configSource/configMap
ConfigMap: Role rules/resourceNames
ConfigMap: ClusterRole rules/resourceNames
ConfigMap: Ingress metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap
Secret: pod volumes/secret/secretName
Secret: pod containers/env/valueFrom/secretKeyRef/name
Secret: pod initContainers/env/valueFrom/secretKeyRef/name
Secret: pod containers/envFrom/secretRef/name
Secret: pod initContainers/envFrom/secretRef/name
Secret: pod imagePullSecrets/name
Secret: pod volumes/projected/sources/secret/name
Secret: Ingress spec/tls/secretName
Secret: Ingress metadata/annotations/ingress.kubernetes.io\\/auth-secret
Secret: Ingress metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret
Secret: Ingress metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret
Secret: ServiceAccount imagePullSecrets/name
Secret: StorageClass parameters/secretName
Secret: StorageClass parameters/adminSecretName
Secret: StorageClass parameters/userSecretName
Secret: StorageClass parameters/secretRef
Secret: Role rules/resourceNames
Secret: ClusterRole rules/resourceNames
Secret: serving.knative.dev/Service spec/template/spec/containers/env/valueFrom/secretKeyRef/name
Secret: PersistentVolume spec/azureFile/secretName
Service: apps/StatefulSet spec/serviceName
Service: Ingress spec/rules/http/paths/backend/serviceName
Service: Ingress spec/backend/serviceName
Service: Ingress spec/rules/http/paths/backend/service/name
Service: Ingress spec/defaultBackend/service/name
Service: apiregistration.k8s.io/APIService spec/service/name
Service: admissionregistration.k8s.io/ValidatingWebhookConfiguration webhooks/clientConfig/service
Service: admissionregistration.k8s.io/MutatingWebhookConfiguration webhooks/clientConfig/service
rbac.authorization.k8s.io/Role: rbac.authorization.k8s.io/RoleBinding roleRef/name
rbac.authorization.k8s.io/ClusterRole: rbac.authorization.k8s.io/RoleBinding roleRef/name
rbac.authorization.k8s.io/ClusterRole: rbac.authorization.k8s.io/ClusterRoleBinding roleRef/name
ServiceAccount: rbac.authorization.k8s.io/RoleBinding subjects
ServiceAccount: rbac.authorization.k8s.io/ClusterRoleBinding subjects
ServiceAccount: made serviceAccountName
PersistentVolumeClaim: made volumes/persistentVolumeClaim/claimName
PersistentVolume: PersistentVolumeClaim spec/volumeName
PersistentVolume: ClusterRole rules/resourceNames
storage.k8s.io/StorageClass: PersistentVolume spec/storageClassName
storage.k8s.io/StorageClass: PersistentVolumeClaim spec/storageClassName
storage.k8s.io/StorageClass: StatefulSet spec/volumeClaimTemplates/spec/storageClassName
scheduling.k8s.io/PriorityClass: made priorityClassName
";

/// Where pods stand in what `pod` means, and in what `made` means.
const PODS: &str = "Pod spec,Deployment spec/template/spec,ReplicaSet spec/template/spec,DaemonSet spec/template/spec,\
                    StatefulSet spec/template/spec,Job spec/template/spec,CronJob spec/jobTemplate/spec/template/spec";
const MADE: &str = "Pod spec,StatefulSet spec/template/spec,Deployment spec/template/spec,\
                    ReplicationController spec/template/spec,CronJob spec/jobTemplate/spec/template/spec,\
                    Job spec/template/spec,DaemonSet spec/template/spec";

/// Kinds of which only version `v1` is referred to.
const FIRST_VERSION: [&str; 8] = [
    "ConfigMap",
    "Secret",
    "Service",
    "ServiceAccount",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "StorageClass",
    "PriorityClass",
];

struct Reference {
    target: (&'static str, &'static str),
    referrer: (&'static str, &'static str),
    path: Vec<String>,
}

fn kind(word: &'static str) -> (&'static str, &'static str) {
    word.split_once('/').unwrap_or(("", word))
}

fn references() -> &'static [Reference] {
    static REFERENCES: OnceLock<Vec<Reference>> = OnceLock::new();
    REFERENCES.get_or_init(|| {
        let mut all = Vec::new();
        for line in TABLE.lines() {
            let Some((target, (referrer, path))) =
                line.split_once(": ").and_then(|(target, rest)| Some((target, rest.split_once(' ')?)))
            else {
                continue;
            };
            let pods = match referrer {
                "pod" => PODS,
                "made" => MADE,
                _ => "",
            };
            let reference = |referrer, path: &str| Reference {
                target: kind(target),
                referrer: kind(referrer),
                path: steps(path),
            };
            if pods.is_empty() {
                all.push(reference(referrer, path));
            }
            let within = pods.split(',').filter_map(|pod| pod.trim().split_once(' '));
            all.extend(within.map(|(referrer, spec)| reference(referrer, &format!("{spec}/{path}"))));
        }
        all
    })
}

/// An object as a candidate to be referred to.
struct Candidate {
    now: Id,
    before: Vec<Id>,
    prefixes: Vec<std::sync::Arc<str>>,
    suffixes: Vec<std::sync::Arc<str>>,
}

/// Changes every reference to an object whose name changed.
pub(super) fn follow(resources: &mut [Resource]) -> Vec<Finding> {
    let candidates: Vec<Candidate> = resources
        .iter()
        .filter(|resource| !resource.previous.is_empty())
        .map(|resource| Candidate {
            now: resource.id(),
            before: resource.previous.clone(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
        })
        .collect();
    let mut findings = Vec::new();
    if candidates.is_empty() {
        return findings;
    }
    for resource in resources.iter_mut() {
        let original = resource.original();
        let me = Referrer {
            now: resource.id(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
            role: role(&resource.node),
            namespaces: subject_namespaces(&resource.node),
        };
        for reference in references() {
            if !original.is_selected(reference.referrer.0, "", reference.referrer.1) {
                continue;
            }
            let is_role = reference.path.ends_with(&["roleRef".to_owned(), "name".to_owned()]);
            visit(&mut resource.node, &reference.path, None, &mut |node| {
                let mut each = |node: &mut Node| match node.value {
                    Value::Str(_) => name(node, &me, reference, is_role, &candidates, &mut findings),
                    Value::Map(_) => name_and_namespace(node, &me, reference, &candidates, &mut findings),
                    _ => {}
                };
                match &mut node.value {
                    Value::List(items) => items.iter_mut().for_each(each),
                    _ => each(node),
                }
            });
        }
    }
    findings
}

struct Referrer {
    now: Id,
    prefixes: Vec<std::sync::Arc<str>>,
    suffixes: Vec<std::sync::Arc<str>>,
    /// Group and kind of the role that a binding names.
    role: Option<(String, String)>,
    /// Namespaces of accounts that a `RoleBinding` names.
    namespaces: Vec<String>,
}

fn role(node: &Node) -> Option<(String, String)> {
    let word = |key| node.at(&["roleRef", key]).and_then(Node::as_str).map(str::to_owned);
    Some((word("apiGroup")?, word("kind")?))
}

fn subject_namespaces(node: &Node) -> Vec<String> {
    if node.get("kind").and_then(Node::as_str) != Some("RoleBinding") {
        return Vec::new();
    }
    let subjects = node.get("subjects").map_or(&[][..], Node::items).iter();
    subjects
        .filter(|subject| subject.get("kind").and_then(Node::as_str) == Some("ServiceAccount"))
        .filter_map(|subject| subject.get("namespace")?.as_str().map(str::to_owned))
        .collect()
}

/// Who is meant by an old name, if that is known.
fn referral<'c>(
    old: &str,
    me: &Referrer,
    reference: &Reference,
    is_role: bool,
    candidates: impl Iterator<Item = &'c Candidate>,
    with_namespace: bool,
) -> Result<Option<&'c Candidate>, ()> {
    let (group, kind) = reference.target;
    let version = if FIRST_VERSION.contains(&kind) { "v1" } else { "" };
    let me_cluster = me.now.is_cluster_scoped();
    let mut found: Vec<&Candidate> = candidates
        .filter(|candidate| candidate.before.iter().any(|id| id.name == old))
        .filter(|candidate| candidate.before.iter().any(|id| id.is_selected(group, version, kind)))
        .filter(|candidate| match &me.role {
            Some((group, kind)) if is_role => {
                candidate.before.iter().any(|id| id.is_selected(group, "", kind))
            }
            _ => true,
        })
        .filter(|candidate| {
            let same = candidate.now.effective_namespace() == me.now.effective_namespace();
            me_cluster
                || candidate.now.is_cluster_scoped()
                || same
                || (candidate.now.kind == "ServiceAccount"
                    && me.namespaces.contains(&candidate.now.namespace))
        })
        .collect();
    for exactly in [false, true] {
        if found.len() > 1 {
            found.retain(|candidate| alike(candidate, me, exactly));
        }
    }
    let Some(first) = found.first().copied() else { return Ok(None) };
    let same = |other: &&Candidate| {
        other.now.name == first.now.name && (!with_namespace || other.now.namespace == first.now.namespace)
    };
    if found.iter().all(same) { Ok(Some(first)) } else { Err(()) }
}

/// Whether both were given the same prefixes and suffixes, the outermost ones at least.
fn alike(candidate: &Candidate, me: &Referrer, exactly: bool) -> bool {
    let ends = |one: &[std::sync::Arc<str>], other: &[std::sync::Arc<str>]| {
        let shorter = one.len().min(other.len());
        (!exactly && shorter == 0)
            || ((shorter > 0 || one.len() == other.len())
                && one.iter().rev().zip(other.iter().rev()).take(shorter).all(|(one, other)| one == other))
    };
    ends(&candidate.prefixes, &me.prefixes) && ends(&candidate.suffixes, &me.suffixes)
}

fn ambiguous(node: &Node, old: &str) -> Finding {
    fault(node.span, format!("`{old}` may be any of several objects of this kustomization"))
        .label("which one?")
        .help("give them different names, or prefixes that tell them apart")
}

fn name(
    node: &mut Node,
    me: &Referrer,
    reference: &Reference,
    is_role: bool,
    candidates: &[Candidate],
    findings: &mut Vec<Finding>,
) {
    let Some(old) = node.as_str().map(str::to_owned) else { return };
    match referral(&old, me, reference, is_role, candidates.iter(), false) {
        Ok(Some(found)) => node.value = Value::Str(found.now.name.as_str().into()),
        Ok(None) => {}
        Err(()) => findings.push(ambiguous(node, &old)),
    }
}

/// A subject of a binding, or the service of a webhook.
fn name_and_namespace(
    node: &mut Node,
    me: &Referrer,
    reference: &Reference,
    candidates: &[Candidate],
    findings: &mut Vec<Finding>,
) {
    let Some(old) = node.get("name").and_then(Node::as_str).map(str::to_owned) else { return };
    let namespace = node.get("namespace").and_then(Node::as_str).map(str::to_owned);
    let first =
        |candidate: &Candidate| candidate.before.first().map_or("", |id| id.effective_namespace()).to_owned();
    let chosen: Vec<&Candidate> = match &namespace {
        None => candidates.iter().collect(),
        Some(namespace) => {
            let before: Vec<&Candidate> =
                candidates.iter().filter(|candidate| first(candidate) == *namespace).collect();
            if before.is_empty() {
                let now =
                    candidates.iter().filter(|candidate| candidate.now.effective_namespace() == namespace);
                now.collect()
            } else {
                before
            }
        }
    };
    match referral(&old, me, reference, false, chosen.into_iter(), true) {
        Ok(Some(found)) => {
            let span = node.span;
            let at = |key: &str| node.get(key).map_or(span, |node| node.span);
            let (name_at, namespace_at) = (at("name"), at("namespace"));
            if let Value::Map(map) = &mut node.value {
                put(map, "name", name_at, Node::string(name_at, found.now.name.as_str()));
                if !found.now.namespace.is_empty() {
                    let namespace = Node::string(namespace_at, found.now.namespace.as_str());
                    put(map, "namespace", namespace_at, namespace);
                }
            }
        }
        Ok(None) => {}
        Err(()) => findings.push(ambiguous(node, &old)),
    }
}
