//! `--format json`: one document in the shape of `schemas/report.schema.json`.

use super::Report;
use super::row::{Document, document};

pub(super) fn render(report: &Report<'_>) -> String {
    // Strings, numbers and string-keyed maps only: there is nothing serde_json could refuse.
    let mut text = serde_json::to_string_pretty(&document(report)).unwrap_or_default();
    text.push('\n');
    text
}

/// The JSON Schema of the report.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Document).to_value()
}
