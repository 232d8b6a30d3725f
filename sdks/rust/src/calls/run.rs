use reqwest::Method;
use uuid::Uuid;

use super::verb;
use crate::client::Client;
use crate::error::Error;
use crate::wire::page::{Page, PageQuery};
use crate::wire::run::{Canceled, NewRun, Run, RunFilter, RunRetried, RunStarted};

/// Runs.
impl Client {
    /// Starts a run. Repeated where that may help: the call's key lets the server act once.
    ///
    /// # Errors
    /// [`Error`]; `DAG_INVALID` when the jobs wait for each other in a circle or for nobody.
    pub async fn run_start(&self, run: &NewRun) -> Result<RunStarted, Error> {
        self.orchestrator(Method::POST, &["runs"])
            .json(run)
            .harmless()
            .send()
            .await
    }

    /// Lists runs, newest first.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn runs(&self, filter: &RunFilter, page: &PageQuery) -> Result<Page<Run>, Error> {
        self.orchestrator(Method::GET, &["runs"])
            .query("state", filter.state.as_deref())
            .query("trigger", filter.trigger.as_deref())
            .query("projectId", filter.project_id.map(|id| id.to_string()))
            .query("source", filter.source.as_deref())
            .query("createdFrom", filter.created_from.as_deref())
            .query("createdTo", filter.created_to.as_deref())
            .page(page)
            .send()
            .await
    }

    /// One run.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn run(&self, run: Uuid) -> Result<Run, Error> {
        self.orchestrator(Method::GET, &["runs", &run.to_string()])
            .send()
            .await
    }

    /// Calls off all jobs of a run that have not ended.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn run_cancel(&self, run: Uuid) -> Result<Canceled, Error> {
        self.orchestrator(Method::POST, &["runs", &verb(run, "cancel")])
            .harmless()
            .send()
            .await
    }

    /// Starts a new run that does what did not succeed in one that has ended.
    ///
    /// # Errors
    /// [`Error`]; `CONFLICT` when it has not ended, or nothing is left to do.
    pub async fn run_retry(&self, run: Uuid) -> Result<RunRetried, Error> {
        self.orchestrator(Method::POST, &["runs", &verb(run, "retry")])
            .harmless()
            .send()
            .await
    }
}
