//! What an edited JSON document changed: a list of operations at places, as RFC 6902 writes them.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What became of one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// It was not there before.
    Add,
    /// It is no longer there.
    Remove,
    /// It holds something else.
    Replace,
}

/// One difference between two documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What became of the place.
    pub op: Op,
    /// The place: a JSON pointer (RFC 6901).
    pub path: String,
    /// What it held; absent when it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it holds; absent when it is no longer there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// The differences, sorted by place. Objects are compared member by member; a list that differs is one
/// difference, because nothing says which of its items is which.
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(before, after, &mut String::new(), &mut found);
    found
}

fn compare(before: &Value, after: &Value, place: &mut String, found: &mut Vec<Difference>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => members(before, after, place, found),
        (before, after) if before == after => {}
        (before, after) => found.push(difference(Some(before), Some(after), place)),
    }
}

fn members(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    place: &mut String,
    found: &mut Vec<Difference>,
) {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let length = place.len();
        let _ = write!(place, "/{}", name.replace('~', "~0").replace('/', "~1"));
        match (before.get(name), after.get(name)) {
            (Some(before), Some(after)) => compare(before, after, place, found),
            (before, after) => found.push(difference(before, after, place)),
        }
        place.truncate(length);
    }
}

fn difference(before: Option<&Value>, after: Option<&Value>, place: &str) -> Difference {
    let op = match (before, after) {
        (None, _) => Op::Add,
        (_, None) => Op::Remove,
        (Some(_), Some(_)) => Op::Replace,
    };
    Difference {
        op,
        path: place.to_owned(),
        before: before.cloned(),
        after: after.cloned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(before: &Value, after: &Value, expected: &Value) {
        let found = serde_json::to_value(differences(before, after)).unwrap();
        assert_eq!(&found, expected);
    }

    #[test]
    fn what_was_edited_is_told_by_place() {
        check(&json!({"a": 1}), &json!({"a": 1}), &json!([]));
        check(
            &json!({"a": {"b": 1, "c/d": [1]}, "gone": null}),
            &json!({"a": {"b": 2, "c/d": [1, 2]}, "new": true}),
            &json!([
                {"op": "replace", "path": "/a/b", "before": 1, "after": 2},
                {"op": "replace", "path": "/a/c~1d", "before": [1], "after": [1, 2]},
                {"op": "remove", "path": "/gone", "before": null},
                {"op": "add", "path": "/new", "after": true},
            ]),
        );
        check(
            &json!(1),
            &json!("1"),
            &json!([{"op": "replace", "path": "", "before": 1, "after": "1"}]),
        );
    }
}
