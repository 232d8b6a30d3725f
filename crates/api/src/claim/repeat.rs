//! Claims under a key: what each was given is kept sealed, as the answer of any keyed request, and given again when
//! the answer was lost on its way.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jobengine_domain::digest::Digest;
use jobengine_domain::id::{JobId, TenantId};
use jobengine_domain::idempotency::{Decision, decide};
use jobengine_store::secret::{InstallationSecret, Purpose};
use jobengine_store::{Act, ActKey, Effect, Grant, LeaseToken, StoreError, Tx};
use uuid::Uuid;

use super::Ask;
use super::lane::Lane;
use crate::problem::{Code, Problem};

/// Bytes of a job's id and of its lease token.
const ENTRY_BYTES: usize = 32;

impl Lane {
    /// What the claims of some `fresh` waiters were given before; only those that were answered are named. Their
    /// keys are locked, so that a twin at another replica waits, and finds the answer.
    pub(super) async fn repeated(
        &self,
        tx: &Tx,
        fresh: &[usize],
    ) -> Result<Vec<(usize, Result<Vec<Grant>, Problem>)>, StoreError> {
        let acts: Vec<&Act> = fresh.iter().map(|at| &self.waiters[*at].ask.act).collect();
        let answered = tx.acts_answered(&acts).await?;
        let mut repeated = Vec::new();
        for (at, answered) in fresh.iter().zip(answered) {
            let ask = &self.waiters[*at].ask;
            let (Some(answered), Some(key)) = (answered, &ask.act.key) else {
                continue;
            };
            match decide(Some(&answered.remembered), &key.request, tx.now()) {
                Decision::Proceed => {}
                Decision::Expired => tx.act_forget(&ask.act).await?,
                Decision::Replay => {
                    let again = self.again(tx, ask, key, &answered.answer).await?;
                    repeated.push((*at, Ok(again)));
                }
                Decision::Mismatch => {
                    let problem = Problem::new(
                        Code::IdempotencyKeyReused,
                        "the key was used for another claim; use a fresh one",
                    );
                    repeated.push((*at, Err(problem)));
                }
            }
        }
        Ok(repeated)
    }

    /// The grants of an earlier claim that are still held.
    async fn again(
        &self,
        tx: &Tx,
        ask: &Ask,
        key: &ActKey,
        sealed: &[u8],
    ) -> Result<Vec<Grant>, StoreError> {
        let Some(given) = open(&self.shared.secret, self.tenant, ask, key, sealed) else {
            tracing::error!(
                "a claim's answer cannot be read: was the installation secret changed?"
            );
            return Ok(Vec::new());
        };
        tx.grants_again(&given).await
    }

    /// Writes down what waiters are given, before they are: an audit row for each claim, and what a repeat of it is
    /// given.
    pub(super) async fn keep(&self, tx: &Tx, dealt: &[(usize, Grant)]) -> Result<(), StoreError> {
        let mut given: BTreeMap<usize, Vec<&Grant>> = BTreeMap::new();
        for (at, grant) in dealt {
            given.entry(*at).or_default().push(grant);
        }
        self.record(tx, &given).await
    }

    /// Writes an audit row for each claim that got something.
    async fn record(
        &self,
        tx: &Tx,
        given: &BTreeMap<usize, Vec<&Grant>>,
    ) -> Result<(), StoreError> {
        let told: Vec<(&Ask, String, Digest)> = given
            .iter()
            .map(|(at, grants)| {
                let ask = &self.waiters[*at].ask;
                let granted = grants.iter().fold(String::new(), |mut said, grant| {
                    let _ = writeln!(said, "{} {}", grant.job, grant.fence.0);
                    said
                });
                (
                    ask,
                    ask.session.id.to_string(),
                    Digest::of(granted.as_bytes()),
                )
            })
            .collect();
        let effects: Vec<Effect<'_>> = told
            .iter()
            .zip(given.values())
            .map(|((ask, session, after), grants)| {
                let mut effect = Effect::granted(&ask.act, "session", session, *after);
                if let Some(key) = &ask.act.key {
                    effect.answer = seal(&self.shared.secret, self.tenant, ask, key, grants);
                }
                effect
            })
            .collect();
        tx.acts_record(&effects).await
    }
}

fn seal(
    secret: &InstallationSecret,
    tenant: TenantId,
    ask: &Ask,
    key: &ActKey,
    grants: &[&Grant],
) -> Vec<u8> {
    let mut plain = Vec::with_capacity(grants.len() * ENTRY_BYTES);
    for grant in grants {
        plain.extend_from_slice(grant.job.0.as_bytes());
        plain.extend_from_slice(grant.token.reveal().as_bytes());
    }
    secret.seal(Purpose::Idempotency, &context(&tenant, ask, key), &plain)
}

fn open(
    secret: &InstallationSecret,
    tenant: TenantId,
    ask: &Ask,
    key: &ActKey,
    sealed: &[u8],
) -> Option<Vec<(JobId, LeaseToken)>> {
    let plain = secret.open(Purpose::Idempotency, &context(&tenant, ask, key), sealed)?;
    let entry = |entry: &[u8]| {
        let (job, token) = entry.split_at(ENTRY_BYTES / 2);
        let id = |bytes: &[u8]| Uuid::from_slice(bytes).expect("half an entry is 16 bytes");
        (JobId(id(job)), LeaseToken::from_uuid(id(token)))
    };
    Some(plain.chunks_exact(ENTRY_BYTES).map(entry).collect())
}

/// Where a sealed answer belongs.
fn context<'a>(tenant: &'a TenantId, ask: &'a Ask, key: &'a ActKey) -> [&'a [u8]; 4] {
    [
        b"claim",
        tenant.0.as_bytes(),
        ask.session.id.0.as_bytes(),
        key.hash.as_bytes().as_slice(),
    ]
}
