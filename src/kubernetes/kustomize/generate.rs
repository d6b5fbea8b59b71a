//! `ConfigMaps` and Secrets made of literals and files, and the hash of their content in their names.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::file::fault;
use super::resource::{Behaviour, Resource, child, put, set};
use super::target::{Builder, Kustomization};
use super::values::{text, texts};
use crate::source::{Entry, Map, Node, Span, Value};

/// One entry of what is made, and where it is written.
struct Pair {
    key: String,
    value: Vec<u8>,
    at: Span,
}

/// Makes the object of one item of `configMapGenerator` or `secretGenerator`.
pub(super) fn generate(
    builder: &mut Builder<'_>,
    kustomization: &Kustomization,
    kind: &str,
    arguments: &Node,
) -> Option<Resource> {
    let Some(name) = arguments.get("name").filter(|node| node.as_str().is_some_and(|name| !name.is_empty()))
    else {
        let span = arguments
            .as_map()
            .and_then(|map| map.entries.first())
            .map_or(arguments.span, |(_, entry)| entry.key);
        builder.push(fault(span, format!("this {kind} has no name")).help("add `name:`"));
        return None;
    };
    let mut map = Map::default();
    map.insert("apiVersion", name.span, Node::string(name.span, "v1"));
    map.insert("kind", name.span, Node::string(name.span, kind));
    let mut metadata = Map::default();
    metadata.insert("name", name.span, name.clone());
    if let Some(namespace) = arguments.get("namespace").filter(|node| node.as_str().is_some()) {
        metadata.insert("namespace", namespace.span, namespace.clone());
    }
    map.insert("metadata", name.span, Node::new(name.span, Value::Map(metadata)));
    let secret = kind == "Secret";
    if secret {
        let type_ = arguments.get("type").filter(|node| node.as_str().is_some_and(|type_| !type_.is_empty()));
        let type_ = type_.cloned().unwrap_or_else(|| Node::string(name.span, "Opaque"));
        map.insert("type", type_.span, type_);
    }
    let mut pairs: BTreeMap<String, Pair> = BTreeMap::new();
    for pair in all_pairs(builder, kustomization, arguments) {
        if let Some(first) = pairs.get(&pair.key) {
            builder.push(
                fault(pair.at, format!("the key `{}` stands twice in `{}`", pair.key, text(name)))
                    .related(first.at, "first here")
                    .help("keep one of the two"),
            );
            continue;
        }
        pairs.insert(pair.key.clone(), pair);
    }
    let mut data = Map::default();
    let mut binary = Map::default();
    for (key, pair) in pairs {
        match (secret, String::from_utf8(pair.value)) {
            (false, Ok(text)) => data.insert(key, pair.at, Node::string(pair.at, text)),
            (false, Err(error)) => {
                binary.insert(key, pair.at, Node::string(pair.at, in_lines(error.as_bytes())))
            }
            (true, value) => {
                let bytes = value.map_or_else(std::string::FromUtf8Error::into_bytes, String::into_bytes);
                data.insert(key, pair.at, Node::string(pair.at, in_lines(&bytes)))
            }
        };
    }
    for (key, content) in [("data", data), ("binaryData", binary)] {
        if !content.entries.is_empty() {
            map.insert(key, name.span, Node::new(name.span, Value::Map(content)));
        }
    }
    let mut made = Resource::new(Node::new(name.span, Value::Map(map)), name.span);
    options(kustomization, arguments, &mut made);
    made.behaviour = match arguments.get("behavior").and_then(Node::as_str) {
        Some("merge") => Behaviour::Merge,
        Some("replace") => Behaviour::Replace,
        _ => Behaviour::Create,
    };
    Some(made)
}

/// `options` of the item and `generatorOptions` of the kustomization; the former say more.
fn options(kustomization: &Kustomization, arguments: &Node, made: &mut Resource) {
    let both = [kustomization.root.get("generatorOptions"), arguments.get("options")];
    let is_set = |key: &str| {
        both.iter().flatten().any(|options| options.get(key).and_then(Node::as_bool) == Some(true))
    };
    made.hashed = !is_set("disableNameSuffixHash");
    let span = made.header;
    for key in ["labels", "annotations"] {
        for pairs in both.iter().flatten().filter_map(|options| options.get(key)?.as_map()) {
            let Some(metadata) = child(&mut made.node, "metadata", span) else { continue };
            let Some(found) = child(metadata, key, span) else { continue };
            if let Value::Map(map) = &mut found.value {
                for (key, entry) in pairs.iter() {
                    put(map, key, entry.key, Node::string(entry.node.span, text(&entry.node)));
                }
            }
        }
    }
    if is_set("immutable") {
        set(&mut made.node, "immutable", Value::Bool(true), span);
    }
}

