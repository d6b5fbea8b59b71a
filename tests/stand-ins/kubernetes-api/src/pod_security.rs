//! Pod Security admission (<https://kubernetes.io/docs/concepts/security/pod-security-standards/>), by the namespace's
//! label `pod-security.kubernetes.io/enforce`.
//!
//! One difference, wanted: a real cluster refuses pods, and lets a workload whose pods it will refuse pass with a
//! warning. Here the workload itself is refused, so that a test sees at once what would never run.

use serde_json::Value;

use crate::error::{Outcome, Refusal};
use crate::normalise::at;

/// Where the pod template of a kind stands; empty for a `Pod`, `None` for kinds without one.
pub(crate) fn template_path(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "Pod" => Some(&[]),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => Some(&["spec", "template"]),
        "CronJob" => Some(&["spec", "jobTemplate", "spec", "template"]),
        _ => None,
    }
}

/// Refuses a workload whose pods the namespace does not admit.
pub(crate) fn admit(object: &Value, namespace: &Value) -> Outcome<()> {
    let kind = object["kind"].as_str().unwrap_or("");
    let Some(path) = template_path(kind) else { return Ok(()) };
    let labels = &namespace["metadata"]["labels"];
    let level = labels["pod-security.kubernetes.io/enforce"].as_str().unwrap_or("privileged");
    let version = labels["pod-security.kubernetes.io/enforce-version"].as_str().unwrap_or("latest");
    let spec = &at(object, path)["spec"];
    let mut faults = Vec::new();
    match level {
        "privileged" => {}
        "baseline" => baseline(spec, &mut faults),
        "restricted" => {
            baseline(spec, &mut faults);
            restricted(spec, &mut faults);
        }
        other => faults.push(format!("there is no level \"{other}\"")),
    }
    if faults.is_empty() {
        return Ok(());
    }
    let name = object["metadata"]["name"].as_str().unwrap_or("");
    Err(Refusal::forbidden(format!(
        "pods of {kind} \"{name}\" is forbidden: violates PodSecurity \"{level}:{version}\": {}",
        faults.join(", ")
    )))
}

fn containers(spec: &Value) -> impl Iterator<Item = (&str, &Value)> {
    ["initContainers", "containers", "ephemeralContainers"]
        .into_iter()
        .filter_map(|list| spec[list].as_array())
        .flatten()
        .map(|container| (container["name"].as_str().unwrap_or(""), container))
}

fn baseline(spec: &Value, faults: &mut Vec<String>) {
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        if spec[field] == true {
            faults.push(format!("host namespaces ({field}=true)"));
        }
    }
    for volume in spec["volumes"].as_array().into_iter().flatten() {
        if volume.get("hostPath").is_some() {
            faults.push(format!("hostPath volumes (volume {})", volume["name"]));
        }
    }
    for sysctl in spec["securityContext"]["sysctls"].as_array().into_iter().flatten() {
        const SAFE: [&str; 9] = [
            "kernel.shm_rmid_forced",
            "net.ipv4.ip_local_port_range",
            "net.ipv4.ip_unprivileged_port_start",
            "net.ipv4.tcp_syncookies",
            "net.ipv4.ping_group_range",
            "net.ipv4.ip_local_reserved_ports",
            "net.ipv4.tcp_keepalive_time",
            "net.ipv4.tcp_fin_timeout",
            "net.ipv4.tcp_keepalive_intvl",
        ];
        let name = sysctl["name"].as_str().unwrap_or("");
        if !SAFE.contains(&name) && name != "net.ipv4.tcp_keepalive_probes" {
            faults.push(format!("forbidden sysctls ({name})"));
        }
    }
    context_of_baseline("pod", &spec["securityContext"], faults);
    for (name, container) in containers(spec) {
        let of = format!("container \"{name}\"");
        let context = &container["securityContext"];
        if context["privileged"] == true {
            faults.push(format!("privileged ({of} must not set securityContext.privileged=true)"));
        }
        for added in context["capabilities"]["add"].as_array().into_iter().flatten() {
            const ALLOWED: [&str; 13] = [
                "AUDIT_WRITE",
                "CHOWN",
                "DAC_OVERRIDE",
                "FOWNER",
                "FSETID",
                "KILL",
                "MKNOD",
                "NET_BIND_SERVICE",
                "SETFCAP",
                "SETGID",
                "SETPCAP",
                "SETUID",
                "SYS_CHROOT",
            ];
            if !ALLOWED.iter().any(|allowed| added == allowed) {
                faults.push(format!("non-default capabilities ({of} must not add {added})"));
            }
        }
        for port in container["ports"].as_array().into_iter().flatten() {
            if port["hostPort"].as_i64().unwrap_or(0) != 0 {
                faults.push(format!("hostPort ({of} uses hostPort {})", port["hostPort"]));
            }
        }
        if context["procMount"].as_str().is_some_and(|mount| mount != "Default") {
            faults.push(format!("procMount ({of} must not set securityContext.procMount)"));
        }
        context_of_baseline(&of, context, faults);
    }
}

