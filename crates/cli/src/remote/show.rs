//! Answers for people.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};

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

/// The items of a noun's list, one a line; of another list, such as its log, with the first of its `columns`.
pub(super) fn list(noun: &str, verb: &str, columns: &[String], items: &[Value]) -> String {
    if items.is_empty() {
        return "Nothing there.\n".to_owned();
    }
    let chosen = CHOSEN.iter().find(|(of, _)| *of == noun && verb == "list");
    if let Some((_, chosen)) = chosen {
        return table(chosen.iter().copied(), items);
    }
    let columns = columns.iter().map(String::as_str);
    table(columns.take(COLUMNS_MAX), items)
}

/// Items, one a line.
fn table<'a>(columns: impl Iterator<Item = &'a str>, items: &[Value]) -> String {
    // A column that nobody fills only makes the others narrow.
    let filled = |column: &&str| items.iter().any(|item| !item[*column].is_null());
    let columns: Vec<&str> = columns.filter(filled).collect();
    let mut table = output::table();
    table.set_header(columns.iter().map(|column| heading(column)));
    for item in items {
        table.add_row(columns.iter().map(|column| cell(&item[*column])));
    }
    output::draw(table)
}

/// One object, a field a line. What is nested stands below: lists of words, tables of objects, and the rest
/// as JSON.
pub(super) fn object(value: &Value) -> String {
    let Value::Object(fields) = value else {
        return format!("{value:#}\n");
    };
    let mut nested = String::new();
    for (name, value) in fields {
        if let Some(text) = below(value) {
            let text = text.trim_end().replace('\n', "\n  ");
            let _ = writeln!(nested, "\n{}\n  {text}", heading(name));
        }
    }
    plain(fields) + &nested
}

/// The fields that fit on a line.
fn plain(fields: &Map<String, Value>) -> String {
    let width = fields.keys().map(|name| heading(name).len()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for (name, value) in fields {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(words) if words.len() == 1 && words[0].is_string() => cell(&words[0]),
            Value::Null | Value::Object(_) | Value::Array(_) => continue,
        };
        let lines: Vec<_> = value.lines().map(line).collect();
        let value = lines.join(&format!("\n{:width$}  ", ""));
        let _ = writeln!(text, "{:width$}  {value}", heading(name));
    }
    text
}

/// What a field holds that does not fit on its line.
fn below(value: &Value) -> Option<String> {
    let is_plain = |value: &Value| !value.is_object() && !value.is_array();
    match value {
        Value::Array(items) if items.is_empty() => None,
        Value::Array(words) if words.iter().all(Value::is_string) => {
            let words = words.iter().filter_map(Value::as_str).map(line);
            let words: Vec<_> = words.collect();
            (words.len() > 1).then(|| words.join("\n"))
        }
        Value::Array(items) if items.iter().all(Value::is_object) => {
            let fields = items.iter().filter_map(Value::as_object).flatten();
            let plain = fields.filter(|(_, value)| is_plain(value));
            let columns: BTreeSet<&str> = plain.map(|(name, _)| name.as_str()).collect();
            Some(table(columns.into_iter(), items))
        }
        Value::Object(fields) if !fields.is_empty() && fields.values().all(is_plain) => {
            Some(plain(fields))
        }
        Value::Object(_) | Value::Array(_) => Some(format!("{value:#}")),
        _ => None,
    }
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

/// A line is a line, whatever somebody wrote into a name; and no text steers the terminal.
fn line(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { '·' } else { c });
    plain.collect()
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text = line(&text);
    let mut characters = text.chars();
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
        let text = list("job", "list", &[], &items);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("job id"), "{text}");
        assert!(lines[0].ends_with("state"), "{text}");
        assert!(lines[3].contains("t·u"), "{text}");
        assert_eq!(list("job", "list", &[], &[]), "Nothing there.\n");
        // Another list of the same noun has columns of its own.
        let text = list("job", "logs", &["line".to_owned()], &[json!({"line": "x"})]);
        assert!(text.starts_with("line"), "{text}");
    }

    #[test]
    fn an_object_shows_plain_fields_first() {
        let text = object(&json!({"counts": {"total": 1}, "runId": "7", "state": "running"}));
        assert_eq!(text, "run id  7\nstate   running\n\ncounts\n  total  1\n");
        let text = object(
            &json!({"jobIds": ["1", "2"], "tags": ["a\u{1b}"], "text": "b\nc", "words": []}),
        );
        assert_eq!(
            text,
            "tags     a·\ntext     b\n         c\n\njob ids\n  1\n  2\n"
        );
    }
}
