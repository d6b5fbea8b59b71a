//! The formats of reports, each held against its own schema or read back by something that reads it, and the files they
//! are written to.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "xmllint is looked for, and a test that cannot run says so"
)]

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::Command;

use clap::ValueEnum as _;
use nexafi_gen::cli::{ExitCode, Output, Surroundings, run};
use nexafi_gen::report::{Document, Drift, DriftState, Format, Report, Style};
use nexafi_gen::source::{Finding, Severity, SourceFile, Sources, Span, Verdict};
use serde_json::Value;

use crate::cli::{Desk, Ran};
use crate::report::{policy_finding, report, sample, span_of};

/// What every format has to carry unharmed, or make harmless.
const NASTY: &str =
    "=SUM(A1) | <b>&\"x\"</b> @team #12 [a](1) *b* `c`, 100%: é\nsecond ::error::line ]]> $d \\";
const NASTY_PATH: &str = "größe und mehr/vpc #1,:.tf";

/// The sample of the other tests, and a finding whose every text is nasty.
fn nasty() -> (Sources, Vec<Finding>) {
    let (mut sources, mut findings) = sample();
    let text = "# größe\nresource \"aws_vpc\" \"main\" {\n}\n";
    let id = sources.add(SourceFile::new(NASTY_PATH, format!("\u{feff}{text}")));
    let mut finding = policy_finding(span_of(&sources, id, "resource"), Verdict::Fail);
    finding.code = "ACME-1".into();
    finding.severity = Severity::Medium;
    (finding.title, finding.message, finding.help) = (NASTY.into(), NASTY.into(), NASTY.into());
    finding.subject.as_mut().unwrap().address = NASTY.into();
    finding.pointer = NASTY.into();
    findings.push(finding.related(Span::new(id, 0, 1), NASTY));
    let mut waived = findings.iter().find(|finding| finding.acceptance.is_some()).unwrap().clone();
    waived.code = "ACME-2".into();
    let by = waived.acceptance.as_mut().unwrap();
    (by.reason, by.owner, by.ticket) = (NASTY.into(), NASTY.into(), NASTY.into());
    findings.push(waived);
    let mut known = policy_finding(Span::new(id, 0, 1), Verdict::Fail);
    known.baselined = true;
    findings.push(known);
    (sources, findings)
}

fn drifted() -> Vec<Drift> {
    vec![
        Drift { path: "out/größe 1.tf".into(), state: DriftState::Drifted, line: Some(3) },
        Drift { path: "out/b.tf".into(), state: DriftState::Missing, line: None },
        Drift { path: "out/c.tf".into(), state: DriftState::Orphaned, line: None },
    ]
}

/// Reports of every kind: few and many verdicts, with and without `--all`, `--strict` and drift, and an empty one.
fn each(check: impl Fn(&Report<'_>)) {
    for (all, strict) in [(false, false), (true, false), (false, true), (true, true)] {
        let (sources, findings) = nasty();
        let mut report = report(&sources, findings);
        (report.all, report.strict) = (all, strict);
        check(&report);
        report.drift = Some(drifted());
        report.pages = Some("https://git.example/policies/".into());
        check(&report);
    }
    let (sources, _) = sample();
    check(&report(&sources, Vec::new()));
}

fn text(report: &Report<'_>, format: Format) -> String {
    report.render(format, Style::default())
}

fn schema_of(file: &str) -> jsonschema::Validator {
    let schema = std::fs::read_to_string(format!("tests/fixtures/schemas/{file}")).unwrap();
    // The schema of SARIF has a bracket that closes nothing; JavaScript takes it for a letter, others refuse the pattern.
    let schema = schema.replace("{2}]?$", r"{2}\\]?$");
    jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap()
}

fn valid(validator: &jsonschema::Validator, report: &Report<'_>, format: Format) -> Value {
    let document: Value = serde_json::from_str(&text(report, format)).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());
    document
}

#[test]
fn every_format_as_it_is_seen() {
    let (sources, findings) = nasty();
    let mut report = report(&sources, findings);
    report.drift = Some(drifted());
    for format in Format::value_variants().iter().filter(|format| **format != Format::Json) {
        let name = format!("format_{}", format.to_possible_value().unwrap().get_name());
        insta::assert_snapshot!(name, text(&report, *format));
    }
}

