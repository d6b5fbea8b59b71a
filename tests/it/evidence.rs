//! The evidence page: what it says, that it says the same every time, and that nothing in it becomes markup or script.

use nexafi_gen::cli::ExitCode;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::cli::{Desk, minimal};

const ARGUMENTS: &str = "evidence blueprints/minimal.yaml --out evidence --at 2026-11-24";

/// Flow logs are off, and somebody answers for it; a disk of the cluster's nodes is nobody's business.
const WAIVER: &str = "compliance:
  waivers:
    - policy: NXF-NET-001
      subject: regions.primary.vpc
      reason: until the move to the shared network
      owner: jane@bank.example
      ticket: RISK-12
      expires: 2027-01-31
";

fn desk(change: impl Fn(String) -> String) -> Desk {
    let desk = Desk::new();
    desk.put("blueprints/minimal.yaml", change(minimal()));
    desk
}

fn without_flow_logs(text: &str) -> String {
    text.replace("vpc: {cidr: 10.20.0.0/16}", "vpc: {cidr: 10.20.0.0/16, flowLogs: {enabled: false}}")
}

fn page(desk: &Desk) -> String {
    desk.read("evidence/report.html")
}

/// The content of the first element of a tag.
fn content<'p>(page: &'p str, open: &str, close: &str) -> &'p str {
    let start = page.find(open).unwrap_or_else(|| panic!("no {open}")) + open.len();
    &page[start..start + page[start..].find(close).unwrap()]
}

/// What a reader of the page reads: no markup, no data, one line a line of text.
fn words(page: &str) -> String {
    let body = content(page, "<body>", "<script type=\"application/json\"");
    let mut text = String::new();
    for piece in body.split('<') {
        let (tag, words) = piece.split_once('>').unwrap_or(("", piece));
        match tag {
            "/dt" | "/th" | "/td" => text.push_str(" | "),
            "/li" | "/p" | "br" => text.push('\n'),
            _ => {}
        }
        text.push_str(words);
    }
    let text = text.replace("&#x2f;", "/").replace("&#x27;", "'").replace("&quot;", "\"");
    let lines = text.lines().map(|line| line.trim().trim_end_matches(" |")).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = LETTERS[((bits >> (18 - 6 * at)) & 63) as usize] as char;
            text.push(if at <= chunk.len() { letter } else { '=' });
        }
    }
    text
}

#[test]
fn the_page_says_what_an_auditor_asks() {
    let desk = desk(|text| without_flow_logs(&text).replace("regions:", &format!("{WAIVER}regions:")));
    let ran = desk.run(ARGUMENTS);
    assert_eq!(ran.code, ExitCode::Clean, "{ran:?}");
    assert_eq!(ran.out, "");
    insta::assert_snapshot!("evidence_remark", ran.err);
    let page = page(&desk);
    let words = words(&page);
    // The head, the waived policy and the waivers; the other policies are like it.
    let upto = words.find("Controls by framework").unwrap();
    let policy = &words[words.find("\nNXF-NET-001 ").unwrap()..];
    let policy = &policy[..policy.find("\nNXF-NET-002 ").unwrap()];
    let end = &words[words.find("\nWaivers\nPolicy |").unwrap()..words.find("\nHashes\nWhoever").unwrap()];
    let shown = format!("{}\n…{policy}\n…{end}", &words[..upto]);
    insta::with_settings!({filters => vec![(r"nexafi-gen \d+\.\d+\.\d+", "nexafi-gen [version]")]}, {
        insta::assert_snapshot!("evidence_words", shown);
    });
    let table = desk.read("evidence/controls.csv");
    let rows = table.lines().filter(|line| line.contains(",waived,") || line.starts_with("framework"));
    insta::assert_snapshot!("evidence_controls", rows.collect::<Vec<_>>().join("\n"));
    assert!(table.ends_with("\r\n"));
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}

