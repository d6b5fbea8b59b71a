//! Reads a policy file. Every fault is a finding at its place; reading goes on after each.

mod examples;
mod rules;

use std::collections::BTreeMap;

use crate::policy::arguments::{self, Stranger};
use crate::policy::controls::Framework;
use crate::policy::expression::CompileFault;
use crate::policy::file::{Control, Policy, Provenance, placed};
use crate::policy::path::join;
use crate::source::{
    FileId, Finding, Map, Node, Severity, SourceFile, Span, Value, did_you_mean, fault, yaml,
};

/// Keys of a policy file.
const POLICY_KEYS: [&str; 9] =
    ["id", "title", "severity", "rationale", "controls", "aliases", "waivable", "rules", "examples"];
/// Keys of `rules`.
const RULES_KEYS: [&str; 3] = ["blueprint", "terraform", "kubernetes"];
/// Keys of every rule.
const RULE_KEYS: [&str; 12] = [
    "when",
    "each",
    "find",
    "assert",
    "at",
    "message",
    "help",
    "fix",
    "needs",
    "severity",
    "aliases",
    "aliasAsserts",
];
/// Keys that say which things a rule looks at, by kind.
const SCOPE_KEYS: [&[&str]; 3] = [&["select"], &["resource", "block"], &["kind", "workload"]];
/// Keys of an example.
const EXAMPLE_KEYS: [&str; 8] =
    ["name", "at", "blueprint", "terraform", "providerLock", "kubernetes", "lock", "expect"];

/// Reads one policy file. There is a policy only if nothing is wrong with it, expressions apart: those are checked by
/// [`check`].
pub(super) fn read(id: FileId, file: &SourceFile, domain: &str) -> (Option<Policy>, Vec<Finding>) {
    read_documents(id, file, yaml::read(id, file), domain)
}

/// The same for a file whose YAML is read already.
pub(super) fn read_documents(
    id: FileId,
    file: &SourceFile,
    documents: yaml::Documents,
    domain: &str,
) -> (Option<Policy>, Vec<Finding>) {
    let mut reader = Reader { file, findings: documents.findings.into_iter().map(as_policy_fault).collect() };
    let root = documents.documents.first();
    let policy = match root {
        Some(root) if documents.complete => reader.policy(root, domain),
        _ => {
            if reader.findings.is_empty() {
                reader.fault(
                    Span::new(id, 0, 0),
                    "",
                    "the file is empty",
                    "write `id:` and the rest of a policy",
                );
            }
            None
        }
    };
    if let Some(second) = documents.documents.get(1) {
        reader.fault(
            second.span,
            "",
            "a policy file has one document",
            "put the second policy into its own file",
        );
    }
    (policy.filter(|_| reader.findings.is_empty()), reader.findings)
}

fn as_policy_fault(mut finding: Finding) -> Finding {
    fault::POLICY_FILE.code.clone_into(&mut finding.code);
    finding.title = fault::POLICY_FILE.title.into();
    finding
}

/// Compiles every expression of a policy, checks the names of Terraform's types and arguments in it, and returns what is
/// wrong.
pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in &policy.rules {
        let types = arguments::types(rule);
        let known = types.is_empty();
        findings.extend(types.iter().flat_map(|found| strangers(found, "", rule.span, None)));
        let of_aliases = rule.alias_asserts.iter().map(|(_, cel)| cel);
        for cel in rule.when.iter().chain([&rule.assert]).chain(of_aliases) {
            match cel.compiled() {
                Ok(expression) if known => {
                    let found = arguments::names(rule, expression);
                    findings.extend(
                        found.iter().flat_map(|found| strangers(found, &cel.text, cel.span, cel.verbatim)),
                    );
                }
                Ok(_) => {}
                Err(faults) => findings.extend(faults),
            }
        }
        for text in rule.message.iter().chain(&rule.help) {
            match text.compiled() {
                Ok(template) if known => {
                    let found =
                        template.expressions().flat_map(|expression| arguments::names(rule, expression));
                    findings.extend(
                        found.flat_map(|found| strangers(&found, &text.text, text.span, text.verbatim)),
                    );
                }
                Ok(_) => {}
                Err(faults) => findings.extend(faults),
            }
        }
    }
    findings
}

