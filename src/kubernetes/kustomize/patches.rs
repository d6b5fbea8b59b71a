//! Patches: laid over one object or those a target selects, from files and from texts in the kustomization.

use super::file::fault;
use super::json_patch;
use super::merge::{self, Misfit};
use super::resource::{Id, Resource, set};
use super::select::Selector;
use super::target::{Builder, Kustomization};
use crate::source::yaml::{self, Dialect};
use crate::source::{Finding, Node, Span, Value};

/// `patchesStrategicMerge`: paths, or patches written out.
pub(super) fn strategic_merges(
    builder: &mut Builder<'_>,
    kustomization: &Kustomization,
    resources: &mut Vec<Resource>,
) {
    for item in kustomization.root.get("patchesStrategicMerge").map_or(&[][..], Node::items) {
        let Some(text) = item.as_str() else { continue };
        let documents = if text.contains('\n') || text.contains('{') {
            builder.inline(kustomization, item, text)
        } else {
            documents(builder, kustomization, item, text)
        };
        for patch in documents.iter().filter(|patch| patch.as_map().is_some()) {
            lay_over_named(builder, patch, item.span, Options::default(), resources);
        }
    }
}

/// What a patch may change besides.
#[derive(Debug, Clone, Copy, Default)]
struct Options {
    name: bool,
    kind: bool,
}

/// `patches` and `patchesJson6902`.
pub(super) fn patches(
    builder: &mut Builder<'_>,
    kustomization: &Kustomization,
    key: &str,
    resources: &mut Vec<Resource>,
) {
    for item in kustomization.root.get(key).map_or(&[][..], Node::items) {
        let text = |key| {
            item.get(key).and_then(|node| Some((node, node.as_str()?))).filter(|(_, text)| !text.is_empty())
        };
        let documents = match (text("path"), text("patch")) {
            (Some((node, path)), None) => documents(builder, kustomization, node, path),
            // kustomize trims it, and a block at its end with it.
            (None, Some((node, patch))) => builder.inline(kustomization, node, patch.trim_end()),
            _ => {
                let span = item
                    .as_map()
                    .and_then(|map| map.entries.first())
                    .map_or(item.span, |(_, entry)| entry.key);
                builder.push(
                    fault(span, "a patch has either a `path` or a `patch`")
                        .pointer(key)
                        .label("this one does not")
                        .help("write `path:` with a file, or `patch:` with the patch itself"),
                );
                continue;
            }
        };
        let target = item.get("target").filter(|node| node.value != Value::Null);
        let is_set = |option: &str| item.at(&["options", option]).and_then(Node::as_bool) == Some(true);
        let options = Options { name: is_set("allowNameChange"), kind: is_set("allowKindChange") };
        apply(builder, item.span, &documents, target, options, resources);
    }
}

fn apply(
    builder: &mut Builder<'_>,
    place: Span,
    documents: &[Node],
    target: Option<&Node>,
    options: Options,
    resources: &mut Vec<Resource>,
) {
    let selector = match target.map(|target| Selector::read(target, &mut builder.build.findings)) {
        Some(None) => return,
        Some(Some(selector)) => Some(selector),
        None => None,
    };
    for document in documents {
        match (&document.value, &selector) {
            (Value::List(operations), Some(selector)) => {
                for at in selected(builder, selector, resources) {
                    let Some(resource) = resources.get_mut(at) else { continue };
                    let mut misfits = Vec::new();
                    resource.remember();
                    json_patch::apply(&mut resource.node, operations, &mut misfits);
                    report(builder, &resource.id(), misfits);
                }
            }
            (Value::List(_), None) => builder.push(
                fault(first_line(document, place), "a JSON patch needs a `target`")
                    .label("a list of operations")
                    .help("add `target:` with kind and name of what it changes"),
            ),
            (Value::Map(_), Some(selector)) => {
                let chosen = selected(builder, selector, resources);
                lay_over(builder, document, options, &chosen, resources);
            }
            (Value::Map(_), None) => lay_over_named(builder, document, place, options, resources),
            (Value::Null, _) => {}
            _ => builder.push(
                fault(document.span, "this is no patch")
                    .label("neither a mapping nor a list of operations")
                    .help("write the part of the object that changes, or a list of JSON patch operations"),
            ),
        }
    }
}

fn first_line(document: &Node, otherwise: Span) -> Span {
    match document.items().first().and_then(Node::as_map).and_then(|map| map.entries.first()) {
        Some((_, entry)) => entry.key,
        None => otherwise,
    }
}

