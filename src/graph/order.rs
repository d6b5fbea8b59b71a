//! Which column, which row and which upright line: what decides how often lines cross, and how long they are.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Edge, NodeId, Picture};

/// Everybody who calls the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Net {
    /// The called.
    pub(super) callee: NodeId,
    /// The column in front of which the line stands.
    pub(super) channel: usize,
    /// The edges.
    pub(super) edges: Vec<usize>,
}

/// The column of everything in the lanes: right of all that call it. Where calls go round in a circle, the one of it that
/// comes first in the blueprint begins.
pub(super) fn columns(picture: &Picture, lanes: &[Vec<NodeId>]) -> BTreeMap<NodeId, usize> {
    let mut columns: BTreeMap<NodeId, usize> = lanes.iter().flatten().map(|id| (*id, 0)).collect();
    let edges: Vec<(NodeId, NodeId)> = picture
        .edges
        .iter()
        .map(|edge| (edge.from, edge.to))
        .filter(|(from, to)| from != to && columns.contains_key(from) && columns.contains_key(to))
        .collect();
    let mut open: BTreeMap<NodeId, usize> = columns.keys().map(|id| (*id, 0)).collect();
    let mut callees: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for (from, to) in &edges {
        *open.entry(*to).or_default() += 1;
        callees.entry(*from).or_default().push(*to);
    }
    let mut ready: BTreeSet<NodeId> =
        open.iter().filter(|(_, callers)| **callers == 0).map(|(id, _)| *id).collect();
    let sources = ready.clone();
    while let Some(id) = ready.pop_first().or_else(|| open.keys().next().copied()) {
        open.remove(&id);
        let next = columns.get(&id).copied().unwrap_or_default() + 1;
        for to in callees.get(&id).into_iter().flatten() {
            // What is placed already closes a circle.
            let Some(callers) = open.get_mut(to) else { continue };
            *callers = callers.saturating_sub(1);
            if *callers == 0 {
                ready.insert(*to);
            }
            if let Some(column) = columns.get_mut(to) {
                *column = next.max(*column);
            }
        }
    }
    // What nobody calls stands beside what it calls, but the way in stays in front.
    let entry = picture
        .source
        .as_ref()
        .and_then(|source| picture.edges.iter().find(|edge| edge.from == source.id).map(|edge| edge.to));
    for id in sources.into_iter().filter(|id| Some(*id) != entry) {
        let nearest = callees.get(&id).into_iter().flatten().filter_map(|to| columns.get(to)).min();
        if let Some(column) = nearest.and_then(|nearest| nearest.checked_sub(1)) {
            columns.insert(id, column);
        }
    }
    columns
}

/// One net for everything that is called. What is outside of the region comes after the last column.
pub(super) fn nets(
    edges: &[Edge],
    columns: &BTreeMap<NodeId, usize>,
    picture: &Picture,
    count: usize,
) -> Vec<Net> {
    let mut nets: BTreeMap<NodeId, Net> = BTreeMap::new();
    for (of, edge) in edges.iter().enumerate() {
        if picture.source.as_ref().is_some_and(|source| source.id == edge.from) {
            continue;
        }
        let channel = columns.get(&edge.to).copied().unwrap_or(count);
        nets.entry(edge.to)
            .or_insert_with(|| Net { callee: edge.to, channel, edges: Vec::new() })
            .edges
            .push(of);
    }
    nets.into_values().collect()
}

/// Sorts each lane: by column first, then so that the upright lines become short.
pub(super) fn rows(
    mut lanes: Vec<Vec<NodeId>>,
    columns: &BTreeMap<NodeId, usize>,
    edges: &[Edge],
) -> Vec<Vec<NodeId>> {
    for lane in &mut lanes {
        lane.sort_by_key(|id| (columns.get(id).copied().unwrap_or_default(), *id));
    }
    // Swapping neighbours costs a look at every edge; a platform that is far too large for a picture is left as it is.
    let things: usize = lanes.iter().map(Vec::len).sum();
    if things.saturating_mul(edges.len()) > 400_000 {
        return lanes;
    }
    let mut best = cost(&lanes, edges);
    for _ in 0..4 {
        let before = best;
        for lane in 0..lanes.len() {
            for at in 1..lanes[lane].len() {
                lanes[lane].swap(at - 1, at);
                let now = cost(&lanes, edges);
                if now < best {
                    best = now;
                } else {
                    lanes[lane].swap(at - 1, at);
                }
            }
        }
        if best == before {
            break;
        }
    }
    lanes
}

/// How long all upright lines are together, in rows.
fn cost(lanes: &[Vec<NodeId>], edges: &[Edge]) -> usize {
    let mut rows: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (row, id) in lanes.iter().flatten().enumerate() {
        rows.insert(*id, row);
    }
    let mut spans: BTreeMap<NodeId, (usize, usize)> = BTreeMap::new();
    for edge in edges {
        if let (Some(from), Some(to)) = (rows.get(&edge.from), rows.get(&edge.to)) {
            let (low, high) = spans.entry(edge.to).or_insert((*to, *to));
            (*low, *high) = ((*low).min(*from), (*high).max(*from));
        }
    }
    spans.values().map(|(low, high)| high - low).sum()
}

/// In which order upright lines stand in front of a column, so that few lines cross. Each is given as the height at which
/// it enters its callee, and the heights at which its callers meet it.
pub(super) fn tracks(nets: &[(i32, Vec<i32>)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..nets.len()).collect();
    order.sort_by_key(|at| (nets[*at].0, *at));
    let crossings = |left: usize, right: usize| {
        let within = |net: usize, y: i32| {
            let (to, from) = &nets[net];
            let low = from.iter().copied().fold(*to, i32::min);
            let high = from.iter().copied().fold(*to, i32::max);
            usize::from(low < y && y < high)
        };
        // The left one goes on to its callee through the right one; the right one's callers come through the left one.
        within(right, nets[left].0) + nets[right].1.iter().map(|y| within(left, *y)).sum::<usize>()
    };
    for _ in 0..order.len() {
        let mut changed = false;
        for at in 1..order.len() {
            if crossings(order[at], order[at - 1]) < crossings(order[at - 1], order[at]) {
                order.swap(at - 1, at);
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    order
}
