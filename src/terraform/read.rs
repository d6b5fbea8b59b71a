//! Reads the `.tf` files of one directory into a [`Module`].

use std::sync::Arc;

use hcl_edit::structure::Structure;

use crate::source::{FileId, Finding, Map, Node, Sources, Value};
use crate::threads;

use super::blocks::member_name;
use super::declared::{self, Chunk, Declared};
use super::evaluate::{Evaluator, Scope};
use super::module::{Block, Index, Module, Resource};
use super::references::{self, Item};
use super::rules;
use super::schema;
use super::syntax;

/// The file in which Terraform notes the version and the hashes of every provider of a module.
pub const LOCK_FILE: &str = ".terraform.lock.hcl";

/// Reads files as one module and evaluates what they fix. Of a dependency lock file the entries are blocks of the kind
/// `providerLock`.
///
/// Every fault of syntax and every reference to something undeclared is a finding; a broken file or block does not
/// hide the others. The schema of the provider is a matter of [`schema::check`](super::schema::check).
pub fn read(sources: &Sources, files: &[FileId]) -> (Module, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut chunks = Vec::new();
    let mut broken = Vec::new();
    let mut locks = Vec::new();
    let parsed = threads::map(files, 1, |id| {
        let (mut broken, mut findings) = (Vec::new(), Vec::new());
        let file = sources.get(*id)?;
        let chunks = syntax::parse(*id, file, &mut broken, &mut findings);
        Some((file.path().file_name() == Some(LOCK_FILE), chunks, broken, findings))
    });
    for (is_lock, read, heads, faults) in parsed.into_iter().flatten() {
        findings.extend(faults);
        if is_lock {
            locks.extend(read);
        } else {
            chunks.extend(read);
            broken.extend(heads);
        }
    }
    let declared = declared::declare(sources, &chunks, &broken, &mut findings);
    rules::check(&declared, &mut findings);
    let references = references::collect(&declared, &mut findings);
    let mut evaluator = Evaluator::new(sources, &declared);
    // What others need comes first, so that long chains of references need no deep recursion.
    let names: Vec<&str> = declared.locals.keys().copied().collect();
    for item in &references.order {
        match item {
            Item::Local(at) => {
                if let Some(name) = names.get(*at) {
                    evaluator.local(name);
                }
            }
            Item::Resource(at) => {
                if let Some(resource) = declared.resources.get(*at) {
                    for name in resource.block.body.iter().filter_map(member_name) {
                        evaluator.member(*at, name);
                    }
                }
            }
        }
    }
    let mut module = assemble(sources, &declared, &locks, references.resources, evaluator);
    module.uses = references.uses;
    rules::variables(&declared, &module, &mut findings);
    for resource in &mut module.resources {
        if let Some(block) = schema::type_schema(&resource.type_key()) {
            schema::convert(&mut resource.body, &block);
        }
    }
    findings.sort_by_key(|finding| finding.span);
    (module, findings)
}

fn assemble<'a>(
    sources: &Sources,
    declared: &'a Declared<'a>,
    locks: &'a [Chunk],
    references: Vec<Vec<Arc<str>>>,
    mut evaluator: Evaluator<'a>,
) -> Module {
    let mut resources = Vec::with_capacity(declared.resources.len());
    let mut types = Vec::with_capacity(declared.resources.len());
    let mut kept = Vec::with_capacity(declared.resources.len());
    for (at, (block, references)) in declared.resources.iter().zip(references).enumerate() {
        let mut body = Map::default();
        for structure in &block.block.body {
            let Some(name) = member_name(structure) else { continue };
            if body.get(name).is_some() {
                continue;
            }
            if let Some(node) = evaluator.member(at, name) {
                let key = match structure {
                    Structure::Attribute(attribute) => block.place.of(&attribute.key),
                    // The list of a block type stands where its first block's type does.
                    Structure::Block(_) => node.span,
                };
                body.insert(name, key, Node::clone(&node));
            }
        }
        let none = body.get("count").is_some_and(|count| count.value == Value::Int(0))
            || body.get("for_each").is_some_and(|each| match &each.value {
                Value::List(items) => items.is_empty(),
                Value::Map(map) => map.entries.is_empty(),
                _ => false,
            });
        if none {
            continue;
        }
        kept.push(references);
        types.push(block.block.labels.first().map_or(block.header, |label| block.place.of(label)));
        resources.push(Resource {
            managed: block.managed,
            type_: block.type_.clone(),
            name: block.name.clone(),
            address: block.address.clone(),
            body: Node::new(block.place.of(block.block), Value::Map(body)),
            header: block.header,
            blueprint: sources
                .get(block.header.file)
                .and_then(|file| declared::blueprint(file, block.header)),
        });
    }
    let mut blocks = Vec::with_capacity(declared.others.len());
    for other in &declared.others {
        let kind = other.block.ident.as_str();
        let body = match kind {
            // Types, conditions and addresses there are no values.
            "variable" | "moved" | "removed" | "import" | "check" | "ephemeral" => {
                let mut body = Map::default();
                for name in ["default", "description", "sensitive", "nullable"] {
                    if let Some(attribute) = other.block.body.get_attribute(name) {
                        let node = evaluator.eval(&attribute.value, &Scope::top(other.place));
                        body.insert(name, other.place.of(&attribute.key), node);
                    }
                }
                body
            }
            _ => evaluator.body(&other.block.body, &Scope::top(other.place), false),
        };
        blocks.push(Block {
            kind: kind.into(),
            labels: other.block.labels.iter().map(|label| label.as_str().into()).collect(),
            body: Node::new(other.place.of(other.block), Value::Map(body)),
            header: other.header,
            blueprint: sources
                .get(other.header.file)
                .and_then(|file| declared::blueprint(file, other.header)),
        });
    }
    for chunk in locks {
        let entries = chunk.body.blocks().filter(|block| block.ident.as_str() == "provider");
        for entry in entries {
            let body = evaluator.body(&entry.body, &Scope::top(chunk.place), false);
            blocks.push(Block {
                kind: "providerLock".into(),
                labels: entry.labels.iter().map(|label| label.as_str().into()).collect(),
                body: Node::new(chunk.place.of(entry), Value::Map(body)),
                header: declared::header(chunk.place, entry),
                blueprint: None,
            });
        }
    }
    let index = Index::new(&resources, kept);
    Module { resources, blocks, index, types, uses: Vec::new(), encoded: evaluator.encoded }
}
