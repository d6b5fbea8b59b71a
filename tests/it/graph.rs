//! What the picture promises: everything once, nothing over anything else, no name that breaks out of its place.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tools are looked for, and a test that cannot run says so"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use nexafi_gen::blueprint::Platform;
use nexafi_gen::blueprint::model::DataKind;
use nexafi_gen::blueprint::scalar::Name;
use nexafi_gen::cli::ExitCode;
use nexafi_gen::graph::{
    AreaKind, EdgeKind, Layout, NodeKind, Picture, Point, Reach, Rect, dot, mermaid, svg, width,
};
use proptest::prelude::*;

use crate::blueprint::{lines, load_text, reference_with};
use crate::cli::{Desk, minimal};

fn platform(text: &str) -> Platform {
    let (sources, loaded) = load_text(text);
    let found = lines(&sources, &loaded);
    loaded.platform.unwrap_or_else(|| panic!("{found}\n{text}"))
}

fn reference() -> Platform {
    platform(&reference_with(&[]))
}

/// One service of a made-up bank: name, what it handles, where it runs, whom it calls.
type Made = (&'static str, &'static str, &'static str, &'static str);

const SERVICES: [Made; 30] = [
    (
        "portal",
        "",
        "general",
        "accounts, customers, identity, loans, documents, statements, notifications, onboarding, pricing, consents",
    ),
    ("partner-api", "", "general", "accounts, identity, card-auth, consents, fx-rates"),
    ("card-auth", "cardholder-data", "cards", "card-vault, card-tokens, ledger, rabbitmq"),
    ("card-vault", "cardholder-data", "cards", "card-tokens, vault-cache"),
    ("card-tokens", "cardholder-data, credentials", "cards", "vault-cache"),
    (
        "card-disputes",
        "cardholder-data, personal-data",
        "cards",
        "card-vault, customers, documents, rabbitmq",
    ),
    ("clearing", "financial-records", "accounts", "card-auth, settlement, rabbitmq"),
    ("settlement", "financial-records", "accounts", "ledger, treasury, rabbitmq"),
    ("ledger", "financial-records", "accounts", "redis, rabbitmq, audit-trail"),
    ("accounts", "financial-records, personal-data", "accounts", "ledger, redis, customers"),
    ("customers", "personal-data", "general", "redis, audit-trail"),
    ("identity", "credentials, personal-data", "accounts", "sessions, audit-trail"),
    ("sessions", "credentials", "accounts", "redis"),
    ("consents", "", "general", "customers"),
    ("onboarding", "personal-data", "general", "kyc-checks, customers, identity, documents, notifications"),
    ("kyc-checks", "personal-data", "general", "sanctions, documents"),
    ("sanctions", "", "general", ""),
    (
        "loans",
        "financial-records, personal-data",
        "accounts",
        "scoring, accounts, interest, documents, rabbitmq",
    ),
    ("scoring", "", "general", "redis"),
    ("interest", "", "general", "fx-rates"),
    ("statements", "financial-records, personal-data", "accounts", "ledger, documents, interest"),
    ("documents", "personal-data", "general", "search"),
    ("notifications", "", "general", "mail-gateway, rabbitmq"),
    ("mail-gateway", "", "general", ""),
    ("reporting", "", "general", "search, rabbitmq"),
    ("exports", "", "general", "reporting, documents"),
    ("pricing", "", "general", "fx-rates, redis"),
    ("fx-rates", "", "general", ""),
    ("treasury", "financial-records", "accounts", "ledger, fx-rates"),
    ("audit-trail", "audit-log", "monitoring", "search"),
];

const ROLES: [(&str, &str); 4] = [
    ("primary", "eu-central-1"),
    ("secondary", "eu-west-1"),
    ("tertiary", "eu-north-1"),
    ("archive", "eu-west-3"),
];

/// The way in, for so many regions.
fn ingress(regions: usize, routes: &str) -> String {
    let mut text = format!(
        "ingress:\n  host: api.meridian.example\n  image: {{repository: registry.meridian.example/nginx, digest: \
         \"sha256:{:064x}\"}}\n  routes: [{routes}]\n  tls:\n    certificates:\n",
        9
    );
    for (role, aws) in &ROLES[..regions] {
        text.push_str(&format!(
            "      {role}: \"arn:aws:acm:{aws}:123456789012:certificate/6d1f3c52-8a47-4b0e-9c61-2f7e5a90b3d4\"\n"
        ));
    }
    text
}

