//! Tables of facts inside the program: what policies decide by, and what reports hide. Each is a YAML file in
//! `src/policy/facts`, with its source and the day it was read, so that a person can check and renew it.

use super::{FileId, Node, SourceFile, Span, Value, yaml};

/// A table.
pub(crate) struct Table {
    /// Its name, that of its file: `eks-versions`.
    pub(crate) name: &'static str,
    /// The file.
    pub(crate) text: &'static str,
    /// Where the record of it begins and ends.
    record: (usize, usize),
}

/// Every table, by name.
pub(crate) static TABLES: &[Table] = include!(concat!(env!("OUT_DIR"), "/facts.rs"));

/// What the YAML parser said of each table when the tool was built.
static RECORDS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/facts.bin"));

impl Table {
    /// The table as a tree.
    pub(crate) fn read(&self) -> Node {
        let (id, file) = (FileId(u32::MAX), SourceFile::new(self.name, self.text.to_owned()));
        let record = RECORDS.get(self.record.0..self.record.1).unwrap_or_default();
        // What could not be recorded is read.
        let documents = yaml::recorded::read(id, &file, record).unwrap_or_else(|| yaml::read(id, &file));
        documents.documents.into_iter().next().unwrap_or(Node::new(Span::default(), Value::Null))
    }
}

/// The table of a name.
pub(crate) fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_what_its_table_says() {
        assert!(TABLES.len() > 5, "{}", TABLES.len());
        for table in TABLES {
            let (id, file) = (FileId(u32::MAX), SourceFile::new(table.name, table.text.to_owned()));
            let heard = yaml::recorded::read(id, &file, &RECORDS[table.record.0..table.record.1]);
            assert_eq!(
                heard.map(|heard| heard.documents),
                Some(yaml::read(id, &file).documents),
                "{}",
                table.name
            );
        }
    }
}
