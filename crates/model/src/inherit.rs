//! Which settings does a task really have, and where do they come from?
//!
//! Image, environment, resources and shared volumes that are absent come from the direct upstreams' effective values.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Gather,
    id::TaskId,
    kind::{Kind, KindName, SharedVolume},
    order::Order,
    pipeline::Pipeline,
    quantity::{Cpu, Memory},
    site::Site,
    value::{EnvValue, Inherit},
};

/// One setting of one task, with its origin.
#[derive(Clone, Debug, PartialEq)]
pub enum Field<T> {
    /// Said by the task itself.
    Own(T),
    /// From upstream; `from` are the tasks that say it themselves.
    Inherited { value: T, from: Vec<TaskId> },
    /// The installation's, for this kind; not handed on.
    Default(T),
    /// The task says that it has none.
    Cleared,
    /// Nobody says anything.
    Unset,
    /// Direct upstreams with unequal values: a problem, and no value until the task has one of its own.
    Conflict(Vec<(TaskId, T)>),
}

impl<T> Field<T> {
    pub fn value(&self) -> Option<&T> {
        match self {
            Field::Own(value) | Field::Inherited { value, .. } | Field::Default(value) => Some(value),
            Field::Cleared | Field::Unset | Field::Conflict(_) => None,
        }
    }

    /// What it hands on, and who says it; `task` is whose field this is.
    fn handed_on<'a>(&'a self, task: &'a TaskId) -> Option<(&'a T, &'a [TaskId])> {
        match self {
            Field::Own(value) => Some((value, std::slice::from_ref(task))),
            Field::Inherited { value, from } => Some((value, from)),
            Field::Default(_) | Field::Cleared | Field::Unset | Field::Conflict(_) => None,
        }
    }
}

/// The settings of one task that can be inherited. Variables that nobody sets are not listed.
#[derive(Clone, Debug, PartialEq)]
pub struct Effective {
    pub image: Field<String>,
    pub cpu: Field<Cpu>,
    pub memory: Field<Memory>,
    pub gpu: Field<u32>,
    pub env: BTreeMap<String, Field<EnvValue>>,
    pub volumes: Field<Vec<SharedVolume>>,
}

impl Effective {
    /// Whether the documents say the same of both, wherever they say it. What the installation adds does not count.
    pub fn says_the_same(&self, other: &Effective) -> bool {
        fn said<T>(field: &Field<T>) -> Option<&T> {
            match field {
                Field::Own(value) | Field::Inherited { value, .. } => Some(value),
                Field::Default(_) | Field::Cleared | Field::Unset | Field::Conflict(_) => None,
            }
        }
        let env = |all: &Effective| -> BTreeMap<String, EnvValue> {
            all.env.iter().filter_map(|(name, field)| Some((name.clone(), said(field)?.clone()))).collect()
        };
        said(&self.image) == said(&other.image)
            && said(&self.cpu) == said(&other.cpu)
            && said(&self.memory) == said(&other.memory)
            && said(&self.gpu) == said(&other.gpu)
            && said(&self.volumes) == said(&other.volumes)
            && env(self) == env(other)
    }
}

/// What is computed once for a pipeline: the order of its tasks and their effective settings.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    pub order: Order,
    pub effective: BTreeMap<TaskId, Effective>,
}

impl Resolved {
    pub fn of(pipeline: &Pipeline, site: &Site) -> Resolved {
        let order = Order::of(pipeline);
        let wanted = pipeline.tasks.keys().cloned().gather();
        let effective = resolve(pipeline, site, &order, &wanted);
        Resolved { order, effective }
    }
}

/// The effective settings of one task; `None` when there is no such task. [`Resolved`] is cheaper for many.
pub fn effective(pipeline: &Pipeline, site: &Site, task: &TaskId) -> Option<Effective> {
    let order = Order::of(pipeline);
    let upstreams = sources(pipeline, &order, task);
    let mut wanted = order.up_to_here(task);
    wanted.extend(upstreams.iter().flat_map(|up| order.up_to_here(up)));
    resolve(pipeline, site, &order, &wanted).remove(task)
}

