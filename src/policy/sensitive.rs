//! Whether a sensitive value took part in what an expression computes.
//!
//! Expressions judge sensitive values like any other, and a message must not print one, nor anything that was made of one:
//! its length, its first word, whether it equals another. No function can be trusted to carry a mark along, so the reading
//! itself is noted: every value of a tree comes into an expression by way of [`Val::from`](super::value::Val), which
//! notes here that a marked one was read. What was computed meanwhile is then not shown.

use std::cell::Cell;

thread_local! {
    /// Whether one was read since the innermost [`watch`] of this thread began.
    static READ: Cell<bool> = const { Cell::new(false) };
}

/// Notes that a sensitive value was read.
pub(super) fn note() {
    READ.set(true);
}

/// Does some work of which it is no secret that it was done: asking whether a value is there at all shows no value.
pub(super) fn unnoted<R>(work: impl FnOnce() -> R) -> R {
    let before = READ.get();
    let result = work();
    READ.set(before);
    result
}

/// Does some work, and says whether it read a sensitive value. Whoever watches this work too learns of it as well.
pub(super) fn watch<R>(work: impl FnOnce() -> R) -> (R, bool) {
    let before = READ.replace(false);
    let result = work();
    let read = READ.get();
    READ.set(before || read);
    (result, read)
}
