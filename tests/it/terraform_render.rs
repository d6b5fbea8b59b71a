//! What the generated Terraform promises: it reads without a fault, fits the provider's schema, follows the blueprint to the letter, names the
//! place in the blueprint each block follows from, and leaves alone what a change of the blueprint does not touch.

use std::collections::{BTreeMap, BTreeSet};

use nexafi_gen::render::{FileSet, Overrides, render};
use nexafi_gen::source::{Node, SourceFile, Sources, Value};
use nexafi_gen::terraform::{self, Module};

use crate::blueprint::{lines, load_text};

/// The files of a blueprint, and its resolved view.
fn rendered(text: &str) -> (FileSet, Node) {
    let (sources, loaded) = load_text(text);
    assert_eq!(lines(&sources, &loaded), "", "{text}");
    let platform = loaded.platform.unwrap();
    let mut files = render(&platform, "blueprint.yaml", &Overrides::new()).unwrap();
    files.retain(|path, _| path.extension() == Some("tf"));
    (files, loaded.view.unwrap())
}

/// The module of a file set, which has to read and to fit the schema without a finding.
pub(crate) fn module(files: &FileSet) -> Module {
    let mut sources = Sources::default();
    let ids: Vec<_> = files
        .iter()
        .map(|(path, bytes)| {
            sources.add(SourceFile::new(path.as_str(), String::from_utf8(bytes.clone()).unwrap()))
        })
        .collect();
    let (module, mut findings) = terraform::read(&sources, &ids);
    findings.extend(terraform::schema::check(&module));
    let told: Vec<String> = findings
        .iter()
        .map(|finding| {
            let text = sources.get(finding.span.file).unwrap().slice(finding.span);
            format!("{} {text:?}: {}", finding.code, finding.message)
        })
        .collect();
    assert_eq!(told, [""; 0]);
    module
}

pub(crate) fn terraform_of(text: &str) -> Module {
    module(&rendered(text).0)
}

/// Every top-level block's text by its first line, lists of what it waits for left out.
fn blocks(files: &FileSet) -> BTreeMap<String, String> {
    let mut blocks = BTreeMap::new();
    for bytes in files.values() {
        let text = std::str::from_utf8(bytes).unwrap();
        let mut head: Option<String> = None;
        let mut waits = false;
        for line in text.lines() {
            if head.is_none() && line.ends_with('{') && !line.starts_with([' ', '#']) {
                head = Some(line.to_owned());
            }
            waits |= line.starts_with("  depends_on = [");
            if let Some(head) = head.as_ref().filter(|_| !waits) {
                let body: &mut String = blocks.entry(head.clone()).or_default();
                body.push_str(line);
                body.push('\n');
            }
            waits &= !line.ends_with(']');
            if line == "}" {
                head = None;
            }
        }
    }
    blocks
}

fn has(module: &Module, type_: &str) -> bool {
    module.resources_of(type_).next().is_some()
}

/// What stands at a path of a resource, as JSON; lists of blocks are entered by number.
pub(crate) fn at(module: &Module, address: &str, path: &str) -> serde_json::Value {
    let resource = module.get(address).unwrap_or_else(|| panic!("no {address}"));
    let mut parts = path.split('.');
    let mut node = resource.get(parts.next().unwrap_or_default());
    for part in parts {
        node = node.and_then(|inner| match (&inner.value, part.parse::<usize>()) {
            (Value::List(items), Ok(number)) => items.get(number),
            _ => inner.get(part),
        });
    }
    node.map(Node::to_json).unwrap_or_default()
}

/// A blueprint of one region; `vpc`, `cluster` and `rest` are put in as they are.
fn blueprint(vpc: &str, cluster: &str, rest: &str) -> String {
    format!(
        r"apiVersion: nexafi-gen/v1
name: nexafi
owner: {{team: platform, email: platform@nexafi.example}}
regions:
  primary:
    aws: us-east-1
    vpc: {{cidr: 10.0.0.0/16{vpc}}}
    cluster: {{version: '1.34'{cluster}}}
{rest}"
    )
}

const GROUPS: &str = ", nodeGroups: {general: {class: general, size: {min: 3, desired: 3, max: 9}}}";

