//! What each value allows and AWS or Kubernetes would refuse only when the files are applied, half of the platform
//! standing already.

use super::Faults;
use crate::blueprint::facts::OLDEST_KUBERNETES_MINOR;
use crate::blueprint::model::{AuthenticationMode, Blueprint, NodeGroup, SecretStore, TierKind};
use crate::blueprint::scalar::{InstanceType, KmsKey, RoleName};
use crate::source::fault;

pub(super) fn faults(blueprint: &Blueprint, faults: &mut Faults<'_>) {
    let mut home = None;
    for (role, region) in &blueprint.regions {
        let aws = region.aws.as_str();
        home = home.or(Some((role, aws)));
        version_faults(blueprint, role, faults);
        let path = ["regions", role.as_str()];
        let mut key =
            |rest: &[&str], key: &KmsKey| key_faults(&[&path[..], rest].concat(), key, role, aws, faults);
        if region.vpc.flow_logs.enabled {
            key(&["vpc", "flowLogs", "kmsKey"], &region.vpc.flow_logs.kms_key);
        }
        key(&["cluster", "logKmsKey"], &region.cluster.log_kms_key);
        key(&["cluster", "secretsKmsKey"], &region.cluster.secrets_kms_key);
        for (name, group) in &region.cluster.node_groups {
            key(&["cluster", "nodeGroups", name.as_str(), "disk", "kmsKey"], &group.disk.kms_key);
        }
        if blueprint.backup.enabled {
            key_faults(&["backup", "kmsKey"], &blueprint.backup.kms_key, role, aws, faults);
        }
        for (name, group) in &region.cluster.node_groups {
            processor_faults(
                &["regions", role.as_str(), "cluster", "nodeGroups", name.as_str()],
                group,
                faults,
            );
        }
        addon_faults(blueprint, role, faults);
        // docs.aws.amazon.com/eks/latest/userguide/setting-up-access-entries.html
        let cluster = &region.cluster;
        if cluster.authentication_mode == AuthenticationMode::ConfigMap && !cluster.access.is_empty() {
            faults.add(
                fault::CONTRADICTION,
                &["regions", role.as_str(), "cluster", "authenticationMode"],
                format!("the cluster of {role} has access entries, and with this mode AWS takes none"),
                "the ConfigMap only",
                "write `authenticationMode: api`, or leave it out",
            );
        }
        for (name, profile) in &region.cluster.fargate_profiles {
            let Some(tier) = region.vpc.subnets.get(&profile.subnets) else { continue };
            // docs.aws.amazon.com/eks/latest/APIReference/API_CreateFargateProfile.html, `subnets`
            if tier.kind == Some(TierKind::Public) || tier.internet_route == Some(true) {
                faults.add(
                    fault::CONTRADICTION,
                    &["regions", role.as_str(), "cluster", "fargateProfiles", name.as_str(), "subnets"],
                    format!("the Fargate profile `{name}` stands in the {} subnets, which have a route to the internet gateway; AWS refuses that", profile.subnets),
                    "not private",
                    "name a private tier, or leave it out: `private` is the default",
                );
            }
        }
    }
    if let Some((role, aws)) = home {
        for (name, class) in &blueprint.storage.classes {
            key_faults(&["storage", "classes", name.as_str(), "kmsKey"], &class.kms_key, role, aws, faults);
        }
        let storage = &blueprint.storage;
        for (name, bucket) in &storage.buckets {
            key_faults(&["storage", "buckets", name.as_str(), "kmsKey"], &bucket.kms_key, role, aws, faults);
        }
        for (name, system) in &storage.file_systems {
            key_faults(
                &["storage", "fileSystems", name.as_str(), "kmsKey"],
                &system.kms_key,
                role,
                aws,
                faults,
            );
        }
        let managed = &blueprint.managed;
        let stores = managed
            .caches
            .iter()
            .map(|(name, cache)| ("caches", name, &cache.kms_key))
            .chain(managed.brokers.iter().map(|(name, broker)| ("brokers", name, &broker.kms_key)))
            .chain(managed.search.iter().map(|(name, domain)| ("search", name, &domain.kms_key)));
        for (kind, name, key) in stores {
            key_faults(&["managed", kind, name.as_str(), "kmsKey"], key, role, aws, faults);
        }
    }
    if let Some((role, aws)) = home {
        let trail = &blueprint.security.audit_trail;
        if trail.enabled {
            key_faults(&["security", "auditTrail", "kmsKey"], &trail.kms_key, role, aws, faults);
        }
        secret_faults(blueprint, role, aws, faults);
    }
    role_faults(blueprint, faults);
    namespace_faults(blueprint, faults);
}

