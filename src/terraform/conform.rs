//! What the type of a variable makes of the value it is given.

use hcl_edit::Ident;
use hcl_edit::expr::{Expression, ObjectKey};

use super::evaluate::{Evaluator, Scope};
use super::{operators, types};
use crate::source::{List, Map, Node, Shape, Value};

/// What a type in a `variable` block makes of a value. What does not fit stays as it is: that it does not is said elsewhere.
pub(super) fn conform<'a>(
    evaluator: &mut Evaluator<'a>,
    node: Node,
    type_: &'a Expression,
    scope: &Scope<'_>,
) -> Node {
    let Node { span, value, sensitive } = node;
    let value = match (type_, value) {
        (Expression::Parenthesis(inner), value) => {
            return conform(evaluator, Node { span, value, sensitive }, inner.inner(), scope);
        }
        (Expression::Variable(name), value) => match name.as_str() {
            "string" => operators::to_text(&value).map_or(value, Value::Str),
            "number" => operators::to_decimal(&value).map_or(value, |number| number.to_value()),
            "bool" => operators::to_bool(&value).map_or(value, Value::Bool),
            _ => value,
        },
        (Expression::FuncCall(call), value) => match (call.name.name.as_str(), call.args.get(0), value) {
            ("list", Some(of), Value::List(items)) => {
                let items = items.into_iter().map(|item| conform(evaluator, item, of, scope)).collect();
                Value::List(List::of(Shape::Uniform, items))
            }
            ("set", Some(of), Value::List(items)) => {
                let items: Vec<Node> =
                    items.into_iter().map(|item| conform(evaluator, item, of, scope)).collect();
                Value::List(types::set(items))
            }
            ("map", Some(of), Value::Map(mut map)) => {
                for entry in map.entries.values_mut() {
                    let node = std::mem::replace(&mut entry.node, Node::new(span, Value::Null));
                    entry.node = conform(evaluator, node, of, scope);
                }
                map.shape = Shape::Uniform;
                Value::Map(map)
            }
            ("object", Some(Expression::Object(members)), Value::Map(mut map)) => {
                let mut made = Map::default();
                for (key, member) in members {
                    let ObjectKey::Ident(name) = key else { continue };
                    let Member { of, optional, default } = Member::of(member.expr());
                    let given = map.entries.swap_remove(Ident::as_str(name));
                    let given = given.filter(|entry| entry.node.value != Value::Null || !optional);
                    let (key, node) = match (given, default) {
                        (Some(entry), _) => (entry.key, entry.node),
                        (None, Some(default)) => (span, evaluator.eval(default, scope)),
                        (None, None) if optional => (span, Node::new(span, Value::Null)),
                        // A required member that is missing: Terraform refuses the value.
                        (None, None) => continue,
                    };
                    let node = conform(evaluator, node, of, scope);
                    made.insert(name.as_str(), key, node);
                }
                Value::Map(made)
            }
            ("tuple", Some(Expression::Array(types)), Value::List(items)) if types.len() == items.len() => {
                let pairs = items.into_iter().zip(types.iter());
                Value::List(pairs.map(|(item, of)| conform(evaluator, item, of, scope)).collect())
            }
            (_, _, value) => value,
        },
        (_, value) => value,
    };
    Node { span, value, sensitive }
}

/// A member of an object's type, which may be `optional(type, default)`.
struct Member<'e> {
    of: &'e Expression,
    optional: bool,
    default: Option<&'e Expression>,
}

impl<'e> Member<'e> {
    fn of(expr: &'e Expression) -> Self {
        if let Expression::FuncCall(call) = expr
            && call.name.name.as_str() == "optional"
            && let Some(of) = call.args.get(0)
        {
            return Self { of, optional: true, default: call.args.get(1) };
        }
        Self { of: expr, optional: false, default: None }
    }
}
