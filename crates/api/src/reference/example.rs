//! An example for every body: drawn from the schema where nobody has written a better one.
//!
//! What an operation or a field gives as its own example counts. Else a field's name says what a reader
//! expects there (`jobId`, `deadline`), and its schema what may stand there. The examples of requests are
//! sent to a real server by the contract's tests, so they cannot go stale.

use jobengine_domain::digest::Digest;
use serde_json::{Map, Value, json};
use utoipa::openapi::{Content, OpenApi, RefOr};

use super::operations;

/// Deeper than any body of ours.
const DEPTH_MAX: usize = 12;

/// Bodies that no schema of ours describes: documents of others.
const DOCUMENTS: [(&str, &str); 5] = [
    ("advisories_put", include_str!("examples/advisory.json")),
    ("impact_preview", include_str!("examples/advisory.json")),
    ("kev_put", include_str!("examples/kev.json")),
    ("sbom_put", include_str!("examples/sbom.json")),
    ("vex_put", include_str!("examples/vex.json")),
];

/// What stands in a field of this name, where its schema says no more than its type.
const TEXTS: [(&str, &str); 18] = [
    ("type", "feed.fetch"),
    ("types", "feed.fetch"),
    ("key", "fetch"),
    ("name", "findings.json"),
    ("worker", "worker-7"),
    ("correlationId", "c-81"),
    ("class", "network"),
    ("state", "queued"),
    ("priority", "normal"),
    ("trigger", "manual"),
    ("mode", "analysisOnly"),
    ("eventType", "job.succeeded"),
    ("severity", "high"),
    ("purl", "pkg:npm/left-pad@1.0.0"),
    ("package", "npm/left-pad"),
    ("repository", "docker.io/library/redis"),
    ("continuationToken", "eyJ2IjoxfQ"),
    ("detail", "upstream answered 502"),
];

/// Whether optional fields are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Only what is needed; where nothing is, what gives an example of its own.
    Request,
    /// All there is.
    Answer,
}

/// Writes an example into every body that has none.
pub(super) fn fill(document: &mut OpenApi) {
    let schemas = serde_json::to_value(&*document).unwrap_or_default();
    let draw = Draw { root: &schemas };
    for operation in operations(document) {
        let name = operation.operation_id.as_deref().unwrap_or_default();
        if let Some(RefOr::T(body)) = &mut operation.request_body {
            let document = DOCUMENTS.iter().find(|(of, _)| *of == name);
            let document = document.and_then(|(_, text)| serde_json::from_str(text).ok());
            for content in body.content.values_mut() {
                draw.give(content, document.as_ref(), Side::Request);
            }
        }
        for response in operation.responses.responses.values_mut() {
            let RefOr::T(response) = response else {
                continue;
            };
            for content in response.content.values_mut() {
                draw.give(content, None, Side::Answer);
            }
        }
    }
}

/// Draws values of schemas.
struct Draw<'a> {
    /// The whole document, in which references lead somewhere.
    root: &'a Value,
}

impl Draw<'_> {
    fn give(&self, content: &mut RefOr<Content>, written: Option<&Value>, side: Side) {
        let RefOr::T(content) = content else {
            return;
        };
        if content.example.is_some() || !content.examples.is_empty() {
            return;
        }
        let Some(schema) = &content.schema else {
            return;
        };
        let schema = serde_json::to_value(schema).unwrap_or_default();
        let drawn = || self.value(&schema, "", side, 0);
        content.example = Some(written.cloned().unwrap_or_else(drawn));
    }

    fn value(&self, schema: &Value, name: &str, side: Side, depth: usize) -> Value {
        if let Some(own) = own_example(schema) {
            return own.clone();
        }
        if depth > DEPTH_MAX {
            return Value::Null;
        }
        let deeper = |schema: &Value| self.value(schema, name, side, depth + 1);
        if let Some(to) = schema["$ref"].as_str() {
            let place = to.trim_start_matches('#');
            return self.root.pointer(place).map_or(Value::Null, deeper);
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(choices) = schema[choice].as_array() {
                let real = choices.iter().find(|choice| choice["type"] != "null");
                return real.map_or(Value::Null, deeper);
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let parts = parts.iter().map(deeper);
            let members = parts.filter_map(|part| part.as_object().cloned());
            return Value::Object(members.flatten().collect());
        }
        match kind(schema) {
            Some("object") => self.object(schema, side, depth),
            Some("array") => json!([self.value(&schema["items"], name, side, depth + 1)]),
            Some("string") => text(schema, name).into(),
            Some("integer" | "number") => schema["minimum"].as_i64().unwrap_or(1).max(1).into(),
            Some("boolean") => true.into(),
            Some("null") => Value::Null,
            _ => json!({"feed": "osv-npm"}),
        }
    }

    fn object(&self, schema: &Value, side: Side, depth: usize) -> Value {
        let required = schema["required"].as_array();
        let shown = |name: &str, field: &Value| match (side, required) {
            (Side::Answer, _) => true,
            (Side::Request, Some(names)) => names.iter().any(|needed| needed == name),
            (Side::Request, None) => field.get("example").is_some(),
        };
        let properties = schema["properties"].as_object();
        let members: Map<String, Value> = properties
            .into_iter()
            .flatten()
            .filter(|(name, field)| shown(name, field))
            .map(|(name, schema)| (name.clone(), self.value(schema, name, side, depth + 1)))
            .collect();
        Value::Object(members)
    }
}

