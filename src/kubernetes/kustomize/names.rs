//! The transformers that need no more than a value and the fields it goes to: namespace, prefix, suffix, labels,
//! annotations, replicas, images. Fields as kustomize's built-in configuration has them.

use regex::Regex;

use super::fields::{Spec, steps, visit};
use super::file::fault;
use super::resource::{Id, Resource, child};
use super::target::{Builder, Kustomization};
use super::values::text;
use crate::source::{Entry, Map, Node, Span, Value};

/// Group, version, kind; empty is any.
type Kind = (&'static str, &'static str, &'static str);

const RC: Kind = ("", "v1", "ReplicationController");
const DEPLOYMENT: Kind = ("", "", "Deployment");
const REPLICA_SET: Kind = ("", "", "ReplicaSet");
const DAEMON_SET: Kind = ("", "", "DaemonSet");
const STATEFUL_SET: Kind = ("apps", "", "StatefulSet");
const JOB: Kind = ("batch", "", "Job");
const CRON_JOB: Kind = ("batch", "", "CronJob");
const NETWORK_POLICY: Kind = ("networking.k8s.io", "", "NetworkPolicy");

/// Labels that select pods.
const SELECTORS: &[Spec] = &[
    Spec::new(("", "v1", "Service"), "spec/selector", true),
    Spec::new(RC, "spec/selector", true),
    Spec::new(DEPLOYMENT, "spec/selector/matchLabels", true),
    Spec::new(REPLICA_SET, "spec/selector/matchLabels", true),
    Spec::new(DAEMON_SET, "spec/selector/matchLabels", true),
    Spec::new(STATEFUL_SET, "spec/selector/matchLabels", true),
    Spec::new(JOB, "spec/selector/matchLabels", false),
    Spec::new(CRON_JOB, "spec/jobTemplate/spec/selector/matchLabels", false),
    Spec::new(("policy", "", "PodDisruptionBudget"), "spec/selector/matchLabels", false),
    Spec::new(NETWORK_POLICY, "spec/podSelector/matchLabels", false),
    Spec::new(NETWORK_POLICY, "spec/ingress/from/podSelector/matchLabels", false),
    Spec::new(NETWORK_POLICY, "spec/egress/to/podSelector/matchLabels", false),
];

/// Where a Deployment and a `StatefulSet` select pods besides, below the spec of their pods.
const POD_SELECTORS: [&str; 5] = [
    "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "topologySpreadConstraints/labelSelector/matchLabels",
];

/// Labels of pods that workloads make, and of what those make.
const TEMPLATES: &[Spec] = &[
    Spec::new(RC, "spec/template/metadata/labels", true),
    Spec::new(DEPLOYMENT, "spec/template/metadata/labels", true),
    Spec::new(REPLICA_SET, "spec/template/metadata/labels", true),
    Spec::new(DAEMON_SET, "spec/template/metadata/labels", true),
    Spec::new(STATEFUL_SET, "spec/template/metadata/labels", true),
    Spec::new(STATEFUL_SET, "spec/volumeClaimTemplates[]/metadata/labels", true),
    Spec::new(JOB, "spec/template/metadata/labels", true),
    Spec::new(CRON_JOB, "spec/jobTemplate/metadata/labels", true),
    Spec::new(CRON_JOB, "spec/jobTemplate/spec/template/metadata/labels", true),
];

const ANNOTATIONS: &[Spec] = &[
    Spec::new(("", "", ""), "metadata/annotations", true),
    Spec::new(RC, "spec/template/metadata/annotations", true),
    Spec::new(DEPLOYMENT, "spec/template/metadata/annotations", true),
    Spec::new(REPLICA_SET, "spec/template/metadata/annotations", true),
    Spec::new(DAEMON_SET, "spec/template/metadata/annotations", true),
    Spec::new(("", "", "StatefulSet"), "spec/template/metadata/annotations", true),
    Spec::new(JOB, "spec/template/metadata/annotations", true),
    Spec::new(CRON_JOB, "spec/jobTemplate/metadata/annotations", true),
    Spec::new(CRON_JOB, "spec/jobTemplate/spec/template/metadata/annotations", true),
];

const NAMESPACES: &[Spec] = &[
    Spec::new(("", "", "Namespace"), "metadata/name", true),
    Spec::new(("apiregistration.k8s.io", "", "APIService"), "spec/service/namespace", true),
    Spec::new(
        ("apiextensions.k8s.io", "", "CustomResourceDefinition"),
        "spec/conversion/webhook/clientConfig/service/namespace",
        false,
    ),
];

const REPLICAS: &[Kind] =
    &[DEPLOYMENT, ("", "", "ReplicationController"), REPLICA_SET, ("", "", "StatefulSet")];

fn is_of(id: &Id, spec: &Spec) -> bool {
    id.is_selected(spec.group, spec.version, spec.kind)
}

fn word<'n>(root: &'n Node, key: &str) -> Option<(&'n Node, &'n str)> {
    let node = root.get(key)?;
    node.as_str().filter(|text| !text.is_empty()).map(|text| (node, text))
}

