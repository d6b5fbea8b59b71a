//! What a policy file says. [`read`](super::read) makes these out of YAML, [`schema`](super::schema) describes them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::controls::Framework;
use super::expression::{CompileFault, Expression};
use super::path::Path;
use super::template::Template;
use crate::source::{Controls, Finding, Fix, Node, Severity, Span, Subject, SubjectKind, Verdict, fault};

/// One requirement: why, for which control, and how to tell.
#[derive(Debug)]
pub struct Policy {
    /// `NXF-NET-001`; never reused.
    pub id: String,
    /// The directory its file is in: `network`.
    pub domain: String,
    /// The requirement in one line.
    pub title: Arc<str>,
    /// How bad it is not to meet it.
    pub severity: Severity,
    /// Why a bank cares.
    pub rationale: String,
    /// The controls it is evidence for.
    pub controls: BTreeMap<Framework, Vec<Control>>,
    /// The same check's names in other tools.
    pub aliases: Arc<[String]>,
    /// Whether a waiver may accept a violation.
    pub waivable: bool,
    /// How to tell.
    pub rules: Vec<Rule>,
    /// What it says of small inputs.
    pub examples: Vec<Example>,
    /// Where the id stands in the policy file.
    pub span: Span,
    /// The controls as every finding names them.
    pub(super) named: OnceLock<Arc<Controls>>,
}

impl Policy {
    /// A failure of this policy, with all that does not depend on the place.
    pub fn finding(&self, subject: Subject, span: Span, message: impl Into<String>) -> Finding {
        let named = || {
            let controls = self.controls.iter().map(|(framework, controls)| {
                (framework.id().to_owned(), controls.iter().map(|control| control.id.clone()).collect())
            });
            Arc::new(controls.collect())
        };
        Finding {
            code: self.id.clone(),
            verdict: Verdict::Fail,
            severity: self.severity,
            title: Arc::clone(&self.title),
            message: message.into(),
            subject: Some(subject),
            span,
            pointer: String::new(),
            label: String::new(),
            related: Vec::new(),
            help: String::new(),
            controls: Arc::clone(self.named.get_or_init(named)),
            aliases: Arc::clone(&self.aliases),
            secret: None,
            origin: None,
            acceptance: None,
            baselined: false,
            fix: None,
        }
    }
}

/// One control of a framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// `10.2.1`, `AU-12`, `CC7.2`.
    pub id: String,
    /// Who says so.
    pub by: Provenance,
}

/// Who says that a policy is evidence for a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, schemars::JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Provenance {
    /// A published mapping lists an equivalent check.
    Published,
    /// We do; an assessor has to confirm it.
    Judgement,
}

impl Provenance {
    /// The word policy files use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Judgement => "judgement",
        }
    }
}

/// The blocks of a module, other than resources and data sources, that a rule can look at.
pub(super) const BLOCK_KINDS: [&str; 7] =
    ["terraform", "provider", "module", "variable", "output", "locals", "providerLock"];

/// Which things a rule looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Nodes of the resolved blueprint.
    Blueprint(Path),
    /// Resources of these types; `data.aws_region` is a data source.
    Terraform(Vec<String>),
    /// Terraform's other blocks of these kinds, never resources.
    Block(Vec<String>),
    /// Objects of these kinds, `Ingress` or `Ingress.networking.k8s.io`.
    Kubernetes(Vec<String>),
    /// Every object that has a pod.
    Workload,
}

impl Scope {
    /// The kind of input.
    pub fn kind(&self) -> SubjectKind {
        match self {
            Self::Blueprint(_) => SubjectKind::Blueprint,
            Self::Terraform(_) | Self::Block(_) => SubjectKind::Terraform,
            Self::Kubernetes(_) | Self::Workload => SubjectKind::Kubernetes,
        }
    }
}

/// Functions that look at what other policies said.
const OF_OTHERS: [&str; 2] = ["failures(", "parity("];

/// Whether an expression looks at what passed, and not only at what other policies found.
pub(super) fn looks_at_passes(cel: &Cel) -> bool {
    cel.text.contains("parity(")
}

/// Whether an expression looks at what other policies said.
pub(super) fn judges_by_others(cel: &Cel) -> bool {
    OF_OTHERS.iter().any(|name| cel.text.contains(name))
}

/// What a rule looks for at any depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Find {
    /// Secrets that are written out.
    Secrets,
    /// Arguments that take a KMS key.
    Keys,
}

