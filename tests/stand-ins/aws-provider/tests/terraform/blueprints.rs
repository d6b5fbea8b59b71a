//! Every blueprint goes through the whole life of a platform.

use std::fs;
use std::path::Path;

use crate::bench::{bench, blueprint, rendered, unprotected};

/// The first number after a word.
fn number(text: &str, before: &str) -> usize {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}")).1;
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

fn lives(name: &str) {
    lives_as(&blueprint(name));
}

fn lives_as(text: &str) {
    let Some(bench) = bench() else { return };
    let files = rendered(text);
    bench.write(&files);
    bench.run(&["init", "-no-color"]).ok();
    bench.run(&["validate", "-no-color"]).ok();
    let plan = bench.run(&["plan", "-no-color", "-out=plan"]).ok();
    let resources = number(&plan, "Plan: ");
    assert!(plan.contains(&format!("Plan: {resources} to add, 0 to change, 0 to destroy.")));
    let applied = bench.run(&["apply", "-no-color", "plan"]).ok();
    assert_eq!(number(&applied, "Resources: "), resources);
    assert_eq!(bench.objects(), resources);
    // With this flag, terraform ends with 2 if there is something to do.
    bench.run(&["plan", "-no-color", "-detailed-exitcode"]).ok();
    // What holds data stays, until somebody takes off its protection.
    let kept = bench.run(&["plan", "-destroy", "-no-color"]).refused();
    assert!(kept.contains("lifecycle.prevent_destroy"), "{kept}");
    bench.add("unprotected_override.tf", &unprotected(&files));
    bench.run(&["apply", "-no-color", "-auto-approve"]).ok();
    let destroyed = bench.run(&["destroy", "-no-color", "-auto-approve"]).ok();
    assert_eq!(number(&destroyed, "Resources: "), resources);
    assert_eq!(bench.objects(), 0);
}

#[test]
fn the_reference_platform_is_made_stays_and_goes() {
    lives("nexafi.yaml");
}

#[test]
fn the_least_platform_is_made_stays_and_goes() {
    lives("minimal.yaml");
}

#[test]
fn a_platform_with_data_stores_is_made_stays_and_goes() {
    // On the least platform: what the reference platform has besides, the first test brings through its life.
    let stores = "    dependsOn: [sessions, rates, events, documents]\nmanaged:\n  caches: {sessions: {}, rates: {engine: redis}}\n  brokers: {events: {}}\n  search: {documents: {}}\nstorage:\n  fileSystems: {reports: {}}\n";
    let text = blueprint("minimal.yaml") + stores;
    lives_as(&text);
}

#[test]
fn no_blueprint_is_left_out() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../blueprints");
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["minimal.yaml", "nexafi.yaml"], "every blueprint needs a test of its life");
}
