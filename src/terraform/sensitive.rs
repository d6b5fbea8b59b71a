//! What is sensitive, and where it is written.
//!
//! Values carry marks through expressions as Terraform's do. Beside that, the literals that a sensitive value is made of are
//! concealed wherever they stand, in a local or in the call of a module: a report quotes lines of files.

use std::collections::BTreeSet;

use hcl_edit::Decorated;
use hcl_edit::expr::{Expression, ObjectKey, TraversalOperator};
use hcl_edit::structure::{Body, Structure};
use hcl_edit::template::{Directive, Element, Template};

use super::blocks::member_name;
use super::evaluate::{Evaluator, Scope};
use super::instances::Called;
use super::schema;
use super::traverse::attribute;
use crate::source::{FileId, Node, Sources, Span, Value};

/// Whether a variable or an output says so of its value. An ephemeral one is kept nowhere, let alone in a report.
pub(super) fn says_so(body: &Body) -> bool {
    ["sensitive", "ephemeral"].into_iter().any(|name| {
        body.get_attribute(name).is_some_and(|attribute| match &attribute.value {
            Expression::Bool(value) => **value,
            Expression::String(text) => text.as_str() == "true",
            // Terraform wants it written out; what is not is taken for the worse.
            _ => true,
        })
    })
}

/// Of a file of values that does not parse nobody knows which of them are sensitive: none is shown.
pub(super) fn conceal_all(sources: &Sources, id: FileId) {
    let Some(file) = sources.get(id) else { return };
    let mut start = 0;
    for line in file.text().split_inclusive('\n') {
        let name = line.split_once('=').map(|(name, _)| name).filter(|name| {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '"');
            name.trim().chars().all(plain)
        });
        let from = start + name.map_or(0, |name| name.len() + 1);
        start += line.len();
        sources.conceal_place(Span::new(id, from, start));
    }
}

/// Marks what is sensitive with all that is in it, now that nothing is computed from it any more; and what stands where a
/// sensitive value comes from: a local that is nobody's secret until somebody makes a password of it.
pub(super) fn conceal_marked(sources: &Sources, origins: &BTreeSet<Span>, node: &mut Node) {
    if node.sensitive || origins.contains(&node.span) {
        return sources.conceal_value(node);
    }
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| conceal_marked(sources, origins, item)),
        Value::Map(map) => {
            map.entries.values_mut().for_each(|entry| conceal_marked(sources, origins, &mut entry.node));
        }
        _ => {}
    }
}

/// What is written at the end of a path of names, as far as the objects along it are written out.
fn inside<'a>(mut expr: &'a Expression, path: &'a [Decorated<TraversalOperator>]) -> &'a Expression {
    let mut names = path.iter().map_while(|step| attribute(step));
    let mut next = names.next();
    while let Some(name) = next {
        match expr {
            Expression::Parenthesis(inner) => expr = inner.inner(),
            Expression::Object(object) => {
                let found = object.iter().find(|(key, _)| match key {
                    ObjectKey::Ident(key) => key.as_str() == name,
                    ObjectKey::Expression(Expression::String(key)) => key.as_str() == name,
                    ObjectKey::Expression(_) => false,
                });
                let Some((_, value)) = found else { return expr };
                expr = value.expr();
                next = names.next();
            }
            _ => return expr,
        }
    }
    expr
}

/// Marks what a path of names leads to, through every block of a list.
fn mark(node: &mut Node, path: &[&str]) {
    let Some((name, rest)) = path.split_first() else {
        node.sensitive = true;
        return;
    };
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| mark(item, path)),
        Value::Map(map) => {
            if let Some(entry) = map.entries.get_mut(*name) {
                mark(&mut entry.node, rest);
            }
        }
        _ => {}
    }
}

impl<'a> Evaluator<'a> {
    /// Marks what the provider's schema calls sensitive in a member of a resource, and conceals where it is written.
    pub(super) fn conceal_member(
        &mut self,
        type_: &str,
        name: &str,
        node: &mut Node,
        body: &'a Body,
        scope: &Scope<'_>,
    ) {
        for path in schema::sensitive(type_) {
            let steps: Vec<&str> = path.split('.').collect();
            if let Some((first, rest)) = steps.split_first()
                && *first == name
            {
                mark(node, rest);
                self.conceal_in(body, &steps, scope);
            }
        }
    }

    fn conceal_in(&mut self, body: &'a Body, path: &[&str], scope: &Scope<'_>) {
        let Some((name, rest)) = path.split_first() else { return };
        for structure in body.iter().filter(|structure| member_name(structure) == Some(*name)) {
            match structure {
                Structure::Attribute(attribute) => self.conceal(&attribute.value, scope),
                Structure::Block(block) if block.ident.as_str() == "dynamic" => {
                    for content in block.body.get_blocks("content") {
                        self.conceal_in(&content.body, rest, scope);
                    }
                }
                Structure::Block(block) => self.conceal_in(&block.body, rest, scope),
            }
        }
    }

