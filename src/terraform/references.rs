//! Who refers to whom: found by reading every expression, whether it is evaluated or not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hcl_edit::Decorated;
use hcl_edit::expr::{Expression, ObjectKey, TraversalOperator};
use hcl_edit::structure::{BlockLabel, Body, Structure};
use hcl_edit::template::{Directive, Element, Template};

use crate::source::{Finding, Span, did_you_mean, fault};

use super::declared::{Declared, Place, ResourceBlock};
use super::functions;
use super::graph;
use super::module::{Step, Use};
use super::traverse::attribute;

/// What the references of a module say.
#[derive(Debug, Default)]
pub(super) struct References<'d> {
    /// What each resource refers to, through locals too.
    pub(super) resources: Vec<Vec<Target<'d>>>,
    /// What each output refers to, through locals too.
    pub(super) outputs: BTreeMap<&'d str, Vec<Target<'d>>>,
    /// What the arguments of calls refer to, by call and argument, through locals too.
    pub(super) arguments: BTreeMap<(&'d str, &'d str), Vec<Target<'d>>>,
    /// Every reference to an output of a called module.
    pub(super) of_modules: Vec<OfModule<'d>>,
    /// Locals and resources, what they need before them.
    pub(super) order: Vec<Item>,
    /// Every reference to an attribute of a resource.
    pub(super) uses: Vec<Use>,
}

/// What a reference means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target<'d> {
    /// An index into the declared locals.
    Local(usize),
    /// An index into the declared resources.
    Resource(usize),
    Variable(&'d str),
    /// An output of a called module, or all of them.
    Output(&'d str, Option<&'d str>),
}

/// A reference to an output of a called module.
#[derive(Debug)]
pub(super) struct OfModule<'d> {
    pub(super) call: &'d str,
    pub(super) output: &'d str,
    /// The reference up to the output.
    pub(super) span: Span,
}

/// Something that refers and can be referred to: an index into the declared locals or resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Local(usize),
    Resource(usize),
}

/// Reads every reference; to what is not declared, and in a circle, are findings.
pub(super) fn collect<'d>(declared: &'d Declared<'d>, findings: &mut Vec<Finding>) -> References<'d> {
    let names: Vec<&str> = declared.locals.keys().copied().collect();
    let locals = names.len();
    let mut edges: Vec<Vec<usize>> = Vec::with_capacity(locals + declared.resources.len());
    // Of each node, what carries a value; `depends_on` does not.
    let mut valued: Vec<Vec<Target<'d>>> = Vec::with_capacity(edges.capacity());
    let mut walker = Walker::new(declared, &names, findings);
    for declaration in declared.locals.values() {
        walker.place = declaration.place;
        walker.expr(declaration.expr);
        walker.finish(&mut edges, &mut valued);
    }
    for resource in &declared.resources {
        walker.place = resource.place;
        walker.repeated = Repeated::By(resource.repeated());
        walker.resource(&resource.block.body);
        walker.finish(&mut edges, &mut valued);
    }
    let (mut outputs, mut arguments) = (Vec::new(), Vec::new());
    for other in &declared.others {
        walker.place = other.place;
        walker.repeated = Repeated::Anywhere;
        let body = &other.block.body;
        let label = other.block.labels.first().map_or("", BlockLabel::as_str);
        match other.block.ident.as_str() {
            "module" => {
                walker.repeated =
                    Repeated::By(["for_each", "count"].into_iter().find(|name| body.has_attribute(name)));
                for structure in body {
                    walker.structure(structure, &["providers"]);
                    if let Structure::Attribute(argument) = structure {
                        arguments.push(((label, argument.key.as_str()), std::mem::take(&mut walker.valued)));
                    }
                }
            }
            "output" => {
                walker.body(body, &[]);
                outputs.push((label, std::mem::take(&mut walker.valued)));
            }
            "provider" => walker.body(body, &[]),
            _ => {}
        }
        walker.clear();
    }
    let (uses, of_modules) = (walker.uses, walker.of_modules);
    let components = graph::components(&edges);
    let mut order = Vec::with_capacity(edges.len());
    for component in &components {
        let circular = component.len() > 1
            || component.first().is_some_and(|at| edges.get(*at).is_some_and(|edges| edges.contains(at)));
        if circular {
            findings.push(circle(declared, &names, component));
        }
        order.extend(component.iter().map(|at| item(*at, locals)));
    }
    // Each local by what it refers to in the end; those it needs come before it.
    let mut reached: Vec<Vec<Target<'d>>> = vec![Vec::new(); locals];
    for at in components.iter().flatten().filter(|at| **at < locals) {
        let found = through(valued.get(*at).map_or(&[][..], Vec::as_slice), &reached);
        if let Some(slot) = reached.get_mut(*at) {
            *slot = found;
        }
    }
    References {
        resources: valued.iter().skip(locals).map(|targets| through(targets, &reached)).collect(),
        outputs: outputs.into_iter().map(|(name, targets)| (name, through(&targets, &reached))).collect(),
        arguments: arguments.into_iter().map(|(name, targets)| (name, through(&targets, &reached))).collect(),
        of_modules,
        order,
        uses,
    }
}

