//! `yamldecode`: one document, its plain words as Terraform reads them (`yes` is a boolean, a date is a time).

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use crate::source::{Map, Node, Span, Value};
use crate::terraform::number::Number;
use crate::terraform::operators::to_text;

use super::{Arguments, Outcome, Refusal, normalized};

/// Values past which a document with its aliases is not read.
const MOST: usize = 200_000;
/// Levels within levels.
const DEEPEST: usize = 100;
/// The tags that YAML itself has.
const CORE: &str = "tag:yaml.org,2002:";

pub(super) fn decode(arguments: &mut Arguments) -> Outcome {
    let text = arguments.text()?;
    if text.lines().any(|line| line.starts_with('\t')) {
        return Err(Refusal::Unknown("YAML with tabs before its lines is not evaluated".into()));
    }
    let mut builder =
        Builder { span: arguments.span, stack: Vec::new(), anchors: Vec::new(), count: 0, result: None };
    for next in Parser::new_from_str(&text) {
        let (event, _) = next.map_err(|_| Refusal::Failed("the text is not YAML"))?;
        builder.event(event)?;
    }
    builder.result.ok_or(Refusal::Failed("the text has no document"))
}

enum Frame {
    List { anchor: usize, items: Vec<Node> },
    Map { anchor: usize, map: Map, key: Option<Value>, merged: Vec<Value> },
}

struct Builder {
    span: Span,
    stack: Vec<Frame>,
    anchors: Vec<Option<Value>>,
    count: usize,
    result: Option<Value>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>) -> Result<(), Refusal> {
        match event {
            Event::Alias(anchor) => {
                let found = self.anchors.get(anchor).cloned().flatten();
                self.value(found.ok_or(Refusal::Failed("an alias has no anchor before it"))?)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let key = matches!(self.stack.last(), Some(Frame::Map { key: None, .. }));
                let value = if key && text == "<<" && style == ScalarStyle::Plain {
                    Value::Str("<<".into())
                } else {
                    if tag.is_none()
                        && style == ScalarStyle::Plain
                        && matches!(&*text, ".nan" | ".NaN" | ".NAN")
                    {
                        return Err(Refusal::Failed("Terraform knows no such number"));
                    }
                    scalar(&text, style, tag.as_deref())?
                };
                self.keep(anchor, &value);
                self.value(value)
            }
            Event::SequenceStart(_, Some(tag)) | Event::MappingStart(_, Some(tag))
                if tag.handle != CORE || !matches!(tag.suffix.as_str(), "seq" | "map") =>
            {
                Err(Refusal::Failed("the text has a tag that Terraform does not know"))
            }
            Event::SequenceStart(anchor, _) => self.open(Frame::List { anchor, items: Vec::new() }),
            Event::MappingStart(anchor, _) => {
                self.open(Frame::Map { anchor, map: Map::default(), key: None, merged: Vec::new() })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let (anchor, value) = match self.stack.pop() {
                    Some(Frame::List { anchor, items }) => (anchor, Value::List(items.into())),
                    Some(Frame::Map { anchor, mut map, merged, .. }) => {
                        for merged in merged {
                            merge(&mut map, merged)?;
                        }
                        (anchor, Value::Map(map))
                    }
                    None => return Ok(()),
                };
                self.keep(anchor, &value);
                self.value(value)
            }
            Event::DocumentStart(_) if self.result.is_some() => {
                Err(Refusal::Failed("the text has more than one document"))
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, frame: Frame) -> Result<(), Refusal> {
        if self.stack.len() >= DEEPEST {
            return Err(Refusal::Unknown("the text is too deep to evaluate".into()));
        }
        if matches!(self.stack.last(), Some(Frame::Map { key: None, .. })) {
            return Err(Refusal::Failed("a key has to be a plain word"));
        }
        self.stack.push(frame);
        Ok(())
    }

    fn keep(&mut self, anchor: usize, value: &Value) {
        if anchor > 0 {
            if self.anchors.len() <= anchor {
                self.anchors.resize(anchor + 1, None);
            }
            if let Some(slot) = self.anchors.get_mut(anchor) {
                *slot = Some(value.clone());
            }
        }
    }

    fn value(&mut self, value: Value) -> Result<(), Refusal> {
        self.count += crate::terraform::evaluate::weight(&value, MOST);
        if self.count > MOST {
            return Err(Refusal::Unknown("the text is too large to evaluate".into()));
        }
        let span = self.span;
        match self.stack.last_mut() {
            None => self.result = Some(value),
            Some(Frame::List { items, .. }) => items.push(Node::new(span, value)),
            Some(Frame::Map { map, key, merged, .. }) => match key.take() {
                None if value == Value::Null => return Err(Refusal::Failed("a key is null")),
                None => *key = Some(value),
                Some(Value::Str(name)) if &*name == "<<" => merged.push(value),
                Some(name) => {
                    let name = to_text(&name).ok_or(Refusal::Failed("a key has to be a plain word"))?;
                    map.insert(name, span, Node::new(span, value));
                }
            },
        }
        Ok(())
    }
}

/// `<<: *defaults`: keys that the mapping itself has win.
fn merge(map: &mut Map, merged: Value) -> Result<(), Refusal> {
    match merged {
        Value::Map(from) => {
            for (key, entry) in from.into_entries() {
                map.entries.entry(key).or_insert(entry);
            }
            Ok(())
        }
        _ => Err(Refusal::Failed("`<<` takes a mapping")),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Outcome {
    let string = || Ok(Value::Str(normalized(text).into()));
    let Some(tag) = tag else {
        return if style == ScalarStyle::Plain { plain(text).map_or_else(string, Ok) } else { string() };
    };
    if tag.handle != CORE {
        return Err(Refusal::Failed("the text has a tag that Terraform does not know"));
    }
    let value = match tag.suffix.as_str() {
        "null" => return Ok(Value::Null),
        "str" | "binary" => return string(),
        "bool" | "int" | "float" | "timestamp" if style != ScalarStyle::Plain => return string(),
        "bool" | "int" | "float" | "timestamp" => plain(text),
        _ => return Err(Refusal::Failed("the text has a tag that Terraform does not know")),
    };
    let fits = match (tag.suffix.as_str(), &value) {
        ("bool", Some(Value::Bool(_))) | ("timestamp", Some(Value::Str(_))) => true,
        ("int" | "float", Some(value)) => Number::of(value).is_some(),
        _ => false,
    };
    value.filter(|_| fits).ok_or(Refusal::Failed("a value does not fit its tag"))
}

/// What a word without quotation marks means, if it is more than text.
fn plain(text: &str) -> Option<Value> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Some(Value::Bool(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Some(Value::Bool(false));
        }
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" => {
            return Some(Value::Unknown("infinity is not evaluated".into()));
        }
        _ => {}
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return None;
    }
    moment(text).map(|time| Value::Str(time.into())).or_else(|| number(text))
}

fn number(text: &str) -> Option<Value> {
    let radix = |prefix: &str, radix: u32| {
        let digits = text.strip_prefix(prefix)?;
        i64::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with(['+', '-']))
    };
    match radix("0x", 16).or_else(|| radix("0o", 8)) {
        Some(whole) => Some(Value::Int(whole)),
        None => Number::parse(text).map(|number| number.to_value()),
    }
}

