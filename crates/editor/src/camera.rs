//! Which part of the world is seen, and how large?

use serde::{Deserialize, Serialize};

use crate::geometry::{Point, Rect, Size};

pub const MIN_ZOOM: f64 = 0.02;
pub const MAX_ZOOM: f64 = 4.0;
/// One press of + or −.
pub const ZOOM_STEP: f64 = 1.2;
/// Room around what is fitted, in CSS pixels.
const MARGIN: f64 = 32.0;

/// `screen = world × zoom + (x, y)`. Never part of the document or its history.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    pub zoom: f64,
    pub x: f64,
    pub y: f64,
}

impl Default for Camera {
    fn default() -> Self {
        Camera { zoom: 1.0, x: 0.0, y: 0.0 }
    }
}

impl Camera {
    pub fn to_world(&self, screen: Point) -> Point {
        Point::new((screen.x - self.x) / self.zoom, (screen.y - self.y) / self.zoom)
    }

    pub fn to_screen(&self, world: Point) -> Point {
        Point::new(world.x * self.zoom + self.x, world.y * self.zoom + self.y)
    }

    pub fn rect_to_screen(&self, world: Rect) -> Rect {
        let at = self.to_screen(Point::new(world.x, world.y));
        Rect::new(at.x, at.y, world.width * self.zoom, world.height * self.zoom)
    }

    /// What a canvas of this size shows.
    pub fn seen(&self, size: Size) -> Rect {
        let at = self.to_world(Point::new(0.0, 0.0));
        Rect::new(at.x, at.y, size.width / self.zoom, size.height / self.zoom)
    }

    pub fn panned(&self, dx: f64, dy: f64) -> Camera {
        Camera { x: self.x + dx, y: self.y + dy, ..*self }
    }

    /// Zooms by `factor`; what is at `at` (screen) stays there.
    pub fn zoomed(&self, at: Point, factor: f64) -> Camera {
        self.zoomed_to(at, self.zoom * factor)
    }

    pub fn zoomed_to(&self, at: Point, zoom: f64) -> Camera {
        let zoom = zoom.clamp(MIN_ZOOM, MAX_ZOOM);
        let factor = zoom / self.zoom;
        Camera { zoom, x: at.x - (at.x - self.x) * factor, y: at.y - (at.y - self.y) * factor }
    }

    /// Shows all of `world` with a margin, at most at `most`.
    pub fn fitting(world: Rect, size: Size, most: f64) -> Camera {
        let room = |length: f64| (length - 2.0 * MARGIN).max(length * 0.5).max(1.0);
        let zoom = (room(size.width) / world.width.max(1.0)).min(room(size.height) / world.height.max(1.0));
        Camera::centred(world.centre(), size, zoom.min(most).clamp(MIN_ZOOM, MAX_ZOOM))
    }

    /// `world` in the middle of the canvas.
    pub fn centred(world: Point, size: Size, zoom: f64) -> Camera {
        Camera { zoom, x: size.width / 2.0 - world.x * zoom, y: size.height / 2.0 - world.y * zoom }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 800.0, height: 600.0 };

    #[test]
    fn zooming_keeps_the_point_under_the_pointer() {
        let camera = Camera { zoom: 0.7, x: 31.0, y: -12.0 };
        let at = Point::new(200.0, 150.0);
        for factor in [0.01, 0.5, 1.3, 100.0] {
            let zoomed = camera.zoomed(at, factor);
            assert!(zoomed.to_world(at).distance(camera.to_world(at)) < 1e-9);
            assert!((MIN_ZOOM..=MAX_ZOOM).contains(&zoomed.zoom));
        }
    }

    #[test]
    fn fitting_shows_everything_and_never_magnifies_beyond_the_limit() {
        let world = Rect::new(-500.0, 20.0, 9000.0, 300.0);
        let seen = Camera::fitting(world, SIZE, 1.0).seen(SIZE);
        assert_eq!(seen.union(&world), seen);
        assert_eq!(Camera::fitting(Rect::new(0.0, 0.0, 20.0, 20.0), SIZE, 1.0).zoom, 1.0);
    }
}