fn item(at: usize, locals: usize) -> Item {
    at.checked_sub(locals).map_or(Item::Local(at), Item::Resource)
}

/// Replaces locals by what those refer to; each target stands once, where it is named first.
fn through<'d>(targets: &[Target<'d>], reached: &[Vec<Target<'d>>]) -> Vec<Target<'d>> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for target in targets {
        let targets = match target {
            Target::Local(local) => reached.get(*local).map_or(&[][..], Vec::as_slice),
            other => std::slice::from_ref(other),
        };
        found.extend(targets.iter().filter(|target| seen.insert(**target)));
    }
    found
}

fn circle(declared: &Declared<'_>, names: &[&str], component: &[usize]) -> Finding {
    let describe = |at: &usize| match item(*at, names.len()) {
        Item::Local(local) => {
            let name = names.get(local).copied().unwrap_or_default();
            (format!("local.{name}"), declared.locals.get(name).map(|local| local.name))
        }
        Item::Resource(resource) => declared
            .resources
            .get(resource)
            .map_or((String::new(), None), |found| (found.address.to_string(), Some(found.header))),
    };
    let mut members: Vec<_> = component.iter().map(describe).collect();
    members.sort_by_key(|(_, span)| *span);
    let listed: Vec<&str> = members.iter().take(8).map(|(name, _)| name.as_str()).collect();
    let more = if members.len() > listed.len() { ", ..." } else { "" };
    let message = if members.len() == 1 {
        format!("{} refers to itself", listed.join(", "))
    } else {
        format!("{}{more} refer to each other in a circle", listed.join(", "))
    };
    let span = members.first().and_then(|(_, span)| *span).unwrap_or_default();
    let mut finding = Finding::fault(fault::TERRAFORM_REFERENCE, span, message)
        .label("part of the circle")
        .help("Terraform cannot decide what to compute first; replace one of the references by a value");
    for (name, span) in members.iter().skip(1).take(7) {
        finding = finding.related(span.unwrap_or_default(), format!("{name} belongs to the circle"));
    }
    finding
}

/// Whether `each` and `count` mean something where an expression stands.
#[derive(Clone, Copy)]
enum Repeated {
    /// Not in a block that can be repeated: Terraform's own rules of where they may stand are not checked.
    Anywhere,
    /// In a resource, data source or module call, repeated by `for_each` or `count` if at all.
    By(Option<&'static str>),
}

struct Walker<'d, 'f> {
    declared: &'d Declared<'d>,
    locals: &'f [&'d str],
    findings: &'f mut Vec<Finding>,
    place: Place<'d>,
    bound: Vec<&'d str>,
    repeated: Repeated,
    /// Whether what is read carries a value, or only an order (`depends_on`).
    ordering: bool,
    targets: Vec<usize>,
    valued: Vec<Target<'d>>,
    uses: Vec<Use>,
    of_modules: Vec<OfModule<'d>>,
}

impl<'d, 'f> Walker<'d, 'f> {
    fn new(declared: &'d Declared<'d>, locals: &'f [&'d str], findings: &'f mut Vec<Finding>) -> Self {
        Self {
            declared,
            locals,
            findings,
            place: Place::at(crate::source::FileId(0), 0),
            bound: Vec::new(),
            repeated: Repeated::Anywhere,
            ordering: false,
            targets: Vec::new(),
            valued: Vec::new(),
            uses: Vec::new(),
            of_modules: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.targets.clear();
        self.valued.clear();
    }

    fn finish(&mut self, edges: &mut Vec<Vec<usize>>, valued: &mut Vec<Vec<Target<'d>>>) {
        edges.push(std::mem::take(&mut self.targets));
        valued.push(std::mem::take(&mut self.valued));
    }

