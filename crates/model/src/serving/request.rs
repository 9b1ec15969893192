//! How does a program ask a Serving?

use serde::{Deserialize, Serialize};

use super::{
    Generation, SERVICE, generation,
    python::{Token, statements},
};
use crate::kind::File;

/// The first thing that a `service.py` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Below the address: `predict`.
    pub route: String,
    /// JSON with `…` in place of each value: `{"x": …}`.
    pub body: String,
}

/// `None`: the files define nothing that is asked by its name.
pub fn request(files: &[File]) -> Option<Request> {
    let service = files.iter().find(|file| file.name == SERVICE)?;
    let statements = statements(&service.text);
    let at = statements.iter().position(|statement| is_api(statement))?;
    let function = statements[at + 1..].iter().find(|statement| !statement[0].is('@'))?;
    let def = function.iter().position(|token| token.name() == Some("def"))?;
    let route = function.get(def + 1)?.name()?.to_owned();
    let body = match generation(files) {
        Generation::Current => object(&arguments(&function[def + 2..])),
        // Its input has no name there.
        Generation::Bento11 => "…".to_owned(),
    };
    Some(Request { route, body })
}

/// `@bentoml.api`, `@svc.api(…)`; one that names its route says in a string what we do not read.
fn is_api(statement: &[Token]) -> bool {
    let names = statement.iter().take_while(|token| !token.is('(')).filter_map(Token::name);
    let has_route = || statement.windows(2).any(|pair| pair[0].name() == Some("route") && pair[1].is('='));
    statement[0].is('@') && names.last() == Some("api") && !has_route()
}

/// The names between the parentheses of a `def`, without `self` and `ctx`, which are not the caller's.
fn arguments(tokens: &[Token]) -> Vec<&str> {
    let (mut depth, mut names, mut expected) = (0_usize, Vec::new(), true);
    for token in tokens {
        match token {
            _ if token.is('(') || token.is('[') || token.is('{') => depth += 1,
            _ if token.is(')') || token.is(']') || token.is('}') => depth = depth.saturating_sub(1),
            _ if depth == 1 && token.is(',') => expected = true,
            _ if depth == 1 && expected && token.name().is_some() => {
                names.extend(token.name());
                expected = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names.retain(|name| !matches!(*name, "self" | "ctx"));
    names
}

fn object(names: &[&str]) -> String {
    let fields: Vec<String> = names.iter().map(|name| format!("\"{name}\": …")).collect();
    format!("{{{}}}", fields.join(", "))
}
