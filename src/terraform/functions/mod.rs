//! The functions of the Terraform language, one module a family.
//!
//! Behaviour follows <https://developer.hashicorp.com/terraform/language/functions>, and `terraform_console::` in the
//! tests holds every one of them against Terraform itself. What depends on the clock, on chance, on the machine or on
//! the library Terraform is linked with is unknown, never wrong.

mod choice;
mod collections;
mod csv;
mod encoding;
mod files;
mod format;
mod glob;
mod hashes;
pub(super) mod json;
mod maps;
pub(super) mod names;
mod network;
mod numbers;
mod partly;
mod regex;
mod rsa;
mod sensitive;
mod sequences;
mod sets;
mod templates;
mod text;
mod time;
mod yaml;
mod yaml_writer;

use std::sync::Arc;

use hcl_edit::expr::FuncName;
use num_bigint::BigInt;

use crate::source::{List, Map, Node, Shape, Span, Value};

use super::evaluate::Evaluator;
use super::number::Number;
use super::operators::{self, to_bool, to_decimal, to_text, unknown};
use super::types::{self, Type};

use sensitive::Marks;

pub(super) use text::normalized;

/// Why a call has no value.
#[derive(Debug)]
enum Refusal {
    /// Terraform would refuse it too.
    Failed(&'static str),
    /// An argument is not known, or the result is not by design.
    Unknown(Arc<str>),
}

/// Bytes of the largest text that a function makes.
const LARGEST: usize = 1 << 24;

type Outcome = Result<Value, Refusal>;

/// Refuses to make a text or list of more bytes or elements than any configuration has.
fn bounded(length: usize) -> Result<(), Refusal> {
    if length > LARGEST { Err(never("the result is too large to evaluate")) } else { Ok(()) }
}

/// What a call has instead of a value because of what the function is.
fn never(reason: &str) -> Refusal {
    Refusal::Unknown(reason.into())
}

/// Whether a name with a namespace means a function of the language itself: `core::upper`.
pub(super) fn is_core(name: &FuncName) -> bool {
    matches!(&name.namespace[..], [only] if only.as_str() == "core")
}

/// The value of a call.
pub(super) fn call(
    evaluator: &mut Evaluator<'_>,
    name: &str,
    arguments: Vec<Node>,
    module: usize,
    span: Span,
) -> Node {
    let marks = Marks::of(name, &arguments);
    let mut chosen = false;
    let outcome = match name {
        "jsonencode" => Ok(jsonencode(evaluator, arguments, span)),
        // These hand on one of their arguments, whatever it is.
        "coalesce" | "sensitive" | "nonsensitive" | "ephemeralasnull" => choice::one_of(name, arguments),
        "jsondecode" if arguments.iter().any(|argument| evaluator.encoded.contains(&argument.span)) => {
            // A tree that stands for JSON text known in part is what the text decodes to.
            let tree = arguments.into_iter().next().map_or(Value::Null, |argument| argument.value);
            Ok(Node::new(span, with_shape(tree, Shape::Written)))
        }
        "issensitive" => issensitive(&arguments).map(|value| Node::new(span, value)),
        "templatefile" | "templatestring" => templates::call(evaluator, name, arguments, module, span),
        _ => {
            let mut arguments = Arguments { items: arguments.into_iter(), span, chosen: false };
            let outcome = partly::call(name, &mut arguments)
                .unwrap_or_else(|| evaluate(evaluator, name, &mut arguments, module))
                .map(|value| Node::new(span, value));
            chosen = arguments.chosen;
            outcome
        }
    };
    let node = match outcome {
        Ok(node) => node,
        Err(Refusal::Unknown(reason)) => Node::new(span, Value::Unknown(reason)),
        Err(Refusal::Failed(reason)) => {
            let value = evaluator.failed(format!("{name}: {reason}"));
            Node::new(span, value)
        }
    };
    let sensitive = marks.result(&node, chosen);
    node.marked(sensitive)
}

/// What is not known may turn out to be sensitive.
fn issensitive(arguments: &[Node]) -> Outcome {
    let argument = arguments.first().ok_or(Refusal::Failed("an argument is missing"))?;
    match unknown(&argument.value) {
        _ if argument.sensitive => Ok(Value::Bool(true)),
        Some(_) => Err(never("whether a value is sensitive is not known")),
        None => Ok(Value::Bool(false)),
    }
}

fn with_shape(value: Value, shape: Shape) -> Value {
    match value {
        Value::List(list) => Value::List(list.shaped(shape)),
        Value::Map(map) => Value::Map(map.shaped(shape)),
        other => other,
    }
}

/// Text with parts that are not known stays the tree it encodes; see [`Shape::Text`].
fn jsonencode(evaluator: &mut Evaluator<'_>, arguments: Vec<Node>, span: Span) -> Node {
    let Some(argument) = arguments.into_iter().next() else {
        let value = evaluator.failed("jsonencode needs a value");
        return Node::new(span, value);
    };
    match (unknown(&argument.value), operators::unknown_within(&argument.value)) {
        (Some(reason), _) => Node::new(span, Value::Unknown(reason)),
        (None, Some(_)) => {
            evaluator.encoded.insert(span);
            Node::new(span, with_shape(argument.value, Shape::Text))
        }
        (None, None) => Node::string(span, json::encode(&argument.value)),
    }
}

fn evaluate(evaluator: &Evaluator<'_>, name: &str, arguments: &mut Arguments, module: usize) -> Outcome {
    match name {
        "tostring" | "tonumber" | "tobool" | "tolist" | "toset" | "tomap" => choice::convert(name, arguments),
        "coalescelist" => choice::coalescelist(arguments),
        "length" | "contains" | "index" | "element" | "one" | "slice" | "reverse" | "concat" | "flatten" => {
            sequences::call(name, arguments)
        }
        "alltrue" | "anytrue" | "chunklist" | "compact" | "distinct" | "sort" | "sum" | "range"
        | "matchkeys" => collections::call(name, arguments),
        "keys" | "values" | "lookup" | "merge" | "zipmap" | "transpose" => maps::call(name, arguments),
        "setunion" | "setintersection" | "setsubtract" | "setproduct" => sets::call(name, arguments),
        "abs" | "ceil" | "floor" | "max" | "min" | "signum" | "log" | "pow" | "parseint" => {
            numbers::call(name, arguments)
        }
        "format" | "formatlist" => format::call(name, arguments),
        "regex" | "regexall" | "replace" => regex::call(name, arguments),
        "chomp" | "endswith" | "indent" | "join" | "lower" | "split" | "startswith" | "strcontains"
        | "strrev" | "substr" | "title" | "trim" | "trimprefix" | "trimspace" | "trimsuffix" | "upper" => {
            text::call(name, arguments)
        }
        "base64decode" | "base64encode" | "base64gzip" | "textdecodebase64" | "textencodebase64"
        | "urlencode" => encoding::call(name, arguments),
        "csvdecode" => csv::decode(arguments),
        "jsondecode" => json::decode(arguments),
        "yamldecode" => yaml::decode(arguments),
        "yamlencode" => yaml_writer::encode(arguments),
        "md5" | "sha1" | "sha256" | "sha512" | "base64sha256" | "base64sha512" | "uuidv5" | "bcrypt" => {
            hashes::call(name, arguments)
        }
        "rsadecrypt" => rsa::decrypt(arguments),
        "cidrhost" | "cidrnetmask" | "cidrsubnet" | "cidrsubnets" => network::call(name, arguments),
        "formatdate" | "timeadd" | "timecmp" => time::call(name, arguments),
        "file" | "fileexists" | "fileset" | "filebase64" | "filebase64sha256" | "filebase64sha512"
        | "filemd5" | "filesha1" | "filesha256" | "filesha512" | "basename" | "dirname" | "abspath"
        | "pathexpand" => files::call(&evaluator.beside(module), name, arguments),
        "timestamp" | "plantimestamp" => Err(never("the time is known only when Terraform runs")),
        "uuid" => Err(never("a random value is known only when Terraform runs")),
        _ => Err(Refusal::Unknown(format!("function {name} is not evaluated").into())),
    }
}

/// The arguments of a call, taken one after the other and converted as Terraform does.
struct Arguments {
    items: std::vec::IntoIter<Node>,
    span: Span,
    /// Whether the element that was chosen is sensitive.
    chosen: bool,
}

impl Arguments {
    fn next(&mut self) -> Result<Node, Refusal> {
        self.items.next().ok_or(Refusal::Failed("an argument is missing"))
    }

