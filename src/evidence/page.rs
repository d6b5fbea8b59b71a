//! `report.html`: the template filled in, the data for the script, and a policy that lets a browser run nothing else.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::report::visible;
use crate::source::{SubjectKind, Verdict};

use super::control::FrameworkEvidence;
use super::entry::{Entry, Place};
use super::excerpt::{Text, Texts};
use super::view::view;
use super::{Evidence, Hashed};

const TEMPLATE: &str = include_str!("../../templates/evidence/page.html.j2");
const STYLE: &str = include_str!("../../templates/evidence/style.css");
const SCRIPT: &str = include_str!("../../templates/evidence/script.js");

/// A template of ours does not fit its data.
#[derive(Debug, thiserror::Error)]
#[error("the evidence page: {0}")]
pub struct PageError(String);

/// The page, whole.
pub(super) fn page(
    evidence: &Evidence<'_>,
    entries: &[Entry<'_>],
    frameworks: &[FrameworkEvidence],
    controls: &str,
) -> Result<String, PageError> {
    let texts = Texts::of(evidence, entries);
    let mut outputs = evidence.outputs.clone();
    outputs.push(Hashed {
        kind: "table",
        path: super::CONTROLS.to_owned(),
        sha256: crate::render::lock::hash(controls.as_bytes()),
        note: String::new(),
    });
    // A browser sees LF whatever the file has, and hashes that.
    let (style, script) = (STYLE.replace("\r\n", "\n"), SCRIPT.replace("\r\n", "\n"));
    let mut context = view(evidence, entries, frameworks, &texts, &outputs);
    context.insert("csp", csp(&script, &style).into());
    context.insert("picture", data_uri(&evidence.picture).into());
    context.insert("style", Value::from_safe_string(style));
    context.insert("script", Value::from_safe_string(script));
    context.insert("island", Value::from_safe_string(island(evidence, entries, frameworks, &texts)?));

    let failed = |error: minijinja::Error| PageError(format!("{error:#}"));
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        env.set_syntax(syntax);
    }
    // Every value is text until it says otherwise; only what this file makes says so.
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.remove_filter("safe");
    env.add_template("page.html", TEMPLATE).map_err(failed)?;
    env.get_template("page.html").and_then(|template| template.render(context)).map_err(failed)
}

/// What a browser may do with the page: run this script, use this style, show pictures inside the page. Nothing is
/// fetched and nothing sent (Content Security Policy Level 3, hashes of inline elements).
fn csp(script: &str, style: &str) -> String {
    let hash = |text: &str| format!("'sha256-{}'", BASE64.encode(Sha256::digest(text.as_bytes())));
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(script),
        hash(style)
    )
}

/// The picture as an image of its own: whatever stands in it, it can neither run nor restyle the page.
fn data_uri(svg: &str) -> String {
    if svg.is_empty() { String::new() } else { format!("data:image/svg+xml;base64,{}", BASE64.encode(svg)) }
}

/// What the script searches, filters and shows. Short names, for there may be ten thousand results.
#[derive(Serialize)]
struct Island<'a> {
    files: &'a [Text],
    policies: Vec<PolicyData<'a>>,
    frameworks: Vec<FrameworkData<'a>>,
    /// Policy, verdict, kind, severity, subject, message, help, blueprint, generated.
    results: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct PolicyData<'a> {
    id: &'a str,
    title: Cow<'a, str>,
    domain: &'a str,
    /// Framework to its controls.
    controls: Vec<(&'static str, Vec<&'a str>)>,
}

#[derive(Serialize)]
struct FrameworkData<'a> {
    id: &'static str,
    title: &'static str,
    controls: Vec<&'a str>,
}

type Lines = (usize, usize, usize);
type Row<'a> = (
    usize,
    Verdict,
    SubjectKind,
    &'static str,
    &'a str,
    &'a str,
    &'a str,
    Option<Lines>,
    Option<Lines>,
    String,
);

fn island(
    evidence: &Evidence<'_>,
    entries: &[Entry<'_>],
    frameworks: &[FrameworkEvidence],
    texts: &Texts,
) -> Result<String, PageError> {
    let lines = |place: Option<Place>| {
        let place = place?;
        Some((texts.number(place.file)?, place.first, place.last))
    };
    let policies = evidence.policies.iter().map(|policy| PolicyData {
        id: &policy.id,
        title: visible(&policy.title),
        domain: &policy.domain,
        controls: policy
            .controls
            .iter()
            .map(|(framework, controls)| {
                (framework.id(), controls.iter().map(|control| control.id.as_str()).collect())
            })
            .collect(),
    });
    let waiver = |entry: &Entry<'_>| {
        let said = entry
            .acceptance
            .map(|by| format!("until {} by {} ({}): {}", by.expires, by.owner, by.ticket, by.reason));
        visible(&said.unwrap_or_default()).into_owned()
    };
    let results = entries.iter().map(|entry| -> Row<'_> {
        (
            entry.policy,
            entry.verdict,
            entry.kind,
            entry.severity.as_str(),
            &entry.subject,
            &entry.message,
            &entry.help,
            lines(entry.blueprint),
            lines(entry.generated),
            waiver(entry),
        )
    });
    let island = Island {
        files: texts.files(),
        policies: policies.collect(),
        frameworks: frameworks
            .iter()
            .map(|framework| FrameworkData {
                id: framework.framework.id(),
                title: framework.framework.title(),
                controls: framework.controls().map(|control| control.row.control.as_str()).collect(),
            })
            .collect(),
        results: results.collect(),
    };
    let json = serde_json::to_string(&island).map_err(|error| PageError(error.to_string()))?;
    Ok(harmless(&json))
}

/// JSON that means the same and holds nothing that HTML or an old script reader would take for its own.
fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            other => text.push(other),
        }
    }
    text
}

/// A value of a template.
pub(super) fn value<T: Serialize>(data: &T) -> Value {
    Value::from(Serde(data))
}
