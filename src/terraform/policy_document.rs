//! `data.aws_iam_policy_document` as the value it gives: the one data source that asks nobody.
//!
//! Follows the provider's `internal/service/iam/policy_document_data_source.go` and `policy_model.go`, to the letter where a
//! text is compared or hashed: the order of keys, lists that were sets sorted backwards, one element without its list, `&{`
//! for `${`, and the order of blocks in a set, which is that of their hashes
//! (`terraform-plugin-sdk`, `helper/schema/serialize.go` and `set.go`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::functions::json;
use super::operators::{to_text, unknown, unknown_within};
use crate::source::{List, Map, Node, Shape, Span, Value};

/// The type of the data source.
pub(super) const TYPE: &str = "aws_iam_policy_document";

/// Its arguments.
pub(super) const ARGUMENTS: [&str; 7] = [
    "source_json",
    "source_policy_documents",
    "version",
    "policy_id",
    "statement",
    "override_policy_documents",
    "override_json",
];

/// What a document has if it does not say its version.
const VERSION: &str = "2012-10-17";
/// The version without variables.
const OLD_VERSION: &str = "2008-10-17";

/// Why there is no document: the provider refuses it.
type Refused = &'static str;

/// A document in the making.
#[derive(Default)]
struct Document {
    version: Option<Node>,
    id: Option<Node>,
    statements: Vec<Map>,
    /// Why it may have other statements than these, if a document that it includes is not known.
    open: Option<Arc<str>>,
}

/// The document that a data source makes of its arguments, as a tree in the order of its keys; parts that are not known stand
/// in it as such.
pub(super) fn tree<'n>(span: Span, argument: impl Fn(&str) -> Option<&'n Node>) -> Result<Node, Refused> {
    let mut merged = Document::default();
    // Before version 5 of the provider there was one document of each kind, which could have any `Sid`.
    if let Some(source) = argument("source_json").filter(|source| source.as_str() != Some("")) {
        merged.merge(included(source)?);
    }
    let mut sids: Vec<Arc<str>> = merged.statements.iter().filter_map(sid).collect();
    for source in listed(&mut merged, argument("source_policy_documents")) {
        let source = included(source)?;
        for statement in &source.statements {
            if let Some(sid) = sid(statement) {
                if sids.contains(&sid) {
                    return Err("two statements of source_policy_documents have one Sid");
                }
                sids.push(sid);
            }
        }
        merged.merge(source);
    }
    merged.merge(own(span, &argument)?);
    for source in listed(&mut merged, argument("override_policy_documents")) {
        merged.merge(included(source)?);
    }
    if let Some(source) = argument("override_json").filter(|source| source.as_str() != Some("")) {
        merged.merge(included(source)?);
    }
    Ok(merged.into_tree(span))
}

/// The value of `json` or `minified_json`: text, or the tree that text known in part is.
pub(super) fn value(tree: Node, indented: bool) -> Value {
    match (unknown_within(&tree.value), tree.value) {
        (None, value) => Value::Str(json::ordered(&value, indented).into()),
        (Some(_), Value::Map(map)) => Value::Map(map.shaped(Shape::Text)),
        (Some(reason), _) => Value::Unknown(reason),
    }
}

impl Document {
    /// Adds another document; its statements take the place of those with the same `Sid`.
    fn merge(&mut self, other: Self) {
        if other.id.is_some() {
            self.id = other.id;
        }
        self.version = match (self.version.take(), other.version) {
            (None, version) | (version, None) => version,
            (Some(one), Some(two)) => Some(match (one.as_str(), two.as_str()) {
                // Which of them is newer is not known.
                (Some(_), None) => two,
                (Some(old), Some(new)) if new > old => two,
                _ => one,
            }),
        };
        for statement in other.statements {
            let name = sid(&statement);
            let same = self.statements.iter_mut().find(|earlier| name.is_some() && sid(earlier) == name);
            match same {
                Some(place) => *place = statement,
                None => self.statements.push(statement),
            }
        }
        self.open = self.open.take().or(other.open);
    }

