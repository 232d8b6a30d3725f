//! `POST /api-keys`

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::caller::Scope;
use jobengine_domain::id::{ApiKeyId, ProjectId};
use jobengine_domain::time::Timestamp;
use jobengine_store::{NewApiKey, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::ApiKeyView;
use crate::act::{Act, Done};
use crate::check::Checks;
use crate::identity::{Caller, CredentialKind};
use crate::json::JsonBody;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// Longest name of a service.
const NAME_MAX: usize = 64;
/// Keys of a tenant that can be used at once.
const LIVE_MAX: u64 = 1_000;
/// Longest life of a key: 366 days.
const LIFE_MAX_MS: u64 = 366 * 24 * 3_600 * 1_000;

/// An API key to be made
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewKey {
    /// The service it is for: lower-case letters, digits, `.`, `_` and `-`. Several keys may be for one
    /// service: they have one principal, so that one can follow another.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", example = "nightly-import")]
    name: String,
    /// What it allows: nothing that its maker may not do itself, and never `orch:quota` with `orch:worker`.
    #[schema(min_items = 1, example = json!(["orch:submit", "orch:read"]))]
    scopes: Vec<String>,
    /// Binds it to one project.
    #[schema(value_type = Option<uuid::Uuid>)]
    project_id: Option<ProjectId>,
    /// Its end: within 366 days, and not after that of the key that makes it (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// A new API key, with the secret that is never shown again
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MadeKey {
    /// The key itself: `Authorization: Bearer jek_…`. A repeat under the same `Idempotency-Key` is the
    /// only way to see it again.
    #[schema(example = "jek_AAAA…_BBBB…")]
    key: String,
    /// What is known of it afterwards.
    api_key: ApiKeyView,
}

/// Make an API key
///
/// For services that cannot get tokens of an issuer. Only a keyed hash of it is stored.
#[utoipa::path(
    post, path = "/api-keys", operation_id = "api_key_create", tag = "keys",
    extensions(("x-scope" = json!("orch:admin")), ("x-effect" = json!("audited"))),
    request_body = NewKey,
    responses(
        (status = 201, description = "Made", body = MadeKey),
        (status = 422, description = "A field is out of bounds (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    JsonBody(request): JsonBody<NewKey>,
) -> Result<Response, Problem> {
    let caller = act.caller();
    let scopes = request.check(caller)?;
    act.perform(&state, async |tx| {
        let now = tx.now();
        request.check_end(caller, now)?;
        if tx.api_keys_live().await? >= LIVE_MAX {
            let detail = format!("{LIVE_MAX} keys can be used at once at most: end some");
            return Err(Problem::field("body", "RANGE", detail).into());
        }
        let id: ApiKeyId = jobengine_store::draw(now);
        let (key, mac) = state.identity().api_key_maker().make(caller.tenant, id);
        let new = NewApiKey {
            id,
            name: request.name.clone(),
            project: request.project_id.or(caller.project),
            scopes: scopes.clone(),
            mac,
            expires_at: request.expires_at,
        };
        let record = match tx.api_key_put(&new).await {
            Err(StoreError::Missing("the project")) => {
                let detail = "there is no such project";
                return Err(Problem::field("projectId", "VALUE", detail).into());
            }
            stored => stored?,
        };
        let api_key = ApiKeyView::from(record);
        Ok(Done::created(MadeKey { key, api_key }).of("api_key", id))
    })
    .await
}

impl NewKey {
    /// The scopes, of a request whose fields fit each other and the caller.
    fn check(&self, caller: &Caller) -> Result<BTreeSet<Scope>, Problem> {
        let mut checks = Checks::default();
        checks.hold(
            is_name(&self.name),
            || "name".to_owned(),
            "VALUE",
            format!("1 to {NAME_MAX} of a-z, 0-9, `.`, `_`, `-`, the first no punctuation"),
        );
        checks.count("scopes", self.scopes.len(), Scope::ALL.len());
        let mut scopes = BTreeSet::new();
        for (place, text) in self.scopes.iter().enumerate() {
            let scope = text.parse::<Scope>().ok();
            checks.hold(
                scope.is_some_and(|scope| scopes.insert(scope)),
                || format!("scopes[{place}]"),
                "VALUE",
                "is no scope, or named twice",
            );
        }
        checks.hold(
            !(scopes.contains(&Scope::Quota) && scopes.contains(&Scope::Worker)),
            || "scopes".to_owned(),
            "VALUE",
            "orch:quota never goes with orch:worker",
        );
        checks.end()?;
        if let Some(beyond) = scopes.iter().find(|scope| !caller.has(**scope)) {
            let detail = format!("a key gets no more than its maker has: not {beyond}");
            return Err(Problem::new(Code::ScopeMissing, detail));
        }
        let elsewhere = |project| self.project_id.is_some_and(|named| named != project);
        if caller.project.is_some_and(elsewhere) {
            return Err(Problem::new(
                Code::ProjectMismatch,
                "whoever is bound to a project makes keys for that one",
            ));
        }
        Ok(scopes)
    }

    fn check_end(&self, caller: &Caller, now: Timestamp) -> Result<(), Problem> {
        let latest = match caller.shown().kind {
            // Or a key that leaks could live on in others.
            CredentialKind::Key(_) => caller.shown().expires_at.min(now.plus_ms(LIFE_MAX_MS)),
            CredentialKind::Token { .. } => now.plus_ms(LIFE_MAX_MS),
        };
        if now < self.expires_at && self.expires_at <= latest {
            return Ok(());
        }
        let detail = format!("lies after now and not after {latest}");
        Err(Problem::field("expiresAt", "RANGE", detail))
    }
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=NAME_MAX).contains(&text.len())
        && text.bytes().next().is_some_and(plain)
        && text
            .bytes()
            .all(|byte| plain(byte) || matches!(byte, b'.' | b'_' | b'-'))
}
