//! The handler of segments: fetches one, evaluates it, and hands its findings in.

use std::sync::Arc;
use std::time::Instant;

use jobengine_domain::digest::Digest;
use jobengine_impact::segment_result::{ARTIFACT, SegmentResult};
use jobengine_sdk::wire::report::FailureClass;
use jobengine_sdk::{Context, Failure, Grant, Handler};
use serde_json::{Value, json};
use tokio::runtime;

use super::pace::Pace;
use super::segment::evaluate_segment;

/// Evaluates segments. Clones share their pace.
#[derive(Debug, Clone)]
pub(super) struct Evaluator {
    pace: Arc<Pace>,
}

impl Evaluator {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace: Arc::new(pace),
        }
    }
}

impl Handler for Evaluator {
    async fn handle(&self, context: Context, grant: Grant) -> Result<Value, Failure> {
        let job = grant.job_id;
        let begun = Instant::now();
        let description = context.client().segment(job, context.lease_token()).await?;
        let fetched_ms = millis(begun);
        let result = self.evaluate(&context, description).await?;
        let (images, findings) = (result.images.len(), result.count());
        let evaluated_ms = millis(begun) - fetched_ms;
        let artifact = upload(&context, &result).await?;
        tracing::info!(
            job.id = %job, attempt = grant.attempt, images, findings, fetched_ms, evaluated_ms,
            "segment evaluated: {findings} findings in {images} images"
        );
        Ok(json!({"images": images, "findings": findings, "artifact": artifact}))
    }
}

impl Evaluator {
    /// Evaluates on a thread for work that blocks, so that the SDK's tasks go on.
    async fn evaluate(
        &self,
        context: &Context,
        description: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<SegmentResult, Failure> {
        let pace = Arc::clone(&self.pace);
        let context = context.clone();
        let runtime = runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            evaluate_segment(description.as_ref(), |done, all| {
                progress(&context, done, all);
                let wait = pace.turn(Instant::now());
                let stop = context.cancellation();
                if !wait.is_zero() {
                    // Ends early when the attempt has to stop.
                    let _ = runtime.block_on(tokio::time::timeout(wait, stop.cancelled()));
                }
                !stop.is_cancelled() && !context.is_lost()
            })
        })
        .await
        .unwrap_or_else(|error| {
            let why = format!("the evaluation broke off: {error}");
            Err(Failure::new(FailureClass::Internal, why))
        })
    }
}

fn progress(context: &Context, done: usize, all: usize) {
    let permille = u16::try_from(done * 1_000 / all.max(1)).unwrap_or(1_000);
    context.progress(permille, format!("{done} of {all} images"));
}

/// Stores the findings; returns their digest, which the server must have computed too.
async fn upload(context: &Context, result: &SegmentResult) -> Result<String, Failure> {
    let bytes = result.to_bytes();
    let digest = Digest::of(&bytes).to_string();
    let stored = context
        .artifact(ARTIFACT, "application/json", bytes)
        .await?;
    if stored.digest == digest {
        Ok(digest)
    } else {
        let why = format!("{digest} was sent, and {} was stored", stored.digest);
        Err(Failure::new(FailureClass::Upstream, why))
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
