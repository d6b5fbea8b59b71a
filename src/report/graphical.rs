//! `--format graphical`: the source line, the value underlined, what is wrong and what to write instead.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::io;
use std::ops::Range;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents,
};
use textwrap::WordSeparator;
use textwrap::core::Word;

use crate::source::{FileId, Finding, Severity, SourceFile, Span, Verdict};
use crate::threads;

use super::concise::drift_words;
use super::controls::lines;
use super::place::{first_line, location, visible};
use super::summary::{Paint, controls_not_met, summary};
use super::{Report, Style};

/// As many findings are drawn before any of them is written.
const AT_ONCE: usize = 2048;
/// Fewer than this are drawn before a thread has started.
const WORTH_A_THREAD: usize = 16;

/// A source line longer than this many bytes is not shown: it is generated, and nobody reads it.
const LONGEST_LINE: usize = 1000;

pub(super) fn write(report: &Report<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let theme = if style.colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_width(style.width)
        .with_break_words(false)
        .with_word_separator(WordSeparator::Custom(words))
        .with_context_lines(1)
        .tab_width(2);
    let texts = texts(report);
    // What fails comes first, then what is unproven, then what somebody answers for.
    let rank = |finding: &Finding| match finding.verdict {
        Verdict::Fail => 0,
        Verdict::Unproven => 1,
        Verdict::Waived => 2,
        Verdict::Pass => 3,
    };
    let mut listed: Vec<&Finding> = report.listed().collect();
    if !report.all {
        listed.sort_by_key(|finding| rank(finding));
    }
    let short = |finding: &Finding| finding.verdict == Verdict::Waived && !report.all;
    let draw = |finding: &&Finding| {
        let mut text = String::new();
        for piece in pieces(report, &texts, finding, style.links) {
            if handler.render_report(&mut text, &piece).is_err() {
                // Never lose a finding because it could not be drawn.
                let _ = writeln!(text, "{} {}", finding.code, visible(&finding.message));
            }
        }
        text.push('\n');
        text
    };
    let drawn: Vec<&Finding> = listed.iter().filter(|finding| !short(finding)).copied().collect();
    for some in drawn.chunks(AT_ONCE) {
        for text in threads::map(some, WORTH_A_THREAD, draw) {
            out.write_all(text.as_bytes())?;
        }
    }
    let paint = Paint(style.colour);
    for finding in listed.iter().filter(|finding| short(finding)) {
        out.write_all(waived(report, finding).as_bytes())?;
    }
    if listed.iter().any(|finding| short(finding)) {
        out.write_all(b"\n")?;
    }
    for drift in report.drift.iter().flatten() {
        let line = drift.line.map(|line| format!(":{line}")).unwrap_or_default();
        writeln!(out, "{}{line}: {}", paint.bold(&drift.path), drift_words(drift.state))?;
    }
    // A run that checked nothing has nothing to be proud of.
    if !report.inputs.is_empty() || !report.verdicts.is_empty() {
        out.write_all(summary(report, paint).as_bytes())?;
        if report.controls.is_none() {
            out.write_all(controls_not_met(report, style.width).as_bytes())?;
        }
    }
    out.write_all(lines(report.controls.as_deref().unwrap_or_default()).as_bytes())
}

/// Where a line may be broken. In plain text that is at spaces: to look up how Unicode breaks each character takes a third of
/// the time of drawing, and a path that is broken at a slash cannot be copied.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let separator =
        if line.is_ascii() { WordSeparator::AsciiSpace } else { WordSeparator::UnicodeBreakProperties };
    separator.find_words(line)
}

/// One line on a finding that somebody answers for.
fn waived(report: &Report<'_>, finding: &Finding) -> String {
    let at = location(report.sources, finding.span, "");
    let subject = finding.subject.as_ref().map_or("", |subject| subject.address.as_str());
    let until = finding
        .acceptance
        .as_ref()
        .map_or_else(String::new, |by| format!(" until {} by {} ({})", by.expires, by.owner, by.ticket));
    let line = format!("waived{until}: {} {subject} at {}:{}", finding.code, at.path, at.line);
    format!("{}\n", visible(&line).replace(['\n', '\r'], " "))
}

/// What may be shown of each file.
type Texts<'a> = BTreeMap<FileId, Cow<'a, str>>;

/// Every file that a finding points into, looked through once for what a terminal must not get: characters that move
/// the cursor, and secrets, those of other findings' lines too.
fn texts<'a>(report: &Report<'a>) -> Texts<'a> {
    let mut secrets: BTreeMap<FileId, Vec<Range<usize>>> = BTreeMap::new();
    for span in report.verdicts.iter().filter_map(|finding| finding.secret) {
        secrets.entry(span.file).or_default().push(span.start as usize..span.end as usize);
    }
    let mut files = BTreeSet::new();
    for finding in report.listed() {
        files.insert(finding.span.file);
        files.extend(finding.related.iter().map(|related| related.span.file));
    }
    let files: Vec<FileId> = files.into_iter().collect();
    let shown = threads::map(&files, WORTH_A_THREAD, |file| {
        let known = secrets.get(file).map_or(&[][..], Vec::as_slice);
        match report.sources.shown(*file, known) {
            Cow::Borrowed(text) => visible(text),
            Cow::Owned(text) => Cow::Owned(visible(&text).into_owned()),
        }
    });
    files.into_iter().zip(shown).collect()
}

