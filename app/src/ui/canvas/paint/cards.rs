//! How are cards drawn?

use editor::{
    Editor,
    board::{CARD, Card},
    geometry::Point,
    scene::{CardItem, Gate, Hue, Scene},
};
use js_sys::JsString;
use model::{Severity, run::TaskStatus};

use super::{FULL_CIRCLE, Surface, hairline};
use crate::ui::canvas::pen;

const ROUND: f64 = 10.0;
const CHIP: f64 = 28.0;
/// The chip's and the texts' places on a card, in world units.
const CHIP_AT: (f64, f64) = (12.0, 11.0);
const TEXT_X: f64 = 50.0;
const NAME_Y: f64 = 22.5;
const SUBTITLE_Y: f64 = 37.5;
const TEXT_WIDTH: f64 = CARD.width - TEXT_X - 12.0;
const STATUS_LINE: f64 = 52.0;
const STATUS_X: f64 = 34.0;
const STATUS_Y: f64 = 74.0;
const PORT: f64 = 5.5;
/// Icons and second lines are too small to be read below this zoom.
const SMALL_FROM: f64 = 0.5;
/// One turn of a running task's icon, in milliseconds.
const TURN: f64 = 2400.0;

/// A card's texts, cut to its width.
pub struct Texts {
    version: u32,
    name: JsString,
    subtitle: JsString,
    words: Option<JsString>,
}

type Shown<'a> = (&'a CardItem, &'a Card);

