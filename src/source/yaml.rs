//! YAML 1.2 (core schema) and JSON into the spanned tree, straight from parser events.
//!
//! Stricter than YAML where YAML surprises: only `true` and `false` are booleans, `0123` and `1_000` are strings. What other
//! tools read is read as they do: [`Dialect`].
//! Aliases and merge keys are followed within a budget, so that a few bytes cannot become gigabytes.

pub(crate) mod recorded;

use std::ops::Range;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::{Entry, FileId, Finding, Map, Node, SourceFile, Span, Value, fault};

/// Nodes a file may expand to, aliases followed.
const MAX_NODES: usize = 2_000_000;
/// Levels of nesting; Kubernetes' own schemas stay under 30.
const MAX_DEPTH: usize = 100;

/// What reading a YAML text gave.
#[derive(Debug, Default)]
pub struct Documents {
    /// One tree a document; a document cut off by a syntax error is missing.
    pub documents: Vec<Node>,
    /// Syntax errors, duplicate keys, exceeded budgets.
    pub findings: Vec<Finding>,
    /// Whether the text was read to its end. If not, what is missing may only be unread.
    pub complete: bool,
}

/// How words without quotes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// As people mean them: only `true` and `false` are booleans, `0123` and `1_000` are strings.
    Plain,
    /// As `kubectl` does, which keeps to YAML 1.1: `yes`, `on` and `n` are booleans too, `0644` is an octal number.
    Kubectl,
    /// As `kustomize` does: numbers like `kubectl`, booleans like everybody; and a block at the end of a text that has no
    /// last line break has none either.
    Kustomize,
}

/// Reads every document of a text: of YAML, or of JSON values one after the other, as `kubectl` takes them.
pub fn read(id: FileId, file: &SourceFile) -> Documents {
    read_as(id, file, Dialect::Plain)
}

/// The same in a dialect.
pub fn read_as(id: FileId, file: &SourceFile, dialect: Dialect) -> Documents {
    let values = json_values(file.text());
    if values.len() < 2 {
        return read_one(id, file, dialect);
    }
    let mut all = Documents { complete: true, ..Documents::default() };
    for value in values {
        let start = value.start;
        let text = file.text().get(value).unwrap_or_default();
        let mut read = read_one(id, &SourceFile::new(file.path(), text.to_owned()), dialect);
        read.documents.iter_mut().for_each(|document| shift(document, start));
        for finding in &mut read.findings {
            finding.span = later(finding.span, start);
            finding.related.iter_mut().for_each(|related| related.span = later(related.span, start));
        }
        all.documents.extend(read.documents);
        all.findings.extend(read.findings);
        all.complete &= read.complete;
    }
    all
}

/// Where the values of a text stand that is nothing but JSON values.
fn json_values(text: &str) -> Vec<Range<usize>> {
    if !text.trim_start().starts_with('{') {
        return Vec::new();
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let mut values = Vec::new();
    let mut start = 0;
    loop {
        let blank = text.get(start..).map_or(0, |rest| rest.len() - rest.trim_start().len());
        match stream.next() {
            Some(Ok(_)) => values.push(start + blank..stream.byte_offset()),
            // A fault is named at its place where the whole is read as YAML, which JSON is too.
            Some(Err(_)) => return Vec::new(),
            None => return values,
        }
        start = stream.byte_offset();
    }
}

fn later(span: Span, by: usize) -> Span {
    Span::new(span.file, span.start as usize + by, span.end as usize + by)
}

fn shift(node: &mut Node, by: usize) {
    node.span = later(node.span, by);
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| shift(item, by)),
        Value::Map(map) => {
            for entry in map.entries.values_mut() {
                entry.key = later(entry.key, by);
                shift(&mut entry.node, by);
            }
        }
        _ => {}
    }
}

