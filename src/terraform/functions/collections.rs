//! Functions that take lists whose elements have one type.

use std::collections::BTreeSet;

use crate::source::{Node, Value};
use crate::terraform::number::Number;
use crate::terraform::operators::{equal, to_decimal, unknown, unknown_within};
use crate::terraform::types::{self, Type};

use super::{Arguments, Outcome, Refusal, json, list, texts, truth};

pub(super) fn call(name: &str, arguments: &mut Arguments) -> Outcome {
    match name {
        "alltrue" | "anytrue" => all_or_any(name == "alltrue", arguments),
        "chunklist" => chunklist(arguments),
        "compact" => {
            let items = arguments.list_of(Type::String)?.into_iter();
            Ok(list(items.filter(|item| item.value != Value::Null && item.as_str() != Some("")).collect()))
        }
        "distinct" => distinct(arguments.list()?).map(list),
        "sort" => {
            let mut sorted = arguments.texts()?;
            sorted.sort();
            Ok(texts(arguments.span, sorted))
        }
        "sum" => sum(arguments),
        "range" => range(arguments),
        _ => matchkeys(arguments),
    }
}

fn all_or_any(all: bool, arguments: &mut Arguments) -> Outcome {
    let mut reason = None;
    for item in arguments.list_of(Type::Bool)? {
        match truth(&item.value) {
            Some(value) if value != all => return Ok(Value::Bool(!all)),
            Some(_) => {}
            None if item.value == Value::Null && all && reason.is_none() => return Ok(Value::Bool(false)),
            None => reason = reason.or_else(|| unknown(&item.value)),
        }
    }
    reason.map_or(Ok(Value::Bool(all)), |reason| Err(Refusal::Unknown(reason)))
}

fn chunklist(arguments: &mut Arguments) -> Outcome {
    let items = arguments.list()?;
    let length = arguments.whole()?;
    let span = arguments.span;
    let length = usize::try_from(length).map_err(|_| Refusal::Failed("needs a size from 0"))?;
    if items.is_empty() {
        return Ok(list(Vec::new()));
    }
    let length = if length == 0 { items.len() } else { length };
    Ok(list(items.chunks(length).map(|chunk| Node::new(span, list(chunk.to_vec()))).collect()))
}

/// Two unknown elements may turn out to be one; a list of references still says what it refers to.
fn distinct(items: Vec<Node>) -> Result<Vec<Node>, Refusal> {
    if let Some(reason) = items.iter().find_map(|item| unknown_within(&item.value)) {
        let same = items
            .iter()
            .enumerate()
            .any(|(at, item)| items.iter().take(at).any(|other| other.value == item.value));
        return if same { Err(Refusal::Unknown(reason)) } else { Ok(items) };
    }
    let mut seen = BTreeSet::new();
    Ok(items.into_iter().filter(|item| seen.insert(json::encode(&item.value))).collect())
}

fn sum(arguments: &mut Arguments) -> Outcome {
    let items = arguments.sequence()?;
    if let Some(reason) = items.iter().find_map(|item| unknown_within(&item.value)) {
        return Err(Refusal::Unknown(reason));
    }
    if items.is_empty() {
        return Err(Refusal::Failed("the list is empty"));
    }
    let mut sum = Number::whole(0);
    for item in &items {
        let number = to_decimal(&item.value).ok_or(Refusal::Failed("needs numbers"))?;
        sum = sum.add(&number).ok_or(Refusal::Failed("the numbers are too far apart"))?;
    }
    Ok(sum.to_value())
}

fn range(arguments: &mut Arguments) -> Outcome {
    let mut bounds = Vec::new();
    while arguments.are_left() {
        bounds.push(arguments.number()?);
    }
    let (zero, one) = (Number::whole(0), Number::whole(1));
    let toward = |start: &Number, end: &Number| if end < start { one.negated() } else { one.clone() };
    let (start, end, step) = match &bounds[..] {
        [end] => (zero.clone(), end.clone(), toward(&zero, end)),
        [start, end] => (start.clone(), end.clone(), toward(start, end)),
        [start, end, step] => (start.clone(), end.clone(), step.clone()),
        _ => return Err(Refusal::Failed("needs one to three numbers")),
    };
    if step == zero {
        return Err(Refusal::Failed("needs a step other than 0"));
    }
    if (end < start) != step.is_negative() && end != start {
        return Err(Refusal::Failed("the step leads away from the end"));
    }
    let mut items = Vec::new();
    let mut next = start;
    while if step.is_negative() { next > end } else { next < end } {
        // Terraform itself stops at 1024 elements.
        if items.len() >= 1024 {
            return Err(Refusal::Failed("more than 1024 elements"));
        }
        items.push(Node::new(arguments.span, next.to_value()));
        next = next.add(&step).ok_or(Refusal::Failed("the numbers are too far apart"))?;
    }
    Ok(list(items))
}

/// The values whose key is searched for.
fn matchkeys(arguments: &mut Arguments) -> Outcome {
    let values = arguments.list()?;
    let keys = list(arguments.list()?);
    let wanted = list(arguments.list()?);
    let failed = || Refusal::Failed("keys and searched keys have no type in common");
    let common = types::unify(&[Type::of(&keys), Type::of(&wanted)]).ok_or_else(failed)?;
    let items = |value| match types::convert(value, &common) {
        Ok(Value::List(list)) => Ok(list.into_items()),
        _ => Err(failed()),
    };
    let (keys, wanted) = (items(keys)?, items(wanted)?);
    if keys.len() != values.len() {
        return Err(Refusal::Failed("needs as many values as keys"));
    }
    if wanted.is_empty() {
        return Ok(list(Vec::new()));
    }
    let all = || keys.iter().chain(&wanted);
    if let Some(reason) = all().find_map(|item| unknown_within(&item.value)) {
        return Err(Refusal::Unknown(reason));
    }
    let found = |key: &Node| wanted.iter().any(|wanted| equal(&key.value, &wanted.value) == Some(true));
    Ok(list(values.into_iter().zip(&keys).filter(|(_, key)| found(key)).map(|(value, _)| value).collect()))
}
