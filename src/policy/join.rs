//! Which items of a list can matter to the body of an `exists` or a `filter`.
//!
//! `resources("aws_s3_bucket_policy").exists(p, resolve(p.bucket) == this && ...)` asks every policy about every bucket: with
//! ten thousand of each a hundred million questions. The list is the same for every subject, and of an equality one side
//! depends on the item alone; so the items are sorted by that side once, and a subject asks those only whose value is its
//! own, or not known. Items whose body is certainly false change neither an `exists` nor a `filter`: the verdicts are the
//! same, as a test holds for every example of every policy.

use std::collections::BTreeMap;

use super::expression::{ROOT, TODAY};
use super::tree::{Binary, Expr};
use super::value::{Dict, Undecided, Val};

/// How the items of a macro's range can be told apart before its body is asked.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The body can be true only if one of these can.
    alternatives: Vec<Alternative>,
}

/// Conditions that must all hold.
#[derive(Debug, Clone, Default)]
struct Alternative {
    /// What depends on the item alone.
    filters: Vec<Expr>,
    /// Equalities: what depends on the item alone, and what does not depend on it.
    equal: Vec<(Expr, Expr)>,
}

/// Items by what the plan asks of them.
#[derive(Debug, Default)]
pub(super) struct Index {
    alternatives: Vec<Sorted>,
}

#[derive(Debug, Default)]
struct Sorted {
    /// Where there is no equality: the items that no filter rules out.
    all: Vec<usize>,
    /// By each equality.
    equal: Vec<Keyed>,
}

/// Items by what they have on one side of an equality.
#[derive(Debug, Default)]
struct Keyed {
    by_key: BTreeMap<Key, Vec<usize>>,
    /// Items that no key rules out.
    others: Vec<usize>,
}

/// A value that equals no other but its like.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Text(String),
    /// A resource, which equals only itself: its place in memory, for as long as the index lives.
    Resource(usize),
}

/// Whether every evaluation of a range gives the same, whatever the subject is, and asks for things of the inputs.
pub(super) fn is_invariant(range: &Expr) -> bool {
    let needs = needs(range);
    needs.calls && needs.variables == 0
}

impl Plan {
    /// The plan for a body whose variable is `slot`.
    pub(super) fn of(slot: usize, body: &Expr) -> Self {
        // Of a variable that shares its bit nothing can be told.
        let alternatives = if slot < SHARED { alternatives(slot, body) } else { None };
        Self { alternatives: alternatives.unwrap_or_default() }
    }

    /// Sorts items. `eval` gives an expression's value for an item.
    pub(super) fn index<'a>(
        &'a self,
        count: usize,
        mut eval: impl FnMut(usize, &'a Expr) -> Result<Val<'a>, Undecided>,
    ) -> Index {
        let sort = |alternative: &'a Alternative| {
            let mut sorted = Sorted::default();
            sorted.equal.resize_with(alternative.equal.len(), Keyed::default);
            for at in 0..count {
                let out = alternative
                    .filters
                    .iter()
                    .any(|filter| eval(at, filter).and_then(|value| value.truth()).is_ok_and(|holds| !holds));
                if out {
                    continue;
                }
                if alternative.equal.is_empty() {
                    sorted.all.push(at);
                }
                for ((own, _), keyed) in alternative.equal.iter().zip(&mut sorted.equal) {
                    match eval(at, own) {
                        // A text or a resource is certainly none of these.
                        Ok(Val::Null | Val::Bool(_) | Val::Int(_) | Val::Float(_) | Val::List(_)) => {}
                        Ok(value) => match key(&value) {
                            Some(key) => keyed.by_key.entry(key).or_default().push(at),
                            None => keyed.others.push(at),
                        },
                        Err(_) => keyed.others.push(at),
                    }
                }
            }
            sorted
        };
        Index { alternatives: self.alternatives.iter().map(sort).collect() }
    }

    /// The items to ask, in order; `None` for all of them. `eval` gives an expression's value for the subject.
    pub(super) fn candidates<'a>(
        &'a self,
        index: &Index,
        mut eval: impl FnMut(&'a Expr) -> Result<Val<'a>, Undecided>,
    ) -> Option<Vec<usize>> {
        if self.alternatives.is_empty() {
            return None;
        }
        let mut found = Vec::new();
        for (alternative, sorted) in self.alternatives.iter().zip(&index.alternatives) {
            if alternative.equal.is_empty() {
                found.extend(&sorted.all);
                continue;
            }
            // Of an equality whose other side has no key here nothing can be told; one that has is enough.
            let chosen = alternative.equal.iter().zip(&sorted.equal).filter_map(|((_, other), keyed)| {
                let wanted = key(&eval(other).ok()?)?;
                Some(Chosen {
                    same: keyed.by_key.get(&wanted).map_or(&[][..], Vec::as_slice),
                    others: &keyed.others,
                })
            });
            let mut chosen: Vec<Chosen<'_>> = chosen.collect();
            // The shortest list is gone through, the others are asked.
            chosen.sort_by_key(Chosen::len);
            let (first, rest) = chosen.split_first()?;
            let items = first.same.iter().chain(first.others);
            found.extend(items.filter(|at| rest.iter().all(|more| more.contains(**at))));
        }
        found.sort_unstable();
        found.dedup();
        Some(found)
    }
}

