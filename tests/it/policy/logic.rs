//! Expressions: three values, absence, types.

use proptest::prelude::*;

use super::{Inputs, check, check_with, load, policy_text, tree};
use nexafi_gen::policy::{World, evaluate};

const VALUES: &str = "{t: true, f: false, u: 'unknown:nobody said', e: text}";

fn first_word(verdict: &str) -> &str {
    verdict.split(':').next().unwrap()
}

#[test]
fn and_or_are_decided_by_either_side() {
    // Rows and columns: true, false, unknown, error.
    let names = ["this.t", "this.f", "this.u", "this.e"];
    let (p, f, u) = ("pass", "fail", "unproven");
    let and = [[p, f, u, u], [f, f, f, f], [u, f, u, u], [u, f, u, u]];
    let or = [[p, p, p, p], [p, f, u, u], [p, u, u, u], [p, u, u, u]];
    for (row, left) in names.iter().enumerate() {
        for (column, right) in names.iter().enumerate() {
            let verdict = check(&format!("{left} && {right}"), VALUES);
            assert_eq!(first_word(&verdict), and[row][column], "{left} && {right}");
            let verdict = check(&format!("{left} || {right}"), VALUES);
            assert_eq!(first_word(&verdict), or[row][column], "{left} || {right}");
        }
    }
}

#[test]
fn quantifiers_absorb_what_is_unknown() {
    for (assert, this, expected) in [
        ("this.all(x, x > 1)", "[2, 'unknown:x', 1]", "fail"),
        ("this.all(x, x > 1)", "[2, 'unknown:x', 3]", "unproven"),
        ("this.exists(x, x > 1)", "['unknown:x', 2]", "pass"),
        ("this.exists(x, x > 1)", "['unknown:x', 1]", "unproven"),
        ("this.exists_one(x, x > 1)", "[2, 2, 'unknown:x']", "fail"),
        ("this.exists_one(x, x > 1)", "[2, 'unknown:x']", "unproven"),
        ("this.exists_one(x, x > 1)", "[2, 1]", "pass"),
        ("2 in this", "['unknown:x', 2]", "pass"),
        ("3 in this", "['unknown:x', 2]", "unproven"),
        ("3 in this", "[1, 2]", "fail"),
        ("size(this.filter(x, x > 1)) == 2", "[1, 2, 3]", "pass"),
        ("this.map(x, x * 2) == [2, 4]", "[1, 2]", "pass"),
        ("this.map(x, x > 1, x * 2) == [4]", "[1, 2]", "pass"),
        ("this.filter(x, x > 1) == [2]", "[1, 2, 'unknown:x']", "unproven"),
        ("this.all(k, this[k] > 0)", "{a: 1, b: 2}", "pass"),
        ("this.all(a, this.exists(b, a != b))", "[1, 2]", "pass"),
        ("[this.x, 1].exists(v, v == 1)", "{x: 'unknown:x'}", "pass"),
        ("this.x.all(a, false)", "{}", "pass"),
        ("this.x.exists(a, true)", "{}", "fail"),
    ] {
        assert_eq!(first_word(&check(assert, this)), expected, "{assert} on {this}");
    }
}

#[test]
fn a_reference_is_something_and_nobody_knows_what() {
    let this = "{key: 'ref:aws_kms_key.main#arn', other: 'ref:aws_kms_key.other#arn'}";
    for (assert, expected) in [
        ("this.key == null", "fail"),
        ("this.key != null", "pass"),
        ("has(this.key)", "pass"),
        ("has(this.key.deeper)", "pass"),
        ("this.key == this.key", "pass"),
        ("this.key == this.other", "unproven"),
        ("this.key == 'arn'", "unproven"),
        ("this.key != 'arn'", "unproven"),
        ("this.key.startsWith('arn:')", "unproven"),
        ("this.key", "unproven"),
        ("this.key in ['x', this.key]", "pass"),
        ("size(this.key) > 0", "unproven"),
        ("references(this.key, 'aws_kms_key')", "pass"),
        ("references(this.key, ['aws_kms_alias', 'aws_kms_key'])", "pass"),
        ("references(this.key, 'aws_kms_alias')", "fail"),
        ("references(this.missing, 'aws_kms_key')", "fail"),
        ("string(this.key.a[0]) == 'x'", "unproven"),
    ] {
        assert_eq!(first_word(&check(assert, this)), expected, "{assert}");
    }
    assert_eq!(
        check("this.key.x[0] == 1", this),
        "unproven: cannot be proven from the files: `aws_kms_key.main.arn.x[0]` is known only after apply"
    );
}

