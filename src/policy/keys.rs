//! Looks for the arguments of a resource that take a KMS key, written or not: what a policy's `find: keys` goes through.
//! Which arguments those are the provider's schema says.

use super::path::{Match, join};
use super::value::Val;
use crate::source::{Node, Value};
use crate::terraform::schema;
use crate::terraform::schema::keys::{Inside, Wanted};

/// An argument that takes a key.
pub(super) struct Found<'a> {
    /// The value, or the block it is missing in.
    pub(super) place: Match<'a>,
    /// The names of the blocks it stands in and its own, without indices: `logging.kms_key_arn`.
    pub(super) path: String,
    /// What is written there; null where nothing is.
    pub(super) value: Val<'a>,
    /// The block it stands in, or would stand in.
    pub(super) block: Val<'a>,
}

/// Every argument of a resource that takes a key, in the schema's order. Of a block that is not written those count only
/// if it is about encryption: who does not use a feature needs no key for it.
pub(super) fn find<'a>(start: &Match<'a>, type_: &str) -> Vec<Found<'a>> {
    let mut search = Search { found: Vec::new() };
    if let Some(wanted) = schema::keys_of(type_) {
        search.block(start, &Way::default(), &wanted);
    }
    search.found
}

/// The names of the blocks on the way.
#[derive(Debug, Clone, Default)]
struct Way {
    path: String,
    last: String,
}

impl Way {
    fn to(&self, name: &str) -> Self {
        Self { path: join(&self.path, name), last: name.to_owned() }
    }
}

struct Search<'a> {
    found: Vec<Found<'a>>,
}

impl<'a> Search<'a> {
    fn block(&mut self, place: &Match<'a>, way: &Way, wanted: &[Wanted]) {
        for one in wanted {
            match &one.inside {
                None => self.argument(place, &way.to(&one.name)),
                Some(inside) => self.nested(place, way, &one.name, inside),
            }
        }
    }

    /// Goes into the blocks of a name.
    fn nested(&mut self, place: &Match<'a>, outer: &Way, name: &str, inside: &Inside) {
        let written = child(place, name);
        // Most blocks that a type may have are not written, and nothing is missing for it.
        if written.is_none() && !inside.encryption {
            return;
        }
        let way = &outer.to(name);
        match written.as_ref().map(|written| (&written.node.value, written)) {
            Some((Value::List(items), written)) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    self.block(&written.child(item, None, &at.to_string(), false), way, &inside.below);
                }
            }
            Some((Value::Map(_), written)) => self.block(written, way, &inside.below),
            // Nobody knows what stands in it, nor whether it is there.
            Some((Value::Unknown(_) | Value::Reference(_), written)) => {
                for path in &inside.paths {
                    let value = Val::from(written.node);
                    let value = if matches!(value, Val::Reference(_)) {
                        Val::Unknown("what the block holds is known after apply only".into())
                    } else {
                        value
                    };
                    self.add(written.clone(), format!("{}.{path}", way.path), value, Val::Null);
                }
            }
            _ if inside.encryption => {
                for path in &inside.paths {
                    self.absent(
                        place,
                        &format!("{}.{path}", way.last),
                        format!("{}.{path}", way.path),
                        Val::Null,
                    );
                }
            }
            _ => {}
        }
    }

    fn argument(&mut self, place: &Match<'a>, way: &Way) {
        let written = child(place, &way.last);
        match written {
            Some(written) if !is_nothing(written.node) => {
                self.add(written.clone(), way.path.clone(), Val::from(written.node), Val::from(place.node));
            }
            _ => self.absent(place, &way.last, way.path.clone(), Val::from(place.node)),
        }
    }

    /// What is missing is pointed at in the block it is missing in, and is a place of its own all the same.
    fn absent(&mut self, inside: &Match<'a>, missing: &str, path: String, block: Val<'a>) {
        let mut place = inside.clone();
        for name in missing.split('.') {
            place.pointer = join(&place.pointer, name);
            name.clone_into(&mut place.last);
        }
        self.add(place, path, Val::Null, block);
    }

    fn add(&mut self, place: Match<'a>, path: String, value: Val<'a>, block: Val<'a>) {
        self.found.push(Found { place, path, value, block });
    }
}

fn child<'a>(place: &Match<'a>, name: &str) -> Option<Match<'a>> {
    let entry = place.node.as_map()?.entries.get(name)?;
    Some(place.child(&entry.node, Some(entry.key), name, false))
}

/// `null` and the empty text name no key.
fn is_nothing(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Str(text) => text.is_empty(),
        _ => false,
    }
}
