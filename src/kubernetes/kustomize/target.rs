//! One kustomization after the other: what it is made of, then what it does to it.

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::file::{self, fault};
use super::resource::Resource;
use super::values::texts;
use super::{Build, Files, Place, generate, inline, names, order, patches, references, replacements};
use crate::kubernetes::{self, Object, workload};
use crate::source::yaml::{self, Dialect};
use crate::source::{FileId, Finding, Node, Value, fault as faults, normalise};

/// Kustomizations that one may be made of; the largest trees have some hundred.
const MOST: usize = 2_000;

/// A kustomization that is being built, and what was seen on the way.
pub(super) struct Builder<'f> {
    pub(super) files: &'f mut dyn Files,
    pub(super) build: Build,
    /// The directories that lead here, links followed, the outermost first.
    stack: Vec<Utf8PathBuf>,
    /// How many kustomizations were reached.
    visited: usize,
    /// Names of `vars`, which stand in objects as `$(NAME)`.
    vars: BTreeSet<String>,
}

/// A kustomization file that was read.
pub(super) struct Kustomization {
    /// Its directory, as it was reached.
    pub(super) directory: Utf8PathBuf,
    /// Its file.
    pub(super) id: FileId,
    pub(super) path: Utf8PathBuf,
    pub(super) root: Node,
}

pub(super) fn build(directory: &Utf8Path, files: &mut dyn Files) -> Build {
    let mut builder =
        Builder { files, build: Build::default(), stack: Vec::new(), visited: 0, vars: BTreeSet::new() };
    let Place::Directory(real) = builder.files.place(directory) else { return builder.build };
    builder.build.directories.insert(real.clone());
    builder.stack.push(real);
    let Some(kustomization) = builder.load(directory) else { return builder.build };
    builder.build.component = file::is_component(&kustomization.root);
    let mut resources = Vec::new();
    builder.accumulate(&kustomization, &mut resources);
    builder.finish(&kustomization, resources)
}

