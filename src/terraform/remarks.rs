//! Comments that speak to this tool, and the block each of them stands at.

use super::tokens::{Kind, Token, scan};
use crate::source::{FileId, SourceFile, Span};

/// What the text of such a comment begins with.
pub(super) const MARK: &str = "nexafi-gen:";

/// A comment that begins with `nexafi-gen:`, with the comment lines after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The first line of the comment, without the comment sign.
    pub span: Span,
    /// The texts of the comment's lines, `nexafi-gen:` removed from the first: its own, then those of the comment lines
    /// directly below it, up to the next remark.
    pub lines: Vec<String>,
    /// The block it stands directly above, or else the innermost one it stands in.
    pub block: Option<Place>,
}

/// A block, wherever it is nested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where the top-level block around it starts, which may be itself.
    pub top: Span,
    /// From the first letter of its type to its closing brace.
    pub span: Span,
    /// The steps into the body of the top-level block: type and number of each nested block, `ingress`, 0. The number of
    /// a `dynamic` block's content is not known.
    pub path: Vec<(String, Option<usize>)>,
}

/// Every such comment of a file, in order.
pub fn remarks(id: FileId, file: &SourceFile) -> Vec<Remark> {
    let text = file.text();
    if !text.contains(MARK) {
        return Vec::new();
    }
    if file.path().extension() == Some("json") {
        return super::json::remarks(id, file);
    }
    let tokens = scan(text).0;
    let comments: Vec<Comment> = comments(file, &tokens);
    if !comments.iter().any(|comment| comment.text.starts_with(MARK)) {
        return Vec::new();
    }
    let blocks = blocks(text, &tokens);
    let mut found = Vec::new();
    for (at, comment) in comments.iter().enumerate() {
        let Some(first) = comment.text.strip_prefix(MARK) else { continue };
        // Comment lines in one piece: each alone on its line, directly below the one before.
        let mut run = vec![comment];
        for next in comments.iter().skip(at + 1) {
            let joined = run.last().is_some_and(|last| last.alone && last.last_line + 1 == next.line);
            if !(joined && next.alone) {
                break;
            }
            run.push(next);
        }
        let end = run.last().map_or(comment.last_line, |last| last.last_line);
        let below = comment
            .alone
            .then(|| blocks.iter().position(|block| file.line_column(block.start).line == end + 1))
            .flatten();
        // `ingress { ... } # ...`
        let before = blocks.iter().rposition(|block| {
            !comment.alone && block.end <= comment.at && line(file, block.start) == comment.line
        });
        let around = blocks.iter().rposition(|block| block.open < comment.at && comment.at < block.end);
        let mut lines = vec![first.trim().to_owned()];
        lines.extend(
            run.iter().skip(1).take_while(|next| !next.text.starts_with(MARK)).map(|next| next.text.clone()),
        );
        found.push(Remark {
            span: Span::new(id, comment.at, comment.at + comment.length),
            lines,
            block: below.or(before).or(around).and_then(|at| place(id, &blocks, at)),
        });
    }
    found
}

struct Comment {
    at: usize,
    length: usize,
    text: String,
    line: usize,
    last_line: usize,
    /// Nothing else stands on its line.
    alone: bool,
}

fn line(file: &SourceFile, offset: usize) -> usize {
    file.line_column(offset).line
}

fn comments(file: &SourceFile, tokens: &[Token]) -> Vec<Comment> {
    let text = file.text();
    let of_kind = tokens.iter().filter(|token| token.kind == Kind::Comment);
    of_kind
        .filter_map(|token| {
            let whole = text.get(token.range.clone())?.trim_end();
            let start = token.range.start;
            let inner = whole.trim_start_matches(['#', '/', '*']).trim_end_matches(['*', '/']).trim();
            let first = whole.lines().next().unwrap_or(whole).trim_end();
            let before = text.get(..start)?.rsplit('\n').next().unwrap_or("");
            Some(Comment {
                at: start,
                length: first.len(),
                text: inner.split_whitespace().collect::<Vec<_>>().join(" "),
                line: line(file, start),
                last_line: line(file, start + whole.len()),
                alone: before.trim().is_empty(),
            })
        })
        .collect()
}

struct Block {
    name: String,
    dynamic: bool,
    /// The first letter of its type.
    start: usize,
    /// Its opening brace.
    open: usize,
    /// One past its closing brace.
    end: usize,
    parent: Option<usize>,
}

/// Every block, outer ones first. Braces of objects are none.
fn blocks(text: &str, tokens: &[Token]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Vec<Option<usize>> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::OpenBrace => {
                let head = header(tokens, at);
                let parent = open.iter().rev().find_map(|block| *block);
                open.push(head.map(|(first, label)| {
                    let word = |token: &Token| text.get(token.range.clone()).unwrap_or("").to_owned();
                    let kind = tokens.get(first).map(word).unwrap_or_default();
                    let dynamic = kind == "dynamic" && parent.is_some();
                    let name = if dynamic { label.and_then(|at| tokens.get(at)).map(word) } else { None };
                    blocks.push(Block {
                        name: name.unwrap_or(kind),
                        dynamic,
                        start: tokens.get(first).map_or(0, |token| token.range.start),
                        open: token.range.start,
                        end: text.len(),
                        parent,
                    });
                    blocks.len() - 1
                }));
            }
            // `${` and `%{` bring a kind of their own for their end.
            Kind::CloseBrace => {
                if let Some(block) = open.pop().flatten().and_then(|at| blocks.get_mut(at)) {
                    block.end = token.range.end;
                }
            }
            _ => {}
        }
    }
    blocks
}

/// The first token of the header that an opening brace ends, and its first label's text: names and strings only, back
/// to the start of the line or of the block around.
fn header(tokens: &[Token], brace: usize) -> Option<(usize, Option<usize>)> {
    let mut first = None;
    let mut label = None;
    for (at, token) in tokens.iter().enumerate().take(brace).rev() {
        match token.kind {
            Kind::Ident => first = Some(at),
            Kind::OpenQuote | Kind::CloseQuote => {}
            Kind::Literal => label = Some(at),
            Kind::Newline | Kind::Comment | Kind::OpenBrace => break,
            _ => return None,
        }
    }
    first.map(|first| (first, label))
}

fn place(id: FileId, blocks: &[Block], at: usize) -> Option<Place> {
    let block = blocks.get(at)?;
    let mut path = Vec::new();
    let mut current = at;
    while let Some((inner, parent)) = blocks.get(current).and_then(|block| Some((block, block.parent?))) {
        // The body of a `dynamic` block's `content` is the nested block.
        let content = inner.name == "content" && blocks.get(parent).is_some_and(|parent| parent.dynamic);
        if !content {
            let twins = |other: &&Block| other.parent == Some(parent) && other.name == inner.name;
            let dynamic = blocks.iter().filter(twins).any(|twin| twin.dynamic);
            let number = blocks.iter().take(current).filter(twins).count();
            path.push((inner.name.clone(), (!dynamic).then_some(number)));
        }
        current = parent;
    }
    path.reverse();
    let top = blocks.get(current)?;
    Some(Place { top: Span::new(id, top.start, top.end), span: Span::new(id, block.start, block.end), path })
}
