//! A module against the provider's schema.

use crate::source::{Entry, Finding, Map, Node, Span, Subject, SubjectKind, Value, did_you_mean, fault};
use crate::terraform::{Module, Resource};

use super::store::{Block, Kind, NestedBlock, Nesting, Schema, Type};
use super::types::{describe, misfit, written};
use super::within;

/// What Terraform itself allows in every resource.
const RESOURCE_META: &[&str] =
    &["count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection"];
/// What Terraform itself allows in every data source.
const DATA_META: &[&str] = &["count", "for_each", "provider", "depends_on", "lifecycle"];
/// What Terraform itself allows in a provider block.
const PROVIDER_META: &[&str] = &["alias", "version"];
/// What may stand in `lifecycle`.
const LIFECYCLE: &[&str] = &[
    "create_before_destroy",
    "prevent_destroy",
    "ignore_changes",
    "replace_triggered_by",
    "precondition",
    "postcondition",
];

/// Checks resources, data sources and provider blocks of AWS against the provider's schema: unknown, missing,
/// misplaced and ill-typed arguments and blocks, and references to attributes that do not exist.
///
/// Types of other providers are passed over. Values that are not known from the files fit every type.
pub fn check(module: &Module) -> Vec<Finding> {
    let Some(schema) = super::aws() else { return Vec::new() };
    let mut check = Check { module, schema, subject: None, findings: Vec::new() };
    for resource in module.resources.iter().filter(|resource| of_aws(resource)) {
        check.resource(resource);
    }
    check.subject = None;
    for provider in
        module.blocks_of("provider").filter(|block| block.labels.iter().any(|label| &**label == "aws"))
    {
        if let (Some(block), Value::Map(map)) = (schema.get(Kind::Provider, "aws"), &provider.body.value) {
            check.subject = Some(("provider".to_owned(), "provider.aws".to_owned()));
            check.block(
                map,
                &block,
                &Place { header: provider.header, path: "provider.aws", meta: PROVIDER_META },
            );
        }
    }
    check.uses();
    let mut findings = check.findings;
    findings.sort_by_key(|finding| finding.span);
    findings
}

/// Whether the resource is the AWS provider's.
fn of_aws(resource: &Resource) -> bool {
    let provider =
        resource.get("provider").and_then(Node::as_str).map(|name| name.split('.').next().unwrap_or(name));
    resource.type_.starts_with("aws_") && provider.is_none_or(|provider| provider == "aws")
}

/// Where a block stands, for messages.
struct Place<'p> {
    header: Span,
    path: &'p str,
    meta: &'p [&'p str],
}

