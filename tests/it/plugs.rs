//! Where others plug the tool in: hooks of pre-commit, CI of three makers, an image. Each file is read by its own tool,
//! and the commands in it are run.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the tools are looked for, and a test that cannot run says so"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nexafi_gen::source::{SourceFile, Sources, yaml};
use serde_json::Value;

const TOOL: &str = env!("CARGO_BIN_EXE_nexafi-gen");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A tool that `.ci/run` installs, or one on `PATH`.
fn tool(name: &str) -> Option<PathBuf> {
    let candidates = [Path::new(ROOT).join("target/tools/plugs/bin").join(name), PathBuf::from(name)];
    let works =
        |path: &PathBuf| Command::new(path).arg("--version").output().is_ok_and(|run| run.status.success());
    let found = candidates.into_iter().find(works);
    if found.is_none() {
        println!("skipped: no {name}, see tests/plugs-requirements.txt");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no {name}, and CI=true");
    }
    found
}

fn run(command: &mut Command) -> (bool, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.success(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

fn ok(command: &mut Command) -> String {
    let (success, text) = run(command);
    assert!(success, "{command:?}\n{text}");
    text
}

fn read_yaml(path: &str) -> Value {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new(path, std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap()));
    let read = yaml::read(id, sources.get(id).unwrap());
    assert!(read.findings.is_empty(), "{:?}", read.findings);
    read.documents[0].to_json()
}

/// A repository with a blueprint and what it renders to.
fn repository() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    std::fs::create_dir(path.join("blueprints")).unwrap();
    std::fs::copy(Path::new(ROOT).join("blueprints/minimal.yaml"), path.join("blueprints/platform.yaml"))
        .unwrap();
    ok(Command::new(TOOL).args(["render", "blueprints/platform.yaml"]).current_dir(path));
    directory
}

struct Commits<'r> {
    repository: &'r Path,
    path: String,
}

impl Commits<'_> {
    fn git(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        // Nobody's own settings, hooks or signing keys.
        command
            .args(["-c", "user.name=T", "-c", "user.email=t@nexafi.example", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .current_dir(self.repository)
            .env("PATH", &self.path)
            .env("PRE_COMMIT_HOME", self.repository.join(".git/pre-commit"))
            .env("PRE_COMMIT_COLOR", "never")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("NO_COLOR", "1");
        for set in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"] {
            command.env_remove(set);
        }
        command
    }

    fn commit(&self, message: &str) -> (bool, String) {
        ok(&mut self.git(&["add", "--all"]));
        run(&mut self.git(&["commit", "-m", message]))
    }
}

#[test]
fn the_hooks_let_a_good_commit_pass_and_stop_a_bad_one_and_a_drifted_tree() {
    let Some(pre_commit) = tool("pre-commit") else { return };
    let directory = repository();
    let repository = directory.path();
    // The published hooks, but with the binary under test instead of one that pre-commit builds.
    let mut hooks = read_yaml(".pre-commit-hooks.yaml");
    for hook in hooks.as_array_mut().unwrap() {
        assert_eq!(hook["language"], "rust");
        hook["language"] = "system".into();
        hook["entry"] =
            hook["entry"].as_str().unwrap().replacen("nexafi-gen ", &format!("{TOOL} "), 1).into();
    }
    let config = serde_json::json!({"repos": [{"repo": "local", "hooks": hooks}]});
    std::fs::write(repository.join(".pre-commit-config.yaml"), config.to_string()).unwrap();
    let before = std::env::var("PATH").unwrap_or_default();
    let own = pre_commit.parent().map(|parent| parent.to_string_lossy().into_owned()).unwrap_or_default();
    let commits = Commits { repository, path: format!("{own}:{before}") };
    ok(&mut commits.git(&["init", "--quiet"]));
    ok(Command::new(&pre_commit)
        .arg("install")
        .current_dir(repository)
        .env("PRE_COMMIT_HOME", repository.join(".git/pre-commit")));

    let (passed, text) = commits.commit("Describe the platform");
    assert!(passed, "{text}");
    assert_eq!(text.matches("Passed").count(), 2, "{text}");

    let blueprint = repository.join("blueprints/platform.yaml");
    let good = std::fs::read_to_string(&blueprint).unwrap();
    std::fs::write(&blueprint, format!("{good}\nsecurity: {{guardDuty: {{enabled: false}}}}\n")).unwrap();
    let (passed, text) = commits.commit("Switch off what watches");
    assert!(!passed && text.contains("NXF-EKS-013") && text.contains("blueprints/platform.yaml"), "{text}");
    std::fs::write(&blueprint, &good).unwrap();

    let drifted = repository.join("generated/minimal/terraform/vpc.tf");
    let clean = std::fs::read_to_string(&drifted).unwrap();
    std::fs::write(&drifted, format!("{clean}# by hand\n")).unwrap();
    let (passed, text) = commits.commit("Change what is generated");
    assert!(!passed && text.contains("terraform/vpc.tf"), "{text}");
    std::fs::write(&drifted, &clean).unwrap();

    std::fs::write(repository.join("README.md"), "Nothing to judge.\n").unwrap();
    let (passed, text) = commits.commit("Say nothing of the platform");
    assert!(passed && text.contains("Skipped"), "{text}");
}

