//! The blocks of a plan's configuration that are no resources: providers, variables, outputs and calls of modules.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::configuration::{Configuration, Expression, Module};
use super::values::AFTER_APPLY;
use crate::source::{List, Map, Node, Sources, Span, Value};
use crate::terraform::module::Block;

/// Every block; a plan does not say where each stands, so all of them stand at `span`.
pub(super) fn of(configuration: &Configuration, span: Span, sources: &Sources) -> Vec<Block> {
    let mut blocks = Blocks { span, sources, found: Vec::new() };
    for provider in configuration.provider_config.values() {
        // One that has neither is only named: by a `required_providers`, or by the resources that take it.
        if provider.expressions.is_empty() && provider.alias.is_none() {
            continue;
        }
        let mut body = blocks.arguments(&provider.expressions);
        blocks.text(&mut body, "alias", provider.alias.as_deref());
        blocks.text(&mut body, "version", provider.version_constraint.as_deref());
        let module = provider.module_address.as_deref().map_or_else(String::new, |path| format!("{path}."));
        blocks.add("provider", &provider.name, &module.into(), body);
    }
    blocks.module(&configuration.root_module, &"".into());
    blocks.found
}

struct Blocks<'s> {
    span: Span,
    sources: &'s Sources,
    found: Vec<Block>,
}

impl Blocks<'_> {
    fn module(&mut self, module: &Module, path: &Arc<str>) {
        for (name, variable) in &module.variables {
            let mut body = Map::default();
            self.text(&mut body, "description", variable.description.as_deref());
            if let Some(default) = &variable.default {
                let mut node = Node::from_json(self.span, default);
                if variable.sensitive {
                    self.sources.conceal(&mut node);
                }
                body.insert("default", self.span, node);
            }
            self.flag(&mut body, "sensitive", variable.sensitive);
            self.add("variable", name, path, body);
        }
        for (name, output) in &module.outputs {
            let mut body = Map::default();
            self.text(&mut body, "description", output.description.as_deref());
            body.insert("value", self.span, self.node(&output.expression));
            self.flag(&mut body, "sensitive", output.sensitive);
            self.add("output", name, path, body);
        }
        for (name, call) in &module.module_calls {
            let mut body = self.arguments(&call.expressions);
            self.text(&mut body, "source", call.source.as_deref());
            self.text(&mut body, "version", call.version_constraint.as_deref());
            self.add("module", name, path, body);
            self.module(&call.module, &format!("{path}module.{name}.").into());
        }
    }

    fn add(&mut self, kind: &str, label: &str, module: &Arc<str>, body: Map) {
        self.found.push(Block {
            kind: kind.into(),
            labels: vec![label.into()],
            module: module.clone(),
            body: Node::new(self.span, Value::Map(body)),
            header: self.span,
            blueprint: None,
            unread: None,
            given: Vec::new(),
        });
    }

    fn text(&self, body: &mut Map, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            body.insert(name, self.span, Node::string(self.span, text));
        }
    }

    fn flag(&self, body: &mut Map, name: &str, flag: bool) {
        if flag {
            body.insert(name, self.span, Node::new(self.span, Value::Bool(true)));
        }
    }

    fn arguments(&self, expressions: &BTreeMap<String, Expression>) -> Map {
        let mut map = Map::default();
        for (name, expression) in expressions {
            map.insert(name.as_str(), self.span, self.node(expression));
        }
        map
    }

    fn node(&self, expression: &Expression) -> Node {
        let value = match expression {
            Expression::Constant(json) if json.is_null() => {
                Value::Unknown("its value is not among what is read".into())
            }
            Expression::Constant(json) => return Node::from_json(self.span, json),
            Expression::Of(_) => Value::Unknown(AFTER_APPLY.into()),
            Expression::Block(parts) => Value::Map(self.arguments(parts)),
            Expression::Blocks(blocks) => {
                Value::List(blocks.iter().map(|block| self.node(block)).collect::<List>())
            }
        };
        Node::new(self.span, value)
    }
}
