//! What a worker says of its jobs.

use std::time::{Duration, Instant};

use jobengine_sdk::Client;
use jobengine_sdk::wire::event::EventFilter;
use jobengine_sdk::wire::job::NewJob;
use jobengine_sdk::wire::page::PageQuery;
use jobengine_sdk::wire::report::{FailureClass, Outcome};
use jobengine_sdk::wire::words::{LogLevel, NewLogLine, ProgressReport};
use serde_json::json;
use uuid::Uuid;

use crate::service::{PATIENCE, Service, held};

#[tokio::test]
async fn what_a_worker_says_is_read_again() {
    let service = Service::start().await;
    let client = &service.client;
    let project = service.project().await;
    let job = NewJob {
        project_id: Some(project),
        tags: vec!["eu".to_owned()],
        ..NewJob::new("sdk.test", json!({"n": 1}))
    };
    client.jobs_submit(&[job]).await.unwrap();
    let grant = service.claim("sdk.test").await;
    assert_eq!(
        (grant.project_id, grant.source.as_deref()),
        (Some(project), None)
    );
    assert_eq!(
        (grant.tags.clone(), grant.attempt),
        (vec!["eu".to_owned()], 1)
    );
    let workers = client.workers(&PageQuery::default()).await.unwrap();
    assert_eq!(
        (workers.items[0].slots, workers.items[0].leases),
        (Some(3), 1)
    );

    let begun = client.ack(&[held(&grant)]).await.unwrap();
    assert!(begun[0].accepted);
    let report = ProgressReport {
        job_id: grant.job_id,
        lease_token: grant.lease_token.clone(),
        permille: 250,
        note: Some("a quarter".to_owned()),
    };
    assert!(client.progress(&[report]).await.unwrap()[0].accepted);
    let line = NewLogLine {
        job_id: grant.job_id,
        lease_token: grant.lease_token.clone(),
        level: LogLevel::Warn,
        line: "slow".to_owned(),
    };
    assert_eq!(client.log(&[line]).await.unwrap().stored, 1);
    let under_way = client.job(grant.job_id).await.unwrap().under_way.unwrap();
    assert_eq!(
        (under_way.permille, under_way.note.as_deref()),
        (Some(250), Some("a quarter"))
    );
    assert!(under_way.started_at.is_some());

    // It waits long after this failure, and somebody is not willing to.
    let state = service
        .report(&grant, Outcome::Failed, Some(FailureClass::Throttled))
        .await;
    assert_eq!(state, "queued");
    let why = client.job_explain(grant.job_id).await.unwrap();
    assert_eq!(why.hold.as_deref(), Some("backoff"));
    let moved = client.job_retry(grant.job_id).await.unwrap();
    assert_eq!(moved.state, "queued");
    let second = service.claim("sdk.test").await;
    assert_eq!((second.job_id, second.attempt), (grant.job_id, 2));
    client
        .artifact_put(
            second.job_id,
            &second.lease_token,
            "out.txt",
            "text/plain",
            "made",
        )
        .await
        .unwrap();
    assert_eq!(
        service.report(&second, Outcome::Succeeded, None).await,
        "succeeded"
    );
    read_again(client, grant.job_id, project).await;
}

/// What is known of a job whose second attempt succeeded.
async fn read_again(client: &Client, job: Uuid, project: Uuid) {
    let logs = client
        .job_logs(job, Some(1), &PageQuery::default())
        .await
        .unwrap();
    assert_eq!(
        (logs.items[0].line.as_str(), logs.items[0].level),
        ("slow", LogLevel::Warn)
    );
    let none = client
        .job_logs(job, Some(2), &PageQuery::default())
        .await
        .unwrap();
    assert!(none.items.is_empty());
    let artifacts = client.job_artifacts(job).await.unwrap();
    assert_eq!(
        (artifacts[0].name.as_str(), artifacts[0].accepted),
        ("out.txt", true)
    );
    let mut read = Vec::new();
    assert_eq!(
        client
            .job_artifact(job, "out.txt", &mut read)
            .await
            .unwrap(),
        4
    );
    assert_eq!(read, b"made");
    let history = client.job_history(job).await.unwrap();
    assert_eq!(history.attempts.len(), 2);
    let told: Vec<&str> = history
        .moments
        .iter()
        .map(|moment| moment.what.as_str())
        .collect();
    assert_eq!(
        (told[0], told[told.len() - 1]),
        ("job.submitted", "job.succeeded"),
        "{told:?}"
    );

    let filter = EventFilter {
        job_id: Some(job),
        types: Some("job.started,job.succeeded".to_owned()),
        ..EventFilter::default()
    };
    let started = Instant::now();
    let events = loop {
        let page = client.events(&filter, &PageQuery::default()).await.unwrap();
        if page.items.len() == 2 {
            break page.items;
        }
        assert!(started.elapsed() < PATIENCE, "{page:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(events[1].event_type, "job.succeeded");
    assert_eq!(events[1].project_id, Some(project));
    assert_eq!(events[1].job.artifacts.len(), 1);
}
