//! Sources: made, changed by one person at a time, paused.

use jobengine_domain::caller::Caller;
use jobengine_domain::priority::Priority;
use jobengine_store::{NewJob, StoreError};
use reqwest::Method;
use serde_json::{Value, json};

use crate::service::{Answer, OURS, Person, Service, report, send};

/// Jobs of type `t`, one for each of these sources.
async fn submit(service: &Service, sources: &[&str]) -> Result<Vec<String>, StoreError> {
    let job = |source: &&str| NewJob {
        key: String::new(),
        job_type: "t".to_owned(),
        priority: Priority::Normal,
        payload: "1".to_owned(),
        max_attempts: 5,
        max_crashes: 3,
        not_before: None,
        deadline: None,
        correlation_id: "c".to_owned(),
        project: None,
        source: Some((*source).to_owned()),
        tags: Vec::new(),
        traceparent: None,
        replay_of: None,
        parents: Vec::new(),
    };
    let jobs: Vec<NewJob> = sources.iter().map(job).collect();
    let tx = service.store.begin(&Caller::system(OURS)).await?;
    let ids = tx.jobs_submit(None, &jobs).await?;
    tx.commit().await?;
    Ok(ids.iter().map(ToString::to_string).collect())
}

/// Whether jobs for a source are refused, and how: paused or not.
async fn refused(service: &Service, source: &str) -> Option<bool> {
    match submit(service, &[source]).await {
        Err(StoreError::SourceClosed { paused, .. }) => Some(paused),
        other => other.map(|_| None).unwrap(),
    }
}

async fn make(person: &Person, name: &str) -> Value {
    let request = json!({"name": name, "kind": "osv", "url": "https://Feeds.example/osv?x=1"});
    person.post("/sources", &request).await.ok(201)
}

async fn patch(person: &Person, id: &str, tag: Option<&str>, body: &Value) -> Answer {
    let mut request = person
        .request(Method::PATCH, &format!("/sources/{id}"))
        .json(body);
    if let Some(tag) = tag {
        request = request.header("if-match", tag);
    }
    send(request).await
}

async fn turn(person: &Person, id: &str, verb: &str) -> Value {
    let request = person.request(Method::POST, &format!("/sources/{id}:{verb}"));
    send(request.header("x-stella-operator-reason", "upstream is broken"))
        .await
        .ok(200)
}

/// One pass of the duty over our tenant, until it has come to the end.
async fn hold(service: &Service) -> (usize, u32) {
    let (mut held, mut released, mut from) = (0, 0, None);
    loop {
        let pass = service
            .store
            .holds(OURS, from.as_ref(), 2, 2)
            .await
            .unwrap();
        held += pass.held;
        released += pass.released.iter().map(|jobs| jobs.jobs).sum::<u32>();
        if pass.next.is_none() && !pass.more {
            return (held, released);
        }
        from = pass.next;
    }
}

#[tokio::test]
async fn a_source_is_changed_by_one_person_at_a_time() {
    let service = Service::start().await;
    let (ours, others) = (service.ours(), service.others());
    let made = make(&ours, "osv").await;
    assert_eq!(made["host"], "feeds.example");
    let id = made["sourceId"].as_str().unwrap();
    assert_eq!(ours.get(&format!("/sources/{id}")).await.ok(200), made);
    let taken = ours
        .post("/sources", &json!({"name": "osv", "kind": "osv"}))
        .await;
    assert_eq!(taken.problem(), (409, "NAME_TAKEN"));

    let change = json!({"description": "all of it", "url": null});
    let changed = patch(&ours, id, Some("\"1\""), &change).await.ok(200);
    assert_eq!(
        (&changed["version"], &changed["url"]),
        (&json!(2), &Value::Null)
    );
    assert_eq!(changed["kind"], "osv", "what is left out stays");
    let late = patch(&ours, id, Some("\"1\""), &change).await;
    assert_eq!(late.problem(), (412, "PRECONDITION_FAILED"));
    let blind = patch(&ours, id, None, &change).await;
    assert_eq!(blind.problem(), (428, "PRECONDITION_REQUIRED"));

    for bad in [
        json!({"name": "", "kind": "osv"}),
        json!({"name": "a", "kind": "Osv"}),
        json!({"name": "a", "kind": "osv", "url": "https://me:secret@a/"}),
        json!({"name": "a", "kind": "osv", "host": "a"}),
    ] {
        assert_eq!(
            ours.post("/sources", &bad).await.problem(),
            (422, "REQUEST_INVALID"),
            "{bad}"
        );
    }
    for (method, path) in [
        (Method::GET, format!("/sources/{id}")),
        (Method::DELETE, format!("/sources/{id}")),
    ] {
        let answer = send(others.request(method, &path)).await;
        assert_eq!(answer.problem(), (404, "NOT_FOUND"));
    }
    assert_eq!(others.get("/sources").await.ok(200)["items"], json!([]));
    assert_eq!(
        patch(&others, id, Some("\"2\""), &change).await.problem(),
        (404, "NOT_FOUND")
    );
    let gone = ours
        .request(Method::DELETE, &format!("/sources/{id}"))
        .send()
        .await
        .unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(ours.get("/sources").await.ok(200)["items"], json!([]));
}

