//! What Helm and other programs print: no form of it stops the reading, and each finding is at its line.

use crate::cli::Desk;

/// A workload that shares the processes of its node, in the line after the next.
fn pod(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: web}}\nspec:\n  hostPID: true\n  \
         containers: [{{name: app, image: nginx}}]\n"
    )
}

/// The findings of one policy on a file, and what else is said.
fn found(name: &str, text: impl AsRef<[u8]>) -> (String, String) {
    let desk = Desk::new();
    desk.put(name, text);
    let ran = desk.run(&format!("lint {name} --select NXF-K8S-004 --format concise --color never"));
    (ran.out, ran.err)
}

#[test]
fn documents_without_an_object_are_passed_over() {
    let text = format!(
        "---\n---\n\n---\n# Source: web/templates/nothing.yaml\n---\n# Source: web/templates/pod.yaml\n{}---\n---\n# the end\n...\n",
        pod("one")
    );
    insta::assert_snapshot!(found("rendered.yaml", text).0);
}

#[test]
fn line_ends_and_marks_of_other_systems_move_no_finding() {
    let crlf = format!("{}---\n# nothing here\n---\n{}", pod("one"), pod("two")).replace('\n', "\r\n");
    insta::assert_snapshot!(found("crlf.yaml", crlf).0);
    insta::assert_snapshot!(found("mark.yaml", format!("\u{feff}{}", pod("one"))).0);
}

#[test]
fn tabs_may_stand_in_texts_and_before_comments_only() {
    let good = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: make, namespace: web}\ndata:\n  Makefile: |\n    all:\n    \tgo build\n  key: value\t# why\n";
    insta::assert_snapshot!(found("good.yaml", good).0);
    let bad = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: make\n";
    insta::assert_snapshot!(found("bad.yaml", bad).0);
}

#[test]
fn what_an_anchor_stands_for_is_found_where_it_is_written() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: anchors, namespace: web}\nspec:\n  containers:\n    - &base\n      \
                name: one\n      image: nginx\n      ports: &ports [{containerPort: 80, hostPort: 80}]\n    - <<: *base\n      name: two\n";
    insta::assert_snapshot!(found("anchors.yaml", text).0);
}

#[test]
fn lists_in_lists_are_taken_apart_and_may_be_empty() {
    let text = "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: List\n    items:\n      - apiVersion: v1\n        \
                kind: Pod\n        metadata: {name: inner, namespace: web}\n        spec: {hostPID: true, containers: [{name: app, image: nginx}]}\n  \
                - apiVersion: v1\n    kind: PodList\n    items:\n      - metadata: {name: typed, namespace: web}\n        \
                spec: {hostPID: true, containers: [{name: app, image: nginx}]}\n---\napiVersion: v1\nkind: List\nitems: []\n---\n\
                apiVersion: v1\nkind: List\nitems:\n---\napiVersion: v1\nkind: List\nmetadata: {}\n";
    insta::assert_snapshot!(found("lists.yaml", text).0);
}

#[test]
fn objects_of_json_stand_a_line_each() {
    let one = |name: &str| {
        format!(
            "{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{{\"name\":\"{name}\",\"namespace\":\"web\"}},\
             \"spec\":{{\"hostPID\":true,\"containers\":[{{\"name\":\"app\",\"image\":\"nginx\"}}]}}}}\n"
        )
    };
    insta::assert_snapshot!(found("lines.json", one("one") + &one("two")).0);
}

#[test]
fn what_stands_behind_a_large_object_is_at_its_line() {
    let line = |at| format!("    line {at} of a file that somebody packed into a ConfigMap\n");
    let lines = (0..20_000).map(line).collect::<Vec<_>>().concat();
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: large, namespace: web}}\ndata:\n  file: |\n{lines}---\n{}",
        pod("behind")
    );
    insta::assert_snapshot!(found("large.yaml", text).0);
}

#[test]
fn the_notes_of_a_chart_are_no_object() {
    let text = format!("# Source: web/templates/pod.yaml\n{}\nNOTES:\n1. Open the address.\n", pod("one"));
    insta::assert_snapshot!(found("install.yaml", text).0);
}

