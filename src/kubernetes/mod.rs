//! Kubernetes: reads manifests, checks them against the Kubernetes schema, sees the pod in any workload.

mod object;

pub use object::Object;
