//! The generated scripts from end to end: the stock `kubectl` and `jq`, a stub for `aws`, and for `terraform` a stub
//! where the path through the script matters, and the stock one where everything has to play together.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use stand_in_kubernetes_api::Server;

use crate::kubectl::{Bench, Ran, Rendered, blueprint, each_blueprint, has};

/// The value of every secret's every key.
const VALUE: &str = "not-for-the-screen";

/// A platform's files, a server for each of its clusters that is there, and the stubs.
struct Stage {
    bench: Bench,
    servers: Vec<(String, Server)>,
}

impl Stage {
    /// With the clusters of these regions.
    fn new(rendered: &Rendered, roles: &[&str]) -> Self {
        let bench = Bench::of(rendered);
        let clusters = rendered.clusters.iter().filter(|cluster| roles.contains(&cluster.role.as_str()));
        let (mut servers, mut list) = (Vec::new(), String::new());
        for cluster in clusters {
            let server = Server::start(&cluster.version).unwrap();
            list.push_str(&format!("{} {}\n", cluster.name, server.url()));
            servers.push((cluster.role.clone(), server));
        }
        bench.write("clusters", &list);
        bench.write("calls", "");
        bench.write("kubeconfig", "");
        bench.write("bin/aws", include_str!("aws-stub.sh"));
        bench.write("bin/terraform", include_str!("terraform-stub.sh"));
        let scripts = walkdir::WalkDir::new(bench.path().join("scripts")).into_iter().map(Result::unwrap);
        for path in scripts
            .map(walkdir::DirEntry::into_path)
            .chain(["aws", "terraform"].map(|tool| bench.path().join("bin").join(tool)))
        {
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        Self { bench, servers }
    }

    fn server(&self, role: &str) -> &Server {
        &self.servers.iter().find(|(known, _)| known == role).unwrap().1
    }

    /// Runs a generated script.
    fn run(&self, script: &str, arguments: &[&str]) -> Ran {
        let path = std::env::var("PATH").unwrap();
        let stubs = self.bench.path().join("bin");
        let mut command = self.bench.command(&format!("scripts/{script}"));
        command.env("PATH", format!("{}:{path}", stubs.display()));
        Ran::new(command.args(arguments).output().unwrap())
    }

    /// Fills AWS Secrets Manager as `setup-kube.sh --help` says; gives the entries' names.
    fn fill_secrets(&self) -> Vec<String> {
        let help = self.run("setup-kube.sh", &["--help"]).succeeded().out;
        let entries = help.lines().filter_map(|line| line.trim().split_once(": "));
        let entries = entries.filter(|(name, _)| name.matches('/').count() >= 2 && !name.contains(' '));
        entries
            .map(|(name, keys)| {
                let object: serde_json::Map<String, serde_json::Value> =
                    keys.split(", ").map(|key| (key.to_owned(), VALUE.into())).collect();
                let text = serde_json::Value::Object(object).to_string();
                self.bench.write(&format!("entries/{}", name.replace('/', ".")), &text);
                name.to_owned()
            })
            .collect()
    }

    /// Installs what checks the signatures of images, as far as the scripts see it: the definition of its kind.
    fn install_policy_controller(&self) {
        let definition = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: clusterimagepolicies.policy.sigstore.dev}
spec:
  group: policy.sigstore.dev
  scope: Cluster
  names: {kind: ClusterImagePolicy, plural: clusterimagepolicies, singular: clusterimagepolicy}
  versions:
    - name: v1beta1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";
        self.bench.write("definition.yaml", definition);
        for (_, server) in &self.servers {
            let mut kubectl = self.bench.command("kubectl");
            kubectl.args(["--server", &server.url(), "apply", "--filename", "definition.yaml"]);
            Ran::new(kubectl.output().unwrap()).succeeded();
        }
    }

    /// What the stubs were asked since the last time.
    fn calls(&self) -> Vec<String> {
        let calls = std::fs::read_to_string(self.bench.path().join("calls")).unwrap();
        self.bench.write("calls", "");
        calls.lines().map(str::to_owned).collect()
    }
}

fn has_tools() -> bool {
    has("kubectl", "version --client") && has("jq", "--version") && has("bash", "--version")
}

fn of_terraform(calls: &[String]) -> Vec<String> {
    let words = calls.iter().filter_map(|call| call.strip_prefix("terraform "));
    words.map(|call| call.split(" -").next().unwrap_or(call).to_owned()).collect()
}

