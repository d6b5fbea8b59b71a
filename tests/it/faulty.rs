//! Files with one fault each, which the stock tools refuse: `lint` finds it without them, at its line, and says how to
//! mend it. That the stock tools refuse every one of these files is held by the tests of the stand-ins.

use serde_json::Value;

use crate::cli::Desk;

/// A file of `tests/fixtures/faulty`, whose first line says `# fault: what | CODE at LINE`.
struct Fixture {
    name: String,
    text: String,
    code: String,
    line: usize,
}

fn fixtures(directory: &str) -> Vec<Fixture> {
    let directory = format!("tests/fixtures/faulty/{directory}");
    walkdir::WalkDir::new(directory)
        .min_depth(1)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| {
            let path = entry.unwrap().into_path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let head = text.lines().next().unwrap();
            let expected = head.strip_prefix("# fault: ").and_then(|head| head.rsplit_once(" | "));
            let (_, expected) = expected.unwrap_or_else(|| panic!("{name} does not say its fault"));
            let (code, line) = expected.split_once(" at ").unwrap();
            Fixture { name, code: code.to_owned(), line: line.parse().unwrap(), text }
        })
        .collect()
}

/// What `lint` says of each file as a module or manifest of its own: one fault of the input, the one expected.
fn told(directory: &str, file: &str) -> String {
    let mut told = String::new();
    for Fixture { name, text, code, line } in fixtures(directory) {
        let desk = Desk::new();
        desk.put(file, &text);
        let ran = desk.run(&format!("lint {file} --format json"));
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{name}: {error}"));
        let faults: Vec<&Value> = report["results"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|result| result["policy"].as_str().unwrap().starts_with("NXF-CFG-"))
            .collect();
        let [fault] = faults[..] else {
            panic!("{name}: {} faults instead of one\n{}", faults.len(), ran.out)
        };
        assert_eq!(fault["policy"], *code, "{name}");
        assert_eq!(fault["location"]["line"], line, "{name}: {fault}");
        let (message, help) = (fault["message"].as_str().unwrap(), fault["help"].as_str().unwrap());
        assert!(!help.is_empty(), "{name} says nothing of how to mend it");
        assert_eq!(u8::from(ran.code), 1, "{name}");
        told += &format!(
            "{name}\n  {}\n  {message}\n  help: {help}\n",
            text.lines().nth(line - 1).unwrap().trim()
        );
    }
    told
}

#[test]
fn every_fault_of_a_terraform_file_is_found_at_its_line() {
    assert!(fixtures("terraform").len() >= 30);
    insta::assert_snapshot!(told("terraform", "main.tf"));
}

#[test]
fn every_fault_of_a_manifest_is_found_at_its_line() {
    assert!(fixtures("kubernetes").len() >= 30);
    insta::assert_snapshot!(told("kubernetes", "manifest.yaml"));
}
