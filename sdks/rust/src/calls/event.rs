use std::time::Duration;

use bytes::BytesMut;
use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{Method, Response};
use serde::Deserialize;

use crate::call::failed;
use crate::client::Client;
use crate::error::Error;
use crate::wire::event::{Event, EventFilter};
use crate::wire::page::{Page, PageQuery};

/// A stream speaks every 15 seconds; one that is silent for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// One event is never longer.
const BLOCK_MAX_BYTES: usize = 256 * 1024;

/// Events.
impl Client {
    /// Reads on in the events, from the oldest that is kept. The page always has a continuation token: where to read on
    /// later. Of the filter it takes what says which events, not from where on.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn events(
        &self,
        filter: &EventFilter,
        page: &PageQuery,
    ) -> Result<Page<Event>, Error> {
        self.orchestrator(Method::GET, &["events"])
            .which(filter)
            .page(page)
            .send()
            .await
    }

    /// Follows events: what [`EventStream::next`] hands over, until the server ends the stream.
    ///
    /// # Errors
    /// [`Error`]; the problem `EVENT_CURSOR_EXPIRED` when the cursor is too old.
    pub async fn event_stream(&self, filter: &EventFilter) -> Result<EventStream, Error> {
        let from = (filter.oldest && filter.after.is_none()).then_some("oldest");
        let response = self
            .orchestrator(Method::GET, &["events", "stream"])
            .accept(HeaderValue::from_static("text/event-stream"))
            .which(filter)
            .query("after", filter.after.as_deref())
            .query("from", from)
            .open()
            .await?;
        Ok(EventStream {
            response,
            unread: BytesMut::new(),
            cursor: filter.after.clone(),
        })
    }
}

impl crate::call::Call<'_> {
    fn which(self, filter: &EventFilter) -> Self {
        self.query("runId", filter.run_id.map(|run| run.to_string()))
            .query("jobId", filter.job_id.map(|job| job.to_string()))
            .query("types", filter.types.as_deref())
            .query("projectId", filter.project_id.map(|id| id.to_string()))
    }

    fn accept(mut self, media_type: HeaderValue) -> Self {
        self.headers_mut().insert(ACCEPT, media_type);
        self
    }
}

/// A stream of events, as it comes.
#[derive(Debug)]
pub struct EventStream {
    response: Response,
    unread: BytesMut,
    cursor: Option<String>,
}

/// What a stream says.
#[derive(Debug, Clone, PartialEq)]
pub enum Streamed {
    /// Something happened.
    Event(Box<Event>),
    /// Nothing did for a while.
    Alive,
    /// The server ends the stream: go on later from the cursor.
    End {
        /// `slow`, `shutdown`, `token` or `expired`.
        reason: String,
    },
}

/// The last event of a stream.
#[derive(Deserialize)]
struct End {
    reason: String,
}

impl EventStream {
    /// Where to go on: everything up to here was handed over.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// What comes next; `None` when the connection ended without a word. May not be dropped before it is done, or
    /// what it has read is lost: go on with another stream from the cursor then.
    ///
    /// # Errors
    /// [`Error::Interrupted`] and [`Error::Silent`] when the connection is lost, [`Error::Answer`] for what is no
    /// stream of events.
    pub async fn next(&mut self) -> Result<Option<Streamed>, Error> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|two| two == b"\n\n") {
                let block = self.unread.split_to(end + 2);
                return self.read(&block).map(Some);
            }
            if self.unread.len() > BLOCK_MAX_BYTES {
                return Err(self.foreign("an event is longer than any of ours"));
            }
            let chunk = tokio::time::timeout(SILENCE_MAX, self.response.chunk()).await;
            match chunk.map_err(|_| Error::Silent)?.map_err(failed)? {
                Some(bytes) => self.unread.extend_from_slice(&bytes),
                None => return Ok(None),
            }
        }
    }

    fn read(&mut self, block: &[u8]) -> Result<Streamed, Error> {
        let block = std::str::from_utf8(block).map_err(|_| self.foreign("it is not UTF-8"))?;
        let field = |name: &str| {
            let mut lines = block.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        if let Some(id) = field("id") {
            self.cursor = Some(id.to_owned());
        }
        let Some(data) = field("data") else {
            return Ok(Streamed::Alive);
        };
        let said = if field("event") == Some("end") {
            serde_json::from_str(data).map(|End { reason }| Streamed::End { reason })
        } else {
            serde_json::from_str(data).map(|event| Streamed::Event(Box::new(event)))
        };
        said.map_err(|error| self.foreign(&error.to_string()))
    }

    fn foreign(&self, detail: &str) -> Error {
        Error::Answer {
            status: self.response.status().as_u16(),
            detail: detail.to_owned(),
        }
    }
}