#[test]
fn every_platform_is_brought_up_and_taken_down() {
    if !has_tools() {
        return;
    }
    each_blueprint(|rendered| {
        // The other regions' clusters are not there: that must not keep anything from being deleted.
        let stage = Stage::new(rendered, &[&rendered.home]);
        let server = stage.server(&rendered.home);
        stage.install_policy_controller();
        let empty = server.objects().len();
        let entries = stage.fill_secrets();

        if !entries.is_empty() {
            // Without its secrets nothing would come up, so nothing is applied.
            let early = stage.run("deploy-all.sh", &["--yes"]);
            early.refused("setup-kube.sh");
            assert_eq!(server.objects().len(), empty);
            assert_eq!(of_terraform(&stage.calls()), ["init", "plan", "apply"]);
        }
        let setup = stage.run("setup-kube.sh", &[]).succeeded();
        assert!(!format!("{}{}", setup.out, setup.err).contains(VALUE));
        let secrets: Vec<_> =
            server.objects().into_iter().filter(|object| object["kind"] == "Secret").collect();
        assert_eq!(secrets.len(), entries.len(), "{}", setup.err);
        for secret in &secrets {
            assert!(!secret["metadata"].to_string().contains("last-applied"), "{secret}");
        }
        let revision = server.revision();
        stage.run("setup-kube.sh", &[]).succeeded();
        assert_eq!(server.revision(), revision, "{}: run again, it changed something", rendered.name);
        stage.calls();

        let deployed = stage.run("deploy-all.sh", &["--yes"]).succeeded();
        assert!(deployed.err.contains("Everything runs."), "{}", deployed.err);
        assert!(!deployed.err.contains("Warning: resource "), "{}", deployed.err);
        assert_eq!(of_terraform(&stage.calls()), ["init", "plan", "apply"]);
        let revision = server.revision();
        let again = stage.run("deploy-all.sh", &["--yes", "--skip-terraform"]).succeeded();
        assert_eq!(server.revision(), revision, "{}", again.out);
        assert_eq!(of_terraform(&stage.calls()), Vec::<String>::new());

        let deleted = stage.run("delete-all.sh", &["--yes"]).succeeded();
        assert_eq!(server.objects().len(), empty, "{}", deleted.out);
        let calls = stage.calls();
        assert_eq!(of_terraform(&calls)[..2], ["init", "state list"]);
        // What holds keys and records is let go of, not destroyed.
        let kept = r#"state rm aws_kms_key.platform aws_s3_bucket.audit["primary"]"#;
        assert_eq!(of_terraform(&calls)[2..], [kept, "destroy"]);
    });
}

/// The AWS provider's stand-in, which the other package of stand-ins builds beside this test.
fn provider() -> Option<std::path::PathBuf> {
    let test = std::env::current_exe().unwrap();
    let beside = test.parent().unwrap().parent().unwrap().join("terraform-provider-aws-stand-in");
    if beside.exists() {
        return Some(beside);
    }
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "build the package stand-in-aws-provider first"
    );
    println!("skipped: the AWS provider's stand-in is not built; `cargo test --workspace` builds it");
    None
}

