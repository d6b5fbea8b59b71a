//! `csvdecode`, by RFC 4180 as Terraform reads it.

use crate::source::{Map, Node, Value};

use super::{Arguments, Outcome, Refusal, list, normalized};

pub(super) fn decode(arguments: &mut Arguments) -> Outcome {
    let text = arguments.text()?;
    let records = records(&text).ok_or(Refusal::Failed("a quotation mark stands where none may"))?;
    let mut records = records.into_iter();
    let header = records.next().ok_or(Refusal::Failed("the header line is missing"))?;
    let twice = header.iter().enumerate().any(|(at, name)| header.iter().take(at).any(|other| other == name));
    if twice {
        return Err(Refusal::Failed("two columns have one name"));
    }
    let span = arguments.span;
    let mut rows = Vec::new();
    for record in records {
        if record.len() != header.len() {
            return Err(Refusal::Failed("a line has another number of fields than the header"));
        }
        let mut row = Map::default();
        for (name, field) in header.iter().zip(record) {
            row.insert(normalized(name), span, Node::string(span, normalized(&field)));
        }
        rows.push(Node::new(span, Value::Map(row)));
    }
    Ok(list(rows))
}

/// Every line that is not empty as its fields; `None` where quotation marks do not fit.
fn records(text: &str) -> Option<Vec<Vec<String>>> {
    let text = text.replace("\r\n", "\n");
    let mut records = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('\n') {
            rest = after;
            continue;
        }
        let mut record = Vec::new();
        loop {
            let (field, after) = field(rest)?;
            record.push(field);
            match after.strip_prefix(',') {
                Some(after) => rest = after,
                None => {
                    rest = after.strip_prefix('\n').unwrap_or(after);
                    break;
                }
            }
        }
        records.push(record);
    }
    Some(records)
}

fn field(text: &str) -> Option<(String, &str)> {
    let Some(mut quoted) = text.strip_prefix('"') else {
        let end = text.find([',', '\n']).unwrap_or(text.len());
        let (field, rest) = text.split_at(end);
        return (!field.contains('"')).then(|| (field.to_owned(), rest));
    };
    let mut field = String::new();
    loop {
        let (before, after) = quoted.split_once('"')?;
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                quoted = after;
            }
            None => return (after.is_empty() || after.starts_with([',', '\n'])).then_some((field, after)),
        }
    }
}
