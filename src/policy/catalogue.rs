//! Every policy of a run: the ones inside the binary, and the user's own.

use super::file::Policy;
use super::read;
use crate::source::{FileId, Finding, SourceFile, Sources, did_you_mean, fault, yaml};
use crate::threads;

/// A policy file inside the binary, with what `build.rs` found out about it.
pub(super) struct Embedded {
    /// Below `policies/`, `network/no-world-ingress.yaml`.
    pub(super) path: &'static str,
    /// The whole text.
    text: &'static str,
    /// How much of it is without the examples.
    judging: usize,
    /// Where the record of that part begins and ends.
    record: (usize, usize),
    /// Whether there are rules on blueprints.
    pub(super) blueprint: bool,
    /// The rules on Terraform and on Kubernetes.
    pub(super) sections: [Option<Section>; 2],
}

/// What the rules of a policy on one kind of input look at.
pub(super) struct Section {
    /// Whether they have something to say whatever there is: they look at everything, or say what they lack.
    pub(super) always: bool,
    /// Types of resources without `data.`, or kinds of objects without their groups; sorted.
    pub(super) names: &'static [&'static str],
}

/// Every policy file, by path.
pub(super) static EMBEDDED: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/policies.rs"));

static RECORDS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/policies.bin"));

impl Embedded {
    /// The text without the examples, which judging does not need.
    fn for_judging(&self) -> &'static str {
        self.text.get(..self.judging).unwrap_or(self.text)
    }

    /// Reads it without its examples. `at` is its place among the others.
    fn read(&self, at: usize) -> (Option<Policy>, Vec<Finding>) {
        let file = SourceFile::new(self.path, self.for_judging().to_owned());
        let id = id(at);
        let record = RECORDS.get(self.record.0..self.record.1).unwrap_or_default();
        match yaml::recorded::read(id, &file, record) {
            Some(documents) => read::read_documents(id, &file, documents, domain(self.path)),
            None => read::read(id, &file, domain(self.path)),
        }
    }
}

/// The embedded policy files, path below `policies/` to text, by path. `base.yaml`, the blueprint that examples are
/// merged over, is none.
pub fn embedded() -> Vec<(&'static str, &'static str)> {
    EMBEDDED.iter().map(|file| (file.path, file.text)).collect()
}

/// The blueprint that examples are merged over.
pub(super) fn base_blueprint() -> &'static str {
    include_str!("../../policies/base.yaml")
}

/// Fewer files than this are read before a thread has started.
pub(super) const WORTH_A_THREAD: usize = 16;

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
        Self::of_embedded(|at, file| read_at(at, file.path, file.text))
    }

    /// The policies inside the binary without their examples, which judging does not need and which are most of the text.
    pub fn judging() -> Self {
        Self::of_embedded(|at, file| file.read(at))
    }

    /// The built-in policy of an id, with its examples. Only files whose text has the id are read.
    pub fn one(id: &str) -> Option<Policy> {
        let files = embedded().into_iter().enumerate();
        let mut named =
            files.filter(|(_, (_, text))| memchr::memmem::find(text.as_bytes(), id.as_bytes()).is_some());
        named.find_map(|(at, (path, text))| read_at(at, path, text).0.filter(|policy| policy.id == id))
    }

    fn of_embedded(read: impl Fn(usize, &Embedded) -> (Option<Policy>, Vec<Finding>) + Sync) -> Self {
        let mut catalogue = Self::default();
        let files: Vec<_> = EMBEDDED.iter().enumerate().collect();
        let read = threads::map(&files, WORTH_A_THREAD, |(at, file)| read(*at, file));
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

    /// The same in words, each with the file below `policies/` that it is in.
    pub fn broken(&self) -> Vec<String> {
        let told = |fault: &Finding| {
            let at = usize::try_from(u32::MAX - fault.span.file.0).ok();
            let path = at.and_then(|at| EMBEDDED.get(at)).map_or("", |file| file.path);
            format!("{path}: {}", fault.message)
        };
        self.faults().iter().map(told).collect()
    }
}

/// The embedded file of a place in [`EMBEDDED`], without its examples; `None` if it has a fault.
pub(super) fn read_embedded(at: usize, file: &Embedded) -> Option<Policy> {
    file.read(at).0
}

fn read_at(at: usize, path: &str, text: &str) -> (Option<Policy>, Vec<Finding>) {
    read::read(id(at), &SourceFile::new(path, text.to_owned()), domain(path))
}

/// The spans of embedded files are read by nobody but the tests: a fault in them is not the user's.
fn id(at: usize) -> FileId {
    FileId(u32::MAX - u32::try_from(at).unwrap_or(0))
}

/// The name of the directory a file is in.
fn domain(path: &str) -> &str {
    let mut parts = path.rsplit(['/', '\\']).skip(1);
    parts.next().filter(|name| !name.is_empty()).unwrap_or("custom")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::super::file::Scope;
    use super::*;
    use crate::source::SubjectKind;

    #[test]
    fn a_record_says_what_its_text_says() {
        for (at, file) in EMBEDDED.iter().enumerate() {
            assert_eq!(file.for_judging().len(), file.judging, "{}", file.path);
            let source = SourceFile::new(file.path, file.for_judging().to_owned());
            let record = RECORDS.get(file.record.0..file.record.1).unwrap();
            let heard = yaml::recorded::read(id(at), &source, record).unwrap();
            let read = yaml::read(id(at), &source);
            assert_eq!(heard.documents, read.documents, "{}", file.path);
            assert_eq!(heard.findings, read.findings, "{}", file.path);
            assert!(read.complete, "{}", file.path);
            // The examples are the last key, so that nothing else goes with them.
            let rest = file.text.get(file.judging..).unwrap();
            assert!(rest.starts_with("examples:\n"), "{}", file.path);
            assert!(rest.lines().skip(1).all(|line| line.is_empty() || line.starts_with([' ', '-', '#'])));
        }
    }

    #[test]
    fn what_is_noted_of_a_policy_is_what_its_rules_look_at() {
        for (at, file) in EMBEDDED.iter().enumerate() {
            let policy = read_embedded(at, file).unwrap();
            let of = |kind| policy.rules.iter().filter(move |rule| rule.scope.kind() == kind);
            assert_eq!(file.blueprint, of(SubjectKind::Blueprint).count() > 0, "{}", file.path);
            for (section, kind) in file.sections.iter().zip([SubjectKind::Terraform, SubjectKind::Kubernetes])
            {
                assert_eq!(section.is_some(), of(kind).count() > 0, "{}", file.path);
                let Some(section) = section else { continue };
                let (mut always, mut names) = (false, Vec::new());
                for rule in of(kind) {
                    always |= !rule.needs.is_empty();
                    match &rule.scope {
                        Scope::Terraform(types) => {
                            names.extend(types.iter().map(|name| name.trim_start_matches("data.")));
                        }
                        Scope::Kubernetes(kinds) => {
                            names.extend(kinds.iter().map(|kind| kind.split('.').next().unwrap()));
                        }
                        Scope::Blueprint(_) | Scope::Block(_) | Scope::Workload => always = true,
                    }
                }
                always |= names.contains(&"*");
                names.retain(|name| *name != "*");
                names.sort_unstable();
                names.dedup();
                assert_eq!((section.always, section.names), (always, &names[..]), "{}", file.path);
            }
        }
    }
}
