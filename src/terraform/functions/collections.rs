//! Functions on lists, sets, maps and objects.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::source::{Entry, Map, Node, Span, Value};
use crate::terraform::operators::{equal, number, to_text, unknown, unknown_within};

use super::{Arguments, Outcome, Refusal, encode};

/// Keys and values of a map in the order of its keys, which is the order Terraform keeps them in.
fn sorted(map: Map) -> Vec<(Arc<str>, Entry)> {
    let mut entries: Vec<_> = map.entries.into_iter().collect();
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    entries
}

/// Items of one type, as the elements of a list or set are: simple values of several types become strings.
fn unified(mut items: Vec<Node>) -> Vec<Node> {
    let kind = |value: &Value| match value {
        Value::Str(_) => Some(1),
        Value::Int(_) | Value::Float(_) => Some(2),
        Value::Bool(_) => Some(3),
        _ => None,
    };
    let mut kinds = items.iter().filter_map(|item| kind(&item.value));
    let mixed = kinds.next().is_some_and(|first| kinds.any(|other| other != first));
    if mixed {
        for item in &mut items {
            if let Some(text) = to_text(&item.value) {
                item.value = Value::Str(text);
            }
        }
    }
    items
}

fn distinct(items: Vec<Node>) -> Result<Vec<Node>, Refusal> {
    let items = unified(items);
    if let Some(reason) = items.iter().find_map(|item| unknown_within(&item.value)) {
        // Two unknown items may turn out to be one; a list of references still says what it refers to.
        let same = items
            .iter()
            .enumerate()
            .any(|(at, item)| items.iter().take(at).any(|other| other.value == item.value));
        return if same { Err(Refusal::Unknown(reason)) } else { Ok(items) };
    }
    let mut seen = BTreeSet::new();
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        if seen.insert(encode(&item)) {
            kept.push(item);
        }
    }
    Ok(kept)
}

fn to_set(value: Value) -> Outcome {
    let Value::List(items) = value else { return Err(Refusal::Failed("needs a list")) };
    let mut items = distinct(items)?;
    // Terraform keeps a set of strings in lexical order.
    if items.iter().all(|item| matches!(item.value, Value::Str(_))) {
        items.sort_by(|left, right| left.as_str().cmp(&right.as_str()));
    }
    Ok(Value::List(items))
}

pub(super) fn call(name: &str, arguments: &mut Arguments) -> Outcome {
    let span = arguments.span;
    match name {
        "tolist" => arguments.list().map(|items| Value::List(unified(items))),
        "toset" => to_set(arguments.known()?),
        "length" => match arguments.known()? {
            Value::List(items) => Ok(length(items.len())),
            Value::Map(map) => Ok(length(map.entries.len())),
            Value::Str(text) => Ok(length(text.chars().count())),
            _ => Err(Refusal::Failed("needs a collection or a string")),
        },
        "contains" => {
            let items = arguments.list()?;
            let wanted = arguments.next()?;
            let mut reason = None;
            for item in &items {
                match equal(&item.value, &wanted.value) {
                    Some(true) => return Ok(Value::Bool(true)),
                    Some(false) => {}
                    None => reason = unknown_within(&item.value).or_else(|| unknown_within(&wanted.value)),
                }
            }
            reason.map_or(Ok(Value::Bool(false)), |reason| Err(Refusal::Unknown(reason)))
        }
        "concat" => {
            let mut joined = Vec::new();
            while arguments.items.len() > 0 {
                joined.extend(arguments.list()?);
            }
            Ok(Value::List(joined))
        }
        "flatten" => {
            let mut flat = Vec::new();
            flatten(arguments.list()?, &mut flat);
            Ok(Value::List(flat))
        }
        "distinct" => Ok(Value::List(distinct(arguments.list()?)?)),
        "compact" => {
            let items = arguments.list()?;
            Ok(Value::List(
                items
                    .into_iter()
                    .filter(|item| item.value != Value::Null && item.as_str() != Some(""))
                    .collect(),
            ))
        }
        "sort" => {
            let items = arguments.list()?;
            let mut texts = Vec::new();
            for item in items {
                if let Some(reason) = unknown(&item.value) {
                    return Err(Refusal::Unknown(reason));
                }
                texts.push((to_text(&item.value).ok_or(Refusal::Failed("needs strings"))?, item.span));
            }
            texts.sort();
            Ok(Value::List(texts.into_iter().map(|(text, span)| Node::string(span, text)).collect()))
        }
        "reverse" => {
            let mut items = arguments.list()?;
            items.reverse();
            Ok(Value::List(items))
        }
        "range" => range(arguments, span),
        "element" | "one" | "slice" => pick(name, arguments),
        "tomap" | "keys" | "values" | "lookup" | "merge" | "zipmap" => maps(name, arguments),
        _ => sets(name, arguments),
    }
}

