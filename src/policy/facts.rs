//! Facts that policies decide by and that age: support dates, lists of a provider's words. Each table is a YAML file
//! beside this one, with its source and the day it was read, so that a person can check and renew it.

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use crate::source::{FileId, Node, SourceFile, yaml};

/// Of each table its name, its text, and where its record begins and ends.
static EMBEDDED: &[(&str, &str, (usize, usize))] = include!(concat!(env!("OUT_DIR"), "/facts.rs"));

/// What the YAML parser said of each table when the tool was built.
static RECORDS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/facts.bin"));

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
    record: &'static [u8],
    read: OnceLock<Facts>,
}

static TABLES: LazyLock<BTreeMap<&'static str, Entry>> = LazyLock::new(|| {
    let entry = |(name, text, (from, to)): &(&'static str, &'static str, (usize, usize))| {
        let record = RECORDS.get(*from..*to).unwrap_or_default();
        (*name, Entry { text, record, read: OnceLock::new() })
    };
    EMBEDDED.iter().map(entry).collect()
});

/// The table of a name, read at the first question for it.
pub fn table(name: &str) -> Option<&'static Facts> {
    let (name, entry) = TABLES.get_key_value(name)?;
    Some(entry.read.get_or_init(|| facts(name, entry)))
}

/// Every table's name, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLES.keys().copied()
}

fn facts(name: &'static str, entry: &Entry) -> Facts {
    let (id, file) = (FileId(u32::MAX), SourceFile::new(name, entry.text.to_owned()));
    // What could not be recorded is read.
    let documents = yaml::recorded::read(id, &file, entry.record).unwrap_or_else(|| yaml::read(id, &file));
    let table = documents
        .documents
        .into_iter()
        .next()
        .unwrap_or(Node::new(crate::source::Span::default(), crate::source::Value::Null));
    let read = table.get("read").and_then(Node::as_str).and_then(|date| date.parse().ok());
    Facts { name, read, text: entry.text, table }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_what_its_table_says() {
        assert!(TABLES.len() > 5, "{}", TABLES.len());
        for (name, entry) in TABLES.iter() {
            let (id, file) = (FileId(u32::MAX), SourceFile::new(name, entry.text.to_owned()));
            let heard = yaml::recorded::read(id, &file, entry.record).map(|heard| heard.documents);
            assert_eq!(heard, Some(yaml::read(id, &file).documents), "{name}");
        }
    }
}
