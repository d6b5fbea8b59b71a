//! Passes that are counted and not kept: a run has fifty for each thing it looks at, and most reports show none of them.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hash};
use std::sync::Arc;

use foldhash::quality::FixedState;

use super::{FileId, Finding, Severity, Span, Subject, SubjectKind};

/// How many passes there are of each policy, and on how many subjects. What is said twice in a row of one thing at one place
/// counts once, as in a report that lists them.
///
/// Passes are told apart by hashes, which take a hundredth of the memory. Should two ever collide, a count is one too small;
/// no finding depends on it.
#[derive(Debug, Clone, Default)]
pub struct Passes {
    /// Of each pass what it is of and where, and all of it; as they were said.
    by_policy: BTreeMap<String, Vec<(u64, u64)>>,
    subjects: Vec<u128>,
}

/// A pass with everything that tells it from the others.
#[derive(Debug, Clone, Copy, Hash)]
pub struct Pass<'a> {
    /// The policy's id.
    pub policy: &'a str,
    /// The severity of the rule.
    pub severity: Severity,
    /// The kind, type and address of what it is about.
    pub subject: (SubjectKind, &'a str, &'a str),
    /// Where that stands.
    pub span: Span,
    /// The path to it inside the file.
    pub pointer: &'a str,
    /// The names of the rule's check in other tools.
    pub aliases: &'a Arc<[String]>,
    /// The blueprint node that the subject was generated from.
    pub origin: Option<&'a str>,
}

impl Passes {
    /// Counts a pass.
    pub fn add(&mut self, pass: &Pass<'_>) {
        let mark = (half(&(pass.subject, pass.span), 1), half(pass, 2));
        match self.by_policy.get_mut(pass.policy) {
            Some(marks) => marks.push(mark),
            None => drop(self.by_policy.insert(pass.policy.to_owned(), vec![mark])),
        }
        self.subjects.push(of_subject(pass.span.file, pass.subject));
    }

    /// Counts the passes of others too.
    pub fn extend(&mut self, other: Self) {
        for (policy, marks) in other.by_policy {
            self.by_policy.entry(policy).or_default().extend(marks);
        }
        self.subjects.extend(other.subjects);
    }

    /// Lets go of all passes of a policy, if what else it asks was not judged.
    pub fn forget(&mut self, policy: &str) {
        self.by_policy.remove(policy);
    }

    /// Lets go of what was said twice. Without it the counts are too large.
    pub fn settle(&mut self) {
        for marks in self.by_policy.values_mut() {
            // Stable: what is said of one thing stays in the order in which it was said.
            marks.sort_by_key(|(place, _)| *place);
            marks.dedup();
            marks.shrink_to_fit();
        }
        self.subjects.sort_unstable();
        self.subjects.dedup();
        self.subjects.shrink_to_fit();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_policy.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_policy.is_empty()
    }

    /// How many there are of each policy, by its id.
    pub fn by_policy(&self) -> impl Iterator<Item = (&str, usize)> {
        self.by_policy.iter().map(|(policy, marks)| (policy.as_str(), marks.len()))
    }

    /// How many subjects there are, those of findings included.
    pub fn subjects(&self, findings: &[Finding]) -> usize {
        let of = |finding: &Finding| Some(of_subject(finding.span.file, finding.subject.as_ref()?.parts()));
        let mut others: Vec<u128> = findings
            .iter()
            .filter_map(of)
            .filter(|mark| self.subjects.binary_search(mark).is_err())
            .collect();
        others.sort_unstable();
        others.dedup();
        self.subjects.len() + others.len()
    }
}

impl Subject {
    /// Kind, type and address.
    pub fn parts(&self) -> (SubjectKind, &str, &str) {
        (self.kind, &self.type_, &self.address)
    }
}

fn of_subject(file: FileId, subject: (SubjectKind, &str, &str)) -> u128 {
    mark(&(file, subject))
}

fn mark(what: &impl Hash) -> u128 {
    u128::from(half(what, 1)) << 64 | u128::from(half(what, 2))
}

/// The same on every machine and in every run.
fn half(what: &impl Hash, seed: u64) -> u64 {
    FixedState::with_seed(seed).hash_one(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(address: &str) -> Subject {
        Subject { kind: SubjectKind::Terraform, type_: "aws_vpc".to_owned(), address: address.to_owned() }
    }

    #[test]
    fn what_is_said_twice_counts_once() {
        fn pass<'a>(policy: &'a str, subject: &'a Subject, aliases: &'a Arc<[String]>) -> Pass<'a> {
            let (severity, span) = (Severity::High, Span::default());
            Pass { policy, severity, subject: subject.parts(), span, pointer: "", aliases, origin: None }
        }
        let (one, two, aliases) = (subject("aws_vpc.one"), subject("aws_vpc.two"), Arc::default());
        let (mut passes, mut others) = (Passes::default(), Passes::default());
        passes.add(&pass("A", &one, &aliases));
        passes.add(&pass("A", &two, &aliases));
        others.add(&pass("A", &one, &aliases));
        others.add(&Pass { severity: Severity::Low, ..pass("A", &one, &aliases) });
        others.add(&Pass { pointer: "cidr_block", ..pass("A", &one, &aliases) });
        others.add(&pass("B", &one, &aliases));
        passes.extend(others);
        passes.settle();
        assert_eq!(passes.len(), 5);
        assert_eq!(passes.by_policy().collect::<Vec<_>>(), [("A", 4), ("B", 1)]);
        let mut finding = Finding::fault(super::super::fault::HCL_SYNTAX, Span::default(), "");
        assert_eq!(passes.subjects(&[finding.clone()]), 2);
        finding.subject = Some(two);
        assert_eq!(passes.subjects(&[finding.clone()]), 2);
        finding.subject = Some(subject("aws_vpc.three"));
        assert_eq!(passes.subjects(&[finding.clone(), finding]), 3);
    }
}
