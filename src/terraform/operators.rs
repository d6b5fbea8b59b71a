//! Terraform's operators and the conversions between its types.

use std::cmp::Ordering;
use std::sync::Arc;

use hcl_edit::expr::{BinaryOperator, UnaryOperator};

use crate::source::{Node, Shape, Value};

use super::number::{self, Number};

/// Why a value is not known, if it is not.
pub(super) fn unknown(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::Unknown(reason) => Some(reason.clone()),
        Value::Partial(partial) => Some(partial.reason.clone()),
        Value::Reference(reference) => {
            let dot =
                if reference.attribute.is_empty() || reference.attribute.starts_with('[') { "" } else { "." };
            Some(
                format!("{}{dot}{} is known only after apply", reference.address, reference.attribute).into(),
            )
        }
        Value::List(list) if list.shape == Shape::Open => list.known().1.cloned(),
        value if is_text(value) => Some("text with parts that are known only after apply".into()),
        _ => None,
    }
}

/// JSON text of which a part is not known, decoded.
fn is_text(value: &Value) -> bool {
    match value {
        Value::List(list) => list.shape == Shape::Text,
        Value::Map(map) => map.shape == Shape::Text,
        _ => false,
    }
}

/// Why a value is not known all the way down, if it is not.
pub(super) fn unknown_within(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::List(items) => items.iter().find_map(|item| unknown_within(&item.value)),
        Value::Map(map) => map.iter().find_map(|(_, entry)| unknown_within(&entry.node.value)),
        other => unknown(other),
    }
}

/// A number, whole if it is.
pub(super) fn number(number: f64) -> Value {
    // The bounds are exact in f64, so the cast keeps the value.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "checked just before")]
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        Value::Int(number as i64)
    } else {
        Value::Float(number)
    }
}

/// The number a value converts to, as a double: numbers, and strings that hold one.
pub(super) fn to_number(value: &Value) -> Option<f64> {
    match value {
        // Whoever asks for a double asks for an index.
        #[allow(clippy::cast_precision_loss, reason = "see above")]
        Value::Int(whole) => Some(*whole as f64),
        Value::Float(number) => Some(*number),
        _ => to_decimal(value).map(|number| number.to_f64()),
    }
}

/// The number a value converts to: numbers, and strings that hold one.
pub(super) fn to_decimal(value: &Value) -> Option<Number> {
    match value {
        Value::Str(text)
            if text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.')) =>
        {
            Number::parse(text)
        }
        _ => Number::of(value),
    }
}

/// The boolean a value converts to: booleans, and the strings `true`, `1`, `false` and `0`.
pub(super) fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Str(text) => match &**text {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The string a value converts to: strings, numbers, booleans.
pub(super) fn to_text(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::Str(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string().into()),
        _ => number::text(value),
    }
}

/// Whether two values are equal as `==` sees them, without conversions; `None` if that is not known.
pub(super) fn equal(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Reference(one), Value::Reference(other)) if one == other => Some(true),
        (Value::Partial(partial), Value::Str(text)) | (Value::Str(text), Value::Partial(partial))
            if !partial.may_be(text) =>
        {
            Some(false)
        }
        (Value::Unknown(_) | Value::Reference(_) | Value::Partial(_), _)
        | (_, Value::Unknown(_) | Value::Reference(_) | Value::Partial(_)) => None,
        (Value::Int(one), Value::Int(other)) => Some(one == other),
        (
            Value::Int(_) | Value::Float(_) | Value::Decimal(_),
            Value::Int(_) | Value::Float(_) | Value::Decimal(_),
        ) => Some(Number::of(left) == Number::of(right)),
        (left, right) if is_text(left) || is_text(right) => None,
        (Value::List(one), Value::List(other)) => {
            // A tuple, a list and a set never are the same, whatever is in them.
            if one.shape != other.shape || one.len() != other.len() {
                return Some(false);
            }
            all_equal(one.iter().zip(other))
        }
        (Value::Map(one), Value::Map(other)) => {
            if one.shape != other.shape
                || one.entries.len() != other.entries.len()
                || one.iter().any(|(key, _)| other.get(key).is_none())
            {
                return Some(false);
            }
            all_equal(one.iter().filter_map(|(key, entry)| Some((&entry.node, other.get(key)?))))
        }
        _ => Some(left == right),
    }
}

