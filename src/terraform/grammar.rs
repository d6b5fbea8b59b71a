//! The grammar of HCL's native syntax: whether a text is of it, and the first place where it is not.
//!
//! The parser that makes the tree (hcl-edit) takes some texts that Terraform refuses, and refuses some that Terraform
//! takes. Here are Terraform's rules, those of "HCL Native Syntax Specification" as the parser of HCL 2 applies them
//! (<https://github.com/hashicorp/hcl/tree/main/hclsyntax>), and what has to be written otherwise for the parser to read it.

mod expression;
mod template;

use std::ops::Range;

use super::tokens::{Kind, Token};

/// Levels of blocks and expressions within each other that are followed: those the parser reads.
const DEEPEST: usize = 64;

/// Said of what may be right and is not read.
pub(super) const TOO_DEEP: &str =
    "it may be right, but more than 64 levels of nesting are not read by this version";

/// Where a text leaves the grammar, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) range: Range<usize>,
    pub(super) message: &'static str,
    pub(super) help: &'static str,
    /// The text ends where something is missing; whether it goes on, the scanner may know.
    pub(super) ended: bool,
}

/// A range of the text and what means the same for the parser.
pub(super) type Edit = (Range<usize>, String);

/// The first fault of a text. Otherwise whether the parser may misread it, so that it has to be rewritten.
pub(super) fn check(text: &str, tokens: &[Token]) -> Result<bool, Fault> {
    let mut reader = Reader::new(text, tokens);
    reader.body(None)?;
    Ok(reader.misread)
}

/// What has to be written otherwise for the parser, in the order of the text.
pub(super) fn rewritten(text: &str, tokens: &[Token]) -> Vec<Edit> {
    let mut reader = Reader::new(text, tokens);
    reader.edits = Some(Vec::new());
    let read = reader.body(None);
    let mut edits = reader.edits.filter(|_| read.is_ok()).unwrap_or_default();
    // A carriage return alone ends no line, which the parser takes it for in a comment.
    for comment in tokens.iter().filter(|token| token.kind == Kind::Comment) {
        let written = text.get(comment.range.clone()).unwrap_or("");
        for (at, _) in written
            .match_indices('\r')
            .filter(|(at, _)| !written.get(*at..).is_some_and(|rest| rest.starts_with("\r\n")))
        {
            let at = comment.range.start + at;
            edits.push((at..at + 1, " ".to_owned()));
        }
    }
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    edits.dedup();
    edits
}

type Read<T = ()> = Result<T, Fault>;

