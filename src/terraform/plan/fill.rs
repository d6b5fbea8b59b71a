//! What a plan leaves open in the arguments of a resource, filled in from its configuration, so that policies see what they see
//! in the files themselves: a reference where an argument is one, and nothing where nobody wrote an argument.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::configuration::{Configuration, Expression};
use super::trace::{Index, Scope, Traced};
use super::values::AFTER_APPLY;
use crate::source::{Map, Node, Value};
use crate::terraform::schema::{Block, Type};

/// Fills in one resource.
pub(super) struct Filling<'f> {
    pub(super) index: &'f Index,
    pub(super) configuration: &'f Configuration,
    pub(super) scope: Scope<'f>,
    /// Its texts are put together of what they refer to, so that a reference is not all there is to them: `${bucket.arn}/*`.
    pub(super) puts_together: bool,
    /// The addresses it refers to, in the order it first names them.
    pub(super) references: Vec<Arc<str>>,
    /// Why it may refer to others too.
    pub(super) hidden: Option<Arc<str>>,
}

impl Filling<'_> {
    /// Fills in the arguments of a resource.
    pub(super) fn body(
        &mut self,
        map: &mut Map,
        expressions: &BTreeMap<String, Expression>,
        schema: Option<&Block>,
    ) {
        self.arguments(map, expressions, schema, is_fill_in);
    }

    /// Fills in arguments; of those nobody wrote `is_fill_in` says which the provider has put there.
    fn arguments(
        &mut self,
        map: &mut Map,
        expressions: &BTreeMap<String, Expression>,
        schema: Option<&Block>,
        is_fill_in: fn(&str, &Node, Option<&Block>) -> bool,
    ) {
        map.entries.retain(|name, entry| {
            let node = &mut entry.node;
            match expressions.get(&**name) {
                Some(expression) => {
                    self.part(node, expression, schema.and_then(|schema| inside(schema, name)));
                }
                None if is_fill_in(name, node, schema) => return false,
                // Blocks that a `dynamic` block made: of those the configuration in a plan says nothing.
                None => self.unexplained(node),
            }
            !is_no_block(name, node, schema)
        });
    }

    fn part(&mut self, node: &mut Node, expression: &Expression, schema: Option<&Block>) {
        match expression {
            Expression::Constant(_) => {}
            // A block without any argument.
            Expression::Of(references) if references.is_empty() && schema.is_some() => {
                self.part(node, &Expression::Block(BTreeMap::new()), schema);
            }
            Expression::Of(references) => {
                let references: Vec<&str> = references.iter().map(AsRef::as_ref).collect();
                let traced = self.index.trace(self.configuration, self.scope, &references);
                self.expression(node, &traced);
            }
            Expression::Block(expressions) => match &mut node.value {
                Value::Map(map) => self.arguments(map, expressions, schema, is_filled_in_later),
                Value::List(items) => {
                    for item in &mut items.items {
                        self.part(item, expression, schema);
                    }
                }
                _ => self.unexplained(node),
            },
            Expression::Blocks(blocks) => {
                let Value::List(items) = &mut node.value else { return self.unexplained(node) };
                match blocks.as_slice() {
                    [one] => items.items.iter_mut().for_each(|item| self.part(item, one, schema)),
                    // Those of a set stand in an order of their own, and there `dynamic` blocks stand among them.
                    several => {
                        let any = Expression::any_of(several);
                        items.items.iter_mut().for_each(|item| self.part(item, &any, schema));
                    }
                }
            }
        }
    }

    /// Fills in a value that was computed from what was traced.
    fn expression(&mut self, node: &mut Node, traced: &Traced) {
        let mut met = vec![Vec::new(); traced.targets.len()];
        self.value(node, traced, &mut met);
        for (target, met) in traced.targets.iter().zip(met) {
            // Which of several instances is meant the values say, if they say so of any.
            let instances = if met.is_empty() { &target.instances } else { &met };
            for at in instances {
                self.refer(*at);
            }
        }
    }

    fn refer(&mut self, at: usize) {
        if let Some(address) = self.index.address(at)
            && !self.references.contains(address)
        {
            self.references.push(address.clone());
        }
    }

    fn value(&mut self, node: &mut Node, traced: &Traced, met: &mut [Vec<usize>]) {
        if is_open(node) {
            node.value = self.unknown(traced);
            return;
        }
        match &mut node.value {
            Value::List(items) => {
                self.one_by_one(&mut items.items, traced);
                items.items.iter_mut().for_each(|item| self.value(item, traced, met));
            }
            Value::Map(map) => {
                map.entries.values_mut().for_each(|entry| self.value(&mut entry.node, traced, met));
            }
            Value::Str(text) => {
                let text = text.clone();
                for (target, met) in traced.targets.iter().zip(met) {
                    for at in &target.instances {
                        let Some(attribute) = self.index.attribute_with(*at, &text, &target.attribute) else {
                            continue;
                        };
                        if let Some(address) = self.index.address(*at) {
                            node.value = Value::reference(address.clone(), attribute.clone());
                        }
                        if !met.contains(at) {
                            met.push(*at);
                        }
                        return;
                    }
                }
                if traced.local.is_some() {
                    let named = self.index.named(&text).to_vec();
                    for at in named {
                        self.refer(at);
                    }
                }
            }
            _ => {}
        }
    }

    /// Fills in a list of which as many items are unknown as there are instances that the expression refers to: `[aws_subnet.a.id,
    /// aws_subnet.b.id]`, or `aws_subnet.all[*].id`.
    fn one_by_one(&self, items: &mut [Node], traced: &Traced) {
        if traced.local.is_some() || traced.other || self.puts_together {
            return;
        }
        let named = traced.targets.iter().flat_map(|target| {
            target
                .instances
                .iter()
                .map(|at| (*at, if target.instances.len() == 1 { &*target.attribute } else { "" }))
        });
        let named: Vec<(usize, &str)> = named.collect();
        let mut open: Vec<&mut Node> = items.iter_mut().filter(|item| is_open(item)).collect();
        if open.len() != named.len() || traced.targets.iter().any(|target| target.instances.is_empty()) {
            return;
        }
        for (item, (at, attribute)) in open.iter_mut().zip(named) {
            if let Some(address) = self.index.address(at) {
                item.value = Value::reference(address.clone(), attribute);
            }
        }
    }

    /// What stands for a value that is known after apply.
    fn unknown(&mut self, traced: &Traced) -> Value {
        if let Some(local) = &traced.local {
            let reason: Arc<str> =
                format!("{AFTER_APPLY}, and what {local} is taken from a plan does not say").into();
            self.hidden.get_or_insert_with(|| reason.clone());
            return Value::Unknown(reason);
        }
        let names = traced.targets.iter().map(|target| match target.attribute.as_str() {
            "" => target.block.clone(),
            attribute => format!("{}.{attribute}", target.block),
        });
        match traced.targets.as_slice() {
            [target] if !self.puts_together => {
                let (address, attribute) = match target.instances.as_slice() {
                    [one] => (self.index.address(*one).cloned(), target.attribute.as_str()),
                    // The whole of several instances has no attribute of one of them.
                    [] => (None, target.attribute.as_str()),
                    [..] => (None, ""),
                };
                let address = address.unwrap_or_else(|| target.block.as_str().into());
                Value::reference(address, attribute)
            }
            [] => Value::Unknown(AFTER_APPLY.into()),
            [..] => {
                let names: Vec<String> = names.collect();
                Value::Unknown(format!("{AFTER_APPLY}: computed from {}", names.join(" and ")).into())
            }
        }
    }

    /// Notes what is unknown without a word of the configuration on it.
    fn unexplained(&mut self, node: &Node) {
        match &node.value {
            Value::Unknown(_) if is_open(node) => {
                let why = "it is known after apply, and a plan does not say what it is taken from";
                self.hidden.get_or_insert_with(|| why.into());
            }
            Value::List(items) => items.iter().for_each(|item| self.unexplained(item)),
            Value::Map(map) => map.iter().for_each(|(_, entry)| self.unexplained(&entry.node)),
            _ => {}
        }
    }
}

