//! What is wrong with a waiver of a blueprint.

use super::super::value::{Outcome, Val};
use super::super::waiver::{Claim, Fault, builtin, examine, undated};
use super::super::world::Context;
use super::take;

/// A list of `{at, message, help}`: the field it is about, what is wrong, what to write instead. Without a
/// date there may be more.
pub(super) fn waiver_faults<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [waiver] = take(values)?;
    let field = |name: &str| match waiver.field(name)? {
        Val::Null => Ok(String::new()),
        value => value.as_text().map(str::to_owned),
    };
    let claim = Claim {
        policy: field("policy")?,
        subject: field("subject")?,
        reason: field("reason")?,
        owner: field("owner")?,
        ticket: field("ticket")?,
        expires: field("expires")?,
    };
    let catalogue = context.world.catalogue.unwrap_or_else(|| builtin());
    let listed = |faults: Vec<Fault>| {
        let entry = |fault: Fault| {
            Val::map(vec![
                ("at".into(), Val::Str(fault.at.into())),
                ("message".into(), Val::text(fault.message)),
                ("help".into(), Val::text(fault.help)),
            ])
        };
        faults.into_iter().map(entry).collect()
    };
    Ok(match context.world.at {
        Some(at) => Val::list(listed(examine(&claim, catalogue, at).err().unwrap_or_default())),
        // Some faults are faults on any day.
        None => {
            Val::open_list(listed(undated(&claim, catalogue)), "no date is given; say --at DATE".to_owned())
        }
    })
}
