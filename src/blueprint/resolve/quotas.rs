//! Quotas of namespaces: what the pods of a namespace ask for at most, and as much again.

use super::Faults;
use crate::blueprint::model::{Blueprint, Quota};
use crate::blueprint::platform::{Plan, WorkloadPlan};
use crate::blueprint::scalar::{Quantity, known};
use crate::source::fault;

/// Pods and what they ask for together: thousandths of a CPU, and MiB of memory.
#[derive(Debug, Clone, Copy, Default)]
struct Need {
    pods: u64,
    cpu: u64,
    cpu_limit: u64,
    memory: u64,
}

/// What a pod asks for at least: an init container of a component may ask for more than a small pod does.
const LEAST: Need = Need { pods: 1, cpu: 250, cpu_limit: 1000, memory: 512 };
/// A pod of the ingress controller, as `templates/kubernetes/ingress/nginx-ingress.yaml.j2` has it.
const INGRESS: Need = Need { pods: 1, cpu: 250, cpu_limit: 1000, memory: 512 };
/// Room for what somebody runs by hand in a namespace that has nothing of the platform's own.
const FLOOR: Need = Need { pods: 10, cpu: 2000, cpu_limit: 4000, memory: 4096 };
/// How much of what is needed at most a namespace gets: enough for terminating pods and for twice the replicas.
const ROOM: u64 = 2;

impl Need {
    fn times(self, count: u64) -> Self {
        Self {
            pods: self.pods.saturating_mul(count),
            cpu: self.cpu.saturating_mul(count),
            cpu_limit: self.cpu_limit.saturating_mul(count),
            memory: self.memory.saturating_mul(count),
        }
    }

    fn with(self, other: Self) -> Self {
        Self {
            pods: self.pods.saturating_add(other.pods),
            cpu: self.cpu.saturating_add(other.cpu),
            cpu_limit: self.cpu_limit.saturating_add(other.cpu_limit),
            memory: self.memory.saturating_add(other.memory),
        }
    }

    fn or_more(self, other: Self) -> Self {
        Self {
            pods: self.pods.max(other.pods),
            cpu: self.cpu.max(other.cpu),
            cpu_limit: self.cpu_limit.max(other.cpu_limit),
            memory: self.memory.max(other.memory),
        }
    }
}

/// Fills in the quotas, and refuses one that the namespace's own pods do not fit into: nothing of the platform would
/// start there, or be updated. Kubernetes' own namespaces have none.
pub(super) fn resolve(blueprint: &mut Blueprint, plan: &mut Plan, faults: &mut Faults<'_>) {
    let controllers = blueprint.ingress.as_ref().map_or(0, |_| most_nodes(blueprint).max(3));
    for planned in &mut plan.namespaces {
        let name = planned.name.clone();
        let own = blueprint.namespaces.iter_mut().find(|(key, _)| key.as_str() == name);
        let Some((_, namespace)) = own.filter(|_| !name.starts_with("kube-")) else { continue };
        let mut need = plan
            .workloads
            .iter()
            .filter(|workload| workload.namespace == name)
            .map(of_workload)
            .fold(Need::default(), Need::with);
        if name == "ingress" {
            need = need.with(INGRESS.times(controllers));
        }
        fill(&name, &mut namespace.quota, need, faults);
        planned.quota = namespace.quota.clone();
    }
}

/// As many as a region's nodes can become: the ingress controller may run on each of them.
fn most_nodes(blueprint: &Blueprint) -> u64 {
    let of_region = blueprint.regions.values().map(|region| {
        region.cluster.node_groups.values().map(|group| u64::from(group.size.max)).sum::<u64>()
    });
    of_region.max().unwrap_or(0)
}

fn of_workload(workload: &WorkloadPlan) -> Need {
    let resources = &workload.spec.resources;
    let pod = Need {
        pods: 1,
        cpu: whole(&resources.cpu, 1000.0),
        cpu_limit: whole(&resources.cpu_limit, 1000.0),
        memory: whole(&resources.memory, 1.0 / MIB),
    };
    // A Deployment starts one pod more before it stops the first.
    let surge = u64::from(!workload.stateful);
    pod.or_more(LEAST).times(u64::from(workload.spec.replicas).saturating_add(surge))
}

fn fill(name: &str, quota: &mut Quota, need: Need, faults: &mut Faults<'_>) {
    written(name, quota, need, faults);
    let room = need.times(ROOM).or_more(FLOOR);
    quota.pods.get_or_insert(u32::try_from(room.pods).unwrap_or(u32::MAX));
    quota.cpu.get_or_insert_with(|| known(&room.cpu.div_ceil(1000).to_string()));
    quota.cpu_limit.get_or_insert_with(|| known(&room.cpu_limit.div_ceil(1000).to_string()));
    quota.memory.get_or_insert_with(|| known(&format!("{}Gi", room.memory.div_ceil(1024))));
}

fn written(name: &str, quota: &Quota, need: Need, faults: &mut Faults<'_>) {
    let amount = |quantity: &Option<Quantity>, scale: f64| quantity.as_ref().map(|text| whole(text, scale));
    let memory = |mib: u64| format!("{mib}Mi");
    let cpu = |milli: u64| format!("{milli}m");
    let all = [
        ("pods", quota.pods.map(u64::from), need.pods, need.pods.to_string()),
        ("cpu", amount(&quota.cpu, 1000.0), need.cpu, cpu(need.cpu)),
        ("cpuLimit", amount(&quota.cpu_limit, 1000.0), need.cpu_limit, cpu(need.cpu_limit)),
        ("memory", amount(&quota.memory, 1.0 / MIB), need.memory, memory(need.memory)),
    ];
    for (key, given, needed, text) in all {
        if given.is_some_and(|given| given < needed) {
            faults.add(
                fault::CONTRADICTION,
                &["namespaces", name, "quota", key],
                format!("the pods of the namespace `{name}` need {text} while they are updated, and the quota allows less"),
                "too little",
                format!("write at least {text}, or leave it out: the default is twice that"),
            );
        }
    }
}

const MIB: f64 = 1_048_576.0;

/// A quantity times a scale, rounded up (kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity).
fn whole(quantity: &Quantity, scale: f64) -> u64 {
    const SUFFIXES: [(&str, f64); 13] = [
        ("Ki", 1024.0),
        ("Mi", MIB),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("u", 1e-6),
        ("n", 1e-9),
    ];
    let text = quantity.as_str();
    let (number, factor) = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| text.strip_suffix(suffix).map(|number| (number, *factor)))
        .unwrap_or((text, 1.0));
    let value = number.parse::<f64>().unwrap_or(0.0) * factor * scale;
    // A hair's breadth of a double is no further unit.
    format!("{:.0}", (value - 1e-9).ceil().max(0.0)).parse().unwrap_or(u64::MAX)
}
