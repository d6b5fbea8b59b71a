//! Services and components: namespace, placement, ports, and both ends of every dependency.

use indexmap::IndexMap;

use super::Faults;
use super::clusters::CLASS_KEY;
use super::names::{Names, suggest};
use crate::blueprint::model::{
    Blueprint, DataKind, FargateProfile, Image, Ingress, NodeClass, NodeGroup, SecretStore, Workload,
};
use crate::blueprint::platform::{Peer, Placement, PortPlan, SecretPlan, SecurityGroup, WorkloadPlan};
use crate::blueprint::scalar::{Name, known};
use crate::source::fault;

/// Labels that name a workload, on every pod of it.
const NAME_LABELS: [&str; 2] = ["app", "app.kubernetes.io/name"];

/// The home cluster, where placement is decided.
struct Home {
    groups: IndexMap<Name, NodeGroup>,
    profiles: IndexMap<Name, FargateProfile>,
}

pub(super) fn plan(
    blueprint: &mut Blueprint,
    names: &Names,
    faults: &mut Faults<'_>,
) -> (Vec<WorkloadPlan>, Vec<SecretPlan>) {
    let home = blueprint.regions.values().next().map_or_else(
        || Home { groups: IndexMap::new(), profiles: IndexMap::new() },
        |region| Home {
            groups: region.cluster.node_groups.clone(),
            profiles: region.cluster.fargate_profiles.clone(),
        },
    );
    let default_class = blueprint.storage.classes.keys().next().cloned();
    let mut planned = Vec::new();
    let groups = [("services", &mut blueprint.services), ("components", &mut blueprint.components)];
    for (group, workloads) in groups {
        for (name, workload) in workloads.iter_mut() {
            planned.push(one(group, name, workload, &home, default_class.as_ref(), names, faults));
        }
    }
    clash_faults(&planned, faults);
    connect(&mut planned, names, faults);
    expose(blueprint, &mut planned, names, faults);
    claim_faults(blueprint, names, faults);
    if blueprint.secrets.store == SecretStore::SecretsManager {
        for workload in &mut planned {
            // The driver is a DaemonSet, and Fargate runs none
            // (docs.aws.amazon.com/secretsmanager/latest/userguide/integrate_eks.html).
            workload.reads_store =
                workload.placement.fargate_profile.is_none() && !workload.spec.secret_files.is_empty();
        }
    }
    let secrets = secrets(&planned, blueprint.ingress.as_ref());
    (planned, secrets)
}

fn one(
    group: &'static str,
    name: &Name,
    workload: &mut Workload,
    home: &Home,
    default_class: Option<&Name>,
    names: &Names,
    faults: &mut Faults<'_>,
) -> WorkloadPlan {
    let path = |rest: &'static str| [group, name.as_str(), rest];
    let protected = workload.handles.iter().any(|kind| kind.is_protected());
    let namespace = workload
        .namespace
        .get_or_insert_with(|| {
            known(match group {
                "components" => "infrastructure",
                _ if protected => "financial",
                _ => "core",
            })
        })
        .clone();
    if !names.namespaces.iter().any(|known| known == namespace.as_str()) {
        faults.add(
            fault::DANGLING_REFERENCE,
            &path("namespace"),
            format!("there is no namespace `{namespace}`"),
            "no such namespace",
            format!(
                "{} Or declare it under `namespaces`",
                suggest(namespace.as_str(), &names.namespaces, "namespace")
            ),
        );
    }
    let image = workload.image.as_ref().map(image_reference).unwrap_or_default();
    if workload.image.is_none() && !faults.is_written(&path("image")) {
        faults.add(
            fault::MISSING_KEY,
            &[group, name.as_str()],
            format!("`{name}` has no image"),
            "`image` is missing here",
            "add `image: {repository: ..., digest: \"sha256:...\"}`",
        );
    }
    let placement = place(group, name, workload, (&namespace, protected), home, names, faults);
    if workload.storage.is_some() && placement.fargate_profile.is_some() {
        faults.add(
            fault::CONTRADICTION,
            &path("storage"),
            format!("`{name}` runs on Fargate, which cannot mount EBS volumes"),
            "not on Fargate",
            "remove `storage`, or the Fargate profile that selects it",
        );
    }
    let storage_class = workload.storage.as_mut().and_then(|storage| {
        storage.class = storage.class.take().or_else(|| default_class.cloned());
        storage.class.as_ref().map(ToString::to_string)
    });
    if let Some(class) = &storage_class
        && !names.storage_classes.contains(class)
    {
        faults.add(
            fault::DANGLING_REFERENCE,
            &[group, name.as_str(), "storage", "class"],
            format!("there is no storage class `{class}`"),
            "no such storage class",
            suggest(class, &names.storage_classes, "storage class"),
        );
    }
    let ports = std::iter::once(PortPlan { name: "main".to_owned(), port: workload.port })
        .chain(workload.ports.iter().map(|(name, port)| PortPlan { name: name.to_string(), port: *port }))
        .collect();
    port_faults(group, name, workload, faults);
    WorkloadPlan {
        name: name.to_string(),
        group,
        pointer: format!("{group}.{name}"),
        namespace: namespace.to_string(),
        image,
        stateful: workload.storage.is_some(),
        protected,
        handles: workload.handles.clone(),
        placement,
        ports,
        callers: Vec::new(),
        callees: Vec::new(),
        remote_callers: Vec::new(),
        remote_callees: Vec::new(),
        stores: Vec::new(),
        exposed: false,
        storage_class,
        reads_store: false,
        spec: workload.clone(),
    }
}

