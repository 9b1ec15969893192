//! Which path beneath the target does a name inside an archive mean, if any?

/// What separates the parts of a name. Archives made on Windows use backslashes, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separators {
    Slash,
    SlashAndBackslash,
}

/// A path beneath the target: at least one part; none is empty, `.`, `..`, holds `/` or NUL, or is over 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(Vec<Vec<u8>>);

/// What a raw name turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// `""`, `.`, `/`: the target itself.
    Root,
    Beneath(Name),
}

/// Longest whole path, as the kernel has it (PATH_MAX without the NUL).
const LONGEST: usize = 4095;

impl Name {
    /// Normalises a raw name. Leading slashes are dropped, as tar does, so that the name lies beneath the target.
    ///
    /// # Errors
    /// A half sentence that follows "its entry NAME".
    pub fn parse(raw: &[u8], separators: Separators, depth: usize) -> Result<Parsed, &'static str> {
        if raw.len() > LONGEST {
            return Err("has a name of more than 4,095 bytes");
        }
        if raw.contains(&0) {
            return Err("has a NUL in its name");
        }
        let backslash = separators == Separators::SlashAndBackslash;
        let mut parts = Vec::new();
        for part in raw.split(|b| *b == b'/' || (backslash && *b == b'\\')) {
            match part {
                b"" | b"." => {}
                b".." => return Err("leads out of the folder with .."),
                _ if part.len() > 255 => {
                    return Err("has a part of more than 255 bytes in its name");
                }
                _ => parts.push(part.to_vec()),
            }
        }
        if backslash && parts.first().is_some_and(|first| has_drive(first)) {
            return Err("begins with the letter of a drive");
        }
        if parts.len() > depth {
            return Err("lies deeper than the limit of folders inside each other");
        }
        Ok(if parts.is_empty() { Parsed::Root } else { Parsed::Beneath(Name(parts)) })
    }

    /// A name of one part, from a name that [`crate::fetch::name`] made safe.
    pub fn single(part: &str) -> Option<Name> {
        match Name::parse(part.as_bytes(), Separators::Slash, 1) {
            Ok(Parsed::Beneath(name)) => Some(name),
            Ok(Parsed::Root) | Err(_) => None,
        }
    }

    /// The folders above the last part.
    pub fn parent(&self) -> &[Vec<u8>] {
        &self.0[..self.0.len() - 1]
    }

    pub fn last(&self) -> &[u8] {
        self.0.last().expect("a name has at least one part")
    }

    pub fn parts(&self) -> &[Vec<u8>] {
        &self.0
    }
}

/// `C:`, as in `C:\evil`.
fn has_drive(raw: &[u8]) -> bool {
    matches!(raw, [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// Checks the target of a symbolic link that will stand in a folder `depth` folders below the root.
///
/// Allowed: relative; `..` only at the beginning; not more of them than there are folders above. Every link of
/// the tree keeps to this, and no link is ever followed while the tree is made. So each link starts in a real
/// folder of the tree, climbs at most to the root, and then only goes down, through links that do the same:
/// no chain of them leaves the tree. A target such as `a/../../b` could, when `a` is itself a link.
///
/// # Errors
/// A half sentence that follows "its entry NAME".
pub fn check_link(target: &[u8], depth: usize) -> Result<(), &'static str> {
    if target.is_empty() || target.contains(&0) || target.len() > LONGEST {
        return Err("is a link to nowhere");
    }
    if target[0] == b'/' {
        return Err("is a link to an absolute path");
    }
    let (mut climbs, mut went_down) = (0, false);
    for part in target.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if went_down => return Err("is a link with .. in its middle"),
            b".." => climbs += 1,
            _ => went_down = true,
        }
    }
    if climbs > depth { Err("is a link that leads out of the folder") } else { Ok(()) }
}
