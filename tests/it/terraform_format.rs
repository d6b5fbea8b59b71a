//! The formatter prints what `terraform fmt` prints.

use std::path::Path;
use std::process::Command;

use nexafi_gen::terraform::format::format;
use proptest::prelude::*;

fn corpus() -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/terraform/fmt");
    walkdir::WalkDir::new(directory)
        .sort_by_file_name()
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

#[allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a skipped test says so, and fails where CI is set"
)]
/// `terraform fmt` on many texts at once; `None` if there is no terraform.
fn terraform_fmt(texts: &[String]) -> Option<Vec<String>> {
    let directory = tempfile::tempdir().unwrap();
    let path = |at: usize| directory.path().join(format!("file{at:04}.tf"));
    for (at, text) in texts.iter().enumerate() {
        std::fs::write(path(at), text).unwrap();
    }
    let ran =
        Command::new("terraform").args(["fmt", "-no-color", "-list=false"]).arg(directory.path()).output();
    let Ok(output) = ran else {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no terraform on PATH");
        println!("skipped: no terraform on PATH");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some((0..texts.len()).map(|at| std::fs::read_to_string(path(at)).unwrap()).collect())
}

/// Changes the space at the start of lines and between words, not in heredocs, strings or comments.
fn disturbed(text: &str, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = |limit: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % limit
    };
    let mut result = String::new();
    let mut marker: Option<String> = None;
    for line in text.split_inclusive('\n') {
        if let Some(end) = &marker {
            result.push_str(line);
            if line.trim() == end {
                marker = None;
            }
            continue;
        }
        if let Some((_, start)) = line.trim_end().split_once("<<") {
            marker = Some(start.trim_start_matches('-').to_owned());
            result.push_str(line);
            continue;
        }
        let mut quoted = false;
        let mut comment = line.contains("/*") || line.contains("*/");
        let mut previous = '\n';
        for (at, letter) in line.char_indices() {
            if letter == '"' && previous != '\\' {
                quoted = !quoted;
            }
            comment |= !quoted && (letter == '#' || line[at..].starts_with("//"));
            if letter == ' ' && !quoted && !comment {
                for _ in 0..=random(3) {
                    result.push(if random(4) == 0 { '\t' } else { ' ' });
                }
            } else {
                let tight = matches!(letter, '=' | '{' | '[' | ',' | '(') && previous == ' ';
                if tight && !quoted && !comment && random(4) == 0 {
                    result.pop();
                }
                result.push(letter);
            }
            previous = letter;
        }
        if line.trim().is_empty() && line.ends_with('\n') && random(3) == 0 {
            result.push_str(" \n");
        }
    }
    result
}

#[test]
fn the_format_is_terraforms() {
    let mut names = Vec::new();
    let mut texts = Vec::new();
    for (name, text) in corpus() {
        for seed in 0..12 {
            names.push(format!("{name}, seed {seed}"));
            texts.push(if seed == 0 { text.clone() } else { disturbed(&text, seed) });
        }
    }
    let Some(expected) = terraform_fmt(&texts) else { return };
    let mut wrong = String::new();
    for ((name, text), expected) in names.iter().zip(&texts).zip(&expected) {
        let formatted = format(text);
        if formatted != *expected {
            let difference = similar::TextDiff::from_lines(expected, &formatted);
            wrong
                .push_str(&format!("{name}:\n{}", difference.unified_diff().header("terraform fmt", "ours")));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_cannot_be_formatted_comes_back_as_it_is() {
    for text in ["a = {\n", "a   = \"x", "a =   )", "a   = 'x'", "a  = <<E\n x"] {
        assert_eq!(format(text), text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn formatting_twice_changes_nothing_more(text in "(\\PC|[\\n{}\"$=]|a = 1 # x\n|b \"c\" \\{\n|\n\\}\n|\\$\\{|<<E\n|\nE\n| ){0,40}") {
        let once = format(&text);
        prop_assert_eq!(format(&once), once);
    }
}
