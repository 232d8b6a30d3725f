use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::segment::LEASE_TOKEN;
use crate::client::Client;
use crate::document::Document;
use crate::error::Error;
use crate::wire::lease::{
    Artifact, Claim, Claimed, Heartbeat, HeartbeatAnswer, HeldLease, LeaseToken,
};
use crate::wire::words::{LeaseWord, LogWritten, NewLogLine, ProgressReport};

#[derive(Serialize)]
struct Leases<'a> {
    leases: &'a [HeldLease],
}

#[derive(Serialize)]
struct Reports<'a> {
    reports: &'a [ProgressReport],
}

#[derive(Serialize)]
struct Lines<'a> {
    lines: &'a [NewLogLine],
}

#[derive(Deserialize)]
struct LeaseWords {
    results: Vec<LeaseWord>,
}

/// Time for an artifact of the largest size over a slow line.
const ARTIFACT: Duration = Duration::from_mins(2);

/// The worker's verbs. [`crate::Worker`] uses them as they must be used.
impl Client {
    /// Asks for jobs, and waits for some as long as the claim says. Repeated where that may help: when
    /// the answer was lost, the call's key gets the same grants again.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn claim(&self, claim: &Claim) -> Result<Claimed, Error> {
        let wait = Duration::from_millis(claim.wait_ms);
        self.orchestrator(Method::POST, &["worker", "claim"])
            .json(claim)
            .harmless()
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

    /// Says that jobs have begun: what they waited inside the worker ends here.
    ///
    /// # Errors
    /// [`Error`]; `LEASE_LOST` when the lease of the only one is lost.
    pub async fn ack(&self, leases: &[HeldLease]) -> Result<Vec<LeaseWord>, Error> {
        let leases = Leases { leases };
        self.orchestrator(Method::POST, &["worker", "ack"])
            .json(&leases)
            .harmless()
            .send()
            .await
            .map(|words: LeaseWords| words.results)
    }

    /// Says how far jobs are, at once. A [`crate::worker::Context`] sends it with the next heartbeat.
    ///
    /// # Errors
    /// [`Error`]; `LEASE_LOST` when the lease of the only one is lost.
    pub async fn progress(&self, reports: &[ProgressReport]) -> Result<Vec<LeaseWord>, Error> {
        let reports = Reports { reports };
        self.orchestrator(Method::POST, &["worker", "progress"])
            .json(&reports)
            .harmless()
            .send()
            .await
            .map(|words: LeaseWords| words.results)
    }

    /// Writes up to 1,000 lines to the logs of jobs. Repeated only when the server certainly did not act:
    /// a line would stand there twice.
    ///
    /// # Errors
    /// [`Error`]; `LEASE_LOST` when every lease is lost.
    pub async fn log(&self, lines: &[NewLogLine]) -> Result<LogWritten, Error> {
        let lines = Lines { lines };
        self.orchestrator(Method::POST, &["worker", "log"])
            .json(&lines)
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
