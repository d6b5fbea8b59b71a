//! One change of the blueprint at a time, to a platform that stands: what terraform then wants to do is only what the
//! change names, and never replaces what holds data. The plans are snapshots.

use std::collections::BTreeMap;

use crate::bench::{Bench, bench, blueprint, rendered};

/// What loses data, or everything on it, when it is replaced or deleted.
const HOLDS_DATA: [&str; 11] = [
    "aws_cloudtrail",
    "aws_cloudwatch_log_group",
    "aws_eks_cluster",
    "aws_guardduty_detector",
    "aws_kms_alias",
    "aws_kms_key",
    "aws_nat_gateway",
    "aws_s3_bucket",
    "aws_s3_bucket_object_lock_configuration",
    "aws_subnet",
    "aws_vpc",
];

/// The plan for a blueprint, as lines of action, type and names.
fn plan(bench: &Bench, blueprint: &str) -> String {
    bench.write(&rendered(blueprint));
    let text = bench.run(&["plan", "-json"]).ok();
    let mut actions: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        if message["type"] != "planned_change" {
            continue;
        }
        let of = |name: &str| message["change"]["resource"][name].as_str().unwrap().to_owned();
        let action = message["change"]["action"].as_str().unwrap().to_owned();
        let (type_, address) = (of("resource_type"), of("addr"));
        let name = address.replace(&format!("{type_}."), "");
        let touched = matches!(action.as_str(), "create" | "update" | "read" | "noop");
        assert!(touched || !HOLDS_DATA.contains(&type_.as_str()), "{action} {address}");
        actions.entry((action, type_)).or_default().push(name);
    }
    let mut lines = String::new();
    for ((action, type_), mut names) in actions {
        names.sort();
        lines.push_str(&format!("{action} {type_}: {}\n", names.join(", ")));
    }
    lines
}

/// A blueprint with one thing written differently.
fn with(blueprint: &str, before: &str, after: &str) -> String {
    assert_eq!(blueprint.matches(before).count(), 1, "{before}");
    blueprint.replace(before, after)
}

#[test]
fn a_change_touches_what_it_names_and_keeps_what_holds_data() {
    let Some(bench) = bench() else { return };
    let nexafi = blueprint("nexafi.yaml");
    bench.write(&rendered(&nexafi));
    bench.run(&["init", "-no-color"]).ok();
    bench.run(&["apply", "-no-color", "-auto-approve"]).ok();

    assert_eq!(plan(&bench, &nexafi), "", "nothing changed");

    let general = "        general:\n          class: general\n";
    let batch =
        "        batch: {class: general, instanceTypes: [m6i.large], size: {min: 1, desired: 1, max: 4}}\n";
    insta::assert_snapshot!(
        "a_node_group_more",
        plan(&bench, &with(&nexafi, general, &format!("{batch}{general}")))
    );

    let group =
        "          instanceTypes: [m6i.xlarge, m5.xlarge]\n          size: {min: 3, desired: 5, max: 15}\n";
    let larger = group.replace("max: 15", "max: 20");
    insta::assert_snapshot!("a_larger_node_group", plan(&bench, &with(&nexafi, group, &larger)));

    let zones = "      cidr: 10.0.0.0/16\n      zones: 3\n";
    insta::assert_snapshot!(
        "a_zone_more",
        plan(&bench, &with(&nexafi, zones, &zones.replace("zones: 3", "zones: 4")))
    );

    let third = "\npeering:\n";
    let region = "  tertiary:\n    aws: eu-west-1\n    vpc: {cidr: 10.2.0.0/16, zones: 3}\n    cluster:\n      nodeGroups:\n        general: {class: general, size: {min: 1, desired: 1, max: 4}}\n";
    let certificates = "    certificates:\n";
    let certificate = "      tertiary: \"arn:aws:acm:eu-west-1:123456789012:certificate/1234\"\n";
    let grown = with(&nexafi, third, &format!("{region}{third}"));
    insta::assert_snapshot!(
        "a_region_more",
        plan(&bench, &with(&grown, certificates, &format!("{certificates}{certificate}")))
    );

    let image = ("tag: \"1.4.2\"", "tag: \"1.4.3\"");
    assert_eq!(plan(&bench, &with(&nexafi, image.0, image.1)), "", "an image is the cluster's business");

    let service = "  # Double-entry bookkeeping";
    let more = "  report-service:\n    image:\n      repository: registry.nexafi.example/report-service\n      digest: \"sha256:3afefdee147d0645a0dd1b8a09a6f5809402112669fc16d0e8a94efcc9c0de16\"\n    port: 5010\n";
    insta::assert_snapshot!(
        "a_service_more",
        plan(&bench, &with(&nexafi, service, &format!("{more}{service}")))
    );
}
