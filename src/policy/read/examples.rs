//! Examples of a policy file.

use std::collections::BTreeMap;

use super::{EXAMPLE_KEYS, RULES_KEYS, Reader};
use crate::policy::file::Example;
use crate::policy::path::join;
use crate::source::{Node, SourceFile, Value, Verdict, yaml};

impl Reader<'_> {
    pub(super) fn examples(&mut self, node: &Node) -> Option<Vec<Example>> {
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
        let provider_lock = self.optional(map, "providerLock", pointer, Self::text);
        let kubernetes = self.optional(map, "kubernetes", pointer, Self::text);
        let at = self.optional(map, "at", pointer, Self::date);
        let lock = self.optional(map, "lock", pointer, Self::fragment);
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
            fragment: map.get("blueprint").and_then(Node::as_str).map(str::to_owned),
            blueprint: blueprint.ok()?,
            terraform: terraform.ok()?,
            provider_lock: provider_lock.ok()?,
            kubernetes: kubernetes.ok()?,
            at: at.ok()?,
            lock: lock.ok()?,
            expect: expect?,
            span,
        })
    }

    fn date(&mut self, node: &Node, pointer: &str) -> Option<jiff::civil::Date> {
        let date = self.text(node, pointer)?.parse().ok();
        if date.is_none() {
            self.fault(node.span, pointer, "this is no date", "write `at: 2026-12-31`");
        }
        date
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
