//! Sensitive values never reach a report: not in a message, not in a line of a file that it quotes, in no format.
//!
//! The secrets of the corpus read like plain words, so that no pattern finds them and nothing but their marks hides them.

use nexafi_gen::source::{FileId, Node, SourceFile, Sources, Span, Value};
use proptest::prelude::*;

use crate::cli::{Desk, Ran};
use crate::terraform::module;

/// What every secret of the corpus has in it, in whatever case and encoding a value gets: no word of ours.
const TRACES: [&str; 5] = ["hushed", "HUSHED", "dehsuh", "aHVzaGVk", "SFVTSEVE"];

const FORMATS: [&str; 9] =
    ["graphical", "concise", "json", "sarif", "junit", "github", "gitlab", "csv", "markdown"];

fn quiet(what: &str, ran: &Ran) {
    for trace in TRACES {
        for (stream, text) in [("out", &ran.out), ("err", &ran.err)] {
            let at = text.find(trace).map(|at| &text[text[..at].rfind('\n').unwrap_or(0)..]);
            let line = at.map(|line| line.lines().take(3).collect::<Vec<_>>().join("\n"));
            assert!(line.is_none(), "{what}, {stream}: {}", line.unwrap());
        }
    }
}

/// A policy that prints all it sees of everything, in every way that comes to mind, and is met by nothing.
const CURIOUS: &str = r#"id: BANK-ALL-001
title: Everything is printed
severity: low
rationale: Ours.
controls: {soc2-tsc-2017: [{id: CC6.1, by: judgement}]}
rules:
  terraform:
    - resource: "*"
      assert: "false"
      message: >-
        {{ this }} {{ this.password }} {{ this.password.upperAscii() }} {{ this.password.split("-").join("+") }}
        {{ this.value }} {{ this.user }} {{ this.tags }} {{ size(this.password) }} {{ this.name }} {{ this.description }}
        {{ this.map(k, this[k]) }} {{ this.password.startsWith("hushed") ? "hushed" + "-yes" : "no" }}
        {{ resources("*").map(r, r.password) }} {{ resources("*").filter(r, r.password != null).map(r, r.password) }}
        {{ yaml(this.value) }} {{ properties(this.value) }}
      help: "{{ this.password }} {{ string(this.password) }} {{ [this.password] }} {{ {\"a\": this.value} }}"
    - resource: "*"
      each: "*"
      assert: "false"
      message: "{{ itemKey }}: {{ item }} {{ [item] }}"
    - resource: "*"
      each: "tags.*"
      assert: "false"
      message: "{{ itemKey }}: {{ item }}"
    - resource: "*"
      assert: "this.password.matches(this.password + \"(\") && int(this.value) > 1 && this.password < 3"
    - block: [variable, output, module, locals, provider]
      assert: "false"
      message: "{{ this }} {{ this.default }} {{ this.value }} {{ this.password }} {{ values(this) }}"
    - block: [variable, output, module, locals, provider]
      each: "*"
      assert: "false"
      message: "{{ itemKey }}: {{ item }}"
"#;