/// Four regions, thirty services, five connections.
fn large() -> String {
    let mut text = String::from(
        "apiVersion: nexafi-gen/v1\nname: meridian\nowner: {team: platform, email: platform@meridian.example}\nregions:\n",
    );
    for (at, (role, aws)) in ROLES.iter().enumerate() {
        text.push_str(&format!(
            "  {role}:\n    aws: {aws}\n    vpc: {{cidr: 10.{at}.0.0/16, zones: 3}}\n    cluster:\n      nodeGroups:\n"
        ));
        for (group, class) in [
            ("cards", "financial"),
            ("accounts", "financial"),
            ("monitoring", "compliance"),
            ("general", "general"),
        ] {
            if at == 0 {
                text.push_str(&format!("        {group}: {{class: {class}, instanceTypes: [m6i.xlarge]}}\n"));
            } else {
                text.push_str(&format!("        dr-{group}: {{class: standby, mirrors: {group}}}\n"));
            }
        }
    }
    text.push_str("peering:\n");
    for (from, to) in [(0, 1), (0, 2), (0, 3), (1, 2)] {
        text.push_str(&format!("  - between: [{}, {}]\n", ROLES[from].0, ROLES[to].0));
    }
    text.push_str(
        "  - between: [tertiary, archive]\n    flows: [{from: tertiary, caller: reporting, to: ledger}]\nservices:\n",
    );
    for (at, (name, handles, group, callees)) in SERVICES.iter().enumerate() {
        text.push_str(&format!(
            "  {name}:\n    image: {{repository: registry.meridian.example/{name}, digest: \"sha256:{:064x}\"}}\n    \
             port: {}\n    handles: [{handles}]\n    placement: {group}\n    dependsOn: [{callees}]\n",
            at + 1,
            5000 + at
        ));
        let egress = match *name {
            "card-auth" => "203.0.113.0/24, ports: [443], purpose: card network",
            "clearing" => "198.51.100.0/24, ports: [22, 443], purpose: clearing house",
            "mail-gateway" => "192.0.2.0/24, ports: [587], purpose: mail provider",
            "fx-rates" => "192.0.2.0/24, ports: [443], purpose: market data",
            _ => continue,
        };
        text.push_str(&format!("    egress: [{{cidr: {egress}}}]\n"));
    }
    text.push_str(
        "components:\n  redis: {image: {repository: registry.meridian.example/redis}}\n  rabbitmq: {image: {repository: \
         registry.meridian.example/rabbitmq}}\nmanaged:\n  caches: {vault-cache: {}}\n  search: {search: {}}\nstorage: \
         {buckets: {documents: {}}}\n",
    );
    text + &ingress(4, "{path: /, service: portal}, {path: /partners, service: partner-api}")
}

/// A platform out of numbers: services call whom the bits of their number say, in circles too.
fn random(regions: usize, services: &[(u8, u16, bool)], door: bool, stores: bool, purpose: &str) -> String {
    let mut text =
        String::from("apiVersion: nexafi-gen/v1\nname: p\nowner: {team: t, email: t@t.example}\nregions:\n");
    for (at, (role, aws)) in ROLES[..regions].iter().enumerate() {
        text.push_str(&format!(
            "  {role}:\n    aws: {aws}\n    vpc: {{cidr: 10.{at}.0.0/16, zones: {}}}\n",
            2 + at % 2
        ));
    }
    if regions > 1 {
        text.push_str("peering:\n");
        for to in 1..regions {
            text.push_str(&format!("  - between: [{}, {}]\n", ROLES[to].0, ROLES[to / 2].0));
        }
    }
    let kinds = ["cardholder-data", "credentials", "financial-records", "personal-data", "audit-log"];
    let name = |at: usize| format!("service-{}{at}", "x".repeat(at * 2 % 20));
    text.push_str(if services.is_empty() { "services: {}\n" } else { "services:\n" });
    for (at, (handles, calls, outside)) in services.iter().enumerate() {
        let bits = |number: u16, count: usize| (0..count).filter(move |bit| number >> bit & 1 == 1);
        let handles: Vec<&str> = bits(u16::from(*handles), kinds.len()).map(|bit| kinds[bit]).collect();
        let mut callees: Vec<String> =
            bits(*calls, services.len().min(16)).filter(|other| *other != at).map(name).collect();
        if stores && calls % 3 == 0 {
            callees.push("kept".to_owned());
        }
        text.push_str(&format!(
            "  {}:\n    image: {{repository: r.example/s, digest: \"sha256:{:064x}\"}}\n    handles: [{}]\n    \
             dependsOn: [{}]\n",
            name(at),
            at + 1,
            handles.join(", "),
            callees.join(", ")
        ));
        if *outside {
            let purpose = serde_json::to_string(purpose).unwrap();
            text.push_str(&format!(
                "    egress: [{{cidr: 192.0.2.{at}/32, ports: [443], purpose: {purpose}}}]\n"
            ));
        }
    }
    if stores {
        text.push_str(
            "managed: {caches: {kept: {}}}\nstorage: {buckets: {papers: {}}, fileSystems: {shared: {}}}\n",
        );
    }
    if door {
        text.push_str(&ingress(regions, &format!("{{path: /, service: {}}}", name(0))));
    }
    text
}

