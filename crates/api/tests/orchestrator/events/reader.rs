//! A reader of a stream of server-sent events.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::Value;

use crate::service::Person;

/// A stream being read.
pub(super) struct Stream {
    response: Response,
    text: String,
    pub(super) comments: usize,
    pub(super) id: String,
}

/// One server-sent event.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sent {
    pub(super) id: String,
    pub(super) event: String,
    pub(super) data: Value,
}

impl Stream {
    pub(super) async fn open(person: &Person, path: &str, last: Option<&str>) -> Self {
        let mut request = person.request(Method::GET, path);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut stream = Self {
            response,
            text: String::new(),
            comments: 0,
            id: String::new(),
        };
        // The greeting: from here on nothing is missed.
        while stream.comments == 0 {
            assert!(stream.more().await);
            stream.take();
        }
        stream
    }

    /// The next event; `None` when the stream has ended.
    pub(super) async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some(sent) = self.take() {
                return Some(sent);
            }
            if !self.more().await {
                return None;
            }
        }
    }

    pub(super) async fn take_events(&mut self, count: usize) -> Vec<Sent> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.next().await.expect("the stream goes on"));
        }
        events
    }

    /// Waits for the next word that is no event.
    pub(super) async fn comment(&mut self) {
        let before = self.comments;
        while self.comments == before {
            assert!(self.more().await, "the stream goes on");
            assert_eq!(self.take(), None, "nothing happens");
        }
    }

    async fn more(&mut self) -> bool {
        let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk());
        let Some(bytes) = chunk.await.expect("something comes in time").unwrap() else {
            return false;
        };
        self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        true
    }

    fn take(&mut self) -> Option<Sent> {
        while let Some(end) = self.text.find("\n\n") {
            let block: String = self.text.drain(..end + 2).collect();
            let field = |name: &str| {
                block
                    .lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            };
            if let Some(id) = field("id") {
                id.clone_into(&mut self.id);
            }
            self.comments += block.lines().filter(|line| line.starts_with(": ")).count();
            if let Some(data) = field("data") {
                return Some(Sent {
                    id: self.id.clone(),
                    event: field("event").unwrap().to_owned(),
                    data: serde_json::from_str(data).unwrap(),
                });
            }
        }
        None
    }
}
