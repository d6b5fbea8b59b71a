//! `regex`, `regexall` and `replace`: patterns in the syntax of RE2, where `\d` and its like are ASCII.

use regex::{Captures, Regex, RegexBuilder};

use crate::source::{Map, Node, Span, Value};

use super::{Arguments, Outcome, Refusal, bounded, list, normalized, text_value};

/// Bytes a compiled pattern may take.
const LARGEST: usize = 1 << 22;

pub(super) fn call(name: &str, arguments: &mut Arguments) -> Outcome {
    let first = arguments.text()?;
    let second = arguments.text()?;
    let span = arguments.span;
    match name {
        "replace" => {
            let with = arguments.text()?;
            let inner = second.strip_prefix('/').and_then(|inner| inner.strip_suffix('/'));
            Ok(text_value(match inner.filter(|_| second.len() > 1) {
                Some(pattern) => {
                    let pattern = compiled(pattern)?;
                    // Every dollar sign may stand for the whole text that was found.
                    let groups = with.matches('$').count().saturating_mul(first.len());
                    let count = pattern.find_iter(&first).count();
                    bounded(count.saturating_mul(with.len()).saturating_add(groups))?;
                    replaced(&pattern, &first, &with)
                }
                None => {
                    bounded(first.matches(&*second).count().saturating_mul(with.len()))?;
                    first.replace(&*second, &with)
                }
            }))
        }
        "regex" => {
            let pattern = compiled(&first)?;
            let found = pattern.captures(&second).ok_or(Refusal::Failed("the pattern does not match"))?;
            Ok(captured(&pattern, &found, span)?)
        }
        _ => {
            bounded(second.len().saturating_mul(8))?;
            let pattern = compiled(&first)?;
            let all = pattern.captures_iter(&second);
            let items: Result<Vec<Node>, Refusal> =
                all.map(|found| Ok(Node::new(span, captured(&pattern, &found, span)?))).collect();
            Ok(list(items?))
        }
    }
}

/// What a match gives: the text, or its groups as a list, or those with names as an object.
fn captured(pattern: &Regex, found: &Captures<'_>, span: Span) -> Outcome {
    let text = |at: usize| match found.get(at) {
        Some(group) => Value::Str(normalized(group.as_str()).into()),
        None => Value::Null,
    };
    let names: Vec<Option<&str>> = pattern.capture_names().skip(1).collect();
    if names.is_empty() {
        return Ok(text(0));
    }
    if names.iter().all(Option::is_none) {
        return Ok(Value::List((1..=names.len()).map(|at| Node::new(span, text(at))).collect()));
    }
    let mut groups = Map::default();
    for (at, name) in names.into_iter().enumerate() {
        let name = name.ok_or(Refusal::Failed("either all groups of a pattern have names, or none"))?;
        groups.insert(name, span, Node::new(span, text(at + 1)));
    }
    Ok(Value::Map(groups))
}

/// Replaces every match. `$1` and `${name}` stand for groups; a group that is not there is empty.
fn replaced(pattern: &Regex, text: &str, with: &str) -> String {
    pattern.replace_all(text, with).into_owned()
}

fn compiled(pattern: &str) -> Result<Regex, Refusal> {
    let failed = Refusal::Failed("the pattern is no regular expression");
    let pattern = translated(pattern)?;
    RegexBuilder::new(&pattern).size_limit(LARGEST).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => Refusal::Unknown("the pattern is too large to evaluate".into()),
        _ => failed,
    })
}

/// A pattern of RE2 in the syntax of the `regex` crate.
fn translated(pattern: &str) -> Result<String, Refusal> {
    let mut result = String::new();
    let mut rest = pattern;
    // What a repetition just ended with: RE2 allows no second one.
    let mut repeated = false;
    while let Some(letter) = rest.chars().next() {
        let after = rest.get(letter.len_utf8()..).unwrap_or("");
        let mut repeats = false;
        match letter {
            '\\' => rest = escape(after, &mut result, false)?,
            '[' => rest = class(after, &mut result)?,
            '*' | '+' | '?' => {
                if repeated {
                    return Err(Refusal::Failed("a repetition of a repetition is no regular expression"));
                }
                result.push(letter);
                rest = lazy(after, &mut result);
                repeats = true;
            }
            '{' => match bounds(after) {
                Some(end) => {
                    if repeated {
                        return Err(Refusal::Failed("a repetition of a repetition is no regular expression"));
                    }
                    result.push_str(rest.get(..end + 1).unwrap_or(""));
                    rest = lazy(after.get(end..).unwrap_or(""), &mut result);
                    repeats = true;
                }
                None => {
                    result.push_str("\\{");
                    rest = after;
                }
            },
            '(' if after.starts_with('?') => {
                // Only the flags that RE2 has.
                let flags = after.trim_start_matches(['?', '-', 'i', 'm', 's', 'U']);
                if !flags.starts_with([':', ')', 'P', '<']) {
                    return Err(Refusal::Failed("the pattern has a group that RE2 does not know"));
                }
                result.push('(');
                rest = after;
                // The question mark belongs to the group.
                result.push('?');
                rest = rest.get(1..).unwrap_or("");
            }
            '}' | ']' => {
                result.push('\\');
                result.push(letter);
                rest = after;
            }
            _ => {
                result.push(letter);
                rest = after;
            }
        }
        repeated = repeats;
    }
    Ok(result)
}

