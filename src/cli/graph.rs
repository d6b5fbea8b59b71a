//! `nexafi-gen graph`.

use crate::blueprint;
use crate::graph;
use crate::report::{Format, Input, InputKind, Report};
use crate::source::{Severity, Sources};

use super::args::{Graph, GraphFormat};
use super::file;
use super::reading::read_file;
use super::{Error, ExitCode, Output, Surroundings};

pub(super) fn run(
    args: &Graph,
    surroundings: &Surroundings,
    output: &mut Output<'_>,
) -> Result<ExitCode, Error> {
    let mut sources = Sources::default();
    let id = sources.add(read_file(&args.blueprint, surroundings)?);
    let Some(file) = sources.get(id) else {
        return Err(Error::Internal("the blueprint's file is lost".to_owned()));
    };
    let loaded = blueprint::load(id, file);
    let Some(platform) = &loaded.platform else {
        let path = args.blueprint.as_str().replace('\\', "/");
        let inputs = vec![Input { path, kind: InputKind::Blueprint }];
        let report = Report::new(&sources, &surroundings.directory, inputs, loaded.findings);
        // Standard output is the picture's alone.
        output.err(&report.render(Format::default(), output.style));
        output.remark("nothing was drawn: the blueprint cannot be resolved");
        // As `lint` ends with what it cannot read to its end.
        return Ok(if report.fails(Severity::Medium) { ExitCode::Findings } else { ExitCode::Unusable });
    };
    let drawn = match args.format {
        GraphFormat::Svg => graph::svg(platform),
        GraphFormat::Mermaid => graph::mermaid(platform),
        GraphFormat::Dot => graph::dot(platform),
    };
    match &args.output {
        None => output.print(&drawn)?,
        Some(path) => {
            let on_disk = surroundings.on_disk(path);
            if let (Some(directory), Some(typed)) = (on_disk.parent(), path.parent())
                && !directory.is_dir()
            {
                return Err(Error::Input {
                    path: path.clone(),
                    message: format!("there is no directory {typed}"),
                    help: "make it first, or write somewhere else".to_owned(),
                });
            }
            file::write(&on_disk, |out| out.write_all(drawn.as_bytes()))
                .map_err(|source| Error::File { path: path.clone(), source })?;
            output.remark(&format!("{path} is written"));
        }
    }
    Ok(ExitCode::Clean)
}
