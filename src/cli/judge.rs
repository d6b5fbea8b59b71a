//! The policies of a run: which there are, which of them are applied, and what they say of one world.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use camino::Utf8PathBuf;

use crate::kubernetes::schema::Custom;
use crate::policy::{self, Catalogue, Policy, Shelf, Skipped, World, facts};
use crate::report::{ControlRow, Report, controls};
use crate::source::{Finding, Passes, Sources, SubjectKind};

use super::args::{Checks, Chosen};
use super::choose::{Choice, Known, choose};
use super::inputs::{policy_files, schema_files};
use super::reading::read_file;
use super::{Error, Output, Surroundings};

/// The policies of a run and what they judge by.
#[derive(Debug)]
pub(super) struct Judge {
    /// Every policy, and which of them are applied.
    judging: OnceLock<(Catalogue, Choice)>,
    /// The built-in policies, if nothing is chosen of them: then only those that concern an input are read.
    shelf: Option<Shelf>,
    pub(super) at: Option<jiff::civil::Date>,
    noted: Mutex<Noted>,
    /// Schemas of custom resources.
    pub(super) custom: Custom,
    /// Whether somebody wants to see what passed; else it is counted.
    pub(super) passes: bool,
}

/// What a reader may want to know of how the verdicts came about.
#[derive(Debug, Default)]
struct Noted {
    /// Rules that were not evaluated, and for want of what.
    skipped: BTreeSet<String>,
    /// Tables of facts that took part.
    facts: BTreeSet<&'static str>,
}

impl Judge {
    /// The built-in policies and those of `--policies`, less what the flags leave out. Faults of users' policies are
    /// findings; their files are added to `sources`.
    pub(super) fn new(
        checks: &Checks,
        surroundings: &Surroundings,
        sources: &mut Sources,
    ) -> Result<(Self, Vec<Finding>), Error> {
        let (custom, mut faults) = custom(&checks.crd_schema, surroundings, sources)?;
        let at = checks.at.or(surroundings.today);
        let passes = checks.all;
        if checks.chosen == Chosen::default() {
            let (judging, shelf) = (OnceLock::new(), Some(Shelf::default()));
            return Ok((Self { judging, shelf, at, noted: Mutex::default(), custom, passes }, faults));
        }
        let (catalogue, findings) =
            catalogue(Catalogue::judging(), &checks.chosen.policies, surroundings, sources)?;
        let known: Vec<Known<'_>> = catalogue.policies().iter().map(known).collect();
        let choice = choose(&known, &checks.chosen)?;
        drop(known);
        faults.extend(findings);
        let judging = OnceLock::from((catalogue, choice));
        Ok((Self { judging, shelf: None, at, noted: Mutex::default(), custom, passes }, faults))
    }

    fn judging(&self) -> &(Catalogue, Choice) {
        self.judging.get_or_init(|| {
            let catalogue = Catalogue::judging();
            let choice = Choice { applies: vec![true; catalogue.policies().len()], ..Choice::default() };
            (catalogue, choice)
        })
    }

    /// Every policy of the run, applied or not.
    pub(super) fn catalogue(&self) -> &Catalogue {
        &self.judging().0
    }

    fn choice(&self) -> &Choice {
        &self.judging().1
    }

    /// What a waiver can name, if that is more than the built-in policies.
    pub(super) fn named(&self) -> Option<&Catalogue> {
        self.shelf.is_none().then(|| self.catalogue())
    }

    /// Whether `--ignore` names a fault of the input.
    pub(super) fn ignores(&self, code: &str) -> bool {
        self.shelf.is_none() && self.choice().ignored_faults.contains(code)
    }

    /// Says on which rules nothing was said, and which tables of facts are older than a year.
    pub(super) fn remark(&self, output: &mut Output<'_>) {
        let noted = self.noted();
        for skipped in &noted.skipped {
            output.detail(skipped);
        }
        let Some(at) = self.at else { return };
        for facts in
            noted.facts.iter().filter_map(|name| facts::table(name)).filter(|facts| facts.is_stale(at))
        {
            let read = facts.read.map(|date| date.to_string()).unwrap_or_default();
            output.warn(&format!(
                "the table of facts `{}` was last compared with its source on {read}, more than a year before {at}: \
                 verdicts may rest on what is no longer so; take a newer version of this tool",
                facts.name
            ));
        }
    }

    /// What was noted so far. A thread that panicked has ended the run.
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The controls of the frameworks that `--framework` names, with what became of them.
    pub(super) fn controls(&self, checks: &Checks, report: &Report<'_>) -> Option<Vec<ControlRow>> {
        (!checks.chosen.framework.is_empty())
            .then(|| controls(&checks.chosen.framework, self.applied(), report.verdicts(), &report.passes))
    }

