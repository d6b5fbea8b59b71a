//! A directory of `.tf` files as Terraform understands it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{address, policy_document};
use crate::source::{Node, Span, Value};

/// One `resource` or `data` block, its expressions evaluated as far as the files fix them.
///
/// A block with `count` or `for_each` stands here once for each of its instances. If the files do not fix which those are, it
/// stands here once for all of them: what differs between them (`each.value`, `count.index`) is
/// [`Value::Unknown`](crate::source::Value::Unknown).
#[derive(Debug, Clone)]
pub struct Resource {
    /// `true` for `resource`, `false` for `data`.
    pub managed: bool,
    /// `aws_vpc`.
    pub type_: Arc<str>,
    /// `main`.
    pub name: Arc<str>,
    /// `aws_vpc.main`, `data.aws_region.here`, `module.net["a"].aws_subnet.private[0]`.
    pub address: Arc<str>,
    /// Arguments and nested blocks. A nested block type is a list of mappings, as in plan JSON, however often it may
    /// stand; an absent argument is absent. Its span is the whole block; a nested block's span is its header.
    /// Meta-arguments are here too: `provider = aws.primary` is the string `aws.primary`, `depends_on` a list of
    /// addresses, `lifecycle` a list with one mapping.
    pub body: Node,
    /// The header, `resource "aws_vpc" "main"`.
    pub header: Span,
    /// The path of the blueprint node it was generated from, out of its `# blueprint: regions.primary.vpc` comment.
    pub blueprint: Option<Arc<str>>,
}

/// A top-level block other than `resource` and `data`: `terraform`, `provider`, `variable`, `output`, `locals`,
/// `module` and the rest; and `providerLock`, an entry of the dependency lock file.
#[derive(Debug, Clone)]
pub struct Block {
    /// The block type, `provider`.
    pub kind: Arc<str>,
    /// The labels, `["aws"]`.
    pub labels: Vec<Arc<str>>,
    /// What stands before its address: `module.net.` for a block of a called module, nothing for one of the root.
    pub module: Arc<str>,
    /// Its content, evaluated; `locals` hold every local value under its name.
    pub body: Node,
    /// The header, `provider "aws"`.
    pub header: Span,
    /// The path in its `# blueprint: ` comment.
    pub blueprint: Option<Arc<str>>,
    /// Of a `module` block: why the module it calls is not read, if so.
    pub unread: Option<Arc<str>>,
    /// Of a `module` block: the addresses of the resources that its arguments refer to.
    pub given: Vec<Arc<str>>,
}

/// Every block of one root module and of the modules it calls, and who refers to whom.
#[derive(Debug, Default)]
pub struct Module {
    /// Every resource and data source, those of the root first, in file order. One whose `count` is known to be 0 is not
    /// there.
    pub resources: Vec<Resource>,
    /// Every other block, in file order; of called modules all but `terraform`, each once however often it is called.
    pub blocks: Vec<Block>,
    pub(super) index: Index,
    /// The type in each resource's header, `"aws_vpc"`.
    pub(super) types: Vec<Span>,
    /// Every `address.attribute` that is written anywhere.
    pub(super) uses: Vec<Use>,
    /// Attributes whose text is JSON with parts that are known only after apply: their value is the decoded tree.
    pub(super) encoded: BTreeSet<Span>,
    /// Resources that may refer to more than is known, and why, by type. Only a plan leaves that open.
    pub(super) hidden: BTreeMap<Arc<str>, Vec<(usize, Arc<str>)>>,
}

/// A reference to an attribute of a resource.
#[derive(Debug, Clone)]
pub(super) struct Use {
    pub(super) address: Arc<str>,
    pub(super) attribute: Arc<str>,
    /// The reference up to the attribute.
    pub(super) span: Span,
    /// The names that follow, into the attribute's value.
    pub(super) within: Vec<Step>,
}

/// A name in a reference behind an attribute: `data` in `certificate_authority[0].data`.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) name: Arc<str>,
    /// Nothing stands between this name and the one before: no index, no splat.
    pub(super) direct: bool,
    /// The reference up to this name.
    pub(super) span: Span,
}

