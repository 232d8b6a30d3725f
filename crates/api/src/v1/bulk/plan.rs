//! What a bulk action would be done to, and the digest that confirms it.

use std::collections::BTreeSet;

use jobengine_domain::canon::canonical_digest;
use jobengine_domain::class::FailureClass;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::{JobId, ProjectId, RunId};
use jobengine_domain::priority::Priority;
use jobengine_domain::time::Timestamp;
use jobengine_store::{DeadLetterFilter, JobFilter, JobPlace, StoreError, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::act::Failure;
use crate::class::ClassName;
use crate::problem::{Code, Problem};

/// Things in one bulk action.
const BULK_MAX: usize = 100_000;
/// Things read at once.
const PAGE: u32 = 500;
/// Things named in a preview.
const SAMPLE: usize = 20;

/// What is to be done
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum BulkVerb {
    /// Jobs that have not ended are called off.
    Cancel,
    /// Jobs that wait for their next attempt begin it now.
    Retry,
    /// Jobs that have ended are repeated; needs `orch:backfill`.
    Replay,
    /// Jobs that have not ended get another band.
    Prioritize,
    /// Dead letters are discarded.
    Discard,
}

/// A bulk action on jobs or on dead letters
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BulkSpec {
    /// What is to be done: `cancel`, `retry`, `replay` and `prioritize` to jobs, `replay` and `discard` to dead
    /// letters.
    pub action: BulkVerb,
    /// To these jobs; or say `deadLetters`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<BulkJobs>,
    /// To these open dead letters; or say `jobs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letters: Option<BulkDeadLetters>,
    /// The new band, of `prioritize`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^(low|normal|high|emergency)$")]
    pub priority: Option<Priority>,
}

/// Jobs that pass every filter that is set
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct BulkJobs {
    /// In one of these states; those that the action is for unless said otherwise (`replay`: `failed` and `timed_out`).
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    states: BTreeSet<String>,
    /// Of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    /// For this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// With this tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    /// Of this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    run_id: Option<RunId>,
    /// Of this project.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// With this correlation id.
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    /// Submitted at this moment or later (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Submitted before this moment (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

/// Open dead letters that pass every filter that is set
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct BulkDeadLetters {
    /// Of this class.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ClassName>)]
    class: Option<FailureClass>,
    /// Of jobs of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    /// With exactly this signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    /// Looked after by this person.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// Of jobs for this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// Of jobs of this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    run_id: Option<RunId>,
    /// Opened at this moment or later (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Opened before this moment (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

/// A bulk action with what it would be done to.
#[derive(Debug)]
pub(super) struct Plan {
    /// Over the action and every id it would be done to.
    pub digest: Digest,
    /// The jobs, or those of the dead letters, in the order of their ids.
    pub items: Vec<Uuid>,
}

impl BulkSpec {
    /// Where it looks: `jobs` or `deadLetters`.
    pub(super) const fn target(&self) -> &'static str {
        match &self.jobs {
            Some(_) => "jobs",
            None => "deadLetters",
        }
    }

    /// Refuses an action on nothing, on both, or on the wrong things, and a band without use or missing.
    ///
    /// # Errors
    /// `REQUEST_INVALID`.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let fits = match (self.action, &self.jobs, &self.dead_letters) {
            (BulkVerb::Cancel | BulkVerb::Retry | BulkVerb::Prioritize, Some(_), None)
            | (BulkVerb::Discard, None, Some(_)) => true,
            (BulkVerb::Replay, jobs, letters) => jobs.is_some() != letters.is_some(),
            (BulkVerb::Cancel | BulkVerb::Retry | BulkVerb::Prioritize | BulkVerb::Discard, ..) => {
                false
            }
        };
        if !fits {
            let detail = "cancel, retry and prioritize are for jobs, discard for deadLetters, replay for one of them";
            return Err(Problem::field("action", "VALUE", detail));
        }
        if (self.action == BulkVerb::Prioritize) != self.priority.is_some() {
            let detail = "prioritize needs a priority, and nothing else takes one";
            return Err(Problem::field("priority", "VALUE", detail));
        }
        let states = self.jobs.iter().flat_map(|jobs| &jobs.states);
        for state in states {
            if !self.action.states().contains(&state.as_str()) {
                let detail = format!(
                    "this action is for jobs that are {}",
                    self.action.states().join(", ")
                );
                return Err(Problem::field("jobs.states", "VALUE", detail));
            }
        }
        Ok(())
    }

    /// Finds what it would be done to.
    ///
    /// # Errors
    /// `BULK_TOO_LARGE`, or what the store says.
    pub(super) async fn plan(&self, tx: &Tx) -> Result<Plan, Failure> {
        let mut items = Vec::new();
        if let Some(jobs) = &self.jobs {
            let filter = jobs.filter(self.action);
            let mut after = None;
            loop {
                let place = JobPlace {
                    newest_first: false,
                    after,
                    limit: PAGE,
                };
                let found = tx.job_search(&filter, place).await?;
                items.extend(found.jobs.iter().map(|job| job.id.0));
                bounded(items.len())?;
                after = found.resume;
                if after.is_none() {
                    break;
                }
            }
        }
        if let Some(letters) = &self.dead_letters {
            let filter = letters.filter();
            let mut after: Option<JobId> = None;
            loop {
                let found = tx.dead_letter_list(&filter, after, PAGE).await?;
                items.extend(found.iter().map(|letter| letter.job.0));
                bounded(items.len())?;
                after = found.last().map(|last| last.job);
                if found.len() < PAGE as usize {
                    break;
                }
            }
        }
        let digest = canonical_digest(&(self, &items)).map_err(|_| StoreError::Corrupt {
            place: "bulk_action.plan_digest",
        })?;
        Ok(Plan { digest, items })
    }
}

