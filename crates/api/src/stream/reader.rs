//! One reader: a place in the stream, moved on as fast as its connection takes what it is handed.

use std::sync::Arc;
use std::time::Duration;

use jobengine_domain::stream::{Cursor, Epoch, Place};
use jobengine_store::{EventFilter, StoreError};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::channel::{self, Channel};
use super::cursor;
use super::end::End;
use super::frame::Frame;
use super::hub;
use super::ring::Look;
use crate::clock;
use crate::identity::Caller;
use crate::problem::{Code, Problem};
use crate::state::AppState;

/// Handed to the connection at once, roughly.
const CHUNK_BYTES: usize = 32 * 1024;
/// Events per page, where the reader reads the ledger by itself.
const PAGE: u32 = 50;
/// After a failure, such as a database that is away.
const PAUSE: Duration = Duration::from_millis(250);

/// Where a reader begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// With what happens from now on.
    Now,
    /// With the oldest event that is kept; of a run or job with its first one.
    Oldest,
    /// After its cursor.
    Cursor(Cursor),
}

/// One reader. Its place in the hub is free again when it is dropped.
pub(crate) struct Reader {
    state: AppState,
    caller: Caller,
    channel: Arc<Channel>,
    changes: watch::Receiver<u64>,
    filter: EventFilter,
    place: Place,
    epoch: Epoch,
    /// Wakes it from its wait, for whoever wants a word.
    poke: Arc<Notify>,
    heartbeat: Duration,
    recheck_at: Instant,
    handed_at: Option<Instant>,
    _seat: hub::Seat,
}

/// What a reader has for its connection.
pub(crate) enum Turn {
    /// Frames to send.
    Frames(Vec<Arc<Frame>>),
    /// Nothing for a while: say that the stream is alive, and how far it has come.
    Quiet {
        /// The cursor up to which there was nothing to send.
        cursor: String,
    },
    /// Somebody poked.
    Poked,
    /// The end; where to go on stands in the cursor.
    End(End, String),
}

impl Reader {
    /// Opens a stream: finds its place, and refuses what cannot be resumed.
    ///
    /// # Errors
    /// `EVENT_CURSOR_EXPIRED`, `STREAM_LIMIT_REACHED`.
    pub(crate) async fn open(
        state: &AppState,
        caller: Caller,
        kind: &'static str,
        filter: EventFilter,
        start: Start,
    ) -> Result<Self, Problem> {
        let admitted = state.hub().admit(caller.tenant, kind)?;
        // Before the place is looked for: what is committed from here on is in the ring or in the ledger.
        let channel = state.hub().channel(caller.tenant);
        let tx = state.store().read(&caller).await?;
        let origin = match start {
            Start::Oldest => tx.events_origin(&filter).await?,
            Start::Now | Start::Cursor(_) => None,
        };
        let bounds = tx.events_bounds().await?;
        tx.commit().await?;
        let oldest = bounds.trimmed_to.unwrap_or(Place::start());
        let place = match start {
            Start::Now => Place::end_below(bounds.horizon),
            // What has just committed may lie above the horizon; a cursor never does.
            Start::Oldest => {
                let begun = origin.unwrap_or(oldest).max(oldest);
                begun.min(Place::end_below(bounds.horizon))
            }
            Start::Cursor(cursor) => {
                bounds.check(&cursor).map_err(StoreError::Expired)?;
                cursor.place
            }
        };
        Ok(Self {
            state: state.clone(),
            changes: channel.ring.changes(),
            channel,
            filter,
            place,
            epoch: bounds.epoch,
            poke: Arc::default(),
            heartbeat: state.stream_heartbeat(),
            recheck_at: Instant::now() + until_recheck(state, &caller),
            caller,
            handed_at: None,
            _seat: admitted,
        })
    }

    /// The cursor of what was handed over so far.
    pub(crate) fn cursor(&self) -> String {
        cursor::write(self.caller.pages(), &self.position())
    }

    /// Wakes the reader from its wait: its next turn is [`Turn::Poked`].
    pub(crate) fn poke(&self) -> Arc<Notify> {
        Arc::clone(&self.poke)
    }

