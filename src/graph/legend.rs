//! What the signs in the picture mean.

use super::layout::{Chip, Point, Rect, Words, chip_width};
use super::metrics::{Font, width};
use super::model::{DATA, long, short};
use super::svg;

const ROW: i32 = 24;
const SAMPLE: i32 = 42;

/// A sign and what it means.
enum Sign {
    Chip(&'static str, Option<crate::blueprint::model::DataKind>, bool),
    Wire(&'static str),
    Dot,
    Cross,
    Node(&'static str, i32),
}

fn entries() -> Vec<(Sign, String)> {
    let mut entries: Vec<(Sign, String)> = DATA
        .into_iter()
        .map(|kind| (Sign::Chip(short(kind), Some(kind), false), format!("handles {}", long(kind))))
        .collect();
    let cardholder = DATA.into_iter().next();
    entries.extend([
        (Sign::Chip("cardholder", cardholder, true), "on a group: handles it in a disaster".to_owned()),
        (Sign::Chip("calls cardholder", cardholder, true), "calls what handles cardholder data".to_owned()),
        (Sign::Wire("nxg-call nxg-card"), "a call to cardholder data".to_owned()),
        (Sign::Wire("nxg-call"), "a call".to_owned()),
        (Sign::Wire("nxg-way-in"), "the way in".to_owned()),
        (Sign::Wire("nxg-egress"), "a call to the outside".to_owned()),
        (Sign::Wire("nxg-permission"), "use of a bucket".to_owned()),
        (Sign::Wire("nxg-link"), "connected VPCs".to_owned()),
        (Sign::Dot, "a dot: this row calls what the upright line leads to".to_owned()),
        (Sign::Cross, "no dot: the lines only cross".to_owned()),
        (Sign::Node("nxg-n nxg-service", 7), "service".to_owned()),
        (Sign::Node("nxg-n nxg-component", 2), "component, key".to_owned()),
        (Sign::Node("nxg-n nxg-store", 10), "data store of AWS".to_owned()),
        (Sign::Node("nxg-n nxg-door", 7), "load balancer".to_owned()),
        (Sign::Node("nxg-n nxg-outside", 7), "outside the platform".to_owned()),
    ]);
    entries
}

impl Sign {
    fn wide(&self) -> i32 {
        match self {
            Self::Chip(text, _, _) => chip_width(text),
            _ => SAMPLE,
        }
    }

    fn draw(&self, x: i32, y: i32) -> String {
        let (middle, end) = (y + 10, x + SAMPLE);
        match self {
            Self::Chip(text, data, outline) => svg::chip(&Chip {
                rect: Rect { x, y: y + 2, w: chip_width(text), h: 15 },
                text: (*text).to_owned(),
                data: *data,
                outline: *outline,
                node: None,
            }),
            Self::Wire(class) if class.ends_with("link") => {
                format!("<g class=\"{class}\"><path d=\"M{x} {middle}H{end}\"/></g>\n")
            }
            Self::Wire(class) => format!(
                "<g class=\"nxg-w {class}\"><path d=\"M{x} {middle}H{end}\"/><path class=\"nxg-a\" d=\"M{} {}L{end} \
                 {middle}L{} {}z\"/></g>\n",
                end - 8,
                middle - 4,
                end - 8,
                middle + 4
            ),
            Self::Dot | Self::Cross => {
                let centre = x + SAMPLE / 2;
                let dot = if matches!(self, Self::Dot) {
                    format!("<circle cx=\"{centre}\" cy=\"{middle}\" r=\"3.5\"/>")
                } else {
                    String::new()
                };
                format!(
                    "<g class=\"nxg-w nxg-call\"><path d=\"M{x} {middle}H{end}M{centre} {}V{}\"/>{dot}</g>\n",
                    y + 1,
                    y + 19
                )
            }
            Self::Node(class, round) => format!(
                "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"{SAMPLE}\" height=\"16\" rx=\"{round}\"/>\n",
                y + 2
            ),
        }
    }
}

/// Where each entry stands below the legend's upper edge, and how high all is.
fn flow(wide: i32, entries: &[(Sign, String)]) -> (Vec<Point>, i32) {
    let (mut x, mut y) = (40, 38);
    let mut places = Vec::new();
    for (sign, text) in entries {
        let needed = sign.wide() + 8 + width(text, Font::Fact);
        if x > 40 && x + needed > wide - 40 {
            (x, y) = (40, y + ROW);
        }
        places.push(Point { x, y });
        x += needed + 26;
    }
    (places, y + ROW + 12)
}

/// How high the legend is with the space below it, in a picture so wide.
pub(super) fn height(wide: i32) -> i32 {
    flow(wide, &entries()).1 + 24
}

/// The legend.
pub(super) fn draw(wide: i32, top: i32) -> String {
    let entries = entries();
    let (places, high) = flow(wide, &entries);
    let mut out = format!(
        "<rect class=\"nxg-legend\" x=\"24\" y=\"{top}\" width=\"{}\" height=\"{high}\" rx=\"6\"/>\n",
        wide - 48
    );
    let text = |x: i32, y: i32, font: Font, text: &str| {
        let at = Point { x, y };
        let room = width(text, font);
        svg::words(&Words {
            at,
            from_right: false,
            font,
            muted: false,
            text: text.to_owned(),
            room,
            node: None,
        })
    };
    out.push_str(&text(40, top + 24, Font::Name, "Legend"));
    for ((sign, words), place) in entries.iter().zip(places) {
        out.push_str(&sign.draw(place.x, top + place.y));
        out.push_str(&text(place.x + sign.wide() + 8, top + place.y + 14, Font::Fact, words));
    }
    out
}
