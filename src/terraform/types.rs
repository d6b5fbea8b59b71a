//! Terraform's types, as far as values tell them: which type several values have in common, and conversion to it.
//!
//! What is not known has the type `Any` and converts to everything. The rules are those of
//! <https://developer.hashicorp.com/terraform/language/expressions/type-constraints>.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::source::{Entry, List, Map, Node, Shape, Value};

use super::number::Number;
use super::operators::{equal, to_bool, to_decimal, to_text, unknown};

/// A type of Terraform's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// Of `null`, and of what is not known.
    Any,
    String,
    Number,
    Bool,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Tuple(Vec<Type>),
    Object(BTreeMap<Arc<str>, Type>),
}

/// The value has no such type and does not convert to it.
#[derive(Debug)]
pub(super) struct Misfit;

impl Type {
    pub(super) fn list(of: Type) -> Self {
        Self::List(Box::new(of))
    }

    pub(super) fn set(of: Type) -> Self {
        Self::Set(Box::new(of))
    }

    pub(super) fn map(of: Type) -> Self {
        Self::Map(Box::new(of))
    }

    /// The type of a value. What an empty list may hold is not known.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null | Value::Unknown(_) | Value::Reference(_) => Self::Any,
            Value::Bool(_) => Self::Bool,
            Value::Int(_) | Value::Float(_) | Value::Decimal(_) => Self::Number,
            Value::Str(_) | Value::Partial(_) => Self::String,
            Value::List(list) => match list.shape {
                Shape::Open => Self::Any,
                Shape::Written => Self::Tuple(list.iter().map(|item| Self::of(&item.value)).collect()),
                Shape::Text => Self::String,
                Shape::Uniform => Self::list(Self::common(list.iter().map(|item| &item.value))),
                Shape::Set => Self::set(Self::common(list.iter().map(|item| &item.value))),
            },
            Value::Map(map) => match map.shape {
                Shape::Text => Self::String,
                Shape::Uniform => Self::map(Self::common(map.iter().map(|(_, entry)| &entry.node.value))),
                _ => Self::Object(
                    map.iter().map(|(key, entry)| (key.clone(), Self::of(&entry.node.value))).collect(),
                ),
            },
        }
    }

    fn common<'v>(values: impl Iterator<Item = &'v Value>) -> Self {
        shared(values).unwrap_or(Self::Any)
    }

    fn elements(&self) -> Vec<&Type> {
        match self {
            Self::List(of) | Self::Set(of) | Self::Map(of) => vec![of],
            Self::Tuple(types) => types.iter().collect(),
            Self::Object(members) => members.values().collect(),
            _ => Vec::new(),
        }
    }
}

/// The type that several values have in common, if there is one.
fn shared<'v>(values: impl Iterator<Item = &'v Value>) -> Option<Type> {
    let mut types: Vec<Type> = Vec::new();
    for value in values {
        let type_ = Type::of(value);
        if !types.contains(&type_) {
            types.push(type_);
        }
    }
    unify(&types)
}

/// The type that values of several types convert to, if there is one.
pub(super) fn unify(types: &[Type]) -> Option<Type> {
    let all: Vec<&Type> = types.iter().collect();
    unified(&all)
}