#[tokio::test]
async fn a_paused_source_gets_no_grant_until_it_goes_on() {
    let service = Service::start().await;
    let ours = service.ours();
    let id = make(&ours, "osv").await;
    let id = id["sourceId"].as_str().unwrap();
    let jobs = submit(&service, &["osv", "other", "osv", "osv"])
        .await
        .unwrap();
    let running = ours.claim(1, 0).await;
    assert_eq!(running[0]["jobId"], jobs[0]);

    let mute = ours.request(Method::POST, &format!("/sources/{id}:pause"));
    assert_eq!(send(mute).await.problem(), (422, "REASON_REQUIRED"));
    let paused = turn(&ours, id, "pause").await;
    assert_eq!(paused["pauseReason"], "upstream is broken");
    let granted = ours.claim(10, 0).await;
    assert_eq!(granted.len(), 1, "the other source goes on");
    assert_eq!(granted[0]["jobId"], jobs[1]);
    assert_eq!(refused(&service, "osv").await, Some(true));

    assert_eq!(hold(&service).await, (2, 0));
    assert_eq!(ours.state(&jobs[2]).await, "queued");
    ours.post(&format!("/jobs/{}:cancel", jobs[3]), &json!({}))
        .await
        .ok(200);
    assert_eq!(
        ours.state(&jobs[3]).await,
        "canceled",
        "a held job can be called off"
    );
    // A job under way that is given back stays with the others.
    ours.complete(json!([report(&running[0], "released")]))
        .await
        .ok(200);
    assert_eq!(ours.claim(10, 0).await.len(), 0);
    assert_eq!(hold(&service).await, (1, 0));

    let resumed = turn(&ours, id, "resume").await;
    assert_eq!(resumed["pausedAt"], Value::Null);
    assert_eq!(hold(&service).await, (0, 2));
    assert!(service.store.tenants_holding().await.unwrap().is_empty());
    let granted: Vec<Value> = ours.claim(10, 1_000).await;
    let ids: Vec<&str> = granted
        .iter()
        .map(|grant| grant["jobId"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        [jobs[0].as_str(), jobs[2].as_str()],
        "in their old order"
    );
    assert_eq!(refused(&service, "osv").await, None);
}

#[tokio::test]
async fn a_disabled_source_takes_nothing_new() {
    let service = Service::start().await;
    let ours = service.ours();
    let made = make(&ours, "osv").await;
    let id = made["sourceId"].as_str().unwrap();
    submit(&service, &["osv"]).await.unwrap();
    patch(&ours, id, Some("\"1\""), &json!({"enabled": false}))
        .await
        .ok(200);
    assert_eq!(refused(&service, "osv").await, Some(false));
    assert_eq!(ours.claim(10, 0).await.len(), 1, "what is queued goes on");
}

/// P11: while claims of two replicas go on and on, no grant of a source is committed after its pause was answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_grant_is_made_behind_a_pause() {
    let [one, two] = Service::replicas().await;
    let person = one.ours();
    let id = make(&person, "osv").await;
    let id = id["sourceId"].as_str().unwrap().to_owned();
    for round in 0..5 {
        submit(&one, &["osv"; 400]).await.unwrap();
        let claimers: Vec<_> = [&one, &two, &one, &two]
            .into_iter()
            .map(|service| {
                let worker = service.ours();
                tokio::spawn(async move {
                    for _ in 0..15 {
                        worker.claim(7, 0).await;
                    }
                })
            })
            .collect();
        tokio::time::sleep(std::time::Duration::from_millis(20 * round)).await;
        turn(&person, &id, "pause").await;
        // The fence rises with every grant.
        one.sql(
            "DROP TABLE IF EXISTS seen; CREATE TABLE seen AS SELECT last_value FROM orch.fence",
        )
        .await;
        for claimer in claimers {
            claimer.await.unwrap();
        }
        one.sql("DO $$ BEGIN ASSERT (SELECT last_value FROM seen) = (SELECT last_value FROM orch.fence); END $$")
            .await;
        turn(&person, &id, "resume").await;
        hold(&one).await;
    }
}
