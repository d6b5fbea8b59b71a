//! Plans as `terraform show -json` prints them: what Terraform is about to make, as a [`Module`] that policies judge like one
//! that was read from files.
//!
//! Of a plan the values of the resources as they will be are read, those of data sources that were looked up, and the configuration
//! for what refers to what. What will be destroyed is left out. The format is documented at
//! <https://developer.hashicorp.com/terraform/internals/json-format>.

mod blocks;
mod configuration;
mod fill;
mod stream;
mod trace;
mod values;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::value::RawValue;

use self::configuration::Configuration;
use self::fill::Filling;
use self::stream::{Head, Taker};
use self::trace::{Scope, configured};
use self::values::{Builder, Marks, Texts};
use super::module::{Index, Module, Resource};
use super::{address, schema};
use crate::source::{FileId, List, Map, Node, Sources, Span, Value};

/// Why a policy that asks for `prevent_destroy` cannot be judged on a plan, whatever is in it.
pub const NO_LIFECYCLE: &str = "a plan does not show `lifecycle`";

/// The tags of a resource with those that the provider gives to all: nobody writes it, and it is a third of all there is to read.
/// <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/resource-tagging>
const ALL_TAGS: &str = "tags_all";

/// A plan that was read.
#[derive(Debug)]
pub struct Planned {
    /// What there will be.
    pub module: Module,
    /// Terraform met an error while it planned: there would be more than this.
    pub errored: bool,
    /// Byte offsets at which the lines of the file start.
    pub line_starts: Vec<u32>,
    /// Bytes of the file.
    pub length: usize,
}

/// Why a file is no plan that can be judged.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The text is no JSON, or not that of a plan.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// It is the JSON of a state.
    #[error("it holds a state, and what is there already is not what a plan makes")]
    State,
    /// It is other JSON.
    #[error("it has no `resource_changes`, so it is no plan")]
    NoPlan,
    /// A version of the format that may mean something else by the same names.
    #[error("its format is {0}, and only 1.x is known")]
    Format(String),
}

/// Reads a plan. Of the text only one resource at a time is held, beside what becomes of it. What it calls sensitive is concealed in
/// `sources`.
///
/// # Errors
/// If it is not a plan, or not one to its end.
pub fn read(file: FileId, reader: impl Read, sources: &Sources) -> Result<Planned, PlanError> {
    let mut reading = Reading {
        file,
        sources,
        texts: Texts::default(),
        resources: Vec::new(),
        types: Vec::new(),
        known: BTreeSet::new(),
        configuration: Configuration::default(),
        configured_at: Span::new(file, 0, 0),
    };
    let mut head = Head::default();
    let (result, line_starts, length) = stream::read(reader, &mut reading, &mut head);
    result?;
    if let Some(format) = head.format.filter(|format| !format.starts_with("1.")) {
        return Err(PlanError::Format(format));
    }
    if !head.has_changes {
        return Err(if head.is_state { PlanError::State } else { PlanError::NoPlan });
    }
    Ok(Planned { module: reading.finish(), errored: head.errored, line_starts, length })
}

/// A resource as plans list it: among the changes with its change, in the state before with its values.
#[derive(Deserialize)]
#[serde(expecting = "a resource")]
struct Listed<'t> {
    #[serde(borrow)]
    address: &'t RawValue,
    mode: Mode,
    #[serde(borrow, rename = "type")]
    type_: Cow<'t, str>,
    #[serde(borrow)]
    name: Cow<'t, str>,
    #[serde(default, borrow)]
    deposed: Option<&'t RawValue>,
    #[serde(default, borrow)]
    change: Option<Change<'t>>,
    #[serde(default, borrow)]
    values: Option<&'t RawValue>,
    #[serde(default, borrow)]
    sensitive_values: Option<&'t RawValue>,
}

#[derive(Deserialize)]
#[serde(expecting = "what changes of a resource")]
struct Change<'t> {
    actions: Vec<Action>,
    #[serde(default, borrow)]
    after: Option<&'t RawValue>,
    #[serde(default, borrow)]
    after_unknown: Option<&'t RawValue>,
    #[serde(default, borrow)]
    after_sensitive: Option<&'t RawValue>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Managed,
    Data,
    #[serde(other)]
    Other,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Action {
    Delete,
    Forget,
    #[serde(other)]
    Other,
}

/// A plan in the making.
struct Reading<'s> {
    file: FileId,
    sources: &'s Sources,
    texts: Texts,
    resources: Vec<Resource>,
    /// The type of each of them.
    types: Vec<Span>,
    known: BTreeSet<Arc<str>>,
    configuration: Configuration,
    configured_at: Span,
}

/// The values of a resource, and what of them is unknown and what sensitive.
type Values<'t> = [Option<&'t RawValue>; 3];

