//! Expressions into values, as far as the files fix them.
//!
//! Nothing is evaluated twice: locals, variables and the members of resources are kept once known. A budget on the
//! size of all values bounds what a few lines of nested `for` can cost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hcl_edit::expr::{Array, Expression, ForExpr, FuncCall, Object, ObjectKey};

use crate::source::{Map, Node, Shape, SourceFile, Sources, Span, Value};

use super::conform::conform;
use super::declared::{Declared, Place};
use super::files::Beside;
use super::instances::Instance;
use super::number::Number;
use super::sensitive::says_so;
use super::template::Lines;
use super::tree::Tree;
use super::types::{self, Type};
use super::{functions, operators};

/// Levels of expressions within expressions, references followed.
pub(super) const MAX_DEPTH: usize = 200;
/// Nodes (and 64-byte pieces of strings) all values of a module may have together.
const BUDGET: usize = 4_000_000;
/// What each byte of the files adds to the budget.
const BUDGET_PER_BYTE: usize = 16;

/// Where an expression stands, and the names that are bound there.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    /// The module it is evaluated in, an index into [`Evaluator::modules`].
    pub(super) module: usize,
    pub(super) place: Place<'s>,
    /// `for` variables and the iterators of dynamic blocks, the innermost first.
    names: Option<&'s Binding<'s>>,
}

pub(super) struct Binding<'s> {
    name: &'s str,
    node: &'s Node,
    next: Option<&'s Binding<'s>>,
}

impl<'s> Binding<'s> {
    /// A name bound inside a scope.
    pub(super) fn new(name: &'s str, node: &'s Node, scope: &Scope<'s>) -> Self {
        Self { name, node, next: scope.names }
    }
}

impl<'s> Scope<'s> {
    pub(super) fn top(module: usize, place: Place<'s>) -> Self {
        Self { module, place, names: None }
    }

    /// The scope within, where one more name is bound.
    pub(super) fn with<'t>(&self, names: &'t Binding<'t>) -> Scope<'t>
    where
        's: 't,
    {
        Scope { module: self.module, place: self.place, names: Some(names) }
    }

    pub(super) fn lookup(&self, name: &str) -> Option<&Node> {
        let mut next = self.names;
        while let Some(binding) = next {
            if binding.name == name {
                return Some(binding.node);
            }
            next = binding.next;
        }
        None
    }
}

