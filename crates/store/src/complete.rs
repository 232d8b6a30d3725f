//! Reports of workers: each accepted once, under its fence; a repeat gets the first answer.

use std::collections::BTreeMap;

use jobengine_domain::digest::Digest;
use jobengine_domain::id::JobId;
use jobengine_domain::state::{Event, JobState, Report, TransitionError};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::lease::LeaseToken;
use crate::settle::{Move, ReportDigest};

/// How one attempt ended, as its worker says.
#[derive(Debug, Clone)]
pub struct JobReport {
    /// Which job.
    pub job: JobId,
    /// Proof of holding its lease.
    pub token: LeaseToken,
    /// How it ended.
    pub report: Report,
    /// A line for people.
    pub detail: Option<String>,
    /// JSON text.
    pub result: Option<String>,
}

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    /// It was accepted: the job's state after it.
    Accepted {
        /// `succeeded`, `queued` (it will be tried again), `failed`, …
        state: String,
    },
    /// It was accepted when it was first sent, and changed nothing now: the job's state after it.
    Repeated {
        /// As of [`Reported::Accepted`].
        state: String,
    },
    /// The attempt ended with another report under the same lease: this one changed nothing.
    Contradicted {
        /// The job's state after the report that counted.
        state: String,
    },
    /// The lease was lost before: the report changed nothing.
    LeaseLost,
}

impl JobReport {
    /// What it says, without the lease it proves.
    fn digest(&self) -> ReportDigest {
        let mut said = Vec::new();
        let mut field = |bytes: Option<&[u8]>| {
            // Lengths keep one field from running into the next.
            let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
            said.extend_from_slice(&length.to_be_bytes());
            said.extend_from_slice(bytes.unwrap_or_default());
        };
        let retry_after = match self.report {
            Report::Failed { retry_after_ms, .. } => retry_after_ms.map(u64::to_be_bytes),
            Report::Succeeded | Report::Canceled | Report::Released => None,
        };
        field(Some(outcome(self.report).as_bytes()));
        field(class(self.report).map(str::as_bytes));
        field(retry_after.as_ref().map(<[u8; 8]>::as_slice));
        field(self.detail.as_deref().map(str::as_bytes));
        field(self.result.as_deref().map(str::as_bytes));
        let digest = Digest::of(&said);
        *digest
            .as_bytes()
            .first_chunk()
            .expect("a digest has 32 bytes")
    }
}

impl Tx {
    /// Takes a batch of reports; the answers stand in their order.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] may be repeated.
    pub async fn jobs_complete(&self, reports: &[JobReport]) -> Result<Vec<Reported>, StoreError> {
        let jobs: Vec<Uuid> = reports.iter().map(|report| report.job.0).collect();
        let mut leases = self.leases_lock(&jobs).await?;
        let mut answers: Vec<Option<Reported>> = vec![None; reports.len()];
        let mut moves = Vec::new();
        for (report, answer) in reports.iter().zip(&mut answers) {
            let holds = leases
                .get(&report.job)
                .is_some_and(|(_, held)| report.token.matches(&held.token_hash));
            if !holds {
                continue;
            }
            // Taken out: a second report on the same job in this batch is a repeat.
            let (ticket, held) = leases.remove(&report.job).expect("just seen");
            let event = Event::Reported {
                fence: held.fence,
                report: report.report,
            };
            match held.state().apply(&ticket.rules()?, event, self.now()) {
                Ok(to) => {
                    *answer = Some(Reported::Accepted {
                        state: to.as_str().to_owned(),
                    });
                    moves.push(Move {
                        ticket,
                        held: Some(held),
                        to,
                        cause: cause(report.report, to),
                        report: Some(report.digest()),
                        class: class(report.report),
                        detail: report.detail.clone(),
                        result: report.result.clone().filter(|_| to == JobState::Succeeded),
                    });
                }
                Err(
                    TransitionError::LeaseLost
                    | TransitionError::NotReady { .. }
                    | TransitionError::Illegal { .. },
                ) => {
                    *answer = Some(Reported::LeaseLost);
                }
            }
        }
        self.settle(moves).await?;
        if answers.iter().any(Option::is_none) {
            self.answer_repeats(reports, &mut answers).await?;
        }
        Ok(answers
            .into_iter()
            .map(|answer| answer.unwrap_or(Reported::LeaseLost))
            .collect())
    }

    /// Fills in what reports that hold no lease (any more) were answered the first time.
    async fn answer_repeats(
        &self,
        reports: &[JobReport],
        answers: &mut [Option<Reported>],
    ) -> Result<(), StoreError> {
        let open: Vec<Uuid> = reports
            .iter()
            .zip(&*answers)
            .filter(|(_, answer)| answer.is_none())
            .map(|(report, _)| report.job.0)
            .collect();
        let rows = self
            .query(include_str!("lease/answered.sql"), &[&open])
            .await?;
        let mut earlier: BTreeMap<JobId, Vec<&Row>> = BTreeMap::new();
        for row in &rows {
            let job = JobId(row.get("job_id"));
            earlier.entry(job).or_default().push(row);
        }
        for (report, answer) in reports
            .iter()
            .zip(answers)
            .filter(|(_, answer)| answer.is_none())
        {
            let ends = earlier.get(&report.job).into_iter().flatten();
            let mut ends = ends.filter(|row| report.token.matches(row.get("token_hash")));
            *answer = ends.next().map(|row| {
                let state = row.get("state");
                // An attempt that ended under an earlier version left no word of what the report said.
                let said: Option<&[u8]> = row.get("report_digest");
                if said.is_none_or(|said| said == report.digest()) {
                    Reported::Repeated { state }
                } else {
                    Reported::Contradicted { state }
                }
            });
        }
        Ok(())
    }
}

const fn cause(report: Report, to: JobState) -> &'static str {
    match (report, to) {
        (Report::Succeeded, JobState::TimedOut) => "timed_out",
        (Report::Succeeded, _) => "succeeded",
        (Report::Failed { .. }, _) => "failed",
        (Report::Canceled, _) => "canceled",
        (Report::Released, _) => "released",
    }
}

const fn outcome(report: Report) -> &'static str {
    match report {
        Report::Succeeded => "succeeded",
        Report::Failed { .. } => "failed",
        Report::Canceled => "canceled",
        Report::Released => "released",
    }
}

const fn class(report: Report) -> Option<&'static str> {
    match report {
        Report::Failed { class, .. } => Some(class.as_str()),
        Report::Succeeded | Report::Canceled | Report::Released => None,
    }
}
