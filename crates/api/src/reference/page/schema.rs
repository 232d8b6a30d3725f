//! A schema as rows of fields: `jobs[].payload`, what may stand there, what it means.

use std::fmt::Write as _;

use serde_json::Value;

use super::markup::{escape, inline};

/// Levels of fields that are shown; deeper ones are in the document.
const DEPTH_MAX: usize = 5;

/// The schema behind a reference, or the schema itself.
pub(super) fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let Some(to) = schema["$ref"].as_str() else {
        return schema;
    };
    root.pointer(to.trim_start_matches('#')).unwrap_or(schema)
}

/// A table of the fields of a body; nothing for one without fields.
pub(super) fn table(root: &Value, schema: &Value) -> String {
    let mut rows = String::new();
    fields(root, schema, "", 0, &mut rows);
    if rows.is_empty() {
        return rows;
    }
    format!("<table class=\"fields\"><tbody>\n{rows}</tbody></table>\n")
}

fn fields(root: &Value, schema: &Value, place: &str, depth: usize, rows: &mut String) {
    let schema = resolved(root, schema);
    if depth >= DEPTH_MAX {
        return;
    }
    if schema["items"].is_object() {
        fields(root, &schema["items"], &format!("{place}[]"), depth, rows);
        return;
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        for part in schema[choice].as_array().into_iter().flatten() {
            fields(root, part, place, depth + 1, rows);
        }
    }
    let required = schema["required"].as_array();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let needed = required.is_some_and(|names| names.iter().any(|needed| needed == name));
        let path = match place {
            "" => name.clone(),
            place => format!("{place}.{name}"),
        };
        let described = [&field["description"], &resolved(root, field)["description"]]
            .into_iter()
            .find_map(Value::as_str);
        rows.push_str(&row(
            &path,
            &kind(root, field),
            needed,
            described.unwrap_or_default(),
        ));
        fields(root, field, &path, depth + 1, rows);
    }
}

/// One row: a name, what may stand there, whether it must, what it means.
pub(super) fn row(name: &str, kind: &str, needed: bool, text: &str) -> String {
    let needed = if needed {
        " <span class=\"needed\">needed</span>"
    } else {
        ""
    };
    format!(
        "<tr><th scope=\"row\"><code>{}</code>{needed}</th><td><span class=\"kind\">{}</span>{}</td></tr>\n",
        broken(name),
        escape(kind),
        inline(text)
    )
}

/// A name that may be broken where its parts meet, on a narrow screen.
fn broken(name: &str) -> String {
    escape(name).replace('.', ".<wbr>")
}

/// What may stand in a place, in a few words: `integer, 1 to 100`.
pub(super) fn kind(root: &Value, schema: &Value) -> String {
    let own = schema;
    let schema = resolved(root, schema);
    let mut text = match &schema["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            kinds.join(" or ")
        }
        _ if schema["oneOf"].is_array() => {
            let parts = schema["oneOf"].as_array().into_iter().flatten();
            let parts: Vec<String> = parts.map(|part| kind(root, part)).collect();
            parts.join(" or ")
        }
        _ => "any JSON".to_owned(),
    };
    if schema["items"].is_object() {
        let _ = write!(text, " of {}", kind(root, &schema["items"]));
    }
    if let Some(format) = schema["format"].as_str() {
        let noise = format.starts_with("int") || format == "double";
        if !noise {
            let _ = write!(text, ", {format}");
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        let _ = write!(text, ": {}", values.join(" | "));
    } else if let Some(pattern) = schema["pattern"].as_str() {
        match choices(pattern) {
            Some(choices) => {
                let _ = write!(text, ": {choices}");
            }
            None if is_readable(pattern) => {
                let _ = write!(text, ", {pattern}");
            }
            None => {}
        }
    }
    for (least, most, unit) in [
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ] {
        match (schema[least].as_i64(), schema[most].as_i64()) {
            (Some(least), Some(most)) => {
                let _ = write!(text, ", {least} to {most}{unit}");
            }
            (None, Some(most)) => {
                let _ = write!(text, ", up to {most}{unit}");
            }
            (Some(least), None) if least > 0 => {
                let _ = write!(text, ", at least {least}{unit}");
            }
            _ => {}
        }
    }
    if let Some(default) = own.get("default").or_else(|| schema.get("default")) {
        let _ = write!(text, "; {default} unless said otherwise");
    }
    text
}

/// The `low | normal` of `^(low|normal)$`.
fn choices(pattern: &str) -> Option<String> {
    let choices = pattern.strip_prefix("^(")?.strip_suffix(")$")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "|_-".contains(c);
    choices
        .chars()
        .all(plain)
        .then(|| choices.replace('|', " | "))
}

/// Whether a person sees in a pattern what it takes. What the others mean stands in the text beside them.
fn is_readable(pattern: &str) -> bool {
    pattern.len() <= 50 && !pattern.contains('\\') && !pattern.contains("(?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_rows_with_their_bounds() {
        let root = json!({"components": {"schemas": {"Job": {"type": "object", "required": ["type"],
            "properties": {"type": {"type": "string", "maxLength": 100, "description": "Its `type`."}}}}}});
        let schema = json!({"type": "object", "properties": {
            "jobs": {"type": "array", "minItems": 1, "maxItems": 9, "items": {"$ref": "#/components/schemas/Job"}}}});
        let html = table(&root, &schema);
        assert!(
            html.contains("<code>jobs[].<wbr>type</code> <span class=\"needed\">"),
            "{html}"
        );
        assert!(html.contains("string, up to 100 characters</span>Its <code>type</code>."));
        assert!(html.contains("array of object, 1 to 9 items"));
        let shown = |pattern: &str| kind(&root, &json!({"type": "string", "pattern": pattern}));
        assert_eq!(shown("^(low|high)$"), "string: low | high");
        assert_eq!(shown("^[a-z]{0,9}$"), "string, ^[a-z]{0,9}$");
        assert_eq!(shown("^(?:a,)*\\s$"), "string");
    }
}