impl Builder<'_> {
    pub(super) fn push(&mut self, finding: Finding) {
        if !self.build.findings.contains(&finding) {
            self.build.findings.push(finding);
        }
    }

    /// Names once what is not followed.
    fn warn(&mut self, warning: String) {
        if !self.build.warnings.contains(&warning) {
            self.build.warnings.push(warning);
        }
    }

    fn load(&mut self, directory: &Utf8Path) -> Option<Kustomization> {
        let path = super::file_of(directory, &*self.files)?;
        self.note(&path);
        let id = self.files.read(&path).ok()?;
        let read = yaml::read_as(id, self.files.file(id)?, Dialect::Kustomize);
        for finding in read.findings {
            self.push(finding);
        }
        let root = read.documents.into_iter().next()?;
        if !file::is_kustomization(&root) {
            return None;
        }
        let mut findings = Vec::new();
        file::check(&root, &mut findings);
        for finding in findings {
            self.push(finding);
        }
        Some(Kustomization { directory: directory.to_owned(), id, path, root })
    }

    /// Remembers that a file is a part of what is built.
    fn note(&mut self, path: &Utf8Path) {
        if let Place::File(real) = self.files.place(path) {
            self.build.files.insert(real);
        }
    }

    /// Resources, generators, components, and then what the kustomization does to all of them.
    fn accumulate(&mut self, kustomization: &Kustomization, resources: &mut Vec<Resource>) {
        let root = &kustomization.root;
        for key in ["resources", "bases"] {
            for (node, path) in texts(root.get(key)) {
                self.resource(kustomization, node, path, resources);
            }
        }
        for (key, what) in file::MAKERS {
            self.not_followed(kustomization, key, what, true);
        }
        for (key, what) in file::CHANGES {
            self.not_followed(kustomization, key, what, false);
        }
        for (key, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
            for arguments in root.get(key).map_or(&[][..], Node::items) {
                if let Some(made) = generate::generate(self, kustomization, kind, arguments) {
                    generate::absorb(self, resources, made);
                }
            }
        }
        for (node, path) in texts(root.get("components")) {
            self.base(kustomization, node, path, true, resources);
        }
        patches::strategic_merges(self, kustomization, resources);
        patches::patches(self, kustomization, "patches", resources);
        names::namespace(self, kustomization, resources);
        names::prefix(kustomization, resources);
        names::suffix(kustomization, resources);
        names::labels(kustomization, resources);
        names::annotations(kustomization, resources);
        patches::patches(self, kustomization, "patchesJson6902", resources);
        names::replicas(self, kustomization, resources);
        names::images(self, kustomization, resources);
        replacements::replace(self, kustomization, resources);
        if root.get("transformers").is_some_and(|node| !node.items().is_empty()) {
            let why: Arc<str> = format!("the transformers of {} may change it", kustomization.path).into();
            for resource in resources.iter_mut() {
                doubt(&mut resource.node, &why);
            }
        }
        for variable in root.get("vars").map_or(&[][..], Node::items) {
            self.vars.extend(variable.get("name").and_then(Node::as_str).map(str::to_owned));
        }
    }

    fn not_followed(&mut self, kustomization: &Kustomization, key: &str, what: &str, makes: bool) {
        if kustomization.root.get(key).is_none_or(|node| {
            node.items().is_empty() && node.as_map().is_none_or(|map| map.entries.is_empty())
        }) {
            return;
        }
        let path = &kustomization.path;
        self.warn(format!("{path}: `{key}` not followed: {what}, and what comes of it is not known here"));
        if makes {
            self.unread(format!("`{key}` of {path} may make more objects"));
        }
    }

    fn unread(&mut self, why: String) {
        self.build.unread.get_or_insert_with(|| why.into());
    }

    /// A file of objects, or a directory with a kustomization of its own.
    fn resource(
        &mut self,
        kustomization: &Kustomization,
        node: &Node,
        path: &str,
        resources: &mut Vec<Resource>,
    ) {
        let at = normalise(&kustomization.directory.join(path));
        match self.files.place(&at) {
            Place::File(_) => {
                let Some(id) = self.read(kustomization, node, path) else { return };
                for resource in self.objects(id) {
                    self.append(resources, resource);
                }
            }
            _ => self.base(kustomization, node, path, false, resources),
        }
    }

    /// A file that belongs to a kustomization: kustomize reads none outside of its directory.
    pub(super) fn read(&mut self, kustomization: &Kustomization, node: &Node, path: &str) -> Option<FileId> {
        let at = self.reach(kustomization, node, path)?;
        match self.files.read(&at) {
            Ok(id) => Some(id),
            Err(why) => {
                self.push(
                    fault(node.span, format!("{at} cannot be read: {why}"))
                        .help("correct the path or the file"),
                );
                None
            }
        }
    }

    /// The path of a file, if it is there and within reach.
    pub(super) fn reach(
        &mut self,
        kustomization: &Kustomization,
        node: &Node,
        path: &str,
    ) -> Option<Utf8PathBuf> {
        if is_remote(path) {
            self.warn(format!("{}: `{path}` not followed: nothing is fetched", kustomization.path));
            self.unread(format!("`{path}` of {} was not fetched", kustomization.path));
            return None;
        }
        let at = normalise(&kustomization.directory.join(path));
        let finding = match self.files.place(&at) {
            Place::File(real) if self.stack.last().is_none_or(|root| real.starts_with(root)) => {
                self.build.files.insert(real);
                return Some(at);
            }
            Place::File(_) => fault(node.span, format!("`{path}` lies outside of the kustomization's directory"))
                .label("out of reach")
                .help("kustomize reads files in or below its own directory only; move it there, or refer to a directory with a kustomization of its own"),
            Place::Directory(_) => fault(node.span, format!("`{path}` is a directory, and a file is needed here"))
                .label("not a file")
                .help("name the file"),
            other => self.absent(node, path, &other),
        };
        self.push(finding);
        None
    }

    fn absent(&mut self, node: &Node, path: &str, place: &Place) -> Finding {
        match place {
            Place::Loop => fault(node.span, format!("the link `{path}` leads back to itself"))
                .label("a circle")
                .help("let the link lead to the file itself"),
            Place::Outside => {
                self.unread(format!("`{path}` lies outside of the working tree"));
                fault(node.span, format!("`{path}` lies outside of the working tree, and is not read"))
                    .label("out of reach")
                    .help("run in the directory that holds both")
            }
            _ => fault(node.span, format!("`{path}` does not exist"))
                .label("no such file or directory")
                .help("correct the path; it counts from the kustomization's directory"),
        }
    }

    /// A directory with a kustomization of its own.
    fn base(
        &mut self,
        kustomization: &Kustomization,
        node: &Node,
        path: &str,
        component: bool,
        resources: &mut Vec<Resource>,
    ) {
        if is_remote(path) {
            self.warn(format!("{}: `{path}` not followed: nothing is fetched", kustomization.path));
            self.unread(format!("`{path}` of {} was not fetched", kustomization.path));
            return;
        }
        let directory = normalise(&kustomization.directory.join(path));
        let real = match self.files.place(&directory) {
            Place::Directory(real) => real,
            Place::File(_) => {
                return self.push(
                    fault(node.span, format!("`{path}` is a file, and a component is a directory"))
                        .label("not a directory")
                        .help("name the directory that holds its kustomization.yaml"),
                );
            }
            other => {
                let finding = self.absent(node, path, &other);
                return self.push(finding);
            }
        };
        // kustomize refuses every directory around one it is already in, not only the very same.
        if let Some(around) = self.stack.iter().find(|visited| visited.starts_with(&real)) {
            let finding = fault(node.span, format!("`{path}` leads back to {}", shown(around, &real)))
                .label("a circle")
                .help(
                    "a kustomization cannot be made of itself, or of one whose directory is around its own",
                );
            return self.push(finding);
        }
        self.visited += 1;
        if self.visited > MOST {
            return self.push(
                Finding::fault(faults::BUDGET, node.span, format!("made of more than {MOST} kustomizations"))
                    .help("refer to each base once"),
            );
        }
        self.build.directories.insert(real.clone());
        self.stack.push(real);
        match self.load(&directory) {
            Some(inner) if file::is_component(&inner.root) != component => {
                let (is, wanted) =
                    if component { ("no component", "resources") } else { ("a component", "components") };
                self.push(
                    fault(node.span, format!("`{path}` is {is}"))
                        .label("of the other kind")
                        .help(format!("list it under `{wanted}`, or change its `kind`")),
                );
            }
            Some(inner) if component => self.accumulate(&inner, resources),
            Some(inner) => {
                let mut made = Vec::new();
                self.accumulate(&inner, &mut made);
                for resource in made {
                    self.append(resources, resource);
                }
            }
            None => self.push(
                fault(node.span, format!("`{path}` has no kustomization that can be read"))
                    .label("no kustomization")
                    .help("add a kustomization.yaml to the directory, or name its files one by one"),
            ),
        }
        self.stack.pop();
    }

    /// The objects of a file.
    pub(super) fn objects(&mut self, id: FileId) -> Vec<Resource> {
        let Some(file) = self.files.file(id) else { return Vec::new() };
        let (objects, findings) = kubernetes::read_as(id, file, Dialect::Kustomize);
        for finding in findings {
            self.push(finding);
        }
        let resource = |object: Object| Resource {
            blueprint: object.blueprint,
            ..Resource::new(object.node, object.header)
        };
        objects.into_iter().map(resource).collect()
    }

    /// The documents of a text in a kustomization.
    pub(super) fn inline(&mut self, kustomization: &Kustomization, node: &Node, text: &str) -> Vec<Node> {
        let Some(file) = self.files.file(kustomization.id) else { return Vec::new() };
        let read = inline::read(file, node, text);
        for finding in read.findings {
            self.push(finding);
        }
        read.documents
    }

    /// Adds an object; kustomize refuses two of one name.
    pub(super) fn append(&mut self, resources: &mut Vec<Resource>, resource: Resource) {
        let id = resource.id();
        if let Some(first) = resources.iter().find(|other| other.name() == id.name && other.id().same(&id)) {
            let finding = fault(
                resource.header,
                format!("`{}` is already a part of this kustomization", id.readable()),
            )
            .related(first.header, "the first one")
            .label("second of its name")
            .help("list it once; what differs belongs in a patch");
            return self.push(finding);
        }
        resources.push(resource);
    }

    /// What is done once, to everything: hashes, references, order.
    fn finish(mut self, kustomization: &Kustomization, mut resources: Vec<Resource>) -> Build {
        generate::add_hashes(&mut resources);
        for finding in references::follow(&mut resources) {
            self.push(finding);
        }
        if !self.vars.is_empty() {
            let vars = std::mem::take(&mut self.vars);
            for resource in &mut resources {
                forget_vars(&mut resource.node, &vars);
            }
        }
        resources.retain(|resource| {
            let local = resource.node.at(&["metadata", "annotations", "config.kubernetes.io/local-config"]);
            local.is_none_or(|node| node.as_str() == Some("false"))
        });
        if kustomization.root.get("buildMetadata").is_some_and(|node| !node.items().is_empty()) {
            // Annotations and a label that say where an object comes from: of no weight for what is judged.
            self.warn(format!("{}: `buildMetadata` not followed", kustomization.path));
        }
        order::sort(&mut resources, kustomization.root.get("sortOptions"));
        self.build.objects = resources.into_iter().filter_map(object).collect();
        self.build
    }
}

