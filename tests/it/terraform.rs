//! Reading Terraform: what the files fix, what they do not, and every fault at its place.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use nexafi_gen::source::{Finding, Node, SourceFile, Sources, Value};
use nexafi_gen::terraform::{self, Module};
use proptest::prelude::*;

/// A module from texts, its sources and its findings.
pub(crate) fn module(texts: &[&str]) -> (Sources, Module, Vec<Finding>) {
    let mut sources = Sources::default();
    let ids: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(at, text)| sources.add(SourceFile::new(format!("file{at}.tf"), (*text).to_owned())))
        .collect();
    let (module, findings) = terraform::read(&sources, &ids);
    (sources, module, findings)
}

/// Code, underlined text, message and help of every finding, one line each.
pub(crate) fn told(sources: &Sources, findings: &[Finding]) -> String {
    let mut told = String::new();
    for finding in findings {
        let text = sources.get(finding.span.file).unwrap().slice(finding.span);
        assert!(!finding.help.is_empty(), "no help: {finding:?}");
        writeln!(told, "{} {text:?}: {} (help: {})", finding.code, finding.message, finding.help).unwrap();
    }
    told
}

/// A value the way a person would note it down.
fn noted(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Decimal(digits) => digits.to_string(),
        Value::Str(text) => format!("{text:?}"),
        Value::List(items) => {
            format!("[{}]", items.iter().map(|item| noted(&item.value)).collect::<Vec<_>>().join(", "))
        }
        Value::Map(map) => format!(
            "{{{}}}",
            map.iter()
                .map(|(key, entry)| format!("{key}: {}", noted(&entry.node.value)))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        Value::Unknown(reason) => format!("unknown({reason})"),
        Value::Reference(reference) => format!("ref({} {})", reference.address, reference.attribute),
        Value::Partial(partial) => {
            format!("partial({:?} {:?} {})", partial.start, partial.end, partial.reason)
        }
    }
}

/// The value of an expression among some declarations.
fn value(expression: &str) -> String {
    let text = format!(
        r#"
variable "given" {{ default = "eu" }}
variable "open" {{}}
locals {{
  zones = ["a", "b", "c"]
  sizes = {{ small = 1, large = 3 }}
}}
data "aws_iam_policy_document" "doc" {{
}}
resource "aws_vpc" "main" {{
  cidr_block = "10.0.0.0/16"
  tags       = {{ Name = "main", Open = var.open }}
}}
resource "aws_subnet" "each" {{
  for_each   = toset(local.zones)
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.1.0/24"
}}
resource "aws_eks_cluster" "main" {{
  vpc_config {{
    endpoint_public_access = false
  }}
}}
resource "test_it" "it" {{
  value = {expression}
}}
"#
    );
    let (_, module, _) = module(&[&text]);
    noted(&module.get("test_it.it").unwrap().get("value").unwrap().value)
}

