//! What an expression computes with: borrowed from the trees where possible, and never an unknown taken for a value.

use std::borrow::Cow;
use std::rc::Rc;

use super::sensitive;
use crate::kubernetes::Object;
use crate::source::{Map, Node, Partial, Reference, Value};
use crate::terraform::{Resource, schema};

/// A value of an expression.
#[derive(Debug, Clone)]
pub(super) enum Val<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Cow<'a, str>),
    List(List<'a>),
    Map(Dict<'a>),
    /// Known only after apply, but known to belong to a declared thing.
    Reference(Cow<'a, Reference>),
    /// A string of which only the ends are known.
    Partial(Cow<'a, Partial>),
    /// Stands only inside lists, mappings and variables: reading it is [`Undecided::Unknown`].
    Unknown(Cow<'a, str>),
}

/// A list, of a tree or made by an expression.
#[derive(Debug, Clone)]
pub(super) enum List<'a> {
    Tree(&'a [Node]),
    Made(Rc<Vec<Val<'a>>>),
    /// There may be more items than these; the text says why.
    Open(Rc<Vec<Val<'a>>>, Rc<str>),
}

/// A mapping, of a tree or made by an expression; a resource and an object are mappings that know their address.
#[derive(Debug, Clone)]
pub(super) enum Dict<'a> {
    Tree(&'a Map),
    Resource(&'a Resource),
    Object(&'a Object),
    Made(Rc<Vec<(Cow<'a, str>, Val<'a>)>>),
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Undecided {
    /// The files do not fix a value that decides.
    Unknown(String),
    /// The expression cannot be evaluated on these values.
    Error(String),
}

/// A value, or why there is none.
pub(super) type Outcome<'a> = Result<Val<'a>, Undecided>;

/// An evaluation error.
pub(super) fn error<T>(message: impl Into<String>) -> Result<T, Undecided> {
    Err(Undecided::Error(message.into()))
}

/// What stands for a value that is not known where it is asked whether another tool's check holds: a text like no other. Such tools
/// judge the expression as it is written, `var.key`.
pub(super) const NOT_KNOWN: &str = "(not known)";

/// A value that the files do not fix.
pub(super) fn unknown<T>(message: impl Into<String>) -> Result<T, Undecided> {
    Err(Undecided::Unknown(message.into()))
}

impl<'a> Val<'a> {
    fn plain(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Float(value) => Self::Float(*value),
            Value::Decimal(digits) => Self::Float(digits.parse().unwrap_or(f64::NAN)),
            Value::Str(text) => Self::Str(Cow::Borrowed(text)),
            Value::List(items) => match items.known() {
                (known, None) => Self::List(List::Tree(known)),
                (known, Some(why)) => {
                    Self::List(List::Open(Rc::new(known.iter().map(Self::from).collect()), Rc::from(&**why)))
                }
            },
            Value::Map(map) => Self::Map(Dict::Tree(map)),
            Value::Unknown(why) => Self::Unknown(Cow::Borrowed(why)),
            Value::Reference(reference) => Self::Reference(Cow::Borrowed(&**reference)),
            Value::Partial(partial) => Self::Partial(Cow::Borrowed(partial)),
        }
    }
}

impl<'a> From<&'a Node> for Val<'a> {
    fn from(node: &'a Node) -> Self {
        // Why a value is not known, and what it refers to, says nothing of what it is.
        if node.sensitive && !matches!(node.value, Value::Unknown(_) | Value::Reference(_)) {
            sensitive::note();
        }
        Self::plain(&node.value)
    }
}

impl<'a> Val<'a> {
    /// A list of computed values.
    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(List::Made(Rc::new(items)))
    }

    /// A list that may have more items than these.
    pub(super) fn open_list(items: Vec<Self>, why: String) -> Self {
        Self::List(List::Open(Rc::new(items), why.into()))
    }

    /// A mapping of computed values.
    pub(super) fn map(entries: Vec<(Cow<'a, str>, Self)>) -> Self {
        Self::Map(Dict::Made(Rc::new(entries)))
    }

    /// An owned string.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Str(Cow::Owned(text.into()))
    }

    /// Plain JSON as a value.
    pub(super) fn from_json(json: &serde_json::Value) -> Val<'static> {
        match json {
            serde_json::Value::Null => Val::Null,
            serde_json::Value::Bool(value) => Val::Bool(*value),
            serde_json::Value::Number(number) => {
                number.as_i64().map_or_else(|| Val::Float(number.as_f64().unwrap_or(f64::NAN)), Val::Int)
            }
            serde_json::Value::String(text) => Val::Str(Cow::Owned(text.clone())),
            serde_json::Value::Array(items) => Val::list(items.iter().map(Val::from_json).collect()),
            serde_json::Value::Object(object) => Val::map(
                object.iter().map(|(key, value)| (Cow::Owned(key.clone()), Val::from_json(value))).collect(),
            ),
        }
    }

    /// The name `type(x)` gives.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "double",
            Self::Str(_) | Self::Partial(_) => "string",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Reference(_) => "reference",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The same with an article, for messages.
    pub(super) fn described(&self) -> &'static str {
        match self {
            Self::Null => "nothing (null)",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Str(_) | Self::Partial(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
            Self::Reference(_) => "a reference",
            Self::Unknown(_) => "an unknown value",
        }
    }

    /// Whether this is the text that stands for a value that is not known.
    pub(super) fn stands_for_unknown(&self) -> bool {
        matches!(self, Self::Str(text) if text == NOT_KNOWN)
    }

    /// Refuses a value that is not known, in the words of a message.
    pub(super) fn known(self) -> Outcome<'a> {
        match self {
            Self::Unknown(why) => unknown(why.into_owned()),
            value => Ok(value),
        }
    }

    /// What any operation says of a value it has no use for: unknown for what is not known yet, else an error.
    pub(super) fn refuse<T>(&self, wanted: &str) -> Result<T, Undecided> {
        match self {
            Self::Unknown(why) => unknown(why.to_string()),
            Self::Reference(reference) => unknown(after_apply(reference)),
            Self::Partial(partial) => unknown(partial.reason.to_string()),
            other => error(format!("{wanted} is wanted, and this is {}", other.described())),
        }
    }

    /// True or false; null counts as false.
    pub(super) fn truth(&self) -> Result<bool, Undecided> {
        match self {
            Self::Bool(value) => Ok(*value),
            Self::Null => Ok(false),
            other => other.refuse("true or false"),
        }
    }

    /// The string.
    pub(super) fn as_text(&self) -> Result<&str, Undecided> {
        match self {
            Self::Str(text) => Ok(text),
            other => other.refuse("a string"),
        }
    }

    /// The items of a list, the keys of a mapping, nothing for null.
    pub(super) fn items(&self) -> Result<Vec<Val<'a>>, Undecided> {
        match self {
            Self::Null => Ok(Vec::new()),
            Self::List(list) => Ok(list.iter().collect()),
            Self::Map(map) => Ok(map.entries().into_iter().map(|(key, _)| Self::Str(key)).collect()),
            other => other.refuse("a list or mapping"),
        }
    }

    /// A field: null for an absent one and for one of null.
    pub(super) fn field(&self, name: &str) -> Outcome<'a> {
        match self {
            Self::Null => Ok(Self::Null),
            Self::Map(map) => Ok(map.get(name).unwrap_or(Self::Null)),
            Self::Reference(reference) => Ok(extended(reference, &format!(".{name}"))),
            Self::List(_) => error(format!("`.{name}` of a list: take an item with [0], or use all, exists")),
            Self::Unknown(_) | Self::Partial(_) => self.refuse("a mapping"),
            other => other.refuse(&format!("a mapping with a field `{name}`")),
        }
    }

    /// An item of a list or an entry of a mapping: null where there is none.
    pub(super) fn index(&self, at: &Val<'a>) -> Outcome<'a> {
        match (self, at) {
            (Self::Null, _) => Ok(Self::Null),
            (Self::Reference(reference), Self::Int(at)) => Ok(extended(reference, &format!("[{at}]"))),
            (Self::Reference(reference), Self::Str(key)) => Ok(extended(reference, &format!("[\"{key}\"]"))),
            (Self::List(list), Self::Int(at)) => {
                Ok(usize::try_from(*at).ok().and_then(|at| list.get(at)).unwrap_or(Self::Null))
            }
            (Self::Map(map), Self::Str(key)) => Ok(map.get(key).unwrap_or(Self::Null)),
            (Self::List(_), other) => other.refuse("a whole number as the index of a list"),
            (Self::Map(_), other) => other.refuse("a string as the key of a mapping"),
            (other, _) => other.refuse("a list or mapping before `[...]`"),
        }
    }
}

fn extended<'a>(reference: &Reference, step: &str) -> Val<'a> {
    let attribute = format!("{}{step}", reference.attribute);
    let attribute = attribute.strip_prefix('.').unwrap_or(&attribute);
    Val::Reference(Cow::Owned(Reference { address: reference.address.clone(), attribute: attribute.into() }))
}

/// `aws_kms_key.main.arn`
pub(super) fn written(reference: &Reference) -> String {
    match (reference.attribute.as_ref(), reference.attribute.starts_with('[')) {
        ("", _) => reference.address.to_string(),
        (attribute, true) => format!("{}{attribute}", reference.address),
        (attribute, false) => format!("{}.{attribute}", reference.address),
    }
}

/// Why a reference decides nothing.
pub(super) fn after_apply(reference: &Reference) -> String {
    format!("`{}` is known only after apply", written(reference))
}

impl<'a> List<'a> {
    /// How many items there are.
    pub(super) fn size(&self) -> Result<usize, Undecided> {
        match self {
            Self::Tree(items) => Ok(items.len()),
            Self::Made(items) => Ok(items.len()),
            Self::Open(_, why) => unknown(why.to_string()),
        }
    }

    /// The item at an index; behind the last one of an open list nobody knows.
    pub(super) fn get(&self, at: usize) -> Option<Val<'a>> {
        match self {
            Self::Tree(items) => items.get(at).map(Val::from),
            Self::Made(items) => items.get(at).cloned(),
            Self::Open(items, why) => {
                Some(items.get(at).cloned().unwrap_or_else(|| Val::Unknown(Cow::Owned(why.to_string()))))
            }
        }
    }

    /// The items; an open list ends with an unknown one.
    pub(super) fn iter(&self) -> impl Iterator<Item = Val<'a>> + '_ {
        let length = match self {
            Self::Tree(items) => items.len(),
            Self::Made(items) => items.len(),
            Self::Open(items, _) => items.len() + 1,
        };
        (0..length).filter_map(|at| self.get(at))
    }
}

impl<'a> Dict<'a> {
    fn tree(&self) -> Option<&'a Map> {
        match self {
            Self::Tree(map) => Some(map),
            Self::Resource(resource) => resource.body.as_map(),
            Self::Object(object) => object.node.as_map(),
            Self::Made(_) => None,
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Made(entries) => entries.len(),
            _ => self.tree().map_or(0, |map| map.entries.len()),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Val<'a>> {
        match self {
            Self::Made(entries) => {
                entries.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone())
            }
            Self::Resource(resource) => match &resource.body.value {
                Value::Map(map) => map.get(key).map(Val::from).or_else(|| found_out(resource, key)),
                _ => Some(Val::from(&resource.body)),
            },
            _ => self.tree()?.get(key).map(Val::from),
        }
    }

    pub(super) fn entries(&self) -> Vec<(Cow<'a, str>, Val<'a>)> {
        match self {
            Self::Made(entries) => entries.as_ref().clone(),
            _ => self.tree().map_or_else(Vec::new, |map| {
                map.iter().map(|(key, entry)| (Cow::Borrowed(key.as_ref()), Val::from(&entry.node))).collect()
            }),
        }
    }
}

/// What a data source says of itself is not absent because nobody wrote it: it is known after it has been read.
fn found_out<'a>(resource: &'a Resource, attribute: &str) -> Option<Val<'a>> {
    if resource.managed {
        return None;
    }
    let block = schema::type_schema(&resource.type_key())?;
    let computed = block.attributes.get(attribute)?.computed;
    computed.then(|| {
        Val::Reference(Cow::Owned(Reference {
            address: resource.address.clone(),
            attribute: attribute.into(),
        }))
    })
}

