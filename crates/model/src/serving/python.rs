//! What are the words of a Python file?
//!
//! Just enough of a tokenizer to read imports, decorators and calls: comments are gone, the content of strings is
//! gone, brackets and backslashes join lines. It never fails: a half-typed file gives the words it has so far.

/// A word and the line it begins in, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub line: usize,
    pub word: Word,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// A name or keyword.
    Name(String),
    /// A string literal of any sort; its content matters to nobody here.
    Text,
    /// A number or one character of an operator.
    Sign(char),
}

impl Token {
    pub fn name(&self) -> Option<&str> {
        match &self.word {
            Word::Name(name) => Some(name),
            Word::Text | Word::Sign(_) => None,
        }
    }

    pub fn is(&self, sign: char) -> bool {
        self.word == Word::Sign(sign)
    }
}

/// The statements of a file. A compound one is split at its colon, so that `try: import x` gives `try` and `import x`.
pub fn statements(text: &str) -> Vec<Vec<Token>> {
    let mut reader = Reader { rest: text, line: 1, depth: 0, done: Vec::new(), open: Vec::new() };
    while reader.step() {}
    reader.end_statement();
    reader.done
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    depth: usize,
    done: Vec<Vec<Token>>,
    open: Vec<Token>,
}

impl Reader<'_> {
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        match first {
            '\n' => {
                self.take(1);
                if self.depth == 0 {
                    self.end_statement();
                }
            }
            '#' => self.take(self.rest.find('\n').unwrap_or(self.rest.len())),
            '\\' => self.take(if self.rest.starts_with("\\\r\n") { 3 } else { second_end(self.rest) }),
            '"' | '\'' => self.string(),
            _ if first.is_whitespace() || first == '\u{feff}' => self.take(first.len_utf8()),
            _ if first.is_alphanumeric() || first == '_' => self.name(),
            _ => self.sign(first),
        }
        true
    }

    fn take(&mut self, bytes: usize) {
        let (taken, rest) = self.rest.split_at(bytes);
        self.line += taken.matches('\n').count();
        self.rest = rest;
    }

    fn push(&mut self, line: usize, word: Word) {
        self.open.push(Token { line, word });
    }

    fn end_statement(&mut self) {
        if !self.open.is_empty() {
            self.done.push(std::mem::take(&mut self.open));
        }
    }

    fn name(&mut self) {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let name = &self.rest[..end];
        if is_prefix(name) && self.rest[end..].starts_with(['"', '\'']) {
            // A raw string's backslash keeps the quote after it from ending it, too: no prefix makes a difference.
            self.take(end);
            return self.string();
        }
        let line = self.line;
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            self.push(line, Word::Sign('0'));
        } else {
            self.push(line, Word::Name(name.to_owned()));
        }
        self.take(end);
    }

    fn string(&mut self) {
        let line = self.line;
        let quote = &self.rest[..1];
        let triple = [quote; 3].concat();
        let mark = if self.rest.starts_with(&triple) { triple } else { quote.to_owned() };
        let length = string_length(self.rest, &mark);
        self.take(length);
        self.push(line, Word::Text);
    }

    fn sign(&mut self, sign: char) {
        let line = self.line;
        self.take(sign.len_utf8());
        match sign {
            '(' | '[' | '{' => self.depth += 1,
            ')' | ']' | '}' => self.depth = self.depth.saturating_sub(1),
            ';' | ':' if self.depth == 0 => return self.end_statement(),
            _ => {}
        }
        self.push(line, Word::Sign(sign));
    }
}

fn second_end(text: &str) -> usize {
    let mut chars = text.char_indices().skip(2);
    chars.next().map_or(text.len(), |(at, _)| at)
}

fn is_prefix(name: &str) -> bool {
    name.len() <= 2 && name.chars().all(|c| "rRbBuUfFtT".contains(c))
}

/// With its marks. A string of one line that is not closed ends with its line.
fn string_length(text: &str, mark: &str) -> usize {
    let mut chars = text.char_indices().skip(mark.len());
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '\n' if mark.len() == 1 => return at,
            _ if text[at..].starts_with(mark) => return at + mark.len(),
            _ => {}
        }
    }
    text.len()
}
