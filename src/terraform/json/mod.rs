//! Terraform's JSON syntax, written down in the native one.
//!
//! Each property becomes the argument or the block that it means. So everything that is known of blocks holds for them,
//! whatever syntax they are written in; what is said of a place in the text made here is said of the place in the file
//! ([`Woven`]).

mod forms;
mod strings;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Ident;

use crate::source::{FileId, Finding, SourceFile, Span, did_you_mean, fault};

use super::declared::{Broken, Chunk};
use super::remarks::{MARK, Place, Remark};
use super::schema;
use super::syntax::{self, BLOCK_TYPES};
use super::woven::Woven;
use forms::Form;
use tree::{Member, Node, Value};

/// Reads a `.tf.json` file.
pub(super) fn parse(
    id: FileId,
    file: &SourceFile,
    broken: &mut Vec<Broken>,
    findings: &mut Vec<Finding>,
) -> Vec<Chunk> {
    read(id, file, &forms::FILE, findings).unwrap_or_else(|| {
        broken.push(Broken::anything());
        Vec::new()
    })
}

/// The comments of a `.tf.json` file that speak to this tool: properties `"//"` whose text begins with their mark.
pub(super) fn remarks(id: FileId, file: &SourceFile) -> Vec<Remark> {
    let mut findings = Vec::new();
    let mut writer = Writer::new(id, file, &mut findings);
    if let Ok(root) = tree::parse(file.text()) {
        writer.root(&root, Body { form: &forms::FILE, schema: None });
    }
    writer.remarks
}

/// Reads a `.tfvars.json` file: the value of each variable.
pub(super) fn values(id: FileId, file: &SourceFile, findings: &mut Vec<Finding>) -> Vec<Chunk> {
    read(id, file, &forms::VALUES, findings).unwrap_or_default()
}

fn read(
    id: FileId,
    file: &SourceFile,
    form: &'static Form,
    findings: &mut Vec<Finding>,
) -> Option<Vec<Chunk>> {
    let mut writer = Writer::new(id, file, findings);
    if file.mark() > 0 {
        writer.fault(0..1, "this JSON begins with a byte order mark", "save it as UTF-8 without one");
    }
    let root = match tree::parse(file.text()) {
        Ok(root) => root,
        Err(tree::Fault { at, message, help }) => {
            let rest = file.text().get(at..).unwrap_or("");
            let word = rest.find(|next: char| !next.is_alphanumeric()).unwrap_or(rest.len());
            let length = word.max(rest.chars().next().map_or(0, char::len_utf8));
            writer.fault(at..at + length, message, help);
            return None;
        }
    };
    if !writer.root(&root, Body { form, schema: None }) {
        return None;
    }
    match syntax::woven(writer.woven) {
        Ok((woven, body)) => Some(vec![Chunk { file: id, base: 0, woven: Some(woven), body }]),
        Err(fault) => {
            findings.push(syntax::explain(id, file, 0, &fault));
            None
        }
    }
}

/// What is known of a body.
#[derive(Clone, Copy)]
struct Body<'s> {
    form: &'static Form,
    /// Of the provider, where it is known.
    schema: Option<&'s schema::Block>,
}

/// How the strings of a value are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// As templates.
    Template,
    /// As they are.
    Literal,
    /// As references, types and keywords.
    Written,
    /// As they are, but for `configuration_aliases`.
    Requirement,
}

struct Writer<'t, 'f> {
    id: FileId,
    text: &'t str,
    woven: Woven,
    findings: &'f mut Vec<Finding>,
    remarks: Vec<Remark>,
    /// The blocks around, the outermost first.
    around: Vec<Step>,
}

/// A block on the way to a comment.
struct Step {
    span: Span,
    /// Its type and its number among the blocks of that type; none of its own for the content of a dynamic block.
    name: Option<(String, Option<usize>)>,
    /// How many blocks of each type it has had.
    numbers: BTreeMap<String, usize>,
}

impl<'t, 'f> Writer<'t, 'f> {
    fn new(id: FileId, file: &'t SourceFile, findings: &'f mut Vec<Finding>) -> Self {
        let woven = Woven::default();
        Self { id, text: file.text(), woven, findings, remarks: Vec::new(), around: Vec::new() }
    }

