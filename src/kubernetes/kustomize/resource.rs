//! One object on its way through a kustomization, and what it was called before.

use std::sync::Arc;

use crate::source::{Map, Node, Span, Value};

/// Stands for the namespace of what has none.
const NOWHERE: &str = "_non_namespaceable_";

/// What an object is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) name: String,
    /// As written; empty where nothing is.
    pub(super) namespace: String,
}

impl Id {
    pub(super) fn of(node: &Node) -> Self {
        let word = |path: &[&str]| node.at(path).and_then(Node::as_str).unwrap_or_default().to_owned();
        let api_version = word(&["apiVersion"]);
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: word(&["kind"]),
            name: word(&["metadata", "name"]),
            namespace: word(&["metadata", "namespace"]),
        }
    }

    /// The namespace it counts for: `default` where none is written, a word that is no namespace for what has none.
    pub(super) fn effective_namespace(&self) -> &str {
        match self.namespace.as_str() {
            _ if self.is_cluster_scoped() => NOWHERE,
            "" => "default",
            namespace => namespace,
        }
    }

    /// Whether it names the same object: empty and `default` namespaces are one.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.same_kind(other)
            && self.name == other.name
            && self.effective_namespace() == other.effective_namespace()
    }

    fn same_kind(&self, other: &Self) -> bool {
        self.group == other.group && self.version == other.version && self.kind == other.kind
    }

    /// Whether group, version and kind are those wanted; an empty one is any.
    pub(super) fn is_selected(&self, group: &str, version: &str, kind: &str) -> bool {
        (group.is_empty() || group == self.group)
            && (version.is_empty() || version == self.version)
            && (kind.is_empty() || kind == self.kind)
    }

    /// Whether kustomize is certain that the kind has no namespace. It knows those of Kubernetes 1.21, and gives a
    /// namespace to what it does not know.
    pub(super) fn is_cluster_scoped(&self) -> bool {
        CLUSTER_SCOPED.iter().any(|(group, versions, kinds)| {
            *group == self.group
                && versions.contains(&&*self.version)
                && kinds.split(' ').any(|kind| kind == self.kind)
        })
    }

    /// `Deployment/core/ledger`, as people know it.
    pub(super) fn readable(&self) -> String {
        match self.namespace.as_str() {
            "" => format!("{}/{}", self.kind, self.name),
            namespace => format!("{}/{namespace}/{}", self.kind, self.name),
        }
    }
}

/// Group, versions and kinds without a namespace (Kubernetes 1.21, whose definitions kustomize 5.5 embeds).
const CLUSTER_SCOPED: [(&str, &[&str], &str); 14] = [
    ("", &["v1"], "Namespace Node PersistentVolume ComponentStatus"),
    (
        "admissionregistration.k8s.io",
        &["v1", "v1beta1"],
        "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
    ),
    ("apiextensions.k8s.io", &["v1", "v1beta1"], "CustomResourceDefinition"),
    ("apiregistration.k8s.io", &["v1", "v1beta1"], "APIService"),
    ("authentication.k8s.io", &["v1", "v1beta1"], "TokenReview"),
    (
        "authorization.k8s.io",
        &["v1", "v1beta1"],
        "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
    ),
    ("certificates.k8s.io", &["v1", "v1beta1"], "CertificateSigningRequest"),
    ("flowcontrol.apiserver.k8s.io", &["v1beta1"], "FlowSchema PriorityLevelConfiguration"),
    ("networking.k8s.io", &["v1", "v1beta1"], "IngressClass"),
    ("node.k8s.io", &["v1", "v1beta1", "v1alpha1"], "RuntimeClass"),
    ("policy", &["v1beta1"], "PodSecurityPolicy"),
    ("rbac.authorization.k8s.io", &["v1", "v1beta1", "v1alpha1"], "ClusterRole ClusterRoleBinding"),
    ("scheduling.k8s.io", &["v1", "v1beta1", "v1alpha1"], "PriorityClass"),
    ("storage.k8s.io", &["v1", "v1beta1", "v1alpha1"], "CSIDriver CSINode StorageClass VolumeAttachment"),
];

