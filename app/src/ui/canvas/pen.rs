//! How is drawing called at the least cost?
//!
//! The few calls of a 2D context that the canvas makes, thousands of times a picture: numbers and prepared texts only,
//! so that no text is decoded and nothing is allocated on the way out of wasm.

use js_sys::{Array, JsString};
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, Path2d};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = CanvasRenderingContext2D)]
    pub type Pen;

    #[wasm_bindgen(method, setter, js_name = fillStyle)]
    pub fn fill_with(this: &Pen, colour: &JsString);
    #[wasm_bindgen(method, setter, js_name = strokeStyle)]
    pub fn stroke_with(this: &Pen, colour: &JsString);
    #[wasm_bindgen(method, setter, js_name = lineWidth)]
    pub fn width(this: &Pen, width: f64);
    #[wasm_bindgen(method, setter, js_name = lineCap)]
    pub fn cap(this: &Pen, cap: &JsString);
    #[wasm_bindgen(method, setter, js_name = lineJoin)]
    pub fn join(this: &Pen, join: &JsString);
    #[wasm_bindgen(method, setter, js_name = globalAlpha)]
    pub fn alpha(this: &Pen, alpha: f64);
    #[wasm_bindgen(method, setter, js_name = font)]
    pub fn font(this: &Pen, font: &JsString);
    #[wasm_bindgen(method, setter, js_name = textBaseline)]
    pub fn baseline(this: &Pen, baseline: &JsString);
    #[wasm_bindgen(method, js_name = setLineDash)]
    pub fn dash(this: &Pen, pattern: &Array);
    #[wasm_bindgen(method, js_name = setTransform)]
    pub fn place(this: &Pen, a: f64, b: f64, c: f64, d: f64, e: f64, f: f64);
    #[wasm_bindgen(method, js_name = beginPath)]
    pub fn begin(this: &Pen);
    #[wasm_bindgen(method, js_name = moveTo)]
    pub fn move_to(this: &Pen, x: f64, y: f64);
    #[wasm_bindgen(method, js_name = lineTo)]
    pub fn line_to(this: &Pen, x: f64, y: f64);
    #[wasm_bindgen(method, js_name = bezierCurveTo)]
    pub fn curve_to(this: &Pen, ax: f64, ay: f64, bx: f64, by: f64, x: f64, y: f64);
    #[wasm_bindgen(method, js_name = arc)]
    pub fn arc(this: &Pen, x: f64, y: f64, radius: f64, start: f64, end: f64);
    #[wasm_bindgen(method, js_name = rect)]
    pub fn rect(this: &Pen, x: f64, y: f64, width: f64, height: f64);
    #[wasm_bindgen(method, js_name = roundRect)]
    pub fn round_rect(this: &Pen, x: f64, y: f64, width: f64, height: f64, radius: f64);
    #[wasm_bindgen(method)]
    pub fn fill(this: &Pen);
    #[wasm_bindgen(method)]
    pub fn stroke(this: &Pen);
    #[wasm_bindgen(method, js_name = stroke)]
    pub fn stroke_path(this: &Pen, path: &Path2d);
    #[wasm_bindgen(method, js_name = fillRect)]
    pub fn fill_rect(this: &Pen, x: f64, y: f64, width: f64, height: f64);
    #[wasm_bindgen(method, js_name = strokeRect)]
    pub fn stroke_rect(this: &Pen, x: f64, y: f64, width: f64, height: f64);
    #[wasm_bindgen(method, js_name = clearRect)]
    pub fn clear_rect(this: &Pen, x: f64, y: f64, width: f64, height: f64);
    #[wasm_bindgen(method, js_name = drawImage)]
    pub fn picture(this: &Pen, picture: &HtmlCanvasElement, x: f64, y: f64);
    #[wasm_bindgen(method, js_name = fillText)]
    pub fn text(this: &Pen, text: &JsString, x: f64, y: f64);
    #[wasm_bindgen(method, js_name = measureText)]
    fn measure(this: &Pen, text: &JsString) -> Measure;

    type Measure;
    #[wasm_bindgen(method, getter)]
    fn width(this: &Measure) -> f64;
}

impl Pen {
    /// World units of the current font.
    pub fn width_of(&self, text: &JsString) -> f64 {
        self.measure(text).width()
    }
}

/// What no letter of ASCII is wider than, in sizes of its font.
const WIDEST: f64 = 1.15;

/// `text`, or as much of it as fits with "…" behind it, in the pen's current font of that size. What fits in any case is not
/// measured: hundreds of names come into view at once.
pub fn fitting(pen: &Pen, text: &str, size: f64, width: f64) -> JsString {
    let whole = JsString::from(text);
    let fits = text.is_ascii() && text.len() as f64 * WIDEST * size <= width;
    if fits || pen.width_of(&whole) <= width {
        return whole;
    }
    let letters: Vec<char> = text.chars().collect();
    let cut = |count: usize| JsString::from(format!("{}…", letters[..count].iter().collect::<String>().trim_end()));
    let (mut fits, mut too_long) = (0, letters.len());
    while too_long - fits > 1 {
        let middle = (fits + too_long) / 2;
        if pen.width_of(&cut(middle)) <= width { fits = middle } else { too_long = middle }
    }
    cut(fits)
}
