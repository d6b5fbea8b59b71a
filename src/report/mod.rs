//! Reports: what a run found, as people read it (`graphical`), as editors and `grep` read it (`concise`) and as
//! programs read it (`json`). The only module that knows miette.

mod concise;
mod controls;
mod graphical;
mod json;
mod place;
mod row;

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::source::{FileId, Finding, Severity, Sources, Verdict};

pub use controls::{ControlPolicy, ControlRow, ControlVerdicts, controls};
pub use json::schema;
pub use place::visible;
pub use row::{
    Document, Drift, DriftState, Input, InputKind, Location, RelatedPlace, Row, SCHEMA, Summary, Tool,
    WaiverRow,
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
    /// With `--framework`: its controls.
    pub controls: Option<Vec<ControlRow>>,
    /// Whether passes are reported too, and what a baseline knows.
    pub all: bool,
    /// Whether what is unproven fails the run like a failure.
    pub strict: bool,
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
        // Paths are compared once a file, not once a comparison.
        let mut files: Vec<_> = sources.iter().map(|(id, file)| (file.path(), id)).collect();
        files.sort_unstable();
        let ranks: BTreeMap<FileId, usize> =
            files.into_iter().enumerate().map(|(rank, (_, id))| (id, rank + 1)).collect();
        let key = |finding: &Finding| (ranks.get(&finding.span.file).copied().unwrap_or(0), finding.span);
        verdicts.sort_by(|left, right| {
            key(left)
                .cmp(&key(right))
                .then_with(|| left.code.cmp(&right.code))
                .then_with(|| left.subject.cmp(&right.subject))
                .then_with(|| left.message.cmp(&right.message))
        });
        verdicts.dedup();
        inputs.sort();
        inputs.dedup();
        Self {
            sources,
            root: root.into(),
            inputs,
            verdicts,
            drift: None,
            controls: None,
            all: false,
            strict: false,
        }
    }

    /// The verdicts a report lists: with `all` every one, else findings only, without those a baseline knows.
    pub fn listed(&self) -> impl Iterator<Item = &Finding> {
        self.verdicts.iter().filter(|finding| self.lists(finding))
    }

    fn lists(&self, finding: &Finding) -> bool {
        self.all || (finding.verdict != Verdict::Pass && !finding.baselined)
    }

    /// Every verdict, listed or not.
    pub fn verdicts(&self) -> &[Finding] {
        &self.verdicts
    }

    /// Marks what a baseline knows: `known` is asked of every open finding, with its fingerprint.
    pub fn quieten(&mut self, mut known: impl FnMut(&Finding, &str) -> bool) {
        let fingerprints = row::fingerprints(self);
        for (finding, fingerprint) in self.verdicts.iter_mut().zip(fingerprints) {
            finding.baselined = is_open(finding) && known(finding, &fingerprint);
        }
    }

    /// Leaves out verdicts, of the counts too. What a run ends with must be asked before.
    pub fn retain(&mut self, keep: impl FnMut(&Finding) -> bool) {
        self.verdicts.retain(keep);
    }

    /// A path as fingerprints see it: relative to the report's root, with forward slashes.
    pub fn relative(&self, path: &Utf8Path) -> Utf8PathBuf {
        row::relative(path, &self.root)
    }

    /// A finding's file as fingerprints see it: relative to the report's root, with forward slashes.
    pub fn path(&self, finding: &Finding) -> Utf8PathBuf {
        row::path(self, finding)
    }

    /// Counts over every verdict, listed or not.
    pub fn summary(&self) -> Summary {
        let count = |verdict| {
            self.verdicts.iter().filter(|finding| finding.verdict == verdict && !finding.baselined).count()
        };
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
            baselined: self.verdicts.iter().filter(|finding| finding.baselined).count(),
        }
    }

    /// Whether a failure at or above `threshold` stands open. A waived one does not: somebody answers for it. What is
    /// unproven counts only if the report is strict.
    pub fn fails(&self, threshold: Severity) -> bool {
        let counts = |finding: &Finding| self.strict || finding.verdict == Verdict::Fail;
        self.verdicts
            .iter()
            .any(|finding| is_open(finding) && counts(finding) && finding.severity >= threshold)
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

/// Neither met nor waived nor known to a baseline.
pub fn is_open(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Fail | Verdict::Unproven) && !finding.baselined
}
