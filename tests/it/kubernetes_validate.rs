//! An independent judge of manifests: kubernetes-validate checks against the JSON Schemas of the same `OpenAPI` definitions.
//! Each manifest on which the two differ is explained in `tests/fixtures/manifests/differences.yaml`.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "kubernetes-validate is looked for, and a test that cannot run says so"
)]

use std::collections::BTreeMap;
use std::process::Command;

use nexafi_gen::kubernetes::{self, schema};
use nexafi_gen::source::{FileId, SourceFile, yaml};

const MANIFESTS: &str = "tests/fixtures/manifests";
const VERSION: &str = "1.34";

/// Every manifest, and the first thing we have against it.
fn ours() -> BTreeMap<String, Option<String>> {
    let mut verdicts = BTreeMap::new();
    for directory in ["valid", "broken"] {
        for entry in walkdir::WalkDir::new(format!("{MANIFESTS}/{directory}")).sort_by_file_name() {
            let path = entry.unwrap().into_path();
            if !path.is_file() {
                continue;
            }
            let path = path.to_str().unwrap().to_owned();
            let file = SourceFile::new(path.as_str(), std::fs::read_to_string(&path).unwrap());
            let (objects, mut findings) = kubernetes::read(FileId(0), &file);
            findings.extend(objects.iter().flat_map(|object| schema::check(object, VERSION)));
            verdicts.insert(path, findings.into_iter().next().map(|finding| finding.message));
        }
    }
    verdicts
}

/// What the differences are, by path, and which of the two finds a fault.
fn explained() -> BTreeMap<String, (String, String)> {
    let text = std::fs::read_to_string(format!("{MANIFESTS}/differences.yaml")).unwrap();
    let read = yaml::read(FileId(0), &SourceFile::new("differences.yaml", text));
    assert!(read.findings.is_empty(), "{:?}", read.findings);
    let word =
        |node: &nexafi_gen::source::Node, key: &str| node.get(key).unwrap().as_str().unwrap().to_owned();
    let one = |node| {
        (format!("{MANIFESTS}/{}", word(node, "path")), (word(node, "found-by"), word(node, "reason")))
    };
    read.documents[0].items().iter().map(one).collect()
}

#[test]
fn valid_manifests_pass_and_every_broken_one_is_found() {
    let kubernetes = |path: &str| path.contains("/valid/") || path.ends_with("kind-of-extension.yaml");
    let ours = ours();
    assert!(ours.len() >= 100, "only {} manifests", ours.len());
    let explained = explained();
    for (path, said) in &ours {
        let theirs_alone = explained.get(path).is_some_and(|(by, _)| by == "kubernetes-validate");
        if kubernetes(path) || theirs_alone {
            assert_eq!(*said, None, "{path}");
        } else {
            assert!(said.is_some(), "{path} has no finding");
        }
    }
}

#[test]
fn each_difference_from_kubernetes_validate_is_explained() {
    let python = ["target/tools/kubernetes-validate/bin/python", "python3"].into_iter().find(|python| {
        let probe = Command::new(python).args(["-c", "import kubernetes_validate"]).output();
        probe.is_ok_and(|run| run.status.success())
    });
    let Some(python) = python else {
        println!("skipped: no kubernetes-validate");
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "kubernetes-validate is missing, and CI=true"
        );
        return;
    };
    let ours = ours();
    let output = Command::new(python)
        .args(["tests/kubernetes-validate.py", VERSION])
        .args(ours.keys())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: BTreeMap<String, Option<String>> = serde_json::from_slice(&output.stdout).unwrap();
    let mut explained = explained();
    let mut wrong = Vec::new();
    let mut agreed = 0;
    for (path, ours) in &ours {
        let theirs = &theirs[path];
        let by = match (ours, theirs) {
            (Some(_), None) => "nexafi-gen",
            (None, Some(_)) => "kubernetes-validate",
            _ => {
                agreed += 1;
                continue;
            }
        };
        match explained.remove(path) {
            Some((found_by, reason)) if found_by == by => {
                assert!(reason.split_whitespace().count() >= 6, "{path} needs a reason");
            }
            _ => {
                wrong.push(format!("{path}: only {by} finds {}", ours.as_ref().or(theirs.as_ref()).unwrap()));
            }
        }
    }
    assert!(wrong.is_empty(), "mend these, or explain them:\n{}", wrong.join("\n"));
    assert!(explained.is_empty(), "no difference any more: {:?}", explained.keys());
    println!("{agreed} of {} manifests are judged alike", ours.len());
}
