//! What `lint` makes of kustomizations.

use crate::cli::Desk;

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: pod}\nspec:\n  hostNetwork: true\n  containers: [{name: a, image: a}]\n";
const FIX: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: pod}\nspec: {hostNetwork: false}\n";

fn desk(files: &[(&str, &str)]) -> Desk {
    let desk = Desk::new();
    for (path, text) in files {
        desk.put(path, text);
    }
    desk
}

#[test]
fn files_of_a_kustomization_are_judged_by_what_it_builds_to_and_not_bare() {
    let desk = desk(&[
        ("app/base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("app/base/pod.yaml", POD),
        ("app/over/kustomization.yaml", "resources: [../base]\npatches: [{path: fix.yaml}]\n"),
        ("app/over/fix.yaml", FIX),
        ("bare.yaml", &POD.replace("name: pod", "name: bare")),
    ]);
    let ran = desk.run("lint --format concise");
    assert!(ran.out.contains("bare.yaml:5:16"), "{}", ran.out);
    assert!(!ran.out.contains("app/base/pod.yaml:5"), "{}", ran.out);
    assert!(!ran.out.contains("declared twice"), "{}", ran.out);
    assert!(!ran.out.contains("`containers` is missing"), "{}", ran.out);
    // A file that is named brings its kustomization along.
    let ran = desk.run("lint app/over/fix.yaml --format concise");
    assert!(ran.out.contains("app/base/pod.yaml:6"), "{}", ran.out);
    assert!(!ran.out.contains("app/base/pod.yaml:5"), "{}", ran.out);
    // And the base by itself is what its own kustomization says.
    let ran = desk.run("lint app/base --format concise");
    assert!(ran.out.contains("app/base/pod.yaml:5:16"), "{}", ran.out);
    let json: serde_json::Value = serde_json::from_str(&desk.run("lint app --format json").out).unwrap();
    let inputs: Vec<&str> =
        json["inputs"].as_array().unwrap().iter().map(|input| input["path"].as_str().unwrap()).collect();
    assert_eq!(
        inputs,
        [
            "app/base/kustomization.yaml",
            "app/base/pod.yaml",
            "app/over/fix.yaml",
            "app/over/kustomization.yaml"
        ]
    );
}

#[test]
fn variants_of_one_base_are_judged_one_by_one() {
    let desk = desk(&[
        ("base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("base/pod.yaml", POD),
        ("good/kustomization.yaml", "resources: [../base]\nnamespace: good\npatches: [{path: fix.yaml}]\n"),
        ("good/fix.yaml", FIX),
        ("bad/kustomization.yaml", "resources: [../base]\nnamespace: bad\n"),
    ]);
    let ran = desk.run("lint --format concise");
    let about = |words: &str| {
        ran.out.lines().any(|line| line.starts_with("base/pod.yaml:5:16") && line.contains(words))
    };
    assert!(about("Pod/bad/pod"), "{}", ran.out);
    assert!(!about("Pod/good/pod"), "{}", ran.out);
}

#[test]
fn a_secret_that_is_generated_is_found_where_it_is_written() {
    let text = "secretGenerator:\n  - name: a\n    literals:\n      - password=correct-horse-9-battery\n    envs: [x.env]\n";
    let desk = desk(&[("kustomization.yaml", text), ("x.env", "TOKEN=wrong-horse-8-battery\n")]);
    let ran = desk.run("lint --format concise");
    assert!(ran.out.contains("kustomization.yaml:4:18"), "{}", ran.out);
    assert!(ran.out.contains("x.env:1:7"), "{}", ran.out);
    for format in ["graphical", "json", "sarif", "markdown"] {
        assert!(!desk.run(&format!("lint --format {format}")).out.contains("battery"), "{format}");
    }
}

#[test]
#[cfg(unix)]
fn links_that_loop_or_lead_away_end_with_a_finding() {
    let desk = desk(&[
        ("home/.git/HEAD", "x"),
        (
            "home/a/kustomization.yaml",
            "resources: [loop.yaml, away.yaml, away, ../../away, ../nothing, self]\n",
        ),
        ("away/kustomization.yaml", "resources: []\n"),
        ("away.yaml", POD),
    ]);
    for (link, target) in [
        ("loop.yaml", "loop.yaml"),
        ("away.yaml", "../../away.yaml"),
        ("away", "../../away"),
        ("self", "../a"),
    ] {
        std::os::unix::fs::symlink(target, desk.directory.join("home/a").join(link)).unwrap();
    }
    let ran = desk.run("lint home --format concise");
    let said: Vec<&str> = ran.out.lines().filter(|line| line.contains("NXF-CFG")).collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn where_a_remote_base_is_missing_nothing_is_said_to_be_missing() {
    let pod = POD.replace("name: pod", "name: pod, namespace: core");
    let text = "resources: [pod.yaml, \"https://example.com/policies?ref=1\"]\n";
    let whole = desk(&[("kustomization.yaml", "resources: [pod.yaml]\n"), ("pod.yaml", &pod)]);
    let open = desk(&[("kustomization.yaml", text), ("pod.yaml", &pod)]);
    let count = |desk: &Desk, verdict: &str| {
        let json: serde_json::Value = serde_json::from_str(&desk.run("lint --format json").out).unwrap();
        let of = |row: &&serde_json::Value| row["verdict"] == verdict;
        json["results"].as_array().unwrap().iter().filter(of).count()
    };
    assert!(count(&open, "unproven") > count(&whole, "unproven"));
    assert!(count(&open, "fail") < count(&whole, "fail"));
    let ran = open.run("lint --format concise");
    assert_eq!(ran.err.matches("not followed").count(), 1, "{}", ran.err);
}

#[test]
fn what_is_no_kustomization_is_never_a_crash() {
    for text in [
        "",
        "[]",
        "a",
        "resources:",
        "resources: [[]]",
        "patches: {}",
        "patches: [a, {}]",
        "images: [a]",
        "labels: [a]",
        "kind: Component\nresources: [.]\n",
        "configMapGenerator: [{}]",
        "replacements: [{}]",
        "a: &a [*a]",
    ] {
        let ran = desk(&[("kustomization.yaml", text)]).run("lint");
        assert!(u8::from(ran.code) <= 2, "{text}: {}", ran.err);
    }
}

#[test]
fn a_kustomization_of_a_tool_of_another_name_is_an_object() {
    let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\n";
    let ran = desk(&[("kustomization.yaml", flux)]).run("lint --format json");
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["inputs"][0]["kind"], "kubernetes");
    assert!(!ran.out.contains("NXF-CFG-032"), "{}", ran.out);
}