/// `namespace`: of everything that has one, and the name of Namespaces.
pub(super) fn namespace(
    builder: &mut Builder<'_>,
    kustomization: &Kustomization,
    resources: &mut [Resource],
) {
    let Some((node, namespace)) = word(&kustomization.root, "namespace") else { return };
    for at in 0..resources.len() {
        let Some(resource) = resources.get_mut(at) else { continue };
        resource.remember();
        let id = resource.id();
        if !id.is_cluster_scoped()
            && let Some(metadata) = child(&mut resource.node, "metadata", node.span)
            && let Value::Map(map) = &mut metadata.value
        {
            super::resource::put(map, "namespace", node.span, node.clone());
        }
        if ["RoleBinding", "ClusterRoleBinding"].contains(&&*id.kind) {
            default_accounts(&mut resource.node, node);
        }
        for spec in NAMESPACES.iter().filter(|spec| is_of(&id, spec)) {
            let make = spec.create.then_some(node.span);
            visit(&mut resource.node, &steps(spec.path), make, &mut |found| {
                found.value = Value::Str(namespace.into());
            });
        }
        let (id, header) = (resource.id(), resource.header);
        let twins = resources.iter().filter(|other| other.name() == id.name && other.id().same(&id)).count();
        if twins > 1 {
            builder.push(
                fault(node.span, format!("in one namespace `{}` is there twice", id.readable()))
                    .related(header, "one of them")
                    .label("moves both into one namespace")
                    .help("rename one of the two, or leave their namespaces as they are"),
            );
        }
    }
}

/// The account `default` that a binding names is that of the namespace the binding goes to.
fn default_accounts(binding: &mut Node, namespace: &Node) {
    let Some(subjects) = super::resource::at_mut(binding, &["subjects"]) else { return };
    let Value::List(items) = &mut subjects.value else { return };
    for subject in
        items.iter_mut().filter(|subject| subject.get("name").and_then(Node::as_str) == Some("default"))
    {
        if let Value::Map(map) = &mut subject.value {
            super::resource::put(map, "namespace", namespace.span, namespace.clone());
        }
    }
}

/// Kinds whose names are part of other things.
fn keeps_its_name(resource: &Resource) -> bool {
    let id = resource.original();
    id.kind == "CustomResourceDefinition"
        || id.kind == "Namespace"
        || (id.kind == "APIService" && id.group == "apiregistration.k8s.io")
}

/// `namePrefix`.
pub(super) fn prefix(kustomization: &Kustomization, resources: &mut [Resource]) {
    let Some((_, prefix)) = word(&kustomization.root, "namePrefix") else { return };
    for resource in resources.iter_mut().filter(|resource| !keeps_its_name(resource)) {
        resource.remember();
        resource.prefixes.push(prefix.into());
        let name = format!("{prefix}{}", resource.name());
        resource.rename(&name);
    }
}

/// `nameSuffix`.
pub(super) fn suffix(kustomization: &Kustomization, resources: &mut [Resource]) {
    let Some((_, suffix)) = word(&kustomization.root, "nameSuffix") else { return };
    for resource in resources.iter_mut().filter(|resource| !keeps_its_name(resource)) {
        resource.remember();
        resource.suffixes.push(suffix.into());
        let name = format!("{}{suffix}", resource.name());
        resource.rename(&name);
    }
}

