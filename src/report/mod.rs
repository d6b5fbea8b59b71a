//! Reports: what a run found, as people read it (`graphical`), as editors and `grep` read it (`concise`) and as
//! programs read it (`json`). The only module that knows miette.

mod concise;
mod graphical;
mod json;
mod place;
mod row;

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use crate::source::{Finding, Severity, Sources, Verdict};

pub use json::schema;
pub use place::visible;
pub use row::{
    Document, Drift, DriftState, Input, InputKind, Location, RelatedPlace, Row, SCHEMA, Summary, Tool,
};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// The source line with the value underlined, help, related places.
    #[default]
    Graphical,
    /// One line a finding: `path:line:column: severity code message`.
    Concise,
    /// One JSON document, see `nexafi-gen schema report`.
    Json,
}

/// What a terminal can show.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// ANSI colours.
    pub colour: bool,
    /// Columns to wrap text at. Source lines are never wrapped.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { colour: false, width: 100 }
    }
}

/// Everything a run has to say.
#[derive(Debug)]
pub struct Report<'a> {
    sources: &'a Sources,
    root: Utf8PathBuf,
    inputs: Vec<Input>,
    verdicts: Vec<Finding>,
    /// Files on disk that differ from what the blueprint says; `None` where nothing was compared.
    pub drift: Option<Vec<Drift>>,
    /// Whether passes are reported too.
    pub all: bool,
}

impl<'a> Report<'a> {
    /// Sorts `verdicts` by path, then position, then policy. `root` is the directory that paths are relative to in
    /// fingerprints, so that the same finding has the same one however the path was typed.
    pub fn new(
        sources: &'a Sources,
        root: impl Into<Utf8PathBuf>,
        mut inputs: Vec<Input>,
        mut verdicts: Vec<Finding>,
    ) -> Self {
        let key = |finding: &Finding| {
            let path = sources.get(finding.span.file).map(|file| file.path().to_owned()).unwrap_or_default();
            (path, finding.span, finding.code.clone(), finding.subject.clone(), finding.message.clone())
        };
        verdicts.sort_by_cached_key(key);
        verdicts.dedup();
        inputs.sort();
        inputs.dedup();
        Self { sources, root: root.into(), inputs, verdicts, drift: None, all: false }
    }

    /// The verdicts a report lists: with `all` every one, else findings only.
    pub fn listed(&self) -> impl Iterator<Item = &Finding> {
        self.verdicts.iter().filter(|finding| self.all || finding.verdict != Verdict::Pass)
    }

    /// Counts over every verdict, listed or not.
    pub fn summary(&self) -> Summary {
        let count = |verdict| self.verdicts.iter().filter(|finding| finding.verdict == verdict).count();
        let subjects: BTreeSet<_> = self
            .verdicts
            .iter()
            .filter_map(|finding| finding.subject.as_ref().map(|subject| (finding.span.file, subject)))
            .collect();
        Summary {
            subjects: subjects.len(),
            pass: count(Verdict::Pass),
            fail: count(Verdict::Fail),
            unproven: count(Verdict::Unproven),
            waived: count(Verdict::Waived),
        }
    }

    /// Whether a finding at or above `threshold` stands open. A waived one does not: somebody answers for it.
    pub fn fails(&self, threshold: Severity) -> bool {
        self.verdicts.iter().any(|finding| is_open(finding) && finding.severity >= threshold)
    }

    /// The report as text, with a final newline unless there is nothing to say.
    pub fn render(&self, format: Format, style: Style) -> String {
        match format {
            Format::Graphical => graphical::render(self, style),
            Format::Concise => concise::render(self),
            Format::Json => json::render(self),
        }
    }
}

/// Neither met nor waived.
pub fn is_open(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Fail | Verdict::Unproven)
}
