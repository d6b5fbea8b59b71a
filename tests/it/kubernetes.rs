//! Manifests: what is read, what is refused, and where the finding points.

use nexafi_gen::kubernetes::{self, Object, schema, workload};
use nexafi_gen::source::{Finding, SourceFile, Sources, Value};
use proptest::prelude::*;

/// Reads one text as a file of its own.
fn read(text: &str) -> (Sources, Vec<Object>, Vec<Finding>) {
    read_files(&[("all.yaml", text)])
}

fn read_files(files: &[(&str, &str)]) -> (Sources, Vec<Object>, Vec<Finding>) {
    let mut sources = Sources::default();
    for (path, text) in files {
        sources.add(SourceFile::new(*path, (*text).to_owned()));
    }
    let mut objects = Vec::new();
    let mut findings = Vec::new();
    for (id, file) in sources.iter() {
        let (more, faults) = kubernetes::read(id, file);
        objects.extend(more);
        findings.extend(faults);
    }
    (sources, objects, findings)
}

/// Each finding as `line:column underlined text: message | help`.
fn shown(sources: &Sources, findings: &[Finding]) -> String {
    let lines: Vec<String> =
        findings.iter().map(|finding| told(sources.get(finding.span.file).unwrap(), finding)).collect();
    lines.concat()
}

/// `line:column underlined text pointer: message | help`.
pub(crate) fn told(file: &SourceFile, finding: &Finding) -> String {
    let at = file.line_column(finding.span.start as usize);
    let text = file.slice(finding.span);
    format!(
        "{}:{} `{text}` {}: {} | {}\n",
        at.line, at.column, finding.pointer, finding.message, finding.help
    )
}

fn checked(text: &str, version: &str) -> String {
    let (sources, objects, findings) = read(text);
    assert!(findings.is_empty(), "{}", shown(&sources, &findings));
    let findings: Vec<Finding> = objects.iter().flat_map(|object| schema::check(object, version)).collect();
    for finding in &findings {
        assert!(!finding.help.is_empty());
        assert!(finding.subject.is_some());
    }
    shown(&sources, &findings)
}

const LEDGER: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ledger
  namespace: core
  labels: {app: ledger, version: "1.30"}
spec:
  replicas: 3
  selector: {matchLabels: {app: ledger}}
  strategy: {rollingUpdate: {maxUnavailable: 25%, maxSurge: 1}}
  template:
    metadata: {labels: {app: ledger}, creationTimestamp: null}
    spec:
      containers:
        - name: ledger
          image: registry.nexafi.example/ledger:1.4.2
          ports: [{containerPort: 5002, name: http}]
          env: [{name: PORT, value: "5002"}]
          resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {cpu: 2, memory: 1.5e9}}
          livenessProbe: {httpGet: {path: /healthz, port: http}}
"#;

#[test]
fn documents_lists_and_json_become_objects() {
    let text = "# licence\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: core}\n---\n---\n# nothing here\n---\n\
                apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Service\n    metadata: {name: a, namespace: core}\n\
                ---\n{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"b\"}}\n\
                ---\napiVersion: v1\nkind: SecretList\nitems:\n- metadata: {name: c}\n";
    let (_, objects, findings) = read(text);
    assert!(findings.is_empty());
    let addresses: Vec<&str> = objects.iter().map(|object| &*object.address).collect();
    assert_eq!(addresses, ["Namespace/core", "Service/core/a", "ConfigMap/b", "Secret/c"]);
}

#[test]
fn a_stream_of_json_objects_is_read_and_each_points_at_its_own_place() {
    let text = "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Service\",\n\t\"metadata\": {\"name\": \"é\"}\n}\n\n\
                {\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"metadata\": {\"name\": \"b\"}}]}";
    let (sources, objects, findings) = read_files(&[("all.json", text)]);
    assert_eq!(shown(&sources, &findings), "");
    let addresses: Vec<&str> = objects.iter().map(|object| &*object.address).collect();
    assert_eq!(addresses, ["Service/é", "Secret/b"]);
    let file = sources.get(objects[1].header.file).unwrap();
    assert_eq!(file.slice(objects[1].header), "\"b\"");
    // Where it ends in the middle the fault is named, and what was read before it is judged.
    let (sources, objects, findings) = read_files(&[("all.json", &text[..text.len() - 9])]);
    assert_eq!(objects.len(), 1);
    assert!(shown(&sources, &findings).contains("not valid YAML"));
}

