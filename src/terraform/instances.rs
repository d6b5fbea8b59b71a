//! What a block stands for: `count` and `for_each` into instances, module calls into modules.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use hcl_edit::structure::Body;

use super::address;
use super::declared::{Declared, Place};
use super::evaluate::{Binding, Evaluator, Item, Scope, Slot};
use super::operators;
use super::sensitive::says_so;
use crate::source::{Map, Node, Span, Value};

/// More instances than this are not told apart.
const MOST: usize = 1000;
/// More modules than this are not told apart.
const MOST_MODULES: usize = 10_000;

/// One of several instances.
#[derive(Debug)]
pub(super) struct Key {
    /// What follows the address: `["a"]`, `[0]`.
    pub(super) text: String,
    /// The key itself, `a` or `0`.
    pub(super) value: Value,
    /// `each` or `count`.
    name: &'static str,
    /// What that name means in this instance.
    node: Node,
}

/// The instances of a block.
#[derive(Debug)]
pub(super) enum Keys {
    /// Neither `count` nor `for_each`.
    One,
    /// Both the number and the keys are known.
    Known(Vec<Key>),
    /// They are not: the block stands for all of them.
    Unknown,
}

impl Keys {
    /// How many are told apart; what is not known counts as one.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Known(keys) => keys.len(),
            Self::One | Self::Unknown => 1,
        }
    }

    pub(super) fn get(&self, at: usize) -> Option<&Key> {
        match self {
            Self::Known(keys) => keys.get(at),
            Self::One | Self::Unknown => None,
        }
    }

    /// What follows the address of an instance.
    pub(super) fn suffix(&self, at: usize) -> &str {
        self.get(at).map_or("", |key| &key.text)
    }

    /// The instance that an index means: `Err` if the index is not known.
    pub(super) fn find(&self, index: &Value) -> Result<Option<usize>, ()> {
        let Self::Known(keys) = self else { return Err(()) };
        if operators::unknown(index).is_some() {
            return Err(());
        }
        Ok(keys.iter().position(|key| match &key.value {
            Value::Int(at) => operators::to_number(index).map(operators::number) == Some(Value::Int(*at)),
            key => operators::to_text(index).map(Value::Str).as_ref() == Some(key),
        }))
    }
}

/// A module as it is called: once for each instance of the call.
pub(super) struct Instance<'a> {
    /// An index into the tree's nodes.
    pub(super) node: usize,
    pub(super) declared: &'a Declared<'a>,
    /// What stands before the addresses inside: `module.net["a"].`, nothing for the root.
    pub(super) prefix: Arc<str>,
    pub(super) site: Option<Site<'a>>,
    pub(super) slots: BTreeMap<Item<'a>, Slot>,
    /// Of each resource; `None` inside while they are computed.
    keys: BTreeMap<usize, Option<Rc<Keys>>>,
    called: BTreeMap<&'a str, Option<Rc<Called>>>,
}

/// Where a module is called.
#[derive(Clone)]
pub(super) struct Site<'a> {
    /// An index into the evaluator's modules.
    pub(super) parent: usize,
    pub(super) name: &'a str,
    pub(super) body: &'a Body,
    place: Place<'a>,
    keys: Rc<Keys>,
    at: usize,
}

/// What a call stands for.
pub(super) enum Called {
    /// The module is not read, and why.
    Missing(Arc<str>),
    /// Indices into the evaluator's modules, one for each key.
    Modules(Rc<Keys>, Vec<usize>),
}

impl<'a> Instance<'a> {
    pub(super) fn new(
        node: usize,
        declared: &'a Declared<'a>,
        prefix: Arc<str>,
        site: Option<Site<'a>>,
    ) -> Self {
        Self {
            node,
            declared,
            prefix,
            site,
            slots: BTreeMap::new(),
            keys: BTreeMap::new(),
            called: BTreeMap::new(),
        }
    }
}