/// What is computed once for each module.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item<'a> {
    Variable(&'a str),
    Local(&'a str),
    Output(&'a str),
    /// Resource, instance, and the name of an argument or of a type of blocks.
    Member(usize, usize, &'a str),
}

pub(super) enum Slot {
    Running,
    Done(Option<Arc<Node>>),
}

pub(super) struct Evaluator<'a> {
    pub(super) sources: &'a Sources,
    pub(super) tree: &'a Tree,
    /// What each directory of the tree declares.
    pub(super) directories: &'a [Declared<'a>],
    /// What is given to the variables of the root module.
    given: &'a BTreeMap<String, Node>,
    /// Of a template, the files beside the module that reads it.
    pub(super) beside: Option<Beside>,
    /// The root module first, then every module that is called, once for each instance of its call.
    pub(super) modules: Vec<Instance<'a>>,
    /// Module, resource and instance of addresses that whole instances were handed out for.
    pub(super) instances: BTreeMap<Arc<str>, (usize, usize, usize)>,
    /// See [`Module::is_partial_json`](super::Module::is_partial_json).
    pub(super) encoded: BTreeSet<Span>,
    /// Module and place of expressions of which the literals are concealed.
    pub(super) concealed: BTreeSet<(usize, Span)>,
    pub(super) budget: usize,
    pub(super) depth: usize,
    /// Counts what Terraform would refuse to evaluate; `try` and `can` compare it before and after.
    pub(super) failures: usize,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(
        sources: &'a Sources,
        tree: &'a Tree,
        directories: &'a [Declared<'a>],
        given: &'a BTreeMap<String, Node>,
    ) -> Self {
        let root = directories.first().map(|declared| Instance::new(0, declared, "".into(), None));
        Self {
            sources,
            tree,
            directories,
            given,
            beside: None,
            modules: root.into_iter().collect(),
            instances: BTreeMap::new(),
            encoded: BTreeSet::new(),
            concealed: BTreeSet::new(),
            budget: sources
                .iter()
                .fold(BUDGET, |sum, (_, file)| sum.saturating_add(file.text().len() * BUDGET_PER_BYTE)),
            depth: 0,
            failures: 0,
        }
    }

    /// The files beside a module.
    pub(super) fn beside(&self, module: usize) -> Beside {
        self.beside.clone().unwrap_or_else(|| self.tree.beside(self.module(module).node))
    }

    /// What is given to a variable of the root module.
    pub(super) fn given(&self, name: &str) -> Option<&'a Node> {
        self.given.get(name)
    }

    /// A value Terraform would refuse to compute.
    pub(super) fn failed(&mut self, reason: impl Into<Arc<str>>) -> Value {
        self.failures += 1;
        Value::Unknown(reason.into())
    }

    /// Takes the size of a value from the budget; past it the value is unknown.
    fn charge(&mut self, value: Value) -> Value {
        let weight = weight(&value, self.budget);
        if weight > self.budget {
            self.budget = 0;
            return Value::Unknown("the module's values are too large to evaluate".into());
        }
        self.budget -= weight;
        value
    }

    /// The value of an expression, with the expression's span.
    pub(super) fn eval(&mut self, expr: &'a Expression, scope: &Scope<'_>) -> Node {
        let span = scope.place.of(expr);
        if self.depth >= MAX_DEPTH || self.budget == 0 {
            return Node::new(span, Value::Unknown("too large or too deep to evaluate".into()));
        }
        self.depth += 1;
        let mut node = self.dispatch(expr, scope, span);
        self.depth -= 1;
        if node.span != span {
            if self.encoded.contains(&node.span) {
                self.encoded.insert(span);
            }
            node.span = span;
        }
        node.value = match node.value {
            value @ (Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Decimal(_)) => {
                value
            }
            value => self.charge(value),
        };
        node
    }

    fn dispatch(&mut self, expr: &'a Expression, scope: &Scope<'_>, span: Span) -> Node {
        let value = match expr {
            Expression::Null(_) => Value::Null,
            Expression::Bool(value) => Value::Bool(**value),
            Expression::Number(number) => literal(number.value(), self.sources.get(span.file), span),
            Expression::String(text) => Value::Str(functions::normalized(text.as_str()).into()),
            Expression::Array(array) => self.array(array, scope),
            Expression::Object(object) => return self.object(object, scope, span),
            Expression::StringTemplate(template) => {
                return self.template(template, Lines::Joined, scope, span);
            }
            Expression::HeredocTemplate(heredoc) => {
                return self.template(&heredoc.template, Lines::Apart, scope, span);
            }
            Expression::Parenthesis(inner) => return self.eval(inner.inner(), scope),
            Expression::Variable(name) => return self.root(name.as_str(), &[], scope, span),
            Expression::Traversal(traversal) => return self.traversal(traversal, scope, span),
            Expression::Conditional(conditional) => return self.conditional(conditional, scope, span),
            Expression::FuncCall(call) => return self.call(call, scope, span),
            Expression::UnaryOp(operation) => {
                let operand = self.eval(&operation.expr, scope);
                let value = operators::unary(*operation.operator.value(), &operand.value)
                    .unwrap_or_else(|| self.failed("an operand of the wrong type"));
                return Node::new(span, value).marked(operand.sensitive);
            }
            Expression::BinaryOp(operation) => {
                let left = self.eval(&operation.lhs_expr, scope);
                let right = self.eval(&operation.rhs_expr, scope);
                let value = operators::binary(&left.value, *operation.operator.value(), &right.value)
                    .unwrap_or_else(|| self.failed("an operand of the wrong type"));
                return Node::new(span, value).marked(left.holds_sensitive() || right.holds_sensitive());
            }
            Expression::ForExpr(expr) => {
                let mut sensitive = false;
                let value = self.for_expr(expr, scope, &mut sensitive);
                return Node::new(span, value).marked(sensitive);
            }
        };
        Node::new(span, value)
    }

    fn array(&mut self, array: &'a Array, scope: &Scope<'_>) -> Value {
        Value::List(array.iter().map(|item| self.eval(item, scope)).collect())
    }

    fn object(&mut self, object: &'a Object, scope: &Scope<'_>, span: Span) -> Node {
        let mut map = Map::default();
        let mut sensitive = false;
        for (key, value) in object {
            let (text, key_span) = match key {
                ObjectKey::Ident(name) => (name.as_str().into(), scope.place.of(name)),
                // A word without quotation marks is a name, this one too.
                ObjectKey::Expression(Expression::Null(null)) => ("null".into(), scope.place.of(null)),
                ObjectKey::Expression(expr) => {
                    let key = self.eval(expr, scope);
                    // Whoever sees the object sees its keys.
                    sensitive |= key.sensitive;
                    match operators::to_text(&key.value) {
                        Some(text) => (text, key.span),
                        None => {
                            let value = match operators::unknown(&key.value) {
                                Some(reason) => Value::Unknown(reason),
                                None => self.failed("an object key that is no string"),
                            };
                            return Node::new(span, value).marked(sensitive);
                        }
                    }
                }
            };
            let node = self.eval(value.expr(), scope);
            map.insert(text, key_span, node);
        }
        Node::new(span, Value::Map(map)).marked(sensitive)
    }

    fn conditional(
        &mut self,
        conditional: &'a hcl_edit::expr::Conditional,
        scope: &Scope<'_>,
        span: Span,
    ) -> Node {
        let condition = self.eval(&conditional.cond_expr, scope);
        let (taken, other) = match operators::to_bool(&condition.value) {
            Some(true) => (&conditional.true_expr, &conditional.false_expr),
            Some(false) => (&conditional.false_expr, &conditional.true_expr),
            None => {
                let yes = self.eval(&conditional.true_expr, scope);
                let no = self.eval(&conditional.false_expr, scope);
                let sensitive = condition.sensitive || yes.sensitive || no.sensitive;
                if operators::equal(&yes.value, &no.value) == Some(true) {
                    return yes.marked(sensitive);
                }
                let value = match operators::unknown(&condition.value) {
                    Some(reason) => Value::Unknown(reason),
                    None => self.failed("a condition that is no boolean"),
                };
                return Node::new(span, value).marked(sensitive);
            }
        };
        let mut node = self.eval(taken, scope);
        node.sensitive |= condition.sensitive;
        if matches!(node.value, Value::Null | Value::Unknown(_) | Value::Reference(_) | Value::Partial(_)) {
            return node;
        }
        // The result has the type of both branches; what fails in the other one does not matter.
        let failures = self.failures;
        let other = self.eval(other, scope);
        let failed = self.failures > failures;
        self.failures = failures;
        // Which of the two it is shows in the value, so it has the marks of both.
        node.sensitive |= other.sensitive;
        let alike = matches!(
            (&node.value, &other.value),
            (Value::Map(_), Value::Map(_)) | (Value::List(_), Value::List(_)) | (_, Value::Unknown(_))
        );
        if failed && alike {
            return node;
        }
        let kinds = [Type::of(&node.value), Type::of(&other.value)];
        let converted = types::unify(&kinds).map(|kind| types::convert(node.value, &kind));
        match converted {
            Some(Ok(value)) => node.value = value,
            _ => {
                let value = self.failed("the two results of a condition have no type in common");
                return Node::new(span, value);
            }
        }
        node
    }

    fn call(&mut self, call: &'a FuncCall, scope: &Scope<'_>, span: Span) -> Node {
        let name = call.name.name.as_str();
        if call.name.is_namespaced() && !functions::is_core(&call.name) {
            return Node::new(
                span,
                Value::Unknown(format!("function {name} of a provider is not evaluated").into()),
            );
        }
        // `try` and `can` decide by what Terraform would refuse, so they see their arguments one by one.
        if matches!(name, "try" | "can") {
            return self.attempt(name, call, scope, span);
        }
        if name == "sensitive"
            && let Some(argument) = call.args.iter().next()
        {
            self.conceal(argument, scope);
        }
        if name == "templatestring"
            && !matches!(call.args.iter().next(), Some(Expression::Traversal(_) | Expression::Variable(_)))
        {
            let value = self.failed("templatestring: needs a reference to a template");
            return Node::new(span, value);
        }
        let mut arguments: Vec<Node> = call.args.iter().map(|argument| self.eval(argument, scope)).collect();
        if call.args.expand_final() {
            let last = arguments.pop();
            let sensitive = last.as_ref().is_some_and(|last| last.sensitive);
            match last.map(|last| last.value) {
                Some(Value::List(items)) => {
                    arguments.extend(items.into_iter().map(|item| item.marked_also(sensitive)));
                }
                Some(other) => {
                    let reason = operators::unknown(&other);
                    let value = match reason {
                        Some(reason) => Value::Unknown(reason),
                        None => self.failed("`...` needs a list"),
                    };
                    return Node::new(span, value);
                }
                None => {}
            }
        }
        functions::call(self, name, arguments, scope.module, span)
    }

    fn attempt(&mut self, name: &str, call: &'a FuncCall, scope: &Scope<'_>, span: Span) -> Node {
        let before = self.failures;
        let mut last = Node::new(span, Value::Unknown("no argument of try can be evaluated".into()));
        for argument in &call.args {
            self.failures = 0;
            last = self.eval(argument, scope);
            let succeeded = self.failures == 0;
            self.failures = before;
            if name == "can" {
                let value = match (succeeded, operators::unknown(&last.value)) {
                    (true, Some(reason)) => Value::Unknown(reason),
                    (succeeded, _) => Value::Bool(succeeded),
                };
                return Node::new(span, value);
            }
            if succeeded {
                return last;
            }
        }
        self.failures += 1;
        last
    }

    /// The value of a `for`, and whether it is sensitive itself: what it goes through, its condition or its keys are.
    fn for_expr(&mut self, expr: &'a ForExpr, scope: &Scope<'_>, sensitive: &mut bool) -> Value {
        let collection = self.eval(&expr.intro.collection_expr, scope);
        *sensitive |= collection.sensitive;
        let pairs = match pairs(collection.value) {
            Ok(pairs) => pairs,
            Err(Some(reason)) => return Value::Unknown(reason),
            Err(None) => return self.failed("`for` needs a collection"),
        };
        let mut list = Vec::new();
        let mut map = Map::default();
        let mut groups: BTreeMap<Arc<str>, (Span, Vec<Node>)> = BTreeMap::new();
        for (key, item) in pairs {
            let inner = Binding::new(expr.intro.value_var.as_str(), &item, scope);
            let outer;
            let names = match &expr.intro.key_var {
                Some(name) => {
                    outer = Binding { name: name.as_str(), node: &key, next: Some(&inner) };
                    &outer
                }
                None => &inner,
            };
            let scope = Scope { module: scope.module, place: scope.place, names: Some(names) };
            if let Some(condition) = &expr.cond {
                let keep = self.eval(&condition.expr, &scope);
                *sensitive |= keep.sensitive;
                match operators::to_bool(&keep.value) {
                    Some(true) => {}
                    Some(false) => continue,
                    None => {
                        return match operators::unknown(&keep.value) {
                            Some(reason) => Value::Unknown(reason),
                            None => self.failed("a condition that is no boolean"),
                        };
                    }
                }
            }
            let Some(key_expr) = &expr.key_expr else {
                list.push(self.eval(&expr.value_expr, &scope));
                continue;
            };
            let key = self.eval(key_expr, &scope);
            *sensitive |= key.sensitive;
            let Some(text) = operators::to_text(&key.value) else {
                return match operators::unknown(&key.value) {
                    Some(reason) => Value::Unknown(reason),
                    None => self.failed("an object key that is no string"),
                };
            };
            let value = self.eval(&expr.value_expr, &scope);
            if expr.grouping {
                groups.entry(text).or_insert_with(|| (key.span, Vec::new())).1.push(value);
            } else if map.insert(text, key.span, value).is_some() {
                return self.failed("two items of one key");
            }
        }
        if expr.key_expr.is_none() {
            return Value::List(list.into());
        }
        for (key, (span, items)) in groups {
            map.insert(key, span, Node::new(span, Value::List(items.into())));
        }
        Value::Map(map)
    }

    pub(super) fn module(&self, at: usize) -> &Instance<'a> {
        // Indices come from `modules` itself, and nothing is ever taken out of it.
        &self.modules[at]
    }

    pub(super) fn module_mut(&mut self, at: usize) -> &mut Instance<'a> {
        &mut self.modules[at]
    }

    /// The value of an item, computed when it is first asked for; `circular` names one that needs itself, and its place.
    pub(super) fn once(
        &mut self,
        module: usize,
        item: Item<'a>,
        circular: impl FnOnce() -> (String, Span),
        compute: impl FnOnce(&mut Self) -> Option<Node>,
    ) -> Option<Arc<Node>> {
        match self.module(module).slots.get(&item) {
            Some(Slot::Done(node)) => return node.clone(),
            Some(Slot::Running) => {
                let (reason, span) = circular();
                return Some(Arc::new(Node::new(span, Value::Unknown(reason.into()))));
            }
            None => {}
        }
        self.module_mut(module).slots.insert(item, Slot::Running);
        let node = compute(self).map(Arc::new);
        self.module_mut(module).slots.insert(item, Slot::Done(node.clone()));
        node
    }

    pub(super) fn declared(&self, module: usize) -> &'a Declared<'a> {
        self.module(module).declared
    }

    /// The value of a variable: what is given, or else its default; `None` if no such variable is declared.
    pub(super) fn variable(&mut self, module: usize, name: &str) -> Option<Arc<Node>> {
        let (name, block) = self.declared(module).variables.get_key_value(name)?;
        let place = block.place.range(0..0);
        let circular = || (format!("variable {name} depends on itself"), place);
        self.once(module, Item::Variable(name), circular, |evaluator| {
            let scope = Scope::top(module, block.place);
            let is_false = |name| {
                let attribute = block.body.get_attribute(name);
                attribute.is_some_and(|attribute| attribute.value.as_bool() == Some(false))
            };
            let called = evaluator.module(module).site.is_some();
            let given =
                if called { evaluator.argument(module, name) } else { evaluator.given(name).cloned() };
            // What may not be null takes null for "not given".
            let given = given.filter(|node| node.value != Value::Null || !is_false("nullable"));
            let default = block.body.get_attribute("default");
            let node = given.or_else(|| default.map(|default| evaluator.eval(&default.value, &scope)));
            let node = match (node, block.body.get_attribute("type")) {
                (Some(node), Some(type_)) => conform(evaluator, node, &type_.value, &scope),
                (Some(node), None) => node,
                (None, _) => {
                    let lacks = if called { "is given no value" } else { "has no default" };
                    Node::new(place, Value::Unknown(format!("variable {name} {lacks}").into()))
                }
            };
            let sensitive = says_so(block.body);
            if sensitive {
                evaluator.conceal_variable(module, name);
            }
            Some(node.marked_also(sensitive))
        })
    }

    /// The value of a local; `None` if no such local is declared.
    pub(super) fn local(&mut self, module: usize, name: &str) -> Option<Arc<Node>> {
        let (name, declaration) = self.declared(module).locals.get_key_value(name)?;
        let circular = || (format!("local {name} refers to itself"), declaration.name);
        self.once(module, Item::Local(name), circular, |evaluator| {
            Some(evaluator.eval(declaration.expr, &Scope::top(module, declaration.place)))
        })
    }
}

