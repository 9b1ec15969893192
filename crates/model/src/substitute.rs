//! What does `{{name}}` become?
//!
//! The only substitution there is: parameters and a copy's values, in argument lists, values of variables, images and
//! sources, before the launch. `{{{{` is a literal `{{`.

use std::collections::BTreeMap;

/// Why a text cannot be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    #[error("{{{{{0}}}}} is neither a parameter nor a copy's value")]
    UnknownName(String),
    #[error("a {{{{ is never closed by }}}}; write {{{{{{{{ for the characters themselves")]
    Unclosed,
}

enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, BadText> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find("{{") {
        pieces.push(Piece::Text(&rest[..at]));
        rest = &rest[at + 2..];
        if let Some(after) = rest.strip_prefix("{{") {
            pieces.push(Piece::Text("{{"));
            rest = after;
            continue;
        }
        let end = rest.find("}}").ok_or(BadText::Unclosed)?;
        pieces.push(Piece::Name(rest[..end].trim()));
        rest = &rest[end + 2..];
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// Fills in a text.
///
/// # Errors
/// A name that `values` does not have, or a `{{` without its `}}`.
pub fn substitute(text: &str, values: &BTreeMap<String, String>) -> Result<String, BadText> {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text)? {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Name(name) => {
                filled.push_str(values.get(name).ok_or_else(|| BadText::UnknownName(name.to_owned()))?);
            }
        }
    }
    Ok(filled)
}

/// A text that [`substitute`] turns into this one.
pub fn literal(text: &str) -> String {
    text.replace("{{", "{{{{")
}

/// Whether it can be a parameter's or a grid's name: a letter or `_`, then letters, digits and `_`, at most 64.
pub fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 64
        && bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(text: &str) -> Result<String, BadText> {
        substitute(text, &BTreeMap::from([("lr".into(), "0.1".into()), ("x".into(), "{{lr}}".into())]))
    }

    #[test]
    fn names_are_filled_in_and_values_are_not_looked_at_again() {
        assert_eq!(filled("--lr={{lr}} {{ lr }}"), Ok("--lr=0.1 0.1".into()));
        assert_eq!(filled("{{x}}"), Ok("{{lr}}".into()));
        assert_eq!(filled("$HOME $(x) {a} }}"), Ok("$HOME $(x) {a} }}".into()));
    }

    #[test]
    fn four_braces_are_two() {
        assert_eq!(filled("{{{{lr}}"), Ok("{{lr}}".into()));
        assert_eq!(filled("{{{{{{lr}}"), Ok("{{0.1".into()));
    }

    #[test]
    fn an_unknown_name_and_an_open_end_are_refused() {
        assert_eq!(filled("{{rate}}"), Err(BadText::UnknownName("rate".into())));
        assert_eq!(filled("{{rate}}").unwrap_err().to_string(), "{{rate}} is neither a parameter nor a copy's value");
        assert!(filled("a {{lr").unwrap_err().to_string().ends_with("write {{{{ for the characters themselves"));
    }

    proptest! {
        #[test]
        fn a_literal_comes_back_as_it_was(text in "[a{} ]{0,12}") {
            // An odd brace before a pair moves the pair: `{{{` is a pair and a brace, as it is read.
            prop_assert_eq!(filled(&literal(&text)), Ok(text));
        }
    }
}
