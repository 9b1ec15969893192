//! How does one zoom without a wheel?

use leptos::prelude::*;

use super::EditorHandle;
use crate::ui::kit::Icon;

/// `seen` counts up when there was a picture.
#[component]
pub fn Controls(handle: EditorHandle, seen: RwSignal<u64>) -> impl IntoView {
    let zoom = Memo::new(move |_| {
        seen.track();
        handle.with(|editor| editor.camera().zoom)
    });
    let percent = move || format!("{:.0} %", zoom.get() * 100.0);
    view! {
        <div class="canvas-controls" role="group" aria-label="Zoom">
            <button type="button" aria-label="Zoom out" title="Zoom out (-)" on:click=move |_| handle.zoom_out()>
                <Icon name="minus" />
            </button>
            <button
                type="button"
                class="canvas-percent"
                aria-label=move || format!("Zoom is {}, set it to 100 %", percent())
                title="100 % (0)"
                on:click=move |_| handle.zoom_to(1.0)
            >
                {percent}
            </button>
            <button type="button" aria-label="Zoom in" title="Zoom in (+)" on:click=move |_| handle.zoom_in()>
                <Icon name="plus" />
            </button>
            <button type="button" aria-label="Show everything" title="Show everything (1)" on:click=move |_| handle.fit()>
                <Icon name="maximize" />
            </button>
        </div>
    }
}