fn all_equal<'n>(pairs: impl Iterator<Item = (&'n Node, &'n Node)>) -> Option<bool> {
    let mut answer = Some(true);
    for (one, other) in pairs {
        match equal(&one.value, &other.value) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => answer = None,
        }
    }
    answer
}

/// Zero with the sign Terraform keeps: `-0`.
fn signed_zero(value: Value, negative: bool) -> Value {
    if negative && value == Value::Int(0) { Value::Float(-0.0) } else { value }
}

fn is_negative(value: &Value) -> bool {
    match value {
        Value::Int(whole) => *whole < 0,
        Value::Float(number) => number.is_sign_negative(),
        Value::Decimal(text) | Value::Str(text) => text.starts_with('-'),
        _ => false,
    }
}

/// The result of a unary operator; `None` if the operand has the wrong type.
pub(super) fn unary(operator: UnaryOperator, operand: &Value) -> Option<Value> {
    if let Some(reason) = unknown(operand) {
        return Some(Value::Unknown(reason));
    }
    match operator {
        UnaryOperator::Not => to_bool(operand).map(|value| Value::Bool(!value)),
        UnaryOperator::Neg => {
            to_decimal(operand).map(|value| signed_zero(value.negated().to_value(), !is_negative(operand)))
        }
    }
}

/// The result of a binary operator; `None` if an operand has the wrong type.
pub(super) fn binary(left: &Value, operator: BinaryOperator, right: &Value) -> Option<Value> {
    use BinaryOperator as Op;
    match operator {
        // One known `false` decides, whatever the other turns out to be.
        Op::And | Op::Or => {
            // Either may be unknown, but nothing else than a boolean.
            if [left, right].iter().any(|side| to_bool(side).is_none() && unknown(side).is_none()) {
                return None;
            }
            let decides = operator == Op::Or;
            if to_bool(left) == Some(decides) || to_bool(right) == Some(decides) {
                return Some(Value::Bool(decides));
            }
            if let Some(reason) = unknown(left).or_else(|| unknown(right)) {
                return Some(Value::Unknown(reason));
            }
            Some(Value::Bool(!decides))
        }
        Op::Eq | Op::NotEq => Some(match equal(left, right) {
            Some(same) => Value::Bool(same == (operator == Op::Eq)),
            None => Value::Unknown(
                unknown_within(left).or_else(|| unknown_within(right)).unwrap_or_else(|| "not known".into()),
            ),
        }),
        _ => {
            if let Some(reason) = unknown(left).or_else(|| unknown(right)) {
                return Some(Value::Unknown(reason));
            }
            let (one, other) = (to_decimal(left)?, to_decimal(right)?);
            let ordering = one.cmp(&other);
            Some(match operator {
                Op::Plus => one.add(&other)?.to_value(),
                Op::Minus => one.subtract(&other)?.to_value(),
                Op::Mul => {
                    signed_zero(one.multiply(&other).to_value(), is_negative(left) != is_negative(right))
                }
                Op::Div => match one.divide(&other) {
                    Some(quotient) => {
                        signed_zero(quotient.to_value(), is_negative(left) != is_negative(right))
                    }
                    None if one.signum() == 0 => return None,
                    None => Value::Unknown("infinity is not evaluated".into()),
                },
                Op::Mod => one.remainder(&other)?.to_value(),
                Op::Less => Value::Bool(ordering == Ordering::Less),
                Op::LessEq => Value::Bool(ordering != Ordering::Greater),
                Op::Greater => Value::Bool(ordering == Ordering::Greater),
                Op::GreaterEq => Value::Bool(ordering != Ordering::Less),
                _ => return None,
            })
        }
    }
}
