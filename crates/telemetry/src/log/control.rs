//! What is logged, and changing it in a running process.

use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::{EnvFilter, Registry, reload};

/// Libraries that tell at INFO what matters to their authors only. Whoever names them in the filter
/// hears them all the same.
const QUIET: &str = "refinery_core=warn,tokio_postgres=warn";
/// Longest filter, in bytes.
const FILTER_MAX_BYTES: usize = 1_024;

/// A text that is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a filter such as `info` or `warn,jobengine_duties=debug`")]
pub struct FilterError;

/// Changes what a process logs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LogControl(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    handle: Option<reload::Handle<EnvFilter, Registry>>,
    /// As it was set last, when there is no log behind it.
    said: Mutex<String>,
}

impl LogControl {
    pub(super) fn over(handle: reload::Handle<EnvFilter, Registry>) -> Self {
        let said = Mutex::default();
        Self(Arc::new(Inner {
            handle: Some(handle),
            said,
        }))
    }

    /// A control with no log behind it: for a server within a program that logs by itself.
    pub fn detached() -> Self {
        Self(Arc::new(Inner {
            handle: None,
            said: Mutex::new("info".to_owned()),
        }))
    }

    /// What is logged now.
    pub fn filter(&self) -> String {
        let of_log = self
            .0
            .handle
            .as_ref()
            .and_then(|handle| handle.with_current(std::string::ToString::to_string).ok());
        of_log.unwrap_or_else(|| self.said().clone())
    }

    /// A filter as [`LogControl::filter`] will tell it.
    ///
    /// # Errors
    /// [`FilterError`].
    pub fn check(filter: &str) -> Result<String, FilterError> {
        Ok(parse(filter)?.to_string())
    }

    /// Logs from now on what `filter` lets through.
    ///
    /// # Errors
    /// [`FilterError`].
    pub fn set(&self, filter: &str) -> Result<(), FilterError> {
        let parsed = parse(filter)?;
        let Some(handle) = &self.0.handle else {
            *self.said() = parsed.to_string();
            return Ok(());
        };
        handle.reload(parsed).map_err(|_| FilterError)
    }

    fn said(&self) -> std::sync::MutexGuard<'_, String> {
        self.0.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn parse(filter: &str) -> Result<EnvFilter, FilterError> {
    let filter = filter.trim();
    if filter.is_empty() || filter.len() > FILTER_MAX_BYTES {
        return Err(FilterError);
    }
    EnvFilter::try_new(format!("{QUIET},{filter}")).map_err(|_| FilterError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_quiet_unless_they_are_named() {
        let text = |asked| parse(asked).expect("a filter").to_string();
        assert!(text("info").contains("refinery_core=warn"));
        let asked = text("debug,tokio_postgres=info");
        assert!(asked.contains("tokio_postgres=info"), "{asked}");
        assert!(!asked.contains("tokio_postgres=warn"), "{asked}");
        assert!(parse("jobengine=loud").is_err());
        assert!(parse(" ").is_err());
    }

    #[test]
    fn the_filter_is_changed_or_stays() {
        let control = LogControl::detached();
        control.set("debug").unwrap();
        assert!(control.filter().contains("debug"));
        assert_eq!(control.set("jobengine=loud"), Err(FilterError));
        assert!(control.filter().contains("debug"));
    }
}
