//! What an expression is compiled to: a tree that [`interpret`](super::interpret) evaluates.

use std::fmt;
use std::sync::{Arc, OnceLock};

use regex_automata::meta::Regex;

use super::functions::Function;
use super::join::Plan;
use crate::source::pattern;

/// The lowered tree.
#[derive(Debug, Clone)]
pub(super) enum Expr {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    Slot {
        slot: usize,
        name: String,
    },
    Field {
        operand: Box<Expr>,
        name: String,
    },
    Has {
        operand: Box<Expr>,
        name: String,
    },
    Index {
        operand: Box<Expr>,
        at: Box<Expr>,
    },
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    If(Box<(Expr, Expr, Expr)>),
    Binary {
        operator: Binary,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Negate(Box<Expr>),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    All {
        range: Box<Expr>,
        slot: usize,
        body: Box<Expr>,
    },
    Exists {
        range: Box<Expr>,
        slot: usize,
        body: Box<Expr>,
        plan: Option<Box<Plan>>,
    },
    ExistsOne {
        range: Box<Expr>,
        slot: usize,
        body: Box<Expr>,
    },
    Collect {
        range: Box<Expr>,
        slot: usize,
        filter: Option<Box<Expr>>,
        transform: Box<Expr>,
        plan: Option<Box<Plan>>,
    },
    Default(Box<Expr>, Box<Expr>),
    Matches {
        operand: Box<Expr>,
        pattern: Arc<Pattern>,
    },
    Call {
        function: &'static Function,
        arguments: Vec<Expr>,
    },
    /// The same for every subject, so computed once.
    Once(Box<Expr>),
}

/// Operators that look at both sides' values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    In,
}

/// A regular expression, compiled when a text is first held against it: most of a run's expressions are decided before.
pub(super) struct Pattern {
    text: String,
    regex: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// One that is known to compile.
    pub(super) fn new(text: String) -> Arc<Self> {
        Arc::new(Self { text, regex: OnceLock::new() })
    }

    /// Why it does not compile, in one line; `None` if it does.
    pub(super) fn fault(&self) -> Option<String> {
        let compiled = pattern::compile(&self.text);
        let fault = compiled.as_ref().err().cloned();
        self.regex.get_or_init(|| compiled.ok());
        fault
    }

    /// Whether it is found in a text; `None` if it does not compile.
    pub(super) fn matches(&self, text: &str) -> Option<bool> {
        let regex = self.regex.get_or_init(|| pattern::compile(&self.text).ok());
        regex.as_ref().map(|regex| regex.is_match(text))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(formatter)
    }
}

impl Expr {
    /// Calls a function for each expression directly inside, in order.
    pub(super) fn each_inner<'e>(&'e self, each: &mut dyn FnMut(&'e Self)) {
        match self {
            Self::And(left, right)
            | Self::Or(left, right)
            | Self::Default(left, right)
            | Self::Index { operand: left, at: right }
            | Self::Binary { left, right, .. } => {
                each(left);
                each(right);
            }
            Self::Field { operand, .. }
            | Self::Has { operand, .. }
            | Self::Not(operand)
            | Self::Negate(operand)
            | Self::Matches { operand, .. }
            | Self::Once(operand) => each(operand),
            Self::If(parts) => {
                let (condition, yes, no) = &**parts;
                [condition, yes, no].into_iter().for_each(each);
            }
            Self::List(items) => items.iter().for_each(each),
            Self::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).for_each(each),
            Self::All { range, body, .. }
            | Self::Exists { range, body, .. }
            | Self::ExistsOne { range, body, .. } => {
                each(range);
                each(body);
            }
            Self::Collect { range, filter, transform, .. } => {
                each(range);
                filter.as_deref().into_iter().for_each(&mut *each);
                each(transform);
            }
            Self::Call { arguments, .. } => arguments.iter().for_each(each),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Str(_) | Self::Slot { .. } => {
            }
        }
    }

    /// [`each_inner`](Self::each_inner), to change them.
    pub(super) fn each_inner_mut(&mut self, each: &mut dyn FnMut(&mut Self)) {
        match self {
            Self::And(left, right)
            | Self::Or(left, right)
            | Self::Default(left, right)
            | Self::Index { operand: left, at: right }
            | Self::Binary { left, right, .. } => {
                each(left);
                each(right);
            }
            Self::Field { operand, .. }
            | Self::Has { operand, .. }
            | Self::Not(operand)
            | Self::Negate(operand)
            | Self::Matches { operand, .. }
            | Self::Once(operand) => each(operand),
            Self::If(parts) => {
                let (condition, yes, no) = &mut **parts;
                [condition, yes, no].into_iter().for_each(each);
            }
            Self::List(items) => items.iter_mut().for_each(each),
            Self::Map(entries) => entries.iter_mut().flat_map(|(key, value)| [key, value]).for_each(each),
            Self::All { range, body, .. }
            | Self::Exists { range, body, .. }
            | Self::ExistsOne { range, body, .. } => {
                each(range);
                each(body);
            }
            Self::Collect { range, filter, transform, .. } => {
                each(range);
                filter.as_deref_mut().into_iter().for_each(&mut *each);
                each(transform);
            }
            Self::Call { arguments, .. } => arguments.iter_mut().for_each(each),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Str(_) | Self::Slot { .. } => {
            }
        }
    }

    /// A path as it was written (`this.vpc_config[0].subnet_ids`), for messages; `None` for anything else.
    pub(super) fn written(&self) -> Option<String> {
        match self {
            Self::Slot { name, .. } => Some(name.clone()),
            Self::Field { operand, name } => Some(format!("{}.{name}", operand.written()?)),
            Self::Index { operand, at } => match at.as_ref() {
                Self::Int(at) => Some(format!("{}[{at}]", operand.written()?)),
                Self::Str(key) => Some(format!("{}[\"{key}\"]", operand.written()?)),
                _ => Some(format!("{}[{}]", operand.written()?, at.written()?)),
            },
            _ => None,
        }
    }
}