/// Upstreams first; Viewers last, because they hand nothing on. In a ring, what is not known yet counts as unset.
fn resolve(pipeline: &Pipeline, site: &Site, order: &Order, wanted: &BTreeSet<TaskId>) -> BTreeMap<TaskId, Effective> {
    let is_viewer = |id: &TaskId| pipeline.tasks.get(id).is_some_and(|task| task.kind.name() == KindName::Viewer);
    let wanted = || order.sorted().iter().filter(|id| wanted.contains(*id));
    let sorted = wanted().filter(|id| !is_viewer(id)).chain(wanted().filter(|id| is_viewer(id)));
    let mut known = BTreeMap::new();
    for id in sorted {
        let Some(task) = pipeline.tasks.get(id) else { continue };
        let from = sources(pipeline, order, id);
        let upstreams: Vec<_> = from.iter().filter_map(|up| known.get_key_value(up)).collect();
        let own = one(&task.kind, site, &upstreams);
        known.insert(id.clone(), own);
    }
    known
}

/// The tasks that it inherits from: those it waits for, and for a Viewer those it looks at.
fn sources(pipeline: &Pipeline, order: &Order, task: &TaskId) -> BTreeSet<TaskId> {
    let kind = |id: &TaskId| pipeline.tasks.get(id).map(|task| task.kind.name());
    if kind(task) != Some(KindName::Viewer) {
        return order.upstreams(task).cloned().gather();
    }
    let watched = order.arrows_into(task).iter().map(|arrow| &arrow.from_task);
    let hands_on = |kind| !matches!(kind, KindName::Volume | KindName::Viewer);
    watched.filter(|from| kind(from).is_some_and(hands_on)).cloned().gather()
}

type Upstreams<'a> = [(&'a TaskId, &'a Effective)];

fn one(kind: &Kind, site: &Site, upstreams: &Upstreams) -> Effective {
    let nobody: &Upstreams = &[];
    let whole = matches!(kind.name(), KindName::Container | KindName::Notebook | KindName::Job);
    let all = if whole { upstreams } else { nobody };
    let resources = kind.resources();
    let image = field(kind.image(), all, |up| &up.image);
    Effective {
        image: match (image, default_image(site, kind.name())) {
            (Field::Unset, Some(default)) => Field::Default(default.clone()),
            (image, _) => image,
        },
        cpu: field(resources.map(|own| &own.cpu), all, |up| &up.cpu),
        memory: field(resources.map(|own| &own.memory), all, |up| &up.memory),
        gpu: field(resources.map(|own| &own.gpu), all, |up| &up.gpu),
        env: env(kind, upstreams),
        volumes: field(kind.volumes(), upstreams, |up| &up.volumes),
    }
}

/// There is one for every kind; a Job's and a Container's is the Notebook's unless the settings name another.
fn default_image(site: &Site, kind: KindName) -> Option<&String> {
    let own = site.default_images.get(&kind);
    match kind {
        KindName::Job | KindName::Container => own.or_else(|| site.default_images.get(&KindName::Notebook)),
        KindName::Notebook | KindName::LoadData | KindName::Viewer | KindName::Serving => own,
        KindName::Volume => None,
    }
}

fn field<T: Clone + PartialEq>(
    own: Option<&Inherit<T>>,
    upstreams: &Upstreams,
    of: impl Fn(&Effective) -> &Field<T>,
) -> Field<T> {
    match own {
        Some(Inherit::Own(value)) => Field::Own(value.clone()),
        Some(Inherit::None) => Field::Cleared,
        Some(Inherit::Inherited) => merge(upstreams.iter().map(|(id, up)| (*id, of(up)))),
        None => Field::Unset,
    }
}