fn unified(types: &[&Type]) -> Option<Type> {
    let known: Vec<&Type> = types.iter().copied().filter(|type_| **type_ != Type::Any).collect();
    let Some(first) = known.first() else { return Some(Type::Any) };
    if known.iter().all(|type_| type_ == first) {
        return Some((*first).clone());
    }
    let elements = || {
        let within: Vec<&Type> = known.iter().flat_map(|type_| type_.elements()).collect();
        unified(&within)
    };
    let all = |kind: fn(&Type) -> bool| known.iter().all(|type_| kind(type_));
    if all(|type_| matches!(type_, Type::String | Type::Number | Type::Bool)) {
        // Numbers and booleans have nothing in common but that both can be written.
        return known.contains(&&Type::String).then_some(Type::String);
    }
    if all(|type_| matches!(type_, Type::Object(_))) {
        return objects(&known).or_else(|| elements().map(Type::map).filter(|_| !same_names(&known)));
    }
    if all(|type_| matches!(type_, Type::Tuple(_))) {
        let length = first.elements().len();
        if known.iter().all(|type_| type_.elements().len() == length) {
            let across = |at: usize| {
                let column: Vec<&Type> =
                    known.iter().filter_map(|type_| type_.elements().get(at).copied()).collect();
                unified(&column)
            };
            return (0..length).map(across).collect::<Option<_>>().map(Type::Tuple);
        }
        return elements().map(Type::list);
    }
    if all(|type_| matches!(type_, Type::Map(_) | Type::Object(_))) {
        return elements().map(Type::map);
    }
    if all(|type_| matches!(type_, Type::List(_) | Type::Tuple(_))) {
        return elements().map(Type::list);
    }
    if all(|type_| matches!(type_, Type::Set(_))) {
        return elements().map(Type::set);
    }
    // Of a set and something else one of the given types it is, a list before a set.
    let lists = known.iter().filter(|type_| matches!(type_, Type::List(_)));
    let sets = known.iter().filter(|type_| matches!(type_, Type::Set(_)));
    let mut wanted = lists.chain(sets);
    wanted.find(|wanted| known.iter().all(|from| converts(from, wanted))).map(|wanted| (*wanted).clone())
}

/// Whether some values of a type convert to another.
fn converts(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (_, Type::Any)
        | (Type::Any, _)
        | (Type::String | Type::Number | Type::Bool, Type::String)
        | (Type::String | Type::Number, Type::Number)
        | (Type::String | Type::Bool, Type::Bool) => true,
        (Type::List(_) | Type::Set(_) | Type::Tuple(_), Type::List(of) | Type::Set(of))
        | (Type::Map(_) | Type::Object(_), Type::Map(of)) => {
            let elements = from.elements();
            (**of != Type::Any || unified(&elements).is_some())
                && elements.iter().all(|element| converts(element, of))
        }
        (Type::Tuple(from), Type::Tuple(to)) => {
            from.len() == to.len() && from.iter().zip(to).all(|(from, to)| converts(from, to))
        }
        (Type::Object(from), Type::Object(to)) => {
            to.iter().all(|(name, to)| from.get(name).is_some_and(|from| converts(from, to)))
        }
        _ => false,
    }
}

