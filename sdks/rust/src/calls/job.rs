use reqwest::Method;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWrite;
use uuid::Uuid;

use super::request::write_out;
use super::verb;
use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::wire::job::{Job, JobFilter, Moved, NewJob, Priority, Replayed, Submitted};
use crate::wire::page::{Page, PageQuery};
use crate::wire::run::Canceled;
use crate::wire::story::{Explanation, History, JobArtifact, LogLine};

#[derive(Serialize)]
struct Submit<'a> {
    jobs: &'a [NewJob],
}

#[derive(Serialize)]
struct Prioritize {
    priority: Priority,
}

#[derive(Deserialize)]
struct Artifacts {
    items: Vec<JobArtifact>,
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
            .query("source", filter.source.as_deref())
            .query("tag", filter.tag.as_deref())
            .query("projectId", filter.project_id.map(|id| id.to_string()))
            .query("correlationId", filter.correlation_id.as_deref())
            .query("submittedFrom", filter.submitted_from.as_deref())
            .query("submittedTo", filter.submitted_to.as_deref())
            .query("q", filter.text.as_deref())
            .query("order", filter.newest_first.then_some("newest"))
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

    /// Calls a job off: how many jobs were, 0 when it had ended.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn job_cancel(&self, job: Uuid) -> Result<Canceled, Error> {
        self.job_verb(job, "cancel").send().await
    }

    /// Lets a job that waits after a failed attempt make its next one now.
    ///
    /// # Errors
    /// [`Error`]; `CONFLICT` when it does not wait after an attempt.
    pub async fn job_retry(&self, job: Uuid) -> Result<Moved, Error> {
        self.job_verb(job, "retry").send().await
    }

    /// Submits a copy of a job that has ended.
    ///
    /// # Errors
    /// [`Error`]; `CONFLICT` when it has not ended.
    pub async fn job_replay(&self, job: Uuid) -> Result<Replayed, Error> {
        self.job_verb(job, "replay").send().await
    }

    /// Gives a job that has not ended another priority.
    ///
    /// # Errors
    /// [`Error`]; `CONFLICT` when it has ended.
    pub async fn job_prioritize(&self, job: Uuid, priority: Priority) -> Result<Moved, Error> {
        self.job_verb(job, "prioritize")
            .json(&Prioritize { priority })
            .send()
            .await
    }

    /// Why a job does not run, and when it may.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn job_explain(&self, job: Uuid) -> Result<Explanation, Error> {
        self.of_job(job, "explain").send().await
    }

    /// What happened to a job.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn job_history(&self, job: Uuid) -> Result<History, Error> {
        self.of_job(job, "history").send().await
    }

    /// What a job wrote to its log, oldest first: of all attempts, or of one.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn job_logs(
        &self,
        job: Uuid,
        attempt: Option<u32>,
        page: &PageQuery,
    ) -> Result<Page<LogLine>, Error> {
        self.of_job(job, "logs")
            .query("attempt", attempt.map(|attempt| attempt.to_string()))
            .page(page)
            .send()
            .await
    }

    /// What the attempts at a job stored.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn job_artifacts(&self, job: Uuid) -> Result<Vec<JobArtifact>, Error> {
        let list: Artifacts = self.of_job(job, "artifacts").send().await?;
        Ok(list.items)
    }

    /// One artifact of a job, written as it comes; how many bytes it had.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Write`] when the writer fails.
    pub async fn job_artifact(
        &self,
        job: Uuid,
        name: &str,
        writer: &mut (impl AsyncWrite + Unpin + ?Sized),
    ) -> Result<u64, Error> {
        let path = ["jobs", &job.to_string(), "artifacts", name];
        let response = self.orchestrator(Method::GET, &path).open().await?;
        write_out(response, writer).await
    }

    fn of_job(&self, job: Uuid, what: &str) -> Call<'_> {
        self.orchestrator(Method::GET, &["jobs", &job.to_string(), what])
    }

    /// A change of a job; its key lets the server act once.
    fn job_verb(&self, job: Uuid, name: &str) -> Call<'_> {
        self.orchestrator(Method::POST, &["jobs", &verb(job, name)])
            .harmless()
    }
}
