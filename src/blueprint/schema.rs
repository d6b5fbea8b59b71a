//! The JSON Schema of the blueprint, made from the types, and the findings a document earns against it.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::Blueprint;
use super::place::{Place, path_text, place};
use super::scalar::{FORMATS, check_of};
use crate::source::{Finding, Node, did_you_mean, fault};

/// The schema, as editors and `nexafi-gen schema blueprint` show it: JSON Schema 2020-12, a description and an
/// example on every field. It is [`generate`]d ahead of time: every run reads it, and making it takes longer.
pub const TEXT: &str = include_str!("../../schemas/blueprint.schema.json");

/// [`TEXT`], read; nothing, which [`validator`] refuses, if it is no JSON.
pub fn schema() -> Value {
    serde_json::from_str(TEXT).unwrap_or_default()
}

/// Makes the schema from the types; `cargo xtask schemas` writes it down.
pub fn generate() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Blueprint>().to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".into(), json!("nexafi-gen blueprint"));
        root.insert("$id".into(), json!("https://nexafi.example/schemas/blueprint.schema.json"));
    }
    let definitions = schema.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
    add_examples(&mut schema, &definitions);
    schema
}

/// Gives every property without an example one: its default, its first choice, or one put together from its parts.
fn add_examples(schema: &mut Value, definitions: &Map<String, Value>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get_mut("properties") {
                for property in properties.values_mut() {
                    let example = example_of(property, definitions, 0);
                    if let (Value::Object(property), Some(example)) = (property, example) {
                        property.entry("examples").or_insert_with(|| json!([example]));
                    }
                }
            }
            object.values_mut().for_each(|value| add_examples(value, definitions));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| add_examples(item, definitions)),
        _ => {}
    }
}

fn example_of(schema: &Value, definitions: &Map<String, Value>, depth: usize) -> Option<Value> {
    if depth > 8 {
        return None;
    }
    if let Some(example) = schema.get("examples").and_then(|examples| examples.get(0)) {
        return Some(example.clone());
    }
    let empty = |value: &Value| {
        value.is_null()
            || value.as_array().is_some_and(Vec::is_empty)
            || value.as_object().is_some_and(Map::is_empty)
    };
    if let Some(default) = schema.get("default").filter(|default| !empty(default)) {
        return Some(default.clone());
    }
    if let Some(choice) =
        schema.get("const").or_else(|| schema.get("enum").and_then(|choices| choices.get(0)))
    {
        return Some(choice.clone());
    }
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next()?;
        return example_of(definitions.get(name)?, definitions, depth + 1);
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema.get(key).and_then(|choices| choices.get(0)) {
            return example_of(first, definitions, depth + 1);
        }
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let parts = properties
            .iter()
            .filter(|(name, _)| required.iter().any(|wanted| wanted.as_str() == Some(name)))
            .filter_map(|(name, part)| Some((name.clone(), example_of(part, definitions, depth + 1)?)));
        return Some(Value::Object(parts.collect()));
    }
    if let Some(item) = schema.get("items") {
        return Some(json!([example_of(item, definitions, depth + 1)?]));
    }
    if let Some(value) = schema.get("additionalProperties").filter(|value| value.is_object()) {
        let key = match schema.pointer("/propertyNames/format").and_then(Value::as_str) {
            Some("nexafi-role") => "primary",
            _ => "example",
        };
        return Some(json!({ key: example_of(value, definitions, depth + 1)? }));
    }
    match schema.get("type").and_then(Value::as_str)? {
        "boolean" => Some(json!(true)),
        "object" => Some(json!({})),
        _ => None,
    }
}

/// Compiles the schema with the checks of our formats.
///
/// # Errors
/// If the schema made from the types is no valid schema: a fault of this program.
pub fn validator(schema: &Value) -> Result<Validator, String> {
    let mut options = jsonschema::options().should_validate_formats(true);
    for (name, check) in FORMATS {
        options = options.with_format(*name, move |text: &str| check(text).is_ok());
    }
    options.build(schema).map_err(|error| error.to_string())
}

/// A fault of the document, and the path of what has to be left aside so that the rest can be read.
pub struct SchemaFault {
    /// The finding.
    pub finding: Finding,
    /// The path of the value that cannot be used; empty if something is missing instead.
    pub prune: Vec<String>,
}

