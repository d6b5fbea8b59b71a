//! Edits of YAML text: one value changes, and nothing else does.

use nexafi_gen::source::edit::{Refusal, set};
use nexafi_gen::source::{FileId, SourceFile, yaml};
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(text: &str) -> Value {
    let read = yaml::read(FileId::default(), &SourceFile::new("a.yaml", text.to_owned()));
    assert_eq!(read.findings, [], "{text}");
    read.documents[0].to_json()
}

/// Sets a value at a path written with dots.
fn edited(text: &str, path: &str, value: &Value) -> Result<Option<String>, Refusal> {
    set(text, &path.split('.').collect::<Vec<_>>(), value)
}

/// Each case: what is there, the path, the value, what is there then.
#[test]
fn values_are_replaced_and_added_as_a_person_would() {
    let cases = [
        // A value that is there.
        ("a: 1 # one\nb: 2\n", "a", json!(3), "a: 3 # one\nb: 2\n"),
        ("a: \"x\" # one\n", "a", json!("y"), "a: \"y\" # one\n"),
        ("a: 'x'\n", "a", json!("it's"), "a: 'it''s'\n"),
        ("a: x\n", "a", json!("4.2"), "a: \"4.2\"\n"),
        ("a: x\n", "a", json!("yes"), "a: \"yes\"\n"),
        ("a: 'x'\n", "a", json!(true), "a: true\n"),
        ("{a: 1, b: {c: x}}\n", "b.c", json!("REJECT"), "{a: 1, b: {c: REJECT}}\n"),
        ("a:\n  - b: 1\n    c: 2\n", "a.0.c", json!(5), "a:\n  - b: 1\n    c: 5\n"),
        // Over several lines.
        ("a: |\n  x # no comment\n  y\nb: 2\n", "a", json!("z"), "a: z\nb: 2\n"),
        ("a: >- \n  x\n\n# c\nb: 2\n", "a", json!(1), "a: 1\n\n# c\nb: 2\n"),
        ("a: x\n  y\nb: 2\n", "a", json!("z"), "a: z\nb: 2\n"),
        ("a: \"x\n  y\" # c\n", "a", json!("z"), "a: \"z\" # c\n"),
        // Lists keep their style.
        ("a: [x, y] # c\n", "a", json!(["z"]), "a: [z] # c\n"),
        ("a:\n- x\n- v\nb: 1\n", "a", json!(["v", "w"]), "a:\n- v\n- w\nb: 1\n"),
        ("a:\n    - x\n", "a", json!(["x", "z"]), "a:\n    - x\n    - z\n"),
        ("a:\n  - x\nb: 1\n", "a", json!([]), "a: []\nb: 1\n"),
        ("a:\n  b: 1\n  c: 2\nd: 1\n", "a", json!(3), "a: 3\nd: 1\n"),
        // Nothing written.
        ("a:\nb: 1\n", "a", json!(3), "a: 3\nb: 1\n"),
        ("a: # c\nb: 1\n", "a.x", json!(3), "a: {x: 3} # c\nb: 1\n"),
        ("a: ~\n", "a.x.z", json!(true), "a: {x: {z: true}}\n"),
        ("{a, b: 1}\n", "a", json!(3), "{a: 3, b: 1}\n"),
        ("{a: , b: 1}\n", "a", json!(3), "{a: 3 , b: 1}\n"),
        // A key that is missing: after its last sibling, before what is said above the next mapping.
        (
            "a:\n  b: 1 # one\n\n# about c\nc: 2\n",
            "a.x",
            json!(3),
            "a:\n  b: 1 # one\n  x: 3\n\n# about c\nc: 2\n",
        ),
        ("a:\n  b:\n    c: 1\nd: 2\n", "a.x", json!("y z"), "a:\n  b:\n    c: 1\n  x: \"y z\"\nd: 2\n"),
        ("a:\n  b: |\n    text\n\nc: 2\n", "a.x", json!(3), "a:\n  b: |\n    text\n  x: 3\n\nc: 2\n"),
        ("a:\n  b: |+\n    text\n\nc: 2\n", "a.x", json!(3), "a:\n  b: |+\n    text\n\n  x: 3\nc: 2\n"),
        ("a:\n  b: 1", "a.x", json!(3), "a:\n  b: 1\n  x: 3"),
        ("a: 1\n", "x.v.z", json!([1, "b"]), "a: 1\nx: {v: {z: [1, b]}}\n"),
        ("- a: 1\n- b: 2\n", "0.x", json!(3), "- a: 1\n  x: 3\n- b: 2\n"),
        ("a:\n", "a.b", json!(null), "a: {b: null}\n"),
        ("é: \"ü\" # ö\nä:\n  ö: 1\n", "ä.x", json!("ß"), "é: \"ü\" # ö\nä:\n  ö: 1\n  x: \"ß\"\n"),
        // In braces.
        ("a: {}\n", "a.x", json!(3), "a: {x: 3}\n"),
        ("a: { }\n", "a.x", json!(3), "a: {x: 3}\n"),
        ("a: {b: 1} # c\n", "a.x", json!(3), "a: {b: 1, x: 3} # c\n"),
        ("a: {b: 1, }\n", "a.x", json!(3), "a: {b: 1, x: 3, }\n"),
        (
            "a: {\n  b: 1, # one\n  c: 2 # two\n}\n",
            "a.x",
            json!(3),
            "a: {\n  b: 1, # one\n  c: 2, # two\n  x: 3\n}\n",
        ),
        ("a: {\n  b: 1, # one\n}\n", "a.x", json!(3), "a: {\n  b: 1, # one\n  x: 3,\n}\n"),
        ("{\"a\": {\"b\": 1}}", "a.x", json!("y"), "{\"a\": {\"b\": 1, \"x\": \"y\"}}"),
        // Line endings.
        ("a: 1\r\nb:\r\n  c: 2\r\n", "b.x", json!(3), "a: 1\r\nb:\r\n  c: 2\r\n  x: 3\r\n"),
        ("a: 1\r\nb: 2", "x", json!(3), "a: 1\r\nb: 2\r\nx: 3"),
        // An alias in the way is replaced itself, and a key beats what is merged in.
        ("a: &x 1\nb: *x\n", "b", json!(3), "a: &x 1\nb: 3\n"),
        ("a: &x {c: 1}\nb: {<<: *x}\n", "b.c", json!(3), "a: &x {c: 1}\nb: {<<: *x, c: 3}\n"),
        (
            "a: &x {c: 1}\nb:\n  <<: *x\n  d: 1\n",
            "b.e",
            json!(3),
            "a: &x {c: 1}\nb:\n  <<: *x\n  d: 1\n  e: 3\n",
        ),
        // An anchor that nothing repeats.
        ("a: &x 1\n", "a", json!(3), "a: &x 3\n"),
    ];
    for (text, path, value, expected) in cases {
        let new = edited(text, path, &value);
        let new = new.unwrap_or_else(|refusal| panic!("{text:?} {path}: {refusal}"));
        assert_eq!(new.as_deref().unwrap_or(text), expected, "{text:?} {path}");
        // And once is enough.
        assert_eq!(edited(expected, path, &value), Ok(None), "{expected:?} {path}");
    }
}

