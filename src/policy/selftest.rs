//! Runs the examples of policies: each is a small input and the verdicts it has to give.

use std::collections::BTreeMap;

use super::catalogue::{Catalogue, base_blueprint};
use super::evaluate::{Evaluated, evaluate};
use super::file::{Example, Policy};
use super::world::World;
use crate::blueprint;
use crate::kubernetes::{self, Object};
use crate::source::{Entry, FileId, Finding, Map, Node, SourceFile, Sources, Span, Value, Verdict, yaml};
use crate::terraform;

/// What became of one example.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The policy.
    pub policy: String,
    /// The example's name.
    pub example: String,
    /// Where it stands in the policy file.
    pub span: Span,
    /// Verdicts that are not as expected.
    pub mismatches: Vec<Mismatch>,
    /// Subjects whose verdict is as expected.
    pub met: Vec<(String, Option<Verdict>)>,
    /// Every subject that was judged.
    pub judged: Vec<String>,
    /// What the policy finds.
    pub findings: Vec<Finding>,
    /// Faults of the example's own input, which prove nothing.
    pub faults: Vec<String>,
    /// The worst verdict of any subject.
    pub worst: Option<Verdict>,
}

impl Outcome {
    /// Whether everything is as the example says.
    pub fn passed(&self) -> bool {
        self.mismatches.is_empty() && self.faults.is_empty()
    }
}

/// One verdict that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The subject's address.
    pub subject: String,
    /// Whether the example says anything of it. A subject that it does not list must neither fail nor be unproven.
    pub listed: bool,
    /// The expected verdict; `None` for no verdict at all.
    pub expected: Option<Verdict>,
    /// The actual one.
    pub actual: Option<Verdict>,
    /// The finding's message.
    pub message: String,
}

/// Runs every example of a policy.
pub fn run(policy: &Policy) -> Vec<Outcome> {
    policy.examples.iter().map(|example| run_example(policy, example, false)).collect()
}

/// What is wrong with an example's input: the findings, and the kind of the text they are about if its lines are the
/// author's own.
type Note<'n> = dyn FnMut(Vec<Finding>, Option<(&str, &SourceFile)>) + 'n;

/// Reads the inputs of an example and judges them.
pub(super) fn with_world<R>(
    example: &Example,
    note: &mut Note<'_>,
    judge: impl FnOnce(&World<'_>) -> R,
) -> R {
    let mut sources = Sources::default();
    let view = example.blueprint.as_ref().and_then(|fragment| {
        let text = merged(fragment).to_string();
        let id = sources.add(SourceFile::new("blueprint.yaml", text));
        let loaded = sources.get(id).map(|file| blueprint::load(id, file)).unwrap_or_default();
        // The text that is read is the fragment merged with another: its lines are nobody's.
        note(loaded.findings, None);
        loaded.view
    });
    let module = example.terraform.as_ref().map(|text| {
        let mut files = vec![sources.add(SourceFile::new("main.tf", text.clone()))];
        let lock = example.provider_lock.as_ref();
        files.extend(lock.map(|text| sources.add(SourceFile::new(terraform::LOCK_FILE, text.clone()))));
        let (module, found) = terraform::read(&sources, &files);
        note(found, files.first().and_then(|id| sources.get(*id)).map(|file| ("terraform", file)));
        module
    });
    let objects: Vec<Object> = example.kubernetes.as_ref().map_or_else(Vec::new, |text| {
        let id = sources.add(SourceFile::new("manifests.yaml", text.clone()));
        let (objects, found) = sources.get(id).map(|file| kubernetes::read(id, file)).unwrap_or_default();
        note(found, sources.get(id).map(|file| ("kubernetes", file)));
        objects
    });
    judge(&World {
        blueprint: view.as_ref(),
        module: module.as_ref(),
        objects: &objects,
        at: example.at,
        lock: example.lock.as_ref(),
        ..World::new(&sources)
    })
}

pub(super) fn run_example(policy: &Policy, example: &Example, sort_early: bool) -> Outcome {
    let mut faults = Vec::new();
    let mut note = |found: Vec<Finding>, text: Option<(&str, &SourceFile)>| {
        faults.extend(found.into_iter().map(|fault| match text {
            Some((kind, file)) => {
                let line = file.line_column(fault.span.start as usize).line;
                format!("{kind}, line {line}: {}", fault.message)
            }
            None => fault.message,
        }));
    };
    // A policy that judges by what others said needs them to say it.
    let others = policy.rules.iter().any(|rule| rule.judges_by_others).then(Catalogue::judging);
    let others = others.iter().flat_map(Catalogue::policies).filter(|other| other.id != policy.id);
    let policies: Vec<&Policy> = std::iter::once(policy).chain(others).collect();
    let mut evaluation =
        with_world(example, &mut note, |world| evaluate(&policies, &World { sort_early, ..*world }));
    evaluation.verdicts.retain(|verdict| verdict.finding.code == policy.id);
    note(evaluation.faults, None);
    let worst = evaluation
        .verdicts
        .iter()
        .map(|verdict| verdict.finding.verdict)
        .max_by_key(|verdict| rank(*verdict));
    let (mismatches, met) = compare(example, &evaluation.verdicts);
    let mut judged = Vec::new();
    for subject in evaluation.verdicts.iter().filter_map(|verdict| verdict.finding.subject.as_ref()) {
        if !judged.contains(&subject.address) {
            judged.push(subject.address.clone());
        }
    }
    let findings = evaluation.verdicts.into_iter().map(|verdict| verdict.finding);
    Outcome {
        policy: policy.id.clone(),
        example: example.name.clone(),
        span: example.span,
        mismatches,
        met,
        judged,
        findings: findings.filter(|finding| finding.verdict != Verdict::Pass).collect(),
        faults,
        worst,
    }
}

fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass | Verdict::Waived => 0,
        Verdict::Unproven => 1,
        Verdict::Fail => 2,
    }
}

