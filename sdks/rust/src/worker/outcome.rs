//! From what a handler did to what is reported.

use serde_json::Value;

use super::handler::Failure;
use super::held::{Held, Stop};
use super::{internal, line};
use crate::wire::report::{FailureClass, Outcome, Report};

/// JSON bytes of a result.
const RESULT_MAX_BYTES: usize = 64 * 1024;

/// What a handler did.
#[derive(Debug)]
pub(super) enum Done {
    /// It returned.
    Returned(Result<Value, Failure>),
    /// It panicked.
    Panicked,
    /// It did not stop when it was asked to, and was cut off.
    CutOff,
}

impl Done {
    /// The report; the lease is held. A handler that finished its work before it noticed that it
    /// should stop has finished its work.
    pub(super) fn report(self, held: &Held) -> Report {
        let failure = match (self, held.stopped()) {
            (Self::Returned(Ok(value)), _) => match sized(value) {
                Ok(value) => {
                    return Report {
                        result: Some(value).filter(|value| !value.is_null()),
                        ..report(held, Outcome::Succeeded)
                    };
                }
                Err(failure) => failure,
            },
            (_, Some(Stop::Cancel)) => return report(held, Outcome::Canceled),
            (_, Some(Stop::Release)) => return report(held, Outcome::Released),
            (Self::Returned(Err(failure)), None) => failure,
            (Self::Panicked, None) => internal("the handler panicked"),
            (Self::CutOff, None) => internal("the handler was cut off"),
        };
        failed(held, &failure)
    }
}

/// Reports a failure.
pub(super) fn failed(held: &Held, failure: &Failure) -> Report {
    let millis = |after: std::time::Duration| u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
    Report {
        class: Some(failure.class),
        retry_after_ms: failure.retry_after.map(millis),
        detail: Some(line(&failure.detail)).filter(|detail| !detail.is_empty()),
        ..report(held, Outcome::Failed)
    }
}

/// A report with nothing but its outcome.
pub(super) fn report(held: &Held, outcome: Outcome) -> Report {
    Report {
        job_id: held.job,
        lease_token: held.token.clone(),
        outcome,
        class: None,
        retry_after_ms: None,
        detail: None,
        result: None,
    }
}

/// A result that the server would refuse must not take the other reports of its batch with it.
fn sized(value: Value) -> Result<Value, Failure> {
    let text = value.to_string();
    if text.len() > RESULT_MAX_BYTES {
        let bytes = text.len();
        return Err(internal(format!(
            "the result has {bytes} bytes of JSON, and {RESULT_MAX_BYTES} are allowed; large results are artifacts"
        )));
    }
    if has_nul(&value) {
        let why = "the result holds a NUL character";
        return Err(Failure::new(FailureClass::Schema, why));
    }
    Ok(value)
}

/// A NUL character is JSON, but no database text.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, member)| name.contains('\0') || has_nul(member)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_result_that_the_server_would_refuse_is_a_failure_here() {
        let check = |value: Value, good| assert_eq!(sized(value.clone()).is_ok(), good, "{value}");
        check(json!({"a": [1, "x\\u0000"]}), true);
        check(json!({"a": ["x\0"]}), false);
        check(json!({"a\0": 1}), false);
        check(json!("x".repeat(RESULT_MAX_BYTES - 2)), true);
        check(json!("x".repeat(RESULT_MAX_BYTES - 1)), false);
    }
}
