//! What is done to be fast changes nothing of what is said: work is shared among threads, passes are counted instead of kept,
//! and of many modules the blocks are held only while one is judged.

use std::num::NonZero;

use camino::Utf8Path;
use nexafi_gen::cli::{ExitCode, Output, Surroundings, run};
use serde_json::Value as Json;

use crate::cli::Desk;

/// Ten resources, and a manifest, as the benchmarks have them.
const BLOCKS: &str = include_str!("../../benches/corpus/blocks.tf.in");
const VARIABLES: &str = include_str!("../../benches/corpus/variables.tf.in");
const MANIFEST: &str = include_str!("../../benches/corpus/manifest.yaml.in");

/// Modules that call each other, share one, are given values, break off, call what is not there and accept findings; and
/// manifests, some of them twice, some faulty, and a kustomization with a variant.
fn repository() -> Desk {
    let desk = Desk::new();
    for at in 0..12 {
        let mut text = format!("{VARIABLES}{}", BLOCKS.replace("@N@", &at.to_string()));
        if at % 2 == 0 {
            text.push_str("module \"shared\" {\n  source = \"../../shared\"\n  open   = true\n}\n");
        }
        if at % 5 == 0 {
            text.push_str(
                "# nexafi-gen:waive NXF-NET-001 owner=net ticket=T-1 expires=2027-01-31 reason=\"logged at the gateway\"\n\
                 resource \"aws_vpc\" \"waived\" {\n  cidr_block = \"10.9.0.0/16\"\n}\n",
            );
        }
        if at == 7 {
            text.push_str("resource \"aws_vpc\" \"broken\" {\n");
        }
        if at == 9 {
            text.push_str("module \"away\" {\n  source = \"example.com/away/aws\"\n}\n");
        }
        desk.put(&format!("live/m{at}/main.tf"), text);
    }
    desk.put("live/m3/terraform.tfvars", "cidr = \"10.3.0.0/16\"\n");
    desk.put(
        "shared/main.tf",
        "variable \"open\" {}\n\nresource \"aws_security_group\" \"shared\" {\n  name = \"shared\"\n  ingress {\n    \
         from_port   = 22\n    to_port     = 22\n    protocol    = \"tcp\"\n    \
         cidr_blocks = var.open ? [\"0.0.0.0/0\"] : []\n  }\n}\n\nresource \"aws_vpc\" \"misspelt\" {\n  cidr_blok = \"10.0.0.0/8\"\n}\n",
    );
    for at in 0..150 {
        let text = MANIFEST.replace("@N@", &(at % 140).to_string()).replace("@S@", &(at % 7).to_string());
        desk.put(&format!("manifests/{at}.yaml"), text);
    }
    desk.put(
        "manifests/faulty.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {container: []}\n",
    );
    desk
}

/// A base that two kustomizations change, which are judged one by one.
fn variants(desk: &Desk) {
    desk.put("k/base/app.yaml", MANIFEST.replace("@N@", "900").replace("@S@", "1"));
    desk.put("k/base/kustomization.yaml", "resources: [app.yaml]\n");
    for name in ["test", "live"] {
        let text = format!("resources: [../../base]\nnamespace: {name}\n");
        desk.put(&format!("k/overlays/{name}/kustomization.yaml"), text);
    }
}

fn lint(directory: &Utf8Path, threads: usize, words: &[&str]) -> (ExitCode, String, String) {
    let surroundings = Surroundings {
        directory: directory.to_owned(),
        today: Some(jiff::civil::date(2026, 11, 23)),
        width: Some(100),
        threads: NonZero::new(threads),
        ..Surroundings::default()
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let command = ["nexafi-gen", "lint", "--verbose"].iter().chain(words);
    let code = run(command.copied(), &surroundings, &mut Output::new(&mut out, &mut err));
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn json(directory: &Utf8Path, words: &[&str]) -> Json {
    let (_, out, _) = lint(directory, 2, &[words, &["--format", "json"]].concat());
    serde_json::from_str(&out).unwrap()
}

#[test]
fn what_comes_out_does_not_depend_on_the_number_of_threads() {
    let desk = repository();
    variants(&desk);
    for words in
        [&["."][..], &[".", "--all", "--format", "json"], &["live", "--format", "sarif", "--ignore", "iam"]]
    {
        let one = lint(&desk.directory, 1, words);
        assert!(one.1.len() > 10_000, "{}", one.1);
        for threads in [2, 3, 8] {
            assert!(
                lint(&desk.directory, threads, words) == one,
                "{threads} threads say something else: {words:?}"
            );
        }
    }
}

#[test]
fn passes_that_are_counted_are_as_many_as_those_that_are_listed() {
    let desk = repository();
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    variants(&desk);
    let places = [
        (desk.directory.clone(), "."),
        (desk.directory.clone(), "live/m0"),
        (desk.directory.clone(), "live"),
        (desk.directory.clone(), "manifests"),
        (root.to_owned(), "generated/minimal"),
        (root.to_owned(), "tests/fixtures/modules"),
        (root.to_owned(), "tests/fixtures/manifests/valid"),
        (root.to_owned(), "tests/fixtures/kustomize/good"),
    ];
    for (directory, place) in places {
        for chosen in [&[][..], &["--framework", "pci-dss-4.0.1"], &["--select", "network"]] {
            let words = [&[place][..], chosen].concat();
            let (counted, listed) =
                (json(&directory, &words), json(&directory, &[&words[..], &["--all"]].concat()));
            assert_eq!(counted["summary"], listed["summary"], "{place} {chosen:?}");
            assert_eq!(counted["controls"], listed["controls"], "{place} {chosen:?}");
            let findings: Vec<&Json> = listed["results"].as_array().unwrap().iter().collect();
            let passed = findings.iter().filter(|row| row["verdict"] == "pass").count();
            assert_eq!(counted["summary"]["pass"], passed, "{place} {chosen:?}");
            let findings: Vec<&Json> = findings.into_iter().filter(|row| row["verdict"] != "pass").collect();
            assert_eq!(
                counted["results"].as_array().unwrap().iter().collect::<Vec<_>>(),
                findings,
                "{place}"
            );
        }
    }
}

#[test]
fn a_repository_too_large_to_be_held_is_judged_like_a_small_one() {
    let desk = repository();
    let small = json(&desk.directory, &["live", "shared"]);
    // More text than is held parsed.
    let line = "# nothing of this concerns anybody, and it is as long as it is\n";
    desk.put("live/pad/main.tf", line.repeat(20_000));
    let large = json(&desk.directory, &["live", "shared"]);
    assert_eq!(small["results"], large["results"]);
    assert_eq!(small["summary"], large["summary"]);
    let given = ["live", "shared", "--var", "cidr=10.7.0.0/16"];
    assert_eq!(json(&desk.directory, &given)["results"], {
        std::fs::remove_dir_all(desk.path("live/pad")).unwrap();
        json(&desk.directory, &given)["results"].clone()
    });
}
