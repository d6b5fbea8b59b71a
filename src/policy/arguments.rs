//! Checks the argument names in policies against the provider's schema: a name that does not exist would read as null
//! for ever, and its policy would pass or fail whatever the files say.

use std::sync::Arc;

use super::expression::{Expression, ITEM, THIS};
use super::file::{Rule, Scope};
use super::path::Path;
use super::tree::Expr;
use crate::source::did_you_mean;
use crate::terraform::schema::{self, Attribute, Block, Kind, Type};

/// What Terraform itself adds to every resource.
const META: [&str; 7] =
    ["provider", "depends_on", "lifecycle", "count", "for_each", "provisioner", "connection"];

/// A name that does not exist: what to say, what to write instead, the text to point at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stranger {
    pub(super) message: String,
    pub(super) help: String,
    pub(super) text: String,
}

/// Strangers among the types a rule looks at.
pub(super) fn types(rule: &Rule) -> Vec<Stranger> {
    let Scope::Terraform(types) = &rule.scope else { return Vec::new() };
    types.iter().filter_map(|type_| stranger_type(type_)).collect()
}

fn stranger_type(type_: &str) -> Option<Stranger> {
    let (kind, name) = match type_.strip_prefix("data.") {
        Some(name) => (Kind::Data, name),
        None => (Kind::Resource, type_),
    };
    let schema = schema::aws().filter(|schema| name.starts_with("aws_") && !schema.has(kind, name))?;
    let what = if kind == Kind::Data { "data source" } else { "resource type" };
    let help = match did_you_mean(name, schema.types(kind)) {
        Some(close) => format!("did you mean `{close}`?"),
        None => "the provider's documentation lists its types".to_owned(),
    };
    let message = format!("the AWS provider {} has no {what} `{name}`", schema.version());
    Some(Stranger { message, help, text: type_.to_owned() })
}

/// Strangers among the names an expression reads.
pub(super) fn names(rule: &Rule, expression: &Expression) -> Vec<Stranger> {
    let this = match &rule.scope {
        Scope::Terraform(types) => blocks(types.iter().map(String::as_str)),
        // Objects and blueprints have other schemas; what they ask of Terraform is checked all the same.
        _ => None,
    };
    let item = rule.each.as_ref().and_then(|each| below(this.as_deref()?, each));
    let mut walk = Walk { this, item, loops: Vec::new(), strangers: Vec::new() };
    walk.shape(&expression.root);
    walk.strangers
}

/// What may stand in blocks of one of several types; `None` where nobody knows.
type Shape = Option<Vec<Arc<Block>>>;

fn blocks<'t>(types: impl Iterator<Item = &'t str>) -> Shape {
    types.map(schema::type_schema).collect()
}

/// The blocks an `each` path leads to; indices and `*` stay in the list of blocks.
fn below(blocks: &[Arc<Block>], each: &Path) -> Shape {
    let mut blocks = blocks.to_vec();
    for names in each.names() {
        blocks =
            blocks.iter().flat_map(|block| names.iter().filter_map(|name| nested(block, name))).collect();
    }
    (!blocks.is_empty()).then_some(blocks)
}

fn nested(block: &Block, name: &str) -> Option<Arc<Block>> {
    if let Some(nested) = block.blocks.get(name) {
        return Some(Arc::new(nested.block.clone()));
    }
    // Some blocks are attributes to the provider (`ingress` of a security group): lists of objects.
    let members = match &block.attributes.get(name)?.type_ {
        Type::Object(members) => members,
        Type::List(of) | Type::Set(of) => match of.as_ref() {
            Type::Object(members) => members,
            _ => return None,
        },
        _ => return None,
    };
    let attribute =
        |type_: &Type| Attribute { required: false, optional: true, computed: false, type_: type_.clone() };
    let attributes = members.iter().map(|(name, type_)| (name.clone(), attribute(type_))).collect();
    Some(Arc::new(Block { attributes, ..Block::default() }))
}

struct Walk {
    this: Shape,
    item: Shape,
    /// The shapes of the macros' variables in scope, outermost first.
    loops: Vec<Shape>,
    strangers: Vec<Stranger>,
}

impl Walk {
    /// The shape of an expression's value; every field on the way is checked.
    fn shape(&mut self, expr: &Expr) -> Shape {
        match expr {
            Expr::Slot { slot, .. } => match *slot {
                THIS => self.this.clone(),
                ITEM => self.item.clone(),
                slot => {
                    let at = slot.checked_sub(super::expression::VARIABLES.len())?;
                    self.loops.get(at).cloned().flatten()
                }
            },
            Expr::Field { operand, name } | Expr::Has { operand, name } => {
                let shape = self.shape(operand)?;
                self.field(&shape, name, operand)
            }
            Expr::Once(inner) => self.shape(inner),
            Expr::Index { operand, at } => {
                self.shape(at);
                self.shape(operand)
            }
            Expr::All { range, body, .. }
            | Expr::Exists { range, body, .. }
            | Expr::ExistsOne { range, body, .. } => {
                self.each(range, &[body]);
                None
            }
            Expr::Collect { range, filter, transform, .. } => {
                let parts: Vec<&Expr> = filter.as_deref().into_iter().chain([transform.as_ref()]).collect();
                let shape = self.each(range, &parts);
                // `filter` gives its items back.
                matches!(transform.as_ref(), Expr::Slot { .. }).then_some(shape).flatten()
            }
            Expr::Call { function, arguments } => {
                for argument in arguments {
                    self.shape(argument);
                }
                let types = match (function.name, arguments.as_slice()) {
                    ("resources" | "declared", [types]) | ("referrers" | "referents", [_, types]) => {
                        literals(types)?
                    }
                    _ => return None,
                };
                self.strangers.extend(types.iter().filter_map(|type_| stranger_type(type_)));
                blocks(types.into_iter())
            }
            _ => {
                expr.each_inner(&mut |part| {
                    self.shape(part);
                });
                None
            }
        }
    }

    fn each(&mut self, range: &Expr, parts: &[&Expr]) -> Shape {
        let shape = self.shape(range);
        self.loops.push(shape.clone());
        for part in parts {
            self.shape(part);
        }
        self.loops.pop();
        shape
    }

    fn field(&mut self, shape: &[Arc<Block>], name: &str, operand: &Expr) -> Shape {
        let known = shape.iter().any(|block| block.has(name)) || META.contains(&name);
        if !known {
            let names = shape.iter().flat_map(|block| block.names());
            let help = match did_you_mean(name, names) {
                Some(close) => format!("did you mean `{close}`?"),
                None => "the provider's documentation lists what a block may have".to_owned(),
            };
            let path = operand.written().map_or_else(|| name.to_owned(), |path| format!("{path}.{name}"));
            let message = format!("the AWS provider knows no `{name}` here, so `{path}` is always null");
            self.strangers.push(Stranger { message, help, text: name.to_owned() });
        }
        let inner: Vec<Arc<Block>> = shape.iter().filter_map(|block| nested(block, name)).collect();
        (!inner.is_empty()).then_some(inner)
    }
}

fn literals(expr: &Expr) -> Option<Vec<&str>> {
    match expr {
        Expr::Str(type_) => Some(vec![type_]),
        Expr::List(items) => items.iter().map(|item| literals(item)?.into_iter().next()).collect(),
        _ => None,
    }
}
