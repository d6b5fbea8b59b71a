//! Objects against the Kubernetes schemas: the product's own check, on the JSON of the request.

use std::fmt::Write;

use nexafi_gen::kubernetes;
use nexafi_gen::source::{SourceFile, Sources};
use serde_json::Value;

use crate::error::{Outcome, Refusal};

/// What a client wants done about fields that do not exist (`fieldValidation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownFields {
    /// Refuse the request.
    Strict,
    /// Drop them, and warn.
    Warn,
    /// Drop them.
    Ignore,
}

/// How the product words what the schema says of a value. Its rules beyond the schema are left aside: the stand-in has its
/// own (`validate`), so that the one can be held against the other.
const WRONG: [&str; 6] =
    ["has to be", "does not fit into", "is no quantity", "is not base64", "knows no kind", "serves no"];

/// Checks an object; gives the warnings. `whole` says that it is a whole object, so that what is required has to be there,
/// rather than the fields somebody applies to one.
///
/// # Errors
/// `BadRequest` for a field that does not exist or has the wrong type, `Invalid` for one that is missing.
pub(crate) fn check(
    object: &Value,
    version: &str,
    unknown: UnknownFields,
    whole: bool,
) -> Outcome<Vec<String>> {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("request.json", object.to_string()));
    let Some(file) = sources.get(id) else { return Ok(Vec::new()) };
    let (objects, findings) = kubernetes::read(id, file);
    if let Some(finding) = findings.first() {
        return Err(Refusal::bad_request(finding.message.clone()));
    }
    let (mut unknown_fields, mut wrong, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for finding in objects.iter().flat_map(|object| kubernetes::schema::check(object, version)) {
        let field = field_path(&finding.pointer);
        if finding.message.contains("is no field of") {
            unknown_fields.push(format!("unknown field \"{field}\""));
        } else if finding.message.contains("is missing in") {
            let parent = if field.is_empty() { field } else { format!("{field}.") };
            let name = finding.message.split('`').nth(1).unwrap_or("");
            missing.push(format!("{parent}{name}: Required value"));
        } else if WRONG.iter().any(|words| finding.message.contains(words)) {
            wrong.push(format!("{field}: {}", finding.message));
        }
    }
    let kind = object["kind"].as_str().unwrap_or("");
    let version = object["apiVersion"].as_str().unwrap_or("").rsplit('/').next().unwrap_or("");
    let refused = |why: &str| {
        Refusal::bad_request(format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"))
    };
    if !wrong.is_empty() {
        return Err(refused(&wrong.join(", ")));
    }
    if !unknown_fields.is_empty() && unknown == UnknownFields::Strict {
        return Err(refused(&format!("strict decoding error: {}", unknown_fields.join(", "))));
    }
    if whole && !missing.is_empty() {
        let name = object["metadata"]["name"].as_str().unwrap_or("");
        return Err(Refusal::invalid(kind, name, &missing));
    }
    Ok(if unknown == UnknownFields::Warn { unknown_fields } else { Vec::new() })
}

/// `spec.containers.0.image` as Kubernetes writes it: `spec.containers[0].image`.
fn field_path(pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('.').filter(|step| !step.is_empty()) {
        if step.bytes().all(|byte| byte.is_ascii_digit()) {
            let _ = write!(path, "[{step}]");
        } else {
            let _ = write!(path, "{}{step}", if path.is_empty() { "" } else { "." });
        }
    }
    path
}