/// `==` with three values: a definite difference decides even where other parts are unknown.
pub(super) fn equal(left: &Val<'_>, right: &Val<'_>) -> Result<bool, Undecided> {
    match (left, right) {
        (Val::Unknown(why), _) | (_, Val::Unknown(why)) => unknown(why.to_string()),
        (Val::Reference(left), Val::Reference(right)) if left == right => Ok(true),
        (Val::Reference(_) | Val::Partial(_), Val::Null)
        | (Val::Null, Val::Reference(_) | Val::Partial(_)) => Ok(false),
        (Val::Reference(reference), _) | (_, Val::Reference(reference)) => unknown(after_apply(reference)),
        (Val::Partial(partial), Val::Str(text)) | (Val::Str(text), Val::Partial(partial))
            if !partial.may_be(text) =>
        {
            Ok(false)
        }
        (Val::Partial(partial), _) | (_, Val::Partial(partial)) => unknown(partial.reason.to_string()),
        (Val::Null, Val::Null) => Ok(true),
        (Val::Bool(left), Val::Bool(right)) => Ok(left == right),
        (Val::Str(left), Val::Str(right)) => Ok(left == right),
        (Val::Int(left), Val::Int(right)) => Ok(left == right),
        (Val::Int(_) | Val::Float(_), Val::Int(_) | Val::Float(_)) => {
            Ok(compare(left, right)? == Some(std::cmp::Ordering::Equal))
        }
        (Val::List(left), Val::List(right)) => {
            if left.size()? != right.size()? {
                return Ok(false);
            }
            all_equal(left.iter().zip(right.iter()))
        }
        (Val::Map(Dict::Resource(left)), Val::Map(Dict::Resource(right))) => Ok(std::ptr::eq(*left, *right)),
        (Val::Map(Dict::Object(left)), Val::Map(Dict::Object(right))) => Ok(std::ptr::eq(*left, *right)),
        (Val::Map(left), Val::Map(right)) => {
            let entries = left.entries();
            if entries.len() != right.len() || entries.iter().any(|(key, _)| right.get(key).is_none()) {
                return Ok(false);
            }
            all_equal(entries.into_iter().map(|(key, value)| (value, right.get(&key).unwrap_or(Val::Null))))
        }
        _ => Ok(false),
    }
}

