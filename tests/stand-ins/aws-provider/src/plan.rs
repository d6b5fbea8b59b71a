//! Planning as the real provider does it: what stays, what is known only after apply, what has to be replaced.

use nexafi_gen::terraform::schema::{Block, Nesting};

use crate::facts::immutable;
use crate::messages::Selector;
use crate::value::Value;

/// What the provider block said.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The region, known by the time anything is planned.
    pub region: String,
    /// Tags for everything that has tags.
    pub default_tags: Value,
}

/// A planned change.
#[derive(Debug, PartialEq)]
pub struct Plan {
    /// What will be.
    pub state: Value,
    /// What cannot be changed in place.
    pub replace: Vec<Vec<Selector>>,
}

/// What will be recomputed by AWS when anything else of the object changes.
const RECOMPUTED: [(&str, &str); 1] = [("aws_launch_template", "latest_version")];

/// Plans the change of an object; `prior` is null to create it. Deletion needs no plan.
pub fn plan(type_: &str, block: &Block, prior: &Value, proposed: &Value, settings: &Settings) -> Plan {
    let mut state = proposed.clone();
    if let Value::Map(members) = &mut state {
        if block.attributes.contains_key("tags_all") {
            let tags = all_tags(&settings.default_tags, proposed.at("tags"));
            members.insert("tags_all".to_owned(), tags);
        }
        if members.get("region").is_some_and(Value::is_null) {
            members.insert("region".to_owned(), settings.region.as_str().into());
        }
    }
    if !prior.is_null() && state == *prior {
        return Plan { state, replace: Vec::new() };
    }
    open(block, &mut state, prior);
    if prior.is_null() {
        return Plan { state, replace: Vec::new() };
    }
    if let Value::Map(members) = &mut state {
        for (_, attribute) in RECOMPUTED.iter().filter(|(of, _)| *of == type_) {
            members.insert((*attribute).to_owned(), Value::Unknown);
        }
    }
    let replace = replaced(type_, prior, &state);
    Plan { state, replace }
}

/// The provider's tags and the resource's, the latter on top.
fn all_tags(default: &Value, own: &Value) -> Value {
    if *default == Value::Unknown || *own == Value::Unknown {
        return Value::Unknown;
    }
    let tags = default.members().chain(own.members()).map(|(key, value)| (key.to_owned(), value.clone()));
    Value::Map(tags.collect())
}

/// Marks what AWS fills in and nobody said as known only after apply, wherever there was nothing before.
fn open(block: &Block, state: &mut Value, prior: &Value) {
    let Value::Map(members) = state else { return };
    for (name, attribute) in &block.attributes {
        if attribute.computed
            && prior.is_null()
            && let Some(value) = members.get_mut(name)
            && value.is_null()
        {
            *value = Value::Unknown;
        }
    }
    for (name, nested) in &block.blocks {
        let Some(value) = members.get_mut(name) else { continue };
        let before = prior.at(name);
        match (value, nested.nesting) {
            (Value::List(items), Nesting::Set) => {
                // An element that was there came with what AWS had filled in.
                for item in items.iter_mut().filter(|item| !prior_items(prior, name).contains(item)) {
                    open(&nested.block, item, &Value::Null);
                }
            }
            (Value::List(items), _) => {
                for (at, item) in items.iter_mut().enumerate() {
                    open(&nested.block, item, prior_items(prior, name).get(at).unwrap_or(&Value::Null));
                }
            }
            (value @ Value::Map(_), Nesting::Single) => open(&nested.block, value, before),
            _ => {}
        }
    }
}

fn prior_items<'v>(prior: &'v Value, name: &str) -> &'v [Value] {
    prior.at(name).items()
}

/// The changed arguments that cannot change in place.
fn replaced(type_: &str, prior: &Value, state: &Value) -> Vec<Vec<Selector>> {
    let mut paths: Vec<&str> =
        immutable(type_).chain(["region"]).filter(|path| prior.at(path) != state.at(path)).collect();
    // Encryption of secrets can be turned on, never off.
    let was_encrypted = type_ == "aws_eks_cluster" && !prior.at("encryption_config").items().is_empty();
    if was_encrypted && state.at("encryption_config").items().is_empty() {
        paths.push("encryption_config");
    }
    // A rule can be changed, but not from one kind of peer to another.
    if type_.starts_with("aws_vpc_security_group_") {
        let peers = ["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"];
        let peer = |value: &Value| peers.into_iter().find(|peer| !value.at(peer).is_null());
        if let (Some(before), Some(after)) = (peer(prior), peer(state))
            && before != after
        {
            paths.extend([before, after]);
        }
    }
    paths.into_iter().map(selectors).collect()
}

/// The path as the protocol wants it: into the first block of each list.
fn selectors(path: &str) -> Vec<Selector> {
    let mut steps = Vec::new();
    for name in path.split('.') {
        if !steps.is_empty() {
            steps.push(Selector::Index(0));
        }
        steps.push(Selector::Attribute(name.to_owned()));
    }
    steps
}
