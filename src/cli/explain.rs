//! `nexafi-gen explain`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;

use crate::policy::selftest::{self, Outcome};
use crate::policy::{Catalogue, Example, Policy, Provenance, Scope};
use crate::report::visible;
use crate::source::{FaultCode, Sources, SubjectKind, Verdict, did_you_mean, fault};

use super::args::Explain;
use super::judge::catalogue;
use super::{Error, ExitCode, Output, Surroundings};

pub(super) fn run(
    args: &Explain,
    surroundings: &Surroundings,
    output: &mut Output<'_>,
) -> Result<ExitCode, Error> {
    let wanted = args.id.to_ascii_uppercase();
    if let Some(policy) = Catalogue::one(&wanted) {
        output.print(&visible(&explain(&policy, surroundings.today)))?;
        return Ok(ExitCode::Clean);
    }
    let mut sources = Sources::default();
    let (catalogue, _) = catalogue(Catalogue::builtin(), &args.policies, surroundings, &mut sources)?;
    let policies = catalogue.policies();
    if let Some(policy) = policies.iter().find(|policy| policy.id.eq_ignore_ascii_case(&wanted)) {
        output.print(&visible(&explain(policy, surroundings.today)))?;
        return Ok(ExitCode::Clean);
    }
    if let Some(fault) = fault::ALL.iter().find(|fault| fault.code == wanted) {
        output.print(&explain_fault(fault))?;
        return Ok(ExitCode::Clean);
    }
    let ids =
        policies.iter().map(|policy| policy.id.as_str()).chain(fault::ALL.iter().map(|fault| fault.code));
    Err(Error::Usage {
        message: format!("there is no policy {}", args.id),
        help: match did_you_mean(&wanted, ids) {
            Some(close) => format!("did you mean {close}? `nexafi-gen policies list` lists them all"),
            None => "`nexafi-gen policies list` lists them all".to_owned(),
        },
    })
}

fn explain(policy: &Policy, today: Option<Date>) -> String {
    let mut text = format!("{}  {}\n", policy.id, policy.title);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\nseverity  {}", policy.severity.as_str());
    let _ = writeln!(text, "domain    {}", policy.domain);
    let _ = writeln!(text, "waivable  {}", if policy.waivable { "yes" } else { "no" });
    if !policy.aliases.is_empty() {
        let _ = writeln!(text, "also      {}", policy.aliases.join(", "));
    }
    let _ = write!(text, "\nWhy\n{}", wrap(&policy.rationale));
    let _ = writeln!(text, "\nControls");
    for (framework, controls) in &policy.controls {
        let ids: Vec<String> = controls
            .iter()
            .map(|control| match control.by {
                Provenance::Published => control.id.clone(),
                Provenance::Judgement => format!("{} (our judgement)", control.id),
            })
            .collect();
        let _ = writeln!(text, "  {}: {}", framework.title(), ids.join(", "));
    }
    for rule in &policy.rules {
        let subjects = match &rule.scope {
            Scope::Blueprint(path) => format!("blueprint: each {path}"),
            Scope::Block(kinds) => format!("Terraform: each {} block", kinds.join(", ")),
            Scope::Terraform(types) => format!("Terraform: each {}", types.join(", ")),
            Scope::Kubernetes(kinds) => format!("Kubernetes: each {}", kinds.join(", ")),
            Scope::Workload => "Kubernetes: each workload".to_owned(),
        };
        let _ = writeln!(text, "\nOn the {subjects}");
        for line in rule.assertion().lines() {
            let _ = writeln!(text, "  {}", line.trim_end());
        }
    }
    let outcomes = selftest::run(policy);
    examples(policy, &outcomes, &mut text);
    waiving(policy, &outcomes, today, &mut text);
    text.replace("On the Terraform:", "On Terraform:").replace("On the Kubernetes:", "On Kubernetes:")
}

