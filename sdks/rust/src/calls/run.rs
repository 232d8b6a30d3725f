use reqwest::Method;
use uuid::Uuid;

use super::verb;
use crate::client::Client;
use crate::error::Error;
use crate::wire::page::{Page, PageQuery};
use crate::wire::run::{Canceled, NewRun, Run, RunStarted};

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

    /// Lists runs.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn runs(&self, page: &PageQuery) -> Result<Page<Run>, Error> {
        self.orchestrator(Method::GET, &["runs"])
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
}