fn inside(inner: Rect, outer: Rect) -> bool {
    outer.x <= inner.x
        && outer.y <= inner.y
        && inner.right() <= outer.right()
        && inner.bottom() <= outer.bottom()
}

fn apart(one: Rect, other: Rect) -> bool {
    one.right() <= other.x || other.right() <= one.x || one.bottom() <= other.y || other.bottom() <= one.y
}

/// The stroke between two points as a rectangle without breadth.
fn stroke(from: Point, to: Point) -> Rect {
    let (x, y) = (from.x.min(to.x), from.y.min(to.y));
    Rect { x, y, w: (from.x - to.x).abs(), h: (from.y - to.y).abs() }
}

/// Everything has its place: boxes and things in their boxes and clear of each other, text in its room.
fn boxes_and_words(layout: &Layout) -> Vec<String> {
    let mut wrong = Vec::new();
    let all = Rect { x: 0, y: 0, w: layout.width, h: layout.height };
    let mut children: BTreeMap<Option<usize>, Vec<(String, Rect)>> = BTreeMap::new();
    for frame in &layout.frames {
        children.entry(frame.parent).or_default().push((frame.title.clone(), frame.rect));
    }
    for node in &layout.nodes {
        children.entry(node.parent).or_default().push((format!("node {}", node.node), node.rect));
    }
    for (parent, children) in &children {
        let outer = parent.map_or(all, |parent| layout.frames[parent].rect);
        for (at, (name, rect)) in children.iter().enumerate() {
            if rect.w <= 0 || rect.h <= 0 || !inside(*rect, outer) {
                wrong.push(format!("{name} {rect:?} leaves its box {outer:?}"));
            }
            for (other, there) in &children[..at] {
                if !apart(*rect, *there) {
                    wrong.push(format!("{name} {rect:?} lies on {other} {there:?}"));
                }
            }
        }
    }
    let mut taken: Vec<(Option<usize>, String, Rect)> = Vec::new();
    for words in &layout.words {
        let wide = width(&words.text, words.font);
        if wide > words.room {
            wrong.push(format!("{:?} takes {wide} of {}", words.text, words.room));
        }
        let x = if words.from_right { words.at.x - wide } else { words.at.x };
        let size = words.font.size();
        taken.push((words.node, words.text.clone(), Rect { x, y: words.at.y - size + 2, w: wide, h: size }));
    }
    for chip in &layout.chips {
        taken.push((chip.node, chip.text.clone(), chip.rect));
    }
    for (at, (node, text, rect)) in taken.iter().enumerate() {
        for placed in &layout.nodes {
            let own = *node == Some(placed.node);
            if own != inside(*rect, placed.rect) || (!own && !apart(*rect, placed.rect)) {
                wrong.push(format!("{text:?} {rect:?} is not where it belongs: {placed:?}"));
            }
        }
        for frame in &layout.frames {
            if !inside(*rect, frame.rect) && !apart(*rect, frame.rect) {
                wrong.push(format!("{text:?} {rect:?} is cut by {}", frame.title));
            }
        }
        for (_, other, there) in &taken[..at] {
            if !apart(*rect, *there) {
                wrong.push(format!("{text:?} lies on {other:?}"));
            }
        }
    }
    wrong
}

