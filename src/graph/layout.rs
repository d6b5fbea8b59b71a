//! Where everything in the picture stands. Whole pixels only, and nothing but the picture decides: the same platform is
//! drawn the same way everywhere.

use crate::blueprint::model::DataKind;

use super::metrics::{Font, fit, width, wrap};
use super::model::{Area, AreaKind, Node, NodeId, NodeKind, Picture, Reach, short};
use super::{standby, wiring};

/// Between a box and what is inside.
pub(super) const PAD: i32 = 12;
/// A thing's size.
pub(super) const NODE_W: i32 = 236;
/// How wide a key is: what it encrypts is a sentence.
pub(super) const KEY_W: i32 = 312;
/// A thing's size.
pub(super) const NODE_H: i32 = 42;
/// From one thing to the next below.
pub(super) const ROW: i32 = 52;
/// From one line of text to the next.
pub(super) const LEADING: i32 = 15;
const CHIP_H: i32 = 15;

/// A point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// From the left.
    pub x: i32,
    /// From the top.
    pub y: i32,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// Its left edge.
    pub x: i32,
    /// Its upper edge.
    pub y: i32,
    /// How wide.
    pub w: i32,
    /// How high.
    pub h: i32,
}

impl Rect {
    /// Its right edge.
    pub fn right(self) -> i32 {
        self.x + self.w
    }

    /// Its lower edge.
    pub fn bottom(self) -> i32 {
        self.y + self.h
    }
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Where.
    pub rect: Rect,
    /// What it stands for.
    pub kind: AreaKind,
    /// What it is and its name, and every fact.
    pub title: String,
    /// The most sensitive data inside.
    pub holds: Option<DataKind>,
    /// Whether the data is not there yet: it comes in a disaster.
    pub waits: bool,
    /// The box around it.
    pub parent: Option<usize>,
}

/// A thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Where.
    pub rect: Rect,
    /// Which.
    pub node: NodeId,
    /// The box around it.
    pub parent: Option<usize>,
}

/// A line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Where it begins, or ends.
    pub at: Point,
    /// Whether `at` is its end.
    pub from_right: bool,
    /// How it looks.
    pub font: Font,
    /// Whether it is of less weight.
    pub muted: bool,
    /// What is shown.
    pub text: String,
    /// How wide it may be.
    pub room: i32,
    /// The thing it belongs to; otherwise a box, or the picture.
    pub node: Option<NodeId>,
}

/// A label for a kind of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    /// Where.
    pub rect: Rect,
    /// What it says.
    pub text: String,
    /// Of which data; none for a plain one.
    pub data: Option<DataKind>,
    /// Whether it is about a way there, not about the data.
    pub outline: bool,
    /// The thing it belongs to; otherwise a box, or the legend.
    pub node: Option<NodeId>,
}

/// An edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which edge; for a connection between regions, which of these.
    pub of: usize,
    /// The way it takes: level and upright pieces only.
    pub points: Vec<Point>,
    /// Where it meets the line that everybody shares who calls the same.
    pub dot: Option<Point>,
}

/// A picture with everything in its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// How wide.
    pub width: i32,
    /// How high.
    pub height: i32,
    /// Boxes, outer ones first.
    pub frames: Vec<Frame>,
    /// Things.
    pub nodes: Vec<Placed>,
    /// Text.
    pub words: Vec<Words>,
    /// Labels.
    pub chips: Vec<Chip>,
    /// Edges, each once.
    pub lines: Vec<Line>,
    /// Connections between regions.
    pub links: Vec<Line>,
    /// The upper edge of the legend.
    pub legend: i32,
}

impl Layout {
    /// Places everything.
    pub fn new(picture: &Picture) -> Self {
        let mut layout = Self::default();
        let links = i32::try_from(picture.peerings.len()).unwrap_or(i32::MAX / 100);
        let channel = if links > 0 { 16 + 10 * links } else { 0 };
        let source = if picture.source.is_some() { 150 } else { 0 };
        let left = 24 + source + channel;
        let least = if picture.regions.len() > 1 { 1100 } else { 760 };
        let mut home = wiring::draw(picture, left, least);
        let room = home.frames.first().map_or(least, |frame| frame.rect.w);
        layout.width = home.width + 24;
        let mut y = layout.title(picture);
        home.shift(0, y);
        y += home.height + PAD + 8;
        layout.append(home, None);
        for region in picture.regions.iter().skip(1) {
            let mut drawn = standby::draw(region, room);
            let height = drawn.height;
            drawn.shift(left, y);
            layout.append(drawn, None);
            y += height + PAD + 8;
        }
        layout.connect(picture, left);
        layout.legend = y + 8;
        layout.height = layout.legend + super::legend::height(layout.width);
        layout
    }

