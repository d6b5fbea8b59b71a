//! The stock `kubectl` against the stand-in, with the manifests and scripts we generate.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test says what is wrong by failing; which tools there are is in the environment"
)]

mod apply;
mod faulty;
mod kubectl;
mod named;
mod refuse;
mod scripts;
