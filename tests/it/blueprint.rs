//! What reading and resolving a blueprint promises.

use nexafi_gen::blueprint::{Loaded, load};
use nexafi_gen::source::{SourceFile, Sources};

/// Loads a blueprint's text.
pub(crate) fn load_text(text: &str) -> (Sources, Loaded) {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("blueprint.yaml", text.to_owned()));
    let loaded = load(id, sources.get(id).unwrap());
    (sources, loaded)
}

/// Findings as lines: place, code, underlined text, message, help.
pub(crate) fn lines(sources: &Sources, loaded: &Loaded) -> String {
    let mut out = String::new();
    for finding in &loaded.findings {
        let file = sources.get(finding.span.file).unwrap();
        let at = file.line_column(finding.span.start as usize);
        out.push_str(&format!(
            "{}:{} {} [{}]\n    {}\n    help: {}\n",
            at.line,
            at.column,
            finding.code,
            file.slice(finding.span),
            finding.message,
            finding.help
        ));
    }
    out
}

#[test]
fn every_blueprint_of_the_repository_loads_without_a_finding() {
    let mut seen = 0;
    for entry in walkdir::WalkDir::new("blueprints").sort_by_file_name() {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|extension| extension == "yaml") {
            let (sources, loaded) = load_text(&std::fs::read_to_string(entry.path()).unwrap());
            assert_eq!(lines(&sources, &loaded), "", "{}", entry.path().display());
            assert!(loaded.platform.is_some());
            seen += 1;
        }
    }
    assert!(seen >= 2);
}

/// The reference blueprint with some of its text replaced.
pub(crate) fn reference_with(replacements: &[(&str, &str)]) -> String {
    let mut text = std::fs::read_to_string("blueprints/nexafi.yaml").unwrap();
    for (from, to) in replacements {
        assert!(text.contains(from), "the reference blueprint no longer says {from:?}");
        text = text.replacen(from, to, 1);
    }
    text
}

fn faults(text: &str) -> String {
    let (sources, loaded) = load_text(text);
    assert!(loaded.findings.is_empty() || loaded.platform.is_none(), "a platform in spite of findings");
    lines(&sources, &loaded)
}

#[test]
fn every_fault_is_named_at_once_at_its_place_with_a_help() {
    let text = reference_with(&[
        ("dataClassification: restricted", "dataClasification: restricted"),
        ("rto: 60m", "rto: an hour"),
        ("cidr: 10.0.0.0/16", "cidr: 10.0.0.0/36"),
        ("zones: 3", "zones: lots"),
        ("version: \"1.35\"", "version: 1.35"),
        ("class: financial", "class: finacial"),
        ("size: {min: 2, desired: 3, max: 8}", "size: {min: 2, desired: 30, max: 8}"),
        ("mirrors: general", "mirrors: generall"),
        ("rotation: true", "rotation: yes"),
        ("deletionWindowDays: 30", "deletionWindowDays: 3"),
        ("port: 5002", "port: 70000"),
        ("dependsOn: [ledger-service, redis, rabbitmq]", "dependsOn: [ledger-service, rediss, rabbitmq]"),
        ("cidr: 203.0.113.0/24", "cidr: 203.0.113.7/24"),
        ("service: api-gateway}", "service: gateway}"),
    ]);
    insta::assert_snapshot!(faults(&text));
}

#[test]
fn faults_of_yaml_itself_are_named_at_their_place() {
    insta::assert_snapshot!(faults(
        "apiVersion: nexafi-gen/v1\nname: a\nname: b\nowner: {team: x, email: a@b.example}\n"
    ));
    insta::assert_snapshot!(faults("apiVersion: nexafi-gen/v1\n\tname: a\n"));
    insta::assert_snapshot!(faults("apiVersion: nexafi-gen/v1\nname: [a\nowner: b\n"));
    insta::assert_snapshot!(faults(""));
    insta::assert_snapshot!(faults("- a\n- b\n"));
    insta::assert_snapshot!(faults("just text\n"));
}

#[test]
fn an_alias_bomb_is_refused_before_it_expands() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let item = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", [item.as_str(); 10].join(", ")));
    }
    let found = faults(&text);
    assert!(found.contains("NXF-CFG-003"), "{found}");
}

