//! The stream of events: complete whatever the order of commits, the same whenever it is read, and never with a hole.

use jobengine_domain::class::FailureClass;
use jobengine_domain::event::{Event, EventType};
use jobengine_domain::id::{RunId, TenantId};
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::state::Report;
use jobengine_domain::stream::{Cursor, Epoch, Expired, Place};
use jobengine_domain::time::Timestamp;
use jobengine_store::{
    EventBounds, EventFilter, EventPage, JobReport, StoreError, TypeClaim, WorkerSession,
};
use uuid::Uuid;

use crate::house::{Ledger, SESSION, failed, job};

impl Ledger {
    async fn bounds(&self) -> EventBounds {
        let tx = self.store.begin(&self.caller).await.unwrap();
        tx.events_bounds().await.unwrap()
    }

    async fn page(&self, after: Cursor, filter: &EventFilter) -> Result<EventPage, StoreError> {
        let tx = self.store.begin(&self.caller).await.unwrap();
        tx.events_after(&after, filter, 500).await
    }

    async fn start(&self) -> Cursor {
        Cursor {
            epoch: self.bounds().await.epoch,
            place: Place::start(),
        }
    }

    /// Every event that can be read, once `count` of them can: other tests' transactions hold the horizon back.
    async fn events(&self, filter: &EventFilter, count: usize) -> Vec<Event> {
        for _ in 0..400 {
            let page = self.page(self.start().await, filter).await.unwrap();
            if page.events.len() >= count {
                return page.events.into_iter().map(|record| record.event).collect();
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("{count} events did not come in time");
    }

    async fn event_at(&self, occurred_at: &str, days_ago: u32) {
        let (tenant, at) = (
            self.caller.tenant,
            format!("now() - interval '{days_ago} days'"),
        );
        self.sql(&format!(
            "INSERT INTO orch.event (tenant_id, event_id, kind, occurred_at, reason)
             VALUES ('{tenant}', orch.uuid_floor({at}), 'image.changed', {at}, '{occurred_at}')"
        ))
        .await;
    }
}

fn kinds(events: &[Event]) -> Vec<EventType> {
    events.iter().map(|event| event.kind).collect()
}

#[tokio::test]
async fn what_commits_late_is_neither_passed_nor_repeated() {
    let ledger = Ledger::open().await;
    let (early, connection) = ledger
        .database
        .super_config()
        .connect(tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let tenant = ledger.caller.tenant;
    let write = format!(
        "BEGIN; INSERT INTO orch.event (tenant_id, event_id, kind, occurred_at, reason)
         VALUES ('{tenant}', orch.uuid_floor(now()), 'image.changed', now(), 'early')"
    );
    early.batch_execute(&write).await.unwrap();
    let late = ledger.submit(&[job()]).await;
    let start = ledger.start().await;
    let page = ledger.page(start, &EventFilter::default()).await.unwrap();
    assert!(
        page.events.is_empty(),
        "the first transaction is still open"
    );
    assert!(!page.more);
    early.batch_execute("COMMIT").await.unwrap();
    let mut seen = Vec::new();
    let mut after = Cursor {
        place: page.reached,
        ..start
    };
    while seen.len() < 2 {
        let page = ledger.page(after, &EventFilter::default()).await.unwrap();
        after.place = page.reached;
        seen.extend(page.events.into_iter().map(|record| record.event));
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].reason.as_deref(), Some("early"));
    let job = seen[1].job.as_ref().unwrap();
    assert_eq!(job.id, late[0], "in the order of the transactions");
}

#[tokio::test]
async fn an_event_tells_of_its_attempt_whenever_it_is_read() {
    let ledger = Ledger::open().await;
    let ids = ledger.submit(&[job()]).await;
    let grant = ledger.claim(1).await.remove(0);
    let filter = EventFilter {
        job: Some(ids[0]),
        ..EventFilter::default()
    };
    let leased = ledger.events(&filter, 2).await.remove(1);
    assert_eq!(leased.session, Some(SESSION));
    assert_eq!(leased.attempt, Some(1));
    assert!(leased.lease.is_some());
    ledger.report(&grant, failed(FailureClass::Network)).await;
    ledger.pass_time().await;
    let grant = ledger.claim(1).await.remove(0);
    ledger.pass_time().await;
    assert_eq!(
        ledger.store.reap(ledger.caller.tenant, 10).await.unwrap(),
        1
    );
    ledger.pass_time().await;
    let again = ledger.claim(1).await.remove(0);
    ledger.report(&again, Report::Succeeded).await;
    let events = ledger.events(&filter, 7).await;

    assert_eq!(
        kinds(&events),
        [
            EventType::JobSubmitted,
            EventType::JobLeased,
            EventType::JobQueued,
            EventType::JobLeased,
            EventType::JobQueued,
            EventType::JobLeased,
            EventType::JobSucceeded
        ]
    );
    // The clock of the test moved the grants that were open; the first had ended by then.
    assert_eq!(events[1].lease, leased.lease, "a lease keeps its name");
    assert_eq!(events[2].lease, leased.lease);
    assert!(events[2].backoff_ms.unwrap() >= 2_000);
    assert!(events[2].duration_ms.is_some());
    assert_eq!(events[4].reason.as_deref(), Some("crashed"));
    assert!(events[4].lease.is_some() && events[4].lease != events[2].lease);
    assert_ne!(grant.fence, again.fence);
    let keys: std::collections::BTreeSet<String> =
        events.iter().map(Event::idempotency_key).collect();
    assert_eq!(keys.len(), events.len());
}

#[tokio::test]
async fn filters_keep_what_they_name() {
    let ledger = Ledger::open().await;
    let (run, _) = ledger.run(&[job(), job()]).await;
    ledger.submit(&[job()]).await;
    let all = ledger.events(&EventFilter::default(), 4).await;
    assert_eq!(all.len(), 4);
    let of = |run| EventFilter {
        run: Some(run),
        ..EventFilter::default()
    };
    let created = EventFilter {
        types: vec![EventType::RunCreated],
        ..of(run)
    };
    assert_eq!(ledger.events(&of(run), 3).await.len(), 3);
    assert_eq!(
        kinds(&ledger.events(&created, 1).await),
        [EventType::RunCreated]
    );
    assert!(ledger.events(&of(RunId(Uuid::nil())), 0).await.is_empty());
    for filter in [
        EventFilter::default(),
        of(run),
        created,
        of(RunId(Uuid::nil())),
    ] {
        let kept = all.iter().filter(|event| filter.takes(event)).count();
        assert_eq!(
            ledger.events(&filter, kept).await.len(),
            kept,
            "in memory as in SQL"
        );
    }
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let origin = tx.events_origin(&of(run)).await.unwrap().unwrap();
    let from = Cursor {
        place: origin,
        ..ledger.start().await
    };
    assert_eq!(ledger.page(from, &of(run)).await.unwrap().events.len(), 3);
    let before = Cursor {
        place: Place::end_below(origin.txid),
        ..from
    };
    let page = ledger.page(before, &EventFilter::default()).await.unwrap();
    assert_eq!(
        page.events.len(),
        4,
        "nothing of the run comes before its origin"
    );
}

#[tokio::test]
async fn a_trim_leaves_word_and_never_takes_what_is_young() {
    let ledger = Ledger::open().await;
    ledger
        .sql(
            "CREATE TABLE orch.event_old PARTITION OF orch.event
                 FOR VALUES FROM (orch.uuid_floor(now() - interval '9 days')) TO (orch.uuid_floor(now() - interval '7 days'));
             ALTER TABLE orch.event_old OWNER TO orch_owner",
        )
        .await;
    ledger.event_at("old", 8).await;
    // No partition is of that day: it lies in the default one.
    ledger.event_at("older", 20).await;
    let old = ledger.events(&EventFilter::default(), 2).await;
    assert_eq!(old.len(), 2);
    let start = ledger.start().await;
    let first = ledger.page(start, &EventFilter::default()).await.unwrap();
    let read_all = Cursor {
        place: first.events[1].place,
        ..start
    };
    let read_one = Cursor {
        place: first.events[0].place,
        ..start
    };
    ledger.submit(&[job()]).await;
    let now = Timestamp::from_micros(i64::MAX);
    assert_eq!(ledger.store.events_trim(now).await.unwrap(), 1);
    assert_eq!(
        ledger.store.events_trim(now).await.unwrap(),
        0,
        "a day is kept whatever is asked"
    );
    let bounds = ledger.bounds().await;
    assert_eq!(bounds.trimmed_to, Some(read_all.place));
    for cursor in [start, read_one] {
        let refused = ledger.page(cursor, &EventFilter::default()).await;
        assert!(
            matches!(refused, Err(StoreError::Expired(Expired::Trimmed))),
            "{refused:?}"
        );
    }
    let page = loop {
        let page = ledger
            .page(read_all, &EventFilter::default())
            .await
            .unwrap();
        if !page.events.is_empty() {
            break page;
        }
    };
    assert_eq!(page.events[0].event.kind, EventType::JobSubmitted);
    assert_eq!(page.events.len(), 1);
}

#[tokio::test]
async fn a_cursor_of_another_history_is_refused() {
    let ledger = Ledger::open().await;
    let start = ledger.start().await;
    let other = Cursor {
        epoch: Epoch(start.epoch.0 ^ 1),
        ..start
    };
    let ahead = Cursor {
        place: Place::before(u64::from(u32::MAX)),
        ..start
    };
    for cursor in [other, ahead] {
        let refused = ledger.page(cursor, &EventFilter::default()).await;
        assert!(matches!(
            refused,
            Err(StoreError::Expired(Expired::OtherHistory))
        ));
    }
    let other = jobengine_domain::caller::Caller::system(TenantId(Uuid::from_u128(0xb)));
    ledger
        .store
        .tenant_create(other.tenant, "b", 1)
        .await
        .unwrap();
    ledger.submit(&[job()]).await;
    ledger.events(&EventFilter::default(), 1).await;
    let tx = ledger.store.begin(&other).await.unwrap();
    assert!(
        tx.events_page(&Place::start(), 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_commit_with_events_is_heard_in_its_process() {
    let ledger = Ledger::open().await;
    let mut commits = ledger.store.commits();
    commits.mark_unchanged();
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!commits.has_changed().unwrap());
    ledger.submit(&[job()]).await;
    assert!(commits.has_changed().unwrap());
}

#[tokio::test]
async fn a_claim_that_began_before_the_submit_it_sees_is_told_after_it() {
    let ledger = Ledger::open().await;
    // The claim draws its number, then another one submits, then the claim sees the job.
    let claim = ledger.store.begin(&ledger.caller).await.unwrap();
    let session = WorkerSession {
        id: SESSION,
        worker: "w".into(),
        subject: ledger.caller.subject.clone(),
        slots: None,
    };
    let lease = LeaseMs::new(30_000).unwrap();
    claim.sessions_open(&[session], lease).await.unwrap();
    let jobs = ledger.submit(&[job(), job()]).await;
    let grants = claim
        .lease_claim(&[TypeClaim::of("t", &[SESSION; 2])])
        .await;
    claim.commit().await.unwrap();
    let reports: Vec<JobReport> = grants
        .unwrap()
        .concat()
        .into_iter()
        .map(|grant| JobReport {
            job: grant.job,
            token: grant.token,
            report: Report::Succeeded,
            detail: None,
            result: None,
        })
        .collect();
    assert_eq!(reports.len(), 2);
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    tx.jobs_complete(&reports).await.unwrap();
    tx.commit().await.unwrap();
    for job in jobs {
        let filter = EventFilter {
            job: Some(job),
            ..EventFilter::default()
        };
        let events = ledger.events(&filter, 3).await;
        let life = [
            EventType::JobSubmitted,
            EventType::JobLeased,
            EventType::JobSucceeded,
        ];
        assert_eq!(kinds(&events), life);
        assert!(events.is_sorted_by(|one, next| one.occurred_at < next.occurred_at));
        assert!(events.is_sorted_by(|one, next| one.id < next.id));
    }
}
