//! What Terraform itself asks of a module, whatever the provider: names that stand once, meta-arguments it can read
//! before anything is computed, and the arguments of its own blocks.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::{Expression, TraversalOperator};
use hcl_edit::structure::{Attribute, BlockLabel, Body, Structure};

use crate::source::{Finding, Node, Span, Value, did_you_mean, fault};

use super::declared::{Declared, OtherBlock, Place, twice};
use super::module::Module;
use super::schema::{self, Type};

/// What may stand in Terraform's own blocks, and which of it has to.
struct Form {
    kind: &'static str,
    arguments: &'static [&'static str],
    blocks: &'static [&'static str],
    required: &'static [&'static str],
}

/// From <https://developer.hashicorp.com/terraform/language>; `module`, `provider` and `locals` take arguments of
/// others' choice. `deprecated` is newer than 1.11 and allowed here.
const FORMS: &[Form] = &[
    Form {
        kind: "variable",
        arguments: &["type", "default", "description", "sensitive", "nullable", "ephemeral", "deprecated"],
        blocks: &["validation"],
        required: &[],
    },
    Form {
        kind: "output",
        arguments: &["value", "description", "sensitive", "depends_on", "ephemeral", "deprecated"],
        blocks: &["precondition"],
        required: &["value"],
    },
    Form {
        kind: "terraform",
        arguments: &["required_version", "experiments", "language"],
        blocks: &["required_providers", "backend", "cloud", "provider_meta"],
        required: &[],
    },
    Form { kind: "moved", arguments: &["from", "to"], blocks: &[], required: &["from", "to"] },
];

/// Every breach of Terraform's own rules.
pub(super) fn check(declared: &Declared<'_>, findings: &mut Vec<Finding>) {
    let mut outputs: BTreeMap<(&str, &str), Span> = BTreeMap::new();
    for other in &declared.others {
        form(other, findings);
        let kind = other.block.ident.as_str();
        let Some(label) = other.block.labels.first().map(BlockLabel::as_str) else { continue };
        if !matches!(kind, "output" | "module") {
            continue;
        }
        if let Some(first) = outputs.get(&(kind, label)) {
            findings.push(twice(other.header, *first, &format!("{kind} {label}")));
        } else {
            outputs.insert((kind, label), other.header);
        }
        if kind == "module" {
            meta_arguments(other.place, &other.block.body, findings);
        }
    }
    providers(declared, findings);
    for resource in &declared.resources {
        meta_arguments(resource.place, &resource.block.body, findings);
    }
}

fn invalid(span: Span, message: &str, label: &str, help: String) -> Finding {
    Finding::fault(fault::HCL_SYNTAX, span, format!("not valid Terraform: {message}")).label(label).help(help)
}

/// The arguments of Terraform's own blocks.
fn form(other: &OtherBlock<'_>, findings: &mut Vec<Finding>) {
    let kind = other.block.ident.as_str();
    let Some(form) = FORMS.iter().find(|form| form.kind == kind) else { return };
    let name = other.block.labels.first().map_or(String::new(), |label| format!(" {}", label.as_str()));
    for structure in &other.block.body {
        let (written, what, known, span) = match structure {
            Structure::Attribute(attribute) => {
                (attribute.key.as_str(), "argument", form.arguments, other.place.of(&attribute.key))
            }
            Structure::Block(block) => {
                (block.ident.as_str(), "block", form.blocks, other.place.of(&block.ident))
            }
        };
        if known.contains(&written) {
            continue;
        }
        let help = if form.arguments.contains(&written) {
            format!("it is an argument: write {written} = ...")
        } else if form.blocks.contains(&written) {
            format!("it is a block: write {written} {{ ... }}")
        } else {
            let all = form.arguments.iter().chain(form.blocks).copied();
            did_you_mean(written, all.clone()).map_or_else(
                || format!("a {kind} block has {}", all.collect::<Vec<_>>().join(", ")),
                |near| format!("did you mean `{near}`?"),
            )
        };
        let message = format!("{kind}{name} has no {what} `{written}`");
        findings.push(invalid(span, &message, &format!("unknown {what}"), help));
    }
    for required in form.required.iter().filter(|required| !other.block.body.has_attribute(required)) {
        findings.push(invalid(
            other.header,
            &format!("{kind}{name} lacks the required argument `{required}`"),
            "required",
            format!("add {required} = ..."),
        ));
    }
}

