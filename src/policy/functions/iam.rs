//! IAM policies: JSON and `aws_iam_policy_document` as one list of statements.
//!
//! Grammar: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>. What a data source
//! `aws_iam_policy_document` makes of its arguments, `Module::document` says.

use std::borrow::Cow;

use super::super::facts::table;
use super::super::value::{Dict, List, Outcome, Undecided, Val, after_apply, error, unknown};
use super::super::world::Context;
use super::{any, take};
use crate::source::{Node, loose_json};
use crate::terraform::Resource;

/// `statements(policy)`
pub(super) fn statements<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [policy] = take(values)?;
    match policy {
        Val::Null => Ok(Vec::new()),
        Val::Str(text) if text.is_empty() => Ok(Vec::new()),
        text if text.stands_for_unknown() => Ok(Vec::new()),
        // Many rules ask for what stands in a file.
        Val::Str(Cow::Borrowed(text)) => return context.statements(text, || from_text(text)),
        Val::Str(text) => from_text(text),
        Val::Map(Dict::Resource(resource)) if is_document(resource) => document(context, resource),
        Val::Map(_) => from_json(policy),
        Val::Reference(reference) => match context.resource(&reference.address) {
            Some(resource) if is_document(resource) => document(context, resource),
            _ => unknown(after_apply(reference)),
        },
        other => other.refuse("a policy"),
    }
    .map(Val::list)
}

fn from_text<'a>(text: &str) -> Result<Vec<Val<'a>>, Undecided> {
    match loose_json(text) {
        Ok(json) => from_json(&Val::from_json(&json)),
        Err(why) => error(format!("the policy is not JSON: {why}")),
    }
}

fn is_document(resource: &Resource) -> bool {
    !resource.managed && &*resource.type_ == "aws_iam_policy_document"
}

/// One value or a list of them; nothing is none.
fn listed<'a>(value: &Val<'a>) -> Val<'a> {
    match value {
        Val::Null => Val::list(Vec::new()),
        Val::List(_) | Val::Unknown(_) => value.clone(),
        one => Val::list(vec![one.clone()]),
    }
}

fn blocks(value: Val<'_>) -> Result<Vec<Val<'_>>, Undecided> {
    match value.known()? {
        Val::Null => Ok(Vec::new()),
        Val::List(list) => Ok(List::iter(&list).collect()),
        map @ Val::Map(_) => Ok(vec![map]),
        other => other.refuse("a list of statements"),
    }
}

/// The statements of a data source: those of the JSON it gives.
fn document<'a>(context: &Context<'a>, resource: &'a Resource) -> Result<Vec<Val<'a>>, Undecided> {
    match context.world.module.and_then(|module| module.document(&resource.address)) {
        Some(Ok(tree)) => from_json(&Val::from(tree)),
        Some(Err(why)) => unknown(format!("`{}` is refused by the provider: {why}", resource.address)),
        None => unknown(format!("what `{}` says is not known", resource.address)),
    }
}

fn from_json<'a>(policy: &Val<'a>) -> Result<Vec<Val<'a>>, Undecided> {
    let mut found = Vec::new();
    for statement in blocks(policy.field("Statement")?)? {
        let statement = statement.known()?;
        let list = |name: &str| statement.field(name).map(|value| listed(&value));
        found.push(Val::map(vec![
            ("sid".into(), statement.field("Sid")?),
            ("effect".into(), statement.field("Effect")?),
            ("actions".into(), list("Action")?),
            ("notActions".into(), list("NotAction")?),
            ("resources".into(), list("Resource")?),
            ("notResources".into(), list("NotResource")?),
            ("principals".into(), json_principals(&statement.field("Principal")?)?),
            ("notPrincipals".into(), json_principals(&statement.field("NotPrincipal")?)?),
            ("conditions".into(), json_conditions(&statement.field("Condition")?)?),
        ]));
    }
    Ok(found)
}

