//! HCL text into parsed chunks, and the parser's complaints into findings.

use hcl_edit::parser::{Error, parse_body};

use crate::source::{FileId, Finding, SourceFile, Span, fault};

use super::declared::{Broken, Chunk, Place};
use super::tokens::{Kind, Stopped, Token, scan};

/// Findings of one file past which the rest is hardly news.
const MOST: usize = 50;

/// Parses a file. If it does not parse as a whole, its top-level blocks are parsed one by one, so that one fault does
/// not hide the others.
pub(super) fn parse(
    id: FileId,
    file: &SourceFile,
    broken: &mut Vec<Broken>,
    findings: &mut Vec<Finding>,
) -> Vec<Chunk> {
    let text = file.text();
    let whole = match parse_body(text) {
        Ok(body) => return vec![Chunk { place: Place { file: id, base: 0 }, body }],
        Err(error) => error,
    };
    let tokens = scan(text).0;
    let joined = joined(text, &tokens);
    if let Some(Ok(body)) = joined.as_deref().map(parse_body) {
        return vec![Chunk { place: Place { file: id, base: 0 }, body }];
    }
    let before = findings.len();
    let mut chunks = Vec::new();
    for range in pieces(text, &tokens) {
        let (base, Some(piece)) = (range.start, text.get(range.clone())) else { continue };
        match parse_body(joined.as_deref().and_then(|joined| joined.get(range)).unwrap_or(piece)) {
            Ok(body) => chunks.push(Chunk { place: Place { file: id, base }, body }),
            Err(error) => {
                broken.extend(head(piece));
                if findings.len() - before < MOST {
                    findings.push(explain(id, file, base, piece, &error));
                }
            }
        }
    }
    if findings.len() == before {
        findings.push(explain(id, file, 0, text, &whole));
    }
    chunks
}

/// The text with the lines of each `{ for ... }` in one: they may end anywhere, which the parser knows of brackets and
/// parentheses only. Spaces stand for what ended them, so that every offset stays. `None` if there is no such thing.
fn joined(text: &str, tokens: &[Token]) -> Option<String> {
    let mut open = Vec::new();
    let mut ends = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::OpenBrace => {
                let next = tokens
                    .iter()
                    .skip(at + 1)
                    .find(|next| !matches!(next.kind, Kind::Newline | Kind::Comment));
                open.push(next.is_some_and(|next| {
                    next.kind == Kind::Ident && text.get(next.range.clone()) == Some("for")
                }));
            }
            Kind::OpenBracket | Kind::OpenParen | Kind::Interpolation | Kind::Control => open.push(false),
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen | Kind::SequenceEnd => drop(open.pop()),
            Kind::Newline | Kind::Comment if open.last() == Some(&true) => ends.push(token.range.clone()),
            _ => {}
        }
    }
    if ends.is_empty() {
        return None;
    }
    let mut joined = text.to_owned();
    for range in ends {
        let length = range.len();
        joined.replace_range(range, &" ".repeat(length));
    }
    Some(joined)
}

/// Where the items of a file start and end, as far as brackets and the start of lines tell.
///
/// An item starts with a name in the first column while brackets are closed; a name in the first column that has
/// labels and a brace behind it starts one even while they are not, since the fault is then a bracket that was never
/// closed.
fn pieces(text: &str, tokens: &[Token]) -> Vec<std::ops::Range<usize>> {
    let mut starts = vec![0];
    let mut open = 0_isize;
    let mut templates = 0_isize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::OpenBrace | Kind::OpenBracket | Kind::OpenParen => open += 1,
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen => open -= 1,
            Kind::OpenQuote | Kind::OpenHeredoc => templates += 1,
            Kind::CloseQuote | Kind::CloseHeredoc => templates -= 1,
            _ => {}
        }
        let line_start =
            text.get(..token.range.start).is_some_and(|before| before.is_empty() || before.ends_with('\n'));
        if token.kind == Kind::Ident
            && line_start
            && templates == 0
            && (open <= 0 || heads_block(text, tokens, at))
        {
            open = 0;
            starts.push(token.range.start);
        }
    }
    // What the scanner did not read: it stopped, and only lines tell where the next block starts.
    let read = tokens.last().map_or(0, |last| last.range.end);
    let mut offset = read;
    for line in text.get(read..).unwrap_or("").split_inclusive('\n') {
        let fresh = text.get(..offset).is_some_and(|before| before.ends_with('\n'));
        if fresh
            && BLOCK_TYPES
                .iter()
                .any(|word| line.strip_prefix(word).is_some_and(|rest| rest.starts_with([' ', '{'])))
        {
            starts.push(offset);
        }
        offset += line.len();
    }
    starts.dedup();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    starts.into_iter().zip(ends).map(|(start, end)| start..end).collect()
}

/// The type and labels of the block a piece starts with.
fn head(piece: &str) -> Option<Broken> {
    let line = piece.split_once('{').map_or(piece, |(head, _)| head).lines().next()?;
    let mut words =
        line.split(|between: char| between == '"' || between.is_whitespace()).filter(|word| !word.is_empty());
    let kind = words.next()?.to_owned();
    Some(Broken { kind, labels: words.map(str::to_owned).collect() })
}

