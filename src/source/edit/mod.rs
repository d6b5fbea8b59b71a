//! Changes single values of a YAML text and leaves every other byte as it is: comments, order, quotes, indentation,
//! line endings.
//!
//! Each edit is proven before it is given out: the new text is read again, and what it says has to be what the old one
//! said with this one value changed.

mod place;
mod shape;
mod spell;

use serde_json::Value;

use super::{FileId, LineColumn, SourceFile, yaml};

/// Why a value was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The text is no single, faultless document.
    #[error("the file cannot be read to its end")]
    Unreadable,
    /// The value, or what holds it, is an alias.
    #[error("line {line} repeats by an alias (`*`) what stands elsewhere; write the value out there first")]
    Alias {
        /// Where the alias stands, from 1.
        line: usize,
    },
    /// Something else in the file is an alias of the value or of what holds it.
    #[error("line {line} marks by an anchor (`&`) what other places repeat, and they would change too")]
    Anchor {
        /// Where the marked value begins, from 1.
        line: usize,
    },
    /// The mapping that holds the value is merged in.
    #[error("`{key}` comes from a merge key (`<<`); write it out in the mapping at line {line} first")]
    Merged {
        /// The key of what is merged in.
        key: String,
        /// Where the mapping begins that it is merged into, from 1.
        line: usize,
    },
    /// What would be replaced has comments inside.
    #[error("line {line} holds comments that would be lost")]
    Comments {
        /// Where the value begins, from 1.
        line: usize,
    },
    /// A tag says what the value is.
    #[error("line {line} has a tag (`!`), and nobody knows whether it fits another value")]
    Tag {
        /// Where the value begins, from 1.
        line: usize,
    },
    /// A step of the path leads into something that has no entries, or not this one.
    #[error("`{key}` cannot be written into what stands at line {line}")]
    NoPlace {
        /// The step.
        key: String,
        /// Where it would have to go, from 1.
        line: usize,
    },
    /// The edit would say something else than it should.
    #[error("the way line {line} is written leaves no edit that changes this value alone")]
    Unproven {
        /// Where the edit would be, from 1.
        line: usize,
    },
}

/// A replacement of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Splice {
    start: usize,
    end: usize,
    text: String,
}

/// Sets one value of a text without byte order mark. The steps of `path` are keys and indices of lists; mappings that
/// are missing on the way are added. `None`: the text says so already.
pub fn set(text: &str, path: &[&str], value: &Value) -> Result<Option<String>, Refusal> {
    let Some(tree) = tree(text) else { return Err(Refusal::Unreadable) };
    let said = tree.to_json();
    let old = tree.at(path);
    if old.is_some_and(|old| old.to_json() == *value) {
        return Ok(None);
    }
    let shape = shape::read(text).ok_or(Refusal::Unreadable)?;
    let splices = place::edits(text, &shape, &tree, path, value)?;
    let mut new = text.to_owned();
    for splice in splices.iter().rev() {
        new.replace_range(splice.start..splice.end, &splice.text);
    }
    let mut wanted = said;
    put(&mut wanted, path, value);
    let proven = self::tree(&new).is_some_and(|tree| tree.to_json() == wanted);
    let at = splices.first().map_or(0, |splice| splice.start);
    if proven { Ok(Some(new)) } else { Err(Refusal::Unproven { line: line(text, at) }) }
}

/// Where a value is written, if it is: the bytes of a scalar, the key of a mapping or list.
pub fn locate(text: &str, path: &[String]) -> Option<std::ops::Range<usize>> {
    let shape = shape::read(text)?;
    let mut part = &shape.root;
    let mut place = part.start..part.end;
    for step in path {
        match &part.style {
            shape::Style::Map { entries, .. } => {
                let (key, value) = entries.iter().find(|(key, _)| key.name == *step)?;
                part = value;
                place = key.start..key.end;
            }
            shape::Style::List { items, .. } => {
                part = step.parse::<usize>().ok().and_then(|at| items.get(at))?;
                place = part.start..part.end;
            }
            _ => return None,
        }
    }
    Some(match &part.style {
        shape::Style::Map { .. } | shape::Style::List { .. } => place,
        _ if part.start == part.end => place,
        _ => part.start..part.end,
    })
}

/// What a text says, if it is one document without a fault.
fn tree(text: &str) -> Option<super::Node> {
    let read = yaml::read(FileId::default(), &SourceFile::new("", text.to_owned()));
    let mut documents = read.documents.into_iter();
    let whole = read.complete && read.findings.is_empty();
    documents.next().filter(|_| whole && documents.next().is_none())
}

/// The same change on what the text says.
fn put(json: &mut Value, path: &[&str], value: &Value) {
    let Some((step, rest)) = path.split_first() else {
        *json = value.clone();
        return;
    };
    if json.is_null() {
        *json = Value::Object(serde_json::Map::new());
    }
    match json {
        Value::Object(entries) => put(entries.entry(*step).or_insert(Value::Null), rest, value),
        Value::Array(items) => {
            if let Some(item) = step.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
                put(item, rest, value);
            }
        }
        _ => {}
    }
}

/// The line, from 1, of a byte.
fn line(text: &str, at: usize) -> usize {
    let LineColumn { line, .. } = SourceFile::new("", text.to_owned()).line_column(at);
    line
}
