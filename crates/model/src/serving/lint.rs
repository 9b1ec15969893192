//! Which generation of BentoML is a `service.py` for, and what in a Serving's files cannot work?
//!
//! Told by syntax alone: names are followed through `import … as …`; comments, strings and classes of the same name
//! that come from elsewhere count for nothing.

use std::collections::BTreeMap;

use super::{
    BENTOFILE, Generation, SERVICE,
    python::{Token, statements},
};
use crate::kind::File;

/// Where in a file, and what stands there, as people write it: line 4, `@bentoml.service`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    pub what: String,
}

/// What a `service.py` says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// `None`: it defines no service that can be recognised.
    pub generation: Option<Generation>,
    /// What gave it away.
    pub because: Option<Place>,
    /// What only the other generation understands.
    pub against: Option<Place>,
    /// The names of its services: classes (1.4) or variables (1.1).
    pub services: Vec<String>,
}

/// Something in a Serving's files that cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file's name.
    pub file: String,
    pub line: Option<usize>,
    /// A whole sentence that names the file.
    pub sentence: String,
}

impl Reading {
    /// For the inspector: `service.py is for BentoML 1.4 (line 4: @bentoml.service)`.
    pub fn sentence(&self) -> String {
        match (self.generation, &self.because) {
            (Some(generation), Some(place)) => {
                format!("{SERVICE} is for {} (line {}: {})", generation.title(), place.line, place.what)
            }
            _ => format!("{SERVICE} defines no service: write a class under @bentoml.service, or take the template"),
        }
    }
}

/// Reads a `service.py`, whole or half-typed.
pub fn read(text: &str) -> Reading {
    let mut signs = Signs::default();
    for statement in statements(text) {
        signs.statement(&statement);
    }
    signs.verdict()
}

/// What cannot work in a Serving's files. Empty: nothing is known to be wrong.
pub fn lint(files: &[File]) -> Vec<Finding> {
    let find = |name: &str| files.iter().find(|file| file.name == name);
    let missing = [SERVICE, BENTOFILE].into_iter().filter(|name| find(name).is_none()).map(|name| Finding {
        file: name.to_owned(),
        line: None,
        sentence: format!("{name} is missing: create it from the template"),
    });
    let mut findings: Vec<Finding> = missing.collect();
    if let Some(service) = find(SERVICE) {
        let reading = read(&service.text);
        findings.extend(unclear(&reading));
        findings.extend(find(BENTOFILE).and_then(|bentofile| wrong_service(&bentofile.text, &reading)));
    }
    findings
}

fn unclear(reading: &Reading) -> Option<Finding> {
    let finding = |line, sentence| Some(Finding { file: SERVICE.to_owned(), line, sentence });
    match (&reading.because, &reading.against) {
        (None, _) => finding(None, reading.sentence()),
        (Some(new), Some(old)) => finding(
            Some(old.line),
            format!(
                "{SERVICE} mixes BentoML 1.4 (line {}: {}) with 1.1 (line {}: {}): keep one of them, or write bentoml.legacy.Service",
                new.line, new.what, old.line, old.what
            ),
        ),
        (Some(_), None) => None,
    }
}

/// `service: "service:Digits"` must name what service.py defines. Other modules and plain `service` are BentoML's to judge.
fn wrong_service(bentofile: &str, reading: &Reading) -> Option<Finding> {
    let (at, value) =
        bentofile.lines().enumerate().find_map(|(at, line)| Some((at, line.strip_prefix("service:")?.trim())))?;
    let value = value.split(" #").next()?.trim().trim_matches(['"', '\'']);
    let name = value.strip_prefix("service:").or_else(|| value.strip_prefix("service.py:"))?;
    if reading.services.is_empty() || reading.services.iter().any(|service| service == name) {
        return None;
    }
    let there = reading.services.join(" and ");
    Some(Finding {
        file: BENTOFILE.to_owned(),
        line: Some(at + 1),
        sentence: format!("{BENTOFILE} names the service \"{name}\", and {SERVICE} defines {there}"),
    })
}