#[test]
fn every_platform_is_brought_up_and_taken_down_by_the_stock_terraform_too() {
    if !has_tools() || !has("terraform", "version") {
        return;
    }
    let Some(provider) = provider() else { return };
    each_blueprint(|rendered| {
        let roles: Vec<&str> = rendered.clusters.iter().map(|cluster| cluster.role.as_str()).collect();
        let stage = Stage::new(rendered, &roles);
        let root = stage.bench.path().to_owned();
        let mirror = "mirror/registry.terraform.io/hashicorp/aws/6.66.0/linux_amd64";
        std::fs::create_dir_all(root.join(mirror)).unwrap();
        let there = root.join(mirror).join("terraform-provider-aws_v6.66.0");
        if std::fs::hard_link(&provider, &there).is_err() {
            std::fs::copy(&provider, &there).unwrap();
        }
        let config = format!(
            "disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
            root.join("mirror").display()
        );
        stage.bench.write("terraformrc", &config);
        // The bucket of the state is not to be had here.
        stage.bench.write("terraform/backend_override.tf", "terraform {\n  backend \"local\" {}\n}\n");
        let real = format!(
            "#!/usr/bin/env bash\nPATH=${{PATH#*:}}\nexport TF_CLI_CONFIG_FILE={0}/terraformrc AWS_STAND_IN_STORE={0}/cloud\nexec terraform \"$@\"\n",
            root.display()
        );
        stage.bench.write("bin/terraform", &real);
        let objects = || walkdir::WalkDir::new(root.join("cloud")).into_iter().filter_map(Result::ok);
        let made = || objects().filter(|entry| entry.file_type().is_file()).count();

        stage.install_policy_controller();
        stage.fill_secrets();
        stage.run("deploy-all.sh", &["--yes"]);
        let count = made();
        assert!(count > 50, "{}: terraform made {count} objects", rendered.name);
        stage.run("setup-kube.sh", &[]).succeeded();
        let deployed = stage.run("deploy-all.sh", &["--yes"]).succeeded();
        assert!(deployed.out.contains("No changes."), "{}", deployed.out);
        assert!(deployed.err.contains("Everything runs."), "{}", deployed.err);
        assert_eq!(made(), count, "{}: a second run changed what is there", rendered.name);

        let deleted = stage.run("delete-all.sh", &["--yes"]).succeeded();
        assert!(deleted.out.contains("Destroy complete!"), "{}", deleted.out);
        // Keys and the buckets of the records are let go of, not destroyed.
        let kept: Vec<String> = objects()
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| entry.path().parent().unwrap().file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        assert!(kept.iter().any(|type_| type_ == "aws_kms_key"), "{kept:?}");
        assert!(
            kept.iter().all(|type_| [
                "aws_kms_key",
                "aws_s3_bucket",
                "aws_s3_account_public_access_block",
                "aws_secretsmanager_secret",
                "aws_backup_vault",
                "aws_iam_role",
                "aws_efs_",
            ]
            .iter()
            .any(|kind| type_.starts_with(kind))),
            "{kept:?}"
        );
    });
}

#[test]
fn a_standby_takes_over() {
    if !has_tools() {
        return;
    }
    let rendered = blueprint("nexafi");
    let (home, standby) = ("primary", "secondary");
    let stage = Stage::new(&rendered, &[standby]);
    stage.bench.write("nodegroups", "dr-standby\ndr-compliance\ndr-general\n");
    stage.fill_secrets();
    stage.run("setup-kube.sh", &["--region", standby]).succeeded();
    // Where nothing checks signatures, nothing starts unless somebody says so.
    stage.run("deploy-all.sh", &["--yes", "--region", standby]).refused("policy-controller");
    let unsigned = stage.run("deploy-all.sh", &["--yes", "--region", standby, "--unsigned"]).succeeded();
    assert!(unsigned.err.contains("as --unsigned says"), "{}", unsigned.err);
    stage.install_policy_controller();
    stage.calls();
    let deployed = stage.run("deploy-all.sh", &["--yes", "--region", standby]).succeeded();
    assert!(deployed.err.contains("Everything runs."), "{}", deployed.err);
    let calls = stage.calls();
    assert_eq!(of_terraform(&calls), Vec::<String>::new(), "the lost region cannot be reached");
    for (group, size) in [("dr-standby", 5), ("dr-compliance", 3), ("dr-general", 3)] {
        let grown = calls.iter().any(|call| {
            call.contains("update-nodegroup-config")
                && call.contains(&format!("--nodegroup-name {group}-"))
                && call.ends_with(&format!("desiredSize={size}"))
        });
        assert!(grown, "{group}: {calls:#?}");
    }
    // The lost region is not even asked.
    let lost = &rendered.clusters.iter().find(|cluster| cluster.role == home).unwrap().name;
    assert!(!calls.iter().any(|call| call.contains(lost.as_str())), "{calls:#?}");
    let workloads = stage.server(standby).objects();
    let names = |object: &serde_json::Value| {
        ["Deployment", "StatefulSet", "DaemonSet"].iter().any(|kind| object["kind"] == *kind)
    };
    assert_eq!(workloads.into_iter().filter(names).count(), 14);
}

#[test]
fn a_missing_entry_and_a_lost_cluster_are_named() {
    if !has_tools() {
        return;
    }
    let rendered = blueprint("nexafi");
    let stage = Stage::new(&rendered, &["primary"]);
    let entries = stage.fill_secrets();
    let lost = format!("entries/{}", entries[0].replace('/', "."));
    std::fs::remove_file(stage.bench.path().join(Path::new(&lost))).unwrap();
    let setup = stage.run("setup-kube.sh", &[]);
    setup.refused(&entries[0]);
    stage.run("deploy-all.sh", &["--yes", "--region", "secondary"]).refused("ResourceNotFoundException");
    stage.run("deploy-all.sh", &["--region", "tertiary"]).refused("There is no region \"tertiary\"");
    // Nobody answers the question: nothing happens.
    stage.run("delete-all.sh", &[]).refused("nothing was deleted");
}
