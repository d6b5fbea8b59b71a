//! From a path in the blueprint to the bytes that say it.

use crate::source::{Node, Span, Value};

/// Where something stands, or would stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// What to underline: a scalar's value, a collection's key, and for what is not written the key of the nearest
    /// thing around it that is.
    pub span: Span,
    /// The key, if the path ends at a mapping's entry.
    pub key: Option<Span>,
}

/// Finds a path of keys and list indices.
pub(super) fn place<S: AsRef<str>>(tree: &Node, path: &[S]) -> Place {
    let mut node = tree;
    let mut nearest = first_line(tree);
    let mut key = None;
    for step in path {
        let step = step.as_ref();
        let next = match &node.value {
            Value::Map(map) => map.entries.get(step).map(|entry| (Some(entry.key), &entry.node)),
            Value::List(items) => {
                step.parse::<usize>().ok().and_then(|at| items.get(at)).map(|item| (None, item))
            }
            _ => None,
        };
        let Some((next_key, next_node)) = next else {
            return Place { span: nearest, key: None };
        };
        key = next_key;
        nearest = next_key.unwrap_or_else(|| first_line(next_node));
        node = next_node;
    }
    let span = match &node.value {
        Value::Map(_) | Value::List(_) | Value::Null => nearest,
        _ => node.span,
    };
    Place { span, key }
}

/// A collection without a key (an item of a list, the document): its first entry's key stands for it.
fn first_line(node: &Node) -> Span {
    match &node.value {
        Value::Map(map) => map.entries.first().map_or(node.span, |(_, entry)| entry.key),
        Value::List(items) => items.first().map_or(node.span, first_line),
        _ => node.span,
    }
}

/// A path as messages and pointers write it.
pub(super) fn path_text<S: AsRef<str>>(path: &[S]) -> String {
    path.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(".")
}
