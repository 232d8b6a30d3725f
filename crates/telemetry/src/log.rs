//! Logs: JSON lines on standard error, for people plain lines on a terminal.
//!
//! Values are fields; what must not be read out of a log is kept out where it is logged, and redacted
//! here once more. Whoever logs never waits for the disk: what a full queue cannot take is dropped
//! and counted.

mod control;
mod fields;
mod line;
mod redact;
mod writer;

use std::io::IsTerminal as _;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use control::{FilterError, LogControl};
pub use line::Format;
pub use redact::clean;

use line::Lines;
use writer::Writer;

/// Keeps the log going; dropped at the end of the process, it writes what is left.
#[derive(Debug)]
pub struct Logs {
    control: LogControl,
    writer: Writer,
}

impl Logs {
    /// Starts logging to standard error: what `filter` lets through, such as `info` or
    /// `warn,jobengine_duties=debug`.
    ///
    /// # Errors
    /// [`FilterError`] when `filter` is none.
    ///
    /// # Panics
    /// When the process logs already.
    pub fn start(filter: &str) -> Result<Self, FilterError> {
        let stderr = std::io::stderr();
        let format = if stderr.is_terminal() {
            Format::Plain
        } else {
            Format::Json
        };
        let (filter, handle) = reload::Layer::new(control::parse(filter)?);
        let writer = Writer::start(stderr);
        tracing_subscriber::registry()
            .with(filter)
            .with(Lines::new(format, writer.sender()))
            .init();
        Ok(Self {
            control: LogControl::over(handle),
            writer,
        })
    }

    /// Changes what is logged, while it is.
    pub fn control(&self) -> LogControl {
        self.control.clone()
    }

    /// Counts in `registry` the lines that were dropped, those before included.
    pub fn observe(&self, registry: &crate::Registry) {
        self.writer.observe(registry);
    }
}
