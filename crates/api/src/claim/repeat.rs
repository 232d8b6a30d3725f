//! Claims under a key: what one was given is kept sealed with its session, and given again when the answer
//! was lost on its way.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jobengine_domain::digest::Digest;
use jobengine_domain::id::{JobId, TenantId};
use jobengine_store::secret::{InstallationSecret, Purpose};
use jobengine_store::{ClaimAnswer, Effect, Grant, LeaseToken, StoreError, Tx};
use uuid::Uuid;

use super::lane::Lane;
use super::{Ask, ClaimKey};
use crate::problem::{Code, Problem};

/// Bytes of a job's id and of its lease token.
const ENTRY_BYTES: usize = 32;

impl Lane {
    /// What a repeated claim is given: the grants of the first one that are still held.
    pub(super) async fn repeat(
        &self,
        tx: &Tx,
        ask: &Ask,
        key: ClaimKey,
    ) -> Result<Result<Vec<Grant>, Problem>, StoreError> {
        let session = &ask.session;
        let found = tx
            .claim_answer(session.id, &session.subject, key.hash)
            .await?;
        let Some((request, sealed)) = found else {
            return Ok(Ok(Vec::new()));
        };
        if request != key.request {
            return Ok(Err(Problem::new(
                Code::IdempotencyKeyReused,
                "the key was used for another claim; use a fresh one",
            )));
        }
        let Some(given) = open(&self.shared.secret, self.tenant, ask, key, &sealed) else {
            tracing::error!(
                "a claim's answer cannot be read: was the installation secret changed?"
            );
            return Ok(Ok(Vec::new()));
        };
        tx.grants_again(&given).await.map(Ok)
    }

    /// Keeps what waiters with keys are given, before they are.
    pub(super) async fn keep(&self, tx: &Tx, dealt: &[(usize, Grant)]) -> Result<(), StoreError> {
        let mut given: BTreeMap<usize, Vec<&Grant>> = BTreeMap::new();
        for (at, grant) in dealt {
            given.entry(*at).or_default().push(grant);
        }
        self.record(tx, &given).await?;
        // Of two claims of one session the later one stands.
        let answers: BTreeMap<_, ClaimAnswer> = given
            .into_iter()
            .filter_map(|(at, grants)| {
                let ask = &self.waiters[at].ask;
                let key = ask.key?;
                let answer = ClaimAnswer {
                    session: ask.session.id,
                    key: key.hash,
                    request: key.request,
                    answer: seal(&self.shared.secret, self.tenant, ask, key, &grants),
                };
                Some((ask.session.id, answer))
            })
            .collect();
        let answers: Vec<ClaimAnswer> = answers.into_values().collect();
        tx.claims_answered(&answers).await
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
            .map(|(ask, session, after)| Effect::granted(&ask.act, "session", session, *after))
            .collect();
        tx.acts_record(&effects).await
    }
}

fn seal(
    secret: &InstallationSecret,
    tenant: TenantId,
    ask: &Ask,
    key: ClaimKey,
    grants: &[&Grant],
) -> Vec<u8> {
    let mut plain = Vec::with_capacity(grants.len() * ENTRY_BYTES);
    for grant in grants {
        plain.extend_from_slice(grant.job.0.as_bytes());
        plain.extend_from_slice(grant.token.reveal().as_bytes());
    }
    secret.seal(Purpose::Idempotency, &context(&tenant, ask, &key), &plain)
}

fn open(
    secret: &InstallationSecret,
    tenant: TenantId,
    ask: &Ask,
    key: ClaimKey,
    sealed: &[u8],
) -> Option<Vec<(JobId, LeaseToken)>> {
    let plain = secret.open(Purpose::Idempotency, &context(&tenant, ask, &key), sealed)?;
    let entry = |entry: &[u8]| {
        let (job, token) = entry.split_at(ENTRY_BYTES / 2);
        let id = |bytes: &[u8]| Uuid::from_slice(bytes).expect("half an entry is 16 bytes");
        (JobId(id(job)), LeaseToken::from_uuid(id(token)))
    };
    Some(plain.chunks_exact(ENTRY_BYTES).map(entry).collect())
}

/// Where a sealed answer belongs.
fn context<'a>(tenant: &'a TenantId, ask: &'a Ask, key: &'a ClaimKey) -> [&'a [u8]; 4] {
    [
        b"claim",
        tenant.0.as_bytes(),
        ask.session.id.0.as_bytes(),
        key.hash.as_bytes().as_slice(),
    ]
}