    /// The tables of facts that took part so far.
    pub(super) fn facts(&self) -> BTreeSet<&'static str> {
        self.noted().facts.clone()
    }

    /// The policies that are applied.
    pub(super) fn applied(&self) -> impl Iterator<Item = &Policy> {
        let policies = self.catalogue().policies().iter().zip(&self.choice().applies);
        policies.filter(|(_, applies)| **applies).map(|(policy, _)| policy)
    }

    /// Makes ready what judges resources of these types, while nobody waits for it.
    pub(super) fn expect(&self, types: &BTreeSet<&str>) {
        if let Some(shelf) = &self.shelf {
            shelf.expect(types);
        }
    }

    /// Evaluates the policies.
    pub(super) fn evaluate(&self, world: &World<'_>) -> Said {
        let (chosen, left_out): (Vec<&Policy>, Vec<&Policy>) = match &self.shelf {
            Some(shelf) => (shelf.concerning(world), Vec::new()),
            None => {
                let all = self.catalogue().policies().iter().zip(&self.choice().applies);
                let left_out = all.filter(|(_, applies)| !**applies).map(|(policy, _)| policy).collect();
                (self.applied().collect(), left_out)
            }
        };
        let evaluation = policy::evaluate(&chosen, &World { left_out: &left_out, ..*world });
        let mut noted = self.noted();
        noted.facts.extend(evaluation.facts);
        noted.skipped.extend(evaluation.skipped.iter().map(unsaid));
        let verdicts = evaluation.verdicts.into_iter().map(|evaluated| evaluated.finding);
        Said {
            verdicts: verdicts.chain(evaluation.faults).collect(),
            passes: evaluation.passes,
            skipped: evaluation.skipped.into_iter().map(|skipped| skipped.policy).collect(),
        }
    }
}

/// What the policies say of one world.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) verdicts: Vec<Finding>,
    /// What passed, where passes are only counted.
    pub(super) passes: Passes,
    /// Policies of which a rule lacks an input.
    pub(super) skipped: BTreeSet<String>,
}

impl Said {
    /// Adds what is said of another world.
    pub(super) fn extend(&mut self, other: Self) {
        self.verdicts.extend(other.verdicts);
        self.passes.extend(other.passes);
        self.skipped.extend(other.skipped);
    }
}

/// The schemas of custom resources below some directories, and faults of these files.
fn custom(
    directories: &[Utf8PathBuf],
    surroundings: &Surroundings,
    sources: &mut Sources,
) -> Result<(Custom, Vec<Finding>), Error> {
    let (mut custom, mut faults) = (Custom::default(), Vec::new());
    for directory in directories {
        let mut count = 0;
        for path in schema_files(directory, surroundings)? {
            let file = read_file(&path, surroundings)?;
            if !["CustomResourceDefinition", "\"properties\""].iter().any(|word| file.text().contains(word)) {
                continue;
            }
            let id = sources.add(file);
            let Some(file) = sources.get(id) else { continue };
            let (added, findings) = custom.add(id, file);
            count += added;
            faults.extend(findings);
        }
        if count == 0 && faults.is_empty() {
            return Err(Error::Input {
                path: directory.clone(),
                message: "it holds no schema of a custom resource".to_owned(),
                help: "put CustomResourceDefinitions into it, as YAML or JSON, or JSON Schemas called \
                       group/kind_version.json"
                    .to_owned(),
            });
        }
    }
    Ok((custom, faults))
}

/// What is said of a rule that lacks an input.
fn unsaid(skipped: &Skipped) -> String {
    let name = |kind: &SubjectKind| match kind {
        SubjectKind::Blueprint => "a blueprint",
        SubjectKind::Terraform => "Terraform files",
        SubjectKind::Kubernetes => "Kubernetes manifests",
    };
    let missing: Vec<&str> = skipped.missing.iter().map(name).collect();
    format!(
        "not evaluated: {} on {}, which it judges together with {}",
        skipped.policy,
        name(&skipped.kind),
        missing.join(" and ")
    )
}

/// What a policy is chosen by.
pub(super) fn known(policy: &Policy) -> Known<'_> {
    Known {
        id: &policy.id,
        domain: &policy.domain,
        frameworks: policy.controls.keys().map(|framework| framework.id()).collect(),
    }
}

/// The built-in policies and those of some directories, with the faults of the latter.
pub(super) fn catalogue(
    embedded: Catalogue,
    directories: &[Utf8PathBuf],
    surroundings: &Surroundings,
    sources: &mut Sources,
) -> Result<(Catalogue, Vec<Finding>), Error> {
    let mut catalogue = embedded;
    let findings = add_directories(&mut catalogue, directories, surroundings, sources)?;
    Ok((catalogue, findings))
}

/// Adds the policy files of some directories.
pub(super) fn add_directories(
    catalogue: &mut Catalogue,
    directories: &[Utf8PathBuf],
    surroundings: &Surroundings,
    sources: &mut Sources,
) -> Result<Vec<Finding>, Error> {
    let mut ids = Vec::new();
    for directory in directories {
        for path in policy_files(directory, surroundings)? {
            ids.push(sources.add(read_file(&path, surroundings)?));
        }
    }
    Ok(catalogue.add(sources, &ids))
}