impl<'a> Evaluator<'a> {
    /// The instances of a resource.
    pub(super) fn keys(&mut self, module: usize, at: usize) -> Rc<Keys> {
        let declared = self.declared(module);
        let Some(resource) = declared.resources.get(at) else { return Rc::new(Keys::One) };
        match self.module(module).keys.get(&at) {
            Some(Some(keys)) => return keys.clone(),
            // A block whose number depends on itself is a circle, which is a finding already.
            Some(None) => return Rc::new(Keys::Unknown),
            None => {}
        }
        self.module_mut(module).keys.insert(at, None);
        let keys = Rc::new(self.repetition(&resource.block.body, &Scope::top(module, resource.place)));
        self.module_mut(module).keys.insert(at, Some(keys.clone()));
        keys
    }

    fn repetition(&mut self, body: &'a Body, scope: &Scope<'_>) -> Keys {
        if let Some(count) = body.get_attribute("count") {
            let node = self.eval(&count.value, scope);
            let number = operators::to_number(&node.value).map(operators::number);
            let whole = match number {
                Some(Value::Int(whole)) => usize::try_from(whole).ok().filter(|whole| *whole <= MOST),
                _ => None,
            };
            let Some(whole) = whole else { return Keys::Unknown };
            return Keys::Known((0..whole).map(|at| count_key(at, node.span)).collect());
        }
        let Some(for_each) = body.get_attribute("for_each") else { return Keys::One };
        let node = self.eval(&for_each.value, scope);
        // Terraform takes no sensitive value for the keys of instances, so none comes into an address.
        let holds = matches!(&node.value, Value::List(items) if items.iter().any(|item| item.sensitive));
        if node.sensitive || holds {
            return Keys::Unknown;
        }
        match node.value {
            // A set of strings.
            Value::List(items) if items.len() <= MOST => {
                let mut keys = BTreeMap::new();
                for item in items {
                    let Some(text) = operators::to_text(&item.value) else { return Keys::Unknown };
                    let item = Node::string(item.span, text.clone());
                    keys.entry(text.clone()).or_insert_with(|| each_key(&text, item.span, item));
                }
                Keys::Known(keys.into_values().collect())
            }
            Value::Map(map) if map.entries.len() <= MOST => {
                let mut keys = BTreeMap::new();
                for (text, entry) in map.into_entries() {
                    let key = each_key(&text, entry.key, entry.node);
                    keys.insert(text, key);
                }
                Keys::Known(keys.into_values().collect())
            }
            _ => Keys::Unknown,
        }
    }

