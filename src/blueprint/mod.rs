//! The blueprint: what a person writes, how it is read, and the platform it resolves to.

pub mod facts;
pub mod model;
pub mod network;
mod place;
pub mod platform;
mod read;
mod resolve;
pub mod scalar;
pub mod schema;

pub use model::Blueprint;
pub use platform::Platform;
pub use read::{Loaded, load, locate};