fn read_one(id: FileId, file: &SourceFile, dialect: Dialect) -> Documents {
    let mut builder = Builder::new(id, file, dialect);
    let mut parser = Parser::new_from_str(file.text());
    let mut complete = true;
    while let Some(next) = parser.next_event() {
        let step = match next {
            Ok((event, span)) => {
                let (start, end) = (builder.offset(&span.start), builder.offset(&span.end));
                builder.event(event, start, end)
            }
            Err(error) => {
                builder.findings.push(syntax(id, file, &error));
                Err(Stop)
            }
        };
        if step.is_err() {
            complete = false;
            break;
        }
    }
    Documents { documents: builder.documents, findings: builder.findings, complete }
}

/// Reading cannot go on; the finding that says why is already recorded.
struct Stop;

fn syntax(id: FileId, file: &SourceFile, error: &ScanError) -> Finding {
    let mut at = file.offset(error.marker().line(), error.marker().col());
    let mut help = "check the indentation and the quotes of this line and the one before it";
    // The scanner stops before a tab it trips over; the tab is what to look at.
    if error.info().contains("tab")
        && let Some(tab) = indenting_tab(file.text(), at)
    {
        at = tab;
        help = "indent with spaces; YAML does not allow tabs there";
    } else if error.info().contains("anchor") {
        help = "an alias (`*name`) repeats what an anchor (`&name`) marked before it; put a text that begins with * in quotes";
    }
    let message = match error.info() {
        "mapping values are not allowed in this context" => {
            help = "indent the line like the one before it; a text with `: ` in it needs quotes";
            "a `key: value` cannot stand here"
        }
        "invalid indentation in quoted scalar" => {
            help = "close the quotation mark that is open here";
            "a text in quotation marks goes on in a line that is not indented"
        }
        said => said,
    };
    let rest = file.text().get(at..).unwrap_or("");
    let length = rest.chars().next().filter(|next| *next != '\n').map_or(0, char::len_utf8);
    let message = format!("not valid YAML: {message}");
    Finding::fault(fault::YAML_SYNTAX, Span::new(id, at, at + length), message)
        .label("the parser stopped here")
        .help(help)
}

/// The first tab that indents a line at or after the line of `from`.
fn indenting_tab(text: &str, from: usize) -> Option<usize> {
    let start = text.get(..from)?.rfind('\n').map_or(0, |newline| newline + 1);
    let mut at = start;
    for line in text.get(start..)?.split_inclusive('\n') {
        let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line.get(..blank).and_then(|blank| blank.find('\t')) {
            return Some(at + tab);
        }
        at += line.len();
    }
    None
}

enum Frame {
    List { start: usize, anchor: usize, items: Vec<Node> },
    Map { start: usize, anchor: usize, map: Map, key: Option<(Arc<str>, Span)>, merges: Vec<Node> },
}

struct Builder<'a> {
    id: FileId,
    file: &'a SourceFile,
    ascii: bool,
    dialect: Dialect,
    stack: Vec<Frame>,
    anchors: Vec<Option<Node>>,
    nodes: usize,
    last_end: usize,
    documents: Vec<Node>,
    findings: Vec<Finding>,
}

