//! `PATCH /sources/{sourceId}`

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::id::SourceId;
use jobengine_store::SourceFacts;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::changed::changed;
use super::view::{Source, check_description, check_kind, read_url};
use crate::act::Act;
use crate::check::Checks;
use crate::json::{JSON_MAX_BYTES, JsonBody};
use crate::params::PathParams;
use crate::problem::Problem;
use crate::state::AppState;
use crate::v1::version::IfMatch;

/// What is to be said of a source. What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UpdateSource {
    /// What it offers.
    #[schema(pattern = "^[a-z0-9][a-z0-9.-]{0,49}$")]
    kind: Option<String>,
    /// Where it is; null: nowhere.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 2048)]
    #[expect(clippy::option_option, reason = "absent and null say different things")]
    url: Option<Option<String>>,
    /// For people.
    #[schema(max_length = 2000, example = "Advisories of the npm registry")]
    description: Option<String>,
    /// Whether documents and jobs are taken for it. What is queued goes on; `:pause` stops that as well.
    enabled: Option<bool>,
}

/// A field that is there, be it null.
#[expect(clippy::option_option, reason = "absent and null say different things")]
fn present<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(field).map(Some)
}

/// Change a source
///
/// For the version named by `If-Match`, and no other.
#[utoipa::path(
    patch, path = "/sources/{sourceId}", operation_id = "source_update", tag = "sources",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited"))),
    params(
        ("sourceId" = uuid::Uuid, Path, description = "The source's id"),
        ("If-Match" = String, Header, description = "The `ETag` of the version that is to be changed"),
    ),
    request_body = UpdateSource,
    responses(
        (status = 200, description = "The source as it is now", body = Source),
        (status = 400, description = "The id or the body cannot be read (PARAMETER_INVALID, JSON_MALFORMED)"),
        (status = 404, description = "No such source of this tenant (NOT_FOUND)"),
        (status = 412, description = "Another version stands (PRECONDITION_FAILED)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid (REQUEST_INVALID)"),
        (status = 428, description = "If-Match is missing (PRECONDITION_REQUIRED)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    PathParams(id): PathParams<SourceId>,
    meant: IfMatch,
    JsonBody(request): JsonBody<UpdateSource, JSON_MAX_BYTES>,
) -> Result<Response, Problem> {
    act.caller().require_whole_tenant()?;
    let mut checks = Checks::default();
    if let Some(kind) = &request.kind {
        check_kind(kind, &mut checks);
    }
    if let Some(description) = &request.description {
        check_description(description, &mut checks);
    }
    let url = request
        .url
        .as_ref()
        .map(|url| read_url(url.as_deref(), &mut checks));
    checks.end()?;
    act.perform(&state, async |tx| {
        let Some(standing) = tx.source_get(id).await? else {
            return Err(Problem::not_found("source").into());
        };
        let version = meant.check(standing.version)?;
        let facts = SourceFacts {
            kind: request
                .kind
                .clone()
                .unwrap_or_else(|| standing.facts.kind.clone()),
            url: url.clone().unwrap_or_else(|| standing.facts.url.clone()),
            description: request
                .description
                .clone()
                .unwrap_or_else(|| standing.facts.description.clone()),
            enabled: request.enabled.unwrap_or(standing.facts.enabled),
        };
        tx.source_update(id, version, &facts).await?;
        changed(&tx, standing).await
    })
    .await
}
