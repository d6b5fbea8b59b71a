//! Custom resources against the schema of their definition: `openAPIV3Schema` of a `CustomResourceDefinition`, or the same
//! as a JSON Schema in a file of its own, as catalogues of such schemas publish them.

use std::collections::BTreeMap;

use camino::Utf8Path;
use regex::Regex;

use super::check::Walk;
use crate::kubernetes::Object;
use crate::source::{FileId, Finding, Map, Node, SourceFile, Span, Value, did_you_mean, yaml};

/// Alternatives of alternatives are followed this deep.
const DEPTH: usize = 8;

/// Schemas of custom resources.
#[derive(Debug, Default)]
pub struct Custom {
    /// By group, version and kind.
    defined: BTreeMap<(String, String, String), Node>,
    /// By lower-case kind, group or the first part of it, and version, out of the names of files.
    catalogued: BTreeMap<(String, String, String), Node>,
}

impl Custom {
    /// Adds what a file defines: every `CustomResourceDefinition` in it, or one JSON Schema whose file is called
    /// `group/kind_version.json` or `kind-group-version.json`. Returns how many schemas these are, and syntax errors.
    pub fn add(&mut self, id: FileId, file: &SourceFile) -> (usize, Vec<Finding>) {
        let read = yaml::read(id, file);
        let mut count = 0;
        for document in read.documents {
            let word = |key| document.get(key).and_then(Node::as_str);
            if word("kind").is_some_and(|kind| kind.ends_with("List")) {
                count += document
                    .get("items")
                    .map_or(&[][..], Node::items)
                    .iter()
                    .map(|item| self.define(item))
                    .sum::<usize>();
            } else if word("kind") == Some("CustomResourceDefinition") {
                count += self.define(&document);
            } else if document.get("properties").is_some()
                && let Some(key) = catalogue_key(file.path())
            {
                self.catalogued.insert(key, document);
                count += 1;
            }
        }
        (count, read.findings)
    }

    fn define(&mut self, definition: &Node) -> usize {
        let word = |path: &[&str]| definition.at(path).and_then(Node::as_str).unwrap_or_default().to_owned();
        let (group, kind) = (word(&["spec", "group"]), word(&["spec", "names", "kind"]));
        let shared = definition.at(&["spec", "validation", "openAPIV3Schema"]);
        let versions = definition.at(&["spec", "versions"]).map_or(&[][..], Node::items);
        let mut found: Vec<(String, Node)> = versions
            .iter()
            .filter_map(|version| {
                let schema = version.at(&["schema", "openAPIV3Schema"]).or(shared)?;
                Some((version.get("name")?.as_str()?.to_owned(), schema.clone()))
            })
            .collect();
        if let (true, Some(schema)) = (found.is_empty(), shared) {
            found.push((word(&["spec", "version"]), schema.clone()));
        }
        let count = found.len();
        for (version, schema) in found {
            self.defined.insert((group.clone(), version, kind.clone()), schema);
        }
        count
    }

    /// The schema of a kind.
    fn schema(&self, api_version: &str, kind: &str) -> Option<&Node> {
        let (group, version) = api_version.split_once('/')?;
        let own = |text: &str| text.to_owned();
        self.defined.get(&(own(group), own(version), own(kind))).or_else(|| {
            let first = group.split('.').next().unwrap_or(group);
            let key = |group: &str| (kind.to_ascii_lowercase(), own(group), own(version));
            self.catalogued.get(&key(group)).or_else(|| self.catalogued.get(&key(first)))
        })
    }

    /// What the schema of a custom resource refuses or drops; nothing for a kind of which there is none.
    pub fn check(&self, object: &Object, version: &str) -> Vec<Finding> {
        let Some(schema) = self.schema(&object.api_version, &object.kind) else { return Vec::new() };
        let mut walk = Walk::new(object, version);
        let Some(map) = object.node.as_map() else { return Vec::new() };
        if let Some(metadata) = map.entries.get("metadata") {
            walk.enter("metadata");
            walk.definition(&metadata.node, metadata.key, "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
            walk.leave();
        }
        let mut custom = Checker { walk, object, depth: 0 };
        custom.fields(&object.node, object.header, schema, true);
        custom.walk.into_findings()
    }
}

/// Lower-case kind, group and version of `cert-manager.io/certificate_v1.json` or `certificate-cert-manager.io-v1.json`.
fn catalogue_key(path: &Utf8Path) -> Option<(String, String, String)> {
    let name = path.file_stem()?.to_ascii_lowercase();
    if let Some((kind, version)) = name.rsplit_once('_') {
        let group = path.parent()?.file_name()?;
        return Some((kind.to_owned(), group.to_owned(), version.to_owned()));
    }
    let (rest, version) = name.rsplit_once('-')?;
    let (kind, group) = rest.split_once('-')?;
    Some((kind.to_owned(), group.to_owned(), version.to_owned()))
}

struct Checker<'a> {
    walk: Walk<'a>,
    object: &'a Object,
    depth: usize,
}

