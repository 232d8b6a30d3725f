//! Ids: a type for each thing that has one. All are `UUIDv7`, drawn at the edge, never here.
//!
//! An id has one spelling: 36 characters, lower-case hexadecimal digits in five groups with hyphens between them.
//! Texts that other readers of UUIDs take for the same one are refused, so that two readers of a token, a path or
//! a log line cannot disagree about whom it names.

use serde::Deserializer;
use serde::de::{Error, Visitor};
use uuid::Uuid;

use crate::time::Timestamp;

/// A text that is not an id in its one spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 36 characters: lower-case hexadecimal digits in five groups with hyphens")]
pub struct Misspelled;

/// Reads an id in its one spelling.
///
/// # Errors
/// [`Misspelled`].
pub fn parse(text: &str) -> Result<Uuid, Misspelled> {
    let id = Uuid::try_parse(text).map_err(|_| Misspelled)?;
    let mut spelled = Uuid::encode_buffer();
    let sound = id.hyphenated().encode_lower(&mut spelled) == text;
    sound.then_some(id).ok_or(Misspelled)
}

/// Reads an id in its one spelling, where a field holds a bare [`Uuid`].
///
/// # Errors
/// The deserializer's, for what is not a text or is misspelled.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    deserializer.deserialize_str(Spelled)
}

struct Spelled;

impl Visitor<'_> for Spelled {
    type Value = Uuid;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an id")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Uuid, E> {
        parse(text).map_err(E::custom)
    }
}

/// Declares id types over [`Uuid`].
macro_rules! id {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Misspelled;

            fn from_str(text: &str) -> Result<Self, Misspelled> {
                parse(text).map(Self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize(deserializer).map(Self)
            }
        }
    )+};
}

id! {
    /// Owner of rows; nothing crosses it.
    TenantId,
    /// A division inside a tenant.
    ProjectId,
    /// One unit of work in the ledger.
    JobId,
    /// Jobs started together by one cause.
    RunId,
    /// One worker process, from its first claim to its last heartbeat.
    SessionId,
    /// One published fact.
    EventId,
    /// An upstream that documents come from.
    SourceId,
    /// One message waiting to leave.
    OutboxId,
    /// One action on many things.
    BulkId,
    /// An address outside that is told of events.
    WebhookId,
    /// One event on its way to one webhook.
    DeliveryId,
    /// One row of the audit trail.
    AuditId,
    /// One service API key.
    ApiKeyId,
    /// One taking back of credentials.
    RevocationId,
}

impl JobId {
    /// When the job was submitted, to the millisecond: its id was drawn then. `None` for an id that is
    /// not a `UUIDv7`.
    pub fn submitted_at(self) -> Option<Timestamp> {
        let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
        let micros = i64::try_from(seconds).ok()?.checked_mul(1_000_000)?;
        Some(Timestamp::from_micros(
            micros.saturating_add(i64::from(nanos / 1_000)),
        ))
    }
}

impl TenantId {
    /// The installation's own tenant: every installation has it, and only its administrators see the others.
    pub const INSTALLATION: Self = Self(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = "0190f1de-0000-7000-8000-00000000000a";
        assert_eq!(parse(id).unwrap().to_string(), id);
        let bare = id.replace('-', "");
        for bad in [
            id.to_uppercase(),
            id.replacen('a', "A", 1),
            format!("{{{id}}}"),
            format!("urn:uuid:{id}"),
            bare.clone(),
            format!("{{{bare}}}"),
            format!(" {id}"),
            format!("{id}\n"),
            id[1..].to_owned(),
            format!("{id}0"),
            id.replace('-', "_"),
            String::new(),
        ] {
            assert_eq!(parse(&bad), Err(Misspelled), "{bad:?}");
            assert_eq!(bad.parse::<TenantId>(), Err(Misspelled), "{bad:?}");
            let json = serde_json::to_string(&bad).unwrap();
            assert!(serde_json::from_str::<TenantId>(&json).is_err(), "{json}");
        }
        let json = format!("\"{id}\"");
        let tenant: TenantId = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&tenant).unwrap(), json);
    }

    proptest! {
        /// Whatever is taken is written as it was read: no two texts are one id.
        #[test]
        fn what_is_taken_is_written_alike(
            id in any::<u128>(),
            upper in any::<u64>(),
            edit in prop::option::of((0..36_usize, "[-0-9a-fA-F{} ]{0,2}")),
        ) {
            let mut text: String = Uuid::from_u128(id)
                .to_string()
                .char_indices()
                .map(|(at, digit)| if upper >> at & 1 == 1 { digit.to_ascii_uppercase() } else { digit })
                .collect();
            if let Some((at, other)) = edit {
                text.replace_range(at..=at, &other);
            }
            // Refused only when it is not what is written.
            let written = Uuid::try_parse(&text).map(|id| id.to_string());
            let alike = written.as_deref() == Ok(text.as_str());
            prop_assert_eq!(parse(&text).is_ok(), alike);
        }
    }
}
