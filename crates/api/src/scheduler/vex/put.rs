//! `POST /vex`: statements about products and flaws come in.

use axum::extract::State;
use axum::response::Response;
use jobengine_domain::digest::Digest;
use jobengine_domain::time::Timestamp;
use jobengine_impact::document::{Document, DocumentCode, DocumentError};
use jobengine_impact::refusal::Seen;
use jobengine_impact::vex::Statement;
use jobengine_impact::vex::openvex::{self, VEX_MAX_BYTES};
use jobengine_store::{RefusalEffect, RefusalKind, VexVersion};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::act::{Act, Done};
use crate::heavy::heavy;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::scheduler::INTAKE_MAX;
use crate::scheduler::name::{Name, SourceName};
use crate::scheduler::refusal::{refusal, refuse};
use crate::scheduler::upload::Upload;
use crate::state::AppState;

/// Longest id of a document, in bytes.
const ID_MAX_BYTES: usize = 500;

pub(super) fn routes() -> Routes {
    Routes::new().add_within(INTAKE_MAX, routes!(vex_put))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Origin {
    /// Whose document it is.
    #[param(value_type = String, max_length = 200, example = "vendor-a")]
    source: SourceName,
    /// The path or URL under which the source has it: what it is known by. Its `@id` unless said otherwise; say it
    /// where a source may use one `@id` for several documents.
    #[param(value_type = Option<String>, max_length = 500, example = "pkg/npm/left-pad/vex.json")]
    location: Option<Name<500>>,
}

/// What became of a VEX document.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VexStored {
    /// The document's `@id`; where it has none, the digest of its bytes.
    document: String,
    /// What it is known by within the source.
    location: String,
    /// How many statements it makes.
    statements: usize,
    /// Whether it says something else than the version before.
    changed: bool,
    /// What stood at the location and no longer counts; left out where nothing did, or the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<VexReplaced>,
}

/// A VEX document that another one took the place of.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VexReplaced {
    /// Its `@id`; where it had none, the digest of its bytes.
    document: String,
    /// Digest of its statements.
    #[schema(value_type = String)]
    digest: Digest,
    /// When these statements came first.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<VexVersion> for VexReplaced {
    fn from(version: VexVersion) -> Self {
        Self {
            document: version.document,
            digest: version.digest,
            created_at: version.created_at,
        }
    }
}

/// Bring in a VEX document
///
/// OpenVEX 0.0.1 to 0.2.0, at most 32 MiB, packed or not. It takes the place of the document at the same
/// `location` of the same source, and the answer says which that was; documents of one `@id` at several locations
/// stand beside each other. Of several statements about one product and flaw the newest counts. A document that is
/// refused is listed in `GET /refusals` under its location until one that can be taken comes from there.
#[utoipa::path(
    post, path = "/vex", operation_id = "vex_put", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.write")), ("x-effect" = json!("audited"))),
    params(Origin),
    request_body(content = Object, content_type = "application/json", description = "The document; `Content-Encoding` may be `zstd` or `gzip`"),
    responses(
        (status = 200, description = "The document is stored", body = VexStored),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID)"),
        (status = 408, description = "The body did not come in time (REQUEST_TIMEOUT)"),
        (status = 409, description = "The source takes nothing now (SOURCE_PAUSED, SOURCE_DISABLED)"),
        (status = 415, description = "Another content encoding (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "The document cannot be taken, nothing of it is stored: VEX_INVALID, DOCUMENT_… or COMPRESSION_…, and in `errors[0].field` the place"),
    )
)]
async fn vex_put(
    State(state): State<AppState>,
    act: Act,
    QueryParams(Origin { source, location }): QueryParams<Origin>,
    Upload(document): Upload<VEX_MAX_BYTES>,
) -> Result<Response, Problem> {
    let bytes = document.clone();
    let location = location.map(Name::into_text);
    let (id, statements) = match heavy(move || read(&bytes)).await? {
        Ok(read) => read,
        Err(error) => {
            let effect = RefusalEffect::Refused;
            let location = location.or_else(|| named(&document));
            let refusals = [refusal(&document, location, effect, &error, 1)];
            return Err(refuse(
                &state,
                &act,
                source.as_str(),
                RefusalKind::Vex,
                &refusals,
                error,
            )
            .await);
        }
    };
    let location = location.unwrap_or_else(|| id.clone());
    act.perform(&state, async |tx| {
        let source = tx.source_take(source.as_str()).await?;
        let put = tx.vex_put(source, &location, &id, &statements).await?;
        let seen = [location.as_str()];
        tx.refusals_put(source, RefusalKind::Vex, Seen::Some(&seen), &[])
            .await?;
        let stored = VexStored {
            document: id.clone(),
            location: location.clone(),
            statements: statements.len(),
            changed: put.changed,
            replaced: put.replaced.map(Into::into),
        };
        Ok(Done::ok(stored).of("vex", &location))
    })
    .await
}

/// The one field of a document that its reader has no use for.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "@id")]
    id: Option<String>,
}

/// The id of a document that cannot be taken, where it can be read.
fn named(bytes: &[u8]) -> Option<String> {
    let document = Document::check(bytes, VEX_MAX_BYTES).ok()?;
    let named: Named = document.parse(DocumentCode::VexInvalid).ok()?;
    named.id.filter(|id| !id.is_empty())
}

/// A document's id and its statements.
fn read(bytes: &[u8]) -> Result<(String, Vec<Statement>), DocumentError> {
    let statements = openvex::read(bytes)?;
    let document = Document::check(bytes, VEX_MAX_BYTES)?;
    let named: Named = document.parse(DocumentCode::VexInvalid)?;
    let id = named.id.filter(|id| !id.is_empty());
    let id = id.unwrap_or_else(|| Digest::of(bytes).to_string());
    if id.len() > ID_MAX_BYTES || id.chars().any(char::is_control) {
        let detail = format_args!("not a printable id of at most {ID_MAX_BYTES} bytes");
        return Err(document.refuse(DocumentCode::VexInvalid, "@id", detail));
    }
    Ok((id, statements))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(id: &str) -> String {
        format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0",{id}"timestamp":"2024-01-01T00:00:00Z","statements":[
                {{"vulnerability":{{"name":"CVE-2024-1"}},"products":[{{"@id":"pkg:npm/a@1"}}],"status":"fixed"}}]}}"#
        )
    }

    #[test]
    fn a_document_has_an_id() {
        let id = |text: &str| {
            read(text.as_bytes())
                .map(|(id, _)| id)
                .map_err(|error| error.place)
        };
        assert_eq!(
            id(&document(r#""@id":"https://a/1","#)).unwrap(),
            "https://a/1"
        );
        for nameless in [
            document(""),
            document(r#""@id":"","#),
            document(r#""@id":null,"#),
        ] {
            assert_eq!(
                id(&nameless).unwrap(),
                Digest::of(nameless.as_bytes()).to_string()
            );
        }
        assert_eq!(id(&document(r#""@id":7,"#)).unwrap_err(), "@id");
        let long = format!(r#""@id":"{}","#, "x".repeat(501));
        assert_eq!(id(&document(&long)).unwrap_err(), "@id");
    }
}
