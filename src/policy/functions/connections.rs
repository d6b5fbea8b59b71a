//! What network policies let through, from a pod to a pod.
//!
//! <https://kubernetes.io/docs/concepts/services-networking/network-policies/>: a direction of a pod that no policy selects
//! is open; otherwise exactly what some policy of its namespace lists goes through, and a connection has to be let out on
//! one side and in on the other. A rule on addresses (`ipBlock`) is about what is outside of the cluster, and lets no pod
//! through here.

use super::super::value::{Outcome, Undecided, Val, error, unknown};
use super::super::world::Context;
use super::kubernetes::{as_pod, namespace_of};
use super::scheduling::selects;
use super::{all, any, take};

const POLICY: &str = "NetworkPolicy.networking.k8s.io";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ingress,
    Egress,
}

impl Direction {
    fn field(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }

    fn type_(self) -> &'static str {
        match self {
            Self::Ingress => "Ingress",
            Self::Egress => "Egress",
        }
    }

    fn peers(self) -> &'static str {
        match self {
            Self::Ingress => "from",
            Self::Egress => "to",
        }
    }
}

/// One end of a connection.
struct End<'a> {
    namespace: String,
    labels: Val<'a>,
    /// The pod, to find out its ports' names; null for one that is not in the files.
    pod: Val<'a>,
    /// Whether its policies are in the files.
    judged: bool,
}

/// A workload, or `{namespace, labels}` of pods that are not in the files.
fn end<'a>(context: &Context<'a>, value: &Val<'a>) -> Result<End<'a>, Undecided> {
    let pod = as_pod(value);
    let text = |value: Val<'a>| value.as_text().map(str::to_owned);
    if matches!(value, Val::Map(super::super::value::Dict::Object(_))) && !matches!(pod, Val::Null) {
        let namespace = text(namespace_of(context, std::slice::from_ref(value))?)?;
        let labels = pod.field("metadata")?.field("labels")?;
        return Ok(End { namespace, labels, pod, judged: true });
    }
    let namespace = text(value.field("namespace")?)?;
    Ok(End { namespace, labels: value.field("labels")?, pod: Val::Null, judged: false })
}

/// `connects(from, to, port)`: the network policies let a pod of one workload open a connection to a port of the other.
pub(super) fn connects<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [from, to, port] = take(values)?;
    let (from, to) = (end(context, from)?, end(context, to)?);
    let (number, protocol) = match port {
        Val::Int(number) => (*number, "TCP"),
        Val::Str(text) => match text.split_once('/') {
            Some((number, protocol)) => match number.parse() {
                Ok(number) => (number, protocol),
                Err(_) => return error(format!("`{number}` is no port")),
            },
            None => return error("a port is a number, or a text such as \"53/UDP\""),
        },
        other => return other.refuse("a port"),
    };
    let out = lets(context, Direction::Egress, &from, &to, (number, protocol));
    if out == Ok(false) {
        return Ok(Val::Bool(false));
    }
    let into = lets(context, Direction::Ingress, &to, &from, (number, protocol));
    all([out, into], |side| side).map(Val::Bool)
}

/// The policies of a namespace that select a pod in a direction.
fn policies<'a>(
    context: &Context<'a>,
    direction: Direction,
    of: &End<'a>,
) -> Result<Vec<Val<'a>>, Undecided> {
    // One more policy can close what these leave open, and open what they close.
    if let Some(why) = context.world.unread {
        return unknown(why);
    }
    let mut found = Vec::new();
    for object in context.objects(POLICY) {
        let policy = Val::Map(super::super::value::Dict::Object(object));
        if namespace_of(context, std::slice::from_ref(&policy))?.as_text()? != of.namespace {
            continue;
        }
        let spec = policy.field("spec")?;
        let types = spec.field("policyTypes")?.known()?;
        let applies = match (&types, direction) {
            // Without types a policy is about what comes in, and about what goes out if it lists some.
            (Val::Null, Direction::Ingress) => true,
            (Val::Null, Direction::Egress) => !matches!(spec.field("egress")?, Val::Null),
            _ => any(types.items()?, |type_| Ok(type_.as_text()? == direction.type_()))?,
        };
        let selector = match spec.field("podSelector")?.known()? {
            Val::Null => Val::map(Vec::new()),
            selector => selector,
        };
        if applies && selects(context, &[selector, of.labels.clone()])?.truth()? {
            found.push(spec);
        }
    }
    Ok(found)
}

