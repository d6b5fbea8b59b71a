//! What the API server's own validation says beyond the schema (`pkg/apis/*/validation` of Kubernetes), for the kinds
//! platforms are made of.

use std::net::IpAddr;

use serde_json::Value;

use crate::pod_security::template_path;
use crate::validate_pod;

/// Faults of an object, with the path to each.
#[derive(Debug, Default)]
pub(crate) struct Faults(pub(crate) Vec<String>);

impl Faults {
    /// Notes a value that cannot be.
    pub(crate) fn invalid(&mut self, path: &str, value: &Value, words: &str) {
        self.0.push(format!("{path}: Invalid value: {value}: {words}"));
    }

    /// Notes a value that has to be there.
    pub(crate) fn required(&mut self, path: &str) {
        self.0.push(format!("{path}: Required value"));
    }

    /// Notes a value that is none of those there are; a missing value is no fault.
    pub(crate) fn one_of(&mut self, path: &str, value: &Value, known: &[&str]) {
        if !value.is_null() && !known.iter().any(|known| value == known) {
            let list = known.join("\", \"");
            self.0.push(format!("{path}: Unsupported value: {value}: supported values: \"{list}\""));
        }
    }

    /// Notes a port number that is none; a missing value and a name are no fault.
    pub(crate) fn port(&mut self, path: &str, value: &Value) {
        if value.is_number() && !value.as_i64().is_some_and(|port| (1..=65535).contains(&port)) {
            self.invalid(path, value, "must be between 1 and 65535, inclusive");
        }
    }

    /// Notes a value of a list that stands there twice.
    pub(crate) fn duplicates<'a>(&mut self, path: &str, values: impl Iterator<Item = &'a Value>) {
        let mut seen: Vec<&Value> = Vec::new();
        for value in values.filter(|value| !value.is_null()) {
            if seen.contains(&value) {
                self.0.push(format!("{path}: Duplicate value: {value}"));
            }
            seen.push(value);
        }
    }
}

/// The items of a list, each with its path.
pub(crate) fn items<'a>(parent: &'a Value, path: &str, key: &str) -> Vec<(String, &'a Value)> {
    let list = parent[key].as_array().into_iter().flatten().enumerate();
    list.map(|(at, item)| (format!("{path}.{key}[{at}]"), item)).collect()
}

/// Every fault of an object.
pub(crate) fn check(object: &Value) -> Vec<String> {
    let mut faults = Faults::default();
    let kind = object["kind"].as_str().unwrap_or("");
    metadata(object, kind, &mut faults);
    let spec = &object["spec"];
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => workload(spec, kind, &mut faults),
        "Service" => service(spec, &mut faults),
        "NetworkPolicy" => network_policy(spec, &mut faults),
        "Ingress" => ingress(spec, &mut faults),
        "PodDisruptionBudget" => {
            let limits = ["minAvailable", "maxUnavailable"].iter().filter(|key| spec.get(**key).is_some());
            if limits.count() == 2 {
                faults.invalid("spec", &Value::Null, "minAvailable and maxUnavailable cannot be both set");
            }
        }
        "PersistentVolumeClaim" => claim(spec, "spec", &mut faults),
        "StorageClass" => {
            faults.one_of("reclaimPolicy", &object["reclaimPolicy"], &["Delete", "Retain"]);
            let modes = ["Immediate", "WaitForFirstConsumer"];
            faults.one_of("volumeBindingMode", &object["volumeBindingMode"], &modes);
        }
        "Secret" => secret(object, &mut faults),
        "ConfigMap" => keys_of_data(object, &mut faults),
        "Role" | "ClusterRole" => {
            for (path, rule) in items(object, "", "rules") {
                for key in ["verbs", "apiGroups", "resources"] {
                    let of_urls = rule.get("nonResourceURLs").is_some() && key != "verbs";
                    if !of_urls && rule[key].as_array().is_none_or(Vec::is_empty) {
                        faults.required(&format!("{}.{key}", path.trim_start_matches('.')));
                    }
                }
            }
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            faults.one_of("roleRef.kind", &object["roleRef"]["kind"], &["Role", "ClusterRole"]);
            for (path, subject) in items(object, "", "subjects") {
                let account = subject["kind"] == "ServiceAccount";
                if account && subject["namespace"].as_str().unwrap_or("").is_empty() {
                    faults.required(&format!("{}.namespace", path.trim_start_matches('.')));
                }
            }
        }
        _ => {}
    }
    if let Some(path) = template_path(kind) {
        let pod = path.iter().fold(object, |value, key| &value[*key]);
        let path = path.iter().fold(String::new(), |path, step| path + step + ".");
        let claims = spec["volumeClaimTemplates"].as_array().into_iter().flatten();
        let claims: Vec<&Value> = claims.map(|claim| &claim["metadata"]["name"]).collect();
        validate_pod::check(&pod["spec"], &format!("{path}spec"), &claims, &mut faults);
        labels(&pod["metadata"]["labels"], &format!("{path}metadata.labels"), &mut faults);
    }
    faults.0
}

