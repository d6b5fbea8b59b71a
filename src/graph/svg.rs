//! The picture as SVG (www.w3.org/TR/SVG11).

use crate::blueprint::model::DataKind;

use super::layout::{Chip, Frame, Layout, Line, Placed, Point, Rect, Words};
use super::legend;
use super::metrics::clean;
use super::model::{AreaKind, Edge, EdgeKind, Node, NodeKind, Picture, Reach, long};
use super::style;

/// How round the corners of lines are.
const BEND: i32 = 5;

/// The whole document.
pub(super) fn draw(picture: &Picture, layout: &Layout) -> String {
    let (w, h) = (layout.width, layout.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"nxg\" role=\"img\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" \
         height=\"{h}\" aria-labelledby=\"nxg-title nxg-desc\">\n"
    );
    out.push_str(&format!("<title id=\"nxg-title\">Architecture of {}</title>\n", escape(&picture.title)));
    out.push_str(&format!("<desc id=\"nxg-desc\">{}</desc>\n", escape(&picture.summary.join(" "))));
    out.push_str(&format!("<style>{}</style>\n", style::sheet()));
    out.push_str(
        "<defs><pattern id=\"nxg-hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><path class=\"nxg-hatch\" d=\"M0 0V6\"/></pattern></defs>\n",
    );
    out.push_str(&format!("<rect class=\"nxg-ground\" width=\"{w}\" height=\"{h}\"/>\n"));
    for frame in &layout.frames {
        out.push_str(&self::frame(frame));
    }
    for link in &layout.links {
        out.push_str(&self::link(picture, link));
    }
    // What leads to cardholder data is drawn last, over everything that shares its way.
    let edge = |line: &Line| picture.edges.get(line.of);
    for cardholder in [false, true] {
        for line in &layout.lines {
            if let Some(edge) = edge(line).filter(|edge| edge.cardholder == cardholder) {
                out.push_str(&wire(edge, line));
            }
        }
    }
    // And the dots once more over all lines: a dot that is covered would be a call that is not seen.
    out.push_str("<g class=\"nxg-dots\" aria-hidden=\"true\">");
    for line in &layout.lines {
        if let (Some(edge), Some(dot)) = (edge(line), line.dot) {
            out.push_str(&format!("<g class=\"{}\">{}</g>", wire_class(edge), circle(dot, edge.kind)));
        }
    }
    out.push_str("</g>\n");
    let nodes = picture.nodes();
    for placed in &layout.nodes {
        if let Some(node) = nodes.iter().find(|node| node.id == placed.node) {
            out.push_str(&self::node(node, placed, layout));
        }
    }
    for words in layout.words.iter().filter(|words| words.node.is_none()) {
        out.push_str(&self::words(words));
    }
    for chip in layout.chips.iter().filter(|chip| chip.node.is_none()) {
        out.push_str(&self::chip(chip));
    }
    out.push_str(&legend::draw(layout.width, layout.legend));
    out.push_str("</svg>\n");
    out
}

/// Text between tags or in a quoted attribute (www.w3.org/TR/xml, 2.2 and 2.4).
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push('\n'),
            _ => out.push(clean(character)),
        }
    }
    out
}

fn rect(rect: Rect, class: &str, round: i32) -> String {
    let Rect { x, y, w, h } = rect;
    format!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{round}\"/>")
}

fn frame(frame: &Frame) -> String {
    let mut class = format!("nxg-f nxg-{}", frame.kind.class());
    let boundary = matches!(frame.kind, AreaKind::NodeGroup | AreaKind::Fargate);
    if let Some(kind) = frame.holds.filter(|_| boundary) {
        let waits = if frame.waits { " nxg-waits" } else { "" };
        class.push_str(&format!(" nxg-b nxg-{}{waits}", style::class(kind)));
    }
    let round = if frame.kind == AreaKind::Region { 10 } else { 6 };
    format!("<g><title>{}</title>{}</g>\n", escape(&frame.title), rect(frame.rect, &class, round))
}

/// Everything there is to know of a thing.
fn about(node: &Node) -> String {
    let mut lines = vec![format!("{} {}", node.kind.word(), node.name)];
    lines.extend(node.facts.iter().cloned());
    if !node.handles.is_empty() {
        let kinds: Vec<&str> = node.handles.iter().map(|kind| long(*kind)).collect();
        lines.push(format!("handles {}", kinds.join(", ")));
    }
    match node.reach {
        Reach::Direct => lines.push("calls a service that handles cardholder data".to_owned()),
        Reach::Indirect => lines.push("reaches cardholder data through others".to_owned()),
        Reach::Holds | Reach::None => {}
    }
    lines.join("\n")
}

