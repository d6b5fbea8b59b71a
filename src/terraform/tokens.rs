//! HCL's tokens, for the formatter and for finding the blocks of a file that does not parse.
//!
//! The rules are those of the HCL specification ("HCL Native Syntax Specification", lexical elements and templates)
//! as the scanner of HCL 2 applies them: newlines are tokens, a `#` or `//` comment holds its newline, the text of a
//! string or heredoc is literal tokens between its delimiters.

use std::ops::Range;

/// What a token is; the formatter asks for nothing finer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Ident,
    Number,
    Comment,
    Newline,
    OpenQuote,
    CloseQuote,
    OpenHeredoc,
    CloseHeredoc,
    /// Text of a string or heredoc.
    Literal,
    /// `${` or `${~`.
    Interpolation,
    /// `%{` or `%{~`.
    Control,
    /// `}` or `~}` that ends one of the two.
    SequenceEnd,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    OpenParen,
    CloseParen,
    Dot,
    Comma,
    Ellipsis,
    DoubleColon,
    Equal,
    Bang,
    Minus,
    /// Operators and separators after which a minus is a sign: `+ * / % == != < <= > >= && || : ?`.
    Operator,
    /// `=>`, `;` and what else has no rule of its own.
    Other,
}

/// A token and the bytes it covers.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

/// Where the scanner is.
enum Mode {
    /// Outside strings; braces opened since the mode was entered.
    Main {
        braces: usize,
    },
    Quoted,
    Heredoc {
        marker: Range<usize>,
        line_start: bool,
    },
}

/// Why scanning stopped before the end of the text: the offset, and what is wrong there.
#[derive(Debug)]
pub(super) struct Stopped {
    pub(super) at: usize,
    pub(super) message: &'static str,
    pub(super) help: &'static str,
}

