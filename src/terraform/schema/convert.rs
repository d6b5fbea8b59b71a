//! The conversions Terraform makes of its own: `enable_key_rotation = "true"` sets a boolean.
//!
//! <https://developer.hashicorp.com/terraform/language/expressions/types#type-conversion>

use crate::source::{Node, Value};

use super::{Block, Type};

/// Turns strings among a resource's arguments into the numbers and booleans that the provider wants.
///
/// What the provider wants as a string stays as written: it declares some booleans so (`encrypted` of a launch template).
pub(in crate::terraform) fn convert(body: &mut Node, block: &Block) {
    let Value::Map(map) = &mut body.value else { return };
    for (name, attribute) in &block.attributes {
        if let Some(entry) = map.entries.get_mut(name.as_str()) {
            scalars(&mut entry.node, &attribute.type_);
        }
    }
    for (name, nested) in &block.blocks {
        match map.entries.get_mut(name.as_str()).map(|entry| &mut entry.node.value) {
            Some(Value::List(items)) => {
                for item in items {
                    convert(item, &nested.block);
                }
            }
            Some(Value::Map(map)) => {
                for entry in map.entries.values_mut() {
                    convert(&mut entry.node, &nested.block);
                }
            }
            _ => {}
        }
    }
}

fn scalars(node: &mut Node, wanted: &Type) {
    let converted = match (&mut node.value, wanted) {
        (Value::Str(text), Type::Bool) => match &**text {
            "true" | "1" => Value::Bool(true),
            "false" | "0" => Value::Bool(false),
            _ => return,
        },
        (Value::Str(text), Type::Number) => match (text.parse(), text.parse::<f64>()) {
            (Ok(whole), _) => Value::Int(whole),
            (_, Ok(number)) if number.is_finite() => Value::Float(number),
            _ => return,
        },
        (Value::List(items), Type::List(of) | Type::Set(of)) => {
            for item in items {
                scalars(item, of);
            }
            return;
        }
        (Value::Map(map), Type::Map(of)) => {
            for entry in map.entries.values_mut() {
                scalars(&mut entry.node, of);
            }
            return;
        }
        (Value::Map(map), Type::Object(members)) => {
            for (name, type_) in members {
                if let Some(entry) = map.entries.get_mut(name.as_str()) {
                    scalars(&mut entry.node, type_);
                }
            }
            return;
        }
        _ => return,
    };
    node.value = converted;
}
