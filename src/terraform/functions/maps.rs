//! Functions on maps and objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::source::{Entry, List, Map, Node, Shape, Value};
use crate::terraform::operators::unknown;
use crate::terraform::types::{self, Type};

use super::{Arguments, Outcome, Refusal, list, texts};

pub(super) fn call(name: &str, arguments: &mut Arguments) -> Outcome {
    match name {
        "keys" => {
            let map = arguments.map()?;
            let shape = map.shape;
            let keys = sorted(map).into_iter().map(|(key, entry)| Node::string(entry.key, key));
            Ok(Value::List(List::of(shape, keys.collect())))
        }
        "values" => {
            let map = arguments.map()?;
            let shape = map.shape;
            let values = sorted(map).into_iter().map(|(_, entry)| entry.node);
            Ok(Value::List(List::of(shape, values.collect())))
        }
        "lookup" => lookup(arguments),
        "merge" => merge(arguments),
        "zipmap" => zipmap(arguments),
        _ => transpose(arguments),
    }
}

/// Keys and values of a map in the order of its keys, which is the order Terraform keeps them in.
fn sorted(map: Map) -> Vec<(Arc<str>, Entry)> {
    let mut entries: Vec<_> = map.into_entries().into_iter().collect();
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    entries
}

fn lookup(arguments: &mut Arguments) -> Outcome {
    let mut map = arguments.map()?;
    let key = arguments.text()?;
    let default = arguments.items.next();
    let Type::Map(of) = Type::of(&Value::Map(map.clone())) else {
        return match (map.entries.swap_remove(&*key), default) {
            (Some(Entry { node, .. }), _) | (None, Some(node)) => Ok(arguments.choose(node)),
            (None, None) => Err(Refusal::Failed("the object has no such attribute")),
        };
    };
    // The default has to be such a value even where it is not needed.
    let default = default
        .map(|mut default| {
            default.value = types::convert(default.value, &of)?;
            Ok(default)
        })
        .transpose()
        .map_err(|_: types::Misfit| Refusal::Failed("the default is no value of such a map"))?;
    match (map.entries.swap_remove(&*key), default) {
        (Some(Entry { node, .. }), _) | (None, Some(node)) => Ok(arguments.choose(node)),
        (None, None) => Err(Refusal::Failed("the map has no such key")),
    }
}

/// Maps of one type become a map, anything else an object.
fn merge(arguments: &mut Arguments) -> Outcome {
    let mut merged = Map::default();
    let mut kinds: Vec<Type> = Vec::new();
    for next in arguments.items.by_ref() {
        if let Value::Map(map) = &next.value
            && map.shape == Shape::Written
        {
            kinds.push(Type::Any);
        } else if let Value::Map(_) = &next.value {
            kinds.push(Type::of(&next.value));
        }
        match next.value {
            Value::Map(map) if map.shape != Shape::Text => {
                for (key, entry) in map.into_entries() {
                    merged.insert(key, entry.key, entry.node);
                }
            }
            Value::Null => {}
            other => return Err(unknown(&other).map_or(Refusal::Failed("needs maps"), Refusal::Unknown)),
        }
    }
    let same =
        kinds.first().is_some_and(|first| *first != Type::Any && kinds.iter().all(|kind| kind == first));
    if same {
        merged.shape = Shape::Uniform;
    }
    Ok(Value::Map(merged))
}

fn zipmap(arguments: &mut Arguments) -> Outcome {
    let keys = arguments.list_of(Type::String)?;
    let values = arguments.sequence()?;
    if values.shape == Shape::Set {
        return Err(Refusal::Failed("a set has no order"));
    }
    if keys.len() != values.len() {
        return Err(Refusal::Failed("needs as many values as keys"));
    }
    let mut map = Map::of(values.shape);
    for (key, value) in keys.into_iter().zip(values) {
        if let Some(reason) = unknown(&key.value) {
            return Err(Refusal::Unknown(reason));
        }
        let Value::Str(text) = key.value else { return Err(Refusal::Failed("needs string keys")) };
        map.insert(text, key.span, value);
    }
    Ok(Value::Map(map))
}

fn transpose(arguments: &mut Arguments) -> Outcome {
    let wanted = Type::map(Type::list(Type::String));
    let Ok(Value::Map(map)) = types::convert(arguments.known()?, &wanted) else {
        return Err(Refusal::Failed("needs a map of lists of strings"));
    };
    let span = arguments.span;
    let mut turned: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
    for (key, entry) in sorted(map) {
        if let Some(reason) = unknown(&entry.node.value) {
            return Err(Refusal::Unknown(reason));
        }
        let Value::List(items) = entry.node.value else {
            return Err(Refusal::Failed("needs lists of strings"));
        };
        for item in items {
            match item.value {
                Value::Str(text) => turned.entry(text).or_default().push(key.clone()),
                other => {
                    return Err(unknown(&other).map_or(Refusal::Failed("needs strings"), Refusal::Unknown));
                }
            }
        }
    }
    let mut result = Map::of(Shape::Uniform);
    for (key, items) in turned {
        let value = if items.is_empty() { list(Vec::new()) } else { texts(span, items) };
        result.insert(key, span, Node::new(span, value));
    }
    Ok(Value::Map(result))
}
