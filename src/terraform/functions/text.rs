//! Functions on strings.

use crate::source::{Node, Value};
use crate::terraform::operators::{to_bool, to_text, unknown, unknown_within};

use super::{Arguments, Outcome, Refusal, encode};

pub(super) fn call(name: &str, arguments: &mut Arguments) -> Outcome {
    if name == "format" {
        return format(arguments);
    }
    let first = arguments.text()?;
    let result: String = match name {
        "lower" => first.to_lowercase(),
        "upper" => first.to_uppercase(),
        "trimspace" => first.trim().to_owned(),
        "chomp" => first.trim_end_matches(['\n', '\r']).to_owned(),
        "title" => {
            let mut start = true;
            first
                .chars()
                .map(|letter| {
                    let upper = start;
                    start = !letter.is_alphanumeric();
                    if upper { letter.to_uppercase().collect::<String>() } else { letter.to_string() }
                })
                .collect()
        }
        "trimprefix" => {
            let affix = arguments.text()?;
            first.strip_prefix(&*affix).unwrap_or(&first).to_owned()
        }
        "trimsuffix" => {
            let affix = arguments.text()?;
            first.strip_suffix(&*affix).unwrap_or(&first).to_owned()
        }
        "startswith" => return Ok(Value::Bool(first.starts_with(&*arguments.text()?))),
        "endswith" => return Ok(Value::Bool(first.ends_with(&*arguments.text()?))),
        "substr" => {
            let (offset, length) = (arguments.whole()?, arguments.whole()?);
            let Ok(offset) = usize::try_from(offset) else {
                return Err(Refusal::Unknown("substr from the end is not evaluated".into()));
            };
            let rest = first.chars().skip(offset);
            match usize::try_from(length) {
                Ok(length) => rest.take(length).collect(),
                Err(_) => rest.collect(),
            }
        }
        "join" => {
            let mut pieces = Vec::new();
            while arguments.items.len() > 0 {
                for item in arguments.list()? {
                    if let Some(reason) = unknown(&item.value) {
                        return Err(Refusal::Unknown(reason));
                    }
                    pieces.push(to_text(&item.value).ok_or(Refusal::Failed("needs strings"))?);
                }
            }
            pieces.join(&*first)
        }
        "split" => {
            let whole = arguments.text()?;
            let span = arguments.span;
            let pieces: Vec<Node> = if whole.is_empty() {
                vec![Node::string(span, "")]
            } else if first.is_empty() {
                whole.chars().map(|letter| Node::string(span, letter.to_string())).collect()
            } else {
                whole.split(&*first).map(|piece| Node::string(span, piece)).collect()
            };
            return Ok(Value::List(pieces));
        }
        _ => {
            let (pattern, with) = (arguments.text()?, arguments.text()?);
            if pattern.len() > 1 && pattern.starts_with('/') && pattern.ends_with('/') {
                return Err(Refusal::Unknown("replace with a regular expression is not evaluated".into()));
            }
            first.replace(&*pattern, &with)
        }
    };
    Ok(Value::Str(result.into()))
}

/// `format` with the verbs `%s`, `%d`, `%v`, `%q`, `%t`, `%f` and `%%`, zero padding and width.
fn format(arguments: &mut Arguments) -> Outcome {
    let pattern = arguments.text()?;
    let mut result = String::new();
    let mut rest = &*pattern;
    while let Some((before, after)) = rest.split_once('%') {
        result.push_str(before);
        let flags = after.len() - after.trim_start_matches(['0', '-']).len();
        let (flags, after) = after.split_at(flags);
        let digits = after.len() - after.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
        let (width, after) = after.split_at(digits);
        let (precision, after) = match after.strip_prefix('.') {
            Some(after) => {
                let digits =
                    after.len() - after.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
                let (precision, after) = after.split_at(digits);
                (Some(precision.parse::<usize>().unwrap_or(0)), after)
            }
            None => (None, after),
        };
        let mut letters = after.chars();
        let verb = letters.next().ok_or(Refusal::Failed("the format ends in the middle of a verb"))?;
        rest = letters.as_str();
        let width: usize = if width.is_empty() { 0 } else { width.parse().unwrap_or(usize::MAX) };
        if width > 1000 || precision.is_some_and(|digits| verb != 'f' || digits > 100) {
            return Err(Refusal::Unknown("this width or precision of format is not evaluated".into()));
        }
        let piece = match verb {
            '%' => "%".to_owned(),
            's' => arguments.text()?.to_string(),
            'd' => arguments.whole()?.to_string(),
            't' => to_bool(&arguments.known()?).ok_or(Refusal::Failed("%t needs a boolean"))?.to_string(),
            'f' => format!("{:.*}", precision.unwrap_or(6), arguments.number()?),
            'q' => serde_json::Value::String(arguments.text()?.to_string()).to_string(),
            'v' => {
                let value = arguments.known()?;
                match to_text(&value) {
                    Some(text) => text.to_string(),
                    None if unknown_within(&value).is_none() => encode(&Node::new(arguments.span, value)),
                    None => return Err(Refusal::Unknown("an argument is known only in part".into())),
                }
            }
            _ => return Err(Refusal::Unknown(format!("format verb %{verb} is not evaluated").into())),
        };
        let missing = width.saturating_sub(piece.chars().count());
        if flags.contains('-') {
            result.push_str(&piece);
            result.push_str(&" ".repeat(missing));
        } else if let (true, Some(digits)) = (flags.contains('0'), piece.strip_prefix('-')) {
            result.push('-');
            result.push_str(&"0".repeat(missing));
            result.push_str(digits);
        } else {
            result.push_str(&if flags.contains('0') { "0" } else { " " }.repeat(missing));
            result.push_str(&piece);
        }
    }
    result.push_str(rest);
    Ok(Value::Str(result.into()))
}
