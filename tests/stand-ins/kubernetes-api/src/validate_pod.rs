//! The validation of pods, wherever they stand.

use serde_json::Value;

use crate::normalise::nano;
use crate::validate::{Faults, is_label, items};

/// Checks a pod's spec. `claims` are volumes that are named outside of it: those of a `StatefulSet`.
pub(crate) fn check(spec: &Value, path: &str, claims: &[&Value], faults: &mut Faults) {
    faults.one_of(
        &format!("{path}.restartPolicy"),
        &spec["restartPolicy"],
        &["Always", "OnFailure", "Never"],
    );
    let policies = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];
    faults.one_of(&format!("{path}.dnsPolicy"), &spec["dnsPolicy"], &policies);
    let volumes = items(spec, path, "volumes");
    for (path, volume) in &volumes {
        if !volume["name"].as_str().is_some_and(is_label) {
            faults.invalid(&format!("{path}.name"), &volume["name"], "a lowercase RFC 1123 label is needed");
        }
        if volume.as_object().is_some_and(|map| map.len() > 2) {
            faults.0.push(format!("{path}: Forbidden: may not specify more than 1 volume type"));
        }
    }
    faults.duplicates(&format!("{path}.volumes.name"), volumes.iter().map(|(_, volume)| &volume["name"]));
    let names: Vec<&Value> = volumes.iter().map(|(_, volume)| &volume["name"]).collect();
    if items(spec, path, "containers").is_empty() {
        faults.required(&format!("{path}.containers"));
    }
    let mut containers = items(spec, path, "initContainers");
    containers.extend(items(spec, path, "containers"));
    faults.duplicates(&format!("{path}.containers.name"), containers.iter().map(|(_, one)| &one["name"]));
    for (path, one) in &containers {
        container(one, path, faults);
    }
    for (path, mount) in containers.iter().flat_map(|(path, one)| items(one, path, "volumeMounts")) {
        if !names.contains(&&mount["name"]) && !claims.contains(&&mount["name"]) {
            faults.0.push(format!("{path}.name: Not found: {}", mount["name"]));
        }
    }
    for (path, toleration) in items(spec, path, "tolerations") {
        let operator = &toleration["operator"];
        faults.one_of(&format!("{path}.operator"), operator, &["Equal", "Exists", "Lt", "Gt"]);
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        faults.one_of(&format!("{path}.effect"), &toleration["effect"], &effects);
        if operator == "Exists" && toleration.get("value").is_some() {
            let words = "value must be empty when `operator` is 'Exists'";
            faults.invalid(&format!("{path}.operator"), &toleration["value"], words);
        }
    }
    for (path, constraint) in items(spec, path, "topologySpreadConstraints") {
        let actions = ["DoNotSchedule", "ScheduleAnyway"];
        faults.one_of(&format!("{path}.whenUnsatisfiable"), &constraint["whenUnsatisfiable"], &actions);
        if constraint["maxSkew"].as_i64().is_none_or(|skew| skew < 1) {
            faults.invalid(&format!("{path}.maxSkew"), &constraint["maxSkew"], "must be greater than zero");
        }
    }
    let required = &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let path = format!("{path}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
    for (path, term) in items(required, &path, "nodeSelectorTerms") {
        for (path, expression) in items(term, &path, "matchExpressions") {
            let operators = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];
            faults.one_of(&format!("{path}.operator"), &expression["operator"], &operators);
            let listed = expression["operator"] == "In" || expression["operator"] == "NotIn";
            if listed && expression["values"].as_array().is_none_or(Vec::is_empty) {
                faults.required(&format!("{path}.values"));
            }
        }
    }
}

fn container(container: &Value, path: &str, faults: &mut Faults) {
    if !container["name"].as_str().is_some_and(is_label) {
        faults.invalid(&format!("{path}.name"), &container["name"], "a lowercase RFC 1123 label is needed");
    }
    let image = container["image"].as_str().unwrap_or("");
    if image.is_empty() {
        faults.required(&format!("{path}.image"));
    } else if image.trim() != image {
        faults.invalid(
            &format!("{path}.image"),
            &container["image"],
            "must not have leading or trailing whitespace",
        );
    }
    let policies = ["Always", "IfNotPresent", "Never"];
    faults.one_of(&format!("{path}.imagePullPolicy"), &container["imagePullPolicy"], &policies);
    let ports = items(container, path, "ports");
    for (path, port) in &ports {
        faults.port(&format!("{path}.containerPort"), &port["containerPort"]);
        faults.one_of(&format!("{path}.protocol"), &port["protocol"], &["TCP", "UDP", "SCTP"]);
        if port["name"].as_str().is_some_and(|name| name.len() > 15 || !is_label(name)) {
            faults.invalid(&format!("{path}.name"), &port["name"], "must be no more than 15 characters");
        }
    }
    faults.duplicates(&format!("{path}.ports.name"), ports.iter().map(|(_, port)| &port["name"]));
    for (path, variable) in items(container, path, "env") {
        let name = variable["name"].as_str().unwrap_or("");
        if name.is_empty() || name.contains('=') || !name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            faults.invalid(
                &format!("{path}.name"),
                &variable["name"],
                "a valid environment variable name is needed",
            );
        }
        if variable.get("value").is_some() && variable.get("valueFrom").is_some() {
            faults.invalid(
                &format!("{path}.valueFrom"),
                &Value::Null,
                "may not be specified when `value` is not empty",
            );
        }
    }
    let mounts = items(container, path, "volumeMounts");
    let places = mounts.iter().map(|(_, mount)| &mount["mountPath"]);
    faults.duplicates(&format!("{path}.volumeMounts.mountPath"), places);
    for (name, request) in container["resources"]["requests"].as_object().into_iter().flatten() {
        let limit = container["resources"]["limits"][name].as_str().and_then(nano);
        let amount = request.as_str().and_then(nano);
        if limit.is_some_and(|limit| amount.is_some_and(|amount| amount > limit)) {
            let words = format!("must be less than or equal to {name} limit");
            faults.invalid(&format!("{path}.resources.requests"), request, &words);
        }
    }
    for kind in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.get(kind) else { continue };
        let handlers = ["exec", "httpGet", "tcpSocket", "grpc"];
        match handlers.iter().filter(|handler| probe.get(**handler).is_some()).count() {
            0 => faults.required(&format!("{path}.{kind}: must specify a handler type")),
            1 => {}
            _ => faults.0.push(format!("{path}.{kind}: Forbidden: may not specify more than 1 handler type")),
        }
        for handler in ["httpGet", "tcpSocket"] {
            let port = &probe[handler]["port"];
            faults.port(&format!("{path}.{kind}.{handler}.port"), port);
        }
        if kind != "readinessProbe" && probe["successThreshold"].as_i64().is_some_and(|times| times != 1) {
            faults.invalid(
                &format!("{path}.{kind}.successThreshold"),
                &probe["successThreshold"],
                "must be 1",
            );
        }
    }
}
