//! Where an edit goes.

use serde_json::Value;

use super::shape::{Key, Part, Shape, Style, colon};
use super::spell::{self, Around};
use super::{Refusal, Splice, line};
use crate::source::Node;

/// The replacements that set a value, in the order of the text.
pub(super) fn edits(
    text: &str,
    shape: &Shape,
    tree: &Node,
    path: &[&str],
    value: &Value,
) -> Result<Vec<Splice>, Refusal> {
    let quoted = |style: &Style| matches!(style, Style::Map { entries, .. } if entries.first().is_some_and(|(key, _)| key.quoted));
    let json = text.trim_start().starts_with('{') && quoted(&shape.root.style);
    let editor = Editor { text, shape, around: Around { json, quotes: None }, value };
    let mut at = Cursor { part: &shape.root, key: None, item: false };
    let mut node = Some(tree);
    for (depth, step) in path.iter().enumerate() {
        editor.own(at.part)?;
        let rest = path.get(depth..).unwrap_or_default();
        let next = node.and_then(|node| node.at(&[step]));
        at = match &at.part.style {
            Style::Map { entries, .. } => match entries.iter().find(|(key, _)| key.name == **step) {
                Some((key, part)) => Cursor { part, key: Some(key), item: false },
                // What is merged in stays below what is written, key by key; a whole mapping would hide it.
                None if next.is_some() && rest.len() > 1 => {
                    return Err(Refusal::Merged { key: (*step).to_owned(), line: line(text, at.part.start) });
                }
                None => return editor.insert(at.part, rest),
            },
            Style::List { items, .. } => {
                match step.parse::<usize>().ok().and_then(|index| items.get(index)) {
                    Some(part) => Cursor { part, key: None, item: true },
                    None => return Err(editor.no_place(step, at.part)),
                }
            }
            _ if node.is_some_and(|node| node.value == crate::source::Value::Null) => {
                return editor.replace(&at, &spell::chain(rest, value, editor.around));
            }
            _ => return Err(editor.no_place(step, at.part)),
        };
        node = next;
    }
    if !matches!(at.part.style, Style::Alias) {
        editor.own(at.part)?;
    }
    let quotes = match at.part.style {
        Style::Quoted(mark) if value.is_string() => Some(mark),
        _ => None,
    };
    let spelled = match (&at.part.style, value) {
        (Style::List { flow: false, items }, Value::Array(new)) if !new.is_empty() => {
            return editor.relist(&at, items, new);
        }
        _ => spell::value(value, Around { quotes, ..editor.around }),
    };
    editor.replace(&at, &spelled)
}

/// A value and what stands in front of it.
struct Cursor<'a> {
    part: &'a Part,
    key: Option<&'a Key>,
    /// It is an item of a list.
    item: bool,
}

struct Editor<'a> {
    text: &'a str,
    shape: &'a Shape,
    around: Around,
    value: &'a Value,
}

