//! The API changes something only through an act, or in answer to a worker that holds a lease (ADR 9).

use super::File;

const API: &str = "crates/api/src/";
/// Where a writing transaction may be opened: the act itself, the batches, the claims, the worker's verbs, and
/// what is noted of a credential before there is a caller who could act.
const MAY: [&str; 6] = [
    "act.rs",
    "claim/",
    "flush/",
    "identity/",
    "scheduler/segment.rs",
    "v1/worker/",
];
/// How the store opens one; what only reads opens a transaction with `read`.
const OPENS: [&str; 2] = ["store().begin(", "store.begin("];

/// Every line of the API that opens a writing transaction elsewhere.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    for file in files {
        let Some(place) = file.path.strip_prefix(API) else {
            continue;
        };
        if MAY.iter().any(|may| place.starts_with(may)) {
            continue;
        }
        for (number, line) in file.lines() {
            if OPENS.iter().any(|opens| line.contains(opens)) {
                let path = &file.path;
                broken.push(format!(
                    "{path}:{number}: a writing transaction outside of an act: perform an Act, or `read`"
                ));
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn only_acts_and_workers_write() {
        let text = "let tx = state.store().begin(&caller).await?;";
        for (path, count) in [
            ("crates/api/src/v1/job/cancel.rs", 1),
            ("crates/api/src/act.rs", 0),
            ("crates/api/src/v1/worker/log.rs", 0),
            ("crates/duties/src/outbox.rs", 0),
        ] {
            assert_eq!(check(&[file(path, text)]).len(), count, "{path}");
        }
        let reads = "let tx = state.store().read(&caller).await?;";
        assert!(check(&[file("crates/api/src/v1/job/get.rs", reads)]).is_empty());
    }
}
