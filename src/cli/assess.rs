//! From files to verdicts: what `lint` does with files on disk and `render` with files in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use camino::Utf8PathBuf;

use crate::blueprint;
use crate::kubernetes::kustomize::Build;
use crate::kubernetes::schema::Custom;
use crate::kubernetes::{self, Object};
use crate::policy::World;
use crate::policy::waiver::{Judged, Stated, of_module};
use crate::report::is_open;
use crate::source::{FileId, Finding, Node, Passes, Sources, Span, SubjectKind, Verdict, fault};
use crate::terraform::plan::{NO_LIFECYCLE, Planned};
use crate::terraform::{self, Module, Tree};
use crate::threads;

use super::inputs::Inputs;
use super::judge::{Judge, Said};
use super::modules::Root;
use super::origin::{Origin, Origins, Trees, against_lock, point_back};
use super::repeated::once;
use super::waive::{Book, Together, kinds};
use super::{Surroundings, plans};

/// What the policies say of the files.
#[derive(Debug, Default)]
pub(super) struct Assessment {
    /// Every verdict and every fault of the input.
    pub(super) verdicts: Vec<Finding>,
    /// What passed, where nobody wants to see it.
    pub(super) passes: Passes,
    /// Whether a file could not be read to its end, so that what was not found proves nothing.
    pub(super) incomplete: bool,
    /// Policies of which a rule lacked an input.
    pub(super) skipped: BTreeSet<String>,
    /// The blueprints' waivers.
    pub(super) waivers: Book,
    /// What a reader has to know of the files beside the verdicts.
    pub(super) warnings: Vec<String>,
    /// Calls of modules that are not read, by place, with the reason.
    pub(super) unread: BTreeMap<Span, Arc<str>>,
    /// Whether what passed is among the verdicts although nobody wants to see it.
    pub(super) keep_passes: bool,
}

impl Assessment {
    /// Ends the judging: says which waivers nothing needed, and drops the faults that `--ignore` names.
    pub(super) fn finish(&mut self, judge: &Judge) {
        self.passes.settle();
        self.verdicts.extend(self.waivers.unused(judge));
        self.verdicts.retain(|finding| !judge.ignores(&finding.code));
    }
}

