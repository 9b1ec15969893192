//! Which few words does a card or an arrow carry?

use model::{
    Acl, Arrow, Kind,
    kind::{Advance, Framework, Job, LoadData, Volume},
};

/// The second line of a card: the kind, and the one thing worth knowing of it.
pub fn subtitle(kind: &Kind) -> String {
    let about = match kind {
        Kind::LoadData(load) => sources(load),
        Kind::Container(container) => advance(&container.advance),
        Kind::Notebook(notebook) => advance(&notebook.advance),
        Kind::Job(job) => job_words(job),
        Kind::Viewer(_) => "TensorBoard".into(),
        Kind::Serving(serving) => framework(serving.framework).into(),
        Kind::Volume(volume) => volume_words(volume),
    };
    let title = kind.name().title();
    if about.is_empty() { title.into() } else { format!("{title} · {about}") }
}

/// How many copies a Job's grid makes; 1 for all else.
pub fn copies(kind: &Kind) -> usize {
    match kind {
        Kind::Job(Job { copies: Some(grid), .. }) => grid.values().map(Vec::len).fold(1, usize::saturating_mul),
        Kind::Job(_)
        | Kind::LoadData(_)
        | Kind::Container(_)
        | Kind::Notebook(_)
        | Kind::Viewer(_)
        | Kind::Serving(_)
        | Kind::Volume(_) => 1,
    }
}

/// What an arrow mounts where: "/data → /con1/input RO".
pub fn arrow(arrow: &Arrow) -> String {
    let (from, to) = (arrow.from_path.as_str(), arrow.to_path.as_str());
    let acl = match arrow.acl {
        Acl::ReadOnly => "RO",
        Acl::ReadWrite => "RW",
    };
    match (from.is_empty(), to.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!("{from} {acl}"),
        (true, false) => format!("→ {to} {acl}"),
        (false, false) => format!("{from} → {to} {acl}"),
    }
}

fn sources(load: &LoadData) -> String {
    match load.sources.as_slice() {
        [] => "no source yet".into(),
        [one] => one.url.rsplit(['/', ':']).next().unwrap_or_default().to_owned(),
        more => format!("{} sources", more.len()),
    }
}

fn advance(rule: &Advance) -> String {
    match rule {
        Advance::Hand => "waits for you".into(),
        Advance::Exit => "goes on when it ends".into(),
        Advance::File { path } => format!("goes on at {path}"),
        Advance::Time { .. } => "goes on after a time".into(),
        Advance::Port { port } => format!("goes on at port {port}"),
    }
}

fn job_words(job: &Job) -> String {
    match &job.copies {
        Some(grid) if !grid.is_empty() => {
            let names: Vec<&str> = grid.keys().map(String::as_str).collect();
            format!("{} copies over {}", copies(&Kind::Job(job.clone())), names.join(", "))
        }
        _ => job.command.as_deref().map(|words| words.join(" ")).unwrap_or_default(),
    }
}

fn framework(framework: Framework) -> &'static str {
    match framework {
        Framework::Pytorch => "PyTorch",
        Framework::Tensorflow => "TensorFlow",
        Framework::ScikitLearn => "scikit-learn",
        Framework::Xgboost => "XGBoost",
        Framework::Onnx => "ONNX",
        Framework::Custom => "custom",
    }
}

fn volume_words(volume: &Volume) -> String {
    let acl = match volume.access {
        Acl::ReadOnly => "RO",
        Acl::ReadWrite => "RW",
    };
    if volume.volume.is_empty() { "no volume yet".into() } else { format!("{} · {acl}", volume.volume) }
}