fn all_equal<'a>(pairs: impl Iterator<Item = (Val<'a>, Val<'a>)>) -> Result<bool, Undecided> {
    let mut doubt = None;
    for (left, right) in pairs {
        match equal(&left, &right) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(undecided) => doubt = doubt.or(Some(undecided)),
        }
    }
    doubt.map_or(Ok(true), Err)
}

/// Order of numbers and strings; `None` where a NaN has none.
pub(super) fn compare(left: &Val<'_>, right: &Val<'_>) -> Result<Option<std::cmp::Ordering>, Undecided> {
    match (left, right) {
        (Val::Int(left), Val::Int(right)) => Ok(Some(left.cmp(right))),
        (Val::Str(left), Val::Str(right)) => Ok(Some(left.cmp(right))),
        (Val::Int(_) | Val::Float(_), Val::Int(_) | Val::Float(_)) => {
            Ok(as_float(left).partial_cmp(&as_float(right)))
        }
        (Val::Unknown(why), _) | (_, Val::Unknown(why)) => unknown(why.to_string()),
        (Val::Reference(reference), _) | (_, Val::Reference(reference)) => unknown(after_apply(reference)),
        (Val::Partial(partial), _) | (_, Val::Partial(partial)) => unknown(partial.reason.to_string()),
        _ => error(format!("{} and {} have no order", left.described(), right.described())),
    }
}

