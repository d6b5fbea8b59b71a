//! What the generated manifests promise: they are what Kubernetes accepts, every pod is confined, every edge of the
//! blueprint is a rule and nothing else is, and no value leaves its place.

use std::collections::{BTreeMap, BTreeSet};

use nexafi_gen::kubernetes::{self, Object, schema, workload};
use nexafi_gen::render::{FileSet, Overrides, render};
use nexafi_gen::source::{Node, SourceFile, Sources};
use serde_json::{Value, json};

use crate::blueprint::{lines, load_text};

/// Renders a blueprint that has to be in order.
pub(crate) fn rendered(text: &str) -> FileSet {
    let (sources, loaded) = load_text(text);
    assert_eq!(lines(&sources, &loaded), "");
    render(&loaded.platform.unwrap(), "blueprint.yaml", &Overrides::new()).unwrap()
}

/// Every blueprint of the repository, and one that says what they do not.
pub(crate) fn blueprints() -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([("edge".to_owned(), EDGE.to_owned())]);
    for entry in walkdir::WalkDir::new("blueprints") {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            all.insert(path.display().to_string(), std::fs::read_to_string(&path).unwrap());
        }
    }
    all
}

const IMAGE: &str = "\"sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef\"";

/// One region, Fargate, storage classes of every kind, no replicas and one, and text that wants to be code.
const EDGE: &str = r##"
apiVersion: nexafi-gen/v1
name: edge
environment: test
owner: {team: platform, email: platform@nexafi.example}
regions:
  only:
    aws: eu-central-1
    vpc: {cidr: 10.20.0.0/16}
    cluster:
      fargateProfiles:
        audit: {selectors: [{namespace: audit, labels: {app: audit-log, tier: "1"}}]}
storage:
  classes:
    fast: {type: io2, kmsKey: "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", reclaim: Delete}
    plain: {type: gp2, kmsKey: none}
    aws: {kmsKey: aws-managed}
  claims:
    reports: {namespace: core, size: 50Gi}
namespaces:
  core: {defaultDeny: false, podSecurity: {version: latest}, labels: {cost-center: "1234", pod-security.kubernetes.io/enforce: privileged}}
services:
  none:
    image: {repository: registry.nexafi.example/none, tag: "1"}
    replicas: 0
    writablePaths: []
  one:
    image: {repository: registry.nexafi.example/one, digest: "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"}
    replicas: 1
    handles: [cardholder-data, personal-data]
    storage: {size: 1Gi, path: /data}
    ports: {metrics: 9090}
    peerPorts: {gossip: 7946}
    probes: {liveness: {path: "/x?y=%20#a"}, readiness: {command: ["sh", "-c", "echo \"$HOME\" '{{ x }}' ${y} }} %}"]}}
    command: ["/bin/x", "a\nb"]
    args: ["--x={{ y }}", "yes", "0x10", "- a", "# not a comment", "{% raw %}", "'", "\"", "\\"]
    env: {A: "yes", B: "1", C: "${HOME}", D: "a: b\n- c", E: "", F: "{{ x }} }} {%", G: "#x", H: " lead", I: "2020-01-01", J: "~", K: "null", L: "*x", M: "\u2028x\u0007\t"}
    egress:
      - {cidr: 203.0.113.0/24, ports: [443, 8443], purpose: "card\n    - to: []\r# {{ x }}"}
      - {cidr: "2001:db8::/32", ports: [1], purpose: "another"}
    permissions: [{actions: ["s3:GetObject"], resources: ["arn:aws:s3:::x/*"]}]
components:
  audit-log:
    image: {repository: registry.nexafi.example/audit-log, digest: "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"}
  redis: {replicas: 1}
  other:
    image: {repository: registry.nexafi.example/other, digest: "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"}
    dependsOn: [one]
ingress:
  host: x.nexafi.example
  internal: true
  allowedCidrs: [10.0.0.0/8]
  nodePort: 31443
  tls: {issuer: letsencrypt, renewBeforeDays: 40, certificates: {only: "arn:aws:acm:eu-central-1:123456789012:certificate/1234"}}
  image: {repository: registry.nexafi.example/nginx, digest: "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"}
  routes: [{path: /, service: one}, {path: /none, service: none}]
"##;

fn objects(files: &FileSet) -> (Sources, Vec<Object>) {
    let mut sources = Sources::default();
    for (path, bytes) in files {
        if path.starts_with("kubernetes") && path.file_name() != Some("kustomization.yaml") {
            sources.add(SourceFile::new(path.clone(), String::from_utf8(bytes.clone()).unwrap()));
        }
    }
    let mut objects = Vec::new();
    for (id, file) in sources.iter() {
        let (read, faults) = kubernetes::read(id, file);
        assert!(faults.is_empty(), "{}: {faults:?}", file.path());
        assert!(!read.is_empty(), "{} holds nothing", file.path());
        objects.extend(read);
    }
    (sources, objects)
}