#[test]
fn networks_that_cannot_work_are_named() {
    let text = reference_with(&[
        ("cidr: 10.1.0.0/16", "cidr: 10.0.128.0/17"),
        (
            "between: [primary, secondary], subnets: [private, database]",
            "between: [primary, third], subnets: [private, databases]",
        ),
    ]);
    let both = faults(&text);
    let overlapping = faults(&reference_with(&[("cidr: 10.1.0.0/16", "cidr: 10.0.128.0/17")]));
    let tiers = faults(&reference_with(&[("subnets: [private, database]", "subnets: [private, databases]")]));
    let explicit = faults(&reference_with(&[(
        "      flowLogs: {enabled: true, traffic: ALL}",
        "      subnets: {public: {}, private: {cidrs: {a: 10.0.192.0/20, b: 10.9.0.0/24}}, spare: {}}",
    )]));
    insta::assert_snapshot!([both, overlapping, tiers, explicit].join("---\n"));
}

#[test]
fn names_that_refer_to_nothing_are_named_with_the_closest_name() {
    let text = reference_with(&[
        ("    port: 5002\n", "    port: 5002\n    placement: financial-service\n"),
        ("    port: 5004\n", "    port: 5004\n    namespace: cores\n"),
        ("    port: 5005\n", "    port: 5005\n    placement: dr-general\n"),
        ("    port: 5006\n", "    port: 5006\n    storage: {size: 10Gi, path: /data, class: encripted}\n"),
    ]);
    insta::assert_snapshot!(faults(&text));
}

#[test]
fn hostile_names_are_refused_with_a_name_to_write_instead() {
    for name in ["a${b}", "a\\\"b", "a\\nb", "a}}b", "../up", "Ledger Service"] {
        let found = faults(&reference_with(&[("name: nexafi\n", &format!("name: \"{name}\"\n"))]));
        assert!(found.contains("NXF-CFG-006") && found.contains("help:"), "{name}: {found}");
        assert!(found.lines().count() <= 3, "{name}: {found}");
    }
}

#[test]
fn a_region_that_is_none_is_refused_whatever_it_looks_like() {
    for (region, wanted) in [
        ("us-east-1a", "an availability zone"),
        ("platform.", "not an AWS region"),
        ("us%) x.y", "not an AWS region"),
        ("us-east-", "not an AWS region"),
    ] {
        let found = faults(&reference_with(&[("region: us-east-1", &format!("region: {region:?}"))]));
        assert!(found.contains(wanted), "{region}: {found}");
    }
}

#[test]
fn carriage_returns_and_a_byte_order_mark_change_nothing() {
    let text = std::fs::read_to_string("blueprints/nexafi.yaml").unwrap();
    let (_, plain) = load_text(&text);
    let (sources, windows) = load_text(&format!("\u{feff}{}", text.replace('\n', "\r\n")));
    assert_eq!(lines(&sources, &windows), "");
    assert_eq!(plain.platform, windows.platform);
}

mod plan {
    use super::load_text;
    use proptest::prelude::*;

    fn subnets(text: &str) -> Vec<(String, String, String)> {
        let (sources, loaded) = load_text(text);
        let platform =
            loaded.platform.as_ref().unwrap_or_else(|| panic!("{}", super::lines(&sources, &loaded)));
        platform
            .plan
            .regions
            .iter()
            .flat_map(|(role, region)| {
                region
                    .subnets
                    .iter()
                    .map(move |subnet| (role.to_string(), subnet.id.clone(), subnet.cidr.clone()))
            })
            .collect()
    }

