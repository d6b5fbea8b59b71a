//! Evaluates compiled expressions with three values: true, false, and undecided.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::expression::{Expression, ITEM, ITEM_KEY, VARIABLES};
use super::functions::Function;
use super::join::{Index, Plan};
use super::sensitive;
use super::tree::{Binary, Expr};
use super::value::{List, NOT_KNOWN, Outcome, Undecided, Val, compare, equal, error, unknown};
use super::world::Context;
use crate::source::Node;

/// Steps one evaluation may take; a policy over a few thousand resources takes some ten thousand.
const MAX_STEPS: u32 = 20_000_000;

/// Fewer items than this are asked one by one as fast as they are sorted.
const WORTH_SORTING: usize = 8;

/// Evaluates one expression after another with the same variables.
pub(super) struct Interpreter<'a, 'c> {
    context: &'c Context<'a>,
    slots: Vec<Val<'a>>,
    steps: u32,
    /// Ranges that are the same for every subject, by the place of their plan.
    ranges: BTreeMap<usize, Range<'a>>,
    /// Values that are the same for every subject, by the place of their expression, and whether one is sensitive.
    constants: BTreeMap<usize, (Outcome<'a>, bool)>,
    /// Whether the item that is judged is sensitive.
    sensitive_item: bool,
    /// Whether what is not known is taken for a text, as the checks of other tools take it.
    takes_as_written: bool,
}

/// The items of a macro's range.
#[derive(Clone)]
struct Range<'a> {
    items: Items<'a>,
    /// Why there may be more of them.
    more: Option<Rc<str>>,
    /// The items sorted, once they have been asked for twice.
    index: Option<Rc<Index>>,
    asked: usize,
    /// Whether something sensitive was read for them.
    sensitive: bool,
}

