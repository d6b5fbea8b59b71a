//! The embedded policies: each says what it wants, for which control, and proves itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use nexafi_gen::kubernetes;
use nexafi_gen::policy::{
    Catalogue, Evaluation, Example, Policy, Scope, World, embedded, evaluate, facts, selftest,
};
use nexafi_gen::source::{FileId, Finding, Node, SourceFile, Sources, Verdict, yaml};
use nexafi_gen::terraform;
use nexafi_gen::terraform::schema::{Kind, keys};

/// What the policies say of Terraform and manifests (and a blueprint's view).
fn judge(
    policies: &[&Policy],
    sources: &mut Sources,
    view: Option<&Node>,
    tf: Option<&str>,
    manifests: Option<&str>,
    (at, lock): (Option<jiff::civil::Date>, Option<&Node>),
) -> Evaluation {
    let tf = tf.map(|text| sources.add(SourceFile::new("main.tf", text.to_owned())));
    let manifests = manifests.map(|text| sources.add(SourceFile::new("all.yaml", text.to_owned())));
    let module = tf.map(|id| terraform::read(sources, &[id]).0);
    let objects =
        manifests.and_then(|id| sources.get(id).map(|file| kubernetes::read(id, file).0)).unwrap_or_default();
    let world = World {
        blueprint: view,
        module: module.as_ref(),
        objects: &objects,
        at,
        lock,
        ..World::new(sources)
    };
    evaluate(policies, &world)
}

/// The verdicts on an example's Terraform and manifests; its blueprint's places are those of a merged text nobody
/// wrote, so they are looked at with the reference blueprint instead.
fn judge_example(policy: &Policy, example: &Example) -> (Sources, Vec<Finding>) {
    let mut sources = Sources::default();
    let evaluation = judge(
        &[policy],
        &mut sources,
        None,
        example.terraform.as_deref(),
        example.kubernetes.as_deref(),
        (example.at, example.lock.as_ref()),
    );
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

/// Which other policies judge an argument: their rules are about its type, or read resources of it, and ask for its name.
fn judges<'p>(policies: &'p [Policy], type_: &str, argument: &str) -> BTreeSet<&'p str> {
    let name = argument.rsplit('.').next().unwrap_or(argument);
    let has = |text: &str, word: &str| {
        text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_').any(|part| part == word)
    };
    let judges = |policy: &&Policy| {
        policy.id != "NXF-ENC-300"
            && policy.rules.iter().any(|rule| {
                let Scope::Terraform(types) = &rule.scope else { return false };
                let about = types.iter().any(|own| own == type_)
                    || rule.assertion().contains(&format!("\"{type_}\""));
                about && has(rule.assertion(), name)
            })
    };
    policies.iter().filter(judges).map(|policy| policy.id.as_str()).collect()
}

/// For whoever reads which arguments take a key, as the provider's schema has them, and who judges each.
#[test]
fn every_argument_for_a_key() {
    let aws = terraform::schema::aws().unwrap();
    let catalogue = Catalogue::builtin();
    let mut all = String::new();
    let mut judged: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for type_ in aws.types(Kind::Resource) {
        for argument in keys::paths(&aws.keys(Kind::Resource, type_).unwrap()) {
            let others = judges(catalogue.policies(), type_, &argument);
            let who = if others.is_empty() {
                "NXF-ENC-300".to_owned()
            } else {
                Vec::from_iter(others.clone()).join(", ")
            };
            writeln!(all, "{type_}.{argument}: {who}").unwrap();
            if !others.is_empty() {
                judged.entry(type_).or_default().push(argument);
            }
        }
    }
    insta::assert_snapshot!(all);
    let mut wanted = "judged:\n".to_owned();
    for (type_, arguments) in &mut judged {
        arguments.sort();
        writeln!(wanted, "  {type_}: [{}]", arguments.join(", ")).unwrap();
    }
    let table = facts::table("kms-keys").unwrap();
    assert!(table.text.ends_with(&wanted), "src/policy/facts/kms-keys.yaml has to end with\n{wanted}");
    // What the table excuses has to exist.
    let excused = table.text.lines().filter_map(|line| line.strip_prefix("  aws_")?.split(':').next());
    for name in excused {
        assert!(
            all.contains(&format!("aws_{name}.")) || all.contains(&format!("aws_{name}: NXF")),
            "aws_{name}"
        );
    }
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

/// Judging reads the text before the examples only, so nothing may stand behind them.
#[test]
fn the_catalogue_for_judging_is_the_whole_one_without_examples() {
    let (whole, judging) = (Catalogue::builtin(), Catalogue::judging());
    assert_eq!(judging.faults(), []);
    let said = |catalogue: &Catalogue| -> Vec<String> {
        let rules = |policy: &Policy| -> Vec<String> {
            policy.rules.iter().map(|rule| format!("{:?} {}", rule.scope, rule.assertion())).collect()
        };
        let one = |policy: &Policy| format!("{} {:?} {:?}", policy.id, policy.controls, rules(policy));
        catalogue.policies().iter().map(one).collect()
    };
    assert_eq!(said(&whole), said(&judging));
    assert!(judging.policies().iter().all(|policy| policy.examples.is_empty()));
    assert!(whole.policies().iter().all(|policy| !policy.examples.is_empty()));
}
