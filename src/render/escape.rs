//! Values as literals of the languages we write.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

/// A value where it does not fit: a fault of the template.
pub(super) fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// A value as every language here writes it; minijinja's own words for booleans are Python's.
pub(super) fn plain(value: &Value) -> String {
    if value.kind() == ValueKind::Bool { value.is_true().to_string() } else { value.to_string() }
}

/// An HCL literal. Written here because hcl-rs prints a string that looks like a template as a template, unescaped:
/// a value of the blueprint would become an expression. Interpolation (`${`) and directives (`%{`) are escaped
/// (developer.hashicorp.com/terraform/language/expressions/strings).
pub(super) fn hcl(value: &Value) -> Result<String, Error> {
    Ok(match value.kind() {
        ValueKind::None => "null".to_owned(),
        ValueKind::Bool | ValueKind::Number => plain(value),
        ValueKind::String => format!("\"{}\"", hcl_inside(value.as_str().unwrap_or_default())),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<String> = value.try_iter()?.map(|item| hcl(&item)).collect::<Result<_, _>>()?;
            format!("[{}]", items.join(", "))
        }
        ValueKind::Map => {
            let mut lines = String::new();
            for key in value.try_iter()? {
                let inner = value.get_item(&key)?;
                lines.push_str(&format!("\n{} = {}", hcl_key(&key), hcl(&inner)?));
            }
            if lines.is_empty() { "{}".to_owned() } else { format!("{{{lines}\n}}") }
        }
        kind => return Err(invalid(format!("a {kind} has no HCL literal"))),
    })
}

fn hcl_key(key: &Value) -> String {
    let text = key.to_string();
    let identifier = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && text.starts_with(|first: char| first.is_ascii_alphabetic());
    if identifier { text } else { format!("\"{}\"", hcl_inside(&text)) }
}

/// The inside of a quoted HCL string.
pub(super) fn hcl_inside(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' => {
                out.push(char);
                // A marker is doubled only in front of its brace; `$${` after a doubled one stays as it is.
                if chars.peek() == Some(&'{') {
                    out.push(char);
                }
            }
            control if control.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out
}

/// A YAML scalar, or a flow collection.
pub(super) fn yaml(value: &Value) -> String {
    match value.kind() {
        ValueKind::None | ValueKind::Undefined => "null".to_owned(),
        ValueKind::Bool | ValueKind::Number => plain(value),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<String> = value.try_iter().into_iter().flatten().map(|item| yaml(&item)).collect();
            format!("[{}]", items.join(", "))
        }
        ValueKind::Map => {
            let entries: Vec<String> = value
                .try_iter()
                .into_iter()
                .flatten()
                .map(|key| format!("{}: {}", yaml(&key), yaml(&value.get_item(&key).unwrap_or_default())))
                .collect();
            if entries.is_empty() { "{}".to_owned() } else { format!("{{{}}}", entries.join(", ")) }
        }
        _ => yaml_string(&value.to_string()),
    }
}

/// Plain where no YAML reader, of 1.1 or 1.2, takes it for anything but a string.
fn yaml_string(text: &str) -> String {
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_./-".contains(&byte))
        && !reserved.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { format!("\"{}\"", yaml_inside(text)) }
}

/// The inside of a double-quoted YAML string (YAML 1.2, chapter 5.7).
pub(super) fn yaml_inside(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(char)));
            }
            control if control.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out
}

/// A collection as block YAML below its key, every line indented; empty ones stay on the key's line.
pub(super) fn yaml_block(value: &Value, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let mut out = String::new();
    match value.kind() {
        ValueKind::Map if value.len().unwrap_or(0) > 0 => {
            for key in value.try_iter().into_iter().flatten() {
                let inner = value.get_item(&key).unwrap_or_default();
                out.push_str(&format!("\n{pad}{}:", yaml(&key)));
                out.push_str(&nested(&inner, indent + 2));
            }
        }
        ValueKind::Seq | ValueKind::Iterable if value.len().unwrap_or(1) > 0 => {
            for item in value.try_iter().into_iter().flatten() {
                let inner = nested(&item, indent + 2);
                // The first line of a nested collection moves up behind the dash.
                let inner = inner
                    .strip_prefix(&format!("\n{pad}  "))
                    .map_or(inner.clone(), |rest| format!(" {rest}"));
                out.push_str(&format!("\n{pad}-{inner}"));
            }
        }
        _ => out.push_str(&format!(" {}", yaml(value))),
    }
    out
}

fn nested(value: &Value, indent: usize) -> String {
    match value.kind() {
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable => yaml_block(value, indent),
        _ => format!(" {}", yaml(value)),
    }
}

/// One shell word; a list is a word each.
pub(super) fn shell(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::String | ValueKind::Number | ValueKind::Bool => Ok(shell_word(&plain(value))),
        ValueKind::Seq | ValueKind::Iterable => {
            let words: Vec<String> = value.try_iter()?.map(|item| shell(&item)).collect::<Result<_, _>>()?;
            Ok(words.join(" "))
        }
        kind => Err(invalid(format!("a {kind} is no shell word"))),
    }
}

fn shell_word(text: &str) -> String {
    let plain = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_./:@%+=,-".contains(&byte));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\0', "").replace('\'', r"'\''")) }
}

/// The inside of a double-quoted shell string.
pub(super) fn shell_inside(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars().filter(|char| *char != '\0') {
        if "\"\\$`".contains(char) {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

/// Text in Markdown, on one line.
pub(super) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() {
            out.push(' ');
            continue;
        }
        if "\\`*_{}[]<>#|!".contains(char) {
            out.push('\\');
        }
        out.push(char);
    }
    out
}
