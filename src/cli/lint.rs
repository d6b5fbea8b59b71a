//! `nexafi-gen lint`.

use crate::report::{Format, Report};

use super::args::{Checks, Lint};
use super::assess::assess;
use super::baseline::{self, Seen};
use super::inputs::Inputs;
use super::judge::Judge;
use super::modules;
use super::progress::Progress;
use super::publish::Targets;
use super::{Error, ExitCode, Output, Surroundings};

pub(super) fn run(
    args: &Lint,
    surroundings: &Surroundings,
    output: &mut Output<'_>,
) -> Result<ExitCode, Error> {
    let targets = Targets::of(&args.checks, &args.paths, surroundings)?;
    let earlier = match &args.checks.baseline {
        Some(path) => Some((path, baseline::read(path, surroundings)?)),
        None => None,
    };
    let quiet = output.quiet;
    let progress = |what: String| Progress::of(what, surroundings.progress.filter(|_| !quiet));
    let reading = progress("reading files".to_owned());
    let mut inputs = Inputs::gather(&args.paths, surroundings);
    drop(reading);
    let (judge, faults) = Judge::new(&args.checks, surroundings, &mut inputs.sources)?;
    for warning in &inputs.warnings {
        output.warn(warning);
    }
    for detail in &inputs.details {
        output.detail(detail);
    }
    let listed = inputs.listed();
    if listed.is_empty() && inputs.unusable.is_empty() {
        output.warn("nothing was checked: there is no blueprint, no .tf file and no Kubernetes manifest");
    }
    let judging = progress(format!("judging {} files", listed.len()));
    let (roots, unread) = modules::roots(&mut inputs, &args.given, surroundings)?;
    let mut assessment = assess(&mut inputs, &roots, &judge, surroundings);
    assessment.verdicts.extend(unread);
    drop(judging);
    for warning in &assessment.warnings {
        output.warn(warning);
    }
    for (span, reason) in &assessment.unread {
        let place = inputs.sources.get(span.file).map_or_else(String::new, |file| {
            format!("{}:{}: ", file.path(), file.line_column(span.start as usize).line)
        });
        output.warn(&format!("{place}{reason}; what depends on it is unproven"));
    }
    // A policy that cannot be used is not applied, so nothing it would have said was said.
    assessment.incomplete |= !faults.is_empty();
    assessment.verdicts.extend(faults);

    let seen = Seen::of(&assessment);
    let mut report = Report::new(&inputs.sources, &surroundings.directory, listed, assessment.verdicts);
    report.all = args.checks.all;
    report.strict = args.checks.strict;
    report.passes = assessment.passes;
    report.controls = judge.controls(&args.checks, &report);
    report.pages = pages();
    if targets.any(|format| format == Format::Sarif) {
        report.policies = judge.applied().collect();
    }
    let compared = earlier.as_ref().map(|(_, baseline)| {
        baseline::compare(&mut report, baseline, &inputs.sources, &judge, &seen, surroundings)
    });
    let readable = inputs.unusable.is_empty() && !seen.incomplete;
    match (&args.write_baseline, &earlier, &compared) {
        (Some(path), _, _) if readable => {
            baseline::write(path, &mut report, compared.as_ref(), surroundings, output)?;
        }
        (Some(path), _, _) => {
            output.warn(&format!("{path} was not written: not every file could be read to its end"));
        }
        (None, Some((path, _)), Some(compared)) => compared.remark(path, output),
        (None, _, _) => {}
    }
    judge.remark(output);
    // What goes to the terminal itself shows that it goes on.
    let writing = targets.on_standard_output().is_none().then(|| progress("writing reports".to_owned()));
    targets.publish(&report, |_| true, surroundings, output)?;
    drop(writing);
    for error in &inputs.unusable {
        output.error(error);
    }
    if !inputs.unusable.is_empty() {
        return Ok(ExitCode::Unusable);
    }
    let verdict = verdict(&report, &args.checks, seen.incomplete);
    // The run ends here: to take policies and modules apart would take longer than to judge a small one.
    std::mem::forget(report);
    std::mem::forget((judge, roots));
    Ok(verdict)
}

/// How a report ends a run. What could not be read to its end is never clean, whatever `--fail-on` lets pass.
pub(super) fn verdict(report: &Report<'_>, checks: &Checks, incomplete: bool) -> ExitCode {
    let fails = checks.fail_on.threshold().is_some_and(|threshold| report.fails(threshold));
    match (fails, incomplete) {
        (true, _) => ExitCode::Findings,
        (false, true) => ExitCode::Unusable,
        (false, false) => ExitCode::Clean,
    }
}

/// Where the pages of the built-in policies are, if this was built from a package that names its repository.
pub(super) fn pages() -> Option<String> {
    let repository = env!("CARGO_PKG_REPOSITORY").trim_end_matches('/');
    (!repository.is_empty()).then(|| format!("{repository}/blob/HEAD/docs/policies"))
}
