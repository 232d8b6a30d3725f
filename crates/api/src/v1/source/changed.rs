//! What the change of a source is answered with.

use axum::http::header::ETAG;
use jobengine_store::{SourceRecord, StoreError, Tx};

use super::view::Source;
use crate::act::{Done, Failure};
use crate::v1::version::etag;

/// The source as it is now, under its version; the record says what it was before.
pub(super) async fn changed(tx: &Tx, before: SourceRecord) -> Result<Done, Failure> {
    let id = before.id;
    let record = tx
        .source_get(id)
        .await?
        .ok_or(StoreError::Stale("the source"))?;
    let tag = etag(record.version);
    let before = Source::of(before).digest();
    let done = Done::ok(Source::of(record)).of("source", id).before(before);
    Ok(done.header(ETAG, &tag))
}
