//! How does a scene become a picture?
//!
//! One pass per kind of thing and few changes of style: a software renderer pays for each. World units are drawn under
//! one transform; widths of lines are divided by the zoom where they should stay thin.

mod cards;
mod lines;
mod things;

use std::collections::HashMap;

use editor::{
    Editor,
    scene::{Detail, Scene},
};
use js_sys::{Array, JsString};
use wasm_bindgen::JsCast;
use web_sys::{HtmlCanvasElement, HtmlElement};

use super::{colours::Colours, icons::Icons, pen::Pen};

/// Distance of the dots of the paper, in world units.
const DOTS: f64 = 20.0;
const DOTS_FROM: f64 = 0.5;
const FULL_CIRCLE: f64 = std::f64::consts::TAU;

/// Everything that drawing needs and keeps from picture to picture.
pub struct Surface {
    canvas: HtmlCanvasElement,
    pen: Pen,
    colours: Colours,
    icons: Icons,
    fonts: Fonts,
    dashes: Dashes,
    /// Prepared texts by slot; looked up, never walked.
    cards: HashMap<u32, cards::Texts>,
    labels: HashMap<String, JsString>,
    notes: HashMap<String, things::Written>,
    pub scene: Scene,
    /// Canvas pixels for one CSS pixel.
    density: f64,
    /// For what turns: milliseconds.
    time: f64,
}

struct Fonts {
    name: JsString,
    subtitle: JsString,
    status: JsString,
    label: JsString,
    note: JsString,
}

struct Dashes {
    none: Array,
    arrow: Array,
    ghost: Array,
}

impl Surface {
    /// `None` when the browser gives no 2D context.
    pub fn new(canvas: HtmlCanvasElement, host: &HtmlElement) -> Option<Self> {
        let options = js_sys::Object::new();
        js_sys::Reflect::set(&options, &"alpha".into(), &false.into()).ok()?;
        let pen: Pen = canvas.get_context_with_context_options("2d", &options).ok()??.unchecked_into();
        let colours = Colours::read(host)?;
        Some(Surface {
            fonts: Fonts::new(&colours),
            canvas,
            pen,
            colours,
            icons: Icons::new()?,
            dashes: Dashes { none: pattern(&[]), arrow: pattern(&[4.0, 4.0]), ghost: pattern(&[6.0, 4.0]) },
            cards: HashMap::new(),
            labels: HashMap::new(),
            notes: HashMap::new(),
            scene: Scene::default(),
            density: 1.0,
            time: 0.0,
        })
    }

    /// After the theme, the fonts or the document as a whole changed.
    pub fn refresh(&mut self, host: &HtmlElement) {
        if let Some(colours) = Colours::read(host) {
            self.fonts = Fonts::new(&colours);
            self.colours = colours;
        }
        self.cards.clear();
        self.labels.clear();
        self.notes.clear();
    }

    /// CSS pixels.
    pub fn resize(&mut self, width: f64, height: f64, density: f64) {
        self.density = density;
        self.canvas.set_width((width * density).round().max(1.0) as u32);
        self.canvas.set_height((height * density).round().max(1.0) as u32);
    }

    pub fn paint(&mut self, editor: &Editor, time: f64) {
        self.time = time;
        let mut scene = std::mem::take(&mut self.scene);
        scene.fill(editor);
        self.paper(&scene);
        self.to_world(&scene);
        self.frames(editor, &scene);
        self.lines(&scene);
        match scene.detail {
            Detail::Far => self.far(&scene),
            Detail::Middle | Detail::Near => self.near(editor, &scene),
        }
        self.labels(editor, &scene);
        self.notes(editor, &scene);
        self.gesture(&scene);
        self.scene = scene;
    }

    fn paper(&self, scene: &Scene) {
        let (pen, camera) = (&self.pen, &scene.camera);
        pen.place(self.density, 0.0, 0.0, self.density, 0.0, 0.0);
        pen.fill_with(&self.colours.paper);
        pen.fill_rect(0.0, 0.0, scene.size.width, scene.size.height);
        if camera.zoom < DOTS_FROM {
            return;
        }
        let step = DOTS * camera.zoom;
        let dot = if camera.zoom < 0.8 { 1.0 } else { 1.5 };
        pen.fill_with(&self.colours.dots);
        let mut y = camera.y.rem_euclid(step);
        while y < scene.size.height {
            let mut x = camera.x.rem_euclid(step);
            while x < scene.size.width {
                pen.fill_rect(x.round(), y.round(), dot, dot);
                x += step;
            }
            y += step;
        }
    }

    fn to_world(&self, scene: &Scene) {
        let (camera, scale) = (&scene.camera, scene.camera.zoom * self.density);
        self.pen.place(scale, 0.0, 0.0, scale, camera.x * self.density, camera.y * self.density);
    }

    /// Away from the world's transform: a unit of `scale` world units at a world point.
    fn to_spot(&self, scene: &Scene, x: f64, y: f64, scale: f64) {
        let (camera, density) = (&scene.camera, self.density);
        let size = camera.zoom * density * scale;
        let (x, y) = ((x * camera.zoom + camera.x) * density, (y * camera.zoom + camera.y) * density);
        self.pen.place(size, 0.0, 0.0, size, x, y);
    }

    fn far(&self, scene: &Scene) {
        let pen = &self.pen;
        for (rects, colour) in scene.far.iter().zip(&self.colours.far) {
            if rects.is_empty() {
                continue;
            }
            pen.fill_with(colour);
            rects.iter().for_each(|rect| pen.fill_rect(rect.x, rect.y, rect.width, rect.height));
        }
        pen.stroke_with(&self.colours.select);
        pen.width(2.0 / scene.camera.zoom);
        scene.far_selected.iter().for_each(|rect| pen.stroke_rect(rect.x, rect.y, rect.width, rect.height));
    }
}

impl Fonts {
    fn new(colours: &Colours) -> Self {
        let (sans, mono) = (&colours.sans, &colours.mono);
        Fonts {
            name: format!("600 13px {sans}").into(),
            subtitle: format!("400 11px {sans}").into(),
            status: format!("500 11px {sans}").into(),
            label: format!("400 9.5px {mono}").into(),
            note: format!("400 13px {sans}").into(),
        }
    }
}

fn pattern(lengths: &[f64]) -> Array {
    lengths.iter().map(|length| wasm_bindgen::JsValue::from_f64(*length)).collect()
}
