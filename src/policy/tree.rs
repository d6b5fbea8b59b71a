//! What an expression is compiled to: a tree that [`interpret`](super::interpret) evaluates.

use super::functions::Function;
use super::join::Plan;

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
        regex: regex_automata::meta::Regex,
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

impl Expr {
    /// The expressions directly inside, in order.
    pub(super) fn inner(&self) -> Vec<&Self> {
        match self {
            Self::And(left, right)
            | Self::Or(left, right)
            | Self::Default(left, right)
            | Self::Index { operand: left, at: right }
            | Self::Binary { left, right, .. } => vec![left, right],
            Self::Field { operand, .. }
            | Self::Has { operand, .. }
            | Self::Not(operand)
            | Self::Negate(operand)
            | Self::Matches { operand, .. }
            | Self::Once(operand) => vec![operand],
            Self::If(parts) => vec![&parts.0, &parts.1, &parts.2],
            Self::List(items) => items.iter().collect(),
            Self::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
            Self::All { range, body, .. }
            | Self::Exists { range, body, .. }
            | Self::ExistsOne { range, body, .. } => vec![range, body],
            Self::Collect { range, filter, transform, .. } => {
                let mut inner: Vec<&Self> = vec![range];
                inner.extend(filter.as_deref());
                inner.push(transform);
                inner
            }
            Self::Call { arguments, .. } => arguments.iter().collect(),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Str(_) | Self::Slot { .. } => {
                Vec::new()
            }
        }
    }

    /// [`inner`](Self::inner), to change them.
    pub(super) fn inner_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::And(left, right)
            | Self::Or(left, right)
            | Self::Default(left, right)
            | Self::Index { operand: left, at: right }
            | Self::Binary { left, right, .. } => vec![left, right],
            Self::Field { operand, .. }
            | Self::Has { operand, .. }
            | Self::Not(operand)
            | Self::Negate(operand)
            | Self::Matches { operand, .. }
            | Self::Once(operand) => vec![operand],
            Self::If(parts) => vec![&mut parts.0, &mut parts.1, &mut parts.2],
            Self::List(items) => items.iter_mut().collect(),
            Self::Map(entries) => entries.iter_mut().flat_map(|(key, value)| [key, value]).collect(),
            Self::All { range, body, .. }
            | Self::Exists { range, body, .. }
            | Self::ExistsOne { range, body, .. } => vec![range, body],
            Self::Collect { range, filter, transform, .. } => {
                let mut inner: Vec<&mut Self> = vec![range];
                inner.extend(filter.as_deref_mut());
                inner.push(transform);
                inner
            }
            Self::Call { arguments, .. } => arguments.iter_mut().collect(),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Str(_) | Self::Slot { .. } => {
                Vec::new()
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
