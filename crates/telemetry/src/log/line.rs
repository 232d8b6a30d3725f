//! One line for each event.

use std::fmt::Write as _;

use serde_json::Value;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer as TimeWriter;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::fields::Fields;
use super::writer::LineSender;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object: `timestamp`, `level`, `target`, `message`, then the fields of the event and of
    /// the spans around it (`requestId`, `correlationId`, `traceId`, `tenant`, `project`).
    Json,
    /// For people.
    Plain,
}

/// What every line begins with; a field of such a name is left out.
const HEAD: [&str; 4] = ["timestamp", "level", "target", "message"];

/// Writes events as lines.
#[derive(Debug)]
pub(super) struct Lines {
    format: Format,
    sender: LineSender,
}

impl Lines {
    pub(super) const fn new(format: Format, sender: LineSender) -> Self {
        Self { format, sender }
    }
}

impl<S> Layer<S> for Lines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(Scope::from_root)
        {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.extend(outer);
            }
        }
        event.record(&mut fields);
        let metadata = event.metadata();
        let line = match self.format {
            Format::Json => json(*metadata.level(), metadata.target(), fields),
            Format::Plain => plain(*metadata.level(), fields),
        };
        self.sender.send(line);
    }
}

fn json(level: Level, target: &str, mut fields: Fields) -> String {
    let message = fields.take("message").unwrap_or_default();
    let mut line = format!(
        "{{\"timestamp\":\"{}\",\"level\":\"{level}\",\"target\":\"{target}\",\"message\":{message}",
        now()
    );
    for (name, value) in fields.0 {
        if !HEAD.contains(&name.as_str()) {
            let _ = write!(line, ",{}:{value}", Value::from(name));
        }
    }
    line.push_str("}\n");
    line
}

fn plain(level: Level, mut fields: Fields) -> String {
    let message = fields.take("message").unwrap_or_default();
    let mut line = format!(
        "{} {level:>5} {}",
        now(),
        message.as_str().unwrap_or_default()
    );
    for (name, value) in fields.0 {
        let _ = write!(line, " {name}={value}");
    }
    line.push('\n');
    line
}

/// The wall clock: a log is for people, nothing is decided by it.
fn now() -> String {
    let mut text = String::new();
    let told = SystemTime.format_time(&mut TimeWriter::new(&mut text));
    if told.is_err() {
        text.clear();
    }
    text
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::super::writer::{Writer, tests::Shared};
    use super::*;

    fn logged(format: Format, log: impl FnOnce()) -> String {
        let shared = Shared::default();
        let writer = Writer::start(shared.clone());
        let subscriber = tracing_subscriber::registry().with(Lines::new(format, writer.sender()));
        tracing::subscriber::with_default(subscriber, log);
        drop(writer);
        shared.text()
    }

    #[test]
    fn a_line_carries_what_stands_around_it() {
        let text = logged(Format::Json, || {
            let span = tracing::info_span!(
                "request",
                request.id = "r-1",
                correlation.id = "c-1",
                tenant = tracing::field::Empty
            );
            let _entered = span.enter();
            span.record("tenant", "t-1");
            tracing::warn!(job.id = 7, "lease on {} expired", "it");
        });
        let line: Value = serde_json::from_str(&text).expect("one JSON object");
        for (name, value) in [
            ("level", Value::from("WARN")),
            ("message", "lease on it expired".into()),
            ("requestId", "r-1".into()),
            ("correlationId", "c-1".into()),
            ("tenant", "t-1".into()),
            ("jobId", 7.into()),
        ] {
            assert_eq!(line[name], value, "{name} in {text}");
        }
        assert!(
            line["timestamp"]
                .as_str()
                .is_some_and(|time| time.ends_with('Z')),
            "{text}"
        );
        assert!(
            line["target"]
                .as_str()
                .is_some_and(|target| target.contains("line")),
            "{text}"
        );
    }

    #[test]
    fn a_secret_and_a_forged_line_do_not_come_through() {
        for format in [Format::Json, Format::Plain] {
            let text = logged(format, || {
                tracing::error!(
                    authorization = "Bearer abc",
                    url = "https://u:p@host/",
                    "refused jek_0123456789\n{{\"level\":\"INFO\"}}\u{202e}"
                );
            });
            assert_eq!(text.lines().count(), 1, "{text}");
            for hidden in ["abc", "u:p", "0123456789", "\u{202e}"] {
                assert!(!text.contains(hidden), "{hidden:?} is in {text}");
            }
        }
    }
}