struct Check<'m> {
    module: &'m Module,
    schema: &'static Schema,
    /// Type and address of what is checked.
    subject: Option<(String, String)>,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn add(&mut self, mut finding: Finding, pointer: String) {
        if let Some((type_, address)) = &self.subject {
            finding.subject = Some(Subject {
                kind: SubjectKind::Terraform,
                type_: type_.clone(),
                address: address.clone(),
            });
        }
        finding.pointer = pointer;
        self.findings.push(finding);
    }

    fn fault(&mut self, span: Span, message: String, label: &str, help: String, pointer: String) {
        let finding = Finding::fault(fault::TERRAFORM_SCHEMA, span, message).label(label).help(help);
        self.add(finding, pointer);
    }

    fn resource(&mut self, resource: &Resource) {
        self.subject = Some((resource.type_.to_string(), resource.address.to_string()));
        let kind = if resource.managed { Kind::Resource } else { Kind::Data };
        let Some(block) = self.schema.get(kind, &resource.type_) else {
            self.unknown_type(resource, kind);
            return;
        };
        let Value::Map(map) = &resource.body.value else { return };
        let meta = if resource.managed { RESOURCE_META } else { DATA_META };
        let place = Place { header: resource.header, path: &resource.address, meta };
        self.block(map, &block, &place);
        for lifecycle in map.get("lifecycle").map_or(&[][..], Node::items) {
            for (name, entry) in lifecycle.as_map().into_iter().flat_map(Map::iter) {
                if !LIFECYCLE.contains(&&**name) {
                    let help = suggestion(name, LIFECYCLE.iter().copied(), "lifecycle");
                    let path = format!("{}.lifecycle.{name}", resource.address);
                    self.fault(
                        entry.key,
                        format!("`lifecycle` has no `{name}`"),
                        "unknown argument",
                        help,
                        path,
                    );
                }
            }
        }
    }

    fn unknown_type(&mut self, resource: &Resource, kind: Kind) {
        let (other, word, other_word) = match kind {
            Kind::Resource => (Kind::Data, "resource", "data source"),
            _ => (Kind::Resource, "data source", "resource"),
        };
        let type_ = &*resource.type_;
        let help = if self.schema.has(other, type_) {
            let keyword = if other == Kind::Data { "data" } else { "resource" };
            format!("it is a {other_word}: write {keyword} \"{type_}\" \"{}\"", resource.name)
        } else {
            match did_you_mean(type_, self.schema.types(kind)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "correct the type".to_owned(),
            }
        };
        let message =
            format!("version {} of the AWS provider has no {word} `{type_}`", self.schema.version());
        self.fault(
            self.module.type_span(resource),
            message,
            "unknown type",
            help,
            resource.address.to_string(),
        );
    }

    fn block(&mut self, map: &Map, schema: &Block, place: &Place<'_>) {
        if schema.unknown {
            return;
        }
        for (name, entry) in map.iter() {
            if place.meta.contains(&&**name) {
                continue;
            }
            match (schema.attributes.get(&**name), schema.blocks.get(&**name)) {
                (_, Some(nested)) => self.nested(name, entry, nested, place),
                (Some(_), None) => self.argument(name, entry, schema, place),
                (None, None) => {
                    let known = schema.names().filter(|known| {
                        schema.attributes.get(*known).is_none_or(|attribute| !attribute.computed_only())
                    });
                    let help = suggestion(name, known.chain(place.meta.iter().copied()), place.path);
                    let what = if is_block(entry) { "block" } else { "argument" };
                    self.fault(
                        entry.key,
                        format!("{} has no {what} `{name}`", place.path),
                        &format!("unknown {what}"),
                        help,
                        format!("{}.{name}", place.path),
                    );
                }
            }
        }
        for (name, attribute) in schema.attributes.iter().filter(|(_, attribute)| attribute.required) {
            let written = map.get(name);
            if written.is_none_or(|node| node.value == Value::Null) {
                let span = written.map_or(place.header, |node| node.span);
                let message = if written.is_some() {
                    format!("{} needs a value for `{name}`, not null", place.path)
                } else {
                    format!("{} lacks the required argument `{name}`", place.path)
                };
                let help = format!("add {name} = ..., {}", attribute.type_.describe());
                self.fault(span, message, "required", help, format!("{}.{name}", place.path));
            }
        }
        for (name, nested) in &schema.blocks {
            let count = match map.get(name).map(|node| &node.value) {
                None => 0,
                Some(Value::List(items)) => u64::try_from(items.len()).unwrap_or(u64::MAX),
                Some(_) => continue,
            };
            if count < nested.min {
                let message = format!("{} needs {}", place.path, blocks(nested.min, name));
                let help = format!("add {name} {{ ... }}");
                self.fault(place.header, message, "required", help, format!("{}.{name}", place.path));
            }
        }
    }

    fn argument(&mut self, name: &str, entry: &Entry, schema: &Block, place: &Place<'_>) {
        let Some(attribute) = schema.attributes.get(name) else { return };
        let pointer = format!("{}.{name}", place.path);
        if attribute.computed_only() {
            if entry.node.value != Value::Null {
                self.fault(
                    entry.key,
                    format!("`{name}` of {} is set by the provider", place.path),
                    "cannot be set",
                    "remove it; refer to it where its value is needed".to_owned(),
                    pointer,
                );
            }
            return;
        }
        if is_block(entry) {
            // Terraform takes blocks for a list of objects too ("attributes as blocks mode").
            let (Type::List(of) | Type::Set(of)) = &attribute.type_ else {
                return self.not_a_block(name, entry, &attribute.type_, place);
            };
            let Type::Object(members) = &**of else {
                return self.not_a_block(name, entry, &attribute.type_, place);
            };
            for (inner, written) in entry.node.items().iter().filter_map(Node::as_map).flat_map(Map::iter) {
                if !members.contains_key(&**inner) {
                    let help = suggestion(inner, members.keys().map(String::as_str), &pointer);
                    let message = format!("{pointer} has no argument `{inner}`");
                    let path = format!("{pointer}.{inner}");
                    self.fault(written.key, message, "unknown argument", help, path);
                }
            }
        }
        if let Some(wrong) = misfit(self.module, &entry.node, &attribute.type_) {
            self.fault(
                wrong.node.span,
                format!(
                    "`{name}{}` of {} wants {}, not {}",
                    wrong.within,
                    place.path,
                    wrong.wanted.describe(),
                    describe(&wrong.node.value)
                ),
                &format!("should be {}", wrong.wanted.describe()),
                format!("write {}", wrong.wanted.example(&written(wrong.node))),
                format!("{pointer}{}", wrong.within),
            );
        }
        if let Some(why) = name.contains("policy").then(|| malformed(&entry.node)).flatten() {
            self.fault(
                entry.node.span,
                format!("`{name}` of {} is not JSON: {why}", place.path),
                "not JSON",
                "write it with jsonencode({ ... }), which leaves no commas to chance".to_owned(),
                pointer,
            );
        }
    }

    fn not_a_block(&mut self, name: &str, entry: &Entry, type_: &Type, place: &Place<'_>) {
        self.fault(
            entry.key,
            format!("`{name}` of {} is an argument, not a block", place.path),
            "needs an equals sign",
            match type_ {
                Type::Map(_) | Type::Object(_) => format!("write {name} = {{ ... }}"),
                _ => format!("write {name} = ..., {}", type_.describe()),
            },
            format!("{}.{name}", place.path),
        );
    }

    fn nested(&mut self, name: &str, entry: &Entry, nested: &NestedBlock, place: &Place<'_>) {
        let path = format!("{}.{name}", place.path);
        if !is_block(entry) {
            if entry.node.value != Value::Null {
                self.fault(
                    entry.key,
                    format!("`{name}` of {} is a block, not an argument", place.path),
                    "no equals sign here",
                    format!("write {name} {{ ... }}"),
                    path,
                );
            }
            return;
        }
        // Of blocks that are not known nobody can tell how many there are.
        let items = match &entry.node.value {
            Value::List(list) => list.known().0,
            _ => &[],
        };
        let most = if nested.nesting == Nesting::Single { 1 } else { nested.max };
        if let Some(extra) =
            usize::try_from(most).ok().filter(|most| *most > 0).and_then(|most| items.get(most))
        {
            self.fault(
                extra.span,
                format!("{} takes at most {}, not {}", place.path, blocks(most, name), items.len()),
                "one too many",
                format!("keep {} and remove the rest", blocks(most, name)),
                path.clone(),
            );
        }
        for item in items {
            if let Value::Map(map) = &item.value {
                self.block(map, &nested.block, &Place { header: item.span, path: &path, meta: &[] });
            }
        }
    }

    /// References to attributes no schema has.
    fn uses(&mut self) {
        for used in &self.module.uses {
            let Some(resource) = self.module.any_of(&used.address).filter(|resource| of_aws(resource)) else {
                continue;
            };
            let kind = if resource.managed { Kind::Resource } else { Kind::Data };
            let Some(block) = self.schema.get(kind, &resource.type_) else { continue };
            self.subject = Some((resource.type_.to_string(), resource.address.to_string()));
            if block.has(&used.attribute) {
                if let Some(finding) = within::check(used, &block) {
                    self.add(finding, format!("{}.{}", used.address, used.attribute));
                }
                continue;
            }
            let help = suggestion(&used.attribute, block.names(), &used.address);
            let finding = Finding::fault(
                fault::TERRAFORM_REFERENCE,
                used.span,
                format!("{} has no attribute `{}`", used.address, used.attribute),
            )
            .label("no such attribute")
            .help(help);
            self.add(finding, format!("{}.{}", used.address, used.attribute));
        }
    }
}

