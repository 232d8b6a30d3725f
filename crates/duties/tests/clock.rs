//! A step of the database's clock is on record, once, whichever replica saw it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use jobengine_domain::caller::Caller;
use jobengine_domain::event::EventType;
use jobengine_domain::id::TenantId;
use jobengine_domain::stream::Place;
use jobengine_domain::time::Timestamp;
use jobengine_duties::clock::ClockWatch;
use jobengine_duties::driver::Duty as _;
use jobengine_store::Store;
use jobengine_store::testing::{TestClock, TestDatabase};
use jobengine_telemetry::Registry;
use uuid::Uuid;

async fn steps(store: &Store, count: usize) -> Vec<String> {
    let started = Instant::now();
    loop {
        let installation = Caller::system(TenantId::INSTALLATION);
        let tx = store.read(&installation).await.unwrap();
        let events = tx.events_page(&Place::start(), 100).await.unwrap();
        let found: Vec<String> = events
            .into_iter()
            .filter(|record| record.event.kind == EventType::ClockStepped)
            .map(|record| record.event.reason.unwrap())
            .collect();
        if found.len() >= count {
            return found;
        }
        // Other tests' transactions hold the horizon back.
        assert!(started.elapsed() < Duration::from_secs(20), "{found:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_step_of_the_clock_is_recorded_once() {
    let database = TestDatabase::create().await;
    let clock = TestClock::at(Timestamp::from_micros(1_796_000_000_000_000));
    let store = database.store().await.with_clock(clock.clone());
    let registry = Registry::new();
    let watch = |replica| ClockWatch::new(store.clone(), Uuid::from_u128(replica), &registry);
    let replicas = [watch(1), watch(2)];
    let look = async || {
        for replica in &replicas {
            replica.activate().await.unwrap();
        }
    };
    look().await;
    look().await;
    clock.step_ms(-3_600_000);
    look().await;
    clock.step_ms(7_200_000);
    look().await;
    look().await;
    let steps = steps(&store, 2).await;
    let steps: Vec<i64> = steps.iter().map(|by| by.parse().unwrap()).collect();
    assert_eq!(steps.len(), 2, "{steps:?}");
    assert!((-3_600_900..=-3_600_000).contains(&steps[0]), "{steps:?}");
    assert!((7_199_100..=7_200_000).contains(&steps[1]), "{steps:?}");
    let text = registry.render();
    for direction in ["back", "forward"] {
        let line = format!("jobengine_database_clock_steps_total{{direction=\"{direction}\"}} 2");
        assert!(text.contains(&line), "{text}");
    }
}
