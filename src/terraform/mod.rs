//! Terraform: reads `.tf` files, evaluates what the files fix, knows the provider's schema and the canonical format.
//!
//! [`read`] takes the files of one directory (one module) and gives a [`Module`]. Values the files do not fix are
//! `Value::Unknown` with the reason; an attribute known only after apply is a `Value::Reference`. JSON text with such
//! parts in it (`jsonencode({...})`, a heredoc) is the decoded tree, so that a policy can judge the parts that are
//! written; [`Module::is_partial_json`] tells such a tree from an object.

pub mod address;
mod blocks;
mod calls;
mod conform;
mod declared;
mod evaluate;
mod files;
pub mod format;
mod functions;
mod grammar;
mod graph;
mod instances;
mod json;
mod module;
mod number;
mod operators;
mod overrides;
pub mod plan;
mod policy_document;
mod reached;
mod read;
mod references;
mod remarks;
mod rules;
pub mod schema;
mod sensitive;
mod syntax;
mod template;
mod tokens;
mod traverse;
mod tree;
mod types;
mod woven;

pub use files::{Files, NoFiles, Unread, instead, stem};
pub use module::{Block, Module, Resource};
pub use read::{LOCK_FILE, evaluate, read, values};
pub use remarks::{Place, Remark, remarks};
pub use tree::{Call, Directory, Library, Tree, outline, parse};