    /// Title and summary; returns where they end.
    fn title(&mut self, picture: &Picture) -> i32 {
        let room = self.width - 48;
        let mut y = 40;
        self.text((24, y), &picture.title, (Font::Title, false), room, None);
        y += 20;
        let class = format!("data classification: {}", picture.classification);
        self.text((24, y), &class, (Font::Fact, true), room, None);
        y += 4;
        for sentence in &picture.summary {
            for line in wrap(sentence, Font::Name, room, 6) {
                y += LEADING + 2;
                self.text((24, y), &line, (Font::Name, false), room, None);
            }
        }
        y + 16
    }

    /// A line of text, cut to fit.
    pub(super) fn text(
        &mut self,
        (x, y): (i32, i32),
        text: &str,
        (font, muted): (Font, bool),
        room: i32,
        node: Option<NodeId>,
    ) {
        let text = fit(text, font, room);
        self.words.push(Words { at: Point { x, y }, from_right: false, font, muted, text, room, node });
    }

    /// A box's own words from its upper left corner; returns where they end.
    pub(super) fn head(&mut self, area: &Area, (x, y): (i32, i32), room: i32) -> i32 {
        let big = area.kind == AreaKind::Region;
        let mut y = y + if big { 20 } else { 16 };
        if big || matches!(area.kind, AreaKind::Vpc | AreaKind::Cluster) {
            let font = if big { Font::Region } else { Font::Name };
            self.text((x, y), &area.label(), (font, false), room, None);
        } else {
            self.text((x, y), area.kind.word(), (Font::Fact, true), room, None);
            if !area.name.is_empty() {
                y += LEADING;
                self.text((x, y), &area.name, (Font::Name, false), room, None);
            }
        }
        for fact in &area.facts {
            for line in wrap(fact, Font::Fact, room, 3) {
                y += LEADING;
                self.text((x, y), &line, (Font::Fact, true), room, None);
            }
        }
        y += 9;
        let waits = area.holds.is_empty();
        let kinds = if waits { &area.stands_for } else { &area.holds };
        if matches!(area.kind, AreaKind::NodeGroup | AreaKind::Fargate) && !kinds.is_empty() {
            let (mut at, mut top) = (x, y);
            for kind in kinds {
                let wide = chip_width(short(*kind));
                if at > x && at + wide > x + room {
                    (at, top) = (x, top + CHIP_H + 3);
                }
                self.chip((at, top), short(*kind), (Some(*kind), waits), None);
                at += wide + 4;
            }
            y = top + CHIP_H + 7;
        }
        y
    }

    /// A label; its width follows from its text.
    pub(super) fn chip(
        &mut self,
        (x, y): (i32, i32),
        text: &str,
        (data, outline): (Option<DataKind>, bool),
        node: Option<NodeId>,
    ) {
        let rect = Rect { x, y, w: chip_width(text), h: CHIP_H };
        self.chips.push(Chip { rect, text: text.to_owned(), data, outline, node });
    }

    /// A box.
    pub(super) fn frame(&mut self, area: &Area, rect: Rect, parent: Option<usize>) -> usize {
        let title = std::iter::once(area.label()).chain(area.facts.iter().cloned());
        self.frames.push(Frame {
            rect,
            kind: area.kind,
            title: title.collect::<Vec<_>>().join("\n"),
            holds: area.holds.first().or(area.stands_for.first()).copied(),
            waits: area.holds.is_empty(),
            parent,
        });
        self.frames.len() - 1
    }

