//! The faulty files of `tests/fixtures/faulty/terraform`, of which `nexafi-gen lint` says what is wrong: stock terraform
//! refuses every one of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use camino::Utf8PathBuf;
use serde_json::Value;

use crate::bench::{Bench, bench};

/// What terraform says of a file: each error's line and summary. It has to say something.
fn refused(bench: &Bench, name: &str, text: &str) -> String {
    bench.write(&BTreeMap::from([(Utf8PathBuf::from("main.tf"), text.to_owned())]));
    let ran = bench.run(&["validate", "-json"]).refused();
    let report: Value = serde_json::from_str(&ran).unwrap_or_else(|error| panic!("{name}: {error}\n{ran}"));
    let mut told = format!("{name}: {}\n", text.lines().next().unwrap().trim_start_matches("# fault: "));
    for error in report["diagnostics"].as_array().unwrap() {
        assert_eq!(error["severity"], "error", "{name} is only warned of");
        let line = match error["range"]["start"]["line"].as_u64() {
            Some(line) => format!("line {line}"),
            None => "nowhere".to_owned(),
        };
        // A circle is told from wherever terraform happens to enter it.
        let summary = error["summary"].as_str().unwrap().split(": ").next().unwrap();
        writeln!(told, "  {line}: {summary}").unwrap();
    }
    told
}

#[test]
fn every_faulty_file_is_refused() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/faulty/terraform");
    let mut files: Vec<(String, String)> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() >= 30);
    // One initialised directory a half: most of the time goes by while terraform reads the provider's schema.
    let told: Vec<Option<String>> = std::thread::scope(|scope| {
        let halves: Vec<_> = files
            .chunks(files.len().div_ceil(2))
            .map(|half| {
                scope.spawn(move || {
                    let bench = bench()?;
                    bench.add("main.tf", "resource \"aws_vpc\" \"any\" {}\n");
                    bench.run(&["init", "-no-color"]).ok();
                    Some(half.iter().map(|(name, text)| refused(&bench, name, text)).collect())
                })
            })
            .collect();
        halves.into_iter().map(|half| half.join().unwrap()).collect()
    });
    let Some(told) = told.into_iter().collect::<Option<String>>() else { return };
    insta::assert_snapshot!(told);
}
