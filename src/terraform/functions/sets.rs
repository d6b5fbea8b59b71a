//! Functions on sets.

use crate::source::{List, Node, Shape, Value};
use crate::terraform::operators::{equal, unknown_within};
use crate::terraform::types::{self, Type};

use super::{Arguments, Outcome, Refusal, list};

pub(super) fn call(name: &str, arguments: &mut Arguments) -> Outcome {
    if name == "setproduct" {
        return product(arguments);
    }
    let mut given = Vec::new();
    while arguments.are_left() {
        given.push(arguments.known()?);
    }
    let failed = || Refusal::Failed("needs sets whose elements have a type in common");
    let mut operands = Vec::with_capacity(given.len());
    for value in given {
        operands.push(types::convert(value, &Type::set(Type::Any)).map_err(|_| failed())?);
    }
    let kinds: Vec<Type> = operands.iter().map(Type::of).collect();
    let common = types::unify(&kinds).ok_or_else(failed)?;
    let mut sets = Vec::with_capacity(operands.len());
    for operand in operands {
        let Ok(Value::List(set)) = types::convert(operand, &common) else { return Err(failed()) };
        if let Some(reason) = set.iter().find_map(|item| unknown_within(&item.value)) {
            return Err(Refusal::Unknown(reason));
        }
        sets.push(set.into_items());
    }
    let mut sets = sets.into_iter();
    let mut result = sets.next().ok_or(Refusal::Failed("an argument is missing"))?;
    for other in sets {
        let within = |item: &Node| other.iter().any(|other| equal(&item.value, &other.value) == Some(true));
        match name {
            "setunion" => result.extend(other),
            "setintersection" => result.retain(within),
            _ => result.retain(|item| !within(item)),
        }
    }
    Ok(Value::List(types::set(result)))
}

/// Every combination of one element of each; a list as long as all arguments have an order.
fn product(arguments: &mut Arguments) -> Outcome {
    let span = arguments.span;
    let mut factors: Vec<Vec<Node>> = Vec::new();
    let mut set = false;
    while arguments.are_left() {
        let given = arguments.sequence()?;
        set |= given.shape == Shape::Set;
        let Ok(Value::List(list)) = types::convert(Value::List(given), &Type::list(Type::Any)) else {
            return Err(Refusal::Failed("needs lists whose elements have a type in common"));
        };
        factors.push(list.into_items());
    }
    if factors.len() < 2 {
        return Err(Refusal::Failed("needs at least two sets"));
    }
    if set && let Some(reason) = factors.iter().flatten().find_map(|item| unknown_within(&item.value)) {
        return Err(Refusal::Unknown(reason));
    }
    let total = factors.iter().try_fold(1_usize, |total, factor| total.checked_mul(factor.len()));
    if total.is_none_or(|total| total > 100_000) {
        return Err(Refusal::Unknown("the product of these sets is too large to evaluate".into()));
    }
    let mut tuples: Vec<Vec<Node>> = vec![Vec::new()];
    for factor in &factors {
        tuples = tuples
            .iter()
            .flat_map(|tuple| {
                factor.iter().map(move |item| tuple.iter().cloned().chain([item.clone()]).collect())
            })
            .collect();
    }
    let tuples: Vec<Node> =
        tuples.into_iter().map(|tuple| Node::new(span, Value::List(List::from(tuple)))).collect();
    Ok(if set { Value::List(types::set(tuples)) } else { list(tuples) })
}
