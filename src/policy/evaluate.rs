//! Policies and inputs in, verdicts out: one pass over the subjects that each rule names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::candidate::{Candidate, candidates, spot};
use super::expression::{ADDRESS, Expression, KEY, KEYS, ROOT, THIS, TODAY};
use super::file::{Find, Policy, Rule, Scope, Text};
use super::interpret::Interpreter;
use super::path::{Match, Path, Steps};
use super::sensitive::watch;
use super::template::Template;
use super::value::{Dict, Undecided, Val};
use super::world::{Context, Judged, World};
use crate::source::{Finding, Pass, Passes, SENSITIVE, Span, Subject, SubjectKind, Verdict};
use crate::threads;

/// What an evaluation found.
#[derive(Debug, Default)]
pub struct Evaluation {
    /// Every verdict, passes too unless they are only counted: policies in the order given, subjects in the order of the files.
    pub verdicts: Vec<Evaluated>,
    /// What passed, where passes are only counted.
    pub passes: Passes,
    /// Rules that would have looked at these inputs, but need others too.
    pub skipped: Vec<Skipped>,
    /// Expressions that do not compile, of policies that were not checked before.
    pub faults: Vec<Finding>,
    /// Tables of facts that took part, by name.
    pub facts: Vec<&'static str>,
}

/// One verdict.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// The verdict as a finding; `code` is the policy's id.
    pub finding: Finding,
    /// The blueprint node that the subject was generated from, out of the comment above it.
    pub blueprint: Option<Arc<str>>,
}

impl Evaluated {
    /// Counts it as a pass.
    fn count(&self, passes: &mut Passes) {
        let finding = &self.finding;
        let Some(subject) = &finding.subject else { return };
        passes.add(&Pass {
            policy: &finding.code,
            severity: finding.severity,
            subject: subject.parts(),
            span: finding.span,
            pointer: &finding.pointer,
            aliases: &finding.aliases,
            origin: finding.origin.as_deref(),
        });
    }

    /// Names this verdict as long as policy, subject and place stay the same, whatever happens to line numbers.
    pub fn fingerprint(&self) -> String {
        let finding = &self.finding;
        finding
            .subject
            .as_ref()
            .map_or_else(String::new, |subject| fingerprint(&finding.code, subject, &finding.pointer))
    }
}

/// A rule that was not evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The policy.
    pub policy: String,
    /// The kind of subject the rule looks at.
    pub kind: SubjectKind,
    /// The kinds of input that are missing.
    pub missing: Vec<SubjectKind>,
}

/// Evaluates policies: first those that look at the inputs alone, then those that judge by what the others said.
///
/// The policies are shared out among a few threads; what comes out is in the order of `policies` all the same.
pub fn evaluate(policies: &[&Policy], world: &World<'_>) -> Evaluation {
    let (later, first): (Vec<Job<'_>>, Vec<Job<'_>>) = policies
        .iter()
        .enumerate()
        .flat_map(|(at, policy)| policy.rules.iter().map(move |rule| (at, *policy, rule)))
        .filter(|(_, _, rule)| present(world, rule.scope.kind()))
        .partition(|(_, _, rule)| rule.judges_by_others);
    let keep = later.iter().any(|(_, _, rule)| rule.looks_at_passes);
    let mut evaluation =
        evaluate_all(&first, &World { count_passes: world.count_passes && !keep, ..*world }, &[]);
    if !later.is_empty() {
        let judged = judged(policies, &evaluation);
        let more = evaluate_all(&later, world, &judged);
        evaluation.verdicts.extend(more.verdicts);
        evaluation.skipped.extend(more.skipped);
        evaluation.faults.extend(more.faults);
        evaluation.facts.extend(more.facts);
        evaluation.passes.extend(more.passes);
        if world.count_passes {
            let (passed, others): (Vec<Evaluated>, Vec<Evaluated>) = std::mem::take(&mut evaluation.verdicts)
                .into_iter()
                .partition(|evaluated| evaluated.finding.verdict == Verdict::Pass);
            evaluation.verdicts = others;
            for evaluated in &passed {
                evaluated.count(&mut evaluation.passes);
            }
        }
    }
    evaluation.passes.settle();
    evaluation.facts.sort_unstable();
    evaluation.facts.dedup();
    evaluation
}

/// A rule of a policy, with the policy's place among all.
type Job<'a> = (usize, &'a Policy, &'a Rule);

/// Fewer rules than this are evaluated before a thread has started.
const WORTH_A_THREAD: usize = 24;