/// Upstreams without a value say nothing; unequal values are a conflict.
fn merge<'a, T: Clone + PartialEq + 'a>(fields: impl Iterator<Item = (&'a TaskId, &'a Field<T>)>) -> Field<T> {
    let said: Vec<_> =
        fields.filter_map(|(id, field)| field.handed_on(id).map(|(value, by)| (id, value, by))).collect();
    let Some((_, first, _)) = said.first() else { return Field::Unset };
    if said.iter().all(|(_, value, _)| value == first) {
        let from: BTreeSet<&TaskId> = said.iter().flat_map(|(_, _, by)| *by).gather();
        Field::Inherited { value: (*first).clone(), from: from.into_iter().cloned().collect() }
    } else {
        Field::Conflict(said.iter().map(|(id, value, _)| ((*id).clone(), (*value).clone())).collect())
    }
}

fn env(kind: &Kind, upstreams: &Upstreams) -> BTreeMap<String, Field<EnvValue>> {
    let Some(own) = kind.env() else { return BTreeMap::new() };
    let said = |value: &Option<EnvValue>| value.clone().map_or(Field::Cleared, Field::Own);
    let mut env: BTreeMap<String, Field<EnvValue>> =
        own.iter().map(|(name, value)| (name.clone(), said(value))).gather();
    let names: BTreeSet<&String> = upstreams.iter().flat_map(|(_, up)| up.env.keys()).gather();
    for name in names {
        if own.contains_key(name) {
            continue;
        }
        match merge(upstreams.iter().filter_map(|(id, up)| up.env.get(name).map(|field| (*id, field)))) {
            Field::Unset => {}
            field => drop(env.insert(name.clone(), field)),
        }
    }
    env
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixture::{Build, cluster, id, site},
        generate,
    };
    use proptest::prelude::*;
    use serde_json::json;

    fn value(text: &str) -> EnvValue {
        EnvValue::Value(text.into())
    }

    #[test]
    fn what_is_absent_comes_from_the_upstream_that_says_it_however_far_it_is() {
        let notebook = json!({"image": "py:3", "resources": {"gpu": 2}, "env": {"SEED": {"value": "7"}},
            "volumes": [{"volume": "nas", "mount_path": "/nas"}]});
        let pipeline = Build::new()
            .with("explore", KindName::Notebook, notebook)
            .task("train", KindName::Job)
            .task("test", KindName::Job)
            .arrow("explore", "/out", "train", "/in")
            .arrow("train", "/out", "test", "/in")
            .done();
        let test = effective(&pipeline, &site(), &id("test")).unwrap();
        let from = || vec![id("explore")];
        assert_eq!(test.image, Field::Inherited { value: "py:3".into(), from: from() });
        assert_eq!(test.gpu, Field::Inherited { value: 2, from: from() });
        assert_eq!(test.env["SEED"], Field::Inherited { value: value("7"), from: from() });
        assert_eq!(test.volumes.value().map(Vec::len), Some(1));
        assert_eq!(test.cpu, Field::Unset);
    }

    #[test]
    fn null_is_none_here_and_hands_nothing_on() {
        let pipeline = Build::new()
            .with("a", KindName::Job, json!({"image": "py:3", "env": {"X": {"value": "1"}}}))
            .with("b", KindName::Job, json!({"image": null, "env": {"X": null}}))
            .task("c", KindName::Job)
            .arrow("a", "", "b", "")
            .arrow("b", "", "c", "")
            .done();
        let resolved = Resolved::of(&pipeline, &site());
        assert_eq!(resolved.effective[&id("b")].image, Field::Cleared);
        assert_eq!(resolved.effective[&id("b")].env["X"], Field::Cleared);
        assert_eq!(resolved.effective[&id("c")].image, Field::Unset);
        assert!(resolved.effective[&id("c")].env.is_empty());
    }

    #[test]
    fn unequal_upstreams_are_a_conflict_per_field_and_variable_naming_both() {
        let task = |gpu: u32| json!({"resources": {"gpu": gpu, "cpu": 2}, "env": {"X": {"value": gpu.to_string()}, "Y": {"value": "y"}}});
        let pipeline = Build::new()
            .with("a", KindName::Job, task(1))
            .with("b", KindName::Job, task(2))
            .task("c", KindName::Job)
            .with("d", KindName::Job, json!({"resources": {"gpu": 3}}))
            .arrow("a", "", "c", "")
            .arrow("b", "", "c", "")
            .arrow("a", "", "d", "")
            .arrow("b", "", "d", "")
            .done();
        let resolved = Resolved::of(&pipeline, &site());
        let c = &resolved.effective[&id("c")];
        assert_eq!(c.gpu, Field::Conflict(vec![(id("a"), 1), (id("b"), 2)]));
        assert_eq!(c.cpu, Field::Inherited { value: Cpu(2000), from: vec![id("a"), id("b")] });
        assert_eq!(c.env["X"], Field::Conflict(vec![(id("a"), value("1")), (id("b"), value("2"))]));
        assert_eq!(c.env["Y"].value(), Some(&value("y")));
        assert_eq!(resolved.effective[&id("d")].gpu, Field::Own(3));
    }

    #[test]
    fn viewer_serving_and_load_data_inherit_environment_and_shared_volumes_only() {
        let job = json!({"image": "py:3", "resources": {"gpu": 1}, "env": {"X": {"value": "1"}},
            "volumes": [{"volume": "nas", "mount_path": "/nas"}]});
        let mut build = Build::new().with("train", KindName::Job, job);
        for (name, kind) in [("v", KindName::Viewer), ("s", KindName::Serving), ("l", KindName::LoadData)] {
            build = build.task(name, kind).arrow("train", "", name, "");
        }
        let pipeline = build.done();
        let resolved = Resolved::of(&pipeline, &site());
        for name in ["v", "s", "l"] {
            let task = &resolved.effective[&id(name)];
            assert_eq!((&task.image, &task.gpu), (&Field::Unset, &Field::Unset), "{name}");
            assert_eq!(task.env["X"].value(), Some(&value("1")), "{name}");
            assert!(task.volumes.value().is_some(), "{name}");
            assert_eq!(effective(&pipeline, &site(), &id(name)).as_ref(), Some(task), "{name}");
        }
    }

    #[test]
    fn an_image_still_unset_is_the_installations_default_which_is_not_inherited() {
        let mut site = cluster();
        site.default_images.remove(&KindName::Job);
        let pipeline =
            Build::new().task("s", KindName::Serving).task("j", KindName::Job).arrow("s", "", "j", "").done();
        let resolved = Resolved::of(&pipeline, &site);
        assert_eq!(resolved.effective[&id("s")].image, Field::Default("registry.example/serving:1".into()));
        assert_eq!(resolved.effective[&id("j")].image, Field::Default("registry.example/notebook:1".into()));
    }

    #[test]
    fn a_ring_ends_and_hands_on_what_is_said() {
        let pipeline = Build::new()
            .with("a", KindName::Job, json!({"image": "py:3"}))
            .task("b", KindName::Job)
            .arrow("a", "", "b", "")
            .arrow("b", "", "a", "")
            .done();
        let resolved = Resolved::of(&pipeline, &site());
        assert_eq!(resolved.effective[&id("b")].image.value(), Some(&"py:3".to_owned()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn one_task_alone_has_what_it_has_among_all_and_rings_end(mut pipeline in generate::pipeline(8), ring: bool) {
            if ring {
                for arrow in pipeline.arrows.values_mut().step_by(2) {
                    let arrow = std::sync::Arc::make_mut(arrow);
                    std::mem::swap(&mut arrow.from_task, &mut arrow.to_task);
                }
            }
            let resolved = Resolved::of(&pipeline, &site());
            prop_assert_eq!(resolved.effective.len(), pipeline.tasks.len());
            if resolved.order.cycles().is_empty() {
                for (task, whole) in &resolved.effective {
                    let alone = effective(&pipeline, &site(), task);
                    prop_assert_eq!(alone.as_ref(), Some(whole));
                }
            }
        }
    }
}
