//! What a rule looks at: blueprint nodes, Terraform blocks and Kubernetes objects, each with where to point.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use super::file::{Rule, Scope};
use super::functions::pod_template;
use super::path::{Match, Path, join};
use super::value::{Dict, List, Val};
use super::world::Context;
use crate::source::{Node, Sources, Span, Subject, SubjectKind, Value};
use crate::terraform::Block;

/// One thing a rule looks at.
pub(super) struct Candidate<'a> {
    pub(super) this: Val<'a>,
    root: &'a Node,
    start: OnceCell<Match<'a>>,
    /// Where to point if nothing inside is meant.
    pub(super) header: Span,
    /// Where the pod template is, and the template.
    pub(super) pod: Option<(&'static [&'static str], &'a Node)>,
    pub(super) kind: SubjectKind,
    pub(super) type_: Cow<'a, str>,
    pub(super) address: Cow<'a, str>,
    pub(super) key: Val<'a>,
    pub(super) keys: Val<'a>,
    pub(super) blueprint: Option<Arc<str>>,
}

impl<'a> Candidate<'a> {
    /// Where a walk through it begins. Most of what rules look at does not concern them, and is not walked through.
    pub(super) fn start(&self) -> &Match<'a> {
        self.start.get_or_init(|| {
            let pointer = match self.this {
                Val::Map(Dict::Resource(resource)) => {
                    let kind = if resource.managed { "resource" } else { "data" };
                    join(&join(kind, &resource.type_), &resource.name)
                }
                Val::Map(Dict::Object(_)) => String::new(),
                _ => self.address.to_string(),
            };
            Match::start(self.root, Some(self.header), pointer)
        })
    }

    pub(super) fn subject(&self) -> Subject {
        let text = |text: &Cow<'_, str>| text.clone().into_owned();
        Subject { kind: self.kind, type_: text(&self.type_), address: text(&self.address) }
    }

    /// Where a walk through the pod begins.
    pub(super) fn pod_start(&self) -> Option<Match<'a>> {
        let (path, template) = self.pod?;
        let pointer = path.iter().fold(String::new(), |pointer, step| join(&pointer, step));
        Some(Match::start(template, Some(self.header), pointer))
    }
}

/// Everything that a rule looks at, one after the other: of a large plan they are many.
pub(super) fn candidates<'c, 'a>(
    rule: &'a Rule,
    context: &'c Context<'a>,
) -> Box<dyn Iterator<Item = Candidate<'a>> + 'c> {
    let world = &context.world;
    match &rule.scope {
        Scope::Blueprint(select) => {
            let Some(view) = world.blueprint else { return Box::new(std::iter::empty()) };
            let root = Match::start(view, None, String::new());
            let found = select.walk(&root).into_iter();
            Box::new(found.map(|found| blueprint_candidate(found, select, world.sources)))
        }
        Scope::Terraform(types) => {
            Box::new(types.iter().flat_map(|type_| context.resources(type_)).map(|resource| Candidate {
                this: Val::Map(Dict::Resource(resource)),
                root: &resource.body,
                start: OnceCell::new(),
                header: resource.header,
                pod: None,
                kind: SubjectKind::Terraform,
                type_: Cow::Borrowed(&resource.type_),
                address: Cow::Borrowed(&resource.address),
                key: Val::Str(resource.name.as_ref().into()),
                keys: Val::List(List::Tree(&[])),
                blueprint: resource.blueprint.clone(),
            }))
        }
        Scope::Block(kinds) => {
            let blocks = world.module.map_or(&[][..], |module| &module.blocks);
            let wanted = move |block: &&Block| kinds.iter().any(|kind| **kind == *block.kind);
            Box::new(blocks.iter().filter(wanted).map(block_candidate))
        }
        Scope::Kubernetes(kinds) => {
            Box::new(kinds.iter().flat_map(|kind| context.objects(kind)).map(object_candidate))
        }
        Scope::Workload => {
            let objects = world.objects.iter().map(object_candidate);
            Box::new(objects.filter(|candidate| candidate.pod.is_some()))
        }
    }
}

fn blueprint_candidate<'a>(found: Match<'a>, select: &Path, sources: &Sources) -> Candidate<'a> {
    let header = spot(found.node, found.key, sources);
    Candidate {
        this: Val::from(found.node),
        header,
        pod: None,
        kind: SubjectKind::Blueprint,
        type_: Cow::Owned(select.last_name().to_owned()),
        address: Cow::Owned(found.pointer.clone()),
        key: Val::text(found.last.clone()),
        keys: Val::list(found.stars.iter().map(Val::text).collect()),
        blueprint: None,
        root: found.node,
        start: OnceCell::from(Match::start(found.node, found.key, found.pointer)),
    }
}

fn block_candidate(block: &Block) -> Candidate<'_> {
    Candidate {
        this: Val::from(&block.body),
        root: &block.body,
        start: OnceCell::new(),
        header: block.header,
        pod: None,
        kind: SubjectKind::Terraform,
        type_: Cow::Borrowed(&block.kind),
        address: Cow::Owned(block.address()),
        key: Val::Str(block.labels.last().unwrap_or(&block.kind).as_ref().into()),
        keys: Val::List(List::Tree(&[])),
        blueprint: block.blueprint.clone(),
    }
}

fn object_candidate(object: &crate::kubernetes::Object) -> Candidate<'_> {
    Candidate {
        this: Val::Map(Dict::Object(object)),
        root: &object.node,
        start: OnceCell::new(),
        header: object.header,
        pod: pod_template(object),
        kind: SubjectKind::Kubernetes,
        type_: Cow::Borrowed(&object.kind),
        address: Cow::Borrowed(&object.address),
        key: Val::Str(object.name.as_ref().into()),
        keys: Val::List(List::Tree(&[])),
        blueprint: object.blueprint.clone(),
    }
}

/// Where to point for a value: at the key of a mapping or list (the value may be pages long), at a plain value itself,
/// at the first line of what has no key.
pub(super) fn spot(node: &Node, key: Option<Span>, sources: &Sources) -> Span {
    match (&node.value, key) {
        (Value::Map(_) | Value::List(_), Some(key)) => key,
        (_, Some(key)) if node.span.start == node.span.end => key,
        _ => {
            let text = sources.get(node.span.file).map_or("", |file| file.slice(node.span));
            let line = text.lines().next().unwrap_or("").trim_end();
            if line.is_empty() {
                return node.span;
            }
            let start = node.span.start as usize;
            Span::new(node.span.file, start, start + line.len())
        }
    }
}
