//! `POST /advisories`: what is known of flaws comes in, whole or as changes.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use jobengine_store::Intake;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::act::{Act, Done};
use crate::heavy::heavy;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::route::Routes;
use crate::scheduler::INTAKE_MAX;
use crate::scheduler::name::SourceName;
use crate::scheduler::records::{self, IntakeProblem, UPLOAD_MAX_BYTES};
use crate::scheduler::upload::Upload;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new().add_within(INTAKE_MAX, routes!(advisories_put))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Kind {
    /// Where the advisories come from: their ids count within the source.
    #[param(value_type = String, max_length = 200, example = "osv-npm")]
    source: SourceName,
    /// Whether this is all the source has, or some of it.
    #[param(inline)]
    mode: Mode,
}

/// How an upload is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Mode {
    /// All that the source has: what is no longer in it is gone.
    Snapshot,
    /// Some that are new or changed.
    Delta,
}

/// What became of an upload of advisories.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AdvisoriesStored {
    /// Where they come from.
    source: String,
    /// Records in the upload.
    received: usize,
    /// Records that were good, each id once.
    stored: usize,
    /// Records that are new or say something else than before.
    changed: usize,
    /// Records that stood before and are gone, because a snapshot no longer has them.
    withdrawn: usize,
    /// Records that say what they said before.
    unchanged: usize,
    /// What is wrong with records that were refused or stand twice; the first thousand.
    problems: Vec<IntakeProblem>,
}

/// Bring in advisories
///
/// OSV records: one, an array, or JSON Lines; at most 64 MiB and 200,000 records, packed or not. A bad record
/// is refused and listed, the others are stored; what stood under the id of a refused record stays. Of records
/// with the same id the last one counts. An upload that was cut stores nothing. When a refused record of a
/// snapshot has no id that can be read, nothing is held to be gone (`SNAPSHOT_INCOMPLETE`).
#[utoipa::path(
    post, path = "/advisories", operation_id = "advisories_put", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.write")), ("x-effect" = json!("audited"))),
    params(Kind),
    request_body(content = Object, content_type = "application/json", description = "OSV records; `Content-Encoding` may be `zstd` or `gzip`"),
    responses(
        (status = 200, description = "The good records are stored", body = AdvisoriesStored),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID)"),
        (status = 408, description = "The body did not come in time (REQUEST_TIMEOUT)"),
        (status = 409, description = "The source takes nothing now (SOURCE_PAUSED, SOURCE_DISABLED)"),
        (status = 415, description = "Another content encoding (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "The upload was cut, holds no good record, or cannot be unpacked: DOCUMENT_…, COMPRESSION_… or ADVISORY_…, and in `errors[0].field` the place; nothing of it is stored"),
    )
)]
async fn advisories_put(
    State(state): State<AppState>,
    act: Act,
    QueryParams(Kind { source, mode }): QueryParams<Kind>,
    Upload(document): Upload<UPLOAD_MAX_BYTES>,
) -> Result<Response, Problem> {
    let mut received = heavy(move || records::read(&document)).await??;
    let intake = match mode {
        Mode::Snapshot if received.nameless => {
            received.incomplete();
            Intake::Delta
        }
        Mode::Snapshot => Intake::Snapshot,
        Mode::Delta => Intake::Delta,
    };
    let given: BTreeSet<&str> = received
        .advisories
        .iter()
        .map(|it| it.id.as_str())
        .collect();
    let refused = received.refused.iter().map(String::as_str);
    let refused: Vec<&str> = refused.filter(|id| !given.contains(id)).collect();
    let name = source.as_str();
    act.perform(&state, async |tx| {
        let source = tx.source_take(name).await?;
        let kept = match intake {
            Intake::Snapshot => tx.advisories_standing(source, &refused).await?,
            Intake::Delta => Vec::new(),
        };
        let all = [received.advisories.as_slice(), &kept].concat();
        let stored = tx.advisories_put(source, intake, &all).await?;
        let answer = AdvisoriesStored {
            source: name.to_owned(),
            received: received.count,
            stored: received.advisories.len(),
            changed: stored.added + stored.changed,
            withdrawn: stored.removed,
            unchanged: stored.unchanged - kept.len(),
            problems: received.problems.clone(),
        };
        Ok(Done::ok(answer).of("advisories", source))
    })
    .await
}