/// Every token of a text in order, and what stopped the scanner, if it did not reach the end.
pub(super) fn scan(text: &str) -> (Vec<Token>, Option<Stopped>) {
    let mut scanner = Scanner {
        text,
        at: 0,
        tokens: Vec::with_capacity(text.len() / 4),
        modes: vec![Mode::Main { braces: 0 }],
    };
    let mut openings: Vec<usize> = Vec::new();
    while scanner.at < text.len() {
        let depth = scanner.modes.len();
        let before = scanner.at;
        if let Err(stopped) = scanner.step() {
            return (scanner.tokens, Some(stopped));
        }
        if scanner.modes.len() > depth {
            openings.push(before);
        } else if scanner.modes.len() < depth {
            openings.pop();
        }
    }
    let stopped = match (scanner.modes.last(), openings.last()) {
        (Some(Mode::Quoted), Some(at)) => Some(Stopped {
            at: *at,
            message: "this string is never closed",
            help: "add the closing quotation mark",
        }),
        (Some(Mode::Heredoc { .. }), Some(at)) => Some(Stopped {
            at: *at,
            message: "this heredoc is never closed",
            help: "end it with a line that holds only its marker, and a newline after it",
        }),
        (_, Some(at)) => Some(Stopped {
            at: *at,
            message: "this template sequence is never closed",
            help: "add the closing brace; write $${ for a literal ${",
        }),
        (_, None) => None,
    };
    (scanner.tokens, stopped)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    modes: Vec<Mode>,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn emit(&mut self, kind: Kind, length: usize) {
        let end = (self.at + length).min(self.text.len());
        self.tokens.push(Token { kind, range: self.at..end });
        self.at = end;
    }

    fn step(&mut self) -> Result<(), Stopped> {
        match self.modes.last() {
            Some(Mode::Quoted) => self.quoted(),
            Some(Mode::Heredoc { .. }) => {
                self.heredoc();
                Ok(())
            }
            _ => self.main(),
        }
    }

    /// `${` or `%{`, if one starts here.
    fn template_sequence(&mut self) -> bool {
        let rest = self.rest();
        let kind = match rest.get(..2) {
            Some("${") => Kind::Interpolation,
            Some("%{") => Kind::Control,
            _ => return false,
        };
        let length = if rest.get(2..3) == Some("~") { 3 } else { 2 };
        self.emit(kind, length);
        self.modes.push(Mode::Main { braces: 0 });
        true
    }

    fn quoted(&mut self) -> Result<(), Stopped> {
        if self.template_sequence() {
            return Ok(());
        }
        if self.rest().starts_with('"') {
            self.emit(Kind::CloseQuote, 1);
            self.modes.pop();
            return Ok(());
        }
        let length = literal_length(self.rest(), true);
        if length == 0 {
            return Err(Stopped {
                at: self.at,
                message: "a quoted string must end on the line it starts",
                help: "close the string, write \\n for a line break, or use a heredoc: <<-EOT",
            });
        }
        self.emit(Kind::Literal, length);
        Ok(())
    }

    fn heredoc(&mut self) {
        if let Some(Mode::Heredoc { line_start: true, marker }) = self.modes.last() {
            let line = self.rest().split_inclusive('\n').next().unwrap_or("");
            let marker = self.text.get(marker.clone()).unwrap_or("");
            if line.ends_with('\n') && line.trim() == marker {
                let newline = if line.ends_with("\r\n") { 2 } else { 1 };
                let closing = line.len() - newline;
                self.emit(Kind::CloseHeredoc, closing);
                self.emit(Kind::Newline, newline);
                self.modes.pop();
                return;
            }
        }
        let starts_sequence = self.template_sequence();
        let length = if starts_sequence { 0 } else { literal_length(self.rest(), false) };
        // The mode the sequence was opened from stands below the one it pushed.
        let here = self.modes.len().saturating_sub(if starts_sequence { 2 } else { 1 });
        if length > 0 {
            self.emit(Kind::Literal, length);
        }
        let at_line_start = self.text.get(..self.at).is_some_and(|done| done.ends_with('\n'));
        if let Some(Mode::Heredoc { line_start, .. }) = self.modes.get_mut(here) {
            *line_start = at_line_start && !starts_sequence;
        }
    }

    fn main(&mut self) -> Result<(), Stopped> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(()) };
        if first == ' ' || first == '\t' {
            self.at += 1;
            return Ok(());
        }
        if first.is_ascii_digit() {
            let length = number_length(rest);
            self.emit(Kind::Number, length);
            return Ok(());
        }
        if first == '_' || first.is_alphabetic() {
            let length = rest.find(|next: char| !is_name_part(next)).unwrap_or(rest.len());
            self.emit(Kind::Ident, length);
            return Ok(());
        }
        if let Some(length) = line_comment(rest) {
            self.emit(Kind::Comment, length);
            return Ok(());
        }
        if rest.starts_with("/*") {
            let Some(end) = rest.find("*/") else {
                return Err(Stopped {
                    at: self.at,
                    message: "this comment is never closed",
                    help: "close it with */ or write # at the start of each line",
                });
            };
            self.emit(Kind::Comment, end + 2);
            return Ok(());
        }
        if let Some(marker) = heredoc_marker(rest) {
            let length = rest.find('\n').map_or(rest.len(), |newline| newline + 1);
            let marker = self.at + marker.start..self.at + marker.end;
            self.emit(Kind::OpenHeredoc, length);
            self.modes.push(Mode::Heredoc { marker, line_start: true });
            return Ok(());
        }
        self.symbol(first)
    }

    fn symbol(&mut self, first: char) -> Result<(), Stopped> {
        const LONG: &[(&str, Kind)] = &[
            ("...", Kind::Ellipsis),
            ("\r\n", Kind::Newline),
            ("==", Kind::Operator),
            ("!=", Kind::Operator),
            (">=", Kind::Operator),
            ("<=", Kind::Operator),
            ("&&", Kind::Operator),
            ("||", Kind::Operator),
            ("::", Kind::DoubleColon),
            ("=>", Kind::Other),
        ];
        let rest = self.rest();
        if let Some((text, kind)) = LONG.iter().find(|(text, _)| rest.starts_with(text)) {
            self.emit(*kind, text.len());
            return Ok(());
        }
        if rest.starts_with("~}") {
            return self.close_brace(2);
        }
        let kind = match first {
            '\n' => Kind::Newline,
            '"' => {
                self.modes.push(Mode::Quoted);
                Kind::OpenQuote
            }
            '{' => {
                if let Some(Mode::Main { braces }) = self.modes.last_mut() {
                    *braces += 1;
                }
                Kind::OpenBrace
            }
            '}' => return self.close_brace(1),
            '[' => Kind::OpenBracket,
            ']' => Kind::CloseBracket,
            '(' => Kind::OpenParen,
            ')' => Kind::CloseParen,
            '.' => Kind::Dot,
            ',' => Kind::Comma,
            '=' => Kind::Equal,
            '!' => Kind::Bang,
            '-' => Kind::Minus,
            '+' | '*' | '/' | '%' | '<' | '>' | ':' | '?' => Kind::Operator,
            '\'' => {
                return Err(Stopped {
                    at: self.at,
                    message: "single quotes do not enclose strings",
                    help: "use double quotation marks: \"...\"",
                });
            }
            ';' => {
                return Err(Stopped {
                    at: self.at,
                    message: "`;` separates nothing here",
                    help: "put each argument on a line of its own",
                });
            }
            _ => {
                return Err(Stopped {
                    at: self.at,
                    message: "this character does not belong here",
                    help: "remove it, or put the text into double quotation marks",
                });
            }
        };
        self.emit(kind, first.len_utf8());
        Ok(())
    }

    fn close_brace(&mut self, length: usize) -> Result<(), Stopped> {
        let nested = self.modes.len() > 1;
        match self.modes.last_mut() {
            Some(Mode::Main { braces: 0 }) if nested => {
                self.modes.pop();
                self.emit(Kind::SequenceEnd, length);
                Ok(())
            }
            Some(Mode::Main { braces }) if length == 1 && *braces > 0 => {
                *braces -= 1;
                self.emit(Kind::CloseBrace, length);
                Ok(())
            }
            _ => Err(Stopped {
                at: self.at,
                message: "this brace closes nothing",
                help: "remove it, or add the opening brace it belongs to",
            }),
        }
    }
}

