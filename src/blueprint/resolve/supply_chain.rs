//! Which registries images may come from.

use super::Faults;
use crate::blueprint::facts::is_public_registry;
use crate::blueprint::model::Blueprint;
use crate::blueprint::scalar::{Registry, known};
use crate::source::fault;

/// Without a list the registries of the blueprint's own images are it: the clusters refuse every other.
pub(super) fn resolve(blueprint: &mut Blueprint, faults: &mut Faults<'_>) {
    if let Some(signatures) = &blueprint.supply_chain.signatures
        && signatures.kms_key.is_some() == signatures.public_key.is_some()
    {
        faults.add(
            fault::CONTRADICTION,
            &["supplyChain", "signatures"],
            "a signature is checked with one key, and this names none or two",
            "one key",
            "write either `kmsKey: arn:aws:kms:...` or `publicKey` with the key in PEM",
        );
    }
    if blueprint.supply_chain.registries.is_some() {
        return;
    }
    let workloads = blueprint.services.values().chain(blueprint.components.values());
    let images = workloads
        .filter_map(|workload| workload.image.as_ref())
        .chain(blueprint.ingress.iter().filter_map(|ingress| ingress.image.as_ref()));
    let mut registries: Vec<Registry> = Vec::new();
    for image in images {
        let repository = image.repository.as_str();
        let host = repository.split_once('/').map_or("", |(host, _)| host);
        // A name without a host is Docker Hub's.
        let is_host = host.contains(['.', ':']) || host == "localhost";
        let registry: Registry = known(host);
        if is_host && !is_public_registry(host) && !registries.contains(&registry) {
            registries.push(registry);
        }
    }
    registries.sort();
    blueprint.supply_chain.registries = Some(registries);
}