#[test]
fn the_same_blueprint_makes_the_same_page_wherever_it_lies() {
    let first = desk(|text| text);
    assert_eq!(first.run(ARGUMENTS).code, ExitCode::Clean);
    let again = page(&first);
    assert_eq!(first.run(ARGUMENTS).code, ExitCode::Clean);
    assert_eq!(page(&first), again);
    let leftover = |(path, _): &(String, Vec<u8>)| path.contains("evidence/.");
    assert!(!first.everything().iter().any(leftover), "a staged file is left");

    let elsewhere = Desk::new();
    elsewhere.put("deep/er/minimal.yaml", minimal());
    let typed = elsewhere.directory.join("deep/er/minimal.yaml");
    let out = elsewhere.directory.join("else_where");
    let ran = elsewhere.run(&format!("evidence {typed} --out {out} --at 2026-11-24"));
    assert_eq!(ran.code, ExitCode::Clean, "{ran:?}");
    assert_eq!(elsewhere.read("else_where/report.html"), again);
    assert_eq!(elsewhere.read("else_where/controls.csv"), first.read("evidence/controls.csv"));
    assert!(!again.contains(elsewhere.directory.as_str()) && !again.contains("blueprints/minimal.yaml"));
}

#[test]
fn failures_are_shown_and_end_the_run_with_1() {
    let desk = desk(|text| without_flow_logs(&text));
    let ran = desk.run(ARGUMENTS);
    assert_eq!(ran.code, ExitCode::Findings, "{ran:?}");
    let text = page(&desk);
    assert!(text.contains("flow logs of the primary VPC are off"));
    assert!(desk.read("evidence/controls.csv").contains(",failed,NXF-"));
    assert_eq!(desk.run(&format!("{ARGUMENTS} --fail-on never")).code, ExitCode::Clean);
    assert_eq!(page(&desk), text, "--fail-on decides how the run ends, and nothing else");
}

#[test]
fn of_a_faulty_blueprint_there_is_no_evidence() {
    for (text, code) in [
        (minimal().replace("regions:", "region:"), ExitCode::Findings),
        ("apiVersion: nexafi-gen/v1\nname: [\n".to_owned(), ExitCode::Findings),
    ] {
        let desk = desk(|_| text.clone());
        let ran = desk.run(ARGUMENTS);
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.out.contains("NXF-CFG-"), "{ran:?}");
        assert!(ran.out.contains("blueprints/minimal.yaml"), "{ran:?}");
        assert!(ran.err.contains("nothing was written"), "{ran:?}");
        assert!(!desk.directory.join("evidence").exists());
        assert_eq!(desk.run(&format!("{ARGUMENTS} --fail-on never")).code, ExitCode::Unusable);
    }
    let desk = desk(|text| text);
    desk.put("policies/broken.yaml", "id: X\n");
    let ran = desk.run(&format!("{ARGUMENTS} --policies policies"));
    assert!(ran.out.contains("NXF-CFG-040"), "{ran:?}");
    assert!(!desk.directory.join("evidence").exists());
    desk.put("file", "");
    let ran = desk.run("evidence blueprints/minimal.yaml --out file");
    assert_eq!(ran.code, ExitCode::Unusable, "{ran:?}");
    assert!(ran.err.starts_with("error: cannot write file"), "{ran:?}");
}

#[test]
fn a_framework_narrows_the_page_to_it() {
    let desk = desk(|text| text);
    let ran = desk.run(&format!("{ARGUMENTS} --framework dora-2022-2554"));
    assert_eq!(ran.code, ExitCode::Clean, "{ran:?}");
    let table = desk.read("evidence/controls.csv");
    assert!(table.lines().skip(1).all(|line| line.starts_with("dora-2022-2554,")), "{table}");
    // The articles on third parties and on testing are nothing that a file shows.
    assert!(table.contains("dora-2022-2554,,26,Threat-led penetration testing,for a person to assess"));
    assert_eq!(desk.run(&format!("{ARGUMENTS} --framework dora")).code, ExitCode::Unusable);
}

#[test]
fn every_control_that_a_policy_names_has_its_part_of_the_framework() {
    let catalogue = nexafi_gen::policy::Catalogue::judging();
    for policy in catalogue.policies() {
        for (framework, controls) in &policy.controls {
            let sections = framework.sections();
            for control in controls {
                let homes = sections.iter().filter(|section| section.holds(&control.id)).count();
                assert_eq!(homes, 1, "{} {} of {}", framework.id(), control.id, policy.id);
            }
        }
    }
}