#[test]
fn every_block_names_a_place_of_the_blueprint_that_exists() {
    for path in ["blueprints/nexafi.yaml", "blueprints/minimal.yaml"] {
        let (files, view) = rendered(&std::fs::read_to_string(path).unwrap());
        for (file, bytes) in &files {
            let text = std::str::from_utf8(bytes).unwrap();
            let rows: Vec<&str> = text.lines().collect();
            for (number, row) in rows.iter().enumerate() {
                if !row.ends_with('{') || row.starts_with([' ', '#']) {
                    continue;
                }
                let pointer = rows[number - 1].strip_prefix("# blueprint: ");
                let pointer = pointer.unwrap_or_else(|| panic!("{file}: nothing above {row}"));
                let mut node = &view;
                for part in pointer.split('.') {
                    node = match (&node.value, part.parse::<usize>()) {
                        (Value::List(items), Ok(number)) => &items[number],
                        _ => node.get(part).unwrap_or_else(|| panic!("{file}: no {pointer}")),
                    };
                }
            }
        }
    }
}

#[test]
fn whatever_is_left_out_or_turned_off_the_files_still_fit_together() {
    let off =
        "security: {auditTrail: {enabled: false}, guardDuty: {enabled: false}, config: {enabled: false}}";
    let texts = [
        blueprint("", "", ""),
        blueprint(", nat: {enabled: false}", GROUPS, off),
        blueprint(", nat: {perZone: false}, zones: 2", GROUPS, ""),
        blueprint(", endpoints: {gateway: [], interface: []}", GROUPS, ""),
        blueprint(", endpoints: {gateway: [s3, dynamodb], interface: [sqs]}", GROUPS, ""),
        blueprint(", flowLogs: {enabled: false}", ", logging: []", off),
        blueprint("", ", secretsKmsKey: none, logKmsKey: none", "storage: {classes: {}}"),
        blueprint(
            "",
            ", addons: {vpc-cni: {}, kube-proxy: {}, coredns: {}, eks-pod-identity-agent: {}}",
            "security: {auditTrail: {enabled: false}}",
        ),
        blueprint("", ", fargateProfiles: {audit: {selectors: [{namespace: audit}]}}", ""),
        blueprint("", ", access: {operators: {principal: 'arn:aws:iam::123456789012:role/o'}}", ""),
        blueprint("", ", nodeGroups: {windows: {amiType: WINDOWS_CORE_2022_x86_64, subnets: public}}", ""),
    ];
    for text in texts {
        terraform_of(&text);
    }
}

