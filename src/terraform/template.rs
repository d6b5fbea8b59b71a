//! String templates: quoted strings and heredocs with `${...}` and `%{...}` in them.

use std::sync::Arc;

use hcl_edit::template::{Directive, Element, Template};

use crate::source::{Map, Node, Partial, Shape, Span, Value, loose_json};

use super::evaluate::{Binding, Evaluator, Scope, pairs};
use super::{functions, operators};

/// A piece of a template's result.
enum Part {
    Text(String),
    /// A value that is not known.
    Hole(Value),
}

/// The pieces of a template's result.
#[derive(Default)]
struct Parts {
    pieces: Vec<Part>,
    /// Whether something sensitive decided what they are.
    sensitive: bool,
}

/// How far a strip marker reaches into the text beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// In a heredoc or a file each line is a piece of its own: no further than its end.
    Apart,
    /// In quotation marks: as far as there is space.
    Joined,
}

impl Lines {
    fn trim_start(self, text: &str) -> &str {
        let end = match self {
            Self::Apart => text.find('\n').map_or(text.len(), |at| at + 1),
            Self::Joined => text.len(),
        };
        let (first, _) = text.split_at_checked(end).unwrap_or((text, ""));
        text.get(end - first.trim_start().len()..).unwrap_or("")
    }

    fn trim_end(self, text: &str) -> &str {
        let start = match self {
            Self::Apart => text.strip_suffix('\n').unwrap_or(text).rfind('\n').map_or(0, |at| at + 1),
            Self::Joined => 0,
        };
        let last = text.get(start..).unwrap_or("");
        text.get(..start + last.trim_end().len()).unwrap_or("")
    }
}

/// Marks a hole in a text that is decoded as JSON: a private-use character that no configuration holds, and the
/// hole's number.
const MARK: char = '\u{f8ff}';

impl<'a> Evaluator<'a> {
    /// The value of a template. One that is a single interpolation is that value; of one with unknown parts only the
    /// ends are known, unless it is JSON, which is decoded around them.
    pub(super) fn template(
        &mut self,
        template: &'a Template,
        lines: Lines,
        scope: &Scope<'_>,
        span: Span,
    ) -> Node {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.eval(&only.expr, scope);
        }
        let mut found = Parts::default();
        if let Err(value) = self.parts(template, lines, (false, false), scope, &mut found) {
            return Node::new(span, value).marked(found.sensitive);
        }
        let Parts { pieces: parts, sensitive } = found;
        self.joined(&parts, span).marked(sensitive)
    }

    /// The pieces as one value.
    fn joined(&mut self, parts: &[Part], span: Span) -> Node {
        let reason = parts.iter().find_map(|part| match part {
            Part::Text(_) => None,
            Part::Hole(value) => operators::unknown(value),
        });
        let Some(reason) = reason else {
            let text: String = parts
                .iter()
                .map(|part| if let Part::Text(text) = part { text.as_str() } else { "" })
                .collect();
            return Node::string(span, functions::normalized(&text));
        };
        if let Some(tree) = partial_json(parts, span) {
            self.encoded.insert(span);
            return tree;
        }
        Node::new(span, partly(parts, reason))
    }

    /// Collects the pieces; the error is a value that makes the whole template unknown. `trim` says whether the
    /// markers around the template (`~}` before it, `%{~` after it) strip the space at its ends.
    fn parts(
        &mut self,
        template: &'a Template,
        lines: Lines,
        trim: (bool, bool),
        scope: &Scope<'_>,
        parts: &mut Parts,
    ) -> Result<(), Value> {
        let elements: Vec<&'a Element> = template.iter().collect();
        for (at, element) in elements.iter().enumerate() {
            match element {
                Element::Literal(text) => {
                    let before = at.checked_sub(1).and_then(|at| elements.get(at));
                    let after = elements.get(at + 1);
                    let mut text = text.as_str();
                    if before.map_or(trim.0, |before| strips(before).1) {
                        text = lines.trim_start(text);
                    }
                    if after.map_or(trim.1, |after| strips(after).0) {
                        text = lines.trim_end(text);
                    }
                    parts.pieces.push(Part::Text(text.to_owned()));
                }
                Element::Interpolation(interpolation) => {
                    let node = self.eval(&interpolation.expr, scope);
                    parts.sensitive |= node.holds_sensitive();
                    if let Some(text) = operators::to_text(&node.value) {
                        parts.pieces.push(Part::Text(text.to_string()));
                    } else if self.encoded.contains(&node.span) || operators::unknown(&node.value).is_some() {
                        parts.pieces.push(Part::Hole(node.value));
                    } else {
                        return Err(self.failed("a value in a string template is no string"));
                    }
                }
                Element::Directive(directive) => self.directive(directive, lines, scope, parts)?,
            }
        }
        Ok(())
    }

    fn directive(
        &mut self,
        directive: &'a Directive,
        lines: Lines,
        scope: &Scope<'_>,
        parts: &mut Parts,
    ) -> Result<(), Value> {
        match directive {
            Directive::If(directive) => {
                let condition = self.eval(&directive.if_expr.cond_expr, scope);
                parts.sensitive |= condition.sensitive;
                let Some(holds) = operators::to_bool(&condition.value) else {
                    return Err(match operators::unknown(&condition.value) {
                        Some(reason) => Value::Unknown(reason),
                        None => self.failed("a condition that is no boolean"),
                    });
                };
                let end = directive.endif_expr.strip.strip_start();
                match (&directive.else_expr, holds) {
                    (other, true) => {
                        let end = other.as_ref().map_or(end, |other| other.strip.strip_start());
                        let start = directive.if_expr.strip.strip_end();
                        self.parts(&directive.if_expr.template, lines, (start, end), scope, parts)
                    }
                    (Some(other), false) => {
                        self.parts(&other.template, lines, (other.strip.strip_end(), end), scope, parts)
                    }
                    (None, false) => Ok(()),
                }
            }
            Directive::For(directive) => {
                let head = &directive.for_expr;
                let collection = self.eval(&head.collection_expr, scope);
                parts.sensitive |= collection.sensitive;
                let pairs = match pairs(collection.value) {
                    Ok(pairs) => pairs,
                    Err(Some(reason)) => return Err(Value::Unknown(reason)),
                    Err(None) => return Err(self.failed("`for` needs a collection")),
                };
                let trim = (head.strip.strip_end(), directive.endfor_expr.strip.strip_start());
                for (key, item) in pairs {
                    let value = Binding::new(head.value_var.as_str(), &item, scope);
                    let inner = scope.with(&value);
                    match &head.key_var {
                        Some(name) => {
                            let key = Binding::new(name.as_str(), &key, &inner);
                            self.parts(&head.template, lines, trim, &inner.with(&key), parts)?;
                        }
                        None => self.parts(&head.template, lines, trim, &inner, parts)?,
                    }
                }
                Ok(())
            }
        }
    }
}

