//! What did one step change?
//!
//! For every record that was touched, what was there before and what is there after. Nobody writes an inverse:
//! swapping the two sides is one.

use std::collections::BTreeMap;

use model::Gather;
use serde::{Deserialize, Serialize};

use crate::record::{Record, RecordId};

/// One record's two sides; `None`: it was not there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sides {
    pub before: Option<Record>,
    pub after: Option<Record>,
}

/// The records that one step changed. Holds no record whose sides are equal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(RecordId, Sides)>", into = "Vec<(RecordId, Sides)>")]
pub struct Change {
    records: BTreeMap<RecordId, Sides>,
}

impl Change {
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// What differs: what is to be drawn, validated and sent again.
    pub fn touched(&self) -> impl Iterator<Item = &RecordId> {
        self.records.keys()
    }

    pub fn records(&self) -> impl Iterator<Item = (&RecordId, &Sides)> {
        self.records.iter()
    }

    /// This change and then `later` as one; records that came back to where they were are left out.
    pub fn then(mut self, later: Change) -> Change {
        for (id, sides) in later.records {
            let before = self.records.remove(&id).map_or(sides.before, |earlier| earlier.before);
            if before != sides.after {
                self.records.insert(id, Sides { before, after: sides.after });
            }
        }
        self
    }

    #[cfg(test)]
    pub(crate) fn forget(&mut self, id: &RecordId) {
        self.records.remove(id);
    }
}

impl FromIterator<(RecordId, Sides)> for Change {
    fn from_iter<I: IntoIterator<Item = (RecordId, Sides)>>(records: I) -> Self {
        Change { records: records.into_iter().filter(|(_, sides)| sides.before != sides.after).gather() }
    }
}

impl From<Vec<(RecordId, Sides)>> for Change {
    fn from(records: Vec<(RecordId, Sides)>) -> Self {
        records.into_iter().collect()
    }
}

impl From<Change> for Vec<(RecordId, Sides)> {
    fn from(change: Change) -> Self {
        change.records.into_iter().collect()
    }
}
