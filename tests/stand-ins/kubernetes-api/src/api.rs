//! Requests to answers.

use std::collections::BTreeMap;

use nexafi_gen::source::{SourceFile, Sources, yaml};
use serde_json::{Map, Value, json};

use crate::definitions::Definitions;
use crate::error::{Outcome, Refusal};
use crate::http::{Request, Response};
use crate::normalise::{map_at, normalise};
use crate::resources::{RESOURCES, Resource};
use crate::schema::UnknownFields;
use crate::store::{Key, Store};
use crate::{controllers, defaults, immutable, managed, patch, pod_security, resources, schema, validate};

/// Where a request of an object or a list goes.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The resource.
    pub(crate) resource: Resource,
    /// The namespace; empty for cluster-scoped resources and for lists of all namespaces.
    pub(crate) namespace: String,
    /// The object; empty for lists.
    pub(crate) name: String,
}

/// The API of one cluster: what it knows and what it holds.
#[derive(Debug)]
pub(crate) struct Api {
    /// The Kubernetes version, such as `1.34`.
    pub(crate) version: String,
    /// Its definitions.
    pub(crate) known: Definitions,
    /// Its objects.
    pub(crate) store: Store,
}

impl Api {
    /// An empty cluster, but for the namespaces and the storage class that EKS begins with.
    pub(crate) fn new(version: &str) -> Self {
        let mut api =
            Self { version: version.to_owned(), known: Definitions::load(version), store: Store::default() };
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            let target = Target { resource: NAMESPACES, namespace: String::new(), name: name.to_owned() };
            // These cannot be refused; if they are, every test says so.
            let _ = api.write(&target, object, &Writer::new("kube-apiserver"), None);
        }
        api
    }

    /// Answers everything but watches.
    pub(crate) fn answer(&mut self, request: &Request) -> Response {
        match self.route(request) {
            Ok(response) => response,
            Err(refusal) => Response::json(refusal.code, &refusal.status()),
        }
    }

    fn route(&mut self, request: &Request) -> Outcome<Response> {
        let segments: Vec<&str> = request.path.iter().map(String::as_str).collect();
        let found = |document: Option<Value>| {
            document.map(|document| Response::json(200, &document)).ok_or_else(not_served)
        };
        match segments.as_slice() {
            ["readyz" | "livez" | "healthz", ..] => Ok(Response::text("ok")),
            ["version"] => {
                let (major, minor) = self.version.split_once('.').unwrap_or(("1", ""));
                let git = format!("v{}.0", self.version);
                found(Some(
                    json!({"major": major, "minor": minor, "gitVersion": git, "platform": "linux/amd64"}),
                ))
            }
            ["api"] => found(Some(resources::core_versions())),
            ["apis"] => found(Some(resources::group_list())),
            ["api", version] => found(resources::resource_list(version)),
            ["apis", group, version] => found(resources::resource_list(&format!("{group}/{version}"))),
            ["openapi", "v2"] => Ok(Response::empty_openapi_v2()),
            ["openapi", "v3"] => found(Some(resources::openapi_index())),
            ["openapi", "v3", path @ ..] => found(resources::openapi_document(&path.join("/"))),
            _ => {
                let target = target(&request.path).ok_or_else(not_served)?;
                self.serve(request, &target)
            }
        }
    }

    fn serve(&mut self, request: &Request, target: &Target) -> Outcome<Response> {
        if request.method == "GET" && target.resource == NAMESPACES && target.name.is_empty() {
            self.store.finish_namespaces();
        }
        let writer = Writer::of(request)?;
        match (request.method.as_str(), target.name.is_empty()) {
            ("GET", true) => Ok(Response::json(200, &self.list(target, request))),
            ("GET", false) => Ok(Response::json(200, self.live(target)?)),
            ("POST", true) => {
                let object = body(request)?;
                let name = object["metadata"]["name"].as_str().unwrap_or("").to_owned();
                let target = Target { name, ..target.clone() };
                if self.store.get(&Key::of(&target)).is_some() {
                    let what = target.resource.full_name();
                    return Err(Refusal::already_exists(format!(
                        "{what} \"{}\" already exists",
                        target.name
                    )));
                }
                let warnings = schema::check(&object, &self.version, writer.unknown, true)?;
                let object = self.write(&target, object, &writer, None)?;
                Ok(Response { warnings, ..Response::json(201, &object) })
            }
            ("PUT", false) => {
                self.live(target)?;
                let object = body(request)?;
                let warnings = schema::check(&object, &self.version, writer.unknown, true)?;
                let object = self.write(target, object, &writer, None)?;
                Ok(Response { warnings, ..Response::json(200, &object) })
            }
            ("PATCH", false) => self.patch(request, target, &writer),
            ("DELETE", false) => self.delete(request, target),
            _ => Err(Refusal {
                code: 405,
                reason: "MethodNotAllowed",
                message: "the server does not allow this method on the requested resource".to_owned(),
            }),
        }
    }

    fn live(&self, target: &Target) -> Outcome<&Value> {
        self.store.get(&Key::of(target)).ok_or_else(|| {
            Refusal::not_found(format!("{} \"{}\" not found", target.resource.full_name(), target.name))
        })
    }

    fn list(&self, target: &Target, request: &Request) -> Value {
        let items: Vec<Value> = self.store.select(target, request).cloned().collect();
        let kind = format!("{}List", target.resource.kind);
        json!({
            "kind": kind, "apiVersion": target.resource.api_version,
            "metadata": {"resourceVersion": self.store.revision().to_string()}, "items": items,
        })
    }

    fn patch(&mut self, request: &Request, target: &Target, writer: &Writer) -> Outcome<Response> {
        let type_ = self.type_of(target);
        let content = request.headers.get("content-type").map_or("", String::as_str);
        let patch = body(request)?;
        let existing = self.store.get(&Key::of(target)).cloned();
        if content.starts_with("application/apply-patch+yaml") {
            let warnings = schema::check(&patch, &self.version, writer.unknown, false)?;
            if patch["metadata"].get("managedFields").is_some() {
                return Err(Refusal::bad_request("metadata.managedFields must be nil"));
            }
            let (merged, managers) = managed::apply(
                &self.known,
                &type_,
                existing.as_ref(),
                &patch,
                &writer.manager,
                writer.force,
            )?;
            schema::check(&merged, &self.version, UnknownFields::Strict, true)?;
            let code = if existing.is_some() { 200 } else { 201 };
            let object = self.write(target, merged, writer, Some(managers))?;
            return Ok(Response { warnings, ..Response::json(code, &object) });
        }
        let mut object = self.live(target)?.clone();
        match content.split(';').next().unwrap_or("") {
            "application/json-patch+json" => patch::json(&mut object, &patch)?,
            "application/merge-patch+json" => patch::merge(&mut object, &patch),
            "application/strategic-merge-patch+json" => {
                patch::strategic(&self.known, &type_, &mut object, &patch);
            }
            other => return Err(Refusal::unsupported(format!("no patch is of the type {other}"))),
        }
        let warnings = schema::check(&object, &self.version, writer.unknown, true)?;
        let object = self.write(target, object, writer, None)?;
        Ok(Response { warnings, ..Response::json(200, &object) })
    }

    fn type_of(&self, target: &Target) -> String {
        self.known.kind(target.resource.api_version, target.resource.kind).unwrap_or_else(|| "*".to_owned())
    }

    /// Takes an object over: defaults, validation, admission, status, owners of fields; stores it unless this is a dry
    /// run. `managers` are given where server-side apply has worked them out.
    fn write(
        &mut self,
        target: &Target,
        mut object: Value,
        writer: &Writer,
        managers: Option<Vec<managed::Manager>>,
    ) -> Outcome<Value> {
        let type_ = self.type_of(target);
        let before = self.store.get(&Key::of(target)).cloned();
        identify(target, &mut object)?;
        let asked_version = object["metadata"]["resourceVersion"].as_str().unwrap_or("").to_owned();
        let managed_by_hand = object["metadata"].get("managedFields").cloned();
        normalise(&self.known, &type_, &mut object);
        self.carry_over(&mut object, before.as_ref());
        defaults::fill(&mut object);
        let serial = self.store.revision();
        controllers::allocate(&mut object, before.as_ref(), serial);

        let mut faults = validate::check(&object);
        if let Some(before) = &before {
            if !asked_version.is_empty() && before["metadata"]["resourceVersion"] != *asked_version {
                return Err(Refusal::conflict(format!(
                    "Operation cannot be fulfilled on {} \"{}\": the object has been modified; please apply your \
                     changes to the latest version and try again",
                    target.resource.full_name(),
                    target.name
                )));
            }
            faults.extend(immutable::check(before, &object));
        }
        if !faults.is_empty() {
            return Err(Refusal::invalid(target.resource.kind, &target.name, &faults));
        }
        self.admit(target, &object, before.is_none())?;

        let mut desired_changes = true;
        if let Some(before) = &before {
            desired_changes = controllers::desired(before) != controllers::desired(&object);
        }
        if controllers::counts_generations(&object) {
            let generation = before.as_ref().and_then(|before| before["metadata"]["generation"].as_i64());
            let next = generation.unwrap_or(0) + i64::from(desired_changes);
            object["metadata"]["generation"] = next.into();
        }
        let managers = match managers {
            Some(managers) => managers,
            None => {
                let given = before.as_ref().map(managed::read).unwrap_or_default();
                let by_hand = managed_by_hand.filter(|fields| {
                    before.as_ref().is_some_and(|before| before["metadata"]["managedFields"] != *fields)
                });
                match by_hand {
                    Some(fields) => managed::read(&json!({"metadata": {"managedFields": fields}})),
                    None => {
                        managed::update(&self.known, &type_, before.as_ref(), &object, &writer.manager, given)
                    }
                }
            }
        };
        managed::write(&mut object, &managers);
        if !writer.dry_run {
            controllers::bring_up(&mut object);
        }
        Ok(self.store.put(&Key::of(target), object, writer.dry_run))
    }

    /// What a writer cannot change: identity and status.
    fn carry_over(&self, object: &mut Value, before: Option<&Value>) {
        let revision = self.store.revision() + 1;
        let metadata = map_at(object, &["metadata"]);
        for key in [
            "uid",
            "creationTimestamp",
            "generation",
            "deletionTimestamp",
            "resourceVersion",
            "managedFields",
        ] {
            metadata.shift_remove(key);
            if let Some(value) = before.and_then(|before| before["metadata"].get(key)) {
                metadata.insert(key.to_owned(), value.clone());
            }
        }
        metadata.entry("uid").or_insert(format!("00000000-0000-4000-8000-{revision:012}").into());
        metadata.entry("creationTimestamp").or_insert(managed::NOW.into());
        let map = map_at(object, &[]);
        map.shift_remove("status");
        if let Some(status) = before.and_then(|before| before.get("status")) {
            map.insert("status".to_owned(), status.clone());
        }
    }

    fn admit(&self, target: &Target, object: &Value, creating: bool) -> Outcome<()> {
        if !target.resource.namespaced {
            return Ok(());
        }
        let Some(namespace) = self.store.get(&Key::namespace(&target.namespace)) else {
            return Err(Refusal::not_found(format!("namespaces \"{}\" not found", target.namespace)));
        };
        if creating && namespace["metadata"].get("deletionTimestamp").is_some() {
            return Err(Refusal::forbidden(format!(
                "{} \"{}\" is forbidden: unable to create new content in namespace {} because it is being terminated",
                target.resource.full_name(),
                target.name,
                target.namespace
            )));
        }
        pod_security::admit(object, namespace)
    }

    fn delete(&mut self, request: &Request, target: &Target) -> Outcome<Response> {
        let object = self.live(target)?.clone();
        let options = if request.body.is_empty() { Value::Null } else { body(request)? };
        let dry_run = request.parameter("dryRun") == "All" || options["dryRun"] == json!(["All"]);
        if !dry_run {
            self.store.delete(&Key::of(target));
        }
        if target.resource == NAMESPACES {
            // A namespace goes after everything in it.
            return Ok(Response::json(200, self.store.get(&Key::of(target)).unwrap_or(&object)));
        }
        Ok(Response::json(
            200,
            &json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                "details": {
                    "name": target.name, "group": target.resource.group(), "kind": target.resource.plural,
                    "uid": object["metadata"]["uid"],
                },
            }),
        ))
    }
}