fn documents(builder: &mut Builder<'_>, kustomization: &Kustomization, node: &Node, path: &str) -> Vec<Node> {
    let Some(id) = builder.read(kustomization, node, path) else { return Vec::new() };
    let Some(file) = builder.files.file(id) else { return Vec::new() };
    let read = yaml::read_as(id, file, Dialect::Kustomize);
    read.findings.into_iter().for_each(|finding| builder.push(finding));
    read.documents
}

fn selected(builder: &mut Builder<'_>, selector: &Selector, resources: &[Resource]) -> Vec<usize> {
    let findings: &mut Vec<Finding> = &mut builder.build.findings;
    let selects = |(at, resource): (usize, &Resource)| selector.selects(resource, findings).then_some(at);
    resources.iter().enumerate().filter_map(selects).collect()
}

/// Lays a patch over the one object that it names.
fn lay_over_named(
    builder: &mut Builder<'_>,
    patch: &Node,
    place: Span,
    options: Options,
    resources: &mut Vec<Resource>,
) {
    let wanted = Id::of(patch);
    let is_meant = |resource: &Resource| resource.ids().iter().any(|id| id.same(&wanted));
    let found: Vec<usize> =
        resources.iter().enumerate().filter(|(_, resource)| is_meant(resource)).map(|(at, _)| at).collect();
    if found.len() == 1 {
        return lay_over(builder, patch, options, &found, resources);
    }
    let span = patch
        .at(&["metadata", "name"])
        .map(|node| node.span)
        .or_else(|| Some(patch.as_map()?.entries.first()?.1.key))
        .unwrap_or(place);
    let many = found.len() > 1;
    let elsewhere =
        resources.iter().map(Resource::id).find(|id| id.kind == wanted.kind && id.name == wanted.name);
    let help = match elsewhere {
        _ if many => "add a `target` that says which of them".to_owned(),
        Some(other) if other.namespace.is_empty() && !wanted.namespace.is_empty() => {
            "it has no namespace; leave it out of the patch, too".to_owned()
        }
        Some(other) if other.effective_namespace() != wanted.effective_namespace() => {
            format!("it is in the namespace `{}`; the patch has to say so", other.namespace)
        }
        Some(_) => "its `apiVersion` is another one".to_owned(),
        None => "correct kind and name, or add a `target`".to_owned(),
    };
    let message = if many {
        format!("more than one object is called `{}`", wanted.readable())
    } else {
        format!("this patches `{}`, which is no part of the kustomization", wanted.readable())
    };
    builder.push(fault(span, message).label(if many { "which one?" } else { "no such object" }).help(help));
}

fn lay_over(
    builder: &mut Builder<'_>,
    patch: &Node,
    options: Options,
    chosen: &[usize],
    resources: &mut Vec<Resource>,
) {
    let mut deleted = Vec::new();
    for at in chosen.iter().copied() {
        let Some(resource) = resources.get_mut(at) else { continue };
        if options.name || options.kind {
            resource.remember();
        }
        let mut misfits = Vec::new();
        let id = resource.id();
        let before = resource.node.clone();
        match merge::merge(before.clone(), patch, &mut misfits) {
            Some(merged) => {
                resource.node = merged;
                restore(resource, &before, options);
            }
            None => deleted.push(at),
        }
        report(builder, &id, misfits);
    }
    for at in deleted.into_iter().rev() {
        resources.remove(at);
    }
}

/// A patch changes neither what an object is nor what it is called, unless it is allowed to.
fn restore(resource: &mut Resource, before: &Node, options: Options) {
    let header = resource.header;
    let mut keep = |path: &[&str]| {
        let Some((last, above)) = path.split_last() else { return };
        let Some(parent) = super::resource::at_mut(&mut resource.node, above) else { return };
        match (before.at(path), &mut parent.value) {
            (Some(node), Value::Map(_)) => {
                set(parent, last, node.value.clone(), header);
                if let Some(kept) = super::resource::at_mut(parent, &[last]) {
                    kept.span = node.span;
                }
            }
            (None, Value::Map(map)) => {
                map.entries.shift_remove(*last);
            }
            _ => {}
        }
    };
    keep(&["apiVersion"]);
    if !options.kind {
        keep(&["kind"]);
    }
    if !options.name {
        keep(&["metadata", "name"]);
    }
    keep(&["metadata", "namespace"]);
    if options.name
        && let Some(name) = resource.node.at(&["metadata", "name"])
    {
        resource.header = name.span;
    }
}

fn report(builder: &mut Builder<'_>, id: &Id, misfits: Vec<Misfit>) {
    for misfit in misfits {
        builder.push(
            fault(misfit.span, format!("this does not fit `{}`: {}", id.readable(), misfit.message))
                .label("cannot be applied")
                .help("make the patch follow the object it changes"),
        );
    }
}
