//! The embedded policies: each says what it wants, for which control, and proves itself.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use nexafi_gen::blueprint;
use nexafi_gen::kubernetes;
use nexafi_gen::policy::{Catalogue, Evaluation, Example, Policy, World, embedded, evaluate, selftest};
use nexafi_gen::render;
use nexafi_gen::source::{FileId, Finding, Node, SourceFile, Sources, Verdict, yaml};
use nexafi_gen::terraform;

fn read_blueprint(id: FileId, file: &SourceFile) -> (Option<Node>, Vec<Finding>) {
    let loaded = blueprint::load(id, file);
    (loaded.view, loaded.findings)
}

/// What the policies say of Terraform and manifests (and a blueprint's view).
fn judge(
    policies: &[&Policy],
    sources: &mut Sources,
    view: Option<&Node>,
    tf: Option<&str>,
    manifests: Option<&str>,
) -> Evaluation {
    let tf = tf.map(|text| sources.add(SourceFile::new("main.tf", text.to_owned())));
    let manifests = manifests.map(|text| sources.add(SourceFile::new("all.yaml", text.to_owned())));
    let module = tf.map(|id| terraform::read(sources, &[id]).0);
    let objects =
        manifests.and_then(|id| sources.get(id).map(|file| kubernetes::read(id, file).0)).unwrap_or_default();
    let world = World { sources, blueprint: view, module: module.as_ref(), objects: &objects, at: None };
    evaluate(policies, &world)
}

/// The verdicts on an example's Terraform and manifests; its blueprint's places are those of a merged text nobody
/// wrote, so they are looked at with the reference blueprint instead.
fn judge_example(policy: &Policy, example: &Example) -> (Sources, Vec<Finding>) {
    let mut sources = Sources::default();
    let evaluation =
        judge(&[policy], &mut sources, None, example.terraform.as_deref(), example.kubernetes.as_deref());
    (sources, evaluation.verdicts.into_iter().map(|verdict| verdict.finding).collect())
}

#[test]
fn no_embedded_policy_has_a_fault() {
    let faults: Vec<String> = Catalogue::builtin()
        .faults()
        .iter()
        .map(|fault| format!("{} {}: {} ({})", fault.code, fault.pointer, fault.message, fault.help))
        .collect();
    assert_eq!(faults, Vec::<String>::new());
}