fn same_names(types: &[&Type]) -> bool {
    let names = |type_: &Type| match type_ {
        Type::Object(members) => members.keys().cloned().collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    types.first().is_none_or(|first| types.iter().all(|type_| names(type_) == names(first)))
}

/// Objects with the same names become one object type.
fn objects(types: &[&Type]) -> Option<Type> {
    let Some(Type::Object(first)) = types.first() else { return None };
    if !same_names(types) {
        return None;
    }
    let mut members = BTreeMap::new();
    for name in first.keys() {
        let column: Vec<&Type> = types
            .iter()
            .filter_map(|type_| match type_ {
                Type::Object(members) => members.get(name),
                _ => None,
            })
            .collect();
        members.insert(name.clone(), unified(&column)?);
    }
    Some(Type::Object(members))
}

/// A value as one of a type.
pub(super) fn convert(value: Value, wanted: &Type) -> Result<Value, Misfit> {
    if unknown(&value).is_some() || value == Value::Null {
        return Ok(value);
    }
    match (wanted, value) {
        (Type::Any, value)
        | (Type::Number, value @ (Value::Int(_) | Value::Float(_) | Value::Decimal(_))) => Ok(value),
        (Type::String, value) => to_text(&value).map(Value::Str).ok_or(Misfit),
        (Type::Number, value) => {
            to_decimal(&value).map(|number| number.to_value()).ok_or(Misfit).map(|number| match value {
                // A number that is zero keeps the sign it is written with.
                Value::Str(text) if text.starts_with('-') && number == Value::Int(0) => Value::Float(-0.0),
                _ => number,
            })
        }
        (Type::Bool, value) => to_bool(&value).map(Value::Bool).ok_or(Misfit),
        (Type::List(of), Value::List(list)) => {
            Ok(Value::List(List::of(Shape::Uniform, converted(list.into_items(), of)?)))
        }
        (Type::Set(of), Value::List(list)) => Ok(Value::List(set(converted(list.into_items(), of)?))),
        (Type::Tuple(types), Value::List(list)) => {
            if list.shape == Shape::Set || list.len() != types.len() {
                return Err(Misfit);
            }
            let items = list.into_iter().zip(types).map(|(item, type_)| node(item, type_));
            items.collect::<Result<List, _>>().map(Value::List)
        }
        (Type::Map(of), Value::Map(map)) => {
            let of = match &**of {
                Type::Any => shared(map.iter().map(|(_, entry)| &entry.node.value)).ok_or(Misfit)?,
                of => of.clone(),
            };
            let mut result = Map::of(Shape::Uniform);
            for (key, entry) in map.into_entries() {
                result.insert(key, entry.key, node(entry.node, &of)?);
            }
            Ok(Value::Map(result))
        }
        (Type::Object(members), Value::Map(mut map)) => {
            let mut result = Map::default();
            for (name, type_) in members {
                let Entry { key, node: member } = map.entries.swap_remove(name).ok_or(Misfit)?;
                result.insert(name.clone(), key, node(member, type_)?);
            }
            Ok(Value::Map(result))
        }
        _ => Err(Misfit),
    }
}

fn node(node: Node, wanted: &Type) -> Result<Node, Misfit> {
    Ok(Node { span: node.span, value: convert(node.value, wanted)?, sensitive: node.sensitive })
}

/// Items as those of a list or set: of one type, the one they have in common if none is wanted.
fn converted(items: Vec<Node>, wanted: &Type) -> Result<Vec<Node>, Misfit> {
    let common;
    let wanted = if *wanted == Type::Any {
        common = shared(items.iter().map(|item| &item.value)).ok_or(Misfit)?;
        &common
    } else {
        wanted
    };
    items.into_iter().map(|item| node(item, wanted)).collect()
}

/// A set of items of one type. What is not known stays, though it may turn out to be one of the others.
pub(super) fn set(mut items: Vec<Node>) -> List {
    items.sort_by(|left, right| order(&left.value, &right.value));
    let mut kept: Vec<Node> = Vec::with_capacity(items.len());
    for item in items {
        if kept.last().is_none_or(|last| equal(&last.value, &item.value) != Some(true)) {
            kept.push(item);
        }
    }
    List::of(Shape::Set, kept)
}

/// The order in which Terraform visits the items of a set; `null` and what is not known come last.
fn order(left: &Value, right: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 1,
        value if unknown(value).is_some() => 2,
        _ => 0,
    };
    rank(left).cmp(&rank(right)).then_with(|| match (left, right) {
        (Value::Str(one), Value::Str(other)) => one.cmp(other),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Int(one), Value::Int(other)) => one.cmp(other),
        _ => match (Number::of(left), Number::of(right)) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => mark(left).cmp(&mark(right)),
        },
    })
}

/// What Terraform orders by where a type has no order of its own.
fn mark(value: &Value) -> String {
    let mut text = String::new();
    write_mark(value, &mut text);
    text
}

fn write_mark(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push('~'),
        Value::Bool(value) => text.push(if *value { 'T' } else { 'F' }),
        Value::Str(string) => text.push_str(&format!("{string:?}")),
        Value::List(list) => {
            let (open, close) = if list.shape == Shape::Written { ('<', '>') } else { ('[', ']') };
            text.push(open);
            for item in list {
                write_mark(&item.value, text);
                text.push(';');
            }
            text.push(close);
        }
        Value::Map(map) => {
            let object = map.shape == Shape::Written;
            text.push(if object { '<' } else { '{' });
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|left, right| left.0.cmp(right.0));
            for (key, entry) in entries {
                if !object {
                    text.push_str(&format!("{key:?}:"));
                }
                write_mark(&entry.node.value, text);
                text.push(';');
            }
            text.push(if object { '>' } else { '}' });
        }
        value => match Number::of(value) {
            Some(number) => text.push_str(&number.to_general(Some(10))),
            None => text.push('?'),
        },
    }
}
