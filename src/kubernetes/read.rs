//! Manifests into objects: several documents a file, `List` kinds taken apart, JSON as well as YAML.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Object, schema, workload};
use crate::source::yaml::{self, Dialect};
use crate::source::{FileId, Finding, Map, Node, SourceFile, Sources, Span, Value, fault};

/// What a generated manifest says about the blueprint node it comes from: `# blueprint: services.ledger-service`.
const ORIGIN: &str = "# blueprint:";

/// Directories whose files Kustomize merges, so that an object standing in two of them is one object.
const LAYERS: [&str; 7] = ["base", "bases", "overlays", "patches", "components", "environments", "variants"];

/// Reads every object of a file. A document that is no Kubernetes object is a finding; empty documents,
/// Kustomize's own files, client configurations and Helm templates that only `helm` can read are passed over.
pub fn read(id: FileId, file: &SourceFile) -> (Vec<Object>, Vec<Finding>) {
    read_as(id, file, Dialect::Kubectl)
}

/// The same for files that another tool reads first.
pub(super) fn read_as(id: FileId, file: &SourceFile, dialect: Dialect) -> (Vec<Object>, Vec<Finding>) {
    let read = yaml::read_as(id, file, dialect);
    let templated = is_helm_template(file.text());
    if templated && !read.findings.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let mut reader = Reader { file, templated, objects: Vec::new(), findings: read.findings };
    for document in read.documents {
        reader.document(document);
    }
    (reader.objects, reader.findings)
}

/// Whether the text is the source of a Helm template: its values are not what will be applied.
///
/// Other Go templates (alert messages in a `ConfigMap`) do not count: they are plain text to Kubernetes.
pub fn is_helm_template(text: &str) -> bool {
    text.split("{{").skip(1).any(|rest| rest.split("}}").next().is_some_and(is_helm_action))
}

/// The built-in objects of Helm, and its functions that plain manifests have no use for.
fn is_helm_action(action: &str) -> bool {
    const OBJECTS: [&str; 7] =
        [".Values", ".Release.", ".Chart.", ".Capabilities.", ".Template.", ".Files.", ".Subcharts."];
    let words = action.trim_start_matches('-').trim_start();
    OBJECTS.iter().any(|object| action.contains(object))
        || ["include \"", "template \"", "define \""].iter().any(|call| words.starts_with(call))
}

/// Objects that are declared twice: same kind, API group, namespace and name. The second one is the finding.
///
/// Files of a Kustomize base and its overlays describe one object together, so an object of a directory called
/// `base`, `overlays` or the like counts as a duplicate only of objects in the very same directory.
pub fn duplicates(sources: &Sources, objects: &[Object]) -> Vec<Finding> {
    let mut seen: BTreeMap<(&str, &str, Option<&str>, &str), Vec<&Object>> = BTreeMap::new();
    let mut findings = Vec::new();
    for object in objects {
        let group = object.api_version.rsplit_once('/').map_or("", |(group, _)| group);
        let key = (group, &*object.kind, object.namespace.as_deref(), &*object.name);
        let earlier = seen.entry(key).or_default();
        if let Some(first) = earlier.iter().find(|first| may_meet(sources, first, object)) {
            findings.push(
                Finding::fault(
                    fault::KUBERNETES_DUPLICATE,
                    object.header,
                    format!("`{}` is declared twice", object.address),
                )
                .label("second declaration")
                .related(first.header, format!("`{}` is first declared here", object.address))
                .pointer("metadata.name")
                .help("keep one of the two or give them different names; the one applied last silently wins"),
            );
        }
        earlier.push(object);
    }
    findings
}

fn may_meet(sources: &Sources, first: &Object, second: &Object) -> bool {
    let directory = |object: &Object| {
        sources.get(object.header.file).and_then(|file| file.path().parent()).unwrap_or("".into())
    };
    let (left, right) = (directory(first), directory(second));
    left == right
        || ![left, right].iter().any(|path| path.components().any(|part| LAYERS.contains(&part.as_str())))
}

