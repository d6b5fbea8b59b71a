//! Each policy kills its own mutant: the reference blueprint is broken in the one way the policy forbids
//! (`tests/mutants`), and the policy fails at that line, and in the output alone if it is rendered anyway.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use nexafi_gen::blueprint;
use nexafi_gen::kubernetes;
use nexafi_gen::policy::{Catalogue, Policy, Rule, Scope, World, evaluate};
use nexafi_gen::render;
use nexafi_gen::source::{FileId, SourceFile, Sources, Verdict, yaml};
use nexafi_gen::terraform;

pub(crate) const REFERENCE: &str = include_str!("../../blueprints/nexafi.yaml");

/// The day these tests judge by: facts that age must not make them fail one morning.
pub(crate) const AT: jiff::civil::Date = jiff::civil::date(2026, 11, 24);

/// Read once: its expressions stay compiled from one mutant to the next.
pub(crate) static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::judging);

/// One way to break the reference platform.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Mutant {
    pub(crate) policy: String,
    pub(crate) write: String,
    instead: String,
    /// The text that has to be underlined.
    at: String,
    /// Further changes that it takes.
    #[serde(default)]
    and: Vec<Change>,
    /// Other policies that fail of it, with the reason.
    #[serde(default)]
    also: BTreeMap<String, String>,
    /// Only blueprint and output together show it: how generated things stand to each other.
    #[serde(default)]
    pub(crate) cross: bool,
    /// Why the output alone cannot show it.
    blueprint_only: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    write: String,
    instead: String,
}

impl Mutant {
    /// The mutant's text, and the lines where its change stands.
    pub(crate) fn text(&self) -> (String, std::ops::RangeInclusive<usize>) {
        let mut text = REFERENCE.to_owned();
        for change in &self.and {
            assert!(
                text.contains(&change.instead),
                "the reference blueprint no longer says {:?}",
                change.instead
            );
            text = text.replacen(&change.instead, &change.write, 1);
        }
        assert!(text.contains(&self.instead), "the reference blueprint no longer says {:?}", self.instead);
        let text = text.replacen(&self.instead, &self.write, 1);
        let start = text.find(&self.write).unwrap();
        let line = |at: usize| text[..at].matches('\n').count() + 1;
        let lines = line(start)..=line(start + self.write.len());
        (text, lines)
    }
}

pub(crate) fn mutants() -> Vec<Mutant> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mutants");
    let files = walkdir::WalkDir::new(directory).min_depth(1).sort_by_file_name();
    let mut all = Vec::new();
    for entry in files {
        let path = entry.unwrap().into_path();
        let text = std::fs::read_to_string(&path).unwrap();
        let read = yaml::read(FileId::default(), &SourceFile::new("mutants.yaml", text));
        assert_eq!(read.findings, [], "{}", path.display());
        let mutants: Vec<Mutant> = serde_json::from_value(read.documents[0].to_json())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        all.extend(mutants);
    }
    all
}

/// What fails in a blueprint: policy, the underlined text, its line.
fn failures(text: &str) -> Vec<(String, String, usize)> {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("nexafi.yaml", text.to_owned()));
    let loaded = blueprint::load(id, sources.get(id).unwrap());
    let messages: Vec<&str> = loaded.findings.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(messages, Vec::<&str>::new());
    let policies: Vec<&Policy> = CATALOGUE.policies().iter().collect();
    let world = World { blueprint: loaded.view.as_ref(), at: Some(AT), ..World::new(&sources) };
    evaluate(&policies, &world)
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
    let mutants: Vec<Mutant> = mutants().into_iter().filter(|mutant| !mutant.cross).collect();
    for mutant in &mutants {
        let (text, lines) = mutant.text();
        let found = failures(&text);
        let hit = found
            .iter()
            .any(|(code, text, line)| *code == mutant.policy && *text == mutant.at && lines.contains(line));
        if !hit {
            writeln!(wrong, "{} {:?}: {found:?}", mutant.policy, mutant.write).unwrap();
        }
        let others: BTreeSet<&str> =
            found.iter().map(|(code, ..)| code.as_str()).filter(|code| *code != mutant.policy).collect();
        let listed: BTreeSet<&str> = mutant.also.keys().map(String::as_str).collect();
        if others != listed {
            writeln!(
                wrong,
                "{} {:?}: fails too: {others:?}, listed under `also`: {listed:?}",
                mutant.policy, mutant.write
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let covered: BTreeSet<&str> = mutants.iter().map(|mutant| mutant.policy.as_str()).collect();
    let on_blueprints = |rule: &Rule| matches!(rule.scope, Scope::Blueprint(_)) && rule.needs.is_empty();
    let uncovered: Vec<&str> = CATALOGUE
        .policies()
        .iter()
        .filter(|policy| policy.rules.iter().any(on_blueprints))
        .map(|policy| policy.id.as_str())
        .filter(|id| !covered.contains(id))
        .collect();
    assert_eq!(uncovered, Vec::<&str>::new(), "policies with a rule on blueprints and no mutant");
}

/// The files a blueprint renders to, judged alone, as somebody who knows only them would: each failure's policy and
/// the blueprint node its comment names.
fn output_failures(text: &str) -> Vec<(String, Option<String>)> {
    judged(text, false)
}

/// What fails in the output, alone or with the blueprint beside it.
fn judged(text: &str, with_blueprint: bool) -> Vec<(String, Option<String>)> {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("nexafi.yaml", text.to_owned()));
    let loaded = blueprint::load(id, sources.get(id).unwrap());
    let platform = loaded.platform.unwrap();
    let files = render::render(&platform, "nexafi.yaml", &render::Overrides::default()).unwrap();
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
    let policies: Vec<&Policy> = CATALOGUE.policies().iter().collect();
    let world = World {
        blueprint: loaded.view.as_ref().filter(|_| with_blueprint),
        module: Some(&module),
        objects: &objects,
        at: Some(AT),
        ..World::new(&sources)
    };
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
    assert_eq!(judged(REFERENCE, true), []);
    assert_eq!(judged(include_str!("../../blueprints/minimal.yaml"), true), []);
}

/// A policy broken in the blueprint is caught in the output too, and the output names the blueprint node.
#[test]
fn each_policy_finds_its_own_mutant_in_the_output() {
    let mut wrong = String::new();
    for mutant in mutants().iter().filter(|mutant| mutant.blueprint_only.is_none()) {
        let found = judged(&mutant.text().0, mutant.cross);
        if mutant.cross && found.iter().any(|(code, _)| *code == mutant.policy) {
            continue;
        }
        if !found.iter().any(|(code, pointer)| *code == mutant.policy && pointer.is_some()) {
            writeln!(wrong, "{} {:?}: {found:?}", mutant.policy, mutant.write).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
