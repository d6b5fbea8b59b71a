//! What `render`, `render --check` and `lint` of what was rendered promise.

use nexafi_gen::cli::ExitCode;

use crate::cli::{Desk, minimal};

const LOCK: &str = "generated/minimal/nexafi-gen.lock.json";
const VPC: &str = "generated/minimal/terraform/vpc.tf";

/// A desk with the smallest blueprint, changed as wanted.
fn desk(change: impl Fn(&str) -> String) -> Desk {
    let desk = Desk::new();
    desk.put("blueprints/minimal.yaml", change(&minimal()));
    desk
}

/// The smallest blueprint without flow logs: one policy is broken, in one line.
fn without_flow_logs(text: &str) -> String {
    text.replace("vpc: {cidr: 10.20.0.0/16}", "vpc: {cidr: 10.20.0.0/16, flowLogs: {enabled: false}}")
}

/// The line of the blueprint that is changed.
fn vpc_line() -> usize {
    minimal().lines().position(|line| line.contains("vpc:")).unwrap() + 1
}

fn rendered() -> Desk {
    let desk = desk(str::to_owned);
    let ran = desk.run("render blueprints/minimal.yaml");
    assert_eq!(ran.code, ExitCode::Clean, "{}{}", ran.out, ran.err);
    desk
}

#[test]
fn a_render_is_complete_clean_and_the_same_every_time() {
    let desk = rendered();
    let first = desk.everything();
    assert!(desk.read(VPC).contains("aws_vpc"));
    assert!(desk.read(LOCK).contains("\"path\": \"../../blueprints/minimal.yaml\""));

    let again = desk.run("render blueprints/minimal.yaml");
    assert_eq!(again.code, ExitCode::Clean);
    assert!(again.err.ends_with("files unchanged\n"), "{}", again.err);
    let check = desk.run("render blueprints/minimal.yaml --check");
    assert_eq!(check.code, ExitCode::Clean, "{}{}", check.out, check.err);
    let lint = desk.run("lint");
    assert_eq!(lint.code, ExitCode::Clean, "{}", lint.out);
    assert_eq!(desk.everything(), first);
}

#[test]
fn another_directory_gets_the_same_bytes() {
    let desk = rendered();
    desk.run("render ./blueprints/minimal.yaml --out deep/er/out");
    let below = |root: &str| -> Vec<(String, Vec<u8>)> {
        let root = desk.directory.join(root).into_string();
        desk.everything()
            .into_iter()
            .filter_map(|(path, bytes)| Some((path.strip_prefix(&root)?.to_owned(), bytes)))
            .filter(|(path, _)| !path.ends_with(".lock.json"))
            .collect()
    };
    assert_eq!(below("generated/minimal"), below("deep/er/out"));
    assert!(desk.read("deep/er/out/nexafi-gen.lock.json").contains("\"../../../blueprints/minimal.yaml\""));
}

#[test]
fn a_touched_byte_is_found_shown_and_never_overwritten() {
    let desk = rendered();
    let text = desk.read(VPC);
    let line = text.lines().position(|line| line.contains("cidr_block")).unwrap() + 1;
    desk.put(VPC, text.replacen("10.20.0.0/16", "10.21.0.0/16", 1));

    let check = desk.run("render blueprints/minimal.yaml --check --diff --format concise");
    assert_eq!(check.code, ExitCode::Findings);
    assert!(check.out.starts_with(&format!("{VPC}:{line}:1: drifted")), "{}", check.out);
    assert!(check.out.contains("10.21.0.0/16\"\n+"), "{}", check.out);
    assert!(check.err.contains("1 file differs from the blueprint"), "{}", check.err);

    let before = desk.everything();
    let refused = desk.run("render blueprints/minimal.yaml");
    assert_eq!(refused.code, ExitCode::Unusable);
    insta::assert_snapshot!(refused.err);
    assert_eq!(desk.everything(), before);

    assert_eq!(desk.run("render blueprints/minimal.yaml --force").code, ExitCode::Clean);
    assert_eq!(desk.read(VPC), text);
}