struct Reader<'a> {
    file: &'a SourceFile,
    templated: bool,
    objects: Vec<Object>,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn document(&mut self, document: Node) {
        match &document.value {
            Value::Null => {}
            Value::Map(map) if is_configuration(map) => {}
            Value::Map(map) if list_items(map).is_some() => self.list(&document),
            Value::Map(_) => self.object(document, None),
            _ => self.findings.push(
                fault_at(first_line(self.file, document.span), "this document is not a Kubernetes object")
                    .label("not a mapping")
                    .help("a manifest starts with `apiVersion:` and `kind:`"),
            ),
        }
    }

    /// Takes `List`, `ConfigMapList` and so on apart. Items of a typed list may leave out version and kind.
    fn list(&mut self, list: &Node) {
        let version = list.get("apiVersion").and_then(Node::as_str).unwrap_or_default();
        let kind = list.get("kind").and_then(Node::as_str).unwrap_or_default();
        let item_kind = kind.strip_suffix("List").filter(|kind| !kind.is_empty());
        let inherited = item_kind.map(|kind| (version, kind));
        for item in list.get("items").map(Node::items).unwrap_or_default() {
            match &item.value {
                Value::Map(map) if list_items(map).is_some() => self.list(item),
                Value::Map(_) => self.object(item.clone(), inherited),
                _ => self.findings.push(
                    fault_at(item.span, "an item of this list is not a Kubernetes object")
                        .help("each item starts with `apiVersion:` and `kind:`"),
                ),
            }
        }
    }

    fn object(&mut self, mut node: Node, inherited: Option<(&str, &str)>) {
        let Value::Map(map) = &node.value else { return };
        let start = map.entries.first().map_or(node.span, |(_, entry)| entry.key);
        let api_version =
            self.word(map, start, "apiVersion", inherited.map(|(version, _)| version), "apiVersion: apps/v1");
        let kind = self.word(map, start, "kind", inherited.map(|(_, kind)| kind), "kind: Deployment");
        let (Some(api_version), Some(kind)) = (api_version, kind) else { return };
        let Some((name, header)) = self.name(map, start, &api_version, &kind) else { return };

        let written =
            map.get("metadata").and_then(|metadata| metadata.get("namespace")).and_then(Node::as_str);
        let namespace: Option<Arc<str>> =
            written.filter(|name| !name.is_empty() && workload::is_namespaced(&kind)).map(Into::into);
        let address = match &namespace {
            Some(namespace) => format!("{kind}/{namespace}/{name}"),
            None => format!("{kind}/{name}"),
        };
        let blueprint = origin(self.file, start);
        if self.templated {
            forget_templates(&mut node);
        }
        self.objects.push(Object {
            api_version,
            kind,
            namespace,
            name,
            address: address.into(),
            node,
            header,
            blueprint,
        });
    }

    /// A required word at the top of the object.
    fn word(
        &mut self,
        map: &Map,
        start: Span,
        key: &str,
        inherited: Option<&str>,
        example: &str,
    ) -> Option<Arc<str>> {
        match map.entries.get(key) {
            Some(entry) => match &entry.node.value {
                Value::Str(text) if !text.is_empty() => return Some(text.clone()),
                _ => self.findings.push(
                    fault_at(entry.key, format!("`{key}` has to be a word"))
                        .pointer(key)
                        .label("not a word")
                        .help(format!("write for example `{example}`")),
                ),
            },
            None => match inherited {
                Some(word) => return Some(word.into()),
                None => self.findings.push(
                    fault_at(start, format!("`{key}` is missing"))
                        .label("this object starts here")
                        .help(format!("add `{key}`, for example `{example}`")),
                ),
            },
        }
        None
    }

    fn name(&mut self, map: &Map, start: Span, api_version: &str, kind: &str) -> Option<(Arc<str>, Span)> {
        let Some(metadata) = map.entries.get("metadata") else {
            // Configuration files of other tools have version and kind, but are never applied to a cluster.
            if schema::is_builtin_group(api_version) {
                self.findings.push(
                    fault_at(start, format!("this {kind} has no `metadata.name`"))
                        .label("this object starts here")
                        .help("add `metadata:` with a `name:` under it"),
                );
            }
            return None;
        };
        let named = ["name", "generateName"].iter().find_map(|key| {
            metadata.node.get(key).map(|node| (*key, node)).filter(|(_, node)| !is_null(node))
        });
        match named {
            Some((_, Node { value: Value::Str(name), span, .. })) if !name.is_empty() => {
                Some((name.clone(), *span))
            }
            Some((key, node)) => {
                self.findings.push(
                    fault_at(node.span, format!("`metadata.{key}` of this {kind} has to be a string"))
                        .pointer(format!("metadata.{key}"))
                        .label("not a string")
                        .help("put quotes around it"),
                );
                None
            }
            None => {
                self.findings.push(
                    fault_at(metadata.key, format!("this {kind} has no `metadata.name`"))
                        .pointer("metadata")
                        .label("a `name` is missing here")
                        .help("add `name:` under `metadata:`"),
                );
                None
            }
        }
    }
}

