//! The policy file's JSON Schema, for editors: `schemas/policy.schema.json`.
//!
//! Reading does not go through these types, because serde stops at the first fault and knows no places;
//! a test holds that both know the same keys.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::file::Provenance;
use crate::source::{Severity, SubjectKind};

/// The schema of a policy file, [`generate`]d ahead of time.
pub const TEXT: &str = include_str!("../../schemas/policy.schema.json");

/// Makes the schema from the types; `cargo xtask schemas` writes it down.
pub fn generate() -> serde_json::Value {
    let mut schema = schemars::schema_for!(PolicyFile);
    schema.insert("title".to_owned(), "nexafi-gen policy".into());
    schema.to_value()
}

/// One requirement: why, for which control, how to tell, and examples that prove it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PolicyFile {
    /// Unique and never reused: words in capitals and three digits.
    #[schemars(regex(pattern = r"^[A-Z][A-Z0-9]*(-[A-Z][A-Z0-9]*)+-\d{3}$"), extend("examples" = ["NXF-NET-001"]))]
    pub id: String,
    /// The requirement in one line, as a statement that a compliant platform makes true.
    #[schemars(extend("examples" = ["Every VPC records all its traffic"]))]
    pub title: String,
    /// How bad it is not to meet it.
    pub severity: Severity,
    /// Why a bank cares, in two sentences an auditor can quote.
    pub rationale: String,
    /// Framework to the controls this is evidence for.
    pub controls: Controls,
    /// The same check's names in other tools.
    #[schemars(extend("examples" = [["CKV2_AWS_11"]]))]
    pub aliases: Option<Vec<String>>,
    /// Whether a waiver may accept a violation; true unless said otherwise.
    pub waivable: Option<bool>,
    /// How to tell, by kind of input.
    pub rules: Rules,
    /// Small inputs and what this policy says of them.
    pub examples: Option<Vec<ExampleEntry>>,
}

/// Controls by framework.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Controls {
    /// PCI DSS v4.0.1: requirement numbers.
    #[schemars(rename = "pci-dss-4.0.1")]
    pub pci_dss: Option<Vec<ControlEntry>>,
    /// NIST SP 800-53 Rev. 5: controls and enhancements.
    #[schemars(rename = "nist-800-53-r5")]
    pub nist: Option<Vec<ControlEntry>>,
    /// CIS Amazon EKS Benchmark v1.8.0: recommendation numbers.
    #[schemars(rename = "cis-eks-1.8")]
    pub cis_eks: Option<Vec<ControlEntry>>,
    /// CIS Amazon Web Services Foundations Benchmark v5.0.0: recommendation numbers.
    #[schemars(rename = "cis-aws-foundations-5.0")]
    pub cis_aws: Option<Vec<ControlEntry>>,
    /// Trust Services Criteria 2017.
    #[schemars(rename = "soc2-tsc-2017")]
    pub soc2: Option<Vec<ControlEntry>>,
    /// Regulation (EU) 2022/2554: articles.
    #[schemars(rename = "dora-2022-2554")]
    pub dora: Option<Vec<ControlEntry>>,
}

/// One control, and who says that the policy is evidence for it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ControlEntry {
    /// The control's id, in quotes.
    #[schemars(extend("examples" = ["10.2.1", "AU-12"]))]
    pub id: String,
    /// `published` when a published mapping lists an equivalent check, `judgement` when the mapping is ours.
    pub by: Provenance,
}

/// Rules by kind of input; one rule or a list of rules each.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Rules {
    /// On nodes of the resolved blueprint.
    pub blueprint: Option<OneOrMany<BlueprintRule>>,
    /// On resources and data sources.
    pub terraform: Option<OneOrMany<TerraformRule>>,
    /// On Kubernetes objects.
    pub kubernetes: Option<OneOrMany<KubernetesRule>>,
}

/// One value or a list of them.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum OneOrMany<T> {
    /// One.
    One(T),
    /// Several.
    Many(Vec<T>),
}

/// A rule on the blueprint.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BlueprintRule {
    /// The path of the nodes to look at; each becomes `this`.
    #[schemars(extend("examples" = ["regions.*.vpc"]))]
    pub select: String,
    /// The rest of the rule.
    #[schemars(flatten)]
    pub rule: RuleBody,
}

/// A rule on Terraform: `resource`, or `block`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TerraformRule {
    /// The resource type or types to look at; a data source is `data.aws_iam_policy_document`.
    #[schemars(extend("examples" = ["aws_vpc"]))]
    pub resource: Option<OneOrMany<String>>,
    /// The kind or kinds of other block to look at.
    pub block: Option<OneOrMany<BlockKind>>,
    /// The rest of the rule.
    #[schemars(flatten)]
    pub rule: RuleBody,
}

