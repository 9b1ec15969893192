//! Where is a pipeline drawn?

mod arrivals;
mod asks;
mod desk;
mod dock;
mod draft;
mod inspector;
mod keys;
mod palette;
mod run_dialog;
mod saver;
mod sizer;
mod stale;
mod take;
mod top;

use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_params_map};
use model::{PipelineId, Site, document};

use crate::{
    api::{
        pipelines::{Opened, open_pipeline},
        site::get_site,
    },
    error::ApiError,
    ui::{
        canvas::Canvas,
        kit::{Asked, Empty, Failed, Loading},
        shell::TopBar,
    },
};
use desk::Desk;
use draft::Place;

#[component]
pub fn EditorPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").and_then(|id| PipelineId::new(id).ok())));
    move || match id.get() {
        None => view! { <crate::ui::pages::not_found::NotFound /> }.into_any(),
        Some(id) => view! { <Open id=id /> }.into_any(),
    }
}

/// Loads document and site, and looks for a draft that goes on.
#[component]
fn Open(id: PipelineId) -> impl IntoView {
    let whose = id.clone();
    let held = StoredValue::new_local(None);
    let opened = Asked::new(move || {
        let id = whose.clone();
        async move {
            let (opened, site) = (open_pipeline(id.clone()).await?, get_site().await?);
            Ok::<_, ApiError>((opened, site, Place::find(&id, held).await))
        }
    });
    move || match opened.get() {
        None => view! {
            <TopBar />
            <main class="page"><div class="panel"><Loading lines=6 /></div></main>
        }
        .into_any(),
        Some(Err(error)) => view! {
            <TopBar />
            <main class="page">
                <div class="panel"><Failed error=error again=move |()| opened.refetch() /></div>
            </main>
        }
        .into_any(),
        Some(Ok((opened, site, place))) => read(id.clone(), opened, site, place),
    }
}

fn read(id: PipelineId, opened: Opened, site: Site, place: Place) -> AnyView {
    match document::read(&opened.document) {
        Ok(read) => view! { <Work desk=Desk::new(id, read.pipeline, opened, site, place) /> }.into_any(),
        Err(error) => view! {
            <TopBar />
            <main class="page">
                <div class="panel">
                    <Empty icon="triangle-alert" title="This pipeline cannot be opened">
                        {error.to_string()} ". Nothing was changed. " <A href="/">"Go to your pipelines"</A>
                    </Empty>
                </div>
            </main>
        }
        .into_any(),
    }
}

/// Palette, canvas with dock, inspector.
#[component]
fn Work(desk: Desk) -> impl IntoView {
    provide_context(desk);
    keys::listen(desk);
    desk.saver.follow(desk);
    desk.mark_problems();
    view! {
        <div class="desk" style=sizer::remembered()>
            <top::Top desk=desk />
            <palette::Palette desk=desk />
            <main class="desk-middle" aria-label="Canvas">
                <div
                    class="desk-canvas"
                    on:dragover=move |event| desk.handle.file_over(&event)
                    on:dragleave=move |_| drop(desk.handle.file_gone())
                    on:drop=move |event| arrivals::drop_on_canvas(desk, &event)
                >
                    <Canvas handle=desk.handle />
                    <asks::Asks desk=desk />
                    <palette::FirstStep desk=desk />
                </div>
                <dock::Dock desk=desk />
            </main>
            <inspector::Inspector desk=desk />
        </div>
        {move || desk.wish.get().map(|part| view! { <run_dialog::RunDialog desk=desk part=part /> })}
        {move || desk.taking.get().map(|task| view! { <take::Take desk=desk task=task /> })}
        {move || desk.exporting.get().then(|| view! { <top::Export desk=desk /> })}
        <stale::Stale desk=desk />
    }
}
