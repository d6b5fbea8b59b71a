//! What the provider calls sensitive, which its schema as it is embedded does not say.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A table for people to read and to mend: `sensitive.yaml`.
const TABLE: &str = include_str!("sensitive.yaml");

static SENSITIVE: LazyLock<BTreeMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    // Every run asks, so the lines are taken apart here; a test holds this against what YAML makes of them.
    let lines = TABLE.lines().skip_while(|line| !line.starts_with("attributes:")).skip(1);
    let line = |line: &'static str| {
        let (type_, paths) = line.trim().split_once(": [")?;
        Some((type_, paths.strip_suffix(']')?.split(", ").collect()))
    };
    lines.filter_map(line).collect()
});

/// The paths of what is sensitive in a resource of a type, through its nested blocks: `user.password`.
pub fn sensitive(type_: &str) -> &'static [&'static str] {
    SENSITIVE.get(type_).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a table that does not read is a failed test")]

    use super::{SENSITIVE, TABLE};
    use crate::source::{FileId, Node, SourceFile, yaml};
    use crate::terraform::schema::{Block, Type, keys, type_schema};

    #[test]
    fn the_table_is_the_yaml_it_looks_like() {
        let file = SourceFile::new("sensitive.yaml", TABLE.to_owned());
        let root = yaml::read(FileId::default(), &file).documents.remove(0);
        let table = root.get("attributes").unwrap().as_map().unwrap();
        assert_eq!(table.entries.len(), SENSITIVE.len());
        for (type_, entry) in table.iter() {
            let paths: Vec<&str> = entry.node.items().iter().filter_map(Node::as_str).collect();
            assert_eq!(paths, SENSITIVE[&**type_], "{type_}");
        }
    }

    fn leads(block: &Block, path: &[&str]) -> bool {
        let (name, rest) = path.split_first().unwrap();
        match (block.attributes.get(*name), block.blocks.get(*name)) {
            (Some(attribute), _) => leads_in(&attribute.type_, rest),
            (None, Some(nested)) => !rest.is_empty() && leads(&nested.block, rest),
            (None, None) => false,
        }
    }

    fn leads_in(type_: &Type, path: &[&str]) -> bool {
        let Some((name, rest)) = path.split_first() else { return true };
        keys::members(type_).and_then(|members| members.get(*name)).is_some_and(|type_| leads_in(type_, rest))
    }

    #[test]
    fn every_path_leads_to_an_attribute_of_the_schema() {
        for (type_, paths) in SENSITIVE.iter() {
            let block = type_schema(type_);
            for path in paths {
                let leads = |block: &Block| leads(block, &path.split('.').collect::<Vec<_>>());
                assert!(block.as_deref().is_some_and(leads), "{type_}.{path}");
            }
        }
    }
}
