//! The rows of a report: plain, serialisable, in the shape of `schemas/report.schema.json`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::source::{Finding, Severity, Subject, SubjectKind, Verdict};

use super::Report;
use super::controls::ControlRow;
use super::place::location;

/// The name and version of the JSON report's shape.
pub const SCHEMA: &str = "nexafi-gen/report/v1";

/// The JSON report of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "nexafi-gen report")]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Always `nexafi-gen/report/v1`. A reader that sees another value must not guess.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// What wrote the report.
    pub tool: Tool,
    /// Every file that was checked, sorted by path.
    pub inputs: Vec<Input>,
    /// Counts over every verdict, whether `results` lists it or not.
    pub summary: Summary,
    /// Findings, or with `--all` every verdict; sorted by path, then position, then policy.
    pub results: Vec<Row>,
    /// Only with `--framework`: every control of these frameworks that a policy is evidence for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controls: Option<Vec<ControlRow>>,
    /// Only from `render --check`: files on disk that differ from what the blueprint says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Vec<Drift>>,
}

/// What wrote the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// `nexafi-gen`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// One file that was checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// As the user typed it, or found below the directory the user typed; forward slashes.
    pub path: String,
    /// What it was taken for.
    pub kind: InputKind,
}

/// What a file was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InputKind {
    /// A blueprint of this tool.
    Blueprint,
    /// A `.tf` file, or a plan that `terraform show -json` printed.
    Terraform,
    /// A Kubernetes manifest.
    Kubernetes,
}

/// Counts over every verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Different things that policies looked at.
    pub subjects: usize,
    /// Requirements met.
    pub pass: usize,
    /// Requirements not met, and faults of the input itself.
    pub fail: usize,
    /// Requirements whose deciding value the files do not fix.
    pub unproven: usize,
    /// Requirements not met that somebody answers for until a date.
    pub waived: usize,
    /// Requirements not met that a baseline knows; they are not among `fail` and `unproven`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub baselined: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// One verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Policy id (`NXF-NET-001`), or `NXF-CFG-…` for a fault of the input itself.
    pub policy: String,
    /// The verdict.
    pub verdict: Verdict,
    /// How bad a failure is.
    pub severity: Severity,
    /// The requirement in one line.
    pub title: String,
    /// What is wrong here.
    pub message: String,
    /// What the verdict is about; missing where the file as a whole is at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// The offending value.
    pub location: Location,
    /// Other places that belong to it: the other range of an overlap, the blueprint line behind a generated block.
    pub related: Vec<RelatedPlace>,
    /// What to write instead; may be empty.
    pub help: String,
    /// Framework to the ids of the controls the policy proves.
    pub controls: BTreeMap<String, Vec<String>>,
    /// The same check's names in other tools.
    pub aliases: Vec<String>,
    /// 32 hexadecimal digits that stay the same while the same finding stands, wherever its lines move.
    pub fingerprint: String,
    /// Who answers for it; only of a `waived` verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<WaiverRow>,
    /// Whether a baseline knows it, so that it fails no run; only with `--all`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub baselined: bool,
    /// Whether its policy knows what to write instead, so that `nexafi-gen fix` can try, perhaps with `--unsafe`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixable: bool,
}

/// Who answers for a waived finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverRow {
    /// Who answers for it.
    pub owner: String,
    /// Why it is acceptable.
    pub reason: String,
    /// The ticket that ends it.
    pub ticket: String,
    /// The last day it is accepted, `2027-06-30`.
    pub expires: String,
}

/// A place in a file. Lines and columns start at 1, columns count characters, the end is exclusive.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Location {
    /// The file, with forward slashes.
    pub path: String,
    /// Line of the first character.
    pub line: usize,
    /// Column of the first character.
    pub column: usize,
    /// Line after the last character.
    pub end_line: usize,
    /// Column after the last character.
    pub end_column: usize,
    /// The path inside the file, `regions.primary.vpc.flowLogs`; may be empty.
    pub pointer: String,
}

/// A second place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelatedPlace {
    /// What stands there.
    pub message: String,
    /// Where.
    pub location: Location,
}

/// A generated file that is not what the blueprint says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// The file, as the output directory was typed.
    pub path: String,
    /// `drifted`, `missing` or `orphaned`.
    pub state: DriftState,
    /// The first line that differs, from 1; only for `drifted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// How a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DriftState {
    /// Its bytes differ.
    Drifted,
    /// It is not there.
    Missing,
    /// An earlier render wrote it and this one does not.
    Orphaned,
}

impl DriftState {
    /// The lower-case word reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drifted => "drifted",
            Self::Missing => "missing",
            Self::Orphaned => "orphaned",
        }
    }
}

