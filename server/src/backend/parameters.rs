//! Are a run's parameters what the pipeline asks for?

use std::collections::BTreeMap;

use model::{Parameter, ParameterType, document};

use super::{Answer, bad};

/// # Errors
/// A name that the pipeline does not have, or a value that is not of the parameter's type.
pub fn check(text: &str, given: &BTreeMap<String, String>) -> Answer<()> {
    let read = document::read(text).map_err(|error| bad(error.to_string()))?;
    let known = &read.pipeline.settings.parameters;
    if let Some(name) = given.keys().find(|name| known.iter().all(|parameter| parameter.name != **name)) {
        return Err(bad(format!("This pipeline has no parameter `{name}`.")));
    }
    known.iter().try_for_each(|parameter| fits(parameter, given.get(&parameter.name).unwrap_or(&parameter.default)))
}

fn fits(parameter: &Parameter, value: &str) -> Answer<()> {
    let expected = match parameter.kind {
        ParameterType::Text => None,
        ParameterType::Integer => value.parse::<i64>().is_err().then_some("a whole number"),
        ParameterType::Number => value.parse::<f64>().map_or(true, |number| !number.is_finite()).then_some("a number"),
        ParameterType::Boolean => value.parse::<bool>().is_err().then_some("true or false"),
    };
    match expected {
        None => Ok(()),
        Some(expected) => Err(bad(format!("The parameter {} is \"{value}\": {expected} is expected.", parameter.name))),
    }
}
