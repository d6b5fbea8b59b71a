//! The command line: arguments in, text and an exit code out. Nothing here reads the clock, the environment or the
//! working directory; `main` does and passes them in.

mod args;
mod assess;
mod baseline;
mod beside;
mod choose;
mod completions;
mod error;
mod evidence;
mod explain;
mod file;
mod fix;
mod graph;
mod init;
mod inputs;
mod judge;
mod kustomizations;
mod lint;
mod man;
mod modules;
mod origin;
mod output;
mod paths;
mod plans;
mod policies;
mod progress;
mod publish;
mod reading;
mod render;
mod repeated;
mod schema;
mod sniff;
mod waive;

use std::ffi::OsString;
use std::num::NonZero;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Parser as _;

pub use error::Error;
pub use output::Output;
pub use progress::Terminal;

use crate::threads;

use args::{Arguments, ColourChoice, Command};

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Nothing to complain about.
    Clean,
    /// Findings at or above `--fail-on`, or drift.
    Findings,
    /// The arguments or an input cannot be used.
    Unusable,
    /// Our fault.
    Fault,
}

impl From<ExitCode> for u8 {
    fn from(code: ExitCode) -> Self {
        match code {
            ExitCode::Clean => 0,
            ExitCode::Findings => 1,
            ExitCode::Unusable => 2,
            ExitCode::Fault => 3,
        }
    }
}

/// Reads names and values.
pub type Variables = fn() -> Vec<(String, String)>;

/// What the process knows of the world around it.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The working directory, absolute. Relative paths are below it.
    pub directory: Utf8PathBuf,
    /// Today's date in UTC, what `--at` says unless it is given.
    pub today: Option<jiff::civil::Date>,
    /// Whether standard output is a terminal that shows colours.
    pub colour: bool,
    /// The terminal's columns, if known.
    pub width: Option<usize>,
    /// Where the progress of long work is drawn, if somebody looks at standard error.
    pub progress: Option<Terminal>,
    /// Reads the variables of the environment that Terraform takes for its own, without their prefix `TF_VAR_`. Only
    /// `--var-env` asks for them.
    pub variables: Option<Variables>,
    /// How many threads share the work; as many as there are processors, if nothing is said. What comes out is the same.
    pub threads: Option<NonZero<usize>>,
}

impl Surroundings {
    /// Where a path as typed lies on disk.
    fn on_disk(&self, typed: &Utf8Path) -> Utf8PathBuf {
        self.directory.join(typed)
    }
}

/// Runs one command. `arguments` begin with the program's name.
pub fn run<I>(arguments: I, surroundings: &Surroundings, output: &mut Output<'_>) -> ExitCode
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error, surroundings, output),
    };
    output.quiet = arguments.common.quiet;
    output.verbose = arguments.common.verbose;
    output.style.width = surroundings.width.unwrap_or(100).clamp(40, 140);
    output.style.colour = match arguments.common.color {
        ColourChoice::Always => true,
        ColourChoice::Never => false,
        ColourChoice::Auto => surroundings.colour,
    };
    output.style.links = output.style.colour && surroundings.colour;
    let command = || match arguments.command {
        Command::Init(args) => init::run(&args, surroundings, output),
        Command::Lint(args) => lint::run(&args, surroundings, output),
        Command::Render(args) => render::run(&args, surroundings, output),
        Command::Fix(args) => fix::run(&args, surroundings, output),
        Command::Explain(args) => explain::run(&args, surroundings, output),
        Command::Policies(args) => policies::run(&args, surroundings, output),
        Command::Evidence(args) => evidence::run(&args, surroundings, output),
        Command::Graph(args) => graph::run(&args, surroundings, output),
        Command::Schema(args) => schema::run(&args, output),
        Command::Completions(args) => completions::run(&args, output),
        Command::Man(args) => man::run(&args, surroundings, output),
    };
    threads::limited(surroundings.threads, command).unwrap_or_else(|error| {
        output.error(&error);
        error.exit_code()
    })
}

/// What clap has to say: help and version on standard output, mistakes on standard error.
fn usage(error: &clap::Error, surroundings: &Surroundings, output: &mut Output<'_>) -> ExitCode {
    let rendered = error.render();
    if error.use_stderr() {
        output.err(&rendered.to_string());
        return ExitCode::Unusable;
    }
    let text = if surroundings.colour { rendered.ansi().to_string() } else { rendered.to_string() };
    match output.print(&text) {
        Ok(()) => ExitCode::Clean,
        Err(error) => error.exit_code(),
    }
}