/// The items that an equality leaves for a subject: two sorted lists.
struct Chosen<'i> {
    same: &'i [usize],
    others: &'i [usize],
}

impl Chosen<'_> {
    fn len(&self) -> usize {
        self.same.len() + self.others.len()
    }

    fn contains(&self, at: usize) -> bool {
        self.same.binary_search(&at).is_ok() || self.others.binary_search(&at).is_ok()
    }
}

fn key(value: &Val<'_>) -> Option<Key> {
    match value {
        Val::Str(text) => Some(Key::Text(text.to_string())),
        Val::Map(Dict::Resource(resource)) => Some(Key::Resource(std::ptr::from_ref(*resource) as usize)),
        _ => None,
    }
}

/// What an expression depends on.
#[derive(Debug, Clone, Copy, Default)]
struct Needs {
    /// Variables it does not bind itself, a bit each; those that are the same for every subject are left out.
    variables: u64,
    /// It goes through a list of things of the inputs.
    searches: bool,
    calls: bool,
}

impl Needs {
    fn constant(self) -> bool {
        self.variables == 0 && self.searches
    }
}

/// What an expression needs of its own, and the bit of the variable that it binds.
fn own(expr: &Expr) -> (Needs, u64) {
    let mut own = Needs::default();
    match expr {
        Expr::Slot { slot, .. } if !matches!(*slot, ROOT | TODAY) => own.variables = bit(*slot),
        Expr::Call { .. } => own.calls = true,
        Expr::All { slot, .. }
        | Expr::Exists { slot, .. }
        | Expr::ExistsOne { slot, .. }
        | Expr::Collect { slot, .. }
            if *slot < SHARED =>
        {
            return (own, bit(*slot));
        }
        _ => {}
    }
    (own, 0)
}

/// Adds what a part of an expression needs, given the bit of the variable that the expression binds.
fn add(own: &mut Needs, bound: u64, part: Needs) {
    // A range cannot use the variable that goes through it: what stands under its number there is another macro's.
    own.variables |= part.variables & !bound;
    own.searches |= part.searches || (bound != 0 && part.calls);
    own.calls |= part.calls;
}

fn needs(expr: &Expr) -> Needs {
    let (mut all, bound) = own(expr);
    expr.each_inner(&mut |part| add(&mut all, bound, needs(part)));
    all
}

/// Marks every largest part that searches and gives the same for every subject.
pub(super) fn hoist(mut root: Expr) -> Expr {
    if mark(&mut root, &mut Vec::new()).constant() { Expr::Once(Box::new(root)) } else { root }
}

/// What a part needs; marks constants inside a part that is none itself. `constants` is a stack: of each part directly inside
/// of those that are looked at, whether it is one.
fn mark(expr: &mut Expr, constants: &mut Vec<bool>) -> Needs {
    let (mut all, bound) = own(expr);
    let from = constants.len();
    expr.each_inner_mut(&mut |part| {
        let needs = mark(part, constants);
        constants.push(needs.constant());
        add(&mut all, bound, needs);
    });
    if !all.constant() {
        let mut inside = constants.iter().skip(from);
        expr.each_inner_mut(&mut |part| {
            if inside.next() == Some(&true) {
                let constant = std::mem::replace(part, Expr::Null);
                *part = Expr::Once(Box::new(constant));
            }
        });
    }
    constants.truncate(from);
    all
}

/// Variables from this one on share a bit, which no macro takes out.
const SHARED: usize = 63;

