//! How are processors, memory and times written?

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuantity {
    #[error("\"{0}\" is not an amount of memory: write for example 512 MiB or 4 GiB")]
    Memory(String),
    #[error("{0} is not a number of processors: write for example 0.5 or 2, at most 1024")]
    Cpu(String),
}

/// Processors in thousandths: `Cpu(500)` is half a processor. In JSON a number of processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cpu(pub u32);

impl Cpu {
    /// The most that can be written.
    pub const MOST: Cpu = Cpu(1_024_000);

    /// # Errors
    /// Not a number above 0 and at most 1024.
    pub fn from_number(number: f64) -> Result<Self, BadQuantity> {
        if number.is_finite() && (0.001..=f64::from(Cpu::MOST.0) / 1000.0).contains(&number) {
            Ok(Cpu((number * 1000.0).round() as u32))
        } else {
            Err(BadQuantity::Cpu(number.to_string()))
        }
    }
}

impl FromStr for Cpu {
    type Err = BadQuantity;
    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        text.trim().parse().map_err(|_| BadQuantity::Cpu(text.into())).and_then(Cpu::from_number)
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.0) / 1000.0)
    }
}

impl Serialize for Cpu {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 1000 {
            0 => serializer.serialize_u32(self.0 / 1000),
            _ => serializer.serialize_f64(f64::from(self.0) / 1000.0),
        }
    }
}

impl<'de> Deserialize<'de> for Cpu {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cpu::from_number(f64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Cpu {
    fn schema_name() -> Cow<'static, str> {
        "Cpu".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "number", "exclusiveMinimum": 0, "maximum": 1024, "description": "Processors, for example 0.5 or 2."})
    }
}

/// Bytes of memory. In JSON a text such as `"4Gi"` (binary units, as Kubernetes writes them).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Memory(pub u64);

const UNITS: [(&str, u64); 4] = [("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];

impl Memory {
    /// The most that can be written: above 2^53 a number no longer counts single bytes.
    pub const MOST: Memory = Memory(9_000_000_000_000_000);
}

impl FromStr for Memory {
    type Err = BadQuantity;
    /// Takes `4Gi`, `4 GiB`, `1.5 GiB`, `1048576` and, in decimal units, `4 GB` and `4G`.
    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        let bad = || BadQuantity::Memory(text.into());
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(trimmed.len());
        let number: f64 = trimmed[..split].trim().parse().map_err(|_| bad())?;
        let unit = match trimmed[split..].trim_end_matches('B') {
            "" => 1.0,
            "Ki" => 1024.0,
            "Mi" => 1_048_576.0,
            "Gi" => 1_073_741_824.0,
            "Ti" => 1_099_511_627_776.0,
            "k" | "K" => 1e3,
            "M" => 1e6,
            "G" => 1e9,
            "T" => 1e12,
            _ => return Err(bad()),
        };
        let bytes = number * unit;
        let most = Memory::MOST.0 as f64;
        if bytes.is_finite() && (1.0..=most).contains(&bytes) { Ok(Memory(bytes.round() as u64)) } else { Err(bad()) }
    }
}

impl fmt::Display for Memory {
    /// For people: `4 GiB`, `1.5 GiB`, `512 MiB`, `10 B`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, unit)| self.0 >= *unit) {
            Some((name, unit)) => write!(f, "{} {name}B", (self.0 as f64 / *unit as f64 * 100.0).round() / 100.0),
            None => write!(f, "{} B", self.0),
        }
    }
}

impl Serialize for Memory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match UNITS.iter().find(|(_, unit)| self.0.is_multiple_of(*unit)) {
            Some((name, unit)) => serializer.collect_str(&format_args!("{}{name}", self.0 / unit)),
            None => serializer.collect_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Memory {
    fn schema_name() -> Cow<'static, str> {
        "Memory".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "description": "An amount of memory, for example 512Mi or 4Gi."})
    }
}

/// A length of time in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Seconds(pub u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_reads_what_people_and_kubernetes_write_and_comes_back_the_same() {
        assert_eq!("4Gi".parse(), Ok(Memory(4 << 30)));
        assert_eq!(" 1.5 GiB".parse(), Ok(Memory(3 << 29)));
        assert_eq!("2 GB".parse(), Ok(Memory(2_000_000_000)));
        assert_eq!(serde_json::to_string(&Memory(512 << 20)).unwrap(), "\"512Mi\"");
        for bad in ["", "-1Gi", "1e30", "0", "NaN", "1Zi", "four"] {
            assert!(bad.parse::<Memory>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_most_that_can_be_written_is_read_again() {
        assert_eq!(serde_json::from_value::<Cpu>(serde_json::json!(Cpu::MOST)).unwrap(), Cpu::MOST);
        assert_eq!(serde_json::from_value::<Memory>(serde_json::json!(Memory::MOST)).unwrap(), Memory::MOST);
    }

    #[test]
    fn processors_are_numbers_above_zero() {
        assert_eq!(serde_json::from_str::<Cpu>("0.5").unwrap(), Cpu(500));
        assert_eq!(serde_json::to_string(&Cpu(2000)).unwrap(), "2");
        for bad in ["0", "-1", "1e30"] {
            assert!(serde_json::from_str::<Cpu>(bad).is_err(), "{bad}");
        }
    }
}
