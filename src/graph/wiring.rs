//! The active region: boxes as lanes, and in them everything that calls or is called.
//!
//! It is wired like a circuit board. Each thing has a row of its own, and stands in a column right of all that call it.
//! What calls leaves its thing along the row; what is called has one upright line in front of its column, which all its
//! callers share. A dot, where a row meets such a line, is a call. So no line runs through a thing or along another
//! line, however many there are, and where two cross they cross at a right angle.

use std::collections::{BTreeMap, BTreeSet};

use super::layout::{KEY_W, Layout, Line, NODE_H, NODE_W, PAD, Point, ROW, Rect};
use super::model::{Area, AreaKind, Edge, Node, NodeId, NodeKind, Picture};
use super::order::{self, Net};

/// Room for what is said of a tier, left of what is inside.
const TIER_HEAD: i32 = 190;
/// Room for what is said of a group, left of what is inside.
const GROUP_HEAD: i32 = 226;
/// Between two upright lines.
const TRACK: i32 = 10;
/// Between a thing and the first upright line.
const MARGIN: i32 = 18;
/// Where lines come in, from a thing's upper edge.
const IN: i32 = 13;
/// Where lines go out, from a thing's upper edge.
const OUT: i32 = 31;

/// The first region with its edges, from `left` on and at least so wide; the top is at 0.
pub(super) fn draw(picture: &Picture, left: i32, least: i32) -> Layout {
    let Some(region) = picture.regions.first() else { return Layout::default() };
    let mut lanes = Vec::new();
    region.walk(&mut |area| {
        let wired = area.nodes.iter().filter(|node| node.kind != NodeKind::Key);
        let lane: Vec<NodeId> = wired.map(|node| node.id).collect();
        if !lane.is_empty() {
            lanes.push(lane);
        }
    });
    let columns = order::columns(picture, &lanes);
    let count = columns.values().max().map_or(1, |last| last + 1);
    let nets = order::nets(&picture.edges, &columns, picture, count);
    let lanes = order::rows(lanes, &columns, &picture.edges);

    // Where the columns are, from how many lines stand in front of each.
    let start = left + 4 * PAD + TIER_HEAD + GROUP_HEAD + PAD;
    let mut xs = Vec::new();
    let mut x = start;
    for column in 0..count {
        x += channel(&nets, column);
        xs.push(x);
        x += NODE_W;
    }
    let inner = x + MARGIN;
    let right = (inner + 4 * PAD).max(left + least);

    let mut board = Board {
        layout: Layout::default(),
        place: BTreeMap::new(),
        lanes: lanes.into_iter(),
        columns: &columns,
        xs: &xs,
        start,
    };
    let bottom = board.region(region, left, right);
    let Board { mut layout, mut place, .. } = board;
    layout.height = bottom;

    // What is outside stands right of the border, each beside those that call it.
    let far = right + channel(&nets, count);
    layout.width = right;
    outside(picture, &mut layout, &mut place, far);
    if let Some(source) = &picture.source {
        let door =
            picture.edges.iter().find(|edge| edge.from == source.id).and_then(|edge| place.get(&edge.to));
        if let Some(door) = door.copied() {
            layout.node(source, (16, door.y), 140, None);
            place.insert(source.id, Rect { x: 16, y: door.y, w: 140, h: NODE_H });
        }
    }

    let mut tracks = BTreeMap::new();
    // In front of each column, and after the last one outside of the border.
    let fronts = xs.iter().enumerate().map(|(column, x)| x - channel(&nets, column)).chain([right]);
    let fronts: Vec<i32> = fronts.collect();
    for (channel, front) in fronts.into_iter().enumerate() {
        let first = front + MARGIN;
        let inside: Vec<&Net> = nets.iter().filter(|net| net.channel == channel).collect();
        let spans: Vec<(i32, Vec<i32>)> =
            inside.iter().map(|net| span(net, &picture.edges, &place)).collect();
        for (track, at) in (0..).zip(order::tracks(&spans)) {
            tracks.insert(inside[at].callee, first + track * TRACK);
        }
    }
    for (of, edge) in picture.edges.iter().enumerate() {
        if let Some(line) = line(of, edge, picture, &place, &tracks) {
            layout.lines.push(line);
        }
    }
    layout
}

/// How wide the room in front of a column is.
fn channel(nets: &[Net], column: usize) -> i32 {
    let lines = (0..).zip(nets.iter().filter(|net| net.channel == column)).count();
    match i32::try_from(lines).unwrap_or(i32::MAX / 100) {
        0 if column == 0 => 0,
        0 => 2 * MARGIN,
        lines => 2 * MARGIN + (lines - 1) * TRACK,
    }
}

/// What is drawn so far, and where things stand.
struct Board<'a> {
    layout: Layout,
    place: BTreeMap<NodeId, Rect>,
    lanes: std::vec::IntoIter<Vec<NodeId>>,
    columns: &'a BTreeMap<NodeId, usize>,
    xs: &'a [i32],
    /// Left of this stand words, right of it things and lines.
    start: i32,
}