    /// Wants other events from here on.
    pub(crate) fn subscribe(&mut self, filter: EventFilter) {
        self.filter = filter;
    }

    /// What comes next. Asked again only when the connection has taken what it was handed: the time
    /// between is the connection's.
    pub(crate) async fn next(&mut self) -> Turn {
        if let Some(handed_at) = self.handed_at.take()
            && handed_at.elapsed() > self.state.stream_stall()
        {
            return self.end(End::Slow);
        }
        let turn = self.find().await;
        self.handed_at = Some(Instant::now());
        turn
    }

    async fn find(&mut self) -> Turn {
        let quiet_at = Instant::now() + self.heartbeat;
        loop {
            if self.state.shutdown().is_cancelled() {
                return self.end(End::Shutdown);
            }
            if Instant::now() >= self.recheck_at && !self.still_allowed().await {
                return self.end(End::Token);
            }
            self.changes.mark_unchanged();
            match self
                .channel
                .ring
                .look(self.place, &self.filter, CHUNK_BYTES)
            {
                Look::At { frames, passed } => {
                    self.place = passed;
                    if !frames.is_empty() {
                        return self.hand(frames);
                    }
                }
                Look::Behind => match self.page().await {
                    Ok(frames) if frames.is_empty() => continue,
                    Ok(frames) => return self.hand(frames),
                    Err(StoreError::Expired(_)) => return self.end(End::Expired),
                    Err(error) => {
                        tracing::debug!(%error, "a reader cannot read the ledger; trying again");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
                Look::NotYet => {}
                Look::Ended(end) => return self.end(end),
            }
            if Instant::now() >= quiet_at {
                return Turn::Quiet {
                    cursor: self.cursor(),
                };
            }
            if self.wait(quiet_at.min(self.recheck_at)).await {
                return Turn::Poked;
            }
        }
    }

    /// Whether what made the caller one still holds. When that cannot be told, the next look tells.
    async fn still_allowed(&mut self) -> bool {
        if self.state.suspended().contains(self.caller.tenant) {
            return false;
        }
        let checked = self
            .state
            .identity()
            .still_valid(&self.caller, clock::now())
            .await;
        self.recheck_at = Instant::now() + until_recheck(&self.state, &self.caller);
        !checked.is_err_and(|problem| problem.code() == Code::Unauthenticated)
    }

    /// Waits for something to look at, until a moment at most; whether somebody poked.
    async fn wait(&mut self, until: Instant) -> bool {
        tokio::select! {
            _ = self.changes.changed() => false,
            () = self.poke.notified() => true,
            () = self.state.shutdown().cancelled() => false,
            () = tokio::time::sleep_until(until) => false,
        }
    }

    /// The next page of the ledger: this reader is behind the ring.
    async fn page(&mut self) -> Result<Vec<Arc<Frame>>, StoreError> {
        let after = self.position();
        let page =
            channel::page(self.state.store(), &self.caller, &after, &self.filter, PAGE).await?;
        self.place = page.reached;
        Ok(channel::frames(page, self.caller.pages()))
    }

    fn hand(&self, frames: Vec<Arc<Frame>>) -> Turn {
        self.state.metrics().stream_events(frames.len());
        Turn::Frames(frames)
    }

    fn end(&self, end: End) -> Turn {
        self.state.metrics().stream_ended(end.as_str());
        Turn::End(end, self.cursor())
    }

    const fn position(&self) -> Cursor {
        Cursor {
            epoch: self.epoch,
            place: self.place,
        }
    }
}

impl Drop for Reader {
    /// A connection may end before it has taken what it was handed last: then its reader was too slow.
    fn drop(&mut self) {
        let stall = self.state.stream_stall();
        if self.handed_at.is_some_and(|at| at.elapsed() > stall) {
            self.state.metrics().stream_ended(End::Slow.as_str());
        }
    }
}

/// How long to wait before the credential is looked at again: until it expires, and no longer than usual.
fn until_recheck(state: &AppState, caller: &Caller) -> Duration {
    let left = caller.shown().expires_at.ms_since(clock::wall());
    Duration::from_millis(left.max(1)).min(state.stream_recheck())
}
