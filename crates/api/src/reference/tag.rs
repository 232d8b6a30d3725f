//! The groups of operations, in the order in which a reader wants them.

use std::collections::BTreeSet;

use utoipa::openapi::OpenApi;
use utoipa::openapi::tag::TagBuilder;

use super::operations;

/// What each group is about.
const TAGS: [(&str, &str); 16] = [
    (
        "jobs",
        "Units of work in the ledger: submit, find, read, stop. A job is handed to one worker at a time and \
         ends exactly once.",
    ),
    (
        "runs",
        "Jobs started together by one cause, waiting for each other by name.",
    ),
    (
        "bulk",
        "The same action on many jobs: look first, then do it by the digest of what was seen.",
    ),
    (
        "dead letters",
        "Jobs out of attempts, awaiting a person's decision.",
    ),
    (
        "workers",
        "The worker's verbs: claim, heartbeat, artifact, complete. Only the holder of a lease may report.",
    ),
    ("sources", "Upstreams that documents and jobs come from."),
    (
        "events",
        "What happened, in the order of its commits: to page through, to stream, to resume.",
    ),
    (
        "scheduler",
        "Images, SBOMs, advisories and VEX statements come in; what a change hits and what became of it \
         goes out, signed.",
    ),
    ("webhooks", "Events sent to an address of yours, signed."),
    (
        "audit",
        "Who did what, when and why, in a chain that can be verified offline.",
    ),
    ("tenants", "The owners of everything in the ledger."),
    ("projects", "Divisions inside a tenant."),
    ("keys", "Service API keys: shown once, scoped, expiring."),
    ("identity", "Who the caller is, and whose word is taken."),
    (
        "legacy",
        "Former spellings, kept until their sunset. Each names its successor.",
    ),
    (
        "service",
        "How the service is, which version it has, and what its contract and problems say.",
    ),
];

/// Writes the groups that are in use into the document.
pub(super) fn describe(document: &mut OpenApi) {
    let used: BTreeSet<String> = operations(document)
        .filter_map(|operation| operation.tags.clone())
        .flatten()
        .collect();
    let tags = TAGS
        .iter()
        .filter(|(name, _)| used.contains(*name))
        .map(|(name, text)| {
            TagBuilder::new()
                .name(*name)
                .description(Some(*text))
                .build()
        });
    document.tags = Some(tags.collect());
}