fn is_set(schema: &Node, key: &str) -> bool {
    schema.get(key).and_then(Node::as_bool) == Some(true)
}

impl Checker<'_> {
    fn value(&mut self, node: &Node, place: Span, schema: &Node) {
        if matches!(node.value, Value::Null | Value::Unknown(_) | Value::Reference(_) | Value::Partial(_)) {
            return;
        }
        if is_set(schema, "x-kubernetes-int-or-string") {
            if !matches!(node.value, Value::Int(_) | Value::Str(_)) {
                self.walk.wrong_type(
                    node,
                    &node.value,
                    "a whole number or a string",
                    "write for example 8080 or \"25%\"",
                );
            }
            return;
        }
        match schema.get("type").and_then(|type_| {
            type_
                .as_str()
                .or_else(|| type_.items().iter().filter_map(Node::as_str).find(|type_| *type_ != "null"))
        }) {
            Some("object") if !matches!(node.value, Value::Map(_)) => {
                return self.walk.wrong_type(node, &node.value, "a mapping", "write keys under it");
            }
            Some("array") if !matches!(node.value, Value::List(_)) => {
                return self.walk.wrong_type(node, &node.value, "a list", "put `- ` before each item");
            }
            Some("string") => self.walk.value(node, place, "s"),
            Some("boolean") => self.walk.value(node, place, "b"),
            Some("integer") => {
                let small = schema.get("format").and_then(Node::as_str) == Some("int32");
                self.walk.value(node, place, if small { "j" } else { "i" });
            }
            Some("number") => self.walk.value(node, place, "n"),
            _ => {}
        }
        match &node.value {
            Value::Map(_) => self.fields(node, place, schema, false),
            Value::List(items) => self.items(items, schema),
            _ => self.limits(node, schema),
        }
        self.alternatives(node, place, schema);
    }

    fn items(&mut self, items: &[Node], schema: &Node) {
        let Some(item_schema) = schema.get("items") else { return };
        for (at, item) in items.iter().enumerate() {
            self.walk.enter(&at.to_string());
            let first_key = item.as_map().and_then(|map| map.entries.first()).map(|(_, entry)| entry.key);
            self.value(item, first_key.unwrap_or(item.span), item_schema);
            self.walk.leave();
        }
    }

    fn fields(&mut self, node: &Node, place: Span, schema: &Node, root: bool) {
        let Value::Map(map) = &node.value else { return };
        let known = schema.get("properties").and_then(Node::as_map);
        let others = schema.get("additionalProperties");
        let open = is_set(schema, "x-kubernetes-preserve-unknown-fields")
            || is_set(schema, "x-kubernetes-embedded-resource")
            || others.is_some_and(|others| others.value == Value::Bool(true))
            || (known.is_none() && others.is_none());
        for (key, entry) in map.iter() {
            if root && ["apiVersion", "kind", "metadata"].contains(&&**key) {
                continue;
            }
            self.walk.enter(key);
            match (known.and_then(|known| known.get(key)), others) {
                (Some(schema), _) => self.value(&entry.node, entry.key, schema),
                (None, Some(schema)) if schema.as_map().is_some() => {
                    self.value(&entry.node, entry.key, schema);
                }
                _ if open => {}
                _ => self.unknown(key, entry.key, map, known),
            }
            self.walk.leave();
        }
        for required in schema.get("required").map_or(&[][..], Node::items).iter().filter_map(Node::as_str) {
            if map.get(required).is_none_or(|node| node.value == Value::Null) {
                let type_ =
                    known.and_then(|known| known.get(required)?.get("type")?.as_str()).unwrap_or_default();
                let what = match type_ {
                    "string" => "a string",
                    "integer" => "a whole number",
                    "number" => "a number",
                    "boolean" => "true or false",
                    "array" => "a list",
                    "object" => "a mapping",
                    _ => "a value",
                };
                self.walk.missing(place, required, what);
            }
        }
    }

    fn unknown(&mut self, key: &str, span: Span, map: &Map, known: Option<&Map>) {
        let names: Vec<&str> = known.into_iter().flat_map(Map::iter).map(|(name, _)| &**name).collect();
        let free = names.iter().copied().filter(|name| map.get(name).is_none());
        let help = match did_you_mean(key, free) {
            Some(close) => format!("did you mean `{close}`?"),
            None if names.is_empty() => "remove it: this mapping has no fields".to_owned(),
            None => format!("its fields are {}", names.join(", ")),
        };
        let message =
            format!("`{key}` is no field here of {} in {}", self.object.kind, self.object.api_version);
        self.walk.fault(span, message, "unknown field".to_owned(), help);
    }

    /// Words, patterns, lengths and ranges of a single value.
    fn limits(&mut self, node: &Node, schema: &Node) {
        let name = self.walk.last_step();
        let written = node.to_json();
        if let Some(words) = schema.get("enum").map(Node::items).filter(|words| !words.is_empty())
            && !words.iter().any(|word| word.to_json() == written)
        {
            let listed: Vec<String> =
                words.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect();
            let text = node.as_str().map_or_else(|| written.to_string(), str::to_owned);
            let help = did_you_mean(&text, listed.iter().map(String::as_str)).map_or_else(
                || format!("write {}", listed.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("`{name}` is one of {}, and not `{text}`", listed.join(", "));
            return self.walk.fault(node.span, message, "unknown word".to_owned(), help);
        }
        match &node.value {
            Value::Str(text) => self.text(node, text, schema, &name),
            Value::Int(_) | Value::Float(_) => self.range(node, schema, &name),
            _ => {}
        }
    }

    fn text(&mut self, node: &Node, text: &str, schema: &Node, name: &str) {
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        let limit = |key: &str| schema.get(key).and_then(Node::as_i64);
        if let Some(most) = limit("maxLength").filter(|most| length > *most) {
            let message = format!("`{name}` has {length} characters, and {most} at most are allowed");
            return self.walk.fault(node.span, message, "too long".to_owned(), "shorten it".to_owned());
        }
        if let Some(least) = limit("minLength").filter(|least| length < *least) {
            let message = format!("`{name}` has {length} characters, and {least} at least are needed");
            return self.walk.fault(node.span, message, "too short".to_owned(), "write more".to_owned());
        }
        if let Some(pattern) = schema.get("pattern").and_then(Node::as_str)
            // What Go's and Rust's patterns do not share is not held against anybody.
            && Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text))
        {
            let message = format!("`{text}` is no `{name}`");
            let help = format!("it has to match {pattern}");
            self.walk.fault(node.span, message, "not of the form".to_owned(), help);
        }
    }

    fn range(&mut self, node: &Node, schema: &Node, name: &str) {
        let number = |node: &Node| match node.value {
            #[expect(clippy::cast_precision_loss, reason = "limits are small numbers")]
            Value::Int(whole) => Some(whole as f64),
            Value::Float(number) => Some(number),
            _ => None,
        };
        let Some(value) = number(node) else { return };
        let limit = |key: &str| schema.get(key).and_then(number);
        if let Some(least) = limit("minimum")
            && (value < least || (is_set(schema, "exclusiveMinimum") && value <= least))
        {
            let message = format!("`{name}` is {value}, and at least {least} is needed");
            self.walk.fault(node.span, message, "too small".to_owned(), format!("write {least} or more"));
        }
        if let Some(most) = limit("maximum")
            && (value > most || (is_set(schema, "exclusiveMaximum") && value >= most))
        {
            let message = format!("`{name}` is {value}, and at most {most} is allowed");
            self.walk.fault(node.span, message, "too large".to_owned(), format!("write {most} or less"));
        }
    }

    /// `allOf`, `anyOf`, `oneOf`: in a structural schema they only add conditions to what the schema says beside them.
    fn alternatives(&mut self, node: &Node, place: Span, schema: &Node) {
        if self.depth >= DEPTH {
            return;
        }
        self.depth += 1;
        for part in schema.get("allOf").map_or(&[][..], Node::items) {
            let part = opened(part);
            self.value(node, place, &part);
        }
        for (key, single) in [("anyOf", false), ("oneOf", true)] {
            let parts = schema.get(key).map_or(&[][..], Node::items);
            if parts.is_empty() {
                continue;
            }
            let fits = parts.iter().filter(|part| self.fits(node, place, part)).count();
            if fits == 0 || (single && fits > 1) {
                let wants: Vec<String> = parts.iter().filter_map(wanted).collect();
                let message = format!(
                    "`{}` fits {} of the forms it may have",
                    self.walk.last_step(),
                    if fits == 0 { "none" } else { "more than one" }
                );
                let help = if wants.is_empty() {
                    "see the definition of its kind".to_owned()
                } else {
                    format!("write {}", wants.join(", or "))
                };
                self.walk.fault(place, message, "one form is needed".to_owned(), help);
            }
        }
        self.depth -= 1;
    }

    /// Whether a value has no fault by an alternative.
    fn fits(&mut self, node: &Node, place: Span, part: &Node) -> bool {
        let before = self.walk.count();
        let part = opened(part);
        self.value(node, place, &part);
        self.walk.forget(before)
    }
}

/// An alternative says nothing of the fields it does not name.
fn opened(part: &Node) -> Node {
    let mut part = part.clone();
    if let Value::Map(map) = &mut part.value
        && map.get("additionalProperties").is_none()
    {
        let span = part.span;
        map.insert("x-kubernetes-preserve-unknown-fields", span, Node::new(span, Value::Bool(true)));
    }
    part
}

/// What an alternative asks for, in a few words.
fn wanted(part: &Node) -> Option<String> {
    if let Some(type_) = part.get("type").and_then(Node::as_str) {
        return Some(format!("a value of the type {type_}"));
    }
    let required: Vec<&str> =
        part.get("required").map_or(&[][..], Node::items).iter().filter_map(Node::as_str).collect();
    (!required.is_empty()).then(|| format!("`{}`", required.join("` and `")))
}
