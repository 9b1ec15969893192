//! Which commands does this repository have?

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

mod bench;
mod bundle;
mod e2e;
mod images;
mod run;
mod setup;
mod shell;
mod soak;
mod test;

/// Every command of Fletchline's repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the product and start it on its embedded defaults.
    Run {
        /// Build without optimisation: starts sooner after a change.
        #[arg(long)]
        dev: bool,
        /// What follows goes to `fletchline serve`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        serve: Vec<String>,
    },
    /// Run all tests.
    Test {
        /// Only these steps: check, rust, browser, cluster; all without one.
        steps: Vec<test::Step>,
    },
    /// Build the browser's bundle into `dist/`.
    Bundle {
        /// Without optimisation.
        #[arg(long)]
        dev: bool,
    },
    /// Build the image that a Kubernetes cluster runs into `target/images/`.
    Images {
        /// Without optimisation, with the pages that were built last: what the tests on a cluster need.
        #[arg(long)]
        dev: bool,
    },
    /// Drive the product in Chromium as a person would.
    E2e {
        /// Only tests whose name contains this.
        filter: Option<String>,
    },
    /// Measure; writes reports to `docs/measured/`.
    Bench {
        /// engine, canvas, load, size; all without one.
        what: Vec<bench::What>,
    },
    /// The long tests: hundreds of kills, minutes of mutated input, what is known of other people's crates.
    Soak {
        /// Only these steps: crates, fuzz, rust, cluster; all without one.
        steps: Vec<soak::Step>,
    },
}

fn main() -> ExitCode {
    match carry_out(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Run { dev, serve } => run::run(dev, &serve),
        Command::Test { steps } => test::test(&steps),
        Command::Bundle { dev } => bundle::bundle(profile(dev)),
        Command::Images { dev } => images::images(dev),
        Command::E2e { filter } => e2e::e2e(filter.as_deref(), &mut test::Count::default()),
        Command::Bench { what } => bench::bench(&what),
        Command::Soak { steps } => soak::soak(&steps),
    }
}

fn profile(dev: bool) -> bundle::Profile {
    if dev { bundle::Profile::Dev } else { bundle::Profile::Small }
}

/// The repository's root.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