fn evaluate_all<'a>(jobs: &[Job<'a>], world: &World<'a>, judged: &'a [Judged]) -> Evaluation {
    let context = || Context::new(*world, judged);
    let of = |context: &mut Context<'a>, (_, policy, rule): &Job<'a>| {
        let mut evaluation = Evaluation::default();
        evaluate_one(policy, rule, context, &mut evaluation);
        evaluation
    };
    let (done, facts) = threads::map_with(jobs, WORTH_A_THREAD, context, of, Context::into_facts);
    let mut evaluation = Evaluation { facts: facts.into_iter().flatten().collect(), ..Evaluation::default() };
    for one in done {
        evaluation.verdicts.extend(one.verdicts);
        evaluation.passes.extend(one.passes);
        evaluation.skipped.extend(one.skipped);
        evaluation.faults.extend(one.faults);
    }
    evaluation
}

/// What was said so far, as far as other policies look at it.
fn judged(policies: &[&Policy], evaluation: &Evaluation) -> Vec<Judged> {
    let frameworks: BTreeMap<&str, Vec<&'static str>> = policies
        .iter()
        .map(|policy| (policy.id.as_str(), policy.controls.keys().map(|framework| framework.id()).collect()))
        .collect();
    // What a policy says of every type alike is no sign that a type is wanted.
    let of_all = |id: &str| {
        let rules = policies.iter().filter(|policy| policy.id == id).flat_map(|policy| &policy.rules);
        rules.into_iter().any(
            |rule| matches!(&rule.scope, Scope::Terraform(types) if types.iter().any(|type_| type_ == "*")),
        )
    };
    let general: BTreeSet<&str> =
        policies.iter().map(|policy| policy.id.as_str()).filter(|id| of_all(id)).collect();
    let mut judged = Vec::with_capacity(evaluation.verdicts.len());
    for Evaluated { finding, blueprint, .. } in &evaluation.verdicts {
        let subject = finding.subject.as_ref();
        let own = subject.filter(|subject| subject.kind == SubjectKind::Blueprint);
        judged.push(Judged {
            policy: finding.code.clone(),
            frameworks: frameworks.get(finding.code.as_str()).cloned().unwrap_or_default(),
            verdict: finding.verdict,
            type_: subject
                .filter(|_| !general.contains(finding.code.as_str()))
                .map(|subject| subject.type_.clone())
                .unwrap_or_default(),
            pointer: own
                .map(|subject| subject.address.clone())
                .or_else(|| blueprint.as_deref().map(str::to_owned))
                .unwrap_or_default(),
        });
    }
    judged
}

/// Evaluates one rule, or says what it lacks.
fn evaluate_one<'a>(policy: &'a Policy, rule: &'a Rule, context: &Context<'a>, evaluation: &mut Evaluation) {
    let missing: Vec<SubjectKind> =
        rule.needs.iter().copied().filter(|kind| !present(&context.world, *kind)).collect();
    if missing.is_empty() {
        evaluate_rule(policy, rule, context, evaluation);
    } else {
        let kind = rule.scope.kind();
        evaluation.skipped.push(Skipped { policy: policy.id.clone(), kind, missing });
    }
}

/// A stable name for a verdict: 32 hexadecimal digits of a SHA-256 over policy, subject and pointer.
pub fn fingerprint(policy: &str, subject: &Subject, pointer: &str) -> String {
    let kind = match subject.kind {
        SubjectKind::Blueprint => "blueprint",
        SubjectKind::Terraform => "terraform",
        SubjectKind::Kubernetes => "kubernetes",
    };
    let mut hash = Sha256::new();
    for part in [policy, kind, &subject.address, pointer] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).fold(String::new(), |mut text, byte| {
        use std::fmt::Write as _;
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether there is input of a kind.
pub(super) fn present(world: &World<'_>, kind: SubjectKind) -> bool {
    match kind {
        SubjectKind::Blueprint => world.blueprint.is_some(),
        SubjectKind::Terraform => world.module.is_some(),
        SubjectKind::Kubernetes => !world.objects.is_empty() || world.unread.is_some(),
    }
}

/// What decides a rule, compiled. What is said of a verdict is compiled when there is one to speak of: of most rules all passes.
struct Compiled<'a> {
    when: Option<&'a Expression>,
    assert: &'a Expression,
}

fn compiled(rule: &Rule) -> Result<Compiled<'_>, Vec<Finding>> {
    Ok(Compiled {
        when: rule.when.as_ref().map(super::file::Cel::compiled).transpose()?,
        assert: rule.assert.compiled()?,
    })
}

