//! How a YAML text says what it says: styles, anchors, and the exact bytes of each value, which the tree leaves out.

use std::collections::BTreeSet;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// A value as it is written.
#[derive(Debug)]
pub(super) struct Part {
    /// Its first byte; of a value in block style the first byte of its first entry.
    pub(super) start: usize,
    /// One past its last byte, without the line break behind it.
    pub(super) end: usize,
    /// The anchor in front of it, 0 for none.
    pub(super) anchor: usize,
    /// Whether a tag says what it is.
    pub(super) tagged: bool,
    pub(super) style: Style,
}

#[derive(Debug)]
pub(super) enum Style {
    /// A scalar without quotes; of no length where nothing is written.
    Plain,
    /// A scalar in these quotes.
    Quoted(char),
    /// A scalar over several lines, `|` or `>`. `start` is that of its first line, not of the header.
    Text,
    /// `*name`.
    Alias,
    Map {
        flow: bool,
        entries: Vec<(Key, Part)>,
    },
    List {
        flow: bool,
        items: Vec<Part>,
    },
}

/// A key as it is written.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) quoted: bool,
}

/// A text's first document.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) root: Part,
    /// Anchors that something repeats.
    pub(super) repeated: BTreeSet<usize>,
}

/// Reads the first document of a text, which has been read without a fault before. `None` where a mapping's key is no
/// plain word.
pub(super) fn read(text: &str) -> Option<Shape> {
    let mut builder =
        Builder { text, bytes: offsets(text), open: Vec::new(), root: None, repeated: BTreeSet::new() };
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let (event, span) = next.ok()?;
        builder.event(event, span.start.index(), span.end.index())?;
        if let Some(root) = builder.root.take() {
            // Aliases repeat anchors of their own document only.
            return Some(Shape { root, repeated: builder.repeated });
        }
    }
    None
}

/// The parser counts characters. Where each of them begins; empty if that is its number.
fn offsets(text: &str) -> Vec<usize> {
    if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(at, _)| at).collect() }
}

struct Open {
    part: Part,
    key: Option<Key>,
}

struct Builder<'a> {
    text: &'a str,
    bytes: Vec<usize>,
    open: Vec<Open>,
    /// The document, once it is read.
    root: Option<Part>,
    repeated: BTreeSet<usize>,
}

