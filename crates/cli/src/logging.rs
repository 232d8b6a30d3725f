//! Logs: JSON lines on standard error, for people plain lines on a terminal.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging at `level` unless `JOBENGINE_LOG` says otherwise (`info`, `jobengine_duties=debug`).
pub(crate) fn start(level: &str) {
    let filter = EnvFilter::try_from_env("JOBENGINE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        lines.with_target(false).compact().init();
    } else {
        lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .init();
    }
}
