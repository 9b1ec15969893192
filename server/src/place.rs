//! Where do this installation's tasks run, and who decides about them?

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use model::site::RunnerName;

use crate::{
    backend::{Runs, results, site},
    controller::{self, Controller, StartError},
    data_folder::DataFolder,
    python::{OnThisMachine, Programs},
    runner::kube::{
        KubeConfig, KubeRunner, claims,
        config::{ClaimVolume, NewClaims, RunAs, Tolerated},
    },
    runner::{
        Runner, RunnerError,
        local::{
            LocalConfig, LocalRunner,
            config::{Budget, LOG_LIMIT, Secrets as Ask, Volume as Folder, Volumes},
            load,
        },
    },
    secrets::Secrets,
    settings::{Settings, kubernetes, volumes::Volume},
    store::Store,
};

pub struct Wanted {
    pub data: DataFolder,
    pub store: Arc<dyn Store>,
    pub settings: Arc<RwLock<Settings>>,
    pub secrets: Arc<Secrets>,
    pub programs: Arc<Programs>,
    pub installation: String,
}

pub struct Place {
    pub runs: Arc<dyn Runs>,
    pub runner: Arc<dyn Runner>,
}

#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Runner(#[from] RunnerError),
    #[error("The program {0} is missing, which belongs beside this one.")]
    Missing(PathBuf),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Goes on with what ran before.
///
/// # Errors
/// One sentence; then nothing was started.
pub async fn place(wanted: Wanted) -> Result<Place, PlaceError> {
    let settings = wanted.settings.read().unwrap_or_else(PoisonError::into_inner).clone();
    let runner: Arc<dyn Runner> = match settings.runner {
        RunnerName::Local => Arc::new(LocalRunner::new(config(&wanted, &settings)?)?),
        RunnerName::Kubernetes => Arc::new(cluster(&wanted, &settings).await?),
    };
    let site = site::of(&settings, runner.budget(), site::known_secrets(&*runner, &wanted.secrets));
    let keep_runs = settings.keep_runs;
    let parts = controller::Parts { store: wanted.store, runner: runner.clone(), site, keep_runs };
    let runs: Arc<dyn Runs> = Arc::new(Controller::start(parts).await?);
    Ok(Place { runs, runner })
}

/// Whether this process runs in a pod.
pub fn is_inside_a_cluster() -> bool {
    std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
}

async fn cluster(wanted: &Wanted, settings: &Settings) -> Result<KubeRunner, PlaceError> {
    let (client, namespace) = KubeRunner::find().await?;
    let config = kubernetes(settings, &wanted.installation, &namespace);
    let config = KubeConfig { one_node: claims::one_node(&claims::all(&client, &config).await?), ..config };
    let programs = wanted.programs.clone();
    let token = Arc::new(move |id: &model::ExecutionId| programs.token(id));
    Ok(KubeRunner::new(config, client, wanted.data.root().to_owned(), token).checked().with_secrets().await?)
}

/// `namespace`: unless the settings name one.
pub fn kubernetes(settings: &Settings, installation: &str, namespace: &str) -> KubeConfig {
    use crate::settings::Place;
    let of = settings.kubernetes.clone();
    let default_images = of.default_images().into_values().collect();
    let claims = settings.volumes.iter().filter_map(|(name, volume)| match &volume.place {
        Place::Claim(claim) => Some((name.clone(), ClaimVolume { claim: claim.clone(), access: volume.access })),
        Place::Folder(_) => None,
    });
    let tolerated = |one: kubernetes::Toleration| Tolerated { key: one.key, value: one.value, effect: one.effect };
    KubeConfig {
        installation: installation.to_owned(),
        namespace: of.namespace.unwrap_or_else(|| namespace.to_owned()),
        inside: is_inside_a_cluster(),
        image: of.image,
        results: of.results,
        one_node: std::collections::BTreeSet::new(),
        volumes: claims.collect(),
        secrets: of.secrets,
        run_as: RunAs { user: of.run_as.0, group: of.run_as.1 },
        run_as_range: of.run_as_range,
        gpu_resource: of.gpu_resource,
        node_selector: of.node_selector,
        tolerations: of.tolerations.into_iter().map(tolerated).collect(),
        pull_secrets: of.pull_secrets,
        default_images,
        registries: of.registries,
        load_from: settings.load_from.clone(),
        certificates: of.certificates,
        node_lost: of.node_lost_seconds,
        new_claims: NewClaims {
            size: of.new_claims.size,
            storage_class: of.new_claims.storage_class,
            for_many: of.new_claims.access == kubernetes::ClaimAccess::ReadWriteMany,
        },
    }
}

fn config(wanted: &Wanted, settings: &Settings) -> Result<LocalConfig, PlaceError> {
    let results = results(&wanted.data, settings);
    std::fs::create_dir_all(&results)?;
    let runtime = tokio::runtime::Handle::current();
    Ok(LocalConfig {
        data: wanted.data.root().to_owned(),
        installation: wanted.installation.clone(),
        volumes: volumes(wanted.settings.clone()),
        helper: beside("fletchline-task")?,
        server: beside("fletchline")?,
        home: std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute()),
        visible: Vec::new(),
        budget: Budget { cpu: settings.cpu, memory: settings.memory, gpu: settings.gpu },
        load_from: settings.load_from.clone(),
        certificates: std::env::var(load::CERTIFICATES).ok(),
        log_limit: LOG_LIMIT,
        secrets: secrets(wanted.secrets.clone()),
        programs: Arc::new(OnThisMachine::new(wanted.programs.clone(), &results, runtime)),
        results,
    })
}

fn secrets(secrets: Arc<Secrets>) -> Ask {
    Arc::new(move |name| secrets.value(name))
}

fn volumes(settings: Arc<RwLock<Settings>>) -> Volumes {
    use crate::settings::Place;
    Arc::new(move |name| {
        let settings = settings.read().unwrap_or_else(PoisonError::into_inner);
        let Volume { place, access } = settings.volumes.get(name)?;
        match place {
            Place::Folder(folder) => Some(Folder { folder: folder.clone(), access: *access }),
            Place::Claim(_) => None,
        }
    })
}

/// Our programs lie in one folder; a test's own program lies one below it.
fn beside(name: &str) -> Result<PathBuf, PlaceError> {
    let own = std::env::current_exe()?;
    let folders = own.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.ok_or_else(|| PlaceError::Missing(own.with_file_name(name)))
}
