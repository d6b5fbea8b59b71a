//! Kustomizations: the same objects that `kubectl kustomize` prints, in its order, each value at its place.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "kubectl is looked for, and a test that cannot run says so"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use nexafi_gen::kubernetes::kustomize::{self, Build, Files, Place};
use nexafi_gen::source::{FileId, Finding, SourceFile, Sources, normalise};
use proptest::prelude::*;

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
    let generated = [
        "minimal/kubernetes",
        "nexafi/kubernetes",
        "nexafi/kubernetes/image-signatures",
        "nexafi/standby/secondary",
    ];
    let generated = generated.map(|path| Utf8Path::new("generated").join(path));
    for root in roots("good").into_iter().chain(generated) {
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

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
        - name: app
          image: app:1
";

/// The text and the place that an object's value stands at.
fn at(tree: &Tree, build: &Build, path: &[&str]) -> String {
    let node = build.objects[0].node.at(path).unwrap();
    let file = tree.sources.get(node.span.file).unwrap();
    let at = file.line_column(node.span.start as usize);
    format!("{}:{}:{} {}", file.path(), at.line, at.column, file.slice(node.span))
}

#[test]
fn each_value_points_at_the_line_a_person_has_to_change() {
    let mut tree = Tree::of(&[
        ("base/kustomization.yaml", "resources: [app.yaml]\n"),
        ("base/app.yaml", DEPLOYMENT),
        (
            "over/kustomization.yaml",
            "resources: [../base]\nnamespace: core\nnamePrefix: x-\nlabels:\n  - pairs: {team: a}\n\
             images:\n  - name: app\n    newTag: \"2\"\nreplicas:\n  - {name: app, count: 3}\npatches:\n  - path: patch.yaml\n\
             \x20 - target: {kind: Deployment}\n    patch: |-\n      - op: add\n        path: /spec/paused\n        value: true\n\
             \x20 - patch: |\n      apiVersion: apps/v1\n      kind: Deployment\n      metadata: {name: app}\n\n      spec:\n\
             \x20       minReadySeconds: 9\n",
        ),
        (
            "over/patch.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec:\n  template:\n    spec:\n      hostNetwork: true\n",
        ),
    ]);
    let build = kustomize::build("over".into(), &mut tree);
    assert_eq!(shown(&tree, &build.findings), "");
    assert_eq!(&*build.objects[0].address, "Deployment/core/x-app");
    for (path, place) in [
        (&["metadata", "name"][..], "base/app.yaml:4:9 app"),
        (&["metadata", "namespace"], "over/kustomization.yaml:2:12 core"),
        (&["metadata", "labels", "team"], "over/kustomization.yaml:5:19 a"),
        (&["spec", "replicas"], "over/kustomization.yaml:10:24 3"),
        (&["spec", "template", "spec", "hostNetwork"], "over/patch.yaml:7:20 true"),
        (&["spec", "template", "spec", "containers", "0", "image"], "over/kustomization.yaml:8:13 \"2\""),
        (&["spec", "paused"], "over/kustomization.yaml:17:16 true"),
        (&["spec", "minReadySeconds"], "over/kustomization.yaml:24:26 9"),
        (&["spec", "selector", "matchLabels", "app"], "base/app.yaml:6:33 app"),
    ] {
        assert_eq!(at(&tree, &build, path), place, "{path:?}");
    }
    let header = build.objects[0].header;
    assert_eq!(tree.sources.get(header.file).unwrap().slice(header), "app");
}

#[test]
fn what_is_generated_points_at_what_it_is_made_of() {
    let mut tree = Tree::of(&[
        (
            "kustomization.yaml",
            "configMapGenerator:\n  - name: a\n    literals: [L=1]\n    files: [app.conf]\n    envs: [x.env]\n",
        ),
        ("app.conf", "listen 80\n"),
        ("x.env", "# why\nE=2\n"),
    ]);
    let build = kustomize::build("".into(), &mut tree);
    assert_eq!(shown(&tree, &build.findings), "");
    assert_eq!(at(&tree, &build, &["data", "L"]), "kustomization.yaml:3:16 L=1");
    assert_eq!(at(&tree, &build, &["data", "app.conf"]), "app.conf:1:1 listen 80\n");
    assert_eq!(at(&tree, &build, &["data", "E"]), "x.env:2:1 E=2");
}

#[test]
fn what_kustomize_refuses_is_a_finding_at_its_place() {
    let mut tree = Tree::of(&[
        (
            "kustomization.yaml",
            "resourcs: [a.yaml]\nresources:\n  - app.yaml\n  - missing.yaml\n  - other/app.yaml\n  - broken\n  - app.yaml\n\
             components: [component, broken]\ncommonLabels: {level: 3}\nimages: [{name: app, newTag: 1.2}, {name: \"(\", newTag: x}]\n\
             replicas: [{name: nobody, count: 1}]\npatches:\n  - path: patch.yaml\n  - path: patch.yaml\n    patch: x\n\
             \x20 - patch: |-\n      - op: add\n        path: /spec/x\n        value: 1\n\
             \x20 - target: {kind: Deployment}\n    patch: |-\n      - op: remove\n        path: /spec/nothing\n\
             \x20     - op: delete\n        path: /spec/nothing\n\
             \x20 - target: {kind: \"[\"}\n    patch: '[]'\n\
             \x20 - patch: |\n      apiVersion: apps/v1\n      kind: Deployment\n      metadata: {name: app}\n      spec: {template: []}\n\
             configMapGenerator:\n  - name: a\n    literals: [nothing, A=1, A=2]\n  - literals: [A=1]\n\
             \x20 - name: b\n    behavior: merge\n  - name: a\n\
             replacements:\n  - source: {kind: Nothing}\n    targets: []\n  - source: {kind: Deployment, fieldPath: spec.x}\n    targets: []\n",
        ),
        ("app.yaml", DEPLOYMENT),
        ("patch.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app, namespace: core}\n"),
        ("other/app.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {}\n"),
        ("broken/kustomization.yaml", "resources: a.yaml\n"),
        ("component/x.yaml", ""),
    ]);
    let build = kustomize::build("".into(), &mut tree);
    insta::assert_snapshot!(shown(&tree, &build.findings));
    assert!(
        build
            .findings
            .iter()
            .all(|finding| !finding.help.is_empty() && finding.code.starts_with("NXF-CFG-03"))
    );
}

#[test]
fn a_circle_ends_with_a_finding() {
    let mut tree = Tree::of(&[
        ("a/kustomization.yaml", "resources: [../b]\n"),
        ("b/kustomization.yaml", "resources: [../a, ../b, ..]\n"),
        ("kustomization.yaml", "resources: [a]\n"),
    ]);
    let build = kustomize::build("a".into(), &mut tree);
    insta::assert_snapshot!(shown(&tree, &build.findings));
}

#[test]
fn a_base_that_each_level_names_twice_does_not_run_forever() {
    let files: Vec<(String, String)> = (0..40)
        .map(|level| {
            let next = level + 1;
            (
                format!("d{level}/kustomization.yaml"),
                format!("resources: [../d{next}, ../d{next}, ../d{next}]\n"),
            )
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let mut tree = Tree::of(&files);
    let build = kustomize::build("d0".into(), &mut tree);
    assert!(build.findings.iter().any(|finding| finding.code == "NXF-CFG-003"));
}

#[test]
fn what_is_not_followed_is_named_once_and_leaves_the_objects_open() {
    let mut tree = Tree::of(&[
        (
            "kustomization.yaml",
            "resources:\n  - app.yaml\n  - https://example.com/base?ref=v1\n  - github.com/a/b//c\nhelmCharts: [{name: a}]\n\
             generators: [g.yaml]\nvars: [{name: X, objref: {kind: Deployment, name: app, apiVersion: apps/v1}}]\n\
             patches: [{path: https://example.com/patch.yaml}]\n",
        ),
        ("app.yaml", &DEPLOYMENT.replace("app:1", "app:$(X)")),
    ]);
    let build = kustomize::build("".into(), &mut tree);
    assert_eq!(shown(&tree, &build.findings), "");
    insta::assert_snapshot!(build.warnings.join("\n"));
    assert!(build.unread.is_some());
    let image = build.objects[0].node.at(&["spec", "template", "spec", "containers", "0", "image"]).unwrap();
    assert!(matches!(image.value, nexafi_gen::source::Value::Unknown(_)));

    let mut tree = Tree::of(&[
        ("kustomization.yaml", "resources: [app.yaml]\ntransformers: [t.yaml]\n"),
        ("app.yaml", DEPLOYMENT),
    ]);
    let build = kustomize::build("".into(), &mut tree);
    assert!(matches!(
        build.objects[0].node.get("spec").unwrap().value,
        nexafi_gen::source::Value::Unknown(_)
    ));
}

/// Kustomizations and patches, wrong in any way.
fn anything() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("resources: [a.yaml, b, .]\n"),
        Just("patches:\n- "),
        Just("patch: "),
        Just("path: a.yaml\n"),
        Just("target: {kind: Pod}\n"),
        Just("'[{\"op\": \"add\", \"path\": \"/spec/x/-\", \"value\": 1}]'\n"),
        Just("|\n    "),
        Just("kind: Pod\n"),
        Just("apiVersion: v1\n"),
        Just("metadata: {name: a}\n"),
        Just("spec: {containers: [{name: a}, {$patch: delete}]}\n"),
        Just("$patch: replace\n"),
        Just("namePrefix: é\n"),
        Just("namespace: n\n"),
        Just("labels: [{pairs: {a: b}, includeSelectors: true}]\n"),
        Just("images: [{name: a, newTag: x}]\n"),
        Just("configMapGenerator: [{name: a, literals: [a=b], files: [a.yaml, k=b]}]\n"),
        Just(
            "replacements: [{source: {kind: Pod}, targets: [{select: {kind: Pod}, fieldPaths: [\"a.*.[b=c]\"], options: {create: true}}]}]\n"
        ),
        Just("components: [b]\n"),
        Just("---\n"),
        Just("- "),
        Just("  "),
        Just("["),
        Just("}"),
        Just("\n"),
        Just("\""),
    ];
    prop::collection::vec(word, 0..12).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_text_makes_building_fail(root in anything(), file in anything(), inner in anything()) {
        let mut tree = Tree::of(&[("kustomization.yaml", &root), ("a.yaml", &file), ("b/kustomization.yaml", &inner)]);
        let build = kustomize::build("".into(), &mut tree);
        for finding in &build.findings {
            let file = tree.sources.get(finding.span.file).unwrap();
            prop_assert!(finding.span.end as usize <= file.text().len());
            prop_assert!(file.text().is_char_boundary(finding.span.start as usize));
        }
    }
}
