//! HCL text into parsed chunks, and the parser's complaints into findings.

use hcl_edit::parser::{Error, parse_body};
use hcl_edit::structure::Body;

use crate::source::{FileId, Finding, SourceFile, Span, fault};

use super::declared::{Broken, Chunk};
use super::grammar::{self, Fault};
use super::tokens::{Kind, Stopped, Token, scan};
use super::woven::{Origin, Woven};

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
    let (tokens, stopped) = scan(text);
    let whole = match chunk(id, 0, text, &tokens, stopped) {
        Ok(chunk) => return vec![chunk],
        Err(fault) => fault,
    };
    let before = findings.len();
    let mut chunks = Vec::new();
    for range in pieces(text, &tokens) {
        let (base, Some(piece)) = (range.start, text.get(range)) else { continue };
        let (tokens, stopped) = scan(piece);
        match chunk(id, base, piece, &tokens, stopped) {
            Ok(chunk) => chunks.push(chunk),
            Err(fault) => {
                broken.extend(head(piece));
                if findings.len() - before < MOST {
                    findings.push(explain(id, file, base, &fault));
                }
            }
        }
    }
    if findings.len() == before {
        findings.push(explain(id, file, 0, &whole));
    }
    chunks
}

/// Parses the top-level blocks of some types; other blocks may be among what comes back. A file that cannot be taken apart is
/// parsed as [`parse`] does.
pub(super) fn parse_blocks(types: &[&str], id: FileId, file: &SourceFile) -> Vec<Chunk> {
    let text = file.text();
    let (tokens, stopped) = scan(text);
    // A comment to the end of the line takes the line break with it.
    let begins = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        before.is_none_or(|before| matches!(before.kind, Kind::Newline | Kind::Comment))
    };
    let heads = tokens.iter().enumerate().filter(|(at, token)| {
        let named = || text.get(token.range.clone()).is_some_and(|name| types.contains(&name));
        token.kind == Kind::Ident && named() && begins(*at)
    });
    let heads: Vec<usize> = heads.map(|(_, token)| token.range.start).collect();
    let mut chunks = Vec::new();
    let mut whole = stopped.is_some();
    for range in pieces(text, &tokens) {
        let at = heads.partition_point(|head| *head < range.start);
        if heads.get(at).is_none_or(|head| *head >= range.end) {
            continue;
        }
        let (base, Some(piece)) = (range.start, text.get(range)) else { continue };
        let (tokens, stopped) = scan(piece);
        match chunk(id, base, piece, &tokens, stopped) {
            Ok(chunk) => chunks.push(chunk),
            Err(_) => whole = true,
        }
    }
    if whole { parse(id, file, &mut Vec::new(), &mut Vec::new()) } else { chunks }
}

/// Parses a stretch of a file that starts at an offset.
fn chunk(
    id: FileId,
    base: usize,
    text: &str,
    tokens: &[Token],
    stopped: Option<Stopped>,
) -> Result<Chunk, Fault> {
    let misread = judged(text, tokens, stopped)?;
    if !misread && let Ok(body) = parse_body(text) {
        return Ok(Chunk { file: id, base, woven: None, body });
    }
    let woven = rewrite(text, tokens, &Origin::File(id, base));
    match parse_body(woven.text()) {
        Ok(body) => Ok(Chunk { file: id, base, woven: Some(woven), body }),
        Err(error) => Err(refused(&woven, base, &error)),
    }
}

/// The first fault of a text, or whether the parser may misread it.
fn judged(text: &str, tokens: &[Token], stopped: Option<Stopped>) -> Result<bool, Fault> {
    match (grammar::check(text, tokens), stopped) {
        (Err(fault), _) if !fault.ended => Err(fault),
        // What the grammar misses at the end of what was scanned is what the scanner stopped at.
        (_, Some(Stopped { at, message, help })) => Err(Fault { range: at..at, message, help, ended: true }),
        (Err(fault), None) => {
            // A value that is missing says more than the bracket that is not closed for it.
            let last = tokens.iter().rev().find(|token| !matches!(token.kind, Kind::Newline | Kind::Comment));
            let missing = last.is_some_and(|last| matches!(last.kind, Kind::Equal | Kind::Operator));
            Err(unclosed(tokens).filter(|_| !missing).unwrap_or(fault))
        }
        (Ok(misread), None) => Ok(misread),
    }
}

