//! `nexafi-gen policies`.

use std::fmt::Write as _;

use camino::Utf8PathBuf;

use crate::policy::{Catalogue, Control, Framework, Policy, selftest};
use crate::report::{Format, Report, visible};
use crate::source::{Sources, SubjectKind, Verdict, did_you_mean};

use super::args::{List, ListFormat, Policies, PoliciesCommand};
use super::choose::{Known, choose};
use super::judge::{add_directories, catalogue, known};
use super::{Error, ExitCode, Output, Surroundings};

pub(super) fn run(
    args: &Policies,
    surroundings: &Surroundings,
    output: &mut Output<'_>,
) -> Result<ExitCode, Error> {
    match &args.command {
        PoliciesCommand::List(args) => list(args, surroundings, output),
        PoliciesCommand::Test { directory } => test(directory.as_ref(), surroundings, output),
    }
}

fn list(args: &List, surroundings: &Surroundings, output: &mut Output<'_>) -> Result<ExitCode, Error> {
    let mut sources = Sources::default();
    let (catalogue, faults) =
        catalogue(Catalogue::judging(), &args.chosen.policies, surroundings, &mut sources)?;
    let every: Vec<Known<'_>> = catalogue.policies().iter().map(known).collect();
    let choice = choose(&every, &args.chosen)?;
    let chosen: Vec<&Policy> = catalogue
        .policies()
        .iter()
        .zip(&choice.applies)
        .filter(|(_, applies)| **applies)
        .map(|(policy, _)| policy)
        .collect();
    match args.format {
        ListFormat::Table => {
            output.print(&table(&chosen, &args.chosen.framework))?;
            output.remark("\nb: blueprint, t: Terraform, k: Kubernetes; `nexafi-gen explain ID` says more");
        }
        ListFormat::Json => output.print(&document(&chosen))?,
    }
    if faults.is_empty() {
        return Ok(ExitCode::Clean);
    }
    let report = Report::new(&sources, &surroundings.directory, Vec::new(), faults);
    output.err(&report.render(Format::Graphical, output.style));
    Ok(ExitCode::Unusable)
}

/// One line a policy; of chosen frameworks the controls are there too.
fn table(policies: &[&Policy], frameworks: &[String]) -> String {
    let controls = |policy: &Policy| -> String {
        let of_framework = |(framework, _): &(&Framework, &Vec<Control>)| {
            frameworks.iter().any(|wanted| wanted == framework.id())
        };
        let ids = policy.controls.iter().filter(of_framework).flat_map(|(_, controls)| controls);
        ids.map(|control| control.id.as_str()).collect::<Vec<_>>().join(", ")
    };
    let columns: Vec<String> = policies.iter().map(|policy| controls(policy)).collect();
    let width = columns.iter().map(|controls| controls.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (policy, controls) in policies.iter().zip(columns) {
        let controls = if frameworks.is_empty() { String::new() } else { format!("{controls:<width$}  ") };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<12}  {:<8}  {:<3}  {controls}{}",
            policy.id,
            policy.severity.as_str(),
            judges(policy),
            policy.title
        );
    }
    text
}

/// The name and version of the JSON list's shape.
const LIST_SCHEMA: &str = "nexafi-gen/policies/v1";

fn document(policies: &[&Policy]) -> String {
    let entries: Vec<serde_json::Value> = policies
        .iter()
        .map(|policy| {
            let controls: serde_json::Map<String, serde_json::Value> = policy
                .controls
                .iter()
                .map(|(framework, controls)| {
                    let listed = controls
                        .iter()
                        .map(|control| serde_json::json!({"id": control.id, "by": control.by.as_str()}));
                    (framework.id().to_owned(), listed.collect())
                })
                .collect();
            let kinds = [SubjectKind::Blueprint, SubjectKind::Terraform, SubjectKind::Kubernetes];
            let rules: Vec<SubjectKind> = kinds.into_iter().filter(|kind| has_rule(policy, *kind)).collect();
            serde_json::json!({
                "id": policy.id,
                "domain": policy.domain,
                "title": policy.title,
                "severity": policy.severity,
                "rationale": policy.rationale,
                "controls": controls,
                "aliases": policy.aliases,
                "waivable": policy.waivable,
                "rules": rules,
                "examples": policy.examples.len(),
            })
        })
        .collect();
    let document = serde_json::json!({
        "schema": LIST_SCHEMA,
        "tool": {"name": "nexafi-gen", "version": env!("CARGO_PKG_VERSION")},
        "policies": entries,
    });
    // Strings, numbers and string-keyed maps only: there is nothing serde_json could refuse.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn has_rule(policy: &Policy, kind: SubjectKind) -> bool {
    policy.rules.iter().any(|rule| rule.scope.kind() == kind)
}

