//! What reports look like, and what programs may rely on.

use std::sync::Arc;

use clap::ValueEnum as _;
use nexafi_gen::report::{
    Document, Drift, DriftState, Format, Input, InputKind, Report, Style, generate_schema,
};
use nexafi_gen::source::{
    Acceptance, FileId, Finding, Severity, SourceFile, Sources, Span, Subject, SubjectKind, Verdict, fault,
};

const BLUEPRINT: &str =
    "name: nexafi\nregions:\n  primary:\n    vpc:\n      flowLogs:\n        enabled: false   # größer\n";
const TERRAFORM: &str = "# blueprint: regions.primary.vpc\nresource \"aws_vpc\" \"primary\" {\n  cidr_block = \"10.0.0.0/16\"\n}\n";

pub(crate) fn span_of(sources: &Sources, id: FileId, text: &str) -> Span {
    let at = sources.get(id).unwrap().text().find(text).unwrap();
    Span::new(id, at, at + text.len())
}

pub(crate) fn policy_finding(span: Span, verdict: Verdict) -> Finding {
    let mut finding = Finding::fault(fault::INVALID_VALUE, span, "flow logs of the primary VPC are off")
        .label("off here")
        .help("set flowLogs.enabled: true")
        .pointer("regions.primary.vpc.flowLogs.enabled");
    finding.code = "NXF-NET-001".into();
    finding.title = "Every VPC records all its traffic".into();
    finding.verdict = verdict;
    finding.subject = Some(Subject {
        kind: SubjectKind::Blueprint,
        type_: "vpc".into(),
        address: "regions.primary.vpc".into(),
    });
    finding.controls = Arc::new([("pci-dss-4.0.1".to_owned(), vec!["10.2.1".to_owned()])].into());
    finding.aliases = ["CKV2_AWS_11".to_owned()].into();
    finding
}

/// Two files, and a finding of every shape.
pub(crate) fn sample() -> (Sources, Vec<Finding>) {
    let mut sources = Sources::default();
    let blueprint = sources.add(SourceFile::new("blueprints/nexafi.yaml", BLUEPRINT.to_owned()));
    let terraform = sources.add(SourceFile::new("generated/vpc.tf", TERRAFORM.to_owned()));
    let off = span_of(&sources, blueprint, "false");
    let vpc = span_of(&sources, terraform, "resource \"aws_vpc\" \"primary\"");

    let in_blueprint = policy_finding(off, Verdict::Fail);
    let mut in_output = policy_finding(vpc, Verdict::Fail)
        .related(span_of(&sources, blueprint, "vpc"), "generated from this line of the blueprint");
    in_output.pointer = "resource.aws_vpc.primary".into();
    in_output.subject = Some(Subject {
        kind: SubjectKind::Terraform,
        type_: "aws_vpc".into(),
        address: "aws_vpc.primary".into(),
    });
    let mut unproven = policy_finding(span_of(&sources, terraform, "\"10.0.0.0/16\""), Verdict::Unproven);
    unproven.severity = Severity::Low;
    unproven.code = "NXF-NET-002".into();
    let mut waived = policy_finding(off, Verdict::Waived);
    waived.code = "NXF-NET-003".into();
    waived.acceptance = Some(Box::new(Acceptance {
        reason: "the logs move in March".into(),
        owner: "jane.doe@nexafi.example".into(),
        ticket: "RISK-1204".into(),
        expires: jiff::civil::date(2027, 3, 31),
    }));
    let mut passed = policy_finding(off, Verdict::Pass);
    passed.code = "NXF-NET-004".into();
    let twice = Finding::fault(
        fault::DUPLICATE_KEY,
        span_of(&sources, blueprint, "enabled"),
        "the key `enabled` stands twice",
    )
    .related(span_of(&sources, blueprint, "flowLogs"), "in this mapping")
    .help("keep one of the two");
    (sources, vec![unproven, twice, waived, passed, in_output, in_blueprint])
}

pub(crate) fn report(sources: &Sources, findings: Vec<Finding>) -> Report<'_> {
    let inputs = vec![
        Input { path: "generated/vpc.tf".into(), kind: InputKind::Terraform },
        Input { path: "blueprints/nexafi.yaml".into(), kind: InputKind::Blueprint },
    ];
    Report::new(sources, "/home/user/project", inputs, findings)
}

fn json(report: &Report<'_>) -> serde_json::Value {
    serde_json::from_str(&report.render(Format::Json, Style::default())).unwrap()
}

#[test]
fn graphical_shows_every_shape_of_finding() {
    let (sources, findings) = sample();
    insta::assert_snapshot!(report(&sources, findings).render(Format::Graphical, Style::default()));
}

#[test]
fn concise_is_one_line_a_finding() {
    let (sources, findings) = sample();
    insta::assert_snapshot!(report(&sources, findings).render(Format::Concise, Style::default()));
}

