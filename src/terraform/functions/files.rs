//! Functions on files and paths.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::Utf8PathBuf;

use crate::source::{Node, Value};
use crate::terraform::files::{Beside, Unread};
use crate::terraform::types;

use super::{Arguments, Outcome, Refusal, glob, hashes, never, text_value};

pub(super) fn call(beside: &Beside, name: &str, arguments: &mut Arguments) -> Outcome {
    let path = arguments.text()?;
    match name {
        "basename" => return Ok(text_value(basename(&path))),
        "dirname" => return Ok(text_value(dirname(&path))),
        "pathexpand" if !path.starts_with('~') => return Ok(Value::Str(path)),
        "abspath" | "pathexpand" => return Err(never("an absolute path depends on where Terraform runs")),
        "fileset" => return fileset(beside, &path, arguments),
        "fileexists" => {
            let inside = inside(beside, &path)?;
            return beside.files.exists(&inside).map(Value::Bool).map_err(refusal);
        }
        _ => {}
    }
    let bytes = read(beside, &path)?;
    match name {
        "file" => text(bytes).map(text_value),
        "filebase64" => Ok(Value::Str(STANDARD.encode(bytes).into())),
        _ => hashes::of(name, &bytes),
    }
}

/// The text of a file, which has to be UTF-8.
pub(super) fn text(bytes: Vec<u8>) -> Result<String, Refusal> {
    String::from_utf8(bytes).map_err(|_| Refusal::Failed("the file is not UTF-8"))
}

pub(super) fn read(beside: &Beside, path: &str) -> Result<Vec<u8>, Refusal> {
    beside.files.read(&inside(beside, path)?).map_err(refusal)
}

fn inside(beside: &Beside, path: &str) -> Result<Utf8PathBuf, Refusal> {
    if path.starts_with('~') {
        return Err(never("a home directory is not read"));
    }
    beside.inside(path).ok_or_else(|| refusal(Unread::Outside))
}

fn refusal(unread: Unread) -> Refusal {
    match unread {
        Unread::Missing => Refusal::Failed("there is no such file"),
        other => Refusal::Unknown(other.to_string().into()),
    }
}

/// The paths below a directory that match a pattern.
fn fileset(beside: &Beside, path: &str, arguments: &mut Arguments) -> Outcome {
    let pattern = arguments.text()?;
    let compiled = glob::compiled(&pattern).ok_or(Refusal::Failed("the pattern is none of paths"))?;
    if pattern.split('/').any(|part| part == "..") {
        return Err(refusal(Unread::Outside));
    }
    let below = inside(beside, path)?;
    let found = match beside.files.list(&below) {
        Ok(found) => found,
        Err(Unread::Missing) => Vec::new(),
        Err(other) => return Err(refusal(other)),
    };
    let span = arguments.span;
    let matching = found.iter().filter(|path| compiled.is_match(path.as_str()));
    Ok(Value::List(types::set(matching.map(|path| Node::string(span, path.as_str())).collect())))
}

/// The last part of a path, as Go's `path/filepath` has it.
fn basename(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match (path.is_empty(), trimmed.is_empty()) {
        (true, _) => ".",
        (_, true) => "/",
        _ => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

/// All but the last part of a path, cleaned.
fn dirname(path: &str) -> String {
    let head = path.rfind('/').map_or("", |at| path.get(..=at).unwrap_or(""));
    let rooted = head.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in head.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}
