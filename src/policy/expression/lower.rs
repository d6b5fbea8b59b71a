//! Lowers what the parser says of an expression to the tree that is evaluated, and checks every name in it.

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr as Ast, IdedExpr, LiteralValue, SourceInfo, operators,
};

use super::{ADDRESS, CompileFault, Expression, ITEM, ITEM_KEY, THIS, VARIABLES};
use crate::policy::functions;
use crate::policy::join::{self, Plan};
use crate::policy::tree::{Binary, Expr, Pattern};
use crate::source::did_you_mean;

/// Names that stand for what `type(x)` gives.
const TYPES: [&str; 8] = ["string", "int", "double", "bool", "list", "map", "null_type", "reference"];

pub(super) fn lower(
    text: &str,
    each: bool,
    ast: &IdedExpr,
    places: SourceInfo,
    sound: bool,
) -> Result<Expression, Vec<CompileFault>> {
    let (loops, faults) = (Vec::new(), Vec::new());
    let mut lowering = Lowering { text, places, each, loops, faults, uses_item: false, sound };
    match lowering.expr(ast) {
        Some(root) if lowering.faults.is_empty() => {
            Ok(Expression { root: join::hoist(root), uses_item: lowering.uses_item })
        }
        _ => Err(lowering.faults),
    }
}

struct Lowering<'t> {
    text: &'t str,
    places: SourceInfo,
    each: bool,
    /// Names of the macros' variables that are in scope, outermost first.
    loops: Vec<String>,
    faults: Vec<CompileFault>,
    uses_item: bool,
    /// Whether its patterns are known to compile.
    sound: bool,
}

