//! How does a scene become a picture?
//!
//! One pass per kind of thing and few changes of style: a software renderer pays for each. World units are drawn under
//! one transform; widths of lines are divided by the zoom where they should stay thin.

mod cards;
mod lines;
mod paper;
mod stamps;
mod still;
mod things;

use std::collections::HashMap;

use editor::{
    Editor,
    scene::{Detail, Layer, Scene},
};
use js_sys::{Array, JsString};
use wasm_bindgen::JsCast;
use web_sys::{HtmlCanvasElement, HtmlElement};

use cards::{NAME_SIZE, SMALL_SIZE};

use super::{colours::Colours, icons::Icons, pen::Pen};

const FULL_CIRCLE: f64 = std::f64::consts::TAU;

/// Everything that drawing needs and keeps from picture to picture.
pub struct Surface {
    canvas: HtmlCanvasElement,
    pen: Pen,
    colours: Colours,
    icons: Icons,
    fonts: Fonts,
    dashes: Dashes,
    paper: paper::Paper,
    still: still::Still,
    stamps: Vec<stamps::Stamp>,
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
        let pen = opaque(&canvas)?;
        let colours = Colours::read(host)?;
        Some(Surface {
            fonts: Fonts::new(&colours),
            canvas,
            pen,
            colours,
            icons: Icons::new()?,
            paper: paper::Paper::new()?,
            still: still::Still::new()?,
            stamps: Vec::new(),
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
        self.paper.forget();
        self.still.forget();
        self.stamps.clear();
        self.cards.clear();
        self.labels.clear();
        self.notes.clear();
    }

    /// CSS pixels.
    pub fn resize(&mut self, width: f64, height: f64, density: f64) {
        self.density = density;
        self.still.forget();
        self.canvas.set_width((width * density).round().max(1.0) as u32);
        self.canvas.set_height((height * density).round().max(1.0) as u32);
    }

    pub fn paint(&mut self, editor: &Editor, time: f64) {
        self.time = time;
        let mut scene = std::mem::take(&mut self.scene);
        scene.fill(editor);
        match scene.kept {
            Some(view) => self.lay_still(editor, &mut scene, view),
            None => self.lay(editor, &scene),
        }
        self.to_world(&scene);
        self.layer(editor, &scene, &scene.moving);
        self.notes(editor, &scene);
        self.gesture(&scene);
        self.scene = scene;
    }

    /// Paper, and what stays where it is.
    fn lay(&mut self, editor: &Editor, scene: &Scene) {
        self.lay_paper(scene);
        self.to_world(scene);
        self.layer(editor, scene, &scene.still);
    }

    fn layer(&mut self, editor: &Editor, scene: &Scene, layer: &Layer) {
        self.frames(editor, scene, layer);
        self.lines(scene, layer);
        match scene.detail {
            Detail::Far => self.far(scene, layer),
            Detail::Middle | Detail::Near => self.near(editor, scene, layer),
        }
        self.labels(editor, &layer.labels);
    }

    fn to_world(&self, scene: &Scene) {
        let (camera, scale) = (&scene.view.camera, scene.view.camera.zoom * self.density);
        self.pen.place(scale, 0.0, 0.0, scale, camera.x * self.density, camera.y * self.density);
    }

    /// Away from the world's transform: a unit of `scale` world units at a world point.
    fn to_spot(&self, scene: &Scene, x: f64, y: f64, scale: f64) {
        let (camera, density) = (&scene.view.camera, self.density);
        let size = camera.zoom * density * scale;
        let (x, y) = ((x * camera.zoom + camera.x) * density, (y * camera.zoom + camera.y) * density);
        self.pen.place(size, 0.0, 0.0, size, x, y);
    }

    /// On whole pixels: those are filled without blending edges.
    fn far(&self, scene: &Scene, layer: &Layer) {
        let (pen, camera, scale) = (&self.pen, &scene.view.camera, scene.view.camera.zoom * self.density);
        let at = |world: f64, offset: f64| (world * scale + offset * self.density).round();
        let length = |world: f64| (world * scale).round().max(1.0);
        pen.place(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
        for (rects, colour) in layer.far.iter().zip(&self.colours.far) {
            if rects.is_empty() {
                continue;
            }
            pen.fill_with(colour);
            for rect in rects {
                pen.fill_rect(at(rect.x, camera.x), at(rect.y, camera.y), length(rect.width), length(rect.height));
            }
        }
        self.to_world(scene);
        pen.stroke_with(&self.colours.select);
        pen.width(2.0 / scene.view.camera.zoom);
        layer.far_selected.iter().for_each(|rect| pen.stroke_rect(rect.x, rect.y, rect.width, rect.height));
    }
}

/// World units of a line that a software renderer draws at once, as a hairline: one that is wider than a pixel becomes an
/// outline first, which costs several times as much. It grows where so few things are in view that this does not matter.
fn hairline(scene: &Scene) -> f64 {
    0.99 / scene.view.camera.zoom.min(1.25)
}

impl Fonts {
    fn new(colours: &Colours) -> Self {
        let (sans, mono) = (&colours.sans, &colours.mono);
        Fonts {
            name: format!("600 {NAME_SIZE}px {sans}").into(),
            subtitle: format!("400 {SMALL_SIZE}px {sans}").into(),
            status: format!("500 {SMALL_SIZE}px {sans}").into(),
            label: format!("400 9.5px {mono}").into(),
            note: format!("400 13px {sans}").into(),
        }
    }
}

/// The pen of a canvas that nothing shines through.
fn opaque(canvas: &HtmlCanvasElement) -> Option<Pen> {
    let options = js_sys::Object::new();
    js_sys::Reflect::set(&options, &"alpha".into(), &false.into()).ok()?;
    Some(canvas.get_context_with_context_options("2d", &options).ok()??.unchecked_into())
}

fn pattern(lengths: &[f64]) -> Array {
    lengths.iter().map(|length| wasm_bindgen::JsValue::from_f64(*length)).collect()
}
