//! The pure functions of Terraform that configurations use most. What is missing here is unknown, never wrong.
//!
//! Behaviour follows <https://developer.hashicorp.com/terraform/language/functions>.

mod collections;
pub(super) mod names;
mod network;
mod text;

use std::sync::Arc;

use crate::source::{Map, Node, Span, Value};

use super::evaluate::Evaluator;
use super::operators::{number, to_bool, to_number, to_text, unknown, unknown_within};

/// Why a call has no value.
enum Refusal {
    /// Terraform would refuse it too.
    Failed(&'static str),
    /// An argument is not known.
    Unknown(Arc<str>),
}

type Outcome = Result<Value, Refusal>;

/// The value of a call.
pub(super) fn call(evaluator: &mut Evaluator<'_>, name: &str, arguments: Vec<Node>, span: Span) -> Node {
    if name == "jsonencode" {
        return jsonencode(evaluator, arguments, span);
    }
    // A tree that stands for JSON text known in part: only these functions can say anything of it.
    let encoded = arguments.iter().any(|argument| evaluator.encoded.contains(&argument.span));
    if encoded && !matches!(name, "jsondecode" | "coalesce" | "sensitive" | "nonsensitive") {
        return Node::new(span, Value::Unknown("text with parts that are known only after apply".into()));
    }
    if encoded && name == "jsondecode" {
        let tree = arguments.into_iter().next().map_or(Value::Null, |argument| argument.value);
        return Node::new(span, tree);
    }
    if matches!(name, "coalesce" | "sensitive" | "nonsensitive") {
        // These hand on one of their arguments, whatever it is.
        return hand_on(evaluator, arguments, span);
    }
    let value = match evaluate(name, arguments, span) {
        Ok(value) => value,
        Err(Refusal::Unknown(reason)) => Value::Unknown(reason),
        Err(Refusal::Failed(reason)) => evaluator.failed(format!("{name}: {reason}")),
    };
    Node::new(span, value)
}

fn hand_on(evaluator: &mut Evaluator<'_>, arguments: Vec<Node>, span: Span) -> Node {
    for argument in arguments {
        match &argument.value {
            Value::Null => {}
            Value::Str(text) if text.is_empty() => {}
            _ => return argument,
        }
    }
    let value = evaluator.failed("coalesce: no argument has a value");
    Node::new(span, value)
}

fn jsonencode(evaluator: &mut Evaluator<'_>, arguments: Vec<Node>, span: Span) -> Node {
    let Some(argument) = arguments.into_iter().next() else {
        let value = evaluator.failed("jsonencode needs a value");
        return Node::new(span, value);
    };
    match (unknown(&argument.value), unknown_within(&argument.value)) {
        (Some(reason), _) => Node::new(span, Value::Unknown(reason)),
        (None, Some(_)) => {
            evaluator.encoded.insert(span);
            Node::new(span, argument.value)
        }
        (None, None) => Node::string(span, encode(&argument)),
    }
}

/// JSON as Terraform writes it: keys sorted, `<`, `>` and `&` escaped.
fn encode(node: &Node) -> String {
    fn sorted(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(object) => {
                let mut entries: Vec<_> = object.into_iter().collect();
                entries.sort_by(|left, right| left.0.cmp(&right.0));
                entries.into_iter().map(|(key, value)| (key, sorted(value))).collect()
            }
            serde_json::Value::Array(items) => items.into_iter().map(sorted).collect(),
            other => other,
        }
    }
    sorted(node.to_json())
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

fn evaluate(name: &str, arguments: Vec<Node>, span: Span) -> Outcome {
    let mut arguments = Arguments { items: arguments.into_iter(), span };
    match name {
        "tolist" | "toset" | "tomap" | "keys" | "values" | "length" | "contains" | "lookup" | "merge"
        | "concat" | "flatten" | "distinct" | "compact" | "element" | "one" | "sort" | "reverse"
        | "slice" | "zipmap" | "range" | "setunion" | "setintersection" | "setsubtract" => {
            collections::call(name, &mut arguments)
        }
        "tostring" => convert(arguments.known()?, |value| to_text(value).map(Value::Str)),
        "tonumber" => convert(arguments.known()?, |value| to_number(value).map(number)),
        "tobool" => convert(arguments.known()?, |value| to_bool(value).map(Value::Bool)),
        "max" | "min" | "abs" | "ceil" | "floor" => numeric(name, &mut arguments),
        "jsondecode" => {
            let text = arguments.text()?;
            let json = serde_json::from_str(&text).map_err(|_| Refusal::Failed("the text is not JSON"))?;
            Ok(Node::from_json(span, &json).value)
        }
        "base64encode" => Ok(Value::Str(network::base64(arguments.text()?.as_bytes()).into())),
        "cidrsubnet" | "cidrhost" | "cidrnetmask" => network::call(name, &mut arguments),
        "format" | "join" | "split" | "lower" | "upper" | "replace" | "trimspace" | "trimprefix"
        | "trimsuffix" | "startswith" | "endswith" | "substr" | "title" | "chomp" => {
            text::call(name, &mut arguments)
        }
        "alltrue" | "anytrue" => {
            let all = name == "alltrue";
            let mut reason = None;
            for item in arguments.list()? {
                match to_bool(&item.value) {
                    Some(value) if value != all => return Ok(Value::Bool(!all)),
                    Some(_) => {}
                    None => reason = reason.or_else(|| unknown(&item.value)),
                }
            }
            reason.map_or(Ok(Value::Bool(all)), |reason| Err(Refusal::Unknown(reason)))
        }
        _ => Err(Refusal::Unknown(format!("function {name} is not evaluated").into())),
    }
}

/// The arguments of a call, taken one after the other.
struct Arguments {
    items: std::vec::IntoIter<Node>,
    span: Span,
}

impl Arguments {
    fn next(&mut self) -> Result<Node, Refusal> {
        self.items.next().ok_or(Refusal::Failed("an argument is missing"))
    }

