//! `nexafi-gen evidence`.

use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use crate::blueprint;
use crate::evidence::{self, Evidence, Hashed, Tally};
use crate::policy::waiver::of_blueprint;
use crate::policy::{embedded, facts};
use crate::render::lock::{hash, text_hash};
use crate::render::{self, FileSet, Overrides};
use crate::report::{Input, InputKind, Report};
use crate::source::Sources;

use super::args::{Checks, Chosen, Evidence as Arguments};
use super::assess::Assessment;
use super::file;
use super::inputs::policy_files;
use super::judge::Judge;
use super::lint::verdict;
use super::origin::{Origin, Trees};
use super::publish::Targets;
use super::reading::read_file;
use super::render::{judge_rendered, overrides, template_error};
use super::{Error, ExitCode, Output, Surroundings};

pub(super) fn run(
    args: &Arguments,
    surroundings: &Surroundings,
    output: &mut Output<'_>,
) -> Result<ExitCode, Error> {
    let checks = checks(args);
    let mut sources = Sources::default();
    let blueprint = sources.add(read_file(&args.blueprint, surroundings)?);
    let (judge, faults) = Judge::new(&checks, surroundings, &mut sources)?;
    let mut assessment =
        Assessment { incomplete: !faults.is_empty(), verdicts: faults, ..Assessment::default() };
    let templates = args.templates.as_deref();
    let overrides = overrides(templates, surroundings)?;
    let Some(file) = sources.get(blueprint) else {
        return Err(Error::Internal("the blueprint's file is lost".to_owned()));
    };
    let text = file.text().to_owned();
    let loaded = blueprint::load(blueprint, file);
    assessment.incomplete |= loaded.platform.is_none();
    assessment.verdicts.extend(loaded.findings);
    let name = args.blueprint.file_name().unwrap_or_default();
    let files = match &loaded.platform {
        Some(platform) => {
            render::render(platform, name, &overrides).map_err(|error| template_error(templates, &error))?
        }
        None => FileSet::new(),
    };
    let origin = Origin::new(blueprint, Trees { view: loaded.view, tree: loaded.tree });
    let in_memory = files.iter().map(|(path, bytes)| (path.clone(), bytes.as_slice()));
    judge_rendered(&origin, in_memory, &mut sources, &judge, &mut assessment);

    let path = args.blueprint.as_str().replace('\\', "/");
    let inputs = vec![Input { path, kind: InputKind::Blueprint }];
    let mut report = Report::new(&sources, &surroundings.directory, inputs, assessment.verdicts);
    report.strict = args.strict;
    let exit = verdict(&report, &checks, assessment.incomplete);
    let applied: Vec<_> = judge.applied().collect();
    // What has no policy is a fault of the input, and of files that cannot be used nothing is proven.
    let faulty = |code: &str| !applied.iter().any(|policy| policy.id == code);
    let faulty = report.verdicts().iter().any(|finding| faulty(&finding.code));
    judge.remark(output);
    let Some(platform) = loaded.platform.as_ref().filter(|_| !faulty && !assessment.incomplete) else {
        let targets = Targets::of(&checks, [&args.blueprint], surroundings)?;
        targets.publish(&report, |_| true, surroundings, output)?;
        output.remark("nothing was written: what cannot be read proves nothing");
        return Ok(exit);
    };

    let evidence = Evidence {
        platform,
        sources: &sources,
        blueprint,
        name,
        place: &|pointer| origin.place(pointer),
        verdicts: report.verdicts(),
        policies: applied,
        frameworks: &args.framework,
        skipped: &assessment.skipped,
        waivers: origin.view().map(of_blueprint).unwrap_or_default(),
        at: judge.at,
        picture: crate::graph::svg(platform),
        inputs: hashed_inputs(args, &text, &overrides, &judge, surroundings)?,
        outputs: hashed_outputs(&files),
    };
    let made = evidence::files(&evidence).map_err(|error| Error::Internal(error.to_string()))?;
    let written = [(evidence::PAGE, &made.page), (evidence::CONTROLS, &made.controls)];
    write(&args.out, &written, surroundings)?;
    output.remark(&summary(&args.out, made.tally));
    if exit == ExitCode::Findings {
        output.remark(&open(&report));
    }
    Ok(exit)
}

