//! The strings of JSON as the native syntax writes them.

use hcl_edit::parser::parse_expr;

use super::tree::{Node, characters};
use super::{Reading, Writer};
use crate::terraform::syntax;
use crate::terraform::woven::{Origin, Woven};

/// What stands before a value, so that it is judged as that of an argument.
const NAME: &str = "a = ";

/// A text as a quoted string of the native syntax.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        quoted.push_str(&escaped(character));
        if matches!(character, '$' | '%') && characters.peek() == Some(&'{') {
            quoted.push(character);
        }
    }
    quoted.push('"');
    quoted
}

/// A character inside quotation marks.
fn escaped(character: char) -> String {
    match character {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        control if control.is_control() => format!("\\u{:04x}", u32::from(control)),
        other => other.to_string(),
    }
}

/// Where a template is read.
enum Mode {
    /// Its text.
    Text,
    /// Inside `${` or `%{`, with so many braces open.
    Sequence(usize),
    /// Inside a string there.
    Quoted,
}

impl Writer<'_, '_> {
    /// A string, or the name of a property.
    pub(super) fn string(&mut self, node: &Node, reading: Reading) {
        let inner = node.range.start + 1..node.range.end.saturating_sub(1);
        let raw = self.text.get(inner.clone()).unwrap_or("");
        let sequences = raw.contains("${") || raw.contains("%{");
        if !raw.contains('\\') && !sequences && reading != Reading::Written {
            self.copy(node.range.clone());
            return;
        }
        let mut made = Woven::default();
        match reading {
            Reading::Written => {
                let text: String = characters(self.text, inner.clone()).map(|(one, _)| one).collect();
                // What is no expression stays a string, and is said to be wrong where references are read.
                if parse_expr(&text).is_ok() && text != "for" {
                    for (character, range) in characters(self.text, inner) {
                        self.character(&mut made, character, range);
                    }
                } else {
                    made.put(self.id, node.range.clone(), &quoted(&text));
                }
            }
            Reading::Template if sequences => {
                self.template(&mut made, node);
                if let Some(fault) = syntax::fault_of(&format!("{NAME}{}\n", made.text())) {
                    let start = fault.range.start.saturating_sub(NAME.len());
                    let span = made.origin(start..fault.range.end.saturating_sub(NAME.len()).max(start));
                    self.fault(span.start as usize..span.end as usize, fault.message, fault.help);
                    made = Woven::default();
                    self.literal(&mut made, node);
                }
            }
            _ => self.literal(&mut made, node),
        }
        self.woven.splice(made.text(), 0..made.text().len(), &Origin::Woven(&made));
    }

    /// A character as it stands in the file, or what it is written with there.
    fn character(&self, made: &mut Woven, character: char, range: std::ops::Range<usize>) {
        let written = self.text.get(range.clone()).unwrap_or("");
        let mut buffer = [0; 4];
        let text: &str = character.encode_utf8(&mut buffer);
        if written == text {
            made.copy(self.id, range.start, text);
        } else {
            made.put(self.id, range, text);
        }
    }

    /// A string that means what it says.
    fn literal(&self, made: &mut Woven, node: &Node) {
        let inner = node.range.start + 1..node.range.end.saturating_sub(1);
        made.copy(self.id, node.range.start, "\"");
        let mut read = characters(self.text, inner).peekable();
        while let Some((character, range)) = read.next() {
            self.text_character(made, character, range.clone());
            if matches!(character, '$' | '%') && read.peek().is_some_and(|(next, _)| *next == '{') {
                made.put(self.id, range, &character.to_string());
            }
        }
        made.copy(self.id, node.range.end.saturating_sub(1), "\"");
    }

    /// A character of a template's text.
    fn text_character(&self, made: &mut Woven, character: char, range: std::ops::Range<usize>) {
        let text = escaped(character);
        if self.text.get(range.clone()) == Some(&text) {
            made.copy(self.id, range.start, &text);
        } else {
            made.put(self.id, range, &text);
        }
    }

    /// A string that is a template: its text is escaped as quotation marks want it, its expressions stay.
    fn template(&self, made: &mut Woven, node: &Node) {
        let inner = node.range.start + 1..node.range.end.saturating_sub(1);
        made.copy(self.id, node.range.start, "\"");
        let read: Vec<_> = characters(self.text, inner).collect();
        let mut modes = vec![Mode::Text];
        let mut at = 0;
        while let Some((character, range)) = read.get(at) {
            let next = |ahead: usize| read.get(at + ahead).map(|(character, _)| *character);
            let sign = matches!(character, '$' | '%');
            let in_text = matches!(modes.last(), Some(Mode::Text));
            let mut length = 1;
            match modes.last_mut() {
                Some(Mode::Text | Mode::Quoted) if sign && next(1) == Some('{') => {
                    modes.push(Mode::Sequence(0));
                    length = 2;
                }
                Some(Mode::Text | Mode::Quoted)
                    if sign && next(1) == Some(*character) && next(2) == Some('{') =>
                {
                    length = 3;
                }
                Some(Mode::Quoted) => match character {
                    '\\' => length = 2,
                    '"' => drop(modes.pop()),
                    _ => {}
                },
                Some(Mode::Sequence(open)) => match (character, &open) {
                    ('"', _) => modes.push(Mode::Quoted),
                    ('{', _) => *open += 1,
                    ('}', 0) => drop(modes.pop()),
                    ('}', _) => *open -= 1,
                    _ => {}
                },
                _ => {}
            }
            if in_text && length == 1 {
                self.text_character(made, *character, range.clone());
            } else {
                for (character, range) in read.iter().skip(at).take(length) {
                    self.character(made, *character, range.clone());
                }
            }
            at += length;
        }
        made.copy(self.id, node.range.end.saturating_sub(1), "\"");
    }
}
