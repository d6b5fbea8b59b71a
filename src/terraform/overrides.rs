//! Override files: what they say of a block takes the place of what the module's other files say of it.
//!
//! <https://developer.hashicorp.com/terraform/language/files/override>. A merged block is written down and parsed again, so
//! that an argument out of an override file is found there ([`Woven`]).

use std::collections::BTreeSet;
use std::ops::Range;

use camino::Utf8Path;
use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, BlockLabel, Body, Structure};

use crate::source::{Finding, Sources, Span, fault};

use super::blocks::member_name;
use super::declared::{Chunk, Place, header};
use super::files::stem;
use super::syntax;
use super::woven::{Origin, Woven};

/// Whether Terraform reads a file of a module as one that overrides: `override.tf`, `*_override.tf` and their like.
pub(super) fn is_override(path: &Utf8Path) -> bool {
    path.file_name().and_then(stem).is_some_and(|stem| stem == "override" || stem.ends_with("_override"))
}

/// Merges the blocks of override files, in the order Terraform takes them, into those of a module.
pub(super) fn apply(
    sources: &Sources,
    chunks: &mut Vec<Chunk>,
    overriding: Vec<Chunk>,
    findings: &mut Vec<Finding>,
) {
    for mut over in overriding {
        let mut merged = Vec::new();
        let mut at = 0;
        while let Some(structure) = over.body.get(at) {
            let block = match structure {
                Structure::Block(block) => block,
                Structure::Attribute(_) => {
                    at += 1;
                    continue;
                }
            };
            let place = over.place();
            match block.ident.as_str() {
                "locals" => locals(chunks, place, &block.body, findings),
                "terraform" => settings(chunks, &block.body),
                kind @ ("moved" | "import" | "removed" | "check") => {
                    findings.push(refused(place, block, kind));
                }
                _ => {
                    if let Some((base, index)) = base(chunks, &key(block)) {
                        merged.extend(merge(sources, (chunks, base, index), (&over, block), findings));
                        if let Some(base) = chunks.get_mut(base) {
                            base.body.remove(index);
                        }
                        over.body.remove(at);
                        continue;
                    }
                    findings.extend(nothing_to_override(place, block));
                }
            }
            at += 1;
        }
        chunks.extend(merged);
        // What was not merged stands for itself.
        chunks.push(over);
    }
}

/// What tells a block from the others of a module.
fn key(block: &Block) -> Vec<&str> {
    let mut key = vec![block.ident.as_str()];
    key.extend(block.labels.iter().map(BlockLabel::as_str));
    if block.ident.as_str() == "provider"
        && let Some(Expression::String(alias)) = block.body.get_attribute("alias").map(|alias| &alias.value)
    {
        key.push(alias.value());
    }
    key
}

/// The chunk and the index in it of the block of a key.
fn base(chunks: &[Chunk], wanted: &[&str]) -> Option<(usize, usize)> {
    chunks.iter().enumerate().find_map(|(at, chunk)| {
        let index = chunk.body.iter().position(|structure| match structure {
            Structure::Block(block) => key(block) == wanted,
            Structure::Attribute(_) => false,
        })?;
        Some((at, index))
    })
}

fn blocks_of<'c>(chunks: &'c mut [Chunk], kind: &'c str) -> impl Iterator<Item = &'c mut Block> {
    chunks
        .iter_mut()
        .flat_map(|chunk| chunk.body.blocks_mut())
        .filter_map(move |block| (block.ident.as_str() == kind).then_some(block))
}

/// A local of an override file replaces the one it is called like.
fn locals(chunks: &mut [Chunk], place: Place<'_>, body: &Body, findings: &mut Vec<Finding>) {
    for attribute in body.attributes() {
        let name = attribute.key.as_str();
        let mut found = false;
        for block in blocks_of(chunks, "locals") {
            found |= block.body.remove_attribute(name).is_some();
        }
        if !found {
            findings.push(missing(place.of(&attribute.key), &format!("local.{name}")));
        }
    }
}

/// Versions of Terraform and of providers, and where the state is, are replaced one by one.
fn settings(chunks: &mut [Chunk], body: &Body) {
    let providers = body.get_blocks("required_providers").flat_map(|block| block.body.attributes());
    let providers: Vec<&str> = providers.map(|provider| provider.key.as_str()).collect();
    let state = body.has_blocks("backend") || body.has_blocks("cloud");
    for block in blocks_of(chunks, "terraform") {
        for attribute in body.attributes() {
            block.body.remove_attribute(attribute.key.as_str());
        }
        if state {
            block.body.remove_blocks("backend");
            block.body.remove_blocks("cloud");
        }
        for required in block.body.get_blocks_mut("required_providers") {
            for provider in &providers {
                required.body.remove_attribute(provider);
            }
        }
    }
}

/// A chunk, and its text.
struct Part<'c> {
    place: Place<'c>,
    text: &'c str,
    origin: Origin<'c>,
}

impl<'c> Part<'c> {
    fn new(sources: &'c Sources, chunk: &'c Chunk) -> Self {
        let (text, origin) = match &chunk.woven {
            Some(woven) => (woven.text(), Origin::Woven(woven)),
            None => {
                let text = sources.get(chunk.file).and_then(|file| file.text().get(chunk.base..));
                (text.unwrap_or(""), Origin::File(chunk.file, chunk.base))
            }
        };
        Self { place: chunk.place(), text, origin }
    }