#[test]
fn what_would_change_other_places_or_lose_something_is_refused_with_its_line() {
    let cases = [
        ("a: &x {c: 1}\nb: *x\n", "b.c", "line 2 repeats by an alias"),
        ("a: &x {c: 1}\nb: *x\n", "a.c", "line 1 marks by an anchor"),
        ("z: 1\na: &x 1\nb: *x\n", "a", "line 2 marks by an anchor"),
        ("a: &x {c: {d: 1}}\nb:\n  <<: *x\n", "b.c.d", "`c` comes from a merge key"),
        ("a: [1, # one\n 2]\n", "a", "line 1 holds comments"),
        ("a:\n  # about b\n  b: 1\n", "a", "line 1 holds comments"),
        ("a: | # about a\n  x\n", "a", "line 1 holds comments"),
        ("a: !!str 5\n", "a", "line 1 has a tag"),
        ("z: 1\na: 5\n", "a.b", "`b` cannot be written into what stands at line 2"),
        ("a: [1]\n", "a.3", "`3` cannot be written into what stands at line 1"),
        ("a: [\n", "a", "the file cannot be read to its end"),
        ("a: 1\n---\nb: 1\n", "a", "the file cannot be read to its end"),
        ("a: 1\na: 2\n", "a", "the file cannot be read to its end"),
        ("[a]: 1\n", "a", "the file cannot be read to its end"),
        ("? a\n: 1\n? b\n", "b", "the way line 3 is written"),
    ];
    for (text, path, expected) in cases {
        match edited(text, path, &json!("new")) {
            Err(refusal) => assert!(refusal.to_string().starts_with(expected), "{text:?} {path}: {refusal}"),
            Ok(new) => panic!("{text:?} {path}: {new:?}"),
        }
    }
}

