//! Baselines: what is known stays quiet, what is new fails, what is mended is named, and the file only shrinks.

use nexafi_gen::cli::ExitCode;

use crate::cli::{Desk, minimal};

const TWO: &str = "resource \"aws_vpc\" \"a\" {\n  cidr_block = \"10.0.0.0/16\"\n}\n\nresource \"aws_vpc\" \"b\" {\n  cidr_block = \"10.1.0.0/16\"\n}\n";
const FLAGS: &str = "--select NXF-NET-001,GOV --format concise";

fn known() -> Desk {
    let desk = Desk::new();
    desk.put("infra/main.tf", TWO);
    let ran = desk.run(&format!("lint infra --write-baseline base.json {FLAGS}"));
    assert_eq!((ran.code, ran.out.as_str()), (ExitCode::Clean, ""), "{ran:?}");
    desk
}

#[test]
fn the_file_is_small_sorted_and_the_same_every_time() {
    let desk = known();
    let written = desk.read("base.json");
    insta::assert_snapshot!(written);
    desk.run(&format!("lint infra --write-baseline base.json {FLAGS}"));
    desk.run(&format!("lint ./infra/main.tf --write-baseline again.json {FLAGS}"));
    assert_eq!(desk.read("base.json"), written);
    assert_eq!(desk.read("again.json"), written);
    // It is data of ours, no input.
    assert_eq!(desk.run(&format!("lint . --baseline base.json {FLAGS}")).code, ExitCode::Clean);
}

#[test]
fn what_is_known_stays_quiet_wherever_its_lines_move_and_what_is_new_fails() {
    let desk = known();
    desk.put("infra/main.tf", format!("# a comment\n\n{TWO}"));
    let ran = desk.run(&format!("lint infra --baseline base.json {FLAGS}"));
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (ExitCode::Clean, "", ""));
    let ran = desk.run("lint infra --baseline base.json --select NXF-NET-001");
    assert!(ran.out.contains("no findings · 2 known to the baseline"), "{}", ran.out);
    desk.put("infra/more.tf", "resource \"aws_vpc\" \"c\" {\n  cidr_block = \"10.2.0.0/16\"\n}\n");
    let ran = desk.run(&format!("lint infra --baseline base.json {FLAGS}"));
    assert_eq!(ran.code, ExitCode::Findings);
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
    assert!(ran.out.starts_with("infra/more.tf:1:1: high NXF-NET-001"), "{}", ran.out);
}

#[test]
fn json_counts_what_is_known_and_lists_it_when_asked() {
    let desk = known();
    let json = |more: &str| -> serde_json::Value {
        let flags = "--baseline base.json --select NXF-NET-001 --format json";
        serde_json::from_str(&desk.run(&format!("lint infra {flags} {more}")).out).unwrap()
    };
    let plain = json("");
    assert_eq!(plain["results"], serde_json::json!([]));
    assert_eq!((&plain["summary"]["fail"], &plain["summary"]["baselined"]), (&0.into(), &2.into()));
    let all = json("--all");
    let marked = all["results"].as_array().unwrap().iter().filter(|row| row["baselined"] == true).count();
    assert_eq!(marked, 2);
    let schema = nexafi_gen::report::generate_schema();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&all));
}