#[test]
fn sarif_is_what_the_standard_says() {
    let validator = schema_of("sarif-2.1.0.json");
    each(|report| {
        let log = valid(&validator, report, Format::Sarif);
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let artifacts = run["artifacts"].as_array().unwrap();
        let results = run["results"].as_array().unwrap();
        let mut fingerprints = BTreeSet::new();
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert_eq!(result["kind"] == "fail", result["level"] != "none", "{result}");
            assert!(report.all || result["kind"] == "fail");
            assert!(result["suppressions"].is_array());
            assert!(fingerprints.insert(result["partialFingerprints"].to_string()), "{result}");
            let file = &result["locations"][0]["physicalLocation"]["artifactLocation"];
            let uri = file["uri"].as_str().unwrap();
            assert!(uri.is_ascii() && !uri.contains([' ', '#', ',']), "{uri}");
            if let Some(index) = file["index"].as_u64() {
                assert_eq!(artifacts[usize::try_from(index).unwrap()]["location"]["uri"], uri);
            }
        }
        for rule in rules.iter().filter(|rule| rule["id"] != "drift") {
            let severity: f64 = rule["properties"]["security-severity"].as_str().unwrap().parse().unwrap();
            assert!((0.0..=10.0).contains(&severity));
            assert!(rule["help"]["text"].as_str().is_some_and(|text| text.len() > 20));
            assert!(rule["properties"]["tags"].as_array().unwrap().len() <= 10);
            let built_in = rule["id"].as_str().unwrap().starts_with("NXF-NET");
            assert_eq!(rule.get("helpUri").is_some(), built_in && report.pages.is_some());
        }
        let of = |verdict| report.listed().filter(|finding| finding.verdict == verdict).count();
        let kinds = |kind| results.iter().filter(|result| result["kind"] == kind).count();
        assert_eq!(kinds("pass"), of(Verdict::Pass));
        let suppressed = |result: &&Value| !result["suppressions"].as_array().unwrap().is_empty();
        let known = report.listed().filter(|finding| finding.baselined).count();
        assert_eq!(results.iter().filter(suppressed).count(), of(Verdict::Waived) + known);
    });
}

/// The offset is that of the file on disk, where a byte order mark counts, and columns are those of characters.
#[test]
fn sarif_points_at_the_bytes_of_the_file() {
    let (sources, findings) = nasty();
    let log: Value = serde_json::from_str(&text(&report(&sources, findings), Format::Sarif)).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let result = results.iter().find(|result| result["ruleId"] == "ACME-1").unwrap();
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "gr%C3%B6%C3%9Fe%20und%20mehr/vpc%20%231%2C%3A.tf");
    let region = &place["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&2.into(), &1.into()));
    assert_eq!(region["byteOffset"], "\u{feff}# größe\n".len());
    assert_eq!(region["byteLength"], "resource".len());
}

#[test]
fn the_streamed_json_is_the_documented_one() {
    each(|report| {
        let written = text(report, Format::Json);
        let document: Document = serde_json::from_str(&written).unwrap();
        assert_eq!(format!("{}\n", serde_json::to_string_pretty(&document).unwrap()), written);
    });
}

#[test]
fn gitlab_takes_the_report() {
    let validator = schema_of("gitlab-code-quality.json");
    each(|report| {
        let issues = valid(&validator, report, Format::Gitlab);
        let issues = issues.as_array().unwrap();
        let fingerprints: BTreeSet<_> = issues.iter().map(|issue| issue["fingerprint"].to_string()).collect();
        assert_eq!(fingerprints.len(), issues.len(), "GitLab shows one of two with the same fingerprint");
        let open = report.verdicts().iter().filter(|finding| nexafi_gen::report::is_open(finding)).count();
        assert_eq!(issues.len(), open + report.drift.as_ref().map_or(0, Vec::len));
    });
}

