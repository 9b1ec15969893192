//! What does Run ask before it runs?

use std::collections::{BTreeMap, BTreeSet};

use leptos::{prelude::*, task::spawn_local};
use leptos_router::components::A;
use model::{
    Parameter, ParameterType, PipelineId, Problem, TaskId, kind::KindName, order::Order, part, run::Part, validate,
};

use super::{desk::Desk, dock};
use crate::{
    api::{
        runs::{NewRun, Reading, run_reading, start_run},
        site::{SpaceWarning, little_space},
    },
    error::ApiError,
    ui::{
        kit::{Asked, Dialog, Icon},
        routes, words,
    },
};

#[derive(Clone, Copy)]
struct Wish {
    desk: Desk,
    part: StoredValue<Part>,
    values: RwSignal<BTreeMap<String, String>>,
    again: RwSignal<BTreeSet<TaskId>>,
    busy: RwSignal<bool>,
    refusal: RwSignal<Option<ApiError>>,
    /// Set while there is little room for what it would write.
    tight: RwSignal<Option<SpaceWarning>>,
}

/// Parameters, what stops it, what it reads. With nothing to ask it starts at once.
#[component]
pub fn RunDialog(desk: Desk, part: Part) -> impl IntoView {
    let wish = Wish {
        desk,
        part: StoredValue::new(part.clone()),
        values: RwSignal::new(BTreeMap::new()),
        again: RwSignal::new(BTreeSet::new()),
        busy: RwSignal::new(false),
        refusal: RwSignal::new(None),
        tight: RwSignal::new(None),
    };
    desk.look_at_faults_again();
    let parameters = desk.handle.with_pipeline_untracked(|pipeline| pipeline.settings.parameters.clone());
    let loads = loads(desk, &part);
    let stops = Memo::new(move |_| wish.stops());
    let silent = parameters.is_empty() && part == Part::All && stops.with_untracked(Vec::is_empty);
    wish.look_for_room(silent);
    // Nothing to ask: the dialog comes only if there is little room or the server refuses.
    let shown = move || !silent || wish.tight.with(Option::is_some) || wish.refusal.with(Option::is_some);
    let (parameters, loads) = (StoredValue::new(parameters), StoredValue::new(loads));
    move || {
        shown().then(|| {
            view! {
                <Dialog title=title(desk, &part) on_close=move |()| desk.wish.set(None)>
                    <form
                        on:submit=move |event: web_sys::SubmitEvent| {
                            event.prevent_default();
                            wish.start();
                        }
                    >
                        <div class="dialog-body">
                            <Stops desk=desk stops=stops />
                            <Refused wish=wish />
                            <Tight wish=wish />
                            {parameters.get_value().into_iter().map(|one| view! { <Value wish=wish one=one /> }).collect_view()}
                            {loads.get_value().into_iter().map(|(id, name)| view! { <Again wish=wish id=id name=name /> }).collect_view()}
                            {(wish.part.get_value() != Part::All).then(|| view! { <Reads wish=wish /> })}
                        </div>
                        <div class="dialog-foot">
                            <button type="button" class="button" on:click=move |_| desk.wish.set(None)>
                                "Cancel"
                            </button>
                            <button class="button primary" disabled=move || wish.busy.get() || !stops.with(Vec::is_empty)>
                                <Icon name="play" />
                                "Start run"
                            </button>
                        </div>
                    </form>
                </Dialog>
            }
        })
    }
}

fn title(desk: Desk, part: &Part) -> String {
    match part {
        Part::All => "Run".into(),
        Part::FromHere { task } => format!("Run from {}", desk.title(task)),
        Part::OnlyThis { task } => format!("Run only {}", desk.title(task)),
        Part::UpToHere { task } => format!("Run up to {}", desk.title(task)),
    }
}

/// The Load Data tasks that this part runs.
fn loads(desk: Desk, wanted: &Part) -> Vec<(TaskId, String)> {
    desk.handle.with_pipeline_untracked(|pipeline| {
        let tasks = part::tasks(pipeline, &Order::of(pipeline), wanted);
        let loads =
            pipeline.tasks.values().filter(|task| tasks.contains(&task.id) && task.kind.name() == KindName::LoadData);
        loads.map(|task| (task.id.clone(), task.title().to_owned())).collect()
    })
}

impl Wish {
    fn stops(self) -> Vec<Problem> {
        let wanted = self.part.get_value();
        let given = self.values.get();
        self.desk.site.with(|site| {
            self.desk.handle.with_pipeline(|pipeline| {
                let tasks = part::tasks(pipeline, &Order::of(pipeline), &wanted);
                let problems = validate::problems(pipeline, site, &given);
                part::stopping(pipeline, &tasks, &problems).into_iter().cloned().collect()
            })
        })
    }

    /// Starts at once when there is room and nothing else to ask.
    fn look_for_room(self, silent: bool) {
        spawn_local(async move {
            // Whether there is room is no reason not to run.
            match little_space().await.ok().flatten() {
                Some(warning) => drop(self.tight.try_set(Some(warning))),
                None if silent => self.start(),
                None => {}
            }
        });
    }

    fn new_run(self, revision: u64) -> NewRun {
        NewRun {
            pipeline: self.desk.id(),
            revision,
            part: self.part.get_value(),
            parameters: self.values.get_untracked(),
            download_again: self.again.get_untracked(),
            reading: None,
        }
    }

