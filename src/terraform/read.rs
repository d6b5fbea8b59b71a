//! Reads a tree of modules into a [`Module`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hcl_edit::structure::Structure;

use crate::source::{FileId, Finding, Map, Node, Sources, Span, Value};

use super::address;
use super::blocks::member_name;
use super::calls;
use super::declared::{self, Declared, OtherBlock};
use super::evaluate::{Evaluator, Scope};
use super::instances::Called;
use super::module::{Block, Index, Module, Resource, Use};
use super::reached::Reached;
use super::references::{self, Item, References};
use super::rules;
use super::schema;
use super::sensitive::{self, says_so};
use super::tree::{Directory, Tree, parse};
use super::{json, syntax};

/// The file in which Terraform notes the version and the hashes of every provider of a module.
pub const LOCK_FILE: &str = ".terraform.lock.hcl";

/// Reads files as one module and evaluates what they fix, without the modules it calls. See [`evaluate`].
pub fn read(sources: &Sources, files: &[FileId]) -> (Module, Vec<Finding>) {
    evaluate(sources, &Tree::alone(parse(sources, files)), &BTreeMap::new())
}

/// Evaluates a root module and the modules it calls, as far as the files and the values `given` to the root's variables fix
/// them. Of a dependency lock file the entries are blocks of the kind `providerLock`.
///
/// Every fault of syntax and every reference to something undeclared is a finding; a broken file or block does not
/// hide the others. The schema of the provider is a matter of [`schema::check`](super::schema::check).
pub fn evaluate(sources: &Sources, tree: &Tree, given: &BTreeMap<String, Node>) -> (Module, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut directories = Vec::with_capacity(tree.directories.len());
    for directory in &tree.directories {
        findings.extend(directory.findings.iter().cloned());
        directories.push(declared::declare(sources, &directory.chunks, &directory.broken, &mut findings));
    }
    let mut references = Vec::with_capacity(directories.len());
    for declared in &directories {
        rules::check(declared, &mut findings);
        references.push(references::collect(declared, &mut findings));
    }
    calls::check(tree, &directories, &references, &mut findings);
    let mut assembly = Assembly {
        sources,
        tree,
        references: &references,
        evaluator: Evaluator::new(sources, tree, &directories, given),
        module: Module::default(),
        origins: Vec::new(),
        calls: Vec::new(),
        seen: BTreeSet::new(),
    };
    assembly.add(0);
    let (mut module, origins) = assembly.finish();
    for declared in &directories {
        rules::variables(declared, &module, &mut findings);
    }
    for resource in &mut module.resources {
        if let Some(block) = schema::type_schema(&resource.type_key()) {
            schema::convert(&mut resource.body, &block);
        }
        sensitive::conceal_marked(sources, &origins, &mut resource.body);
    }
    for block in &mut module.blocks {
        sensitive::conceal_marked(sources, &origins, &mut block.body);
    }
    for document in module.index.documents.values_mut().filter_map(|document| document.as_mut().ok()) {
        sensitive::conceal_marked(sources, &origins, document);
    }
    findings.sort_by_key(|finding| finding.span);
    (module, findings)
}

/// The values of a file of them, `terraform.tfvars` or `terraform.tfvars.json`, by variable. What cannot be read is a
/// finding.
pub fn values(sources: &Sources, id: FileId, findings: &mut Vec<Finding>) -> Vec<(String, Node)> {
    let Some(file) = sources.get(id) else { return Vec::new() };
    let before = findings.len();
    let chunks = if file.path().extension() == Some("json") {
        json::values(id, file, findings)
    } else {
        syntax::parse(id, file, &mut Vec::new(), findings)
    };
    if findings.len() > before {
        sensitive::conceal_all(sources, id);
    }
    let nothing = Tree::alone(Directory::default());
    let (declared, given) = ([Declared::default()], BTreeMap::new());
    let mut evaluator = Evaluator::new(sources, &nothing, &declared, &given);
    let mut values = Vec::new();
    for chunk in &chunks {
        for attribute in chunk.body.attributes() {
            let node = evaluator.eval(&attribute.value, &Scope::top(0, chunk.place()));
            values.push((attribute.key.as_str().to_owned(), node));
        }
    }
    values
}

