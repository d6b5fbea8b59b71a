//! Facts that policies decide by and that age: support dates, lists of a provider's words. Each table is a YAML file
//! beside this one, with its source and the day it was read, so that a person can check and renew it.

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use include_dir::{Dir, include_dir};

use crate::source::{FileId, Node, SourceFile, yaml};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/policy/facts");

/// A table of facts.
#[derive(Debug)]
pub struct Facts {
    /// Its name, that of its file: `eks-versions`.
    pub name: &'static str,
    /// The day it was compared with its source.
    pub read: Option<jiff::civil::Date>,
    /// The file, as it is inside the program.
    pub text: &'static str,
    /// The whole table.
    pub(super) table: Node,
}

/// How long a table is taken for fresh, in days.
pub const FRESH_DAYS: i32 = 365;

impl Facts {
    /// Whether the table was compared with its source more than a year before a date.
    pub fn is_stale(&self, at: jiff::civil::Date) -> bool {
        self.read.is_none_or(|read| (at - read).get_days() > FRESH_DAYS)
    }

    /// Where its facts were read.
    pub fn source(&self) -> &str {
        self.table.get("source").and_then(Node::as_str).unwrap_or_default()
    }
}

/// A table's text, and the table once somebody asked for it.
struct Entry {
    text: &'static str,
    read: OnceLock<Facts>,
}

static TABLES: LazyLock<BTreeMap<&'static str, Entry>> = LazyLock::new(|| {
    let entry = |file: &'static include_dir::File<'static>| {
        let name = file.path().file_stem().and_then(std::ffi::OsStr::to_str)?;
        Some((name, Entry { text: file.contents_utf8()?, read: OnceLock::new() }))
    };
    EMBEDDED.files().filter_map(entry).collect()
});

/// The table of a name, read at the first question for it.
pub fn table(name: &str) -> Option<&'static Facts> {
    let (name, entry) = TABLES.get_key_value(name)?;
    Some(entry.read.get_or_init(|| facts(name, entry.text)))
}

/// Every table's name, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLES.keys().copied()
}

fn facts(name: &'static str, text: &'static str) -> Facts {
    let file = SourceFile::new(name, text.to_owned());
    let table = yaml::read(FileId(u32::MAX), &file)
        .documents
        .into_iter()
        .next()
        .unwrap_or(Node::new(crate::source::Span::default(), crate::source::Value::Null));
    let read = table.get("read").and_then(Node::as_str).and_then(|date| date.parse().ok());
    Facts { name, read, text, table }
}