/// The provider configurations, and the references to them.
fn providers(declared: &Declared<'_>, findings: &mut Vec<Finding>) {
    let mut known: BTreeMap<String, Span> = BTreeMap::new();
    let mut handed_in = BTreeSet::new();
    let mut all_readable = !declared.is_broken("provider");
    for other in &declared.others {
        match (other.block.ident.as_str(), other.block.labels.first().map(BlockLabel::as_str)) {
            ("provider", Some(label)) => {
                let alias = other.block.body.get_attribute("alias").map(|alias| &alias.value);
                let name = match alias {
                    None => label.to_owned(),
                    Some(Expression::String(alias)) => format!("{label}.{}", alias.value().as_str()),
                    Some(_) => {
                        all_readable = false;
                        continue;
                    }
                };
                if let Some(first) = known.get(&name) {
                    let finding = twice(other.header, *first, &format!("provider configuration {name}"));
                    findings.push(finding.help(
                        "give one of them an alias: alias = \"secondary\", and write provider = ... where it is meant",
                    ));
                } else {
                    known.insert(name, other.header);
                }
            }
            // `configuration_aliases` name what the calling module hands in.
            ("terraform", _) => configuration_aliases(&other.block.body, &mut handed_in),
            _ => {}
        }
    }
    if !all_readable {
        return;
    }
    for resource in &declared.resources {
        let Some(provider) = resource.block.body.get_attribute("provider") else { continue };
        let Some(name) = written_reference(&provider.value) else { continue };
        if !name.contains('.') || known.contains_key(&name) || handed_in.contains(&name) {
            continue;
        }
        let local = name.split('.').next().unwrap_or(&name);
        let alias = name.split('.').nth(1).unwrap_or_default();
        let names = known.keys().filter(|known| known.starts_with(&format!("{local}."))).map(String::as_str);
        let help = did_you_mean(&name, names.clone().filter(|known| similar(known, &name))).map_or_else(
            || format!("declare it: provider \"{local}\" {{ alias = \"{alias}\" }}"),
            |near| format!("did you mean `{near}`?"),
        );
        findings.push(
            Finding::fault(
                fault::TERRAFORM_REFERENCE,
                resource.place.of(&provider.value),
                format!("the provider configuration {name} is not declared in this module"),
            )
            .label("nothing declares this")
            .help(help),
        );
    }
}

/// Names of one provider begin alike, so that only the aliases tell how near they are.
fn similar(known: &str, name: &str) -> bool {
    let alias = |name: &str| name.split_once('.').map_or(String::new(), |(_, alias)| alias.to_owned());
    did_you_mean(&alias(name), [alias(known).as_str()]).is_some()
}

fn configuration_aliases(body: &Body, names: &mut BTreeSet<String>) {
    for provider in body.get_blocks("required_providers").flat_map(|block| block.body.attributes()) {
        let Expression::Object(object) = &provider.value else { continue };
        for (key, value) in object {
            let named = matches!(key, hcl_edit::expr::ObjectKey::Ident(key) if key.as_str() == "configuration_aliases");
            if let (true, Expression::Array(items)) = (named, value.expr()) {
                names.extend(items.iter().filter_map(written_reference));
            }
        }
    }
}

