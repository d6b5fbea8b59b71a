//! JSON as RFC 8259 has it, with the place of every value and name, and names as often as they stand.
//!
//! The YAML reader would take comments, single quotation marks and trailing commas, which Terraform refuses.

use std::ops::Range;

/// Levels of values within values; the evaluator follows no more either.
const DEEPEST: usize = 128;

/// A value and the bytes that say it.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) range: Range<usize>,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    /// `null`, `true`, `false` or a number, as it is written.
    Word,
    Text,
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// A name of an object and what it names.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    /// With its quotation marks.
    pub(super) key: Range<usize>,
    pub(super) node: Node,
}

/// Why a text is no JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) message: &'static str,
    pub(super) help: &'static str,
}

pub(super) fn parse(text: &str) -> Result<Node, Fault> {
    let mut reader = Reader { text, at: 0 };
    let root = reader.value(0)?;
    reader.space();
    if reader.at < text.len() {
        return reader
            .fault("something follows the end of the JSON", "keep one object, and nothing after it");
    }
    Ok(root)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn fault<T>(&self, message: &'static str, help: &'static str) -> Result<T, Fault> {
        Err(Fault { at: self.at, message, help })
    }

    fn value(&mut self, depth: usize) -> Result<Node, Fault> {
        self.space();
        let start = self.at;
        if depth > DEEPEST {
            return self.fault("values are nested too deeply", "no configuration is that deep; flatten it");
        }
        let value = match self.peek() {
            Some(b'{') => Value::Object(self.object(depth)?),
            Some(b'[') => Value::Array(self.array(depth)?),
            Some(b'"') => {
                self.string()?;
                Value::Text
            }
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => self.word()?,
            Some(b'\'') => {
                return self
                    .fault("single quotes do not enclose strings", "use double quotation marks: \"...\"");
            }
            Some(b'#' | b'/') => {
                return self.fault(
                    "JSON has no comments",
                    "write a property \"//\": \"...\", which Terraform passes over",
                );
            }
            None => return self.fault("the file ends where a value is expected", "add the value"),
            Some(_) => {
                return self.fault(
                    "a value is expected here",
                    "a value is an object, an array, a string, a number, true, false or null",
                );
            }
        };
        Ok(Node { range: start..self.at, value })
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Member>, Fault> {
        let open = self.at;
        self.at += 1;
        let mut members = Vec::new();
        loop {
            self.space();
            match self.peek() {
                Some(b'}') if members.is_empty() => break,
                Some(b'}') => return self.comma("a comma stands before the end of the object"),
                Some(b'"') => {}
                None => return Self::unclosed(open, "this object is never closed", "add the closing brace"),
                Some(b'#' | b'/') => {
                    return self.fault(
                        "JSON has no comments",
                        "write a property \"//\": \"...\", which Terraform passes over",
                    );
                }
                Some(_) => {
                    return self
                        .fault("a name in double quotation marks is expected here", "write \"name\": value");
                }
            }
            let start = self.at;
            let name = self.string()?;
            let key = start..self.at;
            self.space();
            if self.peek() != Some(b':') {
                return self
                    .fault("a colon is expected between a name and its value", "write \"name\": value");
            }
            self.at += 1;
            let node = self.value(depth + 1)?;
            members.push(Member { name, key, node });
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                None => return Self::unclosed(open, "this object is never closed", "add the closing brace"),
                Some(_) => {
                    return self
                        .fault("a comma is missing here", "put a comma between the properties of an object");
                }
            }
        }
        self.at += 1;
        Ok(members)
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Node>, Fault> {
        let open = self.at;
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.space();
            match self.peek() {
                Some(b']') if items.is_empty() => break,
                Some(b']') => return self.comma("a comma stands before the end of the array"),
                None => return Self::unclosed(open, "this array is never closed", "add the closing bracket"),
                Some(_) => {}
            }
            items.push(self.value(depth + 1)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                None => return Self::unclosed(open, "this array is never closed", "add the closing bracket"),
                Some(_) => {
                    return self
                        .fault("a comma is missing here", "put a comma between the items of an array");
                }
            }
        }
        self.at += 1;
        Ok(items)
    }

    /// A comma that nothing follows.
    fn comma<T>(&self, message: &'static str) -> Result<T, Fault> {
        let at = self.text.get(..self.at).and_then(|before| before.rfind(',')).unwrap_or(self.at);
        Err(Fault { at, message, help: "remove the comma" })
    }

    fn unclosed<T>(open: usize, message: &'static str, help: &'static str) -> Result<T, Fault> {
        Err(Fault { at: open, message, help })
    }

    fn string(&mut self) -> Result<String, Fault> {
        let open = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => {
                    return Self::unclosed(
                        open,
                        "this string is never closed",
                        "add the closing quotation mark",
                    );
                }
                Some(b'"') => break,
                Some(b'\\') => {
                    let digits = self.text.get(self.at + 2..self.at + 6);
                    let length = match self.text.as_bytes().get(self.at + 1) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
                        Some(b'u')
                            if digits.is_some_and(|four| four.bytes().all(|one| one.is_ascii_hexdigit())) =>
                        {
                            6
                        }
                        _ => {
                            return self.fault(
                                "this is no escape sequence of JSON",
                                "the sequences are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hexadecimal digits",
                            );
                        }
                    };
                    self.at += length;
                }
                Some(b'\n' | b'\r') => {
                    return Self::unclosed(
                        open,
                        "a string must end on the line it starts",
                        "close the string, and write \\n for a line break",
                    );
                }
                Some(0..=0x1f) => {
                    return self.fault(
                        "a control character stands in a string",
                        "write it as an escape sequence: \\u0009",
                    );
                }
                Some(_) => self.at += 1,
            }
        }
        let inner = open + 1..self.at;
        self.at += 1;
        Ok(characters(self.text, inner).map(|(character, _)| character).collect())
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
            self.at += 1;
        }
        let written = self.text.get(start..self.at).unwrap_or("");
        if !is_number(written) {
            self.at = start;
            return self.fault(
                "this is no number of JSON",
                "write it in digits, without a leading zero: 10, -1.5, 2e3",
            );
        }
        Ok(Value::Word)
    }

    fn word(&mut self) -> Result<Value, Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' | b'.')) {
            self.at += 1;
        }
        match self.text.get(start..self.at) {
            Some("true" | "false" | "null") => Ok(Value::Word),
            _ => {
                self.at = start;
                self.fault(
                    "this is no keyword of JSON",
                    "the keywords are true, false and null; put text into quotation marks, an expression into \"${...}\"",
                )
            }
        }
    }
}

