//! What the files of a module declare, before anything is evaluated.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, BlockLabel, Body, Structure};
use hcl_edit::{Ident, Span as _};

use super::syntax::BLOCK_TYPES;
use super::woven::Woven;
use crate::source::{FileId, Finding, SourceFile, Sources, Span, fault};

/// A parsed stretch of a file: the whole file, or one top-level block of a file that does not parse as a whole.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) file: FileId,
    /// Where its text starts in the file.
    pub(super) base: usize,
    /// Its text, if that does not stand in the file as it is.
    pub(super) woven: Option<Woven>,
    pub(super) body: Body,
}

impl Chunk {
    /// What the parser's offsets count from.
    pub(super) fn place(&self) -> Place<'_> {
        Place { file: self.file, base: self.base, woven: self.woven.as_ref() }
    }
}

/// A block that does not parse: what it declares is not known, but that it declares it is.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) kind: String,
    pub(super) labels: Vec<String>,
}

impl Broken {
    /// For a file of which nothing is known but that it declares something.
    pub(super) fn anything() -> Self {
        Self { kind: ANYTHING.to_owned(), labels: Vec::new() }
    }
}

/// What stands among broken addresses for all that there are.
const ANYTHING: &str = "*";

/// What the parser's offsets count from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    file: FileId,
    base: usize,
    woven: Option<&'a Woven>,
}

impl Place<'_> {
    /// An offset in a file.
    pub(super) fn at(file: FileId, base: usize) -> Self {
        Self { file, base, woven: None }
    }

    /// The span of something parsed; what the parser gave no place is the start of the chunk.
    pub(super) fn of(self, item: &impl hcl_edit::Span) -> Span {
        self.range(item.span().unwrap_or(0..0))
    }

    pub(super) fn range(self, range: Range<usize>) -> Span {
        match self.woven {
            Some(woven) => woven.origin(range),
            None => Span::new(self.file, self.base + range.start, self.base + range.end),
        }
    }
}

/// An expression somewhere at the top of the module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declaration<'a> {
    pub(super) place: Place<'a>,
    pub(super) name: Span,
    pub(super) expr: &'a Expression,
}

/// The body of a block at the top of the module.
#[derive(Debug)]
pub(super) struct Placed<'a> {
    pub(super) place: Place<'a>,
    pub(super) header: Span,
    pub(super) body: &'a Body,
}

#[derive(Debug)]
pub(super) struct ResourceBlock<'a> {
    pub(super) place: Place<'a>,
    pub(super) managed: bool,
    pub(super) type_: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) address: Arc<str>,
    pub(super) block: &'a Block,
    pub(super) header: Span,
}

impl ResourceBlock<'_> {
    /// `for_each` or `count`, if the block has one: it then stands for any number of instances.
    pub(super) fn repeated(&self) -> Option<&'static str> {
        ["for_each", "count"].into_iter().find(|name| self.block.body.has_attribute(name))
    }
}

#[derive(Debug)]
pub(super) struct OtherBlock<'a> {
    pub(super) place: Place<'a>,
    pub(super) block: &'a Block,
    pub(super) header: Span,
}

/// Every declaration of a module by name.
#[derive(Debug, Default)]
pub(super) struct Declared<'a> {
    pub(super) variables: BTreeMap<&'a str, Placed<'a>>,
    pub(super) locals: BTreeMap<&'a str, Declaration<'a>>,
    pub(super) calls: BTreeMap<&'a str, Placed<'a>>,
    pub(super) outputs: BTreeMap<&'a str, Placed<'a>>,
    pub(super) resources: Vec<ResourceBlock<'a>>,
    pub(super) by_address: BTreeMap<Arc<str>, usize>,
    pub(super) others: Vec<OtherBlock<'a>>,
    /// Addresses that blocks declare which do not parse: `aws_vpc.main`, `var.region`; `local` for any local.
    broken: BTreeSet<String>,
}

impl Declared<'_> {
    /// Whether something that does not parse may declare an address.
    pub(super) fn is_broken(&self, address: &str) -> bool {
        self.broken.contains(address)
            || self.broken.contains(ANYTHING)
            || (address.starts_with("local.") && self.broken.contains("local"))
    }

    /// Whether everything parses.
    pub(super) fn is_whole(&self) -> bool {
        self.broken.is_empty()
    }
}

