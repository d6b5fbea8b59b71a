//! What the commands promise: exit codes, messages, and that nothing is half done.

use camino::Utf8PathBuf;
use nexafi_gen::cli::{ExitCode, Output, Surroundings, run};

/// A working directory of its own for each test.
pub(crate) struct Desk {
    _home: tempfile::TempDir,
    pub directory: Utf8PathBuf,
}

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub code: ExitCode,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Exit code and both streams, for snapshots.
    pub(crate) fn shown(&self) -> String {
        format!("exit {}\n--- out\n{}--- err\n{}", u8::from(self.code), self.out, self.err)
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let directory = Utf8PathBuf::from_path_buf(home.path().canonicalize().unwrap()).unwrap();
        Self { _home: home, directory }
    }

    pub(crate) fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.directory.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn path(&self, path: &str) -> Utf8PathBuf {
        self.directory.join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.directory.join(path)).unwrap()
    }

    pub(crate) fn run(&self, arguments: &str) -> Ran {
        let surroundings = Surroundings {
            directory: self.directory.clone(),
            today: Some(jiff::civil::date(2026, 11, 23)),
            width: Some(100),
            ..Surroundings::default()
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let arguments = std::iter::once("nexafi-gen").chain(arguments.split_whitespace());
        let code = run(arguments, &surroundings, &mut Output::new(&mut out, &mut err));
        Ran { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
    }

    /// Every file below the desk with its bytes.
    pub(crate) fn everything(&self) -> Vec<(String, Vec<u8>)> {
        walkdir::WalkDir::new(&self.directory)
            .sort_by_file_name()
            .into_iter()
            .map(|entry| entry.unwrap().into_path())
            .map(|path| {
                let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
                (path.to_string_lossy().into_owned(), bytes)
            })
            .collect()
    }
}

/// The smallest blueprint of the repository.
pub(crate) fn minimal() -> String {
    std::fs::read_to_string("blueprints/minimal.yaml").unwrap()
}

/// One fault of its schema, and nothing that any policy has an opinion on.
const FAULTY: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\nimutable: true\n";
const HUGE: usize = 50 * 1024 * 1024;

#[test]
fn inputs_that_cannot_be_used_are_named_all_at_once() {
    let desk = Desk::new();
    desk.put("empty.yaml", "");
    desk.put("blank.yaml", "\u{feff} \r\n\n");
    desk.put("latin.yaml", b"name: caf\xe9\n");
    desk.put("wide.yaml", b"\xff\xfea\0:\0");
    desk.put("directory/nothing.txt", "");
    desk.put("huge.yaml", vec![b'#'; HUGE]);
    let ran = desk.run("lint empty.yaml blank.yaml latin.yaml wide.yaml nowhere.yaml nowhere.txt huge.yaml");
    assert_eq!(ran.code, ExitCode::Unusable);
    insta::assert_snapshot!(ran.shown());
}

#[test]
fn render_takes_one_readable_file_and_leaves_nothing_behind() {
    let desk = Desk::new();
    desk.put("empty.yaml", "");
    desk.put("latin.yaml", b"name: caf\xe9\n");
    desk.put("huge.yaml", vec![b'#'; HUGE]);
    desk.put("directory/nothing.txt", "");
    desk.put("broken.yaml", "apiVersion: nexafi-gen/v1\nname: [\n");
    desk.put("list.yaml", "- a\n- b\n");
    let before = desk.everything();
    for input in ["empty.yaml", "latin.yaml", "huge.yaml", "directory", "nowhere.yaml", "."] {
        let ran = desk.run(&format!("render {input}"));
        assert_eq!(ran.code, ExitCode::Unusable, "{input}: {ran:?}");
        assert!(ran.err.starts_with(&format!("error: cannot use {input}: ")), "{input}: {ran:?}");
        assert_eq!(ran.out, "");
    }
    for input in ["broken.yaml", "list.yaml"] {
        assert_eq!(desk.run(&format!("render {input}")).code, ExitCode::Findings, "{input}");
        // Letting findings pass does not make a file readable.
        let ran = desk.run(&format!("render {input} --fail-on never"));
        assert_eq!(ran.code, ExitCode::Unusable, "{input}: {ran:?}");
    }
    let ran = desk.run("lint broken.yaml --fail-on never --ignore NXF-CFG-001");
    assert_eq!(ran.code, ExitCode::Unusable, "{ran:?}");
    assert_eq!(desk.everything(), before);
}

#[test]
fn a_syntax_error_is_never_clean_whatever_the_threshold() {
    let desk = Desk::new();
    desk.put("a.tf", "resource \"aws_vpc\" {{\n");
    desk.put("b.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: [\n");
    for file in ["a.tf", "b.yaml"] {
        assert_eq!(desk.run(&format!("lint {file}")).code, ExitCode::Findings);
        assert_eq!(desk.run(&format!("lint {file} --fail-on never")).code, ExitCode::Unusable);
        assert_eq!(desk.run(&format!("lint {file} --fail-on critical")).code, ExitCode::Unusable);
    }
}

#[test]
fn byte_order_marks_and_windows_line_ends_change_nothing() {
    let desk = Desk::new();
    desk.put("plain.yaml", minimal());
    desk.put("windows.yaml", format!("\u{feff}{}", minimal().replace('\n', "\r\n")));
    desk.put("pod.yaml", format!("\u{feff}{}", FAULTY.replace('\n', "\r\n")));
    assert_eq!(desk.run("lint plain.yaml").code, ExitCode::Clean);
    let ran = desk.run("lint windows.yaml");
    assert_eq!((ran.code, ran.err.as_str()), (ExitCode::Clean, ""), "{}", ran.out);
    assert!(desk.run("lint pod.yaml --format concise").out.starts_with("pod.yaml:4:1: high NXF-CFG-030"));
    desk.run("render plain.yaml --out a");
    let with_lf = desk.read("a/nexafi-gen.lock.json").replace("plain.yaml", "");
    desk.put("plain.yaml", desk.read("windows.yaml"));
    desk.run("render plain.yaml --out b");
    assert_eq!(with_lf, desk.read("b/nexafi-gen.lock.json").replace("plain.yaml", ""));
}

#[test]
fn what_a_file_is_shows_in_its_content() {
    let desk = Desk::new();
    desk.put("a/blueprint.yml", minimal());
    desk.put("a/pod.yaml", FAULTY.replace("imutable", "immutable"));
    desk.put(
        "a/pod.json",
        "{\"kind\": \"Namespace\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"b\"}}",
    );
    desk.put("a/main.tf", "locals { a = 1 }\n");
    desk.put("a/package.json", "{\"name\": \"x\", \"apiVersion\": 3}");
    desk.put("a/compose.yaml", "services: {}\n");
    desk.put("a/notes.md", "apiVersion: v1\n");
    desk.put("a/empty.yaml", "");
    desk.put("a/photo.yaml", b"\xff\xd8\xff");
    desk.put("a/.terraform/modules/x.tf", "not { terraform");
    desk.put("node_modules/x/broken.yaml", "apiVersion: v1\nkind: [\n");
    let ran = desk.run("lint --format json -v");
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let inputs: Vec<String> = report["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|input| format!("{} {}", input["path"].as_str().unwrap(), input["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(
        inputs,
        [
            "a/blueprint.yml blueprint",
            "a/main.tf terraform",
            "a/pod.json kubernetes",
            "a/pod.yaml kubernetes"
        ]
    );
    insta::assert_snapshot!(ran.err);
    assert_eq!(desk.run("lint").err, "", "what is passed over is said only when asked");
}

#[test]
fn a_named_file_that_is_nothing_we_know_is_said_to_be_passed_over() {
    let desk = Desk::new();
    desk.put("notes.md", "# notes\n");
    desk.put("compose.yaml", "services: {}\n");
    desk.put("main.tfvars.bak", "");
    let ran = desk.run("lint notes.md compose.yaml main.tfvars.bak");
    assert_eq!(ran.code, ExitCode::Clean);
    insta::assert_snapshot!(ran.shown());
    assert_eq!(desk.run("lint -q notes.md").err, "");
}

#[test]
fn a_file_reached_twice_is_checked_once() {
    let desk = Desk::new();
    desk.put("k8s/pod.yaml", FAULTY);
    let once = desk.run("lint k8s/pod.yaml --format concise").out;
    assert_eq!(desk.run("lint k8s/pod.yaml ./k8s k8s/../k8s/pod.yaml . --format concise").out, once);
    assert_eq!(once.lines().count(), 1);
}

#[test]
fn one_file_of_a_module_is_judged_with_the_others_it_needs() {
    let desk = Desk::new();
    desk.put("net/vpc.tf", "resource \"aws_vpc\" \"main\" {\n  cidr_block = var.cidr\n}\n");
    desk.put("net/variables.tf", "variable \"cidr\" {\n  type    = string\n  default = \"10.0.0.0/16\"\n}\n");
    let flow_log = "resource \"aws_flow_log\" \"main\" {\n  vpc_id               = aws_vpc.main.id\n  traffic_type         = \
                    \"ALL\"\n  log_destination_type = \"s3\"\n  log_destination      = \"arn:aws:s3:::logs\"\n}\n";
    desk.put("net/log.tf", flow_log);
    for staged in ["net/vpc.tf", "net/log.tf", "net"] {
        let ran = desk.run(&format!("lint {staged} --select NXF-NET-001"));
        assert_eq!(ran.code, ExitCode::Clean, "{staged}: {}", ran.out);
    }
    desk.put("net/log.tf", flow_log.replace("ALL", "REJECT"));
    let whole = desk.run("lint net --select NXF-NET-001 --format concise").out;
    assert!(whole.contains("net/vpc.tf:1:1: high NXF-NET-001"), "{whole}");
    assert_eq!(desk.run("lint net/log.tf --select NXF-NET-001 --format concise").out, whole);
    let absolute = desk.directory.join("net/vpc.tf");
    let mixed = desk.run(&format!("lint ./net/log.tf {absolute} --select NXF-NET-001 --format concise")).out;
    assert_eq!(mixed.lines().count(), 2, "{mixed}");
    assert!(desk.run("lint net/log.tf -v").err.contains("read too: net/vpc.tf: of the same module"));
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_end() {
    let desk = Desk::new();
    desk.put("a/pod.yaml", FAULTY);
    std::os::unix::fs::symlink("..", desk.directory.join("a/up")).unwrap();
    std::os::unix::fs::symlink("self", desk.directory.join("a/self")).unwrap();
    std::os::unix::fs::symlink("nowhere", desk.directory.join("a/dangling.yaml")).unwrap();
    let ran = desk.run("lint --format concise");
    assert_eq!((ran.code, ran.out.lines().count()), (ExitCode::Findings, 1), "{ran:?}");
}

#[test]
fn a_large_data_file_that_nobody_named_is_no_concern_of_ours() {
    let desk = Desk::new();
    desk.put("data.json", vec![b' '; HUGE]);
    assert_eq!(
        desk.run("lint -v").err.lines().next().unwrap(),
        "passed over: data.json: large, and neither a blueprint nor a manifest"
    );
    let mut manifest = b"apiVersion: v1\nkind: ConfigMap\n".to_vec();
    manifest.resize(HUGE, b'#');
    desk.put("manifest.yaml", manifest);
    let ran = desk.run("lint");
    assert_eq!(ran.code, ExitCode::Unusable);
    assert!(ran.err.contains("manifest.yaml: it has 50 MiB, more than the 16 MiB"), "{}", ran.err);
}

#[test]
fn fail_on_sets_which_findings_fail() {
    let desk = Desk::new();
    desk.put("pod.yaml", FAULTY);
    for (flag, code) in [
        ("", ExitCode::Findings),
        ("--fail-on high", ExitCode::Findings),
        ("--fail-on critical", ExitCode::Clean),
        ("--fail-on never", ExitCode::Clean),
        ("--ignore NXF-CFG-030", ExitCode::Clean),
        ("--ignore cfg", ExitCode::Clean),
    ] {
        assert_eq!(desk.run(&format!("lint pod.yaml {flag}")).code, code, "{flag}");
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused_with_a_way_out() {
    let desk = Desk::new();
    desk.put("pod.yaml", FAULTY);
    let mut shown = String::new();
    for arguments in [
        "lint --select NXF-NET-01",
        "lint --select NXF-NET-001,netwrok",
        "lint --ignore NXF-CFG-99",
        "lint --framework pci-dss-4.0",
        "lint --framework soc9",
        "lint --fail-on severe",
        "lint --at 2026-02-30",
        "lint --policies nowhere",
        "render",
        "render a.yaml --diff",
        "render a.yaml --check --force",
        "explain NXF-NET-01",
        "explain something",
        "schema blueprnt",
        "polices list",
        "lint --output nowhere/report.json pod.yaml",
    ] {
        let ran = desk.run(arguments);
        assert_eq!(ran.code, ExitCode::Unusable, "{arguments}: {ran:?}");
        let first = ran.err.split("\n\nUsage").next().unwrap().trim_end();
        shown.push_str(&format!("$ nexafi-gen {arguments}\n{first}\n\n"));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn the_report_goes_to_a_file_when_asked() {
    let desk = Desk::new();
    desk.put("pod.yaml", FAULTY);
    let ran = desk.run("lint pod.yaml --format json --output report.json");
    assert_eq!((ran.code, ran.out.as_str()), (ExitCode::Findings, ""));
    let report: serde_json::Value = serde_json::from_str(&desk.read("report.json")).unwrap();
    assert_eq!(report["summary"]["fail"], 1);
}

#[test]
fn init_writes_a_blueprint_that_is_clean_and_never_overwrites() {
    let desk = Desk::new();
    let ran = desk.run("init");
    assert_eq!(ran.code, ExitCode::Clean);
    assert!(ran.err.contains("nexafi-gen render blueprint.yaml"), "{}", ran.err);
    let ran = desk.run("lint blueprint.yaml");
    assert_eq!(ran.code, ExitCode::Clean, "{}", ran.out);
    let ran = desk.run("render blueprint.yaml");
    assert_eq!(ran.code, ExitCode::Clean, "{}{}", ran.out, ran.err);
    desk.put("blueprint.yaml", "mine");
    let ran = desk.run("init");
    assert_eq!(ran.code, ExitCode::Unusable);
    assert_eq!(desk.read("blueprint.yaml"), "mine");
    assert_eq!(desk.run("init deep/er/b.yaml").code, ExitCode::Clean);
    assert_eq!(desk.run("init deep").code, ExitCode::Clean);
    assert_eq!(desk.read("deep/blueprint.yaml"), desk.read("deep/er/b.yaml"));
}

#[test]
fn every_policy_and_every_fault_can_be_explained() {
    let desk = Desk::new();
    let list = desk.run("policies list -q");
    assert_eq!(list.code, ExitCode::Clean);
    let ids = list.out.lines().map(|line| line.split_whitespace().next().unwrap());
    let faults = nexafi_gen::source::fault::ALL.iter().map(|fault| fault.code);
    for id in ids.chain(faults) {
        let ran = desk.run(&format!("explain {}", id.to_lowercase()));
        assert_eq!(ran.code, ExitCode::Clean, "{id}: {ran:?}");
        assert!(ran.out.starts_with(id), "{id}: {}", ran.out);
    }
    insta::assert_snapshot!(desk.run("explain NXF-NET-001").out);
}

#[test]
fn users_policies_are_applied_and_their_faults_reported() {
    let desk = Desk::new();
    desk.put("main.tf", "resource \"aws_vpc\" \"main\" {\n  cidr_block = \"10.0.0.0/16\"\n}\n");
    desk.put(
        "policies/naming/tag.yaml",
        "id: BANK-TAG-001\ntitle: Every VPC has tags\nseverity: low\nrationale: Ours.\n\
         controls: {soc2-tsc-2017: [{id: CC6.1, by: judgement}]}\n\
         rules: {terraform: {resource: aws_vpc, assert: has(this.tags), help: add tags}}\n",
    );
    let ran = desk.run("lint main.tf --policies policies --select BANK-TAG --fail-on low");
    assert_eq!(ran.code, ExitCode::Findings);
    insta::assert_snapshot!(ran.shown());
    let ran = desk.run("lint main.tf --policies policies --select naming --fail-on medium");
    assert_eq!(ran.code, ExitCode::Clean);
    desk.put("policies/naming/broken.yaml", "id: BANK-TAG-002\ntitel: x\n");
    let ran = desk.run("lint main.tf --policies policies --select BANK-TAG --fail-on never");
    assert_eq!(ran.code, ExitCode::Unusable, "{}", ran.out);
    assert!(ran.out.contains("policies/naming/broken.yaml:2:1"), "{}", ran.out);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let desk = Desk::new();
    desk.put("pod.yaml", FAULTY);
    let surroundings = Surroundings { directory: desk.directory.clone(), ..Surroundings::default() };
    let mut err = Vec::new();
    let arguments = ["nexafi-gen", "lint", "pod.yaml"];
    let code = run(arguments, &surroundings, &mut Output::new(&mut Closed, &mut err));
    assert_eq!((code, err), (ExitCode::Findings, Vec::new()));
}

#[test]
fn schemas_are_printed_and_are_schemas() {
    let desk = Desk::new();
    for subject in ["blueprint", "policy", "report"] {
        let ran = desk.run(&format!("schema {subject}"));
        assert_eq!(ran.code, ExitCode::Clean);
        let schema: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        jsonschema::validator_for(&schema).unwrap();
    }
}

#[test]
fn completions_name_the_commands() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish"] {
        let ran = desk.run(&format!("completions {shell}"));
        assert!(ran.out.contains("render") && ran.out.contains("lint"), "{shell}");
    }
}

/// The manual of every command, as people see it.
#[test]
fn help_texts() {
    trycmd::TestCases::new().env("COLUMNS", "100").case("tests/cmd/*.md");
}

#[test]
fn a_framework_is_reported_by_its_controls() {
    let desk = Desk::new();
    desk.put("minimal.yaml", minimal());
    let of = |arguments: &str| -> serde_json::Value {
        let ran = desk.run(&format!("lint minimal.yaml --format json --at 2026-11-24 {arguments}"));
        serde_json::from_str(&ran.out).unwrap()
    };
    assert!(of("").get("controls").is_none(), "only where it is asked for");
    let report = of("--framework dora-2022-2554 --all");
    let controls = report["controls"].as_array().unwrap();
    let ids: Vec<&str> = controls.iter().map(|control| control["control"].as_str().unwrap()).collect();
    assert!(ids.contains(&"9") && ids.contains(&"17"), "{ids:?}");
    assert!(controls.iter().all(|control| control["framework"] == "dora-2022-2554"));
    // Every policy for the framework is named under some control, and the counts are those of the results.
    let all = nexafi_gen::policy::Catalogue::builtin();
    for policy in all.policies() {
        let dora = policy.controls.keys().any(|framework| framework.id() == "dora-2022-2554");
        let row = controls
            .iter()
            .flat_map(|control| control["policies"].as_array().unwrap())
            .find(|row| row["policy"] == policy.id.as_str());
        assert_eq!(row.is_some(), dora, "{}", policy.id);
        let Some(row) = row else { continue };
        let results = report["results"].as_array().unwrap();
        let passes = results
            .iter()
            .filter(|result| result["policy"] == policy.id.as_str() && result["verdict"] == "pass")
            .count();
        assert_eq!(row["verdicts"]["pass"], passes, "{}", policy.id);
    }
    desk.put(
        "minimal.yaml",
        minimal().replace("cidr: 10.20.0.0/16}", "cidr: 10.20.0.0/16, flowLogs: {enabled: false}}"),
    );
    let ran = desk.run("lint minimal.yaml --framework soc2-tsc-2017 --at 2026-11-24");
    assert!(ran.out.contains("soc2-tsc-2017: of ") && ran.out.contains("CC7.2: NXF-NET-001"), "{}", ran.out);
}

/// The lock file of the providers is hidden, and judged with the module it belongs to, however that is named.
#[test]
fn the_dependency_lock_file_is_judged_with_its_module() {
    let desk = Desk::new();
    let module = "terraform {\n  required_providers {\n    tls = \"~> 4.0\"\n  }\n}\n";
    let lock = "provider \"registry.terraform.io/hashicorp/tls\" {\n  version = \"4.0.5\"\n  hashes = [\"h1:abc=\"]\n}\n";
    desk.put("live/main.tf", module);
    desk.put("live/.terraform.lock.hcl", lock);
    for arguments in ["lint live", "lint live/main.tf", "lint live/.terraform.lock.hcl"] {
        let ran = desk.run(&format!("{arguments} --format concise"));
        assert!(ran.out.contains("live/.terraform.lock.hcl:3:3: medium NXF-SUP-005"), "{arguments}: {ran:?}");
    }
    desk.put("live/.terraform.lock.hcl", "provider \"tls\" {\n");
    assert!(desk.run("lint live").out.contains("NXF-CFG-"), "a broken lock file is a finding");
}

/// Without a choice only the policies that concern the input are read, with one all of them.
#[test]
fn what_is_not_read_would_have_said_nothing() {
    let desk = Desk::new();
    desk.put("platform.yaml", minimal());
    desk.put("hand/main.tf", "resource \"aws_vpc\" \"main\" {\n  cidr_block = \"10.0.0.0/16\"\n}\n");
    desk.put("hand/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: b}\nspec: {containers: [{name: a, image: b}]}\n");
    assert_eq!(desk.run("render platform.yaml").code, ExitCode::Clean);
    let domains: std::collections::BTreeSet<&str> = nexafi_gen::policy::embedded()
        .iter()
        .filter_map(|(path, _)| path.split_once('/').map(|(domain, _)| domain))
        .collect();
    let every: Vec<&str> = domains.into_iter().collect();
    let every = every.join(",");
    for input in ["platform.yaml", "hand", "hand/main.tf", "hand/pod.yaml", "generated", ". -v"] {
        let few = desk.run(&format!("lint {input} --all --format json"));
        let all = desk.run(&format!("lint {input} --all --format json --select {every}"));
        assert_eq!((few.code, few.out, few.err), (all.code, all.out, all.err), "{input}");
    }
}

#[test]
fn a_search_leaves_out_what_is_ignored_and_a_named_file_is_checked_all_the_same() {
    let desk = Desk::new();
    std::fs::create_dir(desk.directory.join(".git")).unwrap();
    let vpc = "resource \"aws_vpc\" \"main\" {\n  cidr_block = \"10.0.0.0/16\"\n}\n";
    for path in
        ["a/main.tf", "built/main.tf", "old/main.tf", "old/kept/main.tf", ".terraform/modules/x/main.tf"]
    {
        desk.put(path, vpc);
    }
    desk.put(".gitignore", "built/\n");
    desk.put("old/.nexafiignore", "*.tf\n!kept/*.tf\n");
    let found = |arguments: &str| {
        let ran = desk.run(&format!("lint {arguments} --select NXF-NET-001 --format concise"));
        ran.out.lines().map(|line| line.split(':').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("."), ["a/main.tf", "old/kept/main.tf"]);
    assert_eq!(found(""), ["a/main.tf", "old/kept/main.tf"]);
    assert_eq!(found("built/main.tf"), ["built/main.tf"]);
    assert_eq!(found("built old/main.tf"), ["built/main.tf", "old/main.tf"]);
}

#[cfg(unix)]
#[test]
fn links_that_lead_back_end() {
    let desk = Desk::new();
    desk.put("a/main.tf", "resource \"aws_vpc\" \"main\" {\n  cidr_block = \"10.0.0.0/16\"\n}\n");
    std::os::unix::fs::symlink("..", desk.directory.join("a/up")).unwrap();
    std::os::unix::fs::symlink("self.tf", desk.directory.join("a/self.tf")).unwrap();
    let ran = desk.run("lint . --select NXF-NET-001 --format concise");
    assert_eq!(ran.out.lines().count(), 1, "{ran:?}");
}

/// Whether the text that a module reads from a file beside it was judged: it stands where a boolean has to.
fn judges_the_text_of(desk: &Desk, path: &str) -> bool {
    desk.put(
        "net/main.tf",
        format!("resource \"aws_vpc\" \"main\" {{\n  enable_dns_support = trimspace(file(\"{path}\"))\n}}\n"),
    );
    desk.run("lint net").out.contains("wants true or false")
}

#[test]
#[cfg(unix)]
fn a_module_reads_the_files_beside_it_and_no_others() {
    let desk = Desk::new();
    desk.put("net/inside.txt", "perhaps\n");
    desk.put("net/below/inside.txt", "perhaps\n");
    desk.put("outside.txt", "perhaps\n");
    desk.put("elsewhere/outside.txt", "perhaps\n");
    std::os::unix::fs::symlink("../outside.txt", desk.path("net/link.txt")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", desk.path("net/away")).unwrap();
    std::os::unix::fs::symlink("below", desk.path("net/near")).unwrap();
    let read =
        ["inside.txt", "./inside.txt", "${path.module}/inside.txt", "below/../inside.txt", "near/inside.txt"];
    for path in read {
        assert!(judges_the_text_of(&desk, path), "{path} lies inside");
    }
    let outside = desk.path("outside.txt");
    for path in [
        "../outside.txt",
        "below/../../outside.txt",
        "link.txt",
        "away/outside.txt",
        outside.as_str(),
        "none.txt",
    ] {
        assert!(!judges_the_text_of(&desk, path), "{path} lies outside");
    }
}

#[test]
fn a_called_module_reads_the_files_beside_itself() {
    let desk = Desk::new();
    desk.put("main.tf", "module \"net\" {\n  source = \"./modules/net\"\n}\n");
    desk.put(
        "modules/net/main.tf",
        "resource \"aws_vpc\" \"main\" {\n  enable_dns_support = file(\"${path.module}/word.txt\")\n}\n",
    );
    desk.put("modules/net/word.txt", "perhaps");
    let ran = desk.run("lint .");
    assert!(ran.out.contains("wants true or false"), "{}", ran.shown());
}