#[test]
fn what_helm_rendered_is_read_past_its_comments_and_empty_documents() {
    let text = "---\n# Source: chart/templates/a.yaml\n---\n# Source: chart/templates/b.yaml\napiVersion: v1\nkind: Service\nmetadata:\n  name: a\n\
                ---\n# Source: chart/templates/c.yaml\n\n---\n";
    let (_, objects, findings) = read(text);
    assert!(findings.is_empty());
    assert_eq!(objects.len(), 1);
}

#[test]
fn words_without_quotes_are_what_kubectl_reads() {
    let text = "apiVersion: example.com/v1\nkind: Foo\nmetadata: {name: a}\nspec: {a: yes, b: y, c: off, d: N, e: 0644, f: 1_000, \
                g: 0b11, i: 089, j: 1:30, k: \"yes\", l: -0644, m: 0x1F, n: 0o17, _: 1_, on: 1}\n";
    let (_, objects, _) = read(text);
    let wanted = serde_json::json!({
        "a": true, "b": true, "c": false, "d": false, "e": 420, "f": 1000, "g": 3, "i": 89, "j": "1:30", "k": "yes",
        "l": -420, "m": 31, "false": 15, "_": "1_", "true": 1
    });
    assert_eq!(objects[0].node.get("spec").unwrap().to_json(), wanted);
}

#[test]
fn the_header_is_the_name_and_the_origin_is_the_comment_above() {
    let text = "# generated\n# blueprint: services.ledger\napiVersion: v1\nkind: Service\nmetadata:\n  name: ledger\n---\n\
                # blueprint: namespaces.core\napiVersion: v1\nkind: Namespace\nmetadata: {name: core}\n---\n\
                apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n";
    let (sources, objects, _) = read(text);
    let file = sources.get(objects[0].header.file).unwrap();
    assert_eq!(file.slice(objects[0].header), "ledger");
    let origins: Vec<Option<&str>> = objects.iter().map(|object| object.blueprint.as_deref()).collect();
    assert_eq!(origins, [Some("services.ledger"), Some("namespaces.core"), None]);
}

#[test]
fn a_cluster_scoped_object_has_no_namespace() {
    let (_, objects, _) = read("apiVersion: v1\nkind: Namespace\nmetadata: {name: core, namespace: odd}\n");
    assert_eq!(objects[0].namespace, None);
    assert_eq!(&*objects[0].address, "Namespace/core");
}

#[test]
fn what_is_no_object_is_a_finding_at_its_place() {
    let text = "- a\n- b\n---\nkind: Service\nmetadata: {name: x}\n---\napiVersion: v1\nkind: Service\nmetadata:\n  labels: {}\n\
                ---\napiVersion: v1\nkind: Service\n---\napiVersion: v1\nkind: [Service]\nmetadata: {name: x}\n\
                ---\napiVersion: v1\nkind: Service\nmetadata: {name: 8080}\n---\nhello\n";
    let (sources, objects, findings) = read(text);
    assert!(objects.is_empty());
    insta::assert_snapshot!(shown(&sources, &findings));
}

#[test]
fn files_that_kubectl_never_applies_are_passed_over() {
    for text in [
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n",
        "resources:\n  - a.yaml\n",
        "apiVersion: v1\nkind: Config\nclusters: []\n",
        "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nnodes: []\n",
        "{{- if .Values.enabled }}\napiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\n{{- end }}\n",
        "{{ include \"chart.labels\" . }}\n  a: b\n c: d\n",
    ] {
        let (sources, objects, findings) = read(text);
        assert!(objects.is_empty(), "{text}");
        assert!(findings.is_empty(), "{text}{}", shown(&sources, &findings));
    }
}

#[test]
fn a_flux_kustomization_is_an_object() {
    let (_, objects, _) =
        read("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\n");
    assert_eq!(objects.len(), 1);
}

#[test]
fn what_helm_fills_in_is_not_known() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: \"{{ .Values.type }}\"}\n";
    let (_, objects, findings) = read(text);
    assert!(findings.is_empty());
    assert!(matches!(objects[0].node.at(&["spec", "type"]).unwrap().value, Value::Unknown(_)));
}

#[test]
fn other_templates_in_a_manifest_are_plain_text() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {alert: \"{{ $labels.pod }} is down\"}\n";
    let (_, objects, _) = read(text);
    assert_eq!(objects[0].node.at(&["data", "alert"]).unwrap().as_str(), Some("{{ $labels.pod }} is down"));
}