#[test]
fn unusual_platforms_fit_together_too() {
    let key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let region = |role: &str, aws: &str, net: u8| {
        format!(
            "  {role}:\n    aws: {aws}\n    vpc: {{cidr: 10.{net}.0.0/16}}\n    cluster: {{nodeGroups: {{g: {{}}}}}}\n"
        )
    };
    let texts = [
        // Tiers of other names, none that is called private or public.
        blueprint(
            ", subnets: {edge: {kind: public, slot: 0}, cards: {kind: private, slot: 1}}",
            ", nodeGroups: {g: {subnets: cards}}",
            "",
        ),
        // Nowhere to go but the endpoints.
        blueprint(", nat: {enabled: false}, subnets: {private: {}}", GROUPS, ""),
        // Keys of one's own, keys of AWS.
        blueprint(
            &format!(", flowLogs: {{kmsKey: '{key}'}}"),
            &format!(
                ", logKmsKey: aws-managed, secretsKmsKey: '{key}', nodeGroups: {{g: {{disk: {{kmsKey: aws-managed}}}}, h: {{disk: {{kmsKey: '{key}'}}}}}}"
            ),
            &format!("storage: {{classes: {{own: {{kmsKey: '{key}'}}, plain: {{kmsKey: none}}}}}}"),
        ),
        // Three regions, one of them in two connections.
        blueprint(
            "",
            GROUPS,
            &format!(
                "{}{}peering: [{{between: [primary, second]}}, {{between: [third, primary], subnets: [database]}}]",
                region("second", "us-west-2", 1),
                region("third", "eu-central-1", 2)
            ),
        ),
        // One principal under two names; a component with permissions; the same way out twice.
        blueprint(
            "",
            &format!(
                "{GROUPS}, access: {{a: {{principal: 'arn:aws:iam::123456789012:role/o'}}, b: {{principal: 'arn:aws:iam::123456789012:role/o', policy: edit, namespaces: [core]}}}}"
            ),
            "services: {a: {image: {repository: r.example/a}, egress: [{cidr: 203.0.113.0/24, ports: [443, 8443], purpose: one}, {cidr: '2001:db8::/32', ports: [443], purpose: six}]}, \
             b: {image: {repository: r.example/b}, egress: [{cidr: 203.0.113.0/24, ports: [443], purpose: two}, {cidr: 0.0.0.0/0, ports: [443], purpose: all}]}}\n\
             components: {c: {image: {repository: r.example/c}, permissions: [{actions: ['s3:GetObject'], resources: ['arn:aws:s3:::x/*']}]}}",
        ),
        // Callers of a service on Fargate, and whom it calls.
        blueprint(
            "",
            &format!("{GROUPS}, fargateProfiles: {{audit: {{selectors: [{{namespace: audit}}]}}}}"),
            "services: {log: {image: {repository: r.example/l}, namespace: audit, port: 5009, dependsOn: [b]}, \
             a: {image: {repository: r.example/a}, dependsOn: [log]}, b: {image: {repository: r.example/b}, port: 5010}}",
        ),
        // Nothing but financial nodes; some of them call what runs on Fargate, and DNS's own port.
        blueprint(
            "",
            ", nodeGroups: {cards: {class: financial}}, fargateProfiles: {audit: {selectors: [{namespace: audit}]}}, \
             addons: {vpc-cni: {}, kube-proxy: {}, coredns: {}, eks-pod-identity-agent: {}, metrics-server: {}}",
            "services: {log: {image: {repository: r.example/l}, namespace: audit, port: 53, dependsOn: [pay]}, \
             pay: {image: {repository: r.example/p}, handles: [cardholder-data], port: 53, dependsOn: [log, book]}, \
             book: {image: {repository: r.example/b}, handles: [financial-records], peerPorts: {gossip: 7000}}}",
        ),
        // Calls that cross, twice over the same ports; more entries in a network ACL, of a public tier too.
        blueprint(
            ", subnets: {public: {networkAcl: {ingress: [{cidr: 203.0.113.0/24, purpose: all}]}}, private: {}, financial: {}, \
             database: {networkAcl: {egress: [{cidr: 10.9.0.0/24, ports: {from: 1521, to: 1522}, purpose: core banking}]}}}",
            "",
            &format!(
                "{}peering: [{{between: [primary, second], flows: [{{from: second, caller: a, to: pay}}, {{from: second, caller: b, to: pay}}, {{from: primary, caller: pay, to: b}}]}}]\n\
                 services: {{a: {{image: {{repository: r.example/a}}, dependsOn: [pay]}}, b: {{image: {{repository: r.example/b}}, dependsOn: [pay]}}, \
                 pay: {{image: {{repository: r.example/p}}, handles: [cardholder-data], dependsOn: [b]}}}}",
                "  second:\n    aws: us-west-2\n    vpc: {cidr: 10.1.0.0/16}\n"
            ),
        ),
    ];
    for text in texts {
        terraform_of(&text);
    }
}

/// Every port that a security group lets in, with the security group of the callers.
fn lets_in(module: &Module, group: &str) -> BTreeSet<(String, i64)> {
    let refers = |rule: &terraform::Resource, key: &str| match rule.get(key).map(|node| &node.value) {
        Some(Value::Reference(reference)) => reference.address.to_string(),
        _ => String::new(),
    };
    module
        .resources_of("aws_vpc_security_group_ingress_rule")
        .filter(|rule| refers(rule, "security_group_id") == format!("aws_security_group.{group}"))
        .map(|rule| {
            let port = rule.get("from_port").and_then(|node| node.to_json().as_i64()).unwrap_or(-1);
            (refers(rule, "referenced_security_group_id").replace("aws_security_group.", ""), port)
        })
        .collect()
}

/// What handles protected data is reached by its declared callers and the control plane, and by nobody else.
#[test]
fn financial_nodes_are_open_to_declared_callers_only() {
    let module = terraform_of(&std::fs::read_to_string("blueprints/nexafi.yaml").unwrap());
    let wanted = [
        ("primary_cluster", 10250),
        ("primary_financial", 5002),
        ("primary_nodes", 5001),
        ("primary_nodes", 5002),
        ("primary_nodes", 5003),
        ("primary_nodes", 5006),
    ];
    let wanted = wanted.map(|(from, port)| (from.to_owned(), port)).into_iter().collect();
    assert_eq!(lets_in(&module, "primary_financial"), wanted);
}

