//! What of a text is Terraform's syntax, and what it means: held against the stock binary, case by case
//! (`tests/fixtures/syntax`).

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "terraform is looked for, and a test that cannot run says so"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use nexafi_gen::source::{Finding, SourceFile, Sources, Value};
use nexafi_gen::terraform::{self, Tree, format::format};

/// One text of a file of cases.
struct Case {
    /// The file and the heading.
    name: String,
    file: &'static str,
    text: String,
    /// In what we differ from Terraform on purpose, and why.
    differs: BTreeMap<String, String>,
}

impl Case {
    fn may_differ(&self, what: &str) -> bool {
        self.differs.contains_key(what)
    }
}

/// The cases of every file: a heading `=== name | options | what: why`, and the text up to the next. Options are `crlf`,
/// `bom`, `unended` (without the last end of line) and `json`; `what` is `verdict`, `line`, `validate`, `value` or
/// `format`. `[U+000C]` is the character of that number.
fn cases() -> Vec<Case> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/syntax");
    let mut cases = Vec::new();
    let files = walkdir::WalkDir::new(directory).sort_by_file_name().into_iter().map(Result::unwrap);
    for file in files.filter(|file| file.path().extension().is_some_and(|extension| extension == "txt")) {
        let construct = file.path().file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(file.path()).unwrap();
        for part in format!("\n{text}").split("\n=== ").skip(1) {
            let (head, body) = part.split_once('\n').unwrap_or((part, ""));
            let mut fields = head.split('|').map(str::trim);
            let name = fields.next().unwrap();
            let (mut options, mut differs) = (BTreeSet::new(), BTreeMap::new());
            for field in fields {
                match field.split_once(": ") {
                    Some((what, why)) => {
                        differs.insert(what.to_owned(), why.to_owned());
                    }
                    None => options.extend(field.split(", ")),
                }
            }
            let mut text = characters(body);
            // The end of line before the next heading belongs to the case.
            if options.contains("unended") {
                text.truncate(text.trim_end_matches('\n').len());
            } else if !text.ends_with('\n') {
                text.push('\n');
            }
            if options.contains("crlf") {
                text = text.replace('\n', "\r\n");
            }
            if options.contains("bom") {
                text.insert(0, '\u{feff}');
            }
            let file = if options.contains("json") { "main.tf.json" } else { "main.tf" };
            cases.push(Case { name: format!("{construct}: {name}"), file, text, differs });
        }
    }
    cases
}

fn characters(text: &str) -> String {
    let mut parts = text.split("[U+");
    let mut plain = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let (number, rest) = part.split_once(']').unwrap();
        plain.push(char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap());
        plain.push_str(rest);
    }
    plain
}

/// Runs terraform in a directory; `None` where there is none, except in CI.
fn run(directory: &Path, arguments: &[&str]) -> Option<Output> {
    let ran = Command::new("terraform").args(arguments).current_dir(directory).output();
    assert!(ran.is_ok() || std::env::var("CI").as_deref() != Ok("true"), "terraform is not on PATH");
    if ran.is_err() {
        eprintln!("skipped: terraform is not on PATH");
    }
    ran.ok()
}

/// Every case in a directory of its own, with a root module that calls those of some.
fn laid_out(cases: &[Case], called: impl Fn(usize) -> bool) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut root = String::new();
    let mut listed = vec![r#"{"Key": "", "Source": "", "Dir": "."}"#.to_owned()];
    for (at, case) in cases.iter().enumerate() {
        let own = directory.path().join(format!("c{at}"));
        std::fs::create_dir(&own).unwrap();
        std::fs::write(own.join(case.file), &case.text).unwrap();
        if called(at) {
            writeln!(root, "module \"c{at}\" {{\n  source = \"./c{at}\"\n}}").unwrap();
            listed.push(format!(r#"{{"Key": "c{at}", "Source": "./c{at}", "Dir": "c{at}"}}"#));
        }
    }
    std::fs::write(directory.path().join("main.tf"), root).unwrap();
    // What `terraform init` writes for modules in directories below.
    let modules = directory.path().join(".terraform/modules");
    std::fs::create_dir_all(&modules).unwrap();
    std::fs::write(modules.join("modules.json"), format!("{{\"Modules\": [{}]}}", listed.join(", ")))
        .unwrap();
    directory
}

/// The number of the case whose file a path names.
fn number(path: &str) -> Option<usize> {
    path.split('/').next()?.strip_prefix('c')?.parse().ok()
}

/// The lines of the faults of syntax we find.
fn ours(case: &Case) -> Vec<usize> {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new(case.file, case.text.clone()));
    lines(sources.get(id).unwrap(), terraform::parse(&sources, &[id]).faults())
}

/// The lines of everything we find.
fn all_of_ours(case: &Case) -> Vec<usize> {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new(case.file, case.text.clone()));
    lines(sources.get(id).unwrap(), &terraform::read(&sources, &[id]).1)
}

fn lines(file: &SourceFile, faults: &[Finding]) -> Vec<usize> {
    let mut lines: Vec<usize> =
        faults.iter().map(|fault| file.line_column(fault.span.start as usize).line).collect();
    lines.sort_unstable();
    lines
}

