//! Work that keeps a processor busy, off the threads that answer requests.

use tokio::sync::Semaphore;

use crate::problem::{Code, Problem};

/// So much of it at the same time. What a document is parsed into can be many times its size, so this
/// bounds the memory as well; others wait, within the time of their requests.
const HEAVY_MAX: usize = 4;

static TURNS: Semaphore = Semaphore::const_new(HEAVY_MAX);

/// Does work that may take seconds of a processor, a few at a time.
///
/// # Errors
/// `INTERNAL` when the work panicked.
pub(crate) async fn heavy<T, F>(work: F) -> Result<T, Problem>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let turn = TURNS
        .acquire()
        .await
        .expect("the semaphore is never closed");
    let work = tokio::task::spawn_blocking(move || {
        let done = work();
        // Given back here, not when the request ends: a request that is given up leaves its work running.
        drop(turn);
        done
    });
    work.await.map_err(|error| {
        tracing::error!(%error, "heavy work did not end well");
        Problem::new(Code::Internal, "the failure is in the log of the service")
    })
}