fn lazy<'t>(after: &'t str, result: &mut String) -> &'t str {
    match after.strip_prefix('?') {
        Some(after) => {
            result.push('?');
            after
        }
        None => after,
    }
}

/// The length of `2,5}` if the text begins so.
fn bounds(text: &str) -> Option<usize> {
    let end = text.find('}')?;
    let inner = text.get(..end)?;
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    (!least.is_empty() && digits(least) && digits(most)).then_some(end + 1)
}

/// What follows a backslash.
fn escape<'t>(after: &'t str, result: &mut String, in_class: bool) -> Result<&'t str, Refusal> {
    let failed = Refusal::Failed("the pattern ends in a backslash");
    let letter = after.chars().next().ok_or(failed)?;
    let rest = after.get(letter.len_utf8()..).unwrap_or("");
    let (inside, alone) = match letter {
        'd' => ("0-9", "[0-9]"),
        'w' => ("0-9A-Za-z_", "[0-9A-Za-z_]"),
        's' => (r"\t\n\x0C\r ", r"[\t\n\x0C\r ]"),
        'D' => ("[^0-9]", "[^0-9]"),
        'W' => ("[^0-9A-Za-z_]", "[^0-9A-Za-z_]"),
        'S' => (r"[^\t\n\x0C\r ]", r"[^\t\n\x0C\r ]"),
        'b' if !in_class => ("", r"(?-u:\b)"),
        'B' if !in_class => {
            return Err(Refusal::Unknown("\\B in a pattern is not evaluated".into()));
        }
        'C' => return Err(Refusal::Unknown("\\C in a pattern is not evaluated".into())),
        'Q' if !in_class => {
            let (literal, rest) = rest.split_once("\\E").unwrap_or((rest, ""));
            result.push_str(&regex::escape(literal));
            return Ok(rest);
        }
        '0'..='7' => {
            let length = rest.bytes().take(2).take_while(|digit| (b'0'..=b'7').contains(digit)).count();
            if letter != '0' && length == 0 {
                return Err(Refusal::Failed("RE2 has no references to groups"));
            }
            let digits = after.get(..=length).unwrap_or("0");
            let code = u32::from_str_radix(digits, 8).unwrap_or(0);
            result.push_str(&format!("\\x{{{code:x}}}"));
            return Ok(rest.get(length..).unwrap_or(""));
        }
        'a' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' | 'p' | 'P' => {
            result.push('\\');
            result.push(letter);
            return Ok(rest);
        }
        'A' | 'z' if !in_class => {
            result.push('\\');
            result.push(letter);
            return Ok(rest);
        }
        _ if letter.is_ascii_punctuation() => {
            result.push_str(&escaped(letter));
            return Ok(rest);
        }
        _ => return Err(Refusal::Failed("the pattern has an escape that RE2 does not know")),
    };
    result.push_str(if in_class { inside } else { alone });
    Ok(rest)
}

/// A sign that stands for itself.
fn escaped(letter: char) -> String {
    match letter {
        // A backslash before these means a border of a word.
        '<' | '>' => letter.to_string(),
        _ => format!("\\{letter}"),
    }
}

/// A class from behind its bracket: what means an operation on sets there stands for itself in RE2.
fn class<'t>(after: &'t str, result: &mut String) -> Result<&'t str, Refusal> {
    let unclosed = || Refusal::Failed("a class in the pattern is not closed");
    result.push('[');
    let mut rest = after;
    if let Some(after) = rest.strip_prefix('^') {
        result.push('^');
        rest = after;
    }
    let mut first = true;
    loop {
        let letter = rest.chars().next().ok_or_else(unclosed)?;
        let after = rest.get(letter.len_utf8()..).unwrap_or("");
        match letter {
            ']' if !first => {
                result.push(']');
                return Ok(after);
            }
            '[' if after.starts_with(':') => {
                let end = after.find(":]").ok_or_else(unclosed)? + 2;
                result.push('[');
                result.push_str(after.get(..end).unwrap_or(""));
                rest = after.get(end..).unwrap_or("");
            }
            '\\' => rest = escape(after, result, true)?,
            '[' | ']' | '&' | '~' => {
                result.push('\\');
                result.push(letter);
                rest = after;
            }
            '-' if first || after.starts_with(']') => {
                result.push_str("\\-");
                rest = after;
            }
            _ => {
                result.push(letter);
                rest = after;
            }
        }
        first = false;
    }
}