    fn blueprint(regions: &[(&str, u8, usize, usize)]) -> String {
        let mut text = String::from(
            "apiVersion: nexafi-gen/v1\nname: p\nowner: {team: t, email: t@t.example}\nregions:\n",
        );
        let tiers = [
            "public: {}",
            "private: {}",
            "financial: {}",
            "database: {}",
            "cache: {slot: 0}",
            "intra: {slot: 3}",
        ];
        for (role, prefix, zones, tier_count) in regions {
            let second = role.len();
            text.push_str(&format!(
                "  {role}:\n    aws: us-east-1\n    vpc:\n      cidr: 10.{second}.0.0/{prefix}\n      zones: {zones}\n      subnets: {{{}}}\n",
                tiers[..*tier_count].join(", ")
            ));
        }
        text
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn subnets_are_disjoint_inside_their_vpc_and_never_move(
            prefix in 16_u8..=20, zones in 2_usize..6, tiers in 2_usize..6,
        ) {
            let small = subnets(&blueprint(&[("one", prefix, zones, tiers)]));
            let large = subnets(&blueprint(&[("three", 17, 3, 3), ("one", prefix, zones + 1, tiers + 1)]));
            for subnet in &small {
                prop_assert!(large.contains(subnet), "{subnet:?} moved when a zone, a tier and a region were added");
            }
            let vpc: ipnet::Ipv4Net = format!("10.3.0.0/{prefix}").parse().unwrap();
            let nets: Vec<ipnet::Ipv4Net> = small.iter().map(|(_, _, cidr)| cidr.parse().unwrap()).collect();
            for (at, net) in nets.iter().enumerate() {
                prop_assert!(vpc.contains(net) && net.prefix_len() <= 28);
                prop_assert!(nets[..at].iter().all(|other| !other.contains(net) && !net.contains(other)));
            }
        }

        #[test]
        fn no_text_makes_reading_panic(text in "[ -~\n\té]{0,200}") {
            let _ = load_text(&text);
        }

        #[test]
        fn no_damage_to_a_blueprint_makes_reading_panic(at in 0_usize..9000, with in "[ -~\n]{0,6}", cut in 0_usize..40) {
            let text = std::fs::read_to_string("blueprints/nexafi.yaml").unwrap();
            let start = text.floor_char_boundary(at.min(text.len()));
            let end = text.floor_char_boundary((start + cut).min(text.len()));
            let (_, loaded) = load_text(&format!("{}{with}{}", &text[..start], &text[end..]));
            for finding in &loaded.findings {
                prop_assert!(!finding.help.is_empty(), "no help: {}", finding.message);
            }
        }
    }
}

mod schema {
    use nexafi_gen::blueprint::schema::generate;
    use serde_json::Value;

