//! Which form has each kind?

use leptos::prelude::*;
use model::{
    KindName,
    kind::Framework,
    serving::{self, Generation},
};
use serde_json::json;

use super::{
    advance::AdvanceRule,
    codec::Codec,
    env::Environment,
    fields::{Area, Check, Choice, Line},
    files::{self, Files},
    form::Form,
    inherit::{Image, Resources},
    lists::{Grid, Keep, Ports, Sources},
    volumes::{ACCESS, Names, Volumes},
};

#[component]
pub fn KindForm(form: Form, kind: KindName) -> impl IntoView {
    let of_kind = match kind {
        KindName::LoadData => view! { <LoadDataForm form=form /> }.into_any(),
        KindName::Container => view! { <ContainerForm form=form /> }.into_any(),
        KindName::Notebook => view! { <NotebookForm form=form /> }.into_any(),
        KindName::Job => view! { <JobForm form=form /> }.into_any(),
        KindName::Viewer => view! { <ViewerForm form=form /> }.into_any(),
        KindName::Serving => view! { <ServingForm form=form /> }.into_any(),
        KindName::Volume => view! { <VolumeForm form=form /> }.into_any(),
    };
    // Where nobody may choose, a field is in the way; what a document says is shown, and can be cleared.
    let is_offered = move || kind != KindName::Volume && form.desk.site.with(|site| site.limits.run_as.is_some());
    let may_choose = move || is_offered() || form.read("run_as").is_some();
    let run_as = move || {
        may_choose().then(|| {
            view! { <Line form=form label="Run as" field="run_as" codec=Codec::RunAs placeholder="2000 or 2000:3000" /> }
        })
    };
    view! {
        {of_kind}
        {run_as}
    }
}

#[component]
fn LoadDataForm(form: Form) -> impl IntoView {
    view! {
        <Sources form=form />
        <Line form=form label="Target path" field="target" mono=true hint="Where tasks that read it find the data." />
        <Check form=form label="Keep what was loaded" field="keep" hint="A source that tells nothing about its age is not fetched again." />
        <Environment form=form />
        <Volumes form=form />
    }
}

#[component]
fn ContainerForm(form: Form) -> impl IntoView {
    view! {
        <Image form=form />
        <Line
            form=form
            label="Command"
            field="command"
            codec=Codec::Arguments
            mono=true
            placeholder="none: it stays there to be worked in"
        />
        <AdvanceRule form=form />
        <Ports form=form />
        <Resources form=form />
        <Environment form=form />
        <Files form=form hint="They lie in /work when it first starts." keeps_work=true />
        <Keep form=form />
        <Volumes form=form />
        <Line form=form label="Timeout" field="timeout" codec=Codec::Seconds placeholder="none" />
    }
}

#[component]
fn NotebookForm(form: Form) -> impl IntoView {
    view! {
        <Image form=form />
        <AdvanceRule form=form />
        <Line form=form label="Start path" field="start_path" mono=true />
        <Line
            form=form
            label="Opens first"
            field="open"
            codec=Codec::OptionalText
            mono=true
            placeholder="explore.ipynb"
            hint="A notebook, relative to the start path."
        />
        <Resources form=form />
        <Environment form=form />
        <Files
            form=form
            hint="They lie in the work folder when it first starts; what you change there is kept."
            keeps_work=true
        />
        <Keep form=form />
        <Volumes form=form />
        <Line form=form label="Arguments of JupyterLab" field="arguments" codec=Codec::Arguments mono=true />
        <Line form=form label="Timeout" field="timeout" codec=Codec::Seconds placeholder="none" />
    }
}

#[component]
fn JobForm(form: Form) -> impl IntoView {
    view! {
        <Image form=form />
        <Program form=form />
        <Grid form=form />
        <Check form=form label="Go on though some copies failed" field="tolerate_failed_copies" />
        <Resources form=form />
        <div class="form-three">
            <Line form=form label="Retries" field="retries" codec=Codec::Count placeholder="0" />
            <Line form=form label="Back-off" field="back_off" codec=Codec::Seconds placeholder="10 s" />
            <Line form=form label="Timeout" field="timeout" codec=Codec::Seconds placeholder="none" />
        </div>
        <Environment form=form />
        <Files form=form hint="Copied into /work before each start." />
        <Keep form=form />
        <Volumes form=form />
    }
}

