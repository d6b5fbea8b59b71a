//! An independent auditor: checkov judges what we generate, and we answer for every single thing it finds.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "checkov is looked for, and a test that cannot run says so"
)]

use std::collections::BTreeMap;
use std::process::Command;

use nexafi_gen::source::{SourceFile, Sources, yaml};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    passed: BTreeMap<String, BTreeMap<String, u64>>,
    accepted: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    checks: Vec<String>,
    resources: Vec<String>,
    /// The platforms it is accepted for; all, when left out.
    #[serde(default)]
    platforms: Vec<String>,
    reason: String,
}

fn accepted() -> Accepted {
    let mut sources = Sources::default();
    let text = std::fs::read_to_string("tests/checkov-accepted.yaml").unwrap();
    let id = sources.add(SourceFile::new("checkov-accepted.yaml", text));
    let read = yaml::read(id, sources.get(id).unwrap());
    assert!(read.findings.is_empty(), "{:?}", read.findings);
    serde_json::from_value(read.documents[0].to_json()).unwrap()
}

/// `*` stands for any characters.
pub(crate) fn matches(pattern: &str, resource: &str) -> bool {
    match pattern.split_once('*') {
        Some((before, after)) => {
            resource.len() >= before.len() + after.len()
                && resource.starts_with(before)
                && resource.ends_with(after)
        }
        None => pattern == resource,
    }
}

/// The checkov that `.ci/run` installs, or one on `PATH`.
pub(crate) fn checkov() -> Option<String> {
    let candidates = ["target/tools/checkov/bin/checkov", "checkov"];
    let works =
        |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|run| run.status.success());
    candidates.into_iter().find(works).map(str::to_owned)
}

#[test]
fn every_finding_of_checkov_in_a_generated_tree_has_an_answer() {
    let Some(checkov) = checkov() else {
        println!("skipped: no checkov on PATH");
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "checkov is missing, and CI=true");
        return;
    };
    let accepted = accepted();
    let mut used = vec![false; accepted.accepted.len()];
    let mut unanswered = Vec::new();
    let mut passed: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for (blueprint, files) in crate::render::every_blueprint() {
        // Checkov passes over manifests in a directory whose name begins with a dot.
        let home = tempfile::Builder::new().prefix("checkov-").tempdir().unwrap();
        for (path, bytes) in files {
            let path = home.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let output = Command::new(&checkov)
            .args([
                "--skip-download",
                "--compact",
                "--quiet",
                "--output",
                "json",
                "--framework",
                "terraform",
                "kubernetes",
            ])
            .arg("--directory")
            .arg(home.path())
            .output()
            .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        let runs = report.as_array().cloned().unwrap_or_else(|| vec![report.clone()]);
        for run in &runs {
            let framework = run["check_type"].as_str().unwrap();
            assert_eq!(
                run["summary"]["parsing_errors"], 0,
                "checkov could not read {blueprint}'s {framework}"
            );
            let count = run["summary"]["passed"].as_u64().unwrap();
            passed.entry(blueprint.clone()).or_default().insert(framework.to_owned(), count);
            for failed in run["results"]["failed_checks"].as_array().unwrap() {
                let (check, resource) =
                    (failed["check_id"].as_str().unwrap(), failed["resource"].as_str().unwrap());
                let answer = accepted.accepted.iter().position(|entry| {
                    entry.checks.iter().any(|known| known == check)
                        && (entry.platforms.is_empty() || entry.platforms.contains(&blueprint))
                        && entry.resources.iter().any(|pattern| matches(pattern, resource))
                });
                match answer {
                    Some(at) => used[at] = true,
                    None => {
                        unanswered.push(format!("{blueprint}: {check} {resource}: {}", failed["check_name"]));
                    }
                }
            }
        }
    }
    assert!(unanswered.is_empty(), "mend these, or answer for them:\n{}", unanswered.join("\n"));
    for (entry, used) in accepted.accepted.iter().zip(used) {
        assert!(
            used,
            "checkov no longer finds {:?} in {:?}; remove the entry",
            entry.checks, entry.resources
        );
        assert!(entry.reason.split_whitespace().count() >= 10, "{:?} needs a reason", entry.checks);
    }
    assert_eq!(
        passed, accepted.passed,
        "the counts of passed checks changed; if none fell without a cause, write these down"
    );
}
