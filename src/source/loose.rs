//! JSON as people write it by hand.

use serde_json::Value;

/// Reads JSON. A comma behind the last item, which JSON has no place for, is read over: what the text grants is as clear with it, and
/// whoever applies it is told of the comma by Terraform.
///
/// # Errors
/// If the text is no JSON even so; the place is that of the first fault, be it such a comma.
pub fn loose_json(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text).or_else(|fault| {
        let kept = without_last_commas(text);
        if kept.len() == text.len() { Err(fault) } else { serde_json::from_str(&kept).map_err(|_| fault) }
    })
}

fn without_last_commas(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut characters = text.char_indices();
    let mut quoted = false;
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' if quoted => {
                kept.push(character);
                kept.extend(characters.next().map(|(_, escaped)| escaped));
                continue;
            }
            ',' if !quoted => {
                let rest = text.get(at + 1..).unwrap_or("").trim_start();
                if rest.starts_with([']', '}']) {
                    continue;
                }
            }
            _ => {}
        }
        kept.push(character);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_comma_is_read_over_and_nothing_else() {
        let read = |text| loose_json(text).ok().map(|json| json.to_string());
        assert_eq!(read(r#"{"a": [1, 2 , ], }"#).as_deref(), Some(r#"{"a":[1,2]}"#));
        assert_eq!(read(r#"[",]", "\\\",]"]"#).as_deref(), Some(r#"[",]","\\\",]"]"#));
        assert_eq!(read("[,]"), Some("[]".to_owned()));
        assert_eq!(read("[1,,]"), None);
        assert_eq!(read("{,}x"), None);
    }

    #[test]
    fn the_first_fault_is_the_one_that_is_told() {
        assert!(matches!(loose_json("[1,]\nx"), Err(fault) if fault.line() == 1));
    }
}
