//! How is the dotted paper drawn?
//!
//! One row of dots is drawn once for a zoom, and laid down again and again.

use editor::scene::Scene;
use wasm_bindgen::JsCast;
use web_sys::HtmlCanvasElement;

use super::Surface;
use crate::ui::canvas::pen::Pen;

/// Distance of the dots, in world units.
const DOTS: f64 = 20.0;
const DOTS_FROM: f64 = 0.5;

pub struct Paper {
    row: HtmlCanvasElement,
    pen: Pen,
    /// For which view the row was drawn.
    view: Option<View>,
}

#[derive(Clone, Copy, PartialEq)]
struct View {
    zoom: f64,
    width: f64,
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
        let row: HtmlCanvasElement = gloo::utils::document().create_element("canvas").ok()?.unchecked_into();
        let pen = row.get_context("2d").ok()??.unchecked_into();
        Some(Paper { row, pen, view: None })
    }

    /// The colours have changed.
    pub fn forget(&mut self) {
        self.view = None;
    }
}

impl Surface {
    pub(super) fn lay_paper(&mut self, scene: &Scene) {
        let camera = &scene.view.camera;
        self.pen.place(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
        self.pen.fill_with(&self.colours.paper);
        self.pen.fill_rect(0.0, 0.0, scene.view.size.width * self.density, scene.view.size.height * self.density);
        if camera.zoom < DOTS_FROM {
            return;
        }
        let view = View { zoom: camera.zoom, width: scene.view.size.width, density: self.density };
        if self.paper.view.replace(view) != Some(view) {
            self.draw_row(&view);
        }
        let step = view.step();
        let (x, y) = (first(camera.x * self.density, step), first(camera.y * self.density, step));
        for row in 0..((scene.view.size.height * self.density - y) / step).ceil() as u32 {
            self.pen.picture(&self.paper.row, x.round(), (y + f64::from(row) * step).round());
        }
    }

    /// One step longer than the view is wide, so that it covers the view wherever its dots lie.
    fn draw_row(&self, view: &View) {
        let Paper { row, pen, .. } = &self.paper;
        let (step, dot) = (view.step(), (if view.zoom < 0.8 { 1.0 } else { 1.5 }) * view.density);
        let width = (view.width * view.density + step).ceil();
        // Setting a size clears it, too.
        row.set_width(width as u32);
        row.set_height(dot.ceil() as u32);
        pen.fill_with(&self.colours.dots);
        for column in 0..(width / step).ceil() as u32 {
            pen.fill_rect((f64::from(column) * step).round(), 0.0, dot, dot);
        }
    }
}

/// Where the first dots lie: at or before the view's edge. What is drawn there is put on whole pixels, or every dot would
/// blur.
fn first(offset: f64, step: f64) -> f64 {
    offset.rem_euclid(step) - step
}
