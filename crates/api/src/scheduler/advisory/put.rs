//! `POST /advisories`: what is known of flaws comes in, whole or as changes.

use axum::extract::State;
use axum::response::Response;
use jobengine_impact::refusal::Seen;
use jobengine_store::{Intake, NewRefusal, RefusalEffect, RefusalKind};
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
use crate::scheduler::refusal::refuse;
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
    /// Records that count, each id once.
    stored: usize,
    /// Of these, records of which a part could not be read and does not count.
    partial: usize,
    /// Records that do not count, because nothing that affects a package could be read.
    refused: usize,
    /// Records that are new or say something else than before.
    changed: usize,
    /// Records that stood before and are gone, because a snapshot no longer has them.
    withdrawn: usize,
    /// Records that say what they said before.
    unchanged: usize,
    /// What is wrong with records that were refused, cannot be read in full or stand twice; the first thousand.
    problems: Vec<IntakeProblem>,
}

/// Bring in advisories
///
/// OSV records: one, an array, or JSON Lines; at most 64 MiB and 200,000 records, packed or not. Of a record that
/// cannot be read in full, what can be read counts: a listed version beside a broken range, one entry of
/// `affected` beside another. A record of which nothing can be read that affects a package is refused; what was
/// stored under its id stays. Both are listed in `problems`, and per source in `GET /refusals` until the record
/// comes again and can be read. Of records with the same id the last one counts. An upload that was cut stores
/// nothing. When a refused record of a snapshot has no id that can be read, nothing is held to be gone
/// (`SNAPSHOT_INCOMPLETE`).
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
        (status = 422, description = "The upload was cut, holds no record that counts, or cannot be unpacked: DOCUMENT_…, COMPRESSION_… or ADVISORY_…, and in `errors[0].field` the place; nothing of it is stored, and refused records are listed in `GET /refusals`"),
    )
)]
async fn advisories_put(
    State(state): State<AppState>,
    act: Act,
    QueryParams(Kind { source, mode }): QueryParams<Kind>,
    Upload(document): Upload<UPLOAD_MAX_BYTES>,
) -> Result<Response, Problem> {
    let mut received = heavy(move || records::read(&document)).await??;
    let name = source.as_str();
    let unread: Vec<NewRefusal> = received.unread.values().cloned().collect();
    if let Some(error) = received.nothing_good() {
        let kind = RefusalKind::Advisory;
        return Err(refuse(&state, &act, name, kind, &unread, error.clone()).await);
    }
    let intake = match mode {
        Mode::Snapshot if received.nameless => {
            received.incomplete();
            Intake::Delta
        }
        Mode::Snapshot => Intake::Snapshot,
        Mode::Delta => Intake::Delta,
    };
    let refused = received.refused_ids();
    let good: Vec<&str> = received
        .advisories
        .iter()
        .filter(|advisory| advisory.unread.is_empty())
        .map(|advisory| advisory.id.as_str())
        .collect();
    let seen = match (mode, intake) {
        (Mode::Snapshot, Intake::Snapshot) => Seen::All,
        (Mode::Snapshot, Intake::Delta) => Seen::AllButNameless(&good),
        (Mode::Delta, _) => Seen::Some(&good),
    };
    act.perform(&state, async |tx| {
        let source = tx.source_take(name).await?;
        let kept = match intake {
            Intake::Snapshot => tx.advisories_standing(source, &refused).await?,
            Intake::Delta => Vec::new(),
        };
        let all = [received.advisories.as_slice(), &kept].concat();
        let stored = tx.advisories_put(source, intake, &all).await?;
        tx.refusals_put(source, RefusalKind::Advisory, seen, &unread)
            .await?;
        let answer = AdvisoriesStored {
            source: name.to_owned(),
            received: received.count,
            stored: received.advisories.len(),
            partial: received.count_of(RefusalEffect::Partial),
            refused: received.count_of(RefusalEffect::Refused),
            changed: stored.added + stored.changed,
            withdrawn: stored.removed,
            unchanged: stored.unchanged - kept.len(),
            problems: received.problems.clone(),
        };
        Ok(Done::ok(answer).of("advisories", source))
    })
    .await
}