#[test]
fn what_is_absent_reads_as_null() {
    for (assert, expected) in [
        ("this.a == null", "pass"),
        ("this.a.b.c == null", "pass"),
        ("this.a[0].b == null", "pass"),
        ("this.list[7] == null", "pass"),
        ("has(this.a)", "fail"),
        ("has(this.nothing)", "fail"),
        ("has(this.list)", "pass"),
        ("this.a", "fail"),
        ("!this.a", "pass"),
        ("this.a || true", "pass"),
        ("size(this.a) == 0", "pass"),
        ("default(this.a, 5) == 5", "pass"),
        ("default(this.n, 5) == 3", "pass"),
        ("'x' in this.a", "fail"),
        ("this.a ? false : true", "pass"),
        ("this.n == 3.0", "pass"),
        ("this.n < 3.5", "pass"),
        ("this.n == '3'", "fail"),
        ("type(this.n) == int && type(this.a) == 'null_type'", "pass"),
    ] {
        assert_eq!(check(assert, "{n: 3, list: [1], nothing: ~}"), expected, "{assert}");
    }
}

#[test]
fn an_unproven_verdict_says_which_value_and_why() {
    let verdicts: Vec<String> = [
        ("this.port == 443", "{port: 'unknown:variable port has no default'}"),
        ("this.items.all(i, i.open == false)", "{items: [{open: 'unknown:count is not known'}]}"),
        ("this.days >= 365", "{}"),
        ("this.name < 3", "{name: x}"),
        ("this.name.first", "{name: x}"),
        ("this.name", "{name: x}"),
        ("this.rules.cidr == 1", "{rules: [1]}"),
        ("int(this.name) == 1", "{name: x}"),
        ("1 / 0 == 1", "{}"),
        ("root.other", "{}"),
        ("today > '2026-01-01'", "{}"),
        ("resources('aws_vpc').size() > 0", "{}"),
        ("objects('Pod').size() > 0", "{}"),
    ]
    .iter()
    .map(|(assert, this)| format!("{assert}  on {this}\n    {}", check(assert, this)))
    .collect();
    insta::assert_snapshot!(verdicts.join("\n"));
}

#[test]
fn arguments_have_the_types_the_provider_wants() {
    let terraform = r#"
resource "aws_kms_key" "a" {
  enable_key_rotation     = "true"
  deletion_window_in_days = "30"
}
resource "aws_security_group" "a" {
  ingress {
    from_port   = "22"
    to_port     = 22
    protocol    = "6"
    cidr_blocks = ["10.0.0.0/8"]
  }
}
"#;
    for assert in [
        "resources('aws_kms_key')[0].enable_key_rotation == true",
        "resources('aws_kms_key')[0].deletion_window_in_days == 30",
        "resources('aws_security_group')[0].ingress[0].from_port == resources('aws_security_group')[0].ingress[0].to_port",
        "resources('aws_security_group')[0].ingress[0].protocol == '6'",
    ] {
        let inputs = Inputs { terraform: Some(terraform), ..Inputs::default() };
        assert_eq!(check_with(assert, "{}", inputs), "pass", "{assert}");
    }
}