impl Surface {
    /// What is selected lies above the rest: it is what moves.
    pub(super) fn near(&mut self, editor: &Editor, scene: &Scene) {
        let board = editor.board();
        let shown = |selected: bool| -> Vec<Shown<'_>> {
            let items = scene.cards.iter().filter(|item| item.selected == selected);
            items.filter_map(|item| board.card(item.slot).map(|card| (item, card))).collect()
        };
        for selected in [false, true] {
            let cards = shown(selected);
            if !cards.is_empty() {
                self.layer(scene, &cards, selected);
            }
        }
    }

    fn layer(&mut self, scene: &Scene, cards: &[Shown<'_>], selected: bool) {
        self.bodies(scene, cards, selected);
        self.chips(scene, cards);
        self.texts(scene, cards);
        self.statuses(scene, cards);
        self.gates(scene, cards);
        if scene.camera.zoom >= editor::hit::PORTS_FROM {
            self.ports(scene, cards);
        }
        self.marks(scene, cards);
    }

    fn bodies(&self, scene: &Scene, cards: &[Shown<'_>], selected: bool) {
        let (pen, thin) = (&self.pen, hairline(scene));
        let outline = |by: f64, dx: f64, dy: f64, card: &Card| {
            let rect = card.rect.grown(by);
            pen.round_rect(rect.x + dx, rect.y + dy, rect.width, rect.height, ROUND + by);
        };
        pen.begin();
        cards.iter().for_each(|(_, card)| outline(0.5, 0.0, 2.0, card));
        pen.fill_with(&self.colours.shadow);
        pen.fill();
        pen.width(thin);
        pen.stroke_with(&self.colours.line_strong);
        pen.fill_with(&self.colours.surface);
        for offset in [6.0, 3.0] {
            pen.begin();
            cards.iter().filter(|(_, card)| card.copies > 1).for_each(|(_, card)| outline(0.0, offset, offset, card));
            pen.fill();
            pen.stroke();
        }
        pen.begin();
        cards.iter().for_each(|(_, card)| outline(0.0, 0.0, 0.0, card));
        pen.fill();
        if selected {
            pen.stroke_with(&self.colours.select);
            pen.width(1.75 * thin);
        }
        pen.stroke();
        self.outlines(cards, thin, &outline);
    }

    /// Hovered cards and the one that an arrow hangs over.
    fn outlines(&self, cards: &[Shown<'_>], thin: f64, outline: &impl Fn(f64, f64, f64, &Card)) {
        let pen = &self.pen;
        for (item, card) in cards.iter().filter(|(item, _)| item.target.is_some() || (item.hovered && !item.selected)) {
            let (colour, width) = match item.target {
                Some(true) => (&self.colours.select, 2.0),
                Some(false) => (self.colours.hue(Hue::Failed), 2.0),
                None => (&self.colours.ink_3, 1.0),
            };
            pen.begin();
            outline(0.0, 0.0, 0.0, card);
            pen.stroke_with(colour);
            pen.width(width * thin);
            pen.stroke();
        }
    }

    fn chips(&self, scene: &Scene, cards: &[Shown<'_>]) {
        let pen = &self.pen;
        for kind in model::KindName::ALL {
            let mut of_kind = cards.iter().filter(|(_, card)| card.kind == kind).peekable();
            if of_kind.peek().is_none() {
                continue;
            }
            let hue = Hue::Kind(kind);
            pen.begin();
            of_kind.clone().for_each(|(_, card)| {
                pen.round_rect(card.rect.x + CHIP_AT.0, card.rect.y + CHIP_AT.1, CHIP, CHIP, 6.0);
            });
            pen.fill_with(self.colours.soft(hue));
            pen.fill();
            if scene.camera.zoom < SMALL_FROM {
                continue;
            }
            pen.stroke_with(self.colours.hue(hue));
            pen.width(hairline(scene) * 24.0 / 16.0);
            let icon = self.icons.kind(kind);
            for (_, card) in of_kind {
                let inset = (CHIP - 16.0) / 2.0;
                let at = Point::new(card.rect.x + CHIP_AT.0 + inset, card.rect.y + CHIP_AT.1 + inset);
                self.to_spot(scene, at.x, at.y, 16.0 / 24.0);
                pen.stroke_path(icon);
            }
            self.to_world(scene);
        }
    }

    fn texts(&mut self, scene: &Scene, cards: &[Shown<'_>]) {
        cards.iter().for_each(|(item, card)| self.prepare(item.slot, card));
        let pen = &self.pen;
        pen.font(&self.fonts.name);
        pen.fill_with(&self.colours.ink);
        for (item, card) in cards {
            if let Some(texts) = self.cards.get(&item.slot) {
                pen.text(&texts.name, card.rect.x + TEXT_X, card.rect.y + NAME_Y);
            }
        }
        if scene.camera.zoom < SMALL_FROM {
            return;
        }
        pen.font(&self.fonts.subtitle);
        pen.fill_with(&self.colours.ink_3);
        for (item, card) in cards {
            if let Some(texts) = self.cards.get(&item.slot) {
                pen.text(&texts.subtitle, card.rect.x + TEXT_X, card.rect.y + SUBTITLE_Y);
            }
        }
    }

    /// Measures and cuts a card's texts once per version of the card.
    fn prepare(&mut self, slot: u32, card: &Card) {
        if self.cards.get(&slot).is_some_and(|texts| texts.version == card.version) {
            return;
        }
        self.pen.font(&self.fonts.name);
        let name = pen::fitting(&self.pen, &card.task.name, TEXT_WIDTH);
        self.pen.font(&self.fonts.subtitle);
        let subtitle = pen::fitting(&self.pen, &card.subtitle, TEXT_WIDTH);
        self.pen.font(&self.fonts.status);
        let width = CARD.width - STATUS_X - 12.0;
        let words = card.status.as_ref().map(|status| pen::fitting(&self.pen, &status.words, width));
        self.cards.insert(slot, Texts { version: card.version, name, subtitle, words });
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
            pen.fill_with(self.colours.hue(hue));
            if let Some(words) = self.cards.get(&item.slot).and_then(|texts| texts.words.as_ref()) {
                pen.text(words, card.rect.x + STATUS_X, card.rect.y + STATUS_Y);
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
        let size = scene.camera.zoom * self.density * scale;
        let angle = if turns { (self.time / TURN).fract() * FULL_CIRCLE } else { 0.0 };
        let (sin, cos) = (angle.sin() * size, angle.cos() * size);
        let camera = &scene.camera;
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

    fn ports(&self, scene: &Scene, cards: &[Shown<'_>]) {
        let pen = &self.pen;
        let circle = |at: Point| {
            pen.move_to(at.x + PORT, at.y);
            pen.arc(at.x, at.y, PORT, 0.0, FULL_CIRCLE);
        };
        pen.begin();
        for (_, card) in cards {
            if card.has_input() {
                circle(card.input());
            }
            if card.has_output() {
                circle(card.output());
            }
        }
        pen.fill_with(&self.colours.surface);
        pen.fill();
        pen.stroke_with(&self.colours.ink_3);
        pen.width(hairline(scene));
        pen.stroke();
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
