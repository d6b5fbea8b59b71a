//! What policies look at, indexed once so that an evaluation is one pass.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::kubernetes::Object;
use crate::source::{Node, Sources, Value};
use crate::terraform::{Module, Resource};

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
    /// The date of `--at`, `today` in expressions.
    pub at: Option<jiff::civil::Date>,
}

/// The world with its indices.
pub(super) struct Context<'a> {
    pub(super) world: World<'a>,
    by_type: BTreeMap<&'a str, Vec<&'a Resource>>,
    by_data_type: BTreeMap<&'a str, Vec<&'a Resource>>,
    by_address: BTreeMap<&'a str, &'a Resource>,
    by_kind: BTreeMap<&'a str, Vec<&'a Object>>,
    referrers: OnceLock<BTreeMap<&'a str, Vec<&'a Resource>>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(world: World<'a>) -> Self {
        let mut context = Self {
            world,
            by_type: BTreeMap::new(),
            by_data_type: BTreeMap::new(),
            by_address: BTreeMap::new(),
            by_kind: BTreeMap::new(),
            referrers: OnceLock::new(),
        };
        for resource in world.module.map_or(&[][..], |module| &module.resources) {
            let index = if resource.managed { &mut context.by_type } else { &mut context.by_data_type };
            index.entry(&resource.type_).or_default().push(resource);
            context.by_address.insert(&resource.address, resource);
        }
        for object in world.objects {
            context.by_kind.entry(&object.kind).or_default().push(object);
        }
        context
    }

    /// Resources of a type; a data source is `data.aws_region`.
    pub(super) fn resources(&self, type_: &str) -> &[&'a Resource] {
        match type_.strip_prefix("data.") {
            Some(type_) => self.by_data_type.get(type_),
            None => self.by_type.get(type_),
        }
        .map_or(&[], Vec::as_slice)
    }

    /// The resource of an address; the address of one instance (`aws_subnet.a["x"]`) finds its block.
    pub(super) fn resource(&self, address: &str) -> Option<&'a Resource> {
        self.by_address.get(address).or_else(|| self.by_address.get(block(address))).copied()
    }

    /// Objects of a kind; `NetworkPolicy.networking.k8s.io` says the group too, `Pod.core` the core group.
    pub(super) fn objects(&self, wanted: &str) -> Vec<&'a Object> {
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

    /// Resources whose arguments refer to an address.
    pub(super) fn referrers(&self, address: &str) -> &[&'a Resource] {
        let index = self.referrers.get_or_init(|| {
            let mut index: BTreeMap<&'a str, Vec<&'a Resource>> = BTreeMap::new();
            for resource in self.world.module.map_or(&[][..], |module| &module.resources) {
                let mut seen = Vec::new();
                references(&resource.body, &mut seen);
                seen.sort_unstable();
                seen.dedup();
                for address in seen {
                    index.entry(address).or_default().push(resource);
                }
            }
            index
        });
        index.get(block(address)).map_or(&[], Vec::as_slice)
    }
}

fn references<'a>(node: &'a Node, seen: &mut Vec<&'a str>) {
    match &node.value {
        Value::Reference(reference) => seen.push(block(&reference.address)),
        Value::List(items) => items.iter().for_each(|item| references(item, seen)),
        Value::Map(map) => map.iter().for_each(|(_, entry)| references(&entry.node, seen)),
        _ => {}
    }
}

/// `aws_subnet.a` of `aws_subnet.a["x"]`.
pub(super) fn block(address: &str) -> &str {
    address.split_once('[').map_or(address, |(block, _)| block)
}

/// `apps` of `apps/v1`, `core` of `v1`.
fn api_group(object: &Object) -> &str {
    object.api_version.split_once('/').map_or("core", |(group, _)| group)
}
