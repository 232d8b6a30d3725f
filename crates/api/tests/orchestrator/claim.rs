//! Waiting for jobs: woken at once, shared fairly, given back when nobody takes them.

use std::time::{Duration, Instant};

use jobengine_domain::caller::Scope;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::service::{OURS, Person, SESSION, Service, job, report};

/// A claim of a session of its own.
async fn claim(person: Person, session: u128, max: u32, wait_ms: u32) -> Vec<Value> {
    let claim = json!({
        "sessionId": Uuid::from_u128(session), "worker": "w", "types": ["t", "u"], "max": max, "waitMs": wait_ms,
    });
    let answer = person.post("/worker/claim", &claim).await.ok(200);
    answer["grants"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_waiting_worker_is_woken_within_a_tenth_of_a_second() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut waits = Vec::new();
    for _ in 0..5 {
        let waiting = tokio::spawn({
            let ours = ours.clone();
            async move { (ours.claim(5, 10_000).await, Instant::now()) }
        });
        tokio::time::sleep(Duration::from_millis(150)).await;
        let submitted = Instant::now();
        ours.submit(json!([job()])).await;
        let (grants, woken) = waiting.await.unwrap();
        assert_eq!(grants.len(), 1);
        waits.push(woken.saturating_duration_since(submitted));
        ours.complete(json!([report(&grants[0], "succeeded")]))
            .await
            .ok(200);
    }
    waits.sort_unstable();
    assert!(
        waits[2] < Duration::from_millis(100),
        "woken after {waits:?}"
    );
}

#[tokio::test]
async fn a_wait_ends_empty_when_its_time_is_over() {
    let service = Service::start().await;
    let started = Instant::now();
    assert!(service.ours().claim(5, 300).await.is_empty());
    let took = started.elapsed();
    assert!(
        took >= Duration::from_millis(290) && took < Duration::from_secs(2),
        "{took:?}"
    );
}

#[tokio::test]
async fn waiting_workers_share_a_burst() {
    let service = Service::start().await;
    let ours = service.ours();
    let waiting: Vec<_> = (1..=4)
        .map(|session| tokio::spawn(claim(ours.clone(), session, 10, 10_000)))
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    ours.submit(json!([
        job(),
        job(),
        job(),
        job(),
        job(),
        job(),
        job(),
        job()
    ]))
    .await;
    for one in waiting {
        assert_eq!(one.await.unwrap().len(), 2);
    }
    // All of them in one statement, or nearly.
    assert!(service.sample("jobengine_flush_items_count{kind=\"claim\"}") <= 10);
}

#[tokio::test]
async fn no_job_is_handed_out_twice_however_many_ask() {
    let service = Service::start().await;
    let ours = service.ours();
    let jobs: Vec<Value> = (0..300)
        .map(|at| json!({"type": if at % 2 == 0 { "t" } else { "u" }, "payload": at}))
        .collect();
    let mut submitted = ours.submit(json!(jobs)).await;
    let workers = (1..=12).map(|session| {
        let ours = ours.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let grants = claim(ours.clone(), session, 7, 0).await;
                if grants.is_empty() {
                    return mine;
                }
                mine.extend(
                    grants
                        .iter()
                        .map(|grant| grant["jobId"].as_str().unwrap().to_owned()),
                );
            }
        })
    });
    let mut claimed = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        claimed.extend(worker.await.unwrap());
    }
    claimed.sort_unstable();
    submitted.sort_unstable();
    assert_eq!(claimed, submitted);
}

#[tokio::test]
async fn an_urgent_job_is_found_behind_the_place_the_lane_has_come_to() {
    let service = Service::start().await;
    let ours = service.ours();
    ours.submit(json!([job(), job()])).await;
    assert_eq!(ours.claim(2, 0).await.len(), 2);
    let urgent = ours
        .submit(json!([{"type": "t", "payload": 1, "priority": "emergency"}]))
        .await;
    assert_eq!(ours.claim(1, 0).await[0]["jobId"], urgent[0]);
    // Nobody announced this one: it came back by hand.
    let back = ours.submit(json!([job()])).await;
    service.sql("UPDATE orch.ready SET sort_key = 5").await;
    assert_eq!(ours.claim(1, 0).await[0]["jobId"], back[0]);
}

