//! The command line of `nexafi-gen`: the only place that reads the clock, the environment and the working directory.

use std::io::{IsTerminal as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use camino::Utf8PathBuf;
use nexafi_gen::cli::{ExitCode as Ended, Output, Surroundings, Terminal, run};

/// A run makes and drops some hundred thousand small values; this takes a fifth less time for it than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // What panicked is our fault, never the user's: one line they can send us, and exit code 3.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        let message = info.payload_as_str().unwrap_or("no message");
        let _ = writeln!(
            std::io::stderr(),
            "nexafi-gen {} failed{place}: {message}\nhelp: this is a bug in nexafi-gen, not in your files; please \
             report this line, the command and its input",
            env!("CARGO_PKG_VERSION")
        );
    }));
    let ended = catch_unwind(AssertUnwindSafe(|| match surroundings() {
        Ok(surroundings) => {
            let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
            run(arguments(), &surroundings, &mut Output::new(&mut out, &mut err))
        }
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "error: {message}");
            Ended::Unusable
        }
    }));
    ExitCode::from(u8::from(ended.unwrap_or(Ended::Fault)))
}

#[expect(clippy::disallowed_methods, reason = "the binary is where the process's surroundings are read")]
fn surroundings() -> Result<Surroundings, String> {
    let directory =
        std::env::current_dir().map_err(|error| format!("the working directory cannot be used: {error}"))?;
    let directory = Utf8PathBuf::from_path_buf(directory)
        .map_err(|path| format!("the working directory's name is not UTF-8: {}", path.display()))?;
    let today = jiff::Timestamp::try_from(std::time::SystemTime::now())
        .ok()
        .map(|now| jiff::tz::Offset::UTC.to_datetime(now).date());
    // https://no-color.org: any value that is not empty.
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    let terminal = std::io::stdout().is_terminal();
    let open: Terminal = || Box::new(std::io::stderr());
    let progress = (std::io::stderr().is_terminal() && !dumb).then_some(open);
    // Shells keep COLUMNS to themselves unless told to export it.
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = said.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)));
    Ok(Surroundings {
        directory,
        today,
        colour: terminal && !no_color && !dumb,
        width,
        progress,
        variables: Some(variables),
        threads: None,
    })
}

/// What the environment gives to Terraform's variables.
#[expect(clippy::disallowed_methods, reason = "the binary is where the process's surroundings are read")]
fn variables() -> Vec<(String, String)> {
    let named = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        let name = name.to_str()?.strip_prefix("TF_VAR_")?.to_owned();
        Some((name, value.into_string().ok()?))
    };
    let mut variables: Vec<_> = std::env::vars_os().filter_map(named).collect();
    variables.sort();
    variables
}

#[expect(clippy::disallowed_methods, reason = "the binary is where the process's surroundings are read")]
fn arguments() -> std::env::ArgsOs {
    std::env::args_os()
}
