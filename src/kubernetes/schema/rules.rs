//! What the API server's own validation says of an object as a whole: names, labels, and parts that refer to each other.

use std::collections::BTreeMap;

use crate::kubernetes::{Object, workload};
use crate::source::{Map, Node, Span, Value, did_you_mean};

/// A breach: where, its pointer, message, label, help.
pub(super) struct Breach {
    pub(super) span: Span,
    pub(super) pointer: String,
    pub(super) message: String,
    pub(super) label: &'static str,
    pub(super) help: String,
}

/// Every breach in an object of Kubernetes' own kinds.
pub(super) fn check(object: &Object) -> Vec<Breach> {
    let mut breaches = Vec::new();
    name(object, &mut breaches);
    labels(&object.node, "metadata", &mut breaches);
    let Some(pod) = workload::pod(object) else { return breaches };
    let path = workload::template_path(&object.kind).unwrap_or_default().join(".");
    let within = |rest: &str| if path.is_empty() { rest.to_owned() } else { format!("{path}.{rest}") };
    if !path.is_empty() {
        labels(pod, &within("metadata"), &mut breaches);
    }
    selector(object, pod, &mut breaches);
    unique(pod, "volumes", &within("spec.volumes"), &mut breaches);
    let containers = workload::containers(pod);
    repeated(&containers, "container", &within("spec.containers"), &mut breaches);
    mounts(object, pod, &containers, &within("spec.containers"), &mut breaches);
    breaches
}

/// Kinds whose names are DNS names. Names of roles and their bindings are freer.
const DNS_NAMED: [&str; 19] = [
    "ConfigMap",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Job",
    "Namespace",
    "NetworkPolicy",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "PriorityClass",
    "Secret",
    "Service",
    "ServiceAccount",
    "StatefulSet",
    "StorageClass",
];

fn name(object: &Object, breaches: &mut Vec<Breach>) {
    let Some(node) = object.node.at(&["metadata", "name"]) else { return };
    let (Some(name), true) = (node.as_str(), DNS_NAMED.contains(&&*object.kind)) else { return };
    // A Service and a Namespace are one label of a DNS name; a CronJob leaves room for what is added to its jobs' names.
    let most = match &*object.kind {
        "Service" | "Namespace" => 63,
        "CronJob" => 52,
        _ => 253,
    };
    let dots = !matches!(&*object.kind, "Service" | "Namespace");
    let ends = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let label = |part: &str| {
        part.bytes().all(|byte| ends(byte) || byte == b'-')
            && part.bytes().next().is_some_and(ends)
            && part.bytes().next_back().is_some_and(ends)
    };
    let well_formed = if dots { name.split('.').all(label) } else { label(name) };
    let message = if !well_formed {
        format!("`{name}` cannot name a {}", object.kind)
    } else if name.len() > most {
        format!("`{name}` has {} characters, and a {} has {most} at most", name.len(), object.kind)
    } else {
        return;
    };
    breaches.push(Breach {
        span: node.span,
        pointer: "metadata.name".to_owned(),
        message,
        label: "not a name",
        help: if well_formed {
            "shorten it".to_owned()
        } else {
            format!("a name is lower-case letters, digits and dashes: write {}", mended(name))
        },
    });
}

/// The nearest name that is one.
fn mended(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let dashed: String = lower
        .chars()
        .map(
            |char| if char.is_ascii_lowercase() || char.is_ascii_digit() || char == '.' { char } else { '-' },
        )
        .collect();
    dashed.trim_matches(['-', '.']).to_owned()
}

/// The labels in the metadata of an object or a pod template.
fn labels(node: &Node, pointer: &str, breaches: &mut Vec<Breach>) {
    let labels = node.at(&["metadata", "labels"]).and_then(Node::as_map);
    for (key, entry) in labels.into_iter().flat_map(Map::iter) {
        let Value::Str(text) = &entry.node.value else { continue };
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let ends = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_alphanumeric());
        let well_formed =
            text.bytes().all(inner) && ends(text.bytes().next()) && ends(text.bytes().next_back());
        if well_formed && text.len() <= 63 {
            continue;
        }
        breaches.push(Breach {
            span: entry.node.span,
            pointer: format!("{pointer}.labels.{key}"),
            message: format!("`{text}` cannot be the value of a label"),
            label: "not a label's value",
            help: "a label's value is up to 63 letters, digits, `-`, `_` and `.`; free text belongs under annotations"
                .to_owned(),
        });
    }
}