/// Ids are never reused: a line may be added here, and none may change.
#[test]
fn ids_are_unique_and_stay() {
    let catalogue = Catalogue::builtin();
    let ids: BTreeSet<&str> = catalogue.policies().iter().map(|policy| policy.id.as_str()).collect();
    assert_eq!(ids.len(), embedded().len());
    let lines: Vec<String> = catalogue
        .policies()
        .iter()
        .map(|policy| format!("{} {} {}", policy.id, policy.severity.as_str(), policy.title))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_policy_says_why_and_for_which_control() {
    for policy in Catalogue::builtin().policies() {
        let sentences = policy.rationale.matches(". ").count() + 1;
        assert!((2..=3).contains(&sentences), "{}: {}", policy.id, policy.rationale);
        assert!(policy.rationale.ends_with('.'), "{}", policy.id);
        assert!(policy.controls.values().any(|controls| !controls.is_empty()), "{}", policy.id);
        assert!(!policy.title.ends_with('.'), "{}", policy.id);
    }
}

/// A rule that no example can make fail would be a promise nobody tests.
#[test]
fn every_rule_has_an_example_that_passes_and_one_that_fails() {
    let mut untested = String::new();
    for (path, text) in embedded() {
        let file = SourceFile::new(path, text.to_owned());
        let tree = yaml::read(FileId::default(), &file).documents.remove(0).to_json();
        for kind in ["blueprint", "terraform", "kubernetes"] {
            let rules = match tree.pointer(&format!("/rules/{kind}")) {
                Some(serde_json::Value::Array(rules)) => rules.clone(),
                Some(rule) => vec![rule.clone()],
                None => continue,
            };
            for (at, rule) in rules.into_iter().enumerate() {
                let mut alone = tree.clone();
                alone["rules"] = serde_json::json!({ kind: rule });
                let mut sources = Sources::default();
                let id = sources.add(SourceFile::new(path, alone.to_string()));
                let mut catalogue = Catalogue::default();
                assert_eq!(catalogue.add(&sources, &[id]), []);
                let policy = &catalogue.policies()[0];
                let mut verdicts: BTreeSet<Verdict> =
                    selftest::run(policy).into_iter().filter_map(|outcome| outcome.worst).collect();
                for example in &policy.examples {
                    verdicts.extend(judge_example(policy, example).1.iter().map(|finding| finding.verdict));
                }
                // A rule may know only what the files cannot show.
                let doubts = policy.rules[0].assertion().contains("unproven(")
                    && verdicts.contains(&Verdict::Unproven);
                if !verdicts.contains(&Verdict::Pass) || !(verdicts.contains(&Verdict::Fail) || doubts) {
                    writeln!(untested, "{path}: {kind} rule {at} has only examples of {verdicts:?}").unwrap();
                }
            }
        }
    }
    assert!(untested.is_empty(), "{untested}");
}

/// What a person sees of every example that is not met: the underlined text, the message, what to write.
#[test]
fn findings_point_at_the_value_and_say_what_to_write() {
    let mut told = String::new();
    for policy in Catalogue::builtin().policies() {
        for example in &policy.examples {
            let (sources, findings) = judge_example(policy, example);
            for finding in findings.iter().filter(|finding| finding.verdict != Verdict::Pass) {
                assert_eq!(finding.code, policy.id);
                let file = sources.get(finding.span.file).unwrap();
                let text = file.slice(finding.span);
                assert!(!text.is_empty() && text.len() < file.text().len(), "{} {}", policy.id, example.name);
                assert!(!finding.help.is_empty(), "{} {}", policy.id, example.name);
                let line = text.lines().next().unwrap_or_default();
                writeln!(
                    told,
                    "{} {} {:?}\n  {line}\n  {}\n  {}",
                    policy.id,
                    finding.verdict.as_str(),
                    example.name,
                    finding.message,
                    finding.help
                )
                .unwrap();
            }
        }
    }
    insta::assert_snapshot!(told);
}

const REFERENCE: &str = include_str!("../../blueprints/nexafi.yaml");

/// One thing in the reference platform made wrong: what is written, what is written instead, and the part of it
/// that has to be underlined.
const MUTANTS: &[(&str, &str, &str, &str)] = &[
    ("NXF-NET-001", "{enabled: true, traffic: ALL}", "{enabled: false, traffic: ALL}", "false"),
    ("NXF-NET-001", "{enabled: true, traffic: ALL}", "{enabled: true, traffic: REJECT}", "REJECT"),
    ("NXF-NET-002", "traffic: ALL}", "traffic: ALL, retentionDays: 30}", "30"),
    ("NXF-NET-002", "logRetentionDays: 2555 ", "logRetentionDays: 90 ", "90"),
    (
        "NXF-NET-003",
        "zones: 3\n      flowLogs",
        "zones: 3\n      closeDefaultSecurityGroup: false\n      flowLogs",
        "false",
    ),
    (
        "NXF-NET-004",
        "{private: true, public: false}",
        "{private: true, privateAccessCidrs: [0.0.0.0/0]}",
        "0.0.0.0/0",
    ),
    (
        "NXF-NET-010",
        "zones: 3\n      flowLogs",
        "zones: 3\n      subnets: {public: {publicIpOnLaunch: true}, private: {}, database: {}}\n      flowLogs",
        "true",
    ),
    (
        "NXF-NET-010",
        "zones: 3\n      flowLogs",
        "zones: 3\n      subnets: {public: {}, private: {}, database: {internetRoute: true}}\n      flowLogs",
        "true",
    ),
    (
        "NXF-NET-012",
        "    cluster:\n      version: \"1.34\"",
        "    cluster:\n      serviceCidr: 10.1.240.0/20\n      version: \"1.34\"",
        "10.1.240.0/20",
    ),
    ("NXF-NET-015", "cidr: 10.1.0.0/16\n      zones: 3", "cidr: 10.1.0.0/16\n      zones: 2", "2"),
    ("NXF-NET-015", "cidr: 10.1.0.0/16\n", "cidr: 10.1.0.0/16\n      nat: {perZone: false}\n", "false"),
    ("NXF-ENC-001", "rotation: true", "rotation: false", "false"),
    ("NXF-ENC-004", "deletionWindowDays: 30", "deletionWindowDays: 7", "7"),
    ("NXF-ENC-004", "preventDestroy: true", "preventDestroy: false", "false"),
    ("NXF-ENC-006", "sizeGib: 100, kmsKey: platform", "sizeGib: 100, kmsKey: aws-managed", "aws-managed"),
    (
        "NXF-ENC-010",
        "    cluster:\n      version: \"1.34\"",
        "    cluster:\n      logKmsKey: none\n      version: \"1.34\"",
        "none",
    ),
    ("NXF-EKS-001", "{private: true, public: false}", "{private: true, public: true}", "true"),
    (
        "NXF-EKS-002",
        "    cluster:\n      version: \"1.34\"",
        "    cluster:\n      secretsKmsKey: none\n      version: \"1.34\"",
        "none",
    ),
    (
        "NXF-EKS-003",
        "    cluster:\n      version: \"1.34\"",
        "    cluster:\n      logging: [api]\n      version: \"1.34\"",
        "logging",
    ),
    ("NXF-EKS-009", "class: general\n", "class: general\n          subnets: public\n", "public"),
    (
        "NXF-EKS-009",
        "class: general\n",
        "class: general\n          remoteAccess: {keyPair: ops}\n",
        "remoteAccess",
    ),
    ("NXF-EKS-010", "httpTokens: required", "httpTokens: optional", "optional"),
    ("NXF-EKS-010", "hopLimit: 1", "hopLimit: 2", "2"),
    (
        "NXF-NODE-001",
        "taints:\n            - {key: nexafi-gen/class, value: financial, effect: NoSchedule",
        "taints:\n            - {key: nexafi-gen/class, value: financial, effect: PreferNoSchedule",
        "taints",
    ),
    (
        "NXF-K8S-001",
        "financial: {podSecurity: {enforce: restricted}",
        "financial: {podSecurity: {enforce: baseline}",
        "baseline",
    ),
    (
        "NXF-K8S-014",
        "core: {podSecurity: {enforce: restricted}, defaultDeny: true}",
        "core: {podSecurity: {enforce: restricted}, defaultDeny: false}",
        "false",
    ),
    ("NXF-NET-002", "traffic: ALL}", "traffic: ALL, kmsKey: aws-managed}", "aws-managed"),
    ("NXF-NET-015", "cidr: 10.1.0.0/16\n", "cidr: 10.1.0.0/16\n      nat: {enabled: false}\n", "false"),
    ("NXF-ENC-010", "traffic: ALL}", "traffic: ALL, kmsKey: none}", "none"),
    (
        "NXF-EKS-001",
        "{private: true, public: false}",
        "{private: false, public: true, publicAccessCidrs: [203.0.113.0/24]}",
        "false",
    ),
    (
        "NXF-EKS-001",
        "{private: true, public: false}",
        "{public: true, publicAccessCidrs: [203.0.113.0/24, 0.0.0.0/0]}",
        "0.0.0.0/0",
    ),
    (
        "NXF-NODE-001",
        "          class: financial\n",
        "          class: financial\n          labels: {nexafi-gen/class: cheap}\n",
        "labels",
    ),
    (
        "NXF-K8S-001",
        "financial: {podSecurity: {enforce: restricted}",
        "financial: {podSecurity: {enforce: restricted, version: latest}",
        "latest",
    ),
    ("NXF-NODE-002", "port: 5002\n", "port: 5002\n    placement: general\n", "general"),
    (
        "NXF-NODE-002",
        "mirror/kibana}",
        "mirror/kibana}, handles: [credentials], placement: compliance-monitoring",
        "compliance-monitoring",
    ),
];

/// What a change of the reference blueprint makes fail, each as `id underlined`.
fn failures(text: &str) -> Vec<(String, String, usize)> {
    let catalogue = Catalogue::builtin();
    let policies: Vec<&Policy> = catalogue.policies().iter().collect();
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("nexafi.yaml", text.to_owned()));
    let (view, faults) = read_blueprint(id, sources.get(id).unwrap());
    let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(messages, Vec::<&str>::new());
    let evaluation = judge(&policies, &mut sources, view.as_ref(), None, None);
    evaluation
        .verdicts
        .into_iter()
        .map(|verdict| verdict.finding)
        .filter(|finding| finding.verdict != Verdict::Pass)
        .map(|finding| {
            let file = sources.get(finding.span.file).unwrap();
            let line = file.line_column(finding.span.start as usize).line;
            (finding.code, file.slice(finding.span).to_owned(), line)
        })
        .collect()
}

