//! `nexafi-gen explain`.

use std::fmt::Write as _;

use crate::policy::{Policy, Provenance, Scope};
use crate::source::{FaultCode, Sources, did_you_mean, fault};

use super::args::Explain;
use super::assess::catalogue;
use super::{Error, ExitCode, Output, Surroundings};

pub(super) fn run(
    args: &Explain,
    surroundings: &Surroundings,
    output: &mut Output<'_>,
) -> Result<ExitCode, Error> {
    let mut sources = Sources::default();
    let (catalogue, _) = catalogue(&args.policies, surroundings, &mut sources)?;
    let wanted = args.id.to_ascii_uppercase();
    let policies = catalogue.policies();
    if let Some(policy) = policies.iter().find(|policy| policy.id.eq_ignore_ascii_case(&wanted)) {
        output.print(&explain(policy))?;
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

fn explain(policy: &Policy) -> String {
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
    text.replace("On the Terraform:", "On Terraform:").replace("On the Kubernetes:", "On Kubernetes:")
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
