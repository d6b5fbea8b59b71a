//! Pod Security as the admission plugin decides it: one pod a case, modelled on the plugin's own.

use nexafi_gen::kubernetes::pod_security::{Level, violations};
use nexafi_gen::source::{FileId, Node, SourceFile, yaml};

const LATEST: u32 = u32::MAX;

fn pod(text: &str) -> Node {
    let read = yaml::read(FileId(0), &SourceFile::new("pod.yaml", text.to_owned()));
    assert!(read.findings.is_empty(), "{text}");
    read.documents.into_iter().next().unwrap()
}

/// What a level has against a pod whose spec is given; `a` is its container.
fn refused(spec: &str, level: Level, minor: u32) -> Vec<String> {
    violations(&pod(&format!("{{metadata: {{}}, spec: {spec}}}")), level, minor)
}

/// The first words of each violation: what the plugin calls the reason.
fn reasons(found: &[String]) -> Vec<&str> {
    found.iter().map(|violation| violation.split(" (").next().unwrap()).collect()
}

/// A pod that restricted admits, with something more in its container and in its spec.
fn good(container: &str, spec: &str) -> String {
    format!(
        "{{securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}, containers: [{{name: a, {container} \
         securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}}}] {spec}}}"
    )
}

#[test]
fn a_hardened_pod_is_admitted_by_every_level_and_version() {
    for minor in [0, 8, 18, 19, 22, 23, 25, 27, 29, 31, 32, 34, 35, 37, LATEST] {
        for level in [Level::Privileged, Level::Baseline, Level::Restricted] {
            assert_eq!(refused(&good("", ""), level, minor), Vec::<String>::new(), "{level:?} {minor}");
        }
    }
}

#[test]
fn baseline_refuses_what_the_plugin_refuses() {
    for (spec, since, reason) in [
        ("{hostNetwork: true, containers: [{name: a}]}", 0, "host namespaces"),
        ("{hostPID: true, containers: [{name: a}]}", 0, "host namespaces"),
        ("{hostIPC: true, containers: [{name: a}]}", 0, "host namespaces"),
        ("{volumes: [{name: v, hostPath: {path: /}}], containers: [{name: a}]}", 0, "hostPath volumes"),
        ("{containers: [{name: a, securityContext: {privileged: true}}]}", 0, "privileged"),
        ("{initContainers: [{name: a, securityContext: {privileged: true}}]}", 0, "privileged"),
        ("{ephemeralContainers: [{name: a, securityContext: {privileged: true}}]}", 0, "privileged"),
        (
            "{containers: [{name: a, securityContext: {capabilities: {add: [NET_RAW]}}}]}",
            0,
            "non-default capabilities",
        ),
        (
            "{containers: [{name: a, securityContext: {capabilities: {add: [chown]}}}]}",
            0,
            "non-default capabilities",
        ),
        ("{containers: [{name: a, ports: [{containerPort: 1, hostPort: 1}]}]}", 0, "hostPort"),
        ("{containers: [{name: a, securityContext: {procMount: Unmasked}}]}", 0, "procMount"),
        (
            "{securityContext: {seccompProfile: {type: Unconfined}}, containers: [{name: a}]}",
            19,
            "seccompProfile",
        ),
        (
            "{containers: [{name: a, securityContext: {seccompProfile: {type: Unconfined}}}]}",
            19,
            "seccompProfile",
        ),
        ("{securityContext: {seLinuxOptions: {type: spc_t}}, containers: [{name: a}]}", 0, "seLinuxOptions"),
        ("{containers: [{name: a, securityContext: {seLinuxOptions: {user: x}}}]}", 0, "seLinuxOptions"),
        ("{containers: [{name: a, securityContext: {seLinuxOptions: {role: x}}}]}", 0, "seLinuxOptions"),
        (
            "{securityContext: {sysctls: [{name: kernel.msgmax, value: '1'}]}, containers: [{name: a}]}",
            0,
            "forbidden sysctls",
        ),
        (
            "{securityContext: {windowsOptions: {hostProcess: true}}, containers: [{name: a}]}",
            0,
            "hostProcess",
        ),
        (
            "{containers: [{name: a, securityContext: {appArmorProfile: {type: Unconfined}}}]}",
            0,
            "forbidden AppArmor profiles",
        ),
        (
            "{containers: [{name: a, livenessProbe: {httpGet: {host: 10.0.0.1, port: 1}}}]}",
            34,
            "probe or lifecycle host",
        ),
        (
            "{containers: [{name: a, lifecycle: {preStop: {tcpSocket: {host: b, port: 1}}}}]}",
            34,
            "probe or lifecycle host",
        ),
    ] {
        assert_eq!(reasons(&refused(spec, Level::Baseline, LATEST)), [reason], "{spec}");
        assert_eq!(reasons(&refused(spec, Level::Baseline, since)), [reason], "{spec}");
        if since > 0 {
            assert_eq!(refused(spec, Level::Baseline, since - 1), Vec::<String>::new(), "{spec}");
        }
        assert!(!refused(spec, Level::Restricted, LATEST).is_empty(), "{spec}");
        assert_eq!(refused(spec, Level::Privileged, LATEST), Vec::<String>::new());
    }
}

