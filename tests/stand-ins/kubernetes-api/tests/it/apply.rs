//! Every blueprint's manifests, applied by the stock `kubectl`.

use crate::kubectl::{Bench, each_blueprint, has};

/// What `kubectl apply` calls configured each time although nothing changes, by its own fault: it always sends a
/// `PodDisruptionBudget`'s selector, which is marked `patchStrategy: replace`, and compares a `StatefulSet`'s
/// `volumeClaimTemplates` with what the API server has filled in there (kubernetes/kubernetes#66450).
const ALWAYS_CONFIGURED: [&str; 2] = ["poddisruptionbudget.policy/", "statefulset.apps/"];

#[test]
fn every_blueprint_is_applied_and_the_second_time_nothing_changes() {
    if !has("kubectl", "version --client") {
        return;
    }
    each_blueprint(|rendered| {
        let bench = Bench::of(rendered);
        let first = bench.kubectl(&["apply", "--kustomize", "kubernetes"]).succeeded();
        assert!(first.lines().iter().all(|line| line.ends_with(" created")), "{}", first.out);
        for namespace in bench.server.objects().iter().filter(|object| object["kind"] == "Namespace") {
            let metadata = &namespace["metadata"];
            let own = !["default", "kube-node-lease", "kube-public", "kube-system"]
                .contains(&metadata["name"].as_str().unwrap());
            assert!(
                !own || metadata["labels"]["pod-security.kubernetes.io/enforce"].is_string(),
                "{metadata}"
            );
        }
        let (count, revision) = (first.lines().len(), bench.server.revision());

        let second = bench.kubectl(&["apply", "--kustomize", "kubernetes"]).succeeded();
        assert_eq!(second.lines().len(), count, "{}", rendered.name);
        for line in second.lines() {
            let excused = ALWAYS_CONFIGURED.iter().any(|kind| line.starts_with(kind));
            assert!(line.ends_with(" unchanged") || excused, "{}: {line}", rendered.name);
        }
        assert_eq!(bench.server.revision(), revision, "{}: the cluster has changed", rendered.name);

        let diff = bench.kubectl(&["diff", "--kustomize", "kubernetes"]);
        assert_eq!((diff.code, diff.out.as_str()), (0, ""), "{}: {}", rendered.name, diff.err);
        println!("{}: {count} objects", rendered.name);
    });
}

#[test]
fn every_blueprint_is_applied_server_side_and_the_second_time_nothing_changes() {
    if !has("kubectl", "version --client") {
        return;
    }
    each_blueprint(|rendered| {
        let bench = Bench::of(rendered);
        let apply = ["apply", "--server-side", "--kustomize", "kubernetes"];
        let first = bench.kubectl(&apply).succeeded();
        assert!(first.lines().iter().all(|line| line.ends_with(" serverside-applied")), "{}", first.out);
        let revision = bench.server.revision();
        bench.kubectl(&apply).succeeded();
        assert_eq!(bench.server.revision(), revision, "{}: the cluster has changed", rendered.name);
        let diff = bench.kubectl(&["diff", "--server-side", "--kustomize", "kubernetes"]);
        assert_eq!((diff.code, diff.out.as_str()), (0, ""), "{}: {}", rendered.name, diff.err);
    });
}

#[test]
fn every_blueprint_is_deleted_without_a_rest() {
    if !has("kubectl", "version --client") {
        return;
    }
    each_blueprint(|rendered| {
        let bench = Bench::of(rendered);
        let empty = bench.server.objects().len();
        bench.kubectl(&["apply", "--kustomize", "kubernetes"]).succeeded();
        let made = bench.server.objects().len() - empty;
        // Waiting is `kubectl`'s to pace, five objects a second; `delete-all.sh` is tested with it.
        let deleted = bench.kubectl(&["delete", "--kustomize", "kubernetes", "--wait=false"]).succeeded();
        assert_eq!(deleted.lines().len(), made, "{}", deleted.out);
        bench.kubectl(&["get", "namespaces"]).succeeded();
        assert_eq!(bench.server.objects().len(), empty, "{}: something is left", rendered.name);
    });
}
