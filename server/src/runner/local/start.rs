//! How does an accepted execution get its supervisor?

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, TcpListener},
    os::unix::net::UnixStream,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use model::{ExecutionId, launch::Launch, mounts::task_folder, run::Millis};

use super::{
    Shared, disk,
    folder::Accepted,
    follow::{Follower, Start},
    locked, order,
};
use crate::runner::{RunnerError, last_number, taken};

pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Shared {
    /// Accepts it durably and, where that is quick, starts it. `None`: nothing is left to do. Blocks.
    pub(super) fn begin(&self, launch: Launch) -> Result<Option<(Arc<Follower>, Start)>, RunnerError> {
        let id = launch.execution.clone();
        if let Some(follower) = self.follower(&id) {
            return if follower.accepted.launch == launch { Ok(None) } else { self.skip(&id) };
        }
        let folder = self.executions.folder(&id);
        // What is chosen for one is taken for the next only when its follower is known.
        let is_given = launch.resources.gpu > 0 || order::takes_a_port(&launch.program);
        let choosing = is_given.then(|| locked(&self.choosing));
        let accepted = match folder.accepted() {
            // Ours, of a server before this one.
            Some(accepted) if accepted.launch == launch => accepted,
            Some(_) => return self.skip(&id),
            // Released: its number is never used again.
            None if folder.is_claimed() => return self.skip(&id),
            None => {
                let (port, gpus) = self.choose(&launch)?;
                let accepted = Accepted { boot: self.boot.clone(), port, gpus, launch };
                folder.accept(&accepted).map_err(disk)?;
                accepted
            }
        };
        let is_claimed = folder.is_claimed();
        let is_quick = self.config.programs.is_quick(&accepted.launch);
        let follower = Arc::new(Follower::new(id.clone(), folder, accepted));
        locked(&self.followers).insert(id, follower.clone());
        drop(choosing);
        let start = match (is_claimed, is_quick) {
            (true, _) => Start::Adopted,
            (false, false) => Start::Later,
            (false, true) => self.start(&follower).map_or_else(Start::Failed, Start::Begun),
        };
        Ok(Some((follower, start)))
    }

    /// Another launch had this number: a journal that is older than the executions gives it out again.
    fn skip<T>(&self, id: &ExecutionId) -> Result<Option<T>, RunnerError> {
        let results = self.config.results.join(task_folder(&id.pipeline, &id.task));
        let of_results = last_number(&results).map_err(disk)?;
        let last = last_number(&self.executions.task(id)).map_err(disk)?.max(of_results);
        self.hub.tell(taken(id, last, now()));
        Ok(None)
    }

    /// Starts a supervisor, whether or not it will be the one that claims the execution. The line to it. Blocks.
    ///
    /// # Errors
    /// One sentence: it cannot be started.
    pub(super) fn start(&self, follower: &Follower) -> Result<UnixStream, String> {
        let say = |sentence: String| {
            follower.prepares(sentence);
            self.hub.tell(follower.look(self, true));
        };
        let addresses = self.addresses(&follower.accepted.launch)?;
        let mut order = order::order(self, &follower.accepted, &follower.folder, &say)?;
        order.program.env.extend(addresses);
        self.template.supervise(&follower.folder.path, &order).map_err(|error| {
            format!("The helper program {} could not be started: {error}.", self.config.helper.display())
        })
    }

    /// Where the Servings answer that a launch is told of. A version's own port: it is there without the server, too.
    fn addresses(&self, launch: &Launch) -> Result<BTreeMap<String, String>, String> {
        let address = |(variable, serving): (&String, &ExecutionId)| {
            let folder = self.executions.folder(serving);
            let accepted = folder.accepted().filter(|_| folder.is_live());
            let port = accepted.and_then(|one| one.port.or(one.launch.ports.first().copied()));
            let port = port.ok_or_else(|| {
                format!(
                    "{} asks {serving}, which does not serve any more: make it live again, then retry.",
                    launch.name
                )
            })?;
            Ok((variable.clone(), format!("http://127.0.0.1:{port}")))
        };
        launch.addresses.iter().map(address).collect()
    }

    fn choose(&self, launch: &Launch) -> Result<(Option<u16>, Vec<u32>), RunnerError> {
        let followers = locked(&self.followers);
        let others = || followers.values().filter(|other| !other.is_over());
        let port = order::takes_a_port(&launch.program)
            .then(|| free_port(|port| others().any(|other| other.accepted.port == Some(port))))
            .transpose()
            .map_err(disk)?;
        let is_taken = |minor: &u32| others().any(|other| other.accepted.gpus.contains(minor));
        let wanted = launch.resources.gpu as usize;
        let gpus: Vec<u32> =
            self.gpus.iter().map(|gpu| gpu.minor).filter(|minor| !is_taken(minor)).take(wanted).collect();
        if gpus.len() < wanted {
            return Err(RunnerError::Unavailable(format!(
                "{} asks for {wanted} GPUs, {} of this machine are free.",
                launch.name,
                gpus.len()
            )));
        }
        Ok((port, gpus))
    }
}

/// Nobody listens on it now, and none of ours is about to.
fn free_port(is_promised: impl Fn(u16) -> bool) -> io::Result<u16> {
    // Held until one is found, so that the system offers another each time.
    let mut tried = Vec::new();
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        if !is_promised(port) {
            return Ok(port);
        }
        tried.push(listener);
    }
}
