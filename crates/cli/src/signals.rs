//! Signals: the first asks for an orderly end, the second ends at once.

use anyhow::{Context as _, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels `stop` at the first SIGTERM or Ctrl-C; at the second one the process ends.
pub(crate) fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("no signal can be awaited")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("no signal can be awaited")?;
    tokio::spawn(async move {
        for again in [false, true] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if again {
                std::process::exit(1);
            }
            tracing::info!("finishing what is under way; a second signal ends at once");
            stop.cancel();
        }
    });
    Ok(())
}

/// Does `work`, unless a signal comes first: then it is dropped where it stands.
///
/// # Errors
/// Those of `work`, and that it was interrupted.
pub(crate) async fn unless_stopped<T>(
    stop: &CancellationToken,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    tokio::select! {
        done = work => done,
        () = stop.cancelled() => bail!("interrupted; everything was stopped and removed"),
    }
}
