//! The kustomization file: its keys, and what is refused about them.

use crate::source::{Finding, Node, Span, Value, did_you_mean, fault as faults};

/// Every key that kustomize 5.5 knows.
const KEYS: [&str; 35] = [
    "apiVersion",
    "kind",
    "metadata",
    "openapi",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "patchesStrategicMerge",
    "patchesJson6902",
    "patches",
    "images",
    "imageTags",
    "replacements",
    "replicas",
    "vars",
    "sortOptions",
    "resources",
    "components",
    "crds",
    "bases",
    "configMapGenerator",
    "secretGenerator",
    "helmGlobals",
    "helmCharts",
    "helmChartInflationGenerator",
    "generatorOptions",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "inventory",
    "buildMetadata",
];

/// Keys of the items of a list, or of a mapping.
const INNER: [(&str, &[&str]); 10] = [
    ("patches", &["path", "patch", "target", "options"]),
    ("patchesJson6902", &["path", "patch", "target", "options"]),
    ("images", &["name", "newName", "newTag", "tagSuffix", "digest"]),
    ("imageTags", &["name", "newName", "newTag", "tagSuffix", "digest"]),
    ("replicas", &["name", "count"]),
    ("labels", &["pairs", "includeSelectors", "includeTemplates", "fields"]),
    ("replacements", &["source", "targets", "path"]),
    ("configMapGenerator", &["name", "namespace", "behavior", "files", "literals", "envs", "env", "options"]),
    (
        "secretGenerator",
        &["name", "namespace", "behavior", "files", "literals", "envs", "env", "options", "type"],
    ),
    ("generatorOptions", OPTIONS),
];
const OPTIONS: &[&str] = &["labels", "annotations", "disableNameSuffixHash", "immutable"];

/// What kustomize follows and this tool does not; the words say what it does.
pub(super) const CHANGES: [(&str, &str); 4] = [
    ("transformers", "they may change every object"),
    ("configurations", "they say where else names and labels stand"),
    ("openapi", "it says by which keys lists are merged"),
    ("vars", "they put values into other objects"),
];
/// The same of what makes objects.
pub(super) const MAKERS: [(&str, &str); 3] = [
    ("generators", "they make objects"),
    ("helmCharts", "they make the objects of charts"),
    ("helmChartInflationGenerator", "it makes the objects of charts"),
];

/// A fault of a kustomization.
pub(super) fn fault(span: Span, message: impl Into<String>) -> Finding {
    Finding::fault(faults::KUSTOMIZATION, span, message)
}

/// Whether a document is a kustomization, or a component of some.
pub(super) fn is_kustomization(node: &Node) -> bool {
    let word = |key| node.get(key).and_then(Node::as_str).unwrap_or_default();
    let group_is_ours =
        word("apiVersion").is_empty() || word("apiVersion").starts_with("kustomize.config.k8s.io/");
    node.as_map().is_some() && group_is_ours && ["", "Kustomization", "Component"].contains(&word("kind"))
}

pub(super) fn is_component(node: &Node) -> bool {
    node.get("kind").and_then(Node::as_str) == Some("Component")
}

/// Names keys that kustomize does not know, which it refuses, and lists and mappings that are none.
pub(super) fn check(node: &Node, findings: &mut Vec<Finding>) {
    unknown(node, &KEYS, "", findings);
    for (key, inner) in INNER {
        let Some(value) = node.get(key) else { continue };
        let items = if key == "generatorOptions" { std::slice::from_ref(value) } else { value.items() };
        if !matches!(value.value, Value::List(_) | Value::Null) && key != "generatorOptions" {
            findings.push(
                fault(value.span, format!("`{key}` has to be a list"))
                    .pointer(key)
                    .label("not a list")
                    .help("put `- ` before each item"),
            );
        }
        for item in items {
            unknown(item, inner, key, findings);
            if let Some(options) = item.get("options").filter(|_| key.ends_with("Generator")) {
                unknown(options, OPTIONS, "options", findings);
            }
            if let Some(target) = item.get("target") {
                unknown(target, &super::select::KEYS, "target", findings);
            }
        }
    }
    texts_only(node, findings);
    for key in ["resources", "components", "bases", "patchesStrategicMerge", "crds"] {
        let Some(value) = node.get(key).filter(|node| node.value != Value::Null) else { continue };
        if !matches!(value.value, Value::List(_)) {
            findings.push(
                fault(value.span, format!("`{key}` has to be a list of paths"))
                    .pointer(key)
                    .label("not a list")
                    .help("put `- ` before each path"),
            );
        }
        for item in value.items().iter().filter(|item| item.as_str().is_none()) {
            findings.push(
                fault(item.span, format!("`{key}` has to be a list of paths"))
                    .pointer(key)
                    .label("not a path")
                    .help("write the path of a file or a directory"),
            );
        }
    }
}

/// Kustomize takes no number or boolean for a text: `newTag: 1.2` is refused, as is a label that is `true`.
fn texts_only(node: &Node, findings: &mut Vec<Finding>) {
    let mut texts: Vec<&Node> = Vec::new();
    for key in ["namePrefix", "nameSuffix", "namespace"] {
        texts.extend(node.get(key));
    }
    for key in ["images", "imageTags"] {
        let fields = ["name", "newName", "newTag", "tagSuffix", "digest"];
        let items = node.get(key).map_or(&[][..], Node::items).iter();
        texts.extend(items.flat_map(|item| fields.iter().filter_map(|field| item.get(field))));
    }
    let mut mappings: Vec<&Node> =
        ["commonLabels", "commonAnnotations"].iter().filter_map(|key| node.get(key)).collect();
    mappings
        .extend(node.get("labels").map_or(&[][..], Node::items).iter().filter_map(|item| item.get("pairs")));
    let generators = ["configMapGenerator", "secretGenerator"].iter().filter_map(|key| node.get(key));
    let options = generators.flat_map(Node::items).filter_map(|item| item.get("options"));
    for options in options.chain(node.get("generatorOptions")) {
        mappings.extend(["labels", "annotations"].iter().filter_map(|key| options.get(key)));
    }
    let within = mappings.iter().filter_map(|mapping| mapping.as_map());
    texts.extend(within.flat_map(|map| map.entries.values().map(|entry| &entry.node)));
    for text in texts {
        if matches!(text.value, Value::Bool(_) | Value::Int(_) | Value::Float(_)) {
            findings.push(
                fault(text.span, "kustomize takes only a string here")
                    .label("not a string")
                    .help("put quotes around it"),
            );
        }
    }
}

fn unknown(node: &Node, known: &[&str], around: &str, findings: &mut Vec<Finding>) {
    let Some(map) = node.as_map() else { return };
    for (key, entry) in map.iter().filter(|(key, _)| !known.contains(&&***key)) {
        let help = did_you_mean(key, known.iter().copied())
            .map_or_else(|| "remove it, or correct it".to_owned(), |near| format!("did you mean `{near}`?"));
        let place = if around.is_empty() { "a kustomization" } else { &format!("`{around}`") };
        findings.push(
            fault(
                entry.key,
                format!("`{key}` is no field of {place}, and kustomize refuses what it does not know"),
            )
            .pointer(&**key)
            .label("unknown field")
            .help(help),
        );
    }
}
