//! What is kept while things are dragged and the view pans?
//!
//! A picture of what stays where it is, of a wider view than the one that is seen: thousands of things far away are copied
//! at once. It is drawn anew when it would be another picture, which is found out by comparing.

use editor::{
    Editor,
    scene::{Ground, Scene, View},
};
use wasm_bindgen::JsCast;
use web_sys::HtmlCanvasElement;

use super::{Surface, opaque};
use crate::ui::canvas::pen::Pen;

pub struct Still {
    sheet: HtmlCanvasElement,
    pen: Pen,
    shows: Option<(View, Ground)>,
}

impl Still {
    pub fn new() -> Option<Self> {
        let sheet: HtmlCanvasElement = gloo::utils::document().create_element("canvas").ok()?.unchecked_into();
        let pen = opaque(&sheet)?;
        Some(Still { sheet, pen, shows: None })
    }

    /// The colours or the density have changed.
    pub fn forget(&mut self) {
        self.shows = None;
    }
}

impl Surface {
    /// `wide` covers the scene's view.
    pub(super) fn lay_still(&mut self, editor: &Editor, scene: &mut Scene, wide: View) {
        if !self.still.shows.as_ref().is_some_and(|(view, ground)| *view == wide && *ground == scene.still) {
            self.draw_still(editor, scene, wide);
        }
        let at = |wide: f64, seen: f64| ((seen - wide) * self.density).round();
        self.pen.place(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
        let (from, to) = (&wide.camera, &scene.view.camera);
        self.pen.picture(&self.still.sheet, at(from.x, to.x), at(from.y, to.y));
    }

    fn draw_still(&mut self, editor: &Editor, scene: &mut Scene, wide: View) {
        let pixels = |length: f64| (length * self.density).round() as u32;
        let (sheet, size) = (&self.still.sheet, (pixels(wide.size.width), pixels(wide.size.height)));
        // Setting a size takes the memory anew.
        if (sheet.width(), sheet.height()) != size {
            sheet.set_width(size.0);
            sheet.set_height(size.1);
        }
        let seen = std::mem::replace(&mut scene.view, wide);
        std::mem::swap(&mut self.pen, &mut self.still.pen);
        self.lay(editor, scene);
        std::mem::swap(&mut self.pen, &mut self.still.pen);
        scene.view = seen;
        self.still.shows = Some((wide, scene.still.clone()));
    }
}