/// On which kinds of input a policy has rules: `btk`.
fn judges(policy: &Policy) -> String {
    [(SubjectKind::Blueprint, 'b'), (SubjectKind::Terraform, 't'), (SubjectKind::Kubernetes, 'k')]
        .into_iter()
        .map(|(kind, letter)| if has_rule(policy, kind) { letter } else { '-' })
        .collect()
}

fn test(
    directory: Option<&Utf8PathBuf>,
    surroundings: &Surroundings,
    output: &mut Output<'_>,
) -> Result<ExitCode, Error> {
    let mut sources = Sources::default();
    let mut catalogue = if directory.is_some() { Catalogue::default() } else { Catalogue::builtin() };
    let directories: Vec<Utf8PathBuf> = directory.cloned().into_iter().collect();
    let faults = add_directories(&mut catalogue, &directories, surroundings, &mut sources)?;
    let mut text = String::new();
    let (mut examples, mut failed) = (0, 0);
    for policy in catalogue.policies() {
        let outcomes = selftest::run(policy);
        if outcomes.is_empty() {
            output.warn(&format!("{} has no example: nothing shows that it works", policy.id));
        }
        for outcome in outcomes {
            examples += 1;
            if !outcome.passed() {
                failed += 1;
                describe(&outcome, &sources, &mut text);
            }
        }
    }
    output.print(&visible(&text))?;
    if !faults.is_empty() {
        let report = Report::new(&sources, &surroundings.directory, Vec::new(), faults);
        output.err(&report.render(Format::Graphical, output.style));
        return Ok(ExitCode::Unusable);
    }
    // A policy that cannot be read has no example that could fail.
    let broken = if directory.is_some() { Vec::new() } else { catalogue.broken() };
    if !broken.is_empty() {
        output.err(&format!(
            "error: built-in policies that cannot be read:\n  {}\n",
            visible(&broken.join("\n  "))
        ));
        return Ok(ExitCode::Unusable);
    }
    let policies = catalogue.policies().len();
    if failed == 0 {
        output.remark(&format!("{examples} examples of {policies} policies: all as expected"));
        return Ok(ExitCode::Clean);
    }
    output.remark(&format!(
        "{failed} of {examples} examples of {policies} policies are not as expected (-) but otherwise (+)"
    ));
    Ok(ExitCode::Findings)
}

/// A difference as `diff` shows one: what the example says with a minus, what is with a plus.
fn describe(outcome: &selftest::Outcome, sources: &Sources, text: &mut String) {
    // Built-in policies have no file to point into.
    let place = sources
        .get(outcome.span.file)
        .map(|file| {
            let at = file.line_column(outcome.span.start as usize);
            format!("{}:{}:{}: ", file.path(), at.line, at.column)
        })
        .unwrap_or_default();
    let _ = writeln!(text, "{place}{} example \"{}\"", outcome.policy, outcome.example);
    for fault in &outcome.faults {
        let _ = writeln!(text, "  ! its input cannot be used: {fault}");
    }
    let word = |verdict: Option<Verdict>| verdict.map_or("none", Verdict::as_str);
    for (subject, verdict) in &outcome.met {
        let _ = writeln!(text, "    {subject}: {}", word(*verdict));
    }
    for mismatch in &outcome.mismatches {
        if mismatch.listed {
            let _ = writeln!(text, "  - {}: {}", mismatch.subject, word(mismatch.expected));
        }
        let why = if mismatch.actual.is_none() {
            nobody_judged(&mismatch.subject, &outcome.judged)
        } else if mismatch.message.is_empty() || mismatch.actual == Some(Verdict::Pass) {
            String::new()
        } else {
            format!("   # {}", mismatch.message.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        let _ = writeln!(text, "  + {}: {}{why}", mismatch.subject, word(mismatch.actual));
        if !mismatch.listed {
            let _ = writeln!(text, "    the example does not list it: write what it expects of it");
        }
    }
    text.push('\n');
}

/// Why a subject of an example has no verdict.
fn nobody_judged(subject: &str, judged: &[String]) -> String {
    let close = did_you_mean(subject, judged.iter().map(String::as_str));
    match (close, judged) {
        (Some(close), _) => format!("   # no rule looks at it; did you mean `{close}`?"),
        (None, []) => "   # no rule looks at anything in this example".to_owned(),
        (None, judged) => format!("   # no rule looks at it; judged: {}", judged.join(", ")),
    }
}
