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
    let named = |ending: &str| name == ending || name.ends_with(&format!("_{ending}"));
    let of_kms = name.split('_').any(|word| matches!(word, "kms" | "cmk"));
    let plain = name.trim_end_matches("_id").trim_end_matches("_arn");
    (of_kms && (KEY.iter().any(|ending| named(ending)) || named("arn") || named("id")))
        || plain.ends_with("encryption_key")
        || plain.ends_with("managed_key")
        || (matches!(name, "key" | "key_id" | "key_arn") && is_encryption(block))
        || (matches!(name, "id" | "arn") && (block.ends_with("encryption_key") || block.ends_with("kms_key")))
}

/// Whether a block is about encryption and nothing else, so that its absence means that no key is named.
pub fn is_encryption(block: &str) -> bool {
    block.split('_').any(|word| word.starts_with("encrypt") || matches!(word, "kms" | "sse" | "cmk"))
}

/// The members of an object type, or of the objects of a list or set of them: blocks that are attributes to the provider.
pub fn members(type_: &Type) -> Option<&BTreeMap<String, Type>> {
    match type_ {
        Type::Object(members) => Some(members),
        Type::List(of) | Type::Set(of) => match of.as_ref() {
            Type::Object(members) => Some(members),
            _ => None,
        },
        _ => None,
    }
}

/// The path of every argument below a block that takes a KMS key, `logging.kms_key_arn`, in order; `name` is the block's.
pub fn key_arguments(name: &str, block: &Block) -> Vec<String> {
    let settable = |attribute: &&Attribute| !attribute.computed_only();
    let attributes = block.attributes.iter().filter(|(_, attribute)| settable(attribute));
    let own = attributes.flat_map(|(own, attribute)| of_type(name, own, &attribute.type_));
    let nested =
        block.blocks.iter().flat_map(|(inner, nested)| below(inner, key_arguments(inner, &nested.block)));
    own.chain(nested).collect()
}

/// The same of an attribute: the attribute itself, or members of its objects.
pub fn of_type(block: &str, name: &str, type_: &Type) -> Vec<String> {
    if takes_key(block, name, type_) {
        return vec![name.to_owned()];
    }
    let inner = members(type_).into_iter().flatten();
    below(name, inner.flat_map(|(member, type_)| of_type(name, member, type_)).collect())
}

fn below(name: &str, paths: Vec<String>) -> Vec<String> {
    paths.into_iter().map(|path| format!("{name}.{path}")).collect()
}
