//! What can be said of a string whose ends alone are known.

use std::sync::Arc;

use crate::source::{Node, Partial, Value};
use crate::terraform::operators::{to_text, unknown};

use super::{Arguments, Outcome, Refusal, text_value};

/// The outcome of a call with a string that is known in part; `None` where nothing more is known than that.
pub(super) fn call(name: &str, arguments: &mut Arguments) -> Option<Outcome> {
    let given = arguments.items.as_slice();
    match name {
        "lower" | "upper" => {
            let [Node { value: Value::Partial(partial), .. }] = given else { return None };
            let both = |text: &str| if name == "lower" { text.to_lowercase() } else { text.to_uppercase() };
            let ascii = partial.start.is_ascii() && partial.end.is_ascii();
            ascii.then(|| {
                Ok(Value::Partial(Box::new(Partial {
                    start: both(&partial.start).into(),
                    end: both(&partial.end).into(),
                    reason: partial.reason.clone(),
                })))
            })
        }
        "startswith" | "endswith" | "strcontains" => {
            let [Node { value: Value::Partial(partial), .. }, Node { value: Value::Str(wanted), .. }] = given
            else {
                return None;
            };
            decided(name, partial, wanted).map(|decided| Ok(Value::Bool(decided)))
        }
        "join" => {
            let [separator, list] = given else { return None };
            let (Value::Str(separator), Value::List(list)) = (&separator.value, &list.value) else {
                return None;
            };
            let mut joined = Ends::default();
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    joined.text(separator);
                }
                joined.value(&item.value)?;
            }
            joined.outcome()
        }
        "format" => {
            let [pattern, rest @ ..] = given else { return None };
            let Value::Str(pattern) = &pattern.value else { return None };
            if !rest.iter().any(|argument| unknown(&argument.value).is_some()) {
                return None;
            }
            Some(format(pattern, rest))
        }
        _ => None,
    }
}

/// Whether a test of a string is decided by its known ends.
fn decided(name: &str, partial: &Partial, wanted: &str) -> Option<bool> {
    match name {
        "startswith" if partial.start.starts_with(wanted) => Some(true),
        "startswith" => (!wanted.starts_with(&*partial.start)).then_some(false),
        "endswith" if partial.end.ends_with(wanted) => Some(true),
        "endswith" => (!wanted.ends_with(&*partial.end)).then_some(false),
        _ => (partial.start.contains(wanted) || partial.end.contains(wanted)).then_some(true),
    }
}

/// Text from known and unknown pieces: what stands before the first unknown one and after the last.
#[derive(Default)]
struct Ends {
    start: String,
    end: String,
    reason: Option<Arc<str>>,
}

impl Ends {
    fn text(&mut self, text: &str) {
        if self.reason.is_none() { self.start.push_str(text) } else { self.end.push_str(text) }
    }

    /// `None` for a value that is no string.
    fn value(&mut self, value: &Value) -> Option<()> {
        if let Some(text) = to_text(value) {
            self.text(&text);
            return Some(());
        }
        let reason = unknown(value)?;
        self.end.clear();
        if let Value::Partial(partial) = value {
            if self.reason.is_none() {
                self.start.push_str(&partial.start);
            }
            self.end.push_str(&partial.end);
        }
        self.reason.get_or_insert(reason);
        Some(())
    }

    fn outcome(self) -> Option<Outcome> {
        let reason = self.reason?;
        if self.start.is_empty() && self.end.is_empty() {
            return Some(Err(Refusal::Unknown(reason)));
        }
        Some(Ok(Value::Partial(Box::new(Partial { start: self.start.into(), end: self.end.into(), reason }))))
    }
}

/// `format` with arguments that are not known, as far as its verbs are `%s`, `%v`, `%d` and `%%`.
fn format(pattern: &str, arguments: &[Node]) -> Outcome {
    let reason = || arguments.iter().find_map(|argument| unknown(&argument.value));
    let not_known = || Err(Refusal::Unknown(reason().unwrap_or_else(|| "not known".into())));
    let mut ends = Ends::default();
    let mut rest = pattern;
    let mut next = arguments.iter();
    while let Some((before, after)) = rest.split_once('%') {
        ends.text(before);
        let Some(verb) = after.chars().next() else { return not_known() };
        rest = after.get(verb.len_utf8()..).unwrap_or("");
        match verb {
            '%' => ends.text("%"),
            's' | 'v' | 'd' => match next.next().and_then(|argument| ends.value(&argument.value)) {
                Some(()) => {}
                None => return not_known(),
            },
            _ => return not_known(),
        }
    }
    ends.text(rest);
    match ends.outcome() {
        Some(outcome) => outcome,
        None => Ok(text_value("")),
    }
}
