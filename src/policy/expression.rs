//! Compiles CEL: parses with the `cel` crate, checks every name, and lowers to a tree that [`interpret`](super::interpret)
//! evaluates directly over the spanned trees, with three values. (The crate's own values cannot carry an unknown.)

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr as Ast, IdedExpr, LiteralValue, SourceInfo, operators,
};
use cel::parser::{Parser, PrattParser};

use super::functions;
use super::join::{self, Plan};
use super::syntax;
use super::tree::{Binary, Expr, Pattern};
use crate::record;
use crate::source::did_you_mean;

/// The variables every expression sees, by slot. `item` and `itemKey` only where a rule has `each`.
pub(super) const VARIABLES: [&str; 8] =
    ["this", "item", "key", "keys", "itemKey", "root", "today", "@address"];
/// Slot of `this`.
pub(super) const THIS: usize = 0;
/// Slot of `item`.
pub(super) const ITEM: usize = 1;
/// Slot of `key`.
pub(super) const KEY: usize = 2;
/// Slot of `keys`.
pub(super) const KEYS: usize = 3;
/// Slot of `itemKey`.
pub(super) const ITEM_KEY: usize = 4;
/// Slot of `root`.
pub(super) const ROOT: usize = 5;
/// Slot of `today`.
pub(super) const TODAY: usize = 6;

/// Slot of what `address(this)` says; not a name an expression can write.
pub(super) const ADDRESS: usize = 7;

/// Names that stand for what `type(x)` gives.
const TYPES: [&str; 8] = ["string", "int", "double", "bool", "list", "map", "null_type", "reference"];
/// Bytes an expression may have; the longest a person wrote so far has under 600.
const MAX_LENGTH: usize = 20_000;

/// How deep an expression may nest; see [`depth`].
const MAX_DEPTH: usize = 150;

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Expression {
    pub(super) root: Expr,
    /// Whether it mentions `item` or `itemKey`.
    pub(super) uses_item: bool,
}

/// What is wrong with an expression, and where in its text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CompileFault {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) message: String,
    pub(super) help: String,
}

/// The expressions of the built-in policies: the hash of each one's text, and where its record begins; sorted.
static PARSED: &[(u64, u32)] = include!(concat!(env!("OUT_DIR"), "/expressions.rs"));

/// Of each its text and the record of its tree.
static RECORDS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/expressions.bin"));

/// What the parser said of a text when the tool was built; `None` of one that is in no built-in policy.
fn recorded(text: &str) -> Option<IdedExpr> {
    let wanted = record::hash(text);
    let from = PARSED.partition_point(|(hash, _)| *hash < wanted);
    let same = PARSED.get(from..)?.iter().take_while(|(hash, _)| *hash == wanted);
    same.into_iter().find_map(|(_, start)| {
        let mut rest = RECORDS.get(*start as usize..)?;
        (record::text(&mut rest)? == text).then(|| syntax::read(&mut rest))?
    })
}

/// Compiles a text. `each` says whether `item` exists.
pub(super) fn compile(text: &str, each: bool) -> Result<Expression, Vec<CompileFault>> {
    if let Some(tree) = recorded(text)
        && let Ok(expression) = lower(text, each, &tree, SourceInfo::default(), true)
    {
        return Ok(expression);
    }
    read(text, each)
}

/// Parses a text and compiles it.
fn read(text: &str, each: bool) -> Result<Expression, Vec<CompileFault>> {
    let whole = |message: String, help: &str| {
        vec![CompileFault { start: 0, end: text.len(), message, help: help.to_owned() }]
    };
    if text.trim().is_empty() {
        return Err(whole(
            "the expression is empty".to_owned(),
            "write a CEL expression that is true or false",
        ));
    }
    if text.len() > MAX_LENGTH {
        return Err(whole(
            format!("the expression is longer than {MAX_LENGTH} bytes"),
            "split the policy into several",
        ));
    }
    if depth(text) > MAX_DEPTH {
        return Err(whole("the expression nests too deep".to_owned(), "split the policy into several"));
    }
    if let Some((start, end)) = broken_string(text) {
        return Err(vec![CompileFault {
            start,
            end,
            message: "a string goes on in the next line".to_owned(),
            help: "write the string in one line; of lines that are indented deeper than the first, YAML keeps the breaks"
                .to_owned(),
        }]);
    }
    quick(text, each).map_or_else(|| careful(text, each), Ok)
}

/// Compiles with the parser that is fast but keeps no places. What it makes of a text is used only if nothing is wrong
/// with it; [`careful`] says what is. That both make the same of a text is a test's to hold.
fn quick(text: &str, each: bool) -> Option<Expression> {
    let ast = PrattParser::new().enable_ident_escape_syntax(true).parse(text).ok()?;
    lower(text, each, &ast, SourceInfo::default(), false).ok()
}

/// Compiles with the parser that keeps places, more than ten times slower: each fault is at its place.
fn careful(text: &str, each: bool) -> Result<Expression, Vec<CompileFault>> {
    let (ast, places) = match Parser::new().enable_ident_escape_syntax(true).parse_with_source_info(text) {
        Ok(parsed) => parsed,
        // What follows the first one is mostly its echo.
        Err(errors) => {
            return Err(errors
                .errors
                .iter()
                .take(1)
                .map(|error| syntax(text, error.pos, &error.msg))
                .collect());
        }
    };
    lower(text, each, &ast, places, false)
}