/// A [`Module`] in the making.
struct Assembly<'a> {
    sources: &'a Sources,
    tree: &'a Tree,
    references: &'a [References<'a>],
    evaluator: Evaluator<'a>,
    module: Module,
    /// Of each resource the module, an index into the evaluator's, and its place among the resources declared there.
    origins: Vec<(usize, usize)>,
    /// Of each `module` block the block, the module it stands in and its label.
    calls: Vec<(usize, usize, &'a str)>,
    /// Nodes of the tree of which a module was added.
    seen: BTreeSet<usize>,
}

impl<'a> Assembly<'a> {
    /// Adds one module and those it calls.
    fn add(&mut self, at: usize) {
        let Some(instance) = self.evaluator.modules.get(at) else { return };
        let (node, prefix) = (instance.node, instance.prefix.clone());
        let Some(branch) = self.tree.nodes.get(node) else { return };
        let declared = self.evaluator.declared(at);
        // Whether something uses it or not.
        for (name, _) in declared.variables.iter().filter(|(_, variable)| says_so(variable.body)) {
            self.evaluator.variable(at, name);
        }
        self.prepare(at, branch.directory);
        for resource in 0..declared.resources.len() {
            self.resource(at, resource);
        }
        let mut called = BTreeMap::new();
        for name in declared.calls.keys() {
            called.extend(self.evaluator.called(at, name).map(|called| (*name, called)));
        }
        // What a module says of itself it says once, however often it is called.
        if self.seen.insert(node) {
            let path = address::without_keys(&prefix).into();
            self.blocks(at, &path, &called);
            // Of dependency lock files only that of the root is used.
            if let Some(directory) = self.tree.directories.get(branch.directory).filter(|_| at == 0) {
                self.locks(directory);
            }
            let uses = self.references.get(branch.directory).into_iter().flat_map(|found| &found.uses);
            self.module.uses.extend(
                uses.map(|used| Use { address: format!("{prefix}{}", used.address).into(), ..used.clone() }),
            );
        }
        for called in called.into_values() {
            if let Called::Modules(_, modules) = &*called {
                for module in modules {
                    self.add(*module);
                }
            }
        }
    }

    /// Evaluates what others need first, so that long chains of references need no deep recursion.
    fn prepare(&mut self, at: usize, directory: usize) {
        let Some(references) = self.references.get(directory) else { return };
        let declared = self.evaluator.declared(at);
        let names: Vec<&str> = declared.locals.keys().copied().collect();
        for item in &references.order {
            match item {
                Item::Local(local) => {
                    if let Some(name) = names.get(*local) {
                        self.evaluator.local(at, name);
                    }
                }
                Item::Resource(resource) => {
                    let Some(block) = declared.resources.get(*resource) else { continue };
                    let keys = self.evaluator.keys(at, *resource);
                    for index in 0..keys.len() {
                        for name in block.block.body.iter().filter_map(member_name) {
                            self.evaluator.member(at, *resource, index, name);
                        }
                    }
                }
            }
        }
    }

    /// Adds the instances of a resource.
    fn resource(&mut self, at: usize, resource: usize) {
        let Some(block) = self.evaluator.declared(at).resources.get(resource) else { return };
        let keys = self.evaluator.keys(at, resource);
        for index in 0..keys.len() {
            let mut body = Map::default();
            for structure in &block.block.body {
                let Some(name) = member_name(structure) else { continue };
                if body.get(name).is_some() {
                    continue;
                }
                if let Some(node) = self.evaluator.member(at, resource, index, name) {
                    let key = match structure {
                        Structure::Attribute(attribute) => block.place.of(&attribute.key),
                        // The list of a block type stands where its first block's type does.
                        Structure::Block(_) => node.span,
                    };
                    body.insert(name, key, Node::clone(&node));
                }
            }
            let label = block.block.labels.first();
            self.module.types.push(label.map_or(block.header, |label| block.place.of(label)));
            self.origins.push((at, resource));
            self.module.resources.push(Resource {
                managed: block.managed,
                type_: block.type_.clone(),
                name: block.name.clone(),
                address: self.evaluator.address(at, resource, &keys, index),
                body: Node::new(block.place.of(block.block), Value::Map(body)),
                header: block.header,
                blueprint: self.blueprint(block.header),
            });
        }
    }

