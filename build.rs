//! Reads the policies once, when the tool is built. A run of the tool that judges a small file would spend half of its time
//! on scanning YAML that is the same in every run.
//!
//! What is written to `OUT_DIR`: `policies.rs`, a list of every policy file with its text and with the types and kinds its
//! rules look at; `policies.bin`, what the YAML parser says of each text; `expressions.rs` and `expressions.bin`, what the
//! CEL parser says of every expression in them; and `facts.rs` and `facts.bin`, the tables of facts in the same way. The
//! files stay the only source: Cargo runs this again whenever one of them changes, and tests hold that reading a record and
//! reading its text give the same.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a build script reads what Cargo tells it out of the environment, and answers on standard output"
)]

#[path = "src/record.rs"]
mod record;
#[path = "src/policy/syntax.rs"]
mod syntax;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use cel::parser::PrattParser;
use record::{hash, write_number as number, write_text};
use saphyr_parser::{Event, Parser, ScalarStyle};

/// Where the examples of a policy begin; judging does without them, and they are most of the text.
const EXAMPLES: &str = "\nexamples:\n";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=policies");
    println!("cargo::rerun-if-changed=src/policy/facts");
    println!("cargo::rerun-if-changed=src/record.rs");
    println!("cargo::rerun-if-changed=src/policy/syntax.rs");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let policies = root.join("policies");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut paths = Vec::new();
    collect(&policies, &mut paths)?;
    let mut named = Vec::new();
    for path in paths {
        let below = path.strip_prefix(&policies)?.to_str().ok_or("a path is not UTF-8")?.replace('\\', "/");
        // `base.yaml`, which examples are merged over, is no policy.
        if below.contains('/') && path.extension().is_some_and(|extension| extension == "yaml") {
            named.push((below, path));
        }
    }
    named.sort();
    let (mut list, mut records, mut expressions) = (String::from("&[\n"), Vec::new(), BTreeSet::new());
    for (below, path) in named {
        let whole = fs::read_to_string(&path)?;
        let text = whole.find(EXAMPLES).and_then(|at| whole.get(..=at)).unwrap_or(&whole);
        let start = records.len();
        let scopes = match read(text) {
            Some((record, tree)) => {
                records.extend(record);
                expressions_of(&tree, &mut expressions);
                Scopes::of(&tree)
            }
            // What cannot be recorded is read as text when the tool runs, and whatever is wrong with it is said then.
            None => Scopes::everything(),
        };
        writeln!(
            list,
            "Embedded {{ path: {below:?}, text: include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?})), \
             judging: {}, record: ({}, {}), blueprint: {}, sections: [{}, {}] }},",
            format!("/policies/{below}"),
            literal(text.len()),
            literal(start),
            literal(records.len()),
            scopes.blueprint,
            scopes.terraform.written(),
            scopes.kubernetes.written(),
        )?;
    }
    list.push_str("]\n");
    fs::write(out.join("policies.rs"), list)?;
    fs::write(out.join("policies.bin"), records)?;
    let (table, records) = parsed(&expressions)?;
    fs::write(out.join("expressions.rs"), table)?;
    fs::write(out.join("expressions.bin"), records)?;
    let (table, records) = facts(&root.join("src/policy/facts"))?;
    fs::write(out.join("facts.rs"), table)?;
    fs::write(out.join("facts.bin"), records)?;
    Ok(())
}

/// The tables of facts, as Rust code: of each its name, its text and where its record begins and ends. And the records.
fn facts(directory: &Path) -> Result<(String, Vec<u8>), Box<dyn Error>> {
    let mut paths = Vec::new();
    collect(directory, &mut paths)?;
    paths.sort();
    let (mut code, mut records) = (String::from("&[\n"), Vec::new());
    for path in paths {
        let name = path.file_stem().and_then(|name| name.to_str()).ok_or("a path is not UTF-8")?;
        let start = records.len();
        if let Some((record, _)) = read(&fs::read_to_string(&path)?) {
            records.extend(record);
        }
        let (start, end) = (literal(start), literal(records.len()));
        writeln!(
            code,
            "Table {{ name: {name:?}, text: include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \
             \"/src/policy/facts/{name}.yaml\")), record: ({start}, {end}) }},"
        )?;
    }
    code.push_str("]\n");
    Ok((code, records))
}