#[test]
fn missing_and_orphaned_files_are_named_too() {
    let desk = rendered();
    std::fs::remove_file(desk.directory.join(VPC)).unwrap();
    let lock = desk.read(LOCK);
    let hash = lock.split("vpc.tf\": \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    desk.put("generated/minimal/old/gone.tf", "");
    desk.put("generated/minimal/mine.txt", "");
    let entry = format!("\"files\": {{\n    \"old/gone.tf\": \"{hash}\",");
    desk.put(LOCK, lock.replacen("\"files\": {", &entry, 1));

    let check = desk.run("render blueprints/minimal.yaml --check --format concise -v");
    assert_eq!(check.code, ExitCode::Findings);
    insta::assert_snapshot!(format!("{}---\n{}", check.out, check.err));
}

#[test]
fn a_changed_blueprint_is_drift_until_it_is_rendered() {
    let desk = rendered();
    desk.put("blueprints/minimal.yaml", minimal().replace("10.20.0.0/16", "10.30.0.0/16"));
    let check = desk.run("render blueprints/minimal.yaml --check --format concise");
    assert_eq!(check.code, ExitCode::Findings);
    assert!(check.out.contains("nexafi-gen.lock.json:"), "{}", check.out);
    assert!(check.out.contains("terraform/vpc.tf:"), "{}", check.out);
    let render = desk.run("render blueprints/minimal.yaml");
    assert_eq!(render.code, ExitCode::Clean, "{}", render.err);
    assert_eq!(desk.run("render blueprints/minimal.yaml --check").code, ExitCode::Clean);
}

#[test]
fn a_finding_stops_the_render_before_anything_is_written() {
    let desk = desk(without_flow_logs);
    let before = desk.everything();
    let ran = desk.run("render blueprints/minimal.yaml");
    assert_eq!(ran.code, ExitCode::Findings);
    assert!(ran.out.contains("NXF-NET-001"), "{}", ran.out);
    assert!(ran.out.contains(&format!("[blueprints/minimal.yaml:{}:", vpc_line())), "{}", ran.out);
    assert!(ran.err.contains("nothing was written"), "{}", ran.err);
    assert_eq!(desk.everything(), before);
    assert_eq!(desk.run("lint").code, ExitCode::Findings);
}

#[test]
fn what_is_rendered_in_spite_of_a_finding_has_it_too_and_points_at_both_places() {
    let desk = desk(without_flow_logs);
    assert_eq!(desk.run("render blueprints/minimal.yaml --fail-on never").code, ExitCode::Clean);
    let lint = desk.run("lint generated --select NXF-NET-001");
    assert_eq!(lint.code, ExitCode::Findings);
    // Where the block stands in its file, and what stands around it, is the templates' business.
    let filters = [(r":\d+:\d+\]", ":LINE:COLUMN]"), (r"(?m)^ +\d+ │ .*$", " # │ ...")];
    insta::with_settings!({filters => filters}, { insta::assert_snapshot!(lint.out) });

    let report = desk.run("lint generated/minimal/terraform/vpc.tf --format json");
    let report: serde_json::Value = serde_json::from_str(&report.out).unwrap();
    let related = &report["results"][0]["related"][0]["location"];
    assert_eq!(related["path"], "blueprints/minimal.yaml");
    assert_eq!(related["line"], vpc_line());
}

#[test]
fn one_generated_file_is_judged_with_the_others_of_its_render() {
    let desk = rendered();
    for entry in walkdir::WalkDir::new(desk.directory.join("generated")) {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "tf") {
            let typed = path.strip_prefix(&desk.directory).unwrap().to_str().unwrap();
            let ran = desk.run(&format!("lint {typed}"));
            assert_eq!(ran.code, ExitCode::Clean, "{typed}: {}", ran.out);
        }
    }
}

