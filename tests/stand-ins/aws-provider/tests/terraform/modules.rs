//! Every address we report is one Terraform plans, and every one it plans we report.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::bench::bench;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/modules")
}

/// The addresses of a module's resources in `terraform show -json`, and of the modules in it.
fn planned(module: &serde_json::Value, found: &mut BTreeSet<String>) {
    let list = |key: &str| module[key].as_array().cloned().unwrap_or_default();
    found.extend(list("resources").iter().map(|resource| resource["address"].as_str().unwrap().to_owned()));
    for child in list("child_modules") {
        planned(&child, found);
    }
}

/// The addresses of the resources that `lint` judges.
fn judged(arguments: &[&str]) -> BTreeSet<String> {
    use nexafi_gen::cli::{Output, Surroundings, run};
    let directory = corpus().canonicalize().unwrap();
    let surroundings = Surroundings { directory: directory.try_into().unwrap(), ..Surroundings::default() };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let command = ["nexafi-gen", "lint", ".", "--all", "--format", "json"];
    run(command.iter().chain(arguments).copied(), &surroundings, &mut Output::new(&mut out, &mut err));
    let report: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let results = report["results"].as_array().unwrap();
    let faults: Vec<_> =
        results.iter().filter(|row| row["policy"].as_str().unwrap().starts_with("NXF-CFG")).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let subjects = results.iter().map(|row| &row["subject"]);
    subjects
        .filter(|subject| subject["type"].as_str().unwrap().starts_with("aws_"))
        .map(|subject| subject["address"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn addresses_are_terraforms_own() {
    let Some(bench) = bench() else { return };
    bench.copy(&corpus());
    bench.run(&["init", "-no-color"]).ok();
    for arguments in [&[][..], &["--var-file", "production.tfvars"], &["--var", "stage=production"]] {
        let ours = judged(arguments);
        let words: Vec<String> = arguments.iter().map(|word| word.replace("--var", "-var")).collect();
        let words = match &words[..] {
            [flag, value] => vec![format!("{flag}={value}")],
            _ => Vec::new(),
        };
        let mut plan = vec!["plan", "-no-color", "-out=plan"];
        plan.extend(words.iter().map(String::as_str));
        bench.run(&plan).ok();
        let shown: serde_json::Value =
            serde_json::from_str(&bench.run(&["show", "-json", "plan"]).ok()).unwrap();
        let mut theirs = BTreeSet::new();
        planned(&shown["planned_values"]["root_module"], &mut theirs);
        assert!(theirs.len() > 15, "{theirs:#?}");
        // A type that no policy has an opinion on is not in the report.
        let types: BTreeSet<&str> = ours.iter().map(|address| type_of(address)).collect();
        let comparable: BTreeSet<String> =
            theirs.into_iter().filter(|address| types.contains(type_of(address))).collect();
        assert_eq!(ours, comparable, "{arguments:?}");
    }
}

fn type_of(address: &str) -> &str {
    nexafi_gen::terraform::address::local(address).split('.').next().unwrap()
}
