//! What is said twice of one place, in one and the same words, is said once: of a line in a base that several kustomizations
//! build on, of a module that several others call, of a block that stands for several instances.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Finding, Span, Subject, SubjectKind, Verdict};
use crate::terraform::address::{block, local, without_keys};

/// What makes two findings the same.
type Words = (String, Verdict, Span, Option<Subject>, String);

/// Leaves out what was said before. Of a fault of the input, which lies in what is written and not in what becomes of it,
/// the instances of a block and the calls of a module are one: the fault says how many of them have it. What a policy says
/// stays said of each.
pub(super) fn once(findings: &mut Vec<Finding>) {
    let mut first: BTreeMap<Words, usize> = BTreeMap::new();
    let mut kept: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut instances: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for finding in findings.drain(..) {
        let address = instance(&finding).map(str::to_owned);
        let at = *first.entry(words(&finding, address.as_deref())).or_insert(kept.len());
        if let Some(address) = address {
            instances.entry(at).or_default().insert(address);
        }
        if at == kept.len() {
            kept.push(finding);
        }
    }
    for (at, instances) in instances {
        if let Some(finding) = kept.get_mut(at).filter(|_| instances.len() > 1) {
            of_all(finding, instances.len());
        }
    }
    *findings = kept;
}

/// The resource that a fault is about.
fn instance(finding: &Finding) -> Option<&str> {
    let subject = finding.subject.as_ref().filter(|subject| subject.kind == SubjectKind::Terraform)?;
    finding.code.starts_with("NXF-CFG-").then_some(subject.address.as_str())
}

fn words(finding: &Finding, instance: Option<&str>) -> Words {
    let (subject, message) = match instance {
        Some(address) => {
            let plain = without_keys(address);
            (None, renamed(&finding.message, address, local(&plain)))
        }
        None => (finding.subject.clone(), finding.message.clone()),
    };
    (finding.code.clone(), finding.verdict, finding.span, subject, message)
}

/// Says a fault of the block, no more of its first instance.
fn of_all(finding: &mut Finding, count: usize) {
    let Some(subject) = &mut finding.subject else { return };
    let plain = without_keys(&subject.address);
    finding.message = format!("{} ({count} instances)", renamed(&finding.message, &subject.address, &plain));
    finding.pointer = renamed(&finding.pointer, &subject.address, &plain);
    finding.help = renamed(&finding.help, &subject.address, &plain);
    subject.address = plain;
}

/// A text with another name for a resource; some messages name the block, without its key.
fn renamed(text: &str, address: &str, name: &str) -> String {
    text.replace(address, name).replace(block(address), name)
}