/// Lookups into [`Module::resources`].
#[derive(Debug, Default)]
pub(super) struct Index {
    by_address: BTreeMap<Arc<str>, usize>,
    /// The instances of each block that has several, by the block's address.
    by_block: BTreeMap<Arc<str>, Vec<usize>>,
    by_type: BTreeMap<Arc<str>, Vec<usize>>,
    references: Vec<Vec<Arc<str>>>,
    referrers: BTreeMap<Arc<str>, Vec<usize>>,
    /// What each `aws_iam_policy_document` is, or why the provider refuses it.
    pub(super) documents: BTreeMap<Arc<str>, Result<Node, &'static str>>,
}

impl Index {
    /// Builds the lookups; `references` holds the addresses of blocks that each resource refers to.
    pub(super) fn new(resources: &[Resource], references: &[Vec<Arc<str>>]) -> Self {
        let mut index = Self::default();
        for (at, resource) in resources.iter().enumerate() {
            index.by_address.entry(resource.address.clone()).or_insert(at);
            index.by_type.entry(resource.type_key()).or_default().push(at);
            if !resource.managed && &*resource.type_ == policy_document::TYPE {
                let document = policy_document::tree(resource.header, |name| resource.get(name));
                index.documents.insert(resource.address.clone(), document);
            }
            let block = address::block(&resource.address);
            if block.len() < resource.address.len() {
                match index.by_block.get_mut(block) {
                    Some(instances) => instances.push(at),
                    None => drop(index.by_block.insert(block.into(), vec![at])),
                }
            }
        }
        for (at, blocks) in references.iter().enumerate() {
            let found = match resources.get(at) {
                Some(resource) => index.instances_of(resources, resource, blocks),
                None => Vec::new(),
            };
            for address in &found {
                index.referrers.entry(address.clone()).or_default().push(at);
            }
            index.references.push(found);
        }
        index
    }

    /// The instances that a resource refers to, of the blocks that its expressions name. Where one expression stands for many
    /// instances, of a resource or of a module, the values say which; where those are not known, it may be any of them.
    fn instances_of(&self, resources: &[Resource], from: &Resource, blocks: &[Arc<str>]) -> Vec<Arc<str>> {
        let mut found: Vec<Arc<str>> = Vec::with_capacity(blocks.len());
        for block in blocks {
            match self.by_block.get(block) {
                None => found.push(block.clone()),
                Some(instances) => {
                    let all = instances.iter().filter_map(|at| resources.get(*at));
                    found.extend(all.map(|resource| resource.address.clone()));
                }
            }
        }
        let mut several: BTreeMap<String, usize> = BTreeMap::new();
        for address in found.iter().filter(|address| address.contains('[')) {
            *several.entry(address::without_keys(address)).or_default() += 1;
        }
        several.retain(|_, count| *count > 1);
        if several.is_empty() {
            return found;
        }
        let mut named = BTreeSet::new();
        name(&from.body, &mut named);
        // Of which of them a value speaks; a value that speaks of the block speaks of any.
        let told: BTreeSet<String> = named
            .iter()
            .filter(|address| found.iter().any(|one| **one == ***address))
            .map(|address| address::without_keys(address))
            .filter(|block| !named.contains(block.as_str()))
            .collect();
        found.retain(|address| {
            let block = address::without_keys(address);
            !several.contains_key(&block) || !told.contains(&block) || named.contains(&**address)
        });
        found
    }
}

/// Adds the addresses that a value refers to.
fn name<'n>(node: &'n Node, named: &mut BTreeSet<&'n str>) {
    match &node.value {
        Value::Reference(reference) => {
            named.insert(&reference.address);
        }
        Value::List(items) => items.iter().for_each(|item| name(item, named)),
        Value::Map(map) => map.iter().for_each(|(_, entry)| name(&entry.node, named)),
        _ => {}
    }
}

impl Resource {
    /// The type as an address spells it: `aws_vpc`, or `data.aws_region` for a data source.
    pub fn type_key(&self) -> Arc<str> {
        if self.managed { self.type_.clone() } else { format!("data.{}", self.type_).into() }
    }

    /// An argument or the list of a nested block type.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.body.get(name)
    }
}