/// Every fault of a document against the schema.
pub fn faults(validator: &Validator, schema: &Value, tree: &Node, json: &Value) -> Vec<SchemaFault> {
    let mut faults = Vec::new();
    for error in validator.iter_errors(json) {
        describe(&error, schema, tree, &mut faults);
    }
    faults
}

/// Puts examples in the place of required values that are missing, so that the rest of a document can be read.
/// Returns the paths of what stands in.
pub fn stand_in(validator: &Validator, schema: &Value, json: &mut Value) -> Vec<String> {
    let definitions = schema.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut stand_ins = Vec::new();
    // An example may itself lack nothing, so one round fills a level; documents nest a handful of levels.
    for _ in 0..6 {
        let missing: Vec<(String, String, Value)> = validator
            .iter_errors(json)
            .filter_map(|error| {
                let ValidationErrorKind::Required { property } = error.kind() else { return None };
                let key = property.as_str()?.to_owned();
                let example =
                    example_of(owner(schema, &error)?.get("properties")?.get(&key)?, &definitions, 0)?;
                Some((error.instance_path().as_str().to_owned(), key, example))
            })
            .collect();
        if missing.is_empty() {
            break;
        }
        for (path, key, example) in missing {
            if let Some(Value::Object(object)) = json.pointer_mut(&path) {
                stand_ins.push(format!("{path}/{key}").trim_start_matches('/').replace('/', "."));
                object.insert(key, example);
            }
        }
    }
    stand_ins
}

fn steps(error: &ValidationError<'_>) -> Vec<String> {
    error
        .instance_path()
        .as_str()
        .split('/')
        .skip(1)
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect()
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm a kind of fault; apart they would hide which kinds there are"
)]
fn describe(error: &ValidationError<'_>, schema: &Value, tree: &Node, faults: &mut Vec<SchemaFault>) {
    let path = steps(error);
    let found = place(tree, &path);
    let what = if path.is_empty() { "the blueprint".to_owned() } else { format!("`{}`", path_text(&path)) };
    let fault = |finding: Finding, path: &[String]| SchemaFault {
        finding: finding.pointer(path_text(path)),
        prune: path.to_vec(),
    };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = known_keys(schema, error);
            for key in unexpected {
                let mut inner = path.clone();
                inner.push(key.clone());
                faults.push(fault(unknown_key(tree, &inner, key, &what, &known), &inner));
            }
        }
        ValidationErrorKind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            let example = example_at(schema, error, key);
            let help = match example {
                Some(example) => format!("add `{key}`, for example `{key}: {example}`"),
                None => format!("add `{key}`"),
            };
            let finding = Finding::fault(fault::MISSING_KEY, found.span, format!("{what} has no `{key}`"))
                .label(format!("`{key}` is missing here"))
                .help(help)
                .pointer(path_text(&path));
            faults.push(SchemaFault { finding, prune: Vec::new() });
        }
        ValidationErrorKind::Type { kind } => {
            let wanted = type_words(kind);
            let is = json_kind(error.instance());
            let finding =
                Finding::fault(fault::WRONG_TYPE, found.span, format!("{what} has to be {wanted}, not {is}"))
                    .label(format!("this is {is}"))
                    .help(type_help(kind, error.instance()));
            faults.push(fault(finding, &path));
        }
        ValidationErrorKind::Format { format } => {
            let text = error.instance().as_str().unwrap_or_default();
            let why = check_of(format).and_then(|check| check(text).err()).unwrap_or_default();
            faults.push(fault(invalid(&found, &what, text, &why), &path));
        }
        ValidationErrorKind::PropertyNames { error: inner } => {
            let text = inner.instance().as_str().unwrap_or_default().to_owned();
            let why = match inner.kind() {
                ValidationErrorKind::Format { format } => {
                    check_of(format).and_then(|check| check(&text).err())
                }
                ValidationErrorKind::Enum { options } => Some(format!("write one of {}", choices(options))),
                _ => None,
            };
            let mut at = path.clone();
            at.push(text.clone());
            let key = place(tree, &at);
            let finding = invalid(
                &Place { span: key.key.unwrap_or(key.span), ..key },
                "a key",
                &text,
                &why.unwrap_or_default(),
            );
            faults.push(fault(finding, &at));
        }
        ValidationErrorKind::Enum { options } => {
            let text = error.instance().as_str().map_or_else(|| error.instance().to_string(), str::to_owned);
            let known: Vec<&str> =
                options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            faults.push(fault(not_a_choice(&found, &what, &text, &known), &path));
        }
        ValidationErrorKind::Constant { expected_value } => {
            let text = error.instance().as_str().map_or_else(|| error.instance().to_string(), str::to_owned);
            let wanted = expected_value.as_str().unwrap_or_default().to_owned();
            faults.push(fault(not_a_choice(&found, &what, &text, &[&wanted]), &path));
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            // A choice of enumerated words: schemars writes one branch a documented word.
            let words: Vec<String> = context
                .iter()
                .flatten()
                .filter_map(|branch| match branch.kind() {
                    ValidationErrorKind::Constant { expected_value } => {
                        expected_value.as_str().map(str::to_owned)
                    }
                    _ => None,
                })
                .collect();
            if !words.is_empty() && error.instance().is_string() {
                let text = error.instance().as_str().unwrap_or_default();
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                faults.push(fault(not_a_choice(&found, &what, text, &words), &path));
                return;
            }
            // The branch that got furthest, or that has the right type, is the one that was meant.
            let meant = context.iter().find(|branch| {
                !branch.is_empty()
                    && branch.iter().all(|inner| {
                        !(inner.instance_path() == error.instance_path()
                            && matches!(inner.kind(), ValidationErrorKind::Type { .. }))
                    })
            });
            match meant {
                Some(branch) => branch.iter().for_each(|inner| describe(inner, schema, tree, faults)),
                None => {
                    let kinds: Vec<&TypeKind> = context
                        .iter()
                        .flatten()
                        .filter_map(|inner| match inner.kind() {
                            ValidationErrorKind::Type { kind } if type_words(kind) != "nothing" => Some(kind),
                            _ => None,
                        })
                        .collect();
                    let wanted: Vec<String> = kinds.iter().map(|kind| type_words(kind)).collect();
                    let help = match kinds.as_slice() {
                        [only] => type_help(only, error.instance()),
                        _ => format!("write {}", wanted.join(" or ")),
                    };
                    let is = json_kind(error.instance());
                    let finding = Finding::fault(
                        fault::WRONG_TYPE,
                        found.span,
                        format!("{what} has to be {}, not {is}", wanted.join(" or ")),
                    )
                    .label(format!("this is {is}"))
                    .help(help);
                    faults.push(fault(finding, &path));
                }
            }
        }
        kind => {
            let (message, help) = limit_words(kind, &what, error);
            let finding = Finding::fault(fault::INVALID_VALUE, found.span, message)
                .label("outside what is allowed")
                .help(help);
            faults.push(fault(finding, &path));
        }
    }
}