/// The addresses a broken block declares.
fn broken_address(block: &Broken) -> Option<String> {
    match (block.kind.as_str(), &block.labels[..]) {
        ("resource", [type_, name]) => Some(format!("{type_}.{name}")),
        ("data", [type_, name]) => Some(format!("data.{type_}.{name}")),
        ("variable", [name]) => Some(format!("var.{name}")),
        ("module", [name]) => Some(format!("module.{name}")),
        ("locals", _) => Some("local".to_owned()),
        // Which configuration of which provider it is, its broken body would say.
        ("provider" | "terraform", _) => Some("provider".to_owned()),
        (ANYTHING, _) => Some(ANYTHING.to_owned()),
        _ => None,
    }
}

/// How many labels a top-level block of each type has.
fn label_count(kind: &str) -> usize {
    match kind {
        "resource" | "data" | "ephemeral" => 2,
        "variable" | "output" | "module" | "provider" | "check" => 1,
        _ => 0,
    }
}

/// The span of a block's type and labels.
pub(super) fn header(place: Place<'_>, block: &Block) -> Span {
    let first = place.of(&block.ident);
    block.labels.last().map_or(first, |label| first.to(place.of(label)))
}

/// Sorts the blocks of every chunk; misplaced, unknown and repeated ones are findings.
pub(super) fn declare<'a>(
    sources: &Sources,
    chunks: &'a [Chunk],
    broken: &[Broken],
    findings: &mut Vec<Finding>,
) -> Declared<'a> {
    let mut declared =
        Declared { broken: broken.iter().filter_map(broken_address).collect(), ..Declared::default() };
    for chunk in chunks {
        for structure in &chunk.body {
            match structure {
                Structure::Attribute(attribute) => findings.push(stray(chunk.place(), &attribute.key)),
                Structure::Block(block) => declared.block(sources, chunk.place(), block, findings),
            }
        }
    }
    declared
}

fn stray(place: Place<'_>, key: &hcl_edit::Decorated<Ident>) -> Finding {
    Finding::fault(
        fault::HCL_SYNTAX,
        place.of(key),
        format!("`{}` is an argument outside any block", key.as_str()),
    )
    .label("no argument may stand here")
    .help(if key.as_str().starts_with("aws_") {
        "write a block: resource \"type\" \"name\" { ... }".to_owned()
    } else {
        format!(
            "put it into a block; to name a value, write locals {{ {} = ... }}; values of variables belong in a .tfvars file",
            key.as_str()
        )
    })
}

impl<'a> Declared<'a> {
    fn block(&mut self, sources: &Sources, place: Place<'a>, block: &'a Block, findings: &mut Vec<Finding>) {
        let kind = block.ident.as_str();
        let header = header(place, block);
        if !BLOCK_TYPES.contains(&kind) {
            findings.push(unknown_block(place, block, header));
            return;
        }
        let wanted = label_count(kind);
        if block.labels.len() != wanted {
            findings.push(wrong_labels(block, header, wanted));
            return;
        }
        for label in &block.labels {
            if !is_name(label.as_str()) {
                findings.push(bad_name(place, kind, label));
            }
        }
        let labels: Vec<&'a str> = block.labels.iter().map(BlockLabel::as_str).collect();
        match (kind, &labels[..]) {
            ("resource" | "data", [type_, name]) => {
                self.resource(sources, place, block, header, (type_, name), findings);
            }
            ("variable", [name]) => {
                if let Some(first) =
                    self.variables.get(name).map(|first| first.place.range(first.body.span().unwrap_or(0..0)))
                {
                    findings.push(twice(header, first, &format!("variable {name}")));
                } else {
                    self.variables.insert(name, Placed { place, header, body: &block.body });
                }
            }
            ("locals", _) => self.locals(place, &block.body, findings),
            // That a name stands twice is a finding of the rules.
            ("module", [name]) => {
                self.calls.entry(name).or_insert(Placed { place, header, body: &block.body });
            }
            ("output", [name]) => {
                self.outputs.entry(name).or_insert(Placed { place, header, body: &block.body });
            }
            _ => {}
        }
        if !matches!(kind, "resource" | "data") {
            self.others.push(OtherBlock { place, block, header });
        }
    }

