//! Where waivers are written: in a blueprint, in comments of Terraform files, in annotations of Kubernetes objects.

use crate::kubernetes::Object;
use crate::kubernetes::workload::{is_workload, template_path};
use crate::policy::path::join;
use crate::source::{FileId, Node, Sources, Span, Subject, SubjectKind};
use crate::terraform::{Module, Place, remarks};

use super::facts::{self, Facts};
use super::{Claim, Fault};

/// What an annotation's key begins with; the policy's id follows.
const ANNOTATION: &str = "nexafi-gen/waive.";

/// A waiver and where it stands.
#[derive(Debug, Clone)]
pub struct Stated {
    /// What it says.
    pub claim: Claim,
    /// Where to point.
    pub span: Span,
    /// The path to it.
    pub pointer: String,
    /// What findings about it are about.
    pub holder: Subject,
    /// What is not well formed in it, of one that stands in a comment or an annotation.
    pub malformed: Vec<Fault>,
    /// What it can reach.
    pub(super) reach: Reach,
}

/// What a waiver can reach.
#[derive(Debug, Clone)]
pub(super) enum Reach {
    /// What its subject names, in the blueprint and in what was generated from it.
    Named,
    /// A block of the module whose files these are.
    Block { files: Vec<FileId>, within: Option<Within> },
    /// The object whose text this is, and of it only these containers, if any are named.
    Object { span: Span, containers: Vec<String> },
}

/// A nested block.
#[derive(Debug, Clone)]
pub(super) struct Within {
    /// Its text.
    pub(super) span: Span,
    /// The path to it, where its number is known.
    pub(super) pointer: Option<String>,
}

/// The waivers of a blueprint, out of its resolved tree.
pub fn of_blueprint(view: &Node) -> Vec<Stated> {
    let waivers = view.at(&["compliance", "waivers"]).map(Node::items).unwrap_or_default();
    let read = |(at, node): (usize, &Node)| {
        let fact = |name: &str| node.get(name).and_then(Node::as_str).unwrap_or_default().to_owned();
        let pointer = format!("compliance.waivers.{at}");
        Stated {
            claim: Claim {
                policy: fact("policy"),
                subject: fact("subject"),
                reason: fact("reason"),
                owner: fact("owner"),
                ticket: fact("ticket"),
                expires: fact("expires"),
            },
            span: node.get("subject").map_or(node.span, |subject| subject.span),
            pointer: join(&pointer, "subject"),
            holder: Subject { kind: SubjectKind::Blueprint, type_: "waivers".to_owned(), address: pointer },
            malformed: Vec::new(),
            reach: Reach::Named,
        }
    };
    waivers.iter().enumerate().map(read).collect()
}

/// The waivers in the comments of a module's files.
pub fn of_module(sources: &Sources, files: &[FileId], module: &Module) -> Vec<Stated> {
    let mut found = Vec::new();
    for id in files {
        let Some(file) = sources.get(*id) else { continue };
        // The same address means another thing in another directory.
        let beside = |other: &&FileId| {
            sources.get(**other).is_some_and(|other| other.path().parent() == file.path().parent())
        };
        let files: Vec<FileId> = files.iter().filter(beside).copied().collect();
        for remark in remarks(*id, file) {
            let holder = remark.block.as_ref().and_then(|place| holder(module, place));
            let mut malformed = Vec::new();
            let lines: Vec<&str> = remark.lines.iter().map(String::as_str).collect();
            let (policy, mut facts) = comment(&lines, &mut malformed);
            if holder.is_none() {
                malformed.push(Fault {
                    at: "subject",
                    message: match &remark.block {
                        None => "this waiver stands at no block".to_owned(),
                        Some(_) => "this waiver stands at a block that declares nothing policies look at".to_owned(),
                    },
                    help: "put it directly above the block it is about, without an empty line between, or inside it"
                        .to_owned(),
                });
            }
            if !facts.containers.is_empty() {
                malformed.push(Fault {
                    at: "subject",
                    message: "`container=` is for Kubernetes objects".to_owned(),
                    help: "remove it; a comment inside a nested block is about that block alone".to_owned(),
                });
            }
            malformed.append(&mut facts.faults);
            let (address, type_, pointer) = holder.unwrap_or_default();
            let within = remark
                .block
                .as_ref()
                .filter(|place| !place.path.is_empty())
                .map(|place| Within { span: place.span, pointer: nested(&pointer, place) });
            let subject = match within.as_ref().and_then(|within| within.pointer.as_ref()) {
                Some(pointer) => pointer.clone(),
                None => address.clone(),
            };
            found.push(Stated {
                claim: Claim { policy: policy.clone(), subject, ..facts.claim },
                span: remark.span,
                pointer: join(&pointer, &format!("waive {policy}")),
                holder: Subject { kind: SubjectKind::Terraform, type_, address },
                malformed,
                reach: Reach::Block { files: files.clone(), within },
            });
        }
    }
    found
}

/// Address, type and pointer of the top-level block.
fn holder(module: &Module, place: &Place) -> Option<(String, String, String)> {
    let here = |header: Span| header.file == place.top.file && header.start == place.top.start;
    let resource = module.resources.iter().find(|resource| here(resource.header)).map(|resource| {
        let kind = if resource.managed { "resource" } else { "data" };
        let pointer = join(&join(kind, &resource.type_), &resource.name);
        (resource.address.to_string(), resource.type_.to_string(), pointer)
    });
    resource.or_else(|| {
        let block = module.blocks.iter().find(|block| here(block.header))?;
        Some((block.address(), block.kind.to_string(), block.address()))
    })
}

