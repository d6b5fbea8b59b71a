//! A platform as a picture: where data lives, what can reach it, where the boundaries are. The same picture in three
//! languages: SVG, drawn here, and Mermaid and Graphviz DOT, which others lay out.

mod build;
mod dot;
mod edges;
mod layout;
mod legend;
mod mermaid;
mod metrics;
mod model;
mod order;
mod standby;
mod style;
mod svg;
mod wiring;

pub use layout::{Frame, Layout, Line, Placed, Point, Rect, Words};
pub use metrics::{Font, fit, width};
pub use model::{Area, AreaKind, Edge, EdgeKind, Node, NodeId, NodeKind, Peering, Picture, Reach};

use crate::blueprint::Platform;

/// The picture as one self-contained SVG document: no script, no font and no image from elsewhere. It can stand in an
/// HTML page as it is; every class and id in it begins with `nxg`.
pub fn svg(platform: &Platform) -> String {
    let picture = Picture::new(platform);
    svg::draw(&picture, &Layout::new(&picture))
}

/// The picture as a Mermaid flowchart (mermaid.js.org/syntax/flowchart.html).
pub fn mermaid(platform: &Platform) -> String {
    mermaid::draw(&Picture::new(platform))
}

/// The picture in Graphviz's language (graphviz.org/doc/info/lang.html).
pub fn dot(platform: &Platform) -> String {
    dot::draw(&Picture::new(platform))
}
