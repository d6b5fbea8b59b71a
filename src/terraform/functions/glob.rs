//! Patterns of paths, as `fileset` has them.

use regex::Regex;

/// The pattern as a regular expression of whole paths; `None` if it is none.
pub(super) fn compiled(pattern: &str) -> Option<Regex> {
    let mut result = String::from("^");
    let mut rest = pattern;
    let mut open = 0_usize;
    while let Some(letter) = rest.chars().next() {
        let mut after = rest.get(letter.len_utf8()..).unwrap_or("");
        match letter {
            '*' if after.starts_with('*') => {
                after = after.trim_start_matches('*');
                match after.strip_prefix('/') {
                    Some(behind) => {
                        result.push_str("(?:.*/)?");
                        after = behind;
                    }
                    None => result.push_str(".*"),
                }
            }
            '*' => result.push_str("[^/]*"),
            '?' => result.push_str("[^/]"),
            '[' => {
                let end = after.get(1..)?.find(']')? + 1;
                let (inner, behind) = after.split_at_checked(end)?;
                let (negated, inner) = match inner.strip_prefix('^') {
                    Some(inner) => ("^/", inner),
                    None => ("", inner),
                };
                let escaped: String = inner
                    .chars()
                    .map(|letter| {
                        if matches!(letter, '[' | '&' | '~') {
                            format!("\\{letter}")
                        } else {
                            letter.to_string()
                        }
                    })
                    .collect();
                result.push_str(&format!("[{negated}{escaped}]"));
                after = behind.get(1..).unwrap_or("");
            }
            '{' => {
                open += 1;
                result.push_str("(?:");
            }
            '}' if open > 0 => {
                open -= 1;
                result.push(')');
            }
            ',' if open > 0 => result.push('|'),
            '\\' => {
                let letter = after.chars().next()?;
                result.push_str(&regex::escape(&letter.to_string()));
                after = after.get(letter.len_utf8()..).unwrap_or("");
            }
            _ => result.push_str(&regex::escape(&letter.to_string())),
        }
        rest = after;
    }
    result.push('$');
    (open == 0).then(|| Regex::new(&result).ok()).flatten()
}
