//! The other regions: boxes in boxes, side by side where there is room. Nothing is wired here, for what runs in these
//! regions is what runs in the active one.

use super::layout::{Frame, KEY_W, Layout, NODE_H, NODE_W, PAD, Rect};
use super::model::{Area, AreaKind};

/// How wide a box without boxes is.
const LEAF: i32 = NODE_W + 2 * PAD;

/// A region at 0, 0, at most so wide, and then exactly so wide.
pub(super) fn draw(region: &Area, room: i32) -> Layout {
    let inner = room - 2 * PAD;
    // Keys and buckets stand beside the VPC where there is room for a column of them, and below it otherwise.
    let network: i32 = region
        .areas
        .iter()
        .filter(|area| area.kind != AreaKind::Regional)
        .map(|area| block(area, inner, inner).width + PAD)
        .sum();
    let beside = inner - network;
    let beside = if beside >= KEY_W + 2 * PAD { beside } else { inner };
    let mut layout = block(region, room, beside);
    if let Some(frame) = layout.frames.first_mut() {
        frame.rect.w = frame.rect.w.max(room);
        layout.width = frame.rect.w;
    }
    // What stands alone in its row, or last in it, takes the rest of the row.
    let edge = layout.width - PAD;
    let rows: Vec<Rect> = children(&layout).map(|frame| frame.rect).collect();
    for frame in layout.frames.iter_mut().filter(|frame| frame.parent == Some(0)) {
        let last = !rows.iter().any(|other| other.y == frame.rect.y && other.x > frame.rect.x);
        if last {
            frame.rect.w = edge - frame.rect.x;
        }
    }
    layout
}

fn children(layout: &Layout) -> impl Iterator<Item = &Frame> {
    layout.frames.iter().filter(|frame| frame.parent == Some(0))
}

/// A box with all that is inside, at 0, 0; one with keys and buckets at most `beside` wide.
fn block(area: &Area, room: i32, beside: i32) -> Layout {
    let mut layout = Layout::default();
    let frame = layout.frame(area, Rect { x: 0, y: 0, w: 0, h: 0 }, None);
    // Inner boxes first: how wide they are together decides how the words above them break.
    let inner: Vec<Layout> = area.areas.iter().map(|inner| block(inner, room - 2 * PAD, beside)).collect();
    let along: i32 = inner.iter().map(|inner| inner.width + PAD).sum::<i32>() + PAD;
    let regional = area.kind == AreaKind::Regional;
    let things = i32::try_from(area.nodes.len()).unwrap_or(i32::MAX / 1000);
    let thing = if regional { KEY_W } else { NODE_W };
    let room = if regional { room.min(beside) } else { room };
    let row = if regional { things * (thing + PAD) + PAD } else { LEAF };
    let wide = along.max(row).max(LEAF).min(room.max(LEAF));
    let mut y = layout.head(area, (PAD, 0), wide - 2 * PAD) + 4;

    let across = if regional { ((wide - PAD) / (thing + PAD)).max(1) } else { 1 };
    for (at, node) in (0..).zip(&area.nodes) {
        let spot = (PAD + at % across * (thing + PAD), y + at / across * (NODE_H + 8));
        layout.node(node, spot, thing, Some(frame));
    }
    if things > 0 {
        y += ((things - 1) / across + 1) * (NODE_H + 8) + 4;
    }

    let mut width = wide;
    let mut inner = inner.into_iter().peekable();
    while inner.peek().is_some() {
        // A row of boxes, all as high as the highest.
        let (mut row, mut x) = (Vec::new(), PAD);
        while let Some(next) = inner.next_if(|next| x == PAD || x + next.width + PAD <= wide) {
            let at = x;
            x += next.width + PAD;
            row.push((at, next));
        }
        let high = row.iter().map(|(_, next)| next.height).max().unwrap_or_default();
        width = width.max(x);
        for (at, mut next) in row {
            if let Some(frame) = next.frames.first_mut() {
                frame.rect.h = high;
            }
            next.shift(at, y);
            layout.append(next, Some(frame));
        }
        y += high + PAD;
    }
    if let Some(frame) = layout.frames.get_mut(frame) {
        frame.rect.w = width;
        frame.rect.h = y;
    }
    layout.width = width;
    layout.height = y;
    layout
}
