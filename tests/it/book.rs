//! Every command in the book's pages does what the page shows.

use crate::cli::Desk;

/// Fenced blocks: what stands behind the fence, and the text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in page.split_inclusive('\n') {
        match (&mut open, line.trim_end().strip_prefix("```")) {
            (None, Some(info)) => open = Some((info.to_owned(), String::new())),
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some((_, text)), _) => text.push_str(line),
            (None, None) => {}
        }
    }
    blocks
}

/// Whether a text is the one shown; a line `...` stands for any lines.
fn shows(shown: &str, text: &str) -> bool {
    let mut rest = text;
    for (at, part) in shown.split("...\n").enumerate() {
        let found = if at == 0 {
            rest.strip_prefix(part)
        } else {
            rest.find(part).map(|at| &rest[at + part.len()..])
        };
        match found {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty() || shown.ends_with("...\n")
}

#[test]
fn every_command_in_the_book_prints_what_the_page_shows() {
    let mut commands = 0;
    for page in ["guide", "hooks-and-ci"] {
        let desk = Desk::new();
        let text = std::fs::read_to_string(format!("docs/{page}.md")).unwrap();
        for (info, block) in blocks(&text) {
            if let Some((_, name)) = info.split_once("file=") {
                desk.put(name, &block);
            }
            if info != "console" {
                continue;
            }
            for call in block.split("$ nexafi-gen ").skip(1) {
                let (arguments, shown) = call.split_once('\n').unwrap();
                let ended = desk.run(arguments);
                let printed = format!("{}{}", ended.out, ended.err);
                assert!(shows(shown, &printed), "docs/{page}.md: $ nexafi-gen {arguments}\n{printed}");
                commands += 1;
            }
        }
    }
    assert!(commands >= 8, "{commands}");
}

#[test]
fn the_contents_name_every_page() {
    let contents = std::fs::read_to_string("docs/SUMMARY.md").unwrap();
    for entry in walkdir::WalkDir::new("docs").sort_by_file_name() {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix("docs").unwrap().to_str().unwrap();
        if path.strip_suffix(".md").is_some_and(|page| page != "SUMMARY") {
            assert!(contents.contains(&format!("]({path})")), "docs/SUMMARY.md lacks {path}");
        }
    }
}
