//! `docs/policies`: a page for each built-in policy, made from its file, and indices by domain and by control.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use nexafi_gen::policy::selftest::{self, Outcome};
use nexafi_gen::policy::{Catalogue, Example, Framework, Policy, Provenance, Scope};
use nexafi_gen::source::{SubjectKind, Verdict};

/// Said at the top of every page: whoever edits one edits the wrong file.
const MADE: &str =
    "<!-- Made from policies/ by `cargo xtask docs`; change the policy's file and run it again. -->\n";

/// Writes every page, and removes those of policies that are no more.
pub(crate) fn run(root: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let directory = root.join("docs/policies");
    let catalogue = Catalogue::builtin();
    let mut pages: BTreeMap<String, String> = BTreeMap::new();
    for policy in catalogue.policies() {
        pages.insert(format!("{}.md", policy.id), page(policy)?);
    }
    pages.insert("README.md".to_owned(), by_domain(catalogue.policies())?);
    pages.insert("controls.md".to_owned(), by_control(catalogue.policies())?);
    std::fs::create_dir_all(&directory)?;
    for entry in walkdir::WalkDir::new(&directory).min_depth(1).sort_by_file_name() {
        let entry = entry?;
        if !pages.contains_key(&*entry.file_name().to_string_lossy()) {
            std::fs::remove_file(entry.path())?;
        }
    }
    for (name, text) in pages {
        std::fs::write(directory.join(name), text)?;
    }
    Ok(directory)
}

fn page(policy: &Policy) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "{MADE}\n# {}: {}\n", policy.id, policy.title)?;
    writeln!(text, "{}\n", policy.rationale.trim())?;
    writeln!(text, "| | |\n|---|---|")?;
    writeln!(text, "| severity | {} |", policy.severity.as_str())?;
    writeln!(text, "| domain | [{}](README.md#{}) |", policy.domain, policy.domain)?;
    writeln!(text, "| can be waived | {} |", if policy.waivable { "yes" } else { "no" })?;
    if !policy.aliases.is_empty() {
        writeln!(text, "| the same check elsewhere | {} |", policy.aliases.join(", "))?;
    }
    writeln!(
        text,
        "\n## Controls\n\n| framework | controls by a published mapping | by our judgement |\n|---|---|---|"
    )?;
    for (framework, controls) in &policy.controls {
        let of = |by: Provenance| {
            let ids: Vec<&str> = controls.iter().filter(|c| c.by == by).map(|c| c.id.as_str()).collect();
            ids.join(", ")
        };
        writeln!(
            text,
            "| {} | {} | {} |",
            framework.title(),
            of(Provenance::Published),
            of(Provenance::Judgement)
        )?;
    }
    rules(policy, &mut text)?;
    let outcomes = selftest::run(policy);
    mending(&outcomes, &mut text)?;
    examples(policy, &outcomes, &mut text)?;
    Ok(text)
}

fn rules(policy: &Policy, text: &mut String) -> std::fmt::Result {
    writeln!(text, "\n## What is asked")?;
    for rule in &policy.rules {
        let subjects = match &rule.scope {
            Scope::Blueprint(path) => format!("the blueprint, each `{path}`"),
            Scope::Block(kinds) => format!("Terraform, each `{}` block", kinds.join("`, `")),
            Scope::Terraform(types) => format!("Terraform, each `{}`", types.join("`, `")),
            Scope::Kubernetes(kinds) => format!("Kubernetes, each `{}`", kinds.join("`, `")),
            Scope::Workload => "Kubernetes, each object that has a pod".to_owned(),
        };
        let together: Vec<&str> = rule.needs.iter().map(|kind| name(*kind)).collect();
        let needs = if together.is_empty() {
            String::new()
        } else {
            format!(", judged together with {}", together.join(" and "))
        };
        let elsewhere = match rule.aliases.as_deref() {
            Some(aliases) if !aliases.is_empty() => format!(" (elsewhere {})", aliases.join(", ")),
            _ => String::new(),
        };
        writeln!(text, "\nOn {subjects}{needs}{elsewhere}:\n\n```cel")?;
        for line in rule.assertion().trim().lines() {
            writeln!(text, "{}", line.trim_end())?;
        }
        writeln!(text, "```")?;
    }
    Ok(())
}

fn mending(outcomes: &[Outcome], text: &mut String) -> std::fmt::Result {
    let mut helps: Vec<(SubjectKind, String)> = Vec::new();
    for finding in outcomes.iter().flat_map(|outcome| &outcome.findings) {
        let Some(subject) = &finding.subject else { continue };
        // The same help for another subject is the same.
        let shape = (subject.kind, finding.help.replace(&subject.address, "..."));
        if finding.verdict == Verdict::Fail && !finding.help.is_empty() && !helps.contains(&shape) {
            helps.push(shape);
        }
    }
    if !helps.is_empty() {
        writeln!(text, "\n## How to mend it\n")?;
    }
    for (kind, help) in helps {
        writeln!(text, "- {}: {}", name(kind), prose(&help))?;
    }
    Ok(())
}

/// A message as one line of Markdown: outside of code a `<` begins no tag.
fn prose(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let parts = line.split('`').enumerate();
    let part =
        |(at, part): (usize, &str)| if at % 2 == 0 { part.replace('<', "&lt;") } else { part.to_owned() };
    parts.map(part).collect::<Vec<_>>().join("`")
}

