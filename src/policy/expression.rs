//! Compiles CEL: parses with the `cel` crate, checks every name, and lowers to a tree that [`interpret`](super::interpret)
//! evaluates directly over the spanned trees, with three values. (The crate's own values cannot carry an unknown.)

mod lower;

use cel::common::ast::{IdedExpr, SourceInfo};
use cel::parser::{Parser, PrattParser};

use lower::lower;

use super::syntax;
use super::tree::Expr;
use crate::record;

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
