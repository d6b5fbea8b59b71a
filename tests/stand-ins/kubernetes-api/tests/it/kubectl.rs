//! `kubectl`, a server and a place of their own for each test.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use camino::Utf8PathBuf;
use nexafi_gen::blueprint;
use nexafi_gen::render::{FileSet, Overrides, render};
use nexafi_gen::source::{SourceFile, Sources};
use stand_in_kubernetes_api::Server;
use tempfile::TempDir;

/// Whether a tool is on `PATH`. Says so if not; where everything has to be tested (`CI=true`) that is a failure.
pub(crate) fn has(tool: &str, question: &str) -> bool {
    if Command::new(tool).args(question.split(' ')).output().is_ok() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no {tool} on PATH");
    println!("skipped: no {tool} on PATH");
    false
}

/// A blueprint of the repository and what it renders to.
pub(crate) struct Rendered {
    /// The blueprint's file name without `.yaml`.
    pub(crate) name: String,
    /// The role of the region that serves.
    pub(crate) home: String,
    /// A cluster for each region.
    pub(crate) clusters: Vec<Cluster>,
    /// What it renders to.
    pub(crate) files: FileSet,
}

/// A cluster of a blueprint.
pub(crate) struct Cluster {
    /// The region's role.
    pub(crate) role: String,
    /// The cluster's name.
    pub(crate) name: String,
    /// Its Kubernetes version.
    pub(crate) version: String,
}

impl Rendered {
    /// The cluster of the region that serves.
    pub(crate) fn home(&self) -> &Cluster {
        self.clusters.iter().find(|cluster| cluster.role == self.home).unwrap()
    }
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../blueprints")
}

/// Does something with every blueprint of the repository, rendered. Each has a thread of its own: most of the time
/// `kubectl` paces itself.
pub(crate) fn each_blueprint(of: impl Fn(&Rendered) + Sync) {
    let mut paths: Vec<PathBuf> = walkdir::WalkDir::new(directory())
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "there are no blueprints");
    std::thread::scope(|scope| {
        let running: Vec<_> = paths.iter().map(|path| scope.spawn(|| of(&rendered(path)))).collect();
        for one in running {
            if let Err(failed) = one.join() {
                std::panic::resume_unwind(failed);
            }
        }
    });
}

/// One of them.
pub(crate) fn blueprint(name: &str) -> Rendered {
    rendered(&directory().join(name).with_extension("yaml"))
}

fn rendered(path: &Path) -> Rendered {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("blueprint.yaml", std::fs::read_to_string(path).unwrap()));
    let loaded = blueprint::load(id, sources.get(id).unwrap());
    let platform = loaded.platform.unwrap_or_else(|| panic!("{}: {:?}", path.display(), loaded.findings));
    let files = render(&platform, "blueprint.yaml", &Overrides::new()).unwrap();
    let platform = serde_json::to_value(&platform).unwrap();
    let regions = platform["plan"]["regions"].as_object().unwrap();
    let clusters = regions
        .iter()
        .map(|(role, region)| Cluster {
            role: role.clone(),
            name: region["clusterName"].as_str().unwrap().to_owned(),
            version: platform["regions"][role]["cluster"]["version"].as_str().unwrap().to_owned(),
        })
        .collect();
    let home = platform["plan"]["home"].as_str().unwrap().to_owned();
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    Rendered { name, home, clusters, files }
}

/// A cluster, a `kubectl` that knows only that cluster, and a directory.
pub(crate) struct Bench {
    /// The cluster.
    pub(crate) server: Server,
    directory: TempDir,
}

impl Bench {
    /// An empty cluster of a version.
    pub(crate) fn new(version: &str) -> Self {
        let bench = Self { server: Server::start(version).unwrap(), directory: tempfile::tempdir().unwrap() };
        bench.write("kubeconfig", &bench.server.kubeconfig("stand-in"));
        bench
    }

    /// A cluster for a blueprint, with its files in the directory.
    pub(crate) fn of(rendered: &Rendered) -> Self {
        let bench = Self::new(&rendered.home().version);
        bench.write_files(&rendered.files);
        bench
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn write_files(&self, files: &FileSet) {
        for (path, bytes) in files {
            let path: &Utf8PathBuf = path;
            self.write(path.as_str(), std::str::from_utf8(bytes).unwrap());
        }
    }

    /// A command that runs in the directory and finds nothing of this machine's but the tools.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path())
            .env("KUBECONFIG", self.path().join("kubeconfig"))
            .env("KUBECACHEDIR", self.path().join("cache"));
        command
    }

    /// Runs `kubectl`.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Ran {
        Ran::new(self.command("kubectl").args(arguments).output().unwrap())
    }

    /// `kubectl apply` of a manifest.
    pub(crate) fn apply(&self, manifest: &str) -> Ran {
        self.write("manifest.yaml", manifest);
        self.kubectl(&["apply", "--filename", "manifest.yaml"])
    }
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its exit status.
    pub(crate) code: i32,
    /// What it printed.
    pub(crate) out: String,
    /// What it complained about.
    pub(crate) err: String,
}

impl Ran {
    /// Of a finished command.
    pub(crate) fn new(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Fails the test unless the command succeeded.
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self
    }

    /// Fails the test unless the command was refused with these words.
    pub(crate) fn refused(&self, words: &str) {
        assert_ne!(self.code, 0, "accepted: {}", self.out);
        assert!(self.err.contains(words), "refused, but not for `{words}`:\n{}", self.err);
    }

    /// What it printed, a line each.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.out.lines().collect()
    }
}
