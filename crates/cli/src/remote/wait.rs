//! Waiting until what was begun has ended.

use std::time::Duration;

use anyhow::Context as _;
use jobengine_sdk::{Client, Method, Request};
use serde_json::Value;

use super::contract::Operation;
use crate::progress::Progress;

/// What begins something that ends later, and where that is looked at.
const BEGINNERS: [(&str, &str, Kind); 4] = [
    ("job", "submit", Kind::Jobs),
    ("run", "create", Kind::Run),
    ("pack-run", "create", Kind::Run),
    ("bulk", "create", Kind::BulkAction),
];
/// The states of what has not ended.
const UNDER_WAY: [&str; 4] = ["blocked", "queued", "leased", "running"];
/// Looked at so soon, and then less and less often.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Jobs,
    Run,
    BulkAction,
}

impl Kind {
    /// What an operation begins, if it is something to wait for.
    pub(super) fn of(operation: &Operation) -> Option<Self> {
        let is_it = |(noun, verb, _): &&(&str, &str, Self)| {
            operation.noun == *noun && operation.verb == *verb
        };
        BEGINNERS.iter().find(is_it).map(|(_, _, kind)| *kind)
    }

    /// Waits for the end of what `begun` names, an answer of the operation; what it is then.
    ///
    /// # Errors
    /// Those of the server, and an answer that names nothing.
    pub(super) async fn ended(self, client: &Client, begun: &Value) -> anyhow::Result<Vec<Value>> {
        let ids: Vec<&str> = match self {
            Self::Jobs => begun["jobIds"].as_array().into_iter().flatten().collect(),
            Self::Run => vec![&begun["runId"]],
            Self::BulkAction => vec![&begun["bulkActionId"]],
        }
        .into_iter()
        .map(|id| id.as_str().context("the answer names nothing to wait for"))
        .collect::<Result<_, _>>()?;
        // Whoever gives up waiting finds it again.
        eprintln!("{} stands; waiting for the end", named(&ids));
        let mut progress = Progress::start();
        progress.phase(self.steps(), ids.len());
        let mut ended = Vec::new();
        for id in ids {
            ended.push(self.one_ended(client, id, &mut progress).await?);
            if self == Self::Jobs {
                progress.steps(1);
            }
        }
        progress.finish();
        Ok(ended)
    }

    async fn one_ended(
        self,
        client: &Client,
        id: &str,
        progress: &mut Progress,
    ) -> anyhow::Result<Value> {
        let path = ["api", "v1", "orchestrator", self.collection(), id];
        let look = Request::new(Method::GET, path);
        let (mut pause, mut done) = (PAUSE, 0);
        loop {
            let now: Value = client.request(look.clone()).await?;
            if let Some((at, of)) = self.counted(&now) {
                if done == 0 {
                    progress.phase(self.steps(), of);
                }
                progress.steps(at.saturating_sub(done));
                done = at;
            }
            let state = now["state"].as_str().context("the answer has no state")?;
            if !UNDER_WAY.contains(&state) {
                return Ok(now);
            }
            tokio::time::sleep(pause).await;
            pause = (pause + pause / 4).min(PAUSE_MAX);
        }
    }

    const fn collection(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Run => "runs",
            Self::BulkAction => "bulk-actions",
        }
    }

    const fn steps(self) -> &'static str {
        match self {
            Self::Jobs | Self::Run => "jobs ended",
            Self::BulkAction => "done",
        }
    }

    /// How many of its parts have ended, of how many.
    fn counted(self, now: &Value) -> Option<(usize, usize)> {
        let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
        match self {
            Self::Jobs => None,
            Self::Run => {
                let count = |state: &str| number(&now["counts"][state]);
                let ended = ["succeeded", "failed", "canceled", "skipped"];
                let ended = ended.into_iter().filter_map(count).sum();
                Some((ended, count("total")?))
            }
            Self::BulkAction => {
                let done = number(&now["done"])? + number(&now["failed"])?;
                Some((done, number(&now["total"])?))
            }
        }
    }
}

/// Whether all of it ended as it should.
pub(super) fn succeeded(ended: &[Value]) -> bool {
    ended.iter().all(|one| one["state"] == "succeeded")
}

fn named(ids: &[&str]) -> String {
    match ids {
        [one] => (*one).to_owned(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        [] => "nothing".to_owned(),
    }
}
