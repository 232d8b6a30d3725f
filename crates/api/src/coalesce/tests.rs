//! The lanes, with work that records its batches.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Semaphore;
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));

/// Doubles numbers; each flush waits for a permit. 999 panics.
struct Doubling {
    batches: Arc<Mutex<Vec<Vec<usize>>>>,
    permits: Arc<Semaphore>,
    busy: Arc<AtomicBool>,
}

impl Flush for Doubling {
    type Request = usize;
    type Answer = usize;

    const KIND: &'static str = "submit";
    const ITEMS_MAX: usize = 10;
    const WAITING_MAX: usize = 25;
    const PLACES: usize = 1;

    fn items(_: &usize) -> usize {
        1
    }

    fn bytes(_: &usize) -> usize {
        8
    }

    async fn flush(&self, _: TenantId, requests: Vec<usize>) -> Vec<Result<usize, Problem>> {
        assert!(
            !self.busy.swap(true, Ordering::SeqCst),
            "one place, one flush"
        );
        self.batches.lock().unwrap().push(requests.clone());
        self.permits.acquire().await.unwrap().forget();
        self.busy.store(false, Ordering::SeqCst);
        assert!(!requests.contains(&999), "planned");
        requests.into_iter().map(|number| Ok(number * 2)).collect()
    }
}

struct House {
    lanes: Coalescer<Doubling>,
    batches: Arc<Mutex<Vec<Vec<usize>>>>,
    permits: Arc<Semaphore>,
}

fn house() -> House {
    let (batches, permits) = (Arc::default(), Arc::new(Semaphore::new(0)));
    let work = Doubling {
        batches: Arc::clone(&batches),
        permits: Arc::clone(&permits),
        busy: Arc::default(),
    };
    House {
        lanes: Coalescer::new(work, Metrics::new(&jobengine_telemetry::Registry::new())),
        batches,
        permits,
    }
}

impl House {
    fn ask(&self, number: usize) -> tokio::task::JoinHandle<Result<usize, Problem>> {
        let lanes = self.lanes.clone();
        tokio::spawn(async move { lanes.ask(TENANT, number).await })
    }

    async fn settled(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn the_first_goes_alone_and_those_behind_it_together() {
    let house = house();
    let first = house.ask(1);
    house.settled().await;
    let others: Vec<_> = (2..=15).map(|number| house.ask(number)).collect();
    house.settled().await;
    house.permits.add_permits(9);
    assert_eq!(first.await.unwrap().unwrap(), 2);
    for (at, other) in others.into_iter().enumerate() {
        assert_eq!(other.await.unwrap().unwrap(), (at + 2) * 2);
    }
    let batches = house.batches.lock().unwrap().clone();
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [1, 10, 4]);
    drop(batches);
    house.settled().await;
    assert!(
        house.lanes.0.lanes().is_empty(),
        "an idle lane costs nothing"
    );
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_its_flush() {
    let house = house();
    let first = house.ask(1);
    let second = house.ask(2);
    house.settled().await;
    first.abort();
    second.abort();
    house.permits.add_permits(9);
    assert_eq!(house.ask(3).await.unwrap().unwrap(), 6);
    let seen: Vec<usize> = house.batches.lock().unwrap().concat();
    assert_eq!(seen, [1, 2, 3]);
}

#[tokio::test]
async fn a_lane_that_is_full_refuses() {
    let house = house();
    let first = house.ask(0);
    house.settled().await;
    let waiting: Vec<_> = (1..=25).map(|number| house.ask(number)).collect();
    house.settled().await;
    let refused = house.ask(26).await.unwrap().unwrap_err();
    assert_eq!(refused.code(), Code::Overloaded);
    house.permits.add_permits(9);
    assert!(first.await.unwrap().is_ok());
    for one in waiting {
        assert!(one.await.unwrap().is_ok());
    }
    assert!(house.ask(27).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_flush_that_panics_fails_its_callers_and_nobody_else() {
    let house = house();
    house.permits.add_permits(9);
    let problem = house.ask(999).await.unwrap().unwrap_err();
    assert_eq!(problem.code(), Code::Internal);
    assert_eq!(house.ask(4).await.unwrap().unwrap(), 8);
}
