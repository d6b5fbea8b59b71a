//! Bodies of blocks: arguments, nested blocks, dynamic blocks.

use std::sync::Arc;

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, BlockLabel, Body, Structure};

use crate::source::{Map, Node, Shape, Span, Value};

use super::declared::{Place, header};
use super::evaluate::{Binding, Evaluator, Item, MAX_DEPTH, Scope, pairs};

impl<'a> Evaluator<'a> {
    /// An argument or the blocks of one type, of an instance of a resource; `None` if the block has no such member.
    pub(super) fn member(&mut self, module: usize, at: usize, index: usize, name: &str) -> Option<Arc<Node>> {
        let resource = self.declared(module).resources.get(at)?;
        let body = &resource.block.body;
        let name = body.iter().find_map(|structure| member_name(structure).filter(|own| *own == name))?;
        let circular = || (format!("{}.{name} refers to itself", resource.address), resource.header);
        self.once(module, Item::Member(at, index, name), circular, |evaluator| {
            let top = Scope::top(module, resource.place);
            // The number of instances is the same in each of them.
            if matches!(name, "count" | "for_each") {
                return evaluator.own(body, name, resource.place, &top);
            }
            let keys = evaluator.keys(module, at);
            evaluator.inside(&keys, index, &top, |evaluator, scope| {
                let mut node = evaluator.own(body, name, resource.place, scope)?;
                if resource.managed {
                    evaluator.conceal_member(&resource.type_, name, &mut node, body, scope);
                }
                Some(node)
            })
        })
    }

    /// A member of a resource's body.
    fn own(&mut self, body: &'a Body, name: &str, place: Place<'_>, scope: &Scope<'_>) -> Option<Node> {
        if let Some(attribute) = body.get_attribute(name) {
            let written = self.as_written(name, &attribute.value, place);
            return Some(written.unwrap_or_else(|| self.eval(&attribute.value, scope)));
        }
        let lifecycle = name == "lifecycle";
        let mut members = Map::default();
        for structure in body.iter().filter(|structure| member_name(structure) == Some(name)) {
            if let Structure::Block(block) = structure {
                self.block(block, scope, &mut members, lifecycle);
            }
        }
        members.entries.swap_remove(name).map(|entry| entry.node)
    }

    /// Meta-arguments that hold addresses, not values.
    fn as_written(&self, name: &str, expr: &'a Expression, place: Place<'_>) -> Option<Node> {
        let text = |expr: &Expression| {
            let span = place.of(expr);
            let written = self.sources.get(span.file).map_or("", |file| file.slice(span));
            Node::string(span, written.trim_matches('"').split_whitespace().collect::<String>())
        };
        match (name, expr) {
            ("depends_on" | "ignore_changes" | "replace_triggered_by", Expression::Array(items)) => {
                Some(Node::new(place.of(expr), Value::List(items.iter().map(text).collect())))
            }
            ("provider" | "ignore_changes", _) => Some(text(expr)),
            _ => None,
        }
    }

    /// The members of a body in the order they are written; nested blocks of one type become one list.
    pub(super) fn body(&mut self, body: &'a Body, scope: &Scope<'_>, lifecycle: bool) -> Map {
        let mut map = Map::default();
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => {
                    let name = attribute.key.as_str();
                    let written =
                        if lifecycle { self.as_written(name, &attribute.value, scope.place) } else { None };
                    let node = match written {
                        Some(node) => node,
                        None => self.eval(&attribute.value, scope),
                    };
                    map.insert(name, scope.place.of(&attribute.key), node);
                }
                Structure::Block(block) => self.block(block, scope, &mut map, false),
            }
        }
        map
    }

    /// Adds a nested block to the list of its type.
    fn block(&mut self, block: &'a Block, scope: &Scope<'_>, map: &mut Map, lifecycle: bool) {
        if self.depth >= MAX_DEPTH {
            return;
        }
        self.depth += 1;
        let head = header(scope.place, block);
        if block.ident.as_str() == "dynamic"
            && let Some(label) = block.labels.first()
        {
            let blocks = self.dynamic(block, scope, head);
            append(map, label.as_str(), scope.place.of(label), blocks);
        } else {
            let mut members = self.body(&block.body, scope, lifecycle);
            if let Some(label) = block.labels.first() {
                // Provisioners and backends have one, and none of their arguments is called so.
                members.insert(
                    "type",
                    scope.place.of(label),
                    Node::string(scope.place.of(label), label.as_str()),
                );
            }
            let node = Node::new(head, Value::Map(members));
            append(map, block.ident.as_str(), scope.place.of(&block.ident), Value::List(vec![node].into()));
        }
        self.depth -= 1;
    }

    /// The blocks a dynamic block stands for.
    fn dynamic(&mut self, block: &'a Block, scope: &Scope<'_>, head: Span) -> Value {
        let label = block.labels.first().map_or("", BlockLabel::as_str);
        let (Some(for_each), Some(content)) =
            (block.body.get_attribute("for_each"), block.body.get_blocks("content").next())
        else {
            return self.failed("a dynamic block needs for_each and content");
        };
        let iterator = block
            .body
            .get_attribute("iterator")
            .and_then(|iterator| iterator.value.as_variable())
            .map_or(label, hcl_edit::Ident::as_str);
        let collection = self.eval(&for_each.value, scope);
        let pairs = match pairs(collection.value) {
            Ok(pairs) => pairs,
            Err(Some(reason)) => return Value::Unknown(reason),
            Err(None) => return self.failed("for_each needs a collection"),
        };
        let mut blocks = Vec::new();
        for (key, value) in pairs {
            let mut item = Map::default();
            item.insert("key", key.span, key);
            item.insert("value", value.span, value);
            let item = Node::new(head, Value::Map(item)).marked(collection.sensitive);
            let names = Binding::new(iterator, &item, scope);
            let scope = scope.with(&names);
            let members = self.body(&content.body, &scope, false);
            blocks.push(Node::new(head, Value::Map(members)));
        }
        Value::List(blocks.into())
    }
}

/// The name a structure adds to its body: an argument's key, a block's type, a dynamic block's label.
pub(super) fn member_name(structure: &Structure) -> Option<&str> {
    match structure {
        Structure::Attribute(attribute) => Some(attribute.key.as_str()),
        Structure::Block(block) if block.ident.as_str() == "dynamic" => {
            block.labels.first().map(BlockLabel::as_str)
        }
        Structure::Block(block) => Some(block.ident.as_str()),
    }
}

/// Adds blocks to the list of their type. Those that are not known come last, and leave the list open.
fn append(map: &mut Map, name: &str, key: Span, blocks: Value) {
    let Some(entry) = map.entries.get_mut(name) else {
        map.insert(name, key, Node::new(key, blocks));
        return;
    };
    let node = &mut entry.node;
    match (&mut node.value, blocks) {
        (Value::List(items), Value::List(more)) => {
            let doubt = if items.shape == Shape::Open { items.pop() } else { None };
            items.extend(more);
            items.extend(doubt);
        }
        (Value::List(items), doubt @ Value::Unknown(_)) if items.shape != Shape::Open => {
            items.push(Node::new(key, doubt));
            items.shape = Shape::Open;
        }
        (doubt @ Value::Unknown(_), Value::List(mut items)) if !items.is_empty() => {
            items.push(Node::new(node.span, std::mem::take(doubt)));
            items.shape = Shape::Open;
            node.value = Value::List(items);
        }
        _ => {}
    }
}
