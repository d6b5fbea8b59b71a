//! The canonical format: what `terraform fmt` of Terraform 1.11 prints, byte for byte.
//!
//! Only the space between tokens changes, line by line: indentation by open brackets, one space where two tokens need
//! one, then `=` and trailing comments of consecutive lines in one column. As `terraform fmt` does, block labels are
//! put in quotation marks, a string that is one interpolation (`"${var.a}"`) becomes the expression, and the type of a
//! variable loses its pre-0.12 spelling.

use unicode_segmentation::UnicodeSegmentation;

use super::tokens::{Kind, scan};

/// Formats a file. Text whose tokens or brackets make no sense comes back as it is.
///
/// A byte order mark is dropped, line endings are kept.
pub fn format(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (tokens, stopped) = scan(text);
    if stopped.is_some() || !balanced(tokens.iter().map(|token| token.kind)) {
        return text.to_owned();
    }
    // Space after the last token of an unended line is the only space that stays.
    let trailing = text.len() - tokens.last().map_or(0, |last| last.range.end);
    let tokens: Vec<Piece<'_>> = tokens
        .iter()
        .filter_map(|token| Some(Piece { kind: token.kind, text: text.get(token.range.clone())?, spaces: 0 }))
        .collect();
    let mut pieces = Rewriter { tokens: &tokens, at: 0, done: Vec::with_capacity(tokens.len()) }.run();
    let mut lines = lines(&pieces);
    indent(&mut pieces, &lines);
    space(&mut pieces, &lines);
    align(&mut pieces, &mut lines);
    let mut formatted = String::with_capacity(text.len() + text.len() / 8);
    for piece in &pieces {
        formatted.extend(std::iter::repeat_n(' ', piece.spaces));
        formatted.push_str(piece.text);
    }
    formatted.extend(std::iter::repeat_n(' ', trailing));
    formatted
}

/// A token with the spaces before it.
#[derive(Debug, Clone, Copy)]
struct Piece<'a> {
    kind: Kind,
    text: &'a str,
    spaces: usize,
}

impl<'a> Piece<'a> {
    fn new(kind: Kind, text: &'a str) -> Self {
        Self { kind, text, spaces: 0 }
    }

    /// Whether the token ends its line.
    fn ends_line(&self) -> bool {
        self.kind == Kind::Newline || (self.kind == Kind::Comment && self.text.ends_with('\n'))
    }

    fn columns(&self) -> usize {
        let width = if self.text.is_ascii() { self.text.len() } else { self.text.graphemes(true).count() };
        self.spaces + width
    }
}

/// How many brackets a token opens.
fn brackets(kind: Kind) -> isize {
    match kind {
        Kind::OpenBrace | Kind::OpenBracket | Kind::OpenParen | Kind::Control | Kind::Interpolation => 1,
        Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen | Kind::SequenceEnd => -1,
        _ => 0,
    }
}

fn balanced(kinds: impl Iterator<Item = Kind>) -> bool {
    let mut open = Vec::new();
    for kind in kinds {
        match kind {
            Kind::OpenBrace => open.push(Kind::CloseBrace),
            Kind::OpenBracket => open.push(Kind::CloseBracket),
            Kind::OpenParen => open.push(Kind::CloseParen),
            Kind::Control | Kind::Interpolation => open.push(Kind::SequenceEnd),
            _ if brackets(kind) < 0 && open.pop() != Some(kind) => return false,
            _ => {}
        }
    }
    open.is_empty()
}

/// Finds labels and values of arguments, and replaces what `terraform fmt` replaces.
struct Rewriter<'a, 't> {
    tokens: &'t [Piece<'a>],
    at: usize,
    done: Vec<Piece<'a>>,
}

