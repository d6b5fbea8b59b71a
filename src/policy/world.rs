//! What policies look at, indexed once so that an evaluation is one pass.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use regex_automata::meta::Regex;

use super::catalogue::Catalogue;
use super::file::Policy;
use super::value::{Outcome, Undecided, Val};
use crate::kubernetes::Object;
use crate::source::{Node, Sources, Value, Verdict, pattern};
use crate::terraform::address::block;
use crate::terraform::{Block, Module, Resource};

/// The type of resource, or kind of object, that stands for all of them.
const EVERY: &str = "*";

/// The inputs of one evaluation. Policies see these, and the date; nothing else.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The files the spans point into.
    pub sources: &'a Sources,
    /// The resolved blueprint's view.
    pub blueprint: Option<&'a Node>,
    /// One Terraform module.
    pub module: Option<&'a Module>,
    /// Kubernetes objects; empty means that no manifest was given.
    pub objects: &'a [Object],
    /// Why there may be more objects than these, if something was not followed that makes some.
    pub unread: Option<&'a str>,
    /// The date of `--at`, `today` in expressions.
    pub at: Option<jiff::civil::Date>,
    /// Every policy there is, whether it is applied or not: what a waiver can name. The built-in ones if not said.
    pub catalogue: Option<&'a Catalogue>,
    /// Of files that a render wrote: how they differ from what its lock says, as the function `lock()` shows it.
    pub lock: Option<&'a Node>,
    /// Policies that the run leaves out: what they would have said is not known.
    pub left_out: &'a [&'a Policy],
    /// Passes are counted and not kept: nobody wants to see them.
    pub count_passes: bool,
    /// Sort the lists that expressions search before it is known whether that pays. Verdicts are the same either way.
    pub sort_early: bool,
}

impl<'a> World<'a> {
    /// A world with no input yet.
    pub fn new(sources: &'a Sources) -> Self {
        Self {
            sources,
            blueprint: None,
            module: None,
            objects: &[],
            unread: None,
            at: None,
            catalogue: None,
            lock: None,
            left_out: &[],
            count_passes: false,
            sort_early: false,
        }
    }
}

/// The world with its indices.
pub(super) struct Context<'a> {
    pub(super) world: World<'a>,
    by_kind: BTreeMap<&'a str, Vec<&'a Object>>,
    /// Tables of facts that an expression has read.
    facts: RefCell<BTreeSet<&'static str>>,
    /// Patterns that expressions computed, compiled.
    patterns: RefCell<BTreeMap<String, Pattern>>,
    /// The statements of policies that stand in the files as JSON, by where the text is in memory.
    statements: RefCell<BTreeMap<(usize, usize), Outcome<'a>>>,
    /// Which blocks are calls of modules that are not read, once somebody asked.
    unread: OnceCell<Vec<usize>>,
    /// What the other policies said, for those that judge by it.
    pub(super) judged: &'a [Judged],
}

/// A compiled pattern, or why it does not compile.
type Pattern = Result<Rc<Regex>, String>;

/// One verdict of an evaluation, as far as other policies look at it.
pub(super) struct Judged {
    pub(super) policy: String,
    pub(super) frameworks: Vec<&'static str>,
    pub(super) verdict: Verdict,
    /// `aws_flow_log`, `vpc`.
    pub(super) type_: String,
    /// The blueprint node it is about or was generated from, `regions.primary.vpc`; empty where nothing says so.
    pub(super) pointer: String,
}

impl<'a> Context<'a> {
    pub(super) fn new(world: World<'a>, judged: &'a [Judged]) -> Self {
        let mut by_kind: BTreeMap<&'a str, Vec<&'a Object>> = BTreeMap::new();
        for object in world.objects {
            by_kind.entry(&object.kind).or_default().push(object);
        }
        Self {
            world,
            by_kind,
            facts: RefCell::default(),
            patterns: RefCell::default(),
            statements: RefCell::default(),
            unread: OnceCell::new(),
            judged,
        }
    }

    /// Notes that a table of facts took part in a verdict.
    pub(super) fn note_facts(&self, name: &'static str) {
        self.facts.borrow_mut().insert(name);
    }

    /// A pattern that an expression computed, compiled once however often it is asked for.
    pub(super) fn pattern(&self, text: &str) -> Pattern {
        let mut patterns = self.patterns.borrow_mut();
        if let Some(known) = patterns.get(text) {
            return known.clone();
        }
        let compiled = pattern::compile(text).map(Rc::new);
        patterns.insert(text.to_owned(), compiled.clone());
        compiled
    }

