//! The shape of a JSON text, checked in one pass before anything is built from it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Levels of arrays and objects within each other.
const DEPTH_MAX: usize = 32;
/// Items of one array.
const ITEMS_MAX: usize = 10_000;
/// Keys of one object.
const KEYS_MAX: usize = 1_000;

/// Checks one JSON text, to its end.
///
/// # Errors
/// What is wrong, with line and column.
pub(crate) fn check(bytes: &[u8]) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    Shape { depth: 0 }.deserialize(&mut json)?;
    json.end()
}

#[derive(Clone, Copy)]
struct Shape {
    depth: usize,
}

impl Shape {
    fn within<E: Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH_MAX {
            return Err(E::custom(format_args!("more than {DEPTH_MAX} levels")));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Shape {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shape {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.contains('\0') {
            return Err(E::custom("a NUL character"));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let within = self.within()?;
        let mut count = 0;
        while items.next_element_seed(within)?.is_some() {
            count += 1;
            if count > ITEMS_MAX {
                return Err(Error::custom(format_args!(
                    "more than {ITEMS_MAX} items in an array"
                )));
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let within = self.within()?;
        let mut keys: Vec<Cow<'de, str>> = Vec::new();
        while let Some(key) = members.next_key_seed(Key)? {
            within.visit_str(&key)?;
            keys.push(key);
            if keys.len() > KEYS_MAX {
                return Err(Error::custom(format_args!(
                    "more than {KEYS_MAX} keys in an object"
                )));
            }
            members.next_value_seed(within)?;
        }
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::custom(format_args!(
                "the key `{}` stands twice in an object",
                pair[0].chars().take(100).collect::<String>()
            ))),
            None => Ok(()),
        }
    }
}

/// A key, borrowed from the text where it holds no escape.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Cow<'de, str>, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        check(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn plain_json_passes() {
        for text in [
            "null",
            " [1, -2.5e3, \"a\\u00e9\"] ",
            r#"{"a":{"a":{}},"b":[{"a":1},{"a":1}]}"#,
        ] {
            check(text.as_bytes()).unwrap();
        }
        check(format!("{}{}", "[".repeat(32), "]".repeat(32)).as_bytes()).unwrap();
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (text, words) in [
            (r#"{"a":1,"b":2,"a":3}"#, "`a` stands twice"),
            (r#"{"a":1,"\u0061":3}"#, "`a` stands twice"),
            (r#"{"x":[{"k":1,"k":1}]}"#, "`k` stands twice"),
            (r#""a\u0000b""#, "NUL"),
            (r#"{"a\u0000":1}"#, "NUL"),
            (r#""\ud800""#, "hex escape"),
            ("1e999", "out of range"),
            ("[1] [2]", "trailing"),
            ("[1,]", "trailing comma"),
            ("", "EOF"),
            ("{\"a\":NaN}", "expected"),
        ] {
            let complaint = complaint(text);
            assert!(complaint.contains(words), "{text}: {complaint}");
        }
        assert!(complaint(&"[".repeat(33)).contains("more than 32 levels"));
        assert!(complaint(&format!("[{}1]", "1,".repeat(10_000))).contains("10000 items"));
        assert!(check(b"\"\xff\"").is_err());
    }
}
