//! The types of events in the statements and in the catalogue are the same.

use std::collections::BTreeSet;
use std::path::Path;

use jobengine_domain::event::EventType;

use super::statements::files;

/// Every text between single quotes that looks like the type of an event of a family that we have.
fn kinds(sql: &str) -> BTreeSet<String> {
    let families: BTreeSet<&str> = EventType::ALL
        .iter()
        .filter_map(|kind| Some(kind.as_str().split_once('.')?.0))
        .collect();
    let code: String = sql
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let literals = code.split('\'').skip(1).step_by(2);
    literals
        .filter(|text| {
            text.split_once('.')
                .is_some_and(|(family, _)| families.contains(family))
        })
        .map(str::to_owned)
        .collect()
}

/// The types that a statement writes whole or, from the state that a job moves to, in two parts.
fn written(sql: &str) -> BTreeSet<String> {
    // What a move ends in. The other states have statements of their own.
    const MOVES: [&str; 6] = [
        "queued",
        "succeeded",
        "failed",
        "canceled",
        "timed_out",
        "skipped",
    ];
    let mut all = kinds(sql);
    if all.remove("job.") {
        all.extend(MOVES.map(|state| format!("job.{state}")));
    }
    all
}

#[test]
fn the_statements_know_the_types_of_the_catalogue_and_no_others() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let known: BTreeSet<String> = EventType::ALL.iter().map(ToString::to_string).collect();
    let mut produced = BTreeSet::new();
    let statements = ["src", "migrations"].map(|dir| files(&root.join(dir), "sql"));
    for path in statements.iter().flatten() {
        let sql = std::fs::read_to_string(path).unwrap();
        let mut named = kinds(&sql);
        if sql.contains("INSERT INTO event ") {
            named = written(&sql);
            produced.extend(named.clone());
        }
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(
            unknown.is_empty(),
            "{}: {unknown:?} is no type of event",
            path.display()
        );
    }
    // The others are handed to event/write.sql by the modules of their concepts.
    for path in files(&root.join("src"), "rs") {
        let rust = std::fs::read_to_string(&path).unwrap();
        for kind in EventType::ALL {
            let calls = ["event_write", "event_write_at"];
            let calls = calls.map(|call| format!("{call}(EventType::{kind:?},"));
            if calls.iter().any(|call| rust.contains(call)) {
                produced.insert(kind.to_string());
            }
        }
    }
    // It is sent to one webhook and stands in no stream.
    assert!(produced.insert(EventType::WebhookTest.to_string()));
    let silent: Vec<_> = known.difference(&produced).collect();
    assert!(silent.is_empty(), "nobody writes {silent:?}");
}

#[test]
fn a_type_is_told_from_other_texts() {
    let sql = "-- 'job.lost' is no type\nSELECT 'orch.grant', 'job.leased', 'job.' || state, 'x' -- 'run.over'";
    assert_eq!(kinds(sql), ["job.", "job.leased"].map(str::to_owned).into());
    assert!(written(sql).contains("job.timed_out"));
}