    fn into_tree(self, span: Span) -> Node {
        let mut map = Map::default();
        if let Some(version) = self.version {
            map.insert("Version", span, version);
        }
        if let Some(id) = self.id {
            map.insert("Id", span, id);
        }
        if let Some(reason) = self.open {
            map.insert("Statement", span, Node::new(span, Value::Unknown(reason)));
        } else if !self.statements.is_empty() {
            let items = self.statements.into_iter().map(|statement| Node::new(span, Value::Map(statement)));
            map.insert("Statement", span, Node::new(span, Value::List(items.collect())));
        }
        Node::new(span, Value::Map(map))
    }
}

/// The `Sid` of a statement, if it has one and it is known.
fn sid(statement: &Map) -> Option<Arc<str>> {
    match &statement.get("Sid")?.value {
        Value::Str(text) => Some(text.clone()),
        _ => None,
    }
}

/// The documents of a list; a list that is not known leaves the document open.
fn listed<'n>(merged: &mut Document, list: Option<&'n Node>) -> &'n [Node] {
    match list.map(|list| &list.value) {
        Some(Value::List(items)) => items,
        Some(other) => {
            merged.open = merged.open.take().or_else(|| unknown(other));
            &[]
        }
        None => &[],
    }
}

/// A document that another one includes, as the provider reads its JSON.
fn included(node: &Node) -> Result<Document, Refused> {
    const NOT_JSON: Refused = "a document that it includes is not the JSON of a policy";
    let parsed;
    let map = match &node.value {
        Value::Null => return Ok(Document::default()),
        Value::Str(text) => {
            let json = serde_json::from_str(text).map_err(|_| NOT_JSON)?;
            parsed = Node::from_json(node.span, &json);
            parsed.as_map().ok_or(NOT_JSON)?
        }
        Value::Map(map) if map.shape == Shape::Text => map,
        other => {
            let open = unknown(other).ok_or(NOT_JSON)?;
            return Ok(Document { open: Some(open), ..Document::default() });
        }
    };
    let marked = |field: Node| field.marked_also(node.sensitive);
    let mut document = Document {
        version: text_field(map, "Version")?.map(marked),
        id: text_field(map, "Id")?.map(marked),
        ..Document::default()
    };
    match field(map, "Statement").map(|node| &node.value) {
        None | Some(Value::Null) => {}
        Some(Value::List(items)) => {
            for item in items {
                let statement = item.as_map().ok_or(NOT_JSON)?;
                let mut statement = from_json(statement)?;
                if node.sensitive {
                    statement.entries.values_mut().for_each(|entry| entry.node.sensitive = true);
                }
                document.statements.push(statement);
            }
        }
        Some(other) => document.open = Some(unknown(other).ok_or(NOT_JSON)?),
    }
    Ok(document)
}

/// A field as Go's `encoding/json` finds it: whatever the case of its letters.
fn field<'m>(map: &'m Map, name: &str) -> Option<&'m Node> {
    map.get(name).or_else(|| {
        let mut fields = map.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        fields.next().map(|(_, entry)| &entry.node)
    })
}

/// A text that is not empty, or what is not known.
fn text_field(map: &Map, name: &str) -> Result<Option<Node>, Refused> {
    let Some(node) = field(map, name) else { return Ok(None) };
    match &node.value {
        Value::Null => Ok(None),
        Value::Str(text) if text.is_empty() => Ok(None),
        Value::Str(_) => Ok(Some(node.clone())),
        value if unknown(value).is_some() => Ok(Some(node.clone())),
        _ => Err("a document that it includes has a value of the wrong type"),
    }
}

