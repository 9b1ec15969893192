//! How is a value typed, and how is it written in a document?

use model::{Cpu, Memory, RunAs};
use serde_json::{Value, json};

/// What kind of text a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    Text,
    /// Empty: the document does not say it.
    OptionalText,
    /// An argument list, typed as in a shell; empty: not said.
    Arguments,
    /// Values with commas between them.
    List,
    Cpu,
    Memory,
    Count,
    RunAs,
    /// "90", "30 s", "5 min", "2 h".
    Seconds,
}

impl Codec {
    pub fn show(self, value: Option<&Value>) -> String {
        let Some(value) = value else { return String::new() };
        match (self, value) {
            (_, Value::Null) => String::new(),
            (Codec::Arguments, Value::Array(list)) => join(list),
            (Codec::List, Value::Array(list)) => list
                .iter()
                .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(", "),
            (Codec::Memory, Value::String(text)) => {
                text.parse::<Memory>().map_or_else(|_| text.clone(), |memory| memory.to_string())
            }
            (Codec::Seconds, Value::Number(number)) => seconds(number.as_u64().unwrap_or(0)),
            (_, Value::String(text)) => text.clone(),
            (_, other) => other.to_string(),
        }
    }

    /// # Errors
    /// One sentence; the document keeps what it had.
    pub fn read(self, text: &str) -> Result<Option<Value>, String> {
        let trimmed = text.trim();
        match self {
            Codec::Text => Ok(Some(Value::String(text.to_owned()))),
            _ if trimmed.is_empty() => Ok(None),
            Codec::OptionalText => Ok(Some(Value::String(text.to_owned()))),
            Codec::Arguments => split(text).map(|list| Some(json!(list))),
            Codec::List => {
                Ok(Some(json!(trimmed.split(',').map(str::trim).filter(|one| !one.is_empty()).collect::<Vec<_>>())))
            }
            Codec::Cpu => trimmed.parse::<Cpu>().map(|cpu| Some(json!(cpu))).map_err(|error| error.to_string()),
            Codec::Memory => {
                trimmed.parse::<Memory>().map(|memory| Some(json!(memory))).map_err(|error| error.to_string())
            }
            Codec::Count => trimmed
                .parse::<u32>()
                .map(|count| Some(json!(count)))
                .map_err(|_| format!("\"{trimmed}\" is not a whole number")),
            Codec::RunAs => {
                trimmed.parse::<RunAs>().map(|run_as| Some(json!(run_as))).map_err(|error| error.to_string())
            }
            Codec::Seconds => read_seconds(trimmed).map(|seconds| Some(json!(seconds))),
        }
    }
}

fn seconds(all: u64) -> String {
    match all {
        0 => "0 s".into(),
        all if all % 3600 == 0 => format!("{} h", all / 3600),
        all if all % 60 == 0 => format!("{} min", all / 60),
        all => format!("{all} s"),
    }
}

fn read_seconds(text: &str) -> Result<u32, String> {
    let bad = || format!("\"{text}\" is not a time: write for example 90 s, 30 min or 2 h");
    let split = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let number: f64 = text[..split].trim().parse().map_err(|_| bad())?;
    let unit = match &text[split..] {
        "" | "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(bad()),
    };
    let all = number * unit;
    if all.is_finite() && (0.0..=4e9).contains(&all) { Ok(all.round() as u32) } else { Err(bad()) }
}

/// As a shell would read it back, quoted only where it must be.
fn join(list: &[Value]) -> String {
    let word = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        let plain = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\'));
        if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
    };
    list.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Words with quotes and backslashes; nothing is expanded.
fn split(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(end), _) if letter == end => quote = None,
            (Some('\''), _) => word.get_or_insert_default().push(letter),
            (_, '\\') => word.get_or_insert_default().extend(letters.next()),
            (Some(_), _) => word.get_or_insert_default().push(letter),
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(letter),
        }
    }
    match quote {
        Some(quote) => Err(format!("A {quote} has no second one")),
        None => {
            words.extend(word);
            Ok(words)
        }
    }
}