/// The items themselves: those of a tree become values when they are looked at.
#[derive(Clone)]
enum Items<'a> {
    Tree(&'a [Node]),
    Made(Rc<Vec<Val<'a>>>),
}

impl<'a> Items<'a> {
    fn len(&self) -> usize {
        match self {
            Self::Tree(items) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    fn get(&self, at: usize) -> Option<Val<'a>> {
        match self {
            Self::Tree(items) => items.get(at).map(Val::from),
            Self::Made(items) => items.get(at).cloned(),
        }
    }
}

impl<'a, 'c> Interpreter<'a, 'c> {
    /// Starts with every variable null.
    pub(super) fn new(context: &'c Context<'a>) -> Self {
        Self {
            context,
            slots: vec![Val::Null; VARIABLES.len()],
            steps: 0,
            ranges: BTreeMap::new(),
            constants: BTreeMap::new(),
            sensitive_item: false,
            takes_as_written: false,
        }
    }

    /// Sets a variable.
    pub(super) fn set(&mut self, slot: usize, value: Val<'a>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = value;
        }
    }

    /// Sets the variables that stand for an item below the subject.
    pub(super) fn set_item(&mut self, value: Val<'a>, key: Val<'a>, sensitive: bool) {
        self.set(ITEM, value);
        self.set(ITEM_KEY, key);
        self.sensitive_item = sensitive;
    }

    /// The value of an expression.
    pub(super) fn value(&mut self, expression: &'a Expression) -> Outcome<'a> {
        self.steps = 0;
        self.slots.truncate(VARIABLES.len());
        self.eval(&expression.root)
    }

    /// The value of an expression as true or false.
    pub(super) fn truth(&mut self, expression: &'a Expression) -> Result<bool, Undecided> {
        self.value(expression)?.truth().map_err(|undecided| named(undecided, &expression.root))
    }

    /// Whether an expression is true if what is not known is a text like no other, and what is not read is not there: so the checks
    /// of other tools see it.
    pub(super) fn holds_as_written(&mut self, expression: &'a Expression) -> bool {
        // What was computed before, with what is not known as such, says nothing now, and the other way about.
        let (ranges, constants) = (std::mem::take(&mut self.ranges), std::mem::take(&mut self.constants));
        self.takes_as_written = true;
        let holds = self.truth(expression) == Ok(true);
        self.takes_as_written = false;
        (self.ranges, self.constants) = (ranges, constants);
        holds
    }

    /// A value that a name stands for.
    fn known(&self, value: Val<'a>, expr: &Expr) -> Outcome<'a> {
        if self.takes_as_written {
            match &value {
                Val::Unknown(_) => return Ok(Val::Str(Cow::Borrowed(NOT_KNOWN))),
                Val::Partial(partial) => {
                    return Ok(Val::text(format!("{}{NOT_KNOWN}{}", partial.start, partial.end)));
                }
                _ => {}
            }
        }
        known(value, expr)
    }

    /// Whether this is the text that stands for a value that is not known. Other tools find nothing in it: no field, no item, no
    /// number that is less or more than another.
    fn stands_for_unknown(&self, value: &Val<'a>) -> bool {
        self.takes_as_written && value.stands_for_unknown()
    }

    fn eval(&mut self, expr: &'a Expr) -> Outcome<'a> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return error(format!("it takes more than {MAX_STEPS} steps"));
        }
        match expr {
            Expr::Null => Ok(Val::Null),
            Expr::Bool(value) => Ok(Val::Bool(*value)),
            Expr::Int(value) => Ok(Val::Int(*value)),
            Expr::Float(value) => Ok(Val::Float(*value)),
            Expr::Str(text) => Ok(Val::Str(Cow::Borrowed(text))),
            Expr::Slot { slot, .. } => {
                if self.sensitive_item && matches!(*slot, ITEM | ITEM_KEY) {
                    sensitive::note();
                }
                self.known(self.slots.get(*slot).cloned().unwrap_or(Val::Null), expr)
            }
            Expr::Field { operand, name } => {
                let value = match self.eval(operand)? {
                    text if self.stands_for_unknown(&text) => Val::Null,
                    value => value.field(name).map_err(|undecided| named(undecided, operand))?,
                };
                self.known(value, expr)
            }
            Expr::Has { operand, name } => {
                let value = sensitive::unnoted(|| match self.eval(operand)? {
                    text if self.stands_for_unknown(&text) => Ok(Val::Null),
                    value => value.field(name),
                })?;
                let value = self.known(value, expr)?;
                Ok(Val::Bool(!matches!(value.known()?, Val::Null)))
            }
            Expr::Index { operand, at } => {
                let value = self.eval(operand)?;
                let at = self.eval(at)?;
                if self.stands_for_unknown(&value) {
                    return Ok(Val::Null);
                }
                self.known(value.index(&at).map_err(|undecided| named(undecided, operand))?, expr)
            }
            Expr::And(left, right) => self.both(left, right, false),
            Expr::Or(left, right) => self.both(left, right, true),
            Expr::Not(operand) => self.bool(operand).map(|value| Val::Bool(!value)),
            Expr::If(parts) => {
                if self.bool(&parts.0)? {
                    self.eval(&parts.1)
                } else {
                    self.eval(&parts.2)
                }
            }
            Expr::Binary { operator, left, right } => self.binary(*operator, left, right),
            Expr::Negate(operand) => match self.eval(operand)? {
                Val::Int(value) => value.checked_neg().map_or_else(overflow, |value| Ok(Val::Int(value))),
                Val::Float(value) => Ok(Val::Float(-value)),
                other => other.refuse("a number after `-`"),
            },
            Expr::List(items) => {
                items.iter().map(|item| self.element(item)).collect::<Result<_, _>>().map(Val::list)
            }
            Expr::Map(entries) => {
                let mut made = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    let key = match self.eval(key)? {
                        Val::Str(key) => key,
                        other => return other.refuse("a string as the key of a mapping"),
                    };
                    made.push((key, self.element(value)?));
                }
                Ok(Val::map(made))
            }
            Expr::All { range, slot, body } => {
                let range = self.range(range)?;
                self.quantified(&range, None, *slot, body, false)
            }
            Expr::Exists { range, slot, body, plan } => {
                let (range, wanted) = self.planned(range, plan.as_deref(), *slot)?;
                self.quantified(&range, wanted, *slot, body, true)
            }
            Expr::ExistsOne { range, slot, body } => self.exactly_one(range, *slot, body),
            Expr::Collect { range, slot, filter, transform, plan } => {
                let (range, wanted) = self.planned(range, plan.as_deref(), *slot)?;
                self.collect(&range, wanted, *slot, filter.as_deref(), transform)
            }
            Expr::Default(value, otherwise) => match self.eval(value)? {
                Val::Null => self.eval(otherwise),
                value => Ok(value),
            },
            Expr::Matches { operand, pattern } => {
                let value = self.eval(operand)?;
                let text = value.as_text().map_err(|undecided| named(undecided, operand))?;
                pattern
                    .matches(text)
                    .map_or_else(|| error("the pattern does not compile"), |found| Ok(Val::Bool(found)))
            }
            Expr::Once(inner) => self.once(inner),
            Expr::Call { function, arguments } => self.call(function, arguments),
        }
    }

    fn call(&mut self, function: &Function, arguments: &'a [Expr]) -> Outcome<'a> {
        // Most take one value or two, which need no list of their own.
        let called = match arguments {
            [one] => (function.call)(self.context, &[self.eval(one)?]),
            [one, two] => (function.call)(self.context, &[self.eval(one)?, self.eval(two)?]),
            arguments => {
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    values.push(self.eval(argument)?);
                }
                (function.call)(self.context, &values)
            }
        };
        called.map_err(|undecided| match undecided {
            Undecided::Error(why) => Undecided::Error(format!("{}: {why}", function.usage)),
            unknown @ Undecided::Unknown(_) => unknown,
        })
    }

    /// What is the same for every subject, computed at the first one.
    fn once(&mut self, inner: &'a Expr) -> Outcome<'a> {
        let place = std::ptr::from_ref(inner) as usize;
        if let Some((known, read)) = self.constants.get(&place) {
            if *read {
                sensitive::note();
            }
            return known.clone();
        }
        let (outcome, read) = sensitive::watch(|| self.eval(inner));
        // Whether the steps suffice depends on what was asked before: another subject may have enough.
        if self.steps <= MAX_STEPS {
            self.constants.insert(place, (outcome.clone(), read));
        }
        outcome
    }

    fn bool(&mut self, expr: &'a Expr) -> Result<bool, Undecided> {
        self.eval(expr)?.truth().map_err(|undecided| named(undecided, expr))
    }

    /// An element of a literal: an unknown one is kept as such, so that the others can still decide.
    fn element(&mut self, expr: &'a Expr) -> Outcome<'a> {
        match self.eval(expr) {
            Err(Undecided::Unknown(why)) => Ok(Val::Unknown(Cow::Owned(why))),
            outcome => outcome,
        }
    }

    /// `&&` (decided by false) and `||` (decided by true): the deciding value wins over undecided on either side.
    fn both(&mut self, left: &'a Expr, right: &'a Expr, decisive: bool) -> Outcome<'a> {
        let left = self.bool(left);
        if left == Ok(decisive) {
            return Ok(Val::Bool(decisive));
        }
        let right = self.bool(right);
        if right == Ok(decisive) {
            return Ok(Val::Bool(decisive));
        }
        left.and(right).map(Val::Bool)
    }

    /// The items of a macro's range.
    fn range(&mut self, range: &'a Expr) -> Result<Range<'a>, Undecided> {
        let items = || -> Result<_, Undecided> {
            Ok(match self.eval(range)? {
                Val::List(List::Open(items, why)) => (Items::Made(items), Some(why)),
                Val::List(List::Made(items)) => (Items::Made(items), None),
                Val::List(List::Tree(items)) => (Items::Tree(items), None),
                Val::Null => (Items::Tree(&[]), None),
                text if self.stands_for_unknown(&text) => (Items::Tree(&[]), None),
                other => {
                    let items = other.items().map_err(|undecided| named(undecided, range))?;
                    (Items::Made(Rc::new(items)), None)
                }
            })
        };
        let (found, sensitive) = sensitive::watch(items);
        let (items, more) = found?;
        let more = more.filter(|_| !self.takes_as_written);
        Ok(Range { items, more, index: None, asked: 0, sensitive })
    }

    /// The items of a range, and which of them the body can hold for; `None` is all.
    fn planned(
        &mut self,
        range: &'a Expr,
        plan: Option<&'a Plan>,
        slot: usize,
    ) -> Result<(Range<'a>, Option<Vec<usize>>), Undecided> {
        let Some(plan) = plan else { return Ok((self.range(range)?, None)) };
        let place = std::ptr::from_ref(plan) as usize;
        let mut known = match self.ranges.remove(&place) {
            Some(known) => {
                if known.sensitive {
                    sensitive::note();
                }
                known
            }
            None => self.range(range)?,
        };
        known.asked += 1;
        let worth = self.context.world.sort_early || (known.asked > 1 && known.items.len() >= WORTH_SORTING);
        if worth && known.index.is_none() {
            let items = known.items.clone();
            let index = plan.index(items.len(), |at, expr| {
                self.with(slot, items.get(at).unwrap_or(Val::Null));
                self.eval(expr)
            });
            known.index = Some(Rc::new(index));
        }
        let found = known.clone();
        self.ranges.insert(place, known);
        let wanted = match &found.index {
            Some(index) => plan.candidates(index, |expr| {
                self.with(slot, Val::Null);
                self.eval(expr)
            }),
            None => None,
        };
        Ok((found, wanted))
    }

    fn with(&mut self, slot: usize, value: Val<'a>) {
        self.slots.truncate(slot);
        // Slots are numbered by nesting, so the place of an inner variable follows its outer ones.
        self.slots.resize(slot, Val::Null);
        self.slots.push(value);
    }

    fn quantified(
        &mut self,
        range: &Range<'a>,
        wanted: Option<Vec<usize>>,
        slot: usize,
        body: &'a Expr,
        decisive: bool,
    ) -> Outcome<'a> {
        let mut doubt = range.doubt();
        for item in range.chosen(wanted) {
            self.with(slot, item);
            match self.bool(body) {
                Ok(value) if value == decisive => return Ok(Val::Bool(decisive)),
                Ok(_) => {}
                Err(undecided) => doubt = doubt.or(Some(undecided)),
            }
        }
        doubt.map_or(Ok(Val::Bool(!decisive)), Err)
    }

    fn exactly_one(&mut self, range: &'a Expr, slot: usize, body: &'a Expr) -> Outcome<'a> {
        let range = self.range(range)?;
        let (mut found, mut doubt) = (0, range.doubt());
        for item in range.chosen(None) {
            self.with(slot, item);
            match self.bool(body) {
                Ok(value) => found += i32::from(value),
                Err(undecided) => doubt = doubt.or(Some(undecided)),
            }
        }
        match doubt {
            // Two are too many, whatever the unknown ones are.
            Some(undecided) if found < 2 => Err(undecided),
            _ => Ok(Val::Bool(found == 1)),
        }
    }

    fn collect(
        &mut self,
        range: &Range<'a>,
        wanted: Option<Vec<usize>>,
        slot: usize,
        filter: Option<&'a Expr>,
        transform: &'a Expr,
    ) -> Outcome<'a> {
        let mut made = Vec::new();
        for item in range.chosen(wanted) {
            self.with(slot, item);
            if let Some(filter) = filter
                && !self.bool(filter)?
            {
                continue;
            }
            let value = self.element(transform)?;
            made.push(value);
        }
        Ok(match &range.more {
            Some(why) => Val::List(List::Open(Rc::new(made), Rc::clone(why))),
            None => Val::list(made),
        })
    }

    fn binary(&mut self, operator: Binary, left: &'a Expr, right: &'a Expr) -> Outcome<'a> {
        if operator == Binary::In
            && let Expr::List(items) = right
            && items.iter().all(is_text)
        {
            let item = self.eval(left)?;
            return contained(&item, items.iter().filter_map(text_of)).map(Val::Bool);
        }
        let equality = matches!(operator, Binary::Equal | Binary::NotEqual);
        let (one, two) = if equality && (matches!(left, Expr::Null) || matches!(right, Expr::Null)) {
            sensitive::unnoted(|| -> Result<_, Undecided> { Ok((self.eval(left)?, self.eval(right)?)) })?
        } else {
            (self.eval(left)?, self.eval(right)?)
        };
        let unordered = self.stands_for_unknown(&one) || self.stands_for_unknown(&two);
        let ordered = |wanted: fn(std::cmp::Ordering) -> bool| match compare(&one, &two) {
            _ if unordered => Ok(Val::Bool(false)),
            Ok(order) => Ok(Val::Bool(order.is_some_and(wanted))),
            Err(Undecided::Error(_)) if matches!(one, Val::Null) => absent(left),
            Err(Undecided::Error(_)) if matches!(two, Val::Null) => absent(right),
            Err(undecided) => Err(undecided),
        };
        match operator {
            Binary::Equal => equal(&one, &two).map(Val::Bool),
            Binary::NotEqual => equal(&one, &two).map(|same| Val::Bool(!same)),
            Binary::Less => ordered(std::cmp::Ordering::is_lt),
            Binary::LessOrEqual => ordered(std::cmp::Ordering::is_le),
            Binary::Greater => ordered(std::cmp::Ordering::is_gt),
            Binary::GreaterOrEqual => ordered(std::cmp::Ordering::is_ge),
            Binary::In => match &two {
                Val::Map(map) => match &one {
                    Val::Str(key) => Ok(Val::Bool(map.get(key).is_some())),
                    other => other.refuse("a string before `in` a mapping"),
                },
                Val::List(list) => contained(&one, list.iter()).map(Val::Bool),
                other => contained(&one, other.items()?.into_iter()).map(Val::Bool),
            },
            Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder => {
                arithmetic(operator, &one, &two)
            }
        }
    }
}

