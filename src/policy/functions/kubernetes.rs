//! Objects and the pods in them.

use super::super::value::{Dict, Outcome, Val, error, unknown};
use super::super::world::Context;
use super::{names_of, take};
use crate::kubernetes::{Object, pod_security, workload};
use crate::source::Node;

/// Every object of a kind, in file order. What was not followed may make more of them: then the list is open.
pub(super) fn objects<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [kinds] = take(values)?;
    if context.world.objects.is_empty() && context.world.unread.is_none() {
        return unknown("no Kubernetes manifest is among the inputs");
    }
    let mut found = Vec::new();
    for kind in names_of(kinds)? {
        found.extend(context.objects(&kind).into_iter().map(|object| Val::Map(Dict::Object(object))));
    }
    Ok(match context.world.unread {
        Some(why) => Val::open_list(found, why.to_owned()),
        None => Val::list(found),
    })
}

pub(super) fn namespace_of<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [object] = take(values)?;
    if let Val::Map(Dict::Object(object)) = object
        && !workload::is_namespaced(&object.kind)
    {
        return Ok(Val::Null);
    }
    match object.field("metadata")?.field("namespace")? {
        Val::Null => Ok(Val::Str("default".into())),
        namespace => namespace.known(),
    }
}

/// Where a kind keeps its pod template, and the template.
pub(in super::super) fn pod_template(object: &Object) -> Option<(&'static [&'static str], &Node)> {
    workload::template_path(&object.kind).zip(workload::pod(object))
}

pub(super) fn pod<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [object] = take(values)?;
    match object {
        Val::Map(Dict::Object(object)) => {
            Ok(pod_template(object).map_or(Val::Null, |(_, template)| Val::from(template)))
        }
        other => other.refuse("an object"),
    }
}

/// The pod of an object, or the value itself where it is a pod already.
pub(super) fn as_pod<'a>(value: &Val<'a>) -> Val<'a> {
    match value {
        Val::Map(Dict::Object(object)) => {
            pod_template(object).map_or(Val::Null, |(_, template)| Val::from(template))
        }
        pod => pod.clone(),
    }
}

pub(super) fn containers<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [object] = take(values)?;
    let spec = as_pod(object).field("spec")?;
    let mut found = Vec::new();
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        found.extend(spec.field(list)?.known()?.items()?);
    }
    Ok(Val::list(found))
}

/// What Pod Security admission of a level and version (`v1.34` or `latest`) has against the pods of an object.
pub(super) fn pod_security_violations<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [object, level, version] = take(values)?;
    let level = level.as_text()?;
    let Some(level) = pod_security::Level::of(level) else {
        return error(format!("there is no Pod Security level `{level}`"));
    };
    let version = version.as_text()?;
    let minor = match version.strip_prefix("v1.").map(str::parse) {
        _ if version == "latest" => u32::MAX,
        Some(Ok(minor)) => minor,
        _ => return error(format!("`{version}` is no version of Pod Security: write v1.34 or latest")),
    };
    let Val::Map(Dict::Object(object)) = object else { return object.refuse("an object") };
    let Some((_, pod)) = pod_template(object) else { return Ok(Val::list(Vec::new())) };
    let found = pod_security::violations(pod, level, minor);
    if found.is_empty()
        && level > pod_security::Level::Privileged
        && let Some(why) = pod_security::doubt(pod)
    {
        return unknown(why);
    }
    Ok(Val::list(found.into_iter().map(Val::text).collect()))
}