/// Files that are judged together.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// `.tf` files, by module.
    pub(super) modules: BTreeMap<Utf8PathBuf, Vec<FileId>>,
    /// Kubernetes manifests.
    pub(super) manifests: Vec<FileId>,
    /// Kustomizations.
    pub(super) kustomized: Vec<Build>,
    /// How the generated files differ from what their lock says.
    pub(super) lock: Option<Node>,
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
/// from; of the others all manifests are one set, and all `.tf` files of one directory one module. Kustomizations belong to
/// that set, but for those that are variants of each other: of these each is judged alone.
pub(super) fn assess(
    inputs: &mut Inputs,
    roots: &BTreeMap<Utf8PathBuf, Root>,
    judge: &Judge,
    surroundings: &Surroundings,
) -> Assessment {
    let mut assessment = Assessment::default();
    let mut blueprints = BTreeMap::new();
    for id in &inputs.blueprints {
        let Some(file) = inputs.sources.get(*id) else { continue };
        let loaded = blueprint::load(*id, file);
        assessment.incomplete |= loaded.platform.is_none();
        assessment.verdicts.extend(loaded.findings);
        blueprints.insert(*id, Rc::new(Trees { view: loaded.view, tree: loaded.tree }));
    }
    let mut alone: BTreeSet<FileId> = blueprints.keys().copied().collect();
    let mut origins = Origins::default();
    let (variants, unrelated) = variants(std::mem::take(&mut inputs.kustomized.builds));
    // What is said of several variants in the same words counts once: for that it is kept.
    assessment.keep_passes = !variants.is_empty();
    let mut all = groups(inputs, &mut origins, surroundings);
    if !unrelated.is_empty() {
        all.entry(None).or_default().kustomized = unrelated;
    }
    for (directory, mut group) in all {
        if let Some(directory) = &directory {
            origins.load(directory, &blueprints, &mut inputs.sources, surroundings);
            group.lock = against_lock(directory);
        }
        let origin = directory.as_ref().and_then(|directory| origins.get(directory));
        // A blueprint that two directories come from has its own verdicts once.
        let behind =
            origin.map(|origin| Behind { origin, judged: origin.current && alone.remove(&origin.file) });
        judge_group(&group, roots, behind, &inputs.sources, judge, &mut assessment);
    }
    for build in variants {
        let group = Group { kustomized: vec![build], ..Group::default() };
        judge_group(&group, roots, None, &inputs.sources, judge, &mut assessment);
    }
    if assessment.keep_passes {
        once(&mut assessment.verdicts);
    }
    for plan in std::mem::take(&mut inputs.plans) {
        match plans::read(&plan, &mut inputs.sources, surroundings) {
            Ok(Some((id, planned))) => judge_plan(id, planned, &inputs.sources, judge, &mut assessment),
            Ok(None) => {}
            Err(error) => inputs.unusable.push(error),
        }
    }
    let views = blueprints.iter().filter(|(id, _)| alone.contains(id));
    for (id, view) in views.filter_map(|(id, trees)| Some((id, trees.view.as_ref()?))) {
        let world = World { blueprint: Some(view), ..empty(&inputs.sources, judge) };
        let Said { mut verdicts, skipped, .. } = judge.evaluate(&world);
        assessment.skipped.extend(skipped.iter().cloned());
        let judged = Judged { kinds: kinds(true, false, false), skipped, incomplete: false };
        let stated = Vec::new();
        let together =
            Together { blueprint: Some((*id, view)), reported: true, stated, objects: &[], judged };
        assessment.waivers.apply(&mut verdicts, together, judge);
        assessment.verdicts.extend(verdicts);
    }
    assessment.finish(judge);
    assessment
}