/// A command or a script, never both.
#[component]
fn Program(form: Form) -> impl IntoView {
    let script = Memo::new(move |_| form.read("script").is_some());
    let switch = move |to_script: bool| {
        if to_script == script.get_untracked() {
            return;
        }
        // Two fields, one step.
        let step = Some(form.desk.handle.new_focus());
        if to_script {
            form.set("command", None, step);
            form.set("script", Some(json!("")), step);
        } else {
            form.set("script", None, step);
        }
    };
    let choice = move |to_script: bool, label: &'static str| {
        let on = move || script.get() == to_script;
        view! {
            <button class="segment" aria-pressed=move || on().to_string() on:click=move |_| switch(to_script)>
                {label}
            </button>
        }
    };
    view! {
        <div class="segments" role="group" aria-label="Command or script">
            {choice(false, "Command")} {choice(true, "Script")}
        </div>
        {move || {
            if script.get() {
                view! {
                    <Area form=form label="Script" field="script" rows=8 hint="Run by sh -eu; it reads the environment: \"$LR\"." />
                }
                    .into_any()
            } else {
                view! {
                    <Line
                        form=form
                        label="Command"
                        field="command"
                        codec=Codec::Arguments
                        mono=true
                        placeholder="python train.py --lr {{LR}}"
                    />
                }
                    .into_any()
            }
        }}
    }
}

#[component]
fn ViewerForm(form: Form) -> impl IntoView {
    view! {
        <p class="hint">"It shows what its arrows name, of every copy and try, while the run goes on and after."</p>
        <Line form=form label="Newest runs" field="newest_runs" codec=Codec::Count hint="How many it shows beside pinned ones." />
        <Image form=form />
        <Resources form=form />
        <Environment form=form />
        <Volumes form=form />
    }
}

const FRAMEWORKS: [(&str, &str); 6] = [
    ("scikit_learn", "scikit-learn"),
    ("pytorch", "PyTorch"),
    ("tensorflow", "TensorFlow"),
    ("xgboost", "XGBoost"),
    ("onnx", "ONNX"),
    ("custom", "Custom"),
];

#[component]
fn ServingForm(form: Form) -> impl IntoView {
    let reading = move || {
        let task = form.task().and_then(|task| form.desk.handle.task(&task))?;
        let file = task.kind.files().iter().find(|file| file.name == serving::SERVICE)?;
        Some(serving::read(&file.text).sentence())
    };
    let template = move |generation: Generation| {
        let framework = form.read("framework").and_then(|name| serde_json::from_value::<Framework>(name).ok());
        files::replace(form, &serving::template(framework.unwrap_or_default(), generation));
    };
    let button = move |generation: Generation| {
        view! {
            <button class="button small" on:click=move |_| template(generation)>
                {generation.title()}
            </button>
        }
    };
    view! {
        <Choice form=form label="Framework" field="framework" options=FRAMEWORKS.to_vec() />
        <div class="form-field">
            <span class="form-label">"Files from the template"</span>
            <div class="row tight">{button(Generation::Current)} {button(Generation::Bento11)}</div>
            <p class="hint form-hint">"Takes the place of the files below; undo brings them back."</p>
        </div>
        <Files form=form />
        {move || reading().map(|sentence| view! { <p class="hint form-hint">{sentence}</p> })}
        <Choice
            form=form
            label="A new good version"
            field="replace"
            options=vec![("manual", "waits until I make it live"), ("automatic", "becomes live by itself")]
        />
        <Line form=form label="Port" field="port" codec=Codec::Count placeholder="any free one" hint="For programs on this machine." />
        <Resources form=form />
        <Environment form=form />
        <Volumes form=form />
        <Image form=form />
    }
}

#[component]
fn VolumeForm(form: Form) -> impl IntoView {
    view! {
        <Line form=form label="Shared volume" field="volume" list="volume-names" hint="A name of this installation's settings." />
        <Names form=form />
        <Choice form=form label="Access" field="access" options=ACCESS.to_vec() />
        <Line form=form label="Mount path" field="mount_path" mono=true hint="Where an arrow without a To Path mounts it." />
    }
}
