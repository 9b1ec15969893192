//! What can be asked on the command line?

mod cluster;
mod exec;
mod load;
mod local;
mod plan;
mod run;
mod services;
mod stop;
mod work;

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use app::error::ApiError;
use clap::{Args, Parser, Subcommand};

use crate::{data_folder::DataFolder, say, serve::Server};

/// What a script can tell apart.
pub const EXIT_CODES: &str = "Exit codes:\n  0  done; a run succeeded\n  1  a run failed, or a file has problems\n  \
    2  the command line is wrong\n  3  it could not be done: no server, a folder that another one holds, a file that cannot be read\n  \
    4  a run was cancelled\n`exec` ends with the exit code of the program that it ran.";

#[derive(Parser)]
#[command(name = "fletchline", version, about = "Draw a pipeline in the browser and run it.", after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The folder that holds everything. Else: $XDG_DATA_HOME/fletchline or ~/.local/share/fletchline.
    #[arg(long, global = true, env = "FLETCHLINE_DATA")]
    data: Option<PathBuf>,
    /// Answers for programs: one JSON value on stdout.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Serve pages and run pipelines until Ctrl+C or `fletchline stop`.
    ///
    /// Prints a link that lets one browser in. Tasks that run go on when the server stops; it finds them again when it
    /// is started again. `fletchline stop --all` ends them, too.
    Serve(Overrides),
    /// Run a pipeline from a file.
    ///
    /// Handed over to the server that holds the data folder; without one this command is the server itself until the
    /// run has ended, and then stops its Viewers and Servings. The file is the run's snapshot: no saved pipeline changes.
    Run(run::Arguments),
    /// Say what is wrong with a pipeline in a file.
    Validate { file: PathBuf },
    /// Show what each task of a pipeline in a file would find mounted, without running anything.
    Plan {
        file: PathBuf,
        /// The mounts, or the manifests that a cluster would get. No cluster is asked.
        #[arg(long, value_enum, default_value_t = plan::Format::Mounts)]
        format: plan::Format,
    },
    /// Download and unpack into a folder, as a Load Data does.
    Load(load::Arguments),
    /// Run a program inside a running task; without one, open a shell there.
    Exec(exec::Arguments),
    /// List the Viewers and Servings that are there, and where programs find them.
    Services,
    /// Print another link that lets one browser in.
    Link,
    /// End the server. What it runs goes on, and is found again by the next server.
    Stop {
        /// End all runs, Viewers and Servings first. Works without a server, too.
        #[arg(long)]
        all: bool,
    },
    /// Look at the Kubernetes cluster, make it ready, or leave it.
    #[command(subcommand)]
    Cluster(cluster::Cluster),
    #[command(hide = true)]
    Work(work::Arguments),
    /// Keep secrets that tasks get as environment variables.
    #[command(subcommand)]
    Secret(Secret),
}

#[derive(Subcommand)]
enum Secret {
    /// Read a value from stdin and keep it under a name. It is never shown again.
    Set { name: String },
}

/// Settings over those of `fletchline.toml` and of the environment (FLETCHLINE_<NAME>).
#[derive(Args, Clone, Default)]
pub struct Overrides {
    /// Where tasks run: local or kubernetes.
    #[arg(long)]
    runner: Option<String>,
    /// The address to listen on; 127.0.0.1 unless set.
    #[arg(long)]
    bind: Option<String>,
    /// The port to listen on; 0 takes any free one.
    #[arg(long)]
    port: Option<String>,
    /// The address by which browsers reach the server when it is not localhost.
    #[arg(long)]
    public_url: Option<String>,
    /// The folder that is the results volume.
    #[arg(long)]
    results: Option<String>,
    /// A venv or conda folder that comes first on PATH of every task.
    #[arg(long)]
    python: Option<String>,
    /// Processors that tasks may take together.
    #[arg(long)]
    cpu: Option<String>,
    /// Memory that tasks may take together.
    #[arg(long)]
    memory: Option<String>,
    /// The most GPUs of this machine that tasks may take together.
    #[arg(long)]
    gpu: Option<String>,
    /// Private hosts and ranges that Load Data may download from, with commas between them.
    #[arg(long)]
    load_from: Option<String>,
    /// Seconds between asking a task to stop and killing it.
    #[arg(long)]
    grace_seconds: Option<String>,
    /// Keep the data of this many newest runs of each pipeline.
    #[arg(long)]
    keep_runs: Option<String>,
    /// Run warns first while less than this part of the disk is free, in percent.
    #[arg(long)]
    warn_free_percent: Option<String>,
}

