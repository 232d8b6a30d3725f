//! Where something stands in a trace (W3C Trace Context, `traceparent` of version 00).

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::digest::Digest;
use crate::id::JobId;

/// A span by its name within its trace. Data, never authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// The trace; not 0.
    pub trace: u128,
    /// The span; not 0.
    pub span: u64,
    /// Whether the trace is recorded.
    pub sampled: bool,
}

/// A text that is no `traceparent` of version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent of version 00")]
pub struct TraceParentError;

/// What a job does that is a span of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It waits for a grant.
    Wait,
    /// A worker has it.
    Attempt,
}

impl TraceContext {
    /// The span of one attempt at a job, or of the wait before it. Derived: whichever replica grants and
    /// whichever ends the attempt, both mean the same span.
    #[must_use]
    pub fn of_attempt(self, job: JobId, attempt: u32, phase: Phase) -> Self {
        let mut name = Vec::with_capacity(21);
        name.push(match phase {
            Phase::Wait => b'w',
            Phase::Attempt => b'a',
        });
        name.extend_from_slice(job.0.as_bytes());
        name.extend_from_slice(&attempt.to_be_bytes());
        self.named(&name)
    }

    /// The span of a plan that was made of changes up to and with `last`, whose name is drawn once.
    #[must_use]
    pub fn of_plan(self, last: Uuid) -> Self {
        self.named(&[b"p", last.as_bytes().as_slice()].concat())
    }

    /// The span whose name is derived from `name`.
    fn named(self, name: &[u8]) -> Self {
        let digest = Digest::of(name);
        let mut first = [0; 8];
        first.copy_from_slice(&digest.as_bytes()[..8]);
        Self {
            span: u64::from_be_bytes(first).max(1),
            ..self
        }
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = u8::from(self.sampled);
        write!(f, "00-{:032x}-{:016x}-{flags:02x}", self.trace, self.span)
    }
}

impl FromStr for TraceContext {
    type Err = TraceParentError;

    fn from_str(text: &str) -> Result<Self, TraceParentError> {
        let mut parts = text.split('-');
        let mut part = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            let lower = part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            lower.then_some(part)
        };
        let mut read = || {
            let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
            let trace = u128::from_str_radix(trace, 16).ok()?;
            let span = u64::from_str_radix(span, 16).ok()?;
            let flags = u8::from_str_radix(flags, 16).ok()?;
            (version == "00" && trace != 0 && span != 0).then_some(Self {
                trace,
                span,
                sampled: flags & 1 == 1,
            })
        };
        let context = read();
        match (context, parts.next()) {
            (Some(context), None) => Ok(context),
            _ => Err(TraceParentError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_sound_header_is_read_and_written_alike() {
        let context: TraceContext = HEADER.parse().expect("sound");
        assert!(context.sampled);
        assert_eq!(context.to_string(), HEADER);
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            String::new(),
            HEADER.replacen("00-", "ff-", 1),
            HEADER.to_uppercase(),
            format!("{HEADER}-x"),
            HEADER.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            HEADER.replace("b7ad6b7169203331", &"0".repeat(16)),
            HEADER.replace("-01", "-1"),
            HEADER.replace("0af7", "+af7"),
        ] {
            assert_eq!(bad.parse::<TraceContext>(), Err(TraceParentError), "{bad}");
        }
    }

    #[test]
    fn the_spans_of_a_job_differ_and_stay() {
        let context: TraceContext = HEADER.parse().expect("sound");
        let plan = |last| context.of_plan(Uuid::from_u128(last));
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
        assert_eq!(plan(7).trace, context.trace);
        let job = JobId(Uuid::from_u128(7));
        let span = |attempt, phase| context.of_attempt(job, attempt, phase);
        assert_eq!(span(1, Phase::Attempt), span(1, Phase::Attempt));
        assert_ne!(span(1, Phase::Attempt), span(2, Phase::Attempt));
        assert_ne!(span(1, Phase::Attempt), span(1, Phase::Wait));
        assert_eq!(span(1, Phase::Wait).trace, context.trace);
    }
}
