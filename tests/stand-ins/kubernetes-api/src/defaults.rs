//! What the API server fills in (`pkg/apis/*/v1/defaults.go` of Kubernetes), for the kinds platforms are made of.

use serde_json::{Value, json};

use crate::normalise::map_at;
use crate::pod_security::template_path;

/// Sets a key that is not there.
fn set(value: &mut Value, path: &[&str], key: &str, default: Value) {
    map_at(value, path).entry(key).or_insert(default);
}

fn items<'a>(value: &'a mut Value, key: &str) -> impl Iterator<Item = &'a mut Value> {
    value.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten()
}

/// Fills in the defaults of an object.
pub(crate) fn fill(object: &mut Value) {
    let kind = object["kind"].as_str().unwrap_or("").to_owned();
    if let Some(path) = template_path(&kind) {
        set(object, path, "metadata", json!({}));
        let pod = path.iter().fold(&mut *object, |value, key| &mut value[*key]);
        if pod["metadata"].as_object().is_some_and(serde_json::Map::is_empty) && !path.is_empty() {
            pod["metadata"] = json!({"creationTimestamp": null});
        }
        fill_pod(&mut pod["spec"]);
    }
    match kind.as_str() {
        "Deployment" => deployment(object),
        "StatefulSet" => stateful_set(object),
        "DaemonSet" => daemon_set(object),
        "Job" => job(&mut object["spec"]),
        "CronJob" => {
            set(object, &["spec"], "concurrencyPolicy", "Allow".into());
            set(object, &["spec"], "suspend", false.into());
            set(object, &["spec"], "successfulJobsHistoryLimit", 3.into());
            set(object, &["spec"], "failedJobsHistoryLimit", 1.into());
            set(object, &["spec", "jobTemplate"], "metadata", json!({"creationTimestamp": null}));
            job(&mut object["spec"]["jobTemplate"]["spec"]);
        }
        "Service" => service(object),
        "NetworkPolicy" => network_policy(object),
        "PersistentVolumeClaim" => set(object, &["spec"], "volumeMode", "Filesystem".into()),
        "PersistentVolume" => {
            set(object, &["spec"], "volumeMode", "Filesystem".into());
            set(object, &["spec"], "persistentVolumeReclaimPolicy", "Retain".into());
        }
        "StorageClass" => {
            set(object, &[], "reclaimPolicy", "Delete".into());
            set(object, &[], "volumeBindingMode", "Immediate".into());
        }
        "Secret" => secret(object),
        "Namespace" => {
            let name = object["metadata"]["name"].clone();
            map_at(object, &["metadata", "labels"]).insert("kubernetes.io/metadata.name".to_owned(), name);
            set(object, &["spec"], "finalizers", json!(["kubernetes"]));
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            if object["roleRef"]["apiGroup"].as_str().unwrap_or("").is_empty() {
                object["roleRef"]["apiGroup"] = "rbac.authorization.k8s.io".into();
            }
            for subject in items(object, "subjects") {
                if subject["kind"] != "ServiceAccount" {
                    set(subject, &[], "apiGroup", "rbac.authorization.k8s.io".into());
                }
            }
        }
        "HorizontalPodAutoscaler" => set(object, &["spec"], "minReplicas", 1.into()),
        _ => {}
    }
}

fn rolling(object: &mut Value, key: &str, update: &Value) {
    set(object, &["spec", key], "type", "RollingUpdate".into());
    if object["spec"][key]["type"] == "RollingUpdate" {
        for (name, value) in update.as_object().into_iter().flatten() {
            set(object, &["spec", key, "rollingUpdate"], name, value.clone());
        }
    }
}

fn deployment(object: &mut Value) {
    set(object, &["spec"], "replicas", 1.into());
    set(object, &["spec"], "revisionHistoryLimit", 10.into());
    set(object, &["spec"], "progressDeadlineSeconds", 600.into());
    rolling(object, "strategy", &json!({"maxUnavailable": "25%", "maxSurge": "25%"}));
}

fn stateful_set(object: &mut Value) {
    set(object, &["spec"], "replicas", 1.into());
    set(object, &["spec"], "revisionHistoryLimit", 10.into());
    set(object, &["spec"], "podManagementPolicy", "OrderedReady".into());
    rolling(object, "updateStrategy", &json!({"partition": 0}));
    for key in ["whenDeleted", "whenScaled"] {
        set(object, &["spec", "persistentVolumeClaimRetentionPolicy"], key, "Retain".into());
    }
    for claim in items(&mut object["spec"], "volumeClaimTemplates") {
        set(claim, &[], "apiVersion", "v1".into());
        set(claim, &[], "kind", "PersistentVolumeClaim".into());
        set(claim, &["spec"], "volumeMode", "Filesystem".into());
        set(claim, &["status"], "phase", "Pending".into());
    }
}

fn daemon_set(object: &mut Value) {
    set(object, &["spec"], "revisionHistoryLimit", 10.into());
    rolling(object, "updateStrategy", &json!({"maxUnavailable": 1, "maxSurge": 0}));
}