/// Collects the expressions of a policy's rules: those that decide, and those inside of messages.
fn expressions_of(policy: &Tree, found: &mut BTreeSet<String>) {
    for kind in ["blueprint", "terraform", "kubernetes"] {
        let Some(rules) = policy.get("rules").and_then(|rules| rules.get(kind)) else { continue };
        for rule in rules.each() {
            let deciding = ["when", "assert", "aliasAsserts"].map(|key| rule.get(key));
            for written in deciding.into_iter().flatten() {
                match written {
                    Tree::Text(text) => {
                        found.insert(text.clone());
                    }
                    Tree::Map(entries) => found.extend(entries.iter().filter_map(|(_, value)| match value {
                        Tree::Text(text) => Some(text.clone()),
                        Tree::List(_) | Tree::Map(_) => None,
                    })),
                    Tree::List(_) => {}
                }
            }
            for message in ["message", "help"].map(|key| rule.get(key)) {
                let Some(Tree::Text(message)) = message else { continue };
                let inside = message.split("{{").skip(1).filter_map(|text| text.split_once("}}"));
                found.extend(inside.map(|(text, _)| text.to_owned()));
            }
        }
    }
}

/// A table of expressions by the hash of their text, as Rust code, and their records: of each its text and its tree. What does
/// not parse has none, and what is wrong with it is said when the tool runs.
fn parsed(expressions: &BTreeSet<String>) -> Result<(String, Vec<u8>), Box<dyn Error>> {
    let (mut table, mut records) = (Vec::new(), Vec::new());
    for text in expressions {
        let Ok(tree) = PrattParser::new().enable_ident_escape_syntax(true).parse(text) else { continue };
        let mut one = Vec::new();
        write_text(&mut one, text);
        if syntax::write(&mut one, &tree).is_some() {
            table.push((hash(text), u32::try_from(records.len())?));
            records.extend(one);
        }
    }
    table.sort_unstable();
    let mut code = String::from("&[\n");
    for (hash, start) in table {
        let digits = format!("{hash:016x}");
        let groups = [digits.get(..4), digits.get(4..8), digits.get(8..12), digits.get(12..)];
        let groups: Vec<&str> = groups.into_iter().flatten().collect();
        writeln!(code, "(0x{}, {}),", groups.join("_"), literal(start.try_into()?))?;
    }
    code.push_str("]\n");
    Ok((code, records))
}

/// A number as Rust code writes it: `100_678`.
fn literal(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

/// As much of a YAML tree as is needed here.
#[derive(Clone)]
enum Tree {
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            Self::Text(_) | Self::List(_) => None,
        }
    }

    /// The items of a list; anything else is one.
    fn each(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            other => std::slice::from_ref(other),
        }
    }
}

/// What is not complete yet, with the number of its anchor.
enum Frame {
    List(usize, Vec<Tree>),
    Map(usize, Vec<(String, Tree)>, Option<String>),
}

