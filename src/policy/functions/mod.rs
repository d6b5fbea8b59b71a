//! The functions of the language, one topic a file, all in one table. To add one: write it, add its line.

mod collections;
mod config;
mod connections;
mod facts;
mod iam;
mod kubernetes;
mod network;
mod others;
mod schedule;
mod scheduling;
mod terraform;
mod text;
mod waivers;

pub(super) use kubernetes::pod_template;

use super::value::{Outcome, Undecided, Val, error};
use super::world::Context;

/// One function.
pub(super) struct Function {
    /// Its name.
    pub(super) name: &'static str,
    /// How a call is written.
    pub(super) usage: &'static str,
    /// Whether it follows a value and a dot.
    pub(super) style: Style,
    /// How many values it takes, the one before the dot included.
    pub(super) arguments: usize,
    /// What it does. Arguments are never [`Val::Unknown`]; parts of them may be.
    pub(super) call: for<'a> fn(&Context<'a>, &[Val<'a>]) -> Outcome<'a>,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.usage)
    }
}

/// Where the first value of a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `f(x)`
    Global,
    /// `x.f()`
    Member,
    /// Both.
    Either,
}

impl Style {
    pub(super) fn allows(self, member: bool) -> bool {
        match self {
            Self::Global => !member,
            Self::Member => member,
            Self::Either => true,
        }
    }
}

macro_rules! table {
    ($($style:ident $arguments:literal $usage:literal $name:literal $call:path;)*) => {
        static FUNCTIONS: &[Function] = &[$(
            Function { name: $name, usage: $usage, style: Style::$style, arguments: $arguments, call: $call },
        )*];
    };
}

