//! Waivers: when one holds, what it covers in each of its forms, and what becomes of those that are wrong.

use jiff::civil::{Date, date};
use nexafi_gen::cli::ExitCode;
use nexafi_gen::policy::Catalogue;
use nexafi_gen::policy::waiver::{Claim, LONGEST, examine};
use proptest::prelude::*;

use crate::cli::{Desk, minimal};

/// Three policies of the tests' own, so that no change of the catalogue changes what they show.
const POLICIES: [(&str, &str); 3] = [
    (
        "policies/test/names.yaml",
        "id: BANK-TEST-001
title: The primary VPC records its traffic
severity: high
rationale: It is a test. It says nothing of banks.
controls: {pci-dss-4.0.1: [{id: \"1.2\", by: judgement}]}
rules:
  blueprint: {select: regions.*.vpc, assert: this.flowLogs.enabled, at: flowLogs.enabled, message: no flow logs}
  terraform:
    - {resource: aws_vpc, assert: 'size(referrers(this, \"aws_flow_log\")) > 0', message: no log}
    - {resource: aws_security_group, each: ingress.*, assert: '!item.cidr_blocks.exists(c, c == \"0.0.0.0/0\")', at: cidr_blocks, message: open}
",
    ),
    (
        "policies/test/images.yaml",
        "id: BANK-TEST-002
title: Images are pinned
severity: critical
rationale: It is a test. It says nothing of banks.
controls: {pci-dss-4.0.1: [{id: \"1.2\", by: judgement}]}
rules:
  kubernetes:
    workload: true
    each: pod.spec.{initContainers,containers,ephemeralContainers}.*
    assert: '!item.image.endsWith(\":latest\")'
    at: image
    message: \"{{ item.name }} is not pinned\"
",
    ),
    (
        "policies/test/never.yaml",
        "id: BANK-TEST-003
title: No key is written down
severity: critical
rationale: It is a test. It says nothing of banks.
controls: {pci-dss-4.0.1: [{id: \"1.2\", by: judgement}]}
waivable: false
rules:
  terraform: {resource: aws_vpc, assert: \"this.tags.key == null\", at: tags, message: a key}
",
    ),
];

const FACTS: &str = "owner=jane@bank.example ticket=RISK-12 expires=2027-01-31 reason=\"until the move\"";

fn desk() -> Desk {
    let desk = Desk::new();
    for (path, text) in POLICIES {
        desk.put(path, text);
    }
    desk
}

/// What `lint` says of a file under the tests' policies, a line each.
fn lint(desk: &Desk, arguments: &str) -> (ExitCode, Vec<String>) {
    let ran =
        desk.run(&format!("lint --policies policies --select BANK-TEST,GOV --format concise {arguments}"));
    assert_eq!(ran.err, "");
    (ran.code, ran.out.lines().map(str::to_owned).collect())
}

/// The same, of one Terraform file.
fn lint_terraform(text: &str) -> Vec<String> {
    let desk = desk();
    desk.put("infra/main.tf", text);
    lint(&desk, "infra").1
}

fn lint_manifest(text: &str) -> Vec<String> {
    let desk = desk();
    desk.put("k8s/all.yaml", text);
    lint(&desk, "k8s").1
}

fn claim() -> Claim {
    Claim {
        policy: "NXF-NET-001".into(),
        subject: "regions.primary.vpc".into(),
        reason: "until the move".into(),
        owner: "jane@bank.example".into(),
        ticket: "RISK-12".into(),
        expires: "2027-01-31".into(),
    }
}

/// What is wrong with a claim on a day: the fields.
fn faults(claim: &Claim, at: Date) -> Vec<&'static str> {
    let faults = examine(claim, &Catalogue::builtin(), at).err().unwrap_or_default();
    for fault in &faults {
        assert!(!fault.message.is_empty() && !fault.help.is_empty(), "{fault:?}");
    }
    faults.into_iter().map(|fault| fault.at).collect()
}

#[test]
fn a_waiver_holds_on_its_last_day_and_not_on_the_next() {
    assert_eq!(faults(&claim(), date(2027, 1, 31)), Vec::<&str>::new());
    assert_eq!(faults(&claim(), date(2027, 2, 1)), ["expires"]);
}

#[test]
fn a_waiver_reaches_one_year_ahead_and_no_day_more() {
    assert_eq!(faults(&claim(), date(2026, 1, 30)), Vec::<&str>::new());
    assert_eq!(faults(&claim(), date(2026, 1, 29)), ["expires"]);
}

#[test]
fn every_fact_has_to_be_there() {
    let at = date(2026, 11, 24);
    for fact in ["policy", "subject", "reason", "owner", "ticket", "expires"] {
        for empty in ["", "  "] {
            let mut claim = claim();
            match fact {
                "policy" => claim.policy = empty.into(),
                "subject" => claim.subject = empty.into(),
                "reason" => claim.reason = empty.into(),
                "owner" => claim.owner = empty.into(),
                "ticket" => claim.ticket = empty.into(),
                _ => claim.expires = empty.into(),
            }
            assert_eq!(faults(&claim, at), [fact]);
        }
    }
    let nothing = Claim::default();
    assert_eq!(faults(&nothing, at).len(), 6);
}

#[test]
fn a_policy_has_to_exist_and_to_be_waivable() {
    let at = date(2026, 11, 24);
    for policy in ["NXF-NET-0001", "nxf-net-001", "NXF-CFG-004", "NXF-GOV-005"] {
        assert_eq!(faults(&Claim { policy: policy.into(), ..claim() }, at), ["policy"], "{policy}");
    }
    let unknown = Claim { policy: "NXF-NET-0001".into(), ..claim() };
    let fault = examine(&unknown, &Catalogue::builtin(), at).unwrap_err().remove(0);
    assert!(fault.help.contains("`NXF-NET-001`"), "{fault:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A waiver holds exactly on the days from [`LONGEST`] before its last one to that one.
    #[test]
    fn a_waiver_holds_in_one_stretch_of_days(expires in 0_i32..60_000, at in 0_i32..60_000) {
        let day = |days| date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
        let catalogue = Catalogue::default();
        // Whether the policy exists is another matter.
        let claim = Claim { expires: day(expires).to_string(), ..claim() };
        let faults = examine(&claim, &catalogue, day(at)).unwrap_err();
        let in_time = !faults.iter().any(|fault| fault.at == "expires");
        prop_assert_eq!(in_time, (0..=LONGEST).contains(&(expires - at)));
    }

    /// Whatever stands behind the mark: nothing panics, and nothing is waived in silence.
    #[test]
    fn no_comment_makes_reading_panic(words in "[ -~äß\"=;\\\\]{0,60}") {
        let lines = lint_terraform(&format!("# nexafi-gen:waive {words}\nresource \"aws_vpc\" \"main\" {{\n}}\n"));
        prop_assert!(lines.iter().any(|line| line.contains("BANK-TEST-001 no log")), "{lines:?}");
        prop_assert!(lines.iter().any(|line| line.contains("NXF-GOV-005")), "{lines:?}");
    }
}

/// A blueprint whose VPC records nothing, and a waiver of that.
fn waived_blueprint(policy: &str, subject: &str) -> String {
    let text = minimal();
    let vpc = text.lines().find(|line| line.trim_start().starts_with("vpc:")).unwrap().to_owned();
    let indent = " ".repeat(vpc.len() - vpc.trim_start().len());
    let off = format!("{indent}vpc: {{cidr: 10.0.0.0/16, flowLogs: {{enabled: false}}}}");
    text.replacen(&vpc, &off, 1)
        + &format!(
            "compliance:
  waivers:
    - policy: {policy}
      subject: {subject}
      reason: until the move
      owner: jane@bank.example
      ticket: RISK-12
      expires: 2027-01-31
"
        )
}

#[test]
fn a_waiver_of_a_blueprint_node_covers_what_is_generated_from_it() {
    let desk = desk();
    desk.put("bp.yaml", waived_blueprint("BANK-TEST-001", "regions.primary.vpc"));
    let flags = "--policies policies --select BANK-TEST,GOV";
    let rendered = desk.run(&format!("render bp.yaml --out out {flags}"));
    assert_eq!(rendered.code, ExitCode::Clean, "{rendered:?}");
    let waived =
        |line: &String| line.contains("(waived until 2027-01-31 by jane@bank.example) BANK-TEST-001");
    for (what, count) in [("bp.yaml", 1), ("out", 1), ("bp.yaml out", 2), ("out/terraform/vpc.tf", 1)] {
        let (code, lines) = lint(&desk, what);
        assert_eq!((code, lines.len()), (ExitCode::Clean, count), "{what}: {lines:?}");
        assert!(lines.iter().all(waived), "{what}: {lines:?}");
    }
    // On the day after its last it is gone everywhere.
    for what in ["lint bp.yaml", "lint out", "render bp.yaml --check --out out"] {
        let ran = desk.run(&format!("{what} {flags} --at 2027-02-01 --format concise"));
        assert_eq!(ran.code, ExitCode::Findings, "{what}");
        assert!(ran.out.contains("high BANK-TEST-001"), "{what}: {ran:?}");
    }
}

#[test]
fn a_waived_finding_fails_no_run_in_any_format_and_is_named_in_each() {
    let desk = desk();
    desk.put("bp.yaml", waived_blueprint("BANK-TEST-001", "regions.primary.vpc"));
    for format in ["graphical", "concise", "json"] {
        for command in ["lint bp.yaml", "render bp.yaml --out out"] {
            for more in ["", "--strict", "--fail-on low"] {
                let ran = desk.run(&format!(
                    "{command} --policies policies --select BANK-TEST,GOV --format {format} {more}"
                ));
                assert_eq!(ran.code, ExitCode::Clean, "{command} {format} {more}: {ran:?}");
                assert!(ran.out.contains("jane@bank.example"), "{command} {format}: {ran:?}");
                assert!(ran.out.contains("2027-01-31"), "{command} {format}: {ran:?}");
            }
        }
    }
    let json: serde_json::Value = serde_json::from_str(
        &desk.run("lint bp.yaml --policies policies --select BANK-TEST --format json").out,
    )
    .unwrap();
    assert_eq!(json["summary"]["waived"], 1);
    assert_eq!(
        json["results"][0]["waiver"],
        serde_json::json!({
            "owner": "jane@bank.example", "reason": "until the move", "ticket": "RISK-12", "expires": "2027-01-31"
        })
    );
    // Told to say only what was found, it has nothing to say.
    assert_eq!(desk.run("lint bp.yaml --policies policies --select BANK-TEST --quiet").out, "");
}

#[test]
fn each_form_of_a_subject_covers_what_it_names_and_nothing_else() {
    // (subject, is the blueprint covered, are the rendered files covered)
    let cases = [
        ("regions.primary.vpc", true, true),
        ("regions.primary.vpc.flowLogs.enabled", true, true),
        ("aws_vpc.primary", false, true),
        ("regions.primary", false, false),
        ("regions", false, false),
        ("regions.primary.vpc.flowLogs", false, false),
        ("regions.*.vpc", false, false),
        ("aws_vpc", false, false),
        ("vpc", false, false),
    ];
    for (subject, blueprint, rendered) in cases {
        let desk = desk();
        desk.put("bp.yaml", waived_blueprint("BANK-TEST-001", subject));
        desk.run("render bp.yaml --out out --fail-on never --select BANK-TEST --policies policies");
        let lines = lint(&desk, "bp.yaml out").1;
        let covered =
            |path: &str| lines.iter().any(|line| line.starts_with(path) && line.contains("(waived"));
        assert_eq!((covered("bp.yaml"), covered("out")), (blueprint, rendered), "{subject}: {lines:?}");
        let unused =
            lines.iter().any(|line| line.contains("NXF-GOV-005") && line.contains("matches no finding"));
        assert_eq!(unused, !blueprint && !rendered, "{subject}: {lines:?}");
    }
}

#[test]
fn a_waiver_of_a_blueprint_never_reaches_files_written_by_hand() {
    let desk = desk();
    desk.put("bp.yaml", waived_blueprint("BANK-TEST-001", "aws_vpc.primary"));
    desk.run("render bp.yaml --out out --fail-on never --select BANK-TEST --policies policies");
    desk.put("infra/main.tf", "resource \"aws_vpc\" \"primary\" {\n}\n");
    let lines = lint(&desk, "bp.yaml out infra").1;
    let of = |path: &str| lines.iter().find(|line| line.starts_with(path)).unwrap().clone();
    assert!(of("infra").contains("high BANK-TEST-001"), "{lines:?}");
    assert!(of("out").contains("(waived"), "{lines:?}");
}

#[test]
fn a_waiver_nobody_needs_is_named_only_when_its_finding_was_looked_for() {
    let desk = desk();
    desk.put("bp.yaml", waived_blueprint("BANK-TEST-001", "regions.primary.vpcs"));
    desk.run("render bp.yaml --out out --fail-on never --select BANK-TEST --policies policies");
    let named = |arguments: &str| {
        let ran = desk.run(&format!("lint {arguments} --policies policies --format concise"));
        ran.out.lines().find(|line| line.contains("matches no finding")).map(str::to_owned)
    };
    let line = named("bp.yaml out").unwrap();
    assert!(line.starts_with("bp.yaml:") && line.contains("high NXF-GOV-005"), "{line}");
    // The policy also judges Terraform: the blueprint alone does not tell.
    assert_eq!(named("bp.yaml"), None);
    // The blueprint itself was not asked about.
    assert_eq!(named("out"), None);
    assert_eq!(named("bp.yaml out --select NET,GOV"), None);
    assert_eq!(named("bp.yaml out --ignore BANK-TEST-001"), None);
    assert_eq!(named("bp.yaml out --framework cis-eks-1.8"), None);
    assert_eq!(named("bp.yaml out --ignore GOV"), None);
    let ran = desk.run("lint bp.yaml out --policies policies --select BANK-TEST,GOV");
    assert!(ran.out.contains("did you mean `regions.primary.vpc`?"), "{}", ran.out);
}

#[test]
fn faulty_waivers_of_a_blueprint_are_findings_at_the_fact_and_waive_nothing() {
    let desk = desk();
    let good = waived_blueprint("BANK-TEST-001", "regions.primary.vpc");
    let cases = [
        ("policy: BANK-TEST-001", "policy: BANK-TEST-0001"),
        ("policy: BANK-TEST-001", "policy: BANK-TEST-003"),
        ("expires: 2027-01-31", "expires: 2026-11-22"),
        ("expires: 2027-01-31", "expires: 2027-11-25"),
        ("owner: jane@bank.example", "owner: \"\""),
        ("ticket: RISK-12", "ticket: \" \""),
    ];
    for (from, to) in cases {
        desk.put("bp.yaml", good.replacen(from, to, 1));
        let (code, lines) = lint(&desk, "bp.yaml");
        assert_eq!(code, ExitCode::Findings);
        assert_eq!(lines.len(), 2, "{to}: {lines:?}");
        assert!(lines.iter().any(|line| line.contains("high BANK-TEST-001 no flow logs")), "{to}: {lines:?}");
        let waiver = lines.iter().find(|line| line.contains("high NXF-GOV-005")).unwrap();
        let at = good.lines().position(|line| line.contains(from)).unwrap() + 1;
        assert!(waiver.starts_with(&format!("bp.yaml:{at}:")), "{to}: {waiver}");
    }
    desk.put("bp.yaml", good.replacen("owner: jane@bank.example", "", 1));
    assert!(lint(&desk, "bp.yaml").1[0].contains("NXF-CFG-007"));
}

const VPC: &str = "resource \"aws_vpc\" \"main\" {\n}\n";

#[test]
fn a_comment_waives_at_its_block_wherever_it_stands() {
    for text in [
        format!("# nexafi-gen:waive BANK-TEST-001 {FACTS}\n{VPC}"),
        format!("// nexafi-gen:waive BANK-TEST-001 {FACTS}\n{VPC}"),
        format!("/* nexafi-gen:waive BANK-TEST-001 {FACTS} */\n{VPC}"),
        format!("# nexafi-gen:waive BANK-TEST-001 {FACTS}\n# what it is for\n{VPC}"),
        format!("# what it is for\n#nexafi-gen:waive BANK-TEST-001 {FACTS}\n# blueprint: x\n{VPC}"),
        format!("resource \"aws_vpc\" \"main\" {{ # nexafi-gen:waive BANK-TEST-001 {FACTS}\n}}\n"),
        format!("resource \"aws_vpc\" \"main\" {{\n  # nexafi-gen:waive BANK-TEST-001 {FACTS}\n\n}}\n"),
        format!("resource \"aws_vpc\" \"main\" {{}} # nexafi-gen:waive BANK-TEST-001 {FACTS}\n"),
        "# nexafi-gen:waive BANK-TEST-001 owner=jane@bank.example ticket=RISK-12\n#   expires=2027-01-31 reason=\"until\n#   the move\"\n"
            .to_owned()
            + VPC,
        format!(
            "# nexafi-gen:waive BANK-TEST-001 owner = jane@bank.example; ticket=RISK-12; reason=until the move expires=2027-01-31\n{VPC}"
        ),
    ] {
        let lines = lint_terraform(&text.replace('\n', "\r\n"));
        assert_eq!(lines.len(), 1, "{text}{lines:?}");
        let lines = lint_terraform(&text);
        assert_eq!(lines.len(), 1, "{text}{lines:?}");
        assert!(
            lines[0].contains("high (waived until 2027-01-31 by jane@bank.example) BANK-TEST-001"),
            "{text}{lines:?}"
        );
    }
}

#[test]
fn a_comment_at_a_nested_block_is_about_that_block() {
    let rule = "    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n";
    let group = |first: &str, second: &str| {
        format!(
            "resource \"aws_security_group\" \"web\" {{\n{first}  ingress {{\n{rule}{second}  ingress {{\n{rule}}}\n"
        )
    };
    let comment = format!("  # nexafi-gen:waive BANK-TEST-001 {FACTS}\n");
    let waived = |text: &str| -> Vec<bool> {
        lint_terraform(text)
            .iter()
            .filter(|line| line.contains("BANK-TEST-001 open"))
            .map(|line| line.contains("(waived"))
            .collect()
    };
    assert_eq!(waived(&group("", "")), [false, false]);
    assert_eq!(waived(&group(&comment, "")), [true, false]);
    assert_eq!(waived(&group("", &comment)), [false, true]);
    // With an empty line between it is about the whole resource.
    assert_eq!(waived(&group(&format!("{comment}\n"), "")), [true, true]);
    assert_eq!(waived(&format!("{comment}{}", group("", ""))), [true, true]);
    // Where the value itself stands elsewhere, the block is still the block.
    let elsewhere = group(&comment, "").replace("[\"0.0.0.0/0\"]", "local.all")
        + "locals {\n  all = [\"0.0.0.0/0\"]\n}\n";
    let lines = lint_terraform(&elsewhere);
    assert_eq!(waived(&elsewhere).iter().filter(|waived| **waived).count(), 1, "{lines:?}");
    // A block that a `dynamic` makes.
    let dynamic = format!(
        "resource \"aws_security_group\" \"web\" {{\n  dynamic \"ingress\" {{\n    for_each = [1]\n    content {{\n    {comment}      cidr_blocks = [\"0.0.0.0/0\"]\n    }}\n  }}\n}}\n"
    );
    assert_eq!(waived(&dynamic), [true]);
}

#[test]
fn a_comment_that_waives_nothing_says_why() {
    let cases = [
        (format!("# nexafi-gen:waive BANK-TEST-001 {FACTS}\n\n{VPC}"), "stands at no block"),
        (format!("# nexafi-gen:waive BANK-TEST-0001 {FACTS}\n{VPC}"), "there is no policy `BANK-TEST-0001`"),
        (format!("# nexafi-gen:waive BANK-TEST-003 {FACTS}\n{VPC}"), "BANK-TEST-003 cannot be waived"),
        (format!("# nexafi-gen:waive NXF-GOV-005 {FACTS}\n{VPC}"), "NXF-GOV-005 cannot be waived"),
        (format!("# nexafi-gen:waive {FACTS}\n{VPC}"), "has no policy"),
        (format!("# nexafi-gen:ignore BANK-TEST-001 {FACTS}\n{VPC}"), "`nexafi-gen:ignore` means nothing"),
        (format!("# nexafi-gen:waive BANK-TEST-001\n{VPC}"), "has no owner"),
        (
            format!("# nexafi-gen:waive BANK-TEST-001 owner= ticket=R-1 expires=2027-01-31 reason=x\n{VPC}"),
            "has no owner",
        ),
        (
            format!(
                "# nexafi-gen:waive BANK-TEST-001 onwer=jane ticket=R-1 expires=2027-01-31 reason=x\n{VPC}"
            ),
            "`onwer=jane` is no fact",
        ),
        (
            format!(
                "# nexafi-gen:waive BANK-TEST-001 ticket=R-1 onwer=jane expires=2027-01-31 reason=x\n{VPC}"
            ),
            "`onwer=` is no fact",
        ),
        (format!("# nexafi-gen:waive BANK-TEST-001 {FACTS} owner=joe\n{VPC}"), "`owner=` stands twice"),
        (
            format!("# nexafi-gen:waive BANK-TEST-001 owner=j ticket=R expires=2027-01-31 reason=\"x\n{VPC}"),
            "never closed",
        ),
        (
            format!("# nexafi-gen:waive BANK-TEST-001 {}\n{VPC}", FACTS.replace("2027-01-31", "soon")),
            "`soon` is no date",
        ),
        (format!("# nexafi-gen:waive BANK-TEST-001 {}\n{VPC}", FACTS.replace("2027", "2026")), "has expired"),
        (
            format!("# nexafi-gen:waive BANK-TEST-001 {}\n{VPC}", FACTS.replace("2027", "2029")),
            "366 are the most",
        ),
        (format!("# nexafi-gen:waive BANK-TEST-001 {FACTS} container=a\n{VPC}"), "is for Kubernetes objects"),
        (
            format!("# nexafi-gen:waive BANK-TEST-001 {FACTS}\nlocals {{\n  a = 1\n}}\n{VPC}"),
            "matches no finding",
        ),
    ];
    for (text, said) in cases {
        let lines = lint_terraform(&text);
        assert!(lines.iter().any(|line| line.contains("high BANK-TEST-001 no log")), "{text}{lines:?}");
        let of_waivers: Vec<&String> =
            lines.iter().filter(|line| line.contains("high NXF-GOV-005")).collect();
        assert!(of_waivers.iter().any(|line| line.contains(said)), "{text}{lines:?}");
    }
}

#[test]
fn what_only_looks_like_a_comment_waives_nothing() {
    let text = format!(
        "resource \"aws_vpc\" \"main\" {{\n  tags = {{\n    a = \"# nexafi-gen:waive BANK-TEST-001 {}\"\n    b = <<EOT\n# nexafi-gen:waive BANK-TEST-001 {FACTS}\nEOT\n  }}\n}}\n",
        FACTS.replace('"', "")
    );
    let lines = lint_terraform(&text);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("high BANK-TEST-001 no log"), "{lines:?}");
}

fn deployment(annotation: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: agent
  namespace: core
  annotations:
    team: core
{annotation}spec:
  selector: {{matchLabels: {{app: agent}}}}
  template:
    metadata: {{labels: {{app: agent}}}}
    spec:
      initContainers: [{{name: setup, image: \"setup:latest\"}}]
      containers:
        - {{name: agent, image: \"agent:latest\"}}
        - {{name: proxy, image: \"proxy:latest\"}}
      ephemeralContainers: [{{name: debug, image: \"debug:latest\"}}]
"
    )
}

const ANNOTATION_FACTS: &str =
    "owner=jane@bank.example; ticket=RISK-12; expires=2027-01-31; reason=until the move, at last";

/// The containers whose finding is waived.
fn waived_containers(annotation: &str) -> Vec<String> {
    lint_manifest(&deployment(annotation))
        .iter()
        .filter(|line| line.contains("critical (waived until 2027-01-31 by jane@bank.example) BANK-TEST-002"))
        .filter_map(|line| Some(line.split_once("BANK-TEST-002 ")?.1.split(' ').next()?.to_owned()))
        .collect()
}

#[test]
fn an_annotation_waives_at_its_object_or_at_the_containers_it_names() {
    let all = ["setup", "agent", "proxy", "debug"];
    let with = |more: &str| {
        waived_containers(&format!("    nexafi-gen/waive.BANK-TEST-002: {ANNOTATION_FACTS}{more}\n"))
    };
    assert_eq!(waived_containers(""), Vec::<String>::new());
    assert_eq!(with(""), all);
    for name in all {
        assert_eq!(with(&format!("; container={name}")), [name]);
    }
    assert_eq!(with("; container=setup, debug"), ["setup", "debug"]);
    assert_eq!(with("; container=nobody"), Vec::<String>::new());
    // An annotation's key is a name with a DNS prefix; Kubernetes takes it.
    let lines =
        lint_manifest(&deployment(&format!("    nexafi-gen/waive.BANK-TEST-002: {ANNOTATION_FACTS}\n")));
    assert!(!lines.iter().any(|line| line.contains("NXF-")), "{lines:?}");
}

#[test]
fn an_annotation_that_waives_nothing_says_why() {
    let cases = [
        ("    nexafi-gen/waive.BANK-TEST-002: {a: b}\n", "the waiver is no text"),
        ("    nexafi-gen/waive: owner=jane\n", "names no policy"),
        ("    nexafi-gen/waive.BANK-TEST-002: approved by jane\n", "`approved` is no fact"),
        ("    nexafi-gen/waive.BANK-TEST-02: owner=jane\n", "there is no policy `BANK-TEST-02`"),
    ];
    for (annotation, said) in cases {
        let lines = lint_manifest(&deployment(annotation));
        assert!(
            lines.iter().any(|line| line.contains("NXF-GOV-005") && line.contains(said)),
            "{said}: {lines:?}"
        );
        assert_eq!(
            lines.iter().filter(|line| line.contains("critical BANK-TEST-002")).count(),
            4,
            "{lines:?}"
        );
    }
    let nobody = lint_manifest(&deployment(&format!(
        "    nexafi-gen/waive.BANK-TEST-002: {ANNOTATION_FACTS}; container=nobody\n"
    )));
    assert!(nobody.iter().any(|line| line.contains("has no container `nobody`")), "{nobody:?}");
    // At the pod template nobody would look for it.
    let template = deployment("").replace(
        "metadata: {labels: {app: agent}}",
        &format!("metadata: {{labels: {{app: agent}}, annotations: {{nexafi-gen/waive.BANK-TEST-002: \"{ANNOTATION_FACTS}\"}}}}"),
    );
    let lines = lint_manifest(&template);
    assert!(lines.iter().any(|line| line.contains("stands at the pod template")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("(waived")), "{lines:?}");
}

#[test]
fn waived_findings_as_people_see_them() {
    let desk = desk();
    desk.put("bp.yaml", waived_blueprint("BANK-TEST-001", "regions.primary.vpc"));
    desk.put(
        "main.tf",
        format!(
            "# nexafi-gen:waive BANK-TEST-001 {}\n{VPC}\nresource \"aws_vpc\" \"b\" {{\n  # nexafi-gen:waive BANK-TEST-001 {FACTS}\n\n}}\n",
            FACTS.replace("jane@bank.example", "")
        ),
    );
    let flags = "--policies policies --select BANK-TEST,GOV";
    insta::assert_snapshot!(desk.run(&format!("lint bp.yaml main.tf {flags}")).out);
}
