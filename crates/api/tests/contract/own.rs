//! Things that are made for one operation alone: it may change or end them.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::operation::Operation;
use crate::service::Person;
use crate::world::{fresh, text};

/// One such thing.
#[derive(Debug, Default)]
pub(crate) struct Own {
    pub(crate) id: String,
    /// As `If-Match` takes it.
    pub(crate) version: String,
    /// What is asked for with what was previewed.
    pub(crate) request: Value,
}

/// The parameter that names it, the operation and the path that make it, and where its id stands.
const MADE: [(&str, &str, &str, &str); 5] = [
    ("keyId", "api_key_create", "/api-keys", "/apiKey/keyId"),
    (
        "revocationId",
        "revocation_create",
        "/identity/revocations",
        "/revocationId",
    ),
    (
        "webhookId",
        "webhook_create",
        "/webhooks",
        "/webhook/webhookId",
    ),
    ("projectId", "project_create", "/projects", "/projectId"),
    ("sourceId", "source_create", "/sources", "/sourceId"),
];

impl Own {
    /// The parameters that name such things.
    pub(crate) const PARAMETERS: [&str; 6] = [
        "keyId",
        "revocationId",
        "webhookId",
        "projectId",
        "sourceId",
        "bulkActionId",
    ];

    /// An id that nothing has, in places where nothing is looked up.
    pub(crate) fn nothing() -> Self {
        Self {
            id: Uuid::from_u128(fresh()).to_string(),
            version: "\"1\"".to_owned(),
            request: json!({"action": "cancel", "jobs": {}, "planDigest": format!("sha256:{}", "0".repeat(64))}),
        }
    }

    /// Whether an operation is about such a thing.
    pub(crate) fn needed(operation: &Operation) -> bool {
        let named = |parameter: &&str| in_path(operation, parameter);
        Self::PARAMETERS.iter().any(named)
            || matches!(
                operation.id.as_str(),
                "pack_run_create" | "bulk_action_create"
            )
    }

    /// A good request that makes one.
    pub(crate) fn request(operation: &str, tomorrow: &str) -> Option<Value> {
        let name = format!("w-{}", Uuid::from_u128(fresh()).simple());
        Some(match operation {
            "api_key_create" => {
                json!({"name": name, "scopes": ["orch:read"], "expiresAt": tomorrow})
            }
            "revocation_create" => json!({"tokenId": name}),
            "webhook_create" => json!({"name": name, "url": "https://hooks.example.com/jobs"}),
            "project_create" => json!({"name": name}),
            "source_create" => json!({"name": name, "kind": "osv"}),
            _ => return None,
        })
    }

    /// Makes what an operation is about.
    pub(crate) async fn make(
        us: &Person,
        operation: &Operation,
        tomorrow: &str,
        run: &str,
    ) -> Option<Self> {
        if !Self::needed(operation) {
            return None;
        }
        let bulk = operation.id == "bulk_action_create" || in_path(operation, "bulkActionId");
        if bulk {
            return Some(Self::bulk(us, operation, run).await);
        }
        let named = |parameter: &str| {
            in_path(operation, parameter)
                || (parameter == "projectId" && operation.id == "pack_run_create")
        };
        let (_, make, path, id) = MADE.iter().find(|(parameter, ..)| named(parameter))?;
        let request = us.request(Method::POST, path);
        let request = request.json(&Self::request(make, tomorrow)?);
        let response = request.send().await.unwrap();
        let version = response.headers().get("etag").cloned();
        let version = version.map_or(String::new(), |tag| tag.to_str().unwrap().to_owned());
        let answer: Value = response.json().await.unwrap();
        let id = answer
            .pointer(id)
            .unwrap_or_else(|| panic!("{path}: {answer:#}"));
        Some(Self {
            id: text(id),
            version,
            request: Value::Null,
        })
    }

    /// An action on the jobs of a run: previewed, and taken when there must be one already.
    async fn bulk(us: &Person, operation: &Operation, run: &str) -> Self {
        let mut request = json!({"action": "cancel", "jobs": {"runId": run}});
        let plan = us.post("/bulk-actions:preview", &request).await.ok(200);
        request["planDigest"] = plan["planDigest"].clone();
        let mut id = String::new();
        if operation.id != "bulk_action_create" {
            let taken = us.post("/bulk-actions", &request).await.ok(202);
            id = text(&taken["bulkActionId"]);
        }
        Self {
            id,
            version: String::new(),
            request,
        }
    }
}

fn in_path(operation: &Operation, parameter: &str) -> bool {
    operation.path.contains(&format!("{{{parameter}}}"))
}
