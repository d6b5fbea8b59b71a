//! Maintenance commands of the repository: `cargo xtask NAME`.

mod blueprint_docs;
mod kubernetes_schema;
mod policy_docs;
mod provider_schema;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[expect(clippy::disallowed_methods, reason = "a binary reads its arguments")]
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(written) => {
            say(&format!("wrote {}", written.display()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<PathBuf, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("xtask has no parent directory")?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["schemas"] => schemas(root),
        ["docs"] => {
            policy_docs::run(root)?;
            blueprint_docs::run(root)
        }
        ["import-kubernetes-schema", directory] => kubernetes_schema::run(Path::new(directory), root),
        ["import-provider-schema", file] => provider_schema::run(Path::new(file), None, root),
        ["import-provider-schema", file, "--out", out] => {
            provider_schema::run(Path::new(file), Some(Path::new(out)), root)
        }
        _ => Err("usage: cargo xtask docs\n       \
                  cargo xtask schemas\n       \
                  cargo xtask import-kubernetes-schema DIRECTORY\n       \
                  cargo xtask import-provider-schema FILE [--out FILE]"
            .into()),
    }
}

/// The JSON Schemas of what people write and programs read, made from the types.
fn schemas(root: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let directory = root.join("schemas");
    for (name, schema) in [
        ("blueprint", nexafi_gen::blueprint::schema::generate()),
        ("policy", nexafi_gen::policy::schema::generate()),
        ("report", nexafi_gen::report::generate_schema()),
    ] {
        let text = format!("{}\n", serde_json::to_string_pretty(&schema)?);
        std::fs::write(directory.join(format!("{name}.schema.json")), text)?;
    }
    Ok(directory)
}

fn say(line: &str) {
    use std::io::Write as _;
    // A closed pipe is no reason to fail: the file is written or the error is in the exit code.
    let _ = writeln!(std::io::stderr(), "{line}");
}
