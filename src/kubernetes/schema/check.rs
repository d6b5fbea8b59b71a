//! The walk over an object and its definition.

use super::store::{Definition, Field, Served, Store, store};
use super::{elsewhere, is_builtin_group, rules, served, words};
use crate::kubernetes::Object;
use crate::source::{Finding, Map, Node, Span, Subject, SubjectKind, Value, did_you_mean, fault};

/// Everything in an object that the API server of a version (`1.34`) would refuse or, worse, drop in silence.
///
/// A version older or newer than those embedded is checked against the nearest. Kinds of groups that are not
/// Kubernetes' own are left alone.
pub fn check(object: &Object, version: &str) -> Vec<Finding> {
    let mut walk = Walk::new(object, version);
    let known = walk.store.kinds().find(|kind| {
        kind.mask & walk.bit != 0 && kind.api_version == &*object.api_version && kind.kind == &*object.kind
    });
    match known {
        Some(kind) => {
            walk.definition(&object.node, object.header, kind.definition);
            walk.rules();
        }
        None if is_builtin_group(&object.api_version) => walk.unknown_kind(),
        None => {}
    }
    walk.findings
}

/// A walk over an object, and what it found.
pub(super) struct Walk<'a> {
    store: &'static Store,
    bit: u32,
    version: &'a str,
    object: &'a Object,
    path: Vec<String>,
    enclosing: elsewhere::Enclosing,
    findings: Vec<Finding>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(object: &'a Object, version: &str) -> Self {
        let store = store();
        let at = store.nearest(version);
        Self {
            store,
            bit: 1 << at,
            version: store.versions.get(at).map_or("", String::as_str),
            object,
            path: Vec::new(),
            enclosing: Vec::new(),
            findings: Vec::new(),
        }
    }

    pub(super) fn enter(&mut self, step: &str) {
        self.path.push(step.to_owned());
    }

    pub(super) fn leave(&mut self) {
        self.path.pop();
    }

    pub(super) fn count(&self) -> usize {
        self.findings.len()
    }

    /// Drops what was found since there were `count` findings; whether that is nothing.
    pub(super) fn forget(&mut self, count: usize) -> bool {
        let none = self.findings.len() == count;
        self.findings.truncate(count);
        none
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// How the last step is called: `containers[0]`, `image`.
    pub(super) fn last_step(&self) -> String {
        self.path.last().map_or_else(|| self.object.kind.to_string(), |step| readable(step, &self.path))
    }

    /// A field that has to be there.
    pub(super) fn missing(&mut self, place: Span, field: &str, what: &str) {
        let at =
            self.path.last().map_or(String::new(), |step| format!("`{}` of ", readable(step, &self.path)));
        self.fault(
            place,
            format!("`{field}` is missing in {at}{}", self.object.address),
            format!("`{field}` is required here"),
            format!("add `{field}`, {what}"),
        );
    }

    pub(super) fn fault(&mut self, span: Span, message: String, label: String, help: String) {
        let mut finding = Finding::fault(fault::KUBERNETES_SCHEMA, span, message)
            .pointer(self.pointer())
            .label(label)
            .help(help);
        finding.subject = Some(Subject {
            kind: SubjectKind::Kubernetes,
            type_: self.object.kind.to_string(),
            address: self.object.address.to_string(),
        });
        self.findings.push(finding);
    }

    fn pointer(&self) -> String {
        self.path.join(".")
    }

    fn unknown_kind(&mut self) {
        let (kind, written) = (self.object.kind.clone(), self.object.api_version.clone());
        let here = served(&kind, self.version);
        let key = if here.is_empty() { "kind" } else { "apiVersion" };
        let span = self.object.node.get(key).map_or(self.object.header, |node| node.span);
        let (message, label, help) = if let Some(first) = here.first() {
            (
                format!("Kubernetes {} serves no `{kind}` as `{written}`", self.version),
                format!("served as `{}`", here.join("`, `")),
                format!("write `apiVersion: {first}` and check its fields against that version"),
            )
        } else {
            // A kind that is gone shall not be mended into its prefix: PodSecurityPolicy is no Pod.
            let alike =
                |entry: &Served| entry.mask & self.bit != 0 && entry.kind.len().abs_diff(kind.len()) <= 3;
            let close = did_you_mean(&kind, self.store.kinds().filter(alike).map(|entry| entry.kind));
            (
                format!("Kubernetes {} knows no kind `{kind}` in `{written}`", self.version),
                "unknown kind".to_owned(),
                match close {
                    Some(close) => format!("did you mean `{close}`?"),
                    None => "check the spelling, and whether this version still has the kind".to_owned(),
                },
            )
        };
        self.path.push(key.to_owned());
        self.fault(span, message, label, help);
        self.path.pop();
    }

    /// `place` is what to underline when something is missing from the node: its key, or its first line.
    pub(super) fn definition(&mut self, node: &Node, place: Span, name: &str) {
        match self.store.definition(name, self.bit) {
            Some(Definition::Fields(fields)) => self.fields(node, place, name, &fields),
            Some(Definition::Alias(type_)) => self.value(node, place, type_),
            None => {}
        }
    }

    fn fields(&mut self, node: &Node, place: Span, name: &str, fields: &[Field]) {
        let map = match &node.value {
            Value::Map(map) => map,
            Value::Null | Value::Unknown(_) | Value::Reference(_) | Value::Partial(_) => return,
            other => {
                return self.wrong_type(
                    node,
                    other,
                    "a mapping",
                    &format!("write its fields under it: {}", fields_hint(fields)),
                );
            }
        };
        self.enclosing.push((self.pointer(), name.to_owned()));
        for (key, entry) in map.iter() {
            self.path.push(key.to_string());
            match fields.iter().find(|field| field.name == &**key) {
                Some(field) => {
                    self.value(&entry.node, entry.key, field.type_);
                    self.words(&entry.node, name, field.name);
                }
                None => self.unknown_field(key, entry.key, map, name, fields),
            }
            self.path.pop();
        }
        self.enclosing.pop();
        for field in fields.iter().filter(|field| field.required) {
            if map.get(field.name).is_none_or(|node| matches!(node.value, Value::Null)) {
                self.missing(place, field.name, describe(field.type_));
            }
        }
    }

    /// What the server holds of a field beyond its type.
    fn words(&mut self, node: &Node, definition: &str, field: &str) {
        if let Some(words) = words::words(definition, field) {
            for word in std::iter::once(node).chain(node.items()) {
                let Some(text) = word.as_str().filter(|text| !text.is_empty()) else { continue };
                if words.split_whitespace().any(|known| known == text) {
                    continue;
                }
                let listed: Vec<&str> = words.split_whitespace().collect();
                let help = did_you_mean(text, listed.iter().copied()).map_or_else(
                    || format!("write {}", listed.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                let message = format!("`{field}` is one of {}, and not `{text}`", listed.join(", "));
                self.fault(word.span, message, "unknown word".to_owned(), help);
            }
        }
        if let (Value::Int(number), true) = (&node.value, words::is_port(definition, field))
            && i32::try_from(*number).is_ok()
            && !(1..=65535).contains(number)
            && !(*number == 0 && matches!(field, "hostPort" | "nodePort"))
        {
            self.fault(
                node.span,
                format!("{number} is no port"),
                "not a port".to_owned(),
                "write a number from 1 to 65535".to_owned(),
            );
        }
    }

    fn rules(&mut self) {
        for breach in rules::check(self.object) {
            self.path = breach.pointer.split('.').map(str::to_owned).collect();
            self.fault(breach.span, breach.message, breach.label.to_owned(), breach.help);
        }
        self.path.clear();
    }

    fn unknown_field(&mut self, key: &str, span: Span, map: &Map, name: &str, fields: &[Field]) {
        let free = fields.iter().map(|field| field.name).filter(|field| map.get(field).is_none());
        let short = name.rsplit('.').next().unwrap_or(name);
        let help = match did_you_mean(key, free) {
            Some(close) => format!("did you mean `{close}`?"),
            None => match elsewhere::place(self.store, self.bit, &self.enclosing, key) {
                Some(place) if place.is_empty() => {
                    format!("it belongs at the top of the {}", self.object.kind)
                }
                Some(place) => format!("it belongs under `{place}`"),
                None => format!("the fields of {short} are {}", fields_hint(fields)),
            },
        };
        self.fault(
            span,
            format!("`{key}` is no field of {short} in Kubernetes {}", self.version),
            "unknown field".to_owned(),
            help,
        );
    }

    pub(super) fn value(&mut self, node: &Node, place: Span, type_: &str) {
        let value = &node.value;
        // Kubernetes drops a null as if it were not written; what is required is asked for elsewhere.
        if matches!(value, Value::Null | Value::Unknown(_) | Value::Reference(_) | Value::Partial(_)) {
            return;
        }
        let (code, rest) = type_.split_at_checked(1).unwrap_or(("*", ""));
        match code {
            "@" => self.definition(node, place, rest),
            "[" => self.list(node, rest),
            "{" => self.mapping(node, rest),
            "o" if !matches!(value, Value::Map(_)) => {
                self.wrong_type(node, value, "a mapping", "write keys under it");
            }
            "s" | "t" if !matches!(value, Value::Str(_)) => {
                self.wrong_type(node, value, "a string", &quote_hint(value));
            }
            "t" => self.time(node),
            "y" => self.base64(node),
            "b" if !matches!(value, Value::Bool(_)) => {
                self.wrong_type(node, value, "a boolean", &boolean_hint(value));
            }
            "n" if !matches!(value, Value::Int(_) | Value::Float(_) | Value::Decimal(_)) => {
                self.wrong_type(node, value, "a number", &number_hint(value));
            }
            "i" | "j" => self.whole_number(node, code == "j"),
            "p" if !matches!(value, Value::Int(_) | Value::Str(_)) => {
                self.wrong_type(
                    node,
                    value,
                    "a whole number or a string",
                    "write for example 8080 or \"25%\"",
                );
            }
            "q" => self.quantity(node),
            _ => {}
        }
    }

    fn list(&mut self, node: &Node, item_type: &str) {
        let Value::List(items) = &node.value else {
            return self.wrong_type(node, &node.value, "a list", "put `- ` before each item");
        };
        for (at, item) in items.iter().enumerate() {
            self.path.push(at.to_string());
            let first_key = item.as_map().and_then(|map| map.entries.first()).map(|(_, entry)| entry.key);
            self.value(item, first_key.unwrap_or(item.span), item_type);
            self.path.pop();
        }
    }

    fn mapping(&mut self, node: &Node, value_type: &str) {
        let Value::Map(map) = &node.value else {
            let help = match &node.value {
                Value::List(_) => "remove the `- ` before each `key: value`",
                _ => "write `key: value` pairs under it",
            };
            return self.wrong_type(node, &node.value, "a mapping", help);
        };
        for (key, entry) in map.iter() {
            self.path.push(key.to_string());
            self.value(&entry.node, entry.key, value_type);
            self.path.pop();
        }
    }

    fn whole_number(&mut self, node: &Node, small: bool) {
        match &node.value {
            Value::Int(number) if small && i32::try_from(*number).is_err() => self.fault(
                node.span,
                format!("`{}` does not fit into 32 bits", self.pointer()),
                "too large".to_owned(),
                format!("write a number from {} to {}", i32::MIN, i32::MAX),
            ),
            Value::Int(_) => {}
            // `2.0` is 2 in JSON, which is what is sent.
            Value::Float(number) if number.fract() == 0.0 => {}
            other => self.wrong_type(node, other, "a whole number", &number_hint(other)),
        }
    }

    fn quantity(&mut self, node: &Node) {
        match &node.value {
            Value::Int(_) | Value::Float(_) | Value::Decimal(_) => {}
            Value::Str(text) if is_quantity(text) => {}
            Value::Str(text) => {
                let help = match text.to_ascii_lowercase() {
                    lower if lower.ends_with("gb") => "write `Gi` (2^30 bytes) or `G` (10^9 bytes)",
                    lower if lower.ends_with("mb") => "write `Mi` (2^20 bytes) or `M` (10^6 bytes)",
                    _ => "write a number and a suffix: n u m k M G T P E, or Ki Mi Gi Ti Pi Ei",
                };
                self.fault(
                    node.span,
                    format!("`{text}` is no quantity"),
                    "not a quantity".to_owned(),
                    help.to_owned(),
                );
            }
            other => self.wrong_type(node, other, "a quantity", "write for example 500m or 1Gi"),
        }
    }

    fn time(&mut self, node: &Node) {
        if node.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_err()) {
            self.fault(
                node.span,
                format!("`{}` is no time", node.as_str().unwrap_or_default()),
                "not a time".to_owned(),
                "write it like 2026-01-31T08:00:00Z".to_owned(),
            );
        }
    }

    fn base64(&mut self, node: &Node) {
        match &node.value {
            Value::Str(text) if is_base64(text) => {}
            Value::Str(_) => self.fault(
                node.span,
                format!("`{}` is not base64", self.pointer()),
                "not base64".to_owned(),
                "encode it with `base64`, or in a Secret write it under `stringData` as it is".to_owned(),
            ),
            other => self.wrong_type(node, other, "a base64 string", "encode it with `base64`"),
        }
    }

    pub(super) fn wrong_type(&mut self, node: &Node, found: &Value, wanted: &str, help: &str) {
        let name = self.last_step();
        let span = match found {
            // To underline all of it would underline everything below; its first key or item is enough.
            Value::Map(map) => map.entries.first().map_or(node.span, |(_, entry)| entry.key),
            Value::List(items) => items.first().map_or(node.span, |item| match &item.value {
                Value::Map(map) => map.entries.first().map_or(item.span, |(_, entry)| entry.key),
                _ => item.span,
            }),
            _ => node.span,
        };
        self.fault(
            span,
            format!("`{name}` has to be {wanted}, and is {}", kind_of(found)),
            format!("{wanted} belongs here"),
            help.to_owned(),
        );
    }
}

/// `containers[0]` for an item, otherwise the key.
fn readable(step: &str, path: &[String]) -> String {
    if !step.bytes().all(|byte| byte.is_ascii_digit()) {
        return step.to_owned();
    }
    let list = path.len().checked_sub(2).and_then(|at| path.get(at)).map_or("", String::as_str);
    format!("{list}[{step}]")
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Int(_) => "a whole number",
        Value::Float(_) | Value::Decimal(_) => "a number with a fraction",
        Value::Str(_) => "a string",
        Value::List(_) => "a list",
        Value::Map(_) => "a mapping",
        Value::Unknown(_) | Value::Reference(_) | Value::Partial(_) => "not known",
    }
}