/// Compares verdicts and the lines of the first faults, and says how they differ.
fn compare(
    cases: &[&Case],
    ours: impl Fn(&Case) -> Vec<usize>,
    theirs: impl Fn(usize) -> Vec<usize>,
) -> String {
    let mut wrong = String::new();
    let (mut refused, mut listed) = (0, 0);
    for (at, case) in cases.iter().enumerate() {
        let (theirs, ours) = (theirs(at), ours(case));
        refused += usize::from(!theirs.is_empty());
        let verdict = theirs.is_empty() == ours.is_empty();
        // Of JSON that is broken, terraform says at its top that it is no object, and then why.
        let first = ours.first();
        let line = theirs.first() == first
            || (case.file != "main.tf" && first.is_some_and(|line| theirs.contains(line)));
        for (what, same) in [("verdict", verdict), ("line", line || !verdict)] {
            listed += usize::from(case.may_differ(what));
            if same == case.may_differ(what) {
                let said = if same { "does not differ" } else { "differs" };
                writeln!(wrong, "{}: the {what} {said}: terraform {theirs:?}, here {ours:?}", case.name)
                    .unwrap();
            }
        }
    }
    eprintln!("{} cases, {refused} of them refused by terraform, {listed} listed as different", cases.len());
    wrong
}

#[test]
fn there_are_enough_cases_and_each_has_a_name_of_its_own() {
    let cases = cases();
    assert!(cases.len() >= 500, "{}", cases.len());
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len());
}

#[test]
fn what_terraform_fmt_refuses_is_refused_at_its_line_and_nothing_else() {
    let all = cases();
    let directory = laid_out(&all, |_| false);
    let arguments = ["fmt", "-check", "-recursive", "-no-color", "-list=false"];
    let Some(output) = run(directory.path(), &arguments) else { return };
    let said = String::from_utf8(output.stderr).unwrap();
    let mut theirs: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for place in said.split("\n  on ").skip(1) {
        let (path, rest) = place.split_once(" line ").unwrap();
        let line = rest.split(|next: char| !next.is_ascii_digit()).next().unwrap();
        theirs.entry(number(path).unwrap()).or_default().push(line.parse().unwrap());
    }
    for lines in theirs.values_mut() {
        lines.sort_unstable();
    }
    // `fmt` has nothing to say of JSON.
    let native: Vec<(usize, &Case)> =
        all.iter().enumerate().filter(|(_, case)| case.file == "main.tf").collect();
    let cases: Vec<&Case> = native.iter().map(|(_, case)| *case).collect();
    let wrong = compare(&cases, ours, |at| theirs.get(&native[at].0).cloned().unwrap_or_default());
    assert!(wrong.is_empty(), "{wrong}");
}

/// Of each case that `terraform validate` refuses, the lines and what it says.
fn refused_by_validate(
    cases: &[Case],
    wanted: impl Fn(&Case) -> bool,
) -> Option<BTreeMap<usize, Vec<(usize, String)>>> {
    let mut refused: BTreeMap<usize, Vec<(usize, String)>> = BTreeMap::new();
    // Faults of one module keep Terraform from looking deeper into the others: so it is asked again without those.
    loop {
        let called = |at: usize| cases.get(at).is_some_and(&wanted) && !refused.contains_key(&at);
        let directory = laid_out(cases, called);
        let output = run(directory.path(), &["validate", "-json", "-no-color"])?;
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let faults =
            said["diagnostics"].as_array().unwrap().iter().filter(|fault| fault["severity"] == "error");
        let before = refused.len();
        for fault in faults {
            let (place, summary) = (&fault["range"], fault["summary"].to_string());
            let at = place["filename"].as_str().and_then(number);
            let at = at.unwrap_or_else(|| panic!("no case is at fault: {fault}"));
            refused
                .entry(at)
                .or_default()
                .push((usize::try_from(place["start"]["line"].as_u64().unwrap()).unwrap(), summary));
        }
        if refused.len() == before {
            break;
        }
    }
    for faults in refused.values_mut() {
        faults.sort();
    }
    Some(refused)
}

