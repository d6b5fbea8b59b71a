//! Kustomizations: the same objects that `kubectl kustomize` prints, in its order, each value at its place.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use nexafi_gen::kubernetes::kustomize::{self, Build, Files, Place};
use nexafi_gen::source::{FileId, Finding, SourceFile, Sources, normalise};

const FIXTURES: &str = "tests/fixtures/kustomize";

/// Files on disk, or in memory.
#[derive(Default)]
struct Tree {
    sources: Sources,
    ids: BTreeMap<Utf8PathBuf, FileId>,
    memory: Option<BTreeMap<Utf8PathBuf, Vec<u8>>>,
}

impl Tree {
    fn of(files: &[(&str, &str)]) -> Self {
        let memory = files.iter().map(|(path, text)| (Utf8PathBuf::from(path), text.as_bytes().to_vec()));
        Self { memory: Some(memory.collect()), ..Self::default() }
    }

    fn content(&self, path: &Utf8Path) -> Result<Vec<u8>, String> {
        match &self.memory {
            Some(memory) => memory.get(path).cloned().ok_or_else(|| "it is not there".to_owned()),
            None => std::fs::read(path).map_err(|error| error.to_string()),
        }
    }
}

impl Files for Tree {
    fn place(&self, path: &Utf8Path) -> Place {
        let path = normalise(path);
        if let Some(memory) = &self.memory {
            return if memory.contains_key(&path) {
                Place::File(path)
            } else if memory.keys().any(|known| known.starts_with(&path)) {
                Place::Directory(path)
            } else {
                Place::Missing
            };
        }
        match path.canonicalize_utf8() {
            Ok(real) if real.is_dir() => Place::Directory(real),
            Ok(real) => Place::File(real),
            Err(_) => Place::Missing,
        }
    }

    fn read(&mut self, path: &Utf8Path) -> Result<FileId, String> {
        let path = normalise(path);
        if let Some(id) = self.ids.get(&path) {
            return Ok(*id);
        }
        let text = String::from_utf8(self.content(&path)?).map_err(|error| error.to_string())?;
        let id = self.sources.add(SourceFile::new(path.clone(), text));
        self.ids.insert(path, id);
        Ok(id)
    }

    fn bytes(&mut self, path: &Utf8Path) -> Result<Vec<u8>, String> {
        self.content(&normalise(path))
    }

    fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.sources.get(id)
    }
}

/// Each finding as `path:line:column underlined text: message | help`.
fn shown(tree: &Tree, findings: &[Finding]) -> String {
    let one = |finding: &Finding| {
        let file = tree.sources.get(finding.span.file).unwrap();
        let at = file.line_column(finding.span.start as usize);
        let text = file.slice(finding.span);
        format!(
            "{}:{}:{} `{text}`: {} | {}\n",
            file.path(),
            at.line,
            at.column,
            finding.message,
            finding.help
        )
    };
    findings.iter().map(one).collect()
}

fn json(build: &Build) -> Vec<serde_json::Value> {
    build.objects.iter().map(|object| object.node.to_json()).collect()
}

/// `None` where there is no `kubectl`.
fn kubectl(directory: &Path) -> Option<Result<String, String>> {
    match Command::new("kubectl").arg("kustomize").arg(directory).output() {
        Ok(output) if output.status.success() => Some(Ok(String::from_utf8(output.stdout).unwrap())),
        Ok(output) => Some(Err(String::from_utf8_lossy(&output.stderr).into_owned())),
        Err(_) => {
            println!("skipped: no kubectl on PATH");
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "kubectl is missing, and CI=true");
            None
        }
    }
}

/// The directories of fixtures that stand for themselves: `NAME/` or, where there are overlays, `NAME/overlays/*`.
fn roots(below: &str) -> Vec<Utf8PathBuf> {
    let mut roots = Vec::new();
    for entry in walkdir::WalkDir::new(format!("{FIXTURES}/{below}")).sort_by_file_name() {
        let path = Utf8PathBuf::from_path_buf(entry.unwrap().into_path()).unwrap();
        if path.file_name() == Some("kustomization.yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            if !text.contains("kind: Component") {
                roots.push(path.parent().unwrap().to_owned());
            }
        }
    }
    roots
}

#[test]
fn each_fixture_builds_to_what_kubectl_prints() {
    let mut compared = 0;
    let mut differences = Vec::new();
    for root in roots("good") {
        let mut tree = Tree::default();
        let build = kustomize::build(&root, &mut tree);
        assert_eq!(shown(&tree, &build.findings), "", "{root}");
        let Some(printed) = kubectl(root.as_std_path()) else { return };
        let printed = printed.unwrap_or_else(|error| panic!("{root}: {error}"));
        let file = SourceFile::new("printed.yaml", printed);
        let read = nexafi_gen::source::yaml::read(FileId(0), &file);
        assert!(read.findings.is_empty(), "{root}");
        let wanted: Vec<_> = read.documents.iter().map(nexafi_gen::source::Node::to_json).collect();
        let found = json(&build);
        if wanted != found {
            differences.push(difference(&root, &wanted, &found));
        }
        compared += 1;
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    println!("{compared} kustomizations build to what kubectl prints");
    assert!(compared >= 15, "only {compared} fixtures");
}

fn difference(root: &Utf8Path, wanted: &[serde_json::Value], found: &[serde_json::Value]) -> String {
    let text = |values: &[serde_json::Value]| {
        let mut values = values.to_vec();
        values.iter_mut().for_each(serde_json::Value::sort_all_objects);
        serde_json::to_string_pretty(&values).unwrap()
    };
    let (wanted, found) = (text(wanted), text(found));
    let diff = similar::TextDiff::from_lines(&wanted, &found)
        .unified_diff()
        .header("kubectl", "nexafi-gen")
        .to_string();
    format!("{root}\n{diff}")
}
