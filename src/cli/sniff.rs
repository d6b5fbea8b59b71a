//! What a YAML or JSON text is: a blueprint, a manifest, or nothing of ours.

use crate::report::InputKind;
use crate::source::{FileId, SourceFile, Value, yaml};

/// What a YAML or JSON text is, by its top-level keys. Looks at lines, not at the tree: a file with a syntax error is
/// still what its author meant it to be.
pub(super) fn sniff(file: &SourceFile, named: bool) -> Option<InputKind> {
    let text = file.text();
    if text.trim_start().starts_with('{') {
        return sniff_flow(file);
    }
    let value_of = |wanted: &str| {
        text.lines().find_map(|line| {
            let line = line.strip_prefix("- ").unwrap_or(line).trim_start_matches(['"', '\'']);
            let rest = line.strip_prefix(wanted)?.trim_start_matches(['"', '\'']).trim_start();
            rest.strip_prefix(':').map(str::trim)
        })
    };
    match value_of("apiVersion") {
        Some(version) if is_ours(version) => Some(InputKind::Blueprint),
        Some(_) if value_of("kind").is_some() => Some(InputKind::Kubernetes),
        // A manifest that forgets one of the two, named on the command line.
        Some(_) if named && value_of("metadata").is_some() => Some(InputKind::Kubernetes),
        None if named && value_of("kind").is_some() && value_of("metadata").is_some() => {
            Some(InputKind::Kubernetes)
        }
        // A blueprint whose first line is forgotten or mistyped, named on the command line.
        None if named && value_of("regions").is_some() && value_of("name").is_some() => {
            Some(InputKind::Blueprint)
        }
        _ => None,
    }
}

fn sniff_flow(file: &SourceFile) -> Option<InputKind> {
    if !file.text().contains("apiVersion") {
        return None;
    }
    let documents = yaml::read(FileId::default(), file).documents;
    documents.iter().find_map(|document| {
        let Value::Map(map) = &document.value else { return None };
        let version = map.get("apiVersion")?.as_str()?;
        if is_ours(version) {
            return Some(InputKind::Blueprint);
        }
        map.get("kind").map(|_| InputKind::Kubernetes)
    })
}

fn is_ours(version: &str) -> bool {
    version.trim_start_matches(['"', '\'']).starts_with("nexafi-gen/")
}
