//! The blueprint: what a person writes, how it is read, and the platform it resolves to.

pub mod model;
pub mod platform;
pub mod scalar;

pub use model::Blueprint;
pub use platform::Platform;