/// What a workload selects has to be the pods it makes.
fn selector(object: &Object, pod: &Node, breaches: &mut Vec<Breach>) {
    if !object.api_version.starts_with("apps/") {
        return;
    }
    let wanted = object.node.at(&["spec", "selector", "matchLabels"]).and_then(Node::as_map);
    let labels = pod.at(&["metadata", "labels"]);
    for (key, entry) in wanted.into_iter().flat_map(Map::iter) {
        let (Value::Str(value), label) = (&entry.node.value, labels.and_then(|labels| labels.get(key)))
        else {
            continue;
        };
        let help = match label.map(|label| &label.value) {
            Some(Value::Str(label)) if label == value => continue,
            Some(Value::Str(label)) => format!("the template says {key}: {label}; make the two equal"),
            None => format!("add {key}: {value} to spec.template.metadata.labels"),
            // Of another type, which is a breach of its own, or not known.
            Some(_) => continue,
        };
        breaches.push(Breach {
            span: entry.node.span,
            pointer: format!("spec.selector.matchLabels.{key}"),
            message: format!("this selects `{key}: {value}`, which the pods of the template do not have"),
            label: "selects no pod of its own",
            help,
        });
    }
}

fn unique(pod: &Node, list: &str, pointer: &str, breaches: &mut Vec<Breach>) {
    let items: Vec<&Node> = pod.at(&["spec", list]).map(Node::items).unwrap_or_default().iter().collect();
    repeated(&items, "volume", pointer, breaches);
}

/// Items of one pod that bear one name.
fn repeated(items: &[&Node], what: &str, pointer: &str, breaches: &mut Vec<Breach>) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for item in items {
        let Some(name) = item.get("name") else { continue };
        let Some(text) = name.as_str() else { continue };
        if seen.insert(text, name.span).is_some() {
            breaches.push(Breach {
                span: name.span,
                pointer: format!("{pointer}.name"),
                message: format!("a {what} of this pod is already called `{text}`"),
                label: "second of its name",
                help: "rename or remove one of the two".to_owned(),
            });
        }
    }
}

/// Mounts of volumes that the pod does not have.
fn mounts(object: &Object, pod: &Node, containers: &[&Node], pointer: &str, breaches: &mut Vec<Breach>) {
    let volumes = pod.at(&["spec", "volumes"]).map(Node::items).unwrap_or_default();
    let claims = object.node.at(&["spec", "volumeClaimTemplates"]).map(Node::items).unwrap_or_default();
    let mut names = Vec::with_capacity(volumes.len() + claims.len());
    for node in volumes
        .iter()
        .map(|volume| volume.get("name"))
        .chain(claims.iter().map(|claim| claim.at(&["metadata", "name"])))
    {
        match node.map(|node| &node.value) {
            Some(Value::Str(name)) => names.push(&**name),
            // What a template fills in may be any of them.
            _ => return,
        }
    }
    for container in containers {
        for mount in container.get("volumeMounts").map(Node::items).unwrap_or_default() {
            let Some(node) = mount.get("name") else { continue };
            let Some(name) = node.as_str().filter(|name| !names.contains(name)) else { continue };
            let help = did_you_mean(name, names.iter().copied()).map_or_else(
                || format!("add a volume `{name}` to the pod's volumes"),
                |near| format!("did you mean `{near}`?"),
            );
            breaches.push(Breach {
                span: node.span,
                pointer: format!("{pointer}.volumeMounts.name"),
                message: format!("this pod has no volume `{name}`"),
                label: "no such volume",
                help,
            });
        }
    }
}