#[test]
fn json_has_the_published_shape() {
    let (sources, findings) = sample();
    let mut report = report(&sources, findings);
    report.all = true;
    report.drift = Some(vec![Drift { path: "out/a.tf".into(), state: DriftState::Drifted, line: Some(3) }]);
    let document = json(&report);
    let validator = jsonschema::validator_for(&generate_schema()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    serde_json::from_value::<Document>(document.clone()).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
}

#[test]
fn the_schema_file_is_the_one_the_code_makes() {
    let path = "schemas/report.schema.json";
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let expected = format!("{}\n", serde_json::to_string_pretty(&generate_schema()).unwrap());
    assert_eq!(written, expected, "run `cargo xtask schemas`");
}

#[test]
fn without_findings_there_is_one_line() {
    let (sources, mut findings) = sample();
    findings.retain(|finding| finding.verdict == Verdict::Pass);
    let report = report(&sources, findings);
    assert_eq!(
        report.render(Format::Graphical, Style::default()),
        "no findings · 1 check passed on 1 subject\n"
    );
    assert_eq!(report.render(Format::Concise, Style::default()), "");
}

#[test]
fn what_two_rules_say_of_one_thing_in_the_same_words_is_said_once_with_the_names_of_both() {
    let mut sources = Sources::default();
    let blueprint = sources.add(SourceFile::new("blueprints/nexafi.yaml", BLUEPRINT.to_owned()));
    let off = span_of(&sources, blueprint, "false");
    let named = |alias: &str, verdict| {
        let mut finding = policy_finding(off, verdict);
        finding.aliases = [alias.to_owned()].into();
        finding
    };
    let said = |verdict| {
        let findings = ["CKV_AWS_25", "CKV_AWS_24", "CKV_AWS_25"].map(|alias| named(alias, verdict));
        let report = report(&sources, findings.to_vec());
        report.verdicts().iter().map(|finding| finding.aliases.join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(said(Verdict::Fail), ["CKV_AWS_24 CKV_AWS_25"]);
    assert_eq!(said(Verdict::Unproven), ["CKV_AWS_24 CKV_AWS_25"]);
    // Each is counted, as where passes are counted only.
    assert_eq!(said(Verdict::Pass), ["CKV_AWS_25", "CKV_AWS_24", "CKV_AWS_25"]);
    let mut worse = named("CKV_AWS_24", Verdict::Fail);
    worse.severity = Severity::Critical;
    assert_eq!(report(&sources, vec![named("CKV_AWS_25", Verdict::Fail), worse]).verdicts().len(), 2);
}

#[test]
fn passes_are_listed_only_when_asked_for_and_counted_always() {
    let (sources, findings) = sample();
    let mut report = report(&sources, findings);
    let listed = |report: &Report<'_>| json(report)["results"].as_array().unwrap().len();
    assert_eq!(listed(&report), 5);
    report.all = true;
    assert_eq!(listed(&report), 6);
    assert_eq!(json(&report)["summary"]["pass"], 1);
}

#[test]
fn a_waived_finding_fails_nothing_and_an_unproven_one_only_strictly() {
    let (sources, findings) = sample();
    let only = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).cloned().collect();
    let strict = |verdict, severity| {
        let mut report = report(&sources, only(verdict));
        assert_eq!(report.fails(severity), verdict == Verdict::Fail);
        report.strict = true;
        report.fails(severity)
    };
    assert!(!strict(Verdict::Waived, Severity::Low));
    assert!(strict(Verdict::Unproven, Severity::Low));
    assert!(!strict(Verdict::Unproven, Severity::Medium));
    assert!(strict(Verdict::Fail, Severity::Medium));
}

#[test]
fn a_fingerprint_does_not_depend_on_what_else_is_listed() {
    let (sources, _) = sample();
    let at = span_of(&sources, FileId(0), "false");
    // Two rules of one policy on the same place: one passes, and stands first.
    let mut passed = policy_finding(at, Verdict::Pass);
    passed.message = "a".into();
    let mut report = report(&sources, vec![passed, policy_finding(at, Verdict::Fail)]);
    let failed = |report: &Report<'_>| {
        let results = json(report)["results"].as_array().unwrap().clone();
        results.into_iter().find(|row| row["verdict"] == "fail").unwrap()["fingerprint"].clone()
    };
    let alone = failed(&report);
    report.all = true;
    assert_eq!(failed(&report), alone);
}

#[test]
fn fingerprints_survive_moved_lines_and_another_way_to_type_the_path() {
    let fingerprints = |path: &str, text: String| {
        let mut sources = Sources::default();
        let id = sources.add(SourceFile::new(path, text));
        let finding = policy_finding(span_of(&sources, id, "false"), Verdict::Fail);
        json(&report(&sources, vec![finding]))["results"][0]["fingerprint"].clone()
    };
    let plain = fingerprints("blueprints/nexafi.yaml", BLUEPRINT.to_owned());
    assert_eq!(plain, fingerprints("blueprints/nexafi.yaml", format!("# a comment\n\n{BLUEPRINT}")));
    assert_eq!(plain, fingerprints("./blueprints/nexafi.yaml", BLUEPRINT.to_owned()));
    assert_eq!(plain, fingerprints("/home/user/project/blueprints/nexafi.yaml", BLUEPRINT.to_owned()));
    assert_ne!(plain, fingerprints("blueprints/other.yaml", BLUEPRINT.to_owned()));
}

#[test]
fn equal_findings_of_one_subject_have_fingerprints_of_their_own() {
    let (sources, _) = sample();
    let at = |text| Finding::fault(fault::UNKNOWN_KEY, span_of(&sources, FileId(0), text), "unknown key");
    let document = json(&report(&sources, vec![at("vpc"), at("primary")]));
    assert_ne!(document["results"][0]["fingerprint"], document["results"][1]["fingerprint"]);
}

#[test]
fn columns_count_characters_not_bytes() {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("a.yaml", "größe: {straße: übel}\n".to_owned()));
    let finding = Finding::fault(fault::INVALID_VALUE, span_of(&sources, id, "übel"), "no").label("here");
    let report = report(&sources, vec![finding]);
    assert_eq!(report.render(Format::Concise, Style::default()), "a.yaml:1:17: high NXF-CFG-006 no\n");
    insta::assert_snapshot!(report.render(Format::Graphical, Style::default()));
}

