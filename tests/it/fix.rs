//! `fix`: what policies would write is written, and nothing else changes.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use nexafi_gen::blueprint;
use nexafi_gen::cli::ExitCode;
use nexafi_gen::policy::mend::{Mended, Setting, Why, mend};
use nexafi_gen::policy::{Policy, Scope, World, evaluate};
use nexafi_gen::source::edit::set;
use nexafi_gen::source::{Finding, SourceFile, Sources, Verdict};

use crate::cli::{Desk, minimal};
use crate::mutants::{AT, CATALOGUE, REFERENCE, mutants};

/// A blueprint that breaks three policies, with everything around it that an edit could lose.
const BROKEN: &str = "\
# The payments platform.
apiVersion: nexafi-gen/v1
name: minimal
owner: {team: platform, email: platform@nexafi.example}
regions:
  primary:
    aws: eu-central-1   # Frankfurt
    vpc:
      cidr: 10.20.0.0/16
      flowLogs:
        enabled: false  # off since the trial
        # REJECT is cheaper
        traffic: 'REJECT'

    # Nobody wrote rules yet.
    cluster: {networkPolicy: false, endpoint: {public: true, publicAccessCidrs: [192.0.2.0/24]}}
security:
  keys: {rotation: false}
services:
  accounts:
    image:
      repository: registry.nexafi.example/accounts
      digest: \"sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef\"
    handles: [personal-data]
";

/// What is open in a blueprint.
fn open(text: &str) -> Vec<Finding> {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("nexafi.yaml", text.to_owned()));
    let loaded = blueprint::load(id, sources.get(id).unwrap());
    let policies: Vec<&Policy> = CATALOGUE.policies().iter().collect();
    let world = World { blueprint: loaded.view.as_ref(), at: Some(AT), ..World::new(&sources) };
    let verdicts = evaluate(&policies, &world).verdicts.into_iter().map(|verdict| verdict.finding);
    loaded.findings.into_iter().chain(verdicts.filter(|finding| finding.verdict != Verdict::Pass)).collect()
}

fn mended(text: &str) -> Mended {
    mend(text, true, &mut open)
}

/// Lines that are only in one of two texts.
fn changed(old: &str, new: &str) -> (usize, usize) {
    let diff = similar::TextDiff::from_lines(old, new);
    let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    (count(similar::ChangeTag::Delete), count(similar::ChangeTag::Insert))
}

fn replay(text: &str, by: &BTreeSet<String>, settings: &[Setting]) -> String {
    let mut text = text.to_owned();
    for (path, value) in settings {
        assert!(by.contains(&path.join(".")));
        let steps: Vec<&str> = path.iter().map(String::as_str).collect();
        text = set(&text, &steps, value).unwrap().unwrap_or(text);
    }
    text
}

/// Whether a rule that looks at `regions.*.vpc` looks at this address.
fn leads_to(select: &str, address: &str) -> bool {
    let one = |(step, key): (&str, &str)| {
        step == "*"
            || step == key
            || step
                .strip_prefix('{')
                .is_some_and(|keys| keys.trim_end_matches('}').split(',').any(|one| one == key))
    };
    select.split('.').count() == address.split('.').count()
        && select.split('.').zip(address.split('.')).all(one)
}

/// A blueprint that a policy refuses.
struct Case {
    policy: String,
    write: String,
    text: String,
}

/// The key of the financial nodes' disks has another purpose too: what no mutant of one policy alone can show.
fn shared_keys() -> impl Iterator<Item = Case> {
    let disks = ("sizeGib: 100, kmsKey: platform", "sizeGib: 100, kmsKey: KEY");
    [
        ("traffic: ALL}\n    cluster", "traffic: ALL, kmsKey: KEY}\n    cluster"),
        ("    cluster:\n      version", "    cluster:\n      logKmsKey: KEY\n      version"),
        ("documents: {kmsKey: platform", "documents: {kmsKey: KEY"),
    ]
    .into_iter()
    .map(move |second| {
        let broken = [disks, second].iter().fold(REFERENCE.to_owned(), |text, (instead, write)| {
            assert!(text.contains(instead), "the reference blueprint no longer says {instead:?}");
            text.replacen(instead, write, 1)
        });
        let text = broken.replace("KEY", "\"arn:aws:kms:us-east-1:123456789012:key/one\"");
        Case { policy: "NXF-ENC-005".to_owned(), write: second.1.to_owned(), text }
    })
}