/// The resource of namespaces themselves.
pub(crate) const NAMESPACES: Resource = {
    let mut at = 0;
    while RESOURCES[at].plural.len() != "namespaces".len() || RESOURCES[at].namespaced {
        at += 1;
    }
    RESOURCES[at]
};

/// Who writes, and how.
struct Writer {
    manager: String,
    force: bool,
    dry_run: bool,
    unknown: UnknownFields,
}

impl Writer {
    fn new(manager: &str) -> Self {
        Self { manager: manager.to_owned(), force: false, dry_run: false, unknown: UnknownFields::Strict }
    }

    fn of(request: &Request) -> Outcome<Self> {
        let agent = request.headers.get("user-agent").map_or("", String::as_str);
        let manager = match request.parameter("fieldManager") {
            "" => agent.split('/').next().unwrap_or(""),
            named => named,
        };
        let unknown = match request.parameter("fieldValidation") {
            "Strict" => UnknownFields::Strict,
            "" | "Warn" => UnknownFields::Warn,
            "Ignore" => UnknownFields::Ignore,
            other => return Err(Refusal::bad_request(format!("no fieldValidation `{other}`"))),
        };
        let force = request.parameter("force") == "true";
        Ok(Self {
            manager: manager.to_owned(),
            force,
            dry_run: request.parameter("dryRun") == "All",
            unknown,
        })
    }
}