/// The block types Terraform 1.11 knows at the top of a file.
pub(super) const BLOCK_TYPES: &[&str] = &[
    "resource",
    "data",
    "variable",
    "output",
    "locals",
    "module",
    "provider",
    "terraform",
    "moved",
    "import",
    "removed",
    "check",
    "ephemeral",
];

/// Whether the name at a place is one of a top-level block, with its labels and brace on the same line.
fn heads_block(text: &str, tokens: &[Token], at: usize) -> bool {
    let named = tokens.get(at).and_then(|token| text.get(token.range.clone()));
    named.is_some_and(|name| BLOCK_TYPES.contains(&name))
        && tokens
            .iter()
            .skip(at + 1)
            .find(|token| {
                !matches!(token.kind, Kind::Ident | Kind::OpenQuote | Kind::Literal | Kind::CloseQuote)
            })
            .is_some_and(|token| token.kind == Kind::OpenBrace)
}

/// What is wrong, as a person would say it: the scanner's word if it stopped in this piece, or else the parser's.
fn explain(id: FileId, file: &SourceFile, base: usize, piece: &str, error: &Error) -> Finding {
    let (tokens, stopped) = scan(piece);
    if let Some(Stopped { at: stopped, message, help }) = stopped {
        return at(id, file, base + stopped, &format!("not valid Terraform: {message}"), help);
    }
    if let Some((open, word)) = unclosed(&tokens) {
        return at(
            id,
            file,
            base + open,
            &format!("not valid Terraform: this `{word}` is never closed"),
            &format!("add the closing `{}`", closing(word)),
        );
    }
    let offset = error.location().offset().min(piece.len());
    let rest = piece.get(offset..).unwrap_or("");
    let message = error.message();
    let help = if message.contains("redefined attribute") || message.contains("redefined object key") {
        "an argument may stand once; remove or rename one of the two"
    } else if message.contains("nested levels") || message.contains("chained binary operators") {
        "split the expression into locals"
    } else if message == "expected `]`" {
        "put a comma behind each item, and `]` behind the last"
    } else if message == "expected `{`" {
        "write name = value for an argument, name { ... } for a block"
    } else if rest.starts_with('=') {
        "write name = value, with the name unquoted and nothing between it and the equals sign"
    } else if message.starts_with("invalid expression") {
        "a value is missing or is not one: put text into double quotation marks"
    } else if message.contains("newline") {
        "put each argument on a line of its own, and a comma between the items of a list"
    } else {
        "check the quotation marks, brackets and commas of this line and the one before it"
    };
    let message = match message {
        said if said.contains("redefined attribute") => "this argument stands twice in its block".to_owned(),
        said if said.starts_with("invalid expression") => "a value is expected here".to_owned(),
        said if said.contains("newline") => "the line should end here".to_owned(),
        "expected `{`" => "neither an equals sign nor a block follows this name".to_owned(),
        "expected `]`" => "the list goes on without a comma, or is never closed".to_owned(),
        said if said.contains("redefined object key") => "this key stands twice in its object".to_owned(),
        said => said.to_owned(),
    };
    at(id, file, base + offset, &format!("not valid Terraform: {message}"), help)
}

/// A finding at an offset; it underlines the word or sign that starts there, or the line that ends there.
fn at(id: FileId, file: &SourceFile, offset: usize, message: &str, help: &str) -> Finding {
    let (before, rest) = file.text().split_at_checked(offset).unwrap_or((file.text(), ""));
    let offset = if rest.is_empty() || rest.starts_with(['\n', '\r']) {
        let line = before.trim_end().rsplit('\n').next().unwrap_or("").trim_start();
        before.trim_end().len() - line.len()
    } else {
        offset
    };
    let rest = if offset < before.len() { before.get(offset..).unwrap_or("").trim_end() } else { rest };
    let ends_line = offset < before.len();
    let word =
        rest.find(|next: char| next != '_' && next != '-' && !next.is_alphanumeric()).unwrap_or(rest.len());
    let sign = rest.chars().next().filter(|next| !matches!(next, '\n' | '\r')).map_or(0, char::len_utf8);
    let length = if ends_line { rest.len() } else { word.max(sign) };
    Finding::fault(fault::HCL_SYNTAX, Span::new(id, offset, offset + length), message)
        .label("the fault is here or just before")
        .help(help)
}

/// The innermost bracket of a piece that is never closed.
fn unclosed(tokens: &[Token]) -> Option<(usize, &'static str)> {
    let mut open = Vec::new();
    for token in tokens {
        let start = token.range.start;
        match token.kind {
            Kind::OpenBrace => open.push((start, "{")),
            Kind::OpenBracket => open.push((start, "[")),
            Kind::OpenParen => open.push((start, "(")),
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen => {
                let word = match token.kind {
                    Kind::CloseBrace => "{",
                    Kind::CloseBracket => "[",
                    _ => "(",
                };
                // A bracket that closes another kind than the last one opened: that one was forgotten.
                if open.pop().is_none_or(|(_, opened)| opened != word) {
                    return None;
                }
            }
            _ => {}
        }
    }
    open.pop()
}

fn closing(word: &str) -> &'static str {
    match word {
        "{" => "}",
        "[" => "]",
        _ => ")",
    }
}