/// `labels`, and `commonLabels`, which select as well.
pub(super) fn labels(kustomization: &Kustomization, resources: &mut [Resource]) {
    for item in kustomization.root.get("labels").map_or(&[][..], Node::items) {
        let is_set = |key: &str| item.get(key).and_then(Node::as_bool) == Some(true);
        let (selectors, templates) = (is_set("includeSelectors"), is_set("includeTemplates"));
        let Some(pairs) = item.get("pairs").and_then(Node::as_map) else { continue };
        for resource in resources.iter_mut() {
            label(resource, pairs, selectors, templates || selectors);
            for field in item.get("fields").map_or(&[][..], Node::items) {
                own_field(resource, field, pairs);
            }
        }
    }
    if let Some(pairs) = kustomization.root.get("commonLabels").and_then(Node::as_map) {
        for resource in resources.iter_mut() {
            label(resource, pairs, true, true);
        }
    }
}

fn label(resource: &mut Resource, pairs: &Map, selectors: bool, templates: bool) {
    let id = resource.id();
    let at = |spec: &&Spec| is_of(&id, spec);
    put_all(&mut resource.node, "metadata/labels", true, pairs);
    if templates {
        for spec in TEMPLATES.iter().filter(at) {
            put_all(&mut resource.node, spec.path, spec.create, pairs);
        }
    }
    if selectors {
        for spec in SELECTORS.iter().filter(at) {
            put_all(&mut resource.node, spec.path, spec.create, pairs);
        }
        if id.group == "apps" && ["Deployment", "StatefulSet"].contains(&&*id.kind) {
            for path in POD_SELECTORS {
                put_all(&mut resource.node, &format!("spec/template/spec/{path}"), false, pairs);
            }
        }
    }
}

/// A field that the kustomization names itself.
fn own_field(resource: &mut Resource, field: &Node, pairs: &Map) {
    let word = |key: &str| field.get(key).and_then(Node::as_str).unwrap_or_default();
    if resource.id().is_selected(word("group"), word("version"), word("kind")) && !word("path").is_empty() {
        let create = field.get("create").and_then(Node::as_bool) == Some(true);
        put_all(&mut resource.node, word("path"), create, pairs);
    }
}

fn put_all(node: &mut Node, path: &str, create: bool, pairs: &Map) {
    let Some((_, first)) = pairs.entries.first() else { return };
    let make = create.then_some(first.key);
    visit(node, &steps(path), make, &mut |found| {
        if found.value == Value::Null {
            found.value = Value::Map(Map::default());
        }
        let Value::Map(map) = &mut found.value else { return };
        for (key, Entry { key: at, node }) in pairs.iter() {
            let value = Node::string(node.span, text(node));
            // Where a value is replaced its key is the one that replaces it, too.
            map.entries.insert(key.clone(), Entry { key: *at, node: value });
        }
    });
}

/// `commonAnnotations`.
pub(super) fn annotations(kustomization: &Kustomization, resources: &mut [Resource]) {
    let Some(pairs) = kustomization.root.get("commonAnnotations").and_then(Node::as_map) else { return };
    for resource in resources.iter_mut() {
        let id = resource.id();
        for spec in ANNOTATIONS.iter().filter(|spec| is_of(&id, spec)) {
            put_all(&mut resource.node, spec.path, spec.create, pairs);
        }
    }
}

/// `replicas`.
pub(super) fn replicas(builder: &mut Builder<'_>, kustomization: &Kustomization, resources: &mut [Resource]) {
    for item in kustomization.root.get("replicas").map_or(&[][..], Node::items) {
        let (Some((node, name)), count) = (word(item, "name"), item.get("count")) else { continue };
        let span = count.map_or(node.span, |count| count.span);
        let value = count.map_or(Value::Int(0), |count| count.value.clone());
        let is_meant =
            |id: &Id| id.name == name && REPLICAS.iter().any(|kind| id.is_selected(kind.0, kind.1, kind.2));
        let mut found = false;
        for resource in resources.iter_mut().filter(|resource| resource.ids().iter().any(is_meant)) {
            found = true;
            visit(&mut resource.node, &steps("spec/replicas"), Some(span), &mut |found| {
                *found = Node::new(span, value.clone());
            });
        }
        if !found {
            builder.push(
                fault(node.span, format!("no workload of this kustomization is called `{name}`"))
                    .label("no such workload")
                    .help("name a Deployment, ReplicaSet, StatefulSet or ReplicationController as its file does"),
            );
        }
    }
}