#[tokio::test]
async fn what_a_vanished_client_was_dealt_is_given_back() {
    let service = Service::start().await;
    let ours = service.ours();
    let gone = tokio::spawn(claim(ours.clone(), 1, 5, 10_000));
    tokio::time::sleep(Duration::from_millis(300)).await;
    gone.abort();
    let ids = ours.submit(json!([job()])).await;
    let grants = ours.claim(1, 5_000).await;
    assert_eq!(grants[0]["jobId"], ids[0]);
    assert_eq!(
        grants[0]["attempt"], 1,
        "an attempt nobody made is not counted"
    );
}

#[tokio::test]
async fn a_released_job_wakes_the_next_worker() {
    let service = Service::start().await;
    let ours = service.ours();
    ours.submit(json!([job()])).await;
    let grant = ours.claim(1, 0).await.remove(0);
    let waiting = tokio::spawn(claim(ours.clone(), 2, 1, 10_000));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let released = Instant::now();
    let answer = ours
        .complete(json!([report(&grant, "released")]))
        .await
        .ok(200);
    assert_eq!(answer["results"][0]["state"], "queued");
    let grants = waiting.await.unwrap();
    assert_eq!(grants[0]["jobId"], grant["jobId"]);
    assert!(
        released.elapsed() < Duration::from_millis(500),
        "{:?}",
        released.elapsed()
    );
}

#[tokio::test]
async fn a_session_belongs_to_the_principal_that_opened_it() {
    let service = Service::start().await;
    let (ours, stranger) = (service.ours(), service.acting("stranger", OURS, Scope::ALL));
    ours.submit(json!([job(), job()])).await;
    ours.claim(1, 0).await;
    let claim = json!({"sessionId": SESSION, "worker": "w", "types": ["t"], "max": 1});
    let taken = stranger.post("/worker/claim", &claim).await;
    assert_eq!(taken.problem(), (409, "SESSION_TAKEN"));
    assert_eq!(ours.claim(5, 0).await.len(), 1, "the stranger got nothing");
}

#[tokio::test]
async fn a_worker_of_another_replica_is_woken_too() {
    let [one, two] = Service::replicas().await;
    let waiting = tokio::spawn({
        let person = two.ours();
        async move { (person.claim(1, 10_000).await, Instant::now()) }
    });
    tokio::time::sleep(Duration::from_millis(600)).await;
    let submitted = Instant::now();
    let ids = one.ours().submit(json!([job()])).await;
    let (grants, woken) = waiting.await.unwrap();
    assert_eq!(grants[0]["jobId"], ids[0]);
    let took = woken.saturating_duration_since(submitted);
    assert!(took < Duration::from_millis(1_500), "{took:?}");
}

#[tokio::test]
async fn a_grant_says_for_whom_the_job_is_done() {
    let service = Service::start().await;
    let ours = service.ours();
    let project = ours.post("/projects", &json!({"name": "p"})).await.ok(201);
    let project = &project["projectId"];
    ours.post("/sources", &json!({"name": "osv", "kind": "osv"}))
        .await
        .ok(201);
    let mut of_project = job();
    of_project["projectId"] = project.clone();
    of_project["source"] = "osv".into();
    of_project["tags"] = json!(["nightly", "eu"]);
    ours.submit(json!([of_project])).await;
    let claim = json!({"sessionId": SESSION, "worker": "w", "types": ["t"], "max": 5, "waitMs": 2_000, "slots": 8});
    let key = "00000000-0000-7000-8000-000000000001";
    let first = ours.post_keyed("/worker/claim", key, &claim).await.ok(200);
    // What is given again says the same.
    let again = ours.post_keyed("/worker/claim", key, &claim).await.ok(200);
    for answer in [first, again] {
        let grant = &answer["grants"][0];
        assert_eq!(
            (&grant["tenant"], &grant["projectId"], &grant["source"]),
            (&json!(OURS), project, &json!("osv"))
        );
        assert_eq!(grant["tags"], json!(["nightly", "eu"]));
    }
    let workers = ours.get("/workers").await.ok(200);
    assert_eq!(workers["items"][0]["slots"], 8);
    let replays = r#"jobengine_http_idempotent_replays_total{operation="worker_claim"}"#;
    assert_eq!(service.sample(replays), 1);

    // Of what a job does not have nothing is said.
    ours.submit(json!([job()])).await;
    let plain = ours.claim(1, 2_000).await.remove(0);
    for name in ["projectId", "source", "tags"] {
        assert_eq!(plain.get(name), None, "{plain:#}");
    }
    let refused =
        json!({"sessionId": SESSION, "worker": "w", "types": ["t"], "max": 1, "slots": 0});
    let refused = ours.post("/worker/claim", &refused).await;
    assert_eq!(refused.problem(), (422, "REQUEST_INVALID"));
}
