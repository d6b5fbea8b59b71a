//! References into the value of an attribute: `aws_eks_cluster.main.certificate_authority[0].data`.

use crate::source::{Finding, fault};
use crate::terraform::module::Use;

use super::check::suggestion;
use super::store::{Block, Nesting, Type};

/// What a reference has reached.
enum Reached<'s> {
    /// One block.
    Block(&'s Block),
    /// The blocks of a type, as a list or a set.
    Blocks(&'s Block),
    Value(&'s Type),
}

/// The first name of a reference that leads nowhere. Its attribute is one the block has.
pub(super) fn check(used: &Use, block: &Block) -> Option<Finding> {
    let mut reached = member(block, &used.attribute)?;
    let mut path = format!("{}.{}", used.address, used.attribute);
    for step in &used.within {
        let name = &*step.name;
        let absent = |names: Vec<&str>, what: &str| {
            let help = suggestion(name, names.into_iter(), what);
            Finding::fault(fault::TERRAFORM_REFERENCE, step.span, format!("{what} has no attribute `{name}`"))
                .label("no such attribute")
                .help(help)
        };
        if !step.direct {
            path.push_str("[...]");
        }
        reached = match reached {
            Reached::Blocks(_) | Reached::Value(Type::List(_) | Type::Set(_)) if step.direct => {
                return Some(
                    Finding::fault(
                        fault::TERRAFORM_REFERENCE,
                        step.span,
                        format!("{path} is a list, so `{name}` is an attribute of one of its elements"),
                    )
                    .label("which element?")
                    .help(format!("write {path}[0].{name}, or {path}[*].{name} for all of them")),
                );
            }
            Reached::Block(block) | Reached::Blocks(block) => {
                if block.unknown {
                    return None;
                }
                match member(block, name) {
                    Some(inner) => inner,
                    None => return Some(absent(block.names().collect(), &path)),
                }
            }
            Reached::Value(Type::Object(members)) => match members.get(name) {
                Some(type_) => Reached::Value(type_),
                None => return Some(absent(members.keys().map(String::as_str).collect(), &path)),
            },
            Reached::Value(Type::List(of) | Type::Set(of)) => match (&**of, step.direct) {
                (Type::Object(members), false) => match members.get(name) {
                    Some(type_) => Reached::Value(type_),
                    None => return Some(absent(members.keys().map(String::as_str).collect(), &path)),
                },
                _ => return None,
            },
            Reached::Value(type_ @ (Type::String | Type::Number | Type::Bool)) if step.direct => {
                let message = format!("{path} is {}, which has no attributes", type_.describe());
                return Some(
                    Finding::fault(fault::TERRAFORM_REFERENCE, step.span, message)
                        .label("no such attribute")
                        .help(format!("write {path}")),
                );
            }
            // The keys of maps are free.
            Reached::Value(_) => return None,
        };
        path.push('.');
        path.push_str(name);
    }
    None
}

fn member<'s>(block: &'s Block, name: &str) -> Option<Reached<'s>> {
    if let Some(attribute) = block.attributes.get(name) {
        return Some(Reached::Value(&attribute.type_));
    }
    let nested = block.blocks.get(name)?;
    match nested.nesting {
        Nesting::Single => Some(Reached::Block(&nested.block)),
        Nesting::List | Nesting::Set => Some(Reached::Blocks(&nested.block)),
        Nesting::Map => None,
    }
}
