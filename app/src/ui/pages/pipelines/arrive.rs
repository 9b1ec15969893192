//! How does a pipeline come into the list?

use leptos::{html, prelude::*, task::spawn_local};
use leptos_router::hooks::use_navigate;
use model::PipelineId;

use crate::{
    api::pipelines::{Created, NewPipeline, create_pipeline},
    error::ApiError,
    ui::{
        files,
        kit::{Icon, Toasts},
        routes,
    },
};

/// Makes pipelines and goes to them.
#[derive(Clone, Copy)]
pub struct Arrive {
    busy: RwSignal<bool>,
    go: Callback<PipelineId>,
    toasts: Toasts,
}

impl Arrive {
    pub fn new() -> Self {
        let navigate = use_navigate();
        let go = Callback::new(move |id: PipelineId| navigate(&routes::pipeline(&id), Default::default()));
        Arrive { busy: RwSignal::new(false), go, toasts: Toasts::here() }
    }

    pub fn busy(self) -> bool {
        self.busy.get()
    }

    pub fn empty(self) {
        self.make(NewPipeline::Empty { name: "New pipeline".into() });
    }

    pub fn make(self, new: NewPipeline) {
        self.run(async move { create_pipeline(new).await });
    }

    /// A zip or JSON file of a person's.
    pub fn import(self, file: web_sys::File) {
        self.run(async move { files::import(&file).await });
    }

    fn run(self, made: impl Future<Output = Result<Created, ApiError>> + 'static) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        spawn_local(async move {
            let made = made.await;
            self.busy.try_set(false);
            match made {
                Ok(created) => {
                    created.sentences.into_iter().for_each(|sentence| self.toasts.say(sentence));
                    self.go.try_run(created.id);
                }
                Err(error) => self.toasts.fail(error),
            }
        });
    }
}

#[component]
pub fn ImportButton(arrive: Arrive) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let chosen = move |_| {
        let Some(input) = input.get_untracked() else { return };
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            arrive.import(file);
        }
        // So that the same file can be chosen again.
        input.set_value("");
    };
    let ask = move |_| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    };
    view! {
        <button class="button" on:click=ask disabled=move || arrive.busy()>
            <Icon name="import" />
            "Import"
        </button>
        <input
            node_ref=input
            type="file"
            accept=".json,.zip,application/json,application/zip"
            hidden
            aria-label="Pipeline file"
            on:change=chosen
        />
    }
}
