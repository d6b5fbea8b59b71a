//! Kubernetes' definitions as a walk needs them: the type of a field, and how its list or mapping is merged.
//!
//! Types come out of the schemas the product embeds (`schemas/kubernetes.bin`; the format and the letters of types are
//! documented in `src/kubernetes/schema.rs`), merging out of `merge-rules.txt`.

use std::collections::BTreeMap;
use std::io::Read;

static SCHEMAS: &[u8] = include_bytes!("../../../../schemas/kubernetes.bin");
static MERGE_RULES: &str = include_str!("merge-rules.txt");

/// How a list or a mapping is merged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a marker of its own in Kubernetes' definitions")]
pub(crate) struct Merge {
    /// Server-side apply: the fields that tell a list's items apart.
    pub(crate) keys: Vec<String>,
    /// Server-side apply: the list holds each value once.
    pub(crate) set: bool,
    /// Server-side apply: the mapping is replaced as a whole.
    pub(crate) atomic: bool,
    /// Strategic merge patch: the list's items are merged, not replaced.
    pub(crate) patch_items: bool,
    /// Strategic merge patch: the field that tells items apart; `None` for lists of plain values.
    pub(crate) patch_key: Option<String>,
    /// Strategic merge patch: the mapping is replaced as a whole.
    pub(crate) patch_replaces: bool,
}

/// A field: its type, whether it is required, how it is merged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Field {
    /// The type, in the letters of `src/kubernetes/schema.rs`.
    pub(crate) type_: String,
    /// Whether an object without it is refused.
    pub(crate) required: bool,
    /// How it is merged.
    pub(crate) merge: Merge,
}

#[derive(Debug)]
enum Definition {
    Fields(BTreeMap<String, Field>),
    Alias(String),
}

/// The definitions of one Kubernetes version.
#[derive(Debug)]
pub(crate) struct Definitions {
    definitions: BTreeMap<String, Definition>,
    /// (`apps/v1`, `Deployment`) to the definition's name.
    kinds: BTreeMap<(String, String), String>,
    atomic: Vec<String>,
}

impl Definitions {
    /// Reads the definitions of a version (`1.34`); of an unknown one nothing is known.
    pub(crate) fn load(version: &str) -> Self {
        let mut rules: BTreeMap<(&str, &str), Merge> = BTreeMap::new();
        for line in MERGE_RULES.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            if let (Some(definition), Some(field)) = (words.next(), words.next()) {
                rules.insert((definition, field), read_rule(words));
            }
        }
        let atomic =
            rules.keys().filter(|(_, field)| *field == "-").map(|(name, _)| (*name).to_owned()).collect();
        let mut loaded = Self { definitions: BTreeMap::new(), kinds: BTreeMap::new(), atomic };
        let (versions, chunks) = chunks();
        let Some(bit) = versions.iter().position(|known| known == version).map(|at| 1_u32 << at) else {
            return loaded;
        };
        for (chunk, text) in chunks {
            for line in text.lines() {
                let words: Vec<&str> = line.split(' ').collect();
                if let ("kinds", [api_version, kind, mask, definition]) = (chunk.as_str(), words.as_slice()) {
                    if mask.parse::<u32>().is_ok_and(|mask| mask & bit != 0) {
                        let key = ((*api_version).to_owned(), (*kind).to_owned());
                        loaded.kinds.insert(key, (*definition).to_owned());
                    }
                } else if let [short, mask, rest @ ..] = words.as_slice()
                    && mask.parse::<u32>().is_ok_and(|mask| mask & bit != 0)
                {
                    let name = format!("{chunk}.{short}");
                    let definition = read_definition(&name, rest, &rules);
                    loaded.definitions.insert(name, definition);
                }
            }
        }
        loaded
    }

    /// The type of a kind's objects, `@` and the definition's name; `None` when the version serves no such kind.
    pub(crate) fn kind(&self, api_version: &str, kind: &str) -> Option<String> {
        let key = (api_version.to_owned(), kind.to_owned());
        self.kinds.get(&key).map(|definition| format!("@{definition}"))
    }

    /// The field `key` of a value of a type; `None` when a definition has no such field. Of what is not described
    /// every field is of type `*`.
    pub(crate) fn field(&self, type_: &str, key: &str) -> Option<Field> {
        match type_.split_at_checked(1) {
            Some(("@", name)) => match self.definitions.get(name) {
                Some(Definition::Fields(fields)) => fields.get(key).cloned(),
                Some(Definition::Alias(other)) => self.field(other, key),
                None => Some(Field { type_: "*".to_owned(), ..Field::default() }),
            },
            Some(("{", rest)) => Some(Field { type_: rest.to_owned(), ..Field::default() }),
            _ => Some(Field { type_: "*".to_owned(), ..Field::default() }),
        }
    }

    /// A type behind its other names: `q` for `@io.k8s.apimachinery.pkg.api.resource.Quantity`.
    pub(crate) fn plain<'a>(&'a self, type_: &'a str) -> &'a str {
        match type_.strip_prefix('@').and_then(|name| self.definitions.get(name)) {
            Some(Definition::Alias(other)) => self.plain(other),
            _ => type_,
        }
    }

    /// Whether keys of the mapping are of the user's choice (labels, data) rather than named fields.
    pub(crate) fn is_free_mapping(&self, type_: &str) -> bool {
        let plain = self.plain(type_);
        plain.starts_with('{') || plain == "o" || plain == "*"
    }

    /// Whether server-side apply replaces values of the type as a whole.
    pub(crate) fn is_atomic(&self, type_: &str) -> bool {
        type_.strip_prefix('@').is_some_and(|name| self.atomic.iter().any(|atomic| atomic == name))
            || matches!(self.plain(type_), "*" | "o")
    }
}

