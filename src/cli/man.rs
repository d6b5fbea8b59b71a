//! `nexafi-gen man`.

use clap::CommandFactory as _;
use clap_mangen::Man as Page;

use super::args::{Arguments, Man};
use super::{Error, ExitCode, Output, Surroundings};
use crate::source::did_you_mean;

pub(super) fn run(
    args: &Man,
    surroundings: &Surroundings,
    output: &mut Output<'_>,
) -> Result<ExitCode, Error> {
    let mut root = Arguments::command().disable_help_subcommand(true);
    // Gives subcommands their whole names, and the options that all share.
    root.build();
    if let Some(directory) = &args.out {
        let on_disk = surroundings.on_disk(directory);
        let unwritable = |source| Error::File { path: directory.clone(), source };
        std::fs::create_dir_all(&on_disk).map_err(unwritable)?;
        let mut pages = vec![root];
        while let Some(command) = pages.pop() {
            let (name, text) = page(&command)?;
            std::fs::write(on_disk.join(name), text).map_err(unwritable)?;
            pages.extend(command.get_subcommands().cloned());
        }
        return Ok(ExitCode::Clean);
    }
    let mut command = &root;
    for name in &args.command {
        command = command.find_subcommand(name).ok_or_else(|| {
            let known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
            Error::Usage {
                message: format!(
                    "{} has no command `{name}`",
                    command.get_display_name().unwrap_or("nexafi-gen")
                ),
                help: match did_you_mean(name, known.iter().copied()) {
                    Some(close) => format!("did you mean `{close}`?"),
                    None if known.is_empty() => "it has no commands".to_owned(),
                    None => format!("it has: {}", known.join(", ")),
                },
            }
        })?;
    }
    output.print(&page(command)?.1)?;
    Ok(ExitCode::Clean)
}

/// The name of a page's file, and the page.
fn page(command: &clap::Command) -> Result<(String, String), Error> {
    let page = Page::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text).map_err(Error::Output)?;
    Ok((page.get_filename(), String::from_utf8_lossy(&text).into_owned()))
}