fn of_kind<'a>(objects: &'a [Object], kind: &str) -> Vec<&'a Object> {
    objects.iter().filter(|object| &*object.kind == kind).collect()
}

fn find<'a>(objects: &'a [Object], address: &str) -> &'a Object {
    objects.iter().find(|object| &*object.address == address).unwrap_or_else(|| panic!("no {address}"))
}

fn at(node: &Node, path: &[&str]) -> Value {
    node.at(path).map_or(Value::Null, Node::to_json)
}

#[test]
fn every_manifest_is_one_kubernetes_accepts_and_says_where_it_comes_from() {
    for (name, text) in blueprints() {
        let (sources, objects) = objects(&rendered(&text));
        assert!(kubernetes::duplicates(&sources, &objects).is_empty(), "{name}");
        for object in &objects {
            let findings = schema::check(object, "1.34");
            assert!(findings.is_empty(), "{name} {}: {findings:?}", object.address);
            assert!(object.blueprint.is_some(), "{name} {} names no part of the blueprint", object.address);
        }
    }
}

#[test]
fn the_kustomization_lists_exactly_the_files_there_are() {
    for (name, text) in blueprints() {
        let files = rendered(&text);
        let listed: BTreeSet<String> =
            String::from_utf8(files["kubernetes/kustomization.yaml".as_ref() as &camino::Utf8Path].clone())
                .unwrap()
                .lines()
                .filter_map(|line| line.strip_prefix("  - ").map(str::to_owned))
                .collect();
        let there: BTreeSet<String> = files
            .keys()
            .filter_map(|path| path.strip_prefix("kubernetes").ok())
            // Signatures are applied apart, once something in the cluster checks them.
            .filter(|path| *path != "kustomization.yaml" && !path.starts_with("image-signatures"))
            .map(ToString::to_string)
            .collect();
        assert_eq!(listed, there, "{name}");
    }
}

#[test]
fn every_pod_is_confined_as_pod_security_restricted_wants_it() {
    for (name, text) in blueprints() {
        let (_, objects) = objects(&rendered(&text));
        for object in &objects {
            let Some(pod) = workload::pod(object) else { continue };
            let what = format!("{name} {}", object.address);
            let security = at(pod, &["spec", "securityContext"]);
            assert_eq!(security["runAsNonRoot"], json!(true), "{what}");
            assert_eq!(security["seccompProfile"]["type"], json!("RuntimeDefault"), "{what}");
            assert!(security["runAsUser"].as_u64().unwrap() > 0, "{what}");
            for container in workload::containers(pod) {
                let security = at(container, &["securityContext"]);
                assert_eq!(security["allowPrivilegeEscalation"], json!(false), "{what}");
                assert_eq!(security["readOnlyRootFilesystem"], json!(true), "{what}");
                assert_eq!(security["capabilities"]["drop"], json!(["ALL"]), "{what}");
                let memory = at(container, &["resources", "limits", "memory"]);
                assert!(memory.is_string(), "{what}");
                assert_eq!(memory, at(container, &["resources", "requests", "memory"]), "{what}");
            }
            for container in at(pod, &["spec", "containers"]).as_array().unwrap() {
                for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
                    assert!(container[probe].is_object(), "{what} has no {probe}");
                }
            }
        }
    }
}

#[test]
fn no_secret_stands_in_a_manifest_and_every_secret_a_pod_wants_is_one_that_is_asked_for() {
    for (name, text) in blueprints() {
        let (_, loaded) = load_text(&text);
        let platform = loaded.platform.unwrap();
        let asked: BTreeSet<(String, String)> = platform
            .plan
            .secrets
            .iter()
            .flat_map(|secret| {
                let keys = secret.keys.iter();
                keys.map(|key| (format!("{}/{}", secret.namespace, secret.name), key.clone()))
            })
            .collect();
        let (_, objects) = objects(&rendered(&text));
        assert!(of_kind(&objects, "Secret").is_empty());
        for object in &objects {
            let Some(pod) = workload::pod(object) else { continue };
            let namespace = object.namespace.as_deref().unwrap();
            for container in workload::containers(pod) {
                for env in at(container, &["env"]).as_array().into_iter().flatten() {
                    let reference = &env["valueFrom"]["secretKeyRef"];
                    if let (Some(secret), Some(key)) = (reference["name"].as_str(), reference["key"].as_str())
                    {
                        assert!(
                            asked.contains(&(format!("{namespace}/{secret}"), key.to_owned())),
                            "{name} {secret}"
                        );
                    }
                }
            }
            for volume in at(pod, &["spec", "volumes"]).as_array().into_iter().flatten() {
                let Some(secret) = volume["secret"]["secretName"].as_str() else { continue };
                for item in volume["secret"]["items"].as_array().unwrap() {
                    let key = item["key"].as_str().unwrap().to_owned();
                    assert!(asked.contains(&(format!("{namespace}/{secret}"), key)), "{name} {secret}");
                }
            }
        }
    }
}