/// What was seen so far. The first place of each sort is kept.
#[derive(Default)]
struct Signs {
    /// Local name to full name, for what comes from bentoml.
    names: BTreeMap<String, String>,
    current: Option<Place>,
    /// `bentoml.legacy`: the old way of writing, understood by the current generation.
    legacy: Option<Place>,
    /// `bentoml.Service(…)`: only 1.1 understands it.
    old: Option<Place>,
    /// What both 1.1 and `bentoml.legacy` understand.
    old_style: Option<Place>,
    services: Vec<String>,
    /// The last statement was the decorator of a service class.
    decorated: bool,
}

/// Everything directly below `bentoml` that only came with the class services.
const NEW: [&str; 10] = [
    "bentoml.service",
    "bentoml.api",
    "bentoml.task",
    "bentoml.depends",
    "bentoml.asgi_app",
    "bentoml.on_shutdown",
    "bentoml.importing",
    "bentoml.images.Image",
    "bentoml.models.BentoModel",
    "bentoml.models.HuggingFaceModel",
];

impl Signs {
    fn statement(&mut self, tokens: &[Token]) {
        match tokens.first().and_then(Token::name) {
            Some("import") => return self.import(&tokens[1..]),
            Some("from") => return self.import_from(&tokens[1..]),
            Some("class") if self.decorated => {
                self.services.extend(tokens.get(1).and_then(Token::name).map(str::to_owned))
            }
            _ => {}
        }
        let is_decorator = tokens[0].is('@');
        // Between a decorator and its class only further decorators may stand.
        self.decorated = is_decorator && self.decorated;
        for (at, chain) in chains(tokens) {
            self.chain(tokens, at, &chain, is_decorator);
        }
    }

    fn chain(&mut self, tokens: &[Token], at: usize, chain: &[&str], is_decorator: bool) {
        let line = tokens[at].line;
        let after = tokens.get(at + 2 * chain.len() - 1);
        let is_call = after.is_some_and(|token| token.is('('));
        if is_call && chain.last() == Some(&"to_runner") && !self.names.is_empty() {
            note(&mut self.old_style, line, ".to_runner()");
        }
        let is_attribute = at > 0 && tokens[at - 1].is('.');
        if let Some(full) = self.full(chain).filter(|_| !is_attribute) {
            self.use_of(tokens, line, &full, is_call, is_decorator);
        } else if is_decorator && chain.len() == 2 && chain[1] == "api" && has_io_keyword(tokens) {
            note(&mut self.old_style, line, "@….api(input=…, output=…)");
        }
    }

    fn use_of(&mut self, tokens: &[Token], line: usize, full: &str, is_call: bool, is_decorator: bool) {
        if NEW.contains(&full) {
            let mark = if is_decorator { "@" } else { "" };
            note(&mut self.current, line, &format!("{mark}{full}"));
            self.decorated |= is_decorator && full == "bentoml.service";
        } else if full.starts_with("bentoml.legacy") {
            note(&mut self.legacy, line, full);
        } else if full == "bentoml.Service" && is_call {
            note(&mut self.old, line, "bentoml.Service(…)");
        } else if matches!(full, "bentoml.Runner" | "bentoml.Runnable") || full.starts_with("bentoml.io.") {
            note(&mut self.old_style, line, full);
        }
        let makes = is_call && matches!(full, "bentoml.Service" | "bentoml.legacy.Service" | "bentoml.service");
        if makes && !is_decorator && tokens.get(1).is_some_and(|token| token.is('=')) {
            self.services.extend(tokens[0].name().map(str::to_owned));
        }
    }

    /// The full name of a use, if its first name comes from bentoml.
    fn full(&self, chain: &[&str]) -> Option<String> {
        let first = self.names.get(chain[0])?;
        Some(std::iter::once(first.as_str()).chain(chain[1..].iter().copied()).collect::<Vec<_>>().join("."))
    }

