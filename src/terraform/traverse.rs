//! Traversals: `var.a`, `local.b["c"]`, `aws_vpc.main.id`, `module.x.y[*].z`.

use std::fmt::Write as _;
use std::sync::Arc;

use hcl_edit::Decorated;
use hcl_edit::expr::{Expression, Traversal, TraversalOperator};

use crate::source::{Map, Node, Shape, Span, Value};

use super::evaluate::{Evaluator, Item, Scope, weight};
use super::instances::{Called, Keys};
use super::{operators, policy_document, schema};

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
            ("var", Some(variable)) => match self.variable(scope.module, variable) {
                Some(node) => self.walk(&node, operators.get(1..).unwrap_or(&[]), scope, span),
                None => unknown(format!("variable {variable} is not declared")),
            },
            ("local", Some(local)) => match self.local(scope.module, local) {
                Some(node) => self.walk(&node, operators.get(1..).unwrap_or(&[]), scope, span),
                None => unknown(format!("local {local} is not declared")),
            },
            ("each" | "count", _) => unknown(format!("{name} differs from instance to instance")),
            ("module", Some(module)) => {
                self.called_value(module, operators.get(1..).unwrap_or(&[]), scope, span)
            }
            ("path", Some("module")) => {
                Node::new(span, Value::Str(self.tree.beside(self.module(scope.module).node).path))
            }
            ("path", Some("root")) => Node::string(span, "."),
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
        let module = scope.module;
        let Some(at) = self.declared(module).by_address.get(address).copied() else {
            // That nothing declares it is a finding of its own; of what type it would be is known all the same.
            let address = format!("{}{address}", self.module(module).prefix);
            let (_, rest) = self.chosen(&Keys::Unknown, operators, scope);
            let attribute = self.attribute_path(rest, scope);
            return Node::new(span, Value::reference(address, attribute));
        };
        let keys = self.keys(module, at);
        let (chosen, rest) = self.chosen(&keys, operators, scope);
        match chosen {
            Chosen::Instance(index) => self.instance((module, at, index), &keys, rest, scope, span),
            Chosen::Nobody => {
                let value = self.failed(format!("{address} has no such instance"));
                Node::new(span, value)
            }
            Chosen::NotKnown => {
                let address = self.address(module, at, &Keys::One, 0);
                let attribute = self.attribute_path(rest, scope);
                Node::new(span, Value::reference(address, attribute))
            }
            Chosen::All => {
                let whole =
                    (0..keys.len()).map(|index| self.instance((module, at, index), &keys, &[], scope, span));
                let whole = collection(&keys, whole.collect(), span);
                self.walk(&whole, rest, scope, span)
            }
        }
    }

    /// Which of several instances the operators behind an address mean, and those that are left for it.
    fn chosen(
        &mut self,
        keys: &Keys,
        operators: Operators<'a>,
        scope: &Scope<'_>,
    ) -> (Chosen, Operators<'a>) {
        let rest = operators.get(1..).unwrap_or(&[]);
        let index = match (keys, operators.first().map(hcl_edit::Decorated::value)) {
            // `aws_subnet.private["a"]` is one instance of a block that stands for all of them.
            (Keys::Unknown, Some(TraversalOperator::Index(_) | TraversalOperator::LegacyIndex(_))) => {
                return (Chosen::Instance(0), rest);
            }
            (Keys::One | Keys::Unknown, _) => return (Chosen::Instance(0), operators),
            (Keys::Known(_), Some(TraversalOperator::Index(index))) => self.eval(index, scope).value,
            (Keys::Known(_), Some(TraversalOperator::LegacyIndex(index))) => {
                Value::Int(i64::try_from(*index.value()).unwrap_or(i64::MAX))
            }
            (Keys::Known(_), Some(TraversalOperator::GetAttr(name))) => Value::Str(name.as_str().into()),
            (Keys::Known(_), _) => return (Chosen::All, operators),
        };
        match keys.find(&index) {
            Ok(Some(at)) => (Chosen::Instance(at), rest),
            Ok(None) => (Chosen::Nobody, rest),
            Err(()) => (Chosen::NotKnown, rest),
        }
    }

    /// One instance of a resource, and what follows.
    fn instance(
        &mut self,
        (module, at, index): (usize, usize, usize),
        keys: &Keys,
        operators: &'a [Decorated<TraversalOperator>],
        scope: &Scope<'_>,
        span: Span,
    ) -> Node {
        let address = self.address(module, at, keys, index);
        if operators.is_empty() {
            self.instances.insert(address.clone(), (module, at, index));
            return Node::new(span, Value::reference(address, ""));
        }
        let attribute = self.attribute_path(operators, scope);
        if let Some(found) = self.written((module, at, index), operators, scope, span) {
            return found;
        }
        let resource = self.declared(module).resources.get(at);
        let first = operators.first().and_then(|step| self::attribute(step));
        let sensitive = resource.zip(first).is_some_and(|(resource, name)| {
            resource.managed && schema::sensitive(&resource.type_).contains(&name)
        });
        Node::new(span, Value::reference(address, attribute)).marked(sensitive)
    }

    /// The value of an attribute that the block itself says.
    fn written(
        &mut self,
        (module, at, index): (usize, usize, usize),
        operators: &'a [Decorated<TraversalOperator>],
        scope: &Scope<'_>,
        span: Span,
    ) -> Option<Node> {
        let name = operators.first().and_then(|step| attribute(step))?;
        let node = match self.member(module, at, index, name) {
            Some(node) => node,
            None => self.document(module, at, index, name)?,
        };
        if matches!(&node.value, Value::List(blocks) if blocks.shape == Shape::Open) {
            return None;
        }
        let failures = self.failures;
        let found = self.walk(&node, operators.get(1..).unwrap_or(&[]), scope, span);
        if !matches!(found.value, Value::Unknown(_) | Value::Partial(_)) {
            return Some(found);
        }
        // An attribute of a written block that only the provider fills in.
        self.failures = failures;
        None
    }

    /// The JSON of a policy document, the one thing a data source says without asking anybody.
    fn document(&mut self, module: usize, at: usize, index: usize, name: &str) -> Option<Arc<Node>> {
        let resource = self.declared(module).resources.get(at)?;
        let name = ["json", "minified_json"].into_iter().find(|known| *known == name)?;
        if resource.managed || &*resource.type_ != policy_document::TYPE {
            return None;
        }
        let header = resource.header;
        let circular = || (format!("{} includes itself", resource.address), header);
        self.once(module, Item::Member(at, index, name), circular, |evaluator| {
            let arguments: Vec<_> = policy_document::ARGUMENTS
                .into_iter()
                .filter_map(|argument| Some((argument, evaluator.member(module, at, index, argument)?)))
                .collect();
            let argument = |name: &str| {
                arguments.iter().find(|(argument, _)| *argument == name).map(|(_, node)| &**node)
            };
            // A place of its own: nothing else that stands there is text.
            let span = Span { end: header.start, ..header };
            Some(match policy_document::tree(header, argument) {
                Ok(tree) => {
                    let sensitive = tree.holds_sensitive();
                    let value = policy_document::value(tree, name == "json");
                    if matches!(value, Value::Map(_)) {
                        evaluator.encoded.insert(span);
                    }
                    Node::new(span, value).marked(sensitive)
                }
                Err(why) => {
                    let value = evaluator.failed(format!("{}: {why}", resource.address));
                    Node::new(span, value)
                }
            })
        })
    }

    /// An output of a called module, or all of them.
    fn called_value(
        &mut self,
        name: &str,
        operators: &'a [Decorated<TraversalOperator>],
        scope: &Scope<'_>,
        span: Span,
    ) -> Node {
        let unknown = |reason: Arc<str>| Node::new(span, Value::Unknown(reason));
        let Some(called) = self.called(scope.module, name) else {
            return unknown(format!("module {name} is not declared").into());
        };
        let (keys, modules) = match &*called {
            Called::Missing(reason) => return unknown(reason.clone()),
            Called::Modules(keys, modules) => (keys, modules),
        };
        let (chosen, rest) = self.chosen(keys, operators, scope);
        match chosen {
            Chosen::Instance(at) => {
                let Some(module) = modules.get(at).copied() else {
                    return unknown(format!("module {name} has no such instance").into());
                };
                let Some(output) = rest.first().and_then(|step| attribute(step)) else {
                    let whole = self.outputs(module, span);
                    return self.walk(&whole, rest, scope, span);
                };
                match self.output(module, output) {
                    Some(node) => self.walk(&node, rest.get(1..).unwrap_or(&[]), scope, span),
                    None => {
                        let value = self.failed(format!("module {name} has no output {output}"));
                        Node::new(span, value)
                    }
                }
            }
            Chosen::Nobody => {
                let value = self.failed(format!("module {name} has no such instance"));
                Node::new(span, value)
            }
            Chosen::NotKnown => {
                unknown(format!("which instance of module {name} is meant is not known").into())
            }
            Chosen::All => {
                let whole = modules.iter().map(|module| self.outputs(*module, span)).collect();
                self.walk(&collection(keys, whole, span), rest, scope, span)
            }
        }
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
                TraversalOperator::Index(index) => match self.eval(index, scope) {
                    Node { sensitive: true, .. } => path.push_str("[?]"),
                    node => match node.value {
                        Value::Int(at) => drop(write!(path, "[{at}]")),
                        Value::Str(key) => drop(write!(path, "[{key:?}]")),
                        _ => path.push_str("[?]"),
                    },
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
        // What stands in something sensitive is so too.
        let mut sensitive = node.sensitive;
        for (index, operator) in operators.iter().enumerate() {
            match &at.value {
                Value::Unknown(_) => break,
                Value::Reference(reference) => {
                    let following = operators.get(index..).unwrap_or(&[]);
                    if reference.attribute.is_empty()
                        && let Some(instance) = self.instances.get(&reference.address).copied()
                        && let Some(found) = self.written(instance, following, scope, span)
                    {
                        return found;
                    }
                    let rest = self.attribute_path(operators.get(index..).unwrap_or(&[]), scope);
                    let dot = if reference.attribute.is_empty() || rest.starts_with('[') { "" } else { "." };
                    let attribute = format!("{}{dot}{rest}", reference.attribute);
                    let value = Value::reference(reference.address.clone(), attribute);
                    return Node::new(span, value).marked(sensitive);
                }
                _ => {}
            }
            let next = match operator.value() {
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                    let rest = operators.get(index + 1..).unwrap_or(&[]);
                    return self.splat(at, rest, scope, span).marked(sensitive);
                }
                TraversalOperator::GetAttr(name) => at.get(name.as_str()),
                TraversalOperator::LegacyIndex(position) => {
                    usize::try_from(*position.value()).ok().and_then(|position| at.items().get(position))
                }
                TraversalOperator::Index(key) => {
                    let key = self.eval(key, scope);
                    if let Some(reason) = operators::unknown(&key.value) {
                        return Node::new(span, Value::Unknown(reason)).marked(sensitive || key.sensitive);
                    }
                    // Terraform marks by the position in a list, not by the key of a map.
                    sensitive |= key.sensitive && matches!(at.value, Value::List(_));
                    match &at.value {
                        Value::List(items) if items.shape == Shape::Set => None,
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
                Some(next) => {
                    at = next;
                    sensitive |= at.sensitive;
                }
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
        Node::new(at.span, value).marked(sensitive)
    }

    fn splat(
        &mut self,
        node: &Node,
        rest: &'a [Decorated<TraversalOperator>],
        scope: &Scope<'_>,
        span: Span,
    ) -> Node {
        let value = match &node.value {
            Value::Null => Value::List(Vec::new().into()),
            Value::List(items) => {
                Value::List(items.iter().map(|item| self.walk(item, rest, scope, span)).collect())
            }
            _ => Value::List(vec![self.walk(node, rest, scope, span)].into()),
        };
        Node::new(span, value)
    }
}

/// What follows a name.
type Operators<'a> = &'a [Decorated<TraversalOperator>];

/// Which of several instances is meant.
enum Chosen {
    Instance(usize),
    All,
    Nobody,
    NotKnown,
}

/// All instances as Terraform sees them: a list by number, or an object by key.
fn collection(keys: &Keys, nodes: Vec<Node>, span: Span) -> Node {
    let mut map = Map::default();
    for (at, node) in nodes.iter().enumerate() {
        if let Some(Value::Str(key)) = keys.get(at).map(|key| &key.value) {
            map.insert(key.clone(), span, node.clone());
        }
    }
    // Of no instances it does not matter which of the two it is.
    Node::new(span, if map.entries.is_empty() { Value::List(nodes.into()) } else { Value::Map(map) })
}

/// The name of a `.name` operator.
pub(super) fn attribute(operator: &Decorated<TraversalOperator>) -> Option<&str> {
    match operator.value() {
        TraversalOperator::GetAttr(name) => Some(name.as_str()),
        _ => None,
    }
}