fn bit(slot: usize) -> u64 {
    1 << slot.min(SHARED)
}

/// The alternatives of a body, or `None` if nothing can be said.
fn alternatives(slot: usize, body: &Expr) -> Option<Vec<Alternative>> {
    if let Expr::Or(left, right) = body {
        let mut all = alternatives(slot, left)?;
        all.extend(alternatives(slot, right)?);
        return Some(all);
    }
    let mut parts = Vec::new();
    conjuncts(body, &mut parts);
    let mut found = Alternative::default();
    for part in parts {
        if depends_on_it_alone(slot, part) {
            found.filters.push(part.clone());
        } else {
            found.equal.extend(equality(slot, part));
        }
    }
    (!found.equal.is_empty() || !found.filters.is_empty()).then(|| vec![found])
}

fn conjuncts<'e>(expr: &'e Expr, parts: &mut Vec<&'e Expr>) {
    match expr {
        Expr::And(left, right) => {
            conjuncts(left, parts);
            conjuncts(right, parts);
        }
        other => parts.push(other),
    }
}

fn equality(slot: usize, part: &Expr) -> Option<(Expr, Expr)> {
    let Expr::Binary { operator: Binary::Equal, left, right } = part else { return None };
    let outer = |expr: &Expr| needs(expr).variables & bit(slot) == 0;
    if depends_on_it_alone(slot, left) && outer(right) {
        Some((left.as_ref().clone(), right.as_ref().clone()))
    } else if depends_on_it_alone(slot, right) && outer(left) {
        Some((right.as_ref().clone(), left.as_ref().clone()))
    } else {
        None
    }
}

fn depends_on_it_alone(slot: usize, expr: &Expr) -> bool {
    needs(expr).variables == bit(slot)
}

#[cfg(test)]
mod tests {
    use crate::policy::Catalogue;
    use crate::policy::expression::compile;
    use crate::policy::selftest::run_example;
    use crate::policy::tree::Expr;

    #[test]
    fn sorted_lists_give_the_same_verdicts_in_every_example_of_every_policy() {
        let catalogue = Catalogue::builtin();
        let mut compared = 0;
        for policy in catalogue.policies() {
            for example in &policy.examples {
                let (plain, sorted) =
                    (run_example(policy, example, false), run_example(policy, example, true));
                assert_eq!(plain, sorted, "{}: {}", policy.id, example.name);
                compared += 1;
            }
        }
        assert!(compared > 900, "{compared}");
    }

    /// How many conditions and equalities the plan of an expression has, alternative by alternative.
    fn plan(text: &str) -> Option<Vec<(usize, usize)>> {
        find(&compile(text, false).ok()?.root)
    }

    fn find(expr: &Expr) -> Option<Vec<(usize, usize)>> {
        if let Expr::Exists { plan: Some(plan), .. } | Expr::Collect { plan: Some(plan), .. } = expr {
            let alternatives = plan.alternatives.iter();
            return Some(alternatives.map(|one| (one.filters.len(), one.equal.len())).collect());
        }
        let mut found = None;
        expr.each_inner(&mut |part| found = found.take().or_else(|| find(part)));
        found
    }

    #[test]
    fn a_plan_uses_what_depends_on_the_item_alone() {
        let policies = r#"resources("aws_s3_bucket_policy")"#;
        let of = |body: &str| plan(&format!("{policies}.exists(p, {body})"));
        assert_eq!(of("resolve(p.bucket) == this"), Some(vec![(0, 1)]));
        assert_eq!(of(r#"type(p.bucket) == "string" && p.bucket == this.bucket"#), Some(vec![(1, 1)]));
        assert_eq!(of(r#"resolve(p.bucket) == this || p.bucket == "logs""#), Some(vec![(0, 1), (1, 0)]));
        assert_eq!(of("p.id == this.id && p.bucket == this.bucket"), Some(vec![(0, 2)]));
        // Of one alternative nothing is known, so nothing is of all.
        assert_eq!(of("resolve(p.bucket) == this || this.bucket.startsWith(p.bucket)"), Some(vec![]));
        assert_eq!(of("p.bucket != this.bucket"), Some(vec![]));
        // Another list for every subject is not worth sorting.
        assert_eq!(
            plan(r#"referrers(this, "aws_s3_bucket_policy").exists(p, p.bucket == this.bucket)"#),
            None
        );
        assert_eq!(plan("this.rule.exists(r, r.name == this.name)"), None);
    }
}
