//! A plan has the verdicts of the files it was made of, before there is anything and when all of it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use camino::Utf8PathBuf;
use nexafi_gen::cli::{Output, Surroundings, run};
use serde_json::Value as Json;

use crate::bench::{Bench, bench, blueprint, rendered};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/plans")
}

/// By policy and address the worst verdict; and what was said beside the report.
struct Verdicts {
    of: BTreeMap<(String, String), String>,
    told: String,
}

/// What `lint` says of something in a directory.
fn verdicts(directory: &Path, what: &str) -> Verdicts {
    let directory: Utf8PathBuf = directory.canonicalize().unwrap().try_into().unwrap();
    let surroundings = Surroundings { directory, ..Surroundings::default() };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let command = ["nexafi-gen", "lint", what, "--all", "--format", "json"];
    run(command, &surroundings, &mut Output::new(&mut out, &mut err));
    let report: Json = serde_json::from_slice(&out)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&err)));
    let rank = |verdict: &str| ["pass", "waived", "unproven", "fail"].iter().position(|one| *one == verdict);
    let mut found = BTreeMap::<(String, String), String>::new();
    for row in report["results"].as_array().unwrap() {
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        let address = text(&row["subject"]["address"]);
        // Blocks that a plan does not show, or shows once for a module that is called many times.
        if !text(&row["subject"]["type"]).starts_with("aws_") {
            continue;
        }
        let worst = found.entry((text(&row["policy"]), address)).or_default();
        let verdict = text(&row["verdict"]);
        if worst.is_empty() || rank(&verdict) > rank(worst) {
            *worst = verdict;
        }
    }
    Verdicts { of: found, told: String::from_utf8(err).unwrap() }
}

/// Plans what is on the bench, and prints the plan as JSON.
fn plan(bench: &Bench, arguments: &[&str]) -> String {
    let mut words = vec!["plan", "-no-color", "-out=tfplan"];
    words.extend(arguments);
    bench.run(&words).ok();
    bench.run(&["show", "-json", "tfplan"]).ok()
}

/// Compares verdicts of files with those of their plan, of which nine of ten have to be the same.
#[track_caller]
fn compare(files: &Verdicts, planned: &Verdicts, what: &str) {
    assert!(files.of.len() > 50, "{what}: {}", files.of.len());
    let mut same = 0;
    let mut contradictions = BTreeSet::new();
    for (subject, verdict) in &files.of {
        match planned.of.get(subject).map(String::as_str) {
            Some(other) if other == verdict => same += 1,
            // A plan knows more of some things, and less of others.
            Some("unproven") => {}
            _ if verdict == "unproven" => {}
            // What a plan cannot show is said once.
            None if planned.told.contains(&subject.0) => {}
            other => drop(contradictions.insert((subject, verdict, other))),
        }
    }
    assert!(contradictions.is_empty(), "{what}: {contradictions:#?}");
    assert!(same * 10 > files.of.len() * 9, "{what}: {same} of {}", files.of.len());
}

#[test]
fn a_plan_has_the_verdicts_of_its_files() {
    let Some(bench) = bench() else { return };
    bench.copy(&fixture().join("module"));
    bench.run(&["init", "-no-color"]).ok();
    let password = "-var=password=Tr0ub4dor-and-3";
    let files = verdicts(&fixture().join("module"), ".");

    let text = plan(&bench, &[password]);
    let mut ours: Json =
        serde_json::from_str(&std::fs::read_to_string(fixture().join("plan.json")).unwrap()).unwrap();
    let mut theirs: Json = serde_json::from_str(&text).unwrap();
    for plan in [&mut ours, &mut theirs] {
        plan["timestamp"].take();
        plan["terraform_version"].take();
        // Terraform lists these in any order.
        plan["relevant_attributes"].take();
    }
    assert_eq!(ours, theirs, "tests/fixtures/plans/plan.json is no longer what terraform prints");
    compare(&files, &verdicts(&fixture(), "plan.json"), "of what is not there yet");

    bench.run(&["apply", "-no-color", "-auto-approve", "tfplan"]).ok();
    let text = plan(&bench, &[password]);
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("plan.json"), text).unwrap();
    compare(&files, &verdicts(home.path(), "plan.json"), "of what is all there");
}

#[test]
fn the_plan_of_a_rendered_platform_has_the_verdicts_of_its_files() {
    let Some(bench) = bench() else { return };
    let mut files = rendered(&blueprint("minimal.yaml"));
    bench.write(&files);
    bench.run(&["init", "-no-color"]).ok();
    files.retain(|path, _| path != "backend_override.tf");
    let home = tempfile::tempdir().unwrap();
    for (path, text) in &files {
        std::fs::write(home.path().join(path), text).unwrap();
    }
    let files = verdicts(home.path(), ".");
    let planned = tempfile::tempdir().unwrap();
    std::fs::write(planned.path().join("plan.json"), plan(&bench, &[])).unwrap();
    compare(&files, &verdicts(planned.path(), "plan.json"), "of what is not there yet");
}
