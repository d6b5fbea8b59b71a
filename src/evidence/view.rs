//! What the page's template sees.

use std::collections::BTreeMap;

use minijinja::value::Value;
use serde::Serialize;

use crate::policy::{Policy, Provenance};
use crate::report::{ControlVerdicts, visible};
use crate::source::{SubjectKind, Verdict};

use super::control::{FrameworkEvidence, State, tally};
use super::entry::Entry;
use super::excerpt::{Excerpt, Texts};
use super::limits::limits;
use super::page::value;
use super::waivers::waivers;
use super::{Evidence, Hashed};

/// Verdicts of one policy that are shown with their lines. Of more the places are listed: whoever has so many mends the
/// first ones first, and the page stays one that a browser opens.
const MOST_EXCERPTS: usize = 50;
/// The width of a bar, in its own units.
const BAR: usize = 1000;

#[derive(Serialize)]
struct FrameworkView {
    id: &'static str,
    title: &'static str,
    total: usize,
    bars: Vec<Bar>,
    /// The bars in words.
    counts: String,
    parts: Vec<PartView>,
    person: Vec<PartView>,
}

#[derive(Serialize)]
struct Bar {
    state: &'static str,
    words: &'static str,
    count: usize,
    x: usize,
    width: usize,
}

#[derive(Serialize)]
struct PartView {
    id: String,
    title: String,
    controls: Vec<ControlView>,
}

#[derive(Serialize)]
struct ControlView {
    id: String,
    state: &'static str,
    words: &'static str,
    subjects: usize,
    verdicts: ControlVerdicts,
    policies: Vec<Mapped>,
    /// Whether every mapping is ours.
    judgement: bool,
}

#[derive(Serialize)]
struct Mapped {
    id: String,
    state: &'static str,
    judgement: bool,
}

#[derive(Serialize)]
struct PolicyView<'a> {
    id: &'a str,
    title: &'a str,
    severity: &'static str,
    domain: &'a str,
    rationale: String,
    aliases: String,
    state: &'static str,
    words: &'static str,
    verdicts: ControlVerdicts,
    controls: Vec<Mapping>,
    limits: Vec<String>,
    open: Vec<EntryView>,
    more: Vec<PlaceView>,
    passes: Vec<PlaceView>,
}

#[derive(Serialize)]
struct Mapping {
    framework: &'static str,
    controls: Vec<MappedControl>,
}

#[derive(Serialize)]
struct MappedControl {
    id: String,
    judgement: bool,
}

#[derive(Serialize)]
struct EntryView {
    verdict: &'static str,
    state: &'static str,
    severity: &'static str,
    kind: &'static str,
    subject: String,
    message: String,
    help: String,
    waiver: String,
    blueprint: Option<Excerpt>,
    generated: Option<Excerpt>,
}

#[derive(Serialize)]
struct PlaceView {
    state: &'static str,
    subject: String,
    blueprint: String,
    generated: String,
}