    fn found(&mut self, target: Target<'d>) {
        match target {
            Target::Local(at) => self.targets.push(at),
            Target::Resource(at) => self.targets.push(self.locals.len() + at),
            Target::Variable(_) | Target::Output(..) => {}
        }
        if !self.ordering {
            self.valued.push(target);
        }
    }

    fn resource(&mut self, body: &'d Body) {
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => match attribute.key.as_str() {
                    "provider" => {}
                    "depends_on" => self.ordered(&attribute.value),
                    _ => self.expr(&attribute.value),
                },
                Structure::Block(block) if block.ident.as_str() == "lifecycle" => {
                    for structure in &block.body {
                        match structure {
                            Structure::Attribute(attribute) => match attribute.key.as_str() {
                                "ignore_changes" => {}
                                "replace_triggered_by" => self.ordered(&attribute.value),
                                _ => self.expr(&attribute.value),
                            },
                            Structure::Block(block) => self.body(&block.body, &[]),
                        }
                    }
                }
                // Keywords, not references.
                Structure::Block(block) if block.ident.as_str() == "provisioner" => {
                    self.body(&block.body, &["when", "on_failure"]);
                }
                Structure::Block(block) => self.block(block),
            }
        }
    }

    fn ordered(&mut self, expr: &'d Expression) {
        self.ordering = true;
        self.expr(expr);
        self.ordering = false;
    }

    fn body(&mut self, body: &'d Body, skip: &[&str]) {
        for structure in body {
            self.structure(structure, skip);
        }
    }

    fn structure(&mut self, structure: &'d Structure, skip: &[&str]) {
        match structure {
            Structure::Attribute(attribute) => match attribute.key.as_str() {
                name if skip.contains(&name) => {}
                "depends_on" => self.ordered(&attribute.value),
                _ => self.expr(&attribute.value),
            },
            Structure::Block(block) => self.block(block),
        }
    }

    fn block(&mut self, block: &'d hcl_edit::structure::Block) {
        let label = block.labels.first().map(BlockLabel::as_str);
        let (true, Some(label)) = (block.ident.as_str() == "dynamic", label) else {
            self.body(&block.body, &[]);
            return;
        };
        let iterator = block.body.get_attribute("iterator").and_then(|iterator| iterator.value.as_variable());
        if let Some(for_each) = block.body.get_attribute("for_each") {
            self.expr(&for_each.value);
        }
        self.bound.push(iterator.map_or(label, |name| name.as_str()));
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute)
                    if matches!(attribute.key.as_str(), "for_each" | "iterator") => {}
                Structure::Attribute(attribute) => self.expr(&attribute.value),
                Structure::Block(block) => self.body(&block.body, &[]),
            }
        }
        self.bound.pop();
    }

    fn expr(&mut self, expr: &'d Expression) {
        match expr {
            Expression::Null(_) | Expression::Bool(_) | Expression::Number(_) | Expression::String(_) => {}
            Expression::Array(items) => items.iter().for_each(|item| self.expr(item)),
            Expression::Object(object) => {
                for (key, value) in object {
                    if let ObjectKey::Expression(key) = key {
                        self.findings.extend(ambiguous(self.place, key));
                        self.expr(key);
                    }
                    self.expr(value.expr());
                }
            }
            Expression::StringTemplate(template) => self.template(template),
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template),
            Expression::Parenthesis(inner) => self.expr(inner.inner()),
            Expression::Variable(name) => self.reference(name.as_str(), expr, &[]),
            Expression::Traversal(traversal) => {
                match &traversal.expr {
                    Expression::Variable(name) => {
                        self.reference(name.as_str(), &traversal.expr, &traversal.operators);
                    }
                    other => self.expr(other),
                }
                for operator in &traversal.operators {
                    if let TraversalOperator::Index(index) = operator.value() {
                        self.expr(index);
                    }
                }
            }
            Expression::Conditional(conditional) => {
                self.expr(&conditional.cond_expr);
                self.expr(&conditional.true_expr);
                self.expr(&conditional.false_expr);
            }
            Expression::FuncCall(call) => {
                self.findings.extend(functions::names::fault_of(self.place, call));
                call.args.iter().for_each(|argument| self.expr(argument));
            }
            Expression::UnaryOp(operation) => self.expr(&operation.expr),
            Expression::BinaryOp(operation) => {
                self.expr(&operation.lhs_expr);
                self.expr(&operation.rhs_expr);
            }
            Expression::ForExpr(expr) => {
                self.expr(&expr.intro.collection_expr);
                let before = self.bound.len();
                self.bound.extend(expr.intro.key_var.as_ref().map(|name| name.as_str()));
                self.bound.push(expr.intro.value_var.as_str());
                if let Some(key) = &expr.key_expr {
                    self.expr(key);
                }
                self.expr(&expr.value_expr);
                if let Some(condition) = &expr.cond {
                    self.expr(&condition.expr);
                }
                self.bound.truncate(before);
            }
        }
    }

    fn template(&mut self, template: &'d Template) {
        for element in template {
            match element {
                Element::Literal(_) => {}
                Element::Interpolation(interpolation) => self.expr(&interpolation.expr),
                Element::Directive(directive) => match &**directive {
                    Directive::If(directive) => {
                        self.expr(&directive.if_expr.cond_expr);
                        self.template(&directive.if_expr.template);
                        if let Some(other) = &directive.else_expr {
                            self.template(&other.template);
                        }
                    }
                    Directive::For(directive) => {
                        let head = &directive.for_expr;
                        self.expr(&head.collection_expr);
                        let before = self.bound.len();
                        self.bound.extend(head.key_var.as_ref().map(|name| name.as_str()));
                        self.bound.push(head.value_var.as_str());
                        self.template(&head.template);
                        self.bound.truncate(before);
                    }
                },
            }
        }
    }

    fn reference(
        &mut self,
        name: &'d str,
        root: &'d Expression,
        operators: &'d [Decorated<TraversalOperator>],
    ) {
        if self.bound.contains(&name) {
            return;
        }
        let step = |at: usize| operators.get(at).and_then(|operator| attribute(operator));
        let place = self.place;
        let start = place.of(root);
        let upto =
            |at: usize| operators.get(at).map_or(start, |operator| start.to(place.of(operator.value())));
        match (name, step(0)) {
            ("var", Some(variable)) => {
                self.found(Target::Variable(variable));
                if !self.declared.variables.contains_key(variable) {
                    let names = self.declared.variables.keys().copied();
                    let near = did_you_mean(variable, names).map(|near| format!("var.{near}"));
                    let help = format!("declare it: variable \"{variable}\" {{}}");
                    self.undeclared(upto(0), &format!("var.{variable}"), near, help);
                }
            }
            ("local", Some(local)) => match self.locals.binary_search(&local) {
                Ok(at) => self.found(Target::Local(at)),
                Err(_) => {
                    let near =
                        did_you_mean(local, self.locals.iter().copied()).map(|near| format!("local.{near}"));
                    let help = format!("declare it: locals {{ {local} = ... }}");
                    self.undeclared(upto(0), &format!("local.{local}"), near, help);
                }
            },
            ("module", Some(module)) => {
                // `module.net["a"].id`: the key stands between.
                let indexed = operators.get(1).is_some_and(|operator| attribute(operator).is_none());
                let at = if indexed { 2 } else { 1 };
                let output = step(at);
                self.found(Target::Output(module, output));
                if let Some(output) = output {
                    self.of_modules.push(OfModule { call: module, output, span: upto(at) });
                }
                if !self.declared.calls.contains_key(module) {
                    let names = self.declared.calls.keys().copied();
                    let near = did_you_mean(module, names).map(|near| format!("module.{near}"));
                    let help = format!("declare it: module \"{module}\" {{ source = ... }}");
                    self.undeclared(upto(0), &format!("module.{module}"), near, help);
                }
            }
            ("each" | "count", _) => {
                let wanted = if name == "each" { "for_each" } else { "count" };
                if matches!(self.repeated, Repeated::By(by) if by != Some(wanted)) {
                    self.findings.push(
                        Finding::fault(
                            fault::TERRAFORM_REFERENCE,
                            upto(0),
                            format!("`{name}` stands in a block without `{wanted}`"),
                        )
                        .label(format!("no {wanted} here"))
                        .help(format!("add `{wanted}` to the block, or write the value itself")),
                    );
                }
            }
            ("path" | "terraform" | "self" | "ephemeral" | "var" | "local" | "module", _) => {}
            ("data", Some(type_)) => match step(1) {
                Some(data) => {
                    self.resource_reference(&format!("data.{type_}.{data}"), upto(1), operators.get(2..));
                }
                None => self.incomplete(upto(0), &format!("data.{type_}")),
            },
            (type_, Some(resource)) => {
                self.resource_reference(&format!("{type_}.{resource}"), upto(0), operators.get(1..));
            }
            (name, None) => self.incomplete(start, name),
        }
    }

    fn resource_reference(
        &mut self,
        address: &str,
        span: Span,
        rest: Option<&'d [Decorated<TraversalOperator>]>,
    ) {
        let declared = self.declared;
        if let Some((address, at)) = declared.by_address.get_key_value(address) {
            self.found(Target::Resource(*at));
            let repeated = declared.resources.get(*at).and_then(ResourceBlock::repeated);
            self.attribute_use(address, span, rest.unwrap_or(&[]), repeated);
            return;
        }
        let other = match address.strip_prefix("data.") {
            Some(managed) => managed.to_owned(),
            None => format!("data.{address}"),
        };
        let near = if self.declared.by_address.contains_key(other.as_str()) {
            Some(other)
        } else {
            // The same type and a similar name, or the same name and a similar type.
            let (type_, name) = address.rsplit_once('.').unwrap_or((address, ""));
            let all = self.declared.by_address.keys().filter_map(|known| known.rsplit_once('.'));
            let named = did_you_mean(name, all.clone().filter(|known| known.0 == type_).map(|known| known.1));
            let typed = did_you_mean(type_, all.filter(|known| known.1 == name).map(|known| known.0));
            match (named, typed) {
                (Some(near), _) => Some(format!("{type_}.{near}")),
                (None, Some(near)) => Some(format!("{near}.{name}")),
                (None, None) => None,
            }
        };
        let help = match address.strip_prefix("data.") {
            Some(_) => format!("declare the data source {address}, or correct the name"),
            None => format!("declare the resource {address}, or correct the name"),
        };
        self.undeclared(span, address, near, help);
    }

    /// Notes which attribute is used; one of a block that stands for several instances needs an index first.
    fn attribute_use(
        &mut self,
        address: &Arc<str>,
        span: Span,
        rest: &'d [Decorated<TraversalOperator>],
        repeated: Option<&'static str>,
    ) {
        let place = self.place;
        let mut steps = rest.iter().enumerate().filter_map(|(at, operator)| {
            let name = attribute(operator)?;
            Some((at, name, span.to(place.of(operator.value()))))
        });
        let Some((at, name, whole)) = steps.next() else { return };
        let mut before = at;
        let within = steps.map(|(at, name, span)| {
            // Only what stands between two names tells whether one element was taken out of a list.
            let direct = at == before + 1;
            before = at;
            Step { name: name.into(), direct, span }
        });
        let within = within.collect();
        if let (0, Some(repeated)) = (at, repeated) {
            let index = if repeated == "count" { "0" } else { "each.key" };
            self.findings.push(
                Finding::fault(
                    fault::TERRAFORM_REFERENCE,
                    whole,
                    format!(
                        "{address} has `{repeated}`, so `{name}` is an attribute of one of its instances"
                    ),
                )
                .label("which instance?")
                .help(format!("write {address}[{index}].{name}, or {address}[*].{name} for all of them")),
            );
        }
        self.uses.push(Use { address: address.clone(), attribute: name.into(), span: whole, within });
    }

    fn undeclared(&mut self, span: Span, name: &str, near: Option<String>, help: String) {
        // Its block is there and does not parse, which is a finding already.
        if self.declared.is_broken(name) {
            return;
        }
        self.findings.push(
            Finding::fault(
                fault::TERRAFORM_REFERENCE,
                span,
                format!("{name} is not declared in this module"),
            )
            .label("nothing declares this")
            .help(near.map_or(help, |near| format!("did you mean `{near}`?"))),
        );
    }

    fn incomplete(&mut self, span: Span, name: &str) {
        self.findings.push(
            Finding::fault(
                fault::TERRAFORM_REFERENCE,
                span,
                format!("`{name}` is neither a value nor a complete reference"),
            )
            .label("refers to nothing")
            .help(format!("write \"{name}\" for the text, or var.{name}, local.{name}, type.name.attribute for a reference")),
        );
    }
}

/// A reference as a key: Terraform asks whether the name or the value is meant.
fn ambiguous(place: Place<'_>, key: &Expression) -> Option<Finding> {
    let Expression::Traversal(traversal) = key else { return None };
    let mut written = traversal.expr.as_variable()?.as_str().to_owned();
    for operator in &traversal.operators {
        let TraversalOperator::GetAttr(name) = operator.value() else { return None };
        written.push('.');
        written.push_str(name.as_str());
    }
    Some(
        Finding::fault(
            fault::HCL_SYNTAX,
            place.of(key),
            "not valid Terraform: a reference as a key may mean its name or its value",
        )
        .label("which of the two?")
        .help(format!("write ({written}) for the value, \"{written}\" for the text")),
    )
}
