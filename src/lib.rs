//! `nexafi-gen` takes one readable blueprint of a financial platform, proves it against compliance policies and
//! compiles it to Terraform and Kubernetes files.
//!
//! The modules depend on each other in one direction only:
//! `cli` → `evidence` → `render`, `report`, `policy`, `graph` → `terraform`, `kubernetes`, `blueprint` → `source`.

pub mod blueprint;
pub mod cli;
pub mod evidence;
pub mod graph;
pub mod kubernetes;
pub mod policy;
mod record;
pub mod render;
pub mod report;
pub mod source;
pub mod terraform;
mod threads;
