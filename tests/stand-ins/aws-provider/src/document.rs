//! IAM policy documents: written from `aws_iam_policy_document` byte for byte as the real provider does, and judged as
//! IAM does.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use crate::facts::ACCOUNT;
use crate::validate::is_arn;
use crate::value::Value;

/// The members of a statement, in the order the provider writes them.
const MEMBERS: [&str; 9] = [
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
];

/// Renders a data source's arguments: indented and minified.
///
/// # Errors
/// What the provider says of arguments that make no document.
pub fn render(config: &Value) -> Result<(String, String), String> {
    let mut version = String::new();
    let mut id = String::new();
    let mut statements: Vec<Map<String, Json>> = Vec::new();
    let mut merge = |document: Map<String, Json>| {
        let text = |name: &str| document.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        if !text("Id").is_empty() {
            id = text("Id");
        }
        version = version.clone().max(text("Version"));
        let fresh = match document.get("Statement") {
            Some(Json::Array(items)) => items.clone(),
            Some(one @ Json::Object(_)) => vec![one.clone()],
            _ => Vec::new(),
        };
        for statement in fresh.iter().filter_map(Json::as_object).map(normal) {
            let sid = statement.get("Sid").cloned();
            match statements.iter_mut().find(|known| sid.is_some() && known.get("Sid") == sid.as_ref()) {
                Some(known) => *known = statement,
                None => statements.push(statement),
            }
        }
    };
    for text in config.at("source_policy_documents").texts() {
        merge(parsed(text)?);
    }
    let own = own(config)?;
    merge(own);
    for text in config.at("override_policy_documents").texts() {
        merge(parsed(text)?);
    }
    let mut document = Map::new();
    for (name, text) in [("Version", version), ("Id", id)] {
        if !text.is_empty() {
            document.insert(name.to_owned(), text.into());
        }
    }
    if !statements.is_empty() {
        document.insert("Statement".to_owned(), statements.into_iter().map(Json::Object).collect());
    }
    let indented = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    let minified = serde_json::to_string(&document).map_err(|error| error.to_string())?;
    Ok((as_go(&indented), as_go(&minified)))
}

/// Escapes what Go escapes in JSON, so that it can stand in HTML.
fn as_go(json: &str) -> String {
    json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

fn parsed(text: &str) -> Result<Map<String, Json>, String> {
    match serde_json::from_str(text) {
        Ok(Json::Object(document)) => Ok(document),
        Ok(_) => Err("merging source document: not an object".to_owned()),
        Err(error) => Err(format!("merging source document: {error}")),
    }
}

/// The document that the arguments themselves say.
fn own(config: &Value) -> Result<Map<String, Json>, String> {
    let version = config.at("version").text().unwrap_or("2012-10-17");
    let mut sids = BTreeSet::new();
    let mut statements = Vec::new();
    for written in config.at("statement").items() {
        let mut statement = Map::new();
        if let Some(sid) = written.at("sid").text().filter(|sid| !sid.is_empty()) {
            if !sids.insert(sid) {
                return Err(format!("duplicate Sid ({sid}). Remove the Sid or ensure the Sid is unique."));
            }
            statement.insert("Sid".to_owned(), sid.into());
        }
        statement.insert("Effect".to_owned(), written.at("effect").text().unwrap_or("Allow").into());
        for (argument, member) in [
            ("actions", "Action"),
            ("not_actions", "NotAction"),
            ("resources", "Resource"),
            ("not_resources", "NotResource"),
        ] {
            let mut texts: Vec<String> = written.at(argument).texts().map(str::to_owned).collect();
            if member.ends_with("Resource") {
                texts = texts.iter().map(|text| variables(text, version)).collect::<Result<_, _>>()?;
            }
            if !texts.is_empty() {
                statement.insert(member.to_owned(), one_or_reversed(texts));
            }
        }
        for (argument, member) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
            let mut principals: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for principal in written.at(argument).items() {
                let type_ = principal.at("type").text().unwrap_or_default().to_owned();
                for identifier in principal.at("identifiers").texts() {
                    principals.entry(type_.clone()).or_default().push(variables(identifier, version)?);
                }
            }
            if !principals.is_empty() {
                let principals: Map<_, _> =
                    principals.into_iter().map(|(type_, names)| (type_, one_or_reversed(names))).collect();
                statement.insert(member.to_owned(), Json::Object(principals));
            }
        }
        let mut conditions: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        for condition in written.at("condition").items() {
            let text = |name: &str| condition.at(name).text().unwrap_or_default().to_owned();
            let values = condition.at("values").texts().map(|value| variables(value, version));
            let values: Vec<String> = values.collect::<Result<_, _>>()?;
            conditions.entry(text("test")).or_default().entry(text("variable")).or_default().extend(values);
        }
        if !conditions.is_empty() {
            statement.insert("Condition".to_owned(), json!(conditions));
        }
        statements.push(Json::Object(statement));
    }
    let mut document = Map::new();
    document.insert("Version".to_owned(), version.into());
    if let Some(id) = config.at("policy_id").text() {
        document.insert("Id".to_owned(), id.into());
    }
    document.insert("Statement".to_owned(), statements.into());
    Ok(document)
}

