//! The templates, those inside the program and those that replace them, and the list of files they make.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use include_dir::{Dir, include_dir};
use minijinja::Environment;
use minijinja::value::{Serde, Value, ValueKind};
use serde::Deserialize;

/// What a template sees by name.
type Context = BTreeMap<String, Value>;

use super::{FileSet, RenderError, environment};
use crate::blueprint::Platform;
use crate::source::{FileId, SourceFile, yaml};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// The list of files: which template makes which.
const FILES: &str = "files.yaml";

/// Templates of the user's that stand in for ours: path below `templates/` to text.
pub type Overrides = BTreeMap<String, String>;

/// One entry of `templates/files.yaml`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FileRule {
    /// The template, or several of which the first that exists is taken. May hold `{{ }}`.
    template: OneOrMore,
    /// The file it makes. May hold `{{ }}`.
    path: String,
    /// An expression for a list or mapping: one file for each element.
    #[serde(rename = "for")]
    for_each: Option<String>,
    /// The element's name inside the template.
    #[serde(rename = "as")]
    bind: Option<String>,
    /// An expression: no file where it is not true.
    when: Option<String>,
    /// For readers of the list only; scripts are known by their ending.
    #[serde(default, rename = "executable")]
    _executable: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }
}

pub(super) fn render(
    platform: &Platform,
    blueprint_path: &str,
    overrides: &Overrides,
) -> Result<FileSet, RenderError> {
    let overrides = Arc::new(overrides.clone());
    let env = environment_with(Arc::clone(&overrides));
    let files = source(&overrides, FILES).ok_or_else(|| RenderError::list("the list of files is missing"))?;
    let rules = rules(&files)?;
    let context = context(platform, blueprint_path)?;
    let mut set = FileSet::new();
    for rule in &rules {
        for element in elements(&env, rule, &context)? {
            if let Some((path, text)) = one(&env, &overrides, rule, &element)?
                && set.insert(path.clone(), text.into_bytes()).is_some()
            {
                return Err(RenderError::list(&format!("two templates make the file {path}")));
            }
        }
    }
    Ok(set)
}

fn source(overrides: &Overrides, name: &str) -> Option<String> {
    overrides
        .get(name)
        .cloned()
        .or_else(|| EMBEDDED.get_file(name).and_then(|file| file.contents_utf8()).map(str::to_owned))
}

fn environment_with(overrides: Arc<Overrides>) -> Environment<'static> {
    let mut env = environment::environment();
    env.set_loader(move |name| Ok(source(&overrides, name)));
    env
}

fn rules(text: &str) -> Result<Vec<FileRule>, RenderError> {
    let file = SourceFile::new(FILES, text.to_owned());
    let read = yaml::read(FileId(u32::MAX), &file);
    if let Some(finding) = read.findings.first() {
        return Err(RenderError::list(&finding.message));
    }
    let json = read.documents.first().map(crate::source::Node::to_json).unwrap_or_default();
    serde_json::from_value(json).map_err(|error| RenderError::list(&error.to_string()))
}

fn context(platform: &Platform, blueprint_path: &str) -> Result<Context, RenderError> {
    let json = serde_json::to_value(platform).map_err(|error| RenderError::list(&error.to_string()))?;
    let serde_json::Value::Object(object) = json else {
        return Err(RenderError::list("the platform is no mapping"));
    };
    let mut context: Context =
        object.iter().map(|(key, value)| (key.clone(), Value::from(Serde(value)))).collect();
    context.insert("blueprint_path".into(), Value::from(blueprint_path));
    context.insert("tool_version".into(), Value::from(env!("CARGO_PKG_VERSION")));
    Ok(context)
}

/// The contexts a rule is rendered with: one, or one for each element.
fn elements(env: &Environment<'_>, rule: &FileRule, context: &Context) -> Result<Vec<Context>, RenderError> {
    let Some(expression) = &rule.for_each else { return Ok(vec![context.clone()]) };
    let failed = |error: minijinja::Error| RenderError::template(FILES, &error);
    let list = env
        .compile_expression(expression)
        .and_then(|compiled| compiled.eval(context.clone()))
        .map_err(failed)?;
    let name = rule.bind.clone().unwrap_or_else(|| "item".to_owned());
    let mut contexts = Vec::new();
    for key in list.try_iter().map_err(failed)? {
        let element = if list.kind() == ValueKind::Map {
            let value = list.get_item(&key).map_err(failed)?;
            Value::from(BTreeMap::from([("key", key), ("value", value)]))
        } else {
            key
        };
        let mut inner = context.clone();
        inner.insert(name.clone(), element);
        contexts.push(inner);
    }
    Ok(contexts)
}

fn one(
    env: &Environment<'_>,
    overrides: &Overrides,
    rule: &FileRule,
    context: &Context,
) -> Result<Option<(Utf8PathBuf, String)>, RenderError> {
    let in_list = |error: minijinja::Error| RenderError::template(FILES, &error);
    if let Some(when) = &rule.when {
        let wanted = env
            .compile_expression(when)
            .and_then(|compiled| compiled.eval(context.clone()))
            .map_err(in_list)?;
        if !wanted.is_true() {
            return Ok(None);
        }
    }
    let path = env.render_str(&rule.path, context.clone()).map_err(in_list)?;
    let mut chosen = None;
    for candidate in rule.template.as_slice() {
        let name = env.render_str(candidate, context.clone()).map_err(in_list)?;
        if source(overrides, &name).is_some() {
            chosen = Some(name);
            break;
        }
    }
    let Some(name) = chosen else {
        return Err(RenderError::list(&format!("there is no template for {path}")));
    };
    let template = env.get_template(&name).map_err(|error| RenderError::template(&name, &error))?;
    let text = template.render(context.clone()).map_err(|error| RenderError::template(&name, &error))?;
    Ok(Some((Utf8PathBuf::from(path), text)))
}
