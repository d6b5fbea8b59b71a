//! The picture as a Mermaid flowchart.

use crate::blueprint::model::DataKind;

use super::metrics::clean;
use super::model::{Area, DATA, EdgeKind, Node, NodeKind, Picture, Reach, long, short};
use super::style::COLOURS;

pub(super) fn draw(picture: &Picture) -> String {
    let mut out =
        format!("---\ntitle: {}\n---\nflowchart LR\n", yaml(&format!("Architecture of {}", picture.title)));
    for sentence in &picture.summary {
        out.push_str(&format!("  %% {}\n", comment(sentence)));
    }
    if let Some(node) = &picture.source {
        out.push_str(&self::node(node, 1));
    }
    let mut next = 0;
    for region in &picture.regions {
        area(region, &mut next, 1, &mut out);
    }
    if !picture.outside.is_empty() {
        out.push_str("  subgraph outside[\"outside the platform\"]\n");
        for node in &picture.outside {
            out.push_str(&self::node(node, 2));
        }
        out.push_str("  end\n");
    }
    for edge in &picture.edges {
        let arrow = match edge.kind {
            _ if edge.cardholder => "==>",
            EdgeKind::Call | EdgeKind::WayIn => "-->",
            EdgeKind::Egress | EdgeKind::Permission => "-.->",
        };
        let label = if edge.label.is_empty() { String::new() } else { format!("|{}|", quoted(&edge.label)) };
        out.push_str(&format!("  n{} {arrow}{label} n{}\n", edge.from, edge.to));
    }
    let mut starts = Vec::new();
    let mut count = 0;
    for region in &picture.regions {
        starts.push(count);
        region.walk(&mut |_| count += 1);
    }
    for peering in &picture.peerings {
        if let (Some(from), Some(to)) = (starts.get(peering.from), starts.get(peering.to)) {
            let lines: Vec<&str> =
                std::iter::once("connected VPCs").chain(peering.calls.iter().map(String::as_str)).collect();
            out.push_str(&format!("  a{from} <-.->|{}| a{to}\n", quoted(&lines.join("\n"))));
        }
    }
    classes(picture, &mut out);
    out
}

fn area(area: &Area, next: &mut usize, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let lines: Vec<String> = std::iter::once(area.label()).chain(area.facts.iter().cloned()).collect();
    out.push_str(&format!("{indent}subgraph a{next}[{}]\n", quoted(&lines.join("\n"))));
    *next += 1;
    for node in &area.nodes {
        out.push_str(&self::node(node, depth + 1));
    }
    for inner in &area.areas {
        self::area(inner, next, depth + 1, out);
    }
    out.push_str(&format!("{indent}end\n"));
}

fn node(node: &Node, depth: usize) -> String {
    let (open, close) = match node.kind {
        NodeKind::Store | NodeKind::Bucket | NodeKind::FileSystem => ("[(", ")]"),
        NodeKind::Source | NodeKind::Outside => ("([", "])"),
        NodeKind::LoadBalancer => ("{{", "}}"),
        NodeKind::Key => ("[/", "/]"),
        NodeKind::Service | NodeKind::Component => ("[", "]"),
    };
    let mut lines = vec![format!("{} {}", node.name, node.note).trim().to_owned()];
    if node.kind == NodeKind::Key {
        lines = vec![format!("key {}", node.name)];
    }
    if node.handles.is_empty() {
        lines.extend(node.facts.first().cloned());
    } else {
        lines.push(node.handles.iter().map(|kind| long(*kind)).collect::<Vec<_>>().join(", "));
    }
    if node.reach == Reach::Direct {
        lines.push("calls cardholder data".to_owned());
    }
    format!("{}n{}{open}{}{close}\n", "  ".repeat(depth), node.id, quoted(&lines.join("\n")))
}

/// A class for each kind of data and for what reaches cardholder data, then what has it.
fn classes(picture: &Picture, out: &mut String) {
    let colour = |name: &str| {
        COLOURS.iter().find(|(known, _, _)| *known == name).map_or("#000000", |(_, light, _)| *light)
    };
    let nodes = picture.nodes();
    let mut class = |name: &str, style: String, members: Vec<usize>| {
        if !members.is_empty() {
            let members: Vec<String> = members.into_iter().map(|id| format!("n{id}")).collect();
            out.push_str(&format!("  classDef {name} {style}\n  class {} {name}\n", members.join(",")));
        }
    };
    for kind in DATA {
        let members = nodes.iter().filter(|node| node.handles.first() == Some(&kind)).map(|node| node.id);
        let wide = if kind == DataKind::CardholderData { 4 } else { 2 };
        let style = format!(
            "fill:{},stroke:{},stroke-width:{wide}px,color:{}",
            colour(&format!("{}-tint", short(kind))),
            colour(short(kind)),
            colour("ink")
        );
        class(short(kind), style, members.collect());
    }
    let members = nodes.iter().filter(|node| node.reach == Reach::Direct && node.handles.is_empty());
    let style = format!("stroke:{},stroke-width:3px,stroke-dasharray:6 3", colour("cardholder"));
    class("reaches", style, members.map(|node| node.id).collect());
}

/// A quoted label. Every sign that means something to Mermaid, to Markdown or to HTML is written as its number
/// (mermaid.js.org/syntax/flowchart.html, "Entity codes to escape characters").
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '\n' => out.push_str("<br/>"),
            _ => match clean(character) {
                plain if plain.is_alphanumeric() || " .,:/()-+×·".contains(plain) => out.push(plain),
                other => out.push_str(&format!("#{};", u32::from(other))),
            },
        }
    }
    out.push('"');
    out
}

/// A text in the front matter, which is YAML: a JSON string is one.
fn yaml(text: &str) -> String {
    serde_json::Value::from(text.chars().map(clean).collect::<String>()).to_string()
}

/// A comment ends with its line, and braces at its beginning would make it a directive.
fn comment(text: &str) -> String {
    text.chars().map(clean).map(|character| if "{}".contains(character) { ' ' } else { character }).collect()
}
