//! The generated scripts, run with stand-ins for `aws`, `terraform` and `kubectl` that write down what they are told.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the scripts run with the tools on PATH, and a test that cannot run says so"
)]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nexafi_gen::blueprint::Platform;

use crate::blueprint::load_text;
use crate::kubernetes_render::{blueprints, rendered};

const SCRIPTS: [&str; 4] = ["deploy-all.sh", "delete-all.sh", "setup-kube.sh", "update-kubeconfig.sh"];

const AWS: &str = r#"#!/usr/bin/env bash
printf 'aws %s\n' "$*" >> "$LOG"
case "$*" in
  *get-caller-identity*) echo 123456789012 ;;
  *get-secret-value*kibana-keys*) echo '{"session": "v4lue", "objects": "v4lue"}' ;;
  *get-secret-value*elasticsearch-auth*) echo "ResourceNotFoundException" >&2; exit 254 ;;
  *get-secret-value*-auth*) echo '{"username": "v4lue", "password": "v4lue $(x) \" '"'"'", "cookie": "v4lue"}' ;;
  *get-secret-value*-client*) echo '{"username": "v4lue", "password": "v4lue", "ca.crt": "v4lue"}' ;;
  *get-secret-value*) echo '{"ca.crt": "v4lue", "tls.crt": "v4lue", "tls.key": "v4lue", "more": "v4lue"}' ;;
  *describe-secret*) if [[ -n "${EMPTY:-}" ]]; then echo None; else echo AWSCURRENT; fi ;;
  *list-nodegroups*)
    for group in dr-standby dr-standby-x dr-compliance dr-general; do printf '%s-20260101000000000000000001\t' "$group"; done
    ;;
  *describe-nodegroup*) echo 1 ;;
  *describe-cluster*secondary*) echo "ResourceNotFoundException" >&2; exit 254 ;;
  *describe-cluster*) echo ACTIVE ;;
  *describe-load-balancers*us-west-2*LoadBalancerArn*) echo "(LoadBalancerNotFound)" >&2; exit 254 ;;
  *describe-load-balancers*LoadBalancerArn*) echo lb-1 ;;
  *describe-load-balancers*) echo edge.elb.example ;;
  *list-detectors*) echo d1 ;;
  *describe-vpcs*us-east-1*) echo vpc-1 ;;
  *describe-vpc-endpoints*) grep -q delete-vpc-endpoints "$LOG" || echo vpce-1 ;;
  *describe-security-groups*) grep -q delete-security-group "$LOG" || echo sg-1 ;;
esac
"#;

const KUBECTL: &str = r#"#!/usr/bin/env bash
printf 'kubectl %s\n' "$*" >> "$LOG"
case "$*" in
  *"current-context"*) echo before ;;
  *"--filename -") cat >> "$APPLIED" ;;
  *"get secret"*) if [[ -n "${SECRETS:-}" ]]; then echo "$SECRETS"; fi ;;
  *"rollout status"*) [[ "$*" != *"${LATE:-none}"* ]] ;;
esac
"#;

const TERRAFORM: &str = r#"#!/usr/bin/env bash
printf 'terraform %s\n' "$*" >> "$LOG"
case "$*" in
  *"state list"*) printf '%s\n' data.aws_region.here aws_kms_key.a aws_s3_bucket.b aws_s3_bucket_policy.b aws_vpc.c ;;
esac
"#;

const SLEEP: &str = "#!/usr/bin/env bash\n";

/// All keys of all secrets of the reference platform.
const EVERY_KEY: &str =
    "password username cookie kibana-password session objects reporting ca.crt tls.crt tls.key";

/// A rendered tree in a directory whose name has a space, with the stand-ins beside it.
struct Tree {
    directory: tempfile::TempDir,
}

fn reference() -> Platform {
    let (_, loaded) = load_text(&std::fs::read_to_string("blueprints/nexafi.yaml").unwrap());
    loaded.platform.unwrap()
}

/// The reference platform, all of whose secrets are Kubernetes Secrets.
fn copied() -> String {
    let text = std::fs::read_to_string("blueprints/nexafi.yaml").unwrap();
    text.replace("store: secretsManager", "store: kubernetes")
}

struct Ran {
    code: Option<i32>,
    said: String,
    /// What the stand-ins were told.
    log: String,
    /// What `kubectl apply --filename -` read.
    applied: String,
}

impl Tree {
    fn new(blueprint: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (path, bytes) in rendered(blueprint) {
            Self::put(&directory.path().join("a tree").join(path), &bytes);
        }
        for (name, text) in [("aws", AWS), ("kubectl", KUBECTL), ("terraform", TERRAFORM), ("sleep", SLEEP)] {
            Self::put(&directory.path().join("bin").join(name), text.as_bytes());
        }
        Self { directory }
    }