#[test]
fn the_reference_blueprint_meets_every_policy() {
    assert_eq!(failures(REFERENCE), []);
}

#[test]
fn each_policy_finds_its_own_mutant_of_the_reference_blueprint_at_that_line() {
    let mut wrong = String::new();
    for (id, from, to, underlined) in MUTANTS {
        assert!(REFERENCE.contains(from), "the reference blueprint no longer says {from:?}");
        let mutant = REFERENCE.replacen(from, to, 1);
        let start = mutant.find(to).unwrap();
        let lines = |at: usize| mutant[..at].matches('\n').count() + 1;
        let found = failures(&mutant);
        let hit = found.iter().any(|(code, text, line)| {
            code == id && text == underlined && (lines(start)..=lines(start + to.len())).contains(line)
        });
        if !hit {
            writeln!(wrong, "{id} {to:?}: {found:?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let covered: BTreeSet<&str> = MUTANTS.iter().map(|(id, ..)| *id).collect();
    let rules_on_blueprints: Vec<String> = embedded()
        .iter()
        .filter(|(_, text)| text.contains("\n  blueprint:\n"))
        .filter_map(|(_, text)| text.lines().next()?.strip_prefix("id: ").map(str::to_owned))
        .filter(|id| !covered.contains(id.as_str()))
        .collect();
    assert_eq!(rules_on_blueprints, Vec::<String>::new(), "policies without a mutant");
}

/// The files a blueprint renders to, judged alone, as somebody who knows only them would: each failure's policy and
/// the blueprint node its comment names.
fn output_failures(text: &str) -> Vec<(String, Option<String>)> {
    let id = FileId::default();
    let platform = blueprint::load(id, &SourceFile::new("nexafi.yaml", text.to_owned())).platform.unwrap();
    let files = render::render(&platform, "nexafi.yaml", &render::Overrides::default()).unwrap();
    let mut sources = Sources::default();
    let mut tf = Vec::new();
    let mut manifests = Vec::new();
    for (path, bytes) in files {
        let kind = path.extension().unwrap_or("").to_owned();
        let id = sources.add(SourceFile::new(path, String::from_utf8(bytes).unwrap()));
        match kind.as_str() {
            "tf" => tf.push(id),
            "yaml" => manifests.push(id),
            _ => {}
        }
    }
    let (module, faults) = terraform::read(&sources, &tf);
    assert_eq!(faults, []);
    let mut objects = Vec::new();
    for id in manifests {
        let (more, faults) = kubernetes::read(id, sources.get(id).unwrap());
        assert_eq!(faults, []);
        objects.extend(more);
    }
    assert_eq!(kubernetes::duplicates(&sources, &objects), []);
    let catalogue = Catalogue::builtin();
    let policies: Vec<&Policy> = catalogue.policies().iter().collect();
    let world =
        World { sources: &sources, blueprint: None, module: Some(&module), objects: &objects, at: None };
    evaluate(&policies, &world)
        .verdicts
        .into_iter()
        .filter(|verdict| verdict.finding.verdict != Verdict::Pass)
        .map(|verdict| (verdict.finding.code, verdict.blueprint.map(|pointer| pointer.to_string())))
        .collect()
}

#[test]
fn the_reference_platform_meets_every_policy_in_its_output() {
    assert_eq!(output_failures(REFERENCE), []);
}

/// A policy broken in the blueprint is caught in the output too, and the output names the blueprint node.
#[test]
fn each_policy_finds_its_own_mutant_in_the_output() {
    let mut wrong = String::new();
    for (id, from, to, _) in MUTANTS {
        // These two are about the blueprint as a whole; the catalogue gives them no rule on the output.
        if ["NXF-NET-012", "NXF-NET-015"].contains(id) {
            continue;
        }
        assert!(REFERENCE.contains(from), "the reference blueprint no longer says {from:?}");
        let found = output_failures(&REFERENCE.replacen(from, to, 1));
        if !found.iter().any(|(code, pointer)| code == id && pointer.is_some()) {
            writeln!(wrong, "{id} {to:?}: {found:?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
