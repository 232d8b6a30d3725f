//! A reader of canonical JSON (RFC 8785), and of nothing else: what is spelled otherwise is refused.
//!
//! The verifier hashes the bytes it was given, so there must be one spelling of each value. It shares
//! no code with what writes an export: a fault of the writer is found here, not repeated.

use std::fmt::Display;
use std::str::FromStr;

/// Objects and arrays within each other.
const DEPTH_MAX: u32 = 8;
/// The largest integer that every JSON reader keeps exactly (RFC 7493 section 2.2).
const EXACT_MAX: u64 = (1 << 53) - 1;

/// Why bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ParseError {
    /// Not canonical JSON.
    #[error("{what} at byte {at}")]
    Spelling {
        /// What stands there, or does not.
        what: &'static str,
        /// Where, from 0.
        at: usize,
    },
    /// A field is missing, unknown, or holds something else.
    #[error("the field `{0}` is missing, unknown or not of its form")]
    Field(String),
}

impl ParseError {
    pub(super) fn field(name: &str) -> Self {
        Self::Field(name.chars().take(80).collect())
    }
}

/// The members of one object, each as it is spelled.
pub(super) struct Fields<'a>(Vec<(String, &'a str)>);

impl<'a> Fields<'a> {
    /// Reads bytes that are one object.
    pub(super) fn of_bytes(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let text = std::str::from_utf8(bytes).map_err(|error| ParseError::Spelling {
            what: "no UTF-8",
            at: error.valid_up_to(),
        })?;
        Self::of(text)
    }

    /// Reads a text that is one object.
    pub(super) fn of(text: &'a str) -> Result<Self, ParseError> {
        let mut reader = Reader { text, at: 0 };
        let mut members = Vec::new();
        reader.object(DEPTH_MAX, &mut |name, value| members.push((name, value)))?;
        if reader.at < text.len() {
            return Err(reader.refuse("something after the object"));
        }
        Ok(Self(members))
    }

    /// A member that must be there, as it is spelled.
    pub(super) fn raw(&mut self, name: &str) -> Result<&'a str, ParseError> {
        self.raw_if_any(name).ok_or_else(|| ParseError::field(name))
    }

    pub(super) fn raw_if_any(&mut self, name: &str) -> Option<&'a str> {
        let index = self.0.iter().position(|(member, _)| member == name)?;
        Some(self.0.remove(index).1)
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str) -> Result<String, ParseError> {
        text_of(name, self.raw(name)?)
    }

    pub(super) fn text_if_any(&mut self, name: &str) -> Result<Option<String>, ParseError> {
        self.raw_if_any(name)
            .map(|raw| text_of(name, raw))
            .transpose()
    }

    /// A text in the one spelling that its type has.
    pub(super) fn parsed<T: FromStr + Display>(&mut self, name: &str) -> Result<T, ParseError> {
        parsed_of(name, &self.text(name)?)
    }

    pub(super) fn parsed_if_any<T: FromStr + Display>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, ParseError> {
        self.text_if_any(name)?
            .map(|text| parsed_of(name, &text))
            .transpose()
    }

    /// A whole number from 0.
    pub(super) fn number(&mut self, name: &str) -> Result<u64, ParseError> {
        let raw = self.raw(name)?;
        raw.parse().map_err(|_| ParseError::field(name))
    }

    /// Refuses members that nobody asked for.
    pub(super) fn end(self) -> Result<(), ParseError> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(ParseError::field(name)),
        }
    }
}

fn text_of(name: &str, raw: &str) -> Result<String, ParseError> {
    let mut reader = Reader { text: raw, at: 0 };
    reader.string().map_err(|_| ParseError::field(name))
}

