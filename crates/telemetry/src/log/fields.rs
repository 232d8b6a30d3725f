//! The fields of events and spans, as the log shows them.

use std::fmt::Debug;

use serde_json::Value;
use tracing::field::{Field, Visit};

use super::redact::{clean, is_secret};

/// Longest value of a field, in bytes; what is over is cut off, and said so.
const VALUE_MAX_BYTES: usize = 2_048;
/// Most fields of one line.
const FIELDS_MAX: usize = 48;

/// Fields in the order in which they were given; a later one replaces one of the same name.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(pub(super) Vec<(String, Value)>);

impl Fields {
    pub(super) fn extend(&mut self, other: &Self) {
        for (name, value) in &other.0 {
            self.put(name.clone(), value.clone());
        }
    }

    /// Takes a field out.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    fn put(&mut self, name: String, value: Value) {
        let room = self.0.len() < FIELDS_MAX;
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None if room => self.0.push((name, value)),
            None => {}
        }
    }

    fn text(&mut self, field: &Field, text: &str) {
        let shown = if is_secret(field.name()) {
            "[redacted]".to_owned()
        } else {
            clean(text, VALUE_MAX_BYTES)
        };
        self.put(shown_name(field.name()), Value::String(shown));
    }
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(shown_name(field.name()), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(shown_name(field.name()), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(shown_name(field.name()), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text(field, &format!("{value:?}"));
    }
}

/// As the wire spells names: `request.id` is `requestId`, `took_us` is `tookUs`.
fn shown_name(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    let mut raised = false;
    for letter in name.trim_start_matches("r#").chars() {
        if matches!(letter, '.' | '_') {
            raised = !shown.is_empty();
        } else if raised {
            shown.push(letter.to_ascii_uppercase());
            raised = false;
        } else {
            shown.push(letter);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelt_as_on_the_wire() {
        for (name, shown) in [
            ("request.id", "requestId"),
            ("took_us", "tookUs"),
            ("tenant", "tenant"),
            ("r#type", "type"),
        ] {
            assert_eq!(shown_name(name), shown);
        }
    }
}
