//! The embedded definitions as something to walk along: what stands below a field.

use super::store::{Definition, store};

/// The type of a node, as the newest version has it.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// As the module's documentation writes types.
    type_: String,
}

impl Shape {
    /// The type of objects of a kind of Kubernetes' own.
    pub(crate) fn of(api_version: &str, kind: &str) -> Option<Self> {
        let known = store().kinds().filter(|entry| entry.api_version == api_version && entry.kind == kind);
        known.last().map(|entry| Self { type_: format!("@{}", entry.definition) })
    }

    /// The definition it is of, by its full name, if it is no other type.
    pub(crate) fn definition(&self) -> Option<&str> {
        self.type_.strip_prefix('@')
    }

    /// What stands below a key.
    pub(crate) fn field(&self, key: &str) -> Option<Self> {
        if let Some(value) = self.type_.strip_prefix('{') {
            return Some(Self { type_: value.to_owned() });
        }
        let store = store();
        let newest = 1 << store.versions.len().saturating_sub(1);
        match store.definition(self.definition()?, newest)? {
            Definition::Fields(fields) => fields
                .iter()
                .find(|field| field.name == key)
                .map(|field| Self { type_: field.type_.to_owned() }),
            Definition::Alias(_) => None,
        }
    }

    /// What the items of the list are.
    pub(crate) fn element(&self) -> Option<Self> {
        self.type_.strip_prefix('[').map(|type_| Self { type_: type_.to_owned() })
    }
}
