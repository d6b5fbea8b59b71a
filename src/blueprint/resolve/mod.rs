//! From a blueprint to a platform: defaults that depend on other values, the plan, and the faults no single value
//! shows. Pure: the same blueprint gives the same platform, and nothing is invented at random.

mod apply;
mod clusters;
mod financial;
mod ingress;
mod names;
mod peering;
mod quotas;
mod recovery;
mod regions;
mod stores;
mod supply_chain;
mod traffic;
mod workloads;

use indexmap::IndexMap;

pub(super) use names::Names;

use super::facts::cloudwatch_retention;
use super::model::{Blueprint, DataKind, PciScope, PodSecurityVersion, SecretStore};
use super::place::{path_text, place};
use super::platform::{KeyPlan, NamespacePlan, Plan, Platform, SecretPlan};
use super::scalar::{Name, RoleName};
use crate::source::{FaultCode, Finding, Node, fault};

/// Resolves a blueprint. The findings name every contradiction and dangling reference; the platform is complete
/// only when there are none.
pub(super) fn resolve(mut blueprint: Blueprint, names: &Names, tree: &Node) -> (Platform, Vec<Finding>) {
    let mut faults = Faults { tree, findings: Vec::new() };
    let scope = pci_scope(&blueprint);
    blueprint.compliance.pci_scope.get_or_insert(scope);
    let mut plan = Plan {
        prefix: format!("{}-{}", blueprint.name, blueprint.environment.as_str()),
        home: blueprint.regions.keys().next().map(ToString::to_string).unwrap_or_default(),
        tags: tags(&blueprint, &mut faults),
        ..Plan::default()
    };
    let days = blueprint.compliance.log_retention_days;
    plan.audit_retention_days = *blueprint.security.audit_trail.retention_days.get_or_insert(days);
    plan.audit_log_retention_days = log_days(None, days).1;
    plan.log_retention_days = plan.audit_log_retention_days;
    blueprint.security.alarms.email.get_or_insert_with(|| blueprint.owner.email.clone());
    if let Some(state) = &mut blueprint.terraform.state {
        let key = || format!("{}/{}/platform.tfstate", blueprint.name, blueprint.environment.as_str());
        state.key.get_or_insert_with(key);
    }
    plan.keeps_data = recovery::keeps_data(&blueprint);
    plan.backup = recovery::backup(&mut blueprint, &plan.prefix, &mut faults);
    clusters::resolve(&mut blueprint, names, &mut faults);
    let vaults = plan.backup.is_some() && blueprint.backup.kms_key.as_str() == "platform";
    plan.buckets = stores::buckets(&mut blueprint, &plan.prefix, &mut faults);
    let data = stores::key_wanted(&blueprint, &plan.buckets);
    plan.regions = regions::plan(&mut blueprint, &plan.prefix, vaults, data, &mut faults);
    traffic::acls(&mut blueprint);
    plan.replica = plan
        .regions
        .iter()
        .find(|(_, region)| {
            !region.home && region.keys.iter().any(|key| matches!(key.purpose, "audit" | "data"))
        })
        .map(|(role, _)| role.to_string());
    ingress::plan(&blueprint, &mut plan, &mut faults);
    plan.peerings = peering::plan(&blueprint, &plan.regions, names, &mut faults);
    plan.tiers = recovery::tiers(&mut blueprint);
    let (workloads, secrets) = workloads::plan(&mut blueprint, names, &mut faults);
    plan.workloads = workloads;
    plan.managed = stores::managed(&blueprint, &mut plan, &mut faults);
    plan.secrets = secrets;
    let of_platform = blueprint.secrets.kms_key.as_str() == "platform";
    if blueprint.secrets.store == SecretStore::SecretsManager && of_platform && !plan.secrets.is_empty() {
        for region in plan.regions.values_mut() {
            region.keys.push(KeyPlan { purpose: "secrets", description: "entries of Secrets Manager" });
        }
    }
    supply_chain::resolve(&mut blueprint, &mut faults);
    let fargate = |role: &RoleName| {
        blueprint.regions.get(role).is_some_and(|region| !region.cluster.fargate_profiles.is_empty())
    };
    financial::pod_flows(&mut plan, fargate);
    traffic::crossings(&blueprint, &mut plan, names, &mut faults);
    plan.namespaces = namespaces(&mut blueprint, &plan);
    apply::faults(&blueprint, &mut faults);
    quotas::resolve(&mut blueprint, &mut plan, &mut faults);
    (Platform { blueprint, plan }, faults.findings)
}

