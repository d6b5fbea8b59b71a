//! Looks for literal secrets everywhere below a node: what a policy's `find: secrets` goes through.

use std::ops::Range;

use super::path::Match;
use crate::source::secret::{self, Secret};
use crate::source::{Map, Node, Sources, Span, Value};

/// A secret that somebody wrote down.
pub(super) struct Found<'a> {
    /// The value it stands in.
    pub(super) place: Match<'a>,
    /// What it is, with an article.
    pub(super) what: String,
    /// The name it stands under, if that is what gives it away.
    pub(super) name: Option<String>,
    /// The secret itself.
    pub(super) span: Span,
}

/// Every secret below a node; `name` is the name that the node itself has, if it has one.
pub(super) fn find<'a>(start: &Match<'a>, name: &str, kind: &str, sources: &Sources) -> Vec<Found<'a>> {
    let mut search = Search { start, sources, found: Vec::new() };
    // A Secret is nothing but secrets, whatever its keys are called; its `data` is Base64.
    let whole = if kind == "Secret" { &["data", "stringData"][..] } else { &[] };
    search.node(&Spot { node: start.node, step: None }, name, whole);
    search.found
}

struct Search<'s, 'a> {
    start: &'s Match<'a>,
    sources: &'s Sources,
    found: Vec<Found<'a>>,
}

/// A value on the way: what a [`Match`] says of it is put together for what is found, which is next to nothing.
struct Spot<'w, 'a> {
    node: &'a Node,
    /// What it is in, and which part of it.
    step: Option<(&'w Spot<'w, 'a>, Step<'a>)>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str, Span),
    Item(usize),
}

impl<'a> Spot<'_, 'a> {
    fn key(&self) -> Option<&'a str> {
        match self.step {
            Some((_, Step::Key(key, _))) => Some(key),
            _ => None,
        }
    }

    fn place(&self, start: &Match<'a>) -> Match<'a> {
        match self.step {
            None => start.clone(),
            Some((outer, Step::Key(key, span))) => {
                outer.place(start).child(self.node, Some(span), key, false)
            }
            Some((outer, Step::Item(at))) => {
                outer.place(start).child(self.node, None, &at.to_string(), false)
            }
        }
    }
}