    /// `import a.b as c, d`
    fn import(&mut self, tokens: &[Token]) {
        for (at, part) in parts(tokens) {
            let path: Vec<&str> = part.iter().map_while(|token| dotted(token)).collect::<Vec<_>>();
            let path: Vec<&str> = path.into_iter().filter(|word| *word != ".").collect();
            if path.first() != Some(&"bentoml") {
                continue;
            }
            self.imported(at, &path.join("."));
            match alias(part) {
                Some(alias) => self.names.insert(alias.to_owned(), path.join(".")),
                None => self.names.insert("bentoml".to_owned(), "bentoml".to_owned()),
            };
        }
    }

    /// `from a.b import c as d, e`
    fn import_from(&mut self, tokens: &[Token]) {
        let Some(split) = tokens.iter().position(|token| token.name() == Some("import")) else { return };
        let module: String = tokens[..split].iter().filter_map(dotted).collect();
        if module != "bentoml" && !module.starts_with("bentoml.") {
            return;
        }
        for (line, part) in parts(&tokens[split + 1..]) {
            let Some(name) = part.iter().find_map(Token::name) else {
                // `import *` brings what a service is written with.
                for name in ["Service", "Runner", "Runnable", "service", "api"] {
                    self.names.insert(name.to_owned(), format!("{module}.{name}"));
                }
                continue;
            };
            let full = format!("{module}.{name}");
            self.imported(line, &full);
            self.names.insert(alias(part).unwrap_or(name).to_owned(), full);
        }
    }

    fn imported(&mut self, line: usize, full: &str) {
        if full == "bentoml.io" || full.starts_with("bentoml.io.") {
            note(&mut self.old_style, line, "bentoml.io");
        } else if full.starts_with("bentoml.legacy") {
            note(&mut self.legacy, line, full);
        }
    }

    fn verdict(self) -> Reading {
        let new = self.current.or(self.legacy);
        let (generation, because, against) = match (new, self.old) {
            (Some(new), old) => (Some(Generation::Current), Some(new), old),
            (None, Some(old)) => (Some(Generation::Bento11), Some(old), None),
            (None, None) => (self.old_style.is_some().then_some(Generation::Bento11), self.old_style, None),
        };
        Reading { generation, because, against, services: self.services }
    }
}

fn note(place: &mut Option<Place>, line: usize, what: &str) {
    if place.is_none() {
        *place = Some(Place { line, what: what.to_owned() });
    }
}

/// Every `a.b.c` of a statement with the place of its first name. `f(x).y` gives `f`, `x`, and `y` on its own.
fn chains(tokens: &[Token]) -> Vec<(usize, Vec<&str>)> {
    let mut found: Vec<(usize, Vec<&str>)> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Some(name) = token.name() else { continue };
        match found.last_mut() {
            Some((start, chain)) if at == *start + 2 * chain.len() && tokens[at - 1].is('.') => chain.push(name),
            _ => found.push((at, vec![name])),
        }
    }
    found
}

/// The comma-separated parts of an import, each with its line.
fn parts(tokens: &[Token]) -> impl Iterator<Item = (usize, &[Token])> {
    tokens.split(|token| token.is(',')).filter_map(|part| Some((part.first()?.line, part)))
}

fn dotted(token: &Token) -> Option<&str> {
    if token.is('.') { Some(".") } else { token.name().filter(|name| *name != "as") }
}

fn alias(part: &[Token]) -> Option<&str> {
    let at = part.iter().position(|token| token.name() == Some("as"))?;
    part.get(at + 1)?.name()
}

fn has_io_keyword(tokens: &[Token]) -> bool {
    tokens.windows(2).any(|pair| matches!(pair[0].name(), Some("input" | "output")) && pair[1].is('='))
}