/// A number as a double, NaN for what is none.
#[expect(
    clippy::cast_precision_loss,
    reason = "whole numbers above 2^53 lose their last digits; ports, days, sizes and counts stay far below"
)]
pub(super) fn as_float(value: &Val<'_>) -> f64 {
    match value {
        Val::Int(value) => *value as f64,
        Val::Float(value) => *value,
        _ => f64::NAN,
    }
}

impl std::fmt::Display for Val<'_> {
    /// As a message shows it.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => out.write_str("nothing"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Int(value) => write!(out, "{value}"),
            Self::Float(value) => write!(out, "{value}"),
            Self::Str(text) => out.write_str(text),
            Self::Reference(reference) => out.write_str(&written(reference)),
            Self::Unknown(_) => out.write_str("(unknown)"),
            Self::Partial(partial) => write!(out, "{}(unknown){}", partial.start, partial.end),
            Self::Map(Dict::Resource(resource)) => out.write_str(&resource.address),
            Self::Map(Dict::Object(object)) => out.write_str(&object.address),
            Self::List(list) => {
                for (at, item) in list.iter().enumerate() {
                    write!(out, "{}{item}", if at == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Map(map) => {
                for (at, (key, value)) in map.entries().into_iter().enumerate() {
                    write!(out, "{}{key}: {value}", if at == 0 { "{" } else { ", " })?;
                }
                out.write_str(if map.len() == 0 { "{}" } else { "}" })
            }
        }
    }
}
