//! How do the page's icons get onto a canvas?
//!
//! The shapes are those of the kit; what is inside an `<svg>` becomes one path of 24 × 24 units.

use editor::scene::Hue;
use model::{KindName, run::TaskStatus};
use web_sys::Path2d;

use crate::ui::kit::icon::shape;

/// Paths by meaning. An icon that the kit lacks is drawn as nothing.
pub struct Icons {
    kinds: Vec<Path2d>,
    statuses: Vec<Path2d>,
    pub problem: Path2d,
}

impl Icons {
    pub fn new() -> Option<Self> {
        Some(Icons {
            kinds: KindName::ALL.iter().map(|kind| path(kind_icon(*kind))).collect::<Option<_>>()?,
            statuses: STATUSES.iter().map(|name| path(name)).collect::<Option<_>>()?,
            problem: path("triangle-alert")?,
        })
    }

    pub fn kind(&self, kind: KindName) -> &Path2d {
        &self.kinds[Hue::Kind(kind).index()]
    }

    pub fn status(&self, status: TaskStatus) -> &Path2d {
        &self.statuses[status_icon(status)]
    }
}

pub fn kind_icon(kind: KindName) -> &'static str {
    match kind {
        KindName::LoadData => "download",
        KindName::Container => "box",
        KindName::Notebook => "notebook-text",
        KindName::Job => "play",
        KindName::Viewer => "chart-line",
        KindName::Serving => "radio",
        KindName::Volume => "database",
    }
}

const STATUSES: [&str; 8] = ["clock", "loader-circle", "hand", "check", "x", "pause", "circle-slash", "radio"];

/// An index into [`STATUSES`].
fn status_icon(status: TaskStatus) -> usize {
    match status {
        TaskStatus::Waiting => 0,
        TaskStatus::Starting | TaskStatus::Running | TaskStatus::Ending => 1,
        TaskStatus::WaitingForYou => 2,
        TaskStatus::Done => 3,
        TaskStatus::Failed => 4,
        TaskStatus::Paused => 5,
        TaskStatus::Skipped | TaskStatus::Cancelled | TaskStatus::NotInRun => 6,
        TaskStatus::Serving => 7,
    }
}

/// Each piece is a path of its own first: one that begins with a relative move would else begin where the last ended.
fn path(name: &str) -> Option<Path2d> {
    let whole = Path2d::new().ok()?;
    for data in shape(name).split('<').filter_map(piece) {
        whole.add_path(&Path2d::new_with_path_string(&data).ok()?);
    }
    Some(whole)
}

fn piece(element: &str) -> Option<String> {
    let text = |name: &str| {
        let start = element.find(&format!(" {name}=\""))? + name.len() + 3;
        element[start..].split('"').next()
    };
    let number = |name: &str| text(name).and_then(|value| value.parse::<f64>().ok()).unwrap_or(0.0);
    match element.split(' ').next()? {
        "path" => text("d").map(str::to_owned),
        "circle" => Some(ellipse(number("cx"), number("cy"), number("r"), number("r"))),
        "ellipse" => Some(ellipse(number("cx"), number("cy"), number("rx"), number("ry"))),
        "line" => Some(format!("M{} {}L{} {}", number("x1"), number("y1"), number("x2"), number("y2"))),
        "rect" => Some(rect(number("x"), number("y"), number("width"), number("height"), number("rx"))),
        _ => None,
    }
}

fn ellipse(x: f64, y: f64, rx: f64, ry: f64) -> String {
    format!("M{} {y}a{rx} {ry} 0 1 0 {} 0a{rx} {ry} 0 1 0 {} 0", x - rx, 2.0 * rx, -2.0 * rx)
}

fn rect(x: f64, y: f64, width: f64, height: f64, r: f64) -> String {
    let (w, h) = (width - 2.0 * r, height - 2.0 * r);
    format!(
        "M{} {y}h{w}a{r} {r} 0 0 1 {r} {r}v{h}a{r} {r} 0 0 1 -{r} {r}h-{w}a{r} {r} 0 0 1 -{r} -{r}v-{h}a{r} {r} 0 0 1 {r} -{r}z",
        x + r
    )
}
