//! Every function of the Terraform language, held against `terraform console`.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "terraform is looked for, and a test that cannot run says so"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use base64::Engine as _;
use camino::{Utf8Path, Utf8PathBuf};
use nexafi_gen::source::{SourceFile, Sources, Value};
use nexafi_gen::terraform::{self, Files, Tree, Unread};

/// Functions whose result is not known by design, and why.
const UNKNOWN: &[(&str, &str)] = &[
    ("abspath", "depends on where Terraform runs"),
    ("base64gzip", "its bytes are those of Go's compressor"),
    ("bcrypt", "adds a random salt"),
    ("plantimestamp", "is the time"),
    ("timestamp", "is the time"),
    ("uuid", "is random"),
];

/// Expressions of which we say that they are not known although Terraform knows, and why.
const NOT_KNOWN_HERE: &[(&str, &str)] = &[
    ("1 / 0", "infinity"),
    ("can(1 / 0)", "infinity"),
    ("try(1 / 0)", "infinity"),
    ("pow(0, -1)", "infinity"),
    ("cidrsubnet(\"10.0.0.0/24\", -1, 0)", "no subnet at all"),
    ("cidrsubnet(\"10.0.0.0/24\", 4, -1)", "no subnet at all"),
    ("textdecodebase64(\"SGVsbG8=\", \"no-such\")", "not all encodings are here"),
    ("textencodebase64(\"é\", \"big5\")", "browsers have other letters in it"),
    ("textencodebase64(\"é\", \"IBM437\")", "not all encodings are here"),
    ("timeadd(\"9999-12-31T23:59:59Z\", \"1s\")", "past the calendar"),
    ("yamldecode(\"[.inf]\")", "infinity"),
    ("yamldecode(\"\\ta: 1\")", "the parser lets tabs pass"),
];

/// What else the module has that the expressions stand in.
const AROUND: &str = r#"
variable "s" {
  default   = "sss"
  sensitive = true
}
locals {
  template = "Hello, $${name}!"
  here     = { a = 1 }
  l        = ["a", var.s]
  m        = { a = "x", b = var.s }
  ml       = sensitive(["a", "b"])
  mm       = sensitive({ a = "x" })
}
"#;

fn expressions() -> Vec<(&'static str, &'static str)> {
    let mut function = "";
    let mut expressions = Vec::new();
    for line in include_str!("../fixtures/functions.txt").lines() {
        if let Some(heading) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'))
            && heading.bytes().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        {
            function = heading;
        } else if !line.is_empty() && !line.starts_with('#') {
            expressions.push((function, line));
        }
    }
    expressions
}

/// Whether Terraform is there; without it a test is skipped, except in CI.
fn terraform_is_there() -> bool {
    let there = Command::new("terraform").arg("version").output().is_ok();
    assert!(there || std::env::var("CI").as_deref() != Ok("true"), "terraform is not on PATH");
    if !there {
        eprintln!("skipped: terraform is not on PATH");
    }
    there
}

/// Files in memory, as a module's directory.
#[derive(Debug, Default)]
struct Memory(BTreeMap<Utf8PathBuf, Vec<u8>>);

impl Memory {
    fn of(directory: &Utf8Path) -> Self {
        let files = walkdir::WalkDir::new(directory).into_iter().map(Result::unwrap);
        Self(
            files
                .filter(|entry| entry.file_type().is_file())
                .map(|entry| {
                    let path = Utf8Path::from_path(entry.path()).unwrap();
                    (path.strip_prefix(directory).unwrap().to_owned(), std::fs::read(path).unwrap())
                })
                .collect(),
        )
    }
}

impl Files for Memory {
    fn read(&self, path: &Utf8Path) -> Result<Vec<u8>, Unread> {
        self.0.get(path).cloned().ok_or(Unread::Missing)
    }

    fn list(&self, directory: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Unread> {
        Ok(self
            .0
            .keys()
            .filter_map(|path| path.strip_prefix(directory).ok().map(Utf8Path::to_owned))
            .collect())
    }
}

fn fixtures() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/functions")
}

/// The values of expressions as this tool has them: JSON, or `null` where Terraform would refuse.
fn ours(expressions: &[&str], files: Arc<dyn Files>) -> Vec<Value> {
    let mut text = AROUND.to_owned();
    text.push_str("locals {\n");
    for (at, expression) in expressions.iter().enumerate() {
        writeln!(text, "  case{at} = try(jsonencode({expression}), null)").unwrap();
    }
    text.push_str("}\n");
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("main.tf".to_owned(), text));
    let directory = terraform::parse(&sources, &[id]).beside(files);
    let (module, findings) = terraform::evaluate(&sources, &Tree::alone(directory), &BTreeMap::new());
    let lines = sources.get(id).unwrap();
    let broken = findings.iter().find(|finding| {
        finding.message.starts_with("not valid Terraform") && !finding.message.contains("takes")
    });
    if let Some(broken) = broken {
        panic!(
            "{}: {:?}",
            broken.message,
            lines.text().lines().nth(lines.line_column(broken.span.start as usize).line - 1)
        );
    }
    let locals: Vec<_> = module.blocks_of("locals").collect();
    let values = &locals.last().expect("the module parses").body;
    (0..expressions.len())
        .map(|at| values.get(&format!("case{at}")).expect("a value for each").value.clone())
        .collect()
}