#[test]
fn expressions_become_what_the_files_fix() {
    let cases = [
        ("1 + 2 * 3", "7"),
        ("10 / 4", "2.5"),
        ("\"1\" + 1", "2"),
        ("7 % 3 == 1 && !false", "true"),
        ("\"1\" == 1", "false"),
        ("var.given", "\"eu\""),
        ("var.open", "unknown(variable open has no default)"),
        ("false && var.open", "false"),
        ("var.open || true", "true"),
        ("true && var.open", "unknown(variable open has no default)"),
        ("\"x-${var.given}-${1 + 1}\"", "\"x-eu-2\""),
        ("\"${local.zones}\"", "[\"a\", \"b\", \"c\"]"),
        ("\"x-${var.open}\"", "partial(\"x-\" \"\" variable open has no default)"),
        ("\"$${var.open} %%{ if }\"", "\"${var.open} %{ if }\""),
        ("\"%{ if true }yes%{ else }no%{ endif }\"", "\"yes\""),
        ("\"%{ for z in local.zones ~} ${z} %{~ endfor }\"", "\"abc\""),
        ("local.zones[1]", "\"b\""),
        ("local.zones[7]", "unknown(the value has no such element)"),
        ("local.zones[*]", "[\"a\", \"b\", \"c\"]"),
        ("local.sizes.large", "3"),
        ("local.sizes[\"small\"]", "1"),
        ("[for z in local.zones : upper(z) if z != \"b\"]", "[\"A\", \"C\"]"),
        ("[for i, z in local.zones : \"${i}${z}\"]", "[\"0a\", \"1b\", \"2c\"]"),
        ("{ for k, v in local.sizes : v => k }", "{3: \"large\", 1: \"small\"}"),
        ("{ for z in local.zones : \"all\" => z... }", "{all: [\"a\", \"b\", \"c\"]}"),
        ("[for k, v in local.sizes : k]", "[\"large\", \"small\"]"),
        ("aws_vpc.main.cidr_block", "\"10.0.0.0/16\""),
        ("aws_vpc.main.arn", "ref(aws_vpc.main arn)"),
        ("aws_vpc.main", "ref(aws_vpc.main )"),
        ("aws_vpc.main.tags.Name", "\"main\""),
        ("aws_vpc.main.tags.Open", "ref(aws_vpc.main tags.Open)"),
        ("aws_subnet.each[\"a\"].id", "ref(aws_subnet.each[\"a\"] id)"),
        ("aws_subnet.each[\"z\"].id", "unknown(aws_subnet.each has no such instance)"),
        ("[for s in aws_subnet.each : s.cidr_block]", "[\"10.0.1.0/24\", \"10.0.1.0/24\", \"10.0.1.0/24\"]"),
        ("keys(aws_subnet.each)", "[\"a\", \"b\", \"c\"]"),
        ("aws_kms_key.elsewhere.arn", "ref(aws_kms_key.elsewhere arn)"),
        ("aws_subnet.each[\"a\"].cidr_block", "\"10.0.1.0/24\""),
        ("aws_subnet.each[\"a\"].vpc_id", "ref(aws_vpc.main id)"),
        // Terraform refuses it: what `for_each` makes is an object, and a splat takes a list.
        ("aws_subnet.each[*].id", "[unknown(the value has no such element)]"),
        ("values(aws_subnet.each)[0].id", "ref(aws_subnet.each[\"a\"] id)"),
        ("aws_eks_cluster.main.vpc_config[0].endpoint_public_access", "false"),
        ("aws_eks_cluster.main.vpc_config[0].vpc_id", "ref(aws_eks_cluster.main vpc_config[0].vpc_id)"),
        ("data.aws_iam_policy_document.doc.json", r#""{\n  \"Version\": \"2012-10-17\"\n}""#),
        ("aws_vpc.main.arn == aws_vpc.main.arn", "true"),
        ("aws_vpc.main.arn == \"x\"", "unknown(aws_vpc.main.arn is known only after apply)"),
        ("var.open ? 1 : 1", "1"),
        ("var.given == \"eu\" ? \"yes\" : var.open", "\"yes\""),
        ("module.net.id", "unknown(module net is not declared)"),
        ("cidrsubnet(aws_vpc.main.cidr_block, 8, 3)", "\"10.0.3.0/24\""),
        ("cidrsubnet(\"fd00::/48\", 16, 2)", "\"fd00:0:0:2::/64\""),
        ("cidrhost(\"10.0.0.0/24\", -2)", "\"10.0.0.254\""),
        ("merge(local.sizes, { small = 2 })", "{small: 2, large: 3}"),
        ("concat(local.zones, [\"d\"])", "[\"a\", \"b\", \"c\", \"d\"]"),
        ("toset([\"b\", \"a\", \"b\"])", "[\"a\", \"b\"]"),
        ("keys(local.sizes)", "[\"large\", \"small\"]"),
        ("lookup(local.sizes, \"none\", 9)", "9"),
        ("try(local.sizes.none, \"fallback\")", "\"fallback\""),
        ("can(local.sizes.none)", "false"),
        ("coalesce(null, \"\", \"x\")", "\"x\""),
        ("element(local.zones, 4)", "\"b\""),
        ("one([])", "null"),
        ("flatten([[1, [2]], 3])", "[1, 2, 3]"),
        ("join(\"-\", local.zones)", "\"a-b-c\""),
        ("split(\",\", \"a,b\")", "[\"a\", \"b\"]"),
        ("format(\"%s-%03d\", var.given, 7)", "\"eu-007\""),
        ("replace(\"a.b.c\", \".\", \"-\")", "\"a-b-c\""),
        ("base64encode(\"Hello, World\")", "\"SGVsbG8sIFdvcmxk\""),
        ("max(local.sizes.small, 5, 2)", "5"),
        ("max([1, 8]...)", "8"),
        ("tobool(\"true\")", "true"),
        ("length(local.zones)", "3"),
        ("contains(local.zones, \"c\")", "true"),
        (
            "jsonencode({ b = 1, a = [true, null, \"<x>\"] })",
            r#""{\"a\":[true,null,\"\\u003cx\\u003e\"],\"b\":1}""#,
        ),
        ("jsondecode(\"{\\\"a\\\": [1]}\").a[0]", "1"),
        ("jsonencode({ Resource = aws_vpc.main.arn })", "{Resource: ref(aws_vpc.main arn)}"),
        ("jsondecode(jsonencode({ a = aws_vpc.main.arn, b = 2 })).b", "2"),
        (
            "upper(jsonencode({ a = aws_vpc.main.arn }))",
            "unknown(text with parts that are known only after apply)",
        ),
        ("uuid()", "unknown(a random value is known only when Terraform runs)"),
        ("-local.sizes.large", "-3"),
    ];
    let actual: Vec<(&str, String)> = cases.iter().map(|(text, _)| (*text, value(text))).collect();
    let expected: Vec<(&str, String)> =
        cases.iter().map(|(text, value)| (*text, (*value).to_owned())).collect();
    let wrong: Vec<_> =
        actual.iter().zip(&expected).filter(|(actual, expected)| actual != expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_policy_in_a_heredoc_is_read_around_its_references() {
    let (_, module, findings) = module(&[r#"
resource "aws_s3_bucket" "b" {}
resource "aws_s3_bucket_policy" "p" {
  bucket = aws_s3_bucket.b.id
  policy = <<-EOT
    {"Statement": [{"Effect": "Deny", "Resource": ["${aws_s3_bucket.b.arn}", "${aws_s3_bucket.b.arn}/*"]}]}
  EOT
}
"#]);
    assert_eq!(findings, []);
    let policy = module.get("aws_s3_bucket_policy.p").unwrap().get("policy").unwrap();
    assert!(module.is_partial_json(policy));
    assert_eq!(
        noted(&policy.value),
        "{Statement: [{Effect: \"Deny\", Resource: [ref(aws_s3_bucket.b arn), \
         partial(\"\" \"/*\" aws_s3_bucket.b.arn is known only after apply)]}]}"
    );
    assert_eq!(policy.at(&["Statement", "0", "Effect"]).and_then(Node::as_str), Some("Deny"));
}

#[test]
fn blocks_become_lists_and_keep_their_order() {
    let (sources, module, findings) = module(&[r#"
resource "aws_security_group" "web" {
  name = "web"
  ingress {
    from_port = 443
  }
  dynamic "ingress" {
    for_each = [80, 81]
    content {
      from_port = ingress.value
      self      = ingress.key == 0
    }
  }
  dynamic "egress" {
    for_each = var.rules
    content {}
  }
  depends_on = [aws_vpc.main]
  provider   = aws.primary
  lifecycle {
    prevent_destroy = true
    ignore_changes  = [tags, name]
  }
}
resource "aws_vpc" "main" {}
variable "rules" {}
provider "aws" {
  alias = "primary"
}
"#]);
    assert_eq!(findings, []);
    let web = module.get("aws_security_group.web").unwrap();
    insta::assert_snapshot!(noted(&web.body.value));
    let ingress = web.get("ingress").unwrap();
    assert_eq!(sources.iter().next().unwrap().1.slice(ingress.items()[1].span), "dynamic \"ingress\"");
    assert_eq!(module.references("aws_security_group.web"), []);
}

#[test]
fn references_are_indexed_through_locals() {
    let (_, module, findings) = module(&[
        r#"
resource "aws_flow_log" "all" {
  vpc_id = local.vpc
}
resource "aws_flow_log" "later" {
  depends_on = [aws_vpc.main]
}
"#,
        r#"
# Networks
# blueprint: regions.primary.vpc
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}
locals {
  vpc   = local.inner.id
  inner = { id = "${aws_vpc.main.id}" }
}
"#,
    ]);
    assert_eq!(findings, []);
    let names = |type_| {
        module
            .referrers("aws_vpc.main", type_)
            .iter()
            .map(|found| found.address.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("aws_flow_log"), ["aws_flow_log.all"]);
    assert!(names("aws_subnet").is_empty());
    assert_eq!(
        module.references("aws_flow_log.all").iter().map(|it| &**it).collect::<Vec<_>>(),
        ["aws_vpc.main"]
    );
    let vpc = module.get("aws_vpc.main").unwrap();
    assert_eq!(vpc.blueprint.as_deref(), Some("regions.primary.vpc"));
    assert_eq!(module.resources_of("aws_flow_log").count(), 2);
}

#[test]
fn references_to_nothing_are_found_where_they_stand() {
    let (sources, _, findings) = module(&[r#"
resource "aws_vpc" "main" {}
data "aws_region" "here" {}
variable "region" {}
locals {
  name = "x"
  one  = local.two
  two  = [local.one]
}
resource "aws_subnet" "a" {
  vpc_id = aws_vpc.mian.id
  region = aws_region.here.name
  a      = var.regoin
  b      = local.nmae
  c      = module.net.id
  d      = bare
  e      = each.value
  f      = "${data.aws_caller_identity.me.account_id}"
  g      = [for x in [1] : x + y]
}
resource "aws_vpc" "main" {
}
resource "aws_kms_key" "self" {
  policy = aws_kms_key.self.arn
}
"#]);
    insta::assert_snapshot!(told(&sources, &findings));
}

#[test]
fn misplaced_things_are_found() {
    let (sources, _, findings) = module(&[r#"
region = "eu"
resource "aws_vpc" { }
resorce "aws_vpc" "x" { }
aws_vpc "main" { }
locals { a = 1 }
locals {
  a = 2
  b { }
}
resource "aws_vpc" "9lives" {}
variable "v" {}
variable "v" {}
"#]);
    insta::assert_snapshot!(told(&sources, &findings));
}

#[test]
fn deep_chains_and_explosions_end() {
    let mut chain = String::from("locals {\n  l0 = \"end\"\n");
    for at in 1..5000 {
        chain.push_str(&format!("  l{at} = local.l{}\n", at - 1));
    }
    chain.push_str("}\nresource \"t\" \"r\" { v = local.l4999 }\n");
    let (_, read, findings) = module(&[&chain]);
    assert_eq!(findings, []);
    assert_eq!(noted(&read.get("t.r").unwrap().get("v").unwrap().value), "\"end\"");

    let mut bomb = String::from("locals {\n  l0 = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n");
    for at in 1..12 {
        let last = format!("local.l{}", at - 1);
        bomb.push_str(&format!("  l{at} = [{}]\n", [last.as_str(); 10].join(", ")));
    }
    bomb.push_str("}\nresource \"t\" \"r\" { v = local.l11 }\n");
    let (_, read, _) = module(&[&bomb]);
    assert!(noted(&read.get("t.r").unwrap().get("v").unwrap().value).contains("too large"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\PC|[\\n\\r\\t{}\"$%\\[\\]()=.<>~*?:,#/-]|resource \"aws_vpc\" \"b\" \\{\n|dynamic \"tags\" \\{\n|tags = |ingress \\{\n|\n\\}\n|\\$\\{|<<EOT\n|\nEOT\n|for x in |local\\.){0,60}") {
        let (sources, module, findings) = module(&[&text]);
        told(&sources, &findings);
        told(&sources, &terraform::schema::check(&module));
    }
}

#[test]
fn one_fault_of_syntax_does_not_hide_the_others() {
    let broken = r#"
resource "aws_vpc" "one" {
  cidr_block = "10.0.0.0/16"
  cidr_block = "10.1.0.0/16"
}

resource "aws_vpc" "fine" {
  tags = { a = aws_vpc.gone.id, b = aws_vpc.unclosed.id, c = var.broken }
}

resource "aws_vpc" "unclosed" {
  tags = {
    a = 1

resource "aws_vpc" "two" {
  cidr_block = = 3
}

resource "aws_vpc" "three" {
  cidr_block "10.0.0.0/16"
}

resource "aws_vpc" "eight" {
  a = 3 b = 4
}

resource "aws_vpc" "four" {
  a = 'single'
}

resource "aws_vpc" "five" {
  a = "no end
}

variable "broken" {
  type =
}

resource "aws_vpc" "six" {
  list = [1 2]
}
"#;
    let (sources, module, findings) =
        module(&[broken, "resource \"aws_vpc\" \"other\" {}\n", "x = <<EOT\n never"]);
    insta::assert_snapshot!(told(&sources, &findings));
    assert!(module.get("aws_vpc.fine").is_some());
    assert!(module.get("aws_vpc.other").is_some());
}

#[test]
fn a_byte_order_mark_and_windows_lines_change_nothing() {
    let text = "\u{feff}resource \"aws_vpc\" \"main\" {\r\n  cidr_block = var.x # c\r\n  tags = {\r\n    a = 1\r\n  }\r\n  user = <<E\r\none\r\nE\r\n}\r\n";
    let (sources, module, findings) = module(&[text]);
    assert_eq!(findings.len(), 1);
    assert_eq!(sources.iter().next().unwrap().1.slice(findings[0].span), "var.x");
    assert_eq!(module.get("aws_vpc.main").unwrap().get("user").unwrap().as_str(), Some("one\r\n"));
}

/// What `terraform console` makes of expressions, each as JSON; `None` if there is no terraform.
#[allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a skipped test says so, and fails where CI is set"
)]
fn terraform_console(expressions: &[&str]) -> Option<Vec<String>> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("main.tf"), PURE).unwrap();
    // Of piped input the console prints the last result only, so all of them are one.
    let all: Vec<String> = expressions.iter().map(|expression| format!("jsonencode({expression})")).collect();
    let input = format!("jsonencode([{}])\n", all.join(", "));
    let spawned = Command::new("terraform")
        .arg(format!("-chdir={}", directory.path().display()))
        .arg("console")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no terraform on PATH");
        println!("skipped: no terraform on PATH");
        return None;
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // It prints the JSON text as an HCL string, whose escapes are JSON's but for those of templates.
    let printed = String::from_utf8(output.stdout).unwrap().replace("$${", "${").replace("%%{", "%{");
    let all: String = serde_json::from_str(printed.trim()).unwrap();
    Some(serde_json::from_str(&all).unwrap())
}

const PURE: &str = r#"
locals {
  zones = ["b", "a", "c"]
  sizes = { small = 1, large = 3, huge = 10 }
  deep  = { a = [{ id = 1, tags = { x = "y" } }, { id = 2, tags = { x = "z" } }] }
}
"#;

const EXPRESSIONS: &[&str] = &[
    "1 + 2 * 3 - 4 / 5",
    "10 % 4",
    "-7 % 3",
    "1.5 * 2",
    "\"5\" + 1",
    "1 == 1.0",
    "\"a\" == \"a\" ? \"same\" : \"other\"",
    "[1, 2] == [1, 2]",
    "{ a = 1 } == { a = 1 }",
    "local.deep.a[*].id",
    "local.deep.a.*.tags.x",
    "[for item in local.deep.a : item.tags.x if item.id > 1]",
    "{ for key, size in local.sizes : upper(key) => size * 2 }",
    "[for key, size in local.sizes : \"${key}=${size}\"]",
    "{ for zone in concat(local.zones, local.zones) : zone => length(zone)... }",
    "\"%{ for zone in local.zones ~}[${zone}]%{ endfor ~} end\"",
    "\"%{ if length(local.zones) > 2 }many%{ else }few%{ endif }\"",
    "\"a\\tb\\u00e9 $${x} %%{y}\"",
    "tolist(local.zones)",
    "toset(concat(local.zones, [\"a\"]))",
    "keys(local.sizes)",
    "values(local.sizes)",
    "merge(local.sizes, { small = 0, tiny = -1 }, null)",
    "lookup(local.sizes, \"none\", 7)",
    "contains(local.zones, \"c\")",
    "flatten([[1, [2, []]], 3, [[4]]])",
    "distinct([1, 2, 1, \"1\"])",
    "compact([\"a\", \"\", null, \"b\"])",
    "element(local.zones, 5)",
    "sort(local.zones)",
    "reverse(local.zones)",
    "slice(local.zones, 1, 3)",
    "zipmap(local.zones, [1, 2, 3])",
    "range(5)",
    "range(1, 8, 3)",
    "range(4, 0)",
    "setunion([\"b\", \"a\"], [\"c\", \"a\"])",
    "setintersection([\"b\", \"a\"], [\"c\", \"a\"])",
    "setsubtract([\"b\", \"a\"], [\"c\", \"a\"])",
    "one([\"x\"])",
    "max(3, 12, 9)",
    "min(3, 12, 9)",
    "abs(-3.5)",
    "ceil(1.2)",
    "floor(-1.2)",
    "format(\"%s-%03d-%5s|%-5s|%t|%v|%%|%q\", \"a\", 7, \"b\", \"c\", true, [1, \"x\"], \"q\")",
    "format(\"%.2f %f\", 1.005, 2)",
    "join(\", \", local.zones)",
    "split(\"/\", \"10.0.0.0/16\")[1]",
    "split(\",\", \"\")",
    "replace(\"1 + 2 + 3\", \"+\", \"-\")",
    "title(\"hello big world\")",
    "trimspace(\"  x \\n\")",
    "trimprefix(\"helloworld\", \"hello\")",
    "trimsuffix(\"helloworld\", \"world\")",
    "substr(\"hello world\", 1, 4)",
    "substr(\"hello world\", 6, -1)",
    "startswith(\"hello\", \"he\")",
    "endswith(\"hello\", \"lo\")",
    "chomp(\"a\\n\")",
    "lower(\"ÀB\")",
    "base64encode(\"Hello, Wörld!\")",
    "cidrsubnet(\"10.1.2.0/24\", 4, 15)",
    "cidrsubnet(\"172.16.0.0/12\", 4, 2)",
    "cidrsubnet(\"fd00:fd12:3456:7890::/56\", 16, 162)",
    "cidrhost(\"10.12.112.0/20\", 268)",
    "cidrhost(\"10.0.0.0/8\", -1)",
    "cidrnetmask(\"172.16.0.0/12\")",
    "jsonencode({ z = 1, a = [true, null, \"<&>\"], f = 1.50 })",
    "jsondecode(\"{\\\"a\\\": [1, 2.5, null]}\")",
    "try(local.sizes.none, \"fallback\")",
    "can(local.sizes.none)",
    "can(local.sizes.small)",
    "coalesce(\"\", \"b\")",
    "coalesce(null, 5)",
    "alltrue([true, \"true\"])",
    "anytrue([false])",
    "tostring(12.50)",
    "tonumber(\"1e3\")",
    "tobool(\"false\")",
    "length(\"héllo\")",
    "1000000000000",
    "123456789.125",
];

#[test]
fn values_are_those_terraform_computes() {
    let expressions = EXPRESSIONS;
    let Some(expected) = terraform_console(expressions) else { return };
    assert_eq!(expected.len(), expressions.len(), "{expected:#?}");
    let mut text = PURE.to_owned();
    for (at, expression) in expressions.iter().enumerate() {
        writeln!(text, "resource \"t\" \"e{at}\" {{\n  v = jsonencode({expression})\n}}").unwrap();
    }
    let (sources, module, findings) = module(&[&text]);
    assert_eq!(told(&sources, &findings), "");
    let mut wrong = String::new();
    for (at, (expression, expected)) in expressions.iter().zip(&expected).enumerate() {
        let value = &module.get(&format!("t.e{at}")).unwrap().get("v").unwrap().value;
        if *value != Value::Str(expected.as_str().into()) {
            writeln!(wrong, "{expression}\n  terraform: {expected}\n  ours:      {}", noted(value)).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn nesting_and_repetition_end_in_findings_not_in_a_crash() {
    let deep = |open: &str, close: &str, levels: usize| {
        format!("resource \"aws_vpc\" \"v\" {{\n  a = {}1{}\n}}\n", open.repeat(levels), close.repeat(levels))
    };
    for levels in [20, 60, 5000] {
        for (open, close) in [
            ("[", "]"),
            ("(", ")"),
            ("{a=", "}"),
            ("\"${", "}\""),
            ("f(", ")"),
            ("!", ""),
            ("true?1:", ""),
            ("a[", "]"),
            ("[for x in ", ":x]"),
        ] {
            let (sources, module, findings) = module(&[&deep(open, close, levels)]);
            told(&sources, &findings);
            told(&sources, &terraform::schema::check(&module));
        }
        let blocks =
            format!("resource \"aws_vpc\" \"v\" {{\n{}{}}}\n", "a {\n".repeat(levels), "}\n".repeat(levels));
        let (sources, _, findings) = module(&[&blocks]);
        told(&sources, &findings);
        let chain = format!("locals {{\n  a = {}1\n}}\n", "1 + ".repeat(levels));
        let (sources, _, findings) = module(&[&chain]);
        told(&sources, &findings);
    }
}

#[test]
fn an_object_of_a_loop_may_end_its_lines_anywhere() {
    let (sources, module, findings) = module(&[r#"
resource "test_it" "it" {
  value = { for v in [1, 2] : v => v == 1 # the first
    ? "a"
    : "b"
    if v > 0 }
  broken = [1 2]
}
resource "test_it" "other" {
  value = {
    for v in [
      1,
    ] : v => v == 1
    ? "a" : "b"
  }
}
"#]);
    insta::assert_snapshot!(told(&sources, &findings), @r#"NXF-CFG-020 "2": not valid Terraform: the list goes on without a comma, or is never closed (help: put a comma behind each item, and `]` behind the last)"#);
    let other = module.get("test_it.other").unwrap().get("value").unwrap();
    assert_eq!(noted(&other.value), r#"{1: "a"}"#);
}

#[test]
fn what_is_known_of_an_argument_stays_known() {
    let cases = [
        ("lower(\"ARN-${var.open}-X\")", "partial(\"arn-\" \"-x\" variable open has no default)"),
        ("join(\"/\", [\"a\", var.open, \"b\"])", "partial(\"a/\" \"/b\" variable open has no default)"),
        (
            "format(\"%s-%s\", \"a\", aws_vpc.main.arn)",
            "partial(\"a-\" \"\" aws_vpc.main.arn is known only after apply)",
        ),
        ("startswith(\"arn:${var.open}\", \"arn\")", "true"),
        ("startswith(\"arn:${var.open}\", \"x\")", "false"),
        ("startswith(\"a${var.open}\", \"arn\")", "unknown(variable open has no default)"),
        ("endswith(\"${var.open}.json\", \".json\")", "true"),
        ("strcontains(\"a*${var.open}\", \"*\")", "true"),
        ("length([var.open, 1])", "2"),
        ("length(toset([var.open, \"a\"]))", "unknown(variable open has no default)"),
        ("length(\"x${var.open}\")", "unknown(variable open has no default)"),
        ("concat([aws_vpc.main.arn], [\"a\"])", "[ref(aws_vpc.main arn), \"a\"]"),
        ("tolist([aws_vpc.main.arn, 1])[0]", "ref(aws_vpc.main arn)"),
        ("toset([aws_vpc.main.arn, \"a\"])", "[\"a\", ref(aws_vpc.main arn)]"),
        ("tostring(aws_vpc.main.arn)", "ref(aws_vpc.main arn)"),
        ("coalesce(null, aws_vpc.main.arn)", "ref(aws_vpc.main arn)"),
        ("element([aws_vpc.main.arn], 1)", "ref(aws_vpc.main arn)"),
        ("lookup({ a = aws_vpc.main.arn }, \"a\", \"\")", "ref(aws_vpc.main arn)"),
        ("one([aws_vpc.main.arn])", "ref(aws_vpc.main arn)"),
        ("sensitive(aws_vpc.main.arn)", "ref(aws_vpc.main arn)"),
        ("merge({ a = aws_vpc.main.arn }, { b = 1 })", "{a: ref(aws_vpc.main arn), b: 1}"),
        ("values({ a = aws_vpc.main.arn })", "[ref(aws_vpc.main arn)]"),
        ("flatten([[aws_vpc.main.arn], [\"x\"]])", "[ref(aws_vpc.main arn), \"x\"]"),
        ("zipmap([\"a\"], [var.open])", "{a: unknown(variable open has no default)}"),
        ("contains([var.open, \"a\"], \"a\")", "true"),
        ("contains([var.open], \"a\")", "unknown(variable open has no default)"),
        ("alltrue([false, var.open])", "false"),
        ("anytrue([false, var.open])", "unknown(variable open has no default)"),
        ("true ? \"x-${var.open}\" : 1", "partial(\"x-\" \"\" variable open has no default)"),
        ("true ? 1 : var.open", "1"),
        ("can(upper(var.open))", "unknown(variable open has no default)"),
        ("try(upper(null), var.open)", "unknown(variable open has no default)"),
        ("formatlist(\"%s-%s\", [\"a\", var.open], \"b\")[0]", "\"a-b\""),
        ("replace(var.open, \"a\", \"b\")", "unknown(variable open has no default)"),
        ("sort([var.open])", "unknown(variable open has no default)"),
        ("issensitive(var.open)", "unknown(whether a value is sensitive is not known)"),
        ("file(\"a.txt\")", "unknown(the files beside the module are not read)"),
        ("yamldecode(var.open).a", "unknown(variable open has no default)"),
        ("core::upper(\"a\")", "\"A\""),
    ];
    let wrong: Vec<_> = cases
        .iter()
        .map(|(text, expected)| (text, value(text), expected))
        .filter(|(_, actual, expected)| actual != *expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