/// The rows of the verdicts that are listed, each made when it is asked for: a million of them are never held at once.
pub(super) fn rows<'r>(report: &'r Report<'_>) -> impl Iterator<Item = (&'r Finding, Row)> {
    report.verdicts.iter().zip(numbers(report)).filter(|(finding, _)| report.lists(finding)).map(
        |(finding, number)| (finding, row(report, finding, fingerprint(&identity(report, finding), number))),
    )
}

fn row(report: &Report<'_>, finding: &Finding, fingerprint: String) -> Row {
    Row {
        policy: finding.code.clone(),
        verdict: finding.verdict,
        severity: finding.severity,
        title: finding.title.to_string(),
        message: finding.message.clone(),
        subject: finding.subject.clone(),
        location: location(report.sources, finding.span, &finding.pointer),
        related: finding
            .related
            .iter()
            .map(|related| RelatedPlace {
                message: related.message.clone(),
                location: location(report.sources, related.span, ""),
            })
            .collect(),
        help: finding.help.clone(),
        controls: finding.controls.as_ref().clone(),
        aliases: finding.aliases.to_vec(),
        fingerprint,
        waiver: finding.acceptance.as_ref().map(|acceptance| WaiverRow {
            owner: acceptance.owner.clone(),
            reason: acceptance.reason.clone(),
            ticket: acceptance.ticket.clone(),
            expires: acceptance.expires.to_string(),
        }),
        baselined: finding.baselined,
        fixable: finding.fix.is_some(),
    }
}

/// The fingerprint of each verdict, in the report's order.
pub(super) fn fingerprints(report: &Report<'_>) -> Vec<String> {
    let numbered = report.verdicts.iter().zip(numbers(report));
    numbered.map(|(finding, number)| fingerprint(&identity(report, finding), number)).collect()
}

/// What has the same identity is numbered, findings before passes, so that a finding has the same fingerprint whether
/// passes are listed or not. Identities are compared by their hashes, which take a tenth of the memory.
fn numbers(report: &Report<'_>) -> Vec<usize> {
    let mut numbers = vec![0_usize; report.verdicts.len()];
    let mut seen: BTreeMap<[u8; 16], usize> = BTreeMap::new();
    for passes in [false, true] {
        for (finding, number) in report.verdicts.iter().zip(&mut numbers) {
            if (finding.verdict == Verdict::Pass) == passes {
                let next = seen.entry(hash(&identity(report, finding))).or_insert(0);
                *number = *next;
                *next += 1;
            }
        }
    }
    numbers
}

fn fingerprint(identity: &str, number: usize) -> String {
    hexadecimal(hash(&format!("{identity}\0{number}")))
}

/// The fingerprint of a generated file that differs: the same while it differs in the same way.
pub(super) fn drift_fingerprint(report: &Report<'_>, drift: &Drift) -> String {
    let path = relative(Utf8Path::new(&drift.path), &report.root);
    hexadecimal(hash(&["drift", path.as_str(), drift.state.as_str()].join("\0")))
}

/// The finding's file, relative to the report's root.
pub(super) fn path(report: &Report<'_>, finding: &Finding) -> Utf8PathBuf {
    let path = report.sources.get(finding.span.file).map(|file| file.path().to_owned()).unwrap_or_default();
    relative(&path, &report.root)
}

/// What makes a finding the same finding after the file around it was edited: policy, place in the tree, subject.
/// A Terraform subject may move between the files of its directory, so there the directory counts. A fault without
/// subject and pointer (a syntax error) is told apart by its message.
fn identity(report: &Report<'_>, finding: &Finding) -> String {
    let path = path(report, finding);
    let place = match &finding.subject {
        Some(subject) if subject.kind == SubjectKind::Terraform => {
            path.parent().map(Utf8Path::to_owned).unwrap_or_default()
        }
        _ => path,
    };
    let (kind, address) = finding
        .subject
        .as_ref()
        .map(|subject| (subject.type_.as_str(), subject.address.as_str()))
        .unwrap_or_default();
    let words = if address.is_empty() && finding.pointer.is_empty() { finding.message.as_str() } else { "" };
    [finding.code.as_str(), place.as_str(), kind, address, finding.pointer.as_str(), words].join("\0")
}

fn hash(text: &str) -> [u8; 16] {
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(Sha256::digest(text.as_bytes())) {
        *to = from;
    }
    half
}

fn hexadecimal(bytes: [u8; 16]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The path without `.` and the root it lies under, with forward slashes.
pub(super) fn relative(path: &Utf8Path, root: &Utf8Path) -> Utf8PathBuf {
    let path = path.strip_prefix(root).unwrap_or(path);
    let parts = path.components().filter(|part| *part != Utf8Component::CurDir).collect::<Utf8PathBuf>();
    Utf8PathBuf::from(parts.as_str().replace('\\', "/"))
}
