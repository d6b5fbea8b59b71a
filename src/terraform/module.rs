//! A directory of `.tf` files as Terraform understands it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::source::{Node, Span};

/// One `resource` or `data` block, its expressions evaluated as far as the files fix them.
///
/// A resource with `count` or `for_each` stands here once: what differs between its instances (`each.value`,
/// `count.index`) is [`Value::Unknown`](crate::source::Value::Unknown).
#[derive(Debug, Clone)]
pub struct Resource {
    /// `true` for `resource`, `false` for `data`.
    pub managed: bool,
    /// `aws_vpc`.
    pub type_: Arc<str>,
    /// `main`.
    pub name: Arc<str>,
    /// `aws_vpc.main`, `data.aws_region.here`.
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
    /// Its content, evaluated; `locals` hold every local value under its name.
    pub body: Node,
    /// The header, `provider "aws"`.
    pub header: Span,
    /// The path in its `# blueprint: ` comment.
    pub blueprint: Option<Arc<str>>,
}

/// Every block of one module, and who refers to whom.
#[derive(Debug, Default)]
pub struct Module {
    /// Every resource and data source, in file order. One whose `count` is known to be 0 is not there.
    pub resources: Vec<Resource>,
    /// Every other block, in file order.
    pub blocks: Vec<Block>,
    pub(super) index: Index,
    /// The type in each resource's header, `"aws_vpc"`.
    pub(super) types: Vec<Span>,
    /// Every `address.attribute` that is written anywhere.
    pub(super) uses: Vec<Use>,
    /// Attributes whose text is JSON with parts that are known only after apply: their value is the decoded tree.
    pub(super) encoded: BTreeSet<Span>,
}

/// A reference to an attribute of a resource.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) address: Arc<str>,
    pub(super) attribute: Arc<str>,
    /// The reference up to the attribute.
    pub(super) span: Span,
    /// The names that follow, into the attribute's value.
    pub(super) within: Vec<Step>,
}

/// A name in a reference behind an attribute: `data` in `certificate_authority[0].data`.
#[derive(Debug)]
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
    by_type: BTreeMap<Arc<str>, Vec<usize>>,
    references: Vec<Vec<Arc<str>>>,
    referrers: BTreeMap<Arc<str>, Vec<usize>>,
}

impl Index {
    /// Builds the lookups; `references` holds one list for each resource.
    pub(super) fn new(resources: &[Resource], references: Vec<Vec<Arc<str>>>) -> Self {
        let mut index = Self::default();
        for (at, resource) in resources.iter().enumerate() {
            index.by_address.entry(resource.address.clone()).or_insert(at);
            index.by_type.entry(resource.type_key()).or_default().push(at);
        }
        for (at, addresses) in references.iter().enumerate() {
            for address in addresses {
                index.referrers.entry(address.clone()).or_default().push(at);
            }
        }
        index.references = references;
        index
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
        let mut address = self.kind.to_string();
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

    /// The type in a resource's header, `"aws_vpc"`.
    pub(super) fn type_span(&self, resource: &Resource) -> Span {
        let at = self.index.by_address.get(&resource.address);
        at.and_then(|at| self.types.get(*at)).copied().unwrap_or(resource.header)
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
        let places = self.index.referrers.get(address).map_or(&[][..], Vec::as_slice);
        let (managed, type_) = match type_.strip_prefix("data.") {
            Some(type_) => (false, type_),
            None => (true, type_),
        };
        places
            .iter()
            .filter_map(|at| self.resources.get(*at))
            .filter(|resource| resource.managed == managed && (type_ == "*" || &*resource.type_ == type_))
            .collect()
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
