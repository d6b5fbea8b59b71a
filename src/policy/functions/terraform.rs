//! The graph of a Terraform module: what there is, what refers to what.

use super::super::value::{Dict, Outcome, Undecided, Val, error, unknown};
use super::super::world::{Context, block};
use super::{names_of, take};
use crate::source::Reference;

/// Without Terraform among the inputs nobody knows what the module declares.
fn module_known(context: &Context<'_>) -> Result<(), Undecided> {
    if context.world.module.is_some() { Ok(()) } else { unknown("no Terraform is among the inputs") }
}

/// `aws_vpc.main`, `Deployment/core/ledger`. (`address(this)` is answered by the compiler: a
/// blueprint's node does not know its own path.)
pub(super) fn address<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    match value {
        Val::Map(Dict::Resource(resource)) => Ok(Val::Str(resource.address.as_ref().into())),
        Val::Map(Dict::Object(object)) => Ok(Val::Str(object.address.as_ref().into())),
        Val::Reference(reference) => Ok(Val::text(reference.address.as_ref())),
        other => other.refuse("a resource or an object"),
    }
}

pub(super) fn kind_of<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    match value {
        Val::Map(Dict::Resource(resource)) if resource.managed => {
            Ok(Val::Str(resource.type_.as_ref().into()))
        }
        Val::Map(Dict::Resource(resource)) => Ok(Val::text(format!("data.{}", resource.type_))),
        Val::Map(Dict::Object(object)) => Ok(Val::Str(object.kind.as_ref().into())),
        Val::Reference(reference) => type_of(reference).map(Val::text),
        other => other.refuse("a resource or an object"),
    }
}

/// Every resource of a type, in file order.
pub(super) fn resources<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [types] = take(values)?;
    module_known(context)?;
    let mut found = Vec::new();
    for type_ in names_of(types)? {
        found.extend(context.resources(&type_).iter().map(|resource| Val::Map(Dict::Resource(resource))));
    }
    Ok(Val::list(found))
}

/// The resources of a type that refer to this one anywhere in their arguments.
pub(super) fn referrers<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [target, types] = take(values)?;
    let address = match target {
        Val::Map(Dict::Resource(resource)) => resource.address.to_string(),
        Val::Reference(reference) => reference.address.to_string(),
        other => return other.refuse("a resource"),
    };
    module_known(context)?;
    let types = names_of(types)?;
    let found = context.referrers(&address).iter().filter(|resource| {
        types.iter().any(|type_| match type_.strip_prefix("data.") {
            Some(type_) => !resource.managed && &*resource.type_ == type_,
            None => resource.managed && &*resource.type_ == type_,
        })
    });
    Ok(Val::list(found.map(|resource| Val::Map(Dict::Resource(resource))).collect()))
}

/// The type of what a reference refers to; of a module's output nobody knows it.
fn type_of(reference: &Reference) -> Result<String, Undecided> {
    let address = block(&reference.address);
    let (first, rest) = address.split_once('.').unwrap_or((address, ""));
    match first {
        "module" => unknown(format!("`{address}` is the output of a module")),
        "data" => Ok(format!("data.{}", rest.split('.').next().unwrap_or(rest))),
        type_ => Ok(type_.to_owned()),
    }
}

/// Whether a value is a reference to a resource of a type.
pub(super) fn references<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value, types] = take(values)?;
    let types = names_of(types)?;
    match value {
        Val::Reference(reference) => Ok(Val::Bool(types.contains(&type_of(reference)?))),
        Val::List(_) => error("this is a list; ask each item: list.exists(v, references(v, type))"),
        _ => Ok(Val::Bool(false)),
    }
}

/// The resource a reference points into.
pub(super) fn resolve<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    let Val::Reference(reference) = value else { return Ok(Val::Null) };
    match context.resource(&reference.address) {
        Some(resource) => Ok(Val::Map(Dict::Resource(resource))),
        None if reference.address.starts_with("module.") => {
            unknown(format!("`{}` is the output of a module", reference.address))
        }
        None => Ok(Val::Null),
    }
}
