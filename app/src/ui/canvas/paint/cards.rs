//! How are cards drawn?

use editor::{
    Editor,
    board::{CARD, Card},
    geometry::Point,
    scene::{CardItem, Gate, Hue, Layer, Scene},
};
use js_sys::JsString;
use model::{Severity, run::TaskStatus};

use super::{FULL_CIRCLE, Surface, hairline, stamps::Look};
use crate::ui::canvas::pen;

pub(super) const ROUND: f64 = 10.0;
pub(super) const CHIP: f64 = 28.0;
/// The chip's and the texts' places on a card, in world units.
pub(super) const CHIP_AT: (f64, f64) = (12.0, 11.0);
/// Of the name, and of the texts below it.
pub(super) const NAME_SIZE: f64 = 13.0;
pub(super) const SMALL_SIZE: f64 = 11.0;
const TEXT_X: f64 = 50.0;
const NAME_Y: f64 = 22.5;
const SUBTITLE_Y: f64 = 37.5;
const TEXT_WIDTH: f64 = CARD.width - TEXT_X - 12.0;
const STATUS_LINE: f64 = 52.0;
const STATUS_X: f64 = 34.0;
const STATUS_Y: f64 = 74.0;
/// Sizes of letters for a doubling of the zoom. Letters of a size that was not seen before are made anew, which takes longer
/// than all else in a picture; a zoom that goes on comes upon few of these.
const LETTER_SIZES: f64 = 8.0;
/// Icons, second lines and heads of arrows are too small to be seen below this zoom.
pub(super) const SMALL_FROM: f64 = 0.5;
/// One turn of a running task's icon, in milliseconds.
const TURN: f64 = 2400.0;

/// A card's texts, cut to its width.
pub struct Texts {
    version: u32,
    name: JsString,
    /// From the first picture that shows it.
    subtitle: Option<JsString>,
    words: Option<JsString>,
}

type Shown<'a> = (&'a CardItem, &'a Card);

fn look(item: &CardItem, card: &Card) -> Look {
    Look { kind: card.kind, selected: item.selected, height: card.rect.height }
}

/// The next smaller of the sizes, so that a text never outgrows its place.
fn letter_zoom(zoom: f64) -> f64 {
    // A hundred percent may have come out of a division.
    ((zoom.log2() * LETTER_SIZES + 1e-6).floor() / LETTER_SIZES).exp2()
}