    /// The top of a file; whether it is one.
    fn root(&mut self, root: &Node, body: Body<'_>) -> bool {
        match &root.value {
            Value::Object(members) => self.body(members, body),
            // Each object of an array is read as if it were a file.
            Value::Array(items) => {
                for item in items {
                    match &item.value {
                        Value::Object(members) => self.body(members, body),
                        _ => self.fault(
                            item.range.clone(),
                            "an object belongs here",
                            "an array at the top of a file holds objects whose properties are blocks",
                        ),
                    }
                }
            }
            _ => {
                self.fault(
                    root.range.clone(),
                    "the top of the file is no object",
                    "write { \"resource\": { \"type\": { \"name\": { ... } } } }",
                );
                return false;
            }
        }
        true
    }

    /// A property `"//"`, if it speaks to this tool.
    fn comment(&mut self, node: &Node) {
        let inner = node.range.start + 1..node.range.end.saturating_sub(1);
        let raw = self.text.get(inner.clone()).unwrap_or("");
        let Some(first) = raw.trim_start().strip_prefix(MARK) else { return };
        if !matches!(node.value, Value::Text) || first.is_empty() {
            return;
        }
        let text: String = tree::characters(self.text, inner.clone()).map(|(one, _)| one).collect();
        let text = text.trim_start().strip_prefix(MARK).unwrap_or("");
        let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let place = self.around.first().zip(self.around.last()).map(|(top, last)| Place {
            top: top.span,
            span: last.span,
            path: self.around.iter().skip(1).filter_map(|step| step.name.clone()).collect(),
        });
        self.remarks.push(Remark { span: Span::new(self.id, inner.start, inner.end), lines, block: place });
    }
    fn fault(&mut self, range: Range<usize>, message: &str, help: &str) {
        let span = Span::new(self.id, range.start, range.end.min(self.text.len()));
        self.findings.push(
            Finding::fault(fault::HCL_SYNTAX, span, format!("not valid Terraform: {message}"))
                .label("the fault is here")
                .help(help),
        );
    }

    fn copy(&mut self, range: Range<usize>) {
        self.woven.copy(self.id, range.start, self.text.get(range.clone()).unwrap_or(""));
    }

    fn put(&mut self, range: &Range<usize>, text: &str) {
        self.woven.put(self.id, range.clone(), text);
    }

    /// The properties of an object that is a body.
    fn body(&mut self, members: &[Member], body: Body<'_>) {
        let mut arguments = BTreeSet::new();
        for member in members {
            let name = member.name.as_str();
            // "//" is for comments: <https://developer.hashicorp.com/terraform/language/syntax/json#comment-properties>.
            if name == "//" {
                self.comment(&member.node);
                continue;
            }
            let nested = body.schema.and_then(|schema| schema.blocks.get(name));
            if let Some((labels, form)) = body.form.block(name) {
                self.blocks(member, &member.node, labels, &mut Vec::new(), Body { form, ..body });
            } else if let Some(nested) =
                nested.filter(|_| !std::ptr::eq(body.form, &raw const forms::DYNAMIC))
            {
                let inner = Body { form: &forms::NESTED, schema: Some(&nested.block) };
                self.blocks(member, &member.node, 0, &mut Vec::new(), inner);
            } else if std::ptr::eq(body.form, &raw const forms::FILE) {
                self.unknown_block(member);
            } else if Ident::try_new(name).is_err() {
                let help = "a name starts with a letter or underscore and goes on with letters, digits, underscores and dashes";
                self.fault(member.key.clone(), &format!("{name:?} names no argument"), help);
            } else if arguments.insert(name) {
                self.put(&member.key, name);
                self.put(&member.key, " = ");
                let reading = if std::ptr::eq(body.form, &raw const forms::REQUIRED_PROVIDERS) {
                    Reading::Requirement
                } else if body.form.written.contains(&name) {
                    Reading::Written
                } else if body.form.is_literal(name) {
                    Reading::Literal
                } else {
                    Reading::Template
                };
                self.value(&member.node, reading);
                self.put(&member.key, "\n");
            } else {
                let help = "an argument may stand once; remove or rename one of the two";
                self.fault(member.key.clone(), "this argument stands twice in its block", help);
            }
        }
    }