#[test]
fn a_template_that_nobody_rendered_is_no_manifest() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n{{- range .Values.all }}\n  a: b\n{{- end }}\n";
    let (out, err) = found("template.yaml", text);
    assert_eq!(out, "");
    assert_eq!(
        err,
        "warning: template.yaml has values that only Helm fills in; they are not judged. Lint what `helm template` prints of it\n"
    );
}

#[test]
fn a_chart_is_named_once_however_many_templates_it_has() {
    let desk = Desk::new();
    desk.put("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    desk.put(
        "charts/web/templates/pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: {{ .Release.Name }}}\n",
    );
    desk.put("charts/web/templates/tests/none.yaml", "{{- if .Values.on }}\na: b\n{{- end }}\n");
    let ran = desk.run("lint --color never");
    assert_eq!(ran.err.matches("charts/web has values that only Helm fills in").count(), 1, "{}", ran.err);
    assert_eq!(ran.err.matches("Helm").count(), 1, "{}", ran.err);
}

/// Values that no field of a manifest takes, or that few do.
const WRONG: [&str; 11] =
    ["null", "text", "5", "true", "[]", "[null]", "[text]", "{}", "{a: b}", "[[1]]", "{a: [null]}"];

#[test]
fn fields_of_any_wrong_form_are_faults_and_no_end() {
    let outer =
        ["spec", "rules", "subjects", "roleRef", "template", "data", "items", "aggregationRule", "plugins"];
    let inner = "containers initContainers ephemeralContainers volumes securityContext template jobTemplate selector podSelector \
                 ingress egress policyTypes rules tls hostAliases tolerations affinity resources externalIPs ports \
                 serviceAccountName limits hard";
    let deep = "name image command args env envFrom ports resources securityContext livenessProbe volumeMounts imagePullPolicy \
                restartPolicy";
    let kinds = [
        "v1 Pod",
        "apps/v1 Deployment",
        "batch/v1 CronJob",
        "v1 PodTemplate",
        "rbac.authorization.k8s.io/v1 Role",
        "rbac.authorization.k8s.io/v1 RoleBinding",
        "networking.k8s.io/v1 NetworkPolicy",
        "networking.k8s.io/v1 Ingress",
        "v1 Service",
        "v1 ConfigMap",
        "v1 Namespace",
        "v1 LimitRange",
        "apiserver.config.k8s.io/v1 AdmissionConfiguration",
        "v1 List",
        "argoproj.io/v1alpha1 Rollout",
    ];
    let mut bodies: Vec<(&str, String)> = Vec::new();
    for value in WRONG {
        for kind in kinds {
            bodies.extend(outer.iter().map(|field| (kind, format!("{field}: {value}"))));
            bodies
                .extend(inner.split_whitespace().map(|field| (kind, format!("spec: {{{field}: {value}}}"))));
        }
        let container =
            |field| format!("spec: {{containers: [{{{field}: {value}}}, {{name: a, image: b}}]}}");
        bodies.extend(deep.split_whitespace().map(|field| ("v1 Pod", container(field))));
    }
    let mut documents: Vec<String> = bodies
        .iter()
        .enumerate()
        .map(|(at, (kind, body))| {
            let (version, kind) = kind.split_once(' ').unwrap();
            format!(
                "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: o{at}, namespace: web}}\n{body}\n"
            )
        })
        .collect();
    for value in WRONG {
        for field in ["metadata", "kind", "apiVersion"] {
            let pod = pod("one");
            let rest: Vec<&str> = pod.lines().filter(|line| !line.starts_with(field)).collect();
            documents.push(format!("{field}: {value}\n{}\n", rest.join("\n")));
        }
    }
    let desk = Desk::new();
    desk.put("wrong.yaml", documents.join("---\n"));
    let ran = desk.run("lint wrong.yaml --format concise --color never");
    assert_eq!(u8::from(ran.code), 1, "{}", ran.err);
    assert_eq!(ran.err, "");
    assert!(ran.out.lines().count() > documents.len(), "{}", ran.out.lines().count());
}