struct Reader<'t> {
    text: &'t str,
    tokens: &'t [Token],
    at: usize,
    /// Whether a line may end anywhere, the innermost bracket last.
    free: Vec<bool>,
    depth: usize,
    misread: bool,
    /// What is collected, if it is.
    edits: Option<Vec<Edit>>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, tokens: &'t [Token]) -> Self {
        Self { text, tokens, at: 0, free: vec![false], depth: 0, misread: false, edits: None }
    }

    fn is_free(&self) -> bool {
        self.free.last().copied().unwrap_or(false)
    }

    /// Passes over what stands between tokens: comments, and ends of lines where they mean nothing.
    fn skip(&mut self) {
        while let Some(token) = self.tokens.get(self.at) {
            let ends_line = match token.kind {
                Kind::Newline => true,
                Kind::Comment => self.text.get(token.range.clone()).is_some_and(|text| text.ends_with('\n')),
                _ => return,
            };
            if ends_line && !self.is_free() {
                return;
            }
            if let Some(edits) = self.edits.as_mut().filter(|_| ends_line) {
                edits.push((token.range.clone(), " ".to_owned()));
            }
            self.at += 1;
        }
    }

    /// The kind of the next token; a comment that ends its line is the end of a line. `None` at the end.
    fn peek(&mut self) -> Option<Kind> {
        self.skip();
        self.tokens.get(self.at).map(|token| match token.kind {
            Kind::Comment => Kind::Newline,
            kind => kind,
        })
    }

    fn range(&mut self) -> Range<usize> {
        self.skip();
        self.tokens.get(self.at).map_or(self.text.len()..self.text.len(), |token| token.range.clone())
    }

    /// The text of the next token.
    fn word(&mut self) -> &'t str {
        let range = self.range();
        self.text.get(range).unwrap_or("")
    }

    /// Whether the next token is an identifier of this name.
    fn keyword(&mut self, name: &str) -> bool {
        self.peek() == Some(Kind::Ident) && self.word() == name
    }

    fn read(&mut self) {
        self.skip();
        self.at += 1;
    }

    fn fault<T>(&mut self, message: &'static str, help: &'static str) -> Read<T> {
        let ended = self.peek().is_none();
        Err(Fault { range: self.range(), message, help, ended })
    }

    /// Reads inside brackets, where a line may end anywhere or not.
    fn within<T>(&mut self, free: bool, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.free.push(free);
        let result = read(self);
        self.free.pop();
        result
    }

    /// A body, up to the brace that closes it or to the end of the file.
    fn body(&mut self, open: Option<Range<usize>>) -> Read {
        loop {
            match self.peek() {
                None => {
                    return match open {
                        None => Ok(()),
                        Some(range) => {
                            let (message, help) = ("this `{` is never closed", "add the closing `}`");
                            Err(Fault { range, message, help, ended: true })
                        }
                    };
                }
                Some(Kind::CloseBrace) if open.is_some() => {
                    self.read();
                    return Ok(());
                }
                Some(Kind::Newline) => self.read(),
                Some(Kind::Ident) => self.item()?,
                Some(Kind::OpenQuote) => {
                    return self.fault(
                        "the name of an argument or block is not quoted",
                        "write name = value for an argument, name { ... } for a block",
                    );
                }
                Some(_) => {
                    return self.fault(
                        "an argument or a block is expected here",
                        "write name = value for an argument, name { ... } for a block",
                    );
                }
            }
        }
    }

    fn item(&mut self) -> Read {
        let name = self.range();
        self.read();
        match self.peek() {
            Some(Kind::Equal) => {
                self.read();
                self.expression()?;
                self.line_end(
                    "put each argument on a line of its own, and a comma between the items of a list",
                )
            }
            Some(Kind::OpenQuote | Kind::OpenBrace | Kind::Ident) => self.block(),
            _ => Err(Fault {
                range: name,
                message: "neither an equals sign nor a block follows this name",
                help: "write name = value for an argument, name { ... } for a block",
                ended: self.peek().is_none(),
            }),
        }
    }

    fn line_end(&mut self, help: &'static str) -> Read {
        match self.peek() {
            None => Ok(()),
            Some(Kind::Newline) => {
                self.read();
                Ok(())
            }
            Some(_) => self.fault("the line should end here", help),
        }
    }

    /// A block behind the name of its type.
    fn block(&mut self) -> Read {
        loop {
            match self.peek() {
                Some(Kind::OpenBrace) => break,
                Some(Kind::Ident) => self.read(),
                Some(Kind::OpenQuote) => self.label()?,
                Some(Kind::Equal) => {
                    return self.fault(
                        "an equals sign follows the head of a block",
                        "write name = value for an argument, name { ... } for a block",
                    );
                }
                _ => {
                    return self.fault(
                        "neither an equals sign nor the brace of a block stands on this line",
                        "write name = value for an argument, name \"label\" { ... } for a block",
                    );
                }
            }
        }
        let open = self.range();
        self.read();
        match self.peek() {
            Some(Kind::Newline | Kind::CloseBrace) | None => {
                self.deeper(|reader| reader.body(Some(open)))?;
            }
            Some(_) => self.only_argument(open)?,
        }
        self.line_end("put what follows the block on a line of its own")
    }

    /// A label in quotation marks.
    fn label(&mut self) -> Read {
        self.read();
        loop {
            match self.peek() {
                Some(Kind::CloseQuote) => {
                    self.read();
                    return Ok(());
                }
                Some(Kind::Literal) => {
                    self.escapes()?;
                    self.read();
                }
                _ => {
                    return self.fault(
                        "a label is a plain text without expressions in it",
                        "write the text; $${ stands for a literal ${",
                    );
                }
            }
        }
    }

    /// A block in one line: `{ name = value }`.
    fn only_argument(&mut self, open: Range<usize>) -> Read {
        const HELP: &str = "put each argument and the closing brace on a line of its own";
        if self.peek() != Some(Kind::Ident) {
            return self.fault("an argument or a block is expected here", HELP);
        }
        self.read();
        if self.peek() != Some(Kind::Equal) {
            return self.fault("a block in one line holds one argument, name = value", HELP);
        }
        self.read();
        self.expression()?;
        match self.peek() {
            Some(Kind::CloseBrace) => {
                self.read();
                Ok(())
            }
            Some(_) => self.fault("a block in one line holds one argument and ends on that line", HELP),
            None => Err(Fault {
                range: open,
                message: "this `{` is never closed",
                help: "add the closing `}`",
                ended: true,
            }),
        }
    }
}