#[test]
fn without_its_blueprint_generated_code_is_still_judged() {
    let desk = desk(without_flow_logs);
    desk.run("render blueprints/minimal.yaml --fail-on never");
    for text in ["not: [a blueprint", ""] {
        desk.put("blueprints/minimal.yaml", text);
        let lint = desk.run("lint generated --select NXF-NET-001 --format concise");
        assert_eq!(
            (lint.code, lint.out.lines().count()),
            (ExitCode::Findings, 1),
            "{}{}",
            lint.out,
            lint.err
        );
    }
    std::fs::remove_file(desk.directory.join("blueprints/minimal.yaml")).unwrap();
    assert_eq!(desk.run("lint generated").code, ExitCode::Findings);
    desk.put(LOCK, "damaged");
    assert_eq!(desk.run("lint generated").code, ExitCode::Findings);
}

#[test]
fn a_blueprint_that_changed_since_is_said_to_have() {
    let desk = desk(without_flow_logs);
    desk.run("render blueprints/minimal.yaml --fail-on never");
    desk.put("blueprints/minimal.yaml", minimal());
    let lint = desk.run("lint generated --select NXF-NET-001");
    assert!(lint.out.contains("which has changed since the render"), "{}", lint.out);
}

#[test]
fn the_blueprint_and_its_output_are_judged_once_each() {
    let desk = desk(without_flow_logs);
    desk.run("render blueprints/minimal.yaml --fail-on never");
    desk.run("render blueprints/minimal.yaml --fail-on never --out second");
    let lint = desk.run("lint --select NXF-NET-001 --format concise");
    let files: Vec<&str> = lint.out.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(files, ["blueprints/minimal.yaml", VPC, "second/terraform/vpc.tf"]);
}

#[test]
fn a_check_of_a_blueprint_with_findings_reports_both() {
    let desk = desk(without_flow_logs);
    let check = desk.run("render blueprints/minimal.yaml --check --format json");
    assert_eq!(check.code, ExitCode::Findings);
    let report: serde_json::Value = serde_json::from_str(&check.out).unwrap();
    assert_eq!(report["results"][0]["policy"], "NXF-NET-001");
    assert_eq!(report["drift"][0]["state"], "missing");
    let schema: serde_json::Value = serde_json::from_str(&desk.run("schema report").out).unwrap();
    assert!(jsonschema::is_valid(&schema, &report));
}

#[test]
fn a_file_where_the_output_should_be_is_refused() {
    let desk = desk(str::to_owned);
    desk.put("generated", "a file");
    let before = desk.everything();
    let ran = desk.run("render blueprints/minimal.yaml");
    assert_eq!(ran.code, ExitCode::Unusable);
    assert!(ran.err.contains("is a file, and the render needs a directory there"), "{}", ran.err);
    assert_eq!(desk.everything(), before);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn output_through_a_link_that_leads_elsewhere_is_refused() {
        let elsewhere = Desk::new();
        elsewhere.put("precious.txt", "precious");
        let before = elsewhere.everything();
        for (link, flags) in [
            ("generated", ""),
            ("generated/minimal", ""),
            ("generated/minimal/terraform", ""),
            ("out", "--out out"),
        ] {
            let desk = desk(str::to_owned);
            let link = desk.directory.join(link);
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(&elsewhere.directory, &link).unwrap();
            let ran = desk.run(&format!("render blueprints/minimal.yaml {flags}"));
            assert_eq!(ran.code, ExitCode::Unusable, "{link}: {ran:?}");
            assert!(ran.err.contains("is a symbolic link to"), "{}", ran.err);
            let ran = desk.run(&format!("render blueprints/minimal.yaml --force {flags}"));
            assert_eq!(ran.code, ExitCode::Unusable, "{link}: {ran:?}");
            assert_eq!(elsewhere.everything(), before, "{link}");
        }
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_named_and_left_as_it_is() {
        use std::os::unix::fs::PermissionsExt as _;
        let desk = desk(str::to_owned);
        let locked = desk.directory.join("locked");
        std::fs::create_dir(&locked).unwrap();
        std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o555)).unwrap();
        if std::fs::write(locked.join("probe"), "").is_ok() {
            // Whoever may write everywhere (root) cannot be refused; /proc refuses even them.
            let ran = desk.run("render blueprints/minimal.yaml --out /proc/nexafi-gen");
            assert_eq!(ran.code, ExitCode::Unusable, "{ran:?}");
            assert!(ran.err.starts_with("error: nothing was written: cannot write /proc"), "{}", ran.err);
            return;
        }
        let ran = desk.run("render blueprints/minimal.yaml --out locked/out");
        assert_eq!(ran.code, ExitCode::Unusable, "{ran:?}");
        assert!(ran.err.contains("locked") && ran.err.contains("help: check who owns it"), "{}", ran.err);
        assert!(!locked.join("out").exists());
    }
}

