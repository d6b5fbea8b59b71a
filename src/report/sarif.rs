//! `--format sarif`: SARIF 2.1.0 (OASIS), for code scanning and every other tool that collects results.
//!
//! What fails and what is waived (as suppressed) is there always; `pass` and `open`, which is what SARIF calls unproven,
//! only with `--all`, since readers like GitHub's take every result for an alert. With `--strict` what is unproven
//! fails the run, and is a failure here too. What GitHub makes of the properties: "SARIF support for code scanning" in its
//! documentation.

use std::collections::BTreeMap;
use std::io;

use camino::Utf8Path;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::source::{FileId, Finding, Severity, Span, Verdict};

use super::concise::drift_words;
use super::json::{Each, pretty};
use super::place::{anchored, clamp, location, visible};
use super::row::{Drift, Row, drift_fingerprint, rows};
use super::{Report, is_open};

/// What stands as it is in the path of an address (RFC 3986, "unreserved"); the rest is written as bytes.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The name of the directory that addresses are relative to. Where it lies is left to the reader, so that a report is
/// the same on every machine.
const ROOT: &str = "SRCROOT";

/// The id of the rule that generated files are what the blueprint renders to. No policy has it: ids have upper case.
const DRIFT: &str = "drift";

pub(super) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run { report, rules: Rules::of(report) }],
    };
    pretty(&log, out)
}

#[derive(Serialize)]
struct Log<'r, 'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'r, 'a>; 1],
}

struct Run<'r, 'a> {
    report: &'r Report<'a>,
    rules: Rules<'r>,
}

/// The rules that results refer to, by id, with a finding of each.
struct Rules<'r>(BTreeMap<&'r str, (usize, &'r Finding)>);

impl<'r> Rules<'r> {
    fn of(report: &'r Report<'_>) -> Self {
        let mut rules: BTreeMap<&str, (usize, &Finding)> = BTreeMap::new();
        for finding in report.listed().filter(|finding| holds(report, finding)) {
            rules.entry(&finding.code).or_insert((0, finding));
        }
        for (at, rule) in rules.values_mut().enumerate() {
            rule.0 = at;
        }
        Self(rules)
    }

    fn index(&self, code: &str) -> usize {
        self.0.get(code).map_or(self.0.len(), |(at, _)| *at)
    }
}

/// Whether the log has a result for a listed verdict.
fn holds(report: &Report<'_>, finding: &Finding) -> bool {
    finding.verdict != Verdict::Unproven || report.all || report.strict
}

impl Serialize for Run<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { report, rules } = self;
        let drifts = report.drift.as_deref().unwrap_or_default();
        let mut described: Vec<Value> = rules.0.values().map(|(_, finding)| rule(report, finding)).collect();
        if !drifts.is_empty() {
            described.push(drift_rule());
        }
        let mut run = serializer.serialize_map(None)?;
        run.serialize_entry(
            "tool",
            &json!({"driver": {
                "name": "nexafi-gen",
                "fullName": "nexafi-gen, compliance of Terraform, Kubernetes and blueprints",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": described,
            }}),
        )?;
        run.serialize_entry("invocations", &json!([{"executionSuccessful": true}]))?;
        run.serialize_entry(
            "originalUriBaseIds",
            &json!({ROOT: {"description": {"text": "The directory that the run was started in."}}}),
        )?;
        let artifacts = || {
            report.sources.iter().map(
                |(_, file)| json!({"location": artifact(report, file.path()), "roles": ["analysisTarget"]}),
            )
        };
        run.serialize_entry("artifacts", &Each(artifacts))?;
        run.serialize_entry("columnKind", "unicodeCodePoints")?;
        let results = || {
            let held = rows(report).filter(|(finding, _)| holds(report, finding));
            let found = held.map(|(finding, row)| result(report, rules, finding, &row));
            found.chain(drifts.iter().map(|drift| drift_result(report, rules, drift)))
        };
        run.serialize_entry("results", &Each(results))?;
        run.end()
    }
}

/// What is known of a policy, or of a fault of the input.
fn rule(report: &Report<'_>, finding: &Finding) -> Value {
    let policy = report.policies.iter().find(|policy| policy.id == finding.code);
    let why =
        policy.map_or_else(|| finding.title.trim().to_owned(), |policy| policy.rationale.trim().to_owned());
    let mut plain = finding.title.to_string();
    let mut markdown = format!("**{}**", finding.title);
    if let Some(policy) = policy {
        plain.push_str(&format!("\n\n{}", policy.rationale.trim()));
        markdown.push_str(&format!("\n\n{}", policy.rationale.trim()));
    }
    if !finding.controls.is_empty() {
        plain.push('\n');
        markdown.push('\n');
    }
    for (framework, ids) in finding.controls.iter() {
        plain.push_str(&format!("\n{framework}: {}", ids.join(", ")));
        markdown.push_str(&format!("\n- {framework}: {}", ids.join(", ")));
    }
    plain.push_str(&format!("\n\nnexafi-gen explain {} says more.", finding.code));
    markdown.push_str(&format!("\n\n`nexafi-gen explain {}` says more.", finding.code));
    // GitHub takes `security-severity` of rules with the tag `security`, and shows ten tags.
    let mut tags = vec!["security".to_owned(), "compliance".to_owned()];
    tags.extend(policy.map(|policy| policy.domain.clone()));
    tags.extend(finding.controls.keys().cloned());
    let mut rule = json!({
        "id": finding.code,
        "shortDescription": {"text": text(&finding.title)},
        "fullDescription": {"text": text(&why)},
        "help": {"text": text(&plain), "markdown": visible(&markdown)},
        "defaultConfiguration": {"level": level(finding.severity)},
        "properties": {
            "tags": tags,
            "precision": "very-high",
            "security-severity": security_severity(finding.severity),
            "severity": finding.severity,
            "controls": finding.controls.as_ref(),
            "aliases": policy.map_or(&finding.aliases, |policy| &policy.aliases).as_ref(),
        },
    });
    if let (Some(page), Some(rule)) = (report.page(&finding.code), rule.as_object_mut()) {
        rule.insert("helpUri".to_owned(), page.into());
    }
    rule
}

