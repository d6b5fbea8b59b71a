//! `nexafi-gen completions`.

use clap::CommandFactory as _;

use super::args::{Arguments, Completions};
use super::{Error, ExitCode, Output};

pub(super) fn run(args: &Completions, output: &mut Output<'_>) -> Result<ExitCode, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "nexafi-gen", &mut script);
    output.print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Clean)
}