/// An object and its history.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    pub(super) node: Node,
    /// What it was called before, oldest first.
    pub(super) previous: Vec<Id>,
    pub(super) prefixes: Vec<Arc<str>>,
    pub(super) suffixes: Vec<Arc<str>>,
    /// Whether the hash of its content belongs in its name.
    pub(super) hashed: bool,
    /// What a generated object does with one of its name that is there.
    pub(super) behaviour: Behaviour,
    /// The blueprint node that the comment above it names.
    pub(super) blueprint: Option<Arc<str>>,
    /// Where to point when the object as a whole is meant.
    pub(super) header: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Behaviour {
    #[default]
    Create,
    Merge,
    Replace,
}

impl Resource {
    pub(super) fn new(node: Node, header: Span) -> Self {
        Self {
            node,
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            hashed: false,
            behaviour: Behaviour::default(),
            blueprint: None,
            header,
        }
    }

    /// What it is called now.
    pub(super) fn id(&self) -> Id {
        Id::of(&self.node)
    }

    /// What it was called first.
    pub(super) fn original(&self) -> Id {
        self.previous.first().cloned().unwrap_or_else(|| self.id())
    }

    /// What it was ever called, and is.
    pub(super) fn ids(&self) -> Vec<Id> {
        let mut ids = self.previous.clone();
        ids.push(self.id());
        ids
    }

    /// Remembers what it is called, before that changes. Namespaces are remembered as those they count for.
    pub(super) fn remember(&mut self) {
        let mut id = self.id();
        let namespace = id.effective_namespace().to_owned();
        id.namespace = namespace;
        self.previous.push(id);
    }

    pub(super) fn name(&self) -> &str {
        self.node.at(&["metadata", "name"]).and_then(Node::as_str).unwrap_or_default()
    }

    /// Gives it another name, which stays at the place of the one it had.
    pub(super) fn rename(&mut self, name: &str) {
        let header = self.header;
        if let Some(metadata) = child(&mut self.node, "metadata", header) {
            set(metadata, "name", Value::Str(name.into()), header);
        }
    }
}

/// The mapping under a key, made if it is missing or null; `None` if something else stands there.
pub(super) fn child<'n>(node: &'n mut Node, key: &str, span: Span) -> Option<&'n mut Node> {
    let Value::Map(map) = &mut node.value else { return None };
    if map.get(key).is_none_or(|node| node.value == Value::Null) {
        put(map, key, span, Node::new(span, Value::Map(Map::default())));
    }
    map.entries.get_mut(key).map(|entry| &mut entry.node)
}

/// Sets a key of a mapping; one that is there keeps its place.
pub(super) fn set(node: &mut Node, key: &str, value: Value, span: Span) {
    let Value::Map(map) = &mut node.value else { return };
    match map.entries.get_mut(key) {
        Some(entry) => entry.node.value = value,
        None => put(map, key, span, Node::new(span, value)),
    }
}

/// Puts an entry, in the place of one that is there.
pub(super) fn put(map: &mut Map, key: &str, at: Span, node: Node) {
    match map.entries.get_mut(key) {
        Some(entry) => entry.node = node,
        None => {
            map.insert(key, at, node);
        }
    }
}

/// The node at a path of keys, to be changed.
pub(super) fn at_mut<'n>(node: &'n mut Node, path: &[&str]) -> Option<&'n mut Node> {
    path.iter().try_fold(node, |node, step| match &mut node.value {
        Value::Map(map) => map.entries.get_mut(*step).map(|entry| &mut entry.node),
        Value::List(items) => step.parse::<usize>().ok().and_then(|at| items.get_mut(at)),
        _ => None,
    })
}
