//! What a literal secret looks like in a text: the published forms of keys and tokens, and the value beside a name that
//! says what it is. The forms and names are data: `src/policy/facts/secret-patterns.yaml`.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use regex::Regex;

use super::{Node, pattern, tables};

/// A password has at least so many characters; what is shorter is a flag or a number of times.
const SHORTEST: usize = 4;

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// What it is, with an article: `a private key`.
    pub what: Cow<'static, str>,
    /// The bytes of it.
    pub range: Range<usize>,
}

struct Pattern {
    what: String,
    keywords: Vec<String>,
    text: String,
    /// Compiled when a keyword was seen: most files have none.
    regex: OnceLock<Option<regex_automata::meta::Regex>>,
}

impl Pattern {
    fn regex(&self) -> Option<&regex_automata::meta::Regex> {
        self.regex.get_or_init(|| pattern::compile(&self.text).ok()).as_ref()
    }
}

struct Facts {
    patterns: Vec<Pattern>,
    /// Any keyword of any pattern.
    keyword: Option<Regex>,
    passwords: Vec<String>,
    exact: Vec<String>,
    secrets: Vec<String>,
    placeholders: Vec<String>,
    references: Vec<String>,
}

static KNOWN: LazyLock<Facts> = LazyLock::new(|| {
    let root = tables::table("secret-patterns").map(tables::Table::read);
    let texts = |path: &[&str]| {
        let items = root.as_ref().and_then(|root| root.at(path)).map_or(&[][..], Node::items);
        items.iter().filter_map(Node::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let patterns = root.as_ref().and_then(|root| root.get("patterns")).map_or(&[][..], Node::items);
    let pattern = |node: &Node| {
        let text = |key: &str| node.get(key).and_then(Node::as_str);
        let keywords = node.get("keywords")?.items();
        Some(Pattern {
            what: text("what")?.to_owned(),
            keywords: keywords.iter().filter_map(Node::as_str).map(str::to_owned).collect(),
            text: text("pattern")?.to_owned(),
            regex: OnceLock::new(),
        })
    };
    let patterns: Vec<Pattern> = patterns.iter().filter_map(pattern).collect();
    let keywords = patterns.iter().flat_map(|pattern| &pattern.keywords);
    let keywords: Vec<String> = keywords.map(|keyword| regex::escape(keyword)).collect();
    Facts {
        keyword: Regex::new(&keywords.join("|")).ok(),
        patterns,
        passwords: texts(&["names", "passwords"]),
        exact: texts(&["names", "exact"]),
        secrets: texts(&["names", "secrets"]),
        placeholders: texts(&["placeholders"]),
        references: texts(&["references"]),
    }
});

/// How many published forms are known.
pub fn patterns() -> usize {
    KNOWN.patterns.iter().filter(|pattern| pattern.regex().is_some()).count()
}

/// The secret that a value is under a name, or that stands in it.
pub fn in_value(name: &str, value: &str) -> Option<Secret> {
    named(name, value).or_else(|| in_text(value).into_iter().next())
}

/// The secret a value is because of its name.
pub fn named(name: &str, value: &str) -> Option<Secret> {
    let what = match sort(name)? {
        Sort::Password => literal(value).then_some("a password"),
        Sort::Secret => (literal(value) && looks_random(value)).then_some("a secret"),
    }?;
    Some(Secret { what: what.into(), range: 0..value.len() })
}

/// Every secret in a text, in order and apart from each other.
pub fn in_text(text: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    // One look for all of them: most texts have none.
    let suspicious = KNOWN.keyword.as_ref().is_none_or(|keyword| keyword.is_match(text));
    for pattern in KNOWN.patterns.iter().filter(|_| suspicious) {
        if !pattern.keywords.iter().any(|keyword| text.contains(keyword.as_str())) {
            continue;
        }
        let Some(regex) = pattern.regex() else { continue };
        for captures in regex.captures_iter(text) {
            if let Some(secret) = captures.get_group(1)
                && text.get(secret.range()).is_some_and(literal)
            {
                found.push(Secret { what: pattern.what.clone().into(), range: secret.range() });
            }
        }
    }
    pairs(text, &mut found);
    found.sort_by_key(|secret| (secret.range.start, std::cmp::Reverse(secret.range.end)));
    let mut end = 0;
    found.retain(|secret| {
        let apart = secret.range.start >= end;
        end = end.max(secret.range.end);
        apart
    });
    found
}

/// The text with `*` for every character of the ranges, and of what [`in_text`] finds. Bytes and lines stay as many.
pub fn masked<'t>(text: &'t str, also: &[Range<usize>]) -> Cow<'t, str> {
    let mut ranges: Vec<Range<usize>> = in_text(text).into_iter().map(|secret| secret.range).collect();
    ranges.extend(also.iter().cloned());
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    let inside = |at: usize| ranges.iter().any(|range| range.contains(&at));
    let hide = |(at, character): (usize, char)| {
        // A character of several bytes keeps them, for offsets into the text stay true.
        if inside(at) && character.is_ascii_graphic() { '*' } else { character }
    };
    Cow::Owned(text.char_indices().map(hide).collect())
}

