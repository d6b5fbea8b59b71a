//! Where the scheduler may put a pod: label selectors, taints and tolerations, node affinity.
//!
//! Rules: Kubernetes documentation, "Taints and Tolerations", "Assigning Pods to Nodes", "Labels and Selectors".

use super::super::value::{Outcome, Undecided, Val, error, unknown};
use super::super::world::Context;
use super::kubernetes::as_pod;
use super::{all, any, take};

/// Prefixes of labels that the kubelet, the cloud or EKS puts on nodes: absent from files, present on nodes.
const ADDED_ELSEWHERE: [&str; 6] = [
    "kubernetes.io/",
    "beta.kubernetes.io/",
    "node.kubernetes.io/",
    "topology.kubernetes.io/",
    "failure-domain.beta.kubernetes.io/",
    "eks.amazonaws.com/",
];

fn text_of(value: Val<'_>) -> Result<Option<String>, Undecided> {
    match value.known()? {
        Val::Null => Ok(None),
        text => Ok(Some(text.as_text()?.to_owned())),
    }
}

/// `selects(selector, labels)`
pub(super) fn selects<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [selector, labels] = take(values)?;
    if matches!(selector, Val::Null) {
        return Ok(Val::Bool(false));
    }
    let look_up = |key: &str| text_of(labels.field(key)?);
    let exact = match_labels(&selector.field("matchLabels")?, &look_up);
    let expressions = selector.field("matchExpressions")?.known()?.items()?;
    all([exact, all(expressions, |expression| requirement(&expression, &look_up))], |part| part)
        .map(Val::Bool)
}

type LookUp<'l> = &'l dyn Fn(&str) -> Result<Option<String>, Undecided>;

fn match_labels(wanted: &Val<'_>, look_up: LookUp<'_>) -> Result<bool, Undecided> {
    let entries = match wanted {
        Val::Null => return Ok(true),
        Val::Map(map) => map.entries(),
        other => return other.refuse("a mapping of labels"),
    };
    all(entries, |(key, value)| {
        let wanted = text_of(value)?;
        Ok(look_up(&key)? == wanted)
    })
}

/// One entry of `matchExpressions`.
fn requirement(expression: &Val<'_>, look_up: LookUp<'_>) -> Result<bool, Undecided> {
    let Some(key) = text_of(expression.field("key")?)? else {
        return error("a matchExpressions entry has no key");
    };
    let operator = text_of(expression.field("operator")?)?.unwrap_or_default();
    let present = look_up(&key)?;
    let values = expression.field("values")?.known()?.items()?;
    let among = |present: &str| any(&values, |value| Ok(value.as_text()? == present));
    let number = |text: &str| text.parse::<i64>().ok();
    match operator.as_str() {
        "In" => present.map_or(Ok(false), |present| among(&present)),
        "NotIn" => present.map_or(Ok(true), |present| among(&present).map(|found| !found)),
        "Exists" => Ok(present.is_some()),
        "DoesNotExist" => Ok(present.is_none()),
        "Gt" | "Lt" => {
            let bound = match values.first() {
                Some(value) => number(value.as_text()?),
                None => None,
            };
            Ok(present.as_deref().and_then(number).zip(bound).is_some_and(|(present, bound)| {
                if operator == "Gt" { present > bound } else { present < bound }
            }))
        }
        other => error(format!("there is no operator `{other}` in matchExpressions")),
    }
}

/// `NoSchedule` of `NO_SCHEDULE`: EKS writes effects its own way.
fn effect(text: &str) -> &str {
    match text {
        "NO_SCHEDULE" => "NoSchedule",
        "NO_EXECUTE" => "NoExecute",
        "PREFER_NO_SCHEDULE" => "PreferNoSchedule",
        other => other,
    }
}

/// `tolerates(pod, taints)`
pub(super) fn tolerates<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [pod, taints] = take(values)?;
    tolerated(&as_pod(pod), taints).map(Val::Bool)
}

fn tolerated(pod: &Val<'_>, taints: &Val<'_>) -> Result<bool, Undecided> {
    let tolerations = pod.field("spec")?.field("tolerations")?.known()?.items()?;
    all(taints.items()?, |taint| {
        let taint = taint.known()?;
        let key = text_of(taint.field("key")?)?.unwrap_or_default();
        let value = text_of(taint.field("value")?)?.unwrap_or_default();
        let wanted = text_of(taint.field("effect")?)?.unwrap_or_default();
        // A preference keeps nothing away.
        if effect(&wanted) == "PreferNoSchedule" {
            return Ok(true);
        }
        any(&tolerations, |toleration| {
            let own = |name: &str| toleration.field(name).and_then(text_of);
            if own("effect")?.is_some_and(|own| !own.is_empty() && own != effect(&wanted)) {
                return Ok(false);
            }
            let own_key = own("key")?.unwrap_or_default();
            match own("operator")?.as_deref() {
                Some("Exists") => Ok(own_key.is_empty() || own_key == key),
                None | Some("" | "Equal") => Ok(own_key == key && own("value")?.unwrap_or_default() == value),
                Some(other) => unknown(format!("the toleration's operator `{other}` is not decided here")),
            }
        })
    })
}

/// `schedulable(pod, labels, taints)`
pub(super) fn schedulable<'a>(_: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [pod, labels, taints] = take(values)?;
    let pod = as_pod(pod);
    let look_up = |key: &str| match text_of(labels.field(key)?)? {
        Some(value) => Ok(Some(value)),
        None if key == "kubernetes.io/os" => Ok(Some("linux".to_owned())),
        None if ADDED_ELSEWHERE.iter().any(|prefix| key.starts_with(prefix)) => {
            unknown(format!("the node's label `{key}` is not set by these files"))
        }
        None => Ok(None),
    };
    let spec = pod.field("spec")?;
    let selected = match_labels(&spec.field("nodeSelector")?, &look_up);
    let required = spec
        .field("affinity")?
        .field("nodeAffinity")?
        .field("requiredDuringSchedulingIgnoredDuringExecution")?
        .known()?;
    let affine = match required {
        Val::Null => Ok(true),
        // Terms are alternatives; the requirements of one term hold together; an empty term matches no node.
        required => any(required.field("nodeSelectorTerms")?.known()?.items()?, |term| {
            let fields = term.field("matchFields")?.known()?.items()?;
            let expressions = term.field("matchExpressions")?.known()?.items()?;
            if fields.is_empty() && expressions.is_empty() {
                return Ok(false);
            }
            let of_fields = match fields.first() {
                Some(_) => unknown("matchFields name a node, and nodes are not in these files"),
                None => Ok(true),
            };
            all([all(expressions, |expression| requirement(&expression, &look_up)), of_fields], |part| part)
        }),
    };
    all([tolerated(&pod, taints), selected, affine], |part| part).map(Val::Bool)
}
