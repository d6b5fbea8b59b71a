//! The provider's schema in its compressed file, decoded type by type.
//!
//! Layout of the file: 4 bytes, little-endian, the length of the index; the index, deflated JSON; then the groups, one
//! deflate stream each. The index says in which order the types stand and how long each group is; a group is a JSON
//! array of blocks. `cargo xtask import-provider-schema` writes it.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::keys::{self, Wanted};

/// Where a schema belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The provider's own block.
    Provider,
    /// A managed resource.
    Resource,
    /// A data source.
    Data,
}

/// The type of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// `string`.
    String,
    /// `number`.
    Number,
    /// `bool`.
    Bool,
    /// Anything.
    Dynamic,
    /// `list(...)`.
    List(Box<Type>),
    /// `set(...)`.
    Set(Box<Type>),
    /// `map(...)`.
    Map(Box<Type>),
    /// `object({...})`.
    Object(BTreeMap<String, Type>),
}

/// An argument or exported attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// It has to be written.
    pub required: bool,
    /// It may be written.
    pub optional: bool,
    /// The provider fills it in.
    pub computed: bool,
    /// The type of its value.
    pub type_: Type,
}

/// How often a nested block may stand, and what it becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nesting {
    /// Once at most, an object.
    Single,
    /// A list.
    List,
    /// A set.
    Set,
    /// A map by label.
    Map,
}

/// A nested block type.
#[derive(Debug, Clone, PartialEq)]
pub struct NestedBlock {
    /// What its blocks become.
    pub nesting: Nesting,
    /// The fewest that have to stand.
    pub min: u64,
    /// The most that may stand; 0 for any number.
    pub max: u64,
    /// Their content.
    pub block: Block,
}

/// What may stand in a block.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Block {
    /// Arguments and exported attributes by name.
    #[serde(rename = "a", default)]
    pub attributes: BTreeMap<String, Attribute>,
    /// Nested block types by name.
    #[serde(rename = "b", default)]
    pub blocks: BTreeMap<String, NestedBlock>,
    /// The schema says nothing of the inside.
    #[serde(rename = "u", default)]
    pub unknown: bool,
}

impl Block {
    /// Whether an attribute or nested block has this name.
    pub fn has(&self, name: &str) -> bool {
        self.unknown || self.attributes.contains_key(name) || self.blocks.contains_key(name)
    }

    /// The names of all attributes and nested blocks.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.attributes.keys().chain(self.blocks.keys()).map(String::as_str)
    }
}

impl Attribute {
    /// Whether only the provider may set it.
    pub fn computed_only(&self) -> bool {
        self.computed && !self.optional && !self.required
    }
}

/// Bits of an attribute in the file.
const REQUIRED: u8 = 1;
const OPTIONAL: u8 = 2;
const COMPUTED: u8 = 4;

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (bits, type_) = <(u8, Type)>::deserialize(deserializer)?;
        Ok(Self {
            required: bits & REQUIRED != 0,
            optional: bits & OPTIONAL != 0,
            computed: bits & COMPUTED != 0,
            type_,
        })
    }
}

impl<'de> Deserialize<'de> for NestedBlock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (nesting, min, max, block) = <(String, u64, u64, Block)>::deserialize(deserializer)?;
        let nesting = match nesting.as_str() {
            "s" => Nesting::Single,
            "l" => Nesting::List,
            "t" => Nesting::Set,
            "m" => Nesting::Map,
            other => return Err(serde::de::Error::custom(format!("nesting {other}"))),
        };
        Ok(Self { nesting, min, max, block })
    }
}

impl<'de> Deserialize<'de> for Type {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Word(String),
            Collection(String, Box<Type>),
            Object(BTreeMap<String, Type>),
        }
        let wrong = |word: &str| serde::de::Error::custom(format!("type {word}"));
        match Written::deserialize(deserializer)? {
            Written::Word(word) => match word.as_str() {
                "s" => Ok(Self::String),
                "n" => Ok(Self::Number),
                "b" => Ok(Self::Bool),
                "d" => Ok(Self::Dynamic),
                other => Err(wrong(other)),
            },
            Written::Collection(kind, of) => match kind.as_str() {
                "l" => Ok(Self::List(of)),
                "t" => Ok(Self::Set(of)),
                "m" => Ok(Self::Map(of)),
                other => Err(wrong(other)),
            },
            Written::Object(members) => Ok(Self::Object(members)),
        }
    }
}

/// The index of the file.
#[derive(Debug, Deserialize)]
struct Index<'f> {
    /// `registry.terraform.io/hashicorp/aws`.
    provider: &'f str,
    /// The provider's version, as far as it is known.
    version: &'f str,
    /// How many types a group holds; the last may hold fewer.
    group: usize,
    /// The length of each group in bytes.
    lengths: Vec<usize>,
    /// The types: `p:aws`, then `r:aws_vpc` and the other resources, then `d:aws_region` and the other data sources, each
    /// kind in order.
    types: Vec<&'f str>,
}

/// Why a schema file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the provider schema is damaged: {0}")]
pub struct SchemaError(String);

