//! Strategic merge: a patch laid over an object, lists merged by the keys that Kubernetes gives them.
//!
//! What kustomize does where it differs from the API server counts: items that a patch adds come first, `retainKeys` is
//! not heeded, and a null that is written without a word goes.

use crate::kubernetes::schema::Shape;
use crate::source::{Map, Node, Span, Value};

const DIRECTIVE: &str = "$patch";

/// Definition, list, and the keys by which its items are the same; no key: items are the same if they are equal.
const KEYS: &[(&str, &str, &[&str])] = &[
    ("Container", "env", &["name"]),
    ("Container", "ports", &["containerPort", "protocol"]),
    ("Container", "volumeDevices", &["devicePath"]),
    ("Container", "volumeMounts", &["mountPath"]),
    ("EphemeralContainer", "env", &["name"]),
    ("EphemeralContainer", "ports", &["containerPort", "protocol"]),
    ("EphemeralContainer", "volumeDevices", &["devicePath"]),
    ("EphemeralContainer", "volumeMounts", &["mountPath"]),
    ("CSINodeSpec", "drivers", &["name"]),
    ("MutatingWebhookConfiguration", "webhooks", &["name"]),
    ("ValidatingWebhookConfiguration", "webhooks", &["name"]),
    ("NodeSpec", "podCIDRs", &[]),
    ("NodeStatus", "addresses", &["type"]),
    ("ObjectMeta", "finalizers", &[]),
    ("ObjectMeta", "ownerReferences", &["uid"]),
    ("PodSpec", "containers", &["name"]),
    ("PodSpec", "ephemeralContainers", &["name"]),
    ("PodSpec", "hostAliases", &["ip"]),
    ("PodSpec", "imagePullSecrets", &["name"]),
    ("PodSpec", "initContainers", &["name"]),
    ("PodSpec", "topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
    ("PodSpec", "volumes", &["name"]),
    ("ServiceAccount", "secrets", &["name"]),
    ("ServiceSpec", "ports", &["port", "protocol"]),
];

fn keys_of(definition: Option<&str>, field: &str) -> Option<&'static [&'static str]> {
    let short = definition?.rsplit('.').next()?;
    if field == "conditions" && short.ends_with("Status") {
        return Some(&["type"]);
    }
    KEYS.iter().find(|(name, key, _)| *name == short && *key == field).map(|(_, _, keys)| *keys)
}

/// A patch that does not fit what it is laid over: where in the patch, and why.
#[derive(Debug)]
pub(super) struct Misfit {
    pub(super) span: Span,
    pub(super) message: String,
}

/// What a patch makes of an object; `None` if it deletes it.
pub(super) fn merge(object: Node, patch: &Node, misfits: &mut Vec<Misfit>) -> Option<Node> {
    let word = |key| patch.get(key).or_else(|| object.get(key)).and_then(Node::as_str).unwrap_or_default();
    // The one kind that kustomize knows by a version that is gone since.
    let version = match (word("apiVersion"), word("kind")) {
        ("batch/v1beta1", "CronJob") => "batch/v1",
        (version, _) => version,
    };
    let shape = Shape::of(version, word("kind"));
    Merger { misfits }.walk(Some(object), Some(patch), shape, None)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

struct Merger<'m> {
    misfits: &'m mut Vec<Misfit>,
}

fn is_nothing(node: Option<&Node>) -> bool {
    node.is_none_or(|node| node.value == Value::Null)
}

