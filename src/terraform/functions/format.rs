//! `format` and `formatlist`.

use num_bigint::BigInt;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::source::{Node, Value};
use crate::terraform::number::Number;
use crate::terraform::operators::{to_bool, to_decimal, to_text, unknown_within};

use super::{Arguments, Outcome, Refusal, bounded, json, list, text_value};

/// Width and precision past which no pattern is meant.
const WIDEST: usize = 10_000;

pub(super) fn call(name: &str, arguments: &mut Arguments) -> Outcome {
    let pattern = arguments.text()?;
    let rest: Vec<Node> = arguments.items.by_ref().collect();
    if name == "format" {
        let values: Vec<&Value> = rest.iter().map(|argument| &argument.value).collect();
        return format(&pattern, &values);
    }
    let lengths: Vec<usize> = rest
        .iter()
        .filter_map(|argument| match &argument.value {
            Value::List(items) if unknown_within_text(&argument.value) => Some(items.len()),
            _ => None,
        })
        .collect();
    if let Some(reason) = rest.iter().find_map(|argument| match &argument.value {
        // It may be a list of any length.
        value @ (Value::Unknown(_) | Value::Reference(_)) => unknown_within(value),
        _ => None,
    }) {
        return Err(Refusal::Unknown(reason));
    }
    let count = lengths.first().copied().unwrap_or(1);
    if lengths.iter().any(|length| *length != count) {
        return Err(Refusal::Failed("needs lists of one length"));
    }
    bounded(count.saturating_mul(pattern.len()))?;
    let mut lines = Vec::with_capacity(count);
    for at in 0..count {
        let values: Vec<&Value> = rest
            .iter()
            .map(|argument| match &argument.value {
                Value::List(items) if unknown_within_text(&argument.value) => {
                    items.get(at).map_or(&Value::Null, |item| &item.value)
                }
                value => value,
            })
            .collect();
        let line = match format(&pattern, &values) {
            Ok(line) => line,
            Err(Refusal::Unknown(reason)) => Value::Unknown(reason),
            Err(failed) => return Err(failed),
        };
        lines.push(Node::new(arguments.span, line));
    }
    Ok(list(lines))
}

/// Whether a list is one to Terraform, and not text that is known in part.
fn unknown_within_text(value: &Value) -> bool {
    crate::terraform::operators::unknown(value).is_none()
}

/// A verb with all that stands between it and its percent sign.
#[derive(Default)]
struct Verb<'p> {
    letter: char,
    /// Of `0#-+ ` those that stand behind the percent sign.
    flags: &'p str,
    argument: Option<usize>,
    width: Option<usize>,
    precision: Option<usize>,
}

impl Verb<'_> {
    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }
}

fn format(pattern: &str, values: &[&Value]) -> Outcome {
    if let Some(reason) = values.iter().find_map(|value| unknown_within(value)) {
        return Err(Refusal::Unknown(reason));
    }
    let mut result = String::new();
    let (mut next, mut used) = (0, 0);
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('%') {
        result.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            result.push('%');
            rest = after;
            continue;
        }
        let (verb, after) = verb(after)?;
        rest = after;
        let at = verb.argument.unwrap_or(next);
        next = at + 1;
        used = used.max(next);
        let value = values.get(at).ok_or(Refusal::Failed("needs more arguments"))?;
        result.push_str(&piece(&verb, value)?);
    }
    if used < values.len() {
        return Err(Refusal::Failed("has more arguments than verbs"));
    }
    result.push_str(rest);
    Ok(text_value(result))
}

fn verb(text: &str) -> Result<(Verb<'_>, &str), Refusal> {
    let mut verb = Verb::default();
    let mut rest = text;
    let flags = rest.len() - rest.trim_start_matches(['0', '#', '-', '+', ' ']).len();
    (verb.flags, rest) = rest.split_at(flags);
    (verb.width, rest) = digits(rest)?;
    if let Some(after) = rest.strip_prefix('.') {
        (verb.precision, rest) = digits(after)?;
        // `%.f` is `%.0f`.
        verb.precision.get_or_insert(0);
    }
    if let Some(after) = rest.strip_prefix('[') {
        let (argument, after) = digits(after)?;
        let argument = argument.and_then(|argument| argument.checked_sub(1));
        verb.argument = Some(argument.ok_or(Refusal::Failed("needs the number of an argument, from 1"))?);
        rest = after.strip_prefix(']').ok_or(Refusal::Failed("`]` is missing in a verb"))?;
    }
    verb.letter = rest
        .chars()
        .next()
        .filter(char::is_ascii_alphabetic)
        .ok_or(Refusal::Failed("the format has an incomplete verb"))?;
    Ok((verb, rest.get(1..).unwrap_or("")))
}