/// A provider's schema; a type is decompressed at the first question about it.
#[derive(Debug)]
pub struct Schema {
    bytes: &'static [u8],
    index: Index<'static>,
    /// Where the types of each kind begin.
    kinds: [usize; KINDS.len()],
    starts: Vec<usize>,
    groups: Vec<OnceLock<Vec<Packed>>>,
}

/// The block of a type in its group, decoded at the first question about it: the others of the group are not asked for.
#[derive(Debug)]
struct Packed {
    text: Box<RawValue>,
    block: OnceLock<Option<Arc<Block>>>,
    /// Its arguments that take a KMS key.
    keys: OnceLock<Arc<[Wanted]>>,
}

impl Packed {
    fn block(&self) -> Option<Arc<Block>> {
        self.block.get_or_init(|| serde_json::from_str(self.text.get()).ok().map(Arc::new)).clone()
    }
}

impl Schema {
    /// Opens a schema file; only its index is decoded.
    pub fn from_bytes(bytes: &'static [u8]) -> Result<Self, SchemaError> {
        let damaged = |what: &str| SchemaError(what.to_owned());
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| damaged("no length"))?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let packed = rest.get(..length).ok_or_else(|| damaged("no index"))?;
        // A file is opened once and for good, and so is its index.
        let index: &'static [u8] = inflate(packed).ok_or_else(|| damaged("the index"))?.leak();
        let index: Index<'_> =
            serde_json::from_slice(index).map_err(|error| SchemaError(error.to_string()))?;
        if index.group == 0 {
            return Err(damaged("empty groups"));
        }
        let order = |name: &&str| KINDS.iter().position(|kind| name.starts_with(prefix(*kind)));
        if !index.types.is_sorted_by_key(|name| (order(name), *name)) {
            return Err(damaged("the types are in no order"));
        }
        let kinds = KINDS.map(|kind| {
            index.types.partition_point(|name| order(name) < KINDS.iter().position(|other| *other == kind))
        });
        let mut starts = Vec::with_capacity(index.lengths.len());
        let mut start = 4 + length;
        for length in &index.lengths {
            starts.push(start);
            start += length;
        }
        let groups = index.lengths.iter().map(|_| OnceLock::new()).collect();
        Ok(Self { bytes, index, kinds, starts, groups })
    }

    /// The provider's version the schema was read from.
    pub fn version(&self) -> &str {
        self.index.version
    }

    /// The source address, `registry.terraform.io/hashicorp/aws`.
    pub fn provider(&self) -> &str {
        self.index.provider
    }

    /// The names of all types of a kind, in order.
    pub fn types(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.index.types.iter().filter_map(move |name| name.strip_prefix(prefix(kind)))
    }

    /// Whether the provider has a type.
    pub fn has(&self, kind: Kind, type_: &str) -> bool {
        self.place(kind, type_).is_some()
    }

    /// The schema of a type; `None` if the provider has no such type.
    pub fn get(&self, kind: Kind, type_: &str) -> Option<Arc<Block>> {
        self.packed(kind, type_)?.block()
    }

    /// The arguments of a type that take a KMS key.
    pub fn keys(&self, kind: Kind, type_: &str) -> Option<Arc<[Wanted]>> {
        let packed = self.packed(kind, type_)?;
        let wanted = || packed.block().map_or_else(Vec::new, |block| keys::wanted("", &block)).into();
        Some(packed.keys.get_or_init(wanted).clone())
    }

    fn packed(&self, kind: Kind, type_: &str) -> Option<&Packed> {
        let at = self.place(kind, type_)?;
        let group = at / self.index.group;
        let packed = self.groups.get(group)?.get_or_init(|| self.decode(group).unwrap_or_default());
        packed.get(at % self.index.group)
    }

    fn place(&self, kind: Kind, type_: &str) -> Option<usize> {
        let prefix = prefix(kind);
        let types = &self.index.types;
        let at = KINDS.iter().position(|other| *other == kind)?;
        let from = *self.kinds.get(at)?;
        let within = types.get(from..)?;
        let at = within.partition_point(|name| name.strip_prefix(prefix).is_some_and(|name| name < type_));
        (within.get(at)?.strip_prefix(prefix)? == type_).then_some(from + at)
    }

    fn decode(&self, group: usize) -> Option<Vec<Packed>> {
        let start = *self.starts.get(group)?;
        let packed = self.bytes.get(start..start + self.index.lengths.get(group)?)?;
        let texts: Vec<Box<RawValue>> = serde_json::from_slice(&inflate(packed)?).ok()?;
        Some(
            texts
                .into_iter()
                .map(|text| Packed { text, block: OnceLock::new(), keys: OnceLock::new() })
                .collect(),
        )
    }
}

/// In the order of the file.
const KINDS: [Kind; 3] = [Kind::Provider, Kind::Resource, Kind::Data];

fn prefix(kind: Kind) -> &'static str {
    match kind {
        Kind::Provider => "p:",
        Kind::Resource => "r:",
        Kind::Data => "d:",
    }
}

fn inflate(packed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    flate2::read::DeflateDecoder::new(packed).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