/// A statement of JSON, in the provider's order of its parts; it drops what it does not know.
fn from_json(statement: &Map) -> Result<Map, Refused> {
    let mut made = Map::default();
    for name in ["Sid", "Effect"] {
        put(&mut made, name, text_field(statement, name)?);
    }
    for name in ["Action", "NotAction", "Resource", "NotResource"] {
        let given = field(statement, name).filter(|node| node.value != Value::Null);
        put(&mut made, name, given.cloned());
    }
    for name in ["Principal", "NotPrincipal"] {
        let found = field(statement, name).map(json_principals).transpose()?;
        put(&mut made, name, found.flatten());
    }
    let conditions = field(statement, "Condition").map(json_conditions).transpose()?;
    put(&mut made, "Condition", conditions.flatten());
    Ok(made)
}

fn put(map: &mut Map, name: &str, node: Option<Node>) {
    if let Some(node) = node {
        map.insert(name, node.span, node);
    }
}

fn json_principals(node: &Node) -> Result<Option<Node>, Refused> {
    const WRONG: Refused = "a document that it includes has principals that are no texts";
    let map = match &node.value {
        Value::Null => return Ok(None),
        Value::Str(_) => return Ok(Some(Node::string(node.span, "*"))),
        Value::Map(map) if map.entries.is_empty() => return Ok(None),
        Value::Map(map) => map,
        value if unknown(value).is_some() => return Ok(Some(node.clone())),
        _ => return Err(WRONG),
    };
    let mut by_type = BTreeMap::new();
    for (type_, entry) in map.iter() {
        let identifiers = match &entry.node.value {
            Value::Str(_) => entry.node.clone(),
            Value::List(items) => {
                let known =
                    |item: &Node| matches!(item.value, Value::Str(_)) || unknown(&item.value).is_some();
                if !items.iter().all(known) {
                    return Err(WRONG);
                }
                Node::new(entry.node.span, Value::List(backwards(items.items.clone()).into()))
            }
            value if unknown(value).is_some() => entry.node.clone(),
            _ => return Err(WRONG),
        };
        by_type.insert(type_.clone(), identifiers.marked_also(entry.node.sensitive));
    }
    Ok(Some(principals(node.span, by_type).marked(node.sensitive)))
}

/// Principals by their type. Everybody of every type is `"*"`.
fn principals(span: Span, by_type: BTreeMap<Arc<str>, Node>) -> Node {
    if let (1, Some(identifiers)) = (by_type.len(), by_type.get("*")) {
        let only = match &identifiers.value {
            Value::List(items) if items.len() == 1 => items.first(),
            Value::Str(_) => Some(identifiers),
            _ => None,
        };
        if only.is_some_and(|only| only.as_str() == Some("*")) {
            return Node::string(span, "*");
        }
    }
    let mut map = Map::default();
    for (type_, identifiers) in by_type {
        map.insert(type_, identifiers.span, identifiers);
    }
    Node::new(span, Value::Map(map))
}

fn json_conditions(node: &Node) -> Result<Option<Node>, Refused> {
    const WRONG: Refused = "a document that it includes has a condition that is none";
    let tests = match &node.value {
        Value::Null => return Ok(None),
        Value::Map(tests) => tests,
        value if unknown(value).is_some() => return Ok(Some(node.clone())),
        _ => return Err(WRONG),
    };
    let mut found = Vec::new();
    for (test, variables) in tests.iter() {
        let variables = match &variables.node.value {
            Value::Null => continue,
            Value::Map(variables) => variables,
            value if unknown(value).is_some() => return Ok(Some(variables.node.clone())),
            _ => return Err(WRONG),
        };
        for (variable, entry) in variables.iter() {
            let values = match &entry.node.value {
                Value::Str(_) => vec![entry.node.clone()],
                Value::Bool(value) => vec![Node::string(entry.node.span, value.to_string())],
                Value::List(items) => items.items.clone(),
                value if unknown(value).is_some() => vec![entry.node.clone()],
                // The provider passes over numbers.
                _ => continue,
            };
            if values.iter().any(|value| value.as_str().is_none() && unknown(&value.value).is_none()) {
                return Err(WRONG);
            }
            found.push((test.clone(), variable.clone(), values));
        }
    }
    Ok(conditions(node.span, found).map(|made| made.marked(node.sensitive)))
}