#[test]
fn two_objects_of_one_name_are_a_finding_that_shows_both() {
    let one = "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: core}\n";
    let other = "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: other}\n";
    let (sources, objects, _) = read_files(&[("x/a.yaml", one), ("x/b.yaml", other), ("y/c.yaml", one)]);
    let findings = kubernetes::duplicates(&sources, &objects);
    assert_eq!(findings.len(), 1);
    assert_eq!(sources.get(findings[0].span.file).unwrap().path(), "y/c.yaml");
    assert_eq!(sources.get(findings[0].related[0].span.file).unwrap().path(), "x/a.yaml");
}

#[test]
fn a_kustomize_overlay_does_not_duplicate_its_base() {
    let one = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n";
    let (sources, objects, _) = read_files(&[("base/a.yaml", one), ("overlays/eu/a.yaml", one)]);
    assert!(kubernetes::duplicates(&sources, &objects).is_empty());
    let (sources, objects, _) = read_files(&[("base/a.yaml", one), ("base/b.yaml", one)]);
    assert_eq!(kubernetes::duplicates(&sources, &objects).len(), 1);
}

#[test]
fn the_pod_of_every_workload_is_found() {
    let spec = "{containers: [{name: a}], initContainers: [{name: b}], ephemeralContainers: [{name: c}]}";
    let mut documents = vec![format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {spec}\n")];
    for (version, kind) in [
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("batch/v1", "Job"),
        ("v1", "ReplicationController"),
    ] {
        let head = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\n");
        documents.push(format!("{head}spec: {{template: {{spec: {spec}}}}}\n"));
    }
    let head = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: x}\n";
    documents.push(format!("{head}spec: {{jobTemplate: {{spec: {{template: {{spec: {spec}}}}}}}}}\n"));
    let text = documents.join("---\n");
    let (_, objects, findings) = read(&text);
    assert!(findings.is_empty());
    assert_eq!(objects.len(), 8);
    for object in &objects {
        let pod = workload::pod(object).unwrap();
        let names: Vec<_> = workload::containers(pod)
            .iter()
            .map(|container| container.get("name").unwrap().as_str())
            .collect();
        assert_eq!(names, [Some("b"), Some("a"), Some("c")], "{}", object.kind);
    }
    let (_, objects, _) =
        read("apiVersion: batch.volcano.sh/v1alpha1\nkind: Job\nmetadata: {name: x}\nspec: {template: {}}\n");
    assert!(workload::pod(&objects[0]).is_none());
}

#[test]
fn a_good_manifest_has_no_finding_in_any_version() {
    assert_eq!(schema::versions().first().map(String::as_str), Some("1.32"));
    for version in schema::versions() {
        assert_eq!(checked(LEDGER, version), "");
    }
}

#[test]
fn every_definition_that_a_kind_reaches_is_there() {
    // Every kind of every version, filled with nothing, is looked up: a damaged or incomplete file shows.
    for version in schema::versions() {
        assert!(schema::served("Deployment", version).contains(&"apps/v1"));
        assert!(schema::served("NetworkPolicy", version).contains(&"networking.k8s.io/v1"));
        assert!(checked("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, nmae: b}\nspec: {replica: 1, template: {spec: {containers: [{}]}}}\n", version).contains("did you mean `replicas`"));
    }
}

#[test]
fn a_wrong_manifest_shows_each_fault_at_its_place() {
    let text = r#"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ledger
  labels: {version: 1.30}
  annotations: {prometheus.io/scrape: true}
spec:
  replicas: "3"
  strategy: RollingUpdate
  selector: {matchLabels: {app: ledger}}
  template:
    spec:
      serviceAccountname: ledger
      hostNetwork: "no"
      containers:
        - image: registry.nexafi.example/ledger:1.4.2
          command: run
          ports: [{containerPort: 99999999999}]
          env:
            - name: PORT
              value: 5002
          resources: {limits: {memory: 1GB}}
      volumes: {name: data}
      tolerations:
        - key: a
          tolerationSeconds: 1.5
"#;
    insta::assert_snapshot!(checked(text, "1.34"));
}

#[test]
fn a_missing_required_field_points_at_the_key_that_lacks_it() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template: {spec: {containers: [{name: a}]}}\n\
                ---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n    - name: http\n      port: null\n";
    insta::assert_snapshot!(checked(text, "1.34"));
}

#[test]
fn a_secret_holds_base64_and_says_where_plain_text_goes() {
    let text =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  good: aGVsbG8=\n  bad: hello world\n";
    insta::assert_snapshot!(checked(text, "1.34"));
}

