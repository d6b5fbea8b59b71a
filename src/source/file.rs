//! Source files held in memory, and the byte spans that point into them.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};

use super::concealed::Concealed;
use super::{Node, secret};

/// Names one file of a [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FileId(pub u32);

/// A half-open range of bytes in one file.
///
/// Offsets count bytes of the text as kept in [`SourceFile::text`], that is, without a byte order mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from byte offsets; offsets past 4 GiB saturate (inputs are refused long before that size).
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { file, start: clamp(start), end: clamp(end) }
    }

    /// The smallest span that holds both; `other` must lie in the same file.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A place as people count it: line and column both start at 1, the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// One text that was read, with its path as the user gave it.
#[derive(Debug)]
pub struct SourceFile {
    path: Utf8PathBuf,
    text: String,
    /// Bytes of the byte order mark that was dropped.
    mark: usize,
    line_starts: OnceLock<Vec<u32>>,
    /// Bytes of a text that is not kept.
    unkept: Option<usize>,
}

impl SourceFile {
    /// Takes the text over; a leading byte order mark is dropped, so that offsets count from the first character.
    pub fn new(path: impl Into<Utf8PathBuf>, text: String) -> Self {
        let (text, mark) = match text.strip_prefix('\u{feff}') {
            Some(rest) => (rest.to_owned(), '\u{feff}'.len_utf8()),
            None => (text, 0),
        };
        Self { path: path.into(), text, mark, line_starts: OnceLock::new(), unkept: None }
    }

    /// A file whose text is not kept, as it is large or holds what nobody may see: of it only places are known, and no line
    /// is shown. Its columns count bytes.
    pub fn unkept(path: impl Into<Utf8PathBuf>, line_starts: Vec<u32>, length: usize) -> Self {
        Self {
            path: path.into(),
            text: String::new(),
            mark: 0,
            line_starts: OnceLock::from(line_starts),
            unkept: Some(length),
        }
    }

    /// Whether the text is kept, so that lines of it can be shown.
    pub fn is_kept(&self) -> bool {
        self.unkept.is_none()
    }

    /// Bytes of the text, kept or not.
    pub fn length(&self) -> usize {
        self.unkept.unwrap_or(self.text.len())
    }

    /// How many bytes stand in the file before the text: those of a byte order mark.
    pub fn mark(&self) -> usize {
        self.mark
    }

    /// The path as the user gave it.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The whole text, without a byte order mark.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Byte offsets at which lines start; computed at the first question.
    pub fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0)
                .chain(breaks.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX)))
                .collect()
        })
    }

    /// The byte offset at which a line (from 1) starts; past the last one there is none.
    pub fn line_start(&self, line: usize) -> Option<usize> {
        let starts = self.line_starts();
        line.checked_sub(1).and_then(|line| starts.get(line)).map(|start| *start as usize)
    }

    /// Line and column of a byte offset; an offset past the end is the end.
    pub fn line_column(&self, offset: usize) -> LineColumn {
        let offset = offset.min(self.length());
        let line = self.line_starts().partition_point(|start| *start as usize <= offset);
        let start = self.line_start(line).unwrap_or(0);
        let column = if self.is_kept() {
            self.text.get(start..offset).map_or(0, |before| before.chars().count())
        } else {
            offset - start
        };
        LineColumn { line, column: column + 1 }
    }

    /// The byte offset of a line (from 1) and a column in characters (from 0).
    pub fn offset(&self, line: usize, column: usize) -> usize {
        let line = line.max(1);
        let Some(start) = self.line_start(line) else { return self.text.len() };
        let end = self.line_start(line + 1).unwrap_or(self.text.len());
        let text = self.text.get(start..end).unwrap_or("");
        start + text.char_indices().nth(column).map_or(text.len(), |(at, _)| at)
    }

    /// The text a span covers, empty if it lies outside.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }
}

/// Every file of a run, in the order they were added.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    concealed: Concealed,
}

impl Sources {
    /// Adds a file and names it.
    pub fn add(&mut self, file: SourceFile) -> FileId {
        self.files.push(file);
        FileId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// Puts another file in the place of one that was added, as when its lines are known only after reading.
    pub fn replace(&mut self, id: FileId, file: SourceFile) {
        if let Some(place) = self.files.get_mut(id.0 as usize) {
            *place = file;
        }
    }

    /// The file of an id. An id of another `Sources` yields `None`.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// Ids and files, in order.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(at, file)| (FileId(u32::try_from(at).unwrap_or(u32::MAX)), file))
    }

    /// Marks a value as sensitive, with all that is in it, and sees to it that no report shows it: neither where it is
    /// written nor where a message would print it. Whoever reads a value that its source calls sensitive calls this, once.
    pub fn conceal(&self, node: &mut Node) {
        self.conceal_place(node.span);
        self.conceal_value(node);
    }

    /// [`conceal`](Self::conceal) for a value whose place may be shown: an expression that leads to it.
    pub fn conceal_value(&self, node: &mut Node) {
        self.concealed.texts(node);
        node.mark_sensitive();
    }

    /// Lets no report show what is written at a place.
    pub fn conceal_place(&self, span: Span) {
        self.concealed.place(span);
    }

    /// A file's text as a report may show it: with `*` for what is concealed, what looks like a secret, and the bytes of
    /// `also`. Bytes and lines stay as many.
    pub fn shown<'s>(&'s self, id: FileId, also: &[Range<usize>]) -> Cow<'s, str> {
        let Some(file) = self.get(id) else { return Cow::Borrowed("") };
        let mut ranges = self.concealed.ranges(id);
        ranges.extend(self.concealed.found(file.text()));
        ranges.extend(also.iter().cloned());
        secret::masked(file.text(), &ranges)
    }

    /// Whether there are texts that [`redacted`](Self::redacted) looks for.
    pub fn conceals_texts(&self) -> bool {
        self.concealed.has_texts()
    }

    /// Words of a report without the sensitive values that stand in them.
    pub fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.concealed.redacted(text)
    }
}