/// One line on the controls.
fn summary(directory: &Utf8Path, tally: Tally) -> String {
    let mut line =
        format!("{}: {} of {} controls met", directory.join(evidence::PAGE), tally.met, tally.total());
    for (count, word) in [
        (tally.failed, "failed"),
        (tally.unproven, "unproven"),
        (tally.waived, "waived"),
        (tally.silent, "without anything to judge"),
    ] {
        if count > 0 {
            line.push_str(&format!(", {count} {word}"));
        }
    }
    line
}

/// Why the run ends with 1 although the page is there.
fn open(report: &Report<'_>) -> String {
    let counts = report.summary();
    let count = counts.fail + if report.strict { counts.unproven } else { 0 };
    let verdicts = if count == 1 { "1 verdict stands" } else { &format!("{count} verdicts stand") };
    format!("{verdicts} open, as the page shows; `nexafi-gen lint` says how to mend them")
}

/// What `lint` would be given to judge the same.
fn checks(args: &Arguments) -> Checks {
    Checks {
        fail_on: args.fail_on,
        strict: args.strict,
        at: args.at,
        chosen: Chosen {
            framework: args.framework.clone(),
            policies: args.policies.clone(),
            ..Chosen::default()
        },
        ..Checks::default()
    }
}

/// Everything that decides what the page says, beside the version of the tool.
fn hashed_inputs(
    args: &Arguments,
    blueprint: &str,
    overrides: &Overrides,
    judge: &Judge,
    surroundings: &Surroundings,
) -> Result<Vec<Hashed>, Error> {
    let text = |kind, path: &str, text: &str| Hashed {
        kind,
        path: path.replace('\\', "/"),
        sha256: text_hash(text),
        note: String::new(),
    };
    let mut inputs = vec![text("blueprint", args.blueprint.file_name().unwrap_or_default(), blueprint)];
    inputs.extend(overrides.iter().map(|(path, content)| text("template", path, content)));
    for directory in &args.policies {
        for path in policy_files(directory, surroundings)? {
            let file = read_file(&path, surroundings)?;
            // By its place below the directory: how that was typed does not matter.
            let below = path.strip_prefix(directory).unwrap_or(&path);
            inputs.push(text("policy", below.as_str(), file.text()));
        }
    }
    let table = |name| {
        let facts = facts::table(name)?;
        let read = facts.read.map(|read| format!("read {read}: ")).unwrap_or_default();
        Some(Hashed { note: format!("{read}{}", facts.source()), ..text("facts", name, facts.text) })
    };
    inputs.extend(judge.facts().into_iter().filter_map(table));
    inputs.extend(embedded().into_iter().map(|(path, content)| text("policy", path, content)));
    Ok(inputs)
}

/// The files as `render` writes them.
fn hashed_outputs(files: &FileSet) -> Vec<Hashed> {
    let hashed = |(path, bytes): (&Utf8PathBuf, &Vec<u8>)| Hashed {
        kind: "generated",
        path: path.as_str().replace('\\', "/"),
        sha256: hash(bytes),
        note: String::new(),
    };
    files.iter().map(hashed).collect()
}

/// Both files are complete on disk before one of them takes its place, so that nobody reads half a page.
fn write(directory: &Utf8Path, files: &[(&str, &String)], surroundings: &Surroundings) -> Result<(), Error> {
    let failed = |path: Utf8PathBuf| move |source| Error::File { path, source };
    let on_disk = surroundings.on_disk(directory);
    std::fs::create_dir_all(&on_disk).map_err(failed(directory.to_owned()))?;
    let mut staged = Vec::new();
    for (name, text) in files {
        let mut file = file::staged(&on_disk, None).map_err(failed(directory.to_owned()))?;
        file.write_all(text.as_bytes()).map_err(failed(directory.join(name)))?;
        staged.push((file, *name));
    }
    for (file, name) in staged {
        file.persist(on_disk.join(name)).map_err(|error| failed(directory.join(name))(error.error))?;
    }
    Ok(())
}
