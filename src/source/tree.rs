//! The spanned value tree: what YAML, JSON and HCL become, so that one policy engine can read all three.

use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::Span;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the value is written. For a value that nobody wrote (a default) the nearest thing that was written.
    pub span: Span,
    /// The value.
    pub value: Value,
    /// Whether it is sensitive as Terraform understands that: policies judge it, and nobody is shown it. The mark of a
    /// list or a mapping speaks of all that is in it. [`Sources::conceal`](super::Sources::conceal) sets it.
    pub sensitive: bool,
}

// The plan of a large platform has some ten million values: each word here is eighty megabytes there.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Node>() <= 40);

/// A value as the files fix it.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// `null`, and what is absent.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A number that neither of the two holds, by its digits: `0.33333333333333333333`. Only Terraform computes such.
    Decimal(Arc<str>),
    /// A string.
    Str(Arc<str>),
    /// A sequence, a tuple, or the blocks of one type.
    List(List),
    /// A mapping, an object, or the body of a block.
    Map(Map),
    /// A value that the files do not fix. The text says why ("variable region has no default").
    Unknown(Arc<str>),
    /// A reference to an attribute of a Terraform resource that is only known after apply.
    Reference(Box<Reference>),
    /// A string of which only the ends are written, such as `"arn:aws:s3:::${var.bucket}/*"`.
    Partial(Box<Partial>),
}

/// A string with something in it that the files do not fix: it begins and ends with what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial {
    /// What stands before the first unknown part.
    pub start: Arc<str>,
    /// What stands after the last one.
    pub end: Arc<str>,
    /// Why the part between is not known.
    pub reason: Arc<str>,
}

impl Partial {
    /// Whether the string could be this one.
    pub fn may_be(&self, text: &str) -> bool {
        text.len() >= self.start.len() + self.end.len()
            && text.starts_with(&*self.start)
            && text.ends_with(&*self.end)
    }
}

/// What `aws_kms_key.main.arn` stands for: a value nobody knows yet, of a thing everybody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The resource's address, `aws_kms_key.main` or `data.aws_region.here`.
    pub address: Arc<str>,
    /// What follows it, `arn` or `vpc_config[0].cluster_security_group_id`; empty for the whole resource.
    pub attribute: Arc<str>,
}

/// What Terraform takes a sequence or a mapping for. Policies and schemas see through it, and so does `==` here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// As it is written: a tuple or an object, whose items have types of their own.
    #[default]
    Written,
    /// A list or a map: all items have one type.
    Uniform,
    /// A set: one type, no order, no index.
    Set,
    /// A string: JSON text of which a part is not known, decoded.
    Text,
    /// Blocks of which some are not known: the last item stands for these, and says why. Nobody knows how many there are, nor
    /// between which of the others they stand.
    Open,
}

/// A sequence, as wide as a pointer like a [`Map`].
#[derive(Debug, Clone, Default)]
pub struct List(Box<Items>);

/// What is in a [`List`].
#[derive(Debug, Clone, Default)]
pub struct Items {
    /// The items, those of a set in the order Terraform visits them.
    pub items: Vec<Node>,
    /// What Terraform takes it for.
    pub shape: Shape,
}

impl List {
    /// The items that are known, and why there may be others among them.
    pub fn known(&self) -> (&[Node], Option<&Arc<str>>) {
        match self.items.split_last() {
            Some((Node { value: Value::Unknown(reason), .. }, known)) if self.shape == Shape::Open => {
                (known, Some(reason))
            }
            _ => (&self.items, None),
        }
    }

    /// A sequence of a shape.
    pub fn of(shape: Shape, items: Vec<Node>) -> Self {
        Self(Box::new(Items { items, shape }))
    }

    /// The sequence with another shape.
    #[must_use]
    pub fn shaped(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// Its items.
    pub fn into_items(self) -> Vec<Node> {
        self.0.items
    }
}

impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items
    }
}

impl From<Vec<Node>> for List {
    fn from(items: Vec<Node>) -> Self {
        Self::of(Shape::Written, items)
    }
}

impl FromIterator<Node> for List {
    fn from_iter<I: IntoIterator<Item = Node>>(items: I) -> Self {
        Self::from(items.into_iter().collect::<Vec<_>>())
    }
}

impl IntoIterator for List {
    type Item = Node;
    type IntoIter = std::vec::IntoIter<Node>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.items.into_iter()
    }
}

impl<'l> IntoIterator for &'l List {
    type Item = &'l Node;
    type IntoIter = std::slice::Iter<'l, Node>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<'l> IntoIterator for &'l mut List {
    type Item = &'l mut Node;
    type IntoIter = std::slice::IterMut<'l, Node>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter_mut()
    }
}

impl std::ops::Deref for List {
    type Target = Items;

    fn deref(&self) -> &Items {
        &self.0
    }
}

impl std::ops::DerefMut for List {
    fn deref_mut(&mut self) -> &mut Items {
        &mut self.0
    }
}

