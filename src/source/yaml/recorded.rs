//! YAML that was parsed when the tool was built: `build.rs` writes down what the parser says of each policy, and here it is
//! heard again, which takes a tenth of the time.
//!
//! A record is a list of events. Each is a byte that says what it is, and three numbers: the bytes of the text at which it
//! begins and ends, and the anchor it has or, of an alias, means; 0 is none; [`record`](crate::record) says how
//! they are written.
//!
//! | byte | event |
//! |---|---|
//! | 0 | a document begins |
//! | 1, 2 | a list or a mapping begins |
//! | 3, 4 | it ends |
//! | 5 | an alias |
//! | 16 + style | a scalar; its length and its text follow |
//! | 24 + style | a scalar whose text is just what stands there |
//!
//! Styles: 0 plain, 1 and 2 in single and double quotes, 3 literal, 4 folded.

use std::borrow::Cow;

use saphyr_parser::{Event, ScalarStyle};

use super::{Builder, Dialect, Documents};
use crate::record::{number, text};
use crate::source::{FileId, SourceFile};

/// What [`read`](super::read) gives for a file, out of a record of it. `None` if that is no such record.
pub(crate) fn read(id: FileId, file: &SourceFile, record: &[u8]) -> Option<Documents> {
    let mut builder = Builder::new(id, file, Dialect::Plain);
    let mut rest = record;
    while let Some((kind, after)) = rest.split_first() {
        rest = after;
        let (start, end, anchor) = (number(&mut rest)?, number(&mut rest)?, number(&mut rest)?);
        let event = match kind {
            0 => Event::DocumentStart(false),
            1 => Event::SequenceStart(anchor, None),
            2 => Event::MappingStart(anchor, None),
            3 => Event::SequenceEnd,
            4 => Event::MappingEnd,
            5 => Event::Alias(anchor),
            _ => {
                let style = match kind & 7 {
                    0 => ScalarStyle::Plain,
                    1 => ScalarStyle::SingleQuoted,
                    2 => ScalarStyle::DoubleQuoted,
                    3 => ScalarStyle::Literal,
                    _ => ScalarStyle::Folded,
                };
                let text = if kind & 8 == 0 { text(&mut rest)? } else { file.text().get(start..end)? };
                Event::Scalar(Cow::Borrowed(text), style, anchor, None)
            }
        };
        builder.event(event, start, end).ok()?;
    }
    let whole = !builder.documents.is_empty() && builder.stack.is_empty();
    whole.then_some(Documents { documents: builder.documents, findings: builder.findings, complete: true })
}
