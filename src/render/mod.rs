//! Rendering: a platform becomes a file set in memory; a file set lands on disk whole or not at all.

pub mod drift;
pub mod lock;
pub mod write;

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::blueprint::Platform;

/// What a render produces: path below the output directory to bytes.
pub type FileSet = BTreeMap<Utf8PathBuf, Vec<u8>>;
/// Why a platform could not be rendered: always a fault of a template, never of a blueprint.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RenderError(String);

/// Renders a platform. Pure: same platform, same bytes.
pub fn render(platform: &Platform) -> Result<FileSet, RenderError> {
    Err(RenderError(format!("there is no template for `{}` yet", platform.blueprint.name.as_str())))
}
