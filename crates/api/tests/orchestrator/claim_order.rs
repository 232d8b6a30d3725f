//! One order over all the types that a claim names: nothing starves behind another type.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::service::{Person, Service};

const TYPES: [&str; 4] = ["a", "b", "c", "d"];

async fn claim(person: &Person, session: u128, types: &[&str], max: u32, wait: u32) -> Vec<Value> {
    let session = Uuid::from_u128(session);
    let claim = json!({
        "sessionId": session, "worker": "w", "types": types, "max": max, "waitMs": wait,
    });
    let answer = person.post("/worker/claim", &claim).await.ok(200);
    let grants = answer["grants"].as_array().unwrap().clone();
    let reports: Vec<Value> = grants
        .iter()
        .map(|grant| crate::service::report(grant, "succeeded"))
        .collect();
    if !reports.is_empty() {
        let complete = json!({"sessionId": session, "reports": reports});
        person.post("/worker/complete", &complete).await.ok(200);
    }
    grants
}

fn jobs(job_type: &str, priority: &str, count: usize) -> Value {
    json!(vec![
        json!({"type": job_type, "payload": 1, "priority": priority});
        count
    ])
}

#[tokio::test]
async fn an_urgent_job_goes_before_a_backlog_of_another_type() {
    for (workers, max, wait) in [(1, 1, 0), (1, 100, 500), (3, 20, 500), (8, 1, 500)] {
        let service = Service::start().await;
        let ours = service.ours();
        ours.submit(jobs("b", "normal", 2_000)).await;
        let stop = Arc::new(AtomicBool::new(false));
        let granted: Arc<Mutex<BTreeMap<String, (usize, Instant)>>> = Arc::default();
        let working = (1..=workers).map(|session| {
            let (ours, stop, granted) = (ours.clone(), Arc::clone(&stop), Arc::clone(&granted));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let grants = claim(&ours, session, &["a", "b"], max, wait).await;
                    let mut granted = granted.lock().await;
                    for grant in grants {
                        let place = (granted.len(), Instant::now());
                        granted.insert(grant["jobId"].as_str().unwrap().to_owned(), place);
                    }
                }
            })
        });
        let working: Vec<_> = working.collect();
        let started = Instant::now();
        while granted.lock().await.is_empty() && started.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let before = granted.lock().await.len();
        let urgent = ours.submit(jobs("a", "emergency", 1)).await.remove(0);
        let submitted = Instant::now();
        let place = loop {
            ours.submit(jobs("b", "normal", 20)).await;
            if let Some(place) = granted.lock().await.get(&urgent) {
                break Some(*place);
            }
            if submitted.elapsed() > Duration::from_secs(5) {
                break None;
            }
        };
        stop.store(true, Ordering::Relaxed);
        for one in working {
            one.await.unwrap();
        }
        let (place, at) = place.unwrap_or_else(|| {
            panic!("{workers} workers, {max} a claim: the urgent job was never granted")
        });
        let took = at.saturating_duration_since(submitted);
        assert!(took < Duration::from_secs(2), "granted after {took:?}");
        // What was under way when it came: a claim and an answer of each worker, and what was submitted meanwhile.
        let others = place - before;
        let under_way = 4 * usize::try_from(workers * u128::from(max)).unwrap();
        assert!(others <= under_way + 20, "{others} jobs went before it");
    }
}

/// One claim of a worker: which types, as bits, and how many jobs.
fn claims() -> impl Strategy<Value = Vec<(u8, u32)>> {
    proptest::collection::vec((1..16_u8, 1..12_u32), 1..12)
}

fn submits() -> impl Strategy<Value = Vec<(usize, usize)>> {
    proptest::collection::vec((0..4_usize, 0..4_usize), 1..40)
}

fn named(bits: u8) -> Vec<&'static str> {
    let named = (0..4).filter(|bit| bits & (1 << bit) != 0);
    named.map(|bit| TYPES[bit]).collect()
}

