//! The worker's part of the lease protocol, against a server that fails on demand.
//!
//! - SDK-1: user code that blocks its thread does not stop heartbeats.
//! - SDK-2: a lost lease cancels the handler; its artifacts and its report never leave.
//! - SDK-3: a lease that cannot be confirmed in time is given up before it ends.
//! - SDK-4: a report whose answer was lost is sent again and counts once.
//! - SDK-5: draining finishes what can be finished and gives the rest back.
//! - SDK-6: never more jobs than slots, and claims and reports travel in batches.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod fake;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fake::Fake;
use jobengine_sdk::worker::{Tally, WorkerBuilder};
use jobengine_sdk::{Client, Context, Error, Failure, Grant, Handler, TokenSource, Worker};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const LEASE_MS: u64 = 1_000;

fn worker(fake: &Fake, handler: impl Handler) -> WorkerBuilder {
    let client = Client::builder(&fake.base)
        .token(TokenSource::fixed("secret"))
        .build()
        .unwrap();
    Worker::builder(client)
        .name("w")
        .grace(Duration::from_millis(200))
        .cancel_grace(Duration::from_millis(200))
        .handler("test", handler)
}

fn start(worker: WorkerBuilder) -> (CancellationToken, JoinHandle<Result<Tally, Error>>) {
    let shutdown = CancellationToken::new();
    let worker = worker.build().unwrap();
    let stop = shutdown.clone();
    (
        shutdown,
        tokio::spawn(async move { worker.run(stop).await }),
    )
}

async fn stop(shutdown: &CancellationToken, run: JoinHandle<Result<Tally, Error>>) -> Tally {
    shutdown.cancel();
    run.await.unwrap().unwrap()
}

async fn patient(context: Context, _: Grant) -> Result<Value, Failure> {
    context.cancellation().cancelled().await;
    Err(Failure::new(
        jobengine_sdk::wire::report::FailureClass::User,
        "cancelled",
    ))
}

#[tokio::test]
async fn sdk_1_a_handler_that_blocks_does_not_stop_heartbeats() {
    let fake = Fake::start(LEASE_MS, 1);
    // The only thread of this runtime sleeps for three leases.
    let (shutdown, run) = start(worker(&fake, async |context: Context, _: Grant| {
        context.progress(250, "a quarter");
        std::thread::sleep(Duration::from_millis(3 * LEASE_MS));
        assert!(!context.is_lost());
        Ok(json!({"done": true}))
    }));
    fake.until("the report", |ledger| !ledger.answered.is_empty())
        .await;
    assert_eq!(fake.outcomes(), [(1, "succeeded")]);
    assert_eq!(stop(&shutdown, run).await.succeeded, 1);
    let ledger = fake.ledger();
    assert!(ledger.beats.len() >= 6, "{} heartbeats", ledger.beats.len());
    let gaps = ledger.beats.windows(2).map(|pair| pair[1].0 - pair[0].0);
    assert!(gaps.max().unwrap() < Duration::from_millis(LEASE_MS));
    let told = json!([{"jobId": "00000000-0000-0000-0000-000000000001", "permille": 250, "note": "a quarter"}]);
    assert_eq!(ledger.beats[0].1["progress"], told);
    assert_eq!(ledger.beats[1].1.get("progress"), None);
}

#[tokio::test]
async fn sdk_2_a_lost_lease_cancels_the_handler_and_keeps_its_results_back() {
    let fake = Fake::start(LEASE_MS, 1);
    let ended = CancellationToken::new();
    let told = ended.clone();
    let (shutdown, run) = start(worker(&fake, move |context: Context, _: Grant| {
        let told = told.clone();
        async move {
            context.cancellation().cancelled().await;
            let refused = context.artifact("a.json", "application/json", "{}").await;
            assert!(
                matches!(refused, Err(Error::LeaseLost { .. })),
                "{refused:?}"
            );
            assert!(context.is_lost());
            told.cancel();
            Ok(json!("too late"))
        }
    }));
    fake.until("the first heartbeat", |ledger| !ledger.beats.is_empty())
        .await;
    fake.ledger().leases.clear();
    ended.cancelled().await;
    let tally = stop(&shutdown, run).await;
    assert_eq!((tally.lost, tally.succeeded), (1, 0));
    let ledger = fake.ledger();
    assert_eq!((ledger.completes.len(), ledger.artifacts.len()), (0, 0));
}

