//! Plans that `terraform show -json` printed: which files are some, and what is in them.

use std::fs::File;

use camino::Utf8Path;

use crate::source::{FileId, SourceFile, Sources};
use crate::terraform::plan::{self, PlanError, Planned};

use super::error::disk_help;
use super::inputs::FoundPlan;
use super::reading::glance;
use super::{Error, Surroundings};

/// What a file is, by its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A plan as JSON, or a state: which of the two is told by reading it.
    Plan,
    /// A plan as `terraform plan -out` writes it.
    Binary,
    /// Something else.
    Other,
}

/// Looks at the beginning of a file.
pub(super) fn kind(on_disk: &Utf8Path) -> Kind {
    let Ok(glance) = glance(on_disk) else { return Kind::Other };
    // An archive whose first entry is the plan: <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>
    if glance.starts_with(b"PK\x03\x04") && glance.windows(6).take(64).any(|name| name == b"tfplan") {
        return Kind::Binary;
    }
    let text = String::from_utf8_lossy(&glance);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let has = |key: &str| text.contains(key);
    // `jq -S` sorts the keys; then the configuration comes first, and the versions may come much later.
    let is_plan = has("\"terraform_version\"") && has("\"format_version\"")
        || has("\"configuration\"") && (has("\"provider_config\"") || has("\"root_module\""));
    if text.starts_with('{') && is_plan && !has("\"apiVersion\"") { Kind::Plan } else { Kind::Other }
}

/// A plan in the form that only Terraform reads.
pub(super) fn binary(path: &Utf8Path) -> Error {
    Error::Input {
        path: path.to_owned(),
        message: "it is a plan in Terraform's own form".to_owned(),
        help: format!("`terraform show -json {path} > plan.json` makes JSON of it, and that is read"),
    }
}

/// Reads a plan, and adds its file to the sources, of which the text is not kept. `None` for a file that nobody named and that
/// is no plan.
pub(super) fn read(
    FoundPlan { path, named }: &FoundPlan,
    sources: &mut Sources,
    surroundings: &Surroundings,
) -> Result<Option<(FileId, Planned)>, Error> {
    let fault = |message: String, help: String| Error::Input { path: path.clone(), message, help };
    let file = File::open(surroundings.on_disk(path))
        .map_err(|error| fault(error.to_string(), disk_help(&error)))?;
    let id = sources.add(SourceFile::unkept(path, vec![0], 0));
    let read = plan::read(id, file, sources);
    if let (Err(PlanError::State | PlanError::NoPlan), false) = (&read, named) {
        return Ok(None);
    }
    let mut planned = read.map_err(|error| {
        let help = match &error {
            PlanError::Json(json) if json.is_io() => "",
            PlanError::Json(_) => {
                "print it again with `terraform show -json PLANFILE`, and nothing else in the file"
            }
            PlanError::State => {
                "`terraform plan -out=tfplan`, then `terraform show -json tfplan` prints the plan"
            }
            PlanError::NoPlan => "give what `terraform show -json PLANFILE` prints",
            PlanError::Format(_) => "take a newer version of this tool",
        };
        fault(error.to_string(), help.to_owned())
    })?;
    let lines = std::mem::take(&mut planned.line_starts);
    sources.replace(id, SourceFile::unkept(path, lines, planned.length));
    Ok(Some((id, planned)))
}
