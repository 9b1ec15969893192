//! With which examples can one begin?

use leptos::prelude::*;

use super::{arrive::Arrive, picture::SmallPicture};
use crate::api::pipelines::{Example, NewPipeline};

#[component]
pub fn Examples(list: Vec<Example>, arrive: Arrive) -> impl IntoView {
    let card = move |example: Example| {
        let name = example.name.clone();
        let label = format!("New from example {}", example.title);
        view! {
            <button
                class="example"
                aria-label=label
                disabled=move || arrive.busy()
                on:click=move |_| arrive.make(NewPipeline::Example { name: name.clone() })
            >
                <SmallPicture picture=example.picture />
                <span class="example-text">
                    <span class="example-name">{example.title}</span>
                    <span class="hint">{example.description}</span>
                </span>
            </button>
        }
    };
    let any = !list.is_empty();
    any.then(|| {
        view! {
            <section class="examples" aria-label="New from example">
                {list.into_iter().map(card).collect_view()}
            </section>
        }
    })
}
