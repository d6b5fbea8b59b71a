//! Templates: texts in quotes and heredocs, with what is interpolated and the directives in them.

use super::{Fault, Read, Reader};
use crate::terraform::tokens::Kind;

impl Reader<'_> {
    /// The parser ends a heredoc at any line that begins with its marker, Terraform where nothing else stands on it. A
    /// marker that stands nowhere else is read the same by both.
    pub(super) fn heredoc(&mut self) {
        let Some(token) = self.tokens.get(self.at) else { return };
        let introducer = self.text.get(token.range.clone()).unwrap_or("");
        let marker = introducer.trim_start_matches(['<', '-']).trim_end();
        let mut nested = 0_usize;
        let mut end = None;
        for next in self.tokens.iter().skip(self.at + 1) {
            match next.kind {
                Kind::OpenHeredoc => nested += 1,
                Kind::CloseHeredoc if nested == 0 => {
                    end = Some(next.range.clone());
                    break;
                }
                Kind::CloseHeredoc => nested -= 1,
                _ => {}
            }
        }
        let Some(end) = end else { return };
        let inner = self.text.get(token.range.end..end.start).unwrap_or("");
        let trap = inner.is_empty() || inner.split('\n').any(|line| line.trim_start().starts_with(marker));
        if !trap {
            return;
        }
        self.misread = true;
        let Some(edits) = &mut self.edits else { return };
        let closing = self.text.get(end.clone()).unwrap_or("");
        let lead = closing.len() - closing.trim_start().len();
        let own = end.start + lead..end.start + lead + marker.len();
        let start = token.range.start + introducer.find(marker).unwrap_or(0);
        let mut other = format!("{marker}_");
        while inner.contains(&other) {
            other.push('_');
        }
        if inner.is_empty() {
            // Nothing stands in it: an empty text.
            edits.push((token.range.start..own.end, "\"\"".to_owned()));
        } else {
            edits.push((start..start + marker.len(), other.clone()));
            edits.push((own, other));
        }
    }

    /// A template up to its closing token.
    pub(super) fn template(&mut self, closer: Kind) -> Read {
        // Where each directive that is open began, and what may come next.
        let mut open: Vec<Directive> = Vec::new();
        loop {
            let Some(token) = self.tokens.get(self.at) else {
                return self.fault("this text is never closed", "close the string or the heredoc");
            };
            match token.kind {
                kind if kind == closer => {
                    let unclosed = match open.last() {
                        None => None,
                        Some(Directive::For) => Some("this text lacks an endfor for a `for` in it"),
                        Some(_) => Some("this text lacks an endif for an `if` in it"),
                    };
                    if let Some(message) = unclosed {
                        return self.fault(
                            message,
                            "write %{ if ... } ... %{ endif }, %{ for ... } ... %{ endfor }",
                        );
                    }
                    self.at += 1;
                    return Ok(());
                }
                Kind::Literal => {
                    if closer == Kind::CloseQuote {
                        self.escapes()?;
                    }
                    self.at += 1;
                }
                Kind::Interpolation => {
                    self.at += 1;
                    self.within(true, |reader| {
                        reader.expression()?;
                        reader.sequence_end()
                    })?;
                }
                Kind::Control => {
                    self.at += 1;
                    self.within(true, |reader| reader.directive(&mut open))?;
                }
                _ => {
                    return self.fault(
                        "this does not belong into a text",
                        "close the string, or write an expression in ${ ... }",
                    );
                }
            }
        }
    }

    fn sequence_end(&mut self) -> Read {
        if self.peek() != Some(Kind::SequenceEnd) {
            return self.fault(
                "the brace that ends this template sequence is expected here",
                "add `}`; write $${ for a literal ${, %%{ for a literal %{",
            );
        }
        self.at += 1;
        Ok(())
    }

    fn directive(&mut self, open: &mut Vec<Directive>) -> Read {
        const HELP: &str = "the directives are if, else, endif, for and endfor; write %%{ for a literal %{";
        let word = if self.peek() == Some(Kind::Ident) { self.word() } else { "" };
        let unexpected = match (word, open.last()) {
            ("else", Some(Directive::If))
            | ("endif", Some(Directive::If | Directive::Else))
            | ("endfor", Some(Directive::For))
            | ("if" | "for", _) => false,
            ("else" | "endif" | "endfor", _) => true,
            _ => return self.fault("a directive is expected here", HELP),
        };
        if unexpected {
            return self.fault("this directive belongs to none that is open", HELP);
        }
        self.read();
        match word {
            "if" => {
                self.expression()?;
                open.push(Directive::If);
            }
            "else" => {
                open.pop();
                open.push(Directive::Else);
            }
            "for" => {
                self.names("write %{ for item in list } ... %{ endfor }")?;
                self.expression()?;
                open.push(Directive::For);
            }
            _ => drop(open.pop()),
        }
        self.sequence_end()
    }

    /// The escape sequences of a quoted text.
    pub(super) fn escapes(&mut self) -> Read {
        let Some(token) = self.tokens.get(self.at) else { return Ok(()) };
        let text = self.text.get(token.range.clone()).unwrap_or("");
        let mut at = 0;
        while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')) {
            let start = at + found;
            let rest = text.get(start + 1..).unwrap_or("");
            let digits =
                |length: usize| rest.get(1..=length).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            let length = match rest.as_bytes().first() {
                Some(b'n' | b'r' | b't' | b'"' | b'\\') => Some(2),
                Some(b'u') => digits(4).filter(|code| char::from_u32(*code).is_some()).map(|_| 6),
                Some(b'U') => digits(8).filter(|code| char::from_u32(*code).is_some()).map(|_| 10),
                _ => None,
            };
            let Some(length) = length else {
                let start = token.range.start + start;
                let length = 1 + rest.chars().next().map_or(0, char::len_utf8);
                return Err(Fault {
                    range: start..start + length,
                    message: "this is no escape sequence",
                    help: "the sequences are \\n \\r \\t \\\" \\\\ \\uNNNN \\UNNNNNNNN; write \\\\ for a backslash",
                    ended: false,
                });
            };
            at = start + length;
        }
        Ok(())
    }
}

/// A directive that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directive {
    If,
    Else,
    For,
}