impl Editor<'_> {
    fn line(&self, part: &Part) -> usize {
        line(self.text, part.start)
    }

    fn no_place(&self, step: &str, part: &Part) -> Refusal {
        Refusal::NoPlace { key: step.to_owned(), line: self.line(part) }
    }

    /// A change here changes this place and no other.
    fn own(&self, part: &Part) -> Result<(), Refusal> {
        if matches!(part.style, Style::Alias) {
            return Err(Refusal::Alias { line: self.line(part) });
        }
        if self.shape.repeated.contains(&part.anchor) {
            return Err(Refusal::Anchor { line: self.line(part) });
        }
        if part.tagged {
            return Err(Refusal::Tag { line: self.line(part) });
        }
        Ok(())
    }

    /// Puts a text where a value stands.
    fn replace(&self, at: &Cursor<'_>, spelled: &str) -> Result<Vec<Splice>, Refusal> {
        let Cursor { part, key, .. } = at;
        let one = |start, end, text: String| Ok(vec![Splice { start, end, text }]);
        let behind = key.map(|key| colon(self.text, key.end).map(|colon| colon + 1));
        match &part.style {
            Style::Plain if part.start == part.end => match (key, behind) {
                (Some(key), Some(None)) => one(key.end, key.end, format!(": {spelled}")),
                (Some(_), _) => one(part.start, part.end, format!(" {spelled}")),
                (None, _) => Err(Refusal::Unproven { line: self.line(part) }),
            },
            Style::Text => {
                let Some(from) = behind.flatten() else {
                    return Err(Refusal::Unproven { line: self.line(part) });
                };
                let header = self.text.get(from..part.start).unwrap_or_default();
                if header.contains('#') {
                    return Err(Refusal::Comments { line: line(self.text, from) });
                }
                one(from, part.end, format!(" {spelled}"))
            }
            Style::Map { flow: false, .. } | Style::List { flow: false, .. } => {
                let start = behind.flatten().unwrap_or(part.start);
                self.without_comments(start, part)?;
                let blank = if behind.flatten().is_some() { " " } else { "" };
                one(start, part.end, format!("{blank}{spelled}"))
            }
            Style::Map { .. } | Style::List { .. } => {
                self.without_comments(part.start, part)?;
                one(part.start, part.end, spelled.to_owned())
            }
            Style::Plain | Style::Quoted(_) | Style::Alias => one(part.start, part.end, spelled.to_owned()),
        }
    }

    /// Puts other items into a list of the style `- item`.
    fn relist(&self, at: &Cursor<'_>, items: &[Part], new: &[Value]) -> Result<Vec<Splice>, Refusal> {
        let from = at.key.map_or(at.part.start, |key| key.end);
        let first = items.first().map_or(at.part.end, |item| item.start);
        let gap = self.text.get(from..first).unwrap_or_default();
        self.without_comments(from, at.part)?;
        let Some(dash) = gap.find('-').map(|dash| from + dash).filter(|_| !at.item) else {
            return self.replace(at, &spell::value(self.value, self.around));
        };
        let between = format!("{}{}- ", self.line_break(dash), " ".repeat(self.column(dash)));
        let spelled: Vec<String> = new.iter().map(|item| spell::value(item, self.around)).collect();
        let text = format!("- {}", spelled.join(&between));
        Ok(vec![Splice { start: dash, end: at.part.end, text }])
    }

    /// Adds a key, or a chain of them, to a mapping.
    fn insert(&self, map: &Part, path: &[&str]) -> Result<Vec<Splice>, Refusal> {
        let Some((name, inner)) = path.split_first() else { return Ok(Vec::new()) };
        let entry = spell::entry(name, &spell::chain(inner, self.value, self.around), self.around);
        let one = |at, text| Ok(vec![Splice { start: at, end: at, text }]);
        let Style::Map { flow, entries } = &map.style else { return Err(self.no_place(name, map)) };
        let (Some((first, _)), Some((key, last))) = (entries.first(), entries.last()) else {
            // Blanks between the braces go, comments stay.
            let (start, end) = (map.start + 1, map.end.saturating_sub(1));
            let inside = self.text.get(start..end).unwrap_or_default();
            let end = if inside.trim_matches(' ').is_empty() { end } else { start };
            return Ok(vec![Splice { start, end, text: entry }]);
        };
        let end = last.end.max(key.end);
        if !flow {
            let at = self.end_of_line(end);
            return one(
                at,
                format!("{}{}{entry}", self.line_break(at), " ".repeat(self.column(first.start))),
            );
        }
        let lines = self.is_first_on_its_line(key.start)
            && self.text.get(end..map.end).is_some_and(|rest| rest.contains('\n'));
        if !lines {
            return one(end, format!(", {entry}"));
        }
        let comma = self
            .text
            .get(end..map.end)
            .is_some_and(|rest| rest.trim_start_matches([' ', '\t']).starts_with(','));
        let at = self.end_of_line(end);
        let new = format!("{}{}{entry}", self.line_break(at), " ".repeat(self.column(key.start)));
        Ok(if comma {
            vec![Splice { start: at, end: at, text: format!("{new},") }]
        } else {
            let comma = Splice { start: end, end, text: ",".to_owned() };
            vec![comma, Splice { start: at, end: at, text: new }]
        })
    }

    /// Nothing but values would be lost between a byte and a value's end.
    fn without_comments(&self, from: usize, part: &Part) -> Result<(), Refusal> {
        let mut kept = String::new();
        let mut at = from;
        let mut leaf = |leaf: &Part| {
            kept.push_str(self.text.get(at..leaf.start.max(at)).unwrap_or_default());
            at = leaf.end.max(at);
        };
        leaves(part, &mut leaf);
        kept.push_str(self.text.get(at..part.end.max(at)).unwrap_or_default());
        if kept.contains('#') { Err(Refusal::Comments { line: line(self.text, from) }) } else { Ok(()) }
    }

    fn start_of_line(&self, at: usize) -> usize {
        self.text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
    }

    /// Where the line ends that a byte is in, before its line break.
    fn end_of_line(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        at + if line.len() < rest.len() { line.strip_suffix('\r').unwrap_or(line).len() } else { line.len() }
    }

    fn is_first_on_its_line(&self, at: usize) -> bool {
        self.text.get(self.start_of_line(at)..at).is_some_and(|before| before.trim_matches(' ').is_empty())
    }

    /// Characters before a byte in its line.
    fn column(&self, at: usize) -> usize {
        self.text.get(self.start_of_line(at)..at).map_or(0, |before| before.chars().count())
    }

    /// The line break that ends the line of a byte; in the last line that of the first one.
    fn line_break(&self, at: usize) -> &'static str {
        let of =
            |text: &str| text.find('\n').map(|at| text.get(..at).is_some_and(|line| line.ends_with('\r')));
        let here = self.text.get(at..).and_then(of);
        match here.or_else(|| of(self.text)) {
            Some(true) => "\r\n",
            _ => "\n",
        }
    }
}

/// Keys and scalars below a value, in the order of the text.
fn leaves(part: &Part, found: &mut impl FnMut(&Part)) {
    match &part.style {
        Style::Map { entries, .. } => {
            for (key, value) in entries {
                let written =
                    Part { start: key.start, end: key.end, anchor: 0, tagged: false, style: Style::Plain };
                found(&written);
                leaves(value, found);
            }
        }
        Style::List { items, .. } => items.iter().for_each(|item| leaves(item, found)),
        _ => found(part),
    }
}
