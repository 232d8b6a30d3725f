//! What a handler may do with its attempt.

use std::sync::Arc;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::held::Held;
use super::line;
use crate::client::Client;
use crate::error::Error;
use crate::wire::lease::{Artifact, HeldLease, LeaseToken, Progress};
use crate::wire::words::{LogLevel, NewLogLine};

/// An attempt, as its handler sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Context {
    pub(super) client: Client,
    pub(super) held: Arc<Held>,
    pub(super) attempt: u32,
}

impl Context {
    /// Fires when the handler has to stop: the job was called off, its lease is lost, or the worker
    /// shuts down and waits no longer.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.held.cancel
    }

    /// Whether the lease is lost, or must be taken to be: nothing of this attempt counts any more.
    /// Asks the steady clock, not the network; fit for code that blocks its thread.
    pub fn is_lost(&self) -> bool {
        self.held.is_lost()
    }

    /// Which job.
    pub fn job_id(&self) -> Uuid {
        self.held.job
    }

    /// Which attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Proof of holding the lease, for calls that ask for it.
    pub fn lease_token(&self) -> &LeaseToken {
        &self.held.token
    }

    /// A client of the server the job came from.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Says how far the work is, 0 to 1000; travels with the next heartbeat. May be called as often
    /// as one likes.
    pub fn progress(&self, permille: u16, note: impl AsRef<str>) {
        let note = line(note.as_ref());
        self.held.progress(Progress {
            job_id: self.held.job,
            permille: permille.min(1_000),
            note: (!note.is_empty()).then_some(note),
        });
    }

    /// Says that the work has begun; until then the job counts as waiting inside the worker.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when the lease is lost; otherwise as [`Client::ack`].
    pub async fn begin(&self) -> Result<(), Error> {
        let lease = HeldLease {
            job_id: self.held.job,
            lease_token: self.held.token.clone(),
        };
        self.while_held(self.client.ack(&[lease])).await.map(drop)
    }

    /// Writes a line to the job's log, where `orch:payload` reads it.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when the lease is lost; otherwise as [`Client::log`].
    pub async fn log(&self, level: LogLevel, line: impl Into<String>) -> Result<(), Error> {
        let line = NewLogLine {
            job_id: self.held.job,
            lease_token: self.held.token.clone(),
            level,
            // NUL stands in no JSON that the server takes.
            line: line.into().replace('\0', "\u{fffd}"),
        };
        self.while_held(self.client.log(&[line])).await.map(drop)
    }

    /// Stores an artifact of the job, at most 32 MiB, under a name that is its own within the job.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when the lease is lost before or meanwhile, without the server being
    /// asked; otherwise as [`Client::artifact_put`].
    pub async fn artifact(
        &self,
        name: &str,
        media_type: &str,
        bytes: impl Into<Bytes>,
    ) -> Result<Artifact, Error> {
        let put =
            self.client
                .artifact_put(self.held.job, &self.held.token, name, media_type, bytes);
        self.while_held(put).await
    }

    /// Waits for a call unless the lease is lost before or meanwhile.
    async fn while_held<T>(
        &self,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let lost = || Error::LeaseLost { job: self.held.job };
        if self.is_lost() {
            return Err(lost());
        }
        tokio::select! {
            biased;
            () = self.held.lost() => Err(lost()),
            result = call => result,
        }
    }
}
