//! Functions that take a sequence as it is: a tuple stays a tuple, and a set has no order.

use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::source::{List, Node, Shape, Value};
use crate::terraform::operators::{equal, unknown_within};
use crate::terraform::types::{self, Type};

use super::{Arguments, Outcome, Refusal, size};

pub(super) fn call(name: &str, arguments: &mut Arguments) -> Outcome {
    match name {
        "length" => length(&arguments.known()?),
        "contains" => contains(arguments),
        "index" => index(arguments),
        "element" => {
            let items = ordered(arguments.sequence()?)?;
            let at = arguments.whole()?;
            let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
            // From the end a list counts, a tuple does not.
            if count == 0 || (at < 0 && items.shape != Shape::Uniform) {
                return Err(Refusal::Failed("needs a list with elements, and a position from 0"));
            }
            let at = usize::try_from(at.rem_euclid(count)).unwrap_or(0);
            let item = items.into_iter().nth(at).ok_or(Refusal::Failed("no such element"))?;
            Ok(arguments.choose(item))
        }
        "one" => one(arguments),
        "slice" => slice(arguments),
        "reverse" => {
            let mut list = arguments.sequence()?;
            list.reverse();
            let shape = if list.shape == Shape::Set { Shape::Uniform } else { list.shape };
            Ok(Value::List(list.shaped(shape)))
        }
        "concat" => concat(arguments),
        _ => {
            let mut flat = Vec::new();
            flatten(arguments.sequence()?, &mut flat)?;
            Ok(Value::List(flat.into()))
        }
    }
}

/// Why a set is not known to have as many elements as it seems to.
fn loose(list: &List) -> Option<Arc<str>> {
    if list.shape != Shape::Set || list.len() < 2 {
        return None;
    }
    list.iter().find_map(|item| unknown_within(&item.value))
}

fn ordered(list: List) -> Result<List, Refusal> {
    if list.shape == Shape::Set { Err(Refusal::Failed("a set has no order")) } else { Ok(list) }
}

fn length(value: &Value) -> Outcome {
    match value {
        Value::List(list) => match loose(list) {
            Some(reason) => Err(Refusal::Unknown(reason)),
            None => Ok(size(list.len())),
        },
        Value::Map(map) => Ok(size(map.entries.len())),
        Value::Str(text) => Ok(size(text.graphemes(true).count())),
        _ => Err(Refusal::Failed("needs a collection or a string")),
    }
}

fn contains(arguments: &mut Arguments) -> Outcome {
    let list = arguments.sequence()?;
    let wanted = arguments.next()?.value;
    if wanted == Value::Null {
        return Err(Refusal::Failed("an argument is null"));
    }
    let mut reason = None;
    for item in &list {
        match equal(&item.value, &wanted) {
            Some(true) => return Ok(Value::Bool(true)),
            Some(false) => {}
            None => reason = unknown_within(&item.value).or_else(|| unknown_within(&wanted)),
        }
    }
    reason.map_or(Ok(Value::Bool(false)), |reason| Err(Refusal::Unknown(reason)))
}

fn index(arguments: &mut Arguments) -> Outcome {
    let list = ordered(arguments.sequence()?)?;
    let wanted = arguments.next()?.value;
    if wanted == Value::Null {
        return Err(Refusal::Failed("an argument is null"));
    }
    for (at, item) in list.iter().enumerate() {
        match equal(&item.value, &wanted) {
            Some(true) => return Ok(size(at)),
            Some(false) => {}
            None => {
                let reason = unknown_within(&item.value).or_else(|| unknown_within(&wanted));
                return Err(Refusal::Unknown(reason.unwrap_or_else(|| "not known".into())));
            }
        }
    }
    Err(Refusal::Failed("the list has no such element"))
}

fn one(arguments: &mut Arguments) -> Outcome {
    let list = arguments.sequence()?;
    if let Some(reason) = loose(&list) {
        return Err(Refusal::Unknown(reason));
    }
    let mut items = list.into_items();
    match (items.pop(), items.len()) {
        (None, _) => Ok(Value::Null),
        (Some(item), 0) => Ok(arguments.choose(item)),
        _ => Err(Refusal::Failed("the list has more than one element")),
    }
}

fn slice(arguments: &mut Arguments) -> Outcome {
    let list = ordered(arguments.sequence()?)?;
    let (start, end) = (arguments.whole()?, arguments.whole()?);
    match (usize::try_from(start), usize::try_from(end)) {
        (Ok(start), Ok(end)) => list
            .get(start..end)
            .map(|items| Value::List(List::of(list.shape, items.to_vec())))
            .ok_or(Refusal::Failed("the list is shorter")),
        _ => Err(Refusal::Failed("needs positions from 0")),
    }
}

/// Lists become one list of one type, anything else a tuple.
fn concat(arguments: &mut Arguments) -> Outcome {
    let mut joined = Vec::new();
    let mut uniform = true;
    if !arguments.are_left() {
        return Err(Refusal::Failed("an argument is missing"));
    }
    while arguments.are_left() {
        let list = ordered(arguments.sequence()?)?;
        uniform &= list.shape == Shape::Uniform;
        joined.extend(list);
    }
    if !uniform {
        return Ok(Value::List(joined.into()));
    }
    let tuple = Value::List(joined.into());
    match types::convert(tuple.clone(), &Type::list(Type::Any)) {
        Ok(list) => Ok(list),
        Err(_) => Ok(tuple),
    }
}

fn flatten(list: List, flat: &mut Vec<Node>) -> Result<(), Refusal> {
    if let Some(reason) = loose(&list) {
        return Err(Refusal::Unknown(reason));
    }
    for item in list {
        match item.value {
            Value::List(inner) if inner.shape != Shape::Text => flatten(inner, flat)?,
            // It may be a list, or not.
            Value::Unknown(reason) => return Err(Refusal::Unknown(reason)),
            _ => flat.push(item),
        }
    }
    Ok(())
}