    /// The value of an element that the call hands on.
    fn choose(&mut self, element: Node) -> Value {
        self.chosen |= element.sensitive;
        element.value
    }

    fn are_left(&self) -> bool {
        self.items.len() > 0
    }

    /// The next argument, which may be `null`; known at its top.
    fn nullable(&mut self) -> Outcome {
        let value = self.next()?.value;
        match unknown(&value) {
            Some(reason) => Err(Refusal::Unknown(reason)),
            None => Ok(value),
        }
    }

    /// The next argument, known at its top.
    fn known(&mut self) -> Outcome {
        match self.nullable()? {
            Value::Null => Err(Refusal::Failed("an argument is null")),
            value => Ok(value),
        }
    }

    fn text(&mut self) -> Result<Arc<str>, Refusal> {
        to_text(&self.known()?).ok_or(Refusal::Failed("needs a string"))
    }

    fn number(&mut self) -> Result<Number, Refusal> {
        to_decimal(&self.known()?).ok_or(Refusal::Failed("needs a number"))
    }

    fn integer(&mut self) -> Result<BigInt, Refusal> {
        self.number()?.to_whole().ok_or(Refusal::Failed("needs a whole number"))
    }

    /// A whole number of the size that lists and strings can have.
    fn whole(&mut self) -> Result<i64, Refusal> {
        self.number()?.to_i64().ok_or(Refusal::Failed("needs a whole number"))
    }