fn strangers(found: &Stranger, text: &str, span: Span, verbatim: Option<u32>) -> Vec<Finding> {
    let start = text.find(&found.text);
    let fault = CompileFault {
        start: start.unwrap_or(0),
        end: start.map_or(text.len(), |start| start + found.text.len()),
        message: found.message.clone(),
        help: found.help.clone(),
    };
    placed(&[fault], span, verbatim)
}

/// The value is faulty, and a finding says so.
struct Reported;

struct Reader<'s> {
    file: &'s SourceFile,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn fault(&mut self, span: Span, pointer: &str, message: impl Into<String>, help: impl Into<String>) {
        self.findings.push(
            Finding::fault(fault::POLICY_FILE, span, message).pointer(pointer).label("here").help(help),
        );
    }

    /// The mapping, its unknown keys reported.
    fn fields<'n>(&mut self, node: &'n Node, pointer: &str, what: &str, known: &[&str]) -> Option<&'n Map> {
        let Some(map) = node.as_map() else {
            self.fault(
                node.span,
                pointer,
                format!("{what} is a mapping"),
                format!("its keys: {}", known.join(", ")),
            );
            return None;
        };
        for (key, entry) in map.iter() {
            if !known.contains(&key.as_ref()) {
                let help = match did_you_mean(key, known.iter().copied()) {
                    Some(close) => format!("did you mean `{close}`?"),
                    None => format!("its keys: {}", known.join(", ")),
                };
                self.fault(entry.key, &join(pointer, key), format!("{what} has no key `{key}`"), help);
            }
        }
        Some(map)
    }

    fn required<'n>(
        &mut self,
        map: &'n Map,
        owner: Span,
        pointer: &str,
        key: &str,
        help: &str,
    ) -> Option<&'n Node> {
        let found = map.get(key).filter(|node| node.value != Value::Null);
        if found.is_none() {
            let place = map.entries.first().map_or(owner, |(_, first)| first.key);
            self.fault(place, pointer, format!("`{key}` is missing"), help);
        }
        found
    }

    fn text(&mut self, node: &Node, pointer: &str) -> Option<String> {
        match node.as_str() {
            Some(text) if !text.trim().is_empty() => Some(text.to_owned()),
            _ => {
                self.fault(
                    node.span,
                    pointer,
                    "a text is wanted here",
                    "write a text, in quotes if it looks like a number",
                );
                None
            }
        }
    }

    fn texts(&mut self, node: &Node, pointer: &str) -> Option<Vec<String>> {
        match &node.value {
            Value::List(items) => items.iter().map(|item| self.text(item, pointer)).collect(),
            _ => self.text(node, pointer).map(|text| vec![text]),
        }
    }

    fn policy(&mut self, root: &Node, domain: &str) -> Option<Policy> {
        let map = self.fields(root, "", "a policy", &POLICY_KEYS)?;
        let id = self.required(map, root.span, "", "id", "write `id: NXF-NET-001`");
        let span = id.map_or(root.span, |node| node.span);
        let id = id.and_then(|node| self.id(node));
        let title = self.required(map, root.span, "", "title", "say the requirement in one line");
        let title = title.and_then(|node| self.text(node, "title"));
        let severity = self.required(map, root.span, "", "severity", "one of critical, high, medium, low");
        let severity = severity.and_then(|node| self.severity(node));
        let rationale =
            self.required(map, root.span, "", "rationale", "say why a bank cares, in two sentences");
        let rationale = rationale.and_then(|node| self.text(node, "rationale"));
        let controls =
            self.required(map, root.span, "", "controls", "name at least one control it is evidence for");
        let controls = controls.and_then(|node| self.controls(node));
        let aliases = map.get("aliases").map_or(Some(Vec::new()), |node| self.texts(node, "aliases"));
        let waivable = map.get("waivable").map_or(Some(true), |node| self.bool(node, "waivable"));
        let rules = self.required(
            map,
            root.span,
            "",
            "rules",
            "write a rule under blueprint, terraform or kubernetes",
        );
        let rules = rules.and_then(|node| self.rules(node, aliases.as_deref()));
        let examples = map.get("examples").map_or(Some(Vec::new()), |node| self.examples(node));
        Some(Policy {
            id: id?,
            domain: domain.to_owned(),
            title: title?.into(),
            severity: severity?,
            rationale: rationale?.trim().to_owned(),
            controls: controls?,
            aliases: aliases?.into(),
            waivable: waivable?,
            rules: rules?,
            examples: examples?,
            span,
            named: std::sync::OnceLock::new(),
        })
    }

    fn id(&mut self, node: &Node) -> Option<String> {
        let id = self.text(node, "id")?;
        let parts: Vec<&str> = id.split('-').collect();
        let word = |part: &&str| {
            part.starts_with(|first: char| first.is_ascii_uppercase())
                && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        };
        let valid = match parts.split_last() {
            Some((number, words)) => {
                words.len() >= 2
                    && words.iter().all(word)
                    && number.len() == 3
                    && number.bytes().all(|byte| byte.is_ascii_digit())
            }
            None => false,
        };
        if !valid || id.starts_with("NXF-CFG-") {
            self.fault(
                node.span,
                "id",
                format!("`{id}` is no policy id"),
                "write words in capitals and three digits, as ACME-NET-001; NXF-CFG is taken by faults of input files",
            );
            return None;
        }
        Some(id)
    }

    fn bool(&mut self, node: &Node, pointer: &str) -> Option<bool> {
        let value = node.as_bool();
        if value.is_none() {
            self.fault(node.span, pointer, "true or false is wanted here", "write true or false");
        }
        value
    }

    fn severity(&mut self, node: &Node) -> Option<Severity> {
        let all = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];
        let found = all.into_iter().find(|severity| node.as_str() == Some(severity.as_str()));
        if found.is_none() {
            self.fault(node.span, "severity", "this is no severity", "one of critical, high, medium, low");
        }
        found
    }

    fn controls(&mut self, node: &Node) -> Option<BTreeMap<Framework, Vec<Control>>> {
        let known: Vec<&str> = Framework::ALL.iter().map(|framework| framework.id()).collect();
        let map = self.fields(node, "controls", "`controls`", &known)?;
        if map.entries.is_empty() {
            self.fault(
                node.span,
                "controls",
                "no control is named",
                "name at least one control it is evidence for",
            );
        }
        let mut controls = BTreeMap::new();
        for (key, entry) in map.iter() {
            let Some(framework) = Framework::parse(key) else { continue };
            let pointer = join("controls", key);
            if entry.node.items().is_empty() {
                self.fault(
                    entry.node.span,
                    &pointer,
                    "a list of controls is wanted here",
                    "[{id: ..., by: judgement}]",
                );
            }
            let mut list = Vec::new();
            for (at, item) in entry.node.items().iter().enumerate() {
                list.extend(self.control(item, framework, &join(&pointer, &at.to_string())));
            }
            controls.insert(framework, list);
        }
        Some(controls)
    }

    fn control(&mut self, node: &Node, framework: Framework, pointer: &str) -> Option<Control> {
        let map = self.fields(node, pointer, "a control", &["id", "by"])?;
        let id = self.required(map, node.span, pointer, "id", "the control's id in quotes")?;
        let Some(text) = id.as_str() else {
            self.fault(id.span, pointer, "YAML reads this id as a number", "put the id in quotes");
            return None;
        };
        if !framework.has_form(text) {
            let message = format!("`{text}` is no control of {}", framework.title());
            self.fault(id.span, pointer, message, format!("ids look like {}", framework.control_example()));
        }
        let by = self.required(map, node.span, pointer, "by", "published or judgement")?;
        let provenance = match by.as_str() {
            Some("published") => Provenance::Published,
            Some("judgement") => Provenance::Judgement,
            _ => {
                let help = "`published` if a published mapping lists an equivalent check, else `judgement`";
                self.fault(by.span, pointer, "who says so is `published` or `judgement`", help);
                return None;
            }
        };
        Some(Control { id: text.to_owned(), by: provenance })
    }
}