#[test]
fn baseline_admits_what_the_plugin_admits() {
    for (spec, since) in [
        ("{containers: [{name: a}]}", 0),
        (
            "{volumes: [{name: v, hostPath: null}], containers: [{name: a, ports: [{containerPort: 1, hostPort: 0}]}]}",
            0,
        ),
        (
            "{containers: [{name: a, securityContext: {capabilities: {add: [CHOWN, NET_BIND_SERVICE, MKNOD]}}}]}",
            0,
        ),
        ("{containers: [{name: a, securityContext: {procMount: Default}}]}", 0),
        ("{hostUsers: false, containers: [{name: a, securityContext: {procMount: Unmasked}}]}", 35),
        (
            "{securityContext: {seLinuxOptions: {type: container_engine_t, level: s0}}, containers: [{name: a}]}",
            31,
        ),
        ("{securityContext: {seLinuxOptions: {type: container_kvm_t}}, containers: [{name: a}]}", 0),
        (
            "{securityContext: {sysctls: [{name: net.ipv4.ip_local_reserved_ports}]}, containers: [{name: a}]}",
            27,
        ),
        ("{securityContext: {sysctls: [{name: net.ipv4.tcp_keepalive_time}]}, containers: [{name: a}]}", 29),
        ("{securityContext: {sysctls: [{name: net.ipv4.tcp_rmem}]}, containers: [{name: a}]}", 32),
        ("{containers: [{name: a, livenessProbe: {httpGet: {host: '', port: 1}}}]}", 0),
    ] {
        assert_eq!(refused(spec, Level::Baseline, LATEST), Vec::<String>::new(), "{spec}");
        if since > 0 {
            assert_eq!(refused(spec, Level::Baseline, since - 1).len(), 1, "{spec}");
        }
    }
    // Restricted does not follow user namespaces.
    let spec = good("", ", hostUsers: false").replace("drop: [ALL]}", "drop: [ALL]}, procMount: Unmasked");
    assert_eq!(reasons(&refused(&spec, Level::Restricted, LATEST)), ["procMount"]);
}

#[test]
fn restricted_asks_for_what_the_plugin_asks() {
    let bare = "{containers: [{name: a}]}";
    for (minor, wanted) in [
        (
            LATEST,
            &[
                "allowPrivilegeEscalation != false",
                "unrestricted capabilities",
                "runAsNonRoot != true",
                "seccompProfile",
            ][..],
        ),
        (21, &["allowPrivilegeEscalation != false", "runAsNonRoot != true", "seccompProfile"]),
        (18, &["allowPrivilegeEscalation != false", "runAsNonRoot != true"]),
        (7, &["runAsNonRoot != true"]),
    ] {
        assert_eq!(reasons(&refused(bare, Level::Restricted, minor)), wanted, "{minor}");
    }
    for (spec, wanted) in [
        (good("", ", volumes: [{name: v, nfs: {server: a, path: /}}]"), &["restricted volume types"][..]),
        (good("", ", volumes: [{name: v, hostPath: {path: /}}]"), &["restricted volume types"]),
        (good("", ", volumes: [{name: v, csi: {driver: a}}, {name: w, ephemeral: {}}, {name: x}]"), &[]),
        (good("", "").replace("drop: [ALL]", "drop: [ALL], add: [NET_BIND_SERVICE]"), &[]),
        (good("", "").replace("drop: [ALL]", "drop: [ALL], add: [CHOWN]"), &["unrestricted capabilities"]),
        (good("", "").replace("drop: [ALL]", "drop: [NET_RAW]"), &["unrestricted capabilities"]),
        (good("", "").replace("runAsNonRoot: true", "runAsNonRoot: false"), &["runAsNonRoot != true"]),
        (good("", "").replace("runAsNonRoot: true", "runAsUser: 0, runAsNonRoot: true"), &["runAsUser=0"]),
        (good("", "").replace("RuntimeDefault", "Unconfined"), &["seccompProfile"]),
        (good("", "").replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"), &["allowPrivilegeEscalation != false"]),
        ("{os: {name: windows}, securityContext: {runAsNonRoot: true}, containers: [{name: a}]}".to_owned(), &[]),
        (
            "{securityContext: {seccompProfile: {type: Unconfined}}, containers: [{name: a, securityContext: {runAsNonRoot: true, \
             allowPrivilegeEscalation: false, seccompProfile: {type: Localhost}, capabilities: {drop: [ALL]}}}]}"
                .to_owned(),
            &["seccompProfile"],
        ),
    ] {
        assert_eq!(reasons(&refused(&spec, Level::Restricted, LATEST)), wanted, "{spec}");
    }
}

#[test]
fn annotations_stood_for_profiles_before_there_were_fields() {
    let of = |annotations: &str, minor| {
        let text =
            format!("{{metadata: {{annotations: {{{annotations}}}}}, spec: {{containers: [{{name: a}}]}}}}");
        violations(&pod(&text), Level::Baseline, minor)
    };
    for (annotations, minor, count) in [
        ("seccomp.security.alpha.kubernetes.io/pod: unconfined", 18, 1),
        ("seccomp.security.alpha.kubernetes.io/pod: unconfined", 19, 0),
        ("seccomp.security.alpha.kubernetes.io/pod: docker/default", 18, 0),
        ("container.seccomp.security.alpha.kubernetes.io/a: unconfined", 18, 1),
        ("container.seccomp.security.alpha.kubernetes.io/b: unconfined", 18, 0),
        ("container.apparmor.security.beta.kubernetes.io/a: unconfined", LATEST, 1),
        ("container.apparmor.security.beta.kubernetes.io/a: runtime/default", LATEST, 0),
        ("container.apparmor.security.beta.kubernetes.io/a: localhost/mine", LATEST, 0),
    ] {
        assert_eq!(of(annotations, minor).len(), count, "{annotations} {minor}");
    }
}