/// A value with the way it is written.
#[derive(Debug, Clone)]
enum Written {
    Scalar(&'static str),
    /// A block scalar: its header and its lines.
    Text(&'static str, Vec<&'static str>),
    Map(bool, Vec<(&'static str, Written)>),
    List(bool, Vec<Written>),
}

const SCALARS: [&str; 17] = [
    "1",
    "true",
    "plain",
    "two words",
    "it's",
    "\"quoted # no comment\"",
    "'it''s'",
    "\"a\\\"b\"",
    "~",
    "",
    "a:b",
    "x#y",
    "ü ß",
    "\"\\u00e9\"",
    "-1.5",
    "10.0.0.0/16",
    "'{no, map}'",
];
const KEYS: [&str; 6] = ["alpha", "b", "\"quoted key\"", "ключ", "e-1", "'f'"];

fn written() -> impl Strategy<Value = Written> {
    let scalar = prop::sample::select(SCALARS.to_vec()).prop_map(Written::Scalar);
    let text = (
        prop::sample::select(vec!["|", "|-", ">", ">-", "|+", ">+"]),
        prop::collection::vec(prop::sample::select(vec!["text", "# text", "a: b", ""]), 1..3),
    )
        .prop_map(|(header, mut lines)| {
            lines.insert(0, "first");
            Written::Text(header, lines)
        });
    let leaf = prop_oneof![5 => scalar, 1 => text];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let entries = prop::sample::subsequence(KEYS.to_vec(), 0..=5);
        let map = (any::<bool>(), entries, prop::collection::vec(inner.clone(), 5)).prop_map(
            |(flow, keys, values)| {
                // Without braces a mapping has at least one entry.
                Written::Map(flow || keys.is_empty(), keys.into_iter().zip(values).collect())
            },
        );
        let list = (any::<bool>(), prop::collection::vec(inner, 0..4))
            .prop_map(|(flow, items)| Written::List(flow || items.is_empty(), items));
        prop_oneof![2 => map, 1 => list]
    })
}

fn document() -> impl Strategy<Value = Written> {
    (any::<bool>(), prop::collection::vec(written(), 5))
        .prop_map(|(flow, values)| Written::Map(flow, KEYS.into_iter().zip(values).collect()))
}

/// Prints a document; `coins` decide where comments and empty lines go.
struct Printer<'a> {
    text: String,
    coins: &'a [bool],
    at: usize,
    comments: usize,
}