/// The reference blueprint is broken in each way the mutants know; what the policy would write mends it.
#[test]
fn each_fix_of_a_policy_mends_its_mutant_and_changes_its_line_alone() {
    let mut wrong = String::new();
    let mut proven: BTreeSet<(String, String, String)> = BTreeSet::new();
    let known = mutants().into_iter().filter(|mutant| !mutant.cross).map(|mutant| {
        let (text, _) = mutant.text();
        Case { policy: mutant.policy, write: mutant.write, text }
    });
    for mutant in known.chain(shared_keys()) {
        let text = mutant.text.as_str();
        let before = open(text);
        let fixable = |finding: &&Finding| finding.code == mutant.policy && finding.fix.is_some();
        let wanted: Vec<&Finding> = before.iter().filter(fixable).collect();
        if wanted.is_empty() {
            continue;
        }
        let mended = mended(text);
        let left: Vec<&str> = mended
            .left
            .iter()
            .filter(|left| fixable(&&left.finding))
            .map(|left| left.finding.pointer.as_str())
            .collect();
        if !left.is_empty() {
            let why: Vec<&Why> = mended.left.iter().map(|left| &left.why).collect();
            writeln!(wrong, "{} {:?}: left {left:?}: {why:?}", mutant.policy, mutant.write).unwrap();
            continue;
        }
        for finding in wanted {
            let fix = finding.fix.as_ref().unwrap();
            let address = &finding.subject.as_ref().unwrap().address;
            for (path, _) in &fix.set {
                proven.insert((finding.code.clone(), address.clone(), path.join(".")));
            }
        }
        let mut settings: Vec<Setting> = Vec::new();
        for setting in mended.fixed.iter().flat_map(|fixed| &fixed.by) {
            if !settings.contains(setting) {
                settings.push(setting.clone());
            }
        }
        let (gone, new) = changed(text, &mended.text);
        if gone > settings.len() || new > settings.len() {
            writeln!(wrong, "{}: {gone} lines went and {new} came for {settings:?}", mutant.policy).unwrap();
        }
        let again = self::mended(&mended.text);
        if again.text != mended.text || !again.fixed.is_empty() {
            writeln!(wrong, "{} {:?}: a second run changes more", mutant.policy, mutant.write).unwrap();
        }
        let paths: BTreeSet<String> = settings.iter().map(|(path, _)| path.join(".")).collect();
        assert_eq!(replay(text, &paths, &settings), mended.text);
        let windows = replay(&text.replace('\n', "\r\n"), &paths, &settings);
        assert_eq!(windows, mended.text.replace('\n', "\r\n"), "{}", mutant.policy);
    }
    assert!(wrong.is_empty(), "{wrong}");
    let mut unproven = Vec::new();
    for policy in CATALOGUE.policies() {
        for rule in policy.rules.iter().filter(|rule| rule.needs.is_empty()) {
            let (Scope::Blueprint(select), Some(fix)) = (&rule.scope, &rule.fix) else { continue };
            for (path, _) in &fix.set {
                let proves = |(code, address, set): &(String, String, String)| {
                    *code == policy.id
                        && leads_to(&select.to_string(), address)
                        && *set == format!("{address}.{path}")
                };
                if !proven.iter().any(proves) {
                    unproven.push(format!("{} {select} {path}", policy.id));
                }
            }
        }
    }
    assert_eq!(unproven, Vec::<String>::new(), "fixes that no mutant proves");
}

#[test]
fn a_difference_is_shown_and_nothing_is_written() {
    let desk = Desk::new();
    desk.put("a.yaml", BROKEN);
    let before = desk.everything();
    let ran = desk.run("fix a.yaml --diff");
    assert_eq!(ran.code, ExitCode::Findings);
    assert_eq!(desk.everything(), before);
    insta::assert_snapshot!(ran.shown());
}

