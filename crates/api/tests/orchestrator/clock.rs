//! The database's clock is set, forwards and back: no document says that a thing ended before it began.

use std::time::{Duration, Instant};

use jobengine_domain::time::Timestamp;
use jobengine_store::testing::TestClock;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::service::{Person, SESSION, Service, report};

const HOUR_MS: i64 = 3_600_000;

fn noon() -> Timestamp {
    "2026-12-01T12:00:00Z".parse().unwrap()
}

/// Moments of a document that follow each other, as far as they are there.
fn check_order(document: &Value, names: &[&str]) {
    let moments: Vec<&str> = names
        .iter()
        .filter_map(|name| document[*name].as_str())
        .collect();
    assert!(moments.is_sorted(), "{names:?} of {document:#}");
}

/// The events of a job or run, once there are so many: other tests' transactions hold the horizon back.
async fn events(ours: &Person, of: &str, count: usize) -> Vec<Value> {
    let started = Instant::now();
    loop {
        let page = ours.get(&format!("/events?{of}")).await.ok(200);
        let events = page["items"].as_array().unwrap().clone();
        if events.len() >= count {
            return events;
        }
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{count} of {events:#?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Every document about a run and its jobs.
async fn check(ours: &Person, run: &Value) {
    let id = run["runId"].as_str().unwrap();
    let document = ours.get(&format!("/runs/{id}")).await.ok(200);
    check_order(&document, &["createdAt", "startedAt", "finishedAt"]);
    let gantt = ours.get(&format!("/runs/{id}/gantt")).await.ok(200);
    for row in gantt["rows"].as_array().unwrap() {
        check_order(row, &["createdAt", "freeAt", "endedAt"]);
        let mut before = row["freeAt"].as_str().unwrap_or_default().to_owned();
        for bar in row["bars"].as_array().unwrap() {
            check_order(bar, &["grantedAt", "startedAt", "endedAt"]);
            assert!(
                before.as_str() <= bar["grantedAt"].as_str().unwrap(),
                "{row:#}"
            );
            bar["endedAt"]
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut before);
            let end = bar["endedAt"].as_str().or(gantt["at"].as_str());
            assert!(bar["grantedAt"].as_str() <= end, "{gantt:#}");
        }
    }
    let mut told = 0;
    for job in run["jobs"].as_array().unwrap() {
        let job = job["jobId"].as_str().unwrap();
        check_order(
            &ours.get(&format!("/jobs/{job}")).await.ok(200),
            &["createdAt", "startedAt", "endedAt"],
        );
        let history = ours.get(&format!("/jobs/{job}/history")).await.ok(200);
        let moments = history["moments"].as_array().unwrap();
        let at: Vec<&str> = moments
            .iter()
            .map(|it| it["at"].as_str().unwrap())
            .collect();
        assert!(at.is_sorted(), "{history:#}");
        for attempt in history["attempts"].as_array().unwrap() {
            check_order(attempt, &["grantedAt", "startedAt", "endedAt"]);
        }
        let events = events(ours, &format!("jobId={job}"), moments.len()).await;
        told += moments.len();
        let at: Vec<&str> = events
            .iter()
            .map(|it| it["occurredAt"].as_str().unwrap())
            .collect();
        assert!(at.is_sorted_by(|one, next| one < next), "{events:#?}");
        assert_eq!(events[0]["eventType"], "job.submitted");
        let negative = events.iter().any(|it| {
            it["metrics"]["durationSeconds"].as_f64() < Some(0.0)
                && it["metrics"]["durationSeconds"].is_number()
        });
        assert!(!negative, "{events:#?}");
    }
    let all = told + 1 + usize::from(document["finishedAt"].is_string());
    let events = events(ours, &format!("runId={id}"), all).await;
    assert_eq!(events[0]["eventType"], "run.created", "{events:#?}");
    if document["finishedAt"].is_string() {
        assert_eq!(
            events.last().unwrap()["eventType"],
            "run.finished",
            "{events:#?}"
        );
    }
}

async fn run_of_two(ours: &Person) -> Value {
    let run = json!({"jobs": [
        {"key": "a", "type": "t", "payload": 1},
        {"key": "b", "type": "t", "payload": 2, "parents": [{"key": "a", "policy": "always"}]},
    ]});
    ours.post("/runs", &run).await.ok(201)
}

#[tokio::test]
async fn an_attempt_does_not_end_before_it_was_granted() {
    let clock = TestClock::at(noon());
    let service = Service::clocked(clock.clone()).await;
    let ours = service.ours();
    let run = run_of_two(&ours).await;
    clock.step_ms(-HOUR_MS);
    let first = ours.claim(1, 0).await.remove(0);
    clock.step_ms(-HOUR_MS);
    let done = json!([report(&first, "succeeded")]);
    assert_eq!(
        ours.complete(done).await.ok(200)["results"][0]["state"],
        "succeeded"
    );
    clock.step_ms(-HOUR_MS);
    let second = ours.claim(1, 0).await.remove(0);
    clock.step_ms(-HOUR_MS);
    ours.complete(json!([report(&second, "succeeded")]))
        .await
        .ok(200);
    check(&ours, &run).await;
    let job = first["jobId"].as_str().unwrap();
    let history = ours.get(&format!("/jobs/{job}/history")).await.ok(200);
    let attempt = &history["attempts"][0];
    assert!(
        attempt["grantedAt"].as_str() <= attempt["endedAt"].as_str(),
        "{history:#}"
    );
}

/// What is done between two steps of the clock.
#[derive(Debug, Clone, Copy)]
enum Do {
    Claim,
    Begin,
    Report(&'static str),
    Prioritize,
    Cancel,
    Retry,
}

fn doings() -> impl Strategy<Value = Vec<(Do, i64)>> {
    let one = prop_oneof![
        4 => Just(Do::Claim),
        2 => Just(Do::Begin),
        3 => Just(Do::Report("succeeded")),
        2 => Just(Do::Report("failed")),
        2 => Just(Do::Report("released")),
        1 => Just(Do::Prioritize),
        1 => Just(Do::Cancel),
        1 => Just(Do::Retry),
    ];
    let step = prop_oneof![Just(0), -3 * HOUR_MS..0, 0..HOUR_MS, 0..2_000_i64];
    vec((one, step), 4..20)
}

/// CLOCK-1: whatever the clock does, the order and the durations of a job's life are those in which it happened.
#[tokio::test(flavor = "multi_thread")]
async fn every_document_is_monotonic_whatever_the_clock_does() {
    let clock = TestClock::at(noon());
    let service = Service::clocked(clock.clone()).await;
    let ours = service.ours();
    let mut runner = TestRunner::new(Config::with_cases(24));
    let handle = tokio::runtime::Handle::current();
    let outcome = tokio::task::block_in_place(|| {
        runner.run(&doings(), |doings| {
            handle.block_on(live(&service, &ours, &clock, &doings));
            Ok(())
        })
    });
    outcome.unwrap();
}

async fn live(service: &Service, ours: &Person, clock: &TestClock, doings: &[(Do, i64)]) {
    // Nothing of an earlier case is claimed.
    service
        .sql("DELETE FROM orch.ready; DELETE FROM orch.delayed; DELETE FROM orch.lease")
        .await;
    let run = run_of_two(ours).await;
    let jobs: Vec<&str> = run["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["jobId"].as_str().unwrap())
        .collect();
    let mut held: Vec<Value> = Vec::new();
    for (turn, (what, step)) in doings.iter().enumerate() {
        clock.step_ms(*step);
        let job = jobs[turn % jobs.len()];
        match what {
            Do::Claim => held.extend(ours.claim(2, 0).await),
            Do::Begin => {
                let lease = |grant: &Value| json!({"jobId": grant["jobId"], "leaseToken": grant["leaseToken"]});
                let leases: Vec<Value> = held.iter().map(lease).collect();
                if !leases.is_empty() {
                    ours.post("/worker/ack", &json!({"leases": leases})).await;
                }
            }
            Do::Report(outcome) => {
                if let Some(grant) = held.pop() {
                    let mut said = report(&grant, outcome);
                    if *outcome == "failed" {
                        said["class"] = json!("network");
                    }
                    // The lease may be lost by now.
                    let said = json!({"sessionId": SESSION, "reports": [said]});
                    drop(ours.post("/worker/complete", &said).await);
                }
            }
            Do::Prioritize => {
                let high = json!({"priority": "high"});
                ours.post(&format!("/jobs/{job}:prioritize"), &high).await;
            }
            Do::Cancel => drop(ours.post(&format!("/jobs/{job}:cancel"), &json!({})).await),
            Do::Retry => drop(ours.post(&format!("/jobs/{job}:retry"), &json!({})).await),
        }
    }
    check(ours, &run).await;
}
