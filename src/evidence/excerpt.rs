//! Lines of files as the page shows them: secrets masked, and nothing that would move or reorder what is read.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;

use crate::report::visible;
use crate::source::FileId;

use super::Evidence;
use super::entry::{Entry, Place};

/// Lines shown before the first and after the last that is meant.
const AROUND: usize = 2;
/// Lines of a place that are shown; what is longer is cut, for its first lines say which block it is.
const MOST: usize = 8;
/// Characters of a line that are shown. What is longer is no text that people read.
const WIDEST: usize = 500;

/// The files that the page quotes, by their order on the page.
#[derive(Debug)]
pub(super) struct Texts {
    files: Vec<Text>,
    numbers: BTreeMap<FileId, usize>,
}

/// One file.
#[derive(Debug, Serialize)]
pub(super) struct Text {
    pub(super) path: String,
    pub(super) lines: Vec<String>,
}

/// Some lines of a file.
#[derive(Debug, Serialize)]
pub(super) struct Excerpt {
    pub(super) path: String,
    pub(super) first: usize,
    pub(super) lines: Vec<Line>,
}

/// One line.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) text: String,
    /// Whether the verdict is about it.
    pub(super) meant: bool,
}

impl Texts {
    /// Every file that a verdict points into. What a finding of a written-out secret points at is hidden too.
    pub(super) fn of(evidence: &Evidence<'_>, entries: &[Entry<'_>]) -> Self {
        let mut secrets: BTreeMap<FileId, Vec<Range<usize>>> = BTreeMap::new();
        for span in evidence.verdicts.iter().filter_map(|finding| finding.secret) {
            secrets.entry(span.file).or_default().push(span.start as usize..span.end as usize);
        }
        let places = entries.iter().flat_map(|entry| [entry.blueprint, entry.generated]).flatten();
        let mut numbers: BTreeMap<FileId, usize> = places.map(|place| (place.file, 0)).collect();
        let mut files = Vec::new();
        for (id, number) in &mut numbers {
            if evidence.sources.get(*id).is_none() {
                continue;
            }
            let known = secrets.get(id).map_or(&[][..], Vec::as_slice);
            let masked = evidence.sources.shown(*id, known);
            *number = files.len();
            files.push(Text {
                path: path(evidence, *id),
                lines: visible(&masked).lines().map(short).collect(),
            });
        }
        Self { files, numbers }
    }

    /// The files, in order.
    pub(super) fn files(&self) -> &[Text] {
        &self.files
    }

    /// A file's position among [`files`](Self::files).
    pub(super) fn number(&self, file: FileId) -> Option<usize> {
        self.numbers.get(&file).copied()
    }

    /// A place's lines with what stands around them.
    pub(super) fn excerpt(&self, place: Place) -> Option<Excerpt> {
        let text = self.files.get(self.number(place.file)?)?;
        let last = place.last.min(place.first + MOST - 1);
        let first = place.first.saturating_sub(AROUND).max(1);
        let lines = text.lines.iter().enumerate().map(|(at, text)| (at + 1, text));
        let lines = lines.skip(first - 1).take(last + AROUND + 1 - first);
        let lines = lines.map(|(number, text)| Line {
            number,
            text: text.clone(),
            meant: (place.first..=last).contains(&number),
        });
        Some(Excerpt { path: text.path.clone(), first: place.first, lines: lines.collect() })
    }

    /// `terraform/vpc.tf:12`.
    pub(super) fn name(&self, place: Place) -> String {
        let path = self.number(place.file).and_then(|at| self.files.get(at)).map_or("", |text| &text.path);
        format!("{path}:{}", place.first)
    }
}

/// A file's path as the page names it.
fn path(evidence: &Evidence<'_>, id: FileId) -> String {
    if id == evidence.blueprint {
        return visible(evidence.name).into_owned();
    }
    let path = evidence.sources.get(id).map(|file| file.path().as_str().replace('\\', "/"));
    visible(&path.unwrap_or_default()).into_owned()
}

fn short(line: &str) -> String {
    match line.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{} …", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}
