//! Every fault of a policy file is a finding at its place, and reading goes on after each.

use super::{load, policy_text};
use nexafi_gen::policy::Catalogue;
use nexafi_gen::source::{SourceFile, Sources};

fn faults(text: &str) -> String {
    let (catalogue, findings, sources) = load(text);
    assert_eq!(catalogue.policies().len(), 0, "a faulty policy is not used");
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| {
            let file = sources.get(finding.span.file).unwrap();
            let place = file.line_column(finding.span.start as usize);
            let line = file.text().lines().nth(place.line - 1).unwrap_or("");
            let width = file.slice(finding.span).lines().next().unwrap_or("").chars().count().max(1);
            format!(
                "{} {}:{} {}\n  {line}\n  {}{}\n  {}\n",
                finding.code,
                place.line,
                place.column,
                finding.message,
                " ".repeat(place.column - 1),
                "^".repeat(width),
                finding.help
            )
        })
        .collect();
    lines.concat()
}

#[test]
fn every_fault_at_once_and_at_its_place() {
    let text = "id: net-1
titel: Every VPC
severity: hihg
rationale: ''
controls:
  pci-dss-4: [{id: '1'}]
  pci-dss-4.0.1: [{id: 10.2, by: published}, {id: AU-12, by: hearsay}]
  soc2-tsc-2017: []
aliases: {a: b}
waivable: perhaps
rules:
  blueprint: {selekt: regions.*, assert: true}
  terraform:
    - {resource: aws_vpc, when: 'this.x', each: 'a..b', fix: {set: {'a..b': 1}, get: 1}}
    - {resource: [], assert: '', needs: [terraform, cloud]}
    - {block: module, resource: aws_vpc, assert: 'true'}
    - {block: [module, resource], assert: 'true'}
    - {resource: aws_vpc, assert: 'true', aliases: {a: b}}
    - {resource: '*', find: words, assert: 'true'}
    - {resource: '*', find: secrets, each: tags.*, assert: 'true'}
    - {block: module, find: keys, assert: 'true'}
  kubernetes: [{workload: false, assert: 'true'}, {kind: Pod, workload: true, assert: 'true'}, {assert: 'true'}]
  azure: {}
examples:
  - {name: nothing, expect: {a: maybe}}
  - {blueprint: '[1]', expect: [a]}
  - text
";
    insta::assert_snapshot!(faults(text));
}