impl std::ops::Deref for Items {
    type Target = Vec<Node>;

    fn deref(&self) -> &Vec<Node> {
        &self.items
    }
}

impl std::ops::DerefMut for Items {
    fn deref_mut(&mut self) -> &mut Vec<Node> {
        &mut self.items
    }
}

/// Entries in the order they are written. It is as wide as a pointer: every value has room for a mapping, and few are one.
#[derive(Debug, Clone, Default)]
pub struct Map(Box<Content>);

/// What is in a [`Map`].
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// Key to entry.
    pub entries: IndexMap<Arc<str>, Entry, RandomState>,
    /// What Terraform takes it for.
    pub shape: Shape,
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl std::ops::Deref for Map {
    type Target = Content;

    fn deref(&self) -> &Content {
        &self.0
    }
}

impl std::ops::DerefMut for Map {
    fn deref_mut(&mut self) -> &mut Content {
        &mut self.0
    }
}

/// One entry of a [`Map`].
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where the key is written.
    pub key: Span,
    /// The value.
    pub node: Node,
}

impl Map {
    /// A mapping of a shape, with nothing in it.
    pub fn of(shape: Shape) -> Self {
        Self(Box::new(Content { entries: IndexMap::default(), shape }))
    }

    /// The mapping with another shape.
    #[must_use]
    pub fn shaped(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// Its entries.
    pub fn into_entries(self) -> IndexMap<Arc<str>, Entry, RandomState> {
        self.0.entries
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.get(key).map(|entry| &entry.node)
    }

    /// Adds an entry; an earlier one of the same key is replaced and returned.
    pub fn insert(&mut self, key: impl Into<Arc<str>>, key_span: Span, node: Node) -> Option<Entry> {
        self.entries.insert(key.into(), Entry { key: key_span, node })
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Entry)> {
        self.entries.iter()
    }
}

impl Value {
    /// A reference to an attribute of a resource.
    pub fn reference(address: impl Into<Arc<str>>, attribute: impl Into<Arc<str>>) -> Self {
        Self::Reference(Box::new(Reference { address: address.into(), attribute: attribute.into() }))
    }
}

impl Node {
    /// A node.
    pub fn new(span: Span, value: Value) -> Self {
        Self { span, value, sensitive: false }
    }

    /// A string node.
    pub fn string(span: Span, text: impl Into<Arc<str>>) -> Self {
        Self::new(span, Value::Str(text.into()))
    }

    /// The node with another mark.
    #[must_use]
    pub fn marked(self, sensitive: bool) -> Self {
        Self { sensitive, ..self }
    }

    /// The node, sensitive if it is or this says so.
    #[must_use]
    pub fn marked_also(self, sensitive: bool) -> Self {
        Self { sensitive: self.sensitive || sensitive, ..self }
    }

    /// Marks it and all that is in it.
    pub(super) fn mark_sensitive(&mut self) {
        self.sensitive = true;
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(Self::mark_sensitive),
            Value::Map(map) => map.entries.values_mut().for_each(|entry| entry.node.mark_sensitive()),
            _ => {}
        }
    }

    /// Whether it is sensitive, or anything in it.
    pub fn holds_sensitive(&self) -> bool {
        self.sensitive
            || match &self.value {
                Value::List(items) => items.iter().any(Self::holds_sensitive),
                Value::Map(map) => map.iter().any(|(_, entry)| entry.node.holds_sensitive()),
                _ => false,
            }
    }

    /// The entry of a mapping, or `None` for a missing key or another kind of value.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(map) => map.get(key),
            _ => None,
        }
    }

    /// Follows keys and list indices.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, step| match &node.value {
            Value::Map(map) => map.get(step),
            Value::List(items) => step.parse::<usize>().ok().and_then(|at| items.get(at)),
            _ => None,
        })
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self.value {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    /// The items of a list, empty for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The mapping, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The tree as plain JSON; unknown values and references become `null`.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null | Value::Unknown(_) | Value::Reference(_) | Value::Partial(_) => {
                serde_json::Value::Null
            }
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Decimal(digits) => digits.parse::<f64>().unwrap_or(f64::NAN).into(),
            Value::Str(text) => serde_json::Value::String(text.to_string()),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(map) => serde_json::Value::Object(
                map.entries.iter().map(|(key, entry)| (key.to_string(), entry.node.to_json())).collect(),
            ),
        }
    }

    /// A tree from plain JSON, every node with the same span.
    pub fn from_json(span: Span, json: &serde_json::Value) -> Self {
        let value = match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Value::Int(whole),
                None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Value::Str(text.as_str().into()),
            serde_json::Value::Array(items) => {
                Value::List(items.iter().map(|item| Self::from_json(span, item)).collect())
            }
            serde_json::Value::Object(object) => {
                let mut map = Map::default();
                for (key, value) in object {
                    map.insert(key.as_str(), span, Self::from_json(span, value));
                }
                Value::Map(map)
            }
        };
        Self::new(span, value)
    }
}
