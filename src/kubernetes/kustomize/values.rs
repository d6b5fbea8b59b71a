//! Single values: how they are written, and how a text becomes one.

use crate::source::{Node, Value};

/// A single value as it would be written without quotes.
pub(super) fn text(node: &Node) -> String {
    match &node.value {
        Value::Str(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        _ => String::new(),
    }
}

/// The texts of a list; what is no text is left out.
pub(super) fn texts(node: Option<&Node>) -> impl Iterator<Item = (&Node, &str)> {
    node.map_or(&[][..], Node::items).iter().filter_map(|item| item.as_str().map(|text| (item, text)))
}

/// Puts a text into a node, which stays what it is: a number stays one if the text reads as one.
pub(super) fn put_text(node: &mut Node, text: &str) {
    node.value = match &node.value {
        Value::Int(_) | Value::Float(_) => text
            .parse()
            .map(Value::Int)
            .or_else(|_| text.parse().map(Value::Float))
            .unwrap_or_else(|_| Value::Str(text.into())),
        Value::Bool(_) => text.parse().map_or_else(|_| Value::Str(text.into()), Value::Bool),
        _ => Value::Str(text.into()),
    };
}