impl Plan {
    /// The first of the things.
    pub(super) fn sample(&self) -> Vec<Uuid> {
        self.items.iter().take(SAMPLE).copied().collect()
    }
}

impl BulkVerb {
    /// As it is stored.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Replay => "replay",
            Self::Prioritize => "prioritize",
            Self::Discard => "discard",
        }
    }

    /// The states of jobs that it is for.
    const fn states(self) -> &'static [&'static str] {
        match self {
            Self::Cancel | Self::Prioritize => &["blocked", "queued", "leased"],
            Self::Retry => &["queued"],
            Self::Replay => &["failed", "timed_out", "canceled", "skipped", "succeeded"],
            Self::Discard => &[],
        }
    }

    /// The states that are meant when none is said.
    const fn usual_states(self) -> &'static [&'static str] {
        match self {
            Self::Replay => &["failed", "timed_out"],
            Self::Cancel | Self::Retry | Self::Prioritize | Self::Discard => self.states(),
        }
    }
}

impl BulkJobs {
    fn filter(&self, action: BulkVerb) -> JobFilter {
        let usual = || {
            action
                .usual_states()
                .iter()
                .map(|state| (*state).to_owned())
        };
        JobFilter {
            states: if self.states.is_empty() {
                usual().collect()
            } else {
                self.states.clone()
            },
            job_type: self.r#type.clone(),
            source: self.source.clone(),
            tag: self.tag.clone(),
            run: self.run_id,
            project: self.project_id,
            correlation_id: self.correlation_id.clone(),
            from: self.from,
            to: self.to,
            text: None,
        }
    }
}

impl BulkDeadLetters {
    fn filter(&self) -> DeadLetterFilter {
        DeadLetterFilter {
            decision: Some("open".to_owned()),
            class: self.class,
            job_type: self.r#type.clone(),
            signature: self.signature.clone(),
            owner: self.owner.clone(),
            source: self.source.clone(),
            run: self.run_id,
            from: self.from,
            to: self.to,
        }
    }
}

fn bounded(found: usize) -> Result<(), Problem> {
    if found <= BULK_MAX {
        return Ok(());
    }
    let detail = format!("more than {BULK_MAX} things pass the filter; narrow it");
    Err(Problem::new(Code::BulkTooLarge, detail))
}