/// Whether a text is a number of JSON: no plus sign, no leading zero, digits on both sides of the point.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => (text, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && digits(exponent) && (whole == "0" || !whole.starts_with('0'))
}

/// The characters that the inside of a string means, each with the bytes that say it.
pub(super) fn characters(text: &str, inner: Range<usize>) -> impl Iterator<Item = (char, Range<usize>)> {
    let mut at = inner.start;
    std::iter::from_fn(move || {
        let rest = text.get(at..inner.end)?;
        let first = rest.chars().next()?;
        let start = at;
        if first != '\\' {
            at += first.len_utf8();
            return Some((first, start..at));
        }
        let unit = |rest: &str| {
            let digits = rest.strip_prefix("\\u")?.get(..4)?;
            u32::from_str_radix(digits, 16).ok()
        };
        let (character, length) = match rest.as_bytes().get(1) {
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(b'u') => match (unit(rest), rest.get(6..).and_then(unit)) {
                (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
                    let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
                }
                (code, _) => (code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
            },
            Some(other) => (char::from(*other), 2),
            None => ('\\', 1),
        };
        at += length;
        Some((character, start..at))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> usize {
        parse(text).err().map_or(usize::MAX, |fault| fault.at)
    }

    #[test]
    fn what_is_json_is_read() {
        for text in [
            "{}",
            " [ ] ",
            "null",
            "-0.5e+10",
            "0",
            r#"{"a": [1, "b", {}], "a": true}"#,
            "\"\\ud83d\\ude00\"",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_not_is_refused_at_its_place() {
        let cases = [
            ("", 0),
            ("{", 0),
            ("[1", 0),
            ("{\"a\": 1,}", 7),
            ("[1,]", 2),
            ("{a: 1}", 1),
            ("{\"a\" 1}", 5),
            ("{\"a\": 01}", 6),
            ("{\"a\": tru}", 6),
            ("{\"a\": 1} x", 9),
            ("\"\\x\"", 1),
            ("\"a\nb\"", 0),
            ("// c\n{}", 0),
            ("{\"a\": 1 \"b\": 2}", 8),
        ];
        for (text, at) in cases {
            assert_eq!(refused(text), at, "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(refused(&deep), DEEPEST + 1);
    }

    #[test]
    fn characters_know_the_bytes_that_say_them() {
        let text = r#""a\n\u00e4\ud83d\ude00\ud800x/\/""#;
        let read: Vec<(char, Range<usize>)> = characters(text, 1..text.len() - 1).collect();
        let expected = [
            ('a', 1..2),
            ('\n', 2..4),
            ('ä', 4..10),
            ('😀', 10..22),
            ('\u{fffd}', 22..28),
            ('x', 28..29),
            ('/', 29..30),
            ('/', 30..32),
        ];
        assert_eq!(read, expected);
    }
}
