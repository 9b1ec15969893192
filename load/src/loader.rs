//! In which order does a load happen?

use crate::early::Early;
use crate::fetch::address::{Allow, Names};
use crate::fetch::downloads::Downloads;
use crate::fetch::name::{last_part, safe};
use crate::fetch::redirect::Web;
use crate::fetch::resume::{self, Download};
use crate::fetch::tail::Tail;
use crate::fetch::{Facts, Fetched, Freshness, local, parse_url};
use crate::progress::{Meter, Phase, Progress};
use crate::request::{Files, Limits, Loaded, Permissions, Request, Source, Summary, Supply};
use crate::target::Target;
use crate::unpack::format::{self, Plan};
use crate::unpack::limits::Bounds;
use crate::unpack::{self, Unpacked};
use crate::{Error, Unpack};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Loads requests with what the installation allows. Cheap to clone.
#[derive(Clone, Default)]
pub struct Loader {
    permissions: Permissions,
    supply: Option<Arc<dyn Supply>>,
    names: Option<Arc<dyn Names>>,
}

/// Ends the threads of a load whose future is dropped.
struct CancelOnDrop(Meter);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Where a load happens.
struct Site<'a> {
    request: &'a Request,
    web: &'a Web,
    downloads: &'a Downloads,
    target: &'a Arc<Target>,
    meter: &'a Meter,
}

/// One source on its way.
struct Job<'a> {
    source: &'a Source,
    wanted: Option<String>,
    url: Url,
}

impl Loader {
    /// A loader that speaks to public addresses and to those that `allow` names.
    pub fn new(allow: Allow) -> Loader {
        Loader { permissions: Permissions { allow, files: Files::Refused }, supply: None, names: None }
    }

    /// Whether `file:` sources are read.
    #[must_use]
    pub fn with_files(mut self, files: Files) -> Loader {
        self.permissions.files = files;
        self
    }

    /// Who has the bytes of other schemes, such as `example:`.
    #[must_use]
    pub fn with_supply(mut self, supply: Arc<dyn Supply>) -> Loader {
        self.supply = Some(supply);
        self
    }

    /// Who turns names into addresses, if not the machine's own resolver.
    #[must_use]
    pub fn with_names(mut self, names: Arc<dyn Names>) -> Loader {
        self.names = Some(names);
        self
    }

    /// Does all of a request. `report` is called at most twice a second, from any thread.
    ///
    /// # Errors
    /// Any of [`Error`]; the target is then as it was, and what was downloaded is kept for the next try.
    pub async fn load(
        &self,
        request: &Request,
        report: impl Fn(Progress) + Send + Sync + 'static,
    ) -> Result<Summary, Error> {
        let jobs = request.sources.iter().map(job).collect::<Result<Vec<_>, _>>()?;
        let meter = Meter::new(jobs.len(), Box::new(report));
        let _cancel = CancelOnDrop(meter.clone());
        tokio::select! {
            loaded = self.all(request, &jobs, &meter) => loaded,
            never = meter.keep_telling() => match never {},
        }
    }

