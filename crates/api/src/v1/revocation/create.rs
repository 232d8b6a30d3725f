//! `POST /identity/revocations`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::time::Timestamp;
use jobengine_store::Revoked;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::RevocationView;
use crate::act::{Act, Done};
use crate::check::Checks;
use crate::identity::{SERVICE, TOKEN_LIFE_MS};
use crate::json::JsonBody;
use crate::problem::Problem;
use crate::state::AppState;

/// Longest name of a principal or a token.
const NAME_MAX: usize = 256;
/// Revocations of a tenant that stand at once: every process keeps them in memory.
const STANDING_MAX: u64 = 10_000;
/// How far ahead `notBefore` may lie: issuers' clocks may be, by less.
const AHEAD_MAX_MS: u64 = 3_600_000;

/// What is refused: either a principal's tokens or one token
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewRevocation {
    /// A principal. Its tokens issued up to `notBefore` are refused, and when it is a service
    /// (`service:<name>`), its API keys made up to then are ended.
    #[schema(min_length = 1, max_length = 256, example = "alice@example.com")]
    subject: Option<String>,
    /// Only what was issued later is believed; now unless said otherwise, an hour ahead at most.
    #[schema(value_type = Option<String>, format = DateTime)]
    not_before: Option<Timestamp>,
    /// The `jti` of one token.
    #[schema(min_length = 1, max_length = 256)]
    token_id: Option<String>,
}

/// Revoke credentials
///
/// Refuses a principal's tokens, or one token, in every process within five seconds. Streams that are
/// open end within 30. It is forgotten when every token it is about has expired.
#[utoipa::path(
    post, path = "/identity/revocations", operation_id = "revocation_create", tag = "identity",
    extensions(("x-scope" = json!("orch:admin")), ("x-effect" = json!("audited"))),
    request_body = NewRevocation,
    responses(
        (status = 201, description = "Revoked", body = RevocationView),
        (status = 422, description = "Not one of both, or out of bounds (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    JsonBody(request): JsonBody<NewRevocation>,
) -> Result<Response, Problem> {
    act.caller().require_whole_tenant()?;
    request.check()?;
    let answer = act
        .perform(&state, async |tx| {
            if tx.revocation_sweep().await? >= STANDING_MAX {
                let detail = format!("{STANDING_MAX} revocations stand at once at most");
                return Err(Problem::field("body", "RANGE", detail).into());
            }
            let now = tx.now();
            let revoked = request.revoked(now)?;
            let until = match &revoked {
                Revoked::Subject { not_before, .. } => now.max(*not_before),
                Revoked::Token { .. } => now,
            };
            if let Revoked::Subject {
                subject,
                not_before,
            } = &revoked
                && let Some(service) = subject.strip_prefix(SERVICE)
            {
                tx.api_keys_revoke_service(service, *not_before).await?;
            }
            let record = tx
                .revocation_put(revoked, until.plus_ms(TOKEN_LIFE_MS))
                .await?;
            let id = record.id;
            Ok(Done::created(RevocationView::from(record)).of("revocation", id))
        })
        .await?;
    state.identity().revoked(act.caller().tenant);
    Ok(answer)
}

impl NewRevocation {
    fn check(&self) -> Result<(), Problem> {
        let mut checks = Checks::default();
        checks.hold(
            self.subject.is_some() != self.token_id.is_some(),
            || "subject".to_owned(),
            "VALUE",
            "name either a subject or a tokenId",
        );
        checks.hold(
            self.not_before.is_none() || self.subject.is_some(),
            || "notBefore".to_owned(),
            "VALUE",
            "goes with a subject",
        );
        for (field, name) in [("subject", &self.subject), ("tokenId", &self.token_id)] {
            if let Some(name) = name {
                checks.text(|| field.to_owned(), name, NAME_MAX);
            }
        }
        checks.end()
    }

    fn revoked(&self, now: Timestamp) -> Result<Revoked, Problem> {
        let not_before = self.not_before.unwrap_or(now);
        if not_before > now.plus_ms(AHEAD_MAX_MS) {
            let detail = "lies an hour ahead at most";
            return Err(Problem::field("notBefore", "RANGE", detail));
        }
        match (&self.subject, &self.token_id) {
            (Some(subject), None) => Ok(Revoked::Subject {
                subject: subject.clone(),
                not_before,
            }),
            (None, Some(id)) => Ok(Revoked::Token { id: id.clone() }),
            // Checked before.
            _ => Err(Problem::field(
                "subject",
                "VALUE",
                "name either a subject or a tokenId",
            )),
        }
    }
}
