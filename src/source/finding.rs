//! Findings: plain data that says what is wrong, where, why and what to write instead. No renderer lives here.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Span;

/// How bad a finding is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth mending soon.
    Medium,
    /// A control is not met.
    High,
    /// Money or cardholder data is exposed.
    Critical,
}

impl Severity {
    /// The lower-case word reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What a policy says of a subject.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The requirement is met.
    Pass,
    /// It is not.
    Fail,
    /// The files do not fix the value that decides.
    Unproven,
    /// It is not met, and somebody answers for that until a date.
    Waived,
}

impl Verdict {
    /// The lower-case word reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unproven => "unproven",
            Self::Waived => "waived",
        }
    }
}

/// Which of the three kinds of input a subject comes from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum SubjectKind {
    /// A node of a blueprint.
    Blueprint,
    /// A block of Terraform.
    Terraform,
    /// A Kubernetes object.
    Kubernetes,
}

impl SubjectKind {
    /// The lower-case word reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blueprint => "blueprint",
            Self::Terraform => "terraform",
            Self::Kubernetes => "kubernetes",
        }
    }
}

/// The thing a verdict is about.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Subject {
    /// The kind of input.
    pub kind: SubjectKind,
    /// `vpc`, `aws_vpc`, `Deployment`.
    #[serde(rename = "type")]
    pub type_: String,
    /// `regions.primary.vpc`, `aws_vpc.main`, `Deployment/core/ledger-service`.
    pub address: String,
}

/// A second place that belongs to a finding: the other CIDR, the blueprint line behind a generated block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Related {
    /// Where.
    pub span: Span,
    /// What stands there, in a few words.
    pub message: String,
}

/// Who answers for a finding that is waived, why, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// Why it is acceptable.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The ticket that ends it.
    pub ticket: String,
    /// The last day it is accepted.
    pub expires: jiff::civil::Date,
}

/// What would mend a finding in a blueprint.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// Values to set, each at the path of keys from the root of the file.
    pub set: Vec<(Vec<String>, serde_json::Value)>,
    /// What the change does to a platform that is running, if somebody has to decide whether that is wanted.
    pub unsafe_because: Option<Arc<str>>,
}

/// Framework to control ids.
pub type Controls = BTreeMap<String, Vec<String>>;

/// One verdict with all a reader needs to act on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Policy id (`NXF-NET-001`) or the code of an input fault (`NXF-CFG-003`).
    pub code: String,
    /// The verdict; input faults are `fail`.
    pub verdict: Verdict,
    /// How bad it is.
    pub severity: Severity,
    /// The requirement in one line.
    pub title: Arc<str>,
    /// What is wrong here, with the names and values at hand.
    pub message: String,
    /// What it is about; input faults of a whole file have none.
    pub subject: Option<Subject>,
    /// The offending value.
    pub span: Span,
    /// The path to it inside the file, `regions.primary.vpc.flowLogs`.
    pub pointer: String,
    /// A few words to print under the underlined value.
    pub label: String,
    /// Other places.
    pub related: Vec<Related>,
    /// What to write instead.
    pub help: String,
    /// Framework to control ids.
    pub controls: Arc<Controls>,
    /// The same check's names in other tools.
    pub aliases: Arc<[String]>,
    /// What no report may show, if the finding is that a secret is written down.
    pub secret: Option<Span>,
    /// The blueprint node that the subject was generated from, out of the comment above it.
    pub origin: Option<Arc<str>>,
    /// Who answers for it, if the verdict is `waived`.
    pub acceptance: Option<Box<Acceptance>>,
    /// Whether a baseline knows it, so that it is no news.
    pub baselined: bool,
    /// What would mend it, if a policy knows.
    pub fix: Option<Arc<Fix>>,
}

/// Codes of faults of the input itself. Like policy ids they are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultCode {
    /// `NXF-CFG-001`.
    pub code: &'static str,
    /// One line for reports.
    pub title: &'static str,
}

/// The registry of input faults.
pub mod fault {
    use super::FaultCode;

    macro_rules! faults {
        ($($(#[$doc:meta])* $name:ident = $code:literal, $title:literal;)*) => {
            $($(#[$doc])* pub const $name: FaultCode = FaultCode { code: $code, title: $title };)*
            /// Every code, in order.
            pub const ALL: &[FaultCode] = &[$($name),*];
        };
    }

    faults! {
        /// YAML that does not parse.
        YAML_SYNTAX = "NXF-CFG-001", "the file is not valid YAML";
        /// A key given twice in one mapping.
        DUPLICATE_KEY = "NXF-CFG-002", "a key stands twice in one mapping";
        /// Aliases or nesting beyond the budget.
        BUDGET = "NXF-CFG-003", "the document expands beyond what a configuration can need";
        /// A key the schema does not know.
        UNKNOWN_KEY = "NXF-CFG-004", "a key that does not exist";
        /// A value of the wrong type.
        WRONG_TYPE = "NXF-CFG-005", "a value of the wrong type";
        /// A value of the right type that says nothing valid.
        INVALID_VALUE = "NXF-CFG-006", "a value outside what is allowed";
        /// A key that has to be there and is not.
        MISSING_KEY = "NXF-CFG-007", "a required key is missing";
        /// A name that refers to nothing.
        DANGLING_REFERENCE = "NXF-CFG-008", "a name that refers to nothing";
        /// Networks that overlap where routing needs them disjoint.
        OVERLAPPING_CIDR = "NXF-CFG-009", "address ranges overlap";
        /// A network with no room for what it has to hold, or larger than AWS takes.
        CIDR_TOO_SMALL = "NXF-CFG-010", "an address range is too small or too large";
        /// Values that are each valid and contradict each other.
        CONTRADICTION = "NXF-CFG-011", "two values contradict each other";
        /// HCL that does not parse.
        HCL_SYNTAX = "NXF-CFG-020", "the file is not valid Terraform";
        /// An argument or block the provider does not know.
        TERRAFORM_SCHEMA = "NXF-CFG-021", "the provider's schema does not allow this";
        /// A reference to something no file declares.
        TERRAFORM_REFERENCE = "NXF-CFG-022", "a reference to something that is not declared";
        /// A manifest that is no Kubernetes object.
        KUBERNETES_SCHEMA = "NXF-CFG-030", "the Kubernetes schema does not allow this";
        /// Two manifests of one name.
        KUBERNETES_DUPLICATE = "NXF-CFG-031", "an object is declared twice";
        /// A kustomization that `kubectl kustomize` refuses.
        KUSTOMIZATION = "NXF-CFG-032", "the kustomization cannot be built";
        /// A policy file that cannot be used.
        POLICY_FILE = "NXF-CFG-040", "a policy file cannot be used";
    }
}

impl Finding {
    /// A fault of the input: severity high, verdict fail.
    pub fn fault(code: FaultCode, span: Span, message: impl Into<String>) -> Self {
        Self {
            code: code.code.to_owned(),
            verdict: Verdict::Fail,
            severity: Severity::High,
            title: code.title.into(),
            message: message.into(),
            subject: None,
            span,
            pointer: String::new(),
            label: String::new(),
            related: Vec::new(),
            help: String::new(),
            controls: Arc::default(),
            aliases: Arc::default(),
            secret: None,
            origin: None,
            acceptance: None,
            baselined: false,
            fix: None,
        }
    }

    /// Sets the path inside the file.
    #[must_use]
    pub fn pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = pointer.into();
        self
    }

    /// Sets the words under the underlined value.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Related { span, message: message.into() });
        self
    }
}
