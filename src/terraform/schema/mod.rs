//! The AWS provider's schema, embedded, and the check of a module against it.

mod check;
mod convert;
mod flags;
pub mod keys;
mod store;
mod types;
mod within;

use std::sync::{Arc, OnceLock};

use crate::source::{Node, Span};
use crate::terraform::Module;

pub use check::check;
pub(super) use convert::convert;
pub use flags::sensitive;
pub use store::{Attribute, Block, Kind, NestedBlock, Nesting, Schema, SchemaError, Type};

/// The AWS provider's schema. Reading it costs the index; a type is decompressed at the first question about it.
///
/// `None` only if the embedded file is damaged, which a test excludes.
pub fn aws() -> Option<&'static Schema> {
    static AWS: OnceLock<Option<Schema>> = OnceLock::new();
    AWS.get_or_init(|| Schema::from_bytes(include_bytes!("../../../schemas/aws-provider.bin")).ok()).as_ref()
}

/// The schema of a type as addresses spell it: `aws_vpc`, `data.aws_region`. `None` if it is not AWS's or does not
/// exist.
pub fn type_schema(type_: &str) -> Option<Arc<Block>> {
    match type_.strip_prefix("data.") {
        Some(data) => aws()?.get(Kind::Data, data),
        None => aws()?.get(Kind::Resource, type_),
    }
}

/// The arguments of a managed resource's type that take a KMS key; `None` if the type is not known.
pub fn keys_of(type_: &str) -> Option<Arc<[keys::Wanted]>> {
    aws()?.keys(Kind::Resource, type_)
}

/// Whether a type (`aws_vpc`, `data.aws_region`) has an argument, attribute or nested block of a name; `None` if the
/// type is not known.
pub fn has_attribute(type_: &str, name: &str) -> Option<bool> {
    type_schema(type_).map(|block| block.has(name))
}

/// The first part of a value that does not fit a type, and what belongs there.
pub(super) fn misfit_of(module: &Module, node: &Node, type_: &Type) -> Option<(Span, String)> {
    types::misfit(module, node, type_).map(|wrong| (wrong.node.span, wrong.wanted.describe()))
}
