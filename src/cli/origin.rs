//! From a finding in a generated file back to the line of the blueprint it comes from.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use crate::blueprint;
use crate::kubernetes::Object;
use crate::render::lock::{FILE_NAME, Lock, text_hash};
use crate::source::{FileId, Finding, Map, Node, Related, Sources, Span, Value, Verdict};
use crate::terraform::Module;

use super::Surroundings;
use super::paths::{as_typed, normalise};
use super::reading::read_file;

/// What a blueprint says.
#[derive(Debug, Default)]
pub(super) struct Trees {
    /// The resolved tree that pointers lead into; missing if the blueprint cannot be resolved.
    pub(super) view: Option<Node>,
    /// The tree as written, for when there is no view.
    pub(super) tree: Option<Node>,
}

/// A blueprint that files were generated from.
#[derive(Debug)]
pub(super) struct Origin {
    /// Its file.
    pub(super) file: FileId,
    trees: Rc<Trees>,
    /// Whether it still says what it said when the files were written.
    pub(super) current: bool,
}

impl Origin {
    /// A blueprint that was just loaded.
    pub(super) fn new(file: FileId, trees: Trees) -> Self {
        Self { file, trees: Rc::new(trees), current: true }
    }

    /// The resolved tree that pointers lead into.
    pub(super) fn view(&self) -> Option<&Node> {
        self.trees.view.as_ref()
    }

    /// The blueprint that a lock names. Nothing that goes wrong here is worth a word: the files stand for themselves.
    fn load(
        directory: &Utf8Path,
        lock: &Lock,
        loaded: &BTreeMap<FileId, Rc<Trees>>,
        sources: &mut Sources,
        surroundings: &Surroundings,
    ) -> Option<Self> {
        let path = as_typed(&directory.join(&lock.blueprint.path), &surroundings.directory);
        let already = sources
            .iter()
            .find(|(_, file)| {
                normalise(&surroundings.on_disk(file.path())) == normalise(&surroundings.on_disk(&path))
            })
            .map(|(id, _)| id);
        let id = match already {
            Some(id) => id,
            None => sources.add(read_file(&path, surroundings).ok()?),
        };
        let file = sources.get(id)?;
        let current = text_hash(file.text()) == lock.blueprint.sha256;
        let trees = loaded.get(&id).cloned().unwrap_or_else(|| {
            let loaded = blueprint::load(id, file);
            Rc::new(Trees { view: loaded.view, tree: loaded.tree })
        });
        Some(Self { file: id, trees, current })
    }

    /// Where a pointer leads: the node itself, or the nearest one above it that exists.
    pub(super) fn place(&self, pointer: &str) -> Option<Span> {
        let root = self.view().or(self.trees.tree.as_ref())?;
        Some(follow(root, pointer).unwrap_or(root.span))
    }

    fn related(&self, span: Span) -> Related {
        let changed = if self.current { "" } else { ", which has changed since the render" };
        Related { span, message: format!("generated from this line of the blueprint{changed}") }
    }
}

/// Follows keys joined by dots; a key may have dots itself. A mapping in block style is better shown by its key.
fn follow(node: &Node, pointer: &str) -> Option<Span> {
    match &node.value {
        Value::Map(map) => {
            let (key, entry) = map
                .iter()
                .filter(|(key, _)| starts_with_step(pointer, key))
                .max_by_key(|(key, _)| key.len())?;
            let rest = pointer.get(key.len()..).unwrap_or("").trim_start_matches('.');
            let own = if matches!(entry.node.value, Value::Map(_) | Value::List(_)) {
                entry.key
            } else {
                entry.node.span
            };
            if rest.is_empty() { Some(own) } else { follow(&entry.node, rest).or(Some(own)) }
        }
        Value::List(items) => {
            let (index, rest) = pointer.split_once('.').unwrap_or((pointer, ""));
            let item = items.get(index.parse::<usize>().ok()?)?;
            if rest.is_empty() { Some(item.span) } else { follow(item, rest).or(Some(item.span)) }
        }
        _ => None,
    }
}