    /// Evaluates something where `each` and `count` mean what they mean in one instance.
    pub(super) fn inside<R>(
        &mut self,
        keys: &Keys,
        at: usize,
        top: &Scope<'_>,
        work: impl FnOnce(&mut Self, &Scope<'_>) -> R,
    ) -> R {
        match keys.get(at) {
            Some(key) => {
                let names = Binding::new(key.name, &key.node, top);
                work(self, &top.with(&names))
            }
            None => work(self, top),
        }
    }

    /// The address of an instance of a resource.
    pub(super) fn address(&self, module: usize, at: usize, keys: &Keys, index: usize) -> Arc<str> {
        let module = self.module(module);
        let Some(resource) = module.declared.resources.get(at) else { return "".into() };
        let suffix = keys.suffix(index);
        if module.prefix.is_empty() && suffix.is_empty() {
            return resource.address.clone();
        }
        format!("{}{}{suffix}", module.prefix, resource.address).into()
    }

    /// The modules that a call of a module stands for; `None` if there is no such call.
    pub(super) fn called(&mut self, module: usize, name: &str) -> Option<Rc<Called>> {
        let declared = self.declared(module);
        let (name, call) = declared.calls.get_key_value(name)?;
        let running = || Some(Rc::new(Called::Missing(format!("module {name} depends on itself").into())));
        match self.module(module).called.get(name) {
            Some(Some(called)) => return Some(called.clone()),
            Some(None) => return running(),
            None => {}
        }
        self.module_mut(module).called.insert(name, None);
        let called = Rc::new(self.open_call(module, name, call.place, call.body));
        self.module_mut(module).called.insert(name, Some(called.clone()));
        Some(called)
    }

    fn open_call(&mut self, module: usize, name: &'a str, place: Place<'a>, body: &'a Body) -> Called {
        let tree = self.tree;
        let branch = tree.nodes.get(self.module(module).node);
        let node = match branch.and_then(|branch| branch.calls.get(name)) {
            Some(Ok(node)) => *node,
            Some(Err(reason)) => return Called::Missing(reason.clone()),
            None => return Called::Missing(format!("module {name} is not read").into()),
        };
        let Some(declared) = tree.nodes.get(node).and_then(|branch| self.directories.get(branch.directory))
        else {
            return Called::Missing(format!("module {name} is not read").into());
        };
        let keys = Rc::new(self.repetition(body, &Scope::top(module, place)));
        if self.modules.len() + keys.len() > MOST_MODULES {
            return Called::Missing(format!("module {name} is called too often to be followed").into());
        }
        let mut modules = Vec::with_capacity(keys.len());
        for at in 0..keys.len() {
            let prefix = format!("{}module.{name}{}.", self.module(module).prefix, keys.suffix(at));
            let site = Site { parent: module, name, body, place, keys: keys.clone(), at };
            modules.push(self.modules.len());
            self.modules.push(Instance::new(node, declared, prefix.into(), Some(site)));
        }
        Called::Modules(keys, modules)
    }

    /// Conceals what the argument of a call is made of.
    pub(super) fn conceal_argument(&mut self, site: &Site<'a>, name: &str) {
        let Some(argument) = site.body.get_attribute(name) else { return };
        let top = Scope::top(site.parent, site.place);
        self.inside(&site.keys, site.at, &top, |evaluator, scope| evaluator.conceal(&argument.value, scope));
    }

    /// The argument that a call gives a variable; `None` if it gives none, or this is the root.
    pub(super) fn argument(&mut self, module: usize, name: &str) -> Option<Node> {
        let site = self.module(module).site.clone()?;
        let argument = site.body.get_attribute(name)?;
        let top = Scope::top(site.parent, site.place);
        Some(
            self.inside(&site.keys, site.at, &top, |evaluator, scope| evaluator.eval(&argument.value, scope)),
        )
    }

    /// An output of a module; `None` if it has no such output.
    pub(super) fn output(&mut self, module: usize, name: &str) -> Option<Arc<Node>> {
        let declared = self.declared(module);
        let (name, output) = declared.outputs.get_key_value(name)?;
        let value = output.body.get_attribute("value")?;
        let circular = || (format!("output {name} refers to itself"), output.place.of(value));
        self.once(module, Item::Output(name), circular, |evaluator| {
            let node = evaluator.eval(&value.value, &Scope::top(module, output.place));
            let sensitive = says_so(output.body);
            if sensitive {
                evaluator.conceal_output(module, name);
            }
            Some(node.marked_also(sensitive))
        })
    }

    /// Every output of a module.
    pub(super) fn outputs(&mut self, module: usize, span: Span) -> Node {
        let declared = self.declared(module);
        let mut map = Map::default();
        for name in declared.outputs.keys() {
            if let Some(node) = self.output(module, name) {
                map.insert(*name, node.span, Node::clone(&node));
            }
        }
        Node::new(span, Value::Map(map))
    }
}

fn count_key(at: usize, span: Span) -> Key {
    let value = Value::Int(i64::try_from(at).unwrap_or(i64::MAX));
    let mut map = Map::default();
    map.insert("index", span, Node::new(span, value.clone()));
    Key { text: format!("[{at}]"), value, name: "count", node: Node::new(span, Value::Map(map)) }
}

fn each_key(text: &Arc<str>, span: Span, value: Node) -> Key {
    let mut map = Map::default();
    map.insert("key", span, Node::string(span, text.clone()));
    map.insert("value", value.span, value);
    Key {
        text: address::key(text),
        value: Value::Str(text.clone()),
        name: "each",
        node: Node::new(span, Value::Map(map)),
    }
}
