//! `nexafi-gen schema`.

use crate::{blueprint, policy, report};

use super::args::{Schema, SchemaSubject};
use super::{Error, ExitCode, Output};

pub(super) fn run(args: &Schema, output: &mut Output<'_>) -> Result<ExitCode, Error> {
    let schema = match args.subject {
        SchemaSubject::Blueprint => blueprint::schema::schema(),
        SchemaSubject::Policy => policy::schema::policy(),
        SchemaSubject::Report => report::schema(),
    };
    let text = serde_json::to_string_pretty(&schema).map_err(|error| Error::Internal(error.to_string()))?;
    output.print(&format!("{text}\n"))?;
    Ok(ExitCode::Clean)
}