/// The kinds of block, other than resources and data sources, that a rule can look at.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum BlockKind {
    /// Terraform's settings: required providers, the backend of the state.
    Terraform,
    /// The configuration of a provider.
    Provider,
    /// A call of a module.
    Module,
    /// An input variable.
    Variable,
    /// An output value.
    Output,
    /// Local values.
    Locals,
    /// An entry of the dependency lock file, `.terraform.lock.hcl`.
    #[schemars(rename = "providerLock")]
    ProviderLock,
}

/// A rule on Kubernetes objects: `kind`, or `workload: true`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct KubernetesRule {
    /// The kind or kinds to look at, `Ingress` or `Ingress.networking.k8s.io`.
    #[schemars(extend("examples" = ["Namespace"]))]
    pub kind: Option<OneOrMany<String>>,
    /// Every object that has a pod.
    pub workload: Option<bool>,
    /// The rest of the rule.
    #[schemars(flatten)]
    pub rule: RuleBody,
}

/// What every rule may say.
#[derive(JsonSchema)]
pub struct RuleBody {
    /// CEL; where it is false the rule does not apply.
    pub when: Option<String>,
    /// A path relative to `this`; every match becomes `item`, and all must pass.
    #[schemars(extend("examples" = ["ingress.*"]))]
    pub each: Option<String>,
    /// Instead of `each`: everything of this sort, however deep below `this`, becomes `item`.
    pub find: Option<Find>,
    /// CEL that has to be true.
    pub assert: Expression,
    /// A path relative to `item`, or to `this`: where to point.
    pub at: Option<String>,
    /// What is wrong; `{{ CEL }}` inside.
    pub message: Option<String>,
    /// What to write instead; `{{ CEL }}` inside.
    pub help: Option<String>,
    /// What would meet the requirement.
    pub fix: Option<Fix>,
    /// Other kinds of input the rule looks at; without them it is skipped.
    pub needs: Option<OneOrMany<SubjectKind>>,
    /// How bad it is not to meet this rule, where that differs from the policy's own severity.
    pub severity: Option<Severity>,
    /// Those of the policy's aliases that name this rule's check; all of them unless said otherwise.
    pub aliases: Option<Vec<String>>,
    /// The CEL that the check of another tool asserts, where that is less than the rule: a verdict that the rule is not met
    /// does not carry the alias where this is true. Alias to CEL, or CEL for all of the rule's aliases.
    #[schemars(rename = "aliasAsserts")]
    pub alias_asserts: Option<AliasAsserts>,
}

/// What a rule can look for at any depth.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Find {
    /// Secrets that are written out.
    Secrets,
    /// Of a Terraform resource, the arguments that take a KMS key, written or not.
    Keys,
}

/// What the checks of other tools assert.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum AliasAsserts {
    /// One CEL for all of the rule's aliases.
    All(String),
    /// Alias to CEL.
    Each(BTreeMap<String, Expression>),
}

/// CEL, or a plain `true` or `false`.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Expression {
    /// CEL.
    Cel(String),
    /// A constant.
    Constant(bool),
}

/// What would meet the requirement.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Fix {
    /// Paths relative to `this`, and the values to set there.
    pub set: BTreeMap<String, serde_json::Value>,
    /// What the change does to a platform that is running, if somebody has to decide whether that is wanted:
    /// `nexafi-gen fix` makes it only with `--unsafe`.
    #[schemars(rename = "unsafe")]
    #[schemars(extend("examples" = ["AWS replaces the file system, and what is in it is lost"]))]
    pub unsafe_because: Option<String>,
}

/// A small input and what the policy says of it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ExampleEntry {
    /// What it shows.
    pub name: String,
    /// The date to judge by, `today` in expressions.
    #[schemars(extend("examples" = ["2026-12-31"]))]
    pub at: Option<String>,
    /// A fragment of a blueprint, merged over a small valid one.
    pub blueprint: Option<Fragment>,
    /// The text of one `.tf` file.
    pub terraform: Option<String>,
    /// The text of the dependency lock file beside it.
    #[schemars(rename = "providerLock")]
    pub provider_lock: Option<String>,
    /// A stream of manifests.
    pub kubernetes: Option<String>,
    /// Makes the files generated ones: which of them differ from what their lock says, are missing, or are not in it.
    pub lock: Option<Fragment>,
    /// Subject to verdict; a subject that is not listed must neither fail nor be unproven.
    pub expect: BTreeMap<String, Expected>,
}

/// YAML as a text, or a mapping.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Fragment {
    /// YAML as a text.
    Text(String),
    /// A mapping.
    Mapping(BTreeMap<String, serde_json::Value>),
}

/// The verdict an example expects.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Expected {
    /// The requirement is met.
    Pass,
    /// It is not.
    Fail,
    /// The files do not fix the value that decides.
    Unproven,
    /// The rule does not apply.
    None,
}
