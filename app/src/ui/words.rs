//! How are times, sizes and states said to people?

use model::{
    KindName,
    run::{Millis, RunStatus, TaskStatus},
};

/// Milliseconds since 1970 by this browser's clock.
pub fn now() -> Millis {
    js_sys::Date::now() as Millis
}

/// "3 s", "6 min 31 s", "2 h 4 min", "3 d 2 h".
pub fn duration(millis: Millis) -> String {
    let seconds = millis / 1000;
    match seconds {
        0 if millis > 0 => format!("{millis} ms"),
        0..60 => format!("{seconds} s"),
        60..3600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// From start to end, or until now.
pub fn took(started: Option<Millis>, ended: Option<Millis>) -> Option<String> {
    started.map(|started| duration(ended.unwrap_or_else(now).saturating_sub(started)))
}

/// Relative near now, a date further away.
pub fn when(at: Millis) -> String {
    let ago = now().saturating_sub(at) / 1000;
    match ago {
        0..45 => "just now".into(),
        45..3600 => format!("{} min ago", ago.div_ceil(60)),
        3600..21_600 => format!("{} h ago", ago / 3600),
        _ => date(at),
    }
}

fn date(at: Millis) -> String {
    let (then, today) = (js_date(at), js_date(now()));
    let day = |date: &js_sys::Date| (date.get_full_year(), date.get_month(), date.get_date());
    let time = format!("{:02}:{:02}", then.get_hours(), then.get_minutes());
    if day(&then) == day(&today) {
        return format!("today {time}");
    }
    if day(&then) == day(&js_date(now().saturating_sub(86_400_000))) {
        return format!("yesterday {time}");
    }
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS[then.get_month() as usize % 12];
    if then.get_full_year() == today.get_full_year() {
        format!("{month} {}, {time}", then.get_date())
    } else {
        format!("{month} {}, {}", then.get_date(), then.get_full_year())
    }
}

fn js_date(at: Millis) -> js_sys::Date {
    js_sys::Date::new(&(at as f64).into())
}

/// For a title: the whole date in the browser's own way.
pub fn exact(at: Millis) -> String {
    js_date(at).to_locale_string("default", &wasm_bindgen::JsValue::UNDEFINED).into()
}

/// `18:02:07`.
pub fn clock(at: Millis) -> String {
    let date = js_date(at);
    format!("{:02}:{:02}:{:02}", date.get_hours(), date.get_minutes(), date.get_seconds())
}

/// Binary units: "1.2 MiB".
pub fn size(bytes: u64) -> String {
    model::Memory(bytes).to_string()
}

/// "1 task", "2 tasks".
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// How a state looks: tone (a class), icon, word. Never colour alone.
pub type Look = (&'static str, &'static str, &'static str);

pub fn run_look(status: RunStatus) -> Look {
    match status {
        RunStatus::Running => ("running", "loader-circle", "Running"),
        RunStatus::WaitingForYou => ("waits", "hand", "Waiting for you"),
        RunStatus::Cancelling => ("idle", "loader-circle", "Cancelling"),
        RunStatus::Succeeded => ("done", "check", "Done"),
        RunStatus::Failed => ("failed", "x", "Failed"),
        RunStatus::Cancelled => ("idle", "ban", "Cancelled"),
    }
}

pub fn task_look(status: TaskStatus) -> Look {
    match status {
        TaskStatus::Waiting => ("idle", "clock", "Waiting"),
        TaskStatus::Starting => ("running", "loader-circle", "Starting"),
        TaskStatus::Running => ("running", "loader-circle", "Running"),
        TaskStatus::WaitingForYou => ("waits", "hand", "Your turn"),
        TaskStatus::Ending => ("running", "loader-circle", "Ending"),
        TaskStatus::Paused => ("idle", "pause", "Paused"),
        TaskStatus::Serving => ("running", "radio", "Answering"),
        TaskStatus::Done => ("done", "check", "Done"),
        TaskStatus::Failed => ("failed", "x", "Failed"),
        TaskStatus::Skipped => ("idle", "circle-slash", "Skipped"),
        TaskStatus::Cancelled => ("idle", "ban", "Cancelled"),
        TaskStatus::NotInRun => ("idle", "minus", "Not in this run"),
    }
}

pub fn kind_icon(kind: KindName) -> &'static str {
    match kind {
        KindName::LoadData => "download",
        KindName::Container => "box",
        KindName::Notebook => "notebook-text",
        KindName::Job => "play",
        KindName::Viewer => "chart-line",
        KindName::Serving => "radio",
        KindName::Volume => "database",
    }
}

/// The class and part of the colour's name.
pub fn kind_hue(kind: KindName) -> &'static str {
    match kind {
        KindName::LoadData => "load",
        KindName::Container => "container",
        KindName::Notebook => "notebook",
        KindName::Job => "job",
        KindName::Viewer => "viewer",
        KindName::Serving => "serving",
        KindName::Volume => "volume",
    }
}

/// What a kind is good for, in the palette.
pub fn kind_hint(kind: KindName) -> &'static str {
    match kind {
        KindName::LoadData => "from a URL, unpacked",
        KindName::Container => "any program, live",
        KindName::Notebook => "JupyterLab while it runs",
        KindName::Job => "a command, in copies",
        KindName::Viewer => "TensorBoard, any time",
        KindName::Serving => "a BentoML endpoint",
        KindName::Volume => "a shared folder",
    }
}

/// What a kind does, in the inspector's head.
pub fn kind_sentence(kind: KindName) -> &'static str {
    match kind {
        KindName::LoadData => "Load Data, downloads and unpacks",
        KindName::Container => "Container, live until it is advanced",
        KindName::Notebook => "Notebook, waits until you advance it",
        KindName::Job => "Job, runs a command and goes on when it ends",
        KindName::Viewer => "Viewer, TensorBoard over what its arrows name",
        KindName::Serving => "Serving, packs a model and answers requests",
        KindName::Volume => "Volume, a shared folder of this installation",
    }
}

/// In small letters, for a search. By the browser's own tables: the bundle needs none of Rust's. A log is mostly plain
/// text, and goes over to the browser and back for nothing.
pub fn lowered(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    js_sys::JsString::from(text).to_lower_case().into()
}
