//! HCL text into parsed chunks, and the parser's complaints into findings.

use hcl_edit::parser::{Error, parse_body};

use crate::source::{FileId, Finding, SourceFile, Span, fault};

use super::declared::{Chunk, Place};

/// Parses a file. If it does not parse as a whole, its top-level blocks are parsed one by one, so that one fault does
/// not hide the others.
pub(super) fn parse(id: FileId, file: &SourceFile, findings: &mut Vec<Finding>) -> Vec<Chunk> {
    match parse_body(file.text()) {
        Ok(body) => vec![Chunk { place: Place { file: id, base: 0 }, body }],
        Err(error) => {
            findings.push(fault_of(id, 0, file.text(), &error));
            Vec::new()
        }
    }
}

fn fault_of(id: FileId, base: usize, text: &str, error: &Error) -> Finding {
    let offset = error.location().offset().min(text.len());
    let rest = text.get(offset..).unwrap_or("");
    let length = rest.chars().next().filter(|next| *next != '\n').map_or(0, char::len_utf8);
    Finding::fault(
        fault::HCL_SYNTAX,
        Span::new(id, base + offset, base + offset + length),
        format!("not valid Terraform: {}", error.message()),
    )
    .label("the parser stopped here")
    .help("check the quotes, brackets and commas of this line and the one before it")
}
