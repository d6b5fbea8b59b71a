//! Who owns which field, and server-side apply: what `sigs.k8s.io/structured-merge-diff` does, for Kubernetes' own types.
//!
//! A field is a path of elements written as in `fieldsV1`: `f:spec`, `k:{"name":"web"}`, `v:"foregroundDeletion"`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::definitions::{Definitions, Merge, item_of};
use crate::error::{Outcome, Refusal};

/// A path to a field.
pub(crate) type Path = Vec<String>;
/// A set of fields.
pub(crate) type Fields = BTreeSet<Path>;

/// When everything here happens: nothing may depend on the time.
pub(crate) const NOW: &str = "2026-01-01T00:00:00Z";

/// One owner of fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manager {
    /// Its name, such as `kubectl`.
    pub(crate) name: String,
    /// `Apply` or `Update`.
    pub(crate) operation: String,
    /// The API version it speaks.
    pub(crate) api_version: String,
    /// What it owns.
    pub(crate) fields: Fields,
}

/// The owners of an object's fields.
pub(crate) fn read(object: &Value) -> Vec<Manager> {
    let entries = object["metadata"]["managedFields"].as_array();
    entries
        .into_iter()
        .flatten()
        .map(|entry| {
            let text = |key: &str| entry[key].as_str().unwrap_or("").to_owned();
            let mut fields = Fields::new();
            read_fields(&entry["fieldsV1"], &mut Vec::new(), &mut fields);
            Manager {
                name: text("manager"),
                operation: text("operation"),
                api_version: text("apiVersion"),
                fields,
            }
        })
        .collect()
}

fn read_fields(node: &Value, path: &mut Path, fields: &mut Fields) {
    let Some(map) = node.as_object() else { return };
    if !path.is_empty() && (map.is_empty() || map.contains_key(".")) {
        fields.insert(path.clone());
    }
    for (key, inner) in map.iter().filter(|(key, _)| *key != ".") {
        path.push(key.clone());
        read_fields(inner, path, fields);
        path.pop();
    }
}

/// Writes the owners into the object; those that own nothing are left out.
pub(crate) fn write(object: &mut Value, managers: &[Manager]) {
    let entries: Vec<Value> = managers
        .iter()
        .filter(|manager| !manager.fields.is_empty())
        .map(|manager| {
            json!({
                "manager": manager.name, "operation": manager.operation, "apiVersion": manager.api_version,
                "time": NOW, "fieldsType": "FieldsV1", "fieldsV1": write_fields(&manager.fields),
            })
        })
        .collect();
    object["metadata"]["managedFields"] = Value::Array(entries);
}

fn write_fields(fields: &Fields) -> Value {
    let mut root = Value::Object(Map::new());
    for path in fields {
        let mut node = &mut root;
        for element in path {
            if !node[element].is_object() {
                node[element] = json!({});
            }
            node = &mut node[element];
        }
    }
    // A path that is a field itself and has others below says so with a dot.
    for path in fields {
        let node = path.iter().fold(&mut root, |node, element| &mut node[element]);
        if node.as_object().is_some_and(|map| !map.is_empty()) {
            node["."] = json!({});
        }
    }
    root
}

/// Whether the field belongs to nobody: identity, what the server fills in, and status, which has an endpoint of its own.
fn is_nobodys(path: &[String]) -> bool {
    const METADATA: [&str; 8] = [
        "f:name",
        "f:namespace",
        "f:uid",
        "f:resourceVersion",
        "f:creationTimestamp",
        "f:generation",
        "f:managedFields",
        "f:deletionTimestamp",
    ];
    match path.first().map(String::as_str) {
        Some("f:apiVersion" | "f:kind" | "f:status") => true,
        Some("f:metadata") => {
            path.len() == 1 || path.get(1).is_some_and(|key| METADATA.contains(&key.as_str()))
        }
        _ => false,
    }
}

/// Every field an object has.
pub(crate) fn fields_of(known: &Definitions, type_: &str, object: &Value) -> Fields {
    let mut fields = Fields::new();
    walk(known, type_, &Merge::default(), object, &mut Vec::new(), &mut fields);
    fields.retain(|path| !is_nobodys(path));
    fields
}