    fn locals(&mut self, place: Place<'a>, body: &'a Body, findings: &mut Vec<Finding>) {
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => {
                    let name = attribute.key.as_str();
                    let declaration =
                        Declaration { place, name: place.of(&attribute.key), expr: &attribute.value };
                    if let Some(first) = self.locals.get(name) {
                        findings.push(twice(declaration.name, first.name, &format!("local {name}")));
                    } else {
                        self.locals.insert(name, declaration);
                    }
                }
                Structure::Block(block) => findings.push(
                    Finding::fault(
                        fault::HCL_SYNTAX,
                        header(place, block),
                        format!("`locals` holds arguments only; `{}` is a block", block.ident.as_str()),
                    )
                    .label("a block")
                    .help(format!("write {} = {{ ... }}", block.ident.as_str())),
                ),
            }
        }
    }

    fn resource(
        &mut self,
        sources: &Sources,
        place: Place<'a>,
        block: &'a Block,
        header: Span,
        (type_, name): (&'a str, &'a str),
        findings: &mut Vec<Finding>,
    ) {
        let managed = block.ident.as_str() == "resource";
        let address: Arc<str> =
            if managed { format!("{type_}.{name}").into() } else { format!("data.{type_}.{name}").into() };
        if let Some(first) = self.by_address.get(&address).and_then(|at| self.resources.get(*at)) {
            let path = sources.get(first.header.file).map_or("", |file| file.path().as_str());
            let line = sources
                .get(first.header.file)
                .map_or(0, |file| file.line_column(first.header.start as usize).line);
            findings.push(
                twice(header, first.header, &address).label(format!("first declared at {path}:{line}")),
            );
            return;
        }
        self.by_address.insert(address.clone(), self.resources.len());
        self.resources.push(ResourceBlock {
            place,
            managed,
            type_: type_.into(),
            name: name.into(),
            address,
            block,
            header,
        });
    }
}

pub(super) fn twice(span: Span, first: Span, what: &str) -> Finding {
    Finding::fault(fault::HCL_SYNTAX, span, format!("{what} is declared twice in this module"))
        .label("declared again")
        .related(first, "declared here first")
        .help("rename or remove one of the two; Terraform refuses the module as it is")
}

fn unknown_block(place: Place<'_>, block: &Block, header: Span) -> Finding {
    let kind = block.ident.as_str();
    let help = match crate::source::did_you_mean(kind, BLOCK_TYPES.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if kind.starts_with("aws_") => format!("write resource \"{kind}\" \"name\" {{ ... }}"),
        None => format!("the blocks of a module are {}", BLOCK_TYPES.join(", ")),
    };
    let span = if block.labels.is_empty() { header } else { place.of(&block.ident) };
    Finding::fault(fault::HCL_SYNTAX, span, format!("Terraform has no `{kind}` block"))
        .label("unknown block type")
        .help(help)
}

fn wrong_labels(block: &Block, header: Span, wanted: usize) -> Finding {
    let kind = block.ident.as_str();
    let shape = match kind {
        "resource" | "data" | "ephemeral" => format!("{kind} \"type\" \"name\" {{ ... }}"),
        _ if wanted == 1 => format!("{kind} \"name\" {{ ... }}"),
        _ => format!("{kind} {{ ... }}"),
    };
    let found = block.labels.len();
    Finding::fault(
        fault::HCL_SYNTAX,
        header,
        format!("a `{kind}` block has {wanted} label{}, not {found}", if wanted == 1 { "" } else { "s" }),
    )
    .label("wrong number of labels")
    .help(format!("write {shape}"))
}

/// Terraform's names: a letter or underscore, then letters, digits, underscores, dashes.
fn is_name(text: &str) -> bool {
    hcl_edit::Ident::try_new(text).is_ok()
}

fn bad_name(place: Place<'_>, kind: &str, label: &BlockLabel) -> Finding {
    Finding::fault(
        fault::HCL_SYNTAX,
        place.of(label),
        format!("{:?} cannot name a {kind}", label.as_str()),
    )
    .label("not a name")
    .help("a name starts with a letter or underscore and goes on with letters, digits, underscores and dashes")
}

/// The pointer in a `# blueprint: regions.primary.vpc` comment directly above a block.
pub(super) fn blueprint(file: &SourceFile, header: Span) -> Option<Arc<str>> {
    let before = file.text().get(..header.start as usize)?;
    for line in before.rsplit('\n').skip(1) {
        let comment = line.trim().strip_prefix('#').or_else(|| line.trim().strip_prefix("//"))?;
        if let Some(pointer) = comment.trim_start().strip_prefix("blueprint:") {
            return Some(pointer.trim().into());
        }
    }
    None
}
