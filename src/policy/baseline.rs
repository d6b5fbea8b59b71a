//! Baselines: findings that are known, so that only new ones fail. A file of them, written by `lint --write-baseline`.

use serde::{Deserialize, Serialize};

use super::waiver;
use crate::source::{Finding, Verdict};

/// The name and version of the file's shape.
pub const SCHEMA: &str = "nexafi-gen/baseline/v1";

/// Known findings, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Baseline {
    entries: Vec<Entry>,
}

/// One known finding. Only fingerprint and verdict are compared; the rest is for people who read the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The file, relative to where the run began.
    pub path: String,
    /// The policy.
    pub policy: String,
    /// What it is about.
    pub subject: String,
    /// `fail` or `unproven`. What was unproven and fails now is news.
    pub verdict: Verdict,
    /// The finding's fingerprint, as in the JSON report.
    pub fingerprint: String,
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    findings: Vec<Entry>,
}

/// Whether a finding can be part of a baseline. A fault of an input file is no debt: until it is mended nobody knows
/// what else there is. Nor is a faulty waiver: a baseline must not outlast the date that ends it.
pub fn takes(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Fail | Verdict::Unproven)
        && !finding.code.starts_with("NXF-CFG-")
        && finding.code != waiver::POLICY
}

impl Baseline {
    /// A baseline of these findings.
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort();
        entries.dedup();
        Self { entries }
    }

    /// Reads a file; the error says in a few words what is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let schema = serde_json::from_str::<serde_json::Value>(text)
            .map_err(|error| format!("it is not JSON: {error}"))?
            .get("schema")
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned);
        match schema.as_deref() {
            Some(SCHEMA) => {}
            Some(other) => return Err(format!("its schema is `{other}`, and this version reads `{SCHEMA}`")),
            None => return Err(format!("it is no baseline: `\"schema\": \"{SCHEMA}\"` is missing")),
        }
        let document: Document =
            serde_json::from_str(text).map_err(|error| format!("it is damaged: {error}"))?;
        debug_assert_eq!(document.schema, SCHEMA);
        Ok(Self::new(document.findings))
    }

    /// The file's text: one finding a line, so that a change of it shows what came and went.
    pub fn to_text(&self) -> String {
        let lines: Vec<String> = self
            .entries
            .iter()
            // Strings only: there is nothing serde_json could refuse.
            .map(|entry| format!("    {}", serde_json::to_string(entry).unwrap_or_default()))
            .collect();
        let findings =
            if lines.is_empty() { "[]".to_owned() } else { format!("[\n{}\n  ]", lines.join(",\n")) };
        format!("{{\n  \"schema\": \"{SCHEMA}\",\n  \"findings\": {findings}\n}}\n")
    }

    /// The findings, by path, policy and subject.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether it knows a finding.
    pub fn knows(&self, finding: &Finding, fingerprint: &str) -> bool {
        takes(finding)
            && self.entries.iter().any(|entry| {
                entry.fingerprint == fingerprint
                    && (entry.verdict == Verdict::Fail || finding.verdict == Verdict::Unproven)
            })
    }
}