fn evaluate_rule<'a>(policy: &'a Policy, rule: &'a Rule, context: &Context<'a>, evaluation: &mut Evaluation) {
    let mut candidates = candidates(rule, context).peekable();
    if candidates.peek().is_none() {
        return;
    }
    let compiled = match compiled(rule) {
        Ok(compiled) => compiled,
        Err(faults) => {
            evaluation.faults.extend(faults);
            return;
        }
    };
    let mut interpreter = Interpreter::new(context);
    interpreter.set(
        ROOT,
        context.world.blueprint.map_or(Val::Unknown("no blueprint is among the inputs".into()), Val::from),
    );
    let today = context.world.at.map(|date| Val::text(date.to_string()));
    interpreter.set(TODAY, today.unwrap_or(Val::Unknown("no date is given; say --at DATE".into())));
    for candidate in candidates {
        interpreter.set(THIS, candidate.this.clone());
        interpreter.set(KEY, candidate.key.clone());
        interpreter.set(KEYS, candidate.keys.clone());
        interpreter.set(ADDRESS, Val::Str(candidate.address.clone()));
        interpreter.set_item(Val::Null, Val::Null, false);
        let judge = Judge { policy, rule, compiled: &compiled, context, candidate: &candidate };
        evaluation.verdicts.extend(judge.verdicts(&mut interpreter, &mut evaluation.passes));
    }
}

/// A template of a rule. A policy of which one does not compile is not judged by.
fn template(text: Option<&Text>) -> Option<&Template> {
    text.and_then(|text| text.compiled().ok())
}

/// What became of `when` and `assert`.
enum Judgement {
    NotApplicable,
    Pass,
    Fail,
    Unproven(Undecided),
}

/// Whether a rule applies, as far as that is decided.
type Applies = Result<bool, Undecided>;

/// The outcome of an expression, with a reason that may be shown: one that was found while a sensitive value was looked at
/// might print it.
fn told(evaluate: impl FnOnce() -> Applies) -> Applies {
    let (outcome, read) = watch(evaluate);
    outcome.map_err(|undecided| match undecided {
        Undecided::Unknown(_) if read => Undecided::Unknown(format!("it hangs on a {SENSITIVE}")),
        Undecided::Error(_) if read => Undecided::Error(format!("it hangs on a {SENSITIVE}")),
        undecided => undecided,
    })
}

/// One of the things below a subject that a rule looks at one by one.
struct Item<'a> {
    place: Match<'a>,
    value: Val<'a>,
    /// Where a secret stands that nobody may be shown.
    secret: Option<Span>,
    /// Whether the value, or the key it stands under, is sensitive.
    sensitive: bool,
}

struct Judge<'a, 'j> {
    policy: &'a Policy,
    rule: &'a Rule,
    compiled: &'j Compiled<'a>,
    context: &'j Context<'a>,
    candidate: &'j Candidate<'a>,
}