#[test]
fn every_example_is_one_its_own_tool_reads() {
    let in_root = |name: &str| {
        tool(name).map(|path| {
            let mut command = Command::new(path);
            command.current_dir(ROOT);
            command
        })
    };
    let Some(mut pre_commit) = in_root("pre-commit") else { return };
    ok(pre_commit.args(["validate-manifest", ".pre-commit-hooks.yaml"]));
    let Some(mut pre_commit) = in_root("pre-commit") else { return };
    ok(pre_commit.args(["validate-config", "examples/pre-commit/.pre-commit-config.yaml"]));
    let files: [(&[&str], &str); 3] = [
        (&["vendor.github-actions"], "action.yml"),
        (&["vendor.github-workflows"], "examples/github/.github/workflows/platform.yml"),
        (&["vendor.gitlab-ci", "--data-transform", "gitlab-ci"], "examples/gitlab/.gitlab-ci.yml"),
    ];
    for (schema, file) in files {
        let Some(mut check) = in_root("check-jsonschema") else { return };
        ok(check.arg("--builtin-schema").args(schema).arg(file));
    }
    let Some(mut hadolint) = in_root("hadolint") else { return };
    ok(hadolint.arg("Dockerfile"));
    // Jenkins parses with Groovy itself; this is Groovy's grammar.
    let Some(mut python) = in_root("python3") else { return };
    if !run(python.args(["-c", "import tree_sitter_groovy"])).0
        && std::env::var("CI").as_deref() != Ok("true")
    {
        println!("skipped: Python has no tree_sitter_groovy, see tests/plugs-requirements.txt");
        return;
    }
    let Some(mut python) = in_root("python3") else { return };
    let parses = "import sys, tree_sitter, tree_sitter_groovy\n\
        parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_groovy.language()))\n\
        sys.exit(parser.parse(open('examples/jenkins/Jenkinsfile', 'rb').read()).root_node.has_error)";
    ok(python.args(["-c", parses]));
}

/// Every line of a text of scripts that judges or compares.
fn calls(script: &str) -> Vec<String> {
    let calls = |line: &&str| [" lint ", " render "].iter().any(|command| line.contains(*command));
    let line = |line: &str| {
        line.trim().trim_start_matches("- ").trim_start_matches("sh ").trim_matches('\'').to_owned()
    };
    script.lines().filter(|line| line.contains("bin/nexafi-gen")).filter(calls).map(line).collect()
}

#[test]
fn the_commands_of_the_examples_run() {
    let directory = repository();
    let repository = directory.path();
    let bin = repository.join("home/nexafi-gen/bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(TOOL, bin.join("nexafi-gen")).unwrap();
    let home = repository.join("home");
    let sh = |script: &str| {
        let mut command = Command::new("bash");
        command
            .args(["-euo", "pipefail", "-c", script])
            .current_dir(repository)
            .env("RUNNER_TEMP", &home)
            .env("WORKSPACE_TMP", &home)
            .env("CARGO_HOME", home.join("nexafi-gen"));
        command
    };
    for example in ["examples/gitlab/.gitlab-ci.yml", "examples/jenkins/Jenkinsfile"] {
        let calls = calls(&std::fs::read_to_string(Path::new(ROOT).join(example)).unwrap());
        assert_eq!(calls.len(), 2, "{example}: {calls:?}");
        for call in calls {
            ok(&mut sh(&call));
        }
    }
    for written in ["code-quality.json", "nexafi-gen.xml", "nexafi-gen.sarif"] {
        assert!(repository.join(written).is_file(), "{written}");
        std::fs::remove_file(repository.join(written)).unwrap();
    }

    let action = read_yaml("action.yml");
    let steps = action["runs"]["steps"].as_array().unwrap();
    let step = |name: &str| {
        let step = steps.iter().find(|step| step["name"] == name).unwrap();
        step["run"].as_str().unwrap()
    };
    let judge = &step("Judge");
    ok(sh(judge)
        .env("PATHS", "blueprints\ngenerated\n")
        .env("ARGUMENTS", "--strict\n")
        .env("SARIF", "a b.sarif"));
    assert!(repository.join("a b.sarif").is_file());
    // What an input says is never a command.
    let (passed, text) =
        run(sh(judge).env("PATHS", "$(touch pwned)\n--version\n").env("ARGUMENTS", "").env("SARIF", ""));
    assert!(!passed && !repository.join("pwned").exists(), "{text}");
    let compare = &step("Compare generated files with their blueprints");
    ok(sh(compare).env("BLUEPRINTS", "\nblueprints/platform.yaml\n"));
    std::fs::write(repository.join("generated/minimal/README.md"), "by hand\n").unwrap();
    let (passed, text) = run(sh(compare).env("BLUEPRINTS", "blueprints/platform.yaml"));
    assert!(!passed && text.contains("README.md"), "{text}");
}

#[test]
fn every_command_has_a_manual_page_that_groff_reads_without_a_word() {
    let directory = tempfile::tempdir().unwrap();
    ok(Command::new(TOOL).args(["man", "--out"]).arg(directory.path().join("man1")));
    let mut names: Vec<String> = std::fs::read_dir(directory.path().join("man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    insta::assert_snapshot!(names.join("\n"));
    let one = ok(Command::new(TOOL).args(["man", "policies", "test"]));
    assert_eq!(
        one,
        std::fs::read_to_string(directory.path().join("man1/nexafi-gen-policies-test.1")).unwrap()
    );
    let (passed, text) = run(Command::new(TOOL).args(["man", "lnt"]));
    assert!(!passed && text.contains("did you mean `lint`?"), "{text}");
    if Command::new("groff").arg("--version").output().is_err() {
        println!("skipped: no groff on PATH");
        return;
    }
    for name in names {
        let page = directory.path().join("man1").join(&name);
        let read =
            Command::new("groff").args(["-man", "-Tutf8", "-ww", "-P-cbou"]).arg(page).output().unwrap();
        assert!(
            read.status.success() && read.stderr.is_empty(),
            "{name}: {}",
            String::from_utf8_lossy(&read.stderr)
        );
        assert!(String::from_utf8_lossy(&read.stdout).contains("SYNOPSIS"), "{name}");
    }
}
