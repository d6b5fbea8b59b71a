//! A directory of `.tf` files as Terraform understands it.

use std::sync::Arc;

use crate::source::{Node, Span};

/// One `resource` or `data` block, its expressions evaluated as far as the files fix them.
#[derive(Debug, Clone)]
pub struct Resource {
    /// `true` for `resource`, `false` for `data`.
    pub managed: bool,
    /// `aws_vpc`.
    pub type_: Arc<str>,
    /// `main`.
    pub name: Arc<str>,
    /// `aws_vpc.main`, `data.aws_region.here`.
    pub address: Arc<str>,
    /// Arguments and nested blocks. A nested block type is a list of mappings, as in plan JSON, however often it may
    /// stand; an absent argument is absent.
    pub body: Node,
    /// The header, `resource "aws_vpc" "main"`.
    pub header: Span,
    /// The path of the blueprint node it was generated from, out of its `# blueprint: regions.primary.vpc` comment.
    pub blueprint: Option<Arc<str>>,
}

/// The resources of one module.
#[derive(Debug, Default)]
pub struct Module {
    /// Every resource and data source, in file order.
    pub resources: Vec<Resource>,
}