/// Whether a value is known after apply, and nothing else is known of it yet.
fn is_open(node: &Node) -> bool {
    matches!(&node.value, Value::Unknown(reason) if **reason == *AFTER_APPLY)
}

/// The schema of a nested block type.
fn inside<'s>(schema: &'s Block, name: &str) -> Option<&'s Block> {
    schema.blocks.get(name).map(|nested| &nested.block)
}

/// Whether the provider fills an argument in that nobody wrote: in the files it would not be there.
fn is_fill_in(name: &str, node: &Node, schema: Option<&Block>) -> bool {
    let unknown = matches!(node.value, Value::Unknown(_));
    let Some(schema) = schema else { return unknown };
    match schema.attributes.get(name) {
        // Blocks that may be written as arguments may have been written by a `dynamic` block.
        Some(attribute) if attribute.computed => {
            let blocks = attribute.optional && is_blocks(&attribute.type_);
            unknown || !blocks || node.items().is_empty()
        }
        Some(_) => unknown,
        None => false,
    }
}

/// The same of an argument inside a block: whatever is known there counts as written, for the block was.
fn is_filled_in_later(name: &str, node: &Node, schema: Option<&Block>) -> bool {
    let attribute = schema.and_then(|schema| schema.attributes.get(name));
    attribute.is_some_and(|attribute| attribute.computed) && matches!(node.value, Value::Unknown(_))
}

fn is_blocks(type_: &Type) -> bool {
    match type_ {
        Type::List(of) | Type::Set(of) => matches!(**of, Type::Object(_)),
        _ => false,
    }
}

/// Whether these are the blocks of a type of which there is none.
fn is_no_block(name: &str, node: &Node, schema: Option<&Block>) -> bool {
    schema.is_some_and(|schema| schema.blocks.contains_key(name))
        && match &node.value {
            Value::List(items) => items.is_empty(),
            Value::Map(map) => map.entries.is_empty(),
            _ => false,
        }
}