table! {
    Either 1 "size(x)" "size" collections::size;
    Either 2 "s.contains(t)" "contains" text::contains;
    Member 2 "s.startsWith(t)" "startsWith" text::starts_with;
    Member 2 "s.endsWith(t)" "endsWith" text::ends_with;
    Either 2 "s.matches(regex)" "matches" text::matches;
    Member 1 "s.lowerAscii()" "lowerAscii" text::lower_ascii;
    Member 1 "s.upperAscii()" "upperAscii" text::upper_ascii;
    Member 1 "s.trim()" "trim" text::trim;
    Member 3 "s.replace(a, b)" "replace" text::replace;
    Member 2 "s.split(separator)" "split" text::split;
    Member 2 "list.join(separator)" "join" text::join;
    Global 1 "string(x)" "string" text::string;
    Global 1 "int(x)" "int" text::int;
    Global 1 "double(x)" "double" text::double;
    Global 1 "bool(x)" "bool" text::bool;
    Global 1 "type(x)" "type" collections::type_of;
    Global 2 "default(x, otherwise)" "default" collections::default;
    Global 1 "values(map)" "values" collections::values;
    Global 1 "flatten(list)" "flatten" collections::flatten;
    Global 1 "distinct(list)" "distinct" collections::distinct;
    Global 1 "unproven(reason)" "unproven" collections::unproven;
    Global 1 "json(text)" "json" text::json;
    Global 1 "yaml(text)" "yaml" config::yaml_of;
    Global 1 "properties(text)" "properties" config::properties;
    Global 2 "setting(tree, key)" "setting" config::setting;
    Global 1 "facts(name)" "facts" facts::facts;
    Global 0 "lock()" "lock" others::lock;
    Global 1 "failures(framework)" "failures" others::failures;
    Global 2 "parity(region, other)" "parity" others::parity;
    Global 1 "address(this)" "address" terraform::address;
    Global 1 "kindOf(this)" "kindOf" terraform::kind_of;
    Global 1 "resources(type)" "resources" terraform::resources;
    Global 1 "declared(type)" "declared" terraform::declared;
    Global 1 "blocks(kind)" "blocks" terraform::blocks;
    Global 2 "referrers(this, type)" "referrers" terraform::referrers;
    Global 2 "referents(this, type)" "referents" terraform::referents;
    Global 2 "references(x, type)" "references" terraform::references;
    Global 1 "isInternetGateway(x)" "isInternetGateway" terraform::is_internet_gateway;
    Global 1 "resolve(x)" "resolve" terraform::resolve;
    Global 1 "isCustomerKey(x)" "isCustomerKey" terraform::is_customer_key;
    Global 1 "written(x)" "written" collections::written;
    Global 1 "statements(policy)" "statements" iam::statements;
    Global 2 "grants(statement, action)" "grants" iam::grants;
    Global 1 "restrictable(action)" "restrictable" iam::restrictable;
    Global 2 "cidrContains(outer, inner)" "cidrContains" network::cidr_contains;
    Global 2 "cidrOverlaps(a, b)" "cidrOverlaps" network::cidr_overlaps;
    Global 1 "isPublicCidr(cidr)" "isPublicCidr" network::is_public_cidr;
    Global 1 "isInternet(cidr)" "isInternet" network::is_internet;
    Global 1 "objects(kind)" "objects" kubernetes::objects;
    Global 1 "namespaceOf(object)" "namespaceOf" kubernetes::namespace_of;
    Global 1 "pod(object)" "pod" kubernetes::pod;
    Global 1 "containers(object)" "containers" kubernetes::containers;
    Global 3 "podSecurityViolations(object, level, version)" "podSecurityViolations" kubernetes::pod_security_violations;
    Global 3 "connects(from, to, port)" "connects" connections::connects;
    Global 2 "addresses(object, direction)" "addresses" connections::addresses;
    Global 2 "selects(selector, labels)" "selects" scheduling::selects;
    Global 2 "tolerates(pod, taints)" "tolerates" scheduling::tolerates;
    Global 3 "schedulable(pod, labels, taints)" "schedulable" scheduling::schedulable;
    Global 1 "imageName(image)" "imageName" text::image_name;
    Global 2 "literalSecret(name, value)" "literalSecret" text::literal_secret;
    Global 1 "waiverFaults(waiver)" "waiverFaults" waivers::waiver_faults;
    Global 1 "quantity(s)" "quantity" text::quantity;
    Global 1 "durationSeconds(s)" "durationSeconds" text::duration_seconds;
    Global 2 "daysBetween(from, to)" "daysBetween" text::days_between;
    Global 1 "scheduleSeconds(s)" "scheduleSeconds" schedule::schedule_seconds;
}

/// The function of a name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// Every name.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

/// How a call of each function is written.
pub fn usages() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.usage)
}

/// The arguments as an array; the table fixes how many there are.
fn take<'v, 'a, const N: usize>(values: &'v [Val<'a>]) -> Result<&'v [Val<'a>; N], Undecided> {
    values.try_into().or_else(|_| error("the wrong number of values"))
}

/// One string or a list of strings.
fn names_of(value: &Val<'_>) -> Result<Vec<String>, Undecided> {
    match value {
        Val::List(list) => list.iter().map(|item| item.as_text().map(str::to_owned)).collect(),
        one => Ok(vec![one.as_text()?.to_owned()]),
    }
}

/// `exists` over Rust values: true decides, else doubt, else false.
fn any<T>(
    items: impl IntoIterator<Item = T>,
    mut holds: impl FnMut(T) -> Result<bool, Undecided>,
) -> Result<bool, Undecided> {
    let mut doubt = None;
    for item in items {
        match holds(item) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(undecided) => doubt = doubt.or(Some(undecided)),
        }
    }
    doubt.map_or(Ok(false), Err)
}

/// `all` over Rust values: false decides, else doubt, else true.
fn all<T>(
    items: impl IntoIterator<Item = T>,
    mut holds: impl FnMut(T) -> Result<bool, Undecided>,
) -> Result<bool, Undecided> {
    any(items, |item| holds(item).map(|value| !value)).map(|found| !found)
}
