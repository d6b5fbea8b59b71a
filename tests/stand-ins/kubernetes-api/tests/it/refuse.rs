//! What the API refuses, in the stock `kubectl`'s words.

use crate::kubectl::{Bench, has};

const VERSION: &str = "1.34";

const NAMESPACES: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: core, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: Namespace
metadata: {name: tools, labels: {pod-security.kubernetes.io/enforce: baseline}}
---
apiVersion: v1
kind: Namespace
metadata: {name: system, labels: {pod-security.kubernetes.io/enforce: privileged}}
";

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: core, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: web
          image: registry.example/web:1.0.0
          ports: [{name: http, containerPort: 8080}]
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
";

const STATEFUL_SET: &str = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store, namespace: tools}
spec:
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec: {containers: [{name: store, image: registry.example/store:1.0.0}]}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 20Gi}}}
";

/// A cluster with three namespaces; `None` where there is no `kubectl`.
fn cluster() -> Option<Bench> {
    if !has("kubectl", "version --client") {
        return None;
    }
    let bench = Bench::new(VERSION);
    bench.apply(NAMESPACES).succeeded();
    Some(bench)
}

/// Applies the manifest, then once more with something changed, and gives what the second time said.
fn changed(manifest: &str, from: &str, to: &str) -> Option<crate::kubectl::Ran> {
    assert!(manifest.contains(from), "{manifest} has no {from}");
    let bench = cluster()?;
    bench.apply(manifest).succeeded();
    Some(bench.apply(&manifest.replace(from, to)))
}

#[test]
fn a_field_that_does_not_exist() {
    let Some(bench) = cluster() else { return };
    let manifest = DEPLOYMENT.replace("replicas: 2", "replica: 2");
    bench.apply(&manifest).refused("strict decoding error: unknown field \"spec.replica\"");
    let manifest = DEPLOYMENT.replace("image:", "imagePolicy: Always\n          image:");
    bench.apply(&manifest).refused("unknown field \"spec.template.spec.containers[0].imagePolicy\"");
    bench.kubectl(&["apply", "--server-side", "--filename", "manifest.yaml"]).refused("unknown field");
    bench.kubectl(&["create", "--filename", "manifest.yaml"]).refused("unknown field");
    let dropped = bench.kubectl(&["create", "--validate=warn", "--filename", "manifest.yaml"]).succeeded();
    assert!(dropped.err.contains("Warning: unknown field"), "{}", dropped.err);
}

#[test]
fn a_value_of_the_wrong_type_and_a_kind_that_does_not_exist() {
    let Some(bench) = cluster() else { return };
    bench.apply(&DEPLOYMENT.replace("replicas: 2", "replicas: two")).refused("spec.replicas");
    bench.apply(&DEPLOYMENT.replace("kind: Deployment", "kind: Deploymend")).refused("no matches for kind");
    bench.apply(&DEPLOYMENT.replace("apps/v1", "apps/v1beta1")).refused("no matches for kind");
    let without = DEPLOYMENT.replace("  selector: {matchLabels: {app: web}}\n", "");
    bench.apply(&without).refused("spec.selector: Required value");
}

#[test]
fn a_namespace_that_is_not_there_or_is_going() {
    let Some(bench) = cluster() else { return };
    let elsewhere = DEPLOYMENT.replace("namespace: core", "namespace: cores");
    bench.apply(&elsewhere).refused("namespaces \"cores\" not found");
    bench.kubectl(&["delete", "namespace", "core", "--wait=false"]).succeeded();

    bench.apply(DEPLOYMENT).refused("because it is being terminated");
    bench.kubectl(&["delete", "namespace", "tools"]).succeeded();
    bench.kubectl(&["get", "namespace", "tools"]).refused("NotFound");
}