/// What is written before the first unknown part and after the last one; unknown if that is nothing.
fn partly(parts: &[Part], reason: Arc<str>) -> Value {
    let mut start = String::new();
    for part in parts {
        match part {
            Part::Text(text) => start.push_str(text),
            Part::Hole(Value::Partial(partial)) => {
                start.push_str(&partial.start);
                break;
            }
            Part::Hole(_) => break,
        }
    }
    let mut pieces: Vec<&str> = Vec::new();
    for part in parts.iter().rev() {
        match part {
            Part::Text(text) => pieces.push(text),
            Part::Hole(Value::Partial(partial)) => {
                pieces.push(&partial.end);
                break;
            }
            Part::Hole(_) => break,
        }
    }
    let end: String = pieces.into_iter().rev().collect();
    ends(start, end, reason)
}

fn ends(start: String, end: String, reason: Arc<str>) -> Value {
    if start.is_empty() && end.is_empty() {
        return Value::Unknown(reason);
    }
    Value::Partial(Box::new(Partial { start: start.into(), end: end.into(), reason }))
}

/// Whether an element strips the space before it and after it.
fn strips(element: &Element) -> (bool, bool) {
    match element {
        Element::Literal(_) => (false, false),
        Element::Interpolation(interpolation) => {
            (interpolation.strip.strip_start(), interpolation.strip.strip_end())
        }
        Element::Directive(directive) => match &**directive {
            Directive::If(directive) => {
                (directive.if_expr.strip.strip_start(), directive.endif_expr.strip.strip_end())
            }
            Directive::For(directive) => {
                (directive.for_expr.strip.strip_start(), directive.endfor_expr.strip.strip_end())
            }
        },
    }
}

/// Decodes JSON text with unknown parts: a string that is one unknown part is that part, a string that holds one is
/// unknown. `None` if the text is no JSON object or array.
fn partial_json(parts: &[Part], span: Span) -> Option<Node> {
    let first = parts.iter().find_map(|part| match part {
        Part::Text(text) => text.trim_start().chars().next(),
        Part::Hole(_) => Some(MARK),
    })?;
    if !matches!(first, '{' | '[') {
        return None;
    }
    let mut text = String::new();
    let mut holes = Vec::new();
    let mut quoted = false;
    for part in parts {
        match part {
            Part::Text(piece) => {
                let mut escaped = false;
                for character in piece.chars() {
                    match character {
                        MARK => return None,
                        '"' if !escaped => quoted = !quoted,
                        _ => {}
                    }
                    escaped = character == '\\' && !escaped;
                }
                text.push_str(piece);
            }
            Part::Hole(value) => {
                let mark = format!("{MARK}{}{MARK}", holes.len());
                // An unknown number, list or object stands there without quotes.
                text.push_str(&if quoted { mark } else { format!("\"{mark}\"") });
                holes.push(value);
            }
        }
    }
    let json: serde_json::Value = loose_json(&text).ok()?;
    let mut tree = fill(Node::from_json(span, &json), &holes);
    match &mut tree.value {
        Value::List(list) => list.shape = Shape::Text,
        Value::Map(map) => map.shape = Shape::Text,
        _ => {}
    }
    Some(tree)
}

/// Puts the unknown parts back where their marks are.
fn fill(mut node: Node, holes: &[&Value]) -> Node {
    node.value = match node.value {
        Value::Str(text) if text.contains(MARK) => {
            let hole = |number: &str| number.parse::<usize>().ok().and_then(|at| holes.get(at));
            match text.strip_prefix(MARK).and_then(|rest| rest.strip_suffix(MARK)).and_then(hole) {
                Some(value) => (*value).clone(),
                None => {
                    let reason =
                        text.split(MARK).nth(1).and_then(hole).and_then(|value| operators::unknown(value));
                    let reason = reason.unwrap_or_else(|| Arc::from("a part is not known"));
                    let start = text.split(MARK).next().unwrap_or("").to_owned();
                    let end = text.rsplit(MARK).next().unwrap_or("").to_owned();
                    ends(start, end, reason)
                }
            }
        }
        Value::List(items) => Value::List(items.into_iter().map(|item| fill(item, holes)).collect()),
        Value::Map(map) => {
            let mut filled = Map::default();
            for (key, entry) in map.into_entries() {
                filled.insert(key, entry.key, fill(entry.node, holes));
            }
            Value::Map(filled)
        }
        other => other,
    };
    node
}