/// `images`.
pub(super) fn images(builder: &mut Builder<'_>, kustomization: &Kustomization, resources: &mut [Resource]) {
    for key in ["images", "imageTags"] {
        for item in kustomization.root.get(key).map_or(&[][..], Node::items) {
            let Some((node, name)) = word(item, "name") else { continue };
            // The name is a pattern, as kustomize has it.
            let pattern = format!("^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$");
            let Ok(pattern) = Regex::new(&pattern) else {
                builder.push(
                    fault(node.span, format!("`{name}` is no pattern"))
                        .help("write the image's name without tag and digest"),
                );
                continue;
            };
            let image = Image {
                pattern,
                name: written(item, "newName"),
                tag: written(item, "newTag"),
                suffix: written(item, "tagSuffix"),
                digest: written(item, "digest"),
            };
            for resource in resources.iter_mut() {
                if resource.id().kind == "CustomResourceDefinition" {
                    continue;
                }
                image.replace_below(&mut resource.node);
                // kustomize goes over these a second time, which shows where a suffix is added.
                for path in TWICE {
                    visit(&mut resource.node, &steps(path), None, &mut |node| image.replace(node));
                }
            }
        }
    }
}

/// What is written for a key, numbers as their text.
fn written(item: &Node, key: &str) -> Option<(String, Span)> {
    let node = item.get(key)?;
    let text = text(node);
    (!text.is_empty()).then_some((text, node.span))
}

/// Images that kustomize's configuration names, beside those it finds by itself.
const TWICE: [&str; 4] = [
    "spec/containers[]/image",
    "spec/initContainers[]/image",
    "spec/template/spec/containers[]/image",
    "spec/template/spec/initContainers[]/image",
];

struct Image {
    pattern: Regex,
    name: Option<(String, Span)>,
    tag: Option<(String, Span)>,
    suffix: Option<(String, Span)>,
    digest: Option<(String, Span)>,
}

impl Image {
    /// In every list called `containers` or `initContainers`, wherever it stands.
    fn replace_below(&self, node: &mut Node) {
        match &mut node.value {
            Value::List(items) => items.iter_mut().for_each(|item| self.replace_below(item)),
            Value::Map(map) => {
                for (key, entry) in &mut map.entries {
                    if let (true, Value::List(items)) =
                        (["containers", "initContainers"].contains(&&**key), &mut entry.node.value)
                    {
                        for item in items {
                            if let Some(image) = super::resource::at_mut(item, &["image"]) {
                                self.replace(image);
                            }
                        }
                    } else {
                        self.replace_below(&mut entry.node);
                    }
                }
            }
            _ => {}
        }
    }

    fn replace(&self, node: &mut Node) {
        let Some(image) = node.as_str().filter(|image| self.pattern.is_match(image)) else { return };
        let (mut name, mut tag, mut digest) = split(image);
        let mut changed = None;
        if let Some((new, span)) = &self.name {
            name = new;
            changed = Some(*span);
        }
        let suffixed;
        match (&self.tag, &self.digest, &self.suffix) {
            (Some((new, _)), Some((other, span)), _) => {
                (tag, digest) = (new, other);
                changed = Some(*span);
            }
            (Some((new, span)), None, _) => {
                (tag, digest) = (new, "");
                changed = Some(*span);
            }
            (None, Some((new, span)), _) => {
                (tag, digest) = ("", new);
                changed = Some(*span);
            }
            (None, None, Some((new, span))) => {
                suffixed = format!("{tag}{new}");
                (tag, digest) = (&suffixed, "");
                changed = Some(*span);
            }
            (None, None, None) => {}
        }
        let Some(span) = changed else { return };
        let mut whole = name.to_owned();
        for (mark, part) in [(':', tag), ('@', digest)] {
            if !part.is_empty() {
                whole.push(mark);
                whole.push_str(part);
            }
        }
        *node = Node::string(span, whole);
    }
}

/// Name, tag and digest; a port of the registry is no tag.
fn split(image: &str) -> (&str, &str, &str) {
    let (rest, digest) = image.split_once('@').unwrap_or((image, ""));
    let slash = rest.find('/').filter(|at| *at > 0).unwrap_or(0);
    match rest.get(slash..).and_then(|path| path.find(':')) {
        Some(colon) => {
            let (name, tag) = rest.split_at_checked(slash + colon).unwrap_or((rest, ""));
            (name, tag.trim_start_matches(':'), digest)
        }
        None => (rest, "", digest),
    }
}
