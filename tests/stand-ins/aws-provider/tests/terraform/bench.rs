//! A place where terraform works undisturbed: a mirror with the stand-in, a store for its cloud, a directory of files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use camino::Utf8PathBuf;
use nexafi_gen::blueprint::load;
use nexafi_gen::render::{FileSet, Overrides, render};
use nexafi_gen::source::{SourceFile, Sources};
use tempfile::TempDir;

/// The version the schema is of.
const VERSION: &str = "6.66.0";

pub struct Bench {
    root: TempDir,
}

/// What a command printed, and whether it succeeded.
pub struct Ran {
    pub code: i32,
    pub text: String,
}

impl Ran {
    /// The output, which has to be that of a success.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}", self.text);
        self.text
    }

    /// The output, which has to be that of a failure.
    #[track_caller]
    pub fn refused(self) -> String {
        assert_eq!(self.code, 1, "{}", self.text);
        self.text
    }
}

/// A fresh bench, or none where there is no terraform.
pub fn bench() -> Option<Bench> {
    if Command::new("terraform").arg("version").env("TF_CLI_CONFIG_FILE", "/dev/null").output().is_err() {
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "no terraform on PATH, and CI=true");
        eprintln!("skipped: no terraform on PATH");
        return None;
    }
    let root = tempfile::tempdir().unwrap();
    let place = root.path().join(format!("mirror/registry.terraform.io/hashicorp/aws/{VERSION}/linux_amd64"));
    fs::create_dir_all(&place).unwrap();
    let program = env!("CARGO_BIN_EXE_terraform-provider-aws-stand-in");
    let there = place.join(format!("terraform-provider-aws_v{VERSION}"));
    if fs::hard_link(program, &there).is_err() {
        fs::copy(program, &there).unwrap();
    }
    let config = format!(
        "disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
        root.path().join("mirror").display()
    );
    fs::write(root.path().join("terraformrc"), config).unwrap();
    fs::create_dir(root.path().join("module")).unwrap();
    Some(Bench { root })
}

impl Bench {
    fn module(&self) -> PathBuf {
        self.root.path().join("module")
    }

    /// Puts these `.tf` files in the place of those that are there. State and lock stay.
    pub fn write(&self, files: &BTreeMap<Utf8PathBuf, String>) {
        for entry in fs::read_dir(self.module()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "tf") {
                fs::remove_file(path).unwrap();
            }
        }
        for (path, text) in files {
            fs::write(self.module().join(path), text).unwrap();
        }
    }

    /// Puts a directory with all it holds in the place of the module.
    pub fn copy(&self, from: &Path) {
        fn copy(from: &Path, to: &Path) {
            fs::create_dir_all(to).unwrap();
            for entry in fs::read_dir(from).unwrap() {
                let entry = entry.unwrap();
                let to = to.join(entry.file_name());
                if entry.path().is_dir() {
                    copy(&entry.path(), &to);
                } else {
                    fs::copy(entry.path(), &to).unwrap();
                }
            }
        }
        copy(from, &self.module());
    }

    /// Adds one file.
    pub fn add(&self, name: &str, text: &str) {
        fs::write(self.module().join(name), text).unwrap();
    }

    /// Runs terraform with these words.
    pub fn run(&self, words: &[&str]) -> Ran {
        let root = self.root.path();
        let output = Command::new("terraform")
            .args(words)
            .current_dir(self.module())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", root)
            .env("TF_CLI_CONFIG_FILE", root.join("terraformrc"))
            .env("TF_IN_AUTOMATION", "1")
            .env("TF_INPUT", "0")
            .env("AWS_STAND_IN_STORE", root.join("cloud"))
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        Ran { code: output.status.code().unwrap(), text: String::from_utf8(text).unwrap() }
    }

    /// Deletes all objects of a type behind terraform's back.
    pub fn forget(&self, type_: &str) {
        for region in fs::read_dir(self.root.path().join("cloud")).unwrap() {
            let objects = region.unwrap().path().join(type_);
            if objects.is_dir() {
                fs::remove_dir_all(objects).unwrap();
            }
        }
    }

    /// How many objects there are in the cloud.
    pub fn objects(&self) -> usize {
        fn count(path: &Path) -> usize {
            fs::read_dir(path).map_or(0, |entries| {
                entries
                    .map(|entry| entry.unwrap().path())
                    .map(|path| if path.is_dir() { count(&path) } else { 1 })
                    .sum()
            })
        }
        count(&self.root.path().join("cloud"))
    }
}

/// The Terraform files of a blueprint, which has to read without a finding.
pub fn rendered(blueprint: &str) -> BTreeMap<Utf8PathBuf, String> {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("blueprint.yaml", blueprint.to_owned()));
    let loaded = load(id, sources.get(id).unwrap());
    let told: Vec<_> = loaded.findings.iter().map(|finding| &finding.message).collect();
    assert_eq!(told, [""; 0]);
    let files: FileSet = render(&loaded.platform.unwrap(), "blueprint.yaml", &Overrides::new()).unwrap();
    let mut terraform: BTreeMap<_, _> = files
        .into_iter()
        .filter(|(path, _)| path.extension() == Some("tf"))
        .map(|(path, bytes)| (path.file_name().unwrap().into(), String::from_utf8(bytes).unwrap()))
        .collect();
    // The bucket of the state is not to be had here.
    terraform.insert("backend_override.tf".into(), "terraform {\n  backend \"local\" {}\n}\n".to_owned());
    terraform
}

/// The blueprint of this name in the repository.
pub fn blueprint(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    fs::read_to_string(root.join("blueprints").join(name)).unwrap()
}

/// A file that takes off everything that protects data from `terraform destroy`.
pub fn unprotected(files: &BTreeMap<Utf8PathBuf, String>) -> String {
    let mut text = String::new();
    for file in files.values() {
        let mut head = "";
        for line in file.lines() {
            match line.trim() {
                _ if line.starts_with("resource ") => head = line,
                "prevent_destroy = true" => {
                    text.push_str(&format!(
                        "{head}\n  lifecycle {{\n    prevent_destroy = false\n  }}\n}}\n"
                    ));
                }
                trimmed if trimmed.starts_with("deletion_protection ") => {
                    text.push_str(&format!("{head}\n  deletion_protection = false\n}}\n"));
                }
                trimmed if trimmed.starts_with("enable_deletion_protection ") => {
                    text.push_str(&format!("{head}\n  enable_deletion_protection = false\n}}\n"));
                }
                _ => {}
            }
        }
    }
    text
}
