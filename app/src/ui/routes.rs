//! Which page stands under which path?

use leptos::prelude::*;
use leptos_router::{
    components::{Route, Router, Routes},
    path,
};

use super::{
    kit::{Toaster, Toasts},
    live_socket::Live,
    opening::{Opener, WaitingForWay},
    pages::{
        editor::EditorPage, not_found::NotFound, pipelines::PipelinesPage, run::RunPage, runs::RunsPage,
        services::ServicesPage, settings::SettingsPage,
    },
    shell,
};

pub fn pipeline(id: &model::PipelineId) -> String {
    format!("/pipelines/{id}")
}

pub fn run(id: &model::RunId) -> String {
    format!("/runs/{id}")
}

/// The list of one pipeline's runs.
pub fn runs_of(id: &model::PipelineId) -> String {
    format!("/runs?pipeline={id}")
}

#[component]
pub fn App() -> impl IntoView {
    shell::apply_theme();
    shell::keep_the_page_when_files_are_dropped();
    let toasts = Toasts::provide();
    let opener = Opener::provide();
    Live::provide(toasts);
    view! {
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/") view=PipelinesPage />
                <Route path=path!("/pipelines/:id") view=EditorPage />
                <Route path=path!("/runs") view=RunsPage />
                <Route path=path!("/runs/:id") view=RunPage />
                <Route path=path!("/services") view=ServicesPage />
                <Route path=path!("/settings") view=SettingsPage />
            </Routes>
        </Router>
        <WaitingForWay opener=opener failed=move |why: String| toasts.fail(why) />
        <Toaster toasts=toasts />
    }
}
