//! Colours of the picture: for light, for dark, and for paper. None is the only sign of what it means: what is coloured
//! also has a label, a pattern or a stroke of its own.

use crate::blueprint::model::DataKind;

/// Name, on light, on dark. Text on its ground has a contrast of at least 4.5 to 1 in both (a test measures it).
pub(super) const COLOURS: [(&str, &str, &str); 21] = [
    ("ground", "#ffffff", "#10151c"),
    ("ink", "#1b2430", "#e8edf2"),
    ("muted", "#4f5b67", "#b3bec9"),
    ("line", "#6b7783", "#8d9aa7"),
    ("border", "#aab4be", "#475362"),
    ("region", "#f4f6f8", "#161c25"),
    ("vpc", "#fbfcfd", "#1a212b"),
    ("cluster", "#eef2f7", "#1f2733"),
    ("node", "#ffffff", "#10151c"),
    ("label", "#ffffff", "#10151c"),
    ("door", "#0b6b6b", "#5fd0cd"),
    ("cardholder", "#b3141d", "#ff8a8f"),
    ("cardholder-tint", "#fdeeee", "#3a1d22"),
    ("credentials", "#6b3fa0", "#c9a6ff"),
    ("credentials-tint", "#f4eefb", "#2b2140"),
    ("financial", "#1f5fa8", "#8cc0ff"),
    ("financial-tint", "#ecf3fb", "#1a2a3f"),
    ("personal", "#85570a", "#f0b95a"),
    ("personal-tint", "#fbf3e4", "#33291a"),
    ("audit", "#3d6b2f", "#9fd08a"),
    ("audit-tint", "#eff6ec", "#1e2d1c"),
];

/// The name of a kind of data among the colours and classes.
pub(super) fn class(kind: DataKind) -> &'static str {
    super::model::short(kind)
}

/// Selector, then property and colour. A viewer that knows no custom properties takes the light colour in front.
const PAINT: [(&str, &[(&str, &str)]); 30] = [
    (".nxg text", &[("fill", "ink")]),
    (".nxg text.nxg-m", &[("fill", "muted")]),
    (".nxg-ground", &[("fill", "ground")]),
    (".nxg-f", &[("fill", "vpc"), ("stroke", "border")]),
    (".nxg-region", &[("fill", "region")]),
    (".nxg-cluster", &[("fill", "cluster")]),
    (".nxg-n", &[("fill", "node"), ("stroke", "muted")]),
    (".nxg-n.nxg-door", &[("stroke", "door")]),
    (".nxg-n.nxg-reach,.nxg-n.nxg-holds", &[("stroke", "cardholder")]),
    (".nxg-w path", &[("stroke", "line")]),
    (".nxg-w .nxg-a", &[("fill", "line")]),
    (".nxg-w circle", &[("fill", "line")]),
    (".nxg-way-in path", &[("stroke", "door")]),
    (".nxg-way-in .nxg-a", &[("fill", "door")]),
    (".nxg-way-in circle", &[("fill", "door")]),
    (".nxg-card path", &[("stroke", "cardholder")]),
    (".nxg-card .nxg-a", &[("fill", "cardholder")]),
    (".nxg-card circle", &[("fill", "cardholder")]),
    (".nxg-link path", &[("stroke", "ink")]),
    (".nxg-link circle", &[("fill", "ink")]),
    (".nxg-c text", &[("fill", "label")]),
    (".nxg-c rect", &[("fill", "muted")]),
    (".nxg-c.nxg-o rect", &[("fill", "node")]),
    (".nxg-c.nxg-o text", &[("fill", "ink")]),
    (".nxg-tape", &[("fill", "border")]),
    (".nxg-hatch", &[("stroke", "node")]),
    (".nxg-legend", &[("fill", "ground"), ("stroke", "border")]),
    (".nxg-w:hover path", &[("stroke", "ink")]),
    (".nxg-w:hover circle", &[("fill", "ink")]),
    (".nxg-w:hover .nxg-a", &[("fill", "ink")]),
];