/// What `xmllint` says, where it is.
fn xmllint(arguments: &[&str]) -> Option<String> {
    let Ok(output) = Command::new("xmllint").args(arguments).output() else {
        println!("skipped: no xmllint on PATH");
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "xmllint is missing, and CI=true");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[test]
fn junit_is_what_jenkins_reads() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("junit.xml").to_str().unwrap().to_owned();
    each(|report| {
        std::fs::write(&path, text(report, Format::Junit)).unwrap();
        xmllint(&["--noout", "--schema", "tests/fixtures/schemas/junit-10.xsd", &path]);
        let number = |expression: &str| -> Option<usize> {
            xmllint(&["--xpath", expression, &path]).map(|text| text.parse().unwrap())
        };
        let Some(tests) = number("string(/testsuites/@tests)") else { return };
        assert!(tests > 0, "a report without any test is an error to Jenkins");
        assert_eq!(number("count(//testcase)"), Some(tests));
        assert_eq!(number("count(//failure)"), number("string(/testsuites/@failures)"));
        assert_eq!(number("count(//error)"), number("string(/testsuites/@errors)"));
        assert_eq!(number("count(//skipped)"), number("sum(//testsuite/@skipped)"));
        assert_eq!(number("sum(//testsuite/@tests)"), Some(tests));
        if report.listed().any(|finding| finding.code == "ACME-1") {
            let shown =
                xmllint(&["--xpath", "string(//testcase[starts-with(@name, \"ACME-1\")]/failure)", &path]);
            assert!(shown.unwrap().contains(NASTY), "the text comes back as it was");
        }
    });
}

#[test]
fn csv_comes_back_and_holds_no_formula() {
    each(|report| {
        let written = text(report, Format::Csv);
        assert_eq!(
            written.matches("\r\n").count(),
            written.matches('\n').count() - written.matches("é\nsecond").count()
        );
        let mut reader = csv::Reader::from_reader(written.as_bytes());
        let columns = reader.headers().unwrap().clone();
        let column = |name: &str| columns.iter().position(|column| column == name).unwrap();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), report.listed().count() + report.drift.as_ref().map_or(0, Vec::len));
        for row in &rows {
            for cell in row {
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
            }
        }
        for (row, finding) in rows.iter().zip(report.listed()) {
            assert_eq!(&row[column("policy")], finding.code);
            assert_eq!(row[column("message")].trim_start_matches('\''), finding.message);
            assert_eq!(row[column("fingerprint")].len(), 32);
        }
    });
}

/// One of GitHub's workflow commands, read as its runner does.
fn command(line: &str) -> (String, Vec<(String, String)>, String) {
    let unescape = |text: &str| text.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%");
    let (head, data) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (name, properties) = head.split_once(' ').unwrap();
    let properties = properties
        .split(',')
        .map(|property| property.split_once('=').unwrap())
        .map(|(key, value)| (key.to_owned(), unescape(&value.replace("%3A", ":").replace("%2C", ","))))
        .collect();
    (name.to_owned(), properties, unescape(data))
}

#[test]
fn github_reads_each_annotation_back() {
    each(|report| {
        let written = text(report, Format::Github);
        let commands: Vec<_> = written.lines().map(command).collect();
        for (name, properties, _) in &commands {
            assert!(["error", "warning", "notice"].contains(&name.as_str()), "{name}");
            let keys = ["file", "line", "endLine", "col", "title"];
            assert!(properties.iter().all(|(key, _)| keys.contains(&key.as_str())), "{properties:?}");
        }
        let nasty = report.listed().filter(|finding| finding.code == "ACME-1").count();
        let found = commands.iter().filter(|(name, properties, data)| {
            name == "warning"
                && data == &format!("{NASTY}\nhelp: {NASTY}")
                && properties.contains(&("file".into(), NASTY_PATH.into()))
                && properties.contains(&("title".into(), format!("ACME-1 medium: {NASTY}")))
        });
        assert_eq!(found.count(), nasty, "{written}");
        assert!(report.all || !written.contains("NXF-NET-003"), "what is waived is nobody's concern here");
    });
}

#[test]
fn markdown_is_a_comment_that_its_texts_cannot_break() {
    each(|report| {
        let written = text(report, Format::Markdown);
        for line in written.lines().filter(|line| line.starts_with('|')) {
            let plain = line.replace("\\\\", "").replace("\\|", "");
            assert!([4, 3, 5, 7].contains(&plain.matches('|').count()), "{line}");
        }
        for raw in ["<b>", "@team", "#12", "](1)", "*b*"] {
            assert!(!written.replace("\\](", "").replace("\\*", "").contains(raw), "{raw}: {written}");
        }
        assert_eq!(written.matches("<details>").count(), written.matches("</details>").count());
    });
}

