//! What no report may show: values that are sensitive as Terraform understands that.
//!
//! Three nets, each of which holds without the others. A [`Node`] carries a mark, by which policies show
//! `(sensitive value)` where a message would print it. The places where such values are written are kept here, and whoever
//! shows lines of a file masks them ([`Sources::shown`](super::Sources::shown)). And texts that mean nothing but the secret are
//! replaced wherever else a report would print them ([`Sources::redacted`](super::Sources::redacted)).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{FileId, Node, Span, Value, secret};

/// What stands where a sensitive value would.
pub const SENSITIVE: &str = "(sensitive value)";

/// Bytes of the shortest text that is looked for in what others say. What is shorter may be a word of theirs.
const SHORTEST: usize = 8;
/// Bytes from which on even what reads like a name is looked for.
const LONG: usize = 16;

/// The places and the texts of a run, collected while its files are read.
#[derive(Debug, Default)]
pub(super) struct Concealed(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    places: BTreeMap<FileId, BTreeSet<(u32, u32)>>,
    texts: BTreeSet<Arc<str>>,
}

impl Concealed {
    /// A thread that panicked while it held the lock has left nothing half done.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn place(&self, span: Span) {
        if span.start < span.end {
            self.kept().places.entry(span.file).or_default().insert((span.start, span.end));
        }
    }

    pub(super) fn text(&self, text: &Arc<str>) {
        if distinctive(text) {
            self.kept().texts.insert(text.clone());
        }
    }

    /// Every text in a value.
    pub(super) fn texts(&self, node: &Node) {
        match &node.value {
            Value::Str(text) => self.text(text),
            Value::Partial(partial) => {
                self.text(&partial.start);
                self.text(&partial.end);
            }
            Value::List(items) => items.iter().for_each(|item| self.texts(item)),
            Value::Map(map) => map.iter().for_each(|(_, entry)| self.texts(&entry.node)),
            _ => {}
        }
    }

    pub(super) fn has_texts(&self) -> bool {
        !self.kept().texts.is_empty()
    }

    pub(super) fn ranges(&self, file: FileId) -> Vec<Range<usize>> {
        let kept = self.kept();
        let places = kept.places.get(&file).into_iter().flatten();
        places.map(|(start, end)| *start as usize..*end as usize).collect()
    }

    /// Where the texts stand in another one.
    pub(super) fn found(&self, text: &str) -> Vec<Range<usize>> {
        let kept = self.kept();
        let at = |secret: &Arc<str>| {
            let length = secret.len();
            text.match_indices(&**secret).map(|(at, _)| at..at + length).collect::<Vec<_>>()
        };
        kept.texts.iter().flat_map(at).collect()
    }

    pub(super) fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut ranges = self.found(text);
        if ranges.is_empty() {
            return Cow::Borrowed(text);
        }
        ranges.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let (mut shown, mut end) = (String::new(), 0);
        for range in ranges {
            if range.start >= end {
                shown.push_str(text.get(end..range.start).unwrap_or(""));
                shown.push_str(SENSITIVE);
            }
            end = end.max(range.end);
        }
        shown.push_str(text.get(end..).unwrap_or(""));
        Cow::Owned(shown)
    }
}

/// Whether a text means the secret wherever it stands: long, or not made of words and numbers as names are.
fn distinctive(text: &str) -> bool {
    let text = text.trim();
    text.len() >= LONG || (text.len() >= SHORTEST && !secret::is_name(text))
}
