//! Tables of facts.

use super::super::facts::{names, table};
use super::super::value::{Outcome, Val, error};
use super::super::world::Context;
use super::take;
use crate::source::did_you_mean;

/// The table of a name, noted so that a report can say that it is old.
pub(super) fn facts<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [name] = take(values)?;
    let name = name.as_text()?;
    let Some(facts) = table(name) else {
        return error(match did_you_mean(name, names()) {
            Some(close) => format!("there is no table of facts `{name}`; did you mean `{close}`?"),
            None => format!("there is no table of facts `{name}`"),
        });
    };
    context.note_facts(facts.name);
    Ok(Val::from(&facts.table))
}
