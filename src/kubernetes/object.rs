//! One Kubernetes object of a manifest.

use std::sync::Arc;

use crate::source::{Node, Span};

/// One object, with its place.
#[derive(Debug, Clone)]
pub struct Object {
    /// `apps/v1`.
    pub api_version: Arc<str>,
    /// `Deployment`.
    pub kind: Arc<str>,
    /// The namespace as written; `None` for cluster-scoped kinds and where nothing is written.
    pub namespace: Option<Arc<str>>,
    /// `metadata.name`.
    pub name: Arc<str>,
    /// `Deployment/core/ledger-service`; without a namespace `Namespace/core`.
    pub address: Arc<str>,
    /// The whole object.
    pub node: Node,
    /// Where to point when the object as a whole is meant: the value of `metadata.name`.
    pub header: Span,
    /// The path of the blueprint node it was generated from, out of its `# blueprint: services.ledger-service` comment.
    pub blueprint: Option<Arc<str>>,
}
