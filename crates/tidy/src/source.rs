//! Rust files as tokens: enough to see which names are used, without comments, text and tests.

/// One name or sign of a Rust file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The name, `::`, or a single sign.
    pub text: String,
    /// The line it stands on, from 1.
    pub line: usize,
}

/// The tokens of a file. Comments, text and character literals and lifetimes are left out.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while at < chars.len() {
        let rest = &chars[at..];
        let length = match rest {
            ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => block_comment(rest),
            ['"', ..] => quoted(rest),
            ['b' | 'c', '"', ..] => 1 + quoted(&rest[1..]),
            ['r', '"' | '#', ..] if raw(rest) > 0 => raw(rest),
            ['b' | 'c', 'r', '"' | '#', ..] if raw(&rest[1..]) > 0 => 1 + raw(&rest[1..]),
            ['\'', '\\', _, ..] => 3 + rest[3..].iter().position(|c| *c == '\'').map_or(0, |end| end + 1),
            ['\'', _, '\'', ..] => 3,
            ['\'', ..] => 1 + name(&rest[1..]),
            [':', ':', ..] => push(&mut tokens, rest, 2, line),
            [first, ..] if first.is_whitespace() => 1,
            _ => push(&mut tokens, rest, name(rest).max(1), line),
        };
        let length = length.min(rest.len());
        line += rest[..length].iter().filter(|c| **c == '\n').count();
        at += length;
    }
    tokens
}

fn push(tokens: &mut Vec<Token>, rest: &[char], length: usize, line: usize) -> usize {
    tokens.push(Token { text: rest[..length].iter().collect(), line });
    length
}

fn name(rest: &[char]) -> usize {
    rest.iter().position(|c| !c.is_alphanumeric() && *c != '_').unwrap_or(rest.len())
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] if depth == 1 => return at + 2,
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

fn quoted(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The length of a raw text at the start of `rest`, 0 when it is a raw name such as `r#type`.
fn raw(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let body = &rest[2 + hashes..];
    let closes =
        |at: &usize| body[*at] == '"' && body[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
    (0..body.len()).find(closes).map_or(rest.len(), |end| 2 + hashes + end + 1 + hashes)
}

/// Leaves out every item below `#[cfg(test)]`.
#[must_use]
pub fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let here = &tokens[at..];
        if spells(here, &["#", "[", "cfg", "(", "test", ")", "]"]) {
            at += 7;
            while spells(&tokens[at..], &["#", "["]) {
                at += 1 + group(&tokens[at + 1..]);
            }
            at += item(&tokens[at..]);
        } else {
            kept.push(here[0].clone());
            at += 1;
        }
    }
    kept
}

/// Do these tokens begin with these texts?
#[must_use]
pub fn spells(tokens: &[Token], texts: &[&str]) -> bool {
    tokens.len() >= texts.len() && tokens.iter().zip(texts).all(|(token, text)| token.text == *text)
}

/// The number of tokens of the bracketed group that `tokens` begins with, brackets included.
fn group(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The number of tokens of an item: up to its `;`, or to the end of its block.
fn item(tokens: &[Token]) -> usize {
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            ";" => return at + 1,
            "{" => {
                let block = at + group(&tokens[at..]);
                // `use crate::{a, b};` goes on to its semicolon.
                return if spells(&tokens[block..], &[";"]) { block + 1 } else { block };
            }
            "(" | "[" => at += group(&tokens[at..]),
            _ => at += 1,
        }
    }
    at
}

/// A name that a file takes from the root of its crate.
#[derive(Debug, PartialEq, Eq)]
pub struct FromRoot {
    /// The first name behind `crate::`; `*` for a glob and for a climb by `super` up to the root.
    pub name: String,
    /// The line it stands on, from 1.
    pub line: usize,
}

/// All names that a file takes from the root of its crate, by `crate::` or by climbing with `super`.
///
/// `depth` is how many modules the file stands below the root: 1 for `src/keys.rs`, 2 for `src/rule/pkce.rs`.
#[must_use]
pub fn from_root(tokens: &[Token], depth: usize) -> Vec<FromRoot> {
    let mut found = Vec::new();
    let mut blocks: Vec<bool> = Vec::new(); // the open braces: does it open a module?
    let mut at = 0;
    while at < tokens.len() {
        let here = &tokens[at..];
        let line = here[0].line;
        match here[0].text.as_str() {
            "{" => blocks.push(at >= 2 && tokens[at - 2].text == "mod"),
            "}" => _ = blocks.pop(),
            "crate" if spells(&here[1..], &["::"]) => {
                found.extend(first_names(&here[2..]).into_iter().map(|name| FromRoot { name, line }));
            }
            "super" => {
                let climbs = here.chunks(2).take_while(|step| step[0].text == "super").count();
                if climbs >= depth + blocks.iter().filter(|module| **module).count() {
                    found.push(FromRoot { name: "*".to_owned(), line });
                }
                at += 2 * climbs - 2;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The first names of a path or of a group of paths.
fn first_names(tokens: &[Token]) -> Vec<String> {
    if !spells(tokens, &["{"]) {
        return tokens.first().map(|token| token.text.clone()).into_iter().collect();
    }
    let (mut names, mut depth) = (Vec::new(), 0_usize);
    for pair in tokens[..group(tokens)].windows(2) {
        match pair[0].text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 1 && matches!(pair[0].text.as_str(), "{" | ",") && pair[1].text != "}" {
            names.push(pair[1].text.clone());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::{FromRoot, from_root, tokens, without_tests};

    fn names(text: &str, depth: usize) -> Vec<String> {
        from_root(&without_tests(&tokens(text)), depth)
            .into_iter()
            .map(|found: FromRoot| found.name)
            .collect()
    }

    #[test]
    fn paths_and_groups_are_seen() {
        let text =
            "use crate::{error::{A, B}, model::*, keys};\nfn f<'a>(x: &'a crate::records::R) -> char { 'x' }";
        assert_eq!(names(text, 1), ["error", "model", "keys", "records"]);
    }

    #[test]
    fn comments_texts_and_tests_are_not() {
        let text = "// crate::a\n/* crate::b /* */ crate::c */ const S: &str = \"crate::d \\\" crate::e\";\n\
                    const R: &[u8] = br#\"crate::f\"#; const C: char = '\\''; const D: char = '\"';\n\
                    #[cfg(test)]\n#[path = \"x\"]\nmod tests { use crate::g; }\n#[cfg(test)] use crate::{h, i};\n\
                    fn r#match() { crate::j::k(); }";
        assert_eq!(names(text, 1), ["j"]);
    }

    #[test]
    fn climbing_to_the_root_is_seen() {
        assert_eq!(names("use super::error::A;", 1), ["*"]);
        assert_eq!(names("use super::sibling::A;", 2), [""; 0]);
        assert_eq!(names("use super::super::error::A;", 2), ["*"]);
        assert_eq!(names("mod inner { use super::A; fn f() { super::super::x() } }", 1), ["*"]);
    }
}
