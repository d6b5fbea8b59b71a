//! Values as YAML text that this crate's reader, and every other one, reads as just these values.

use serde_json::Value;

/// What is around a value that is written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Around {
    /// The file is JSON: everything has double quotes.
    pub(super) json: bool,
    /// The quotes of the text it stands instead of.
    pub(super) quotes: Option<char>,
}

/// A value on one line.
pub(super) fn value(value: &Value, around: Around) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => string(text, around),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| self::value(item, around)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(name, value)| entry(name, &self::value(value, around), around))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// `key: value`.
pub(super) fn entry(name: &str, value: &str, around: Around) -> String {
    format!("{}: {value}", string(name, Around { quotes: None, ..around }))
}

/// `value` below the keys of `path`, the inner ones in braces.
pub(super) fn chain(path: &[&str], value: &Value, around: Around) -> String {
    let inner = self::value(value, around);
    path.iter().rev().fold(inner, |inner, name| format!("{{{}}}", entry(name, &inner, around)))
}

fn string(text: &str, around: Around) -> String {
    if around.json {
        return Value::from(text).to_string();
    }
    let printable = text.chars().all(is_printable);
    match around.quotes {
        Some('\'') if printable => format!("'{}'", text.replace('\'', "''")),
        None if is_plain(text) => text.to_owned(),
        _ => double_quoted(text),
    }
}

/// Words that some reader of YAML takes for something else than a text.
const RESERVED: [&str; 11] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"];

/// Texts that need no quotes in any place: they begin with a letter, and hold nothing that YAML reads as a sign.
fn is_plain(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte))
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str())
}

/// What YAML lets stand in a quoted text of one line as it is (chapter 5.1).
fn is_printable(char: char) -> bool {
    !char.is_control() && !matches!(char, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn double_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            char if is_printable(char) => quoted.push(char),
            char => quoted.push_str(&format!("\\u{:04x}", u32::from(char))),
        }
    }
    quoted.push('"');
    quoted
}
