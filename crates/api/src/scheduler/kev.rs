//! `POST /kev`: the catalogue of known exploited vulnerabilities comes in.

use axum::extract::State;
use axum::response::Response;
use jobengine_impact::kev::{self, KEV_MAX_BYTES, KevCatalogue};
use jobengine_impact::refusal::Seen;
use jobengine_store::{RefusalEffect, RefusalKind};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::INTAKE_MAX;
use super::name::SourceName;
use super::refusal::{refusal, refuse};
use super::upload::Upload;
use crate::act::{Act, Done};
use crate::heavy::heavy;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::state::AppState;

/// Who publishes the catalogue, unless somebody says otherwise.
const CISA: &str = "cisa";
/// What a source's catalogue is called among its refusals.
const CATALOGUE: &str = "catalogue";

pub(super) fn routes() -> Routes {
    Routes::new().add_within(INTAKE_MAX, routes!(kev_put))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Origin {
    /// Where it comes from; `cisa` when it is left out. A tenant has one catalogue, whatever its source.
    #[param(value_type = Option<String>, max_length = 200, example = "cisa")]
    source: Option<SourceName>,
}

/// What became of a catalogue.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct KevStored {
    /// CVE ids in the catalogue.
    entries: usize,
    /// Ids that were not in the one before.
    added: usize,
    /// Ids of the one before that are gone.
    removed: usize,
    /// Ids that stand in both, each with another day.
    changed: usize,
}

/// Bring in the KEV catalogue
///
/// The catalogue of known exploited vulnerabilities as CISA publishes it, packed or not. It replaces the
/// one before, whole or not at all. One that is refused is listed in `GET /refusals` until a good one comes.
#[utoipa::path(
    post, path = "/kev", operation_id = "kev_put", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.write")), ("x-effect" = json!("audited"))),
    params(Origin),
    request_body(content = Object, content_type = "application/json", description = "The catalogue; `Content-Encoding` may be `zstd` or `gzip`"),
    responses(
        (status = 200, description = "The catalogue is stored", body = KevStored),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID)"),
        (status = 408, description = "The body did not come in time (REQUEST_TIMEOUT)"),
        (status = 409, description = "The source takes nothing now (SOURCE_PAUSED, SOURCE_DISABLED)"),
        (status = 415, description = "Another content encoding (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "Not a whole catalogue, nothing of it is stored: KEV_INVALID, DOCUMENT_… or COMPRESSION_…, and in `errors[0].field` the place"),
    )
)]
async fn kev_put(
    State(state): State<AppState>,
    act: Act,
    QueryParams(Origin { source }): QueryParams<Origin>,
    Upload(document): Upload<KEV_MAX_BYTES>,
) -> Result<Response, Problem> {
    let source = source.as_ref().map_or(CISA, SourceName::as_str);
    let bytes = document.clone();
    let catalogue = match heavy(move || kev::read(&bytes)).await? {
        Ok(catalogue) => catalogue,
        Err(error) => {
            let (id, effect) = (Some(CATALOGUE.to_owned()), RefusalEffect::Refused);
            let refusal = refusal(&document, id, effect, &error, 1);
            return Err(refuse(&state, &act, source, RefusalKind::Kev, &[refusal], error).await);
        }
    };
    act.perform(&state, async |tx| {
        let id = tx.source_take(source).await?;
        let before = tx.kev_put(&catalogue).await?;
        tx.refusals_put(id, RefusalKind::Kev, Seen::Some(&[CATALOGUE]), &[])
            .await?;
        Ok(Done::ok(difference(&before, &catalogue)).of("kev", source))
    })
    .await
}

fn difference(before: &KevCatalogue, after: &KevCatalogue) -> KevStored {
    let (old, new) = (&before.entries, &after.entries);
    let changed = new
        .iter()
        .filter(|(id, day)| old.get(*id).is_some_and(|was| was != *day));
    KevStored {
        entries: new.len(),
        added: new.keys().filter(|id| !old.contains_key(*id)).count(),
        removed: old.keys().filter(|id| !new.contains_key(*id)).count(),
        changed: changed.count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_compared_one_by_one() {
        let catalogue = |entries: &[(&str, &str)]| KevCatalogue {
            entries: entries
                .iter()
                .map(|(id, day)| ((*id).to_owned(), (*day).to_owned()))
                .collect(),
        };
        let before = catalogue(&[
            ("CVE-1", "2024-01-01"),
            ("CVE-2", "2024-01-01"),
            ("CVE-3", "2024-01-01"),
        ]);
        let after = catalogue(&[
            ("CVE-1", "2024-01-01"),
            ("CVE-2", "2024-01-02"),
            ("CVE-4", "2024-01-01"),
        ]);
        let expected = KevStored {
            entries: 3,
            added: 1,
            removed: 1,
            changed: 1,
        };
        assert_eq!(difference(&before, &after), expected);
    }
}
