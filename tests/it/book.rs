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

/// The pages that are written by hand, or made of the schema: all but those of the policies.
fn pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for entry in walkdir::WalkDir::new("docs").max_depth(1).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            pages.push((name, std::fs::read_to_string(path).unwrap()));
        }
    }
    pages
}

#[test]
fn every_command_in_the_book_prints_what_the_page_shows() {
    let mut commands = 0;
    for (page, text) in pages() {
        let desk = Desk::new();
        for (info, block) in blocks(&text) {
            if let Some((_, name)) = info.split_once("file=") {
                desk.put(name, &block);
            }
            if info != "console" {
                let calls =
                    block.lines().any(|line| line.trim_start_matches("$ ").starts_with("nexafi-gen "));
                assert!(!calls, "docs/{page}.md: a command in a block that is not run:\n{block}");
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
    assert!(commands >= 20, "{commands}");
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