fn fault_at(span: Span, message: impl Into<String>) -> Finding {
    Finding::fault(fault::KUBERNETES_SCHEMA, span, message)
}

fn is_null(node: &Node) -> bool {
    matches!(node.value, Value::Null)
}

/// The items of a `List` or of a typed list. A `List` without items, as Helm prints one of an empty loop, has none.
fn list_items(map: &Map) -> Option<&[Node]> {
    let kind = map.get("kind")?.as_str()?;
    match map.get("items").map(|items| &items.value) {
        Some(Value::List(items)) if kind.ends_with("List") => Some(items),
        None | Some(Value::Null) if kind == "List" => Some(&[]),
        _ => None,
    }
}

/// Files with `apiVersion` and `kind` that `kubectl apply` never sends: Kustomize's own and client configurations.
fn is_configuration(map: &Map) -> bool {
    let word = |key| map.get(key).and_then(Node::as_str).unwrap_or_default();
    let (version, kind) = (word("apiVersion"), word("kind"));
    version.starts_with("kustomize.config.k8s.io/")
        || (kind == "Kustomization" && !version.contains("toolkit.fluxcd.io"))
        || (kind == "Config" && version == "v1" && map.get("clusters").is_some())
        || (version.is_empty()
            && kind.is_empty()
            && map.get("metadata").is_none()
            && ["resources", "patches", "configMapGenerator"]
                .iter()
                .any(|key| map.get(key).is_some_and(|node| matches!(node.value, Value::List(_)))))
}

/// The first line of a span: to underline a whole document would underline the file.
fn first_line(file: &SourceFile, span: Span) -> Span {
    let text = file.slice(span);
    let length = text.find('\n').unwrap_or(text.len());
    Span::new(span.file, span.start as usize, span.start as usize + length)
}

/// The pointer in the comments directly above the object's first key.
fn origin(file: &SourceFile, first_key: Span) -> Option<Arc<str>> {
    let text = file.text().get(..first_key.start as usize)?;
    let above = text.rfind('\n')?;
    text.get(..above)?
        .lines()
        .rev()
        .map(str::trim)
        .take_while(|line| line.starts_with('#'))
        .find_map(|line| line.strip_prefix(ORIGIN))
        .map(|pointer| pointer.trim().into())
}

/// What Helm will put in is not known from the file, and must not be judged as if it were.
fn forget_templates(node: &mut Node) {
    match &mut node.value {
        Value::Str(text) if is_helm_template(text) => {
            node.value = Value::Unknown("filled in by a Helm template".into());
        }
        Value::List(items) => items.iter_mut().for_each(forget_templates),
        Value::Map(map) => map.entries.values_mut().for_each(|entry| forget_templates(&mut entry.node)),
        _ => {}
    }
}