impl Taker for Reading<'_> {
    fn change(&mut self, text: &str, start: usize) -> Result<(), serde_json::Error> {
        let listed: Listed<'_> = serde_json::from_str(text)?;
        let Some(change) = &listed.change else { return Err(serde_json::Error::missing_field("change")) };
        // What is left of an earlier apply is only there to be destroyed.
        let goes = change.actions.iter().all(|action| *action != Action::Other);
        if goes || listed.deposed.is_some() || listed.mode == Mode::Other {
            return Ok(());
        }
        self.add((text, start), &listed, [change.after, change.after_unknown, change.after_sensitive])
            .map_err(|fault| unplaced(&fault))
    }

    fn prior(&mut self, text: &str, start: usize) -> Result<(), serde_json::Error> {
        let listed: Listed<'_> = serde_json::from_str(text)?;
        if listed.mode != Mode::Data {
            return Ok(());
        }
        self.add((text, start), &listed, [listed.values, None, listed.sensitive_values])
            .map_err(|fault| unplaced(&fault))
    }

    fn configuration(&mut self, configuration: Configuration, start: usize) {
        self.configuration = configuration;
        self.configured_at = Span::new(self.file, start, start);
    }
}

/// What a fault says, without a place.
fn words(fault: &serde_json::Error) -> String {
    let said = fault.to_string();
    let place = format!(" at line {} column {}", fault.line(), fault.column());
    said.strip_suffix(&place).unwrap_or(&said).to_owned()
}

/// A fault in a part of a resource: its place counts from where the part begins, which says nothing of the file.
fn unplaced(fault: &serde_json::Error) -> serde_json::Error {
    serde_json::Error::custom(words(fault))
}

impl Reading<'_> {
    /// Adds a resource; its text begins at `start`.
    fn add(
        &mut self,
        (text, start): (&str, usize),
        listed: &Listed<'_>,
        [values, unknown, sensitive]: Values<'_>,
    ) -> Result<(), serde_json::Error> {
        let address: String = serde_json::from_str(listed.address.get())?;
        let address: Arc<str> = address.into();
        // A data source that is read again stands among the changes, and as it was in the state before.
        if !self.known.insert(address.clone()) {
            return Ok(());
        }
        let unknown = Marks::read(unknown)?;
        let sensitive = Marks::read(sensitive)?;
        let mut builder =
            Builder { file: self.file, sources: self.sources, text, start, texts: &mut self.texts };
        let mut body = builder.body(values, &unknown, &sensitive)?;
        let header = builder.span(listed.address.get());
        let managed = listed.mode == Mode::Managed;
        if let Some(schema) = managed.then(|| schema::type_schema(&listed.type_)).flatten() {
            // What the provider tells is no argument; by a text of it others may name the resource.
            let told = |name: &str| schema.attributes.get(name).is_some_and(schema::Attribute::computed_only);
            body.entries.retain(|name, entry| {
                &**name != ALL_TAGS && (!told(name) || matches!(entry.node.value, Value::Str(_)))
            });
        }
        body.entries.shrink_to_fit();
        let resource = Resource {
            managed,
            type_: builder.name(&listed.type_),
            name: builder.name(&listed.name),
            address,
            body: Node::new(builder.span(text), Value::Map(body)),
            header,
            blueprint: None,
        };
        self.types.push(header);
        self.resources.push(resource);
        Ok(())
    }

    fn finish(self) -> Module {
        let Self { sources, mut resources, configuration, types, configured_at, mut texts, .. } = self;
        let index = trace::Index::new(&resources, &configuration);
        let mut references = Vec::with_capacity(resources.len());
        let mut hidden: BTreeMap<Arc<str>, Vec<(usize, Arc<str>)>> = BTreeMap::new();
        for (at, resource) in resources.iter_mut().enumerate() {
            let schema = schema::type_schema(&resource.type_key());
            let written = configured(&configuration, &resource.address);
            let scope = Scope {
                module: address::module(&resource.address),
                key: address::instance(&resource.address),
                for_each: written.and_then(|written| written.for_each_expression.as_ref()),
            };
            let mut filling = Filling {
                index: &index,
                configuration: &configuration,
                scope,
                puts_together: !resource.managed && &*resource.type_ == "aws_iam_policy_document",
                references: Vec::new(),
                hidden: None,
            };
            let span = resource.body.span;
            if let (Value::Map(body), Some(written)) = (&mut resource.body.value, written) {
                filling.body(body, &written.expressions, schema.as_deref());
                meta(body, span, written);
            }
            if let Some(block) = &schema {
                schema::convert(&mut resource.body, block);
            }
            if let Some(reason) = filling.hidden.filter(|_| resource.managed) {
                let reason = texts.kept(&reason);
                hidden.entry(resource.type_.clone()).or_default().push((at, reason));
            }
            references.push(filling.references);
        }
        let blocks = blocks::of(&configuration, configured_at, sources);
        Module {
            index: Index::new(&resources, &references),
            resources,
            blocks,
            types,
            hidden,
            ..Module::default()
        }
    }
}

/// Adds the meta-arguments, as far as a plan shows them.
fn meta(body: &mut Map, span: Span, written: &configuration::Resource) {
    // `module.net:aws.west` names the module that hands the provider on.
    let provider = written.provider_config_key.rsplit(':').next().unwrap_or("");
    if provider.contains('.') {
        body.insert("provider", span, Node::string(span, provider));
    }
    if !written.depends_on.is_empty() {
        let list: List =
            written.depends_on.iter().map(|address| Node::string(span, address.as_str())).collect();
        body.insert("depends_on", span, Node::new(span, Value::List(list)));
    }
    body.insert("lifecycle", span, Node::new(span, Value::Unknown(NO_LIFECYCLE.into())));
}
