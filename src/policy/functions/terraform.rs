//! The graph of a Terraform module: what there is, what refers to what.

use super::super::value::{Dict, Outcome, Undecided, Val, error, unknown};
use super::super::world::Context;
use super::{names_of, take};
use crate::source::Reference;
use crate::terraform::Resource;
use crate::terraform::address::{block, local};

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

/// Every resource of a type, in file order. A called module that is not read may declare more of them: then the list is open.
pub(super) fn resources<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [types] = take(values)?;
    module_known(context)?;
    let found = names_of(types)?.iter().flat_map(|type_| context.resources(type_)).collect();
    Ok(listed(found, context.called_module(None)))
}

/// The resources of a type that these very files declare: what a called module adds is left out, so the list is never
/// open. For `when`, where a doubt about every module would be a finding about every caller.
pub(super) fn declared<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [types] = take(values)?;
    module_known(context)?;
    let found = names_of(types)?.iter().flat_map(|type_| context.resources(type_)).collect();
    Ok(listed(found, None))
}

/// The resources of a type that refer to this one anywhere in their arguments. A called module that is given the
/// resource and is not read may hold more of them: then the list is open.
pub(super) fn referrers<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [target, types] = take(values)?;
    let address = match target {
        Val::Map(Dict::Resource(resource)) => resource.address.to_string(),
        Val::Reference(reference) => reference.address.to_string(),
        other => return other.refuse("a resource"),
    };
    module_known(context)?;
    let types = names_of(types)?;
    let found: Vec<&Resource> = types.iter().flat_map(|type_| context.referrers(&address, type_)).collect();
    if let Some(reason) = types.iter().find_map(|type_| context.may_refer(type_, &found)) {
        let found = found.into_iter().map(|resource| Val::Map(Dict::Resource(resource))).collect();
        return Ok(Val::open_list(found, reason));
    }
    Ok(listed(found, context.called_module(Some(&address))))
}

/// The resources of a type that this one refers to anywhere in its arguments.
pub(super) fn referents<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [from, types] = take(values)?;
    let Val::Map(Dict::Resource(from)) = from else { return from.refuse("a resource") };
    module_known(context)?;
    let mut found = Vec::new();
    let mut hidden = None;
    for type_ in names_of(types)? {
        let (of_type, more) = context.referents(from, &type_);
        found.extend(of_type.into_iter().map(|resource| Val::Map(Dict::Resource(resource))));
        hidden = hidden.or(more);
    }
    Ok(match hidden {
        Some(reason) => Val::open_list(found, reason),
        None => Val::list(found),
    })
}

fn listed<'a>(found: Vec<&'a Resource>, elsewhere: Option<&str>) -> Val<'a> {
    let found = found.into_iter().map(|resource| Val::Map(Dict::Resource(resource))).collect();
    match elsewhere {
        Some(call) => {
            Val::open_list(found, format!("module `{call}` may declare it, and its files are not read here"))
        }
        None => Val::list(found),
    }
}

/// The blocks of a kind that are no resources: `terraform`, `provider`, `variable`, `output`, `module`.
pub(super) fn blocks<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [kind] = take(values)?;
    module_known(context)?;
    let kind = kind.as_text()?;
    let blocks = context.world.module.map_or(&[][..], |module| &module.blocks);
    let found = blocks.iter().filter(|block| &*block.kind == kind);
    Ok(Val::list(found.map(|block| Val::from(&block.body)).collect()))
}

/// The type of what a reference refers to; of a module's output nobody knows it.
pub(super) fn type_of(reference: &Reference) -> Result<String, Undecided> {
    let address = local(block(&reference.address));
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
        Val::Partial(_) => value.refuse("a reference"),
        _ => Ok(Val::Bool(false)),
    }
}

/// Whether a value names an internet gateway: a reference to one, or its id written out.
pub(super) fn is_internet_gateway<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    Ok(Val::Bool(match value {
        Val::Reference(reference) => {
            type_of(reference)?.trim_start_matches("data.") == "aws_internet_gateway"
        }
        Val::Str(text) => text.starts_with("igw-"),
        Val::Partial(partial) if partial.start.starts_with("igw-") => true,
        Val::Partial(_) => return value.refuse("an id"),
        _ => false,
    }))
}

/// Whether a value names a KMS key that the account's owner manages: any but an alias `alias/aws/...` of AWS, which a
/// data source may stand for.
pub(super) fn is_customer_key<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    const AWS: &str = "alias/aws/";
    let [value] = take(values)?;
    match value {
        Val::Null => Ok(Val::Bool(false)),
        Val::Str(text) => Ok(Val::Bool(!text.is_empty() && !text.contains(AWS))),
        // An ARN that says `key/` has no alias in it.
        Val::Partial(partial) if partial.start.contains(AWS) || partial.end.contains(AWS) => {
            Ok(Val::Bool(false))
        }
        Val::Partial(partial)
            if partial.start.contains(":key/")
                || partial.end.contains("key/")
                || partial.end.contains("alias/") =>
        {
            Ok(Val::Bool(true))
        }
        Val::Reference(reference) => {
            let resource = match resolve(context, std::slice::from_ref(value)) {
                // A key that is declared elsewhere is a customer's all the same; a data source may stand for one of AWS.
                Err(Undecided::Unknown(why)) => match type_of(reference)?.as_str() {
                    "aws_kms_key"
                    | "aws_kms_replica_key"
                    | "aws_kms_external_key"
                    | "aws_kms_replica_external_key" => return Ok(Val::Bool(true)),
                    _ => return Err(Undecided::Unknown(why)),
                },
                resource => resource?,
            };
            let alias = match resource.field("name")? {
                Val::Null => resource.field("key_id")?,
                name => name,
            };
            match alias.known()? {
                Val::Null => Ok(Val::Bool(true)),
                Val::Reference(other) if type_of(&other)?.starts_with("aws_kms_") => Ok(Val::Bool(true)),
                Val::Partial(partial) if !partial.start.starts_with("alias/aws") => Ok(Val::Bool(true)),
                name => Ok(Val::Bool(!name.as_text()?.starts_with(AWS))),
            }
        }
        other => other.refuse("a key"),
    }
}

/// The resource a reference points into.
pub(super) fn resolve<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [value] = take(values)?;
    let reference = match value {
        Val::Reference(reference) => reference,
        Val::Partial(_) => return value.refuse("a reference"),
        _ => return Ok(Val::Null),
    };
    match context.resource(&reference.address) {
        Some(resource) => Ok(Val::Map(Dict::Resource(resource))),
        None if context.is_ambiguous(&reference.address) => {
            unknown(format!("which instance of `{}` is meant is not known", reference.address))
        }
        None => unknown(format!("`{}` is not declared in these files", reference.address)),
    }
}
