//! How does a pipeline look from afar?

use leptos::prelude::*;

use crate::{api::pipelines::Picture, ui::words};

const WIDTH: f64 = 128.0;
const HEIGHT: f64 = 52.0;
const CARD: (f64, f64) = (220.0, 50.0);

/// Boxes in the hue of their kind, and the arrows between them, fitted into 128 × 52.
#[component]
pub fn SmallPicture(picture: Picture) -> impl IntoView {
    let fit = Fit::of(&picture);
    let middle = |index: u32| {
        let (_, x, y) = picture.tasks.get(index as usize)?;
        Some((fit.x(x + CARD.0 / 2.0), fit.y(y + CARD.1 / 2.0)))
    };
    let line = |(from, to): &(u32, u32)| {
        let ((x1, y1), (x2, y2)) = (middle(*from)?, middle(*to)?);
        Some(view! { <line x1=x1 y1=y1 x2=x2 y2=y2 /> })
    };
    let lines: Vec<_> = picture.arrows.iter().filter_map(line).collect();
    let (width, height) = ((CARD.0 * fit.scale).max(4.0), (CARD.1 * fit.scale).max(3.0));
    let cards = picture.tasks.iter().map(|(kind, x, y)| {
        let fill = format!("fill: var(--kind-{})", words::kind_hue(*kind));
        view! { <rect x=fit.x(*x) y=fit.y(*y) width=width height=height rx=1.5 style=fill /> }
    });
    view! {
        <svg class="picture" width=WIDTH height=HEIGHT viewBox=format!("0 0 {WIDTH} {HEIGHT}") aria-hidden="true">
            <g class="picture-lines">{lines}</g>
            {cards.collect_view()}
        </svg>
    }
}

struct Fit {
    scale: f64,
    left: f64,
    top: f64,
    pad: (f64, f64),
}

impl Fit {
    fn of(picture: &Picture) -> Fit {
        let range = |of: fn(&(model::KindName, f64, f64)) -> f64, more: f64| {
            let low = picture.tasks.iter().map(of).fold(f64::INFINITY, f64::min);
            let high = picture.tasks.iter().map(of).fold(f64::NEG_INFINITY, f64::max) + more;
            if low.is_finite() { (low, (high - low).max(1.0)) } else { (0.0, 1.0) }
        };
        let (left, wide) = range(|task| task.1, CARD.0);
        let (top, high) = range(|task| task.2, CARD.1);
        let scale = ((WIDTH - 10.0) / wide).min((HEIGHT - 10.0) / high).min(0.11);
        Fit { scale, left, top, pad: ((WIDTH - wide * scale) / 2.0, (HEIGHT - high * scale) / 2.0) }
    }

    fn x(&self, x: f64) -> f64 {
        self.pad.0 + (x - self.left) * self.scale
    }

    fn y(&self, y: f64) -> f64 {
        self.pad.1 + (y - self.top) * self.scale
    }
}