fn result(report: &Report<'_>, rules: &Rules<'_>, finding: &Finding, row: &Row) -> Value {
    // The level of what is no failure is `none` (SARIF 2.1.0, 3.27.10).
    let (kind, level) = match finding.verdict {
        Verdict::Pass => ("pass", "none"),
        Verdict::Unproven if !report.strict => ("open", "none"),
        _ => ("fail", level(row.severity)),
    };
    let help = if row.help.is_empty() { String::new() } else { format!("\n\nHelp: {}", row.help) };
    let message = format!("{}{help}", row.message);
    let message = if message.trim().is_empty() { row.title.clone() } else { message };
    let mut place = place(report, finding.span);
    if let (Some(subject), Some(place)) = (&row.subject, place.as_object_mut()) {
        place.insert(
            "logicalLocations".to_owned(),
            json!([{"fullyQualifiedName": subject.address, "kind": subject.type_}]),
        );
    }
    let related: Vec<Value> = finding
        .related
        .iter()
        .enumerate()
        .map(|(at, related)| {
            let mut place = self::place(report, related.span);
            if let Some(place) = place.as_object_mut() {
                place.insert("id".to_owned(), at.into());
                place.insert("message".to_owned(), json!({"text": text(&related.message)}));
            }
            place
        })
        .collect();
    json!({
        "ruleId": row.policy,
        "ruleIndex": rules.index(&row.policy),
        "kind": kind,
        "level": level,
        "message": {"text": text(&message)},
        "locations": [place],
        "relatedLocations": related,
        "partialFingerprints": {"nexafiGenFingerprint/v1": row.fingerprint},
        // Either every result of a run has this or none (3.27.23).
        "suppressions": suppressions(finding, row),
        "properties": {"verdict": row.verdict, "severity": row.severity, "pointer": row.location.pointer},
    })
}

fn suppressions(finding: &Finding, row: &Row) -> Value {
    match &row.waiver {
        Some(by) => json!([{
            "kind": "external",
            "status": "accepted",
            "justification": text(&format!(
                "{} (waived until {} by {}, {})", by.reason, by.expires, by.owner, by.ticket
            )),
            "properties": {"owner": by.owner, "ticket": by.ticket, "expires": by.expires},
        }]),
        None if finding.baselined && !is_open(finding) => {
            json!([{"kind": "external", "status": "accepted", "justification": "known to the baseline"}])
        }
        None => json!([]),
    }
}

/// A location object; one without a file is empty.
fn place(report: &Report<'_>, span: Span) -> Value {
    let Some(file) = report.sources.get(span.file) else { return json!({}) };
    let at = location(report.sources, span, "");
    let (start, end) = clamp(file, span);
    json!({"physicalLocation": {
        "artifactLocation": artifact_of(report, span.file, file.path()),
        "region": {
            "startLine": at.line,
            "startColumn": at.column,
            "endLine": at.end_line,
            "endColumn": at.end_column,
            "byteOffset": start + file.mark(),
            "byteLength": end - start,
        },
    }})
}

/// The address of a file: relative to the root where it lies below it.
fn artifact(report: &Report<'_>, path: &Utf8Path) -> Value {
    let path = anchored(path.as_str(), &report.root);
    let encoded = utf8_percent_encode(path.as_str(), PLAIN);
    if path.is_absolute() {
        json!({"uri": format!("file://{encoded}")})
    } else {
        json!({"uri": encoded.to_string(), "uriBaseId": ROOT})
    }
}

/// The same, with its place among the artifacts, which are all files of the run in order.
fn artifact_of(report: &Report<'_>, id: FileId, path: &Utf8Path) -> Value {
    let mut artifact = artifact(report, path);
    if let Some(artifact) = artifact.as_object_mut() {
        artifact.insert("index".to_owned(), id.0.into());
    }
    artifact
}

fn drift_rule() -> Value {
    let title = "Generated files are what the blueprint renders to";
    let help = "Run `nexafi-gen render` and commit what it writes.";
    json!({
        "id": DRIFT,
        "shortDescription": {"text": title},
        "fullDescription": {"text": title},
        "help": {"text": help, "markdown": help},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["compliance", "drift"]},
    })
}

fn drift_result(report: &Report<'_>, rules: &Rules<'_>, drift: &Drift) -> Value {
    let mut place = json!({"artifactLocation": artifact(report, Utf8Path::new(&drift.path))});
    if let (Some(line), Some(place)) = (drift.line, place.as_object_mut()) {
        place.insert("region".to_owned(), json!({"startLine": line}));
    }
    json!({
        "ruleId": DRIFT,
        "ruleIndex": rules.0.len(),
        "kind": "fail",
        "level": "error",
        "message": {"text": drift_words(drift.state)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"nexafiGenFingerprint/v1": drift_fingerprint(report, drift)},
        "suppressions": [],
        "properties": {"state": drift.state},
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// The middle of the range that GitHub gives each word: critical above 9.0, high from 7.0, medium from 4.0, low below.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}

/// A plain text message, in which `[words](target)` would be a link (3.11.6).
fn text(text: &str) -> String {
    visible(text).replace("](", "\\](")
}
