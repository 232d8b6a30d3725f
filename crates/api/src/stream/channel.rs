//! One tenant's tailer: reads what became deliverable into the ring, while there is a reader.

use std::sync::Arc;
use std::time::Duration;

use jobengine_domain::caller::Caller;
use jobengine_domain::stream::{Cursor, Place};
use jobengine_store::secret::InstallationSecret;
use jobengine_store::{EventFilter, EventPage, Store, StoreError};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::end::End;
use super::frame::Frame;
use super::pulse::Pulse;
use super::ring::Ring;
use crate::page::Pages;

/// Events per page.
const PAGE: u32 = 200;
/// After a failure, such as a database that is away.
const PAUSE: Duration = Duration::from_millis(250);

/// What the readers of one tenant share. Its tailer ends with the last of them.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) ring: Arc<Ring>,
    _tailer: AbortOnDropHandle<()>,
    _pulse: Arc<Pulse>,
}

impl Channel {
    pub(super) fn start(
        store: Store,
        secret: InstallationSecret,
        caller: Caller,
        pulse: Arc<Pulse>,
    ) -> Self {
        let ring = Arc::new(Ring::new());
        let tailer = Tailer {
            store,
            caller,
            secret,
            ring: Arc::clone(&ring),
            horizon: pulse.horizon(),
        };
        Self {
            ring,
            _tailer: AbortOnDropHandle::new(tokio::spawn(tailer.run())),
            _pulse: pulse,
        }
    }
}

struct Tailer {
    store: Store,
    caller: Caller,
    secret: InstallationSecret,
    ring: Arc<Ring>,
    horizon: watch::Receiver<u64>,
}

impl Tailer {
    async fn run(mut self) {
        let mut cursor = self.begin().await;
        self.ring.begin(cursor.place);
        loop {
            self.horizon.mark_unchanged();
            match page(
                &self.store,
                &self.caller,
                &cursor,
                &EventFilter::default(),
                PAGE,
            )
            .await
            {
                Ok(page) => {
                    cursor.place = page.reached;
                    let more = page.more;
                    self.ring.push(frames(page, self.pages()), cursor.place);
                    // While there is more, the next page at once; an end of the pulse is our end too.
                    if !more && self.horizon.changed().await.is_err() {
                        return;
                    }
                }
                Err(StoreError::Expired(reason)) => {
                    tracing::warn!(tenant = %self.caller.tenant, %reason, "the readers of a tenant's events begin again");
                    self.ring.end(End::Expired);
                    return;
                }
                Err(error) => self.pause(&error).await,
            }
        }
    }

    /// After everything that is deliverable now.
    async fn begin(&self) -> Cursor {
        loop {
            let bounds = async {
                let tx = self.store.read(&self.caller).await?;
                let bounds = tx.events_bounds().await?;
                tx.commit().await?;
                Ok(bounds)
            };
            match bounds.await {
                Ok(bounds) => {
                    return Cursor {
                        epoch: bounds.epoch,
                        place: Place::end_below(bounds.horizon),
                    };
                }
                Err(error) => self.pause(&error).await,
            }
        }
    }

    fn pages(&self) -> Pages<'_> {
        Pages {
            secret: &self.secret,
            tenant: self.caller.tenant,
        }
    }

    async fn pause(&self, error: &StoreError) {
        tracing::debug!(tenant = %self.caller.tenant, %error, "a tenant's events cannot be read; trying again");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Reads one page in a transaction of its own.
pub(super) async fn page(
    store: &Store,
    caller: &Caller,
    after: &Cursor,
    filter: &EventFilter,
    limit: u32,
) -> Result<EventPage, StoreError> {
    let tx = store.read(caller).await?;
    let page = tx.events_after(after, filter, limit).await?;
    tx.commit().await?;
    Ok(page)
}

/// The events of a page as they are sent.
pub(super) fn frames(page: EventPage, pages: Pages<'_>) -> Vec<Arc<Frame>> {
    let EventPage { events, epoch, .. } = page;
    let frame = |record| Arc::new(Frame::new(record, epoch, pages));
    events.into_iter().map(frame).collect()
}
