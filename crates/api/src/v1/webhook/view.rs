//! A webhook as it is shown: never with its secret.

use jobengine_domain::digest::Digest;
use jobengine_store::WebhookRecord;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A webhook
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Webhook)]
pub(super) struct WebhookView {
    /// Its id.
    webhook_id: Uuid,
    /// What people call it.
    #[schema(example = "chat of the security team")]
    name: String,
    /// Where deliveries go.
    #[schema(example = "https://hooks.example.com/jobs")]
    url: String,
    /// The project whose events it is told; of all projects when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<Uuid>,
    /// Event types and families that it is told of; all when empty.
    #[schema(example = json!(["job.failed", "run.*"]))]
    event_types: Vec<String>,
    /// Job types that it is told of; all when empty.
    job_types: Vec<String>,
    /// The only run that it is told of.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<Uuid>,
    /// `active`, or `paused`: then nothing is sent.
    #[schema(example = "active")]
    state: &'static str,
    /// Who paused it: `operator`, `failing` after three days without a success, or `gone` when the
    /// receiver answered 410.
    #[serde(skip_serializing_if = "Option::is_none")]
    pause_reason: Option<&'static str>,
    /// Since when it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    paused_at: Option<String>,
    /// Attempts that failed since the last one that succeeded.
    failures: u32,
    /// Since when all attempts fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    failing_since: Option<String>,
    /// Until when the secret before the last rotation signs as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    old_secret_until: Option<String>,
    /// When it was last found that events were no longer kept before the webhook had seen them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    missed_at: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last changed or paused.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// A webhook with its secret, which is shown this once
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookSecretShown {
    /// The webhook.
    pub(super) webhook: WebhookView,
    /// What signs its deliveries: `whsec_` and Base64. It is not shown again.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    pub(super) secret: String,
}

impl WebhookView {
    /// The digest of what is shown, for the audit trail: the secret is no part of it.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).expect("a webhook is plain JSON"))
    }
}

impl From<WebhookRecord> for WebhookView {
    fn from(webhook: WebhookRecord) -> Self {
        let filter = &webhook.spec.filter;
        let state = if webhook.paused.is_some() {
            "paused"
        } else {
            "active"
        };
        Self {
            webhook_id: webhook.id.0,
            project_id: webhook.project.map(|project| project.0),
            event_types: filter.event_types().iter().cloned().collect(),
            job_types: filter.job_types().iter().cloned().collect(),
            run_id: filter.run().map(|run| run.0),
            name: webhook.spec.name,
            url: webhook.spec.url,
            state,
            pause_reason: webhook.paused.map(|(reason, _)| reason.as_str()),
            paused_at: webhook.paused.map(|(_, at)| at.to_string()),
            failures: webhook.failing.map_or(0, |(failures, _)| failures),
            failing_since: webhook.failing.map(|(_, since)| since.to_string()),
            old_secret_until: webhook.old_secret_until.map(|until| until.to_string()),
            missed_at: webhook.missed_at.map(|at| at.to_string()),
            created_at: webhook.created_at.to_string(),
            updated_at: webhook.updated_at.to_string(),
        }
    }
}
