//! The columns of lists that people look for, in the order in which they look.

/// Noun and verb of a list, and the fields of its items; `job.id` lies in the field `job`.
type Chosen = (&'static str, &'static str, &'static [&'static str]);

const CHOSEN: [Chosen; 27] = [
    (
        "advisory",
        "list",
        &["id", "group", "source", "modified", "changedAt"],
    ),
    (
        "api-key",
        "list",
        &[
            "keyId",
            "name",
            "scopes",
            "projectId",
            "expiresAt",
            "revokedAt",
            "lastUsedAt",
        ],
    ),
    (
        "audit",
        "list",
        &[
            "auditId",
            "occurredAt",
            "subject",
            "operation",
            "objectKind",
            "objectId",
            "reason",
            "ticket",
        ],
    ),
    (
        "audit",
        "checkpoints",
        &["size", "first", "sealedAt", "epoch", "head"],
    ),
    (
        "bulk",
        "list",
        &[
            "bulkActionId",
            "action",
            "target",
            "state",
            "done",
            "failed",
            "total",
            "createdAt",
            "requestedBy",
        ],
    ),
    ("cursor", "list", &["stream", "pending", "oldestPendingMs"]),
    (
        "deadletter",
        "list",
        &[
            "jobId", "type", "class", "decision", "owner", "openedAt", "detail",
        ],
    ),
    (
        "events",
        "list",
        &[
            "occurredAt",
            "eventType",
            "job.id",
            "job.type",
            "job.status",
            "correlationId",
        ],
    ),
    (
        "finding",
        "list",
        &["severity", "kev", "group", "purl", "sourceAssumed", "image"],
    ),
    (
        "image",
        "list",
        &[
            "digest",
            "repository",
            "tags",
            "components",
            "findings",
            "changedAt",
        ],
    ),
    (
        "impact-debt",
        "list",
        &["image", "reason", "tries", "openedAt", "dueAt", "runId"],
    ),
    (
        "impact-run",
        "list",
        &[
            "runId",
            "state",
            "mode",
            "imagesImpacted",
            "imagesTotal",
            "delta.new",
            "delta.fixed",
            "createdAt",
            "completedAt",
        ],
    ),
    (
        "impact-run",
        "inputs",
        &["kind", "source", "subject", "digest"],
    ),
    (
        "job",
        "artifacts",
        &[
            "name",
            "bytes",
            "mediaType",
            "accepted",
            "createdAt",
            "digest",
        ],
    ),
    (
        "job",
        "list",
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
    ("job", "logs", &["at", "attempt", "level", "line"]),
    (
        "project",
        "list",
        &["projectId", "name", "description", "createdAt", "version"],
    ),
    (
        "refusal",
        "list",
        &["source", "id", "effect", "code", "place", "lastSeenAt"],
    ),
    (
        "revocation",
        "list",
        &[
            "revocationId",
            "subject",
            "tokenId",
            "notBefore",
            "expiresAt",
            "createdBy",
        ],
    ),
    (
        "run",
        "list",
        &[
            "runId",
            "trigger",
            "state",
            "counts.total",
            "counts.succeeded",
            "counts.failed",
            "createdAt",
            "finishedAt",
        ],
    ),
    (
        "sbom",
        "list",
        &["digest", "format", "components", "images", "createdAt"],
    ),
    (
        "source",
        "list",
        &[
            "sourceId", "name", "kind", "enabled", "pausedAt", "host", "version",
        ],
    ),
    (
        "tenant",
        "list",
        &["tenantId", "name", "state", "weight", "createdAt"],
    ),
    (
        "vex",
        "list",
        &["location", "source", "document", "createdAt"],
    ),
    (
        "webhook",
        "delivery-list",
        &[
            "deliveryId",
            "eventType",
            "state",
            "attempts",
            "status",
            "error",
            "attemptedAt",
            "nextAt",
        ],
    ),
    (
        "webhook",
        "list",
        &["webhookId", "name", "state", "url", "failures", "createdAt"],
    ),
    (
        "worker",
        "list",
        &["sessionId", "worker", "slots", "leases", "leaseUntil"],
    ),
];

/// The columns of a noun's list, where somebody chose them.
pub(super) fn chosen(noun: &str, verb: &str) -> Option<&'static [&'static str]> {
    let found = CHOSEN
        .iter()
        .find(|(of, list, _)| *of == noun && *list == verb);
    found.map(|(_, _, columns)| *columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::Remote;
    use crate::remote::contract::Answer;

    /// Columns by the alphabet hide the id that the next command needs.
    #[test]
    fn each_list_has_columns_that_somebody_chose_and_that_are_there() {
        for operation in Remote::new(&clap::Command::new("jobengine")).0 {
            let Answer::Page(fields) = &operation.answer else {
                continue;
            };
            let name = format!("{} {}", operation.noun, operation.verb);
            let columns = chosen(operation.noun, &operation.verb);
            for column in columns.unwrap_or_else(|| panic!("{name} has no columns")) {
                let field = column.split('.').next().unwrap();
                let is_there = fields.iter().any(|it| it == field);
                assert!(is_there, "{name}: there is no {column}");
            }
        }
    }
}
