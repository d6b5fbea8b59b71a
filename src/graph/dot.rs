//! The picture in Graphviz's language.

use super::metrics::clean;
use super::model::{Area, AreaKind, EdgeKind, Node, NodeKind, Picture, Reach, long, short};
use super::style::COLOURS;

pub(super) fn draw(picture: &Picture) -> String {
    let mut out = String::from("digraph platform {\n");
    let title =
        std::iter::once(format!("Architecture of {}", picture.title)).chain(picture.summary.iter().cloned());
    out.push_str(&format!(
        "  graph [label={}, labelloc=t, rankdir=LR, compound=true, newrank=true, nodesep=0.2, ranksep=1.0, \
         fontname=\"Helvetica,Arial,sans-serif\"];\n",
        quoted(&title.collect::<Vec<_>>().join("\n"))
    ));
    out.push_str("  node [shape=box, style=\"filled,rounded\", fillcolor=\"#ffffff\", fontsize=11, fontname=\"Helvetica,Arial,sans-serif\"];\n");
    out.push_str("  edge [fontsize=9, color=\"#6b7783\", fontname=\"Helvetica,Arial,sans-serif\"];\n");
    if let Some(node) = &picture.source {
        out.push_str(&self::node(node, 1));
    }
    let mut next = 0;
    for region in &picture.regions {
        area(region, &mut next, 1, &mut out);
    }
    for node in &picture.outside {
        out.push_str(&self::node(node, 1));
    }
    for edge in &picture.edges {
        let style = match edge.kind {
            _ if edge.cardholder => format!("color=\"{}\", penwidth=2.5", colour("cardholder")),
            EdgeKind::Call => "style=solid".to_owned(),
            EdgeKind::WayIn => format!("color=\"{}\", penwidth=1.5", colour("door")),
            EdgeKind::Egress => "style=dashed".to_owned(),
            EdgeKind::Permission => "style=dotted".to_owned(),
        };
        out.push_str(&format!(
            "  n{} -> n{} [label={}, tooltip={}, {style}];\n",
            edge.from,
            edge.to,
            quoted(&edge.label),
            quoted(&edge.words)
        ));
    }
    let mut starts = Vec::new();
    let mut count = 0;
    for region in &picture.regions {
        starts.push(count);
        region.walk(&mut |_| count += 1);
    }
    for peering in &picture.peerings {
        if let (Some(from), Some(to)) = (starts.get(peering.from), starts.get(peering.to)) {
            let words: Vec<&str> = std::iter::once(peering.words.as_str())
                .chain(peering.calls.iter().map(String::as_str))
                .collect();
            out.push_str(&format!(
                "  b{from} -> b{to} [ltail=cluster_{from}, lhead=cluster_{to}, dir=both, style=dashed, constraint=false, \
                 label={}, tooltip={}];\n",
                quoted("connected VPCs"),
                quoted(&words.join("\n"))
            ));
        }
    }
    out.push_str("}\n");
    out
}

fn colour(name: &str) -> &'static str {
    COLOURS.iter().find(|(known, _, _)| *known == name).map_or("#000000", |(_, light, _)| *light)
}

fn area(area: &Area, next: &mut usize, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let lines: Vec<String> = std::iter::once(area.label()).chain(area.facts.iter().cloned()).collect();
    let boundary = matches!(area.kind, AreaKind::NodeGroup | AreaKind::Fargate);
    let look = match area.holds.first().filter(|_| boundary) {
        Some(kind) => format!(
            "color=\"{}\", bgcolor=\"{}\", penwidth=2.5",
            colour(short(*kind)),
            colour(&format!("{}-tint", short(*kind)))
        ),
        None => format!("color=\"{}\", penwidth=1", colour("border")),
    };
    out.push_str(&format!(
        "{indent}subgraph cluster_{next} {{\n{indent}  label={}; labeljust=l; fontsize=11; {};\n",
        quoted(&lines.join("\n")),
        look.replace(", ", "; ")
    ));
    // A box without anything in it would not be drawn, and lines between boxes need something to end at.
    out.push_str(&format!("{indent}  b{next} [shape=point, style=invis, width=0.01];\n"));
    *next += 1;
    for node in &area.nodes {
        out.push_str(&self::node(node, depth + 1));
    }
    for inner in &area.areas {
        self::area(inner, next, depth + 1, out);
    }
    out.push_str(&format!("{indent}}}\n"));
}

fn node(node: &Node, depth: usize) -> String {
    let name = if node.kind == NodeKind::Key {
        format!("key {}", node.name)
    } else {
        format!("{} {}", node.name, node.note)
    };
    let mut lines = vec![name.trim().to_owned()];
    let kinds: Vec<&str> = node.handles.iter().map(|kind| long(*kind)).collect();
    if kinds.is_empty() {
        lines.extend(node.facts.first().cloned());
    } else {
        lines.push(kinds.join(", "));
    }
    if node.reach == Reach::Direct {
        lines.push("calls cardholder data".to_owned());
    }
    let mut look = match node.kind {
        NodeKind::Store | NodeKind::Bucket | NodeKind::FileSystem => {
            "shape=cylinder, style=filled".to_owned()
        }
        NodeKind::Source | NodeKind::Outside => "style=\"filled,rounded,dashed\"".to_owned(),
        NodeKind::LoadBalancer => "shape=hexagon, style=filled".to_owned(),
        NodeKind::Key => "shape=note, style=filled".to_owned(),
        NodeKind::Component => "style=filled".to_owned(),
        NodeKind::Service => "style=\"filled,rounded\"".to_owned(),
    };
    if let Some(kind) = node.handles.first() {
        let wide = if node.reach == Reach::Holds { 3 } else { 1 };
        look.push_str(&format!(
            ", fillcolor=\"{}\", color=\"{}\", penwidth={wide}",
            colour(&format!("{}-tint", short(*kind))),
            colour(short(*kind))
        ));
    } else if node.reach == Reach::Direct {
        look.push_str(&format!(", color=\"{}\", penwidth=2", colour("cardholder")));
    }
    let tooltip: Vec<&str> =
        std::iter::once(node.kind.word()).chain(node.facts.iter().map(String::as_str)).collect();
    format!(
        "{}n{} [label={}, tooltip={}, {look}];\n",
        "  ".repeat(depth),
        node.id,
        quoted(&lines.join("\n")),
        quoted(&tooltip.join("\n"))
    )
}

/// A quoted string. A backslash would begin an escape (`\N` is the node's name), an ampersand an HTML entity
/// (graphviz.org/docs/attr-types/escString, graphviz.org/doc/info/lang.html).
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ => out.push(clean(character)),
        }
    }
    out.push('"');
    out
}
