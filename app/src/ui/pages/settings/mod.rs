//! How is this installation set up, and where does each value come from?

mod secrets;
mod volumes;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use model::Site;

use crate::{
    api::site::{SettingView, get_site, settings},
    error::ApiError,
    ui::{
        kit::{Asked, Failed, Loading},
        shell::TopBar,
    },
};
use secrets::Secrets;
use volumes::Volumes;

#[component]
pub fn SettingsPage() -> impl IntoView {
    let site = Asked::new(get_site);
    let values = Asked::new(settings);
    let query = use_query_map();
    let volume = query.with_untracked(|query| query.get("volume")).unwrap_or_default();
    let secret = query.with_untracked(|query| query.get("secret")).unwrap_or_default();
    let (volume, secret) = (StoredValue::new(volume), StoredValue::new(secret));
    let parts = move |site: Site| {
        // What a form made, without asking for the whole again.
        let site = RwSignal::new(site);
        view! {
            <Volumes site=site name=volume.get_value() />
            <Secrets site=site name=secret.get_value() />
        }
    };
    view! {
        <TopBar />
        <main class="page narrow">
            <div class="page-head"><h1>"Settings"</h1></div>
            {move || match site.get() {
                None => view! { <div class="panel"><Loading /></div> }.into_any(),
                Some(Err(error)) => view! { <div class="panel"><Failed error=error again=move |()| site.refetch() /></div> }.into_any(),
                Some(Ok(site)) => parts(site).into_any(),
            }}
            <section class="panel section" aria-label="Values">
                <h2>"Values"</h2>
                <p class="hint">"Change them in fletchline.toml in the data folder, by environment or by flag; a start reads them."</p>
                {move || values.get().map(|values| view! { <Values values=values /> })}
            </section>
        </main>
    }
}

/// What stands between backticks is what one types.
fn with_code(text: &str) -> impl IntoView + use<> {
    let part = |(index, part): (usize, &str)| match index % 2 {
        0 => part.to_owned().into_any(),
        _ => view! { <code>{part.to_owned()}</code> }.into_any(),
    };
    text.split('`').enumerate().map(part).collect_view()
}

#[component]
fn Values(values: Result<Vec<SettingView>, ApiError>) -> impl IntoView {
    let row = |setting: SettingView| {
        view! {
            <tr>
                <td>
                    <code>{setting.name}</code>
                    <div class="hint">{with_code(&setting.help)}</div>
                </td>
                <td class="setting-value"><code class="wrap">{setting.value}</code></td>
                <td class="hint">{with_code(&setting.source)}</td>
            </tr>
        }
    };
    match values {
        Err(error) => view! { <p role="alert">{error.to_string()}</p> }.into_any(),
        Ok(values) => view! {
            <table class="table flush">
                <thead>
                    <tr>
                        <th>"Setting"</th>
                        <th>"Value"</th>
                        <th>"Comes from"</th>
                    </tr>
                </thead>
                <tbody>{values.into_iter().map(row).collect_view()}</tbody>
            </table>
        }
        .into_any(),
    }
}