#[test]
fn what_the_blueprint_turns_off_is_not_generated() {
    let module = terraform_of(&blueprint(
        ", nat: {enabled: false}, flowLogs: {enabled: false}, endpoints: {gateway: [], interface: []}",
        &format!("{GROUPS}, secretsKmsKey: none, logging: []"),
        "security: {auditTrail: {enabled: false}, guardDuty: {enabled: false}, config: {enabled: false}}",
    ));
    for absent in [
        "aws_nat_gateway",
        "aws_flow_log",
        "aws_vpc_endpoint",
        "aws_cloudtrail",
        "aws_guardduty_detector",
        "aws_config_configuration_recorder",
        "aws_s3_bucket",
        "aws_eks_fargate_profile",
        "aws_vpc_peering_connection",
        "aws_eks_pod_identity_association",
    ] {
        assert!(!has(&module, absent), "{absent}");
    }
    assert_eq!(at(&module, "aws_eks_cluster.primary", "encryption_config"), serde_json::Value::Null);
}

#[test]
fn what_a_careless_blueprint_says_is_taken_at_its_word() {
    let module = terraform_of(&blueprint(
        ", flowLogs: {traffic: REJECT, kmsKey: none}, subnets: {public: {publicIpOnLaunch: true}, private: {internetRoute: true}}",
        ", endpoint: {public: true, private: false, publicAccessCidrs: [0.0.0.0/0]}, logging: [api], nodeGroups: {general: \
         {subnets: public, disk: {kmsKey: none}, metadata: {httpTokens: optional, hopLimit: 3}, remoteAccess: {keyPair: ops}}}",
        "security: {keys: {rotation: false, deletionWindowDays: 7, preventDestroy: false}}",
    ));
    let template = "aws_launch_template.primary_general";
    for (address, path, said) in [
        ("aws_flow_log.primary", "traffic_type", serde_json::json!("REJECT")),
        ("aws_cloudwatch_log_group.primary_flow_logs", "kms_key_id", serde_json::Value::Null),
        ("aws_subnet.primary_public_a", "map_public_ip_on_launch", true.into()),
        ("aws_eks_cluster.primary", "enabled_cluster_log_types", serde_json::json!(["api"])),
        (template, "key_name", "ops".into()),
        ("aws_kms_key.primary_volumes", "enable_key_rotation", false.into()),
        ("aws_kms_key.primary_volumes", "deletion_window_in_days", 7.into()),
    ] {
        assert_eq!(at(&module, address, path), said, "{address}.{path}");
    }
    for (address, block, attribute, said) in [
        (template, "metadata_options", "http_tokens", serde_json::json!("optional")),
        (template, "metadata_options", "http_put_response_hop_limit", 3.into()),
        (template, "network_interfaces", "associate_public_ip_address", true.into()),
        ("aws_eks_cluster.primary", "vpc_config", "endpoint_public_access", true.into()),
        ("aws_eks_cluster.primary", "vpc_config", "endpoint_private_access", false.into()),
        ("aws_eks_cluster.primary", "vpc_config", "public_access_cidrs", serde_json::json!(["0.0.0.0/0"])),
    ] {
        assert_eq!(
            at(&module, address, &format!("{block}.0.{attribute}")),
            said,
            "{address}.{block}.{attribute}"
        );
    }
    assert_eq!(at(&module, template, "block_device_mappings.0.ebs.0.encrypted"), false);
    assert!(module.get("aws_route.primary_private_a_internet").is_some());
}