/// What a name says of its value.
enum Sort {
    Password,
    Secret,
}

fn sort(name: &str) -> Option<Sort> {
    let facts = &*KNOWN;
    let (before, last) = last_words(name)?;
    let is = |known: &str, word: &str| known.eq_ignore_ascii_case(word);
    let of = |list: &[String], word: &str| list.iter().any(|known| is(known, word));
    let ending = last.len().checked_sub("password".len()).and_then(|at| last.get(at..));
    // `redispassword` is one word to those who cannot write two.
    if of(&facts.passwords, last)
        || ending.is_some_and(|ending| is("password", ending))
        || of(&facts.exact, name)
    {
        return Some(Sort::Password);
    }
    let two = |known: &String| {
        before.is_some_and(|before| {
            known.split_once(' ').is_some_and(|(one, other)| is(one, before) && is(other, last))
        })
    };
    (of(&facts.secrets, last) || facts.secrets.iter().any(two)).then_some(Sort::Secret)
}

/// `db`, `password` of `DB_PASSWORD`, `dbPassword`, `db.password`: the last word and the one before it.
fn last_words(name: &str) -> Option<(Option<&str>, &str)> {
    let (mut before, mut last, mut start, mut earlier) = (None, None, 0, ' ');
    let mut end = |from: usize, to: usize| {
        if let Some(word) = name.get(from..to).filter(|word| !word.is_empty()) {
            before = last.replace(word);
        }
    };
    for (at, character) in name.char_indices() {
        let begins = character.is_ascii_uppercase() && !earlier.is_ascii_uppercase();
        if begins || !character.is_ascii_alphanumeric() {
            end(start, at);
            start = if begins { at } else { at + character.len_utf8() };
        }
        earlier = character;
    }
    end(start, name.len());
    Some((before, last?))
}

/// The text is a value of its own: not empty, and does not stand for one that is somewhere else.
fn literal(value: &str) -> bool {
    let value = value.trim();
    let facts = &*KNOWN;
    let lower = value.to_ascii_lowercase();
    let filler = |character: char| matches!(character, '*' | 'x' | 'X' | '.' | '-' | '_' | '#' | '•');
    value.chars().count() >= SHORTEST
        && !facts.references.iter().any(|start| value.starts_with(start.as_str()))
        && !facts.placeholders.contains(&lower)
        && !value.chars().all(filler)
        && !["${", "$(", "{{", "%{"].iter().any(|opening| value.contains(opening))
        && !is_address(value)
}

/// A path, or a URL without a password in it.
fn is_address(value: &str) -> bool {
    let path = value.starts_with('/') && (value.len() < 32 || value.matches('/').count() > 3);
    path || (value.contains("://") && !value.contains('@'))
}