/// So many findings that their text is megabytes.
fn many(count: u32) -> (Sources, Vec<Finding>) {
    let mut sources = Sources::default();
    let lines = "some: value\n".repeat(1000);
    let ids: Vec<_> =
        (0..10).map(|file| sources.add(SourceFile::new(format!("f{file}.yaml"), lines.clone()))).collect();
    let findings = (0..count)
        .map(|number| {
            let at = number as usize % 1000 * 10;
            let span = Span::new(ids[number as usize % ids.len()], at, at + 3);
            let mut finding = policy_finding(span, Verdict::Fail);
            finding.message = format!("finding {number}");
            finding
        })
        .collect();
    (sources, findings)
}

/// Counts what is written, and the largest piece.
#[derive(Default)]
struct Pieces {
    total: usize,
    largest: usize,
    /// How many bytes are taken before the reader goes away.
    room: Option<usize>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.total += bytes.len();
        self.largest = self.largest.max(bytes.len());
        if self.room.is_some_and(|room| self.total > room) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// No format makes its text as a whole: it comes in pieces of one finding at most, and stops when nobody reads on.
#[test]
fn a_hundred_thousand_findings_are_written_as_they_are_made() {
    let (sources, findings) = many(100_000);
    let report = report(&sources, findings);
    for format in Format::value_variants() {
        let mut pieces = Pieces::default();
        report.write(*format, Style::default(), &mut pieces).unwrap();
        assert!(pieces.largest <= 16 * 1024, "{format:?} writes {} bytes at once", pieces.largest);
        if *format == Format::Markdown {
            assert!(pieces.total < 65_536, "GitHub refuses a longer comment");
        } else {
            assert!(pieces.total > 4_000_000, "{format:?}: {}", pieces.total);
        }
        let mut closed = Pieces { room: Some(10_000), ..Pieces::default() };
        let error = report.write(*format, Style::default(), &mut closed).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{format:?}");
        assert!(closed.total < 100_000, "{format:?} goes on: {}", closed.total);
    }
}

#[test]
fn ids_are_links_only_where_they_are_asked_for() {
    let (sources, findings) = sample();
    let mut report = report(&sources, findings);
    let linked = Style { colour: true, links: true, ..Style::default() };
    assert!(!report.render(Format::Graphical, linked).contains("\u{1b}]8"), "no page is known");
    report.pages = Some("https://git.example/policies".into());
    let shown = report.render(Format::Graphical, linked);
    let link =
        "\u{1b}]8;;https://git.example/policies/NXF-NET-001.md\u{1b}\\NXF-NET-001\u{1b}]8;;\u{1b}\\ high";
    assert!(shown.contains(link), "{shown:?}");
    assert!(!shown.contains("NXF-CFG-002.md"), "faults of the input have no page");
    for format in Format::value_variants() {
        assert!(!text(&report, *format).contains('\u{1b}'), "{format:?}");
    }
}

#[test]
fn forty_columns_are_enough() {
    let (sources, findings) = sample();
    let shown = report(&sources, findings).render(Format::Graphical, Style { width: 40, ..Style::default() });
    for line in shown.lines().filter(|line| line.starts_with("  × ") || line.starts_with("  help:")) {
        assert!(line.chars().count() <= 40, "{line}");
    }
    insta::assert_snapshot!(shown);
}

// From here on: the files reports go to.

const VPC: &str = "resource \"aws_vpc\" \"main\" {\n  cidr_block = \"10.0.0.0/16\"\n}\n";

fn at(desk: &Desk, arguments: &[&str], out: &mut dyn Write) -> (ExitCode, String) {
    let surroundings = Surroundings {
        directory: desk.directory.clone(),
        today: Some(jiff::civil::date(2026, 11, 24)),
        width: Some(100),
        ..Surroundings::default()
    };
    let mut err = Vec::new();
    let arguments = std::iter::once(&"nexafi-gen").chain(arguments);
    let code = run(arguments.copied(), &surroundings, &mut Output::new(out, &mut err));
    (code, String::from_utf8(err).unwrap())
}

fn with(desk: &Desk, arguments: &[&str]) -> Ran {
    let mut out = Vec::new();
    let (code, err) = at(desk, arguments, &mut out);
    Ran { code, out: String::from_utf8(out).unwrap(), err }
}

#[test]
fn several_reports_are_written_at_once() {
    let desk = Desk::new();
    desk.put("main.tf", VPC);
    desk.put("reports/old.sarif", "earlier");
    let plain = desk.run("lint main.tf");
    let ran = desk.run(
        "lint main.tf --report sarif=reports/old.sarif --report junit=reports/out.xml --report json=reports/out.json",
    );
    assert_eq!((ran.code, &ran.out), (plain.code, &plain.out), "what people see stays the same");
    assert_eq!(ran.code, ExitCode::Findings);
    let sarif: Value = serde_json::from_str(&desk.read("reports/old.sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let rule = &sarif["runs"][0]["tool"]["driver"]["rules"][0];
    assert_ne!(rule["fullDescription"]["text"], rule["shortDescription"]["text"], "why is said, too");
    assert!(desk.read("reports/out.xml").starts_with("<?xml"));
    assert_eq!(desk.read("reports/out.json"), desk.run("lint main.tf --format json").out);
    let left: Vec<_> =
        desk.everything().into_iter().filter(|(path, _)| path.contains(".nexafi-gen-")).collect();
    assert!(left.is_empty(), "{left:?}");

    let ran = desk.run("lint main.tf --report csv=- --report markdown=out.md");
    assert!(ran.out.starts_with("path,line,") && !ran.out.contains('╭'), "{}", ran.out);
    assert!(desk.read("out.md").starts_with("## nexafi-gen: "));
    let ran = desk.run("lint main.tf --format concise --output log.txt --report github=-");
    assert!(ran.out.starts_with("::"), "{}", ran.out);
    assert!(desk.read("log.txt").starts_with("main.tf:1:1: "));
}

#[test]
fn a_report_that_has_nowhere_to_go_is_refused_before_anything_is_written() {
    let desk = Desk::new();
    desk.put("main.tf", VPC);
    desk.put("directory/x.txt", "");
    let before = desk.everything();
    let mut said = String::new();
    for arguments in [
        "--report sarif=a.json --report json=./directory/../a.json",
        "--report sarif=- --report json=-",
        "--report sarif=- --format json",
        "--report sarif=a.json --output a.json",
        "--report sarif=main.tf",
        "--report sarif=no/such/out.sarif --report json=a.json",
        "--output no/out.txt",
        "--output directory",
        "--report sarf=out.sarif",
        "--report sarif",
        "--report sarif=",
        "--report =out.sarif",
    ] {
        let ran = desk.run(&format!("lint main.tf {arguments}"));
        assert_eq!((ran.code, ran.out.as_str()), (ExitCode::Unusable, ""), "{arguments}");
        said.push_str(&format!("$ lint main.tf {arguments}\n{}\n", ran.err));
    }
    assert_eq!(desk.everything(), before);
    insta::assert_snapshot!(said);
}

#[test]
fn a_format_that_does_not_exist_is_named_beside_those_that_do() {
    let desk = Desk::new();
    desk.put("main.tf", VPC);
    for arguments in
        [&["lint", "main.tf", "--format", "sarfi"][..], &["lint", "main.tf", "--report", "sarfi=a"]]
    {
        let ran = with(&desk, arguments);
        assert_eq!(ran.code, ExitCode::Unusable, "{ran:?}");
        assert_eq!(ran.out, "");
        assert!(ran.err.contains("sarfi") && ran.err.contains("sarif"), "{ran:?}");
        assert!(!desk.directory.join("a").exists());
    }
}

#[test]
fn a_day_in_the_past_is_the_day_in_every_format() {
    let desk = Desk::new();
    let waiver = "# nexafi-gen:waive NXF-NET-001 owner=jane ticket=RISK-1 expires=2020-03-31 reason=\"Until March.\"\n";
    desk.put("main.tf", format!("{waiver}{VPC}"));
    let lint = |format: &str, day: &str| {
        with(
            &desk,
            &["lint", "main.tf", "--select", "NXF-NET-001,NXF-GOV-005", "--format", format, "--at", day],
        )
    };
    for format in Format::value_variants() {
        let name = format.to_possible_value().unwrap();
        let name = name.get_name();
        let (then, after) = (lint(name, "2020-03-31"), lint(name, "2020-04-01"));
        assert_eq!(then.code, ExitCode::Clean, "{name}: {then:?}");
        assert_eq!(after.code, ExitCode::Findings, "{name}: {after:?}");
        assert_ne!(then.out, after.out, "{name}");
        assert!(after.out.contains("expired"), "{name}: {after:?}");
    }
}

#[test]
fn a_path_with_blanks_and_letters_of_its_own_is_sensible_everywhere() {
    let desk = Desk::new();
    desk.put("größe und mehr/main.tf", VPC);
    let name = "größe und mehr/main.tf";
    for format in Format::value_variants() {
        let format = format.to_possible_value().unwrap().get_name().to_owned();
        let target = format!("{format}=größe und mehr/out {format}");
        let ran = with(&desk, &["lint", name, "--report", &target, "--all"]);
        assert_eq!(ran.code, ExitCode::Findings, "{ran:?}");
        let written = desk.read(&format!("größe und mehr/out {format}"));
        let shown = if format == "sarif" { "gr%C3%B6%C3%9Fe%20und%20mehr/main.tf" } else { name };
        assert!(written.contains(shown), "{format}: {written}");
    }
    // Typed in another way it is the same place.
    let other = desk.directory.join("größe und mehr/../größe und mehr/./main.tf");
    let ran = with(&desk, &["lint", other.as_str(), "--format", "gitlab"]);
    assert!(ran.out.contains("\"path\": \"größe und mehr/main.tf\""), "{}", ran.out);
}

#[test]
fn a_closed_pipe_ends_quietly_and_the_other_reports_are_written() {
    let desk = Desk::new();
    desk.put("main.tf", VPC);
    for format in Format::value_variants() {
        let format = format.to_possible_value().unwrap().get_name().to_owned();
        let mut closed = Pieces { room: Some(0), ..Pieces::default() };
        let arguments = ["lint", "main.tf", "--format", &format, "--report", "json=out.json"];
        let (code, err) = at(&desk, &arguments, &mut closed);
        assert_eq!((code, err.as_str()), (ExitCode::Findings, ""), "{format}");
        assert!(desk.read("out.json").ends_with("}\n"));
        std::fs::remove_file(desk.directory.join("out.json")).unwrap();
    }
    // The real thing, which dies of nothing either.
    let mut child = Command::new(env!("CARGO_BIN_EXE_nexafi-gen"))
        .args(["lint", "main.tf", "--all", "--format", "json"])
        .current_dir(&desk.directory)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(1), ""));
}

#[cfg(unix)]
#[test]
fn a_report_keeps_the_rights_and_the_links_of_the_file_it_replaces() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    desk.put("main.tf", VPC);
    desk.put("real.json", "earlier");
    let mode =
        |path: &str| std::fs::metadata(desk.directory.join(path)).unwrap().permissions().mode() & 0o777;
    std::fs::set_permissions(desk.directory.join("real.json"), std::fs::Permissions::from_mode(0o640))
        .unwrap();
    std::os::unix::fs::symlink("real.json", desk.directory.join("link.json")).unwrap();
    desk.run("lint main.tf --report json=link.json --report csv=new.csv --report sarif=/dev/null");
    assert!(desk.directory.join("link.json").is_symlink());
    assert!(desk.read("real.json").starts_with('{'));
    assert_eq!(mode("real.json"), 0o640);
    // What the process gives to any new file.
    desk.put("plain.txt", "");
    assert_eq!(mode("new.csv"), mode("plain.txt"));
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn render_check_reports_drift_in_every_format() {
    let desk = Desk::new();
    desk.put("minimal.yaml", std::fs::read_to_string("blueprints/minimal.yaml").unwrap());
    desk.run("render minimal.yaml --out out --at 2026-11-24");
    let clean = desk.run("render minimal.yaml --out out --check --report sarif=a.sarif --report junit=a.xml");
    assert_eq!(clean.code, ExitCode::Clean, "{clean:?}");
    let sarif: Value = serde_json::from_str(&desk.read("a.sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"], serde_json::json!([]));
    desk.put("out/terraform/vpc.tf", "# changed\n");
    for format in Format::value_variants() {
        let format = format.to_possible_value().unwrap().get_name().to_owned();
        let ran = desk.run(&format!("render minimal.yaml --out out --check --report {format}=report"));
        assert_eq!(ran.code, ExitCode::Findings);
        let written = desk.read("report");
        assert!(
            written.contains("out/terraform/vpc.tf") && written.contains("drifted"),
            "{format}: {written}"
        );
    }
    // A document on standard output stays one, whatever else is asked for.
    let ran = desk.run("render minimal.yaml --out out --check --diff --format sarif");
    serde_json::from_str::<Value>(&ran.out).unwrap();
    assert!(ran.err.contains('+') && ran.err.contains("vpc.tf"));
}
