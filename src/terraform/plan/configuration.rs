//! The configuration inside a plan: which expression each argument was computed from, as far as a plan says. Of an expression it
//! has what it refers to, or its value if that is a constant; locals and `lifecycle` it does not show.
//!
//! <https://developer.hashicorp.com/terraform/internals/json-format#configuration-representation>

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::words;

/// `configuration`.
#[derive(Debug, Default)]
pub(super) struct Configuration {
    pub(super) provider_config: BTreeMap<String, Provider>,
    pub(super) root_module: Module,
}

/// A provider's settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Provider {
    pub(super) name: String,
    pub(super) alias: Option<String>,
    pub(super) module_address: Option<String>,
    pub(super) version_constraint: Option<String>,
    pub(super) expressions: BTreeMap<String, Expression>,
}

/// A module.
#[derive(Debug, Default)]
pub(super) struct Module {
    pub(super) resources: BTreeMap<String, Resource>,
    pub(super) module_calls: BTreeMap<String, Call>,
    pub(super) outputs: BTreeMap<String, Output>,
    pub(super) variables: BTreeMap<String, Variable>,
}

/// A resource or data source.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Resource {
    address: String,
    pub(super) provider_config_key: String,
    pub(super) expressions: BTreeMap<String, Expression>,
    pub(super) for_each_expression: Option<Expression>,
    pub(super) depends_on: Vec<String>,
}

/// A call of a module.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) source: Option<String>,
    pub(super) version_constraint: Option<String>,
    pub(super) expressions: BTreeMap<String, Expression>,
    pub(super) for_each_expression: Option<Expression>,
    pub(super) module: Rc<Module>,
}

/// An output.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Output {
    pub(super) expression: Expression,
    pub(super) description: Option<String>,
    pub(super) sensitive: bool,
}

/// A variable.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Variable {
    pub(super) default: Option<Json>,
    pub(super) description: Option<String>,
    pub(super) sensitive: bool,
}

/// Modules that were read, by the hash of their text: a plan repeats a module wherever it is called.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<[u8; 32], Rc<Module>>);

/// What is read into which a module may lie.
pub(super) struct Seed<'k, T> {
    known: &'k mut Known,
    made: T,
}

impl<'k, T: Default> Seed<'k, T> {
    /// Starts with nothing.
    pub(super) fn new(known: &'k mut Known) -> Self {
        Self { known, made: T::default() }
    }
}

/// What has a field for each key of a mapping.
pub(super) trait Fields: Sized {
    /// What it is, for whoever gave something else.
    const WHAT: &'static str;

    /// Reads the value of a key.
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        known: &mut Known,
    ) -> Result<(), A::Error>;
}

impl<'de, T: Fields> DeserializeSeed<'de> for Seed<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Fields> Visitor<'de> for Seed<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WHAT)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<T, A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            self.made.field(&key, &mut map, self.known)?;
        }
        Ok(self.made)
    }
}

