//! The pure functions of Terraform that configurations use most. What is missing here is unknown, never wrong.
//!
//! Behaviour follows <https://developer.hashicorp.com/terraform/language/functions>.

use std::sync::Arc;

use crate::source::{Map, Node, Span, Value};

use super::evaluate::Evaluator;
use super::operators::{self, number, to_bool, to_number, to_text, unknown, unknown_within};

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
            collection(name, &mut arguments)
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
        "base64encode" => Ok(Value::Str(base64(arguments.text()?.as_bytes()).into())),
        "cidrsubnet" | "cidrhost" | "cidrnetmask" => network(name, &mut arguments),
        "format" | "join" | "split" | "lower" | "upper" | "replace" | "trimspace" | "trimprefix"
        | "trimsuffix" | "startswith" | "endswith" | "substr" | "title" | "chomp" => {
            text(name, &mut arguments)
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

/// Keys and values of a map in the order of its keys, which is the order Terraform keeps them in.
fn sorted(map: Map) -> Vec<(Arc<str>, crate::source::Entry)> {
    let mut entries: Vec<_> = map.entries.into_iter().collect();
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    entries
}

fn distinct(items: Vec<Node>) -> Result<Vec<Node>, Refusal> {
    if let Some(reason) = items.iter().find_map(|item| unknown_within(&item.value)) {
        // Two unknown items may turn out to be one; a list of references still says what it refers to.
        let same = items
            .iter()
            .enumerate()
            .any(|(at, item)| items.iter().take(at).any(|other| other.value == item.value));
        return if same { Err(Refusal::Unknown(reason)) } else { Ok(items) };
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        if seen.insert(encode(&item)) {
            kept.push(item);
        }
    }
    Ok(kept)
}

fn to_set(value: Value) -> Outcome {
    let Value::List(items) = value else { return Err(Refusal::Failed("needs a list")) };
    let mut items = distinct(items)?;
    // Terraform keeps a set of strings in lexical order.
    if items.iter().all(|item| matches!(item.value, Value::Str(_))) {
        items.sort_by(|left, right| left.as_str().cmp(&right.as_str()));
    }
    Ok(Value::List(items))
}

fn collection(name: &str, arguments: &mut Arguments) -> Outcome {
    let span = arguments.span;
    match name {
        "tolist" => arguments.list().map(Value::List),
        "toset" => to_set(arguments.known()?),
        "tomap" => arguments.map().map(Value::Map),
        "keys" => Ok(Value::List(
            sorted(arguments.map()?).into_iter().map(|(key, entry)| Node::string(entry.key, key)).collect(),
        )),
        "values" => {
            Ok(Value::List(sorted(arguments.map()?).into_iter().map(|(_, entry)| entry.node).collect()))
        }
        "length" => match arguments.known()? {
            Value::List(items) => Ok(length(items.len())),
            Value::Map(map) => Ok(length(map.entries.len())),
            Value::Str(text) => Ok(length(text.chars().count())),
            _ => Err(Refusal::Failed("needs a collection or a string")),
        },
        "contains" => {
            let items = arguments.list()?;
            let wanted = arguments.next()?;
            let mut reason = None;
            for item in &items {
                match operators::equal(&item.value, &wanted.value) {
                    Some(true) => return Ok(Value::Bool(true)),
                    Some(false) => {}
                    None => reason = unknown_within(&item.value).or_else(|| unknown_within(&wanted.value)),
                }
            }
            reason.map_or(Ok(Value::Bool(false)), |reason| Err(Refusal::Unknown(reason)))
        }
        "lookup" => {
            let map = arguments.map()?;
            let key = arguments.text()?;
            match (map.get(&key), arguments.next()) {
                (Some(node), _) => Ok(node.value.clone()),
                (None, Ok(default)) => Ok(default.value),
                (None, Err(_)) => Err(Refusal::Failed("the map has no such key")),
            }
        }
        "merge" => {
            let mut merged = Map::default();
            while let Ok(next) = arguments.next() {
                match next.value {
                    Value::Map(map) => {
                        for (key, entry) in map.entries {
                            merged.insert(key, entry.key, entry.node);
                        }
                    }
                    Value::Null => {}
                    other => {
                        return Err(unknown(&other).map_or(Refusal::Failed("needs maps"), Refusal::Unknown));
                    }
                }
            }
            Ok(Value::Map(merged))
        }
        "concat" => {
            let mut joined = Vec::new();
            while arguments.items.len() > 0 {
                joined.extend(arguments.list()?);
            }
            Ok(Value::List(joined))
        }
        "flatten" => {
            let mut flat = Vec::new();
            flatten(arguments.list()?, &mut flat);
            Ok(Value::List(flat))
        }
        "distinct" => Ok(Value::List(distinct(arguments.list()?)?)),
        "compact" => {
            let items = arguments.list()?;
            Ok(Value::List(
                items
                    .into_iter()
                    .filter(|item| item.value != Value::Null && item.as_str() != Some(""))
                    .collect(),
            ))
        }
        "element" => {
            let items = arguments.list()?;
            let at = arguments.whole()?;
            let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
            if count == 0 {
                return Err(Refusal::Failed("the list is empty"));
            }
            let at = usize::try_from(at.rem_euclid(count)).unwrap_or(0);
            items.into_iter().nth(at).map(|item| item.value).ok_or(Refusal::Failed("no such element"))
        }
        "one" => {
            let mut items = arguments.list()?;
            match (items.pop(), items.len()) {
                (None, _) => Ok(Value::Null),
                (Some(item), 0) => Ok(item.value),
                _ => Err(Refusal::Failed("the list has more than one element")),
            }
        }
        "sort" => {
            let items = arguments.list()?;
            let mut texts = Vec::new();
            for item in items {
                if let Some(reason) = unknown(&item.value) {
                    return Err(Refusal::Unknown(reason));
                }
                texts.push((to_text(&item.value).ok_or(Refusal::Failed("needs strings"))?, item.span));
            }
            texts.sort();
            Ok(Value::List(texts.into_iter().map(|(text, span)| Node::string(span, text)).collect()))
        }
        "reverse" => {
            let mut items = arguments.list()?;
            items.reverse();
            Ok(Value::List(items))
        }
        "slice" => {
            let items = arguments.list()?;
            let (start, end) = (arguments.whole()?, arguments.whole()?);
            match (usize::try_from(start), usize::try_from(end)) {
                (Ok(start), Ok(end)) => items
                    .get(start..end)
                    .map(|items| Value::List(items.to_vec()))
                    .ok_or(Refusal::Failed("the list is shorter")),
                _ => Err(Refusal::Failed("needs positions from 0")),
            }
        }
        "zipmap" => {
            let (keys, values) = (arguments.list()?, arguments.list()?);
            if keys.len() != values.len() {
                return Err(Refusal::Failed("needs as many values as keys"));
            }
            let mut map = Map::default();
            for (key, value) in keys.into_iter().zip(values) {
                if let Some(reason) = unknown(&key.value) {
                    return Err(Refusal::Unknown(reason));
                }
                let text = to_text(&key.value).ok_or(Refusal::Failed("needs string keys"))?;
                map.insert(text, key.span, value);
            }
            Ok(Value::Map(map))
        }
        "range" => range(arguments, span),
        _ => sets(name, arguments),
    }
}

fn range(arguments: &mut Arguments, span: Span) -> Outcome {
    let mut bounds = Vec::new();
    while arguments.items.len() > 0 {
        bounds.push(arguments.number()?);
    }
    let (start, end, step) = match bounds[..] {
        [end] => (0.0, end, if end < 0.0 { -1.0 } else { 1.0 }),
        [start, end] => (start, end, if end < start { -1.0 } else { 1.0 }),
        [start, end, step] => (start, end, step),
        _ => return Err(Refusal::Failed("needs one to three numbers")),
    };
    let mut items = Vec::new();
    let mut next = start;
    // Terraform itself stops at 1024 elements.
    while (step > 0.0 && next < end) || (step < 0.0 && next > end) {
        if items.len() >= 1024 {
            return Err(Refusal::Failed("more than 1024 elements"));
        }
        items.push(Node::new(span, number(next)));
        next += step;
    }
    Ok(Value::List(items))
}

fn sets(name: &str, arguments: &mut Arguments) -> Outcome {
    let mut result = arguments.list()?;
    while arguments.items.len() > 0 {
        let other = arguments.list()?;
        if let Some(reason) = result.iter().chain(&other).find_map(|item| unknown_within(&item.value)) {
            return Err(Refusal::Unknown(reason));
        }
        let known: std::collections::BTreeSet<String> = other.iter().map(encode).collect();
        match name {
            "setunion" => result.extend(other),
            "setintersection" => result.retain(|item| known.contains(&encode(item))),
            _ => result.retain(|item| !known.contains(&encode(item))),
        }
    }
    to_set(Value::List(result))
}

fn length(length: usize) -> Value {
    Value::Int(i64::try_from(length).unwrap_or(i64::MAX))
}

fn flatten(items: Vec<Node>, flat: &mut Vec<Node>) {
    for item in items {
        match item.value {
            Value::List(inner) => flatten(inner, flat),
            _ => flat.push(item),
        }
    }
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

fn text(name: &str, arguments: &mut Arguments) -> Outcome {
    if name == "format" {
        return format(arguments);
    }
    let first = arguments.text()?;
    let result: String = match name {
        "lower" => first.to_lowercase(),
        "upper" => first.to_uppercase(),
        "trimspace" => first.trim().to_owned(),
        "chomp" => first.trim_end_matches(['\n', '\r']).to_owned(),
        "title" => {
            let mut start = true;
            first
                .chars()
                .map(|letter| {
                    let upper = start;
                    start = !letter.is_alphanumeric();
                    if upper { letter.to_uppercase().collect::<String>() } else { letter.to_string() }
                })
                .collect()
        }
        "trimprefix" => {
            let affix = arguments.text()?;
            first.strip_prefix(&*affix).unwrap_or(&first).to_owned()
        }
        "trimsuffix" => {
            let affix = arguments.text()?;
            first.strip_suffix(&*affix).unwrap_or(&first).to_owned()
        }
        "startswith" => return Ok(Value::Bool(first.starts_with(&*arguments.text()?))),
        "endswith" => return Ok(Value::Bool(first.ends_with(&*arguments.text()?))),
        "substr" => {
            let (offset, length) = (arguments.whole()?, arguments.whole()?);
            let Ok(offset) = usize::try_from(offset) else {
                return Err(Refusal::Unknown("substr from the end is not evaluated".into()));
            };
            let rest = first.chars().skip(offset);
            match usize::try_from(length) {
                Ok(length) => rest.take(length).collect(),
                Err(_) => rest.collect(),
            }
        }
        "join" => {
            let mut pieces = Vec::new();
            while arguments.items.len() > 0 {
                for item in arguments.list()? {
                    if let Some(reason) = unknown(&item.value) {
                        return Err(Refusal::Unknown(reason));
                    }
                    pieces.push(to_text(&item.value).ok_or(Refusal::Failed("needs strings"))?);
                }
            }
            pieces.join(&*first)
        }
        "split" => {
            let whole = arguments.text()?;
            let span = arguments.span;
            let pieces: Vec<Node> = if whole.is_empty() {
                vec![Node::string(span, "")]
            } else if first.is_empty() {
                whole.chars().map(|letter| Node::string(span, letter.to_string())).collect()
            } else {
                whole.split(&*first).map(|piece| Node::string(span, piece)).collect()
            };
            return Ok(Value::List(pieces));
        }
        _ => {
            let (pattern, with) = (arguments.text()?, arguments.text()?);
            if pattern.len() > 1 && pattern.starts_with('/') && pattern.ends_with('/') {
                return Err(Refusal::Unknown("replace with a regular expression is not evaluated".into()));
            }
            first.replace(&*pattern, &with)
        }
    };
    Ok(Value::Str(result.into()))
}

/// `format` with the verbs `%s`, `%d`, `%v`, `%q`, `%t`, `%f` and `%%`, zero padding and width.
fn format(arguments: &mut Arguments) -> Outcome {
    let pattern = arguments.text()?;
    let mut result = String::new();
    let mut rest = &*pattern;
    while let Some((before, after)) = rest.split_once('%') {
        result.push_str(before);
        let flags = after.len() - after.trim_start_matches(|flag: char| flag == '0' || flag == '-').len();
        let (flags, after) = after.split_at(flags);
        let digits = after.len() - after.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
        let (width, after) = after.split_at(digits);
        let mut letters = after.chars();
        let verb = letters.next().ok_or(Refusal::Failed("the format ends in the middle of a verb"))?;
        rest = letters.as_str();
        let width: usize = if width.is_empty() { 0 } else { width.parse().unwrap_or(usize::MAX) };
        if width > 1000 {
            return Err(Refusal::Unknown("a width above 1000 is not evaluated".into()));
        }
        let piece = match verb {
            '%' => "%".to_owned(),
            's' => arguments.text()?.to_string(),
            'd' => arguments.whole()?.to_string(),
            't' => to_bool(&arguments.known()?).ok_or(Refusal::Failed("%t needs a boolean"))?.to_string(),
            'f' => format!("{:.6}", arguments.number()?),
            'q' => serde_json::Value::String(arguments.text()?.to_string()).to_string(),
            'v' => {
                let value = arguments.known()?;
                match to_text(&value) {
                    Some(text) => text.to_string(),
                    None if unknown_within(&value).is_none() => encode(&Node::new(arguments.span, value)),
                    None => return Err(Refusal::Unknown("an argument is known only in part".into())),
                }
            }
            _ => return Err(Refusal::Unknown(format!("format verb %{verb} is not evaluated").into())),
        };
        let missing = width.saturating_sub(piece.chars().count());
        if flags.contains('-') {
            result.push_str(&piece);
            result.push_str(&" ".repeat(missing));
        } else if let (true, Some(digits)) = (flags.contains('0'), piece.strip_prefix('-')) {
            result.push('-');
            result.push_str(&"0".repeat(missing));
            result.push_str(digits);
        } else {
            result.push_str(&if flags.contains('0') { "0" } else { " " }.repeat(missing));
            result.push_str(&piece);
        }
    }
    result.push_str(rest);
    Ok(Value::Str(result.into()))
}

fn network(name: &str, arguments: &mut Arguments) -> Outcome {
    let prefix = arguments.text()?;
    let net: ipnet::IpNet = prefix.parse().map_err(|_| Refusal::Failed("needs a CIDR"))?;
    let net = net.trunc();
    match name {
        "cidrnetmask" => Ok(Value::Str(net.netmask().to_string().into())),
        "cidrhost" => {
            let at = arguments.whole()?;
            let size =
                1_i128.checked_shl(u32::from(net.max_prefix_len() - net.prefix_len())).unwrap_or(i128::MAX);
            let at = if at < 0 { size + i128::from(at) } else { i128::from(at) };
            if at < 0 || at >= size {
                return Err(Refusal::Failed("the network has no such host"));
            }
            let at = u128::try_from(at).unwrap_or(0);
            Ok(Value::Str(offset(net.network(), at).to_string().into()))
        }
        _ => {
            let (bits, at) = (arguments.whole()?, arguments.whole()?);
            let length = i64::from(net.prefix_len()).checked_add(bits);
            let length = length.and_then(|length| u8::try_from(length).ok());
            let Some(length) = length.filter(|length| *length <= net.max_prefix_len() && bits >= 0) else {
                return Err(Refusal::Failed("the network has too few bits left"));
            };
            let fits =
                u32::try_from(bits).ok().and_then(|bits| 1_i128.checked_shl(bits)).unwrap_or(i128::MAX);
            if at < 0 || i128::from(at) >= fits {
                return Err(Refusal::Failed("no such subnet"));
            }
            let shift = u32::from(net.max_prefix_len() - length);
            let step = u128::try_from(at).unwrap_or(0).checked_shl(shift).unwrap_or(0);
            Ok(Value::Str(format!("{}/{length}", offset(net.network(), step)).into()))
        }
    }
}

fn offset(address: std::net::IpAddr, by: u128) -> std::net::IpAddr {
    match address {
        std::net::IpAddr::V4(address) => {
            let by = u32::try_from(by).unwrap_or(u32::MAX);
            std::net::Ipv4Addr::from_bits(address.to_bits().saturating_add(by)).into()
        }
        std::net::IpAddr::V6(address) => {
            std::net::Ipv6Addr::from_bits(address.to_bits().saturating_add(by)).into()
        }
    }
}

/// Base64 with the standard alphabet and padding, RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            if place <= group.len() {
                let at = (bits >> (18 - 6 * place)) & 63;
                text.push(ALPHABET.get(at as usize).copied().map_or('=', char::from));
            } else {
                text.push('=');
            }
        }
    }
    text
}
