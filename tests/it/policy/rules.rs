//! Rules: which subjects, which place, which words.

use super::{Inputs, policy_text, run, run_policy, slice, words};
use nexafi_gen::source::{SubjectKind, Verdict};

const BLUEPRINT: &str = "
regions:
  primary:
    vpc: {cidr: 10.0.0.0/16, flowLogs: {enabled: false}}
  secondary:
    vpc:
      cidr: 10.1.0.0/16
peering:
  - between: [primary, secondary]
";

fn blueprint(rules: &str) -> Vec<String> {
    let (evaluation, sources) = run(rules, Inputs { blueprint: Some(BLUEPRINT), ..Inputs::default() });
    evaluation
        .verdicts
        .iter()
        .map(|verdict| {
            let finding = &verdict.finding;
            let subject = finding.subject.as_ref().unwrap();
            format!(
                "{} {} {} | {} | `{}` | {} | {}",
                finding.verdict.as_str(),
                subject.type_,
                subject.address,
                finding.pointer,
                slice(&sources, finding.span),
                finding.message,
                finding.help
            )
        })
        .collect()
}

#[test]
fn a_finding_points_at_the_value_or_its_nearest_ancestor() {
    let rules = "  blueprint:
    select: regions.*.vpc
    assert: this.flowLogs.enabled
    at: flowLogs.enabled
    message: flow logs of {{ keys[0] }} ({{ key }}, {{ this.cidr }}) are {{ this.flowLogs.enabled }}
    fix: {set: {flowLogs.enabled: true}}
";
    insta::assert_snapshot!(blueprint(rules).join("\n"), @r"
    fail vpc regions.primary.vpc | regions.primary.vpc.flowLogs.enabled | `false` | flow logs of primary (vpc, 10.0.0.0/16) are false | set `flowLogs.enabled: true`
    fail vpc regions.secondary.vpc | regions.secondary.vpc.flowLogs.enabled | `vpc` | flow logs of secondary (vpc, 10.1.0.0/16) are nothing | set `flowLogs.enabled: true`
    ");
}

#[test]
fn a_rule_carries_the_aliases_that_mean_it() {
    let rules = "  blueprint:
    - {select: regions.primary.vpc, assert: 'true'}
    - {select: regions.primary.vpc, assert: 'false', aliases: [OTHER-2]}
    - {select: regions.primary.vpc, assert: 'false', aliases: []}
";
    let text = policy_text(rules).replacen("rules:", "aliases: [OTHER-1, OTHER-2]\nrules:", 1);
    let (evaluation, _) = run_policy(&text, Inputs { blueprint: Some(BLUEPRINT), ..Inputs::default() });
    let aliases: Vec<String> =
        evaluation.verdicts.iter().map(|verdict| verdict.finding.aliases.join(" ")).collect();
    assert_eq!(aliases, ["OTHER-1 OTHER-2", "OTHER-2", ""]);
}

#[test]
fn a_verdict_carries_the_name_of_a_check_that_asks_for_less_only_where_that_fails_too() {
    let rules = |asserts: &str| {
        let rules = format!(
            "  terraform:
    resource: aws_sns_topic
    assert: isCustomerKey(this.kms_master_key_id)
    aliasAsserts: {asserts}
"
        );
        policy_text(&rules).replacen("rules:", "aliases: [OTHER-1, OTHER-2]\nrules:", 1)
    };
    let topics = r#"
variable "key" { type = string }
resource "aws_sns_topic" "none" { name = "a" }
resource "aws_sns_topic" "of_aws" { kms_master_key_id = "alias/aws/sns" }
resource "aws_sns_topic" "unknown" { kms_master_key_id = var.key }
resource "aws_sns_topic" "own" { kms_master_key_id = "alias/ours" }
"#;
    let said = |asserts: &str| -> Vec<String> {
        let (evaluation, _) =
            run_policy(&rules(asserts), Inputs { terraform: Some(topics), ..Inputs::default() });
        let findings = evaluation.verdicts.iter().map(|verdict| &verdict.finding);
        findings
            .map(|finding| format!("{} {}", finding.verdict.as_str(), finding.aliases.join(" ")))
            .collect()
    };
    let one = said("{OTHER-1: written(this.kms_master_key_id)}");
    assert_eq!(
        one,
        // The other check takes any text for a key, and so the name of a variable.
        ["fail OTHER-1 OTHER-2", "fail OTHER-2", "unproven ", "pass OTHER-1 OTHER-2"]
    );
    let all = said("written(this.kms_master_key_id)");
    assert_eq!(all, ["fail OTHER-1 OTHER-2", "fail ", "unproven ", "pass OTHER-1 OTHER-2"]);
}

#[test]
fn an_unproven_verdict_names_a_check_only_where_that_fails_the_expression_as_it_is_written() {
    let topics = r#"
variable "on" { type = bool }
variable "key" { type = string }
resource "aws_sns_topic" "asked" {
  fifo_topic        = var.on
  kms_master_key_id = var.key
}
"#;
    let aliases = |asserts: &str| {
        let rules = format!("  terraform:\n    resource: aws_sns_topic\n    assert: {asserts}\n");
        let text = policy_text(&rules).replacen("rules:", "aliases: [OTHER-1]\nrules:", 1);
        let (evaluation, _) = run_policy(&text, Inputs { terraform: Some(topics), ..Inputs::default() });
        let finding = &evaluation.verdicts.first().unwrap().finding;
        format!("{} {}", finding.verdict.as_str(), finding.aliases.join(" "))
    };
    assert_eq!(aliases("this.fifo_topic == true"), "unproven OTHER-1");
    assert_eq!(aliases("this.fifo_topic != true"), "unproven ");
    assert_eq!(aliases("has(this.kms_master_key_id)"), "unproven ");
    assert_eq!(aliases("this.kms_master_key_id.startsWith('arn:')"), "unproven OTHER-1");
}

#[test]
fn lists_are_walked_by_index() {
    let rules = "  blueprint: {select: 'peering.*', each: 'between.*', assert: item == 'primary', \
                 message: 'item {{ itemKey }} of {{ key }}'}\n";
    insta::assert_snapshot!(blueprint(rules).join("\n"), @"fail peering peering.0 | peering.0.between.1 | `secondary` | item 1 of 0 |");
}

#[test]
fn the_other_regions_are_at_hand_through_root() {
    let rules = "  blueprint: {select: 'regions.*.vpc', \
                 assert: 'root.regions.all(r, r == keys[0] || !cidrOverlaps(root.regions[r].vpc.cidr, this.cidr))'}\n";
    assert_eq!(blueprint(rules).iter().filter(|line| line.starts_with("pass")).count(), 2);
}

#[test]
fn when_decides_whether_a_rule_applies() {
    let of = |when: &str, assert: &str| {
        let rules = format!("  blueprint: {{select: subject, when: {when}, assert: {assert}}}\n");
        let inputs = Inputs { blueprint: Some("subject: {u: 'unknown:x'}"), ..Inputs::default() };
        let (evaluation, _) = run(&rules, inputs);
        words(&evaluation)
            .first()
            .map_or("none".to_owned(), |word| word.split(':').next().unwrap().to_owned())
    };
    assert_eq!(of("'false'", "'false'"), "none");
    assert_eq!(of("this.absent", "'false'"), "none");
    assert_eq!(of("'true'", "'false'"), "fail");
    assert_eq!(of("this.u", "'true'"), "pass");
    assert_eq!(of("this.u", "'false'"), "unproven");
}

#[test]
fn a_when_about_items_filters_items() {
    let rules = "  blueprint: {select: subject, each: 'ports.*', when: item.open, assert: item.port == 443, \
                 message: 'port {{ item.port }}'}\n";
    let inputs = Inputs {
        blueprint: Some(
            "subject: {ports: [{open: true, port: 443}, {open: false, port: 80}, {open: true, port: 22}]}",
        ),
        ..Inputs::default()
    };
    let (evaluation, sources) = run(rules, inputs);
    assert_eq!(evaluation.verdicts.len(), 1);
    let finding = &evaluation.verdicts[0].finding;
    assert_eq!(finding.message, "port 22");
    assert_eq!(slice(&sources, finding.span), "{open: true, port: 22}");
}

#[test]
fn each_without_items_passes_and_over_an_unknown_is_unproven() {
    let of = |blueprint: &str| {
        let rules = "  blueprint: {select: subject, each: 'ports.*', assert: item.port == 443}\n";
        let (evaluation, _) = run(rules, Inputs { blueprint: Some(blueprint), ..Inputs::default() });
        words(&evaluation)
    };
    assert_eq!(of("subject: {}"), ["pass"]);
    assert_eq!(of("subject: {ports: []}"), ["pass"]);
    assert_eq!(
        of("subject: {ports: 'unknown:for_each is not known'}"),
        ["unproven: cannot be proven from the files: `item` is not known: for_each is not known"]
    );
    assert_eq!(of("subject: {ports: [{port: 1}, {port: 2}, {port: 443}]}"), ["fail", "fail"]);
}

#[test]
fn terraform_blocks_are_subjects_with_their_header() {
    let rules = "  terraform:
    resource: [aws_security_group, data.aws_region]
    each: ingress.*
    assert: \"!item.cidr_blocks.exists(c, isPublicCidr(c))\"
    at: cidr_blocks
    message: '{{ address(this) }} ({{ kindOf(this) }}) is open to {{ item.cidr_blocks }}'
";
    let terraform = r#"
resource "aws_security_group" "web" {
  ingress {
    cidr_blocks = ["10.0.0.0/8"]
  }
  ingress {
    cidr_blocks = ["0.0.0.0/0", "::/0"]
  }
  ingress {}
}
data "aws_region" "here" {}
"#;
    let (evaluation, sources) = run(rules, Inputs { terraform: Some(terraform), ..Inputs::default() });
    assert_eq!(words(&evaluation), ["fail", "pass"]);
    let finding = &evaluation.verdicts[0].finding;
    assert_eq!(finding.message, "aws_security_group.web (aws_security_group) is open to 0.0.0.0/0, ::/0");
    assert_eq!(finding.pointer, "resource.aws_security_group.web.ingress.1.cidr_blocks");
    assert_eq!(slice(&sources, finding.span), "cidr_blocks");
    let pass = &evaluation.verdicts[1].finding;
    assert_eq!(pass.pointer, "data.aws_region.here");
    assert_eq!(slice(&sources, pass.span), "data \"aws_region\" \"here\"");
    assert_eq!((pass.message.as_str(), pass.help.as_str()), ("the title", ""));
    assert_eq!(pass.controls["pci-dss-4.0.1"], ["1.2.5"]);
}

#[test]
fn blocks_other_than_resources_are_subjects_too() {
    let rules = "  terraform:
    block: [terraform, provider, module]
    assert: '!has(this.backend) && !has(this.region) && this.source != \"./network\"'
    message: '{{ address(this) }} {{ key }} {{ this.backend[0].type }}'
";
    let terraform = r#"
terraform {
  backend "s3" {
    bucket = "state"
  }
}
terraform {
  required_version = "~> 1.11"
}
provider "aws" {
  region = "eu-west-1"
}
# blueprint: regions.secondary
provider "aws" {
  alias  = "west"
  region = "us-west-2"
}
module "network" {
  source = "./network"
}
output "id" {
  value = 1
}
"#;
    let (evaluation, sources) = run(rules, Inputs { terraform: Some(terraform), ..Inputs::default() });
    let lines: Vec<String> = (evaluation.verdicts.iter())
        .map(|verdict| {
            let finding = &verdict.finding;
            let subject = finding.subject.as_ref().unwrap();
            let place = slice(&sources, finding.span);
            let message = &finding.message;
            let blueprint = verdict.blueprint.as_deref().unwrap_or("-");
            format!(
                "{} {} {} | {} | {place} | {blueprint} | {message}",
                finding.verdict.as_str(),
                subject.type_,
                subject.address,
                finding.pointer
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    fail terraform terraform | terraform | terraform | - | terraform terraform s3
    pass terraform terraform | terraform | terraform | - | the title
    fail provider provider.aws | provider.aws | provider "aws" | - | provider.aws aws nothing
    fail provider provider.aws.west | provider.aws.west | provider "aws" | regions.secondary | provider.aws.west aws nothing
    fail module module.network | module.network | module "network" | - | module.network network nothing
    "#);
}

const PODS: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: ledger, namespace: core}
spec:
  template:
    spec:
      initContainers: [{name: init, image: a}]
      containers:
        - name: main
          image: b
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: core}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers: [{name: job, image: c, securityContext: {privileged: true}}]
---
apiVersion: v1
kind: Service
metadata: {name: ledger, namespace: core}
spec: {ports: [{port: 80}]}
";

#[test]
fn workloads_have_their_pod_wherever_the_kind_keeps_it() {
    let rules = "  kubernetes:
    workload: true
    each: pod.spec.{initContainers,containers}.*
    assert: item.securityContext.privileged == false
    at: securityContext.privileged
    message: container {{ item.name }}
";
    let (evaluation, sources) = run(rules, Inputs { kubernetes: Some(PODS), ..Inputs::default() });
    let lines: Vec<String> = evaluation
        .verdicts
        .iter()
        .map(|verdict| {
            let finding = &verdict.finding;
            let subject = &finding.subject.as_ref().unwrap().address;
            format!(
                "{subject} | {} | `{}` | {}",
                finding.pointer,
                slice(&sources, finding.span),
                finding.message
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    Deployment/core/ledger | spec.template.spec.initContainers.0.securityContext.privileged | `{name: init, image: a}` | container init
    Deployment/core/ledger | spec.template.spec.containers.0.securityContext.privileged | `name: main` | container main
    CronJob/core/nightly | spec.jobTemplate.spec.template.spec.containers.0.securityContext.privileged | `true` | container job
    ");
}

#[test]
fn the_pod_itself_is_pointed_at_by_the_objects_name() {
    let rules = "  kubernetes: {workload: true, assert: pod(this).spec.hostNetwork == false, at: pod.spec.hostNetwork}\n";
    let (evaluation, sources) = run(rules, Inputs { kubernetes: Some(PODS), ..Inputs::default() });
    let finding = &evaluation.verdicts[0].finding;
    assert_eq!(finding.pointer, "spec.template.spec.hostNetwork");
    assert_eq!(slice(&sources, finding.span), "spec");
    let rules = "  kubernetes: {kind: Service, assert: this.spec.type == 'x', at: metadata.labels.owner}\n";
    let (evaluation, sources) = run(rules, Inputs { kubernetes: Some(PODS), ..Inputs::default() });
    assert_eq!(slice(&sources, evaluation.verdicts[0].finding.span), "metadata");
    let rules = "  kubernetes: {kind: [Service, CronJob.batch, Deployment.other], assert: 'false'}\n";
    let (evaluation, sources) = run(rules, Inputs { kubernetes: Some(PODS), ..Inputs::default() });
    assert_eq!(words(&evaluation), ["fail", "fail"]);
    assert_eq!(slice(&sources, evaluation.verdicts[0].finding.span), "ledger");
}

#[test]
fn a_rule_that_needs_more_is_skipped_and_says_so() {
    let rules = "  kubernetes: {kind: Service, needs: [terraform, blueprint], assert: 'size(resources(\"aws_lb\")) > 0'}\n";
    let (evaluation, _) = run(rules, Inputs { kubernetes: Some(PODS), ..Inputs::default() });
    assert_eq!(evaluation.verdicts.len(), 0);
    assert_eq!(evaluation.skipped.len(), 1);
    assert_eq!(evaluation.skipped[0].missing, [SubjectKind::Terraform, SubjectKind::Blueprint]);
    let inputs = Inputs {
        kubernetes: Some(PODS),
        terraform: Some("resource \"aws_lb\" \"main\" {}"),
        blueprint: Some("name: x"),
        ..Inputs::default()
    };
    let (evaluation, _) = run(rules, inputs);
    assert_eq!(evaluation.verdicts[0].finding.verdict, Verdict::Pass);
    assert_eq!(evaluation.skipped, []);
}

#[test]
fn several_rules_of_one_kind_all_count() {
    let rules = "  blueprint:\n    - {select: name, assert: this == 'x'}\n    - {select: name, assert: size(this) > 3}\n";
    let (evaluation, _) = run(rules, Inputs { blueprint: Some("name: x"), ..Inputs::default() });
    assert_eq!(words(&evaluation), ["pass", "fail"]);
}

#[test]
fn the_date_is_given_not_read() {
    let rules = "  blueprint: {select: support, assert: this.until > today}\n";
    let of = |at| {
        let inputs = Inputs { blueprint: Some("support: {until: '2026-12-02'}"), at, ..Inputs::default() };
        words(&run(rules, inputs).0).remove(0)
    };
    assert_eq!(of(Some("2026-11-23")), "pass");
    assert_eq!(of(Some("2026-12-23")), "fail");
    assert!(of(None).starts_with("unproven"));
}

#[test]
fn arguments_for_keys_are_found_written_or_not() {
    let terraform = r#"
variable "regions" { type = list(string) }
resource "aws_sfn_state_machine" "absent" { name = "settle" }
resource "aws_sfn_state_machine" "written" {
  encryption_configuration { kms_key_id = "alias/settle" }
}
resource "aws_securitylake_data_lake" "attributes" {
  configuration { encryption_configuration = [{ kms_key_id = "alias/lake" }] }
  configuration { region = "eu-west-1" }
}
resource "aws_securitylake_data_lake" "unknown" {
  dynamic "configuration" {
    for_each = var.regions
    content { region = configuration.value }
  }
}
resource "aws_ecs_service" "unused" { name = "api" }
resource "aws_vpc" "no_key" { cidr_block = "10.0.0.0/16" }
data "aws_sfn_state_machine" "looked_up" { name = "settle" }
"#;
    let rules = "  terraform:
    resource: '*'
    find: keys
    assert: 'item.value == \"other\"'
    message: '{{ item.path }} ({{ item.name }}) is {{ item.value }}, beside {{ item.block.region }}'
";
    let (evaluation, sources) = run(rules, Inputs { terraform: Some(terraform), ..Inputs::default() });
    let found: Vec<String> = evaluation
        .verdicts
        .iter()
        .map(|verdict| {
            let finding = &verdict.finding;
            let (place, text) = (&finding.pointer, slice(&sources, finding.span));
            format!("{} {place} | `{text}` | {}", finding.verdict.as_str(), finding.message)
        })
        .collect();
    insta::assert_snapshot!(found.join("\n"));
}
