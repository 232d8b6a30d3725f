//! Leases as workers name them, and what their words on them are answered.

use axum::Json;
use jobengine_domain::id::JobId;
use jobengine_store::LeaseToken;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::Problem;
use crate::state::AppState;

/// Leases in one request.
pub(super) const LEASES_MAX: usize = 500;

/// A lease that a worker holds
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct HeldLease {
    /// The job.
    #[serde(deserialize_with = "jobengine_domain::id::deserialize")]
    pub job_id: Uuid,
    /// Proof of holding its lease.
    #[serde(deserialize_with = "jobengine_domain::id::deserialize")]
    pub lease_token: Uuid,
}

impl HeldLease {
    pub(super) const fn parts(&self) -> (JobId, LeaseToken) {
        (JobId(self.job_id), LeaseToken::from_uuid(self.lease_token))
    }
}

/// Which words counted
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LeaseWords {
    /// One for each that was sent, in order.
    results: Vec<LeaseWord>,
}

/// Whether a word counted
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LeaseWord {
    /// The job.
    job_id: Uuid,
    /// Whether its lease is held: if not, stop it, nothing you say about it counts.
    accepted: bool,
}

/// What is answered to words on leases.
pub(super) struct Words(Vec<LeaseWord>);

impl Words {
    pub(super) fn of<T>(asked: &[(JobId, LeaseToken)], held: &[Option<T>]) -> Self {
        let word = |((job, _), held): (&(JobId, LeaseToken), &Option<T>)| LeaseWord {
            job_id: job.0,
            accepted: held.is_some(),
        };
        Self(asked.iter().zip(held).map(word).collect())
    }

    /// The answer; a single word that does not count is a problem.
    ///
    /// # Errors
    /// `LEASE_LOST`.
    pub(super) fn answer(
        self,
        state: &AppState,
        verb: &'static str,
    ) -> Result<Json<LeaseWords>, Problem> {
        for _ in self.0.iter().filter(|word| !word.accepted) {
            state.metrics().lease_lost(verb);
        }
        match self.0.as_slice() {
            [alone] if !alone.accepted => Err(Problem::lease_lost()),
            _ => Ok(Json(LeaseWords { results: self.0 })),
        }
    }
}
