//! Claims that can be repeated: a worker whose answer was lost asks again and gets the same grants.
//!
//! Of each session the last claim under a key is kept, for as long as the session: a worker sends its
//! next claim only when it gave up the one before. The answer is kept as the caller of this crate sealed
//! it, because it holds what only the worker may know.

use std::collections::BTreeMap;

use jobengine_domain::digest::Digest;
use jobengine_domain::id::{JobId, SessionId};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::job::digest;
use crate::lease::{Grant, LeaseToken, granted};
use crate::ts::Ts;

/// A claim under a key, and what it was given.
#[derive(Debug, Clone)]
pub struct ClaimAnswer {
    /// Whose.
    pub session: SessionId,
    /// SHA-256 of the worker's key.
    pub key: Digest,
    /// Digest of what was asked for.
    pub request: Digest,
    /// Jobs and tokens, sealed.
    pub answer: Vec<u8>,
}

impl Tx {
    /// Keeps what some claims are given, at most one of a session; their sessions are locked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claims_answered(&self, answers: &[ClaimAnswer]) -> Result<(), StoreError> {
        if answers.is_empty() {
            return Ok(());
        }
        let params: [&(dyn ToSql + Sync); 6] = [
            &self.tenant().0,
            &answers.iter().map(|it| it.session.0).collect::<Vec<_>>(),
            &answers
                .iter()
                .map(|it| it.key.as_bytes().as_slice())
                .collect::<Vec<_>>(),
            &answers
                .iter()
                .map(|it| it.request.as_bytes().as_slice())
                .collect::<Vec<_>>(),
            &answers
                .iter()
                .map(|it| it.answer.as_slice())
                .collect::<Vec<_>>(),
            &Ts(self.now()),
        ];
        self.execute(include_str!("claim_answer/put.sql"), &params)
            .await?;
        Ok(())
    }

    /// What the last claim of a session was given, if it had this key and this principal opened the
    /// session: the digest of what was asked for, and the sealed answer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_answer(
        &self,
        session: SessionId,
        subject: &str,
        key: Digest,
    ) -> Result<Option<(Digest, Vec<u8>)>, StoreError> {
        let key = key.as_bytes().as_slice();
        let row = self
            .query_opt(
                include_str!("claim_answer/find.sql"),
                &[&session.0, &subject, &key],
            )
            .await?;
        row.map(|row| {
            let request = digest(row.get("request_digest"), "claim_answer.request_digest")?;
            Ok((request, row.get("answer")))
        })
        .transpose()
    }

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
