//! What no tool checks and a cluster finds out too late: that everything one object names in another is there.

use serde_json::Value;

use crate::kubectl::{Bench, each_blueprint, has};

/// The objects of a cluster.
struct Cluster(Vec<Value>);

impl Cluster {
    fn of(&self, kind: &str) -> std::vec::IntoIter<&Value> {
        self.0.iter().filter(|object| object["kind"] == kind).collect::<Vec<_>>().into_iter()
    }

    fn find(&self, kind: &str, namespace: &Value, name: &Value) -> Option<&Value> {
        self.of(kind).find(|object| {
            object["metadata"]["name"] == *name
                && object["metadata"].get("namespace").unwrap_or(&Value::Null) == namespace
        })
    }

    fn workloads(&self) -> impl Iterator<Item = &Value> {
        ["Deployment", "StatefulSet", "DaemonSet"].into_iter().flat_map(|kind| self.of(kind))
    }

    /// The workloads of a namespace whose pods a selector means.
    fn selected(&self, namespace: &Value, selector: &Value) -> Vec<&Value> {
        let wanted = selector.as_object().unwrap();
        self.workloads()
            .filter(|object| object["metadata"]["namespace"] == *namespace)
            .filter(|object| {
                let labels = &object["spec"]["template"]["metadata"]["labels"];
                wanted.iter().all(|(key, value)| {
                    // The controller gives each pod of a StatefulSet a label with the pod's name.
                    let pod = value.as_str().and_then(|pod| pod.rsplit_once('-'));
                    let is_pod = pod.is_some_and(|(name, number)| {
                        object["metadata"]["name"] == name
                            && number
                                .parse()
                                .is_ok_and(|at: u64| object["spec"]["replicas"].as_u64() > Some(at))
                    });
                    labels[key] == *value || (key == "statefulset.kubernetes.io/pod-name" && is_pod)
                })
            })
            .collect()
    }
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

#[test]
fn everything_that_is_named_is_there() {
    if !has("kubectl", "version --client") {
        return;
    }
    each_blueprint(|rendered| {
        let bench = Bench::of(rendered);
        bench.kubectl(&["apply", "--kustomize", "kubernetes"]).succeeded();
        let cluster = Cluster(bench.server.objects());
        for object in cluster.workloads() {
            pods(&cluster, object);
        }
        for service in cluster.of("Service") {
            let (namespace, spec) = (&service["metadata"]["namespace"], &service["spec"]);
            let behind = cluster.selected(namespace, &spec["selector"]);
            assert!(!behind.is_empty(), "nothing is behind {}", service["metadata"]["name"]);
            for port in list(spec, "ports") {
                let open = |port: &Value| {
                    behind
                        .iter()
                        .flat_map(|object| list(&object["spec"]["template"]["spec"], "containers"))
                        .any(|container| {
                            list(container, "ports")
                                .any(|open| open["name"] == *port || open["containerPort"] == *port)
                        })
                };
                assert!(
                    open(&port["targetPort"]),
                    "{}: no container has {port}",
                    service["metadata"]["name"]
                );
            }
        }
        for budget in cluster.of("PodDisruptionBudget") {
            let selector = &budget["spec"]["selector"]["matchLabels"];
            let found = cluster.selected(&budget["metadata"]["namespace"], selector);
            assert_eq!(found.len(), 1, "{}", budget["metadata"]["name"]);
        }
        for ingress in cluster.of("Ingress") {
            let class = &ingress["spec"]["ingressClassName"];
            assert!(cluster.find("IngressClass", &Value::Null, class).is_some(), "{class}");
            for path in list(&ingress["spec"], "rules").flat_map(|rule| list(&rule["http"], "paths")) {
                let backend = &path["backend"]["service"];
                let service = cluster.find("Service", &ingress["metadata"]["namespace"], &backend["name"]);
                let service = service.unwrap_or_else(|| panic!("no service {}", backend["name"]));
                let port = &backend["port"];
                let served = list(&service["spec"], "ports").any(|one| {
                    one["port"] == port["number"] || (port["name"].is_string() && one["name"] == port["name"])
                });
                assert!(served, "{backend}");
            }
        }
        for binding in cluster.of("RoleBinding").chain(cluster.of("ClusterRoleBinding")) {
            let role = &binding["roleRef"];
            let namespace =
                if role["kind"] == "Role" { &binding["metadata"]["namespace"] } else { &Value::Null };
            assert!(
                cluster.find(role["kind"].as_str().unwrap(), namespace, &role["name"]).is_some(),
                "{role}"
            );
            for subject in list(binding, "subjects").filter(|subject| subject["kind"] == "ServiceAccount") {
                let found = cluster.find("ServiceAccount", &subject["namespace"], &subject["name"]);
                assert!(found.is_some(), "{subject}");
            }
        }
    });
}

/// What a workload's pods name. Secrets are not among it: they come from `setup-kube.sh`.
fn pods(cluster: &Cluster, object: &Value) {
    let (namespace, spec) = (&object["metadata"]["namespace"], &object["spec"]["template"]["spec"]);
    let owner = &object["metadata"]["name"];
    let account = &spec["serviceAccountName"];
    assert!(cluster.find("ServiceAccount", namespace, account).is_some(), "{owner}: no account {account}");
    for volume in list(spec, "volumes") {
        if let Some(name) = volume.pointer("/configMap/name") {
            assert!(cluster.find("ConfigMap", namespace, name).is_some(), "{owner}: no ConfigMap {name}");
        }
        if let Some(name) = volume.pointer("/persistentVolumeClaim/claimName") {
            assert!(
                cluster.find("PersistentVolumeClaim", namespace, name).is_some(),
                "{owner}: no claim {name}"
            );
        }
    }
    for claim in list(&object["spec"], "volumeClaimTemplates") {
        let class = &claim["spec"]["storageClassName"];
        assert!(cluster.find("StorageClass", &Value::Null, class).is_some(), "{owner}: no class {class}");
    }
    if object["kind"] == "StatefulSet" {
        let service = cluster.find("Service", namespace, &object["spec"]["serviceName"]);
        assert_eq!(service.unwrap()["spec"]["clusterIP"], "None", "{owner}: its service has to be headless");
    }
}
