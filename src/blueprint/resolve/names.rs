//! Names as they are written, also of things whose content cannot be read: a fault inside a service must not make
//! everything that refers to it dangle too.

use crate::source::{Node, did_you_mean};

/// The names other parts of a blueprint can refer to.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Region roles.
    pub(super) regions: Vec<String>,
    /// Node groups of any region.
    pub(super) node_groups: Vec<String>,
    /// Node groups of the first region.
    pub(super) home_groups: Vec<String>,
    /// Services, components and managed data stores: all that a service can depend on.
    pub(super) workloads: Vec<String>,
    /// Services.
    pub(super) services: Vec<String>,
    /// Namespaces, those that are there without being written too.
    pub(super) namespaces: Vec<String>,
    /// Storage classes.
    pub(super) storage_classes: Vec<String>,
    /// Whether something of a node group could not be read: then nobody can say that a class has no nodes.
    pub(crate) groups_unread: bool,
}

/// Namespaces a blueprint need not declare.
pub(super) const BUILT_IN_NAMESPACES: [&str; 5] = ["core", "financial", "infrastructure", "audit", "ingress"];

impl Names {
    /// Collects the names of a document. `sections` are the keys a blueprint may have: a section whose key is mistyped
    /// still gives its names, so that one letter does not make everything that refers to it dangle.
    pub(crate) fn of(tree: &Node, sections: &[&str]) -> Self {
        let section = |name: &str| {
            tree.get(name).or_else(|| {
                let meant = |key: &str| {
                    !sections.contains(&key) && did_you_mean(key, sections.iter().copied()) == Some(name)
                };
                tree.as_map()?.entries.iter().find(|(key, _)| meant(key)).map(|(_, entry)| &entry.node)
            })
        };
        let keys = |node: Option<&Node>| -> Vec<String> {
            node.and_then(Node::as_map)
                .into_iter()
                .flat_map(|map| map.entries.keys())
                .map(ToString::to_string)
                .collect()
        };
        let regions = section("regions").and_then(Node::as_map);
        let groups = |entry: &crate::source::Entry| keys(entry.node.at(&["cluster", "nodeGroups"]));
        let services = keys(section("services"));
        let mut namespaces = keys(section("namespaces"));
        namespaces.extend(BUILT_IN_NAMESPACES.map(str::to_owned));
        let mut storage_classes = keys(section("storage").and_then(|storage| storage.get("classes")));
        if storage_classes.is_empty() {
            storage_classes.push("encrypted".to_owned());
        }
        let managed: Vec<String> = ["caches", "brokers", "search"]
            .into_iter()
            .flat_map(|kind| keys(section("managed").and_then(|managed| managed.get(kind))))
            .collect();
        Self {
            regions: keys(section("regions")),
            node_groups: regions.into_iter().flat_map(|map| map.entries.values()).flat_map(groups).collect(),
            home_groups: regions.and_then(|map| map.entries.values().next()).map(groups).unwrap_or_default(),
            workloads: services.iter().cloned().chain(keys(section("components"))).chain(managed).collect(),
            services,
            namespaces,
            storage_classes,
            groups_unread: false,
        }
    }
}

/// What to write instead of a name that refers to nothing.
pub(super) fn suggest(name: &str, known: &[String], what: &str) -> String {
    let words = known.iter().map(String::as_str);
    match did_you_mean(name, words) {
        Some(close) => format!("did you mean `{close}`?"),
        None if known.is_empty() => format!("there is no {what} yet; add one of this name."),
        None => {
            let list: Vec<String> = known.iter().take(12).map(|name| format!("`{name}`")).collect();
            let more = if known.len() > 12 { ", ..." } else { "" };
            format!("known are {}{more}.", list.join(", "))
        }
    }
}