#[test]
fn templates_of_the_users_stand_in_for_ours_and_a_fault_in_them_is_theirs() {
    let desk = desk(str::to_owned);
    desk.put("ours/kubernetes/_generated.yaml.j2", "# Made for the bank from {{ blueprint_path }}.\n");
    let ran = desk.run("render blueprints/minimal.yaml --templates ours");
    assert_eq!(ran.code, ExitCode::Clean, "{}{}", ran.out, ran.err);
    assert!(desk.read("generated/minimal/kubernetes/namespaces.yaml").starts_with("# Made for the bank"));
    let check = desk.run("render blueprints/minimal.yaml --check");
    assert_eq!(check.code, ExitCode::Findings, "without the templates it is drift: {}", check.err);

    desk.put("ours/terraform/main.tf.j2", "x = {{ plan.nowhere.to }}\n");
    let ran = desk.run("render blueprints/minimal.yaml --templates ours");
    assert_eq!(ran.code, ExitCode::Unusable);
    assert!(ran.err.contains("ours/terraform/main.tf.j2") && ran.err.contains("main.tf.j2:1"), "{}", ran.err);

    for (arguments, word) in
        [("--templates nowhere", "directory of templates"), ("--templates blueprints", "holds no template")]
    {
        let ran = desk.run(&format!("render blueprints/minimal.yaml {arguments}"));
        assert_eq!(ran.code, ExitCode::Unusable);
        assert!(ran.err.contains(word), "{}", ran.err);
    }
}

#[test]
fn a_generated_tree_is_held_against_its_lock_by_lint_too() {
    let desk = rendered();
    let found = |arguments: &str| {
        let ran = desk.run(&format!("lint generated --format concise {arguments}"));
        ran.out.lines().filter(|line| line.contains("NXF-SUP-007")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(found(""), "");
    desk.put(VPC, format!("{}# by hand\n", desk.read(VPC)));
    assert!(found("").contains("terraform/vpc.tf"), "{}", found(""));
    desk.run("render blueprints/minimal.yaml --force");
    desk.put("generated/minimal/terraform/debug.tf", "locals { debug = true }\n");
    // What terraform init leaves is nobody's edit.
    desk.put("generated/minimal/terraform/.terraform.lock.hcl", "# made by terraform init\n");
    desk.put("generated/minimal/terraform/.terraform/x.tf", "# a module\n");
    let strange = found("");
    assert!(strange.contains("debug.tf") && !strange.contains(".terraform"), "{strange}");
}

#[test]
fn what_was_not_judged_is_said_when_asked_and_stale_facts_always() {
    let desk = rendered();
    let ran = desk.run("lint blueprints/minimal.yaml -v");
    assert!(
        ran.err.contains(
            "not evaluated: NXF-DR-003 on a blueprint, which it judges together with Terraform files"
        ),
        "{}",
        ran.err
    );
    assert!(!desk.run("lint blueprints/minimal.yaml").err.contains("not evaluated"));
    let stale = desk.run("lint blueprints/minimal.yaml --at 2029-01-01");
    assert!(
        stale.err.contains("the table of facts `eks-versions` was last compared with its source on"),
        "{}",
        stale.err
    );
    assert!(!desk.run("lint blueprints/minimal.yaml --at 2026-11-24").err.contains("table of facts"));
}
