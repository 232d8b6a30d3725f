use reqwest::Method;
use serde::Serialize;
use uuid::Uuid;

use super::verb;
use crate::client::Client;
use crate::error::Error;
use crate::wire::job::{Job, JobFilter, NewJob, Submitted};
use crate::wire::page::{Page, PageQuery};

#[derive(Serialize)]
struct Submit<'a> {
    jobs: &'a [NewJob],
}

/// Jobs.
impl Client {
    /// Submits 1 to 10,000 jobs, all or none. Repeated where that may help: the call's key lets
    /// the server act once.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn jobs_submit(&self, jobs: &[NewJob]) -> Result<Submitted, Error> {
        self.orchestrator(Method::POST, &["jobs"])
            .json(&Submit { jobs })
            .harmless()
            .send()
            .await
    }

    /// Lists jobs.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn jobs(&self, filter: &JobFilter, page: &PageQuery) -> Result<Page<Job>, Error> {
        self.orchestrator(Method::GET, &["jobs"])
            .query("runId", filter.run_id.map(|run| run.to_string()))
            .query("state", filter.state.as_deref())
            .query("type", filter.job_type.as_deref())
            .page(page)
            .send()
            .await
    }

    /// One job, with its attempts.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn job(&self, job: Uuid) -> Result<Job, Error> {
        self.orchestrator(Method::GET, &["jobs", &job.to_string()])
            .send()
            .await
    }

    /// Calls a job off.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn job_cancel(&self, job: Uuid) -> Result<(), Error> {
        self.orchestrator(Method::POST, &["jobs", &verb(job, "cancel")])
            .harmless()
            .bytes()
            .await
            .map(drop)
    }
}
