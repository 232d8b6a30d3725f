use jobengine_domain::event::{Event, EventType};
use jobengine_domain::id::{EventId, RunId, TenantId};
use jobengine_domain::stream::Epoch;
use jobengine_domain::time::Timestamp;
use jobengine_store::EventRecord;
use jobengine_store::secret::InstallationSecret;
use uuid::Uuid;

use super::*;
use crate::page::Pages;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));

fn frame(txid: u64, run: u128) -> Arc<Frame> {
    let event = Event {
        id: EventId(Uuid::from_u128(u128::from(txid))),
        kind: EventType::RunCreated,
        occurred_at: Timestamp::from_micros(0),
        tenant: TENANT,
        project: None,
        correlation_id: None,
        actor: None,
        run: Some(RunId(Uuid::from_u128(run))),
        job: None,
        attempt: None,
        lease: None,
        session: None,
        reason: None,
        artifacts: Vec::new(),
        duration_ms: None,
        backoff_ms: None,
    };
    let secret = InstallationSecret::from_bytes(&[7; 32]);
    let pages = Pages {
        secret: &secret,
        tenant: TENANT,
    };
    let record = EventRecord {
        place: place(txid),
        event,
    };
    Arc::new(Frame::new(record, Epoch(1), pages))
}

const fn place(txid: u64) -> Place {
    Place {
        txid,
        row: Uuid::from_u128(9),
    }
}

/// The transactions of the frames found, and how far was looked.
fn look(ring: &Ring, after: u64, filter: &EventFilter, most: usize) -> Option<(Vec<u64>, u64)> {
    match ring.look(place(after), filter, most) {
        Look::At { frames, passed } => {
            let found = frames.iter().map(|frame| frame.place.txid).collect();
            Some((found, passed.txid))
        }
        Look::Behind | Look::NotYet | Look::Ended(_) => None,
    }
}

#[test]
fn a_reader_finds_what_comes_after_its_place() {
    let ring = Ring::new();
    let all = EventFilter::default();
    assert!(matches!(ring.look(place(1), &all, 1), Look::NotYet));
    ring.begin(place(10));
    assert!(matches!(ring.look(place(9), &all, 1), Look::Behind));
    assert_eq!(look(&ring, 10, &all, 1_000_000), Some((vec![], 10)));
    ring.push(vec![frame(11, 1), frame(12, 2), frame(13, 1)], place(20));
    assert_eq!(
        look(&ring, 10, &all, 1_000_000),
        Some((vec![11, 12, 13], 20))
    );
    assert_eq!(look(&ring, 12, &all, 1_000_000), Some((vec![13], 20)));
    assert_eq!(
        look(&ring, 10, &all, 1),
        Some((vec![11], 11)),
        "as much as it takes"
    );
    let run = EventFilter {
        run: Some(RunId(Uuid::from_u128(2))),
        ..EventFilter::default()
    };
    assert_eq!(look(&ring, 10, &run, 1_000_000), Some((vec![12], 20)));
    assert_eq!(
        look(&ring, 12, &run, 1_000_000),
        Some((vec![], 20)),
        "moves on past others' events"
    );
}

#[test]
fn the_ring_is_bounded_and_says_who_is_behind() {
    let ring = Ring::new();
    ring.begin(place(0));
    let count = 2 * u64::try_from(RING_BYTES / frame(1, 1).bytes()).unwrap();
    for txid in 1..=count {
        ring.push(vec![frame(txid, 1)], place(txid));
    }
    let kept = ring.lock().frames.len();
    assert!(ring.lock().bytes <= RING_BYTES);
    assert!(kept > 100 && (kept as u64) < count, "{kept} of {count}");
    let all = EventFilter::default();
    assert!(matches!(ring.look(place(1), &all, 1), Look::Behind));
    let floor = count - kept as u64;
    let (found, passed) = look(&ring, floor, &all, usize::MAX).unwrap();
    assert_eq!(
        (found.len(), passed),
        (kept, count),
        "nothing between floor and head is missing"
    );
    assert_eq!(found[0], floor + 1);
}

#[test]
fn an_end_is_told_to_every_reader() {
    let ring = Ring::new();
    ring.begin(place(0));
    ring.end(End::Expired);
    let found = ring.look(place(0), &EventFilter::default(), 1);
    assert!(matches!(found, Look::Ended(End::Expired)));
}
