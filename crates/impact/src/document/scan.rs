//! One pass over the bytes of a JSON text, before anything else looks at it.
//!
//! It keeps a counter instead of a stack, so that a hundred million brackets cost a hundred million
//! steps and no memory. It does not judge the grammar; the parser behind it does.

use std::ops::Range;

/// A fault that the pass finds, with the byte where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Deeper than allowed.
    TooDeep(usize),
    /// A raw NUL or `\u0000` inside a string.
    Nul(usize),
}

/// Looks for NULs and for more than `depth_max` levels of arrays and objects.
pub(super) fn guard(bytes: &[u8], depth_max: usize) -> Result<(), Fault> {
    let mut depth = 0_usize;
    for (at, token) in Tokens::new(bytes) {
        match token {
            Token::Nul => return Err(Fault::Nul(at)),
            Token::Open => {
                depth += 1;
                if depth > depth_max {
                    return Err(Fault::TooDeep(at));
                }
            }
            Token::Close => depth = depth.saturating_sub(1),
            Token::Comma => {}
        }
    }
    Ok(())
}

/// Where the elements of a top-level array stand. The text must be a valid array.
pub(super) fn elements(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, token) in Tokens::new(bytes) {
        match token {
            Token::Open => {
                depth += 1;
                if depth == 1 {
                    start = at + 1;
                }
            }
            Token::Comma if depth == 1 => {
                found.push(start..at);
                start = at + 1;
            }
            Token::Close => {
                depth = depth.saturating_sub(1);
                if depth == 0 && !bytes[start..at].trim_ascii().is_empty() {
                    found.push(start..at);
                }
            }
            Token::Comma | Token::Nul => {}
        }
    }
    found
}

#[derive(Debug, Clone, Copy)]
enum Token {
    Open,
    Close,
    Comma,
    Nul,
}

/// The bytes that matter, with strings stepped over.
struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
    in_string: bool,
}

impl<'a> Tokens<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            in_string: false,
        }
    }
}

impl Iterator for Tokens<'_> {
    type Item = (usize, Token);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(&byte) = self.bytes.get(self.at) {
            let at = self.at;
            self.at += 1;
            let token = match byte {
                0 => Token::Nul,
                b'"' => {
                    self.in_string = !self.in_string;
                    continue;
                }
                b'\\' if self.in_string => {
                    if self.bytes[self.at..].starts_with(b"u0000") {
                        Token::Nul
                    } else {
                        // The escaped byte is part of the string, be it a quote or a backslash; a
                        // NUL there is still one.
                        self.at += usize::from(self.bytes.get(self.at) != Some(&0));
                        continue;
                    }
                }
                b'[' | b'{' if !self.in_string => Token::Open,
                b']' | b'}' if !self.in_string => Token::Close,
                b',' if !self.in_string => Token::Comma,
                _ => continue,
            };
            return Some((at, token));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(), Fault>) {
        assert_eq!(guard(text.as_bytes(), 3), expected, "{text:?}");
    }

    #[test]
    fn depth_is_counted_outside_strings() {
        check("[[[]]]", Ok(()));
        check("[[[[]]]]", Err(Fault::TooDeep(3)));
        check(r#"{"a":[{"b":[]}]}"#, Err(Fault::TooDeep(11)));
        check(r#"["[[[[[", "\"[[[[", "\\", []]"#, Ok(()));
        check(r#"["\\",[[[]]]]"#, Err(Fault::TooDeep(8)));
        check("[],[],[],[],[]", Ok(()));
    }

    #[test]
    fn a_nul_is_found_in_every_dress() {
        check("{}\0", Err(Fault::Nul(2)));
        check("[\"a\0\"]", Err(Fault::Nul(3)));
        check("[\"a\\\0\"]", Err(Fault::Nul(4)));
        check(r#"["a\u0000"]"#, Err(Fault::Nul(3)));
        check(r#"["\\u0000", "\u00001"]"#, Err(Fault::Nul(13)));
        check(r#"["\\u0000", "\u0001"]"#, Ok(()));
    }

    #[test]
    fn elements_of_an_array_are_found() {
        let text = r#" [{"a":[1,2]}, "x,]" ,3 ] "#;
        let found: Vec<_> = elements(text.as_bytes())
            .into_iter()
            .map(|span| text[span].trim())
            .collect();
        assert_eq!(found, [r#"{"a":[1,2]}"#, r#""x,]""#, "3"]);
        assert!(elements(b"[ ]").is_empty());
    }
}
