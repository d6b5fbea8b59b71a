//! Reads a policy file. Every fault is a finding at its place; reading goes on after each.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::arguments::{self, Stranger};
use super::controls::Framework;
use super::expression::CompileFault;
use super::file::{Cel, Control, Example, Policy, Provenance, Rule, Scope, Text, placed};
use super::path::{Path, join};
use crate::source::{
    Entry, FileId, Finding, Map, Node, Severity, SourceFile, Span, SubjectKind, Value, Verdict, did_you_mean,
    fault, yaml,
};

/// Keys of a policy file.
pub(super) const POLICY_KEYS: [&str; 9] =
    ["id", "title", "severity", "rationale", "controls", "aliases", "waivable", "rules", "examples"];
/// Keys of `rules`.
pub(super) const RULES_KEYS: [&str; 3] = ["blueprint", "terraform", "kubernetes"];
/// Keys of every rule.
pub(super) const RULE_KEYS: [&str; 8] = ["when", "each", "assert", "at", "message", "help", "fix", "needs"];
/// Keys that say which things a rule looks at, by kind.
pub(super) const SCOPE_KEYS: [&[&str]; 3] = [&["select"], &["resource"], &["kind", "workload"]];
/// Keys of an example.
pub(super) const EXAMPLE_KEYS: [&str; 5] = ["name", "blueprint", "terraform", "kubernetes", "expect"];

