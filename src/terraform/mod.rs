//! Terraform: reads `.tf` files, evaluates what the files fix, knows the provider's schema and the canonical format.

mod module;

pub use module::{Module, Resource};