    fn walk(path: &str, schema: &Value, missing: &mut Vec<String>) {
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                let documented = property.get("description").is_some();
                let example =
                    property.get("examples").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
                if !documented || !example {
                    missing.push(format!("{path}.{name}"));
                }
            }
        }
        for (key, inner) in schema.as_object().into_iter().flatten() {
            if key == "$defs" {
                for (name, definition) in inner.as_object().unwrap() {
                    walk(name, definition, missing);
                }
            }
        }
    }

    #[test]
    fn the_schema_that_editors_read_is_current() {
        let kept = std::fs::read_to_string("schemas/blueprint.schema.json").unwrap();
        let made = format!("{}\n", serde_json::to_string_pretty(&generate()).unwrap());
        assert!(kept == made, "run `cargo xtask schemas`");
    }

    #[test]
    fn every_field_has_a_description_and_an_example() {
        let mut missing = Vec::new();
        walk("blueprint", &generate(), &mut missing);
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn every_example_and_default_is_valid_where_it_stands() {
        let schema = generate();
        let definitions = schema["$defs"].clone();
        let mut wrong = Vec::new();
        for (name, definition) in definitions.as_object().unwrap() {
            for (field, property) in
                definition.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                let mut alone = property.clone();
                alone.as_object_mut().unwrap().insert("$defs".into(), definitions.clone());
                let validator = nexafi_gen::blueprint::schema::validator(&alone).unwrap();
                let examples = property["examples"].as_array().into_iter().flatten();
                for value in examples.chain(property.get("default").filter(|value| !value.is_null())) {
                    wrong.extend(
                        validator.iter_errors(value).map(|error| format!("{name}.{field}: {value}: {error}")),
                    );
                }
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
    }
}

/// Valid one by one, and refused by AWS or Kubernetes when half of the platform stands already.
#[test]
fn what_could_not_be_applied_is_named() {
    let key = "\"arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab\"";
    let text = reference_with(&[
        ("tags: {cost-center: platform}", "tags: {cost-center: platform, owner: somebody}"),
        (
            "zones: 3\n",
            "zones: 3\n      subnets: {public: {internetRoute: false}, private: {}, database: {}}\n",
        ),
        ("flowLogs: {enabled: true,", &format!("flowLogs: {{kmsKey: {key}, enabled: true,")),
        ("version: \"1.35\"", "version: \"1.24\"\n      addons: {metrics-server: {}, coredns: {}}"),
        ("kmsKey: platform}", &format!("kmsKey: {key}}}")),
        ("instanceTypes: [m6i.large, m5.large]", "instanceTypes: [m6i.large, m7g.large]"),
        (
            "{namespace: audit, labels: {app.kubernetes.io/name: audit-log}}]}",
            "{namespace: audit}], subnets: public}",
        ),
        ("  core: {podSecurity", "  kube-system: {podSecurity"),
        ("    handles: [audit-log]\n", "    handles: [audit-log]\n    placement: general\n"),
        ("type: gp3, kmsKey: platform", &format!("type: gp3, kmsKey: {key}")),
    ]);
    insta::assert_snapshot!(faults(&text));
}

/// A quota that the platform's own pods do not fit into would stop them; what is left out is twice what they need.
#[test]
fn quotas_leave_room_for_an_update_of_everything() {
    let (_, loaded) = load_text(&reference_with(&[]));
    let platform = loaded.platform.unwrap();
    let quota = |name: &str| &platform.blueprint.namespaces[name].quota;
    assert_eq!(quota("audit").pods, Some(10));
    assert_eq!(quota("audit").memory.as_ref().unwrap().as_str(), "4Gi");
    // Four services of three replicas and one pod more each: two of 500m, two of 250m.
    assert_eq!(quota("financial").pods, Some(32));
    assert_eq!(quota("financial").cpu.as_ref().unwrap().as_str(), "12");

    let tight = "financial: {quota: {pods: 15, cpu: \"5\", cpuLimit: 100, memory: 12Gi}, podSecurity";
    let (sources, loaded) = load_text(&reference_with(&[("financial: {podSecurity", tight)]));
    insta::assert_snapshot!(lines(&sources, &loaded));
}

/// A standby takes over the pods of the group it mirrors, and so has to run what that runs.
#[test]
fn a_standby_runs_the_image_of_the_group_it_mirrors() {
    let (_, loaded) = load_text(&reference_with(&[(
        "instanceTypes: [m6i.xlarge, m5.xlarge]",
        "instanceTypes: [m7g.xlarge]\n          amiType: AL2023_ARM_64_STANDARD",
    )]));
    let platform = loaded.platform.unwrap();
    let standby = &platform.blueprint.regions["secondary"].cluster.node_groups["dr-standby"];
    assert_eq!(standby.ami_type, "AL2023_ARM_64_STANDARD");
    assert_eq!(standby.instance_types[0].as_str(), "m7g.xlarge");
}

/// One mistake is one finding: what refers to a thing that is there, but cannot be read, does not dangle.
#[test]
fn one_mistake_does_not_make_others_out_of_what_refers_to_it() {
    for (from, to) in [
        ("components:\n", "componets:\n"),
        ("services:\n", "servces:\n"),
        ("  secondary:\n", "  primary:\n"),
        ("mirrors: financial-services", "mirrors: Financial"),
        ("mirror/nginx-ingress, digest", "mirror/nginx-ingress, digst"),
        ("namespaces:\n", "namespace:\n"),
    ] {
        let (sources, loaded) = load_text(&reference_with(&[(from, to)]));
        assert_eq!(loaded.findings.len(), 1, "{to}: {}", lines(&sources, &loaded));
    }
}

/// Tier and objectives of every workload, as resolved.
fn promises(text: &str) -> Vec<String> {
    let (sources, loaded) = load_text(text);
    let platform = loaded.platform.as_ref().unwrap_or_else(|| panic!("{}", lines(&sources, &loaded)));
    let blueprint = &platform.blueprint;
    (blueprint.services.iter().chain(&blueprint.components))
        .map(|(name, workload)| {
            let objectives = &workload.objectives;
            let (rto, rpo) = (objectives.rto.as_ref().unwrap(), objectives.rpo.as_ref().unwrap());
            format!("{name} {} {rto} {rpo}", workload.tier.unwrap())
        })
        .collect()
}

#[test]
fn a_workload_recovers_no_later_than_what_depends_on_it_unless_it_says_so() {
    let text = reference_with(&[
        ("objectives: {rto: 60m, rpo: 60m}", "objectives: {rto: 45m, rpo: 1h}"),
        // The card service asks for more than its tier: so do the ledger and what the ledger needs.
        (
            "handles: [cardholder-data, financial-records]\n",
            "handles: [cardholder-data, financial-records]\n    objectives: {rto: 20m}\n",
        ),
        // What is said stays, and whoever depends on it is a finding of a policy.
        ("  rabbitmq: {", "  rabbitmq: {tier: 3, "),
        ("  kibana: {", "  kibana: {tier: 3, objectives: {rpo: 90s}, "),
    ]);
    insta::assert_snapshot!(promises(&text).join("\n"), @r"
    api-gateway 2 3h 4h
    user-service 1 45m 1h
    ledger-service 1 20m 1h
    payment-service 1 20m 1h
    ai-service 2 3h 4h
    analytics-service 2 3h 4h
    credit-service 1 45m 1h
    document-service 2 3h 4h
    redis 1 20m 1h
    rabbitmq 3 18h 1d
    elasticsearch 2 3h 90s
    kibana 3 18h 90s
    audit-log 2 3h 4h
    ");
}
