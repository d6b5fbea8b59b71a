//! The checks that a policy's `aliases` name, compared with Checkov's own verdicts, resource by resource.
//!
//! A corpus is a directory `tests/fixtures/flat/NAME`: files as a bank has them, each directory a module. What differs is written
//! down, with the reason, in `tests/fixtures/flat/NAME.differences.yaml`; whatever is not, fails.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "checkov is looked for, and a test that cannot run says so; the shares are printed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use nexafi_gen::policy::Catalogue;
use nexafi_gen::report::Document;
use nexafi_gen::source::{SourceFile, Sources, SubjectKind, Verdict, yaml};
use serde::Deserialize;

use crate::checkov::{checkov, matches};

const CORPORA: &str = "tests/fixtures/flat";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    floor: Floor,
    differences: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Floor {
    /// Percent of Checkov's verdicts that have to be ours too.
    equal: f64,
    /// How many checks the corpus has both a passing and a failing resource for, by Checkov's verdict.
    covered: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    checks: Vec<String>,
    /// `directory:address`, the directory below the corpus and left out of what lies in the corpus itself; `*` once.
    resources: Vec<String>,
    kind: Kind,
    reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// Checkov fails what passes here, or has no verdict here.
    OnlyCheckov,
    /// Checkov passes what fails here.
    OnlyUs,
    /// Here the files do not say it, and Checkov has a verdict all the same.
    Unproven,
}

/// A verdict is about one check of one resource, by its place (`directory:address`).
type Verdicts = BTreeMap<(String, String), Verdict>;

fn corpora() -> Vec<String> {
    let entries = walkdir::WalkDir::new(CORPORA).min_depth(1).max_depth(1).sort_by_file_name();
    let directories = entries.into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_dir());
    directories.map(|entry| entry.file_name().to_str().unwrap().to_owned()).collect()
}

