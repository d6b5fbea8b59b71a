//! `--format json`: one document in the shape of `schemas/report.schema.json`.

use std::io;

use serde::{Serialize, Serializer};

use super::Report;
use super::controls::ControlRow;
use super::row::{Document, Drift, Input, SCHEMA, Summary, Tool, rows};

/// A [`Document`] of which the results are written one by one; a test holds that it reads as one.
#[derive(Serialize)]
struct Streamed<'r, R: Serialize> {
    schema: &'static str,
    tool: Tool,
    inputs: &'r [Input],
    summary: Summary,
    results: R,
    #[serde(skip_serializing_if = "Option::is_none")]
    controls: Option<&'r [ControlRow]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<&'r [Drift]>,
}

/// An array whose items are made while it is written.
pub(super) struct Each<F>(pub(super) F);

impl<F, I> Serialize for Each<F>
where
    F: Fn() -> I,
    I: IntoIterator,
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let document = Streamed {
        schema: SCHEMA,
        tool: Tool { name: "nexafi-gen".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        inputs: &report.inputs,
        summary: report.summary(),
        results: Each(|| rows(report).map(|(_, row)| row)),
        controls: report.controls.as_deref(),
        drift: report.drift.as_deref(),
    };
    pretty(&document, out)
}

/// One JSON document, indented, with a final newline.
pub(super) fn pretty(document: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    out.write_all(b"\n")
}

/// The JSON Schema of the report, made ahead of time by [`generate_schema`].
pub const SCHEMA_TEXT: &str = include_str!("../../schemas/report.schema.json");

/// Makes the schema from the types; `cargo xtask schemas` writes it down.
pub fn generate_schema() -> serde_json::Value {
    schemars::schema_for!(Document).to_value()
}
