//! How are frames, labels, notes and what a gesture shows drawn?

use std::sync::Arc;

use editor::{
    Editor,
    geometry::Rect,
    scene::{Detail, FrameItem, Hue, Label, Layer, Scene, Tone},
};
use js_sys::JsString;
use model::Note;

use super::Surface;

const NOTE_LINE: f64 = 18.0;
const NOTE_PADDING: f64 = 12.0;
/// More prepared labels than are ever seen at once; then they are prepared anew.
const MOST_LABELS: usize = 4000;

/// A note's text, wrapped to its width.
pub struct Written {
    note: Arc<Note>,
    width: f64,
    lines: Vec<JsString>,
}

impl Surface {
    pub(super) fn frames(&self, editor: &Editor, scene: &Scene, layer: &Layer) {
        let (pen, thin) = (&self.pen, (1.0 / scene.view.camera.zoom).max(1.0));
        for FrameItem { at, rect, selected } in &layer.frames {
            pen.begin();
            pen.round_rect(rect.x, rect.y, rect.width, rect.height, 12.0);
            pen.fill_with(&self.colours.sunken);
            pen.fill();
            pen.stroke_with(if *selected { &self.colours.select } else { &self.colours.line_strong });
            pen.width(thin);
            pen.stroke();
            if scene.detail != Detail::Far {
                pen.font(&self.fonts.name);
                pen.fill_with(&self.colours.ink_2);
                pen.text(&JsString::from(editor.board().frames()[*at].name.as_str()), rect.x + 12.0, rect.y + 19.0);
            }
        }
    }

    pub(super) fn labels(&mut self, editor: &Editor, labels: &[Label]) {
        if labels.is_empty() {
            return;
        }
        if self.labels.len() > MOST_LABELS {
            self.labels.clear();
        }
        let pen = &self.pen;
        pen.begin();
        let boxes = |rect: &Rect| pen.round_rect(rect.x, rect.y, rect.width, rect.height, 4.0);
        labels.iter().for_each(|label| boxes(&label.rect));
        pen.fill_with(&self.colours.surface);
        pen.fill();
        pen.stroke_with(&self.colours.line);
        pen.width(1.0);
        pen.stroke();
        pen.font(&self.fonts.label);
        for label in labels {
            let Some(line) = editor.board().line(label.line) else { continue };
            let text = self.labels.entry(line.label.clone()).or_insert_with(|| JsString::from(line.label.as_str()));
            let selected = label.tone == Tone::Selected;
            self.pen.fill_with(if selected { &self.colours.select } else { &self.colours.ink_2 });
            self.pen.text(text, label.rect.x + 5.0, label.rect.y + 12.0);
        }
    }

    pub(super) fn notes(&mut self, editor: &Editor, scene: &Scene) {
        for (at, selected) in &scene.notes {
            let card = &editor.board().notes()[*at];
            let (pen, rect) = (&self.pen, card.rect);
            pen.begin();
            pen.round_rect(rect.x, rect.y, rect.width, rect.height, 8.0);
            pen.fill_with(&self.colours.surface);
            pen.fill();
            pen.fill_with(self.colours.soft(Hue::Waits));
            pen.fill();
            pen.stroke_with(if *selected { &self.colours.select } else { &self.colours.line_strong });
            pen.width((1.0 / scene.view.camera.zoom).max(1.0));
            pen.stroke();
            if scene.detail != Detail::Far {
                self.write(&card.note, rect);
            }
            if *selected {
                self.corner(rect);
            }
        }
    }

    fn corner(&self, rect: Rect) {
        let pen = &self.pen;
        pen.begin();
        for inset in [5.0, 9.0] {
            pen.move_to(rect.right() - inset, rect.bottom() - 3.0);
            pen.line_to(rect.right() - 3.0, rect.bottom() - inset);
        }
        pen.stroke();
    }

    fn write(&mut self, note: &Arc<Note>, rect: Rect) {
        self.pen.font(&self.fonts.note);
        let width = rect.width - 2.0 * NOTE_PADDING;
        let known = self.notes.get(note.id.as_str());
        if !known.is_some_and(|known| Arc::ptr_eq(&known.note, note) && known.width == width) {
            let lines = self.wrapped(&note.text, width);
            self.notes.insert(note.id.to_string(), Written { note: note.clone(), width, lines });
        }
        let room = ((rect.height - 2.0 * NOTE_PADDING) / NOTE_LINE).floor().max(1.0) as usize;
        self.pen.fill_with(&self.colours.ink);
        let Some(written) = self.notes.get(note.id.as_str()) else { return };
        for (row, line) in written.lines.iter().take(room).enumerate() {
            let y = rect.y + NOTE_PADDING + 11.0 + row as f64 * NOTE_LINE;
            self.pen.text(line, rect.x + NOTE_PADDING, y);
        }
    }

    fn wrapped(&self, text: &str, width: f64) -> Vec<JsString> {
        let fits = |line: &str| self.pen.width_of(&JsString::from(line)) <= width;
        let mut lines = Vec::new();
        for paragraph in text.lines() {
            let mut line = String::new();
            for word in paragraph.split(' ') {
                let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
                if line.is_empty() || fits(&longer) {
                    line = longer;
                } else {
                    lines.push(JsString::from(std::mem::replace(&mut line, word.to_owned())));
                }
            }
            lines.push(JsString::from(line));
        }
        lines
    }

    pub(super) fn gesture(&self, scene: &Scene) {
        let (pen, thin) = (&self.pen, 1.0 / scene.view.camera.zoom);
        if let Some(wire) = &scene.wire {
            let colour = if wire.refused { self.colours.hue(Hue::Failed) } else { &self.colours.select };
            pen.stroke_with(colour);
            pen.width(2.0 * thin.max(0.75));
            pen.begin();
            self.bent(&wire.curve);
            self.head(&wire.curve);
            pen.stroke();
        }
        if let Some(ghost) = &scene.ghost {
            let rect = ghost.rect;
            pen.begin();
            pen.round_rect(rect.x, rect.y, rect.width, rect.height, 10.0);
            pen.fill_with(self.colours.soft(Hue::Kind(ghost.kind)));
            pen.fill();
            pen.dash(&self.dashes.ghost);
            pen.stroke_with(self.colours.hue(Hue::Kind(ghost.kind)));
            pen.width(1.5 * thin);
            pen.stroke();
            pen.dash(&self.dashes.none);
        }
        if let Some(area) = &scene.marquee {
            pen.fill_with(&self.colours.select_soft);
            pen.fill_rect(area.x, area.y, area.width, area.height);
            pen.stroke_with(&self.colours.select);
            pen.width(thin);
            pen.stroke_rect(area.x, area.y, area.width, area.height);
        }
    }
}