/// How to tell on one kind of input.
#[derive(Debug)]
pub struct Rule {
    /// Which things it looks at.
    pub scope: Scope,
    /// Where that is written.
    pub(super) span: Span,
    /// Other kinds of input it looks at; it is skipped without them.
    pub needs: Vec<SubjectKind>,
    pub(super) when: Option<Cel>,
    pub(super) each: Option<Path>,
    /// Everything of this sort below the subject becomes `item`.
    pub(super) find: Option<Find>,
    pub(super) assert: Cel,
    pub(super) at: Option<Path>,
    pub(super) message: Option<Text>,
    pub(super) help: Option<Text>,
    /// Whether it looks at what other policies said, so that it is evaluated after them.
    pub(super) judges_by_others: bool,
    /// Whether it looks at what passed, too.
    pub(super) looks_at_passes: bool,
    /// How bad it is not to meet this rule, where that differs from the policy's own.
    pub severity: Option<Severity>,
    /// The names of this rule's check in other tools, where they are not all of the policy's.
    pub aliases: Option<Arc<[String]>>,
    /// What the checks of these names assert, where that is less than the rule; of all its aliases without a name.
    pub(super) alias_asserts: Vec<(Option<String>, Cel)>,
    /// What would meet the requirement.
    pub fix: Option<RuleFix>,
}

/// What would meet a requirement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleFix {
    /// Paths relative to the subject, and the values to set there.
    pub set: Vec<(Path, Node)>,
    /// What the change does to a platform that is running, if somebody has to decide whether that is wanted.
    pub unsafe_because: Option<Arc<str>>,
}

impl Rule {
    /// Whether it looks at resources or data sources of one of these types.
    pub(super) fn looks_at(&self, types: &BTreeSet<&str>) -> bool {
        let Scope::Terraform(own) = &self.scope else { return false };
        own.iter().any(|own| own == "*" || types.contains(own.strip_prefix("data.").unwrap_or(own)))
    }

    /// Compiles what decides it. What is wrong with it is said where it is asked.
    pub(super) fn prepare(&self) {
        for cel in self.when.iter().chain([&self.assert]) {
            let _ = cel.compiled();
        }
    }

    /// The expression that has to be true, as it is written.
    pub fn assertion(&self) -> &str {
        &self.assert.text
    }

    /// The fix of a subject in a blueprint, as paths from the root of the file.
    pub(super) fn fix_at(&self, address: &str) -> Option<Arc<Fix>> {
        let fix = self.fix.as_ref()?;
        let subject = Path::parse(address).ok()?.keys()?;
        let at = |path: &Path| Some(subject.iter().cloned().chain(path.keys()?).collect());
        let set = fix.set.iter().map(|(path, value)| Some((at(path)?, value.to_json())));
        let set = set.collect::<Option<Vec<_>>>()?;
        Some(Arc::new(Fix { set, unsafe_because: fix.unsafe_because.clone() }))
    }
}

/// An expression, compiled when it is first needed.
#[derive(Debug)]
pub(super) struct Cel {
    pub(super) text: String,
    pub(super) span: Span,
    /// Where the text begins in the file, if it stands there byte by byte.
    pub(super) verbatim: Option<u32>,
    pub(super) each: bool,
    pub(super) compiled: OnceLock<Result<Expression, Vec<CompileFault>>>,
}

impl Cel {
    pub(super) fn compiled(&self) -> Result<&Expression, Vec<Finding>> {
        let compiled = self.compiled.get_or_init(|| super::expression::compile(&self.text, self.each));
        compiled.as_ref().map_err(|faults| placed(faults, self.span, self.verbatim))
    }
}

/// A message, compiled when it is first needed.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) span: Span,
    pub(super) verbatim: Option<u32>,
    pub(super) each: bool,
    pub(super) compiled: OnceLock<Result<Template, Vec<CompileFault>>>,
}

impl Text {
    pub(super) fn compiled(&self) -> Result<&Template, Vec<Finding>> {
        let compiled = self.compiled.get_or_init(|| Template::compile(&self.text, self.each));
        compiled.as_ref().map_err(|faults| placed(faults, self.span, self.verbatim))
    }
}

pub(super) fn placed(faults: &[CompileFault], span: Span, verbatim: Option<u32>) -> Vec<Finding> {
    faults
        .iter()
        .map(|found| {
            let place = verbatim.map_or(span, |start| {
                let start = start as usize;
                Span::new(span.file, start + found.start, start + found.end)
            });
            Finding::fault(fault::POLICY_FILE, place, &found.message).label("here").help(&found.help)
        })
        .collect()
}

/// A small input and what the policy says of it.
#[derive(Debug)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// The date it is judged by; without one the date is not known.
    pub at: Option<jiff::civil::Date>,
    /// A fragment of a blueprint, merged over the base blueprint.
    pub blueprint: Option<Node>,
    /// The fragment's text, if it is written as one.
    pub fragment: Option<String>,
    /// The text of one `.tf` file.
    pub terraform: Option<String>,
    /// The text of the dependency lock file beside it.
    pub provider_lock: Option<String>,
    /// A stream of manifests.
    pub kubernetes: Option<String>,
    /// How the generated files differ from what their lock says.
    pub lock: Option<Node>,
    /// Subject to expected verdict; `None` says that the rule does not apply to it.
    pub expect: BTreeMap<String, Option<Verdict>>,
    /// Where it stands in the policy file.
    pub span: Span,
}