fn node(node: &Node, placed: &Placed, layout: &Layout) -> String {
    let class = format!("nxg-n nxg-{}", node.kind.class());
    let class = match node.reach {
        Reach::Holds => format!("{class} nxg-holds"),
        Reach::Direct => format!("{class} nxg-reach"),
        Reach::Indirect | Reach::None => class,
    };
    let round = match node.kind {
        NodeKind::Store | NodeKind::Bucket | NodeKind::FileSystem => 20,
        NodeKind::Component | NodeKind::Key => 2,
        _ => 7,
    };
    let mut out = format!("<g><title>{}</title>{}", escape(&about(node)), rect(placed.rect, &class, round));
    if let Some(kind) = node.handles.first() {
        let tape = Rect { x: placed.rect.x + 3, y: placed.rect.y + 6, w: 6, h: placed.rect.h - 12 };
        out.push_str(&rect(tape, &format!("nxg-tape nxg-{}", style::class(*kind)), 0));
        if *kind == DataKind::CardholderData {
            out.push_str(&format!(
                "<rect x=\"{}\" y=\"{}\" width=\"6\" height=\"{}\" fill=\"url(#nxg-hatch)\"/>",
                tape.x, tape.y, tape.h
            ));
        }
    }
    for words in layout.words.iter().filter(|words| words.node == Some(node.id)) {
        out.push_str(self::words(words).trim_end());
    }
    for chip in layout.chips.iter().filter(|chip| chip.node == Some(node.id)) {
        out.push_str(self::chip(chip).trim_end());
    }
    out.push_str("</g>\n");
    out
}

pub(super) fn words(words: &Words) -> String {
    let muted = if words.muted { " nxg-m" } else { "" };
    let end = if words.from_right { " text-anchor=\"end\"" } else { "" };
    format!(
        "<text class=\"{}{muted}\" x=\"{}\" y=\"{}\"{end}>{}</text>\n",
        words.font.class(),
        words.at.x,
        words.at.y,
        escape(&words.text)
    )
}

pub(super) fn chip(chip: &Chip) -> String {
    let mut class = "nxg-c".to_owned();
    if chip.outline {
        class.push_str(" nxg-o");
    }
    if let Some(kind) = chip.data {
        class.push_str(&format!(" nxg-{}", style::class(kind)));
    }
    let Rect { x, y, w, h } = chip.rect;
    format!(
        "<g class=\"{class}\"><rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"3\"/><text class=\"nxg-t5\" \
         x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text></g>\n",
        x + w / 2,
        y + 11,
        escape(&chip.text)
    )
}

fn wire_class(edge: &Edge) -> String {
    let card = if edge.cardholder { " nxg-card" } else { "" };
    format!("nxg-w nxg-{}{card}", edge.kind.class())
}

fn circle(Point { x, y }: Point, kind: EdgeKind) -> String {
    let size = if kind == EdgeKind::Call { "3.5" } else { "3" };
    format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{size}\"/>")
}

/// An edge: its way, an arrow where it ends, a dot where it meets its neighbours.
fn wire(edge: &Edge, line: &Line) -> String {
    let class = wire_class(edge);
    let mut out = format!("<g class=\"{class}\"><title>{}</title>", escape(&edge.words));
    out.push_str(&format!("<path d=\"{}\"/>", way(&line.points, line.dot)));
    if let Some(Point { x, y }) = line.points.last() {
        out.push_str(&format!(
            "<path class=\"nxg-a\" d=\"M{} {}L{x} {y}L{} {}z\"/>",
            x - 8,
            y - 4,
            x - 8,
            y + 4
        ));
    }
    if let Some(dot) = line.dot {
        out.push_str(&circle(dot, edge.kind));
    }
    out.push_str("</g>\n");
    out
}

fn link(picture: &Picture, line: &Line) -> String {
    let Some(peering) = picture.peerings.get(line.of) else { return String::new() };
    let mut about = vec![peering.words.clone()];
    about.extend(peering.calls.iter().cloned());
    let mut out = format!(
        "<g class=\"nxg-link\"><title>{}</title><path d=\"{}\"/>",
        escape(&about.join("\n")),
        way(&line.points, None)
    );
    for Point { x, y } in line.points.first().into_iter().chain(line.points.last()) {
        out.push_str(&format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"4\"/>"));
    }
    out.push_str("</g>\n");
    out
}

/// The way through some points, with round corners but for where it meets its neighbours.
fn way(points: &[Point], sharp: Option<Point>) -> String {
    let mut out = String::new();
    for (at, point) in points.iter().enumerate() {
        let (before, after) = (at.checked_sub(1).and_then(|at| points.get(at)), points.get(at + 1));
        match (before, after) {
            (None, _) => out.push_str(&format!("M{} {}", point.x, point.y)),
            (Some(before), Some(after)) if Some(*point) != sharp => {
                let (from, to) = (toward(*point, *before), toward(*point, *after));
                out.push_str(&format!("L{} {}Q{} {} {} {}", from.x, from.y, point.x, point.y, to.x, to.y));
            }
            _ => out.push_str(&format!("L{} {}", point.x, point.y)),
        }
    }
    out
}

/// A little way from one point to another.
fn toward(from: Point, to: Point) -> Point {
    let step = |from: i32, to: i32| {
        from + (to - from).clamp(-BEND, BEND).min((to - from).abs() / 2).max(-((to - from).abs() / 2))
    };
    Point { x: step(from.x, to.x), y: step(from.y, to.y) }
}
