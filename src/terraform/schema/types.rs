//! Whether a value fits a type, with the conversions Terraform makes.

use crate::source::{Node, Value};
use crate::terraform::Module;

use super::Type;

impl Type {
    /// The type as Terraform writes it, objects shortened.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::String => "a string".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::Dynamic => "any value".to_owned(),
            Self::List(of) => format!("a list of {}", of.plural()),
            Self::Set(of) => format!("a set of {}", of.plural()),
            Self::Map(of) => format!("a map of {}", of.plural()),
            Self::Object(_) => "an object".to_owned(),
        }
    }

    fn plural(&self) -> &'static str {
        match self {
            Self::String => "strings",
            Self::Number => "numbers",
            Self::Bool => "booleans",
            Self::Dynamic => "values",
            Self::List(_) => "lists",
            Self::Set(_) => "sets",
            Self::Map(_) => "maps",
            Self::Object(_) => "objects",
        }
    }

    /// An example of how to write a value of the type that holds `value`, which is HCL.
    pub(super) fn example(&self, value: &str) -> String {
        let bare = value.trim_matches('"');
        match self {
            Self::List(_) | Self::Set(_) => format!("[{value}]"),
            Self::Map(_) | Self::Object(_) => "{ key = value }".to_owned(),
            Self::String => format!("\"{bare}\""),
            Self::Number => match bare.find(|char: char| !char.is_ascii_digit()).unwrap_or(bare.len()) {
                0 => "a number such as 1".to_owned(),
                digits => bare.get(..digits).unwrap_or("1").to_owned(),
            },
            Self::Bool => match bare.to_ascii_lowercase().as_str() {
                "yes" | "on" | "enabled" | "y" => "true".to_owned(),
                "no" | "off" | "disabled" | "n" => "false".to_owned(),
                _ => "true or false".to_owned(),
            },
            Self::Dynamic => value.to_owned(),
        }
    }
}

/// A value as HCL, as far as an example needs it: of a list its first item.
pub(super) fn written(node: &Node) -> String {
    match &node.value {
        _ if node.sensitive => "...".to_owned(),
        Value::Str(text) => format!("{text:?}"),
        Value::Int(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::List(items) => items.first().map_or("...".to_owned(), written),
        _ => "...".to_owned(),
    }
}

/// Where a value does not fit, and what should stand there.
pub(super) struct Misfit<'n, 't> {
    pub(super) node: &'n Node,
    pub(super) wanted: &'t Type,
    /// The way to it inside the value: `.Owner`, `[2]`.
    pub(super) within: String,
}

/// The first part of a value that does not fit a type. Unknown parts fit, and `null`.
pub(super) fn misfit<'n, 't>(module: &Module, node: &'n Node, wanted: &'t Type) -> Option<Misfit<'n, 't>> {
    let wrong = Some(Misfit { node, wanted, within: String::new() });
    // One line a type reads better than one pattern for all.
    #[allow(clippy::match_same_arms, reason = "see above")]
    match (&node.value, wanted) {
        (Value::Unknown(_) | Value::Reference(_) | Value::Partial(_) | Value::Null, _)
        | (_, Type::Dynamic) => None,
        (
            Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Decimal(_) | Value::Bool(_),
            Type::String,
        ) => None,
        (Value::List(_) | Value::Map(_), Type::String) if module.is_partial_json(node) => None,
        (Value::Int(_) | Value::Float(_) | Value::Decimal(_), Type::Number)
        | (Value::Bool(_), Type::Bool) => None,
        (Value::Str(text), Type::Number) if text.parse::<f64>().is_ok() => None,
        (Value::Str(text), Type::Bool) if matches!(&**text, "true" | "false" | "0" | "1") => None,
        (Value::List(items), Type::List(of) | Type::Set(of)) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| inside(format!("[{at}]"), misfit(module, item, of))),
        (Value::Map(map), Type::Map(of)) => {
            let shown = |key: &str| if node.sensitive { "[...]".to_owned() } else { format!(".{key}") };
            map.iter().find_map(|(key, entry)| inside(shown(key), misfit(module, &entry.node, of)))
        }
        (Value::Map(map), Type::Object(members)) => members
            .iter()
            .filter_map(|(name, type_)| Some((name, map.get(name)?, type_)))
            .find_map(|(name, member, type_)| inside(format!(".{name}"), misfit(module, member, type_))),
        _ => wrong,
    }
}

fn inside<'n, 't>(step: String, misfit: Option<Misfit<'n, 't>>) -> Option<Misfit<'n, 't>> {
    misfit.map(|misfit| Misfit { within: step + &misfit.within, ..misfit })
}

/// A value in a few words.
pub(super) fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Int(_) | Value::Float(_) | Value::Decimal(_) => "a number",
        Value::Str(_) => "a string",
        Value::List(_) => "a list",
        Value::Map(_) => "an object",
        Value::Unknown(_) | Value::Reference(_) | Value::Partial(_) => "an unknown value",
    }
}
