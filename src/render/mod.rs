//! Rendering: a platform becomes a file set in memory; a file set lands on disk whole or not at all.

pub mod drift;
mod environment;
mod escape;
pub mod lock;
mod templates;
pub mod write;

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::blueprint::Platform;

pub use templates::Overrides;

/// What a render produces: path below the output directory to bytes.
pub type FileSet = BTreeMap<Utf8PathBuf, Vec<u8>>;

/// Why nothing could be rendered: a fault of a template, never of the blueprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{template}{}: {message}", line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct RenderError {
    /// The template, as a path below `templates/`.
    pub template: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl RenderError {
    fn list(message: &str) -> Self {
        Self { template: "files.yaml".to_owned(), line: None, message: message.to_owned() }
    }

    fn template(name: &str, error: &minijinja::Error) -> Self {
        let detail = error
            .detail()
            .map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
        let inner = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
        let message = inner.fold(detail, |text, cause| format!("{text}: {cause}"));
        Self { template: error.name().unwrap_or(name).to_owned(), line: error.line(), message }
    }
}

/// Compiles a platform to files. Pure: no clock, environment, network or disk; the same platform gives the same bytes.
///
/// `blueprint_path` is printed into the files' first lines; `overrides` stand in for templates of ours.
///
/// # Errors
/// A template that does not parse, names something that does not exist, or prints a value where it does not fit.
pub fn render(
    platform: &Platform,
    blueprint_path: &str,
    overrides: &Overrides,
) -> Result<FileSet, RenderError> {
    let mut files = templates::render(platform, blueprint_path, overrides)?;
    for (path, bytes) in &mut files {
        if path.extension() == Some("tf")
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            *bytes = crate::terraform::format::format(text).into_bytes();
        }
    }
    Ok(files)
}
