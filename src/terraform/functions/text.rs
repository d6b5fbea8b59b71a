//! Functions on strings. Characters are what people count as one: grapheme clusters.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization as _, is_nfc_quick};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::source::Value;

use super::{Arguments, Outcome, Refusal, bounded, text_value, texts};

/// Text as Terraform holds it: composed (NFC).
pub(in crate::terraform) fn normalized(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == unicode_normalization::IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

pub(super) fn call(name: &str, arguments: &mut Arguments) -> Outcome {
    if name == "indent" {
        let spaces = arguments.whole()?;
        let text = arguments.text()?;
        let spaces = usize::try_from(spaces).ok().filter(|spaces| *spaces <= 10_000);
        bounded(text.len().saturating_add(text.matches('\n').count().saturating_mul(spaces.unwrap_or(0))))?;
        let pad = " ".repeat(spaces.ok_or(Refusal::Failed("needs a number of spaces"))?);
        return Ok(text_value(text.replace('\n', &format!("\n{pad}"))));
    }
    let first = arguments.text()?;
    Ok(match name {
        "lower" => text_value(lower(&first)),
        "upper" => text_value(upper(&first)),
        "title" => text_value(title(&first)),
        "trimspace" => text_value(first.trim_matches(is_space)),
        "chomp" => text_value(first.trim_end_matches(['\n', '\r'])),
        "strrev" => text_value(first.graphemes(true).rev().collect::<String>()),
        "trim" => {
            let cutset = arguments.text()?;
            text_value(first.trim_matches(|letter| cutset.contains(letter)))
        }
        "trimprefix" => {
            let affix = arguments.text()?;
            text_value(first.strip_prefix(&*affix).unwrap_or(&first))
        }
        "trimsuffix" => {
            let affix = arguments.text()?;
            text_value(first.strip_suffix(&*affix).unwrap_or(&first))
        }
        "startswith" => Value::Bool(first.starts_with(&*arguments.text()?)),
        "endswith" => Value::Bool(first.ends_with(&*arguments.text()?)),
        "strcontains" => Value::Bool(first.contains(&*arguments.text()?)),
        "substr" => return substr(&first, arguments),
        "join" => {
            let mut pieces = Vec::new();
            if !arguments.are_left() {
                return Err(Refusal::Failed("needs a list"));
            }
            while arguments.are_left() {
                pieces.extend(arguments.texts()?);
            }
            text_value(pieces.join(&*first))
        }
        _ => {
            let whole = arguments.text()?;
            let span = arguments.span;
            // A piece of a list is some hundred bytes.
            bounded(whole.len().saturating_mul(8))?;
            if first.is_empty() {
                texts(span, whole.chars().map(|letter| normalized(&letter.to_string()).into_owned()))
            } else {
                texts(span, whole.split(&*first).map(normalized))
            }
        }
    })
}

fn substr(text: &str, arguments: &mut Arguments) -> Outcome {
    let (offset, length) = (arguments.whole()?, arguments.whole()?);
    let letters: Vec<&str> = text.graphemes(true).collect();
    let count = i64::try_from(letters.len()).unwrap_or(i64::MAX);
    // From the end, but never before the start.
    let start = if offset < 0 { (count + offset).max(0) } else { offset };
    let end = if length < 0 { count } else { start.saturating_add(length).min(count) };
    let position = |at: i64| usize::try_from(at).unwrap_or(usize::MAX);
    Ok(text_value(letters.get(position(start)..position(end)).unwrap_or(&[]).concat()))
}

/// What Unicode calls white space, which is what Terraform trims.
fn is_space(letter: char) -> bool {
    letter.is_whitespace()
}

/// One letter for one letter: `ß` has no such upper case and stays.
fn upper_letter(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => match u32::from(letter) {
            // Greek letters with iota: their upper case, one letter, stands beside them.
            code @ (0x1F80..=0x1FAF) => char::from_u32(code | 8).unwrap_or(letter),
            0x1FB3 => '\u{1FBC}',
            0x1FC3 => '\u{1FCC}',
            0x1FF3 => '\u{1FFC}',
            _ => letter,
        },
    }
}

fn upper(text: &str) -> String {
    text.chars().map(upper_letter).collect()
}

fn lower(text: &str) -> String {
    // The first letter of what is written with several is the one Terraform takes.
    text.chars().map(|letter| letter.to_lowercase().next().unwrap_or(letter)).collect()
}

/// The letter that begins a word: of the digraphs only their first half is large.
fn title_letter(letter: char) -> char {
    match letter {
        'Ǆ'..='ǆ' => 'ǅ',
        'Ǉ'..='ǉ' => 'ǈ',
        'Ǌ'..='ǌ' => 'ǋ',
        'Ǳ'..='ǳ' => 'ǲ',
        _ => upper_letter(letter),
    }
}

fn title(text: &str) -> String {
    let separates = |letter: char| {
        if letter.is_ascii() {
            !letter.is_ascii_alphanumeric() && letter != '_'
        } else {
            letter.is_whitespace()
        }
    };
    let mut start = true;
    text.chars()
        .map(|letter| {
            let first = start;
            start = separates(letter);
            if first { title_letter(letter) } else { letter }
        })
        .collect()
}
