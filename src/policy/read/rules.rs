//! Rules of a policy file.

use std::sync::OnceLock;

use super::{RULE_KEYS, RULES_KEYS, Reader, Reported, SCOPE_KEYS};
use crate::policy::file::{
    BLOCK_KINDS, Cel, Find, Rule, RuleFix, Scope, Text, judges_by_others, looks_at_passes,
};
use crate::policy::path::{Path, join};
use crate::source::{Entry, Map, Node, Span, SubjectKind, Value};

impl Reader<'_> {
    /// The rules of a policy that has these aliases, if they are known.
    pub(super) fn rules(&mut self, node: &Node, aliases: Option<&[String]>) -> Option<Vec<Rule>> {
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
                match self.rule(rule, key, scope_keys, aliases, &pointer) {
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

    fn rule(
        &mut self,
        node: &Node,
        kind: &str,
        scope_keys: &[&str],
        of_policy: Option<&[String]>,
        pointer: &str,
    ) -> Option<Rule> {
        let known: Vec<&str> = scope_keys.iter().chain(&RULE_KEYS).copied().collect();
        let map = self.fields(node, pointer, &format!("a {kind} rule"), &known)?;
        let scope = self.scope(map, node.span, kind, pointer);
        let each = self.optional(map, "each", pointer, Self::path);
        let find = self.finds(map, kind, pointer);
        let in_each = matches!(&each, Ok(Some(_))) || matches!(&find, Ok(Some(_)));
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
        let severity = self.optional(map, "severity", pointer, |reader, node, _| reader.severity(node));
        let aliases =
            self.optional(map, "aliases", pointer, |reader, node, at| reader.aliases(node, of_policy, at));
        let names = match &aliases {
            Ok(Some(aliases)) => Some(aliases.clone()),
            _ => of_policy.map(<[String]>::to_vec),
        };
        let alias_asserts = self.optional(map, "aliasAsserts", pointer, |reader, node, at| {
            reader.alias_asserts(node, names.as_deref(), in_each, at)
        });
        let (assert, when) = (assert?, when.ok()?);
        Some(Rule {
            judges_by_others: judges_by_others(&assert) || when.as_ref().is_some_and(judges_by_others),
            looks_at_passes: looks_at_passes(&assert) || when.as_ref().is_some_and(looks_at_passes),
            scope: scope?,
            span: scope_keys.iter().find_map(|key| map.get(key)).map_or(node.span, |node| node.span),
            needs: needs.ok()?.unwrap_or_default(),
            when,
            each: each.ok()?,
            find: find.ok()?,
            assert,
            at: at.ok()?,
            message: message.ok()?,
            help: help.ok()?,
            severity: severity.ok()?,
            aliases: aliases.ok()?.map(Into::into),
            alias_asserts: alias_asserts.ok()?.unwrap_or_default(),
            fix: fix.ok()?,
        })
    }

    /// The value of a key that may be absent.
    pub(super) fn optional<T>(
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
                if let Some(entry) = map.entries.get("block") {
                    return self.blocks(map, entry, pointer);
                }
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

    /// The names of a rule's check in other tools, which are some of its policy's.
    fn aliases(&mut self, node: &Node, of_policy: Option<&[String]>, pointer: &str) -> Option<Vec<String>> {
        let aliases = self.texts(node, pointer)?;
        let stranger = of_policy.and_then(|all| aliases.iter().find(|alias| !all.contains(alias)));
        if let Some(stranger) = stranger {
            let message = format!("`{stranger}` is no alias of the policy");
            self.fault(node.span, pointer, message, "name some of the policy's `aliases`, or add it there");
            return None;
        }
        Some(aliases)
    }

    /// What the checks assert that ask for less than the rule, by their names.
    fn alias_asserts(
        &mut self,
        node: &Node,
        of_rule: Option<&[String]>,
        in_each: bool,
        pointer: &str,
    ) -> Option<Vec<(Option<String>, Cel)>> {
        if let Value::Str(_) = &node.value {
            return Some(vec![(None, self.cel(node, pointer, in_each)?)]);
        }
        let Value::Map(map) = &node.value else {
            let help = "write `aliasAsserts: {CKV_AWS_26: written(this.kms_master_key_id)}`";
            self.fault(
                node.span,
                pointer,
                "`aliasAsserts` is neither an expression nor a mapping of them",
                help,
            );
            return None;
        };
        let mut found = Vec::new();
        for (alias, entry) in &map.entries {
            if of_rule.is_some_and(|all| !all.iter().any(|known| known == &**alias)) {
                let message = format!("`{alias}` is no alias of the rule");
                self.fault(entry.key, pointer, message, "name one of the rule's `aliases`, or add it there");
                return None;
            }
            found.push((Some(alias.to_string()), self.cel(&entry.node, &join(pointer, alias), in_each)?));
        }
        Some(found)
    }

    /// `find: secrets` and `find: keys`, which stand instead of `each`.
    fn finds(&mut self, map: &Map, kind: &str, pointer: &str) -> Result<Option<Find>, Reported> {
        let Some(entry) = map.entries.get("find") else { return Ok(None) };
        let pointer = join(pointer, "find");
        if map.get("each").is_some() {
            self.fault(entry.key, &pointer, "`find` stands instead of `each`", "write two rules");
            return Err(Reported);
        }
        match entry.node.as_str() {
            Some("secrets") => Ok(Some(Find::Secrets)),
            Some("keys") if kind == "terraform" && map.get("resource").is_some() => Ok(Some(Find::Keys)),
            Some("keys") => {
                let help = "write the rule under `terraform`, with a `resource`";
                self.fault(
                    entry.node.span,
                    &pointer,
                    "only resources of Terraform have arguments for keys",
                    help,
                );
                Err(Reported)
            }
            _ => {
                let help = "write `find: secrets` or `find: keys`";
                self.fault(entry.node.span, &pointer, "nobody knows how to find this", help);
                Err(Reported)
            }
        }
    }

    /// The kinds of block a rule looks at instead of resources.
    fn blocks(&mut self, map: &Map, entry: &Entry, pointer: &str) -> Option<Scope> {
        let pointer = join(pointer, "block");
        if map.get("resource").is_some() {
            let help = "write two rules, one with `resource`, one with `block`";
            self.fault(entry.key, &pointer, "`block` stands instead of `resource`", help);
            return None;
        }
        let kinds = self.texts(&entry.node, &pointer)?;
        if let Some(stranger) = kinds.iter().find(|kind| !BLOCK_KINDS.contains(&kind.as_str())) {
            let message = format!("rules do not look at `{stranger}` blocks");
            self.fault(entry.node.span, &pointer, message, format!("one of {}", BLOCK_KINDS.join(", ")));
            return None;
        }
        Some(Scope::Block(kinds))
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
        // It begins a few bytes behind the first one or not at all: a search that prepares itself would take longer.
        let written = self.file.slice(node.span);
        let first = *text.as_bytes().first()?;
        let at = memchr::memchr_iter(first, written.as_bytes())
            .find(|at| written.get(*at..).is_some_and(|rest| rest.starts_with(text)))?;
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

    fn fix(&mut self, node: &Node, pointer: &str) -> Option<RuleFix> {
        let map = self.fields(node, pointer, "`fix`", &["set", "unsafe"])?;
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
        let because = self.optional(map, "unsafe", pointer, Self::text).ok()?;
        let unsafe_because = because.map(|why| why.split_whitespace().collect::<Vec<_>>().join(" ").into());
        let mut fix = RuleFix { set: Vec::new(), unsafe_because };
        for (key, entry) in entries.iter() {
            match Path::parse(key) {
                Ok(path) => fix.set.push((path, entry.node.clone())),
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
}