fn walk(known: &Definitions, type_: &str, rule: &Merge, value: &Value, path: &mut Path, fields: &mut Fields) {
    match value {
        Value::Object(map) if !is_leaf_mapping(known, type_, rule) && !map.is_empty() => {
            let free = known.is_free_mapping(type_);
            for (key, inner) in map {
                let field = known.field(known.plain(type_), key).unwrap_or_default();
                path.push(format!("f:{key}"));
                if free {
                    fields.insert(path.clone());
                }
                walk(known, &field.type_, &field.merge, inner, path, fields);
                path.pop();
            }
        }
        Value::Array(items) if !rule.keys.is_empty() || rule.set => {
            for item in items {
                path.push(element(rule, item));
                fields.insert(path.clone());
                if !rule.set {
                    walk(known, item_of(type_), &Merge::default(), item, path, fields);
                }
                path.pop();
            }
        }
        _ => {
            fields.insert(path.clone());
        }
    }
}

fn is_leaf_mapping(known: &Definitions, type_: &str, rule: &Merge) -> bool {
    rule.atomic || known.is_atomic(type_)
}

/// The path element of a list's item.
fn element(rule: &Merge, item: &Value) -> String {
    if rule.set {
        return format!("v:{item}");
    }
    let mut keys: Vec<&String> = rule.keys.iter().collect();
    keys.sort();
    let mut identity = Map::new();
    for key in keys {
        let value = match (&item[key], key.as_str()) {
            // The only key with a default.
            (Value::Null, "protocol") => Value::from("TCP"),
            (value, _) => value.clone(),
        };
        identity.insert(key.clone(), value);
    }
    format!("k:{}", Value::Object(identity))
}

/// The value at a path.
fn value_at<'a>(known: &Definitions, type_: &str, object: &'a Value, path: &[String]) -> Option<&'a Value> {
    let mut value = object;
    let (mut type_, mut rule) = (type_.to_owned(), Merge::default());
    for step in path {
        if let Some(key) = step.strip_prefix("f:") {
            value = value.get(key)?;
            let field = known.field(known.plain(&type_), key).unwrap_or_default();
            (type_, rule) = (field.type_, field.merge);
        } else {
            value = value.as_array()?.iter().find(|item| element(&rule, item) == *step)?;
            (type_, rule) = (item_of(&type_).to_owned(), Merge::default());
        }
    }
    Some(value)
}

/// Notes who changed what with an ordinary create, update or patch.
pub(crate) fn update(
    known: &Definitions,
    type_: &str,
    before: Option<&Value>,
    after: &Value,
    manager: &str,
    mut managers: Vec<Manager>,
) -> Vec<Manager> {
    let now = fields_of(known, type_, after);
    let none = Value::Null;
    let before = before.unwrap_or(&none);
    let was = fields_of(known, type_, before);
    let changed: Fields = now
        .iter()
        .filter(|path| {
            !was.contains(*path)
                || (is_lowest(&now, path)
                    && value_at(known, type_, before, path) != value_at(known, type_, after, path))
        })
        .cloned()
        .collect();
    for other in &mut managers {
        other.fields.retain(|path| now.contains(path) && !changed.contains(path));
    }
    if changed.is_empty() {
        return managers;
    }
    let api_version = after["apiVersion"].as_str().unwrap_or("").to_owned();
    match managers.iter_mut().find(|known| known.name == manager && known.operation == "Update") {
        Some(own) => own.fields.extend(changed),
        None => managers.push(Manager {
            name: manager.to_owned(),
            operation: "Update".to_owned(),
            api_version,
            fields: changed,
        }),
    }
    managers
}

/// Whether no other field of the set is below it.
fn is_lowest(fields: &Fields, path: &Path) -> bool {
    !fields.range(path.clone()..).nth(1).is_some_and(|next| next.starts_with(path))
}