impl Builder<'_> {
    fn byte(&self, char: usize) -> usize {
        if self.bytes.is_empty() {
            return char.min(self.text.len());
        }
        self.bytes.get(char).copied().unwrap_or(self.text.len())
    }

    /// `None` ends the reading.
    fn event(&mut self, event: Event<'_>, start: usize, end: usize) -> Option<()> {
        let (start, end) = (self.byte(start), self.byte(end));
        match event {
            Event::Alias(anchor) => {
                self.repeated.insert(anchor);
                let end = start + self.text.get(start..end)?.trim_end().len();
                self.take(Part { start, end, anchor: 0, tagged: false, style: Style::Alias })
            }
            Event::Scalar(name, style, anchor, tag) => {
                let (start, end, style) = self.scalar(start, end, style, name.ends_with("\n\n"))?;
                if let Some(Open { part: Part { style: Style::Map { .. }, .. }, key: key @ None }) =
                    self.open.last_mut()
                {
                    let quoted = matches!(style, Style::Quoted(_));
                    *key = Some(Key { name: name.into_owned(), start, end, quoted });
                    return Some(());
                }
                self.take(Part { start, end, anchor, tagged: tag.is_some(), style })
            }
            Event::SequenceStart(anchor, tag) => {
                let (start, flow) = self.bracket(start, end, '[');
                let style = Style::List { flow, items: Vec::new() };
                self.push(Part { start, end: start, anchor, tagged: tag.is_some(), style })
            }
            Event::MappingStart(anchor, tag) => {
                let (start, flow) = self.bracket(start, end, '{');
                let style = Style::Map { flow, entries: Vec::new() };
                self.push(Part { start, end: start, anchor, tagged: tag.is_some(), style })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Open { mut part, key: None } = self.open.pop()? else { return None };
                part.end = match &part.style {
                    Style::Map { flow: true, .. } => self.closing(start, '}')?,
                    Style::List { flow: true, .. } => self.closing(start, ']')?,
                    Style::Map { entries, .. } => entries.last().map_or(part.end, |(_, last)| last.end),
                    Style::List { items, .. } => items.last().map_or(part.end, |last| last.end),
                    _ => return None,
                };
                self.take(part)
            }
            _ => Some(()),
        }
    }

    fn push(&mut self, part: Part) -> Option<()> {
        // A mapping or list as a key has no name a path could say.
        if matches!(self.open.last(), Some(Open { part: Part { style: Style::Map { .. }, .. }, key: None })) {
            return None;
        }
        self.open.push(Open { part, key: None });
        Some(())
    }

    fn take(&mut self, mut part: Part) -> Option<()> {
        let text = self.text;
        match self.open.last_mut() {
            None => self.root = Some(part),
            Some(Open { part: Part { style: Style::List { items, .. }, .. }, .. }) => items.push(part),
            Some(Open { part: Part { style: Style::Map { entries, .. }, .. }, key }) => {
                let key = key.take()?;
                if part.start == part.end && matches!(part.style, Style::Plain) {
                    // Where nothing is written it would stand behind the colon.
                    let at = colon(text, key.end).map_or(key.end, |colon| colon + 1);
                    (part.start, part.end) = (at, at);
                }
                entries.push((key, part));
            }
            Some(_) => return None,
        }
        Some(())
    }

    /// Where a collection begins, and whether brackets stand around it. Its span holds anchor and tag, the bracket, and
    /// sometimes the comment behind it.
    fn bracket(&self, start: usize, end: usize, bracket: char) -> (usize, bool) {
        let start = self.behind_properties(start, end);
        let flow = self.text.get(start..end).is_some_and(|written| written.starts_with(bracket));
        if flow { (start, true) } else { (end, false) }
    }

    /// Where a value begins behind its anchor and tag.
    fn behind_properties(&self, mut start: usize, end: usize) -> usize {
        while let Some(rest) = self.text.get(start..end).filter(|rest| rest.starts_with(['&', '!'])) {
            let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let blank = rest.get(word..).unwrap_or_default();
            start += word + blank.len() - blank.trim_start().len();
        }
        start
    }

    /// One past the closing bracket at or behind `from`, which may stand on a comma before it.
    fn closing(&self, from: usize, bracket: char) -> Option<usize> {
        let mut comment = false;
        for (at, char) in self.text.get(from..)?.char_indices() {
            match char {
                '\n' | '\r' => comment = false,
                _ if comment => {}
                '#' => comment = true,
                _ if char == bracket => return Some(from + at + 1),
                ' ' | '\t' | ',' => {}
                _ => return None,
            }
        }
        None
    }

    /// The bytes of a scalar without what the parser adds: anchor and tag in front, blanks and comments behind.
    /// `kept`: empty lines at its end are part of it.
    fn scalar(
        &self,
        start: usize,
        end: usize,
        style: ScalarStyle,
        kept: bool,
    ) -> Option<(usize, usize, Style)> {
        let mut start = start;
        let written = |from: usize| self.text.get(from..end.max(from));
        if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            start = self.behind_properties(start, end);
        }
        Some(match style {
            ScalarStyle::Plain => {
                let text = written(start)?.trim_end_matches([' ', '\t', '\r', '\n', ',']);
                (start, start + text.len(), Style::Plain)
            }
            ScalarStyle::SingleQuoted => (start, self.quoted(start, '\'')?, Style::Quoted('\'')),
            ScalarStyle::DoubleQuoted => (start, self.quoted(start, '"')?, Style::Quoted('"')),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                // Sometimes the indentation of the next line belongs to the span.
                let text = written(start)?.trim_end_matches(' ');
                let line =
                    text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
                let text = if kept { line } else { text.trim_end() };
                (start, start + text.len(), Style::Text)
            }
        })
    }

    /// One past the quotation mark that closes the one at `start`.
    fn quoted(&self, start: usize, mark: char) -> Option<usize> {
        let rest = self.text.get(start..)?.strip_prefix(mark)?;
        let mut chars = rest.char_indices().peekable();
        while let Some((at, char)) = chars.next() {
            if mark == '"' && char == '\\' {
                chars.next();
            } else if char == mark {
                if mark == '\'' && chars.peek().is_some_and(|(_, next)| *next == mark) {
                    chars.next();
                } else {
                    return Some(start + 1 + at + 1);
                }
            }
        }
        None
    }
}

/// The colon behind a key.
pub(super) fn colon(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    rest.get(blank..)?.starts_with(':').then_some(from + blank)
}
