//! A Kubernetes API for tests: it lets the stock `kubectl` apply, compare and delete what we generate, on the loopback
//! interface, without a cluster.
//!
//! It serves discovery, `OpenAPI` v3 (as far as `kubectl` looks at it), create, get, list, watch, replace, patch (JSON,
//! merge, strategic merge), server-side apply with field managers, dry run and delete, for the kinds in `resources`. It
//! validates every object against the Kubernetes schemas that the product embeds, in the version of the cluster, and
//! beyond them by what the API server's own validation says (`validate`, `validate_pod`); it holds what cannot change
//! (`immutable`), the existence of namespaces and their Pod Security level (`pod_security`), and brings objects into the
//! form in which the API server keeps them (`normalise`, `defaults`), so that `unchanged` and a clean `kubectl diff`
//! mean what they mean in a cluster.
//!
//! What differs from a cluster, on purpose: everything that is deployed is ready at once; Pod Security refuses the
//! workload instead of its pods; time stands still; nobody is asked who they are.

mod api;
mod controllers;
mod defaults;
mod definitions;
mod error;
mod http;
mod immutable;
mod managed;
mod normalise;
mod patch;
mod pod_security;
mod resources;
mod schema;
mod server;
mod store;
mod validate;
mod validate_pod;

pub use server::Server;
