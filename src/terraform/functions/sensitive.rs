//! `issensitive`, which no value can answer: a tree does not say what is secret, but an expression may.

use hcl_edit::expr::Expression;
use hcl_edit::template::Element;

use crate::terraform::declared::Declared;

/// Levels of expressions and locals that are followed.
const DEEPEST: usize = 50;

/// Whether the value of an expression is marked as sensitive, if the files say so.
pub(in crate::terraform) fn sensitivity(declared: &Declared<'_>, expr: &Expression) -> Option<bool> {
    of(declared, expr, 0)
}

fn of(declared: &Declared<'_>, expr: &Expression, depth: usize) -> Option<bool> {
    if depth > DEEPEST {
        return None;
    }
    let within = |expr: &Expression| of(declared, expr, depth + 1);
    match expr {
        // What is in a list or object may be sensitive; the list is not.
        Expression::Null(_)
        | Expression::Bool(_)
        | Expression::Number(_)
        | Expression::String(_)
        | Expression::Array(_)
        | Expression::Object(_) => Some(false),
        Expression::Parenthesis(inner) => within(inner.inner()),
        Expression::StringTemplate(template) => any(template.iter().map(|element| match element {
            Element::Literal(_) => Some(false),
            Element::Interpolation(inner) => within(&inner.expr),
            Element::Directive(_) => None,
        })),
        Expression::UnaryOp(operation) => within(&operation.expr),
        Expression::BinaryOp(operation) => any([within(&operation.lhs_expr), within(&operation.rhs_expr)]),
        Expression::Conditional(conditional) => any([
            within(&conditional.cond_expr),
            within(&conditional.true_expr),
            within(&conditional.false_expr),
        ]),
        Expression::FuncCall(call) if !call.name.is_namespaced() => match call.name.name.as_str() {
            "sensitive" => Some(true),
            "nonsensitive" | "issensitive" => Some(false),
            // An element of a list may be sensitive where the list is not.
            "element" | "lookup" | "one" | "values" | "try" | "can" | "templatefile" | "templatestring" => {
                None
            }
            _ => any(call.args.iter().map(|argument| match argument {
                Expression::Array(_) | Expression::Object(_) => None,
                argument => within(argument),
            })),
        },
        Expression::Traversal(traversal) => {
            let [only] = &traversal.operators[..] else { return None };
            let name = crate::terraform::traverse::attribute(only)?;
            match traversal.expr.as_variable()?.as_str() {
                "local" => within(declared.locals.get(name)?.expr),
                "var" => {
                    let variable = declared.variables.get(name)?;
                    let sensitive = variable.body.get_attribute("sensitive")?;
                    sensitive.value.as_bool().filter(|sensitive| *sensitive)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Sensitive as soon as one part is; not so only if all are known not to be.
fn any(parts: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut answer = Some(false);
    for part in parts {
        match part {
            Some(true) => return Some(true),
            Some(false) => {}
            None => answer = None,
        }
    }
    answer
}
