//! What policies promise: three-valued verdicts, host functions, faults of policy files at their place.

mod catalogue;
mod faults;
mod functions;
mod logic;
mod rules;

use nexafi_gen::kubernetes;
use nexafi_gen::policy::{Catalogue, Evaluation, World, evaluate};
use nexafi_gen::source::{Finding, Map, Node, SourceFile, Sources, Span, Value, Verdict, yaml};
use nexafi_gen::terraform::{self, Module};

/// A tree out of YAML, where `ref:aws_vpc.main#id` is a reference and `unknown:why` a value the files do not fix.
pub(crate) fn tree(sources: &mut Sources, name: &str, text: &str) -> Node {
    let id = sources.add(SourceFile::new(name, text.to_owned()));
    let documents = yaml::read(id, sources.get(id).unwrap());
    assert_eq!(documents.findings, [], "{text}");
    marked(&documents.documents[0])
}

fn marked(node: &Node) -> Node {
    let value = match &node.value {
        Value::Str(text) => match text.split_once(':') {
            Some(("unknown", why)) => Value::Unknown(why.into()),
            Some(("ref", rest)) => {
                let (address, attribute) = rest.split_once('#').unwrap_or((rest, ""));
                Value::reference(address, attribute)
            }
            _ => Value::Str(text.clone()),
        },
        Value::List(items) => Value::List(items.iter().map(marked).collect()),
        Value::Map(map) => {
            let mut made = Map::default();
            for (key, entry) in map.iter() {
                made.insert(key.clone(), entry.key, marked(&entry.node));
            }
            Value::Map(made)
        }
        other => other.clone(),
    };
    Node::new(node.span, value)
}

/// A module out of the text of one `.tf` file.
fn module(sources: &mut Sources, text: &str) -> Module {
    let id = sources.add(SourceFile::new("main.tf", text.to_owned()));
    let (module, findings) = terraform::read(sources, &[id]);
    // A circle is a fault of its own, and policies have to bear it.
    let others: Vec<_> = findings.iter().filter(|finding| !finding.message.contains("circle")).collect();
    assert!(others.is_empty(), "{text}\n{others:#?}");
    module
}

/// The inputs of one test, as text.
#[derive(Default, Clone, Copy)]
pub(crate) struct Inputs<'t> {
    pub(crate) blueprint: Option<&'t str>,
    pub(crate) terraform: Option<&'t str>,
    pub(crate) kubernetes: Option<&'t str>,
    pub(crate) at: Option<&'t str>,
}

/// A policy around the given rules.
pub(crate) fn policy_text(rules: &str) -> String {
    format!(
        "id: TEST-ONE-001\ntitle: the title\nseverity: high\nrationale: because\ncontrols:\n  \
         pci-dss-4.0.1: [{{id: \"1.2.5\", by: judgement}}]\nrules:\n{rules}"
    )
}

/// Reads a policy file and returns the catalogue, and what is wrong with the file.
pub(crate) fn load(text: &str) -> (Catalogue, Vec<Finding>, Sources) {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("policies/test/one.yaml", text.to_owned()));
    let mut catalogue = Catalogue::default();
    let findings = catalogue.add(&sources, &[id]);
    (catalogue, findings, sources)
}

/// Evaluates rules (the YAML under `rules:`, indented by two) on inputs.
pub(crate) fn run(rules: &str, inputs: Inputs<'_>) -> (Evaluation, Sources) {
    run_policy(&policy_text(rules), inputs)
}

/// Evaluates a policy file on inputs.
pub(crate) fn run_policy(text: &str, inputs: Inputs<'_>) -> (Evaluation, Sources) {
    let (catalogue, findings, mut sources) = load(text);
    assert!(findings.is_empty(), "{text}\n{findings:#?}");
    let blueprint = inputs.blueprint.map(|text| tree(&mut sources, "blueprint.yaml", text));
    let module = inputs.terraform.map(|text| module(&mut sources, text));
    let mut objects = Vec::new();
    if let Some(text) = inputs.kubernetes {
        let id = sources.add(SourceFile::new("manifests.yaml", text.to_owned()));
        let (found, findings) = kubernetes::read(id, sources.get(id).unwrap());
        assert_eq!(findings, []);
        objects = found;
    }
    let world = World {
        blueprint: blueprint.as_ref(),
        module: module.as_ref(),
        objects: &objects,
        at: inputs.at.map(|date| date.parse().unwrap()),
        ..World::new(&sources)
    };
    let policies: Vec<_> = catalogue.policies().iter().collect();
    let evaluation = evaluate(&policies, &world);
    assert_eq!(evaluation.faults, []);
    (evaluation, sources)
}

/// Evaluates one expression with `this` out of YAML: `pass`, `fail`, or `unproven: <message>`.
pub(crate) fn check(assert: &str, this: &str) -> String {
    check_with(assert, this, Inputs::default())
}

/// The same, with other inputs.
pub(crate) fn check_with(assert: &str, this: &str, inputs: Inputs<'_>) -> String {
    let quoted = assert.replace('\'', "''");
    let rules = format!("  blueprint: {{select: subject, assert: '{quoted}'}}\n");
    let blueprint = format!("subject: {this}");
    let (evaluation, _) = run(&rules, Inputs { blueprint: Some(&blueprint), ..inputs });
    assert_eq!(evaluation.verdicts.len(), 1, "{assert}");
    words(&evaluation).remove(0)
}

/// The verdicts, the unproven with their message.
pub(crate) fn words(evaluation: &Evaluation) -> Vec<String> {
    let word = |finding: &Finding| match finding.verdict {
        Verdict::Unproven => format!("unproven: {}", finding.message),
        verdict => verdict.as_str().to_owned(),
    };
    evaluation.verdicts.iter().map(|verdict| word(&verdict.finding)).collect()
}

/// The text a span covers.
pub(crate) fn slice(sources: &Sources, span: Span) -> &str {
    sources.get(span.file).unwrap().slice(span)
}

#[test]
fn the_embedded_policies_are_free_of_faults() {
    let catalogue = Catalogue::builtin();
    assert_eq!(catalogue.faults(), []);
    assert!(!catalogue.policies().is_empty());
}

#[test]
fn a_fingerprint_does_not_move_with_lines() {
    let rules = "  blueprint: {select: 'vpcs.*', assert: this.logs, at: logs}\n";
    let of = |text: &str| {
        let (evaluation, _) = run(rules, Inputs { blueprint: Some(text), ..Inputs::default() });
        (evaluation.verdicts[0].fingerprint(), evaluation.verdicts[0].finding.span.start)
    };
    let (one, two) =
        (of("vpcs: {main: {logs: false}}"), of("# moved\n\n\nvpcs:\n  main:\n    logs: false\n"));
    assert_eq!(one.0, two.0);
    assert_ne!(one.1, two.1);
    assert_eq!(one.0.len(), 32);
    assert_ne!(one.0, of("vpcs: {other: {logs: false}}").0);
}