fn lower(
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

/// The first string with a line break in it, up to the break. CEL has none outside of three quotation marks, which its parsers
/// do not see to; and where YAML folds a long expression, nobody means one: a pattern would match something else.
fn broken_string(text: &str) -> Option<(usize, usize)> {
    if text.contains("\"\"\"") || text.contains("'''") {
        return None;
    }
    let (mut open, mut escaped, mut comment, mut before) = (None, false, false, b' ');
    for (at, byte) in text.bytes().enumerate() {
        match (open, byte) {
            _ if comment => comment = byte != b'\n',
            (Some((start, _)), b'\n') => return Some((start, at)),
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some((_, quote)), _) if byte == quote => open = None,
            (None, b'"' | b'\'') => open = Some((at, byte)),
            (None, b'/') => comment = before == b'/',
            _ => {}
        }
        before = byte;
    }
    None
}

/// An upper bound of how deep the parsed expression nests, so that no recursion over it can exhaust the stack.
///
/// Every operator may nest its left side one deeper; brackets nest, commas separate, and the parser balances `&&` and
/// `||`. Strings are not skipped: what looks like an operator in one only makes the bound larger.
fn depth(text: &str) -> usize {
    // Of each open bracket: the operators before it since the last separator, and its conditionals, which bind weaker
    // than `&&` and so outlive it.
    let mut groups: Vec<(usize, usize)> = Vec::new();
    let (mut operators, mut conditionals, mut outer, mut deepest, mut before) = (0, 0, 0, 0, b' ');
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => {
                groups.push((operators + 1, conditionals));
                outer += operators + 1 + conditionals;
                (operators, conditionals) = (0, 0);
            }
            b')' | b']' | b'}' => {
                if let Some(group) = groups.pop() {
                    (operators, conditionals) = group;
                    outer -= operators + conditionals;
                }
            }
            b',' => (operators, conditionals) = (0, 0),
            b'&' | b'|' => operators = 0,
            b'?' | b':' => conditionals += 1,
            b'.' | b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' | b'=' | b'!' => operators += 1,
            // `in`, and every word that has it.
            b'n' if before == b'i' => operators += 1,
            _ => {}
        }
        before = byte;
        deepest = deepest.max(outer + operators + conditionals);
    }
    deepest
}

fn syntax(text: &str, (line, column): (isize, isize), message: &str) -> CompileFault {
    let message = message.trim_start_matches("Syntax error: ");
    let message = message.split(" expecting ").next().unwrap_or(message);
    let line = usize::try_from(line - 1).unwrap_or(0);
    let column = usize::try_from(column - 1).unwrap_or(0);
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(before..).unwrap_or("");
    let start = before + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
    let next = text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    CompileFault {
        start,
        end: start + next,
        message: format!("the expression does not parse: {message}"),
        help: "expressions are CEL: `&&` and `||` (not `and`, `or`), strings in double quotes, `!x` for not"
            .to_owned(),
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

#[cfg(test)]
#[allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::{PARSED, RECORDS, careful, compile, quick, read};
    use crate::policy::catalogue;
    use crate::record;

    #[test]
    fn what_was_parsed_when_the_tool_was_built_is_what_parsing_gives() {
        assert!(PARSED.len() > 1000 && PARSED.is_sorted(), "{}", PARSED.len());
        for (hash, start) in PARSED {
            let mut rest = &RECORDS[*start as usize..];
            let text = record::text(&mut rest).unwrap();
            assert_eq!(record::hash(text), *hash, "{text}");
            let heard = super::recorded(text).unwrap_or_else(|| panic!("no record: {text}"));
            assert!(super::lower(text, true, &heard, super::SourceInfo::default(), true).is_ok(), "{text}");
            // Its patterns are compiled here, and only here.
            let parsed = read(text, true).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
            assert_eq!(format!("{:?}", compile(text, true)), format!("{:?}", Ok::<_, ()>(parsed)), "{text}");
        }
    }

    #[test]
    fn of_another_text_there_is_no_record() {
        assert!(super::recorded("this.bucket == \"nobody asks this\"").is_none());
        assert!(super::recorded("").is_none());
    }

    /// Every text between the quotes, colons and braces of a policy file that could be an expression.
    fn candidates(file: &str) -> impl Iterator<Item = String> {
        let plain = file.lines().filter_map(|line| line.split_once(": ")).map(|(_, text)| text.to_owned());
        let inner = file
            .split("{{")
            .skip(1)
            .filter_map(|text| text.split_once("}}"))
            .map(|(text, _)| text.to_owned());
        let folded = file.split(">-\n").skip(1).map(|text| {
            let indent = text.len() - text.trim_start().len();
            let inside = text.lines().take_while(|line| line.len() - line.trim_start().len() >= indent);
            inside.map(str::trim).collect::<Vec<_>>().join(" ")
        });
        plain.chain(inner).chain(folded)
    }

    #[test]
    fn both_parsers_make_the_same_of_every_expression() {
        let (mut same, mut refused) = (0, 0);
        for (path, file) in catalogue::embedded() {
            for text in candidates(file) {
                // As YAML folds lines.
                let folded: Vec<&str> = text.split_whitespace().collect();
                let text = &*folded.join(" ");
                let text = text.trim_matches('\'');
                match (quick(text, true), careful(text, true)) {
                    (Some(quick), Ok(careful)) => {
                        assert_eq!(format!("{quick:?}"), format!("{careful:?}"), "{path}: {text}");
                        same += 1;
                    }
                    (None, Err(_)) => refused += 1,
                    (quick, careful) => panic!("{path}: {text}: {quick:?} and {careful:?}"),
                }
            }
        }
        assert!(same > 1000 && refused > 100, "{same} {refused}");
    }
}
