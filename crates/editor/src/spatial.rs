//! What lies near a place, without looking at everything?
//!
//! A hash of square cells. Cost of a small question does not grow with what lies elsewhere; a question over more cells
//! than are filled, and things over many cells (long arrows), are simply looked through.

use std::collections::HashMap;

use crate::geometry::Rect;

const CELL: f64 = 512.0;
/// A thing over more cells is kept in a list of its own.
const MOST_CELLS: usize = 24;

/// Rectangles under small numbers.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    /// Looked up by key, never walked.
    cells: HashMap<(i32, i32), Vec<u32>>,
    large: Vec<u32>,
    rects: Vec<Option<Rect>>,
}

struct Span {
    x0: i32,
    y0: i32,
    x1: i32,
    y1: i32,
}

impl Span {
    fn of(rect: &Rect) -> Self {
        let cell = |value: f64| (value / CELL).floor() as i32;
        Span { x0: cell(rect.x), y0: cell(rect.y), x1: cell(rect.right()), y1: cell(rect.bottom()) }
    }

    fn count(&self) -> usize {
        let side = |a: i32, b: i32| (i64::from(b) - i64::from(a) + 1) as usize;
        side(self.x0, self.x1).saturating_mul(side(self.y0, self.y1))
    }

    fn cells(&self) -> impl Iterator<Item = (i32, i32)> {
        let (y0, y1) = (self.y0, self.y1);
        (self.x0..=self.x1).flat_map(move |x| (y0..=y1).map(move |y| (x, y)))
    }
}

impl Grid {
    /// Puts a thing there, or moves it.
    pub fn put(&mut self, thing: u32, rect: Rect) {
        let at = thing as usize;
        if self.rects.len() <= at {
            self.rects.resize(at + 1, None);
        }
        let span = Span::of(&rect);
        if let Some(old) = self.rects[at].replace(rect) {
            let old = Span::of(&old);
            if (old.x0, old.y0, old.x1, old.y1) == (span.x0, span.y0, span.x1, span.y1) {
                return;
            }
            self.take_from_cells(thing, &old);
        }
        if span.count() > MOST_CELLS {
            self.large.push(thing);
        } else {
            span.cells().for_each(|cell| self.cells.entry(cell).or_default().push(thing));
        }
    }

    pub fn remove(&mut self, thing: u32) {
        if let Some(rect) = self.rects.get_mut(thing as usize).and_then(Option::take) {
            self.take_from_cells(thing, &Span::of(&rect));
        }
    }

    fn take_from_cells(&mut self, thing: u32, span: &Span) {
        if span.count() > MOST_CELLS {
            self.large.retain(|other| *other != thing);
            return;
        }
        for cell in span.cells() {
            if let Some(things) = self.cells.get_mut(&cell) {
                things.retain(|other| *other != thing);
                if things.is_empty() {
                    self.cells.remove(&cell);
                }
            }
        }
    }

    /// Fills `found` with all things that touch `area`, in ascending order. Answers how many were looked at.
    pub fn query(&self, area: &Rect, found: &mut Vec<u32>) -> usize {
        found.clear();
        let span = Span::of(area);
        let touches = |thing: u32| self.rects[thing as usize].is_some_and(|rect| rect.touches(area));
        if span.count() > self.cells.len() {
            found.extend((0..self.rects.len() as u32).filter(|thing| touches(*thing)));
            return self.rects.len();
        }
        let mut looked = self.large.len();
        found.extend(self.large.iter().copied().filter(|thing| touches(*thing)));
        for cell in span.cells() {
            let things = self.cells.get(&cell).map_or(&[] as &[u32], Vec::as_slice);
            looked += things.len();
            found.extend(things.iter().copied().filter(|thing| touches(*thing)));
        }
        found.sort_unstable();
        found.dedup();
        looked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(n: u32) -> Rect {
        Rect::new(f64::from(n % 100) * 260.0 - 900.0, f64::from(n / 100) * 110.0, 220.0, 50.0)
    }

    #[test]
    fn a_question_finds_what_looking_through_everything_finds() {
        let mut grid = Grid::default();
        (0..2000).for_each(|n| grid.put(n, rect(n)));
        (0..2000).step_by(7).for_each(|n| grid.remove(n));
        grid.put(3, Rect::new(-50_000.0, -50_000.0, 100_000.0, 100_000.0));
        let mut found = Vec::new();
        for area in [Rect::new(0.0, 0.0, 10.0, 10.0), Rect::new(-1000.0, 0.0, 9000.0, 9000.0), rect(500)] {
            grid.query(&area, &mut found);
            let there = |n: &u32| !n.is_multiple_of(7) && (*n == 3 || rect(*n).touches(&area));
            assert_eq!(found, (0..2000).filter(there).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_small_question_costs_the_same_whatever_lies_elsewhere() {
        let looked = |count: u32| {
            let mut grid = Grid::default();
            (0..count).for_each(|n| grid.put(n, rect(n)));
            grid.query(&Rect::new(500.0, 100.0, 4.0, 4.0), &mut Vec::new())
        };
        assert_eq!(looked(1_000), looked(10_000));
    }
}
