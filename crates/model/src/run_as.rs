//! As which user and group do a task's processes run on a cluster?

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is neither a user nor a range of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRunAs {
    #[error("\"{0}\" is not a user by number: write for example 2000, or 2000:3000 with its group")]
    User(String),
    #[error("\"{0}\" is not a range of numbers without 0: write for example 2000-2999")]
    Range(String),
}

/// A user by number, and a group if it is not the installation's. In JSON the text `"2000"` or `"2000:3000"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunAs {
    pub user: u32,
    pub group: Option<u32>,
}

/// The numbers of users and groups that tasks may choose, both ends included. Root's is never one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdRange {
    pub first: u32,
    pub last: u32,
}

impl IdRange {
    pub fn allows(self, run_as: RunAs) -> bool {
        let within = |id: u32| (self.first..=self.last).contains(&id);
        within(run_as.user) && run_as.group.is_none_or(within)
    }
}

impl FromStr for RunAs {
    type Err = BadRunAs;
    fn from_str(text: &str) -> Result<Self, BadRunAs> {
        let number = |number: &str| number.parse().map_err(|_| BadRunAs::User(text.into()));
        let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
        Ok(RunAs { user: number(user)?, group: group.map(number).transpose()? })
    }
}

impl fmt::Display for RunAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group {
            Some(group) => write!(f, "{}:{group}", self.user),
            None => write!(f, "{}", self.user),
        }
    }
}

impl FromStr for IdRange {
    type Err = BadRunAs;
    fn from_str(text: &str) -> Result<Self, BadRunAs> {
        let read = |(first, last): (&str, &str)| {
            let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            (0 < first && first <= last).then_some(IdRange { first, last })
        };
        text.split_once('-').and_then(read).ok_or_else(|| BadRunAs::Range(text.into()))
    }
}

impl fmt::Display for IdRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

fn read<'de, D: Deserializer<'de>, T: FromStr<Err = BadRunAs>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

impl<'de> Deserialize<'de> for RunAs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

impl<'de> Deserialize<'de> for IdRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

impl Serialize for RunAs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for IdRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for RunAs {
    fn schema_name() -> Cow<'static, str> {
        "RunAs".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]+(:[0-9]+)?$",
            "description": "A user by number, with a group if it is not the installation's: 2000 or 2000:3000.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_a_number_with_a_group_if_one_likes_and_comes_back_the_same() {
        for text in ["2000", "2000:3000"] {
            assert_eq!(text.parse::<RunAs>().unwrap().to_string(), text);
        }
        for bad in ["", "me", "2000:", ":3000", "-1", "1:2:3", "4294967296"] {
            assert_eq!(bad.parse::<RunAs>(), Err(BadRunAs::User(bad.into())));
        }
    }

    #[test]
    fn a_range_allows_users_and_groups_within_it_and_never_root() {
        let range: IdRange = "2000-2999".parse().unwrap();
        assert!(["2000", "2999", "2000:2500"].iter().all(|text| range.allows(text.parse().unwrap())));
        assert!(["1999", "3000", "2000:0", "0"].iter().all(|text| !range.allows(text.parse().unwrap())));
        for bad in ["", "2000", "0-10", "20-10", "a-b"] {
            assert_eq!(bad.parse::<IdRange>(), Err(BadRunAs::Range(bad.into())));
        }
    }
}