/// Lines can be followed: level or upright, through no thing and no word, along no other line but one with an end in
/// common.
fn wires(picture: &Picture, layout: &Layout) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut strokes: Vec<(usize, Rect)> = Vec::new();
    for line in &layout.lines {
        for pair in line.points.windows(2) {
            let stroke = stroke(pair[0], pair[1]);
            if stroke.w > 0 && stroke.h > 0 {
                wrong.push(format!("{line:?} is slanted"));
            }
            strokes.push((line.of, stroke));
        }
    }
    for (of, stroke) in &strokes {
        for placed in &layout.nodes {
            if !apart(*stroke, placed.rect) {
                wrong.push(format!("{} runs through {placed:?}", picture.edges[*of].words));
            }
        }
        for words in layout.words.iter().filter(|words| words.node.is_none()) {
            let wide = width(&words.text, words.font);
            let rect =
                Rect { x: words.at.x, y: words.at.y - words.font.size() + 2, w: wide, h: words.font.size() };
            if !apart(*stroke, rect) {
                wrong.push(format!("{} runs through {:?}", picture.edges[*of].words, words.text));
            }
        }
        for (other, there) in &strokes {
            let (one, two) = (&picture.edges[*of], &picture.edges[*other]);
            let along = (stroke.w == 0
                && there.w == 0
                && stroke.x == there.x
                && stroke.h > 0
                && there.h > 0
                && stroke.y < there.bottom()
                && there.y < stroke.bottom())
                || (stroke.h == 0
                    && there.h == 0
                    && stroke.y == there.y
                    && stroke.w > 0
                    && there.w > 0
                    && stroke.x < there.right()
                    && there.x < stroke.right());
            if along && one.from != two.from && one.to != two.to {
                wrong.push(format!("{} and {} run along each other", one.words, two.words));
            }
        }
    }
    wrong
}

/// Every workload, every store and every declared dependency is there once, and drawn once.
fn complete(platform: &Platform, picture: &Picture, layout: &Layout) {
    let nodes = picture.nodes();
    let placed: Vec<usize> = layout.nodes.iter().map(|node| node.node).collect();
    for node in &nodes {
        assert_eq!(placed.iter().filter(|id| **id == node.id).count(), 1, "{node:?}");
    }
    assert_eq!(placed.len(), nodes.len());
    let names: BTreeMap<usize, &str> = nodes.iter().map(|node| (node.id, node.name.as_str())).collect();
    let mut shown: Vec<&str> = nodes
        .iter()
        .filter(|node| matches!(node.kind, NodeKind::Service | NodeKind::Component | NodeKind::Store))
        .map(|node| node.name.as_str())
        .collect();
    let blueprint = &platform.blueprint;
    let mut wanted: Vec<&str> = blueprint
        .services
        .keys()
        .chain(blueprint.components.keys())
        .chain(blueprint.managed.caches.keys())
        .chain(blueprint.managed.brokers.keys())
        .chain(blueprint.managed.search.keys())
        .map(Name::as_str)
        .collect();
    shown.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(shown, wanted);

    let mut calls: Vec<(&str, &str)> = picture
        .edges
        .iter()
        .filter(|edge| edge.kind == EdgeKind::Call)
        .map(|edge| (names[&edge.from], names[&edge.to]))
        .collect();
    let declared: BTreeSet<(&str, &str)> = blueprint
        .services
        .iter()
        .chain(&blueprint.components)
        .flat_map(|(name, workload)| workload.depends_on.iter().map(|to| (name.as_str(), to.as_str())))
        .collect();
    calls.sort_unstable();
    assert_eq!(calls, declared.into_iter().collect::<Vec<_>>());
    let drawn: Vec<usize> = layout.lines.iter().map(|line| line.of).collect();
    assert_eq!(drawn, (0..picture.edges.len()).collect::<Vec<_>>());
    assert_eq!(layout.links.len(), picture.peerings.len());
}