#[test]
fn what_is_safe_is_written_and_the_rest_named() {
    let desk = Desk::new();
    desk.put("a.yaml", BROKEN);
    let ran = desk.run("fix a.yaml");
    assert_eq!(ran.code, ExitCode::Findings);
    insta::assert_snapshot!(ran.shown());
    let once = desk.read("a.yaml");
    assert!(once.contains("enabled: true  # off since the trial\n"), "{once}");
    assert!(once.contains("        # REJECT is cheaper\n        traffic: 'ALL'\n\n    # Nobody"), "{once}");
    assert_eq!(changed(BROKEN, &once), (3, 3));
    // A second run changes nothing.
    let modified = || std::fs::metadata(desk.directory.join("a.yaml")).unwrap().modified().unwrap();
    let time = modified();
    assert_eq!(desk.run("fix a.yaml").code, ExitCode::Findings);
    assert_eq!((desk.read("a.yaml"), modified()), (once, time));

    let ran = desk.run("fix a.yaml --unsafe");
    assert_eq!(ran.code, ExitCode::Clean, "{}{}", ran.out, ran.err);
    assert!(
        desk.read("a.yaml")
            .contains("{networkPolicy: true, endpoint: {public: true, publicAccessCidrs: [192.0.2.0/24]}}")
    );
    assert_eq!(desk.run("lint a.yaml").code, ExitCode::Clean);
    let ran = desk.run("fix a.yaml --unsafe");
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", "a.yaml: nothing to fix\n"));
    assert_eq!(desk.run("fix a.yaml -q").err, "");
}

#[test]
fn the_flags_choose_what_is_mended_and_what_fails() {
    let desk = Desk::new();
    desk.put("a.yaml", BROKEN);
    let ran = desk.run("fix a.yaml --select ENC");
    assert_eq!(ran.code, ExitCode::Clean, "{ran:?}");
    assert_eq!(desk.read("a.yaml"), BROKEN.replace("rotation: false", "rotation: true"));
    assert_eq!(desk.run("fix a.yaml --ignore NET --fail-on never").code, ExitCode::Clean);
    assert!(desk.read("a.yaml").contains("enabled: false"));
}

#[test]
fn marks_line_endings_permissions_and_links_stay() {
    let desk = Desk::new();
    let windows = format!("\u{feff}{}", BROKEN.replace('\n', "\r\n"));
    desk.put("real/a.yaml", &windows);
    std::os::unix::fs::symlink("real/a.yaml", desk.directory.join("link.yaml")).unwrap();
    let path = desk.directory.join("real/a.yaml");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    desk.put("b.yaml", BROKEN);
    assert_eq!(desk.run("fix link.yaml b.yaml --unsafe").code, ExitCode::Clean);
    let expected = format!("\u{feff}{}", desk.read("b.yaml").replace('\n', "\r\n"));
    assert_eq!(desk.read("real/a.yaml"), expected);
    assert!(desk.directory.join("link.yaml").is_symlink());
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o640);
    let names: Vec<String> = desk.everything().into_iter().map(|(path, _)| path).collect();
    assert_eq!(names.len(), 5, "{names:?}");
}

#[test]
fn what_cannot_be_mended_is_said_and_left() {
    let desk = Desk::new();
    desk.put("read-only.yaml", BROKEN);
    let path = desk.directory.join("read-only.yaml");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o444)).unwrap();
    desk.put("directory/none.txt", "");
    desk.put("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n");
    desk.put("main.tf", "");
    desk.put("empty.yaml", "");
    let before = desk.everything();
    let mut shown = String::new();
    for arguments in [
        "read-only.yaml",
        "nowhere.yaml",
        "directory",
        "pod.yaml",
        "main.tf",
        "empty.yaml",
        "nowhere.yaml read-only.yaml --diff",
    ] {
        let ran = desk.run(&format!("fix {arguments}"));
        assert_eq!(ran.code, ExitCode::Unusable, "{arguments}: {ran:?}");
        writeln!(shown, "fix {arguments}\n{}", ran.err).unwrap();
    }
    assert_eq!(desk.everything(), before);
    insta::assert_snapshot!(shown);
}

#[test]
fn a_directory_is_searched_for_blueprints() {
    let desk = Desk::new();
    desk.put("a/one.yaml", BROKEN);
    desk.put("a/two.yaml", minimal());
    desk.put("a/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n");
    let ran = desk.run("fix a --unsafe");
    assert_eq!(ran.code, ExitCode::Clean, "{ran:?}");
    assert!(
        ran.err.contains("a/one.yaml: 3 fixed, 0 left") && ran.err.contains("a/two.yaml: nothing to fix"),
        "{ran:?}"
    );
    assert_eq!(desk.read("a/two.yaml"), minimal());
}

