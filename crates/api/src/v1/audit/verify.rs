//! `GET /audit/verify`

use axum::Json;
use axum::extract::State;
use jobengine_domain::audit::finding::{Finding, Verdict};
use jobengine_domain::audit::verify::Verifier;
use serde::Serialize;
use utoipa::ToSchema;

use super::lines::Lines;
use super::range::RangeQuery;
use crate::heavy::heavy;
use crate::identity::Caller;
use crate::params::QueryParams;
use crate::problem::Problem;
use crate::signing::KeyPurpose;
use crate::state::AppState;

/// Rows after which a verification stops: the answer says where to go on.
const ROWS_MAX: u64 = 20_000;

/// What a verification came to
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditVerdict {
    /// Whether nothing at all is wrong with the part that was checked.
    sound: bool,
    /// The number of the first row that was checked.
    first: u64,
    /// The number of the last one.
    last: u64,
    /// How many rows were read.
    rows: u64,
    /// How many checkpoints were read.
    checkpoints: u64,
    /// The keys that signed them.
    keys: Vec<String>,
    /// What is wrong: the first hundred.
    findings: Vec<FindingView>,
    /// How many things are wrong in all.
    faults: u64,
    /// Ask again with `after` of this value for the rest; null when all was checked.
    next: Option<u64>,
}

/// One thing that is wrong, and where
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditFinding)]
struct FindingView {
    /// What: `edited`, `removed`, `inserted`, `rewritten`, `wrong-key`, …
    #[schema(example = "edited")]
    fault: &'static str,
    /// The number of the row, or of the first of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<u64>,
    /// The number of the last row.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<u64>,
    /// The same in a sentence.
    detail: String,
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        Self {
            fault: finding.fault.as_str(),
            first: finding.first,
            last: finding.last,
            detail: finding.detail,
        }
    }
}

/// Verify the audit trail
///
/// The service checks what it has: that no row was edited, removed, inserted or exchanged since it was sealed, and
/// that each batch was signed. It cannot know of a rollback of the whole database: for that, verify an export
/// offline against checkpoints held outside. It checks some tens of thousands of rows and says where to go on.
#[utoipa::path(
    get, path = "/audit/verify", operation_id = "audit_check", tag = "audit",
    extensions(("x-scope" = json!("orch:audit"))),
    params(RangeQuery),
    responses(
        (status = 200, description = "What was found", body = AuditVerdict),
        (status = 400, description = "No checkpoint has that size (PARAMETER_INVALID)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<RangeQuery>,
) -> Result<Json<AuditVerdict>, Problem> {
    caller.require_whole_tenant()?;
    let tx = state.store().read(&caller).await?;
    let mut range = query.find(&tx).await?;
    let (first, end) = (range.header.first, range.header.last);
    let stop = tx
        .audit_checkpoint_at(first.saturating_add(ROWS_MAX))
        .await?;
    tx.commit().await?;
    if let Some(stop) = stop.filter(|stop| stop.size < end) {
        range.header.last = stop.size;
    }
    let last = range.header.last;
    let keys: Vec<_> = state
        .scheduler()
        .keys
        .iter()
        .filter(|key| key.purpose == KeyPurpose::Audit)
        .map(|key| key.key)
        .collect();
    let mut verifier = Verifier::new(&keys, Vec::new());
    let mut lines = Lines::new(state.store().clone(), caller, range);
    while let Some(bytes) = lines.next().await? {
        // Hashes and signatures: no other request waits for them.
        let fed = move || {
            verifier.feed(&bytes);
            verifier
        };
        verifier = heavy(fed).await?;
    }
    let verdict = verifier.finish();
    Ok(Json(answer(verdict, (last < end).then_some(last))))
}

fn answer(verdict: Verdict, next: Option<u64>) -> AuditVerdict {
    AuditVerdict {
        sound: verdict.sound,
        first: verdict.first,
        last: verdict.last,
        rows: verdict.rows,
        checkpoints: verdict.checkpoints,
        keys: verdict.keys.into_iter().collect(),
        findings: verdict
            .findings
            .into_iter()
            .map(FindingView::from)
            .collect(),
        faults: verdict.faults,
        next,
    }
}