/// What does not depend on light or dark.
const SHAPE: &str = ".nxg text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',\
sans-serif;font-size:11px}\
.nxg-t1{font-weight:700}.nxg text.nxg-t1{font-size:22px}.nxg text.nxg-t2{font-size:15px;font-weight:700}\
.nxg text.nxg-t3{font-size:12px;font-weight:600}.nxg text.nxg-t5{font-size:10px}\
.nxg-f{stroke-width:1}.nxg-region{stroke-width:1.5}.nxg-b{stroke-width:2.5}.nxg-waits{stroke-width:1.5;stroke-dasharray:8 4}\
.nxg-n{stroke-width:1}.nxg-n.nxg-door{stroke-width:2}.nxg-n.nxg-outside,.nxg-n.nxg-reach{stroke-dasharray:5 3}\
.nxg-n.nxg-reach{stroke-width:2}.nxg-n.nxg-holds{stroke-width:3}\
.nxg-w path{fill:none;stroke-width:1.3}.nxg-w .nxg-a{stroke:none}\
.nxg-way-in path{stroke-width:2}.nxg-egress path{stroke-dasharray:6 4}.nxg-permission path{stroke-dasharray:2 3}\
.nxg-card path{stroke-width:2.6}.nxg-link path{fill:none;stroke-width:2;stroke-dasharray:9 3 2 3}\
.nxg-w:hover path{stroke-width:4}.nxg-w .nxg-a,.nxg-w:hover .nxg-a{stroke:none}\
.nxg-dots{pointer-events:none}.nxg-hatch{stroke-width:3}.nxg-c.nxg-o rect{stroke-width:1.5;stroke-dasharray:4 2}";

/// The style sheet.
pub(super) fn sheet() -> String {
    let variables = |dark: bool| {
        let colours = COLOURS
            .iter()
            .map(|(name, light, on_dark)| format!("--nxg-{name}:{}", if dark { on_dark } else { light }));
        format!(".nxg{{{}}}", colours.collect::<Vec<_>>().join(";"))
    };
    let light = |wanted: &str| {
        COLOURS.iter().find(|(name, _, _)| *name == wanted).map_or("#000000", |(_, light, _)| *light)
    };
    let rule = |selector: &str, paints: &[(&str, String)]| {
        let paints = paints
            .iter()
            .map(|(property, colour)| format!("{property}:{};{property}:var(--nxg-{colour})", light(colour)));
        format!("{selector}{{{}}}", paints.collect::<Vec<_>>().join(";"))
    };
    let mut sheet = variables(false);
    sheet.push_str(&format!("@media (prefers-color-scheme:dark){{{}}}", variables(true)));
    sheet.push_str(&format!("@media print{{{}}}", variables(false)));
    sheet.push_str(SHAPE);
    for (selector, paints) in PAINT {
        let paints: Vec<(&str, String)> =
            paints.iter().map(|(property, colour)| (*property, (*colour).to_owned())).collect();
        sheet.push_str(&rule(selector, &paints));
    }
    for kind in super::model::DATA.map(class) {
        let tint = format!("{kind}-tint");
        sheet.push_str(&rule(&format!(".nxg-tape.nxg-{kind}"), &[("fill", kind.to_owned())]));
        sheet.push_str(&rule(&format!(".nxg-c.nxg-{kind} rect"), &[("fill", kind.to_owned())]));
        let outline = [("fill", "node".to_owned()), ("stroke", kind.to_owned())];
        sheet.push_str(&rule(&format!(".nxg-c.nxg-o.nxg-{kind} rect"), &outline));
        let boundary = [("fill", tint), ("stroke", kind.to_owned())];
        sheet.push_str(&rule(&format!(".nxg-b.nxg-{kind}"), &boundary));
    }
    sheet
}
