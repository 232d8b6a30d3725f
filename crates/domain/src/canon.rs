//! Canonical JSON (RFC 8785): the bytes that are hashed and signed.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use crate::digest::Digest;

/// The largest integer that every JSON reader keeps exactly (RFC 7493 section 2.2).
const EXACT_MAX: u64 = (1 << 53) - 1;

/// Why a value has no canonical form here.
#[derive(Debug, thiserror::Error)]
pub enum CanonError {
    /// The number at this place would be read differently elsewhere: a fraction, or an integer
    /// beyond 2⁵³−1. Evidence holds integers and decimal strings.
    #[error("the number at {0} is not an integer within ±(2^53-1)")]
    Number(String),
    /// The value cannot be written as JSON at all.
    #[error("the value cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Writes a value as canonical JSON.
///
/// # Errors
/// [`CanonError`] on fractions and on integers beyond 2⁵³−1.
pub fn canonical(value: &impl Serialize) -> Result<Vec<u8>, CanonError> {
    let value = serde_json::to_value(value)?;
    check_numbers(&value, &mut String::from("$"))?;
    Ok(serde_json_canonicalizer::to_vec(&value)?)
}

/// The digest of a value's canonical JSON.
///
/// # Errors
/// As [`canonical`].
pub fn canonical_digest(value: &impl Serialize) -> Result<Digest, CanonError> {
    canonical(value).map(|bytes| Digest::of(&bytes))
}

fn check_numbers(value: &Value, place: &mut String) -> Result<(), CanonError> {
    let length = place.len();
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => {}
        Value::Number(number) => {
            let exact = number
                .as_i64()
                .map(i64::unsigned_abs)
                .or_else(|| number.as_u64());
            if exact.is_none_or(|magnitude| magnitude > EXACT_MAX) {
                return Err(CanonError::Number(place.clone()));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let _ = write!(place, "[{index}]");
                check_numbers(item, place)?;
                place.truncate(length);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                place.push('.');
                place.push_str(name);
                check_numbers(member, place)?;
                place.truncate(length);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(value: &Value, expected: &str) {
        assert_eq!(
            String::from_utf8(canonical(value).unwrap()).unwrap(),
            expected
        );
    }

    #[test]
    fn order_and_escapes_follow_the_rfc() {
        check(
            &json!({"b": 1, "a": [true, null, "\u{20ac}\u{1}\n"]}),
            "{\"a\":[true,null,\"€\\u0001\\n\"],\"b\":1}",
        );
        // UTF-16 order: U+1F600 (surrogates D83D…) sorts before U+FB33.
        check(
            &json!({"\u{fb33}": 1, "\u{1f600}": 2}),
            "{\"\u{1f600}\":2,\"\u{fb33}\":1}",
        );
    }

    #[test]
    fn numbers_that_others_would_round_are_refused() {
        check(
            &json!({"n": -9_007_199_254_740_991_i64}),
            "{\"n\":-9007199254740991}",
        );
        for bad in [
            json!({"a": [0.5]}),
            json!({"a": [9_007_199_254_740_992_u64]}),
        ] {
            let error = canonical(&bad).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the number at $.a[0] is not an integer within ±(2^53-1)"
            );
        }
    }
}
