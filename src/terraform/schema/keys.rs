//! Which arguments take a KMS key. The schema only says that they are strings, so their names decide; a snapshot in the
//! tests lists them all.

use std::collections::BTreeMap;

use super::{Attribute, Block, Type};

/// Endings of the names of keys.
const KEY: [&str; 4] = ["key", "key_id", "key_arn", "key_identifier"];

/// Whether an argument takes a KMS key. `block` is the name of the block or object it stands in, empty for the resource.
///
/// A string does whose name
/// - has the word `kms` or `cmk` in it and ends in `key`, `id`, `arn` or `identifier`: `kms_key_id`, `cmk_arn`;
/// - ends in `encryption_key` or `managed_key`, `_id` or `_arn` behind it: `customer_managed_key_arn`;
/// - is `key`, `key_id` or `key_arn` in a block that is about encryption, or `id` or `arn` in a block `encryption_key`.
pub fn takes_key(block: &str, name: &str, type_: &Type) -> bool {
    if *type_ != Type::String {
        return false;
    }
    let named =
        |ending: &str| name.strip_suffix(ending).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'));
    let of_kms = || name.split('_').any(|word| matches!(word, "kms" | "cmk"));
    let plain = name.trim_end_matches("_id").trim_end_matches("_arn");
    ((KEY.iter().any(|ending| named(ending)) || named("arn") || named("id")) && of_kms())
        || plain.ends_with("encryption_key")
        || plain.ends_with("managed_key")
        || (matches!(name, "key" | "key_id" | "key_arn") && is_encryption(block))
        || (matches!(name, "id" | "arn") && (block.ends_with("encryption_key") || block.ends_with("kms_key")))
}

/// Whether a block is about encryption and nothing else, so that its absence means that no key is named.
fn is_encryption(block: &str) -> bool {
    block.split('_').any(|word| word.starts_with("encrypt") || matches!(word, "kms" | "sse" | "cmk"))
}

/// The members of an object type, or of the objects of a list or set of them: blocks that are attributes to the provider.
pub(super) fn members(type_: &Type) -> Option<&BTreeMap<String, Type>> {
    match type_ {
        Type::Object(members) => Some(members),
        Type::List(of) | Type::Set(of) => match of.as_ref() {
            Type::Object(members) => Some(members),
            _ => None,
        },
        _ => None,
    }
}

/// An argument that takes a KMS key, or a block that has such arguments in it.
#[derive(Debug)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// What is in it, if it is a block or an object.
    pub inside: Option<Inside>,
}

/// A block with arguments that take a key.
#[derive(Debug)]
pub struct Inside {
    /// In the schema's order.
    pub below: Vec<Wanted>,
    /// The path of every argument in it, from it: `logging.kms_key_arn`.
    pub paths: Vec<String>,
    /// Whether it is about encryption and nothing else, so that its absence means that no key is named.
    pub encryption: bool,
}

/// Everything in a block that takes a key; `name` is the block's, empty for the resource.
pub fn wanted(name: &str, block: &Block) -> Vec<Wanted> {
    let settable = |attribute: &&Attribute| !attribute.computed_only();
    let attributes = block.attributes.iter().filter(|(_, attribute)| settable(attribute));
    let own = attributes.filter_map(|(own, attribute)| of_type(name, own, &attribute.type_));
    let nested =
        block.blocks.iter().filter_map(|(inner, nested)| inside(inner, wanted(inner, &nested.block)));
    own.chain(nested).collect()
}

/// The same of an attribute: the attribute itself, or members of its objects.
fn of_type(block: &str, name: &str, type_: &Type) -> Option<Wanted> {
    if takes_key(block, name, type_) {
        return Some(Wanted { name: name.to_owned(), inside: None });
    }
    let members = members(type_)?.iter();
    inside(name, members.filter_map(|(member, type_)| of_type(name, member, type_)).collect())
}

fn inside(name: &str, below: Vec<Wanted>) -> Option<Wanted> {
    if below.is_empty() {
        return None;
    }
    let inside = Inside { paths: paths(&below), encryption: is_encryption(name), below };
    Some(Wanted { name: name.to_owned(), inside: Some(inside) })
}

/// The path of every argument among these, in order.
pub fn paths(wanted: &[Wanted]) -> Vec<String> {
    let mut paths = Vec::new();
    for one in wanted {
        match &one.inside {
            None => paths.push(one.name.clone()),
            Some(inside) => paths.extend(inside.paths.iter().map(|path| format!("{}.{path}", one.name))),
        }
    }
    paths
}
