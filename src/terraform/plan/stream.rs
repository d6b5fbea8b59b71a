//! Reads a plan as it comes: of the text only one resource at a time is in memory.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, Deserializer as _, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::configuration::{Configuration, Known, Seed};
use super::words;

/// What a plan says of itself.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// `1.2`; a plan of another first number may mean something else by the same names.
    pub(super) format: Option<String>,
    /// Planning ended with an error: there is more than the plan says.
    pub(super) errored: bool,
    /// There is a list of changes: without one it is no plan.
    pub(super) has_changes: bool,
    /// It holds the values of a state.
    pub(super) is_state: bool,
}

/// How much is read at a time.
const BUFFER: usize = 64 * 1024;

/// Where the text is read to, and where its lines start.
#[derive(Debug, Default)]
pub(super) struct Position {
    offset: Cell<usize>,
    line_starts: RefCell<Vec<u32>>,
}

impl Position {
    /// A fault of an element that begins at `start`, with its place in the whole text instead of in the element. `serde_json` takes
    /// the place of an error of one's own out of its words.
    fn of(&self, fault: &serde_json::Error, text: &str, start: usize) -> String {
        let said = words(fault);
        let before: usize =
            text.split_inclusive('\n').take(fault.line().saturating_sub(1)).map(str::len).sum();
        let at = start + before + fault.column().saturating_sub(1);
        let starts = self.line_starts.borrow();
        let line = starts.partition_point(|line| (*line as usize) <= at);
        let column =
            1 + at - line.checked_sub(1).and_then(|line| starts.get(line)).map_or(0, |line| *line as usize);
        format!("{said} at line {line} column {column}")
    }
}

/// Counts what is taken from it. `serde_json` takes one byte at a time, so that behind a value it stands where the value ends.
struct Counter<'p, R> {
    inner: R,
    buffer: Vec<u8>,
    /// What of the buffer was taken.
    taken: usize,
    position: &'p Position,
}

impl<R: Read> Counter<'_, R> {
    fn fill(&mut self) -> io::Result<()> {
        let start = self.position.offset.get();
        self.buffer.resize(BUFFER, 0);
        self.taken = 0;
        let count = loop {
            match self.inner.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.buffer.truncate(count);
        if start == 0 && self.buffer.starts_with("\u{feff}".as_bytes()) {
            // Offsets count from the first character, as in every file.
            self.buffer.drain(..'\u{feff}'.len_utf8());
        }
        let mut lines = self.position.line_starts.borrow_mut();
        let breaks = self.buffer.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        lines.extend(breaks.map(|(at, _)| u32::try_from(start + at + 1).unwrap_or(u32::MAX)));
        Ok(())
    }
}

impl<R: Read> Read for Counter<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.taken >= self.buffer.len() {
            self.fill()?;
        }
        let rest = self.buffer.get(self.taken..).unwrap_or_default();
        let count = rest.len().min(into.len());
        if let (Some(into), Some(from)) = (into.get_mut(..count), rest.get(..count)) {
            into.copy_from_slice(from);
        }
        self.taken += count;
        self.position.offset.set(self.position.offset.get() + count);
        Ok(count)
    }
}

/// Who takes what a plan holds, in the order of the text.
pub(super) trait Taker {
    /// An element of `resource_changes`; `start` is where it begins.
    fn change(&mut self, text: &str, start: usize) -> Result<(), serde_json::Error>;
    /// A resource of the state before, which may be a data source.
    fn prior(&mut self, text: &str, start: usize) -> Result<(), serde_json::Error>;
    /// The configuration, and where it begins.
    fn configuration(&mut self, configuration: Configuration, start: usize);
}

/// Reads a plan to its end, or to its first fault. Gives where its lines start too, and how many bytes it has.
pub(super) fn read<R: Read>(
    reader: R,
    taker: &mut dyn Taker,
    head: &mut Head,
) -> (Result<(), serde_json::Error>, Vec<u32>, usize) {
    let position = Position::default();
    position.line_starts.borrow_mut().push(0);
    let counter = Counter { inner: reader, buffer: Vec::new(), taken: 0, position: &position };
    let mut deserializer = serde_json::Deserializer::from_reader(counter);
    let plan = Plan { taker, head, position: &position };
    let result = deserializer.deserialize_map(plan).and_then(|()| deserializer.end());
    drop(deserializer);
    let length = position.offset.get();
    (result, position.line_starts.into_inner(), length)
}

/// The plan itself.
struct Plan<'t> {
    taker: &'t mut dyn Taker,
    head: &'t mut Head,
    position: &'t Position,
}

impl<'de> Visitor<'de> for Plan<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plan as `terraform show -json` prints it")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "format_version" => self.head.format = Some(map.next_value()?),
                "errored" => self.head.errored = map.next_value()?,
                "resource_changes" => {
                    self.head.has_changes = true;
                    let of = Taking { taker: &mut *self.taker, position: self.position, prior: false };
                    map.next_value_seed(Elements(of))?;
                }
                "prior_state" => {
                    let of = Taking { taker: &mut *self.taker, position: self.position, prior: true };
                    map.next_value_seed(Modules(of))?;
                }
                "configuration" => {
                    let start = self.position.offset.get();
                    let configuration = map.next_value_seed(Seed::new(&mut Known::default()))?;
                    self.taker.configuration(configuration, start);
                }
                "values" => {
                    self.head.is_state = true;
                    map.next_value::<IgnoredAny>()?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Hands over the resources of a list.
struct Taking<'t> {
    taker: &'t mut dyn Taker,
    position: &'t Position,
    prior: bool,
}

impl Taking<'_> {
    fn again(&mut self) -> Taking<'_> {
        Taking { taker: &mut *self.taker, position: self.position, prior: self.prior }
    }
}

/// A list of resources.
struct Elements<'t>(Taking<'t>);

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of resources")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element::<Box<RawValue>>()? {
            let text = element.get();
            // An object ends with its bracket, behind which nothing was read yet; that a number ends is told by what follows.
            let ahead = usize::from(text.ends_with(|last: char| last.is_ascii_digit()));
            let start = self.0.position.offset.get().saturating_sub(text.len() + ahead);
            let taken =
                if self.0.prior { self.0.taker.prior(text, start) } else { self.0.taker.change(text, start) };
            taken.map_err(|fault| A::Error::custom(self.0.position.of(&fault, text, start)))?;
        }
        Ok(())
    }
}

/// `prior_state`, `values` in it, and the modules below: the lists of resources in them.
struct Modules<'t>(Taking<'t>);

impl<'de> DeserializeSeed<'de> for Modules<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Modules<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a module of a state")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "values" | "root_module" | "child_modules" => {
                    map.next_value_seed(Modules(self.0.again()))?;
                }
                "resources" => map.next_value_seed(Elements(self.0.again()))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Modules(self.0.again()))?.is_some() {}
        Ok(())
    }
}
