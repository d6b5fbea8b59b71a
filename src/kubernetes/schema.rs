//! Objects against the Kubernetes `OpenAPI` definitions, by walking both side by side: no schema is compiled.
//!
//! The definitions are embedded (`schemas/kubernetes.bin`, written by `cargo xtask import-kubernetes-schema`):
//!
//! ```text
//! nexafi-gen kubernetes schema 1
//! versions 1.32 1.33
//! chunk io.k8s.api.apps.v1 1234
//!
//! <the chunks, each deflated, one after the other; the number is the deflated length in bytes>
//! ```
//!
//! A chunk holds the definitions of one API group version, one a line, sorted by name. Equal definitions of
//! several versions share a line; bit *n* of the mask stands for the *n*-th version:
//!
//! ```text
//! DeploymentSpec 3 minReadySeconds:j replicas:j selector:!@io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector
//! ```
//!
//! Types: `s` string, `y` base64 string, `t` time, `i` 64-bit and `j` 32-bit whole number, `n` number, `b` boolean,
//! `q` quantity, `p` whole number or string, `o` any mapping, `*` anything, `[T` list, `{T` mapping to `T`,
//! `@name` definition; a leading `!` says that the field is required. The chunk `kinds` maps
//! `apiVersion kind mask` to the definition's name.

mod check;
mod custom;
mod elsewhere;
mod rules;
mod shape;
mod store;
mod words;

pub use check::check;
pub use custom::Custom;
pub(crate) use shape::Shape;

use store::store;

/// The Kubernetes versions whose definitions are embedded, oldest first.
pub fn versions() -> &'static [String] {
    &store().versions
}

/// The API versions that serve a kind of Kubernetes' own in a version (`1.34`), such as `apps/v1`.
pub fn served(kind: &str, version: &str) -> Vec<&'static str> {
    let bit = store().bit(version);
    store()
        .kinds()
        .filter(|entry| entry.mask & bit != 0 && entry.kind == kind)
        .map(|entry| entry.api_version)
        .collect()
}

/// Whether the API group belongs to Kubernetes itself, so that every kind in it is known here.
/// Groups of installed extensions are not, even those whose name ends with `k8s.io`.
pub fn is_builtin_group(api_version: &str) -> bool {
    let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
    // A custom resource's group has to be a domain with at least one dot; so `extensions`, gone since 1.22, and
    // a mistyped `app/v1` can only be meant as Kubernetes' own.
    !group.contains('.')
        || store()
            .kinds()
            .any(|entry| entry.api_version.rsplit_once('/').map_or("", |(group, _)| group) == group)
}