/// `repository:tag@digest`: the digest decides, the tag is for people.
pub(crate) fn image_reference(image: &Image) -> String {
    let mut text = image.repository.to_string();
    if let Some(tag) = &image.tag {
        text.push(':');
        text.push_str(tag);
    }
    if let Some(digest) = &image.digest {
        text.push('@');
        text.push_str(digest.as_str());
    }
    text
}

fn port_faults(group: &'static str, name: &Name, workload: &Workload, faults: &mut Faults<'_>) {
    let all = workload
        .ports
        .iter()
        .map(|entry| ("ports", entry))
        .chain(workload.peer_ports.iter().map(|entry| ("peerPorts", entry)));
    let mut seen = vec![("main".to_owned(), workload.port)];
    for (kind, (port_name, port)) in all {
        let twice = seen.iter().find(|(name, number)| name == port_name.as_str() || number == port);
        if let Some((other, number)) = twice {
            faults.add(
                fault::CONTRADICTION,
                &[group, name.as_str(), kind, port_name.as_str()],
                format!("the port `{port_name}` ({port}) of `{name}` clashes with `{other}` ({number})"),
                "a port given twice",
                "give each port a name and a number of its own; `main` is the name of `port`",
            );
        }
        // A port's name has at most 15 characters: kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1
        if port_name.as_str().len() > 15 {
            faults.add(
                fault::INVALID_VALUE,
                &[group, name.as_str(), kind, port_name.as_str()],
                format!("the port's name `{port_name}` is longer than Kubernetes allows"),
                "too long",
                "write at most 15 characters",
            );
        }
        seen.push((port_name.to_string(), *port));
    }
}

fn place(
    group: &'static str,
    name: &Name,
    workload: &mut Workload,
    (namespace, protected): (&Name, bool),
    home: &Home,
    names: &Names,
    faults: &mut Faults<'_>,
) -> Placement {
    if let Some((profile, labels)) = fargate(name, namespace, home) {
        // EKS moves every pod that fits a selector to Fargate, where no node has the group's label.
        if let Some(group_name) = &workload.placement {
            faults.add(
                fault::CONTRADICTION,
                &[group, name.as_str(), "placement"],
                format!("`{name}` is placed on the node group `{group_name}`, and the Fargate profile `{profile}` selects its pods"),
                "two places at once",
                "remove `placement`, or narrow the profile's selectors",
            );
        }
        return Placement {
            fargate_profile: Some(profile),
            pod_labels: labels,
            security_group: SecurityGroup::Fargate,
            ..Placement::default()
        };
    }
    let wanted = workload.placement.clone().or_else(|| by_class(workload, protected, home));
    let Some(wanted) = wanted else {
        if names.groups_unread {
            return Placement::default();
        }
        let class = if protected { NodeClass::Financial } else { NodeClass::General };
        faults.add(
            fault::DANGLING_REFERENCE,
            &[group, name.as_str()],
            format!("`{name}` needs a node group of class {}, and the first region has none", class.as_str()),
            "no nodes for it",
            format!("add a node group with `class: {}`, or say `placement: NODE-GROUP`", class.as_str()),
        );
        return Placement::default();
    };
    let Some(nodes) = home.groups.get(&wanted) else {
        if !names.home_groups.iter().any(|known| known == wanted.as_str()) {
            let help = if names.node_groups.iter().any(|known| known == wanted.as_str()) {
                format!(
                    "`{wanted}` is a node group of another region; pods are placed by the first region's groups"
                )
            } else {
                suggest(
                    wanted.as_str(),
                    &home.groups.keys().map(ToString::to_string).collect::<Vec<_>>(),
                    "node group",
                )
            };
            faults.add(
                fault::DANGLING_REFERENCE,
                &[group, name.as_str(), "placement"],
                format!("`{name}` is placed on the node group `{wanted}`, and the first region has none of this name"),
                "no such node group",
                help,
            );
        }
        return Placement::default();
    };
    workload.placement = Some(wanted.clone());
    let label = nodes.labels.get(CLASS_KEY).map(|value| (known(CLASS_KEY), value.clone()));
    Placement {
        node_group: Some(wanted.to_string()),
        node_labels: label.into_iter().collect(),
        taints: nodes.taints.clone().unwrap_or_default(),
        security_group: if nodes.class == NodeClass::Financial {
            SecurityGroup::Financial
        } else {
            SecurityGroup::Nodes
        },
        ..Placement::default()
    }
}