/// Secrets are made in the first region and copied to the others.
fn secret_faults(blueprint: &Blueprint, role: &RoleName, aws: &str, faults: &mut Faults<'_>) {
    let key = &blueprint.secrets.kms_key;
    key_faults(&["secrets", "kmsKey"], key, role, aws, faults);
    if key.as_str().starts_with("arn:") && blueprint.regions.len() > 1 {
        faults.add(
            fault::CONTRADICTION,
            &["secrets", "kmsKey"],
            "secrets are copied to every region, and a key encrypts in its own region only",
            "one key for several regions",
            "write `platform`: each region has a key of its own then",
        );
    }
    let function = blueprint.secrets.rotation.function.as_ref().map(super::super::scalar::Arn::as_str);
    let place = function.and_then(|arn| arn.split(':').nth(3));
    if let Some(other) = place.filter(|other| *other != aws) {
        faults.add(
            fault::CONTRADICTION,
            &["secrets", "rotation", "function"],
            format!("this function is in {other}, and {role}, where secrets are replaced, is in {aws}"),
            "a function of another region",
            format!("name a function in {aws}; the new values are copied to the other regions"),
        );
    }
}

/// What a role that was there before may do is not the platform's to say.
fn role_faults(blueprint: &Blueprint, faults: &mut Faults<'_>) {
    for (group, workloads) in [("services", &blueprint.services), ("components", &blueprint.components)] {
        for (name, workload) in workloads {
            let Some(role) = &workload.role else { continue };
            if !workload.permissions.is_empty() {
                faults.add(
                    fault::CONTRADICTION,
                    &[group, name.as_str(), "permissions"],
                    format!(
                        "`{name}` uses the role {role}, which is not the platform's to give permissions to"
                    ),
                    "of a role of its own",
                    "leave `role` out, or give that role these permissions where it is made",
                );
            }
            if !role.as_str().contains(":role/") {
                faults.add(
                    fault::INVALID_VALUE,
                    &[group, name.as_str(), "role"],
                    format!("{role} is no IAM role"),
                    "not a role",
                    "write an ARN of the form arn:aws:iam::ACCOUNT:role/NAME",
                );
            }
        }
    }
}

/// EKS makes no cluster of a version whose extended support has ended.
fn version_faults(blueprint: &Blueprint, role: &RoleName, faults: &mut Faults<'_>) {
    let version = blueprint.regions.get(role).and_then(|region| region.cluster.version.as_ref());
    let minor = version.and_then(|version| version.as_str().strip_prefix("1.")?.parse::<u32>().ok());
    let path = ["regions", role.as_str(), "cluster", "version"];
    // A region that names none takes the one before it, where it is a finding already.
    if minor.is_some_and(|minor| minor < OLDEST_KUBERNETES_MINOR) && faults.is_written(&path) {
        faults.add(
            fault::INVALID_VALUE,
            &path,
            format!("EKS no longer offers Kubernetes 1.{}", minor.unwrap_or_default()),
            "its support has ended",
            format!("write \"1.{OLDEST_KUBERNETES_MINOR}\" or newer, or leave it out"),
        );
    }
}