#[test]
fn pods_that_the_namespace_does_not_admit() {
    let Some(bench) = cluster() else { return };
    let cases = [
        ("allowPrivilegeEscalation: false", "privileged: true", "privileged (container"),
        (
            "allowPrivilegeEscalation: false",
            "readOnlyRootFilesystem: true",
            "allowPrivilegeEscalation != false",
        ),
        ("drop: [ALL]", "drop: [NET_RAW]", "unrestricted capabilities"),
        ("drop: [ALL]", "drop: [ALL], add: [NET_ADMIN]", "non-default capabilities"),
        ("runAsNonRoot: true, ", "", "runAsNonRoot != true"),
        ("runAsNonRoot: true, ", "runAsNonRoot: true, runAsUser: 0, ", "runAsUser=0"),
        ("type: RuntimeDefault", "type: Unconfined", "seccompProfile"),
        (", seccompProfile: {type: RuntimeDefault}", "", "seccompProfile"),
        ("      containers:", "      hostNetwork: true\n      containers:", "host namespaces"),
        ("containerPort: 8080", "containerPort: 8080, hostPort: 8080", "hostPort"),
        (
            "      containers:",
            "      volumes: [{name: host, hostPath: {path: /}}]\n      containers:",
            "hostPath volumes",
        ),
        (
            "      containers:",
            "      volumes: [{name: share, nfs: {path: /, server: nfs.example}}]\n      containers:",
            "restricted volume types",
        ),
    ];
    for (from, to, words) in cases {
        assert!(DEPLOYMENT.contains(from));
        let ran = bench.apply(&DEPLOYMENT.replace(from, to));
        ran.refused("violates PodSecurity \"restricted:latest\"");
        ran.refused(words);
    }
    bench.apply(DEPLOYMENT).succeeded();
    // The levels differ: what restricted refuses, baseline may admit; privileged admits everything.
    let root = DEPLOYMENT.replace("runAsNonRoot: true, ", "");
    bench.apply(&root.replace("namespace: core", "namespace: tools")).succeeded();
    let privileged = root.replace("allowPrivilegeEscalation: false", "privileged: true");
    bench.apply(&privileged.replace("namespace: core", "namespace: tools")).refused("baseline:latest");
    bench.apply(&privileged.replace("namespace: core", "namespace: system")).succeeded();
}

#[test]
fn a_change_of_what_cannot_change() {
    let selector =
        DEPLOYMENT.replace("labels: {app: web}}\n    spec", "labels: {app: web, tier: front}}\n    spec");
    let Some(ran) = changed(&selector, "matchLabels: {app: web}", "matchLabels: {tier: front}") else {
        return;
    };
    ran.refused("spec.selector: Invalid value");
    ran.refused("field is immutable");
    let claims = changed(STATEFUL_SET, "storage: 20Gi", "storage: 30Gi");
    claims.unwrap().refused("updates to statefulset spec for fields other than");
    changed(STATEFUL_SET, "serviceName: store", "serviceName: stores")
        .unwrap()
        .refused("updates to statefulset spec");
    changed(STATEFUL_SET, "store:1.0.0", "store:1.0.1").unwrap().succeeded();

    let service = "---\n{apiVersion: v1, kind: Service, metadata: {name: web, namespace: core}, \
         spec: {clusterIP: 172.20.9.9, selector: {app: web}, ports: [{port: 80}]}}";
    changed(service, "172.20.9.9", "172.20.9.10").unwrap().refused("may not change once set");
    let binding = "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, \
         metadata: {name: web, namespace: core}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}}";
    changed(binding, "name: a}", "name: b}").unwrap().refused("cannot change roleRef");
    let class = "---\n{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}, \
         provisioner: ebs.csi.aws.com, parameters: {type: gp3}}";
    changed(class, "gp3", "io2").unwrap().refused("updates to parameters are forbidden");
    let claim = "---\n{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: core}, \
         spec: {storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}";
    changed(claim, "storageClassName: fast", "storageClassName: slow").unwrap().refused("spec is immutable");
    changed(claim, "storage: 1Gi", "storage: 2Gi").unwrap().succeeded();
}