/// A Fargate profile selects the pod if its namespace fits and each label it asks for is one that names the workload
/// or one the pod can be given.
fn fargate(
    name: &Name,
    namespace: &Name,
    home: &Home,
) -> Option<(String, IndexMap<crate::blueprint::scalar::LabelKey, crate::blueprint::scalar::LabelValue>)> {
    home.profiles.iter().find_map(|(profile, settings)| {
        settings.selectors.iter().find_map(|selector| {
            let named = selector.labels.iter().filter(|(key, _)| NAME_LABELS.contains(&key.as_str()));
            let mut own = named.map(|(_, value)| value.as_str() == name.as_str()).peekable();
            let selects = selector.namespace == *namespace
                && (selector.labels.is_empty() || (own.peek().is_some() && own.all(|same| same)));
            selects.then(|| (profile.to_string(), selector.labels.clone()))
        })
    })
}

fn by_class(workload: &Workload, protected: bool, home: &Home) -> Option<Name> {
    let of = |class: NodeClass| {
        home.groups.iter().find(|(_, group)| group.class == class).map(|(name, _)| name.clone())
    };
    if protected {
        return of(NodeClass::Financial);
    }
    if workload.handles.contains(&DataKind::AuditLog)
        && let Some(group) = of(NodeClass::Compliance)
    {
        return Some(group);
    }
    of(NodeClass::General)
}

/// Services and components share the cluster's names: two of one name would be one DNS name apart.
fn clash_faults(planned: &[WorkloadPlan], faults: &mut Faults<'_>) {
    for (at, workload) in planned.iter().enumerate() {
        if let Some(first) = planned.iter().take(at).find(|other| other.name == workload.name) {
            faults.add_related(
                fault::CONTRADICTION,
                &[workload.group, &workload.name],
                format!("`{}` is both a service and a component", workload.name),
                "the name is taken",
                "rename one of the two",
                Some((&[first.group, &first.name], "first used here")),
            );
        }
    }
}

fn connect(planned: &mut [WorkloadPlan], names: &Names, faults: &mut Faults<'_>) {
    let known: IndexMap<String, Peer> = planned
        .iter()
        .map(|workload| {
            let peer = Peer {
                name: workload.name.clone(),
                namespace: workload.namespace.clone(),
                ports: workload.ports.clone(),
            };
            (workload.name.clone(), peer)
        })
        .collect();
    let mut callers: IndexMap<String, Vec<Peer>> = IndexMap::new();
    for workload in planned.iter_mut() {
        let wanted = workload.spec.depends_on.clone();
        for (at, name) in wanted.iter().enumerate() {
            let at = at.to_string();
            let path = [workload.group, workload.name.as_str(), "dependsOn", at.as_str()];
            if name.as_str() == workload.name {
                faults.add(
                    fault::CONTRADICTION,
                    &path,
                    format!("`{name}` depends on itself"),
                    "itself",
                    "remove it; ports between its own pods stand under `peerPorts`",
                );
                continue;
            }
            let Some(callee) = known.get(name.as_str()) else {
                if !names.workloads.iter().any(|known| known == name.as_str()) {
                    faults.add(
                        fault::DANGLING_REFERENCE,
                        &path,
                        format!(
                            "`{}` depends on `{name}`, and there is no service or component of this name",
                            workload.name
                        ),
                        "no such service or component",
                        suggest(name.as_str(), &names.workloads, "service or component"),
                    );
                }
                continue;
            };
            if workload.callees.contains(callee) {
                continue;
            }
            workload.callees.push(callee.clone());
            callers.entry(callee.name.clone()).or_default().push(Peer {
                name: workload.name.clone(),
                namespace: workload.namespace.clone(),
                ports: callee.ports.clone(),
            });
        }
    }
    for workload in planned {
        workload.callers = callers.shift_remove(&workload.name).unwrap_or_default();
    }
}