fn all_pairs(builder: &mut Builder<'_>, kustomization: &Kustomization, arguments: &Node) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let env = arguments.get("env").and_then(|node| Some((node, node.as_str()?)));
    for (node, path) in texts(arguments.get("envs")).chain(env) {
        let Some(id) = builder.read(kustomization, node, path) else { continue };
        let Some(file) = builder.files.file(id) else { continue };
        let mut start = 0;
        for line in file.text().split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']).trim_start();
            let at = start + line.find(content).unwrap_or(0);
            start += line.len();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            // A line without `=` takes its value from the environment in other tools; here it is empty.
            let (key, value) = content.split_once('=').unwrap_or((content, ""));
            pairs.push(Pair {
                key: key.to_owned(),
                value: value.as_bytes().to_vec(),
                at: Span::new(id, at, at + content.len()),
            });
        }
    }
    for (node, literal) in texts(arguments.get("literals")) {
        match literal.split_once('=') {
            Some((key, value)) if !key.is_empty() => pairs.push(Pair {
                key: key.to_owned(),
                value: unquoted(value).as_bytes().to_vec(),
                at: node.span,
            }),
            _ => builder.push(
                fault(node.span, format!("`{literal}` is no literal"))
                    .label("no key")
                    .help("write KEY=value"),
            ),
        }
    }
    for (node, source) in texts(arguments.get("files")) {
        let (key, path) =
            source.split_once('=').unwrap_or_else(|| (source.rsplit('/').next().unwrap_or(source), source));
        let Some(at) = builder.reach(kustomization, node, path) else { continue };
        match builder.files.bytes(&at) {
            Ok(value) => {
                // The place of a text is the file it stands in, that of other bytes the line that names it.
                let is_text = std::str::from_utf8(&value).is_ok() && !value.is_empty();
                let id = if is_text { builder.files.read(&at).ok() } else { None };
                let length = id.and_then(|id| builder.files.file(id)).map(|file| file.text().len());
                let whole = id.zip(length).map(|(id, length)| Span::new(id, 0, length));
                pairs.push(Pair { key: key.to_owned(), value, at: whole.unwrap_or(node.span) });
            }
            Err(why) => builder.push(
                fault(node.span, format!("{at} cannot be read: {why}")).help("correct the path or the file"),
            ),
        }
    }
    pairs
}

fn unquoted(value: &str) -> &str {
    ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(value)
}

/// Base64 in lines of 70 characters, as kustomize writes what is longer than one.
fn in_lines(bytes: &[u8]) -> String {
    const LINE: usize = 70;
    let encoded = STANDARD.encode(bytes);
    if encoded.len() < LINE {
        return encoded;
    }
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / LINE + 1);
    for (at, char) in encoded.chars().enumerate() {
        if at > 0 && at % LINE == 0 {
            lines.push('\n');
        }
        lines.push(char);
    }
    lines.push('\n');
    lines
}