    /// Lets no report show the literals that an expression's value is made of, wherever they stand.
    pub(super) fn conceal(&mut self, expr: &'a Expression, scope: &Scope<'_>) {
        let span = scope.place.of(expr);
        if self.depth >= super::evaluate::MAX_DEPTH || !self.concealed.insert((scope.module, span)) {
            return;
        }
        self.depth += 1;
        let failures = self.failures;
        match expr {
            Expression::Null(_) | Expression::Bool(_) => {}
            // The keys of what is sensitive are so too.
            Expression::Number(_)
            | Expression::String(_)
            | Expression::Object(_)
            | Expression::ForExpr(_) => {
                self.sources.conceal_place(span);
            }
            Expression::StringTemplate(template) => self.conceal_template(template, scope),
            Expression::HeredocTemplate(heredoc) => self.conceal_template(&heredoc.template, scope),
            Expression::Array(items) => items.iter().for_each(|item| self.conceal(item, scope)),
            Expression::Parenthesis(inner) => self.conceal(inner.inner(), scope),
            Expression::UnaryOp(operation) => self.conceal(&operation.expr, scope),
            Expression::BinaryOp(operation) => {
                self.conceal(&operation.lhs_expr, scope);
                self.conceal(&operation.rhs_expr, scope);
            }
            Expression::Conditional(conditional) => {
                self.conceal(&conditional.true_expr, scope);
                self.conceal(&conditional.false_expr, scope);
            }
            Expression::FuncCall(call) => call.args.iter().for_each(|argument| self.conceal(argument, scope)),
            Expression::Variable(_) | Expression::Traversal(_) => self.conceal_named(expr, scope, span),
        }
        // Looking for places is no evaluation that could fail.
        self.failures = failures;
        self.depth -= 1;
    }

    fn conceal_template(&mut self, template: &'a Template, scope: &Scope<'_>) {
        for element in template {
            match element {
                Element::Literal(text) => self.sources.conceal_place(scope.place.of(text)),
                Element::Interpolation(inner) => self.conceal(&inner.expr, scope),
                Element::Directive(directive) => match &**directive {
                    Directive::If(directive) => {
                        self.conceal_template(&directive.if_expr.template, scope);
                        if let Some(other) = &directive.else_expr {
                            self.conceal_template(&other.template, scope);
                        }
                    }
                    Directive::For(directive) => self.conceal_template(&directive.for_expr.template, scope),
                },
            }
        }
    }

    /// The literal that a reference leads to; where that is an expression again, what that is made of.
    fn conceal_named(&mut self, expr: &'a Expression, scope: &Scope<'_>, span: Span) {
        let found = match expr {
            Expression::Traversal(traversal) => self.traversal(traversal, scope, span),
            Expression::Variable(name) => self.root(name.as_str(), &[], scope, span),
            _ => return,
        };
        if self.conceal_written(&found, scope.module) {
            return;
        }
        let Expression::Traversal(traversal) = expr else { return };
        let Some(name) = traversal.expr.as_variable() else { return };
        let Some(first) = traversal.operators.first().and_then(|step| attribute(step)) else { return };
        let declared = self.declared(scope.module);
        match name.as_str() {
            "local" => {
                if let Some(local) = declared.locals.get(first) {
                    let rest = traversal.operators.get(1..).unwrap_or(&[]);
                    self.conceal(inside(local.expr, rest), &Scope::top(scope.module, local.place));
                }
            }
            "var" => self.conceal_variable(scope.module, first),
            "module" => {
                let called = self.called(scope.module, first);
                let output = traversal.operators.iter().skip(1).find_map(|step| attribute(step));
                if let (Some(Called::Modules(_, modules)), Some(output)) = (called.as_deref(), output) {
                    for module in modules {
                        self.conceal_output(*module, output);
                    }
                }
            }
            _ => {}
        }
    }

    /// Conceals the literals among the places of a value; `false` if not all of them are literals.
    fn conceal_written(&mut self, node: &Node, module: usize) -> bool {
        match &node.value {
            Value::List(items) => {
                // Every one of them, whatever is found in the others.
                items.iter().filter(|item| !self.conceal_written(item, module)).count() == 0
            }
            Value::Map(map) => {
                map.iter().filter(|(_, entry)| !self.conceal_written(&entry.node, module)).count() == 0
            }
            Value::Null | Value::Unknown(_) | Value::Reference(_) => false,
            _ => {
                let text = self.sources.get(node.span.file).map_or("", |file| file.slice(node.span));
                let literal = text.starts_with(|first: char| matches!(first, '"' | '<' | '-' | '0'..='9'))
                    && !text.contains("${")
                    && !text.contains("%{");
                if literal {
                    self.sources.conceal_place(node.span);
                    self.concealed.insert((module, node.span));
                }
                literal
            }
        }
    }

    /// Conceals what a variable is given, and its default.
    pub(super) fn conceal_variable(&mut self, module: usize, name: &str) {
        let Some((name, variable)) = self.declared(module).variables.get_key_value(name) else { return };
        if let Some(default) = variable.body.get_attribute("default") {
            self.conceal(&default.value, &Scope::top(module, variable.place));
        }
        match self.module(module).site.clone() {
            Some(site) => self.conceal_argument(&site, name),
            None => {
                if let Some(given) = self.given(name) {
                    self.sources.conceal_place(given.span);
                }
            }
        }
    }

    /// Conceals what an output is made of.
    pub(super) fn conceal_output(&mut self, module: usize, name: &str) {
        let Some(output) = self.declared(module).outputs.get(name) else { return };
        if let Some(value) = output.body.get_attribute("value") {
            self.conceal(&value.value, &Scope::top(module, output.place));
        }
    }
}