impl<'a> Search<'_, 'a> {
    fn node(&mut self, place: &Spot<'_, 'a>, name: &str, whole: &[&str]) {
        match &place.node.value {
            Value::Str(text) => self.text(place, name, text),
            Value::Unknown(_) | Value::Partial(_) => self.source(place),
            Value::List(items) => self.list(place, name, items),
            Value::Map(map) => self.map(place, name, map, whole),
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Decimal(_)
            | Value::Reference(_) => {}
        }
    }

    fn map(&mut self, place: &Spot<'_, 'a>, inherited: &str, map: &'a Map, whole: &[&str]) {
        // `{name: DB_PASSWORD, value: ...}`, as containers, tags and parameters are written.
        let title = ["name", "key", "Name", "Key"].iter().find_map(|key| map.get(key)?.as_str());
        for (key, entry) in map.iter() {
            let child = Spot { node: &entry.node, step: Some((place, Step::Key(key, entry.key))) };
            if whole.contains(&key.as_ref()) {
                self.secret_object(&child);
                continue;
            }
            let name = match key.as_ref() {
                "value" | "Value" => title.unwrap_or(inherited),
                // The default of `variable "db_password"`.
                "default" => inherited,
                key => key,
            };
            self.node(&child, name, &[]);
        }
    }

    /// A list's items have the list's name; what follows `--password` is one.
    fn list(&mut self, place: &Spot<'_, 'a>, name: &str, items: &'a [Node]) {
        let mut flag = None;
        for (at, item) in items.iter().enumerate() {
            let child = Spot { node: item, step: Some((place, Step::Item(at))) };
            self.node(&child, flag.unwrap_or(name), &[]);
            flag =
                item.as_str().filter(|text| text.starts_with('-')).map(|text| text.trim_start_matches('-'));
        }
    }

    fn secret_object(&mut self, place: &Spot<'_, 'a>) {
        let Some(map) = place.node.as_map() else { return };
        for (key, entry) in map.iter() {
            let Some(text) = entry.node.as_str() else { continue };
            let decoded = if place.key() == Some("data") { decoded(text) } else { None };
            let content = decoded.as_deref().unwrap_or(text);
            // A certificate is for everybody to see.
            let certificate = content.contains("-----BEGIN CERTIFICATE") && !content.contains("PRIVATE KEY");
            if certificate || secret::named("password", content).is_none() {
                continue;
            }
            let child = Spot { node: &entry.node, step: Some((place, Step::Key(key, entry.key))) };
            let found = Secret { what: "a value of a Secret".into(), range: 0..text.len() };
            self.add(&child, found, text, Some(key.to_string()));
        }
    }

    fn text(&mut self, place: &Spot<'_, 'a>, name: &str, text: &str) {
        // Long texts do not differ by their name: a script is searched, not a password.
        let named = if text.len() <= 512 { secret::named(name, text) } else { None };
        if let Some(secret) = named {
            self.add(place, secret, text, Some(name.to_owned()));
            return;
        }
        if text.starts_with(['{', '['])
            && let Ok(json) = serde_json::from_str(text)
        {
            return self.json(place, name, &json);
        }
        let found = secret::in_text(text);
        if found.is_empty() {
            if let Some(inside) = decoded(text)
                && let Some(secret) = secret::in_text(&inside).into_iter().next()
            {
                let what = format!("{} in Base64", secret.what).into();
                self.add(place, Secret { what, range: 0..text.len() }, text, None);
            }
            return;
        }
        for secret in found {
            self.add(place, secret, text, None);
        }
    }

    /// JSON in a text: its names say what stands beside them.
    fn json(&mut self, place: &Spot<'_, 'a>, name: &str, json: &serde_json::Value) {
        match json {
            serde_json::Value::String(text) => self.text(place, name, text),
            serde_json::Value::Array(items) => items.iter().for_each(|item| self.json(place, name, item)),
            serde_json::Value::Object(map) => {
                let title = ["name", "key", "Name", "Key"].iter().find_map(|key| map.get(*key)?.as_str());
                for (key, value) in map {
                    let name = if key.eq_ignore_ascii_case("value") { title.unwrap_or(key) } else { key };
                    self.json(place, name, value);
                }
            }
            _ => {}
        }
    }

    /// Of a text with parts that nobody knows the rest is written down all the same.
    fn source(&mut self, place: &Spot<'_, 'a>) {
        let span = place.node.span;
        let Some(file) = self.sources.get(span.file) else { return };
        let text = file.slice(span);
        for secret in secret::in_text(text) {
            let span = within(span, &secret.range);
            self.found.push(Found {
                place: place.place(self.start),
                what: secret.what.into_owned(),
                name: None,
                span,
            });
        }
    }

    /// Notes a secret if it stands here, and not where a variable that is used here was set.
    fn add(&mut self, place: &Spot<'_, 'a>, secret: Secret, text: &str, name: Option<String>) {
        let span = place.node.span;
        let written = self.sources.get(span.file).map_or("", |file| file.slice(span));
        let value = text.get(secret.range.clone()).unwrap_or("");
        let first = value.lines().next().unwrap_or(value);
        let plain = decoded(value).filter(|plain| written.contains(plain.trim()));
        let at = match (written.find(value), plain) {
            (Some(at), _) => within(span, &(at..at + value.len())),
            // A Secret that a kustomization makes holds in Base64 what stands there as it is.
            (None, Some(plain)) => {
                let at = written.find(plain.trim()).unwrap_or(0);
                within(span, &(at..at + plain.trim().len()))
            }
            // Escapes, indentation and encodings come between the value and how it is written.
            (None, None) if written.starts_with(['"', '\'', '<', '|', '>']) => span,
            (None, None) if written.contains('"') || written.contains(first) => span,
            (None, None) => return,
        };
        self.found.push(Found {
            place: place.place(self.start),
            what: secret.what.into_owned(),
            name,
            span: at,
        });
    }
}

fn within(span: Span, range: &Range<usize>) -> Span {
    let start = span.start as usize;
    Span::new(span.file, start + range.start, start + range.end)
}

/// The text that a text holds in Base64, if it is one that people can read.
fn decoded(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() < 8 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r' | b'=')) {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap_or(0));
        }
    }
    let decoded = String::from_utf8(bytes).ok()?;
    let readable = |character: char| !character.is_control() || matches!(character, '\n' | '\r' | '\t');
    decoded.chars().all(readable).then_some(decoded)
}