impl<'a> Builder<'a> {
    fn new(id: FileId, file: &'a SourceFile, dialect: Dialect) -> Self {
        Self {
            id,
            file,
            dialect,
            ascii: file.text().is_ascii(),
            stack: Vec::new(),
            anchors: Vec::new(),
            nodes: 0,
            last_end: 0,
            documents: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// The parser counts characters; in ASCII text these are bytes.
    fn offset(&self, marker: &Marker) -> usize {
        if self.ascii {
            marker.index().min(self.file.text().len())
        } else {
            self.file.offset(marker.line(), marker.col())
        }
    }

    /// Takes an event, with the bytes at which it begins and ends.
    fn event(&mut self, event: Event<'_>, start: usize, end: usize) -> Result<(), Stop> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            Event::Alias(anchor) => {
                let span = Span::new(self.id, start, end);
                let found = self.anchors.get(anchor).cloned().flatten();
                let Some(mut node) = found else {
                    self.findings.push(
                        Finding::fault(
                            fault::YAML_SYNTAX,
                            span,
                            "an alias to an anchor that is not complete here",
                        )
                        .help("define the anchor (`&name`) before the alias (`*name`), outside of itself"),
                    );
                    return Err(Stop);
                };
                self.count(count_nodes(&node), span)?;
                node.span = span;
                self.value(node)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let span = Span::new(self.id, start, end);
                self.count(1, span)?;
                if let Some(Frame::Map { key: key @ None, .. }) = self.stack.last_mut() {
                    self.last_end = end;
                    // A key that is a boolean becomes the word for it.
                    let old = (self.dialect == Dialect::Kubectl && style == ScalarStyle::Plain)
                        .then(|| old_boolean(&text))
                        .flatten();
                    let name = match old {
                        Some(true) => "true",
                        Some(false) => "false",
                        None => text.as_ref(),
                    };
                    *key = Some((name.into(), span));
                    return Ok(());
                }
                let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let open = self.dialect == Dialect::Kustomize
                    && block
                    && end >= self.file.text().len()
                    && !self.file.text().ends_with('\n');
                let text = if open { text.strip_suffix('\n').unwrap_or(&text) } else { &text };
                let node = Node::new(span, scalar(text, style, tag.as_deref(), self.dialect));
                self.anchor(anchor, &node);
                self.value(node)
            }
            Event::SequenceStart(anchor, _) => {
                self.open(start)?;
                self.stack.push(Frame::List { start, anchor, items: Vec::new() });
                Ok(())
            }
            Event::MappingStart(anchor, _) => {
                self.open(start)?;
                self.stack.push(Frame::Map {
                    start,
                    anchor,
                    map: Map::default(),
                    key: None,
                    merges: Vec::new(),
                });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(start, end),
        }
    }

    fn open(&mut self, start: usize) -> Result<(), Stop> {
        let span = Span::new(self.id, start, start);
        self.count(1, span)?;
        if self.stack.len() >= MAX_DEPTH {
            self.findings.push(
                Finding::fault(fault::BUDGET, span, format!("nested more than {MAX_DEPTH} levels deep"))
                    .help("flatten this part; no schema this tool reads nests as deep"),
            );
            return Err(Stop);
        }
        if let Some(Frame::Map { key: None, .. }) = self.stack.last() {
            self.findings.push(
                Finding::fault(
                    fault::YAML_SYNTAX,
                    span,
                    "a mapping key has to be a plain word, not a list or mapping",
                )
                .help("a `{{ ... }}` in a value needs quotes around it, or YAML reads it as a mapping"),
            );
            return Err(Stop);
        }
        Ok(())
    }

    fn close(&mut self, start: usize, end: usize) -> Result<(), Stop> {
        // A flow collection ends with its bracket; a block one where its last value ended.
        let end = if end > start { end } else { self.last_end };
        match self.stack.pop() {
            Some(Frame::List { start, anchor, items }) => {
                let node = Node::new(Span::new(self.id, start, end.max(start)), Value::List(items.into()));
                self.anchor(anchor, &node);
                self.value(node)
            }
            Some(Frame::Map { start, anchor, mut map, merges, .. }) => {
                for merged in merges {
                    self.merge(&mut map, merged);
                }
                let node = Node::new(Span::new(self.id, start, end.max(start)), Value::Map(map));
                self.anchor(anchor, &node);
                self.value(node)
            }
            None => Ok(()),
        }
    }

    /// `<<: *defaults`: keys that the mapping itself has win.
    fn merge(&mut self, map: &mut Map, merged: Node) {
        match merged.value {
            Value::Map(from) => {
                for (key, entry) in from.into_entries() {
                    map.entries.entry(key).or_insert(entry);
                }
            }
            Value::List(items) => items.into_iter().for_each(|item| self.merge(map, item)),
            _ => self.findings.push(
                Finding::fault(
                    fault::WRONG_TYPE,
                    merged.span,
                    "a merge key (`<<`) takes a mapping or a list of them",
                )
                .help("write `<<: *anchor`"),
            ),
        }
    }

    fn anchor(&mut self, anchor: usize, node: &Node) {
        // Anchor ids start at 1; 0 means none.
        if anchor > 0 {
            if self.anchors.len() <= anchor {
                self.anchors.resize(anchor + 1, None);
            }
            if let Some(slot) = self.anchors.get_mut(anchor) {
                *slot = Some(node.clone());
            }
        }
    }

    fn count(&mut self, nodes: usize, span: Span) -> Result<(), Stop> {
        self.nodes += nodes;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        self.findings.push(
            Finding::fault(
                fault::BUDGET,
                span,
                format!("the document expands to more than {MAX_NODES} values"),
            )
            .label("this alias or value is one too many")
            .help("remove nested aliases: each level multiplies the ones below it"),
        );
        Err(Stop)
    }

    fn value(&mut self, node: Node) -> Result<(), Stop> {
        self.last_end = self.last_end.max(node.span.end as usize);
        match self.stack.last_mut() {
            None => self.documents.push(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map { map, key, merges, .. }) => match key.take() {
                Some((name, _)) if &*name == "<<" => merges.push(node),
                Some((name, span)) => {
                    if let Some(first) = map.entries.get(&name) {
                        let finding = Finding::fault(
                            fault::DUPLICATE_KEY,
                            span,
                            format!("the key `{name}` stands twice in one mapping"),
                        )
                        .label("second time here")
                        .related(first.key, format!("`{name}` first stands here"))
                        .help("keep one of the two; YAML would silently take one of them");
                        self.findings.push(finding);
                    } else {
                        map.entries.insert(name, Entry { key: span, node });
                    }
                }
                None => {
                    self.findings.push(
                        Finding::fault(fault::YAML_SYNTAX, node.span, "a mapping key has to be a plain word")
                            .help("write the key as text"),
                    );
                    return Err(Stop);
                }
            },
        }
        Ok(())
    }
}

fn count_nodes(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(items) => items.iter().map(count_nodes).sum(),
        Value::Map(map) => map.iter().map(|(_, entry)| count_nodes(&entry.node)).sum(),
        _ => 0,
    }
}