impl Merger<'_> {
    fn misfit(&mut self, span: Span, message: impl Into<String>) {
        self.misfits.push(Misfit { span, message: message.into() });
    }

    fn walk(
        &mut self,
        dest: Option<Node>,
        patch: Option<&Node>,
        shape: Option<Shape>,
        keys: Option<&[&str]>,
    ) -> Option<Node> {
        if is_nothing(dest.as_ref()) && is_nothing(patch) {
            // A null that is spelled out stays as long as no patch speaks of it; one that is left blank goes.
            return dest.filter(|node| patch.is_none() && node.span.end > node.span.start);
        }
        let shown = if is_nothing(dest.as_ref()) { patch } else { dest.as_ref() };
        let other = patch.filter(|patch| patch.value != Value::Null);
        if let (Some(shown), Some(other)) = (shown, other)
            && form(shown) != form(other)
        {
            self.misfit(
                other.span,
                format!("this is {}, and what it is laid over is {}", form(other), form(shown)),
            );
            return dest;
        }
        match shown.map(|node| &node.value) {
            Some(Value::Map(_)) => self.map(dest, patch, shape.as_ref()),
            Some(Value::List(_)) => match keys {
                Some(keys) => self.keyed(dest, patch, shape, keys),
                None => patch.cloned().or(dest).filter(|node| node.value != Value::Null),
            },
            _ => patch.cloned().or(dest).filter(|node| node.value != Value::Null),
        }
    }

    fn map(&mut self, dest: Option<Node>, patch: Option<&Node>, shape: Option<&Shape>) -> Option<Node> {
        let directive = match patch {
            Some(patch) if patch.value == Value::Null => return None,
            Some(patch) => self.directive(patch),
            None => Directive::Merge,
        };
        if directive == Directive::Delete {
            return None;
        }
        let plain = patch.map(without_directive);
        let base = match dest {
            Some(dest) if dest.value != Value::Null && directive == Directive::Merge => dest,
            _ => plain.clone()?,
        };
        let Value::Map(mut before) = base.value else { return Some(base) };
        let mut after = Map::default();
        let laid = plain.as_ref().and_then(Node::as_map);
        let own: Vec<_> = before.entries.keys().cloned().collect();
        let added = laid.into_iter().flat_map(|map| map.entries.keys());
        let added: Vec<_> = added.filter(|key| !before.entries.contains_key(*key)).cloned().collect();
        for key in own.into_iter().chain(added) {
            let old = before.entries.swap_remove(&key);
            let new = laid.and_then(|map| map.entries.get(&key));
            let inner = shape.and_then(|shape| shape.field(&key));
            let keys = keys_of(shape.and_then(Shape::definition), &key);
            let (old_key, old) = old.map_or((None, None), |entry| (Some(entry.key), Some(entry.node)));
            if let Some(node) = self.walk(old, new.map(|entry| &entry.node), inner, keys) {
                // Where the value is the patch's the key is too.
                let own_key = new.filter(|new| new.node.span == node.span).map(|new| new.key);
                let at = own_key.or(old_key).unwrap_or(node.span);
                after.insert(key, at, node);
            }
        }
        Some(Node::new(base.span, Value::Map(after)))
    }

    /// A list whose items are known by keys: what is the same is merged, in the patch's order, then the others follow.
    fn keyed(
        &mut self,
        dest: Option<Node>,
        patch: Option<&Node>,
        shape: Option<Shape>,
        keys: &[&str],
    ) -> Option<Node> {
        let directive = match patch {
            Some(patch) if patch.value == Value::Null => return None,
            Some(patch) => self.list_directive(patch),
            None => Directive::Merge,
        };
        if directive == Directive::Delete {
            return None;
        }
        let laid: Vec<&Node> =
            patch.map_or(&[][..], Node::items).iter().filter(|item| !is_directive(item)).collect();
        let base = match dest {
            Some(dest) if dest.value != Value::Null && directive == Directive::Merge => dest,
            _ => Node::new(patch?.span, Value::List(laid.iter().map(|item| (*item).clone()).collect())),
        };
        let span = base.span;
        let own = base.items();
        if keys.is_empty() {
            let mut merged: Vec<Node> = Vec::new();
            for item in laid.iter().copied().chain(own) {
                if !merged.iter().any(|known| known.value == item.value) {
                    merged.push(item.clone());
                }
            }
            return Some(Node::new(span, Value::List(merged.into())));
        }
        let element = shape.and_then(|shape| shape.element());
        let mut seen: Vec<Vec<String>> = Vec::new();
        let (mut merged, mut added) = (Vec::new(), Vec::new());
        for item in laid.iter().copied().chain(own) {
            let tuple = tuple(item, keys);
            if tuple.iter().all(String::is_empty) || seen.contains(&tuple) {
                continue;
            }
            let find = |item: &&Node| self::tuple(item, keys) == tuple;
            let old = own.iter().find(find).cloned();
            let new = laid.iter().copied().find(|item| find(item));
            // One of the two leaves out a second key: kustomize then keeps the object's item as it is.
            let shadowed = old.is_none() && own.iter().any(|item| agrees(&self::tuple(item, keys), &tuple));
            let is_new = old.is_none();
            if !shadowed
                && let Some(node) = self.walk(old, new, element.clone(), None)
                && node.as_map().is_none_or(|map| !map.entries.is_empty())
            {
                if keys.len() > 1 && is_new { added.push(node) } else { merged.push((tuple.clone(), node)) }
            }
            seen.push(tuple);
        }
        if keys.len() > 1 {
            // By several keys: what is new comes first, the others stay in the order they were in.
            let place = |wanted: &Vec<String>| own.iter().position(|item| tuple(item, keys) == *wanted);
            merged.sort_by_key(|(tuple, _)| place(tuple));
        }
        let mut merged: Vec<Node> =
            added.into_iter().chain(merged.into_iter().map(|(_, node)| node)).collect();
        merged.extend(own.iter().filter(|item| tuple(item, keys).iter().all(String::is_empty)).cloned());
        Some(Node::new(span, Value::List(merged.into())))
    }

    fn directive(&mut self, patch: &Node) -> Directive {
        let Some(node) = patch.get(DIRECTIVE) else { return Directive::Merge };
        match node.as_str() {
            Some("delete") => Directive::Delete,
            Some("replace") => Directive::Replace,
            Some("merge") => Directive::Merge,
            _ => {
                self.misfit(node.span, "`$patch` is delete, replace or merge");
                Directive::Merge
            }
        }
    }

    fn list_directive(&mut self, patch: &Node) -> Directive {
        match patch.items().iter().find(|item| is_directive(item)) {
            Some(item) => self.directive(item),
            None => Directive::Merge,
        }
    }
}

/// An item that is nothing but a directive speaks of the list.
fn is_directive(item: &Node) -> bool {
    item.as_map().is_some_and(|map| map.entries.len() == 1 && map.get(DIRECTIVE).is_some())
}

fn without_directive(patch: &Node) -> Node {
    let mut plain = patch.clone();
    if let Value::Map(map) = &mut plain.value {
        map.entries.shift_remove(DIRECTIVE);
    }
    plain
}

fn form(node: &Node) -> &'static str {
    match node.value {
        Value::Map(_) => "a mapping",
        Value::List(_) => "a list",
        _ => "a single value",
    }
}

fn tuple(item: &Node, keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| item.get(key).map_or_else(String::new, super::values::text)).collect()
}

/// Whether two tuples say the same where both say something, the first key at least.
fn agrees(one: &[String], other: &[String]) -> bool {
    one.first() == other.first()
        && one.iter().zip(other).all(|(one, other)| one == other || one.is_empty() || other.is_empty())
}