#[test]
fn a_string_of_an_expression_stands_in_one_line() {
    let rules = "  blueprint:
    select: subject
    when: |
      // it's no string
      'it\\'s one' != ''
    assert: >-
      this.flags.matches(\"a(=[^ ]|
        [^ -])\")
    message: >-
      {{ 'folded
      is no break' }}
";
    insta::assert_snapshot!(faults(&policy_text(rules)));
}

#[test]
fn an_alias_of_a_rule_is_one_of_the_policy() {
    let rules = "  blueprint: {select: subject, assert: 'true', aliases: [OTHER-1, OTHER-3]}\n";
    let with = policy_text(rules).replacen("rules:", "aliases: [OTHER-1, OTHER-2]\nrules:", 1);
    for text in [with, policy_text(rules).replace("OTHER-1, ", "")] {
        let found = faults(&text);
        assert!(found.contains("`OTHER-3` is no alias of the policy"), "{found}");
        assert_eq!(found.matches("NXF-CFG-040").count(), 1, "{found}");
    }
}

#[test]
fn what_a_check_of_another_tool_asserts_names_an_alias_of_the_rule() {
    let rule = |when: &str| {
        let rules = format!(
            "  blueprint: {{select: subject, assert: 'true', aliases: [OTHER-1], aliasAsserts: {when}}}\n"
        );
        faults(&policy_text(&rules).replacen("rules:", "aliases: [OTHER-1, OTHER-2]\nrules:", 1))
    };
    for (when, message) in [
        ("{OTHER-2: this.x == 1}", "`OTHER-2` is no alias of the rule"),
        ("[OTHER-1]", "`aliasAsserts` is neither an expression nor a mapping of them"),
        ("{OTHER-1: thiss.x == 1}", "thiss"),
    ] {
        let found = rule(when);
        assert!(found.contains(message), "{found}");
        assert_eq!(found.matches("NXF-CFG-040").count(), 1, "{found}");
    }
}

#[test]
fn expressions_that_do_not_compile() {
    let rules = r#"  terraform:
    resource: aws_vpc
    when: thiss.cidr == "x" && sice(this.tags) > 0
    assert: this.cidr.startWith("10.") && item.x && this.exists(v, v.a == w)
    message: vpc {{ this.name }} and {{ nme }} and {{ size(this, 1) }} {{
    help: >-
      folded text with {{ referers(this, "x") }}
"#;
    insta::assert_snapshot!(faults(&policy_text(rules)));
}

#[test]
fn more_expressions_that_do_not_compile() {
    let mut all = String::new();
    for assert in [
        "this.a and this.b",
        "this.name.matches(\"[a-\")",
        "this.x == ",
        "b\"bytes\" == this",
        "Type{a: 1}.a == 1",
        "exists(this, 1)",
        "this.resources(\"aws_vpc\")",
        "startsWith(this, \"a\")",
        "frobnicate(this)",
        "has(this)",
        "\"unclosed",
        "this.all(1, true)",
    ] {
        let rules = format!("  blueprint:\n    select: a\n    assert: {}\n", serde_json::Value::from(assert));
        all += &faults(&policy_text(&rules));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn arguments_that_the_provider_does_not_know() {
    let rules = r#"  terraform:
    - resource: aws_kms_key
      when: has(this.tag)
      assert: this.enable_key_rotatoin == true && this.lifecycle[0].prevent_destroy
      message: "{{ this.nmae }}"
    - resource: aws_vcp
      assert: this.anything
    - resource: aws_security_group
      each: ingress.*
      assert: item.cidr_block == null && this.egress.all(e, e.cidr_blocks.all(c, c.x) && e.from_prt == 1)
    - resource: aws_eks_cluster
      assert: this.vpc_config[0].endpoint_public_acces == false
    - resource: aws_vpc
      assert: >-
        referrers(this, "aws_flow_log").filter(f, f.traffic_type == "ALL").exists(f, f.log_destinaton != null)
        && size(resources(["aws_flow_log", "aws_floh_log"])) > 0
    - resource: [aws_lb, aws_alb, custom_thing]
      assert: this.nobody_knows
  kubernetes:
    kind: Pod
    needs: terraform
    assert: resources("aws_eks_node_group").all(g, g.taints == null) && this.made_up == null
"#;
    insta::assert_snapshot!(faults(&policy_text(rules)));
}

#[test]
fn texts_that_are_no_policy() {
    let mut all = String::new();
    for text in ["", "# only a comment\n", "- a\n", "id: [\n", "id: a\nid: b\n", "a: 1\n---\nb: 1\n"] {
        all += &format!("--- {text:?}\n{}", faults(text));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn ids_are_unique() {
    let mut sources = Sources::default();
    let text = policy_text("  blueprint: {select: a, assert: 'true'}\n");
    let one = sources.add(SourceFile::new("one.yaml", text.clone()));
    let two = sources.add(SourceFile::new("deep/two.yaml", text));
    let mut catalogue = Catalogue::default();
    let findings = catalogue.add(&sources, &[one, two]);
    assert_eq!(catalogue.policies().len(), 1);
    assert_eq!(catalogue.get("TEST-ONE-001").unwrap().domain, "custom");
    assert_eq!(catalogue.closest("TST-ONE-01"), Some("TEST-ONE-001"));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].message, "there is another policy `TEST-ONE-001`");
    assert_eq!(findings[0].span.file, two);
}
