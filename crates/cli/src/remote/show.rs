//! Answers for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::columns::chosen;
use crate::output;

/// Most columns of a table whose columns nobody chose.
const COLUMNS_MAX: usize = 7;
/// Longest text in a cell, in characters: a digest fits, because the next command wants it whole.
const CELL_MAX: usize = 72;
/// What a client wrote is shown as it wrote it.
const VERBATIM: [&str; 4] = ["inputs", "payload", "request", "result"];

/// Where there is nothing to show.
const NOTHING: &str = "Nothing there.\n";

/// The items of a noun's list, one a line; of a list whose columns nobody chose, the first of its `fields`.
pub(super) fn list(noun: &str, verb: &str, fields: &[String], items: &[Value]) -> String {
    if items.is_empty() {
        return NOTHING.to_owned();
    }
    if let Some(chosen) = chosen(noun, verb) {
        return table(chosen, usize::MAX, items);
    }
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    table(&fields, COLUMNS_MAX, items)
}

/// Items, one a line.
fn table(columns: &[&str], most: usize, items: &[Value]) -> String {
    // A column that nobody fills only makes the others narrow.
    let filled = |column: &&&str| {
        items
            .iter()
            .any(|item| !cell(within(item, column)).is_empty())
    };
    let columns: Vec<&str> = columns.iter().filter(filled).take(most).copied().collect();
    let mut table = output::table();
    table.set_header(columns.iter().map(|column| heading(column)));
    for item in items {
        table.add_row(columns.iter().map(|column| cell(within(item, column))));
    }
    output::draw(table)
}

/// A field of an item, or a field of its field.
fn within<'a>(item: &'a Value, column: &str) -> &'a Value {
    let mut parts = column.split('.');
    parts
        .try_fold(item, |item, part| item.get(part))
        .unwrap_or(&Value::Null)
}

/// One object, a field a line. What is nested stands below: lists of words, tables of objects, objects, and
/// the rest as JSON.
pub(super) fn object(value: &Value) -> String {
    match block(value) {
        text if text.is_empty() => NOTHING.to_owned(),
        text => text,
    }
}

fn block(value: &Value) -> String {
    let Value::Object(fields) = value else {
        return format!("{value:#}\n");
    };
    let mut nested = String::new();
    for (name, value) in fields {
        if let Some(text) = below(name, value) {
            let text = text.trim_end().replace('\n', "\n  ");
            let _ = writeln!(nested, "\n{}\n  {text}", heading(name));
        }
    }
    let text = plain(fields) + &nested;
    text.trim_start_matches('\n').replace("\n  \n", "\n\n")
}

/// The fields that fit on a line.
fn plain(fields: &Map<String, Value>) -> String {
    let shown: Vec<(&String, String)> = sorted(fields)
        .into_iter()
        .filter_map(|(name, value)| Some((name, short(value)?)))
        .collect();
    let width = shown.iter().map(|(name, _)| heading(name).len()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for (name, value) in shown {
        let lines: Vec<_> = value.lines().map(line).collect();
        let value = lines.join(&format!("\n{:width$}  ", ""));
        let row = format!("{:width$}  {value}", heading(name));
        let _ = writeln!(text, "{}", row.trim_end());
    }
    text
}

/// A value beside its name, if there is one and it fits there.
fn short(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(words) if words.len() == 1 && words[0].is_string() => short(&words[0]),
        Value::Null | Value::Object(_) | Value::Array(_) => None,
    }
}

/// What a field holds that does not fit on its line.
fn below(name: &str, value: &Value) -> Option<String> {
    match value {
        Value::Array(items) if items.is_empty() => None,
        Value::Object(fields) if fields.is_empty() => None,
        Value::Object(_) | Value::Array(_) if VERBATIM.contains(&name) => {
            Some(format!("{value:#}"))
        }
        Value::Array(words) if words.iter().all(Value::is_string) => {
            let words = words.iter().filter_map(Value::as_str).map(line);
            let words: Vec<_> = words.collect();
            (words.len() > 1).then(|| words.join("\n"))
        }
        Value::Array(items) if items.iter().all(Value::is_object) => Some(rows(items)),
        Value::Array(_) => Some(format!("{value:#}")),
        Value::Object(_) => Some(block(value)),
        _ => None,
    }
}

/// Objects within an object: a table, or one below the other where a cell would not hold what they say.
fn rows(items: &[Value]) -> String {
    let fields: BTreeMap<&String, &Value> = items
        .iter()
        .filter_map(Value::as_object)
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .collect();
    let fits = |value: &Value| short(value).is_none_or(|text| text.chars().count() <= CELL_MAX);
    let mut values = items.iter().filter_map(Value::as_object).flatten();
    if !values.all(|(_, value)| fits(value)) {
        let blocks: Vec<String> = items.iter().map(block).collect();
        return blocks.join("\n");
    }
    let mut columns: Vec<&str> = fields
        .into_iter()
        .filter(|(_, value)| short(value).is_some())
        .map(|(name, _)| name.as_str())
        .collect();
    columns.sort_by_key(|name| rank(name));
    table(&columns, usize::MAX, items)
}

/// Fields in the order in which people read them.
fn sorted(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| rank(name));
    fields
}

/// What it is called comes first, and times come last.
fn rank(name: &str) -> u8 {
    match name {
        "key" | "name" | "id" => 0,
        _ if name.ends_with("Id") => 1,
        "at" => 3,
        _ if name.ends_with("At") => 3,
        _ => 2,
    }
}

/// `createdAt` becomes `created at`.
fn heading(name: &str) -> String {
    let mut heading = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            heading.push(' ');
        }
        // `job.id` is the job's id.
        let character = if character == '.' { ' ' } else { character };
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
        Value::Array(words) if words.iter().all(Value::is_string) => {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            words.join(" ")
        }
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
        assert_eq!(text, "tags  a·\ntext  b\n      c\n\njob ids\n  1\n  2\n");
    }
}