#[test]
fn a_kind_that_the_version_does_not_serve_names_what_it_does() {
    let text = "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a}\n\
                ---\napiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a}\n\
                ---\napiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: a}\n\
                ---\napiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: a}\n\
                ---\napiVersion: app/v1\nkind: Deployment\nmetadata: {name: a}\n";
    insta::assert_snapshot!(checked(text, "1.34"));
}

#[test]
fn kinds_of_installed_extensions_are_left_alone() {
    for text in [
        "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: a}\nspec: {anything: 1}\n",
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec: {anything: 1}\n",
        "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshot\nmetadata: {name: a}\nspec: {anything: 1}\n",
    ] {
        assert_eq!(checked(text, "1.34"), "");
    }
}

#[test]
fn a_version_outside_of_what_is_known_takes_the_nearest() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {prots: []}\n";
    assert!(checked(text, "1.29").contains("Kubernetes 1.32"));
    assert!(checked(text, "v1.34.7").contains("Kubernetes 1.34"));
    assert!(checked(text, "1.99").contains(schema::versions().last().unwrap()));
}

#[test]
fn a_field_of_a_newer_version_is_unknown_to_an_older_one() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - name: a\n      restartPolicyRules: []\n";
    assert!(checked(text, "1.33").contains("restartPolicyRules"));
    assert_eq!(checked(text, "1.34"), "");
}

#[test]
fn quantities_and_int_or_strings_take_every_form_that_kubernetes_takes() {
    for (value, good) in [
        ("1", true),
        ("0.5", true),
        ("\"1.5Gi\"", true),
        ("100m", true),
        ("1e3", true),
        ("\"12E2\"", true),
        ("+1k", true),
        ("1K", false),
        ("1 Gi", false),
        ("\"\"", false),
        ("1.2.3", false),
        ("true", false),
        ("[1]", false),
    ] {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers:\n    - name: a\n      resources: {{limits: {{cpu: {value}}}}}\n"
        );
        assert_eq!(checked(&text, "1.34").is_empty(), good, "{value}");
    }
}

/// YAML that looks like manifests, wrong in any way.
fn anything() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("apiVersion"),
        Just("kind"),
        Just("metadata"),
        Just("name"),
        Just("spec"),
        Just("template"),
        Just("containers"),
        Just("items"),
        Just("List"),
        Just("v1"),
        Just("apps/v1"),
        Just("Deployment"),
        Just("Pod"),
        Just("1"),
        Just("true"),
        Just("null"),
        Just("é"),
        Just("{{ .Values.x }}"),
        Just("---"),
        Just("\n"),
        Just("\n  "),
        Just("\n    "),
        Just(": "),
        Just("- "),
        Just("["),
        Just("]"),
        Just("{"),
        Just("}"),
        Just(","),
        Just("#"),
        Just("# blueprint: a.b\n"),
        Just("&a"),
        Just("*a"),
        Just("<<: "),
        Just("\""),
        Just("\t"),
        Just("\r\n"),
    ];
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_text_makes_reading_or_checking_fail(text in prop_oneof![anything(), any::<String>()]) {
        let (sources, objects, findings) = read(&text);
        let mut all = findings;
        all.extend(objects.iter().flat_map(|object| schema::check(object, "1.34")));
        all.extend(kubernetes::duplicates(&sources, &objects));
        for finding in &all {
            let file = sources.get(finding.span.file).unwrap();
            prop_assert!(finding.span.start <= finding.span.end);
            prop_assert!(finding.span.end as usize <= file.text().len());
            prop_assert!(!finding.help.is_empty());
        }
        for object in &objects {
            let _ = workload::pod(object).map(workload::containers);
        }
    }

    #[test]
    fn any_value_in_any_field_is_judged_without_failing(
        at in 0usize..22,
        value in prop_oneof![Just("1"), Just("-1"), Just("x"), Just("true"), Just("[]"), Just("{}"), Just("[[1]]"),
            Just("{a: {b: c}}"), Just("null"), Just("99999999999999999999"), Just("1.5"), Just("\"\"")],
    ) {
        let lines: Vec<&str> = LEDGER.trim().lines().collect();
        let mut text = String::new();
        for (number, line) in lines.iter().enumerate() {
            match line.find(": ") {
                Some(colon) if number == at % lines.len() => {
                    text.push_str(&line[..colon + 2]);
                    text.push_str(value);
                }
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        let (_, objects, _) = read(&text);
        for object in &objects {
            let _ = schema::check(object, "1.34");
        }
    }
}
