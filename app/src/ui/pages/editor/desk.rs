//! What do all parts of the editor's page share?

use std::{collections::BTreeMap, sync::Arc};

use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_navigate;
use model::{
    At, EnvValue, Fix, Pipeline, PipelineId, Problem, Severity, Site, TaskId, inherit::Resolved, run::Part,
    site::RunnerName, validate,
};

use super::{draft::Place, saver::Saver};
use crate::{
    api::{
        pipelines::Opened,
        site::{get_site, set_secret},
    },
    ui::{
        canvas::{Command, EditorHandle, Mode},
        kit::Toasts,
    },
};

#[derive(Clone, Copy)]
pub struct Desk {
    pub handle: EditorHandle,
    pub id: StoredValue<PipelineId>,
    pub site: RwSignal<Site>,
    pub resolved: Memo<Arc<Resolved>>,
    pub problems: Memo<Arc<Vec<Problem>>>,
    text: Memo<Arc<String>>,
    pub saver: Saver,
    /// The dialog that asks before a run of this part.
    pub wish: RwSignal<Option<Part>>,
    /// The dialog that says what a JSON export leaves behind.
    pub exporting: RwSignal<bool>,
    /// The dialog that takes files of this task's work folder into the document.
    pub taking: RwSignal<Option<TaskId>>,
    pub dock: RwSignal<&'static str>,
    pub dock_open: RwSignal<bool>,
    /// Which face of the inspector shows.
    pub face: RwSignal<&'static str>,
    /// Narrow windows: which panel lies over the canvas.
    pub sheet: RwSignal<Option<&'static str>>,
    pub toasts: Toasts,
    pub go: Callback<String>,
}

impl Desk {
    pub fn new(id: PipelineId, pipeline: Pipeline, opened: Opened, site: Site, place: Place) -> Self {
        let kept = place.load().filter(|draft| draft.belongs_to(&opened));
        let draft = kept.as_ref().and_then(|draft| model::document::read(&draft.document).ok());
        let handle = EditorHandle::new(draft.map_or(pipeline, |draft| draft.pipeline), Mode::Edit);
        if let Some(kept) = &kept {
            handle.restore_history(&kept.history);
        }
        let site = RwSignal::new(site);
        let always = |_: Option<&_>, _: Option<&_>| true;
        let resolved = Memo::new_with_compare(
            move |_| site.with(|site| handle.with_meaning(|pipeline| Arc::new(Resolved::of(pipeline, site)))),
            always,
        );
        let problems = Memo::new(move |_| {
            let none = BTreeMap::new();
            site.with(|site| handle.with_meaning(|pipeline| Arc::new(validate::problems(pipeline, site, &none))))
        });
        let navigate = use_navigate();
        Desk {
            handle,
            saver: Saver::new(place, kept, opened),
            id: StoredValue::new(id),
            site,
            resolved,
            problems,
            text: Memo::new(move |_| Arc::new(handle.with_pipeline(model::document::write))),
            wish: RwSignal::new(None),
            exporting: RwSignal::new(false),
            taking: RwSignal::new(None),
            dock: RwSignal::new("problems"),
            dock_open: RwSignal::new(false),
            face: RwSignal::new("settings"),
            sheet: RwSignal::new(None),
            toasts: Toasts::here(),
            go: Callback::new(move |to: String| navigate(&to, Default::default())),
        }
    }

    pub fn id(self) -> PipelineId {
        self.id.get_value()
    }

    /// The document as it would be saved now. Untracked.
    pub fn text(self) -> Arc<String> {
        self.text.get_untracked()
    }

    /// Follows changes; the id of a task that is gone stands for itself.
    pub fn title(self, task: &TaskId) -> String {
        self.handle.task(task).map_or_else(|| task.to_string(), |task| task.title().to_owned())
    }

