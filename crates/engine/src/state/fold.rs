//! How does a journal become what is known?

use model::Site;

use super::State;
use crate::event::{BadEntry, Entry};

impl State {
    /// Takes in one line of a journal.
    ///
    /// # Errors
    /// The line is not one of ours, or a newer version wrote it; then nothing has changed.
    pub fn take_in(&mut self, line: &str) -> Result<Entry, BadEntry> {
        let entry = Entry::read(line)?;
        self.apply(entry.at, &entry.event);
        Ok(entry)
    }

    /// What a whole journal says.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn fold<'a>(site: Site, lines: impl IntoIterator<Item = &'a str>) -> Result<Self, BadEntry> {
        let mut state = State::new(site);
        for line in lines {
            state.take_in(line)?;
        }
        Ok(state)
    }
}
