//! What is kept while things are dragged and the view pans?
//!
//! A picture of what stays where it is, far away of a wider view than the one that is seen: all of it is copied at once.
//! It is drawn anew when it would be another picture, which is found out by comparing.

use editor::{
    Editor,
    scene::{Layer, Scene, View},
};
use wasm_bindgen::JsCast;
use web_sys::HtmlCanvasElement;

use super::{Surface, opaque};
use crate::ui::canvas::pen::Pen;

pub struct Still {
    sheet: HtmlCanvasElement,
    pen: Pen,
    shows: Option<Shown>,
}

/// A layer says what is where, the board's version what is written there.
struct Shown {
    view: View,
    layer: Layer,
    board: u64,
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
    /// `view` covers the scene's.
    pub(super) fn lay_still(&mut self, editor: &Editor, scene: &mut Scene, view: View) {
        let board = editor.versions().board;
        let is_it = |shown: &Shown| shown.view == view && shown.board == board && shown.layer == scene.still;
        if !self.still.shows.as_ref().is_some_and(is_it) {
            self.draw_still(editor, scene, view);
            self.still.shows = Some(Shown { view, layer: scene.still.clone(), board });
        }
        let at = |wide: f64, seen: f64| ((seen - wide) * self.density).round();
        self.pen.place(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
        let (from, to) = (&view.camera, &scene.view.camera);
        self.pen.picture(&self.still.sheet, at(from.x, to.x), at(from.y, to.y));
    }

    fn draw_still(&mut self, editor: &Editor, scene: &mut Scene, view: View) {
        let pixels = |length: f64| (length * self.density).round() as u32;
        let (sheet, size) = (&self.still.sheet, (pixels(view.size.width), pixels(view.size.height)));
        // Setting a size takes the memory anew.
        if (sheet.width(), sheet.height()) != size {
            sheet.set_width(size.0);
            sheet.set_height(size.1);
        }
        let seen = std::mem::replace(&mut scene.view, view);
        std::mem::swap(&mut self.pen, &mut self.still.pen);
        self.lay(editor, scene);
        std::mem::swap(&mut self.pen, &mut self.still.pen);
        scene.view = seen;
    }
}