/// Whether a path is an address of something elsewhere.
fn is_remote(path: &str) -> bool {
    ["http://", "https://", "ssh://", "git@", "git::", "file://", "oci://", "github.com/", "gh:"]
        .iter()
        .any(|start| path.starts_with(start))
        || path.contains("?ref=")
        || path.contains("//")
}

fn shown<'p>(around: &'p Utf8Path, real: &'p Utf8Path) -> &'p str {
    if around == real { real.file_name().unwrap_or("itself") } else { "a directory around this one" }
}

/// What transformers may change is not known: everything but what the object is.
fn doubt(node: &mut Node, why: &Arc<str>) {
    let Value::Map(map) = &mut node.value else { return };
    for (key, entry) in &mut map.entries {
        if !["apiVersion", "kind", "metadata"].contains(&&**key) {
            entry.node.value = Value::Unknown(why.clone());
        }
    }
}

fn forget_vars(node: &mut Node, vars: &BTreeSet<String>) {
    match &mut node.value {
        Value::Str(text) if vars.iter().any(|name| text.contains(&format!("$({name})"))) => {
            node.value = Value::Unknown("a variable of the kustomization stands in it".into());
        }
        Value::List(items) => items.iter_mut().for_each(|item| forget_vars(item, vars)),
        Value::Map(map) => map.entries.values_mut().for_each(|entry| forget_vars(&mut entry.node, vars)),
        _ => {}
    }
}

fn object(resource: Resource) -> Option<Object> {
    let id = resource.id();
    let namespace: Option<Arc<str>> = Some(&*id.namespace)
        .filter(|name| !name.is_empty() && workload::is_namespaced(&id.kind))
        .map(Into::into);
    let address = match &namespace {
        Some(namespace) => format!("{}/{namespace}/{}", id.kind, id.name),
        None => format!("{}/{}", id.kind, id.name),
    };
    Some(Object {
        api_version: resource.node.get("apiVersion")?.as_str()?.into(),
        kind: id.kind.into(),
        namespace,
        name: id.name.into(),
        address: address.into(),
        node: resource.node,
        header: resource.header,
        blueprint: resource.blueprint,
    })
}