const MAIN: &str = r#"
variable "plain" {
  type      = string
  default   = "hushed-default"
  sensitive = true
}
variable "given" {
  type      = string
  sensitive = true
}
variable "words" {
  type      = map(string)
  sensitive = true
  default = {
    hushed-key = "hushed-in-a-map"
  }
}
variable "gone" {
  type      = string
  default   = "hushed-ephemeral"
  ephemeral = true
}
variable "unused" {
  default   = "hushed-unused"
  sensitive = true
}
locals {
  copied  = "${var.plain}!"
  upper   = upper(var.plain)
  turned  = strrev(var.plain)
  encoded = base64encode(var.plain)
  coded   = base64encode(upper(var.plain))
  marked  = sensitive("hushed-by-a-call")
  origin  = "hushed-origin"
  nested  = { password = "hushed-nested", name = "shown" }
}
resource "aws_db_instance" "literal" {
  engine   = "postgres"
  password = "hushed-literal"
  tags     = { Owner = local.copied, Upper = local.upper, Turned = local.turned }
}
resource "aws_db_instance" "origin" {
  engine   = "postgres"
  password = local.origin
  tags     = { Code = local.encoded, Coded = local.coded, Marked = local.marked }
}
resource "aws_db_instance" "nested" {
  engine   = "postgres"
  username = local.nested.name
  password = local.nested.password
  tags     = var.words
}
resource "aws_db_instance" "heredoc" {
  engine   = "postgres"
  password = <<-EOT
    hushed-heredoc
  EOT
}
resource "aws_mq_broker" "m" {
  broker_name = "b"
  user {
    username = "u"
    password = "hushed-in-a-block"
  }
  dynamic "user" {
    for_each = { x = "hushed-dynamic" }
    content {
      username = user.key
      password = user.value
    }
  }
}
resource "aws_ssm_parameter" "p" {
  for_each = { one = "hushed-each" }
  name     = each.key
  type     = "String"
  value    = each.value
}
resource "aws_s3_bucket" "wrong" {
  for_each      = toset([var.plain])
  bucket        = each.key
  force_destroy = var.plain
  tags          = [var.plain]
  nonsense      = var.given
}
resource "aws_iam_policy" "p" {
  policy = var.plain
}
data "aws_iam_policy_document" "d" {
  statement {
    actions   = [var.plain, var.given]
    resources = ["*"]
  }
}
resource "aws_iam_policy" "d" {
  policy = data.aws_iam_policy_document.d.json
}
output "pw" {
  value     = "hushed-output"
  sensitive = true
}
module "m" {
  source   = "./m"
  password = "hushed-argument"
  through  = local.origin
}
resource "aws_ssm_parameter" "from_module" {
  name  = "x"
  type  = "String"
  value = module.m.word
}
resource "aws_instance" "a" {
  ami       = module.m.word
  user_data = "password is ${var.given}"
}
"#;

const MODULE: &str = r#"
variable "password" {
  sensitive = true
}
variable "through" {}
resource "aws_db_instance" "inner" {
  engine   = "postgres"
  password = var.through
  tags     = { Own = var.password }
}
output "word" {
  value     = "hushed-module-output"
  sensitive = true
}
"#;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.put("p/curious.yaml", CURIOUS);
    desk.put("main.tf", MAIN);
    desk.put("m/main.tf", MODULE);
    desk.put("terraform.tfvars", "given = \"hushed-tfvars\"\n");
    desk.put("more.tfvars", "given = \"hushed-var-file\"\nunknown = 1\n");
    desk
}

#[test]
fn no_report_shows_a_sensitive_value_in_any_format() {
    let ways = [
        "",
        "--var-file more.tfvars",
        "--var given=hushed-on-the-command-line",
        "--var words={hushed-name=\"hushed-expression\"}",
    ];
    for format in FORMATS {
        for way in ways {
            for all in ["--all", ""] {
                let line = format!("lint . --policies p --format {format} {way} {all}");
                let ran = desk().run(&line);
                assert!(ran.out.contains("BANK-ALL-001"), "{line}: {}{}", ran.out, ran.err);
                quiet(&line, &ran);
            }
        }
    }
    let desk = desk();
    let ran = desk.run("lint . --policies p --write-baseline base.json");
    let out = desk.read("base.json");
    assert!(out.contains("BANK-ALL-001"), "{out}");
    quiet("the baseline", &Ran { out, ..ran });
}

#[test]
fn what_is_not_sensitive_is_shown_as_ever() {
    let desk = desk();
    let ran = desk.run("lint . --policies p --select BANK-ALL-001 --all");
    for shown in [
        "(sensitive value)",
        "username = local.nested.name",
        "password = local.origin",
        "engine   = \"postgres\"",
    ] {
        assert!(ran.out.contains(shown), "{shown}:\n{}", ran.out);
    }
    // A password that the schema calls one is judged all the same.
    let ran = desk.run("lint . --format json");
    assert!(ran.out.contains("aws_db_instance.literal"), "{}", ran.out);
}