/// The core schema of YAML 1.2 (chapter 10.3.2), less what people write meaning text.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, dialect: Dialect) -> Value {
    if let Some(tag) = tag
        && tag.is_yaml_core_schema()
        && tag.suffix == "str"
    {
        return Value::Str(text.into());
    }
    if style != ScalarStyle::Plain {
        return Value::Str(text.into());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    if let (Dialect::Kubectl, Some(value)) = (dialect, old_boolean(text)) {
        return Value::Bool(value);
    }
    let old = if dialect == Dialect::Plain { None } else { old_number(text) };
    old.or_else(|| number(text)).unwrap_or_else(|| Value::Str(text.into()))
}

/// What is a boolean in YAML 1.1 alone.
fn old_boolean(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// What is a whole number in YAML 1.1 alone: `0644`, `0b11`, `1_000`.
fn old_number(text: &str) -> Option<Value> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|first: char| first.is_ascii_digit()) || digits.ends_with('_') {
        return None;
    }
    let plain = digits.replace('_', "");
    let parsed = match (plain.strip_prefix("0b"), plain.strip_prefix('0')) {
        (Some(binary), _) => i64::from_str_radix(binary, 2),
        (None, Some(octal)) if !octal.is_empty() && octal.bytes().all(|digit| digit.is_ascii_digit()) => {
            // `089` is no octal number, and so a decimal one.
            i64::from_str_radix(octal, 8).or_else(|_| octal.parse())
        }
        _ if plain.len() < digits.len() => plain.parse(),
        _ => return None,
    };
    parsed.ok().map(|number| Value::Int(sign * number))
}

fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let first = digits.bytes().next()?;
    if !first.is_ascii_digit() && first != b'.' {
        return None;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok().map(Value::Int);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return i64::from_str_radix(octal, 8).ok().map(Value::Int);
    }
    let leading_zero =
        digits.len() > 1 && first == b'0' && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    if leading_zero
        || !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return None;
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Value::Int);
    }
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float)
}