#[test]
fn what_terraform_refuses_of_json_is_refused_at_its_line_and_nothing_else() {
    let all = cases();
    let Some(found) = refused_by_validate(&all, |case| case.file == "main.tf.json") else { return };
    let json: Vec<(usize, &Case)> =
        all.iter().enumerate().filter(|(_, case)| case.file == "main.tf.json").collect();
    let cases: Vec<&Case> = json.iter().map(|(_, case)| *case).collect();
    let wrong = compare(&cases, all_of_ours, |at| {
        found
            .get(&json[at].0)
            .map(|faults| faults.iter().map(|(line, _)| *line).collect())
            .unwrap_or_default()
    });
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_is_syntax_is_valid_where_terraform_says_so_and_means_what_it_means_there() {
    let mut cases = cases();
    cases.retain(|case| ours(case).is_empty());
    let Some(refused) = refused_by_validate(&cases, |_| true) else { return };
    let mut wrong = String::new();
    for (at, case) in cases.iter().enumerate() {
        let mut sources = Sources::default();
        let id = sources.add(SourceFile::new(case.file, case.text.clone()));
        let (_, findings) = terraform::read(&sources, &[id]);
        let same = refused.contains_key(&at) != findings.is_empty();
        if same == case.may_differ("validate") {
            let theirs = refused.get(&at);
            let ours: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
            writeln!(wrong, "{}: terraform {theirs:?}, here {ours:?}", case.name).unwrap();
        }
    }
    eprintln!("{} cases, {} of them refused by terraform", cases.len(), refused.len());
    let mut at = 0;
    cases.retain(|_| {
        at += 1;
        !refused.contains_key(&(at - 1))
    });
    wrong.push_str(&values_differ(&cases));
    assert!(wrong.is_empty(), "{wrong}");
}

/// How the values of locals differ from those that `terraform plan` gives for them.
fn values_differ(cases: &[Case]) -> String {
    let mut ours: Vec<BTreeMap<String, Value>> = Vec::new();
    let mut outputs = Vec::new();
    for case in cases {
        let mut sources = Sources::default();
        let id = sources.add(SourceFile::new(case.file, case.text.clone()));
        let names: BTreeSet<String> = terraform::read(&sources, &[id])
            .0
            .blocks_of("locals")
            .filter_map(|block| match &block.body.value {
                Value::Map(map) => Some(map.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>()),
                _ => None,
            })
            .flatten()
            .collect();
        let mut text = String::new();
        for name in &names {
            writeln!(text, "output \"{name}\" {{\n  value = jsonencode(local.{name})\n}}").unwrap();
        }
        let with = sources.add(SourceFile::new("outputs.tf", text.clone()));
        let directory = terraform::parse(&sources, &[id, with]);
        let (module, _) = terraform::evaluate(&sources, &Tree::alone(directory), &BTreeMap::new());
        let values = names.iter().map(|name| {
            let output = module.blocks_of("output").find(|block| *block.labels[0] == **name).unwrap();
            (name.clone(), output.body.get("value").unwrap().value.clone())
        });
        ours.push(values.collect());
        outputs.push(text);
    }
    let directory = laid_out(cases, |_| true);
    let mut root = String::new();
    for (at, text) in outputs.iter().enumerate() {
        std::fs::write(directory.path().join(format!("c{at}/outputs.tf")), text).unwrap();
        for name in ours[at].keys() {
            writeln!(root, "output \"c{at}_{name}\" {{\n  value = module.c{at}.{name}\n}}").unwrap();
        }
    }
    std::fs::write(directory.path().join("outputs.tf"), root).unwrap();
    let planned = run(directory.path(), &["plan", "-no-color", "-out=plan"]).unwrap();
    assert!(planned.status.success(), "{}", String::from_utf8_lossy(&planned.stderr));
    let shown = run(directory.path(), &["show", "-json", "plan"]).unwrap();
    let plan: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    let mut wrong = String::new();
    let mut count = 0;
    for (at, values) in ours.iter().enumerate() {
        for (name, value) in values {
            count += 1;
            let theirs = &plan["planned_values"]["outputs"][format!("c{at}_{name}")]["value"];
            let same = match (value, theirs) {
                (Value::Str(ours), serde_json::Value::String(theirs)) => **ours == **theirs,
                // Known after apply.
                (Value::Unknown(_) | Value::Partial(_), serde_json::Value::Null) => true,
                _ => false,
            };
            let case = &cases[at];
            if !same && !case.may_differ("value") {
                writeln!(wrong, "{}: {name}: terraform {theirs}, here {value:?}", case.name).unwrap();
            }
        }
    }
    eprintln!("{count} values of {} cases", cases.len());
    wrong
}

#[test]
fn what_is_syntax_is_formatted_as_terraform_fmt_does() {
    let mut cases = cases();
    cases.retain(|case| case.file == "main.tf" && ours(case).is_empty());
    let directory = laid_out(&cases, |_| false);
    let Some(output) = run(directory.path(), &["fmt", "-recursive", "-no-color", "-list=false"]) else {
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut wrong = String::new();
    let mut changed = 0;
    for (at, case) in cases.iter().enumerate() {
        let theirs = std::fs::read_to_string(directory.path().join(format!("c{at}/main.tf"))).unwrap();
        changed += usize::from(theirs != case.text);
        let ours = format(&case.text);
        if (ours == theirs) == case.may_differ("format") {
            writeln!(wrong, "{}: terraform {theirs:?}, here {ours:?}", case.name).unwrap();
        }
    }
    eprintln!("{} cases, {changed} of them changed by terraform fmt", cases.len());
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn no_beginning_of_a_case_makes_reading_panic() {
    for case in cases() {
        for (at, _) in case.text.char_indices() {
            let mut sources = Sources::default();
            let id = sources.add(SourceFile::new(case.file, case.text[..at].to_owned()));
            let (_, findings) = terraform::read(&sources, &[id]);
            for finding in findings {
                assert!(finding.span.end as usize <= at, "{}: {finding:?}", case.name);
            }
        }
    }
}