/// A date, or a date and a time, as RFC 3339 has it.
fn moment(text: &str) -> Option<String> {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, text.get(at..)?),
        None => (text, ""),
    };
    let number = |text: &str, most: usize| {
        ((1..=most).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit()))
            .then(|| text.parse::<i16>().ok())
            .flatten()
    };
    let mut parts = date.split('-');
    let year = parts.next().filter(|year| year.len() == 4).and_then(|year| number(year, 4))?;
    let month = i8::try_from(number(parts.next()?, 2)?).ok()?;
    let day = i8::try_from(number(parts.next()?, 2)?).ok()?;
    if parts.next().is_some() {
        return None;
    }
    jiff::civil::Date::new(year, month, day).ok()?;
    let date = format!("{year:04}-{month:02}-{day:02}");
    if time.is_empty() {
        return Some(format!("{date}T00:00:00Z"));
    }
    let (space, clock) = time.split_at_checked(1)?;
    let zone = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at_checked(zone)?;
    // Between date and time stands a space where no zone follows, and a T where one does.
    if (space == " ") != zone.is_empty() {
        return None;
    }
    let (clock, _) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':');
    let mut part = |most: i16| parts.next().and_then(|part| number(part, 2)).filter(|part| *part <= most);
    let (hour, minute, second) = (part(23)?, part(59)?, part(59)?);
    let zone = match zone {
        "" | "Z" | "+00:00" | "-00:00" => "Z",
        zone if zone.len() == 6 && zone.get(3..4) == Some(":") => zone,
        _ => return None,
    };
    Some(format!("{date}T{hour:02}:{minute:02}:{second:02}{zone}"))
}
