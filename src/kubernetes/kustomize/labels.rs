//! Label selectors as text: `app=ledger,tier!=web,zone in (a, b),!legacy`.

use crate::source::Node;

/// Whether the labels or annotations of an object are those that a selector asks for; an error says what is no selector.
pub(super) fn matches(selector: &str, found: Option<&Node>) -> Result<bool, String> {
    for requirement in requirements(selector) {
        if !holds(requirement.trim(), found)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Splits at commas outside of parentheses.
fn requirements(selector: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    for (at, char) in selector.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(selector.get(start..at).unwrap_or(""));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(selector.get(start..).unwrap_or(""));
    parts
}

fn holds(requirement: &str, found: Option<&Node>) -> Result<bool, String> {
    let value = |key: &str| found.and_then(|map| map.get(key.trim())).map(super::values::text);
    if requirement.is_empty() {
        return Ok(true);
    }
    if let Some(key) = requirement.strip_prefix('!') {
        return Ok(value(key).is_none());
    }
    if let Some((head, list)) = requirement.split_once('(') {
        let listed = list.trim_end().strip_suffix(')').ok_or_else(|| no_selector(requirement))?;
        let within = |value: &str| listed.split(',').any(|word| word.trim() == value);
        let head = head.trim_end();
        if let Some(key) = head.strip_suffix(" notin") {
            return Ok(value(key).is_none_or(|value| !within(&value)));
        }
        let key = head.strip_suffix(" in").ok_or_else(|| no_selector(requirement))?;
        return Ok(value(key).is_some_and(|value| within(&value)));
    }
    if let Some((key, wanted)) = requirement.split_once("!=") {
        return Ok(value(key).is_none_or(|value| value != wanted.trim()));
    }
    if let Some((key, wanted)) = requirement.split_once("==").or_else(|| requirement.split_once('=')) {
        return Ok(value(key).is_some_and(|value| value == wanted.trim()));
    }
    if requirement.contains(char::is_whitespace) {
        return Err(no_selector(requirement));
    }
    Ok(value(requirement).is_some())
}

fn no_selector(requirement: &str) -> String {
    format!("`{requirement}` is no requirement of a label selector")
}
