//! `--baseline` and `--write-baseline`.

use std::collections::BTreeSet;

use camino::Utf8Path;

use crate::policy::baseline::{Baseline, Entry, takes};
use crate::report::Report;
use crate::source::{Severity, Sources};

use super::assess::Assessment;
use super::judge::Judge;
use super::reading::read_file;
use super::{Error, Output, Surroundings};

/// Reads the baseline of `--baseline`.
pub(super) fn read(path: &Utf8Path, surroundings: &Surroundings) -> Result<Baseline, Error> {
    let unusable = |message: String| Error::Input {
        path: path.to_owned(),
        message,
        help: "a baseline is written by `nexafi-gen lint --write-baseline FILE`".to_owned(),
    };
    if !surroundings.on_disk(path).exists() {
        return Err(unusable("there is no such baseline".to_owned()));
    }
    let file = read_file(path, surroundings)?;
    Baseline::read(file.text()).map_err(unusable)
}

/// What a run did with a baseline.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// Entries whose finding is gone: mended, or waived.
    mended: Vec<Entry>,
    /// Entries that stand, or could not be looked at in this run.
    kept: Vec<Entry>,
}

/// Marks what the baseline knows, and finds out what it knows and is not there any more.
pub(super) fn compare(
    report: &mut Report<'_>,
    baseline: &Baseline,
    sources: &Sources,
    judge: &Judge,
    assessment: &Seen,
    surroundings: &Surroundings,
) -> Compared {
    let mut found: BTreeSet<String> = BTreeSet::new();
    report.quieten(|finding, fingerprint| {
        let known = baseline.knows(finding, fingerprint);
        if known {
            found.insert(fingerprint.to_owned());
        }
        known
    });
    let read: BTreeSet<String> =
        sources.iter().map(|(_, file)| report.relative(file.path()).into_string()).collect();
    let looked_at = |entry: &Entry| {
        let gone = !surroundings.on_disk(Utf8Path::new(&entry.path)).exists();
        let applied = judge.applied().any(|policy| policy.id == entry.policy);
        let unknown = judge.catalogue().get(&entry.policy).is_none();
        !assessment.incomplete
            && (gone || read.contains(&entry.path))
            && (applied || unknown)
            && !assessment.skipped.contains(&entry.policy)
    };
    let mut compared = Compared::default();
    for entry in baseline.entries() {
        if !found.contains(&entry.fingerprint) && looked_at(entry) {
            compared.mended.push(entry.clone());
        } else {
            compared.kept.push(entry.clone());
        }
    }
    compared
}

/// What an assessment saw, once its verdicts went into the report.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Whether a file could not be read to its end.
    pub(super) incomplete: bool,
    /// Policies of which a rule lacked an input.
    pub(super) skipped: BTreeSet<String>,
}

impl Seen {
    pub(super) fn of(assessment: &Assessment) -> Self {
        Self { incomplete: assessment.incomplete, skipped: assessment.skipped.clone() }
    }
}

impl Compared {
    /// Names the entries that can be removed.
    pub(super) fn remark(&self, path: &Utf8Path, output: &mut Output<'_>) {
        let count = self.mended.len();
        if count == 0 {
            return;
        }
        let mut text = format!(
            "{count} {} of {path} {} open any more; `lint --baseline {path} --write-baseline {path}` takes {} out:",
            if count == 1 { "finding" } else { "findings" },
            if count == 1 { "is not" } else { "are not" },
            if count == 1 { "it" } else { "them" },
        );
        for Entry { policy, subject, path, .. } in &self.mended {
            text.push_str(&format!("\n  {policy} {subject} in {path}"));
        }
        output.remark(&text);
    }
}

/// Writes the baseline of `--write-baseline`: with a baseline that was read, what of it still stands, else everything
/// open. Then everything that is in it is known.
pub(super) fn write(
    path: &Utf8Path,
    report: &mut Report<'_>,
    earlier: Option<&Compared>,
    surroundings: &Surroundings,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let on_disk = surroundings.on_disk(path);
    // A mistyped path must not cost a file.
    if on_disk.exists() && read(path, surroundings).is_err() {
        return Err(Error::Input {
            path: path.to_owned(),
            message: "there is another file, which is no baseline".to_owned(),
            help: "choose another name, or remove the file".to_owned(),
        });
    }
    let mut critical = 0;
    let mut left_out = 0;
    let entries = if let Some(earlier) = earlier {
        earlier.kept.clone()
    } else {
        let mut entries = Vec::new();
        report.quieten(|finding, fingerprint| {
            if !takes(finding) {
                left_out += 1;
                return false;
            }
            critical += usize::from(finding.severity == Severity::Critical);
            entries.push(Entry {
                path: String::new(),
                policy: finding.code.clone(),
                subject: finding.subject.as_ref().map(|subject| subject.address.clone()).unwrap_or_default(),
                verdict: finding.verdict,
                fingerprint: fingerprint.to_owned(),
            });
            true
        });
        let known = report.verdicts().iter().filter(|finding| finding.baselined);
        let paths: Vec<String> = known.map(|finding| report.path(finding).into_string()).collect();
        for (entry, path) in entries.iter_mut().zip(paths) {
            entry.path = path;
        }
        entries
    };
    let baseline = Baseline::new(entries);
    std::fs::write(&on_disk, baseline.to_text())
        .map_err(|source| Error::File { path: path.to_owned(), source })?;
    let count = baseline.entries().len();
    output.remark(&format!(
        "{path}: {count} {} known from now on",
        if count == 1 { "finding is" } else { "findings are" }
    ));
    if critical > 0 {
        output.warn(&format!("{critical} of them {} critical", if critical == 1 { "is" } else { "are" }));
    }
    if left_out > 0 {
        output.warn(&format!(
            "{left_out} left out: faults of input files and of waivers are mended, not remembered"
        ));
    }
    Ok(())
}