impl Surface {
    /// What is selected lies above the rest.
    pub(super) fn near(&mut self, editor: &Editor, scene: &Scene, layer: &Layer) {
        let board = editor.board();
        let shown = |selected: bool| -> Vec<Shown<'_>> {
            let items = layer.cards.iter().filter(|item| item.selected == selected);
            items.filter_map(|item| board.card(item.slot).map(|card| (item, card))).collect()
        };
        for selected in [false, true] {
            let cards = shown(selected);
            if !cards.is_empty() {
                self.cards(scene, &cards, selected);
            }
        }
    }

    fn cards(&mut self, scene: &Scene, cards: &[Shown<'_>], selected: bool) {
        self.prepare_stamps(scene, cards.iter().map(|(item, card)| look(item, card)));
        self.bodies(scene, cards, selected);
        self.texts(scene, cards);
        self.statuses(scene, cards);
        self.gates(scene, cards);
        self.marks(scene, cards);
    }

    fn bodies(&self, scene: &Scene, cards: &[Shown<'_>], selected: bool) {
        let (pen, thin) = (&self.pen, hairline(scene));
        let outline = |offset: f64, card: &Card| {
            let rect = card.rect;
            pen.round_rect(rect.x + offset, rect.y + offset, rect.width, rect.height, ROUND);
        };
        pen.width(thin);
        pen.stroke_with(&self.colours.line_strong);
        pen.fill_with(&self.colours.surface);
        for offset in [6.0, 3.0] {
            pen.begin();
            cards.iter().filter(|(_, card)| card.copies > 1).for_each(|(_, card)| outline(offset, card));
            pen.fill();
            pen.stroke();
        }
        pen.place(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
        for (item, card) in cards {
            let corner = self.corner_of(scene, card);
            self.stamp(look(item, card), corner.x, corner.y);
        }
        self.to_world(scene);
        let is_lit = |item: &CardItem| item.target.is_some() || (item.hovered && !selected);
        for (item, card) in cards.iter().filter(|(item, _)| is_lit(item)) {
            self.outline_of(item, thin, || outline(0.0, card));
        }
    }

    /// Canvas pixels, whole ones: what is copied there keeps its sharp edges.
    fn corner_of(&self, scene: &Scene, card: &Card) -> Point {
        let camera = &scene.view.camera;
        let at = |world: f64, offset: f64| ((world * camera.zoom + offset) * self.density).round();
        Point::new(at(card.rect.x, camera.x), at(card.rect.y, camera.y))
    }

    /// Of a hovered card, or the one that an arrow hangs over.
    fn outline_of(&self, item: &CardItem, thin: f64, outline: impl Fn()) {
        let (colour, width) = match item.target {
            Some(true) => (&self.colours.select, 2.0),
            Some(false) => (self.colours.hue(Hue::Failed), 2.0),
            None => (&self.colours.ink_3, 1.0),
        };
        self.pen.begin();
        outline();
        self.pen.stroke_with(colour);
        self.pen.width(width * thin);
        self.pen.stroke();
    }

    fn texts(&mut self, scene: &Scene, cards: &[Shown<'_>]) {
        let small = scene.view.camera.zoom >= SMALL_FROM;
        cards.iter().for_each(|(item, card)| self.prepare(item.slot, card, small));
        let texts = || cards.iter().filter_map(|(item, card)| Some((card, self.cards.get(&item.slot)?)));
        let pen = &self.pen;
        self.to_letters(scene);
        pen.font(&self.fonts.name);
        pen.fill_with(&self.colours.ink);
        texts().for_each(|(card, texts)| self.letters(scene, card, (TEXT_X, NAME_Y), &texts.name));
        if small {
            pen.font(&self.fonts.subtitle);
            pen.fill_with(&self.colours.ink_3);
            let subtitles = texts().filter_map(|(card, texts)| Some((card, texts.subtitle.as_ref()?)));
            subtitles.for_each(|(card, text)| self.letters(scene, card, (TEXT_X, SUBTITLE_Y), text));
        }
        self.to_world(scene);
    }

    /// The transform for [`Surface::letters`]: one for all, because a change of it costs as much as a word.
    fn to_letters(&self, scene: &Scene) {
        let size = self.letter_size(scene);
        self.pen.place(size, 0.0, 0.0, size, 0.0, 0.0);
    }

    /// Canvas pixels of a letter's unit.
    fn letter_size(&self, scene: &Scene) -> f64 {
        letter_zoom(scene.view.camera.zoom) * self.density
    }

    /// `x` and `y`: from the card's corner, in world units.
    fn letters(&self, scene: &Scene, card: &Card, (x, y): (f64, f64), text: &JsString) {
        let (corner, scale) = (self.corner_of(scene, card), scene.view.camera.zoom * self.density);
        let size = self.letter_size(scene);
        self.pen.text(text, (corner.x + x * scale) / size, (corner.y + y * scale) / size);
    }

    /// Measures and cuts a card's texts once per version of the card, the small one when it is shown.
    fn prepare(&mut self, slot: u32, card: &Card, small: bool) {
        let fitting = |font: &JsString, text: &str, size: f64, width: f64| {
            self.pen.font(font);
            pen::fitting(&self.pen, text, size, width)
        };
        let subtitle = || small.then(|| fitting(&self.fonts.subtitle, &card.subtitle, SMALL_SIZE, TEXT_WIDTH));
        if let Some(texts) = self.cards.get_mut(&slot).filter(|texts| texts.version == card.version) {
            texts.subtitle = texts.subtitle.take().or_else(subtitle);
            return;
        }
        let name = fitting(&self.fonts.name, &card.task.name, NAME_SIZE, TEXT_WIDTH);
        let words = |words: &str| fitting(&self.fonts.status, words, SMALL_SIZE, CARD.width - STATUS_X - 12.0);
        let words = card.status.as_ref().map(|status| words(&status.words));
        let texts = Texts { version: card.version, name, subtitle: subtitle(), words };
        self.cards.insert(slot, texts);
    }

    fn statuses(&self, scene: &Scene, cards: &[Shown<'_>]) {
        let pen = &self.pen;
        let shown = || cards.iter().filter(|(_, card)| card.status.is_some() && card.rect.height > CARD.height);
        if shown().next().is_none() {
            return;
        }
        pen.begin();
        shown().for_each(|(_, card)| {
            pen.move_to(card.rect.x, card.rect.y + STATUS_LINE);
            pen.line_to(card.rect.right(), card.rect.y + STATUS_LINE);
        });
        pen.stroke_with(&self.colours.line);
        pen.width(1.0);
        pen.stroke();
        pen.font(&self.fonts.status);
        for (item, card) in shown() {
            let Some(status) = &card.status else { continue };
            let hue = Hue::of_status(status.status);
            self.to_letters(scene);
            pen.fill_with(self.colours.hue(hue));
            if let Some(words) = self.cards.get(&item.slot).and_then(|texts| texts.words.as_ref()) {
                self.letters(scene, card, (STATUS_X, STATUS_Y), words);
            }
            pen.stroke_with(self.colours.hue(hue));
            pen.width(2.0);
            self.status_icon(scene, card, status.status);
        }
        self.to_world(scene);
    }

    fn status_icon(&self, scene: &Scene, card: &Card, status: TaskStatus) {
        let turns = matches!(status, TaskStatus::Starting | TaskStatus::Running | TaskStatus::Ending);
        let (x, y) = (card.rect.x + 14.0 + 6.5, card.rect.y + STATUS_Y - 4.0);
        let scale = 13.0 / 24.0;
        let size = scene.view.camera.zoom * self.density * scale;
        let angle = if turns { (self.time / TURN).fract() * FULL_CIRCLE } else { 0.0 };
        let (sin, cos) = (angle.sin() * size, angle.cos() * size);
        let camera = &scene.view.camera;
        let at = ((x * camera.zoom + camera.x) * self.density, (y * camera.zoom + camera.y) * self.density);
        // Around the icon's own middle, which is (12, 12).
        self.pen.place(cos, sin, -sin, cos, at.0 - 12.0 * cos + 12.0 * sin, at.1 - 12.0 * sin - 12.0 * cos);
        self.pen.stroke_path(self.icons.status(status));
        self.to_world(scene);
    }

    fn gates(&self, scene: &Scene, cards: &[Shown<'_>]) {
        let pen = &self.pen;
        let thin = hairline(scene);
        for (item, card) in cards {
            let Some(gate) = item.gate else { continue };
            let rect = card.gate();
            pen.begin();
            pen.round_rect(rect.x, rect.y, rect.width, rect.height, 2.0);
            match gate {
                Gate::Closed => {
                    pen.fill_with(self.colours.hue(Hue::Waits));
                    pen.fill();
                }
                Gate::Open | Gate::NotReached => {
                    let open = gate == Gate::Open;
                    pen.fill_with(&self.colours.surface);
                    pen.fill();
                    pen.stroke_with(if open { self.colours.hue(Hue::Done) } else { &self.colours.ink_3 });
                    pen.width(thin);
                    pen.stroke();
                }
            }
        }
    }

    /// A triangle at the corner of a task that has a problem or a warning.
    fn marks(&self, scene: &Scene, cards: &[Shown<'_>]) {
        for (_, card) in cards {
            let Some(severity) = card.problem else { continue };
            let hue = match severity {
                Severity::Problem => Hue::Failed,
                Severity::Warning => Hue::Waits,
            };
            let (x, y) = (card.rect.right() - 12.0, card.rect.y - 9.0);
            self.pen.begin();
            self.pen.arc(x + 1.0, y + 9.0, 10.0, 0.0, FULL_CIRCLE);
            self.pen.fill_with(&self.colours.surface);
            self.pen.fill();
            self.to_spot(scene, x - 6.0, y + 1.5, 14.0 / 24.0);
            self.pen.stroke_with(self.colours.hue(hue));
            self.pen.width(2.25);
            self.pen.stroke_path(&self.icons.problem);
            self.to_world(scene);
        }
    }
}
