//! Expressions: conditionals, operations, terms and what may be taken out of them.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{DEEPEST, Fault, Read, Reader, TOO_DEEP};
use crate::terraform::tokens::Kind;

impl Reader<'_> {
    pub(super) fn expression(&mut self) -> Read {
        self.deeper(Self::conditional)
    }

    /// Reads what is nested one level more.
    pub(super) fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Read) -> Read {
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
    pub(super) fn names(&mut self, help: &'static str) -> Read {
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
}