fn parsed_of<T: FromStr + Display>(name: &str, text: &str) -> Result<T, ParseError> {
    let value: T = text.parse().map_err(|_| ParseError::field(name))?;
    if value.to_string() == text {
        Ok(value)
    } else {
        Err(ParseError::field(name))
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn refuse(&self, what: &'static str) -> ParseError {
        ParseError::Spelling { what, at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8, missing: &'static str) -> Result<(), ParseError> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(self.refuse(missing))
        }
    }

    fn object(
        &mut self,
        depth: u32,
        each: &mut dyn FnMut(String, &'a str),
    ) -> Result<(), ParseError> {
        self.expect(b'{', "no object")?;
        if self.eat(b'}') {
            return Ok(());
        }
        let mut before: Option<String> = None;
        loop {
            let name = self.string()?;
            // Which refuses a name that is there twice, too.
            let sorted = before
                .as_ref()
                .is_none_or(|before| before.encode_utf16().lt(name.encode_utf16()));
            if !sorted {
                return Err(self.refuse("a name out of order"));
            }
            self.expect(b':', "no colon")?;
            let start = self.at;
            self.value(depth)?;
            each(name.clone(), &self.text[start..self.at]);
            before = Some(name);
            if self.eat(b'}') {
                return Ok(());
            }
            self.expect(b',', "no comma")?;
        }
    }

    fn value(&mut self, depth: u32) -> Result<(), ParseError> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'{') if depth > 0 => self.object(depth - 1, &mut |_, _| {}),
            Some(b'[') if depth > 0 => self.array(depth - 1),
            Some(b'{' | b'[') => Err(self.refuse("too deep a value")),
            Some(_) | None => {
                for word in ["null", "true", "false"] {
                    if self.text[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Ok(());
                    }
                }
                Err(self.refuse("no value"))
            }
        }
    }

    fn array(&mut self, depth: u32) -> Result<(), ParseError> {
        self.expect(b'[', "no array")?;
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            self.value(depth)?;
            if self.eat(b']') {
                return Ok(());
            }
            self.expect(b',', "no comma")?;
        }
    }

    fn number(&mut self) -> Result<(), ParseError> {
        self.eat(b'-');
        let digits = self.text[self.at..]
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        let text = &self.text[self.at..self.at + digits];
        let exact = text.parse().is_ok_and(|number: u64| {
            let negative = self.at > 0 && self.text.as_bytes()[self.at - 1] == b'-';
            number <= EXACT_MAX && !(negative && number == 0)
        });
        if !exact || (digits > 1 && text.starts_with('0')) {
            return Err(self.refuse("no integer within ±(2^53-1)"));
        }
        self.at += digits;
        match self.peek() {
            Some(b'.' | b'e' | b'E') => Err(self.refuse("a fraction")),
            Some(_) | None => Ok(()),
        }
    }

    fn string(&mut self) -> Result<String, ParseError> {
        self.expect(b'"', "no text")?;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest
                .find(|next: char| next == '"' || next == '\\' || next < ' ')
                .ok_or_else(|| self.refuse("no end of the text"))?;
            text.push_str(&rest[..plain]);
            self.at += plain;
            if self.eat(b'"') {
                return Ok(text);
            }
            self.expect(b'\\', "a control character")?;
            text.push(self.escape()?);
        }
    }

    /// The escapes that canonical JSON has: short ones where there is one, `\u00xx` for the other
    /// control characters.
    fn escape(&mut self) -> Result<char, ParseError> {
        let rest = &self.text.as_bytes()[self.at..];
        let (length, character) = match rest {
            [b'"', ..] => (1, '"'),
            [b'\\', ..] => (1, '\\'),
            [b'b', ..] => (1, '\u{8}'),
            [b'f', ..] => (1, '\u{c}'),
            [b'n', ..] => (1, '\n'),
            [b'r', ..] => (1, '\r'),
            [b't', ..] => (1, '\t'),
            [
                b'u',
                b'0',
                b'0',
                high @ b'0'..=b'1',
                low @ (b'0'..=b'9' | b'a'..=b'f'),
                ..,
            ] => {
                let low = if low.is_ascii_digit() {
                    low - b'0'
                } else {
                    low - b'a' + 10
                };
                let character = char::from((high - b'0') << 4 | low);
                if matches!(character, '\u{8}' | '\t' | '\n' | '\u{c}' | '\r') {
                    return Err(self.refuse("an escape that has a shorter form"));
                }
                (5, character)
            }
            _ => return Err(self.refuse("an escape that is none")),
        };
        self.at += length;
        Ok(character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::canonical;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn members(text: &str) -> Result<Vec<(String, &str)>, ParseError> {
        Fields::of(text).map(|fields| fields.0)
    }

    #[test]
    fn one_spelling_of_each_value_is_read() {
        for refused in [
            "",
            "{",
            "{}}",
            "{} ",
            "[]",
            "{\"a\":1,\"a\":1}",
            "{\"b\":1,\"a\":1}",
            "{\"a\": 1}",
            "{\"a\":01}",
            "{\"a\":-0}",
            "{\"a\":1.0}",
            "{\"a\":1e3}",
            "{\"a\":9007199254740992}",
            "{\"a\":\"\\u0041\"}",
            "{\"a\":\"\\u000A\"}",
            "{\"a\":\"\\u000a\"}",
            "{\"a\":\"\\/\"}",
            "{\"a\":\"\n\"}",
            "{\"a\":nul}",
            "{\"a\":[1,]}",
            "{\"a\":[[[[[[[[[[[]]]]]]]]]]]}",
        ] {
            assert!(members(refused).is_err(), "{refused}");
        }
        let read = members("{\"a\":[{},-1,\"\\n\\u001f\"],\"b\":null}").unwrap();
        assert_eq!(
            read,
            [
                ("a".to_owned(), "[{},-1,\"\\n\\u001f\"]"),
                ("b".to_owned(), "null")
            ]
        );
    }

    #[test]
    fn names_are_ordered_as_utf_16() {
        let canonical = canonical(&json!({"\u{fb33}": 1, "\u{1f600}": 2})).unwrap();
        assert!(Fields::of_bytes(&canonical).is_ok());
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_the_writer_writes_is_read(value in value()) {
            let bytes = canonical(&json!({ "a": value })).unwrap();
            let text = String::from_utf8(bytes).unwrap();
            let mut fields = Fields::of(&text).unwrap();
            let raw = fields.raw("a").unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(raw).unwrap(), value.clone());
            if let Value::String(expected) = value {
                prop_assert_eq!(text_of("a", raw).unwrap(), expected);
            }
        }

        #[test]
        fn no_bytes_break_the_reader(bytes: Vec<u8>, text in "[\\[\\]{}\":,\\\\u0-9a-fntl -]{0,60}") {
            let _ = Fields::of_bytes(&bytes);
            let _ = Fields::of(&text);
        }
    }
}
