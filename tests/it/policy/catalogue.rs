//! The embedded catalogue: every policy proves itself.

use nexafi_gen::policy::{Catalogue, embedded, schema, selftest};
use nexafi_gen::source::{FileId, SourceFile, Verdict, yaml};

#[test]
fn every_example_gives_the_verdicts_it_says() {
    let catalogue = Catalogue::builtin();
    let mut wrong = Vec::new();
    for policy in catalogue.policies() {
        for outcome in selftest::run(policy) {
            if !outcome.passed() {
                wrong.push(outcome);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_policy_has_an_example_that_passes_and_one_that_fails() {
    for policy in Catalogue::builtin().policies() {
        for verdict in [Verdict::Pass, Verdict::Fail] {
            let has = policy
                .examples
                .iter()
                .any(|example| example.expect.values().any(|found| *found == Some(verdict)));
            assert!(has, "{} has no example with verdict {}", policy.id, verdict.as_str());
        }
    }
}

#[test]
fn the_schema_and_the_reader_know_the_same_files() {
    let validator = jsonschema::validator_for(&schema::generate()).unwrap();
    for (path, text) in embedded() {
        let file = SourceFile::new(path, text.to_owned());
        let json = yaml::read(FileId(0), &file).documents[0].to_json();
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{path}: {errors:#?}");
    }
    // What the reader refuses, the schema refuses too.
    let sound = embedded()[0].1;
    for (from, to) in
        [("severity: ", "sevverity: "), ("assert:", "assertt:"), ("by: published", "by: hearsay")]
    {
        let text = sound.replacen(from, to, 1);
        assert_ne!(text, sound, "{from}");
        let file = SourceFile::new("x.yaml", text);
        let json = yaml::read(FileId(0), &file).documents[0].to_json();
        assert!(!validator.is_valid(&json), "{to}");
    }
}

#[test]
fn the_committed_schema_is_current() {
    let committed = include_str!("../../../schemas/policy.schema.json");
    let current = serde_json::to_string_pretty(&schema::generate()).unwrap() + "\n";
    assert!(committed == current, "run `cargo xtask schemas`");
}