#[test]
fn a_blueprint_with_faults_is_left_as_it_is() {
    let desk = Desk::new();
    desk.put("a.yaml", BROKEN.replace("cidr: 10", "cidr: 1o"));
    desk.put("b.yaml", BROKEN.replace("flowLogs:", "flowLogs: ["));
    let before = desk.everything();
    assert_eq!(desk.run("fix a.yaml --unsafe").code, ExitCode::Findings);
    assert_eq!(desk.run("fix b.yaml --unsafe").code, ExitCode::Findings);
    assert_eq!(desk.run("fix b.yaml --unsafe --fail-on never").code, ExitCode::Unusable);
    assert_eq!(desk.everything(), before);
}

#[test]
fn what_somebody_answers_for_is_left_alone() {
    let desk = Desk::new();
    let waiver = "compliance:\n  waivers:\n    - policy: NXF-ENC-001\n      subject: security.keys\n      reason: A trial until the new keys are there.\n      owner: jane.doe@nexafi.example\n      ticket: RISK-1\n      expires: 2027-03-31\n";
    let text = format!("{BROKEN}{waiver}");
    desk.put("a.yaml", &text);
    let ran = desk.run("fix a.yaml --unsafe");
    assert_eq!(ran.code, ExitCode::Clean, "{ran:?}");
    assert!(desk.read("a.yaml").contains("rotation: false"), "{ran:?}");
    // A day later than the waiver's last one it counts no longer; the waiver itself is a finding then.
    let ran = desk.run("fix a.yaml --unsafe --at 2027-04-01");
    assert!(desk.read("a.yaml").contains("rotation: true"), "{ran:?}");
}

#[test]
fn what_other_places_repeat_is_not_touched() {
    let desk = Desk::new();
    let text = BROKEN
        .replace("networkPolicy: false", "networkPolicy: &off false")
        .replace("rotation: false", "rotation: *off");
    desk.put("a.yaml", &text);
    let ran = desk.run("fix a.yaml --select EKS --unsafe");
    assert_eq!(ran.code, ExitCode::Findings);
    assert_eq!(desk.read("a.yaml"), text);
    insta::assert_snapshot!(ran.shown());
    // An alias is replaced itself, and then nothing repeats the anchor.
    assert_eq!(desk.run("fix a.yaml --unsafe").code, ExitCode::Clean);
    assert!(desk.read("a.yaml").contains("networkPolicy: &off true"));
}

/// Two policies of a user that want the opposite of each other, and one whose fix does not do what it asserts.
#[test]
fn a_fix_that_breaks_something_else_or_mends_nothing_is_taken_back() {
    let desk = Desk::new();
    let policy = |id: &str, assert: &str, fix: &str| {
        format!(
            "id: {id}\ntitle: A rule\nseverity: high\nrationale: One reason. And another.\ncontrols:\n  \
             soc2-tsc-2017: [{{id: CC6.1, by: judgement}}]\nrules:\n  blueprint:\n    select: security.keys\n    \
             assert: {assert}\n    fix: {fix}\nexamples:\n  - name: one\n    blueprint: |\n      \
             security: {{keys: {{rotation: true}}}}\n    expect: {{security.keys: pass}}\n"
        )
    };
    desk.put("p/one.yaml", policy("BANK-ONE-001", "this.rotation == false", "{set: {rotation: false}}"));
    desk.put(
        "p/two.yaml",
        policy("BANK-TWO-001", "this.deletionWindowDays == 29", "{set: {deletionWindowDays: 30}}"),
    );
    desk.put(
        "p/three.yaml",
        policy("BANK-THR-001", "this.deletionWindowDays == 27", "{set: {deletionWindowDays: many}}"),
    );
    desk.put(
        "p/four.yaml",
        policy(
            "BANK-FOU-001",
            "this.preventDestroy == false",
            "{set: {preventDestroy: false}, unsafe: it goes}",
        ),
    );
    let text = minimal();
    desk.put("a.yaml", &text);
    let ran = desk.run("fix a.yaml --policies p");
    assert_eq!(ran.code, ExitCode::Findings);
    assert_eq!(desk.read("a.yaml"), text);
    insta::assert_snapshot!(ran.shown());
}

#[test]
fn reports_name_what_can_be_fixed() {
    let desk = Desk::new();
    desk.put("a.yaml", BROKEN);
    let ran = desk.run("lint a.yaml --format json --all");
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    for row in report["results"].as_array().unwrap() {
        let fixable = row.get("fixable").is_some();
        assert_eq!(fixable, row["verdict"] == "fail", "{row}");
    }
}
