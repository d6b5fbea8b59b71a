//! The built-in policies, each read when an input is there that it may have something to say of.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::catalogue::{WORTH_A_THREAD, embedded, read_embedded, without_examples};
use super::evaluate::present;
use super::file::Policy;
use super::world::World;
use crate::source::SubjectKind;
use crate::threads;

/// The built-in policies without their examples. Reading them all takes longer than judging a small file by the few that
/// concern it.
#[derive(Debug)]
pub struct Shelf {
    volumes: Vec<Volume>,
    /// Whether it was asked before: then it is worth the time to note the words of each text.
    asked: AtomicBool,
}

#[derive(Debug)]
struct Volume {
    path: &'static str,
    /// Without its examples.
    text: &'static str,
    noted: OnceLock<Noted>,
    /// `None` inside for a file with a fault; a test holds that there is none.
    policy: OnceLock<Option<Policy>>,
}

impl Default for Shelf {
    fn default() -> Self {
        let volume = |(path, text)| Volume {
            path,
            text: without_examples(text),
            noted: OnceLock::new(),
            policy: OnceLock::new(),
        };
        Self { volumes: embedded().into_iter().map(volume).collect(), asked: AtomicBool::new(false) }
    }
}

impl Shelf {
    /// Every policy that can have a verdict on these inputs or lacks another kind of input for one, by id.
    pub fn concerning(&self, world: &World<'_>) -> Vec<&Policy> {
        let present = Present::of(world);
        let again = self.asked.swap(true, Ordering::Relaxed);
        let concerns = |volume: &Volume| {
            if again {
                volume.noted.get_or_init(|| Noted::of(volume.text)).concerns(&present)
            } else {
                present.concerns(volume.text)
            }
        };
        let concerning: Vec<(usize, &Volume)> =
            self.volumes.iter().enumerate().filter(|(_, volume)| concerns(volume)).collect();
        let read = threads::map(&concerning, WORTH_A_THREAD, |(at, volume)| {
            volume.policy.get_or_init(|| read_embedded(*at, volume.path, volume.text)).as_ref()
        });
        let mut policies: Vec<&Policy> = read.into_iter().flatten().collect();
        policies.sort_by(|left, right| left.id.cmp(&right.id));
        policies
    }
}

/// What there is to judge.
struct Present<'w> {
    blueprint: bool,
    /// The types of resources, if there is a module.
    types: Option<BTreeSet<&'w str>>,
    /// The kinds of objects, if there are some.
    kinds: Option<BTreeSet<&'w str>>,
}

impl<'w> Present<'w> {
    fn of(world: &World<'w>) -> Self {
        Self {
            blueprint: present(world, SubjectKind::Blueprint),
            types: world
                .module
                .map(|module| module.resources.iter().map(|resource| &*resource.type_).collect()),
            // Of manifests that could not all be read nobody knows the kinds, but that there are some.
            kinds: present(world, SubjectKind::Kubernetes)
                .then(|| world.objects.iter().map(|object| &*object.kind).collect()),
        }
    }

    /// Whether a policy may concern it, by the words of its text. The text is not read as YAML here, so a word that stands
    /// anywhere in the rules counts: what does not concern it may be taken, what does is never left out.
    fn concerns(&self, text: &str) -> bool {
        if self.blueprint && find(text, "\n  blueprint:").is_some() {
            return true;
        }
        SECTIONS.into_iter().zip([&self.types, &self.kinds]).any(|((section, always), present)| {
            let (Some(present), Some(rules)) = (present, rules(text, section)) else { return false };
            always.into_iter().any(|word| find(rules, word).is_some())
                || words(rules).any(|word| present.contains(word))
        })
    }
}

/// Where rules about resources and about objects begin, and the words by which they concern any of them: blocks that are no
/// resources, every type of resource, everything with a pod, and rules that say what they lack.
const SECTIONS: [(&str, [&str; 4]); 2] = [
    ("\n  terraform:", ["block:", "\"*\"", "'*'", "needs:"]),
    ("\n  kubernetes:", ["workload:", "\"*\"", "'*'", "needs:"]),
];