fn metadata(object: &Value, kind: &str, faults: &mut Faults) {
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str().unwrap_or("");
    let fits = match kind {
        "Namespace" => is_label(name),
        "Service" => is_label(name) && name.starts_with(|first: char| first.is_ascii_lowercase()),
        // Names of RBAC objects are only kept from breaking a path.
        "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding" => !name.contains(['/', '%']),
        _ => is_subdomain(name),
    };
    if !fits {
        faults.invalid("metadata.name", &metadata["name"], "a lowercase RFC 1123 name is needed");
    }
    labels(&metadata["labels"], "metadata.labels", faults);
    for (key, _) in metadata["annotations"].as_object().into_iter().flatten() {
        if !is_qualified(&key.to_ascii_lowercase()) {
            faults.invalid("metadata.annotations", &key.clone().into(), "name part or prefix is malformed");
        }
    }
}

fn labels(labels: &Value, path: &str, faults: &mut Faults) {
    for (key, value) in labels.as_object().into_iter().flatten() {
        if !is_qualified(key) {
            faults.invalid(path, &key.clone().into(), "name part or prefix is malformed");
        }
        if !value.as_str().is_some_and(|text| text.is_empty() || is_name(text)) {
            faults.invalid(
                path,
                value,
                "a valid label must be 63 characters or fewer, alphanumeric at both ends",
            );
        }
    }
}

/// An RFC 1123 label.
pub(crate) fn is_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| allowed(byte) || byte == b'-')
        && text.bytes().next().is_some_and(allowed)
        && text.bytes().last().is_some_and(allowed)
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(|label| is_label(label) || label.len() > 63)
}

/// The name part of a label's key, and a label's value.
fn is_name(text: &str) -> bool {
    let ends = |byte: u8| byte.is_ascii_alphanumeric();
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| ends(byte) || b"-_.".contains(&byte))
        && text.bytes().next().is_some_and(ends)
        && text.bytes().last().is_some_and(ends)
}

fn is_qualified(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && is_name(name),
        None => is_name(key),
    }
}

fn is_cidr(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, bits)| match address.parse() {
        Ok(IpAddr::V4(_)) => bits.parse().is_ok_and(|bits: u8| bits <= 32),
        Ok(IpAddr::V6(_)) => bits.parse().is_ok_and(|bits: u8| bits <= 128),
        Err(_) => false,
    })
}

fn workload(spec: &Value, kind: &str, faults: &mut Faults) {
    let selector = &spec["selector"];
    let wanted = selector["matchLabels"].as_object();
    if wanted.is_none_or(serde_json::Map::is_empty) && selector.get("matchExpressions").is_none() {
        faults.invalid("spec.selector", selector, "empty selector is invalid");
    }
    let labels = &spec["template"]["metadata"]["labels"];
    if wanted.into_iter().flatten().any(|(key, value)| labels[key] != *value) {
        faults.invalid(
            "spec.template.metadata.labels",
            labels,
            "`selector` does not match template `labels`",
        );
    }
    if spec["replicas"].as_i64().is_some_and(|replicas| replicas < 0) {
        faults.invalid("spec.replicas", &spec["replicas"], "must be greater than or equal to 0");
    }
    let update = if kind == "Deployment" { "strategy" } else { "updateStrategy" };
    let known: &[&str] =
        if kind == "Deployment" { &["RollingUpdate", "Recreate"] } else { &["RollingUpdate", "OnDelete"] };
    faults.one_of(&format!("spec.{update}.type"), &spec[update]["type"], known);
    let rolling = &spec[update]["rollingUpdate"];
    let is_none = |value: &Value| value == &Value::from(0) || value == "0" || value == "0%";
    if kind == "Deployment" && is_none(&rolling["maxUnavailable"]) && is_none(&rolling["maxSurge"]) {
        let path = "spec.strategy.rollingUpdate.maxUnavailable";
        faults.invalid(path, &rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0");
    }
    if kind == "StatefulSet" {
        faults.one_of(
            "spec.podManagementPolicy",
            &spec["podManagementPolicy"],
            &["OrderedReady", "Parallel"],
        );
        for (path, template) in items(spec, "spec", "volumeClaimTemplates") {
            claim(&template["spec"], &format!("{path}.spec"), faults);
        }
    }
    let policy = &spec["template"]["spec"]["restartPolicy"];
    faults.one_of("spec.template.spec.restartPolicy", policy, &["Always"]);
}

fn service(spec: &Value, faults: &mut Faults) {
    let kinds = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"];
    faults.one_of("spec.type", &spec["type"], &kinds);
    let ports = items(spec, "spec", "ports");
    if ports.is_empty() && spec["type"] != "ExternalName" && spec["clusterIP"] != "None" {
        faults.required("spec.ports");
    }
    for (path, port) in &ports {
        faults.port(&format!("{path}.port"), &port["port"]);
        faults.port(&format!("{path}.targetPort"), &port["targetPort"]);
        faults.one_of(&format!("{path}.protocol"), &port["protocol"], &["TCP", "UDP", "SCTP"]);
        match port["name"].as_str() {
            Some(name) if !is_label(name) => {
                faults.invalid(
                    &format!("{path}.name"),
                    &port["name"],
                    "a lowercase RFC 1123 label is needed",
                );
            }
            None if ports.len() > 1 => faults.required(&format!("{path}.name")),
            _ => {}
        }
    }
    faults.duplicates("spec.ports.name", ports.iter().map(|(_, port)| &port["name"]));
    let pairs: Vec<Value> = ports
        .iter()
        .map(|(_, port)| Value::from(vec![port["port"].clone(), port["protocol"].clone()]))
        .collect();
    faults.duplicates("spec.ports", pairs.iter());
}

fn network_policy(spec: &Value, faults: &mut Faults) {
    for (path, kind) in items(spec, "spec", "policyTypes") {
        faults.one_of(&path, kind, &["Ingress", "Egress"]);
    }
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (path, rule) in items(spec, "spec", direction) {
            for (path, port) in items(rule, &path, "ports") {
                faults.port(&format!("{path}.port"), &port["port"]);
                faults.one_of(&format!("{path}.protocol"), &port["protocol"], &["TCP", "UDP", "SCTP"]);
            }
            for (path, peer) in items(rule, &path, peers) {
                let block = &peer["ipBlock"];
                if peer.as_object().is_none_or(serde_json::Map::is_empty) {
                    faults.required(&path);
                }
                if !block.is_null() && peer.as_object().is_some_and(|peer| peer.len() > 1) {
                    faults.invalid(&path, peer, "may not specify both ipBlock and another peer");
                }
                if block["cidr"].as_str().is_some_and(|cidr| !is_cidr(cidr)) {
                    faults.invalid(&format!("{path}.ipBlock.cidr"), &block["cidr"], "not a valid CIDR");
                }
                for (path, except) in items(block, &format!("{path}.ipBlock"), "except") {
                    if except.as_str().is_some_and(|cidr| !is_cidr(cidr)) {
                        faults.invalid(&path, except, "not a valid CIDR");
                    }
                }
            }
        }
    }
}