    fn start(self) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        spawn_local(async move {
            let answer = match self.desk.saver.save(self.desk).await {
                Ok(revision) => start_run(self.new_run(revision)).await,
                Err(error) => Err(error),
            };
            self.busy.try_set(false);
            match answer {
                Ok(run) => {
                    self.desk.wish.try_set(None);
                    self.desk.go.try_run(routes::run(&run));
                }
                Err(error) => drop(self.refusal.try_set(Some(error))),
            }
        });
    }
}

#[component]
fn Stops(desk: Desk, stops: Memo<Vec<Problem>>) -> impl IntoView {
    let row = move |problem: Problem| {
        let at = problem.at.clone();
        let show = move |_| {
            desk.wish.set(None);
            desk.show(&at);
        };
        let mend = problem.fix.map(|fix| {
            let label = dock::fix_label(&fix);
            view! {
                <button type="button" class="button small" on:click=move |_| desk.mend(fix.clone())>
                    {label}
                </button>
            }
        });
        view! {
            <li class="problem">
                <Icon name="triangle-alert" />
                <span class="grow">{problem.sentence}</span>
                {mend}
                <button type="button" class="button quiet small" on:click=show>
                    "Show"
                </button>
            </li>
        }
    };
    move || {
        let all = stops.get();
        (!all.is_empty()).then(|| {
            view! {
                <p>"This has to be mended first:"</p>
                <ul class="lines-plain">{all.into_iter().take(12).map(row).collect_view()}</ul>
            }
        })
    }
}

#[component]
fn Refused(wish: Wish) -> impl IntoView {
    move || {
        wish.refusal.get().map(|error| {
            let sentences: Vec<String> = match &error {
                ApiError::Problems { problems } => problems.iter().map(|problem| problem.sentence.clone()).collect(),
                other => vec![other.to_string()],
            };
            view! {
                <div class="note failed" role="alert">
                    {sentences.into_iter().map(|sentence| view! { <p>{sentence}</p> }).collect_view()}
                </div>
            }
        })
    }
}

/// The space is freed on the page of a pipeline's runs.
#[component]
fn Tight(wish: Wish) -> impl IntoView {
    let row = |(id, name, bytes): (PipelineId, String, u64)| {
        view! {
            <li>
                <A href=routes::runs_of(&id)>{name}</A>
                <span class="hint">" " {words::size(bytes)}</span>
            </li>
        }
    };
    move || {
        wish.tight.get().map(|SpaceWarning { sentence, largest }| {
            let intro = (!largest.is_empty()).then_some("The most is held by the runs of:");
            view! {
                <div class="note waits" role="status">
                    <p>{sentence}</p>
                    <p>{intro}</p>
                    <ul class="reasons">{largest.into_iter().map(row).collect_view()}</ul>
                </div>
            }
        })
    }
}

/// One parameter; a value equal to its default is not sent.
#[component]
fn Value(wish: Wish, one: Parameter) -> impl IntoView {
    let (name, default) = (one.name.clone(), one.default.clone());
    let set = move |value: String| {
        let (name, default) = (name.clone(), default.clone());
        wish.values.update(|values| {
            if value == default {
                values.remove(&name);
            } else {
                values.insert(name, value);
            }
        });
    };
    let numeric = matches!(one.kind, ParameterType::Integer | ParameterType::Number);
    let field = match one.kind {
        ParameterType::Boolean => {
            let on = one.default == "true";
            view! {
                <select class="field" on:change=move |event| set(event_target_value(&event))>
                    <option value="true" selected=on>"true"</option>
                    <option value="false" selected=!on>"false"</option>
                </select>
            }
            .into_any()
        }
        ParameterType::Text | ParameterType::Integer | ParameterType::Number => view! {
            <input
                class="field mono"
                inputmode=if numeric { "decimal" } else { "text" }
                prop:value=one.default.clone()
                on:input=move |event| set(event_target_value(&event))
            />
        }
        .into_any(),
    };
    view! {
        <label class="labelled">
            {one.name} {field} <span class="hint plain-weight">{one.description}</span>
        </label>
    }
}

#[component]
fn Again(wish: Wish, id: TaskId, name: String) -> impl IntoView {
    let change = move |event| {
        let on = event_target_checked(&event);
        wish.again.update(|again| {
            if on {
                again.insert(id.clone());
            } else {
                again.remove(&id);
            }
        });
    };
    view! {
        <label class="check">
            <input type="checkbox" on:change=change />
            {format!("{name}: download again")}
        </label>
    }
}

/// Which earlier executions a part reads.
#[component]
fn Reads(wish: Wish) -> impl IntoView {
    let desk = wish.desk;
    let readings = Asked::new(move || async move {
        let revision = desk.saver.save(desk).await?;
        run_reading(wish.new_run(revision)).await
    });
    let row = move |reading: Reading| {
        let warnings = reading.warnings.into_iter().map(|warning| view! { <p class="says warning">{warning}</p> });
        view! {
            <li>
                <b>{desk.title(&reading.task)}</b>
                {format!(" from run {} (execution {})", reading.run_number, reading.n)}
                {warnings.collect_view()}
            </li>
        }
    };
    move || match readings.get() {
        None => view! { <p class="hint">"Looking for what it reads…"</p> }.into_any(),
        Some(Err(error)) => view! { <p class="says">{error.to_string()}</p> }.into_any(),
        Some(Ok(all)) if all.is_empty() => view! { <p class="hint">"It reads nothing of earlier runs."</p> }.into_any(),
        Some(Ok(all)) => view! {
            <div>
                <p>"It reads:"</p>
                <ul class="lines-plain">{all.into_iter().map(row).collect_view()}</ul>
            </div>
        }
        .into_any(),
    }
}