/// The same from one run of `terraform console`.
fn theirs(expressions: &[&str]) -> Vec<Option<String>> {
    let directory = tempfile::tempdir().unwrap();
    let directory = Utf8Path::from_path(directory.path()).unwrap();
    for (path, bytes) in &Memory::of(&fixtures()).0 {
        std::fs::create_dir_all(directory.join(path).parent().unwrap()).unwrap();
        std::fs::write(directory.join(path), bytes).unwrap();
    }
    let mut text = AROUND.to_owned();
    text.push_str("locals {\n  results = [\n");
    for expression in expressions {
        writeln!(text, "    try(jsonencode({expression}), null),").unwrap();
    }
    text.push_str("  ]\n}\n");
    // Beside the fixtures, where no pattern of `fileset` finds it.
    std::fs::write(directory.join("main.tf"), text).unwrap();
    let mut console = Command::new("terraform")
        .args(["console", "-no-color"])
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    console
        .stdin
        .take()
        .unwrap()
        .write_all(b"base64encode(nonsensitive(jsonencode(local.results)))\n")
        .unwrap();
    let output = console.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let line = said.trim().trim_matches('"');
    let json = base64::engine::general_purpose::STANDARD
        .decode(line)
        .unwrap_or_else(|_| panic!("{line}\n{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_slice(&json).unwrap()
}

#[test]
fn every_expression_is_what_terraform_says() {
    if !terraform_is_there() {
        return;
    }
    let cases = expressions();
    let expressions: Vec<&str> = cases.iter().map(|(_, expression)| *expression).collect();
    let (ours, theirs) = (ours(&expressions, Arc::new(Memory::of(&fixtures()))), theirs(&expressions));
    let mut differences = String::new();
    let mut count = 0;
    for ((expression, ours), theirs) in expressions.iter().zip(&ours).zip(&theirs) {
        let same = match (ours, theirs) {
            (Value::Null, None) => true,
            (Value::Str(ours), Some(theirs)) => **ours == **theirs,
            (Value::Unknown(_) | Value::List(_), _) => {
                NOT_KNOWN_HERE.iter().any(|(known, _)| known == expression)
            }
            _ => false,
        };
        if !same {
            count += 1;
            let theirs = theirs.as_deref().unwrap_or("refused");
            let ours = match ours {
                Value::Null => "refused".to_owned(),
                Value::Str(text) => text.to_string(),
                other => format!("{other:?}"),
            };
            writeln!(differences, "{expression}\n  terraform: {theirs}\n  here:      {ours}").unwrap();
        }
    }
    assert!(differences.is_empty(), "{count} of {} differ:\n{differences}", expressions.len());
}

#[test]
fn every_function_of_terraform_has_three_expressions() {
    if !terraform_is_there() {
        return;
    }
    let output = Command::new("terraform").args(["metadata", "functions", "-json"]).output().unwrap();
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let listed: BTreeSet<&str> = listed["function_signatures"]
        .as_object()
        .unwrap()
        .keys()
        .map(|name| name.strip_prefix("core::").unwrap_or(name))
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (function, expression) in expressions() {
        if expression.contains(&format!("{function}(")) {
            *counts.entry(function).or_default() += 1;
        }
    }
    for (function, reason) in UNKNOWN {
        assert!(listed.contains(function) && !reason.is_empty(), "{function}");
        assert!(!counts.contains_key(function), "{function} is not known by design");
        let call = match *function {
            "plantimestamp" | "timestamp" | "uuid" => format!("{function}()"),
            _ => format!("{function}(\"x\")"),
        };
        assert!(matches!(ours(&[&call], Arc::new(Memory::default()))[..], [Value::Unknown(_)]), "{call}");
    }
    let too_few: Vec<_> = listed
        .iter()
        .filter(|name| !UNKNOWN.iter().any(|(unknown, _)| unknown == *name))
        .filter(|name| counts.get(**name).copied().unwrap_or(0) < 3)
        .collect();
    assert!(too_few.is_empty(), "fewer than three expressions: {too_few:?}");
    let strange: Vec<_> = counts.keys().filter(|name| !listed.contains(**name)).collect();
    assert!(strange.is_empty(), "no function of Terraform: {strange:?}");
}