/// A cluster starts with nothing but the add-ons named here, and a list that is written replaces the default one:
/// who adds one add-on must not lose the network, and with it every network policy.
fn addon_faults(blueprint: &Blueprint, role: &RoleName, faults: &mut Faults<'_>) {
    let Some(region) = blueprint.regions.get(role) else { return };
    let workloads = || blueprint.services.values().chain(blueprint.components.values());
    let volumes =
        !blueprint.storage.claims.is_empty() || workloads().any(|workload| workload.storage.is_some());
    let needed = [
        ("vpc-cni", "no node becomes ready and no network policy holds"),
        ("kube-proxy", "no pod reaches a service"),
        ("coredns", "no pod finds a service by its name"),
        ("eks-pod-identity-agent", "neither services nor add-ons get their AWS permissions"),
        ("aws-ebs-csi-driver", "no volume is ever made"),
        ("aws-secrets-store-csi-driver-provider", "no pod that reads a secret starts"),
    ];
    let files = blueprint.secrets.store == SecretStore::SecretsManager
        && workloads().any(|workload| !workload.secret_files.is_empty());
    for (addon, without) in needed {
        let present = region.cluster.addons.keys().any(|name| name.as_str() == addon);
        let wanted = match addon {
            "aws-ebs-csi-driver" => volumes,
            "aws-secrets-store-csi-driver-provider" => files,
            _ => true,
        };
        if !present && wanted {
            faults.add(
                fault::CONTRADICTION,
                &["regions", role.as_str(), "cluster", "addons"],
                format!("the add-on `{addon}` of {role} is missing; without it {without}"),
                "replaces the default list",
                format!("add `{addon}: {{}}`, or leave `addons` out"),
            );
        }
    }
}

/// A key encrypts only in the region its ARN names, replicas of multi-region keys too
/// (docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html).
fn key_faults(path: &[&str], key: &KmsKey, role: &RoleName, aws: &str, faults: &mut Faults<'_>) {
    let stands_in = key.as_str().strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2));
    if let Some(other) = stands_in.filter(|other| *other != aws) {
        faults.add(
            fault::CONTRADICTION,
            path,
            format!("this key is one of {other}, and {role} is in {aws}; AWS refuses keys of other regions"),
            "a key of another region",
            format!("name a key of {aws}, or write `platform`"),
        );
    }
}

/// The image of a node has to be built for the processors of all its instance types.
fn processor_faults(path: &[&str], group: &NodeGroup, faults: &mut Faults<'_>) {
    let image = group.ami_type.as_str();
    let wanted = match (image.contains("ARM_64"), image.contains("x86_64")) {
        (true, _) => true,
        (_, true) => false,
        _ => return,
    };
    let written = |key: &'static str| faults.is_written(&[path, &[key]].concat());
    // Both taken over from the group it mirrors: there it is a finding already.
    if group.mirrors.is_some() && !written("instanceTypes") && !written("amiType") {
        return;
    }
    for (at, instance) in group.instance_types.iter().enumerate() {
        if is_arm(instance) != wanted {
            let (has, other) = if wanted { ("x86", "x86_64") } else { ("Arm", "ARM_64") };
            faults.add(
                fault::CONTRADICTION,
                &[path, &["instanceTypes", &at.to_string()]].concat(),
                format!("{instance} has {has} processors, and the nodes' image is {image}"),
                "cannot start this image",
                format!(
                    "choose another instance type, or write an `amiType` for {other}: AL2023_{other}_STANDARD"
                ),
            );
        }
    }
}

/// Graviton instances carry a `g` among the letters after the generation's number: m7g, c7gn, g5g; and a1
/// (docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html).
fn is_arm(instance: &InstanceType) -> bool {
    let family = instance.as_str().split('.').next().unwrap_or_default();
    let options = family.trim_start_matches(|char: char| !char.is_ascii_digit());
    family == "a1" || options.trim_start_matches(|char: char| char.is_ascii_digit()).starts_with('g')
}

/// What is default-denied and restricted in `kube-system` takes DNS and the nodes' agents with it
/// (kubernetes.io/docs/concepts/overview/working-with-objects/namespaces: the prefix is reserved).
fn namespace_faults(blueprint: &Blueprint, faults: &mut Faults<'_>) {
    for name in blueprint.namespaces.keys().filter(|name| name.as_str().starts_with("kube-")) {
        faults.add(
            fault::CONTRADICTION,
            &["namespaces", name.as_str()],
            format!(
                "the namespace `{name}` belongs to Kubernetes; its own parts would stop under these rules"
            ),
            "not yours to declare",
            "choose a name that does not begin with `kube-`",
        );
    }
}