/// What baseline asks of a security context, be it the pod's or a container's.
fn context_of_baseline(of: &str, context: &Value, faults: &mut Vec<String>) {
    if context["seccompProfile"]["type"] == "Unconfined" {
        faults.push(format!(
            "seccompProfile ({of} must not set securityContext.seccompProfile.type Unconfined)"
        ));
    }
    if context["appArmorProfile"]["type"] == "Unconfined" {
        faults.push(format!("appArmorProfile ({of} must not set AppArmor profile type Unconfined)"));
    }
    if context["windowsOptions"]["hostProcess"] == true {
        faults
            .push(format!("hostProcess ({of} must not set securityContext.windowsOptions.hostProcess=true)"));
    }
    let linux = &context["seLinuxOptions"];
    let types = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
    if !types.contains(&linux["type"].as_str().unwrap_or(""))
        || linux.get("user").is_some()
        || linux.get("role").is_some()
    {
        faults.push(format!("seLinuxOptions ({of} set forbidden securityContext.seLinuxOptions)"));
    }
}

fn restricted(spec: &Value, faults: &mut Vec<String>) {
    const VOLUMES: [&str; 8] = [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ];
    for volume in spec["volumes"].as_array().into_iter().flatten() {
        let mut sources = volume.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        if let Some(source) = sources.find(|key| *key != "name" && !VOLUMES.contains(key)) {
            faults.push(format!("restricted volume types (volume {} uses \"{source}\")", volume["name"]));
        }
    }
    let pod = &spec["securityContext"];
    if pod["runAsUser"] == 0 {
        faults.push("runAsUser=0 (pod must not set runAsUser=0)".to_owned());
    }
    if pod["runAsNonRoot"] == false {
        faults.push("runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)".to_owned());
    }
    let confined = |context: &Value| {
        context["seccompProfile"]["type"]
            .as_str()
            .is_some_and(|kind| kind == "RuntimeDefault" || kind == "Localhost")
    };
    for (name, container) in containers(spec) {
        let of = format!("container \"{name}\"");
        let context = &container["securityContext"];
        if context["allowPrivilegeEscalation"] != false {
            faults.push(format!(
                "allowPrivilegeEscalation != false ({of} must set securityContext.allowPrivilegeEscalation=false)"
            ));
        }
        let capabilities = &context["capabilities"];
        if !capabilities["drop"].as_array().is_some_and(|dropped| dropped.iter().any(|name| name == "ALL")) {
            faults.push(format!(
                "unrestricted capabilities ({of} must set securityContext.capabilities.drop=[\"ALL\"])"
            ));
        }
        let added = capabilities["add"].as_array().into_iter().flatten();
        for name in added.filter(|name| *name != "NET_BIND_SERVICE") {
            faults.push(format!(
                "unrestricted capabilities ({of} must not include {name} in capabilities.add)"
            ));
        }
        let non_root = match &context["runAsNonRoot"] {
            Value::Null => &pod["runAsNonRoot"],
            own => own,
        };
        if *non_root != true {
            faults.push(format!(
                "runAsNonRoot != true (pod or {of} must set securityContext.runAsNonRoot=true)"
            ));
        }
        if context["runAsUser"] == 0 {
            faults.push(format!("runAsUser=0 ({of} must not set runAsUser=0)"));
        }
        if !confined(context) && (context.get("seccompProfile").is_some() || !confined(pod)) {
            faults.push(format!(
                "seccompProfile (pod or {of} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \
                 \"Localhost\")"
            ));
        }
    }
}
