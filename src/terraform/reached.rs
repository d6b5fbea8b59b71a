//! What a resource refers to beyond its own module: through variables to what the caller gives, through outputs to what a
//! called module takes them from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::evaluate::Evaluator;
use super::instances::Called;
use super::references::{References, Target};
use super::tree::Tree;

/// A variable of a module, or an output of it: what references lead through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way<'a> {
    Variable(&'a str),
    Output(&'a str),
}

pub(super) struct Reached<'a, 'e> {
    tree: &'a Tree,
    references: &'a [References<'a>],
    evaluator: &'e mut Evaluator<'a>,
    /// What variables and outputs lead to, by module; `None` inside while it is looked for.
    known: BTreeMap<(usize, Way<'a>), Option<Vec<Arc<str>>>>,
}

impl<'a, 'e> Reached<'a, 'e> {
    pub(super) fn new(
        tree: &'a Tree,
        references: &'a [References<'a>],
        evaluator: &'e mut Evaluator<'a>,
    ) -> Self {
        Self { tree, references, evaluator, known: BTreeMap::new() }
    }

    /// The addresses of the blocks that a resource refers to.
    pub(super) fn of_resource(&mut self, module: usize, resource: usize) -> Vec<Arc<str>> {
        let targets = self.references_of(module).and_then(|found| found.resources.get(resource));
        self.follow(module, targets.map_or(&[][..], Vec::as_slice))
    }

    /// The addresses of the blocks that the arguments of a call refer to.
    pub(super) fn of_call(&mut self, module: usize, call: &str) -> Vec<Arc<str>> {
        let arguments = self.references_of(module).into_iter().flat_map(|found| &found.arguments);
        let targets: Vec<&[Target<'a>]> =
            arguments.filter(|((name, _), _)| *name == call).map(|(_, targets)| targets.as_slice()).collect();
        targets.into_iter().flat_map(|targets| self.follow(module, targets)).collect()
    }

    fn references_of(&self, module: usize) -> Option<&'a References<'a>> {
        let branch = self.tree.nodes.get(self.evaluator.module(module).node)?;
        self.references.get(branch.directory)
    }

    fn follow(&mut self, module: usize, targets: &[Target<'a>]) -> Vec<Arc<str>> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for target in targets {
            let reached = match *target {
                // Those were replaced by what they refer to.
                Target::Local(_) => Vec::new(),
                Target::Resource(at) => {
                    vec![self.evaluator.address(module, at, &super::instances::Keys::One, 0)]
                }
                Target::Variable(name) => self.way(module, Way::Variable(name)),
                Target::Output(call, output) => {
                    let called = self.evaluator.called(module, call);
                    let modules = match called.as_deref() {
                        Some(Called::Modules(_, modules)) => modules.clone(),
                        _ => Vec::new(),
                    };
                    let mut reached = Vec::new();
                    for module in modules {
                        match output {
                            Some(output) => reached.extend(self.way(module, Way::Output(output))),
                            None => {
                                let all = self
                                    .references_of(module)
                                    .into_iter()
                                    .flat_map(|found| found.outputs.keys());
                                for output in all {
                                    reached.extend(self.way(module, Way::Output(output)));
                                }
                            }
                        }
                    }
                    reached
                }
            };
            found.extend(reached.into_iter().filter(|address| seen.insert(address.clone())));
        }
        found
    }

    fn way(&mut self, module: usize, way: Way<'a>) -> Vec<Arc<str>> {
        match self.known.get(&(module, way)) {
            Some(Some(found)) => return found.clone(),
            Some(None) => return Vec::new(),
            None => {}
        }
        self.known.insert((module, way), None);
        let (from, targets) = match way {
            Way::Variable(name) => match self.evaluator.module(module).site.as_ref() {
                Some(site) => {
                    let (parent, call) = (site.parent, site.name);
                    let references = self.references_of(parent);
                    (parent, references.and_then(|found| found.arguments.get(&(call, name))))
                }
                None => (module, None),
            },
            Way::Output(name) => {
                (module, self.references_of(module).and_then(|found| found.outputs.get(name)))
            }
        };
        let found = self.follow(from, targets.map_or(&[][..], Vec::as_slice));
        self.known.insert((module, way), Some(found.clone()));
        found
    }
}
