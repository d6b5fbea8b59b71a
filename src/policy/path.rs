//! Paths of policy files: `regions.*.vpc`, `spec.{containers,initContainers}.*`, `metadata.labels."app.kubernetes.io/name"`.

use crate::source::{Node, SENSITIVE, Span, Value};

/// A parsed path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path {
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// A key, or the index of a list.
    Key(String),
    /// Any of these keys.
    Either(Vec<String>),
    /// Every value of a mapping or list.
    Every,
}

/// One place a path leads to.
#[derive(Debug, Clone)]
pub(super) struct Match<'a> {
    /// The value there. If the path cannot be followed to its end because the value on the way is not known, that one.
    pub(super) node: &'a Node,
    /// The key in front of it; an item of a list has none.
    pub(super) key: Option<Span>,
    /// The path from the root of the file.
    pub(super) pointer: String,
    /// What each `*` matched.
    pub(super) stars: Vec<String>,
    /// The last step.
    pub(super) last: String,
}

impl Path {
    /// Parses a path.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut segments = Vec::new();
        let mut rest = text;
        loop {
            let (segment, after) = segment(rest)?;
            segments.push(segment);
            match after.strip_prefix('.') {
                Some(next) => rest = next,
                None if after.is_empty() => return Ok(Self { segments }),
                None => return Err(format!("a `.` is missing before `{after}`")),
            }
        }
    }

    /// The steps, if each of them leads to one place.
    pub(super) fn keys(&self) -> Option<Vec<String>> {
        let key = |segment: &Segment| match segment {
            Segment::Key(name) => Some(name.clone()),
            Segment::Either(_) | Segment::Every => None,
        };
        self.segments.iter().map(key).collect()
    }

    /// All of its steps.
    pub(super) fn steps(&self) -> Steps<'_> {
        Steps(&self.segments)
    }

    /// The steps without the first, if that is the key `name`.
    pub(super) fn steps_below(&self, name: &str) -> Option<Steps<'_>> {
        match self.segments.split_first() {
            Some((Segment::Key(first), rest)) if first == name => Some(Steps(rest)),
            _ => None,
        }
    }

    /// The last key that is written out, `vpc` of `regions.*.vpc`.
    pub(super) fn last_name(&self) -> &str {
        let mut names = self.segments.iter().rev().filter_map(|segment| match segment {
            Segment::Key(name) => Some(name.as_str()),
            _ => None,
        });
        names.next().unwrap_or("node")
    }

    /// The keys of each step; steps over indices and `*` are left out.
    pub(super) fn names(&self) -> Vec<&[String]> {
        let named = |segment: &'_ Segment| match segment {
            Segment::Key(name) => name.parse::<usize>().is_err(),
            Segment::Either(_) => true,
            Segment::Every => false,
        };
        let keys = self.segments.iter().filter(|segment| named(segment));
        keys.map(|segment| match segment {
            Segment::Key(name) => std::slice::from_ref(name),
            Segment::Either(names) => names.as_slice(),
            Segment::Every => &[],
        })
        .collect()
    }

    /// Every place the path leads to, in the order of the tree.
    pub(super) fn walk<'a>(&self, from: &Match<'a>) -> Vec<Match<'a>> {
        self.steps().walk(from)
    }
}

/// The steps of a path, or the last of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps<'p>(&'p [Segment]);

impl Steps<'_> {
    /// Every place the path leads to, in the order of the tree.
    pub(super) fn walk<'a>(self, from: &Match<'a>) -> Vec<Match<'a>> {
        let Some((first, rest)) = self.0.split_first() else { return vec![from.clone()] };
        let mut places = step(from, first);
        for segment in rest {
            places = places.iter().flat_map(|place| step(place, segment)).collect();
        }
        places
    }

    /// The first place the path leads to, or the deepest one on the way there, and the whole path as a pointer.
    pub(super) fn nearest<'a>(self, from: &Match<'a>) -> (Match<'a>, String) {
        let mut place = from.clone();
        let mut pointer = from.pointer.clone();
        let mut found = true;
        for segment in self.0 {
            let next = if found { step(&place, segment).into_iter().next() } else { None };
            if let Some(next) = next {
                place = next;
                pointer.clone_from(&place.pointer);
            } else {
                found = false;
                let name = match segment {
                    Segment::Key(name) => name.as_str(),
                    Segment::Either(names) => names.first().map_or("", String::as_str),
                    Segment::Every => "*",
                };
                pointer = join(&pointer, name);
            }
        }
        (place, pointer)
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, segment) in self.segments.iter().enumerate() {
            if at > 0 {
                out.write_str(".")?;
            }
            match segment {
                Segment::Key(name) if is_plain(name) => out.write_str(name)?,
                Segment::Key(name) => write!(out, "\"{name}\"")?,
                Segment::Either(names) => write!(out, "{{{}}}", names.join(","))?,
                Segment::Every => out.write_str("*")?,
            }
        }
        Ok(())
    }
}

