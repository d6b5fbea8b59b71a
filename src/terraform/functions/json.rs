//! `jsondecode`, and JSON as Terraform writes it.

use std::sync::Arc;

use crate::source::{Map, Node, Span, Value};
use crate::terraform::number::{self, Number};

use super::{Arguments, Outcome, Refusal, normalized};

/// Levels within levels past which a text is no configuration.
const DEEPEST: usize = 120;

/// JSON as Terraform writes it: keys sorted, `<`, `>` and `&` escaped. What is not known is `null`.
pub(super) fn encode(value: &Value) -> String {
    let mut json = String::new();
    write(value, &mut json);
    json
}

fn write(value: &Value, json: &mut String) {
    match value {
        Value::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
        Value::Str(text) => write_text(text, json),
        Value::List(items) => {
            json.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                write(&item.value, json);
            }
            json.push(']');
        }
        Value::Map(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|left, right| left.0.cmp(right.0));
            json.push('{');
            for (at, (key, entry)) in entries.into_iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                write_text(key, json);
                json.push(':');
                write(&entry.node.value, json);
            }
            json.push('}');
        }
        value => json.push_str(number::text(value).as_deref().unwrap_or("null")),
    }
}

/// JSON as Go writes it of a structure: keys in their order, each thing on a line of its own if `indented`.
pub(in crate::terraform) fn ordered(value: &Value, indented: bool) -> String {
    let mut json = String::new();
    write_ordered(value, indented.then_some(0), &mut json);
    json
}

fn write_ordered(value: &Value, depth: Option<usize>, json: &mut String) {
    let line = |depth: Option<usize>, json: &mut String| {
        if let Some(depth) = depth {
            json.push('\n');
            json.push_str(&"  ".repeat(depth));
        }
    };
    let inner = depth.map(|depth| depth + 1);
    match value {
        Value::List(items) if !items.is_empty() => {
            json.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                line(inner, json);
                write_ordered(&item.value, inner, json);
            }
            line(depth, json);
            json.push(']');
        }
        Value::Map(map) if !map.entries.is_empty() => {
            json.push('{');
            for (at, (key, entry)) in map.iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                line(inner, json);
                write_text(key, json);
                json.push_str(if depth.is_some() { ": " } else { ":" });
                write_ordered(&entry.node.value, inner, json);
            }
            line(depth, json);
            json.push('}');
        }
        other => write(other, json),
    }
}

fn write_text(text: &str, json: &mut String) {
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                json.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ => json.push(letter),
        }
    }
    json.push('"');
}

pub(super) fn decode(arguments: &mut Arguments) -> Outcome {
    let text = arguments.text()?;
    let mut reader = Reader { rest: &text, span: arguments.span };
    let value = reader.value(0).filter(|_| reader.trimmed().is_empty());
    value.ok_or(Refusal::Failed("the text is not JSON"))
}

/// Reads numbers with all their digits, which the JSON of other trees does not need.
struct Reader<'t> {
    rest: &'t str,
    span: Span,
}

impl<'t> Reader<'t> {
    fn trimmed(&mut self) -> &'t str {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.rest
    }

    fn take(&mut self, sign: &str) -> bool {
        match self.trimmed().strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        match self.trimmed().chars().next()? {
            '{' => self.object(depth).map(Value::Map),
            '[' => self.array(depth),
            '"' => self.text().map(Value::Str),
            '-' | '0'..='9' => self.number(),
            _ => [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
                .into_iter()
                .find_map(|(word, value)| self.take(word).then_some(value)),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Map> {
        let mut map = Map::default();
        self.take("{");
        if self.take("}") {
            return Some(map);
        }
        loop {
            self.trimmed();
            let key = self.text()?;
            if !self.take(":") {
                return None;
            }
            let value = self.value(depth + 1)?;
            map.insert(key, self.span, Node::new(self.span, value));
            if self.take("}") {
                return Some(map);
            }
            if !self.take(",") {
                return None;
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        self.take("[");
        if self.take("]") {
            return Some(Value::List(items.into()));
        }
        loop {
            let value = self.value(depth + 1)?;
            items.push(Node::new(self.span, value));
            if self.take("]") {
                return Some(Value::List(items.into()));
            }
            if !self.take(",") {
                return None;
            }
        }
    }

    fn text(&mut self) -> Option<Arc<str>> {
        let inner = self.rest.strip_prefix('"')?;
        let mut escaped = false;
        let end = inner.char_indices().find_map(|(at, letter)| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends.then_some(at)
        })?;
        let (literal, rest) = self.rest.split_at_checked(end + 2)?;
        self.rest = rest;
        let text: String = serde_json::from_str(literal).ok()?;
        Some(normalized(&text).into())
    }

    fn number(&mut self) -> Option<Value> {
        let length = self
            .rest
            .find(|letter: char| !matches!(letter, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        // The grammar is serde_json's, the digits are Terraform's.
        serde_json::from_str::<serde::de::IgnoredAny>(digits).ok()?;
        match Number::parse(digits)?.to_value() {
            Value::Int(0) if digits.starts_with('-') => Some(Value::Float(-0.0)),
            value => Some(value),
        }
    }
}