/// Reads one policy file. There is a policy only if nothing is wrong with it, expressions apart: those are checked by
/// [`check`].
pub(super) fn read(id: FileId, file: &SourceFile, domain: &str) -> (Option<Policy>, Vec<Finding>) {
    let documents = yaml::read(id, file);
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
    fault::POLICY_FILE.title.clone_into(&mut finding.title);
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
        for cel in rule.when.iter().chain([&rule.assert]) {
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
        let rules = rules.and_then(|node| self.rules(node));
        let examples = map.get("examples").map_or(Some(Vec::new()), |node| self.examples(node));
        Some(Policy {
            id: id?,
            domain: domain.to_owned(),
            title: title?,
            severity: severity?,
            rationale: rationale?.trim().to_owned(),
            controls: controls?,
            aliases: aliases?,
            waivable: waivable?,
            rules: rules?,
            examples: examples?,
            span,
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

    fn rules(&mut self, node: &Node) -> Option<Vec<Rule>> {
        let map = self.fields(node, "rules", "`rules`", &RULES_KEYS)?;
        let mut rules = Vec::new();
        let mut whole = true;
        for (key, scope_keys) in RULES_KEYS.iter().zip(SCOPE_KEYS) {
            let Some(entry) = map.entries.get(*key) else { continue };
            let pointer = join("rules", key);
            let nodes = match &entry.node.value {
                Value::List(items) => items.iter().collect(),
                _ => vec![&entry.node],
            };
            for (at, rule) in nodes.iter().enumerate() {
                let pointer = if nodes.len() > 1 { join(&pointer, &at.to_string()) } else { pointer.clone() };
                match self.rule(rule, key, scope_keys, &pointer) {
                    Some(rule) => rules.push(rule),
                    None => whole = false,
                }
            }
        }
        if rules.is_empty() && whole {
            self.fault(
                node.span,
                "rules",
                "there is no rule",
                "write one under blueprint, terraform or kubernetes",
            );
            return None;
        }
        whole.then_some(rules)
    }

    fn rule(&mut self, node: &Node, kind: &str, scope_keys: &[&str], pointer: &str) -> Option<Rule> {
        let known: Vec<&str> = scope_keys.iter().chain(&RULE_KEYS).copied().collect();
        let map = self.fields(node, pointer, &format!("a {kind} rule"), &known)?;
        let scope = self.scope(map, node.span, kind, pointer);
        let each = self.optional(map, "each", pointer, Self::path);
        let in_each = matches!(&each, Ok(Some(_)));
        let when = self.optional(map, "when", pointer, |reader, node, at| reader.cel(node, at, in_each));
        let assert = self
            .required(map, node.span, pointer, "assert", "write the expression that has to be true")
            .and_then(|node| self.cel(node, &join(pointer, "assert"), in_each));
        let at = self.optional(map, "at", pointer, Self::path);
        let message =
            self.optional(map, "message", pointer, |reader, node, at| reader.message(node, at, in_each));
        let help = self.optional(map, "help", pointer, |reader, node, at| reader.message(node, at, in_each));
        let fix = self.optional(map, "fix", pointer, Self::fix);
        let needs = self.optional(map, "needs", pointer, Self::needs);
        Some(Rule {
            scope: scope?,
            span: scope_keys.iter().find_map(|key| map.get(key)).map_or(node.span, |node| node.span),
            needs: needs.ok()?.unwrap_or_default(),
            when: when.ok()?,
            each: each.ok()?,
            assert: assert?,
            at: at.ok()?,
            message: message.ok()?,
            help: help.ok()?,
            fix: fix.ok()?.unwrap_or_default(),
        })
    }

    /// The value of a key that may be absent.
    fn optional<T>(
        &mut self,
        map: &Map,
        key: &str,
        pointer: &str,
        read: impl FnOnce(&mut Self, &Node, &str) -> Option<T>,
    ) -> Result<Option<T>, Reported> {
        match map.get(key) {
            None => Ok(None),
            Some(node) => read(self, node, &join(pointer, key)).map(Some).ok_or(Reported),
        }
    }

    fn scope(&mut self, map: &Map, owner: Span, kind: &str, pointer: &str) -> Option<Scope> {
        match kind {
            "blueprint" => {
                let node =
                    self.required(map, owner, pointer, "select", "write the path of the nodes to look at")?;
                self.path(node, &join(pointer, "select")).map(Scope::Blueprint)
            }
            "terraform" => {
                let node =
                    self.required(map, owner, pointer, "resource", "write the resource type to look at")?;
                self.texts(node, &join(pointer, "resource")).map(Scope::Terraform)
            }
            _ => match (map.get("kind"), map.entries.get("workload")) {
                (Some(node), None) => self.texts(node, &join(pointer, "kind")).map(Scope::Kubernetes),
                (None, Some(Entry { node, .. })) if node.as_bool() == Some(true) => Some(Scope::Workload),
                (_, Some(entry)) => {
                    let help = "write either `kind: Deployment` or `workload: true`";
                    self.fault(entry.key, &join(pointer, "workload"), "`workload: true` stands alone", help);
                    None
                }
                (None, None) => {
                    let place = map.entries.first().map_or(owner, |(_, first)| first.key);
                    let help = "write `kind: Deployment`, or `workload: true` for everything that has a pod";
                    self.fault(place, pointer, "`kind` is missing", help);
                    None
                }
            },
        }
    }

    fn path(&mut self, node: &Node, pointer: &str) -> Option<Path> {
        let text = self.text(node, pointer)?;
        match Path::parse(&text) {
            Ok(path) => Some(path),
            Err(why) => {
                self.fault(
                    node.span,
                    pointer,
                    format!("`{text}` is no path: {why}"),
                    "write keys and `*`, joined by dots",
                );
                None
            }
        }
    }

    /// Where a text begins in the file, if it stands there as it is (quotes and indented blocks change it).
    fn verbatim(&self, node: &Node, text: &str) -> Option<u32> {
        let at = self.file.slice(node.span).find(text)?;
        u32::try_from(at).ok().map(|at| node.span.start + at)
    }

    fn cel(&mut self, node: &Node, pointer: &str, each: bool) -> Option<Cel> {
        let text = match &node.value {
            // `assert: true` and `assert: false` are expressions too.
            Value::Bool(value) => value.to_string(),
            _ => self.text(node, pointer)?,
        };
        let verbatim = self.verbatim(node, &text);
        Some(Cel { text, span: node.span, verbatim, each, compiled: OnceLock::new() })
    }

    fn message(&mut self, node: &Node, pointer: &str, each: bool) -> Option<Text> {
        let text = self.text(node, pointer)?;
        let verbatim = self.verbatim(node, &text);
        Some(Text { text, span: node.span, verbatim, each, compiled: OnceLock::new() })
    }

    fn fix(&mut self, node: &Node, pointer: &str) -> Option<Vec<(Path, Node)>> {
        let map = self.fields(node, pointer, "`fix`", &["set"])?;
        let set = self.required(map, node.span, pointer, "set", "write `{set: {path: value}}`")?;
        let Some(entries) = set.as_map() else {
            self.fault(
                set.span,
                pointer,
                "`set` is a mapping of paths to values",
                "write `{set: {path: value}}`",
            );
            return None;
        };
        let mut fix = Vec::new();
        for (key, entry) in entries.iter() {
            match Path::parse(key) {
                Ok(path) => fix.push((path, entry.node.clone())),
                Err(why) => {
                    self.fault(
                        entry.key,
                        pointer,
                        format!("`{key}` is no path: {why}"),
                        "write keys joined by dots",
                    );
                }
            }
        }
        Some(fix)
    }

    fn needs(&mut self, node: &Node, pointer: &str) -> Option<Vec<SubjectKind>> {
        let kinds = [SubjectKind::Blueprint, SubjectKind::Terraform, SubjectKind::Kubernetes];
        let mut needs = Vec::new();
        for name in self.texts(node, pointer)? {
            match RULES_KEYS.iter().zip(kinds).find(|(known, _)| **known == name) {
                Some((_, kind)) => needs.push(kind),
                None => self.fault(
                    node.span,
                    pointer,
                    format!("`{name}` is no kind of input"),
                    "blueprint, terraform or kubernetes",
                ),
            }
        }
        Some(needs)
    }

    fn examples(&mut self, node: &Node) -> Option<Vec<Example>> {
        let Value::List(items) = &node.value else {
            self.fault(node.span, "examples", "`examples` is a list", "write `- name: ...`");
            return None;
        };
        let read: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(at, item)| self.example(item, &format!("examples.{at}")))
            .collect();
        read.into_iter().collect()
    }

    fn example(&mut self, node: &Node, pointer: &str) -> Option<Example> {
        let map = self.fields(node, pointer, "an example", &EXAMPLE_KEYS)?;
        let name = self.required(map, node.span, pointer, "name", "say what the example shows");
        let span = name.map_or(node.span, |node| node.span);
        let name = name.and_then(|node| self.text(node, &join(pointer, "name")));
        let blueprint = self.optional(map, "blueprint", pointer, Self::fragment);
        let terraform = self.optional(map, "terraform", pointer, Self::text);
        let kubernetes = self.optional(map, "kubernetes", pointer, Self::text);
        if RULES_KEYS.iter().all(|kind| map.get(kind).is_none()) {
            self.fault(
                span,
                pointer,
                "the example has no input",
                "write blueprint, terraform or kubernetes text",
            );
        }
        let expect = self
            .required(map, node.span, pointer, "expect", "write `{aws_vpc.main: fail}`")
            .and_then(|node| self.expect(node, &join(pointer, "expect")));
        Some(Example {
            name: name?,
            blueprint: blueprint.ok()?,
            terraform: terraform.ok()?,
            kubernetes: kubernetes.ok()?,
            expect: expect?,
            span,
        })
    }

    /// A fragment is YAML inside the YAML, as a text; a mapping is taken as it is.
    fn fragment(&mut self, node: &Node, pointer: &str) -> Option<Node> {
        if node.as_map().is_some() {
            return Some(node.clone());
        }
        let text = self.text(node, pointer)?;
        let inner = SourceFile::new("example", text);
        let documents = yaml::read(node.span.file, &inner);
        for finding in &documents.findings {
            let message = format!("the example's blueprint: {}", finding.message);
            self.fault(node.span, pointer, message, finding.help.clone());
        }
        match documents.documents.into_iter().next() {
            Some(fragment) if documents.findings.is_empty() && fragment.as_map().is_some() => Some(fragment),
            _ => {
                if documents.findings.is_empty() {
                    self.fault(
                        node.span,
                        pointer,
                        "the example's blueprint is a mapping",
                        "write `regions: {...}`",
                    );
                }
                None
            }
        }
    }

    fn expect(&mut self, node: &Node, pointer: &str) -> Option<BTreeMap<String, Option<Verdict>>> {
        let Some(map) = node.as_map() else {
            self.fault(
                node.span,
                pointer,
                "`expect` maps subjects to verdicts",
                "write `{aws_vpc.main: fail}`",
            );
            return None;
        };
        let mut expect = BTreeMap::new();
        for (subject, entry) in map.iter() {
            let verdict = match entry.node.as_str() {
                Some("pass") => Some(Verdict::Pass),
                Some("fail") => Some(Verdict::Fail),
                Some("unproven") => Some(Verdict::Unproven),
                Some("none") => None,
                _ => {
                    let help = "pass, fail, unproven, or none where the rule does not apply";
                    self.fault(entry.node.span, pointer, "this is no verdict", help);
                    continue;
                }
            };
            expect.insert(subject.to_string(), verdict);
        }
        Some(expect)
    }
}
