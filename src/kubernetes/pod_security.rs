//! Pod Security admission: what a namespace's level forbids in a pod.
//!
//! The controls, and since which version each of them stands: the checks of the admission plugin
//! (<https://github.com/kubernetes/kubernetes/tree/master/staging/src/k8s.io/pod-security-admission/policy>), described in
//! <https://kubernetes.io/docs/concepts/security/pod-security-standards/>. What user namespaces (`hostUsers: false`) relax
//! behind a feature gate is not relaxed here; what they relax in every cluster from 1.35 on, `procMount` under baseline, is.
//! Where a check of restricted asks for more than one of baseline, only the former speaks, as in the plugin.

use crate::source::{Node, Value};

/// A level of the Pod Security Standards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Forbids nothing.
    Privileged,
    /// Forbids known ways to more privileges.
    Baseline,
    /// Asks for hardening besides.
    Restricted,
}

impl Level {
    /// The level of a word, as the label `pod-security.kubernetes.io/enforce` writes it.
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "privileged" => Some(Self::Privileged),
            "baseline" => Some(Self::Baseline),
            "restricted" => Some(Self::Restricted),
            _ => None,
        }
    }
}

/// What the level of a version forbids in a pod, each in the words of the admission plugin; empty if it is admitted.
/// `minor` is the 34 of `v1.34`; `u32::MAX` stands for `latest`.
pub fn violations(pod: &Node, level: Level, minor: u32) -> Vec<String> {
    let mut pod = Pod { pod, level, minor, found: Vec::new() };
    if level >= Level::Baseline {
        pod.baseline();
    }
    if level >= Level::Restricted {
        pod.restricted();
    }
    pod.found
}

/// Why it is not known whether a pod is admitted, if a template's value stands where admission looks.
pub fn doubt(pod: &Node) -> Option<&str> {
    let spec = pod.at(&["spec"])?;
    let mut looked_at: Vec<&Node> = Vec::new();
    if matches!(spec.value, Value::Unknown(_)) {
        looked_at.push(spec);
    }
    for field in ["hostNetwork", "hostPID", "hostIPC", "securityContext", "volumes"] {
        looked_at.extend(spec.get(field));
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        let Some(list) = spec.get(list) else { continue };
        if matches!(list.value, Value::Unknown(_)) {
            looked_at.push(list);
        }
        for container in list.items() {
            if matches!(container.value, Value::Unknown(_)) {
                looked_at.push(container);
            }
            looked_at.extend(["securityContext", "ports"].iter().filter_map(|field| container.get(field)));
        }
    }
    looked_at.into_iter().find_map(unknown_within)
}

fn unknown_within(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Unknown(why) => Some(why),
        Value::List(items) => items.iter().find_map(unknown_within),
        Value::Map(map) => map.iter().find_map(|(_, entry)| unknown_within(&entry.node)),
        _ => None,
    }
}

struct Pod<'a> {
    pod: &'a Node,
    level: Level,
    minor: u32,
    found: Vec<String>,
}

fn is(node: Option<&Node>, wanted: bool) -> bool {
    node.and_then(Node::as_bool) == Some(wanted)
}

fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    node.at(path).and_then(Node::as_str)
}

fn is_root(node: Option<&Node>) -> bool {
    node.is_some_and(|node| matches!(node.value, Value::Int(0)))
}

impl<'a> Pod<'a> {
    fn add(&mut self, violation: impl Into<String>) {
        self.found.push(violation.into());
    }

