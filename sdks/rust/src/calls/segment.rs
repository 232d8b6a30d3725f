use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use uuid::Uuid;

use crate::client::Client;
use crate::error::Error;
use crate::wire::lease::LeaseToken;

/// The header that proves a lease where there is no body to do so.
pub(super) const LEASE_TOKEN: &str = "x-lease-token";

/// A segment may hold ten thousand images.
const SEGMENT_MAX_BYTES: usize = 512 * 1024 * 1024;
const SEGMENT: Duration = Duration::from_mins(5);

/// Segments.
impl Client {
    /// What is needed to evaluate the segment that a job stands for: its JSON, as it came.
    ///
    /// # Errors
    /// [`Error`]; `LEASE_LOST` when the token no longer holds the lease.
    pub async fn segment(&self, job: Uuid, token: &LeaseToken) -> Result<Bytes, Error> {
        self.scheduler(Method::GET, &["segments", &job.to_string()])
            .header(LEASE_TOKEN, token.reveal())
            .timeout(SEGMENT)
            .answer_max(SEGMENT_MAX_BYTES)
            .bytes()
            .await
    }
}
