//! The README shows what the tool does, not what somebody remembers of it.

use crate::blueprint::reference_with;
use crate::cli::Desk;

#[test]
fn the_failing_lint_is_what_the_tool_prints() {
    let desk = Desk::new();
    let broken = reference_with(&[
        ("flowLogs: {enabled: true, traffic: ALL}", "flowLogs: {enabled: false}"),
        ("endpoint: {private: true, public: false}", "endpoint: {private: true, public: true}"),
    ]);
    desk.put("blueprints/nexafi.yaml", broken);
    let ran = desk.run("lint blueprints/nexafi.yaml");
    let readme = std::fs::read_to_string("README.md").unwrap();
    let shown = format!("```console\n$ nexafi-gen lint blueprints/nexafi.yaml\n{}{}```", ran.out, ran.err);
    assert!(readme.contains(&shown), "the README should show:\n{shown}");
    assert_eq!(u8::from(ran.code), 1);
}

#[test]
fn every_command_it_names_exists() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let desk = Desk::new();
    let mut named = 0;
    for row in readme.lines().filter(|line| line.starts_with("| `nexafi-gen ")) {
        let command = row.trim_start_matches("| `nexafi-gen ").split(['`', ' ']).next().unwrap();
        let ran = desk.run(&format!("{command} --help"));
        assert_eq!(u8::from(ran.code), 0, "{command}: {}", ran.err);
        named += 1;
    }
    assert!(named >= 6);
}

#[test]
fn every_file_it_links_to_exists() {
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/policy-language.md"] {
        let text = std::fs::read_to_string(document).unwrap();
        let base = std::path::Path::new(document).parent().unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let local = link.split('#').next().unwrap();
            if !local.is_empty() && !local.contains("://") {
                assert!(base.join(local).exists(), "{document} links to {local}");
            }
        }
    }
}

#[test]
fn every_test_the_architecture_names_exists() {
    let text = std::fs::read_to_string("ARCHITECTURE.md").unwrap();
    let sources: String = walkdir::WalkDir::new("tests/it")
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"))
        .map(|entry| std::fs::read_to_string(entry.path()).unwrap())
        .collect();
    let mut named = 0;
    for word in text.split('`').filter(|word| word.starts_with("blueprint::") || word.starts_with("render::"))
    {
        let name = word.rsplit("::").next().unwrap();
        if name.contains('_') {
            assert!(sources.contains(&format!("fn {name}(")), "ARCHITECTURE.md names the test {word}");
            named += 1;
        }
    }
    assert!(named >= 5);
}