/// The type of a list's items.
pub(crate) fn item_of(type_: &str) -> &str {
    type_.strip_prefix('[').unwrap_or("*")
}

fn read_rule<'a>(words: impl Iterator<Item = &'a str>) -> Merge {
    let mut merge = Merge::default();
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("keys", keys) => merge.keys = keys.split(',').map(str::to_owned).collect(),
            ("set", _) => merge.set = true,
            ("atomic", _) => merge.atomic = true,
            ("merge", key) => {
                merge.patch_items = true;
                merge.patch_key = (!key.is_empty()).then(|| key.to_owned());
            }
            ("replace", _) => merge.patch_replaces = true,
            // `retainKeys` needs no rule: the patch itself names the keys to keep.
            _ => {}
        }
    }
    merge
}

fn read_definition(name: &str, words: &[&str], rules: &BTreeMap<(&str, &str), Merge>) -> Definition {
    let mut fields = BTreeMap::new();
    for word in words {
        match word.split_once(':') {
            Some((key, type_)) => {
                let field = Field {
                    required: type_.starts_with('!'),
                    type_: type_.trim_start_matches('!').to_owned(),
                    merge: rules.get(&(name, key)).cloned().unwrap_or_default(),
                };
                fields.insert(key.to_owned(), field);
            }
            None => return Definition::Alias((*word).to_owned()),
        }
    }
    Definition::Fields(fields)
}

/// The versions and the unpacked chunks.
fn chunks() -> (Vec<String>, Vec<(String, String)>) {
    let end = SCHEMAS.windows(2).position(|pair| pair == b"\n\n").unwrap_or(0);
    let header = String::from_utf8_lossy(&SCHEMAS[..end]);
    let (mut versions, mut chunks, mut at) = (Vec::new(), Vec::new(), end + 2);
    for line in header.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["versions", rest @ ..] => versions = rest.iter().map(|word| (*word).to_owned()).collect(),
            ["chunk", name, length] => {
                let length: usize = length.parse().unwrap_or(0);
                let mut text = String::new();
                let packed = SCHEMAS.get(at..at + length).unwrap_or_default();
                // A damaged chunk reads as empty; then every kind is unknown, and every test says so.
                let _ = flate2::read::DeflateDecoder::new(packed).read_to_string(&mut text);
                chunks.push(((*name).to_owned(), text));
                at += length;
            }
            _ => {}
        }
    }
    (versions, chunks)
}
