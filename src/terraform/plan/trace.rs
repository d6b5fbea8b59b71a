//! Follows the references of a plan's configuration to the resources they mean, through variables and outputs of modules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::configuration::{self, Configuration, Expression};
use crate::source::{Map, Value};
use crate::terraform::address;
use crate::terraform::module::Resource;

/// References within references: deeper than calls of modules go.
const DEEPEST: usize = 64;

/// Where an expression stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'s> {
    /// The module's path, `module.net["a"].`; nothing for the root.
    pub(super) module: &'s str,
    /// The key of the instance it belongs to, `["a"]`; nothing if it is the only one.
    pub(super) key: &'s str,
    /// What `each.value` is taken from.
    pub(super) for_each: Option<&'s Expression>,
}

/// A resource that an expression refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The block, `module.net["a"].aws_vpc.main`.
    pub(super) block: String,
    /// What of it, `arn`.
    pub(super) attribute: String,
    /// Which of the plan's resources that is: one, or several of which any may be meant.
    pub(super) instances: Vec<usize>,
}

/// Where references lead to.
#[derive(Debug, Default)]
pub(super) struct Traced {
    pub(super) targets: Vec<Target>,
    /// A local value on the way: what it is taken from a plan does not say.
    pub(super) local: Option<String>,
    /// There is a variable of the root, or something else that is no resource.
    pub(super) other: bool,
}

/// What the resources of a plan are known by.
pub(super) struct Index {
    addresses: Vec<Arc<str>>,
    by_address: BTreeMap<Arc<str>, usize>,
    /// By the block's address, without the key of an instance.
    by_block: BTreeMap<String, Vec<usize>>,
    /// The paths of modules that have resources, and of those above them.
    modules: BTreeSet<String>,
    /// What the provider has filled in, by attribute.
    filled_in: Vec<Vec<(Arc<str>, Arc<str>)>>,
    /// The resources that have a text for their ARN or id.
    by_name: BTreeMap<Arc<str>, Vec<usize>>,
}

impl Index {
    pub(super) fn new(resources: &[Resource], configuration: &Configuration) -> Self {
        let mut index = Self {
            addresses: resources.iter().map(|resource| resource.address.clone()).collect(),
            by_address: resources.iter().enumerate().map(|(at, one)| (one.address.clone(), at)).collect(),
            by_block: BTreeMap::new(),
            modules: BTreeSet::new(),
            filled_in: Vec::with_capacity(resources.len()),
            by_name: BTreeMap::new(),
        };
        for (at, resource) in resources.iter().enumerate() {
            index.by_block.entry(address::block(&resource.address).to_owned()).or_default().push(at);
            let mut module = address::module(&resource.address);
            while !module.is_empty() && index.modules.insert(module.to_owned()) {
                module = address::above(module).0;
            }
            let written = configured(configuration, &resource.address);
            let mut filled_in = Vec::new();
            for (name, entry) in resource.body.as_map().into_iter().flat_map(Map::iter) {
                let is_written = written.is_some_and(|written| written.expressions.contains_key(&**name));
                if let (Value::Str(text), false) = (&entry.node.value, is_written) {
                    filled_in.push((name.clone(), text.clone()));
                    if matches!(&**name, "arn" | "id") {
                        let known = index.by_name.entry(text.clone()).or_default();
                        if known.last() != Some(&at) {
                            known.push(at);
                        }
                    }
                }
            }
            index.filled_in.push(filled_in);
        }
        index
    }

    /// The address of a resource.
    pub(super) fn address(&self, at: usize) -> Option<&Arc<str>> {
        self.addresses.get(at)
    }

    /// The attribute of a resource that the provider has filled in with this text, the one asked for before others.
    pub(super) fn attribute_with(&self, at: usize, text: &str, wanted: &str) -> Option<&Arc<str>> {
        let filled_in = self.filled_in.get(at)?;
        let named =
            |wanted: &str| filled_in.iter().find(|(name, value)| **name == *wanted && **value == *text);
        named(wanted).or_else(|| named("id")).or_else(|| named("arn")).map(|(name, _)| name)
    }

    /// The resources that go by a text.
    pub(super) fn named(&self, text: &str) -> &[usize] {
        self.by_name.get(text).map_or(&[], Vec::as_slice)
    }

    /// Follows references to resources.
    pub(super) fn trace(
        &self,
        configuration: &Configuration,
        scope: Scope<'_>,
        references: &[&str],
    ) -> Traced {
        let mut traced = Traced::default();
        self.follow(configuration, scope, references, &mut traced, 0);
        traced
    }