/// CLAIM-2: a claim gets the jobs that are first over all its types together.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_gets_what_is_first_over_all_its_types() {
    const BANDS: [&str; 4] = ["low", "normal", "high", "emergency"];
    let service = Service::start().await;
    let ours = service.ours();
    let mut runner = TestRunner::new(Config::with_cases(16));
    let handle = tokio::runtime::Handle::current();
    let outcome = tokio::task::block_in_place(|| {
        runner.run(&(submits(), claims()), |(submits, claims)| {
            handle.block_on(async {
                let jobs: Vec<Value> = submits
                    .iter()
                    .map(|(of, band)| json!({"type": TYPES[*of], "payload": 1, "priority": BANDS[*band]}))
                    .collect();
                ours.submit(json!(jobs)).await;
                // The last claim leaves nothing for the next case.
                for (at, (types, max)) in claims.into_iter().chain([(15, 100)]).enumerate() {
                    let types = named(types);
                    let list = types.join("', '");
                    let order = format!(
                        "SELECT coalesce(string_agg(job_id::text, ' '), '') FROM (
                            SELECT job_id FROM orch.ready WHERE job_type IN ('{list}')
                            ORDER BY sort_key, job_id LIMIT {max}) first"
                    );
                    let expected = service.text(&order).await;
                    let session = 1 + at as u128;
                    let grants = claim(&ours, session, &types, max, 0).await;
                    let mut granted: Vec<&str> =
                        grants.iter().map(|grant| grant["jobId"].as_str().unwrap()).collect();
                    let mut expected: Vec<&str> = expected.split_whitespace().collect();
                    granted.sort_unstable();
                    expected.sort_unstable();
                    prop_assert_eq!(granted, expected);
                }
                Ok(())
            })
        })
    });
    outcome.unwrap();
}

/// CLAIM-3: whatever workers take and whatever else arrives, an urgent job starts within two seconds.
#[tokio::test(flavor = "multi_thread")]
async fn the_longest_wait_is_bounded_whatever_workers_take() {
    const LONGEST: Duration = Duration::from_secs(2);
    let replicas = Service::replicas().await;
    // Drawn once: types as bits, jobs of a claim, milliseconds of a wait.
    let workers: [(u8, u32, u32); 8] = [
        (0b0001, 1, 500),
        (0b0011, 5, 0),
        (0b0110, 20, 500),
        (0b1111, 3, 200),
        (0b1010, 50, 500),
        (0b1110, 1, 0),
        (0b0101, 7, 500),
        (0b1000, 2, 100),
    ];
    let [one, two] = &replicas;
    for of in TYPES {
        one.ours().submit(jobs(of, "normal", 500)).await;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let granted: Arc<Mutex<BTreeMap<String, Instant>>> = Arc::default();
    let working = workers
        .into_iter()
        .enumerate()
        .map(|(at, (types, max, wait))| {
            let person = [one.ours(), two.ours()][at % 2].clone();
            let (stop, granted) = (Arc::clone(&stop), Arc::clone(&granted));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let grants = claim(&person, 1 + at as u128, &named(types), max, wait).await;
                    let now = Instant::now();
                    let mut granted = granted.lock().await;
                    for grant in grants {
                        granted.insert(grant["jobId"].as_str().unwrap().to_owned(), now);
                    }
                }
            })
        });
    let working: Vec<_> = working.collect();
    let mut urgent = Vec::new();
    for turn in 0..24 {
        let person = [one.ours(), two.ours()][turn % 2].clone();
        for of in TYPES {
            person
                .submit(jobs(of, "normal", 30 + 10 * (turn % 3)))
                .await;
        }
        let of = TYPES[(turn * 7 + turn / 4) % 4];
        let id = person.submit(jobs(of, "emergency", 1)).await.remove(0);
        urgent.push((id, of, Instant::now()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(LONGEST).await;
    stop.store(true, Ordering::Relaxed);
    for one in working {
        one.await.unwrap();
    }
    let granted = granted.lock().await;
    for (id, of, submitted) in urgent {
        let at = granted
            .get(&id)
            .unwrap_or_else(|| panic!("an urgent {of} was never granted"));
        let took = at.saturating_duration_since(submitted);
        assert!(took < LONGEST, "an urgent {of} was granted after {took:?}");
    }
}