/// No word or name of a thing: letters and digits mixed as only machines do.
fn looks_random(value: &str) -> bool {
    let length = value.chars().count();
    if length < 12 || value.contains(char::is_whitespace) {
        return false;
    }
    let has = |kind: fn(&u8) -> bool| value.bytes().any(|byte| kind(&byte));
    let (upper, lower, digit) =
        (has(u8::is_ascii_uppercase), has(u8::is_ascii_lowercase), has(u8::is_ascii_digit));
    if !digit || !(upper || lower) {
        return false;
    }
    if value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return length >= 20 && entropy(value) > 2.5;
    }
    !is_name(value) && entropy(value) > if upper && lower { 3.0 } else { 3.3 }
}

/// Words and numbers as names are made of them: `nexafi-production-redis-2`, `kv/data/redis/v2`.
pub(super) fn is_name(value: &str) -> bool {
    value.split(['-', '_', '.', '/', ':']).all(|part| {
        let letters = part.bytes().filter(u8::is_ascii_alphabetic).count();
        let plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plain && (part.len() <= 4 || letters == part.len() || part.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// Shannon's entropy, in bits a character.
fn entropy(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let total = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX).max(1));
    let part = |count: &u32| {
        let share = f64::from(*count) / total;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(part).sum()
}

/// `name=value`, `name: value`, `"name": "value"` in a text of any language.
fn pairs(text: &str, found: &mut Vec<Secret>) {
    let bytes = text.as_bytes();
    for (at, separator) in text.match_indices(['=', ':']) {
        let next = bytes.get(at + 1).copied().unwrap_or(b' ');
        let before = text.get(..at).unwrap_or("");
        let compares =
            next == b'~' || (separator == "=" && (next == b'=' || before.ends_with(['!', '=', '<', '>'])));
        if compares || text.get(at..).is_some_and(|rest| rest.starts_with("://")) {
            continue;
        }
        let Some(name) = name_before(before) else { continue };
        let Some(sort) = sort(name) else { continue };
        let Some((value, quoted, whole)) = value_after(text, at + 1) else { continue };
        let content = text.get(value.clone()).unwrap_or("");
        // `password: the one you chose` is prose, `password = readPassword()` code.
        let fits = quoted
            || (whole && written_out(content))
            || (separator == "=" && written_out(content) && mixed(content));
        let (what, secret) = match sort {
            Sort::Password => ("a password", literal(content)),
            Sort::Secret => ("a secret", literal(content) && looks_random(content)),
        };
        if fits && secret {
            found.push(Secret { what: what.into(), range: value });
        }
    }
}

/// The name that a text ends with.
fn name_before(text: &str) -> Option<&str> {
    let text = text.trim_end_matches([' ', '\t']);
    let text = text.strip_suffix(['"', '\'']).unwrap_or(text);
    let part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-');
    let start = text
        .rfind(|character: char| !part(character))
        .map_or(0, |at| at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    text.get(start..).filter(|name| !name.is_empty() && name.len() <= 80)
}

/// The value that follows, whether it is in quotes, and whether it is all that follows in its line.
fn value_after(text: &str, from: usize) -> Option<(Range<usize>, bool, bool)> {
    let rest = text.get(from..)?;
    let skipped = rest.trim_start_matches([' ', '\t', '>', '=']);
    let start = from + (rest.len() - skipped.len());
    let line = skipped.split(['\n', '\r']).next()?;
    if let Some(quote) = line.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let inside = line.get(1..)?;
        let length = inside.find(quote)?;
        return Some((start + 1..start + 1 + length, true, false));
    }
    let length = line.find([' ', '\t', ',', ';', '&', '"', '\'', '`']).unwrap_or(line.len());
    (length > 0).then(|| (start..start + length, false, line.trim_end().len() == length))
}

/// No call, index or other expression of a programming language.
fn written_out(value: &str) -> bool {
    let name =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    // `os.environ`, `var.password`
    let member = value.contains('.') && value.split('.').all(name);
    !value.contains(['(', ')', '[', ']', '{', '}', '<', '>', '|', '\\']) && !member
}

/// Not just a word.
fn mixed(value: &str) -> bool {
    value.bytes().any(|byte| !byte.is_ascii_alphabetic())
}