/// Conditions by test and variable; one value stands without its list.
fn conditions(span: Span, found: Vec<(Arc<str>, Arc<str>, Vec<Node>)>) -> Option<Node> {
    let mut by_test: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Vec<Node>>> = BTreeMap::new();
    for (test, variable, values) in found {
        by_test.entry(test).or_default().entry(variable).or_default().extend(values);
    }
    if by_test.is_empty() {
        return None;
    }
    let mut tests = Map::default();
    for (test, by_variable) in by_test {
        let mut variables = Map::default();
        for (variable, values) in by_variable {
            variables.insert(variable, span, one_or_list(span, values));
        }
        tests.insert(test, span, Node::new(span, Value::Map(variables)));
    }
    Some(Node::new(span, Value::Map(tests)))
}

fn one_or_list(span: Span, mut items: Vec<Node>) -> Node {
    match items.pop() {
        Some(only) if items.is_empty() => only,
        last => {
            items.extend(last);
            Node::new(span, Value::List(items.into()))
        }
    }
}

/// Known texts sorted backwards, what is not known behind them.
fn backwards(mut items: Vec<Node>) -> Vec<Node> {
    items.sort_by(|one, other| match (one.as_str(), other.as_str()) {
        (Some(one), Some(other)) => other.cmp(one),
        (one, other) => other.is_some().cmp(&one.is_some()),
    });
    items
}

/// The document of the data source's own arguments.
fn own<'n>(span: Span, argument: &impl Fn(&str) -> Option<&'n Node>) -> Result<Document, Refused> {
    let version = match argument("version").filter(|version| version.value != Value::Null) {
        Some(version) => version.clone(),
        None => Node::string(span, VERSION),
    };
    let variables = version.as_str() != Some(OLD_VERSION);
    let id = argument("policy_id").filter(|id| !matches!(&id.value, Value::Null) && id.as_str() != Some(""));
    let mut document = Document { id: id.cloned(), version: Some(version), ..Document::default() };
    let Some(blocks) = argument("statement") else { return Ok(document) };
    let blocks = match &blocks.value {
        Value::List(items) => items,
        other => {
            document.open = unknown(other);
            return Ok(document);
        }
    };
    for block in blocks {
        let Some(map) = block.as_map() else {
            document.open = unknown(&block.value);
            continue;
        };
        let mut statement = from_block(block.span, map, variables)?;
        if block.sensitive {
            statement.entries.values_mut().for_each(|entry| entry.node.sensitive = true);
        }
        if let Some(name) = sid(&statement)
            && document.statements.iter().any(|earlier| sid(earlier).as_ref() == Some(&name))
        {
            return Err("two of its statements have one Sid");
        }
        document.statements.push(statement);
    }
    Ok(document)
}

/// A `statement` block; `variables` says whether the version has any, so that `&{` stands for `${`.
fn from_block(span: Span, block: &Map, variables: bool) -> Result<Map, Refused> {
    let given = |name: &str| block.get(name).filter(|node| node.value != Value::Null);
    let mut made = Map::default();
    put(&mut made, "Sid", given("sid").filter(|sid| sid.as_str() != Some("")).cloned());
    let effect = given("effect").cloned().unwrap_or_else(|| Node::string(span, "Allow"));
    put(&mut made, "Effect", Some(effect));
    for (name, argument) in [("Action", "actions"), ("NotAction", "not_actions")] {
        put(&mut made, name, given(argument).map(texts).transpose()?.flatten());
    }
    for (name, argument) in [("Resource", "resources"), ("NotResource", "not_resources")] {
        let found = given(argument).map(texts).transpose()?.flatten();
        put(&mut made, name, found.map(|found| replaced(found, variables)).transpose()?);
    }
    for (name, argument) in [("Principal", "principals"), ("NotPrincipal", "not_principals")] {
        let found = given(argument).map(|blocks| block_principals(blocks, variables)).transpose()?;
        put(&mut made, name, found.flatten());
    }
    let found = given("condition").map(|blocks| block_conditions(blocks, variables)).transpose()?;
    put(&mut made, "Condition", found.flatten());
    Ok(made)
}