#[test]
fn what_is_mended_is_named_and_taken_out_and_nothing_is_put_in() {
    let desk = known();
    // One is gone, a new one is there.
    desk.put("infra/main.tf", TWO.replace("\"b\"", "\"c\""));
    let ran = desk.run(&format!("lint infra --baseline base.json {FLAGS}"));
    assert_eq!(ran.code, ExitCode::Findings);
    assert!(ran.err.contains("1 finding of base.json is not open any more"), "{}", ran.err);
    assert!(ran.err.contains("NXF-NET-001 aws_vpc.b in infra/main.tf"), "{}", ran.err);
    let ran = desk.run(&format!("lint infra --baseline base.json --write-baseline base.json {FLAGS}"));
    assert_eq!(ran.code, ExitCode::Findings, "a new finding is never taken in by the way");
    let left = desk.read("base.json");
    assert!(
        left.contains("aws_vpc.a") && !left.contains("aws_vpc.b") && !left.contains("aws_vpc.c"),
        "{left}"
    );
    // Mending alone changes no exit code.
    desk.put("infra/main.tf", "");
    desk.put("infra/main.tf", "locals {\n  a = 1\n}\n");
    let ran = desk.run(&format!("lint infra --baseline base.json {FLAGS}"));
    assert_eq!(ran.code, ExitCode::Clean);
    assert!(ran.err.contains("aws_vpc.a"), "{}", ran.err);
}

#[test]
fn what_was_not_looked_at_is_not_called_mended() {
    let desk = known();
    desk.put("other/main.tf", "locals {\n  a = 1\n}\n");
    for what in [
        "other --select NXF-NET-001",
        "infra --select NXF-NET-003",
        "infra --ignore NXF-NET-001",
        "infra --framework cis-eks-1.8",
    ] {
        let ran = desk.run(&format!("lint {what} --baseline base.json --fail-on never"));
        assert_eq!(ran.err, "", "{what}");
        desk.run(&format!("lint {what} --baseline base.json --write-baseline kept.json --fail-on never"));
        assert_eq!(desk.read("kept.json"), desk.read("base.json"), "{what}");
    }
}

#[test]
fn faults_of_inputs_and_of_waivers_are_no_debt_and_critical_ones_are_counted() {
    let desk = Desk::new();
    desk.put(
        "infra/main.tf",
        "# nexafi-gen:waive NXF-NET-001 owner=jane\nresource \"aws_vpc\" \"a\" {\n  cidr_blok = \"10.0.0.0/16\"\n}\nresource \"aws_security_group\" \"b\" {\n  ingress {\n    from_port   = 22\n    to_port     = 22\n    protocol    = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n",
    );
    let flags = "--select NXF-NET-001,NXF-NET-004,GOV --format concise";
    let ran = desk.run(&format!("lint infra --write-baseline base.json {flags}"));
    assert_eq!(ran.code, ExitCode::Findings);
    assert!(ran.err.contains("1 of them is critical"), "{}", ran.err);
    assert!(ran.err.contains("left out: faults of input files and of waivers"), "{}", ran.err);
    assert!(ran.out.contains("NXF-CFG-021") && ran.out.contains("NXF-GOV-005"), "{}", ran.out);
    let text = desk.read("base.json");
    assert!(text.contains("NXF-NET-004") && !text.contains("NXF-CFG") && !text.contains("NXF-GOV"), "{text}");
    // Nor can they be written into it by hand.
    let code = desk.run(&format!("lint infra --baseline base.json {flags}")).code;
    assert_eq!(code, ExitCode::Findings);
}

#[test]
fn what_was_unproven_and_fails_now_is_new() {
    let desk = Desk::new();
    let text = |kind: &str| {
        format!(
            "variable \"kind\" {{\n  type = string\n}}\nresource \"aws_vpc\" \"a\" {{\n  cidr_block = \"10.0.0.0/16\"\n}}\nresource \"aws_flow_log\" \"a\" {{\n  vpc_id       = aws_vpc.a.id\n  traffic_type = {kind}\n}}\n"
        )
    };
    desk.put("infra/main.tf", text("var.kind"));
    let plain = desk.run(&format!("lint infra {FLAGS}"));
    assert_eq!(plain.code, ExitCode::Clean, "unproven alone fails no run: {plain:?}");
    assert_eq!(plain.out.matches("high (unproven)").count(), 2, "{}", plain.out);
    assert_eq!(desk.run(&format!("lint infra --strict {FLAGS}")).code, ExitCode::Findings);
    desk.run(&format!("lint infra --write-baseline base.json {FLAGS}"));
    let ran = desk.run(&format!("lint infra --strict --baseline base.json {FLAGS}"));
    assert_eq!((ran.code, ran.out.as_str()), (ExitCode::Clean, ""), "{ran:?}");
    desk.put("infra/main.tf", text("\"REJECT\""));
    assert_eq!(desk.run(&format!("lint infra --baseline base.json {FLAGS}")).code, ExitCode::Findings);
}

