//! The template environment: minijinja with our formatter, so that no value can break out of its place.
//!
//! What `{{ value }}` prints depends on the file the template makes: an HCL literal, a YAML scalar, a shell word,
//! escaped Markdown. There is no way to print a value raw but the filters `id` and `name`, which only let words
//! through that mean the same everywhere.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};

use super::escape::{self, invalid};

/// The language a template writes, told by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Hcl,
    Yaml,
    Shell,
    Markdown,
    /// The path of a file.
    Path,
}

impl Language {
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Hcl, "hcl", ".tf.j2"),
        (Self::Yaml, "yaml", ".yaml.j2"),
        (Self::Shell, "shell", ".sh.j2"),
        (Self::Markdown, "markdown", ".md.j2"),
        (Self::Path, "path", ""),
    ];

    fn of_template(name: &str) -> Self {
        Self::ALL
            .iter()
            .find(|(_, _, ending)| name.ends_with(ending))
            .map_or(Self::Path, |(language, _, _)| *language)
    }

    fn mark(self) -> &'static str {
        Self::ALL.iter().find(|(language, _, _)| *language == self).map_or("path", |(_, mark, _)| *mark)
    }

    fn of(state: &State<'_, '_>) -> Self {
        match state.auto_escape() {
            AutoEscape::Custom(mark) => Self::ALL
                .iter()
                .find(|(_, known, _)| *known == &**mark)
                .map_or(Self::Path, |(language, _, _)| *language),
            _ => Self::Path,
        }
    }
}

/// An environment without templates.
pub(super) fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    if let Ok(syntax) =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()
    {
        env.set_syntax(syntax);
    }
    env.set_auto_escape_callback(|name| AutoEscape::Custom(Language::of_template(name).mark().into()));
    env.set_formatter(|out, state, value| print(out, state, value));
    // These would open a way around the formatter.
    env.remove_filter("safe");
    env.remove_filter("escape");
    env.remove_filter("e");
    env.remove_filter("tojson");
    env.add_filter("id", id);
    env.add_filter("name", name);
    env.add_filter("part", part);
    env.add_filter("comment", comment);
    env.add_filter("block", block);
    env
}

fn print(out: &mut Output<'_>, state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let written = if value.is_safe() {
        out.write_str(value.as_str().unwrap_or_default())
    } else {
        out.write_str(&literal(Language::of(state), value)?)
    };
    written.map_err(|_| Error::new(ErrorKind::WriteFailure, "the output could not be written"))
}

fn literal(language: Language, value: &Value) -> Result<String, Error> {
    match language {
        Language::Hcl => escape::hcl(value),
        Language::Yaml => Ok(escape::yaml(value)),
        Language::Shell => escape::shell(value),
        Language::Markdown => Ok(escape::markdown(&text(value)?)),
        Language::Path => word(&text(value)?),
    }
}

fn text(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::String | ValueKind::Number | ValueKind::Bool => Ok(escape::plain(value)),
        kind => Err(invalid(format!("a {kind} cannot be printed here"))),
    }
}

/// An identifier of Terraform and the shell.
fn id(value: &Value) -> Result<Value, Error> {
    let text = text(value)?.replace('-', "_");
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if fits { Ok(Value::from_safe_string(text)) } else { Err(invalid(format!("{text:?} is no identifier"))) }
}

/// A word that needs no quotes anywhere.
fn name(value: &Value) -> Result<Value, Error> {
    word(&text(value)?).map(Value::from_safe_string)
}

fn word(text: &str) -> Result<String, Error> {
    let fits = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/:@-".contains(&byte))
        && !text.contains("..");
    if fits { Ok(text.to_owned()) } else { Err(invalid(format!("{text:?} is no plain word"))) }
}

/// The inside of a double-quoted string.
fn part(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    let text = text(value)?;
    let inside = match Language::of(state) {
        Language::Hcl => escape::hcl_inside(&text),
        Language::Yaml => escape::yaml_inside(&text),
        Language::Shell => escape::shell_inside(&text),
        Language::Markdown => escape::markdown(&text),
        Language::Path => word(&text)?,
    };
    Ok(Value::from_safe_string(inside))
}

/// One line of a comment.
fn comment(value: &Value) -> Result<Value, Error> {
    let line: String = text(value)?
        .chars()
        .map(|char| if char.is_control() || "\u{2028}\u{2029}\u{85}".contains(char) { ' ' } else { char })
        .collect();
    Ok(Value::from_safe_string(line))
}

/// Lists and mappings as YAML blocks, on lines of their own.
fn block(state: &State<'_, '_>, value: &Value, indent: usize) -> Result<Value, Error> {
    if Language::of(state) != Language::Yaml {
        return Err(invalid("`block` is for YAML only".to_owned()));
    }
    Ok(Value::from_safe_string(escape::yaml_block(value, indent)))
}
