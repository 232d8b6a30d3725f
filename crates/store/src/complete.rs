//! Reports of workers: each accepted once, under its fence; a repeat gets the first answer.

use std::collections::BTreeMap;

use jobengine_domain::id::JobId;
use jobengine_domain::state::{Event, JobState, Report, TransitionError};
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::lease::LeaseToken;
use crate::settle::Move;

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
    /// The lease was lost before: the report changed nothing.
    LeaseLost,
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
                        reported: true,
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
        let mut earlier: BTreeMap<JobId, Vec<(&[u8], &str)>> = BTreeMap::new();
        for row in &rows {
            earlier
                .entry(JobId(row.get("job_id")))
                .or_default()
                .push((row.get("token_hash"), row.get("state")));
        }
        for (report, answer) in reports
            .iter()
            .zip(answers)
            .filter(|(_, answer)| answer.is_none())
        {
            let first = earlier
                .get(&report.job)
                .and_then(|ends| ends.iter().find(|(hash, _)| report.token.matches(hash)));
            *answer = first.map(|(_, state)| Reported::Repeated {
                state: (*state).to_owned(),
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

const fn class(report: Report) -> Option<&'static str> {
    match report {
        Report::Failed { class, .. } => Some(class.as_str()),
        Report::Succeeded | Report::Canceled | Report::Released => None,
    }
}