/// Server-side apply: the object after it, and who owns what then.
///
/// # Errors
/// `Conflict`, naming every field that another manager owns and that would change, unless `force` is set.
pub(crate) fn apply(
    known: &Definitions,
    type_: &str,
    live: Option<&Value>,
    applied: &Value,
    manager: &str,
    force: bool,
) -> Outcome<(Value, Vec<Manager>)> {
    let mut managers = live.map(read).unwrap_or_default();
    let wanted = fields_of(known, type_, applied);
    let mut merged = live.cloned().unwrap_or(Value::Null);
    merge(known, type_, &Merge::default(), &mut merged, applied);

    let nothing = Value::Null;
    let live = live.unwrap_or(&nothing);
    let own = |other: &Manager| other.name == manager && other.operation == "Apply";
    let mut conflicts = Vec::new();
    for other in managers.iter_mut().filter(|other| !own(other)) {
        let taken: Fields = other
            .fields
            .intersection(&wanted)
            .filter(|path| is_lowest(&wanted, path))
            .filter(|path| value_at(known, type_, live, path) != value_at(known, type_, &merged, path))
            .cloned()
            .collect();
        conflicts.extend(taken.iter().map(|path| (other.name.clone(), shown(path))));
        other.fields.retain(|path| !taken.contains(path));
    }
    if !conflicts.is_empty() && !force {
        return Err(Refusal::conflict(match conflicts.as_slice() {
            [(owner, field)] => format!("Apply failed with 1 conflict: conflict with \"{owner}\": {field}"),
            many => {
                let lines: Vec<String> =
                    many.iter().map(|(owner, field)| format!("- {field} of \"{owner}\"")).collect();
                format!("Apply failed with {} conflicts:\n{}", many.len(), lines.join("\n"))
            }
        }));
    }

    let before = managers.iter().position(own).map(|at| managers.remove(at));
    let before = before.map(|manager| manager.fields).unwrap_or_default();
    let kept: Fields =
        wanted.iter().chain(managers.iter().flat_map(|other| other.fields.iter())).cloned().collect();
    for path in with_parents(&before).difference(&with_parents(&kept)) {
        remove(known, type_, &mut merged, path);
    }
    managers.push(Manager {
        name: manager.to_owned(),
        operation: "Apply".to_owned(),
        api_version: applied["apiVersion"].as_str().unwrap_or("").to_owned(),
        fields: wanted,
    });
    Ok((merged, managers))
}

/// `.spec.template.spec.containers[name="web"].image`.
fn shown(path: &Path) -> String {
    path.iter()
        .map(|step| match step.split_once(':') {
            Some(("f", key)) => format!(".{key}"),
            Some((_, identity)) => {
                let keys: Map<String, Value> = serde_json::from_str(identity).unwrap_or_default();
                let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
                format!("[{}]", keys.join(","))
            }
            None => step.clone(),
        })
        .collect()
}

fn with_parents(fields: &Fields) -> Fields {
    fields.iter().flat_map(|path| (1..=path.len()).map(|length| path[..length].to_vec())).collect()
}

fn merge(known: &Definitions, type_: &str, rule: &Merge, live: &mut Value, applied: &Value) {
    match (live, applied) {
        (Value::Object(live), Value::Object(applied)) if !is_leaf_mapping(known, type_, rule) => {
            for (key, value) in applied {
                let field = known.field(known.plain(type_), key).unwrap_or_default();
                match live.get_mut(key) {
                    Some(inner) => merge(known, &field.type_, &field.merge, inner, value),
                    None => {
                        live.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(live), Value::Array(applied)) if !rule.keys.is_empty() || rule.set => {
            // Applied items in their order; items of others stay where they are, before the next applied one.
            let mut result = Vec::new();
            let identities: Vec<String> = applied.iter().map(|item| element(rule, item)).collect();
            let mut rest = std::mem::take(live).into_iter().peekable();
            for (item, identity) in applied.iter().zip(&identities) {
                while let Some(other) = rest.next_if(|other| !identities.contains(&element(rule, other))) {
                    result.push(other);
                }
                let mut remaining: Vec<Value> = rest.collect();
                let found = remaining.iter().position(|other| element(rule, other) == *identity);
                let mut merged = found.map_or(Value::Null, |at| remaining.remove(at));
                merge(known, item_of(type_), &Merge::default(), &mut merged, item);
                result.push(merged);
                rest = remaining.into_iter().peekable();
            }
            result.extend(rest);
            *live = result;
        }
        (live, applied) => *live = applied.clone(),
    }
}

fn remove(known: &Definitions, type_: &str, object: &mut Value, path: &[String]) {
    let Some((last, parents)) = path.split_last() else { return };
    let mut value = object;
    let (mut type_, mut rule) = (type_.to_owned(), Merge::default());
    for step in parents {
        if let Some(key) = step.strip_prefix("f:") {
            let field = known.field(known.plain(&type_), key).unwrap_or_default();
            let Some(inner) = value.get_mut(key) else { return };
            (value, type_, rule) = (inner, field.type_, field.merge);
        } else {
            let Some(items) = value.as_array_mut() else { return };
            let Some(item) = items.iter_mut().find(|item| element(&rule, item) == *step) else { return };
            (value, type_, rule) = (item, item_of(&type_).to_owned(), Merge::default());
        }
    }
    match (value, last.strip_prefix("f:")) {
        (Value::Object(map), Some(key)) => {
            map.shift_remove(key);
        }
        (Value::Array(items), None) => items.retain(|item| element(&rule, item) != *last),
        _ => {}
    }
}