fn unknown_key(tree: &Node, path: &[String], key: &str, parent: &str, known: &[String]) -> Finding {
    let at = place(tree, path);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let help = match did_you_mean(key, known.iter().copied()) {
        Some(close) => format!("did you mean `{close}`?"),
        None if known.is_empty() => "remove it".to_owned(),
        None => format!("the keys here are {}", quoted(&known)),
    };
    Finding::fault(fault::UNKNOWN_KEY, at.key.unwrap_or(at.span), format!("{parent} has no key `{key}`"))
        .label("not a key of the blueprint")
        .help(help)
}

fn invalid(found: &Place, what: &str, text: &str, why: &str) -> Finding {
    let (first, rest) = why.split_once("; ").unwrap_or((why, ""));
    let help = if rest.is_empty() { first.to_owned() } else { rest.to_owned() };
    Finding::fault(fault::INVALID_VALUE, found.span, format!("{what} cannot be `{}`: {first}", shown(text)))
        .label(first.to_owned())
        .help(help)
}

/// A text of the input inside a message: one line, not too long, nothing a terminal would act on.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (at, char) in text.chars().enumerate() {
        if at == 60 {
            out.push('…');
            break;
        }
        if char.is_control() { out.extend(char.escape_default()) } else { out.push(char) }
    }
    out
}

fn not_a_choice(found: &Place, what: &str, text: &str, known: &[&str]) -> Finding {
    let help = match did_you_mean(text, known.iter().copied()) {
        Some(close) if known.len() == 1 => format!("did you mean `{close}`?"),
        Some(close) => format!("did you mean `{close}`? It can be {}", quoted(known)),
        None => format!("write {}", quoted(known)),
    };
    Finding::fault(fault::INVALID_VALUE, found.span, format!("{what} cannot be `{}`", shown(text)))
        .label("not one of the choices")
        .help(help)
}