/// What is not as the example says, and what is.
fn compare(example: &Example, verdicts: &[Evaluated]) -> (Vec<Mismatch>, Vec<(String, Option<Verdict>)>) {
    let mut actual: BTreeMap<&str, &Finding> = BTreeMap::new();
    for verdict in verdicts {
        let Some(subject) = &verdict.finding.subject else { continue };
        let worst = actual.entry(&subject.address).or_insert(&verdict.finding);
        if rank(verdict.finding.verdict) > rank(worst.verdict) {
            *worst = &verdict.finding;
        }
    }
    let mut mismatches = Vec::new();
    let mut met = Vec::new();
    for (subject, expected) in &example.expect {
        let found = actual.remove(subject.as_str()).or_else(|| instances(&mut actual, subject));
        let verdict = found.map(|finding| finding.verdict);
        if verdict == *expected {
            met.push((subject.clone(), verdict));
        } else {
            mismatches.push(Mismatch {
                subject: subject.clone(),
                listed: true,
                expected: *expected,
                actual: verdict,
                message: found.map_or_else(String::new, |finding| finding.message.clone()),
            });
        }
    }
    let unexpected = actual.into_iter().filter(|(_, finding)| finding.verdict != Verdict::Pass);
    mismatches.extend(unexpected.map(|(subject, finding)| Mismatch {
        subject: subject.to_owned(),
        listed: false,
        expected: None,
        actual: Some(finding.verdict),
        message: finding.message.clone(),
    }));
    (mismatches, met)
}

/// The worst verdict of the instances of a block; they are taken out, for the block's address stands for all of them.
fn instances<'f>(actual: &mut BTreeMap<&'f str, &'f Finding>, block: &str) -> Option<&'f Finding> {
    let of: Vec<&str> = actual
        .keys()
        .copied()
        .filter(|address| *address != block && terraform::address::block(address) == block)
        .collect();
    let found: Vec<&Finding> = of.iter().filter_map(|address| actual.remove(address)).collect();
    // Of equals the first.
    found.into_iter().rev().max_by_key(|finding| rank(finding.verdict))
}

/// The base blueprint with the fragment over it; JSON is YAML.
fn merged(fragment: &Node) -> serde_json::Value {
    let file = SourceFile::new("base.yaml", base_blueprint().to_owned());
    let base = yaml::read(FileId::default(), &file).documents.into_iter().next();
    let mut tree = base.unwrap_or_else(|| Node::new(fragment.span, Value::Map(Map::default())));
    overlay(&mut tree, fragment);
    tree.to_json()
}

fn overlay(under: &mut Node, over: &Node) {
    match (&mut under.value, &over.value) {
        (Value::Map(under), Value::Map(over)) => {
            for (key, entry) in over.iter() {
                if entry.node.value == Value::Null {
                    under.entries.shift_remove(key);
                    continue;
                }
                match under.entries.get_mut(key) {
                    Some(Entry { node, .. }) => overlay(node, &entry.node),
                    None => {
                        under.entries.insert(key.clone(), entry.clone());
                    }
                }
            }
        }
        (under, over) => *under = over.clone(),
    }
}
