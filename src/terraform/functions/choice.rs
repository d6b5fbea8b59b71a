//! Functions that convert a value, or choose among values.

use crate::source::{Node, Shape, Value};
use crate::terraform::operators::unknown;
use crate::terraform::types::{self, Type};

use super::{Arguments, Outcome, Refusal};

/// `tostring` and its like. `null` and what is not known stay what they are.
pub(super) fn convert(name: &str, arguments: &mut Arguments) -> Outcome {
    let wanted = match name {
        "tostring" => Type::String,
        "tonumber" => Type::Number,
        "tobool" => Type::Bool,
        "tolist" => Type::list(Type::Any),
        "toset" => Type::set(Type::Any),
        _ => Type::map(Type::Any),
    };
    let value = arguments.next()?.value;
    types::convert(value, &wanted).map_err(|_| Refusal::Failed("the value does not convert"))
}

/// The argument that a call hands on: of `coalesce` the first that is neither null nor empty.
pub(super) fn one_of(name: &str, arguments: Vec<Node>) -> Result<Node, Refusal> {
    if name != "coalesce" {
        return arguments.into_iter().next().ok_or(Refusal::Failed("an argument is missing"));
    }
    let mut kinds: Vec<Type> = Vec::new();
    for argument in &arguments {
        let kind = Type::of(&argument.value);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let common = types::unify(&kinds).ok_or(Refusal::Failed("the arguments have no type in common"))?;
    for mut argument in arguments {
        match &argument.value {
            Value::Null => {}
            Value::Str(text) if text.is_empty() => {}
            _ => {
                argument.value = types::convert(argument.value, &common)
                    .map_err(|_| Refusal::Failed("the arguments have no type in common"))?;
                return Ok(argument);
            }
        }
    }
    Err(Refusal::Failed("no argument has a value"))
}

pub(super) fn coalescelist(arguments: &mut Arguments) -> Outcome {
    let all: Vec<Node> = arguments.items.by_ref().collect();
    let known = all.iter().all(|argument| unknown(&argument.value).is_none());
    let lists = |node: &Node| matches!(&node.value, Value::List(list) if list.shape != Shape::Set);
    if known && !all.iter().all(lists) {
        return Err(Refusal::Failed("needs lists"));
    }
    for argument in all {
        if let Some(reason) = unknown(&argument.value) {
            return Err(Refusal::Unknown(reason));
        }
        match argument.value {
            Value::List(list) if list.is_empty() => {}
            value => return Ok(value),
        }
    }
    Err(Refusal::Failed("no list has an element"))
}
