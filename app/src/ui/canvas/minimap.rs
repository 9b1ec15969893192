//! Where in the whole pipeline is the view?
//!
//! The picture of the whole is drawn when the document or the statuses change; only the frame moves with the camera.

use editor::{
    Editor,
    geometry::{Point, Rect, Size},
    scene::Hue,
};
use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{HtmlCanvasElement, HtmlElement, PointerEvent};

use super::{EditorHandle, colours::Colours, pen::Pen};

const SIZE: Size = Size { width: 164.0, height: 100.0 };
const MARGIN: f64 = 8.0;

/// How world units become the minimap's pixels.
#[derive(Clone, Copy)]
struct Scale {
    zoom: f64,
    x: f64,
    y: f64,
}

impl Scale {
    fn of(editor: &Editor) -> Self {
        let all = editor.board().bounds().unwrap_or(Rect::new(0.0, 0.0, 1.0, 1.0)).grown(40.0);
        let room = Size { width: SIZE.width - 2.0 * MARGIN, height: SIZE.height - 2.0 * MARGIN };
        let zoom = (room.width / all.width).min(room.height / all.height);
        let (x, y) = (SIZE.width / 2.0 - all.centre().x * zoom, SIZE.height / 2.0 - all.centre().y * zoom);
        Scale { zoom, x, y }
    }

    fn to_world(self, at: Point) -> Point {
        Point::new((at.x - self.x) / self.zoom, (at.y - self.y) / self.zoom)
    }
}

/// Draws the whole; cheap enough for one call per change, too dear for each frame.
pub fn draw(canvas: &HtmlCanvasElement, host: &HtmlElement, editor: &Editor) -> Option<()> {
    let density = web_sys::window()?.device_pixel_ratio();
    canvas.set_width((SIZE.width * density) as u32);
    canvas.set_height((SIZE.height * density) as u32);
    let pen: Pen = canvas.get_context("2d").ok()??.unchecked_into();
    let (colours, scale) = (Colours::read(host)?, Scale::of(editor));
    pen.place(scale.zoom * density, 0.0, 0.0, scale.zoom * density, scale.x * density, scale.y * density);
    pen.stroke_with(&colours.line_strong);
    pen.width(0.75 / scale.zoom);
    pen.begin();
    for line in editor.board().lines() {
        pen.move_to(line.curve.from.x, line.curve.from.y);
        pen.line_to(line.curve.to.x, line.curve.to.y);
    }
    pen.stroke();
    pen.alpha(0.6);
    for card in editor.board().cards() {
        let hue = card.status.as_ref().map_or(Hue::Kind(card.kind), |status| Hue::of_status(status.status));
        pen.fill_with(colours.hue(hue));
        pen.fill_rect(card.rect.x, card.rect.y, card.rect.width, card.rect.height);
    }
    Some(())
}

/// Moves the frame to what the camera sees.
pub fn move_frame(frame: &HtmlElement, editor: &Editor) {
    let scale = Scale::of(editor);
    let seen = editor.camera().seen(editor.size());
    // Within the map's own border.
    let clamp = |value: f64, most: f64| value.clamp(1.0, most - 3.0);
    let (left, right) = (seen.x * scale.zoom + scale.x, seen.right() * scale.zoom + scale.x);
    let (top, bottom) = (seen.y * scale.zoom + scale.y, seen.bottom() * scale.zoom + scale.y);
    let (left, right) = (clamp(left, SIZE.width), clamp(right, SIZE.width));
    let (top, bottom) = (clamp(top, SIZE.height), clamp(bottom, SIZE.height));
    let (width, height) = ((right - left).max(2.0), (bottom - top).max(2.0));
    let style = format!("transform:translate({left:.1}px,{top:.1}px);width:{width:.1}px;height:{height:.1}px");
    let _ = frame.set_attribute("style", &style);
}

#[component]
pub fn Minimap(handle: EditorHandle, canvas: NodeRef<html::Canvas>, frame: NodeRef<html::Div>) -> impl IntoView {
    let go = move |event: PointerEvent| {
        let Some(host) = super::events::host(&event) else { return };
        if event.buttons() & 1 == 1 {
            let at = super::events::point(&host, &event);
            handle.mutate(|editor| editor.centre_on(Scale::of(editor).to_world(at)));
        }
    };
    let down = move |event: PointerEvent| {
        if let Some(host) = super::events::host(&event) {
            // Without it the drag ends at the minimap's edge, and nothing else happens.
            let _ = host.set_pointer_capture(event.pointer_id());
        }
        go(event);
    };
    view! {
        <div class="canvas-minimap" aria-hidden="true" on:pointerdown=down on:pointermove=go>
            <canvas node_ref=canvas></canvas>
            <div class="canvas-minimap-frame" node_ref=frame></div>
        </div>
    }
}