impl Overrides {
    fn given(self) -> BTreeMap<String, String> {
        let all = [
            ("runner", self.runner),
            ("bind", self.bind),
            ("port", self.port),
            ("public_url", self.public_url),
            ("results", self.results),
            ("python", self.python),
            ("cpu", self.cpu),
            ("memory", self.memory),
            ("gpu", self.gpu),
            ("load_from", self.load_from),
            ("grace_seconds", self.grace_seconds),
            ("keep_runs", self.keep_runs),
            ("warn_free_percent", self.warn_free_percent),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// How a command went, for the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Failed,
    Cancelled,
    /// The exit code of a program that ran elsewhere.
    Code(u8),
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Done => 0,
            Outcome::Failed => 1,
            Outcome::Cancelled => 4,
            Outcome::Code(code) => code,
        })
    }
}

const NOT_DONE: u8 = 3;

/// The whole program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return say_error(&anyhow::Error::from(error)),
    };
    match runtime.block_on(carry_out(cli)) {
        Ok(outcome) => outcome.into(),
        Err(error) => say_error(&error),
    }
}

fn say_error(error: &anyhow::Error) -> ExitCode {
    say::err(sentence(error));
    ExitCode::from(NOT_DONE)
}

/// With its causes, each said once: most errors have their cause's words in their own.
fn sentence(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !said.contains(&cause) {
            said = if said.is_empty() { cause } else { format!("{said}: {cause}") };
        }
    }
    said
}

async fn carry_out(cli: Cli) -> anyhow::Result<Outcome> {
    let data = || DataFolder::open(cli.data.as_deref());
    match cli.command {
        Command::Serve(overrides) => serve(data()?, overrides).await,
        Command::Run(arguments) => run::run(data()?, arguments, cli.json).await,
        Command::Validate { file } => plan::validate(&data()?, &file, cli.json),
        Command::Plan { file, format } => plan::plan(&data()?, &file, format),
        Command::Load(arguments) => load::load(arguments, cli.json).await,
        Command::Exec(arguments) => exec::exec(&data()?, arguments).await,
        Command::Services => services::services(&data()?, cli.json).await,
        Command::Link => stop::link(&data()?, cli.json).await,
        Command::Stop { all } => stop::stop(data()?, all, cli.json).await,
        Command::Cluster(what) => cluster::cluster(data()?, what, cli.json).await,
        Command::Work(arguments) => work::work(arguments).await,
        Command::Secret(Secret::Set { name }) => local::set_secret(&data()?, &name).await,
    }
}

async fn serve(data: DataFolder, overrides: Overrides) -> anyhow::Result<Outcome> {
    log_to_stderr();
    let settings = crate::serve::settings(&data, &overrides.given())?;
    let server = Server::start(data, settings).await?;
    let inner = server.inner.clone();
    say::out(format_args!(
        "Fletchline is at {}. This link lets one browser in:\n\n  {}\n",
        inner.origin(),
        inner.link()
    ));
    say::out("Another link: fletchline link. Stop: Ctrl+C or fletchline stop.");
    let signals = tokio::spawn({
        let inner = inner.clone();
        async move {
            stop::signalled().await;
            inner.stop();
        }
    });
    server.ended().await;
    signals.abort();
    match inner.core.runs.live_tasks() {
        0 => say::out("Stopped. Nothing runs any more."),
        1 => say::out("Stopped. 1 task goes on; `fletchline stop --all` ends it, `fletchline serve` finds it again."),
        tasks => say::out(format_args!(
            "Stopped. {tasks} tasks go on; `fletchline stop --all` ends them, `fletchline serve` finds them again."
        )),
    }
    Ok(Outcome::Done)
}

/// RUST_LOG chooses; warnings unless it says otherwise.
fn log_to_stderr() {
    // What the client of clusters cannot do, whoever asked it says better.
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,server=info,kube_client=off"));
    // A second subscriber only exists in tests, which have their own.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// An error with all its sentences.
pub fn told(error: &ApiError) -> String {
    match error {
        ApiError::Problems { problems } => {
            problems.iter().map(|problem| problem.sentence.clone()).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;
    use crate::secrets::SecretError;

    #[test]
    fn a_cause_is_said_once() {
        let full = || std::io::Error::other("no space is left");
        let kept = anyhow::Error::from(SecretError::Io(full()));
        assert_eq!(sentence(&kept), "`secrets.json` in the data folder cannot be used: no space is left");
        let read = Err::<(), _>(full()).context("a.json cannot be read").unwrap_err();
        assert_eq!(sentence(&read), "a.json cannot be read: no space is left");
    }
}
