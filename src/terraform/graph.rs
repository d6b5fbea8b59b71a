//! Strongly connected components of a directed graph.

/// The components, those first that the others point to; nodes on no circle are components of one.
///
/// Tarjan's algorithm ("Depth-first search and linear graph algorithms", 1972) with its own stack, so that a chain
/// of any length is safe.
pub(super) fn components(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let mut found = Vec::new();
    let mut number = vec![UNSEEN; edges.len()];
    let mut low = vec![0; edges.len()];
    let mut waiting = vec![false; edges.len()];
    let mut stack: Vec<usize> = Vec::new();
    let mut next = 0;
    for start in 0..edges.len() {
        if number.get(start) != Some(&UNSEEN) {
            continue;
        }
        // A node and how many of its edges are done.
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((node, done)) = path.pop() {
            let Some(targets) = edges.get(node) else { continue };
            if done == 0 {
                set(&mut number, node, next);
                set(&mut low, node, next);
                next += 1;
                stack.push(node);
                set(&mut waiting, node, true);
            }
            if let Some(target) = done.checked_sub(1).and_then(|last| targets.get(last)) {
                // Back from the edge before this one.
                if get(&waiting, *target) {
                    let reached = get(&low, *target).min(get(&low, node));
                    set(&mut low, node, reached);
                }
            }
            if let Some(target) = targets.get(done) {
                path.push((node, done + 1));
                if get(&number, *target) == UNSEEN {
                    path.push((*target, 0));
                }
                continue;
            }
            if get(&low, node) == get(&number, node) {
                let mut component = Vec::new();
                while let Some(member) = stack.pop() {
                    set(&mut waiting, member, false);
                    component.push(member);
                    if member == node {
                        break;
                    }
                }
                found.push(component);
            }
        }
    }
    found
}

fn get<T: Copy + Default>(items: &[T], at: usize) -> T {
    items.get(at).copied().unwrap_or_default()
}

fn set<T>(items: &mut [T], at: usize, value: T) {
    if let Some(slot) = items.get_mut(at) {
        *slot = value;
    }
}