    /// A thing with its words and labels.
    pub(super) fn node(&mut self, node: &Node, (x, y): (i32, i32), wide: i32, parent: Option<usize>) {
        let rect = Rect { x, y, w: wide, h: NODE_H };
        self.nodes.push(Placed { rect, node: node.id, parent });
        let (left, right) = (x + 14, rect.right() - 8);
        let note = width(&node.note, Font::Fact).min(90);
        self.words.push(Words {
            at: Point { x: right, y: y + 16 },
            from_right: true,
            font: Font::Fact,
            muted: true,
            text: fit(&node.note, Font::Fact, note),
            room: note,
            node: Some(node.id),
        });
        let room = right - left - note - 6;
        let name = if node.kind == NodeKind::Key { format!("key {}", node.name) } else { node.name.clone() };
        self.text((left, y + 16), &name, (Font::Name, false), room, Some(node.id));
        let mut labels: Vec<(&str, Option<DataKind>, bool)> =
            node.handles.iter().map(|kind| (short(*kind), Some(*kind), false)).collect();
        if node.reach == Reach::Direct {
            labels.push(("calls cardholder", Some(DataKind::CardholderData), true));
        }
        if labels.is_empty() {
            if let (None, Some(words)) = (node.facts.first(), self.words.last_mut()) {
                words.at.y = y + 25;
            }
            if let Some(fact) = node.facts.first() {
                self.text((left, y + 33), fact, (Font::Fact, true), right - left, Some(node.id));
            }
            return;
        }
        let mut at = left;
        for (index, (text, data, outline)) in labels.iter().enumerate() {
            let more = format!("+{}", labels.len() - index);
            let last = index + 1 == labels.len();
            let reserve = if last { 0 } else { chip_width("+9") + 4 };
            if at + chip_width(text) + reserve > right {
                self.chip((at, y + 22), &more, (None, false), Some(node.id));
                break;
            }
            self.chip((at, y + 22), text, (*data, *outline), Some(node.id));
            at += chip_width(text) + 4;
        }
    }

    /// Moves everything.
    pub(super) fn shift(&mut self, dx: i32, dy: i32) {
        let points = self.lines.iter_mut().chain(&mut self.links);
        for line in points {
            for point in line.points.iter_mut().chain(&mut line.dot) {
                *point = Point { x: point.x + dx, y: point.y + dy };
            }
        }
        for words in &mut self.words {
            words.at = Point { x: words.at.x + dx, y: words.at.y + dy };
        }
        let rects = self.frames.iter_mut().map(|frame| &mut frame.rect);
        let rects = rects.chain(self.nodes.iter_mut().map(|node| &mut node.rect));
        for rect in rects.chain(self.chips.iter_mut().map(|chip| &mut chip.rect)) {
            rect.x += dx;
            rect.y += dy;
        }
    }

    /// Takes in another layout; its outermost boxes and things come to stand in `parent`.
    pub(super) fn append(&mut self, other: Self, parent: Option<usize>) {
        let offset = self.frames.len();
        let moved = |inner: Option<usize>| inner.map(|inner| inner + offset).or(parent);
        self.frames
            .extend(other.frames.into_iter().map(|frame| Frame { parent: moved(frame.parent), ..frame }));
        self.nodes.extend(other.nodes.into_iter().map(|node| Placed { parent: moved(node.parent), ..node }));
        self.words.extend(other.words);
        self.chips.extend(other.chips);
        self.lines.extend(other.lines);
        self.links.extend(other.links);
    }

    /// Connections between regions: brackets left of them, short ones inside of long ones.
    fn connect(&mut self, picture: &Picture, left: i32) {
        let regions: Vec<Rect> = self
            .frames
            .iter()
            .filter(|frame| frame.kind == AreaKind::Region)
            .map(|frame| frame.rect)
            .collect();
        let mut order: Vec<(usize, usize, usize)> = picture
            .peerings
            .iter()
            .enumerate()
            .map(|(of, peering)| (peering.from.min(peering.to), peering.from.max(peering.to), of))
            .collect();
        order.sort_by_key(|(upper, lower, of)| (lower - upper, *upper, *of));
        let (mut ups, mut downs) = (vec![0; regions.len()], vec![0; regions.len()]);
        for (track, (upper, lower, of)) in (0..).zip(order) {
            let (Some(from), Some(to)) = (regions.get(upper), regions.get(lower)) else { continue };
            let x = left - 14 - track * 10;
            let start = from.bottom() - 20 - downs[upper] * 10;
            let end = to.y + 20 + ups[lower] * 10;
            downs[upper] += 1;
            ups[lower] += 1;
            let points = vec![
                Point { x: from.x, y: start },
                Point { x, y: start },
                Point { x, y: end },
                Point { x: to.x, y: end },
            ];
            self.links.push(Line { of, points, dot: None });
        }
    }
}

pub(super) fn chip_width(text: &str) -> i32 {
    width(text, Font::Chip) + 10
}
