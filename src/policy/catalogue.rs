//! Every policy of a run: the ones inside the binary, and the user's own.

use include_dir::{Dir, include_dir};

use super::file::Policy;
use super::read;
use crate::source::{FileId, Finding, SourceFile, Sources, did_you_mean, fault};
use crate::threads;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/policies");

/// The embedded policy files, path below `policies/` to text, by path. `base.yaml`, the blueprint that examples are
/// merged over, is none.
pub fn embedded() -> Vec<(&'static str, &'static str)> {
    let mut files = Vec::new();
    let mut directories = vec![&EMBEDDED];
    while let Some(directory) = directories.pop() {
        directories.extend(directory.dirs());
        for file in directory.files() {
            let path = file.path().to_str().unwrap_or("");
            let is_yaml = file.path().extension().is_some_and(|extension| extension == "yaml");
            if let Some(text) = file.contents_utf8().filter(|_| is_yaml && path.contains('/')) {
                files.push((path, text));
            }
        }
    }
    files.sort_unstable();
    files
}

/// The blueprint that examples are merged over.
pub(super) fn base_blueprint() -> Option<&'static str> {
    EMBEDDED.get_file("base.yaml")?.contents_utf8()
}

/// Fewer files than this are read before a thread has started.
pub(super) const WORTH_A_THREAD: usize = 16;

/// Where the examples of an embedded policy begin; they are the last key of its file, as a test holds.
const EXAMPLES: &str = "\nexamples:\n";

/// The policies of a run, ids unique, in the order of their ids.
#[derive(Debug, Default)]
pub struct Catalogue {
    policies: Vec<Policy>,
    /// Faults of embedded files: ours, and a test holds that there are none.
    embedded_faults: Vec<Finding>,
}

impl Catalogue {
    /// The policies inside the binary, with their examples. Their expressions are compiled when an input needs them.
    pub fn builtin() -> Self {
        Self::of_embedded(|text| text)
    }

    /// The policies inside the binary without their examples, which judging does not need and which are most of the text.
    pub fn judging() -> Self {
        Self::of_embedded(without_examples)
    }

    /// The built-in policy of an id, with its examples. Only files whose text has the id are read.
    pub fn one(id: &str) -> Option<Policy> {
        let files = embedded().into_iter().enumerate();
        let mut named =
            files.filter(|(_, (_, text))| memchr::memmem::find(text.as_bytes(), id.as_bytes()).is_some());
        named.find_map(|(at, (path, text))| read_at(at, path, text).0.filter(|policy| policy.id == id))
    }

    fn of_embedded(part: impl Fn(&'static str) -> &'static str + Sync) -> Self {
        let mut catalogue = Self::default();
        let files: Vec<_> = embedded().into_iter().enumerate().collect();
        let read = threads::map(&files, WORTH_A_THREAD, |(at, (path, text))| read_at(*at, path, part(text)));
        for (policy, findings) in read {
            catalogue.embedded_faults.extend(findings);
            if let Some(policy) = policy
                && let Err(taken) = catalogue.insert(policy)
            {
                catalogue.embedded_faults.push(*taken);
            }
        }
        catalogue.policies.sort_by(|left, right| left.id.cmp(&right.id));
        catalogue
    }

    /// Adds the user's policy files; the directory a file is in is its domain. Every fault is returned at its place,
    /// those of expressions too; a faulty policy is not added.
    pub fn add(&mut self, sources: &Sources, files: &[FileId]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for id in files {
            let Some(file) = sources.get(*id) else { continue };
            let (policy, mut found) = read::read(*id, file, domain(file.path().as_str()));
            if let Some(policy) = &policy {
                found.extend(read::check(policy));
            }
            let sound = found.is_empty();
            findings.extend(found);
            if let Some(policy) = policy.filter(|_| sound)
                && let Err(taken) = self.insert(policy)
            {
                findings.push(*taken);
            }
        }
        self.policies.sort_by(|left, right| left.id.cmp(&right.id));
        findings
    }

    fn insert(&mut self, policy: Policy) -> Result<(), Box<Finding>> {
        if self.get(&policy.id).is_some() {
            let message = format!("there is another policy `{}`", policy.id);
            let taken = Finding::fault(fault::POLICY_FILE, policy.span, message)
                .pointer("id")
                .label("taken")
                .help("ids are unique and never reused; take the next free number");
            return Err(Box::new(taken));
        }
        self.policies.push(policy);
        Ok(())
    }

    /// Every policy, by id.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The policy of an id.
    pub fn get(&self, id: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.id == id)
    }

    /// The id closest to a mistyped one.
    pub fn closest(&self, id: &str) -> Option<&str> {
        did_you_mean(id, self.policies.iter().map(|policy| policy.id.as_str()))
    }

    /// What is wrong with the embedded files, their expressions included. A test holds that it is nothing.
    pub fn faults(&self) -> Vec<Finding> {
        let expressions = self.policies.iter().flat_map(read::check);
        self.embedded_faults.iter().cloned().chain(expressions).collect()
    }
}

/// The embedded file of a place in [`embedded`], without its examples; `None` if it has a fault.
pub(super) fn read_embedded(at: usize, path: &str, text: &str) -> Option<Policy> {
    read_at(at, path, without_examples(text)).0
}

fn read_at(at: usize, path: &str, text: &str) -> (Option<Policy>, Vec<Finding>) {
    // Their spans are read by nobody but the tests: a fault in them is not the user's.
    let id = FileId(u32::MAX - u32::try_from(at).unwrap_or(0));
    read::read(id, &SourceFile::new(path, text.to_owned()), domain(path))
}

pub(super) fn without_examples(text: &str) -> &str {
    let at = memchr::memmem::find(text.as_bytes(), EXAMPLES.as_bytes());
    at.and_then(|at| text.get(..=at)).unwrap_or(text)
}

/// The name of the directory a file is in.
fn domain(path: &str) -> &str {
    let mut parts = path.rsplit(['/', '\\']).skip(1);
    parts.next().filter(|name| !name.is_empty()).unwrap_or("custom")
}
