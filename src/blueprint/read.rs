//! From the text of a blueprint to the platform, with every fault on the way.

use serde_json::Value;

use super::place::place;
use super::resolve::{Names, resolve};
use super::{Blueprint, Platform, facts, schema};
use crate::source::{Entry, FileId, Finding, Map, Node, SourceFile, Span, Value as TreeValue, fault, yaml};

/// A blueprint as far as it could be read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What is written.
    pub tree: Option<Node>,
    /// What it resolves to; `None` as soon as one finding stands in the way.
    pub platform: Option<Platform>,
    /// The platform as a tree in the shape of the blueprint, each value with the place it comes from: what policies
    /// look at.
    pub view: Option<Node>,
    /// Everything wrong with it.
    pub findings: Vec<Finding>,
}

/// Reads, checks and resolves one blueprint. Never stops at the first fault: what cannot be used is left aside, and
/// the rest is checked without it.
pub fn load(id: FileId, file: &SourceFile) -> Loaded {
    let read = yaml::read(id, file);
    let mut loaded = Loaded { findings: read.findings, ..Loaded::default() };
    let mut documents = read.documents.into_iter();
    let whole = Span::new(id, 0, file.text().lines().next().map_or(0, str::len));
    let Some(tree) = documents.next() else {
        if read.complete {
            loaded.findings.push(
                Finding::fault(
                    fault::WRONG_TYPE,
                    whole,
                    "the file is empty; a blueprint is a mapping that begins with `apiVersion`",
                )
                .help("`nexafi-gen init` writes a blueprint to start from"),
            );
        }
        return loaded;
    };
    if let Some(second) = documents.next() {
        loaded.findings.push(
            Finding::fault(fault::WRONG_TYPE, second.span, "a second document in one file")
                .label("the second document begins here")
                .help("put each blueprint into a file of its own"),
        );
    }
    if !read.complete {
        loaded.tree = Some(tree);
        return loaded;
    }
    check(&mut loaded, tree);
    loaded
}

fn check(loaded: &mut Loaded, tree: Node) {
    let written = tree.to_json();
    let mut usable = written.clone();
    let mut stand_ins = Vec::new();
    let schema = schema::schema();
    match schema::validator(&schema) {
        Ok(validator) => {
            for fault in schema::faults(&validator, &schema, &tree, &written) {
                prune(&mut usable, &fault.prune);
                loaded.findings.push(fault.finding);
            }
            if !loaded.findings.is_empty() {
                stand_ins = schema::stand_in(&validator, &schema, &mut usable);
            }
        }
        Err(reason) => {
            let message = format!("the schema is not valid: {reason}");
            loaded.findings.push(Finding::fault(fault::INVALID_VALUE, tree.span, message));
        }
    }
    merge_component_defaults(&mut usable);
    // Without regions of its own nothing can be said of how the parts fit together.
    let regions = written.get("regions").is_some_and(Value::is_object);
    match serde_json::from_value::<Blueprint>(usable) {
        Ok(blueprint) if regions => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let sections: Vec<&str> = properties.into_iter().flatten().map(|(key, _)| key.as_str()).collect();
            let mut names = Names::of(&tree, &sections);
            names.groups_unread =
                loaded.findings.iter().any(|finding| finding.pointer.contains(".nodeGroups."));
            let (platform, mut findings) = resolve(blueprint, &names, &tree);
            // What stands under a key's second occurrence is not read, so nobody can say that it does not exist.
            let twice = loaded.findings.iter().any(|finding| finding.code == fault::DUPLICATE_KEY.code);
            let unsure = |finding: &Finding| twice && finding.code == fault::DANGLING_REFERENCE.code;
            findings.retain(|finding| !concerns(finding, &stand_ins) && !unsure(finding));
            loaded.findings.extend(findings);
            if loaded.findings.is_empty() {
                loaded.view = serde_json::to_value(&platform).ok().map(|json| {
                    let top = place::<&str>(&tree, &[]).span;
                    overlay(&json, Some(&tree), top)
                });
                loaded.platform = Some(platform);
            }
        }
        // The schema and the types disagree only where something has been left aside already.
        Err(error) if loaded.findings.is_empty() => {
            let span = place::<&str>(&tree, &[]).span;
            loaded.findings.push(
                Finding::fault(fault::INVALID_VALUE, span, format!("the blueprint cannot be used: {error}"))
                    .help("compare the file with the output of `nexafi-gen schema blueprint`"),
            );
        }
        Ok(_) | Err(_) => {}
    }
    loaded.findings.sort_by_key(|finding| (finding.span, finding.code.clone()));
    loaded.tree = Some(tree);
}

/// Whether a finding is about a value that only stands in for one that could not be read.
fn concerns(finding: &Finding, stand_ins: &[String]) -> bool {
    let network = [fault::OVERLAPPING_CIDR.code, fault::CIDR_TOO_SMALL.code].contains(&finding.code.as_str());
    stand_ins.iter().any(|path| {
        (network && path.ends_with("cidr"))
            || finding
                .pointer
                .strip_prefix(path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// Takes out what a path leads to, so that its default takes its place.
fn prune(json: &mut Value, path: &[String]) {
    let Some((last, inside)) = path.split_last() else { return };
    let parent = inside.iter().try_fold(&mut *json, |node, step| match node {
        Value::Object(object) => object.get_mut(step),
        Value::Array(items) => step.parse::<usize>().ok().and_then(|at| items.get_mut(at)),
        _ => None,
    });
    match parent {
        Some(Value::Object(object)) => {
            object.shift_remove(last);
        }
        // Taking out one item would move the others under their paths; the whole list goes.
        Some(Value::Array(_)) => prune(json, inside),
        _ => {}
    }
}

/// Puts the defaults of components that are known by name under what the blueprint says of them.
fn merge_component_defaults(json: &mut Value) {
    if let Some(Value::Object(components)) = json.get_mut("components") {
        for (name, component) in components {
            if let Some(mut defaults) = facts::component(name) {
                merge(&mut defaults, std::mem::take(component));
                *component = defaults;
            }
        }
    }
}

/// Deep merge: mappings key by key, everything else replaced.
fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (under, over) => *under = over,
    }
}

/// The resolved values with the places of the written ones: a value nobody wrote stands where the nearest thing
/// around it is written.
fn overlay(json: &Value, written: Option<&Node>, around: Span) -> Node {
    let span = written.map_or(around, |node| node.span);
    let value = match json {
        Value::Object(object) => {
            let mut map = Map::default();
            for (key, value) in object {
                let entry =
                    written.and_then(|node| node.as_map()).and_then(|map| map.entries.get(key.as_str()));
                let key_span = entry.map_or(around, |entry| entry.key);
                let node = overlay(value, entry.map(|entry| &entry.node), key_span);
                map.entries.insert(key.as_str().into(), Entry { key: key_span, node });
            }
            TreeValue::Map(map)
        }
        Value::Array(items) => TreeValue::List(
            items
                .iter()
                .enumerate()
                .map(|(at, item)| {
                    let written = written.and_then(|node| node.items().get(at));
                    overlay(item, written, written.map_or(around, |node| node.span))
                })
                .collect(),
        ),
        scalar => Node::from_json(span, scalar).value,
    };
    Node::new(span, value)
}

/// The place of a pointer such as `regions.primary.vpc` in a tree: where it is written, or the nearest thing around
/// it that is. Names may contain no dots, so the text splits cleanly.
pub fn locate(tree: &Node, pointer: &str) -> Span {
    let path: Vec<&str> = pointer.split('.').filter(|step| !step.is_empty()).collect();
    place(tree, &path).span
}
