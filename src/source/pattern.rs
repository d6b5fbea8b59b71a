//! Regular expressions of policies and tables of facts.

use regex_automata::meta::{Config, Regex};

/// Compiles a pattern within the size a policy can need.
///
/// Most patterns see a few short texts in a run, so that compiling is what takes time: the automata that pay only on
/// long texts are left out.
///
/// # Errors
/// What is wrong with the pattern, in one line.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let config = Config::new()
        .nfa_size_limit(Some(1 << 20))
        .auto_prefilter(false)
        .dfa(false)
        .hybrid(false)
        .onepass(false);
    Regex::builder().configure(config).build(pattern).map_err(|why| {
        // The message repeats the pattern over several lines; its last one says what is wrong.
        let why = why.syntax_error().map_or_else(|| why.to_string(), ToString::to_string);
        let why = why.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
        format!("the pattern does not compile: {why}")
    })
}
