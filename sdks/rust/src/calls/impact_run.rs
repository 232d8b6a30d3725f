use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::client::Client;
use crate::error::Error;
use crate::wire::impact_run::{Cursor, ImpactDebt, ImpactRun, RunDeltas, RunInput};
use crate::wire::page::{Page, PageQuery};

/// Impact runs.
impl Client {
    /// Lists impact runs.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn impact_runs(&self, page: &PageQuery) -> Result<Page<ImpactRun>, Error> {
        self.scheduler(Method::GET, &["runs"])
            .page(page)
            .send()
            .await
    }

    /// One impact run.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn impact_run(&self, run: Uuid) -> Result<ImpactRun, Error> {
        self.scheduler(Method::GET, &["runs", &run.to_string()])
            .send()
            .await
    }

    /// What a run changed.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn impact_run_deltas(&self, run: Uuid) -> Result<RunDeltas, Error> {
        self.scheduler(Method::GET, &["runs", &run.to_string(), "deltas"])
            .send()
            .await
    }

    /// The signed statement of what a run changed: a DSSE envelope, as it was signed.
    ///
    /// # Errors
    /// [`Error`]; status 404 until the run is completed.
    pub async fn impact_run_completion(&self, run: Uuid) -> Result<Value, Error> {
        self.scheduler(Method::GET, &["runs", &run.to_string(), "completion"])
            .send()
            .await
    }

    /// Lists the documents that a run was made from.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn impact_run_inputs(
        &self,
        run: Uuid,
        page: &PageQuery,
    ) -> Result<Page<RunInput>, Error> {
        self.scheduler(Method::GET, &["runs", &run.to_string(), "inputs"])
            .page(page)
            .send()
            .await
    }

    /// Lists images that runs left out, until a later run has evaluated them.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn impact_debts(&self, page: &PageQuery) -> Result<Page<ImpactDebt>, Error> {
        self.scheduler(Method::GET, &["debts"])
            .page(page)
            .send()
            .await
    }

    /// How far the reading of each change stream is.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn cursors(&self) -> Result<Page<Cursor>, Error> {
        self.scheduler(Method::GET, &["cursors"]).send().await
    }
}
