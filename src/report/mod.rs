//! Reports: what a run found, as people read it (`graphical`, `markdown`), as editors and `grep` read it (`concise`), and
//! as programs do (`json`, `sarif`, `junit`, `github`, `gitlab`, `csv`). One format a file; the only module that knows
//! miette. Every format is written as it is made: the text of a million results is never held.

mod concise;
mod controls;
mod csv;
mod github;
mod gitlab;
mod graphical;
mod json;
mod junit;
mod markdown;
mod place;
mod row;
mod sarif;
mod summary;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use crate::policy::Policy;
use crate::source::{FileId, Finding, Passes, Severity, Sources, Verdict};

pub(crate) use csv::inert;

pub use controls::{ControlPolicy, ControlRow, ControlVerdicts, controls};
pub use json::{SCHEMA_TEXT, generate_schema};
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
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for the test reports of CI servers.
    Junit,
    /// Workflow commands of GitHub Actions, which become annotations.
    Github,
    /// GitLab's Code Quality report.
    Gitlab,
    /// One row a verdict, for spreadsheets.
    Csv,
    /// A comment for a pull request.
    Markdown,
}

impl Format {
    /// Whether people read it: what follows from another finding is then left out.
    pub fn is_for_people(self) -> bool {
        matches!(self, Self::Graphical | Self::Concise | Self::Github | Self::Markdown)
    }

    /// Whether it is one document, into which nothing else may be written.
    pub fn is_document(self) -> bool {
        !matches!(self, Self::Graphical | Self::Concise | Self::Github)
    }
}

/// What a terminal can show.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// ANSI colours.
    pub colour: bool,
    /// Columns to wrap text at. Source lines are never wrapped.
    pub width: usize,
    /// Policy ids are links (OSC 8) to their pages, if the report knows any.
    pub links: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { colour: false, width: 100, links: false }
    }
}

/// Everything a run has to say.
#[derive(Debug)]
pub struct Report<'a> {
    sources: &'a Sources,
    root: Utf8PathBuf,
    inputs: Vec<Input>,
    verdicts: Vec<Finding>,
    /// What passed and is not among the verdicts, since nobody wants it listed.
    pub passes: Passes,
    /// Files on disk that differ from what the blueprint says; `None` where nothing was compared.
    pub drift: Option<Vec<Drift>>,
    /// With `--framework`: its controls.
    pub controls: Option<Vec<ControlRow>>,
    /// Whether passes are reported too, and what a baseline knows.
    pub all: bool,
    /// Whether what is unproven fails the run like a failure.
    pub strict: bool,
    /// The policies of the run, for formats that describe them; may be empty.
    pub policies: Vec<&'a Policy>,
    /// The address below which each built-in policy has a page `ID.md`; without one there are no links.
    pub pages: Option<String>,
}

/// Whether a verdict is the one before it once more. Two rules of a policy may ask the same for two checks of another tool: what is wrong
/// is then said once, with the names of both.
fn is_said_again(later: &mut Finding, earlier: &mut Finding) -> bool {
    if later.verdict == Verdict::Pass || later.span != earlier.span || later.message != earlier.message {
        return *later == *earlier;
    }
    let aliases = std::mem::replace(&mut later.aliases, Arc::clone(&earlier.aliases));
    let again = *later == *earlier;
    if again && aliases != earlier.aliases {
        let known: BTreeSet<&String> = earlier.aliases.iter().chain(aliases.iter()).collect();
        earlier.aliases = known.into_iter().cloned().collect();
    } else {
        later.aliases = aliases;
    }
    again
}

impl<'a> Report<'a> {
    /// Sorts `verdicts` by path, then position, then policy. `root` is the directory that paths are relative to in
    /// fingerprints, so that the same finding has the same one however the path was typed. Sensitive values that stand in
    /// the words of a verdict are taken out of them here, whoever said them.
    pub fn new(
        sources: &'a Sources,
        root: impl Into<Utf8PathBuf>,
        mut inputs: Vec<Input>,
        mut verdicts: Vec<Finding>,
    ) -> Self {
        if sources.conceals_texts() {
            for finding in &mut verdicts {
                redact(finding, sources);
            }
        }
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
        verdicts.dedup_by(is_said_again);
        inputs.sort();
        inputs.dedup();
        Self {
            sources,
            root: root.into(),
            inputs,
            verdicts,
            passes: Passes::default(),
            drift: None,
            controls: None,
            all: false,
            strict: false,
            policies: Vec::new(),
            pages: None,
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

    /// Counts over every verdict, listed or not, and over what passed.
    pub fn summary(&self) -> Summary {
        let count = |verdict| {
            self.verdicts.iter().filter(|finding| finding.verdict == verdict && !finding.baselined).count()
        };
        Summary {
            subjects: self.passes.subjects(&self.verdicts),
            pass: self.passes.len() + count(Verdict::Pass),
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

    /// Writes the report, with a final newline unless there is nothing to say. It comes in many small pieces: give it a
    /// buffered writer. Of `style` only formats for terminals take notice.
    pub fn write(&self, format: Format, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
        match format {
            Format::Graphical => graphical::write(self, style, out),
            Format::Concise => concise::write(self, out),
            Format::Json => json::write(self, out),
            Format::Sarif => sarif::write(self, out),
            Format::Junit => junit::write(self, out),
            Format::Github => github::write(self, out),
            Format::Gitlab => gitlab::write(self, out),
            Format::Csv => csv::write(self, out),
            Format::Markdown => markdown::write(self, out),
        }
    }

    /// The report as text in memory, for what is known to be short.
    pub fn render(&self, format: Format, style: Style) -> String {
        let mut bytes = Vec::new();
        // Writing to memory cannot fail.
        let _ = self.write(format, style, &mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The address of a policy's page. Users' own policies and faults of the input have none.
    fn page(&self, code: &str) -> Option<String> {
        let built_in = code.starts_with("NXF-") && !code.starts_with("NXF-CFG-");
        self.pages
            .as_ref()
            .filter(|_| built_in)
            .map(|pages| format!("{}/{code}.md", pages.trim_end_matches('/')))
    }
}

/// Takes sensitive values out of the words of a verdict. What names things stays: Terraform takes no sensitive value for a
/// key of an address.
fn redact(finding: &mut Finding, sources: &Sources) {
    let words = [&mut finding.message, &mut finding.label, &mut finding.help, &mut finding.pointer];
    let related = finding.related.iter_mut().map(|related| &mut related.message);
    let reason = finding.acceptance.iter_mut().map(|by| &mut by.reason);
    for text in words.into_iter().chain(related).chain(reason) {
        let shown = match sources.redacted(text) {
            Cow::Owned(shown) => shown,
            Cow::Borrowed(_) => continue,
        };
        *text = shown;
    }
}

/// Neither met nor waived nor known to a baseline.
pub fn is_open(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Fail | Verdict::Unproven) && !finding.baselined
}
