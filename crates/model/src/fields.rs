//! Which settings has a task, whatever its kind?
//!
//! `None` or empty: this kind has no such setting.

use crate::{
    kind::{Advance, Env, File, Grid, Kind, Port, Resources, SharedVolume},
    path::TaskPath,
    pipeline::Task,
    quantity::Seconds,
    value::{Inherit, Unknown},
};

impl Task {
    /// The name, or the id of a task that has none: sentences need a word for it.
    pub fn title(&self) -> &str {
        if self.name.trim().is_empty() { self.id.as_str() } else { &self.name }
    }
}

impl Kind {
    pub fn image(&self) -> Option<&Inherit<String>> {
        match self {
            Kind::Container(k) => Some(&k.image),
            Kind::Notebook(k) => Some(&k.image),
            Kind::Job(k) => Some(&k.image),
            Kind::Viewer(k) => Some(&k.image),
            Kind::Serving(k) => Some(&k.image),
            Kind::LoadData(_) | Kind::Volume(_) => None,
        }
    }

    pub fn env(&self) -> Option<&Env> {
        match self {
            Kind::LoadData(k) => Some(&k.env),
            Kind::Container(k) => Some(&k.env),
            Kind::Notebook(k) => Some(&k.env),
            Kind::Job(k) => Some(&k.env),
            Kind::Viewer(k) => Some(&k.env),
            Kind::Serving(k) => Some(&k.env),
            Kind::Volume(_) => None,
        }
    }

    pub fn resources(&self) -> Option<&Resources> {
        match self {
            Kind::Container(k) => Some(&k.resources),
            Kind::Notebook(k) => Some(&k.resources),
            Kind::Job(k) => Some(&k.resources),
            Kind::Viewer(k) => Some(&k.resources),
            Kind::Serving(k) => Some(&k.resources),
            Kind::LoadData(_) | Kind::Volume(_) => None,
        }
    }

    pub fn volumes(&self) -> Option<&Inherit<Vec<SharedVolume>>> {
        match self {
            Kind::LoadData(k) => Some(&k.volumes),
            Kind::Container(k) => Some(&k.volumes),
            Kind::Notebook(k) => Some(&k.volumes),
            Kind::Job(k) => Some(&k.volumes),
            Kind::Viewer(k) => Some(&k.volumes),
            Kind::Serving(k) => Some(&k.volumes),
            Kind::Volume(_) => None,
        }
    }

    pub fn files(&self) -> &[File] {
        match self {
            Kind::Container(k) => &k.files,
            Kind::Notebook(k) => &k.files,
            Kind::Job(k) => &k.files,
            Kind::Serving(k) => &k.files,
            Kind::LoadData(_) | Kind::Viewer(_) | Kind::Volume(_) => &[],
        }
    }

    pub fn keep(&self) -> &[TaskPath] {
        match self {
            Kind::Container(k) => &k.keep,
            Kind::Notebook(k) => &k.keep,
            Kind::Job(k) => &k.keep,
            Kind::LoadData(_) | Kind::Viewer(_) | Kind::Serving(_) | Kind::Volume(_) => &[],
        }
    }

    pub fn ports(&self) -> &[Port] {
        match self {
            Kind::Container(k) => &k.ports,
            Kind::LoadData(_)
            | Kind::Notebook(_)
            | Kind::Job(_)
            | Kind::Viewer(_)
            | Kind::Serving(_)
            | Kind::Volume(_) => &[],
        }
    }

    /// How a live step ends.
    pub fn advance(&self) -> Option<&Advance> {
        match self {
            Kind::Container(k) => Some(&k.advance),
            Kind::Notebook(k) => Some(&k.advance),
            Kind::LoadData(_) | Kind::Job(_) | Kind::Viewer(_) | Kind::Serving(_) | Kind::Volume(_) => None,
        }
    }

    /// Whether an advanced live step goes on until the run ends: a choice, made by default only for one whose
    /// rule is that a port answers, because others use that port.
    pub fn stays_open(&self) -> bool {
        let (choice, advance) = match self {
            Kind::Container(k) => (k.stay_open, &k.advance),
            Kind::Notebook(k) => (k.stay_open, &k.advance),
            Kind::LoadData(_) | Kind::Job(_) | Kind::Viewer(_) | Kind::Serving(_) | Kind::Volume(_) => return false,
        };
        choice.unwrap_or(matches!(advance, Advance::Port { .. }))
    }

    pub fn timeout(&self) -> Option<Seconds> {
        match self {
            Kind::Container(k) => k.timeout,
            Kind::Notebook(k) => k.timeout,
            Kind::Job(k) => k.timeout,
            Kind::LoadData(_) | Kind::Viewer(_) | Kind::Serving(_) | Kind::Volume(_) => None,
        }
    }

    /// A Job's grid. One without names is no grid: the Job runs once and its paths have no folder per copy.
    pub fn grid(&self) -> Option<&Grid> {
        match self {
            Kind::Job(k) => k.copies.as_ref().filter(|grid| !grid.is_empty()),
            Kind::LoadData(_)
            | Kind::Container(_)
            | Kind::Notebook(_)
            | Kind::Viewer(_)
            | Kind::Serving(_)
            | Kind::Volume(_) => None,
        }
    }

    pub fn unknown(&self) -> &Unknown {
        match self {
            Kind::LoadData(k) => &k.unknown,
            Kind::Container(k) => &k.unknown,
            Kind::Notebook(k) => &k.unknown,
            Kind::Job(k) => &k.unknown,
            Kind::Viewer(k) => &k.unknown,
            Kind::Serving(k) => &k.unknown,
            Kind::Volume(k) => &k.unknown,
        }
    }
}