    /// Adds the blocks that are no resources.
    fn blocks(&mut self, at: usize, path: &Arc<str>, called: &BTreeMap<&str, std::rc::Rc<Called>>) {
        for other in &self.evaluator.declared(at).others {
            let kind = other.block.ident.as_str();
            // What a called module says of Terraform itself, Terraform asks of the root.
            if kind == "terraform" && !path.is_empty() {
                continue;
            }
            let scope = Scope::top(at, other.place);
            let body = match kind {
                // Types, conditions and addresses there are no values.
                "variable" | "moved" | "removed" | "import" | "check" | "ephemeral" => {
                    let mut body = Map::default();
                    for name in ["default", "description", "sensitive", "nullable"] {
                        if let Some(attribute) = other.block.body.get_attribute(name) {
                            let node = self.evaluator.eval(&attribute.value, &scope);
                            body.insert(name, other.place.of(&attribute.key), node);
                        }
                    }
                    body
                }
                _ => self.evaluator.body(&other.block.body, &scope, false),
            };
            let body = self.marked(at, other, body, called);
            let labels: Vec<Arc<str>> =
                other.block.labels.iter().map(|label| label.as_str().into()).collect();
            let unread = match labels.first().and_then(|label| called.get(&**label)).map(|called| &**called) {
                Some(Called::Missing(reason)) if kind == "module" => Some(reason.clone()),
                _ => None,
            };
            if kind == "module"
                && let Some(label) = other.block.labels.first()
            {
                self.calls.push((self.module.blocks.len(), at, label.as_str()));
            }
            self.module.blocks.push(Block {
                kind: kind.into(),
                labels,
                module: path.clone(),
                body: Node::new(other.place.of(other.block), Value::Map(body)),
                header: other.header,
                blueprint: self.blueprint(other.header),
                unread,
                given: Vec::new(),
            });
        }
    }

    /// Marks what a block says of others' values: the default of a sensitive variable, the value of a sensitive output, what
    /// a call gives a sensitive variable.
    fn marked(
        &mut self,
        at: usize,
        other: &OtherBlock<'a>,
        mut body: Map,
        called: &BTreeMap<&str, std::rc::Rc<Called>>,
    ) -> Map {
        let label = other.block.labels.first().map_or("", |label| label.as_str());
        let sensitive: Vec<&str> = match other.block.ident.as_str() {
            "variable" if says_so(&other.block.body) => vec!["default"],
            "output" if says_so(&other.block.body) => {
                // Those of the root nobody asks for.
                self.evaluator.conceal_output(at, label);
                vec!["value"]
            }
            "module" => match called.get(label).map(|called| &**called) {
                Some(Called::Modules(_, modules)) => modules.first().map_or_else(Vec::new, |module| {
                    let variables = self.evaluator.declared(*module).variables.iter();
                    variables.filter(|(_, variable)| says_so(variable.body)).map(|(name, _)| *name).collect()
                }),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        for name in sensitive {
            if let Some(entry) = body.entries.get_mut(name) {
                entry.node.sensitive = true;
            }
        }
        body
    }

    /// The blueprint node that a block was generated from.
    fn blueprint(&self, header: Span) -> Option<Arc<str>> {
        self.sources.get(header.file).and_then(|file| declared::blueprint(file, header))
    }

    /// Adds the entries of the root's dependency lock file.
    fn locks(&mut self, directory: &'a Directory) {
        for chunk in &directory.locks {
            for entry in chunk.body.blocks().filter(|block| block.ident.as_str() == "provider") {
                let body = self.evaluator.body(&entry.body, &Scope::top(0, chunk.place()), false);
                self.module.blocks.push(Block {
                    kind: "providerLock".into(),
                    labels: entry.labels.iter().map(|label| label.as_str().into()).collect(),
                    module: "".into(),
                    body: Node::new(chunk.place().of(entry), Value::Map(body)),
                    header: declared::header(chunk.place(), entry),
                    blueprint: None,
                    unread: None,
                    given: Vec::new(),
                });
            }
        }
    }

    /// The module, and the places that sensitive values come from.
    fn finish(mut self) -> (Module, BTreeSet<Span>) {
        let mut reached = Reached::new(self.tree, self.references, &mut self.evaluator);
        let references: Vec<Vec<Arc<str>>> =
            self.origins.iter().map(|(module, resource)| reached.of_resource(*module, *resource)).collect();
        for (block, module, call) in &self.calls {
            if let Some(block) = self.module.blocks.get_mut(*block) {
                block.given = reached.of_call(*module, call);
            }
        }
        self.module.index = Index::new(&self.module.resources, &references);
        self.module.encoded = self.evaluator.encoded;
        (self.module, self.evaluator.concealed.into_iter().map(|(_, span)| span).collect())
    }
}
