//! Shares work among threads. What comes out does not depend on how many there are.

use std::cell::Cell;
use std::num::NonZero;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// More threads than this would wait for memory.
const MOST: usize = 8;

thread_local! {
    /// Whether this thread has a share of some work already: the processors have enough to do, and what is shared out
    /// within it is done here.
    static SHARING: Cell<bool> = const { Cell::new(false) };
    /// How many threads somebody wants, if it is not left to the machine.
    static WANTED: Cell<Option<NonZero<usize>>> = const { Cell::new(None) };
}

/// Does some work with so many threads, whatever the machine has.
pub(crate) fn limited<R>(threads: Option<NonZero<usize>>, work: impl FnOnce() -> R) -> R {
    let before = WANTED.replace(threads);
    let done = work();
    WANTED.set(before);
    done
}

/// Does a share of some work.
fn share<R>(work: impl FnOnce() -> R) -> R {
    let before = SHARING.replace(true);
    let done = work();
    SHARING.set(before);
    done
}

/// What `of` makes of each item, in their order. Of fewer than twice `worth` items no thread is started.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], worth: usize, of: impl Fn(&T) -> R + Sync) -> Vec<R> {
    map_with(items, worth, || (), |(), item| of(item), |()| ()).0
}

/// Like [`map`], with something that each thread makes for itself first, and what is left of it.
pub(crate) fn map_with<T: Sync, S, R: Send, E: Send>(
    items: &[T],
    worth: usize,
    state: impl Fn() -> S + Sync,
    of: impl Fn(&mut S, &T) -> R + Sync,
    end: impl Fn(S) -> E + Sync,
) -> (Vec<R>, Vec<E>) {
    let wanted = (items.len() / worth.max(1)).clamp(1, MOST);
    // Asking takes the system longer than small work does.
    let threads = if wanted == 1 || SHARING.get() { 1 } else { wanted.min(processors()) };
    let next = AtomicUsize::new(0);
    let work = || {
        let mut state = state();
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { break };
            done.push((at, of(&mut state, item)));
        }
        (done, end(state))
    };
    let parts = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| share(work))).collect();
        let mut parts = vec![if threads == 1 { work() } else { share(work) }];
        for other in others {
            match other.join() {
                Ok(part) => parts.push(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts
    });
    let mut done = Vec::with_capacity(items.len());
    let mut ends = Vec::with_capacity(parts.len());
    for (part, end) in parts {
        done.extend(part);
        ends.push(end);
    }
    done.sort_unstable_by_key(|(at, _)| *at);
    (done.into_iter().map(|(_, one)| one).collect(), ends)
}

/// How many threads are worth having.
fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    if let Some(wanted) = WANTED.get() {
        return wanted.get();
    }
    *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, NonZero::get))
}

/// Runs two things at the same time.
pub(crate) fn both<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    if SHARING.get() || processors() == 1 {
        return (one(), other());
    }
    let wanted = WANTED.get();
    std::thread::scope(|scope| {
        let one = scope.spawn(move || limited(wanted, one));
        let other = other();
        match one.join() {
            Ok(one) => (one, other),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