impl<'a> Rewriter<'a, '_> {
    fn run(mut self) -> Vec<Piece<'a>> {
        // The types of the blocks that are open.
        let mut blocks: Vec<&'a str> = Vec::new();
        while let Some(token) = self.tokens.get(self.at) {
            match token.kind {
                Kind::Ident => self.item(&mut blocks),
                kind => {
                    if kind == Kind::CloseBrace {
                        blocks.pop();
                    }
                    self.done.push(*token);
                    self.at += 1;
                }
            }
        }
        self.done
    }

    /// An argument or the header of a block.
    fn item(&mut self, blocks: &mut Vec<&'a str>) {
        let Some(name) = self.tokens.get(self.at).copied() else { return };
        let mut next = self.at + 1;
        while self.tokens.get(next).is_some_and(|token| token.kind == Kind::Comment && !token.ends_line()) {
            next += 1;
        }
        let argument = self.tokens.get(next).is_some_and(|token| token.kind == Kind::Equal);
        self.done.push(name);
        self.at += 1;
        if argument {
            self.value(blocks, name.text);
            return;
        }
        // Comments before a label do not survive, those after the last one do.
        let mut comments = Vec::new();
        while let Some(token) = self.tokens.get(self.at).copied() {
            self.at += 1;
            match token.kind {
                Kind::Ident => {
                    comments.clear();
                    self.done.push(Piece::new(Kind::OpenQuote, "\""));
                    self.done.push(Piece::new(Kind::Literal, token.text));
                    self.done.push(Piece::new(Kind::CloseQuote, "\""));
                }
                Kind::Comment if !token.ends_line() => comments.push(token),
                Kind::OpenBrace => {
                    self.done.append(&mut comments);
                    blocks.push(name.text);
                    self.done.push(token);
                    return;
                }
                _ => {
                    comments.clear();
                    self.done.push(token);
                    if token.ends_line() {
                        return;
                    }
                }
            }
        }
    }

    /// The `=` and the value of an argument.
    fn value(&mut self, blocks: &[&str], name: &str) {
        let mut open = 0;
        let mut heredocs = 0_usize;
        let mut start = None;
        let mut end = self.at;
        for (at, token) in self.tokens.iter().enumerate().skip(self.at) {
            match token.kind {
                Kind::OpenHeredoc => heredocs += 1,
                Kind::CloseHeredoc => heredocs = heredocs.saturating_sub(1),
                _ => {}
            }
            if open == 0 && heredocs == 0 && (token.ends_line() || token.kind == Kind::CloseBrace) {
                break;
            }
            open += brackets(token.kind);
            if token.kind != Kind::Comment {
                if start.is_some() || token.kind != Kind::Equal {
                    start = start.or(Some(at));
                }
                end = at + 1;
            }
        }
        let Some(start) = start else { return };
        let (Some(before), Some(value)) = (self.tokens.get(self.at..start), self.tokens.get(start..end))
        else {
            return;
        };
        self.done.extend_from_slice(before);
        self.at = end;
        if blocks == ["variable"] && name == "type" {
            self.variable_type(value);
        } else {
            self.unwrapped(value);
        }
    }

    fn variable_type(&mut self, value: &[Piece<'a>]) {
        let (word, element) = match value {
            [word] if word.kind == Kind::Ident && matches!(word.text, "list" | "map" | "set") => {
                (word.text, "any")
            }
            [open, word, close]
                if open.kind == Kind::OpenQuote
                    && close.kind == Kind::CloseQuote
                    && matches!(word.text, "list" | "map" | "string") =>
            {
                (word.text, "string")
            }
            _ => {
                self.done.extend_from_slice(value);
                return;
            }
        };
        self.done.push(Piece::new(Kind::Ident, word));
        if word != "string" {
            self.done.push(Piece::new(Kind::OpenParen, "("));
            self.done.push(Piece::new(Kind::Ident, element));
            self.done.push(Piece::new(Kind::CloseParen, ")"));
        }
    }

    /// A value; `"${expression}"` becomes the expression.
    fn unwrapped(&mut self, value: &[Piece<'a>]) {
        let Some(inside) = single_interpolation(value) else {
            self.done.extend_from_slice(value);
            return;
        };
        let start = inside.iter().position(|token| token.kind != Kind::Newline).unwrap_or(inside.len());
        let end = inside.iter().rposition(|token| token.kind != Kind::Newline).map_or(start, |last| last + 1);
        let inside = inside.get(start..end).unwrap_or(&[]);
        let several_lines = inside.iter().any(|token| token.kind == Kind::Newline);
        let enclosed = inside.first().is_some_and(|first| first.kind == Kind::OpenParen)
            && inside.last().is_some_and(|last| last.kind == Kind::CloseParen);
        let enclose = several_lines && !enclosed;
        if enclose {
            self.done.push(Piece::new(Kind::OpenParen, "("));
        }
        self.done.extend_from_slice(inside);
        if enclose {
            self.done.push(Piece::new(Kind::CloseParen, ")"));
        }
    }
}

/// What stands between `"${` and `}"`, if that is the whole value and surely one interpolation.
fn single_interpolation<'p, 'a>(value: &'p [Piece<'a>]) -> Option<&'p [Piece<'a>]> {
    let [open, start, inside @ .., end, close] = value else { return None };
    if inside.is_empty()
        || open.kind != Kind::OpenQuote
        || start.kind != Kind::Interpolation
        || end.kind != Kind::SequenceEnd
        || close.kind != Kind::CloseQuote
    {
        return None;
    }
    let mut quotes = 0_isize;
    for token in inside {
        match token.kind {
            Kind::OpenQuote => quotes += 1,
            Kind::CloseQuote => quotes -= 1,
            Kind::Interpolation | Kind::SequenceEnd | Kind::Literal if quotes <= 0 => return None,
            _ => {}
        }
    }
    Some(inside)
}

