//! Documents inside a text of another document: a patch written out in a kustomization, with the places it stands at.

use crate::source::yaml::{self, Dialect, Documents};
use crate::source::{Node, SourceFile, Span, Value};

/// Reads the documents of a text, their places being those in the file where the text is written. Where escapes come in
/// between, all of them stand at the place of the whole text.
pub(super) fn read(file: &SourceFile, node: &Node, text: &str) -> Documents {
    let lines = Lines::of(file, node.span, text);
    let mut read =
        yaml::read_as(node.span.file, &SourceFile::new(file.path(), text.to_owned()), Dialect::Kustomize);
    read.documents.iter_mut().for_each(|document| move_all(document, &lines));
    for finding in &mut read.findings {
        finding.span = lines.place(finding.span);
        for related in &mut finding.related {
            related.span = lines.place(related.span);
        }
    }
    read
}

fn move_all(node: &mut Node, lines: &Lines) {
    node.span = lines.place(node.span);
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| move_all(item, lines)),
        Value::Map(map) => {
            for entry in map.entries.values_mut() {
                entry.key = lines.place(entry.key);
                move_all(&mut entry.node, lines);
            }
        }
        _ => {}
    }
}

/// Where each line of the text stands in the file.
struct Lines {
    whole: Span,
    /// Start of the line in the text, start of the same line in the file.
    starts: Vec<(usize, Option<usize>)>,
}

impl Lines {
    fn of(file: &SourceFile, span: Span, text: &str) -> Self {
        let whole = file.text();
        let mut at =
            whole.get(..span.start as usize).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        let mut starts = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            let found = if content.trim().is_empty() { None } else { find(whole, at, content) };
            if let Some(found) = found {
                at = whole
                    .get(found..)
                    .and_then(|rest| rest.find('\n'))
                    .map_or(whole.len(), |end| found + end + 1);
            }
            starts.push((start, found));
            start += line.len();
        }
        Self { whole: span, starts }
    }

    fn place(&self, span: Span) -> Span {
        let at = |offset: u32| {
            let offset = offset as usize;
            let line = self.starts.partition_point(|(start, _)| *start <= offset).checked_sub(1)?;
            let (start, found) = self.starts.get(line)?;
            found.map(|found| found + offset - start)
        };
        // An end may lie behind the last line, or in a blank one: it is then that of the last line before it.
        let end = (span.start..=span.end).rev().find_map(at);
        match (at(span.start), end) {
            (Some(start), Some(end)) => Span::new(self.whole.file, start, end.max(start)),
            _ => self.whole,
        }
    }
}

/// The first line from `from` on that is the content, indented or behind a quotation mark.
fn find(whole: &str, from: usize, content: &str) -> Option<usize> {
    let mut at = from;
    for line in whole.get(from..)?.split_inclusive('\n') {
        let written = line.trim_end_matches(['\n', '\r']);
        if let Some(indent) = written.find(content)
            && (written.len() == indent + content.len() || written.ends_with(['"', '\'']))
        {
            return Some(at + indent);
        }
        at += line.len();
    }
    None
}
