//! How is the dotted paper drawn?
//!
//! Thousands of dots are drawn once for a zoom; a pan lays that sheet down elsewhere.

use editor::{Size, camera::Camera, scene::Scene};
use wasm_bindgen::JsCast;
use web_sys::HtmlCanvasElement;

use super::{Surface, opaque};
use crate::ui::canvas::pen::Pen;

/// Distance of the dots, in world units.
const DOTS: f64 = 20.0;
const DOTS_FROM: f64 = 0.5;

pub struct Paper {
    sheet: HtmlCanvasElement,
    pen: Pen,
    /// For which view the sheet was drawn.
    view: Option<View>,
}

#[derive(Clone, Copy, PartialEq)]
struct View {
    zoom: f64,
    size: Size,
    density: f64,
}

impl View {
    /// Canvas pixels.
    fn step(&self) -> f64 {
        DOTS * self.zoom * self.density
    }
}

impl Paper {
    pub fn new() -> Option<Self> {
        let sheet: HtmlCanvasElement = gloo::utils::document().create_element("canvas").ok()?.unchecked_into();
        let pen = opaque(&sheet)?;
        Some(Paper { sheet, pen, view: None })
    }

    /// The colours have changed.
    pub fn forget(&mut self) {
        self.view = None;
    }
}

impl Surface {
    pub(super) fn lay_paper(&mut self, scene: &Scene) {
        let camera = &scene.camera;
        self.pen.place(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
        if camera.zoom < DOTS_FROM {
            self.pen.fill_with(&self.colours.paper);
            self.pen.fill_rect(0.0, 0.0, scene.size.width * self.density, scene.size.height * self.density);
            return;
        }
        let view = View { zoom: camera.zoom, size: scene.size, density: self.density };
        if self.paper.view.replace(view) != Some(view) {
            self.draw_sheet(&view);
        }
        let (x, y) = corner(camera, &view);
        self.pen.picture(&self.paper.sheet, x, y);
    }

    /// One step larger than the view, so that it covers the view wherever its dots lie.
    fn draw_sheet(&self, view: &View) {
        let Paper { sheet, pen, .. } = &self.paper;
        let step = view.step();
        let length = |length: f64| (length * view.density + step).ceil();
        let (width, height) = (length(view.size.width), length(view.size.height));
        if (f64::from(sheet.width()), f64::from(sheet.height())) != (width, height) {
            sheet.set_width(width as u32);
            sheet.set_height(height as u32);
        }
        pen.fill_with(&self.colours.paper);
        pen.fill_rect(0.0, 0.0, width, height);
        pen.fill_with(&self.colours.dots);
        let dot = if view.zoom < 0.8 { 1.0 } else { 1.5 } * view.density;
        for row in 0..(height / step).ceil() as u32 {
            let y = (f64::from(row) * step).round();
            for column in 0..(width / step).ceil() as u32 {
                pen.fill_rect((f64::from(column) * step).round(), y, dot, dot);
            }
        }
    }
}

/// Where the sheet's upper left dot lies: at or before the view's corner. Whole pixels, or every dot would blur.
fn corner(camera: &Camera, view: &View) -> (f64, f64) {
    let step = view.step();
    let at = |offset: f64| ((offset * view.density).rem_euclid(step) - step).round();
    (at(camera.x), at(camera.y))
}