impl<'a> Range<'a> {
    /// Why there may be more items than there are.
    fn doubt(&self) -> Option<Undecided> {
        self.more.as_ref().map(|why| Undecided::Unknown(why.to_string()))
    }

    /// The items at some places, or all of them.
    fn chosen(&self, wanted: Option<Vec<usize>>) -> impl Iterator<Item = Val<'a>> + '_ {
        let count = if wanted.is_some() { 0 } else { self.items.len() };
        wanted.into_iter().flatten().chain(0..count).filter_map(|at| self.items.get(at))
    }
}

/// A comparison with nothing: say what the author has to say.
fn absent<T>(expr: &Expr) -> Result<T, Undecided> {
    let name = expr.written().unwrap_or_else(|| "one side".to_owned());
    error(format!("`{name}` is absent and has no order; say what absence means with has() or default()"))
}

/// Names the path in front of why it has no value.
fn named(undecided: Undecided, expr: &Expr) -> Undecided {
    match (undecided, expr.written()) {
        (Undecided::Error(why), Some(path)) => Undecided::Error(format!("`{path}`: {why}")),
        (undecided, _) => undecided,
    }
}

fn known<'a>(value: Val<'a>, expr: &Expr) -> Outcome<'a> {
    match value {
        Val::Unknown(why) => match expr.written() {
            Some(path) => unknown(format!("`{path}` is not known: {why}")),
            None => unknown(why.into_owned()),
        },
        value => Ok(value),
    }
}