/// `&{` stands for `${`, which Terraform would have interpolated.
fn variables(text: &str, version: &str) -> Result<String, String> {
    if version == "2008-10-17" && text.contains("&{") {
        return Err(format!(
            "found &{{ sequence in ({text}), which is not supported in document version 2008-10-17"
        ));
    }
    Ok(text.replace("&{", "${"))
}

/// One text as itself, several as a list, last letters first: the provider's order.
fn one_or_reversed(mut texts: Vec<String>) -> Json {
    if texts.len() == 1 {
        return texts.remove(0).into();
    }
    texts.sort();
    texts.reverse();
    texts.into()
}

/// A statement as the provider writes it again.
fn normal(statement: &Map<String, Json>) -> Map<String, Json> {
    let mut normal = Map::new();
    for member in MEMBERS {
        let Some(value) = statement.get(member).filter(|value| **value != json!("") && **value != json!([]))
        else {
            continue;
        };
        let value = match member {
            "Principal" | "NotPrincipal" => match value {
                Json::Object(types) if types.len() == 1 && types.get("*") == Some(&json!("*")) => json!("*"),
                Json::Object(types) => {
                    let types: BTreeMap<_, _> =
                        types.iter().map(|(type_, names)| (type_, reversed(names))).collect();
                    json!(types)
                }
                other => other.clone(),
            },
            "Condition" => conditions(value),
            _ => value.clone(),
        };
        normal.insert(member.to_owned(), value);
    }
    normal
}

fn reversed(names: &Json) -> Json {
    match names {
        Json::Array(names) => {
            let mut names: Vec<_> = names.iter().filter_map(Json::as_str).collect();
            names.sort_unstable();
            names.reverse();
            json!(names)
        }
        other => other.clone(),
    }
}

/// Conditions by test and variable, in order; a list of one is the one.
fn conditions(value: &Json) -> Json {
    let mut tests = BTreeMap::new();
    for (test, variables) in value.as_object().into_iter().flatten() {
        let variables: BTreeMap<_, _> = variables
            .as_object()
            .into_iter()
            .flatten()
            .map(|(variable, values)| {
                let values = match values {
                    Json::Array(items) if items.len() == 1 => items[0].clone(),
                    Json::Bool(flag) => flag.to_string().into(),
                    other => other.clone(),
                };
                (variable, values)
            })
            .collect();
        tests.insert(test, variables);
    }
    json!(tests)
}

/// Where a document is used, which decides what it has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Who may take on a role.
    Trust,
    /// What a role may do.
    Identity,
    /// Who may do what with a resource.
    Resource,
}

/// What is wrong with a document, in IAM's words as far as they are known.
pub fn fault(text: &str, used: Use) -> Option<String> {
    let Ok(Json::Object(document)) = serde_json::from_str::<Json>(text) else {
        return Some("This policy contains invalid Json".to_owned());
    };
    if let Some(stray) = document.keys().find(|key| !["Version", "Id", "Statement"].contains(&key.as_str())) {
        return Some(format!("Syntax errors in policy: {stray}"));
    }
    if document
        .get("Version")
        .is_some_and(|version| *version != json!("2012-10-17") && *version != json!("2008-10-17"))
    {
        return Some("The policy must contain a valid version string".to_owned());
    }
    let statements = statements(&document);
    if statements.is_empty() {
        return Some("Syntax errors in policy: no statement".to_owned());
    }
    let mut sids = BTreeSet::new();
    statements.iter().find_map(|statement| {
        let sid = statement.get("Sid").and_then(Json::as_str);
        if sid.is_some_and(|sid| !sids.insert(sid.to_owned())) {
            return Some(format!(
                "Statement IDs (SID) in a single policy must be unique: {}",
                sid.unwrap_or_default()
            ));
        }
        statement_fault(statement, used)
    })
}

fn statements(document: &Map<String, Json>) -> Vec<&Map<String, Json>> {
    match document.get("Statement") {
        Some(Json::Array(items)) => items.iter().filter_map(Json::as_object).collect(),
        Some(Json::Object(one)) => vec![one],
        _ => Vec::new(),
    }
}

