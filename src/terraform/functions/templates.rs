//! `templatefile` and `templatestring`: templates that see nothing but the variables they are given.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::{Expression, ForExpr, FuncCall, Traversal};
use hcl_edit::parser::parse_template;
use hcl_edit::template::{ForDirective, Template};
use hcl_edit::visit::{Visit, visit_for_directive, visit_for_expr, visit_func_call, visit_template};

use crate::source::{Map, Node, Span, Value};
use crate::terraform::declared::{Declared, Place};
use crate::terraform::evaluate::{Binding, Evaluator, Scope};
use crate::terraform::files::Beside;
use crate::terraform::operators::unknown;
use crate::terraform::template::Lines;
use crate::terraform::tree::{Directory, Tree};

use super::{Refusal, files};

pub(super) fn call(
    evaluator: &mut Evaluator<'_>,
    name: &str,
    arguments: Vec<Node>,
    module: usize,
    span: Span,
) -> Result<Node, Refusal> {
    let beside = evaluator.beside(module);
    let mut arguments = super::Arguments { items: arguments.into_iter(), span, chosen: false };
    let first = arguments.text()?;
    let variables = arguments.map()?;
    let text =
        if name == "templatefile" { files::text(files::read(&beside, &first)?)? } else { first.to_string() };
    let template = parse_template(&text).map_err(|_| Refusal::Failed("the text is no template"))?;
    let mut names = Names { bound: Vec::new(), free: BTreeSet::new(), calls: BTreeSet::new() };
    visit_template(&mut names, &template);
    if names.free.iter().any(|free| variables.get(free).is_none()) {
        return Err(Refusal::Failed("the template has a variable that it is not given"));
    }
    if names.calls.contains("templatestring") || names.calls.contains("templatefile") {
        return Err(Refusal::Failed("a template cannot call another"));
    }
    render(evaluator, &template, variables, beside, span)
}

/// Evaluates a template among its variables alone, on the budget of the module.
fn render(
    evaluator: &mut Evaluator<'_>,
    template: &Template,
    variables: Map,
    beside: Beside,
    span: Span,
) -> Result<Node, Refusal> {
    let nothing = Tree::alone(Directory::default());
    let (declared, given) = ([Declared::default()], BTreeMap::new());
    let mut inner = Evaluator::new(evaluator.sources, &nothing, &declared, &given);
    inner.beside = Some(beside);
    inner.budget = evaluator.budget;
    inner.depth = evaluator.depth;
    // What stands in a template has no place in the module's files but the call's.
    let place = Place::at(span.file, span.start as usize);
    let variables: Vec<(std::sync::Arc<str>, Node)> =
        variables.into_entries().into_iter().map(|(name, entry)| (name, entry.node)).collect();
    inner
        .encoded
        .extend(variables.iter().map(|(_, node)| node.span).filter(|span| evaluator.encoded.contains(span)));
    let mut node = within(&mut inner, template, &variables, &Scope::top(0, place), span);
    evaluator.budget = inner.budget;
    if inner.failures > 0 {
        return Err(Refusal::Failed("the template cannot be evaluated"));
    }
    if inner.encoded.contains(&node.span) && unknown(&node.value).is_some() {
        evaluator.encoded.insert(span);
    }
    respan(&mut node, span);
    Ok(node)
}

/// Binds one variable after the other.
fn within<'a>(
    evaluator: &mut Evaluator<'a>,
    template: &'a Template,
    variables: &[(std::sync::Arc<str>, Node)],
    scope: &Scope<'_>,
    span: Span,
) -> Node {
    match variables {
        [] => {
            let node = evaluator.template(template, Lines::Apart, scope, span);
            // A template of a file is text, even if it is a single interpolation.
            match crate::terraform::operators::to_text(&node.value) {
                Some(text) => Node::string(node.span, text),
                None => node,
            }
        }
        [(name, node), rest @ ..] => {
            let binding = Binding::new(name, node, scope);
            within(evaluator, template, rest, &scope.with(&binding), span)
        }
    }
}

fn respan(node: &mut Node, span: Span) {
    node.span = span;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| respan(item, span)),
        Value::Map(map) => map.entries.values_mut().for_each(|entry| {
            entry.key = span;
            respan(&mut entry.node, span);
        }),
        _ => {}
    }
}

/// The names a template takes from outside, and the functions it calls.
struct Names {
    bound: Vec<String>,
    free: BTreeSet<String>,
    calls: BTreeSet<String>,
}

impl Names {
    fn inside(&mut self, names: [Option<&hcl_edit::Ident>; 2], visit: impl FnOnce(&mut Self)) {
        let before = self.bound.len();
        self.bound.extend(names.into_iter().flatten().map(|name| name.as_str().to_owned()));
        visit(self);
        self.bound.truncate(before);
    }

    fn name(&mut self, name: &str) {
        if !self.bound.iter().any(|bound| bound == name) {
            self.free.insert(name.to_owned());
        }
    }
}

impl Visit for Names {
    fn visit_expr(&mut self, expr: &Expression) {
        if let Expression::Variable(name) = expr {
            self.name(name.as_str());
        }
        hcl_edit::visit::visit_expr(self, expr);
    }

    fn visit_traversal(&mut self, traversal: &Traversal) {
        hcl_edit::visit::visit_traversal(self, traversal);
    }

    fn visit_for_expr(&mut self, expr: &ForExpr) {
        self.visit_expr(&expr.intro.collection_expr);
        self.inside([expr.intro.key_var.as_deref(), Some(&expr.intro.value_var)], |names| {
            visit_for_expr(names, expr);
        });
    }

    fn visit_for_directive(&mut self, directive: &ForDirective) {
        self.visit_expr(&directive.for_expr.collection_expr);
        let head = &directive.for_expr;
        self.inside([head.key_var.as_deref(), Some(&head.value_var)], |names| {
            visit_for_directive(names, directive);
        });
    }

    fn visit_func_call(&mut self, call: &FuncCall) {
        self.calls.insert(call.name.name.as_str().to_owned());
        visit_func_call(self, call);
    }
}