/// `aws.primary` as it is written; `None` for what is no plain reference.
fn written_reference(expr: &Expression) -> Option<String> {
    match expr {
        Expression::Variable(name) => Some(name.as_str().to_owned()),
        Expression::String(text) => Some(text.value().clone()),
        Expression::Traversal(traversal) => {
            let mut written = traversal.expr.as_variable()?.as_str().to_owned();
            for operator in &traversal.operators {
                let TraversalOperator::GetAttr(name) = operator.value() else { return None };
                written.push('.');
                written.push_str(name.as_str());
            }
            Some(written)
        }
        _ => None,
    }
}

/// `count`, `for_each`, `depends_on` and `lifecycle` of a resource, data source or module call.
fn meta_arguments(place: Place<'_>, body: &Body, findings: &mut Vec<Finding>) {
    if let (Some(count), Some(each)) = (body.get_attribute("count"), body.get_attribute("for_each")) {
        let (first, second) = (place.of(&count.key), place.of(&each.key));
        let (first, second) = if first < second { (first, second) } else { (second, first) };
        findings.push(
            invalid(
                second,
                "`count` and `for_each` in one block",
                "one of the two too many",
                "keep for_each, which names its instances; with count a change in the middle recreates the rest"
                    .to_owned(),
            )
            .related(first, "the other one"),
        );
    }
    if let Some(each) = body.get_attribute("for_each")
        && is_list(&each.value)
    {
        findings.push(invalid(
            place.of(&each.value),
            "`for_each` takes a map or a set of strings, and this is a list",
            "a list",
            "write toset([...]) for strings, or a map whose keys name the instances".to_owned(),
        ));
    }
    if let Some(order) = body.get_attribute("depends_on")
        && !matches!(order.value, Expression::Array(_))
    {
        let written = written_reference(&order.value).unwrap_or_else(|| "aws_vpc.main".to_owned());
        findings.push(invalid(
            place.of(&order.value),
            "`depends_on` takes a list of references",
            "not a list",
            format!("write depends_on = [{written}]"),
        ));
    }
    for lifecycle in body.get_blocks("lifecycle") {
        for name in ["prevent_destroy", "create_before_destroy"] {
            if let Some(attribute) = lifecycle.body.get_attribute(name) {
                findings.extend(fixed(place, attribute));
            }
        }
    }
}

fn is_list(expr: &Expression) -> bool {
    match expr {
        Expression::Array(_) => true,
        Expression::ForExpr(expr) => expr.key_expr.is_none(),
        Expression::Parenthesis(inner) => is_list(inner.inner()),
        _ => false,
    }
}

/// What Terraform reads before it computes anything.
fn fixed(place: Place<'_>, attribute: &Attribute) -> Option<Finding> {
    let name = attribute.key.as_str();
    let computed = match &attribute.value {
        Expression::Bool(_) | Expression::String(_) => return None,
        Expression::Variable(_) | Expression::Traversal(_) => "a reference",
        Expression::FuncCall(_) => "a function call",
        Expression::Conditional(_) => "a condition",
        _ => "a computed value",
    };
    Some(invalid(
        place.of(&attribute.value),
        &format!("`{name}` has to be written as true or false, and is {computed}"),
        "not true or false",
        format!("write {name} = true; Terraform reads it before it computes anything"),
    ))
}

/// The types of variables, and whether their defaults fit.
pub(super) fn variables(declared: &Declared<'_>, module: &Module, findings: &mut Vec<Finding>) {
    for variable in declared.variables.values() {
        let Some(written) = variable.body.get_attribute("type") else { continue };
        let mut faults = Vec::new();
        let type_ = type_of(variable.place, &written.value, &mut faults);
        let sound = faults.is_empty();
        findings.append(&mut faults);
        let Some(default) = variable.body.get_attribute("default").filter(|_| sound) else { continue };
        let at = variable.place.of(&default.key);
        let body = module.blocks_of("variable").find_map(|block| default_at(&block.body, at));
        let Some((wrong, wanted)) = body.and_then(|node| schema::misfit_of(module, node, &type_)) else {
            continue;
        };
        findings.push(invalid(
            wrong,
            &format!("the default is not of the variable's type: {wanted} belongs here"),
            &format!("should be {wanted}"),
            "correct the default or the type".to_owned(),
        ));
    }
}