fn lets<'a>(
    context: &Context<'a>,
    direction: Direction,
    of: &End<'a>,
    other: &End<'a>,
    port: (i64, &str),
) -> Result<bool, Undecided> {
    if !of.judged {
        return Ok(true);
    }
    let selecting = policies(context, direction, of)?;
    if selecting.is_empty() {
        return Ok(true);
    }
    // The port is one of the pod that is called.
    let called = if direction == Direction::Egress { other } else { of };
    any(selecting, |spec| {
        let rules = spec.field(direction.field())?.known()?.items()?;
        any(rules, |rule| {
            let ports = rule.field("ports")?.known()?.items()?;
            let open = ports.is_empty() || any(ports, |listed| fits(&listed, port, called))?;
            if !open {
                return Ok(false);
            }
            let peers = rule.field(direction.peers())?.known()?.items()?;
            Ok(peers.is_empty() || any(peers, |peer| is_peer(context, &peer, of, other))?)
        })
    })
}

fn fits(listed: &Val<'_>, (number, protocol): (i64, &str), called: &End<'_>) -> Result<bool, Undecided> {
    let wanted = match listed.field("protocol")?.known()? {
        Val::Null => "TCP".to_owned(),
        text => text.as_text()?.to_owned(),
    };
    if wanted != protocol {
        return Ok(false);
    }
    match listed.field("port")?.known()? {
        Val::Null => Ok(true),
        Val::Int(first) => match listed.field("endPort")?.known()? {
            Val::Int(last) => Ok((first..=last).contains(&number)),
            _ => Ok(first == number),
        },
        name => {
            let name = name.as_text()?;
            let containers = called.pod.field("spec")?.field("containers")?.known()?.items()?;
            any(containers, |container| {
                any(container.field("ports")?.known()?.items()?, |port| {
                    let named = port.field("name")?;
                    let same = matches!(&named, Val::Str(own) if own == name);
                    Ok(same && matches!(port.field("containerPort")?, Val::Int(own) if own == number))
                })
            })
        }
    }
}

fn is_peer<'a>(
    context: &Context<'a>,
    peer: &Val<'a>,
    of: &End<'a>,
    other: &End<'a>,
) -> Result<bool, Undecided> {
    let namespaces = peer.field("namespaceSelector")?.known()?;
    let pods = peer.field("podSelector")?.known()?;
    if matches!((&namespaces, &pods), (Val::Null, Val::Null)) {
        return Ok(false);
    }
    let there = match namespaces {
        Val::Null => of.namespace == other.namespace,
        selector => selects(context, &[selector, namespace_labels(context, &other.namespace)?])?.truth()?,
    };
    let chosen = match pods {
        Val::Null => true,
        selector => selects(context, &[selector, other.labels.clone()])?.truth()?,
    };
    Ok(there && chosen)
}

/// Every namespace has its name as a label; the others stand in its object, if that is in the files.
fn namespace_labels<'a>(context: &Context<'a>, name: &str) -> Outcome<'a> {
    let mut labels = vec![("kubernetes.io/metadata.name".into(), Val::text(name))];
    for object in context.objects("Namespace.core") {
        if &*object.name == name
            && let Val::Map(own) =
                Val::Map(super::super::value::Dict::Object(object)).field("metadata")?.field("labels")?
        {
            labels.extend(own.entries());
        }
    }
    Ok(Val::map(labels))
}

/// `addresses(workload, direction)`: the ranges outside of the cluster that the policies let a workload's pods reach
/// (`"egress"`) or be reached from (`"ingress"`), each with its TCP and UDP ports; no ports stands for all of them. A
/// direction that nothing limits is everybody.
pub(super) fn addresses<'a>(context: &Context<'a>, values: &[Val<'a>]) -> Outcome<'a> {
    let [workload, direction] = take(values)?;
    let direction = match direction.as_text()? {
        "egress" => Direction::Egress,
        "ingress" => Direction::Ingress,
        other => return error(format!("`{other}` is no direction: write \"egress\" or \"ingress\"")),
    };
    let of = end(context, workload)?;
    let everybody = |ports: &[Val<'a>]| {
        ["0.0.0.0/0", "::/0"].map(|range| {
            Val::map(vec![
                ("cidr".into(), Val::Str(range.into())),
                ("ports".into(), Val::list(ports.to_vec())),
            ])
        })
    };
    let selecting = policies(context, direction, &of)?;
    if selecting.is_empty() {
        return Ok(Val::list(everybody(&[]).to_vec()));
    }
    let mut found = Vec::new();
    for spec in selecting {
        for rule in spec.field(direction.field())?.known()?.items()? {
            let mut ports = Vec::new();
            for port in rule.field("ports")?.known()?.items()? {
                ports.push(port.field("port")?);
            }
            let peers = rule.field(direction.peers())?.known()?.items()?;
            if peers.is_empty() {
                found.extend(everybody(&ports));
            }
            for peer in peers {
                let block = peer.field("ipBlock")?.known()?;
                if !matches!(block, Val::Null) {
                    found.push(Val::map(vec![
                        ("cidr".into(), block.field("cidr")?),
                        ("ports".into(), Val::list(ports.clone())),
                    ]));
                }
            }
        }
    }
    Ok(Val::list(found))
}
