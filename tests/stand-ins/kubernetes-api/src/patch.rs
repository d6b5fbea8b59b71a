//! The patches that are not server-side apply: JSON patch, JSON merge patch, strategic merge patch.

use serde_json::{Map, Value};

use crate::definitions::{Definitions, Merge, item_of};
use crate::error::{Outcome, Refusal};

/// RFC 6902, the operations `kubectl` sends: add, replace, remove, test.
pub(crate) fn json(target: &mut Value, operations: &Value) -> Outcome<()> {
    for operation in operations.as_array().into_iter().flatten() {
        let path = operation["path"].as_str().unwrap_or("");
        let Some((parent, key)) = path.rsplit_once('/') else {
            return Err(Refusal::bad_request(format!("`{path}` is no path inside the object")));
        };
        let key = key.replace("~1", "/").replace("~0", "~");
        let parent = target
            .pointer_mut(parent)
            .ok_or_else(|| Refusal::bad_request(format!("the object has no `{path}`")))?;
        let value = operation["value"].clone();
        match (operation["op"].as_str().unwrap_or(""), parent) {
            ("add" | "replace", Value::Object(map)) => {
                map.insert(key, value);
            }
            ("add", Value::Array(items)) => {
                let at = if key == "-" { items.len() } else { key.parse().unwrap_or(usize::MAX) };
                if at > items.len() {
                    return Err(Refusal::bad_request(format!("`{path}` is beyond the list's end")));
                }
                items.insert(at, value);
            }
            ("replace", Value::Array(items)) => match items.get_mut(key.parse().unwrap_or(usize::MAX)) {
                Some(item) => *item = value,
                None => return Err(Refusal::bad_request(format!("the object has no `{path}`"))),
            },
            ("remove", Value::Object(map)) => {
                map.shift_remove(&key);
            }
            ("remove", Value::Array(items)) if key.parse().is_ok_and(|at: usize| at < items.len()) => {
                items.remove(key.parse().unwrap_or(0));
            }
            ("test", parent) => {
                let found = parent.pointer(&format!("/{key}")).unwrap_or(&Value::Null);
                if *found != value {
                    return Err(Refusal::invalid("patch", path, &["testing the value failed".to_owned()]));
                }
            }
            (other, _) => return Err(Refusal::bad_request(format!("no operation `{other}` at `{path}`"))),
        }
    }
    Ok(())
}

/// RFC 7386.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    for (key, value) in patch {
        let map = as_map(target);
        if value.is_null() {
            map.shift_remove(key);
        } else {
            merge(map.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

fn as_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was made one above"),
    }
}

/// Kubernetes' own: lists are merged by their items' keys, directives (`$patch`, `$retainKeys`, `$setElementOrder/...`,
/// `$deleteFromPrimitiveList/...`) say what cannot be said by merging.
pub(crate) fn strategic(known: &Definitions, type_: &str, target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    let map = as_map(target);
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => map.clear(),
        Some("delete") => {
            map.clear();
            return;
        }
        _ => {}
    }
    if let Some(kept) = patch.get("$retainKeys").and_then(Value::as_array) {
        map.retain(|key, _| kept.iter().any(|kept| kept.as_str() == Some(key)));
    }
    for (key, value) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        let field = known.field(type_, key).unwrap_or_default();
        match value {
            Value::Null => {
                map.shift_remove(key);
            }
            Value::Array(items) => {
                let list = map.entry(key.clone()).or_insert_with(|| Value::Array(Vec::new()));
                if !list.is_array() {
                    *list = Value::Array(Vec::new());
                }
                if let Value::Array(list) = list {
                    merge_list(known, item_of(&field.type_), &field.merge, list, items);
                }
            }
            Value::Object(_) => {
                let entry = map.entry(key.clone()).or_insert(Value::Null);
                if field.merge.patch_replaces {
                    *entry = Value::Null;
                }
                strategic(known, &field.type_, entry, value);
            }
            plain => {
                map.insert(key.clone(), plain.clone());
            }
        }
    }
    for (directive, values) in patch {
        let Some(values) = values.as_array() else { continue };
        if let Some(key) = directive.strip_prefix("$deleteFromPrimitiveList/")
            && let Some(Value::Array(list)) = map.get_mut(key)
        {
            list.retain(|item| !values.contains(item));
        }
        if let Some(key) = directive.strip_prefix("$setElementOrder/")
            && let Some(Value::Array(list)) = map.get_mut(key)
        {
            let rule = known.field(type_, key).unwrap_or_default().merge;
            set_order(list, values, rule.patch_key.as_deref());
        }
    }
}

fn merge_list(known: &Definitions, item_type: &str, rule: &Merge, list: &mut Vec<Value>, patch: &[Value]) {
    let replaces = patch.iter().any(|item| item["$patch"] == "replace");
    if !rule.patch_items || replaces {
        *list = patch.iter().filter(|item| item.get("$patch").is_none()).cloned().collect();
        return;
    }
    let Some(key) = &rule.patch_key else {
        list.extend(patch.iter().filter(|item| !list.contains(item)).cloned().collect::<Vec<_>>());
        return;
    };
    for item in patch {
        let at = list.iter().position(|known| known.get(key) == item.get(key));
        match (item["$patch"].as_str(), at) {
            (Some("delete"), Some(at)) => {
                list.remove(at);
            }
            (Some("delete"), None) => {}
            (_, at) => {
                let at = at.unwrap_or_else(|| {
                    list.push(Value::Null);
                    list.len() - 1
                });
                strategic(known, item_type, &mut list[at], item);
            }
        }
    }
}

/// Puts the items into the wanted order; those nobody speaks of stay behind the item they stood behind.
fn set_order(list: &mut Vec<Value>, order: &[Value], key: Option<&str>) {
    let identity = |item: &Value| key.map_or_else(|| item.clone(), |key| item[key].clone());
    let wanted: Vec<Value> = order.iter().map(identity).collect();
    let before = std::mem::take(list);
    for place in &wanted {
        list.extend(before.iter().filter(|item| identity(item) == *place).cloned());
    }
    for (at, item) in before.iter().enumerate().filter(|(_, item)| !wanted.contains(&identity(item))) {
        let behind = at.checked_sub(1).and_then(|at| list.iter().position(|placed| *placed == before[at]));
        list.insert(behind.map_or(0, |behind| behind + 1), item.clone());
    }
}