#[test]
fn a_second_object_of_the_same_name() {
    let Some(bench) = cluster() else { return };
    bench.apply(DEPLOYMENT).succeeded();
    bench.kubectl(&["create", "--filename", "manifest.yaml"]).refused("already exists");
}

#[test]
fn a_field_that_somebody_else_owns() {
    let Some(bench) = cluster() else { return };
    bench.write("manifest.yaml", DEPLOYMENT);
    let apply = ["apply", "--server-side", "--filename", "manifest.yaml"];
    bench.kubectl(&apply).succeeded();
    let taken = DEPLOYMENT.replace("web:1.0.0", "web:2.0.0");
    bench.write("manifest.yaml", &taken);
    let other = bench.kubectl(&[&apply[..], &["--field-manager=other"]].concat());
    other.refused("conflict with \"kubectl\"");
    bench.kubectl(&[&apply[..], &["--field-manager=other", "--force-conflicts"]].concat()).succeeded();
    bench.write("manifest.yaml", DEPLOYMENT);
    bench.kubectl(&apply).refused("conflict");
}

#[test]
fn what_is_no_longer_applied_goes_and_what_others_set_stays() {
    let Some(bench) = cluster() else { return };
    for server_side in [&["--server-side"][..], &[]] {
        let apply = [&["apply", "--filename", "manifest.yaml"], server_side].concat();
        bench.write(
            "manifest.yaml",
            &DEPLOYMENT.replace("labels: {app: web}}\nspec", "labels: {app: web, old: x}}\nspec"),
        );
        bench.kubectl(&apply).succeeded();
        bench.kubectl(&["label", "deployment", "web", "--namespace", "core", "by=hand"]).succeeded();
        bench.write("manifest.yaml", DEPLOYMENT);
        bench.kubectl(&apply).succeeded();
        let labels = bench
            .kubectl(&[
                "get",
                "deployment",
                "web",
                "--namespace",
                "core",
                "--output",
                "jsonpath={.metadata.labels}",
            ])
            .succeeded();
        assert_eq!(labels.out, r#"{"app":"web","by":"hand"}"#);
        bench.kubectl(&["delete", "--filename", "manifest.yaml"]).succeeded();
    }
}

#[test]
fn a_dry_run_changes_nothing_and_a_diff_shows_the_change() {
    let Some(bench) = cluster() else { return };
    let revision = bench.server.revision();
    bench.write("manifest.yaml", DEPLOYMENT);
    bench.kubectl(&["apply", "--dry-run=server", "--filename", "manifest.yaml"]).succeeded();
    assert_eq!(bench.server.revision(), revision);
    bench.apply(DEPLOYMENT).succeeded();
    bench.write("manifest.yaml", &DEPLOYMENT.replace("web:1.0.0", "web:1.0.1"));
    let diff = bench.kubectl(&["diff", "--filename", "manifest.yaml"]);
    assert_eq!(diff.code, 1, "{}", diff.err);
    let changes =
        diff.lines().into_iter().filter(|line| line.starts_with("+ ") || line.starts_with("- ")).count();
    // The image, and the generation that counts the change.
    assert_eq!(changes, 4, "{}", diff.out);
}

#[test]
fn amounts_are_kept_in_their_canonical_form() {
    let Some(bench) = cluster() else { return };
    let with = |cpu: &str, memory: &str| {
        let resources =
            format!("resources: {{requests: {{cpu: {cpu}, memory: {memory}}}}}\n          image:");
        DEPLOYMENT.replace("image:", &resources)
    };
    let requests = |bench: &Bench| {
        let path = "jsonpath={.spec.template.spec.containers[0].resources.requests}";
        bench.kubectl(&["get", "deployment", "web", "--namespace", "core", "--output", path]).succeeded().out
    };
    bench.apply(&with("1000m", "1024Mi")).succeeded();
    assert_eq!(requests(&bench), r#"{"cpu":"1","memory":"1Gi"}"#);
    // So what is written in another way is never `unchanged` (kubernetes/kubernetes#66450).
    assert!(bench.apply(&with("1000m", "1024Mi")).succeeded().out.ends_with("configured\n"));
    assert!(bench.apply(&with("\"1\"", "1Gi")).succeeded().out.ends_with("configured\n"));
    assert!(bench.apply(&with("\"1\"", "1Gi")).succeeded().out.ends_with("unchanged\n"));
    bench.apply(&with("0.25", "1.5Gi")).succeeded();
    assert_eq!(requests(&bench), r#"{"cpu":"250m","memory":"1536Mi"}"#);
}

#[test]
fn what_no_schema_can_say() {
    let Some(bench) = cluster() else { return };
    let object = |kind: &str, api: &str, rest: &str| {
        format!("---\napiVersion: {api}\nkind: {kind}\nmetadata: {{name: web, namespace: core}}\n{rest}\n")
    };
    let deployments = [
        ("name: web, namespace", "name: Web, namespace", "metadata.name"),
        ("labels: {app: web}}\nspec", "labels: {app: a b}}\nspec", "metadata.labels"),
        (
            "matchLabels: {app: web}",
            "matchLabels: {app: other}",
            "`selector` does not match template `labels`",
        ),
        ("replicas: 2", "replicas: -1", "spec.replicas"),
        ("replicas: 2", "strategy: {type: Rolling}", "Unsupported value: \"Rolling\""),
        ("containerPort: 8080", "containerPort: 80800", "must be between 1 and 65535"),
        (
            "name: http, containerPort",
            "name: a-name-that-is-too-long, containerPort",
            "no more than 15 characters",
        ),
        ("image:", "volumeMounts: [{name: data, mountPath: /data}]\n          image:", "Not found: \"data\""),
        ("image:", "livenessProbe: {periodSeconds: 5}\n          image:", "must specify a handler type"),
        ("image:", "env: [{name: A=B, value: c}]\n          image:", "valid environment variable name"),
        (
            "image:",
            "resources: {requests: {cpu: \"2\"}, limits: {cpu: 1500m}}\n          image:",
            "must be less than or equal to cpu limit",
        ),
        (
            "      containers:",
            "      tolerations: [{operator: Exist}]\n      containers:",
            "Unsupported value: \"Exist\"",
        ),
    ];
    for (from, to, words) in deployments {
        assert!(DEPLOYMENT.contains(from), "{from}");
        bench.apply(&DEPLOYMENT.replacen(from, to, 1)).refused(words);
    }
    let others = [
        (
            "Service",
            "v1",
            "spec: {selector: {app: web}, ports: [{port: 80}, {port: 81}]}",
            "spec.ports[0].name",
        ),
        ("Service", "v1", "spec: {selector: {app: web}, ports: [{port: 0}]}", "must be between 1 and 65535"),
        (
            "NetworkPolicy",
            "networking.k8s.io/v1",
            "spec: {podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/33}}]}]}",
            "not a valid CIDR",
        ),
        (
            "PodDisruptionBudget",
            "policy/v1",
            "spec: {minAvailable: 1, maxUnavailable: 1, selector: {}}",
            "cannot be both set",
        ),
        (
            "PersistentVolumeClaim",
            "v1",
            "spec: {accessModes: [ReadWriteOnes], resources: {requests: {storage: 1Gi}}}",
            "Unsupported value: \"ReadWriteOnes\"",
        ),
        ("Secret", "v1", "type: kubernetes.io/tls\nstringData: {tls.crt: x}", "data[tls.key]"),
        ("ConfigMap", "v1", "data: {a b: c}", "a valid config key"),
        (
            "Role",
            "rbac.authorization.k8s.io/v1",
            "rules: [{apiGroups: [\"\"], resources: [pods], verbs: []}]",
            "verbs",
        ),
    ];
    for (kind, api, rest, words) in others {
        bench.apply(&object(kind, api, rest)).refused(words);
    }
}