fn nested(top: &str, place: &Place) -> Option<String> {
    place.path.iter().try_fold(top.to_owned(), |pointer, (name, number)| {
        Some(join(&join(&pointer, name), &(*number)?.to_string()))
    })
}

/// Policy and facts of a comment that begins with `nexafi-gen:`.
fn comment(lines: &[&str], malformed: &mut Vec<Fault>) -> (String, Facts) {
    let (first, more) = lines.split_first().unwrap_or((&"", &[]));
    let (word, rest) = first.split_once(char::is_whitespace).unwrap_or((first, ""));
    if word != "waive" {
        malformed.push(Fault {
            at: "policy",
            message: format!("`nexafi-gen:{word}` means nothing"),
            help: "a waiver begins with `nexafi-gen:waive`".to_owned(),
        });
    }
    let rest = rest.trim_start();
    // The policy may be forgotten.
    let (policy, rest) = if facts::begins(rest) {
        ("", rest)
    } else {
        rest.split_once(char::is_whitespace).unwrap_or((rest, ""))
    };
    let mut text = rest.to_owned();
    for line in more {
        // Comment lines below that say something else are not part of it.
        if !facts::is_open(&text) && !facts::begins(line) {
            break;
        }
        text.push(' ');
        text.push_str(line);
    }
    (policy.to_owned(), facts::read(&text))
}

/// The waivers in the annotations of objects.
pub fn of_manifests(objects: &[Object]) -> Vec<Stated> {
    let mut found = Vec::new();
    for object in objects {
        if let Some(annotations) = object.node.at(&["metadata", "annotations"]) {
            of_annotations(object, annotations, "metadata.annotations", true, &mut found);
        }
        let template =
            template_path(&object.kind).filter(|path| !path.is_empty() && is_workload(&object.kind));
        let Some(path) = template else { continue };
        let inner: Vec<&str> = path.iter().copied().chain(["metadata", "annotations"]).collect();
        if let Some(annotations) = object.node.at(&inner) {
            of_annotations(object, annotations, &inner.join("."), false, &mut found);
        }
    }
    found
}

fn of_annotations(object: &Object, annotations: &Node, pointer: &str, own: bool, found: &mut Vec<Stated>) {
    let Some(map) = annotations.as_map() else { return };
    for (key, entry) in map.iter().filter(|(key, _)| key.starts_with("nexafi-gen/waive")) {
        let mut malformed = Vec::new();
        let mut fault = |message: String, help: &str| {
            malformed.push(Fault { at: "subject", message, help: help.to_owned() });
        };
        let policy = key.strip_prefix(ANNOTATION).unwrap_or_default();
        if !key.starts_with(ANNOTATION) {
            fault(
                format!("the annotation `{key}` names no policy"),
                "write `nexafi-gen/waive.NXF-K8S-001: ...`",
            );
        }
        if !own {
            fault(
                "this waiver stands at the pod template, which is part of another object".to_owned(),
                "put it into the annotations of the object itself; `container=` narrows it to containers",
            );
        }
        if entry.node.as_str().is_none() {
            fault("the waiver is no text".to_owned(), "write owner=...; ticket=...; expires=...; reason=...");
        }
        let mut facts = facts::read(entry.node.as_str().unwrap_or_default());
        for name in
            facts.containers.iter().filter(|name| !names_of_containers(object).contains(&name.as_str()))
        {
            malformed.push(Fault {
                at: "subject",
                message: format!("{} has no container `{name}`", object.address),
                help: format!("its containers: {}", names_of_containers(object).join(", ")),
            });
        }
        malformed.append(&mut facts.faults);
        found.push(Stated {
            claim: Claim { policy: policy.to_owned(), subject: object.address.to_string(), ..facts.claim },
            span: entry.key,
            pointer: join(pointer, key),
            holder: Subject {
                kind: SubjectKind::Kubernetes,
                type_: object.kind.to_string(),
                address: object.address.to_string(),
            },
            malformed,
            reach: Reach::Object { span: object.node.span, containers: facts.containers },
        });
    }
}

/// The lists of containers of a pod.
const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

fn names_of_containers(object: &Object) -> Vec<&str> {
    let Some(path) = template_path(&object.kind) else { return Vec::new() };
    let named = |list: &&str| {
        let steps: Vec<&str> = path.iter().copied().chain(["spec", list]).collect();
        object.node.at(&steps).map(Node::items).unwrap_or_default()
    };
    CONTAINERS.iter().flat_map(named).filter_map(|container| container.get("name")?.as_str()).collect()
}

/// The name of the container that a pointer into an object leads to or through.
pub(super) fn container_at<'a>(object: &'a Object, pointer: &str) -> Option<&'a str> {
    let path = template_path(&object.kind)?;
    let spec = path.iter().fold(String::new(), |pointer, step| join(&pointer, step));
    let rest = pointer.strip_prefix(&join(&spec, "spec"))?.strip_prefix('.')?;
    let mut steps = rest.split('.');
    let list = steps.next().filter(|list| CONTAINERS.contains(list))?;
    let number = steps.next()?;
    let steps: Vec<&str> = path.iter().copied().chain(["spec", list, number, "name"]).collect();
    object.node.at(&steps)?.as_str()
}
