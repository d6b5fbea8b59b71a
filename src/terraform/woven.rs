//! Text in Terraform's native syntax that was put together from pieces of files, and where each piece comes from.
//!
//! The JSON syntax and override files mean blocks that stand nowhere as such. They are written down here, parsed like
//! any other text, and what the parser says of a place in them is said of the place in the file it comes from.

use std::ops::Range;

use crate::source::{FileId, Span};

/// A text and its origin.
#[derive(Debug, Default)]
pub(super) struct Woven {
    text: String,
    /// By their start; together they cover the text.
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Where it starts in the text.
    start: usize,
    file: FileId,
    from: usize,
    to: usize,
    /// Its bytes are those of the file, one by one; otherwise the whole piece stands for the whole range.
    even: bool,
}

impl Woven {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Adds text of a file as it stands there from an offset on.
    pub(super) fn copy(&mut self, file: FileId, from: usize, text: &str) {
        self.piece(Piece { start: 0, file, from, to: from + text.len(), even: true }, text);
    }

    /// Adds text that stands for a range of a file.
    pub(super) fn put(&mut self, file: FileId, range: Range<usize>, text: &str) {
        self.piece(Piece { start: 0, file, from: range.start, to: range.end, even: false }, text);
    }

    fn piece(&mut self, piece: Piece, text: &str) {
        if text.is_empty() {
            return;
        }
        let goes_on = self.pieces.last().is_some_and(|last| {
            last.file == piece.file
                && last.even == piece.even
                && if piece.even {
                    last.to == piece.from
                } else {
                    (last.from, last.to) == (piece.from, piece.to)
                }
        });
        match self.pieces.last_mut() {
            Some(last) if goes_on => last.to = piece.to,
            _ => self.pieces.push(Piece { start: self.text.len(), ..piece }),
        }
        self.text.push_str(text);
    }

    /// Where a range of the text comes from. What was put together from two files stands in the first.
    pub(super) fn origin(&self, range: Range<usize>) -> Span {
        let at = |offset: usize| {
            let next = self.pieces.partition_point(|piece| piece.start <= offset);
            self.pieces.get(next.saturating_sub(1))
        };
        let Some(first) = at(range.start) else { return Span::default() };
        let start = if first.even { first.from + range.start - first.start } else { first.from };
        let last = at(range.end.max(range.start + 1) - 1).unwrap_or(first);
        let end = if last.even { last.from + range.end.saturating_sub(last.start) } else { last.to };
        if last.file == first.file && end >= start {
            Span::new(first.file, start, end)
        } else {
            Span::new(first.file, start, first.to.max(start))
        }
    }

    /// Adds a range of a text that has an origin itself.
    pub(super) fn splice(&mut self, text: &str, range: Range<usize>, origin: &Origin<'_>) {
        match origin {
            Origin::File(file, base) => {
                self.copy(*file, base + range.start, text.get(range).unwrap_or(""));
            }
            Origin::Woven(woven) => {
                let mut at = range.start;
                while at < range.end {
                    let next = woven.pieces.partition_point(|piece| piece.start <= at);
                    let Some(piece) = woven.pieces.get(next.saturating_sub(1)) else { return };
                    let end = woven.pieces.get(next).map_or(range.end, |piece| piece.start.min(range.end));
                    let part = text.get(at..end).unwrap_or("");
                    if piece.even {
                        self.copy(piece.file, piece.from + at - piece.start, part);
                    } else {
                        self.put(piece.file, piece.from..piece.to, part);
                    }
                    at = end;
                }
            }
        }
    }
}

/// Where a text comes from.
pub(super) enum Origin<'w> {
    /// A file, from an offset on.
    File(FileId, usize),
    /// Pieces.
    Woven(&'w Woven),
}

impl Origin<'_> {
    /// Where a range of the text comes from.
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        match self {
            Self::File(file, base) => Span::new(*file, base + range.start, base + range.end),
            Self::Woven(woven) => woven.origin(range),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(file: u32, start: usize, end: usize) -> Span {
        Span::new(FileId(file), start, end)
    }

    #[test]
    fn a_range_is_said_of_the_place_it_comes_from() {
        let mut woven = Woven::default();
        woven.put(FileId(1), 10..16, "name");
        woven.put(FileId(1), 16..17, " = ");
        woven.copy(FileId(1), 20, "value");
        woven.copy(FileId(1), 25, "more");
        woven.copy(FileId(2), 3, "other");
        assert_eq!(woven.text(), "name = valuemoreother");
        assert_eq!(woven.origin(0..4), span(1, 10, 16));
        assert_eq!(woven.origin(1..2), span(1, 10, 16), "an uneven piece is one thing");
        assert_eq!(woven.origin(8..14), span(1, 21, 27));
        assert_eq!(woven.origin(0..8), span(1, 10, 21));
        assert_eq!(woven.origin(17..18), span(2, 4, 5));
        assert_eq!(woven.origin(14..18), span(1, 27, 29), "from the first of two files");
        assert_eq!(woven.origin(12..12), span(1, 25, 25));
    }

    #[test]
    fn a_piece_of_a_woven_text_keeps_its_places() {
        let mut inner = Woven::default();
        inner.put(FileId(1), 10..16, "name");
        inner.copy(FileId(1), 20, "value");
        let mut outer = Woven::default();
        outer.splice("xx{", 2..3, &Origin::File(FileId(3), 7));
        outer.splice(inner.text(), 2..7, &Origin::Woven(&inner));
        assert_eq!(outer.text(), "{meval");
        assert_eq!(outer.origin(0..1), span(3, 9, 10));
        assert_eq!(outer.origin(1..3), span(1, 10, 16));
        assert_eq!(outer.origin(3..6), span(1, 20, 23));
    }
}