fn job(spec: &mut Value) {
    for (key, value) in [
        ("completions", json!(1)),
        ("parallelism", json!(1)),
        ("backoffLimit", json!(6)),
        ("completionMode", json!("NonIndexed")),
        ("suspend", json!(false)),
        ("podReplacementPolicy", json!("TerminatingOrFailed")),
    ] {
        set(spec, &[], key, value);
    }
}

fn service(object: &mut Value) {
    set(object, &["spec"], "type", "ClusterIP".into());
    set(object, &["spec"], "sessionAffinity", "None".into());
    let of_type = object["spec"]["type"].clone();
    for port in items(&mut object["spec"], "ports") {
        set(port, &[], "protocol", "TCP".into());
        let number = port["port"].clone();
        set(port, &[], "targetPort", number);
    }
    if of_type == "ExternalName" {
        return;
    }
    set(object, &["spec"], "internalTrafficPolicy", "Cluster".into());
    set(object, &["spec"], "ipFamilies", json!(["IPv4"]));
    set(object, &["spec"], "ipFamilyPolicy", "SingleStack".into());
    if of_type == "LoadBalancer" || of_type == "NodePort" {
        set(object, &["spec"], "externalTrafficPolicy", "Cluster".into());
    }
    if of_type == "LoadBalancer" {
        set(object, &["spec"], "allocateLoadBalancerNodePorts", true.into());
    }
}

fn network_policy(object: &mut Value) {
    let egress = object["spec"].get("egress").is_some();
    let types = if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    set(object, &["spec"], "policyTypes", types);
    for direction in ["ingress", "egress"] {
        for rule in items(&mut object["spec"], direction) {
            for port in items(rule, "ports") {
                set(port, &[], "protocol", "TCP".into());
            }
        }
    }
}

fn secret(object: &mut Value) {
    set(object, &[], "type", "Opaque".into());
    let Some(plain) = object.as_object_mut().and_then(|map| map.shift_remove("stringData")) else { return };
    for (key, value) in plain.as_object().into_iter().flatten() {
        let encoded = base64(value.as_str().unwrap_or("").as_bytes());
        map_at(object, &["data"]).insert(key.clone(), encoded.into());
    }
}

/// RFC 4648 with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn fill_pod(spec: &mut Value) {
    for (key, value) in [
        ("restartPolicy", json!("Always")),
        ("dnsPolicy", json!("ClusterFirst")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("securityContext", json!({})),
        ("schedulerName", json!("default-scheduler")),
    ] {
        set(spec, &[], key, value);
    }
    // The old name of the field is kept filled, too.
    if let Some(account) = spec.get("serviceAccountName").cloned() {
        set(spec, &[], "serviceAccount", account);
    }
    for list in ["initContainers", "containers"] {
        for container in items(spec, list) {
            fill_container(container);
        }
    }
    for volume in items(spec, "volumes") {
        fill_volume(volume);
    }
}

fn fill_container(container: &mut Value) {
    let image = container["image"].as_str().unwrap_or("");
    let newest = !image.contains('@')
        && image.rsplit('/').next().is_some_and(|name| !name.contains(':') || name.ends_with(":latest"));
    let pull = if newest { "Always" } else { "IfNotPresent" };
    set(container, &[], "imagePullPolicy", pull.into());
    set(container, &[], "terminationMessagePath", "/dev/termination-log".into());
    set(container, &[], "terminationMessagePolicy", "File".into());
    set(container, &[], "resources", json!({}));
    if let Some(limits) = container["resources"]["limits"].as_object().cloned() {
        for (name, amount) in limits {
            set(container, &["resources", "requests"], &name, amount);
        }
    }
    for port in items(container, "ports") {
        set(port, &[], "protocol", "TCP".into());
    }
    for variable in items(container, "env") {
        if let Some(Value::Object(field)) = variable.pointer_mut("/valueFrom/fieldRef") {
            field.entry("apiVersion").or_insert("v1".into());
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.get_mut(probe).filter(|probe| probe.is_object()) else { continue };
        for (key, value) in
            [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
        {
            set(probe, &[], key, value.into());
        }
        if let Some(Value::Object(get)) = probe.get_mut("httpGet") {
            get.entry("path").or_insert("/".into());
            get.entry("scheme").or_insert("HTTP".into());
        }
        if let Some(Value::Object(grpc)) = probe.get_mut("grpc") {
            grpc.entry("service").or_insert("".into());
        }
    }
}

fn fill_volume(volume: &mut Value) {
    if volume.as_object().is_some_and(|map| map.len() == 1) {
        set(volume, &[], "emptyDir", json!({}));
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(Value::Object(source)) = volume.get_mut(source) {
            source.entry("defaultMode").or_insert(420.into());
        }
    }
    if let Some(projected) = volume.get_mut("projected") {
        for source in items(projected, "sources") {
            if let Some(Value::Object(token)) = source.get_mut("serviceAccountToken") {
                token.entry("expirationSeconds").or_insert(3600.into());
            }
        }
    }
    if let Some(Value::Object(path)) = volume.get_mut("hostPath") {
        path.entry("type").or_insert("".into());
    }
}