fn json_principals<'a>(value: &Val<'a>) -> Outcome<'a> {
    let principals = match value {
        Val::Map(map) => map
            .entries()
            .into_iter()
            .map(|(type_, identifiers)| {
                Val::map(vec![("type".into(), Val::Str(type_)), ("identifiers".into(), listed(&identifiers))])
            })
            .collect(),
        Val::Null => Vec::new(),
        // The type of one is not known, so that no key could say it.
        Val::List(list) => list
            .iter()
            .map(|one| {
                // AWS takes a list of texts for accounts and the like, as if its key were `AWS`.
                let (type_, identifiers) = match one {
                    Val::Str(_) | Val::Partial(_) | Val::Reference(_) => (Val::Str("AWS".into()), one),
                    one => (one.field("type")?, one.field("identifiers")?),
                };
                Ok(Val::map(vec![("type".into(), type_), ("identifiers".into(), listed(&identifiers))]))
            })
            .collect::<Result<_, Undecided>>()?,
        Val::Str(text) => vec![Val::map(vec![
            ("type".into(), Val::Str(text.clone())),
            ("identifiers".into(), Val::list(vec![Val::Str(text.clone())])),
        ])],
        other => return other.refuse("a principal"),
    };
    Ok(Val::list(principals))
}

fn json_conditions<'a>(value: &Val<'a>) -> Outcome<'a> {
    let mut found = Vec::new();
    let tests = match value {
        Val::Map(map) => map.entries(),
        Val::Null => Vec::new(),
        // What one of them tests is not known, so that no key could say it.
        Val::List(list) => {
            for one in list.iter() {
                found.push(Val::map(vec![
                    ("test".into(), one.field("test")?),
                    ("variable".into(), one.field("variable")?),
                    ("values".into(), listed(&one.field("values")?)),
                ]));
            }
            Vec::new()
        }
        other => return other.refuse("a condition"),
    };
    for (test, variables) in tests {
        let Val::Map(variables) = variables.known()? else {
            return error("a condition's test has no variables");
        };
        for (variable, values) in variables.entries() {
            found.push(Val::map(vec![
                ("test".into(), Val::Str(test.clone())),
                ("variable".into(), Val::Str(variable)),
                ("values".into(), listed(&values)),
            ]));
        }
    }
    Ok(Val::list(found))
}

/// `grants(statement, action)`: the statement, one that `statements` gives, is about this action.
pub(super) fn grants<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [statement, action] = take(values)?;
    let action = action.as_text()?.to_ascii_lowercase();
    let among = |name: &str| {
        let patterns = statement.field(name)?.known()?.items()?;
        any(patterns, |pattern| {
            Ok(covers(pattern.as_text()?.to_ascii_lowercase().as_bytes(), action.as_bytes()))
        })
    };
    if statement.field("notActions")?.known()?.items()?.is_empty() {
        return among("actions").map(Val::Bool);
    }
    among("notActions").map(|excepted| Val::Bool(!excepted))
}

/// Whether a pattern of IAM covers a text: `*` is any text, `?` one character
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>).
fn covers(mut pattern: &[u8], mut text: &[u8]) -> bool {
    // Where to go on when the text after the last `*` turns out not to fit.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern.split_first(), text.split_first()) {
            (Some((b'*', rest)), _) => {
                retry = Some((rest, text));
                pattern = rest;
            }
            (Some((wanted, rest)), Some((found, left))) if *wanted == b'?' || wanted == found => {
                (pattern, text) = (rest, left);
            }
            (None, None) => return true,
            _ => {
                let Some((rest, from)) = retry else { return false };
                let Some((_, left)) = from.split_first() else { return false };
                retry = Some((rest, left));
                (pattern, text) = (rest, left);
            }
        }
    }
}

/// `restrictable(action)`: the action, or some action that a pattern covers, can be limited to resources.
pub(super) fn restrictable<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    const TABLE: &str = "iam-actions";
    let [action] = take(values)?;
    let action = action.as_text()?.to_ascii_lowercase();
    let Some((service, name)) = action.split_once(':') else { return Ok(Val::Bool(true)) };
    if service.contains(['*', '?']) {
        return Ok(Val::Bool(true));
    }
    let Some(facts) = table(TABLE) else { return error(format!("there is no table of facts `{TABLE}`")) };
    context.note_facts(facts.name);
    let Some(entries) = facts.table.at(&["unrestricted", service]) else {
        return unknown(format!(
            "whether `{action}` can be limited to resources: no table lists the actions of `{service}`"
        ));
    };
    let free =
        entries.items().iter().filter_map(Node::as_str).map(str::to_ascii_lowercase).any(|entry| match entry
            .strip_suffix('*')
        {
            Some(prefix) => name.starts_with(prefix),
            None => name == entry,
        });
    Ok(Val::Bool(!free))
}