/// A line in three cells, each a range of tokens that starts where the one before it ends.
#[derive(Debug)]
struct Line {
    start: usize,
    /// Where the `=` stands of a value that ends on its line; else the end of the cell before.
    assign: usize,
    /// Where the comment stands that follows other tokens; else `end`.
    comment: usize,
    end: usize,
}

impl Line {
    fn has_assign(&self) -> bool {
        self.assign < self.comment
    }

    fn has_comment(&self) -> bool {
        self.comment < self.end
    }
}

fn lines(pieces: &[Piece<'_>]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    let ends = pieces.iter().enumerate().filter(|(_, piece)| piece.ends_line()).map(|(at, _)| at + 1);
    for end in ends.chain([pieces.len()]) {
        let line = pieces.get(start..end).unwrap_or(&[]);
        let commented = line.len() > 1 && line.last().is_some_and(|last| last.kind == Kind::Comment);
        let comment = if commented { end - 1 } else { end };
        let code = pieces.get(start..comment).unwrap_or(&[]);
        let mut assign = comment;
        if let Some(equal) = code.iter().skip(1).position(|piece| piece.kind == Kind::Equal) {
            // A value that opens more brackets than it closes goes on below and is not aligned.
            let equal = equal + 1;
            let open: isize = code.iter().skip(equal).map(|piece| brackets(piece.kind)).sum();
            if open == 0 {
                assign = start + equal;
            }
        }
        lines.push(Line { start, assign, comment, end });
        start = end;
    }
    lines
}

fn indent(pieces: &mut [Piece<'_>], lines: &[Line]) {
    // How many brackets each level of indentation has open.
    let mut levels: Vec<isize> = Vec::new();
    for line in lines {
        let Some(first) = pieces.get(line.start).filter(|_| line.start < line.assign) else { continue };
        if first.kind == Kind::Newline {
            continue;
        }
        let mut open = 0;
        for piece in pieces.get(line.start..line.assign).unwrap_or(&[]) {
            open += brackets(piece.kind);
            if piece.kind == Kind::OpenHeredoc {
                break;
            }
        }
        open += pieces
            .get(line.assign..line.comment)
            .unwrap_or(&[])
            .iter()
            .map(|piece| brackets(piece.kind))
            .sum::<isize>();
        let mut closed = -open;
        while closed > 0 {
            let Some(level) = levels.last_mut() else { break };
            if closed < *level {
                *level -= closed;
                break;
            }
            closed -= *level;
            levels.pop();
        }
        if let Some(first) = pieces.get_mut(line.start) {
            first.spaces = 2 * levels.len();
        }
        if open > 0 {
            levels.push(open);
        }
    }
}

fn space(pieces: &mut [Piece<'_>], lines: &[Line]) {
    for line in lines {
        for (start, end) in [(line.start, line.assign), (line.assign, line.comment)] {
            let mut before = None;
            for at in start..end.saturating_sub(1) {
                let (Some(subject), Some(after)) = (pieces.get(at).copied(), pieces.get(at + 1).copied())
                else {
                    break;
                };
                if let Some(after_piece) = pieces.get_mut(at + 1) {
                    after_piece.spaces = usize::from(space_between(before, &subject, after.kind));
                }
                before = Some(subject.kind);
            }
        }
    }
}

/// Whether a space stands between two tokens of a cell; `before` is the kind of the token before them.
fn space_between(before: Option<Kind>, subject: &Piece<'_>, after: Kind) -> bool {
    let kind = subject.kind;
    // The order of the rules decides, so equal answers stay apart.
    #[allow(clippy::match_same_arms, reason = "see above")]
    match (kind, after) {
        (_, Kind::Newline | Kind::Comma | Kind::Ellipsis | Kind::Dot)
        | (Kind::Ident, Kind::OpenParen | Kind::DoubleColon)
        | (Kind::DoubleColon, Kind::Ident)
        | (Kind::Dot, _) => false,
        (Kind::Comma, _) => true,
        (Kind::Literal | Kind::OpenQuote | Kind::OpenHeredoc, _)
        | (_, Kind::Literal | Kind::CloseQuote | Kind::CloseHeredoc) => false,
        // `for x in [y]`: not an index into something called `in`.
        (Kind::Ident, _) if subject.text == "in" && before == Some(Kind::Ident) => true,
        (_, Kind::OpenBracket) if matches!(kind, Kind::Ident | Kind::Number) || brackets(kind) < 0 => false,
        (Kind::Bang, _) => false,
        // A minus after anything but a value is a sign.
        (Kind::Minus, _) => !matches!(
            before,
            None | Some(
                Kind::OpenParen
                    | Kind::OpenBrace
                    | Kind::OpenBracket
                    | Kind::Equal
                    | Kind::Comma
                    | Kind::Operator
                    | Kind::Minus
                    | Kind::Bang
            )
        ),
        (Kind::OpenBrace, Kind::CloseBrace) => false,
        (Kind::OpenBrace, _)
        | (_, Kind::CloseBrace)
        | (Kind::Interpolation | Kind::Control, Kind::OpenBrace)
        | (Kind::CloseBrace, Kind::SequenceEnd) => true,
        (Kind::SequenceEnd, Kind::Interpolation | Kind::Control) => false,
        _ => brackets(kind) <= 0 && brackets(after) >= 0,
    }
}

fn columns(pieces: &[Piece<'_>], start: usize, end: usize) -> usize {
    pieces.get(start..end).unwrap_or(&[]).iter().map(Piece::columns).sum()
}

/// Puts the `=` of consecutive lines in one column, then their comments.
fn align(pieces: &mut [Piece<'_>], lines: &mut [Line]) {
    for line in lines.iter().filter(|line| line.has_assign()) {
        if let Some(equal) = pieces.get_mut(line.assign) {
            equal.spaces = 1;
        }
    }
    for chain in lines.chunk_by(|one, other| one.has_assign() == other.has_assign()) {
        align_cells(
            pieces,
            chain.iter().filter(|line| line.has_assign()).map(|line| (line.start, line.assign)),
        );
    }
    for chain in lines.chunk_by(|one, other| one.has_comment() == other.has_comment()) {
        align_cells(
            pieces,
            chain.iter().filter(|line| line.has_comment()).map(|line| (line.start, line.comment)),
        );
    }
}

/// Gives the token after each range the spaces that put it right of the widest range.
fn align_cells(pieces: &mut [Piece<'_>], cells: impl Iterator<Item = (usize, usize)>) {
    let cells: Vec<_> = cells.map(|(start, end)| (end, columns(pieces, start, end))).collect();
    let widest = cells.iter().map(|(_, columns)| *columns).max().unwrap_or(0);
    for (end, columns) in cells {
        if let Some(piece) = pieces.get_mut(end) {
            piece.spaces = widest - columns + 1;
        }
    }
}