fn expose(blueprint: &Blueprint, planned: &mut [WorkloadPlan], names: &Names, faults: &mut Faults<'_>) {
    let Some(ingress) = &blueprint.ingress else { return };
    // No digest of the controller's image is published where it could be checked, so there is no default.
    if ingress.image.is_none() && !faults.is_written(&["ingress", "image"]) {
        faults.add(
            fault::MISSING_KEY,
            &["ingress"],
            "the ingress controller has no image",
            "`image` is missing here",
            "add `image: {repository: ..., digest: \"sha256:...\"}`, your copy of docker.io/nginx/nginx-ingress",
        );
    }
    for (at, route) in ingress.routes.iter().enumerate() {
        let at = at.to_string();
        let target = planned
            .iter_mut()
            .find(|workload| workload.group == "services" && workload.name == route.service.as_str());
        match target {
            Some(workload) => workload.exposed = true,
            None if names.services.iter().any(|known| known == route.service.as_str()) => {}
            None => faults.add(
                fault::DANGLING_REFERENCE,
                &["ingress", "routes", &at, "service"],
                format!(
                    "the route {} leads to `{}`, and there is no service of this name",
                    route.path, route.service
                ),
                "no such service",
                suggest(route.service.as_str(), &names.services, "service"),
            ),
        }
        if ingress.routes.iter().take(at.parse().unwrap_or(0)).any(|other| other.path == route.path) {
            faults.add(
                fault::CONTRADICTION,
                &["ingress", "routes", &at, "path"],
                format!("two routes have the path {}", route.path),
                "the path is taken",
                "keep one of the two",
            );
        }
    }
}

fn claim_faults(blueprint: &mut Blueprint, names: &Names, faults: &mut Faults<'_>) {
    let default_class = blueprint.storage.classes.keys().next().cloned();
    for (name, claim) in &mut blueprint.storage.claims {
        if !names.namespaces.iter().any(|known| known == claim.namespace.as_str()) {
            faults.add(
                fault::DANGLING_REFERENCE,
                &["storage", "claims", name.as_str(), "namespace"],
                format!("there is no namespace `{}`", claim.namespace),
                "no such namespace",
                suggest(claim.namespace.as_str(), &names.namespaces, "namespace"),
            );
        }
        claim.class = claim.class.take().or_else(|| default_class.clone());
        if let Some(class) = &claim.class
            && !names.storage_classes.iter().any(|known| known == class.as_str())
        {
            faults.add(
                fault::DANGLING_REFERENCE,
                &["storage", "claims", name.as_str(), "class"],
                format!("there is no storage class `{class}`"),
                "no such storage class",
                suggest(class.as_str(), &names.storage_classes, "storage class"),
            );
        }
    }
}

/// Every secret that pods refer to, once a namespace, with all its keys, and the certificate of the way in.
fn secrets(planned: &[WorkloadPlan], ingress: Option<&Ingress>) -> Vec<SecretPlan> {
    let mut secrets: Vec<SecretPlan> = Vec::new();
    let mut add = |namespace: &str, name: &Name, key: &str, kubernetes: bool| {
        let found =
            secrets.iter().position(|secret| secret.namespace.as_str() == namespace && secret.name == *name);
        match found.and_then(|at| secrets.get_mut(at)) {
            Some(secret) => {
                secret.kubernetes |= kubernetes;
                if !secret.keys.iter().any(|known| known == key) {
                    secret.keys.push(key.to_owned());
                }
            }
            None => secrets.push(SecretPlan {
                namespace: known(namespace),
                name: name.clone(),
                keys: vec![key.to_owned()],
                kubernetes,
            }),
        }
    };
    for workload in planned {
        for reference in workload.spec.secrets.values() {
            add(&workload.namespace, &reference.secret, &reference.key, true);
        }
        for files in workload.spec.secret_files.values() {
            for key in &files.keys {
                add(&workload.namespace, &files.secret, key, !workload.reads_store);
            }
        }
    }
    // Where an issuer is named, cert-manager makes it.
    if let Some(tls) = ingress.map(|ingress| &ingress.tls).filter(|tls| tls.issuer.is_none()) {
        for key in ["tls.crt", "tls.key"] {
            add("ingress", &tls.secret, key, true);
        }
    }
    secrets
}
