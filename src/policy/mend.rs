//! Mends findings in the text of a blueprint by what their policies know to write instead.
//!
//! Nothing is taken on trust: after each fix the new text is judged, and the fix stays only if its finding is gone and
//! no other has come. A fix that makes another rule look closer (flow logs that are switched on, and then record too
//! little) brings that rule's fix along.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::source::edit::{self, Refusal};
use crate::source::{Finding, Fix, Verdict};

/// Fixes that one fix may bring along.
const CHAIN: usize = 8;

/// A blueprint after mending.
#[derive(Debug)]
pub struct Mended {
    /// The new text.
    pub text: String,
    /// Findings that are gone.
    pub fixed: Vec<Fixed>,
    /// Findings that stand in the new text.
    pub left: Vec<Left>,
}

/// A finding that is gone.
#[derive(Debug, Clone)]
pub struct Fixed {
    /// As it was in the old text.
    pub finding: Finding,
    /// What was written.
    pub by: Vec<Setting>,
}

/// A path of keys and the value that was set there.
pub type Setting = (Vec<String>, serde_json::Value);

/// A finding that stands.
#[derive(Debug)]
pub struct Left {
    /// As it is in the new text.
    pub finding: Finding,
    /// Why.
    pub why: Why,
}

/// Why a finding was not mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Its policy knows no fix.
    NoFix,
    /// Somebody has to decide, for this is what the fix does to a platform that is running.
    Unsafe(Arc<str>),
    /// The text leaves no place for the change.
    Refused(Refusal),
    /// The fix was tried and changed nothing about it.
    Stays,
    /// The fix was tried and brought these findings.
    Brings(Vec<String>),
}

/// Mends what can be mended. `judge` says what is wrong with a text: everything that is open, input faults too.
/// Fixes that somebody has to decide on are made only if `allow_unsafe`.
pub fn mend(text: &str, allow_unsafe: bool, judge: &mut dyn FnMut(&str) -> Vec<Finding>) -> Mended {
    let open = judge(text);
    let mut run = Run { text: text.to_owned(), open, allow_unsafe, judge };
    let mut fixed = Vec::new();
    let mut tried: BTreeMap<Identity, Why> = BTreeMap::new();
    let mut progress = false;
    loop {
        let next = run.open.iter().find(|finding| !tried.contains_key(&identity(finding))).cloned();
        match next {
            Some(finding) => match run.attempt(&finding) {
                Ok(gone) => {
                    fixed.extend(gone);
                    progress = true;
                }
                Err(why) => {
                    tried.insert(identity(&finding), why);
                }
            },
            // What was in the way of a fix may be gone; each pass leaves fewer findings, so this ends.
            None if progress => {
                progress = false;
                tried.clear();
            }
            None => break,
        }
    }
    let why = |finding: &Finding| tried.get(&identity(finding)).cloned().unwrap_or(Why::NoFix);
    let left = run.open.iter().map(|finding| Left { why: why(finding), finding: finding.clone() }).collect();
    Mended { text: run.text, fixed, left }
}

struct Run<'j> {
    text: String,
    open: Vec<Finding>,
    allow_unsafe: bool,
    judge: &'j mut dyn FnMut(&str) -> Vec<Finding>,
}

impl Run<'_> {
    /// Mends one finding; `text` and `open` change only if that holds.
    fn attempt(&mut self, finding: &Finding) -> Result<Vec<Fixed>, Why> {
        let before = counts(&self.open);
        let mut text = self.text.clone();
        let mut by = Vec::new();
        let mut fix = self.permitted(finding)?;
        let mut seen = BTreeSet::from([identity(finding)]);
        let mut brought = BTreeSet::new();
        let stays = |brought: BTreeSet<String>| {
            if brought.is_empty() { Why::Stays } else { Why::Brings(brought.into_iter().collect()) }
        };
        for _ in 0..CHAIN {
            if !write(&mut text, &fix, &mut by).map_err(Why::Refused)? {
                return Err(stays(brought));
            }
            let open = (self.judge)(&text);
            let after = counts(&open);
            let more = |found: &&Finding| more(&before, &after, &identity(found));
            let new: Vec<&Finding> = open.iter().filter(more).collect();
            let Some(first) = new.first() else {
                if after.get(&identity(finding)) >= before.get(&identity(finding)) {
                    return Err(stays(brought));
                }
                return Ok(self.take(text, open, &by));
            };
            brought.extend(new.iter().map(|finding| finding.code.clone()));
            if !seen.insert(identity(first)) {
                return Err(stays(brought));
            }
            let Ok(next) = self.permitted(first) else { return Err(stays(brought)) };
            fix = next;
        }
        Err(stays(brought))
    }

    /// Takes a text over; says what is gone.
    fn take(&mut self, text: String, open: Vec<Finding>, by: &[Setting]) -> Vec<Fixed> {
        let mut still = counts(&open);
        let mut gone = Vec::new();
        for finding in std::mem::replace(&mut self.open, open) {
            match still.get_mut(&identity(&finding)) {
                Some(count) if *count > 0 => *count -= 1,
                _ => gone.push(Fixed { finding, by: by.to_vec() }),
            }
        }
        self.text = text;
        gone
    }

    fn permitted(&self, finding: &Finding) -> Result<Arc<Fix>, Why> {
        let fix = finding.fix.as_ref().filter(|_| finding.verdict == Verdict::Fail).ok_or(Why::NoFix)?;
        match &fix.unsafe_because {
            Some(because) if !self.allow_unsafe => Err(Why::Unsafe(Arc::clone(because))),
            _ => Ok(Arc::clone(fix)),
        }
    }
}

/// Makes a fix; whether it changed anything.
fn write(text: &mut String, fix: &Fix, by: &mut Vec<Setting>) -> Result<bool, Refusal> {
    let mut changed = false;
    for (path, value) in &fix.set {
        let keys: Vec<&str> = path.iter().map(String::as_str).collect();
        if let Some(new) = edit::set(text, &keys, value)? {
            *text = new;
            by.push((path.clone(), value.clone()));
            changed = true;
        }
    }
    Ok(changed)
}

/// What makes a finding the same finding in an edited text. A fault of the input is told apart by its message too.
type Identity = (String, String, String, String);

fn identity(finding: &Finding) -> Identity {
    let address = finding.subject.as_ref().map(|subject| subject.address.clone());
    let words = if address.is_some() { String::new() } else { finding.message.clone() };
    (finding.code.clone(), address.unwrap_or_default(), finding.pointer.clone(), words)
}

fn counts(open: &[Finding]) -> BTreeMap<Identity, usize> {
    let mut counts = BTreeMap::new();
    for finding in open {
        *counts.entry(identity(finding)).or_insert(0) += 1;
    }
    counts
}

fn more(before: &BTreeMap<Identity, usize>, after: &BTreeMap<Identity, usize>, which: &Identity) -> bool {
    after.get(which) > before.get(which)
}