impl Lowering<'_> {
    /// Records a fault at a node. A node's own place is often that of its operator; `word` is searched from there on.
    fn fault(&mut self, node: u64, word: &str, message: String, help: String) {
        let (start, stop) = self.places.offset_for(node).unwrap_or((0, 0));
        let (start, stop) = (start as usize, stop as usize);
        let found = self.text.get(start..).and_then(|rest| rest.find(word)).map(|at| start + at);
        // A receiver call's place is its parenthesis, after the name.
        let found = found.or_else(|| self.text.get(..start).and_then(|before| before.rfind(word)));
        let (start, end) = match found {
            Some(at) if !word.is_empty() => (at, at + word.len()),
            _ => (start.min(self.text.len()), (stop + 1).clamp(start, self.text.len().max(start))),
        };
        self.faults.push(CompileFault { start, end, message, help });
    }

    fn boxed(&mut self, node: &IdedExpr) -> Option<Box<Expr>> {
        self.expr(node).map(Box::new)
    }

    fn expr(&mut self, node: &IdedExpr) -> Option<Expr> {
        match &node.expr {
            Ast::Literal(literal) => self.literal(node.id, literal),
            Ast::Ident(name) => self.variable(node.id, name),
            Ast::Select(select) => {
                let operand = self.boxed(&select.operand)?;
                let name = select.field.clone();
                Some(if select.test { Expr::Has { operand, name } } else { Expr::Field { operand, name } })
            }
            Ast::Call(call) => self.call(node.id, call),
            Ast::Comprehension(comprehension) => self.comprehension(node.id, comprehension),
            Ast::List(list) => {
                let items: Vec<_> = list.elements.iter().map(|item| self.expr(item)).collect();
                items.into_iter().collect::<Option<Vec<_>>>().map(Expr::List)
            }
            Ast::Map(map) => {
                let mut entries = Vec::new();
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else { continue };
                    entries.push(self.expr(&entry.key).zip(self.expr(&entry.value)));
                }
                entries.into_iter().collect::<Option<Vec<_>>>().map(Expr::Map)
            }
            Ast::Struct(_) | Ast::Unspecified => {
                self.fault(
                    node.id,
                    "",
                    "messages (`Name{...}`) are not part of this language".to_owned(),
                    "write a mapping: `{\"key\": value}`".to_owned(),
                );
                None
            }
        }
    }

    fn literal(&mut self, id: u64, literal: &LiteralValue) -> Option<Expr> {
        Some(match literal {
            LiteralValue::Null => Expr::Null,
            LiteralValue::Boolean(value) => Expr::Bool(*value.inner()),
            LiteralValue::Int(value) => Expr::Int(*value.inner()),
            LiteralValue::UInt(value) => Expr::Int(i64::try_from(*value.inner()).unwrap_or(i64::MAX)),
            LiteralValue::Double(value) => Expr::Float(*value.inner()),
            LiteralValue::String(text) => Expr::Str(text.inner().to_owned()),
            LiteralValue::Bytes(_) => {
                let message = "byte strings are not part of this language".to_owned();
                self.fault(id, "", message, "write the string without the `b` before it".to_owned());
                return None;
            }
        })
    }

    fn variable(&mut self, id: u64, name: &str) -> Option<Expr> {
        if let Some(at) = self.loops.iter().rposition(|variable| variable == name) {
            return Some(Expr::Slot { slot: VARIABLES.len() + at, name: name.to_owned() });
        }
        if let Some(slot) = VARIABLES.iter().position(|variable| *variable == name) {
            if matches!(slot, ITEM | ITEM_KEY) {
                self.uses_item = true;
                if !self.each {
                    let message = format!("`{name}` exists only in a rule with `each`");
                    self.fault(id, name, message, "add `each: <path>` to the rule, or use `this`".to_owned());
                    return None;
                }
            }
            return Some(Expr::Slot { slot, name: name.to_owned() });
        }
        if TYPES.contains(&name) {
            return Some(Expr::Str(name.to_owned()));
        }
        let writable = VARIABLES.iter().copied().filter(|variable| !variable.starts_with('@'));
        let known: Vec<&str> = writable.chain(self.loops.iter().map(String::as_str)).collect();
        let help = match did_you_mean(name, known.iter().copied()) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("variables here: {}", known.join(", ")),
        };
        self.fault(id, name, format!("there is no variable `{name}`"), help);
        None
    }

    fn call(&mut self, id: u64, call: &CallExpr) -> Option<Expr> {
        let arguments: Vec<Option<Expr>> = call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .map(|argument| self.expr(argument))
            .collect();
        if call.target.is_none()
            && let Some(operator) = binary(&call.func_name)
        {
            let [left, right] = fixed(arguments)?;
            return Some(Expr::Binary { operator, left: Box::new(left), right: Box::new(right) });
        }
        match call.func_name.as_str() {
            operators::LOGICAL_AND => {
                let [left, right] = fixed(arguments)?;
                Some(Expr::And(Box::new(left), Box::new(right)))
            }
            operators::LOGICAL_OR => {
                let [left, right] = fixed(arguments)?;
                Some(Expr::Or(Box::new(left), Box::new(right)))
            }
            operators::LOGICAL_NOT => fixed(arguments).map(|[operand]| Expr::Not(Box::new(operand))),
            operators::NEGATE => fixed(arguments).map(|[operand]| Expr::Negate(Box::new(operand))),
            operators::CONDITIONAL => {
                let [condition, yes, no] = fixed(arguments)?;
                Some(Expr::If(Box::new((condition, yes, no))))
            }
            operators::INDEX => {
                let [operand, at] = fixed(arguments)?;
                Some(Expr::Index { operand: Box::new(operand), at: Box::new(at) })
            }
            name => self.function(id, name, call.target.is_some(), arguments),
        }
    }

    fn function(&mut self, id: u64, name: &str, member: bool, arguments: Vec<Option<Expr>>) -> Option<Expr> {
        let Some(function) = functions::find(name) else {
            let macros = ["all", "exists", "exists_one", "map", "filter", "has"];
            let names = functions::names().chain(macros);
            let help = match did_you_mean(name, names) {
                Some(close) if close == name => format!("`{name}` is a macro: `list.{name}(v, ...)`"),
                Some(close) => format!("did you mean `{close}`?"),
                None => "docs/policy-language.md lists the functions".to_owned(),
            };
            self.fault(id, name, format!("there is no function `{name}`"), help);
            return None;
        };
        let style = function.style;
        if !style.allows(member) {
            let message = format!("`{name}` is written {}", function.usage);
            self.fault(id, name, message, format!("write `{}`", function.usage));
            return None;
        }
        let count = function.arguments;
        if arguments.len() != count {
            let message = format!("`{name}` takes {count} values, and {} are given", arguments.len());
            self.fault(id, name, message, format!("write `{}`", function.usage));
            return None;
        }
        let arguments = arguments.into_iter().collect::<Option<Vec<_>>>()?;
        match (name, arguments) {
            ("address", arguments) if matches!(arguments.as_slice(), [Expr::Slot { slot: THIS, .. }]) => {
                Some(Expr::Slot { slot: ADDRESS, name: "address(this)".to_owned() })
            }
            ("default", arguments) => {
                let [value, otherwise] = fixed(arguments.into_iter().map(Some).collect())?;
                Some(Expr::Default(Box::new(value), Box::new(otherwise)))
            }
            ("matches", mut arguments) if matches!(arguments.get(1), Some(Expr::Str(_))) => {
                let (Some(Expr::Str(pattern)), Some(operand)) = (arguments.pop(), arguments.pop()) else {
                    return None;
                };
                let pattern = Pattern::new(pattern);
                if !self.sound
                    && let Some(why) = pattern.fault()
                {
                    self.fault(id, name, why, "patterns are RE2 without look-around".to_owned());
                    return None;
                }
                Some(Expr::Matches { operand: Box::new(operand), pattern })
            }
            (_, arguments) => Some(Expr::Call { function, arguments }),
        }
    }

    /// The parser expands macros into comprehensions of five fixed shapes (the language definition's section "Macros").
    fn comprehension(&mut self, id: u64, node: &ComprehensionExpr) -> Option<Expr> {
        let range = self.boxed(&node.iter_range);
        let slot = VARIABLES.len() + self.loops.len();
        self.loops.push(node.iter_var.clone());
        let lowered = self.macro_body(id, node);
        self.loops.pop();
        let range = range?;
        // Only what is asked again for every subject is worth sorting.
        let invariant = join::is_invariant(&range);
        let plan = |body: &Expr| invariant.then(|| Box::new(Plan::of(slot, body)));
        Some(match lowered? {
            Shape::All(body) => Expr::All { range, slot, body },
            Shape::Exists(body) => Expr::Exists { plan: plan(&body), range, slot, body },
            Shape::ExistsOne(body) => Expr::ExistsOne { range, slot, body },
            Shape::Collect(filter, transform) => {
                Expr::Collect { plan: filter.as_deref().and_then(plan), range, slot, filter, transform }
            }
        })
    }

    fn macro_body(&mut self, id: u64, node: &ComprehensionExpr) -> Option<Shape> {
        let step = as_call(&node.loop_step)?;
        match (step.func_name.as_str(), step.args.as_slice()) {
            (operators::LOGICAL_AND, [_, body]) => self.boxed(body).map(Shape::All),
            (operators::LOGICAL_OR, [_, body]) => self.boxed(body).map(Shape::Exists),
            (operators::ADD, [_, items]) => {
                let transform = self.boxed(only(items)?)?;
                Some(Shape::Collect(None, transform))
            }
            (operators::CONDITIONAL, [condition, step, _]) => {
                let added = as_call(step)?.args.get(1)?;
                let condition = self.boxed(condition);
                if let Ast::List(_) = added.expr {
                    let transform = self.boxed(only(added)?)?;
                    return Some(Shape::Collect(Some(condition?), transform));
                }
                condition.map(Shape::ExistsOne)
            }
            _ => {
                let message = "this kind of comprehension is not supported".to_owned();
                self.fault(id, "", message, "use all, exists, exists_one, map or filter".to_owned());
                None
            }
        }
    }
}

