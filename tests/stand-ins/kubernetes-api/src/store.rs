//! The objects of a cluster, and what happened to them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::{NAMESPACES, Target, selector};
use crate::http::Request;
use crate::managed::NOW;

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    api_version: String,
    plural: String,
    namespace: String,
    name: String,
}

impl Key {
    /// The object a request is about.
    pub(crate) fn of(target: &Target) -> Self {
        Self {
            api_version: target.resource.api_version.to_owned(),
            plural: target.resource.plural.to_owned(),
            namespace: target.namespace.clone(),
            name: target.name.clone(),
        }
    }

    /// A namespace.
    pub(crate) fn namespace(name: &str) -> Self {
        Self::of(&Target { resource: NAMESPACES, namespace: String::new(), name: name.to_owned() })
    }
}

/// Something that happened to an object: `ADDED`, `MODIFIED`, `DELETED`.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// When, counted in changes.
    pub(crate) revision: u64,
    /// What.
    pub(crate) kind: &'static str,
    /// To which object.
    pub(crate) key: Key,
    /// The object after it.
    pub(crate) object: Value,
}

/// The objects.
#[derive(Debug, Default)]
pub(crate) struct Store {
    objects: BTreeMap<Key, Value>,
    revision: u64,
    events: Vec<Event>,
}

impl Store {
    /// How many changes there have been.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// One object.
    pub(crate) fn get(&self, key: &Key) -> Option<&Value> {
        self.objects.get(key)
    }

    /// Every object, in the order of API version, resource, namespace and name.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &Value> {
        self.objects.values()
    }

    /// The objects a list or a watch asks for.
    pub(crate) fn select<'a>(
        &'a self,
        target: &Target,
        request: &Request,
    ) -> impl Iterator<Item = &'a Value> {
        let (target, request) = (target.clone(), request.clone());
        self.objects
            .iter()
            .filter(move |(key, object)| is_selected(key, object, &target, &request))
            .map(|(_, object)| object)
    }

    /// What happened after a revision to the objects a watch asks for.
    pub(crate) fn events_after(&self, revision: u64, target: &Target, request: &Request) -> Vec<Event> {
        let after = self.events.partition_point(|event| event.revision <= revision);
        self.events[after..]
            .iter()
            .filter(|event| is_selected(&event.key, &event.object, target, request))
            .cloned()
            .collect()
    }

    /// Stores an object, unless it is what is there already or this is a dry run; gives it as it is then.
    pub(crate) fn put(&mut self, key: &Key, mut object: Value, dry_run: bool) -> Value {
        let before = self.objects.get(key);
        if before == Some(&object) {
            return object;
        }
        if dry_run {
            return object;
        }
        let kind = if before.is_some() { "MODIFIED" } else { "ADDED" };
        self.revision += 1;
        object["metadata"]["resourceVersion"] = self.revision.to_string().into();
        self.objects.insert(key.clone(), object.clone());
        self.note(kind, key, object.clone());
        object
    }

    fn note(&mut self, kind: &'static str, key: &Key, object: Value) {
        self.events.push(Event { revision: self.revision, kind, key: key.clone(), object });
    }

    /// Deletes an object. A namespace only begins to go: see [`Store::finish_namespaces`].
    pub(crate) fn delete(&mut self, key: &Key) {
        self.revision += 1;
        let revision = self.revision.to_string();
        if key.plural == NAMESPACES.plural {
            if let Some(namespace) = self.objects.get_mut(key) {
                namespace["metadata"]["deletionTimestamp"] = NOW.into();
                namespace["metadata"]["resourceVersion"] = revision.into();
                namespace["status"] = json!({"phase": "Terminating"});
                let namespace = namespace.clone();
                self.note("MODIFIED", key, namespace);
            }
        } else if let Some(mut object) = self.objects.remove(key) {
            object["metadata"]["resourceVersion"] = revision.into();
            self.note("DELETED", key, object);
        }
    }

    /// Lets go of namespaces that are being deleted, with everything in them, when somebody lists namespaces. In a
    /// cluster this takes some seconds; here it takes until somebody waits for it.
    pub(crate) fn finish_namespaces(&mut self) {
        let going = |object: &Value| object["metadata"].get("deletionTimestamp").is_some();
        let names: Vec<String> = self
            .objects
            .iter()
            .filter(|(key, object)| key.plural == NAMESPACES.plural && going(object))
            .map(|(key, _)| key.name.clone())
            .collect();
        for name in names {
            let inside: Vec<Key> = self.objects.keys().filter(|key| key.namespace == name).cloned().collect();
            for key in inside {
                self.delete(&key);
            }
            let key = Key::namespace(&name);
            self.revision += 1;
            if let Some(object) = self.objects.remove(&key) {
                self.note("DELETED", &key, object);
            }
        }
    }
}

fn is_selected(key: &Key, object: &Value, target: &Target, request: &Request) -> bool {
    let fields = selector(request.parameter("fieldSelector"));
    let labels = selector(request.parameter("labelSelector"));
    key.api_version == target.resource.api_version
        && key.plural == target.resource.plural
        && (target.namespace.is_empty() || key.namespace == target.namespace)
        && (target.name.is_empty() || key.name == target.name)
        && fields.get("metadata.name").is_none_or(|name| *name == key.name)
        && fields.get("metadata.namespace").is_none_or(|namespace| *namespace == key.namespace)
        && labels.iter().all(|(label, value)| object["metadata"]["labels"][*label] == *value)
}
