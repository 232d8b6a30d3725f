//! Schemas of the contract, as far as the command line reads them.

use serde_json::Value;

/// Follows a reference, and takes what is not null out of a choice.
pub(super) fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..8 {
        if let Some(path) = schema["$ref"].as_str() {
            let found = path
                .strip_prefix('#')
                .and_then(|path| document.pointer(path));
            schema = found.unwrap_or(&Value::Null);
        } else if let Some(choice) = schema["oneOf"].as_array() {
            match choice.iter().find(|schema| !is(schema, "null")) {
                Some(one) => schema = one,
                None => return schema,
            }
        } else {
            return schema;
        }
    }
    schema
}

/// Whether a schema allows this type.
pub(super) fn is(schema: &Value, name: &str) -> bool {
    match &schema["type"] {
        Value::String(one) => one == name,
        Value::Array(some) => some.iter().any(|one| one == name),
        _ => false,
    }
}

/// Whether it allows a text.
pub(super) fn is_text(schema: &Value) -> bool {
    is(schema, "string")
}

/// Whether it allows something that fits in a cell.
pub(super) fn is_plain(schema: &Value) -> bool {
    ["string", "integer", "number", "boolean"]
        .iter()
        .any(|name| is(schema, name))
}

/// What may stand in a value, in a word.
pub(super) fn value_name(schema: &Value) -> String {
    if let Some(choices) = choices(schema) {
        return choices;
    }
    let name = match schema["format"].as_str() {
        Some("date-time") => "TIME",
        Some("uuid") => "ID",
        _ if is_text(schema) => "VALUE",
        _ if is(schema, "integer") => "N",
        _ if is(schema, "boolean") => "true|false",
        _ => "JSON",
    };
    name.to_owned()
}

/// `low|normal`, of an enumeration or of a pattern that is one.
fn choices(schema: &Value) -> Option<String> {
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        return Some(values.join("|"));
    }
    let pattern = schema["pattern"].as_str()?;
    let choices = pattern.strip_prefix("^(")?.strip_suffix(")$")?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || "|_-".contains(c);
    choices.chars().all(is_word).then(|| choices.to_owned())
}
