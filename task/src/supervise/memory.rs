//! Has the kernel ended a process for want of memory since this one began?

use std::{
    fs,
    sync::Mutex,
    time::{Duration, Instant},
};

/// A count is as good as a new one for so long: to ask costs as much as a process.
const FRESH: Duration = Duration::from_secs(1);

static BEFORE: Mutex<Option<(Instant, u64)>> = Mutex::new(None);

/// Counts now, unless that was done a moment ago. A fork knows what its parent has counted.
pub fn look() {
    let Ok(mut before) = BEFORE.lock() else { return };
    if before.is_none_or(|(at, _)| at.elapsed() > FRESH) {
        *before = count().map(|count| (Instant::now(), count));
    }
}

/// Since the last look. False where the system does not tell.
pub fn was_short() -> bool {
    let before = BEFORE.lock().ok().and_then(|before| *before);
    before.zip(count()).is_some_and(|((_, before), after)| after > before)
}

/// Since the machine started.
fn count() -> Option<u64> {
    let text = fs::read_to_string("/proc/vmstat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}