    /// The next argument, known at its top.
    fn known(&mut self) -> Result<Value, Refusal> {
        let value = self.next()?.value;
        match unknown(&value) {
            Some(reason) => Err(Refusal::Unknown(reason)),
            None => Ok(value),
        }
    }

    fn text(&mut self) -> Result<Arc<str>, Refusal> {
        to_text(&self.known()?).ok_or(Refusal::Failed("needs a string"))
    }

    fn number(&mut self) -> Result<f64, Refusal> {
        to_number(&self.known()?).ok_or(Refusal::Failed("needs a number"))
    }

    fn whole(&mut self) -> Result<i64, Refusal> {
        match number(self.number()?) {
            Value::Int(whole) => Ok(whole),
            _ => Err(Refusal::Failed("needs a whole number")),
        }
    }

    fn list(&mut self) -> Result<Vec<Node>, Refusal> {
        match self.known()? {
            Value::List(items) => Ok(items),
            _ => Err(Refusal::Failed("needs a list")),
        }
    }

    fn map(&mut self) -> Result<Map, Refusal> {
        match self.known()? {
            Value::Map(map) => Ok(map),
            _ => Err(Refusal::Failed("needs a map")),
        }
    }
}

fn convert(value: Value, conversion: impl Fn(&Value) -> Option<Value>) -> Outcome {
    if value == Value::Null {
        return Ok(value);
    }
    conversion(&value).ok_or(Refusal::Failed("the value does not convert"))
}

fn numeric(name: &str, arguments: &mut Arguments) -> Outcome {
    let mut result = arguments.number()?;
    match name {
        "abs" => result = result.abs(),
        "ceil" => result = result.ceil(),
        "floor" => result = result.floor(),
        _ => {
            while arguments.items.len() > 0 {
                let next = arguments.number()?;
                result = if name == "max" { result.max(next) } else { result.min(next) };
            }
        }
    }
    Ok(number(result))
}
