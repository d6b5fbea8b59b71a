//! What the stock `terraform` binary says about what we generate, with the stand-in as its AWS provider. Nothing leaves
//! the machine. Without `terraform` on PATH the tests are skipped, but not where CI=true.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "tests may panic, read their surroundings and say that they skip"
)]

mod bench;
mod blueprints;
mod changes;
mod faulty;
mod modules;
mod plans;
mod refusals;
