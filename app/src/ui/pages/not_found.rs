//! What stands where no page is?

use leptos::prelude::*;
use leptos_router::components::A;

use crate::ui::{kit::Empty, shell::TopBar};

#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <TopBar />
        <main class="page">
            <div class="panel">
                <Empty icon="search" title="There is no such page">
                    "The address may be old. " <A href="/">"Go to your pipelines"</A>
                </Empty>
            </div>
        </main>
    }
}
