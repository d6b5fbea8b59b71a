//! Values of a plan as nodes of the value tree, each with its place in the file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexSet;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::source::{FileId, Map, Node, Sources, Span, Value};

/// Values within values: deeper than any provider has them. What lies deeper is not looked at.
const DEEPEST: usize = 64;

/// Why a value is not known, until the configuration says what it comes from.
pub(super) const AFTER_APPLY: &str = "known after apply";
/// Why a value is not looked at.
const TOO_DEEP: &str = "nested too deeply";

/// Which parts of a value something holds for: `after_unknown`, `after_sensitive`.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) enum Marks {
    #[default]
    None,
    All,
    List(Vec<Marks>),
    Map(BTreeMap<String, Marks>),
}

impl Marks {
    /// Reads them; what is left out marks nothing.
    pub(super) fn read(raw: Option<&RawValue>) -> Result<Self, serde_json::Error> {
        match raw.map(RawValue::get) {
            None | Some("{}" | "false") => Ok(Self::None),
            Some(text) => serde_json::from_str(text),
        }
    }

    fn of(&self, key: &str) -> &Self {
        match self {
            Self::All => &Self::All,
            Self::Map(map) => map.get(key).unwrap_or(&Self::None),
            _ => &Self::None,
        }
    }

    fn at(&self, index: usize) -> &Self {
        match self {
            Self::All => &Self::All,
            Self::List(list) => list.get(index).unwrap_or(&Self::None),
            _ => &Self::None,
        }
    }
}