impl<'a> Judge<'a, '_> {
    fn verdicts(&self, interpreter: &mut Interpreter<'a, '_>, passes: &mut Passes) -> Vec<Evaluated> {
        let filters_items = self.compiled.when.is_some_and(|when| when.uses_item);
        let when = self.compiled.when.filter(|_| !filters_items);
        let applies = when.map_or(Ok(true), |when| told(|| interpreter.truth(when)));
        if self.rule.each.is_none() && self.rule.find.is_none() {
            let judgement = self.judge(interpreter, applies);
            let verdict = self.verdict(interpreter, judgement, self.candidate.start(), passes);
            return verdict.into_iter().collect();
        }
        if applies == Ok(false) {
            return Vec::new();
        }
        let items = match (&self.rule.each, self.rule.find) {
            (Some(each), _) => self.items(each),
            (None, Some(Find::Keys)) => self.keys(),
            (None, _) => self.secrets(),
        };
        // A resource without such an argument is no matter of keys.
        let mut asked = self.rule.find != Some(Find::Keys);
        let mut found = Vec::new();
        for Item { place, value, secret, sensitive } in items {
            let index = place.last.parse().map(Val::Int).ok().filter(|_| place.key.is_none());
            let key = index.unwrap_or_else(|| Val::text(place.last.clone()));
            interpreter.set_item(value, key, sensitive);
            let applies = match self.compiled.when {
                Some(when) if filters_items => told(|| interpreter.truth(when)),
                _ => applies.clone(),
            };
            let judgement = self.judge(interpreter, applies);
            asked |= !matches!(judgement, Judgement::NotApplicable);
            if !matches!(judgement, Judgement::Pass) {
                let mut verdict = self.verdict(interpreter, judgement, &place, passes);
                if let (Some(verdict), Some(secret)) = (&mut verdict, secret) {
                    verdict.finding.span = secret;
                    verdict.finding.secret = Some(secret);
                }
                found.extend(verdict);
            }
        }
        if found.is_empty() && asked {
            interpreter.set_item(Val::Null, Val::Null, false);
            found.extend(self.verdict(interpreter, Judgement::Pass, self.candidate.start(), passes));
        }
        found
    }

    fn items(&self, each: &Path) -> Vec<Item<'a>> {
        let (start, path) = self.rooted(self.candidate.start(), each);
        let item = |place: Match<'a>| Item {
            value: Val::from(place.node),
            secret: None,
            sensitive: place.node.sensitive,
            place,
        };
        path.walk(&start).into_iter().map(item).collect()
    }

    /// Every literal secret below the subject, as `{what, name}`: the value itself reaches no message.
    fn secrets(&self) -> Vec<Item<'a>> {
        let candidate = self.candidate;
        // A resource's or variable's own name says what its value is.
        let name = match (candidate.kind, &candidate.key) {
            (SubjectKind::Terraform, Val::Str(name)) => name.as_ref(),
            (SubjectKind::Blueprint, _) => &*candidate.type_,
            _ => "",
        };
        let found =
            super::secrets::find(candidate.start(), name, &candidate.type_, self.context.world.sources);
        let item = |found: super::secrets::Found<'a>| Item {
            // The item holds no value, only its name.
            sensitive: found.place.pointer.contains(SENSITIVE),
            place: found.place,
            value: Val::map(vec![
                ("what".into(), Val::text(found.what)),
                ("name".into(), found.name.map_or(Val::Null, Val::text)),
            ]),
            secret: Some(found.span),
        };
        found.into_iter().map(item).collect()
    }

    /// Every argument of a resource that takes a KMS key, as `{path, name, written, value, block}`.
    fn keys(&self) -> Vec<Item<'a>> {
        let Val::Map(Dict::Resource(resource)) = &self.candidate.this else { return Vec::new() };
        if !resource.managed {
            return Vec::new();
        }
        let item = |found: super::keys::Found<'a>| Item {
            value: Val::map(vec![
                ("name".into(), Val::text(found.path.rsplit('.').next().unwrap_or(&found.path))),
                ("path".into(), Val::text(found.path)),
                ("written".into(), Val::Bool(!matches!(found.value, Val::Null))),
                ("value".into(), found.value),
                ("block".into(), found.block),
            ]),
            sensitive: found.place.node.sensitive,
            place: found.place,
            secret: None,
        };
        super::keys::find(self.candidate.start(), &resource.type_).into_iter().map(item).collect()
    }

    /// A path that begins with `pod` begins at the pod template, wherever the kind keeps it.
    fn rooted<'p>(&self, start: &Match<'a>, path: &'p Path) -> (Match<'a>, Steps<'p>) {
        match self.candidate.pod_start().zip(path.steps_below("pod")) {
            Some((pod, rest)) => (pod, rest),
            None => (start.clone(), path.steps()),
        }
    }

    fn judge(&self, interpreter: &mut Interpreter<'a, '_>, applies: Applies) -> Judgement {
        if applies == Ok(false) {
            return Judgement::NotApplicable;
        }
        match (applies, told(|| interpreter.truth(self.compiled.assert))) {
            (_, Ok(true)) => Judgement::Pass,
            (Err(undecided), _) | (Ok(_), Err(undecided)) => Judgement::Unproven(undecided),
            (Ok(_), Ok(false)) => Judgement::Fail,
        }
    }

    /// What a reader is told; of a pass that is only counted nothing.
    fn verdict(
        &self,
        interpreter: &mut Interpreter<'a, '_>,
        judgement: Judgement,
        place: &Match<'a>,
        passes: &mut Passes,
    ) -> Option<Evaluated> {
        let (verdict, reason) = match judgement {
            Judgement::NotApplicable => return None,
            Judgement::Pass => (Verdict::Pass, None),
            Judgement::Fail => (Verdict::Fail, None),
            Judgement::Unproven(undecided) => (Verdict::Unproven, Some(undecided)),
        };
        let sources = self.context.world.sources;
        // `at` is relative to an item, and what passes as a whole has none.
        let whole = (self.rule.each.is_some() || self.rule.find.is_some()) && verdict == Verdict::Pass;
        let (span, pointer) = match &self.rule.at {
            Some(at) if !whole => {
                let (start, path) = self.rooted(place, at);
                let (found, pointer) = path.nearest(&start);
                // A walk that did not leave its start points at the header.
                let stays = found.pointer == self.candidate.start().pointer || self.is_pod_root(&found);
                (if stays { self.candidate.header } else { spot(found.node, found.key, sources) }, pointer)
            }
            _ if place.pointer == self.candidate.start().pointer => {
                (self.candidate.header, place.pointer.clone())
            }
            _ => (spot(place.node, place.key, sources), place.pointer.clone()),
        };
        let policy = self.policy;
        let severity = self.rule.severity.unwrap_or(policy.severity);
        let aliases = self.rule.aliases.as_ref().unwrap_or(&policy.aliases);
        if verdict == Verdict::Pass && self.context.world.count_passes {
            passes.add(&Pass {
                policy: &policy.id,
                severity,
                subject: (self.candidate.kind, &self.candidate.type_, &self.candidate.address),
                span,
                pointer: &pointer,
                aliases,
                origin: self.candidate.blueprint.as_deref(),
            });
            return None;
        }
        let message = match (&reason, verdict) {
            (Some(Undecided::Unknown(why)), _) => format!("cannot be proven from the files: {why}"),
            (Some(Undecided::Error(why)), _) => format!("the policy could not be evaluated here: {why}"),
            (None, Verdict::Pass) => policy.title.to_string(),
            (None, _) => template(self.rule.message.as_ref())
                .map_or_else(|| policy.title.to_string(), |message| message.render(interpreter)),
        };
        let help = match verdict {
            Verdict::Pass => String::new(),
            _ => template(self.rule.help.as_ref())
                .map_or_else(|| self.fix_as_help(), |help| help.render(interpreter)),
        };
        let mut finding = policy.finding(self.candidate.subject(), span, message);
        finding.verdict = verdict;
        finding.severity = severity;
        finding.aliases = Arc::clone(aliases);
        if verdict != Verdict::Pass {
            self.leave_out_aliases(interpreter, &mut finding);
        }
        finding.pointer = pointer;
        if verdict == Verdict::Unproven {
            "not known from the files".clone_into(&mut finding.label);
        }
        finding.help = help;
        if verdict == Verdict::Fail && self.candidate.kind == SubjectKind::Blueprint {
            finding.fix = self.rule.fix_at(&self.candidate.address);
        }
        finding.origin.clone_from(&self.candidate.blueprint);
        Some(Evaluated { finding, blueprint: self.candidate.blueprint.clone() })
    }

    /// Takes away the names of checks that ask for less than the rule, and get it here.
    fn leave_out_aliases(&self, interpreter: &mut Interpreter<'a, '_>, finding: &mut Finding) {
        let asserts = &self.rule.alias_asserts;
        for (alias, asserts) in asserts {
            let alias = alias.as_ref();
            let Ok(asserts) = asserts.compiled() else { continue };
            if interpreter.holds_as_written(asserts) {
                let others =
                    finding.aliases.iter().filter(|known| alias.is_some_and(|alias| *known != alias));
                finding.aliases = others.cloned().collect();
            }
        }
        // Of the other checks the rule itself tells whether they would be content with what nobody knows.
        if finding.verdict == Verdict::Unproven
            && !asserts.iter().any(|(alias, _)| alias.is_none())
            && interpreter.holds_as_written(self.compiled.assert)
        {
            let asked = |alias: &String| asserts.iter().any(|(asked, _)| asked.as_ref() == Some(alias));
            finding.aliases = finding.aliases.iter().filter(|alias| asked(alias)).cloned().collect();
        }
    }

    fn is_pod_root(&self, found: &Match<'a>) -> bool {
        self.candidate
            .pod_start()
            .is_some_and(|pod| pod.pointer == found.pointer && std::ptr::eq(pod.node, found.node))
    }

    fn fix_as_help(&self) -> String {
        let set = self.rule.fix.iter().flat_map(|fix| &fix.set);
        let set: Vec<String> = set.map(|(path, value)| format!("`{path}: {}`", value.to_json())).collect();
        if set.is_empty() { String::new() } else { format!("set {}", set.join(", ")) }
    }
}
