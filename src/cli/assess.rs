//! From files to verdicts: what `lint` does with files on disk and `render` with files in memory.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::blueprint;
use crate::kubernetes::{self, Object};
use crate::policy::{self, Catalogue, Policy, World};
use crate::report::is_open;
use crate::source::{FileId, Finding, Node, Sources, SubjectKind, fault};
use crate::terraform::{self, Module};

use super::args::Checks;
use super::choose::{Choice, Known, choose};
use super::inputs::{Inputs, policy_files, read_file};
use super::origin::{Origin, Origins, point_back};
use super::{Error, Surroundings};

/// The policies of a run and what they judge by.
#[derive(Debug)]
pub(super) struct Judge {
    catalogue: Catalogue,
    choice: Choice,
    at: Option<jiff::civil::Date>,
}

impl Judge {
    /// The built-in policies and those of `--policies`, less what the flags leave out. Faults of users' policies are
    /// findings; their files are added to `sources`.
    pub(super) fn new(
        checks: &Checks,
        surroundings: &Surroundings,
        sources: &mut Sources,
    ) -> Result<(Self, Vec<Finding>), Error> {
        let (catalogue, findings) = catalogue(&checks.policies, surroundings, sources)?;
        let known: Vec<Known<'_>> = catalogue.policies().iter().map(known).collect();
        let choice = choose(&known, checks)?;
        drop(known);
        Ok((Self { catalogue, choice, at: checks.at.or(surroundings.today) }, findings))
    }

    fn evaluate(&self, world: &World<'_>) -> Vec<Finding> {
        let chosen: Vec<&Policy> = self
            .catalogue
            .policies()
            .iter()
            .zip(&self.choice.applies)
            .filter(|(_, applies)| **applies)
            .map(|(policy, _)| policy)
            .collect();
        let evaluation = policy::evaluate(&chosen, world);
        let verdicts = evaluation.verdicts.into_iter().map(|evaluated| evaluated.finding);
        verdicts.chain(evaluation.faults).collect()
    }

    /// Drops the faults that `--ignore` names.
    pub(super) fn drop_ignored(&self, findings: &mut Vec<Finding>) {
        findings.retain(|finding| !self.choice.ignored_faults.contains(&finding.code));
    }
}

/// What a policy is chosen by.
fn known(policy: &Policy) -> Known<'_> {
    Known {
        id: &policy.id,
        domain: &policy.domain,
        frameworks: policy.controls.keys().map(|framework| framework.id()).collect(),
    }
}

/// The built-in policies and those of some directories, with the faults of the latter.
pub(super) fn catalogue(
    directories: &[Utf8PathBuf],
    surroundings: &Surroundings,
    sources: &mut Sources,
) -> Result<(Catalogue, Vec<Finding>), Error> {
    let mut catalogue = Catalogue::builtin();
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

/// What the policies say of the files.
#[derive(Debug, Default)]
pub(super) struct Assessment {
    /// Every verdict and every fault of the input.
    pub(super) verdicts: Vec<Finding>,
    /// Whether a file could not be read to its end, so that what was not found proves nothing.
    pub(super) incomplete: bool,
}

/// Files that are judged together.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// `.tf` files, by module.
    pub(super) modules: BTreeMap<Utf8PathBuf, Vec<FileId>>,
    /// Kubernetes manifests.
    pub(super) manifests: Vec<FileId>,
}

/// The blueprint a group was generated from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behind<'a> {
    /// Where it is.
    pub(super) origin: &'a Origin,
    /// Whether its own verdicts are wanted too.
    pub(super) judged: bool,
}

/// Judges every file of `lint`. Files generated into one directory are judged together with the blueprint they come
/// from; of the others all manifests are one set, and all `.tf` files of one directory one module.
pub(super) fn assess(inputs: &mut Inputs, judge: &Judge, surroundings: &Surroundings) -> Assessment {
    let mut assessment = Assessment::default();
    let mut views = BTreeMap::new();
    for id in &inputs.blueprints {
        let Some(file) = inputs.sources.get(*id) else { continue };
        let loaded = blueprint::load(*id, file);
        assessment.incomplete |= loaded.platform.is_none();
        assessment.verdicts.extend(loaded.findings);
        views.extend(loaded.view.map(|view| (*id, view)));
    }
    let mut origins = Origins::default();
    for (directory, group) in groups(inputs, &mut origins, surroundings) {
        if let Some(directory) = &directory {
            origins.load(directory, &mut inputs.sources, surroundings);
        }
        let origin = directory.as_ref().and_then(|directory| origins.get(directory));
        // A blueprint that two directories come from has its own verdicts once.
        let behind = origin
            .map(|origin| Behind { origin, judged: origin.current && views.remove(&origin.file).is_some() });
        judge_group(&group, behind, &inputs.sources, judge, &mut assessment);
    }
    for view in views.values() {
        let world = World { blueprint: Some(view), ..empty(&inputs.sources, judge) };
        assessment.verdicts.extend(judge.evaluate(&world));
    }
    judge.drop_ignored(&mut assessment.verdicts);
    assessment
}