fn written(corpus: &str) -> Written {
    let mut sources = Sources::default();
    let path = format!("{CORPORA}/{corpus}.differences.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let id = sources.add(SourceFile::new(path.as_str(), text));
    let read = yaml::read(id, sources.get(id).unwrap());
    assert!(read.findings.is_empty(), "{path}: {:?}", read.findings);
    serde_json::from_value(read.documents[0].to_json()).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The checks of Checkov that our policies name.
fn aliases() -> BTreeSet<String> {
    let catalogue = Catalogue::builtin();
    let named = catalogue.policies().iter().flat_map(|policy| policy.aliases.iter());
    named.filter(|alias| alias.starts_with("CKV")).cloned().collect()
}

/// `data/queues.tf` and an address as a place: the corpus, then what stands where in it.
fn place(path: &str, address: &str) -> (String, String) {
    let (directory, _) = path.rsplit_once('/').unwrap();
    match directory.split_once('/') {
        Some((corpus, below)) => (corpus.to_owned(), format!("{below}:{address}")),
        None => (directory.to_owned(), address.to_owned()),
    }
}

/// Checkov tells neither data sources from resources nor, in what it leaves unexpanded, instances from their block; an object
/// without a namespace it puts into `default`.
fn theirs_of_ours(kind: SubjectKind, address: &str) -> String {
    if kind == SubjectKind::Kubernetes {
        return match address.splitn(3, '/').collect::<Vec<_>>()[..] {
            [kind, name] => format!("{kind}.default.{name}"),
            [kind, namespace, name] => format!("{kind}.{namespace}.{name}"),
            _ => address.to_owned(),
        };
    }
    // Of a provider Checkov has the name and the alias.
    let address = address.strip_prefix("provider.").unwrap_or(address);
    let last = address.rfind(".data.").map(|at| (at + 1, at + 6));
    match last.or_else(|| address.starts_with("data.").then_some((0, 5))) {
        Some((from, to)) => format!("{}{}", &address[..from], &address[to..]),
        None => address.to_owned(),
    }
}

fn without_instance(address: &str) -> &str {
    address.strip_suffix(']').and_then(|open| open.rfind('[')).map_or(address, |at| &address[..at])
}

/// Checks of Checkov that look at several objects judge the pod of a template as an object of its own, called after its owner and
/// its labels: `Pod.core.ledger.app-ledger`. Here the owner has the verdict.
fn owners_of_pod(place: &str) -> impl Iterator<Item = String> {
    let owner = place.strip_prefix("Pod.").and_then(|rest| {
        let (namespace, name) = rest.split_once('.')?;
        Some(format!("{namespace}.{}", name.split('.').next()?))
    });
    let kinds = [
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "ReplicationController",
        "Job",
        "DeploymentConfig",
    ];
    owner.into_iter().flat_map(move |owner| kinds.map(|kind| format!("{kind}.{owner}")))
}

/// How much a verdict counts where a resource has several for one check.
fn weight(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail | Verdict::Waived => 2,
        Verdict::Unproven => 1,
        Verdict::Pass => 0,
    }
}

fn worst(verdicts: &mut Verdicts, check: String, place: String, verdict: Verdict) {
    let known = verdicts.entry((check, place)).or_insert(verdict);
    if weight(verdict) > weight(*known) {
        *known = verdict;
    }
}

/// Our verdicts on one corpus; each is a run of its own, so that no other corpus decides anything in it.
fn ours(corpus: &str) -> Verdicts {
    let output = Command::new(env!("CARGO_BIN_EXE_nexafi-gen"))
        .args(["lint", "--all", "--format", "json", corpus])
        .current_dir(CORPORA)
        .output()
        .unwrap();
    let document: Document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let mut verdicts = Verdicts::new();
    for row in document.results {
        let Some(subject) = row.subject else { continue };
        let (_, place) = place(&row.location.path, &theirs_of_ours(subject.kind, &subject.address));
        for alias in row.aliases {
            worst(&mut verdicts, alias, place.clone(), row.verdict);
        }
    }
    verdicts
}

/// Checkov's verdicts by corpus.
fn theirs(checkov: &str) -> BTreeMap<String, Verdicts> {
    let output = Command::new(checkov)
        .args(["--skip-download", "--compact", "--output", "json", "--framework", "terraform", "kubernetes"])
        .args(["--directory", CORPORA])
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let runs = report.as_array().cloned().unwrap_or_else(|| vec![report.clone()]);
    let mut all: BTreeMap<String, Verdicts> = BTreeMap::new();
    for run in &runs {
        assert_eq!(run["summary"]["parsing_errors"], 0, "checkov cannot read {}", run["check_type"]);
        for (list, verdict) in [("passed_checks", Verdict::Pass), ("failed_checks", Verdict::Fail)] {
            for check in run["results"][list].as_array().unwrap() {
                let word = |key: &str| check[key].as_str().unwrap();
                // Of Terraform the path begins at the directory that was named, of Kubernetes at the working directory.
                let path = &word("file_path")[1..];
                let path = path.strip_prefix(&format!("{CORPORA}/")).unwrap_or(path);
                let (corpus, place) = place(path, word("resource"));
                let verdicts = all.entry(corpus).or_default();
                worst(verdicts, word("check_id").to_owned(), place, verdict);
            }
        }
    }
    all
}

fn difference(theirs: Verdict, ours: Option<Verdict>) -> Option<Kind> {
    match (theirs, ours) {
        (_, Some(Verdict::Unproven)) => Some(Kind::Unproven),
        (Verdict::Pass, None | Some(Verdict::Pass)) | (Verdict::Fail, Some(Verdict::Fail)) => None,
        (Verdict::Pass, _) => Some(Kind::OnlyUs),
        (_, _) => Some(Kind::OnlyCheckov),
    }
}

/// Compares one corpus; what is wrong with it, a line each.
fn compare(corpus: &str, theirs: &Verdicts, ours: &Verdicts, aliases: &BTreeSet<String>) -> Vec<String> {
    let written = written(corpus);
    let mut wrong = Vec::new();
    let mut used: Vec<(BTreeSet<&str>, BTreeSet<&str>)> =
        vec![<(BTreeSet<&str>, BTreeSet<&str>)>::default(); written.differences.len()];
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut seen: BTreeMap<&str, BTreeSet<u8>> = BTreeMap::new();
    let (mut total, mut equal, mut explained) = (0_u32, 0_u32, 0_u32);
    for ((check, place), &verdict) in theirs.iter().filter(|((check, _), _)| aliases.contains(check)) {
        total += 1;
        seen.entry(check).or_default().insert(weight(verdict));
        let ours = ours
            .get(&(check.clone(), place.clone()))
            .or_else(|| ours.get(&(check.clone(), without_instance(place).to_owned())))
            .or_else(|| owners_of_pod(place).find_map(|owner| ours.get(&(check.clone(), owner))))
            .copied();
        let kind = difference(verdict, ours);
        let said = ours.map_or("no verdict", Verdict::as_str);
        *kinds.entry(format!("checkov {}, we {said}", verdict.as_str())).or_default() += 1;
        let Some(kind) = kind else {
            equal += 1;
            continue;
        };
        let mut answered = false;
        for (entry, (checks, resources)) in written.differences.iter().zip(&mut used) {
            let check = entry.checks.iter().find(|known| *known == check);
            let resource = entry.resources.iter().find(|pattern| matches(pattern, place));
            if let (Some(check), Some(resource), true) = (check, resource, entry.kind == kind) {
                checks.insert(check);
                resources.insert(resource);
                answered = true;
            }
        }
        if answered {
            explained += 1;
        } else {
            wrong.push(format!("{corpus}: {check} {place}: checkov {}, we {said}", verdict.as_str()));
        }
    }
    for (entry, (checks, resources)) in written.differences.iter().zip(&used) {
        let idle = |all: &[String], used: &BTreeSet<&str>| {
            all.iter().filter(|one| !used.contains(one.as_str())).cloned().collect::<Vec<_>>()
        };
        let idle = [idle(&entry.checks, checks), idle(&entry.resources, resources)].concat();
        if !idle.is_empty() {
            wrong.push(format!(
                "{corpus}: {:?}: no difference in {}; remove it",
                entry.checks,
                idle.join(", ")
            ));
        }
        if entry.reason.split_whitespace().count() < 6 {
            wrong.push(format!("{corpus}: {:?} needs a reason", entry.checks));
        }
    }
    let covered: Vec<&str> =
        seen.iter().filter(|(_, verdicts)| verdicts.len() == 2).map(|(check, _)| *check).collect();
    let share = 100.0 * f64::from(equal) / f64::from(total.max(1));
    println!(
        "{corpus}: {equal} of {total} verdicts are the same ({share:.2} %), with those that are explained {:.2} %; \
         {} checks of {} have a resource that passes and one that fails",
        100.0 * f64::from(equal + explained) / f64::from(total.max(1)),
        covered.len(),
        seen.len(),
    );
    for (kind, count) in kinds {
        println!("  {kind}: {count}");
    }
    if share < written.floor.equal {
        wrong.push(format!("{corpus}: {share:.2} % are the same, and {} are asked for", written.floor.equal));
    }
    if covered.len() < written.floor.covered {
        wrong.push(format!("{corpus}: {} checks are covered, not {}", covered.len(), written.floor.covered));
    }
    wrong
}

#[test]
fn a_check_of_checkov_that_we_name_has_the_same_verdict_here() {
    let Some(checkov) = checkov() else {
        println!("skipped: no checkov on PATH");
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "checkov is missing, and CI=true");
        return;
    };
    let (mut theirs, aliases) = (theirs(&checkov), aliases());
    let mut wrong = Vec::new();
    for corpus in corpora() {
        let theirs = theirs.remove(&corpus).unwrap_or_default();
        wrong.extend(compare(&corpus, &theirs, &ours(&corpus), &aliases));
    }
    assert!(wrong.is_empty(), "mend these {}, or explain them:\n{}", wrong.len(), wrong.join("\n"));
}
