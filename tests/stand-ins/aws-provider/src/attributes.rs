//! What AWS fills in: ids, ARNs, endpoints, made from the object's place and content, so that they stay the same.

use nexafi_gen::terraform::schema::{Attribute, Block, Nesting, Type};

use crate::facts::{ACCOUNT, attributes, partition};
use crate::store::digits;
use crate::value::Value;

/// Where an object comes to be, and which of several equal ones it is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The type.
    pub type_: &'a str,
    /// The region.
    pub region: &'a str,
    /// 0 for the first object of this content.
    pub nth: usize,
}

/// Whether AWS allows only one object of a type's id: the id is a name somebody chose.
pub fn named(type_: &str) -> bool {
    attributes(type_)
        .any(|(name, template)| name == "id" && !["{hex", "{uuid"].iter().any(|open| template.contains(open)))
}

/// Fills in what was known only after apply.
pub fn fill(block: &Block, planned: &Value, place: Place<'_>) -> Value {
    let mut state = planned.clone();
    let hex = digits(&format!("{}/{}/{}/{}", place.type_, place.region, place.nth, planned.to_json()));
    name_from_prefix(&mut state, &hex);
    // The table's attributes first, in its order, because they refer to each other.
    for (name, template) in attributes(place.type_) {
        let text = expand(template, &state, place.region, &salted(&hex, name));
        if let Value::Map(members) = &mut state
            && let Some(value) = members.get_mut(name)
            && *value == Value::Unknown
        {
            *value = Value::String(text);
        }
    }
    close(block, &mut state, &hex, place);
    state
}

/// A name of which only the beginning was said: the provider adds 26 digits.
fn name_from_prefix(state: &mut Value, hex: &str) {
    let Value::Map(members) = state else { return };
    let prefixes: Vec<(String, String)> = members
        .iter()
        .filter_map(|(name, value)| {
            Some((name.strip_suffix("_prefix")?.to_owned(), value.text()?.to_owned()))
        })
        .collect();
    for (name, prefix) in prefixes {
        if let Some(value) = members.get_mut(&name)
            && *value == Value::Unknown
        {
            *value = Value::String(format!("{prefix}{}", &hex[..26]));
        }
    }
}

/// Digits of an attribute's own, but the id's where others repeat it.
fn salted(hex: &str, name: &str) -> String {
    digits(&format!("{hex}/{name}"))
}

fn expand(template: &str, state: &Value, region: &str, hex: &str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, open)| Some((before, open.split_once('}')?)))
    {
        text.push_str(before);
        text.push_str(&match name {
            "hex" => hex[..17].to_owned(),
            "hex32" => hex[..32].to_owned(),
            "uuid" => {
                format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
            }
            "account" => ACCOUNT.to_owned(),
            "partition" => partition(region).to_owned(),
            "region" => region.to_owned(),
            other => state.at(other).text().unwrap_or_default().to_owned(),
        });
        rest = after;
    }
    text + rest
}

/// Gives everything still open in an object a value of its type.
fn close(block: &Block, state: &mut Value, hex: &str, place: Place<'_>) {
    let Value::Map(members) = state else { return };
    for (name, attribute) in &block.attributes {
        if let Some(value) = members.get_mut(name)
            && *value == Value::Unknown
        {
            *value = plausible(name, attribute, hex, place);
        }
    }
    for (name, nested) in &block.blocks {
        match members.get_mut(name) {
            Some(Value::List(items)) => {
                for (at, item) in items.iter_mut().enumerate() {
                    close(&nested.block, item, &salted(hex, &format!("{name}{at}")), place);
                }
            }
            Some(value @ Value::Map(_)) if nested.nesting == Nesting::Single => {
                close(&nested.block, value, &salted(hex, name), place);
            }
            Some(value @ Value::Unknown) => *value = Value::List(Vec::new()),
            _ => {}
        }
    }
}

fn plausible(name: &str, attribute: &Attribute, hex: &str, place: Place<'_>) -> Value {
    match &attribute.type_ {
        // What a user could have said and did not: nothing of it, rather than one that nobody made.
        Type::List(_) | Type::Set(_) if attribute.optional => Value::List(Vec::new()),
        type_ => typed(name, type_, &salted(hex, name), place),
    }
}

fn typed(name: &str, type_: &Type, hex: &str, place: Place<'_>) -> Value {
    match type_ {
        Type::String => Value::String(string(name, hex, place)),
        Type::Number => Value::Number(if name.ends_with("version") { 1.0 } else { 0.0 }),
        Type::Bool => Value::Bool(false),
        Type::Dynamic => Value::Null,
        // One element, so that `certificate_authority[0].data` is something.
        Type::List(of) | Type::Set(of) => Value::List(vec![typed(name, of, hex, place)]),
        Type::Map(_) => Value::Map(std::collections::BTreeMap::new()),
        Type::Object(members) => Value::Map(
            members
                .iter()
                .map(|(name, of)| (name.clone(), typed(name, of, &salted(hex, name), place)))
                .collect(),
        ),
    }
}

fn string(name: &str, hex: &str, place: Place<'_>) -> String {
    let Place { type_, region, .. } = place;
    if let Some((_, template)) = attributes(type_).find(|(of, _)| *of == name) {
        return expand(template, &Value::Null, region, hex);
    }
    match name {
        "owner_id" | "registry_id" | "account_id" | "peer_owner_id" => ACCOUNT.to_owned(),
        "created_at" | "create_date" | "modified_at" | "creation_date" => "2026-01-01T00:00:00Z".to_owned(),
        "data" => "c3RhbmQtaW4=".to_owned(),
        "public_ip" => "192.0.2.1".to_owned(),
        "private_ip" => "10.0.0.1".to_owned(),
        _ if name == "arn" || name.ends_with("_arn") => {
            format!("arn:{}:stand-in:{region}:{ACCOUNT}:{type_}/{}", partition(region), &hex[..17])
        }
        _ if name.ends_with("_id") || name == "id" => format!("{}-{}", &name.replace("_id", ""), &hex[..17]),
        _ => String::new(),
    }
}