    /// Marks on the cards of tasks with problems.
    pub fn mark_problems(self) {
        Effect::new(move |_| {
            let mut gravest = BTreeMap::<TaskId, Severity>::new();
            for problem in self.problems.get().iter() {
                let task = match &problem.at {
                    At::Task { task, .. } => Some(task.clone()),
                    At::Arrow { arrow, .. } => {
                        let of = |pipeline: &Pipeline| pipeline.arrows.get(arrow).map(|arrow| arrow.to_task.clone());
                        self.handle.with_pipeline_untracked(of)
                    }
                    At::Pipeline { .. } => None,
                };
                if let Some(task) = task {
                    let worst = gravest.entry(task).or_insert(problem.severity);
                    *worst = (*worst).min(problem.severity);
                }
            }
            self.handle.set_problems(&gravest);
        });
    }

    /// What a cluster could not do may have been mended meanwhile, or it may have broken.
    pub fn look_at_faults_again(self) {
        if self.site.with_untracked(|site| site.runner == RunnerName::Local) {
            return;
        }
        spawn_local(async move {
            // Without an answer the last one stands.
            if let Ok(site) = get_site().await {
                self.site.try_set(site);
            }
        });
    }

    /// Selects the place of a problem and puts the focus into its field.
    pub fn show(self, at: &At) {
        match at {
            At::Task { task, .. } => self.handle.show_task(task),
            At::Arrow { arrow, .. } => self.handle.show_arrow(arrow),
            At::Pipeline { .. } => self.handle.select(Default::default()),
        }
        self.face.set("settings");
        self.sheet.set(Some("inspector"));
        let (At::Task { field, .. } | At::Arrow { field, .. } | At::Pipeline { field }) = at;
        focus_field(dotted(field));
    }

    /// Carries out the button of a problem.
    pub fn mend(self, fix: Fix) {
        match fix {
            Fix::MakeVolume { volume, .. } => {
                self.go.run(format!("/settings?volume={}", String::from(js_sys::encode_uri_component(&volume))));
            }
            Fix::MakeSecret { task, variable, .. } => self.make_secret(task, variable),
            edit @ (Fix::SetField { .. } | Fix::SetArrowField { .. } | Fix::RemoveArrow { .. }) => {
                if let Err(refusal) = self.handle.dispatch(Command::Fix(edit)) {
                    self.toasts.fail(refusal);
                }
            }
        }
    }

    /// A plain value goes into the installation's secrets, and its name takes its place.
    fn make_secret(self, task: TaskId, variable: String) {
        let value = self.handle.with_pipeline_untracked(|pipeline| {
            let env = pipeline.tasks.get(&task)?.kind.env()?;
            match env.get(&variable)?.as_ref()? {
                EnvValue::Value(value) => Some(value.clone()),
                EnvValue::Secret(_) => None,
            }
        });
        let Some(value) = value else { return };
        spawn_local(async move {
            match set_secret(variable.clone(), value).await {
                Ok(site) => {
                    self.site.try_set(site);
                    let field = format!("env.{variable}");
                    let value = Some(serde_json::json!({ "secret": variable }));
                    self.handle.act(Command::SetField { task, field, value, typing: None });
                    self.toasts
                        .say(format!("{variable} is a secret now. Undo brings the plain text back into the document."));
                }
                Err(error) => self.toasts.fail(error),
            }
        });
    }
}

/// `keep[0]` as the editor names it: `keep.0`.
pub fn dotted(field: &str) -> String {
    field.replace('[', ".").replace(']', "")
}

/// Once the inspector shows it.
pub fn focus_field(field: String) {
    let look = move || {
        let mut field = field.as_str();
        loop {
            let found = gloo::utils::document().query_selector(&format!("[data-field=\"{}\"]", field.replace('"', "")));
            if let Some(element) = found.ok().flatten() {
                let element: web_sys::HtmlElement = wasm_bindgen::JsCast::unchecked_into(element);
                let _ = element.focus();
                return;
            }
            // A list's entry that has no field of its own: the list's.
            match field.rsplit_once('.') {
                Some((outer, _)) => field = outer,
                None => return,
            }
        }
    };
    gloo::timers::callback::Timeout::new(60, look).forget();
}