/// One example that fails with what is said of it, one that passes, and how to mend each kind of file.
fn examples(policy: &Policy, outcomes: &[Outcome], text: &mut String) {
    let run: Vec<(&Example, &Outcome)> = policy.examples.iter().zip(outcomes).collect();
    let kind = |example: &Example| match (&example.blueprint, &example.terraform) {
        (Some(_), _) => SubjectKind::Blueprint,
        (None, Some(_)) => SubjectKind::Terraform,
        (None, None) => SubjectKind::Kubernetes,
    };
    let failing = run.iter().find(|(_, outcome)| outcome.worst == Some(Verdict::Fail));
    let passing = run
        .iter()
        .filter(|(_, outcome)| outcome.worst == Some(Verdict::Pass))
        // Of the same kind of file, so that the two can be compared.
        .min_by_key(|(example, _)| failing.is_some_and(|(failing, _)| kind(example) != kind(failing)));
    for (what, found) in [("Fails", failing), ("Passes", passing)] {
        let Some((example, outcome)) = found else { continue };
        let _ = writeln!(text, "\n{what}: {}", example.name);
        for part in [&example.fragment, &example.terraform, &example.kubernetes].into_iter().flatten() {
            for line in part.trim_end().lines() {
                let _ = writeln!(text, "{}", format!("  {line}").trim_end());
            }
        }
        for finding in outcome.findings.iter().filter(|finding| finding.verdict == Verdict::Fail) {
            let subject = finding.subject.as_ref().map_or("", |subject| subject.address.as_str());
            let _ = write!(text, "{}", wrap(&format!("-> {subject}: {}", finding.message)));
        }
    }
    let mut helps: BTreeMap<SubjectKind, Vec<(String, &str)>> = BTreeMap::new();
    for finding in outcomes.iter().flat_map(|outcome| &outcome.findings) {
        let Some(subject) = &finding.subject else { continue };
        let helps = helps.entry(subject.kind).or_default();
        if finding.verdict == Verdict::Fail && !finding.help.is_empty() && helps.len() < MOST_HELPS {
            // The same help for another subject is the same.
            let shape = finding.help.replace(&subject.address, "");
            if !helps.iter().any(|(earlier, _)| *earlier == shape) {
                helps.push((shape, finding.help.as_str()));
            }
        }
    }
    helps.retain(|_, helps| !helps.is_empty());
    if !helps.is_empty() {
        let _ = writeln!(text, "\nHow to mend");
    }
    for (kind, helps) in helps {
        let name = match kind {
            SubjectKind::Blueprint => "in the blueprint",
            SubjectKind::Terraform => "in Terraform",
            SubjectKind::Kubernetes => "in Kubernetes manifests",
        };
        for (_, help) in helps {
            let _ = write!(text, "{}", wrap(&format!("{name}: {help}")));
        }
    }
}

/// More than this many ways to mend one kind of file are no summary.
const MOST_HELPS: usize = 2;
/// How long the waiver runs that is offered, in days.
const OFFERED: i32 = 90;

/// A waiver to paste. Owner, ticket and reason stay empty: nobody answers for a finding by pasting.
fn waiving(policy: &Policy, outcomes: &[Outcome], today: Option<Date>, text: &mut String) {
    let _ = writeln!(text, "\nHow to waive");
    if !policy.waivable {
        let _ = writeln!(text, "  It cannot be waived.");
        return;
    }
    let expires = today
        .and_then(|today| today.checked_add(jiff::Span::new().days(OFFERED)).ok())
        .map_or_else(|| "YYYY-MM-DD".to_owned(), |date| date.to_string());
    let has = |kind| policy.rules.iter().any(|rule| rule.scope.kind() == kind);
    let id = &policy.id;
    if has(SubjectKind::Blueprint) {
        let subject = outcomes
            .iter()
            .flat_map(|outcome| &outcome.findings)
            .filter_map(|finding| finding.subject.as_ref())
            .find(|subject| subject.kind == SubjectKind::Blueprint)
            .map_or("regions.primary", |subject| subject.address.as_str());
        let _ = write!(
            text,
            "  In the blueprint, for it and all that is generated from it:
    compliance:
      waivers:
        - policy: {id}
          subject: {subject}
          reason: \"\"
          owner: \"\"
          ticket: \"\"
          expires: {expires}
"
        );
    }
    if has(SubjectKind::Terraform) {
        let _ = write!(
            text,
            "  In Terraform written by hand, directly above the block:
    # nexafi-gen:waive {id} owner=\"\" ticket=\"\" expires={expires} reason=\"\"
"
        );
    }
    if has(SubjectKind::Kubernetes) {
        let _ = write!(
            text,
            "  In Kubernetes manifests written by hand, among the object's annotations:
    nexafi-gen/waive.{id}: owner=\"\"; ticket=\"\"; expires={expires}; reason=\"\"
"
        );
    }
}

fn explain_fault(fault: &FaultCode) -> String {
    format!(
        "{}  {}\n\nA fault of an input file, not of the platform: the file cannot be used as what it is. The finding \
         itself\nsays what stands there and what to write instead.\n",
        fault.code, fault.title
    )
}

/// Text folded to lines of at most 98 characters, indented by two.
fn wrap(text: &str) -> String {
    let mut folded = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + word.chars().count() >= 98 {
            let _ = writeln!(folded, "  {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(folded, "  {line}");
    folded
}
