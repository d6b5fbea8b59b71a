//! What the control plane adds to an object, all at once: addresses, ports, and the status of something that has come up.

use serde_json::{Map, Value, json};

use crate::managed::NOW;
use crate::normalise::map_at;

/// Gives a service its addresses and node ports, keeping those it has.
pub(crate) fn allocate(object: &mut Value, before: Option<&Value>, serial: u64) {
    if object["kind"] != "Service" {
        return;
    }
    let spec = &object["spec"];
    let kind = spec["type"].as_str().unwrap_or("").to_owned();
    if kind == "ExternalName" {
        return;
    }
    if spec["clusterIP"].as_str().unwrap_or("").is_empty() {
        let address = before.map_or(Value::Null, |before| before["spec"]["clusterIP"].clone());
        let next = format!("172.20.{}.{}", serial / 250 % 250, serial % 250 + 2);
        object["spec"]["clusterIP"] = if address.is_null() { next.into() } else { address };
    }
    let address = object["spec"]["clusterIP"].clone();
    map_at(object, &["spec"]).entry("clusterIPs").or_insert(json!([address]));
    if kind == "LoadBalancer" || kind == "NodePort" {
        let known: Vec<Value> =
            before.and_then(|before| before["spec"]["ports"].as_array().cloned()).unwrap_or_default();
        let ports = object["spec"]["ports"].as_array_mut().into_iter().flatten();
        for (at, port) in ports.enumerate() {
            let same = known.iter().find(|other| other["port"] == port["port"]);
            let number = same.map_or(Value::Null, |same| same["nodePort"].clone());
            let next = 30_000 + serial * 8 % 2_700 + at as u64;
            let number = if number.is_null() { next.into() } else { number };
            map_at(port, &[]).entry("nodePort").or_insert(number);
        }
    }
}

/// Sets the status of what controllers bring up: here everything is up at once.
pub(crate) fn bring_up(object: &mut Value) {
    let kind = object["kind"].as_str().unwrap_or("").to_owned();
    let generation = object["metadata"]["generation"].clone();
    let replicas = object["spec"]["replicas"].clone();
    let revision = || format!("{}-1", object["metadata"]["name"].as_str().unwrap_or(""));
    let status = match kind.as_str() {
        "Deployment" => {
            let condition = |kind: &str, reason: &str| {
                json!({
                    "type": kind, "status": "True", "reason": reason, "message": "",
                    "lastUpdateTime": NOW, "lastTransitionTime": NOW,
                })
            };
            json!({
                "observedGeneration": generation, "replicas": replicas, "updatedReplicas": replicas,
                "readyReplicas": replicas, "availableReplicas": replicas,
                "conditions": [
                    condition("Available", "MinimumReplicasAvailable"),
                    condition("Progressing", "NewReplicaSetAvailable"),
                ],
            })
        }
        "ReplicaSet" => json!({
            "observedGeneration": generation, "replicas": replicas, "fullyLabeledReplicas": replicas,
            "readyReplicas": replicas, "availableReplicas": replicas,
        }),
        "StatefulSet" => json!({
            "observedGeneration": generation, "replicas": replicas, "currentReplicas": replicas,
            "updatedReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
            "currentRevision": revision(), "updateRevision": revision(), "collisionCount": 0,
        }),
        "DaemonSet" => json!({
            "observedGeneration": generation, "currentNumberScheduled": 1, "desiredNumberScheduled": 1,
            "numberAvailable": 1, "numberMisscheduled": 0, "numberReady": 1, "updatedNumberScheduled": 1,
        }),
        "Namespace" => json!({"phase": "Active"}),
        "PersistentVolumeClaim" => json!({
            "phase": "Bound", "accessModes": object["spec"]["accessModes"],
            "capacity": object["spec"]["resources"]["requests"],
        }),
        "Service" if object["spec"]["type"] == "LoadBalancer" => {
            json!({"loadBalancer": {"ingress": [{"hostname": "load-balancer.example"}]}})
        }
        "Service" | "Ingress" => json!({"loadBalancer": {}}),
        "Pod" => json!({"phase": "Running"}),
        _ => return,
    };
    object["status"] = status;
    if kind == "Deployment" {
        let annotations = map_at(object, &["metadata", "annotations"]);
        annotations.entry("deployment.kubernetes.io/revision").or_insert("1".into());
    }
    if kind == "PersistentVolumeClaim" {
        let volume = format!("pvc-{}", object["metadata"]["uid"].as_str().unwrap_or(""));
        map_at(object, &["spec"]).entry("volumeName").or_insert(volume.into());
        let annotations = map_at(object, &["metadata", "annotations"]);
        annotations.entry("pv.kubernetes.io/bind-completed").or_insert("yes".into());
        let finalizer = json!(["kubernetes.io/pvc-protection"]);
        map_at(object, &["metadata"]).entry("finalizers").or_insert(finalizer);
    }
}

/// Whether a kind counts its generations.
pub(crate) fn counts_generations(object: &Value) -> bool {
    const KINDS: [&str; 9] = [
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Ingress",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "CronJob",
        "Job",
    ];
    object["kind"].as_str().is_some_and(|kind| KINDS.contains(&kind))
}

/// Everything but metadata and status: what a generation counts.
pub(crate) fn desired(object: &Value) -> Map<String, Value> {
    let mut map = object.as_object().cloned().unwrap_or_default();
    map.shift_remove("metadata");
    map.shift_remove("status");
    map
}
