//! Which Viewers and Servings are there, and what do they cost?

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use leptos_router::components::A;
use model::{KindName, run::Deed, serving::Request};

use crate::{
    api::runs::{Service, do_deed, list_services},
    error::ApiError,
    live::{Ask, Tell},
    ui::{
        kit::{Asked, Copyable, Empty, Failed, KindChip, Loading, Toasts, line, rows},
        live_socket::Live,
        opening::{self, Opener},
        routes,
        shell::TopBar,
    },
};

/// How soon a Serving without an address is asked for again: its port is opened just after it became live, and one that
/// another program has may come free.
const SOON: Duration = Duration::from_secs(1);

/// The Viewers and Servings that are there, asked for again whenever a run changes.
pub fn follow() -> Asked<Result<Vec<Service>, ApiError>> {
    let list = Asked::new(list_services);
    Live::here().watch(
        || Ask::Runs,
        move |tell| {
            if let Tell::RunLine { .. } = tell {
                list.refetch();
            }
        },
    );
    Effect::new(move |_| {
        let lacks = |service: &Service| service.kind == KindName::Serving && service.address.is_none();
        let lacking = list.get().and_then(Result::ok).is_some_and(|all| all.iter().any(lacks));
        let timer = lacking.then(|| set_timeout_with_handle(move || list.refetch(), SOON).ok()).flatten();
        on_cleanup(move || timer.into_iter().for_each(|timer| timer.clear()));
    });
    list
}

/// Where programs find a Serving, and a line that asks it.
#[component]
pub fn Address(service: Service) -> impl IntoView {
    let Service { address, request, live, .. } = service;
    address.map(|address| {
        let line = request.map(|Request { route, body }| {
            format!("curl {address}/{route} -H 'content-type: application/json' -d '{body}'")
        });
        let whose = if live {
            "For programs on the server's machine. It stays the same when another version becomes live."
        } else {
            "This version's own address, for programs on the server's machine."
        };
        view! {
            <div class="address">
                <Copyable text=address label="Copy the address" />
                <p class="hint">{whose}</p>
                {line.map(|line| view! {
                    <Copyable text=line label="Copy the command" wraps=true />
                    <p class="hint">"Put your own values in place of …"</p>
                })}
            </div>
        }
    })
}

#[component]
pub fn ServicesPage() -> impl IntoView {
    let list = follow();
    let again = Callback::new(move |()| list.refetch());
    let all = Memo::new(move |_| list.get().and_then(Result::ok).unwrap_or_default());
    let face = Memo::new(move |_| match list.get() {
        None => Face::Loading,
        Some(Err(error)) => Face::Failed(error),
        Some(Ok(all)) if all.is_empty() => Face::Nothing,
        Some(Ok(_)) => Face::Cards,
    });
    view! {
        <TopBar />
        <main class="page">
            <div class="page-head">
                <h1>"Services"</h1>
                <span class="hint">"Viewers and Servings go on when their run has ended."</span>
            </div>
            {move || match face.get() {
                Face::Loading => view! { <div class="panel"><Loading /></div> }.into_any(),
                Face::Failed(error) => view! { <div class="panel"><Failed error=error again=again /></div> }.into_any(),
                Face::Nothing => view! { <NoServices /> }.into_any(),
                Face::Cards => view! { <Cards all=all again=again /> }.into_any(),
            }}
        </main>
    }
}

/// Which face the page shows; a card stays while others change.
#[derive(Clone, PartialEq)]
enum Face {
    Loading,
    Failed(ApiError),
    Nothing,
    Cards,
}

#[component]
fn Cards(all: Memo<Vec<Service>>, again: Callback<()>) -> impl IntoView {
    let card = move |service: Service| {
        let service = line(all, service, |service| &service.execution);
        move || view! { <Card service=service.get() again=again /> }
    };
    view! {
        <div class="cards">
            {rows(move || all.get(), |service| service.execution.clone(), card)}
        </div>
    }
}

#[component]
fn NoServices() -> impl IntoView {
    view! {
        <div class="panel">
            <Empty icon="radio" title="No service is there">
                "A run starts the Viewers and Servings of its pipeline; then they are listed here with what they hold."
            </Empty>
        </div>
    }
}

#[component]
fn Card(service: Service, again: Callback<()>) -> impl IntoView {
    let (execution, port) = (service.execution.clone(), service.port);
    let from = format!("Run {}", service.run_number);
    let (opener, toasts) = (Opener::here(), Toasts::here());
    let open_it = move |execution, port| opener.open(execution, port, move |why| toasts.fail(why));
    let open = port.map(|port| {
        let execution = execution.clone();
        view! {
            <button class="button primary" on:click=move |_| open_it(execution.clone(), port)>
                "Open"
            </button>
        }
    });
    let deeds: Vec<Deed> = service.may.clone();
    let whose = StoredValue::new(service.clone());
    let label = service.task_name.clone();
    view! {
        <section class="panel service" aria-label=label>
            <header class="service-head">
                <KindChip kind=service.kind />
                <div class="grow">
                    <h2 class="name">{service.task_name}</h2>
                    <span class="hint">
                        <A href=routes::pipeline(&service.execution.pipeline)>{service.pipeline_name}</A> " · "
                        <A href=routes::run(&service.run)>{from}</A>
                    </span>
                </div>
                {service.live.then(|| view! { <span class="pill done">"Live"</span> })}
            </header>
            <p>{service.sentence}</p>
            <p class="hint">{service.cost}</p>
            <Address service=whose.get_value() />
            <div class="row">
                {open}
                {deeds.into_iter().map(|deed| view! { <DeedButton whose=whose deed=deed again=again /> }).collect_view()}
            </div>
        </section>
    }
}

#[component]
fn DeedButton(whose: StoredValue<Service>, deed: Deed, again: Callback<()>) -> impl IntoView {
    let toasts = Toasts::here();
    let act = move |_| {
        let Some(service) = whose.try_get_value() else { return };
        spawn_local(async move {
            match do_deed(service.run, service.execution.task, deed, false).await {
                Ok(()) => drop(again.try_run(())),
                Err(error) => toasts.fail(error),
            }
        });
    };
    view! { <button class="button" class:danger-text=deed == Deed::Stop on:click=act>{opening::deed_word(deed)}</button> }
}