enum Shape {
    All(Box<Expr>),
    Exists(Box<Expr>),
    ExistsOne(Box<Expr>),
    Collect(Option<Box<Expr>>, Box<Expr>),
}

fn as_call(node: &IdedExpr) -> Option<&CallExpr> {
    match &node.expr {
        Ast::Call(call) => Some(call),
        _ => None,
    }
}

fn only(node: &IdedExpr) -> Option<&IdedExpr> {
    match &node.expr {
        Ast::List(list) => list.elements.first(),
        _ => None,
    }
}

fn fixed<const N: usize>(arguments: Vec<Option<Expr>>) -> Option<[Expr; N]> {
    arguments.into_iter().collect::<Option<Vec<_>>>()?.try_into().ok()
}

fn binary(name: &str) -> Option<Binary> {
    Some(match name {
        operators::EQUALS => Binary::Equal,
        operators::NOT_EQUALS => Binary::NotEqual,
        operators::LESS => Binary::Less,
        operators::LESS_EQUALS => Binary::LessOrEqual,
        operators::GREATER => Binary::Greater,
        operators::GREATER_EQUALS => Binary::GreaterOrEqual,
        operators::ADD => Binary::Add,
        operators::SUBSTRACT => Binary::Subtract,
        operators::MULTIPLY => Binary::Multiply,
        operators::DIVIDE => Binary::Divide,
        operators::MODULO => Binary::Remainder,
        operators::IN => Binary::In,
        _ => return None,
    })
}