impl Board<'_> {
    /// Draws the region; returns its lower edge.
    fn region(&mut self, region: &Area, left: i32, right: i32) -> i32 {
        let frame = self.layout.frame(region, Rect { x: left, y: 0, w: right - left, h: 0 }, None);
        let mut y = self.layout.head(region, (left + PAD, 4), right - left - 2 * PAD) + 4;
        y = self.things(&region.nodes, y, frame);
        for area in &region.areas {
            y = self.block(area, (left + PAD, right - PAD), y, frame) + PAD;
        }
        self.close(frame, y)
    }

    /// Any other box, between these edges; returns its lower edge.
    fn block(&mut self, area: &Area, (left, right): (i32, i32), top: i32, parent: usize) -> i32 {
        let rect = Rect { x: left, y: top, w: right - left, h: 0 };
        let frame = self.layout.frame(area, rect, Some(parent));
        match area.kind {
            AreaKind::Tier | AreaKind::Regional => self.tier(area, rect, frame),
            AreaKind::NodeGroup | AreaKind::Fargate => {
                let head = self.layout.head(area, (left + PAD, top), GROUP_HEAD - PAD);
                let y = self.things(&area.nodes, top + PAD, frame);
                self.close(frame, y.max(head))
            }
            _ => {
                // Lines may come down right of `start`, so the words end before it.
                let mut y = self.layout.head(area, (left + PAD, top), self.start - left - 2 * PAD) + 4;
                y = self.things(&area.nodes, y, frame);
                for inner in &area.areas {
                    y = self.block(inner, (left + PAD, right - PAD), y, frame) + PAD;
                }
                self.close(frame, y)
            }
        }
    }

    fn tier(&mut self, area: &Area, rect: Rect, frame: usize) -> i32 {
        let head = self.layout.head(area, (rect.x + PAD, rect.y), TIER_HEAD - PAD);
        let door = area.nodes.iter().any(|node| node.kind == NodeKind::LoadBalancer);
        // The line from outside comes in below the words.
        let mut y = if door { head + 6 } else { rect.y + PAD };
        y = self.things(&area.nodes, y, frame);
        for group in &area.areas {
            // Groups of tiers inside and outside of the cluster begin at the same edge.
            let left = self.start - PAD - GROUP_HEAD;
            y = self.block(group, (left, rect.right() - PAD), y, frame) + PAD;
        }
        let keys: Vec<&Node> = area.nodes.iter().filter(|node| node.kind == NodeKind::Key).collect();
        let from = self.start - PAD - GROUP_HEAD;
        let across = ((rect.right() - from) / (KEY_W + PAD)).max(1);
        for (at, key) in (0..).zip(&keys) {
            let spot = (from + at % across * (KEY_W + PAD), y + at / across * ROW);
            self.layout.node(key, spot, KEY_W, Some(frame));
        }
        y += i32::try_from(keys.len()).unwrap_or_default().saturating_add(across - 1) / across * ROW;
        self.close(frame, y.max(head))
    }

    /// Things in their columns, a row each; returns where they end.
    fn things(&mut self, nodes: &[Node], top: i32, frame: usize) -> i32 {
        if nodes.iter().all(|node| node.kind == NodeKind::Key) {
            return top;
        }
        let lane = self.lanes.next().unwrap_or_default();
        let mut y = top;
        for id in lane {
            let Some(node) = nodes.iter().find(|node| node.id == id) else { continue };
            let column = self.columns.get(&id).copied().unwrap_or_default();
            let x = self.xs.get(column).copied().unwrap_or(self.start);
            self.layout.node(node, (x, y), NODE_W, Some(frame));
            self.place.insert(id, Rect { x, y, w: NODE_W, h: NODE_H });
            y += ROW;
        }
        y
    }

    fn close(&mut self, frame: usize, bottom: i32) -> i32 {
        if let Some(frame) = self.layout.frames.get_mut(frame) {
            frame.rect.h = bottom - frame.rect.y;
        }
        bottom
    }
}

/// Puts what is outside right of the region.
fn outside(picture: &Picture, layout: &mut Layout, place: &mut BTreeMap<NodeId, Rect>, x: i32) {
    let mut wanted: Vec<(i32, &Node)> = Vec::new();
    for node in &picture.outside {
        let callers: BTreeSet<i32> = picture
            .edges
            .iter()
            .filter(|edge| edge.to == node.id)
            .filter_map(|edge| place.get(&edge.from).map(|rect| rect.y))
            .collect();
        let middle = callers.iter().nth(callers.len() / 2).copied().unwrap_or_default();
        // In line with the caller's way out.
        wanted.push((middle + OUT - IN, node));
    }
    wanted.sort_by_key(|(y, node)| (*y, node.id));
    let mut next = 0;
    for (y, node) in wanted {
        let y = y.max(next);
        layout.node(node, (x, y), NODE_W, None);
        place.insert(node.id, Rect { x, y, w: NODE_W, h: NODE_H });
        next = y + ROW;
        layout.width = x + NODE_W;
        layout.height = layout.height.max(y + NODE_H);
    }
}

/// Where a net's line would run: how high it enters its callee, and where its callers meet it.
fn span(net: &Net, edges: &[Edge], place: &BTreeMap<NodeId, Rect>) -> (i32, Vec<i32>) {
    let to = place.get(&net.callee).map_or(0, |rect| rect.y + IN);
    let from = net.edges.iter().filter_map(|of| edges.get(*of)).filter_map(|edge| place.get(&edge.from));
    (to, from.map(|rect| rect.y + OUT).collect())
}

fn line(
    of: usize,
    edge: &Edge,
    picture: &Picture,
    place: &BTreeMap<NodeId, Rect>,
    tracks: &BTreeMap<NodeId, i32>,
) -> Option<Line> {
    let (from, to) = (place.get(&edge.from)?, place.get(&edge.to)?);
    if picture.source.as_ref().is_some_and(|source| source.id == edge.from) {
        let y = to.y + IN;
        let points = vec![Point { x: from.right(), y }, Point { x: to.x, y }];
        return Some(Line { of, points, dot: None });
    }
    let x = *tracks.get(&edge.to)?;
    let (out, into) = (from.y + OUT, to.y + IN);
    let begin = if x > from.x { from.right() } else { from.x };
    let points = vec![
        Point { x: begin, y: out },
        Point { x, y: out },
        Point { x, y: into },
        Point { x: to.x, y: into },
    ];
    Some(Line { of, points, dot: Some(Point { x, y: out }) })
}