/// Rules of all policies of a namespace that say `from` or `to` a workload, as `peer namespace/peer:port`.
fn peers(policy: &Object, direction: &str, end: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rule in at(&policy.node, &["spec", direction]).as_array().into_iter().flatten() {
        for peer in rule[end].as_array().into_iter().flatten() {
            let Some(name) = peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"].as_str() else {
                continue;
            };
            let namespace = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
                .as_str()
                .unwrap_or("-");
            for port in rule["ports"].as_array().unwrap() {
                found.insert(format!("{namespace}/{name}:{}", port["port"]));
            }
        }
    }
    found
}

#[test]
fn network_policies_are_exactly_the_edges_of_the_blueprint_from_both_ends() {
    for (name, text) in blueprints() {
        let (_, loaded) = load_text(&text);
        let platform = loaded.platform.unwrap();
        let (_, objects) = objects(&rendered(&text));
        for namespace in &platform.plan.namespaces {
            let deny = objects
                .iter()
                .find(|object| *object.address == *format!("NetworkPolicy/{}/default-deny", namespace.name));
            assert_eq!(deny.is_some(), namespace.default_deny, "{name} {}", namespace.name);
        }
        for workload in &platform.plan.workloads {
            let denied = platform
                .plan
                .namespaces
                .iter()
                .any(|known| known.name == workload.namespace && known.default_deny);
            if !denied {
                continue;
            }
            let policy = find(&objects, &format!("NetworkPolicy/{}/{}", workload.namespace, workload.name));
            let ports = |namespace: &str, name: &str, ports: &[u16]| -> Vec<String> {
                ports.iter().map(|port| format!("{namespace}/{name}:{port}")).collect()
            };
            let all = |peer: &nexafi_gen::blueprint::platform::Peer| -> Vec<u16> {
                peer.ports.iter().map(|port| port.port).collect()
            };
            let own: Vec<u16> = workload.spec.peer_ports.values().copied().collect();
            let mut callers: BTreeSet<String> = workload
                .callers
                .iter()
                .flat_map(|peer| ports(&peer.namespace, &peer.name, &all(peer)))
                .collect();
            let mut callees: BTreeSet<String> = workload
                .callees
                .iter()
                .flat_map(|peer| ports(&peer.namespace, &peer.name, &all(peer)))
                .collect();
            if workload.exposed {
                callers.extend(ports("ingress", "nginx-ingress", &[workload.spec.port]));
            }
            callers.extend(ports("-", &workload.name, &own));
            callees.extend(ports("-", &workload.name, &own));
            assert_eq!(peers(policy, "ingress", "from"), callers, "{name} {}", workload.name);
            assert_eq!(peers(policy, "egress", "to"), callees, "{name} {}", workload.name);
        }
    }
}

#[test]
fn text_of_the_blueprint_stays_text() {
    let (_, objects) = objects(&rendered(EDGE));
    let one = find(&objects, "StatefulSet/financial/one");
    let container = at(&one.node, &["spec", "template", "spec", "containers"])[0].clone();
    let (_, loaded) = load_text(EDGE);
    let platform = loaded.platform.unwrap();
    let spec = serde_json::to_value(&platform.plan.workloads[1].spec).unwrap();
    assert_eq!(container["args"], spec["args"]);
    assert_eq!(container["command"], spec["command"]);
    assert_eq!(container["readinessProbe"]["exec"]["command"], spec["probes"]["readiness"]["command"]);
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], json!("/x?y=%20#a"));
    let env: BTreeMap<&str, &str> = container["env"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["name"].as_str().unwrap(), entry["value"].as_str().unwrap()))
        .collect();
    let written: BTreeMap<&str, &str> = spec["env"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap()))
        .collect();
    assert_eq!(env, written);
    let policy = find(&objects, "NetworkPolicy/financial/one");
    let egress = at(&policy.node, &["spec", "egress"]);
    // Own pods, two networks, the agent for credentials: the purpose added none.
    assert_eq!(egress.as_array().unwrap().len(), 4);
    assert_eq!(egress[3]["to"][0]["ipBlock"]["cidr"], json!("169.254.170.23/32"));
}

