//! Places as people count them, and text that is safe to show on a terminal.

use std::borrow::Cow;

use camino::{Utf8Path, Utf8PathBuf};

use crate::source::{SourceFile, Sources, Span, normalise};

use super::row::Location;

/// The text with everything replaced that would move the cursor, colour the screen or reorder what is read:
/// control characters and the bidirectional formatting characters of Unicode (Trojan Source, CVE-2021-42574).
/// Each is replaced by a character of the same length in bytes, so that offsets stay true. Line breaks and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    fn replacement(character: char) -> Option<char> {
        match character {
            '\n' | '\r' | '\t' => None,
            '\u{80}'..='\u{9f}' => Some('\u{b7}'),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => Some('\u{fffd}'),
            _ if character.is_control() => Some('?'),
            _ => None,
        }
    }
    // Most texts have none of them, which is soon seen byte by byte.
    let plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t');
    if text.bytes().all(plain) || text.chars().all(|character| replacement(character).is_none()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|character| replacement(character).unwrap_or(character)).collect())
}

/// The text on one line, safe to show: every run of blanks and line breaks is one blank.
pub(super) fn one_line(text: &str) -> String {
    visible(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A path as services see it that know the directory of the run: relative to it where it lies below, else absolute;
/// without `.` and `..`, with forward slashes.
pub(super) fn anchored(path: &str, root: &Utf8Path) -> Utf8PathBuf {
    let absolute = normalise(&root.join(path));
    let path = absolute.strip_prefix(root).unwrap_or(&absolute);
    Utf8PathBuf::from(path.as_str().replace('\\', "/"))
}

/// A span's line and column, end exclusive; a span of an unknown file is the start of nothing.
pub(super) fn location(sources: &Sources, span: Span, pointer: &str) -> Location {
    let Some(file) = sources.get(span.file) else {
        return Location { pointer: pointer.to_owned(), ..Location::default() };
    };
    let (start, end) = clamp(file, span);
    let from = file.line_column(start);
    let to = file.line_column(end);
    Location {
        path: file.path().as_str().replace('\\', "/"),
        line: from.line,
        column: from.column,
        end_line: to.line,
        end_column: to.column,
        pointer: pointer.to_owned(),
    }
}

/// The span's offsets, moved into the file and onto character boundaries.
pub(super) fn clamp(file: &SourceFile, span: Span) -> (usize, usize) {
    if !file.is_kept() {
        let end = (span.end as usize).min(file.length());
        return ((span.start as usize).min(end), end);
    }
    let text = file.text();
    let boundary = |offset: u32| {
        let mut offset = (offset as usize).min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    };
    let start = boundary(span.start);
    (start, boundary(span.end).max(start))
}

/// The part of a span to underline: its first line, without the line break and the blanks before it. Underlining
/// forty lines of a mapping would hide what is wrong with it.
pub(super) fn first_line(file: &SourceFile, span: Span) -> (usize, usize) {
    let (start, end) = clamp(file, span);
    let text = file.text().get(start..end).unwrap_or("");
    let line = text.lines().next().unwrap_or("").trim_end();
    (start, start + line.len())
}
