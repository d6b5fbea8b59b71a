//! `replacements`: a value copied from one object into others.

use super::file::fault;
use super::resource::Resource;
use super::select::Selector;
use super::target::{Builder, Kustomization};
use super::values::{put_text, text};
use crate::source::yaml::{self, Dialect};
use crate::source::{Map, Node, Span, Value};

/// Carries out every replacement, those in files of their own too.
pub(super) fn replace(builder: &mut Builder<'_>, kustomization: &Kustomization, resources: &mut [Resource]) {
    for item in kustomization.root.get("replacements").map_or(&[][..], Node::items) {
        let Some((node, path)) = item.get("path").and_then(|node| Some((node, node.as_str()?))) else {
            one(builder, item, resources);
            continue;
        };
        let Some(id) = builder.read(kustomization, node, path) else { continue };
        let Some(file) = builder.files.file(id) else { continue };
        let read = yaml::read_as(id, file, Dialect::Kustomize);
        read.findings.into_iter().for_each(|finding| builder.push(finding));
        for document in &read.documents {
            match &document.value {
                Value::List(items) => items.iter().for_each(|item| one(builder, item, resources)),
                _ => one(builder, document, resources),
            }
        }
    }
}

fn one(builder: &mut Builder<'_>, item: &Node, resources: &mut [Resource]) {
    let span = item.as_map().and_then(|map| map.entries.first()).map_or(item.span, |(_, entry)| entry.key);
    let (Some(source), Some(targets)) = (item.get("source"), item.get("targets")) else {
        builder.push(
            fault(span, "a replacement has a `source` and `targets`")
                .label("one of them is missing")
                .help("add `source:` and `targets:`"),
        );
        return;
    };
    let Some(value) = value_of(builder, source, resources) else { return };
    for target in targets.items() {
        let Some(select) = target.get("select") else { continue };
        let Some(selector) = Selector::read(select, &mut builder.build.findings) else { continue };
        let rejects: Vec<Selector> = target
            .get("reject")
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(|reject| Selector::read(reject, &mut builder.build.findings))
            .collect();
        let options = Options::read(target.get("options"));
        for resource in resources.iter_mut() {
            let findings = &mut builder.build.findings;
            if !selector.selects_any(resource, findings)
                || rejects.iter().any(|reject| reject.selects_any(resource, findings))
            {
                continue;
            }
            for path in target.get("fieldPaths").map_or(&[][..], Node::items) {
                let Some(written) = path.as_str() else { continue };
                let steps = steps(written);
                let mut found = 0;
                let make = options.create.then_some(value.span);
                at_all(&mut resource.node, &steps, make, &mut |node| {
                    found += 1;
                    options.put(node, &value);
                });
                if found == 0 && !options.create {
                    let finding =
                        fault(path.span, format!("`{written}` is not in `{}`", resource.id().readable()))
                            .label("no such field")
                            .help("correct the path, or write `options: {create: true}`");
                    builder.push(finding);
                }
            }
        }
    }
}

fn value_of(builder: &mut Builder<'_>, source: &Node, resources: &[Resource]) -> Option<Node> {
    let selector = Selector::read(source, &mut builder.build.findings)?;
    let findings = &mut builder.build.findings;
    let found: Vec<&Resource> =
        resources.iter().filter(|resource| selector.selects_any(resource, findings)).collect();
    let [resource] = found.as_slice() else {
        let many = if found.is_empty() { "no object" } else { "more than one object" };
        builder.push(
            fault(source.span, format!("{many} is the source of this replacement"))
                .label("has to be exactly one")
                .help("say kind and name of the object that has the value"),
        );
        return None;
    };
    let path = source.get("fieldPath").and_then(Node::as_str).unwrap_or("metadata.name");
    let mut copy = resource.node.clone();
    let mut value = None;
    at_all(&mut copy, &steps(path), None, &mut |node| value = value.take().or_else(|| Some(node.clone())));
    let Some(mut value) = value else {
        let span = source.get("fieldPath").map_or(source.span, |node| node.span);
        builder.push(
            fault(span, format!("`{path}` is not in `{}`", resource.id().readable()))
                .label("no such field")
                .help("correct the path"),
        );
        return None;
    };
    let options = Options::read(source.get("options"));
    if let Some(delimiter) = options.delimiter {
        let whole = text(&value);
        let part = usize::try_from(options.index).ok().and_then(|at| whole.split(&*delimiter).nth(at));
        value.value = Value::Str(part.unwrap_or("").into());
    }
    Some(value)
}

