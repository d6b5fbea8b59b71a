//! Where a field belongs that stands in the wrong place.

use super::store::{Definition, Store};

/// How far below its place a field is looked for: `containers` of a Deployment's spec is three steps down.
const DEPTH: usize = 4;

/// The definitions around a place, outermost first, each with the path to it.
pub(super) type Enclosing = Vec<(String, String)>;

/// The path where a field would be known: one of the definitions around its place, or one below it.
pub(super) fn place(
    store: &'static Store,
    bit: u32,
    enclosing: &[(String, String)],
    field: &str,
) -> Option<String> {
    let (here, around) = enclosing.split_last()?;
    let above = around.iter().rev().find(|(_, name)| has(store, bit, name, field));
    if let Some((path, _)) = above {
        return Some(path.clone());
    }
    let mut level = vec![here.clone()];
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        for (path, name) in &level {
            let Some(Definition::Fields(fields)) = store.definition(name, bit) else { continue };
            for inner in fields {
                let Some(definition) = inner.type_.strip_prefix('@') else { continue };
                let path =
                    if path.is_empty() { inner.name.to_owned() } else { format!("{path}.{}", inner.name) };
                if has(store, bit, definition, field) {
                    return Some(path);
                }
                next.push((path, definition.to_owned()));
            }
        }
        level = next;
    }
    None
}

fn has(store: &'static Store, bit: u32, name: &str, field: &str) -> bool {
    matches!(store.definition(name, bit), Some(Definition::Fields(fields))
        if fields.iter().any(|known| known.name == field))
}