fn check(platform: &Platform) {
    let picture = Picture::new(platform);
    let layout = Layout::new(&picture);
    let mut wrong = boxes_and_words(&layout);
    wrong.extend(wires(&picture, &layout));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    complete(platform, &picture, &layout);
}

#[test]
fn nothing_overlaps_and_nothing_is_missing() {
    check(&reference());
    check(&platform(&minimal()));
    check(&platform(&large()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_platform_has_everything_once_and_in_its_place(
        regions in 1_usize..=4,
        services in proptest::collection::vec((0_u8..32, any::<u16>(), any::<bool>()), 0..14),
        door in any::<bool>(),
        stores in any::<bool>(),
        purpose in "[ -~é漢\u{202e}]{1,60}",
    ) {
        let door = door && !services.is_empty();
        let platform = platform(&random(regions, &services, door, stores, &purpose));
        check(&platform);
        prop_assert_eq!(svg(&platform), svg(&platform));
    }
}

#[test]
fn the_same_blueprint_gives_the_same_bytes() {
    for text in [reference_with(&[]), minimal(), large()] {
        let (one, other) = (platform(&text), platform(&text));
        assert_eq!(svg(&one), svg(&other));
        assert_eq!(mermaid(&one), mermaid(&other));
        assert_eq!(dot(&one), dot(&other));
    }
}

#[test]
fn who_reaches_cardholder_data_is_said_and_marked() {
    let picture = Picture::new(&reference());
    insta::assert_snapshot!(picture.summary.join("\n"), @r"
    Cardholder data lives in payment-service on node group financial-services.
    Called directly by api-gateway.
    Through these also by api.nexafi.example and the internet.
    ");
    let picture = Picture::new(&platform(&large()));
    insta::assert_snapshot!(picture.summary.join("\n"), @r"
    Cardholder data lives in card-auth, card-vault, card-tokens and card-disputes on node group cards.
    Called directly by partner-api and clearing.
    Through these also by api.meridian.example and the internet.
    ");
    for node in picture.nodes() {
        let calls = picture.edges.iter().any(|edge| edge.from == node.id && edge.cardholder);
        assert_eq!(calls && node.reach != Reach::Holds, node.reach == Reach::Direct, "{node:?}");
    }
    let drawn = svg(&platform(&large()));
    assert_eq!(drawn.matches("nxg-n nxg-service nxg-holds").count(), 4);
    assert_eq!(drawn.matches("nxg-n nxg-service nxg-reach").count(), 2);
    assert!(drawn.contains("<title>partner-api calls card-auth on 5002</title>"));
}

/// What stands by in other regions, and what connects them.
#[test]
fn other_regions_show_what_they_are_ready_for() {
    let picture = Picture::new(&platform(&large()));
    let mut groups = Vec::new();
    picture.regions[2].walk(&mut |area| {
        if area.kind == AreaKind::NodeGroup {
            groups.push((area.name.as_str(), area.facts[0].as_str(), area.stands_for.first().copied()));
        }
    });
    let cards = ("dr-cards", "stands by for cards", Some(DataKind::CardholderData));
    assert!(groups.contains(&cards), "{groups:?}");
    assert_eq!(picture.peerings.len(), 5);
    assert_eq!(picture.peerings[4].calls, ["reporting in tertiary calls ledger in archive on 5008"]);
    assert!(picture.regions[2].facts.contains(&picture.peerings[4].calls[0]));
}

/// Names that would break out of their place, put where no schema looks at them any more.
fn hostile() -> Platform {
    let mut platform = platform(&large());
    let evil = "\"]--><script>alert('x')</script>&amp;\\N\n%%{init: {}}%%`*end*`\u{202e}\u{0}]]>#quot;";
    evil.clone_into(&mut platform.plan.workloads[0].name);
    evil.clone_into(&mut platform.plan.workloads[1].namespace);
    evil.clone_into(&mut platform.plan.workloads[2].spec.egress[0].purpose);
    "end".clone_into(&mut platform.plan.workloads[3].name);
    evil.clone_into(&mut platform.plan.buckets[0].name);
    evil.clone_into(&mut platform.plan.peerings[4].flows[0].caller);
    for region in platform.plan.regions.values_mut() {
        evil.clone_into(&mut region.cluster_name);
        evil.clone_into(&mut region.aws);
    }
    platform
}

fn ci() -> bool {
    std::env::var_os("CI").is_some_and(|ci| ci == "true")
}

/// Runs a tool on a text; `None` where there is no such tool, which is a failure under CI=true.
fn run(tool: &str, arguments: &[&str], text: &str) -> Option<(bool, String)> {
    let started = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else {
        println!("skipped: no {tool} on PATH");
        assert!(!ci(), "{tool} is missing, and CI=true");
        return None;
    };
    let mut input = child.stdin.take().unwrap();
    let text = text.to_owned();
    let writer = std::thread::spawn(move || {
        let _ = input.write_all(text.as_bytes());
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn graphviz_draws_every_picture() {
    for platform in [reference(), platform(&minimal()), platform(&large()), hostile()] {
        let Some((fine, said)) = run("dot", &["-Tsvg"], &dot(&platform)) else { return };
        assert!(fine && !said.contains("Warning") && !said.contains("rror:"), "{said}");
        assert!(!said.contains("<script"), "{said}");
        for edge in Picture::new(&platform).edges {
            assert!(
                said.contains(&format!("<title>n{}&#45;&gt;n{}</title>", edge.from, edge.to)),
                "{}",
                edge.words
            );
        }
    }
}

/// An independent XML parser takes the picture; nothing in it runs, loads or leaves.
#[test]
fn the_svg_is_well_formed_and_self_contained() {
    const READ: &str = "
import sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
names = sorted({element.tag.split('}')[1] for element in root.iter()})
attributes = sorted({name for element in root.iter() for name in element.attrib})
ids = [element.attrib['id'] for element in root.iter() if 'id' in element.attrib]
assert len(ids) == len(set(ids)) and all(id.startswith('nxg-') for id in ids), ids
titles = [element.text for element in root.iter() if element.tag.endswith('title')]
assert all(titles), titles
print(' '.join(names)); print(' '.join(attributes)); print(len(titles))
";
    for platform in [reference(), platform(&minimal()), platform(&large()), hostile()] {
        let drawn = svg(&platform);
        assert!(!drawn.contains("http") || drawn.matches("http").count() == 1, "only the name of the format");
        assert!(!drawn.contains("<script") && !drawn.contains("@import") && !drawn.contains("style=\""));
        let Some((fine, said)) = run("python3", &["-c", READ], &drawn) else { return };
        assert!(fine, "{said}");
        let said: Vec<&str> = said.lines().collect();
        for name in said[0].split(' ') {
            let known = "circle defs desc g path pattern rect style svg text title";
            assert!(known.split(' ').any(|known| known == name), "{name}");
        }
        assert!(!said[1].contains("href") && !said[1].contains("on"), "{}", said[1]);
        let picture = Picture::new(&platform);
        assert!(said[2].parse::<usize>().unwrap() > picture.edges.len() + picture.nodes().len());
    }
}

/// The parser that Mermaid itself uses, where `.ci/run` could install it.
#[test]
fn mermaid_parses_every_picture() {
    let home = std::path::Path::new("target/tools/mermaid");
    if !home.join("node_modules/mermaid").is_dir() {
        println!("skipped: no mermaid in target/tools");
        return;
    }
    let script = home.join("parse.mjs");
    std::fs::copy("tests/mermaid/parse.mjs", &script).unwrap();
    for platform in [reference(), platform(&minimal()), platform(&large()), hostile()] {
        let (fine, said) = run("node", &[&script.to_string_lossy()], &mermaid(&platform)).unwrap();
        assert!(fine, "{said}\n{}", mermaid(&platform));
        let read: serde_json::Value =
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        let picture = Picture::new(&platform);
        assert_eq!(read["nodes"], picture.nodes().len());
        assert_eq!(read["edges"], picture.edges.len() + picture.peerings.len());
    }
}

/// Nothing but what is written for Mermaid to read stands outside of quotes, whatever names say.
#[test]
fn no_name_breaks_out_of_a_mermaid_label() {
    let drawn = mermaid(&hostile());
    assert!(
        !drawn.contains("script>")
            && !drawn.contains("%%{")
            && !drawn.contains('`')
            && !drawn.contains('\u{0}')
    );
    for line in
        drawn.lines().filter(|line| !line.trim_start().starts_with("%%") && !line.starts_with("title:"))
    {
        assert_eq!(line.matches('"').count() % 2, 0, "{line}");
        let outside: String = line.split('"').step_by(2).collect();
        assert!(
            outside.chars().all(|char| char.is_ascii_alphanumeric() || " _-=.<>|[](){}/:,#".contains(char)),
            "{outside}"
        );
    }
}

/// The contrast of two colours, in hundredths (www.w3.org/TR/WCAG22, "contrast ratio").
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |colour: &str| {
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn text_is_readable_on_every_ground_in_light_and_dark() {
    let drawn = svg(&platform(&minimal()));
    let mut modes = 0;
    for block in drawn.split(".nxg{").skip(1) {
        let block = block.split('}').next().unwrap();
        let colours: BTreeMap<&str, &str> =
            block.split(';').map(|part| part.trim_start_matches("--nxg-").split_once(':').unwrap()).collect();
        let data = ["cardholder", "credentials", "financial", "personal", "audit"];
        let tints = data.map(|kind| format!("{kind}-tint"));
        let grounds = ["ground", "region", "vpc", "cluster", "node"];
        for ground in grounds.into_iter().chain(tints.iter().map(String::as_str)) {
            for text in ["ink", "muted"] {
                let ratio = contrast(colours[text], colours[ground]);
                assert!(ratio >= 4.5, "{text} on {ground}: {ratio}");
            }
            // Lines are no text: WCAG 1.4.11 asks for 3.
            for line in ["line", "door", "cardholder"] {
                let ratio = contrast(colours[line], colours[ground]);
                assert!(ratio >= 3.0, "{line} on {ground}: {ratio}");
            }
        }
        for chip in data.into_iter().chain(["muted"]) {
            let ratio = contrast(colours["label"], colours[chip]);
            assert!(ratio >= 4.5, "label on {chip}: {ratio}");
        }
        modes += 1;
    }
    assert_eq!(modes, 3, "light, dark and paper");
}

#[test]
fn the_picture_in_the_documentation_is_the_reference_platforms() {
    let kept = std::fs::read_to_string("docs/architecture.svg").unwrap();
    assert!(
        kept == svg(&reference()),
        "run: cargo run -- graph blueprints/nexafi.yaml --output docs/architecture.svg"
    );
}

#[test]
fn small_pictures_in_other_languages_are_readable_as_text() {
    let platform = platform(&minimal());
    insta::assert_snapshot!("minimal_mermaid", mermaid(&platform));
    insta::assert_snapshot!("minimal_dot", dot(&platform));
}

#[test]
fn the_command_prints_or_writes_and_refuses_with_a_reason() {
    let desk = Desk::new();
    desk.put("minimal.yaml", minimal());
    let ran = desk.run("graph minimal.yaml");
    assert_eq!((ran.code, ran.err.as_str()), (ExitCode::Clean, ""));
    assert!(ran.out.starts_with("<svg ") && ran.out.ends_with("</svg>\n"));
    let written = desk.run("graph minimal.yaml --format dot --output out.dot");
    assert_eq!((written.code, written.out.as_str()), (ExitCode::Clean, ""));
    assert_eq!(desk.read("out.dot"), desk.run("graph minimal.yaml --format dot").out);

    desk.put(
        "faulty.yaml",
        minimal().replace("handles: [personal-data]", "handles: [personal]\n    dependsOn: [nobody]"),
    );
    let ran = desk.run("graph faulty.yaml");
    assert_eq!((ran.code, ran.out.as_str()), (ExitCode::Findings, ""));
    assert!(ran.err.contains("NXF-CFG-") && ran.err.contains("nothing was drawn"), "{}", ran.err);

    for (arguments, said) in [
        ("graph minimal.yaml --output no/where.svg", "there is no directory no\nhelp: "),
        ("graph minimal.yaml --output .", "cannot write ."),
        ("graph nowhere.yaml", "cannot use nowhere.yaml"),
        ("graph minimal.yaml --format png", "[possible values: svg, mermaid, dot]"),
        ("graph", "<BLUEPRINT>"),
    ] {
        let ran = desk.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (ExitCode::Unusable, ""), "{arguments}: {}", ran.err);
        assert!(ran.err.contains(said), "{arguments}: {}", ran.err);
    }
}
