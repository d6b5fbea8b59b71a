//! Kubernetes: reads manifests, checks them against the Kubernetes schema, sees the pod in any workload.

pub mod kustomize;
mod object;
pub mod pod_security;
mod read;
pub mod schema;
pub mod workload;

pub use object::Object;
use read::read_as;
pub use read::{duplicates, is_helm_template, read};
