//! `POST /sources`

use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::Response;
use jobengine_store::{SourceFacts, StoreError};
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::{Source, check_description, check_kind, read_url};
use crate::act::{Act, Done};
use crate::check::Checks;
use crate::json::{JSON_MAX_BYTES, JsonBody};
use crate::problem::{Code, Problem};
use crate::state::AppState;
use crate::v1::version::etag;

/// Longest name.
const NAME_MAX: usize = 200;

/// A new source
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateSource {
    /// Its name: what documents and jobs refer to. It never changes.
    #[schema(min_length = 1, max_length = 200, example = "osv")]
    name: String,
    /// What it offers: 1 to 50 lower-case letters, digits, `.` and `-`.
    #[schema(pattern = "^[a-z0-9][a-z0-9.-]{0,49}$", example = "osv")]
    kind: String,
    /// Where it is: `https://` or `http://`, without credentials. It is checked for its form, not fetched.
    #[schema(max_length = 2048, example = "https://feeds.example.org/osv")]
    url: Option<String>,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 2000)]
    description: String,
    /// Whether documents and jobs are taken for it; true unless said otherwise.
    enabled: Option<bool>,
}

/// Create a source
#[utoipa::path(
    post, path = "/sources", operation_id = "source_create", tag = "sources",
    extensions(("x-scope" = json!("orch:operate")), ("x-effect" = json!("audited"))),
    request_body = CreateSource,
    responses(
        (status = 201, description = "The source is there; its version stands in `ETag`", body = Source),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 409, description = "Another source has this name (NAME_TAKEN)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid (REQUEST_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    JsonBody(request): JsonBody<CreateSource, JSON_MAX_BYTES>,
) -> Result<Response, Problem> {
    act.caller().require_whole_tenant()?;
    let mut checks = Checks::default();
    checks.text(|| "name".to_owned(), &request.name, NAME_MAX);
    check_kind(&request.kind, &mut checks);
    check_description(&request.description, &mut checks);
    let url = read_url(request.url.as_deref(), &mut checks);
    checks.end()?;
    let facts = SourceFacts {
        kind: request.kind,
        url,
        description: request.description,
        enabled: request.enabled.unwrap_or(true),
    };
    act.perform(&state, async |tx| {
        let Some(id) = tx.source_create(&request.name, &facts).await? else {
            let detail = format!("there is a source called {}", request.name);
            return Err(Problem::new(Code::NameTaken, detail).into());
        };
        let record = tx
            .source_get(id)
            .await?
            .ok_or(StoreError::Stale("the source"))?;
        let tag = etag(record.version);
        let source = Source::of(record);
        Ok(Done::created(&source).of("source", id).header(ETAG, &tag))
    })
    .await
}