    fn unknown_block(&mut self, member: &Member) {
        let name = member.name.as_str();
        let help = did_you_mean(name, BLOCK_TYPES.iter().copied()).map_or_else(
            || format!("the blocks of a module are {}", BLOCK_TYPES.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        let span = Span::new(self.id, member.key.start, member.key.end);
        self.findings.push(
            Finding::fault(fault::HCL_SYNTAX, span, format!("Terraform has no `{name}` block"))
                .label("unknown block type")
                .help(help),
        );
    }

    /// The blocks of one type that a property stands for.
    fn blocks<'m>(
        &mut self,
        type_: &'m Member,
        node: &'m Node,
        labels: usize,
        known: &mut Vec<&'m Member>,
        body: Body<'_>,
    ) {
        let is_null = |node: &Node| self.text.get(node.range.clone()) == Some("null");
        if known.len() < labels {
            let mut members = Vec::new();
            let objects = match &node.value {
                Value::Array(items) => items.iter().filter(|item| !is_null(item)).collect(),
                _ if is_null(node) => Vec::new(),
                _ => vec![node],
            };
            let mut sound = true;
            for object in objects {
                if let Value::Object(own) = &object.value {
                    members.extend(own);
                } else {
                    sound = false;
                    self.not_a_block(type_, object, labels, known.len());
                }
            }
            if members.is_empty() && sound {
                self.not_a_block(type_, node, labels, known.len());
            }
            for member in members {
                known.push(member);
                self.blocks(type_, &member.node, labels, known, body);
                known.pop();
            }
            return;
        }
        match &node.value {
            Value::Object(members) => self.block(type_, node, members, known, body, true),
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    match &item.value {
                        Value::Object(members) => self.block(type_, item, members, known, body, at == 0),
                        _ if is_null(item) => {}
                        _ => self.not_a_block(type_, item, labels, known.len()),
                    }
                }
            }
            _ if is_null(node) => {}
            _ => self.not_a_block(type_, node, labels, known.len()),
        }
    }

    fn not_a_block(&mut self, type_: &Member, node: &Node, labels: usize, known: usize) {
        let name = &type_.name;
        let what = if known < labels {
            let label = if labels == 2 && known == 0 { "type" } else { "name" };
            format!("an object whose properties are the {label}s of `{name}` blocks belongs here")
        } else {
            format!("an object belongs here, the content of a `{name}` block")
        };
        let shape = match labels {
            0 => format!("\"{name}\": {{ ... }}"),
            1 => format!("\"{name}\": {{ \"name\": {{ ... }} }}"),
            _ => format!("\"{name}\": {{ \"type\": {{ \"name\": {{ ... }} }} }}"),
        };
        self.fault(node.range.clone(), &what, &format!("write {shape}, or an array of such objects"));
    }

    /// One block. What is said of its header is said of the last label, or else of the name of its type, which several
    /// blocks have in common: then of the brace, but for the first.
    fn block(
        &mut self,
        type_: &Member,
        node: &Node,
        members: &[Member],
        labels: &[&Member],
        body: Body<'_>,
        first: bool,
    ) {
        let open = node.range.start..node.range.start + 1;
        let head = labels.last().map_or(&type_.key, |label| &label.key);
        let head = if first { head.clone() } else { open.clone() };
        self.put(&head, &type_.name);
        for (at, label) in labels.iter().enumerate() {
            let key = if at + 1 == labels.len() { &head } else { &label.key };
            self.put(key, " ");
            self.put(key, &strings::quoted(&label.name));
        }
        self.put(&open, " ");
        self.copy(open.clone());
        self.put(&open, "\n");
        let names: Vec<&str> = labels.iter().map(|label| label.name.as_str()).collect();
        let found: Option<Arc<schema::Block>> = match (type_.name.as_str(), &names[..]) {
            ("resource", [type_, _]) => schema::type_schema(type_),
            ("data", [type_, _]) => schema::type_schema(&format!("data.{type_}")),
            ("provider", ["aws"]) => schema::aws().and_then(|aws| aws.get(schema::Kind::Provider, "aws")),
            _ => None,
        };
        let schema = match (type_.name.as_str(), &names[..]) {
            ("dynamic", [label]) => {
                body.schema.and_then(|schema| schema.blocks.get(*label)).map(|nested| &nested.block)
            }
            ("lifecycle" | "connection" | "provisioner", _) => None,
            _ => found.as_deref().or(body.schema),
        };
        let name = match (type_.name.as_str(), &names[..]) {
            ("dynamic", [label]) => Some(((*label).to_owned(), None)),
            ("content", []) => None,
            (name, _) => {
                let number = self.around.last_mut().map_or(0, |step| {
                    let number = step.numbers.entry(name.to_owned()).or_default();
                    *number += 1;
                    *number - 1
                });
                Some((name.to_owned(), Some(number)))
            }
        };
        let span = Span::new(self.id, head.start, node.range.end);
        self.around.push(Step { span, name, numbers: BTreeMap::new() });
        self.body(members, Body { schema, ..body });
        self.around.pop();
        self.copy(node.range.end - 1..node.range.end);
        self.put(&open, "\n");
    }

    /// An expression.
    fn value(&mut self, node: &Node, reading: Reading) {
        let Range { start, end } = node.range;
        match &node.value {
            Value::Word => self.copy(node.range.clone()),
            Value::Text => self.string(node, reading),
            Value::Array(items) => {
                self.copy(start..start + 1);
                for item in items {
                    self.value(item, reading);
                    self.put(&item.range, ", ");
                }
                self.copy(end - 1..end);
            }
            Value::Object(members) => {
                self.copy(start..start + 1);
                let mut names = BTreeSet::new();
                for member in members {
                    if !names.insert(&member.name) {
                        let help = "a property may stand once; remove or rename one of the two";
                        self.fault(member.key.clone(), "this key stands twice in its object", help);
                        continue;
                    }
                    let key = Node { range: member.key.clone(), value: Value::Text };
                    let of_key = if reading == Reading::Requirement { Reading::Literal } else { reading };
                    self.string(&key, of_key);
                    self.put(&member.key, " = ");
                    let of_value = match reading {
                        Reading::Requirement if member.name == "configuration_aliases" => Reading::Written,
                        reading => reading,
                    };
                    self.value(&member.node, of_value);
                    self.put(&member.key, ", ");
                }
                self.copy(end - 1..end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let file = SourceFile::new("main.tf.json", text.to_owned());
        let mut findings = Vec::new();
        let chunks = parse(FileId(0), &file, &mut Vec::new(), &mut findings);
        assert_eq!(findings, []);
        let woven = chunks.into_iter().filter_map(|chunk| chunk.woven).map(|woven| woven.text().to_owned());
        woven.collect()
    }

    #[test]
    fn properties_become_arguments_and_blocks() {
        let text = written(
            r#"{"//": "a comment",
              "resource": {"aws_security_group": {"web": {
                "count": 2, "provider": "aws.west", "depends_on": ["aws_vpc.main"], "name": "${var.name}-x",
                "timeouts": [{"create": "5m"}], "lifecycle": {"ignore_changes": "all"},
                "dynamic": {"timeouts": {"for_each": "${[1]}", "iterator": "one", "content": {"delete": null}}}}}},
              "variable": {"name": {"type": "map(string)", "default": "${literal}"}}}"#,
        );
        let expected = [
            r#"resource "aws_security_group" "web" {"#,
            "count = 2",
            "provider = aws.west",
            "depends_on = [aws_vpc.main, ]",
            r#"name = "${var.name}-x""#,
            "timeouts {",
            r#"create = "5m""#,
            "}",
            "lifecycle {",
            "ignore_changes = all",
            "}",
            r#"dynamic "timeouts" {"#,
            r#"for_each = "${[1]}""#,
            "iterator = one",
            "content {",
            "delete = null",
            "}",
            "}",
            "}",
            r#"variable "name" {"#,
            "type = map(string)",
            r#"default = "$${literal}""#,
            "}",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }
}
