//! `yamlencode`: YAML as libyaml writes it, every string in quotation marks or, if it has lines, as a block.

use crate::source::Value;
use crate::terraform::number;
use crate::terraform::operators::unknown_within;

use super::{Arguments, Outcome, Refusal};

/// The column behind which a quoted string goes on in the next line.
const WIDTH: usize = 80;
/// Characters of the longest key that stands on one line with its value.
const LONGEST_KEY: usize = 128;

pub(super) fn encode(arguments: &mut Arguments) -> Outcome {
    let value = arguments.nullable()?;
    if let Some(reason) = unknown_within(&value) {
        return Err(Refusal::Unknown(reason));
    }
    let mut writer = Writer::default();
    writer.node(&value, 0, false, 0);
    writer.text.push('\n');
    // A word alone could go on in the next line; the mark says that it does not.
    if matches!(value, Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Decimal(_)) {
        writer.text.push_str("...\n");
    }
    let text = writer.text;
    // A block ends with the line break that ended it already.
    Ok(Value::Str(text.replace(BLOCK_END_WITH_BREAK, "").replace(BLOCK_END, "").into()))
}

/// Marks the end of a block, which brings its own line break.
const BLOCK_END: &str = "\u{f8fe}";
const BLOCK_END_WITH_BREAK: &str = "\u{f8fe}\n";

#[derive(Default)]
struct Writer {
    text: String,
}

impl Writer {
    fn column(&self) -> usize {
        self.text.rsplit('\n').next().unwrap_or("").chars().count()
    }

    fn line(&mut self, indent: usize) {
        self.text.push('\n');
        self.text.push_str(&" ".repeat(indent));
    }

    /// A value at the cursor. Lines of its own begin at `indent`; text goes on at `deeper`.
    fn node(&mut self, value: &Value, indent: usize, key: bool, above: usize) {
        match value {
            Value::List(items) if items.is_empty() => self.text.push_str("[]"),
            Value::Map(map) if map.entries.is_empty() => self.text.push_str("{}"),
            Value::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.line(indent);
                    }
                    self.text.push_str("- ");
                    self.node(&item.value, indent + 2, false, indent);
                }
            }
            Value::Map(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_by(|left, right| left.0.cmp(right.0));
                for (at, (name, entry)) in entries.into_iter().enumerate() {
                    if at > 0 {
                        self.line(indent);
                    }
                    self.entry(name, &entry.node.value, indent);
                }
            }
            Value::Str(text) => self.string(text, above + 2, key),
            value => {
                let word = match value {
                    Value::Bool(true) => "true".into(),
                    Value::Bool(false) => "false".into(),
                    value => number::text(value).unwrap_or_else(|| "null".into()),
                };
                self.text.push_str(&word);
            }
        }
    }

    fn entry(&mut self, name: &str, value: &Value, indent: usize) {
        let simple = name.len() <= LONGEST_KEY && !name.contains('\n');
        if simple {
            self.string(name, indent + 2, true);
            self.text.push(':');
        } else {
            self.text.push_str("? ");
            self.string(name, indent + 2, false);
            self.line(indent);
            self.text.push(':');
        }
        let nested = match value {
            Value::List(items) => !items.is_empty(),
            Value::Map(map) => !map.entries.is_empty(),
            _ => false,
        };
        if !nested {
            self.text.push(' ');
            self.node(value, indent + 2, false, indent);
        } else if simple {
            // A list stands as far left as its key.
            let inner = if matches!(value, Value::List(_)) { indent } else { indent + 2 };
            self.line(inner);
            self.node(value, inner, false, inner);
        } else {
            self.text.push(' ');
            self.node(value, indent + 2, false, indent);
        }
    }

    fn string(&mut self, text: &str, indent: usize, key: bool) {
        if text.contains('\n') && !key && is_block(text) {
            self.block(text, indent);
        } else {
            self.quoted(text, indent, !key);
        }
    }

    fn block(&mut self, text: &str, indent: usize) {
        self.text.push('|');
        if text.starts_with([' ', '\n']) {
            self.text.push('2');
        }
        let kept = text == "\n" || text.ends_with("\n\n");
        if kept {
            self.text.push('+');
        } else if !text.ends_with('\n') {
            self.text.push('-');
        }
        let body = text.strip_suffix('\n').unwrap_or(text);
        for line in body.split('\n') {
            self.text.push('\n');
            if !line.is_empty() {
                self.text.push_str(&" ".repeat(indent));
                self.text.push_str(line);
            }
        }
        if text.ends_with('\n') {
            self.text.push('\n');
            self.text.push_str(BLOCK_END);
        }
    }

    fn quoted(&mut self, text: &str, indent: usize, breaks: bool) {
        self.text.push('"');
        let letters: Vec<char> = text.chars().collect();
        let mut spaced = false;
        let mut column = self.column();
        for (at, letter) in letters.iter().enumerate() {
            let before = self.text.len();
            if *letter == ' ' {
                let inside = at > 0 && at + 1 < letters.len();
                if breaks && !spaced && column > WIDTH && inside {
                    self.line(indent);
                    column = indent;
                    if letters.get(at + 1) == Some(&' ') {
                        self.text.push('\\');
                        column += 1;
                    }
                } else {
                    self.text.push(' ');
                    column += 1;
                }
                spaced = true;
                continue;
            }
            spaced = false;
            match escape(*letter) {
                Some(escape) => self.text.push_str(&escape),
                None => self.text.push(*letter),
            }
            column += self.text.get(before..).map_or(0, |added| added.chars().count());
        }
        self.text.push('"');
    }
}

/// Whether text can be a block: every letter can be printed, and no line ends with a space.
fn is_block(text: &str) -> bool {
    !text.ends_with(' ')
        && !text.contains(" \n")
        && text
            .chars()
            .all(|letter| letter == '\n' || escape(letter).is_none() || matches!(letter, '"' | '\\'))
}

/// How a letter is written that does not stand for itself.
fn escape(letter: char) -> Option<String> {
    let code = u32::from(letter);
    Some(match letter {
        '\0' => "\\0".to_owned(),
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\r' => "\\r".to_owned(),
        '\u{1b}' => "\\e".to_owned(),
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\u{85}' => "\\N".to_owned(),
        '\u{2028}' => "\\L".to_owned(),
        '\u{2029}' => "\\P".to_owned(),
        ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' => return None,
        _ if code <= 0xFF => format!("\\x{code:02X}"),
        _ if code <= 0xFFFF => format!("\\u{code:04X}"),
        _ => format!("\\U{code:08X}"),
    })
}
