//! Logs: JSON lines on standard error, for people plain lines on a terminal.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

/// The variable that says what is logged.
const VARIABLE: &str = "JOBENGINE_LOG";
/// Libraries that tell at INFO what matters to their authors only. Whoever names them in the
/// variable hears them all the same.
const QUIET: &str = "refinery_core=warn,tokio_postgres=warn";

/// Starts logging at `level` unless `JOBENGINE_LOG` says otherwise (`info`, `jobengine_duties=debug`).
///
/// # Errors
/// When `JOBENGINE_LOG` is no filter.
pub(crate) fn start(level: &str) -> anyhow::Result<()> {
    let filter = filter(level, std::env::var(VARIABLE).ok().as_deref())?;
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
    Ok(())
}

fn filter(level: &str, asked: Option<&str>) -> anyhow::Result<EnvFilter> {
    let asked = asked.map_or("", str::trim);
    let asked = if asked.is_empty() { level } else { asked };
    EnvFilter::try_new(format!("{QUIET},{asked}")).with_context(|| {
        format!("{VARIABLE} is no filter such as `info` or `warn,jobengine_duties=debug`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_quiet_unless_they_are_named() {
        let text = |asked| filter("info", asked).expect("a filter").to_string();
        assert!(text(None).contains("refinery_core=warn"));
        assert!(text(Some(" ")).contains("info"));
        let asked = text(Some("debug,tokio_postgres=info"));
        assert!(asked.contains("tokio_postgres=info"), "{asked}");
        assert!(!asked.contains("tokio_postgres=warn"), "{asked}");
        assert!(filter("info", Some("jobengine=loud")).is_err());
    }
}