/// Of a list of texts no part can be undecided, so that it need not become a value first.
fn is_text(expr: &Expr) -> bool {
    matches!(expr, Expr::Str(_))
}

fn text_of(expr: &Expr) -> Option<Val<'_>> {
    match expr {
        Expr::Str(text) => Some(Val::Str(Cow::Borrowed(text))),
        _ => None,
    }
}

fn contained<'v>(item: &Val<'_>, candidates: impl Iterator<Item = Val<'v>>) -> Result<bool, Undecided> {
    let mut doubt = None;
    for candidate in candidates {
        match equal(item, &candidate) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(undecided) => doubt = doubt.or(Some(undecided)),
        }
    }
    doubt.map_or(Ok(false), Err)
}

fn overflow<'a>() -> Outcome<'a> {
    error("the result is no number: overflow or division by zero")
}

fn arithmetic<'a>(operator: Binary, left: &Val<'a>, right: &Val<'a>) -> Outcome<'a> {
    match (left, right) {
        (Val::Int(left), Val::Int(right)) => match operator {
            Binary::Add => left.checked_add(*right),
            Binary::Subtract => left.checked_sub(*right),
            Binary::Multiply => left.checked_mul(*right),
            Binary::Divide => left.checked_div(*right),
            _ => left.checked_rem(*right),
        }
        .map_or_else(overflow, |value| Ok(Val::Int(value))),
        (Val::Int(_) | Val::Float(_), Val::Int(_) | Val::Float(_)) => {
            let (left, right) = (super::value::as_float(left), super::value::as_float(right));
            Ok(Val::Float(match operator {
                Binary::Add => left + right,
                Binary::Subtract => left - right,
                Binary::Multiply => left * right,
                Binary::Divide => left / right,
                _ => left % right,
            }))
        }
        (Val::Str(left), Val::Str(right)) if operator == Binary::Add => {
            Ok(Val::text(format!("{left}{right}")))
        }
        (Val::List(left), Val::List(right)) if operator == Binary::Add => {
            Ok(Val::list(left.iter().chain(right.iter()).collect()))
        }
        (Val::List(_), Val::Null) if operator == Binary::Add => Ok(left.clone()),
        (Val::Null, Val::List(_)) if operator == Binary::Add => Ok(right.clone()),
        (Val::Reference(_) | Val::Partial(_), _) => left.refuse("a number"),
        (_, Val::Reference(_) | Val::Partial(_)) => right.refuse("a number"),
        _ => error(format!("{} and {} cannot be computed with", left.described(), right.described())),
    }
}