/// One example that fails and one that passes, of the same kind of file where there is one.
fn examples(policy: &Policy, outcomes: &[Outcome], text: &mut String) -> std::fmt::Result {
    let run: Vec<(&Example, &Outcome)> = policy.examples.iter().zip(outcomes).collect();
    let kind = |example: &Example| (example.blueprint.is_some(), example.terraform.is_some());
    let failing = run.iter().find(|(_, outcome)| outcome.worst == Some(Verdict::Fail));
    let passing = run
        .iter()
        .filter(|(_, outcome)| outcome.worst == Some(Verdict::Pass))
        .min_by_key(|(example, _)| failing.is_some_and(|(failing, _)| kind(example) != kind(failing)));
    for (what, found) in [("fails", failing), ("passes", passing)] {
        let Some((example, outcome)) = found else { continue };
        writeln!(text, "\n## An example that {what}\n\n{}:", example.name)?;
        let parts = [("yaml", &example.fragment), ("hcl", &example.terraform), ("yaml", &example.kubernetes)];
        for (language, part) in parts {
            if let Some(part) = part {
                writeln!(text, "\n```{language}\n{}\n```", part.trim_end())?;
            }
        }
        for finding in outcome.findings.iter().filter(|finding| finding.verdict == Verdict::Fail) {
            let subject = finding.subject.as_ref().map_or("", |subject| subject.address.as_str());
            writeln!(text, "\n`{subject}`: {}", prose(&finding.message))?;
        }
    }
    Ok(())
}

fn by_domain(policies: &[Policy]) -> Result<String, std::fmt::Error> {
    let mut domains: BTreeMap<&str, Vec<&Policy>> = BTreeMap::new();
    for policy in policies {
        domains.entry(&policy.domain).or_default().push(policy);
    }
    let mut text = String::new();
    writeln!(text, "{MADE}\n# The {} built-in policies\n", policies.len())?;
    writeln!(
        text,
        "By domain; [by control](controls.md). b: judged on a blueprint, t: on Terraform, k: on Kubernetes manifests, x: on \
         several together. [How to write one](../policy-language.md), [in ten minutes](../your-own-policy.md)."
    )?;
    for (domain, policies) in domains {
        writeln!(text, "\n## {domain}\n\n| id | severity | on | requirement |\n|---|---|---|---|")?;
        for policy in policies {
            writeln!(
                text,
                "| [{id}]({id}.md) | {} | {} | {} |",
                policy.severity.as_str(),
                kinds(policy),
                policy.title.replace('|', "\\|"),
                id = policy.id
            )?;
        }
    }
    Ok(text)
}

/// On which kinds of input a policy has rules, `btk`, and `x` for rules that need several.
fn kinds(policy: &Policy) -> String {
    let kinds =
        [(SubjectKind::Blueprint, 'b'), (SubjectKind::Terraform, 't'), (SubjectKind::Kubernetes, 'k')];
    let has = |kind| policy.rules.iter().any(|rule| rule.needs.is_empty() && rule.scope.kind() == kind);
    let mut letters: String = kinds.iter().filter(|(kind, _)| has(*kind)).map(|(_, letter)| letter).collect();
    if policy.rules.iter().any(|rule| !rule.needs.is_empty()) {
        letters.push('x');
    }
    letters
}

fn by_control(policies: &[Policy]) -> Result<String, std::fmt::Error> {
    type Controls<'a> = BTreeMap<Vec<Part<'a>>, (String, Vec<(&'a Policy, Provenance)>)>;
    let mut frameworks: BTreeMap<Framework, Controls<'_>> = BTreeMap::new();
    for policy in policies {
        for (framework, controls) in &policy.controls {
            for control in controls {
                let entry = frameworks.entry(*framework).or_default().entry(parts(&control.id));
                entry.or_insert_with(|| (control.id.clone(), Vec::new())).1.push((policy, control.by));
            }
        }
    }
    let mut text = String::new();
    writeln!(text, "{MADE}\n# Policies by control\n")?;
    writeln!(
        text,
        "Where nothing else is said a published mapping lists an equivalent check for the control. *Judgement* means that the \
         mapping is ours and an assessor has to confirm it. A policy that is met is evidence for a control, not the whole of it."
    )?;
    for (framework, controls) in frameworks {
        writeln!(
            text,
            "\n## {}\n\n`{}`\n\n| control | policies |\n|---|---|",
            framework.title(),
            framework.id()
        )?;
        for (id, policies) in controls.values() {
            let links: Vec<String> = policies
                .iter()
                .map(|(policy, by)| match by {
                    Provenance::Published => format!("[{id}]({id}.md)", id = policy.id),
                    Provenance::Judgement => format!("[{id}]({id}.md) *judgement*", id = policy.id),
                })
                .collect();
            writeln!(text, "| {id} | {} |", links.join(", "))?;
        }
    }
    Ok(text)
}

/// A part of a control's id, so that 10.2 comes after 9.1.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Number(u32),
    Word(&'a str),
}

fn parts(id: &str) -> Vec<Part<'_>> {
    id.split(['.', '-', '(', ')'])
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().map_or(Part::Word(part), Part::Number))
        .collect()
}

fn name(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Blueprint => "blueprint",
        SubjectKind::Terraform => "Terraform",
        SubjectKind::Kubernetes => "Kubernetes manifests",
    }
}
