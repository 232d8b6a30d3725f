use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use uuid::Uuid;

use super::segment::LEASE_TOKEN;
use crate::client::Client;
use crate::document::Document;
use crate::error::Error;
use crate::wire::lease::{Artifact, Claim, Claimed, Heartbeat, HeartbeatAnswer, LeaseToken};

/// Time for an artifact of the largest size over a slow line.
const ARTIFACT: Duration = Duration::from_mins(2);

/// The worker's verbs. [`crate::Worker`] uses them as they must be used.
impl Client {
    /// Asks for jobs, and waits for some as long as the claim says. Repeated only when the server
    /// certainly did not act.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn claim(&self, claim: &Claim) -> Result<Claimed, Error> {
        let wait = Duration::from_millis(claim.wait_ms);
        self.orchestrator(Method::POST, &["worker", "claim"])
            .json(claim)
            .timeout(self.timeout().saturating_add(wait))
            .send()
            .await
    }

    /// Keeps leases alive; `timeout` bounds each try.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn heartbeat(
        &self,
        heartbeat: &Heartbeat,
        timeout: Duration,
    ) -> Result<HeartbeatAnswer, Error> {
        self.orchestrator(Method::POST, &["worker", "heartbeat"])
            .json(heartbeat)
            .harmless()
            .timeout(timeout)
            .send()
            .await
    }

    /// Stores an artifact of a job, at most 32 MiB.
    ///
    /// # Errors
    /// [`Error`]; `LEASE_LOST` when the token no longer holds the lease.
    pub async fn artifact_put(
        &self,
        job: Uuid,
        token: &LeaseToken,
        name: &str,
        media_type: &str,
        bytes: impl Into<Bytes>,
    ) -> Result<Artifact, Error> {
        let path = ["worker", "artifacts", &job.to_string(), name];
        self.orchestrator(Method::PUT, &path)
            .header(LEASE_TOKEN, token.reveal())
            .document(media_type, Document::bytes(bytes))
            .timeout(ARTIFACT)
            .send()
            .await
    }
}