/// Everything but style, script and data.
pub(super) fn view(
    evidence: &Evidence<'_>,
    entries: &[Entry<'_>],
    frameworks: &[FrameworkEvidence],
    texts: &Texts,
    outputs: &[Hashed],
) -> BTreeMap<&'static str, Value> {
    let blueprint = &evidence.platform.blueprint;
    let word = |data: serde_json::Value| data.as_str().unwrap_or_default().to_owned();
    let count = |verdict| entries.iter().filter(|entry| entry.verdict == verdict).count();
    let tally = tally(frameworks);
    let totals: Vec<Bar> = bars([tally.met, tally.failed, tally.unproven, tally.waived, tally.silent]);
    let per_policy = by_policy(evidence, entries);
    let policies: Vec<PolicyView<'_>> = evidence
        .policies
        .iter()
        .zip(&per_policy)
        .map(|(policy, entries)| policy_view(evidence, policy, entries, texts))
        .collect();
    let mut domains: Vec<&str> = evidence.policies.iter().map(|policy| policy.domain.as_str()).collect();
    domains.sort_unstable();
    domains.dedup();
    BTreeMap::from([
        ("platform", value(&blueprint.name.as_str())),
        ("environment", value(&word(serde_json::json!(blueprint.environment)))),
        ("classification", value(&word(serde_json::json!(blueprint.data_classification)))),
        ("owner", value(&visible(blueprint.owner.team.as_str()))),
        ("email", value(&visible(blueprint.owner.email.as_str()))),
        ("blueprint", value(&visible(evidence.name))),
        ("at", value(&evidence.at.map_or_else(String::new, |at| at.to_string()))),
        ("version", value(&env!("CARGO_PKG_VERSION"))),
        ("total", value(&tally.total())),
        ("totals", value(&totals)),
        ("pass", value(&count(Verdict::Pass))),
        ("fail", value(&count(Verdict::Fail))),
        ("unproven", value(&count(Verdict::Unproven))),
        ("waived", value(&count(Verdict::Waived))),
        ("results", value(&entries.len())),
        (
            "frameworks",
            value(
                &frameworks
                    .iter()
                    .map(|framework| framework_view(framework, evidence, &per_policy))
                    .collect::<Vec<_>>(),
            ),
        ),
        ("narrowed", value(&!evidence.frameworks.is_empty())),
        ("policies", value(&policies)),
        ("domains", value(&domains)),
        ("waivers", value(&waivers(evidence, entries))),
        ("inputs", value(&evidence.inputs)),
        ("outputs", value(&outputs)),
    ])
}