/// Judges a group and adds what it finds.
pub(super) fn judge_group(
    group: &Group,
    roots: &BTreeMap<Utf8PathBuf, Root>,
    behind: Option<Behind<'_>>,
    sources: &Sources,
    judge: &Judge,
    assessment: &mut Assessment,
) {
    let view = behind.filter(|behind| behind.origin.current).and_then(|behind| behind.origin.view());
    let version = kubernetes_version(view);
    let unread = group.kustomized.iter().find_map(|build| build.unread.as_deref());
    let empty = World { lock: group.lock.as_ref(), unread, ..empty(sources, judge) };
    // What passes of a blueprint may have to be taken out again.
    let empty = World { count_passes: !judge.passes && !assessment.keep_passes && view.is_none(), ..empty };
    let (several, keep) = (group.modules.len() > 1, behind.is_some());
    let of_module = |(path, files): &(&Utf8PathBuf, &Vec<FileId>)| {
        let root = roots.get(*path);
        let mut one = read_module(root, &tree(root, files, sources), files, sources);
        if several && let Some(module) = one.module.take() {
            // Which of several modules the manifests run on is nowhere said.
            one.said = judge.evaluate(&World { module: Some(&module), ..empty });
            // Of many modules no more are held than are judged at the same time.
            one.module = keep.then_some(module);
        }
        one
    };
    let modules: Vec<_> = group.modules.iter().collect();
    let one = match modules.as_slice() {
        [(path, files)] => {
            let root = roots.get(*path);
            Some((root, *files, tree(root, files, sources)))
        }
        _ => None,
    };
    let (done, (objects, more)) = threads::both(
        || match &one {
            Some((root, files, tree)) => vec![read_module(*root, tree, files, sources)],
            None => threads::map(&modules, 1, of_module),
        },
        || {
            if let Some((_, _, tree)) = &one {
                judge.expect(&tree.types());
            }
            read_manifests(group, &version, sources, &judge.custom)
        },
    );
    let mut verdicts = Vec::new();
    let (mut said, mut stated, mut modules) = (Said::default(), Vec::new(), Vec::new());
    for one in done {
        verdicts.extend(one.faults);
        said.extend(one.said);
        stated.extend(one.waivers);
        assessment.unread.extend(one.unread);
        modules.extend(one.module);
    }
    // A module that is called from two places has its faults once.
    once(&mut verdicts);
    verdicts.extend(more);
    verdicts.extend(kubernetes::duplicates(sources, &objects));
    let incomplete = verdicts.iter().any(cuts_off);
    assessment.incomplete |= incomplete;

    // One module and everything else in one world: rules that look at several kinds of input see them all.
    let module = if several { None } else { modules.first() };
    said.extend(judge.evaluate(&World { blueprint: view, module, objects: &objects, ..empty }));
    verdicts.extend(said.verdicts);
    said.passes.settle();
    assessment.passes.extend(said.passes);
    assessment.skipped.extend(said.skipped.iter().cloned());
    let together = Together {
        // What somebody answers for now counts, even if the files are of an earlier state of the blueprint.
        blueprint: behind.and_then(|behind| Some((behind.origin.file, behind.origin.view()?))),
        reported: behind.is_some_and(|behind| behind.judged),
        stated,
        objects: &objects,
        judged: Judged {
            kinds: kinds(view.is_some(), !group.modules.is_empty(), !objects.is_empty()),
            skipped: said.skipped,
            incomplete: incomplete || unread.is_some(),
        },
    };
    assessment.waivers.apply(&mut verdicts, together, judge);
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

/// Judges a plan by itself: what it was made of stands in files of its own.
fn judge_plan(id: FileId, planned: Planned, sources: &Sources, judge: &Judge, assessment: &mut Assessment) {
    let Planned { module, errored, .. } = planned;
    assessment.incomplete |= errored;
    let count_passes = !judge.passes && !assessment.keep_passes;
    let mut said = judge.evaluate(&World { module: Some(&module), count_passes, ..empty(sources, judge) });
    let path = sources.get(id).map_or("", |file| file.path().as_str());
    let unshown = leave_out_lifecycle(&mut said);
    if !unshown.is_empty() {
        let codes: Vec<&str> = unshown.iter().map(String::as_str).collect();
        assessment.warnings.push(format!(
            "{path}: {NO_LIFECYCLE}, so {} had to be left out for some resources; lint the files it was made of too",
            codes.join(" and ")
        ));
    }
    said.skipped.extend(unshown);
    said.passes.settle();
    assessment.passes.extend(said.passes);
    assessment.skipped.extend(said.skipped.iter().cloned());
    let judged = Judged { kinds: kinds(false, true, false), skipped: said.skipped, incomplete: errored };
    // A comment that waives something stands in the files, not in their plan.
    let together = Together { blueprint: None, reported: false, stated: Vec::new(), objects: &[], judged };
    assessment.waivers.apply(&mut said.verdicts, together, judge);
    if errored {
        assessment.warnings.push(format!(
            "{path}: Terraform met an error while it planned; there would be more than this plan says"
        ));
    }
    assessment.verdicts.extend(said.verdicts);
}

/// Takes out what depends on `lifecycle`, and gives the policies: to say of each resource what holds for every plan would tell
/// nobody anything. What else such a policy asks, and gets, would look like the whole of it, so that goes too.
fn leave_out_lifecycle(said: &mut Said) -> BTreeSet<String> {
    let open =
        |verdict: &Finding| verdict.verdict == Verdict::Unproven && verdict.message.contains(NO_LIFECYCLE);
    let left_out: BTreeSet<String> =
        said.verdicts.extract_if(.., |verdict| open(verdict)).map(|verdict| verdict.code).collect();
    if !left_out.is_empty() {
        said.verdicts.retain(|verdict| verdict.verdict != Verdict::Pass || !left_out.contains(&verdict.code));
        for policy in &left_out {
            said.passes.forget(policy);
        }
    }
    left_out
}

/// A module, and what is found in it.
#[derive(Default)]
struct OfModule {
    module: Option<Module>,
    /// What Terraform itself or the provider's schema refuses.
    faults: Vec<Finding>,
    /// What the policies say of it alone.
    said: Said,
    /// The waivers that stand in it.
    waivers: Vec<Stated>,
    /// Calls of modules that are not read, by place, with the reason.
    unread: Vec<(Span, Arc<str>)>,
}

/// Reads a module with those it calls.
fn read_module(root: Option<&Root>, tree: &Tree, files: &[FileId], sources: &Sources) -> OfModule {
    let nothing = BTreeMap::new();
    let given = root.map_or(&nothing, |root| &root.given);
    let (module, mut faults) = terraform::evaluate(sources, tree, given);
    faults.extend(terraform::schema::check(&module));
    let called = root.map_or(&[][..], |root| &root.called);
    let own: Vec<FileId> = files.iter().chain(called).copied().collect();
    let unread = module.blocks.iter().filter_map(|block| Some((block.header, block.unread.clone()?)));
    OfModule {
        waivers: of_module(sources, &own, &module),
        unread: unread.collect(),
        faults,
        said: Said::default(),
        module: Some(module),
    }
}

/// A module and those it calls, parsed.
fn tree(root: Option<&Root>, files: &[FileId], sources: &Sources) -> Tree {
    root.map_or_else(|| Tree::alone(terraform::parse(sources, files)), |root| root.tree(sources))
}

/// Fewer manifests than this are read before a thread has started.
const WORTH_A_THREAD: usize = 64;

/// Manifests with what the schema of a version of Kubernetes refuses.
fn read_manifests(
    group: &Group,
    version: &str,
    sources: &Sources,
    custom: &Custom,
) -> (Vec<Object>, Vec<Finding>) {
    let (mut objects, mut findings) = (Vec::new(), Vec::new());
    let read = threads::map(&group.manifests, WORTH_A_THREAD, |id| {
        sources.get(*id).map(|file| kubernetes::read(*id, file)).unwrap_or_default()
    });
    for (read, faults) in read {
        findings.extend(faults);
        objects.extend(read);
    }
    for build in &group.kustomized {
        findings.extend(build.findings.iter().cloned());
        objects.extend(build.objects.iter().cloned());
    }
    let own = |object: &Object| kubernetes::schema::check(object, version);
    findings.extend(threads::map(&objects, WORTH_A_THREAD, own).into_iter().flatten());
    findings.extend(objects.iter().flat_map(|object| custom.check(object, version)));
    (objects, findings)
}

/// Kustomizations that are variants of each other, as they share a file or make an object of one name, and the others.
fn variants(builds: Vec<Build>) -> (Vec<Build>, Vec<Build>) {
    let mut makers: BTreeMap<(&str, &str), BTreeSet<usize>> = BTreeMap::new();
    for (at, build) in builds.iter().enumerate() {
        for file in &build.files {
            makers.entry(("", file.as_str())).or_default().insert(at);
        }
        for object in &build.objects {
            let group = object.api_version.split_once('/').map_or("core", |(group, _)| group);
            makers.entry((group, &object.address)).or_default().insert(at);
        }
    }
    let shared: BTreeSet<usize> = makers.into_values().filter(|makers| makers.len() > 1).flatten().collect();
    let (variants, unrelated): (Vec<_>, Vec<_>) =
        builds.into_iter().enumerate().partition(|(at, _)| shared.contains(at));
    let plain = |builds: Vec<(usize, Build)>| builds.into_iter().map(|(_, build)| build).collect();
    (plain(variants), plain(unrelated))
}

fn empty<'a>(sources: &'a Sources, judge: &'a Judge) -> World<'a> {
    World { at: judge.at, catalogue: judge.named(), ..World::new(sources) }
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
