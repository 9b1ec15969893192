//! Which shared volumes does a task mount by its own settings?

use leptos::prelude::*;
use model::kind::SharedVolume;
use serde_json::{Value, json};

use super::{
    codec::Codec,
    fields::{Bare, Choice, Head, Out, Says, Typing},
    form::Form,
    inherit::{Origin, effective, origin},
};
use crate::ui::kit::rows;

pub const ACCESS: [(&str, &str); 2] = [("RO", "Read only"), ("RW", "Read and write")];

#[expect(clippy::ptr_arg, reason = "it is handed over as a function of the field's own type")]
fn shown(volumes: &Vec<SharedVolume>) -> String {
    volumes.iter().map(|one| format!("{} at {}", one.volume, one.mount_path)).collect::<Vec<_>>().join(", ")
}

#[component]
pub fn Volumes(form: Form) -> impl IntoView {
    let from = Memo::new(move |_| effective(form, |all| origin(form, &all.volumes, shown)).unwrap_or(Origin::Unset));
    let count = Memo::new(move |_| form.len("volumes"));
    let add = move |()| {
        let first = form.desk.site.with_untracked(|site| site.volumes.keys().next().cloned()).unwrap_or_default();
        form.push("volumes", json!({ "volume": first, "acl": "RO", "mount_path": "/shared" }));
    };
    view! {
        <section class="form-group" data-field="volumes">
            <Head label="Shared volumes" add=add word="Add volume" />
            {move || match from.get() {
                Origin::Inherited { value, from } => Some(view! { <Heritage form=form value=value from=from /> }.into_any()),
                Origin::Cleared => Some(
                    view! {
                        <p class="hint form-hint">
                            "none, whatever the upstreams say · "
                            <button class="link" on:click=move |_| form.remove("volumes")>"inherit"</button>
                        </p>
                    }
                        .into_any(),
                ),
                Origin::Own | Origin::Default { .. } | Origin::Unset | Origin::Conflict => None,
            }}
            {rows(move || 0..count.get(), |at| *at, move |at| view! { <One form=form at=at /> })}
            <Says form=form field="volumes" typing=Typing::new() />
            <Names form=form />
        </section>
    }
}

/// For completion: the volumes of this installation.
#[component]
pub fn Names(form: Form) -> impl IntoView {
    let option = |name: &String| view! { <option value=name.clone()></option> };
    view! {
        <datalist id="volume-names">
            {move || form.desk.site.with(|site| site.volumes.keys().map(option).collect_view())}
        </datalist>
    }
}

#[component]
fn Heritage(form: Form, value: String, from: String) -> impl IntoView {
    let clear = move |_| form.set("volumes", Some(Value::Null), None);
    view! {
        <div class="pair inherited"><code class="pair-value ellipsis" title=value.clone()>{value.clone()}</code></div>
        <p class="hint form-hint">
            "inherited from " {from} " · " <button class="link" on:click=clear>"clear"</button>
        </p>
    }
}

#[component]
fn One(form: Form, at: usize) -> impl IntoView {
    let place = format!("volumes.{at}");
    let gone = place.clone();
    view! {
        <div class="entry">
            <div class="row tight nowrap">
                <Bare form=form label="Volume" field=format!("{place}.volume") placeholder="name" list="volume-names" />
                <Choice form=form label="Access" field=format!("{place}.acl") options=ACCESS.to_vec() bare=true />
                <Out label="Remove volume" act=move |()| form.remove(&gone) />
            </div>
            <div class="row tight nowrap">
                <Bare form=form label="Mount path" field=format!("{place}.mount_path") placeholder="/shared" mono=true />
                <Bare
                    form=form
                    label="Folder of the volume"
                    field=format!("{place}.sub_path")
                    codec=Codec::OptionalText
                    placeholder="all of it"
                    mono=true
                />
            </div>
            <Says form=form field=place typing=Typing::new() deep=true />
        </div>
    }
}
