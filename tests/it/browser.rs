//! The evidence page in a real browser, with `tests/browser/evidence.mjs`.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the browser is looked for, and a test that cannot run says so"
)]

use std::path::Path;
use std::process::Command;

use nexafi_gen::cli::ExitCode;

use crate::cli::{Desk, minimal};

/// The packages that `.ci/run` installs.
const MODULES: &str = "target/tools/browser/node_modules";

fn chromium() -> Option<&'static str> {
    let works =
        |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|run| run.status.success());
    let node = works(&"node") && Path::new(MODULES).join("playwright-core").is_dir();
    ["/usr/bin/chromium", "/usr/bin/chromium-browser"].into_iter().find(|name| node && works(name))
}

/// A failure, a waiver, text that would like to be markup, and with `services` of them ten thousand verdicts.
fn blueprint(services: usize) -> String {
    let waiver = "compliance:\n  waivers:\n    - {policy: NXF-NET-001, subject: regions.primary.vpc, owner: \
                  jane@bank.example, ticket: RISK-12, expires: 2027-01-31, reason: \"</script><img src=x \
                  onerror=alert(1)>\"}\n";
    let mut text = minimal()
        .replace("cidr: 10.20.0.0/16}", "cidr: 10.20.0.0/16, flowLogs: {enabled: false}}")
        .replace("regions:", &format!("{waiver}regions:"));
    for number in 0..services {
        text.push_str(&format!(
            "  more-{number:03}:\n    image:\n      repository: registry.nexafi.example/more-{number:03}\n      digest: \
             \"sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef\"\n    replicas: 1\n    handles: \
             [personal-data]\n"
        ));
    }
    text
}

#[test]
fn the_evidence_page_works_in_a_browser() {
    let Some(chromium) = chromium() else {
        println!("skipped: no node, no chromium, or no packages in {MODULES}");
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "chromium is missing, and CI=true");
        return;
    };
    let desk = Desk::new();
    let mut command = Command::new("node");
    command.args(["tests/browser/evidence.mjs", MODULES, chromium, "-"]);
    // The reference platform, a small one with failures, and one with more verdicts than anybody reads.
    desk.put("reference.yaml", std::fs::read_to_string("blueprints/nexafi.yaml").unwrap());
    desk.put("small.yaml", blueprint(1));
    desk.put("many.yaml", blueprint(150));
    for name in ["reference", "small", "many"] {
        let ran = desk.run(&format!("evidence {name}.yaml --out {name} --at 2026-11-24"));
        assert!(matches!(ran.code, ExitCode::Clean | ExitCode::Findings), "{ran:?}");
        command.arg(format!("{name}={}", desk.directory.join(name).join("report.html")));
    }
    let ran = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    println!("{said}");
    assert!(ran.status.success(), "{said}");
    let verdicts = said.split("many: ").nth(1).and_then(|line| line.split(' ').next()).unwrap();
    assert!(verdicts.parse::<usize>().unwrap() >= 10_000, "{verdicts} are not many");
}