fn digits(text: &str) -> Result<(Option<usize>, &str), Refusal> {
    let length = text.len() - text.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    let (number, rest) = text.split_at(length);
    if number.is_empty() {
        return Ok((None, rest));
    }
    let number = number.parse().ok().filter(|number| *number <= WIDEST);
    number
        .map(|number| (Some(number), rest))
        .ok_or_else(|| Refusal::Unknown("this width of format is not evaluated".into()))
}

fn piece(verb: &Verb<'_>, value: &Value) -> Result<String, Refusal> {
    if *value == Value::Null && verb.letter != 'v' {
        return Err(Refusal::Failed("null has no such format"));
    }
    match verb.letter {
        'v' => Ok(padded(
            verb,
            match value {
                Value::Str(text) if !verb.has('#') => text.to_string(),
                _ => match Number::of(value).filter(|_| !verb.has('#')) {
                    Some(_) if is_negative_zero(value) => "-0".to_owned(),
                    Some(number) => number.to_general(None),
                    None => json::encode(value),
                },
            },
        )),
        't' => Ok(to_bool(value).ok_or(Refusal::Failed("%t needs a boolean"))?.to_string()),
        's' | 'q' => {
            let text = to_text(value).ok_or(Refusal::Failed("%s needs a string"))?;
            let text = match verb.precision {
                Some(most) if most > 0 => text.graphemes(true).take(most).collect(),
                _ => text.to_string(),
            };
            let text = if verb.letter == 'q' { json::encode(&Value::Str(text.into())) } else { text };
            Ok(padded(verb, text))
        }
        'b' | 'd' | 'o' | 'x' | 'X' => {
            let number = to_decimal(value).ok_or(Refusal::Failed("%d needs a number"))?;
            let whole = number.to_whole().ok_or(Refusal::Failed("%d needs a whole number"))?;
            Ok(integer(verb, &whole))
        }
        'e' | 'E' | 'f' | 'g' | 'G' => {
            let number = to_decimal(value).ok_or(Refusal::Failed("%f needs a number"))?;
            let text = match verb.letter {
                'e' | 'E' => number.to_exponential(Some(verb.precision.unwrap_or(6))),
                'f' => number.to_fixed(verb.precision.unwrap_or(6)),
                _ => number.to_general(verb.precision),
            };
            let text = if is_negative_zero(value) { format!("-{text}") } else { text };
            let text = if verb.letter.is_ascii_uppercase() { text.to_uppercase() } else { text };
            Ok(signed(verb, &text, verb.has('0')))
        }
        _ => Err(Refusal::Failed("the format has a verb that Terraform does not know")),
    }
}

fn is_negative_zero(value: &Value) -> bool {
    matches!(value, Value::Float(number) if *number == 0.0 && number.is_sign_negative())
}

fn integer(verb: &Verb<'_>, whole: &BigInt) -> String {
    let (radix, prefix) = match verb.letter {
        'b' => (2, "0b"),
        'o' => (8, "0"),
        'x' => (16, "0x"),
        'X' => (16, "0X"),
        _ => (10, ""),
    };
    let mut digits = whole.magnitude().to_str_radix(radix);
    if verb.letter == 'X' {
        digits = digits.to_uppercase();
    }
    if let Some(least) = verb.precision {
        digits = format!("{digits:0>least$}");
    }
    if verb.has('#') {
        digits = format!("{prefix}{digits}");
    }
    let sign = if whole.sign() == num_bigint::Sign::Minus { "-" } else { "" };
    // With a precision, the width is filled with spaces.
    signed(verb, &format!("{sign}{digits}"), verb.has('0') && verb.precision.is_none())
}

/// A number with its sign, filled up to the width: zeros stand behind the sign.
fn signed(verb: &Verb<'_>, number: &str, zeros: bool) -> String {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None if verb.has('+') => ("+", number),
        None if verb.has(' ') => (" ", number),
        None => ("", number),
    };
    let missing = verb.width.unwrap_or(0).saturating_sub(sign.len() + digits.len());
    if verb.has('-') {
        format!("{sign}{digits}{}", " ".repeat(missing))
    } else if zeros {
        format!("{sign}{}{digits}", "0".repeat(missing))
    } else {
        format!("{}{sign}{digits}", " ".repeat(missing))
    }
}

/// Text filled up to the width.
fn padded(verb: &Verb<'_>, text: String) -> String {
    let missing = verb.width.unwrap_or(0).saturating_sub(text.graphemes(true).count());
    if missing == 0 {
        return text;
    }
    let pad = if verb.has('0') { "0" } else { " " }.repeat(missing);
    if verb.has('-') { text + &pad } else { pad + &text }
}