fn is_name_part(next: char) -> bool {
    next == '_' || next == '-' || next.is_alphanumeric()
}

/// The length of a number: digits, dots and exponents that do not end in a dot.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    let mut end = 0;
    loop {
        match bytes.get(at) {
            Some(b'0'..=b'9') => {
                at += 1;
                end = at;
            }
            Some(b'.') => at += 1,
            Some(b'e' | b'E') if digit(at + 1) => at += 1,
            Some(b'e' | b'E') if matches!(bytes.get(at + 1), Some(b'+' | b'-')) && digit(at + 2) => at += 2,
            _ => return end,
        }
    }
}

/// The length of a `#` or `//` comment with its newline.
fn line_comment(text: &str) -> Option<usize> {
    (text.starts_with('#') || text.starts_with("//"))
        .then(|| text.find('\n').map_or(text.len(), |newline| newline + 1))
}

/// Where the marker of a heredoc stands in its introducer, `<<EOT` or `<<-EOT` and a newline.
fn heredoc_marker(text: &str) -> Option<Range<usize>> {
    let rest = text.strip_prefix("<<")?;
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let start = text.len() - rest.len();
    let length = rest.find(|next: char| !is_name_part(next))?;
    let (marker, after) = rest.split_at(length);
    let named = marker.starts_with(|first: char| first == '_' || first.is_alphabetic());
    (named && (after.starts_with('\n') || after.starts_with("\r\n"))).then_some(start..start + length)
}

/// The length of literal text up to the next template sequence, the end of the line (with the newline in a heredoc)
/// or, in a quoted string, the closing quotation mark; 0 at the end of a line of a quoted string.
fn literal_length(text: &str, quoted: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' | b'\r' if quoted => break,
            b'\n' => return if quoted { at } else { at + 1 },
            b'\\' if quoted => {
                at += 1;
                match bytes.get(at) {
                    None | Some(b'\n' | b'\r') => break,
                    Some(_) => at += 1,
                }
                continue;
            }
            b'$' | b'%' => {
                if bytes.get(at + 1) == Some(&b'{') {
                    break;
                }
                // `$${` and `%%{` stand for `${` and `%{`.
                if bytes.get(at + 1) == Some(byte) && bytes.get(at + 2) == Some(&b'{') {
                    at += 3;
                    continue;
                }
                at += 1;
                // A marker is only one at the very start of a line, so nothing is lost by reading on.
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    // An escaped character of several bytes may be cut.
    while at < text.len() && !text.is_char_boundary(at) {
        at += 1;
    }
    at.min(text.len())
}
