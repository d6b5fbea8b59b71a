//! The built-in policies, each read when an input is there that it may have something to say of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::catalogue::{EMBEDDED, WORTH_A_THREAD, read_embedded};
use super::evaluate::present;
use super::file::{Policy, Rule};
use super::world::World;
use crate::source::SubjectKind;
use crate::threads;

/// The built-in policies without their examples. Reading them all takes longer than judging a small file by the few that
/// concern it.
#[derive(Debug)]
pub struct Shelf {
    /// In the places of their files; `None` inside for a file with a fault, and a test holds that there is none.
    policies: Vec<OnceLock<Option<Policy>>>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { policies: EMBEDDED.iter().map(|_| OnceLock::new()).collect() }
    }
}

impl Shelf {
    /// Reads and compiles what can judge resources and data sources of these types, before they are there to be judged.
    pub fn expect(&self, types: &BTreeSet<&str>) {
        let [(always, by_name), _] = &index().sections;
        let mut expected: BTreeSet<usize> = always.iter().copied().collect();
        expected.extend(types.iter().filter_map(|name| by_name.get(name)).flatten());
        let expected: Vec<usize> = expected.into_iter().collect();
        threads::map(&expected, WORTH_A_THREAD, |at| {
            if let Some(policy) = self.read(*at) {
                policy.rules.iter().filter(|rule| rule.looks_at(types)).for_each(Rule::prepare);
            }
        });
    }

    fn read(&self, at: usize) -> Option<&Policy> {
        let (policy, file) = (self.policies.get(at)?, EMBEDDED.get(at)?);
        policy.get_or_init(|| read_embedded(at, file)).as_ref()
    }

    /// Every policy that can have a verdict on these inputs or lacks another kind of input for one, by id.
    pub fn concerning(&self, world: &World<'_>) -> Vec<&Policy> {
        let concerning: Vec<usize> = concerning(world).into_iter().collect();
        let read = threads::map(&concerning, WORTH_A_THREAD, |at| self.read(*at));
        let mut policies: Vec<&Policy> = read.into_iter().flatten().collect();
        policies.sort_by(|left, right| left.id.cmp(&right.id));
        policies
    }
}

/// The places of the policies that concern some inputs.
fn concerning(world: &World<'_>) -> BTreeSet<usize> {
    // What there is to judge: the types of resources, and the kinds of objects.
    let types = world.module.map(|module| module.resources.iter().map(|resource| &*resource.type_).collect());
    // Of manifests that could not all be read nobody knows the kinds, but that there are some.
    let kinds = present(world, SubjectKind::Kubernetes)
        .then(|| world.objects.iter().map(|object| &*object.kind).collect());
    let there: [Option<BTreeSet<&str>>; 2] = [types, kinds];
    let index = index();
    let mut places = BTreeSet::new();
    if present(world, SubjectKind::Blueprint) {
        places.extend(&index.blueprint);
    }
    for ((always, by_name), there) in index.sections.iter().zip(&there) {
        let Some(there) = there else { continue };
        places.extend(always);
        places.extend(there.iter().filter_map(|name| by_name.get(name)).flatten());
    }
    places
}

/// Places of policies by a type of resource or a kind of object.
type ByName = BTreeMap<&'static str, Vec<usize>>;

/// The places of policies by what their rules look at.
#[derive(Default)]
struct Index {
    blueprint: Vec<usize>,
    /// Of Terraform and of Kubernetes: those that have something to say whatever there is, and the others by name.
    sections: [(Vec<usize>, ByName); 2],
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = Index::default();
        for (at, file) in EMBEDDED.iter().enumerate() {
            if file.blueprint {
                index.blueprint.push(at);
            }
            for (section, (always, by_name)) in file.sections.iter().zip(&mut index.sections) {
                let Some(section) = section else { continue };
                if section.always {
                    always.push(at);
                }
                for name in section.names {
                    by_name.entry(name).or_default().push(at);
                }
            }
        }
        index
    })
}

#[cfg(test)]
mod tests {
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
}
