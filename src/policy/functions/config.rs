//! Configuration files inside of other files, such as those a `ConfigMap` holds.

use std::borrow::Cow;

use super::super::value::{Outcome, Val, error};
use super::super::world::Context;
use super::take;
use crate::source::{FileId, Node, SourceFile, Value, yaml};

/// `properties(text)`: lines of a key and a value, with `=`, `:` or only space between them, as Redis, `RabbitMQ` and
/// Java write them. A key that is written twice has its last value, as those programs read it.
pub(super) fn properties<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [text] = take(values)?;
    let mut entries: Vec<(Cow<'a, str>, Val<'a>)> = Vec::new();
    for line in text.as_text()?.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';', '!', '[']) {
            continue;
        }
        let end = line.find(|next: char| next.is_whitespace() || next == '=' || next == ':');
        let (key, rest) = line.split_at(end.unwrap_or(line.len()));
        let rest = rest.trim_start();
        let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim();
        let value = ['"', '\'']
            .iter()
            .find_map(|quote| rest.strip_prefix(*quote)?.strip_suffix(*quote))
            .unwrap_or(rest);
        entries.retain(|(earlier, _)| earlier != key);
        entries.push((Cow::Owned(key.to_owned()), Val::text(value)));
    }
    Ok(Val::map(entries))
}

/// `yaml(text)`: the value of a YAML text's first document.
pub(super) fn yaml_of<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [text] = take(values)?;
    // JSON text of which a part is not known is decoded already, and JSON is YAML.
    if let Val::Map(_) | Val::List(_) = text {
        return Ok(text.clone());
    }
    if text.stands_for_unknown() {
        return Ok(Val::Null);
    }
    let file = SourceFile::new("", text.as_text()?.to_owned());
    let read = yaml::read(FileId::default(), &file);
    match (read.findings.first(), read.documents.first()) {
        (Some(finding), _) => error(format!("the text is not YAML: {}", finding.message)),
        (None, document) => Ok(document.map_or(Val::Null, owned)),
    }
}

fn owned<'a>(node: &Node) -> Val<'a> {
    match &node.value {
        Value::Bool(value) => Val::Bool(*value),
        Value::Int(value) => Val::Int(*value),
        Value::Float(value) => Val::Float(*value),
        Value::Decimal(digits) => Val::Float(digits.parse().unwrap_or(f64::NAN)),
        Value::Str(text) => Val::text(text.as_ref()),
        Value::List(items) => Val::list(items.iter().map(owned).collect()),
        Value::Map(map) => Val::map(
            map.iter().map(|(key, entry)| (Cow::Owned(key.to_string()), owned(&entry.node))).collect(),
        ),
        // A text has neither references nor anything unknown in it.
        Value::Null | Value::Unknown(_) | Value::Reference(_) | Value::Partial(_) => Val::Null,
    }
}

/// `setting(tree, "a.b.c")`: the value of a dotted key, however many of its dots are written as nesting, as
/// Elasticsearch, Kibana and Spring read their files. Null if there is none.
pub(super) fn setting<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [tree, key] = take(values)?;
    match tree {
        Val::Null => Ok(Val::Null),
        Val::Map(_) => Ok(find(tree, key.as_text()?)?.unwrap_or(Val::Null)),
        other => other.refuse("a mapping"),
    }
}

fn find<'a>(tree: &Val<'a>, key: &str) -> Result<Option<Val<'a>>, super::super::value::Undecided> {
    let Val::Map(map) = tree else { return Ok(None) };
    if let Some(value) = map.get(key) {
        return value.known().map(Some);
    }
    for (dot, _) in key.match_indices('.') {
        let (first, rest) = (key.get(..dot).unwrap_or(""), key.get(dot + 1..).unwrap_or(""));
        if let Some(inner) = map.get(first)
            && let Some(found) = find(&inner.known()?, rest)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