#[test]
fn a_baseline_that_cannot_be_used_stops_the_run_and_says_why() {
    let desk = known();
    desk.put("text.json", "not json");
    desk.put("other.json", "{\"findings\": []}");
    desk.put("newer.json", "{\"schema\": \"nexafi-gen/baseline/v9\", \"findings\": []}");
    desk.put("damaged.json", "{\"schema\": \"nexafi-gen/baseline/v1\", \"findings\": [{\"policy\": 1}]}");
    desk.put("bp.yaml", minimal());
    let mut told = String::new();
    for file in ["text.json", "other.json", "newer.json", "damaged.json", "nowhere.json", "infra"] {
        for command in ["lint infra", "render bp.yaml"] {
            let ran = desk.run(&format!("{command} --baseline {file}"));
            assert_eq!((ran.code, ran.out.as_str()), (ExitCode::Unusable, ""), "{command} {file}: {ran:?}");
            if command == "lint infra" {
                told.push_str(&ran.err);
            }
        }
    }
    insta::assert_snapshot!(told);
    // A mistyped path costs no file.
    let ran = desk.run(&format!("lint infra --write-baseline infra/main.tf {FLAGS}"));
    assert_eq!(ran.code, ExitCode::Unusable);
    assert_eq!(desk.read("infra/main.tf"), TWO);
}

#[test]
fn no_baseline_is_written_of_files_that_cannot_be_read() {
    let desk = Desk::new();
    desk.put("infra/main.tf", "resource \"aws_vpc\" {{\n");
    let ran = desk.run("lint infra --write-baseline base.json");
    assert_eq!(ran.code, ExitCode::Findings);
    assert!(ran.err.contains("base.json was not written"), "{}", ran.err);
    assert!(!desk.directory.join("base.json").exists());
}

#[test]
fn render_and_lint_know_the_same_findings() {
    let desk = Desk::new();
    let text = minimal();
    let vpc = text.lines().find(|line| line.trim_start().starts_with("vpc:")).unwrap().to_owned();
    let indent = " ".repeat(vpc.len() - vpc.trim_start().len());
    desk.put(
        "bp.yaml",
        text.replacen(&vpc, &format!("{indent}vpc: {{cidr: 10.0.0.0/16, flowLogs: {{enabled: false}}}}"), 1),
    );
    assert_eq!(desk.run("render bp.yaml --out out").code, ExitCode::Findings);
    desk.run("render bp.yaml --out out --fail-on never");
    assert_eq!(desk.run("lint bp.yaml out --write-baseline base.json").code, ExitCode::Clean);
    for format in ["graphical", "concise", "json"] {
        let ran = desk.run(&format!("render bp.yaml --out out --baseline base.json --format {format}"));
        assert_eq!(ran.code, ExitCode::Clean, "{format}: {ran:?}");
    }
    // What only the output shows is not hidden behind a known cause.
    let only_blueprint: Vec<String> =
        desk.read("base.json").lines().filter(|line| !line.contains("out/")).map(str::to_owned).collect();
    desk.put("base.json", only_blueprint.join("\n").replace("},\n  ]", "}\n  ]"));
    for format in ["graphical", "concise", "json"] {
        let ran = desk.run(&format!("render bp.yaml --out out --baseline base.json --format {format}"));
        assert_eq!(ran.code, ExitCode::Findings, "{format}: {ran:?}");
        assert!(ran.out.contains("aws_vpc"), "{format}: {ran:?}");
    }
}
