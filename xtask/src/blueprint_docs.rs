//! `docs/blueprint.md`: every field of a blueprint, made from its JSON Schema, and `docs/SUMMARY.md`, the book's contents.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use nexafi_gen::policy::Catalogue;
use serde_json::Value;

/// What divides the written part of the contents from the part that is made.
const MADE_FROM_HERE: &str = "<!-- Made by `cargo xtask docs` from here on. -->\n";

/// Writes the reference and the contents.
pub(crate) fn run(root: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(root.join("schemas/blueprint.schema.json"))?)?;
    std::fs::write(root.join("docs/blueprint.md"), reference(&schema)?)?;
    let contents = root.join("docs/SUMMARY.md");
    let written = std::fs::read_to_string(&contents)?;
    let (written, _) =
        written.split_once(MADE_FROM_HERE).ok_or("docs/SUMMARY.md has lost the line that divides it")?;
    std::fs::write(&contents, format!("{written}{MADE_FROM_HERE}{}", policies()?))?;
    Ok(root.join("docs"))
}

/// The policies' pages, by domain.
fn policies() -> Result<String, std::fmt::Error> {
    let catalogue = Catalogue::builtin();
    let mut domains: Vec<&str> = catalogue.policies().iter().map(|policy| policy.domain.as_str()).collect();
    domains.sort_unstable();
    domains.dedup();
    let mut text = String::new();
    for domain in domains {
        writeln!(text, "  - [{domain}]()")?;
        for policy in catalogue.policies().iter().filter(|policy| policy.domain == domain) {
            writeln!(text, "    - [{}](policies/{}.md)", policy.id, policy.id)?;
        }
    }
    Ok(text)
}

fn reference(schema: &Value) -> Result<String, std::fmt::Error> {
    let mut text = String::from(
        "<!-- Made from schemas/blueprint.schema.json by `cargo xtask docs`; change the model and run it again. -->\n\n\
         # Every field of a blueprint\n\n\
         What has a default may be left out. `nexafi-gen schema blueprint` prints the same as JSON Schema, for editors.\n\n",
    );
    writeln!(text, "- [The blueprint](#the-blueprint)")?;
    let definitions = schema["$defs"].as_object();
    for (name, _) in definitions.into_iter().flatten() {
        writeln!(text, "- [{name}](#{})", anchor(name))?;
    }
    section(&mut text, "The blueprint", schema)?;
    for (name, definition) in definitions.into_iter().flatten() {
        section(&mut text, name, definition)?;
    }
    Ok(text)
}

fn section(text: &mut String, name: &str, definition: &Value) -> std::fmt::Result {
    writeln!(text, "\n## {name}\n\n{}", said(definition))?;
    if let Some(fields) = definition["properties"].as_object() {
        writeln!(text, "\n| field | value | default | |\n|---|---|---|---|")?;
        for (field, value) in fields {
            let required =
                definition["required"].as_array().is_some_and(|names| names.iter().any(|name| name == field));
            let default = match value.get("default") {
                _ if required => "**has to be said**".to_owned(),
                Some(default) => code(&short(default)),
                None => "nothing".to_owned(),
            };
            writeln!(text, "| `{field}` | {} | {default} | {} |", kind(value), cell(&said(value)))?;
        }
    } else {
        let choices = ["oneOf", "anyOf"].iter().find_map(|key| definition[*key].as_array());
        if let Some(choices) = choices {
            writeln!(text, "\n| value | |\n|---|---|")?;
            for choice in choices {
                let value = choice.get("const").map_or_else(|| kind(choice), |one| code(&one.to_string()));
                writeln!(text, "| {value} | {} |", cell(&said(choice)))?;
            }
        } else {
            writeln!(text, "\n{}", kind(definition))?;
        }
        let examples: Vec<String> = definition["examples"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| code(&one.to_string()))
            .collect();
        if !examples.is_empty() {
            writeln!(text, "\nFor example {}.", examples.join(", "))?;
        }
    }
    Ok(())
}

/// What kind of value, with a link where it has a section.
fn kind(value: &Value) -> String {
    if let Some(name) = value["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return format!("[{name}](#{})", anchor(name));
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(choices) = value[key].as_array() {
            let kinds: Vec<String> = choices.iter().map(kind).filter(|kind| kind != "null").collect();
            return kinds.join(" or ");
        }
    }
    if let Some(one) = value.get("const") {
        return code(&one.to_string());
    }
    let mut text = match &value["type"] {
        Value::String(one) => one.clone(),
        Value::Array(several) => {
            let names: Vec<&str> =
                several.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect();
            names.join(" or ")
        }
        _ => "any".to_owned(),
    };
    if text == "array" {
        text = format!("list of {}", kind(&value["items"]));
    } else if text == "object" && value["additionalProperties"].is_object() {
        text = format!("name to {}", kind(&value["additionalProperties"]));
    }
    let bound = |key: &str, word: &str| value.get(key).map(|bound| format!(" {word} {bound}"));
    let bounds = [bound("minimum", "from"), bound("maximum", "to")];
    text.extend(bounds.into_iter().flatten());
    if let Some(pattern) = value["pattern"].as_str() {
        let _ = write!(text, " like {}", code(pattern));
    }
    cell(&text)
}

fn said(value: &Value) -> String {
    value["description"].as_str().unwrap_or("").lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// A default in a few words: what is longer than a line is told by its own section.
fn short(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    if text.chars().count() <= LONGEST { text } else { "its own defaults".to_owned() }
}

fn code(text: &str) -> String {
    if text == "its own defaults" { text.to_owned() } else { cell(&format!("`{text}`")) }
}

/// Text that does not end a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn anchor(heading: &str) -> String {
    heading.to_lowercase().replace(' ', "-")
}
