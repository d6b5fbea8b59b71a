//! Tables of facts about AWS and its provider, kept as text beside the code: `facts/*.txt` say what and from where.

use std::sync::LazyLock;

use regex::Regex;

/// The account everything stands in: the one of AWS's own examples.
pub const ACCOUNT: &str = "123456789012";

/// The Kubernetes versions EKS offers for new clusters
/// (docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html: standard and extended support, November 2026).
pub const EKS_VERSIONS: [&str; 5] = ["1.31", "1.32", "1.33", "1.34", "1.35"];

/// What an argument may be.
pub enum Allowed {
    /// One of these words.
    In(Vec<&'static str>),
    /// A number between these.
    Range(f64, f64),
    /// A text of so many characters.
    Length(usize, usize),
    /// A text like this.
    Matches(Regex),
}

/// One line of `facts/allowed.txt`.
pub struct Constraint {
    /// The type.
    pub type_: &'static str,
    /// The argument, outside in.
    pub path: Vec<&'static str>,
    /// What it may be.
    pub allowed: Allowed,
}

/// Uses that keep something from being deleted.
pub struct Dependents {
    /// The attribute users name.
    pub attribute: &'static str,
    /// Type and path of users.
    pub users: Vec<(&'static str, &'static str)>,
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn line_of(text: &'static str, type_: &str) -> impl Iterator<Item = &'static str> {
    lines(text)
        .find_map(|line| line.split_once(' ').filter(|(name, _)| *name == type_))
        .into_iter()
        .flat_map(|(_, rest)| rest.split(' '))
}

/// The arguments of a type that cannot change in place.
pub fn immutable(type_: &str) -> impl Iterator<Item = &'static str> {
    line_of(include_str!("facts/replace.txt"), type_)
}

/// The attributes of a type that AWS answers with, and their templates, in the order they can be filled in.
pub fn attributes(type_: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    lines(include_str!("facts/attributes.txt")).filter_map(move |line| {
        let rest = line.strip_prefix(type_)?.strip_prefix(' ')?;
        rest.split_once(' ')
    })
}

/// What keeps objects of a type from being deleted.
pub fn dependents(type_: &str) -> Option<Dependents> {
    let mut words = line_of(include_str!("facts/dependents.txt"), type_);
    let attribute = words.next()?;
    let mut users = Vec::new();
    while let (Some(user), Some(path)) = (words.next(), words.next()) {
        users.push((user, path));
    }
    Some(Dependents { attribute, users })
}

/// What the arguments of all types may be.
pub static CONSTRAINTS: LazyLock<Vec<Constraint>> =
    LazyLock::new(|| lines(include_str!("facts/allowed.txt")).filter_map(constraint).collect());

fn constraint(line: &'static str) -> Option<Constraint> {
    let mut words = line.splitn(4, ' ');
    let (type_, path, how, rest) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let bounds = || rest.split_once(' ');
    let allowed =
        match how {
            "in" => Allowed::In(rest.split(' ').collect()),
            "range" => bounds()
                .and_then(|(low, high)| Some(Allowed::Range(low.parse().ok()?, high.parse().ok()?)))?,
            "length" => bounds()
                .and_then(|(low, high)| Some(Allowed::Length(low.parse().ok()?, high.parse().ok()?)))?,
            "matches" => Allowed::Matches(Regex::new(&format!("^(?:{rest})$")).ok()?),
            _ => return None,
        };
    Some(Constraint { type_, path: path.split('.').collect(), allowed })
}

/// The availability zones of a region.
pub fn zones(region: &str) -> Vec<String> {
    let mut letters = line_of(include_str!("facts/zones.txt"), region).peekable();
    let letters: Vec<_> = if letters.peek().is_some() { letters.collect() } else { vec!["a", "b", "c"] };
    letters.into_iter().map(|letter| format!("{region}{letter}")).collect()
}

/// The partition of a region.
pub fn partition(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests {
    use super::{CONSTRAINTS, immutable, lines};
    use nexafi_gen::terraform::schema::{Block, type_schema};

    #[test]
    fn every_constraint_is_read() {
        assert_eq!(CONSTRAINTS.len(), lines(include_str!("facts/allowed.txt")).count());
    }

    /// A table that names what does not exist would never refuse or replace anything.
    #[test]
    fn the_tables_name_what_the_schema_has() {
        fn has(block: &Block, path: &[&str]) -> bool {
            match path {
                [] => false,
                [name] => block.has(name),
                [name, rest @ ..] => block.blocks.get(*name).is_some_and(|nested| has(&nested.block, rest)),
            }
        }
        let mut wrong = Vec::new();
        let mut check = |type_: &str, path: &[&str]| {
            if !type_schema(type_).is_some_and(|block| has(&block, path)) {
                wrong.push(format!("{type_} {}", path.join(".")));
            }
        };
        for constraint in &*CONSTRAINTS {
            check(constraint.type_, &constraint.path);
        }
        for type_ in lines(include_str!("facts/replace.txt")).filter_map(|line| line.split(' ').next()) {
            for path in immutable(type_) {
                check(type_, &path.split('.').collect::<Vec<_>>());
            }
        }
        for line in lines(include_str!("facts/dependents.txt")) {
            let words: Vec<_> = line.split(' ').collect();
            for pair in words.chunks(2) {
                check(pair[0], &pair[1].split('.').collect::<Vec<_>>());
            }
        }
        for line in lines(include_str!("facts/attributes.txt")) {
            let words: Vec<_> = line.split(' ').collect();
            // The issuer is two blocks down, in attributes that are lists of objects.
            if words[1] != "issuer" && words[1] != "cluster_security_group_id" {
                check(words[0], &[words[1]]);
            }
        }
        assert_eq!(wrong, [""; 0]);
    }
}