#[test]
fn data_decides_labels_nodes_and_kind() {
    let (_, objects) = objects(&rendered(EDGE));
    let one = find(&objects, "StatefulSet/financial/one");
    let labels = at(&one.node, &["spec", "template", "metadata", "labels"]);
    assert_eq!(labels["nexafi-gen/protected"], json!("true"));
    assert_eq!(labels["nexafi-gen/data-cardholder-data"], json!("true"));
    let pod = at(&one.node, &["spec", "template", "spec"]);
    assert_eq!(
        pod["tolerations"],
        json!([{"key": "nexafi-gen/class", "operator": "Equal", "value": "financial", "effect": "NoSchedule"}])
    );
    let term = &pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
        [0];
    assert_eq!(
        term["matchExpressions"],
        json!([{"key": "nexafi-gen/class", "operator": "In", "values": ["financial"]}])
    );

    let audit = find(&objects, "Deployment/audit/audit-log");
    let labels = at(&audit.node, &["spec", "template", "metadata", "labels"]);
    assert_eq!(labels["tier"], json!("1"), "the Fargate profile selects by it");
    assert_eq!(at(&audit.node, &["spec", "template", "spec", "affinity"]), Value::Null);

    // A disruption budget where there is something to keep, and only there.
    let budgets: Vec<&str> =
        of_kind(&objects, "PodDisruptionBudget").iter().map(|object| &*object.name).collect();
    assert!(!budgets.contains(&"one") && !budgets.contains(&"none") && budgets.contains(&"audit-log"));
}

#[test]
fn storage_is_encrypted_as_the_blueprint_says() {
    let (_, objects) = objects(&rendered(EDGE));
    let parameters = |name: &str| at(&find(&objects, &format!("StorageClass/{name}")).node, &["parameters"]);
    assert_eq!(
        parameters("fast")["kmsKeyId"],
        json!("arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab")
    );
    assert_eq!(parameters("plain")["encrypted"], json!("false"));
    assert_eq!(parameters("aws")["encrypted"], json!("true"));
    assert_eq!(parameters("aws")["kmsKeyId"], Value::Null);

    let minimal = std::fs::read_to_string("blueprints/minimal.yaml").unwrap();
    let (_, objects) = self::objects(&rendered(&minimal));
    let class = find(&objects, "StorageClass/encrypted");
    assert_eq!(
        at(&class.node, &["parameters", "kmsKeyId"]),
        json!("alias/minimal-production-primary-volumes")
    );
}

#[test]
fn a_standby_region_has_the_same_platform_with_its_own_key() {
    let text = std::fs::read_to_string("blueprints/nexafi.yaml").unwrap();
    let files = rendered(&text);
    let standby =
        String::from_utf8(files[camino::Utf8Path::new("standby/secondary/kustomization.yaml")].clone())
            .unwrap();
    assert!(standby.contains("  - ../../kubernetes\n"));
    assert!(standby.contains("value: alias/nexafi-production-secondary-volumes\n"));
}

#[test]
fn the_way_in_is_https_and_reads_no_other_secret() {
    let (_, objects) = objects(&rendered(EDGE));
    let service = find(&objects, "Service/ingress/nginx-ingress");
    let ports = at(&service.node, &["spec", "ports"]);
    assert_eq!(ports.as_array().unwrap().len(), 1, "TLS only");
    assert_eq!(ports[0]["nodePort"], json!(31443));
    let host = find(&objects, "Ingress/ingress/edge");
    assert_eq!(
        at(&host.node, &["spec", "tls"]),
        json!([{"hosts": ["x.nexafi.example"], "secretName": "ingress-tls"}])
    );
    let roles = of_kind(&objects, "Role").into_iter().chain(of_kind(&objects, "ClusterRole"));
    for role in roles {
        for rule in at(&role.node, &["rules"]).as_array().unwrap() {
            let text = rule.to_string();
            assert!(!text.contains("\"*\""), "{}", role.address);
            if text.contains("secrets") {
                assert_eq!(role.namespace.as_deref(), Some("ingress"));
            }
        }
    }
    // Services of two namespaces: each gets its paths where it lives.
    for (namespace, service) in [("financial", "one"), ("core", "none")] {
        let routes = find(&objects, &format!("Ingress/{namespace}/edge-routes"));
        let rules = at(&routes.node, &["spec", "rules"]);
        assert_eq!(rules[0]["http"]["paths"][0]["backend"]["service"]["name"], json!(service));
    }
}

#[test]
fn an_ingress_controller_without_an_image_is_asked_for_one() {
    let text = format!(
        "{}\ningress: {{host: x.nexafi.example, tls: {{certificates: {{one: \"arn:aws:acm:us-east-1:123456789012:certificate/1\"}}}}, routes: [{{path: /, service: a}}]}}\nservices: {{a: {{image: {{repository: r.example/a, digest: {IMAGE}}}}}}}\n",
        "apiVersion: nexafi-gen/v1\nname: edge\nowner: {team: platform, email: a@nexafi.example}\nregions: {one: {aws: us-east-1, vpc: {cidr: 10.0.0.0/16}}}"
    );
    let (sources, loaded) = load_text(&text);
    assert!(lines(&sources, &loaded).contains("the ingress controller has no image"));
}