fn statement_fault(statement: &Map<String, Json>, used: Use) -> Option<String> {
    let has = |member: &str| statement.contains_key(member);
    if let Some(stray) = statement.keys().find(|key| !MEMBERS.contains(&key.as_str())) {
        return Some(format!("Syntax errors in policy: {stray}"));
    }
    if !matches!(statement.get("Effect").and_then(Json::as_str), Some("Allow" | "Deny")) {
        return Some("Syntax errors in policy: a statement must say Allow or Deny".to_owned());
    }
    if has("Action") == has("NotAction") {
        return Some("Policy statement must contain actions.".to_owned());
    }
    if let Some(action) = texts(statement, "Action").chain(texts(statement, "NotAction")).find(|action| {
        *action != "*"
            && !action.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty())
    }) {
        return Some(format!(
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: {action}"
        ));
    }
    let principal = has("Principal") || has("NotPrincipal");
    let resource = has("Resource") || has("NotResource");
    match used {
        Use::Identity if principal => {
            return Some("Policy document should not specify a principal.".to_owned());
        }
        Use::Trust | Use::Resource if !principal => {
            return Some("Missing required field Principal".to_owned());
        }
        Use::Trust if resource => return Some("Has prohibited field Resource".to_owned()),
        Use::Identity | Use::Resource if !resource => {
            return Some("Policy statement must contain resources.".to_owned());
        }
        _ => {}
    }
    if let Some(named) = texts(statement, "Resource")
        .chain(texts(statement, "NotResource"))
        .find(|named| *named != "*" && !(named.starts_with("arn:") && named.split(':').count() >= 6))
    {
        return Some(format!("Resource {named} must be in ARN format or \"*\"."));
    }
    let principals = ["Principal", "NotPrincipal"].into_iter().filter_map(|member| statement.get(member));
    principals.filter_map(Json::as_object).flatten().find_map(|(type_, names)| {
        let wrong = flat(names).find(|name| match type_.as_str() {
            "AWS" => {
                *name != "*"
                    && !is_arn(name)
                    && !(name.len() == 12 && name.bytes().all(|b| b.is_ascii_digit()))
            }
            "Service" => !(name.contains(".amazonaws.com") || name.contains(".amazonaws.com.cn")),
            "Federated" | "CanonicalUser" => false,
            _ => true,
        })?;
        Some(format!("Invalid principal in policy: \"{type_}\":\"{wrong}\""))
    })
}

fn texts<'j>(statement: &'j Map<String, Json>, member: &str) -> impl Iterator<Item = &'j str> {
    statement.get(member).into_iter().flat_map(flat)
}

fn flat(value: &Json) -> impl Iterator<Item = &str> {
    let (one, many) = match value {
        Json::Array(items) => (None, Some(items)),
        other => (other.as_str(), None),
    };
    one.into_iter().chain(many.into_iter().flatten().filter_map(Json::as_str))
}

/// Whether a key policy lets the account, and so somebody, change the policy again.
pub fn keeps_control(policy: &str) -> bool {
    let Ok(Json::Object(document)) = serde_json::from_str::<Json>(policy) else { return false };
    let reaches = |effect: &str| {
        statements(&document).into_iter().any(|statement| {
            statement.get("Effect") == Some(&json!(effect))
                && !statement.contains_key("Condition")
                && texts(statement, "Action").any(|action| matches(action, "kms:PutKeyPolicy"))
                && principals(statement, "AWS").any(|who| {
                    who == "*"
                        || who == ACCOUNT
                        || (is_arn(who) && who.ends_with(&format!("::{ACCOUNT}:root")))
                })
        })
    };
    reaches("Allow") && !reaches("Deny")
}

/// Whether a resource's policy allows a service or a principal of AWS's an action.
pub fn allows(policy: &str, who: &str, action: &str) -> bool {
    let Ok(Json::Object(document)) = serde_json::from_str::<Json>(policy) else { return false };
    statements(&document).into_iter().any(|statement| {
        statement.get("Effect") == Some(&json!("Allow"))
            && principals(statement, if is_arn(who) { "AWS" } else { "Service" }).any(|named| named == who)
            && texts(statement, "Action").any(|pattern| matches(pattern, action))
    })
}

fn principals<'j>(statement: &'j Map<String, Json>, type_: &'j str) -> impl Iterator<Item = &'j str> {
    let principal = statement.get("Principal");
    let of_type = principal.and_then(Json::as_object).and_then(|types| types.get(type_));
    of_type.into_iter().flat_map(flat).chain(principal.and_then(Json::as_str))
}

/// Whether an action's pattern (`kms:Put*`) takes in an action.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_lowercase(), action.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| action.strip_prefix(first)) else { return false };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    rest.is_empty() || last == Some("")
}