impl Block {
    /// How Terraform's own messages name it: `terraform`, `module.network`, `provider.aws`, and of a provider with an
    /// alias `provider.aws.west`.
    pub fn address(&self) -> String {
        let alias =
            if &*self.kind == "provider" { self.body.get("alias").and_then(Node::as_str) } else { None };
        let mut address = format!("{}{}", self.module, self.kind);
        for part in self.labels.iter().map(AsRef::as_ref).chain(alias) {
            address.push('.');
            address.push_str(part);
        }
        address
    }
}

impl Module {
    /// The resource or data source of an address, `aws_vpc.main` or `data.aws_region.here`.
    pub fn get(&self, address: &str) -> Option<&Resource> {
        self.index.by_address.get(address).and_then(|at| self.resources.get(*at))
    }

    /// The instances of a block with `count` or `for_each`, by the block's address; empty for any other block.
    pub fn instances<'a>(&'a self, block: &str) -> impl Iterator<Item = &'a Resource> + use<'a> {
        let places = self.index.by_block.get(block).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|at| self.resources.get(*at))
    }

    /// The resource of an address, or the first instance of a block: any of them where only the type matters.
    pub(super) fn any_of(&self, address: &str) -> Option<&Resource> {
        self.get(address).or_else(|| self.instances(address).next())
    }

    /// The type in a resource's header, `"aws_vpc"`.
    pub(super) fn type_span(&self, resource: &Resource) -> Span {
        let at = self.index.by_address.get(&resource.address);
        at.and_then(|at| self.types.get(*at)).copied().unwrap_or(resource.header)
    }

    /// The document that a data source `aws_iam_policy_document` makes, as the tree of its JSON, or why the provider refuses
    /// it; `None` for any other address.
    pub fn document(&self, address: &str) -> Option<Result<&Node, &'static str>> {
        self.index.documents.get(address).map(|document| document.as_ref().map_err(|why| *why))
    }

    /// Every resource of a type, in file order; data sources under `data.aws_region`.
    pub fn resources_of<'a>(&'a self, type_: &str) -> impl Iterator<Item = &'a Resource> + use<'a> {
        let places = self.index.by_type.get(type_).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|at| self.resources.get(*at))
    }

    /// The resources of a type that refer to an address anywhere in their arguments, directly or through locals.
    /// `depends_on` and `replace_triggered_by` only say in which order, so they do not count. `*` is every type of
    /// resource.
    pub fn referrers<'a>(&'a self, address: &str, type_: &str) -> Vec<&'a Resource> {
        let of = |address: &str| self.index.referrers.get(address).map_or(&[][..], Vec::as_slice);
        let mut places = of(address).to_vec();
        if self.index.by_block.contains_key(address) {
            places.extend(self.instances(address).flat_map(|instance| of(&instance.address)));
            places.sort_unstable();
            places.dedup();
        }
        let (managed, type_) = match type_.strip_prefix("data.") {
            Some(type_) => (false, type_),
            None => (true, type_),
        };
        places
            .into_iter()
            .filter_map(|at| self.resources.get(at))
            .filter(|resource| resource.managed == managed && (type_ == "*" || &*resource.type_ == type_))
            .collect()
    }

    /// The resources of a type that may refer to any other, for what they refer to is not told, and why. `*` is every type.
    pub fn may_refer<'a>(&'a self, type_: &'a str) -> impl Iterator<Item = (&'a Resource, &'a str)> {
        let of = |type_: &str| self.hidden.get(type_).into_iter().flatten();
        let every = (type_ == "*").then(|| self.hidden.values().flatten()).into_iter().flatten();
        of(type_).chain(every).filter_map(|(at, why)| Some((self.resources.get(*at)?, &**why)))
    }

    /// The addresses a resource refers to, in the order it first names them; see [`Module::referrers`].
    pub fn references(&self, address: &str) -> &[Arc<str>] {
        self.index
            .by_address
            .get(address)
            .and_then(|at| self.index.references.get(*at))
            .map_or(&[], Vec::as_slice)
    }

    /// The blocks of a kind: `terraform`, `provider`, `variable`, `output`, `module`, `locals`.
    pub fn blocks_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| &*block.kind == kind)
    }

    /// Whether a value is the decoded tree of JSON text that is known only in part: `jsonencode({... a reference ...})`
    /// or a heredoc of JSON with `${...}` in it. Terraform sees a string there.
    pub fn is_partial_json(&self, node: &Node) -> bool {
        self.encoded.contains(&node.span)
    }
}
