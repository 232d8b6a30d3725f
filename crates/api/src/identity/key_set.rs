//! A set of keys by name (RFC 7517 section 5), read strictly.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::jws::is_key_id;
use super::key::{Algorithm, VerifyingKey};
use crate::json::check_shape;

/// Largest key set, in bytes.
pub(super) const KEY_SET_MAX_BYTES: usize = 256 * 1024;
/// Most keys of a set, those for others included.
const KEYS_MAX: usize = 50;

/// Keys under the names by which tokens refer to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KeySet(BTreeMap<String, VerifyingKey>);

impl KeySet {
    /// Reads a key set; keys for other purposes and algorithms are left out.
    ///
    /// # Errors
    /// Why the whole set is refused: half a set is none.
    pub(super) fn read(
        bytes: &[u8],
        algorithms: &BTreeSet<Algorithm>,
    ) -> Result<Self, &'static str> {
        if bytes.len() > KEY_SET_MAX_BYTES {
            return Err("it is larger than 256 KiB");
        }
        check_shape(bytes).map_err(|_| "it is not sound JSON")?;
        let document: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|_| "it is no JSON object")?;
        let keys = document
            .get("keys")
            .and_then(Value::as_array)
            .ok_or("it holds no list of keys")?;
        if keys.len() > KEYS_MAX {
            return Err("it holds more than 50 keys");
        }
        let mut set = BTreeMap::new();
        for key in keys {
            let jwk = key.as_object().ok_or("a key is no JSON object")?;
            let Some(key) = VerifyingKey::from_jwk(jwk)? else {
                continue;
            };
            let kid = jwk.get("kid").and_then(Value::as_str);
            let Some(kid) = kid.filter(|kid| is_key_id(kid)) else {
                continue;
            };
            if algorithms.contains(&key.algorithm()) && set.insert(kid.to_owned(), key).is_some() {
                return Err("two keys have the same name");
            }
        }
        if set.is_empty() {
            return Err("it holds no key that is ours to use");
        }
        Ok(Self(set))
    }

    /// The key of this name.
    pub(super) fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.0.get(kid)
    }
}

impl FromIterator<(String, VerifyingKey)> for KeySet {
    fn from_iter<I: IntoIterator<Item = (String, VerifyingKey)>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    fn key(kid: &str) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode([7; 32]), "kid": kid})
    }

    fn read(document: &Value) -> Result<KeySet, &'static str> {
        KeySet::read(
            document.to_string().as_bytes(),
            &Algorithm::USUAL.into_iter().collect(),
        )
    }

    #[test]
    fn only_our_keys_of_a_set_are_kept() {
        let n = URL_SAFE_NO_PAD.encode([0xff; 256]);
        let set = read(&json!({"keys": [
            key("a"), key("b/../c"), {"kty": "oct", "kid": "h"},
            {"kty": "RSA", "n": n, "e": "AQAB", "kid": "not-configured"},
        ]}))
        .unwrap();
        assert!(set.get("a").is_some());
        for absent in ["b/../c", "h", "not-configured", ""] {
            assert!(set.get(absent).is_none(), "{absent}");
        }
    }

    #[test]
    fn a_doubtful_set_is_refused_whole() {
        let many: Vec<Value> = (0..51).map(|n| key(&format!("k{n}"))).collect();
        for document in [
            json!([]),
            json!({}),
            json!({"keys": {}}),
            json!({"keys": []}),
            json!({"keys": [7]}),
            json!({"keys": [key("a"), key("a")]}),
            json!({"keys": [key("a"), {"kty": "oct", "k": "AA"}]}),
            json!({"keys": many}),
            json!({"keys": [key("a")], "pad": "x".repeat(KEY_SET_MAX_BYTES)}),
        ] {
            assert!(read(&document).is_err(), "{:.60}", document.to_string());
        }
        let twice = br#"{"keys":[],"keys":[]}"#;
        assert!(KeySet::read(twice, &BTreeSet::new()).is_err());
    }
}
