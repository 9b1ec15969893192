//! How are arrows drawn?

use editor::{
    geometry::Curve,
    scene::{Detail, Layer, Scene, Tone},
};
use js_sys::JsString;

use super::{Surface, cards::SMALL_FROM, hairline};

/// Canvas pixels by which an arrow may stray from its curve where hundreds are in view: a software renderer cuts a curve into
/// more pieces than are seen.
const STRAYS: f64 = 0.5;
/// Length and half width of an arrow's head, in world units.
const HEAD: (f64, f64) = (7.0, 4.0);

impl Surface {
    /// One path for each style.
    pub(super) fn lines(&self, scene: &Scene, layer: &Layer) {
        for tone in Tone::ALL {
            let [plain, dashed] = &layer.lines[tone as usize];
            self.pen.stroke_with(self.tone(tone));
            self.pen.width(self.line_width(scene, tone));
            self.strokes(scene, plain, false);
            self.strokes(scene, dashed, true);
        }
    }

    fn line_width(&self, scene: &Scene, tone: Tone) -> f64 {
        let strong = if matches!(tone, Tone::Plain | Tone::Done) { 1.0 } else { 1.5 };
        match scene.detail {
            Detail::Far => strong * 0.7 / scene.view.camera.zoom,
            Detail::Middle | Detail::Near => strong * hairline(scene),
        }
    }

    fn tone(&self, tone: Tone) -> &JsString {
        match tone {
            Tone::Plain => &self.colours.ink_3,
            Tone::Done => &self.colours.hue[editor::scene::Hue::Done.index()],
            Tone::Hovered => &self.colours.ink,
            Tone::Selected => &self.colours.select,
        }
    }

    fn strokes(&self, scene: &Scene, curves: &[Curve], dashed: bool) {
        if curves.is_empty() {
            return;
        }
        let (zoom, far) = (scene.view.camera.zoom, scene.detail == Detail::Far);
        self.pen.begin();
        curves.iter().for_each(|curve| match scene.detail {
            Detail::Far => self.straight(curve),
            Detail::Middle => self.cut(curve, STRAYS / (zoom * self.density)),
            Detail::Near => self.bent(curve),
        });
        // Seen from afar a dash is smaller than a pixel, and dear.
        if dashed && !far {
            self.pen.dash(&self.dashes.arrow);
        }
        self.pen.stroke();
        if dashed && !far {
            self.pen.dash(&self.dashes.none);
        }
        if zoom >= SMALL_FROM {
            self.pen.begin();
            curves.iter().for_each(|curve| self.head(curve));
            self.pen.stroke();
        }
    }

    fn straight(&self, curve: &Curve) {
        self.pen.move_to(curve.from.x, curve.from.y);
        self.pen.line_to(curve.to.x, curve.to.y);
    }

    fn cut(&self, curve: &Curve, strays: f64) {
        self.pen.move_to(curve.from.x, curve.from.y);
        curve.pieces(strays).for_each(|end| self.pen.line_to(end.x, end.y));
    }

    pub(super) fn bent(&self, curve: &Curve) {
        let (a, b) = curve.controls();
        self.pen.move_to(curve.from.x, curve.from.y);
        self.pen.curve_to(a.x, a.y, b.x, b.y, curve.to.x, curve.to.y);
    }

    pub(super) fn head(&self, curve: &Curve) {
        let (tip, (length, half)) = (curve.to, HEAD);
        self.pen.move_to(tip.x - length, tip.y - half);
        self.pen.line_to(tip.x, tip.y);
        self.pen.line_to(tip.x - length, tip.y + half);
    }
}
