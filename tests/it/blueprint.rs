//! What reading and resolving a blueprint promises.

use nexafi_gen::blueprint::{Loaded, load};
use nexafi_gen::source::{SourceFile, Sources};

/// Loads a blueprint's text.
pub(crate) fn load_text(text: &str) -> (Sources, Loaded) {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("blueprint.yaml", text.to_owned()));
    let loaded = load(id, sources.get(id).unwrap());
    (sources, loaded)
}

/// Findings as lines: place, code, underlined text, message, help.
pub(crate) fn lines(sources: &Sources, loaded: &Loaded) -> String {
    let mut out = String::new();
    for finding in &loaded.findings {
        let file = sources.get(finding.span.file).unwrap();
        let at = file.line_column(finding.span.start as usize);
        out.push_str(&format!(
            "{}:{} {} [{}]\n    {}\n    help: {}\n",
            at.line,
            at.column,
            finding.code,
            file.slice(finding.span),
            finding.message,
            finding.help
        ));
    }
    out
}

#[test]
fn every_blueprint_of_the_repository_loads_without_a_finding() {
    let mut seen = 0;
    for entry in walkdir::WalkDir::new("blueprints").sort_by_file_name() {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|extension| extension == "yaml") {
            let (sources, loaded) = load_text(&std::fs::read_to_string(entry.path()).unwrap());
            assert_eq!(lines(&sources, &loaded), "", "{}", entry.path().display());
            assert!(loaded.platform.is_some());
            seen += 1;
        }
    }
    assert!(seen >= 2);
}