/// Whether the entry is written as blocks, not as an argument.
/// Why the text of a policy is no JSON, where it means to be: the provider refuses it before it makes a plan.
fn malformed(policy: &Node) -> Option<String> {
    let text = policy.as_str().filter(|text| text.trim_start().starts_with('{'))?;
    serde_json::from_str::<serde::de::IgnoredAny>(text).err().map(|why| why.to_string())
}

fn is_block(entry: &Entry) -> bool {
    entry.node.span == entry.key
}

fn blocks(count: u64, name: &str) -> String {
    if count == 1 { format!("one `{name}` block") } else { format!("{count} `{name}` blocks") }
}

pub(super) fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone, path: &str) -> String {
    // Of a short name one letter is much; of a long one, did_you_mean knows better.
    let near = did_you_mean(name, known.clone())
        .or_else(|| known.clone().find(|near| strsim::levenshtein(name, near) == 1));
    if let Some(near) = near {
        return format!("did you mean `{near}`?");
    }
    let mut names: Vec<&str> = known.collect();
    names.sort_unstable();
    let more = if names.len() > 12 { ", ..." } else { "" };
    names.truncate(12);
    if names.is_empty() {
        return format!("remove it; {path} has nothing inside");
    }
    format!("{path} has {}{more}", names.join(", "))
}
