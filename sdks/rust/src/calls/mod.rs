//! A method of the client for each operation, by concept.

mod audit;
mod dead_letter;
mod event;
mod finding;
mod health;
mod image;
mod impact_run;
mod intake;
mod job;
mod job_stream;
mod key;
mod lease;
mod preview;
mod report;
mod request;
mod run;
mod segment;
mod worker_session;

use reqwest::Method;
use uuid::Uuid;

use crate::call::Call;
use crate::client::Client;
use crate::wire::page::PageQuery;

pub use event::{EventStream, Streamed};
pub use job_stream::JobStream;
pub use request::Request;

impl Client {
    fn orchestrator(&self, method: Method, path: &[&str]) -> Call<'_> {
        self.call(method, &[&["api", "v1", "orchestrator"], path].concat())
    }

    fn scheduler(&self, method: Method, path: &[&str]) -> Call<'_> {
        self.call(method, &[&["api", "v1", "scheduler"], path].concat())
    }
}

impl Call<'_> {
    fn page(self, page: &PageQuery) -> Self {
        self.query("limit", page.limit.map(|limit| limit.to_string()))
            .query("continuationToken", page.continuation_token.as_deref())
    }
}

/// `{id}:{verb}`, the last part of a path.
fn verb(id: Uuid, verb: &str) -> String {
    format!("{id}:{verb}")
}