/// What [`Present::concerns`] looks for in a text, found once.
#[derive(Debug)]
struct Noted {
    blueprint: bool,
    /// Of each section that there is: whether it concerns anything of its kind, and its words, sorted.
    sections: [Option<(bool, Vec<&'static str>)>; 2],
}

impl Noted {
    fn of(text: &'static str) -> Self {
        let sections = SECTIONS.map(|(section, always)| {
            let rules = rules(text, section)?;
            let mut words: Vec<&str> = words(rules).collect();
            words.sort_unstable();
            words.dedup();
            Some((always.into_iter().any(|word| find(rules, word).is_some()), words))
        });
        Self { blueprint: find(text, "\n  blueprint:").is_some(), sections }
    }

    fn concerns(&self, present: &Present<'_>) -> bool {
        if present.blueprint && self.blueprint {
            return true;
        }
        self.sections.iter().zip([&present.types, &present.kinds]).any(|(section, present)| {
            let (Some((always, words)), Some(present)) = (section, present) else { return false };
            *always || present.iter().any(|word| words.binary_search(word).is_ok())
        })
    }
}

/// The text from where a section begins.
fn rules<'t>(text: &'t str, section: &str) -> Option<&'t str> {
    find(text, section).and_then(|at| text.get(at..))
}

/// Where a word stands in a text.
fn find(text: &str, word: &str) -> Option<usize> {
    memchr::memmem::find(text.as_bytes(), word.as_bytes())
}

/// What may be the name of a type or a kind: letters and digits with an underscore or a capital among them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| word.bytes().any(|byte| byte == b'_' || byte.is_ascii_uppercase()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::super::file::Scope;
    use super::super::selftest::with_world;
    use super::*;
    use crate::policy::Catalogue;

    #[test]
    fn whatever_has_a_verdict_is_taken_from_the_shelf() {
        let shelf = Shelf::default();
        let catalogue = Catalogue::builtin();
        let mut judged = 0;
        for policy in catalogue.policies() {
            for example in &policy.examples {
                with_world(example, &mut |_, _| {}, |world| {
                    let present = Present::of(world);
                    for volume in &shelf.volumes {
                        let noted = volume.noted.get_or_init(|| Noted::of(volume.text)).concerns(&present);
                        assert_eq!(noted, present.concerns(volume.text), "{}", volume.path);
                    }
                    let taken: Vec<&str> =
                        shelf.concerning(world).iter().map(|policy| policy.id.as_str()).collect();
                    let all: Vec<&Policy> = catalogue.policies().iter().collect();
                    let evaluation = crate::policy::evaluate(&all, world);
                    for verdict in &evaluation.verdicts {
                        assert!(taken.contains(&verdict.finding.code.as_str()), "{}", verdict.finding.code);
                        judged += 1;
                    }
                    for skipped in &evaluation.skipped {
                        assert!(taken.contains(&skipped.policy.as_str()), "{}", skipped.policy);
                    }
                });
            }
        }
        assert!(judged > 1000, "{judged}");
    }

    #[test]
    fn what_concerns_nobody_stays_where_it_is() {
        let sources = crate::source::Sources::default();
        let shelf = Shelf::default();
        assert!(shelf.concerning(&World::new(&sources)).is_empty());

        // Manifests nobody could read concern those that would judge them together with something else.
        let world = World { unread: Some("a chart"), ..World::new(&sources) };
        let catalogue = Catalogue::judging();
        let all: Vec<&Policy> = catalogue.policies().iter().collect();
        let skipped = crate::policy::evaluate(&all, &world).skipped;
        let taken: Vec<&str> = shelf.concerning(&world).iter().map(|policy| policy.id.as_str()).collect();
        assert!(!skipped.is_empty());
        assert!(skipped.iter().all(|skipped| taken.contains(&skipped.policy.as_str())), "{skipped:?}");
    }

    #[test]
    fn every_type_a_rule_names_is_a_word_of_its_text() {
        for (at, (path, text)) in embedded().into_iter().enumerate() {
            let policy = read_embedded(at, path, text).unwrap();
            for rule in &policy.rules {
                let Scope::Terraform(types) = &rule.scope else { continue };
                for type_ in types.iter().filter(|type_| *type_ != "*") {
                    let word = type_.trim_start_matches("data.");
                    assert!(
                        text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                            .any(|found| found == word),
                        "{path}: {type_}"
                    );
                }
            }
        }
    }
}