    /// A tuple, list or set, as it is.
    fn sequence(&mut self) -> Result<List, Refusal> {
        match self.known()? {
            Value::List(list) => Ok(list),
            _ => Err(Refusal::Failed("needs a list")),
        }
    }

    /// A sequence as a list of a type.
    fn list_of(&mut self, of: Type) -> Result<Vec<Node>, Refusal> {
        match types::convert(self.known()?, &Type::list(of)) {
            Ok(Value::List(list)) => Ok(list.into_items()),
            _ => Err(Refusal::Failed("needs a list of one type")),
        }
    }

    fn list(&mut self) -> Result<Vec<Node>, Refusal> {
        self.list_of(Type::Any)
    }

    /// A list of strings that are all known and there.
    fn texts(&mut self) -> Result<Vec<Arc<str>>, Refusal> {
        self.list_of(Type::String)?
            .into_iter()
            .map(|item| match unknown(&item.value) {
                Some(reason) => Err(Refusal::Unknown(reason)),
                None => to_text(&item.value).ok_or(Refusal::Failed("needs strings that are not null")),
            })
            .collect()
    }

    /// An object or map, as it is.
    fn map(&mut self) -> Result<Map, Refusal> {
        match self.known()? {
            Value::Map(map) => Ok(map),
            _ => Err(Refusal::Failed("needs a map")),
        }
    }
}

/// A list of strings, as functions give it.
fn texts(span: Span, items: impl IntoIterator<Item = impl Into<Arc<str>>>) -> Value {
    list(items.into_iter().map(|item| Node::string(span, item)).collect())
}

fn list(items: Vec<Node>) -> Value {
    Value::List(List::of(Shape::Uniform, items))
}

fn text_value(text: impl AsRef<str>) -> Value {
    Value::Str(normalized(text.as_ref()).into())
}

fn size(length: usize) -> Value {
    Value::Int(i64::try_from(length).unwrap_or(i64::MAX))
}

fn truth(value: &Value) -> Option<bool> {
    to_bool(value)
}