impl Fields for Configuration {
    const WHAT: &'static str = "a configuration";

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        known: &mut Known,
    ) -> Result<(), A::Error> {
        match key {
            "provider_config" => self.provider_config = map.next_value()?,
            "root_module" => self.root_module = map.next_value_seed(Seed::new(known))?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl Fields for Module {
    const WHAT: &'static str = "a module";

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        known: &mut Known,
    ) -> Result<(), A::Error> {
        match key {
            "resources" => {
                let list: Vec<Resource> = map.next_value()?;
                self.resources =
                    list.into_iter().map(|resource| (resource.address.clone(), resource)).collect();
            }
            "module_calls" => self.module_calls = map.next_value_seed(Seed::new(known))?,
            "outputs" => self.outputs = map.next_value()?,
            "variables" => self.variables = map.next_value()?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl Fields for BTreeMap<String, Call> {
    const WHAT: &'static str = "calls of modules";

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        known: &mut Known,
    ) -> Result<(), A::Error> {
        self.insert(key.to_owned(), map.next_value_seed(Seed::new(known))?);
        Ok(())
    }
}

impl Fields for Call {
    const WHAT: &'static str = "a call of a module";

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
        known: &mut Known,
    ) -> Result<(), A::Error> {
        match key {
            "source" => self.source = map.next_value()?,
            "version_constraint" => self.version_constraint = map.next_value()?,
            "expressions" => self.expressions = map.next_value()?,
            "for_each_expression" => self.for_each_expression = map.next_value()?,
            "module" => {
                let text: Box<RawValue> = map.next_value()?;
                let hash = Sha256::digest(text.get()).into();
                self.module = match known.0.get(&hash) {
                    Some(module) => Rc::clone(module),
                    None => {
                        let mut deserializer = serde_json::Deserializer::from_str(text.get());
                        let module = Seed::new(known).deserialize(&mut deserializer);
                        let module: Rc<Module> =
                            Rc::new(module.map_err(|fault| A::Error::custom(words(&fault)))?);
                        known.0.insert(hash, Rc::clone(&module));
                        module
                    }
                };
            }
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

/// What an argument or the blocks of a type are computed from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// What an expression refers to, the longest way to each: `aws_vpc.main.id` and not `aws_vpc.main` too.
    Of(Vec<Box<str>>),
    /// A constant; its value is kept if it is no list or mapping.
    Constant(Json),
    /// A block, by argument.
    Block(BTreeMap<String, Expression>),
    /// Blocks of one type, in the order of the files.
    Blocks(Vec<Expression>),
}

impl Default for Expression {
    fn default() -> Self {
        Self::Of(Vec::new())
    }
}

impl Expression {
    /// Everything that any part of it refers to.
    pub(super) fn references<'e>(&'e self, found: &mut Vec<&'e str>) {
        match self {
            Self::Of(references) => found.extend(references.iter().map(AsRef::as_ref)),
            Self::Constant(_) => {}
            Self::Block(block) => block.values().for_each(|part| part.references(found)),
            Self::Blocks(blocks) => blocks.iter().for_each(|block| block.references(found)),
        }
    }

    /// One block that is computed from whatever these are: where it is not known which block of the files a value is.
    pub(super) fn any_of(blocks: &[Self]) -> Self {
        let mut parts: BTreeMap<&str, Vec<&Self>> = BTreeMap::new();
        for block in blocks {
            let Self::Block(block) = block else { return Self::default() };
            for (name, part) in block {
                parts.entry(name).or_default().push(part);
            }
        }
        let together = |parts: Vec<&Self>| match parts.as_slice() {
            [one] => (*one).clone(),
            _ if parts.iter().all(|part| matches!(part, Self::Blocks(_) | Self::Block(_))) => {
                let all = parts.iter().flat_map(|part| match part {
                    Self::Blocks(blocks) => blocks.clone(),
                    other => vec![(*other).clone()],
                });
                Self::Blocks(all.collect())
            }
            _ => {
                let mut found = Vec::new();
                for part in &parts {
                    part.references(&mut found);
                }
                found.sort_unstable();
                found.dedup();
                Self::Of(found.into_iter().map(Into::into).collect())
            }
        };
        Self::Block(parts.into_iter().map(|(name, parts)| (name.to_owned(), together(parts))).collect())
    }
}

/// Whether a reference is a part of the way that another one goes further: `aws_vpc.main` of `aws_vpc.main.id`.
fn begins(way: &str, reference: &str) -> bool {
    way.strip_prefix(reference).is_some_and(|rest| rest.starts_with(['.', '[']))
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Expression;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an expression")
            }

            fn visit_unit<E>(self) -> Result<Expression, E> {
                Ok(Expression::default())
            }

            // What this version does not know.
            fn visit_bool<E>(self, _: bool) -> Result<Expression, E> {
                Ok(Expression::default())
            }

            fn visit_i64<E>(self, _: i64) -> Result<Expression, E> {
                Ok(Expression::default())
            }

            fn visit_u64<E>(self, _: u64) -> Result<Expression, E> {
                Ok(Expression::default())
            }

            fn visit_f64<E>(self, _: f64) -> Result<Expression, E> {
                Ok(Expression::default())
            }

            fn visit_str<E>(self, _: &str) -> Result<Expression, E> {
                Ok(Expression::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Expression, A::Error> {
                let mut blocks = Vec::new();
                while let Some(block) = seq.next_element()? {
                    blocks.push(block);
                }
                Ok(Expression::Blocks(blocks))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Expression, A::Error> {
                let mut parts = BTreeMap::new();
                let mut found = None;
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "constant_value" => {
                            let value: Json = map.next_value()?;
                            let scalar = !value.is_array() && !value.is_object();
                            found = Some(Expression::Constant(if scalar { value } else { Json::Null }));
                        }
                        "references" => {
                            let ways: Vec<Box<str>> = map.next_value()?;
                            let mut kept: Vec<Box<str>> = Vec::with_capacity(ways.len());
                            for way in ways {
                                if !kept.iter().any(|other| **other == *way || begins(other, &way)) {
                                    kept.push(way);
                                }
                            }
                            found = Some(Expression::Of(kept));
                        }
                        _ => drop(parts.insert(key, map.next_value()?)),
                    }
                }
                Ok(if parts.is_empty() { found.unwrap_or_default() } else { Expression::Block(parts) })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