#[test]
fn text_of_the_input_cannot_drive_the_terminal() {
    let mut sources = Sources::default();
    let text = "name: \u{1b}[2Jx\u{202e}y\u{9b}z\n".to_owned();
    let id = sources.add(SourceFile::new("a.yaml", text));
    let span = Span::new(id, 6, 10);
    let finding =
        Finding::fault(fault::INVALID_VALUE, span, "a \u{1b}]0;title\u{7} name").label("\u{1b}[31mred");
    let report = report(&sources, vec![finding]);
    for format in Format::value_variants().iter().filter(|format| **format != Format::Json) {
        let shown = report.render(*format, Style::default());
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{9b}']), "{shown:?}");
    }
}

#[test]
fn colours_come_only_when_asked_for() {
    let (sources, findings) = sample();
    let report = report(&sources, findings);
    assert!(!report.render(Format::Graphical, Style::default()).contains('\u{1b}'));
    assert!(report.render(Format::Graphical, Style { colour: true, ..Style::default() }).contains('\u{1b}'));
}

#[test]
fn any_span_can_be_drawn() {
    let mut sources = Sources::default();
    let text = "a: ü\r\n\r\nb:\n  - |\n    long\n  - x".to_owned();
    let length = text.len();
    let id = sources.add(SourceFile::new("a.yaml", text));
    let empty = sources.add(SourceFile::new("empty.yaml", String::new()));
    let wide = sources.add(SourceFile::new("wide.json", format!("[{}]", "1, ".repeat(5000))));
    let mut spans: Vec<Span> = vec![
        Span::new(empty, 0, 0),
        Span::new(empty, 5, 9),
        Span::new(wide, 7000, 7001),
        Span::new(FileId(99), 0, 1),
    ];
    for start in 0..=length + 1 {
        spans.extend((start..=length + 2).map(|end| Span::new(id, start, end)));
    }
    for span in spans {
        let finding = Finding::fault(fault::INVALID_VALUE, span, "the message")
            .label("the label")
            .related(Span::new(id, 2, 5), "another place");
        let report = report(&sources, vec![finding]);
        for format in Format::value_variants() {
            let shown = report.render(*format, Style::default());
            assert!(shown.contains("the message"), "{span:?}: {shown}");
            assert!(!shown.contains("Failed to read"), "{span:?}: {shown}");
            assert!(shown.len() < 8000, "{span:?} draws {} bytes", shown.len());
        }
    }
}

/// A secret that a finding is about, and one that only stands in the line beside another finding.
#[test]
fn no_report_shows_a_secret() {
    const TEXT: &str =
        "env:\n  - name: DB_PASSWORD\n    value: Tr0ub4dor-and-3\ntoken: AKIAIOSFODNN7EXAMPLE\nport: 1\n";
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("a.yaml", TEXT.to_owned()));
    let secret = span_of(&sources, id, "Tr0ub4dor-and-3");
    let mut about = policy_finding(secret, Verdict::Fail);
    about.secret = Some(secret);
    let beside = policy_finding(span_of(&sources, id, "1"), Verdict::Fail);
    let report = report(&sources, vec![about, beside]);
    for format in Format::value_variants() {
        let text = report.render(*format, Style::default());
        assert!(!text.contains("Tr0ub4dor") && !text.contains("AKIA"), "{text}");
    }
    let text = report.render(Format::Graphical, Style::default());
    assert!(
        text.contains("value: ***************\n") && text.contains("token: ********************\n"),
        "{text}"
    );
}
