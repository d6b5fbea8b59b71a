//! Traversals: `var.a`, `local.b["c"]`, `aws_vpc.main.id`, `module.x.y[*].z`.

use std::fmt::Write as _;

use hcl_edit::Decorated;
use hcl_edit::expr::{Expression, Traversal, TraversalOperator};

use crate::source::{Node, Reference, Span, Value};

use super::evaluate::{Evaluator, Scope, weight};
use super::operators;

impl<'a> Evaluator<'a> {
    pub(super) fn traversal(&mut self, traversal: &'a Traversal, scope: &Scope<'_>, span: Span) -> Node {
        if let Expression::Variable(name) = &traversal.expr {
            return self.root(name.as_str(), &traversal.operators, scope, span);
        }
        let head = self.eval(&traversal.expr, scope);
        self.walk(&head, &traversal.operators, scope, span)
    }

    /// A traversal from a name: what the name is decides how many operators belong to it.
    pub(super) fn root(
        &mut self,
        name: &'a str,
        operators: &'a [Decorated<TraversalOperator>],
        scope: &Scope<'_>,
        span: Span,
    ) -> Node {
        if let Some(node) = scope.lookup(name) {
            let node = node.clone();
            return self.walk(&node, operators, scope, span);
        }
        let step = |at: usize| operators.get(at).and_then(|operator| attribute(operator));
        let unknown = |reason: String| Node::new(span, Value::Unknown(reason.into()));
        match (name, step(0)) {
            ("var", Some(variable)) => match self.variable(variable) {
                Some(node) => self.walk(&node, operators.get(1..).unwrap_or(&[]), scope, span),
                None => unknown(format!("variable {variable} is not declared")),
            },
            ("local", Some(local)) => match self.local(local) {
                Some(node) => self.walk(&node, operators.get(1..).unwrap_or(&[]), scope, span),
                None => unknown(format!("local {local} is not declared")),
            },
            ("each" | "count", _) => unknown(format!("{name} differs from instance to instance")),
            ("module", Some(module)) => unknown(format!("module {module} is not read")),
            ("path" | "terraform" | "self" | "ephemeral", _) => {
                unknown(format!("{name} is known only when Terraform runs"))
            }
            ("data", Some(type_)) => match step(1) {
                Some(data) => self.resource(
                    &format!("data.{type_}.{data}"),
                    operators.get(2..).unwrap_or(&[]),
                    scope,
                    span,
                ),
                None => unknown("an incomplete reference".to_owned()),
            },
            (type_, Some(resource)) => {
                self.resource(&format!("{type_}.{resource}"), operators.get(1..).unwrap_or(&[]), scope, span)
            }
            (name, None) => unknown(format!("{name} refers to nothing")),
        }
    }

    /// What a reference to a resource gives: the value if the block says it, or else the reference.
    fn resource(
        &mut self,
        address: &str,
        operators: &'a [Decorated<TraversalOperator>],
        scope: &Scope<'_>,
        span: Span,
    ) -> Node {
        let Some((address, at)) = self.declared.by_address.get_key_value(address) else {
            return Node::new(span, Value::Unknown(format!("{address} is not declared").into()));
        };
        let repeated = self.declared.resources.get(*at).is_some_and(|resource| resource.repeated().is_some());
        // `aws_subnet.private["a"]` is one instance of a block that stands for all of them.
        let instance = usize::from(repeated && operators.first().is_some_and(is_index));
        let operators = operators.get(instance..).unwrap_or(&[]);
        let reference = Value::Reference(Reference {
            address: address.clone(),
            attribute: self.attribute_path(operators, scope).into(),
        });
        if let Some(name) = operators.first().and_then(|step| attribute(step))
            && let Some(node) = self.member(*at, name)
        {
            let failures = self.failures;
            let found = self.walk(&node, operators.get(1..).unwrap_or(&[]), scope, span);
            if !matches!(found.value, Value::Unknown(_) | Value::Partial(_)) {
                return found;
            }
            // An attribute of a written block that only the provider fills in.
            self.failures = failures;
        }
        Node::new(span, reference)
    }