    /// Writes a range of it, and what follows that here.
    fn write(&self, woven: &mut Woven, range: Option<Range<usize>>, after: &str) {
        let Some(range) = range else { return };
        let end = self.place.range(range.clone());
        woven.splice(self.text, range, &self.origin);
        woven.put(end.file, end.end as usize..end.end as usize, after);
    }
}

/// The block that a block and its override make together.
fn merge(
    sources: &Sources,
    (chunks, at, index): (&[Chunk], usize, usize),
    (over_chunk, over): (&Chunk, &Block),
    findings: &mut Vec<Finding>,
) -> Option<Chunk> {
    let chunk = chunks.get(at)?;
    let Some(Structure::Block(base)) = chunk.body.get(index) else { return None };
    if let Some(order) = over.body.get_attribute("depends_on") {
        findings.push(
            Finding::fault(
                fault::HCL_SYNTAX,
                over_chunk.place().of(&order.key),
                "not valid Terraform: `depends_on` may not be overridden",
            )
            .label("in an override file")
            .help("change it in the block itself"),
        );
    }
    // Of these only the arguments are merged: their conditions stay as they are.
    let arguments_only = matches!(base.ident.as_str(), "variable" | "output");
    let replaced: BTreeSet<&str> = over
        .body
        .iter()
        .filter(|structure| structure.is_attribute() || !arguments_only)
        .filter_map(member_name)
        .filter(|name| *name != "lifecycle")
        .collect();
    let (of_base, of_over) = (Part::new(sources, chunk), Part::new(sources, over_chunk));
    let mut woven = Woven::default();
    let ident = base.ident.span()?;
    let head_end = base.labels.last().and_then(hcl_edit::Span::span).map_or(ident.end, |label| label.end);
    of_base.write(&mut woven, Some(ident.start..head_end), " {\n");
    for structure in &base.body {
        match structure {
            Structure::Block(inner) if inner.ident.as_str() == "lifecycle" => {
                lifecycle(&mut woven, (&of_base, Some(inner)), (&of_over, over));
            }
            _ if member_name(structure).is_some_and(|name| replaced.contains(name)) => {}
            _ => of_base.write(&mut woven, structure.span(), "\n"),
        }
    }
    if !base.body.has_blocks("lifecycle") && over.body.has_blocks("lifecycle") {
        lifecycle(&mut woven, (&of_base, None), (&of_over, over));
    }
    for structure in &over.body {
        match structure {
            Structure::Block(inner) if arguments_only || inner.ident.as_str() == "lifecycle" => {}
            _ => of_over.write(&mut woven, structure.span(), "\n"),
        }
    }
    let end = of_base.place.of(base);
    woven.put(end.file, end.end.saturating_sub(1) as usize..end.end as usize, "}\n");
    let (woven, body) = syntax::woven(woven).ok()?;
    Some(Chunk { file: chunk.file, base: 0, woven: Some(woven), body })
}

/// The arguments of `lifecycle` are merged one by one; the conditions of the block itself stay.
fn lifecycle(
    woven: &mut Woven,
    (of_base, base): (&Part<'_>, Option<&Block>),
    (of_over, over): (&Part<'_>, &Block),
) {
    let blocks = || over.body.get_blocks("lifecycle");
    let replaces = |name: &str| blocks().any(|block| block.body.has_attribute(name));
    match base {
        Some(base) => of_base.write(woven, base.ident.span(), " {\n"),
        None => of_over.write(woven, blocks().next().and_then(|block| block.ident.span()), " {\n"),
    }
    for structure in base.into_iter().flat_map(|base| &base.body) {
        if !structure.as_attribute().is_some_and(|attribute| replaces(attribute.key.as_str())) {
            of_base.write(woven, structure.span(), "\n");
        }
    }
    for attribute in blocks().flat_map(|block| block.body.attributes()) {
        of_over.write(woven, attribute.span(), "\n");
    }
    let end = match base {
        Some(base) => of_base.place.of(base),
        None => of_over.place.of(over),
    };
    woven.put(end.file, end.end as usize..end.end as usize, "}\n");
}

fn missing(span: Span, what: &str) -> Finding {
    Finding::fault(
        fault::HCL_SYNTAX,
        span,
        format!("not valid Terraform: {what} is overridden here, and nothing declares it"),
    )
    .label("nothing to override")
    .help("an override file changes what other files of the module declare; put it into one of those, or correct the name")
}

/// What is wrong with a block of an override file that overrides nothing.
fn nothing_to_override(place: Place<'_>, block: &Block) -> Option<Finding> {
    let labels: Vec<&str> = block.labels.iter().map(BlockLabel::as_str).collect();
    let what = match (block.ident.as_str(), &labels[..]) {
        ("resource", [type_, name]) => format!("{type_}.{name}"),
        ("data", [type_, name]) => format!("data.{type_}.{name}"),
        ("ephemeral", [type_, name]) => format!("ephemeral.{type_}.{name}"),
        ("variable", [name]) => format!("var.{name}"),
        ("output" | "module", [name]) => format!("{} {name}", block.ident.as_str()),
        // A provider's default configuration is there even where nobody writes it.
        ("provider", [name]) if block.body.has_attribute("alias") => {
            format!("this configuration of provider {name}")
        }
        _ => return None,
    };
    Some(missing(header(place, block), &what))
}

fn refused(place: Place<'_>, block: &Block, kind: &str) -> Finding {
    Finding::fault(
        fault::HCL_SYNTAX,
        header(place, block),
        format!("not valid Terraform: a `{kind}` block cannot stand in an override file"),
    )
    .label("overrides nothing")
    .help("move it to a file whose name does not end in _override")
}