/// A set of texts as the provider writes it: none, one, or a list sorted backwards.
fn texts(node: &Node) -> Result<Option<Node>, Refused> {
    let Value::List(items) = &node.value else { return Ok(Some(node.clone())) };
    let mut items = texts_of(items)?;
    items = backwards(items);
    items.dedup_by(|one, other| one.as_str().is_some() && one.as_str() == other.as_str());
    Ok((!items.is_empty()).then(|| one_or_list(node.span, items).marked_also(node.sensitive)))
}

fn texts_of(items: &List) -> Result<Vec<Node>, Refused> {
    let text = |item: &Node| match to_text(&item.value) {
        Some(text) => Ok(Node::string(item.span, text).marked(item.sensitive)),
        None if unknown(&item.value).is_some() => Ok(item.clone()),
        None => Err("a list of texts has something else in it"),
    };
    items.iter().map(text).collect()
}

/// `${` for `&{`, which Terraform would take for a template.
fn replaced(mut node: Node, variables: bool) -> Result<Node, Refused> {
    let replace = |text: &str| {
        if text.contains("&{") && !variables {
            return Err("`&{` stands for a variable, and version 2008-10-17 has none");
        }
        Ok(Arc::<str>::from(text.replace("&{", "${")))
    };
    node.value = match node.value {
        Value::Str(text) => Value::Str(replace(&text)?),
        Value::Partial(mut partial) => {
            partial.start = replace(&partial.start)?;
            partial.end = replace(&partial.end)?;
            Value::Partial(partial)
        }
        Value::List(items) => {
            Value::List(items.into_iter().map(|item| replaced(item, variables)).collect::<Result<_, _>>()?)
        }
        other => other,
    };
    Ok(node)
}

fn block_principals(node: &Node, variables: bool) -> Result<Option<Node>, Refused> {
    let Some(blocks) = blocks(node, principal_hash) else { return Ok(Some(node.clone())) };
    let mut by_type: BTreeMap<Arc<str>, Vec<Node>> = BTreeMap::new();
    // One text alone stays one until another joins it.
    let mut lists = Vec::new();
    for block in blocks {
        let Some(type_) = block.get("type").and_then(|type_| to_text(&type_.value)) else {
            return as_written(node, ["type", "identifiers"], variables).map(Some);
        };
        let identifiers = match block.get("identifiers") {
            Some(identifiers) => match texts(identifiers)? {
                Some(found) => replaced(found, variables)?,
                None => Node::new(identifiers.span, Value::List(Vec::new().into())),
            },
            None => continue,
        };
        if matches!(identifiers.value, Value::List(_)) {
            lists.push(type_.clone());
        }
        let mark = identifiers.sensitive;
        let items = match identifiers.value {
            Value::List(items) => items.into_iter().map(|item| item.marked_also(mark)).collect(),
            _ => vec![identifiers],
        };
        by_type.entry(type_).or_default().extend(items);
    }
    if by_type.is_empty() {
        return Ok(None);
    }
    let written = by_type.into_iter().map(|(type_, items)| {
        let single = items.len() == 1 && !lists.contains(&type_);
        let node = if single {
            one_or_list(node.span, items)
        } else {
            Node::new(node.span, Value::List(items.into()))
        };
        (type_, node)
    });
    Ok(Some(principals(node.span, written.collect())))
}