    /// What follows an address, as people write it: `vpc_config[0].cluster_security_group_id`.
    fn attribute_path(&mut self, operators: &'a [Decorated<TraversalOperator>], scope: &Scope<'_>) -> String {
        let mut path = String::new();
        for operator in operators {
            match operator.value() {
                TraversalOperator::GetAttr(name) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name.as_str());
                }
                TraversalOperator::LegacyIndex(index) => drop(write!(path, "[{}]", index.value())),
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => path.push_str("[*]"),
                TraversalOperator::Index(index) => match self.eval(index, scope).value {
                    Value::Int(at) => drop(write!(path, "[{at}]")),
                    Value::Str(key) => drop(write!(path, "[{key:?}]")),
                    _ => path.push_str("[?]"),
                },
            }
        }
        path
    }

    /// Follows operators into a value.
    fn walk(
        &mut self,
        node: &Node,
        operators: &'a [Decorated<TraversalOperator>],
        scope: &Scope<'_>,
        span: Span,
    ) -> Node {
        let mut at = node;
        for (index, operator) in operators.iter().enumerate() {
            match &at.value {
                Value::Unknown(_) => break,
                Value::Reference(reference) => {
                    let rest = self.attribute_path(operators.get(index..).unwrap_or(&[]), scope);
                    let dot = if reference.attribute.is_empty() || rest.starts_with('[') { "" } else { "." };
                    let attribute = format!("{}{dot}{rest}", reference.attribute);
                    let reference =
                        Reference { address: reference.address.clone(), attribute: attribute.into() };
                    return Node::new(span, Value::Reference(reference));
                }
                _ => {}
            }
            let next = match operator.value() {
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                    let rest = operators.get(index + 1..).unwrap_or(&[]);
                    return self.splat(at, rest, scope, span);
                }
                TraversalOperator::GetAttr(name) => at.get(name.as_str()),
                TraversalOperator::LegacyIndex(position) => {
                    usize::try_from(*position.value()).ok().and_then(|position| at.items().get(position))
                }
                TraversalOperator::Index(key) => {
                    let key = self.eval(key, scope);
                    if let Some(reason) = operators::unknown(&key.value) {
                        return Node::new(span, Value::Unknown(reason));
                    }
                    match &at.value {
                        Value::List(items) => operators::to_number(&key.value).and_then(|number| {
                            match operators::number(number) {
                                Value::Int(whole) => usize::try_from(whole).ok(),
                                _ => None,
                            }
                            .and_then(|position| items.get(position))
                        }),
                        Value::Map(map) => operators::to_text(&key.value).and_then(|key| map.get(&key)),
                        _ => None,
                    }
                }
            };
            match next {
                Some(next) => at = next,
                None => {
                    let value = self.failed("the value has no such element");
                    return Node::new(span, value);
                }
            }
        }
        // Only what is used is copied, not the whole object it stands in.
        let value = if weight(&at.value, self.budget) > self.budget {
            Value::Unknown("the module's values are too large to evaluate".into())
        } else {
            at.value.clone()
        };
        Node::new(at.span, value)
    }

    fn splat(
        &mut self,
        node: &Node,
        rest: &'a [Decorated<TraversalOperator>],
        scope: &Scope<'_>,
        span: Span,
    ) -> Node {
        let value = match &node.value {
            Value::Null => Value::List(Vec::new()),
            Value::List(items) => {
                Value::List(items.iter().map(|item| self.walk(item, rest, scope, span)).collect())
            }
            _ => Value::List(vec![self.walk(node, rest, scope, span)]),
        };
        Node::new(span, value)
    }
}

/// The name of a `.name` operator.
pub(super) fn attribute(operator: &Decorated<TraversalOperator>) -> Option<&str> {
    match operator.value() {
        TraversalOperator::GetAttr(name) => Some(name.as_str()),
        _ => None,
    }
}

fn is_index(operator: &Decorated<TraversalOperator>) -> bool {
    matches!(operator.value(), TraversalOperator::Index(_) | TraversalOperator::LegacyIndex(_))
}