fn starts_with_step(pointer: &str, key: &str) -> bool {
    pointer.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// How the files of a directory differ from what the lock in it says: what `lock()` shows to policies. `None` where there
/// is no lock that can be used.
pub(super) fn against_lock(directory: &Utf8Path) -> Option<Node> {
    let lock = Lock::read(directory).ok().flatten()?;
    let differences = lock.differences(directory);
    let list = |paths: Vec<Utf8PathBuf>| {
        let items =
            paths.into_iter().map(|path| Node::new(Span::default(), Value::Str(path.as_str().into())));
        Node::new(Span::default(), Value::List(items.collect()))
    };
    let mut map = Map::default();
    map.insert("drifted", Span::default(), list(differences.drifted));
    map.insert("missing", Span::default(), list(differences.missing));
    map.insert("strangers", Span::default(), list(differences.strangers));
    Some(Node::new(Span::default(), Value::Map(map)))
}

/// The blueprints behind files, by the directory that holds a lock.
#[derive(Debug, Default)]
pub(super) struct Origins {
    /// Directory on disk to the directory above it, or itself, that has a lock.
    locked: BTreeMap<Utf8PathBuf, Option<Utf8PathBuf>>,
    /// Directory with a lock to the blueprint that the lock names.
    blueprints: BTreeMap<Utf8PathBuf, Option<Origin>>,
}

impl Origins {
    /// The directory with the lock that a file was generated under, if any.
    pub(super) fn directory(&mut self, path: &Utf8Path, surroundings: &Surroundings) -> Option<Utf8PathBuf> {
        let on_disk = normalise(&surroundings.on_disk(path));
        let parent = on_disk.parent()?.to_owned();
        self.locked
            .entry(parent.clone())
            .or_insert_with(|| {
                parent.ancestors().find(|above| above.join(FILE_NAME).is_file()).map(Utf8Path::to_owned)
            })
            .clone()
    }

    /// The blueprint that the lock of a directory names, loaded once; those of the inputs are already.
    pub(super) fn load(
        &mut self,
        directory: &Utf8Path,
        loaded: &BTreeMap<FileId, Rc<Trees>>,
        sources: &mut Sources,
        surroundings: &Surroundings,
    ) {
        if !self.blueprints.contains_key(directory) {
            let lock = Lock::read(directory).ok().flatten();
            let origin = lock.and_then(|lock| Origin::load(directory, &lock, loaded, sources, surroundings));
            self.blueprints.insert(directory.to_owned(), origin);
        }
    }

    /// The blueprint of a directory with a lock, once loaded.
    pub(super) fn get(&self, directory: &Utf8Path) -> Option<&Origin> {
        self.blueprints.get(directory)?.as_ref()
    }
}

/// Adds the blueprint's line to every verdict in a generated file that a `# blueprint:` comment stands above.
///
/// Where the same policy failed on the blueprint too (`causes`), that is the line, and what to write there is the help:
/// a generated file is not mended by hand.
pub(super) fn point_back(
    verdicts: &mut [Finding],
    causes: &[Finding],
    origin: &Origin,
    modules: &[Module],
    objects: &[Object],
) {
    // What has no comment is in it too: it ends the reach of the one before.
    let mut blocks: BTreeMap<Span, Option<&Arc<str>>> = BTreeMap::new();
    for module in modules {
        blocks.extend(module.resources.iter().map(|resource| (resource.header, resource.blueprint.as_ref())));
        blocks.extend(module.blocks.iter().map(|block| (block.header, block.blueprint.as_ref())));
    }
    // An object begins with its first key, not with its name.
    blocks.extend(objects.iter().map(|object| (object.node.span, object.blueprint.as_ref())));
    for verdict in verdicts.iter_mut().filter(|verdict| verdict.verdict != Verdict::Pass) {
        if verdict.span.file == origin.file {
            continue;
        }
        let before = Span { end: u32::MAX, ..verdict.span };
        let above = blocks.range(..=before).next_back().filter(|(at, _)| at.file == verdict.span.file);
        let Some(pointer) = above.and_then(|(_, pointer)| *pointer) else { continue };
        if let Some(cause) = causes.iter().find(|cause| causes_it(cause, verdict, pointer)) {
            verdict.related.push(origin.related(cause.span));
            if !cause.help.is_empty() {
                verdict.help = format!("in the blueprint: {}", cause.help);
            }
        } else {
            verdict.related.extend(origin.place(pointer).map(|span| origin.related(span)));
        }
    }
}

/// The same policy failed on the node behind the generated block, on one inside it or one around it.
fn causes_it(cause: &Finding, verdict: &Finding, pointer: &str) -> bool {
    cause.code == verdict.code
        && cause.subject.as_ref().is_some_and(|subject| {
            starts_with_step(&subject.address, pointer) || starts_with_step(pointer, &subject.address)
        })
}
