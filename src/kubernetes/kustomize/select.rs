//! Which objects a patch or a replacement is for.

use regex::Regex;

use super::labels;
use super::resource::{Id, Resource};
use crate::source::{Finding, Node, Span};

/// A selector; names and kinds are patterns that have to match as a whole.
pub(super) struct Selector {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Option<(String, Span)>,
    annotations: Option<(String, Span)>,
}

/// The keys of a selector.
pub(super) const KEYS: [&str; 7] =
    ["group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"];

impl Selector {
    /// Reads a selector; what is no pattern is a finding, and selects nothing.
    pub(super) fn read(node: &Node, findings: &mut Vec<Finding>) -> Option<Self> {
        let mut broken = false;
        let mut pattern = |key: &str| {
            let node = node.get(key)?;
            let text = node.as_str().filter(|text| !text.is_empty())?;
            match Regex::new(&format!("^(?:{text})$")) {
                Ok(pattern) => Some(pattern),
                Err(_) => {
                    broken = true;
                    findings.push(
                        super::file::fault(node.span, format!("`{text}` is no pattern"))
                            .help("write a name, or a regular expression that matches whole names"),
                    );
                    None
                }
            }
        };
        let selector = Self {
            group: pattern("group"),
            version: pattern("version"),
            kind: pattern("kind"),
            name: pattern("name"),
            namespace: pattern("namespace"),
            labels: text(node, "labelSelector"),
            annotations: text(node, "annotationSelector"),
        };
        (!broken).then_some(selector)
    }

    /// Whether it selects an object, by what it is called or was called first.
    pub(super) fn selects(&self, resource: &Resource, findings: &mut Vec<Finding>) -> bool {
        let (now, first) = (resource.id(), resource.original());
        self.names(&now, &[&now, &first]) && self.marks(resource, findings)
    }

    /// The same by any name it ever had, as replacements look at it.
    pub(super) fn selects_any(&self, resource: &Resource, findings: &mut Vec<Finding>) -> bool {
        resource.ids().iter().any(|id| self.names(id, &[id])) && self.marks(resource, findings)
    }

    fn names(&self, kind: &Id, ids: &[&Id]) -> bool {
        let is = |pattern: &Option<Regex>, text: &str| {
            pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
        };
        is(&self.group, &kind.group)
            && is(&self.version, &kind.version)
            && is(&self.kind, &kind.kind)
            && ids.iter().any(|id| is(&self.name, &id.name))
            && ids.iter().any(|id| is(&self.namespace, id.effective_namespace()))
    }

    fn marks(&self, resource: &Resource, findings: &mut Vec<Finding>) -> bool {
        let mut hold = |selector: &Option<(String, Span)>, key: &str| {
            let Some((text, span)) = selector else { return true };
            labels::matches(text, resource.node.at(&["metadata", key])).unwrap_or_else(|message| {
                findings
                    .push(super::file::fault(*span, message).help("write for example app=ledger,tier!=web"));
                false
            })
        };
        hold(&self.labels, "labels") && hold(&self.annotations, "annotations")
    }
}

fn text(node: &Node, key: &str) -> Option<(String, Span)> {
    let node = node.get(key)?;
    node.as_str().filter(|text| !text.is_empty()).map(|text| (text.to_owned(), node.span))
}