fn not_served() -> Refusal {
    Refusal::not_found("the server could not find the requested resource")
}

/// Makes the object say what the path says, and refuses it when it says something else.
fn identify(target: &Target, object: &mut Value) -> Outcome<()> {
    let resource = target.resource;
    for (key, wanted) in [("apiVersion", resource.api_version), ("kind", resource.kind)] {
        if object[key] != wanted {
            return Err(Refusal::bad_request(format!(
                "the {key} in the data ({}) does not match the expected one ({wanted})",
                object[key]
            )));
        }
    }
    let metadata = map_at(object, &["metadata"]);
    if resource.namespaced {
        let namespace = metadata.entry("namespace").or_insert(target.namespace.clone().into());
        if *namespace != target.namespace {
            return Err(Refusal::bad_request(format!(
                "the namespace of the provided object does not match the namespace sent on the request: {namespace}"
            )));
        }
    } else {
        metadata.shift_remove("namespace");
    }
    if metadata.get("name").and_then(Value::as_str) != Some(target.name.as_str()) || target.name.is_empty() {
        return Err(Refusal::bad_request(
            "the name of the object does not match the name on the URL, or is missing",
        ));
    }
    Ok(())
}

/// The object or the list a path means.
pub(crate) fn target(path: &[String]) -> Option<Target> {
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    let (api_version, rest) = match segments.as_slice() {
        ["api", version, rest @ ..] => ((*version).to_owned(), rest),
        ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
        _ => return None,
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        _ => ("", rest),
    };
    let (plural, name) = match rest {
        [plural] => (*plural, ""),
        [plural, name] => (*plural, *name),
        _ => return None,
    };
    let resource =
        RESOURCES.iter().find(|resource| resource.api_version == api_version && resource.plural == plural)?;
    (resource.namespaced || namespace.is_empty()).then(|| Target {
        resource: *resource,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
}

/// The body: JSON, or the YAML that server-side apply may send.
fn body(request: &Request) -> Outcome<Value> {
    if let Ok(value) = serde_json::from_slice(&request.body) {
        return Ok(value);
    }
    let text = String::from_utf8_lossy(&request.body).into_owned();
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("request.yaml", text));
    let read = sources.get(id).map(|file| yaml::read(id, file));
    match read {
        Some(read) if read.findings.is_empty() && read.documents.len() == 1 => {
            Ok(read.documents.first().map(plain).unwrap_or_default())
        }
        _ => Err(Refusal::bad_request("the body is neither JSON nor YAML")),
    }
}

/// A spanned tree without its spans.
fn plain(node: &nexafi_gen::source::Node) -> Value {
    use nexafi_gen::source::Value as Tree;
    match &node.value {
        Tree::Bool(value) => (*value).into(),
        Tree::Int(value) => (*value).into(),
        Tree::Float(value) => (*value).into(),
        Tree::Str(text) => text.to_string().into(),
        Tree::List(items) => items.iter().map(plain).collect(),
        Tree::Map(map) => {
            map.iter().map(|(key, entry)| (key.to_string(), plain(&entry.node))).collect::<Map<_, _>>().into()
        }
        _ => Value::Null,
    }
}

/// The labels of `a=b,c=d`.
pub(crate) fn selector(text: &str) -> BTreeMap<&str, &str> {
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key, value.trim_start_matches('=')))
        .collect()
}
