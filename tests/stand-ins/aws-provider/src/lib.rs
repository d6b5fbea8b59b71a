//! A stand-in for the AWS provider: speaks Terraform's plugin protocol 6, serves the whole schema of the real one, and
//! refuses what the real one and AWS behind it would refuse in the types that `nexafi-gen` generates.
//!
//! The stock `terraform` binary cannot tell it from the real provider, so what it says about generated files counts.
//! Nothing leaves the machine: it listens on loopback and keeps its cloud in a directory, see [`store::Store`].

pub mod attributes;
pub mod data;
pub mod document;
pub mod facts;
pub mod messages;
pub mod plan;
pub mod provider;
pub mod refuse;
pub mod schema;
pub mod service;
pub mod store;
pub mod validate;
pub mod value;