fn describe(type_: &str) -> &'static str {
    match type_.get(..1).unwrap_or("") {
        "s" | "t" => "a string",
        "y" => "a base64 string",
        "i" | "j" => "a whole number",
        "n" => "a number",
        "b" => "true or false",
        "q" => "a quantity such as 500m or 1Gi",
        "p" => "a whole number or a string",
        "[" => "a list",
        "*" => "a value",
        _ => "a mapping",
    }
}

fn fields_hint(fields: &[Field]) -> String {
    const SHOWN: usize = 8;
    let required = fields.iter().filter(|field| field.required);
    let optional = fields.iter().filter(|field| !field.required);
    let names: Vec<&str> = required.chain(optional).map(|field| field.name).take(SHOWN).collect();
    let more = if fields.len() > SHOWN { " and more" } else { "" };
    format!("{}{more}", names.join(", "))
}

fn quote_hint(value: &Value) -> String {
    match value {
        Value::Bool(_) => {
            "put quotes around it; kubectl reads yes, no, on and off as booleans, too".to_owned()
        }
        Value::Int(value) => format!("put quotes around it: \"{value}\""),
        Value::Float(_) => {
            "put quotes around it; without them YAML reads a number, and 1.30 becomes 1.3".to_owned()
        }
        _ => "write one piece of text".to_owned(),
    }
}

