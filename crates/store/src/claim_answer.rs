//! Claims that are repeated: a worker whose answer was lost asks again and gets the same grants.
//!
//! The answer of a keyed claim is remembered as that of any keyed request. It holds jobs and tokens; what it
//! granted is read again, as far as it is still held.

use std::collections::BTreeMap;

use jobengine_domain::id::JobId;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::lease::{Grant, LeaseToken, granted};
use crate::ts::Ts;

impl Tx {
    /// The grants of these tokens as far as they are still held, as the claim gave them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn grants_again(
        &self,
        given: &[(JobId, LeaseToken)],
    ) -> Result<Vec<Grant>, StoreError> {
        let tokens: BTreeMap<JobId, LeaseToken> = given.iter().copied().collect();
        let jobs: Vec<Uuid> = tokens.keys().map(|job| job.0).collect();
        let rows = self
            .query(include_str!("claim_answer/grants.sql"), &[&jobs])
            .await?;
        let held = rows.iter().filter_map(|row| {
            let token = tokens[&JobId(row.get("job_id"))];
            let granted_at = row.get::<_, Ts>("granted_at").0;
            token
                .matches(row.get("token_hash"))
                .then(|| granted(row, row.get("job_type"), token, granted_at))
        });
        held.collect()
    }
}