impl<'de> Deserialize<'de> for Marks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Marks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, or a list or mapping of them")
            }

            fn visit_bool<E>(self, marked: bool) -> Result<Marks, E> {
                Ok(if marked { Marks::All } else { Marks::None })
            }

            fn visit_unit<E>(self) -> Result<Marks, E> {
                Ok(Marks::None)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Marks, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = seq.next_element()? {
                    list.push(item);
                }
                Ok(Marks::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Marks, A::Error> {
                let mut marks = BTreeMap::new();
                while let Some((key, value)) = map.next_entry()? {
                    marks.insert(key, value);
                }
                Ok(Marks::Map(marks))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// The entries of a mapping, their values not read yet.
struct Entries<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Key<'t>(#[serde(borrow)] Cow<'t, str>);
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some((Key(key), value)) = map.next_entry()? {
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// Texts of a plan, each of them kept once: names of arguments, and values that are the same in many resources.
#[derive(Debug, Default)]
pub(super) struct Texts(IndexSet<Arc<str>, RandomState>);

/// Bytes of the longest text that is worth looking for among those that are known.
const LONGEST_KEPT: usize = 64;

impl Texts {
    pub(super) fn kept(&mut self, text: &str) -> Arc<str> {
        if text.len() > LONGEST_KEPT {
            return text.into();
        }
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let text: Arc<str> = text.into();
        self.0.insert(text.clone());
        text
    }
}

/// Makes nodes of one element of a plan.
pub(super) struct Builder<'b> {
    pub(super) file: FileId,
    /// Where it is noted what no report may show.
    pub(super) sources: &'b Sources,
    /// The element.
    pub(super) text: &'b str,
    /// Where it begins in the file.
    pub(super) start: usize,
    /// Texts that stood in elements before.
    pub(super) texts: &'b mut Texts,
}

impl Builder<'_> {
    /// Where a part of the element stands in the file.
    pub(super) fn span(&self, part: &str) -> Span {
        let within = part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        Span::new(self.file, self.start + within, self.start + within + part.len())
    }

    /// A text, kept once.
    pub(super) fn name(&mut self, name: &str) -> Arc<str> {
        self.texts.kept(name)
    }

    /// The arguments of a resource: what is null is absent, what is not known yet is there without its value.
    pub(super) fn body(
        &mut self,
        after: Option<&RawValue>,
        unknown: &Marks,
        sensitive: &Marks,
    ) -> Result<Map, serde_json::Error> {
        match after {
            Some(after) => self.map(after, unknown, sensitive, 0),
            None => Ok(self.unwritten(Map::default(), unknown, self.span(self.text.get(..0).unwrap_or("")))),
        }
    }

    fn map(
        &mut self,
        raw: &RawValue,
        unknown: &Marks,
        sensitive: &Marks,
        depth: usize,
    ) -> Result<Map, serde_json::Error> {
        let text = raw.get();
        let Entries(entries) = serde_json::from_str(text)?;
        let mut map = Map::default();
        map.entries.reserve_exact(entries.iter().filter(|(_, value)| value.get() != "null").count());
        let mut before = text.as_ptr().addr();
        for (name, value) in entries {
            let from = value.get().as_ptr().addr();
            if value.get() != "null" || *unknown.of(&name) == Marks::All {
                // The key stands between the value before and its own.
                let start = text.as_ptr().addr();
                let between = text.get(before - start..from - start).unwrap_or("");
                let key = between.find('"').zip(between.rfind('"'));
                let key = key.and_then(|(first, last)| between.get(first..=last)).unwrap_or("");
                let key = self.span(key);
                let node = self.node(value, unknown.of(&name), sensitive.of(&name), depth + 1)?;
                let name = self.name(&name);
                map.insert(name, key, node);
            }
            before = from + value.get().len();
        }
        let span = self.span(text);
        Ok(self.unwritten(map, unknown, span))
    }

    /// Adds what is not known yet: of that a plan has the name only among what is unknown.
    fn unwritten(&mut self, mut map: Map, unknown: &Marks, span: Span) -> Map {
        let Marks::Map(marks) = unknown else { return map };
        for (name, marks) in marks {
            if map.get(name).is_none() && marks_any(marks) {
                let name = self.name(name);
                let value = Value::Unknown(self.name(AFTER_APPLY));
                map.insert(name, span, Node::new(span, value));
            }
        }
        map
    }

    fn node(
        &mut self,
        raw: &RawValue,
        unknown: &Marks,
        sensitive: &Marks,
        depth: usize,
    ) -> Result<Node, serde_json::Error> {
        let text = raw.get();
        let span = self.span(text);
        if *unknown == Marks::All {
            return Ok(Node::new(span, Value::Unknown(self.name(AFTER_APPLY))));
        }
        if depth > DEEPEST {
            return Ok(Node::new(span, Value::Unknown(self.name(TOO_DEEP))));
        }
        let value = match text.as_bytes().first() {
            Some(b'{') => Value::Map(self.map(raw, unknown, sensitive, depth)?),
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text)?;
                let nodes = items.into_iter().enumerate();
                let nodes: Result<Vec<Node>, _> = nodes
                    .map(|(at, item)| self.node(item, unknown.at(at), sensitive.at(at), depth + 1))
                    .collect();
                Value::List(nodes?.into())
            }
            Some(b'"') => {
                let text: Cow<'_, str> = serde_json::from_str::<Text<'_>>(text)?.0;
                Value::Str(self.name(&text))
            }
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'n') | None => Value::Null,
            Some(_) => number(text)?,
        };
        let mut node = Node::new(span, value);
        if *sensitive == Marks::All {
            self.sources.conceal(&mut node);
        }
        Ok(node)
    }
}

#[derive(Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

fn number(text: &str) -> Result<Value, serde_json::Error> {
    let number: serde_json::Number = serde_json::from_str(text)?;
    Ok(match number.as_i64() {
        Some(whole) => Value::Int(whole),
        None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
    })
}

/// Whether anything is marked.
fn marks_any(marks: &Marks) -> bool {
    match marks {
        Marks::None => false,
        Marks::All => true,
        Marks::List(list) => list.iter().any(marks_any),
        Marks::Map(map) => map.values().any(marks_any),
    }
}