#[test]
fn the_content_security_policy_allows_this_script_and_this_style_only() {
    let desk = desk(|text| text);
    desk.run(ARGUMENTS);
    let page = page(&desk);
    let hash = |text: &str| format!("'sha256-{}'", base64(&Sha256::digest(text.as_bytes())));
    let policy = content(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    let policy = policy.replace("&#x27;", "'").replace("&#x2f;", "/").replace("&#39;", "'");
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
            hash(content(&page, "<script>", "</script>")),
            hash(content(&page, "<style>", "</style>")),
        )
    );
    assert_eq!(page.matches("<script").count(), 2, "the data and the script");
    assert_eq!(page.matches("<style").count(), 1);
    for remote in ["http://", "https://", "@import", "url("] {
        let markup =
            page.replace(content(&page, "<script type=\"application/json\" id=\"data\">", "</script>"), "");
        assert!(
            !markup.contains(&format!("src=\"{remote}")) && !markup.contains(&format!("href=\"{remote}"))
        );
    }
}

/// Texts that have broken out of pages before.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "</script>",
        "<script>alert(1)</script>",
        "<!--",
        "-->",
        "]]>",
        "<img src=x onerror=alert(1)>",
        "\"",
        "'",
        "&",
        "&lt;",
        "<b>",
        "</style>",
        "</title>",
        "{{ 7 * 7 }}",
        "{% raw %}",
        "\u{2028}",
        "\u{2029}",
        "\u{202e}",
        "\u{0}",
        "=1+1",
        "\\",
        "`",
        "${x}",
        "é",
        "🏦",
        "javascript:alert(1)",
    ]);
    prop::collection::vec(pieces, 1..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn no_text_becomes_markup_or_script(reason in hostile(), ticket in hostile(), owner in hostile()) {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let waiver = WAIVER
            .replace("until the move to the shared network", &quoted(&reason))
            .replace("RISK-12", &quoted(&ticket))
            .replace("jane@bank.example", &quoted(&owner));
        let clean = desk(|text| without_flow_logs(&text).replace("regions:", &format!("{WAIVER}regions:")));
        clean.run(ARGUMENTS);
        let desk = desk(|text| without_flow_logs(&text).replace("regions:", &format!("{waiver}regions:")));
        let ran = desk.run(ARGUMENTS);
        // What the schema refuses is not shown at all.
        prop_assume!(desk.directory.join("evidence/report.html").exists());
        prop_assert!(matches!(ran.code, ExitCode::Clean | ExitCode::Findings), "{:?}", ran);
        let page = page(&desk);
        let expected = self::page(&clean);
        for mark in ["<script", "</script", "<style", "</style", "<img", "<!--", "<b>", "</title"] {
            prop_assert_eq!(page.matches(mark).count(), expected.matches(mark).count(), "{}", mark);
        }
        let data = content(&page, "<script type=\"application/json\" id=\"data\">", "</script>");
        let dangerous = data.contains(['<', '>', '&', '\u{2028}', '\u{2029}']);
        prop_assert!(!dangerous);
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        prop_assert!(data["results"].as_array().unwrap().len() > 100);
        let hidden = page.contains(['\u{202e}', '\u{0}']);
        prop_assert!(!hidden);
        let table = desk.read("evidence/controls.csv");
        prop_assert!(!table.lines().any(|line| line.split(',').any(|cell| cell.starts_with("=1"))), "{}", table);
    }
}

#[test]
fn a_secret_is_masked_on_the_page() {
    let key = "AKIAQWERTYUIOPASDFGH";
    let desk = desk(|text| text.replace("owner:", &format!("tags: {{note: \"{key}\"}}\nowner:")));
    let ran = desk.run(ARGUMENTS);
    assert_eq!(ran.code, ExitCode::Findings, "{ran:?}");
    let page = page(&desk);
    assert!(!page.contains(key), "the secret is on the page");
    assert!(page.contains("********************"));
}
