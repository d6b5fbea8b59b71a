//! Calls of modules against what the modules declare.

use std::collections::BTreeSet;

use super::declared::{Declared, Placed};
use super::references::{OfModule, References};
use super::tree::Tree;
use crate::source::{Finding, Span, did_you_mean, fault};

/// What Terraform itself takes in a call.
const OWN: [&str; 6] = ["source", "version", "providers", "count", "for_each", "depends_on"];

/// What a call gives that the module does not take, what it does not give, and outputs that are not there. A call is checked
/// once, however often the module it stands in is called.
pub(super) fn check(
    tree: &Tree,
    directories: &[Declared<'_>],
    references: &[References<'_>],
    findings: &mut Vec<Finding>,
) {
    let mut seen = BTreeSet::new();
    for branch in &tree.nodes {
        let Some(declared) = directories.get(branch.directory) else { continue };
        for (name, call) in &declared.calls {
            let node = branch.calls.get(*name).and_then(|found| tree.nodes.get(*found.as_ref().ok()?));
            let Some(called) = node.and_then(|node| directories.get(node.directory)) else { continue };
            // A directory that does not parse may declare more than is known.
            if !called.is_whole() || !seen.insert((branch.directory, *name)) {
                continue;
            }
            strangers(name, call, called, findings);
            missing(name, call, called, findings);
            let used = references.get(branch.directory).into_iter().flat_map(|found| &found.of_modules);
            outputs(used.filter(|used| used.call == *name), called, findings);
        }
    }
}

fn strangers(name: &str, call: &Placed<'_>, called: &Declared<'_>, findings: &mut Vec<Finding>) {
    for argument in call.body.attributes() {
        let key = argument.key.as_str();
        if OWN.contains(&key) || called.variables.contains_key(key) {
            continue;
        }
        let help = match did_you_mean(key, called.variables.keys().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("remove it, or declare variable \"{key}\" in the module"),
        };
        let message = format!("module {name} has no variable `{key}`");
        let span = call.place.of(&argument.key);
        findings.push(finding(span, message, "the module does not take it", help));
    }
}

fn missing(name: &str, call: &Placed<'_>, called: &Declared<'_>, findings: &mut Vec<Finding>) {
    for (variable, block) in &called.variables {
        if call.body.has_attribute(variable) || block.body.has_attribute("default") {
            continue;
        }
        let message = format!("module {name} lacks a value for its variable `{variable}`");
        let help = format!("add {variable} = ..., or give the variable a default");
        findings.push(finding(call.header, message, "required", help));
    }
}

fn outputs<'u>(
    used: impl Iterator<Item = &'u OfModule<'u>>,
    called: &Declared<'_>,
    findings: &mut Vec<Finding>,
) {
    for OfModule { call, output, span } in used.filter(|used| !called.outputs.contains_key(used.output)) {
        let help = match did_you_mean(output, called.outputs.keys().copied()) {
            Some(near) => format!("did you mean `module.{call}.{near}`?"),
            None => format!("declare output \"{output}\" in the module"),
        };
        let message = format!("module {call} has no output `{output}`");
        findings.push(finding(*span, message, "no such output", help));
    }
}

fn finding(span: Span, message: String, label: &str, help: String) -> Finding {
    Finding::fault(fault::TERRAFORM_REFERENCE, span, message).label(label).help(help)
}