#[test]
fn expressions_nested_without_end_are_refused_not_fatal() {
    let deep = |open: &str, middle: &str, close: &str, times: usize| {
        format!("{}{middle}{}", open.repeat(times), close.repeat(times))
    };
    for times in [30, 90, 400, 6000] {
        for text in [
            deep("(", "true", ")", times),
            deep("[", "1", "]", times),
            deep("!", "true", "", times),
            deep("-", "1", "", times),
            deep("", "this", ".a", times),
            deep("", "this", "[0]", times),
            deep("", "1", "+1", times),
            deep("", "true", "&&true", times),
            deep("", "true", "==true", times),
            deep("", "true", "?true:true", times),
            deep("", "1", " in this", times),
            deep("", "true", "?true:true&&true", times),
            deep("", "true", "?(true||true):true&&true", times / 2),
            deep("size(", "this", ")", times),
            deep("", "this", ".size()", times),
            deep("this.all(v, ", "true", ")", times / 4),
            deep("{'a': ", "1", "}", times / 3),
        ] {
            let rules = format!("  blueprint: {{select: subject, assert: \"{text}\"}}\n");
            let (catalogue, findings, mut sources) = load(&policy_text(&rules));
            let view = tree(&mut sources, "blueprint.yaml", "subject: {a: [1]}");
            let world = World { blueprint: Some(&view), ..World::new(&sources) };
            let policies: Vec<_> = catalogue.policies().iter().collect();
            assert_eq!(evaluate(&policies, &world).verdicts.len(), policies.len());
            assert_eq!(findings.is_empty(), !policies.is_empty(), "{}", &text[..20]);
        }
    }
}

fn leaf() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "true",
        "false",
        "null",
        "~",
        "0",
        "-7",
        "1.5",
        "text",
        "'unknown:why'",
        "'ref:aws_kms_key.main#arn'",
        "[]",
        "{}",
    ])
    .prop_map(str::to_owned)
}

fn yaml_text() -> impl Strategy<Value = String> {
    leaf().prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::btree_map("[abc]", inner, 0..3).prop_map(|map| {
                let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", entries.join(", "))
            }),
        ]
    })
}

fn expression() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec![
        "this",
        "this.a",
        "this.b.c",
        "this.a[0]",
        "this['b']",
        "null",
        "true",
        "1",
        "2.5",
        "'x'",
        "root",
        "key",
        "keys",
        "today",
        "-9223372036854775807",
    ])
    .prop_map(str::to_owned);
    atom.prop_recursive(4, 24, 3, |inner| {
        let operator =
            prop::sample::select(vec!["&&", "||", "==", "!=", "<", "<=", ">", "+", "-", "*", "/", "%", "in"]);
        let function = prop::sample::select(vec![
            "size",
            "string",
            "int",
            "double",
            "bool",
            "type",
            "values",
            "flatten",
            "distinct",
            "json",
            "address",
            "kindOf",
            "resources",
            "resolve",
            "statements",
            "isPublicCidr",
            "objects",
            "namespaceOf",
            "pod",
            "containers",
            "quantity",
            "durationSeconds",
            "!",
            "-",
        ]);
        let pair = prop::sample::select(vec![
            "default",
            "referrers",
            "references",
            "cidrContains",
            "cidrOverlaps",
            "selects",
            "tolerates",
        ]);
        let quantifier = prop::sample::select(vec!["all", "exists", "exists_one", "map", "filter"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(l, op, r)| format!("({l} {op} {r})")),
            (function, inner.clone()).prop_map(|(name, value)| format!("{name}({value})")),
            (pair, inner.clone(), inner.clone()).prop_map(|(name, l, r)| format!("{name}({l}, {r})")),
            (inner.clone(), quantifier, inner.clone())
                .prop_map(|(range, q, body)| format!("{range}.{q}(v, v == {body})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(pod, labels, taints)| format!("schedulable({pod}, {labels}, {taints})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(c, l, r)| format!("({c} ? {l} : {r})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_expression_on_any_tree_panics(assert in expression(), this in yaml_text()) {
        let rules = format!("  blueprint: {{select: subject, assert: \"{assert}\", message: \"{{{{ {assert} }}}}\"}}\n");
        let (catalogue, _, mut sources) = load(&policy_text(&rules));
        let view = tree(&mut sources, "blueprint.yaml", &format!("subject: {this}"));
        let world = World { blueprint: Some(&view), ..World::new(&sources) };
        let policies: Vec<_> = catalogue.policies().iter().collect();
        let evaluation = evaluate(&policies, &world);
        prop_assert!(policies.is_empty() || evaluation.verdicts.len() == 1);
    }

    #[test]
    fn no_text_makes_the_compiler_panic(text in "[-a-z0-9 .,(){}\\[\\]'\"&|!?:+*<>=_\\\\é$@`#/]{0,40}") {
        let _ = load(&policy_text(&format!("  blueprint:\n    select: a\n    assert: |\n      {text}\n")));
    }
}
