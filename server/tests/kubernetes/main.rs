//! Does the runner of a cluster keep what every pipeline relies on?
//!
//! The sentences of `tests/conformance`, on the cluster that KUBECONFIG names, in a namespace of their own with Pod Security
//! `restricted` enforced, on claims whose root belongs to root, with an image that does not run as root. Without a cluster
//! they are counted as ignored.

mod accepted;
mod claims;
mod cluster;
#[path = "../conformance/ends.rs"]
mod ends;
#[path = "../conformance/folders.rs"]
mod folders;
#[path = "../conformance/harness.rs"]
mod harness;
mod install;
mod kinds;
#[path = "../conformance/suite.rs"]
mod suite;
#[path = "../conformance/watching.rs"]
mod watching;

use std::process::ExitCode;

use cluster::{Cluster, Kube};
use libtest_mimic::{Arguments, Trial};

macro_rules! trials {
    ($($module:ident::$name:ident),* $(,)?) => {
        |cluster: &Cluster| vec![$({
            let cluster = cluster.clone();
            let test = move || {
                runtime().block_on(async { $module::$name(Kube::asked(&cluster).await).await });
                Ok(())
            };
            Trial::test(concat!(stringify!($module), "::", stringify!($name)), test)
        }),*]
    };
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let is_there = std::env::var_os("KUBECONFIG").is_some();
    if !is_there {
        println!("No cluster: set KUBECONFIG to test the runner of Kubernetes.");
    }
    let cluster = Cluster::new();
    let mut all = suite::suite!(trials)(&cluster);
    all.push(accepted::trial(&cluster));
    all.push(claims::trial(&cluster));
    all.push(install::trial(&cluster));
    let all = all.into_iter().map(|trial| trial.with_ignored_flag(!is_there)).collect();
    let conclusion = libtest_mimic::run(&arguments, all);
    runtime().block_on(cluster.remove());
    conclusion.exit_code()
}
