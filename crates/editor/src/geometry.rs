//! Where are points, rectangles and the curve of an arrow?
//!
//! World units: a card is 220 wide; y grows downwards. Screen units: CSS pixels from the canvas' upper left corner.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

impl Point {
    pub const fn new(x: f64, y: f64) -> Self {
        Point { x, y }
    }

    pub fn distance(self, other: Point) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    pub fn plus(self, dx: f64, dy: f64) -> Point {
        Point::new(self.x + dx, self.y + dy)
    }
}

/// The indices of points from left to right, then from top to bottom; equal ones keep their order. Whoever sorts by place
/// sorts here: a sorting algorithm is compiled for each type that it sorts.
pub fn as_one_reads(points: &[Point]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (points[*a], points[*b]);
        a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y))
    });
    order
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    pub width: f64,
    pub height: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Rect {
    pub const fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Rect { x, y, width, height }
    }

    /// The rectangle that has both points as corners.
    pub fn between(a: Point, b: Point) -> Self {
        Rect::new(a.x.min(b.x), a.y.min(b.y), (a.x - b.x).abs(), (a.y - b.y).abs())
    }

    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// The upper left one.
    pub fn corner(&self) -> Point {
        Point::new(self.x, self.y)
    }

    pub fn centre(&self) -> Point {
        Point::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    pub fn contains(&self, point: Point) -> bool {
        point.x >= self.x && point.x <= self.right() && point.y >= self.y && point.y <= self.bottom()
    }

    pub fn touches(&self, other: &Rect) -> bool {
        self.x <= other.right() && other.x <= self.right() && self.y <= other.bottom() && other.y <= self.bottom()
    }

    pub fn grown(&self, by: f64) -> Rect {
        Rect::new(self.x - by, self.y - by, self.width + 2.0 * by, self.height + 2.0 * by)
    }

    pub fn union(&self, other: &Rect) -> Rect {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Rect::new(x, y, self.right().max(other.right()) - x, self.bottom().max(other.bottom()) - y)
    }

    /// Around all of them; `None` when there are none.
    pub fn around(all: impl IntoIterator<Item = Rect>) -> Option<Rect> {
        all.into_iter().reduce(|a, b| a.union(&b))
    }
}

/// The nearest multiple of the grid.
pub fn snap(value: f64, grid: f64) -> f64 {
    (value / grid).round() * grid
}

/// An arrow as a cubic Bézier curve that leaves to the right and arrives from the left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    pub from: Point,
    pub to: Point,
    /// How far both control points stand off horizontally.
    pub reach: f64,
}

impl Curve {
    pub fn new(from: Point, to: Point) -> Self {
        let dx = to.x - from.x;
        // Backward arrows need room to turn; forward ones look calm with half of their width.
        let reach = if dx >= 0.0 { (dx / 2.0).clamp(12.0, 160.0) } else { (40.0 - dx / 3.0).min(240.0) };
        Curve { from, to, reach }
    }

    pub fn controls(&self) -> (Point, Point) {
        (self.from.plus(self.reach, 0.0), self.to.plus(-self.reach, 0.0))
    }

    /// The point at `t` from 0 (start) to 1 (end).
    pub fn at(&self, t: f64) -> Point {
        let (a, b) = self.controls();
        let (u, v) = (1.0 - t, t);
        let mix = |p0: f64, p1: f64, p2: f64, p3: f64| {
            u * u * u * p0 + 3.0 * u * u * v * p1 + 3.0 * u * v * v * p2 + v * v * v * p3
        };
        Point::new(mix(self.from.x, a.x, b.x, self.to.x), mix(self.from.y, a.y, b.y, self.to.y))
    }

    /// The ends of straight pieces that stray from the curve by `tolerance` at most, without its start.
    pub fn pieces(&self, tolerance: f64) -> impl Iterator<Item = Point> {
        // A piece strays by an eighth of the second derivative, which is six second differences at most.
        let bend = (self.to.x - self.from.x - 3.0 * self.reach).hypot(self.to.y - self.from.y);
        let pieces = (0.75 * bend / tolerance).sqrt().ceil().clamp(1.0, 64.0) as u32;
        (1..=pieces).map(move |piece| self.at(f64::from(piece) / f64::from(pieces)))
    }

    /// Holds the whole curve: a Bézier curve never leaves the hull of its points.
    pub fn bounds(&self) -> Rect {
        let (a, b) = self.controls();
        Rect::between(self.from, self.to).union(&Rect::between(a, b))
    }

    /// The distance from the curve, walked in 24 straight pieces.
    pub fn distance(&self, point: Point) -> f64 {
        const PIECES: u32 = 24;
        let mut nearest = f64::INFINITY;
        let mut before = self.from;
        for piece in 1..=PIECES {
            let next = self.at(f64::from(piece) / f64::from(PIECES));
            nearest = nearest.min(distance_to_line(point, before, next));
            before = next;
        }
        nearest
    }
}

fn distance_to_line(point: Point, a: Point, b: Point) -> f64 {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let length = dx * dx + dy * dy;
    if length == 0.0 {
        return point.distance(a);
    }
    let t = (((point.x - a.x) * dx + (point.y - a.y) * dy) / length).clamp(0.0, 1.0);
    point.distance(a.plus(t * dx, t * dy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn straight_pieces_stray_from_a_curve_by_the_tolerance_at_most() {
        for to in [Point::new(300.0, 80.0), Point::new(-300.0, 10.0), Point::new(90.0, -900.0), Point::new(20.0, 0.0)] {
            let curve = Curve::new(Point::new(0.0, 0.0), to);
            let ends: Vec<Point> = curve.pieces(0.5).collect();
            assert_eq!(ends.last(), Some(&to));
            let mut before = curve.from;
            let pieces: Vec<_> = ends.into_iter().map(|end| (std::mem::replace(&mut before, end), end)).collect();
            for step in 0..=500 {
                let point = curve.at(f64::from(step) / 500.0);
                let strays = pieces.iter().map(|(a, b)| distance_to_line(point, *a, *b)).fold(f64::INFINITY, f64::min);
                assert!(strays <= 0.5, "{strays} of {curve:?} in {} pieces", pieces.len());
            }
        }
    }

    #[test]
    fn a_curve_lies_in_its_bounds_and_passes_its_ends() {
        for to in [Point::new(300.0, 80.0), Point::new(-300.0, 10.0), Point::new(0.0, 0.0)] {
            let curve = Curve::new(Point::new(0.0, 0.0), to);
            assert_eq!((curve.at(0.0), curve.at(1.0)), (curve.from, curve.to));
            for step in 0..=20 {
                let point = curve.at(f64::from(step) / 20.0);
                assert!(curve.bounds().grown(1e-9).contains(point));
                assert!(curve.distance(point) < 1.0, "{point:?} of {curve:?}");
            }
        }
    }

    #[test]
    fn snapping_goes_to_the_nearest_line_on_both_sides_of_zero() {
        assert_eq!([snap(29.0, 20.0), snap(31.0, 20.0), snap(-31.0, 20.0)], [20.0, 40.0, -40.0]);
    }
}