/// Mandatory tags first, then the blueprint's own. What finds a platform's resources and their owner cannot be
/// given a second meaning, and a tag that was silently left out would be looked for in vain.
fn tags(blueprint: &Blueprint, faults: &mut Faults<'_>) -> IndexMap<String, String> {
    let class = serde_json::to_value(blueprint.data_classification).ok();
    let mut tags = IndexMap::from([
        ("platform".to_owned(), blueprint.name.to_string()),
        ("environment".to_owned(), blueprint.environment.as_str().to_owned()),
        ("owner".to_owned(), blueprint.owner.team.to_string()),
        ("contact".to_owned(), blueprint.owner.email.to_string()),
        (
            "data-classification".to_owned(),
            class.as_ref().and_then(|class| class.as_str()).unwrap_or_default().to_owned(),
        ),
        ("pci-scope".to_owned(), blueprint.compliance.pci_scope.map_or("in", PciScope::as_str).to_owned()),
        ("managed-by".to_owned(), "nexafi-gen".to_owned()),
    ]);
    for (key, value) in &blueprint.tags {
        if let Some(own) = tags.get(key) {
            faults.add(
                fault::CONTRADICTION,
                &["tags", key],
                format!("the tag `{key}` is the platform's own, and says `{own}`"),
                "the tag is taken",
                "choose another key",
            );
        } else {
            tags.insert(key.clone(), value.clone());
        }
    }
    tags
}

/// PCI DSS applies as soon as anything handles cardholder data.
fn pci_scope(blueprint: &Blueprint) -> PciScope {
    let mut workloads = blueprint.services.values().chain(blueprint.components.values());
    if workloads.any(|workload| workload.handles.contains(&DataKind::CardholderData)) {
        PciScope::In
    } else {
        PciScope::Out
    }
}

/// Declared namespaces, then those that workloads, claims, Fargate profiles and the ingress imply.
fn namespaces(blueprint: &mut Blueprint, plan: &Plan) -> Vec<NamespacePlan> {
    let implied = plan.workloads.iter().map(|workload| workload.namespace.clone());
    let claims = blueprint.storage.claims.values().map(|claim| claim.namespace.to_string());
    let ingress = blueprint.ingress.iter().map(|_| "ingress".to_owned());
    let all: Vec<String> = implied.chain(claims).chain(ingress).collect();
    for name in all {
        if let Ok(name) = name.try_into() {
            blueprint.namespaces.entry(name).or_default();
        }
    }
    let cluster = blueprint.regions.values().next().and_then(|region| region.cluster.version.clone());
    let holds = |name: &Name| {
        let mut inside = plan.workloads.iter().filter(|workload| workload.namespace == name.as_str());
        inside.any(|workload| workload.handles.contains(&DataKind::CardholderData))
    };
    let mut planned = Vec::new();
    for (name, namespace) in &mut blueprint.namespaces {
        if namespace.pod_security.version.is_none() {
            namespace.pod_security.version = cluster.clone().map(PodSecurityVersion::Pinned);
        }
        let by_hand = |secret: &&SecretPlan| secret.namespace == *name && secret.kubernetes;
        let secrets = plan.secrets.iter().filter(by_hand);
        planned.push(NamespacePlan {
            name: name.to_string(),
            enforce: namespace.pod_security.enforce,
            version: match &namespace.pod_security.version {
                Some(PodSecurityVersion::Pinned(version)) => format!("v{version}"),
                _ => "latest".to_owned(),
            },
            default_deny: namespace.default_deny,
            labels: namespace.labels.clone(),
            quota: namespace.quota.clone(),
            secrets: secrets.map(|secret| secret.name.to_string()).collect(),
            cardholder_data: holds(name),
            signed: blueprint.supply_chain.signatures.is_some() && holds(name),
        });
    }
    planned
}

/// Retention as `CloudWatch` can keep it.
fn log_days(wanted: Option<u32>, platform: u32) -> (u32, u32) {
    let wanted = wanted.unwrap_or(platform);
    (wanted, cloudwatch_retention(wanted))
}

/// Collects findings, each at the place its path is written.
struct Faults<'a> {
    tree: &'a Node,
    findings: Vec<Finding>,
}

impl Faults<'_> {
    /// Whether something is written at a path, usable or not: what cannot be used is a finding already, and is not
    /// missing as well.
    fn is_written(&self, path: &[&str]) -> bool {
        self.tree.at(path).is_some()
    }

    fn add(
        &mut self,
        code: FaultCode,
        path: &[&str],
        message: impl Into<String>,
        label: &str,
        help: impl Into<String>,
    ) {
        self.add_related(code, path, message, label, help, None);
    }

    fn add_related(
        &mut self,
        code: FaultCode,
        path: &[&str],
        message: impl Into<String>,
        label: &str,
        help: impl Into<String>,
        related: Option<(&[&str], &str)>,
    ) {
        let mut finding = Finding::fault(code, place(self.tree, path).span, message)
            .pointer(path_text(path))
            .label(label)
            .help(help);
        if let Some((path, message)) = related {
            finding = finding.related(place(self.tree, path).span, message);
        }
        self.findings.push(finding);
    }
}