#[tokio::test]
async fn sdk_3_a_lease_that_cannot_be_confirmed_is_given_up_in_time() {
    let lease = Duration::from_secs(2);
    let fake = Fake::start(2_000, 1);
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = Mutex::new(Some(tell));
    let (shutdown, run) = start(worker(&fake, move |context: Context, _: Grant| {
        let tell = tell.lock().unwrap().take().unwrap();
        async move {
            context.cancellation().cancelled().await;
            tell.send(Instant::now()).unwrap();
            Ok(json!("too late"))
        }
    }));
    fake.until("a heartbeat", |ledger| !ledger.beats.is_empty())
        .await;
    let confirmed = {
        let mut ledger = fake.ledger();
        ledger.deaf_to_heartbeats = true;
        ledger.beats.last().unwrap().0
    };
    let given_up = told.await.unwrap() - confirmed;
    assert!(given_up > lease / 2, "too soon: {given_up:?}");
    assert!(given_up < lease, "too late: {given_up:?}");
    assert_eq!(stop(&shutdown, run).await.lost, 1);
    assert_eq!(fake.ledger().completes.len(), 0);
}

#[tokio::test]
async fn sdk_4_a_report_whose_answer_was_lost_is_sent_again_and_counts_once() {
    let fake = Fake::start(LEASE_MS, 3);
    fake.ledger().cut_completes = 2;
    let (shutdown, run) = start(worker(&fake, async |_: Context, grant: Grant| {
        Ok(grant.payload)
    }));
    fake.until("three answers", |ledger| ledger.answered.len() == 3)
        .await;
    let tally = stop(&shutdown, run).await;
    assert_eq!((tally.succeeded, tally.lost), (3, 0));
    let ledger = fake.ledger();
    assert!(
        ledger.completes.len() >= 4,
        "{} requests",
        ledger.completes.len()
    );
    assert_eq!(ledger.completes[0], ledger.completes[1]);
    assert_eq!(ledger.completes[0]["reports"][0]["result"], json!({"n": 1}));
}

#[tokio::test]
async fn sdk_5_draining_releases_what_does_not_finish() {
    let fake = Fake::start(LEASE_MS, 3);
    let (shutdown, run) = start(
        worker(&fake, async |context: Context, grant: Grant| {
            if grant.payload["n"] == 1 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                return Ok(Value::Null);
            }
            if grant.payload["n"] == 2 {
                return patient(context, grant).await;
            }
            // Deaf to its cancellation; it is cut off.
            tokio::time::sleep(Duration::from_mins(1)).await;
            Ok(Value::Null)
        })
        .concurrency(3),
    );
    fake.until("all are held", |ledger| ledger.leases.len() == 3)
        .await;
    let tally = stop(&shutdown, run).await;
    assert_eq!(
        fake.outcomes(),
        [(1, "succeeded"), (2, "released"), (3, "released")]
    );
    assert_eq!((tally.succeeded, tally.released, tally.lost), (1, 2, 0));
    assert!(fake.ledger().leases.is_empty());
}

#[tokio::test]
async fn sdk_5_a_dropped_worker_gives_its_jobs_back() {
    let fake = Fake::start(LEASE_MS, 1);
    let (_shutdown, run) = start(worker(&fake, patient));
    fake.until("the job is held", |ledger| !ledger.leases.is_empty())
        .await;
    run.abort();
    fake.until("the release", |ledger| !ledger.answered.is_empty())
        .await;
    assert_eq!(fake.outcomes(), [(1, "released")]);
}

#[tokio::test]
async fn sdk_5_the_server_may_ask_to_drain() {
    let fake = Fake::start(LEASE_MS, 2);
    fake.ledger().directive = Some("drain");
    let (_shutdown, run) = start(
        worker(&fake, async |_: Context, _: Grant| {
            tokio::time::sleep(Duration::from_millis(LEASE_MS * 2 / 3)).await;
            Ok(Value::Null)
        })
        .grace(Duration::from_secs(5)),
    );
    let tally = run.await.unwrap().unwrap();
    assert_eq!(tally.succeeded, 1);
    assert_eq!(fake.ledger().queue.len(), 1);
}

