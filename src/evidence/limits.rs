//! What a policy does not prove, said as plainly as what it does.

use crate::policy::{Policy, Provenance};
use crate::report::visible;
use crate::source::SubjectKind;

use super::Evidence;

/// Sentences on one policy. `silent`: it found nothing to judge.
pub(super) fn limits(evidence: &Evidence<'_>, policy: &Policy, silent: bool) -> Vec<String> {
    let judges = |kind| policy.rules.iter().any(|rule| rule.scope.kind() == kind);
    let (blueprint, terraform, kubernetes) =
        (judges(SubjectKind::Blueprint), judges(SubjectKind::Terraform), judges(SubjectKind::Kubernetes));
    let mut limits = Vec::new();
    if silent {
        limits
            .push("Nothing in this platform is of the kind it looks at, so it says nothing here.".to_owned());
    }
    if !terraform && !kubernetes {
        limits.push(
            "It reads the blueprint alone: what was declared, not what the generated files do about it."
                .to_owned(),
        );
    } else if !blueprint {
        limits.push("It reads the generated files alone: the blueprint has no words for it.".to_owned());
    }
    if evidence.skipped.contains(&policy.id) {
        limits.push("One of its rules lacked an input and was not evaluated.".to_owned());
    }
    let ours: Vec<String> = policy
        .controls
        .iter()
        .filter_map(|(framework, controls)| {
            let ids: Vec<&str> = controls
                .iter()
                .filter(|control| control.by == Provenance::Judgement)
                .map(|control| control.id.as_str())
                .collect();
            (!ids.is_empty()).then(|| format!("{} {}", framework.title(), ids.join(", ")))
        })
        .collect();
    if !ours.is_empty() {
        limits.push(
            visible(&format!(
                "That it is evidence for {} is our judgement; an assessor has to confirm it.",
                ours.join("; ")
            ))
            .into_owned(),
        );
    }
    limits
}
