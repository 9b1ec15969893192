//! How does the server hear how far a Load Data in a pod is?

use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::ExitCode,
    thread::sleep,
    time::Duration,
};

use model::{pod::PROGRESS, supervise::TASK_STATE_AT};

const LOOK: Duration = Duration::from_millis(500);
/// Looks after which what has not changed is said again: nobody else would notice that the listener has left.
const AGAIN: u32 = 20;

/// `pod progress`: a line for each change, until nobody listens.
pub fn progress() -> ExitCode {
    let file = Path::new(TASK_STATE_AT).join(PROGRESS);
    let (mut last, mut unsaid) = (String::new(), 0);
    loop {
        let now = fs::read_to_string(&file).unwrap_or_default();
        unsaid += 1;
        if now != last || unsaid > AGAIN {
            let mut out = io::stdout().lock();
            if writeln!(out, "{}", now.trim()).and_then(|()| out.flush()).is_err() {
                return ExitCode::SUCCESS;
            }
            (last, unsaid) = (now, 0);
        }
        sleep(LOOK);
    }
}
