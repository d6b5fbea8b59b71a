//! The grammar of HCL's native syntax: whether a text is of it, and the first place where it is not.
//!
//! The parser that makes the tree (hcl-edit) takes some texts that Terraform refuses, and refuses some that Terraform
//! takes. Here are Terraform's rules, those of "HCL Native Syntax Specification" as the parser of HCL 2 applies them
//! (<https://github.com/hashicorp/hcl/tree/main/hclsyntax>), and what has to be written otherwise for the parser to read it.

use std::collections::BTreeSet;
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

    fn expression(&mut self) -> Read {
        self.deeper(Self::conditional)
    }

    /// Reads what is nested one level more.
    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Read) -> Read {
        // What stands at the top of a block is no level.
        if self.depth > DEEPEST {
            return self.fault(TOO_DEEP, "split the expression into locals");
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn conditional(&mut self) -> Read {
        self.operation()?;
        // `a ? b : c ? d : e` goes on at the end only, so that a long chain needs no deep recursion.
        while self.peek() == Some(Kind::Operator) && self.word() == "?" {
            self.read();
            self.expression()?;
            if self.peek() != Some(Kind::Operator) || self.word() != ":" {
                return self.fault(
                    "a conditional lacks its second value",
                    "write condition ? value : value, on one line or in parentheses",
                );
            }
            self.read();
            self.operation()?;
        }
        Ok(())
    }

    fn operation(&mut self) -> Read {
        loop {
            while matches!(self.peek(), Some(Kind::Minus | Kind::Bang)) {
                self.read();
            }
            self.term()?;
            self.traversals()?;
            match self.peek() {
                Some(Kind::Minus) => self.read(),
                Some(Kind::Operator) if !matches!(self.word(), "?" | ":") => self.read(),
                _ => return Ok(()),
            }
        }
    }

    fn term(&mut self) -> Read {
        match self.peek() {
            Some(Kind::OpenParen) => {
                self.read();
                self.within(true, |reader| {
                    reader.expression()?;
                    if reader.peek() != Some(Kind::CloseParen) {
                        return reader.fault("a closing parenthesis is expected here", "add `)`");
                    }
                    reader.read();
                    Ok(())
                })
            }
            Some(Kind::Number) => {
                self.number()?;
                self.read();
                Ok(())
            }
            Some(Kind::Ident) => {
                self.read();
                match self.peek() {
                    Some(Kind::OpenParen | Kind::DoubleColon) => self.call(),
                    _ => Ok(()),
                }
            }
            Some(Kind::OpenQuote) => {
                self.read();
                self.template(Kind::CloseQuote)
            }
            Some(Kind::OpenHeredoc) => {
                self.heredoc();
                self.read();
                self.template(Kind::CloseHeredoc)
            }
            Some(Kind::OpenBracket) => self.tuple(),
            Some(Kind::OpenBrace) => self.object(),
            _ => {
                let help = if self.word().starts_with('=') {
                    "write name = value, with the name unquoted and nothing between it and the equals sign"
                } else {
                    "a value is missing or is not one: put text into double quotation marks"
                };
                self.fault("a value is expected here", help)
            }
        }
    }

    /// A number that has more than one point or exponent is one token, and no number.
    fn number(&mut self) -> Read {
        let word = self.word();
        let (mantissa, exponent) = match word.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (word, None),
        };
        let twice = mantissa.matches('.').count() > 1
            || exponent.is_some_and(|exponent| exponent.contains(['.', 'e', 'E']))
            || mantissa.ends_with('.');
        if twice {
            return self.fault(
                "this is no number",
                "write it in digits: 10, 1.5, 2e3; put text into quotation marks",
            );
        }
        // Numbers are read again from the file, for the parser's are doubles: any other will do for it.
        let range = self.range();
        if let Some(edits) = self.edits.as_mut().filter(|_| word.parse::<f64>().is_ok_and(f64::is_infinite)) {
            edits.push((range, "0.5".to_owned()));
        }
        Ok(())
    }

    fn call(&mut self) -> Read {
        while self.peek() == Some(Kind::DoubleColon) {
            self.read();
            if self.peek() != Some(Kind::Ident) {
                return self
                    .fault("the name of a function is expected here", "write provider::name::function(...)");
            }
            self.read();
        }
        if self.peek() != Some(Kind::OpenParen) {
            return self
                .fault("an opening parenthesis is expected here", "write provider::name::function(...)");
        }
        self.read();
        self.within(true, |reader| {
            loop {
                if reader.peek() == Some(Kind::CloseParen) {
                    break;
                }
                reader.expression()?;
                match reader.peek() {
                    Some(Kind::CloseParen) => break,
                    Some(Kind::Comma) => reader.read(),
                    Some(Kind::Ellipsis) => {
                        reader.read();
                        if reader.peek() != Some(Kind::CloseParen) {
                            return reader.fault(
                                "`...` ends the arguments of a function",
                                "put the closing parenthesis directly behind it",
                            );
                        }
                    }
                    _ => {
                        return reader.fault(
                            "a comma is missing between two arguments",
                            "put a comma before this one",
                        );
                    }
                }
            }
            reader.read();
            Ok(())
        })
    }

    fn tuple(&mut self) -> Read {
        self.read();
        self.within(true, |reader| {
            if reader.keyword("for") {
                return reader.for_expression(Kind::CloseBracket);
            }
            loop {
                if reader.peek() == Some(Kind::CloseBracket) {
                    break;
                }
                reader.expression()?;
                match reader.peek() {
                    Some(Kind::CloseBracket) => break,
                    Some(Kind::Comma) => reader.read(),
                    _ => {
                        return reader.fault(
                            "the list goes on without a comma, or is never closed",
                            "put a comma behind each item, and `]` behind the last",
                        );
                    }
                }
            }
            reader.read();
            Ok(())
        })
    }

    fn object(&mut self) -> Read {
        self.read();
        let before = (self.at, self.edits.as_ref().map(Vec::len));
        if self.within(true, |reader| Ok(reader.keyword("for")))? {
            return self.within(true, |reader| reader.for_expression(Kind::CloseBrace));
        }
        // What was looked over to find out means something in an object.
        self.at = before.0;
        if let (Some(edits), Some(length)) = (&mut self.edits, before.1) {
            edits.truncate(length);
        }
        self.within(false, Self::items)
    }

    fn items(&mut self) -> Read {
        let mut keys = BTreeSet::new();
        loop {
            match self.peek() {
                Some(Kind::Newline) => {
                    self.read();
                    continue;
                }
                Some(Kind::CloseBrace) => break,
                _ => {}
            }
            let start = self.range().start;
            self.expression()?;
            let end = self.tokens.get(self.at.saturating_sub(1)).map_or(start, |token| token.range.end);
            self.key(start..end, &mut keys);
            if self.peek() != Some(Kind::Equal)
                && !(self.peek() == Some(Kind::Operator) && self.word() == ":")
            {
                return self.fault(
                    "an equals sign is expected between a key and its value",
                    "write key = value; put a key with other characters into quotation marks, an expression into parentheses",
                );
            }
            self.read();
            self.expression()?;
            match self.peek() {
                Some(Kind::CloseBrace) => break,
                Some(Kind::Comma | Kind::Newline) => self.read(),
                _ => {
                    return self.fault(
                        "the line should end here, or a comma follow",
                        "put each key = value on a line of its own, or a comma between them",
                    );
                }
            }
        }
        self.read();
        Ok(())
    }

    /// The parser refuses a key that stands twice; Terraform takes the last. In parentheses it is another one.
    fn key(&mut self, range: Range<usize>, keys: &mut BTreeSet<String>) {
        let (Some(edits), Some(written)) = (&mut self.edits, self.text.get(range.clone())) else { return };
        let name = written.starts_with(|first: char| first == '_' || first.is_alphabetic());
        let name = name && written.chars().all(|next| next == '_' || next == '-' || next.is_alphanumeric());
        let mut key: String = written.split_whitespace().collect();
        if keys.insert(key.clone()) {
            return;
        }
        let (mut open, mut close) = ("(".to_owned(), ")".to_owned());
        if name {
            (open, close) = ("(\"".to_owned(), "\")".to_owned());
            key = format!("\"{key}\"");
        }
        key = format!("({key})");
        while !keys.insert(key.clone()) {
            key = format!("({key})");
            open.insert(0, '(');
            close.push(')');
        }
        edits.push((range.start..range.start, open));
        edits.push((range.end..range.end, close));
    }

    /// A `for` expression from its keyword on.
    fn for_expression(&mut self, closer: Kind) -> Read {
        const HELP: &str = "write [for item in list : value] or {for key, value in map : key => value}";
        self.read();
        self.names(HELP)?;
        self.expression()?;
        if self.peek() != Some(Kind::Operator) || self.word() != ":" {
            return self.fault("a colon is expected behind the collection", HELP);
        }
        self.read();
        let first = self.range();
        self.expression()?;
        let arrow = self.peek() == Some(Kind::Other) && self.word() == "=>";
        if arrow {
            self.read();
            self.expression()?;
        }
        let of_object = closer == Kind::CloseBrace;
        if arrow && !of_object {
            let message = "a `for` in brackets makes a list, which has no keys";
            return Err(Fault { range: first, message, help: HELP, ended: false });
        }
        if !arrow && of_object {
            let message = "a `for` in braces makes an object, and its key is missing";
            return Err(Fault { range: first, message, help: HELP, ended: false });
        }
        if self.peek() == Some(Kind::Ellipsis) {
            if !of_object {
                return self.fault("`...` groups the values of an object, and this is a list", HELP);
            }
            self.read();
        }
        if self.keyword("if") {
            self.read();
            self.expression()?;
        }
        if self.peek() != Some(closer) {
            return self.fault("the `for` expression should end here", HELP);
        }
        self.read();
        Ok(())
    }

    /// `key, value in` of a `for`.
    fn names(&mut self, help: &'static str) -> Read {
        if self.peek() != Some(Kind::Ident) {
            return self.fault("a name is expected behind `for`", help);
        }
        self.read();
        if self.peek() == Some(Kind::Comma) {
            self.read();
            if self.peek() != Some(Kind::Ident) {
                return self.fault("a second name is expected behind the comma", help);
            }
            self.read();
        }
        if !self.keyword("in") {
            return self.fault("`in` is expected behind the names of a `for`", help);
        }
        self.read();
        Ok(())
    }

    fn traversals(&mut self) -> Read {
        loop {
            match self.peek() {
                Some(Kind::Dot) => {
                    self.read();
                    match self.peek() {
                        Some(Kind::Ident) => self.read(),
                        Some(Kind::Number) => self.legacy_index()?,
                        Some(Kind::Operator) if self.word() == "*" => {
                            self.read();
                            self.attribute_splat()?;
                        }
                        _ => {
                            return self.fault(
                                "the name of an attribute is expected behind the dot",
                                "write value.name, value[index] or value[*].name",
                            );
                        }
                    }
                }
                Some(Kind::OpenBracket) => self.index()?,
                _ => return Ok(()),
            }
        }
    }

    fn index(&mut self) -> Read {
        self.read();
        if self.peek() == Some(Kind::Operator) && self.word() == "*" {
            self.read();
            if self.peek() != Some(Kind::CloseBracket) {
                return self.fault("a closing bracket is expected behind the star", "write value[*].name");
            }
            self.read();
            return Ok(());
        }
        self.within(true, |reader| {
            reader.expression()?;
            if reader.peek() != Some(Kind::CloseBracket) {
                return reader.fault("a closing bracket is expected behind the index", "add `]`");
            }
            reader.read();
            Ok(())
        })
    }

    /// `list.0`, as before Terraform 0.12; `list.0.1` would be a fraction.
    fn legacy_index(&mut self) -> Read {
        if self.word().contains('.') {
            return self.fault("one index behind the other is not written with dots", "write value[0][1]");
        }
        self.number()?;
        self.read();
        Ok(())
    }

    /// What follows `.*`: names and numbers only.
    fn attribute_splat(&mut self) -> Read {
        while self.peek() == Some(Kind::Dot) {
            self.read();
            match self.peek() {
                Some(Kind::Ident) => self.read(),
                Some(Kind::Number) => self.legacy_index()?,
                _ => {
                    return self.fault(
                        "the name of an attribute is expected behind the dot",
                        "write value[*].name, which may go on with any index",
                    );
                }
            }
        }
        Ok(())
    }

    /// The parser ends a heredoc at any line that begins with its marker, Terraform where nothing else stands on it. A
    /// marker that stands nowhere else is read the same by both.
    fn heredoc(&mut self) {
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
    fn template(&mut self, closer: Kind) -> Read {
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
    fn escapes(&mut self) -> Read {
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
