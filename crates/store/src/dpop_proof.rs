//! Proofs of possession that were seen (RFC 9449 section 11.1).

use jobengine_domain::digest::Digest;
use jobengine_domain::time::Timestamp;

use crate::caller::Tx;
use crate::connect::Store;
use crate::error::StoreError;

/// Slots of the ring, one a minute.
const SLOTS: i64 = 8;
/// One minute, in milliseconds.
const MINUTE_MS: i64 = 60_000;

impl Tx {
    /// Notes a proof that says it was issued at `issued_at`; `false` when it was noted before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn dpop_proof_put(
        &self,
        proof: &Digest,
        issued_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let minute = issued_at.as_millis().div_euclid(MINUTE_MS);
        let slot = i16::try_from(minute.rem_euclid(SLOTS)).expect("a slot is below eight");
        let noted = self
            .execute(
                include_str!("dpop_proof/put.sql"),
                &[&self.tenant().0, &slot, &proof.as_bytes().as_slice()],
            )
            .await?;
        Ok(noted == 1)
    }
}

impl Store {
    /// Forgets proofs that nobody takes any more. Due every minute.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn dpop_proofs_trim(&self) -> Result<(), StoreError> {
        self.sched()
            .await?
            .query_one(include_str!("dpop_proof/trim.sql"), &[])
            .await?;
        Ok(())
    }
}
