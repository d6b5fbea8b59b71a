//! Terraform's plugin protocol, version 6: the messages this provider reads and writes, with the field numbers of
//! `tfplugin6.6.proto`. Fields that nobody here reads or sets are left out, which protobuf allows.

use std::collections::BTreeMap;

/// A value of Terraform's, as `MessagePack`; JSON is only ever read from states.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DynamicValue {
    /// The value in `MessagePack`.
    #[prost(bytes = "vec", tag = "1")]
    pub msgpack: Vec<u8>,
}

/// How bad a [`Diagnostic`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub enum Severity {
    /// Never sent.
    Invalid = 0,
    /// The operation failed.
    Error = 1,
    /// The operation went on.
    Warning = 2,
}

/// What Terraform prints to the user.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Diagnostic {
    /// How bad it is.
    #[prost(enumeration = "Severity", tag = "1")]
    pub severity: i32,
    /// One line.
    #[prost(string, tag = "2")]
    pub summary: String,
    /// More lines.
    #[prost(string, tag = "3")]
    pub detail: String,
    /// Where in the configuration.
    #[prost(message, optional, tag = "4")]
    pub attribute: Option<AttributePath>,
}

/// A place in a value.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AttributePath {
    /// From the outside in.
    #[prost(message, repeated, tag = "1")]
    pub steps: Vec<Step>,
}

/// One step of an [`AttributePath`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct Step {
    /// Into what.
    #[prost(oneof = "Selector", tags = "1, 2, 3")]
    pub selector: Option<Selector>,
}

/// What a [`Step`] goes into.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Selector {
    /// An attribute of an object.
    #[prost(string, tag = "1")]
    Attribute(String),
    /// An element of a map.
    #[prost(string, tag = "2")]
    Key(String),
    /// An element of a list.
    #[prost(int64, tag = "3")]
    Index(i64),
}

/// A state as it was stored.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RawState {
    /// The state in JSON.
    #[prost(bytes = "vec", tag = "1")]
    pub json: Vec<u8>,
}

/// The schema of a type.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Schema {
    /// Its version; states of older ones would have to be upgraded.
    #[prost(int64, tag = "1")]
    pub version: i64,
    /// Its content.
    #[prost(message, optional, tag = "2")]
    pub block: Option<SchemaBlock>,
}

/// What may stand in a block.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SchemaBlock {
    /// Arguments and exported attributes.
    #[prost(message, repeated, tag = "2")]
    pub attributes: Vec<SchemaAttribute>,
    /// Nested blocks.
    #[prost(message, repeated, tag = "3")]
    pub block_types: Vec<SchemaNestedBlock>,
}

/// An argument or exported attribute.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SchemaAttribute {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its type, in JSON.
    #[prost(bytes = "vec", tag = "2")]
    pub r#type: Vec<u8>,
    /// It has to be written.
    #[prost(bool, tag = "4")]
    pub required: bool,
    /// It may be written.
    #[prost(bool, tag = "5")]
    pub optional: bool,
    /// The provider fills it in.
    #[prost(bool, tag = "6")]
    pub computed: bool,
}

/// A nested block type.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SchemaNestedBlock {
    /// Its name.
    #[prost(string, tag = "1")]
    pub type_name: String,
    /// Its content.
    #[prost(message, optional, tag = "2")]
    pub block: Option<SchemaBlock>,
    /// 1 single, 2 list, 3 set, 4 map.
    #[prost(int32, tag = "3")]
    pub nesting: i32,
    /// The fewest.
    #[prost(int64, tag = "4")]
    pub min_items: i64,
    /// The most; 0 for any number.
    #[prost(int64, tag = "5")]
    pub max_items: i64,
}

/// What the provider can do beyond the first version of the protocol.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ServerCapabilities {
    /// Terraform may keep the schema instead of asking every process of the provider for it.
    #[prost(bool, tag = "2")]
    pub get_provider_schema_optional: bool,
}

/// A request without content, and the answer to one.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Empty {}

/// Answer of `GetProviderSchema`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ProviderSchema {
    /// The provider block.
    #[prost(message, optional, tag = "1")]
    pub provider: Option<Schema>,
    /// Resources by type.
    #[prost(btree_map = "string, message", tag = "2")]
    pub resource_schemas: BTreeMap<String, Schema>,
    /// Data sources by type.
    #[prost(btree_map = "string, message", tag = "3")]
    pub data_source_schemas: BTreeMap<String, Schema>,
    /// What went wrong.
    #[prost(message, repeated, tag = "4")]
    pub diagnostics: Vec<Diagnostic>,
    /// What the provider can do.
    #[prost(message, optional, tag = "6")]
    pub server_capabilities: Option<ServerCapabilities>,
}