fn quoted(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

fn choices(options: &Value) -> String {
    quoted(&options.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>())
}

/// The object schema an error came from, its `properties` reached through the error's path in the schema.
fn owner<'a>(schema: &'a Value, error: &ValidationError<'_>) -> Option<&'a Value> {
    let mut node = schema;
    let path = error.schema_path().as_str();
    let steps: Vec<String> =
        path.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    let (_, inside) = steps.split_last()?;
    for step in inside {
        if step == "$ref" {
            let reference = node.get("$ref")?.as_str()?;
            node = schema.pointer(reference.strip_prefix('#')?)?;
        } else {
            node = match node {
                Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
                _ => node.get(step)?,
            };
        }
    }
    Some(node)
}

fn known_keys(schema: &Value, error: &ValidationError<'_>) -> Vec<String> {
    owner(schema, error)
        .and_then(|owner| owner.get("properties"))
        .and_then(Value::as_object)
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default()
}

fn example_at(schema: &Value, error: &ValidationError<'_>, key: &str) -> Option<String> {
    let definitions = schema.get("$defs").and_then(Value::as_object)?;
    let property = owner(schema, error)?.get("properties")?.get(key)?;
    Some(flow(&example_of(property, definitions, 0)?))
}

/// A value as a person writes it on one line of YAML.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text)
            if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-./@".contains(&byte)) =>
        {
            text.clone()
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(object) => {
            let entries: Vec<String> =
                object.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

fn type_words(kind: &TypeKind) -> String {
    let word = |name: &str| match name {
        "object" => "a mapping",
        "array" => "a list",
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "nothing",
    };
    match kind {
        TypeKind::Single(one) => word(one.as_str()).to_owned(),
        TypeKind::Multiple(many) => {
            let words: Vec<&str> =
                many.iter().map(|one| word(one.as_str())).filter(|word| *word != "nothing").collect();
            words.join(" or ")
        }
    }
}

fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

fn type_help(kind: &TypeKind, instance: &Value) -> String {
    let wants = |name: &str| match kind {
        TypeKind::Single(one) => one.as_str() == name,
        TypeKind::Multiple(many) => many.iter().any(|one| one.as_str() == name),
    };
    match instance {
        Value::Number(_) | Value::Bool(_) if wants("string") => format!("put it in quotes: \"{instance}\""),
        Value::String(text) if wants("boolean") => match text.to_ascii_lowercase().as_str() {
            "yes" | "on" => "write true".into(),
            "no" | "off" => "write false".into(),
            _ => "write true or false, without quotes".into(),
        },
        Value::String(text) if wants("integer") && text.parse::<i64>().is_ok() => {
            format!("write {text} without quotes")
        }
        Value::Null => format!("write {}, or remove the key to take the default", type_words(kind)),
        other if wants("array") && !other.is_object() => format!("write a list: [{}]", flow(other)),
        _ => format!("write {}", type_words(kind)),
    }
}

fn limit_words(kind: &ValidationErrorKind, what: &str, error: &ValidationError<'_>) -> (String, String) {
    let value = shown(&error.instance().to_string());
    match kind {
        ValidationErrorKind::Minimum { limit } => {
            (format!("{what} is {value}, and has to be at least {limit}"), format!("write {limit} or more"))
        }
        ValidationErrorKind::Maximum { limit } => {
            (format!("{what} is {value}, and can be at most {limit}"), format!("write {limit} or less"))
        }
        ValidationErrorKind::MinItems { limit } | ValidationErrorKind::MinProperties { limit } => {
            (format!("{what} needs at least {limit} entries"), format!("write {limit} or more entries"))
        }
        ValidationErrorKind::MaxItems { limit } | ValidationErrorKind::MaxProperties { limit } => {
            (format!("{what} can have at most {limit} entries"), format!("write {limit} or fewer entries"))
        }
        ValidationErrorKind::Pattern { pattern } => {
            (format!("{what} cannot be {value}"), format!("write a text of the form {pattern}"))
        }
        _ => (
            format!("{what} is not valid: {}", shown(&error.to_string())),
            "see the schema's description of this field".into(),
        ),
    }
}
