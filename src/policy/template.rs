//! Messages with expressions in them: `flow logs of {{ key }} are off`.

use super::expression::{CompileFault, Expression, compile};
use super::interpret::Interpreter;
use super::sensitive::watch;
use crate::source::SENSITIVE;

/// A compiled message.
#[derive(Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Value(Expression),
}

impl Template {
    /// Compiles a message; faults have their place in its text.
    pub(super) fn compile(text: &str, each: bool) -> Result<Self, Vec<CompileFault>> {
        let (mut parts, mut faults, mut at) = (Vec::new(), Vec::new(), 0);
        while let Some(open) = text.get(at..).and_then(|rest| rest.find("{{")).map(|open| at + open) {
            parts.push(Part::Text(text.get(at..open).unwrap_or("").to_owned()));
            let inside = open + 2;
            let Some(close) = text.get(inside..).and_then(|rest| rest.find("}}")).map(|close| inside + close)
            else {
                faults.push(CompileFault {
                    start: open,
                    end: inside,
                    message: "`{{` is not closed".to_owned(),
                    help: "write `{{ expression }}`".to_owned(),
                });
                return Err(faults);
            };
            match compile(text.get(inside..close).unwrap_or(""), each) {
                Ok(expression) => parts.push(Part::Value(expression)),
                Err(found) => faults.extend(found.into_iter().map(|fault| CompileFault {
                    start: fault.start + inside,
                    end: fault.end + inside,
                    ..fault
                })),
            }
            at = close + 2;
        }
        parts.push(Part::Text(text.get(at..).unwrap_or("").to_owned()));
        if faults.is_empty() { Ok(Self { parts }) } else { Err(faults) }
    }

    /// The expressions in it.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Value(expression) => Some(expression),
        })
    }

    /// The message with its values; what has no value reads `(unknown)`, and what a sensitive one took part in
    /// `(sensitive value)`.
    pub(super) fn render<'a>(&'a self, interpreter: &mut Interpreter<'a, '_>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Value(expression) => {
                    // Reading goes on while a list or a mapping is printed.
                    let shown = || match interpreter.value(expression) {
                        Ok(value) => value.to_string(),
                        Err(_) => "(unknown)".to_owned(),
                    };
                    let (shown, read) = watch(shown);
                    text.push_str(if read { SENSITIVE } else { &shown });
                }
            }
        }
        text.trim().to_owned()
    }
}