#[tokio::test]
async fn a_canceled_job_is_reported_so() {
    let fake = Fake::start(LEASE_MS, 1);
    fake.ledger().directive = Some("cancel");
    let (shutdown, run) = start(worker(&fake, patient));
    fake.until("the report", |ledger| !ledger.answered.is_empty())
        .await;
    assert_eq!(fake.outcomes(), [(1, "canceled")]);
    assert_eq!(stop(&shutdown, run).await.canceled, 1);
}

#[tokio::test]
async fn sdk_6_slots_bound_the_jobs_and_batches_carry_them() {
    const JOBS: usize = 400;
    const SLOTS: u32 = 64;
    let fake = Fake::start(10_000, JOBS);
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now, peak) = (Arc::clone(&running), Arc::clone(&most));
    let (shutdown, run) = start(
        worker(&fake, move |_: Context, _: Grant| {
            let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
            async move {
                peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(2)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(Value::Null)
            }
        })
        .concurrency(SLOTS),
    );
    fake.until("all answers", |ledger| ledger.answered.len() == JOBS)
        .await;
    assert_eq!(stop(&shutdown, run).await.succeeded, JOBS as u64);
    let most = most.load(Ordering::SeqCst);
    assert!((2..=SLOTS as usize).contains(&most), "{most} at a time");
    let ledger = fake.ledger();
    assert!(
        ledger.claims.len() < JOBS / 2,
        "{} claims",
        ledger.claims.len()
    );
    assert!(
        ledger.completes.len() < JOBS / 2,
        "{} completes",
        ledger.completes.len()
    );
}

#[tokio::test]
async fn an_unreadable_report_harms_only_itself() {
    let fake = Fake::start(LEASE_MS, 3);
    fake.ledger().unreadable = Some("bad");
    let begun = AtomicBool::new(false);
    let (shutdown, run) = start(
        worker(&fake, move |_: Context, grant: Grant| {
            let bad = grant.payload["n"] == 2 && !begun.swap(true, Ordering::SeqCst);
            async move { Ok(if bad { json!("bad") } else { json!("good") }) }
        })
        .concurrency(3),
    );
    fake.until("three answers", |ledger| ledger.answered.len() == 3)
        .await;
    assert_eq!(
        fake.outcomes(),
        [(1, "succeeded"), (2, "failed"), (3, "succeeded")]
    );
    stop(&shutdown, run).await;
}

#[tokio::test]
async fn a_panic_is_a_failure_of_that_job_only() {
    let fake = Fake::start(LEASE_MS, 2);
    let (shutdown, run) = start(worker(&fake, async |context: Context, grant: Grant| {
        assert!(grant.payload["n"] != 1, "planned");
        let stored = context
            .artifact("a b.json", "application/json", "{}")
            .await?;
        Ok(json!(stored.bytes))
    }));
    fake.until("two answers", |ledger| ledger.answered.len() == 2)
        .await;
    assert_eq!(fake.outcomes(), [(1, "failed"), (2, "succeeded")]);
    stop(&shutdown, run).await;
    let ledger = fake.ledger();
    assert_eq!(ledger.artifacts, ["token-2 a b.json application/json"]);
    assert_eq!(ledger.completes[0]["reports"][0]["class"], "internal");
}

#[tokio::test]
async fn a_worker_that_is_refused_again_and_again_says_so() {
    let fake = Fake::start(LEASE_MS, 1);
    fake.ledger().refuse_claims = Some("SCOPE_MISSING");
    let (_shutdown, run) = start(worker(&fake, patient));
    let error = run.await.unwrap().unwrap_err();
    assert_eq!(error.code(), Some("SCOPE_MISSING"));
    assert!(fake.ledger().claims.len() > 1);
}

#[test]
fn a_worker_needs_sense() {
    let client = || Client::builder("http://127.0.0.1:1").build().unwrap();
    let refused = |builder: WorkerBuilder| matches!(builder.build(), Err(Error::Settings(_)));
    assert!(refused(Worker::builder(client())));
    assert!(refused(
        Worker::builder(client())
            .handler("test", patient)
            .concurrency(0)
    ));
    assert!(refused(
        Worker::builder(client()).handler("test", patient).name(" ")
    ));
    assert!(!refused(Worker::builder(client()).handler("test", patient)));
}