fn default_at(body: &Node, key: Span) -> Option<&Node> {
    let Value::Map(map) = &body.value else { return None };
    map.iter().find(|(name, entry)| &***name == "default" && entry.key == key).map(|(_, entry)| &entry.node)
}

/// Words a type is made of.
const TYPES: &[&str] = &["string", "number", "bool", "any", "list", "set", "map", "object", "tuple"];

/// A type as variables write it. What it holds that is no type is a finding.
fn type_of(place: Place<'_>, expr: &Expression, findings: &mut Vec<Finding>) -> Type {
    match expr {
        Expression::Variable(name) => match name.as_str() {
            "string" => Type::String,
            "number" => Type::Number,
            "bool" => Type::Bool,
            // `list` and `map` alone are from the time before 0.12, and still read.
            "any" | "list" | "map" => Type::Dynamic,
            other => {
                let message = if TYPES.contains(&other) {
                    format!("the type `{other}` needs to say of what")
                } else {
                    format!("there is no type `{other}`")
                };
                findings.push(invalid(place.of(expr), &message, "not a type", type_help(other)));
                Type::Dynamic
            }
        },
        Expression::FuncCall(call) => {
            let name = call.name.name.as_str();
            let inner = call.args.get(0);
            match (name, inner, call.args.len()) {
                ("list" | "set" | "map", Some(inner), 1) => {
                    let of = Box::new(type_of(place, inner, findings));
                    match name {
                        "list" => Type::List(of),
                        "set" => Type::Set(of),
                        _ => Type::Map(of),
                    }
                }
                ("object", Some(Expression::Object(members)), 1) => {
                    for (_, member) in members {
                        member_type(place, member.expr(), findings);
                    }
                    // Which members may be left out is not looked at, so nothing is said of their values.
                    Type::Dynamic
                }
                ("tuple", Some(Expression::Array(items)), 1) => {
                    for item in items {
                        type_of(place, item, findings);
                    }
                    Type::Dynamic
                }
                _ => {
                    let message = format!("`{name}(...)` is no type");
                    findings.push(invalid(place.of(expr), &message, "not a type", type_help(name)));
                    Type::Dynamic
                }
            }
        }
        Expression::Parenthesis(inner) => type_of(place, inner.inner(), findings),
        other => {
            let quoted = match other {
                Expression::String(text) => text.value().clone(),
                _ => String::new(),
            };
            let help = if TYPES.contains(&quoted.as_str()) {
                format!("remove the quotation marks: type = {quoted}")
            } else {
                type_help(&quoted)
            };
            findings.push(invalid(place.of(expr), "this is no type", "not a type", help));
            Type::Dynamic
        }
    }
}

/// The type of an object's member, which may be `optional(type, default)`.
fn member_type(place: Place<'_>, expr: &Expression, findings: &mut Vec<Finding>) {
    if let Expression::FuncCall(call) = expr
        && call.name.name.as_str() == "optional"
        && let (Some(inner), 1 | 2) = (call.args.get(0), call.args.len())
    {
        type_of(place, inner, findings);
    } else {
        type_of(place, expr, findings);
    }
}

fn type_help(written: &str) -> String {
    let meant = match written.to_ascii_lowercase().as_str() {
        "str" | "text" => Some("string"),
        "int" | "integer" | "float" => Some("number"),
        "boolean" => Some("bool"),
        "array" | "list" => Some("list(string)"),
        "set" => Some("set(string)"),
        "dict" | "hash" | "map" => Some("map(string)"),
        "object" => Some("object({ name = string })"),
        "tuple" => Some("tuple([string, number])"),
        lower => did_you_mean(lower, TYPES.iter().copied()),
    };
    meant.map_or_else(
        || "the types are string, number, bool, any, list(...), set(...), map(...), object({...}), tuple([...])".to_owned(),
        |meant| format!("write type = {meant}"),
    )
}