/// The first fault of a text.
pub(super) fn fault_of(text: &str) -> Option<Fault> {
    let (tokens, stopped) = scan(text);
    judged(text, &tokens, stopped).err()
}

/// A text with what the parser cannot read written otherwise.
pub(super) fn rewrite(text: &str, tokens: &[Token], origin: &Origin<'_>) -> Woven {
    let mut woven = Woven::default();
    let mut at = 0;
    for (range, other) in grammar::rewritten(text, tokens) {
        woven.splice(text, at..range.start.max(at), origin);
        let span = origin.span(range.clone());
        woven.put(span.file, span.start as usize..span.end as usize, &other);
        at = range.end.max(at);
    }
    woven.splice(text, at..text.len(), origin);
    woven
}

/// Parses a text that was woven and that the grammar takes.
pub(super) fn woven(woven: Woven) -> Result<(Woven, Body), Fault> {
    if let Ok(body) = parse_body(woven.text()) {
        return Ok((woven, body));
    }
    let again = rewrite(woven.text(), &scan(woven.text()).0, &Origin::Woven(&woven));
    match parse_body(again.text()) {
        Ok(body) => Ok((again, body)),
        Err(error) => Err(refused(&again, 0, &error)),
    }
}

/// What the parser refuses although the grammar takes it.
fn refused(woven: &Woven, base: usize, error: &Error) -> Fault {
    let offset = error.location().offset();
    let start = (woven.origin(offset..offset).start as usize).saturating_sub(base);
    let said = error.message();
    let (message, help) = if said.contains("redefined attribute") {
        (
            "this argument stands twice in its block",
            "an argument may stand once; remove or rename one of the two",
        )
    } else if said.contains("nested levels") {
        (grammar::TOO_DEEP, "split the expression into locals")
    } else if said.contains("chained binary operators") {
        (
            "it may be right, but more than 128 operators in one expression are not read by this version",
            "split the expression into locals",
        )
    } else {
        (
            "this cannot be read",
            "check the quotation marks, brackets and commas of this line and the one before it",
        )
    };
    Fault { range: start..start, message, help, ended: false }
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

/// What is wrong, as a finding.
pub(super) fn explain(id: FileId, file: &SourceFile, base: usize, fault: &Fault) -> Finding {
    let message = if fault.message.starts_with("it may be right") {
        format!("this cannot be checked: {}", fault.message)
    } else {
        format!("not valid Terraform: {}", fault.message)
    };
    at(id, file, base + fault.range.start, &message, fault.help)
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
fn unclosed(tokens: &[Token]) -> Option<Fault> {
    let mut open: Vec<(&Token, Kind)> = Vec::new();
    for token in tokens {
        match token.kind {
            Kind::OpenBrace => open.push((token, Kind::CloseBrace)),
            Kind::OpenBracket => open.push((token, Kind::CloseBracket)),
            Kind::OpenParen => open.push((token, Kind::CloseParen)),
            // A bracket that closes another kind than the last one opened: that one was forgotten.
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen
                if open.pop().is_none_or(|(_, closer)| closer != token.kind) =>
            {
                return None;
            }
            _ => {}
        }
    }
    let (token, closer) = open.pop()?;
    let (message, help) = match closer {
        Kind::CloseBrace => ("this `{` is never closed", "add the closing `}`"),
        Kind::CloseBracket => ("this `[` is never closed", "add the closing `]`"),
        _ => ("this `(` is never closed", "add the closing `)`"),
    };
    Some(Fault { range: token.range.clone(), message, help, ended: true })
}