#[test]
fn somebody_gets_into_a_cluster_and_nobody_who_is_not_named_where_somebody_is() {
    let named =
        ", access: {operators: {principal: 'arn:aws:iam::123456789012:role/o', policy: clusterAdmin}}";
    for (access, maker) in [("", true), (named, false)] {
        let module = terraform_of(&blueprint("", access, ""));
        let cluster = "aws_eks_cluster.primary";
        let creator = "access_config.0.bootstrap_cluster_creator_admin_permissions";
        assert_eq!(at(&module, cluster, creator), maker, "{access}");
        assert_eq!(has(&module, "aws_eks_access_entry"), !maker, "{access}");
        // Whoever lists the first entry later keeps the cluster.
        let (files, _) = rendered(&blueprint("", access, ""));
        let text = std::str::from_utf8(&files[camino::Utf8Path::new("terraform/eks.tf")]).unwrap();
        assert!(
            text.contains("ignore_changes = [access_config[0].bootstrap_cluster_creator_admin_permissions]")
        );
    }
}

#[test]
fn audit_records_have_a_copy_in_the_second_region_that_cannot_be_deleted_either() {
    let second = "  second:\n    aws: us-west-2\n    vpc: {cidr: 10.1.0.0/16}\n    cluster: {}\n  third:\n    aws: eu-west-1\n    vpc: {cidr: 10.2.0.0/16}\n    cluster: {}\n";
    let off = |what: &str| format!("{second}security: {{{what}: {{enabled: false}}}}\n");
    for (rest, kept) in [
        (second.to_owned(), &["audit", "config"][..]),
        (off("config"), &["audit"]),
        (off("auditTrail"), &["config"]),
    ] {
        let module = terraform_of(&blueprint("", "", &rest));
        let copied: Vec<&str> = module
            .resources_of("aws_s3_bucket_replication_configuration")
            .map(|resource| resource.address.rsplit('.').next().unwrap())
            .collect();
        assert_eq!(copied, kept);
        assert!(module.get("aws_kms_key.second_audit").is_some());
        assert!(module.get("aws_kms_key.third_audit").is_none());
        for id in kept {
            let locked = *id == "audit";
            for bucket in [format!("aws_s3_bucket.{id}"), format!("aws_s3_bucket.{id}_replica")] {
                assert_eq!(at(&module, &bucket, "object_lock_enabled") == true, locked, "{bucket}");
            }
        }
    }
    let alone = terraform_of(&blueprint("", "", ""));
    assert!(!has(&alone, "aws_s3_bucket_replication_configuration"));
    assert_eq!(alone.resources_of("aws_s3_bucket").count(), 3);
}

#[test]
fn every_bucket_is_closed_versioned_encrypted_and_watched() {
    let text = std::fs::read_to_string("blueprints/nexafi.yaml").unwrap();
    let module = terraform_of(&text);
    let longest = "n".repeat(20).len() + "-development-".len() + "-123456789012".len();
    for bucket in module.resources_of("aws_s3_bucket") {
        let id = bucket.address.rsplit('.').next().unwrap();
        // Those of load balancers are called after them, whose names are short; those of services have the name that the
        // blueprint says or implies, which is checked there.
        let requests = id.ends_with("_ingress_logs");
        let named = requests || id.starts_with("data_");
        assert!(named || longest + id.len() <= 63, "{id} makes a name that S3 refuses");
        for needed in
            ["versioning", "public_access_block", "ownership_controls", "lifecycle_configuration", "policy"]
        {
            let address = format!("aws_s3_bucket_{needed}.{id}");
            assert!(module.get(&address).is_some(), "no {address}");
        }
        let sse = format!("aws_s3_bucket_server_side_encryption_configuration.{id}");
        let algorithm = "rule.0.apply_server_side_encryption_by_default.0.sse_algorithm";
        // S3 and load balancers write logs to a bucket without a KMS key only, S3 to one without logs of its own.
        let logs = id.ends_with("_logs");
        assert_eq!(at(&module, &sse, algorithm), if logs { "AES256" } else { "aws:kms" }, "{id}");
        assert_eq!(module.get(&format!("aws_s3_bucket_logging.{id}")).is_some(), !logs || requests, "{id}");
    }
}

#[test]
fn a_taint_keeps_its_meaning_in_the_words_of_aws() {
    let taint = |effect: &str| {
        let group =
            format!(", nodeGroups: {{general: {{taints: [{{key: a, value: b, effect: {effect}}}]}}}}");
        let module = terraform_of(&blueprint("", &group, ""));
        at(&module, "aws_eks_node_group.primary_general", "taint.0.effect")
    };
    assert_eq!(taint("NoSchedule"), "NO_SCHEDULE");
    assert_eq!(taint("PreferNoSchedule"), "PREFER_NO_SCHEDULE");
    assert_eq!(taint("NoExecute"), "NO_EXECUTE");
}