/// The record of a text, in the form that `src/source/yaml/recorded.rs` describes, and its tree. `None` if it is not plain:
/// if it has a fault or a tag.
fn read(text: &str) -> Option<(Vec<u8>, Tree)> {
    // The parser counts characters.
    let mut bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    bytes.push(text.len());
    let mut record = Vec::new();
    let mut stack = Vec::new();
    let mut root = None;
    let mut anchored: BTreeMap<usize, Tree> = BTreeMap::new();
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let (event, span) = next.ok()?;
        let at = |marker: &saphyr_parser::Marker| bytes.get(marker.index()).copied().unwrap_or(text.len());
        let (start, end) = (at(&span.start), at(&span.end));
        let (kind, anchor, value) = match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => continue,
            Event::DocumentStart(_) if root.is_none() => (0, 0, None),
            Event::Alias(anchor) => (5, anchor, Some(anchored.get(&anchor)?.clone())),
            Event::Scalar(said, style, anchor, None) => {
                let verbatim = text.get(start..end) == Some(&*said);
                let style = match style {
                    ScalarStyle::Plain => 0,
                    ScalarStyle::SingleQuoted => 1,
                    ScalarStyle::DoubleQuoted => 2,
                    ScalarStyle::Literal => 3,
                    ScalarStyle::Folded => 4,
                };
                record.push(16 + style + if verbatim { 8 } else { 0 });
                number(&mut record, start);
                number(&mut record, end);
                number(&mut record, anchor);
                if !verbatim {
                    number(&mut record, said.len());
                    record.extend(said.as_bytes());
                }
                let value = Tree::Text(said.into_owned());
                anchored.insert(anchor, value.clone());
                put(&mut stack, &mut root, value)?;
                continue;
            }
            Event::SequenceStart(anchor, None) => {
                stack.push(Frame::List(anchor, Vec::new()));
                (1, anchor, None)
            }
            Event::MappingStart(anchor, None) => {
                stack.push(Frame::Map(anchor, Vec::new(), None));
                (2, anchor, None)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let (kind, anchor, value) = match stack.pop()? {
                    Frame::List(anchor, items) => (3, anchor, Tree::List(items)),
                    Frame::Map(anchor, entries, _) => (4, anchor, Tree::Map(entries)),
                };
                anchored.insert(anchor, value.clone());
                (kind, 0, Some(value))
            }
            // A second document, or a tag.
            _ => return None,
        };
        record.push(kind);
        number(&mut record, start);
        number(&mut record, end);
        number(&mut record, anchor);
        if let Some(value) = value {
            put(&mut stack, &mut root, value)?;
        }
    }
    Some((record, root?))
}

fn put(stack: &mut [Frame], root: &mut Option<Tree>, value: Tree) -> Option<()> {
    match stack.last_mut() {
        None => *root = Some(value),
        Some(Frame::List(_, items)) => items.push(value),
        Some(Frame::Map(_, entries, key)) => match (key.take(), value) {
            (Some(name), value) => entries.push((name, value)),
            (None, Tree::Text(name)) => *key = Some(name),
            (None, _) => return None,
        },
    }
    Some(())
}

/// What the rules of a policy look at.
struct Scopes {
    blueprint: bool,
    terraform: Section,
    kubernetes: Section,
}

/// The rules of one kind.
#[derive(Default)]
struct Section {
    /// Whether there are some.
    there: bool,
    /// Whether they have something to say whatever there is: they look at everything, or say what they lack.
    always: bool,
    /// The types of resources, or kinds of objects.
    names: Vec<String>,
}

impl Scopes {
    fn everything() -> Self {
        let section = || Section { there: true, always: true, names: Vec::new() };
        Self { blueprint: true, terraform: section(), kubernetes: section() }
    }

    fn of(policy: &Tree) -> Self {
        let rules = |kind| policy.get("rules").and_then(|rules| rules.get(kind));
        Self {
            blueprint: rules("blueprint").is_some(),
            terraform: Section::of(rules("terraform"), "resource", "block", |name| {
                name.strip_prefix("data.").unwrap_or(name)
            }),
            kubernetes: Section::of(rules("kubernetes"), "kind", "workload", |name| {
                name.split('.').next().unwrap_or(name)
            }),
        }
    }
}

impl Section {
    fn of(rules: Option<&Tree>, key: &str, whole: &str, name: impl Fn(&str) -> &str) -> Self {
        let Some(rules) = rules else { return Self::default() };
        let mut section = Self { there: true, ..Self::default() };
        for rule in rules.each() {
            section.always |= rule.get(whole).is_some() || rule.get("needs").is_some();
            for written in rule.get(key).map_or(&[][..], Tree::each) {
                match written {
                    Tree::Text(written) if written != "*" => section.names.push(name(written).to_owned()),
                    _ => section.always = true,
                }
            }
        }
        section.names.sort();
        section.names.dedup();
        section
    }

    fn written(&self) -> String {
        if self.there {
            format!("Some(Section {{ always: {}, names: &{:?} }})", self.always, self.names)
        } else {
            "None".to_owned()
        }
    }
}