fn maps(name: &str, arguments: &mut Arguments) -> Outcome {
    match name {
        "tomap" => arguments.map().map(Value::Map),
        "keys" => Ok(Value::List(
            sorted(arguments.map()?).into_iter().map(|(key, entry)| Node::string(entry.key, key)).collect(),
        )),
        "values" => {
            Ok(Value::List(sorted(arguments.map()?).into_iter().map(|(_, entry)| entry.node).collect()))
        }
        "lookup" => {
            let map = arguments.map()?;
            let key = arguments.text()?;
            match (map.get(&key), arguments.next()) {
                (Some(node), _) => Ok(node.value.clone()),
                (None, Ok(default)) => Ok(default.value),
                (None, Err(_)) => Err(Refusal::Failed("the map has no such key")),
            }
        }
        "merge" => {
            let mut merged = Map::default();
            while let Ok(next) = arguments.next() {
                match next.value {
                    Value::Map(map) => {
                        for (key, entry) in map.entries {
                            merged.insert(key, entry.key, entry.node);
                        }
                    }
                    Value::Null => {}
                    other => {
                        return Err(unknown(&other).map_or(Refusal::Failed("needs maps"), Refusal::Unknown));
                    }
                }
            }
            Ok(Value::Map(merged))
        }
        _ => {
            let (keys, values) = (arguments.list()?, arguments.list()?);
            if keys.len() != values.len() {
                return Err(Refusal::Failed("needs as many values as keys"));
            }
            let mut map = Map::default();
            for (key, value) in keys.into_iter().zip(values) {
                if let Some(reason) = unknown(&key.value) {
                    return Err(Refusal::Unknown(reason));
                }
                let text = to_text(&key.value).ok_or(Refusal::Failed("needs string keys"))?;
                map.insert(text, key.span, value);
            }
            Ok(Value::Map(map))
        }
    }
}

/// One element, or some of them.
fn pick(name: &str, arguments: &mut Arguments) -> Outcome {
    match name {
        "element" => {
            let items = arguments.list()?;
            let at = arguments.whole()?;
            let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
            if count == 0 {
                return Err(Refusal::Failed("the list is empty"));
            }
            let at = usize::try_from(at.rem_euclid(count)).unwrap_or(0);
            items.into_iter().nth(at).map(|item| item.value).ok_or(Refusal::Failed("no such element"))
        }
        "one" => {
            let mut items = arguments.list()?;
            match (items.pop(), items.len()) {
                (None, _) => Ok(Value::Null),
                (Some(item), 0) => Ok(item.value),
                _ => Err(Refusal::Failed("the list has more than one element")),
            }
        }
        _ => {
            let items = arguments.list()?;
            let (start, end) = (arguments.whole()?, arguments.whole()?);
            match (usize::try_from(start), usize::try_from(end)) {
                (Ok(start), Ok(end)) => items
                    .get(start..end)
                    .map(|items| Value::List(items.to_vec()))
                    .ok_or(Refusal::Failed("the list is shorter")),
                _ => Err(Refusal::Failed("needs positions from 0")),
            }
        }
    }
}

fn range(arguments: &mut Arguments, span: Span) -> Outcome {
    let mut bounds = Vec::new();
    while arguments.items.len() > 0 {
        bounds.push(arguments.number()?);
    }
    let (start, end, step) = match bounds[..] {
        [end] => (0.0, end, if end < 0.0 { -1.0 } else { 1.0 }),
        [start, end] => (start, end, if end < start { -1.0 } else { 1.0 }),
        [start, end, step] => (start, end, step),
        _ => return Err(Refusal::Failed("needs one to three numbers")),
    };
    let mut items = Vec::new();
    let mut next = start;
    // Terraform itself stops at 1024 elements.
    while (step > 0.0 && next < end) || (step < 0.0 && next > end) {
        if items.len() >= 1024 {
            return Err(Refusal::Failed("more than 1024 elements"));
        }
        items.push(Node::new(span, number(next)));
        next += step;
    }
    Ok(Value::List(items))
}

fn sets(name: &str, arguments: &mut Arguments) -> Outcome {
    let mut result = arguments.list()?;
    while arguments.items.len() > 0 {
        let other = arguments.list()?;
        if let Some(reason) = result.iter().chain(&other).find_map(|item| unknown_within(&item.value)) {
            return Err(Refusal::Unknown(reason));
        }
        let known: BTreeSet<String> = other.iter().map(encode).collect();
        match name {
            "setunion" => result.extend(other),
            "setintersection" => result.retain(|item| known.contains(&encode(item))),
            _ => result.retain(|item| !known.contains(&encode(item))),
        }
    }
    to_set(Value::List(result))
}

fn length(length: usize) -> Value {
    Value::Int(i64::try_from(length).unwrap_or(i64::MAX))
}

fn flatten(items: Vec<Node>, flat: &mut Vec<Node>) {
    for item in items {
        match item.value {
            Value::List(inner) => flatten(inner, flat),
            _ => flat.push(item),
        }
    }
}