fn by_policy<'e, 'a>(evidence: &Evidence<'_>, entries: &'e [Entry<'a>]) -> Vec<Vec<&'e Entry<'a>>> {
    let mut per_policy = vec![Vec::new(); evidence.policies.len()];
    for entry in entries {
        if let Some(of_policy) = per_policy.get_mut(entry.policy) {
            of_policy.push(entry);
        }
    }
    per_policy
}

fn verdicts(entries: &[&Entry<'_>]) -> ControlVerdicts {
    let count = |verdict| entries.iter().filter(|entry| entry.verdict == verdict).count();
    ControlVerdicts {
        pass: count(Verdict::Pass),
        fail: count(Verdict::Fail),
        unproven: count(Verdict::Unproven),
        waived: count(Verdict::Waived),
    }
}

/// A bar of every state, in the order of [`State::ALL`].
fn bars(counts: [usize; 5]) -> Vec<Bar> {
    let total = counts.iter().sum::<usize>().max(1);
    let mut before = 0;
    State::ALL
        .into_iter()
        .zip(counts)
        .map(|(state, count)| {
            let x = before * BAR / total;
            before += count;
            Bar { state: state.id(), words: state.words(), count, x, width: before * BAR / total - x }
        })
        .collect()
}

fn framework_view(
    framework: &FrameworkEvidence,
    evidence: &Evidence<'_>,
    per_policy: &[Vec<&Entry<'_>>],
) -> FrameworkView {
    let states: BTreeMap<&str, State> = evidence
        .policies
        .iter()
        .zip(per_policy)
        .map(|(policy, entries)| (policy.id.as_str(), State::of(verdicts(entries))))
        .collect();
    let (mut parts, mut person) = (Vec::new(), Vec::new());
    for part in &framework.parts {
        let controls: Vec<ControlView> = part
            .controls
            .iter()
            .map(|control| {
                let policies: Vec<Mapped> = control
                    .row
                    .policies
                    .iter()
                    .map(|mapped| Mapped {
                        state: states.get(mapped.policy.as_str()).copied().unwrap_or(State::Silent).id(),
                        id: mapped.policy.clone(),
                        judgement: mapped.by == Provenance::Judgement.as_str(),
                    })
                    .collect();
                ControlView {
                    id: visible(&control.row.control).into_owned(),
                    state: control.state.id(),
                    words: control.state.words(),
                    subjects: control.subjects,
                    verdicts: control.row.verdicts,
                    judgement: policies.iter().all(|policy| policy.judgement),
                    policies,
                }
            })
            .collect();
        let list = if controls.is_empty() { &mut person } else { &mut parts };
        list.push(PartView { id: part.section.id.clone(), title: part.section.title.clone(), controls });
    }
    let of = |state| framework.controls().filter(|control| control.state == state).count();
    let bars = bars(State::ALL.map(of));
    let counts: Vec<String> =
        bars.iter().filter(|bar| bar.count > 0).map(|bar| format!("{} {}", bar.count, bar.words)).collect();
    FrameworkView {
        counts: counts.join(", "),
        id: framework.framework.id(),
        title: framework.framework.title(),
        total: framework.controls().count(),
        bars,
        parts,
        person,
    }
}

fn policy_view<'a>(
    evidence: &Evidence<'a>,
    policy: &'a Policy,
    entries: &[&Entry<'_>],
    texts: &Texts,
) -> PolicyView<'a> {
    let counts = verdicts(entries);
    let state = State::of(counts);
    let (passes, bad): (Vec<&Entry<'_>>, Vec<&Entry<'_>>) =
        entries.iter().copied().partition(|entry| entry.verdict == Verdict::Pass);
    let (shown, more) = bad.split_at(bad.len().min(MOST_EXCERPTS));
    let places = |entries: &[&Entry<'_>]| entries.iter().map(|entry| place_view(entry, texts)).collect();
    PolicyView {
        id: &policy.id,
        title: &policy.title,
        severity: policy.severity.as_str(),
        domain: &policy.domain,
        rationale: visible(policy.rationale.trim()).into_owned(),
        aliases: policy.aliases.join(", "),
        state: state.id(),
        words: state.words(),
        verdicts: counts,
        controls: policy
            .controls
            .iter()
            .map(|(framework, controls)| Mapping {
                framework: framework.title(),
                controls: controls
                    .iter()
                    .map(|control| MappedControl {
                        id: visible(&control.id).into_owned(),
                        judgement: control.by == Provenance::Judgement,
                    })
                    .collect(),
            })
            .collect(),
        limits: limits(evidence, policy, entries.is_empty()),
        open: shown.iter().map(|entry| entry_view(entry, texts)).collect(),
        more: places(more),
        passes: places(&passes),
    }
}

fn entry_view(entry: &Entry<'_>, texts: &Texts) -> EntryView {
    EntryView {
        verdict: entry.verdict.as_str(),
        state: state(entry).id(),
        severity: entry.severity.as_str(),
        kind: kind(entry.kind),
        subject: entry.subject.clone(),
        message: entry.message.clone(),
        help: entry.help.clone(),
        waiver: entry.acceptance.map_or_else(String::new, |by| {
            visible(&format!("until {} by {} ({}): {}", by.expires, by.owner, by.ticket, by.reason))
                .into_owned()
        }),
        blueprint: entry.blueprint.and_then(|place| texts.excerpt(place)),
        generated: entry.generated.and_then(|place| texts.excerpt(place)),
    }
}

fn place_view(entry: &Entry<'_>, texts: &Texts) -> PlaceView {
    let name = |place| texts.name(place);
    PlaceView {
        state: state(entry).id(),
        subject: entry.subject.clone(),
        blueprint: entry.blueprint.map_or_else(String::new, name),
        generated: entry.generated.map_or_else(String::new, name),
    }
}

fn state(entry: &Entry<'_>) -> State {
    match entry.verdict {
        Verdict::Pass => State::Met,
        Verdict::Fail => State::Failed,
        Verdict::Unproven => State::Unproven,
        Verdict::Waived => State::Waived,
    }
}

fn kind(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Blueprint => "blueprint",
        SubjectKind::Terraform => "Terraform",
        SubjectKind::Kubernetes => "Kubernetes",
    }
}
