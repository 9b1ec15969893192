//! Where do tasks stand when a person asks for order?
//!
//! In layers from left to right along the arrows: each task as far left as its upstreams allow, each layer in the order
//! of the middle of its neighbours, so that few arrows cross. Deterministic.

use std::collections::{BTreeMap, BTreeSet};

use model::{Gather, Pipeline, Place, TaskId};

use super::{Outcome, Refusal};
use crate::{
    board::CARD,
    document::Edits,
    geometry::{Point, as_one_reads, snap},
    selection::Selection,
};

const COLUMN: f64 = 360.0;
const ROW: f64 = 120.0;
const SWEEPS: usize = 6;

struct Net<'a> {
    upstream: BTreeMap<&'a TaskId, Vec<&'a TaskId>>,
    downstream: BTreeMap<&'a TaskId, Vec<&'a TaskId>>,
}

pub fn layout(edits: &mut Edits<'_>, selection: &Selection) -> Outcome {
    let pipeline = edits.pipeline().clone();
    let chosen: BTreeSet<&TaskId> = match selection.tasks.len() {
        0 | 1 => pipeline.tasks.keys().gather(),
        _ => pipeline.tasks.keys().filter(|id| selection.tasks.contains(*id)).gather(),
    };
    if chosen.is_empty() {
        return Err(Refusal::NothingSelected);
    }
    let net = net(&pipeline, &chosen);
    let mut layers = layers(&net, &chosen);
    (0..SWEEPS).for_each(|sweep| order(&mut layers, &net, sweep % 2 == 0));
    let origin = origin(&pipeline, &chosen);
    let tallest = layers.iter().map(Vec::len).max().unwrap_or(0) as f64;
    for (column, layer) in layers.iter().enumerate() {
        // Shorter layers stand in the middle of the tallest.
        let top = (tallest - layer.len() as f64) / 2.0 * ROW;
        for (row, id) in layer.iter().enumerate() {
            let (x, y) = (origin.x + column as f64 * COLUMN, origin.y + snap(top + row as f64 * ROW, 20.0));
            let old = pipeline.task_places.get(*id).copied().unwrap_or_default();
            edits.place_task(id, Place { x, y, ..old });
        }
    }
    Ok(selection.clone())
}

/// The upper left corner of what is laid out stays where it is.
fn origin(pipeline: &Pipeline, chosen: &BTreeSet<&TaskId>) -> Point {
    let places = chosen.iter().filter_map(|id| pipeline.task_places.get(*id));
    let corner = places.fold(None, |corner: Option<Point>, place| {
        let at = corner.map_or(Point::new(place.x, place.y), |c| Point::new(c.x.min(place.x), c.y.min(place.y)));
        Some(at)
    });
    let corner = corner.unwrap_or(Point::new(0.0, CARD.height));
    Point::new(snap(corner.x, 20.0), snap(corner.y, 20.0))
}

fn net<'a>(pipeline: &'a Pipeline, chosen: &BTreeSet<&'a TaskId>) -> Net<'a> {
    let (mut upstream, mut downstream) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
    for arrow in pipeline.arrows.values() {
        let (from, to) = (&arrow.from_task, &arrow.to_task);
        if chosen.contains(from) && chosen.contains(to) {
            upstream.entry(to).or_default().push(from);
            downstream.entry(from).or_default().push(to);
        }
    }
    Net { upstream, downstream }
}

/// Longest way from a start. Tasks on a circle, which have none, come after all others.
fn layers<'a>(net: &Net<'a>, chosen: &BTreeSet<&'a TaskId>) -> Vec<Vec<&'a TaskId>> {
    let mut open: BTreeMap<&TaskId, usize> =
        chosen.iter().map(|id| (*id, net.upstream.get(*id).map_or(0, Vec::len))).gather();
    let mut layers: Vec<Vec<&TaskId>> = Vec::new();
    while !open.is_empty() {
        let mut ready: Vec<&TaskId> = open.iter().filter(|(_, waits)| **waits == 0).map(|(id, _)| *id).collect();
        if ready.is_empty() {
            ready = open.keys().copied().collect();
        }
        for id in &ready {
            open.remove(*id);
            for next in net.downstream.get(*id).into_iter().flatten() {
                open.entry(*next).and_modify(|waits| *waits = waits.saturating_sub(1));
            }
        }
        layers.push(ready);
    }
    layers
}

/// Sorts each layer by the mean row of its neighbours in the layer that was ordered before it.
fn order(layers: &mut [Vec<&TaskId>], net: &Net<'_>, forward: bool) {
    let mut rows: BTreeMap<&TaskId, f64> = BTreeMap::new();
    for layer in layers.iter() {
        rows.extend(layer.iter().enumerate().map(|(row, id)| (*id, row as f64 - layer.len() as f64 / 2.0)));
    }
    let neighbours = if forward { &net.upstream } else { &net.downstream };
    let count = layers.len();
    for step in 0..count {
        let layer = &mut layers[if forward { step } else { count - 1 - step }];
        let wish = |id: &TaskId| {
            let near = neighbours.get(id).map_or(&[] as &[_], Vec::as_slice);
            let sum: f64 = near.iter().filter_map(|other| rows.get(*other)).sum();
            if near.is_empty() { rows.get(id).copied().unwrap_or(0.0) } else { sum / near.len() as f64 }
        };
        let wished: Vec<Point> = layer.iter().map(|id| Point::new(wish(id), 0.0)).collect();
        *layer = as_one_reads(&wished).into_iter().map(|at| layer[at]).collect();
        let half = layer.len() as f64 / 2.0;
        let placed: Vec<_> = layer.iter().enumerate().map(|(row, id)| (*id, row as f64 - half)).collect();
        rows.extend(placed);
    }
}
