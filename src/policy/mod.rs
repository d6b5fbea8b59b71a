//! Policies: one requirement a file, decided with three values on blueprints, Terraform and manifests.
//!
//! How policies are written, and what expressions mean: `docs/policy-language.md`. Nothing here reads a disk, a clock
//! or the environment.

mod arguments;
pub mod baseline;
mod candidate;
mod catalogue;
mod controls;
mod evaluate;
mod expression;
pub mod facts;
mod file;
mod functions;
mod interpret;
mod join;
mod keys;
pub mod mend;
mod path;
mod read;
pub mod schema;
mod secrets;
pub mod selftest;
mod sensitive;
mod shelf;
mod syntax;
mod template;
mod tree;
mod value;
pub mod waiver;
mod world;

pub use catalogue::{Catalogue, embedded};
pub use controls::{Framework, Section};
pub use evaluate::{Evaluated, Evaluation, Skipped, evaluate, fingerprint};
pub use file::{Control, Example, Policy, Provenance, Rule, RuleFix, Scope};
pub use functions::usages as functions;
pub use path::Path;
pub use shelf::Shelf;
pub use world::World;