fn is_plain(name: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b':' | b'*' | b'@');
    !name.is_empty() && name.bytes().all(plain)
}

/// Adds a step to a pointer.
pub(super) fn join(pointer: &str, step: &str) -> String {
    let mut joined = String::with_capacity(pointer.len() + step.len() + 3);
    joined.push_str(pointer);
    if !pointer.is_empty() {
        joined.push('.');
    }
    if is_plain(step) {
        joined.push_str(step);
    } else {
        joined.extend(["\"", step, "\""]);
    }
    joined
}

impl<'a> Match<'a> {
    /// Where a walk begins.
    pub(super) fn start(node: &'a Node, key: Option<Span>, pointer: String) -> Self {
        Self { node, key, pointer, stars: Vec::new(), last: String::new() }
    }

    pub(super) fn child(&self, node: &'a Node, key: Option<Span>, name: &str, star: bool) -> Self {
        // Of a mapping that is sensitive as a whole the keys are too.
        let shown = if self.node.sensitive && key.is_some() { SENSITIVE } else { name };
        let mut next = Self {
            node,
            key,
            pointer: join(&self.pointer, shown),
            stars: self.stars.clone(),
            last: name.to_owned(),
        };
        if star {
            next.stars.push(name.to_owned());
        }
        next
    }
}

fn step<'a>(place: &Match<'a>, segment: &Segment) -> Vec<Match<'a>> {
    match (&place.node.value, segment) {
        (Value::Map(map), Segment::Key(name)) => map
            .entries
            .get(name.as_str())
            .map(|entry| place.child(&entry.node, Some(entry.key), name, false))
            .into_iter()
            .collect(),
        (Value::Map(map), Segment::Either(names)) => names
            .iter()
            .filter_map(|name| map.entries.get(name.as_str()).map(|entry| (name, entry)))
            .map(|(name, entry)| place.child(&entry.node, Some(entry.key), name, false))
            .collect(),
        (Value::Map(map), Segment::Every) => {
            map.iter().map(|(name, entry)| place.child(&entry.node, Some(entry.key), name, true)).collect()
        }
        (Value::List(items), Segment::Every) => items
            .iter()
            .enumerate()
            .map(|(at, item)| place.child(item, None, &at.to_string(), true))
            .collect(),
        (Value::List(items), Segment::Key(name)) => name
            .parse::<usize>()
            .ok()
            .and_then(|at| items.get(at))
            .map(|item| place.child(item, None, name, false))
            .into_iter()
            .collect(),
        // Nobody knows what follows: the unknown itself stands for it.
        (Value::Unknown(_) | Value::Reference(_) | Value::Partial(_), _) => vec![place.clone()],
        _ => Vec::new(),
    }
}

fn segment(text: &str) -> Result<(Segment, &str), String> {
    if let Some(rest) = text.strip_prefix('"') {
        let (name, after) = rest.split_once('"').ok_or("a double quote is not closed")?;
        return Ok((Segment::Key(name.to_owned()), after));
    }
    if let Some(rest) = text.strip_prefix('{') {
        let (names, after) = rest.split_once('}').ok_or("a `{` is not closed")?;
        let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
        if names.iter().any(String::is_empty) {
            return Err("a name is missing inside `{...}`".to_owned());
        }
        return Ok((Segment::Either(names), after));
    }
    let end = text.find(['.', '"', '{', '}']).unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    match name {
        "" => Err("a key is missing between the dots".to_owned()),
        "*" => Ok((Segment::Every, after)),
        name if name.contains(char::is_whitespace) => Err(format!("`{name}` has a space in it")),
        name => Ok((Segment::Key(name.to_owned()), after)),
    }
}
