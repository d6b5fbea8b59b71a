//! Text in the type the provider takes it in: Terraform reads `"true"` where a boolean belongs as `true`, and `"443"`
//! where a number belongs as `443`. Whoever judges a value has to see what the provider sees.

use super::schema::{self, Block, Type};
use super::{Module, Resource};
use crate::source::{Map, Node, Value};

/// Converts text in every argument that the AWS provider's schema knows to be a boolean or a number.
pub(super) fn convert(module: &mut Module) {
    for resource in &mut module.resources {
        let Resource { managed, type_, body, .. } = resource;
        let schema =
            if *managed { schema::type_schema(type_) } else { schema::type_schema(&format!("data.{type_}")) };
        if let (Some(schema), Value::Map(body)) = (schema, &mut body.value) {
            block(body, &schema);
        }
    }
}

fn block(body: &mut Map, schema: &Block) {
    for (name, entry) in &mut body.entries {
        if let Some(attribute) = schema.attributes.get(&**name) {
            value(&mut entry.node, &attribute.type_);
        } else if let (Some(nested), Value::List(blocks)) =
            (schema.blocks.get(&**name), &mut entry.node.value)
        {
            for one in blocks {
                if let Value::Map(inner) = &mut one.value {
                    block(inner, &nested.block);
                }
            }
        }
    }
}

fn value(node: &mut Node, wanted: &Type) {
    match (&mut node.value, wanted) {
        (Value::List(items), Type::List(of) | Type::Set(of)) => {
            items.iter_mut().for_each(|item| value(item, of));
        }
        (Value::Map(map), Type::Map(of)) => {
            map.entries.values_mut().for_each(|entry| value(&mut entry.node, of));
        }
        (Value::Map(map), Type::Object(members)) => {
            for (name, entry) in &mut map.entries {
                if let Some(of) = members.get(&**name) {
                    value(&mut entry.node, of);
                }
            }
        }
        (found, Type::Bool | Type::Number) => {
            if let Some(converted) = scalar(found, wanted) {
                *found = converted;
            }
        }
        _ => {}
    }
}

fn scalar(found: &Value, wanted: &Type) -> Option<Value> {
    match (found, wanted) {
        (Value::Str(text), Type::Bool) => match &**text {
            "true" | "1" => Some(Value::Bool(true)),
            "false" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        (Value::Str(text), Type::Number) => match text.parse::<i64>() {
            Ok(whole) => Some(Value::Int(whole)),
            Err(_) => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float),
        },
        _ => None,
    }
}
