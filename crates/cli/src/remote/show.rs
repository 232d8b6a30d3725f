//! Answers for people.

use std::fmt::Write as _;

use serde_json::Value;

use crate::output;

/// Most columns of a table whose columns nobody chose.
const COLUMNS_MAX: usize = 7;
/// Longest text in a cell, in characters.
const CELL_MAX: usize = 60;

/// The columns that people look for first.
const CHOSEN: [(&str, &[&str]); 8] = [
    (
        "job",
        &[
            "jobId",
            "type",
            "state",
            "priority",
            "attempts",
            "createdAt",
            "class",
        ],
    ),
    (
        "run",
        &[
            "runId",
            "trigger",
            "state",
            "createdAt",
            "finishedAt",
            "attempts",
        ],
    ),
    (
        "deadletter",
        &["jobId", "type", "class", "decision", "openedAt", "detail"],
    ),
    ("worker", &["sessionId", "worker", "leases", "leaseUntil"]),
    (
        "events",
        &["occurredAt", "eventType", "correlationId", "eventId"],
    ),
    (
        "audit",
        &[
            "occurredAt",
            "subject",
            "operation",
            "objectKind",
            "objectId",
            "reason",
            "ticket",
        ],
    ),
    ("finding", &["severity", "kev", "group", "purl", "image"]),
    ("image", &["digest", "repository", "components", "findings"]),
];

/// Items, one a line.
pub(super) fn table(noun: &str, columns: &[String], items: &[Value]) -> String {
    if items.is_empty() {
        return "Nothing there.\n".to_owned();
    }
    let chosen = CHOSEN.iter().find(|(of, _)| *of == noun);
    let columns: Vec<&str> = match chosen {
        Some((_, chosen)) => chosen.to_vec(),
        None => columns
            .iter()
            .map(String::as_str)
            .take(COLUMNS_MAX)
            .collect(),
    };
    // A column that nobody fills only makes the others narrow.
    let filled = |column: &&&str| items.iter().any(|item| !item[**column].is_null());
    let columns: Vec<&&str> = columns.iter().filter(filled).collect();
    let mut table = output::table();
    table.set_header(columns.iter().map(|column| heading(column)));
    for item in items {
        table.add_row(columns.iter().map(|column| cell(&item[**column])));
    }
    output::draw(table)
}

/// One object, a field a line; what is nested stands below as JSON.
pub(super) fn object(value: &Value) -> String {
    let Value::Object(fields) = value else {
        return format!("{value:#}\n");
    };
    let width = fields.keys().map(|name| heading(name).len()).max();
    let width = width.unwrap_or_default();
    let (mut plain, mut nested) = (String::new(), String::new());
    for (name, value) in fields {
        let name = heading(name);
        match value {
            Value::Null => {}
            Value::Object(_) | Value::Array(_) => {
                let json = format!("{value:#}").replace('\n', "\n  ");
                let _ = writeln!(nested, "\n{name}\n  {json}");
            }
            Value::String(text) => {
                let _ = writeln!(plain, "{name:width$}  {text}");
            }
            Value::Bool(_) | Value::Number(_) => {
                let _ = writeln!(plain, "{name:width$}  {value}");
            }
        }
    }
    plain + &nested
}

/// `createdAt` becomes `created at`.
fn heading(name: &str) -> String {
    let mut heading = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            heading.push(' ');
        }
        heading.push(character.to_ascii_lowercase());
    }
    heading
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    // A line is a line, whatever somebody wrote into a name.
    let mut characters = text.chars().map(|c| if c.is_control() { '·' } else { c });
    let short: String = characters.by_ref().take(CELL_MAX).collect();
    if characters.next().is_some() {
        short + "…"
    } else {
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_shows_what_is_filled() {
        let items = [
            json!({"jobId": "1", "type": "t", "state": "queued", "class": null}),
            json!({"jobId": "2", "type": "t\nu", "state": "failed"}),
        ];
        let text = table("job", &[], &items);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("job id"), "{text}");
        assert!(lines[0].ends_with("state"), "{text}");
        assert!(lines[3].contains("t·u"), "{text}");
        assert_eq!(table("job", &[], &[]), "Nothing there.\n");
    }

    #[test]
    fn an_object_shows_plain_fields_first() {
        let text = object(&json!({"counts": {"total": 1}, "runId": "7", "state": "running"}));
        assert_eq!(
            text,
            "run id  7\nstate   running\n\ncounts\n  {\n    \"total\": 1\n  }\n"
        );
    }
}
