//! The integration tests: one binary, so that the crate is linked once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by failing"
)]

mod baseline;
mod blueprint;
mod book;
mod browser;
mod checkov;
mod cli;
mod cli_render;
mod custom;
mod data;
mod edit;
mod evidence;
mod faulty;
mod fix;
mod formats;
mod graph;
mod helm;
mod ingress;
mod kubernetes;
mod kubernetes_render;
mod kubernetes_validate;
mod kustomize;
mod kustomize_lint;
mod mutants;
mod parity;
mod plans;
mod plugs;
mod pod_security;
mod policies;
mod policy;
mod readme;
mod render;
mod report;
mod scripts;
mod sensitive;
mod terraform;
mod terraform_console;
mod terraform_documents;
mod terraform_files;
mod terraform_format;
mod terraform_modules;
mod terraform_render;
mod terraform_schema;
mod terraform_syntax;
mod threads;
mod waivers;
mod write;
