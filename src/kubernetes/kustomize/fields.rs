//! Walks to the fields that a transformer changes: `spec/template/metadata/labels`, through every item of lists.

use crate::source::{Map, Node, Span, Value};

/// Which objects, and where in them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spec {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
    pub(super) path: &'static str,
    /// Whether what is missing on the way is made.
    pub(super) create: bool,
}

impl Spec {
    pub(super) const fn new(
        kind: (&'static str, &'static str, &'static str),
        path: &'static str,
        create: bool,
    ) -> Self {
        Self { group: kind.0, version: kind.1, kind: kind.2, path, create }
    }
}

/// The steps of a path; `\/` is a slash in a key.
pub(super) fn steps(path: &str) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    let mut joined = false;
    for part in path.split('/') {
        match steps.last_mut() {
            Some(last) if joined => {
                last.pop();
                last.push('/');
                last.push_str(part);
            }
            _ => steps.push(part.to_owned()),
        }
        joined = part.ends_with('\\');
    }
    steps
}

/// Changes what stands at a path. With `make`, missing mappings on the way are made at that place, and the last step is
/// made as null, which `change` replaces.
pub(super) fn visit(
    node: &mut Node,
    steps: &[String],
    make: Option<Span>,
    change: &mut dyn FnMut(&mut Node),
) {
    let Some((step, rest)) = steps.split_first() else { return change(node) };
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| visit(item, steps, make, change)),
        Value::Map(map) => {
            // A step marked as a list is never made.
            let (key, is_list) = step.strip_suffix("[]").map_or((step.as_str(), false), |key| (key, true));
            if let Some(span) = make
                && !is_list
                && (map.get(key).is_none()
                    || (!rest.is_empty() && map.get(key).is_some_and(|node| node.value == Value::Null)))
            {
                let value = if rest.is_empty() { Value::Null } else { Value::Map(Map::default()) };
                super::resource::put(map, key, span, Node::new(span, value));
            }
            if let Some(entry) = map.entries.get_mut(key) {
                if !rest.is_empty() && entry.node.value == Value::Null {
                    return;
                }
                visit(&mut entry.node, rest, make, change);
            }
        }
        _ => {}
    }
}
