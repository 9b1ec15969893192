//! How are cards drawn that look alike?
//!
//! What all cards of a kind have in common (body, chip, icon, ports) is drawn once for a zoom; a card is a copy of that on
//! whole pixels, and its own texts. To draw so many outlines anew takes a software renderer longer than a picture may.

use editor::board::{CARD, has_input, has_output};
use editor::scene::{Hue, Scene};
use gloo::utils::document;
use model::KindName;
use wasm_bindgen::JsCast;
use web_sys::HtmlCanvasElement;

use super::cards::{CHIP, CHIP_AT, ROUND, SMALL_FROM};
use super::{FULL_CIRCLE, Surface, hairline};
use crate::ui::canvas::pen::Pen;

const PORT: f64 = 5.5;
const ICON: f64 = 16.0;
/// World units around a card that its ports and shadow may take.
const MARGIN: f64 = PORT + 1.5;

/// What tells one stamp from another.
#[derive(Clone, Copy, PartialEq)]
pub struct Look {
    pub kind: KindName,
    pub selected: bool,
    /// World units.
    pub height: f64,
}

pub struct Stamp {
    look: Look,
    sheet: HtmlCanvasElement,
    pen: Pen,
    /// Canvas pixels of a world unit, as it was drawn.
    scale: f64,
}

impl Stamp {
    fn new(look: Look) -> Option<Self> {
        let sheet: HtmlCanvasElement = document().create_element("canvas").ok()?.unchecked_into();
        let pen = sheet.get_context("2d").ok()??.unchecked_into();
        Some(Stamp { look, sheet, pen, scale: 0.0 })
    }
}

/// Whole canvas pixels from the sheet's edge to the card's.
fn margin(scale: f64) -> f64 {
    (MARGIN * scale).ceil() + 1.0
}

impl Surface {
    /// Makes those that are needed and are not there yet, or were drawn for another zoom.
    pub(super) fn prepare_stamps(&mut self, scene: &Scene, looks: impl Iterator<Item = Look>) {
        let scale = scene.view.camera.zoom * self.density;
        for look in looks {
            let at = self.stamps.iter().position(|stamp| stamp.look == look);
            let at = at.or_else(|| {
                self.stamps.push(Stamp::new(look)?);
                Some(self.stamps.len() - 1)
            });
            if let Some(at) = at
                && self.stamps[at].scale != scale
            {
                self.stamps[at].scale = scale;
                self.draw_stamp(scene, &self.stamps[at]);
            }
        }
    }

    /// `x` and `y`: the card's corner, in whole canvas pixels.
    pub(super) fn stamp(&self, look: Look, x: f64, y: f64) {
        if let Some(stamp) = self.stamps.iter().find(|stamp| stamp.look == look) {
            let margin = margin(stamp.scale);
            self.pen.picture(&stamp.sheet, x - margin, y - margin);
        }
    }

    fn draw_stamp(&self, scene: &Scene, stamp: &Stamp) {
        let Stamp { look, sheet, pen, scale } = stamp;
        let (width, height) = ((CARD.width * scale).round(), (look.height * scale).round());
        let margin = margin(*scale);
        // Setting a size clears the sheet, too.
        sheet.set_width((width + 2.0 * margin) as u32);
        sheet.set_height((height + 2.0 * margin) as u32);
        let thin = hairline(scene) * scale;
        // A line of an odd width is sharp when its middle is that of a pixel.
        let offset = margin + (thin.round() % 2.0) / 2.0;
        pen.place(1.0, 0.0, 0.0, 1.0, offset, offset);
        self.body(pen, *look, (width, height), (*scale, thin));
        let hue = Hue::Kind(look.kind);
        pen.begin();
        pen.round_rect(CHIP_AT.0 * scale, CHIP_AT.1 * scale, CHIP * scale, CHIP * scale, 6.0 * scale);
        pen.fill_with(self.colours.soft(hue));
        pen.fill();
        if scene.view.camera.zoom >= editor::hit::PORTS_FROM {
            self.ports(pen, *look, (width, height), (*scale, thin));
        }
        if scene.view.camera.zoom >= SMALL_FROM {
            let (size, inset) = (ICON / 24.0 * scale, (CHIP - ICON) / 2.0);
            let at = |chip: f64| (chip + inset) * scale + offset;
            pen.place(size, 0.0, 0.0, size, at(CHIP_AT.0), at(CHIP_AT.1));
            pen.stroke_with(self.colours.hue(hue));
            pen.width(thin / size);
            pen.stroke_path(self.icons.kind(look.kind));
        }
    }

    fn body(&self, pen: &Pen, look: Look, (width, height): (f64, f64), (scale, thin): (f64, f64)) {
        let grown = 0.5 * scale;
        pen.begin();
        pen.round_rect(-grown, 2.0 * scale - grown, width + 2.0 * grown, height + 2.0 * grown, ROUND * scale + grown);
        pen.fill_with(&self.colours.shadow);
        pen.fill();
        pen.begin();
        pen.round_rect(0.0, 0.0, width, height, ROUND * scale);
        pen.fill_with(&self.colours.surface);
        pen.fill();
        pen.stroke_with(if look.selected { &self.colours.select } else { &self.colours.line_strong });
        pen.width(if look.selected { 1.75 * thin } else { thin });
        pen.stroke();
    }

    fn ports(&self, pen: &Pen, look: Look, (width, height): (f64, f64), (scale, thin): (f64, f64)) {
        let radius = PORT * scale;
        let ports = [(has_input(look.kind), 0.0), (has_output(look.kind), width)];
        pen.begin();
        for (_, x) in ports.into_iter().filter(|(is_there, _)| *is_there) {
            pen.move_to(x + radius, height / 2.0);
            pen.arc(x, height / 2.0, radius, 0.0, FULL_CIRCLE);
        }
        pen.fill_with(&self.colours.surface);
        pen.fill();
        pen.stroke_with(&self.colours.ink_3);
        pen.width(thin);
        pen.stroke();
    }
}