impl Printer<'_> {
    fn coin(&mut self) -> bool {
        self.at += 1;
        self.coins[self.at % self.coins.len()]
    }

    /// The end of a line, with a comment of a number of its own or without.
    fn line(&mut self) {
        if self.coin() && self.coin() {
            self.comments += 1;
            self.text.push_str(&format!(" #c{}#", self.comments));
        }
        self.text.push('\n');
    }

    /// What may stand between two lines.
    fn between(&mut self, indent: usize) {
        if self.coin() && self.coin() && self.coin() {
            self.comments += 1;
            self.text.push_str(&format!("{}#c{}#\n", " ".repeat(indent), self.comments));
        }
        if self.coin() && self.coin() && self.coin() {
            self.text.push('\n');
        }
    }

    fn flow(&mut self, value: &Written) {
        match value {
            Written::Scalar(text) => {
                let plain = text.starts_with(|first: char| first.is_alphanumeric());
                self.text.push_str(if plain && text.contains(['\'', ' ', '#', ':']) {
                    "other"
                } else {
                    text
                });
            }
            Written::Text(..) => self.text.push_str("\"text\""),
            Written::Map(_, entries) => {
                let lines = self.coin() && self.coin();
                self.text.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    let blank = if at > 0 && !lines { " " } else { "" };
                    self.text.push_str(blank);
                    if lines {
                        self.line();
                        self.text.push_str(&" ".repeat(12));
                    }
                    self.text.push_str(&format!("{key}: "));
                    self.flow(value);
                    if at + 1 < entries.len() || self.coin() && self.coin() {
                        self.text.push(',');
                    }
                }
                if lines {
                    self.line();
                    self.text.push_str(&" ".repeat(10));
                }
                self.text.push('}');
            }
            Written::List(_, items) => {
                self.text.push('[');
                for (at, item) in items.iter().enumerate() {
                    let null = matches!(item, Written::Scalar(""));
                    if null {
                        self.text.push('~');
                    } else {
                        self.flow(item);
                    }
                    if at + 1 < items.len() {
                        self.text.push_str(", ");
                    }
                }
                self.text.push(']');
            }
        }
    }

    /// A value behind `key:` or `-`.
    fn value(&mut self, value: &Written, indent: usize) {
        match value {
            Written::Map(false, entries) => {
                self.line();
                for (key, value) in entries {
                    self.between(indent + 2);
                    self.text.push_str(&format!("{}{key}:", " ".repeat(indent + 2)));
                    self.value(value, indent + 2);
                }
            }
            Written::List(false, items) => {
                self.line();
                let inner = if self.coin() { indent + 2 } else { indent + 4 };
                for item in items {
                    self.between(inner);
                    self.text.push_str(&format!("{}-", " ".repeat(inner)));
                    self.value(item, inner);
                }
            }
            Written::Text(header, lines) => {
                self.text.push_str(&format!(" {header}"));
                self.line();
                for line in lines {
                    let line = if line.is_empty() {
                        String::new()
                    } else {
                        format!("{}{line}", " ".repeat(indent + 3))
                    };
                    self.text.push_str(&line);
                    self.text.push('\n');
                }
            }
            Written::Scalar(text) => {
                self.text.push_str(if text.is_empty() { "" } else { " " });
                self.text.push_str(text);
                self.line();
            }
            flow => {
                self.text.push(' ');
                self.flow(flow);
                self.line();
            }
        }
    }
}

fn print(document: &Written, coins: &[bool]) -> String {
    let mut printer = Printer { text: String::new(), coins, at: 0, comments: 0 };
    match document {
        Written::Map(false, entries) => {
            for (key, value) in entries {
                printer.between(0);
                printer.text.push_str(&format!("{key}:"));
                printer.value(value, 0);
            }
        }
        flow => {
            printer.flow(flow);
            printer.line();
        }
    }
    printer.text
}

fn comments(text: &str) -> Vec<&str> {
    text.split("#c").skip(1).filter_map(|rest| rest.split_once('#')).map(|(number, _)| number).collect()
}