fn block_conditions(node: &Node, variables: bool) -> Result<Option<Node>, Refused> {
    let Some(blocks) = blocks(node, condition_hash) else { return Ok(Some(node.clone())) };
    let mut found = Vec::new();
    for block in blocks {
        let text = |name: &str| block.get(name).and_then(|node| to_text(&node.value));
        let (Some(test), Some(variable)) = (text("test"), text("variable")) else {
            return as_written(node, ["test", "variable", "values"], variables).map(Some);
        };
        let values = match block.get("values") {
            Some(Node { value: Value::List(items), sensitive, .. }) => {
                let items = texts_of(items)?.into_iter().map(|item| item.marked_also(*sensitive));
                items.map(|item| replaced(item, variables)).collect::<Result<Vec<_>, _>>()?
            }
            Some(other) => vec![other.clone()],
            None => continue,
        };
        found.push((test, variable, values));
    }
    Ok(conditions(node.span, found))
}

/// Blocks of which a name is not known that JSON would have for a key: a list of them as they are written, which is no value
/// to Terraform, and which policies read all the same.
fn as_written<const N: usize>(node: &Node, names: [&str; N], variables: bool) -> Result<Node, Refused> {
    let blocks = node.items().iter().filter_map(|block| Some((block, block.as_map()?)));
    let items = blocks.map(|(block, map)| {
        let mut made = Map::default();
        for name in names {
            if let Some(given) = map.get(name) {
                made.insert(
                    name,
                    given.span,
                    replaced(given.clone(), variables)?.marked_also(block.sensitive),
                );
            }
        }
        Ok(Node::new(block.span, Value::Map(made)))
    });
    let items = items.collect::<Result<Vec<_>, Refused>>()?;
    Ok(Node::new(node.span, Value::List(List::of(Shape::Text, items))))
}

/// The blocks of a set in its order, each once; `None` if they are not known.
fn blocks(node: &Node, hash: fn(&Map) -> Option<String>) -> Option<Vec<&Map>> {
    let Value::List(items) = &node.value else { return None };
    let blocks: Option<Vec<&Map>> = items.iter().map(Node::as_map).collect();
    let blocks = blocks?;
    // What is not known has no place in the order yet.
    let hashes: Option<Vec<String>> = blocks.iter().map(|block| hash(block)).collect();
    let Some(hashes) = hashes else { return Some(blocks) };
    let sorted: BTreeMap<String, &Map> = hashes.into_iter().zip(blocks).collect();
    Some(sorted.into_values().collect())
}

/// The key of an element of a set: the CRC-32 of what it is written as, in decimal digits that are compared as text.
fn key(written: &str) -> String {
    let mut crc = flate2::Crc::new();
    crc.update(written.as_bytes());
    crc.sum().to_string()
}

fn known_texts(node: Option<&Node>) -> Option<Vec<Arc<str>>> {
    match node.map(|node| &node.value) {
        Some(Value::List(items)) => items.iter().map(|item| to_text(&item.value)).collect(),
        _ => None,
    }
}

/// The texts one after the other, each with a semicolon behind it.
fn ended<'t>(texts: impl IntoIterator<Item = &'t Arc<str>>) -> String {
    texts.into_iter().flat_map(|text| [&**text, ";"]).collect()
}

fn principal_hash(block: &Map) -> Option<String> {
    let type_ = to_text(&block.get("type")?.value)?;
    let identifiers = known_texts(block.get("identifiers"))?;
    let sorted: BTreeMap<String, Arc<str>> =
        identifiers.into_iter().map(|text| (key(&format!("{text};")), text)).collect();
    let identifiers = ended(sorted.values());
    Some(key(&format!("identifiers:{{{identifiers}}};type:{type_};")))
}

fn condition_hash(block: &Map) -> Option<String> {
    let text = |name: &str| block.get(name).and_then(|node| to_text(&node.value));
    let values = ended(&known_texts(block.get("values"))?);
    Some(key(&format!("test:{};values:({values});variable:{};", text("test")?, text("variable")?)))
}