#[derive(Default)]
struct Options {
    delimiter: Option<String>,
    index: i64,
    create: bool,
}

impl Options {
    fn read(node: Option<&Node>) -> Self {
        let Some(node) = node else { return Self::default() };
        Self {
            delimiter: node
                .get("delimiter")
                .and_then(Node::as_str)
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
            index: node.get("index").and_then(Node::as_i64).unwrap_or(0),
            create: node.get("create").and_then(Node::as_bool) == Some(true),
        }
    }

    /// Puts a value, or a part of it, into a field. The type of a single value stays that of the field.
    fn put(&self, node: &mut Node, value: &Node) {
        let Some(delimiter) = &self.delimiter else {
            let single = |node: &Node| !matches!(node.value, Value::Map(_) | Value::List(_));
            if single(node) && single(value) && node.value != Value::Null {
                put_text(node, &text(value));
                node.span = value.span;
            } else {
                *node = value.clone();
            }
            return;
        };
        let whole = text(node);
        let mut parts: Vec<String> = whole.split(&**delimiter).map(str::to_owned).collect();
        let value_text = text(value);
        match usize::try_from(self.index) {
            Err(_) => parts.insert(0, value_text),
            Ok(at) => match parts.get_mut(at) {
                Some(part) => *part = value_text,
                None => parts.push(value_text),
            },
        }
        put_text(node, &parts.join(delimiter));
    }
}

/// Steps of `spec.containers.[name=app].image`; a dot in brackets or behind a backslash does not divide.
fn steps(path: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let (mut depth, mut escaped) = (0_usize, false);
    for char in path.chars() {
        let Some(last) = steps.last_mut() else { break };
        match char {
            _ if escaped => {
                last.push(char);
                escaped = false;
            }
            '\\' => escaped = true,
            '.' if depth == 0 => steps.push(String::new()),
            _ => {
                depth = match char {
                    '[' => depth + 1,
                    ']' => depth.saturating_sub(1),
                    _ => depth,
                };
                last.push(char);
            }
        }
    }
    steps.retain(|step| !step.is_empty());
    steps
}

/// Changes what stands at a path: keys, indices, `[key=value]` for items, `*` for every one.
fn at_all(node: &mut Node, steps: &[String], make: Option<Span>, change: &mut dyn FnMut(&mut Node)) {
    let Some((step, rest)) = steps.split_first() else { return change(node) };
    if let Some((key, wanted)) =
        step.strip_prefix('[').and_then(|step| step.strip_suffix(']')).and_then(|step| step.split_once('='))
    {
        let Value::List(items) = &mut node.value else { return };
        let is_meant = |item: &Node| match key {
            "" => text(item) == wanted,
            key => item.get(key).is_some_and(|node| text(node) == wanted),
        };
        if let (false, Some(span)) = (items.iter().any(is_meant), make) {
            let mut map = Map::default();
            map.insert(key, span, Node::string(span, wanted));
            items.push(Node::new(span, Value::Map(map)));
        }
        return items
            .iter_mut()
            .filter(|item| is_meant(item))
            .for_each(|item| at_all(item, rest, make, change));
    }
    match &mut node.value {
        Value::List(items) if step == "*" => {
            for item in items.iter_mut() {
                at_all(item, rest, make, change);
            }
        }
        Value::List(items) => {
            let at = if step == "-" { items.len().checked_sub(1) } else { step.parse().ok() };
            if let Some(item) = at.and_then(|at| items.get_mut(at)) {
                at_all(item, rest, make, change);
            }
        }
        Value::Map(map) if step == "*" => {
            map.entries.values_mut().for_each(|entry| at_all(&mut entry.node, rest, make, change));
        }
        Value::Map(map) => {
            if let Some(entry) = map.entries.get_mut(step.as_str()) {
                return at_all(&mut entry.node, rest, make, change);
            }
            let Some(span) = make else { return };
            let is_list = rest.first().is_some_and(|next| next.starts_with('['));
            let value = if is_list {
                Value::List(Vec::new().into())
            } else if rest.is_empty() {
                Value::Null
            } else {
                Value::Map(Map::default())
            };
            map.insert(step.as_str(), span, Node::new(span, value));
            if let Some(made) = map.entries.get_mut(step.as_str()) {
                at_all(&mut made.node, rest, make, change);
            }
        }
        _ => {}
    }
}