    fn follow(
        &self,
        configuration: &Configuration,
        scope: Scope<'_>,
        references: &[&str],
        traced: &mut Traced,
        depth: usize,
    ) {
        if depth > DEEPEST {
            traced.other = true;
            return;
        }
        let own = references.iter().any(|reference| {
            let (root, ..) = parts(reference);
            matches!(root, "each.key" | "each.value" | "count.index")
        });
        for reference in references {
            let (root, key, attribute) = parts(reference);
            let (kind, name) = root.split_once('.').unwrap_or((root, ""));
            match kind {
                "each" if name == "value" => {
                    let mut from = Vec::new();
                    scope.for_each.into_iter().for_each(|each| each.references(&mut from));
                    let before = traced.targets.len();
                    // Instances that are made of the instances of another block have the same keys.
                    let from: Vec<&str> = from.into_iter().filter(|way| !way.starts_with("each.")).collect();
                    self.follow(configuration, Scope { for_each: None, ..scope }, &from, traced, depth + 1);
                    for target in traced.targets.iter_mut().skip(before) {
                        target.instances = self.instances(&target.block, scope.key);
                        attribute.clone_into(&mut target.attribute);
                    }
                    traced.other |= from.is_empty();
                }
                "each" | "count" | "path" | "terraform" | "self" => traced.other = true,
                "local" => traced.local = traced.local.take().or_else(|| Some(root.to_owned())),
                "var" => self.variable(configuration, scope.module, name, traced, depth),
                "module" => {
                    let output = attribute.split(['.', '[']).next().filter(|output| !output.is_empty());
                    let wanted = if key.is_empty() && own { scope.key } else { key };
                    self.output(configuration, (scope.module, root, wanted), output, traced, depth);
                }
                _ => {
                    let block = format!("{}{root}", scope.module);
                    // That instances of one key belong together is not certain, but what else would one index by it.
                    let key = if key.is_empty() && own { scope.key } else { key };
                    let instances = self.instances(&block, key);
                    let target = Target { instances, block, attribute: attribute.to_owned() };
                    if !traced.targets.contains(&target) {
                        traced.targets.push(target);
                    }
                }
            }
        }
    }

    /// The instance of a key, if there is one; else all of them, of which any may be meant.
    fn instances(&self, block: &str, key: &str) -> Vec<usize> {
        let one = if key.is_empty() { None } else { self.by_address.get(format!("{block}{key}").as_str()) };
        match one {
            Some(one) => vec![*one],
            None => self.by_block.get(block).cloned().unwrap_or_default(),
        }
    }

    /// What a call gives a variable.
    fn variable(
        &self,
        configuration: &Configuration,
        module: &str,
        name: &str,
        traced: &mut Traced,
        depth: usize,
    ) {
        let (parent, call, key) = address::above(module);
        let given = module_at(configuration, parent).and_then(|above| above.module_calls.get(call));
        let Some((given, expression)) = given
            .and_then(|given| Some((given, given.expressions.get(name)?)))
            .filter(|_| !module.is_empty())
        else {
            traced.other = true;
            return;
        };
        let mut references = Vec::new();
        expression.references(&mut references);
        traced.other |= references.is_empty();
        let scope = Scope { module: parent, key, for_each: given.for_each_expression.as_ref() };
        self.follow(configuration, scope, &references, traced, depth + 1);
    }

    /// What an output of a called module, or every output of it, is taken from.
    fn output(
        &self,
        configuration: &Configuration,
        (parent, call, key): (&str, &str, &str),
        output: Option<&str>,
        traced: &mut Traced,
        depth: usize,
    ) {
        let name = call.strip_prefix("module.").unwrap_or(call);
        let above = module_at(configuration, parent).and_then(|above| above.module_calls.get(name));
        let Some(called) = above.map(|call| &*call.module) else {
            traced.other = true;
            return;
        };
        let start = format!("{parent}{call}");
        let mut modules: Vec<&str> = (self.modules.range(start.clone()..))
            .map(String::as_str)
            .take_while(|path| path.starts_with(&start))
            .filter(|path| path.strip_prefix(&start).map(address::after_key) == Some("."))
            .collect();
        let one = format!("{start}{key}.");
        if modules.contains(&one.as_str()) {
            modules.retain(|path| **path == *one);
        }
        let outputs: Vec<&Expression> = match output {
            Some(output) => called.outputs.get(output).map(|output| &output.expression).into_iter().collect(),
            None => called.outputs.values().map(|output| &output.expression).collect(),
        };
        traced.other |= modules.is_empty() || outputs.is_empty();
        for module in modules {
            for expression in &outputs {
                let mut references = Vec::new();
                expression.references(&mut references);
                traced.other |= references.is_empty();
                let scope = Scope { module, key: "", for_each: None };
                self.follow(configuration, scope, &references, traced, depth + 1);
            }
        }
    }
}

/// The first names of a reference, the key behind them and what follows: `data.aws_vpc.a`, `["x"]` and `id`.
fn parts(reference: &str) -> (&str, &str, &str) {
    let names = if reference.starts_with("data.") { 3 } else { 2 };
    let mut end = 0;
    for count in 0..names {
        let rest = reference.get(end..).unwrap_or("");
        let skipped = usize::from(count > 0 && rest.starts_with('.'));
        if count > 0 && skipped == 0 {
            break;
        }
        let name = rest.get(skipped..).unwrap_or("");
        end += skipped + name.find(['.', '[']).unwrap_or(name.len());
    }
    let (root, rest) = reference.split_at_checked(end).unwrap_or((reference, ""));
    let after = address::after_key(rest);
    let key = rest.get(..rest.len() - after.len()).unwrap_or("");
    (root, key, after.strip_prefix('.').unwrap_or(after))
}

/// The configuration of the module of a path.
fn module_at<'c>(configuration: &'c Configuration, path: &str) -> Option<&'c configuration::Module> {
    if path.is_empty() {
        return Some(&configuration.root_module);
    }
    let (parent, name, _) = address::above(path);
    module_at(configuration, parent)?.module_calls.get(name).map(|call| &*call.module)
}

/// The configuration of a resource.
pub(super) fn configured<'c>(
    configuration: &'c Configuration,
    address: &str,
) -> Option<&'c configuration::Resource> {
    let module = module_at(configuration, address::module(address))?;
    module.resources.get(address::local(address::block(address)))
}
