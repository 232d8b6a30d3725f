//! `GET /dead-letters/stats`

use axum::Json;
use axum::extract::State;
use jobengine_domain::time::Timestamp;
use jobengine_store::DeadLetterCluster;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::class::ClassName;
use crate::identity::Caller;
use crate::page::page_limit;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::state::AppState;

/// Of which dead letters, and how many clusters
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Only jobs of this type.
    r#type: Option<String>,
    /// Only jobs for this source.
    source: Option<String>,
    /// Clusters shown, 1 to 500; 100 unless said otherwise.
    limit: Option<u32>,
}

/// Dead letters of one cause
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Cluster {
    /// What the jobs died of.
    #[schema(value_type = ClassName)]
    class: &'static str,
    /// The type of the jobs.
    r#type: String,
    /// What their details have in common.
    #[schema(example = "read <n>: connection reset")]
    signature: String,
    /// How many they are.
    count: u64,
    /// How many of them somebody looks after.
    assigned: u64,
    /// When the first of them was opened.
    #[schema(value_type = String, format = DateTime)]
    oldest_at: Timestamp,
    /// When the last of them was opened.
    #[schema(value_type = String, format = DateTime)]
    newest_at: Timestamp,
    /// The youngest job among them.
    sample_job_id: Uuid,
}

/// What the open dead letters have in common
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeadLetterStats {
    /// Open dead letters in these clusters.
    open: u64,
    /// The clusters, the largest first.
    clusters: Vec<Cluster>,
}

/// Cluster the dead letters
///
/// The open ones by class, type and signature: one cause is one cluster, however many jobs it hit.
#[utoipa::path(
    get, path = "/dead-letters/stats", operation_id = "dead_letter_stats", tag = "dead letters",
    extensions(("x-scope" = json!("orch:read"))),
    params(Query),
    responses(
        (status = 200, description = "The clusters", body = DeadLetterStats),
        (status = 400, description = "A parameter cannot be read (PARAMETER_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<Query>,
) -> Result<Json<DeadLetterStats>, Problem> {
    let limit = page_limit(query.limit)?;
    let tx = state.store().read(&caller).await?;
    let clusters = tx
        .dead_letter_stats(query.r#type.as_deref(), query.source.as_deref(), limit)
        .await?;
    tx.commit().await?;
    let cluster = |cluster: DeadLetterCluster| Cluster {
        class: cluster.class.as_str(),
        r#type: cluster.job_type,
        signature: cluster.signature,
        count: cluster.letters,
        assigned: cluster.assigned,
        oldest_at: cluster.oldest,
        newest_at: cluster.newest,
        sample_job_id: cluster.sample.0,
    };
    Ok(Json(DeadLetterStats {
        open: clusters.iter().map(|cluster| cluster.letters).sum(),
        clusters: clusters.into_iter().map(cluster).collect(),
    }))
}