/// A way down a document that the numbers choose, perhaps with a key or two that are not there.
fn walk(json: &Value, choices: &[usize]) -> Vec<String> {
    let mut path = Vec::new();
    let mut at = json;
    for choice in choices {
        match at {
            Value::Object(map) if choice % 4 == 0 || map.is_empty() => {
                path.push("new".to_owned());
                if choice % 8 == 0 {
                    path.push("deeper".to_owned());
                }
                return path;
            }
            Value::Object(map) => {
                let (key, value) = map.iter().nth(choice % map.len()).unwrap();
                path.push(key.clone());
                at = value;
            }
            Value::Array(items) if !items.is_empty() => {
                path.push((choice % items.len()).to_string());
                at = &items[choice % items.len()];
            }
            _ => break,
        }
        if choice % 5 == 0 {
            break;
        }
    }
    path
}

/// What the text should say then, worked out without the editor.
fn with(mut json: Value, path: &[String], value: &Value) -> Value {
    let mut at = &mut json;
    for step in path {
        if at.is_null() {
            *at = json!({});
        }
        at = match at {
            Value::Array(items) => items.get_mut(step.parse::<usize>().unwrap()).unwrap(),
            Value::Object(map) => map.entry(step.clone()).or_insert(Value::Null),
            other => panic!("{step} in {other}"),
        };
    }
    *at = value.clone();
    json
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(true)),
        Just(json!(30)),
        Just(json!("platform")),
        Just(json!("4.2")),
        Just(json!(["api", "audit"])),
        Just(json!({"a": {"b": [1, "x y"]}})),
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn one_value_changes_and_every_other_value_and_comment_stays(
        document in document(),
        coins in prop::collection::vec(any::<bool>(), 31),
        choices in prop::collection::vec(any::<usize>(), 1..6),
        value in values(),
    ) {
        let text = print(&document, &coins);
        let before = read(&text);
        let path = walk(&before, &choices);
        let steps: Vec<&str> = path.iter().map(String::as_str).collect();
        match set(&text, &steps, &value) {
            Ok(Some(new)) => {
                prop_assert_eq!(read(&new), with(before, &path, &value));
                prop_assert_eq!(comments(&new), comments(&text));
                // Lines in front of the edit and behind it are the same bytes.
                let changed = similar::TextDiff::from_lines(text.as_str(), new.as_str());
                let edits = changed.ops().iter().filter(|op| op.tag() != similar::DiffTag::Equal).count();
                prop_assert!(edits <= 2, "{}\n->\n{}", text, new);
                prop_assert_eq!(set(&new, &steps, &value), Ok(None));
                // The same with the line endings of Windows.
                if !new.contains('\r') && !text.contains('\r') {
                    let windows = set(&text.replace('\n', "\r\n"), &steps, &value);
                    prop_assert_eq!(windows, Ok(Some(new.replace('\n', "\r\n"))));
                }
            }
            Ok(None) => prop_assert_eq!(with(before.clone(), &path, &value), before),
            // Only for the reasons that are meant.
            Err(Refusal::Comments { .. }) => prop_assert!(!comments(&text).is_empty()),
            // An item of nothing, or of a text over several lines.
            Err(Refusal::Unproven { .. }) => {
                prop_assert!(["-\n", "- #", "- |", "- >"].iter().any(|item| text.contains(item)), "{}", text);
            }
            Err(refusal) => prop_assert!(false, "{:?} at {:?} in\n{}", refusal, path, text),
        }
    }

    #[test]
    fn no_text_makes_the_editor_panic(text in "[ a-c:{},\\[\\]#&*|>'\"\n\r!?<-]{0,60}", path in prop::collection::vec("[a-c]", 1..3)) {
        let steps: Vec<&str> = path.iter().map(String::as_str).collect();
        if let Ok(Some(new)) = set(&text, &steps, &json!("x")) {
            prop_assert_eq!(set(&new, &steps, &json!("x")), Ok(None));
        }
    }
}
