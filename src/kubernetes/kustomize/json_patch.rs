//! JSON patches (RFC 6902) on the spanned tree.

use super::merge::Misfit;
use crate::source::{Node, Value};

/// Carries the operations out, in order; those that cannot be are named and left out.
pub(super) fn apply(object: &mut Node, operations: &[Node], misfits: &mut Vec<Misfit>) {
    for operation in operations {
        if let Err(message) = apply_one(object, operation) {
            let span = operation.get("path").map_or(operation.span, |path| path.span);
            misfits.push(Misfit { span, message });
        }
    }
}

fn apply_one(object: &mut Node, operation: &Node) -> Result<(), String> {
    let word = |key: &str| {
        operation
            .get(key)
            .and_then(Node::as_str)
            .ok_or_else(|| format!("an operation of a JSON patch needs `{key}`"))
    };
    let path = pointer(word("path")?)?;
    let value = || operation.get("value").cloned().ok_or_else(|| "this operation needs a `value`".to_owned());
    match word("op")? {
        "add" => add(object, &path, value()?, operation),
        "remove" => remove(object, &path).map(drop),
        "replace" => replace(object, &path, value()?),
        "move" => {
            let moved = remove(object, &pointer(word("from")?)?)?;
            add(object, &path, moved, operation)
        }
        "copy" => {
            let from = pointer(word("from")?)?;
            let copied = find(object, &from).cloned().ok_or_else(|| missing(&from))?;
            add(object, &path, copied, operation)
        }
        "test" => {
            let wanted = operation.get("value").map(Node::to_json).unwrap_or_default();
            let found = find(object, &path).map(Node::to_json).unwrap_or_default();
            let same = wanted == found;
            if same { Ok(()) } else { Err(format!("the test fails: {found} stands there")) }
        }
        other => Err(format!("`{other}` is no operation: write add, remove, replace, move, copy or test")),
    }
}

/// The steps of `/spec/ports/0`.
fn pointer(path: &str) -> Result<Vec<String>, String> {
    match path.strip_prefix('/') {
        Some(rest) => Ok(rest.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect()),
        None if path.is_empty() => Ok(Vec::new()),
        None => Err(format!("`{path}` is no path: it starts with a slash")),
    }
}

fn missing(path: &[String]) -> String {
    format!("nothing stands at `/{}`", path.join("/"))
}

fn find<'n>(node: &'n Node, path: &[String]) -> Option<&'n Node> {
    let steps: Vec<&str> = path.iter().map(String::as_str).collect();
    node.at(&steps)
}

fn find_mut<'n>(node: &'n mut Node, path: &[String]) -> Option<&'n mut Node> {
    let steps: Vec<&str> = path.iter().map(String::as_str).collect();
    super::resource::at_mut(node, &steps)
}

fn add(object: &mut Node, path: &[String], value: Node, operation: &Node) -> Result<(), String> {
    let Some((last, above)) = path.split_last() else {
        *object = value;
        return Ok(());
    };
    let parent = find_mut(object, above).ok_or_else(|| missing(above))?;
    match &mut parent.value {
        Value::Map(map) => {
            let at = operation.get("path").map_or(value.span, |path| path.span);
            map.insert(last.as_str(), at, value);
            Ok(())
        }
        Value::List(items) => {
            let at = if last == "-" { Some(items.len()) } else { last.parse().ok() };
            match at.filter(|at| *at <= items.len()) {
                Some(at) => {
                    items.insert(at, value);
                    Ok(())
                }
                None => Err(format!("`{last}` is no place in a list of {}", items.len())),
            }
        }
        _ => Err(missing(path)),
    }
}

fn remove(object: &mut Node, path: &[String]) -> Result<Node, String> {
    let (last, above) =
        path.split_last().ok_or_else(|| "an object cannot be removed like this".to_owned())?;
    let parent = find_mut(object, above).ok_or_else(|| missing(path))?;
    let removed = match &mut parent.value {
        Value::Map(map) => map.entries.shift_remove(last.as_str()).map(|entry| entry.node),
        Value::List(items) => {
            last.parse::<usize>().ok().filter(|at| *at < items.len()).map(|at| items.remove(at))
        }
        _ => None,
    };
    removed.ok_or_else(|| missing(path))
}

fn replace(object: &mut Node, path: &[String], value: Node) -> Result<(), String> {
    let node = find_mut(object, path).ok_or_else(|| missing(path))?;
    *node = value;
    Ok(())
}
