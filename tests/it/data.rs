//! Buckets, file systems and data stores that AWS runs: a platform with all of them meets every policy, and what could
//! not be applied is refused where it is written.

use nexafi_gen::blueprint;
use nexafi_gen::kubernetes;
use nexafi_gen::policy::{Catalogue, Policy, World, evaluate};
use nexafi_gen::render;
use nexafi_gen::source::{SourceFile, Sources, Verdict};
use nexafi_gen::terraform;

use crate::blueprint::{lines, load_text, reference_with};
use crate::terraform_render::terraform_of;

/// The reference platform with one of everything, each called by somebody.
fn everything() -> String {
    reference_with(&[
        (
            "\nstorage:\n",
            "\nmanaged:\n  caches: {sessions: {}, rates: {engine: redis}}\n  brokers: {events: {}}\n  search: {documents: {}}\n\nstorage:\n  fileSystems: {reports: {}}\n",
        ),
        ("dependsOn: [redis]", "dependsOn: [redis, sessions, events]"),
        ("dependsOn: [ledger-service, redis]", "dependsOn: [ledger-service, redis, rates]"),
        ("dependsOn: [elasticsearch, rabbitmq]", "dependsOn: [elasticsearch, rabbitmq, rates, documents]"),
    ])
}

#[test]
fn a_platform_with_every_data_store_meets_every_policy() {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("nexafi.yaml", everything()));
    let loaded = blueprint::load(id, sources.get(id).unwrap());
    assert_eq!(lines(&sources, &loaded), "");
    let files =
        render::render(&loaded.platform.unwrap(), "nexafi.yaml", &render::Overrides::default()).unwrap();
    let (mut tf, mut manifests) = (Vec::new(), Vec::new());
    for (path, bytes) in files {
        let kind = path.extension().unwrap_or("").to_owned();
        let id = sources.add(SourceFile::new(path, String::from_utf8(bytes).unwrap()));
        match kind.as_str() {
            "tf" => tf.push(id),
            "yaml" => manifests.push(id),
            _ => {}
        }
    }
    let (module, mut faults) = terraform::read(&sources, &tf);
    faults.extend(terraform::schema::check(&module));
    assert_eq!(faults, []);
    let mut objects = Vec::new();
    for id in manifests {
        objects.extend(kubernetes::read(id, sources.get(id).unwrap()).0);
    }
    let catalogue = Catalogue::builtin();
    let policies: Vec<&Policy> = catalogue.policies().iter().collect();
    let world = World {
        blueprint: loaded.view.as_ref(),
        module: Some(&module),
        objects: &objects,
        at: Some(jiff::civil::date(2026, 11, 24)),
        ..World::new(&sources)
    };
    let failures: Vec<String> = evaluate(&policies, &world)
        .verdicts
        .into_iter()
        .map(|verdict| verdict.finding)
        .filter(|finding| finding.verdict != Verdict::Pass)
        .map(|finding| format!("{} {}: {}", finding.code, finding.subject.unwrap().address, finding.message))
        .collect();
    assert_eq!(failures, Vec::<String>::new());
}

#[test]
fn only_callers_reach_a_data_store_and_only_they_may_sign_in() {
    let module = terraform_of(&everything());
    let rules: Vec<&str> = module
        .resources_of("aws_vpc_security_group_ingress_rule")
        .map(|rule| rule.address.rsplit('.').next().unwrap())
        .filter(|name| ["caches", "brokers", "search"].iter().any(|kind| name.starts_with(kind)))
        .collect();
    assert_eq!(
        rules,
        [
            "caches_sessions_from_financial_6379",
            "caches_rates_from_nodes_6379",
            "caches_rates_from_financial_6379",
            "brokers_events_from_financial_5671",
            "brokers_events_from_financial_443",
            "search_documents_from_nodes_443",
        ]
    );
    let statements = |service: &str| {
        let document = format!("data.aws_iam_policy_document.pod_identity_{service}");
        module
            .get(&document)
            .map_or(0, |document| document.get("statement").map_or(0, |statements| statements.items().len()))
    };
    assert_eq!((statements("user_service"), statements("api_gateway")), (2, 0));
}

fn faults(changes: &[(&str, &str)]) -> String {
    let (sources, loaded) = load_text(&reference_with(changes));
    lines(&sources, &loaded)
}

#[test]
fn data_stores_that_could_not_be_applied_are_named() {
    let bucket = "    documents: {kmsKey: platform, versioning: true}\n";
    let stores = "\nstorage:\n";
    let long = "n".repeat(29);
    let with = |managed: &str| format!("\nmanaged: {managed}\n{stores}");
    insta::assert_snapshot!(
        [
            faults(&[(bucket, &format!("{bucket}    exports: {{name: nexafi-production-documents}}\n"))]),
            faults(&[(bucket, "    documents: {kmsKey: aws-managed, replicate: true}\n")]),
            faults(&[(bucket, "    documents: {versioning: false, replicate: true}\n")]),
            faults(&[(bucket, &format!("    documents: {{name: {}}}\n", "b".repeat(60)))]),
            faults(&[(bucket, "    documents: {kmsKey: \"arn:aws:kms:eu-west-1:123456789012:key/one\"}\n")]),
            faults(&[(stores, &with("{caches: {redis: {}}}"))]),
            faults(&[(stores, &with("{caches: {events: {}}, brokers: {events: {}}}"))]),
            faults(&[(stores, &with(&format!("{{search: {{{long}: {{}}}}}}")))]),
            faults(&[
                (stores, &with("{caches: {sessions: {}}}")),
                ("dependsOn: [redis]", "dependsOn: [redis, session]"),
            ]),
            faults(&[
                (stores, &with("{caches: {sessions: {}}}")),
                ("      flowLogs: {enabled: true, traffic: ALL}", "      subnets: {public: {}, private: {}}"),
                ("subnets: [private, database]", "subnets: [private]"),
            ]),
        ]
        .join("---\n")
    );
}