/// Keys and values of a collection in the order Terraform visits them (objects by key), or why it is not known.
pub(super) fn pairs(collection: Value) -> Result<Vec<(Node, Node)>, Option<Arc<str>>> {
    match collection {
        Value::List(items) if items.shape == Shape::Set => {
            // The elements of a set are its keys.
            Ok(items.into_iter().map(|item| (item.clone(), item)).collect())
        }
        Value::List(items) => Ok(items
            .into_iter()
            .enumerate()
            .map(|(at, item)| (Node::new(item.span, Value::Int(i64::try_from(at).unwrap_or(i64::MAX))), item))
            .collect()),
        Value::Map(map) => {
            let mut pairs: Vec<_> = map
                .into_entries()
                .into_iter()
                .map(|(key, entry)| (key.clone(), Node::string(entry.key, key), entry.node))
                .collect();
            pairs.sort_by(|left, right| left.0.cmp(&right.0));
            Ok(pairs.into_iter().map(|(_, key, node)| (key, node)).collect())
        }
        other => Err(operators::unknown(&other)),
    }
}

/// A number as it is written; what the parser's double cuts off is read again.
fn literal(literal: &hcl_edit::Number, file: Option<&SourceFile>, span: Span) -> Value {
    let written = file.map_or("", |file| file.slice(span));
    match literal.as_i64() {
        // Terraform keeps the sign of a zero.
        Some(0) if written.starts_with('-') => return Value::Float(-0.0),
        Some(whole) => return Value::Int(whole),
        None => {}
    }
    match Number::parse(written) {
        Some(number) => number.to_value(),
        None => operators::number(literal.as_f64().unwrap_or(f64::NAN)),
    }
}

/// How large a value is, in nodes and 64-byte pieces of text; stops counting past `limit`.
pub(super) fn weight(value: &Value, limit: usize) -> usize {
    let mut sum = 1;
    match value {
        Value::Str(text) => sum += text.len() / 64,
        Value::List(items) => {
            for item in items {
                sum += weight(&item.value, limit);
                if sum > limit {
                    break;
                }
            }
        }
        Value::Map(map) => {
            for (_, entry) in map.iter() {
                sum += weight(&entry.node.value, limit);
                if sum > limit {
                    break;
                }
            }
        }
        _ => {}
    }
    sum
}
