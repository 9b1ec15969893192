//! What goes when a pipeline is deleted?

use leptos::prelude::*;

use super::List;
use crate::{
    api::pipelines::{PipelineSummary, delete_pipeline, pipeline_removal},
    ui::{
        kit::{Loss, RemoveDialog},
        words,
    },
};

#[component]
pub fn Remove(one: PipelineSummary, #[prop(into)] close: Callback<()>, list: List) -> impl IntoView {
    let (asked, id) = (one.id.clone(), one.id);
    let loss = move || {
        let id = asked.clone();
        async move {
            let removal = pipeline_removal(id).await?;
            let runs = words::count(removal.runs as usize, "run", "runs");
            Ok(Loss {
                what: format!("the pipeline and {runs} with results, work folders and logs"),
                space: removal.space,
                held_by: removal.held_by,
                kept_for: Vec::new(),
            })
        }
    };
    view! {
        <RemoveDialog
            name=one.name
            loss=loss
            delete=move || delete_pipeline(id.clone())
            on_gone=move |()| list.refetch()
            on_close=close
        />
    }
}
