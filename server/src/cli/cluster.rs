//! How is a cluster looked at, made ready and left?

use std::{collections::BTreeMap, sync::Arc};

use clap::Subcommand;

use super::Outcome;
use crate::{
    data_folder::DataFolder,
    place,
    runner::kube::{KubeConfig, KubeRunner, claims},
    say, serve,
    store::SqliteStore,
};

#[derive(Subcommand)]
pub enum Cluster {
    /// Say what this installation has in its namespace, and what is missing there.
    Status,
    /// Make the claims that are missing, and the results claim writable for tasks, by a pod that runs as root.
    Prepare,
    /// End and remove every task, Viewer and Serving of this installation, for good. Stop the server first.
    ReleaseEverything {
        /// Do it, instead of saying how much it would be.
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn cluster(data: DataFolder, what: Cluster, json: bool) -> anyhow::Result<Outcome> {
    let settings = serve::settings(&data, &BTreeMap::from([("runner".into(), "kubernetes".into())]))?;
    let (client, namespace) = KubeRunner::find().await?;
    let store = SqliteStore::open(&data.database()).await?;
    let config = place::kubernetes(&settings, &serve::installation(&store).await?, &namespace);
    match what {
        Cluster::Status => {
            let status = claims::status(&client, &config).await?;
            if json { say::out(serde_json::to_string(&status)?) } else { say::out(status) }
        }
        Cluster::Prepare => {
            for claim in config.claims() {
                say::out(claims::make(&client, &config, claim).await?);
            }
            let found = claims::all(&client, &config).await?;
            let config = KubeConfig { one_node: claims::one_node(&found), ..config };
            claims::prepare(&client, &config).await?;
            say::out(format_args!("Tasks can write into the claim {} now.", config.results));
        }
        Cluster::ReleaseEverything { yes: false } => {
            let pods = claims::status(&client, &config).await?.pods;
            anyhow::bail!("This would end and remove {pods} pods of this installation: say --yes to do it");
        }
        Cluster::ReleaseEverything { yes: true } => {
            let _lock = data.lock()?;
            let runner = KubeRunner::new(config, client, data.root().to_owned(), Arc::new(|_| String::new()));
            runner.release_everything().await?;
            say::out("Nothing of this installation is left in the cluster. Claims and what lies on them stay.");
        }
    }
    Ok(Outcome::Done)
}
