//! A report as a worker sends it.

use jobengine_domain::class::FailureClass;
use jobengine_domain::defaults::{DETAIL_MAX_BYTES, RESULT_MAX_BYTES};
use jobengine_domain::id::JobId;
use jobengine_domain::state;
use jobengine_store::{JobReport, LeaseToken};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::check::Checks;
use crate::class::ClassName;

/// An upstream may ask not to be called for at most so long: a week.
const RETRY_AFTER_MAX_MS: u64 = 7 * 24 * 3_600 * 1_000;

/// How one attempt ended
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Report {
    /// The job.
    #[serde(deserialize_with = "jobengine_domain::id::deserialize")]
    pub job_id: Uuid,
    /// Proof of holding its lease.
    #[serde(deserialize_with = "jobengine_domain::id::deserialize")]
    lease_token: Uuid,
    /// `succeeded`, `failed`, `canceled`, or `released`: the worker gives the job back, and the
    /// attempt is not counted.
    pub outcome: Outcome,
    /// Why it failed: whether and when it is tried again depends on it. With `failed` and never else.
    #[schema(value_type = Option<ClassName>)]
    pub class: Option<FailureClass>,
    /// The upstream asked not to be called again for so long, in milliseconds. With `failed` only.
    #[schema(maximum = 604_800_000)]
    retry_after_ms: Option<u64>,
    /// A line for people, up to 8 KiB.
    #[schema(max_length = 8192)]
    detail: Option<String>,
    /// What came of it: any JSON up to 64 KiB. With `succeeded` only.
    #[schema(value_type = Option<serde_json::Value>)]
    result: Option<Box<RawValue>>,
}

/// How an attempt ended
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// The work is done.
    Succeeded,
    /// It is not.
    Failed,
    /// The worker stopped because it was told to.
    Canceled,
    /// The worker gives the job back.
    Released,
}

impl Report {
    /// Notes every field out of bounds; `at` is the report's place in the request.
    pub(super) fn check(&self, at: usize, checks: &mut Checks) {
        let field = |name: &str| format!("reports[{at}].{name}");
        let failed = self.outcome == Outcome::Failed;
        let named = match self.class {
            // These two are the ledger's own verdicts.
            Some(FailureClass::Crashed | FailureClass::Poison) => false,
            Some(_) => failed,
            None => !failed,
        };
        let detail = "a class that a worker can say, with `failed` and never else";
        checks.hold(named, || field("class"), "VALUE", detail);
        let hint = self.retry_after_ms;
        let sound = hint.is_none_or(|ms| failed && ms <= RETRY_AFTER_MAX_MS);
        let detail = "up to a week, with `failed` only";
        checks.hold(sound, || field("retryAfterMs"), "RANGE", detail);
        let bytes = self.detail.as_ref().map_or(0, String::len);
        let detail = format!("{bytes} bytes; at most {DETAIL_MAX_BYTES} are taken");
        checks.hold(
            bytes <= DETAIL_MAX_BYTES,
            || field("detail"),
            "TOO_LARGE",
            detail,
        );
        let bytes = self.result.as_ref().map_or(0, |result| result.get().len());
        let detail = format!("{bytes} bytes; at most {RESULT_MAX_BYTES} are taken");
        checks.hold(
            bytes <= RESULT_MAX_BYTES,
            || field("result"),
            "TOO_LARGE",
            detail,
        );
        let due = self.result.is_none() || self.outcome == Outcome::Succeeded;
        checks.hold(due, || field("result"), "VALUE", "with `succeeded` only");
    }

    /// The report as the ledger takes it.
    pub(super) fn into_report(self) -> JobReport {
        let report = match (self.outcome, self.class) {
            (Outcome::Succeeded, _) => state::Report::Succeeded,
            (Outcome::Failed, class) => state::Report::Failed {
                class: class.unwrap_or(FailureClass::Internal),
                retry_after_ms: self.retry_after_ms,
            },
            (Outcome::Canceled, _) => state::Report::Canceled,
            (Outcome::Released, _) => state::Report::Released,
        };
        JobReport {
            job: JobId(self.job_id),
            token: LeaseToken::from_uuid(self.lease_token),
            report,
            detail: self.detail,
            result: self
                .result
                .map(|result| Box::<str>::from(result).into_string()),
        }
    }
}