#[test]
fn dns_tolerates_taints_only_where_every_group_is_tainted() {
    let financial = "money: {class: financial}, watch: {class: compliance}";
    let tainted = terraform_of(&blueprint("", &format!(", nodeGroups: {{{financial}}}"), ""));
    let values = at(&tainted, "aws_eks_addon.primary_coredns", "configuration_values").to_string();
    assert!(values.contains("compliance") && !values.contains("financial"), "{values}");
    let open = terraform_of(&blueprint("", &format!(", nodeGroups: {{{financial}, rest: {{}}}}"), ""));
    assert_eq!(at(&open, "aws_eks_addon.primary_coredns", "configuration_values"), serde_json::Value::Null);
}

#[test]
fn no_value_of_the_blueprint_becomes_code() {
    let text = blueprint("", GROUPS, "tags: {note: '\"} ${file(\"/etc/passwd\")} %{if true}'}");
    let (files, _) = rendered(&text);
    module(&files);
    let main = std::str::from_utf8(&files[camino::Utf8Path::new("terraform/main.tf")]).unwrap();
    assert!(main.contains(r#""\"} $${file(\"/etc/passwd\")} %%{if true}""#), "{main}");
}

#[test]
fn a_change_of_one_thing_leaves_every_other_block_as_it_was() {
    let rest = |more: &str| {
        format!(
            "  secondary:\n    aws: us-west-2\n    vpc: {{cidr: 10.1.0.0/16}}\n    cluster: {{nodeGroups: {{dr: {{}}}}}}\n{more}"
        )
    };
    let before = blocks(&rendered(&blueprint(", zones: 2", GROUPS, "")).0);
    let grown = [
        // Another node group, in front of the one that was there.
        blueprint(
            ", zones: 2",
            ", nodeGroups: {added: {}, general: {class: general, size: {min: 3, desired: 3, max: 9}}}",
            "",
        ),
        // Another region; then a connection to it.
        blueprint(", zones: 2", GROUPS, &rest("")),
        blueprint(", zones: 2", GROUPS, &rest("peering: [{between: [primary, secondary]}]\n")),
        // A profile on Fargate.
        blueprint(
            ", zones: 2",
            &format!("{GROUPS}, fargateProfiles: {{audit: {{selectors: [{{namespace: audit}}]}}}}"),
            "",
        ),
        // A service.
        blueprint(
            ", zones: 2",
            GROUPS,
            "services: {accounts: {image: {repository: r.example/accounts, tag: '1'}}}",
        ),
    ];
    for text in grown {
        let after = blocks(&rendered(&text).0);
        for (head, body) in before.iter().filter(|(head, _)| head.starts_with("resource ")) {
            assert_eq!(after.get(head), Some(body), "{head} in\n{text}");
        }
        assert!(after.len() > before.len());
    }
}

#[test]
fn another_zone_recreates_nothing() {
    let before = terraform_of(&blueprint(", zones: 2", GROUPS, ""));
    let after = terraform_of(&blueprint(", zones: 3", GROUPS, ""));
    for type_ in ["aws_subnet", "aws_nat_gateway", "aws_route_table", "aws_eip", "aws_eks_node_group"] {
        for resource in before.resources_of(type_) {
            let same = after.get(&resource.address).unwrap();
            for attribute in ["cidr_block", "availability_zone", "name", "node_group_name_prefix"] {
                assert_eq!(
                    resource.get(attribute).map(Node::to_json),
                    same.get(attribute).map(Node::to_json),
                    "{}",
                    resource.address
                );
            }
        }
    }
}

#[test]
fn routes_of_a_connection_lead_both_ways_between_the_named_tiers_only() {
    let text = std::fs::read_to_string("blueprints/nexafi.yaml").unwrap();
    let (files, _) = rendered(&text);
    let text = String::from_utf8(files[camino::Utf8Path::new("terraform/vpc.tf")].clone()).unwrap();
    for direction in ["primary_private_a_to_secondary", "secondary_private_a_to_primary"] {
        assert!(text.contains(&format!("resource \"aws_route\" \"{direction}\"")), "{direction}");
    }
    assert!(!text.contains("primary_public_to_secondary"));
}
