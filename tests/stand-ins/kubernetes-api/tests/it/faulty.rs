//! The faulty manifests of `tests/fixtures/faulty/kubernetes`, of which `nexafi-gen lint` says what is wrong: stock
//! `kubectl` refuses every one of them.

use std::fmt::Write as _;
use std::path::Path;

use crate::kubectl::{Bench, has};

const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: payments}\n";

/// The newest version the product knows, which it takes where no blueprint names one.
fn newest() -> &'static str {
    nexafi_gen::kubernetes::schema::versions().last().unwrap()
}

#[test]
fn every_faulty_manifest_is_refused() {
    if !has("kubectl", "version --client") {
        return;
    }
    let bench = Bench::new(newest());
    bench.apply(NAMESPACE).succeeded();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/faulty/kubernetes");
    let mut told = String::new();
    let mut accepted = Vec::new();
    for entry in walkdir::WalkDir::new(directory).min_depth(1).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let head = text.lines().next().unwrap();
        bench.write("faulty/manifest.yaml", &text);
        // Of two objects or keys of one name the last one silently wins, but not with `-k`, which is how it is applied.
        let ran = if ["NXF-CFG-002", "NXF-CFG-031"].iter().any(|code| head.contains(code)) {
            bench.write("faulty/kustomization.yaml", "resources: [manifest.yaml]\n");
            bench.kubectl(&["kustomize", "faulty"])
        } else {
            let file = "--filename=faulty/manifest.yaml";
            bench.kubectl(&["apply", "--dry-run=server", "--validate=strict", file])
        };
        if ran.code == 0 {
            accepted.push(name);
        } else {
            writeln!(told, "{name}: {}", ran.err.trim()).unwrap();
        }
    }
    assert_eq!(accepted, [""; 0]);
    // Refused for what is wrong with them, and not for want of a namespace, a kind or a server.
    for stranger in ["namespaces \"", "the server doesn't have", "connection", "panicked"] {
        assert!(!told.contains(stranger), "{stranger}: {told}");
    }
}