/// Request of `ValidateProviderConfig`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ValidateProvider {
    /// The provider block.
    #[prost(message, optional, tag = "1")]
    pub config: Option<DynamicValue>,
}

/// Request of `ConfigureProvider`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ConfigureProvider {
    /// The provider block.
    #[prost(message, optional, tag = "2")]
    pub config: Option<DynamicValue>,
}

/// Request of `ValidateResourceConfig`, `ValidateDataResourceConfig` and `ReadDataSource`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TypedConfig {
    /// The type.
    #[prost(string, tag = "1")]
    pub type_name: String,
    /// What is written.
    #[prost(message, optional, tag = "2")]
    pub config: Option<DynamicValue>,
}

/// Answer of `ConfigureProvider` and of the validations of types.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Validated {
    /// What is wrong.
    #[prost(message, repeated, tag = "1")]
    pub diagnostics: Vec<Diagnostic>,
}

/// Answer of `ValidateProviderConfig`, where diagnostics have another number.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ProviderValidated {
    /// What is wrong.
    #[prost(message, repeated, tag = "2")]
    pub diagnostics: Vec<Diagnostic>,
}

/// Request of `UpgradeResourceState`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct UpgradeState {
    /// The type.
    #[prost(string, tag = "1")]
    pub type_name: String,
    /// The state as it was stored.
    #[prost(message, optional, tag = "3")]
    pub raw_state: Option<RawState>,
}

/// Answer of `UpgradeResourceState`, `ReadDataSource` and, but for what it leaves out, of `ReadResource`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct StateAndDiagnostics {
    /// The state; null if there is nothing any more.
    #[prost(message, optional, tag = "1")]
    pub state: Option<DynamicValue>,
    /// What went wrong.
    #[prost(message, repeated, tag = "2")]
    pub diagnostics: Vec<Diagnostic>,
}

/// Request of `ReadResource`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ReadResource {
    /// The type.
    #[prost(string, tag = "1")]
    pub type_name: String,
    /// The state Terraform has.
    #[prost(message, optional, tag = "2")]
    pub current_state: Option<DynamicValue>,
}

/// Request of `PlanResourceChange`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PlanChange {
    /// The type.
    #[prost(string, tag = "1")]
    pub type_name: String,
    /// The state Terraform has; null to create.
    #[prost(message, optional, tag = "2")]
    pub prior_state: Option<DynamicValue>,
    /// The configuration with the prior state's computed values; null to destroy.
    #[prost(message, optional, tag = "3")]
    pub proposed_new_state: Option<DynamicValue>,
}

/// Answer of `PlanResourceChange`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Planned {
    /// What will be.
    #[prost(message, optional, tag = "1")]
    pub planned_state: Option<DynamicValue>,
    /// What cannot be changed in place.
    #[prost(message, repeated, tag = "2")]
    pub requires_replace: Vec<AttributePath>,
    /// What went wrong.
    #[prost(message, repeated, tag = "4")]
    pub diagnostics: Vec<Diagnostic>,
}

/// Request of `ApplyResourceChange`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ApplyChange {
    /// The type.
    #[prost(string, tag = "1")]
    pub type_name: String,
    /// The state Terraform has; null to create.
    #[prost(message, optional, tag = "2")]
    pub prior_state: Option<DynamicValue>,
    /// What was planned; null to destroy.
    #[prost(message, optional, tag = "3")]
    pub planned_state: Option<DynamicValue>,
}

/// Answer of `ApplyResourceChange`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Applied {
    /// What is.
    #[prost(message, optional, tag = "1")]
    pub new_state: Option<DynamicValue>,
    /// What went wrong.
    #[prost(message, repeated, tag = "3")]
    pub diagnostics: Vec<Diagnostic>,
}

impl Diagnostic {
    /// An error that ends the operation.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error.into(),
            summary: summary.into(),
            detail: detail.into(),
            attribute: None,
        }
    }

    /// The place in the configuration.
    #[must_use]
    pub fn at(mut self, steps: &[Selector]) -> Self {
        self.attribute = Some(AttributePath::from_selectors(steps));
        self
    }
}

impl AttributePath {
    /// A path of these steps.
    pub fn from_selectors(steps: &[Selector]) -> Self {
        Self { steps: steps.iter().map(|step| Step { selector: Some(step.clone()) }).collect() }
    }
}