fn number_hint(value: &Value) -> String {
    match value {
        Value::Str(text) if text.parse::<i64>().is_ok() => format!("remove the quotes: {text}"),
        Value::Float(number) => format!("write {:.0} or {:.0}", number.floor(), number.ceil()),
        _ => "write a number without quotes and units".to_owned(),
    }
}

fn boolean_hint(value: &Value) -> String {
    match value {
        Value::Str(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => "write true, without quotes".to_owned(),
            "false" | "no" | "off" => "write false, without quotes".to_owned(),
            _ => "write true or false".to_owned(),
        },
        _ => "write true or false".to_owned(),
    }
}

/// The grammar of `k8s.io/apimachinery/pkg/api/resource.Quantity`.
fn is_quantity(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = digits.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(digits.len());
    let (number, suffix) = digits.split_at_checked(end).unwrap_or((digits, ""));
    let well_formed = number.bytes().any(|byte| byte.is_ascii_digit())
        && number.bytes().filter(|byte| *byte == b'.').count() <= 1;
    let exponent = suffix.strip_prefix(['e', 'E']).is_some_and(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let known = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    well_formed && (exponent || known.contains(&suffix))
}

/// Standard alphabet with padding, line breaks allowed: what Go's decoder takes.
fn is_base64(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let padding = digits.iter().rev().take_while(|byte| **byte == b'=').count();
    digits.len().is_multiple_of(4)
        && padding <= 2
        && digits
            .iter()
            .take(digits.len() - padding)
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