/// Adds what was made: as a new object, or into the one of its name.
pub(super) fn absorb(builder: &mut Builder<'_>, resources: &mut Vec<Resource>, mut made: Resource) {
    let id = made.id();
    let matching = |resource: &&mut Resource| resource.ids().iter().any(|known| known.same(&id));
    let found = resources.iter_mut().find(matching);
    match (found, made.behaviour) {
        (None, Behaviour::Create) => resources.push(made),
        (None, _) => builder.push(
            fault(made.header, format!("there is no `{}` to merge into or to replace", id.readable()))
                .label("no such object")
                .help("remove `behavior`, or correct the name and the namespace"),
        ),
        (Some(old), Behaviour::Create) => {
            let finding =
                fault(made.header, format!("`{}` is already a part of this kustomization", id.readable()))
                    .related(old.header, "the first one")
                    .label("second of its name")
                    .help("write `behavior: merge` or `behavior: replace`");
            builder.push(finding);
        }
        (Some(old), behaviour) => {
            for path in [&["metadata", "labels"][..], &["metadata", "annotations"]] {
                below(old, &mut made, path);
            }
            if behaviour == Behaviour::Merge {
                below(old, &mut made, &["data"]);
                below(old, &mut made, &["binaryData"]);
            }
            let name = old.name().to_owned();
            made.rename(&name);
            match old.node.at(&["metadata", "namespace"]).cloned() {
                Some(namespace) => {
                    let span = made.header;
                    if let Some(metadata) = child(&mut made.node, "metadata", span)
                        && let Value::Map(map) = &mut metadata.value
                    {
                        put(map, "namespace", namespace.span, namespace);
                    }
                }
                None => {
                    if let Some(metadata) = super::resource::at_mut(&mut made.node, &["metadata"])
                        && let Value::Map(map) = &mut metadata.value
                    {
                        map.entries.shift_remove("namespace");
                    }
                }
            }
            made.previous.clone_from(&old.previous);
            made.prefixes.clone_from(&old.prefixes);
            made.suffixes.clone_from(&old.suffixes);
            made.behaviour = old.behaviour;
            *old = made;
        }
    }
}

/// Puts the entries of the old mapping under those of the new one.
fn below(old: &Resource, made: &mut Resource, path: &[&str]) {
    let Some(entries) = old.node.at(path).and_then(Node::as_map) else { return };
    let span = made.header;
    let mut at = Some(&mut made.node);
    for step in path {
        at = at.and_then(|node| child(node, step, span));
    }
    if let Some(Node { value: Value::Map(map), .. }) = at {
        for (key, entry) in entries.iter() {
            map.entries.entry(key.clone()).or_insert_with(|| Entry::clone(entry));
        }
    }
}

/// Ends the names of what was made with the hash of its content, so that pods start again when it changes.
pub(super) fn add_hashes(resources: &mut [Resource]) {
    for resource in resources.iter_mut().filter(|resource| resource.hashed) {
        let name = format!("{}-{}", resource.name(), hash(&resource.node));
        resource.remember();
        resource.rename(&name);
    }
}

/// The hash of kustomize: JSON with sorted keys and an empty name, ten digits of its SHA-256 in letters that spell nothing.
fn hash(node: &Node) -> String {
    let content = |key: &str| node.get(key).filter(|node| node.as_map().is_some()).map(sorted_json);
    let data = content("data").unwrap_or_else(|| "\"\"".to_owned());
    let kind = text(node.get("kind").unwrap_or(node));
    let json = if kind == "Secret" {
        let type_ = json_string(node.get("type").and_then(Node::as_str).unwrap_or_default());
        let plain = content("stringData").map_or_else(String::new, |json| format!(",\"stringData\":{json}"));
        format!("{{\"data\":{data},\"kind\":\"Secret\",\"name\":\"\"{plain},\"type\":{type_}}}")
    } else {
        let binary = content("binaryData").map_or_else(String::new, |json| format!("\"binaryData\":{json},"));
        format!("{{{binary}\"data\":{data},\"kind\":\"ConfigMap\",\"name\":\"\"}}")
    };
    let digest = Sha256::digest(json.as_bytes());
    let hex = digest.iter().fold(String::new(), |mut hex, byte| {
        hex.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        hex.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        hex
    });
    let letter = |digit: char| match digit {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    };
    hex.chars().take(10).map(letter).collect()
}

fn sorted_json(node: &Node) -> String {
    let entries: BTreeMap<&str, String> = node
        .as_map()
        .into_iter()
        .flat_map(Map::iter)
        .map(|(key, entry)| (&**key, json_string(&text(&entry.node))))
        .collect();
    let written: Vec<String> =
        entries.iter().map(|(key, value)| format!("{}:{value}", json_string(key))).collect();
    format!("{{{}}}", written.join(","))
}

/// As Go writes a string: what HTML could read as markup is escaped, too.
fn json_string(text: &str) -> String {
    let plain = serde_json::Value::String(text.to_owned()).to_string();
    plain
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}