    fn spec(&self, path: &[&str]) -> Option<&'a Node> {
        self.pod.get("spec")?.at(path)
    }

    fn list(&self, path: &[&str]) -> &'a [Node] {
        self.spec(path).map_or(&[], Node::items)
    }

    fn is_windows(&self) -> bool {
        self.spec(&["os", "name"]).and_then(Node::as_str) == Some("windows")
    }

    /// Every container with its name: `container "main"`.
    fn containers(&self) -> Vec<(String, &'a Node)> {
        super::workload::containers(self.pod)
            .into_iter()
            .map(|container| {
                (format!("container \"{}\"", text(container, &["name"]).unwrap_or("")), container)
            })
            .collect()
    }

    /// The pod's security context and those of its containers.
    fn contexts(&self) -> Vec<(String, &'a Node)> {
        let pod = self.spec(&["securityContext"]).map(|context| ("pod".to_owned(), context));
        let own = self
            .containers()
            .into_iter()
            .filter_map(|(of, container)| container.get("securityContext").map(|context| (of, context)));
        pod.into_iter().chain(own).collect()
    }

    fn baseline(&mut self) {
        const CAPABILITIES: [&str; 13] = [
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
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            if is(self.spec(&[field]), true) {
                self.add(format!("host namespaces ({field}=true)"));
            }
        }
        // Restricted says which types of volumes it takes.
        let volumes = if self.level == Level::Baseline { self.list(&["volumes"]) } else { &[] };
        for volume in volumes {
            if volume.get("hostPath").is_some_and(|path| path.value != Value::Null) {
                self.add(format!("hostPath volumes (volume \"{}\")", text(volume, &["name"]).unwrap_or("")));
            }
        }
        for sysctl in self.list(&["securityContext", "sysctls"]) {
            let name = text(sysctl, &["name"]).unwrap_or("");
            if !self.is_safe_sysctl(name) {
                self.add(format!("forbidden sysctls ({name})"));
            }
        }
        self.app_armor_annotations();
        if self.minor < 19 {
            self.seccomp_annotations();
        }
        for (of, context) in self.contexts() {
            self.baseline_context(&of, context);
        }
        for (of, container) in self.containers() {
            if is(container.at(&["securityContext", "privileged"]), true) {
                self.add(format!("privileged ({of} must not set securityContext.privileged=true)"));
            }
            for added in
                container.at(&["securityContext", "capabilities", "add"]).map_or(&[][..], Node::items)
            {
                let name = added.as_str().unwrap_or("");
                let asked_more = self.level == Level::Restricted && self.minor >= 22;
                if !asked_more && !CAPABILITIES.contains(&name) {
                    self.add(format!(
                        "non-default capabilities ({of} must not include \"{name}\" in securityContext.capabilities.add)"
                    ));
                }
            }
            for port in container.get("ports").map_or(&[][..], Node::items) {
                if let Some(Value::Int(number)) = port.get("hostPort").map(|port| &port.value)
                    && *number != 0
                {
                    self.add(format!("hostPort ({of} uses hostPort {number})"));
                }
            }
            let own_users =
                self.minor >= 35 && self.level == Level::Baseline && is(self.spec(&["hostUsers"]), false);
            if let Some(mount) = text(container, &["securityContext", "procMount"])
                && mount != "Default"
                && !own_users
            {
                self.add(format!("procMount ({of} must not set securityContext.procMount to \"{mount}\")"));
            }
            if self.minor >= 34 {
                self.handler_hosts(&of, container);
            }
        }
    }

    fn is_safe_sysctl(&self, name: &str) -> bool {
        let since = match name {
            "kernel.shm_rmid_forced"
            | "net.ipv4.ip_local_port_range"
            | "net.ipv4.tcp_syncookies"
            | "net.ipv4.ping_group_range"
            | "net.ipv4.ip_unprivileged_port_start" => 0,
            "net.ipv4.ip_local_reserved_ports" => 27,
            "net.ipv4.tcp_keepalive_time"
            | "net.ipv4.tcp_fin_timeout"
            | "net.ipv4.tcp_keepalive_intvl"
            | "net.ipv4.tcp_keepalive_probes" => 29,
            "net.ipv4.tcp_rmem" | "net.ipv4.tcp_wmem" => 32,
            _ => return false,
        };
        self.minor >= since
    }

    fn app_armor_annotations(&mut self) {
        let Some(annotations) = self.pod.at(&["metadata", "annotations"]).and_then(Node::as_map) else {
            return;
        };
        for (key, entry) in annotations.iter() {
            if !key.starts_with("container.apparmor.security.beta.kubernetes.io/") {
                continue;
            }
            let profile = entry.node.as_str().unwrap_or("");
            if !profile.is_empty() && profile != "runtime/default" && !profile.starts_with("localhost/") {
                self.add(format!("forbidden AppArmor profiles ({key}=\"{profile}\")"));
            }
        }
    }

    /// What stood for the profile before there was a field for it.
    fn seccomp_annotations(&mut self) {
        let annotations = self.pod.at(&["metadata", "annotations"]).and_then(Node::as_map);
        let mut names = vec!["seccomp.security.alpha.kubernetes.io/pod".to_owned()];
        names.extend(super::workload::containers(self.pod).into_iter().map(|container| {
            format!(
                "container.seccomp.security.alpha.kubernetes.io/{}",
                text(container, &["name"]).unwrap_or("")
            )
        }));
        for name in names {
            let Some(profile) = annotations.and_then(|map| map.get(&name)?.as_str()) else { continue };
            if !["runtime/default", "docker/default"].contains(&profile) && !profile.starts_with("localhost/")
            {
                self.add(format!("seccompProfile (forbidden annotation {name}=\"{profile}\")"));
            }
        }
    }

    /// Refuses a profile that is none; whether it was.
    fn seccomp_profile(&mut self, of: &str, context: &Node) -> bool {
        let profile = context.get("seccompProfile").filter(|profile| profile.value != Value::Null);
        let Some(profile) = profile else { return false };
        let kind = text(profile, &["type"]).unwrap_or("");
        let known = ["RuntimeDefault", "Localhost"].contains(&kind);
        if !known && profile.get("type").is_none_or(|kind| kind.as_str().is_some()) {
            self.add(format!(
                "seccompProfile ({of} must not set securityContext.seccompProfile.type to \"{kind}\")"
            ));
            return true;
        }
        false
    }

    /// What baseline asks of a security context, be it the pod's or a container's.
    fn baseline_context(&mut self, of: &str, context: &Node) {
        if self.level == Level::Baseline && self.minor >= 19 {
            self.seccomp_profile(of, context);
        }
        if let Some(kind) = text(context, &["appArmorProfile", "type"])
            && !["RuntimeDefault", "Localhost"].contains(&kind)
        {
            self.add(format!(
                "forbidden AppArmor profiles ({of} must not set AppArmor profile type to \"{kind}\")"
            ));
        }
        if is(context.at(&["windowsOptions", "hostProcess"]), true) {
            self.add(format!(
                "hostProcess ({of} must not set securityContext.windowsOptions.hostProcess=true)"
            ));
        }
        let kind = text(context, &["seLinuxOptions", "type"]).unwrap_or("");
        let known = match kind {
            "" | "container_t" | "container_init_t" | "container_kvm_t" => true,
            "container_engine_t" => self.minor >= 31,
            _ => false,
        };
        if !known {
            self.add(format!(
                "seLinuxOptions ({of} set forbidden securityContext.seLinuxOptions: type \"{kind}\")"
            ));
        }
        for field in ["user", "role"] {
            if text(context, &["seLinuxOptions", field]).is_some_and(|value| !value.is_empty()) {
                self.add(format!("seLinuxOptions ({of} set forbidden securityContext.seLinuxOptions: {field} may not be set)"));
            }
        }
    }

    fn handler_hosts(&mut self, of: &str, container: &Node) {
        let handlers = [
            &["livenessProbe"][..],
            &["readinessProbe"],
            &["startupProbe"],
            &["lifecycle", "postStart"],
            &["lifecycle", "preStop"],
        ];
        for handler in handlers.iter().filter_map(|path| container.at(path)) {
            for action in ["httpGet", "tcpSocket"] {
                if let Some(host) = text(handler, &[action, "host"])
                    && !host.is_empty()
                {
                    self.add(format!(
                        "probe or lifecycle host ({of} uses probe or lifecycle host \"{host}\")"
                    ));
                }
            }
        }
    }

    fn restricted(&mut self) {
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
        for volume in self.list(&["volumes"]) {
            let written = |source: &&str| volume.get(source).is_some_and(|node| node.value != Value::Null);
            // A volume that names no source is an emptyDir.
            let other =
                volume.as_map().into_iter().flat_map(crate::source::Map::iter).find(|(key, entry)| {
                    &***key != "name" && entry.node.value != Value::Null && !VOLUMES.contains(&&***key)
                });
            if let Some((source, _)) = other
                && !VOLUMES.iter().any(written)
            {
                let name = text(volume, &["name"]).unwrap_or("");
                self.add(format!(
                    "restricted volume types (volume \"{name}\" uses restricted volume type \"{source}\")"
                ));
            }
        }
        let pod = self.spec(&["securityContext"]);
        let of_pod = |field: &str| pod.and_then(|context| context.get(field));
        if self.minor >= 23 && is_root(of_pod("runAsUser")) {
            self.add("runAsUser=0 (pod must not set runAsUser=0)");
        }
        // Of a Windows pod nothing is asked that Windows does not have.
        let linux = self.minor < 25 || !self.is_windows();
        for (of, container) in self.containers() {
            let context =
                |path: &[&str]| container.get("securityContext").and_then(|context| context.at(path));
            if linux && self.minor >= 8 && !is(context(&["allowPrivilegeEscalation"]), false) {
                self.add(format!(
                    "allowPrivilegeEscalation != false ({of} must set securityContext.allowPrivilegeEscalation=false)"
                ));
            }
            if linux && self.minor >= 22 {
                let listed = |path: &[&str]| context(path).map_or(&[][..], Node::items);
                if !listed(&["capabilities", "drop"]).iter().any(|name| name.as_str() == Some("ALL")) {
                    self.add(format!(
                        "unrestricted capabilities ({of} must set securityContext.capabilities.drop=[\"ALL\"])"
                    ));
                }
                for name in listed(&["capabilities", "add"]).iter().filter_map(Node::as_str) {
                    if name != "NET_BIND_SERVICE" {
                        self.add(format!(
                            "unrestricted capabilities ({of} must not include \"{name}\" in securityContext.capabilities.add)"
                        ));
                    }
                }
            }
            if self.minor >= 23 && is_root(context(&["runAsUser"])) {
                self.add(format!("runAsUser=0 ({of} must not set runAsUser=0)"));
            }
        }
        self.non_root();
        self.seccomp_restricted();
    }

    /// Who says that it may run as root, or if nobody does, who does not say that it may not.
    fn non_root(&mut self) {
        let of_pod = self.spec(&["securityContext", "runAsNonRoot"]);
        let says =
            |container: &Node| container.at(&["securityContext", "runAsNonRoot"]).and_then(Node::as_bool);
        let mut refused = Vec::new();
        if is(of_pod, false) {
            refused.push("pod".to_owned());
        }
        let (mut silent, containers) = (Vec::new(), self.containers());
        for (of, container) in containers {
            match says(container) {
                Some(true) => {}
                Some(false) => refused.push(of),
                None if is(of_pod, true) => {}
                None => silent.push(of),
            }
        }
        if refused.is_empty() {
            for of in silent {
                self.add(format!(
                    "runAsNonRoot != true (pod or {of} must set securityContext.runAsNonRoot=true)"
                ));
            }
        }
        for of in refused {
            self.add(format!("runAsNonRoot != true ({of} must not set securityContext.runAsNonRoot=false)"));
        }
    }

    /// The same of profiles that confine system calls. Of a Windows pod it is not asked.
    fn seccomp_restricted(&mut self) {
        if self.minor < 19 || (self.minor >= 25 && self.is_windows()) {
            return;
        }
        let mut refused = false;
        for (of, context) in self.contexts() {
            refused |= self.seccomp_profile(&of, context);
        }
        let set = |context: Option<&Node>| {
            context
                .and_then(|context| context.get("seccompProfile"))
                .is_some_and(|profile| profile.value != Value::Null)
        };
        if refused || set(self.spec(&["securityContext"])) {
            return;
        }
        for (of, container) in self.containers() {
            if !set(container.get("securityContext")) {
                self.add(format!(
                    "seccompProfile (pod or {of} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")"
                ));
            }
        }
    }
}