#[test]
fn a_file_of_values_that_does_not_parse_shows_none_of_them() {
    for (path, text) in [
        ("terraform.tfvars", "given = \"hushed-unclosed\nplain = \"hushed-next\"\n"),
        ("terraform.tfvars", "plain = <<EOT\nhushed line\nEOT\ngiven = [\"hushed\"\n"),
        ("terraform.tfvars.json", "{\"given\": \"hushed\", \"plain\": hushed\n"),
    ] {
        let desk = desk();
        std::fs::remove_file(desk.path("terraform.tfvars")).unwrap();
        desk.put(path, text);
        for format in ["graphical", "json"] {
            let ran = desk.run(&format!("lint . --format {format}"));
            assert!(ran.out.contains("terraform.tfvars"), "{}", ran.out);
            quiet(path, &ran);
        }
    }
    let ran = desk().run("lint . --var words={a=\"hushed");
    quiet("--var", &ran);
}

#[test]
fn marks_follow_values_as_terraform_marks_them() {
    let marked = |expression: &str| {
        let text = format!(
            "variable \"s\" {{\n  default = \"x\"\n  sensitive = true\n}}\nlocals {{\n  list = [\"a\", var.s]\n  value = {expression}\n}}\n"
        );
        let (_, module, _) = module(&[&text]);
        module.blocks_of("locals").last().unwrap().body.get("value").unwrap().clone()
    };
    for expression in
        ["var.s", "\"a${var.s}\"", "upper(var.s)", "var.s == \"x\"", "local.list[1]", "length(var.s)"]
    {
        assert!(marked(expression).sensitive, "{expression}");
    }
    for expression in ["local.list", "local.list[0]", "nonsensitive(var.s)", "length(local.list)"] {
        assert!(!marked(expression).sensitive, "{expression}");
    }
    assert!(marked("local.list").holds_sensitive());
}

#[test]
fn whoever_reads_a_sensitive_value_conceals_it_with_one_call() {
    let mut sources = Sources::default();
    let text = "{\"password\": \"hushed\", \"name\": \"shown\"}";
    let id = sources.add(SourceFile::new("plan.json", text.to_owned()));
    let at = text.find("\"hushed\"").unwrap();
    let mut node = Node::string(Span::new(id, at, at + 8), "hushed");
    sources.conceal(&mut node);
    assert!(node.sensitive);
    assert_eq!(sources.shown(id, &[]), "{\"password\": ********, \"name\": \"shown\"}");
}

fn secrets() -> impl Strategy<Value = String> {
    "[A-Za-z0-9!#%&*+/=?@^~-]{8,40}"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is computed of a sensitive value is marked, and no mark is lost inside it.
    #[test]
    fn what_is_computed_of_a_sensitive_value_is_sensitive(
        secret in secrets(),
        ways in prop::collection::vec(0_usize..12, 1..5),
    ) {
        let wrap = [
            "upper(X)", "\"a-${X}-b\"", "[X][0]", "{ k = X }.k", "jsondecode(jsonencode({ a = X })).a", "true ? X : \"\"",
            "element([X, \"b\"], 0)", "lookup({ a = X }, \"a\", \"\")", "join(\"-\", [X, \"z\"])", "[for x in [X] : x][0]",
            "merge({ a = \"b\" }, { a = X }).a", "coalesce(X, \"c\")",
        ];
        let expression = ways.iter().fold("var.s".to_owned(), |inner, way| wrap[*way].replace('X', &inner));
        let text = format!(
            "variable \"s\" {{\n  default = \"{secret}\"\n  sensitive = true\n}}\nlocals {{\n  value = {expression}\n}}\n"
        );
        let (sources, module, _) = module(&[&text]);
        let node = module.blocks_of("locals").last().unwrap().body.get("value").unwrap();
        prop_assert!(node.sensitive, "{expression}");
        prop_assert!(matches!(node.value, Value::Str(_)), "{expression}: {:?}", node.value);
        prop_assert!(!sources.shown(FileId(0), &[]).contains(secret.as_str()));
        let said = format!("it is {secret}, and that is that");
        if secret.len() >= 16 {
            prop_assert!(!sources.redacted(&said).contains(secret.as_str()));
        }
    }
}
