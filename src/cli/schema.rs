//! `nexafi-gen schema`.

use crate::{blueprint, policy, report};

use super::args::{Schema, SchemaSubject};
use super::{Error, ExitCode, Output};

pub(super) fn run(args: &Schema, output: &mut Output<'_>) -> Result<ExitCode, Error> {
    output.print(match args.subject {
        SchemaSubject::Blueprint => blueprint::schema::TEXT,
        SchemaSubject::Policy => policy::schema::TEXT,
        SchemaSubject::Report => report::SCHEMA_TEXT,
    })?;
    Ok(ExitCode::Clean)
}