/// Judges a group and adds what it finds.
pub(super) fn judge_group(
    group: &Group,
    behind: Option<Behind<'_>>,
    sources: &Sources,
    judge: &Judge,
    assessment: &mut Assessment,
) {
    let mut verdicts = Vec::new();
    let mut modules: Vec<Module> = Vec::new();
    for files in group.modules.values() {
        let (module, findings) = terraform::read(sources, files);
        verdicts.extend(findings);
        verdicts.extend(terraform::schema::check(&module));
        modules.push(module);
    }
    let view = behind.filter(|behind| behind.origin.current).and_then(|behind| behind.origin.view.as_ref());
    let version = kubernetes_version(view);
    let mut objects: Vec<Object> = Vec::new();
    for id in &group.manifests {
        let Some(file) = sources.get(*id) else { continue };
        let (read, findings) = kubernetes::read(*id, file);
        verdicts.extend(findings);
        verdicts.extend(read.iter().flat_map(|object| kubernetes::schema::check(object, &version)));
        objects.extend(read);
    }
    verdicts.extend(kubernetes::duplicates(sources, &objects));
    assessment.incomplete |= verdicts.iter().any(cuts_off);

    let empty = empty(sources, judge);
    if let [] | [_] = modules.as_slice() {
        // Everything in one world: rules that look at several kinds of input see them all.
        let world = World { blueprint: view, module: modules.first(), objects: &objects, ..empty };
        verdicts.extend(judge.evaluate(&world));
    } else {
        // Which of several modules the manifests run on is nowhere said.
        for module in &modules {
            verdicts.extend(judge.evaluate(&World { module: Some(module), ..empty }));
        }
        verdicts.extend(judge.evaluate(&World { blueprint: view, objects: &objects, ..empty }));
    }
    if let Some(behind) = behind {
        let bad = |verdict: &&Finding| is_of_blueprint(verdict) && is_open(verdict);
        let causes: Vec<Finding> = verdicts.iter().filter(bad).cloned().collect();
        if !behind.judged {
            verdicts.retain(|verdict| !is_of_blueprint(verdict));
        }
        point_back(&mut verdicts, &causes, behind.origin, &modules, &objects);
    }
    assessment.verdicts.extend(verdicts);
}

fn empty<'a>(sources: &'a Sources, judge: &Judge) -> World<'a> {
    World { sources, blueprint: None, module: None, objects: &[], at: judge.at }
}

fn is_of_blueprint(verdict: &Finding) -> bool {
    verdict.subject.as_ref().is_some_and(|subject| subject.kind == SubjectKind::Blueprint)
}

/// Faults after which the rest of the file was not read.
fn cuts_off(finding: &Finding) -> bool {
    [fault::YAML_SYNTAX, fault::BUDGET, fault::HCL_SYNTAX].iter().any(|fault| fault.code == finding.code)
}

/// The version the first cluster of the blueprint runs, or the newest one known.
fn kubernetes_version(view: Option<&Node>) -> String {
    let known = kubernetes::schema::versions();
    let newest = known.last().cloned().unwrap_or_default();
    view.and_then(|view| view.get("regions")?.as_map()?.iter().next())
        .and_then(|(_, region)| region.node.at(&["cluster", "version"])?.as_str())
        .filter(|version| known.iter().any(|known| known == version))
        .map_or(newest, str::to_owned)
}

/// The files by the directory they were generated into; `None` for those that were not.
fn groups(
    inputs: &Inputs,
    origins: &mut Origins,
    surroundings: &Surroundings,
) -> BTreeMap<Option<Utf8PathBuf>, Group> {
    let mut groups: BTreeMap<Option<Utf8PathBuf>, Group> = BTreeMap::new();
    let mut directory_of =
        |id: &FileId| inputs.sources.get(*id).and_then(|file| origins.directory(file.path(), surroundings));
    for (directory, files) in &inputs.modules {
        let locked = files.first().and_then(&mut directory_of);
        groups.entry(locked).or_default().modules.insert(directory.clone(), files.clone());
    }
    for id in &inputs.manifests {
        groups.entry(directory_of(id)).or_default().manifests.push(*id);
    }
    groups
}