    /// The statements of a policy's text, read once however often it is asked for.
    pub(super) fn statements(
        &self,
        text: &'a str,
        read: impl FnOnce() -> Result<Vec<Val<'a>>, Undecided>,
    ) -> Outcome<'a> {
        let place = (text.as_ptr() as usize, text.len());
        let mut statements = self.statements.borrow_mut();
        statements.entry(place).or_insert_with(|| read().map(Val::list)).clone()
    }

    /// The tables of facts that took part.
    pub(super) fn into_facts(self) -> Vec<&'static str> {
        self.facts.into_inner().into_iter().collect()
    }

    /// Resources of a type; a data source is `data.aws_region`, `*` every resource and data source.
    pub(super) fn resources(&self, type_: &str) -> Vec<&'a Resource> {
        self.world.module.map_or_else(Vec::new, |module| match type_ {
            EVERY => module.resources.iter().collect(),
            type_ => module.resources_of(type_).collect(),
        })
    }

    /// The resource of an address; the address of one instance (`aws_subnet.a["x"]`) finds the block that stands for all of
    /// them, if they are not known.
    pub(super) fn resource(&self, address: &str) -> Option<&'a Resource> {
        let module = self.world.module?;
        module.get(address).or_else(|| module.get(block(address)))
    }

    /// Whether an address is that of a block with several instances: which of them is meant is not known.
    pub(super) fn is_ambiguous(&self, address: &str) -> bool {
        self.world.module.is_some_and(|module| module.instances(address).next().is_some())
    }

    /// Resources of a type whose arguments refer to an address.
    pub(super) fn referrers(&self, address: &str, type_: &str) -> Vec<&'a Resource> {
        let Some(module) = self.world.module else { return Vec::new() };
        let known = module.get(address).is_some() || self.is_ambiguous(address);
        module.referrers(if known { address } else { block(address) }, type_)
    }

    /// Resources of a type that a resource refers to, and why it may refer to more.
    pub(super) fn referents(&self, from: &Resource, type_: &str) -> (Vec<&'a Resource>, Option<String>) {
        let Some(module) = self.world.module else { return (Vec::new(), None) };
        let named = module.references(&from.address).iter().filter_map(|address| self.resource(address));
        let found = named.filter(|resource| type_ == EVERY || *resource.type_key() == *type_).collect();
        let mut hidden = module.may_refer(&from.type_);
        let hidden = hidden.find(|(hidden, _)| hidden.address == from.address);
        (found, hidden.map(|(_, why)| format!("`{}` may refer to more: {why}", from.address)))
    }

    /// Why there may be one more resource of a type that refers to a resource than those that were found.
    pub(super) fn may_refer(&self, type_: &str, found: &[&Resource]) -> Option<String> {
        let mut hidden = self.world.module?.may_refer(type_);
        let (resource, why) =
            hidden.find(|(hidden, _)| !found.iter().any(|known| known.address == hidden.address))?;
        Some(format!("`{}` may refer to it: {why}", resource.address))
    }

    /// The first called module that is not read and may declare more than these files do: any at all, or one that is given
    /// an address.
    pub(super) fn called_module(&self, given: Option<&str>) -> Option<&'a str> {
        let module = self.world.module?;
        let unread = self.unread.get_or_init(|| {
            let calls = module.blocks.iter().enumerate();
            calls
                .filter(|(_, call)| &*call.kind == "module" && call.unread.is_some())
                .map(|(at, _)| at)
                .collect()
        });
        let mut calls = unread.iter().filter_map(|at| module.blocks.get(*at));
        // What is computed from a resource is known by its value no more, and given all the same.
        let names = |call: &Block, address: &str| {
            let same = |named: &str| named == address || named == block(address);
            call.given.iter().any(|named| same(named)) || refers(&call.body, address)
        };
        let call = calls.find(|call| given.is_none_or(|address| names(call, address)))?;
        Some(call.labels.first().map_or("?", |label| label))
    }

    /// Objects of a kind; `*` every object; `NetworkPolicy.networking.k8s.io` says the group too, `Pod.core` the core group.
    pub(super) fn objects(&self, wanted: &str) -> Vec<&'a Object> {
        if wanted == EVERY {
            return self.world.objects.iter().collect();
        }
        let (kind, group) = match wanted.split_once('.') {
            Some((kind, group)) => (kind, Some(group)),
            None => (wanted, None),
        };
        let objects = self.by_kind.get(kind).map_or(&[][..], Vec::as_slice);
        objects
            .iter()
            .copied()
            .filter(|object| group.is_none_or(|group| group == api_group(object)))
            .collect()
    }
}

fn refers(node: &Node, address: &str) -> bool {
    match &node.value {
        Value::Reference(reference) => {
            *reference.address == *address || *reference.address == *block(address)
        }
        Value::List(items) => items.iter().any(|item| refers(item, address)),
        Value::Map(map) => map.iter().any(|(_, entry)| refers(&entry.node, address)),
        _ => false,
    }
}

/// `apps` of `apps/v1`, `core` of `v1`.
fn api_group(object: &Object) -> &str {
    object.api_version.split_once('/').map_or("core", |(group, _)| group)
}
