//! How much room text takes. The reader's font is not known, so a wide one is reckoned with: what fits by this measure
//! fits in the common sans-serif fonts too.

use unicode_segmentation::UnicodeSegmentation as _;

/// A size and a weight of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Font {
    /// The picture's title.
    Title,
    /// A region's name.
    Region,
    /// The name of a box or a thing.
    Name,
    /// Anything else.
    Fact,
    /// Inside a chip.
    Chip,
}

impl Font {
    /// Its size in pixels.
    pub fn size(self) -> i32 {
        match self {
            Self::Title => 22,
            Self::Region => 15,
            Self::Name => 12,
            Self::Fact => 11,
            Self::Chip => 10,
        }
    }

    /// A class of its own.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Title => "nxg-t1",
            Self::Region => "nxg-t2",
            Self::Name => "nxg-t3",
            Self::Fact => "nxg-t4",
            Self::Chip => "nxg-t5",
        }
    }

    /// In thousandths: bold text is wider.
    fn weight(self) -> i32 {
        match self {
            Self::Title | Self::Region | Self::Name => 1120,
            Self::Chip => 1060,
            Self::Fact => 1000,
        }
    }
}

/// In thousandths of the font's size. The widths are those of `DejaVu` Sans and Verdana, rounded up: of the fonts that
/// `sans-serif` usually means they are the widest.
fn advance(grapheme: &str) -> i32 {
    let Some(first) = grapheme.chars().next() else { return 0 };
    match first {
        'i' | 'j' | 'l' | '\'' | '|' => 300,
        ' ' | '.' | ',' | ':' | ';' | '/' | 'I' | '!' | '·' => 360,
        'f' | 'r' | 't' | '(' | ')' | '-' | '[' | ']' | '"' => 430,
        'm' | 'M' | 'W' | 'w' | '@' | '%' | '…' | '→' | '×' | '=' | '+' | '<' | '>' | '~' => 1000,
        'A'..='Z' | '&' | '#' => 790,
        ' '..='~' => 640,
        '\u{a1}'..='\u{24f}' => 800,
        _ => 1050,
    }
}

/// How wide a text is at most, in pixels.
pub fn width(text: &str, font: Font) -> i32 {
    let units: i32 = text.graphemes(true).map(advance).fold(0, i32::saturating_add);
    let pixels = i64::from(units) * i64::from(font.size()) * i64::from(font.weight()) / 1_000_000 + 1;
    i32::try_from(pixels).unwrap_or(i32::MAX)
}

/// The text, cut so that it fits.
pub fn fit(text: &str, font: Font, room: i32) -> String {
    if width(text, font) <= room {
        return text.to_owned();
    }
    let mut cut = String::new();
    for grapheme in text.graphemes(true) {
        let longer = format!("{cut}{grapheme}");
        if width(&format!("{longer}…"), font) > room {
            break;
        }
        cut = longer;
    }
    format!("{}…", cut.trim_end())
}

/// The text in lines that fit, at most `lines` of them; the last is cut. Breaks come after spaces, and inside of words
/// after the signs that join their parts.
pub(super) fn wrap(text: &str, font: Font, room: i32, lines: usize) -> Vec<String> {
    let mut wrapped: Vec<String> = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if wrapped.len() + 1 >= lines || width(rest, font) <= room {
            wrapped.push(fit(rest, font, room));
            break;
        }
        let (mut end, mut breaks) = (0, 0);
        for (at, grapheme) in rest.grapheme_indices(true) {
            let after = at + grapheme.len();
            if width(rest[..after].trim_end(), font) > room {
                break;
            }
            end = after;
            if matches!(grapheme, " " | "/" | ":" | "=" | "," | "-" | ".") {
                breaks = after;
            }
        }
        let end = if breaks > 0 { breaks } else { end };
        if end == 0 {
            wrapped.push(fit(rest, font, room));
            break;
        }
        wrapped.push(rest[..end].trim_end().to_owned());
        rest = rest[end..].trim_start();
    }
    wrapped
}

/// What may be shown of a character: line breaks and tabs are spaces, and what cannot be in an XML document or reorders
/// what is read (Trojan Source, CVE-2021-42574) is replaced.
pub(super) fn clean(character: char) -> char {
    match character {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{fffe}'
        | '\u{ffff}' => '\u{fffd}',
        _ if character.is_control() => '\u{fffd}',
        _ => character,
    }
}
