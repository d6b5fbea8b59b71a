//! `nexafi-gen policies`.

use std::fmt::Write as _;

use camino::Utf8PathBuf;

use crate::policy::{Catalogue, Policy, selftest};
use crate::report::{Format, Report, visible};
use crate::source::{Sources, SubjectKind, Verdict};

use super::args::{Policies, PoliciesCommand};
use super::assess::{add_directories, catalogue};
use super::{Error, ExitCode, Output, Surroundings};

pub(super) fn run(
    args: &Policies,
    surroundings: &Surroundings,
    output: &mut Output<'_>,
) -> Result<ExitCode, Error> {
    match &args.command {
        PoliciesCommand::List { policies } => list(policies, surroundings, output),
        PoliciesCommand::Test { directory } => test(directory.as_ref(), surroundings, output),
    }
}

fn list(
    directories: &[Utf8PathBuf],
    surroundings: &Surroundings,
    output: &mut Output<'_>,
) -> Result<ExitCode, Error> {
    let mut sources = Sources::default();
    let (catalogue, faults) = catalogue(directories, surroundings, &mut sources)?;
    let mut text = String::new();
    for policy in catalogue.policies() {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<12}  {:<8}  {:<3}  {}",
            policy.id,
            policy.severity.as_str(),
            judges(policy),
            policy.title
        );
    }
    output.print(&text)?;
    output.remark("\nb: blueprint, t: Terraform, k: Kubernetes; `nexafi-gen explain ID` says more");
    if faults.is_empty() {
        return Ok(ExitCode::Clean);
    }
    let report = Report::new(&sources, &surroundings.directory, Vec::new(), faults);
    output.err(&report.render(Format::Graphical, output.style));
    Ok(ExitCode::Unusable)
}

/// On which kinds of input a policy has rules: `btk`.
fn judges(policy: &Policy) -> String {
    [(SubjectKind::Blueprint, 'b'), (SubjectKind::Terraform, 't'), (SubjectKind::Kubernetes, 'k')]
        .into_iter()
        .map(
            |(kind, letter)| {
                if policy.rules.iter().any(|rule| rule.scope.kind() == kind) { letter } else { '-' }
            },
        )
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
    let policies = catalogue.policies().len();
    if failed == 0 {
        output.remark(&format!("{examples} examples of {policies} policies: all as expected"));
        return Ok(ExitCode::Clean);
    }
    output.remark(&format!("{failed} of {examples} examples of {policies} policies are not as expected"));
    Ok(ExitCode::Findings)
}

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
        let _ = writeln!(text, "  its input cannot be used: {fault}");
    }
    for mismatch in &outcome.mismatches {
        let word = |verdict: Option<Verdict>| verdict.map_or("no verdict", Verdict::as_str);
        let _ = write!(
            text,
            "  {}: expected {}, is {}",
            mismatch.subject,
            word(mismatch.expected),
            word(mismatch.actual)
        );
        let _ = if mismatch.message.is_empty() {
            writeln!(text)
        } else {
            writeln!(text, ": {}", mismatch.message)
        };
    }
}