/// The finding itself, then each related place of another file; the last one carries the help.
fn pieces<'a>(report: &Report<'a>, texts: &'a Texts<'_>, finding: &Finding, links: bool) -> Vec<Piece<'a>> {
    let page = report.page(&finding.code).filter(|_| links);
    let mut first = Piece::new(Some(heading(finding, page.as_deref())), severity(finding), &finding.message);
    first.snippet = Snippet::new(report, texts, finding.span.file);
    if let Some(snippet) = &first.snippet {
        first.labels.push(snippet.label(finding.span, &finding.label, true));
    }
    let mut others = Vec::new();
    for related in &finding.related {
        if related.span.file == finding.span.file
            && let Some(snippet) = &first.snippet
        {
            first.labels.push(snippet.label(related.span, &related.message, false));
        } else {
            let mut piece = Piece::new(None, miette::Severity::Advice, &related.message);
            piece.snippet = Snippet::new(report, texts, related.span.file);
            if let Some(snippet) = &piece.snippet {
                piece.labels.push(snippet.label(related.span, "", true));
            }
            others.push(piece);
        }
    }
    if let Some(path) = first.snippet.as_ref().and_then(|snippet| snippet.hidden(&first.labels)) {
        first.message = format!("{} ({path})", first.message);
        first.labels.clear();
    }
    let mut pieces = vec![first];
    pieces.append(&mut others);
    let help = match &finding.acceptance {
        Some(by) => format!("waived until {} by {} ({}): {}", by.expires, by.owner, by.ticket, by.reason),
        None => finding.help.clone(),
    };
    if let Some(last) = pieces.last_mut()
        && !help.is_empty()
    {
        last.help = Some(visible(&help).into_owned());
    }
    pieces
}

fn heading(finding: &Finding, page: Option<&str>) -> String {
    let verdict = match finding.verdict {
        _ if finding.baselined => " (known)".to_owned(),
        Verdict::Fail => String::new(),
        other => format!(" ({})", other.as_str()),
    };
    let code = match page {
        // OSC 8, which terminals without it pass over.
        Some(page) => format!("\u{1b}]8;;{page}\u{1b}\\{}\u{1b}]8;;\u{1b}\\", finding.code),
        None => finding.code.clone(),
    };
    format!("{code} {}{verdict}: {}", finding.severity.as_str(), visible(&finding.title))
}

fn severity(finding: &Finding) -> miette::Severity {
    match (finding.verdict, finding.severity) {
        (Verdict::Fail, Severity::Critical | Severity::High) => miette::Severity::Error,
        (Verdict::Fail | Verdict::Unproven, _) => miette::Severity::Warning,
        (Verdict::Pass | Verdict::Waived, _) => miette::Severity::Advice,
    }
}

/// What miette draws at once: a message and places of one file.
#[derive(Debug)]
struct Piece<'a> {
    code: Option<String>,
    severity: miette::Severity,
    message: String,
    labels: Vec<LabeledSpan>,
    snippet: Option<Snippet<'a>>,
    help: Option<String>,
}

impl Piece<'_> {
    fn new(code: Option<String>, severity: miette::Severity, message: &str) -> Self {
        let message = visible(message).into_owned();
        Self { code, severity, message, labels: Vec::new(), snippet: None, help: None }
    }
}

impl fmt::Display for Piece<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Piece<'_> {}

impl Diagnostic for Piece<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.code.as_ref().map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.snippet.as_ref().map(|snippet| snippet as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as Box<_>)
    }
}

/// A file as miette reads it. Its own implementation for strings counts columns in bytes and walks the whole text
/// for every label; this one counts characters and looks lines up.
#[derive(Debug)]
struct Snippet<'a> {
    file: &'a SourceFile,
    text: &'a str,
}

impl<'a> Snippet<'a> {
    fn new(report: &Report<'a>, texts: &'a Texts<'_>, file: FileId) -> Option<Self> {
        Some(Self { file: report.sources.get(file)?, text: texts.get(&file)? })
    }

    fn label(&self, span: Span, words: &str, primary: bool) -> LabeledSpan {
        let (start, end) = first_line(self.file, span);
        let words = (!words.is_empty()).then(|| visible(words).replace('\n', " "));
        if primary {
            LabeledSpan::new_primary_with_span(words, (start, end - start))
        } else {
            LabeledSpan::new_with_span(words, (start, end - start))
        }
    }

    /// The place in words, if a line to show is too long to be read.
    fn hidden(&self, labels: &[LabeledSpan]) -> Option<String> {
        let long = labels.iter().any(|label| {
            let line = self.file.line_column(label.offset()).line;
            (line.saturating_sub(1).max(1)..=line + 1).any(|line| {
                let start = self.file.line_start(line).unwrap_or(self.text.len());
                let end = self.file.line_start(line + 1).unwrap_or(self.text.len());
                end.saturating_sub(start) > LONGEST_LINE
            })
        });
        let at = self.file.line_column(labels.first()?.offset());
        (long || !self.file.is_kept()).then(|| format!("{}:{}:{}", self.file.path(), at.line, at.column))
    }
}

impl SourceCode for Snippet<'_> {
    fn read_span<'b>(
        &'b self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let starts = self.file.line_starts().len();
        let end = span.offset() + span.len();
        let from = self.file.line_column(span.offset());
        let last = self.file.line_column(end).line + lines_after;
        let data_end = self.file.line_start(last + 1).unwrap_or(self.text.len());
        let (line, column, data_start) = if lines_before == 0 {
            (from.line - 1, from.column - 1, span.offset())
        } else {
            let line = (from.line - 1).saturating_sub(lines_before);
            (line, 0, self.file.line_start(line + 1).unwrap_or(0))
        };
        let data = self.text.as_bytes().get(data_start..data_end).ok_or(MietteError::OutOfBounds)?;
        let lines = last.min(starts).saturating_sub(line);
        Ok(Box::new(MietteSpanContents::new_named(
            self.file.path().as_str().replace('\\', "/"),
            data,
            (data_start, data_end - data_start).into(),
            line,
            column,
            lines,
        )))
    }
}
