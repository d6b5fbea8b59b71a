//! The facts of an inline waiver: `owner=jane@bank.example ticket=RISK-12 expires=2027-01-31 reason="..."`.

use super::{Claim, Fault};
use crate::source::did_you_mean;

/// What an inline waiver can say.
const FACTS: [&str; 5] = ["owner", "ticket", "expires", "reason", "container"];

/// What an inline waiver says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Policy and subject are not among them: the place says the one, the word before or the key the other.
    pub(super) claim: Claim,
    /// The containers it is narrowed to.
    pub(super) containers: Vec<String>,
    /// What is not well formed.
    pub(super) faults: Vec<Fault>,
}

/// Reads `name=value` pairs, separated by blanks or semicolons. A value with blanks or semicolons in it stands in
/// double quotes (`\"` and `\\` inside); without them it reaches to the next fact, a semicolon or the end.
pub(super) fn read(text: &str) -> Facts {
    let mut facts = Facts::default();
    let mut seen: Vec<&str> = Vec::new();
    let mut rest = text.trim_start_matches(between);
    while !rest.is_empty() {
        let Some((name, after)) = pair(rest) else {
            let word = rest.split(between).next().unwrap_or(rest);
            let known = did_you_mean(word.split('=').next().unwrap_or(word), FACTS);
            facts.fault(
                format!("`{word}` is no fact of a waiver"),
                known.map_or_else(
                    || "write owner=..., ticket=..., expires=... and reason=\"...\"".to_owned(),
                    |close| format!("did you mean `{close}=`?"),
                ),
            );
            rest = rest.get(word.len()..).unwrap_or("").trim_start_matches(between);
            continue;
        };
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => match unquote(quoted) {
                Some(read) => read,
                None => {
                    facts.fault(
                        format!("the quotation mark after `{name}=` is never closed"),
                        "close it on this line or on a comment line that follows".to_owned(),
                    );
                    (quoted.to_owned(), "")
                }
            },
            None => {
                let end = end_of_plain(after);
                (after.get(..end).unwrap_or("").trim().to_owned(), after.get(end..).unwrap_or(""))
            }
        };
        if seen.contains(&name) {
            facts.fault(format!("`{name}=` stands twice"), "keep one of the two".to_owned());
        }
        seen.push(name);
        facts.set(name, value);
        rest = after.trim_start_matches(between);
    }
    facts
}

/// Whether the text ends inside quotation marks.
pub(super) fn is_open(text: &str) -> bool {
    let mut open = false;
    let mut escaped = false;
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if open => escaped = true,
            '"' => open = !open,
            _ => {}
        }
    }
    open
}

/// Whether a text begins with a fact.
pub(super) fn begins(text: &str) -> bool {
    pair(text.trim_start()).is_some()
}

impl Facts {
    fn fault(&mut self, message: String, help: String) {
        self.faults.push(Fault { at: "reason", message, help });
    }

    fn set(&mut self, name: &str, value: String) {
        let word = match name {
            "reason" => {
                self.claim.reason = value.split_whitespace().collect::<Vec<_>>().join(" ");
                return;
            }
            "container" => {
                let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
                self.containers.extend(names.map(str::to_owned));
                return;
            }
            "owner" => &mut self.claim.owner,
            "ticket" => &mut self.claim.ticket,
            _ => &mut self.claim.expires,
        };
        *word = value;
        // `ticket=RISK-12 onwer=jane`: what looks like a fact and is none must not become part of another.
        let strange = word.split_whitespace().skip(1).find(|part| part.contains('=')).map(str::to_owned);
        if let Some(strange) = strange {
            let name = strange.split('=').next().unwrap_or("").to_owned();
            self.fault(
                format!("`{name}=` is no fact of a waiver"),
                did_you_mean(&name, FACTS).map_or_else(
                    || format!("known are: {}", FACTS.join(", ")),
                    |close| format!("did you mean `{close}=`?"),
                ),
            );
        }
    }
}

fn between(character: char) -> bool {
    character == ';' || character.is_whitespace()
}

/// A known name before an equals sign, and what follows it.
fn pair(text: &str) -> Option<(&'static str, &str)> {
    FACTS.iter().find_map(|name| {
        let rest = text.strip_prefix(name)?.trim_start().strip_prefix('=')?;
        Some((*name, rest.trim_start()))
    })
}

/// Where a value without quotes ends: at once, if the next fact follows.
fn end_of_plain(text: &str) -> usize {
    let mut after_blank = true;
    for (at, character) in text.char_indices() {
        if character == ';' || (after_blank && text.get(at..).is_some_and(|rest| pair(rest).is_some())) {
            return at;
        }
        after_blank = character.is_whitespace();
    }
    text.len()
}

/// The value up to the closing quotation mark, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..).unwrap_or(""))),
            '\\' => value.extend(characters.next().map(|(_, next)| next)),
            other => value.push(other),
        }
    }
    None
}