/// The example that the schema itself gives, or the only or first value it takes.
fn own_example(schema: &Value) -> Option<&Value> {
    let first = |name: &str| schema[name].as_array().and_then(|all| all.first());
    let given = schema.get("example").or_else(|| first("examples"));
    given
        .or_else(|| schema.get("const"))
        .or_else(|| schema.get("default"))
        .or_else(|| first("enum"))
}

/// The type of a schema, null aside.
fn kind(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null"),
        _ => schema.get("properties").map(|_| "object"),
    }
}

fn text(schema: &Value, name: &str) -> String {
    match schema["format"].as_str() {
        Some("uuid") => return id(name),
        Some("date-time") => return "2026-01-01T10:00:00Z".to_owned(),
        _ => {}
    }
    if let Some(first) = first_choice(schema["pattern"].as_str().unwrap_or_default()) {
        return first.to_owned();
    }
    if name.to_lowercase().ends_with("digest") || matches!(name, "image" | "images" | "artifact") {
        return Digest::of(name.as_bytes()).to_string();
    }
    let known = TEXTS.iter().find(|(known, _)| *known == name);
    known.map_or("text", |(_, text)| text).to_owned()
}

/// The `low` of `^(low|normal)$`.
fn first_choice(pattern: &str) -> Option<&str> {
    let choices = pattern.strip_prefix("^(")?.strip_suffix(")$")?;
    let plain = choices
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "|_".contains(c));
    choices.split('|').next().filter(|_| plain)
}

/// A `UUIDv7` that is always the same for a field's name.
fn id(name: &str) -> String {
    let digest = Digest::of(name.as_bytes()).to_string();
    let hex = digest.trim_start_matches("sha256:");
    format!(
        "019b7a3c-5e80-7{}-8{}-{}",
        &hex[..3],
        &hex[3..6],
        &hex[6..18]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(schema: &Value, side: Side) -> Value {
        let root = json!({"components": {"schemas": {"Outcome": {"type": "string", "enum": ["succeeded"]}}}});
        Draw { root: &root }.value(schema, "", side, 0)
    }

    #[test]
    fn a_value_is_drawn_from_its_schema() {
        let schema = json!({"type": "object", "required": ["outcome", "when"], "properties": {
            "outcome": {"$ref": "#/components/schemas/Outcome"},
            "when": {"type": ["string", "null"], "format": "date-time"},
            "band": {"type": "string", "pattern": "^(low|high)$"},
        }});
        let needed = json!({"outcome": "succeeded", "when": "2026-01-01T10:00:00Z"});
        assert_eq!(drawn(&schema, Side::Request), needed);
        assert_eq!(drawn(&schema, Side::Answer)["band"], "low");
        let nothing_needed = json!({"type": "object", "properties": {
            "owner": {"type": ["string", "null"], "example": "anna"},
            "note": {"type": ["string", "null"]},
        }});
        assert_eq!(
            drawn(&nothing_needed, Side::Request),
            json!({"owner": "anna"})
        );
    }

    #[test]
    fn the_documents_of_others_are_json() {
        for (of, text) in DOCUMENTS {
            assert!(serde_json::from_str::<Value>(text).is_ok(), "{of}");
        }
    }
}