fn ingress(spec: &Value, faults: &mut Faults) {
    if spec.get("rules").is_none() && spec.get("defaultBackend").is_none() {
        faults.invalid("spec", spec, "either `defaultBackend` or `rules` must be specified");
    }
    for (path, rule) in items(spec, "spec", "rules") {
        let host = rule["host"].as_str().unwrap_or("");
        if !host.is_empty() && !is_subdomain(host.strip_prefix("*.").unwrap_or(host)) {
            faults.invalid(
                &format!("{path}.host"),
                &rule["host"],
                "a lowercase RFC 1123 subdomain is needed",
            );
        }
        for (path, route) in items(&rule["http"], &format!("{path}.http"), "paths") {
            let kinds = ["Exact", "Prefix", "ImplementationSpecific"];
            faults.one_of(&format!("{path}.pathType"), &route["pathType"], &kinds);
            let slash = route["path"].as_str().is_some_and(|path| path.starts_with('/'));
            if !slash && route["pathType"] != "ImplementationSpecific" {
                faults.invalid(&format!("{path}.path"), &route["path"], "must be an absolute path");
            }
            let port = &route["backend"]["service"]["port"];
            faults.port(&format!("{path}.backend.service.port.number"), &port["number"]);
            if port.is_null() && route["backend"].get("resource").is_none() {
                faults.required(&format!("{path}.backend.service.port"));
            }
        }
    }
}

fn claim(spec: &Value, path: &str, faults: &mut Faults) {
    const MODES: [&str; 4] = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];
    if spec["accessModes"].as_array().is_none_or(Vec::is_empty) {
        faults.required(&format!("{path}.accessModes"));
    }
    for (path, mode) in items(spec, path, "accessModes") {
        faults.one_of(&path, mode, &MODES);
    }
    if spec["resources"]["requests"]["storage"].as_str().is_none_or(|amount| amount == "0") {
        faults.required(&format!("{path}.resources[storage]"));
    }
}

fn secret(object: &Value, faults: &mut Faults) {
    keys_of_data(object, faults);
    if object["type"] == "kubernetes.io/tls" {
        for key in ["tls.crt", "tls.key"] {
            if object["data"].get(key).is_none() {
                faults.required(&format!("data[{key}]"));
            }
        }
    }
}

/// Keys of a `ConfigMap` or `Secret` become file names; both hold at most 1 MiB.
fn keys_of_data(object: &Value, faults: &mut Faults) {
    let mut bytes = 0;
    for of in ["data", "binaryData"] {
        for (key, value) in object[of].as_object().into_iter().flatten() {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            if key.is_empty()
                || key.len() > 253
                || key.starts_with("..")
                || key == "."
                || !key.bytes().all(allowed)
            {
                faults.invalid(&format!("{of}[{key}]"), &key.clone().into(), "a valid config key is needed");
            }
            bytes += value.as_str().map_or(0, str::len);
        }
    }
    if bytes > 1024 * 1024 {
        faults.0.push("data: Too long: may not be more than 1048576 bytes".to_owned());
    }
}
