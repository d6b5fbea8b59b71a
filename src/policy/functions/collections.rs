//! Lists, mappings, types.

use super::super::value::{Outcome, Val, equal, unknown};
use super::super::world::Context;
use super::take;

/// Characters of a string, items of a list, entries of a mapping; nothing has none.
pub(super) fn size<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    let size = match value {
        Val::Null => 0,
        Val::Str(text) => text.chars().count(),
        Val::List(list) => list.size()?,
        Val::Map(map) => map.len(),
        other => return other.refuse("a string, list or mapping"),
    };
    Ok(Val::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

pub(super) fn type_of<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    Ok(Val::Str(value.type_name().into()))
}

/// The compiler turns calls of it into an expression that evaluates the second value only if it is needed.
pub(super) fn default<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value, otherwise] = take(values)?;
    Ok(if matches!(value, Val::Null) { otherwise.clone() } else { value.clone() })
}

/// Whether there is a value: not null, and no text or list without anything in it.
pub(super) fn written<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    Ok(Val::Bool(match value {
        Val::Null => false,
        Val::Str(text) => !text.is_empty(),
        Val::List(list) => list.size()? > 0,
        _ => true,
    }))
}

/// For what a policy knows that the files at hand cannot show.
pub(super) fn unproven<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [reason] = take(values)?;
    unknown(reason.as_text()?)
}

pub(super) fn values<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    match value {
        Val::Map(map) => Ok(Val::list(map.entries().into_iter().map(|(_, value)| value).collect())),
        other => Ok(Val::list(other.items()?)),
    }
}

/// One level; an item that is no list stays, null falls away.
pub(super) fn flatten<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    let mut flat = Vec::new();
    for item in value.items()? {
        match item {
            Val::List(list) => flat.extend(list.iter()),
            Val::Null => {}
            // Nobody knows how many items this is.
            Val::Unknown(_) => return item.known(),
            other => flat.push(other),
        }
    }
    Ok(Val::list(flat))
}

pub(super) fn distinct<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    let mut seen: Vec<Val<'a>> = Vec::new();
    for item in value.items()? {
        if !super::any(&seen, |earlier| equal(earlier, &item))? {
            seen.push(item);
        }
    }
    Ok(Val::list(seen))
}