    async fn all(&self, request: &Request, jobs: &[Job<'_>], meter: &Meter) -> Result<Summary, Error> {
        let downloads = Downloads::open(&request.downloads, meter).await?;
        let folder = request.target.clone();
        let target = Arc::new(blocking(move || Target::open(&folder)).await?);
        let web = Web::new(self.permissions.allow.clone(), self.names.clone(), patience(&request.limits))?;
        let mut loaded = Vec::new();
        for (index, job) in jobs.iter().enumerate() {
            let name = last_part(&job.url).as_deref().and_then(safe);
            meter.source(index + 1, &name.unwrap_or_else(|| crate::error::shown(job.source.url.as_bytes())));
            let site = Site { request, web: &web, downloads: &downloads, target: &target, meter };
            loaded.push(self.one(&site, index, job).await?);
        }
        meter.phase(Phase::Finishing, 0, None);
        let (count, durable) = (jobs.len(), request.durable);
        blocking(move || target.commit(count, durable)).await?;
        if !request.keep_downloads {
            for job in jobs {
                downloads.slot(&job.source.url).clear()?;
            }
            downloads.remove_if_empty();
        }
        let (files, bytes) = loaded.iter().fold((0, 0), |(f, b), l: &Loaded| (f + l.files, b + l.bytes));
        Ok(Summary { files, bytes, sources: loaded })
    }

    /// Brings one source and opens it, both at once where its format lets us.
    async fn one(&self, site: &Site<'_>, index: usize, job: &Job<'_>) -> Result<Loaded, Error> {
        let (place, wish, limits) = (site.target.place(index)?, job.source.unpack, &site.request.limits);
        let early = Early::start(site.target, place.clone(), wish, limits, site.meter, site.downloads);
        let fetched = self.fetch(site, job, early.tail()).await;
        let packed = fetched.as_ref().ok().and_then(|f| f.facts.length);
        let unpacked = early.finish(site.meter, packed).await;
        let (mut fetched, unpacked) = (fetched?, unpacked?);
        fetched.ours &= !site.request.keep_downloads;
        let url = job.source.url.clone();
        if let Some(done) = unpacked {
            return Ok(loaded(url, fetched, Some(done)));
        }
        let held = (Arc::clone(site.target), site.downloads.clone());
        let (limits, meter) = (limits.clone(), site.meter.clone());
        blocking(move || {
            let _held = held;
            let done = open(&fetched, wish, &place, &limits, meter)?;
            Ok(loaded(url, fetched, done))
        })
        .await
    }

    /// Whether a source is still what it was when `known` was written down. Sends nothing but a question.
    ///
    /// # Errors
    /// The source cannot be asked.
    pub async fn check(&self, source: &Source, known: &Facts, limits: &Limits) -> Result<Freshness, Error> {
        let job = job(source)?;
        if let (Some(wanted), Some(had)) = (&job.wanted, &known.sha256) {
            return Ok(if wanted == had { Freshness::SameChecksum } else { Freshness::Changed });
        }
        let now = match job.url.scheme() {
            "http" | "https" => {
                let web = Web::new(self.permissions.allow.clone(), self.names.clone(), patience(limits))?;
                resume::ask(&web, &job.url).await?
            }
            "file" => {
                let (files, limits) = (self.permissions.files.clone(), limits.clone());
                blocking(move || local::take_file(&job.url, &files, &limits, &Meter::silent())).await?.facts
            }
            _ => self.ask_supply(&job).await?,
        };
        Ok(Freshness::compare(known, &now))
    }

    async fn ask_supply(&self, job: &Job<'_>) -> Result<Facts, Error> {
        let (supply, address) = (self.supply(&job.url)?, job.source.url.clone());
        let scheme = job.url.scheme().to_owned();
        blocking(move || local::ask_supplied(&address, supply.as_ref())?.ok_or(Error::Scheme { url: address, scheme }))
            .await
    }

    fn supply(&self, url: &Url) -> Result<Arc<dyn Supply>, Error> {
        let unknown =
            || Error::Scheme { url: crate::error::shown(url.as_str().as_bytes()), scheme: url.scheme().to_owned() };
        self.supply.clone().ok_or_else(unknown)
    }

    async fn fetch(&self, site: &Site<'_>, job: &Job<'_>, tail: &Arc<Tail>) -> Result<Fetched, Error> {
        let Site { request, web, downloads, meter, .. } = *site;
        let (limits, meter) = (request.limits.clone(), meter.clone());
        let slot = downloads.slot(&job.source.url);
        let fetched = match job.url.scheme() {
            "http" | "https" => {
                let (url, wanted) = (&job.url, job.wanted.as_deref());
                let download =
                    Download { web, url, slot: &slot, downloads, limits: &limits, meter: &meter, wanted, tail };
                return download.run(request.reuse).await;
            }
            "file" => {
                let (url, files) = (job.url.clone(), self.permissions.files.clone());
                blocking(move || local::take_file(&url, &files, &limits, &meter)).await?
            }
            scheme => {
                let (supply, address, scheme) = (self.supply(&job.url)?, job.source.url.clone(), scheme.to_owned());
                let lock = downloads.clone();
                blocking(move || {
                    let _lock = lock;
                    let taken = local::take_supplied(&address, supply.as_ref(), &slot, &limits, &meter)?;
                    taken.ok_or(Error::Scheme { url: address, scheme })
                })
                .await?
            }
        };
        match (&job.wanted, &fetched.facts.sha256) {
            (Some(want), Some(got)) if want != got => {
                Err(Error::Checksum { name: fetched.name, want: want.clone(), got: got.clone() })
            }
            (_, _) => Ok(fetched),
        }
    }
}

fn job(source: &Source) -> Result<Job<'_>, Error> {
    Ok(Job { source, wanted: source.wanted()?, url: parse_url(&source.url)? })
}

fn patience(limits: &Limits) -> Duration {
    Duration::from_secs(limits.stall_seconds.max(1))
}

/// Runs on a thread that may block. A panic there is passed on.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(Error::Cancelled),
    }
}

/// What is said of one source in the end.
fn loaded(url: String, fetched: Fetched, unpacked: Option<Unpacked>) -> Loaded {
    let length = fetched.facts.length.unwrap_or(0);
    let (format, files, bytes, warnings) = match unpacked {
        Some(done) => (Some(done.format), done.files, done.bytes, done.warnings),
        None => (None, 1, length, Vec::new()),
    };
    Loaded { url, name: fetched.name, format, files, bytes, fetched: fetched.fetched, facts: fetched.facts, warnings }
}

/// Opens a source that has come, or puts it in place as it is.
fn open(
    fetched: &Fetched,
    wish: Unpack,
    place: &Path,
    limits: &Limits,
    meter: Meter,
) -> Result<Option<Unpacked>, Error> {
    let bounds = Bounds::new(&fetched.name, limits, meter);
    let head = unpack::head(&fetched.path)?;
    bounds.meter.phase(Phase::Unpacking, 0, fetched.facts.length);
    match format::plan(&fetched.name, &head, wish) {
        Plan::LeaveAlone => put(&fetched.path, &place.join(&fetched.name), fetched.ours, &bounds).map(|()| None),
        Plan::Mismatch { named } => Err(unpack::mismatch(&bounds, named, format::magic(&head))),
        plan @ (Plan::Unpack(_) | Plan::Look(_)) => {
            unpack::unpack(&fetched.path, &fetched.name, plan, place, &bounds).map(Some)
        }
    }
}

/// Puts a file in place as it is: a second name where its bytes may be given away, else a copy.
fn put(from: &Path, to: &Path, ours: bool, bounds: &Bounds) -> Result<(), Error> {
    if ours && std::fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    let mut source = File::open(from).map_err(|e| Error::io("opening", from, e))?;
    let mut copy = File::create_new(to).map_err(|e| Error::io("making", to, e))?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = source.read(&mut buffer).map_err(|e| Error::io("reading", from, e))?;
        if n == 0 {
            return Ok(());
        }
        copy.write_all(&buffer[..n]).map_err(|e| Error::io("writing", to, e))?;
        bounds.meter.add(n as u64);
        bounds.meter.tick()?;
    }
}
