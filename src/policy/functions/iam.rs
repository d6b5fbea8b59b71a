//! IAM policies: JSON and `aws_iam_policy_document` as one list of statements.
//!
//! Grammar: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>. How documents merge:
//! the provider's `aws_iam_policy_document` data source, arguments `source_policy_documents` (merged before its own
//! statements) and `override_policy_documents` (after); a later statement replaces an earlier one of the same `sid`.

use super::super::facts::table;
use super::super::value::{Dict, List, Outcome, Undecided, Val, after_apply, error, unknown};
use super::super::world::Context;
use super::{any, take};
use crate::source::Node;
use crate::terraform::Resource;

/// Documents that include each other deeper than this are taken for a circle.
const MAX_DEPTH: u8 = 16;

/// `statements(policy)`
pub(super) fn statements<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [policy] = take(values)?;
    of(context, policy, 0).map(Val::list)
}

fn of<'a>(context: &Context<'a>, policy: &Val<'a>, depth: u8) -> Result<Vec<Val<'a>>, Undecided> {
    if depth > MAX_DEPTH {
        return error("the policy documents include each other in a circle");
    }
    match policy {
        Val::Null => Ok(Vec::new()),
        Val::Str(text) => match serde_json::from_str(text) {
            Ok(json) => from_json(&Val::from_json(&json)),
            Err(why) => error(format!("the policy is not JSON: {why}")),
        },
        Val::Map(Dict::Resource(resource)) if is_document(resource) => document(context, resource, depth),
        Val::Map(_) => from_json(policy),
        Val::Reference(reference) => match context.resource(&reference.address) {
            Some(resource) if is_document(resource) => document(context, resource, depth),
            _ => unknown(after_apply(reference)),
        },
        other => other.refuse("a policy"),
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

fn document<'a>(context: &Context<'a>, resource: &'a Resource, depth: u8) -> Result<Vec<Val<'a>>, Undecided> {
    let body = Val::Map(Dict::Resource(resource));
    let mut merged = Vec::new();
    let include = |merged: &mut Vec<Val<'a>>, names: [&str; 2]| -> Result<(), Undecided> {
        for name in names {
            for included in listed(&body.field(name)?).known()?.items()? {
                merge(merged, of(context, &included.known()?, depth + 1)?)?;
            }
        }
        Ok(())
    };
    include(&mut merged, ["source_json", "source_policy_documents"])?;
    let mut own = Vec::new();
    for block in blocks(body.field("statement")?)? {
        own.push(from_block(&block.known()?)?);
    }
    merge(&mut merged, own)?;
    include(&mut merged, ["override_json", "override_policy_documents"])?;
    Ok(merged)
}

fn merge<'a>(merged: &mut Vec<Val<'a>>, later: Vec<Val<'a>>) -> Result<(), Undecided> {
    for statement in later {
        let sid = statement.field("sid")?;
        let same = match sid.as_text() {
            Ok(sid) if !sid.is_empty() => merged
                .iter()
                .position(|earlier| earlier.field("sid").is_ok_and(|other| other.as_text() == Ok(sid))),
            _ => None,
        };
        match same.and_then(|at| merged.get_mut(at)) {
            Some(place) => *place = statement,
            None => merged.push(statement),
        }
    }
    Ok(())
}

fn from_block<'a>(block: &Val<'a>) -> Outcome<'a> {
    let list = |name: &str| block.field(name).map(|value| listed(&value));
    let effect = match block.field("effect")? {
        Val::Null => Val::Str("Allow".into()),
        effect => effect,
    };
    let principals = |name: &str| -> Outcome<'a> {
        let mut found = Vec::new();
        for principal in blocks(block.field(name)?)? {
            let identifiers = listed(&principal.field("identifiers")?);
            found.push(Val::map(vec![
                ("type".into(), principal.field("type")?),
                ("identifiers".into(), identifiers),
            ]));
        }
        Ok(Val::list(found))
    };
    let mut conditions = Vec::new();
    for condition in blocks(block.field("condition")?)? {
        conditions.push(Val::map(vec![
            ("test".into(), condition.field("test")?),
            ("variable".into(), condition.field("variable")?),
            ("values".into(), listed(&condition.field("values")?)),
        ]));
    }
    Ok(Val::map(vec![
        ("sid".into(), block.field("sid")?),
        ("effect".into(), effect),
        ("actions".into(), list("actions")?),
        ("notActions".into(), list("not_actions")?),
        ("resources".into(), list("resources")?),
        ("notResources".into(), list("not_resources")?),
        ("principals".into(), principals("principals")?),
        ("notPrincipals".into(), principals("not_principals")?),
        ("conditions".into(), Val::list(conditions)),
    ]))
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