    fn reference() -> Self {
        Self::new(&std::fs::read_to_string("blueprints/nexafi.yaml").unwrap())
    }

    /// The reference platform with Kubernetes Secrets only.
    fn copied() -> Self {
        Self::new(&copied())
    }

    fn put(path: &Path, bytes: &[u8]) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn script(&self, name: &str) -> PathBuf {
        self.directory.path().join("a tree/scripts").join(name)
    }

    fn run(&self, script: &str, arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Ran {
        let (log, applied) = (self.directory.path().join("log"), self.directory.path().join("applied"));
        let _ = std::fs::remove_file(&log);
        let _ = std::fs::remove_file(&applied);
        let path =
            format!("{}:{}", self.directory.path().join("bin").display(), std::env::var("PATH").unwrap());
        let mut child = Command::new("bash")
            .arg(self.script(script))
            .args(arguments)
            .current_dir("/")
            .env("PATH", path)
            .env("LOG", &log)
            .env("APPLIED", &applied)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A script that ends before it reads is fine.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        Ran {
            code: output.status.code(),
            said: String::from_utf8(said).unwrap(),
            log: std::fs::read_to_string(log).unwrap_or_default(),
            applied: std::fs::read_to_string(applied).unwrap_or_default(),
        }
    }
}

fn is_there(tool: &str) -> bool {
    let there =
        Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !there {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no {tool} on PATH");
        println!("skipped: no {tool} on PATH");
    }
    there
}

#[test]
fn scripts_explain_themselves_and_refuse_what_they_do_not_know() {
    for text in blueprints().values() {
        let tree = Tree::new(text);
        for script in SCRIPTS {
            let help = tree.run(script, &["--help"], &[], "");
            assert_eq!(help.code, Some(0), "{script}: {}", help.said);
            assert!(help.said.starts_with("Usage: "), "{script}");
            for arguments in
                [&["--nonsense"][..], &["--region"], &["--region", "nowhere"], &["--timeout", "soon"]]
            {
                let refused = tree.run(script, arguments, &[], "");
                assert_eq!(refused.code, Some(2), "{script} {arguments:?}: {}", refused.said);
                assert_eq!(refused.log, "", "{script} {arguments:?} did something");
            }
        }
    }
}

#[test]
fn shellcheck_finds_nothing() {
    if !is_there("shellcheck") {
        return;
    }
    for (name, text) in blueprints() {
        let tree = Tree::new(&text);
        let output =
            Command::new("shellcheck").args(SCRIPTS.map(|script| tree.script(script))).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn contexts_are_named_like_clusters_and_the_current_one_stays() {
    let ran = Tree::reference().run("update-kubeconfig.sh", &[], &[], "");
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert_eq!(
        ran.log,
        "kubectl config current-context\n\
         aws eks update-kubeconfig --region us-east-1 --name nexafi-production-primary --alias nexafi-production-primary\n\
         aws eks update-kubeconfig --region us-west-2 --name nexafi-production-secondary --alias nexafi-production-secondary\n\
         kubectl config use-context before\n"
    );
}

#[test]
fn values_of_secrets_show_up_nowhere_but_in_the_cluster() {
    if !is_there("jq") {
        return;
    }
    let tree = Tree::copied();
    let ran = tree.run("setup-kube.sh", &[], &[], "");
    // One entry is not there, one lacks a key: both are named, all others are made.
    assert_eq!(ran.code, Some(1), "{}", ran.said);
    assert!(ran.said.contains("  nexafi-production/infrastructure/elasticsearch-auth\n"), "{}", ran.said);
    assert!(ran.said.contains("  nexafi-production/infrastructure/kibana-keys\n"), "{}", ran.said);
    assert!(ran.said.contains("a string for each of: reporting"), "{}", ran.said);
    for text in [&ran.said, &ran.log] {
        assert!(!text.contains("v4lue"), "a value is shown: {text}");
    }
    let made: Vec<serde_json::Value> =
        serde_json::Deserializer::from_str(&ran.applied).into_iter().map(Result::unwrap).collect();
    let platform = load_text(&copied()).1.platform.unwrap();
    assert_eq!(made.len(), platform.plan.secrets.len() - 2, "{}", ran.applied);
    for secret in &made {
        let keys: Vec<&str> = secret["data"].as_object().unwrap().keys().map(String::as_str).collect();
        let name = secret["metadata"]["name"].as_str().unwrap();
        match (secret["metadata"]["namespace"].as_str().unwrap(), name) {
            ("ingress", _) => {
                assert_eq!(keys, ["tls.crt", "tls.key"]);
                assert_eq!(secret["type"], "kubernetes.io/tls");
            }
            ("infrastructure", "redis-tls") => assert_eq!(keys, ["ca.crt", "tls.crt", "tls.key"]),
            (_, "redis-auth") => {
                // `v4lue $(x) " '` in base64.
                assert_eq!(secret["data"], serde_json::json!({"password": "djRsdWUgJCh4KSAiICc="}));
            }
            _ => {}
        }
    }
}

#[test]
fn deploying_stops_where_secrets_are_missing_and_says_what_to_do() {
    let tree = Tree::reference();
    let ran = tree.run("deploy-all.sh", &["--yes"], &[("SECRETS", EVERY_KEY), ("EMPTY", "yes")], "");
    assert_eq!(ran.code, Some(1));
    assert!(ran.said.contains("  nexafi-production/infrastructure/redis-auth\n"), "{}", ran.said);
    assert!(!ran.log.contains("get-secret-value"), "{}", ran.log);
    assert!(!ran.log.contains("apply --kustomize"), "{}", ran.log);

    let ran = tree.run("deploy-all.sh", &["--yes"], &[("SECRETS", "password")], "");
    assert_eq!(ran.code, Some(1));
    assert!(ran.said.contains("  ingress/api-tls: tls.key\n"), "{}", ran.said);
    assert!(ran.said.contains("setup-kube.sh --region primary"), "{}", ran.said);
    assert!(ran.log.contains("terraform -chdir="), "{}", ran.log);
    assert!(!ran.log.contains("apply --kustomize"), "{}", ran.log);
}

#[test]
fn deploying_asks_first_and_waits_for_everything() {
    let tree = Tree::reference();
    let ran = tree.run("deploy-all.sh", &[], &[("SECRETS", EVERY_KEY)], "no\n");
    assert_eq!(ran.code, Some(1));
    assert!(!ran.log.contains(" apply "), "{}", ran.log);

    let ran = tree.run("deploy-all.sh", &[], &[("SECRETS", EVERY_KEY)], "y\n");
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert!(ran.log.contains(" apply -input=false "), "{}", ran.log);
    assert!(ran.log.contains("a tree/kubernetes\n"), "{}", ran.log);
    let waited = ran.log.matches("rollout status").count();
    assert_eq!(waited, reference().plan.workloads.len() + 1, "{}", ran.log);
    assert!(ran.said.contains("Let the name api.nexafi.example lead to edge.elb.example."), "{}", ran.said);

    let late = [("SECRETS", EVERY_KEY), ("LATE", "deployment/kibana")];
    let ran = tree.run("deploy-all.sh", &["--yes", "--skip-terraform", "--timeout", "5"], &late, "");
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.said.contains("not up after 5 seconds:\n  infrastructure deployment/kibana\n"),
        "{}",
        ran.said
    );
}

#[test]
fn a_standby_takes_over_without_the_lost_region() {
    let tree = Tree::reference();
    let ran = tree.run("deploy-all.sh", &["--region", "secondary", "--yes"], &[("SECRETS", EVERY_KEY)], "");
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert!(!ran.log.contains("terraform") && !ran.log.contains("us-east-1"), "{}", ran.log);
    let grown = "--nodegroup-name dr-standby-20260101000000000000000001 --scaling-config desiredSize=5\n";
    assert!(ran.log.contains(grown), "{}", ran.log);
    assert!(!ran.log.contains("dr-standby-x"), "{}", ran.log);
    assert!(ran.log.contains("a tree/standby/secondary\n"), "{}", ran.log);
}

#[test]
fn deleting_wants_the_platforms_name_and_keeps_keys_and_records() {
    let tree = Tree::reference();
    let ran = tree.run("delete-all.sh", &[], &[], "yes\n");
    assert_eq!(ran.code, Some(1));
    assert!(!ran.log.contains("delete") && !ran.log.contains("terraform"), "{}", ran.log);

    let ran = tree.run("delete-all.sh", &[], &[], "nexafi\n");
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    let place = |part: &str| ran.log.find(part).unwrap_or_else(|| panic!("no {part} in {}", ran.log));
    let order = [
        place("delete --kustomize"),
        place(
            "modify-load-balancer-attributes --region us-east-1 --load-balancer-arn lb-1 --attributes Key=deletion_protection.enabled,Value=false",
        ),
        place(
            "update-detector --region us-east-1 --detector-id d1 --features Name=RUNTIME_MONITORING,Status=DISABLED",
        ),
        place("delete-vpc-endpoints --region us-east-1 --vpc-endpoint-ids vpce-1"),
        place("delete-security-group --region us-east-1 --group-id sg-1"),
        place("state rm aws_kms_key.a aws_s3_bucket.b aws_s3_bucket_policy.b\n"),
        place("destroy -input=false"),
    ];
    assert!(order.is_sorted());

    let ran = tree.run("delete-all.sh", &["--yes", "--kubernetes-only"], &[], "");
    assert_eq!(ran.code, Some(0));
    assert!(!ran.log.contains("terraform"), "{}", ran.log);
}
